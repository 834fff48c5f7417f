"""Laws of mends: functions of the row, no row lost, counts are what differs; then each step by example."""

import itertools
import random
import tomllib
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

import worlds
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.errors import FaultsError, UserError
from wholeroad.engine.facts import decode
from wholeroad.engine.intake import Intake
from wholeroad.engine.storehouse import Storehouse
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.brief.mends import MendStep, MendTable
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.mending.applying import Mender
from wholeroad.road.data.mending.differing import differing
from wholeroad.road.data.mending.effects import mend_effect
from wholeroad.road.data.mending.feature_effects import feature_changes
from wholeroad.road.data.mending.proposing import (
    parse_step,
    plain_step,
    step_of,
    step_text,
    steps_text,
    with_step,
)
from wholeroad.road.data.mending.raw import read_as_text, types_in_file
from wholeroad.road.data.mending.writing import write_step
from wholeroad.road.data.quality.troubles import Trouble

WHERE = "[source.people.mend]"


def table(*steps):
    return MendTable.model_validate({"steps": list(steps)})


def mend(frame, *steps, timezone=None):
    return Mender(table(*steps), where=WHERE, timezone=timezone).mend(frame)


def column(values, step, *, dtype=None):
    """Mend one column ``x``."""
    return mend(pl.DataFrame({"x": pl.Series(values, dtype=dtype)}), step).frame["x"]


def faults_of(*steps, frame):
    with pytest.raises(FaultsError) as caught:
        mend(frame, *steps)
    return [(fault.code, fault.where) for fault in caught.value.faults]


ROWS = st.fixed_dictionaries(
    {
        "weight": st.sampled_from(["12 kg", "1,5", "70", "heavy", "", None, "-3 kg"]),
        "height": st.sampled_from([None, float("nan"), 70.0, 180.0, -999.0, 1e308]),
        "age": st.sampled_from([None, -999, 0, 41, 130]),
        "country": st.sampled_from([None, "D", "DE", "Germany", "F"]),
        "name": st.sampled_from([None, "Ash, Jo", "Bo", "Ash, Jo, jr", "Li, Xu"]),
        "day": st.sampled_from([None, "01.02.2013", "2013-02-01", "31.02.2013", "1.3.13", "soon"]),
        "vip": st.sampled_from([None, True, False]),
    }
)
SCHEMA = {
    "weight": pl.String,
    "height": pl.Float64,
    "age": pl.Int64,
    "country": pl.String,
    "name": pl.String,
    "day": pl.String,
    "vip": pl.Boolean,
}
FRAMES = st.lists(ROWS, max_size=14).map(lambda rows: pl.DataFrame(rows, schema=SCHEMA))
OF_THE_ROW = (
    {"nothing": "age", "values": [-999, 0]},
    {"nothing": "height", "values": [-999]},
    {"unit": "height", "factor": 2.54, "where": "height < 100"},
    {"fill": "age", "with": 40, "flag": "age_missing", "where": "country is not null"},
    {"clip": "age", "range": [1, 99]},
    {"map": "country", "values": {"D": "DE", "Germany": "DE", "DE": "Deutschland"}},
    {"map": "vip", "values": {"true": "yes", "false": "no"}},
    {"parse": "day", "as": "date", "format": "%d.%m.%Y"},
    {"split": "name", "at": ", ", "into": ["last", "first"]},
    {"drop": "age > 100 and country = 'F'", "reason": "test rows of the vendor"},
    {"parse": "weight", "as": "number", "decimal": ",", "strip": ["kg"]},
    {"unit": "weight", "factor": 1000.0, "plus": 1.0},
    {"rename": "weight", "to": "grams"},
)
REPEATS = {"deduplicate": ["country", "name"]}


@st.composite
def some_steps(draw, *, among=OF_THE_ROW):
    kept = draw(st.lists(st.booleans(), min_size=len(among), max_size=len(among)))
    return [step for step, keep in zip(among, kept, strict=True) if keep] or [among[0]]


def plain(mended):
    return mended.frame.with_columns(code=mended.verdict.codes, reason=mended.verdict.reasons)


