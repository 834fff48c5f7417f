"""Latest: the newest known version of the row that happened last, as a maximum over ranges of cases."""

from __future__ import annotations

import numpy as np

from wholeroad.core.instants import Span
from wholeroad.road.data.features.activity import Activity, Integers, Own, Placed


def latest_rows(activity: Activity, placed: Placed, *, max_age: Span | None, cases: int) -> Integers:
    """Find the row version that is *latest* for each case.

    Of the versions that are active, the one with the greatest ``happened_at`` wins, then the one
    that became known last.

    Parameters
    ----------
    activity
        Measured on ``happened``.
    max_age
        In microseconds; older ones, measured from ``happened_at``, are left out.
    cases
        Their number.

    Returns
    -------
    ndarray
        Shape (cases,): rows of the source's frame, -1 for none.
    """
    ends = placed.superseded
    if max_age is not None:
        ends = np.minimum(ends, placed.base + (max_age + 1))
    begin, end, versions = placed.begin, placed.until(ends), np.arange(placed.index.size)
    if placed.own is not None:
        begin, end, versions = without_own(begin, end, own=placed.own)
    # The order of the frame is that of (known_at, order), so a stable sort breaks ties by it.
    by_rank = np.argsort(activity.base, kind="stable")
    rank = np.empty(by_rank.size, np.int64)
    rank[by_rank] = np.arange(by_rank.size)
    best = greatest(begin, end, rank=rank[placed.index[versions]], size=placed.places.cases.size)
    out = np.full(cases, -1, np.int64)
    found = best >= 0
    out[placed.places.cases[found]] = activity.rows[by_rank[best[found]]]
    return out


def without_own(begin: Integers, end: Integers, *, own: Own) -> tuple[Integers, Integers, Integers]:
    """Cut the case's own place out of the ranges of its own row.

    Returns
    -------
    begin, end, version
        Ranges, some of them empty, and the index of the version that each is of.
    """
    inside = (begin[own.versions] <= own.places) & (own.places < end[own.versions])
    cut, at = own.versions[inside], own.places[inside]
    versions = np.concatenate([np.arange(begin.size), cut])
    begins, ends = np.concatenate([begin, at + 1]), np.concatenate([end, at])
    # The i-th piece of a version lies between its i-th begin and its i-th end.
    by_begin, by_end = np.lexsort((begins, versions)), np.lexsort((ends, versions))
    return begins[by_begin], ends[by_end], versions[by_begin]


def greatest(begin: Integers, end: Integers, *, rank: Integers, size: int) -> Integers:
    """Give the greatest rank over the ranges that cover each place, -1 where there is none.

    A sparse table (Bender, Farach-Colton 2000, *The LCA problem revisited*, section 3), read the
    other way round: every range is covered by two blocks whose length is a power of two, and
    blocks are halved level by level until they are single places.

    Parameters
    ----------
    begin, end
        Shape (n,): ranges ``begin .. end-1`` of places; empty ones cover nothing.
    rank
        Shape (n,): zero or more.
    size
        The number of places.
    """
    some = np.flatnonzero(begin < end)
    begin, end, rank = begin[some], end[some], rank[some]
    level = np.frexp((end - begin).astype(np.float64))[1] - 1
    by_level = np.argsort(level.astype(np.uint8), kind="stable")
    top = int(level.max()) if level.size else 0
    bounds = np.searchsorted(level[by_level], np.arange(top + 2))
    best = np.full(size, -1, np.int64)
    for step in range(top, -1, -1):
        length = 1 << step
        if step < top:
            halved = best.copy()
            np.maximum(halved[length:], best[:-length], out=halved[length:])
            best = halved
        here = by_level[bounds[step] : bounds[step + 1]]
        np.maximum.at(best, begin[here], rank[here])
        np.maximum.at(best, end[here] - length, rank[here])
    return best
