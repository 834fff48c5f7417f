"""One case at a time says what bulk says of all of them: when it is due, what waits, what its truth is."""

from __future__ import annotations

from collections import defaultdict

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.adapters.scratch import TemporaryScratchFile
from wholeroad.core.expressions import Expression, bind
from wholeroad.core.view import PENDING, UNKNOWN
from wholeroad.road.brief.contract import OutcomeTable, SourceTable
from wholeroad.road.data.binding import AT_ONCE, WHEN_KNOWN, Bound
from wholeroad.road.data.cases import DECIDED, ID, Cases, decide_cases, key_hash
from wholeroad.road.data.features.specs import Derived, Latest, Window
from wholeroad.road.data.one_case.decided import Decided, DecidedCases, kept_columns
from wholeroad.road.data.one_case.due import Due, asks_at, due_at
from wholeroad.road.data.one_case.joining import OutcomeRows, case_key, matched, versions_of_case
from wholeroad.road.data.one_case.keyed import Keyed
from wholeroad.road.data.one_case.told import Said
from wholeroad.road.data.one_case.truth import Truth, Truths
from wholeroad.road.data.one_case.waiting import Waiting
from wholeroad.road.data.outcomes import outcome_versions, tell_outcomes
from wholeroad.road.data.row_versions import Key, RowVersion
from wholeroad.road.data.verdicts import VERDICT, stand_over
from wholeroad.road.data.versioning import to_versions
from wholeroad.road.data.versions import (
    DELETED,
    FIRST_KNOWN,
    HAPPENED,
    KNOWN,
    ORDER,
    SUPERSEDED,
    Versions,
)

UTC = pl.Datetime("us", "UTC")
Verdicts = dict[tuple[int, int], str | None]
"""What people said, by case and when it became known."""

STAMPS = (HAPPENED, KNOWN, ORDER, DELETED, SUPERSEDED, FIRST_KNOWN)
SYSTEM = {HAPPENED: UTC, KNOWN: UTC, ORDER: pl.Int64(), DELETED: pl.Boolean()}

moments = st.integers(0, 12)
orders = st.integers(-6, 6).filter(bool)


def versions_of(
    rows: list[tuple], columns: dict[str, pl.DataType], *, key: tuple[str, ...], name: str
) -> Versions:
    """From rows of (known, order, deleted, own columns...)."""
    stored = [(*row[3:], 0, row[0], row[1], row[2]) for row in rows]
    frame = pl.DataFrame(stored, schema={**columns, **SYSTEM}, orient="row")
    source = SourceTable(read="none", key=list(key), happened_at="happened", known_at="known")
    return to_versions(frame, source, name=name)


def one_by_one(versions: Versions) -> dict[Key, list[RowVersion]]:
    """Give each row's versions, in order."""
    rows = defaultdict(list)
    for row in versions.frame.with_columns(pl.all().to_physical()).iter_rows(named=True):
        values = {name: value for name, value in row.items() if name not in STAMPS}
        key = tuple(row[name] for name in versions.key)
        happened, known, order, deleted, superseded, first = (row[name] for name in STAMPS)
        rows[key].append(
            RowVersion(
                happened,
                known,
                order,
                deleted=deleted,
                values=values,
                superseded_at=superseded,
                first_known_at=first,
            )
        )
    return rows


# When a case is due

CASE = {"id": pl.Int64(), "decide": UTC, "late_after": pl.Int64()}
case_rows = st.lists(
    st.tuples(moments, orders, st.booleans(), st.integers(0, 3), st.none() | moments, st.integers(0, 40)),
    max_size=10,
    unique_by=lambda row: (row[3], row[0], row[1]),
)
DECIDE = bind("decide", CASE, where="t", expects="instant")


@pytest.mark.parametrize("decide_at", [DECIDE, WHEN_KNOWN, AT_ONCE])
@given(rows=case_rows)
@settings(deadline=None)
def test_a_case_is_due_when_bulk_decides_it(decide_at: Expression, rows: list[tuple]):
    versions = versions_of(rows, CASE, key=("id",), name="cases")
    bulk = decide_cases(versions, decide_at, until=10**6)
    asks = asks_at(decide_at, CASE)
    found = {}
    for key, each in one_by_one(versions).items():
        due = due_at(each, asks)
        if due is not None:
            values = each[due.index].values
            found[key[0]] = (due.due_at, due.late, values["decide"], values["late_after"])
    columns = [pl.col(name).to_physical() for name in (DECIDED, "_late", "decide", "late_after")]
    rows_of = bulk.frame.select("id", *columns).iter_rows()
    assert found == {row[0]: row[1:] for row in rows_of}


