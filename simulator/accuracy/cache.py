"""What has already been run? Outputs by the content of model and samples, in a folder that stays small."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .messages import Message, read_message, write_message

Array = npt.NDArray[Any]

LARGEST_BYTES = 256 << 20  # of the whole folder
_LARGEST_ENTRY_BYTES = 32 << 20
_FORMAT = "preflash-outputs-1"
_SUFFIX = ".outputs"
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of outputs; None keeps nothing. Faults of the disk are no errors: the model is run again."""

    folder: Path | None
    largest_bytes: int = LARGEST_BYTES

    def find(self, key: str) -> Message | None:
        """What was kept under the key; an entry that is damaged is removed."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}{_SUFFIX}"
        try:
            with path.open("rb") as file:
                digest = file.read(_DIGEST_BYTES)
                body = file.read(_LARGEST_ENTRY_BYTES + 1)
        except OSError:
            return None
        found = _parsed(body, key) if hashlib.sha256(body).digest() == digest else None
        with suppress(OSError):
            path.unlink() if found is None else os.utime(path)
        return found

    def keep(self, key: str, message: Message) -> None:
        """Puts it beside and moves it into place, so that a reader never sees half of it."""
        if self.folder is None or sum(array.nbytes for array in message.arrays) > _LARGEST_ENTRY_BYTES // 2:
            return
        beside = ""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, beside = tempfile.mkstemp(dir=self.folder, suffix=".part")
            with os.fdopen(handle, "wb") as file:
                body = _written(key, message)
                file.write(hashlib.sha256(body).digest() + body)
            Path(beside).replace(self.folder / f"{key}{_SUFFIX}")
            beside = ""
            self._shrink()
        except OSError:
            if beside:
                with suppress(OSError):
                    Path(beside).unlink()

    def _shrink(self) -> None:
        """Removes what was not used for longest, until the rest is small enough."""
        assert self.folder is not None
        entries = []
        for path in self.folder.iterdir():
            if path.suffix in (_SUFFIX, ".part"):
                with suppress(OSError):  # another process removed it
                    state = path.stat()
                    entries.append((state.st_mtime_ns, state.st_size, path))
        total = sum(size_bytes for _, size_bytes, _ in entries)
        for _, size_bytes, path in sorted(entries):
            if total <= self.largest_bytes:
                return
            with suppress(OSError):
                path.unlink()
            total -= size_bytes


def default_folder() -> Path | None:
    """PREFLASH_CACHE ("" is none), else preflash in XDG_CACHE_HOME, LOCALAPPDATA or ~/.cache."""
    own = os.environ.get("PREFLASH_CACHE")
    if own is not None:
        return Path(own) if own else None
    home = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    if home:
        return Path(home) / "preflash"
    try:
        return Path.home() / ".cache" / "preflash"
    except RuntimeError:  # nobody's home
        return None


def content_key(texts: Iterable[str], model: bytes, samples: Sequence[Array]) -> str:
    """SHA-256 of everything that the outputs follow from."""
    whole = hashlib.sha256(_FORMAT.encode())
    for text in texts:
        whole.update(f"\0{text}".encode())
    whole.update(hashlib.sha256(model).digest())
    for array in samples:
        whole.update(array_key(array).encode())
    return whole.hexdigest()


def array_key(array: Array) -> str:
    """SHA-256 of an array's type, shape and elements."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    if array.nbytes:
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _written(key: str, message: Message) -> bytes:
    from io import BytesIO

    body = BytesIO()
    write_message(body, {"key": key, "words": message.words}, message.arrays)
    return body.getvalue()


def _parsed(body: bytes, key: str) -> Message | None:
    from io import BytesIO

    found = read_message(BytesIO(body))
    if found is None or found.words.get("key") != key or not isinstance(found.words.get("words"), dict):
        return None
    return Message(found.words["words"], found.arrays)
