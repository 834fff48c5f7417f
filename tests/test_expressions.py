"""Expressions: one row at a time, three-valued, and nothing but what is listed."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_series_equal

from wholeroad.core.errors import FaultsError
from wholeroad.core.expressions import Expression, bind, check_syntax
from wholeroad.core.expressions.allowed import CASTS, FUNCTIONS, OPERATORS, TYPES
from wholeroad.core.expressions.functions import FUNCTIONS as BUILDS
from wholeroad.core.expressions.syntax import Atom, parse
from wholeroad.core.expressions.tokens import scan
from wholeroad.core.instants import UNITS, parse_instant

INSTANT = pl.Datetime("us", "UTC")
SCHEMA = {
    "i": pl.Int64(),
    "j": pl.Int32(),
    "x": pl.Float64(),
    "y": pl.Float32(),
    "s": pl.String(),
    "t": pl.String(),
    "p": pl.Boolean(),
    "q": pl.Boolean(),
    "at": INSTANT,
    "was": INSTANT,
    "for": pl.Duration("us"),
}
NEW_YORK = "America/New_York"


def value_of(text, row=None, schema=None, **options):
    """Bind over one row, and give what comes out."""
    row = row or {}
    types = schema or {name: SCHEMA[name] for name in row}
    bound = bind(text, types, where="here", **options)
    frame = pl.DataFrame({name: [value] for name, value in row.items()} or {"_": [0]}, schema=types or None)
    found = frame.select(found=bound.polars)["found"]
    assert found.dtype == bound.dtype
    assert len(found) == 1
    return found[0]


def faults_of(text, schema=None, **options):
    with pytest.raises(FaultsError) as caught:
        bind(text, SCHEMA if schema is None else schema, where="[feature] x", **options)
    return caught.value.faults


def codes_of(text, schema=None, **options):
    return [fault.code.removeprefix("expression.") for fault in faults_of(text, schema, **options)]


# Law: a row's result doesn't depend on other rows ------------------------------------------------

WHOLE = [0, 1, -1, 2, 3, 7, -7, 30, 2**31, -(2**63), 2**63 - 1, None]
numbers = {
    "i": st.sampled_from(WHOLE),
    "j": st.sampled_from([0, 1, -1, 5, 2**31 - 1, None]),
    "x": st.sampled_from([0.0, -0.0, 0.5, -2.5, 1e308, float("nan"), float("inf"), None]),
    "y": st.sampled_from([0.0, 1.5, -3.0, float("-inf"), None]),
}
TEXTS = [
    "",
    "a",
    "late",
    "it's",
    "  b ",
    "ÄÖ💥",
    "2013-01-02",
    "2013-01-02T03:04:05+02:00",
    "12",
    "1.5",
    None,
]
moments = st.sampled_from(
    [
        datetime(2013, 3, 10, 7, tzinfo=UTC),
        datetime(2013, 11, 3, 5, 59, 59, 999_999, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        None,
    ]
)
rows = st.fixed_dictionaries(
    {
        **numbers,
        "s": st.sampled_from(TEXTS),
        "t": st.sampled_from(TEXTS),
        "p": st.sampled_from([True, False, None]),
        "q": st.sampled_from([True, False, None]),
        "at": moments,
        "was": moments,
        "for": st.sampled_from([timedelta(0), timedelta(hours=-2), timedelta(days=40_000), None]),
    }
)


def call(name, *arguments):
    return st.tuples(*arguments).map(lambda parts: f"{name}({', '.join(parts)})")


def infix(operators, left, right):
    return st.tuples(left, st.sampled_from(operators), right).map(lambda parts: f"({' '.join(parts)})")


def case(conditions, values):
    branch = st.tuples(conditions, values).map(lambda pair: f"when {pair[0]} then {pair[1]}")
    branches = st.lists(branch, min_size=1, max_size=3).map(" ".join)
    otherwise = st.one_of(st.just(""), values.map(lambda value: f" else {value}"))
    return st.tuples(branches, otherwise).map(lambda parts: f"(case {parts[0]}{parts[1]} end)")


number = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["i", "j", "x", "y", "0", "3", "2.5", "9223372036854775807", "(-1)", "null"]),
        infix(["+", "-", "*", "/", "%"], number, number),
        number.map(lambda inner: f"(- {inner})"),
        *(call(name, number) for name in ("abs", "ceil", "floor", "exp", "ln", "sqrt", "round")),
        *(call(name, number, number) for name in ("least", "greatest", "coalesce", "nullif")),
        call("power", number, st.sampled_from(["2", "0.5", "(-1)", "null", "(1 / 3)"])),
        call("length", words),
        call("hours_between", instant, instant),
        call("local_hour", instant),
        call("cast", words.map("{} as double".format)),
        call("cast", number.map("{} as integer".format)),
        case(truth, number),
    )
)
words = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["s", "t", "'late'", "''", "'it''s 2h'"]),
        infix(["||"], words, words),
        *(call(name, words) for name in ("lower", "upper", "trim")),
        call("substring", words, st.sampled_from(["i", "0", "-1", "2"]), st.sampled_from(["j", "3"])),
        call("replace", words, st.sampled_from(["''", "'t'"]), st.sampled_from(["'$0'", "''"])),
        call("cast", number.map("{} as text".format)),
        call("cast", instant.map("{} as text".format)),
        call("local_date", instant),
        case(truth, words),
    )
)
instant = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["at", "was", "timestamp '2013-06-01'", "cast(s as timestamp)"]),
        infix(["+", "-"], instant, st.sampled_from(["2h", "1.5 d", "for", "(i * 1s)", "null"])),
        call("least", instant, instant),
        case(truth, instant),
    )
)
truth = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["p", "q", "true", "false", "null"]),
        infix(["and", "or"], truth, truth),
        truth.map(lambda inner: f"(not {inner})"),
        infix(["=", "<>", "<", "<=", ">", ">="], number, number),
        infix(["=", "<>", "<", ">="], words, words),
        infix(["=", "<"], instant, instant),
        words.map(lambda inner: f"({inner} like '%t_')"),
        number.map(lambda inner: f"({inner} in (0, 3, null))"),
        infix(["between 0 and"], number, number),
        st.one_of(number, words, instant, truth).map(lambda inner: f"({inner} is null)"),
        truth.map(lambda inner: f"({inner} is not true)"),
    )
)


@settings(max_examples=120)
@given(st.one_of(number, words, instant, truth), st.lists(rows, min_size=1, max_size=6))
def test_a_row_alone_gives_what_it_gives_among_others(text, given_rows):
    try:
        bound = bind(text, SCHEMA, where="here", timezone=NEW_YORK)
    except FaultsError as error:
        assert {fault.code for fault in error.faults} <= {  # noqa: PT017
            "expression.type-mismatch",
            "expression.result-type",
            "expression.too-deep",
        }
        return
    frame = pl.DataFrame(given_rows, schema=SCHEMA)
    whole = frame.select(found=bound.polars)["found"]
    assert whole.dtype == bound.dtype
    assert len(whole) == len(frame)
    alone = pl.concat([frame[at : at + 1].select(found=bound.polars)["found"] for at in range(len(frame))])
    assert_series_equal(whole, alone, check_exact=True)
    assert_series_equal(whole, frame.lazy().with_columns(found=bound.polars).collect()["found"])
    if bound.dtype == pl.Float64:
        assert whole.is_finite().all()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "x / 3",
            "x / 3.7",
            "x / (1 + 2.7)",
            "3.7 / x",
            "x / y",
            "x / (y - 1)",
            "(x + y) / 7",
            "i / 7",
            "i / i",
        ),
        *("x % 3.7", "3.7 % x", "x % y", "i % 7", "x * 3.7", "x - y * 0.1", "power(x, 2)", "power(x, 0.5)"),
        *("power(x, 1.0 / 3)", "power(1.5, 3)", "exp(y)", "ln(x)", "sqrt(x)"),
        *("round(x, 2)", "floor(x / 3)", "least(x, y) / 3", "case when y > 0 then x / 3 else y / 7 end"),
        *("hours_between(at, at + i * 1us)", "days_between(at, at + i * 1s)", "for * y", "cast(x as text)"),
    ],
)
def test_batches_of_any_size_agree_to_the_last_bit(text):
    """Some kernels of Polars differ between one row and many: dividing by a constant, powers."""
    dice = np.random.default_rng(7)
    count = 600
    frame = pl.DataFrame(
        {
            "x": dice.lognormal(0, 3, count),
            "y": dice.normal(0, 2, count),
            "i": dice.integers(-(10**9), 10**9, count),
            "at": [datetime(2013, 1, 1, tzinfo=UTC)] * count,
            "for": [timedelta(hours=1)] * count,
        },
        schema={name: pl.Float64() if name == "y" else SCHEMA[name] for name in ("x", "y", "i", "at", "for")},
    )
    bound = bind(text, frame.schema, where="here").polars
    whole = frame.select(found=bound)["found"]
    for size in (1, 7):
        parts = [frame[at : at + size].select(found=bound)["found"] for at in range(0, count, size)]
        assert pl.concat(parts).to_list() == whole.to_list()


# Law: three-valued logic, and case never falls through an unknown -------------------------------

ATOMS = {"p": None, "q": None, "true": True, "false": False, "null": None}


@st.composite
def logic(draw, depth=3):  # noqa: PLR0911 (a return for each form)
    """Draw a text, and a function that gives what it means for a row."""
    kind = draw(st.sampled_from(["atom", "compare", "and", "or", "not", "case", "simple", "is"]))
    if depth == 0 or kind == "atom":
        name = draw(st.sampled_from(sorted(ATOMS)))
        return name, lambda row: row.get(name, ATOMS[name])
    if kind == "compare":
        sign = draw(st.sampled_from(["=", "<>", "<", ">="]))
        return f"i {sign} j", lambda row: compared(sign, row["i"], row["j"])
    parts = [draw(logic(depth=depth - 1)) for _ in range(4)]
    (a, means_a), (b, means_b), (c, means_c), (d, means_d) = parts
    if kind == "not":
        return f"not ({a})", lambda row: None if means_a(row) is None else not means_a(row)
    if kind == "is":
        return f"({a}) is null", lambda row: means_a(row) is None
    if kind in ("and", "or"):
        return f"({a}) {kind} ({b})", lambda row: kleene(kind, means_a(row), means_b(row))
    if kind == "case":
        text = f"case when {a} then {b} when {c} then {d} else {b} end"
        return text, lambda row: chosen(
            [(means_a(row), means_b(row)), (means_c(row), means_d(row))], means_b(row)
        )
    text = f"case ({a}) when ({b}) then {c} else {d} end"
    return text, lambda row: chosen([(compared("=", means_a(row), means_b(row)), means_c(row))], means_d(row))


def compared(sign, left, right):
    if left is None or right is None:
        return None
    return {"=": left == right, "<>": left != right, "<": left < right, ">=": left >= right}[sign]


def kleene(word, left, right):
    if word == "and":
        return False if left is False or right is False else None if None in (left, right) else True
    return True if left is True or right is True else None if None in (left, right) else False


def chosen(branches, otherwise):
    for condition, value in branches:
        if condition is None:
            return None
        if condition:
            return value
    return otherwise


@settings(max_examples=120)
@given(
    logic(),
    st.lists(
        st.fixed_dictionaries(
            {
                "i": st.sampled_from([1, 2, None]),
                "j": st.sampled_from([1, 2, None]),
                "p": st.sampled_from([True, False, None]),
                "q": st.sampled_from([True, False, None]),
            }
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_conditions_are_three_valued_and_a_null_condition_is_never_else(drawn, given_rows):
    text, means = drawn
    schema = {name: SCHEMA[name] for name in "ijpq"}
    bound = bind(text, schema, where="here", expects="boolean")
    found = pl.DataFrame(given_rows, schema=schema).select(found=bound.polars)["found"].to_list()
    assert found == [means(row) for row in given_rows]


# Law: no text makes the check raise; spans never touch quoted text -------------------------------

PIECES = st.sampled_from(
    [
        *(*OPERATORS, *FUNCTIONS, *TYPES, *UNITS, "case", "when", "then", "else", "end", "as", "cast"),
        *("(", ")", ",", ".", "'", '"', ";", "--", "/*", "*/", "{{", "}}", "[", "::", "->", "$$", "\\"),
        *("select", "from", "over", "interval", "timestamp", "null", "x", "2", "1.5", "1e400", " ", "\n"),
        *("case.", "\x00", "\uff12"),
    ]
)


@settings(max_examples=300)
@given(
    st.one_of(
        st.text(max_size=60), st.lists(PIECES, max_size=25).map(" ".join), st.lists(PIECES).map("".join)
    )
)
def test_no_text_makes_check_or_bind_raise_anything_else(text):
    faults = check_syntax(text, where="here")
    assert all(fault.code.startswith("expression.") and fault.where.startswith("here") for fault in faults)
    try:
        bound = bind(text, SCHEMA, where="here", timezone="UTC")
    except FaultsError:
        return
    assert not faults
    assert isinstance(bound, Expression)


@settings(max_examples=150)
@given(st.text(max_size=20), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]))
def test_a_span_in_quotes_stays_what_it_is(text, unit, gap):
    held = f"{text}2{gap}{unit}"
    tokens, faults = scan("'" + held.replace("'", "''") + "'", where="here")
    assert not faults
    assert [(token.atom, token.text) for token in tokens] == [("text", held)]
    tokens, faults = scan('"' + held.replace('"', '""') + '"', where="here")
    assert not faults
    assert [(token.atom, token.text) for token in tokens] == [("quoted", held)]


@given(st.integers(0, 10**6), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " ", "  "]))
def test_a_number_and_a_unit_are_a_span(count, unit, gap):
    tree, _ = parse(f"{count}{gap}{unit}", where="here")
    assert isinstance(tree, Atom)
    assert (tree.kind, int(tree.text)) == ("span", count * UNITS[unit])


# The brief's expressions --------------------------------------------------------------------------

TRUTH = "case when cancelled or diverted or arr_delay > 30 then 'late' else 'on_time' end"


def test_the_truth_of_the_flights_is_three_valued():
    schema = {"cancelled": pl.Boolean(), "diverted": pl.Boolean(), "arr_delay": pl.Float64()}
    frame = pl.DataFrame(
        {
            "cancelled": [True, False, False, False, False, None],
            "diverted": [False, True, False, False, False, False],
            "arr_delay": [None, None, 31.0, 30.0, None, 5.0],
        },
        schema=schema,
    )
    truth_of = bind(TRUTH, schema, where="[outcome] truth", expects="text")
    assert truth_of.columns == ("arr_delay", "cancelled", "diverted")
    assert frame.select(found=truth_of.polars)["found"].to_list() == [
        "late",
        "late",
        "late",
        "on_time",
        None,
        None,
    ]


def test_coalesce_and_is_null_are_the_way_out_of_unknown():
    assert value_of("case when coalesce(p, false) then 1 else 2 end", {"p": None}) == 2
    assert value_of("case when p is null then 1 else 2 end", {"p": None}) == 1
    assert value_of("case when p is true then 1 else 2 end", {"p": None}) == 2


def test_an_earlier_true_condition_wins_over_a_later_unknown():
    assert value_of("case when true then 1 when p then 2 end", {"p": None}) == 1
    assert value_of("case when p then 1 when true then 2 end", {"p": None}) is None
    assert value_of("case i when 1 then 'one' else 'more' end", {"i": None}) is None


def test_the_case_has_a_namespace():
    schema = {"dest": pl.String(), "case.dest": pl.String()}
    bound = bind("dest = case.dest", schema, where="here")
    assert bound.columns == ("case.dest", "dest")
    assert (
        value_of("case case.dest when dest then 1 else 0 end", {"dest": "a", "case.dest": "a"}, schema) == 1
    )
    assert codes_of("case.dest = dest", {"dest": pl.String()}) == ["unknown-column"]


@pytest.mark.parametrize(
    "span", ["2h", "2 h", "120min", "interval '2 hours'", "interval '2' hour", "INTERVAL 2 HOUR"]
)
def test_spans_move_instants(span):
    row = {"at": datetime(2013, 1, 1, 1, tzinfo=UTC)}
    assert value_of(f"at - {span}", row, expects="instant") == datetime(2012, 12, 31, 23, tzinfo=UTC)


def test_time_is_arithmetic():
    row = {"at": datetime(2013, 1, 2, tzinfo=UTC), "was": datetime(2013, 1, 1, 12, tzinfo=UTC), "i": 3}
    assert value_of("at - was", row) == timedelta(hours=12)
    assert value_of("hours_between(was, at)", row, expects="number") == 12.0
    assert value_of("minutes_between(at, was)", row) == -720.0
    assert value_of("days_between(was, at + 1.5d)", row) == 2.0
    assert value_of("at - was > 11h and at - was < .5d + 1s", row)
    assert value_of("was + i * 20min", row) == datetime(2013, 1, 1, 13, tzinfo=UTC)
    assert value_of("at > timestamp '2013-01-01T23:59:59Z' and at = date '2013-01-02'", row)
    assert value_of("was between timestamp '2013-01-01' and at", row)


@pytest.mark.parametrize(
    ("at", "hour", "day"),
    [
        ("2013-03-10T06:59:59Z", 1, "2013-03-10"),  # the hour from 2 to 3 is left out
        ("2013-03-10T07:00:00Z", 3, "2013-03-10"),
        ("2013-03-10T04:59:59Z", 23, "2013-03-09"),
        ("2013-11-03T05:30:00Z", 1, "2013-11-03"),  # the hour from 1 to 2 comes twice
        ("2013-11-03T06:30:00Z", 1, "2013-11-03"),
        ("2013-11-03T07:00:00Z", 2, "2013-11-03"),
    ],
)
def test_local_time_follows_daylight_saving(at, hour, day):
    row = {"at": datetime.fromisoformat(at)}
    assert value_of("local_hour(at)", row, timezone=NEW_YORK) == hour
    assert value_of("local_date(at)", row, timezone=NEW_YORK) == day


def test_the_calendar():
    row = {"at": datetime(2013, 12, 31, 23, 45, tzinfo=UTC)}
    parts = ["minute", "hour", "weekday", "day", "day_of_year", "month", "year", "date"]
    assert [value_of(f"utc_{part}(at)", row) for part in parts] == [
        45,
        23,
        2,
        31,
        365,
        12,
        2013,
        "2013-12-31",
    ]
    tokyo = [value_of(f"local_{part}(at)", row, timezone="Asia/Tokyo") for part in parts]
    assert tokyo == [45, 8, 3, 1, 1, 1, 2014, "2014-01-01"]


def test_local_time_needs_a_time_zone():
    (fault,) = faults_of("local_hour(at)")
    assert fault.code == "expression.no-timezone"
    assert "timezone" in fault.fix
    assert codes_of("local_hour(at)", timezone="Mars/Olympus") == ["unknown-timezone"]


# What comes out -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 / 2", 0.5),
        ("1 / 0", None),
        ("0.0 / 0", None),
        ("5 % 0", None),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("-7.5 % 2", -1.5),
        ("2 + 3 * 4 - 1", 13),
        ("9223372036854775807 + 1", None),
        ("9223372036854775807 * 2 - 1", None),
        ("1e308 * 10", None),
        ("1e308 * 10 > 1", None),
        ("ln(0)", None),
        ("ln(-1)", None),
        ("sqrt(-1)", None),
        ("exp(1000)", None),
        ("power(2, 10)", 1024.0),
        ("power(-8, 0.5)", None),
        ("abs(-3)", 3),
        ("abs(-2.5)", 2.5),
        ("abs(0 / 0)", None),
        ("coalesce(-abs(1 / 0), 3)", 3.0),
        ("round(2.5)", 3.0),
        ("round(-2.5)", -3.0),
        ("round(2.345, 1)", 2.3),
        ("round(7)", 7),
        ("floor(-1.5)", -2.0),
        ("ceil(1.2)", 2.0),
        ("least(3, 1.5)", 1.5),
        ("greatest(3, null, 1)", None),
        ("coalesce(null, 2, 3)", 2),
        ("nullif(2, 2)", None),
        ("nullif(2, null)", 2),
        ("'it''s' || ' 2h'", "it's 2h"),
        ("'a' || null", None),
        ("concat('a', 'b', 'c')", "abc"),
        ("length('ÄÖ💥')", 3),
        ("upper('straße')", "STRASSE"),
        ("trim('  a b ')", "a b"),
        ("substring('late', 2)", "ate"),
        ("substring('late', 2, 2)", "at"),
        ("substring('late', -1, 4)", "la"),
        ("substring('late', 1, -1)", ""),
        ("substring('late', 9223372036854775807)", ""),
        ("replace('a.b.c', '.', '$1')", "a$1b$1c"),
        ("replace('abc', '', 'x')", "abc"),
        ("starts_with('late', 'la')", True),
        ("'a.c' like 'a.c'", True),
        ("'abc' like 'a.c'", False),
        ("'a\nc' like 'a_c'", True),
        ("'late' like 'l%e'", True),
        ("'late' not like '%a'", True),
        ("'' like '%'", True),
        ("'a\\d+[' like '%\\d+['", True),
        ("null like 'a'", None),
        ("2 in (1, 2)", True),
        ("3 in (1, 2, null)", None),
        ("2 in (1, 2, null)", True),
        ("3 not in (1, -2)", True),
        ("'a' in ('b')", False),
        ("2h in (120min)", True),
        ("2 between 1 and null", None),
        ("0 between 1 and null", False),
        ("not null", None),
        ("null is null", True),
        ("2 = 2.0", True),
        ("cast('12' as integer)", 12),
        ("cast('12.5' as integer)", None),
        ("cast(12.9 as integer)", 12),
        ("cast(-12.9 as integer)", -12),
        ("cast(1e30 as integer)", None),
        ("cast('late' as double)", None),
        ("cast('nan' as double)", None),
        ("cast('inf' as double) > 0", None),
        ("cast('1e3' as number)", 1000.0),
        ("cast(true as integer)", 1),
        ("cast(2 as boolean)", True),
        ("cast('False' as boolean)", False),
        ("cast('no' as boolean)", None),
        ("cast(12 as text)", "12"),
        ("cast(false as text)", "false"),
        ("cast(timestamp '2013-01-01T05:00+02:00' as text)", "2013-01-01T03:00:00Z"),
        ("try_cast('x' as integer)", None),
        ("case when false then 1 end is null", True),
        ("case when 1 > 2 then 1 else 2.5 end", 2.5),
    ],
)
def test_values(text, wanted):
    found = value_of(text)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2013-01-02",
            "2013-01-02T03:04",
            "2013-01-02 03:04:05",
            "2013-01-02T03:04:05.25",
            "2013-01-02T03:04Z",
        ),
        *("2013-01-02T03:04:05+02:00", "2013-01-02T03:04:05.000001-0530", "2012-02-29"),
    ],
)
def test_text_is_read_as_an_instant_as_literals_are(text):
    found = value_of("cast(s as timestamp)", {"s": text})
    assert found == value_of(f"timestamp '{text}'")
    assert found == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=parse_instant(text))


@pytest.mark.parametrize(
    "text", ["", "late", "2013-02-30", "2013-1-2", "02/01/2013", "2013-01-02T25:00", "20130102"]
)
def test_text_that_is_no_instant_is_null(text):
    assert value_of("cast(s as timestamp)", {"s": text}) is None


def test_a_column_may_have_any_width_and_any_clock():
    schema = {
        "tiny": pl.Int8(),
        "huge": pl.UInt64(),
        "price": pl.Decimal(10, 2),
        "half": pl.Float32(),
        "group": pl.Enum(["a", "b"]),
        "on": pl.Date(),
        "naive": pl.Datetime("ms"),
        "berlin": pl.Datetime("ns", "Europe/Berlin"),
        "empty": pl.Null(),
    }
    row = {
        "tiny": 3,
        "huge": 2**64 - 1,
        "price": 2,
        "half": 0.5,
        "group": "b",
        "on": date(2013, 1, 1),
        "naive": datetime(2013, 1, 1),  # noqa: DTZ001
        "berlin": datetime(2013, 1, 1, tzinfo=UTC),
        "empty": None,
    }
    assert value_of("tiny + 1", row, schema) == 4
    assert value_of("huge", row, schema) is None
    assert value_of("price * half", row, schema) == 1.0
    assert value_of("\"group\" = 'b' and \"group\" > 'a'", row, schema) is True
    assert value_of('"on" = naive and naive = berlin', row, schema) is True
    assert value_of("coalesce(empty, tiny)", row, schema) == 3
    assert codes_of("l", {"l": pl.List(pl.Int64())}) == ["column-type"]


@pytest.mark.parametrize("name", ["x", "y"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_finite_number_is_null(name, value):
    assert value_of(name, {name: value}) is None
    assert value_of(f"{name} > 0", {name: value}) is None
    assert value_of(f"{name} is null", {name: value}) is True
    assert value_of(f"coalesce({name} * 2 + 1, 7)", {name: value}) == 7.0


def test_a_constant_gives_one_value_per_row():
    frame = pl.DataFrame({"i": [1, 2, 3]})
    for text, dtype in [("1 + 1", pl.Int64), ("null", pl.Float64), ("2.5", pl.Float64)]:
        bound = bind(text, {}, where="here", expects="number")
        assert bound.columns == ()
        assert frame.select(found=bound.polars)["found"].dtype == dtype
        assert frame.select(found=bound.polars).height == 3
        assert frame.head(0).select(found=bound.polars).height == 0
    folded = bind("case null when null then i else 1 end", SCHEMA, where="here")
    assert frame.select(found=folded.polars).height == 3
    assert frame.filter(bind("true", {}, where="here").polars).height == 3


def test_equal_texts_over_equal_schemas_are_equal():
    one, two = (bind("i + 1", SCHEMA, where=where) for where in ("here", "there"))
    assert one == two
    assert hash(one) == hash(two)


# What is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("count(*)", "aggregate"),
        ("sum(i)", "aggregate"),
        ("i - avg(i)", "aggregate"),
        ("max(i, j)", "aggregate"),
        ("row_number()", "window"),
        ("lag(i)", "window"),
        ("i over (partition by j)", "window"),
        ("(select 1)", "subquery"),
        ("i in (select i from u)", "subquery"),
        ("exists(select 1)", "subquery"),
        ("now()", "clock"),
        ("at - NOW()", "clock"),
        ("current_timestamp", "clock"),
        ("current_date", "clock"),
        ("today()", "clock"),
        ("random()", "chance"),
        ("uuid()", "chance"),
        ("i as k", "alias"),
        ("i k", "alias"),
        ("i 'k'", "alias"),
        ("'a' 'b'", "alias"),
        ("at - 2 foo", "span"),
        ("at - 2foo", "span"),
        ("at - 1e3h", "span"),
        ("interval 'soon'", "span"),
        ("99999999999w", "span"),
        ("timestamp 'soon'", "instant"),
        ("timestamp '2013-02-30'", "instant"),
        ("i; j", "not-allowed"),
        ("i -- j", "not-allowed"),
        ("--", "not-allowed"),
        ("i /* j */", "not-allowed"),
        ("i # j", "not-allowed"),
        ("i::text", "not-allowed"),
        ("i[1]", "not-allowed"),
        ("[1, 2]", "not-allowed"),
        ("{'a': 1}", "not-allowed"),
        ("{{ i }}", "not-allowed"),
        ("i -> j", "not-allowed"),
        ("?", "not-allowed"),
        (":i", "not-allowed"),
        ("@i", "not-allowed"),
        ("$1", "not-allowed"),
        ("$$i$$", "not-allowed"),
        ("`i`", "not-allowed"),
        ("i == j", "not-allowed"),
        ("i ** 2", "not-allowed"),
        ("!p", "not-allowed"),
        ("u.i", "not-allowed"),
        ("s ilike 'a'", "not-allowed"),
        ("s similar to 'a'", "not-allowed"),
        ("s like 'a!%' escape '!'", "not-allowed"),
        ("i is distinct from j", "not-allowed"),
        ("coalesce(distinct i)", "not-allowed"),
        ("s collate nocase", "not-allowed"),
        ("trim(both 'x' from s)", "subquery"),
        ("i between symmetric 1 and 2", "alias"),
        ("*", "syntax"),
        ("i * * j", "syntax"),
        ("i +", "syntax"),
        ("+ i", "syntax"),
        ("i and", "syntax"),
        ("(i", "syntax"),
        ("i)", "syntax"),
        ("(i, j)", "syntax"),
        ("lower(s,)", "syntax"),
        ("i in 1", "syntax"),
        ("i not j", "syntax"),
        ("case i end", "syntax"),
        ("case when p 1 end", "alias"),
        ("case when p then 1 else end", "syntax"),
        ("case when p then 1 else 2 when q then 3 end", "syntax"),
        ("n'x'", "not-allowed"),
        ("'open", "syntax"),
        ('"open', "syntax"),
        ("1e", "syntax"),
        ("99999999999999999999", "number"),
        ("1e999", "number"),
        ("", "empty"),
        (" \n", "empty"),
        ("lowr(s)", "unknown-function"),
        ("read_csv('/etc/passwd')", "unknown-function"),
        ('"lower"(s)', "alias"),
        ("lower()", "wrong-arguments"),
        ("lower(s, t)", "wrong-arguments"),
        ("greatest(i)", "wrong-arguments"),
        ("i in ()", "wrong-arguments"),
        ("cast(i, integer)", "wrong-arguments"),
        ("cast(i as blob)", "unknown-type"),
        ("cast(i as varchar(3))", "unknown-type"),
        ("cast(at as integer)", "type-mismatch"),
        ("i = s", "type-mismatch"),
        ("i + s", "type-mismatch"),
        ("p + 1", "type-mismatch"),
        ("p < q", "type-mismatch"),
        ("at > '2013-01-01'", "type-mismatch"),
        ("at - 2", "type-mismatch"),
        ("at + was", "type-mismatch"),
        ("- s", "type-mismatch"),
        ("i and p", "type-mismatch"),
        ("not i", "type-mismatch"),
        ("case when i then 1 end", "type-mismatch"),
        ("case when p then 1 else 'a' end", "type-mismatch"),
        ("case i when 'a' then 1 end", "type-mismatch"),
        ("coalesce(i, s)", "type-mismatch"),
        ("least(p, q)", "type-mismatch"),
        ("s || i", "type-mismatch"),
        ("upper(i)", "type-mismatch"),
        ("i in ('a')", "type-mismatch"),
        ("i in (j)", "type-mismatch"),
        ("i between 'a' and 'b'", "type-mismatch"),
        ("i like '1%'", "type-mismatch"),
        ("s like t", "type-mismatch"),
        ("i is 5", "type-mismatch"),
        ("round(x, i)", "type-mismatch"),
        ("power(x, i)", "type-mismatch"),
        ("round(x, 99)", "type-mismatch"),
        ("replace(s, t, 'a')", "type-mismatch"),
        ("substring(s, 1.5)", "type-mismatch"),
        ("utc_hour(i)", "type-mismatch"),
    ],
)
def test_refused(text, code):
    assert code in codes_of(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sum(i)", "window feature"),
        ("now()", "row's own instants"),
        ("lowr(s)", "lower"),
        ("substr(s, 1)", "substring"),
        ("ifnull(i, 1)", "coalesce"),
        ("k", "use a column"),
        ("Carrier", "did you mean carrier?"),
        ("carier", "did you mean carrier?"),
        ('"EWR" = carrier', "single quotes"),
        ("at > '2013-01-01'", "timestamp '2013-03-01'"),
        ("at - 2", "2h"),
        ("cast(i as interger)", "integer"),
    ],
)
def test_the_fix_says_what_to_write(text, shown):
    schema = {**SCHEMA, "carrier": pl.String()}
    assert any(shown in fault.fix for fault in faults_of(text, schema))


@pytest.mark.parametrize("word", ['"late"', "late"])
def test_a_word_of_the_outcome_gets_a_hint_about_quotes(word):
    schema = {"latest": pl.Int64(), "p": pl.Boolean()}
    (fault,) = faults_of(f"case when p then {word} end", schema, words=["late", "on_time"])
    assert fault.code == "expression.quotes"
    assert "did you mean single quotes? write 'late'" in fault.fix


def test_a_mismatch_names_both_types_and_the_place():
    (fault,) = faults_of("p and i + 1 = s")
    assert fault.where == "[feature] x, characters 7-15"
    assert fault.happened == "= was given a number (i + 1) and text (s)"


def test_all_faults_are_told_at_once():
    assert codes_of("k + 1 > s || i or now_ > local_hour(at)", SCHEMA) == [
        "unknown-column",
        "type-mismatch",
        "unknown-column",
        "no-timezone",
    ]
    assert codes_of("count(i) + lowr(s) + now()") == ["aggregate", "unknown-function", "clock"]


@pytest.mark.parametrize(
    ("text", "expects", "fits"),
    [
        ("i", "number", True),
        ("i", "text", False),
        ("s", "text", True),
        ("p", "boolean", True),
        ("i", "boolean", False),
        ("at", "instant", True),
        ("at - was", "instant", False),
        ("at - was", "any", True),
        ("null", "text", True),
        ("null", "any", False),
    ],
)
def test_the_result_is_of_the_expected_type(text, expects, fits):
    if fits:
        bind(text, SCHEMA, where="here", expects=expects)
    else:
        assert codes_of(text, expects=expects) == ["result-type"]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4_000 + "i" + ")" * 4_000,
        "(" * 900 + "i" + ")" * 900,
        "not " * 900 + "p",
        "- " * 900 + "i",
        "abs(" * 900 + "i" + ")" * 900,
        "case when p then " * 300 + "1" + " end" * 300,
        "a" * 10_001,
        " + ".join(["i"] * 3_000),
        "s like '" + "_" * 2_000 + "'",
        "1" + " / (1 + i)" * 60 + " / 2",
    ],
)
def test_what_is_too_long_or_too_deep_is_a_fault(text):
    assert set(codes_of(text)) <= {"too-long", "too-deep", "type-mismatch"}


@pytest.mark.parametrize(
    "text",
    [
        " + ".join(["i"] * 40),
        " + ".join(["x"] * 76),
        "case when " + " + ".join(["i"] * 37) + " > 0 then 1 end",
        " or ".join(["i > 3"] * 450),
        "case " + " ".join(f"when i = {at} then {at} / x" for at in range(70)) + " end",
        " / ".join(["x"] * 20),
        " % ".join(["x"] * 11),
        "coalesce(" + ", ".join(["i"] * 900) + ")",
        "least(" + ", ".join(["x"] * 900) + ")",
        "s like '" + "%_" * 500 + "'",
    ],
)
def test_what_is_allowed_fits_on_the_stack_of_a_thread(text):
    bound = bind(text, SCHEMA, where="here")
    frame = pl.DataFrame({name: [None] * 3 for name in SCHEMA}, schema=SCHEMA)
    found = []
    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(frame.select(found=bound.polars)))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert found[0].height == 3


def test_importing_expressions_does_not_import_sqlglot():
    code = "import sys, wholeroad.core.expressions; sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# The page -----------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "expressions.md"


def listed(heading):
    """Give the words in backticks in the first column of the tables under a heading."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.replace("\\|", "¦").splitlines() if line.startswith("|")]
    return [name.replace("¦", "|") for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_the_page_lists_every_function():
    names = [name.split("(")[0] for name in listed("Functions")]
    assert sorted(names) == sorted([*FUNCTIONS, *CASTS])
    for call_text in listed("Functions"):
        name, _, inner = call_text.partition("(")
        if name in FUNCTIONS:
            shown = inner.rstrip(")").split(",")
            signature = FUNCTIONS[name]
            assert len([part for part in shown if "..." not in part]) == len(signature.takes), call_text
            assert signature.repeats == ("..." in inner), call_text


def test_the_page_lists_every_operator_and_type():
    assert sorted(listed("Operators")) == sorted(OPERATORS)
    assert sorted(listed("Types of `cast`")) == sorted(TYPES)


def test_every_function_has_a_builder():
    calendar = {name for name in FUNCTIONS if name.startswith(("local_", "utc_"))}
    assert set(BUILDS) == set(FUNCTIONS) - calendar
