"""Scratch requests per op and kernel library, worked by hand from specs/tflm_memory.md sections 6 and 8."""

from __future__ import annotations

import pytest
from flatbuffers import flexbuffers
from memory_models import BUILDS, conv, depthwise, fully_connected, one_op, t, transpose_conv
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import ModelGraph, Tensor
from preflash.graphs.ops import BatchMatMulOptions as BatchMatMul
from preflash.simulator.memory.refusal import refusals
from preflash.simulator.memory.scratch import scratch_requests


def test_placeholder() -> None: ...
