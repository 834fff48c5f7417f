"""What the commands print about slices, the price of fairness and flips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from wholeroad.interfaces.cli.fairness_lines import a_table, below, cells, following, headed, item
from wholeroad.interfaces.report.amounts import count, days_between
from wholeroad.interfaces.report.fairness_rows import flip_rows, slice_rows
from wholeroad.interfaces.report.fairness_words import (
    apart_in_words,
    chosen_point,
    money_in_words,
    price_sentences,
    short_title,
    tolerance_in_words,
    unit_of,
)

if TYPE_CHECKING:
    from rich.console import Console

    from wholeroad.road.brief.contract import Brief
    from wholeroad.road.model.fairness.priced import Flip, PriceCurve, PricePoint
    from wholeroad.road.watch.sliced import Slices

_SHOWN: Final = 12


def show_slices(console: Console, slices: Slices, *, unit: str, assumes: str = "") -> None:
    """Print the worst slices, the largest excess loss in total first, and how sure that is."""
    clear = len(slices.clear)
    if not slices.searched:
        headed(console, "Nothing was searched: there are too few cases, or no feature parts them.")
        if assumes:
            item(console, assumes)
        return
    if clear:
        headed(
            console,
            f"{count(clear, 'slice')} of {slices.tested:,} tested {'fares' if clear == 1 else 'fare'} worse.",
        )
    else:
        headed(console, "No slice stands: chance alone may explain those that look worst.")
    if assumes:
        item(console, assumes)
    item(console, f"searched for: {slices.loss}; over all {money_in_words(slices.overall, unit)} per case")
    rows = slice_rows(slices, unit)
    if rows:
        table = a_table(("slice",), "cases", "lost per case", "more than elsewhere", "of all loss", "stands?")
        for row, one in zip(rows[:_SHOWN], slices.slices, strict=False):
            table.add_row(
                *cells(
                    row["conditions"],
                    row["cases"],
                    f"{row['figure'][0]}\n({row['figure'][1]})",
                    f"{row['excess'][0]}\n({row['excess'][1]})",
                    row["share"],
                    row["mark"],
                ),
                style="bold" if one.clear else "",
            )
        console.print(table)
        if len(rows) > _SHOWN:
            item(console, f"{len(rows) - _SHOWN} more are on the page: wholeroad fairness page")
    item(
        console,
        f"{slices.searched:,} slices were looked at on one half of the cases; these figures are from the "
        f"other. Of those that stand {slices.rate:.0%} are expected to be there by chance. Slices overlap",
    )
    item(
        console,
        "a slice stands for this span: luck that lasts for weeks is not in the intervals, so that one with "
        "a bad month may stand and not lose again",
    )
    following(console, "What one case hung on", command="wholeroad explain decision KEY")


def show_price(
    console: Console,
    curves: Sequence[PriceCurve],
    *,
    brief: Brief,
    assumes: str = "",
    absent: Sequence[str] = (),
) -> None:
    """Print what bringing groups together costs, a curve for each grouping and measure.

    Parameters
    ----------
    assumes
        What money and error rates take for granted.
    absent
        Why there is no curve for a grouping, a sentence each.
    """
    unit = brief.unit
    if not curves:
        headed(console, "No price could be worked out: nothing was judged on later cases.")
    for sentence in (*((assumes,) if assumes else ()), *absent):
        item(console, sentence)
    for curve in curves:
        chosen = chosen_point(curve, brief)
        kind = unit_of(curve.equal)
        first, *more = price_sentences(curve, unit, chosen=chosen)
        headed(console, first)
        for sentence in more:
            item(console, sentence)
        table = a_table(("allowed",), "left", "gain per case", "price per case", "selected")
        for alike in _alike((curve.without, *curve.points), chosen):
            point = alike[0]
            mark = " (chosen)" if point is chosen else ""
            allowed = tolerance_in_words(alike[-1], curve, unit=unit)
            if len(alike) > 1:
                allowed += f"\n(or {tolerance_in_words(point, curve, unit=unit)})"
            table.add_row(
                *cells(
                    allowed + mark,
                    below(apart_in_words(point.disparity, kind, unit=unit)),
                    below(money_in_words(point.gain_per_case, unit)),
                    "–" if point is curve.without else below(money_in_words(point.price_per_case, unit)),
                    _from_to(point.selection),
                ),
                style="bold" if point is chosen else "",
            )
        console.print(table)
        learnt = days_between(curve.learnt_from_at, curve.learnt_to_at)
        judged = days_between(curve.judged_from_at, curve.judged_to_at)
        item(
            console,
            f"{short_title(curve.equal)} by {curve.grouping}: thresholds learnt on cases of {learnt}, judged"
            f" on {count(curve.cases, 'case')} of {judged}; {curve.confidence:.0%} intervals, the price"
            " paired case by case. The price is that of this model",
        )
        console.print()
    following(
        console, "Write the one you choose into brief.toml, and try it", command="wholeroad fairness try"
    )


def _alike(points: Sequence[PricePoint], chosen: PricePoint | None) -> list[list[PricePoint]]:
    """Put tolerances together that come to the same decisions on later cases; the chosen one stands alone."""
    found: list[list[PricePoint]] = []
    for place, point in enumerate(points):
        last = found[-1][-1] if place > 1 else None
        same = last is not None and all(
            getattr(last, name) == getattr(point, name)
            for name in ("disparity", "gain_per_case", "price_per_case", "selection")
        )
        if same and point is not chosen and last is not chosen:
            found[-1].append(point)
        else:
            found.append([point])
    return found


def _from_to(selection: dict[str, float]) -> str:
    told = [share for share in selection.values() if math.isfinite(share)]
    return f"{min(told):.1%} to {max(told):.1%}" if told else "not known"


def show_flips(console: Console, flips: Sequence[Flip], *, notes: Sequence[str] = ()) -> None:
    """Print what another value of a group would have changed, the largest share first.

    Parameters
    ----------
    notes
        What flips can't tell here, a sentence each.
    """
    if not flips:
        headed(console, "Nothing to flip: no group is a feature of the model.")
        for sentence in notes:
            item(console, sentence)
        item(
            console,
            "it may tell groups by other features all the same; wholeroad fairness data says how well",
        )
        return
    ordered = sorted(flips, key=lambda one: (-_share(one), one.feature, one.from_value, one.to_value))
    clear = [one for one in ordered if one.otherwise.low > 0]
    if clear:
        worst = clear[0]
        headed(
            console,
            f"{worst.feature} weighs by itself: with {worst.to_value} in place of {worst.from_value},"
            f" {worst.otherwise.value:.1%} of the cases are decided otherwise.",
        )
    else:
        headed(console, "No other value of a group clearly changes any decision by itself.")
    table = a_table(
        ("feature", "change"), "cases", "decided otherwise", "selected only then", "only as it was"
    )
    for row in flip_rows(ordered[:_SHOWN]):
        figure, interval = row["otherwise"]
        table.add_row(
            *cells(
                row["feature"],
                row["change"],
                row["cases"],
                f"{figure}\n({interval})",
                row["more"],
                row["less"],
            )
        )
    console.print(table)
    if len(ordered) > _SHOWN:
        item(console, f"{len(ordered) - _SHOWN} more are on the page: wholeroad fairness page")
    item(
        console,
        "everything else stayed as it was, also what would be different in another life: many flips "
        "accuse, none don't acquit",
    )
    for sentence in notes:
        item(console, sentence)
    following(console, "How well groups can be told without the column", command="wholeroad fairness data")


def _share(one: Flip) -> float:
    return one.otherwise.value if math.isfinite(one.otherwise.value) else -1.0