# laws


@given(FRAMES, some_steps(), st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_law_a_mend_is_a_function_of_the_row(frame, steps, seed):
    order = list(range(frame.height))
    random.Random(seed).shuffle(order)
    assert_frame_equal(plain(mend(frame[order], *steps)), plain(mend(frame, *steps))[order])


@given(FRAMES, some_steps(among=(*OF_THE_ROW[:6], REPEATS, *OF_THE_ROW[6:])), st.data())
@settings(deadline=None, max_examples=40)
def test_law_a_batch_in_parts_is_mended_as_the_whole(frame, steps, data):
    whole = mend(frame, *steps)
    cuts = sorted(data.draw(st.lists(st.integers(0, frame.height), max_size=4)))
    ends = [0, *cuts, frame.height]
    mender = Mender(table(*steps), where=WHERE)
    parts = [mender.mend(frame[start:end]) for start, end in itertools.pairwise(ends)]
    assert_frame_equal(pl.concat([plain(part) for part in parts]), plain(whole))
    assert whole.counts == {step: sum(part.counts[step] for part in parts) for step in whole.counts}


@given(FRAMES, some_steps(among=(*OF_THE_ROW, REPEATS)))
@settings(deadline=None, max_examples=40)
def test_law_no_row_is_lost_and_what_no_step_names_stays(frame, steps):
    mended = mend(frame, *steps)
    assert mended.frame.height == frame.height == len(mended.verdict.codes)
    named = {name for step in steps for name in step.values() if isinstance(name, str)}
    for name in set(frame.columns) - named - {"country", "name"}:
        assert_series_equal(mended.frame[name], frame[name])
    whole = Mender(table(*steps), where=WHERE).mend(frame)
    assert set(whole.counts) == {step.said for step in table(*steps).steps}


@given(FRAMES, some_steps(among=(*OF_THE_ROW, REPEATS)))
@settings(deadline=None, max_examples=40)
def test_law_the_types_hang_on_no_value(frame, steps):
    assert mend(frame, *steps).frame.schema == mend(frame.clear(), *steps).frame.schema


@given(FRAMES, st.sampled_from(OF_THE_ROW[:-2]))
@settings(deadline=None, max_examples=40)
def test_law_a_count_is_the_rows_that_differ_or_are_set_aside(frame, step):
    mended = mend(frame, step)
    aside = ~mended.verdict.fine()
    rows = differing(frame, mended.frame) | aside
    assert list(mended.counts.values()) == [rows.sum()]


@given(FRAMES, some_steps(among=tuple(step for step in OF_THE_ROW if "where" not in step)))
@settings(deadline=None, max_examples=40)
def test_law_a_step_for_no_row_changes_none(frame, steps):
    forms = ("parse", "unit", "map", "nothing", "clip", "fill")
    never = [step | {"where": "age > 1000"} for step in steps if set(step) & set(forms)]
    never += [{"drop": "age > 1000", "reason": "never"}]
    mended = mend(frame, *never)
    differs = differing(frame, mended.frame)
    unread = mended.verdict.codes == "mend.not-parsed"  # the number that a text has to be for a unit
    assert not (differs & ~unread.fill_null(value=False)).any()
    assert sum(mended.counts.values()) == unread.sum()


@given(
    st.lists(st.floats(-1e6, 1e6) | st.none()),
    st.floats(0.01, 100),
    st.floats(-100, 100),
)
@settings(deadline=None)
def test_law_a_unit_and_its_inverse_give_the_numbers_back(values, factor, plus):
    there = {"unit": "x", "factor": factor, "plus": plus}
    back = {"unit": "x", "factor": 1 / factor, "plus": -plus / factor}
    frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64)})
    after = mend(frame, there, back).frame["x"]
    for was, now in zip(values, after, strict=True):
        assert (was is None) == (now is None)
        assert was is None or now == pytest.approx(was, rel=1e-9, abs=1e-6 / factor)


