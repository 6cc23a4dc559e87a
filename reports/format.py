"""How is a number shown: the only place that prints a unit or rounds."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable

UNKNOWN = "unknown"
_Scales = tuple[tuple[float, str], ...]

# Largest first. Memory counts in 1024, everything else in 1000.
_SECONDS: _Scales = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
_WATTS: _Scales = ((1.0, "W"), (1e-3, "mW"), (1e-6, "uW"), (1e-9, "nW"))
_AMPERES: _Scales = ((1.0, "A"), (1e-3, "mA"), (1e-6, "uA"), (1e-9, "nA"))
_JOULES: _Scales = ((1.0, "J"), (1e-3, "mJ"), (1e-6, "uJ"), (1e-9, "nJ"))
_MACS: _Scales = ((1e9, "GMAC"), (1e6, "MMAC"), (1e3, "kMAC"), (1.0, "MAC"))
_MACS_PER_S: _Scales = ((1e9, "GMAC/s"), (1e6, "MMAC/s"), (1e3, "kMAC/s"), (1.0, "MAC/s"))
_RATE: _Scales = ((1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"), (1.0, "B/s"))
_HERTZ: _Scales = ((1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz"))
_MOST_DAYS = 1e6
_KIB, _MIB = 1024, 1024 * 1024


def memory(size_bytes: float | None) -> str:
    """A size in KiB; below 1 KiB in bytes, from 10 MiB on in MiB.

    >>> memory(24269), memory(512), memory(2 * 1024 * 1024), memory(None)
    ('23.7 KiB', '512 B', '2,048 KiB', 'unknown')
    """
    if size_bytes is None or not math.isfinite(size_bytes):
        return UNKNOWN
    if abs(size_bytes) < _KIB:
        return f"{size_bytes:,.0f} B"
    if abs(size_bytes) >= 10 * _MIB:
        return f"{size_bytes / _MIB:,.1f} MiB"
    kib = size_bytes / _KIB
    return f"{kib:,.0f} KiB" if abs(kib) >= 1000 else f"{kib:.1f} KiB"


def seconds(time_s: float | None) -> str:
    """A time in s, ms, us or ns.

    >>> seconds(0.0841), seconds(2.5e-5), seconds(0)
    ('84.1 ms', '25.0 us', '0 s')
    """
    return _scaled(time_s, _SECONDS)


def joules(energy_j: float | None) -> str:
    return _scaled(energy_j, _JOULES)


def macs(work_macs: float | None) -> str:
    """Work in MAC, kMAC, MMAC or GMAC.

    >>> macs(2656768), macs(53)
    ('2.66 MMAC', '53 MAC')
    """
    if work_macs is not None and abs(work_macs) < 1000:
        return f"{work_macs:,.0f} MAC"
    return _scaled(work_macs, _MACS)


def macs_per_s(work_macs_per_s: float | None) -> str:
    """Work per time in GMAC/s, MMAC/s, kMAC/s or MAC/s.

    >>> macs_per_s(26e6), macs_per_s(1e6)
    ('26.0 MMAC/s', '1.00 MMAC/s')
    """
    return _scaled(work_macs_per_s, _MACS_PER_S)


def ratio(value: float | None, unit: str) -> str:
    """A quotient with three digits, as "0.93 MAC/cycle".

    >>> ratio(0.9342, "MAC/cycle"), ratio(12.34, "B/MAC"), ratio(None, "B/MAC"), ratio(1e-5, "MAC/B")
    ('0.934 MAC/cycle', '12.3 B/MAC', 'unknown', '1e-05 MAC/B')
    """
    return UNKNOWN if value is None else f"{value:.3g} {unit}".rstrip()


def rate(bytes_per_s: float | None) -> str:
    return _scaled(bytes_per_s, _RATE)


def hertz(clock_hz: float | None) -> str:
    """A clock as it is written on a datasheet.

    >>> hertz(120e6), hertz(32768)
    ('120 MHz', '32.768 kHz')
    """
    if clock_hz is None:
        return UNKNOWN
    factor, unit = _scale_of(clock_hz, _HERTZ)
    return f"{clock_hz / factor:g} {unit}"


def exact_bytes(size_bytes: float | None) -> str:
    return UNKNOWN if size_bytes is None else f"{size_bytes:,.0f} B"


def count(number: float | None) -> str:
    """A whole number with thousands marked.

    >>> count(12345)
    '12,345'
    """
    return UNKNOWN if number is None else f"{number:,.0f}"


def percent(fraction: float | None) -> str:
    """A fraction as a percentage.

    >>> percent(0.1234), percent(0.00004)
    ('12.3 %', '<0.1 %')
    """
    if fraction is None or not math.isfinite(fraction):
        return UNKNOWN
    if 0 < fraction < 0.0005:
        return "<0.1 %"
    return f"{fraction * 100:.1f} %" if abs(fraction) < 10 else f"{fraction * 100:,.0f} %"


def _scaled(value: float | None, scales: _Scales) -> str:
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return f"0 {next(unit for factor, unit in scales if factor == 1.0)}"
    factor, unit = _scale_of(value, scales)
    return f"{_three(value / factor)} {unit}"


def _scale_of(value: float, scales: _Scales) -> tuple[float, str]:
    """The largest unit in which the rounded value is at least one."""
    return next((s for s in scales if abs(value) * 1.0005 >= s[0]), scales[-1])


def _three(value: float) -> str:
    """Three significant digits; counts below a thousand that are whole stay whole."""
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 9.995 else f"{value:.2f}"


def days(time_days: float | None) -> str:
    """Days of a battery; below two in hours.

    >>> days(523.4), days(0.5), days(12.34)
    ('523 days', '12.0 h', '12.3 days')
    """
    if time_days is None or not math.isfinite(time_days):
        return UNKNOWN
    if abs(time_days) >= _MOST_DAYS:
        return f"{time_days:.3g} days"
    return f"{_three(time_days)} days" if abs(time_days) >= 2 else f"{_three(time_days * 24)} h"


def watts(power_w: float | None) -> str:
    return _scaled(power_w, _WATTS)


def amperes(current_a: float | None) -> str:
    return _scaled(current_a, _AMPERES)


_OF_UNIT: dict[str, Callable[[float | None], str]] = {
    "B": memory, "s": seconds, "J": joules, "MAC": macs, "MACs": macs, "B/s": rate,
    "bytes/s": rate, "Hz": hertz, "cycles": count, "ops": count, "": count, "W": watts,
    "A": amperes, "d": days, "1": percent,
}  # fmt: skip


def amount(value: float | None, unit: str) -> str:
    """A figure in the unit that its size asks for.

    >>> amount(0.05, "s"), amount(2048, "B"), amount(3.0, "lux")
    ('50.0 ms', '2.0 KiB', '3 lux')
    """
    if value is None:
        return UNKNOWN
    shown = _OF_UNIT.get(unit)
    return shown(value) if shown else f"{value:.4g} {unit}"


def need_of(need: float | None, budget: float, unit: str) -> tuple[str, str]:
    """Need and budget as text; exact bytes where rounding would hide which is larger.

    >>> need_of(24269, 26624, "B"), need_of(131073, 131072, "B"), need_of(0.29977, 0.3, "s")
    (('23.7 KiB', '26.0 KiB'), ('131,073 B', '131,072 B'), ('299.8 ms', '300 ms'))
    """
    shown, limit = amount(need, unit), amount(budget, unit)
    if shown == limit and need != budget:
        if unit == "B":
            return exact_bytes(need), exact_bytes(budget)
        return _told_apart(need or 0.0, budget, limit)
    return shown, limit


def _told_apart(need: float, budget: float, limit: str) -> tuple[str, str]:
    """Both with as many digits as it takes to see which is larger, in the unit of the budget's text."""
    number, _, word = limit.partition(" ")
    shown_as = float(number.replace(",", ""))
    scale = 10.0 ** round(math.log10(budget / shown_as)) if budget > 0 < shown_as else 1.0
    pairs = [
        tuple(f"{value / scale:.{digits}g} {word}".strip() for value in (need, budget))
        for digits in (4, 5, 6)
    ]
    shown, exact = next((pair for pair in pairs if pair[0] != pair[1]), pairs[-1])
    return shown, exact


