"""Expressions for one row: what Polars gives for a frame, to the bit."""

from __future__ import annotations

import struct
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test_expressions import call, case, infix
from wholeroad.core.errors import FaultsError
from wholeroad.core.expressions import Expression, bind, for_one
from wholeroad.core.instants import DAY, UNITS
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.binding import AT_ONCE, WHEN_KNOWN, bind_brief
from wholeroad.road.data.features.specs import Derived, Window
from wholeroad.road.data.versions import KNOWN

INSTANT = pl.Datetime("us", "UTC")
SCHEMA = {
    "i": pl.Int64(),
    "j": pl.Int32(),
    "u": pl.UInt64(),
    "x": pl.Float64(),
    "y": pl.Float32(),
    "case.x": pl.Float64(),
    "s": pl.String(),
    "t": pl.String(),
    "case.s": pl.String(),
    "g": pl.Enum(["a", "late", "b"]),
    "p": pl.Boolean(),
    "q": pl.Boolean(),
    "at": INSTANT,
    "was": INSTANT,
    "naive": pl.Datetime("us"),
    "there": pl.Datetime("us", "Europe/Berlin"),
    "on": pl.Date(),
    "for": pl.Duration("us"),
    "nothing": pl.Null(),
}
NEW_YORK = "America/New_York"
YEAR_1, YEAR_9999 = -62_135_596_800_000_000, 253_402_300_799_999_999


def column(values, dtype):
    """Make a column of physical values, as rows keep them."""
    if isinstance(dtype, pl.Datetime | pl.Duration):
        micros = pl.Duration("us") if isinstance(dtype, pl.Duration) else pl.Datetime("us", dtype.time_zone)
        return pl.Series(values, dtype=pl.Int64).cast(micros).cast(dtype)
    if dtype == pl.Date:
        return pl.Series(values, dtype=pl.Int32).cast(dtype)
    return pl.Series(values, dtype=dtype)


def frame_of(rows, schema=SCHEMA):
    """Lay rows out; what they have no value for isn't asked for."""
    columns = {name: column([row[name] for row in rows], schema[name]) for name in rows[0]}
    return pl.DataFrame(columns or {"_": [0] * len(rows)})


def in_bulk(bound, frame):
    found = frame.select(found=bound.polars)["found"]
    found = found.to_physical() if found.dtype.is_temporal() else found
    return [bits(value) for value in found.to_list()]


def bits(value):
    """Tell -0.0 from 0.0, 1 from 1.0 and from true; NaN is itself."""
    return (type(value).__name__, struct.pack("d", value) if isinstance(value, float) else value)


def assert_same(bound, rows, schema=SCHEMA):
    one = for_one(bound, schema)
    found = [bits(one.call(row)) for row in rows]
    frame = frame_of(rows, schema)
    assert found == in_bulk(bound, frame)
    assert found == [each for at in range(len(rows)) for each in in_bulk(bound, frame[at : at + 1])]
    return one


# Rows ---------------------------------------------------------------------------------------------

TEXTS = [
    *("", "a", "b", "late", "it's", "  b ", "A%b_c\nd", "ÄÖ💥", "straße", "İK"),
    *(
        "12",
        "-7",
        "+12",
        "0012",
        " 12",
        "1_0",
        "9223372036854775808",
        "1.5",
        "-0.0",
        "1e3",
        ".5",
        "1e400",
        "nan",
    ),
    *("true", "False", "TRUE", "no", "١٢"),
    *("2013-01-02", "2013-02-30", "2013-01-02T03:04", "2013-01-02 03:04:05", "2013-01-02T03:04:05.25Z"),
    *("2013-01-02T03:04:05+02:00", "1969-12-31T23:59:59.999999999-0530", "2013-01-02T24:00", "0000-01-01"),
    *(
        "2013-01-02T03:04:05+23:59",
        "2013-01-02T03:60",
        "0001-01-01T00:00+02:00",
        "2013-01-02\n",
        "2013-01-0٢",
    ),
]
whole = st.sampled_from([0, 1, -1, 2, 3, 7, -7, 30, 2**31, 2**53 + 1, -(2**63), 2**63 - 1]) | st.integers(
    -(2**63), 2**63 - 1
)
floats = st.sampled_from([0.0, -0.0, 0.5, -0.5, 2.5, -2.5, 0.49999999999999994, 1e15, 1e308]) | st.floats()
texts = st.sampled_from(TEXTS) | st.text(max_size=6)
truths = st.booleans()
moments = st.sampled_from(
    [
        *(0, -1, YEAR_1, YEAR_1 - 1, YEAR_9999, YEAR_9999 + 1, -(2**63), 2**63 - 1),
        *(1_362_898_799_999_999, 1_362_898_800_000_000, 1_383_458_399_999_999, 1_383_458_400_000_000),
    ]
) | st.integers(-3_000_000_000_000_000, 5_000_000_000_000_000)
values = {
    "i": whole,
    "j": st.sampled_from([0, 1, -1, 5, 2**31 - 1]),
    "u": st.sampled_from([0, 7, 2**63, 2**64 - 1]),
    "x": floats,
    "y": st.floats(width=32),
    "case.x": floats,
    "s": texts,
    "t": texts,
    "case.s": texts,
    "g": st.sampled_from(["a", "late", "b"]),
    "p": truths,
    "q": truths,
    "at": moments,
    "was": moments,
    "naive": moments,
    "there": moments,
    "on": st.sampled_from([0, -719_162, 15_706, 2_932_896, 106_751_991]),
    "for": st.sampled_from([0, -2 * UNITS["h"], 40_000 * DAY, -(2**63), 2**63 - 1]),
}