@given(st.lists(st.sampled_from([*"abcd", None])), st.permutations("abcd"))
@settings(deadline=None)
def test_law_a_map_and_its_inverse_give_the_texts_back(values, others):
    there = dict(zip("abcd", others, strict=True))
    back = {new: old for old, new in there.items()}
    steps = [{"map": "x", "values": there}, {"map": "x", "values": back}]
    frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.String)})
    assert_frame_equal(mend(frame, *steps).frame, frame)


@given(st.lists(st.lists(st.sampled_from(["", "a", "b c", "é"]), min_size=2, max_size=2)))
@settings(deadline=None)
def test_law_pieces_put_together_give_the_text_back(rows):
    texts = ["; ".join(pieces) for pieces in rows]
    frame = pl.DataFrame({"x": pl.Series(texts, dtype=pl.String)})
    mended = mend(frame, {"split": "x", "at": "; ", "into": ["left", "right"]})
    assert mended.verdict.fine().all()
    joined = mended.frame.select(pl.concat_str(pl.col("left", "right").fill_null(""), separator="; "))
    assert joined.to_series().to_list() == texts


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "-", "+"]), st.integers(0, 10**7), st.integers(0, 99)), max_size=10
    ),
    st.sampled_from([(".", None), (",", None), (",", "."), (".", ","), (".", "'"), (",", " ")]),
    st.sampled_from(["{}", "{} kg", "kg {}", "{}kg", " {} "]),
)
@settings(deadline=None)
def test_law_a_number_is_read_however_it_is_spelled(rows, signs, form):
    decimal, thousands = signs
    texts = [
        form.format(sign + f"{whole:,}".replace(",", thousands or "") + f"{decimal}{cents:02}")
        for sign, whole, cents in rows
    ]
    step = {"parse": "x", "as": "number", "decimal": decimal, "strip": ["kg"]}
    step |= {"thousands": thousands} if thousands else {}
    told = column(texts, step, dtype=pl.String).to_list()
    assert told == [float(f"{sign}{whole}.{cents:02}") for sign, whole, cents in rows]


# each step


def test_each_word_is_taken_off_once_at_each_end_and_nowhere_else():
    step = {"parse": "x", "as": "number", "strip": ["m", "EUR", "€"]}
    told = column(["12 m", "12 mm", "-€ 5", "€-5", "1m2", "EUR 7", "mm"], step).to_list()
    assert told == [12.0, None, -5.0, -5.0, None, 7.0, None]
    longest = {"parse": "x", "as": "number", "strip": ["E", "EUR"]}
    assert column(["EUR 7", "7 E"], longest).to_list() == [7.0, 7.0]


def test_a_value_that_can_t_be_read_sets_its_row_aside_with_what_was_expected():
    frame = pl.DataFrame({"x": ["1", "one", None, "01.02.13"], "{}": ["a", "b", "c", "d"]})
    mended = mend(frame, {"parse": "x", "as": "date", "format": "%d.%m.%Y"}, {"rename": "{}", "to": "y"})
    assert mended.verdict.codes.to_list() == ["mend.not-parsed", "mend.not-parsed", None, "mend.not-parsed"]
    assert mended.verdict.reasons[1] == "x was 'one', not a date written %d.%m.%Y"
    odd = mend(frame, {"parse": "{}", "as": "integer"})
    assert odd.verdict.reasons[0] == "{} was 'a', not an integer"


def test_parsed_as_each_kind():
    assert column(["1", "1.0", "1.5"], {"parse": "x", "as": "integer"}).to_list() == [1, 1, None]
    assert column(["yes", "0", "TRUE"], {"parse": "x", "as": "boolean"}).to_list() == [True, False, True]
    day = {"parse": "x", "as": "date", "format": "%Y%m%d"}
    assert column([20130301, 20130230], day).to_list() == [date(2013, 3, 1), None]
    assert column([20130301.0], day).to_list() == [date(2013, 3, 1)]
    assert column(
        [datetime(2013, 3, 1, tzinfo=UTC), datetime(2013, 3, 1, 6, tzinfo=UTC)], {"parse": "x", "as": "date"}
    ).to_list() == [
        date(2013, 3, 1),
        None,
    ]


