"""Landing: rows become versions, each kept once; what can't be one is set aside with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from wholeroad.core.errors import FaultsError
from wholeroad.core.expressions import bind
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
)
from wholeroad.road.data.casting import INSTANT, blame_text, cast
from wholeroad.road.data.content import row_hashes
from wholeroad.road.data.contracts.inspecting import Inspector
from wholeroad.road.data.mending.applying import Mender
from wholeroad.road.data.presence import Hashes, Stored, compares_newest, key_hashes
from wholeroad.road.data.quarantine import Verdict, row_numbers, set_aside
from wholeroad.road.data.shaping import Shaped, shape
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN, ORDER

_KEY: Final = "key"
_NEWEST: Final = "newest"
_BEFORE: Final = "before"
_GONE: Final = "gone"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that is mended, shaped, timed and judged; nothing is compared with what is there yet.

    Attributes
    ----------
    batch
        Its frame mended, the raw one beside it.
    shaped
        Its columns in kept types, with the verdict.
    timed
        The same with the instants that the source's expressions give.
    mended
        Rows changed or set aside, by step of the mend.
    """

    batch: Batch
    shaped: Shaped
    timed: pl.DataFrame
    mended: Mapping[str, int]


def prepare(
    batch: Batch,
    source: SourceTable,
    *,
    name: str,
    stored: Stored | None = None,
    mender: Mender | None = None,
    inspector: Inspector | None = None,
) -> Prepared:
    """Mend the rows, shape them, find their times, and ask the contract; see :func:`land`."""
    verdict, counts = None, dict[str, int]()
    if mender is not None:
        numbers = row_numbers(batch) + batch.rows_before
        mended = mender.mend(batch.frame, numbers=numbers)
        verdict, counts = mended.verdict, dict(mended.counts)
        batch = replace(batch, frame=mended.frame, raw=batch.frame)
    shaped = shape(batch, source, name=name, stored=stored, verdict=verdict)
    timed = _with_times(shaped.frame, batch, source, name)
    if not source.static:
        _blame_times(timed, source, shaped.verdict)
    if inspector is not None:
        happened = None if source.static else timed[HAPPENED]
        inspector.inspect(shaped.frame, shaped.verdict, happened=happened)
    return Prepared(batch, shaped, timed, counts)


def land(
    batch: Batch,
    source: SourceTable,
    *,
    name: str,
    stored: Stored | None = None,
    mender: Mender | None = None,
    inspector: Inspector | None = None,
) -> Landing:
    """Turn a batch into new row versions (design, section 5), without writing anything.

    A version's identity is (key, claimed ``known_at``, content): one that is stored already, or came before
    in the same batch, is repeated and not landed. With ``known_at = "landed"``, and in static sources, a row
    is also compared with its newest version. Types are fixed by the first landing; later rows are cast
    where no value is lost. Rows missing from a dump are told by :func:`tombstones`, when all of it is in.

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
    mender, inspector
        The mend and the contract of the source, which remember the batch's earlier parts; None without.

    Returns
    -------
    Landing
        Rows to append, rows to set aside, and counts that add up.

    Raises
    ------
    UserError
        ``data.column-missing``, ``data.reserved-column``, ``data.column-type``, ``brief.unknown-type``,
        and what binding the source's expressions and steps raises.

    Examples
    --------
    >>> import polars as pl
    >>> source = SourceTable(read="none", key="id", happened_at="day", known_at="day")
    >>> frame = pl.DataFrame({"id": ["a", "a", None], "day": ["2013-01-01"] * 3})
    >>> batch = Batch(frame.with_columns(pl.col("day").str.to_date()), landed_at=0, imported=True)
    >>> land(batch, source, name="visits").counts
    Counts(rows_in=3, landed=1, repeated=1, quarantined=1, deleted=0)
    """
    prepared = prepare(batch, source, name=name, stored=stored, mender=mender, inspector=inspector)
    batch, shaped, timed = prepared.batch, prepared.shaped, prepared.timed
    verdict = shaped.verdict
    identity = _identity(timed, source)
    if source.static:
        _blame_clashes(identity, source, verdict)
    fine = verdict.fine()
    new = fine & ~_repeated(identity, fine, batch, source, stored)
    rows = timed.with_columns(identity[VERSION], pl.lit(value=False).alias(DELETED))
    rows = _numbered(rows if new.all() else rows.filter(new), batch, source)
    aside = set_aside(batch, verdict, name=name, known=None if stored is None else stored.quarantined)
    counts = Counts(
        rows_in=batch.rows_in,
        landed=rows.height,
        repeated=batch.rows_in - rows.height - aside.height,
        quarantined=aside.height,
    )
    return Landing(
        rows,
        aside,
        counts,
        next_seq=batch.next_seq + rows.height,
        ignored_columns=shaped.ignored,
        identity=identity if fine.all() else identity.filter(fine),
        seen=_keys_seen(shaped, batch, source),
        fine=fine,
        mended=prepared.mended,
    )


