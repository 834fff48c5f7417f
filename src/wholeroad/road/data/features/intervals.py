"""When one row's versions count, one version at a time: what :mod:`activity` says of all of them in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from wholeroad.core.instants import Instant, Span
from wholeroad.road.data.features.activity import FOREVER
from wholeroad.road.data.features.specs import On
from wholeroad.road.data.row_versions import Key, RowVersion


class Entry(NamedTuple):
    """A version of a row, from when it counts to when it doesn't; entries compare as *latest* ranks them.

    Attributes
    ----------
    base_at
        A window's span begins here.
    known_at, order
        Break ties of ``base_at``.
    serial
        Different for any two entries, so that nothing after it is ever compared.
    start_at, end_at
        The version counts on ``[start_at, end_at)``, which for the newest never ends:
        :data:`~wholeroad.road.data.features.activity.FOREVER`.
    row
        The key of its row.
    added
        What it adds to each measure of the source; None where it doesn't count.
    """

    base_at: Instant
    known_at: Instant
    order: int
    serial: int
    start_at: Instant
    end_at: Instant
    row: Key
    added: tuple[Any, ...]


class Interval(NamedTuple):
    """When a version counts, and its place in the list it is of."""

    place: int
    base_at: Instant
    start_at: Instant
    end_at: Instant


@dataclass(frozen=True, slots=True)
class Dating:
    """What makes a version count.

    Attributes
    ----------
    on
        What a window's span is measured on.
    ahead
        For ``planned``: how far ahead of the decision a row may lie.
    own
        Whether this is the case's own source: a version is then visible after its ``known_at`` only.
    """

    on: On
    ahead: Span
    own: bool

    def intervals(self, versions: Sequence[RowVersion]) -> Iterator[Interval]:
        """Give when the versions of a row count, as :func:`~wholeroad.road.data.features.activity.active`."""
        later = 1 if self.own else 0
        for place, version in enumerate(versions):
            if version.deleted:
                continue
            known = version.known_at + later
            end = FOREVER if version.superseded_at is None else version.superseded_at + later
            if self.on == "known":
                start, base = known, version.first_known_at
            elif self.on == "happened":
                start, base = max(known, version.happened_at), version.happened_at
            else:
                base = version.happened_at - self.ahead
                start, end = max(known, base), min(end, version.happened_at)
            if start < end:
                yield Interval(place, base, start, end)
