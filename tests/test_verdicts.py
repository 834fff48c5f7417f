"""Verdicts of people: read once, believed from then on, and nothing before them changes."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wholeroad
import worlds
from wholeroad.adapters.blobs import MemoryBlobs
from wholeroad.adapters.learners import make_learners
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.review_files import read_review, write_review
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.errors import FaultsError, UserError
from wholeroad.core.facts import encode
from wholeroad.core.view import PENDING, AsOf, Timeline
from wholeroad.engine.facts import decode
from wholeroad.engine.rehearsal import Rehearsal, walk_through
from wholeroad.engine.reviewing import Reviews, built_in, foretold, verdicts_digest
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.policies import parse_policy
from wholeroad.road.data.binding import bind_brief
from wholeroad.road.data.cases import Cases, key_hash
from wholeroad.road.data.outcomes import Told
from wholeroad.road.data.verdicts import SCHEMA, ids_of, key_texts, stand_over, verdict_versions
from wholeroad.road.data.work import assemble
from wholeroad.road.review.corrections import corrected, relabelled
from wholeroad.road.review.estimates import audit
from wholeroad.road.review.facts import ReviewAsked, VerdictsRead
from wholeroad.road.review.rules import LOG, contested, standing
from wholeroad.road.review.sheets import ITEMS, Wanted, read_sheet, telling_features
from wholeroad.road.review.work import Foretold, examine
from wholeroad.road.watch.facts import Settled

UTC = pl.Datetime("us", "UTC")
CLASSES = ("late", "on_time")

# A verdict stands over rows


CASES = 4


@st.composite
def told_and_said(draw):
    """Versions of the truth of some cases, and verdicts on them, at instants from 10 to 40."""
    decided = np.arange(CASES, dtype=np.int64)
    count, verdicts = draw(st.integers(0, 12)), draw(st.integers(0, 8))
    case = st.integers(0, CASES - 1)
    drawn = [
        (draw(st.integers(10, 40)), draw(case), draw(st.sampled_from([0, 1, -1, PENDING])))
        for _ in range(count)
    ]
    ids = four_cases().ids
    rows = sorted(drawn, key=lambda row: (row[0], ids[row[1]]))  # of one case and instant in any order
    said = {
        (draw(case), draw(st.integers(10, 40))): draw(st.sampled_from(["late", "on_time", None]))
        for _ in range(verdicts)
    }
    known, cases, codes = (np.array(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    timeline = Timeline(
        decided,
        np.array(known, dtype=np.int64),
        np.array(cases, dtype=np.int32),
        np.array(codes, dtype=np.int8),
    )
    silent = np.array([draw(st.booleans()) for _ in range(count)], dtype=bool)
    return Told(timeline, silent, 0, 0, 0, {}), said


def four_cases():
    frame = pl.DataFrame({"k": range(CASES), "_decided_at": pl.Series(range(CASES)).cast(UTC)})
    frame = frame.with_columns(key_hash(["k"]).alias("_id"))
    return Cases(frame, ("k",), never=0, source="s")


def as_verdicts(said):
    ids = four_cases().ids
    rows = [(int(ids[case]), known, verdict) for (case, known), verdict in sorted(said.items())]
    schema = {"case": pl.UInt64, "_known_at": pl.Int64, "verdict": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").cast(SCHEMA)


def believed(told, said, now):
    """Say by hand what is believed of each case at an instant: the verdict if one stands, else the rows."""
    truth = AsOf(told.timeline, now).truth().tolist()
    for case in range(CASES):
        mine = [(known, verdict) for (one, known), verdict in said.items() if one == case and known <= now]
        if mine and (last := max(mine, key=lambda pair: pair[0])[1]) is not None:
            truth[case] = CLASSES.index(last)
    return truth


@given(told_and_said())
@settings(deadline=None, max_examples=150)
def test_a_verdict_stands_from_when_it_is_known_until_another_comes_or_it_is_taken_back(case):
    told, said = case
    after = stand_over(told, as_verdicts(said), cases=four_cases(), classes=CLASSES)
    assert (np.diff(after.timeline.truth_known_at) >= 0).all()
    for now in range(9, 42):
        assert AsOf(after.timeline, now).truth().tolist() == believed(told, said, now)


@given(told_and_said(), st.integers(10, 40))
@settings(deadline=None, max_examples=150)
def test_a_verdict_changes_no_byte_of_what_was_known_before_it(case, cut):
    told, said = case
    later = {(one, known + 30): verdict for (one, known), verdict in said.items()}
    early = {pair: verdict for pair, verdict in said.items() if pair[1] <= cut}
    both = stand_over(told, as_verdicts(early | later), cases=four_cases(), classes=CLASSES)
    alone = stand_over(told, as_verdicts(early), cases=four_cases(), classes=CLASSES)
    before, was = (
        [
            (
                one.timeline.truth_known_at[place],
                one.timeline.truth_case[place],
                one.timeline.truth_code[place],
            )
            for place in np.flatnonzero(one.timeline.truth_known_at < 40)
        ]
        for one in (both, alone)
    )
    assert before == was
    silent = both.silent[both.timeline.truth_known_at < 40], alone.silent[alone.timeline.truth_known_at < 40]
    assert silent[0].tolist() == silent[1].tolist()


def rows_of(*versions):
    known, case, code = (np.array(column) for column in zip(*versions, strict=True))
    timeline = Timeline(np.arange(CASES), known, case.astype(np.int32), code.astype(np.int8))
    return Told(timeline, np.zeros(known.size, dtype=bool), 0, 0, 0, {})


def test_rows_that_come_later_don_t_move_a_verdict_but_are_counted():
    told = rows_of((10, 0, 0), (20, 0, 0), (30, 0, 1), (10, 1, 0))
    said = {(0, 15): "late", (1, 15): "on_time"}
    after = stand_over(told, as_verdicts(said), cases=four_cases(), classes=CLASSES)
    assert AsOf(after.timeline, 99).truth()[:2].tolist() == [0, 1]
    assert after.reviewed.tolist() == [0, 1]
    # Case 0 was confirmed as late, and its row came to say on_time; case 1 was corrected, as it should be.
    assert after.contradicted == 1


def test_a_verdict_is_never_known_before_its_case_was_decided_and_no_class_makes_the_truth_unknown():
    told = rows_of((10, 3, 0))
    after = stand_over(told, as_verdicts({(3, 10): "lost"}), cases=four_cases(), classes=CLASSES)
    assert AsOf(after.timeline, 99).truth()[3] == -1
    early = as_verdicts({(3, 10): "late"}).with_columns(pl.lit(0).cast(UTC).alias("_known_at"))
    after = stand_over(told, early, cases=four_cases(), classes=CLASSES)
    assert after.timeline.truth_known_at.min() == 4


def test_verdicts_on_cases_that_are_not_there_change_nothing():
    told = rows_of((10, 0, 0))
    strange = as_verdicts({(0, 15): "late"}).with_columns(pl.col("case") + 1)
    assert stand_over(told, strange, cases=four_cases(), classes=CLASSES) is told


def test_a_key_that_was_written_down_is_found_again():
    frame = pl.DataFrame({"a": [1, 2], "b": ["x y", 'q"ü']})
    assert (
        ids_of(key_texts(frame, ["a", "b"])).to_list()
        == frame.select(key_hash(["a", "b"])).to_series().to_list()
    )


# Several people


def log_of(*verdicts):
    rows = [(f"r1-{key}", f'["{key}"]', by, verdict, "", known) for key, by, verdict, known in verdicts]
    return pl.DataFrame(rows, schema={**LOG, "_known_at": pl.Int64}, orient="row").cast(LOG)


def spoken(log, key="1"):
    mine = ids_of(pl.Series([f'["{key}"]']))[0]
    found = standing(log).filter(pl.col("case") == mine)
    return [
        (int(known), verdict)
        for known, verdict in found.select(pl.col("_known_at").to_physical(), "verdict").rows()
    ]


def test_the_majority_is_believed_and_on_a_tie_nobody():
    log = log_of(("1", "a", "late", 10), ("1", "b", "on_time", 20), ("1", "c", "on_time", 30))
    assert spoken(log) == [(10, "late"), (20, None), (30, "on_time")]
    assert contested(log.head(2)) == ['["1"]']
    assert contested(log) == []


def test_of_one_person_the_newest_verdict_counts_and_unsure_takes_it_back():
    log = log_of(("1", "a", "late", 10), ("1", "a", "on_time", 20), ("1", "a", None, 30), ("2", "a", None, 5))
    assert spoken(log) == [(10, "late"), (20, "on_time"), (30, None)]
    assert spoken(log, "2") == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from("12"),
            st.sampled_from("abc"),
            st.sampled_from([*CLASSES, None]),
            st.integers(1, 9),
        ),
        max_size=12,
    ),
    st.integers(1, 9),
)
@settings(deadline=None, max_examples=100)
def test_what_is_believed_by_an_instant_hangs_on_verdicts_known_by_then(verdicts, now):
    verdicts = sorted(verdicts, key=lambda one: one[3])
    early = [one for one in verdicts if one[3] <= now]
    at = pl.lit(now).cast(UTC)
    assert standing(log_of(*verdicts)).filter(pl.col("_known_at") <= at).equals(standing(log_of(*early)))


# A sheet comes back


SHEET = pl.DataFrame({"item": ["r1-a", "r1-b", "r1-c"], "key": ['["1"]', '["2"]', '["3"]']})


def back(*rows):
    return pl.DataFrame(rows, schema=["item", "verdict", "by", "note"], orient="row")


def test_every_bad_row_is_named_at_once():
    rows = back(
        ("r1-a", "LATE", "eva", ""),
        ("r9-z", "late", "eva", ""),
        ("r1-b", "perhaps", "eva", ""),
        ("r1-b", "late", "", ""),
        ("r1-a", "on_time", "eva", ""),
        ("r1-c", "", "", "no idea"),
    )
    with pytest.raises(FaultsError) as caught:
        read_sheet(rows, SHEET, classes=CLASSES)
    assert [(fault.code, fault.where) for fault in caught.value.faults] == [
        ("review.unknown-item", "row 3"),
        ("review.no-class", "row 4"),
        ("review.nobody", "row 5"),
        ("review.twice", "row 6"),
    ]
    late = rows.head(1).with_columns(pl.lit("yesterday").alias("judged_at"))
    with pytest.raises(FaultsError, match="no-instant"):
        read_sheet(late, SHEET, classes=CLASSES)
    with pytest.raises(UserError, match=r"review\.columns"):
        read_sheet(rows.drop("verdict"), SHEET, classes=CLASSES)


def test_verdicts_are_read_as_people_write_them():
    rows = back((" r1-a ", " Late ", "", "sure"), ("r1-b", "Unsure", "eva", ""), ("r1-c", None, None, None))
    judged, empty = read_sheet(rows, SHEET, classes=CLASSES, by="tom")
    assert empty == 1
    assert judged.select("key", "by", "verdict", "note").rows() == [
        ('["1"]', "tom", "late", "sure"),
        ('["2"]', "eva", None, ""),
    ]


# A whole review


@cache
def world():
    """Give a small project's brief, versions and decisions; a tenth of its labels is wrong."""
    cases, outcomes = worlds.parcels(days=60, per_day=40)
    wrong = pl.col("parcel_id").hash(seed=5) % 10 == 0
    outcomes = outcomes.with_columns(
        pl.when(wrong).then(48 - pl.col("delay_h").clip(0, 48)).otherwise("delay_h").alias("delay_h")
    )
    with tempfile.TemporaryDirectory() as folder:
        project = wholeroad.open(worlds.write(Path(folder), cases, outcomes))
        decisions = project.rehearse(["every 10d"]).decisions("every 10d")
        sources = {name: project.versions(name) for name in project.brief.source}
    schemas = {
        name: pl.Schema(
            {column: kind for column, kind in one.frame.schema.items() if not column.startswith("_")}
        )
        for name, one in sources.items()
    }
    brief = project.brief
    return (
        brief,
        sources,
        bind_brief(brief, schemas),
        decisions,
        outcomes.select("parcel_id", wrong.alias("wrong")),
    )


