"""When each case is decided, and what is known of it then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.expressions import Expression
from wholeroad.core.instants import Instant
from wholeroad.road.data.content import row_hashes
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN, ORDER, SUPERSEDED, Versions

DECIDED: Final = "_decided_at"
LATE: Final = "_late"
ID: Final = "_id"


@dataclass(frozen=True, slots=True)
class Cases:
    """Every case that is decided, in order.

    Attributes
    ----------
    frame
        The case's columns in the version known at ``decided_at``, and ``_decided_at``,
        ``_late`` (known only after its ``decide_at``) and ``_id`` (UInt64, a hash of the
        key that doesn't change); sorted by ``_decided_at``, then ``_id``.
    key
        The key columns.
    source
        Where the cases come from.
    never
        Rows that never get a decision: ``decide_at`` is null, or it was taken back before.
    """

    frame: pl.DataFrame
    key: tuple[str, ...]
    never: int
    source: str

    @property
    def decided_at(self) -> NDArray[np.int64]:
        """Shape (n,), microseconds, ascending."""
        return self.frame[DECIDED].to_physical().to_numpy()

    @property
    def ids(self) -> NDArray[np.uint64]:
        """Shape (n,)."""
        return self.frame[ID].to_numpy()


def decide_cases(versions: Versions, decide_at: Expression, *, until: Instant) -> Cases:
    """Find the instant at which each case is decided: once, and never again.

    It is the first instant at which the newest known version has ``decide_at <= now``; a
    version holds from when it is known to when the next is.

    Parameters
    ----------
    versions
        Of the case's source.
    decide_at
        Over the case's row.
    until
        Only decisions up to here, the last instant of the history.
    """
    frame = versions.frame.with_columns(decide_at.polars.alias("_decide_at"))
    instant = pl.max_horizontal(KNOWN, "_decide_at")
    holds = (
        pl.col("_decide_at").is_not_null()
        & ~pl.col(DELETED)
        & (pl.col(SUPERSEDED).is_null() | (instant < pl.col(SUPERSEDED)))
    )
    rows = frame.height
    keys = list(versions.key)
    frame = frame.with_columns(
        instant.alias(DECIDED), (pl.col(KNOWN) > pl.col("_decide_at")).alias(LATE), key_hash(keys).alias(ID)
    ).filter(holds)
    if versions.frame[SUPERSEDED].null_count() < rows:
        rows = versions.frame[SUPERSEDED].null_count()
        # Rows come in order of (known, order): the first version that holds decides.
        frame = frame.unique(subset=keys, keep="first", maintain_order=True)
    never = rows - frame.height
    end = pl.lit(until, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    frame = (
        frame.filter(pl.col(DECIDED) <= end)
        .drop(HAPPENED, KNOWN, ORDER, DELETED, SUPERSEDED, "_first_known_at", "_decide_at")
        .sort(DECIDED, ID)
    )
    return Cases(frame, versions.key, never=never, source=versions.source)


SEPARATOR: Final = "\x1f"
"""Between the parts of a key's text."""

HASHED: Final = "key"
"""The name under which the text of a key is hashed."""


def key_hash(keys: list[str]) -> pl.Expr:
    """Hash a key to 64 bits, the same for integers of any width and for text of any kind.

    It outlives upgrades: decisions are found by it, and chance is drawn from it.
    """
    parts = [pl.col(name).cast(pl.String) for name in keys]
    return text_hash(pl.concat_str(parts, separator=SEPARATOR))


def text_hash(texts: pl.Expr) -> pl.Expr:
    """Hash texts of keys, whose parts are joined by :data:`SEPARATOR`."""
    return texts.map_batches(_hashed, return_dtype=pl.UInt64, is_elementwise=True)


def _hashed(texts: pl.Series) -> pl.Series:
    return pl.Series(texts.name, row_hashes(pl.DataFrame({HASHED: texts})))
