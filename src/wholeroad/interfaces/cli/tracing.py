"""What the commands print about where a decision came from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.text import Text

from wholeroad.core.instants import format_instant, to_instant
from wholeroad.interfaces.report.amounts import count

if TYPE_CHECKING:
    from rich.console import Console

    from wholeroad.engine.traced import CaseTraced, RowTraced, SourceTraced

_RAW = {
    "as landed": "its raw row is the row as it landed: nothing was done to it",
    "tombstone": "it says that the row is gone",
    "lost": "its raw row isn't there any more",
}


def show_case(console: Console, found: CaseTraced) -> None:
    """Print a case's trace: its row, its features with what they were made of, its outcome."""
    console.print(Text(f"Case {_plain(found.key)}, decided at {_when(found.decided_at)}", style="bold"))
    if found.decision is not None:
        said = found.decision
        _line(console, f"decided: {said.get('action')}, by {said.get('decided_by')}")
    console.print(Text("\nThe case, as it was known then", style="bold"))
    _row(console, found.case)
    for row in found.revisions:
        _line(console, f"changed later, and changed nothing: {_when(row.known_at)}")
    console.print(Text("\nWhat its features were made of", style="bold"))
    for feature in found.features:
        of = f" of {feature.source}" if feature.source else ""
        rows = "" if feature.form == "column" else f", {count(feature.rows, 'row')}"
        _line(console, f"{feature.feature} = {_value(feature.value)} ({feature.form}{of}{rows})")
        for row in feature.some:
            _row(console, row, deep=4)
    console.print(Text("\nWhat came true", style="bold"))
    for truth in found.truths:
        _line(console, f"{_when(truth.known_at)}: {truth.truth or 'unknown'}")
    if found.reviewed:
        _line(console, "people's verdict stands over what the rows told")
    for row in found.outcomes:
        _row(console, row, deep=4)


def show_row(console: Console, found: SourceTraced) -> None:
    """Print every version of a row, and what was set aside under its key."""
    console.print(Text(f"{found.source} {_plain(found.key)}", style="bold"))
    for row in found.versions:
        _row(console, row)
    for aside in found.set_aside:
        _line(console, f"set aside at {_when(aside.landed_at)}, row {aside.row_number}: {aside.reason}")
        _line(console, f"its raw row: {aside.row}", deep=4)


def _row(console: Console, row: RowTraced, deep: int = 2) -> None:
    for place, text in enumerate(_told(row)):
        _line(console, text, deep=deep if place == 0 else deep + 2)


def _told(row: RowTraced) -> Iterator[str]:
    known = "" if row.known_at is None else f", known at {_when(row.known_at)}"
    yield f"{row.source}{known}, landed at {_when(row.landed_at)} as number {row.seq}: {_plain(row.values)}"
    batch = row.batch
    if batch is not None:
        again = " (landed again under another mend or contract)" if batch.again else ""
        read = batch.read or "rows that were handed over"
        yield f"from {read}, batch {batch.batch or 'of old'} of {count(batch.rows_in, 'row')}{again}"
    if row.raw is not None:
        yield f"raw row {row.raw_number}: {_plain(row.raw)}"
    else:
        yield _RAW.get(row.raw_state, row.raw_state)
    for step in row.steps:
        why = f" ({step.reason})" if step.reason else ""
        yield f"mended: {step.label}: {_plain(step.before)} -> {_plain(step.after)}{why}"
    if row.steps and row.asked_by:
        yield f"asked for by {row.asked_by}"


def _plain(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:  # noqa: ANN401 - any value of a row
    if value is None:
        return "nothing"
    if isinstance(value, datetime):
        return format_instant(to_instant(value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def _when(at: int | None) -> str:
    return "no time" if at is None else format_instant(at)


def _line(console: Console, text: str, deep: int = 2) -> None:
    console.print(Padding(Text(text), (0, 0, 0, deep)))