def history_of(beside=None):
    brief, sources, bound, _, _ = world()
    return assemble(brief, {**sources, **(beside or {})}, bound=bound)


def examined_of(history):
    return examine(history, foretold(history, world()[3]))


def reviews():
    tables, ledger = MemoryTables(), MemoryLedger(decode)
    return Reviews(tables, ledger), tables, ledger


def answered(sheet, history, *, by="eva"):
    """Fill a sheet in, as somebody who knows which labels were made wrong."""
    truth = history.as_of(history.until + 1).truth()
    frame = history.cases.frame.select("parcel_id").with_columns(pl.Series("code", truth))
    told = sheet.select("parcel_id").join(
        frame.join(world()[4], on="parcel_id"), on="parcel_id", maintain_order="left"
    )
    right = (
        pl.when(pl.col("wrong")).then(1 - pl.col("code")).otherwise("code").replace_strict([0, 1], [*CLASSES])
    )
    return sheet.with_columns(told.select(right.alias("verdict")).to_series(), pl.lit(by).alias("by"))


def test_cases_are_judged_by_the_model_that_was_in_charge_when_they_were_decided():
    history = history_of()
    examined = examined_of(history)
    decided = world()[3]
    by_model = decided.filter(pl.col("p_late").is_not_null())
    assert examined.positions.size + sum(examined.left_out.values()) == decided.height
    assert examined.left_out["no model was in charge"] == decided.height - by_model.height > 0
    told = dict(by_model.select("parcel_id", "p_late").iter_rows())
    keys = history.cases.frame["parcel_id"].gather(examined.positions)
    assert [told[key] for key in keys] == examined.probabilities[:, 0].tolist()
    assert examined.suspects.positions.size > 20
    assert examined.expected == pytest.approx(examined.suspects.score.sum())
    wrong = dict(world()[4].iter_rows())
    hits = [wrong[key] for key in keys.gather(examined.suspects.positions)]
    assert np.mean(hits) > 2 * np.mean([wrong[key] for key in keys])


