"""What a runtime file may say about one release of a code generator: how its outputs may lie over inputs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .spec import Bytes, Sourced

Version = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+){0,3}$", max_length=32)]


class Release(Sourced):
    """One release. In the file the newest stands last.

    Args:
        version: what follows the @ in "x-cube-ai@8.1".
        also: other numbers of the same release.
        overlap_expansion: a 1x1 convolution may write over its input if the output has at most this many
            times its bytes.
        overlap_convolutions: which convolutions with a larger window may: none, the first one (it reads the
            picture without a padded copy), or all.
        kernels_like: the release whose kernels these are taken to resemble until rows tell.
        memory_like: the release whose RAM and flash figures stand for this one's, where no row states any.
        drops_zero_channels: channels whose weights are all zero are not computed.
        overlap_limit_bytes: a plan larger than this keeps every output beside its input; None is no limit.
    """

    version: Version
    also: tuple[Version, ...] = ()
    title: str = ""
    overlap_expansion: Annotated[float, Field(ge=0)]
    overlap_convolutions: Literal["none", "first", "all"]
    drops_zero_channels: bool = False
    kernels_like: Version | None = None
    memory_like: Version | None = None
    overlap_limit_bytes: Annotated[Annotated[Bytes, Field(gt=0)] | None, Field(alias="overlap_limit")] = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """All numbers that name it."""
        return (self.version, *self.also)
