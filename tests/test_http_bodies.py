"""Laws of reading bodies: what is read is what a plain JSON library or Polars reads, or it is refused."""

from __future__ import annotations

import io
import json
import struct
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.interfaces.http import arrow_rows, json_rows
from wholeroad.interfaces.http.refusals import RequestError
from wholeroad.interfaces.http.settings import HttpSettings

LIMITS = HttpSettings()
TEXTS = st.text(st.sampled_from('ab"\\:{},\n é☃\x00\U0001f600'), max_size=6)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
PAIRS = st.lists(st.tuples(TEXTS, CELLS), min_size=1, max_size=6)


def written(pairs, *, ascii_only, space):
    """Write an object as it is given, names that come twice included."""

    def text(value):
        return json.dumps(value, ensure_ascii=ascii_only)

    inner = (f"{text(name)}{space}:{space}{text(value)}" for name, value in pairs)
    return "{" + ("," + space).join(inner) + "}"


@given(
    st.lists(PAIRS, min_size=1, max_size=4), st.booleans(), st.sampled_from(["", " ", "\t"]), st.booleans()
)
@settings(max_examples=400, deadline=None)
def test_law_a_name_that_comes_twice_is_refused_and_everything_else_is_read_as_it_is(
    rows, ascii_only, space, lined
):
    texts = [written(pairs, ascii_only=ascii_only, space=space) for pairs in rows]
    twice = any(len(dict(pairs)) < len(pairs) for pairs in rows)
    body = ("\n".join(texts) if lined else '{"rows":[' + ",".join(texts) + "]}").encode()
    read = json_rows.lines if lined else json_rows.rows
    if twice:
        with pytest.raises(RequestError) as refused:
            read(body, LIMITS, field="rows")
        assert refused.value.code == "request.duplicate-key"
        assert any(refused.value.happened.startswith(repr(name)) for pairs in rows for name, _ in pairs)
    else:
        assert repr(read(body, LIMITS, field="rows")) == repr([dict(pairs) for pairs in rows])


