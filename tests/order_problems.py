"""Small problems of operator order: hand-made, random, and what brute force says about them."""

from __future__ import annotations

from hypothesis import strategies as st
from preflash.simulator.memory.order.problem import LiveTensor, OrderProblem


def problem(
    before: dict[int, tuple[int, ...]], sizes: list[int], own: list[int] | None = None
) -> OrderProblem:
    """One tensor per op, read by the ops that wait for it; what nobody reads is a graph output."""
    count = len(sizes)
    needed = [before.get(op, ()) for op in range(count)]
    readers = [[op] for op in range(count)]
    for op, needs in enumerate(needed):
        for n in needs:
            readers[n].append(op)
    tensors = [
        LiveTensor(size, tuple(ops), to_end=len(ops) == 1)
        for size, ops in zip(sizes, readers, strict=True)
    ]  # fmt: skip
    return OrderProblem(tuple(needed), tuple(tensors), tuple(own or [0] * count))


def parallel(branches: int, sizes: tuple[int, ...]) -> OrderProblem:
    """A fork, chains whose tensors have these sizes, and a join; written stage by stage."""
    before: dict[int, tuple[int, ...]] = {}
    all_sizes, last = [16], [0] * branches
    for size in sizes:
        for b in range(branches):
            before[len(all_sizes)] = (last[b],)
            last[b] = len(all_sizes)
            all_sizes.append(size)
    before[len(all_sizes)] = tuple(last)
    return problem(before, [*all_sizes, 16])


def chain(length: int) -> OrderProblem:
    return problem({op: (op - 1,) for op in range(1, length)}, [16 * (1 + op % 7) for op in range(length)])


@st.composite
def problems(draw: st.DrawFn, most_ops: int = 7) -> OrderProblem:
    """Random graphs, with graph inputs, tensors touched by unrelated ops, scratch and outputs."""
    count = draw(st.integers(1, most_ops))
    size = st.integers(0, 9).map(lambda n: 16 * n)
    before = {op: tuple(sorted(draw(st.sets(st.integers(0, op - 1), max_size=3)))) for op in range(1, count)}
    made = problem(before, draw(st.lists(size, min_size=count, max_size=count)),
                   draw(st.lists(size, min_size=count, max_size=count)))  # fmt: skip
    extra = draw(st.lists(st.tuples(st.sets(st.integers(0, count - 1), min_size=1, max_size=3), size,
                                    st.booleans(), st.booleans()), max_size=3))  # fmt: skip
    more = [LiveTensor(b, tuple(sorted(ops)), first, last) for ops, b, first, last in extra]
    return OrderProblem(made.before, (*made.tensors, *more), made.own_bytes, draw(size))


def smallest_peak(one: OrderProblem) -> int:
    """By trying every op after every set of ops; alive is counted tensor by tensor."""

    def alive(done: int, op: int) -> int:
        total = one.own_bytes[op]
        for t in one.tensors:
            begun = t.from_start or any(done >> o & 1 or o == op for o in t.ops)
            pending = t.to_end or any(not done >> o & 1 for o in t.ops)
            total += t.size_bytes if begun and pending else 0
        saved = [
            one.tensors[output].size_bytes
            for output, source in (one.shares[op] if one.shares else ())
            if all(done >> o & 1 or o == op for o in one.tensors[source].ops)
        ]
        return total - max(saved, default=0)

    best = {0: one.floor_bytes}
    for _ in one.before:
        after: dict[int, int] = {}
        for done, peak in best.items():
            for op, needs in enumerate(one.before):
                if not done >> op & 1 and all(done >> n & 1 for n in needs):
                    reached, cost = done | 1 << op, max(peak, alive(done, op))
                    after[reached] = min(cost, after.get(reached, cost))
        best = after
    return min(best.values())


def respects(one: OrderProblem, order: tuple[int, ...]) -> bool:
    place = {op: n for n, op in enumerate(order)}
    return sorted(order) == list(range(len(one.before))) and all(
        place[n] < place[op] for op, needs in enumerate(one.before) for n in needs
    )
