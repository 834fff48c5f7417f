"""When cases are decided and their truth is known: the rules of time, each by its name."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholeroad.core.expressions import bind
from wholeroad.core.view import PENDING, UNKNOWN, AsOf, Timeline
from wholeroad.road.brief.contract import OutcomeTable, SourceTable
from wholeroad.road.data.batches import Batch
from wholeroad.road.data.cases import Cases, decide_cases
from wholeroad.road.data.landing import land
from wholeroad.road.data.outcomes import outcome_versions, tell_outcomes
from wholeroad.road.data.versioning import to_versions
from wholeroad.road.data.versions import Versions

UTC = pl.Datetime("us", "UTC")
CASES = SourceTable(read="none", key="id", happened_at="due", known_at="known", planned=True)
OUTCOMES = SourceTable(read="none", key="id", happened_at="known", known_at="known")
OUTCOME = OutcomeTable(
    kind="binary",
    classes=("late", "on_time"),
    source="outcomes_in",
    truth="case when lost or delay > 30 then 'late' else 'on_time' end",
    matures="10us",
    depends_on_action="no",
)


def landed(rows: list[tuple], columns: dict[str, pl.DataType], source: SourceTable) -> Versions:
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    batch = Batch(frame, landed_at=10**9, imported=True)
    name = "cases" if source is CASES else "outcomes"
    return to_versions(land(batch, source, name=name).rows, source, name=name)


def cases_of(rows: list[tuple[int, int, int, int | None]], until: int = 10**6) -> Cases:
    """From rows of (id, known, due, decide)."""
    columns = {"id": pl.Int64, "known": UTC, "due": UTC, "decide": UTC}
    versions = landed(rows, columns, CASES)
    return decide_cases(versions, bind("decide", versions.frame.schema, where="t"), until=until)


def timeline_from(*told, **how) -> Timeline:
    return tell_outcomes(*told, **how).timeline


def timeline_of(
    cases: Cases, rows: list[tuple], *, outcome: OutcomeTable = OUTCOME, until: int = 10**6
) -> Timeline:
    """From rows of (id, known, lost, delay)."""
    columns = {"id": pl.Int64, "known": UTC, "lost": pl.Boolean, "delay": pl.Int64}
    versions = landed(rows, columns, OUTCOMES)
    truth = bind(outcome.truth, versions.frame.schema, where="t", expects="text")
    return timeline_from(cases, versions, truth=truth, outcome=outcome, until=until)


def at(cases: Cases) -> dict[int, int]:
    return dict(zip(cases.frame["id"].to_list(), cases.decided_at.tolist(), strict=True))


# Laws

moments = st.integers(0, 30)
case_rows = st.lists(
    st.tuples(st.integers(0, 4), moments, st.just(100), st.none() | moments),
    max_size=12,
    unique_by=lambda row: row[:2],
)


@given(case_rows)
def test_a_case_is_decided_at_the_first_instant_its_newest_version_asks_for_it(rows):
    expected = {}
    for now in range(40):
        for case in {row[0] for row in rows}:
            known = [row for row in rows if row[0] == case and row[1] <= now]
            if case not in expected and known:
                decide = max(known, key=lambda row: row[1])[3]
                if decide is not None and decide <= now:
                    expected[case] = now
    assert at(cases_of(rows)) == expected


@given(case_rows, moments)
def test_cases_known_later_dont_move_the_decisions_before(rows, cut):
    early = cases_of([row for row in rows if row[1] <= cut])
    full = cases_of(rows)
    assert {k: v for k, v in at(early).items() if v <= cut} == {k: v for k, v in at(full).items() if v <= cut}
    before = full.frame.filter(pl.col("_decided_at").to_physical() <= cut)
    assert before.equals(early.frame.filter(pl.col("_decided_at").to_physical() <= cut))


outcome_rows = st.lists(
    st.tuples(st.integers(0, 4), moments, st.booleans() | st.none(), st.sampled_from([0, 60, None])),
    max_size=10,
    unique_by=lambda row: row[:2],
)


def judged(lost: bool | None, delay: int | None) -> int:
    late = None if delay is None else delay > 30
    if lost or late:
        return 0
    return UNKNOWN if lost is None or late is None else 1


@given(case_rows, outcome_rows)
def test_the_truth_is_the_newest_version_known_and_never_before_the_decision(rows, outcomes):
    cases = cases_of(rows)
    timeline = timeline_of(cases, outcomes)
    decided = at(cases)
    for now in range(45):
        codes = AsOf(timeline, now).truth()
        for position, case in enumerate(cases.frame["id"].to_list()):
            if decided[case] >= now:
                assert position >= codes.size
                continue
            known = [row for row in outcomes if row[0] == case and max(row[1], decided[case] + 1) <= now]
            last = max(known, key=lambda row: row[1]) if known else None
            expected = judged(*last[2:]) if last else PENDING
            if last and expected == UNKNOWN and last[1] <= decided[case]:
                expected = PENDING  # it was there before the decision and tells nothing: no outcome yet
            assert codes[position] == expected


@given(case_rows, outcome_rows, moments)
def test_news_add_up_to_the_truth(rows, outcomes, step):
    timeline = timeline_of(cases_of(rows), outcomes)
    booked = np.full(timeline.decided_at.size, PENDING, dtype=np.int8)
    since = None
    for now in range(0, 60, step + 1):
        view = AsOf(timeline, now, since=since)
        cases, codes = view.news()
        booked[cases] = codes
        assert booked[: view.decided].tolist() == view.truth().tolist()
        since = now


# Examples


def test_a_case_posted_before_its_time_waits():
    assert at(cases_of([(1, 5, 100, 20)])) == {1: 20}


def test_a_case_posted_after_its_time_is_decided_when_it_becomes_known_and_is_late():
    cases = cases_of([(1, 25, 100, 20), (2, 5, 100, 20)])
    assert at(cases) == {2: 20, 1: 25}
    assert cases.frame["_late"].to_list() == [False, True]


def test_a_revision_after_the_decision_does_not_decide_again():
    cases = cases_of([(1, 5, 100, 20), (1, 21, 101, 30)])
    assert at(cases) == {1: 20}
    assert cases.frame["due"].to_physical().to_list() == [100]


def test_a_revision_before_the_decision_moves_it():
    assert at(cases_of([(1, 5, 100, 20), (1, 10, 100, 30)])) == {1: 30}


def test_of_versions_known_at_the_decision_the_newest_asks():
    assert at(cases_of([(1, 5, 100, 20), (1, 20, 100, 40)])) == {1: 40}


@given(st.permutations(range(9)))
def test_cases_decided_at_one_instant_come_in_the_order_of_their_ids(keys):
    cases = cases_of([(key, 5 + key % 2, 100, 20) for key in keys])
    assert cases.ids.tolist() == sorted(cases.ids.tolist())
    assert len(set(cases.ids.tolist())) == 9


def test_a_case_without_a_time_to_decide_is_never_decided_and_is_counted():
    cases = cases_of([(1, 5, 100, None), (2, 5, 100, 6)])
    assert (at(cases), cases.never) == ({2: 6}, 1)


def test_an_outcome_known_before_the_decision_counts_just_after_it():
    cases = cases_of([(1, 5, 100, 20)])
    timeline = timeline_of(cases, [(1, 6, True, None)])
    assert timeline.truth_known_at.tolist() == [21]


def test_a_null_condition_makes_the_truth_unknown_never_else():
    cases = cases_of([(1, 0, 100, 5), (2, 0, 100, 6), (3, 0, 100, 7)])
    timeline = timeline_of(cases, [(1, 8, False, None), (2, 8, True, None), (3, 8, False, 0)])
    assert AsOf(timeline, 9).truth().tolist() == [UNKNOWN, 0, 1]


def test_a_corrected_outcome_stands_from_when_it_is_known():
    timeline = timeline_of(cases_of([(1, 0, 100, 5)]), [(1, 8, False, 0), (1, 12, False, 60)])
    assert [AsOf(timeline, now).truth().tolist() for now in (7, 8, 11, 12)] == [[PENDING], [1], [1], [0]]


def test_silence_means_a_class_once_never_after_has_passed_until_an_outcome_comes():
    outcome = OUTCOME.model_copy(update={"if_never": "on_time", "never_after": 10})
    cases = cases_of([(1, 0, 100, 5), (2, 0, 100, 5)])
    timeline = timeline_of(cases, [(1, 20, True, None)], outcome=outcome)
    one, two = cases.frame["id"].to_list().index(1), cases.frame["id"].to_list().index(2)
    seen = {now: AsOf(timeline, now).truth().tolist() for now in (14, 15, 20)}
    assert (seen[14][one], seen[15][one], seen[20][one]) == (PENDING, 1, 0)
    assert (seen[14][two], seen[15][two], seen[20][two]) == (PENDING, 1, 1)


def test_an_outcome_taken_back_lets_the_newest_that_stands_speak():
    columns = {"row": pl.Int64, "id": pl.Int64, "known": UTC, "lost": pl.Boolean, "delay": pl.Int64}
    source = SourceTable(read="none", key="row", happened_at="known", known_at="known")
    frame = pl.DataFrame([(1, 1, 8, True, 0), (2, 1, 9, False, 0)], schema=columns, orient="row")
    stored = land(Batch(frame, landed_at=10, imported=True), source, name="o").rows
    taken_back = stored.filter(pl.col("row") == 2).with_columns(
        pl.lit(20).cast(UTC).alias("_known_at"), pl.lit(value=True).alias("_deleted"), pl.col("_order") + 1
    )
    versions = to_versions(pl.concat([stored, taken_back]), source, name="o")
    truth = bind(OUTCOME.truth, versions.frame.schema, where="t", expects="text")
    cases, outcome = cases_of([(1, 0, 100, 5)]), OUTCOME.model_copy(update={"by": ("id",)})
    timeline = timeline_from(cases, versions, truth=truth, outcome=outcome, until=99)
    assert [AsOf(timeline, now).truth().tolist() for now in (7, 8, 9, 20)] == [[PENDING], [0], [1], [0]]


def test_a_case_whose_own_row_tells_no_truth_yet_is_pending_and_may_fall_silent():
    columns = {"id": pl.Int64, "known": UTC, "due": UTC, "decide": UTC, "lost": pl.Boolean}
    versions = landed([(1, 0, 100, 5, None), (1, 9, 100, 5, None), (2, 0, 100, 5, None)], columns, CASES)
    cases = decide_cases(versions, bind("decide", versions.frame.schema, where="t"), until=99)
    truth = bind("case when lost then 'late' else 'on_time' end", versions.frame.schema, where="t")
    outcome = OUTCOME.model_copy(update={"if_never": "late", "never_after": 10})
    timeline = timeline_from(cases, versions, truth=truth, outcome=outcome, until=99)
    assert [AsOf(timeline, now).truth().tolist() for now in (10, 15)] == [[PENDING, PENDING], [0, 0]]


def test_silence_after_the_end_of_the_history_is_not_known():
    outcome = OUTCOME.model_copy(update={"if_never": "on_time", "never_after": 10})
    assert timeline_of(cases_of([(1, 0, 100, 5)]), [], outcome=outcome, until=14).truth_case.size == 0


def test_cases_younger_than_matures_are_not_learnt_from():
    cases = cases_of([(1, 0, 100, 5), (2, 0, 100, 10)])
    timeline = timeline_of(cases, [(1, 6, False, 0), (2, 11, False, 0)])
    assert AsOf(timeline, 15).matured(10).tolist() == [0]
    assert AsOf(timeline, 20).matured(10).tolist() == [0, 1]
    assert AsOf(timeline, 20).matured(10, window=10).tolist() == [1]


def test_arrivals_come_before_the_cycle_and_decisions_after_it():
    cases = cases_of([(1, 0, 100, 5), (2, 0, 100, 8)])
    view = AsOf(timeline_of(cases, [(1, 8, False, 0)]), 8)
    assert view.decided == 1
    assert view.truth().tolist() == [1]


def test_the_built_in_source_outcomes_says_when_each_truth_was_known():
    cases = cases_of([(1, 0, 100, 5)])
    timeline = timeline_of(cases, [(1, 8, False, 0), (1, 12, None, None)])
    frame = outcome_versions(cases, timeline, classes=OUTCOME.classes, columns={"due"}).frame
    assert frame["truth"].to_list() == ["on_time", None]
    assert frame["_happened_at"].to_physical().to_list() == [5, 5]
    assert frame["_known_at"].to_physical().to_list() == [8, 12]
    assert frame["_superseded_at"].to_physical().to_list() == [12, None]
    assert frame["_first_known_at"].to_physical().to_list() == [8, 8]


def test_an_outcome_may_be_joined_by_other_columns():
    cases = cases_of([(1, 0, 100, 5)])
    columns = {"id": pl.Int64, "of": pl.Int32, "known": UTC, "delay": pl.Int64}
    versions = landed([(77, 1, 8, 60)], columns, OUTCOMES)
    outcome = replace_by(OUTCOME, "of")
    truth = bind("case when delay > 30 then 'late' else 'on_time' end", versions.frame.schema, where="t")
    assert timeline_from(cases, versions, truth=truth, outcome=outcome, until=99).truth_code.tolist() == [0]


def replace_by(outcome: OutcomeTable, column: str) -> OutcomeTable:
    return outcome.model_copy(update={"by": (column,)})


def test_the_truth_may_ask_the_case():
    cases = cases_of([(1, 0, 100, 5)])
    columns = {"id": pl.Int64, "known": UTC, "arrived": UTC}
    versions = landed([(1, 130, 130)], columns, OUTCOMES)
    schema = {**versions.frame.schema, "case.due": UTC}
    truth = bind("case when arrived > case.due then 'late' else 'on_time' end", schema, where="t")
    assert timeline_from(cases, versions, truth=truth, outcome=OUTCOME, until=999).truth_code.tolist() == [0]


def test_a_view_cannot_be_moved():
    view = AsOf(timeline_of(cases_of([(1, 0, 100, 5)]), []), 8)
    with pytest.raises(AttributeError):
        view.then = 9
    assert replace  # the reader has no method that takes a date
    assert not [name for name in dir(AsOf) if name in ("at", "until", "before", "on")]


@pytest.mark.parametrize(("back_at", "expected"), [(12, [(12, PENDING), (15, 1)]), (20, [(15, 0), (20, 1)])])
def test_an_outcome_taken_back_is_silence_once_never_after_has_passed(back_at, expected):
    source = SourceTable(read="none", key="id", happened_at="known", known_at="known")
    frame = pl.DataFrame([(1, 8, True, 0)], schema=["id", "known", "lost", "delay"], orient="row")
    frame = frame.with_columns(pl.col("known").cast(UTC))
    stored = land(Batch(frame, landed_at=10, imported=True), source, name="o").rows
    back = stored.with_columns(
        pl.lit(back_at).cast(UTC).alias("_known_at"),
        pl.lit(value=True).alias("_deleted"),
        pl.col("_order") + 1,
    )
    versions = to_versions(pl.concat([stored, back]), source, name="o")
    truth = bind(OUTCOME.truth, versions.frame.schema, where="t", expects="text")
    outcome = OUTCOME.model_copy(update={"if_never": "on_time", "never_after": 10})
    timeline = timeline_from(cases_of([(1, 0, 100, 5)]), versions, truth=truth, outcome=outcome, until=99)
    # Late at 8; on time once nothing stands and ten microseconds after the decision have passed.
    seen = [(now, AsOf(timeline, now).truth().tolist()[0]) for now, _ in expected]
    assert seen == expected