def _with_times(frame: pl.DataFrame, batch: Batch, source: SourceTable, name: str) -> pl.DataFrame:
    if source.happened_at is None or source.known_at is None:
        nothing = pl.lit(None, dtype=INSTANT)
        return frame.with_columns(nothing.alias(HAPPENED), nothing.alias(CLAIMED))
    landed = pl.lit(batch.known_at).cast(INSTANT)
    happened, claimed = (
        landed if text == "landed" else _instant(text, frame, source, f"[source.{name}] {word}")
        for word, text in (("happened_at", source.happened_at), ("known_at", source.known_at))
    )
    return frame.with_columns(happened.alias(HAPPENED), claimed.alias(CLAIMED))


def _instant(text: str, frame: pl.DataFrame, source: SourceTable, where: str) -> pl.Expr:
    dtype = frame.schema.get(text)
    if dtype == INSTANT:
        return pl.col(text)
    if dtype == pl.Date:
        return pl.col(text).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    try:
        bound = bind(text, frame.schema, where=where, expects="instant", timezone=source.timezone)
    except FaultsError as error:
        table = where.partition(" ")[0]
        faults = blame_text(error.faults, text, frame=frame, where=table)
        raise FaultsError(error.headline, faults) from error
    return bound.polars.cast(INSTANT)


