"""What decisions are worth where no row says when: cross-validated, not rehearsed.

Cases are dealt into folds by a hash of their key. Each candidate is fitted on the other folds, a part of
which is held back to stop and to calibrate on, and decides on the fold that it hasn't seen, so that
every case is decided once by a model that doesn't know it. The choice is the one that fits make (the
simplest within one standard error, paired by case), but nothing here has been held against the
future: a model is assumed to meet cases like those that it has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.ids import chance
from wholeroad.core.ports import AnyLearner, Progress
from wholeroad.road.brief.contract import Gain
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.fitting import Trial, try_learner
from wholeroad.road.model.resampling import times_drawn
from wholeroad.road.model.results import STATUS_QUO
from wholeroad.road.model.rules import Choice, Contender, choose
from wholeroad.road.model.slices import LEAST_ROWS, Slices

FOLDS: Final = 5
STOP_SHARE: Final = 0.2
"""Of the cases that a fold learns from: to stop and to calibrate on."""
RATES: Final = (0.1, 0.5)
"""Shares of the cases that the random dummies give another action than the status quo's."""
GROUPS: Final = 500
"""Cases are resampled in at most so many groups of equal size, dealt by their key."""
RESAMPLES: Final = 2000
CONFIDENCE: Final = 0.95

MANY_ACTIONS: Final = 20
"""Amounts of a quantity are too many to try each of them on all cases."""

