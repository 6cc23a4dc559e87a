"""Who works on a store? One process at a time; the lock goes with the process, however it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ....errors import StoreInUse

_FAR_BYTE = (1 << 31) - 2  # of no part of the file: SQLite locks bytes from 1 GiB on


class Lease:
    """The lock on one store; it does not hinder readers.

    The file stays open until `release`: closing it would drop SQLite's own locks in this process.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not _locked(self._descriptor):
            os.close(self._descriptor)
            raise StoreInUse(
                "another process works on this store", where=str(path)[:200],
                fix="wait for it, stop it, or give another --store",
            )  # fmt: skip

    def release(self) -> None:
        """Gives the store back; call it after SQLite's connection is closed."""
        os.close(self._descriptor)


if sys.platform == "win32":

    def _locked(descriptor: int) -> bool:
        import msvcrt

        os.lseek(descriptor, _FAR_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _locked(descriptor: int) -> bool:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
