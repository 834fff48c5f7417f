"""What features can still see at an instant: nothing that they could see is left out."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.expressions import bind
from wholeroad.core.instants import UNITS
from wholeroad.road.brief.contract import OutcomeTable, SourceTable
from wholeroad.road.data.batches import Batch
from wholeroad.road.data.cases import ID, Cases, decide_cases
from wholeroad.road.data.features.specs import Latest, Lookup, Window
from wholeroad.road.data.landing import land
from wholeroad.road.data.outcomes import outcome_versions, tell_outcomes
from wholeroad.road.data.recent import reach, recent_cases, recent_rows
from wholeroad.road.data.verdicts import stand_over
from wholeroad.road.data.versioning import to_versions
from wholeroad.road.data.versions import DELETED, FIRST_KNOWN, HAPPENED, KNOWN, Versions

UTC = pl.Datetime("us", "UTC")
UNIT = 10 * UNITS["s"]
SOURCE = SourceTable(read="none", key="id", happened_at="due", known_at="known", planned=True)
PAIR = SOURCE.model_copy(update={"key": ("id", "part")})
CLASSES = ("late", "on_time")

at = st.integers(1, 40)
rows = st.lists(st.tuples(st.integers(1, 8), at, at, st.sampled_from([*CLASSES, None])), max_size=25)
verdicts = st.lists(
    st.tuples(st.integers(1, 8), at, st.sampled_from(CLASSES)), max_size=6, unique_by=lambda each: each[:2]
)


def landed(of: list[tuple], source: SourceTable = SOURCE) -> pl.DataFrame:
    """From rows of (id, due, known, said)."""
    said = [(one, one % 2 + 0.5, due * UNIT, known * UNIT, told) for one, due, known, told in of]
    schema = {"id": pl.Int64, "part": pl.Float64, "due": UTC, "known": UTC, "said": pl.String}
    frame = pl.DataFrame(said, schema=schema, orient="row")
    return land(Batch(frame, landed_at=10**12, imported=True), source, name="rows").rows


def cases_of(of: list[tuple]) -> Cases:
    versions = to_versions(landed(of), SOURCE, name="cases")
    return decide_cases(versions, bind("due", versions.frame.schema, where="t"), until=10**12)


def seen(versions: Versions, since_at: int) -> list[tuple]:
    """Give the rows that a feature may count that looks back to an instant."""
    after = pl.lit(since_at).cast(UTC)
    frame = versions.frame.filter(
        ~pl.col(DELETED) & ((pl.col(HAPPENED) > after) | (pl.col(FIRST_KNOWN) > after))
    )
    return sorted(frame.rows(), key=repr)


@settings(deadline=None)
@given(rows, at, st.booleans())
def test_versions_that_features_can_see_are_those_of_all_rows(of: list[tuple], since: int, pair: bool):
    source = PAIR if pair else SOURCE
    stored = landed(of, source)
    recent = recent_rows(stored, source.key, since_at=since * UNIT)
    every, some = (to_versions(each, source, name="rows") for each in (stored, recent))
    assert seen(some, since * UNIT) == seen(every, since * UNIT)


def test_rows_of_long_ago_are_left_out_with_all_their_versions():
    stored = landed([(1, 1, 1, "late"), (1, 2, 3, "on_time"), (2, 1, 1, "late"), (2, 1, 30, None)])
    recent = recent_rows(stored, ("id",), since_at=20 * UNIT)
    assert recent["id"].to_list() == [2, 2]


@settings(deadline=None, max_examples=200)
@given(rows, rows, verdicts, at, st.none() | st.integers(0, 20))
def test_truths_that_features_can_see_are_those_of_all_cases(
    of: list[tuple], told: list[tuple], said: list[tuple], since: int, silence: int | None
):
    cases, outcomes = cases_of(of), to_versions(landed(told), SOURCE, name="outcomes")
    silent = {} if silence is None else {"if_never": "late", "never_after": f"{silence * 10}s"}
    outcome = OutcomeTable(
        kind="binary",
        classes=CLASSES,
        source="outcomes",
        truth="said",
        matures="1s",
        depends_on_action="no",
        **silent,
    )
    truth = bind("said", outcomes.frame.schema, where="t", expects="text")
    ids = dict(cases.frame.select("id", ID).rows())
    people = pl.DataFrame(
        [(ids[one], known * UNIT, word) for one, known, word in said if one in ids],
        schema={"case": pl.UInt64, KNOWN: UTC, "verdict": pl.String},
        orient="row",
    )
    recent = recent_cases(cases, outcomes, outcome=outcome, verdicts=people, since_at=since * UNIT)

    def known(some: Cases) -> list[tuple]:
        told = tell_outcomes(some, outcomes, truth=truth, outcome=outcome, until=10**12)
        told = stand_over(told, people, cases=some, classes=CLASSES)
        versions = outcome_versions(some, told.timeline, classes=CLASSES, columns=(), levels=told.levels)
        return seen(versions, since * UNIT)

    assert known(recent) == known(cases)


def test_a_case_of_long_ago_whose_truth_is_old_is_left_out():
    cases = cases_of([(1, 1, 1, None), (2, 1, 1, None), (3, 30, 1, None)])
    told = to_versions(landed([(1, 2, 2, "late"), (2, 2, 25, "late")]), SOURCE, name="outcomes")
    outcome = OutcomeTable(
        kind="binary", classes=CLASSES, source="o", truth="said", matures="1s", depends_on_action="no"
    )
    recent = recent_cases(cases, told, outcome=outcome, verdicts=None, since_at=20 * UNIT)
    assert recent.frame["id"].to_list() == [2, 3]


def test_features_reach_as_far_as_the_one_that_looks_back_farthest():
    window = Window("a", "s", "count", None, None, (), over=3, on="known")
    latest = Latest("b", "s", "x", (), max_age=5)
    assert reach([window, latest], "s") == 5
    assert reach([window, Latest("c", "s", "x", ())], "s") is None
    assert reach([window, Lookup("d", "t", "x", ())], "t") is None
    assert reach([window], "t") == 0
