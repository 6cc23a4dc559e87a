"""Which steps are there? Word -> its dataclass, imported when a recipe is read."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

# word -> (room, class)
_STEPS: dict[str, tuple[str, str]] = {
    "cluster": ("cluster", "Cluster"),
    "fake-quantize": ("fake_quantize", "FakeQuantize"),
    "mixed": ("mixed", "Mixed"),
    "prune": ("prune", "Prune"),
    "prune-channels": ("channels", "PruneChannels"),
    "quantize": ("quantize", "Quantize"),
    "quantize-weights": ("quantize_weights", "QuantizeWeights"),
    "resolution": ("resolution", "Resolution"),
    "swap-activations": ("swap_activations", "SwapActivations"),
    "swap-norms": ("swap_norms", "SwapNorms"),
    "width": ("width", "Width"),
}


@lru_cache(maxsize=1)
def step_types() -> dict[str, type[Any]]:
    """Every step by its word."""
    return {
        word: getattr(import_module(f".{room}", __package__), name) for word, (room, name) in _STEPS.items()
    }
