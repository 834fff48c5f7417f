"""Rows become versions: the laws of the design's section 5, then its cases one by one."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from wholeroad.core.errors import UserError
from wholeroad.core.instants import UNITS
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.batches import QUARANTINE, SYSTEM, Batch, Counts
from wholeroad.road.data.content import logical_hash, row_hashes
from wholeroad.road.data.landing import land, tombstones
from wholeroad.road.data.presence import Presence, Stored, in_force, needed_columns
from wholeroad.road.data.versioning import to_versions

HOUR = UNITS["h"]
T0 = datetime(2013, 1, 1, tzinfo=UTC)
INSTANT = pl.Datetime("us", "UTC")
TIMED = SourceTable(read="x", key="id", happened_at="happened", known_at="known", planned=True)
DUMP = SourceTable(read="x", key="id", happened_at="happened", known_at="landed", planned=True)
STATIC = SourceTable(read="x", key="id", static=True)
SCHEMA = {"id": pl.String, "happened": INSTANT, "known": INSTANT, "x": pl.Float64, "s": pl.String}


class Table:
    """A stored source and its quarantine, landed into one batch after the other."""

    def __init__(self, source, *, imported=False):
        self.source, self.imported = source, imported
        self.rows = self.quarantine = None
        self.next_seq = 1

    def land(self, rows, at=10**16, *, imported=None, bad=None, dumped_at=None):
        frame = rows if isinstance(rows, pl.DataFrame) else frame_of(rows)
        imported = self.imported if imported is None else imported
        batch = Batch(
            frame, landed_at=at, next_seq=self.next_seq, imported=imported, bad=bad, dumped_at=dumped_at
        )
        stored = self.stored(batch)
        before = self.rows
        landing = land(batch, self.source, name="visits", stored=stored)
        counts = landing.counts
        assert counts.rows_in == counts.landed + counts.repeated + counts.quarantined
        assert landing.rows.height == counts.landed
        assert landing.quarantine.height == counts.quarantined
        assert landing.quarantine.schema == QUARANTINE
        self.keep(landing)
        if self.source.absent == "deleted" and before is not None:
            standing = in_force(self.rows, self.source, known_at=batch.known_at, imported=imported)
            gone = standing.filter(~pl.col("key").is_in(landing.seen.tolist()))["place"]
            stones = tombstones(self.rows[gone], replace(batch, next_seq=self.next_seq), source=self.source)
            self.rows = pl.concat([self.rows, stones])
            self.next_seq += len(gone)
            landing = replace(
                landing,
                rows=pl.concat([landing.rows, stones]),
                counts=counts + Counts(deleted=len(gone)),
                next_seq=self.next_seq,
            )
        assert self.rows["_seq"].to_list() == list(range(1, self.rows.height + 1))
        return landing

    def stored(self, batch):
        if self.rows is None:
            return None
        kept = self.rows.select(needed_columns(self.source))
        presence = Presence.of(kept, self.source, known_at=batch.known_at, imported=batch.imported)
        return Stored(self.rows.schema, presence, self.next_seq, self.quarantine["content"].to_numpy())

    def keep(self, landing):
        self.next_seq = landing.next_seq
        self.rows = landing.rows if self.rows is None else pl.concat([self.rows, landing.rows])
        aside = landing.quarantine
        self.quarantine = aside if self.quarantine is None else pl.concat([self.quarantine, aside])

    def versions(self):
        return to_versions(self.rows, self.source, name="visits").frame

    def now(self):
        """The rows in force: key to x."""
        frame = self.versions()
        if not self.source.static:
            open_ended = pl.col("_superseded_at").is_null() & ~pl.col("_deleted")
            frame = frame.filter(open_ended)
        return dict(frame.select("id", "x").iter_rows())


def frame_of(rows):
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def row(key, x=1.0, *, known=0, happened=0, s="s"):
    return (
        key,
        None if happened is None else T0 + timedelta(hours=happened),
        None if known is None else T0 + timedelta(hours=known),
        x,
        s,
    )


some_rows = st.lists(
    st.builds(
        row,
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from([0.0, 1.0, -0.0, float("nan"), None]),
        known=st.sampled_from([0, 1, 2, None]),
        happened=st.sampled_from([0, 1, None]),
        s=st.sampled_from(["", "s", "é", None]),
    ),
    max_size=14,
)
laws = settings(max_examples=60, deadline=None)


# Laws


@laws
@given(some_rows, st.booleans(), st.sampled_from([TIMED, DUMP, STATIC]))
def test_landing_the_same_rows_again_lands_nothing(rows, imported, source):
    if source is DUMP:
        rows = list({each[0]: each for each in rows}.values())
    table = Table(source, imported=imported)
    table.land(rows)
    again = table.land(rows, 2 * 10**16)
    assert (again.counts.landed, again.counts.quarantined) == (0, 0)
    assert again.counts.repeated == len(rows)


@laws
@given(some_rows, st.randoms(use_true_random=False), st.integers(1, 5))
def test_an_import_in_any_batches_and_order_gives_the_same_versions(rows, dice, batches):
    whole = Table(TIMED, imported=True)
    whole.land(rows)
    shuffled = list(rows)
    dice.shuffle(shuffled)
    parts = Table(TIMED, imported=True)
    for number in range(batches):
        parts.land(shuffled[number::batches], 10**16 + number)
    assert_frame_equal(parts.versions(), whole.versions())
    assert logical_hash(parts.versions()) == logical_hash(whole.versions())
    columns = ["code", "row"]
    assert_frame_equal(
        parts.quarantine.select(columns).sort(columns), whole.quarantine.select(columns).sort(columns)
    )


@settings(max_examples=30, deadline=None)
@given(some_rows, some_rows, st.booleans())
def test_one_row_at_a_time_equals_all_at_once(before, rows, imported):
    for source in (TIMED, DUMP):
        whole, single = Table(source, imported=imported), Table(source, imported=imported)
        if source is DUMP and imported:
            rows = list({each[0]: each for each in rows}.values())
        for table in (whole, single):
            table.land(before, 10**15)
        whole.land(rows)
        for each in rows:
            single.land([each])
        assert_frame_equal(single.versions(), whole.versions())


@laws
@given(some_rows)
def test_every_row_is_accounted_for(rows):
    table = Table(TIMED, imported=True)
    counts = table.land(rows).counts
    kept = {(each[0], each[1], each[2], _plain(each[3]), each[4]) for each in rows if None not in each[:3]}
    bad = {repr(each).replace("nan", "None") for each in rows if None in each[:3]}
    assert counts.landed == len(kept)
    assert counts.quarantined == len(bad)


def _plain(x):
    return None if x is None or math.isnan(x) else x + 0.0


@laws
@given(some_rows)
def test_versions_say_when_they_were_superseded(rows):
    table = Table(TIMED, imported=True)
    table.land(rows)
    frame = table.versions()
    stated = list(frame.select("id", "_known_at", "_order", "_superseded_at", "_first_known_at").iter_rows())
    assert [each[1:3] for each in stated] == sorted(each[1:3] for each in stated)
    for key, known, order, superseded, first in stated:
        same = sorted((k, o) for i, k, o, _, _ in stated if i == key)
        later = same[same.index((known, order)) + 1 :]
        assert superseded == (later[0][0] if later else None)
        assert first == same[0][0]


# Identity, claims and effective times


def test_a_corrected_row_is_a_version():
    table = Table(TIMED, imported=True)
    table.land([row("a", 1.0, known=0), row("a", 2.0, known=5), row("b", 3.0)])
    assert table.now() == {"a": 2.0, "b": 3.0}
    first = table.versions().filter(x=1.0)
    assert first["_superseded_at"].to_list() == [T0 + timedelta(hours=5)]


def test_live_a_row_is_not_known_before_it_landed():
    landed_at = int(T0.timestamp() * 1e6) + 3 * HOUR
    live = Table(TIMED).land([row("a", known=1), row("b", known=7)], landed_at).rows
    hours = [(at - T0) / timedelta(hours=1) for at in live["_known_at"]]
    assert hours == [3, 7]
    assert live["_claimed_at"].to_list() == [T0 + timedelta(hours=1), T0 + timedelta(hours=7)]
    history = Table(TIMED).land([row("a", known=1)], landed_at, imported=True).rows
    assert history["_known_at"].to_list() == [T0 + timedelta(hours=1)]


def test_live_the_later_seq_wins_at_the_same_instant():
    table = Table(TIMED)
    table.land([row("a", 2.0), row("a", 1.0)])
    assert table.now() == {"a": 1.0}
    superseded = table.versions()["_superseded_at"].to_list()
    assert superseded == [table.rows["_known_at"][0], None]


def test_in_imports_the_content_wins_at_the_same_instant_whatever_the_order():
    one, two = Table(TIMED, imported=True), Table(TIMED, imported=True)
    one.land([row("a", 2.0), row("a", 1.0)])
    two.land([row("a", 1.0)])
    two.land([row("a", 2.0)], 2 * 10**16)
    assert one.now() == two.now()


def test_a_live_version_wins_over_an_imported_one_of_the_same_instant():
    table = Table(TIMED)
    table.land([row("a", 1.0), row("a", 3.0)], 0, imported=True)
    table.land([row("a", 2.0)], 0)
    assert table.now() == {"a": 2.0}


def test_imported_history_delivered_again_live_lands_nothing():
    table = Table(TIMED)
    table.land([row("a", 1.0)], imported=True)
    assert table.land([row("a", 1.0)]).counts.repeated == 1


def test_expressions_may_give_the_instants():
    source = SourceTable(read="x", key=["id", "s"], happened_at="happened", known_at="happened + 20min")
    table = Table(source, imported=True)
    table.land([row("a", known=None)])
    assert table.rows["_known_at"].to_list() == [T0 + timedelta(minutes=20)]


def test_dates_and_naive_instants_are_utc():
    source = SourceTable(read="x", key="id", happened_at="day", known_at="at")
    frame = pl.DataFrame({"id": [1], "day": [date(2013, 1, 1)], "at": [datetime(2013, 1, 1, 5)]})  # noqa: DTZ001
    rows = land(Batch(frame, landed_at=0, imported=True), source, name="visits").rows
    assert rows.select("_happened_at", "_known_at").row(0) == (T0, T0 + timedelta(hours=5))
    assert rows.schema["at"] == INSTANT


# Tables without a second stamp


def test_an_identical_dump_is_no_op():
    table = Table(DUMP)
    dump = [row("a", 1.0), row("b", 2.0)]
    assert table.land(dump, 10**16).counts.landed == 2
    assert table.land(dump, 2 * 10**16).counts.repeated == 2


@pytest.mark.parametrize("imported", [True, False])
def test_a_then_b_then_a_is_three_versions(imported):
    table = Table(DUMP, imported=imported)
    for number, x in enumerate([1.0, 2.0, 1.0, 1.0]):
        table.land([row("a", x)], (number + 1) * 10**15)
    frame = table.versions()
    assert frame["x"].to_list() == [1.0, 2.0, 1.0]
    assert table.now() == {"a": 1.0}


def test_rows_missing_from_a_dump_are_kept():
    table = Table(DUMP)
    table.land([row("a"), row("b")], 10**15)
    assert table.land([row("a")], 2 * 10**15).counts.deleted == 0
    assert set(table.now()) == {"a", "b"}


def test_rows_missing_from_a_dump_are_gone_if_absent_is_deleted():
    table = Table(DUMP.model_copy(update={"absent": "deleted"}))
    table.land([row("a", 1.0), row("b", 2.0)], 10**15)
    landing = table.land([row("a", 1.0)], 2 * 10**15)
    assert (landing.counts.landed, landing.counts.repeated, landing.counts.deleted) == (0, 1, 1)
    tombstone = landing.rows.row(0, named=True)
    assert (tombstone["id"], tombstone["x"], tombstone["_deleted"]) == ("b", 2.0, True)
    assert tombstone["_known_at"].timestamp() * 1e6 == 2 * 10**15
    assert table.now() == {"a": 1.0}
    assert table.land([row("a", 1.0)], 3 * 10**15).counts.deleted == 0
    assert table.land([row("a", 1.0), row("b", 2.0)], 4 * 10**15).counts.landed == 1
    assert table.now() == {"a": 1.0, "b": 2.0}
    assert table.versions().filter(id="b")["_first_known_at"].n_unique() == 1


def test_a_row_that_is_set_aside_is_not_absent():
    table = Table(DUMP.model_copy(update={"absent": "deleted"}))
    table.land([row("a"), row("b"), row("c")], 10**15)
    bad = pl.DataFrame(
        {"id": ["c"], "x": ["abc"], "_row": [3], "_code": ["data.not-castable"], "_reason": ["r"]}
    )
    landing = table.land([row("a"), row("b", happened=None)], 2 * 10**15, bad=bad)
    assert (landing.counts.quarantined, landing.counts.deleted) == (2, 0)


# Static sources


def test_a_static_source_keeps_the_newest_row_of_each_key():
    table = Table(STATIC)
    table.land([row("a", 1.0), row("a", 1.0), row("b", 2.0)])
    table.land([row("a", 3.0)])
    table.land([row("a", 1.0)])
    assert table.now() == {"a": 1.0, "b": 2.0}
    versions = to_versions(table.rows, STATIC, name="visits")
    assert versions.static
    assert versions.frame.columns == list(SCHEMA)


def test_static_rows_that_contradict_each_other_are_set_aside():
    table = Table(STATIC)
    landing = table.land([row("a", 1.0), row("a", 2.0), row("b", 2.0)])
    assert (landing.counts.landed, landing.counts.quarantined) == (1, 2)
    assert set(landing.quarantine["code"]) == {"data.key-repeated"}


# The quarantine


@pytest.mark.parametrize(
    ("bad", "code", "words"),
    [
        (row(None), "data.key-null", "id was empty"),
        (row("a", happened=None), "data.happened-null", "happened_at (happened) was empty"),
        (row("a", known=None), "data.known-null", "known_at (known) was empty"),
        (row("a", known=0, happened=2), "data.known-before-happened", "2013-01-01T02:00:00Z"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_reason(bad, code, words):
    table = Table(TIMED.model_copy(update={"planned": False}), imported=True)
    landing = table.land([row("z"), bad])
    (aside,) = landing.quarantine.iter_rows(named=True)
    assert landing.counts.landed == 1
    assert aside["code"] == code
    assert words in aside["reason"]
    assert (aside["source"], aside["row_number"]) == ("visits", 2)
    assert json.loads(aside["row"])["id"] == bad[0]


def test_known_before_happened_is_fine_if_planned():
    assert Table(TIMED, imported=True).land([row("a", known=0, happened=2)]).counts.landed == 1


def test_the_readers_bad_rows_keep_their_place():
    bad = pl.DataFrame(
        {
            "id": ["b"],
            "x": ["abc"],
            "_row": [2],
            "_code": ["data.not-castable"],
            "_reason": ["x was 'abc', not a number"],
        }
    )
    landing = Table(TIMED).land([row("a"), row(None)], bad=bad)
    assert landing.quarantine["row_number"].to_list() == [2, 3]
    assert landing.counts.rows_in == 3
    assert json.loads(landing.quarantine["row"][0]) == {"id": "b", "x": "abc"}


def test_the_same_bad_row_is_set_aside_once():
    table = Table(TIMED)
    assert table.land([row(None), row(None)]).counts.quarantined == 1
    assert table.land([row(None)]).counts.repeated == 1


# Types


def test_types_are_fixed_by_the_first_landing():
    table = Table(TIMED, imported=True)
    table.land([row("a", 1.0)])
    later = frame_of([row("b", 2.0, known=1)]).cast({"x": pl.Int32, "s": pl.Categorical, "happened": pl.Date})
    landing = table.land(later)
    assert landing.rows.schema == table.rows.schema
    assert table.now() == {"a": 1.0, "b": 2.0}
    null = frame_of([row("c", None, known=1)]).with_columns(x=None)
    assert table.land(null).counts.landed == 1


def test_values_that_lose_something_in_the_cast_are_set_aside():
    source = SourceTable(read="x", key="id", static=True)
    table = Table(source)
    table.land(pl.DataFrame({"id": ["a"], "x": [1]}))
    landing = table.land(pl.DataFrame({"id": ["b", "c", "d"], "x": [2.0, 2.5, None]}))
    assert landing.quarantine["reason"].to_list() == ["x was '2.5', not an integer"]
    assert table.rows["x"].to_list() == [1, 2, None]
    texts = table.land(pl.DataFrame({"id": ["e", "f"], "x": ["7", "abc"]}))
    assert texts.quarantine["reason"].to_list() == ["x was 'abc', not an integer"]
    assert (texts.counts.landed, texts.rows["x"].to_list()) == (1, [7])


def test_a_column_that_is_missing_or_reserved_is_refused():
    table = Table(TIMED)
    with pytest.raises(UserError, match=r"data\.column-missing"):
        table.land(frame_of([row("a")]).drop("id"))
    table.land([row("a")])
    with pytest.raises(UserError, match=r"data\.column-missing") as caught:
        table.land(frame_of([row("b")]).drop("s", "x"))
    assert "visits has had columns x, s since its first landing" in str(caught.value)
    assert "types" not in str(caught.value)
    with pytest.raises(UserError, match="did s become sort\\?"):
        table.land(frame_of([row("b")]).rename({"s": "sort"}))
    with pytest.raises(UserError, match=r"data\.reserved-column"):
        table.land(frame_of([row("b")]).with_columns(_known_at=1))


def test_columns_that_cannot_be_kept_are_left_out_and_named():
    table = Table(TIMED, imported=True)
    odd = frame_of([row("a")]).with_columns(legs=pl.lit([1, 2]).implode(), took=pl.duration(hours=1))
    assert table.land(odd).ignored_columns == ("legs", "took")
    extra = frame_of([row("b")]).with_columns(new=1)
    assert table.land(extra).ignored_columns == ("new",)
    assert table.rows.columns == [*SCHEMA, *SYSTEM]


def test_infinities_are_null_like_nan():
    table = Table(TIMED, imported=True)
    table.land([row("a", math.inf), row("b", -math.inf), row("c", math.nan), row("d", 2.0)])
    assert table.now() == {"a": None, "b": None, "c": None, "d": 2.0}
    assert table.quarantine.is_empty()


def test_instants_that_are_text_are_told_the_way_out():
    for texts, happened in ((["31.12.2013"], "happened"), (["2013-01-01"], "happened - 1h")):
        source = TIMED.model_copy(update={"happened_at": happened})
        frame = pl.DataFrame({"id": ["a"], "happened": texts, "known": [T0], "x": [1.0]})
        with pytest.raises(UserError) as caught:
            Table(source).land(frame)
        said = str(caught.value)
        assert f"happened is text; the first value was '{texts[0]}'" in said
        assert 'write types = { happened = "instant" } under [source.visits]' in said


def test_a_batch_of_a_header_only_lands_no_rows():
    nothing = pl.DataFrame(schema=dict.fromkeys(SCHEMA, pl.Null))
    table = Table(TIMED, imported=True)
    assert table.land(nothing).rows.height == 0
    assert table.rows.schema["happened"] == INSTANT
    assert table.rows.schema["id"] == pl.String
    assert table.land([row("a", x=None)]).counts.landed == 1


def test_nothing_at_all_can_land():
    landing = Table(TIMED).land([])
    assert landing.rows.schema == {**SCHEMA, **SYSTEM}
    assert to_versions(landing.rows, TIMED, name="visits").frame.height == 0


# Hashes


def test_hashes_are_the_same_in_every_process_and_release():
    code = """
