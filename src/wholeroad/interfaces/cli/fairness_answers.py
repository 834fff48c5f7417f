"""What the commands print about fairness: the verdict first, then the figures, then what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text

from wholeroad.core.estimates import Estimate
from wholeroad.interfaces.cli.fairness_lines import (
    a_table,
    below,
    cells,
    cut,
    following,
    headed,
    item,
    plain,
    said,
)
from wholeroad.interfaces.report.amounts import count
from wholeroad.interfaces.report.fairness_data_rows import evidence_sentence
from wholeroad.interfaces.report.fairness_order import clear_first, is_small, without_mirrors
from wholeroad.interfaces.report.fairness_rows import differs
from wholeroad.interfaces.report.fairness_words import (
    CAUSES,
    MATTERING,
    a_month,
    apart_in_words,
    bias_headline,
    cases_sentence,
    fairness_verdict,
    figure_of,
    finding_range,
    in_unit,
    ratio_range,
    short_title,
    whom,
)
from wholeroad.road.brief.remedies import parse_remedy, remedy_line, without_placeholder
from wholeroad.road.model.fairness.record import REMEDIES, figure_in_words, range_in_words

if TYPE_CHECKING:
    from rich.console import Console

    from wholeroad.road.data.bias.found import GroupBias
    from wholeroad.road.model.fairness.definitions import Conflict
    from wholeroad.road.model.fairness.results import Disparity, Fairness
    from wholeroad.road.watch.fairness.planned import Choice, Plan, PlanLine

_SHOWN: Final = 12
_WIDE: Final = 100
"""From so many columns on there is room for ratios, too; the page has them anyway."""
_MOST_SAID: Final = 5
_MOST_LINES: Final = 8
_MOST_SHORT: Final = 20
_MOST_EXPLAINED: Final = 3
_MOST_CONFLICTS: Final = 1
_MOST_GROUPS: Final = 6


def show_bias(console: Console, findings: Sequence[GroupBias], *, not_asked: Sequence[str] = ()) -> None:
    """Print what differs between groups in the data, first what touches most of a group's decisions.

    Parameters
    ----------
    not_asked
        Questions that couldn't be asked, each with its reason.
    """
    headed(console, bias_headline(findings))
    found = clear_first(findings)
    clear = [one for one in found if one.clear]
    large = without_mirrors([one for one in clear if not is_small(one)])
    shown = (large or without_mirrors(clear or [one for one in found if one.enough]))[:_SHOWN]
    if shown:
        table = a_table(("cause", "group"), "figure", "beside", "difference", "cases")
        for one in shown:
            table.add_row(
                *cells(
                    CAUSES[one.cause][0],
                    whom(one),
                    in_unit(one.figure.value, one.unit),
                    in_unit(one.rest.value, one.unit),
                    f"{in_unit(one.difference.value, one.unit, apart=True)}\n"
                    f"({finding_range(one.difference, one.unit, apart=True)})",
                    f"{one.cases:,}",
                ),
            )
        console.print(table)
    _left_out(console, clear, shown=shown)
    sentences = [f"{whom(one)}: {one.does}" for one in shown if one.clear and one.does]
    for sentence in list(dict.fromkeys(sentences))[:_MOST_SAID]:
        item(console, sentence)
    for sentence in not_asked[:_MOST_SAID]:
        item(console, f"not asked: {sentence}")
    if len(not_asked) > _MOST_SAID:
        item(console, f"not asked: {len(not_asked) - _MOST_SAID} more questions; wholeroad fairness page")
    item(
        console,
        "clear: the interval of the difference leaves out none, with all answers of its cause judged "
        "together. A difference in the data is no proof of injustice, nor is its absence one of justice",
    )
    following(console, "What to do about it, and at what cost", command="wholeroad fairness plan")


def _left_out(console: Console, clear: Sequence[GroupBias], *, shown: Sequence[GroupBias]) -> None:
    """Say how many clear findings aren't in the table, and why."""
    small = sum(is_small(one) for one in clear if one not in shown)
    mirrored = len(clear) - len(without_mirrors(clear))
    more = len(clear) - len(shown) - small - mirrored
    told = [f"{count(more, 'more clear difference')}"] if more > 0 else []
    told += [f"{small:,} that are clear and small"] if small else []
    if told:
        item(console, f"not in the table: {' and '.join(told)}; wholeroad fairness page has them all")
    if small:
        item(
            console,
            "small: under 2 points, or 6% of what it stands beside, with the whole interval. From many "
            "cases even such differences are clear",
        )


