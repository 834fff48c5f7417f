"""The rows of a page of fairness: texts ready to be escaped, each figure as the result object holds it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from markupsafe import Markup

from wholeroad.interfaces.report.amounts import count, days_between
from wholeroad.interfaces.report.fairness_charts import (
    Dot,
    dots_chart,
    ends_of,
    price_chart,
    short_labels,
)
from wholeroad.interfaces.report.fairness_words import (
    MATTERING,
    apart_in_words,
    bound_in_words,
    chosen_point,
    figure_of,
    held_in_words,
    money_in_words,
    price_sentences,
    ratio_range,
    short_title,
    tolerance_in_words,
    unit_of,
)
from wholeroad.road.brief.contract import Brief
from wholeroad.road.model.fairness.definitions import DEFINITIONS, conflicts
from wholeroad.road.model.fairness.priced import Flip, PriceCurve
from wholeroad.road.model.fairness.record import (
    STANDINGS,
    figure_in_words,
    range_in_words,
    reads,
    title_of,
    words_of,
)
from wholeroad.road.model.fairness.results import Disparity, Fairness, GroupFigure, LimitHeld
from wholeroad.road.watch.sliced import Slices

MARKS: Final = {"holds": "✓", "open": "?", "breached": "✗"}
"""Beside the words for how a limit stands."""

_MOST_POOLED: Final = 12


def group_rows(fairness: Fairness | None, brief: Brief) -> list[dict[str, Any]]:
    """Tell who is compared: each grouping, its values with their cases, and its population."""
    table = brief.fairness
    if table is None:
        return []
    return [
        {
            "name": name,
            "reads": reads(group),
            "population_from": group.population_from,
            "stated": bool(group.population),
            "values": [] if fairness is None else list(_values(fairness, name, group.population)),
            "pooled": _pooled({} if fairness is None else fairness.pooled.get(name, {})),
        }
        for name, group in table.groups.items()
    ]


def _values(fairness: Fairness, grouping: str, population: dict[str, float]) -> Iterator[dict[str, str]]:
    cases: dict[str, int] = {}
    for one in fairness.figures:
        if one.grouping == grouping and one.value:
            cases[one.value] = max(cases.get(one.value, 0), one.cases)
    for value in (*cases, *(each for each in population if each not in cases)):
        number = cases.get(value, 0)
        yield {
            "value": value,
            "cases": f"{number:,}",
            "share": figure_in_words(number / max(1, fairness.cases), "share"),
            "population": figure_in_words(population[value], "share")
            if value in population
            else "not stated",
        }


def _pooled(pooled: dict[str, int]) -> str:
    if not pooled:
        return ""
    shown = list(pooled.items())[:_MOST_POOLED]
    more = len(pooled) - len(shown)
    names = ", ".join(f"{value} ({cases:,})" for value, cases in shown)
    return f"{names}{f' and {more} more' if more else ''}; {count(sum(pooled.values()), 'case')} together"


def measure_rows(fairness: Fairness) -> list[tuple[str, str]]:
    """Give each measure of an assessment with what it says in words."""
    measures = dict.fromkeys(
        [one.measure for one in (*fairness.everybody, *fairness.figures)]
        + [one.measure for one in fairness.disparities]
    )
    return [(title_of(measure), words_of(measure)) for measure in measures]


def definition_rows(fairness: Fairness, unit: str) -> list[dict[str, Any]]:
    """Give each definition of fairness in words, and how far each grouping is from it."""
    shown = []
    for one in DEFINITIONS:
        mine = [each for each in fairness.disparities if each.measure in one.measures]
        if mine:
            far = [
                f"{each.grouping}, {short_title(each.measure)}: "
                + (
                    "too few cases to tell"
                    if each.difference is None
                    else f"{apart_in_words(each.difference, each.unit, unit=unit)},"
                    f" {'clearly apart' if each.difference.low > 0 else 'not clearly apart'}"
                )
                for each in mine
            ]
            shown.append({"name": one.name, "says": one.says, "source": one.source, "far": far})
    return shown


def conflict_sentences(fairness: Fairness) -> list[str]:
    """Say which definitions don't go together here, first where base rates clearly differ."""
    found = sorted(conflicts(fairness), key=lambda one: not one.base_rates_differ)
    return [f"{one.says[:1].upper()}{one.says[1:]}" for one in found]


