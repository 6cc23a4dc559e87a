"""Which words of a command line say again what a sweep's scenario holds its points against?"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import PurePath
from typing import Any, TypeVar

from ..devices.blocks import Block
from ..devices.catalog import device_names, load_device, load_runtime, runtime_names
from ..errors import PreflashError
from ..simulator.sweep.asked.scenario import Constraints, DataSpec, TargetAxes
from ..simulator.sweep.asked.specs import sha256_of
from ..simulator.sweep.table import TargetRow

_KIB, _MIB = 1024, 1024**2
_PREFIXES = (("", 0), ("m", 3), ("u", 6), ("n", 9))
_LONGEST_TEXT, _MOST_DOTS_IN_A_LINE = 1 << 20, 64  # tomllib needs memory by the square of a key's parts
_AROUND = "around.toml"
_ELSEWHERE = ("//", "\\\\")  # of another machine: a store may come from anywhere
_Mark = tuple[str, str]  # a name, and the hash of everything that figures depend on
_Block = TypeVar("_Block", bound=Block)


@dataclass(frozen=True, slots=True)
class Again:
    """What a store's scenario states, as options of `preflash check` and `preflash variants`.

    Args:
        conditions: of check, where the store's limits do not say them: reserve, period, battery, ...
        data: of variants: the samples that steps may use.
        seed: of whatever steps draw.
        boards, runtimes: the files among them, as a command line takes them.
        folder: of the scenario, as the sweep was started; what its paths are relative to.
        left: what no option says, in words.
    """

    conditions: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    seed: tuple[str, ...] = ()
    boards: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    folder: str = ""
    left: tuple[str, ...] = ()

    def board(self, target: TargetRow) -> str:
        """The file of this board where the scenario names one, else its name."""
        known = {path: _board_in(path) for path in self.boards}
        return _file_of((target.device, target.device_sha256), known, device_names())

    def runtime(self, target: TargetRow) -> str:
        known = {path: _runtime_in(path) for path in self.runtimes}
        return _file_of((target.runtime, target.runtime_sha256), known, runtime_names())

    def path(self, text: str) -> str:
        """A path of the scenario, from where the sweep was started."""
        return beside(self.folder, text)


def again(facts: dict[str, str]) -> Again:
    """Of what a store says of itself; nothing where its scenario cannot be read."""
    return _again(facts.get("scenario", ""), facts.get("command", ""))


def beside(folder: str, text: str) -> str:
    return str(PurePath(folder) / text) if folder else text


def size_word(size_bytes: float) -> str:
    """Bytes with the largest unit that leaves a whole number.

    >>> size_word(1048576), size_word(65536), size_word(1000)
    ('1MiB', '64KiB', '1000B')
    """
    whole = round(size_bytes)
    for unit, factor in (("MiB", _MIB), ("KiB", _KIB)):
        if whole and whole % factor == 0:
            return f"{whole // factor}{unit}"
    return f"{whole}B"


def unit_word(value: float, unit: str) -> str:
    """Seconds or joules to the last digit, without an exponent.

    >>> unit_word(0.25, "s"), unit_word(2e-06, "J"), unit_word(1.5, "s")
    ('250ms', '2uJ', '1.5s')
    """
    exact = Decimal(repr(float(value)))
    prefix, power = next((one for one in _PREFIXES if abs(exact.scaleb(one[1])) >= 1), _PREFIXES[-1])
    return f"{plain_number(exact.scaleb(power))}{prefix}{unit}"


def plain_number(value: Decimal) -> str:
    """Without an exponent, and no zeros behind.

    >>> plain_number(Decimal("1.2E+2")), plain_number(Decimal("0.100"))
    ('120', '0.1')
    """
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(maxsize=8)
def _again(scenario: str, command: str) -> Again:
    raw, folder = _table(scenario), _folder(command)
    held, axes = _read(Constraints, raw, "constraints"), _read(TargetAxes, raw, "targets")
    boards, runtimes = ((), ()) if axes is None else (axes.boards, axes.runtimes)
    said, left = [], []
    if held is not None:
        left = list(_left(held))
        said = [*_conditions(held, raw.get("constraints", {})), *(("--scenario", _AROUND) if left else ())]
    calibration = raw.get("calibration")
    if isinstance(calibration, str):
        said += ["--calibration", beside(folder, calibration)]
    return Again(
        tuple(said), _data(_read(DataSpec, raw, "data"), folder), _seed(raw.get("seed")),
        _files(boards, folder), _files(runtimes, folder), folder, tuple(left),
    )  # fmt: skip


def _conditions(held: Constraints, raw: dict[str, Any]) -> Iterator[str]:
    """What check takes as options; amounts that need no reckoning are said as they were written."""
    for one in held.reserved:
        yield from ("--reserve", f"{one.name}={size_word(one.size_bytes)}@{one.memory}")
    if held.headroom is not None:
        yield from ("--headroom", plain_number(Decimal(repr(held.headroom))))
    if held.sleep is not None and _is_short(held):
        sleep = raw["sleep"]
        supply = f"@{sleep['supply']}" if "supply" in sleep else ""
        yield from ("--sleep", f"{sleep.get('current') or sleep['power']}{supply}")


def _left(held: Constraints) -> Iterator[str]:
    """What only a scenario file of check says."""
    if held.steps:
        yield f"{_AROUND}: the [[constraints.step]] tables of the scenario as [[step]]"
    if held.sleep is not None and not _is_short(held):
        yield f"{_AROUND}: its [constraints.sleep] as [sleep]"


def _is_short(held: Constraints) -> bool:
    """Whether --sleep says all of it: a current, a current at a voltage, or a power."""
    said = set() if held.sleep is None else held.sleep.model_fields_set - {"source"}
    return said in ({"current_a"}, {"current_a", "supply_v"}, {"power_w"})


def _data(data: DataSpec | None, folder: str) -> tuple[str, ...]:
    if data is None:
        return ()
    scale = ("--input-scale", beside(folder, data.input_scale)) if data.input_scale else ()
    metric = ("--metric", data.metric) if data.metric else ()
    return ("--data", beside(folder, data.samples), "--calibrate", str(data.calibrate), *metric, *scale)


def _seed(seed: object) -> tuple[str, ...]:
    return ("--seed", str(seed)) if isinstance(seed, int) and seed else ()


def _files(words: tuple[str, ...], folder: str) -> tuple[str, ...]:
    return tuple(beside(folder, word) for word in words if word.endswith(".toml") or "/" in word)


def _file_of(wanted: _Mark, known: dict[str, _Mark], shipped: tuple[str, ...]) -> str:
    """The file that holds just this; else one with the name, which may have been changed since."""
    same = [path for path, mark in known.items() if mark == wanted]
    named = [path for path, (name, _) in known.items() if name == wanted[0] and name not in shipped]
    return next(iter((*same, *named)), wanted[0])


@lru_cache(maxsize=1000)
def _board_in(path: str) -> _Mark:
    """Name and hash of the board in this file; the file's name where it cannot be read."""
    try:
        board = None if path.startswith(_ELSEWHERE) else load_device(path)
    except PreflashError:
        board = None
    return (PurePath(path).stem, "") if board is None else (board.name, sha256_of(board.model_dump_json()))


@lru_cache(maxsize=1000)
def _runtime_in(path: str) -> _Mark:
    try:
        held = None if path.startswith(_ELSEWHERE) else load_runtime(path)
    except PreflashError:
        held = None
    return (PurePath(path).stem, "") if held is None else (held.label, sha256_of(held.model_dump_json()))


def _folder(command: str) -> str:
    """Of the scenario, in the words that started the sweep; "" is the folder where it was started."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    if words[:2] != ["preflash", "sweep"] or len(words) < 3:
        return ""
    folder = str(PurePath(words[2]).parent)
    return "" if folder == "." else folder


def _table(text: str) -> dict[str, Any]:
    if len(text) > _LONGEST_TEXT or any(x.count(".") > _MOST_DOTS_IN_A_LINE for x in text.split("\n")):
        return {}
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def _read(kind: type[_Block], raw: dict[str, Any], key: str) -> _Block | None:
    """This table of the scenario; None where it is not there or has faults."""
    try:
        return kind.model_validate(raw[key]) if key in raw else None
    except (ValueError, RecursionError):
        return None
