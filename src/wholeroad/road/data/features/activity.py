"""When row versions are active, as ranges of cases.

The cases are put in the order of (key, decided_at). A version that is active over a span of time is
then active for a range of places in that order, so that a window is a sum over ranges and *latest* is
a maximum over ranges: two searches per version, and no loop over rows or cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import Span
from wholeroad.road.data.features.keys import NOTHING, Codes
from wholeroad.road.data.features.specs import On
from wholeroad.road.data.versions import DELETED, FIRST_KNOWN, HAPPENED, KNOWN, SUPERSEDED, Versions

Integers = NDArray[np.int64]

FOREVER: Final = np.iinfo(np.int64).max
_LARGEST_COMPOSITE: Final = 2**62
_RADIX: Final = 2**16


@dataclass(frozen=True, slots=True)
class Activity:
    """The versions of a source that are active at some time up to a last instant.

    Attributes
    ----------
    rows
        Shape (n,): their rows in the source's frame, so in the order of ``(known_at, order)``.
    start
        Microseconds; from here on the version counts.
    base
        Microseconds; a window's span begins here: ``happened_at``, or the first ``known_at``; of a plan
        ``happened_at - over``, so that the span ends when it happens.
    superseded
        Microseconds; from here on the version doesn't count, :data:`FOREVER` for the newest.
    """

    rows: Integers
    start: Integers
    base: Integers
    superseded: Integers


def microseconds(column: pl.Series) -> Integers:
    """Give instants as integers, null as :data:`FOREVER`."""
    return column.to_physical().fill_null(FOREVER).to_numpy().astype(np.int64)


def active(versions: Versions, on: On, *, own: bool, until: int, ahead: Span = 0) -> Activity:
    """Find when versions are active.

    Parameters
    ----------
    versions
        Of a source with time.
    on
        What a window's span is measured on.
    own
        Whether this is the case's own source: a version is then visible after its ``known_at`` only.
    until
        The last ``decided_at``; versions that start later are left out, so that nothing in them
        can be the cause of anything.
    ahead
        For ``planned``: how far ahead of the decision a row may lie.
    """
    frame = versions.frame
    happened, known = microseconds(frame[HAPPENED]), microseconds(frame[KNOWN])
    superseded = microseconds(frame[SUPERSEDED])
    if own:
        known = known + 1
        superseded = np.where(superseded == FOREVER, FOREVER, superseded + 1)
    if on == "happened":
        start, base = np.maximum(known, happened), happened
    elif on == "known":
        start, base = known, microseconds(frame[FIRST_KNOWN])
    else:
        start, base = np.maximum(known, happened - ahead), happened - ahead
        superseded = np.minimum(superseded, happened)
    rows = np.flatnonzero((start < superseded) & (start <= until) & ~frame[DELETED].to_numpy())
    return Activity(rows, start[rows], base[rows], superseded[rows])


class Places:
    """The cases in the order of (key, decided_at); cases with a null in the key have no place.

    Attributes
    ----------
    cases
        Shape (m,): the case at each place.
    """

    def __init__(self, codes: Integers, decided_at: Integers, *, size: int) -> None:
        self._first = int(decided_at.min()) if decided_at.size else 0
        self._last = int(decided_at.max()) if decided_at.size else 0
        self._width = self._last - self._first + 2
        self._ranked: Integers | None = None  # only where (key, instant) wouldn't fit into 63 bits
        if size * self._width >= _LARGEST_COMPOSITE:
            self._ranked = np.unique(decided_at)
            self._width = self._ranked.size + 1
        cases = np.flatnonzero(codes != NOTHING)
        keys = codes[cases]
        composite = self.composite(keys, decided_at[cases])
        if size <= _RADIX and bool(np.all(decided_at[1:] >= decided_at[:-1])):
            order = np.argsort(keys.astype(np.uint16), kind="stable")
        else:
            order = np.argsort(composite, kind="stable")
        self.cases: Integers = cases[order]
        self._composite: Integers = composite[order]

    def composite(self, codes: Integers, instants: Integers) -> Integers:
        """Give integers that compare with those of the cases as (key, instant) do."""
        if self._ranked is not None:
            moments = np.searchsorted(self._ranked, instants, side="left").astype(np.int64)
        else:
            moments = np.clip(instants, self._first, self._last + 1)
            moments -= self._first
        moments += codes * self._width
        return moments

    def find(self, codes: Integers, instants: Integers) -> Integers:
        """Give the first place of the key whose ``decided_at`` is not before the instant."""
        return np.searchsorted(self._composite, self.composite(codes, instants), side="left")


@dataclass(frozen=True, slots=True)
class Own:
    """Which versions are of the case itself.

    Attributes
    ----------
    versions
        Indices into :class:`Placed`.
    places
        The place of the case that each is of.
    """

    versions: Integers
    places: Integers


@dataclass(frozen=True, slots=True)
class Placed:
    """Active versions of a source, by key, with the place where each begins to count.

    Attributes
    ----------
    places
        Where the cases are.
    index
        Shape (n,): indices into the :class:`Activity`.
    codes, base, superseded
        Their keys and instants.
    begin
        The first place at which each counts.
    own
        None unless the source is the case's own.
    """

    places: Places
    index: Integers
    codes: Integers
    base: Integers
    superseded: Integers
    begin: Integers
    own: Own | None

    def until(self, instants: Integers) -> Integers:
        """Give the first place at which versions that end at these instants no longer count."""
        return np.maximum(self.begin, self.places.find(self.codes, instants))

    def end(self, over: Span | None) -> Integers:
        """Give the first place at which each version no longer counts in windows over a span."""
        if over is None:
            return self.until(self.superseded)
        return self.until(np.minimum(self.base + over, self.superseded))


def place(activity: Activity, places: Places, *, codes: Codes, own: Codes | None) -> Placed:
    """Give active versions their places.

    Parameters
    ----------
    codes
        Of the window's key.
    own
        Codes of the case's key in the case's own source.
    """
    row_codes = codes.rows[activity.rows]
    index = np.flatnonzero(row_codes != NOTHING)
    # In the order of the places, searches touch neighbouring memory: about three times faster.
    row_codes = row_codes[index]
    order = np.argsort(places.composite(row_codes, activity.base[index]))
    index, row_codes = index[order], row_codes[order]
    begin = places.find(row_codes, activity.start[index])
    pairs = None if own is None else _own_pairs(own, activity.rows[index], places)
    return Placed(places, index, row_codes, activity.base[index], activity.superseded[index], begin, pairs)


def _own_pairs(own: Codes, rows: Integers, places: Places) -> Own:
    """Pair versions with the places of the cases whose own row they are, whatever the window's key."""
    case_codes = own.cases[places.cases]
    by_code = np.argsort(case_codes, kind="stable")
    ordered = case_codes[by_code]
    wanted = own.rows[rows]
    low = np.searchsorted(ordered, wanted, side="left")
    many = np.searchsorted(ordered, wanted, side="right") - low
    many[wanted == NOTHING] = 0
    versions = np.repeat(np.arange(rows.size), many)
    within = np.arange(versions.size) - np.repeat(np.cumsum(many) - many, many)
    at = by_code[np.repeat(low, many) + within]
    return Own(versions, at)
