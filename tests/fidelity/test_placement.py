"""What external RAM was measured to cost lies in what is predicted."""

from __future__ import annotations

from preflash.simulator.validate.facts import Facts
from preflash.simulator.validate.placements import placement_table
from shared_data import shared_dir


def test_the_measured_cost_of_sdram_lies_in_the_interval() -> None:
    """MobileNetV2 0.35 on STM32H747I-DISCO, two versions of ST's runtime."""
    table = placement_table(Facts(shared_dir()))
    assert len(table.rows) == 2
    for _, measured, _value, low, high in table.rows:
        assert isinstance(measured, float) and isinstance(low, float) and isinstance(high, float)
        assert low <= measured <= high
