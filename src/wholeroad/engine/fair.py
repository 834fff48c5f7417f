"""What came of questions about fairness, with what they were asked of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import Instant
from wholeroad.engine.assessing import ModelDecisions
from wholeroad.engine.variants import Difference
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.fairness import Equal, RemedyTable
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.model.actions import left_to_people
from wholeroad.road.model.effects import Effects, expected_money
from wholeroad.road.model.fairness.abstaining import left_below
from wholeroad.road.model.fairness.assessed import Terms
from wholeroad.road.model.fairness.assessing import fairness_of
from wholeroad.road.model.fairness.definitions import Conflict, conflicts
from wholeroad.road.model.fairness.flips import flippable, flips, sampled, what_flips_say
from wholeroad.road.model.fairness.learning_thresholds import Aim, Foretold
from wholeroad.road.model.fairness.price import price_curve
from wholeroad.road.model.fairness.priced import Flip, PriceCurve
from wholeroad.road.model.fairness.results import Fairness
from wholeroad.road.review.appeals import Appeal
from wholeroad.road.review.noise_by_group import noise_by_group
from wholeroad.road.watch.fairness.planned import Plan
from wholeroad.road.watch.sliced import Slices
from wholeroad.road.watch.slicing import worst_slices


@dataclass(frozen=True, slots=True)
class BiasFound:
    """What differs between groups before any model is fitted.

    Attributes
    ----------
    not_asked
        Questions that couldn't be asked, each with its reason.
    known_at
        As of when.
    """

    findings: tuple[GroupBias, ...]
    not_asked: tuple[str, ...]
    known_at: Instant


@dataclass(frozen=True, slots=True)
class Solution:
    """How a model's decisions treat the groups.

    Attributes
    ----------
    fairness
        Measures, disparities, limits.
    conflicts
        Definitions that can't hold together here.
    basis
        Whose decisions were assessed, in words.
    from_at, to_at
        First and last of them.
    known_at
        Outcomes count as known then; those of cases younger than ``matures`` don't count.
    models
        How many models decided them, one after another.
    """

    fairness: Fairness
    conflicts: tuple[Conflict, ...]
    basis: str
    from_at: Instant
    to_at: Instant
    known_at: Instant
    models: int


@dataclass(frozen=True, slots=True)
class Searched:
    """The worst slices of somebody's decisions."""

    slices: Slices
    basis: str