def version(known: int, decide: int | None, *, ends: int | None = None, deleted: bool = False) -> RowVersion:
    return RowVersion(0, known, 1, deleted, {"decide": decide}, ends, known)


def due(*versions: RowVersion) -> Due | None:
    return due_at(versions, lambda each: each.values["decide"])


def test_a_case_that_is_known_after_its_time_is_due_at_once_and_late():
    assert due(version(5, 3)) == Due(5, late=True, index=0)
    assert due(version(5, 5)) == Due(5, late=False, index=0)


def test_a_version_that_is_superseded_as_it_asks_does_not_decide():
    assert due(version(5, 9, ends=9), version(9, 20)) == Due(20, late=False, index=1)


def test_a_case_that_was_taken_back_or_never_asks_is_not_due():
    assert due(version(5, 9, ends=7), version(7, 9, deleted=True)) is None
    assert due(version(5, None)) is None
    assert due() is None


# What waits

steps = st.lists(
    st.tuples(st.sampled_from(["put", "put", "put", "drop", "pop", "through"]), st.integers(0, 9), moments),
    max_size=300,
)


@given(steps=steps, ranked=st.booleans())
@settings(deadline=None)
def test_cases_come_out_at_their_instants_and_in_their_order(steps: list[tuple], ranked: bool):
    waiting: Waiting[int] = Waiting(rank=(lambda key: -key) if ranked else None)
    plain: dict[int, int] = {}
    for step, key, at in steps:
        if step == "put":
            waiting.put(key, at)
            plain[key] = at
        elif step == "drop":
            waiting.drop(key)
            plain.pop(key, None)
        else:
            inclusive = step == "through"
            out = [key for key, then in plain.items() if then < at or (inclusive and then == at)]
            expected = defaultdict(list)
            for each in sorted(out, reverse=True) if ranked else out:
                expected[plain.pop(each)].append(each)
            assert waiting.pop_until(at, inclusive=inclusive) == sorted(expected.items())
        assert waiting.next_at() == min(plain.values(), default=None)
        assert (len(waiting), set(plain)) == (len(plain), {key for key in range(10) if key in waiting})
        assert set(waiting) == set(plain)
        assert [waiting.due_at(key) for key in plain] == [*plain.values()]


def test_cases_that_move_take_no_more_memory():
    waiting: Waiting[int] = Waiting()
    for at in range(10_000):
        waiting.put(at % 7, at)
    for key in range(7, 5_000):
        waiting.put(key, key)
        waiting.drop(key)
    assert len(waiting) == 7
    assert len(waiting._heap) < 200


# The truth of a case

OUTCOME = {
    "row": pl.Int64(),
    "of": pl.Int64(),
    "delay": pl.Float64(),
    "lost": pl.Boolean(),
    "arrived": UTC,
}
outcome_rows = st.lists(
    st.tuples(
        st.integers(0, 25),
        orders,
        st.sampled_from([False, False, False, True]),
        st.integers(0, 3),  # the row
        st.none() | st.integers(0, 3),  # of this case
        st.sampled_from([None, 0.0, -0.0, 3.0, 60.0]),
        st.booleans() | st.none(),
        st.none() | moments,
    ),
    max_size=8,
    unique_by=lambda row: row[1],
)
CLASSES = {
    "kind": "binary",
    "classes": ("late", "on_time"),
    "truth": "case when lost then 'late' when delay > case.late_after then 'late' when delay = 3 then 'odd' "
    "else 'on_time' end",
}
NUMBER = {"kind": "regression", "truth": "delay"}


@st.composite
def worlds(draw: st.DrawFn, *, own: bool | None = None) -> tuple:
    """Decided cases, an outcome table, its truth, and the versions of outcome rows."""
    rows = draw(case_rows)
    until = 10**6
    if own or (own is None and draw(st.booleans())):
        columns = {**CASE, "delay": pl.Float64(), "lost": pl.Boolean(), "arrived": UTC}
        delays, losts = st.sampled_from([None, -0.0, 3.0, 60.0]), st.booleans() | st.none()
        rows = [(*row, draw(delays), draw(losts), None) for row in rows]
        versions = versions_of(rows, columns, key=("id",), name="cases")
        asking, by, source = versions, None, "cases"
    else:
        keyed = draw(st.sampled_from(["row", "of"]))
        asking = versions_of(rows, CASE, key=("id",), name="cases")
        told = draw(outcome_rows)
        versions = versions_of(told, OUTCOME, key=(keyed,), name="arrivals")
        by, source = ("of",), "arrivals"
    cases = decide_cases(asking, DECIDE, until=until)
    table = draw(st.sampled_from([CLASSES, NUMBER]))
    silence = draw(st.none() | st.integers(0, 14))
    word = "on_time" if table is CLASSES else "-0.0"
    silent = {} if silence is None else {"if_never": word, "never_after": f"{silence}us"}
    outcome = OutcomeTable(**table, **silent, source=source, by=by, matures="1us", depends_on_action="no")
    schema = {name: kind for name, kind in versions.frame.schema.items() if name not in STAMPS}
    both = {**schema, **{f"case.{name}": kind for name, kind in CASE.items()}}
    truth = bind(outcome.truth, both, where="t", expects="text" if table is CLASSES else "number")
    return cases, outcome, truth, versions


