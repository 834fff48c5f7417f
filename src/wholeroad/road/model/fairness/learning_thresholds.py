"""Learning thresholds of groups: the most expected money under a stated constraint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.brief.fairness import Equal
from wholeroad.road.data.bias.groups import Grouping, grouping
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.model.fairness.bands import Curve, common_band, curve_along
from wholeroad.road.model.fairness.foretold import Aim, Foretold, gain_unselected, margins, seen_by_outcomes
from wholeroad.road.model.fairness.odds import Odds, odds_box
from wholeroad.road.model.fairness.thresholds import NO_OFFSET, GroupThresholds, Offset

__all__ = ["Aim", "Foretold", "LearntThresholds", "learn_thresholds"]

Floats = NDArray[np.float64]

GUARD: Final = 1.0
"""Thresholds aim at less than what is allowed by so many standard errors of the difference."""


@dataclass(frozen=True, slots=True)
class LearntThresholds:
    """Thresholds, and what they do on the cases that they were learnt from; rates there are expected ones.

    Attributes
    ----------
    aimed_within
        The difference aimed at: what is allowed less what sampling may hide.
    cases
        By value of the group.
    before, after
        The measure by value, without and with the thresholds; of ``equalized_odds`` the true and the false
        positive rate.
    difference_before, difference_after
        The largest one between groups.
    left
        By how much ``difference_after`` is beyond what is allowed: deterministic thresholds can't reach
        every tolerance.
    price_per_case
        Expected money that the thresholds cost. By the model's own probabilities they cost 0 or more;
        where these are clearly wrong about a group, and corrected, thresholds may earn: below 0.
    """

    thresholds: GroupThresholds
    equal: Equal
    within: float
    aimed_within: float
    cases: Mapping[str, int]
    before: Mapping[str, tuple[float, ...]]
    after: Mapping[str, tuple[float, ...]]
    difference_before: float
    difference_after: float
    left: float
    price_per_case: float


@dataclass(frozen=True)
class _Group:
    """A group's cases: margins, probabilities of the positive class, and how much each adds to each rate.

    ``worth`` is the margin as outcomes of the group show it, ``base`` what rates are when nobody is selected.
    """

    margin: Floats
    worth: Floats
    p: Floats
    weights: tuple[Floats, ...]
    block: NDArray[np.int64]
    base: float = 0.0

    def rates(self, selected: NDArray[np.bool_]) -> tuple[float, ...]:
        return tuple(self.base + float(weight[selected].sum()) for weight in self.weights)

    def variances(self, selected: NDArray[np.bool_]) -> tuple[float, ...]:
        """Give the variance of each rate, blocks of time as sampling units (Cochran 1977)."""
        found = []
        for weight in self.weights:
            beyond = weight * (selected - float(weight[selected].sum()))
            sums = np.bincount(self.block, weights=beyond)
            filled = max(int((np.bincount(self.block) > 0).sum()), 2)
            found.append(float(np.sum(sums * sums)) * filled / (filled - 1))
        return tuple(found)

    def money(self, selected: NDArray[np.bool_]) -> float:
        return float(self.worth[selected & np.isfinite(self.margin)].sum())

    def selected(self, offset: Offset) -> NDArray[np.bool_]:
        flat, positive, negative = offset
        chosen: NDArray[np.bool_] = self.margin + flat + positive * self.p + negative * (1 - self.p) > 0
        return chosen


def learn_thresholds(cases: Foretold, aim: Aim, *, guard: float = GUARD) -> LearntThresholds:
    """Find the offsets of most expected money that keep the groups' difference within a tolerance.

    Rates are expected ones: a group's true positive rate is ``sum(p * selected) / sum(p)``, with ``p``
    calibrated once more within the group, since a model that doesn't know the group may be wrong about it.
    That is steadier than counting the few positive cases near a threshold. Money is what the model expects,
    too, and by the calibrated ``p`` where outcomes of the group clearly contradict the model. With an
    infinite tolerance nothing changes, and none leaves groups farther apart than they are without thresholds.

    Thresholds are learnt from so many cases and no more. Their difference on other cases is larger than
    here by chance; therefore they aim at ``within`` less ``guard`` standard errors.

    ``gain_per_case`` levels down: as long as nothing is scarce, one group's gain takes nothing from
    another's, so that the only way to equal gains is to decide worse for those who gain most.

    ``equalized_odds`` asks two things of each group. Where values don't differ by case, thresholds reach
    only the points of each group's own ROC curve, and these may meet nowhere but at selecting nearly
    nobody or nearly everybody. They come as close as half of the expected gain allows, and ``left`` says how
    close; there is no guard then. Others reach it by drawing lots, which nobody could contest.

    Parameters
    ----------
    cases
        That the model hasn't learnt from; outcomes of all of them matured. Values that are too small even
        when they are put together take no part, and have no offset.
    guard
        Standard errors by which the aim is tighter than what is allowed.
    """
    found = grouping(aim.grouping, cases.texts, least_cases=aim.least_cases)
    small = [value for value, count in zip(found.values, found.cases, strict=True) if count < aim.least_cases]
    if small and len(small) < len(found.values):
        # A rest that is still too small to tell would eat the tolerance of all others by its own noise.
        rows = np.flatnonzero(~np.isin(found.codes, [found.values.index(value) for value in small]))
        return learn_thresholds(cases.take(rows), aim, guard=guard)
    groups = _groups(cases, found, aim=aim)
    moved = [not aim.values or value in aim.values for value in found.values]
    aimed = aim.within
    offsets = _offsets(groups, aim, within=aimed, moved=moved)
    guarded = guard and aim.equal != "equalized_odds"
    if guarded and any(offset != NO_OFFSET for offset in offsets):
        aimed = max(0.0, aimed - guard * _standard_error(groups, offsets))
        offsets = _offsets(groups, aim, within=aimed, moved=moved)
    before = [group.rates(group.margin > 0) for group in groups]
    after = [group.rates(group.selected(offset)) for group, offset in zip(groups, offsets, strict=True)]
    price = sum(
        group.money(group.margin > 0) - group.money(group.selected(offset))
        for group, offset in zip(groups, offsets, strict=True)
    )
    difference = _difference(after)
    return LearntThresholds(
        thresholds=GroupThresholds(aim.grouping, aim.parts, dict(zip(found.values, offsets, strict=True))),
        equal=aim.equal,
        within=aim.within,
        aimed_within=aimed,
        cases=dict(zip(found.values, found.cases.tolist(), strict=True)),
        before=dict(zip(found.values, before, strict=True)),
        after=dict(zip(found.values, after, strict=True)),
        difference_before=_difference(before),
        difference_after=difference,
        left=max(0.0, difference - aim.within),
        price_per_case=price / max(cases.positive.size, 1),
    )


def _groups(cases: Foretold, found: Grouping, *, aim: Aim) -> list[_Group]:
    """Part the cases, with what each counts for the measured rates."""
    margin = margins(cases, aim.terms)
    blocks, _ = blocks_of(cases.decided_at)
    positive = aim.terms.positive
    stated = cases.probabilities[:, positive] if positive is not None else np.zeros(margin.size)
    shares, worth, corrected = stated, margin, [False] * len(found.values)
    if aim.equal not in ("gain_per_case", "selection_rate") or cases.values is not None:
        shares, worth, corrected = seen_by_outcomes(cases, found, terms=aim.terms, margin=margin)
    unselected = gain_unselected(cases, margin, terms=aim.terms)
    groups = []
    for code in range(len(found.values)):
        rows = np.flatnonzero(found.codes == code)
        p, own, base = shares[rows], margin[rows], 0.0
        counts: dict[str, tuple[Floats, ...]] = {
            "selection_rate": (np.ones(rows.size),),
            "true_positive_rate": (p,),
            "false_positive_rate": (1 - p,),
            "equalized_odds": (p, 1 - p),
        }
        if aim.equal == "gain_per_case":
            weights: tuple[Floats, ...] = (np.where(np.isfinite(own), own, 0.0) / rows.size,)
            base = float(unselected[rows].sum()) / rows.size
        else:
            weights = tuple(count / max(float(count.sum()), 1e-12) for count in counts[aim.equal])
        seen = worth[rows] if corrected[code] else own
        groups.append(_Group(own, seen, stated[rows], weights, blocks[rows], base))
    return groups


def _offsets(groups: list[_Group], aim: Aim, *, within: float, moved: list[bool]) -> list[Offset]:
    """Find the offset of each group."""
    if aim.equal == "equalized_odds":
        odds = [Odds(group.margin, group.worth, group.p, group.weights) for group in groups]
        points = odds_box(odds, within=within, moved=moved)
        return [(0.0, point.on_positive, point.on_negative) for point in points]
    curves = [_curve(group, aim.equal) for group in groups]
    places = common_band(curves, within=within, moved=moved)
    offsets = [curve.offset(place) for curve, place in zip(curves, places, strict=True)]
    form = {"true_positive_rate": (0.0, 1.0, 0.0), "false_positive_rate": (0.0, 0.0, 1.0)}
    flat, positive, negative = form.get(aim.equal, (1.0, 0.0, 0.0))
    return [(flat * offset + 0.0, positive * offset + 0.0, negative * offset + 0.0) for offset in offsets]


def _curve(group: _Group, equal: Equal) -> Curve:
    along = {"true_positive_rate": group.p, "false_positive_rate": 1 - group.p}
    direction = along.get(equal, np.ones(group.p.size))
    ends, rates, money, start = curve_along(
        group.margin, along=direction, measured=group.weights, worth=group.worth
    )
    rate = rates[0] + group.base
    if equal == "gain_per_case":  # beyond its start a group gains less again: one side is enough
        return Curve(ends[:start], rate[: start + 1], money[: start + 1], start, start)
    peak = start if group.worth is group.margin else int(np.argmax(money))
    return Curve(ends, rate, money, start, peak)


def _difference(rates: list[tuple[float, ...]]) -> float:
    """Give the largest difference between groups; of several rates, the largest of all."""
    return float(np.ptp(np.array(rates), axis=0).max()) if rates else 0.0


def _standard_error(groups: list[_Group], offsets: list[Offset]) -> float:
    """Give the standard error of the difference between the two groups that lie farthest apart."""
    chosen = [group.selected(offset) for group, offset in zip(groups, offsets, strict=True)]
    rates = np.array([group.rates(mine) for group, mine in zip(groups, chosen, strict=True)])
    variances = np.array([group.variances(mine) for group, mine in zip(groups, chosen, strict=True)])
    columns = np.arange(rates.shape[1])
    pair = variances[rates.argmax(axis=0), columns] + variances[rates.argmin(axis=0), columns]
    return float(np.sqrt(pair.max()))