def test_clock_times_without_an_offset_hang_where_the_step_says():
    texts = ["01.07.2013 06:00", "01.01.2013 06:00", "31.03.2013 02:30", "01.07.2013 06:00 +00:00"]
    step = {"parse": "x", "as": "instant", "format": "%d.%m.%Y", "timezone": "Europe/Vienna"}
    summer, winter = (
        datetime(2013, 7, 1, 4, tzinfo=UTC),
        datetime(2013, 1, 1, 5, tzinfo=UTC),
    )
    assert column(texts, step).to_list() == [summer, winter, None, datetime(2013, 7, 1, 6, tzinfo=UTC)]
    read = pl.Series([datetime(2013, 7, 1, 6, tzinfo=UTC)], dtype=pl.Datetime("us", "UTC"))
    moved = {"parse": "x", "as": "instant", "timezone": "Europe/Vienna"}
    assert column(read, moved).to_list() == [summer]
    del step["timezone"]
    assert column(texts, step).to_list()[0] == datetime(2013, 7, 1, 6, tzinfo=UTC)


def test_a_column_written_in_two_ways_is_parsed_in_two_steps_and_typed_by_a_third():
    frame = pl.DataFrame({"at": ["US", "DE", "US"], "x": ["02/01/2013", "01.02.2013", None]})
    steps = [
        {"parse": "x", "as": "date", "format": "%m/%d/%Y", "where": "at = 'US'"},
        {"parse": "x", "as": "date", "format": "%d.%m.%Y", "where": "at = 'DE'"},
        {"parse": "x", "as": "date"},
    ]
    mended = mend(frame, *steps)
    assert mended.frame["x"].to_list() == [date(2013, 2, 1), date(2013, 2, 1), None]
    assert dict(mended.counts) == {"parse x": 1, "parse x (2)": 1, "parse x (3)": 0}


def test_steps_of_numbers_read_texts_that_are_numbers():
    step = {"unit": "x", "factor": 10.0}
    assert column(["1", " 2.5 ", "x"], step).to_list() == column([1.0, 2.5, None], step).to_list()
    mended = mend(pl.DataFrame({"x": ["1", "x"]}), {"clip": "x", "range": [5, 9]})
    assert (mended.frame["x"].to_list(), mended.verdict.codes[1]) == ([5.0, None], "mend.not-parsed")
    whole = column([1, 20], {"clip": "x", "range": [5, 9]})
    assert (whole.to_list(), whole.dtype) == ([5, 9], pl.Int64)
    assert column([1, 20], {"clip": "x", "range": [5, 9.5]}).to_list() == [5.0, 9.5]


def test_what_stands_for_nothing_is_found_however_it_was_read():
    nothing = {"nothing": "x", "values": [-999, "N/A", "1900-01-01"]}
    assert column([-999, 1], nothing).to_list() == [None, 1]
    assert column([-999.0, float("nan"), 2.0], nothing)[0] is None
    assert column(["-999", "-999.0", "N/A", "n/a", " N/A", "1900-01-01"], nothing).to_list() == [
        *(None, None, None, "n/a", " N/A", None)
    ]
    days = {"nothing": "x", "values": ["1900-01-01"]}
    assert column([date(1900, 1, 1), date(2000, 1, 1)], days).to_list() == [None, date(2000, 1, 1)]
    assert column([datetime(1900, 1, 1, tzinfo=UTC), datetime(1900, 1, 1, 1, tzinfo=UTC)], days)[0] is None
    assert column([True, False], {"nothing": "x", "values": [False]}).to_list() == [True, None]
    assert column([0, 1], {"nothing": "x", "values": [False]}).to_list() == [0, 1]


def test_a_map_takes_numbers_as_texts_and_replaces_all_at_once():
    swap = {"map": "x", "values": {"1": "2", "2": "1"}}
    assert column([1, 2, 3, None], swap).to_list() == [2, 1, 3, None]
    assert column([1.0, 2.5], swap).to_list() == [2.0, 2.5]
    assert column(["1", "2"], swap).to_list() == ["2", "1"]
    assert column([1, 2], {"map": "x", "values": {"1": "5", "1.0": "6"}}).to_list() == [5, 2]
    assert column([1, 7], {"map": "x", "values": {"1": "one"}}).to_list() == ["one", "7"]
    assert column(
        pl.Series(["a", "b"], dtype=pl.Categorical), {"map": "x", "values": {"a": "b"}}
    ).to_list() == [*("b", "b")]


