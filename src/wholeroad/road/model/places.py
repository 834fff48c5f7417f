"""Places within a capacity, counted as cases are decided."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import Instant
from wholeroad.core.view import Codes
from wholeroad.road.brief.worth import Capacity


class Places:
    """How much of each period's capacity went to decisions so far.

    Told every decision, in any order, it gives what :func:`~wholeroad.road.model.capacity.room_for` finds in
    them.

    Parameters
    ----------
    capacity
        Of the brief; None where nothing runs out, and nothing is counted.

    Examples
    --------
    >>> places = Places(Capacity(cases=2, every=10))
    >>> acted, status_quo = np.array([0, 0, 1], dtype=np.int8), np.ones(3, dtype=np.int8)
    >>> places.note(np.array([3, 12, 15]), action=acted, status_quo=status_quo)
    >>> places.used(9), places.used(10), places.used(20)
    (1, 1, 0)
    """

    def __init__(self, capacity: Capacity | None) -> None:
        self.capacity: Final = capacity
        self._used: dict[int, int] = {}
        self._first: int | None = None

    def used(self, decided_at: Instant) -> int:
        """Give how many cases of an instant's period have a place already; 0 where nothing runs out.

        Raises
        ------
        ValueError
            When the period was let go.
        """
        if self.capacity is None:
            return 0
        return self._used.get(self._period(decided_at), 0)

    def note(
        self,
        decided_at: Instant | NDArray[np.int64],
        *,
        action: Codes,
        status_quo: Codes,
        propensity: NDArray[np.float64] | None = None,
    ) -> None:
        """Count decisions, each array of shape (n,).

        Parameters
        ----------
        decided_at
            Microseconds: one instant for all of them, or one for each.
        action
            Codes; -1 where nothing was decided.
        propensity
            As :class:`~wholeroad.road.release.work.Decided` has it. Who was left alone by chance, or could
            have been, keeps a place.

        Raises
        ------
        ValueError
            When a period was let go.
        """
        if self.capacity is None:
            return
        spent = action != status_quo
        if propensity is not None:
            spent = spent | (propensity < 1)
        spent &= action >= 0
        if isinstance(decided_at, np.ndarray):
            periods, counts = np.unique(decided_at[spent] // self.capacity.every, return_counts=True)
            for period, count in zip(periods.tolist(), counts.tolist(), strict=True):
                at = self._period(period * self.capacity.every)
                self._used[at] = self._used.get(at, 0) + count
        elif count := int(np.count_nonzero(spent)):
            at = self._period(decided_at)
            self._used[at] = self._used.get(at, 0) + count

    def let_go(self, before_at: Instant) -> None:
        """Forget the periods that ended by an instant; none of their cases may come any more."""
        if self.capacity is None:
            return
        self._first = before_at // self.capacity.every
        self._used = {period: count for period, count in self._used.items() if period >= self._first}

    def _period(self, at: Instant) -> int:
        period = at // (self.capacity.every if self.capacity else 1)
        if self._first is not None and period < self._first:
            message = "places: expected a period that hasn't been let go"
            raise ValueError(message)
        return period