def rows_for(bound, most):
    """Draw rows of what an expression reads, and one of nulls."""
    row = {name: st.none() | values[name] if name in values else st.none() for name in bound.columns}
    drawn = st.lists(st.fixed_dictionaries(row), min_size=1, max_size=most)
    return drawn.map(lambda found: [*found, dict.fromkeys(bound.columns)])


# Expressions --------------------------------------------------------------------------------------

number = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["i", "j", "u", "x", "y", "case.x", "nothing"]),
        st.sampled_from(["0", "3", "2.5", "9223372036854775807", "(-1)", "(- 0.0)", "null"]),
        infix(["+", "-", "*", "/"], number, number),
        infix(["%"], number, st.sampled_from(["i", "j", "x", "y", "case.x"])),
        infix(["%"], st.sampled_from(["i", "j", "length(s)"]), st.sampled_from(["7", "(-3)", "0"])),
        number.map(lambda inner: f"(- {inner})"),
        *(call(name, number) for name in ("abs", "ceil", "floor", "exp", "ln", "sqrt", "round")),
        *(call(name, number, number) for name in ("least", "greatest", "coalesce", "nullif")),
        call("greatest", number, number, number),
        call("coalesce", number, number, number),
        call("round", number, st.sampled_from(["0", "1", "2", "15"])),
        call("power", number, st.sampled_from(["2", "3.0", "1", "0.5", "(-1)", "null", "(1 / 3)"])),
        call("length", words),
        *(call(f"{unit}_between", instant, instant) for unit in ("seconds", "minutes", "hours", "days")),
        call("cast", words.map("{} as double".format)),
        call("cast", words.map("{} as integer".format)),
        call("cast", st.one_of(number, truth).map("{} as integer".format)),
        call("cast", truth.map("{} as double".format)),
        *(
            call(f"{clock}_{part}", instant)
            for clock in ("local", "utc")
            for part in ("minute", "hour", "weekday", "day", "day_of_year", "month", "year")
        ),
        case(truth, number),
        st.builds("(case {} when {} then {} end)".format, number, number, number),
    )
)
words = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["s", "t", "case.s", "g", "'late'", "''", "'it''s 2h'", "nothing"]),
        infix(["||"], words, words),
        *(call(name, words) for name in ("lower", "upper", "trim")),
        *(call(name, words, words) for name in ("concat", "least", "greatest", "coalesce", "nullif")),
        call("substring", words, st.sampled_from(["i", "0", "-1", "2", "null"])),
        call("substring", words, st.sampled_from(["i", "0", "-1", "2"]), st.sampled_from(["i", "j", "3"])),
        call("replace", words, st.sampled_from(["''", "'t'", "'a'"]), st.sampled_from(["'$0'", "''"])),
        call("cast", st.one_of(number, truth, instant).map("{} as text".format)),
        call("local_date", instant),
        call("utc_date", instant),
        case(truth, words),
        st.builds("(case {} when {} then {} else {} end)".format, words, words, words, words),
    )
)
instant = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["at", "was", "naive", "there", '"on"', "timestamp '2013-06-01'", "nothing"]),
        call("cast", words.map("{} as timestamp".format)),
        call("cast", st.one_of(words, instant).map("{} as date".format)),
        infix(["+", "-"], instant, length),
        infix(["+"], length, instant),
        *(call(name, instant, instant) for name in ("least", "greatest", "coalesce", "nullif")),
        case(truth, instant),
    )
)
length = st.deferred(
    lambda: st.one_of(
        st.sampled_from(['"for"', "2h", "1.5 d", "null"]),
        infix(["-"], instant, instant),
        infix(["+", "-"], length, length),
        infix(["*"], length, number),
        infix(["*"], number, length),
        length.map(lambda inner: f"(- {inner})"),
        case(truth, length),
    )
)
truth = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["p", "q", "true", "false", "null"]),
        infix(["and", "or"], truth, truth),
        st.builds("({} or {} or {})".format, truth, truth, truth),
        truth.map(lambda inner: f"(not {inner})"),
        *(infix(["=", "<>", "<", "<=", ">", ">="], kind, kind) for kind in (number, words, instant, length)),
        infix(["=", "<>"], truth, truth),
        words.map(lambda inner: f"({inner} like '%t_')"),
        st.builds("({} like '{}')".format, words, st.text("a%_tlb", max_size=6)),
        call("starts_with", words, words),
        number.map(lambda inner: f"({inner} in (0, 3, null))"),
        number.map(lambda inner: f"({inner} not in (0, 2.5))"),
        words.map(lambda inner: f"({inner} in ('late', 'a'))"),
        length.map(lambda inner: f"({inner} in (2h, 3d))"),
        infix(["between 0 and"], number, number),
        st.builds("({} not between {} and {})".format, words, words, words),
        st.one_of(number, words, instant, length, truth).map(lambda inner: f"({inner} is null)"),
        st.builds("({} is {})".format, truth, st.sampled_from(["true", "false", "not true", "not false"])),
        call("cast", st.one_of(words, number).map("{} as boolean".format)),
        call("coalesce", truth, truth),
    )
)
anything = st.one_of(number, words, instant, length, truth)