def test_an_empty_value_is_filled_and_flagged():
    mended = mend(
        pl.DataFrame({"x": [1.0, None, float("nan")], "y": [True, True, False]}),
        {"fill": "x", "with": 0, "flag": "x_missing"},
    )
    assert mended.frame["x"].to_list() == [1.0, 0.0, 0.0]
    assert mended.frame["x_missing"].to_list() == [False, True, True]
    assert dict(mended.counts) == {"fill x": 2}
    assert column([1, None], {"fill": "x", "with": 0.5}).to_list() == [1.0, 0.5]
    assert column([None, None], {"fill": "x", "with": 3}, dtype=pl.Null).to_list() == [3, 3]
    assert column([date(2013, 1, 1), None], {"fill": "x", "with": "2012-01-01"})[1] == date(2012, 1, 1)


def test_the_first_of_alike_rows_stays_and_the_others_name_it():
    frame = pl.DataFrame({"a": [1, 1, 1, None, None, 2], "b": ["x", "x", "y", "x", "x", "z"]})
    drop = {"drop": "a = 2", "reason": "a test"}
    mender = Mender(table(drop, {"deduplicate": ["a", "b"]}), where=WHERE)
    first = mender.mend(frame, numbers=pl.Series([11, 12, 13, 14, 15, 16]))
    assert first.verdict.codes.to_list() == [None, "mend.duplicate", None, None, None, "mend.dropped"]
    assert first.verdict.reasons[1] == "it had the same a, b as row 11 of the batch"
    later = mender.mend(frame, numbers=pl.Series([21, 22, 23, 24, 25, 26]))
    assert later.verdict.reasons.to_list()[:3] == [
        "it had the same a, b as row 11 of the batch",
        "it had the same a, b as row 11 of the batch",
        "it had the same a, b as row 13 of the batch",
    ]
    assert later.verdict.codes.to_list()[3:] == [None, None, "mend.dropped"]


def test_a_dropped_row_carries_the_reason_and_a_null_condition_keeps_it():
    mended = mend(pl.DataFrame({"x": [1, None, 5]}), {"drop": "x > 3", "reason": "a {test} row"})
    assert mended.verdict.codes.to_list() == [None, None, "mend.dropped"]
    assert mended.verdict.reasons[2] == "a {test} row"


def test_a_text_of_too_few_or_too_many_pieces_is_set_aside():
    frame = pl.DataFrame({"x": ["a-b", "a", "a-b-c", None, "-b"]})
    mended = mend(frame, {"split": "x", "at": "-", "into": ["x", "y"]})
    assert mended.verdict.codes.to_list() == [None, "mend.not-split", "mend.not-split", None, None]
    assert mended.verdict.reasons[2] == "x was 'a-b-c': 3 pieces, not 2"
    assert mended.frame.select("x", "y").rows() == [
        ("a", "b"),
        (None, None),
        (None, None),
        (None, None),
        (None, "b"),
    ]


def test_conditions_see_the_row_as_the_steps_before_left_it():
    frame = pl.DataFrame({"h": ["70", "180"], "at": [datetime(2013, 7, 1, 23, tzinfo=UTC)] * 2})
    steps = [
        {"parse": "h", "as": "number"},
        {"rename": "h", "to": "height"},
        {"unit": "height", "factor": 2.54, "where": "height < 100 and local_hour(at) = 1"},
    ]
    assert mend(frame, *steps, timezone="Europe/Vienna").frame["height"].to_list() == [70 * 2.54, 180.0]


