"""What results are made with, beside brief and data: our code, and the versions of others'."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from wholeroad.core.ids import digest

_PARTS: Final = ("polars", "numpy", "scikit-learn", "scipy", "lightgbm")
"""Packages whose version could change a fit or a score."""


@cache
def made_with() -> str:
    """Name everything beside brief and data that could change a result."""
    ours = Path(__file__).parents[1]
    code = digest(*(path.read_bytes() for path in sorted(ours.rglob("*.py"))))
    return " ".join(
        [f"wholeroad=={version('wholeroad')}+{code[:8]}", *(f"{part}=={version(part)}" for part in _PARTS)]
    )
