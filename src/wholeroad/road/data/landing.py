"""Landing: rows become versions, each kept once; what can't be one is set aside with its reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from wholeroad.core.expressions import bind
from wholeroad.core.instants import format_instant
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.batches import (
    CLAIMED,
    LANDED,
    SEQ,
    SYSTEM,
    VERSION,
    Batch,
    Counts,
    Landing,
    Stored,
)
from wholeroad.road.data.casting import INSTANT
from wholeroad.road.data.content import row_hashes
from wholeroad.road.data.quarantine import Faulty, set_aside
from wholeroad.road.data.shaping import Shaped, shape
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN, ORDER

_KEY = "_key_hash"
_NEWEST = "_newest"
_PLACE = "_place"


def land(batch: Batch, source: SourceTable, *, name: str, stored: Stored | None = None) -> Landing:
    """Turn a batch into new row versions (design, section 5), without writing anything.

    A version's identity is (key, claimed ``known_at``, content): one that is stored already, or came before
    in the same batch, is repeated and not landed. With ``known_at = "landed"``, and in static sources, a row
    is compared with its newest version instead. Types are fixed by the first landing; later rows are cast
    where no value is lost.

    Parameters
    ----------
    batch
        The rows, when they landed, and whether they are history.
    source
        The source's table in the brief.
    name
        Its name there.
    stored
        What is there; None before the first landing.

    Returns
    -------
    Landing
        Rows to append, rows to set aside, and counts that add up.

    Raises
    ------
    UserError
        ``data.column-missing``, ``data.reserved-column``, ``data.column-type``; and what binding the
        source's expressions raises.

    Examples
    --------
    >>> import polars as pl
    >>> source = SourceTable(read="none", key="id", happened_at="at", known_at="at")
    >>> frame = pl.DataFrame({"id": ["a", "a", None], "at": ["2013-01-01"] * 3}).with_columns(
    ...     pl.col("at").str.to_date()
    ... )
    >>> land(Batch(frame, landed_at=0, imported=True), source, name="visits").counts
    Counts(rows_in=3, landed=1, repeated=1, quarantined=1, deleted=0)
    """
    shaped = shape(batch, source, name=name, stored=stored)
    timed = _with_times(shaped.frame, batch, source, name)
    faults = pl.coalesce(pl.col("code"), _time_fault(source))
    faulty = shaped.faults.with_columns(timed.select(HAPPENED, CLAIMED))
    codes = faulty.select(faults.alias("code")).to_series()
    fine = codes.is_null()
    good = timed if fine.all() else timed.filter(fine)
    identities = _identities(good, source)
    repeated, clashing = _sort_out(identities, batch, source, stored)
    new = ~(repeated | clashing)
    versions = good if new.all() else good.filter(new)
    rows = _number(
        versions.with_columns(identities.filter(new)[VERSION], pl.lit(value=False).alias(DELETED)), batch, source
    )
    gone = _tombstones(shaped, batch, source, stored)
    gone = _number(gone, batch, source, after=rows.height)
    numbers = shaped.numbers
    aside = set_aside(
        batch,
        Faulty(
            codes=_merge_clashes(codes, fine, clashing),
            words=faulty.with_columns(
                pl.col(HAPPENED, CLAIMED).map_batches(_as_text, return_dtype=pl.String)
            ),
            numbers=numbers,
        ),
        name=name,
        known=None if stored is None else stored.quarantined,
    )
    counts = Counts(
        rows_in=batch.rows_in,
        landed=rows.height,
        repeated=batch.rows_in - rows.height - aside.height,
        quarantined=aside.height,
        deleted=gone.height,
    )
    everything = pl.concat([rows, gone]) if gone.height else rows
    return Landing(
        rows=everything,
        quarantine=aside,
        counts=counts,
        next_seq=batch.next_seq + everything.height,
        ignored_columns=shaped.ignored,
    )