def test_all_faults_of_all_steps_are_told_at_once():
    frame = pl.DataFrame({"height": [1.0], "vip": [True], "raw": [b"x"], "day": [date(2013, 1, 1)]})
    found = faults_of(
        {"unit": "heigth", "factor": 2},
        {"unit": "vip", "factor": 2, "where": "hight > 1"},
        {"rename": "height", "to": "vip"},
        {"clip": "raw", "range": [0, 1]},
        {"nothing": "day", "values": ["never", 3]},
        {"fill": "day", "with": 7},
        {"drop": "day", "reason": "no condition"},
        frame=frame,
    )
    assert [code for code, _ in found] == [
        "mend.unknown-column",
        "expression.unknown-column",
        "mend.column-type",
        "mend.name-taken",
        "mend.column-type",
        "mend.value",
        "mend.value",
        "expression.result-type",
    ]
    one = faults_of({"rename": "heigth", "to": "h"}, {"drop": "h > 3", "reason": "x"}, frame=frame)
    assert [code for code, _ in one] == ["mend.unknown-column"]
    with pytest.raises(FaultsError, match="did you mean height"):
        mend(frame, {"unit": "heigth", "factor": 2})


def test_columns_that_are_parsed_or_split_are_read_as_texts_under_the_file_s_names():
    steps = [
        {"rename": "kg", "to": "weight"},
        {"parse": "weight", "as": "number"},
        {"split": "name", "at": " ", "into": ["a", "b"]},
        {"nothing": "age", "values": ["N/A"]},
        {"nothing": "free", "values": ["N/A"]},
        {"clip": "rate", "range": [0, 1]},
    ]
    source = SourceTable(read="a.csv", key="id", static=True, types={"age": "integer"}, mend={"steps": steps})
    assert read_as_text(source) == {"kg", "name", "age"}
    landed = {"id": "text", "weight": "number", "name": "text", "a": "text", "b": "text", "rate": "number"}
    assert types_in_file(source, landed) == {
        "id": "text",
        "kg": "text",
        "name": "text",
        "age": "text",
        "rate": "number",
    }


# the brief


def brief_faults(text):
    with pytest.raises(FaultsError) as caught:
        read_brief(f"{worlds.BRIEF}\n[source.parcels.mend]\nsteps = [\n{text}\n]\n")
    return [fault.code for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("steps", "codes"),
    [
        ("{ unit = 'w', factor = 2, where = 'w >' }", ["expression.syntax"]),
        ("{ drop = 'now() > at', reason = 'x' }", ["expression.clock"]),
        ("{ fill = 'w', with = 0, flag = '_w' }", ["brief.mend-name"]),
        ("{ fill = 'w', with = 0, flag = 'w' }", ["brief.mend-name"]),
        ("{ split = 'w', at = '-', into = ['a', 'a'] }", ["brief.mend-name"]),
        ("{ rename = 'w', to = 'kg' }, { fill = 'z', with = 0, flag = 'kg' }", ["brief.mend-name"]),
        ("{ rename = 'w', to = 'kg' }, { unit = 'w', factor = 2 }", ["brief.mend-renamed"]),
        ("{ rename = 'w', to = 'kg' }, { drop = 'w > 3', reason = 'x' }", ["brief.mend-renamed"]),
        ("{ split = 'w', at = '-', into = ['a'] }", ["brief.mend-step"]),
        ("{ split = 'w', at = '', into = ['a', 'b'] }", ["brief.mend-step"]),
        ("{ unit = 'w', factor = 0 }", ["brief.mend-step"]),
        ("{ clip = 'w', range = [3, 1] }", ["brief.mend-step"]),
        ("{ deduplicate = [] }", ["brief.mend-step"]),
        ("{ parse = 'w', as = 'date', format = '%d' }", ["brief.mend-step"]),
        ("{ parse = 'w', as = 'number', format = '%d.%m.%Y' }", ["brief.mend-step"]),
        ("{ parse = 'w', as = 'instant', timezone = 'Vienna' }", ["brief.mend-step"]),
        ("{ parse = 'w', as = 'instant', strip = ['kg'] }", ["brief.mend-step"]),
        ("{ parse = 'w', as = 'number', thousands = '.' }", ["brief.mend-step"]),
        ("{ unit = 'w', factors = 2 }", ["brief.unknown-key"]),
        ("{ split = 'w', at = ',' }", ["brief.value"]),
    ],
)
def test_what_can_t_be_meant_is_told_without_data(steps, codes):
    assert brief_faults(steps) == codes


