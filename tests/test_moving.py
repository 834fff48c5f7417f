"""From the hot log to the tables: each row once, in any number of moves, through crashes."""

import io
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import moves
import wholeroad
import worlds
from wholeroad.adapters.blobs import MemoryBlobs
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.errors import RoadError
from wholeroad.core.facts import encode
from wholeroad.engine.facts import decode
from wholeroad.engine.intake import Intake
from wholeroad.engine.manifests import quarantine_of, table_of
from wholeroad.engine.raw import RawRows
from wholeroad.engine.service import records
from wholeroad.engine.service.moving import decisions_frame, move_rows, moved_through, sealed
from wholeroad.engine.service.records import DecidedCase, Record, RowsIn
from wholeroad.road.data.cases import key_hash
from wholeroad.road.data.facts import BatchLanded
from wholeroad.road.release.rules import Plan
from wholeroad.road.watch.facts import SpanDecided

CHILD = Path(__file__).with_name("moving_crash_child.py")
ROW = st.tuples(st.integers(0, 6), st.integers(0, 40), st.one_of(st.none(), st.integers(0, 3)))
GROUP = st.dictionaries(st.sampled_from(list(moves.SOURCES)), st.lists(ROW, min_size=1, max_size=6))
GROUPS = st.lists(GROUP, min_size=1, max_size=8)
CALM = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])


class Place:
    """Stores in memory, into which records are moved."""

    def __init__(self):
        self.tables, self.blobs, self.ledger = MemoryTables(), MemoryBlobs(), MemoryLedger(decode)

    def move(self, numbered, *, cut_after=None):
        """Move records; cut short after so many writes of the tables, if that is asked for."""
        tables = self.tables if cut_after is None else Cut(self.tables, cut_after)
        facts = [fact for _, fact in self.ledger.read()]
        try:
            landed = move_rows(numbered, brief=moves.BRIEF, tables=tables, blobs=self.blobs, facts=facts)
        except InterruptedError:
            return
        self.ledger.append(landed)

    @property
    def batches(self):
        return [fact for _, fact in self.ledger.read()]


class Cut:
    """Tables that are cut off after so many appends."""

    def __init__(self, tables, left):
        self._tables, self._left = tables, left

    def __getattr__(self, name):
        return getattr(self._tables, name)

    def append(self, *args, **kwargs):
        if not self._left:
            raise InterruptedError
        self._left -= 1
        return self._tables.append(*args, **kwargs)


def everything(tables) -> dict[str, pl.DataFrame]:
    names = [of(name, source) for name, source in moves.SOURCES.items() for of in (table_of, quarantine_of)]
    return {name: tables.read(name) for name in names if tables.exists(name)}


def same(one, other):
    assert one.keys() == other.keys()
    for name, frame in one.items():
        assert_frame_equal(frame, other[name])


@given(GROUPS)
@CALM
def test_law_what_moves_is_what_landing_would_have_stored(groups):
    landed = moves.Landed()
    numbered = [(number, landed.group(group)) for number, group in enumerate(groups, 1)]
    place = Place()
    place.move(numbered)
    same(everything(place.tables), everything(landed.tables))
    for fact in place.batches:
        assert fact.rows_in == fact.landed + fact.repeated + fact.quarantined
        mine = [each for each in landed.counts if each[0] == fact.source]
        assert fact.rows_in == sum(each[1].rows_in for each in mine)
        assert fact.landed == sum(each[1].landed for each in mine)
        assert fact.at == mine[-1][2]


@given(GROUPS, st.sets(st.integers(1, 8)), st.booleans())
@CALM
def test_law_in_any_number_of_moves_the_tables_are_the_same_and_every_row_is_accounted_for(
    groups, cuts, forgetful
):
    landed = moves.Landed()
    numbered = [(number, landed.group(group)) for number, group in enumerate(groups, 1)]
    whole, place = Place(), Place()
    whole.move(numbered)
    last = 0
    for through in [*sorted(cuts & {*range(1, len(numbered))}), len(numbered)]:
        place.move(numbered[0 if forgetful else last : through])
        last = through
    same(everything(place.tables), everything(whole.tables))
    adds_up(place)
    said = place.batches
    place.move(numbered)
    assert place.batches == said
    same(everything(place.tables), everything(whole.tables))
    for name in moves.SOURCES:
        sums = [sum(fact.rows_in for fact in each.batches if fact.source == name) for each in (place, whole)]
        assert sums[0] == sums[1]


