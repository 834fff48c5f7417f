"""Laws of the contracts of sources: counts are those of a plain reading, and clean worlds keep proposals."""

from __future__ import annotations

import datetime as dt
import sys
import tomllib

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.adapters.contracted_files import check_file
from wholeroad.adapters.pandera_schemas import from_pandera, to_pandera
from wholeroad.core.errors import FaultsError, UserError
from wholeroad.core.instants import DAY, UNITS, parse_instant
from wholeroad.road.brief.assumptions import assumed
from wholeroad.road.brief.source_contract import ContractTable
from wholeroad.road.brief.sources import CsvTable, SourceTable
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.batches import Batch
from wholeroad.road.data.casting import INSTANT, cast, kept_type
from wholeroad.road.data.contracts.checking import check_frames
from wholeroad.road.data.contracts.freshness import stale, stale_cycles
from wholeroad.road.data.contracts.inspecting import Inspector, references_of, standing_columns
from wholeroad.road.data.contracts.personal import guess_personal
from wholeroad.road.data.contracts.proposed_values import propose_range
from wholeroad.road.data.contracts.proposing import propose
from wholeroad.road.data.contracts.questioning import question_contracts
from wholeroad.road.data.contracts.uniqueness import SeenValues
from wholeroad.road.data.landing import land
from wholeroad.road.data.quarantine import Verdict
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN, ORDER, Versions
from wholeroad.testing import exports, support_desk
from worlds import BRIEF, parcels

HOUR = UNITS["h"]


def contract(**said):
    return ContractTable.model_validate(said)


