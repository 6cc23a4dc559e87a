"""preflash: does this model fit, how fast is it and what does it cost on that device, before flashing.

>>> import preflash
>>> graph = preflash.read_tflite("model.tflite")  # doctest: +SKIP
>>> target = preflash.load_target("nucleo-l4r5zi")  # doctest: +SKIP
>>> preflash.simulate(graph, target).verdict.word  # doctest: +SKIP
<Word.FITS: 'FITS'>
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .devices.catalog import Target, load_device, load_runtime, load_target
    from .errors import PreflashError
    from .graphs.ir import ModelGraph, Op, Tensor
    from .graphs.passes.fusion import fuse
    from .graphs.tflite.read import read_tflite
    from .graphs.tflite.write import write_tflite
    from .simulator.estimate import Estimate, Metric
    from .simulator.fragility import Fragility, fragility
    from .simulator.points import Points, price_points
    from .simulator.simulate import simulate
    from .simulator.sweep.match import match
    from .simulator.sweep.session import sweep
    from .simulator.sweep.store.reading import read_store
    from .simulator.sweep.table import SweepTable

__version__ = "0.1.0"

# Public name -> module. Resolved on first use, so that `import preflash` imports nothing else.
_HOME = {
    "Estimate": ".simulator.estimate",
    "Fragility": ".simulator.fragility",
    "Metric": ".simulator.estimate",
    "ModelGraph": ".graphs.ir",
    "Op": ".graphs.ir",
    "Points": ".simulator.points",
    "PreflashError": ".errors",
    "SweepTable": ".simulator.sweep.table",
    "Target": ".devices.catalog",
    "Tensor": ".graphs.ir",
    "fragility": ".simulator.fragility",
    "fuse": ".graphs.passes.fusion",
    "load_device": ".devices.catalog",
    "load_runtime": ".devices.catalog",
    "load_target": ".devices.catalog",
    "match": ".simulator.sweep.match",
    "price_points": ".simulator.points",
    "read_store": ".simulator.sweep.store.reading",
    "read_tflite": ".graphs.tflite.read",
    "simulate": ".simulator.simulate",
    "sweep": ".simulator.sweep.session",
    "write_tflite": ".graphs.tflite.write",
}

__all__ = [
    "Estimate",
    "Fragility",
    "Metric",
    "ModelGraph",
    "Op",
    "Points",
    "PreflashError",
    "SweepTable",
    "Target",
    "Tensor",
    "__version__",
    "fragility",
    "fuse",
    "load_device",
    "load_runtime",
    "load_target",
    "match",
    "price_points",
    "read_store",
    "read_tflite",
    "simulate",
    "sweep",
    "write_tflite",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'preflash' has no attribute {name!r}")
    return getattr(import_module(_HOME[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
