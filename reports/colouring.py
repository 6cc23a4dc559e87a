"""What does the colour of an op say: what it waits for, its kind, or how its time is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..simulator.estimate import Basis, Estimate, OpEstimate
from . import format as shown

NO_PRICE = "n"  # hatched in every view
OTHER = "6"  # grey: the kinds that are too many to tell apart
_MOST_KINDS = 6
_BASES = tuple(basis.value for basis in Basis if basis is not Basis.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Colouring:
    """One way to colour ops.

    Args:
        view: "bound", "kind" or "basis".
        title: what the colour then says.
        series: what an op is in this view -> the number of its colour, in the order of the legend.
        other: what is said of the grey ones; "" where there are none.
        has_unpriced: whether an op is hatched.
    """

    view: str
    title: str
    series: Mapping[str, str]
    other: str
    has_unpriced: bool

    def of(self, op: OpEstimate) -> str:
        """The number of the op's colour, `OTHER` or `NO_PRICE`."""
        if op.latency_s.value is None:
            return NO_PRICE
        return self.series.get(_KEYS[self.view](op), OTHER)

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """(number of the colour, what it stands for)."""
        said = _bound_text if self.view == "bound" else shown.clean
        entries = [(number, said(name)) for name, number in self.series.items()]
        entries += [(OTHER, self.other)] if self.other else []
        return (*entries, (NO_PRICE, "no price")) if self.has_unpriced else tuple(entries)


_KEYS: dict[str, Callable[[OpEstimate], str]] = {
    "bound": lambda op: op.bound,
    "kind": lambda op: op.kind,
    "basis": lambda op: op.latency_s.basis.value,
}


def _bound_text(bound: str) -> str:
    return "compute" if bound == "compute" else f"waits for {shown.clean(bound)}"


def colourings(estimate: Estimate) -> tuple[Colouring, ...]:
    """The three views, the default one first."""
    priced = [op for op in estimate.ops if op.latency_s.value is not None]
    some_unpriced = len(priced) < len(estimate.ops)
    kinds = _heaviest_kinds(priced)
    rest = len(kinds) - _MOST_KINDS
    other = f"{rest} other kinds" if rest > 1 else "another kind" if rest == 1 else ""
    return (
        Colouring("bound", "what it waits for", _bounds(estimate), "", some_unpriced),
        Colouring("kind", "kind of op", _numbered(kinds[:_MOST_KINDS]), other, some_unpriced),
        Colouring("basis", "how its time is known", _bases(priced), "", some_unpriced),
    )


def bound_numbers(estimate: Estimate) -> dict[str, str]:
    """The core and every memory that kernels reach -> the number of its colour."""
    reached = dict.fromkeys(t.memory for op in estimate.ops for t in op.traffic)
    seen = dict.fromkeys(op.bound for op in estimate.ops if op.bound != "unknown")
    names = dict.fromkeys(("compute", *reached, *seen))
    return {name: str(min(number, 5)) for number, name in enumerate(names)}


def _bounds(estimate: Estimate) -> dict[str, str]:
    """Those that hold an op back."""
    seen = {op.bound for op in estimate.ops}
    return {name: number for name, number in bound_numbers(estimate).items() if name in seen}


def _heaviest_kinds(priced: Sequence[OpEstimate]) -> list[str]:
    """Kinds by the time they take together."""
    time_s: dict[str, float] = {}
    for op in priced:
        time_s[op.kind] = time_s.get(op.kind, 0.0) + (op.latency_s.value or 0.0)
    return sorted(time_s, key=lambda kind: -time_s[kind])


def _bases(priced: Sequence[OpEstimate]) -> dict[str, str]:
    seen = {op.latency_s.basis.value for op in priced}
    return {basis: number for basis, number in _numbered(_BASES).items() if basis in seen}


def _numbered(names: Sequence[str]) -> dict[str, str]:
    return {name: str(number) for number, name in enumerate(names)}
