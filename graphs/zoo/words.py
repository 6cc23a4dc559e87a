"""How is a reference network written on a command line: "kws01", "mobilenet-v1,width=0.5,resolution=96"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import ModelNotFound
from ..ir import ModelGraph
from .catalogue import build

_READ_AS: dict[str, Callable[[str], Any]] = {
    "width": float, "resolution": int, "classes": int, "picture_channels": int, "dtype": str, "seed": int,
}  # fmt: skip


def parse_reference(text: str) -> ModelGraph:
    """The network that the text states.

    >>> parse_reference("kws01,classes=4").main.tensors[-1].shape
    (1, 4)

    Raises:
        ModelNotFound: no such network, or an option that nobody can read or that it does not take.
    """
    name, *choices = (part.strip() for part in text.split(","))
    pairs = [choice.partition("=") for choice in choices]
    return build_as_written(name, {key.strip(): value.strip() for key, _, value in pairs})


def build_as_written(name: str, options: Mapping[str, str]) -> ModelGraph:
    """The network with options as text.

    Raises:
        ModelNotFound: no such network, or an option that nobody can read or that it does not take.
    """
    read: dict[str, Any] = {}
    for key, value in options.items():
        try:
            read[key] = _READ_AS[key](value)
        except (KeyError, ValueError) as error:
            what = f"{name}: {key[:40]}={value[:40]!r} is not understood"
            raise ModelNotFound(
                what, where="zoo", fix=f"known: {', '.join(_READ_AS)}, with numbers"
            ) from error
    return build(name, **read)
