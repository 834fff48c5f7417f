"""What ``wholeroad appeal`` prints: an appeal that was opened, all of them, an answer."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from wholeroad.core.instants import format_instant
from wholeroad.interfaces.report.amounts import count, day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from wholeroad.core.estimates import Estimate
    from wholeroad.core.instants import Instant
    from wholeroad.road.review.appeals import Appeal, AppealsOfGroup


def show_opened(console: Console, appeal: Appeal, *, to: str) -> None:
    """Print an appeal that waits for its answer, and how to answer it."""
    opened = appeal.opened
    due = "" if opened.due_at is None else f" by {format_instant(opened.due_at)}"
    console.print(
        Text(
            f"Appeal {appeal.number} about {case_of(appeal)}, decided {opened.action}, is open.", style="bold"
        )
    )
    console.print(Text(f"A person answers it{due}{f': {to}' if to else ''}."))
    said = f"{appeal.number} --upheld (or --rejected)"
    console.print(Text(f'To answer: wholeroad answer {said} --because "..." --by NAME'))


def show_answered(console: Console, appeal: Appeal) -> None:
    """Print an answer, and what it does and doesn't change."""
    answer = appeal.answer
    if answer is None:
        return
    said = "upheld" if answer.upheld else "rejected"
    console.print(
        Text(
            f"Appeal {appeal.number} about {case_of(appeal)} is {said} by {answer.by}: {answer.reason}",
            style="bold",
        )
    )
    if answer.action:
        console.print(Text(f"Done instead of {appeal.opened.action}: {answer.action}."))
    console.print("The decision on the record stays as it was; the answer stands beside it.")
    if answer.label:
        console.print(
            Text(
                f"The outcome is {answer.label}: a verdict, which fits and settled money follow from now on."
            )
        )
    if appeal.late:
        console.print("It came later than was promised.", style="yellow")


def show_appeals(console: Console, appeals: Sequence[Appeal], *, now: Instant) -> None:
    """Print every appeal, those that wait first."""
    waiting = sum(one.open(now) for one in appeals)
    overdue = sum(one.overdue(now) for one in appeals)
    console.print(
        Text(f"{count(len(appeals), 'appeal')}, {waiting:,} open, {overdue:,} overdue", style="bold")
    )
    if not appeals:
        return
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    for name in ("appeal", "case", "decided", "on", "because", "stands"):
        shown.add_column(name, overflow="fold")
    for one in sorted(appeals, key=lambda one: (not one.open(now), one.number)):
        opened = one.opened
        cells = (
            f"{one.number}",
            case_of(one),
            opened.action,
            day(opened.at),
            opened.reason,
            _stands(one, now),
        )
        shown.add_row(*(Text(cell) for cell in cells), style="yellow" if one.overdue(now) else "")
    console.print(shown)


def show_appeals_by_group(console: Console, lines: Sequence[AppealsOfGroup]) -> None:
    """Print what became of the appeals of each group."""
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    for name in ("group", "value"):
        shown.add_column(name, overflow="fold")
    for name in ("decided", "appealed", "share of cases", "open", "overdue", "upheld of those answered"):
        shown.add_column(name, justify="right")
    for one in lines:
        shown.add_row(
            Text(one.grouping),
            Text(one.value),
            f"{one.decided:,}",
            f"{one.appealed:,}",
            _share(one.contested),
            f"{one.open:,}",
            f"{one.overdue:,}",
            f"{_share(one.upheld)}; n = {one.answered:,}",
        )
    console.print(shown)
    console.print("Who appeals isn't drawn by chance: these shares speak of those who did.", style="dim")


def case_of(appeal: Appeal) -> str:
    """Write the case's key."""
    return " ".join(json.loads(appeal.opened.key))


def _stands(appeal: Appeal, now: Instant) -> str:
    answer = appeal.answer
    if answer is not None and not appeal.open(now):
        instead = f", {answer.action} instead" if answer.action else ""
        return f"{'upheld' if answer.upheld else 'rejected'}{instead} by {answer.by}"
    due_at = appeal.opened.due_at
    if due_at is None:
        return "open"
    return f"{'overdue since' if appeal.overdue(now) else 'open until'} {day(due_at)}"


def _share(share: Estimate) -> str:
    if not math.isfinite(share.value):
        return "–"
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"
