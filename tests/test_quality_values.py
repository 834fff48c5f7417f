"""Laws of the profile's questions about values: what is planted is named, what is clean is not."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from wholeroad.core.expressions import bind
from wholeroad.core.expressions.columns import columns_in
from wholeroad.lessons import lesson_for
from wholeroad.road.brief.mends import MendStep, MendTable
from wholeroad.road.data.mending.applying import Mender
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import OF_VALUES
from wholeroad.road.data.quality.values_causes import one_cause
from wholeroad.road.data.quality.values_chance import alike, tail
from wholeroad.road.data.quality.values_folding import distance_of, fold
from wholeroad.road.data.quality.values_mojibake import mended
from wholeroad.road.data.quality.values_outliers import find_outliers, medcouple
from wholeroad.road.data.quality.values_telling import column, inline, literal
from wholeroad.road.data.quality.work import QUESTIONS_OF_VALUES, examine
from wholeroad.testing.troubles import TEMPLATES, clean_world, in_memory, plant

UNMENDED = {"quality.clipped", "quality.constant-column", "quality.redundant-column"}
"""Kinds that no step can mend."""


def asked(brief, sources, history):
    found = []
    for name, versions in sources.items():
        seen = Seen(brief, name, brief.source[name], versions, history)
        found += one_cause([each for question in QUESTIONS_OF_VALUES for each in question(seen)], seen)
    return found


@cache
def planted(kind, size="large", seed=1):
    world, told = plant(
        clean_world(sorted(TEMPLATES)[seed % 4], seed=seed, rows=2500), kind, size=size, seed=seed
    )
    landed = in_memory(world)
    found = asked(*landed)
    named = [each for each in found if told.is_named_by(each.code, source=each.source, columns=each.columns)]
    return landed, told, found, named


# what is named


@pytest.mark.parametrize("template", TEMPLATES)
def test_in_a_clean_world_nothing_is_found(template):
    assert [
        (each.code, each.columns) for each in asked(*in_memory(clean_world(template, seed=3, rows=2500)))
    ] == []


@pytest.mark.parametrize("kind", OF_VALUES)
def test_a_large_trouble_is_named_once_and_nothing_else_is(kind):
    _, _, found, named = planted(kind)
    assert len(named) == len([each for each in found if each.code == kind]) == len(found) == 1


@pytest.mark.parametrize("kind", OF_VALUES)
def test_what_is_said_has_figures_a_reason_rows_and_a_lesson(kind):
    (brief, sources, history), _, _, (said,) = planted(kind)
    seen = Seen(brief, said.source, brief.source[said.source], sources[said.source], history)
    assert any(sign.isdigit() for sign in said.what) or "all rows" in said.what
    assert said.why
    assert said.leave
    assert 0 < said.rows <= said.of == seen.rows.height
    assert 1 <= len(said.examples) <= 5
    assert all(set(brief.source[said.source].key) <= set(row) for row in said.examples)
    assert (said.cases is None) == (not seen.key_of_case)
    assert said.strength > 0
    assert kind in lesson_for(kind).answers


@pytest.mark.parametrize("kind", OF_VALUES)
def test_where_is_a_condition_that_finds_just_these_rows(kind):
    (brief, sources, history), _, _, (said,) = planted(kind)
    if not columns(said):
        assert said.where.startswith(("rows ", "all rows"))
        return
    seen = Seen(brief, said.source, brief.source[said.source], sources[said.source], history)
    bound = bind(said.where, seen.rows.schema, where="a test", expects="boolean", timezone="UTC")
    assert seen.rows.select(bound.polars).to_series().sum() == said.rows


def columns(said):
    return columns_in(said.where) if not said.where.startswith(("rows ", "all rows")) else {}


@pytest.mark.parametrize("kind", OF_VALUES)
def test_the_mend_can_be_written_as_it_stands_and_removes_the_trouble(kind):
    (brief, sources, history), told, _, (said,) = planted(kind)
    if kind in UNMENDED:
        assert not said.mend.startswith("{")
        return
    if not said.mend and kind == "quality.near-duplicates":
        return  # the columns that agree don't tell these rows from others
    step = tomllib.loads(f"step = {said.mend}")["step"]
    MendStep.model_validate(step)
    versions = sources[said.source]
    own = [name for name in versions.frame.columns if not name.startswith("_")]
    seen = Seen(brief, said.source, brief.source[said.source], versions, history)
    frame = seen.rows.select(own) if versions.static else versions.frame.select(own)
    timezone = brief.source[said.source].timezone
    result = Mender(MendTable.model_validate({"steps": [step]}), where="a test", timezone=timezone).mend(
        frame
    )
    kept = result.verdict.fine()
    rest = [name for name in versions.frame.columns if name not in own]
    frame = pl.concat([result.frame, versions.frame.select(rest)], how="horizontal") if rest else result.frame
    after = replace(versions, frame=frame.filter(kept))
    again = asked(brief, {said.source: after}, history)
    assert not [
        each for each in again if told.is_named_by(each.code, source=each.source, columns=each.columns)
    ]


def test_the_profile_asks_everything_and_puts_the_gravest_first():
    (brief, sources, history), told, _, _ = planted("quality.sentinel-number")
    found = examine(history, brief, sources=sources)
    assert any(told.is_named_by(each.code, source=each.source, columns=each.columns) for each in found)
    assert examine(None, brief, sources=sources)


# one name for one cause


def looked_at(columns):
    """See a table as the static source of a brief."""
    brief, sources, _ = in_memory(clean_world("parcels", seed=0, rows=300))
    frame = pl.DataFrame({"customer_id": np.arange(len(next(iter(columns.values())))), **columns})
    versions = replace(sources["customers"], frame=frame)
    return Seen(brief, "customers", brief.source["customers"], versions)


def codes(columns):
    seen = looked_at(columns)
    found = one_cause([each for question in QUESTIONS_OF_VALUES for each in question(seen)], seen)
    return sorted((each.code.removeprefix("quality."), *each.columns) for each in found)


def numbers(count=2000, seed=5):
    return np.random.default_rng(seed).lognormal(3, 0.4, count).round(2)


@pytest.mark.parametrize("code", [-999.0, -1.0, 99_999.0, 0.0])
def test_a_code_for_nothing_is_that_and_no_outlier_nor_impossible_nor_a_default(code):
    weight = numbers()
    weight[::50] = code
    assert codes({"weight_kg": weight}) == [("sentinel-number", "weight_kg")]


def test_zeros_of_an_amount_that_is_mostly_zero_are_no_codes():
    amount = numbers()
    amount[::2] = 0.0
    assert codes({"refund_eur": amount}) == []


def test_returns_may_be_negative_where_a_category_says_so():
    amount, kind = numbers(), np.array(["sale"] * 2000)
    kind[::7] = "repair"
    amount[::40] *= -1
    assert codes({"amount_eur": amount, "kind": kind}) == [("impossible-value", "amount_eur")]
    kind[::40] = "refund"
    assert codes({"amount_eur": amount, "kind": kind}) == []


def test_latitudes_that_changed_places_are_named_so_and_not_as_impossible():
    dice = np.random.default_rng(1)
    lat, lon = dice.normal(48, 1, 900).round(4), dice.normal(110, 1, 900).round(4)
    lat[:20], lon[:20] = lon[:20].copy(), lat[:20].copy()
    assert codes({"lat": lat, "lon": lon}) == [("swapped-columns", "lat", "lon")]


@pytest.mark.parametrize(
    ("one", "other"), [("A1", "A2"), ("Iran", "Iraq"), ("Martin", "Martina"), ("north", "south")]
)
def test_different_things_are_no_spellings_of_each_other(one, other):
    assert codes({"name": [one] * 300 + [other] * 40 + ["Something else"] * 100}) == []


@pytest.mark.parametrize("way", ["VIENNA", " Vienna", "Vienna ", "Viénna", "Vienna.", "Vinna", "Veinna"])
def test_another_way_to_write_a_level_is_one(way):
    found = codes({"city": ["Vienna"] * 600 + ["Graz"] * 300 + [way] * 20})
    assert found == [("spelling-variants", "city")]


def test_codes_of_digits_are_texts_by_right():
    post = [f"{code:05d}" for code in np.random.default_rng(2).integers(1000, 99_999, 500)]
    assert codes({"part": [*post[:-5], *["A-17"] * 5]}) == []


def test_a_segment_in_grams_is_named_and_a_heavier_segment_is_not():
    weight, depot = numbers(), np.array(["A", "B", "C", "D"] * 500)
    heavier = np.where(depot == "B", weight * 4, weight)
    assert codes({"weight_kg": heavier.round(2), "depot": depot}) == []
    grams = np.where(depot == "B", weight * 1000, weight)
    assert ("unit-change", "weight_kg") in codes({"weight_kg": grams.round(2), "depot": depot})


def test_a_heavy_tail_has_no_outliers():
    tail_of_power = (1 - np.random.default_rng(3).random(5000)) ** (-1 / 1.3)
    assert codes({"amount_eur": tail_of_power.round(2)}) == []
    tail_of_power[:3] = 1e6
    assert codes({"amount_eur": tail_of_power.round(2)}) == [("outliers", "amount_eur")]


def test_heavy_tails_of_many_columns_have_no_outliers():
    dice = np.random.default_rng(6)
    tails = {f"x{place}": (1 - dice.random(600)) ** (-1 / 1.2) for place in range(60)}
    assert [each.columns for each in find_outliers(looked_at(tails))] == []


def test_equal_rows_of_coarse_columns_are_no_copies():
    dice = np.random.default_rng(4)
    rows = {
        "size": dice.choice(["s", "m", "l"], 800),
        "price": dice.choice([5.0, 9.0, 12.5, 20.0, 30.0], 800),
    }
    assert codes(rows) == []


def test_a_source_without_rows_is_asked_nothing():
    seen = looked_at({"weight_kg": np.zeros(0), "city": pl.Series([], dtype=pl.String)})
    assert [each for question in QUESTIONS_OF_VALUES for each in question(seen)] == []


# the parts


@given(st.text(max_size=20))
@settings(deadline=None)
def test_law_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(st.text("abcx", max_size=7), st.text("abcx", max_size=7))
@settings(deadline=None)
def test_law_the_distance_of_texts_is_one_of_both_ways_and_zero_for_equals_only(one, other):
    far = distance_of(one, other, most=9)
    assert far == distance_of(other, one, most=9) <= max(len(one), len(other))
    assert (far == 0) == (one == other)
    assert distance_of(one, other, most=1) == min(far, 2)


@given(st.integers(1, 190), st.floats(0.01, 150))
@settings(deadline=None)
def test_law_the_tail_is_that_of_poisson(count, expected):
    assert tail(count, expected) == pytest.approx(poisson.sf(count - 1, expected), abs=1e-9)


@given(st.integers(201, 2000), st.floats(0.5, 2000))
@settings(deadline=None)
def test_law_the_tail_of_many_is_a_bound_from_above(count, expected):
    assert tail(count, expected) >= poisson.sf(count - 1, expected) * (1 - 1e-9)


@given(st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=40, unique=True))
@settings(deadline=None)
def test_law_the_medcouple_changes_its_sign_with_the_values(values):
    ordered = np.sort(np.array(values))
    assert medcouple(ordered) == pytest.approx(-medcouple(-ordered[::-1]), abs=1e-9)
    assert -1 <= medcouple(ordered) <= 1


@given(st.text(min_size=1, max_size=20).filter(lambda text: "\x00" not in text))
@settings(deadline=None)
def test_law_any_text_read_as_latin_1_is_read_back(text):
    broken = text.encode().decode("latin-1")
    assert mended(broken) == (None if broken == text else text)


PLAIN = st.one_of(
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12),
)


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=9), st.lists(PLAIN, max_size=4)
    )
)
@settings(deadline=None)
def test_law_a_step_written_as_toml_is_read_as_it_was(step):
    assert tomllib.loads(f"step = {inline(step)}")["step"] == step


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12), st.floats(-1e9, 1e9)
)
@settings(deadline=None)
def test_law_texts_and_numbers_of_conditions_mean_themselves(text, number):
    frame = pl.DataFrame({"a b": [text], "case": [number]})
    for name, value in (("a b", text), ("case", number)):
        condition = bind(
            f"{column(name)} = {literal(value)}", frame.schema, where="a test", expects="boolean"
        )
        assert frame.select(condition.polars).to_series().to_list() == [True]


def test_samples_of_one_distribution_are_alike_and_shifted_ones_are_not():
    dice = np.random.default_rng(0)
    assert alike(dice.normal(0, 1, 400), dice.normal(0, 1, 500))
    assert not alike(dice.normal(0, 1, 400), dice.normal(1, 1, 500))
