"""Which arrays does an .npz hold? Nothing is unpickled, and nothing is read that is larger than it says."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy_format

from ...errors import DataInvalid

Array = npt.NDArray[Any]

LARGEST_BYTES = 2 << 30  # of all arrays that are read
_MOST_MEMBERS = 256
_MOST_AXES = 8
_LARGEST_HEADER = 10_000
_SUFFIX = ".npy"
_NPY: Any = npy_format  # without types
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
_FIX = "write it with numpy.savez(path, x=inputs, y=labels)"


@dataclass(frozen=True, slots=True)
class Heading:
    """What an array's header says, before any element is read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_fortran: bool

    @property
    def stored_bytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


def read_npz(path: str | os.PathLike[str], wanted: Iterable[str] | None = None) -> dict[str, Array]:
    """Numeric arrays by name: those wanted that are there, or all; others (texts) are left out.

    Raises:
        DataInvalid: the file is not there, is no .npz, is damaged, or holds more than 2 GiB.
    """
    file = Path(path)
    try:
        if not file.exists():
            raise DataInvalid("there is no such data file", where=str(path), fix="check the path")
        if not file.is_file():
            raise DataInvalid("this is not a file", where=str(path), fix=_FIX)
        with zipfile.ZipFile(file) as archive:
            return _arrays(archive, _members(archive, str(path)), wanted, str(path))
    except _BROKEN as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:120]
        raise DataInvalid(f"no .npz that can be read: {reason}", where=str(path), fix=_FIX) from None


def _members(archive: zipfile.ZipFile, where: str) -> dict[str, zipfile.ZipInfo]:
    """array name -> its entry."""
    entries = archive.infolist()
    if len(entries) > _MOST_MEMBERS:
        raise DataInvalid(f"{len(entries)} entries; at most {_MOST_MEMBERS} are read", where=where, fix=_FIX)
    found = {}
    for entry in entries:
        if entry.filename.endswith(_SUFFIX):
            name = entry.filename.removesuffix(_SUFFIX)
            if name in found:
                raise DataInvalid(f"two arrays are called {name[:40]!r}", where=where, fix=_FIX)
            found[name] = entry
    return found


def _arrays(
    archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], wanted: Iterable[str] | None, where: str
) -> dict[str, Array]:
    arrays, total = {}, 0
    for name in members if wanted is None else wanted:
        entry = members.get(name)
        if entry is None:
            continue
        place = f"{where}: {name[:60]}"
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
            raise DataInvalid("encrypted or packed in an unusual way", where=place, fix=_FIX)
        with archive.open(entry) as stream:
            heading = _heading(stream, place)
            if heading.dtype.kind not in "biuf":
                continue
            total += heading.stored_bytes
            if total > LARGEST_BYTES:
                fix = "split the data; accuracy on fewer samples has a wider interval"
                raise DataInvalid(f"more than {LARGEST_BYTES >> 20} MiB of arrays", where=place, fix=fix)
            arrays[name] = _elements(stream, heading, entry.file_size, place)
    return arrays


def _heading(stream: IO[bytes], where: str) -> Heading:
    """What the header says; its Python literal is parsed by numpy, bounded."""
    version = _NPY.read_magic(stream)
    readers = {(1, 0): _NPY.read_array_header_1_0, (2, 0): _NPY.read_array_header_2_0}
    if version not in readers:
        raise DataInvalid(f"an array of format {version}", where=where, fix=_FIX)
    shape, is_fortran, dtype = readers[version](stream, max_header_size=_LARGEST_HEADER)
    if dtype.hasobject:
        raise DataInvalid("Python objects, which are never unpickled", where=where, fix=_FIX)
    if len(shape) > _MOST_AXES or any(extent < 0 for extent in shape):
        raise DataInvalid(f"an array of shape {shape}", where=where, fix=_FIX)
    return Heading(shape, dtype, is_fortran)


def _elements(stream: IO[bytes], heading: Heading, declared_bytes: int, where: str) -> Array:
    """The elements, in this machine's byte order; as many bytes as the header says, and no more."""
    if heading.stored_bytes > declared_bytes:
        raise DataInvalid(
            f"{declared_bytes} bytes cannot hold an array of {heading.stored_bytes}", where=where, fix=_FIX
        )
    data = stream.read(heading.stored_bytes)
    if len(data) != heading.stored_bytes or stream.read(1):
        raise DataInvalid("the array is shorter or longer than it says", where=where, fix=_FIX)
    order = "F" if heading.is_fortran else "C"
    values = np.frombuffer(data, heading.dtype).reshape(heading.shape, order=order)  # type: ignore[call-overload]
    native: Array = np.ascontiguousarray(values, heading.dtype.newbyteorder("="))
    return native.reshape(heading.shape)  # ascontiguousarray gives a scalar an axis