def show_plan(console: Console, plan: Plan, *, unit: str) -> None:
    """Print the plan against bias: causes in order, what can be done about each, and at what cost."""
    if plan.lines:
        first = plan.lines[0]
        headed(console, f"First: {CAUSES[first.cause][0].lower()}, {whom(first.evidence)}.")
    else:
        headed(console, "No clear finding asks for anything.")
    for number, line in enumerate(plan.lines[:_MOST_LINES], 1):
        _line(console, number, line, unit=unit)
    _in_short(console, "Further down:", plan.lines[_MOST_LINES:], first=_MOST_LINES + 1)
    _in_short(console, "Chance alone may explain:", plan.doubtful, first=0)
    for head, sentences in (("Asked, with nothing found:", plan.quiet), ("Not asked:", plan.not_asked)):
        if sentences:
            console.print(Text(f"\n{head}", style="bold"))
        for sentence in sentences[:_SHOWN]:
            item(console, sentence)
        if len(sentences) > _SHOWN:
            item(console, f"{len(sentences) - _SHOWN} more are on the page: wholeroad fairness page")
    console.print()
    if plan.lines:
        said(
            console,
            "Lines stand with all questions of all causes judged together; causes come before what follows "
            "from them. To accept a difference is a choice about each, with a reason",
            indent=0,
        )
    if any(line.choices for line in plan.lines):
        following(
            console,
            "To put one in force at the next fit",
            command="wholeroad fairness choose '{ ... }' --by NAME --because \"...\"",
        )
    following(console, "Try remedies on history first", command="wholeroad fairness try")


def _in_short(console: Console, head: str, lines: Sequence[PlanLine], *, first: int) -> None:
    """Print a line each; numbered from ``first`` where they stand."""
    if not lines:
        return
    console.print(Text(f"\n{head}", style="bold"))
    for number, line in enumerate(lines[:_MOST_SHORT], first):
        numbered = f"{number}. " if first else ""
        name = f"{CAUSES[line.cause][0]}, {whom(line.evidence)}"
        choice = next((each for each in line.choices if each.first), None)
        todo = f" {REMEDIES[choice.kind]}." if choice is not None and first else ""
        item(console, f"{numbered}{name}: {evidence_sentence(line.evidence)}{todo}")
    if len(lines) > _MOST_SHORT:
        item(console, f"{len(lines) - _MOST_SHORT} more are on the page: wholeroad fairness page")


def _line(console: Console, number: int, line: PlanLine, *, unit: str) -> None:
    console.print()
    console.print(
        Text.assemble(
            (f"{number}. {CAUSES[line.cause][0]}: ", "bold"), (plain(whom(line.evidence)), "bold cyan")
        )
    )
    said(console, evidence_sentence(line.evidence))
    if line.evidence.does:
        said(console, f"{line.evidence.does[:1].upper()}{line.evidence.does[1:]}")
    if line.cause == "proxy":
        said(console, "No harm by itself: it is the way in which other causes reach the group.")
    if line.explains:
        heads = [sentence.partition(": ")[0] for sentence in line.explains]
        more = f"; and {len(heads) - _MOST_EXPLAINED} more" if len(heads) > _MOST_EXPLAINED else ""
        said(console, f"It would also bring about: {'; '.join(heads[:_MOST_EXPLAINED])}{more}.")
    for choice in sorted(line.choices, key=lambda each: not each.first):
        if choice.kind != "accept" or choice.first:
            _choice(console, choice, unit=unit)


def _choice(console: Console, choice: Choice, *, unit: str) -> None:
    """Print a choice: what it does, its cost where that is known, and the remedy to copy."""
    first = " (try this first)" if choice.first else ""
    item(console, f"{REMEDIES[choice.kind]}{first}: {choice.says}")
    costs = a_month(choice.costs, choice.costs_say, unit=unit)
    share = choice.effective_share
    tells = "" if share is None else f"; tells as much as {figure_in_words(share, 'share')} of the cases"
    said(console, f"Cost: {costs}{tells}", indent=4)
    if choice.toml:
        # The place for a reason is left to --because.
        text = remedy_line(without_placeholder(parse_remedy(choice.toml)))
        console.print(Text(f"    {text}", style="cyan"), soft_wrap=True)  # to be copied: unbroken


