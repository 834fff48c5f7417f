"""Few cases at a time are decided as all of them at once are, to the bit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from wholeroad.adapters.learners import NAMES, QUANTILE_NAMES, make_learners, make_quantile_learners
from wholeroad.adapters.learners.foreign import ForeignLearner
from wholeroad.adapters.learners.lightgbm_rows import FEW, row_by_row
from wholeroad.adapters.learners.scikit import ScikitLearner
from wholeroad.adapters.settings import Settings
from wholeroad.core.errors import RoadError, UserError
from wholeroad.core.instants import DAY
from wholeroad.core.ports import Matrix
from wholeroad.project import open_project
from wholeroad.road.brief.policies import parse_policy
from wholeroad.road.brief.predictions import POINTS
from wholeroad.road.brief.values import TableValues
from wholeroad.road.brief.worth import Capacity
from wholeroad.road.data.history import History
from wholeroad.road.model.calibration import Calibration
from wholeroad.road.model.capacity import decide_within, room_for
from wholeroad.road.model.deciding import FEW as FEW_CASES
from wholeroad.road.model.effects import Effect, Effects
from wholeroad.road.model.encoding import fit_encoder
from wholeroad.road.model.fairness.abstaining import left_below
from wholeroad.road.model.fairness.assessed import Terms
from wholeroad.road.model.fairness.thresholds import GroupThresholds
from wholeroad.road.model.few_cases import RowModel
from wholeroad.road.model.places import Places
from wholeroad.road.model.quantiles import SCORES, Recalibration
from wholeroad.road.model.scoring import Model
from wholeroad.road.release.few import FewCases, Kernel
from wholeroad.road.release.randomising import left_alone
from wholeroad.road.release.rules import Plan
from wholeroad.road.release.work import Asked, decide_under
from wholeroad.testing import newsvendor

quick = settings(max_examples=25, deadline=None)

CAPACITY = 'status_quo = { action = "pass" }\ncapacity = "5 per day"'
LATE_IS_HELD = 'decide_at = "sent_at - 1h"\nif_late = "status_quo"'
OWN_VALUES = "express = { late = 'weight_kg', on_time = -4 }".replace("'", '"')
TODAY = "status_quo = { expression = \"case when weight_kg > 5 then 'express' else 'pass' end\" }"
RARE = "status_quo = { expression = \"case when lower(depot) = 'a' then 'express' else 'pass' end\" }"
SHARE = '[policy]\nno_action = { action = "pass", share = 0.2 }\n[policy.refit]'
FAIR = """
[fairness]
[fairness.groups]
depot = { column = "depot" }
heavy = { expression = "weight_kg > 6" }
both = { all_of = ["depot", "heavy"] }
[[fairness.remedies]]
kind = "abstain"
group = "both"
values = ["A & true", "C & false"]
below = 1.5
"""
LOG = """
[incumbent]
score = "weight_kg / 30"
"""
CHANGES: dict[str, list[tuple[str, str]]] = {
    "plain": [("[success]", "[success]")],
    "capacity": [('status_quo = { action = "pass" }', CAPACITY), ("[policy.refit]", SHARE)],
    "held": [
        ('decide_at = "sent_at - 1h"', LATE_IS_HELD),
        ("on_time = -4 }", 'on_time = "0 - coalesce(weight_kg, 1) * 1.5" }'),
    ],
    "own values": [("express = { late = 8, on_time = -4 }", OWN_VALUES)],
    "status quo": [('status_quo = { action = "pass" }', TODAY)],
    "rare": [('status_quo = { action = "pass" }', RARE)],
    "range": [("late = 8,", "late = [5, 11],"), ("[cycle]", FAIR + "[cycle]")],
    "effects": [('depends_on_action = "no"', 'depends_on_action = "yes"'), ("[policy.refit]", SHARE)],
    "log": [("[cycle]", LOG + "[cycle]")],
    "three": [
        ('kind = "binary"', 'kind = "multiclass"'),
        ('positive = "late"\n', ""),
        ('["late", "on_time"]', '["late", "on_time", "early"]'),
        ("then 'late'", "then 'late' when delay_h < 6 then 'early'"),
        ("on_time = -4 }", "on_time = -4, early = -5 }"),
        ("on_time = 0 }", "on_time = 0, early = 0 }\nvan = { late = 3, on_time = -1, early = -1 }"),
        ("[success]", ""),
        ("gain_over_status_quo = { per_case = 0.1 }", ""),
    ],
    "amounts": [],
}
"""By name: what the small world's brief says instead."""


