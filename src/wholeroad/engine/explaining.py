"""From the record to why: of one decision, and of the model in charge."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant, format_instant, to_instant
from wholeroad.engine.contesting import contest
from wholeroad.engine.explained import Change, DecisionExplained, ModelExplained, one_at_a_time
from wholeroad.engine.fold import fold
from wholeroad.engine.live import in_force
from wholeroad.engine.redeciding import Weighed, due_as_recorded, weighed
from wholeroad.engine.walking import Walker
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.cases import key_hash
from wholeroad.road.data.history import History
from wholeroad.road.model.effects import expected_money
from wholeroad.road.model.facts import FitAsked, ModelFitted
from wholeroad.road.model.scoring import Model
from wholeroad.road.refit import next_fit_at
from wholeroad.road.watch.facts import SpanDecided

TYPICAL_OF: Final = 2_000
"""A feature's typical value is that of so many cases before the one that is explained."""


def explain_decision(
    key: Sequence[str], *, history: History, walker: Walker, workshop: Workshop, decisions: pl.DataFrame
) -> DecisionExplained:
    """Say why one case was decided as it was.

    Parameters
    ----------
    key
        The case's key, one text for each of its columns.
    decisions
        Everything decided.

    Raises
    ------
    UserError
        ``explain.key-length``, ``explain.unknown-case`` with cases that are near, ``explain.not-decided``.
    """
    brief = history.brief
    place = case_place(key, history, decisions=decisions)
    made = decisions.filter(key_hash([*decisions.columns[: len(key)]]) == history.cases.ids[place])
    if not made.height:
        raise _not_decided(key, history, place)
    row = made.row(0, named=True)
    one = history.values.take(np.array([place]))
    labels = brief.outcome.classes or brief.prediction
    columns = zip(labels, brief.prediction, strict=True)
    probabilities = {label: row[column] for label, column in columns if row[column] is not None}
    features = history.features.take(slice(place, place + 1)).row(0, named=True) if brief.feature else {}
    judged = _Judged()
    if row["model"] is not None and probabilities:
        judged = _judged(history, place, features, row=row, probabilities=probabilities, workshop=workshop)
    truth = history.as_of(history.until + 1).truth()
    known = truth.size > place and truth[place] >= 0
    code = truth[place : place + 1]
    held_reason = _held(history, place, row=row, weighed=judged.weighed)
    return DecisionExplained(
        key={name: row[shown] for name, shown in zip(history.cases.key, decisions.columns, strict=False)},
        decided_at=to_instant(row["decided_at"]),
        decided_by=row["decided_by"],
        model=row["model"],
        probabilities=probabilities,
        expected=judged.expected,
        action=row["action"],
        features=features,
        status_quo=brief.actions[history.status_quo[place]],
        unit=brief.unit,
        values=_values(history, place),
        held_reason=held_reason,
        outcome=_outcome(history, int(code[0])) if known else None,
        money=float(one.money(walker.action[place : place + 1], truth=code)[0]) if known else None,
        changes=judged.changes,
        asked=_asked(brief),
        lines=_thresholds(brief, judged.weighed),
        contest=contest(history, place, row=row, model=judged.model, held_reason=held_reason),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the model makes of a case that it decided; empty where none did."""

    expected: Mapping[str, float] = field(default_factory=dict)
    weighed: Weighed | None = None
    changes: tuple[Change, ...] = ()
    model: Model | None = None


def _judged(
    history: History,
    place: int,
    features: Mapping[str, Any],
    *,
    row: Mapping[str, Any],
    probabilities: Mapping[str, float],
    workshop: Workshop,
) -> _Judged:
    model = workshop.model(row["model"])
    stated = np.array([[*probabilities.values()]])
    due = due_as_recorded(history, np.array([place]))
    money = expected_money(due.values, stated, effects=model.effects)
    expected = dict(zip(history.brief.actions, money[0].tolist(), strict=True))
    compared = weighed(due, stated, expected=money, model=model)
    if not {column.name for column in model.encoder.columns} <= set(features):
        return _Judged(
            expected, compared
        )  # of a former brief, whose features are gone, no change can be told
    changes = _changes(history, place, features, workshop, name=row["model"])
    return _Judged(expected, compared, changes, model)


def explain_model(
    name: str | None, *, brief: Brief, facts: Sequence[Fact], workshop: Workshop, began_at: Instant | None
) -> ModelExplained:
    """Say why a model is in charge, or was.

    Parameters
    ----------
    name
        The beginning of its digest; None for what is in charge now.

    Raises
    ------
    UserError
        ``explain.no-fit`` before the first fit; ``explain.unknown-model``.
    """
    fits = [fact for fact in facts if isinstance(fact, ModelFitted)]
    if not fits:
        raise UserError(
            "explain.no-fit",
            "There is no fit to explain yet",
            happened="the ledger has no fit that gave an answer",
            expected="one",
            fix="see wholeroad status for when the first is due",
        )
    fitted = fits[-1] if name is None else _found(name, fits)
    state, policy = fold(facts), in_force(brief)
    asked = [fact for fact in facts if isinstance(fact, FitAsked) and fact.at <= fitted.asked_at]
    decided = sum(
        fact.count for fact in facts if isinstance(fact, SpanDecided) and fact.model == fitted.model
    )
    at = state.decided_until or fitted.at
    return ModelExplained(
        model=fitted.model,
        policy=policy.name,
        asked_at=fitted.asked_at,
        effective_from=fitted.at,
        unit=brief.unit,
        why=fitted.why,
        asked_because="the first fit" if len(asked) < 2 else f"the policy, {policy.name}",
        costs=fitted.costs,
        choice=workshop.choice(fitted),
        decided=decided if fitted.model else None,
        next_due_at=next_fit_at(state.fits, policy, table=brief.policy.refit, at=at, began_at=began_at),
    )


def case_place(key: Sequence[str], history: History, *, decisions: pl.DataFrame) -> int:
    """Find a case by its key.

    Parameters
    ----------
    decisions
        Begins with the columns of the key; cases that are near are looked for there.

    Returns
    -------
    int
        Its position in the history.

    Raises
    ------
    UserError
        ``explain.key-length``, ``explain.unknown-case``.
    """
    columns = history.cases.key
    if len(key) != len(columns):
        raise UserError(
            "explain.key-length",
            "A case is named by its whole key",
            happened=f"{len(key)} values were given",
            expected=f"{len(columns)}: {', '.join(columns)}",
            fix="give one value for each, in this order",
        )
    wanted = pl.DataFrame({f"{n}": [text] for n, text in enumerate(key)})
    code = wanted.select(key_hash(wanted.columns)).to_series().to_numpy()[0]
    places = np.flatnonzero(history.cases.ids == code)
    if places.size:
        return int(places[0])
    last = decisions.select(
        pl.concat_str(pl.col(decisions.columns[: len(key)]).cast(pl.String), separator=" ")
    )
    near = difflib.get_close_matches(
        " ".join(key), last.to_series().tail(TYPICAL_OF).to_list(), n=3, cutoff=0
    )
    raise UserError(
        "explain.unknown-case",
        "No case has this key",
        happened=f"was {' '.join(key)!r}",
        expected=f"the key of a case that was due by {format_instant(history.until)}",
        fix=f"write it as the table of decisions does: {'; '.join(near)}" if near else "decide it first",
    )


def _not_decided(key: Sequence[str], history: History, place: int) -> UserError:
    at = format_instant(int(history.timeline.decided_at[place]))
    return UserError(
        "explain.not-decided",
        "The case wasn't decided here",
        happened=f"{' '.join(key)} was due at {at}, and the ledger has no decision about it",
        expected="a case that a run has answered",
        fix="run wholeroad cycle; what was due before the first run is history",
    )


def _values(history: History, place: int) -> dict[str, dict[str, float]]:
    """Give the case's own value table; empty where the outcome is a number."""
    brief = history.brief
    one = history.values.take(np.array([place]))
    return {
        action: {
            outcome: float(one.money(np.array([a], dtype=np.int16), truth=np.array([c], dtype=np.int32))[0])
            for c, outcome in enumerate(brief.outcome.classes)
        }
        for a, action in enumerate(brief.actions)
        if brief.outcome.classes
    }


def _held(history: History, place: int, *, row: Mapping[str, Any], weighed: Weighed | None) -> str | None:
    if history.held[place]:
        return "the case became known after its time, and the brief leaves such cases to the status quo"
    if weighed is None:
        return None
    if weighed.left[0]:
        return "the brief leaves such cases of its group to people; until they decide, the status quo stands"
    money = dict(zip(history.brief.actions, weighed.compared[0].tolist(), strict=True))
    reason = None
    if money[row["action"]] < max(money.values()):
        if row.get("propensity") is not None and row["expected_value"] is None:
            reason = "chance left the case alone, so that what acting changes can be learnt"
        elif history.brief.worth.capacity is not None:
            reason = "the capacity of its period went to cases that gain more"
    return reason


def _thresholds(brief: Brief, weighed: Weighed | None) -> tuple[str, ...]:
    """Say by how much a threshold of the case's group moved what actions had to bring."""
    if weighed is None or not np.any(weighed.moved):
        return ()
    moved = zip(brief.actions, weighed.moved[0].tolist(), strict=True)
    said = ", ".join(f"{action} {money:+,.2f} {brief.unit}".rstrip() for action, money in moved if money)
    return (f"Added for its group before actions were compared, as the brief's thresholds ask: {said}",)


def _outcome(history: History, code: int) -> str:
    levels = history.told.levels
    return history.brief.outcome.classes[code] if levels is None else f"{levels[code]:g}"


def _asked(brief: Brief) -> str:
    return brief.outcome.positive or (brief.outcome.classes[0] if brief.outcome.classes else "")


def _changes(
    history: History, place: int, features: Mapping[str, Any], workshop: Workshop, *, name: str
) -> tuple[Change, ...]:
    """Put each feature at its typical value in turn; for outcomes that are classes."""
    brief = history.brief
    if not brief.outcome.classes:
        return ()
    model, column = workshop.model(name), brief.outcome.classes.index(_asked(brief))
    before = history.features.take(slice(max(0, place - TYPICAL_OF), place + 1))
    typical = {series.name: _typical(series) for series in before.iter_columns()}

    def score(rows: Sequence[Mapping[str, Any]]) -> list[float]:
        frame = pl.DataFrame(rows, schema=before.schema)
        return [float(p) for p in model.probabilities(frame)[:, column]]

    known = {feature: value for feature, value in typical.items() if value is not None}
    return one_at_a_time(score, features, typical=known, least=0.0005)


def _typical(series: pl.Series) -> Any:  # noqa: ANN401 - whatever the feature holds
    """Give the median of a number, else the most frequent value; what is as frequent, the first in order."""
    there = series.drop_nulls()
    if not there.len():
        return None
    if there.dtype.is_integer():
        return int(there.median())  # type: ignore[arg-type]
    return there.median() if there.dtype.is_numeric() else there.mode().sort()[0]


def _found(name: str, fits: Sequence[ModelFitted]) -> ModelFitted:
    for fitted in reversed(fits):
        if fitted.model is not None and fitted.model.startswith(name):
            return fitted
    names = list(dict.fromkeys(fitted.model[:8] for fitted in fits if fitted.model))
    raise UserError(
        "explain.unknown-model",
        "No model has this name",
        happened=f"was {name!r}",
        expected=f"the beginning of {', '.join(names) or 'a digest; the status quo won every fit'}",
        fix="name one of them, or none for what is in charge",
    )
