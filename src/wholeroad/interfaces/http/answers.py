"""What the service says, as it is written on the wire: instants as texts, in UTC and with microseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import msgspec
import polars as pl

from wholeroad.core.instants import EPOCH, FIRST, LAST, Instant
from wholeroad.engine.service.messages import (
    CaseAnswer,
    CaseStatus,
    DecisionsAnswer,
    ModelLine,
    RowAnswer,
    RowsAnswer,
    StatusAnswer,
    Trouble,
)

encode: Final = msgspec.json.Encoder().encode

_Words = Mapping[str, Callable[[Any], Any]]
_FIRST_DAY: Final = date(1970, 1, 1)


class CaseLine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What became of one case; see :class:`~wholeroad.engine.service.messages.CaseAnswer`."""

    status: CaseStatus
    decision_id: str | None = None
    key: dict[str, Any] | None = None
    due_at: str | None = None
    decided_at: str | None = None
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


class CaseLines(msgspec.Struct, frozen=True, gc=False):
    """What became of several."""

    cases: list[CaseLine]


class RowLines(msgspec.Struct, frozen=True, gc=False):
    """What became of rows."""

    source: str
    landed_at: str
    rows: list[RowAnswer]


def written(at: Instant) -> str:
    """Write an instant in UTC with microseconds.

    Examples
    --------
    >>> written(86_400_000_000)
    '1970-01-02T00:00:00.000000Z'
    """
    if not FIRST <= at <= LAST:
        return str(at)
    return (EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds")[:-6] + "Z"


_written = lru_cache(8)(written)


def wording(schema: Mapping[str, pl.DataType] | None) -> _Words:
    """Say how physical values of some columns are written; empty where all are written as they are."""
    words: dict[str, Callable[[Any], Any]] = {}
    for name, dtype in (schema or {}).items():
        if isinstance(dtype, pl.Datetime):
            words[name] = _instant
        elif dtype == pl.Date():
            words[name] = _day
    return words


def _instant(value: object) -> object:
    if isinstance(value, datetime):
        return written((value - EPOCH) // timedelta(microseconds=1)) if value.tzinfo else value.isoformat()
    return written(value) if isinstance(value, int) else value


def _day(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    try:
        return (_FIRST_DAY + timedelta(days=value)).isoformat() if isinstance(value, int) else value
    except OverflowError:
        return value


def case_line(answer: CaseAnswer, *, keys: _Words, features: _Words) -> CaseLine:
    """Write what became of a case.

    Parameters
    ----------
    keys, features
        Of :func:`wording`, for the key and for the features that were seen.
    """
    due_at, decided_at, seen = answer.due_at, answer.decided_at, answer.features
    return CaseLine(
        answer.status,
        answer.decision_id or None,
        (_worded(answer.key, keys) if keys else answer.key) or None,
        None if due_at is None else _written(due_at),
        None if decided_at is None else _written(decided_at),
        answer.action,
        answer.decided_by,
        answer.model,
        answer.probabilities,
        answer.expected_value,
        answer.expected_values,
        answer.propensity,
        _worded(seen, features) if seen and features else seen,
        answer.first,
        answer.code,
        answer.reason,
    )


def _worded(values: Mapping[str, Any], words: _Words) -> dict[str, Any]:
    return {name: words[name](value) if name in words else value for name, value in values.items()}


def case_lines(answer: DecisionsAnswer, *, keys: _Words, features: _Words) -> bytes:
    """Write what became of several cases."""
    return encode(CaseLines([case_line(each, keys=keys, features=features) for each in answer.cases]))


def row_lines(answer: RowsAnswer) -> bytes:
    """Write what became of rows."""
    return encode(RowLines(answer.source, written(answer.landed_at), answer.rows))


def model_lines(models: list[ModelLine]) -> bytes:
    """Write the fits so far."""
    return encode({"models": [_with_instants(line) for line in models]})


def status_line(status: StatusAnswer) -> bytes:
    """Write how the service stands."""
    return encode(_with_instants(status))


_INSTANTS: Final = frozenset(
    {"now", "fitted_at", "in_charge_from", "effective_from", "next_cycle_at", "since_at"}
)


def _with_instants(struct: ModelLine | StatusAnswer | Trouble) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(struct).items():
        if isinstance(value, Trouble):
            told[name] = _with_instants(value)
        else:
            told[name] = written(value) if isinstance(value, int) and name in _INSTANTS else value
    return told
