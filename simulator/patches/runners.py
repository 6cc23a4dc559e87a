"""Who runs a network patch by patch? The catalogue's runtimes, as their files state, or the user by hand."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ...devices.catalog import load_runtime, runtime_names
from ...devices.runtime import RuntimeSpec

# mit-han-lab/tinyengine; arXiv 2110.15352 (MCUNetV2)
ELSEWHERE = "TinyEngine (MCUNetV2) generates such code, but is not in the catalogue"


class Runners(NamedTuple):
    """Names of catalogue runtimes: those that run patches, and those whose user can split the model."""

    built_in: tuple[str, ...]
    by_hand: tuple[str, ...]


@lru_cache(maxsize=1)
def runners() -> Runners:
    """What the shipped runtime files state."""
    stated = {name: load_runtime(name).patches for name in runtime_names()}
    built_in, by_hand = (
        tuple(name for name, patches in stated.items() if patches is not None and patches.run == word)
        for word in ("built-in", "by-hand")
    )
    return Runners(built_in, by_hand)


def how_to_run(runtime: RuntimeSpec, *, shapes: int, grid: str) -> str:
    """One sentence or two: who runs these patches, and what there is to do with this runtime."""
    known = runners()
    others = [name for name in known.built_in if name != runtime.name]
    stated = runtime.patches
    if stated is not None and stated.run == "built-in":
        return f"{runtime.name} runs patches itself ({stated.source})"
    anybody = f"{', '.join(others)} would" if others else f"no runtime of the catalogue does; {ELSEWHERE}"
    if stated is not None and stated.run == "by-hand":
        return (
            f"{runtime.name} does not run patches itself; {anybody}. By hand: cut the model in two, give the "
            f"first part one model per tile shape ({shapes}) with padding as an op of its own, loop over the "
            f"{grid} patches and copy each result into the tensor that the second part reads"
        )
    return f"whether {runtime.name} runs patches is not known; {anybody}"
