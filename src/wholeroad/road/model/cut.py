"""A cut: what a fit may see, all of it known at one instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.brief.values import Values


@dataclass(frozen=True)
class Cut:
    """Cases with their features, outcomes and values as known at ``cut_at``.

    Attributes
    ----------
    features
        Shape (n, p): numeric, boolean and text columns; rows sorted by ``decided_at``. Without
        features, ``pl.DataFrame(height=n)``.
    decided_at
        Shape (n,), int64 microseconds, never going down.
    truth
        Shape (n,), int8: class codes ``0 .. C-1``, known and matured at ``cut_at``.
    values
        The money of each action under each outcome, per case; NaN is a value that isn't known.
    status_quo
        Shape (n,), int8: the code of the action that the status quo takes.
    held
        Shape (n,): the status quo decides these whatever a model says.
    classes, actions
        C and A names, in the brief's order.

    Raises
    ------
    ValueError
        When the shapes don't fit together, rows are not sorted or a code is out of range.
    """

    features: pl.DataFrame
    decided_at: NDArray[np.int64]
    truth: NDArray[np.int8]
    values: Values
    status_quo: NDArray[np.int8]
    held: NDArray[np.bool_]
    classes: tuple[str, ...]
    actions: tuple[str, ...]

    def __post_init__(self) -> None:
        rows = len(self.decided_at)
        shapes = {
            "features": (self.features.height, rows),
            "truth": (self.truth.shape, (rows,)),
            "values": (len(self.values), rows),
            "status_quo": (self.status_quo.shape, (rows,)),
            "held": (self.held.shape, (rows,)),
        }
        for name, (was, expected) in shapes.items():
            if was != expected:
                message = f"{name} of a cut: the shape was {was}, expected {expected}"
                raise ValueError(message)
        if rows and np.any(np.diff(self.decided_at) < 0):
            message = "the rows of a cut are sorted by decided_at; these were not"
            raise ValueError(message)
        for name, codes, names in (
            ("truth", self.truth, self.classes),
            ("status_quo", self.status_quo, self.actions),
        ):
            if rows and (codes.min() < 0 or codes.max() >= len(names)):
                message = f"{name} of a cut: codes were {codes.min()} to {codes.max()}, of {len(names)} names"
                raise ValueError(message)

    @property
    def rows(self) -> int:
        """The number of cases."""
        return len(self.decided_at)

    def features_of(self, rows: slice[int, int, None]) -> pl.DataFrame:
        """Give the features of some rows; unlike brackets, it keeps the height of a frame without columns."""
        return self.features.slice(rows.start, rows.stop - rows.start)

    def outcomes(self) -> dict[str, int]:
        """Count the cases by class, in the order of ``classes``."""
        counts = np.bincount(self.truth, minlength=len(self.classes))
        return {name: int(count) for name, count in zip(self.classes, counts, strict=True)}
