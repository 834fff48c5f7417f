"""From the record to what fairness is measured on: cases that models decided, with what came of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.view import PENDING, Codes
from wholeroad.engine.redeciding import redecided
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.fairness import FairnessTable
from wholeroad.road.brief.remedies import no_groups
from wholeroad.road.data.bias.groups import Grouping, groups_of
from wholeroad.road.data.cases import key_hash
from wholeroad.road.data.history import History
from wholeroad.road.model.fairness.assessed import Assessed, Terms, assess
from wholeroad.road.model.fairness.assessing import fairness_of
from wholeroad.road.model.fairness.results import Fairness
from wholeroad.road.release.rules import MODEL


@dataclass(frozen=True)
class ModelDecisions:
    """Cases that models decided, each after its fit, in order of time.

    Attributes
    ----------
    positions
        Shape (n,): in the history.
    action
        Shape (n,): codes.
    probabilities
        Shape (n, classes), as stated when each was decided.
    model
        Shape (n,): digest of the model that decided.
    basis
        Whose decisions they are, in words.
    """

    history: History
    positions: NDArray[np.int64]
    action: Codes
    probabilities: NDArray[np.float64]
    model: pl.Series
    basis: str

    @property
    def table(self) -> FairnessTable:
        """``[fairness]`` of the brief."""
        return fairness_table(self.history)

    @cached_property
    def truth(self) -> Codes:
        """Shape (n,): outcomes as known at the end of the history; those of young cases aren't typical."""
        history = self.history
        truth = history.as_of(history.until + 1).truth()
        known = np.full(len(history.cases.ids), PENDING, dtype=truth.dtype)
        known[: truth.size] = truth
        young = self.decided_at > history.until - history.brief.outcome.matures
        return np.where(young, PENDING, known[self.positions])

    @property
    def decided_at(self) -> NDArray[np.int64]:
        """Shape (n,), int64 microseconds, ascending."""
        return self.history.timeline.decided_at[self.positions]

    @cached_property
    def assessed(self) -> Assessed:
        """What the measures are computed from."""
        history = self.history
        return assess(
            Terms.of(history.brief),
            decided_at=self.decided_at,
            action=self.action,
            truth=self.truth,
            values=history.values.take(self.positions),
            status_quo=history.status_quo[self.positions],
            probabilities=self.probabilities,
        )

    @cached_property
    def group_frame(self) -> pl.DataFrame:
        """The values of the groups, a row for each case."""
        if self.history.groups is None:
            raise no_groups()
        return self.history.groups.take(self.positions)

    @cached_property
    def groups(self) -> tuple[Grouping, ...]:
        """Every grouping of the brief over these cases."""
        return groups_of(self.group_frame, self.table)

    def features(self) -> pl.DataFrame:
        """Give the features as known at each decision, a row for each case."""
        return self.history.features.take(self.positions)

    def decide_again(
        self, workshop: Workshop
    ) -> Callable[[pl.DataFrame], tuple[NDArray[np.bool_], NDArray[np.float64]]]:
        """Give what decides these cases on other features: whether each is selected, and its probability.

        Each case is decided by the model that decided it, as if there were room for everybody.
        """
        terms = Terms.of(self.history.brief)

        def decide(features: pl.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
            selected = np.zeros(self.positions.size, dtype=bool)
            probability = np.full(self.positions.size, np.nan)
            for name in self.model.unique(maintain_order=True).to_list():
                rows = np.flatnonzero((self.model == name).to_numpy())
                again = redecided(
                    self.history,
                    self.positions[rows],
                    features=features[rows],
                    model=workshop.model(name),
                )
                selected[rows] = np.isin(again.action, terms.selected)
                if terms.positive is not None:
                    probability[rows] = again.prediction[:, terms.positive]
            return selected, probability

        return decide

    def take(self, rows: NDArray[np.int64]) -> ModelDecisions:
        """Give some of the cases, in order of time."""
        return ModelDecisions(
            self.history,
            self.positions[rows],
            self.action[rows],
            self.probabilities[rows],
            self.model.gather(rows),
            self.basis,
        )


def fairness_table(history: History) -> FairnessTable:
    """Give ``[fairness]`` of the history's brief.

    Raises
    ------
    UserError
        ``fairness.no-groups``.
    """
    table = history.brief.fairness
    if table is None or history.groups is None:
        raise no_groups()
    return table


def model_decisions(history: History, decisions: pl.DataFrame, *, basis: str) -> ModelDecisions:
    """Find the cases that models decided in a table of decisions.

    Parameters
    ----------
    decisions
        Of the project, or of a policy that was rehearsed; by key, so that it may be of another history of
        the same cases.

    Raises
    ------
    UserError
        ``fairness.no-groups``, ``fairness.no-decisions``.
    """
    fairness_table(history)
    classes = list(history.brief.prediction)
    made = decisions.filter((pl.col("decided_by") == MODEL) & pl.col("model").is_not_null())
    ids = made.select(key_hash(made.columns[: len(history.cases.key)])).to_series().to_numpy()
    order = np.argsort(history.cases.ids)
    known = history.cases.ids[order]
    places = np.minimum(np.searchsorted(known, ids), max(known.size - 1, 0))
    there = known[places] == ids if known.size else np.zeros(ids.size, dtype=bool)
    codes = {name: code for code, name in enumerate(history.brief.actions)}
    action = made["action"].cast(pl.String).replace_strict(codes, default=-1, return_dtype=pl.Int16)
    there &= action.to_numpy() >= 0
    if not there.any():
        raise UserError(
            "fairness.no-decisions",
            "No model has decided anything yet",
            happened=f"{basis} hold no case that a model decided",
            expected="decisions of a model, which is later than its fit",
            fix="rehearse a policy that fits models; wholeroad check tells what is missing for one",
        )
    mine = np.flatnonzero(there)
    positions = order[places[mine]]
    by_time = np.argsort(positions, kind="stable")
    rows = mine[by_time]
    stated = made.select(pl.col(classes).cast(pl.Float64).fill_null(float("nan"))).to_numpy()
    return ModelDecisions(
        history,
        positions[by_time],
        action.to_numpy()[rows],
        stated[rows],
        made["model"].gather(rows),
        basis,
    )


def without_limits(brief: Brief) -> Brief:
    """Give a brief without the limits of ``[fairness]``."""
    if brief.fairness is None or not brief.fairness.limits:
        return brief
    return brief.model_copy(update={"fairness": brief.fairness.model_copy(update={"limits": ()})})


def fairness_of_run(
    history: History, action: Codes, *, stated: NDArray[np.float64], first: int
) -> Fairness | None:
    """Assess what a policy's models did; None where none of them decided a case.

    Parameters
    ----------
    action
        Shape (n,): of the whole history, -1 where nothing was decided.
    stated
        Shape (m, classes): what the models in charge stated of the cases from ``first`` on; NaN without one.
    """
    table = fairness_table(history)
    rows = np.flatnonzero(np.isfinite(stated).all(axis=1) & (action[first : first + len(stated)] >= 0))
    if not rows.size:
        return None
    nobody = pl.Series("model", [""], dtype=pl.String).new_from_index(0, rows.size)
    decided = ModelDecisions(
        history, first + rows, action[first + rows], stated[rows], nobody, "a policy that was rehearsed"
    )
    return fairness_of(decided.assessed, decided.groups, limits=table.limits, least_cases=table.least_cases)
