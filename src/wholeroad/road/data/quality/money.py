"""The relation of each feature to money, as numbers for a page: by bins, and what it alone could change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core import ids
from wholeroad.core.instants import DAY
from wholeroad.core.ports import Progress
from wholeroad.road.brief.values import Values
from wholeroad.road.data.history import History
from wholeroad.road.data.quality.money_rules import Floats, Rule, best_rule, scores_of_words

BINS: Final = 10
_MOST: Final = 200_000
"""Cases that are looked at, evenly spread over time, where there are more."""
_RESAMPLES: Final = 400
_TAIL: Final = 2.5
_LEAST_DAYS: Final = 8
_BLOCK: Final = 7
_SEED: Final = 0x4D4F4E45


@dataclass(frozen=True, slots=True)
class MoneyBin:
    """Cases with like values of a feature.

    Attributes
    ----------
    label
        A category, or the range of values; ``nothing known`` where there is no value.
    from_value, to_value
        Of numbers, both in it; None of others.
    cases, share_hit
        How many settled cases, and the share whose truth is the class that is looked for; of numbers as
        truth, the share above the median.
    money
        By action: the mean money per case, had it been taken for all of them.
    best
        The action with the greatest mean.
    gain, low, high
        Its mean money beyond the status quo, and the 95 % interval over days; the interval says nothing about
        ``best`` having been picked for it.
    """

    label: str
    from_value: float | None
    to_value: float | None
    cases: int
    share_hit: float
    money: dict[str, float]
    best: str
    gain: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FeatureMoney:
    """What one feature has to do with money.

    Attributes
    ----------
    bins
        Up to ten, and one for cases in which nothing is known.
    gain, low, high
        What the best rule of one threshold brings per case beyond the status quo: searched on the earlier
        half of the cases, measured on the later one, with a 95 % interval over days. The rule that was found
        may bring less than nothing later on; 0 where none was found.
    cases
        Settled cases of the later half, on which it was measured.
    beyond, beyond_low, beyond_high
        The same beyond the one action that was best for all cases of the earlier half: what knowing the
        feature adds to not looking at all.
    rule
        In words; empty where none was found.
    """

    name: str
    bins: tuple[MoneyBin, ...]
    gain: float
    low: float
    high: float
    cases: int
    beyond: float = 0.0
    beyond_low: float = 0.0
    beyond_high: float = 0.0
    rule: str = ""


@dataclass(frozen=True, slots=True)
class _Settled:
    """Settled cases in order of time, with the money of every action beyond the status quo."""

    rows: NDArray[np.int64]
    money: Floats
    surplus: Floats
    hit: NDArray[np.bool_]
    day: NDArray[np.int64]
    late: NDArray[np.bool_]


def money_of_features(history: History, progress: Progress | None = None) -> tuple[FeatureMoney, ...]:
    """Relate each feature, as known when cases were decided, to the money of the actions.

    The one that adds most to the best action for all comes first, by the lower end of its interval. Money is
    counted on outcomes that came true; where acting changes outcomes it isn't identified, and shows what goes
    together only.

    Parameters
    ----------
    history
        With all features at hand or to be computed.

    Returns
    -------
    tuple
        Empty where fewer than 100 cases are settled.
    """
    settled = _settled(history)
    if settled is None:
        return ()
    frame = history.features.take(settled.rows)
    weights = _weights(settled.day)
    late = _weights(settled.day[settled.late])
    made = []
    for place, name in enumerate(frame.columns):
        if progress:
            progress(f"money: {name}", place, frame.width)
        made.append(_of_feature(history, settled, frame[name], weights=weights, late=late))
    return tuple(sorted(made, key=lambda each: (-each.beyond_low, -each.beyond, each.name)))


def _settled(history: History) -> _Settled | None:
    truth = history.as_of(history.until + 1).truth()
    old = history.timeline.decided_at[: truth.size] + history.brief.outcome.matures <= history.until
    rows = np.flatnonzero((truth >= 0) & (old | history.brief.timeless))
    rows = rows[:: max(1, -(-rows.size // _MOST))]
    if rows.size < 100:
        return None
    values, told = history.values.take(rows), truth[rows]
    known = values.known(told)
    rows, told = rows[known], told[known]
    if rows.size < 100:
        return None
    values = history.values.take(rows)
    money = _of_actions(values, told, actions=len(history.brief.actions))
    now = money[np.arange(rows.size), history.status_quo[rows]]
    at = history.timeline.decided_at[rows]
    # Without time the halves are every other case, and a "day" is a case.
    day = np.arange(rows.size) if history.brief.timeless else at // DAY
    late = np.arange(rows.size) % 2 == 1 if history.brief.timeless else day >= np.median(day)
    return _Settled(rows, money, money - now[:, None], _hit(history, told), day, late)


def _of_actions(values: Values, truth: NDArray[np.signedinteger], *, actions: int) -> Floats:
    codes = [np.full(truth.size, action, dtype=np.int64) for action in range(actions)]
    return np.stack([values.money(code, truth=truth) for code in codes], axis=1)


def _hit(history: History, told: NDArray[np.signedinteger]) -> NDArray[np.bool_]:
    outcome = history.brief.outcome
    if history.told.levels is not None:
        numbers = history.told.levels[told]
        return np.asarray(numbers > np.median(numbers))
    if outcome.positive in outcome.classes:
        return np.asarray(told == outcome.classes.index(str(outcome.positive)))
    counts = np.bincount(told, minlength=len(outcome.classes))
    return np.asarray(told == np.argmin(np.where(counts > 0, counts, told.size + 1)))


@dataclass(frozen=True, slots=True)
class _Weights:
    """How often each day is in each resampled history: blocks of days, drawn around the end.

    Künsch 1989, The jackknife and the bootstrap for general stationary observations, Annals of Statistics 17.
    Blocks drawn from one history vary too little, and few of them make a normal tail too short:
    ``widening`` corrects both.
    """

    place: NDArray[np.int64]
    days: int
    draws: Floats | None
    widening: float = 1.0

    def interval(self, each: Floats, rows: NDArray[np.bool_] | None = None) -> tuple[float, float]:
        """Give the 95 % interval of a mean over some of the cases; infinite ends with too few days."""
        inside = np.ones(each.size, dtype=bool) if rows is None else rows
        place = self.place[inside]
        if self.draws is None or np.unique(place).size < _LEAST_DAYS:
            return -np.inf, np.inf
        sums = np.bincount(place, weights=each[inside], minlength=self.days)
        counts = np.bincount(place, minlength=self.days).astype(np.float64)
        drawn = self.draws @ counts
        means = (self.draws @ sums)[drawn > 0] / drawn[drawn > 0]
        mean = float(each[inside].mean())
        low, high = mean + self.widening * (np.percentile(means, [_TAIL, 100 - _TAIL]) - mean)
        return float(low), float(high)


def _weights(day: NDArray[np.int64]) -> _Weights:
    days, place = np.unique(day, return_inverse=True)
    # With very many days, as without time, neighbours are taken together: it is the blocks that count.
    most = 1_000
    if days.size > most:
        place, size = place * most // days.size, most
    else:
        size = days.size
    if size < _LEAST_DAYS:
        return _Weights(place, size, None)
    block = min(_BLOCK, max(1, size // _LEAST_DAYS))
    blocks = -(-size // block)
    drawn = ids.chance(np.arange(_RESAMPLES * blocks, dtype=np.uint64), seed=_SEED, salt="money")
    starts = (drawn * size).astype(np.int64).reshape(_RESAMPLES, blocks)
    taken = (starts[:, :, None] + np.arange(block)) % size
    draws = np.zeros((_RESAMPLES, size))
    np.add.at(draws, (np.arange(_RESAMPLES)[:, None], taken.reshape(_RESAMPLES, -1)), 1.0)
    return _Weights(place, size, draws, _widening(size // block, share=block / size))


def _widening(blocks: int, *, share: float) -> float:
    """Give Student's quantile over the normal one (Abramowitz and Stegun 26.7.5), by what blocks lack."""
    z, freedom = 1.959964, blocks - 1
    student = 1 + (z**2 + 1) / (4 * freedom) + (5 * z**4 + 16 * z**2 + 3) / (96 * freedom**2)
    return student / math.sqrt(1 - share)


