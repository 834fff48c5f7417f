"""What is acknowledged is on the disk."""

from __future__ import annotations

import os
from pathlib import Path


def flush(*files: Path) -> None:
    """Flush files to the disk."""
    for file in files:
        with file.open("r+b") as handle:
            os.fsync(handle.fileno())


def flush_folders(*folders: Path) -> None:
    """Flush the entries of folders, where the system lets a folder be opened (not on Windows)."""
    if os.name != "posix":
        return
    for folder in folders:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