def truths_of(world: tuple, versions: Versions, said: Verdicts | None = None) -> dict[Key, list[Truth]]:
    """Tell the truth of every case, one case at a time."""
    cases, outcome, truth, _ = world
    schema = {name: kind for name, kind in versions.frame.schema.items() if name not in STAMPS}
    own = outcome.source == cases.source
    truths = Truths(truth, outcome, schema=schema, case_schema=CASE, own=own)
    kept = DecidedCases.from_frame(cases.frame, ["late_after"], key=cases.key)
    rows = one_by_one(versions).values()
    by = outcome.by or cases.key
    return {
        key: truths.of(
            kept.find(key),
            versions_of_case(rows, key, by=by),
            said=[Said(at, verdict) for (case, at), verdict in (said or {}).items() if case == key[0]],
        )
        for key in cases.frame.select(cases.key).rows()
    }


def told_in_bulk(
    world: tuple, versions: Versions, *, until: int, said: Verdicts | None = None
) -> tuple[pl.DataFrame, list[int], list[bool]]:
    cases, outcome, truth, _ = world
    told = tell_outcomes(cases, versions, truth=truth, outcome=outcome, until=until)
    if said and told.levels is None:
        rows = [(case, at, verdict) for (case, at), verdict in said.items()]
        frame = pl.DataFrame(rows, schema={"id": pl.Int64, KNOWN: UTC, VERDICT: pl.String}, orient="row")
        frame = frame.select(key_hash(["id"]).alias("case"), KNOWN, VERDICT)
        told = stand_over(told, frame, cases=cases, classes=outcome.classes)
    frame = outcome_versions(
        cases, told.timeline, classes=outcome.classes, columns={"late_after"}, levels=told.levels
    ).frame.with_columns(pl.all().to_physical())
    codes = told.timeline.truth_code.tolist()
    codes = codes if told.levels is None else [min(code, 0) for code in codes]
    return frame, codes, told.silent.tolist()


verdicts = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 30)), st.sampled_from(["late", "on_time", "odd", None])
)


@given(world=worlds(), said=st.just({}) | verdicts.map(lambda said: dict(sorted(said.items()))))
@settings(deadline=None, max_examples=120)
def test_the_truth_of_each_case_is_that_of_all_of_them(world: tuple, said: Verdicts):
    versions = world[-1]
    frame, codes, silent = told_in_bulk(world, versions, until=10**6, said=said)
    columns = [KNOWN, "id", "late_after", "truth", HAPPENED, DELETED, SUPERSEDED, FIRST_KNOWN]
    ids = frame.select(key_hash(["id"])).to_series().to_list()
    expected = [
        (row[0], case_id - 2**63, *row[1:], code, silence)
        for row, case_id, code, silence in zip(
            frame.select(columns).iter_rows(), ids, codes, silent, strict=True
        )
    ]
    assert frame[ORDER].to_list() == [row[1] for row in expected]
    assert expected == sorted(expected, key=lambda row: row[:2])  # bulk has them in this order
    found = [
        (
            truth.version.known_at,
            truth.version.order,
            *(truth.version.values[name] for name in ("id", "late_after", "truth")),
            truth.version.happened_at,
            truth.version.deleted,
            truth.version.superseded_at,
            truth.version.first_known_at,
            truth.code,
            truth.silent,
        )
        for truths in truths_of(world, versions, said).values()
        for truth in truths
    ]
    found.sort(key=lambda row: row[:2])  # those of one case stay in their order
    assert repr(found) == repr(expected)  # so that 0.0 isn't -0.0


