"""Fairness on the record: what the model card says of it, and how its measures and figures are written.

Who was compared, what was measured, how far apart they are and how sure that is, what was decided, by whom,
and when to look again (after Mitchell et al. 2019, *Model cards for model reporting*, FAT*, sections 4.4 to
4.8).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from wholeroad.core.estimates import Estimate
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.fairness import GroupTable, Kind, RemedyTable
from wholeroad.road.model.fairness.definitions import IN_WORDS, conflicts
from wholeroad.road.model.fairness.results import Disparity, Fairness, GroupFigure, LimitHeld, Unit

TITLES: Final[dict[str, str]] = {
    "base_rate": "Came true (base rate)",
    "selection_rate": "Selected, of all (selection rate)",
    "true_positive_rate": "Selected, where it came true (true positive rate)",
    "false_positive_rate": "Selected, where it didn't come true (false positive rate)",
    "false_negative_rate": "Passed over, where it came true (false negative rate)",
    "true_negative_rate": "Passed over, where it didn't come true (true negative rate)",
    "precision": "Came true, of those selected (precision)",
    "accuracy": "Decided as the outcome would have it (accuracy)",
    "equalized_odds": "The larger gap of true and false positive rate (equalized odds)",
    "mean_prediction": "Foretold, on the mean",
    "calibration_gap": "Foretold less what came true (calibration gap)",
    "brier": "Squared distance of probabilities from what came true (Brier score)",
    "money_per_case": "Money per case",
    "gain_per_case": "Gain over the status quo per case",
    "regret_per_case": "Short of the best action per case (regret)",
}
"""What a measure is called over a table; *it* is the positive class."""

REMEDIES: Final[dict[Kind, str]] = {
    "collect": "Collect more cases",
    "reweigh": "Reweigh before the fit",
    "correct_labels": "Correct labels",
    "thresholds": "A threshold for each group",
    "abstain": "Leave cases to people",
    "accept": "Accept the difference",
}
"""What a remedy is called."""

STANDINGS: Final[dict[Literal["holds", "open", "breached"], str]] = {
    "holds": "holds",
    "open": "can't be told yet",
    "breached": "breached",
}
"""How a limit stands, in words."""

_MOST_VALUES: Final = 12
"""Groups with more values than this are told by their ends alone."""

_WHAT_IT_LACKS: Final = """\
### What this doesn't show

- Groups that the brief doesn't name, and cases whose outcome nobody saw: a rate among those whose outcome is
  known says nothing of the others.
- Whether a difference is just. A figure says how far apart groups are, not why, and no threshold makes that
  a decision.
