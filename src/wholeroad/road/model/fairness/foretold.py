"""What is foretold of cases, and what being selected would bring to each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.brief.fairness import Equal
from wholeroad.road.brief.values import Values
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.model.calibration import fit_calibration, log_loss
from wholeroad.road.model.deciding import decide
from wholeroad.road.model.fairness.assessed import NOT_KNOWN, Terms

Floats = NDArray[np.float64]

DOUBT: Final = 0.01
"""How often a model that is right about all groups may be corrected in one of them by chance."""

_TIE: Final = 1e-300
"""The margin of a case that a tie selects: more than none, and less than any money."""


@dataclass(frozen=True)
class Foretold:
    """Cases that a model hasn't learnt from, with what it says of them, each array of shape (n, ...).

    Attributes
    ----------
    expected
        Shape (n, A): expected money of each action.
    probabilities
        Shape (n, K), as the model states them.
    positive
        Int8: 1 where the positive class came true, 0 where another did, -1 where nobody knows yet.
    status_quo
        Action codes.
    held
        Cases that the status quo decides, or people.
    decided_at
        Int64 microseconds, ascending.
    texts
        The value of the group of each case.
    values
        What actions are worth; None where acting changes the probabilities. With them, money is seen by
        probabilities that are right within each group, where the model's clearly aren't.
    """

    expected: Floats
    probabilities: Floats
    positive: NDArray[np.int8]
    status_quo: Codes
    held: NDArray[np.bool_]
    decided_at: NDArray[np.int64]
    texts: pl.Series
    values: Values | None = None

    def take(self, rows: slice | NDArray[np.int64]) -> Foretold:
        """Give some of the cases, in order of time."""
        arrays = {name: getattr(self, name)[rows] for name in self.__dataclass_fields__ if name != "values"}
        return Foretold(**arrays, values=None if self.values is None else self.values.take(rows))


@dataclass(frozen=True, slots=True)
class Aim:
    """What thresholds shall bring about.

    Attributes
    ----------
    grouping, parts
        As of :class:`~wholeroad.road.model.fairness.thresholds.GroupThresholds`.
    equal, within
        What is brought together, and the difference that may be left: a share; money for ``gain_per_case``.
    terms
        Which actions count as being selected, and which class is the positive one.
    least_cases
        Values with fewer cases share the offset of other values.
    values
        Only these get an offset; all unless said.
    """

    grouping: str
    parts: tuple[str, ...]
    equal: Equal
    within: float
    terms: Terms
    least_cases: int = 30
    values: tuple[str, ...] = ()


def margins(cases: Foretold, terms: Terms) -> Floats:
    """Give the expected money of being selected less that of not being selected, shape (n,).

    Above 0 where the case is selected without thresholds; infinite where no offset could change that.
    """
    chosen, _ = decide(cases.expected, status_quo=cases.status_quo)
    sides = _sides(cases, terms)
    with np.errstate(invalid="ignore"):
        margin = np.subtract(*(_best(cases.expected, mine).max(axis=1) for mine in sides))
    rows = np.arange(chosen.size)
    left = cases.held | np.isnan(cases.expected[rows, cases.status_quo])
    chosen = np.where(left, cases.status_quo, chosen)
    stuck = left | ~np.isfinite(margin)
    margin = np.where(stuck, np.inf, np.where(margin == 0, _TIE, np.abs(margin)))
    signed: Floats = np.where(sides[0][chosen], margin, -margin)
    return signed


def seen_by_outcomes(
    cases: Foretold, found: Grouping, *, terms: Terms, margin: Floats
) -> tuple[Floats, Floats, list[bool]]:
    """Give probabilities and margins as each group's outcomes show them, and for which groups that is clear.

    A group's probabilities are calibrated once more, drawn to what they are. Margins by them are believed
    where the likelihood grows by more than chance would make it (Wilks 1938, *The large-sample distribution
    of the likelihood ratio*, Annals of Mathematical Statistics 9; chi squared of two parameters is that of an
    exponential variable).
    """
    if terms.positive is None:
        return np.zeros(margin.size), margin, [False] * len(found.values)
    stated = cases.probabilities[:, terms.positive]
    both = np.column_stack([stated, 1 - stated])
    known, missed = cases.positive != NOT_KNOWN, 1 - cases.positive
    seen, corrected = both.copy(), []
    bar = -2 * math.log(DOUBT / len(found.values)) if found.values else math.inf
    for code in range(len(found.values)):
        mine = found.codes == code
        told = mine & known
        calibration = fit_calibration(both[told], missed[told])
        seen[mine] = calibration.apply(both[mine])
        gain = log_loss(both[told], missed[told]) - log_loss(seen[told], missed[told]) if told.any() else 0.0
        corrected.append(bool(2 * gain * np.count_nonzero(told) > bar) and cases.values is not None)
    if cases.values is None or not any(corrected):
        return seen[:, 0], margin, corrected
    others = np.divide(seen[:, 1], both[:, 1], out=np.ones_like(stated), where=both[:, 1] > 0)
    right = cases.probabilities * others[:, None]
    right[:, terms.positive] = seen[:, 0]
    money, rows = cases.values.expected(right), np.arange(stated.size)
    chosen, other = (_best(cases.expected, part).argmax(axis=1) for part in _sides(cases, terms))
    return seen[:, 0], np.asarray(money[rows, chosen] - money[rows, other]), corrected


def _sides(cases: Foretold, terms: Terms) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell for each action whether it counts as being selected, and whether it doesn't."""
    counts = np.isin(np.arange(cases.expected.shape[1]), terms.selected)
    return counts, ~counts


def _best(expected: Floats, mine: NDArray[np.bool_]) -> Floats:
    """Give the expected money of some actions, below all others where it is another action or unknown."""
    return np.where(mine & ~np.isnan(expected), expected, -np.inf)


def gain_unselected(cases: Foretold, margin: Floats, *, terms: Terms) -> Floats:
    """Give the expected gain over the status quo of each case while it isn't selected, shape (n,)."""
    own = cases.expected[np.arange(margin.size), cases.status_quo]
    best = _best(cases.expected, _sides(cases, terms)[1]).max(axis=1)
    gain: Floats = np.where(np.isfinite(margin) & np.isfinite(own), best - own, 0.0)
    return gain