@given(world=worlds(own=False), now=st.integers(0, 40), ahead=st.booleans())
@settings(deadline=None, max_examples=120)
def test_what_is_foretold_is_what_bulk_says_once_it_is_there(world: tuple, now: int, ahead: bool):
    cases, outcome, truth, versions = world
    stored = versions.frame if ahead else versions.frame.filter(pl.col(KNOWN).to_physical() <= now)
    source = SourceTable(read="none", key=list(versions.key), happened_at="happened", known_at="known")
    landed = to_versions(stored.drop(SUPERSEDED, FIRST_KNOWN), source, name=versions.source)
    end = pl.lit(now).cast(UTC)
    known = Cases(cases.frame.filter(pl.col(DECIDED) <= end), cases.key, never=0, source=cases.source)
    world = known, outcome, truth, landed
    frame, codes, _ = told_in_bulk(world, landed, until=now)
    seen = [*zip(frame.select("id", KNOWN, "truth", SUPERSEDED).rows(), codes, strict=True)]
    expected = [(row[:3], clipped(row[3], now), code) for row, code in seen if row[1] <= now]
    found = []
    for truths in truths_of(world, landed).values():
        for each in truths:
            row = (each.version.values["id"], each.version.known_at, each.version.values["truth"])
            if each.version.known_at <= now:
                found.append((row, clipped(each.version.superseded_at, now), each.code))
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def clipped(instant: int | None, now: int) -> int | None:
    return None if instant is None or instant > now else instant


def told(
    versions: list[RowVersion], *, decided_at: int = 5, silence: dict | None = None, own: bool = False
) -> list[tuple]:
    schema = {"lost": pl.Boolean()}
    truth = bind("case when lost then 'late' else 'on_time' end", schema, where="t", expects="text")
    outcome = OutcomeTable(
        **{**CLASSES, **(silence or {})}, source="s", matures="1us", depends_on_action="no"
    )
    truths = Truths(truth, outcome, schema=schema, case_schema={}, own=own)
    found = truths.of(Decided(decided_at, 1, {"id": 7}), versions)
    return [(each.version.known_at, each.version.values["truth"], each.code) for each in found]


def lost(known: int, value: bool | None, *, ends: int | None = None, deleted: bool = False) -> RowVersion:
    return RowVersion(known, known, 1, deleted, {"lost": value}, ends, known)


SILENCE = {"if_never": "on_time", "never_after": "10us"}


def test_an_outcome_that_was_there_counts_just_after_the_decision():
    assert told([lost(3, value=True)]) == [(6, "late", 0)]
    assert told([lost(3, value=None)]) == [(6, None, PENDING)]
    assert told([lost(9, value=None)]) == [(9, None, UNKNOWN)]
    assert told([lost(9, value=None)], own=True) == [(9, None, PENDING)]


def test_silence_is_foretold_unless_something_stands_by_then():
    assert told([], silence=SILENCE) == [(15, "on_time", 1)]
    assert told([lost(15, value=True)], silence=SILENCE) == [(15, "late", 0)]
    assert told([lost(16, value=True)], silence=SILENCE) == [(15, "on_time", 1), (16, "late", 0)]


def test_an_outcome_taken_back_is_pending_and_then_silence():
    rows = [lost(8, value=True, ends=12), lost(12, value=True, deleted=True)]
    assert told(rows) == [(8, "late", 0), (12, None, PENDING)]
    assert told(rows, silence=SILENCE)[1:] == [(12, None, PENDING), (15, "on_time", 1)]


def test_an_outcome_taken_back_at_the_very_instant_of_silence_is_silence():
    rows = [lost(8, value=True, ends=15), lost(15, value=True, deleted=True)]
    assert told(rows, silence=SILENCE) == [(8, "late", 0), (15, None, PENDING), (15, "on_time", 1)]


# Decided cases, and what belongs to them

rows_by_key = st.lists(st.tuples(st.integers(0, 6), st.sampled_from("abc"), st.integers()), max_size=60)


@given(
    rows=rows_by_key,
    cut=st.integers(0, 60),
    recent=st.integers(0, 5),
    large=st.sampled_from([1, 9, 99]),
    aside=st.booleans(),
)
@settings(deadline=None)
def test_rows_are_found_by_their_key_wherever_they_lie(
    rows: list[tuple], cut: int, recent: int, large: int, *, aside: bool
):
    rows = [(*key, place) for place, (*key, _) in enumerate(rows)]
    schema = {"a": pl.Int64(), "b": pl.String(), "place": pl.Int64()}
    beside = TemporaryScratchFile() if aside else None
    keyed = Keyed(schema, 2, recent=recent, large=large, beside=beside)
    keyed.extend(pl.DataFrame(rows[:cut], schema=schema, orient="row"))
    for row in rows[cut:]:
        keyed.add(row)
    if beside is not None:
        beside.wait()
    assert len(keyed) == len(rows)
    for a in range(8):
        for b in "abcd":
            expected = [row for row in rows if row[:2] == (a, b)]
            assert sorted(keyed.every((a, b))) == expected
            assert (keyed.first((a, b)) in expected) if expected else keyed.first((a, b)) is None


