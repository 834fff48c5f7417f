"""The brief: read whole or refused with every fault at once."""

import copy
import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholeroad.core.errors import FaultsError
from wholeroad.core.instants import format_span, parse_span
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.policies import parse_policy
from wholeroad.road.brief.work import make_brief, read_brief
from worlds import BRIEF

RAW = tomllib.loads(BRIEF)


def faults_of(change) -> set[str]:
    raw = copy.deepcopy(RAW)
    change(raw)
    with pytest.raises(FaultsError) as caught:
        make_brief(raw)
    return {fault.code for fault in caught.value.faults}


# Laws


@given(st.text())
def test_any_text_is_a_brief_or_faults(text):
    with pytest.raises(FaultsError) as caught:
        read_brief(text)
    assert all(fault.happened and fault.expected and fault.fix for fault in caught.value.faults)


@given(st.integers(0, 10**15))
def test_spans_read_back_what_they_wrote(span):
    assert parse_span(format_span(span)) == span


@given(st.data())
def test_any_one_table_may_be_missing_or_of_any_type_and_is_a_fault_not_a_crash(data):
    raw = copy.deepcopy(RAW)
    name = data.draw(st.sampled_from([*RAW]))
    raw[name] = data.draw(st.none() | st.integers() | st.text() | st.lists(st.text()) | st.just({"x": 1}))
    if raw[name] == RAW[name]:
        make_brief(raw)
    else:
        with pytest.raises(FaultsError) as caught:
            make_brief(raw)
        assert caught.value.faults


def test_what_was_read_can_be_written_and_read_again():
    brief = read_brief(BRIEF)
    again = make_brief(json.loads(json.dumps(brief.canonical())))
    assert again.canonical() == brief.canonical()


def test_comments_and_layout_dont_change_the_brief():
    assert read_brief("# a comment\n" + BRIEF).canonical() == read_brief(BRIEF).canonical()


# Examples


def test_the_schema_for_editors_knows_every_table():
    assert set(Brief.model_json_schema()["properties"]) == set(Brief.model_fields)


def test_six_faults_are_reported_at_once():
    def change(raw):
        raw["case"]["source"] = "parcel"
        raw["outcome"]["matures"] = "two days"
        raw["value"]["status_quo"] = {"action": "wait"}
        raw["feature"]["late_3d"]["over"] = "3 fortnights"
        raw["source"]["parcels"]["tz"] = "UTC"
        raw["policy"]["refit"]["when"] = "sometimes"

    assert faults_of(change) >= {
        "brief.unknown-source",
        "brief.value",
        "brief.unknown-action",
        "brief.unknown-key",
    }
    raw = copy.deepcopy(RAW)
    change(raw)
    with pytest.raises(FaultsError) as caught:
        make_brief(raw)
    assert len(caught.value.faults) == 6
    assert {fault.where for fault in caught.value.faults} == {
        "[case] source",
        "[outcome] matures",
        "[value] status_quo",
        "[feature.late_3d] over",
        "[source.parcels] tz",
        "[policy.refit] when",
    }


def _set(*path_and_value):
    *path, last, value = path_and_value

    def change(raw):
        for step in path:
            raw = raw[step]
        if value is None:
            del raw[last]
        else:
            raw[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_set("format", 2), "brief.format"),
        (_set("brief", None), "brief.missing"),
        (_set("surprise", {}), "brief.unknown-key"),
        (_set("outcome", "classes", ["late", "on_time", "lost"]), "brief.classes"),
        (_set("outcome", "positive", "lat"), "brief.unknown-class"),
        (_set("outcome", "if_never", "on_time"), "brief.never-after"),
        (_set("outcome", "depends_on_action", None), "brief.missing"),
        (_set("outcome", "by", ["a", "b"]), "brief.key-length"),
        (_set("value", "of", {"pass": {"late": 0, "on_time": 0}}), "brief.one-action"),
        (_set("value", "of", "express", {"late": 8}), "brief.value-missing"),
        (_set("value", "of", "express", "late", [9, 7]), "brief.range"),
        (_set("value", "of", "express", "late", "now()"), "expression.clock"),
        (_set("source", "outcomes", RAW["source"]["parcels"]), "brief.reserved-name"),
        (_set("feature", "weight", {"column": "a", "expression": "b"}), "brief.value"),
        (_set("feature", "weight", {"latest": "parcels.weight_kg"}), "brief.value"),
        (_set("feature", "weight", {"lookup": "parcels.weight_kg", "by": "parcel_id"}), "brief.lookup-timed"),
        (_set("feature", "weight", {"latest": "weight_kg", "by": "parcel_id"}), "brief.value"),
        (_set("feature", "weight", {"sum": "*", "of": "parcels", "over": "1d"}), "brief.value"),
        (_set("feature", "weight", {"count": "*", "of": "parcls", "over": "1d"}), "brief.unknown-source"),
        (_set("policy", "refit", "when", "regret"), "brief.policy-later"),
        (_set("policy", "refit", "when", "random 10%"), "brief.policy"),
        (_set("cycle", "every", "0d"), "brief.value"),
    ],
)
def test_a_fault_has_its_code(change, code):
    assert code in faults_of(change)


def test_a_syntax_error_names_its_line():
    with pytest.raises(FaultsError, match="line 3"):
        read_brief("format = 1\n\n[brief\n")


@pytest.mark.parametrize("text", ["never", "every 30d", "status quo", "random 12.5%", "always rebook"])
def test_a_policy_is_named_as_it_is_written(text):
    assert parse_policy(text).name == text


@pytest.mark.parametrize("text", ["", "every", "every 0d", "random", "random 120%", "always", "Never"])
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(ValueError, match=r"policy is never|no span"):
        parse_policy(text)