def test_a_name_that_was_given_away_may_be_taken_again():
    swap = "{ rename = 'a', to = 'c' }, { rename = 'b', to = 'a' }, { rename = 'c', to = 'b' }"
    brief = read_brief(f"{worlds.BRIEF}\n[source.parcels.mend]\nsteps = [{swap}]\n")
    mended = Mender(brief.source["parcels"].mend, where=WHERE).mend(pl.DataFrame({"a": [1], "b": [2]}))
    assert mended.frame.select("a", "b").row(0) == (2, 1)


# proposing and writing

WORDS = st.text(alphabet="aé \"'\\#[]{}=,\n\t0", min_size=1, max_size=8)
STEPS = st.one_of(
    st.builds(
        lambda c, v: {"nothing": c, "values": v}, WORDS, st.lists(WORDS | st.integers() | st.booleans())
    ),
    st.builds(lambda c, f: {"unit": c, "factor": f}, WORDS, st.floats(1e-300, 1e300)),
    st.builds(lambda c, v: {"map": c, "values": v}, WORDS, st.dictionaries(WORDS, WORDS)),
    st.builds(lambda c, f: {"drop": c, "reason": f}, WORDS, WORDS),
    st.builds(
        lambda c, w: {"fill": c, "with": w, "flag": "f"}, WORDS, st.floats(-9, 9) | WORDS | st.booleans()
    ),
).map(MendStep.model_validate)


@given(STEPS)
@settings(deadline=None)
def test_law_a_step_that_is_written_reads_back_the_same(step):
    assert parse_step(step_text(step)) == step


MENDS = (
    "",
    "[source.parcels.mend]\nsteps = [{ unit = 'weight_kg', factor = 2 }]\n",
    "[source.parcels.mend] # why\nsteps = [\n    { unit = 'weight_kg', factor = 2 } # ] no\n  # more\n]\n",
    "[[source.parcels.mend.steps]]\nunit = 'weight_kg' # hi\nfactor = 2\n",
    "[source.parcels.mend]\nsteps = [{ unit = 'a', factor = 2 },\n  { unit = 'b', factor = 2 }]\n",
    "mend.steps = [] # none\n",
)


@given(STEPS, st.sampled_from(MENDS), st.booleans())
@settings(deadline=None)
def test_law_a_step_is_written_into_a_brief_and_the_rest_stays(step, mend_text, before):
    start = worlds.BRIEF.replace("[source.deliveries]", "# of the carrier\n[source.deliveries]  # theirs")
    text = start.replace("[feature]", f"{mend_text}\n[feature]", 1) if before else f"{start}\n{mend_text}"
    if mend_text.startswith("mend"):
        text = start.replace("[source.parcels]\n", f"[source.parcels]\n{mend_text}")
    new = write_step(text, step, source="parcels")
    was, now = tomllib.loads(text), tomllib.loads(new)
    steps = now["source"]["parcels"]["mend"].pop("steps")
    had = was["source"]["parcels"].get("mend", {}).pop("steps", [])
    assert steps == [*had, plain_step(step)]
    was["source"]["parcels"].setdefault("mend", {})
    assert now == was
    kept = iter(new.replace(",", "").split("\n"))
    assert all(
        line in kept
        for line in text.replace(",", "").split("\n")
        if "steps = [" not in line and "]" not in line
    )
    assert write_step(new, step, source="parcels") == new


def test_a_written_brief_is_read_with_the_step():
    step = parse_step("nothing = 'weight_kg', values = [-999]")
    new = write_step(worlds.BRIEF, step, source="parcels", asked_by="Ann, 3 March")
    mend_of = read_brief(new).source["parcels"].mend
    assert (mend_of.steps, mend_of.asked_by) == ((step,), "Ann, 3 March")
    assert steps_text([step], source="parcels", asked_by="Ann, 3 March") in new


