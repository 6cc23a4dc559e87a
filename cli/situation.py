"""What does a command line say about board, runtime and firmware, and how is it said again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..devices.target import Target
    from ..simulator.estimate import Conditions


@dataclass(frozen=True, slots=True)
class Situation:
    """The options of every command that sizes a model on a board, as written."""

    device: str
    runtime: str | None = None
    clock: str | None = None
    reserve: tuple[str, ...] = ()
    deadline: str | None = None
    headroom: str | None = None
    period: str | None = None
    battery: str | None = None
    sleep: str | None = None
    scenario: str | None = None
    firmware: str | None = None
    map_file: str | None = None
    linker_script: str | None = None
    arena_symbol: str | None = None
    bootloader: str | None = None
    ota_slots: int = 1
    build: str | None = None
    place: str | None = None
    supply: str | None = None
    calibration: str | None = None
    threads: int = 1
    limit: tuple[str, ...] = ()

    def read(self) -> tuple[Target, Conditions]:
        """Target and conditions that these words state."""
        from ..devices.build import declared
        from ..simulator.conditions import parse_conditions
        from ..simulator.surroundings import Surroundings, scripted_target, surround

        around = Surroundings(
            self.firmware, self.map_file, self.linker_script, self.arena_symbol, self.bootloader,
            self.ota_slots,
        )  # fmt: skip
        built = declared(self._target(), self.build)
        target, scripted = scripted_target(built, around)
        if self.place is not None:
            from ..simulator.placing.words import parse_placement

            target = target.placed(parse_placement(target, self.place))
        if any(word is not None for word in (self.period, self.battery, self.sleep, self.scenario)):
            conditions = self._scenario_conditions(target)
        else:
            conditions = parse_conditions(
                target, reserve=self.reserve, deadline=self.deadline, headroom=self.headroom,
                limit=self.limit,
            )  # fmt: skip
        return target, surround(target, conditions, around, scripted)

    def _target(self) -> Target:
        from ..devices.catalog import load_target

        return load_target(
            self.device, self.runtime, self.clock, supply=self.supply, calibration=self.calibration,
            threads=self.threads,
        )

    def _scenario_conditions(self, target: Target) -> Conditions:
        """What the scenario file states, and above it what the options say."""
        from ..simulator.scenario import Said, conditions_of, read_scenario

        scenario = None if self.scenario is None else read_scenario(self.scenario)
        said = Said(
            self.reserve, self.deadline, self.headroom, self.period, self.battery, self.sleep, self.limit
        )
        return conditions_of(target, scenario, said)

    def words(self) -> tuple[str, ...]:
        """The same options again, those at their default left out."""
        said = (
            ("-d", self.device), ("-r", self.runtime), ("--clock", self.clock), ("--supply", self.supply),
            *(("--reserve", text) for text in self.reserve), *(("--limit", text) for text in self.limit),
            ("--firmware", self.firmware),
            ("--map", self.map_file), ("--ld", self.linker_script), ("--arena-symbol", self.arena_symbol),
            ("--bootloader", self.bootloader),
            ("--ota-slots", None if self.ota_slots == 1 else str(self.ota_slots)),
            ("--scenario", self.scenario), ("--deadline", self.deadline), ("--period", self.period),
            ("--battery", self.battery), ("--sleep", self.sleep), ("--headroom", self.headroom),
            ("--build", self.build),
            ("--place", self.place), ("--threads", None if self.threads == 1 else str(self.threads)),
            ("--calibration", self.calibration),
        )  # fmt: skip
        return tuple(word for option, value in said if value is not None for word in (option, value))
