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
        (_set("feature", "weight", {"std": "*", "of": "parcels", "over": "1d"}), "brief.value"),
        (_set("feature", "weight", {"distinct": "depot", "of": "parcels"}), "brief.value"),
        (_set("feature", "weight", {"since": "*"}), "brief.value"),
        (_set("feature", "weight", {"since": "*", "of": "parcels", "max_age": "1d"}), "brief.value"),
        (_set("feature", "weight", {"since": "depot >", "of": "parcels"}), "expression.syntax"),
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


# Words


def found_in(*pairs: str) -> dict[str, tuple[str, str]]:
    """Give expected and fix by place, of the faults of a brief with some texts exchanged."""
    text = BRIEF
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(FaultsError) as caught:
        read_brief(text)
    assert len({fault.where for fault in caught.value.faults}) == len(caught.value.faults)
    return {fault.where: (fault.expected, fault.fix) for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('kind = "binary"', 'kind = "bianry"', "one of binary, multiclass"),
        ('depends_on_action = "no"', "depends_on_action = false", "one of no, yes, unknown"),
        ('name = "small"', 'name = "1 small"', "letters, digits, - and _, beginning with a letter"),
        ('question = "Will the parcel be late?"', "question = 3", "a text in quotes"),
        ("late = 8", "late = true", "a number, a range such as [3, 5], or an expression in quotes"),
        ("late = 8", "late = [1]", "a number, a range such as [3, 5], or an expression in quotes"),
        ("late = 8", "late = inf", "a finite number"),
        ("per_case = 0.1", 'per_case = "much"', "a number"),
        ("costs = 5", "costs = -5", "a number, 0 or more"),
        ("least_outcomes = 10", "least_outcomes = 1.5", "a whole number"),
        ("planned = true", 'planned = "perhaps"', "true or false, without quotes"),
        ('["late", "on_time"]', '"late"', "a list, as in ['a', 'b']"),
        ('["late", "on_time"]', '["late"]', "at least 2 in it"),
        ('{ action = "pass" }', '"pass"', "a table, as in { a = 1 }"),
        ('{ action = "pass" }', '{ acton = "pass" }', "one of action, expression"),
        ('every = "1d"', 'every = "1d"\nat = "25:00"', "a time of day such as '06:30'"),
        ('over = "3d"', "over = 3", "a span in quotes, such as '30d' or '2h'"),
        ('when = "every 10d"', 'when = "never"\nwindow = "x"', "all, or a number and one of us, ms, s, min"),
        ('{ column = "depot" }', '{ column = "a", latest = "b" }', "exactly one of column, expression"),
        ('{ column = "depot" }', '{ column = "a", over = "1d" }', "column with nothing beside it"),
        (', by = "depot", over = "3d"', "", "mean with of, over"),
        ('known_at = "booked_at"\n', "", "happened_at and known_at"),
    ],
)
def test_a_value_that_is_wrong_is_met_with_our_words(old, new, expected):
    found = found_in(old, new)
    assert [said for said, _ in found.values() if said.startswith(expected)], found
    words = str(found)
    for theirs in ("Input", "should", "valid", "pattern", "Tuple", "dictionary", "integer"):
        assert theirs not in words


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ('kind = "binary"', 'kind = "bianry"', "binary"),
        ('{ action = "pass" }', '{ acton = "pass" }', "action"),
        ('first = "20d"', 'first = "20d"\nwhne = "never"', "when"),
        ("then 'late'", "then 'lte'", "late"),
    ],
)
def test_what_was_meant_is_guessed(old, new, meant):
    assert any(fix == f"did you mean {meant}?" for _, fix in found_in(old, new).values())


@pytest.mark.parametrize("cell", ["true", "[1]", "nan", "[1, 'x']"])
def test_one_wrong_cell_of_the_value_table_is_one_fault(cell):
    assert [*found_in("late = 8", f"late = {cell}")] == ["[value] of.express.late"]


def test_a_fault_in_one_setting_hides_none_elsewhere():
    found = found_in(
        *('kind = "binary"', 'kind = "bianry"'),
        *("case when delay_h > 24 then 'late' else 'on_time' end", "max(team)"),
        *('positive = "late"', 'positive = "lat"'),
        *("late = 8, on_time = -4", 'late = true, on_time = "sum(x)"'),
        *('decide_at = "sent_at - 1h"', 'decide_at = "now()"\nif_late = "no"'),
        *('happened_at = "sent_at"', 'happened_at = "now() - 1h"'),
        *("planned = true", 'planned = "perhaps"'),
        *("truth = 'late'", "count(x)"),
        *('over = "3d"', 'over = "3d", where = "now()", on = "x"'),
        *('first = "20d"', "first = 20"),
        *('when = "every 10d"', 'when = "sometimes"'),
    )
    assert {where.partition(", ")[0] for where in found} == {
        "[case] decide_at",
        "[case] if_late",
        "[outcome] kind",
        "[outcome] truth",
        "[outcome] positive",
        "[value] of.express.late",
        "[value.of] express.on_time",
        "[source.parcels] happened_at",
        "[source.parcels] planned",
        "[feature] late_3d.mean",
        "[feature] late_3d.where",
        "[feature.late_3d] on",
        "[policy] refit.first",
        "[policy.refit] when",
    }


@pytest.mark.parametrize(
    ("truth", "classes"),
    [
        ("case when delay_h > 24 then 'lost' else 'on_time' end", {"lost"}),
        ("coalesce(case when delay_h > 24 then 'late' end, 'gone')", {"gone"}),
        ("case status when 'x' then 'late' else 'on_time' end", set()),
        ("case when delay_h > 24 then 'late' else null end", set()),
        ("lower(status)", set()),
    ],
)
def test_a_truth_that_is_no_class_is_a_fault(truth, classes):
    raw = copy.deepcopy(RAW)
    raw["outcome"]["truth"] = truth
    if not classes:
        make_brief(raw)
        return
    with pytest.raises(FaultsError) as caught:
        make_brief(raw)
    assert {fault.code for fault in caught.value.faults} == {"brief.truth-class"}
    assert {name for name in classes if name in caught.value.faults[0].happened} == classes