def inspected(made, frame, *, parts=1, key=(), happened=None, **given):
    """Ask a contract of a frame in so many parts; give the result and the codes of all rows."""
    inspector = Inspector(made, source="rows", key=key, **given)
    codes, step = [], -(-max(frame.height, 1) // parts)
    for first in range(0, max(frame.height, 1), step):
        part = frame[first : first + step]
        verdict = Verdict(part.height)
        inspector.inspect(part, verdict, happened=None if happened is None else part[happened])
        codes += verdict.codes.to_list()
    return inspector.result(), codes


def instants(*texts):
    return pl.Series([parse_instant(text) for text in texts], dtype=pl.Int64).cast(INSTANT)


# one pass


VALUES = st.lists(
    st.tuples(st.none() | st.integers(-3, 9), st.none() | st.sampled_from("abcd"), st.integers(0, 4)),
    max_size=40,
)
MADE = contract(
    column={
        "n": {"range": [0, 5], "null_share": 0},
        "t": {"allowed": ["a", "b", "c"], "references": "other.letter"},
        "u": {"unique": True},
    }
)
THERE = {"other.letter": pl.Series(["a", "b", "d"])}


def faults_of(rows):
    """Read the rules row after row: which clauses each row breaks, and the code that it is set aside with."""
    owners, found = {}, []
    for place, (number, letter, value) in enumerate(rows):
        broken = [
            clause
            for clause, is_so in (
                ("n null", number is None),
                ("n range", number is not None and not 0 <= number <= 5),
                ("t allowed", letter is not None and letter not in "abc"),
                ("t references", letter is not None and letter not in "abd"),
            )
            if is_so
        ]
        if not broken:
            if value in owners:
                broken = ["u unique"]
            owners.setdefault(value, place)
        found.append(broken)
    return found


@given(VALUES, st.integers(1, 7))
@settings(deadline=None, max_examples=60)
def test_law_clauses_count_what_a_plain_reading_counts_however_the_batch_is_parted(rows, parts):
    frame = pl.DataFrame(rows, schema={"n": pl.Int64, "t": pl.String, "u": pl.Int64}, orient="row")
    result, codes = inspected(MADE, frame, parts=parts, references=THERE)
    plain = faults_of(rows)
    wanted = {clause: sum(clause in broken for broken in plain) for broken in plain for clause in broken}
    assert result.broken == wanted
    assert [code is None for code in codes] == [not broken for broken in plain]
    assert all(
        code == f"contract.{broken[0].split()[1]}"
        for code, broken in zip(codes, plain, strict=True)
        if broken
    )
    assert result.rows == len(rows)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=60), st.integers(1, 9), st.booleans()
)
@settings(deadline=None, max_examples=80)
def test_law_of_rows_with_one_value_only_those_of_the_first_key_stand(rows, parts, owned):
    seen = SeenValues()
    step = max(1, -(-len(rows) // parts))
    told = []
    for first in range(0, len(rows), step):
        values, owners = np.array(rows[first : first + step], dtype=np.uint64).reshape(-1, 2).T
        told += seen.repeated(values.copy(), owners.copy() if owned else None).tolist()
    first_owner, wanted = {}, []
    for place, (value, owner) in enumerate(rows):
        mine = owner if owned else place
        wanted.append(first_owner.setdefault(value, mine) != mine)
    assert told == wanted


@given(st.lists(st.none() | st.integers(0, 30), max_size=60), st.integers(1, 9), st.booleans())
@settings(deadline=None, max_examples=60)
def test_law_counting_alone_counts_the_same(values, parts, ascending):
    values = sorted({value for value in values if value is not None}) if ascending else values
    frame = pl.DataFrame({"u": values}, schema={"u": pl.Int64})
    made = contract(column={"u": {"unique": True}})
    step = max(1, -(-frame.height // parts))
    blamed, codes = inspected(made, frame, parts=parts)
    told = check_frames(made, [frame[first : first + step] for first in range(0, frame.height, step)])
    assert told.broken == blamed.broken
    assert codes.count("contract.unique") == sum(told.broken.values())


def test_a_row_that_something_is_wrong_with_already_is_asked_nothing():
    frame = pl.DataFrame({"n": [-1, -2]})
    verdict = Verdict(2)
    verdict.blame(pl.Series([True, False]), "data.key-null", reason=pl.lit("no key"), frame=frame)
    inspector = Inspector(contract(column={"n": {"range": [0, 5]}}), source="rows")
    inspector.inspect(frame, verdict, happened=None)
    assert verdict.codes.to_list() == ["data.key-null", "contract.range"]
    assert (inspector.result().rows, inspector.result().broken) == (1, {"n range": 1})
    assert inspector.result().aside[0].said == "n was -2, not between 0 and 5"


def test_the_reason_names_the_value_and_personal_values_are_never_said():
    made = contract(
        column={
            "km": {"range": [0, 6000]},
            "mail": {"allowed": ["a@b.org"], "personal": "personal", "unique": True},
            "who": {"references": "people.name", "personal": "pseudonymous"},
        }
    )
    frame = pl.DataFrame(
        {"km": [-4.5, 1.0, 1.0], "mail": ["a@b.org", "secret@x.org", None], "who": ["Ann", "Ann", "Zoe"]}
    )
    inspector = Inspector(made, source="rows", references={"people.name": pl.Series(["Ann"])})
    verdict = Verdict(3)
    inspector.inspect(frame, verdict, happened=None)
    assert verdict.reasons.to_list() == [
        "km was -4.5, not between 0 and 6000",
        "mail was not one of a@b.org",
        "who had a value which isn't in people.name",
    ]
    said = [clause.said for clause in inspector.result().aside]
    assert not any("secret" in each or "Zoe" in each for each in said)


@pytest.mark.parametrize(
    ("kind", "values", "bad"),
    [
        ("number", ["1.5", "-2", "x", None], 1),
        ("integer", ["1", "2.0", "2.5", ""], 2),
        ("instant", ["2020-01-01", "2020-01-01T10:00:00Z", "soon", None], 1),
        ("boolean", ["yes", "false", "perhaps"], 1),
        ("integer", [1.0, 2.5, None], 1),
        ("date", instants("2020-01-01", "2020-01-01T06:00:00Z"), 1),
        ("number", [1, 2, 3], 0),
    ],
)
def test_a_type_is_broken_by_the_values_that_cannot_be_read_so(kind, values, bad):
    made = contract(column={"x": {"type": kind, "null_share": 0}})
    frame = pl.DataFrame({"x": values})
    result, codes = inspected(made, frame)
    assert result.counts["x type"] == bad
    assert codes.count("contract.type") == bad
    assert result.counts["x null"] == frame["x"].null_count()  # what can't be read is no empty value


def test_a_text_that_is_read_as_a_number_has_a_range():
    made = contract(column={"x": {"type": "number", "range": [0, 5]}})
    assert inspected(made, pl.DataFrame({"x": ["1", "7", "seven"]}))[0].broken == {"x type": 1, "x range": 1}


def test_ranges_of_days_go_to_the_end_of_their_last_day():
    frame = pl.DataFrame({"at": instants("2020-01-31T23:59:59Z", "2020-02-01", "2019-12-31T23:59:59Z")})
    made = contract(column={"at": {"range": ["2020-01-01", "2020-01-31"]}})
    result, codes = inspected(made, frame)
    assert codes == [None, "contract.range", "contract.range"]
    assert result.aside[0].said == "at was 2020-02-01T00:00:00Z, not between 2020-01-01 and 2020-01-31"
    days = frame.select(pl.col("at").dt.date())
    assert inspected(made, days)[1] == [None, "contract.range", "contract.range"]


def test_several_sentences_without_a_value_are_all_said():
    made = contract(column={name: {"null_share": 0} for name in "ab"})
    frame = pl.DataFrame({"a": [1, None], "b": [None, 1]})
    assert [each.said for each in inspected(made, frame)[0].aside] == ["a was empty", "b was empty"]


def test_bounds_of_whole_numbers_are_exact():
    made = contract(column={"n": {"range": [0.5, 9_007_199_254_740_993]}})
    frame = pl.DataFrame({"n": [0, 1, 9_007_199_254_740_993, 9_007_199_254_740_994]})
    assert inspected(made, frame)[1] == ["contract.range", None, None, "contract.range"]


def test_what_a_broken_clause_does_is_as_the_contract_says():
    made = contract(
        if_broken="warn",
        column={
            "a": {"range": [0, 1]},
            "b": {"range": [0, 1], "if_broken": "hold"},
            "c": {"range": [0, 1], "if_broken": "quarantine"},
        },
    )
    result, codes = inspected(made, pl.DataFrame({"a": [5], "b": [6], "c": [7]}))
    assert [each.clause for each in result.warned] == ["a range"]
    assert [(each.clause, each.rows, each.of, each.said) for each in result.holds] == [
        ("b range", 1, 1, "b was 6, not between 0 and 1")
    ]
    assert [each.clause for each in result.aside] == ["c range"]
    assert codes == ["contract.range"]


def test_versions_of_one_key_may_share_a_value_and_a_key_by_itself_is_never_repeated():
    frame = pl.DataFrame({"id": [1, 1, 2, 3], "mail": ["x", "x", "x", "y"]})
    made = contract(column={"mail": {"unique": True}, "id": {"unique": True}})
    assert inspected(made, frame, key=("id",), parts=2)[1] == [None, None, "contract.unique", None]
    standing = pl.DataFrame({"id": [9, 3], "mail": ["x", "y"]})
    found = inspected(made, frame, key=("id",), standing=standing)[1]
    assert found == ["contract.unique"] * 3 + [None]
    assert standing_columns(made) == ("mail", "id")
    assert standing_columns(contract(column={"mail": {}})) is None


def test_a_row_that_is_set_aside_takes_no_value():
    frame = pl.DataFrame({"u": [1, 1], "n": [-1, 1]})
    made = contract(column={"u": {"unique": True}, "n": {"range": [0, 5]}})
    assert inspected(made, frame)[1] == ["contract.range", None]


def test_a_reference_to_rows_that_have_not_landed_is_not_asked_and_that_is_said():
    made = contract(column={"t": {"references": "other.letter"}})
    result, codes = inspected(made, pl.DataFrame({"t": ["z"]}))
    assert codes == [None]
    assert result.unasked == ("t references: no rows of other.letter have landed",)
    assert references_of(made) == ("other.letter",)


def test_references_are_compared_in_the_column_s_own_type():
    made = contract(column={"a": {"references": "o.n"}, "b": {"references": "o.n", "type": "integer"}})
    frame = pl.DataFrame({"a": [1.0, 3.0], "b": ["1", "3"]})
    result, _ = inspected(made, frame, references={"o.n": pl.Series([1, 2])})
    assert result.broken == {"a references": 1, "b references": 1}


def test_batch_clauses_are_told_when_all_parts_are_in():
    made = contract(if_broken="hold", column={"x": {"null_share": 0.25}})
    frame = pl.DataFrame({"x": [None, None, 1, 1, 1, 1, 1, 1]}, schema={"x": pl.Int64})
    assert inspected(made, frame, parts=4)[0].holds == ()
    (broken,) = inspected(made, frame[:6], parts=3)[0].holds
    assert (broken.clause, broken.rows, broken.of) == ("x null_share", 2, 6)
    assert "33.33%" in broken.said
    default = contract(column={"x": {"null_share": 0.25}})
    assert [each.clause for each in inspected(default, frame[:6])[0].warned] == ["x null_share"]


def days(counts, start="2020-01-01", key=0):
    at = [
        parse_instant(start) + day * DAY + hour * HOUR
        for day, count in enumerate(counts)
        for hour in range(count)
    ]
    return pl.DataFrame({"id": range(key, key + len(at)), "at": pl.Series(at, dtype=pl.Int64).cast(INSTANT)})


VOLUME = contract(if_broken="hold", volume={"least": 2, "most": 4})


@pytest.mark.parametrize(
    ("counts", "odd"),
    [([1, 3, 3, 1], 0), ([1, 0, 3, 1], 1), ([1, 3, 5, 9], 1), ([9, 9], 0), ([], 0), ([1, 0, 0, 0, 7, 1], 4)],
)
@pytest.mark.parametrize("key", [(), ("id",)])
def test_volume_is_asked_of_full_days_only(counts, odd, key):
    result, _ = inspected(VOLUME, days(counts), key=key, happened="at", parts=3)
    assert result.counts["volume"] == odd
    assert len(result.holds) == (odd > 0)


def test_volume_counts_what_stands_and_counts_a_row_once():
    late = days([1, 0, 0, 1], key=50)  # a correction of the first day, and today
    assert inspected(VOLUME, late, key=("id",), happened="at")[0].counts["volume"] == 2
    before = days([3, 3, 3]).rename({"at": HAPPENED})
    assert inspected(VOLUME, late, key=("id",), happened="at", standing=before)[0].counts["volume"] == 0
    again = days([3, 3, 3, 1])
    result, _ = inspected(VOLUME, again, key=("id",), happened="at", standing=before)
    assert result.counts["volume"] == 0  # the same rows once more are no more rows


def test_a_day_that_is_not_over_when_a_batch_lands_is_not_full():
    rows = days([3, 3, 1, 1])
    assert inspected(VOLUME, rows, happened="at")[0].counts["volume"] == 1
    until = parse_instant("2020-01-03T12:00:00Z")
    assert inspected(VOLUME, rows, happened="at", until=until)[0].counts["volume"] == 0


def test_columns_without_any_value_keep_every_clause_but_that_of_empty_values():
    made = contract(
        column={"n": {"range": [0, 1], "null_share": 0}, "b": {"allowed": [True]}, "d": {"type": "date"}}
    )
    frame = pl.DataFrame({"n": [None], "b": [None], "d": [None]}, schema=dict.fromkeys("nbd", pl.String))
    assert inspected(made, frame)[0].broken == {"n null": 1}
    assert inspected(made, frame.clear())[0].broken == {}


# faults of the contract


@pytest.mark.parametrize(
    ("column", "said", "code"),
    [
        ("km", {"range": [0, 1]}, "contract.wrong-kind"),
        ("km", {"type": "boolean", "allowed": [True]}, None),
        ("n", {"type": "text"}, "contract.wrong-kind"),
        ("n", {"allowed": ["1"]}, "contract.wrong-kind"),
        ("n", {"allowed": [1.5]}, "contract.wrong-kind"),
        ("n", {"range": ["2020-01-01", "2020-12-31"]}, "contract.wrong-kind"),
        ("kn", {"range": [0, 1]}, "contract.column-missing"),
    ],
)
def test_a_contract_that_the_columns_cannot_keep_is_refused_before_a_row_is_read(column, said, code):
    inspector = Inspector(contract(column={column: said}), source="rows")
    schema = {"km": pl.String(), "n": pl.Int64()}
    if code is None:
        inspector.fit(schema)
        return
    with pytest.raises(FaultsError) as refused:
        inspector.fit(schema)
    assert [fault.code for fault in refused.value.faults] == [code]


def test_every_fault_of_a_contract_is_told_at_once_with_the_nearest_name():
    made = contract(column={"kmm": {}, "n": {"allowed": ["x"]}})
    with pytest.raises(FaultsError) as refused:
        inspected(made, pl.DataFrame({"km": [1], "n": [1]}))
    assert len(refused.value.faults) == 2
    assert "did you mean km?" in str(refused.value)


def brief(added):
    return BRIEF + added


@pytest.mark.parametrize(
    ("added", "code"),
    [
        (
            "[source.parcels.contract.column]\nweight_kg = { type = 'text', range = [0, 1] }",
            "brief.contract-range",
        ),
        ("[source.parcels.contract.column]\nsent_at = { range = ['soon', 'then'] }", "brief.contract-range"),
        (
            "[source.parcels.contract.column]\ndepot = { type = 'text', allowed = [1] }",
            "brief.contract-allowed",
        ),
        ("[source.parcels.contract.column]\ndepot = { allowed = [1, 'a'] }", "brief.contract-allowed"),
        (
            "[source.parcels.contract.column]\nx = { allowed = [1, 9], range = [0, 5] }",
            "brief.contract-allowed",
        ),
        ("[source.parcels.contract.column]\nparcel_id = { null_share = 0.1 }", "brief.contract-null-share"),
        ("[source.parcels.contract.column]\ndepot = { references = 'depots.name' }", "brief.unknown-source"),
        ("[source.parcels.contract.column]\ndepot = { references = 'depots' }", "brief.contract-reference"),
        (
            "[source.parcels.contract.column]\ndepot = { references = 'parcels.depot' }",
            "brief.contract-reference",
        ),
        ("[source.parcels.contract]\nvolume = { least = 5, most = 2 }", "brief.contract-volume"),
        ("[source.parcels.contract]\nretention = '1d'", "brief.contract-retention"),
        ("[source.parcels.contract]\nfreshness = '0d'", "brief.value"),
        ("[source.parcels.contract.column]\nx = { rnage = [0, 1] }", "brief.unknown-key"),
        ("[source.parcels.contract.column]\nx = { range = [5, 1] }", "brief.value"),
    ],
)
def test_what_is_wrong_with_a_contract_is_told_without_data(added, code):
    with pytest.raises(FaultsError) as refused:
        read_brief(brief(added))
    assert [fault.code for fault in refused.value.faults] == [code]
    assert "contract" in refused.value.faults[0].where


def test_a_sound_contract_is_read_and_types_and_static_sources_are_heeded():
    sound = """
[source.parcels.contract]
owner = "Ann"
freshness = "2d"
retention = "400d"
volume = { least = 1 }
[source.parcels.contract.column]
depot = { type = "text", allowed = ["A", "B", "C"], if_broken = "hold" }
weight_kg = { type = "number", unit = "kg", range = [0, 100] }
sent_at = { type = "instant", range = ["2020-01-01", "2030-12-31"] }
[source.deliveries.contract.column]
parcel_id = { references = "parcels.parcel_id" }
"""
    made = read_brief(brief(sound)).source["parcels"].contract
    assert made.may_hold
    assert made.does("depot") == "hold"
    static = "[source.depots]\nread = 'none'\nkey = 'name'\nstatic = true\ntypes = { name = 'number' }\n"
    static += "[source.depots.contract]\nfreshness = '1d'\n"
    static += "[source.depots.contract.column]\nname = { type = 'boolean' }"
    with pytest.raises(FaultsError) as refused:
        read_brief(brief(static))
    assert {fault.code for fault in refused.value.faults} == {"brief.contract-times", "brief.contract-type"}


# landing


def test_rows_that_break_the_contract_go_to_quarantine_and_the_counts_add_up():
    made = contract(column={"km": {"range": [0, 6000]}, "tail": {"unique": True}})
    source = SourceTable(read="none", key="id", happened_at="day", known_at="day")
    frame = pl.DataFrame(
        {"id": ["a", "b", "c"], "day": [dt.date(2013, 1, 1)] * 3, "km": [1, -4, 2], "tail": "xxx"}
    )
    inspector = Inspector(made, source="flights", key=("id",))
    landing = land(Batch(frame, landed_at=0, imported=True), source, name="flights", inspector=inspector)
    assert (landing.counts.rows_in, landing.counts.landed, landing.counts.quarantined) == (3, 1, 2)
    assert landing.quarantine["code"].to_list() == ["contract.range", "contract.unique"]
    assert inspector.result().broken == {"km range": 1, "tail unique": 1}


# freshness, and the check


def test_a_source_is_stale_when_its_newest_row_is_older_than_promised():
    made = read_brief(brief("[source.parcels.contract]\nfreshness = '1d'\nowner = 'Ann'\n"))
    assert stale(made, {"parcels": 0}, now=DAY) == []
    (found,) = stale(made, {"parcels": 0}, now=DAY + 1)
    assert (found.source, found.newest_at) == ("parcels", 0)
    assert found.said.endswith("its contract allows 1d; ask Ann")
    assert "has no row" in stale(made, {}, now=0)[0].said


@given(st.lists(st.integers(0, 500), max_size=30), st.integers(1, 60), st.integers(1, 40))
@settings(deadline=None)
def test_law_stale_cycles_are_those_without_a_row_within_the_span(known, freshness, every):
    old, cycles, first_at = stale_cycles(np.array(known, dtype=np.int64), freshness, every=every)
    grid = range(-(-min(known) // every) * every, max(known) + 1, every) if known else range(0)
    plain = [at for at in grid if not any(at - freshness <= one <= at for one in known)]
    assert (old, cycles, first_at) == (len(plain), len(grid), plain[0] if plain else None)


def versions(name, key, frame, *, happened, known):
    """Take rows as versions that landed."""
    rows = pl.DataFrame([cast(column, kept_type(column.dtype)) for column in frame.iter_columns()])
    timed = rows.with_columns(
        pl.col(happened).alias(HAPPENED),
        pl.col(known).alias(KNOWN),
        pl.lit(value=False).alias(DELETED),
        pl.int_range(pl.len()).alias(ORDER),
    )
    return Versions(name, (key,), timed.drop_nulls([KNOWN, HAPPENED]).sort(KNOWN))


def test_the_check_tells_broken_stale_and_unsaid():
    cases, outcomes = parcels(days=20)
    landed = {
        "parcels": versions("parcels", "parcel_id", cases, happened="sent_at", known="booked_at"),
        "deliveries": versions(
            "deliveries", "parcel_id", outcomes, happened="delivered_at", known="reported_at"
        ),
    }
    said = """
[source.parcels.contract]
freshness = "1h"
if_broken = "warn"
[source.parcels.contract.column]
weight_kg = { range = [0, 5] }
depot = { personal = "special" }
[source.deliveries.contract.column]
parcel_id = { references = "parcels.parcel_id" }
"""
    made = read_brief(brief(said))
    found = {finding.code: finding for finding in question_contracts(made, landed)}
    assert set(found) == {"check.contract-broken", "check.contract-stale", "check.contract-purpose"}
    heavy = int((cases["weight_kg"] > 5).sum())
    assert f"weight_kg range, {heavy:,} of {cases.height:,} rows" in found["check.contract-broken"].happened
    assert "special data (depot)" in found["check.contract-purpose"].happened
    assert list(question_contracts(read_brief(BRIEF), landed)) == []


# proposals


def worlds_of(seed):
    """Give clean tables: name, key, rows, when they happened and became known."""
    cases, outcomes = parcels(days=80, seed=seed)
    yield "parcels", "parcel_id", cases, "sent_at", "booked_at"
    # After the last day nothing more is sent, and what comes trickles out.
    of_the_days = outcomes.filter(pl.col("reported_at") < cases["sent_at"].max())
    yield "deliveries", "parcel_id", of_the_days, "delivered_at", "reported_at"
    orders = exports.orders(3000, seed=seed).drop("returned", "return_known_at")
    yield "orders", "order_id", orders, "ordered_at", "ordered_at"
    desk = support_desk.make(days=50, tickets_per_day=50, seed=seed)
    # A new product is launched halfway: that is no false alarm.
    yield "tickets", "ticket_id", desk["tickets"].drop("product"), "opened_at", "received_at"
    yield "resolutions", "ticket_id", desk["resolutions"], "solved_at", "recorded_at"


def test_a_clean_world_keeps_the_contract_that_its_first_half_proposes():
    asked, broken = 0, []
    for seed in range(13):
        for name, key, frame, happened, known in worlds_of(seed):
            whole = versions(name, key, frame, happened=happened, known=known)
            middle = whole.frame.height // 2
            earlier, later = Versions(name, (key,), whole.frame[:middle]), whole.frame[middle:]
            table = SourceTable(
                read="none", key=key, happened_at=happened, known_at=known, planned=name == "parcels"
            )
            made = propose(name, table, rows=earlier).contract
            result, _ = inspected(made, later, key=(key,), happened=HAPPENED, standing=earlier.frame)
            asked += len(result.counts)
            broken += [(seed, name, clause) for clause in result.broken]
            if made.freshness is not None:
                asked += 1
                old, _, _ = stale_cycles(later[KNOWN].dt.epoch("us").to_numpy(), made.freshness, every=DAY)
                broken += [(seed, name, "freshness")] if old else []
    sys.stdout.write(f"{len(broken)} of {asked} clauses broken by clean rows: {broken}\n")
    assert asked > 1000
    assert len(broken) <= 0.01 * asked


def test_a_proposal_reads_back_as_it_was_made_and_every_line_is_marked():
    for name, key, frame, happened, known in worlds_of(1):
        whole = versions(name, key, frame, happened=happened, known=known)
        table = SourceTable(read="none", key=key, happened_at=happened, known_at=known)
        proposal = propose(name, table, rows=whole)
        read = tomllib.loads(proposal.text)["source"][name]["contract"]
        assert ContractTable.model_validate(read) == proposal.contract
        lines = [line for line in proposal.text.splitlines() if "=" in line and not line.startswith("#")]
        assert len(assumed(proposal.text)) == len(lines) > 3
        assert all(each.why for each in assumed(proposal.text))


def test_a_proposal_catches_wrong_signs_units_and_stand_ins():
    dice = np.random.default_rng(0)
    weight = pl.Series("kg", dice.gamma(2.0, 3.0, 4000))
    bounds = propose_range(weight)
    assert bounds.low == 0
    assert weight.max() < bounds.high < 1000 * weight.median()
    spoilt = pl.concat([weight, pl.Series("kg", [-999.0] * 40)]).shuffle(seed=1)
    again = propose_range(spoilt)
    assert again.left_out == (-999.0,)
    assert again.low == 0
    kelvin = propose_range(pl.Series("k", dice.normal(288, 8, 4000)))
    assert 150 < kelvin.low < 260
    assert 310 < kelvin.high < 450
    hours = propose_range(pl.Series("h", dice.integers(0, 24, 4000)))
    assert (hours.low, hours.high) == (0, 23)
    assert propose_range(pl.Series("few", [1.0] * 50)) is None


@pytest.mark.parametrize("draw", ["pareto", "lognormal", "normal", "uniform"])
def test_a_range_holds_for_as_many_rows_again_however_heavy_the_tail(draw):
    kept = 0
    for seed in range(40):
        dice = np.random.default_rng(seed)
        values = dice.pareto(1.5, 4000) if draw == "pareto" else getattr(dice, draw)(size=4000)
        bounds = propose_range(pl.Series("x", values[:2000]))
        kept += bounds.low <= values[2000:].min() and values[2000:].max() <= bounds.high
    assert kept >= 36


def test_a_column_that_grows_gets_no_range_and_codes_with_gaps_are_allowed_values():
    dice = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "id": np.arange(4000),
            "odometer": np.arange(4000) * 7.0,
            "code": dice.choice([1, 2, 5, 9], 4000),
            "reference_no": [f"r{number}" for number in range(4000)],
            "ticket": [f"t{number}" for number in dice.integers(0, 3000, 4000)],
            "gone": pl.Series([None] * 4000, dtype=pl.String),
            "sparse": [None if draw < 0.1 else 1.0 for draw in dice.random(4000)],
        }
    )
    table = SourceTable(read="none", key="id", static=True)
    columns = propose("cars", table, rows=frame).contract.column
    assert columns["odometer"].range is None
    assert columns["code"].allowed == (1, 2, 5, 9)
    assert columns["reference_no"].unique
    assert not columns["ticket"].unique
    assert not columns["ticket"].allowed
    assert columns["gone"].type is None
    assert 0.1 < columns["sparse"].null_share < 0.14


def test_references_are_proposed_where_every_value_was_a_key_in_time():
    cases, outcomes = parcels(days=40)
    table = SourceTable(
        read="none", key="parcel_id", happened_at="sent_at", known_at="booked_at", planned=True
    )
    asking = versions("parcels", "parcel_id", cases, happened="sent_at", known="booked_at")
    telling = versions("deliveries", "parcel_id", outcomes, happened="delivered_at", known="reported_at")
    of_outcomes = propose("deliveries", table, rows=telling, others={"parcels": (table, asking)}).contract
    assert of_outcomes.column["parcel_id"].references == "parcels.parcel_id"
    of_cases = propose("parcels", table, rows=asking, others={"deliveries": (table, telling)}).contract
    assert of_cases.column["parcel_id"].references is None  # a delivery is known later


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("contact", ["ann@x.org", "bob@y.com", "c@z.net"], "personal"),
        ("a", ["GB82WEST12345698765432", "DE89370400440532013000"], "personal"),
        ("a", ["GB83WEST12345698765432", "DE88370400440532013000"], None),
        ("a", ["4539148803436467", "4111 1111 1111 1111"], "personal"),
        ("a", ["4539148803436468", "4111 1111 1111 1112"], None),
        ("a", ["+43 1 58858-0", "+1 (555) 010-9999"], "personal"),
        ("diagnosis", ["a", "b"], "special"),
        ("lastName", ["a", "b"], "personal"),
        ("customer_id", ["a", "b"], "pseudonymous"),
        ("depot", ["a", "b"], None),
        ("product_name", ["a", "b"], None),
        ("customers", [1, 2], None),
    ],
)
def test_personal_data_are_guessed_by_values_and_names(name, values, found):
    guess = guess_personal(pl.Series(name, values))
    assert (guess[0] if guess else None) == found


def test_a_guess_at_persons_is_a_question():
    frame = pl.DataFrame({"id": range(500), "email": [f"p{number}@example.org" for number in range(500)]})
    proposal = propose("people", SourceTable(read="none", key="id", static=True), rows=frame)
    assert proposal.contract.personal == "personal"
    assert "# lawful_basis = ... :" in proposal.text
    assert "is it so?" in proposal.text
    assert proposal.contract.if_broken == "warn"


# files


def test_a_file_is_asked_a_part_at_a_time_with_the_counts_of_the_whole(tmp_path, monkeypatch):
    import wholeroad.adapters.contracted_files as files

    frame = pl.DataFrame({"n": [*range(3000), -1], "u": [*range(3000), 7], "t": ["a"] * 3000 + ["z"]})
    made = contract(column={"n": {"range": [0, 5000]}, "u": {"unique": True}, "t": {"allowed": ["a"]}})
    frame.write_parquet(tmp_path / "rows.parquet")
    frame.write_csv(tmp_path / "rows.csv")
    wanted = {"n range": 1, "t allowed": 1, "u unique": 1}
    assert check_frames(made, [frame]).broken == wanted
    for name in ("rows.parquet", "rows.csv"):
        assert check_file(tmp_path / name, made).broken == wanted
    monkeypatch.setattr(files, "PART", 10_000)
    assert check_file(tmp_path / "rows.parquet", made).broken == wanted


def test_values_of_a_csv_are_judged_by_the_contract_s_types(tmp_path):
    (tmp_path / "rows.csv").write_text("id,n,d\n1,4,2020-01-01\n2,four,2020-01-01T10:00\n3,,\n")
    made = contract(column={"n": {"type": "number", "null_share": 0}, "d": {"type": "date"}})
    assert check_file(tmp_path / "rows.csv", made).broken == {"n type": 1, "d type": 1, "n null": 1}
    (tmp_path / "rows.csv").write_text("n\n4,5\n")
    with pytest.raises(UserError, match=r"data\.file-missing"):
        check_file(tmp_path / "none.csv", made)
    (tmp_path / "german.csv").write_text("id;n\n1;4,5\n2;99,5\n")
    german = contract(column={"n": {"type": "number", "range": [0, 9]}})
    csv = CsvTable(separator=";", decimal=",")
    assert check_file(tmp_path / "german.csv", german, csv=csv).broken == {"n range": 1}


# pandera


def test_what_both_can_say_comes_back_from_pandera():
    made = contract(
        owner="Ann",
        freshness="2h",
        volume={"least": 3},
        if_broken="warn",
        column={
            "a": {"type": "integer", "range": [0, 5], "unit": "cm", "unique": True, "null_share": 0},
            "s": {
                "type": "text",
                "allowed": ["x", "y"],
                "null_share": 0.1,
                "references": "o.k",
                "if_broken": "hold",
            },
            "t": {"type": "instant", "range": ["2020-01-01T00:00:00Z", "2020-12-31T12:00:00Z"]},
            "d": {"type": "date", "range": ["2020-01-01", "2020-12-31"]},
            "b": {"type": "boolean", "personal": "personal"},
            "f": {"range": [0.5, 1.5]},
        },
    )
    exported = to_pandera(made, name="rows")
    back = from_pandera(exported.schema)
    assert back.contract == made
    assert back.unsaid == ()
    assert {each.split(":")[0] for each in exported.unsaid} == {
        "a unique",
        "s null_share 0.1",
        "s references o.k",
        "owner",
        "freshness",
        "volume",
    }
    assert '"in_range"' in exported.text


def test_pandera_and_we_refuse_the_same_rows():
    made = contract(
        column={
            "a": {"type": "integer", "range": [0, 5], "null_share": 0},
            "s": {"type": "text", "allowed": ["x", "y"]},
            "u": {"type": "integer", "unique": True},
        }
    )
    schema = to_pandera(made).schema
    good = pl.DataFrame({"a": [0, 5], "s": ["x", None], "u": [1, 2]})
    assert schema.validate(good).equals(good)
    assert check_frames(made, [good]).broken == {}
    import pandera.errors

    for column, value in (("a", 6), ("a", None), ("s", "z"), ("u", 1)):
        bad = good.with_columns(pl.Series(column, [good[column][0], value], dtype=good[column].dtype))
        with pytest.raises(pandera.errors.SchemaError):
            schema.validate(bad)
        assert sum(check_frames(made, [bad]).broken.values()) == 1


def test_what_a_contract_cannot_say_of_a_schema_is_listed():
    import pandera.polars as pandera

    schema = pandera.DataFrameSchema(
        {
            "a": pandera.Column(
                pl.Int32, [pandera.Check.ge(0), pandera.Check.str_matches("x")], required=False
            ),
            "b": pandera.Column(pl.List(pl.Int64), coerce=True),
            "c": pandera.Column(float, [pandera.Check.ge(0), pandera.Check.le(4)], nullable=True),
        },
        unique=["a", "c"],
        strict=True,
    )
    read = from_pandera(schema)
    assert read.contract.column["a"].type == "integer"
    assert read.contract.column["c"].range == [0, 4]
    assert len(read.unsaid) == 7, read.unsaid
    with pytest.raises(UserError, match=r"contract\.no-schema"):
        from_pandera({"a": 1})


def test_without_pandera_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandera.polars", None)
    with pytest.raises(UserError) as refused:
        to_pandera(contract())
    assert refused.value.code == "contract.needs-pandera"
    assert "wholeroad[contracts]" in refused.value.fix


def test_whole_numbers_with_a_stand_in_get_a_range_without_it():
    ages = [20 + place % 60 for place in range(4000)]
    ages[::50] = [-999] * 80
    table = SourceTable(read="none", key="id", static=True)
    found = propose("people", table, rows=pl.DataFrame({"id": range(4000), "age": ages}))
    low, high = found.contract.column["age"].range
    assert -999 < low <= 20
    assert high >= 79
