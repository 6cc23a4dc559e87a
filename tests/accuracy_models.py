"""Small models and data files for the tests of accuracy, built in code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from preflash.graphs.build import GraphBuilder
from preflash.graphs.dtype import DType
from preflash.graphs.ir import ModelGraph, Op, Tensor, wire
from preflash.graphs.ops import WhileAttributes


def classifier(dtype: DType = DType.FLOAT32, seed: int = 3) -> ModelGraph:
    """(1, 6, 6, 2) -> convolution, depthwise, fully connected, softmax over 4 classes."""
    b = GraphBuilder("small", dtype=dtype, seed=seed)
    x = b.depthwise(b.conv(b.input((1, 6, 6, 2)), 4, (3, 3)), (3, 3))
    return b.finish([b.softmax(b.fully_connected(b.reshape(x, (1, -1)), 4))])


def autoencoder() -> ModelGraph:
    """(1, 6) -> 3 -> 6, float."""
    b = GraphBuilder("autoencoder", dtype=DType.FLOAT32, seed=5)
    return b.finish([b.fully_connected(b.fully_connected(b.input((1, 6)), 3), 6)])


def two_inputs() -> ModelGraph:
    """(1, 4) + (1, 4), float."""
    b = GraphBuilder("sum", dtype=DType.FLOAT32)
    return b.finish([b.add(b.input((1, 4), name="left"), b.input((1, 4), name="right"))])


def inputs(count: int, shape: tuple[int, ...] = (6, 6, 2), seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(np.float32)


def endless() -> ModelGraph:
    """A WHILE whose condition always holds."""
    yes = np.array(True)
    main = wire(
        [_float(0), _float(1)], [Op(0, "WHILE", (0,), (1,), WhileAttributes(1, 2))], inputs=[0], outputs=[1],
        name="main",
    )  # fmt: skip
    condition = wire(
        [_float(0), Tensor(1, "yes", DType.BOOL, (), yes.tobytes())], [], inputs=[0], outputs=[1], name="cond"
    )
    body = wire([_float(0), _float(1)], [Op(0, "NEG", (0,), (1,))], inputs=[0], outputs=[1], name="body")
    return ModelGraph((main, condition, body), name="endless")


def crashing() -> ModelGraph:
    """A SPARSE_TO_DENSE that writes where its input says; tflite_runtime 2.14 does not look where."""
    tensors = [
        Tensor(0, "place", DType.INT32, (1,)), _constant(1, np.array([4], np.int32)),
        _constant(2, np.array([1], np.float32)), _constant(3, np.array(0, np.float32)),
        Tensor(4, "out", DType.FLOAT32, (4,)),
    ]  # fmt: skip
    op = Op(0, "SPARSE_TO_DENSE", (0, 1, 2, 3), (4,))
    return ModelGraph((wire(tensors, [op], inputs=[0], outputs=[4], name="main"),), name="crashing")


def huge() -> ModelGraph:
    """A TILE whose result takes 16 GiB, in a file of a few hundred bytes."""
    times = _constant(1, np.array([1 << 15, 1 << 15], np.int32))
    tensors = [Tensor(0, "x", DType.FLOAT32, (1, 4)), times, Tensor(2, "out", DType.FLOAT32, (1, 4))]
    op = Op(0, "TILE", (0, 1), (2,))
    return ModelGraph((wire(tensors, [op], inputs=[0], outputs=[2], name="main"),), name="huge")


def write_npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def _float(index: int) -> Tensor:
    return Tensor(index, f"t{index}", DType.FLOAT32, (1,))


def _constant(index: int, values: np.ndarray) -> Tensor:
    kind = {"int32": DType.INT32, "float32": DType.FLOAT32}[values.dtype.name]
    return Tensor(index, f"c{index}", kind, values.shape, values.tobytes())
