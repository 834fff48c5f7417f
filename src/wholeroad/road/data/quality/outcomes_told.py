"""What came of the cases: which hit, of which an outcome was told, and which are old enough to count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.data.history import History

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CameTrue:
    """The newest truth of every case, in the order of the history.

    Attributes
    ----------
    hit
        Shape (n,): the class that is looked for came true; above the median, of a number. False where
        unknown.
    known
        Shape (n,): the truth is known.
    told
        Shape (n,): it is known because a row told it, and not because none came.
    mature
        Shape (n,): the case was decided at least ``matures`` before the end of the history.
    decided_at
        Shape (n,), microseconds, ascending.
    name
        Of the class that is looked for.
    """

    hit: Flags
    known: Flags
    told: Flags
    mature: Flags
    decided_at: NDArray[np.int64]
    name: str

    @property
    def sound(self) -> Flags:
        """Cases that are old enough and whose truth is known."""
        return self.known & self.mature


def came_true(history: History) -> CameTrue:
    """Gather what came of the cases, in hindsight.

    Where no class is looked for, it is the rarest one.
    """
    truth = history.as_of(history.until + 1).truth()
    known = truth >= 0
    silent = np.zeros(truth.size, dtype=bool)
    silent[history.timeline.truth_case] = history.told.silent
    decided_at = history.timeline.decided_at[: truth.size]
    brief = history.brief
    if brief.timeless:
        mature = np.ones(truth.size, dtype=bool)
    else:
        mature = decided_at + brief.outcome.matures <= history.until
    if history.told.levels is not None:
        levels = history.told.levels
        middle = np.median(levels[truth[known]]) if known.any() else 0.0
        hit, name = known & (levels[np.maximum(truth, 0)] > middle), f"an outcome above {middle:,.4g}"
    else:
        classes = brief.outcome.classes
        name = brief.outcome.positive or _rarest(truth[known], classes)
        hit = truth == classes.index(name)
    return CameTrue(hit, known, known & ~silent, mature, decided_at, name)


def _rarest(codes: NDArray[np.signedinteger], classes: tuple[str, ...]) -> str:
    counts = np.bincount(codes.astype(np.int64), minlength=len(classes))
    present = np.flatnonzero(counts)
    return classes[int(present[np.argmin(counts[present])])] if present.size else classes[0]
