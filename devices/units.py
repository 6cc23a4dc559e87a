"""What does a quantity with a unit mean in plain SI numbers: the only parser of units.

KiB, MiB and GiB count in 1024, kB, MB and GB in 1000. A micro is "u", "µ" or "μ".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import UnitInvalid

_NUMBER = r"[0-9]{1,18}(?:\.[0-9]{1,18})?|\.[0-9]{1,18}"
_QUANTITY = re.compile(rf"\s*(?P<number>{_NUMBER})\s*(?P<unit>[^\s0-9.]\S{{0,15}})?\s*")

# A factor is (multiplier, power of ten), so that products stay exact integers until the last division.
_Factor = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Quantity:
    """One kind of quantity: its name, its units, an example of what is right, frequent mistakes."""

    name: str
    example: str
    units: dict[str, _Factor]
    plain_integers: bool = False
    mistakes: tuple[tuple[str, str], ...] = ()


def _prefixed(unit: str, prefixes: str) -> dict[str, _Factor]:
    """The unit with each prefix of "numk MGT"; "" is spelled "-"."""
    powers = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "-": 0, "k": 3, "M": 6, "G": 9, "T": 12}
    return {f"{p.strip('-')}{unit}": (1, powers[p]) for p in prefixes}


def _per(numerators: dict[str, _Factor], denominators: dict[str, _Factor]) -> dict[str, _Factor]:
    """Every "a/b"; denominators are powers of ten."""
    return {f"{a}/{b}": (m, e - d) for a, (m, e) in numerators.items() for b, (_, d) in denominators.items()}


_BYTES: dict[str, _Factor] = {
    "B": (1, 0), "kB": (1, 3), "MB": (1, 6), "GB": (1, 9),
    "KiB": (1024, 0), "MiB": (1024**2, 0), "GiB": (1024**3, 0),
}  # fmt: skip
_HZ = _prefixed("Hz", "-kMG")
_W = _prefixed("W", "num-")
_SECOND: dict[str, _Factor] = {"s": (1, 0)}
_MAC: dict[str, _Factor] = {"MAC": (1, 0)}
_BYTE_MISTAKES = (
    ("KB", "KB is ambiguous: write KiB (1024) or kB (1000)"),
    ("kiB", "write KiB"), ("K", "write KiB (1024) or kB (1000)"), ("k", "write KiB (1024) or kB (1000)"),
    ("M", "write MiB (1024 KiB) or MB (1000 kB)"), ("kb", "kb would be bits: write KiB or kB"),
    ("Kb", "Kb would be bits: write KiB or kB"), ("Mb", "Mb would be bits: write MiB or MB"),
)  # fmt: skip

_SIZE = _Quantity("a size in bytes", "512 KiB", _BYTES, plain_integers=True, mistakes=_BYTE_MISTAKES)
_FREQUENCY = _Quantity("a frequency", "480 MHz", _HZ, mistakes=(("mHz", "mHz is millihertz: write MHz"),))
_BANDWIDTH = _Quantity("a bandwidth", "60 MB/s", _per(_BYTES, _SECOND))
_POWER = _Quantity("a power", "35 mW", _W, mistakes=(("MW", "MW is megawatt: write mW"),))
_POWER_PER_CLOCK = _Quantity("a power per clock", "100 uW/MHz", _per(_W, _HZ))
_VOLTAGE = _Quantity("a voltage", "3.3 V", _prefixed("V", "m-"))
_MAC_RATE = _Quantity("a MAC rate", "256 GMAC/s", _per(_prefixed("MAC", "-kMGT"), _SECOND))
_MAC_ENERGY = _Quantity("an energy per MAC", "0.6 nJ/MAC", _per(_prefixed("J", "fpnum-"), _MAC))
_TIME = _Quantity(
    "a time", "50 ms", {**_prefixed("s", "num-"), "min": (60, 0), "h": (3600, 0), "d": (86400, 0)}
)
_CURRENT = _Quantity("a current", "3 uA", _prefixed("A", "num-"), mistakes=(("MA", "write mA"),))
# 1 mAh is 3.6 C, 1 mWh is 3.6 J
_CHARGE = _Quantity(
    "a charge", "220 mAh", {"uAh": (3600, -6), "mAh": (3600, -3), "Ah": (3600, 0), "C": (1, 0)}
)
_ENERGY = _Quantity("an energy", "1.2 mJ", {**_prefixed("J", "num-k"), "mWh": (3600, -3), "Wh": (3600, 0)})
_CYCLES = _Quantity(
    "a number of cycles", "250000", {"cycles": (1, 0), "kcycles": (1, 3), "Mcycles": (1, 6)},
    plain_integers=True,
)  # fmt: skip
_PART = re.compile(r"\s*([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*(%?)\s*")


def parse_bytes(given: object) -> int:
    """Bytes of a size; a whole number without a unit is bytes.

    >>> parse_bytes("512 KiB"), parse_bytes("64kB"), parse_bytes("1.5 MiB"), parse_bytes(640)
    (524288, 64000, 1572864, 640)
    """
    value = _parse(given, _SIZE)
    if value != int(value):
        raise _refusal(given, _SIZE, "it is not a whole number of bytes")
    return int(value)


def parse_hz(given: object) -> float:
    """Hertz of a clock.

    >>> parse_hz("32.768 kHz")
    32768.0
    """
    return float(_parse(given, _FREQUENCY))


def parse_bytes_per_s(given: object) -> float:
    """Bytes per second of a bandwidth.

    >>> parse_bytes_per_s("60 MB/s")
    60000000.0
    """
    return float(_parse(given, _BANDWIDTH))


def parse_w(given: object) -> float:
    """Watts of a power.

    >>> parse_w("35 mW")
    0.035
    """
    return float(_parse(given, _POWER))


def parse_w_per_hz(given: object) -> float:
    """Watts per hertz of a power that grows with the clock.

    >>> parse_w_per_hz("100 µW/MHz")
    1e-10
    """
    return float(_parse(given, _POWER_PER_CLOCK))


def parse_v(given: object) -> float:
    """Volts of a supply.

    >>> parse_v("1.8 V"), parse_v("900mV")
    (1.8, 0.9)
    """
    return float(_parse(given, _VOLTAGE))


def parse_macs_per_s(given: object) -> float:
    """MACs per second of an accelerator.

    >>> parse_macs_per_s("256 GMAC/s")
    256000000000.0
    """
    return float(_parse(given, _MAC_RATE))


def parse_j_per_mac(given: object) -> float:
    """Joules per MAC.

    >>> parse_j_per_mac("0.6 nJ/MAC")
    6e-10
    """
    return float(_parse(given, _MAC_ENERGY))


def parse_s(given: object) -> float:
    """Seconds of a time.

    >>> parse_s("50ms")
    0.05
    """
    return float(_parse(given, _TIME))


def parse_a(given: object) -> float:
    """Amperes of a current.

    >>> parse_a("3 uA")
    3e-06
    """
    return float(_parse(given, _CURRENT))


def parse_c(given: object) -> float:
    """Coulombs of a charge.

    >>> parse_c("220 mAh")
    792.0
    """
    return float(_parse(given, _CHARGE))


def parse_j(given: object) -> float:
    """Joules of an energy.

    >>> parse_j("1.2 mJ"), parse_j("0.66 Wh")
    (0.0012, 2376.0)
    """
    return float(_parse(given, _ENERGY))


def parse_cycles(given: object) -> float:
    """Clock cycles; a whole number without a unit is cycles.

    >>> parse_cycles("250 kcycles"), parse_cycles(1200)
    (250000.0, 1200.0)
    """
    return float(_parse(given, _CYCLES))


def parse_fraction(given: object) -> float:
    """A part of a whole, from 0 to 1.

    >>> parse_fraction("85%"), parse_fraction("0.5"), parse_fraction(0.9)
    (0.85, 0.5, 0.9)
    """
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    match = _PART.fullmatch(str(given)) if is_number or isinstance(given, str) else None
    fraction = -1.0 if match is None else float(match[1]) / (100 if match[2] else 1)
    if not 0 <= fraction <= 1:
        raise UnitInvalid(f"{str(given)[:40]!r} is no part of a whole", fix='write it like "85%" or "0.85"')
    return fraction


def _parse(given: object, quantity: _Quantity) -> int | float:
    """number * multiplier * 10^power, exact where the result is whole."""
    if isinstance(given, int) and not isinstance(given, bool) and quantity.plain_integers:
        if given < 0:
            raise _refusal(given, quantity, "it is negative")
        if given >= 10**18:
            raise _refusal(given, quantity, "it is too large")
        return given
    if isinstance(given, int | float) and not isinstance(given, bool):
        raise _refusal(given, quantity, "it has no unit")
    if not isinstance(given, str):
        raise _refusal(given, quantity, "it is not text")
    match = _QUANTITY.fullmatch(given) if len(given) <= 64 else None
    if match is None:
        raise _refusal(given, quantity, "it is negative" if given.lstrip().startswith("-") else "")
    multiplier, power = _factor(given, match["unit"], quantity)
    whole, _, decimals = match["number"].partition(".")
    mantissa = int(whole + decimals or "0") * multiplier
    power -= len(decimals)
    if power >= 0:
        return mantissa * int(10**power)
    divisor = int(10**-power)
    return mantissa // divisor if mantissa % divisor == 0 else mantissa / divisor


def _factor(given: str, unit: str | None, quantity: _Quantity) -> _Factor:
    if unit is None:
        if quantity.plain_integers:
            return (1, 0)
        raise _refusal(given, quantity, "it has no unit")
    spelled = unit.replace("µ", "u").replace("μ", "u")
    factor = quantity.units.get(spelled)
    if factor is None:
        advice = dict(quantity.mistakes).get(spelled, "")
        raise _refusal(given, quantity, f"{unit!r} is none of its units", advice)
    return factor


def _refusal(given: object, quantity: _Quantity, why: str, advice: str = "") -> UnitInvalid:
    shown = repr(given)
    shown = shown if len(shown) <= 48 else f"{shown[:45]}..."
    reason = f": {why}" if why else ""
    fix = advice or f'write it like "{quantity.example}"; units are {", ".join(_units_shown(quantity))}'
    return UnitInvalid(f"{shown} is not {quantity.name}{reason}", fix=fix)


def _units_shown(quantity: _Quantity) -> list[str]:
    """At most nine units, so that a refusal stays one readable line."""
    units = list(quantity.units)
    return units if len(units) <= 9 else [*units[:8], "..."]
