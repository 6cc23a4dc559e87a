"""Which targets does a scenario mean? Boards x runtimes x clocks x placements x supplies that go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from ....devices.calibration import Calibration, load_calibration, shipped_calibration
from ....devices.catalog import (
    device_aliases,
    device_names,
    load_device,
    load_runtime,
    load_target,
    misfit,
    runtime_names,
)
from ....devices.spec import DeviceSpec
from ....devices.target import Target
from ....devices.units import parse_fraction
from ....errors import BudgetInvalid, DeviceUnknown, PlacementInvalid, ScenarioFileInvalid, TargetInvalid
from ...estimate import Conditions
from ...placing.options import placements
from ...placing.words import parse_placement
from ...scenario import Scenario, conditions_of
from .scenario import SweepScenario, TargetAxes
from .specs import TargetSpec

MOST_TARGETS = 100_000
_MADE_UP = "example-"


def target_specs(scenario: SweepScenario, folder: Path) -> tuple[tuple[TargetSpec, ...], dict[str, int]]:
    """Every target, boards in their order; and what was left out: reason -> how many combinations.

    Raises:
        DeviceUnknown, RuntimeUnknown, DeviceFileInvalid, ...: a board or a runtime that is not there.
    """
    axes, left_out = scenario.targets, Counter[str]()
    own = _calibration(scenario, folder)
    found: dict[tuple[object, ...], TargetSpec] = {}
    for board in _boards(axes.boards, folder):
        for target in _of_board(board, axes, folder, left_out):
            if len(found) + left_out.total() > MOST_TARGETS:
                raise ScenarioFileInvalid("a grid too large", faults=[f"more than {MOST_TARGETS:,} targets"])
            target = target if own is None else replace(target, own_calibration=own)
            for npu in axes.npu:
                if not _has_npu(target.device, npu):
                    left_out[f"{npu} is not on the board"] += 1
                    continue
                spec = _spec(target, scenario.constraints.scenario, npu=npu, number=len(found))
                how = (target.clock_hz, spec.place, spec.supply, spec.npu)
                key = (target.unplaced.device, target.runtime, *how)
                found.setdefault(key, spec)
    return tuple(found.values()), dict(left_out)


def board_targets(
    boards: tuple[str, ...] = ("all",), runtimes: tuple[str, ...] = ("all",)
) -> tuple[Target, ...]:
    """Boards with every runtime of these that fits them, at their highest clocks."""
    axes = TargetAxes(boards=boards, runtimes=runtimes)
    here, left_out = Path(), Counter[str]()
    return tuple(
        target for board in _boards(boards, here) for target in _of_board(board, axes, here, left_out)
    )


def _spec(target: Target, scenario: Scenario, *, npu: str, number: int) -> TargetSpec:
    """Conditions that this board cannot meet at all are its error: every point on it says so."""
    place = target.homes.beside(target.unplaced.homes)
    supply = "" if target.supply is None else str(target.supply)
    names = {"place": place, "supply": supply, "device": target.device.name, "runtime": target.runtime.label}
    accelerator = "" if npu == "none" else npu
    try:
        conditions = conditions_of(target, scenario)
    except BudgetInvalid as error:
        return TargetSpec(number, target, Conditions(), npu=accelerator, error=str(error), **names)
    return TargetSpec(number, target, conditions, npu=accelerator, **names)


def _has_npu(device: DeviceSpec, word: str) -> bool:
    """Whether the board has this accelerator; behind the colon stands its mode."""
    return word == "none" or (device.npu is not None and word.partition(":")[0].strip() == device.npu.name)


def _of_board(board: str, axes: TargetAxes, folder: Path, left_out: Counter[str]) -> Iterator[Target]:
    device = load_device(board)
    for runtime in _runtimes(axes.runtimes, device, folder):
        if misfit(device, load_runtime(runtime)):
            left_out[f"{runtime} does not run on the board"] += 1
            continue
        for clock in axes.clocks:
            for supply in axes.supply:
                try:
                    target = load_target(
                        board, runtime, _clock_hz(device, clock), supply=None if supply == "own" else supply
                    )
                except TargetInvalid:
                    left_out[f"clock {clock} with supply {supply} is not for the board"] += 1
                    continue
                yield from _placed(target, axes.place, left_out)


def _placed(target: Target, places: tuple[str, ...], left_out: Counter[str]) -> Iterator[Target]:
    for place in places:
        if place == "own":
            yield target
        elif place == "every":
            yield from _everywhere(target)
        else:
            try:
                yield target.placed(parse_placement(target, place))
            except PlacementInvalid:
                left_out[f"placement {place} is not for the board"] += 1


def _everywhere(target: Target) -> Iterator[Target]:
    for homes in placements(target):
        try:
            yield target.placed(homes)
        except PlacementInvalid:
            continue


def _boards(asked: tuple[str, ...], folder: Path) -> Iterator[str]:
    """Names and files, each once; patterns mean shipped boards, made-up ones only where they are named."""
    found: dict[str, None] = {}
    for word in asked:
        if word == "all" or any(sign in word for sign in "*?["):
            pattern = "*" if word == "all" else word
            names = [name for name in device_names() if fnmatchcase(name, pattern)]
            if not word.startswith(_MADE_UP):
                names = [name for name in names if not name.startswith(_MADE_UP)]
            if not names:
                raise DeviceUnknown(f"no shipped board matches {word[:80]!r}", fix="preflash device list")
            found.update(dict.fromkeys(names))
        else:
            found[_file_or_name(word, folder, {*device_names(), *device_aliases()})] = None
    yield from found


def _runtimes(asked: tuple[str, ...], device: DeviceSpec, folder: Path) -> Iterator[str]:
    """The board's own for "default", all that fit for "all"; each once."""
    found: dict[str, None] = {}
    for word in asked:
        if word == "default":
            found[device.default_runtime] = None
        elif word == "all":
            fitting = [name for name in runtime_names() if not misfit(device, load_runtime(name))]
            found.update(dict.fromkeys([device.default_runtime, *fitting]))
        else:
            found[_file_or_name(word, folder, set(runtime_names()))] = None
    yield from found


def _file_or_name(word: str, folder: Path, names: set[str]) -> str:
    """A file relative to the scenario's folder, unless it is a name."""
    is_path = word not in names and (word.endswith(".toml") or "/" in word)
    return str(folder / word) if is_path else word


def _clock_hz(device: DeviceSpec, word: str) -> str | float | None:
    """What `load_target` takes: None for "max", hertz for "50%"."""
    if word == "max":
        return None
    if word.strip().endswith("%"):
        return parse_fraction(word) * device.core.max_clock_hz
    return word


def _calibration(scenario: SweepScenario, folder: Path) -> Calibration | None:
    if scenario.calibration is None:
        return None
    return shipped_calibration().overlaid(load_calibration(folder / scenario.calibration))