TITLE: Final = "Cross-validated, not rehearsed: no row says when"


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure per case, and the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Valued:
    """What one way of deciding made.

    Attributes
    ----------
    name
        A learner, the status quo, or a dummy: ``always <action>``, ``random <share>``.
    kind
        ``status quo``, ``model`` or ``dummy``.
    per_case, gain
        Money per case, and how much more than the status quo on the same cases; None for itself.
    eligible
        Whether it is within one standard error of the best; dummies don't stand for election.
    actions
        Share of the cases by action, of models and the status quo.
    """

    name: str
    kind: str
    per_case: Interval
    gain: Interval | None
    eligible: bool
    actions: dict[str, float]


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """What decisions are worth, by cross-validation.

    Attributes
    ----------
    unit
        Of money.
    cases, left_out
        Decided and counted; and those whose outcome or value isn't known.
    folds
        Fits of each learner.
    rows
        The status quo, then models from the simplest on, then dummies.
    best, champion
        With the most money; and the simplest within one standard error of it.
    clairvoyant
        Money per case of knowing every outcome.
    required, confidence
        Of the brief's criterion; None without one.
    bound
        Lower bound of the champion's gain per case at that confidence; None where the champion is the
        status quo, or there is no criterion.
    depends_on_action
        The brief's answer: unless ``no``, the money is not identified.
    """

    unit: str
    cases: int
    left_out: int
    folds: int
    rows: tuple[Valued, ...]
    best: str
    champion: str
    clairvoyant: float
    required: float | None
    confidence: float
    bound: float | None
    depends_on_action: str

    @property
    def met(self) -> bool | None:
        """Whether the criterion is met; None where there is none."""
        if self.required is None:
            return None
        return self.bound is not None and self.bound >= self.required

    def row(self, name: str) -> Valued:
        """Give what one way of deciding made."""
        return next(row for row in self.rows if row.name == name)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a cross-validation is asked for, beside cases and learners.

    Attributes
    ----------
    ids
        Shape (n,), uint64: stable hashes of the cases' keys; folds hang on them alone.
    unit, success, depends_on_action, seed
        Of the brief.
    left_out
        Cases without a known outcome, to be told of.
    """

    ids: NDArray[np.uint64]
    unit: str
    success: Gain | None = None
    depends_on_action: str = "no"
    seed: int = 0
    left_out: int = 0


def fold_of(ids: NDArray[np.uint64], *, seed: int, folds: int = FOLDS) -> NDArray[np.int64]:
    """Deal cases into folds by their ids; a case's fold doesn't depend on the other cases."""
    return (chance(ids, seed=seed, salt="fold") * folds).astype(np.int64)


def cross_validate(
    cut: Cut, learners: Sequence[AnyLearner], *, asked: Asked, progress: Progress | None = None
) -> CrossValidated | None:
    """Value decisions by cross-validation.

    Parameters
    ----------
    cut
        Cases with a known outcome; ``decided_at`` is the same for all.
    learners
        The candidates, with distinct names.
    progress
        Told ``("cross-validating: learner", done, total)``.

    Returns
    -------
    CrossValidated or None
        None when some fold has fewer than 20 cases to stop on or to be measured on.
    """
    known = np.flatnonzero(cut.values.known(cut.truth))
    cut, ids = cut.take(known), asked.ids[known]
    folds = fold_of(ids, seed=asked.seed)
    trials = [_trial(cut, np.flatnonzero(folds == fold), fold, ids, asked.seed) for fold in range(FOLDS)]
    if any(trial is None for trial in trials):
        return None
    quo = cut.values.money(cut.status_quo, truth=cut.truth)
    money, actions = {STATUS_QUO: quo}, {STATUS_QUO: cut.status_quo}
    for number, learner in enumerate(learners):
        earned, taken = np.empty(cut.rows), np.empty_like(cut.status_quo)
        for fold, trial in enumerate(trials):
            if progress:
                done = number * FOLDS + fold
                progress(f"cross-validating: {learner.name}", done, len(learners) * FOLDS)
            if trial is not None:
                candidate = try_learner(trial, learner)
                test = np.flatnonzero(folds == fold)
                earned[test], taken[test] = candidate.money, candidate.actions
        money[learner.name], actions[learner.name] = earned, taken
    if progress:
        progress("cross-validating", 1, 1)
    complexity = {STATUS_QUO: 0, **{learner.name: learner.complexity for learner in learners}}
    contenders = [Contender(name, complexity[name], money[name]) for name in money]
    choice = choose(contenders, np.arange(cut.rows, dtype=np.int64))
    return _valued(cut, choice, money, actions, ids=ids, asked=asked)


def _trial(cut: Cut, test: NDArray[np.int64], fold: int, ids: NDArray[np.uint64], seed: int) -> Trial | None:
    others = np.setdiff1d(np.arange(cut.rows), test, assume_unique=True)
    held = chance(ids[others], seed=seed, salt=f"stop {fold}") < STOP_SHARE
    train, stop = others[~held], others[held]
    if min(len(stop), len(test)) < LEAST_ROWS:
        return None
    first, last = len(train), len(train) + len(stop)
    slices = Slices(slice(0, first), slice(first, last), slice(last, cut.rows), (0, 0))
    return Trial.prepare(cut.take(np.concatenate([train, stop, test])), slices)


def _valued(
    cut: Cut,
    choice: Choice,
    money: dict[str, NDArray[np.float64]],
    actions: dict[str, NDArray[np.signedinteger]],
    *,
    ids: NDArray[np.uint64],
    asked: Asked,
) -> CrossValidated:
    eligible = {name: one.eligible for name, one in zip(money, choice.standings, strict=True)}
    every = money | _dummies(cut)
    resampled = _Resampled.of(every, ids, asked.seed)
    rows = [
        Valued(
            name=name,
            kind="dummy" if name not in money else STATUS_QUO if name == STATUS_QUO else "model",
            per_case=resampled.interval(name),
            gain=None if name == STATUS_QUO else resampled.interval(name, STATUS_QUO),
            eligible=eligible.get(name, False),
            actions=_shares(actions[name], cut.actions) if name in actions else {},
        )
        for name in every
    ]
    success, champion = asked.success, choice.champion
    bound = None
    if success is not None and champion != STATUS_QUO:
        bound = resampled.bound(champion, STATUS_QUO, success.confidence)
    return CrossValidated(
        unit=asked.unit,
        cases=cut.rows,
        left_out=asked.left_out + len(asked.ids) - cut.rows,
        folds=FOLDS,
        rows=tuple(rows),
        best=choice.best,
        champion=champion,
        clairvoyant=float(cut.values.best(cut.truth).mean()),
        required=None if success is None else success.per_case,
        confidence=CONFIDENCE if success is None else success.confidence,
        bound=bound,
        depends_on_action=asked.depends_on_action,
    )


def _dummies(cut: Cut) -> dict[str, NDArray[np.float64]]:
    """Give the money of always doing one thing, and that expected of doing another thing at random."""
    quo = cut.values.money(cut.status_quo, truth=cut.truth)
    each = {
        action: cut.values.money(np.full_like(cut.status_quo, code), truth=cut.truth)
        for code, action in enumerate(cut.actions)
        if len(cut.actions) <= MANY_ACTIONS
    }
    dummies = {f"always {action}": one for action, one in each.items() if not np.array_equal(one, quo)}
    if each:
        others = (np.sum(list(each.values()), axis=0) - quo) / (len(cut.actions) - 1)
        dummies |= {f"random {rate:.0%}": (1 - rate) * quo + rate * others for rate in RATES}
    return dummies


def _shares(codes: NDArray[np.signedinteger], actions: tuple[str, ...]) -> dict[str, float]:
    counts = np.bincount(codes, minlength=len(actions)) / len(codes)
    return {name: float(share) for name, share in zip(actions, counts, strict=True) if share}


@dataclass(frozen=True, slots=True)
class _Resampled:
    """Means over all cases, and over resampled groups of them; the same groups for everybody."""

    means: dict[str, float]
    draws: dict[str, NDArray[np.float64]]

    @classmethod
    def of(cls, money: dict[str, NDArray[np.float64]], ids: NDArray[np.uint64], seed: int) -> _Resampled:
        rows = len(ids)
        groups = min(GROUPS, rows)
        order = np.argsort(chance(ids, seed=seed, salt="groups"), kind="stable")
        group = np.empty(rows, dtype=np.int64)
        group[order] = np.arange(rows) % groups
        times = times_drawn(groups, resamples=RESAMPLES, seed=seed, salt="cross-validation")
        sizes = times @ np.bincount(group, minlength=groups)
        sums = {name: np.bincount(group, weights=one, minlength=groups) for name, one in money.items()}
        return cls(
            {name: float(one.mean()) for name, one in money.items()},
            {name: times @ one / sizes for name, one in sums.items()},
        )

    def interval(self, name: str, less: str | None = None) -> Interval:
        draws = self.draws[name] - (0 if less is None else self.draws[less])
        low, high = np.quantile(draws, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
        return Interval(self.means[name] - (0 if less is None else self.means[less]), float(low), float(high))

    def bound(self, name: str, less: str, confidence: float) -> float:
        return float(np.quantile(self.draws[name] - self.draws[less], 1 - confidence))
