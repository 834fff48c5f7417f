"""Ids of cases outlive upgrades, and one case has in service the id that it has in bulk."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.road.data.cases import key_hash
from wholeroad.road.data.one_case.key_ids import KeyIds
from wholeroad.road.data.verdicts import ids_of, key_texts

laws = settings(max_examples=200, deadline=None)
KINDS = {
    pl.String(): st.text(max_size=300),
    pl.Int64(): st.integers(-(2**63), 2**63 - 1),
    pl.Int8(): st.integers(-128, 127),
    pl.UInt32(): st.integers(0, 2**32 - 1),
    pl.Float64(): st.floats(allow_nan=False),
    pl.Boolean(): st.booleans(),
    pl.Date(): st.integers(-700_000, 2_900_000),
    pl.Datetime("us", "UTC"): st.integers(-(2**55), 2**56),
}


@st.composite
def keys(draw):
    kinds = draw(st.lists(st.sampled_from([*KINDS]), min_size=1, max_size=3))
    rows = draw(st.lists(st.tuples(*(KINDS[kind] for kind in kinds)), min_size=1, max_size=5))
    return {f"k{place}": kind for place, kind in enumerate(kinds)}, rows


@laws
@given(keys())
def test_few_cases_have_the_ids_that_bulk_gives_them(made):
    key, rows = made
    columns = [
        pl.Series(name, [row[place] for row in rows], dtype=kind if not kind.is_temporal() else pl.Int64())
        for place, (name, kind) in enumerate(key.items())
    ]
    frame = pl.DataFrame(columns).cast(key)
    assert KeyIds(key).of(rows) == frame.select(key_hash([*key])).to_series().to_list()
    plain = [name for name, kind in key.items() if kind == pl.String() or kind.is_integer()]
    if plain:
        texts = ids_of(key_texts(frame, plain)).to_list()
        assert texts == frame.select(key_hash(plain)).to_series().to_list()


def test_ids_are_these_in_every_version():
    frame = pl.DataFrame({"id": ["", "a", "EV-N12345-2013", "ü\x1f"], "leg": [0, 1, -7, 2**40]})
    one = frame.select(key_hash(["id"])).to_series().to_list()
    both = frame.select(key_hash(["id", "leg"])).to_series().to_list()
    assert [f"{each:016x}" for each in one + both] == [
        "f69a2705847f57fb",
        "5419d740704f547f",
        "d88dc975a6548856",
        "361acd497e2678a9",
        "09d2e2e2ac7dcae5",
        "f3db1f40945fc315",
        "6c2606dbcbd3a944",
        "570ff0886d913cf2",
    ]


@pytest.mark.parametrize("kind", [pl.Int8(), pl.UInt64(), pl.String()])
def test_an_id_does_not_depend_on_how_wide_a_column_is(kind):
    ids = pl.DataFrame({"id": ["7"]}).cast(kind).select(key_hash(["id"])).item()
    assert ids == pl.DataFrame({"id": [7]}).select(key_hash(["id"])).item()
