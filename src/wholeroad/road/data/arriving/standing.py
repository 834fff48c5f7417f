"""The versions of one row, and what a row that comes says beside them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self

from wholeroad.core.instants import Instant
from wholeroad.road.data.arriving.compact import StoredVersion
from wholeroad.road.data.row_versions import Row, RowVersion

Content = list[Any] | int
"""Physical values of all columns, or the hash of them where only that is at hand."""


class StandingRow:
    """All versions of one row, with what each of them said.

    Attributes
    ----------
    versions
        By (known_at, order); of a source without times the newest alone, or none where that is gone.
    arrived
        How many of them came to this process and haven't been moved.
    """

    __slots__ = ("_claims", "_contents", "arrived", "versions")

    def __init__(
        self, versions: tuple[RowVersion, ...], *, contents: list[Content], claims: list[Instant | None]
    ) -> None:
        self.versions = versions
        self._contents = contents
        self._claims = claims
        self.arrived = 0

    @classmethod
    def of(cls, stored: Sequence[StoredVersion]) -> Self:
        """Take the versions of a row from the table, at least one, by (known_at, order)."""
        contents: list[Content] = [each.version for each in stored]
        return cls(_chained(stored), contents=contents, claims=[each.claimed_at for each in stored])

    @classmethod
    def first(cls, version: RowVersion, content: list[Any], *, claimed_at: Instant | None) -> Self:
        """Begin with the first version of a row that arrives."""
        standing = cls((version,), contents=[content], claims=[claimed_at])
        standing.arrived = 1
        return standing

    def add(self, version: RowVersion, content: list[Any], *, claimed_at: Instant | None) -> None:
        """Take in another version, the greatest by order."""
        self.arrived += 1
        before = list(self.versions)
        place = bisect_right([each.known_at for each in before], version.known_at)
        if place:
            before[place - 1] = replace(before[place - 1], superseded_at=version.known_at)
            version.first_known_at = before[0].first_known_at
        else:
            before = [replace(each, first_known_at=version.known_at) for each in before]
        if place < len(before):
            version.superseded_at = before[place].known_at
        before.insert(place, version)
        self.versions = tuple(before)
        self._contents.insert(place, content)
        self._claims.insert(place, claimed_at)

    def renew(self, version: RowVersion, content: list[Any]) -> None:
        """Put a version in the place of all others: a source without times has no more."""
        self.arrived += 1
        self.versions = (version,)
        self._contents = [content]
        self._claims = [None]

    def said(self, content: list[Any], of: Callable[[], int]) -> bool:
        """Tell whether any version says this.

        Parameters
        ----------
        of
            Gives the hash of the content.
        """
        return any(_same(each, content, of) for each in self._contents)

    def says(self, content: list[Any], of: Callable[[], int]) -> bool:
        """Tell whether the newest version says this."""
        return _same(self._contents[-1], content, of)

    def said_at(self, content: list[Any], of: Callable[[], int], *, claimed_at: Instant) -> bool:
        """Tell whether a version that claims this very instant says this."""
        return any(
            claim == claimed_at and _same(each, content, of)
            for each, claim in zip(self._contents, self._claims, strict=True)
        )

    def newest(self, now: Instant | None) -> tuple[Row, Content] | None:
        """Give what the newest version says that is known at ``now``; None where that is gone."""
        place = len(self.versions)
        if now is not None:
            place = bisect_right([each.known_at for each in self.versions], now) or place
        if not place or self.versions[place - 1].deleted:
            return None
        return self.versions[place - 1].values, self._contents[place - 1]


def _same(said: Content, content: list[Any], of: Callable[[], int]) -> bool:
    return said == of() if isinstance(said, int) else said == content


def _timeless(last: StoredVersion) -> RowVersion:
    return RowVersion(
        0, 0, last.order, deleted=False, values=last.values, superseded_at=None, first_known_at=0
    )


def _chained(stored: Sequence[StoredVersion]) -> tuple[RowVersion, ...]:
    if stored[-1].known_at is None:
        last = stored[-1]
        return () if last.deleted else (_timeless(last),)
    knowns = [each.known_at or 0 for each in stored]
    return tuple(
        RowVersion(
            each.happened_at or 0,
            each.known_at or 0,
            each.order,
            each.deleted,
            each.values,
            superseded,
            knowns[0],
        )
        for each, superseded in zip(stored, [*knowns[1:], None], strict=True)
    )
