"""What may a calibration file say: what was fitted to measured rows, how far rows left out were off.

cycles = instructions x factor of the kernels x cycles per instruction of the core
         x factor of the board x factor of the build
       + weight bytes x fetches of the library x cycles per byte of the core x stall factor of the board.
"""

from __future__ import annotations

import os
import tomllib
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from ..errors import CalibrationInvalid
from .blocks import Block, Hertz
from .faults import plain_faults, shortened
from .spec import CoreName, Name

SHIPPED = Path(__file__).parent / "calibrations" / "shipped.toml"
_LARGEST_FILE_BYTES = 1 << 20

Positive = Annotated[float, Field(gt=0, lt=1e6)]
Given = Literal["board", "core", "nothing"]


class CoreFit(Block):
    """Cycles of one core.

    Args:
        cpi: cycles per instruction.
        cycles_per_byte: per weight byte fetched from nvm, with the wait states of the part's highest clock.
        rows, boards: what it was fitted to; 0 is no measurement of this core.
    """

    core: CoreName
    cpi: Positive
    cycles_per_byte: Annotated[float, Field(ge=0, lt=1e6)]
    rows: Annotated[int, Field(strict=True, ge=0)]
    boards: Annotated[int, Field(strict=True, ge=0)]


class BoardFit(Block):
    """What one board's own rows say beyond its core.

    Args:
        factor: on the cycles of kernels.
        stall_factor: on the cycles per weight byte.
        at_clock_hz: the clock that most of its rows ran at.
        libraries: the kernel libraries whose rows they are.
        p10, p90: of measured / predicted on this board; None is as on boards with one network known.
    """

    device: Name
    factor: Positive
    stall_factor: Positive
    at_clock_hz: Annotated[Hertz, Field(gt=0, alias="at_clock")]
    libraries: tuple[str, ...]
    rows: Annotated[int, Field(strict=True, ge=1)]
    p10: Positive | None = None
    p90: Positive | None = None


class BuildFit(Block):
    """What the firmwares of one board and runtime say beyond board and kernels: compiler, flags, alignment.

    Args:
        runtime: its label, e.g. "x-cube-ai@8.1".
        factor: on the cycles of kernels.
    """

    device: Name
    runtime: str
    factor: Positive
    rows: Annotated[int, Field(strict=True, ge=1)]


class KernelFit(Block):
    """Instructions of one kernel class of a runtime, against the counted kernels that stand for it.

    Args:
        runtime: its label, e.g. "x-cube-ai@8.1".
        kernels: the kernel class, e.g. "conv1x1".
        factor, rest_factor: inside the innermost multiplication loops, and outside.
    """

    runtime: str
    kernels: str
    factor: Positive
    rest_factor: Positive
    source: str


class FetchFit(Block):
    """How often a library's kernels fetch a weight from nvm, against blocks of two pixels."""

    library: str
    factor: Positive


class SpreadFit(Block):
    """measured / predicted of rows left out of the fit.

    Args:
        given: what the fit knew: other rows of that board, only other boards of that core, or neither.
        rows: how many rows were left out.
    """

    library: str
    given: Given
    p10: Positive
    p50: Positive
    p90: Positive
    rows: Annotated[int, Field(strict=True, ge=0)]


class Calibration(Block):
    """One calibration file.

    Args:
        date: of the newest row, "2026-11-25".
        sources: where the rows come from.
    """

    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    sources: tuple[str, ...]
    cores: Annotated[tuple[CoreFit, ...], Field(alias="core", max_length=64)] = ()
    boards: Annotated[tuple[BoardFit, ...], Field(alias="board", max_length=4096)] = ()
    builds: Annotated[tuple[BuildFit, ...], Field(alias="build", max_length=4096)] = ()
    kernels: Annotated[tuple[KernelFit, ...], Field(alias="kernel", max_length=1024)] = ()
    fetches: Annotated[tuple[FetchFit, ...], Field(alias="fetch", max_length=64)] = ()
    spreads: Annotated[tuple[SpreadFit, ...], Field(alias="spread", max_length=64)] = ()

    @cached_property
    def core_table(self) -> dict[str, CoreFit]:
        return {fit.core: fit for fit in self.cores}

    @cached_property
    def board_table(self) -> dict[str, BoardFit]:
        """device -> its fit."""
        return {fit.device: fit for fit in self.boards}

    @cached_property
    def build_table(self) -> dict[tuple[str, str], BuildFit]:
        """(device, runtime label) -> its fit."""
        return {(fit.device, fit.runtime): fit for fit in self.builds}

    @cached_property
    def kernel_table(self) -> dict[str, dict[str, KernelFit]]:
        """runtime label -> kernel class -> its fit."""
        found: dict[str, dict[str, KernelFit]] = {}
        for fit in self.kernels:
            found.setdefault(fit.runtime, {})[fit.kernels] = fit
        return found

    @cached_property
    def fetch_table(self) -> dict[str, float]:
        """kernel library -> factor on fetched weight bytes."""
        return {fit.library: fit.factor for fit in self.fetches}

    @cached_property
    def spread_table(self) -> dict[tuple[str, str], SpreadFit]:
        """(kernel library, given) -> how far left-out rows were off."""
        return {(fit.library, fit.given): fit for fit in self.spreads}

    def overlaid(self, other: Calibration) -> Calibration:
        """This calibration with the other's fits in place of its own for the same core, board, kernels."""
        return Calibration.model_construct(
            date=max(self.date, other.date), sources=tuple(dict.fromkeys((*self.sources, *other.sources))),
            cores=tuple((self.core_table | other.core_table).values()),
            boards=tuple((self.board_table | other.board_table).values()),
            builds=tuple((self.build_table | other.build_table).values()),
            kernels=(*(k for k in self.kernels if k.runtime not in other.kernel_table), *other.kernels),
            fetches=tuple({fit.library: fit for fit in (*self.fetches, *other.fetches)}.values()),
            spreads=tuple((self.spread_table | other.spread_table).values()),
        )  # fmt: skip


UNFITTED = Calibration(date="1970-01-01", sources=())  # nothing measured: what the tables say


@lru_cache(maxsize=1)
def shipped_calibration() -> Calibration:
    """What ships with this version; made by `make calibrate`."""
    return load_calibration(SHIPPED)


def load_calibration(path: str | os.PathLike[str]) -> Calibration:
    """The calibration of this file.

    Raises:
        CalibrationInvalid: the file cannot be read, is no TOML or has faults; all of them are in `.faults`.
    """
    where = os.fspath(path)
    try:
        with Path(where).open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
        if len(content) > _LARGEST_FILE_BYTES:
            raise _unusable(where, "it is larger than 1 MiB")
        raw = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise _unusable(where, f"cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise _unusable(where, f"TOML syntax: {error}") from error
    try:
        return Calibration.model_validate(raw)
    except ValidationError as error:
        faults = shortened(plain_faults(error, Calibration))
    raise CalibrationInvalid(
        "calibration file with faults", faults=faults, where=where, fix="preflash calibrate writes such files"
    )


def _unusable(where: str, fault: str) -> CalibrationInvalid:
    return CalibrationInvalid(
        "the calibration file cannot be used", faults=(fault,), where=where[:200],
        fix="give a .toml file that preflash calibrate wrote",
    )  # fmt: skip