@given(PAIRS, st.booleans(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_law_a_case_is_read_as_it_is(pairs, features, several):
    case = dict(pairs)
    form = {"cases": [case, case]} if several else {"case": case}
    read = json_rows.decisions(json.dumps(form | {"features": features}).encode(), LIMITS)
    assert repr(read) == repr(([case] * (1 + several), not several, features))


@given(st.integers(2**63, 10**300), st.booleans(), st.sampled_from(["case", "cases", "rows", "lines"]))
@settings(max_examples=100, deadline=None)
def test_law_an_integer_beyond_64_bits_is_the_nearest_double(number, negative, form):
    number = -number - 1 if negative else number
    row = {"a": number, "b": 2**63 - 1, "c": "x"}
    if form == "lines":
        (read,) = json_rows.lines(json.dumps(row).encode(), LIMITS, field="rows")
    elif form == "rows":
        (read,) = json_rows.rows(json.dumps({"rows": [row]}).encode(), LIMITS, field="rows")
    else:
        body = {"case": row} if form == "case" else {"cases": [row]}
        (read,), _, _ = json_rows.decisions(json.dumps(body).encode(), LIMITS)
    assert read == {"a": float(number), "b": 2**63 - 1, "c": "x"}
    assert isinstance(read["a"], float)


@given(st.binary(max_size=60))
@settings(max_examples=500, deadline=None)
def test_law_whatever_comes_is_read_or_refused(body):
    for read in (
        lambda: json_rows.decisions(body, LIMITS),
        lambda: json_rows.rows(body, LIMITS, field="outcomes"),
        lambda: json_rows.lines(body, LIMITS, field="rows"),
        lambda: arrow_rows.rows(body, LIMITS),
    ):
        try:
            read()
        except RequestError as error:
            assert error.status in {400, 413, 415, 422}  # noqa: PT017 (a refusal may or may not come)


# Arrow

MOMENTS = st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (as they are)
COLUMNS = {
    pl.Int8(): st.integers(-128, 127),
    pl.UInt32(): st.integers(0, 2**32 - 1),
    pl.Int64(): st.integers(-(2**63), 2**63 - 1),
    pl.Float32(): st.floats(width=32),
    pl.Float64(): st.floats(),
    pl.Boolean(): st.booleans(),
    pl.String(): st.text(max_size=30),
    pl.Categorical(): st.text(max_size=20),
    pl.Date(): st.dates(date(1800, 1, 1), date(2200, 1, 1)),
    pl.Datetime("us", "UTC"): MOMENTS,
    pl.Datetime("ms", "Europe/Vienna"): MOMENTS,
    pl.Datetime("ns"): MOMENTS,
    pl.Duration("us"): st.timedeltas(timedelta(days=-9), timedelta(days=9)),
    pl.Decimal(20, 2): st.decimals(-(10**6), 10**6, places=2),
    pl.Null(): st.none(),
}


@st.composite
def frames(draw):
    rows = draw(st.integers(1, 12))
    made = {}
    for number in range(draw(st.integers(1, 4))):
        dtype = draw(st.sampled_from(list(COLUMNS)))
        values = draw(st.lists(st.none() | COLUMNS[dtype], min_size=rows, max_size=rows))
        if isinstance(dtype, pl.Datetime):
            plain = [None if each is None else each.replace(tzinfo=None) for each in values]
            column = pl.Series(plain, dtype=pl.Datetime(dtype.time_unit))
            if dtype.time_zone:
                column = column.dt.replace_time_zone("UTC").dt.convert_time_zone(dtype.time_zone)
            made[f"c{number}"] = column
        else:
            made[f"c{number}"] = pl.Series(values, dtype=dtype, strict=False)
    return pl.DataFrame(made)


def expected(frame):
    """Say in Polars what rows are to come out."""
    columns = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if isinstance(dtype, pl.Datetime):
            if dtype.time_zone:
                column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            column = column.dt.cast_time_unit("us").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
        elif dtype == pl.Date():
            column = column.dt.to_string("%Y-%m-%d")
        elif isinstance(dtype, pl.Duration):
            column = column.dt.total_microseconds()
        elif dtype.is_float():
            column = column.fill_nan(None)
        elif dtype.is_decimal():
            column = column.cast(pl.Float64)
        elif isinstance(dtype, pl.Categorical):
            column = column.cast(pl.String)
        columns.append(column.alias(name))
    return frame.select(columns).to_dicts()


@given(frames(), st.booleans(), st.booleans())
@settings(max_examples=250, deadline=None)
def test_law_rows_of_an_arrow_stream_are_those_that_polars_reads(frame, views, twice):
    frame = pl.concat([frame, frame], rechunk=False) if twice else frame
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compat_level=pl.CompatLevel.newest() if views else pl.CompatLevel.oldest())
    floats = [column for column in frame.iter_columns() if column.dtype.is_float()]
    if any(column.is_infinite().any() for column in floats):  # as JSON's
        with pytest.raises(RequestError) as refused:
            arrow_rows.rows(buffer.getvalue(), LIMITS)
        assert refused.value.code == "request.number-range"
        return
    read = arrow_rows.rows(buffer.getvalue(), LIMITS)
    assert repr(read) == repr(expected(frame))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_law_a_stream_that_was_changed_on_the_way_is_read_or_refused(data):
    # Polars itself ends the process on some of these.
    frame = pl.DataFrame(
        {
            "a": range(20),
            "b": ["x" * number for number in range(20)],
            "c": pl.Series(["u", "v"] * 10, dtype=pl.Categorical),
            "d": [datetime(2024, 1, 1), None] * 10,  # noqa: DTZ001 (without a zone is UTC)
        }
    )
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer)
    body = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        rows = arrow_rows.rows(bytes(body), LIMITS)
    except RequestError as error:
        assert error.status in {400, 413, 415, 422}  # noqa: PT017
    else:
        assert len(rows) <= LIMITS.rows


def test_texts_of_an_arrow_stream_can_t_run_backwards():
    pa = pytest.importorskip("pyarrow")
    places = pa.py_buffer(struct.pack("<3i", 0, 3, 1))
    table = pa.table({"a": pa.StringArray.from_buffers(2, places, pa.py_buffer(b"abc"))})
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as stream:
        stream.write_table(table)
    with pytest.raises(RequestError) as refused:
        arrow_rows.rows(buffer.getvalue(), LIMITS)
    assert refused.value.code == "request.malformed-arrow"


def test_arrow_as_others_write_it_is_read_too():
    pa = pytest.importorskip("pyarrow")
    table = pa.table(
        {
            "code": pa.array(["x", "y", None]).dictionary_encode(),
            "at": pa.array([1, 2, None], pa.timestamp("s", "America/New_York")),
            "on": pa.array([0, 86_400_000, None], pa.date64()),
            "cost": pa.array([Decimal("1.25"), Decimal("-3.50"), None], pa.decimal128(9, 2)),
        }
    )
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as stream:
        stream.write_table(table)
        stream.write_table(table)
    once = [
        {"code": "x", "at": "1970-01-01T00:00:01.000000Z", "on": "1970-01-01", "cost": 1.25},
        {"code": "y", "at": "1970-01-01T00:00:02.000000Z", "on": "1970-01-02", "cost": -3.5},
        {"code": None, "at": None, "on": None, "cost": None},
    ]
    assert arrow_rows.rows(buffer.getvalue(), LIMITS) == once * 2
