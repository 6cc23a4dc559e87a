"""What element types a tensor can have, and how many bits each takes."""

from __future__ import annotations

from enum import Enum


class DType(str, Enum):
    """The element type of a tensor; the value is the name users see."""

    BOOL = "bool"
    INT2 = "int2"
    INT4 = "int4"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT4 = "uint4"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    FLOAT8_E4M3FN = "float8_e4m3fn"
    FLOAT8_E5M2 = "float8_e5m2"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    COMPLEX64 = "complex64"
    COMPLEX128 = "complex128"
    STRING = "string"
    RESOURCE = "resource"
    VARIANT = "variant"

    @property
    def bits(self) -> int | None:
        """Bits of one element; None for string and variant, which have no fixed width."""
        return _BITS.get(self)

    @property
    def is_float(self) -> bool:
        return self in _FLOATS

    def __str__(self) -> str:
        return self.value


_BITS = {
    DType.BOOL: 8, DType.INT2: 2, DType.INT4: 4, DType.INT8: 8, DType.INT16: 16, DType.INT32: 32,
    DType.INT64: 64, DType.UINT4: 4, DType.UINT8: 8, DType.UINT16: 16, DType.UINT32: 32,
    DType.UINT64: 64, DType.FLOAT8_E4M3FN: 8, DType.FLOAT8_E5M2: 8, DType.FLOAT16: 16,
    DType.BFLOAT16: 16, DType.FLOAT32: 32, DType.FLOAT64: 64, DType.COMPLEX64: 64, DType.COMPLEX128: 128,
    DType.RESOURCE: 32,
}  # fmt: skip
_FLOATS = frozenset(
    {DType.FLOAT8_E4M3FN, DType.FLOAT8_E5M2, DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32, DType.FLOAT64}
)
