"""What the commands of a project in operation print and write."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from wholeroad.core.errors import UserError
from wholeroad.core.instants import Instant, format_instant, format_span
from wholeroad.engine.answers import STATUS
from wholeroad.interfaces.cli.holding import address_of
from wholeroad.interfaces.report.amounts import amount, count
from wholeroad.road.data.facts import BatchLanded, SourceHeld
from wholeroad.road.model.facts import FitRefused, ModelFitted
from wholeroad.road.release.facts import PlanFixed
from wholeroad.road.watch.facts import Settled, SpanDecided

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from wholeroad.adapters.locks import Holder
    from wholeroad.engine.live import Answered, Replayed
    from wholeroad.engine.standing import Standing
    from wholeroad.road.brief.contract import Brief

_SHOWN: Final = 12
"""Rows of answers that are printed when there is no file to write them to."""

_STATUS: Final = {
    "decided": "decided",
    "accepted": "accepted: not due yet",
    "history": "due before the first run: left to history",
    "set aside": "set aside, or never to be decided: wholeroad land tells why",
    "held": "held back with their batch: wholeroad data release ends it",
}


def show_answered(console: Console, answered: Answered, *, brief: Brief) -> None:
    """Print what a run came to, a line for each thing that happened."""
    facts = answered.facts
    for fact in facts:
        if isinstance(fact, BatchLanded) and fact.landed + fact.quarantined + fact.deleted:
            aside = f", {fact.quarantined:,} set aside" if fact.quarantined else ""
            console.print(f"Landed: {fact.source}, {count(fact.landed, 'new version')}{aside}.")
    show_held(console, answered.state.held.values())
    for fact in facts:
        match fact:
            case ModelFitted():
                console.print(
                    f"Fitted: {fact.champion} on {fact.rows:,} cases as of {_when(fact.asked_at)}. {fact.why}"
                )
            case FitRefused():
                console.print(f"No fit as of {_when(fact.asked_at)}: {fact.happened}.  [{fact.code}]")
            case PlanFixed():
                console.print(
                    f"In charge from {_when(fact.effective_from)}: {_who(fact.decider, fact.model)}."
                )
            case _:
                pass
    settled = [fact for fact in facts if isinstance(fact, Settled)]
    if settled:
        cases, money = sum(fact.settled for fact in settled), sum(fact.value for fact in settled)
        console.print(f"Settled: {count(cases, 'case')}, {amount(money)} {brief.unit}.")
    decided = sum(fact.count for fact in facts if isinstance(fact, SpanDecided))
    if decided:
        console.print(f"Decided: {count(decided, 'case')}.")
    elif not any(isinstance(fact, SpanDecided | BatchLanded) for fact in facts):
        console.print("Nothing was due.")
    console.print(f"Answered up to {_when(answered.now)}.")


def show_held(console: Console, held: Iterable[SourceHeld]) -> None:
    """Print which sources are held back, why, and how that ends."""
    for one in held:
        console.print(
            f"Held back: {one.source}, {count(one.rows_in, 'row')} of {one.read or 'a batch'} since "
            f"{_when(one.at)}: {one.happened}. Rows that landed before, if any, decide meanwhile; wholeroad "
            f"data release {one.source} ends it.",
            style="yellow",
        )


def show_answers(console: Console, found: pl.DataFrame, *, rows: int, out: Path | None) -> None:
    """Print how many cases were decided and how many wait; without a file, the first of them.

    Parameters
    ----------
    found
        One row for each case.
    rows
        Of the file of cases, in which a case may come twice.
    out
        Where the answers were written.
    """
    if not found.height:
        console.print("The file had no cases.")
    elif rows > found.height:
        told, cases = count(rows, "row"), count(found.height, "case")
        console.print(f"The file had {told} of {cases}: {rows - found.height:,} merged, by the key.")
    counts = Counter(found["status"].to_list())
    for status in STATUS:
        if counts[status]:
            console.print(f"{counts[status]:>8,}  {_STATUS[status]}")
    if out is not None:
        console.print(Text(f"Written: {out}"), soft_wrap=True)
        return
    table = Table(*found.columns, box=None, pad_edge=False)
    for row in found.head(_SHOWN).iter_rows():
        table.add_row(*("" if value is None else _short(value) for value in row))
    console.print(table)
    if found.height > _SHOWN:
        console.print(f"... and {found.height - _SHOWN:,} more; --out FILE writes them all.")


def checked_out(out: Path | None) -> None:
    """Refuse a file that can't be written so, or there, before anything is done: ``cli.out``."""
    if out is not None and not out.absolute().parent.is_dir():
        raise UserError(
            "cli.out",
            "The answers can't be written there",
            happened=f"--out was {str(out)!r}, and there is no folder {out.parent}",
            expected="a file in a folder that is there",
            fix="make the folder, or name another",
        )
    if out is not None and out.suffix.lower() not in (".parquet", ".csv"):
        raise UserError(
            "cli.out",
            "The answers can't be written so",
            happened=f"--out was {str(out)!r}",
            expected="a name that ends in .parquet or .csv",
            fix="give it one of these endings",
        )