@dataclass(frozen=True)
class World:
    """A history, the rows of its cases in memory, and models of its features."""

    history: History
    schema: pl.Schema
    rows: list[dict[str, Any]]
    features: list[tuple[Any, ...]]
    groups: list[tuple[Any, ...]] | None
    models: dict[str, Model]

    @property
    def count(self) -> int:
        return len(self.rows)

    def kernel(self, policy: str) -> Kernel:
        return Kernel(
            self.history.brief,
            self.history.bound,
            features=self.history.features.schema,
            policy=parse_policy(policy),
            case_schema=self.schema,
            groups=None if self.history.groups is None else self.history.groups.schema,
        )

    def few(self, cases: np.ndarray) -> FewCases:
        places = cases.tolist()
        return FewCases(
            ids=self.history.cases.ids[cases].tolist(),
            decided_at=int(self.history.timeline.decided_at[places[0]]),
            rows=[self.rows[place] for place in places],
            features=[self.features[place] for place in places],
            held=self.history.held[cases].tolist(),
            groups=None if self.groups is None else [self.groups[place] for place in places],
        )


def brief_of(name: str) -> str:
    text = worlds.BRIEF.replace("[feature]", '[feature]\nlarge = { expression = "weight_kg > 4" }')
    for old, new in CHANGES[name]:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@cache
def world(name: str) -> World:
    folder = Path(mkdtemp(prefix="few-"))
    if name == "amounts":
        made = newsvendor.make(days=60, shops=3, products=2)
        frames = {"deliveries": made.deliveries, "demands": made.demands}
        brief = newsvendor.BRIEF.replace("most = 150", "most = 30")
    else:
        cases, outcomes = worlds.parcels(days=15, per_day=16)
        # Several are sent at one instant, and some values aren't known.
        cases = cases.with_columns(
            pl.col("sent_at").dt.truncate("6h"),
            weight_kg=pl.when(pl.col("parcel_id") % 9 > 0).then("weight_kg"),
        )
        if name in ("own values", "status quo", "log"):
            cases = cases.with_columns(pl.col("weight_kg").fill_null(2.5))
        frames, brief = {"parcels": cases, "deliveries": outcomes}, brief_of(name)
    for source, frame in frames.items():
        frame.write_parquet(folder / f"{source}.parquet")
    (folder / "brief.toml").write_text(brief, encoding="utf-8")
    project = open_project(folder)
    project.land()
    history = project.history()
    return World(
        history,
        *_in_memory(history, next(iter(frames.values()))),
        features=history.features.frame.with_columns(pl.all().to_physical()).rows(),
        groups=None if history.groups is None else history.groups.frame.rows(),
        models=_models(history, name),
    )


def _in_memory(history: History, source: pl.DataFrame) -> tuple[pl.Schema, list[dict[str, Any]]]:
    (key,) = history.cases.key
    own = history.cases.frame.select(key).join(
        source.cast({key: history.cases.frame.schema[key]}), on=key, how="left"
    )
    assert own[key].equals(history.cases.frame[key])
    return own.schema, own.with_columns(pl.all().to_physical()).rows(named=True)


