"""Bytes under a digest, on disk and in memory."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from wholeroad.adapters.flushing import flush_folders
from wholeroad.core.errors import RoadError
from wholeroad.core.ports import Blobs

_KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_KEY: Final = re.compile(r"[0-9a-f-]{1,128}")
_CHECKSUM_BYTES: Final = 16


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_CHECKSUM_BYTES).digest()


def _checked(kind: str, key: str) -> None:
    """Refuse what isn't a safe file name everywhere; lower case only, as some systems fold case."""
    if _KIND.fullmatch(kind) is None or _KEY.fullmatch(key) is None:
        raise RoadError(
            "blobs.bad-key",
            "A blob has a key that can't be kept",
            happened=f"kind was {kind!r}, key was {key!r}",
            expected="a kind in lower case, a key of hex digits and dashes",
            fix="use a digest as the key",
        )


class FolderBlobs:
    """The port ``Blobs`` over a folder: one file per blob, in a folder per kind.

    A file appears whole or not at all: it is written beside its place, flushed, and then renamed.
    It ends in a checksum; one that was damaged since counts as not there, and can be put again.

    Parameters
    ----------
    folder
        Made by the first ``put``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, kind: str, key: str) -> bytes | None:
        """Give the bytes, or None; also where the file was damaged."""
        try:
            kept = self._place(kind, key).read_bytes()
        except FileNotFoundError:
            return None
        data, checksum = kept[:-_CHECKSUM_BYTES], kept[-_CHECKSUM_BYTES:]
        return data if _checksum(data) == checksum else None

    def put(self, kind: str, key: str, *, data: bytes) -> None:
        """Keep the bytes; whole or not at all. The same key twice is one blob."""
        place = self._place(kind, key)
        if self.get(kind, key) is not None:
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=".put-", dir=place.parent)
        beside = Path(name)
        try:
            with os.fdopen(number, "wb") as handle:
                handle.write(data)
                handle.write(_checksum(data))
                handle.flush()
                os.fsync(handle.fileno())
            try:
                beside.replace(place)
            except PermissionError:
                # Windows, when someone who came first is reading it: then it is there.
                if not place.exists():
                    raise
        finally:
            beside.unlink(missing_ok=True)
        flush_folders(place.parent)

    def _place(self, kind: str, key: str) -> Path:
        _checked(kind, key)
        return self._folder / kind / key


class MemoryBlobs:
    """The port ``Blobs`` without a disk; it behaves as ``FolderBlobs`` does."""

    def __init__(self) -> None:
        self._blobs: dict[tuple[str, str], bytes] = {}

    def get(self, kind: str, key: str) -> bytes | None:
        """Give the bytes, or None."""
        _checked(kind, key)
        return self._blobs.get((kind, key))

    def put(self, kind: str, key: str, *, data: bytes) -> None:
        """Keep the bytes; the same key twice is one blob."""
        _checked(kind, key)
        self._blobs.setdefault((kind, key), bytes(data))


class LayeredBlobs:
    """The port ``Blobs`` over others: what is put is thrown away, what was there before is seen.

    Parameters
    ----------
    below
        What is there already.
    """

    def __init__(self, below: Blobs) -> None:
        self._below = below
        self._own = MemoryBlobs()

    def get(self, kind: str, key: str) -> bytes | None:
        """Give the bytes, or None."""
        own = self._own.get(kind, key)
        return self._below.get(kind, key) if own is None else own

    def put(self, kind: str, key: str, *, data: bytes) -> None:
        """Keep the bytes as long as this is kept."""
        self._own.put(kind, key, data=data)
