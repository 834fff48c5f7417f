"""From the record to what would have changed a decision, and to how it can be contested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.engine.explained import Contest
from wholeroad.engine.redeciding import case_columns, redecided, stuck
from wholeroad.road.data.features.specs import Derived
from wholeroad.road.data.history import History
from wholeroad.road.model.counterfactuals import Counterfactuals, Decide, counterfactuals
from wholeroad.road.model.fairness.assessed import Terms
from wholeroad.road.model.fairness.feeding import derived_from, key_columns
from wholeroad.road.model.plausible import Direction
from wholeroad.road.model.scoring import Model
from wholeroad.road.release.work import PEOPLE

EARLIER: Final = 10_000
"""So many cases before the one that is explained say what is plausible."""

MODEL_ONLY: Final = (
    "This is what the model would have said. It may be wrong about the world, and a change of one feature "
    "moves others: none of these is a promise, and all of them end with the next model."
)


def contest(
    history: History, place: int, *, row: Mapping[str, Any], model: Model | None, held_reason: str | None
) -> Contest | None:
    """Say what would have changed a decision, and how to appeal; None without ``[fairness]``.

    Parameters
    ----------
    place
        The case's position.
    row
        Its line in the table of decisions.
    model
        That decided it; None where none did, or its features are gone from the brief.
    held_reason
        Why the model wasn't followed, in words, or None.
    """
    fairness = history.brief.fairness
    if fairness is None:
        return None
    told = Contest(
        actions=history.brief.actions,
        appeals_to=fairness.appeals_to,
        answered_within=fairness.answered_within,
    )
    if reason := _no_feature_decided(history, row, model, held_reason):
        return replace(told, decided_by=reason)
    assert model is not None  # noqa: S101 - what has no model has a reason
    found = _otherwise(history, place, row=row, model=model)
    if found is None:
        return replace(
            told, decided_by="the rule has changed since, so what would have changed it is not told"
        )
    return replace(told, otherwise=found, says=tuple(_says(history, found)))


def _no_feature_decided(
    history: History, row: Mapping[str, Any], model: Model | None, held_reason: str | None
) -> str:
    if held_reason:
        return held_reason
    if row["decided_by"] == PEOPLE:
        return "people: the brief leaves such cases of its group to them"
    if row["model"] is None:
        return f"no model: {row['decided_by']} decided, whatever the features were"
    if model is None:
        return "a model whose features are gone from the brief"
    if not history.brief.outcome.classes:
        return "an amount, which moves a little with every feature; no single change turns it over"
    return ""


def _otherwise(
    history: History, place: int, *, row: Mapping[str, Any], model: Model
) -> Counterfactuals | None:
    """Search for what would have changed the decision; None where the rule doesn't give it any more."""
    code = history.brief.actions.index(row["action"])
    selected = Terms.of(history.brief).selected
    others = [other for other in range(len(history.brief.actions)) if other != code]
    wanted = [other for other in others if (other in selected) != (code in selected)] or others
    decide = _deciding(history, place, model=model, wanted=wanted)
    case = history.features.take(slice(place, place + 1))
    if decide(case)[0][0] != code:
        return None
    first = int(np.searchsorted(history.timeline.decided_at, history.timeline.decided_at[place], side="left"))
    before = history.features.take(slice(max(0, first - EARLIER), first))
    tried, left_out = _changeable(history, model)
    found = counterfactuals(case, before, tried=tried, decide=decide, wanted=wanted)
    fairness = history.brief.fairness
    promised = fairness is not None and bool(fairness.changeable)
    return replace(found, left_out={**left_out, **found.left_out}, promised=promised)


def _changeable(history: History, model: Model) -> tuple[dict[str, Direction], dict[str, str]]:
    """Give the features that may change, each with its direction, and why others may not."""
    fairness, bound = history.brief.fairness, history.bound
    seen = {column.name for column in model.encoder.columns}
    named: Mapping[str, Direction] = fairness.changeable if fairness else {}
    of_groups = derived_from(bound.groups, bound.features)
    plain = case_columns(history.brief)
    shown_by = {column: name for name, column in plain.items()}
    tried: dict[str, Direction] = {}
    left_out: dict[str, str] = {}
    for feature in bound.features:
        name = feature.name
        if named and name not in named:
            continue
        behind = feature.expression.columns if isinstance(feature, Derived) and name not in plain else ()
        parents = [shown_by[column] for column in behind if column in shown_by]
        moved = [parent for parent in parents if parent in named or not named]
        if not named and name in of_groups:
            left_out[name] = f"it shows the group {of_groups[name]}"
        elif name not in seen and not _moves_others(history, name):
            left_out[name] = "the model makes no use of it"
        elif moved:
            left_out[name] = f"it moves with {', '.join(moved)}"
        elif name in plain and (hangs := stuck(history, plain[name])):
            left_out[name] = f"{', '.join(hangs)} would move with it, nobody knows how far"
        else:
            tried[name] = named.get(name, "any")
    return tried, left_out


def _moves_others(history: History, name: str) -> bool:
    bound, column = history.bound, case_columns(history.brief).get(name)
    others = [one.expression for one in bound.features if isinstance(one, Derived) and one.name != name]
    others += [*bound.worth.values(), *([bound.status_quo] if bound.status_quo else [])]
    return any(column in one.columns for one in others)


def _deciding(history: History, place: int, *, model: Model, wanted: Sequence[int]) -> Decide:
    rest = [code for code in range(len(history.brief.actions)) if code not in wanted]

    def decide(features: pl.DataFrame) -> tuple[Codes, NDArray[np.float64]]:
        cases = np.full(features.height, place, dtype=np.int64)
        again = redecided(history, cases, features=features, model=model)
        money, left = again.weighed.compared, again.weighed.left
        short = np.fmax.reduce(money[:, rest], axis=1) - np.fmax.reduce(money[:, list(wanted)], axis=1)
        # What is left to people isn't decided otherwise: nobody knows how they decide.
        action = np.where(left, rest[0], again.action)
        return action, np.where(left, np.maximum(short, 0), short)

    return decide


def _says(history: History, found: Counterfactuals) -> Iterator[str]:
    if not found.promised:
        yield (
            "The brief doesn't name what those affected can change ([fairness] changeable), so nobody "
            "promises that these features can be; those that show a group were left as they were."
        )
    plain = case_columns(history.brief)
    changed = {one.feature for each in found.found for one in each.changes}
    columns = {plain[name] for name in changed if name in plain}
    still = [
        feature.name
        for feature in history.bound.features
        if any(column in columns for _, column in key_columns(feature))
    ]
    if still:
        yield f"Left as it was, though it is looked up by what is changed here: {', '.join(still)}."
    yield MODEL_ONLY