def _models(history: History, name: str) -> dict[str, Model]:
    """Fit each learner to truths and, where nothing is known, to made-up ones; then calibrate."""
    brief, frame = history.brief, history.features.frame
    encoder, dice = fit_encoder(frame), np.random.default_rng(3)
    matrix = encoder.encode(frame)
    told = history.timeline
    models = {}
    if name == "amounts":
        assert history.told.levels is not None
        outcome = dice.choice(history.told.levels, frame.height)
        moved = Recalibration(tuple(score * 1.1 + 0.05 for score in SCORES))
        for learner in make_quantile_learners(QUANTILE_NAMES, threads=1).values():
            scorer, _ = learner.fit_quantiles(matrix, outcome, points=POINTS, rounds=9)
            models[learner.name] = Model(encoder, learner.name, scorer, moved, (), brief.actions)
        return models
    classes = len(brief.outcome.classes)
    truth = dice.integers(0, classes, frame.height).astype(np.int8)
    known = told.truth_code >= 0
    truth[told.truth_case[known]] = told.truth_code[known]
    calibration = Calibration(0.8, tuple(0.1 * code for code in range(classes)))
    more: dict[str, Any] = {}
    if name == "effects":
        more["effects"] = Effects((Effect(0, (0.2, 0.4), 0, ((0.5, 1.0), (0.7, 1.0), (1.2, 1.0)), 90),))
    for learner in make_learners(NAMES, threads=1).values():
        scorer, _ = learner.fit(matrix, truth, classes=classes, rounds=30)
        models[learner.name] = Model(
            encoder, learner.name, scorer, calibration, brief.outcome.classes, brief.actions, **more
        )
    if name == "range":
        offsets = {"A & true": (0.7, -1.0, 0.4), "other values": (-0.3, 0.2, 0.0)}
        more = {"thresholds": GroupThresholds("both", ("depot", "heavy"), offsets), "terms": Terms.of(brief)}
        models["lightgbm"] = replace(models["lightgbm"], **more)
    return models


@dataclass(frozen=True)
class Whole:
    """What is decided about every case of a history at once, as :mod:`wholeroad.engine.walking` does it."""

    action: np.ndarray
    probabilities: np.ndarray
    expected: np.ndarray
    propensity: np.ndarray | None
    left: np.ndarray | None


def at_once(made: World, plan: Plan, policy: str) -> Whole:
    history = made.history
    cases = np.arange(made.count)
    groups = history.groups_in_decisions(cases)
    nothing = np.full(made.count, -1, dtype=history.status_quo.dtype)
    asked = Asked(
        ids=history.cases.ids[cases],
        values=history.values.take(cases),
        status_quo=history.status_quo[cases],
        held=history.held[cases],
        logged=None if history.logged is None else history.logged.take(cases),
        room=room_for(
            history.brief.worth.capacity,
            cases=cases,
            decided_at=history.timeline.decided_at,
            action=nothing,
            status_quo=history.status_quo,
        ),
        left_alone=left_alone(history.brief, parse_policy(policy)),
        groups=groups,
        left_below=left_below(history.brief.fairness, groups),
    )
    decided = decide_under(
        plan,
        asked,
        actions=history.brief.actions,
        width=len(history.brief.prediction),
        seed=history.brief.model.seed,
        score=lambda name: made.models[name].probabilities(history.features.frame),
        rule=lambda name: made.models[name].rule,
    )
    return Whole(
        decided.action, decided.probabilities, decided.expected, decided.propensity, left=decided.left
    )


