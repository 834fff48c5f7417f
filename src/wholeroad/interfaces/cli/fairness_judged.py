"""What the commands about fairness print beside the answers themselves: whose decisions, what was chosen."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from rich.text import Text

from wholeroad.core.errors import UserError, unusable
from wholeroad.core.instants import format_instant
from wholeroad.interfaces.cli.fairness_lines import item
from wholeroad.interfaces.cli.fairness_searches import show_flips
from wholeroad.interfaces.cli.fairness_tried import show_difference_tried, show_how_to_choose
from wholeroad.interfaces.report.amounts import count
from wholeroad.interfaces.report.evidence import ASSUMES
from wholeroad.interfaces.report.fairness_page import FairnessData
from wholeroad.road.brief.remedies import no_groups, parse_remedy
from wholeroad.road.model.fairness.record import remedy_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from wholeroad.core.ports import Progress
    from wholeroad.engine.fair import Everything, Flipped, Solution, Tried
    from wholeroad.fairness import Assessment
    from wholeroad.project import Project
    from wholeroad.road.brief.contract import Brief
    from wholeroad.road.brief.fairness import Equal, RemedyTable
    from wholeroad.road.model.fairness.priced import PriceCurve


def opened(folder: Path) -> Project:
    """Open a project, and refuse one whose groups can't be asked about before anything lands."""
    from wholeroad.project import open_project

    project = open_project(folder)
    if not project.fairness.groups:
        raise no_groups()
    return project


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
    notes = [f"{each.grouping}: {sentence}" for each in found for sentence in each.says]
    show_flips(console, [flip for each in found for flip in each.flips], notes=notes)


def assumed(brief: Brief) -> str:
    """Say what money and error rates take for granted; empty where acting changes no outcome."""
    if brief.outcome.depends_on_action == "no":
        return ""
    return f"{ASSUMES} Money, error rates and regret are counted as if; who was selected is as it was."


def show_tried(console: Console, tried: Tried, *, brief: Brief) -> None:
    """Print what remedies change when they are rehearsed."""
    notes = [
        f"{name} no model decided any case: limits stopped each fit, none was better than the status quo, or "
        "all cases were left to people"
        for name, solution in (("without them", tried.without), ("with them", tried.with_it))
        if solution is None
    ]
    if not tried.luck:
        notes.append(
            "other fits on the same data would vary a little: the interval doesn't know of that; --luck does"
        )
    show_difference_tried(
        console,
        tried.worth,
        before=tried.without.fairness if tried.without else None,
        after=tried.with_it.fairness if tried.with_it else None,
        remedies=tried.remedies,
        unit=brief.unit,
        notes=notes,
    )
    stand = brief.fairness.remedies if brief.fairness else ()
    if not all(one in stand for one in tried.remedies):
        show_how_to_choose(console, tried.remedies)


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
    remedy = parse_remedy(text, reason=because)
    chosen_on, again_on = _day(on) or today, _day(look_again) or remedy.look_again_on
    if again_on is not None and again_on < chosen_on:
        raise UserError(
            "fairness.day",
            "The day to look again is over",
            happened=f"it was {again_on}, and the remedy is chosen on {chosen_on}",
            expected="a day after the one on which it is chosen",
            fix="write a later one",
        )
    days = {"chosen_on": chosen_on, "look_again_on": again_on}
    return remedy.model_copy(update={"chosen_by": by.strip(), **days})


def show_chosen(console: Console, remedy: RemedyTable, *, path: Path, unit: str) -> None:
    """Print what was written into the brief, and from when it is in force."""
    console.print(Text(f"Chosen by {remedy.chosen_by}: {remedy_in_words(remedy, unit)}", style="bold"))
    item(console, f"written at the end of {path.name}; it is in force at the next fit")
    if remedy.kind in ("thresholds", "reweigh", "abstain"):
        item(console, "to see what it does on history: wholeroad fairness try")


def prices_of(
    assessment: Assessment,
    groups: Sequence[str] | None,
    *,
    equal: Equal,
    policy: str | None,
    progress: Progress,
) -> tuple[list[PriceCurve], list[str]]:
    """Price thresholds by each group; where all groups are asked, one without a price stops no other.

    Returns
    -------
    tuple
        The curves, and why a group has none.
    """
    curves, absent, refused = [], [], None
    for name in groups or assessment.groups:
        try:
            curves.append(assessment.price(name, equal, policy=policy, progress=progress))
        except UserError as error:
            if groups or error.code not in ("fairness.one-group", "fairness.too-few-decisions"):
                raise
            absent.append(f"{name}: {error.headline}; {error.happened}")
            refused = error
    if refused is not None and not curves:
        raise refused
    return curves, absent


def writable(path: Path) -> None:
    """Refuse a place where no page can be written before anything is worked out: ``project.unusable``."""
    if path.is_dir():
        raise unusable(path, "it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise unusable(path.parent, "there is no such folder")


def page_of(brief: Brief, made: Everything) -> FairnessData:
    """Gather what the page shows."""
    solution = made.solution
    stands = Counter(
        "open" if each.answer is None else "upheld" if each.answer.upheld else "rejected"
        for each in made.appeals
    )
    notes = [f"{each.grouping}: {says}" for each in made.flipped for says in each.says]
    notes += [f"A price: {made.unasked['price']}"] if made.prices and "price" in made.unasked else []
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
