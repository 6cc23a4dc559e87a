"""What is every block of a device or runtime file made of: closed tables, quantities with units, sources."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from .units import (
    parse_bytes,
    parse_bytes_per_s,
    parse_hz,
    parse_macs_per_s,
    parse_v,
    parse_w,
    parse_w_per_hz,
)

Bytes = Annotated[int, BeforeValidator(parse_bytes)]
Hertz = Annotated[float, BeforeValidator(parse_hz)]
BytesPerSecond = Annotated[float, BeforeValidator(parse_bytes_per_s)]
Watts = Annotated[float, BeforeValidator(parse_w)]
WattsPerHertz = Annotated[float, BeforeValidator(parse_w_per_hz)]
AboveZeroBandwidth = Annotated[BytesPerSecond, Field(gt=0)]
AboveZeroWattsPerHertz = Annotated[WattsPerHertz, Field(gt=0)]
Volts = Annotated[float, BeforeValidator(parse_v)]
MacsPerSecond = Annotated[float, BeforeValidator(parse_macs_per_s)]
Confidence = Literal["datasheet", "measured", "primary", "secondary", "estimate", "assumed"]


class Block(BaseModel):
    """A block of a device file: unknown keys are faults, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Sourced(Block):
    """A block whose numbers come from somewhere."""

    source: Annotated[str, Field(min_length=1)]
    confidence: Confidence