def _of_feature(
    history: History, settled: _Settled, values: pl.Series, *, weights: _Weights, late: _Weights
) -> FeatureMoney:
    words = values.dtype in {pl.String, pl.Boolean}
    numbers = None if words else values.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()
    codes, labels = _words(values) if words else (np.zeros(0, dtype=np.int64), [])
    bins = _word_bins(codes, labels) if words else _number_bins(values, numbers)
    actions = history.brief.actions
    made = tuple(_bin(each, settled, actions, weights=weights) for each in bins if each[1].any())
    early = ~settled.late
    score = scores_of_words(codes, settled.surplus, learn=early) if words else np.asarray(numbers)
    cases = int(settled.late.sum())
    rule = best_rule(score[early], settled.surplus[early])
    if rule is None or not cases:
        return FeatureMoney(values.name, made, 0.0, 0.0, 0.0, cases)
    gains = rule.gain(score[settled.late], settled.surplus[settled.late])
    alike = settled.surplus[settled.late, int(np.argmax(settled.surplus[early].sum(axis=0)))]
    beyond = late.interval(gains - alike)
    return FeatureMoney(
        values.name,
        made,
        float(gains.mean()),
        *late.interval(gains),
        cases,
        float((gains - alike).mean()),
        *beyond,
        rule=_said(values, rule, actions, [labels[code] for code in _over(rule, score, codes)]),
    )


