"""What the commands print about labels: suspects, verdicts, agreement, and what correcting is worth."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wholeroad.interfaces.cli.curating import worth_in_words
from wholeroad.interfaces.report.amounts import amount, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from wholeroad.engine.reviewing import People
    from wholeroad.engine.variants import Difference
    from wholeroad.road.review.estimates import Audit
    from wholeroad.road.review.facts import VerdictsRead
    from wholeroad.road.review.intervals import Bounded
    from wholeroad.road.review.work import Examined

_SHOWN = 10


def show_suspects(console: Console, found: Examined, *, unit: str, sheet: Path | None) -> None:
    """Print how many labels are suspected, the costliest of them, and what that doesn't mean."""
    suspects = found.suspects.positions.size
    share = found.noise.share
    console.print(
        Text(f"{count(suspects, 'label')} of {found.labels.size:,} judged ones may be wrong", style="bold")
    )
    _item(
        console,
        f"labels and model contradict each other in {_bounded(share)} of them: wrong labels or bad luck, "
        "which no model can tell apart; where outcomes are luck, most of it is luck. Only verdicts tell",
    )
    _item(console, f"at stake, if each suspect is wrong as the model says: {amount(found.expected)} {unit}")
    for reason, cases in found.left_out.items():
        _item(console, f"not judged, {count(cases, 'case')}: {reason}")
    if found.silent:
        _item(console, f"of {found.silent:,} the label is silence, taken for a class")
    _item(
        console,
        "a suspect is a question: in public audits people confirmed 15% to 88% of such flags (Northcutt, "
        "Athalye, Mueller 2021). Nothing was changed or left out",
    )
    frame = found.frame().head(_SHOWN)
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    for name in ("case", "label", "suggested"):
        shown.add_column(name, overflow="fold")
    for name in ("probability", f"{unit} if wrong"):
        shown.add_column(name, justify="right")
    for row in frame.iter_rows(named=True):
        shown.add_row(
            *(
                Text(each)
                for each in (" ".join(map(str, json.loads(row["key"]))), row["given"], row["suggested"])
            ),
            f"{row['chance']:.0%}",
            amount(row["money"]),
        )
    console.print(shown)
    if sheet is None:
        console.print("To ask people about them: wholeroad data labels --to sheet.csv")
    else:
        console.print(
            Text(
                f"Wrote {sheet}: suspects, and others drawn by chance, which look the same. Fill in verdict "
                f"and by (unsure is a verdict too), then: wholeroad data verdicts {sheet}"
            )
        )


def show_read(console: Console, fact: VerdictsRead) -> None:
    """Print what became of a sheet that came back."""
    console.print(
        f"Took {count(fact.count, 'verdict')} on {count(fact.cases, 'case')}, by "
        f"{count(fact.people, 'reviewer')}; {fact.repeated:,} were there already, {count(fact.empty, 'row')} "
        "without one. From now on they stand over the outcome's rows; what was decided and learnt before "
        "stays as it was."
    )


def show_audits(console: Console, audits: Sequence[Audit], *, people: People, unit: str) -> None:
    """Print what the verdicts say of the flags and of the labels, and how people agree."""
    for one in audits:
        console.print(Text(f"Review {one.review}", style="bold"))
        _item(console, f"suspects whose label people found wrong: {_bounded(one.confirmed)}")
        _item(console, f"wrong among the cases drawn by chance: {_bounded(one.missed)}")
        errors = one.errors
        if math.isfinite(errors.value):
            _item(
                console,
                f"wrong labels among all judged cases: about {errors.value:,.0f} "
                f"({errors.low:,.0f} to {errors.high:,.0f})",
            )
        _item(console, f"booked wrongly by the confirmed ones: {amount(one.money)} {unit}")
        torn = f"; people disagree evenly on {one.contested:,}" if one.contested else ""
        _item(console, f"open, without a verdict or with unsure ones alone: {count(one.open, 'item')}{torn}")
    if people.alpha is not None:
        raw = people.alpha.raw
        _item(
            console,
            f"agreement: Krippendorff's alpha {_figure(people.alpha.coefficient)}; the same verdict in "
            f"{_bounded(raw)} of pairs, {people.alpha.chance:.0%} by chance alone",
        )
    for (one_name, other), found in people.pairs.items():
        _item(console, f"{one_name} and {other}: Cohen's kappa {_figure(found.coefficient)}")
    if people.consensus is not None and len(people.names) > 1:
        for place, name in enumerate(people.names):
            if people.consensus.told[place]:
                rights = ", ".join(
                    f"{each} {people.consensus.confusion[place, code, code]:.0%}"
                    for code, each in enumerate(people.classes)
                )
                _item(console, f"{name} is right, by the consensus of all, on {rights}")
            else:
                _item(
                    console,
                    f"how often {name} errs can't be told: too few items were judged by two others as well",
                )


def show_corrected(
    console: Console, found: Difference, *, most: int, assumed: float | None, unit: str
) -> None:
    """Print what correcting the first suspects is worth."""
    console.print(
        Text(worth_in_words(found, f"the labels of the first {most:,} suspects corrected", unit=unit))
    )
    if assumed is not None:
        console.print(
            f"Assumed: {assumed:.0%} of the suspects that nobody has looked at are wrong, drawn by their "
            "hash. Assumed labels are the opinion of the model that decides, so it is judged in part by "
            "itself: if fewer are wrong the figure may lie on either side, and the interval doesn't say so. "
            "Verdicts would replace the assumption.",
            style="yellow",
        )


def _bounded(share: Bounded) -> str:
    if not math.isfinite(share.value):
        return "can't be told yet"
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%}; n = {share.n:,})"


def _figure(found: Bounded) -> str:
    if not math.isfinite(found.value):
        return "can't be told: only one class came up"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f}; {found.n:,} items)"


def _item(console: Console, text: str) -> None:
    console.print(Padding(Text(f"• {text}"), (0, 0, 0, 2)))
