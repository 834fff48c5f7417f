"""What the commands about fairness print beside the answers themselves: whose decisions, what was chosen."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from rich.text import Text

from wholeroad.core.errors import UserError
from wholeroad.core.instants import format_instant
from wholeroad.interfaces.cli.fairness_answers import show_difference_tried
from wholeroad.interfaces.cli.fairness_lines import item
from wholeroad.interfaces.cli.fairness_searches import show_flips
from wholeroad.interfaces.report.amounts import count
from wholeroad.interfaces.report.fairness_page import FairnessData
from wholeroad.road.brief.draft import written
from wholeroad.road.brief.remedies import parse_remedy
from wholeroad.road.model.fairness.record import remedy_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from wholeroad.engine.fair import Everything, Flipped, Solution, Tried
    from wholeroad.road.brief.contract import Brief
    from wholeroad.road.brief.fairness import RemedyTable


def judged_of(found: Solution) -> str:
    """Say whose decisions were assessed, of when, and when outcomes were known."""
    first, last = format_instant(found.from_at)[:10], format_instant(found.to_at)[:10]
    whose = f"{found.basis[:1].upper()}{found.basis[1:]}"
    return (
        f"{whose}: {count(found.models, 'model')}, {first} to {last}, each later than its fit; outcomes as "
        f"known on {format_instant(found.known_at)[:10]}, without those of cases that are too young."
    )


def show_flipped(console: Console, found: Sequence[Flipped]) -> None:
    """Print what other values of groups would have changed, and what that can't tell."""
    show_flips(console, [flip for each in found for flip in each.flips])
    for each in found:
        for sentence in each.says:
            item(console, f"{each.grouping}: {sentence}")


def show_tried(console: Console, tried: Tried, *, unit: str) -> None:
    """Print what remedies change when they are rehearsed."""
    show_difference_tried(
        console,
        tried.worth,
        before=tried.without.fairness if tried.without else None,
        after=tried.with_it.fairness if tried.with_it else None,
        remedies=[remedy_in_words(each, unit) for each in tried.remedies],
        unit=unit,
    )
    for name, solution in (("without", tried.without), ("with", tried.with_it)):
        if solution is None:
            item(
                console,
                f"{name} them no model was ever in charge: the limits stopped each fit, or none was better",
            )
    if not tried.luck:
        item(
            console,
            "other fits on the same data would vary a little: the interval doesn't know of that; --luck",
        )


def chosen(text: str, *, by: str, because: str, on: str, look_again: str, today: date) -> RemedyTable:
    """Put a remedy together with who chose it, when and why.

    Raises
    ------
    UserError
        ``fairness.remedy``; ``fairness.no-name`` without a name; ``fairness.day``.
    """
    if not by.strip():
        raise UserError(
            "fairness.no-name",
            "A remedy is chosen by somebody",
            happened="--by was empty",
            expected="a name, or an office",
            fix="write it as in --by 'the works council'",
        )
    # What the command line says may be the very thing that a remedy lacks, as the reason of accepting.
    said = f", reason = {written(because)}" if because else ""
    inner = text.strip().removesuffix("}").rstrip().rstrip(",")
    remedy = parse_remedy(f"{inner}{said} }}" if said else text)
    days = {"chosen_on": _day(on) or today, "look_again_on": _day(look_again) or remedy.look_again_on}
    return remedy.model_copy(update={"chosen_by": by.strip(), **days})


def show_chosen(console: Console, remedy: RemedyTable, *, path: Path, unit: str) -> None:
    """Print what was written into the brief, and from when it is in force."""
    console.print(Text(f"Chosen by {remedy.chosen_by}: {remedy_in_words(remedy, unit)}", style="bold"))
    item(console, f"written at the end of {path.name}; it is in force at the next fit")
    if remedy.kind in ("thresholds", "reweigh", "abstain"):
        item(console, "to see what it does on history: wholeroad rehearse")


def page_of(brief: Brief, made: Everything) -> FairnessData:
    """Gather what the page shows."""
    solution = made.solution
    stands = Counter(
        "open" if each.answer is None else "upheld" if each.answer.upheld else "rejected"
        for each in made.appeals
    )
    notes = [f"{each.grouping}: {says}" for each in made.flipped for says in each.says]
    return FairnessData(
        brief=brief,
        fairness=solution.fairness if solution else None,
        judged=judged_of(solution) if solution else "",
        findings=made.data.findings,
        plan=made.plan,
        prices=made.prices or None,
        flips=[flip for each in made.flipped for flip in each.flips] if solution else None,
        slices=made.searched.slices if made.searched else None,
        appeals=dict(stands),
        unchecked=(*made.data.not_asked, *notes),
        absent=made.unasked,  # type: ignore[arg-type]
    )


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(
            "fairness.day",
            "A day can't be read",
            happened=f"was {text!r}",
            expected="a day, as 2026-11-21",
            fix="write year, month and day",
        ) from None
