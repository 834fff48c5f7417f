"""What a disk still has when the power goes: under SQLite, in this process, nothing of ours is changed.

SQLite reaches files through a table of functions. Here the writing, flushing, cutting and deleting of files
passes by a note of what was done; the real work stays SQLite's. What was flushed is on the disk for good; of
what was written since, any 512 bytes may be there or not. A deleted file is gone for good when its folder was
flushed.
"""

import _sqlite3
import ctypes
import os
import sys
import zlib
from contextlib import contextmanager
from pathlib import Path

_SECTOR = 512
_POINTER, _INT, _LONG = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_VFS_NEXT, _VFS_NAME, _VFS_OPEN, _VFS_DELETE = 16, 24, 40, 48  # offsets in sqlite3_vfs, of 64 bits
_METHODS = {"xClose": 1, "xWrite": 3, "xTruncate": 4, "xSync": 5}  # places in sqlite3_io_methods
_METHODS_BYTES = 8 * 19

# Names go as addresses: SQLite keeps them.
_OPEN = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _POINTER, _INT, _POINTER)
_DELETE = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _INT)
_CLOSE = ctypes.CFUNCTYPE(_INT, _POINTER)
_WRITE = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _INT, _LONG)
_TRUNCATE = ctypes.CFUNCTYPE(_INT, _POINTER, _LONG)
_SYNC = ctypes.CFUNCTYPE(_INT, _POINTER, _INT)
_KEPT = []
"""What SQLite may still call."""


class Disk:
    """The files that SQLite has open, as they are on the disk for good."""

    def __init__(self) -> None:
        self.whole: dict[str, bytearray] = {}
        self.flushed: dict[str, bytes] = {}
        self.since: dict[str, list[tuple[int, bytes]]] = {}
        self.deleted: set[str] = set()
        self.flushes = 0

    def written(self, name: str, at: int, data: bytes) -> None:
        put(self.whole.setdefault(name, bytearray()), at, data)
        self.since.setdefault(name, []).append((at, data))

    def cut(self, name: str, size: int) -> None:
        del self.whole.setdefault(name, bytearray())[size:]

    def synced(self, name: str) -> None:
        self.flushes += 1
        self.flushed[name] = bytes(self.whole.get(name, b""))
        self.since[name] = []

    def gone(self, name: str, *, for_good: bool) -> None:
        self.whole.pop(name, None)
        self.deleted.add(name)
        if for_good:
            self.folders_flushed()

    def folders_flushed(self) -> None:
        for name in self.deleted:
            self.flushed.pop(name, None)
            self.since.pop(name, None)
        self.deleted = set()

    def left(self, to: Path, *, luck: int | None = None) -> None:
        """Write down what is left in a folder; with some luck, parts of what wasn't flushed as well."""
        to.mkdir()
        for name in {*self.flushed, *self.since}:
            content = bytearray(self.flushed.get(name, b""))
            for number, (at, data) in enumerate(self.since.get(name, [])):
                for start in range(0, len(data), _SECTOR):
                    if luck is None or zlib.crc32(f"{luck} {number} {start}".encode()) % 2:
                        continue
                    put(content, at + start, data[start : start + _SECTOR])
            if name in self.flushed or content:
                (to / Path(name).name).write_bytes(content)


def put(content: bytearray, at: int, data: bytes) -> None:
    """Write into a file's content, with zeros where it was shorter."""
    content.extend(bytes(max(0, at - len(content))))
    content[at : at + len(data)] = data


def named(address: int) -> str:
    """Read a file's name."""
    return os.fsdecode(ctypes.string_at(address))


@contextmanager
def watched():
    """Watch every file that SQLite opens in the meantime."""
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = _POINTER
    library.sqlite3_vfs_register.argtypes = [_POINTER, _INT]
    library.sqlite3_vfs_unregister.argtypes = [_POINTER]
    real = library.sqlite3_vfs_find(None)
    disk = Disk()
    vfs = ctypes.create_string_buffer(ctypes.string_at(real, 168), 168)
    name = ctypes.create_string_buffer(b"watched")
    ctypes.c_void_p.from_buffer(vfs, _VFS_NAME).value = ctypes.addressof(name)
    ctypes.c_void_p.from_buffer(vfs, _VFS_NEXT).value = None
    opened = _open_watched(disk, _OPEN(ctypes.c_void_p.from_address(real + _VFS_OPEN).value))
    ctypes.c_void_p.from_buffer(vfs, _VFS_OPEN).value = ctypes.cast(opened, _POINTER).value
    delete = _DELETE(ctypes.c_void_p.from_address(real + _VFS_DELETE).value)

    def on_delete(vfs, name, flush_folder):
        disk.gone(named(name), for_good=bool(flush_folder))
        return delete(vfs, name, flush_folder)

    deleted = _DELETE(on_delete)
    ctypes.c_void_p.from_buffer(vfs, _VFS_DELETE).value = ctypes.cast(deleted, _POINTER).value
    _KEPT.append((vfs, name, opened, deleted))
    assert library.sqlite3_vfs_register(ctypes.addressof(vfs), 1) == 0

    def flushed(_frame, event, what):
        if event == "c_return" and what is os.fsync:  # what Python flushes here is folders
            disk.folders_flushed()

    sys.setprofile(flushed)
    try:
        yield disk
    finally:
        sys.setprofile(None)
        library.sqlite3_vfs_unregister(ctypes.addressof(vfs))
        library.sqlite3_vfs_register(real, 1)


def _open_watched(disk: Disk, really_open):
    names: dict[int, str] = {}
    tables: dict[int, ctypes.Array] = {}

    def open_file(vfs, name, file, flags, out):
        code = really_open(vfs, name, file, flags, out)
        methods = ctypes.c_void_p.from_address(file).value
        if code == 0 and name is not None and methods:
            names[file] = named(name)
            if methods not in tables:
                tables[methods] = _methods_watched(disk, names, methods)
            ctypes.c_void_p.from_address(file).value = ctypes.addressof(tables[methods])
        return code

    return _OPEN(open_file)


def _methods_watched(disk: Disk, names: dict[int, str], methods: int):
    def real(kind, name):
        return kind(ctypes.c_void_p.from_address(methods + 8 * _METHODS[name]).value)

    close, write = real(_CLOSE, "xClose"), real(_WRITE, "xWrite")
    truncate, sync = real(_TRUNCATE, "xTruncate"), real(_SYNC, "xSync")

    def on_write(file, data, size, at):
        disk.written(names[file], at, ctypes.string_at(data, size))
        return write(file, data, size, at)

    def on_truncate(file, size):
        disk.cut(names[file], size)
        return truncate(file, size)

    def on_sync(file, flags):
        code = sync(file, flags)
        disk.synced(names[file])
        return code

    def on_close(file):
        names.pop(file, None)
        return close(file)

    table = ctypes.create_string_buffer(ctypes.string_at(methods, _METHODS_BYTES), _METHODS_BYTES)
    mine = {
        "xClose": _CLOSE(on_close),
        "xWrite": _WRITE(on_write),
        "xTruncate": _TRUNCATE(on_truncate),
        "xSync": _SYNC(on_sync),
    }
    for name, function in mine.items():
        ctypes.c_void_p.from_buffer(table, 8 * _METHODS[name]).value = ctypes.cast(function, _POINTER).value
    _KEPT.append((table, mine))
    return table
