"""Regret: how much money a policy left on the table, against an oracle that plays by fair rules.

The oracle knows the money of every model on every day and picks, by dynamic programming, the best
path that a refitting policy could have taken: it starts from the status quo, moves to newer models
only, and pays for a model when it moves to it (after Mahadevan and Mathioudakis, *Cost-effective
retraining of machine learning models*, arXiv 2310.04216: the retrospective optimum; that an update
is an investment: Žliobaitė, Budka and Stahl 2015, *Towards cost-sensitive adaptation: when is it
worth updating your predictive model?*, Neurocomputing 150).

A path picked and scored on the same cases would count luck as skill. So the cases are halved by
a hash of their ids; the path picked on one half is scored on the other, both ways. Every case is
then scored once, by a path that never saw it. That is also why the oracle moves to newer models
only: one that may hop back and forth hops after the noise of its half, and loses on the other to
every steady policy. What is left of luck is shown as the *floor*: the regret that would appear if
all models were equal. A regret can be below zero: then the policy did better than the honest oracle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core import ids

FLOOR_QUANTILE: Final = 0.95
_CHUNK: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Choices:
    """What the oracle may choose from, day by day.

    Attributes
    ----------
    halves
        Shape (2, days, options): money of the half's settled cases under each option. Option 0 is
        the status quo; options 1.. are models, ordered by ``first_day``.
    costs
        Shape (options,): paid when an option is moved to; 0 for the status quo.
    first_day
        Shape (options,): the first day on which the option exists; 0 for the status quo. An
        option whose first day is past the last can never be chosen.
    """

    halves: NDArray[np.float64]
    costs: NDArray[np.float64]
    first_day: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse options that are out of order or out of shape.

        Raises
        ------
        ValueError
            Says which.
        """
        if self.halves.ndim != 3 or self.halves.shape[0] != 2:
            message = f"halves must have the shape (2, days, options); it was {self.halves.shape}"
            raise ValueError(message)
        if self.costs.shape != self.halves.shape[2:] or self.first_day.shape != self.halves.shape[2:]:
            message = "costs and first_day must have one entry for each option"
            raise ValueError(message)
        if self.costs[0] != 0 or self.first_day[0] != 0 or (np.diff(self.first_day) < 0).any():
            message = "option 0 is the status quo, free and there from day 0; models follow by first_day"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Oracle:
    """The oracle's money.

    Attributes
    ----------
    daily
        Shape (days,): each day's money before costs, every case scored by the path that was
        picked on the other half.
    costs
        What its models cost: the mean of the two paths.
    paths
        Shape (2, days): the option in charge, as picked on each half.
    """

    daily: NDArray[np.float64]
    costs: float
    paths: NDArray[np.int64]

    @property
    def money(self) -> float:
        """Total money after costs."""
        return float(self.daily.sum()) - self.costs