@settings(max_examples=180)
@given(anything, st.data())
def test_one_row_gives_what_a_frame_of_one_or_of_many_gives(text, data):
    try:
        bound = bind(text, SCHEMA, where="here", timezone=NEW_YORK)
    except FaultsError:
        return
    assert_same(bound, data.draw(rows_for(bound, 4)))


# Each form by itself, over more rows ---------------------------------------------------------------

FORMS = [
    *("i", "j", "u", "x", "y", "case.x", "s", "g", "p", "at", "naive", "there", '"on"', '"for"'),
    *(
        "i + j",
        "i - u",
        "i * i",
        "i / j",
        "i % j",
        "i % 7",
        "x + i",
        "x - y",
        "x * case.x",
        "x / y",
        "x / 3",
        "3.7 / x",
    ),
    *("- i", "- x", '- "for"', "abs(i)", "abs(x)", "(x - y) * 2 + 1", "x / y > 1", "coalesce(x * 1e300, 7)"),
    *("at - 2h", "at + i * 1s", "at - was", '"for" * x', '2 * "for" + 3d', 'was - "for"', '"on" + 1d'),
    *("i = j", "i < x", "x >= 2.5", "x = -0.0", "s <> t", "s < 'late'", "at <= was", '"for" > 2h', "p = q"),
    *("p and q", "p or q", "not p", "p or q or i > 3", "p and q and x < 1 and s = t"),
    *("s is null", "x is not null", "p is true", "p is not false"),
    *("i in (0, 3, null)", "x in (0, 2.5)", "s in ('late', 'a')", "at in (timestamp '1970-01-01')"),
    *("i between 0 and j", "s not between 'a' and t", "x between i and 1e15"),
    *("s like 'l%'", "s like '%t_'", "s like '%a%'", "s like 'late'", "s not like '%'", "s like 'A\\%_b%'"),
    *("case when p then 1 when q then 2.5 end", "case s when 'late' then t when t then 'b' else s end"),
    "case when p or q or x > 30 then 'late' else 'on_time' end",
    *("ceil(x)", "floor(x)", "ceil(i)", "round(x)", "round(x, 2)", "round(x, 15)", "round(i, 2)"),
    *("exp(x)", "ln(x)", "ln(abs(x) + 1)", "sqrt(x)", "power(x, 2)", "power(x, 3)", "power(x, 0.5)"),
    *(
        "least(i, x)",
        "greatest(x, y, case.x)",
        "least(s, t)",
        "coalesce(x, i, 0)",
        "nullif(x, 0)",
        "nullif(s, t)",
    ),
    *("lower(s)", "upper(s)", "trim(s)", "length(s)", "s || t || 'b'", "concat(s, t)", "starts_with(s, t)"),
    *("substring(s, 2)", "substring(s, i, j)", "replace(s, 'a', '$0')", "replace(s, '', 'b')"),
    *(
        "cast(s as integer)",
        "cast(s as double)",
        "cast(s as boolean)",
        "cast(s as timestamp)",
        "cast(s as date)",
    ),
    *("cast(i as text)", "cast(x as text)", "cast(p as text)", "cast(at as text)", "cast(at as date)"),
    *(
        "cast(x as integer)",
        "cast(i as double)",
        "cast(p as integer)",
        "cast(x as boolean)",
        "try_cast(u as text)",
    ),
    *(f"{unit}_between(at, was)" for unit in ("seconds", "minutes", "hours", "days")),
    *(
        f"{clock}_{part}(at)"
        for clock in ("local", "utc")
        for part in ("minute", "hour", "weekday", "day", "day_of_year", "month", "year", "date")
    ),
    *("nothing is null", "coalesce(nothing, i)", "null = i", "1 + 2 * 3 = i", "s = case.s and x > case.x"),
]