def write_answers(found: pl.DataFrame, out: Path) -> None:
    """Write answers to a .parquet or .csv file, whole or not at all."""
    beside = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        if out.suffix.lower() == ".csv":
            found.write_csv(beside)
        else:
            found.write_parquet(beside)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)


def show_standing(
    console: Console, standing: Standing, *, brief: Brief, held_by: Holder | None = None
) -> None:
    """Print how a project stands; what a service that holds it has in memory alone isn't counted."""
    address = address_of(held_by)
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(no_wrap=True, style="bold")
    lines.add_column(overflow="fold")
    if held_by is not None:
        lines.add_row("busy" if address is None else "served", Text(str(held_by)))
    for name, text in _standing(standing, brief, served=address is not None):
        lines.add_row(name, text)
    console.print(lines)
    if address is not None:
        console.print(
            f"The service runs what is due. What it has not yet moved into the tables isn't counted here: "
            f"GET {address}/v1/status tells of this moment.",
            soft_wrap=True,
        )
    elif standing.opened_at is None:
        console.print("Nothing runs yet. The first wholeroad cycle, or wholeroad decide, opens the road.")


def show_replayed(console: Console, replayed: Replayed) -> None:
    """Print whether the record equals its own rehearsal: ``live.replay-differs`` when it doesn't."""
    if not replayed.equal:
        raise UserError(
            "live.replay-differs",
            "The record is not what its rehearsal comes to",
            happened=replayed.difference,
            expected="the same facts and decisions, byte by byte",
            fix="was the code, a package or a file in .wholeroad changed since? The record stands as it is",
        )
    console.print(
        f"Equal to the byte: {count(replayed.facts, 'fact')} and {count(replayed.decisions, 'decision')},"
        " walked again with fits made anew."
    )


def _standing(now: Standing, brief: Brief, *, served: bool) -> list[tuple[str, str]]:
    told = [("now", _when(now.now)), ("policy", now.policy)]
    if now.opened_at is not None:
        since = "" if now.effective_from is None else f", since {_when(now.effective_from)}"
        told.append(("in charge", _who(now.decider, now.model) + since))
    if now.fitted is not None:
        told.append(
            (
                "newest fit",
                f"{now.fitted.champion}, {now.fitted.rows:,} cases as of {_when(now.fitted.asked_at)}",
            )
        )
    if now.refused is not None and (now.fitted is None or now.refused.at > now.fitted.at):
        told.append(("refused fit", f"{_when(now.refused.at)}: {now.refused.happened}  [{now.refused.code}]"))
    if now.opened_at is not None:
        told.append(
            ("decided", f"{count(now.decided, 'case')}; {now.settled:,} settled, {now.unknown:,} unknown")
        )
        paid = f"{amount(now.fit_costs)} {brief.unit} paid for {count(now.fits, 'fit')}"
        told.append(("value", f"{amount(now.money)} {brief.unit} settled; {paid}"))
        told.append(
            ("answered up to", "nothing yet" if now.decided_until is None else _when(now.decided_until - 1))
        )
    told += [
        (
            "held back",
            f"{one.source}, since {_when(one.at)}: {one.happened}; wholeroad data release {one.source}",
        )
        for one in now.held
    ]
    told += [("stale", one.said) for one in now.stale]
    told += _fair(now)
    told += [("due", text) for text in _due(now)]
    told += [("late", text) for text in _late(now, brief, served=served)]
    told += [
        (
            "source",
            f"{one.source}: landed {count(one.batches, 'time')}"
            + (
                ""
                if one.landed_at is None
                else f", the newest {format_span(_days(now.now - one.landed_at))} ago"
            ),
        )
        for one in now.deliveries
    ]
    return told


