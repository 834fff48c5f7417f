"""Where a decision came from, as plain objects for whoever shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wholeroad.core.instants import Instant

RawState = Literal["found", "as landed", "tombstone", "lost"]
"""What can be said of the raw row: it was found among those kept; none is kept, since nothing was done to it;
the version only says that the row is gone; the raw rows are gone, or none comes to this row any more."""


@dataclass(frozen=True, slots=True)
class BatchTraced:
    """The batch that brought a row.

    Attributes
    ----------
    batch
        Its name on the ledger; empty in lines of old.
    read
        What was read, as people name it; empty for rows that were handed over.
    landed_at
        When it landed first.
    imported
        Whether its claims were taken at their word.
    mend
        Digest of the steps that its rows went through; empty without any.
    again
        Whether it was landed again from its raw rows, under another mend or contract.
    rows_in, landed, repeated, quarantined
        What became of its rows.
    """

    batch: str
    read: str
    landed_at: Instant
    imported: bool
    mend: str
    again: bool
    rows_in: int
    landed: int
    repeated: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class StepTraced:
    """What one step of the mend changed in a row.

    Attributes
    ----------
    label
        The step in a few words.
    reason
        As the brief gives it; may be empty.
    before, after
        The columns that differ; a column that wasn't there is missing.
    """

    label: str
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RowTraced:
    """One version of a row, and where it came from.

    Attributes
    ----------
    values
        The source's own columns, as landed.
    happened_at, known_at, claimed_at
        None in sources without time. ``known_at`` is what counts, ``claimed_at`` what the row said.
    seq
        Its number in the source.
    deleted
        The version says that the row is gone.
    batch
        None where the ledger doesn't tell.
    raw_state, raw, raw_number
        The row as it was read, and its place in the batch, counted from 1; None unless found. Where several
        raw rows say the same, the first.
    steps
        Those of the mend that changed the row, in order.
    asked_by
        Who asked for the mend.
    """

    source: str
    values: Mapping[str, Any]
    happened_at: Instant | None
    known_at: Instant | None
    claimed_at: Instant | None
    landed_at: Instant
    seq: int
    deleted: bool
    batch: BatchTraced | None
    raw_state: RawState
    raw: Mapping[str, Any] | None = None
    raw_number: int | None = None
    steps: tuple[StepTraced, ...] = ()
    asked_by: str = ""


@dataclass(frozen=True, slots=True)
class AsideTraced:
    """A raw row of the same key that was set aside."""

    code: str
    reason: str
    row: str
    row_number: int
    landed_at: Instant


@dataclass(frozen=True, slots=True)
class SourceTraced:
    """All that is there of one row of a source.

    Attributes
    ----------
    versions
        In the order in which they became known.
    set_aside
        Rows of the quarantine that have this key, as they were read.
    """

    source: str
    key: Mapping[str, Any]
    versions: tuple[RowTraced, ...]
    set_aside: tuple[AsideTraced, ...]


@dataclass(frozen=True, slots=True)
class FeatureTraced:
    """What one feature of a case was made of.

    Attributes
    ----------
    value
        As it was known when the case was decided.
    form
        ``column`` for whatever is made of the case itself, ``lookup``, ``latest``, or the window's aggregate.
    source
        Whose rows it reads; None for the case itself. Of the built-in source ``outcomes`` the rows behind it
        are those that told the outcomes.
    rows
        How many it was made of.
    some
        The newest of them, in the versions known by then.
    """

    feature: str
    value: Any
    form: str
    source: str | None
    rows: int
    some: tuple[RowTraced, ...]


@dataclass(frozen=True, slots=True)
class TruthTraced:
    """What was known of a case's outcome from an instant on; None is unknown or not there yet."""

    known_at: Instant
    truth: str | None


@dataclass(frozen=True, slots=True)
class CaseTraced:
    """Where a decision came from, back to the rows as they were read.

    Attributes
    ----------
    key
        The case's.
    decided_at
        When; nothing below the outcomes became known later.
    decision
        Its line of the table of decisions; None for a case that nothing here decided.
    case
        The version of its row that was known then.
    revisions
        Versions of that row that became known later, and changed nothing.
    features
        In the order of the brief.
    outcomes
        Every version of the rows that told the outcome, in the order in which they became known.
    truths
        What they came to, with silence and people's verdicts.
    reviewed
        Whether people's verdict stands over the rows.
    """

    key: Mapping[str, Any]
    decided_at: Instant
    decision: Mapping[str, Any] | None
    case: RowTraced
    revisions: tuple[RowTraced, ...]
    features: tuple[FeatureTraced, ...]
    outcomes: tuple[RowTraced, ...]
    truths: tuple[TruthTraced, ...]
    reviewed: bool = False