def same_bits(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.dtype == other.dtype and np.ascontiguousarray(one).tobytes() == other.tobytes()


def plans(name: str) -> st.SearchStrategy[tuple[Plan, str]]:
    """Draw who decides, and under which policy."""
    made = world(name)
    modelled = [(Plan("model", each), "every 10d") for each in made.models]
    first = made.history.brief.actions[0]
    dummies = [(Plan(each), each) for each in ("status quo", "random 30%", f"always {first}")]
    waits = [(Plan(), "every 10d")]
    logged = [(Plan("incumbent"), "incumbent")] if made.history.logged is not None else []
    return st.sampled_from([*modelled * 2, *dummies, *waits, *logged])


@pytest.mark.parametrize("name", CHANGES)
@quick
@given(data=st.data())
def test_few_cases_are_decided_as_all_of_them_are(name, data):
    made = world(name)
    plan, policy = data.draw(plans(name))
    whole, kernel = at_once(made, plan, policy), made.kernel(policy)
    capacity = made.history.brief.worth.capacity
    if capacity is None:  # then each case stands on its own, in any company
        dice = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
        some = [dice.choice(made.count, size, replace=False) for size in (1, 2, 3, 7, 19)]
    else:
        at = made.history.timeline.decided_at
        some = np.split(np.arange(made.count), np.flatnonzero(np.diff(at)) + 1)
    places = Places(capacity)
    for cases in some:
        few = made.few(cases)
        logged = None if made.history.logged is None else made.history.logged.take(cases)
        model = made.models.get(plan.model or "")
        decided = kernel.decide(plan, few, model=model, used=places.used(few.decided_at), logged=logged)
        plain = None if any(few.held) else kernel.plainly(plan, few.features, model=model)
        if plain is not None:
            assert [each.action for each in plain] == decided.action.tolist()
            assert same_bits(np.array([each.prediction for each in plain]), decided.probabilities)
            assert same_bits(np.array([each.expected for each in plain]), decided.expected)
            assert same_bits(np.array([each.money for each in plain]), decided.money)
        assert name != "plain" or plan.model is None or plain is not None
        status_quo = kernel.status_quo(few.rows)
        assert same_bits(status_quo, made.history.status_quo[cases])
        places.note(
            few.decided_at,
            action=decided.action,
            status_quo=status_quo,
            propensity=decided.propensity,
        )
        assert same_bits(decided.action, whole.action[cases])
        assert same_bits(decided.probabilities, whole.probabilities[cases])
        assert same_bits(decided.expected, whole.expected[cases])
        assert same_bits(decided.propensity, None if whole.propensity is None else whole.propensity[cases])
        assert same_bits(decided.left, None if whole.left is None else whole.left[cases])


@pytest.mark.parametrize("name", ["own values", "effects", "range", "three", "amounts"])
def test_the_money_of_every_action_is_told_with_that_of_the_chosen_one(name):
    made = world(name)
    model = made.models["lightgbm"]
    cases = np.arange(made.count)
    decided = made.kernel("every 10d").decide(Plan("model", "m"), made.few(cases), model=model)
    assert decided.money is not None
    assert decided.money.shape == (made.count, len(made.history.brief.actions))
    told = ~np.isnan(decided.expected)
    assert told.sum() > made.count / 3
    assert same_bits(decided.money[cases, decided.action][told], decided.expected[told])
    best = made.history.values.expected(decided.probabilities)
    for effect in model.effects.each if model.effects else ():
        under = made.history.values.expected(effect.apply(decided.probabilities))
        best[:, effect.action] = under[:, effect.action]
    assert same_bits(np.asfortranarray(decided.money), np.asarray(best))


def test_where_nobody_says_anything_no_money_is_told():
    made = world("plain")
    few = made.few(np.arange(3))
    for decider in ("status quo", "random 30%"):
        assert made.kernel(decider).decide(Plan(decider), few, model=None).money is None


def test_a_plan_with_a_model_wants_it():
    made = world("plain")
    with pytest.raises(ValueError, match="expected that of the plan"):
        made.kernel("every 10d").decide(Plan("model", "m"), made.few(np.arange(1)), model=None)


def test_no_cases_are_no_decisions():
    made = world("range")
    nothing = FewCases([], 0, [], [], [], [])
    decided = made.kernel("every 10d").decide(Plan("model", "m"), nothing, model=made.models["lightgbm"])
    assert decided.action.size == 0
    assert decided.probabilities.shape == (0, 2)


@pytest.mark.parametrize(
    ("name", "code"), [("own values", "value.null"), ("rare", "value.status-quo"), ("amounts", "value.null")]
)
def test_what_many_cases_are_refused_for_few_are_too(name, code):
    made = world(name)
    few = made.few(np.arange(2))
    column = {"own values": "weight_kg", "rare": "depot", "amounts": "price"}[name]
    few.rows[1] = {**few.rows[1], column: None}
    kernel = made.kernel("every 10d")
    with pytest.raises(UserError) as refused:
        kernel.decide(Plan(), few, model=None)
    assert refused.value.code == code


@pytest.mark.parametrize("worth", [float("inf"), float("nan"), None])
def test_a_value_that_is_no_number_is_refused(worth):
    made = world("own values")
    few = made.few(np.arange(3))
    few.rows[2] = {**few.rows[2], "weight_kg": worth}
    with pytest.raises(UserError) as refused:
        made.kernel("every 10d").decide(Plan(), few, model=None)
    assert refused.value.code == "value.null"


# what is chosen

MONEY = st.sampled_from([-3.0, -0.0, 0.0, 1.5, 2.0, float("nan"), float("inf"), -float("inf")])


@settings(max_examples=150, deadline=None)
@given(
    table=st.integers(1, 4).flatmap(
        lambda actions: st.lists(
            st.tuples(
                st.lists(MONEY, min_size=actions, max_size=actions),
                st.integers(0, actions - 1),
                st.booleans(),
            ),
            min_size=1,
            max_size=2 * FEW_CASES + 2,
        )
    )
)
def test_few_and_many_are_decided_by_the_plain_reading(table):
    expected = np.array([worth for worth, _, _ in table])
    status_quo = np.array([own for _, own, _ in table], dtype=np.int8)
    held = np.array([each for _, _, each in table])
    wanted = []
    for worth, own, is_held in table:
        better = [a for a, its in enumerate(worth) if its > worth[own]]
        most = max((worth[a] for a in better), default=None)
        chosen = own if most is None else next(a for a in better if worth[a] == most)
        wanted.append(own if is_held else chosen)
    action, best = decide_within(
        expected,
        status_quo=status_quo,
        held=held,
        ids=np.arange(len(table), dtype=np.uint64),
        room=None,
    )
    assert action.dtype == status_quo.dtype
    assert action.tolist() == wanted
    assert same_bits(best, expected[np.arange(len(table)), wanted])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_a_table_for_everybody_is_one_for_each(actions, classes, count, seed):
    dice = np.random.default_rng(seed)
    table, p = dice.normal(0, 50, (actions, classes)), dice.random((count, classes))
    each = TableValues.per_case(np.repeat(table[None], count, axis=0))
    assert np.array_equal(TableValues(table, {}, count).expected(p), each.expected(p))


# encoding and scoring rows

VALUES = {
    "number": st.none() | st.floats(width=64) | st.sampled_from([0.0, -0.0, 1e-36, float("inf")]),
    "small": st.none() | st.floats(width=32),
    "count": st.none() | st.integers(-(2**63), 2**63 - 1),
    "flag": st.none() | st.booleans(),
    "place": st.none() | st.sampled_from(["p0", "p1", "p2", "3", "4", "new", ""]),
    "day": st.none() | st.integers(-100, 40_000),
}
SCHEMA = pl.Schema(
    {
        "day": pl.Date,
        "number": pl.Float64,
        "place": pl.String,
        "small": pl.Float32,
        "count": pl.Int64,
        "flag": pl.Boolean,
    }
)
ROWS = st.lists(st.tuples(*(VALUES[name] for name in SCHEMA)), min_size=1, max_size=12)


def frame_of(rows: list[tuple[Any, ...]], schema: pl.Schema = SCHEMA) -> pl.DataFrame:
    physical = {name: pl.Int32() if kind == pl.Date else kind for name, kind in schema.items()}
    return pl.DataFrame(rows, schema=physical, orient="row").cast(dict(schema))


def estimator() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())


