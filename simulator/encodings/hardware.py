"""What does hardware that decodes weights save in flash? Each weight tensor in its cheapest legal form."""

from __future__ import annotations

from ...devices.target import Target
from ...graphs.ir import ModelGraph
from ...graphs.kept import kept
from ...graphs.variants.weights import Weight, weights
from ..interval import Interval, total
from .decoders import Words, decoded_by_hardware, stored_sizes, table_entries
from .sizes import cheapest_word


def hardware_saving_bytes(graph: ModelGraph, target: Target) -> Interval | None:
    """Bytes that encoded weights save against the .tflite; None where no hardware decodes them."""
    words, entries = decoded_by_hardware(target), table_entries(target)
    if not words:
        return None
    key = f"hardware saving {sorted(words)} {entries}"
    return kept(graph, key, lambda one: _saving(one, words, entries))


def _saving(graph: ModelGraph, words: Words, entries: int) -> Interval:
    savings = (_tensor_saving(graph, one, words, entries) for one in weights(graph))
    return total(savings, empty_source="the model has no weights")


def _tensor_saving(graph: ModelGraph, weight: Weight, words: Words, entries: int) -> Interval:
    """raw - encoded; the ends change places."""
    tensor = graph.tensors[weight.tensor]
    sizes = stored_sizes(tensor, weight.kind, words, entries=entries)
    size = dict(sizes)[cheapest_word(sizes)]
    assert size.value is not None and size.lo is not None and size.hi is not None
    raw = tensor.stored_bytes
    return Interval(raw - size.value, raw - size.hi, raw - size.lo, size.basis, size.source)
