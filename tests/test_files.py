"""The user's files: what is read, how it is typed, and what is said when it can't be."""

from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from wholeroad.adapters.files import read_rows
from wholeroad.core.errors import UserError
from wholeroad.road.brief.sources import CsvTable
from wholeroad.road.data.casting import INSTANT, infer, parse


def csv(tmp_path, data):
    path = tmp_path / "visits.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-(10**17), 10**17)), min_size=1))
def test_integers_come_back(numbers):
    texts = pl.Series([None if each is None else str(each) for each in numbers], dtype=pl.String)
    if texts.null_count() < len(texts):
        assert infer(texts) == pl.Int64
    assert parse(texts, pl.Int64()).to_list() == numbers


@settings(max_examples=60, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back_to_the_last_bit(number):
    assert parse(pl.Series([repr(number)]), pl.Float64()).to_list() == [number]


@settings(max_examples=60, deadline=None)
@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)), st.integers(-720, 720))  # noqa: DTZ001
def test_instants_come_back(moment, minutes):
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{moment.isoformat()}{sign}{size // 60:02}:{size % 60:02}"
    assert parse(pl.Series([text]), INSTANT).to_list() == [datetime.fromisoformat(text).astimezone(UTC)]
    assert infer(pl.Series([text])) == INSTANT


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["1", "-2", None], pl.Int64),
        (["1", "2.5", "1e3"], pl.Float64),
        (["true", "False"], pl.Boolean),
        (["2013-01-01", "2013-01-01T05:00Z", "2013-01-01 05:00:00.5+02"], INSTANT),
        (["007", "12"], pl.String),
        (["12345678901234567890", "1"], pl.String),
        (["1", "NA"], pl.String),
        (["2013-02-30"], pl.String),
        ([None, None], pl.Null),
        (["1"] * 200 + ["x"], pl.String),
    ],
)
def test_a_column_gets_the_narrowest_kind_that_all_of_it_has(texts, kind):
    assert infer(pl.Series(texts, dtype=pl.String)) == kind


def test_a_csv_is_typed_and_empty_text_is_null(tmp_path):
    rows = read_rows(csv(tmp_path, '\ufeffid,n,at,s\r\na,1,2013-01-01,"x, \n y"\r\n\r\nb,,,""\r\n'), {})
    expected = pl.DataFrame(
        {
            "id": ["a", "b"],
            "n": [1, None],
            "at": [datetime(2013, 1, 1, tzinfo=UTC), None],
            "s": ["x, \n y", None],
        },
        schema_overrides={"at": INSTANT},
    )
    assert_frame_equal(rows.frame, expected)
    assert rows.bad is None


def test_values_that_are_not_of_their_declared_type_make_the_row_bad(tmp_path):
    path = csv(tmp_path, "id,arr_delay\na,1\nb,abc\nc,\nd, +2.0 \n")
    frame, bad = read_rows(path, {"arr_delay": "number", "id": "text"})
    assert frame.rows() == [("a", 1.0), ("c", None), ("d", 2.0)]
    assert bad.rows(named=True) == [
        {
            "id": "b",
            "arr_delay": "abc",
            "_row": 2,
            "_code": "data.not-castable",
            "_reason": "arr_delay was 'abc', not a number",
        }
    ]


def test_a_row_that_was_cut_short_is_bad_and_not_filled_up(tmp_path):
    frame, bad = read_rows(csv(tmp_path, 'id,n,s\n1,2,\n\n2,3,"a, b"\n3,"4"'), {})
    assert frame.rows() == [(1, 2, None), (2, 3, "a, b")]
    assert bad.rows(named=True) == [
        {
            "id": "3",
            "n": "4",
            "s": None,
            "_row": 3,
            "_code": "data.too-few-fields",
            "_reason": "the row had 2 fields, and the header 3: it was cut short",
        }
    ]


def test_a_row_with_too_many_fields_is_bad_and_wholly_told(tmp_path):
    frame, bad = read_rows(csv(tmp_path, "id,n\n1,2\nx,2,,3\n3,4\n"), {})
    assert frame.rows() == [(1, 2), (3, 4)]
    assert bad.select("id", "_row", "_code").rows() == [("x", 2, "data.too-many-fields")]
    assert bad["_reason"].item().endswith(": x,2,,3")


