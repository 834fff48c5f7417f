"""What the service answers, with instants as aware date-times in UTC.

A later service may say more than is written here; what isn't known is left out.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import msgspec


class RowAnswer(msgspec.Struct, frozen=True):
    """What became of one row.

    Attributes
    ----------
    status
        ``landed``, ``already known``, ``new version`` or ``quarantined``. A request whose answer was lost
        is sent again, and its rows are then ``already known``.
    code, reason
        Why it was set aside.
    case
        Of an outcome: ``matched``, or ``unknown`` until the case comes.
    """

    status: str
    code: str | None = None
    reason: str | None = None
    case: str | None = None


class RowsAnswer(msgspec.Struct, frozen=True):
    """What became of rows, in their order.

    Attributes
    ----------
    landed_at
        When; of the last request where there were several.
    """

    source: str
    landed_at: datetime
    rows: list[RowAnswer]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each status.

        Examples
        --------
        >>> from datetime import UTC
        >>> at = datetime(2024, 1, 1, tzinfo=UTC)
        >>> RowsAnswer("parcels", at, [RowAnswer("landed"), RowAnswer("landed")]).counts
        {'landed': 2}
        """
        return dict(Counter(row.status for row in self.rows))

    @property
    def set_aside(self) -> list[tuple[int, RowAnswer]]:
        """The rows that were quarantined, each with its place among those that were sent."""
        return [(place, row) for place, row in enumerate(self.rows) if row.status == "quarantined"]


class CaseAnswer(msgspec.Struct, frozen=True):
    """What became of one case.

    Attributes
    ----------
    decision_id
        By which :meth:`wholeroad.client.Client.decision` finds it again; empty where it was set aside.
    key
        The columns of its key; empty where it was set aside.
    status
        ``decided``; ``accepted``: it is decided when it is due; ``history``: it was due before the service
        was opened; ``conflict``: the case is known with other content; ``quarantined``.
    due_at, decided_at
        When it is due, when it was decided.
    action, decided_by, model
        What is to be done, and who says so: ``model`` (by its digest), ``status quo``, ``people`` and so on.
    probabilities
        By class, or by quantile.
    expected_value, expected_values
        Of the action, and of each action, in the brief's unit.
    propensity
        The probability with which the action was chosen, where chance had a part.
    features
        What was known when it was decided; asked for by ``features=True``.
    first
        Whether this call decided it; False for a repeated case.
    code, reason
        Why it is a conflict or was set aside.
    """

    status: str
    decision_id: str = ""
    key: dict[str, Any] = msgspec.field(default_factory=dict)
    due_at: datetime | None = None
    decided_at: datetime | None = None
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
    fitted_at: datetime
    rows: int
    why: str
    in_charge: bool
    in_charge_from: datetime | None = None


class Trouble(msgspec.Struct, frozen=True):
    """What goes wrong beside the service's answers, while it lasts.

    Attributes
    ----------
    code
        ``wholeroad explain CODE`` says more.
    happened
        In a sentence, with what the service does about it.
    since_at
        When it began.
    """

    code: str
    happened: str
    since_at: datetime


class StatusAnswer(msgspec.Struct, frozen=True):
    """How the service stands.

    Attributes
    ----------
    decided_by, model, effective_from, why
        The plan in force, and in a sentence why it is.
    rows, decisions
        Since the service was started.
    waiting
        Cases that aren't due yet.
    cycles_behind
        Cycles whose time has come and that aren't done.
    fit
        ``none``, ``running`` or ``done, enters at the next cycle``.
    trouble
        What goes wrong beside the answers: a cycle that fails, a clock that stands behind; None while all is
        well.
    """

    brief: str
    now: datetime
    decided_by: str
    why: str
    rows: int
    decisions: int
    waiting: int
    next_cycle_at: datetime
    cycles_behind: int
    fit: str
    model: str | None = None
    effective_from: datetime | None = None
    trouble: Trouble | None = None


class LedgerLine(msgspec.Struct, frozen=True):
    """A fact of the ledger with its number."""

    seq: int
    fact: dict[str, Any]