def test_a_mistake_costs_what_was_booked_or_what_it_matters_to_any_action():
    history = history_of()
    taken = examined_of(history)
    every = examine(history, foretold(history, world()[3]), money_of="any")
    # Express makes 8 or -4 and pass nothing: where nobody acted, nothing was booked wrongly.
    assert set(taken.suspects.money) == {0.0, 12.0}
    assert set(every.suspects.money) == {12.0}
    assert set(every.suspects.positions) == set(taken.suspects.positions)


def test_a_sheet_hides_which_rows_are_suspects_and_remembers_it():
    history = history_of()
    desk, tables, ledger = reviews()
    shown = desk.ask(
        examined_of(history), Wanted(most=30, drawn_share=0.25, blind=True), policy="every 10d", now=5
    )
    items = tables.read("review_items")
    assert items.schema.names() == ITEMS.names()
    assert shown.columns[:2] == ["item", "parcel_id"]
    assert not {"given", "suggested", "money", "kind"} & set(shown.columns)
    assert shown.height == 40
    assert items["key"].is_unique().all()
    assert (items["kind"] == "suspect").sum() == 30
    # Shuffled: neither kind comes first.
    assert 3 < (items["kind"][:20] == "suspect").sum() < 20
    fact = next(fact for _, fact in ledger.read() if isinstance(fact, ReviewAsked))
    assert (fact.review, fact.shown, fact.drawn, fact.at) == (1, 30, 10, 5)
    again = desk.ask(examined_of(history), Wanted(most=30, order="money"), policy="every 10d", now=4)
    assert set(again["item"]).isdisjoint(shown["item"])
    second = tables.read("review_items").filter(pl.col("review") == 2)
    assert second["score"].is_sorted(descending=True)
    drawn = pl.col("kind") == "drawn"
    assert set(second.filter(drawn)["key"]) != set(items.filter(drawn)["key"])


