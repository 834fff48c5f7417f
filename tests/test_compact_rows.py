"""Stored rows kept narrow: what comes out is what went in, also where texts are codes."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.adapters.scratch import TemporaryScratchFile
from wholeroad.road.data.arriving.compact import CompactRows
from wholeroad.road.data.batches import SYSTEM

texts = st.sampled_from(["EWR", "JFK", "", None])


def stored(rows, first):
    names = pl.DataFrame(rows, schema={"id": pl.String, "place": pl.String, "day": pl.Int32}, orient="row")
    order = range(first, first + len(rows))
    system = pl.DataFrame(dict.fromkeys(SYSTEM, order)).cast(pl.Int64).cast({"_deleted": pl.Boolean})
    return names.cast({"day": pl.Date}).hstack(system.cast(SYSTEM))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(texts, max_size=40),
    st.lists(st.lists(st.one_of(texts, st.text(max_size=3)), max_size=20), max_size=4),
    st.sampled_from([1, 8, 1_000]),
    st.booleans(),
)
def test_rows_come_out_as_they_went_in_however_few_texts_there_are(before, after, large, aside):
    beside = TemporaryScratchFile() if aside else None
    kept = CompactRows(("id",), ["id", "place", "day"], large=large, beside=beside)
    batches = [
        [(f"k{place}", text, day) for place, text in enumerate(each)]
        for day, each in enumerate([before, *after])
    ]
    for day, rows in enumerate(batches):
        kept.add(stored(rows, 1 + sum(map(len, batches[:day]))))
    if beside is not None:
        beside.wait()
    for place in range(41):
        expected = [row for rows in batches for row in rows if row[0] == f"k{place}"]
        assert [tuple(each.values.values()) for each in kept.find((f"k{place}",))] == expected
        assert kept.has((f"k{place}",)) or not expected
