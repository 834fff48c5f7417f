"""The greatest, the least and the distinct values over ranges of cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.data.features.activity import Integers, Placed
from wholeroad.road.data.features.latest import greatest, without_own


@dataclass(frozen=True, slots=True)
class Pieces:
    """Ranges of places at which versions count, without the place of the case whose own they are.

    Attributes
    ----------
    begin, end
        Shape (n,): each is ``begin .. end-1``; some are empty.
    index
        Which version, as an index into the :class:`~wholeroad.road.data.features.activity.Activity`.
    base
        Microseconds; the instant by which the version is dated.
    size
        The number of places.
    """

    begin: Integers
    end: Integers
    index: Integers
    base: Integers
    size: int


def pieces(placed: Placed, end: Integers, *, counted: NDArray[np.bool_] | None) -> Pieces:
    """Find where versions count.

    Parameters
    ----------
    end
        Where each version of ``placed`` ceases to count.
    counted
        Which versions of the activity count at all; None when all do.
    """
    begin, versions = placed.begin, np.arange(placed.index.size)
    if placed.own is not None:
        begin, end, versions = without_own(begin, end, own=placed.own)
    taken = begin < end
    if counted is not None:
        taken &= counted[placed.index[versions]]
    versions = versions[taken]
    return Pieces(
        begin[taken], end[taken], placed.index[versions], placed.base[versions], placed.places.cases.size
    )


def last_base(active: Pieces) -> tuple[Integers, NDArray[np.bool_]]:
    """Find the last instant by which a version that counts is dated.

    Returns
    -------
    instants, found
        Shape (size,): microseconds, and whether there is one at all.
    """
    by_rank = np.argsort(active.base, kind="stable")
    rank = np.empty(by_rank.size, np.int64)
    rank[by_rank] = np.arange(by_rank.size)
    best = greatest(active.begin, active.end, rank=rank, size=active.size)
    found = best >= 0
    instants = np.zeros(active.size, np.int64)
    instants[found] = active.base[by_rank[best[found]]]
    return instants, found


def extreme(active: Pieces, ranks: Integers, *, least: bool) -> Integers:
    """Find the greatest rank of the versions that count, or the least.

    Parameters
    ----------
    ranks
        Of all versions of the activity: ``0 .. n-1``.

    Returns
    -------
    ndarray
        Shape (size,): -1 for none.
    """
    taken = ranks[active.index]
    if not least:
        return greatest(active.begin, active.end, rank=taken, size=active.size)
    last = ranks.size - 1
    best = greatest(active.begin, active.end, rank=last - taken, size=active.size)
    return np.where(best >= 0, last - best, -1)


def count_distinct(active: Pieces, codes: Integers) -> Integers:
    """Count the different values of the versions that count.

    A value is there while any version with it is. In the order of (value, begin) each range adds
    only what reaches beyond all that came before it with the same value: that is a union of ranges,
    and then one event where each part begins and one where it ends.

    Parameters
    ----------
    codes
        Of all versions of the activity: equal values have equal codes, zero or more.

    Returns
    -------
    ndarray
        Shape (size,).
    """
    # Numbered anew, (value, place) fits into 63 bits.
    value = np.unique(codes[active.index], return_inverse=True)[1].astype(np.int64)
    lane = value * (active.size + 1)
    order = np.argsort(lane + active.begin, kind="stable")
    lane, end = lane[order], active.end[order]
    reached = np.maximum.accumulate(lane + end)
    begin = active.begin[order]
    begin[1:] = np.maximum(begin[1:], reached[:-1] - lane[1:])
    new = begin < end
    changes = np.bincount(begin[new], minlength=active.size + 1)
    changes -= np.bincount(end[new], minlength=active.size + 1)
    return np.cumsum(changes)[: active.size].astype(np.int64)