def test_features_are_shown_as_known_and_those_that_tell_most_come_first():
    history = history_of()
    examined = examined_of(history)
    assert telling_features(examined)[0] == "weight"
    desk, _, _ = reviews()
    shown = desk.ask(examined, Wanted(most=5, features=("depot",)), policy="p", now=5)
    as_known = history.cases.frame.select("parcel_id").with_columns(history.features.frame["depot"])
    assert shown.select("parcel_id", "depot").equals(
        shown.select("parcel_id").join(as_known, on="parcel_id", maintain_order="left")
    )
    with pytest.raises(UserError, match=r"review\.unknown-feature"):
        desk.ask(examined, Wanted(features=("colour",)), policy="p", now=5)


def test_a_file_goes_out_and_comes_back_and_is_read_once(tmp_path):
    history = history_of()
    desk, tables, ledger = reviews()
    with pytest.raises(UserError, match=r"review\.not-asked"):
        desk.read(pl.DataFrame({"item": [], "verdict": []}), classes=CLASSES, now=5)
    sheet = desk.ask(examined_of(history), Wanted(most=20), policy="p", now=5)
    path = write_review(tmp_path / "review.csv", answered(sheet, history))
    with pytest.raises(UserError, match=r"review\.file-there"):
        write_review(path, sheet)
    rows = read_review(path)
    first = desk.read(rows, classes=CLASSES, now=history.until + 10)
    assert (first.rows_in, first.count, first.repeated, first.people) == (sheet.height, sheet.height, 0, 1)
    again = desk.read(rows, classes=CLASSES, now=history.until + 20)
    assert (again.count, again.repeated) == (0, sheet.height)
    assert tables.read("verdicts").height == sheet.height
    assert [type(fact) for _, fact in ledger.read()] == [ReviewAsked, VerdictsRead, VerdictsRead]
    other = rows.with_columns(pl.lit("unsure").alias("verdict")).head(1)
    assert desk.read(other, classes=CLASSES, now=history.until + 30).count == 1
    before = verdicts_digest(tables)
    assert desk.read(rows.head(1), classes=CLASSES, now=history.until + 40).count == 1
    assert verdicts_digest(tables) != before
    semicolons = tmp_path / "excel.csv"
    semicolons.write_bytes(path.read_bytes().replace(b",", b";"))
    assert read_review(semicolons).equals(rows)
    with pytest.raises(UserError, match=r"data\.file-missing"):
        read_review(tmp_path / "none.csv")


