"""Rows beside memory: what comes out is what ``DataFrame.row`` gives; no space for them loses nothing."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.adapters.scratch import TemporaryScratchFile
from wholeroad.core.errors import UserError, unusable
from wholeroad.road.data.hashed_frames import HashedFrames
from wholeroad.road.data.rows_beside import RowsBeside

INTEGERS = [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64]


def column(dtype):
    if dtype in INTEGERS:
        values = st.integers(dtype.min().pipe(value), dtype.max().pipe(value))
    elif dtype == pl.Boolean:
        values = st.booleans()
    elif dtype in (pl.Float32, pl.Float64):
        values = st.floats(width=32 if dtype == pl.Float32 else 64)
    else:
        values = st.text(st.characters(codec="utf-8"), max_size=5)
    return st.one_of(st.none(), values)


def value(expression):
    return pl.select(expression).item()


@st.composite
def frames(draw):
    types = draw(
        st.lists(
            st.sampled_from([*INTEGERS, pl.Boolean, pl.Float32, pl.Float64, pl.String, pl.Categorical]),
            min_size=1,
            max_size=5,
        )
    )
    height = draw(st.integers(0, 12))
    columns = [
        pl.Series(f"c{place}", draw(st.lists(column(dtype), min_size=height, max_size=height)), dtype=dtype)
        for place, dtype in enumerate(types)
    ]
    return pl.DataFrame(columns)


@settings(deadline=None)
@given(frames(), st.sampled_from([1, 3, 100]))
def test_a_row_is_the_row_of_the_frame(frame, block):
    assert RowsBeside.fits(frame)
    rows = RowsBeside(frame, beside=TemporaryScratchFile(), block=block)
    found = [rows.row(place) for place in range(frame.height)]
    assert repr(found) == repr(frame.rows())  # a NaN isn't equal to itself


class Full:
    """A disk without space."""

    def append(self, data):
        raise unusable("scratch", f"no space left for {len(data)} bytes")

    def read(self, start, count):
        raise AssertionError((start, count))

    def soon(self, work):
        work()


@pytest.mark.parametrize("beside", [None, TemporaryScratchFile(), Full()])
def test_rows_are_found_also_where_there_is_no_space_beside_memory(beside):
    rows = HashedFrames(1, large=10, beside=beside)
    for first in range(0, 200, 40):
        rows.append(pl.DataFrame({"id": range(first, first + 40), "text": [f"t{first}"] * 40}))
    expected = [[(each, f"t{each // 40 * 40}")] for each in range(200)]
    assert [list(rows.find((each,))) for each in range(200)] == expected
    if isinstance(beside, TemporaryScratchFile):
        beside.wait()
        assert beside.append(b"") > 0
    assert [list(rows.find((each,))) for each in range(200)] == expected
    assert len(rows) == 200


def test_types_without_a_width_stay_in_memory():
    frame = pl.DataFrame({"id": [1, 2], "many": [[1], [2, 3]]})
    assert not RowsBeside.fits(frame)
    rows = HashedFrames(1, large=1, beside=TemporaryScratchFile())
    rows.append(frame)
    assert list(rows.find((2,))) == [(2, [2, 3])]


def test_a_folder_that_is_gone_is_said(tmp_path):
    with pytest.raises(UserError, match=r"can't be used"):
        TemporaryScratchFile(tmp_path / "gone").append(b"x")