def _fair(now: Standing) -> list[tuple[str, str]]:
    """Say what limits and appeals ask for."""
    told = []
    if now.stopped is not None:
        limits = "; ".join(now.stopped.limits)
        told.append(
            ("stopped", f"model {now.stopped.model[:8]}, {_when(now.stopped.at)}, by its limits: {limits}")
        )
    if now.watched is not None:
        open_ = [limit for limit, standing in now.watched.standings.items() if standing == "open"]
        look = f"look {now.watched.look}, {_when(now.watched.at)}"
        told += [("breached", f"{look}: {now.watched.says[limit]}") for limit in now.watched.breached]
        if not now.watched.breached:
            unsure = f"; can't be told yet: {'; '.join(open_)}" if open_ else ""
            told.append(("limits", f"{look}: none is clearly breached{unsure}"))
    if now.appeals:
        due = [each.due_at for each in now.appeals if each.due_at is not None]
        by = f", the first to be answered by {_when(min(due))}" if due else ""
        told.append(("appeals", f"{len(now.appeals):,} wait for an answer{by}: wholeroad appeal"))
    return told


def _due(now: Standing) -> list[str]:
    told = [f"the next cycle at {_when(now.next_cycle_at)}"]
    if now.fit_asked_at is not None and now.fit_ready_at is not None:
        told.append(f"a fit asked for at {_when(now.fit_asked_at)}, ready at {_when(now.fit_ready_at)}")
    elif now.next_fit_at is not None:
        told.append(f"the next fit at the first cycle from {_when(now.next_fit_at)}")
    if now.waiting and now.next_case_at is not None:
        told.append(f"{count(now.waiting, 'case')} later, the first at {_when(now.next_case_at)}")
    return told


def _late(now: Standing, brief: Brief, *, served: bool) -> list[str]:
    told = []
    if served and now.cycles_due:
        told.append(f"{count(now.cycles_due, 'cycle')} not done yet")
    elif not served:
        told += _left_over(*now.left_over)
        told += _not_run(now)
    if now.outcomes_late:
        missing, age = count(now.outcomes_late, "outcome"), format_span(brief.outcome.matures)
        told.append(f"{missing} of {now.outcomes_pending:,} not yet known, {age} or more after the decision")
    return told


def _left_over(rows: int, decisions: int) -> list[str]:
    if not rows and not decisions:
        return []
    what = " and ".join(
        count(number, word) for number, word in ((rows, "row"), (decisions, "decision")) if number
    )
    return [f"{what} in the log of a service, safe and not counted here: wholeroad up, or cycle"]


def _not_run(now: Standing) -> list[str]:
    told = []
    if now.cut_short_at is not None:
        told.append(f"a run up to {_when(now.cut_short_at - 1)} was cut short; the next one finishes it")
    if now.cycles_due:
        told.append(f"{count(now.cycles_due, 'cycle')} not run: wholeroad cycle")
    if now.cases_due and now.opened_at is not None:
        told.append(f"{count(now.cases_due, 'case')} due and not answered: wholeroad cycle")
    return told


def _who(decider: str, model: str | None) -> str:
    return f"model {model[:8]}" if model else decider


def _when(at: Instant) -> str:
    return format_instant(at).replace("T", " ").removesuffix("Z")[:16] + " UTC"


def _days(span: int) -> int:
    """Round a span for reading: to days, hours or minutes."""
    for unit in (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000):
        if span >= unit:
            return span // unit * unit
    return 0


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, datetime):
        return value.strftime("%m-%d %H:%M")
    return str(value)[:19]