import polars as pl
from wholeroad.road.data.content import row_hashes
frame = pl.DataFrame({"s": ["é", None, "x" * 9], "n": [1, None, -1], "f": [0.5, None, float("nan")]})
print(*row_hashes(frame).tolist())
"""
    world = {**os.environ, "POLARS_MAX_THREADS": "1", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=world)
    assert ran.stdout.split() == ["9065836567811562749", "16294208416658607535", "2147680655389079734"]


@laws
@given(st.lists(st.text(max_size=20), min_size=1, max_size=30))
def test_texts_hash_by_content_alone(texts):
    frame = pl.DataFrame({"s": texts}, schema={"s": pl.String})
    whole = row_hashes(frame)
    alone = [row_hashes(frame.slice(k, 1))[0] for k in range(len(texts))]
    assert whole.tolist() == [int(each) for each in alone]
    assert len(set(whole.tolist())) == len(set(texts))
    often = row_hashes(pl.concat([frame] * 9))
    assert often.tolist() == whole.tolist() * 9


def test_the_logical_hash_minds_rows_and_types_but_not_their_order():
    frame = pl.DataFrame({"a": [1, 2, 2], "_seq": [1, 2, 3], "_landed_at": [0, 0, 1]})
    assert logical_hash(frame) == logical_hash(frame.reverse().drop("_seq"))
    assert logical_hash(frame) != logical_hash(frame.head(2))
    assert logical_hash(frame) != logical_hash(frame.cast({"a": pl.Int32}))
    assert logical_hash(frame) != logical_hash(frame.rename({"a": "b"}))