fields = st.sampled_from(["", "x", "5", '5"', 'a"b"', ",", '"', "two\nlines", "é, ü", "\r\n"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(fields, min_size=1, max_size=5), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_rows_are_bad_exactly_where_their_fields_are_not_as_many_as_the_header(rows, end):
    def written(field):
        if set(field) & set(',"\n\r'):
            return '"' + field.replace('"', '""') + '"'
        return field

    text = "a,b,c" + end + "".join(",".join(written(each) for each in row) + end for row in rows)
    too_many = sum(len(row) > 3 for row in rows) > len(rows) / 2
    rows = [row for row in rows if any(row) or len(row) > 3]
    whole = [tuple(each or None for each in row) for row in rows if len(row) == 3]
    with TemporaryDirectory() as folder:
        try:
            frame, bad = read_rows(csv(Path(folder), text), dict.fromkeys("abc", "text"))
        except UserError:
            assert too_many
            return
    assert not too_many
    assert frame.rows() == whole
    assert (0 if bad is None else bad.height) == len(rows) - len(whole)


def test_declared_texts_keep_their_zeros(tmp_path):
    frame, _ = read_rows(csv(tmp_path, "zip,n\n07030,1.50\n10001,2\n"), {"zip": "text", "n": "text"})
    assert frame.rows() == [("07030", "1.50"), ("10001", "2")]


def test_parquet_comes_back(tmp_path):
    frame = pl.DataFrame({"id": [1], "day": [date(2013, 1, 1)], "n": ["x"], "at": ["2013-01-01"]})
    path = tmp_path / "a [1] ü.parquet"
    frame.write_parquet(path)
    assert_frame_equal(read_rows(path, {}).frame, frame)
    typed = read_rows(path, {"at": "instant", "n": "number"})
    assert typed.frame.schema["at"] == INSTANT
    assert typed.bad["_reason"].to_list() == ["n was 'x', not a number"]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("x.csv", None, "data.file-missing"),
        ("x.csv", b"", "data.file-empty"),
        ("x.csv", b"\n\n", "data.file-empty"),
        ("x.csv", b"a,a\n1,2\n", "data.column-twice"),
        ("x.csv", b"a,,,\n1,2,3,4\n", "data.column-unnamed"),
        ("x.csv", b"a;b\n1;2\n", "data.file-unreadable"),
        ("x.csv", b"a,b\n\xff\xfe,2\n", "data.encoding"),
        ("x.csv", b"\xff\xfea\x00,\x00b\x00\n\x00", "data.encoding"),
        ("x.csv", b"a,b\n1,2,3\n", "data.file-unreadable"),
        ("x.csv", b"a;b\n1;2;\n", "data.file-unreadable"),
        ("x.csv", b'a,b\n"x,2\n3,4\n', "data.file-unreadable"),
        ("x.parquet", None, "data.file-missing"),
        ("x.parquet", b"", "data.file-empty"),
        ("x.parquet", b"PAR1 rubbish", "data.file-unreadable"),
        ("x.parquet", "half", "data.file-unreadable"),
        ("x.parquet", "holed", "data.file-unreadable"),
        ("x.xlsx", b"PK", "data.file-kind"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_clear_error(tmp_path, name, data, code):
    path = tmp_path / name
    if isinstance(data, str):
        pl.DataFrame({"a": list(range(10_000)), "b": ["x"] * 10_000}).write_parquet(path)
        whole = path.read_bytes()
        data = whole[: len(whole) // 2] if data == "half" else whole[:40] + b"\0" * 400 + whole[440:]
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_rows(path, {}, shown=f"data/{name}")
    assert caught.value.code == code
    assert f"data/{name}" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.csv", b'id,at\n1,2\n2,"3\n3,4\n', "line 3 is the first with a quote"),
        (
            "x.csv",
            b'id,at\n1,"a\nb"\n2,"3\n3,4\n',
            "line 2 is the first with a quote",
        ),
        ("x.ndjson", b'{"id":1}\n{"id":2,}\nnope\n', "row 2, began '{\"id\":2,}': the line was no JSON"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_the_place(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_rows(tmp_path / name, {})
    assert caught.value.code == "data.file-unreadable"
    assert said in caught.value.happened


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UserError, match=r"data\.file-missing"):
        read_rows(tmp_path, {})


def test_a_declared_column_must_be_there(tmp_path):
    with pytest.raises(UserError, match=r"data\.column-missing"):
        read_rows(csv(tmp_path, "a\n1\n"), {"b": "number"})
    with pytest.raises(UserError, match=r"brief\.unknown-type"):
        read_rows(csv(tmp_path, "a\n1\n"), {"a": "float"})


EUROPEAN = CsvTable(
    separator=";", decimal=",", thousands=".", dates="%d.%m.%Y", encoding="windows-1252", nulls=("NA",)
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(-1e9, 1e9).map(lambda number: round(number, 2)),
            st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
            st.sampled_from(["Köln; Süd", 'a "b"', "NA", "x,y", "two\nlines"]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_a_european_file_says_what_a_plain_one_does(rows):
    def with_comma(number):
        return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))

    frame = pl.DataFrame(rows, schema=["n", "at", "s"], orient="row")
    spelled = frame.with_columns(
        pl.Series("n", [with_comma(number) for number, *_ in rows]),
        pl.col("at").dt.strftime("%d.%m.%Y %H:%M:%S"),
    )
    text = "Bericht für März\n\n" + spelled.write_csv(separator=";") + "Summe;;\n\n"
    style = EUROPEAN.model_copy(update={"header_line": 3, "footer_lines": 1})
    with TemporaryDirectory() as folder:
        typed = {"n": "number", "at": "instant", "s": "text"}
        read, bad = read_rows(csv(Path(folder), text.encode("windows-1252")), typed, csv=style)
    assert bad is None
    assert read["n"].to_list() == frame["n"].to_list()
    whole = frame["at"].dt.truncate("1s").dt.replace_time_zone("UTC")
    assert read["at"].to_list() == whole.to_list()
    assert read["s"].to_list() == [None if s == "NA" else s for s in frame["s"]]


def test_a_file_is_typed_in_its_own_spelling(tmp_path):
    path = csv(
        tmp_path,
        "n;whole;at;version;time\n1,5;1.200;03.02.2024;1.5;03.02.2024 1:05 PM\n-2;7;13.02.2024 10:15;2.0;\n",
    )
    frame = read_rows(path, {}, csv=EUROPEAN.model_copy(update={"encoding": "utf-8"})).frame
    assert frame["n"].to_list() == [1.5, -2.0]
    assert frame["whole"].to_list() == [1200, 7]
    assert frame["version"].to_list() == ["1.5", "2.0"]
    assert frame["at"].to_list() == [
        datetime(2024, 2, 3, tzinfo=UTC),
        datetime(2024, 2, 13, 10, 15, tzinfo=UTC),
    ]
    assert frame["time"].to_list() == [datetime(2024, 2, 3, 13, 5, tzinfo=UTC), None]


def test_a_value_of_another_spelling_makes_the_row_bad(tmp_path):
    path = csv(tmp_path, "n;at\n1,5;03.02.2024\n1.5;03.02.2024\n2;31.02.2024\n")
    style = EUROPEAN.model_copy(update={"encoding": "utf-8"})
    frame, bad = read_rows(path, {"n": "number", "at": "instant"}, csv=style)
    assert frame.height == 1
    assert bad["_reason"].to_list() == [
        "n was '1.5', not a number",
        "at was '31.02.2024', not an instant (ISO 8601, as 2013-03-01T06:00:00Z)",
    ]


@pytest.mark.parametrize(
    ("written", "declared", "fits"),
    [
        ("windows-1252", "utf-8", "windows-1252"),
        ("utf-8", "windows-1252", "utf-8"),
        ("utf-16", "utf-8", "utf-16"),
        ("windows-1252", "utf-16", "windows-1252"),
        ("windows-1252", "ascii", "windows-1252"),
        ("windows-1251", "utf-8", "windows-1251"),
    ],
)
def test_a_wrong_encoding_is_refused_with_the_one_that_fits(tmp_path, written, declared, fits):
    city = "Москва" if written == "windows-1251" else "Köln, Málaga"
    path = csv(tmp_path, f'id,city\n1,"{city}"\n2,x\n3,y\n'.encode(written))
    with pytest.raises(UserError) as caught:
        read_rows(path, {}, csv=CsvTable(encoding=declared))
    assert caught.value.code == "data.encoding"
    assert f'encoding = "{fits}"' in caught.value.fix
    frame = read_rows(path, {}, csv=CsvTable(encoding=fits)).frame
    assert frame["city"][0] == city


@pytest.mark.parametrize(
    ("style", "code"),
    [
        (CsvTable(encoding="klingon"), "brief.unknown-encoding"),
        (CsvTable(dates="%H:%M"), "brief.dates"),
        (CsvTable(separator="§"), "data.file-unreadable"),
        (CsvTable(header_line=9), "data.file-empty"),
    ],
)
def test_a_style_that_cannot_be_used_is_a_clear_error(tmp_path, style, code):
    with pytest.raises(UserError) as caught:
        read_rows(csv(tmp_path, "a,b\n1,2\n"), {}, csv=style)
    assert caught.value.code == code


def test_rows_are_counted_by_the_separator_of_the_file(tmp_path):
    for mark in (";", "\t", "|", "^"):
        text = 'a,b,c\n1,2,3\n"x,y",2\n"p,q",2,3\n1,2,3,4\n'.replace(",", mark)
        frame, bad = read_rows(csv(tmp_path, text), {}, csv=CsvTable(separator=mark))
        assert frame.height == 2
        assert bad["_code"].to_list() == ["data.too-few-fields", "data.too-many-fields"]


def test_empty_lines_are_no_footer(tmp_path):
    path = csv(tmp_path, "a,b\n1,2\n\n3,4\n\n5,6\n\nTotal,\n\nprinted today,\n\n")
    frame, bad = read_rows(path, {}, csv=CsvTable(footer_lines=2))
    assert frame.rows() == [(1, 2), (3, 4), (5, 6)]
    assert bad is None
