"""Settling: decisions whose outcome has become known move the value line."""

from __future__ import annotations

import msgspec
import numpy as np

from wholeroad.core.view import PENDING, UNKNOWN, AsOf, Codes
from wholeroad.road.brief.values import Values
from wholeroad.road.watch.facts import Settled


class ValueLine(msgspec.Struct, frozen=True):
    """The money settled so far, before the fits' costs."""

    settled: int = 0
    unknown: int = 0
    value: float = 0.0

    def after(self, fact: Settled) -> ValueLine:
        """Give the line after a settlement."""
        return ValueLine(self.settled + fact.settled, self.unknown + fact.unknown, self.value + fact.value)


def settle(view: AsOf, action: Codes, *, booked: Codes, values: Values) -> Settled | None:
    """Settle what became known since the last cycle.

    Parameters
    ----------
    view
        As of this cycle, since the last.
    action
        Shape (n,): the action taken for each case, -1 where none was.
    booked
        Shape (n,): the truth by which each case is booked so far; changed in place, so that
        a corrected outcome restates the money instead of counting twice.
    values
        What actions are worth to the same cases.

    Returns
    -------
    Settled or None
        None when nothing became known.
    """
    cases, codes = view.news()
    mine = action[cases] >= 0
    cases, codes = cases[mine].astype(np.int64), codes[mine]
    if not cases.size:
        return None
    # The last version of a case stands: keep it alone.
    _, last = np.unique(cases[::-1], return_index=True)
    last = np.sort(cases.size - 1 - last)
    cases, codes = cases[last], codes[last]
    before = booked[cases]
    changed = before != codes
    cases, codes, before = cases[changed], codes[changed], before[changed]
    if not cases.size:
        return None
    had, has = before >= 0, codes >= 0
    gained = values.take(cases[has]).money(action[cases[has]], truth=codes[has])
    lost = values.take(cases[had]).money(action[cases[had]], truth=before[had])
    booked[cases] = codes
    return Settled(
        at=view.now,
        settled=int(has.sum()) - int(had.sum()),
        restated=int((has & had).sum()),
        unknown=int((codes == UNKNOWN).sum()) - int((before == UNKNOWN).sum()),
        value=float(np.sum(gained) - np.sum(lost)),
    )


def unbooked(count: int, kind: np.dtype[np.signedinteger] | None = None) -> Codes:
    """Give the truth by which cases are booked before anything is known; ``kind`` is that of its codes."""
    return np.full(count, PENDING, dtype=kind or np.int8)