@pytest.mark.parametrize("text", FORMS)
@settings(max_examples=6)
@given(data=st.data())
def test_each_form_is_native_and_gives_what_a_frame_gives(text, data):
    bound = bind(text, SCHEMA, where="here", timezone=NEW_YORK)
    assert assert_same(bound, data.draw(rows_for(bound, 12))).native


@pytest.mark.parametrize("text", ["x % y", "power(x, -1)", "power(i, 1.7)"])
@settings(max_examples=6)
@given(data=st.data())
def test_what_is_not_covered_is_left_to_a_frame(text, data):
    bound = bind(text, SCHEMA, where="here")
    assert not assert_same(bound, data.draw(rows_for(bound, 4))).native


@pytest.mark.parametrize("unit", ["ms", "ns"])
def test_rows_keep_microseconds_whatever_the_unit_of_the_column(unit):
    schema = {"at": pl.Datetime(unit, "UTC"), "for": pl.Duration(unit)}
    row = {"at": 5 * UNITS["h"], "for": -2 * UNITS["h"]}
    assert for_one(bind('at + "for"', schema, where="here"), schema)(row) == 3 * UNITS["h"]
    assert for_one(Expression("at", ("at",), schema["at"], pl.col("at")), schema)(row) == 5 * UNITS["h"]
    assert (
        for_one(Expression("!", ("at",), schema["at"], pl.col("at").shift(0)), schema)(row) == 5 * UNITS["h"]
    )


def test_a_constant_is_worked_out_once():
    for text in ("power(2, 10)", "5.5 % 2", "case when true then 2h end", "cast(null as text)", "1 / 0"):
        bound = bind(text, {}, where="here")
        assert assert_same(bound, [{}, {}]).native


# Time zones ---------------------------------------------------------------------------------------

ZONES = [
    *("America/New_York", "Europe/Berlin", "Asia/Tokyo", "Australia/Lord_Howe", "Asia/Kathmandu"),
    *("Pacific/Apia", "America/St_Johns", "Africa/Casablanca", "Europe/Amsterdam", "Africa/Monrovia"),
]


def turns_of(zone):
    """Find the instants at which a zone's offset turns, of 1800 to 2100, by halving."""

    def offsets(instants):
        at = pl.Series(instants, dtype=pl.Int64)
        local = at.cast(INSTANT).dt.convert_time_zone(zone).dt.replace_time_zone(None)
        return local.cast(pl.Int64) - at

    grid = pl.int_range(-5_400_000_000_000_000, 4_100_000_000_000_000, DAY, eager=True)
    before = grid.filter((offsets(grid).diff(-1) != 0).fill_null(value=False))
    low, high = before, before + DAY
    for _ in range(40):
        middle = (low + high) // 2
        same = offsets(middle) == offsets(before)
        low, high = middle.zip_with(same, low), high.zip_with(same, middle)
    return high.to_list()


