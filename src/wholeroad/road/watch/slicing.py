"""Which cases lose most: slices are searched in one half of the time and judged in the other.

*Honest halves.* Of each two neighbouring weeks (days, where there are few weeks) chance gives one to the
search and the other to the estimate. Both see the whole time; the luck of a day is never in both. Luck that
lasts for weeks is: a slice that had a bad month stands, since it did lose, and may not lose again.

*One slice.* Its loss per case less that of all others, paired by day, with a standard error from whole days.
Losses are skewed, and a slice of 50 cases that happens to hold none of the rare large ones looks far more
certain than it is; so no slice is taken to vary less than all cases do. Without that floor Student's test at
0.5 % was found to err in up to 45 % of simulated slices (losses that are nearly all zero beside lognormal
gains), with it in about 0.5 % at most. Hall's correction for skewness, or holding a slice against others
drawn by chance, didn't mend it.

*Many slices.* Excess over *all others* makes disjoint slices negatively dependent, since each is in the
others' rest, while overlapping ones are positively dependent. Positive regression dependence, on which the
bound of Benjamini and Hochberg rests, can't be claimed; the level is that of Benjamini and Yekutieli (2001,
*The control of the false discovery rate in multiple testing under dependency*, Annals of Statistics 29,
theorem 1.3), which holds under any dependence, and costs little where few are tested. Intervals have the same
level (Benjamini and Yekutieli 2005, *False discovery rate-adjusted multiple confidence intervals for selected
parameters*, JASA 100), so that a slice is clear exactly where its interval lies above none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core import ids
from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import DAY
from wholeroad.road.data.bias.ratios import tally
from wholeroad.road.data.bias.student import student
from wholeroad.road.watch.slice_conditions import Levels, levels_of, members
from wholeroad.road.watch.slice_search import Half, Picks, different, search
from wholeroad.road.watch.sliced import Condition, Slice, Slices, Together

Floats = NDArray[np.float64]
Members = NDArray[np.bool_]

WEEK: Final = 7 * DAY
LEAST_WEEKS: Final = 8
"""With fewer weeks than this, days go to one half or the other."""


@dataclass(frozen=True, slots=True)
class Searching:
    """How slices are searched.

    Attributes
    ----------
    rate
        Expected share of false ones among the slices that are clear.
    most_conditions
        From 1 to 3.
    least_cases
        Of a slice, in each half.
    most_tested
        So many slices go to the honest half at most: the fewer, the more each can show.
    """

    rate: float = 0.05
    most_conditions: int = 3
    least_cases: int = 50
    most_tested: int = 10

    def __post_init__(self) -> None:
        """Refuse settings that search nothing.

        Raises
        ------
        ValueError
            Names the setting.
        """
        if not 0 < self.rate < 0.5:
            message = f"a rate lies between 0 and 0.5; it was {self.rate}"
            raise ValueError(message)
        if self.most_conditions not in (1, 2, 3):
            message = f"slices have one to three conditions; most_conditions was {self.most_conditions}"
            raise ValueError(message)
        if self.least_cases < 10 or self.most_tested < 1:
            message = "a slice has 10 cases or more, and at least one is tested"
            raise ValueError(message)


def worst_slices(
    features: pl.DataFrame,
    loss: Floats,
    *,
    decided_at: NDArray[np.int64],
    loss_name: str,
    seed: int,
    searching: Searching | None = None,
) -> Slices:
    """Search for the cases that lose most, described by a few conditions on their features.

    Parameters
    ----------
    features
        One row for each case, as known when it was decided; numbers, booleans and texts are searched. Groups
        of ``[fairness]`` may be columns, too.
    loss
        Shape (n,): what each case lost, in the brief's unit: regret, or money short of what was
        expected. NaN where it isn't known; such cases are left out. Of decisions on later time than the fit.
    decided_at
        Shape (n,): int64 microseconds.
    loss_name
        The loss in words.
    seed
        The project's: the same seed gives the same halves.
    searching
        :class:`Searching` has the defaults.

    Returns
    -------
    Slices
        Empty with a reason where there is nothing to search.

    Examples
    --------
    >>> at = np.arange(40_000, dtype=np.int64) * DAY // 400
    >>> depot = np.where(np.arange(40_000) % 10 == 3, "north", "south")
    >>> loss = np.where(depot == "north", 3.0, 1.0) + np.arange(40_000) % 7
    >>> frame = pl.DataFrame({"depot": depot})
    >>> found = worst_slices(frame, loss, decided_at=at, loss_name="regret", seed=1)
    >>> found.clear[0].conditions, round(found.clear[0].excess.value, 1)
    (("depot = 'north'",), 2.0)
    """
    searching = searching or Searching()
    known = np.isfinite(loss)
    if not known.all():
        features, loss, decided_at = features.filter(pl.Series(known)), loss[known], decided_at[known]
    honest, blocks = honest_half(decided_at, seed=seed)
    judged = _Judged.of(features.filter(pl.Series(honest)), loss[honest], decided_at[honest])
    levels, left_out = _cut(features, ~honest)
    empty = Slices(
        loss=loss_name,
        searched=0,
        tested=0,
        slices=(),
        rate=searching.rate,
        overall=judged.overall(searching.rate),
        blocks=blocks,
        cases=(loss.size - judged.loss.size, judged.loss.size),
        left_out=left_out,
    )
    if reason := _nothing_to_search(loss[~honest], judged.loss, levels, searching):
        return replace(empty, reason=reason)
    found, searched = _search(levels, loss, honest=honest, searching=searching)
    slices = judged.slices(found, searching.rate)
    return replace(
        empty,
        searched=searched,
        tested=len(slices),
        slices=slices,
        reason="" if slices else "in the half that was searched no slice loses clearly more than all others",
        together=held_together([one for one in slices if one.clear], judged.features, loss=judged.loss),
    )


def honest_half(decided_at: NDArray[np.int64], *, seed: int) -> tuple[Members, str]:
    """Tell which cases estimate; the others are searched. Whole weeks, or days, go to one or the other.

    Returns
    -------
    honest, blocks
        Shape (n,), and what went as a whole, ``weeks`` or ``days``. Which half a block belongs to depends on
        its number and the seed alone, so that more cases don't move those that were there.
    """
    weeks = decided_at // WEEK
    long = np.unique(weeks).size >= LEAST_WEEKS
    block = weeks if long else decided_at // DAY
    drawn = ids.chance((block // 2).astype(np.uint64), seed=seed, salt="slices: honest half")
    return (block % 2 == 0) == (drawn < 0.5), "weeks" if long else "days"


def held_together(slices: Sequence[Slice], features: pl.DataFrame, *, loss: Floats) -> Together | None:
    """Tell what several slices hold of the whole loss, cases in more than one of them counted once.

    Parameters
    ----------
    features, loss
        Of the cases that are counted, such as the honest half; shape (n, ...).

    Returns
    -------
    Together or None
        None without slices. Shares of the loss are NaN where the whole isn't above none.
    """
    if not slices:
        return None
    whole = float(loss.sum())
    held = np.zeros(loss.size, dtype=np.bool_)
    adds = []
    for one in slices:
        own = members(one.where, features)
        adds.append(_share(float(loss[own & ~held].sum()), whole))
        held |= own
    cases = int(np.count_nonzero(held))
    return Together(cases, cases / loss.size, _share(float(loss[held].sum()), whole), tuple(adds))


def level_of_discoveries(p_values: Floats, rate: float) -> float:
    """Give the level at which each of several tests is made, so that the rate of false ones holds.

    With ``k`` the largest number of tests whose p-values are at most::

        k * rate / (m * (1 + 1 / 2 + ... + 1 / m))

    the level is that bound; where there is none, the bound of one. It holds under any dependence.

    Examples
    --------
    >>> round(level_of_discoveries(np.array([0.001, 0.01, 0.5]), 0.05), 5)
    0.01818
    """
    m = p_values.size
    each = rate / (m * float((1 / np.arange(1, m + 1)).sum()))
    steps = each * np.arange(1, m + 1)
    below = np.flatnonzero(np.sort(p_values) <= steps)
    return float(steps[below[-1]] if below.size else each)


def _nothing_to_search(
    searched: Floats, judged: Floats, levels: Sequence[Levels], searching: Searching
) -> str:
    """Say why nothing can be searched; empty where something can."""
    least = 2 * searching.least_cases
    if min(searched.size, judged.size) < least:
        return (
            f"there were {searched.size:,} cases to search and {judged.size:,} to judge by; "
            f"{least:,} are wanted of each"
        )
    if not levels:
        return "no feature can be searched"
    if searched.min() == searched.max():
        return "all cases lost the same"
    return ""


def _cut(features: pl.DataFrame, seen: Members) -> tuple[list[Levels], tuple[tuple[str, str], ...]]:
    """Cut the features into levels, by name, so that the order of columns doesn't matter."""
    levels, left_out = [], []
    for name in sorted(features.columns):
        found = levels_of(features[name], seen) if seen.any() else "there are no cases"
        if isinstance(found, str):
            left_out.append((name, found))
        else:
            levels.append(found)
    return levels, tuple(left_out)


