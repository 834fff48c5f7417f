"""From cases that are due to decisions: features as known, the model's prediction, the one kernel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import Instant
from wholeroad.core.view import code_type
from wholeroad.engine.service.landing import Landings, Ready
from wholeroad.engine.service.records import DecidedCase
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.features.online import OnlineFeatures
from wholeroad.road.data.one_case.decided import Decided as DecidedRow
from wholeroad.road.data.one_case.key_ids import KeyIds
from wholeroad.road.data.row_versions import Key, Row
from wholeroad.road.model.places import Places
from wholeroad.road.model.scoring import Model
from wholeroad.road.release.few import FewCases, Kernel, Plain
from wholeroad.road.release.rules import MODEL, Plan
from wholeroad.road.release.work import Decided


class Deciding:
    """Decides cases of one instant together.

    Parameters
    ----------
    features, groups
        As known when a case is decided; groups only where the brief has them.
    kernel, places
        The decision kernel for few cases, and what a capacity has left; None without one.
    read_model
        From a digest to the model.
    """

    def __init__(
        self,
        brief: Brief,
        *,
        landings: Landings,
        features: OnlineFeatures,
        groups: OnlineFeatures | None,
        kernel: Kernel,
        places: Places | None,
        read_model: Callable[[str], Model],
    ) -> None:
        self._brief = brief
        self._late_is_held = brief.case.if_late == "status_quo"
        self._landings = landings
        self.features = features
        self._groups = groups
        self._kernel = kernel
        self._places = places
        self._read_model = read_model
        self._models: dict[str, Model] = {}
        schema = landings.schemas[brief.case.source]
        self._ids = KeyIds({name: schema[name] for name in landings.case_key})
        self._shown: dict[int, Row] = {}

    def keep(self, models: Mapping[str, Model], *, in_charge: str | None) -> None:
        """Keep the models that a plan names; those that no plan names any more are let go."""
        self._models |= models
        self._models = {name: model for name, model in self._models.items() if name == in_charge}

    def model(self, name: str) -> Model:
        """Give a model, read if it isn't at hand."""
        if name not in self._models:
            return self._read_model(name)
        return self._models[name]

    def advance(self, now: Instant) -> None:
        """Let time pass, also where nobody asks for features: what is over is let go."""
        self.features.advance(now)
        if self._groups is not None:
            self._groups.advance(now)

    def let_go(self, before_at: Instant) -> None:
        """Forget what a capacity had left in periods that are over."""
        if self._places is not None:
            self._places.let_go(before_at)

    def shown(self, case_id: int) -> Row | None:
        """Give the features that a case of this group was decided by, where they were asked for."""
        return self._shown.get(case_id)

    def ids(self, keys: Sequence[Key]) -> list[int]:
        """Give the stable ids of cases, in the order of their keys."""
        return self._ids.of(keys)

    def decide(
        self, ready: Sequence[Ready], at: Instant, *, plan: Plan, shown: Collection[Key] = ()
    ) -> list[DecidedCase]:
        """Decide cases that are due at an instant; what landed by then is seen, and none of them is.

        Parameters
        ----------
        shown
            Cases whose features are asked for.
        """
        keys = [case.key for case in ready]
        rows = [case.row for case in ready]
        ids = self.ids(keys)
        self._shown.clear()
        features: Sequence[Sequence[Any]] = [()] * len(rows)
        if plan.decider == MODEL or shown:
            self.features.advance(at)
            features = self.features.of_many(rows, decided_at=at)
            names = self.features.schema.names() if shown else []
            for key, case_id, values in zip(keys, ids, features, strict=True) if shown else ():
                if key in shown:
                    self._shown[case_id] = dict(zip(names, values, strict=True))
        held = [self._late_is_held and case.late for case in ready]
        made = self._decided(keys, FewCases(ids, at, rows, features, held), plan)
        for case, case_id in zip(ready, ids, strict=True):
            self._landings.decided(case.key, DecidedRow(at, case_id, case.row), new=case.new)
        return made

    def again(self, ready: Sequence[Ready], at: Instant, *, made: Sequence[DecidedCase]) -> None:
        """Take note of what was decided before, and is written down, of cases that were due at an instant."""
        if self._places is not None:
            action = np.array([one.action for one in made], dtype=code_type(len(self._brief.actions)))
            drawn = [one.propensity for one in made]
            propensity = None if None in drawn else np.array(drawn, dtype=np.float64)
            self._count(action, propensity, [case.row for case in ready], at)
        for case, one in zip(ready, made, strict=True):
            self._landings.decided(case.key, DecidedRow(at, one.id, case.row), new=case.new)

    def _decided(self, keys: Sequence[Key], cases: FewCases, plan: Plan) -> list[DecidedCase]:
        at, model = cases.decided_at, self.model(plan.model) if plan.model is not None else None
        if self._groups is None and self._places is None and True not in cases.held:
            plain = self._kernel.plainly(plan, cases.features, model=model)
            if plain is not None:
                return _written(keys, cases, plain, plan=plan)
        if self._groups is not None and plan.decider == MODEL:
            self._groups.advance(at)
            cases = replace(cases, groups=self._groups.of_many(cases.rows, decided_at=at))
        used = 0 if self._places is None else self._places.used(at)
        decided = self._kernel.decide(plan, cases, model=model, used=used)
        self._count(decided.action, decided.propensity, cases.rows, at)
        made = _plain(decided, len(self._brief.actions))
        return _written(keys, cases, made, plan=plan, decided=decided)

    def _count(
        self,
        action: NDArray[Any],
        propensity: NDArray[np.float64] | None,
        rows: Sequence[Row],
        at: Instant,
    ) -> None:
        if self._places is not None:
            status_quo = self._kernel.status_quo(rows)
            self._places.note(at, action=action, status_quo=status_quo, propensity=propensity)


def _written(
    keys: Sequence[Key], cases: FewCases, made: Sequence[Plain], *, plan: Plan, decided: Decided | None = None
) -> list[DecidedCase]:
    """Write decisions down; ``decided`` tells what was left to whom, and drawn by chance, if anything was."""
    at, decider, model = cases.decided_at, plan.decider, plan.model
    nothing: list[Any] = [None] * len(keys)
    propensity = nothing if decided is None or decided.propensity is None else decided.propensity.tolist()
    left = nothing if decided is None or decided.left is None else decided.left.tolist()
    return [
        DecidedCase(
            key=list(key),
            id=case_id,
            decided_at=at,
            action=one.action,
            prediction=one.prediction,
            expected=one.expected,
            propensity=drawn,
            left=bool(to_people),
            decider=decider,
            model=model,
            expected_values=one.money,
        )
        for key, case_id, one, drawn, to_people in zip(keys, cases.ids, made, propensity, left, strict=True)
    ]


def _plain(decided: Decided, actions: int) -> list[Plain]:
    """Give decisions one by one; what isn't known is None."""
    expected = _listed(decided.expected)
    unknown: list[Any] = [[None] * actions] * len(expected)
    money = unknown if decided.money is None else _listed(decided.money)
    columns = (decided.action.tolist(), _listed(decided.probabilities), expected, money)
    return [Plain(*one) for one in zip(*columns, strict=True)]


def _listed(numbers: NDArray[np.float64]) -> list[Any]:
    """Give numbers as lists, NaN as None."""
    unknown = np.isnan(numbers)
    if not unknown.any():
        return list(numbers.tolist())
    said = numbers.astype(object)
    said[unknown] = None
    return list(said.tolist())
