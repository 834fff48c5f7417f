"""What the hot log keeps of a group: rows, decisions, and what a cycle came to."""

from __future__ import annotations

from typing import Any

import msgspec

from wholeroad.core.instants import Instant


class Aside(msgspec.Struct, frozen=True, array_like=True):
    """A row that was set aside, as the quarantine keeps it.

    Attributes
    ----------
    row
        JSON of the row as it was sent.
    content
        The identity of (source, code, row).
    number
        Its place, from 1, among the rows of its source in the group; None where nobody counted.
    """

    code: str
    reason: str
    row: str
    content: int
    number: int | None = None


class RowsIn(msgspec.Struct, frozen=True, array_like=True):
    """Rows of one source in one group.

    Attributes
    ----------
    values
        New versions: physical values in the order of the source's stored columns.
    happened_at, claimed_at
        For each of them; None in a source without times.
    version
        For each of them: hash of its content, as the table keeps it; 0 where it was not computed.
    repeated
        Rows that were known already.
    aside
        Rows that were set aside.
    schema
        Names and types (as :func:`wholeroad.road.data.presence.words` says them, and ``date``), when these
        were the first rows of the source.
    sent
        All rows as they were sent, those that are set aside or known already included: an Arrow IPC file.
        Needed where a mend or a contract made other rows of them; elsewhere rows land again from ``values``.
    ignored, mended, broken
        What landing said of these rows, as in :class:`~wholeroad.road.data.facts.BatchLanded`.
    """

    source: str
    values: list[list[Any]]
    happened_at: list[Instant | None]
    claimed_at: list[Instant | None]
    version: list[int]
    repeated: int = 0
    aside: tuple[Aside, ...] = ()
    schema: dict[str, str] | None = None
    sent: bytes | None = None
    ignored: tuple[str, ...] = ()
    mended: dict[str, int] = msgspec.field(default_factory=dict)
    broken: dict[str, int] = msgspec.field(default_factory=dict)


class DecidedCase(msgspec.Struct, frozen=True, array_like=True):
    """One decision.

    Attributes
    ----------
    key
        Physical values of the case's key.
    id
        The case's stable id, as :func:`wholeroad.road.data.cases.key_hash` gives it.
    action
        Its code.
    prediction
        Probabilities of the classes, or quantiles; NaN as None.
    """

    key: list[Any]
    id: int
    decided_at: Instant
    action: int
    prediction: list[float | None]
    expected: float | None
    propensity: float | None
    left: bool
    decider: str
    model: str | None
    expected_values: list[float | None]


class CycleDone(msgspec.Struct, frozen=True, array_like=True):
    """What a cycle came to, and from when on the front follows it.

    Attributes
    ----------
    cycle_at
        The cycle.
    facts
        Encoded, in order; plans among them are followed from the record's own instant on.
    """

    cycle_at: Instant
    facts: list[bytes]


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One group: what is acknowledged together.

    Attributes
    ----------
    at
        Its instant; strictly greater than that of the record before.
    rows
        Landed at ``at``.
    decided
        Each at its own ``decided_at``, which is not after ``at``, and after the record before.
    """

    at: Instant
    rows: tuple[RowsIn, ...] = ()
    decided: tuple[DecidedCase, ...] = ()
    cycle: CycleDone | None = None


def write(record: Record) -> bytes:
    """Write a record down."""
    return msgspec.msgpack.encode(record)


_DECODER = msgspec.msgpack.Decoder(Record)


def read(data: bytes) -> Record:
    """Read what :func:`write` wrote."""
    return _DECODER.decode(data)
