"""What the commands print before there is history: the plan for data, and values without time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wholeroad.interfaces.report.amounts import count, day
from wholeroad.road.model.without_time import CONFIDENCE, TITLE

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from wholeroad.road.data.asked_columns import AskedColumn
    from wholeroad.road.data.collecting import CollectionPlan, Need, PlannedTable
    from wholeroad.road.model.without_time import CrossValidated, Interval


def show_plan(console: Console, plan: CollectionPlan) -> None:
    """Print a collection plan: what to make, how many rows, until when, and what not to forget."""
    tables = count(len(plan.tables), "table")
    console.print(Text(f"Nothing to check yet: {tables} to be made. This is what to collect.", style="bold"))
    console.print(Text(f"{plan.name}: {plan.question}\n"))
    console.print(Text(_in_words(plan)))
    for table in plan.tables:
        console.print(Text(f"\nTable {table.source}", style="bold"))
        console.print(_columns(table))
    if plan.there:
        there = ", ".join(f"{table.source} ({count(table.rows, 'row')})" for table in plan.there)
        console.print(Text(f"\nThere already, or read from a file: {there}."))
    console.print(Text("\nHow many cases with a known outcome", style="bold"))
    console.print(_needs(plan))
    reasons = {need.why: need.purpose.partition(",")[0] for need in reversed(plan.needs)}
    for why, purpose in reversed(reasons.items()):
        _item(console, f"{_capital(purpose)}: {why}.")
    console.print(Text("\nWrite down from tomorrow, since it can't be had later", style="bold"))
    for entry in plan.to_log:
        _item(console, f"{entry.what}. Otherwise {entry.why}.")
    console.print(Text("\nTaken for granted", style="bold"))
    for sentence in plan.assumptions:
        _item(console, sentence)


def show_cross_validated(console: Console, found: CrossValidated) -> None:
    """Print what decisions are worth without time, beside the status quo and the dummies."""
    console.print(Text(f"{TITLE}. This can't be rehearsed.", style="bold"))
    console.print(Text(f"{_verdict(found)}\n"))
    if found.depends_on_action != "no":
        console.print(Text("Not identified: assumes that acting doesn't change outcomes.\n", style="yellow"))
    console.print(_decisions(found))
    cases = f"{count(found.cases, 'case')} with a known outcome and value"
    left_out = f", {found.left_out:,} others left out" if found.left_out else ""
    _item(
        console,
        f"{cases}{left_out}; each decided by a model that was fitted on the other {found.folds - 1} of "
        f"{found.folds} folds, which are dealt by a hash of the key.",
    )
    _item(
        console,
        f"In {found.unit} per case, with {CONFIDENCE:.0%} intervals over resampled cases, given these fits: "
        "how other fits would differ isn't in them. The winner was chosen on the same cases, so that its "
        "figure leans high.",
    )
    _item(console, f"Knowing every outcome beforehand would make {found.clairvoyant:,.4g} per case.")
    _item(console, "Models meet cases like those they learnt from here; whether that lasts, only time tells.")
    console.print(Text("What to log from tomorrow, so that it can be rehearsed: wholeroad check"))


def _verdict(found: CrossValidated) -> str:
    champion = found.row(found.champion)
    if champion.gain is None:
        return "No model makes clearly more than the status quo, so none is needed."
    gain = champion.gain
    said = (
        f"{champion.name} makes {gain.value:,.4g} {found.unit} per case more than the status quo "
        f"({CONFIDENCE:.0%} interval {gain.low:,.4g} to {gain.high:,.4g})"
    )
    if champion.name != found.best:
        said += f"; {found.best} made the most, by less than a standard error, so the simpler one is taken"
    if found.required is None:
        return f"{said}."
    asked = f"{found.required:g} {found.unit} per case with {found.confidence:.0%} confidence"
    if found.met and found.depends_on_action != "no":
        return f"{said}. The criterion, {asked}, isn't decided: it would be met if acting changed nothing."
    return f"{said}. The criterion, {asked}, is {'met' if found.met else 'not met'} in cross-validation."


def _decisions(found: CrossValidated) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    shown.add_column("decided by", overflow="fold")
    shown.add_column(f"{found.unit} per case", justify="right", no_wrap=True)
    shown.add_column("vs status quo", justify="right", no_wrap=True)
    shown.add_column("actions", overflow="fold")
    for row in found.rows:
        mark = "> " if row.name == found.champion else "  "
        actions = ", ".join(f"{name} {share:.0%}" for name, share in [*row.actions.items()][:5])
        cells = (f"{mark}{row.name}", _interval(row.per_case), _interval(row.gain), actions)
        shown.add_row(*(Text(cell) for cell in cells), style="bold" if mark.strip() else "")
    return shown


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return "–"
    return f"{interval.value:,.4g} ({interval.low:,.4g} to {interval.high:,.4g})"


def _in_words(plan: CollectionPlan) -> str:
    """Say the plan in two or three sentences."""
    sentences = []
    for need in plan.needs[-1:] if plan.rate_stated else ():
        dates = [arrival for arrival in plan.arrivals if arrival.purpose == need.purpose]
        sentences += [_by_when(need, arrival.days, arrival.at, plan.from_at) for arrival in dates]
    if not sentences:
        needed = [need for need in plan.needs if need.cases]
        sentences += [f"{_capital(need.purpose)}: {need.cases:,} cases." for need in needed]
    if not plan.rate_stated:
        sentences.append("When they'll be there depends on how many there are a day; three rates are shown.")
    return " ".join(sentences)


def _by_when(need: Need, days: int, at: int | None, now: int) -> str:
    when = f"about {day(at)}" if at is not None else "beyond the calendar"
    return (
        f"{_capital(need.purpose)} takes {need.cases:,} cases with a known outcome: {when}, "
        f"{count(days, 'day')} from {day(now)}, at the stated rate."
    )


def _columns(table: PlannedTable) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    shown.add_column("column", no_wrap=True)
    shown.add_column("type")
    shown.add_column("asked for by", overflow="fold")
    for column in table.columns:
        shown.add_row(*(Text(cell) for cell in _cells(column)))
    return shown


def _cells(column: AskedColumn) -> Iterator[str]:
    yield column.name
    yield column.kind or "any"
    yield ", ".join(column.asked_by)


def _needs(plan: CollectionPlan) -> RenderableType:
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    shown.add_column("for", overflow="fold")
    shown.add_column("cases", justify="right", no_wrap=True)
    rates = list(dict.fromkeys(arrival.cases_per_day for arrival in plan.arrivals))
    for rate in rates:
        shown.add_column(f"at {rate:,g} a day", justify="right", no_wrap=True)
    for need in plan.needs:
        cells = [need.purpose, "not known" if need.cases is None else f"{need.cases:,}"]
        for arrival in plan.arrivals:
            if arrival.purpose == need.purpose:
                when = "beyond the calendar" if arrival.at is None else day(arrival.at)
                cells.append(f"{when} ({count(arrival.days, 'day')})")
        shown.add_row(*(Text(cell) for cell in cells))
    return shown


def _item(console: Console, text: str) -> None:
    console.print(Padding(Text(f"- {text}"), (0, 0, 0, 2)))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
