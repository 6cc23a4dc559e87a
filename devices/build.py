"""How is the firmware built, where its author says so: compiler flags, registrations, C library."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

from ..errors import BuildInvalid
from .target import Target

_SPELLING = "write it like flags=Os,registrations=int8,ndebug=no,libc=newlib,strings=strip,debug-log=default"
_LONGEST_TEXT = 400

# key on the command line -> the field it declares, and its words
_KEYS: dict[str, tuple[str, dict[str, str | bool]]] = {
    "flags": ("flags", {"Os": "Os", "O2": "O2", "O3": "O3", "mix": "Oscore+O2kernels"}),
    "registrations": ("registrations", {"all": "all", "int8": "int8"}),
    "ndebug": ("ndebug", {"yes": True, "no": False}),
    "libc": ("libc", {name: name for name in ("newlib-nano", "newlib-nano-float", "newlib")}),
    "strings": ("strip_error_strings", {"keep": False, "strip": True}),
    "debug-log": ("debug_log", {"callback": "callback", "default": "default"}),
}


@dataclass(frozen=True, slots=True)
class FirmwareBuild:
    """What is declared of a build; the fields mean what they mean in `CodeModel`, None is not declared."""

    flags: Literal["Os", "O2", "O3", "Oscore+O2kernels"] | None = None
    strip_error_strings: bool | None = None
    registrations: Literal["all", "int8"] | None = None
    ndebug: bool | None = None
    libc: Literal["newlib-nano", "newlib-nano-float", "newlib"] | None = None
    debug_log: Literal["callback", "default"] | None = None


def parse_build(text: str) -> FirmwareBuild:
    """The build that "flags=Os,registrations=int8" declares.

    Raises:
        BuildInvalid: a key or a word that nobody knows, or a key given twice.
    """
    if len(text) > _LONGEST_TEXT:
        raise BuildInvalid("the text is too long", where="--build", fix=_SPELLING)
    found: dict[str, str | bool] = {}
    for item in text.split(","):
        key, equals, word = (piece.strip() for piece in item.partition("="))
        if not equals or not key or not word:
            raise BuildInvalid(f"{item[:40]!r} declares nothing", where="--build", fix=_SPELLING)
        if key not in _KEYS:
            fix = f"known: {', '.join(_KEYS)}"
            raise BuildInvalid(f"{key[:40]!r} is nothing a build declares", where="--build", fix=fix)
        field, words = _KEYS[key]
        if word not in words:
            fix = f"one of {', '.join(words)}"
            raise BuildInvalid(f"{key}={word[:40]}: no such choice", where="--build", fix=fix)
        if field in found:
            raise BuildInvalid(f"{key} is given twice", where="--build", fix="give it once")
        found[field] = words[word]
    return FirmwareBuild(**found)  # type: ignore[arg-type]


def declared(target: Target, text: str | None) -> Target:
    """The target built as the text declares; None declares nothing.

    Raises:
        BuildInvalid: as `parse_build` and `with_build`.
    """
    return target if text is None else with_build(target, parse_build(text))


def with_build(target: Target, build: FirmwareBuild) -> Target:
    """The target whose runtime is built as declared; what is not declared stays as the runtime file says.

    Raises:
        BuildInvalid: the runtime's code size does not come from linked firmwares.
    """
    code = target.runtime.code
    declared = {field: value for field, value in asdict(build).items() if value is not None}
    if declared and not code.is_linked_table:
        text = f"the code size of {target.runtime.name} does not follow from how it is built"
        raise BuildInvalid(text, where="--build", fix="leave --build out, or use a TFLM runtime")
    spec = target.runtime.model_copy(update={"code": code.model_copy(update=declared)})
    return replace(target, runtime=spec)