@pytest.mark.parametrize("zone", ZONES)
def test_local_time_turns_when_it_does_in_a_frame(zone):
    turns = turns_of(zone)
    instants = [turn + by for turn in turns for by in (-3_600_000_000, -1_000_000, -1, 0, 1, 1_800_000_000)]
    schema = {"at": INSTANT}
    for text in ("local_date(at)", "local_hour(at) * 60 + local_minute(at)"):
        bound = bind(text, schema, where="here", timezone=zone)
        one = for_one(bound, schema)
        assert one.native
        found = [bits(one.call({"at": at})) for at in instants]
        assert found == in_bulk(bound, frame_of([{"at": at} for at in instants], schema))
    assert turns


# What a brief binds -------------------------------------------------------------------------------


def text_columns(*names):
    return dict.fromkeys(names, pl.String())


def instants(*names):
    return dict.fromkeys(names, INSTANT)


def floating(*names):
    return dict.fromkeys(names, pl.Float64())


COLUMNS = {
    "flights": {
        "flights": {
            **text_columns("flight_id", "carrier", "origin", "dest"),
            "number": pl.Int64(),
            "distance": pl.Float64(),
            **instants("sched_dep", "published_at"),
        },
        "arrivals": {
            **text_columns("flight_id", "origin"),
            "cancelled": pl.Boolean(),
            "diverted": pl.Boolean(),
            **floating("arr_delay"),
            **instants("arrived_at"),
        },
        "board": {
            **text_columns("flight_id", "origin", "carrier", "state"),
            **floating("dep_delay"),
            **instants("left_at", "sched_dep", "shown_at"),
        },
        "weather": {
            **text_columns("origin"),
            **floating("temp", "dewp", "wind_speed", "precip", "pressure", "visib"),
            **instants("observed_at"),
        },
    },
    "support-desk": {
        "tickets": {
            **text_columns("ticket_id", "customer_id", "channel", "product", "language", "tier"),
            **dict.fromkeys(("says_invoice", "says_error", "says_login"), pl.Boolean()),
            "words": pl.Int64(),
            **instants("opened_at", "received_at"),
        },
        "resolutions": {
            **text_columns("ticket_id", "customer_id", "team"),
            **instants("solved_at", "recorded_at"),
        },
        "customers": {**text_columns("customer_id", "region"), "seats": pl.Int64()},
    },
}


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_every_expression_of_the_examples_is_native(name):
    brief = read_brief((Path(__file__).parents[1] / "examples" / name / "brief.toml").read_text("utf-8"))
    sources = {source: pl.Schema(columns) for source, columns in COLUMNS[name].items()}
    bound = bind_brief(brief, sources)
    case_columns = sources[brief.case.source]
    seen = {**sources, "outcomes": {**case_columns, "truth": pl.String()}}
    asked = [(bound.decide_at, case_columns)]
    asked.append(
        (bound.truth, {**sources[brief.outcome.source], **{f"case.{c}": t for c, t in case_columns.items()}})
    )
    asked += [(expression, case_columns) for expression in bound.worth.values()]
    asked += [(bound.status_quo, case_columns)] if bound.status_quo else []
    for feature in bound.features:
        if isinstance(feature, Derived):
            asked.append((feature.expression, case_columns))
        elif isinstance(feature, Window):
            asked += [(each, seen[feature.source]) for each in (feature.value, feature.where) if each]
    assert len(asked) > 10
    assert [expression.text for expression, schema in asked if not for_one(expression, schema).native] == []


def made_of(text, expr, *columns):
    """Put an expression together, as the binding of a brief does."""
    return Expression(text, columns, pl.Boolean(), expr)


@settings(max_examples=30)
@given(st.data())
def test_two_conditions_put_together_are_native(data):
    one, other = bind("s = 'late'", SCHEMA, where="here"), bind("x / y > 2 or p", SCHEMA, where="here")
    both = made_of("(s = 'late') and (x / y > 2 or p)", one.polars & other.polars, "p", "s", "x", "y")
    assert assert_same(both, data.draw(rows_for(both, 4))).native


def test_a_text_that_says_something_else_is_not_believed():
    made = made_of("i > 3", pl.col("i") > 4, "i")
    assert not assert_same(made, [{"i": value} for value in (3, 4, 5, None)]).native


def test_expressions_that_are_no_texts_are_answered_too():
    assert for_one(AT_ONCE, {})({}) == 0
    assert for_one(WHEN_KNOWN, {})({KNOWN: 7}) == 7
