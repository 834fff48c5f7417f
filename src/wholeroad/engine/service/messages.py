"""What goes into the service, and what comes out of it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from wholeroad.core.instants import Instant

RowStatus = Literal["landed", "already known", "new version", "quarantined"]
CaseStatus = Literal["decided", "accepted", "history", "conflict", "quarantined"]


class PutRows(msgspec.Struct, frozen=True):
    """Rows that came for a source, each as it was sent.

    Attributes
    ----------
    outcomes
        They came as outcomes: what is missing of a row is taken from what is known of it.
    """

    source: str
    rows: list[dict[str, Any]]
    outcomes: bool = False


class Decide(msgspec.Struct, frozen=True):
    """Cases to decide, each a row of the case's source.

    Attributes
    ----------
    features
        Whether the answers tell the features that were seen.
    """

    cases: list[dict[str, Any]]
    features: bool = False


Command = PutRows | Decide


class RowAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one row.

    Attributes
    ----------
    code, reason
        Why it was set aside.
    case
        Of an outcome: ``matched``, or ``unknown`` until the case comes.
    """

    status: RowStatus
    code: str | None = None
    reason: str | None = None
    case: Literal["matched", "unknown"] | None = None


class RowsAnswer(msgspec.Struct, frozen=True):
    """What became of rows, in their order, all at one instant."""

    source: str
    landed_at: Instant
    rows: list[RowAnswer]


class CaseAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one case.

    Attributes
    ----------
    decision_id
        16 hexadecimal digits, the same for the same key.
    key
        The columns of its key.
    status
        ``decided``; ``accepted``: it is decided when it is due; ``history``: it was due before the service
        was opened; ``conflict``: the case is known with other content; ``quarantined``.
    due_at, decided_at
        Microseconds.
    decided_by
        ``model``, ``status quo``, ``people`` and so on.
    probabilities
        By class, or by quantile.
    expected_values
        By action, in the brief's unit.
    first
        Whether this call decided it; False for a repeated case.
    code, reason
        Why it is a conflict or was set aside.
    """

    decision_id: str
    key: dict[str, Any]
    status: CaseStatus
    due_at: Instant | None = None
    decided_at: Instant | None = None
    action: str | None = None
    decided_by: str | None = None
    model: str | None = None
    probabilities: dict[str, float] | None = None
    expected_value: float | None = None
    expected_values: dict[str, float] | None = None
    propensity: float | None = None
    features: dict[str, Any] | None = None
    first: bool | None = None
    code: str | None = None
    reason: str | None = None


class DecisionsAnswer(msgspec.Struct, frozen=True):
    """What became of cases, in their order."""

    cases: list[CaseAnswer]


Answer = RowsAnswer | DecisionsAnswer


class ModelLine(msgspec.Struct, frozen=True):
    """A fit that was made.

    Attributes
    ----------
    model
        Digest of the model; None where the status quo won.
    in_charge_from
        When it began to decide; None for one that never did.
    """

    model: str | None
    champion: str
    fitted_at: Instant
    rows: int
    why: str
    in_charge: bool
    in_charge_from: Instant | None


class Trouble(msgspec.Struct, frozen=True):
    """What goes wrong beside the answers, while it lasts.

    Attributes
    ----------
    happened
        In a sentence, with what is done about it.
    since_at
        When it began.
    """

    code: str
    happened: str
    since_at: Instant


class StatusAnswer(msgspec.Struct, frozen=True):
    """How the service stands.

    Attributes
    ----------
    decided_by, model, effective_from
        The plan in force.
    why
        In a sentence: why the status quo decides, or since when which model does.
    rows, decisions
        Since the service was started: rows landed, cases decided.
    waiting
        Cases that aren't due yet.
    next_cycle_at
        The next one.
    cycles_behind
        Cycles whose time has come and that aren't done.
    fit
        ``none``, ``running`` or ``done, enters at the next cycle``.
    trouble
        The last thing that went wrong beside the answers; None once it is well again.
    """

    brief: str
    now: Instant
    decided_by: str
    model: str | None
    effective_from: Instant | None
    why: str
    rows: int
    decisions: int
    waiting: int
    next_cycle_at: Instant
    cycles_behind: int
    fit: str
    trouble: Trouble | None = None


class Measured(msgspec.Struct, frozen=True):
    """Counters since the start, for those who watch.

    Attributes
    ----------
    rows
        By source and status.
    cases
        By status and by who decided.
    groups, group_commands
        Groups written, and the commands in them.
    flush_s, deciding_s
        Seconds spent flushing, and landing and deciding.
    keys_in_memory, keys_spilled
        Of online features.
    jobs_failed
        Cycles, and moves into the tables, that failed and were tried again; each try counts.
    """

    rows: dict[tuple[str, str], int]
    cases: dict[tuple[str, str], int]
    groups: int
    group_commands: int
    flush_s: float
    deciding_s: float
    queued: int
    waiting: int
    cycles: int
    cycles_behind: int
    fits_failed: int
    keys_in_memory: int
    keys_spilled: int
    jobs_failed: int = 0
