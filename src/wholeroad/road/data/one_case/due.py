"""When one case is decided, by all versions of its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import polars as pl

from wholeroad.core.expressions import Expression
from wholeroad.core.expressions.single import for_one
from wholeroad.core.instants import Instant
from wholeroad.road.data.binding import AT_ONCE, WHEN_KNOWN
from wholeroad.road.data.row_versions import RowVersion

AsksAt = Callable[[RowVersion], Instant | None]
"""The ``decide_at`` of a row version; None where it is null."""


class Due(msgspec.Struct, frozen=True):
    """When a case is decided, as things stand.

    Attributes
    ----------
    due_at
        The first instant at which its newest known version asks for it; it may be past or ahead.
    late
        That version became known only after its ``decide_at``.
    index
        The place of that version among those given: the case's row as decided.
    """

    due_at: Instant
    late: bool
    index: int


def asks_at(decide_at: Expression, schema: Mapping[str, pl.DataType]) -> AsksAt:
    """Give the function that asks a row version for its ``decide_at``.

    Parameters
    ----------
    decide_at
        As the brief's binding gives it, also where cases have no time, or are decided as soon as known.
    schema
        Of the case's source, as landed.
    """
    if decide_at == WHEN_KNOWN:
        return lambda version: version.known_at
    if decide_at == AT_ONCE:
        return lambda _: 0
    call = for_one(decide_at, schema).call
    return lambda version: call(version.values)


def due_at(versions: Sequence[RowVersion], decide_at: AsksAt) -> Due | None:
    """Find the instant at which a case is decided, as :func:`~wholeroad.road.data.cases.decide_cases` does.

    A version holds from when it is known to when the next is; the first that asks to be decided while it
    holds decides. One that is superseded at the very instant at which it asks doesn't: arrivals come first.

    Parameters
    ----------
    versions
        All versions of one row of the case's source, in order of ``(known_at, order)``, each with its
        ``superseded_at``. Some may lie ahead.
    decide_at
        As :func:`asks_at` gives it.

    Returns
    -------
    Due or None
        None when it never is decided as things stand; a version that comes later may change that.

    Examples
    --------
    >>> row = RowVersion(100, 5, 1, deleted=False, values={"due": 20}, superseded_at=None, first_known_at=5)
    >>> due_at([row], lambda version: version.values["due"])
    Due(due_at=20, late=False, index=0)
    """
    for index, version in enumerate(versions):
        if version.deleted:
            continue
        asked_at = decide_at(version)
        if asked_at is None:
            continue
        late = version.known_at > asked_at
        at = version.known_at if late else asked_at
        if version.superseded_at is None or at < version.superseded_at:
            return Due(at, late, index)
    return None