def test_texts_that_a_spreadsheet_would_run_are_made_harmless(tmp_path):
    sheet = pl.DataFrame({"item": ["r1-a"], "depot": ["=cmd()"], "weight": [-3.0], "verdict": [""]})
    path = write_review(tmp_path / "review.csv", sheet)
    assert read_review(path).row(0) == ("r1-a", "'=cmd()", "-3.0", None)


def test_verdicts_restate_the_truth_from_when_they_were_read_and_nothing_before():
    history = history_of()
    desk, tables, _ = reviews()
    sheet = answered(desk.ask(examined_of(history), Wanted(most=40), policy="p", now=5), history)
    read_at = history.timeline.decided_at[1500]
    claims = sheet.with_columns(pl.lit("2024-01-01").alias("judged_at"))
    fact = desk.read(claims.cast(pl.String), classes=CLASSES, now=int(read_at))
    assert fact.at == read_at
    after = history_of(built_in(tables))
    for now in (read_at - 1, read_at // 2, history.timeline.decided_at[0]):
        assert np.array_equal(history.as_of(now).truth(), after.as_of(now).truth())
    before = history.timeline.truth_known_at < read_at
    assert np.array_equal(history.timeline.truth_case[before], after.timeline.truth_case[: before.sum()])
    assert np.array_equal(history.timeline.truth_code[before], after.timeline.truth_code[: before.sum()])
    # Features of cases decided before are the same; of later ones the window over outcomes sees the verdicts.
    early = np.flatnonzero(history.timeline.decided_at < read_at)
    assert history.features.take(early).equals(after.features.take(early))
    assert not history.features.frame.equals(after.features.frame)
    changed = np.flatnonzero(history.as_of(history.until + 1).truth() != after.as_of(after.until + 1).truth())
    ids = history.cases.frame["parcel_id"].gather(changed)
    wrong = world()[4].filter("wrong")["parcel_id"]
    assert changed.size > 5
    assert set(ids) <= set(wrong) & set(sheet["parcel_id"])
    assert after.told.reviewed.size == sheet.height
    # What people have looked at isn't asked again.
    assert examined_of(after).left_out["people have looked at them"] == sheet.height


def test_no_line_of_a_ledger_changes_before_the_verdicts_and_money_is_restated_after():
    history = history_of()
    desk, tables, _ = reviews()
    sheet = answered(desk.ask(examined_of(history), Wanted(most=40), policy="p", now=5), history)
    read_at = int(history.timeline.decided_at[1500])
    desk.read(sheet.cast(pl.String), classes=CLASSES, now=read_at)
    was, now = (facts_of(each) for each in (history, history_of(built_in(tables))))
    before = [encode(fact) for fact in was if fact.at < read_at]
    assert len(before) > 30
    assert [encode(fact) for fact in now if fact.at < read_at] == before
    restated = [fact.restated for fact in now if isinstance(fact, Settled) and fact.at >= read_at]
    assert restated[0] > 5
    assert sum(fact.restated for fact in was if isinstance(fact, Settled)) == 0


def facts_of(history):
    learners = make_learners(["constant", "logistic"], threads=1)
    workshop = Workshop(history, learners, blobs=MemoryBlobs(), recipe="test")
    tables, ledger = MemoryTables(), MemoryLedger(decode)
    walk = walk_through(history, from_at=None, to_at=None)
    policy = parse_policy("every 10d")
    Rehearsal(history, workshop, policy=policy, span=walk, tables=tables, ledger=ledger).run("m", "b")
    return [fact for _, fact in ledger.read()]


def test_a_verdict_of_today_counts_in_a_history_that_ended_long_ago():
    history = history_of()
    desk, tables, _ = reviews()
    sheet = answered(desk.ask(examined_of(history), Wanted(most=10), policy="p", now=5), history)
    today = history.until + 365 * 86_400_000_000
    desk.read(sheet.cast(pl.String), classes=CLASSES, now=today)
    after = history_of(built_in(tables))
    assert after.until == today
    assert len(after.features) == len(history.features)
    assert (after.as_of(after.until + 1).truth() != history.as_of(history.until + 1).truth()).sum() > 0


def test_the_audit_estimates_precision_and_what_was_missed():
    history = history_of()
    desk, _, _ = reviews()
    examined = examined_of(history)
    sheet = desk.ask(examined, Wanted(most=40, drawn_share=0.75), policy="p", now=5)
    desk.read(answered(sheet, history).cast(pl.String), classes=CLASSES, now=9)
    found = desk.audits()[0]
    wrong = dict(world()[4].iter_rows())
    keys = history.cases.frame["parcel_id"].gather(examined.positions).to_list()
    suspects = [keys[place] for place in examined.suspects.first(40).positions]
    assert found.confirmed.value == pytest.approx(np.mean([wrong[key] for key in suspects]))
    assert (found.confirmed.n, found.missed.n, found.open) == (len(suspects), sheet.height - len(suspects), 0)
    others = [wrong[key] for key in keys if key not in set(suspects)]
    assert found.missed.low <= np.mean(others) <= found.missed.high
    assert found.errors.low <= sum(wrong[key] for key in keys) <= found.errors.high
    assert found.money > 0


def test_what_people_disagree_about_or_can_t_tell_counts_for_no_share():
    rows = [
        (1, f"r1-{key}", f'["{key}"]', "suspect", "late", "on_time", 0.9, 5.0, 4.5, None) for key in "12345"
    ]
    items = pl.DataFrame(rows, schema=ITEMS, orient="row")
    log = log_of(
        ("1", "a", "on_time", 1),
        ("2", "a", "late", 1),
        ("3", "a", "on_time", 1),
        ("3", "b", "late", 2),
        ("4", "a", "on_time", 1),
        ("4", "a", None, 2),
    )
    found = audit(items, log, cases=100)
    assert (found.confirmed.value, found.confirmed.n) == (0.5, 2)
    assert (found.open, found.contested, found.money) == (2, 1, 5.0)
    assert (found.missed.low, found.missed.high) == (0.0, 1.0)
    assert (found.errors.low, found.errors.high) == (1.0, 1.0 + 3 + 95)


@given(wrong=st.integers(0, 6), right=st.integers(0, 6), unseen=st.integers(0, 6), share=st.floats(0, 1))
@settings(deadline=None, max_examples=40)
def test_no_estimate_of_errors_leaves_out_one_that_was_found_or_a_suspect_that_is_open(
    wrong, right, unseen, share
):
    drawn = round(10 * share)
    keys = [str(key) for key in range(wrong + right + unseen + 10)]
    kinds = ["suspect"] * (wrong + right + unseen) + ["drawn"] * 10
    rows = [
        (1, f"r1-{key}", f'["{key}"]', kind, "late", "on_time", 0.9, 5.0, 4.5, None)
        for key, kind in zip(keys, kinds, strict=True)
    ]
    said = [("on_time",)] * wrong + [("late",)] * right + [None] * unseen
    said += [("on_time",)] * drawn + [("late",)] * (10 - drawn)
    log = log_of(*((key, "a", one[0], 1) for key, one in zip(keys, said, strict=True) if one))
    errors = audit(pl.DataFrame(rows, schema=ITEMS, orient="row"), log, cases=len(keys)).errors
    # Every case was on the sheet: only what is still open is unknown.
    assert errors.low == pytest.approx(wrong + drawn)
    assert errors.high == pytest.approx(wrong + unseen + drawn)
    if wrong + right:
        assert errors.low - 1e-9 <= errors.value <= errors.high + 1e-9


def test_people_who_disagree_are_shown_with_how_much_can_be_said():
    history = history_of()
    desk, _, _ = reviews()
    sheet = desk.ask(examined_of(history), Wanted(most=40), policy="p", now=5)
    right = answered(sheet, history)
    for place, by in enumerate(("eva", "tom", "ida")):
        flipped = pl.Series(np.arange(sheet.height) % 7 == place)
        other = pl.when(pl.col("verdict") == "late").then(pl.lit("on_time")).otherwise(pl.lit("late"))
        rows = right.with_columns(
            pl.when(flipped).then(other).otherwise("verdict").alias("verdict"), pl.lit(by).alias("by")
        )
        desk.read(rows.cast(pl.String), classes=CLASSES, now=9 + place)
    people = desk.people(CLASSES, seed=1)
    assert people.names == ("eva", "ida", "tom")
    assert len(people.pairs) == 3
    assert people.alpha.coefficient.n == sheet.height
    assert people.consensus.told.all()
    assert people.contested == ()
    assert desk.audits()[0].open == 0


# What correcting labels is worth


def test_corrected_labels_are_known_from_the_first_outcome_or_only_at_the_end():
    history = history_of()
    examined = examined_of(history)
    frame = examined.frame()
    labels = corrected(frame, most=30, confirmed=1.0)
    assert labels.height == 30
    assert corrected(frame, most=30).height == 0
    half = corrected(frame, most=30, confirmed=0.5, seed=3)
    assert 5 < half.height < 25
    assert set(half["case"]) <= set(labels["case"])
    with_, without = relabelled(history, labels), relabelled(history, labels, at_once=False)
    end = history.until + 1
    assert np.array_equal(with_.as_of(end).truth(), without.as_of(end).truth())
    changed = np.flatnonzero(with_.as_of(end).truth() != history.as_of(end).truth())
    assert set(history.cases.ids[changed].tolist()) == set(labels["case"])
    # Without, models learn from the labels as they were; with, no instant shows the wrong one.
    for now in np.quantile(history.timeline.decided_at, [0.5, 0.8, 1.0]).astype(np.int64):
        assert np.array_equal(without.as_of(now).truth(), history.as_of(now).truth())
        mine = changed[changed < with_.as_of(now).decided]
        seen = with_.as_of(now).truth()[mine]
        assert (seen[seen >= 0] == with_.as_of(end).truth()[mine][seen >= 0]).all()
        assert ((seen >= 0) == (history.as_of(now).truth()[mine] >= 0)).all()


def test_verdicts_that_are_there_come_before_an_assumed_rate():
    history = history_of()
    frame = examined_of(history).frame()
    keep, turn = frame["case"][0], frame["case"][1]
    said = pl.DataFrame(
        {"case": [keep, turn], "_known_at": [1, 1], "verdict": [frame["given"][0], frame["suggested"][1]]},
        schema_overrides={"case": pl.UInt64},
    ).cast(SCHEMA)
    labels = corrected(frame, most=3, verdicts=said, confirmed=1.0)
    assert labels["case"].to_list() == [turn, frame["case"][2]]
    assert corrected(frame, most=3, verdicts=said)["case"].to_list() == [turn]


def test_numbers_and_undecided_cases_are_refused_in_words():
    history = history_of()
    nothing = Foretold(np.zeros(0, dtype=np.int64), np.zeros((0, 2)), np.zeros(0, dtype=np.int16))
    with pytest.raises(UserError, match=r"review\.nothing-to-judge"):
        examine(history, nothing)
    numbers = replace(history, told=replace(history.told, levels=np.array([1.0, 2.0])))
    with pytest.raises(UserError, match=r"review\.no-classes"):
        examine(numbers, nothing)


def test_the_built_in_source_is_there_only_with_verdicts():
    _, tables, _ = reviews()
    assert built_in(tables) == {}
    assert verdicts_digest(tables) == {}
    assert verdict_versions(pl.DataFrame(schema=SCHEMA)).frame.schema == SCHEMA
