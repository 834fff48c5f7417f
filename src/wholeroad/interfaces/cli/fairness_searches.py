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
    from wholeroad.road.model.fairness.priced import Flip, PriceCurve
    from wholeroad.road.watch.sliced import Slices

_SHOWN: Final = 12


def show_slices(console: Console, slices: Slices, *, unit: str) -> None:
    """Print the worst slices, the largest excess loss in total first, and how sure that is."""
    clear = len(slices.clear)
    if clear:
        headed(
            console,
            f"{count(clear, 'slice')} of {slices.tested:,} tested {'fares' if clear == 1 else 'fare'} worse.",
        )
    else:
        headed(console, "No slice stands: chance alone may explain those that look worst.")
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
    following(console, "What one case hung on", command="wholeroad explain decision KEY")


def show_price(console: Console, curves: Sequence[PriceCurve], *, brief: Brief) -> None:
    """Print what bringing groups together costs, a curve for each grouping and measure."""
    unit = brief.unit
    if not curves:
        headed(console, "No price could be worked out: nothing was judged on later cases.")
    for curve in curves:
        chosen = chosen_point(curve, brief)
        kind = unit_of(curve.equal)
        first, *more = price_sentences(curve, unit, chosen=chosen)
        headed(console, first)
        for sentence in more:
            item(console, sentence)
        table = a_table(("allowed",), "left", "gain per case", "price per case", "selected")
        for point in (curve.without, *curve.points):
            mark = " (chosen)" if point is chosen else ""
            table.add_row(
                *cells(
                    tolerance_in_words(point, curve, unit=unit) + mark,
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


def _from_to(selection: dict[str, float]) -> str:
    told = [share for share in selection.values() if math.isfinite(share)]
    return f"{min(told):.1%} to {max(told):.1%}" if told else "not known"


def show_flips(console: Console, flips: Sequence[Flip]) -> None:
    """Print what another value of a group would have changed, the largest share first."""
    if not flips:
        headed(console, "Nothing to flip: no group is a feature of the model.")
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
    following(console, "How well groups can be told without the column", command="wholeroad fairness data")


def _share(one: Flip) -> float:
    return one.otherwise.value if math.isfinite(one.otherwise.value) else -1.0
