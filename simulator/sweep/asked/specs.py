"""What is one variant and one target of a grid, before anything is built? Values that travel to workers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from ....devices.target import Target
from ...estimate import Conditions

AS_IS = "as it is"


@dataclass(frozen=True, slots=True)
class VariantSpec:
    """A model and what is done to it.

    Args:
        number: its place in the grid.
        model: as the report names it; source: as a command line names it, a path or "zoo:kws01,width=0.5".
        file_sha256: of the .tflite, whose bytes travel beside the specs; "" for a network of the zoo.
        zoo: name of that network; options are its keyword arguments as text.
        name, steps: of the recipe; "" is no step.
        axes: what was swept and its value here.
        retrain: a shape only; its weights have to be trained.
    """

    number: int
    model: str
    source: str = ""
    file_sha256: str = ""
    zoo: str = ""
    options: tuple[tuple[str, str], ...] = ()
    name: str = AS_IS
    steps: str = ""
    axes: tuple[tuple[str, str], ...] = ()
    retrain: bool = False

    @property
    def model_sha256(self) -> str:
        """Of the file; of name and options for a network of the zoo."""
        return self.file_sha256 or sha256_of(repr((self.zoo, self.options)))

    @property
    def recipe_sha256(self) -> str:
        return sha256_of(self.steps)


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """A target of the grid.

    Args:
        target: None where it could not be made, as `error` says, or stands for an accelerator.
        conditions: what points on it are held against.
        npu: a configuration that nobody can price yet: its figures are unknown.
    """

    number: int
    target: Target | None
    conditions: Conditions
    place: str = ""
    supply: str = ""
    npu: str = ""
    device: str = ""
    runtime: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Samples:
    """Where accuracy is measured; everything that a worker needs to do so.

    Args:
        path: an .npz, absolute.
        sha256: of that file.
        scale_file: a model whose input quantization says what integers in the data stand for; b"" is none.
    """

    path: str
    sha256: str
    metric: str = ""
    calibrate: int = 100
    scale_file: bytes = b""


@dataclass(frozen=True, eq=False)
class Grid:
    """Everything that a sweep evaluates: every variant on every target.

    Args:
        files: sha256 -> bytes of the model files.
        left_out: reason -> how many combinations it took out of the grid.
        limits: of every point, in SI units; accuracy among them.
        download: whether the gzip size of every variant is wanted.
    """

    variants: tuple[VariantSpec, ...]
    targets: tuple[TargetSpec, ...]
    files: dict[str, bytes] = field(repr=False)
    left_out: dict[str, int]
    limits: dict[str, float]
    objectives: tuple[tuple[str, str], ...]
    samples: Samples | None = None
    seed: int = 0
    download: bool = False

    def __len__(self) -> int:
        return len(self.variants) * len(self.targets)


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
