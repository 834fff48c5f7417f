"""What the commands print about the worth of data: the table of what to do next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wholeroad.interfaces.report.amounts import amount, day

if TYPE_CHECKING:
    from rich.console import Console

    from wholeroad.core.estimates import Estimate
    from wholeroad.engine.next_data import NextData, Step


def show_next(console: Console, found: NextData) -> None:
    """Print the table, then how each figure was measured and what was not."""
    unit = found.unit
    console.print(Text("What to do about data next", style="bold"))
    if not found.identified:
        console.print(Text("Not identified: assumes that acting doesn't change outcomes.", style="yellow"))
    console.print(
        Text(
            f"As the data are, {found.policy} brings {_estimate(found.gain)} {unit} a month beyond the "
            f"status quo; knowing every outcome beforehand would add {amount(found.perfect)}: nothing "
            "new can add more, though what is there already may be worth more.\n"
        )
    )
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    shown.add_column("to do", overflow="fold")
    shown.add_column(f"{unit} a month", justify="right", no_wrap=True)
    shown.add_column("costs", justify="right", no_wrap=True)
    shown.add_column("verdict", overflow="fold")
    for step in found.steps:
        cells = (step.what, _worth(step), _cost(step), step.verdict)
        shown.add_row(*(Text(cell) for cell in cells), style="bold" if step.verdict in _YES else "")
    console.print(shown)
    for step in found.steps:
        _item(console, f"{step.name}: {step.why}.")
    _item(
        console,
        f"Rehearsed from {day(found.span.from_at)} to {day(found.span.to_at)}, on the same cases and days; "
        f"{found.confidence:.0%} intervals, for all {found.looks} differences together; that of rows stands "
        f"alone. The luck of fits is in them: a column of pure chance moves the money by about "
        f"{amount(found.luck)} {unit} a month. Groups of features are left out one at a time: two that say "
        "the same are each worth little beside the other.",
    )


_YES = ("keep it", "worth it")


def _worth(step: Step) -> str:
    return "–" if step.per_month is None else _estimate(step.per_month)


def _cost(step: Step) -> str:
    return "–" if step.costs_per_month is None else amount(step.costs_per_month)


def _estimate(estimate: Estimate) -> str:
    if not math.isfinite(estimate.low):
        return f"{amount(estimate.value)} (no interval)"
    return f"{amount(estimate.value)} ({amount(estimate.low)} to {amount(estimate.high)})"


def _item(console: Console, text: str) -> None:
    console.print(Padding(Text(f"• {text}"), (0, 0, 0, 2)))
