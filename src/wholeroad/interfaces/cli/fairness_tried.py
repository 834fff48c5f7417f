"""What is printed of remedies that were tried on history: who gains, who loses, and in money."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text

from wholeroad.interfaces.cli.curating import worth_in_words
from wholeroad.interfaces.cli.fairness_lines import a_table, below, cells, cut, following, headed, item
from wholeroad.interfaces.report.fairness_words import (
    MATTERING,
    apart_in_words,
    fairness_verdict,
    short_title,
)
from wholeroad.road.brief.remedies import remedy_line
from wholeroad.road.model.fairness.record import figure_in_words, remedy_in_words

if TYPE_CHECKING:
    from rich.console import Console

    from wholeroad.engine.variants import Difference
    from wholeroad.road.brief.fairness import RemedyTable
    from wholeroad.road.model.fairness.results import Disparity, Fairness, GroupFigure

_MOST_VALUES: Final = 8


def show_difference_tried(
    console: Console,
    worth: Difference | None,
    *,
    before: Fairness | None,
    after: Fairness | None,
    remedies: Sequence[RemedyTable],
    unit: str,
    notes: Sequence[str] = (),
) -> None:
    """Print what remedies change when they are tried on history: what was meant to change, who, the money.

    Parameters
    ----------
    worth
        The money with them less that without; None where nothing could be compared.
    before, after
        The same cases assessed without and with them.
    remedies
        What was tried.
    notes
        What the figures don't tell, a sentence each.
    """
    tried = "; ".join(remedy_in_words(one, unit) for one in remedies) or "nothing"
    headed(console, f"Tried on history: {tried}.")
    for sentence in _meant(before, after, remedies=remedies, unit=unit):
        item(console, sentence)
    if after is not None and after.limits:
        item(console, f"with it: {fairness_verdict(after, unit).headline}")
    _whom(console, before, after, remedies=remedies, unit=unit)
    _how_far(console, before, after, remedies=remedies, unit=unit)
    if worth is None:
        console.print(Text("The money couldn't be compared.", style="yellow"))
    elif not worth.decided_otherwise:
        console.print(Text(f"None of {worth.cases:,} cases is decided otherwise: it changes nothing."))
    else:
        console.print(Text(worth_in_words(worth, "the remedies", unit=unit)))
    for sentence in notes:
        item(console, sentence)
    following(console, "All of it, to be handed on", command="wholeroad fairness page")


def show_how_to_choose(console: Console, remedies: Sequence[RemedyTable]) -> None:
    """Print the commands that put remedies in force."""
    console.print("To put it in force at the next fit:")
    for one in remedies:
        text = remedy_line(one.model_copy(update=dict.fromkeys(("chosen_by", "reason"), "")))
        command = f"  wholeroad fairness choose '{text}' --by NAME --because \"...\""
        console.print(Text(command, style="cyan"), soft_wrap=True)  # to be copied: unbroken


def _meant(
    before: Fairness | None, after: Fairness | None, *, remedies: Sequence[RemedyTable], unit: str
) -> Iterator[str]:
    """Say whether what a remedy is meant to bring together came together."""
    for one in remedies:
        pairs = [
            (was, now)
            for was, now in _both(before, after)
            if was.grouping == one.group and was.measure == one.equal
        ]
        for was, now in pairs:
            if was.difference is None or now.difference is None:
                continue
            ends = (was.difference.value, now.difference.value)
            closer = "closer together" if ends[1] < ends[0] else "farther apart"
            if not (now.difference.high < was.difference.low or now.difference.low > was.difference.high):
                closer += ", though the two intervals overlap"
            said = [figure_in_words(end, was.unit, money=unit, apart=True) for end in ends]
            title = short_title(was.measure)
            yield (
                f"{title[:1].upper()}{title[1:]} by {was.grouping}: {said[0]} apart without it, {said[1]} "
                f"with it: {closer}."
            )


def _whom(
    console: Console,
    before: Fairness | None,
    after: Fairness | None,
    *,
    remedies: Sequence[RemedyTable],
    unit: str,
) -> None:
    """Print how the groups that remedies are about fare without and with them."""
    if before is None or after is None:
        return
    was, now = _figures(before), _figures(after)
    asked = dict.fromkeys(one.group for one in remedies)
    names = list(dict.fromkeys((one.grouping, one.value) for one in before.figures if one.grouping in asked))
    table = a_table(("group",), "cases", "selected without", "with it", "gain per case without", "with it ")
    for grouping, value in names[:_MOST_VALUES]:
        figures = []
        for measure in ("selection_rate", "gain_per_case"):
            for found in (was, now):
                one = found.get((grouping, value, measure))
                figures.append(
                    "–" if one is None else figure_in_words(one.figure.value, one.unit, money=unit)
                )
        cases = was.get((grouping, value, "selection_rate"))
        table.add_row(
            *cells(f"{grouping} = {cut(value)}", "–" if cases is None else f"{cases.cases:,}", *figures)
        )
    if names:
        console.print(table)
    if len(names) > _MOST_VALUES:
        item(console, f"{len(names) - _MOST_VALUES} more groups aren't shown")


def _figures(fairness: Fairness) -> dict[tuple[str, str, str], GroupFigure]:
    return {(one.grouping, one.value, one.measure): one for one in fairness.figures}


def _how_far(
    console: Console,
    before: Fairness | None,
    after: Fairness | None,
    *,
    remedies: Sequence[RemedyTable],
    unit: str,
) -> None:
    """Print how far apart the groups are without and with the remedies."""
    limited = {one.measure for found in (before, after) if found is not None for one in found.limits}
    asked = {"selection_rate", "gain_per_case", *(one.equal for one in remedies), *limited}
    shown = asked if limited else {*asked, *MATTERING}
    rows = [pair for pair in _both(before, after) if pair[0].measure in shown]
    if not rows:
        return
    table = a_table(("by", "measure"), "apart without", "apart with it")
    for pair in rows:
        told = (
            "too few cases"
            if each.difference is None
            else below(apart_in_words(each.difference, each.unit, unit=unit))
            for each in pair
        )
        table.add_row(*cells(pair[0].grouping, short_title(pair[0].measure), *told))
    console.print(table)
    item(console, "each interval stands alone; whether one lies below the other is not tested here")


def _both(before: Fairness | None, after: Fairness | None) -> list[tuple[Disparity, Disparity]]:
    if before is None or after is None:
        return []
    named = {(one.grouping, one.measure): one for one in after.disparities}
    return [
        (one, named[one.grouping, one.measure])
        for one in before.disparities
        if (one.grouping, one.measure) in named
    ]
