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
    firmware: str | None = None
    map_file: str | None = None
    linker_script: str | None = None
    arena_symbol: str | None = None
    bootloader: str | None = None
    ota_slots: int = 1
    build: str | None = None
    place: str | None = None
    threads: int = 1

    def read(self) -> tuple[Target, Conditions]:
        """Target and conditions that these words state."""
        from ..devices.build import declared
        from ..devices.catalog import load_target
        from ..simulator.conditions import parse_conditions
        from ..simulator.surroundings import Surroundings, scripted_target, surround

        around = Surroundings(
            self.firmware, self.map_file, self.linker_script, self.arena_symbol, self.bootloader,
            self.ota_slots,
        )  # fmt: skip
        target = load_target(self.device, self.runtime, self.clock, threads=self.threads)
        built = declared(target, self.build)
        target, scripted = scripted_target(built, around)
        if self.place is not None:
            from ..simulator.placing.words import parse_placement

            target = target.placed(parse_placement(target, self.place))
        conditions = parse_conditions(
            target, reserve=self.reserve, deadline=self.deadline, headroom=self.headroom
        )
        return target, surround(target, conditions, around, scripted)

    def words(self) -> tuple[str, ...]:
        """The same options again, those at their default left out."""
        said = (
            ("-d", self.device), ("-r", self.runtime), ("--clock", self.clock),
            *(("--reserve", text) for text in self.reserve), ("--firmware", self.firmware),
            ("--map", self.map_file), ("--ld", self.linker_script), ("--arena-symbol", self.arena_symbol),
            ("--bootloader", self.bootloader),
            ("--ota-slots", None if self.ota_slots == 1 else str(self.ota_slots)),
            ("--deadline", self.deadline), ("--headroom", self.headroom), ("--build", self.build),
            ("--place", self.place), ("--threads", None if self.threads == 1 else str(self.threads)),
        )  # fmt: skip
        return tuple(word for option, value in said if value is not None for word in (option, value))
