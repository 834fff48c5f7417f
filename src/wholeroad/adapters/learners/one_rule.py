"""One rule: the question about one feature that tells most about the outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners.frequencies import Seen, seen, smoothed
from wholeroad.adapters.learners.resampled_counts import poisson_tables
from wholeroad.adapters.learners.weighted_rows import weighted
from wholeroad.core.ports import Matrix, Stop
from wholeroad.road.model.rule_in_words import Rule

GRID: Final = 128
"""Thresholds tried of a number with more values: its quantiles."""
FEWEST: Final = 6
"""Rows on either side, at least: Holte's ``SMALL``."""
RESAMPLES: Final = 200
_LARGEST: Final = float(np.finfo(np.float64).max)
_TAIL: Final = 0.025

Counts = NDArray[np.float64]
"""Shape (..., bins, classes): rows of each class in each bin of a number, or of each category, by weight."""

_Weights = NDArray[np.float64] | None
"""How much each row counts; None where all count alike."""


@dataclass(frozen=True, slots=True)
class OneRuleScorer:
    """Looks an answer up; see :class:`~wholeroad.road.model.rule_in_words.Rule`.

    Attributes
    ----------
    shares
        Shape (4, present classes): where the rule doesn't hold, holds, is null, is a new category.
    """

    known: Seen
    rule: Rule | None
    shares: tuple[tuple[float, ...], ...]

    @property
    def answers(self) -> NDArray[np.float64]:
        """Probabilities of all classes for each of the four answers."""
        return self.known.spread(np.array(self.shares, dtype=np.float64))

    def probabilities(self, matrix: Matrix) -> NDArray[np.float64]:
        """Give shape (n, classes)."""
        if self.rule is None:
            return np.tile(self.answers[0], (len(matrix.values), 1))
        values = matrix.values[:, self.rule.column]
        null = np.isnan(values)
        if self.rule.threshold is not None:
            answer = (values > self.rule.threshold).astype(np.intp)
        else:
            known = set(self.rule.codes) | set(self.rule.unsure)
            width = max(matrix.categories[self.rule.column], *known) + 1
            table = np.zeros(width, dtype=np.intp)
            table[matrix.categories[self.rule.column]] = 3
            table[list(self.rule.codes)] = 1
            answer = table[np.where(null, 0, values).astype(np.intp)]
        answer[null] = 2
        return self.answers[answer]

    def to_bytes(self) -> bytes:
        """Give the rule and its shares as JSON."""
        data = {
            "known": asdict(self.known),
            "rule": None if self.rule is None else asdict(self.rule),
            "shares": self.shares,
        }
        return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class OneRule:
    """One threshold of one number, or one set of categories, and the shares of the classes on both sides.

    After Holte 1993, *Very simple classification rules perform well on most commonly used datasets*, Machine
    Learning 11, whose rules of one feature are often nearly as good as anything. Two things differ. A
    number is cut once, so that the rule can be said. And the feature with the greatest gain in
    log-likelihood is taken, not the one with the fewest errors: what is rare is never the more likely class,
    and still worth money. The gain pays for how much was searched, in nats: the logarithm of the thresholds
    (as in Quinlan 1996, *Improved use of continuous attributes in C4.5*, JAIR 4), one bit for each
    category, and the logarithm of the features; so a feature without meaning seldom wins by its many values.
    All this takes rows as independent: where outcomes and a feature both run in blocks of time, a rule is
    often found where there is none. Whether it is used is decided on later cases, against a constant.

    Categories are put in order by the share of a class, of each in turn, and cut there: with two
    classes no other set is better (Breiman, Friedman, Olshen and Stone 1984, *Classification and Regression
    Trees*, section 4.2.2). Nulls have shares of their own; a category that the fit didn't see gets those
    of all rows.

    The interval of the threshold is that of 200 Poisson resamples of the same rows, drawn by hash, with the
    feature held fast, and the thresholds tried beside its ends. It takes rows as independent, and is
    wide rather than narrow: where the share changes slowly, a cut can lie almost anywhere.

    Where rows weigh differently, weights count as rows do, and quantiles are those by weight. The interval
    alone knows better: a row of weight 2 isn't two rows.
    """

    name = "one_rule"
    complexity = 2

    def fit(
        self,
        matrix: Matrix,
        truth: NDArray[np.int8],
        *,
        classes: int,
        stop: Stop | None = None,
        rounds: int | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> tuple[OneRuleScorer, None]:
        """Fit; see :class:`wholeroad.core.ports.Learner`. It has no rounds and stops on nothing."""
        del stop, rounds
        matrix, truth, weights = weighted(matrix, truth, weights=weights)
        known = seen(truth, classes, weights=weights)
        codes = known.recode(truth)
        width = len(known.present)
        base = np.array(smoothed(codes.astype(np.int8), width, weights=weights))
        found: list[_Found] = []
        if width > 1:
            for index, categories in enumerate(matrix.categories):
                values = _finite(matrix.values[:, index])
                search = _cut_categories if categories else _cut_number
                one = search(values, codes, weights, width=width)
                if one is not None:
                    found.append(one._replace(column=index))
        best = max(found, key=lambda one: one.gain, default=None)  # the first, of equal ones
        if best is None or best.gain <= np.log(max(1, len(matrix.categories))):
            return OneRuleScorer(known, None, (tuple(base.tolist()),) * 4), None
        values = _finite(matrix.values[:, best.column])
        rule = _with_interval(best, values, weights)
        return OneRuleScorer(known, rule, _shares(rule, values, codes, weights, base=base)), None

    def from_bytes(self, data: bytes) -> OneRuleScorer:
        """Read what ``to_bytes`` wrote."""
        content: Mapping[str, Any] = json.loads(data)
        known, rule = content["known"], content["rule"]
        if rule is not None:
            rule = Rule(**{**rule, "codes": tuple(rule["codes"]), "unsure": tuple(rule["unsure"])})
        return OneRuleScorer(
            known=Seen(known["classes"], tuple(known["present"]), known["floor"]),
            rule=rule,
            shares=tuple(tuple(row) for row in content["shares"]),
        )


class _Found(NamedTuple):
    """The best cut of one column: its gain in nats less what the search costs, and where it lies."""

    gain: float
    at: int
    """Bins up to this one, in their order, are on the side where the rule doesn't hold."""
    counts: Counts
    """Shape (bins, classes), in the order of values, or by category."""
    by: int = -1
    """The class by whose share categories are in order; -1 for a number."""
    column: int = -1
    weight: NDArray[np.float64] | None = None
    """Shape of ``counts``: the weight of a row in each, where rows weigh differently."""


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(values, -_LARGEST, _LARGEST)


def _cut_number(
    values: NDArray[np.float64], codes: NDArray[np.int64], weights: _Weights, *, width: int
) -> _Found | None:
    known = ~np.isnan(values)
    mine = _of(weights, known)
    lows, _ = _grid(values[known], mine)
    if not lows.size:
        return None
    places = np.searchsorted(lows, values[known])
    counts, weight = _count(places, codes[known], mine, shape=(lows.size + 1, width))
    at, gain = _best(counts)
    if not np.isfinite(gain):
        return None
    nulls = _null_gain(codes, known, weights, width=width)
    return _Found(float(gain) + nulls - np.log(lows.size), int(at), counts, weight=weight)


def _cut_categories(
    values: NDArray[np.float64], codes: NDArray[np.int64], weights: _Weights, *, width: int
) -> _Found | None:
    known = ~np.isnan(values)
    places = values[known].astype(np.int64)
    if not places.size:
        return None
    shape = (int(places.max()) + 1, width)
    counts, weight = _count(places, codes[known], _of(weights, known), shape=shape)
    shown = int((counts.sum(axis=1) > 0).sum())
    if shown < 2:
        return None
    best: _Found | None = None
    for by in range(1, 2) if width == 2 else range(width):
        at, gain = _best(_in_order(counts, _order(counts, by)))
        if np.isfinite(gain) and (best is None or gain > best.gain):
            best = _Found(float(gain), int(at), counts, by, weight=weight)
    if best is None:
        return None
    nulls = _null_gain(codes, known, weights, width=width)
    return best._replace(gain=best.gain + nulls - shown * float(np.log(2.0)))


def _of(weights: _Weights, rows: NDArray[np.bool_]) -> _Weights:
    return None if weights is None else weights[rows]


def _grid(values: NDArray[np.float64], weights: _Weights) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the values that thresholds lie above, and the next greater ones, which they lie below."""
    ordered = np.sort(values)
    if not ordered.size:
        return ordered, ordered
    distinct = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    if distinct.size <= GRID + 1:
        return distinct[:-1], distinct[1:]
    if weights is None:
        places = np.linspace(0, ordered.size - 1, GRID + 2).astype(np.intp)[1:-1]
    else:
        # Where row number k of rows repeated by their weights would stand.
        ends = np.cumsum(weights[np.argsort(values, kind="stable")])
        numbers = np.floor(np.linspace(0, ends[-1] - 1, GRID + 2)[1:-1])
        places = np.minimum(np.searchsorted(ends, numbers, side="right"), ordered.size - 1)
    lows = np.unique(ordered[places])
    lows = lows[lows < ordered[-1]]
    return lows, ordered[np.searchsorted(ordered, lows, side="right")]


def _count(
    bins: NDArray[np.int64], codes: NDArray[np.int64], weights: _Weights, *, shape: tuple[int, int]
) -> tuple[Counts, NDArray[np.float64] | None]:
    """Count rows by bin and class; where they weigh differently, also give the weight of a row of each."""
    rows, width = shape
    cells = bins * width + codes
    counts = np.bincount(cells, weights=weights, minlength=rows * width).reshape(shape).astype(np.float64)
    if weights is None:
        return counts, None
    squares = np.bincount(cells, weights=weights * weights, minlength=rows * width).reshape(shape)
    return counts, np.divide(squares, counts, out=np.ones(shape), where=counts > 0)


def _log_likelihood(counts: Counts) -> NDArray[np.float64]:
    """Give that of the classes (the last axis) under their own shares."""
    total = counts.sum(axis=-1)
    each = counts * np.log(np.where(counts > 0, counts, 1.0))
    together: NDArray[np.float64] = each.sum(axis=-1) - total * np.log(np.where(total > 0, total, 1.0))
    return together


def _best(counts: Counts) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the cut between bins with the greatest gain; minus infinity where both sides can't be filled."""
    below = np.cumsum(counts, axis=-2)
    all_of = below[..., -1:, :]
    below = below[..., :-1, :]
    above = all_of - below
    gain = _log_likelihood(below) + _log_likelihood(above) - _log_likelihood(all_of)
    enough = np.minimum(below.sum(axis=-1), above.sum(axis=-1)) >= FEWEST
    gain = np.where(enough, gain, -np.inf)
    at = gain.argmax(axis=-1)
    return at, np.take_along_axis(gain, at[..., None], axis=-1)[..., 0]


def _null_gain(codes: NDArray[np.int64], known: NDArray[np.bool_], weights: _Weights, *, width: int) -> float:
    """Give what it tells whether there is a value at all."""
    both = np.stack([_by_class(codes, part, weights, width) for part in (known, ~known)]).astype(float)
    return float(_log_likelihood(both).sum() - _log_likelihood(both.sum(axis=0)))


def _by_class(
    codes: NDArray[np.int64], part: NDArray[np.bool_], weights: _Weights, width: int
) -> NDArray[np.float64] | NDArray[np.int64]:
    return np.bincount(codes[part], weights=_of(weights, part), minlength=width)


def _order(counts: Counts, by: int) -> NDArray[np.intp]:
    """Put categories in order of the share of a class; those without rows come first."""
    total = counts.sum(axis=-1)
    share = np.where(total > 0, counts[..., by] / np.where(total > 0, total, 1.0), -1.0)
    return np.argsort(share, axis=-1, kind="stable")


def _in_order(counts: Counts, order: NDArray[np.intp]) -> Counts:
    return np.take_along_axis(counts, order[..., None], axis=-2)


def _with_interval(best: _Found, values: NDArray[np.float64], weights: _Weights) -> Rule:
    """Say where the cut lies, and where it would lie in other samples of such rows."""
    resamples = poisson_tables(best.counts, times=RESAMPLES, salt="one rule", weight=best.weight)
    if best.by < 0:
        known = ~np.isnan(values)
        lows, highs = _grid(values[known], _of(weights, known))
        at, gain = _best(resamples)
        threshold = _short(float(lows[best.at]), float(highs[best.at]))
        drawn = np.append(at[np.isfinite(gain)], best.at)
        first, last = np.quantile(drawn, [_TAIL, 1 - _TAIL], method="inverted_cdf")
        # A cut lies anywhere between the thresholds beside it that were tried.
        low = float(highs[first - 1] if first else lows[0])
        high = float(lows[last + 1] if last + 1 < lows.size else highs[-1])
        return Rule(best.column, threshold, min(low, threshold), max(high, threshold))
    side = _sides(best.counts, best.by)
    others = _sides(resamples, best.by)
    shown = best.counts.sum(axis=-1) > 0
    there = (resamples.sum(axis=-1) > 0) & shown
    moved = ((others != side) & there).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    unsure = np.flatnonzero(shown & (moved > 2 * _TAIL))
    return Rule(
        best.column,
        codes=tuple(np.flatnonzero(side & shown).tolist()),
        unsure=tuple(unsure.tolist()),
    )


def _sides(counts: Counts, by: int) -> NDArray[np.bool_]:
    """Tell for each category whether it is on the side with the greater share of the class."""
    order = _order(counts, by)
    at, _ = _best(_in_order(counts, order))
    above = np.arange(counts.shape[-2]) > at[..., None]
    side = np.empty_like(above)
    np.put_along_axis(side, order, above, axis=-1)
    return side


def _shares(
    rule: Rule,
    values: NDArray[np.float64],
    codes: NDArray[np.int64],
    weights: _Weights,
    *,
    base: NDArray[np.float64],
) -> tuple[tuple[float, ...], ...]:
    """Give shares of the classes for each answer, drawn to those of all rows by as many rows as classes."""
    null = np.isnan(values)
    holds = np.isin(values, rule.codes) if rule.threshold is None else values > rule.threshold
    parts = (~holds & ~null, holds & ~null, null, np.zeros_like(null))
    shares = []
    for part in parts:
        counts = _by_class(codes, part, weights, base.size)
        shares.append(tuple(((counts + base.size * base) / (counts.sum() + base.size)).tolist()))
    return tuple(shares)


def _short(low: float, high: float) -> float:
    """Give the shortest number that is at least ``low`` and less than ``high``, near their middle."""
    middle = low / 2 + high / 2
    for digits in range(1, 17):
        short = float(f"{middle:.{digits}g}")
        if low <= short < high:
            return short
    return low