def interval(lo: float | None, hi: float | None, unit: str) -> str:
    """A p10 to p90; the unit once where both share it.

    >>> interval(0.071, 0.097, "s"), interval(9e-4, 2e-3, "s"), interval(5, 5, "B"), interval(-3, -1, "s")
    ('71.0–97.0 ms', '900 us–2.00 ms', '5 B', '-3.00 to -1.00 s')
    """
    if lo is None and hi is None:
        return UNKNOWN
    if hi is None:
        return f"≥ {amount(lo, unit)}"
    if lo is None:
        return f"≤ {amount(hi, unit)}"
    low, high = amount(lo, unit), amount(hi, unit)
    if low == high:
        return low
    dash = " to " if lo < 0 else "–"
    low_figure, _, low_unit = low.rpartition(" ")
    _, _, high_unit = high.rpartition(" ")
    return f"{low_figure}{dash}{high}" if low_unit == high_unit else f"{low}{dash}{high}"


def bounds(lo: float | None, hi: float | None, unit: str) -> str:
    """What is left of an unknown figure: "≥ 7 B", "≤ 12 days", or "unknown"."""
    if lo and hi is not None:
        return interval(lo, hi, unit)
    return f"≥ {amount(lo, unit)}" if lo else UNKNOWN if hi is None else f"≤ {amount(hi, unit)}"


def bound_words(lo: float | None, hi: float | None, unit: str) -> str:
    """ " (at least 7 B)", " (at most 12 days)", or "" where there is no bound."""
    said = [f"at least {amount(lo, unit)}"] if lo else []
    said += [] if hi is None else [f"at most {amount(hi, unit)}"]
    return f" ({', '.join(said)})" if said else ""


def shape(extents: tuple[int, ...]) -> str:
    return "×".join(str(e) for e in extents) if extents else "scalar"


def clean(text: str) -> str:
    r"""The text without what could steer a terminal or a page: controls, direction marks, lone surrogates.

    >>> clean("a\x1b[2Jb\nc\u202ed")
    'a\\x1b[2Jb\\nc\\u202ed'
    """
    if text.isprintable():
        return text
    return "".join(_visible(c) for c in text)


def lines(text: str) -> str:
    r"""As `clean`, but lines stay lines.

    >>> lines("a\nb\x1b")
    'a\nb\\x1b'
    """
    return "\n".join(clean(line) for line in text.splitlines())


def _visible(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character.encode("unicode_escape", "backslashreplace").decode("ascii")
    return character


def short(text: str, length: int) -> str:
    """The text cut in its middle, so that both ends stay readable.

    >>> short("model/conv2d/BiasAdd", 12)
    'model…iasAdd'
    """
    if len(text) <= length:
        return text
    keep = length - 1
    return f"{text[: keep // 2]}…{text[len(text) - (keep - keep // 2) :]}"
