"""Which memory for each piece, so that the sum of costs is smallest and no memory is ever too full?

    minimise sum of cycles[piece][memory]
    subject to, for every memory and instant: sum of the sizes alive in it <= its capacity

CP-SAT (OR-tools, extra `optimal`) proves the minimum; without it pieces go where they save most per byte, and
the bound is every piece in its cheapest memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..memory.planners.cp_sat import is_installed
from .pieces import Piece


@dataclass(frozen=True, slots=True)
class Assignment:
    """A memory per piece.

    Args:
        homes: the memory of each piece, in order; empty if nothing fits.
        cycles: the sum of costs.
        bound_cycles: no assignment costs less.
        proof: who says so.
    """

    homes: tuple[str, ...]
    cycles: float
    bound_cycles: float
    proof: str


def assign(
    pieces: Sequence[Piece], capacities: Mapping[str, int], *, time_limit_s: float = 10.0
) -> Assignment:
    """The cheapest assignment, or the best that is found in time and a bound."""
    if not is_installed():
        return by_saving(pieces, capacities)
    return _by_cp_sat(pieces, capacities, time_limit_s=time_limit_s)


def by_saving(pieces: Sequence[Piece], capacities: Mapping[str, int]) -> Assignment:
    """Pieces in the order of what their best memory saves per byte, each to the cheapest that has room."""
    order = sorted(range(len(pieces)), key=lambda i: -_saving_per_byte(pieces[i]))
    homes: dict[int, str] = {}
    for i in order:
        piece = pieces[i]
        for memory in sorted(piece.cycles, key=lambda m: (piece.cycles[m][0], m)):
            inside = [pieces[j] for j, home in homes.items() if home == memory]
            if fullest([*inside, piece]) <= capacities[memory]:
                homes[i] = memory
                break
        else:
            return Assignment((), float("inf"), cheapest(pieces), "no room found; nothing is proved")
    found = tuple(homes[i] for i in range(len(pieces)))
    return Assignment(found, cost(pieces, found), cheapest(pieces), "every piece in its cheapest memory")


def cost(pieces: Sequence[Piece], homes: Sequence[str], *, end: int = 0) -> float:
    """The sum of costs: taken (0), at least (1), at most (2)."""
    return sum(piece.cycles[home][end] for piece, home in zip(pieces, homes, strict=True))


def cheapest(pieces: Sequence[Piece]) -> float:
    """Every piece in its cheapest memory, as if they were endless."""
    return sum(min((taken for taken, _, _ in p.cycles.values()), default=0.0) for p in pieces)


def fullest(pieces: Sequence[Piece]) -> int:
    """The most bytes alive at one instant."""
    return max((sum(pieces[i].size_bytes for i in alive) for alive in _alive(pieces)), default=0)


def _alive(pieces: Sequence[Piece]) -> list[frozenset[int]]:
    """The pieces alive at each instant at which something begins, sets that another one holds left out."""
    begun = sorted({p.first for p in pieces})
    sets = {frozenset(i for i, p in enumerate(pieces) if p.first <= t <= p.last) for t in begun}
    return sorted((one for one in sets if not any(one < other for other in sets)), key=sorted)


def _saving_per_byte(piece: Piece) -> float:
    taken = [cycles for cycles, _, _ in piece.cycles.values()]
    return (max(taken) - min(taken)) / max(1, piece.size_bytes) if taken else 0.0


def _by_cp_sat(pieces: Sequence[Piece], capacities: Mapping[str, int], *, time_limit_s: float) -> Assignment:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    chosen = [{m: model.new_bool_var("") for m in piece.cycles} for piece in pieces]
    for options in chosen:
        model.add_exactly_one(options.values())
    for number, alive in enumerate(_alive(pieces)):
        for memory, capacity_bytes in capacities.items():
            inside = [pieces[i].size_bytes * chosen[i][memory] for i in alive if memory in chosen[i]]
            model.add(sum(inside) <= capacity_bytes).with_name(f"{memory} at instant {number}")
    model.minimize(
        sum(round(piece.cycles[m][0]) * is_here for piece, options in zip(pieces, chosen, strict=True)
            for m, is_here in options.items())
    )  # fmt: skip
    for options, home in zip(chosen, by_saving(pieces, capacities).homes, strict=False):
        for memory, is_here in options.items():
            model.add_hint(is_here, memory == home)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = time_limit_s
    solver.parameters.num_workers = 2
    solver.parameters.linearization_level = 2
    solver.parameters.random_seed = 1
    status = solver.status_name(solver.solve(model))
    if status not in ("OPTIMAL", "FEASIBLE"):
        is_proved = status == "INFEASIBLE"
        proof = "CP-SAT: proved that nothing fits" if is_proved else "CP-SAT: nothing found in time"
        return Assignment((), float("inf"), cheapest(pieces), proof)
    homes = tuple(next(m for m, is_here in options.items() if solver.value(is_here)) for options in chosen)
    rounding = 0.5 * len(pieces)  # whole cycles per piece
    bound = max(cheapest(pieces), min(cost(pieces, homes), solver.best_objective_bound - rounding))
    if status == "OPTIMAL":
        return Assignment(homes, cost(pieces, homes), cost(pieces, homes), "CP-SAT: proved, to the cycle")
    return Assignment(homes, cost(pieces, homes), bound, f"CP-SAT: bound after {time_limit_s:g} s")
