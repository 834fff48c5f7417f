"""Proxies: how well a group can be told from the features, on later cases than a learner was fitted on.

A model that never sees a group's column still treats its cases apart where its features tell them. The area
under the ROC curve of telling one value of a group from all others says how far: 0.5 is chance, 1 is as
good as the column. Its error comes from how each case stands among those of the other kind, summed by
blocks of time (DeLong, DeLong, Clarke-Pearson 1988, *Comparing the areas under two or more correlated
receiver operating characteristic curves*, Biometrics 44; Obuchowski 1997, *Nonparametric analysis of
clustered ROC curve data*, Biometrics 53).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.estimates import Estimate
from wholeroad.core.ids import chance
from wholeroad.core.ports import AnyLearner, Matrix, QuantileLearner
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.student import student
from wholeroad.road.model.encoding import fit_encoder

LEAST_CASES: Final = 30
LEAST_BLOCKS: Final = 8
FIRST_PART: Final = 0.5
"""Share of the cases, the earlier ones, that the learner is fitted on."""
MOST_FITTED: Final = 50_000
MOST_VALUES: Final = 100
"""More values than that aren't told apart; those with the fewest cases are left out."""
BINS: Final = 20
MOST_FEATURES: Final = 5

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
CHANCE: Final = Estimate(0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Telling:
    """How well one feature alone tells a value of a group: AUC on later cases, null and category included."""

    feature: str
    area: Estimate


@dataclass(frozen=True, slots=True)
class Proxy:
    """How well one value of a group can be told from the features.

    Attributes
    ----------
    bias
        Cause ``proxy``, unit ``AUC``, against 0.5.
    dummy
        The same with groups shuffled among the cases: what finding nothing looks like.
    features
        Those that tell most by themselves, the best first.
    direct
        Features that are the group's own column; they were left out.
    """

    bias: GroupBias
    dummy: Estimate
    features: tuple[Telling, ...]
    direct: tuple[str, ...]


def direct_features(brief: Brief, name: str) -> tuple[str, ...]:
    """Name the features that are read as a group is, or as a part of an intersection is."""
    if brief.fairness is None:
        return ()
    table = brief.fairness.groups[name]
    parts = [brief.fairness.groups[part].feature for part in table.all_of or (name,)]
    return tuple(feature for feature, own in brief.feature.items() if own in parts)


def find_proxies(
    features: pl.DataFrame,
    groups: Sequence[Grouping],
    *,
    blocks: NDArray[np.int64],
    learner: AnyLearner,
    direct: dict[str, tuple[str, ...]] | None = None,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[Proxy, ...]:
    """Tell groups from features: the earlier half of the cases fits, the later half judges.

    Parameters
    ----------
    features
        As known at each decision, rows in order of time.
    groups
        Of the same cases.
    blocks
        Shape (n,), ascending ``0 .. B-1``: days, or runs of cases.
    learner
        Of classes; a plain one, such as the logistic regression that ships, since a cleverer one finds what
        no model in use may find.
    direct
        By name of the grouping, features that are its own column: :func:`direct_features`.

    Returns
    -------
    tuple of Proxy
        For each value of each grouping; none where the learner knows numbers only. All are judged together
        (Dunn 1961, *Multiple comparisons among means*, JASA 56).
    """
    if isinstance(learner, QuantileLearner) or not features.height:
        return ()
    first = int(features.height * FIRST_PART)
    halves = slice(0, first), slice(first, features.height)
    asked = sum(len(each.values) for each in groups if len(each.values) > 1)
    found: list[Proxy] = []
    for each in (each for each in groups if len(each.values) > 1):
        left_out = (direct or {}).get(each.name, ())
        table = features.drop([name for name in left_out if name in features.columns])
        telling = _Telling(table, each, blocks, halves, confidence)
        drawn = chance(np.arange(each.codes.size, dtype=np.uint64), seed=seed, salt=f"proxy {each.name}")
        shuffled = each.codes[np.argsort(drawn, kind="stable")]
        own, dummy = (telling.judged(learner, codes) for codes in (each.codes, shuffled))
        singles = telling.singles()
        for place in range(min(len(each.values), MOST_VALUES)):
            bias = telling.bias(own, place, together=1 - (1 - confidence) / asked)
            area = telling.area(dummy[:, place], shuffled[halves[1]] == place).estimate(confidence)
            found.append(Proxy(bias, area, telling.best(singles, place), tuple(left_out)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Area:
    """An area under the ROC curve, its standard error by blocks, and the degrees of freedom of that."""

    value: float
    standard_error: float
    freedom: float
    rarer: int
    """Cases of the rarer kind."""

    def estimate(self, confidence: float) -> Estimate:
        """Give the interval on the logit's scale, or that of as many hits where all are told."""
        reach = float(student(confidence, np.array([self.freedom]))[0])
        if not math.isfinite(self.value) or not math.isfinite(reach):
            return Estimate(self.value, -math.inf, math.inf)
        if not 0 < self.value < 1 or self.standard_error <= 0:
            edge = reach * reach / (self.rarer + reach * reach)
            return Estimate(self.value, max(0.0, self.value - edge), min(1.0, self.value + edge))
        logit = math.log(self.value / (1 - self.value))
        half = reach * self.standard_error / (self.value * (1 - self.value))
        low, high = (1 / (1 + math.exp(-min(max(end, -700), 700))) for end in (logit - half, logit + half))
        return Estimate(self.value, low, high)


def area_by_blocks(scores: Floats, positive: Flags, *, blocks: NDArray[np.int64]) -> Area:
    """Give the chance that a positive case scores above another one, with its error by blocks.

    Examples
    --------
    >>> scores, positive = np.arange(40.0) % 10, np.arange(40) % 10 > 4
    >>> area_by_blocks(scores, positive, blocks=np.arange(40) // 4).value
    1.0
    """
    ones, others = int(positive.sum()), int((~positive).sum())
    if not ones or not others:
        return Area(math.nan, math.inf, 0.0, 0)
    order, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    own = np.bincount(inverse[positive], minlength=order.size)
    # The share of the other kind below each score, ties counting half.
    below = np.where(positive, _under(counts - own)[inverse] / others, 1 - _under(own)[inverse] / ones)
    value = float(below[positive].mean())
    beyond = (below - value) / np.where(positive, ones, others)
    sums = np.bincount(blocks, beyond)
    weight = np.bincount(blocks, np.where(positive, 1 / ones, 1 / others))
    told = int((weight > 0).sum())
    freedom = float(weight.sum() ** 2 / np.sum(weight * weight)) - 1 if told >= LEAST_BLOCKS else 0.0
    error = math.sqrt(float(np.sum(sums * sums)) * told / (told - 1)) if told > 1 else math.inf
    return Area(value, error, freedom, min(ones, others))


def _under(counts: NDArray[np.int64]) -> Floats:
    under: Floats = np.cumsum(counts) - counts / 2
    return under


@dataclass(frozen=True, slots=True)
class _Telling:
    """Tells the values of one grouping from a table of features."""

    features: pl.DataFrame
    grouping: Grouping
    blocks: NDArray[np.int64]
    halves: tuple[slice, slice]
    confidence: float

    def judged(self, learner: AnyLearner, codes: NDArray[np.int32]) -> Floats:
        """Give the probability of each value for the later cases, shape (m, values)."""
        fits, judges = self.halves
        values = min(len(self.grouping.values), MOST_VALUES)
        flat = np.full((self.features.height - fits.stop, values), 1.0 / values)
        rows = np.flatnonzero(codes[fits] < values)
        rows = rows[:: max(1, math.ceil(rows.size / MOST_FITTED))]
        if not rows.size or not self.features.width or isinstance(learner, QuantileLearner):
            return flat
        table = self.features[rows]
        encoder = fit_encoder(table)
        if not encoder.columns:
            return flat
        scorer, _ = learner.fit(encoder.encode(table), codes[rows].astype(np.int8), classes=values)
        return scorer.probabilities(encoder.encode(self.features[judges]))

    def area(self, scores: Floats, positive: Flags) -> Area:
        blocks = self.blocks[self.halves[1]]
        return area_by_blocks(scores, positive, blocks=blocks - blocks.min(initial=0))

    def bias(self, chances: Floats, place: int, *, together: float) -> GroupBias:
        """Give one answer; ``together`` is the confidence at which it is judged with all others."""
        positive = self.grouping.codes[self.halves[1]] == place
        area = self.area(chances[:, place], positive)
        fitted = int((self.grouping.codes[self.halves[0]] == place).sum())
        enough = min(area.rarer, fitted) >= LEAST_CASES and area.freedom > 0
        told = area if enough else replace(area, freedom=0.0)
        figure = told.estimate(self.confidence)
        low = told.estimate(together).low
        bias = GroupBias(
            cause="proxy",
            grouping=self.grouping.name,
            value=self.grouping.values[place],
            cases=int(positive.sum()),
            figure=figure,
            rest=CHANCE,
            difference=Estimate(figure.value - 0.5, figure.low - 0.5, figure.high - 0.5),
            standard_error=max(area.standard_error, 1e-9) if enough else math.inf,
            unit="AUC",
            enough=enough,
            clear=enough and low > 0.5,
        )
        return replace(bias, does=_does(bias))

    def singles(self) -> dict[str, Floats]:
        """Score later cases by one feature alone: shares of the values in its bin, among earlier cases."""
        fits = self.halves[0]
        values = min(len(self.grouping.values), MOST_VALUES)
        codes, scores = self.grouping.codes[fits], {}
        encoder = fit_encoder(self.features[fits]) if fits.stop and self.features.width else None
        if encoder is None or not encoder.columns:
            return {}
        first, later = (encoder.encode(self.features[half]) for half in self.halves)
        for at, name in enumerate(first.names):
            one, other = _bins(first, later, at)
            count = int(max(one.max(initial=0), other.max(initial=0))) + 1
            cells = np.bincount(
                one * len(self.grouping.values) + codes, minlength=count * len(self.grouping.values)
            )
            shares = (
                cells.reshape(count, -1)[:, :values]
                + 2 * np.bincount(codes, minlength=values)[:values] / codes.size
            )
            scores[name] = (shares / (cells.reshape(count, -1).sum(axis=1, keepdims=True) + 2))[other]
        return scores

    def best(self, singles: dict[str, Floats], place: int) -> tuple[Telling, ...]:
        """Give the features that tell one value most by themselves."""
        positive = self.grouping.codes[self.halves[1]] == place
        areas = {name: self.area(scores[:, place], positive) for name, scores in singles.items()}
        names = sorted(areas, key=lambda name: (-np.nan_to_num(areas[name].value), name))[:MOST_FEATURES]
        return tuple(Telling(name, areas[name].estimate(self.confidence)) for name in names)


def _bins(first: Matrix, later: Matrix, at: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Put a column into bins: categories as they are, numbers by earlier quantiles, null apart."""
    values = [np.asarray(half.values[:, at]) for half in (first, later)]
    if first.categories[at]:
        most = first.categories[at] + 1
        one, other = (np.where(np.isnan(each), most, each).astype(np.int64) for each in values)
        return one, other
    known = values[0][~np.isnan(values[0])]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if known.size else np.empty(0)
    one, other = (
        np.where(np.isnan(each), edges.size + 1, np.searchsorted(edges, each, side="right"))
        for each in values
    )
    return one.astype(np.int64), other.astype(np.int64)


def _does(bias: GroupBias) -> str:
    who = f"{bias.grouping} = {bias.value}"
    if not bias.enough:
        return f"{bias.cases:,} later cases of {who} are too few to tell whether features tell the group."
    if not bias.clear:
        return f"Features tell {who} no better than chance, as far as can be seen."
    return (
        f"Features tell {who} from the others in {bias.figure.value:.0%} of pairs, so a model can treat "
        f"the group "
        "apart without its column; leaving the column out changes little."
    )
