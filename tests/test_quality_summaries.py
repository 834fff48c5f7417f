"""What each source and column looks like: every row is in a bin, every null is counted."""

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.summaries import BINS, TOP, summarise
from wholeroad.road.data.versions import DELETED, FIRST_KNOWN, HAPPENED, KNOWN, ORDER, SUPERSEDED, Versions
from worlds import BRIEF

START = datetime(2024, 1, 1, tzinfo=UTC)


def seen(columns, *, hours=None, static=False):
    """Put rows that happened so many hours after the start into a source of the small brief."""
    frame = pl.DataFrame({"parcel_id": range(len(next(iter(columns.values())))), **columns})
    if not static:
        at = [START + timedelta(hours=float(hour)) for hour in (hours or range(frame.height))]
        stamp = pl.Series(at, dtype=pl.Datetime("us", "UTC"))
        nothing = pl.lit(None, dtype=stamp.dtype)
        frame = frame.with_columns(
            stamp.alias(HAPPENED), stamp.alias(KNOWN), pl.int_range(pl.len()).alias(ORDER),
            pl.lit(value=False).alias(DELETED), nothing.alias(SUPERSEDED), stamp.alias(FIRST_KNOWN),
        )  # fmt: skip
    brief = read_brief(BRIEF)
    versions = Versions("parcels", ("parcel_id",), frame, static=static)
    return Seen(brief, "parcels", brief.source["parcels"], versions)


VALUES = st.one_of(
    st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=1, max_size=200),
    st.lists(st.one_of(st.none(), st.integers(-5, 500)), min_size=1, max_size=200),
    st.lists(st.one_of(st.none(), st.sampled_from("abcdefghijklmnop")), min_size=1, max_size=200),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=200),
    st.lists(st.one_of(st.none(), st.dates()), min_size=1, max_size=200),
)


@given(values=VALUES)
@settings(max_examples=80, deadline=None)
def test_every_row_is_in_one_bin_or_is_a_null(values):
    source = summarise(seen({"column": values}))
    column = source.columns[-1]
    assert sum(each.rows for each in column.bins) + column.nulls == len(values) == source.rows
    assert column.nulls == sum(value is None for value in values)
    assert column.distinct == len({value for value in values if value is not None})
    assert len(column.bins) <= max(BINS, TOP + 1)
    edges = [(each.low, each.high) for each in column.bins if each.low == each.low]
    assert all(low <= high for low, high in edges)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(edges))


@given(
    values=st.lists(st.one_of(st.none(), st.integers(-(2**60), 2**60)), min_size=2, max_size=150),
    seed=st.integers(0, 100),
)
@settings(max_examples=50, deadline=None)
def test_missing_shares_by_time_add_up_to_the_nulls(values, seed):
    hours = np.sort(np.random.default_rng(seed).uniform(0, 900, len(values))).tolist()
    one = seen({"column": values}, hours=hours)
    column = summarise(one).columns[-1]
    at = one.rows[HAPPENED].to_physical().to_numpy()
    part = (at - at.min()) * len(column.missing) // (at.max() - at.min() + 1)
    rows = np.bincount(part, minlength=len(column.missing))
    shares = np.array(column.missing)
    assert np.isnan(shares[rows == 0]).all()
    assert np.nansum(shares * rows) == np.float64(column.nulls).round(6) or np.isclose(
        np.nansum(shares * rows), column.nulls
    )


def test_a_table_without_time_has_no_missing_values_over_time():
    source = summarise(seen({"column": [1, None]}, static=True))
    assert (source.from_at, source.to_at, source.columns[-1].missing) == (None, None, ())


def test_extremes_are_in_the_outer_bins():
    column = summarise(seen({"column": [*map(float, range(1000)), 1e9]})).columns[-1]
    assert column.greatest == "1e+09"
    assert column.bins[-1].high < 2000
    assert sum(each.rows for each in column.bins) == 1001
