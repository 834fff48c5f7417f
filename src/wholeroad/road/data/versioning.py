"""From stored rows to the versions that features read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.batches import SYSTEM
from wholeroad.road.data.casting import INSTANT
from wholeroad.road.data.content import logical_hash, row_hashes
from wholeroad.road.data.versions import (
    DELETED,
    FIRST_KNOWN,
    HAPPENED,
    KNOWN,
    ORDER,
    SUPERSEDED,
    Versions,
)

__all__ = ["logical_hash", "to_versions"]

_KEY: Final = "_key_hash"


def to_versions(stored: pl.DataFrame, source: SourceTable, *, name: str) -> Versions:
    """Order the stored rows of a source and tell when each was superseded.

    Versions of one key and one ``_known_at`` supersede each other at that same instant, the lesser
    ``_order`` first. A tombstone supersedes its row. The result doesn't depend on how the rows were split
    into batches or in which order they are stored.

    Parameters
    ----------
    stored
        The user's columns and those of :data:`~wholeroad.road.data.batches.SYSTEM`.
    source, name
        The source's table in the brief, and its name.

    Returns
    -------
    Versions
        For a static source, the newest row of each key that isn't gone, sorted by content.
    """
    own = [column for column in stored.columns if column not in SYSTEM]
    keys = _keys(stored, source.key)
    if source.static:
        newest = stored.with_columns(keys).sort(ORDER).unique(_KEY, keep="last").filter(~pl.col(DELETED))
        return Versions(name, tuple(source.key), newest.sort("_version").select(own), static=True)
    frame = stored.select(*own, HAPPENED, KNOWN, ORDER, DELETED).with_columns(keys).sort(KNOWN, ORDER)
    several = frame[_KEY].is_duplicated()
    if not several.any():
        frame = frame.with_columns(
            pl.lit(None, dtype=INSTANT).alias(SUPERSEDED), pl.col(KNOWN).alias(FIRST_KNOWN)
        )
    else:
        frame = _superseded(frame, several)
    return Versions(name, tuple(source.key), frame.drop(_KEY))


def _keys(stored: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """Tell keys apart: a single column of texts or integers by itself, others by their hash."""
    if len(key) == 1 and (stored.schema[key[0]] == pl.String or stored.schema[key[0]].is_integer()):
        return stored[key[0]].alias(_KEY)
    return pl.Series(_KEY, row_hashes(stored.select(key)).view(np.int64))


def _superseded(frame: pl.DataFrame, several: pl.Series) -> pl.DataFrame:
    """Look for the next and the first version, among the rows whose key has several."""
    places = several.arg_true()
    some = frame.select(_KEY, KNOWN)[places].select(
        pl.col(KNOWN).shift(-1).over(_KEY).alias(SUPERSEDED),
        pl.col(KNOWN).first().over(_KEY).alias(FIRST_KNOWN),
    )
    alone = pl.lit(None, dtype=INSTANT).alias(SUPERSEDED), pl.col(KNOWN).alias(FIRST_KNOWN)
    every = frame.select(*alone)
    return frame.with_columns(
        every[SUPERSEDED].scatter(places, some[SUPERSEDED]),
        every[FIRST_KNOWN].scatter(places, some[FIRST_KNOWN]),
    )


def known_at_once(stored: pl.DataFrame, source: SourceTable) -> pl.DataFrame:
    """Give stored rows as if the first version of each had been known when it happened.

    Later versions of the row come sooner by as much. A row that was known before it happens stays.

    Parameters
    ----------
    stored
        As for :func:`to_versions`.
    """
    if source.static:
        return stored
    keys = pl.Series(_KEY, row_hashes(stored.select(source.key)).view(np.int64))
    first = pl.col(KNOWN).sort_by(KNOWN, ORDER).first().over(_KEY)
    happened = pl.col(HAPPENED).sort_by(KNOWN, ORDER).first().over(_KEY)
    late = pl.max_horizontal(first - happened, pl.duration(microseconds=0))
    return stored.with_columns(keys).with_columns((pl.col(KNOWN) - late).alias(KNOWN)).drop(_KEY)
