"""A cut: what a fit may see, all of it known at one instant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.brief.fairness import FairnessTable
from wholeroad.road.brief.values import Values
from wholeroad.road.brief.worth import Capacity
from wholeroad.road.data.bias.groups import Grouping, group_texts, groups_of
from wholeroad.road.data.rows import hash_rows
from wholeroad.road.model.fairness.assessed import Terms
from wholeroad.road.model.untreated import Acted


@dataclass(frozen=True)
class CutGroups:
    """To which groups the cases of a cut belong: for limits and remedies; a model's features they aren't.

    Attributes
    ----------
    frame
        Shape (n, groups that are no intersection), values as known when each case was decided.
    table
        ``[fairness]`` of the brief.
    """

    frame: pl.DataFrame
    table: FairnessTable
    terms: Terms

    def take(self, rows: slice[int, int, None] | NDArray[np.int64]) -> CutGroups:
        """Give those of some rows."""
        return replace(self, frame=self.frame[rows])

    def texts(self, name: str) -> pl.Series:
        """Give each case's value of one group, as a text."""
        return group_texts(self.frame, self.table, name=name)

    @cached_property
    def groupings(self) -> tuple[Grouping, ...]:
        """Every grouping of the brief; values that are too small in this cut are put together."""
        return groups_of(self.frame, self.table)

    def content(self) -> list[NDArray[np.generic]]:
        """Give the arrays that tell it from others, for digests."""
        return [hash_rows(self.frame)]


@dataclass(frozen=True)
class Cut:
    """Cases with their features, outcomes and values as known at ``cut_at``.

    Attributes
    ----------
    features
        Shape (n, p): numeric, boolean and text columns; rows sorted by ``decided_at``, then by id. Without
        features, ``pl.DataFrame(height=n)``.
    decided_at
        Shape (n,), int64 microseconds, never going down.
    truth
        Shape (n,): class codes ``0 .. C-1``, or places in ``levels``; known and matured at ``cut_at``.
    values
        The money of each action under each outcome, per case; NaN is a value that isn't known.
    status_quo
        Shape (n,): the code of the action that the status quo takes.
    held
        Shape (n,): the status quo decides these whatever a model says.
    classes, actions
        C and A names, in the brief's order.
    levels, amounts
        Of an outcome that is a number: the number behind each truth code, and the amount behind each
        action; ``classes`` is then empty.
    capacity
        How many cases of a period another action than the status quo's may be taken on.
    groups
        For limits and remedies; None where the brief has none that a fit carries out.
    acted
        What was done to the cases, where that changes what comes true; None where it doesn't.

    Raises
    ------
    ValueError
        When the shapes don't fit together, rows are not sorted or a code is out of range.
    """

    features: pl.DataFrame
    decided_at: NDArray[np.int64]
    truth: Codes
    values: Values
    status_quo: Codes
    held: NDArray[np.bool_]
    classes: tuple[str, ...]
    actions: tuple[str, ...]
    capacity: Capacity | None = None
    levels: NDArray[np.float64] | None = None
    amounts: tuple[float, ...] = ()
    acted: Acted | None = None
    groups: CutGroups | None = None

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
            ("truth", self.truth, self.classes if self.levels is None else self.levels),
            ("status_quo", self.status_quo, self.actions),
        ):
            if rows and (codes.min() < 0 or codes.max() >= len(names)):
                message = f"{name} of a cut: codes were {codes.min()} to {codes.max()}, of {len(names)} names"
                raise ValueError(message)

    def take(self, rows: NDArray[np.int64]) -> Cut:
        """Give some of the rows, in the order asked for, which has to be one of time."""
        return replace(
            self,
            features=self.features[rows] if self.features.width else pl.DataFrame(height=len(rows)),
            decided_at=self.decided_at[rows],
            truth=self.truth[rows],
            values=self.values.take(rows),
            status_quo=self.status_quo[rows],
            held=self.held[rows],
            acted=None if self.acted is None else self.acted.take(rows),
            groups=None if self.groups is None else self.groups.take(rows),
        )

    @property
    def rows(self) -> int:
        """The number of cases."""
        return len(self.decided_at)

    def features_of(self, rows: slice[int, int, None] | NDArray[np.int64]) -> pl.DataFrame:
        """Give the features of some rows; unlike brackets, it keeps the height of a frame without columns."""
        if isinstance(rows, slice):
            return self.features.slice(rows.start, rows.stop - rows.start)
        return self.features[rows] if self.features.width else pl.DataFrame(height=rows.size)

    @property
    def numbers(self) -> NDArray[np.float64]:
        """Shape (n,): the outcomes, where they are numbers.

        Raises
        ------
        ValueError
            When they are classes.
        """
        if self.levels is None:
            message = "the outcomes of this cut are classes, not numbers"
            raise ValueError(message)
        return self.levels[self.truth]

    @property
    def most_frequent(self) -> int:
        """Cases with the outcome that came true most often."""
        return int(np.bincount(self.truth).max()) if self.rows else 0

    def outcomes(self) -> dict[str, int]:
        """Count the cases by class, in the order of ``classes``; numbers aren't counted."""
        if self.levels is not None:
            return {}
        counts = np.bincount(self.truth, minlength=len(self.classes))
        return {name: int(count) for name, count in zip(self.classes, counts, strict=True)}
