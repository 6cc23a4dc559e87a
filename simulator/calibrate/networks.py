"""Which model does a row of measurements speak of?"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ...errors import ModelNotFound
from ...graphs.ir import ModelGraph
from ...graphs.tflite.read import read_tflite
from ...graphs.zoo import build

_SPELLING = (
    'write a path, or "zoo:NAME [WIDTH [RESOLUTION [CLASSES [PICTURE CHANNELS [TYPE]]]]]", "-" as published'
)


@lru_cache(maxsize=256)
def measured_network(text: str, folder: Path | None = None) -> ModelGraph:
    """The network of this text: a file (relative to `folder`), or one of the zoo.

    >>> measured_network("zoo:mobilenet-v1 0.25 96 5").main.tensors[0].shape
    (1, 96, 96, 3)

    Raises:
        ModelError: there is no such file or network.
    """
    if not text.startswith("zoo:"):
        path = Path(text)
        return read_tflite(path if folder is None or path.is_absolute() else folder / path)
    name, *choices = text.removeprefix("zoo:").split()
    padded = [*choices, *["-"] * 5]
    try:
        width = None if padded[0] == "-" else float(padded[0])
        resolution, classes, channels = (None if word == "-" else int(word) for word in padded[1:4])
    except ValueError as error:
        raise ModelNotFound(f"{text[:80]!r} names no network", where="network", fix=_SPELLING) from error
    if len(choices) > 5:
        raise ModelNotFound(f"{text[:80]!r} says too much", where="network", fix=_SPELLING)
    dtype = "int8" if padded[4] == "-" else padded[4]
    return build(
        name, dtype=dtype, width=width, resolution=resolution, classes=classes, picture_channels=channels
    )