@cache
def scored(classes: int) -> list[Model]:
    """Give a model of every learner, one from outside among them."""
    dice = np.random.default_rng(7)
    count = 600
    frame = pl.DataFrame(
        {
            "day": pl.Series(dice.integers(0, 9999, count), dtype=pl.Int32).cast(pl.Date),
            "number": [None if i % 11 == 0 else x for i, x in enumerate(dice.normal(size=count).tolist())],
            "place": [
                str(code) if code > 2 else f"p{code}" if code else None
                for code in dice.integers(0, 5, count).tolist()
            ],
            "small": pl.Series(dice.normal(size=count), dtype=pl.Float32),
            "count": dice.integers(-5, 90, count),
            "flag": dice.random(count) < 0.3,
        }
    )
    told = 2 * frame["number"].fill_null(0).to_numpy() + frame["flag"].to_numpy()
    score = told + 3 * (frame["place"] == "3").fill_null(value=False).to_numpy() + dice.normal(size=count)
    truth = np.searchsorted(np.quantile(score, np.arange(1, classes) / classes), score).astype(np.int8)
    encoder = fit_encoder(frame)
    assert [name for name, _ in encoder.left_out] == ["day"]
    wrapped = ScikitLearner(
        "theirs", estimator(), settings=Settings(Path("settings.toml"), {}, ("numpy.dtype",))
    )
    learners = make_learners(NAMES, threads=1)
    every = [*learners.values(), ForeignLearner("theirs", wrapped, origin="a test", factory=estimator)]
    calibration = Calibration(0.7, tuple(0.1 * code for code in range(classes)))
    names = tuple(f"class {code}" for code in range(classes))
    matrix = encoder.encode(frame)
    return [
        Model(
            encoder,
            learner.name,
            learner.fit(matrix, truth, classes=classes, rounds=25)[0],
            calibration,
            names,
            names,
        )
        for learner in every
    ]