def test_what_can_t_be_added_to_is_left_alone():
    step = parse_step("{ nothing = 'a', values = [1] }")
    with pytest.raises(UserError, match=r"mend\.by-hand"):
        write_step("[source]\nx = { read = 'a' }\n", step, source="x")


@pytest.mark.parametrize(
    "text", ["x", "{ a = 1 }\nb = 2", "{ nothing = 'a' }", "{ unit = 'a', factor = 'x' }"]
)
def test_what_is_no_step_is_refused(text):
    with pytest.raises(FaultsError):
        parse_step(text)


def test_a_trouble_proposes_a_step_or_none():
    def trouble(text):
        return Trouble(code="quality.sentinel-number", source="s", what="", why="", where="", rows=1, of=2,
                       mend=text, leave="")  # fmt: skip

    step = step_of(trouble("{ nothing = 'age', values = [-999] }"))
    assert step is not None
    assert with_step(with_step(None, step), step).steps == (step,)
    assert step_of(trouble("known_at = 'reported_at'")) is None
    assert step_of(trouble("")) is None


# effects


def test_the_effect_of_a_mend_says_what_differs_by_column():
    before = pl.DataFrame({"id": [1, 2, 3, 4], "age": [-999, 41, None, 5], "kg": ["1", "2 kg", "3", "4"]})
    after = pl.DataFrame({"id": [4, 1, 2, 9], "age": [5, None, 41, 1], "kg": [4.0, 1.0, 2.0, 1.0]})
    aside = pl.DataFrame({"code": ["mend.dropped", "data.key-null", "mend.dropped"]})
    effect = mend_effect(before, after, key=["id"], by_step={"nothing age": 1}, set_aside=aside)
    assert (effect.rows_before, effect.rows_after, effect.gone, effect.come) == (4, 4, 1, 1)
    assert effect.rows_changed == 2
    assert [(one.column, one.rows, one.nulls_gone, one.nulls_come) for one in effect.columns] == [
        ("age", 1, 0, 1),
        ("kg", 1, 0, 0),
    ]
    assert effect.columns[0].examples[0].key == {"id": 1}
    assert (effect.columns[0].examples[0].before, effect.columns[0].examples[0].after) == (-999, None)
    assert effect.columns[1].before == "String"
    assert effect.set_aside == {"mend.dropped": 2}
    assert mend_effect(before, before, key=["id"]).columns == ()


def history_of(cases, outcomes):
    tables, brief = MemoryTables(), read_brief(worlds.BRIEF)
    intake = Intake(tables, MemoryLedger(decode))
    for name, rows in (("parcels", cases), ("deliveries", outcomes)):
        intake.take(name, brief.source[name], rows=rows, now=worlds.at(days=99), imported=True)
    return Storehouse(brief, tables, threads=1).history()


def test_the_change_of_a_feature_is_that_of_the_same_cases():
    cases, outcomes = worlds.parcels(days=8, per_day=6)
    halved = cases.with_columns(
        pl.when(pl.col("parcel_id") % 4 == 0)
        .then(pl.col("weight_kg") / 2)
        .otherwise("weight_kg")
        .alias("weight_kg"),
        pl.when(pl.col("parcel_id") == 1).then(None).otherwise("depot").alias("depot"),
    ).filter(pl.col("parcel_id") != 2)
    histories = [history_of(some, outcomes) for some in (cases, halved)]
    changes = {change.feature: change for change in feature_changes(*histories)}
    assert changes["weight"].cases == 47
    assert changes["weight"].changed == 12
    own = cases.filter(pl.col("parcel_id") != 2)["weight_kg"]
    shift = (halved["weight_kg"].mean() - own.mean()) / own.std(ddof=0)
    assert changes["weight"].shift == pytest.approx(shift)
    assert changes["weight"].mean_after == pytest.approx(halved["weight_kg"].mean())
    assert (changes["depot"].changed, changes["depot"].nulls_come) == (1, 1)
    assert changes["depot"].shift == pytest.approx(1 / 47)
    assert changes["hour"].changed == 0
    same = feature_changes(histories[0], histories[0])
    assert {change.changed for change in same} == {0}