def decided_frame() -> pl.DataFrame:
    columns = {"day": pl.Date(), "id": pl.Int64(), "city": pl.Categorical(), "other": pl.Int64()}
    frame = pl.DataFrame([(None, 1, "Oslo", 1), (None, 2, None, 2)], schema=columns, orient="row")
    return frame.with_columns(
        pl.Series("day", [3, 4]).cast(pl.Date()),
        pl.Series(DECIDED, [50, 60]).cast(UTC),
        key_hash(["id", "day"]).alias(ID),
    )


def test_decided_cases_are_found_as_they_were_decided():
    frame = decided_frame()
    cases = DecidedCases.from_frame(frame, ["city", "day"], key=("id", "day"))
    ids = frame[ID].to_list()
    cases.add((5, 6), Decided(70, 9, {"id": 5, "day": 6, "city": "Rome", "other": 1}))
    cases.add((1, 3), Decided(99, 9, {"id": 1, "day": 3, "city": "Rome"}))  # it was decided before
    assert cases.find((1, 3)) == Decided(50, ids[0], {"id": 1, "day": 3, "city": "Oslo"})
    assert cases.find((2, 4)) == Decided(60, ids[1], {"id": 2, "day": 4, "city": None})
    assert cases.find((5, 6)) == Decided(70, 9, {"id": 5, "day": 6, "city": "Rome"})
    assert (cases.find((3, 1)), (1, 3) in cases, (3, 1) in cases, len(cases)) == (None, True, False, 3)


def test_an_outcome_is_matched_by_the_columns_that_name_its_case():
    cases = DecidedCases.from_frame(decided_frame(), [], key=("id", "day"))
    waiting: Waiting[Key] = Waiting()
    waiting.put((5, 6), 100)
    row = {"of": 1, "on": 3, "id": 77}
    assert case_key(row, ["of", "on"]) == (1, 3)
    assert matched(row, ["of", "on"], known=[cases, waiting]) == "matched"
    assert matched({"of": 5, "on": 6}, ["of", "on"], known=[cases, waiting]) == "matched"
    assert matched({"of": 3, "on": 1}, ["of", "on"], known=[cases, waiting]) == "unknown"
    assert matched({"of": None, "on": 1}, ["of", "on"], known=[cases, waiting]) == "unknown"


@given(rows=outcome_rows, cut=st.integers(0, 8), recent=st.integers(0, 3))
@settings(deadline=None)
def test_the_outcome_rows_of_a_case_are_all_that_ever_named_it(rows: list[tuple], cut: int, recent: int):
    versions = versions_of(rows, OUTCOME, key=("row",), name="arrivals").frame
    by, key = {"of": pl.Int64()}, {"row": pl.Int64()}
    found = OutcomeRows.from_frame(versions[:cut], by=["of"], key=["row"])
    one = OutcomeRows(by, key, recent=recent)
    for row in versions[cut:].iter_rows(named=True):
        found.add(row)
    for row in versions.iter_rows(named=True):
        one.add(row)
    for case in range(4):
        expected = {(row[3],) for row in rows if row[4] == case}
        for each in (found, one):
            assert sorted(each.find((case,))) == sorted(expected)


def test_what_is_kept_of_a_case_is_what_its_truth_and_features_of_outcomes_ask_for():
    schema = {"id": pl.Int64(), "city": pl.String(), "due": UTC, "size": pl.Int64(), "far": pl.Float64()}
    outcomes = {**schema, "truth": pl.String()}
    late = bind("truth = 'late' and size > 1", outcomes, where="t", expects="boolean")
    window = Window("w", "outcomes", "count", None, late, (("far", "city"),), 5, "known")
    other = Window("o", "weather", "count", None, None, (("far", "far"),), 5, "known")
    bound = Bound(
        decide_at=WHEN_KNOWN,
        truth=bind("case.due", {"case.due": UTC}, where="t"),
        status_quo=None,
        worth={},
        features=(window, other, Derived("d", bind("far", schema, where="t"))),
    )
    assert kept_columns(bound, schema, key=("id",)) == ("id", "city", "due", "size")
    newest = Latest("l", "outcomes", "truth", (("city", "far"),))
    bound = Bound(WHEN_KNOWN, bound.truth, None, {}, (), groups=(newest,))
    assert kept_columns(bound, schema, key=("id",)) == ("id", "due", "far")