def test_law_cut_short_after_any_append_and_begun_again_nothing_is_lost_or_there_twice():
    landed = moves.Landed()
    numbered = [(number + 1, landed.group(moves.endless(number))) for number in range(5)]
    whole = Place()
    whole.move(numbered)
    for first, writes in product(range(1, 5), range(6)):
        for second, more in ((first, 0), (first, 1), (4, 0), (4, 2)):
            place = Place()
            place.move(numbered[:first], cut_after=writes)
            place.move(numbered[:second], cut_after=more)
            place.move(numbered)
            same(everything(place.tables), everything(whole.tables))
            adds_up(place)


def adds_up(place):
    """Every version belongs to the batch that says so, and batches follow one another without a gap."""
    next_seq: dict[str, int] = {}
    named = set()
    for fact in place.batches:
        assert fact.first_seq == next_seq.get(fact.source, 1)
        next_seq[fact.source] = fact.first_seq + fact.landed
        table = table_of(fact.source, moves.SOURCES[fact.source])
        if fact.landed:
            rows = place.tables.read(table, ["_seq", "_landed_at"])
            last = rows.filter(pl.col("_seq") == fact.first_seq + fact.landed - 1)["_landed_at"].to_physical()
            assert last[0] <= fact.at
        assert fact.batch not in named
        named.add(fact.batch)
    for name, source in moves.SOURCES.items():
        if place.tables.exists(table_of(name, source)):
            assert place.tables.read(table_of(name, source)).height == next_seq.get(name, 1) - 1


def test_a_batch_names_the_number_through_which_it_accounts_and_old_lines_stay_as_they_were():
    landed = moves.Landed()
    group = landed.group({"visits": [(1, 3, 1)]})
    place = Place()
    place.move([(7, group)])
    (fact,) = place.batches
    assert (fact.hot_through, fact.read, fact.whole, fact.imported) == (7, "the service", False, False)
    assert b'"hot_through":7' in encode(fact)
    assert moved_through([fact], moves.BRIEF, tables=MemoryTables()) == 7
    assert moved_through([], moves.BRIEF, tables=place.tables) == 7
    old = BatchLanded(
        at=1, source="visits", rows_in=0, landed=0, repeated=0, quarantined=0, deleted=0, imported=True
    )
    assert b"hot_through" not in encode(old)
    assert decode(encode(old)) == old


def test_hashes_that_nobody_computed_are_computed():
    landed = moves.Landed()
    record = landed.group({"visits": [(1, 3, 1), (2, 4, 0)], "things": [(1, 0, 2)]})
    bare = Record(
        record.at,
        tuple(
            RowsIn(r.source, r.values, r.happened_at, r.claimed_at, [0] * len(r.version), schema=r.schema)
            for r in record.rows
        ),
    )
    one, other = Place(), Place()
    one.move([(1, record)])
    other.move([(1, bare)])
    same(everything(other.tables), everything(one.tables))


def test_raw_rows_are_kept_as_they_were_sent_or_as_they_landed():
    landed = moves.Landed()
    first = landed.group({"visits": [(1, 3, 1), (2, 50, 0)]})
    second = landed.group({"visits": [(3, 4, 0)]})
    sent = pl.DataFrame({"id": ["3"], "day": ["2024-01-05"], "km": [" 0 "]})
    buffer = io.BytesIO()
    sent.write_ipc(buffer)
    (rows,) = second.rows
    second = Record(
        second.at, (records.msgspec.structs.replace(rows, sent=buffer.getvalue(), mended={"s": 1}),)
    )
    place = Place()
    place.move([(1, first), (2, second)])
    (fact,) = place.batches
    assert len(fact.raw) == 2
    assert fact.mended == {"s": 1}
    as_landed, as_sent = RawRows(place.blobs).parts(fact.raw)
    assert as_landed.rows["id"].to_list() == [row[0] for row in first.rows[0].values]
    assert as_sent.rows.drop("_landed").equals(sent)
    assert as_sent.rows["_landed"].to_physical().to_list() == [second.at]


MENDED = {"steps": [{"clip": "km", "range": [1, 2]}]}