def _search(
    levels: Sequence[Levels], loss: Floats, *, honest: Members, searching: Searching
) -> tuple[list[tuple[Condition, ...]], int]:
    """Give the slices to judge, and how many were looked at; of the honest half, cases alone are counted."""
    sought = ~honest
    half = Half.of(
        [replace(each, codes=each.codes[sought]) for each in levels],
        loss[sought],
        least_cases=searching.least_cases,
        most_conditions=searching.most_conditions,
    )
    judged = [replace(each, codes=each.codes[honest]) for each in levels]

    def enough(picks: Picks) -> bool:
        both = np.logical_and.reduce([judged[feature].members(at) for feature, at in picks])
        return int(np.count_nonzero(both)) >= searching.least_cases

    found, searched = search(half)
    chosen = different(half, found, most=searching.most_tested, enough=enough)
    return [tuple(levels[feature].conditions[at] for feature, at in one.picks) for one in chosen], searched


@dataclass(frozen=True, slots=True)
class _Judged:
    """The honest half."""

    features: pl.DataFrame
    loss: Floats
    day: NDArray[np.int64]

    @classmethod
    def of(cls, features: pl.DataFrame, loss: Floats, decided_at: NDArray[np.int64]) -> _Judged:
        _, day = np.unique(decided_at // DAY, return_inverse=True)
        return cls(features, loss, day.astype(np.int64))

    def overall(self, rate: float) -> Estimate:
        if not self.loss.size:
            return Estimate(math.nan, -math.inf, math.inf)
        own = _Standing.of(np.ones(self.loss.size, dtype=np.bool_), self)
        return _within(own.figure, own.figure_error, freedom=own.freedom, tail=rate / 2)

    def slices(self, wheres: Sequence[tuple[Condition, ...]], rate: float) -> tuple[Slice, ...]:
        """Judge slices together, the largest excess in total first."""
        if not wheres:
            return ()
        standings = [_Standing.of(members(where, self.features), self) for where in wheres]
        level = level_of_discoveries(np.array([one.p_value for one in standings]), rate)
        whole = float(self.loss.sum())
        slices = [
            Slice(
                conditions=tuple(condition.says for condition in where),
                cases=own.cases,
                figure=_within(own.figure, own.figure_error, freedom=own.freedom, tail=level),
                excess=_within(own.excess, own.excess_error, freedom=own.freedom, tail=level),
                share_of_loss=_share(own.figure * own.cases, whole),
                p_value=own.p_value,
                clear=own.p_value <= level,
                where=where,
                standard_error=own.excess_error,
            )
            for where, own in zip(wheres, standings, strict=True)
        ]
        return tuple(sorted(slices, key=lambda one: (-one.excess.value * one.cases, one.conditions)))


@dataclass(frozen=True, slots=True)
class _Standing:
    """How a slice stands against all others."""

    cases: int
    figure: float
    figure_error: float
    excess: float
    excess_error: float
    freedom: float

    @classmethod
    def of(cls, own: Members, judged: _Judged) -> _Standing:
        columns = {"loss": judged.loss, "cases": np.ones(judged.loss.size)}
        sums = tally(own.astype(np.int64), judged.day, groups=2, columns=columns)
        cases = sums["cases"].sum(axis=1)
        variance = float(judged.loss.var())
        with np.errstate(divide="ignore", invalid="ignore"):
            figures = sums["loss"].sum(axis=1) / cases
            beyond = (sums["loss"] - figures[:, None] * sums["cases"]) / cases[:, None]
            shares = sums["cases"] / cases[:, None]
            days = 1 / (shares * shares).sum(axis=1)  # as many days of equal size would tell as much
        single = not cases[0]
        freedom = float(days[1] if single else days.min()) - 1
        widened = 1 + 1 / freedom if freedom > 0 else math.inf
        each = variance / np.where(cases > 0, cases, np.inf)
        alone = max(float((beyond[1] ** 2).sum()) * widened, float(each[1]))
        paired = beyond[1] if single else beyond[1] - beyond[0]
        both = max(float((paired**2).sum()) * widened, float(each.sum()))
        excess = math.nan if single else float(figures[1] - figures[0])
        return cls(int(cases[1]), float(figures[1]), math.sqrt(alone), excess, math.sqrt(both), freedom)

    @property
    def p_value(self) -> float:
        """One-sided, by Student's distribution."""
        if not self.freedom >= 1 or not self.excess_error > 0:
            return 1.0
        return _beyond(self.excess / self.excess_error, self.freedom)


def _beyond(ratio: float, freedom: float) -> float:
    """Give how likely Student's variable is beyond a number: the tail whose quantile it is."""
    low, high = math.log(1e-15), math.log(0.5)
    for _ in range(48):
        middle = (low + high) / 2
        quantile = float(student(1 - 2 * math.exp(middle), np.array([freedom]))[0])
        low, high = (low, middle) if quantile < abs(ratio) else (middle, high)
    return math.exp(high) if ratio > 0 else 1 - math.exp(high)


def _within(value: float, error: float, *, freedom: float, tail: float) -> Estimate:
    reach = float(student(1 - 2 * tail, np.array([freedom]))[0]) * error
    return Estimate(value, value - reach, value + reach)


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
