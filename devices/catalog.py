"""Which devices and runtimes there are, by name or by the user's own file; makes the target of the two."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ..errors import (
    DeviceFileInvalid,
    DeviceUnknown,
    RuntimeFileInvalid,
    RuntimeUnknown,
    ScenarioFileInvalid,
    TargetInvalid,
)
from .agreement import disagreements_in
from .calibration import load_calibration, shipped_calibration
from .faults import closest, plain_faults, shortened
from .limits import checked_clock_hz, checked_threads
from .runtime import RuntimeSpec
from .spec import Block, DeviceSpec
from .supply import checked_supply, parse_supply
from .target import Target

__all__ = [
    "Target",
    "device_aliases",
    "device_names",
    "load_device",
    "load_runtime",
    "load_target",
    "misfit",
    "runtime_names",
]

_BOARDS = Path(__file__).parent / "boards"
_RUNTIMES = Path(__file__).parent / "runtimes"
_NAME = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}")
_LARGEST_FILE_BYTES = 1 << 20
_MOST_DOTS_IN_A_LINE = 64  # tomllib needs memory by the square of a dotted key's parts
_FileInvalid = type[DeviceFileInvalid] | type[RuntimeFileInvalid] | type[ScenarioFileInvalid]
_Spec = TypeVar("_Spec", bound=Block)


def device_names() -> tuple[str, ...]:
    """The names of all shipped boards, sorted; aliases are in `device_aliases`."""
    return _names_in(_BOARDS)


def runtime_names() -> tuple[str, ...]:
    """The names of all shipped runtimes, sorted."""
    return _names_in(_RUNTIMES)


@lru_cache(maxsize=1)
def device_aliases() -> dict[str, str]:
    """alias -> board name. A shipped board has its `aliases = [...]` on one line, so only that is parsed."""
    found: dict[str, str] = {}
    for name in device_names():
        text = (_BOARDS / f"{name}.toml").read_text(encoding="utf-8")
        line = next((line for line in text.splitlines() if line.startswith("aliases")), "aliases = []")
        found.update((alias, name) for alias in tomllib.loads(line)["aliases"])
    return found


def load_device(name_or_path: str | os.PathLike[str]) -> DeviceSpec:
    """The device of this name or alias, or the one that the user's own TOML describes.

    Raises:
        DeviceUnknown: no shipped board has this name.
        DeviceFileInvalid: the file cannot be read or has faults; all of them are in `.faults`.
    """
    name = _as_name(name_or_path)
    if name in device_names():
        return _shipped_device(name)
    path = _as_path(name_or_path)
    if path is not None:
        return _validated(DeviceSpec, read_toml(path, DeviceFileInvalid), str(path))
    if name in device_aliases():
        return _shipped_device(device_aliases()[name])
    fix = _advice(name, (*device_names(), *device_aliases()), "preflash device list shows all")
    raise DeviceUnknown(f"no device is called {str(name_or_path)[:80]!r}", fix=fix)


def load_runtime(name_or_path: str | os.PathLike[str]) -> RuntimeSpec:
    """The runtime of this name, or the one that the user's own TOML describes.

    "x-cube-ai@8.1" is one release of it; without a number it is the one the file names as its version.

    Raises:
        RuntimeUnknown: no shipped runtime has this name, or it has no such release.
        RuntimeFileInvalid: the file cannot be read or has faults; all of them are in `.faults`.
    """
    if isinstance(name_or_path, str) and "@" in name_or_path and not name_or_path.endswith(".toml"):
        name, _, number = name_or_path.rpartition("@")
        return _at_release(load_runtime(name), number.strip())
    name = _as_name(name_or_path)
    if name in runtime_names():
        return _shipped_runtime(name)
    path = _as_path(name_or_path)
    if path is not None:
        return _runtime_from(path)
    fix = _advice(name, runtime_names(), "preflash runtime list shows all")
    raise RuntimeUnknown(f"no runtime is called {str(name_or_path)[:80]!r}", fix=fix)


def _at_release(runtime: RuntimeSpec, number: str) -> RuntimeSpec:
    """The runtime at this release."""
    for release in runtime.releases:
        if number in release.numbers:
            return runtime.model_copy(update={"version": release.version})
    known = ", ".join(f"{runtime.name}@{release.version}" for release in runtime.releases)
    fix = f"known: {known}" if known else f"{runtime.name} has one version; leave @{number[:32]} out"
    raise RuntimeUnknown(f"{runtime.name} has no release {number[:32]!r}", fix=fix)


def load_target(
    board: str | os.PathLike[str],
    runtime: str | os.PathLike[str] | None = None,
    clock: str | float | None = None,
    *,
    supply: str | None = None,
    calibration: str | os.PathLike[str] | None = None,
    threads: int = 1,
) -> Target:
    """The target that this board makes with this runtime at this clock.

    Args:
        board: a catalogue name or alias, or the path of the user's own TOML.
        runtime: likewise; None is the device's default runtime.
        clock: "64 MHz", or hertz as a number; None is the core's highest clock.
        supply: "3.3V" or "1.8V smps", for the energy; None is that of the board's first power figure.
        calibration: a file that `preflash calibrate` wrote, over what ships.
        threads: how many cores share the work.

    Raises:
        CalibrationInvalid: that file has faults.
        TargetInvalid: the runtime does not run on that core, the core has no such clock, or no power figure
            of the board is near that supply.
    """
    device = load_device(board)
    spec = load_runtime(device.default_runtime if runtime is None else runtime)
    reason = misfit(device, spec)
    if reason:
        fitting = [name for name in runtime_names() if not misfit(device, load_runtime(name))]
        fix = f"runtimes for {device.name}: {', '.join(fitting) or 'none of the shipped ones'}"
        raise TargetInvalid(f"{spec.name} does not run on {device.name}: {reason}", fix=fix)
    clock_hz = checked_clock_hz(device, clock)
    fed = None if supply is None else checked_supply(device.power, parse_supply(supply), device.name)
    own = None if calibration is None else shipped_calibration().overlaid(load_calibration(calibration))
    return Target(device, spec, clock_hz, runtime is None, own_calibration=own, supply=fed,
                  threads=checked_threads(device, spec, threads))  # fmt: skip


def misfit(device: DeviceSpec, runtime: RuntimeSpec) -> str:
    """Why this runtime does not run on this device; "" if it does."""
    core = device.core
    if core.name not in runtime.cores:
        return f"its core is {core.name}, the runtime is for {', '.join(runtime.cores)}"
    part = device.part.lower()
    if part and runtime.parts and not part.startswith(runtime.parts):
        return f"its part is {device.part}, the runtime is for {', '.join(runtime.parts)}"
    lacking = [feature for feature in runtime.requires_isa if feature not in core.isa]
    if lacking:
        return f"its core lacks {', '.join(lacking)}"
    if runtime.requires_npu and (device.npu is None or device.npu.name != runtime.requires_npu):
        return f"it has no {runtime.requires_npu}"
    return ""


def read_toml(path: Path, invalid: _FileInvalid) -> dict[str, Any]:
    """The tables of a TOML file that may hold anything: bounded in size, never executed.

    Raises:
        DeviceFileInvalid | RuntimeFileInvalid | ScenarioFileInvalid: the file is missing, no file, too
            large, not text or not TOML.
    """
    try:
        if path.is_dir():
            raise _unreadable(invalid, path, "it is a directory", "give the .toml file itself")
        if path.exists() and not path.is_file():
            raise _unreadable(invalid, path, "it is no regular file", "give a .toml file")
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unreadable(invalid, path, f"cannot be read: {reason}", "check the path") from error
    if len(content) > _LARGEST_FILE_BYTES:
        raise _unreadable(invalid, path, "it is larger than 1 MiB", "such a file is a few KiB")
    return _parsed(content, path, invalid)


def _parsed(content: bytes, path: Path, invalid: _FileInvalid) -> dict[str, Any]:
    try:
        text = content.decode("utf-8")
        for number, line in enumerate(text.split("\n"), 1):
            if line.count(".") > _MOST_DOTS_IN_A_LINE:
                fault = f"TOML syntax: more than {_MOST_DOTS_IN_A_LINE} dots in line {number}"
                raise _unreadable(invalid, path, fault, "correct the line")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        reason = f"not UTF-8 text: byte {error.start} is 0x{content[error.start]:02x}"
        raise _unreadable(invalid, path, reason, "give a TOML text file") from error
    except RecursionError as error:
        raise _unreadable(invalid, path, "nested too deeply", "such a file is two levels deep") from error
    except ValueError as error:
        raise _unreadable(invalid, path, f"TOML syntax: {error}", "correct the line") from error


def _unreadable(
    invalid: _FileInvalid, path: Path, fault: str, fix: str
) -> DeviceFileInvalid | RuntimeFileInvalid | ScenarioFileInvalid:
    return invalid("the file cannot be used", faults=(fault,), where=str(path)[:200], fix=fix)


def _validated(model: type[_Spec], raw: dict[str, Any], where: str) -> _Spec:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        faults = plain_faults(error, model)
    invalid: _FileInvalid = DeviceFileInvalid if model is DeviceSpec else RuntimeFileInvalid
    if model is DeviceSpec:
        faults = list(dict.fromkeys([*faults, *disagreements_in(raw)]))
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    kind = "device" if model is DeviceSpec else "runtime"
    raise invalid(f"{kind} file with {count}", faults=shortened(faults), where=where)


@lru_cache(maxsize=256)
def _shipped_device(name: str) -> DeviceSpec:
    path = _BOARDS / f"{name}.toml"
    return _validated(DeviceSpec, read_toml(path, DeviceFileInvalid), str(path))


@lru_cache(maxsize=64)
def _shipped_runtime(name: str) -> RuntimeSpec:
    return _runtime_from(_RUNTIMES / f"{name}.toml")


def _runtime_from(path: Path) -> RuntimeSpec:
    """The runtime of this file; its own ops stand before those of the runtime named by `ops_like`."""
    raw = read_toml(path, RuntimeFileInvalid)
    like, own = raw.get("ops_like"), raw.get("op", [])
    if isinstance(like, str) and like and isinstance(own, list):
        if like not in runtime_names() or like == path.stem:
            fix = _advice(like, runtime_names(), "preflash runtime list shows all")
            fault = f"ops_like: {like[:64]!r} is no other shipped runtime"
            raise RuntimeFileInvalid("runtime file with 1 fault", faults=(fault,), where=str(path), fix=fix)
        own_names = [entry.get("op") for entry in own if isinstance(entry, dict)]
        inherited = read_toml(_RUNTIMES / f"{like}.toml", RuntimeFileInvalid)["op"]
        raw["op"] = [*own, *(entry for entry in inherited if entry["op"] not in own_names)]
    return _validated(RuntimeSpec, raw, str(path))


def _names_in(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name.removesuffix(".toml") for path in folder.glob("*.toml")))


def _as_name(given: str | os.PathLike[str]) -> str:
    """The spelling names have: "NUCLEO_L4R5ZI" -> "nucleo-l4r5zi"; "" if it cannot be a name."""
    name = os.fspath(given).strip().lower().replace("_", "-").replace(" ", "-")
    return name if _NAME.fullmatch(name) else ""


def _as_path(given: str | os.PathLike[str]) -> Path | None:
    """The file that is meant, or None if it reads like a name."""
    text = os.fspath(given)
    looks_like_one = text.endswith(".toml") or "/" in text or os.sep in text or isinstance(given, os.PathLike)
    try:
        return Path(text) if looks_like_one or Path(text).exists() else None
    except (OSError, ValueError):
        return None


def _advice(name: str, known: Sequence[str] | Iterable[str], otherwise: str) -> str:
    guess = closest(name, known)
    return f"did you mean {guess!r}? {otherwise}" if guess else otherwise
