"""Few cases of one instant through the decision kernel, as they are waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.core.view import Codes
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.policies import Policy
from wholeroad.road.data.binding import Bound
from wholeroad.road.data.few_rows import frame_of
from wholeroad.road.data.incumbent import Logged
from wholeroad.road.data.row_versions import Row
from wholeroad.road.model.actions import Rule
from wholeroad.road.model.capacity import Room
from wholeroad.road.model.fairness.abstaining import left_below
from wholeroad.road.model.few_cases import RowModel
from wholeroad.road.model.few_values import CaseValues
from wholeroad.road.model.scoring import Model
from wholeroad.road.release.randomising import left_alone
from wholeroad.road.release.rules import MODEL, Plan
from wholeroad.road.release.work import Asked, Decided, decide_under

FEW: Final = 32
"""Up to so many cases, Python decides faster than NumPy begins to, where nothing but the money counts."""


class Plain(NamedTuple):
    """What is decided about one case.

    Attributes
    ----------
    prediction, money
        Probabilities of the classes, or quantiles; the expected money of every action. None is not known,
        as in ``expected``.
    """

    action: int
    prediction: list[Any]
    expected: float | None
    money: list[Any]


@dataclass(frozen=True, slots=True)
class FewCases:
    """Cases that are decided together, at one instant; n of each.

    Attributes
    ----------
    ids
        Stable hashes of the keys, unsigned 64 bits.
    decided_at
        The instant of all of them.
    rows
        The columns of the case's source as known then; see :data:`~wholeroad.road.data.row_versions.Row`.
    features
        Physical values of the features, in the order of the kernel's schema.
    held
        Cases that the status quo decides whatever the plan says.
    groups
        Physical values of the groups of ``[fairness]``, in the order of their schema; None where the brief
        names none; they may be left out where no model decides.
    """

    ids: Sequence[int]
    decided_at: Instant
    rows: Sequence[Row]
    features: Sequence[Sequence[Any]]
    held: Sequence[bool]
    groups: Sequence[Sequence[Any]] | None = None


class Kernel:
    """The decisions of one brief under one policy, for few cases at a time.

    It hands them to :func:`~wholeroad.road.release.work.decide_under`, as a rehearsal does with all cases of
    a span, and so gives the same bits.

    Parameters
    ----------
    bound
        The brief, bound to the schemas of its sources.
    features
        Names and types of the features.
    policy
        The one in force: some leave a random share alone.
    case_schema
        Of the case's source: the columns as landed.
    groups
        Names and types of the groups of ``[fairness]``; None where the brief names none.
    """

    def __init__(
        self,
        brief: Brief,
        bound: Bound,
        *,
        features: pl.Schema,
        policy: Policy,
        case_schema: pl.Schema,
        groups: pl.Schema | None = None,
    ) -> None:
        self._brief = brief
        self._actions = brief.actions
        self._width = len(brief.prediction)
        self._seed = brief.model.seed
        self._capacity = brief.worth.capacity
        self._features = features
        self._groups = groups
        self._abstains = bool(brief.fairness and brief.fairness.of_kind("abstain"))
        self._left_alone = left_alone(brief, policy)
        self._values = CaseValues(brief, bound, schema=case_schema)
        self._model: RowModel | None = None
        limited = self._capacity is not None or self._left_alone is not None or self._abstains
        self._fixed = None if limited else self._values.fixed

    def plainly(
        self, plan: Plan, features: Sequence[Sequence[Any]], *, model: Model | None
    ) -> list[Plain] | None:
        """Decide a few cases that aren't held, where nothing but the expected money counts.

        Returns
        -------
        list or None
            What :meth:`decide` gives, to the bit; None where it has to be asked: values hang on the case,
            something limits the choice, a number isn't known, no model decides, or there are many cases.
        """
        if self._fixed is None or model is None or plan.decider != MODEL or len(features) > FEW:
            return None
        scored = self._scored(model)
        if scored.rule.effects is not None or scored.rule.thresholds is not None:
            return None
        table, today = self._fixed
        made = []
        for prediction in scored.prediction(features).tolist():
            money = list[Any]()
            for worth in table:
                total = 0.0  # class by class in order, as in bulk
                for one, probability in zip(worth, prediction, strict=True):
                    total += one * probability
                money.append(total)
            action, best = today, money[today]
            for code, its in enumerate(money):
                if its > best:
                    action, best = code, its
            if best != best or sum(money) != sum(money):  # noqa: PLR0124 - NaN alone differs from itself
                return None
            made.append(Plain(action, prediction, best, money))
        return made

    def decide(
        self, plan: Plan, cases: FewCases, *, model: Model | None, used: int = 0, logged: Logged | None = None
    ) -> Decided:
        """Decide cases under a plan; ``money`` tells the expected money of every action.

        Parameters
        ----------
        model
            That of the plan; None where it has none.
        used
            How much of the capacity of the instant's period went to earlier decisions; see
            :class:`~wholeroad.road.model.places.Places`.
        logged
            What a running system did to these cases, for a plan by which it decides.

        Raises
        ------
        UserError
            ``value.null``, ``value.status-quo``, ``fairness.group-gone``.
        ValueError
            When the plan has a model and none was handed in.
        """
        scored = self._scored(model) if model is not None else None
        rule = scored.rule if scored is not None else Rule()
        count = len(cases.ids)
        values, status_quo = self._values.of(cases.rows)
        groups = None
        if self._groups is not None and cases.groups is not None and self._asks_groups(rule):
            named = [dict(zip(self._groups, row, strict=True)) for row in cases.groups]
            groups = frame_of(named, self._groups)
        room = None
        if self._capacity is not None:
            room = Room(self._capacity, np.full(count, cases.decided_at), np.full(count, used))
        asked = Asked(
            ids=np.array(cases.ids, dtype=np.uint64),
            values=values,
            status_quo=status_quo,
            held=np.array(cases.held, dtype=bool),
            room=room,
            logged=logged,
            left_alone=self._left_alone,
            groups=groups,
            left_below=left_below(self._brief.fairness, groups),
            tells_money=True,
        )
        return decide_under(
            plan,
            asked,
            actions=self._actions,
            width=self._width,
            seed=self._seed,
            score=lambda _: _handed(scored).prediction(cases.features),
            rule=lambda _: rule,
        )

    def status_quo(self, rows: Sequence[Row]) -> Codes:
        """Give the action that the status quo takes for each case."""
        return self._values.status_quo(rows)

    def _asks_groups(self, rule: Rule) -> bool:
        return self._abstains or rule.thresholds is not None

    def _scored(self, model: Model) -> RowModel:
        if self._model is None or self._model.model is not model:
            self._model = RowModel(model, self._features)
        return self._model


def _handed(scored: RowModel | None) -> RowModel:
    if scored is None:
        message = "model: expected that of the plan"
        raise ValueError(message)
    return scored
