"""Which memory regions does a linker script define: the MEMORY command of GNU ld, evaluated.

region: NAME (attributes) : ORIGIN = expression, LENGTH = expression
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import FirmwareFileInvalid
from .expression import LENGTH, ORIGIN, Known, evaluate
from .files import faults_in, read_bounded
from .use import Region

_LARGEST_FILE_BYTES = 1 << 20
_MOST_REGIONS = 128
_MOST_ASSIGNMENTS = 512
_LONGEST_EXPRESSION = 500
_FIX = "give the linker script as the linker reads it (Zephyr: build/zephyr/linker.cmd)"
_MEMORY = re.compile(r"\bMEMORY \{([^{}]*)\}")
_DIRECTIVE = re.compile(
    r"^[ \t]*#[ \t]*(if|ifdef|ifndef|else|elif|endif|define|include|undef)\b", re.MULTILINE
)
_INCLUDE = re.compile(r"\bINCLUDE \"?([^\s\";]{1,200})\"?")
_WORD = re.compile(r"<<|>>|[\w.$]+|[^\s\w]")
_LAST_NAME = re.compile(r"([A-Za-z_$][\w.$]{0,200}) ?$")


@dataclass(frozen=True, slots=True)
class LinkerScript:
    """The regions in the script's order, and what was not followed."""

    file: str
    regions: tuple[Region, ...]
    notes: tuple[str, ...] = ()


def read_linker_script(path: str | os.PathLike[str]) -> LinkerScript:
    """The regions of this script.

    Raises:
        FirmwareFileInvalid: no script, none with a MEMORY command, or a region that says no number.
    """
    content = read_bounded(path, most_bytes=_LARGEST_FILE_BYTES, kind="a linker script")
    with faults_in(path):
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise FirmwareFileInvalid("it is not UTF-8 text", fix=_FIX) from error
        return parse_linker_script(text, file=Path(path).name)


def parse_linker_script(text: str, *, file: str) -> LinkerScript:
    """The same of a text.

    Raises:
        FirmwareFileInvalid: as `read_linker_script`.
    """
    uncommented = _without_comments(text)
    if _DIRECTIVE.search(uncommented):
        raise FirmwareFileInvalid("it still has to go through the C preprocessor", fix=_FIX)
    plain = " ".join(uncommented.replace("{", " {").split())
    bodies, included = _MEMORY.findall(plain), _INCLUDE.findall(plain)
    if not bodies:
        fix = f"give {included[0]}, which it includes" if included else _FIX
        raise FirmwareFileInvalid("it has no MEMORY command", fix=fix)
    regions = _regions(bodies, _assignments(_MEMORY.sub(";", plain)))
    if not regions:
        raise FirmwareFileInvalid("its MEMORY command defines no region", fix=_FIX)
    return LinkerScript(file, regions, tuple(f"INCLUDE {name} is not followed" for name in included[:8]))


def _without_comments(text: str) -> str:
    """The text without /* ... */; one that never ends takes the rest with it."""
    kept = []
    begin = 0
    while (start := text.find("/*", begin)) >= 0:
        kept.append(text[begin:start])
        end = text.find("*/", start + 2)
        begin = len(text) if end < 0 else end + 2
    return " ".join([*kept, text[begin:]])


def _assignments(plain: str) -> list[tuple[str, str]]:
    """(symbol, expression) of `name = expression;` and PROVIDE(name = expression); before SECTIONS."""
    found = []
    for statement in plain.split("SECTIONS {", 1)[0].split(";"):
        left, equals, right = statement.partition("=")
        name = _LAST_NAME.search(left[-256:])
        if equals and name and len(right) <= _LONGEST_EXPRESSION:
            is_open = right.count(")") > right.count("(")
            found.append((name[1], right.strip()[:-1] if is_open else right))
    return found[:_MOST_ASSIGNMENTS]


def _regions(bodies: list[str], assignments: list[tuple[str, str]]) -> tuple[Region, ...]:
    """Every region, each evaluated with the symbols and the regions above it."""
    found: dict[str, Region] = {}
    for body in bodies:
        for name, attributes, fields in _entries(_WORD.findall(_INCLUDE.sub("", body))):
            known = {region.name: (region.origin, region.length_bytes) for region in found.values()}
            names = Known(_symbols(assignments, known), known)
            origin = _number(_field(fields, name, ORIGIN), f"ORIGIN of {name}", names)
            length_bytes = _number(_field(fields, name, LENGTH), f"LENGTH of {name}", names)
            found[name] = Region(name, origin, length_bytes, attributes)
            if len(found) > _MOST_REGIONS:
                raise FirmwareFileInvalid(f"it defines more than {_MOST_REGIONS} regions", fix=_FIX)
    return tuple(found.values())


def _entries(words: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """(name, attributes, words behind the colon) of every region."""
    colons = [at for at, word in enumerate(words) if word == ":"]
    heads = [_head(words, at) for at in colons]
    left = words[: heads[0][0]] if heads else words
    if [word for word in left if word not in ",;"]:
        text = f"{' '.join(left)[:60]!r} in MEMORY is no region"
        raise FirmwareFileInvalid(text, where="MEMORY", fix=_FIX)
    if not heads:
        return
    ends = [*(begin for begin, _, _ in heads[1:]), len(words)]
    for (_, name, attributes), colon, end in zip(heads, colons, ends, strict=True):
        yield name, attributes, words[colon + 1 : end]


def _head(words: list[str], colon: int) -> tuple[int, str, str]:
    """(where it begins, name, attributes) of the region whose colon this is."""
    begin, attributes = colon - 1, ""
    if begin >= 0 and words[begin] == ")":
        close = begin
        while begin > 0 and words[begin] != "(":
            begin -= 1
        attributes = "".join(words[begin + 1 : close])[:16]
        begin -= 1
    if begin < 0 or not re.fullmatch(r"[A-Za-z_.$][\w.$]{0,63}", words[begin]):
        raise FirmwareFileInvalid("a region without a name", where="MEMORY", fix=_FIX)
    return begin, words[begin], attributes


def _field(words: list[str], region: str, spellings: tuple[str, ...]) -> str:
    """The expression behind ORIGIN = or LENGTH =, up to the comma that no parenthesis encloses."""
    for at, word in enumerate(words[:-1]):
        if word.lower() in spellings and words[at + 1] == "=":
            depth, taken = 0, []
            for part in words[at + 2 :]:
                depth += (part == "(") - (part == ")")
                if part in (",", ";", "=") and depth <= 0:
                    break
                taken.append(part)
            return " ".join(taken)
    text = f"region {region} has no {spellings[0].upper()}"
    raise FirmwareFileInvalid(text, where="MEMORY", fix=_FIX)


def _symbols(assignments: list[tuple[str, str]], regions: dict[str, tuple[int, int]]) -> dict[str, int]:
    """The symbols that are numbers so far; one that is not is missed only where a region needs it."""
    values: dict[str, int] = {}
    for name, expression in assignments:
        try:
            values[name] = evaluate(expression, Known(values, regions))
        except ValueError:
            values.pop(name, None)
    return values


def _number(expression: str, what: str, known: Known) -> int:
    try:
        value = evaluate(expression, known)
    except ValueError as error:
        text = f"{what} is {expression.strip()[:60]!r}: {error}"
        raise FirmwareFileInvalid(text, where="MEMORY", fix=_FIX) from error
    if value < 0:
        raise FirmwareFileInvalid(f"{what} is below zero", where="MEMORY", fix=_FIX)
    return value
