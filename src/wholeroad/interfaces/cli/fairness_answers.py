"""What the commands print about fairness: the verdict first, then the figures, then what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text

from wholeroad.core.estimates import Estimate
from wholeroad.interfaces.cli.curating import worth_in_words
from wholeroad.interfaces.cli.fairness_lines import (
    a_table,
    below,
    cells,
    cut,
    following,
    headed,
    item,
    said,
)
from wholeroad.interfaces.report.amounts import count
from wholeroad.interfaces.report.fairness_data_rows import evidence_sentence
from wholeroad.interfaces.report.fairness_rows import differs
from wholeroad.interfaces.report.fairness_words import (
    CAUSES,
    MATTERING,
    a_month,
    apart_in_words,
    bias_headline,
    cases_sentence,
    clear_first,
    fairness_verdict,
    figure_of,
    finding_range,
    in_unit,
    ratio_range,
    short_title,
    whom,
)
from wholeroad.road.model.fairness.record import REMEDIES, figure_in_words, range_in_words

if TYPE_CHECKING:
    from rich.console import Console

    from wholeroad.engine.variants import Difference
    from wholeroad.road.data.bias.found import GroupBias
    from wholeroad.road.model.fairness.definitions import Conflict
    from wholeroad.road.model.fairness.results import Disparity, Fairness
    from wholeroad.road.watch.fairness.planned import Plan, PlanLine

_SHOWN: Final = 12
_MOST_CONFLICTS: Final = 1
_MOST_GROUPS: Final = 6


def show_bias(console: Console, findings: Sequence[GroupBias], *, not_asked: Sequence[str] = ()) -> None:
    """Print what differs between groups in the data, the clearest first.

    Parameters
    ----------
    not_asked
        Questions that couldn't be asked, each with its reason.
    """
    headed(console, bias_headline(findings))
    found = clear_first(findings)
    clear = [one for one in found if one.clear]
    shown = clear or [one for one in found if one.enough]
    if shown:
        table = a_table(("cause", "group"), "figure", "beside", "difference", "cases")
        for one in shown[:_SHOWN]:
            table.add_row(
                *cells(CAUSES[one.cause][0], whom(one)),
                *cells(
                    in_unit(one.figure.value, one.unit),
                    in_unit(one.rest.value, one.unit),
                    f"{in_unit(one.difference.value, one.unit, apart=True)}\n"
                    f"({finding_range(one.difference, one.unit, apart=True)})",
                    f"{one.cases:,}",
                ),
            )
        console.print(table)
        if len(shown) > _SHOWN:
            item(console, f"{len(shown) - _SHOWN} more are on the page: wholeroad fairness page")
    for sentence in dict.fromkeys(f"{whom(one)}: {one.does}" for one in clear if one.does):
        item(console, sentence)
    for sentence in not_asked:
        item(console, f"not asked: {sentence}")
    item(
        console,
        "clear: the interval of the difference leaves out none, with all answers of its cause judged "
        "together. A difference in the data is no proof of injustice, nor is its absence one of justice",
    )
    following(console, "What to do about it, and at what cost", command="wholeroad fairness plan")


def show_plan(console: Console, plan: Plan, *, unit: str) -> None:
    """Print the plan against bias: causes in order, what can be done about each, and at what cost."""
    if plan.lines:
        first = plan.lines[0]
        headed(console, f"First: {CAUSES[first.cause][0].lower()}, {whom(first.evidence)}.")
    else:
        headed(console, "No clear finding asks for anything.")
    for number, line in enumerate(plan.lines, 1):
        _line(console, number, line, unit=unit)
    if plan.doubtful:
        console.print(Text("\nChance alone may explain:", style="bold"))
        for line in plan.doubtful[:_SHOWN]:
            item(
                console, f"{CAUSES[line.cause][0]}, {whom(line.evidence)}: {evidence_sentence(line.evidence)}"
            )
    if plan.quiet:
        console.print(Text("\nAsked, with nothing found:", style="bold"))
        for sentence in plan.quiet:
            item(console, sentence)
    if plan.not_asked:
        console.print(Text("\nNot asked:", style="bold"))
        for sentence in plan.not_asked:
            item(console, sentence)
    if any(line.choices for line in plan.lines):
        console.print(
            "\nTo put a choice in force, write its lines into brief.toml, with chosen_by, chosen_on, reason "
            "and look_again_on; it holds from the next fit on."
        )
    following(console, "Try remedies on history first", command="wholeroad fairness try")


def _line(console: Console, number: int, line: PlanLine, *, unit: str) -> None:
    console.print()
    console.print(
        Text.assemble((f"{number}. {CAUSES[line.cause][0]}: ", "bold"), (whom(line.evidence), "bold cyan"))
    )
    for sentence in (evidence_sentence(line.evidence), line.evidence.does, line.says):
        if sentence:
            said(console, sentence)
    for sentence in line.explains:
        said(console, f"would also bring about: {sentence}")
    for choice in line.choices:
        first = " (try this first)" if choice.first else ""
        item(console, f"{REMEDIES[choice.kind]}{first}: {choice.says}")
        said(console, f"cost: {a_month(choice.costs, choice.costs_say, unit=unit)}", indent=4)
        if choice.effective_share is not None:
            share = figure_in_words(choice.effective_share, "share")
            said(console, f"the fit then knows as much as {share} of the cases would tell", indent=4)
        if choice.toml:
            lines = "\n".join(f"    {each}" for each in choice.toml.strip("\n").splitlines())
            console.print(Text(lines, style="cyan"), soft_wrap=True)  # to be copied: no line may be broken


def show_solution(
    console: Console, fairness: Fairness, *, conflicts: Sequence[Conflict], unit: str, judged: str = ""
) -> None:
    """Print how decisions differ between groups: limits, how far apart, who differs, what conflicts.

    Parameters
    ----------
    judged
        Whose decisions, of when: a sentence.
    """
    verdict = fairness_verdict(fairness, unit)
    headed(console, verdict.headline)
    for sentence in verdict.reasons:
        item(console, sentence)
    rests = cases_sentence(fairness)
    if rests not in verdict.reasons:
        item(console, f"{judged} {rests}".strip())
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
    if not told:
        return
    table = a_table(("by", "measure"), "most", "least", "apart", "ratio", "clear?")
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
                one.grouping, short_title(one.measure), *ends, apart, ratio, "yes" if _is_clear(one) else "no"
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


def show_difference_tried(
    console: Console,
    worth: Difference | None,
    *,
    before: Fairness | None,
    after: Fairness | None,
    remedies: Sequence[str],
    unit: str,
) -> None:
    """Print what remedies change when they are tried on history: the differences first, then the money.

    Parameters
    ----------
    worth
        The money with them less that without; None where nothing could be compared.
    before, after
        The same cases assessed without and with them.
    remedies
        What was tried, in words: :func:`wholeroad.road.model.fairness.record.remedy_in_words`.
    """
    tried = "; ".join(remedies) or "nothing"
    stands = None if after is None else fairness_verdict(after, unit)
    headed(console, f"Tried on history: {tried}.")
    if stands is not None:
        item(console, f"with it: {stands.headline}")
    rows = _both(before, after)
    if rows:
        table = a_table(("by", "measure"), "apart without", "apart with it")
        for one, other in rows:
            table.add_row(
                *cells(
                    one.grouping,
                    short_title(one.measure),
                    *(
                        "too few cases"
                        if each.difference is None
                        else below(apart_in_words(each.difference, each.unit, unit=unit))
                        for each in (one, other)
                    ),
                )
            )
        console.print(table)
        item(console, "each interval stands alone; whether one lies below the other is not tested here")
    if worth is None:
        console.print(Text("The money couldn't be compared.", style="yellow"))
    else:
        console.print(Text(worth_in_words(worth, "the remedies", unit=unit)))
    following(
        console, "To keep it, write it into brief.toml with chosen_by and reason", command="wholeroad check"
    )


def _both(before: Fairness | None, after: Fairness | None) -> list[tuple[Disparity, Disparity]]:
    if before is None or after is None:
        return []
    named = {(one.grouping, one.measure): one for one in after.disparities}
    limited = {one.measure for one in (*before.limits, *after.limits)}
    return [
        (one, named[one.grouping, one.measure])
        for one in before.disparities
        if (one.grouping, one.measure) in named and one.measure in (limited or MATTERING)
    ]
