"""The learning curve: what a model's money comes to with fewer rows, and what more of them would bring.

The newest cases are kept to measure on, always the same ones. From those before them, smaller and
smaller nested subsets are drawn by chance, in several chains, and stay in order of time: each is
learnt from as a fit would learn from it. A subset is thinned rather than cut off, so that all of
them span the same time and what differs between them is their number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.ids import chance
from wholeroad.core.instants import Span
from wholeroad.core.ports import AnyLearner, Progress
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.fitting import Trial, try_learner, try_status_quo
from wholeroad.road.model.power_law import FARTHEST, Forecast, Points, Refused, forecast
from wholeroad.road.model.resampling import times_drawn
from wholeroad.road.model.slices import LEAST_ROWS, STOP_SHARE, TRAIN_SHARE, Slices, slice_by_time

SIZES: Final = 8
"""Subsets, each of ``1 / sqrt(2)`` times the rows of the one above it."""
CHAINS: Final = 4
MANY_ROWS: Final = 20_000
"""Above this two chains are enough: subsets differ less, and fits take longer."""
RESAMPLES: Final = 1000

Answer = Literal["reached", "rows", "too-far", "never", "refused"]


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """What rows are worth to a learner.

    Attributes
    ----------
    learner
        That the curve is of: the one that made most with all rows, constants left out.
    points
        Money per case more than the status quo, by rows; None when none could be measured.
    answer
        ``reached``: it is there already. ``rows``: at ``needed`` of them. ``too-far``: beyond
        :data:`~wholeroad.road.model.power_law.FARTHEST` times the rows that there are. ``never``: no
        number of rows will do, since even the upper end of the ceiling is below. ``refused``: nothing
        can be said.
    required
        Money per case more than the status quo.
    needed
        Rows, and the ends of their 95 % interval; the upper end is infinite where it can't be told.
    ceiling
        Upper end of the interval of the money with rows without end.
    happened
        Why it was refused; otherwise empty.
    cases
        That the money is measured on, in ``blocks``.
    """

    learner: str
    points: Points | None
    answer: Answer
    required: float
    needed: tuple[float, float, float] = (math.inf, math.inf, math.inf)
    ceiling: float = math.inf
    happened: str = ""
    cases: int = 0
    blocks: str = ""


def learning_curve(
    cut: Cut,
    learners: Sequence[AnyLearner],
    *,
    ids: NDArray[np.uint64],
    matures: Span,
    required: float,
    seed: int = 0,
    progress: Progress | None = None,
) -> LearningCurve:
    """Measure a learning curve, and read off it the rows that a required gain takes.

    Parameters
    ----------
    cut
        Everything known and matured.
    learners
        The candidates.
    ids
        Shape (n,): of the cut's cases, stable; the subsets are drawn by them.
    matures
        Between slices, microseconds.
    required
        Money per case more than the status quo.
    progress
        Told ``("learning curve", done, total)``.
    """
    slices = slice_by_time(cut.decided_at, matures=matures)
    sizes = _sizes(slices.stop.stop)
    trial = Trial.prepare(cut, slices) if slices.smallest >= LEAST_ROWS else None
    if trial is None or len(trial.priced) < LEAST_ROWS:
        return _refused("", f"{cut.rows:,} cases are too few to hold some back and vary the rest", required)
    if len(np.unique(cut.truth)) < 2:
        return _refused("", "only one thing ever happened", required)
    measure = _Measure(cut, slices, matures, ids, seed)
    chains = CHAINS if slices.stop.stop <= MANY_ROWS else 2
    steps = 1 + chains * (len(sizes) - 1)
    quo = try_status_quo(trial).money
    candidates = [try_learner(trial, learner) for learner in learners if learner.complexity > 1]
    if not candidates:
        return _refused("", "no candidate learns more than a constant", required)
    best = max(candidates, key=lambda one: (float(one.money.sum()), -one.complexity))
    learner = next(learner for learner in learners if learner.name == best.name)
    gains = np.empty((chains, len(sizes), len(trial.priced)))
    done = 0
    for place, size in enumerate(sizes):
        for chain in range(chains):
            if progress:
                progress("learning curve", done, steps)
            if size == sizes[-1] and chain:  # all chains end in the same rows
                gains[chain, place] = gains[0, place]
                continue
            gains[chain, place] = measure.money(learner, size, chain=chain) - quo
            done += 1
    if progress:
        progress("learning curve", steps, steps)
    blocks, kind = blocks_of(cut.decided_at[trial.priced])
    points = _points(np.array(sizes), gains, blocks=blocks, seed=seed)
    curve = read_curve(points, required=required)
    measured = f"{int(blocks.max()) + 1} {kind}"
    return replace(curve, learner=learner.name, cases=len(trial.priced), blocks=measured)


def read_curve(points: Points, *, required: float) -> LearningCurve:
    """Read off measured points how many rows a required gain takes; more is never asked for with fewer.

    Examples
    --------
    >>> rows = np.array([100, 200, 400, 800, 1600])
    >>> money = 1 - 5 * rows**-0.5
    >>> points = Points(rows, money, np.tile(money, (10, 1)))
    >>> curve = read_curve(points, required=0.9)
    >>> curve.answer, round(curve.needed[0], -2)
    ('rows', 2500.0)
    """
    found = forecast(points)
    low, _ = points.interval
    if float(low[-1]) >= required:
        return LearningCurve("", points, "reached", required, _needed(found, required))
    if isinstance(found, Refused):
        return LearningCurve("", points, "refused", required, happened=found.happened)
    needed, ceiling = _needed(found, required), found.highest_ceiling
    answer: Answer = "rows"
    if needed[0] > FARTHEST * points.rows[-1]:
        answer = "never" if math.isinf(needed[0]) and ceiling < required else "too-far"
    return LearningCurve("", points, answer, required, needed, ceiling)


def _needed(found: Forecast | Refused, required: float) -> tuple[float, float, float]:
    return (math.inf, math.inf, math.inf) if isinstance(found, Refused) else found.rows(required)


def _refused(learner: str, happened: str, required: float) -> LearningCurve:
    return LearningCurve(learner, None, "refused", required, happened=happened)


def _sizes(rows: int) -> list[int]:
    """Give the sizes of the subsets, ascending; the smallest still fills a slice to stop on."""
    least = LEAST_ROWS * (TRAIN_SHARE + STOP_SHARE) / STOP_SHARE
    sizes = [round(rows * 2 ** (-step / 2)) for step in range(SIZES)]
    return [size for size in reversed(sizes) if size >= least]


@dataclass(frozen=True)
class _Measure:
    """What learning from subsets of one cut shares."""

    cut: Cut
    slices: Slices
    matures: Span
    ids: NDArray[np.uint64]
    seed: int

    def money(self, learner: AnyLearner, size: int, *, chain: int) -> NDArray[np.float64]:
        """Give the money on the newest cases of a learner that has seen ``size`` of the earlier ones."""
        cut, choose = self.cut, self.slices.choose
        earlier = self.slices.stop.stop
        drawn = chance(self.ids[:earlier], seed=self.seed, salt=f"learning curve {chain}")
        kept = np.sort(np.argsort(drawn, kind="stable")[:size])
        rows = np.concatenate([kept, np.arange(choose.start, choose.stop)])
        thinned = cut.take(rows)
        stop_from = round(size * TRAIN_SHARE / (TRAIN_SHARE + STOP_SHARE))
        at = int(thinned.decided_at[stop_from])
        stop_from = int(np.searchsorted(thinned.decided_at[:size], at, side="left"))
        train_to = int(np.searchsorted(thinned.decided_at[:size], at - self.matures, side="right"))
        slices = Slices(
            train=slice(0, min(train_to, stop_from)),
            stop=slice(stop_from, size),
            choose=slice(size, len(rows)),
            embargoed=(stop_from - train_to, choose.start - earlier),
        )
        return try_learner(Trial.prepare(thinned, slices), learner).money


def _points(
    sizes: NDArray[np.int64], gains: NDArray[np.float64], *, blocks: NDArray[np.int64], seed: int
) -> Points:
    """Average over chains and cases; resample both."""
    chains, many, _ = gains.shape
    count = int(blocks.max()) + 1
    sums = np.stack([[np.bincount(blocks, weights=one, minlength=count) for one in chain] for chain in gains])
    cases = np.bincount(blocks, minlength=count).astype(np.float64)
    of_blocks = times_drawn(count, resamples=RESAMPLES, seed=seed, salt="learning curve blocks")
    of_chains = times_drawn(chains, resamples=RESAMPLES, seed=seed, salt="learning curve chains")
    weighed = np.einsum("bk,rmk->brm", of_blocks, sums) / (of_blocks @ cases)[:, None, None]
    draws = np.einsum("br,brm->bm", of_chains, weighed) / of_chains.sum(axis=1)[:, None]
    return Points(sizes, gains.mean(axis=(0, 2)).reshape(many), draws)


def described(curve: LearningCurve, unit: str) -> Iterator[str]:
    """Say what was measured, then what follows from it, in one or two parts of a sentence."""
    points = curve.points
    if points is not None:
        low, high = points.interval
        yield (
            f"{curve.learner} makes {points.money[0]:,.3g} {unit} per case more than the status quo from "
            f"{points.rows[0]:,} cases and {points.money[-1]:,.3g} from {points.rows[-1]:,} "
            f"(95% interval {low[-1]:,.3g} to {high[-1]:,.3g})"
        )
    asked = f"{curve.required:g} {unit} per case"
    match curve.answer:
        case "refused":
            yield f"the curve can't be extrapolated: {curve.happened}"
        case "reached":
            yield f"the required {asked} is reached"
        case "rows":
            yield f"{asked} would be reached from about {curve.needed[0]:,.0f} ({_between(curve)})"
        case "too-far":
            yield f"{asked} would take more than {FARTHEST:g} times the cases, too far to trust the curve"
        case "never":
            yield f"no number of cases reaches {asked}: the curve levels off below {curve.ceiling:,.3g}"


def _between(curve: LearningCurve) -> str:
    _, least, most = curve.needed
    seen = 0 if curve.points is None else int(curve.points.rows[-1])
    return (
        f"{least:,.0f} to {most:,.0f}" if most <= FARTHEST * seen else f"{least:,.0f} at least, perhaps never"
    )