def show_solution(
    console: Console,
    fairness: Fairness,
    *,
    conflicts: Sequence[Conflict],
    unit: str,
    judged: str = "",
    assumes: str = "",
) -> None:
    """Print how decisions differ between groups: limits, how far apart, who differs, what conflicts.

    Parameters
    ----------
    judged
        Whose decisions, of when: a sentence.
    assumes
        What money and error rates take for granted; empty where nothing.
    """
    verdict = fairness_verdict(fairness, unit)
    headed(console, verdict.headline)
    if assumes:
        item(console, assumes)
    # Without limits the table says what is clear, and more of it.
    for sentence in verdict.reasons if fairness.limits else ():
        item(console, sentence)
    item(console, f"{judged} {cases_sentence(fairness)}".strip())
    limited = {one.measure for one in fairness.limits}
    _how_far(console, fairness, limited, unit=unit)
    _who_differs(console, fairness, limited, unit=unit)
    for name, pooled in fairness.pooled.items():
        if pooled:
            number = count(sum(pooled.values()), "case")
            values = count(len(pooled), "value")
            item(console, f"{name}: {values} too small to stand alone, put together ({number})")
    for clash in conflicts[:_MOST_CONFLICTS]:
        item(console, f"{clash.says[:1].upper()}{clash.says[1:]}")
    if len(conflicts) > _MOST_CONFLICTS:
        more = count(len(conflicts) - _MOST_CONFLICTS, "more conflict")
        item(console, f"{more} of definitions on the page")
    following(console, "What equality would cost", command="wholeroad fairness price")
    following(console, "Where decisions fare worst", command="wholeroad fairness slices")
    following(console, "All of it, to be handed on", command="wholeroad fairness page")


def _how_far(console: Console, fairness: Fairness, limited: set[str], *, unit: str) -> None:
    """Print how far groups are apart, where a limit asks for it or it is clear; of the rest the number."""
    all_told = [one for one in fairness.disparities if one.measure in limited or one.measure in MATTERING]
    told = [one for one in all_told if one.measure in limited or _is_clear(one)] or all_told
    if not any(one.difference is not None for one in told):
        return
    ratios = ("ratio",) if console.width >= _WIDE else ()
    table = a_table(("by", "measure"), "most", "least", "apart", *ratios, "clear?")
    for one in told:
        ends = []
        for value in (one.highest, one.lowest):
            found = figure_of(fairness, one, value=value)
            figure = "" if found is None else figure_in_words(found.figure.value, found.unit, money=unit)
            ends.append(f"{figure}\n({cut(value)})" if value else "–")
        apart = (
            "too few cases"
            if one.difference is None
            else below(apart_in_words(one.difference, one.unit, unit=unit))
        )
        ratio = "–" if one.ratio is None else f"{one.ratio.value:.2f}\n({ratio_range(one.ratio)})"
        table.add_row(
            *cells(
                one.grouping,
                short_title(one.measure),
                *ends,
                apart,
                *((ratio,) if ratios else ()),
                "yes" if _is_clear(one) else "no",
            )
        )
    console.print(table)
    if len(told) < len(all_told):
        item(console, f"{len(all_told) - len(told)} more, not clearly apart, are on the page")


def _is_clear(one: Disparity) -> bool:
    return one.difference is not None and one.difference.low > 0


def _who_differs(console: Console, fairness: Fairness, limited: set[str], *, unit: str) -> None:
    """Say which groups clearly differ from everybody else in what limits or the first measures speak of."""
    asked = limited or {"selection_rate", "gain_per_case"}
    found = [one for one in fairness.figures if one.measure in asked and differs(one)]
    for one in found[:_MOST_GROUPS]:
        rest = one.rest or one.figure
        size = rest if rest.value >= 0 else Estimate(-rest.value, -rest.high, -rest.low)
        figure = figure_in_words(one.figure.value, one.unit, money=unit)
        by = figure_in_words(size.value, one.unit, money=unit, apart=True)
        interval = range_in_words(size, one.unit, money=unit, apart=True)
        item(
            console,
            f"{one.grouping} = {one.value}, {short_title(one.measure)} {figure}: {differs(one)} than"
            f" everybody else, by {by} ({interval}; n = {one.cases:,})",
        )
    if len(found) > _MOST_GROUPS:
        more = count(len(found) - _MOST_GROUPS, "more group")
        item(console, f"clearly apart from everybody else, too: {more}; wholeroad fairness page")