@pytest.mark.parametrize("classes", [2, 3])
@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_a_model_says_of_rows_what_it_says_of_a_frame(classes, rows):
    frame = frame_of(rows)
    for model in scored(classes):
        told = RowModel(model, SCHEMA).prediction(rows)
        assert same_bits(told, model.probabilities(frame)), model.learner


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_rows_are_encoded_as_a_frame_is(rows):
    model = scored(2)[0]
    mine = RowModel(model, SCHEMA).encoded(rows)
    whole = model.encoder.encode(frame_of(rows))
    assert np.array_equal(mine.values, whole.values, equal_nan=True)
    assert np.array_equal(
        np.signbit(mine.values) & ~np.isnan(mine.values), np.signbit(whole.values) & ~np.isnan(whole.values)
    )
    assert (mine.names, mine.categories) == (whole.names, whole.categories)
    assert mine.values.flags.f_contiguous


def test_a_column_of_another_type_goes_the_way_of_a_frame():
    model = scored(2)[3]
    rows: list[tuple[Any, ...]] = [(0, 0.5, "p1", 0.25, 3, True), (None, None, None, None, None, None)]
    text = [(0, 0.5, 3, 0.25, 3, True), (0, 0.5, 1, 0.25, 3, True)]
    numbered = pl.Schema({**SCHEMA, "place": pl.Int64()})
    told = RowModel(model, numbered).prediction(text)
    assert same_bits(told, model.probabilities(frame_of(text, numbered)))
    for changed in ({"place": pl.Categorical()}, {"number": pl.Int64(), "flag": pl.Int8()}):
        schema = pl.Schema({**SCHEMA, **changed})
        given_rows = [
            tuple(
                int(v) if schema[n].is_integer() and v is not None else v
                for n, v in zip(schema, row, strict=True)
            )
            for row in rows
        ]
        told = RowModel(model, schema).prediction(given_rows)
        physical = {n: pl.String() if k == pl.Categorical else k for n, k in schema.items()}
        frame = frame_of(given_rows, pl.Schema(physical)).cast(
            {n: k for n, k in schema.items() if k != pl.Date}
        )
        assert same_bits(told, model.probabilities(frame))