def best_path(
    money: NDArray[np.float64], costs: NDArray[np.float64], *, first_day: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the path with the most money after the costs of its models, by dynamic programming.

    Parameters
    ----------
    money
        Shape (runs, days, options); runs are independent of each other.
    costs, first_day
        Shape (options,), as in :class:`Choices`. The path starts from the status quo; from any
        option it may move to a later one.

    Returns
    -------
    ndarray
        Shape (runs, days): the option of each day, never falling. Among equal paths the one that
        stays wins.

    Examples
    --------
    >>> money = np.array([[[0.0, 1.0], [0.0, 5.0]]])
    >>> best_path(money, np.array([0.0, 4.0]), first_day=np.array([0, 0])).tolist()
    [[1, 1]]
    """
    runs, days, options = money.shape
    come_from = np.empty((days, runs, options), dtype=np.int16)
    here = np.arange(options, dtype=np.int16)
    worth = np.full((runs, options), -np.inf)
    worth[:, 0] = 0.0
    for day in range(days):
        best = np.maximum.accumulate(worth, axis=1)
        moved = best - costs
        # where the best so far was reached: its latest new height
        heights = np.where(worth > np.concatenate([worth[:, :1] - 1, best[:, :-1]], axis=1), here, 0)
        stays = worth >= moved
        come_from[day] = np.where(stays, here, np.maximum.accumulate(heights, axis=1))
        worth = np.where(stays, worth, moved) + money[:, day]
        worth[:, first_day > day] = -np.inf
    path = np.empty((runs, days), dtype=np.int64)
    option = worth.argmax(axis=1)
    every = np.arange(runs)
    for day in range(days - 1, -1, -1):
        path[:, day] = option
        option = come_from[day, every, option].astype(np.int64)
    return path


def path_costs(path: NDArray[np.int64], costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give what paths pay for the models they move to, shape (runs,); they start from the status quo."""
    before = np.concatenate([np.zeros((path.shape[0], 1), dtype=np.int64), path[:, :-1]], axis=1)
    paid: NDArray[np.float64] = np.where(path != before, costs[path], 0.0).sum(axis=1)
    return paid


def oracle(choices: Choices) -> Oracle:
    """Pick a path on each half and score it on the other."""
    daily, costs, paths = _cross_scored(choices.halves[:, None], choices)
    return Oracle(daily[0], float(costs[0]), paths[:, 0])


def _cross_scored(
    halves: NDArray[np.float64], choices: Choices
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Score ``halves`` of shape (2, runs, days, options); give daily, costs and paths per run."""
    # a half holds half of the money but a model costs its whole price: choose at full scale
    paths = np.stack([best_path(2 * half, choices.costs, first_day=choices.first_day) for half in halves])
    scored = [
        np.take_along_axis(halves[1 - chosen], paths[chosen][:, :, None], axis=2)[:, :, 0]
        for chosen in (0, 1)
    ]
    costs = (path_costs(paths[0], choices.costs) + path_costs(paths[1], choices.costs)) / 2
    return scored[0] + scored[1], costs, paths


def equal_models_floor(choices: Choices, *, block_days: int, permutations: int = 200, seed: int) -> float:
    """Give the regret that *never refitting* would show if all models were equal.

    If models were equal, it would not matter which of them is called by which name. So within
    every stretch of days (cut every ``block_days`` and where a model enters) the names of the models
    that exist are shuffled, the same way in both halves; what one model has lastingly over another
    is lost, the luck of days and weeks stays. On each shuffle the oracle chooses and is scored
    anew, and its money after costs is compared with that of the first model kept from its first
    day. The floor is the 95th percentile of these regrets.

    A regret below the floor is no reason to think that another path would have been better.

    Parameters
    ----------
    choices
        Money by half, day and option; at least one model.
    block_days
        Longest stretch that is shuffled as one.
    permutations
        Number of shuffles.
    seed
        The project's seed.
    """
    days, options = choices.halves.shape[1:]
    regrets: list[NDArray[np.float64]] = []
    chunk = max(1, _CHUNK // max(1, days * options))
    for start in range(0, permutations, chunk):
        runs = np.arange(start, min(permutations, start + chunk))
        names = _shuffled_names(choices, runs, block_days=block_days, seed=seed)
        halves = np.stack([np.take_along_axis(half[None], names, axis=2) for half in choices.halves])
        daily, costs, _ = _cross_scored(halves, choices)
        kept = np.where(np.arange(days) < choices.first_day[1], halves[..., 0], halves[..., 1])
        never = kept.sum(axis=(0, 2)) - choices.costs[1]
        regrets.append(daily.sum(axis=1) - costs - never)
    return float(np.quantile(np.concatenate(regrets), FLOOR_QUANTILE))


def _shuffled_names(
    choices: Choices, runs: NDArray[np.int64], *, block_days: int, seed: int
) -> NDArray[np.int64]:
    """Give shape (runs, days, options): which option plays the part of each option."""
    days, options = choices.halves.shape[1:]
    cuts = np.zeros(days, dtype=bool)
    cuts[::block_days] = True
    cuts[choices.first_day[choices.first_day < days]] = True
    stretch = np.cumsum(cuts) - 1
    starts = np.flatnonzero(cuts)
    shape = (len(runs), len(starts), options)
    counters = runs[:, None] * (len(starts) * options) + np.arange(len(starts) * options)
    keys = ids.chance(counters.astype(np.uint64).ravel(), seed=seed, salt="equal models").reshape(shape)
    keys[:, :, 0] = -1.0  # the status quo keeps its name
    absent = choices.first_day[None, :] > starts[:, None]
    keys = np.where(absent, 1.0 + np.arange(options), keys)  # and so do models yet to come
    names: NDArray[np.int64] = np.argsort(keys, axis=2, kind="stable")[:, stretch]
    return names