@given(GROUPS, st.booleans())
@CALM
def test_law_under_a_later_mend_rows_land_again_at_the_instants_of_their_first_landing(groups, sent):
    landed, mended = moves.Landed(sent=sent), moves.Landed(mend=MENDED)
    numbered = [(number, landed.group(group)) for number, group in enumerate(groups, 1)]
    place = Place()
    place.move(numbered[: len(numbered) // 2])
    place.move(numbered)
    for group in groups:
        mended.group(group)
    intake = Intake(place.tables, place.ledger, blobs=place.blobs)
    for name, source in mended.sources.items():
        intake.land_again(name, source, now=mended.at + 1, rest=True)
        there = mended.tables.exists(table_of(name, source))
        assert place.tables.exists(table_of(name, source)) == there
        if there:
            own = [*moves.KINDS, "_happened_at", "_known_at", "_landed_at", "_seq", "_version", "_order"]
            one, other = (each.tables.read(table_of(name, source), own) for each in (place, mended))
            assert_frame_equal(one, other)
    before = everything(place.tables)
    place.move(numbered)
    same(everything(place.tables), before)


def test_what_was_moved_under_another_reading_is_not_moved_again():
    landed = moves.Landed()
    numbered = [(1, landed.group({"visits": [(1, 3, 1)]}))]
    place = Place()
    place.move(numbered)
    place.tables = MemoryTables()
    place.move(numbered)
    assert len(place.batches) == 1
    assert everything(place.tables) == {}


@pytest.mark.parametrize("fault", ["service.unknown-source", "service.no-schema"])
def test_rows_that_nobody_can_place_are_refused_by_name(fault):
    name = "nowhere" if fault == "service.unknown-source" else "visits"
    rows = RowsIn(name, [[1, 2, None]], [0], [0], [0])
    with pytest.raises(RoadError) as refused:
        Place().move([(1, Record(1, (rows,)))])
    assert refused.value.code == fault


def test_a_record_survives_being_written_down():
    landed = moves.Landed()
    record = landed.group({"visits": [(1, 3, 1), (2, 50, None)], "things": [(1, 0, 2)]})
    assert records.read(records.write(record)) == record


NO_ACTION = """
[policy.no_action]
action = "pass"
share = 0.2
"""


@pytest.mark.parametrize("more", ["", NO_ACTION], ids=["plain", "some left alone"])
def test_law_decisions_are_written_and_sealed_as_a_run_of_the_cycles_does(tmp_path, more):
    folder = worlds.write(tmp_path, *worlds.parcels(days=40), brief=worlds.BRIEF + more)
    for day in (10, 31, 35):
        wholeroad.open(folder, clock=SteppedClock(worlds.at(days=day))).cycle()
    project = wholeroad.open(folder)
    brief, table, tables = project.brief, project.decisions(), DeltaTables(project.folder.tables)
    spans = [fact for fact in map(decode, project.export()) if isinstance(fact, SpanDecided)]
    assert {fact.decider for fact in spans} == {"status quo", "model"}
    assert any(fact.count == 0 for fact in spans)
    for span, fact in enumerate(spans, 1):
        rows = table.filter(pl.col("span") == span)
        ids = rows.select(key_hash(["parcel_id"])).to_series().to_list()
        decided = [
            DecidedCase(
                [row["parcel_id"]],
                each,
                int(row["decided_at"].timestamp() * 1_000_000),
                brief.actions.index(row["action"]),
                [row[name] for name in brief.prediction],
                row["expected_value"],
                row.get("propensity"),
                row["decided_by"] == "people",
                fact.decider,
                row["model"],
                [],
            )
            for row, each in zip(rows.iter_rows(named=True), ids, strict=True)
        ][::-1]
        decided = [
            records.msgspec.msgpack.decode(records.msgspec.msgpack.encode(each), type=DecidedCase)
            for each in decided
        ]
        assert_frame_equal(decisions_frame(brief, decided, span=span, tables=tables), rows)
        plan = Plan(fact.decider, fact.model)
        assert sealed(brief, decided, at=fact.at, until_at=fact.until_at, plan=plan) == fact


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a child for each write point, to kill it there")
def test_killed_after_any_write_it_comes_to_the_same_tables_and_facts(tmp_path):
    done = subprocess.run([sys.executable, str(CHILD), str(tmp_path)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.decode().splitlines()
    points = [line for line in lines if line.startswith("killed after ")]
    assert len(points) >= 18, lines
    for kind in ("hot log", "prune", "tables", "ledger", "blobs"):
        assert any(f" {kind}" in point for point in points), kind
    assert lines[-1] == "all the same"