- Later time. The figures are those of the choose slice, on which the trial fit had not learnt; the rehearsal
  and the watch after release look at later cases."""


def title_of(measure: str) -> str:
    """Name a measure for people.

    Examples
    --------
    >>> title_of("selection_rate"), title_of("share_of_age")
    ('Selected, of all (selection rate)', 'Share of age')
    """
    return TITLES.get(measure) or f"{measure[:1].upper()}{measure[1:].replace('_', ' ')}"


def words_of(measure: str) -> str:
    """Say what a measure says of a group; empty where nobody has put it into words."""
    return IN_WORDS.get(measure, "")


def selected_names(brief: Brief) -> tuple[str, ...]:
    """Name the actions that count as being selected."""
    chosen = brief.fairness.selected if brief.fairness else ()
    return chosen or tuple(name for name in brief.actions if name != brief.value.status_quo.get("action"))


def figure_in_words(value: float, unit: Unit, *, money: str = "", apart: bool = False) -> str:
    """Write a figure of a measure.

    Parameters
    ----------
    value
        Finite, or *not known* is written.
    money
        The brief's unit; left out where it stands over the column.
    apart
        Whether it is a difference of two: shares are then written in points of a hundred.

    Examples
    --------
    >>> figure_in_words(0.1234, "share"), figure_in_words(0.1234, "share", apart=True)
    ('12.3%', '12.3 points')
    >>> figure_in_words(-3.456, "money", money="EUR"), figure_in_words(float("nan"), "share")
    ('-3.46 EUR', 'not known')
    """
    if not math.isfinite(value):
        return "not known"
    if unit == "share":
        return _signed(f"{100 * value:,.1f}") + (" points" if apart else "%")
    digits = 0 if abs(value) >= 100 else 2 if abs(value) >= 0.1 or not value else 3
    return f"{_signed(f'{value:,.{digits}f}')} {money}".rstrip()


def bound_figure(value: float, unit: Unit, *, money: str = "") -> str:
    """Write what a limit or a remedy asks for, as it was asked.

    Examples
    --------
    >>> bound_figure(0.05, "share"), bound_figure(2.0, "money", money="EUR")
    ('5 points', '2 EUR')
    """
    return f"{100 * value:.6g} points" if unit == "share" else f"{value:,.6g} {money}".rstrip()


def range_in_words(found: Estimate, unit: Unit, *, money: str = "", apart: bool = False) -> str:
    """Write an interval; one that is unbounded on a side says so.

    Examples
    --------
    >>> range_in_words(Estimate(0.2, 0.1, 0.3), "share")
    '10.0% to 30.0%'
    >>> range_in_words(Estimate(0.2, float("-inf"), float("inf")), "share")
    'no interval'
    """
    low, high = (
        figure_in_words(each, unit, money=money, apart=apart) if math.isfinite(each) else ""
        for each in (found.low, found.high)
    )
    if low and high:
        if unit == "share" and apart:
            low = low.removesuffix(" points")
        return f"{low.removesuffix(f' {money}') if money else low} to {high}"
    return f"{low} or more" if low else f"{high} or less" if high else "no interval"


def remedy_in_words(remedy: RemedyTable, unit: str) -> str:
    """Say what a remedy of the brief does, and for whom."""
    whose = f"{remedy.group}: {', '.join(remedy.values)}" if remedy.values else f"every {remedy.group}"
    said = f"{REMEDIES[remedy.kind]} ({whose})"
    if remedy.equal:
        kind: Unit = "money" if remedy.equal == "gain_per_case" else "share"
        left = f"up to {bound_figure(remedy.within, kind, money=unit)}" if remedy.within else "wholly"
        said += f"; brings the {remedy.equal.replace('_', ' ')} together, {left}"
    if remedy.below is not None:
        said += (
            f"; where acting is expected to bring less than {figure_in_words(remedy.below, 'money')} {unit}"
        )
    if remedy.cases:
        said += f"; {remedy.cases:,} cases"
    if remedy.until:
        said += f" until {remedy.until.isoformat()}"
    return said


def reads(table: GroupTable) -> str:
    """Say from what a group of the brief is read."""
    if table.all_of:
        return f"all of {', '.join(table.all_of)} together"
    return f"{table.form} {getattr(table, table.form)}"


def fairness_section(fairness: Fairness | None, *, brief: Brief, stopped: Sequence[str] = ()) -> str:
    """Write the section on fairness of a model card in Markdown.

    Parameters
    ----------
    fairness
        Of the champion's decisions on the choose slice; None where nothing was assessed.
    brief
        With or without ``[fairness]``; without it the section says that nobody asked.
    stopped
        Names of the limits that keep the model from being put in charge.

    Returns
    -------
    str
        Without a line end at its end; texts from data stand in table cells and code spans, so that none
        takes effect.
    """
    table = brief.fairness
    if table is None:
        return (
            "## Fairness\n\nNo group was compared: the brief has no `[fairness]`. Nothing is known about how "
            "decisions differ between groups of people or things."
        )
    parts = ["## Fairness", *_who(brief)]
    if fairness is None:
        parts.append(
            "Nothing was assessed by group for this model: the brief asks for no limit and no remedy "
            "that a fit carries out. `wholeroad fairness solution` assesses decisions."
        )
    else:
        parts += _assessed(fairness, brief)
        parts += _limits(fairness.limits, stopped)
    parts += [_decided(table.remedies, brief.unit), _WHAT_IT_LACKS]
    return "\n\n".join(part for part in parts if part)


def _who(brief: Brief) -> Iterator[str]:
    table = brief.fairness
    if table is None:
        return
    actions = selected_names(brief)
    meant = {"benefit": ", which is a benefit to them", "burden": ", which is a burden to them"}
    said = f"Selected means: {_plain(', '.join(actions[:_MOST_VALUES]))}{meant.get(table.selected_is, '')}."
    if brief.outcome.positive:
        said += f" It came true means: {_plain(brief.outcome.positive)}."
    affected = f" Affected: {_plain(brief.brief.affects)}." if brief.brief.affects else ""
    yield (
        f"### Who was compared\n\n{said}{affected} No group's column is shown to the model unless the brief "
        "names it as a feature too."
    )
    yield "\n".join(
        f"- `{name}`: {_plain(reads(group))}"
        + (
            f"; shares of the population from {_plain(group.population_from)}"
            if group.population_from
            else ""
        )
        for name, group in table.groups.items()
    )


def _assessed(fairness: Fairness, brief: Brief) -> Iterator[str]:
    yield (
        f"### How much, and how sure\n\n{fairness.cases:,} decisions, {fairness.settled:,} with a known "
        f"outcome. Every interval holds with {fairness.confidence:.0%} confidence and rests on "
        f"{fairness.blocks:,} {fairness.block_kind}; that of a difference holds for whichever two groups lie "
        "furthest apart."
    )
    shown = [one for one in fairness.disparities if one.difference is not None]
    head = ["group", "measure", "most", "least", "apart", "least of most"]
    if shown:
        yield _table(head, [_apart(one, fairness, brief.unit) for one in shown])
    untold = [one for one in fairness.disparities if one.difference is None]
    if untold:
        names = dict.fromkeys(f"{title_of(one.measure)} by {_plain(one.grouping)}" for one in untold)
        yield f"Too few cases in too few groups to tell: {'; '.join(names)}."
    for name, pooled in fairness.pooled.items():
        if pooled:
            yield f"Put together, being too small to stand alone, of {_plain(name)}: {_pooled(pooled)}."
    clashing = conflicts(fairness)
    if clashing:
        listed = "\n".join(f"- {_plain(each.says)}" for each in clashing)
        yield f"Definitions of fairness that don't go together here:\n\n{listed}"


def _pooled(pooled: dict[str, int]) -> str:
    if len(pooled) > _MOST_VALUES:
        return f"{len(pooled)} values with {sum(pooled.values()):,} cases"
    return ", ".join(f"{_plain(value)} ({cases:,})" for value, cases in pooled.items())


def _apart(one: Disparity, fairness: Fairness, money: str) -> list[str]:
    if one.difference is None:
        return []
    most, least = (_value_of(fairness.figures, one, value, money) for value in (one.highest, one.lowest))
    difference = figure_in_words(one.difference.value, one.unit, money=money, apart=True)
    ratio = "–" if one.ratio is None else f"{one.ratio.value:.2f} ({_ratio_range(one.ratio)})"
    between = range_in_words(one.difference, one.unit, money=money, apart=True)
    return [_plain(one.grouping), title_of(one.measure), most, least, f"{difference} ({between})", ratio]


def _ratio_range(ratio: Estimate) -> str:
    if not (math.isfinite(ratio.low) and math.isfinite(ratio.high)):
        return "no interval"
    return f"{ratio.low:.2f} to {ratio.high:.2f}"


def _value_of(figures: Sequence[GroupFigure], one: Disparity, value: str, money: str) -> str:
    found = next(
        (
            each
            for each in figures
            if (each.measure, each.grouping, each.value) == (one.measure, one.grouping, value)
        ),
        None,
    )
    if found is None:
        return _plain(value)
    said = figure_in_words(found.figure.value, found.unit, money=money)
    return f"{_plain(value)}: {said} (n = {found.cases:,})"


def _limits(limits: Sequence[LimitHeld], stopped: Sequence[str]) -> Iterator[str]:
    if not limits:
        yield "### Limits\n\nThe brief sets none: no difference would keep a model from being put in charge."
        return
    rows = [
        [
            f"`{one.limit}`".replace("|", "/"),
            STANDINGS[one.standing] + (", stops the model" if one.stops else ""),
            _plain(one.says) or "–",
        ]
        for one in limits
    ]
    yield f"### Limits\n\n{_table(['limit', 'it', 'on what evidence'], rows)}"
    if stopped:
        names = ", ".join(f"`{name}`" for name in stopped)
        yield f"**Not put in charge**, because of {names}: cases were decided as before."


def _decided(remedies: Sequence[RemedyTable], unit: str) -> str:
    if not remedies:
        return "### What was decided\n\nNo remedy stands in the brief, and nobody has accepted a difference."
    head = ["remedy", "reason", "chosen by", "on", "look again on"]
    rows = [
        [
            _plain(remedy_in_words(one, unit)),
            _plain(one.reason) or "none was written",
            _plain(one.chosen_by) or "nobody is named",
            one.chosen_on.isoformat() if one.chosen_on else "no day",
            one.look_again_on.isoformat() if one.look_again_on else "no day",
        ]
        for one in remedies
    ]
    return f"### What was decided\n\n{_table(head, rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _plain(text: str) -> str:
    """Take the effect off a text from data: Markdown and HTML are shown as they were written."""
    joined = " ".join(text.split())
    for sign, shown in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        joined = joined.replace(sign, shown)
    for sign in "\\`*_[]|":
        joined = joined.replace(sign, f"\\{sign}")
    return joined


def _signed(text: str) -> str:
    """Leave the sign off what is shown as zero."""
    return text.removeprefix("-") if not text.strip("-0.,") else text