@dataclass(frozen=True, slots=True)
class Flipped:
    """What another value of a group would have changed, and what that can't tell."""

    grouping: str
    flips: tuple[Flip, ...]
    says: tuple[str, ...]
    basis: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A remedy that was rehearsed, with and without.

    Attributes
    ----------
    worth
        How much more it makes, paired case by case.
    with_it, without
        How the groups fare; None where no model was ever in charge, since limits stopped each.
    luck
        Whether the interval knows of the luck of fits.
    """

    remedies: tuple[RemedyTable, ...]
    worth: Difference
    with_it: Solution | None
    without: Solution | None
    luck: bool


@dataclass(frozen=True, slots=True)
class Everything:
    """All that can be said of a project's fairness at once.

    Attributes
    ----------
    unasked
        By part, why it couldn't be asked.
    """

    data: BiasFound
    plan: Plan | None
    solution: Solution | None
    prices: tuple[PriceCurve, ...]
    flipped: tuple[Flipped, ...]
    searched: Searched | None
    appeals: tuple[Appeal, ...]
    unasked: dict[str, str]


def solve(decisions: ModelDecisions) -> Solution:
    """Assess what models decided, by group."""
    table = decisions.table
    found = fairness_of(
        decisions.assessed, decisions.groups, limits=table.limits, least_cases=table.least_cases
    )
    at = decisions.decided_at
    return Solution(
        fairness=found,
        conflicts=conflicts(found),
        basis=decisions.basis,
        from_at=int(at[0]),
        to_at=int(at[-1]),
        known_at=decisions.history.until,
        models=decisions.model.n_unique(),
    )


def price(
    decisions: ModelDecisions,
    grouping: str,
    *,
    equal: Equal,
    workshop: Workshop,
    tolerances: Sequence[float] | None = None,
) -> PriceCurve:
    """Price thresholds of a grouping on the later half of what models decided."""
    history, table = decisions.history, decisions.table
    values = history.values.take(decisions.positions)
    effects = {name: workshop.model(name).effects for name in decisions.model.unique().to_list()}
    frame = decisions.group_frame
    expected = _expected(decisions, effects)
    status_quo = history.status_quo[decisions.positions]
    people = left_to_people(expected, status_quo, left_below=left_below(table, frame))
    held = history.held[decisions.positions]
    named = next(each for each in decisions.groups if each.name == grouping)
    positive = decisions.assessed.positive
    return price_curve(
        Foretold(
            expected=expected,
            probabilities=decisions.probabilities,
            positive=positive,
            status_quo=status_quo,
            held=held if people is None else held | people,
            decided_at=decisions.decided_at,
            texts=pl.Series(grouping, named.values).gather(pl.Series(named.codes)),
            values=None if any(effects.values()) else values,
        ),
        Aim(
            grouping=grouping,
            parts=table.groups[grouping].all_of or (grouping,),
            equal=equal,
            within=0.0,
            terms=Terms.of(history.brief),
            least_cases=table.least_cases,
        ),
        values=values,
        truth=decisions.truth,
        matures=history.brief.outcome.matures,
        tolerances=tolerances,
        capacity=history.brief.worth.capacity,
    )


def search(decisions: ModelDecisions) -> Searched:
    """Search for the cases that lose most: what they made less than their best action would have."""
    features = decisions.features()
    groups = [
        pl.Series(each.name, each.values).gather(pl.Series(each.codes))
        for each in decisions.groups
        if each.name not in features.columns and decisions.table.groups[each.name].all_of is None
    ]
    features = features.with_columns(groups)
    loss = decisions.assessed.best_money - decisions.assessed.money
    found = worst_slices(
        features,
        loss,
        decided_at=decisions.decided_at,
        loss_name="regret: what the best action would have brought more",
        seed=decisions.history.brief.model.seed,
    )
    return Searched(found, decisions.basis)


def labels_by_group(decisions: ModelDecisions) -> tuple[GroupBias, ...]:
    """Compare how often labels contradict what models foretold of them, beyond luck, by group."""
    known = np.flatnonzero((decisions.truth >= 0) & np.isfinite(decisions.probabilities).all(axis=1))
    some = decisions.take(known)
    blocks, _ = blocks_of(some.decided_at)
    return noise_by_group(
        some.probabilities,
        some.truth,
        groups=some.groups,
        blocks=blocks,
        least_cases=some.table.least_cases,
    )


def flip(decisions: ModelDecisions, grouping: str, *, workshop: Workshop) -> Flipped:
    """Put other values of a group in place, and decide again."""
    history = decisions.history
    bound = {feature.name: feature for feature in history.bound.groups}
    group = bound.get(grouping)
    some = decisions.take(sampled(history.cases.ids[decisions.positions]))
    names = decisions.model.unique(maintain_order=True).to_list()
    seen = {column.name for name in names for column in workshop.model(name).encoder.columns}
    every = history.bound.features
    found: list[Flip] = []
    for feature in flippable(group, every, seen=sorted(seen)):
        found += flips(
            some.features(),
            feature,
            grouping=next(each for each in some.groups if each.name == grouping),
            decide=some.decide_again(workshop),
            decided_at=some.decided_at,
            ids=history.cases.ids[some.positions],
        )
    says = what_flips_say(group, every, seen=sorted(seen), cases=decisions.positions.size)
    return Flipped(grouping, tuple(found), says, decisions.basis)


def _expected(decisions: ModelDecisions, effects: dict[str, Effects | None]) -> NDArray[np.float64]:
    """Give the expected money of each action as stated when each case was decided, shape (n, A)."""
    history = decisions.history
    money = np.empty((decisions.positions.size, len(history.brief.actions)))
    for name, known in effects.items():
        rows = np.flatnonzero((decisions.model == name).to_numpy())
        values = history.values.take(decisions.positions[rows])
        money[rows] = expected_money(values, decisions.probabilities[rows], effects=known)
    return money