def _over(rule: Rule, score: Floats, codes: NDArray[np.int64]) -> list[int]:
    """Give the categories that get the high action, of a column of words."""
    return [int(code) for code in np.unique(codes[(score >= rule.cut) & (codes >= 0)])] if codes.size else []


def _said(values: pl.Series, rule: Rule, actions: tuple[str, ...], words: list[str]) -> str:
    """Say the rule in words."""
    low, high = actions[rule.low], actions[rule.high]
    if not np.isfinite(rule.cut):
        return f"{high} wherever {values.name} is known"
    if words:
        shown = ", ".join(words[:5]) + (f" or {len(words) - 5} others" if len(words) > 5 else "")
        return f"{high} where {values.name} is {shown}, else {low}"
    return f"{high} where {values.name} is {_range(values, rule.cut, rule.cut)} or more, else {low}"


_Bin = tuple[str, NDArray[np.bool_], float | None, float | None]


def _words(values: pl.Series) -> tuple[NDArray[np.int64], list[str]]:
    texts = values.cast(pl.String)
    labels = texts.drop_nulls().unique().sort().to_list()
    places = pl.Series(np.arange(len(labels), dtype=np.int64))
    codes = texts.replace_strict(
        pl.Series(labels, dtype=pl.String), places, default=None, return_dtype=pl.Int64
    )
    return codes.fill_null(-1).to_numpy(), labels


def _word_bins(codes: NDArray[np.int64], labels: list[str]) -> Iterator[_Bin]:
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    order = np.argsort(-counts, kind="stable")
    shown = order[: BINS if order.size <= BINS else BINS - 1]
    for code in shown:
        yield labels[code], codes == code, None, None
    if order.size > shown.size:
        yield f"{order.size - shown.size} others", (codes >= 0) & ~np.isin(codes, shown), None, None
    yield "nothing known", codes < 0, None, None


def _number_bins(values: pl.Series, numbers: Floats | None) -> Iterator[_Bin]:
    own = np.asarray(numbers)
    there = ~np.isnan(own)
    if there.any():
        edges = np.unique(np.quantile(own[there], np.linspace(0, 1, BINS + 1), method="nearest"))
        distinct = np.unique(own[there])
        if distinct.size <= BINS:
            place = np.searchsorted(distinct, own)
            edges = distinct
        else:
            place = np.clip(np.searchsorted(edges, own, side="right") - 1, 0, max(0, edges.size - 2))
        for each in range(edges.size):
            mask = there & (place == each)
            if mask.any():
                low, high = float(own[mask].min()), float(own[mask].max())
                yield _range(values, low, high), mask, low, high
    yield "nothing known", ~there, None, None


def _range(values: pl.Series, low: float, high: float) -> str:
    ends = [f"{each:.6g}" for each in (low, high)]
    if values.dtype.is_temporal():
        ends = [
            str(pl.Series([int(each)]).cast(values.to_physical().dtype).cast(values.dtype)[0])[:10]
            for each in (low, high)
        ]
    return ends[0] if low == high else f"{ends[0]} to {ends[1]}"


def _bin(each: _Bin, settled: _Settled, actions: tuple[str, ...], *, weights: _Weights) -> MoneyBin:
    label, mask, low_value, high_value = each
    means = settled.money[mask].mean(axis=0)
    best = int(np.argmax(means))
    surplus = settled.surplus[:, best]
    low, high = weights.interval(surplus, mask)
    return MoneyBin(
        label=label,
        from_value=low_value,
        to_value=high_value,
        cases=int(mask.sum()),
        share_hit=float(settled.hit[mask].mean()),
        money={name: float(mean) for name, mean in zip(actions, means, strict=True)},
        best=actions[best],
        gain=float(surplus[mask].mean()),
        low=low,
        high=high,
    )