def figure_groups(fairness: Fairness, unit: str, *, only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Give the figures by grouping and measure, with a chart for each measure that matters.

    Parameters
    ----------
    only
        Measures to be shown; all of them unless said.
    """
    limited = {one.measure for one in fairness.limits}
    if "equalized_odds" in limited:
        limited |= {"true_positive_rate", "false_positive_rate"}
    shown = []
    for place, grouping in enumerate(dict.fromkeys(one.grouping for one in fairness.figures)):
        mine: dict[str, list[GroupFigure]] = {}
        for one in fairness.figures:
            if one.grouping == grouping and (not only or one.measure in only):
                mine.setdefault(one.measure, []).append(one)
        measures = [
            _measure(
                fairness,
                figures,
                unit=unit,
                name=f"fairness{place}-{number}",
                drawn=measure in limited or measure in MATTERING,
            )
            for number, (measure, figures) in enumerate(mine.items())
        ]
        shown.append(
            {
                "name": grouping,
                "anchor": f"figures-{place}",
                "measures": measures,
                "apart": [
                    apart_row(one, fairness, unit=unit)
                    for one in fairness.disparities
                    if one.grouping == grouping and (not only or one.measure in only)
                ],
            }
        )
    return shown


def _measure(
    fairness: Fairness, figures: Sequence[GroupFigure], *, unit: str, name: str, drawn: bool
) -> dict[str, Any]:
    one = figures[0]
    everybody = next((each for each in fairness.everybody if each.measure == one.measure), None)
    whole = "" if everybody is None else figure_in_words(everybody.figure.value, everybody.unit, money=unit)
    told = [each for each in figures if each.enough and math.isfinite(each.figure.value)]
    label = f"{title_of(one.measure)} by {one.grouping}"
    if told:
        most, least = (
            max(told, key=lambda each: each.figure.value),
            min(told, key=lambda each: each.figure.value),
        )
        ends = (
            f"{each.value} {figure_in_words(each.figure.value, each.unit, money=unit)}"
            for each in (most, least)
        )
        label += ": most {}, least {}".format(*ends)
    dots = _dots(figures) if drawn and told else []
    return {
        "title": title_of(one.measure),
        "label": f"{label}. Everybody: {whole or 'not known'}.",
        "everybody": whole,
        "svg": Markup(  # noqa: S704 - our own drawing; the renderer escapes its texts
            dots_chart(
                dots,
                reference=None if everybody is None else everybody.figure.value,
                percent=one.unit == "share",
                name=name,
                title="" if one.unit == "share" else f"{unit} per case",
            )
        )
        if dots
        else "",
        "left_out": len(figures) - len(dots) if dots else 0,
        "rows": [
            _figure(each, unit, whole=everybody) for each in (*([everybody] if everybody else []), *figures)
        ],
    }


def _dots(figures: Sequence[GroupFigure]) -> list[Dot]:
    labels = short_labels([one.value for one in figures])
    return ends_of(
        [
            Dot(
                labels[one.value],
                one.figure.value,
                one.figure.low,
                one.figure.high,
                clear=differs(one) != "",
                enough=one.enough,
            )
            for one in figures
        ]
    )


def differs(one: GroupFigure) -> str:
    """Say whether a group clearly has more or less than everybody else; empty where neither is clear."""
    if one.rest is None or not one.enough:
        return ""
    return "clearly more" if one.rest.low > 0 else "clearly less" if one.rest.high < 0 else ""


def _figure(one: GroupFigure, unit: str, *, whole: GroupFigure | None) -> dict[str, Any]:
    rest = one.rest
    return {
        "value": one.value or "everybody",
        "everybody": one is whole,
        "cases": f"{one.cases:,}",
        "figure": (
            figure_in_words(one.figure.value, one.unit, money=unit),
            range_in_words(one.figure, one.unit, money=unit),
        ),
        "rest": ("–", "")
        if rest is None
        else (
            figure_in_words(rest.value, one.unit, money=unit, apart=True),
            range_in_words(rest, one.unit, money=unit, apart=True),
        ),
        "shrunk": figure_in_words(one.shrunk, one.unit, money=unit) if math.isfinite(one.shrunk) else "–",
        "mark": "" if one is whole else "too few cases" if not one.enough else differs(one) or "not clear",
    }


def apart_row(one: Disparity, fairness: Fairness, *, unit: str) -> dict[str, Any]:
    """Tell how far apart the groups of one grouping are in one measure."""
    ends = []
    for value in (one.highest, one.lowest):
        found = figure_of(fairness, one, value=value)
        figure = "" if found is None else figure_in_words(found.figure.value, found.unit, money=unit)
        ends.append((value or "–", figure))
    difference = one.difference
    return {
        "title": title_of(one.measure),
        "grouping": one.grouping,
        "highest": ends[0],
        "lowest": ends[1],
        "difference": ("too few cases", "")
        if difference is None
        else (
            figure_in_words(difference.value, one.unit, money=unit, apart=True),
            range_in_words(difference, one.unit, money=unit, apart=True),
        ),
        "ratio": ("–", "") if one.ratio is None else (f"{one.ratio.value:.2f}", ratio_range(one.ratio)),
        "mark": "clear" if difference is not None and difference.low > 0 else "not clear",
        "groups": f"{one.groups:,}",
    }


def limit_rows(limits: Sequence[LimitHeld], unit: str) -> list[dict[str, str]]:
    """Tell how limits stand."""
    return [
        {
            "name": f"{short_title(one.measure)} by {one.grouping}",
            "asks": bound_in_words(one, unit),
            "mark": MARKS[one.standing],
            "standing": STANDINGS[one.standing],
            "kind": one.standing,
            "stops": "stops a fit" if one.stops else "doesn't stop a fit",
            "figure": held_in_words(one, unit),
            "between": f"{one.highest} most, {one.lowest} least" if one.highest and one.lowest else "–",
            "says": one.says,
        }
        for one in limits
    ]


def price_rows(curves: Sequence[PriceCurve], brief: Brief) -> list[dict[str, Any]]:
    """Give each price curve with its chart, sentences and points."""
    unit, shown = brief.unit, []
    for place, curve in enumerate(curves):
        chosen = chosen_point(curve, brief)
        kind = unit_of(curve.equal)
        sentences = list(price_sentences(curve, unit, chosen=chosen))
        shown.append(
            {
                "title": f"{short_title(curve.equal)} by {curve.grouping}",
                "anchor": f"price-{place}",
                "svg": Markup(  # noqa: S704 - as above
                    price_chart(
                        curve, chosen=chosen, percent=kind == "share", unit=unit, name=f"price{place}"
                    )
                ),
                "label": " ".join(sentences),
                "sentences": sentences,
                "learnt": days_between(curve.learnt_from_at, curve.learnt_to_at),
                "judged": days_between(curve.judged_from_at, curve.judged_to_at),
                "cases": count(curve.cases, "case"),
                "confidence": f"{curve.confidence:.0%}",
                "rows": [
                    {
                        "number": number or "–",
                        "within": tolerance_in_words(point, curve, unit=unit),
                        "tag": "without thresholds" if not number else "chosen" if point is chosen else "",
                        "left": apart_in_words(point.disparity, kind, unit=unit),
                        "gain": money_in_words(point.gain_per_case, unit),
                        "price": money_in_words(point.price_per_case, unit) if number else "–",
                        "selection": spread(point.selection),
                    }
                    for number, point in enumerate((curve.without, *curve.points))
                ],
            }
        )
    return shown


def spread(selection: dict[str, float]) -> str:
    """Say who is selected least and most."""
    told = {value: share for value, share in selection.items() if math.isfinite(share)}
    if not told:
        return "not known"
    if len(told) <= 3:
        return ", ".join(f"{value} {figure_in_words(share, 'share')}" for value, share in told.items())
    least, most = min(told, key=lambda value: told[value]), max(told, key=lambda value: told[value])
    ends = (f"{figure_in_words(told[value], 'share')} ({value})" for value in (least, most))
    return f"{' to '.join(ends)}, {len(told)} groups"


def flip_rows(flips: Sequence[Flip]) -> list[dict[str, Any]]:
    """Give what other values of a group would have changed."""
    return [
        {
            "feature": one.feature,
            "change": f"{one.from_value} → {one.to_value}",
            "cases": f"{one.cases:,}",
            "otherwise": (
                figure_in_words(one.otherwise.value, "share"),
                range_in_words(one.otherwise, "share"),
            ),
            "more": figure_in_words(one.more, "share"),
            "less": figure_in_words(one.less, "share"),
            "probability": figure_in_words(one.probability, "share", apart=True),
        }
        for one in flips
    ]


def slice_rows(slices: Slices, unit: str) -> list[dict[str, Any]]:
    """Give the worst slices."""
    return [
        {
            "conditions": " and ".join(one.conditions),
            "cases": f"{one.cases:,}",
            "figure": (
                figure_in_words(one.figure.value, "money", money=unit),
                range_in_words(one.figure, "money", money=unit),
            ),
            "excess": (
                figure_in_words(one.excess.value, "money", money=unit),
                range_in_words(one.excess, "money", money=unit),
            ),
            "share": figure_in_words(one.share_of_loss, "share"),
            "p_value": "below 0.001" if one.p_value < 0.001 else f"{one.p_value:.3f}",
            "mark": "stands" if one.clear else "may be chance",
        }
        for one in slices.slices
    ]