def _blame_times(timed: pl.DataFrame, source: SourceTable, verdict: Verdict) -> None:
    for column, word, text, code in (
        (HAPPENED, "happened_at", source.happened_at, "data.happened-null"),
        (CLAIMED, "known_at", source.known_at, "data.known-null"),
    ):
        reason = pl.lit(f"{word} ({text}) was empty")
        verdict.blame(timed[column].is_null(), code, reason=reason, frame=timed)
    if source.planned:
        return
    early = timed[CLAIMED] < timed[HAPPENED]
    written = [pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ") for column in (CLAIMED, HAPPENED)]
    reason = pl.format("known_at was {}, before happened_at {}, and the source is not planned", *written)
    verdict.blame(early, "data.known-before-happened", reason=reason, frame=timed)


def _identity(timed: pl.DataFrame, source: SourceTable) -> pl.DataFrame:
    """Give hashes of key and content: what makes a version this one, together with its claim."""
    content = timed.drop(HAPPENED, CLAIMED)
    return pl.DataFrame(
        {
            _KEY: row_hashes(content.select(source.key)).view(np.int64),
            VERSION: row_hashes(content).view(np.int64),
        }
    )


def _blame_clashes(identity: pl.DataFrame, source: SourceTable, verdict: Verdict) -> None:
    """In a static source a key says one thing; rows that disagree are set aside, all of them."""
    fine = identity.filter(verdict.fine()).select(_KEY, VERSION).unique()
    clashing = fine.filter(pl.col(_KEY).is_duplicated())[_KEY].unique()
    if len(clashing):
        reason = pl.lit(f"another row had the same {', '.join(source.key)} and said something else")
        verdict.blame(
            identity[_KEY].is_in(clashing.implode()), "data.key-repeated", reason=reason, frame=identity
        )


def _repeated(
    identity: pl.DataFrame, fine: pl.Series, batch: Batch, source: SourceTable, stored: Stored | None
) -> pl.Series:
    """Tell which rows are there already; rows that aren't fine count for nothing."""
    marked = identity.with_columns(fine.alias("fine"))
    repeated = ~marked.select(pl.struct("fine", VERSION).is_first_distinct()).to_series()
    if stored is not None:
        repeated |= pl.Series(stored.presence.has(identity[VERSION].to_numpy()))
    if not compares_newest(source):
        return repeated
    return repeated | _is_newest(marked, batch, source, stored)


def _is_newest(marked: pl.DataFrame, batch: Batch, source: SourceTable, stored: Stored | None) -> pl.Series:
    """Tell which rows say what the newest version of their key says; live, row after row."""
    newest = pl.lit(None, dtype=pl.Int64).alias(_NEWEST)
    if stored is not None:
        versions, found = stored.presence.newest(marked[_KEY].to_numpy())
        said = pl.DataFrame({_NEWEST: versions, "found": found})
        newest = said.select(pl.when("found").then(_NEWEST)).to_series().alias(_NEWEST)  # type: ignore[assignment]
    before = pl.lit(None, dtype=pl.Int64).alias(_BEFORE)
    if not batch.imported and not source.static:
        before = pl.col(VERSION).shift(1).over("fine", _KEY).alias(_BEFORE)
    return (
        marked.with_columns(newest)
        .select((pl.col(VERSION) == pl.coalesce(before, pl.col(_NEWEST))).fill_null(value=False))
        .to_series()
    )


def _keys_seen(shaped: Shaped, batch: Batch, source: SourceTable) -> Hashes:
    """Hash the keys of all rows of the batch: a row that was set aside is not absent."""
    if source.absent != "deleted":
        return np.zeros(0, dtype=np.int64)
    seen = [shaped.frame.select(source.key)]
    was = _raw_names(source)
    if batch.bad is not None and {was.get(key, key) for key in source.key} <= set(batch.bad.columns):
        schema = shaped.frame.schema
        keys = [cast(batch.bad[was.get(key, key)], schema[key]).alias(key) for key in source.key]
        seen.append(pl.DataFrame(keys))
    return np.unique(key_hashes(pl.concat(seen), tuple(source.key)))


def _raw_names(source: SourceTable) -> dict[str, str]:
    """Give the names that columns had before a mend renamed them."""
    names: dict[str, str] = {}
    for step in source.mend.steps if source.mend else ():
        if step.rename is not None and step.to is not None:
            names[step.to] = names.pop(step.rename, step.rename)
    return names


def tombstones(last: pl.DataFrame, batch: Batch, *, source: SourceTable) -> pl.DataFrame:
    """Give a version that says "gone" for each row that stands and that a dump has no row of.

    Parameters
    ----------
    last
        The rows' newest versions, all stored columns.
    batch
        The dump; its own rows don't matter.

    Returns
    -------
    polars.DataFrame
        To be appended after the dump's rows.
    """
    said = last.select(VERSION).with_columns(pl.lit(batch.known_at).alias(_GONE))
    claimed = pl.lit(None if source.static else batch.known_at, dtype=pl.Int64).cast(INSTANT)
    gone = last.with_columns(
        claimed.alias(CLAIMED),
        pl.Series(VERSION, row_hashes(said).view(np.int64)),
        pl.lit(value=True).alias(DELETED),
    ).drop(KNOWN, LANDED, SEQ, ORDER)
    return _numbered(gone, batch, source)


def _numbered(rows: pl.DataFrame, batch: Batch, source: SourceTable) -> pl.DataFrame:
    landed = pl.lit(batch.landed_at).cast(INSTANT)
    return numbered(rows, source, landed=landed, next_seq=batch.next_seq, imported=batch.imported)


def numbered(
    rows: pl.DataFrame, source: SourceTable, *, landed: pl.Expr, next_seq: int, imported: bool
) -> pl.DataFrame:
    """Add what the writer knows: when the rows landed, their numbers, and when they became known here.

    Parameters
    ----------
    rows
        The user's columns, and ``_happened_at``, ``_claimed_at``, ``_version`` and ``_deleted``.
    landed
        When each of them landed.
    next_seq, imported
        As in :class:`~wholeroad.road.data.batches.Batch`.

    Returns
    -------
    polars.DataFrame
        As the table keeps them: the user's columns, then those of
        :data:`~wholeroad.road.data.batches.SYSTEM`.
    """
    known = pl.col(CLAIMED)
    if not imported and not source.static:
        known = pl.max_horizontal(CLAIMED, landed)
    seq = pl.int_range(next_seq, next_seq + pl.len(), dtype=pl.Int64)
    # Versions of one instant: in imports the content decides, so that neither files nor batches do.
    by_content = -1 - (pl.col(VERSION).reinterpret(signed=False) // 2).cast(pl.Int64)
    order = by_content if imported and not source.static else seq
    made = rows.with_columns(known.alias(KNOWN), landed.alias(LANDED), seq.alias(SEQ), order.alias(ORDER))
    own = [column for column in rows.columns if column not in SYSTEM]
    return made.select(*own, *SYSTEM)
