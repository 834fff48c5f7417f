"""From the versions of a source in bulk to the rows that online features hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.road.data.features.activity import FOREVER, Activity, Integers, active
from wholeroad.road.data.features.intervals import Entry
from wholeroad.road.data.features.keyed_rows import KeyedRows
from wholeroad.road.data.features.keys import NOTHING, joint_codes
from wholeroad.road.data.features.measures import Added, Measures
from wholeroad.road.data.features.online_groups import Group
from wholeroad.road.data.features.physical import physical
from wholeroad.road.data.features.windows import Mask, evaluate
from wholeroad.road.data.row_versions import Key
from wholeroad.road.data.versions import KNOWN, ORDER, Versions

_SPARE = 5
"""Where only the newest rows are asked for, so many times as many are read, so that what is cut shows."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The versions of a source that are of use, with what each adds."""

    versions: Versions
    measures: Measures
    rows: list[Key]
    known: list[Instant]
    order: list[int]
    added: list[Added]
    at: Integers
    """Shape (rows of the source's frame,): their places in the lists."""


def load_groups(
    groups: Sequence[Group], versions: Versions, *, measures: Measures, now: Instant, serials: count[int]
) -> Iterator[tuple[Group, Key, KeyedRows]]:
    """Read the rows of groups over one source.

    Only versions that count, or will, become objects; which these are is found in bulk.

    Parameters
    ----------
    versions
        Everything known by now, and what is known to come.
    serials
        Numbers entries.

    Yields
    ------
    group, key, rows
        Each key once.
    """
    activities = {
        dating: active(versions, dating.on, own=dating.own, until=FOREVER - 1, ahead=dating.ahead)
        for dating in dict.fromkeys(group.dating for group in groups)
    }
    useful = {group.number: _useful(group, activities[group.dating], versions, now) for group in groups}
    wanted = [activities[group.dating].rows[useful[group.number]] for group in groups]
    loaded = _read(wanted, versions, measures)
    for dating, activity in activities.items():
        sharing = [group for group in groups if group.dating == dating]
        every = np.unique(np.concatenate([useful[group.number] for group in sharing]))
        places = np.full(activity.rows.size, -1, np.int64)
        places[every] = np.arange(every.size)
        entries = _entries(activity, every, loaded, serials)
        for group in sharing:
            chosen = [entries[place] for place in places[useful[group.number]].tolist()]
            rows = activity.rows[useful[group.number]]
            yield from _by_key(group, chosen, versions.frame[rows], now)


def _useful(group: Group, activity: Activity, versions: Versions, now: Instant) -> Integers:
    """Give the versions of an activity that the group can still be asked for, in the order of rank."""
    mask = activity.superseded > now
    if group.shape.longest != FOREVER:
        mask &= activity.base > now - group.shape.longest
    if group.where is not None:
        mask &= evaluate(versions.frame, group.where).fill_null(value=False).to_numpy()[activity.rows]
    places = np.flatnonzero(mask)
    places = places[np.argsort(activity.base[places], kind="stable")]
    if group.shape.newest is None:
        return places
    by = tuple((column, column) for column in group.keys.columns)
    frame = versions.frame.select(KNOWN, *group.keys.columns)[activity.rows[places]]
    codes = joint_codes(frame.clear(), frame, by=by, source=group.source).rows
    started = activity.start[places] <= now
    kept = ~started
    kept[_last_of_each(codes, started, group.shape.newest * _SPARE)] = True
    return places[np.flatnonzero(kept)]


def _last_of_each(codes: Integers, counted: Mask, many: int) -> Integers:
    """Give the last ones of each code among those that count."""
    places = np.flatnonzero(counted & (codes != NOTHING))
    places = places[np.argsort(codes[places], kind="stable")]
    last = np.searchsorted(codes[places], codes[places], side="right")
    return places[last - np.arange(places.size) <= many]


def _read(wanted: Sequence[Integers], versions: Versions, measures: Measures) -> Loaded:
    rows = np.unique(np.concatenate(wanted)) if wanted else np.zeros(0, np.int64)
    frame = versions.frame[rows]
    at = np.full(versions.frame.height, -1, np.int64)
    at[rows] = np.arange(rows.size)
    return Loaded(
        versions=versions,
        measures=measures,
        rows=list(zip(*(physical(frame[name]) for name in versions.key), strict=True)),
        known=physical(frame[KNOWN]),
        order=physical(frame[ORDER]),
        added=measures.of_frame(frame),
        at=at,
    )


def _entries(activity: Activity, places: Integers, loaded: Loaded, serials: count[int]) -> list[Entry]:
    base, start = activity.base[places].tolist(), activity.start[places].tolist()
    end = activity.superseded[places].tolist()
    found = []
    for place, at in enumerate(loaded.at[activity.rows[places]].tolist()):
        found.append(
            Entry(
                base[place],
                loaded.known[at],
                loaded.order[at],
                next(serials),
                start[place],
                end[place],
                loaded.rows[at],
                loaded.added[at],
            )
        )
    return found


def _by_key(
    group: Group, entries: Sequence[Entry], frame: pl.DataFrame, now: Instant
) -> Iterator[tuple[Group, Key, KeyedRows]]:
    by_key: dict[Key, list[Entry]] = {}
    for entry, key in zip(entries, group.keys.of_frame(frame), strict=True):
        if key is not None:
            by_key.setdefault(key, []).append(entry)
    for key, chosen in by_key.items():
        rows = KeyedRows(group.shape)
        rows.fill(chosen, now)
        yield group, key, rows
