"""How is any text written into C++ so that it stays what it is: identifiers, strings, comments, arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_LONGEST_NAME = 48
_LONGEST_COMMENT = 96
_BYTES_PER_LINE = 16


def identifier(text: str, otherwise: str) -> str:
    """Lower-case letters, digits and single underscores, a letter first; `otherwise` if nothing is left.

    >>> identifier("My model (v2).tflite", "model"), identifier("2nd", "model"), identifier("***", "model")
    ('my_model_v2_tflite', 'model_2nd', 'model')
    """
    kept = re.sub(r"[^A-Za-z0-9]+", "_", text)[:_LONGEST_NAME].strip("_").lower()
    if not kept:
        return otherwise
    return kept if kept[0].isalpha() else f"{otherwise}_{kept}"


def distinct(names: Iterable[str]) -> Iterator[str]:
    """The names in order; one that was there before gets a number.

    >>> list(distinct(["op", "op", "op_2"]))
    ['op', 'op_2', 'op_2_2']
    """
    seen: set[str] = set()
    for name in names:
        candidate, number = name, 2
        while candidate in seen:
            candidate, number = f"{name}_{number}", number + 1
        seen.add(candidate)
        yield candidate


def string_literal(text: str) -> str:
    """A string literal of the UTF-8 bytes; all but letters, digits and a few marks as octal escapes.

    Three octal digits end an escape, so that no later digit can join it, and "?" can start no trigraph.

    >>> print(string_literal('a"b\\n??/'))
    "a\\042b\\012\\077\\077/"
    """
    plain = re.compile(rb"[A-Za-z0-9 _./:+-]")
    raw = text.encode("utf-8", "surrogatepass")
    return '"' + "".join(chr(b) if plain.match(bytes([b])) else f"\\{b:03o}" for b in raw) + '"'


def comment(text: str) -> str:
    """A line comment that holds nothing a compiler could act on: no line end, backslash or trigraph.

    >>> comment("kws\\nint x; \\\\")
    '// kws_int x; _'
    """
    return f"// {re.sub(r'[^A-Za-z0-9 .,:;()+@%=_/<>-]', '_', text)[:_LONGEST_COMMENT].rstrip()}"


def byte_rows(data: bytes) -> Iterator[str]:
    """The lines between the braces of an array of unsigned char."""
    for start in range(0, len(data), _BYTES_PER_LINE):
        yield "    0x" + data[start : start + _BYTES_PER_LINE].hex("|").replace("|", ", 0x") + ","