def test_a_feature_that_is_gone_is_said():
    with pytest.raises(RoadError) as refused:
        RowModel(scored(2)[0], pl.Schema({"number": pl.Float64})).prediction([(1.0,)])
    assert refused.value.code == "model.column-missing"


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("learner", [2, 3])
def test_few_rows_more_rows_and_many_get_the_same_scores(learner, classes):
    model = scored(classes)[learner]
    dice = np.random.default_rng(11)
    values = dice.normal(size=(2_500, len(model.encoder.columns))) * 5
    values[dice.random(values.shape) < 0.1] = np.nan
    categories = RowModel(model, SCHEMA)._categories
    for column, count in enumerate(categories):
        if count:
            values[:, column] = dice.integers(0, count + 1, len(values))
    names = tuple(column.name for column in model.encoder.columns)

    def of(rows: slice) -> np.ndarray:
        return model.scorer.probabilities(Matrix(np.asfortranarray(values[rows]), names, categories))

    whole = of(slice(None))
    for size in (1, 2, FEW, FEW + 1, 256, 257):
        assert same_bits(of(slice(40, 40 + size)), whole[40 : 40 + size])


def test_rows_of_another_width_are_left_to_the_library():
    trees = scored(2)[3].scorer._trees
    rows = row_by_row(trees._text)
    assert rows.scores(np.zeros((2, 3))) is None
    assert row_by_row("no model") is None
    theirs = trees._booster.predict(np.ones((3, 5)), raw_score=True)
    assert rows.scores(np.ones((3, 5)))[0].tobytes() == theirs.tobytes()
    trees._rows = None
    assert trees.scores(np.ones((3, 5)))[0].tobytes() == theirs.tobytes()


# places


@settings(max_examples=80, deadline=None)
@given(
    at=st.lists(st.integers(0, 60), min_size=1, max_size=40),
    every=st.integers(1, 25),
    seed=st.integers(0, 2**32 - 1),
    randomised=st.booleans(),
)
def test_places_are_those_of_the_whole_history(at, every, seed, randomised):
    dice = np.random.default_rng(seed)
    capacity, decided_at = Capacity(2, every), np.sort(np.array(at, dtype=np.int64))
    count = decided_at.size
    action, quo = dice.integers(-1, 3, count).astype(np.int8), dice.integers(0, 2, count).astype(np.int8)
    propensity = dice.choice([1.0, 0.8, 0.2], count) if randomised else None
    known = int(dice.integers(0, count + 1))
    action[known:] = -1
    bulk, single = Places(capacity), Places(capacity)
    some = slice(0, known)
    chances = None if propensity is None else propensity[some]
    bulk.note(decided_at[some], action=action[some], status_quo=quo[some], propensity=chances)
    for place in dice.permutation(known).tolist():
        one = slice(place, place + 1)
        chance = None if propensity is None else propensity[one]
        single.note(int(decided_at[place]), action=action[one], status_quo=quo[one], propensity=chance)
    room = room_for(
        capacity,
        cases=np.arange(count),
        decided_at=decided_at,
        action=action,
        status_quo=quo,
        propensity=propensity,
    )
    for places in (bulk, single):
        assert [places.used(one) for one in decided_at.tolist()] == room.used.tolist()
        places.let_go(int(decided_at[count // 2]))
        later = slice(count // 2, None)
        assert [places.used(one) for one in decided_at[later].tolist()] == room.used[later].tolist()


def test_a_period_that_was_let_go_is_asked_in_vain():
    places = Places(Capacity(1, DAY))
    acts, quo = np.zeros(1, dtype=np.int8), np.ones(1, dtype=np.int8)
    places.note(5 * DAY, action=acts, status_quo=quo)
    places.let_go(6 * DAY - 1)
    assert places.used(5 * DAY) == 1
    places.let_go(6 * DAY)
    assert places.used(6 * DAY) == 0
    with pytest.raises(ValueError, match="let go"):
        places.used(6 * DAY - 1)
    with pytest.raises(ValueError, match="let go"):
        places.note(np.array([5 * DAY]), action=acts, status_quo=quo)


def test_without_a_capacity_nothing_is_counted():
    places = Places(None)
    places.note(0, action=np.zeros(1, dtype=np.int8), status_quo=np.ones(1, dtype=np.int8))
    places.let_go(DAY)
    assert places.used(0) == 0
