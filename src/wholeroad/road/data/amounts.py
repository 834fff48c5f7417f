"""What the data say to a formula and its amounts: ends, steps, and whether the outcome matters at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.brief.quantities import FormulaValues
from wholeroad.road.data.findings import Finding
from wholeroad.road.data.history import History

ASKED: Final = 1_000
"""So many cases are asked, spread evenly over the history."""
AT_THE_END: Final = 0.02
FEW_AMOUNTS: Final = 5
_OUTCOMES: Final = 9


def question_amounts(history: History) -> Iterator[Finding]:
    """Ask whether the amounts fit the outcomes, and whether the outcome decides between them."""
    values, levels = history.values, history.told.levels
    if not isinstance(values, FormulaValues) or levels is None:
        return
    truth = history.as_of(history.until + 1).truth()
    known = np.flatnonzero(truth >= 0)
    if not known.size:
        return
    yield from _below_zero(history, levels[truth[known]])
    asked = known[:: max(1, known.size // ASKED)]
    hindsight = _best(values.take(asked), levels[truth[asked]])
    if _outcome_is_no_matter(values.take(asked), levels[truth[known]]):
        yield Finding(
            "check.one-amount-wins",
            "fault",
            "[value] formula",
            "the best amount of each case is the same, whatever the outcome",
            "no prediction can change what is best, so no model is needed",
            "order that amount; or look for a cost that the formula leaves out, such as that of waste",
        )
        return
    yield from _ends(history, hindsight)
    different = np.unique(hindsight).size
    if different < FEW_AMOUNTS:
        yield Finding(
            "check.amounts-coarse",
            "warning",
            "[value] quantity",
            f"with hindsight only {different} of the {len(values.amounts):,} amounts were best for any case",
            "between steps that large a better prediction changes little",
            "make the step smaller, if smaller amounts can be ordered",
        )


def _best(values: FormulaValues, outcome: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give the code of the amount that is best under an outcome; of several the first."""
    money = values.expected(outcome[:, None])
    best: NDArray[np.int64] = np.argmax(np.where(np.isfinite(money), money, -np.inf), axis=1)
    return best


def _outcome_is_no_matter(values: FormulaValues, told: NDArray[np.float64]) -> bool:
    first: NDArray[np.int64] | None = None
    for outcome in np.unique(np.quantile(told, np.linspace(0, 1, _OUTCOMES), method="inverted_cdf")):
        best = _best(values, np.full(len(values), outcome))
        if first is not None and not np.array_equal(best, first):
            return False
        first = best
    return True


def _below_zero(history: History, told: NDArray[np.float64]) -> Iterator[Finding]:
    below = int((told < 0).sum())
    if below and history.brief.worth.quantities[0] >= 0:
        yield Finding(
            "check.outcome-negative",
            "warning",
            "[outcome] truth",
            f"{below:,} of {told.size:,} outcomes are below zero, down to {told.min():,.10g}",
            "no amount is; returns or corrections booked as outcomes would teach a demand below nothing",
            "let truth be null where a row is no outcome, or write greatest(..., 0)",
        )


def _ends(history: History, hindsight: NDArray[np.int64]) -> Iterator[Finding]:
    amounts, last = history.brief.worth.quantities, len(history.brief.worth.quantities) - 1
    quo: Codes = history.status_quo
    for place, name, setting in ((last, "largest", "most"), (0, "smallest", "least")):
        if place == 0 and amounts[0] == 0:
            continue  # nothing is less than nothing
        best, today = float((hindsight == place).mean()), float((quo == place).mean())
        if best > AT_THE_END:
            yield Finding(
                "check.amounts-end",
                "warning",
                f"[value] quantity.{setting}",
                f"with hindsight the {name} amount, {amounts[place]:,.10g}, was best for {best:.0%} of cases",
                "for some of them an amount beyond it may have been better, and can't be chosen",
                "raise most, if more can be ordered" if place else "lower least, if less can be ordered",
            )
        if today > AT_THE_END and "expression" in history.brief.value.status_quo:
            yield Finding(
                "check.status-quo-at-end",
                "warning",
                "[value] status_quo",
                f"it comes to the {name} amount, {amounts[place]:,.10g}, for {today:.0%} of the cases",
                "a number beyond the amounts is taken to their end: the status quo may be valued wrongly",
                f"{'raise' if place else 'lower'} {setting}, so that what is done today can be chosen",
            )
