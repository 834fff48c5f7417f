"""Places beside memory for what can be made again: files that nobody waits for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import BinaryIO, Final, cast
from weakref import finalize

from wholeroad.adapters.sqlite_errors import refusal
from wholeroad.core.errors import UserError, unusable

_CACHE_KIB: Final = 4_096


class SqliteScratch:
    """The port ``Scratch`` in a file of its own, emptied when it is opened.

    Nothing is flushed and nothing can be taken back, so that a ``put`` costs microseconds: all of it is
    one transaction that never ends. Memory is bounded by a cache of 4 MiB.

    Parameters
    ----------
    path
        Where; deleted first, and when it is closed. None is a file without a name, where the system keeps
        such files, which may be in memory.

    Raises
    ------
    UserError
        ``project.unusable``, such as for a full disk; from its methods as well.

    Examples
    --------
    >>> scratch = SqliteScratch()
    >>> scratch.put(b"key", b"state")
    >>> scratch.get(b"key"), scratch.get(b"other")
    (b'state', None)
    >>> scratch.close()
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = Lock()
        self._remove()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        with self._named():
            self._connection = sqlite3.connect(
                "" if path is None else path, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("pragma journal_mode = off")
            self._connection.execute("pragma synchronous = off")
            self._connection.execute("pragma locking_mode = exclusive")
            self._connection.execute("pragma secure_delete = off")
            self._connection.execute(f"pragma cache_size = -{_CACHE_KIB}")
            self._connection.execute("create table kept (key blob primary key, data blob not null) strict")
            self._connection.execute("begin")

    def get(self, key: bytes) -> bytes | None:
        """Give the bytes, or None."""
        with self._named():
            row = self._connection.execute("select data from kept where key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def put(self, key: bytes, data: bytes) -> None:
        """Keep the bytes, instead of those that were there."""
        statement = "insert into kept values (?, ?) on conflict (key) do update set data = excluded.data"
        with self._named():
            self._connection.execute(statement, (key, data))

    def delete(self, key: bytes) -> None:
        """Let go of them."""
        with self._named():
            self._connection.execute("delete from kept where key = ?", (key,))

    def close(self) -> None:
        """Let everything go."""
        with self._lock:
            self._connection.close()
        self._remove()

    def _remove(self) -> None:
        if self._path is None:
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise unusable(self._path, str(error)) from error

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> UserError:
        place = self._path or "the system's folder for temporary files"
        return refusal(self._path or Path(), error) or unusable(place, str(error))


class TemporaryScratchFile:
    """The port ``ScratchFile`` in a file without a name, gone with whoever has it.

    What is read is read from the file, and not mapped: pages of it are the system's, and none of the
    process's memory.

    Parameters
    ----------
    folder
        Where; None is where the system keeps such files, which may be in memory.

    Examples
    --------
    >>> scratch = TemporaryScratchFile()
    >>> scratch.append(b"one"), scratch.append(b"two"), scratch.read(3, 3)
    (0, 3, b'two')
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._lock = Lock()
        self._file: BinaryIO | None = None
        self._size = 0
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="scratch")
        finalize(self, self._worker.shutdown, wait=False)

    def append(self, data: bytes) -> int:
        """Keep the bytes after all others, and give where they begin."""
        with self._named(), self._lock:
            start, file = self._size, self._opened()
            file.seek(start)
            left = memoryview(data)
            while left:  # a write may take less than it is given
                left = left[file.write(left) :]
            self._size += len(data)
        return start

    def read(self, start: int, count: int) -> bytes:
        """Give so many bytes from there on."""
        with self._named(), self._lock:
            file = self._opened()
            file.seek(start)
            return file.read(count)

    def soon(self, work: Callable[[], None]) -> None:
        """Do work in a thread of its own, after what was asked before; a fault of ours there is shown."""
        self._worker.submit(work).add_done_callback(Future.result)

    def wait(self) -> None:
        """Wait until all work is done."""
        self._worker.submit(lambda: None).result()

    def _opened(self) -> BinaryIO:
        """Open it with the first bytes: small projects never need it."""
        if self._file is None:
            self._file = cast("BinaryIO", TemporaryFile(buffering=0, dir=self._folder))  # noqa: SIM115
            finalize(self, self._file.close)
        return self._file

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unusable(self._folder or "the system's folder for temporary files", str(error)) from error


class MemoryScratch:
    """The port ``Scratch`` in memory, for small projects and tests."""

    def __init__(self) -> None:
        self._kept: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """Give the bytes, or None."""
        return self._kept.get(key)

    def put(self, key: bytes, data: bytes) -> None:
        """Keep the bytes, instead of those that were there."""
        self._kept[bytes(key)] = bytes(data)

    def delete(self, key: bytes) -> None:
        """Let go of them."""
        self._kept.pop(key, None)
