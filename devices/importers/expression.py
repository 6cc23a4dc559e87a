"""What number is an expression of a linker script: GNU ld's integers, operators and region functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"\s*(0[xX][0-9a-fA-F]+[KkMm]?|[0-9]+[KkMm]?|[A-Za-z_.$][\w.$]*|<<|>>|[-+*/%&|()~,])")
_SUFFIX = {"k": 1 << 10, "m": 1 << 20}
_MOST_BITS = 64
_DEEPEST = 32
_MOST_TOKENS = 256
_PRECEDENCE = {"|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5}
_Operation = Callable[[int, int], int]
_OPERATIONS: dict[str, _Operation] = {
    "|": lambda a, b: a | b, "&": lambda a, b: a & b, "<<": lambda a, b: a << min(b, _MOST_BITS),
    ">>": lambda a, b: a >> min(b, _MOST_BITS), "+": lambda a, b: a + b, "-": lambda a, b: a - b,
    "*": lambda a, b: a * b, "/": lambda a, b: a // b, "%": lambda a, b: a % b,
}  # fmt: skip
ORIGIN, LENGTH = ("origin", "org", "o"), ("length", "len", "l")


@dataclass(frozen=True, slots=True)
class Known:
    """What an expression may name: symbols, and (origin, length) of regions."""

    symbols: Mapping[str, int]
    regions: Mapping[str, tuple[int, int]]


def evaluate(text: str, known: Known) -> int:
    """The value, of at most 64 bits.

    >>> evaluate("1M - 16K", Known({}, {})), evaluate("ORIGIN(RAM) + 0x10", Known({}, {"RAM": (32, 8)}))
    (1032192, 48)

    Raises:
        ValueError: it says something else than a number; the text says what.
    """
    parser = _Parser(_tokens(text), known)
    value = parser.expression(0, 0)
    if parser.next:
        raise ValueError(f"{parser.next!r} is not expected there")
    return value


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    at, text = 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(found) >= _MOST_TOKENS:
            raise ValueError(f"{text[at : at + 20]!r} is no arithmetic of a linker script")
        found.append(match[1])
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str], known: Known) -> None:
        self._tokens, self._at, self._known = tokens, 0, known

    @property
    def next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self.next
        self._at += 1
        return token

    def expression(self, binding: int, depth: int) -> int:
        """Operators that bind tighter than `binding`, from left to right."""
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        value = self._operand(depth)
        while _PRECEDENCE.get(self.next, 0) > binding:
            operator = self._take()
            right = self.expression(_PRECEDENCE[operator], depth + 1)
            if operator in "/%" and right == 0:
                raise ValueError("it divides by zero")
            value = _bounded(
                _OPERATIONS[operator](value, max(right, 0) if operator in ("<<", ">>") else right)
            )
        return value

    def _operand(self, depth: int) -> int:
        token = self._take()
        if token == "(":
            value = self.expression(0, depth + 1)
            self._expect(")")
            return value
        if token in ("-", "~", "+"):
            value = self._operand(depth + 1) if depth <= _DEEPEST else 0
            return {"-": -value, "~": ~value, "+": value}[token]
        if token[:1].isdigit():
            return _number(token)
        if self.next == "(":
            return self._region(token)
        if token in self._known.symbols:
            return self._known.symbols[token]
        raise ValueError(f"{token[:40]!r} is not defined" if token else "it ends too early")

    def _region(self, function: str) -> int:
        self._expect("(")
        name = self._take()
        self._expect(")")
        kind = function.lower()
        if kind not in (*ORIGIN, *LENGTH):
            raise ValueError(f"the function {function[:40]!r} is not known")
        if name not in self._known.regions:
            raise ValueError(f"the region {name[:40]!r} is not defined above")
        return self._known.regions[name][kind in LENGTH]

    def _expect(self, token: str) -> None:
        if self._take() != token:
            raise ValueError(f"{token!r} is missing")


def _number(token: str) -> int:
    """GNU ld: 0x10 is hexadecimal, 010 octal, K and M are 1024 and 1024 × 1024."""
    factor = _SUFFIX.get(token[-1].lower(), 1)
    digits = token if factor == 1 else token[:-1]
    if len(digits) > 24:
        raise ValueError(f"{digits[:24]}... is too large")
    base = 16 if digits[:2].lower() == "0x" else 8 if digits[0] == "0" and len(digits) > 1 else 10
    return _bounded(int(digits, base) * factor)


def _bounded(value: int) -> int:
    if abs(value) >= 1 << _MOST_BITS:
        raise ValueError("it is larger than 64 bits")
    return value
