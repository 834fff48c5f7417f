"""Laws of appeals: opened about decisions, answered once by people, never rewriting what was decided."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.errors import UserError
from wholeroad.core.facts import encode
from wholeroad.core.instants import DAY
from wholeroad.engine.appealing import Appeals
from wholeroad.engine.facts import decode
from wholeroad.engine.reviewing import Reviews, built_in, said
from wholeroad.interfaces.cli.appealing import (
    show_answered,
    show_appeals,
    show_appeals_by_group,
    show_opened,
)
from wholeroad.lessons import entry_for
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.bias.groups import grouping
from wholeroad.road.data.cases import key_hash
from wholeroad.road.data.verdicts import VERDICTS
from wholeroad.road.review.appeals import appeals_by_group, appeals_of, said_of
from wholeroad.road.review.facts import AppealAnswered, Appealed, VerdictsRead
from worlds import BRIEF

FAIR = """
[fairness]
answered_within = "14d"
appeals_to = "the parcel desk"
[fairness.groups]
depot = { column = "depot" }
"""

DECISIONS = pl.DataFrame(
    {
        "parcel_id": [1, 2, 3, 4],
        "decided_at": pl.Series([DAY, 2 * DAY, 2 * DAY, 3 * DAY]).cast(pl.Datetime("us", "UTC")),
        "decided_by": ["model", "model", "status quo", "model"],
        "model": ["abc", "abc", None, "abc"],
        "action": ["express", "pass", "pass", "pass"],
    }
)


def project(brief=BRIEF + FAIR):
    tables, ledger = MemoryTables(), MemoryLedger(decode)
    appeals = Appeals(read_brief(brief), tables=tables, ledger=ledger, decisions=lambda: DECISIONS)
    return SimpleNamespace(tables=tables, ledger=ledger, appeals=appeals)


def lines(given):
    return [encode(fact) for _, fact in given.ledger.read()]


def refused(call, *args, **settings_):
    with pytest.raises(UserError) as error:
        call(*args, **settings_)
    assert error.value.code.startswith("explain.") or entry_for(error.value.code) is not None
    return error.value.code


def test_an_appeal_waits_until_a_person_answers_it():
    one = project()
    opened = one.appeals.open(["2"], because="it was heavy", by="Ann", now=10 * DAY)
    assert (opened.number, opened.opened.action, opened.opened.model) == (1, "pass", "abc")
    assert opened.opened.due_at == 24 * DAY
    assert [each.open(11 * DAY) for each in one.appeals.all()] == [True]
    assert not one.appeals.all()[0].overdue(24 * DAY)
    assert one.appeals.all()[0].overdue(24 * DAY + 1)
    done = one.appeals.answer(
        1, upheld=True, because="the scale was wrong", by="Bob", now=12 * DAY, action="express"
    )
    assert one.appeals.all() == (done,)
    (said_so,) = said_of(one.appeals.all(), '["2"]')
    assert said_so.endswith(
        "(appeal 1): it was heavy; upheld by Bob: the scale was wrong; done instead: express"
    )
    assert said_of(one.appeals.all(), '["3"]') == ()
    assert said_of((opened,), '["2"]')[0].endswith("nobody has answered yet")
    assert not done.open(12 * DAY)
    assert done.open(11 * DAY)
    assert not done.overdue(99 * DAY)
    assert (done.answer.action, done.answer.upheld, done.late) == ("express", True, False)
    assert not said(one.tables).height


def test_what_was_promised_then_stays_promised():
    one = project(BRIEF)
    opened = one.appeals.open(["1"], because="no", now=DAY)
    assert opened.opened.due_at is None
    assert not opened.overdue(10_000 * DAY)


def test_the_same_command_again_changes_nothing():
    one = project()
    first = one.appeals.open(["2"], because="it was heavy", by="Ann", now=10 * DAY)
    once = lines(one)
    assert one.appeals.open(["2"], because="it was heavy", by="Ann", now=11 * DAY) == first
    assert lines(one) == once
    answer = {"upheld": False, "because": "it was light", "by": "Bob", "label": "on_time"}
    done = one.appeals.answer(1, **answer, now=12 * DAY)
    once = lines(one)
    assert one.appeals.answer(1, **answer, now=13 * DAY) == done
    assert lines(one) == once
    assert said(one.tables).height == 1


def test_refusals_leave_the_ledger_as_it_was():
    one = project()
    assert refused(one.appeals.open, ["9"], because="no", now=DAY) == "appeal.no-decision"
    assert refused(one.appeals.open, ["1", "2"], because="no", now=DAY) == "explain.key-length"
    assert refused(one.appeals.open, ["1"], because=" ", now=DAY) == "appeal.no-reason"
    assert refused(one.appeals.answer, 1, upheld=True, because="x", by="Bob", now=DAY) == "appeal.unknown"
    assert lines(one) == []
    one.appeals.open(["1"], because="no", by="Ann", now=DAY)
    once = lines(one)
    assert refused(one.appeals.open, ["1"], because="another", now=DAY) == "appeal.open-already"

    def answer(number=1, **change):
        given = {"upheld": True, "because": "because", "by": "Bob", "now": 2 * DAY, **change}
        return refused(one.appeals.answer, number, **given)

    assert answer(number=2) == "appeal.unknown"
    assert answer(because="") == "appeal.no-reason"
    for machine in ("", " ", "model", "Status quo", "abc"):
        assert answer(by=machine) == "appeal.no-person"
    assert answer(by="ann") == "appeal.own-answer"
    assert answer(action="fly") == "appeal.action"
    assert answer(action="express", upheld=False) == "appeal.action"
    assert answer(label="perhaps") == "appeal.label"
    assert lines(one) == once
    one.appeals.answer(1, upheld=True, because="yes", by="Bob", now=2 * DAY)
    assert answer(because="no, after all", upheld=False) == "appeal.answered"
    assert one.appeals.open(["1"], because="again", now=3 * DAY).number == 2


def test_a_label_that_was_found_is_a_verdict_on_the_case():
    one = project()
    one.appeals.open(["2"], because="it came late", now=10 * DAY)
    one.appeals.answer(1, upheld=True, because="seen", by="Bob", now=12 * DAY, label="late")
    believed = built_in(one.tables)[VERDICTS].frame
    wanted = DECISIONS.filter(parcel_id=2).select(key_hash(["parcel_id"])).item()
    assert believed["case"].to_list() == [wanted]
    assert believed["verdict"].to_list() == ["late"]
    assert believed["_known_at"].to_physical().to_list() == [12 * DAY]
    facts = [fact for _, fact in one.ledger.read()]
    assert [type(fact) for fact in facts] == [Appealed, VerdictsRead, AppealAnswered]
    assert Reviews(one.tables, one.ledger).log().height == 1


def test_killed_between_table_and_ledger_the_answer_given_again_is_there_once():
    one = project()
    one.appeals.open(["2"], because="it came late", now=10 * DAY)
    kept = one.ledger.append

    def killed(_facts):
        raise KeyboardInterrupt

    answer = {"upheld": True, "because": "seen", "by": "Bob", "label": "late"}
    one.ledger.append = killed
    with pytest.raises(KeyboardInterrupt):
        one.appeals.answer(1, **answer, now=12 * DAY)
    assert one.appeals.all()[0].answer is None
    one.ledger.append = kept
    one.appeals.answer(1, **answer, now=13 * DAY)
    assert said(one.tables).height == 1
    assert one.appeals.all()[0].answer.label == "late"


def test_a_clock_that_goes_back_moves_no_appeal_before_another():
    one = project()
    one.appeals.open(["2"], because="a", now=10 * DAY)
    one.appeals.open(["1"], because="b", now=5 * DAY)
    one.appeals.answer(1, upheld=False, because="c", by="Bob", now=3 * DAY)
    assert [fact.at for _, fact in one.ledger.read()] == [10 * DAY] * 3


KEYS = st.sampled_from(["1", "2", "3"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), KEYS, st.sampled_from(["a", "b"])),
        st.tuples(st.just("answer"), st.integers(1, 4), st.booleans()),
    ),
    max_size=14,
)


def attempt(appeals, what, subject, *, more, now):
    """Open or answer, and give the code of a refusal."""
    try:
        if what == "open":
            appeals.open([subject], because=more, now=now)
        else:
            appeals.answer(subject, upheld=more, because="so", by="Bob", now=now)
    except UserError as error:
        return error.code
    return ""


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_law_one_open_appeal_a_case_one_answer_an_appeal_and_numbers_without_gaps(steps):
    one = project()
    for day, (what, subject, more) in enumerate(steps, 10):
        code = attempt(one.appeals, what, subject, more=more, now=day * DAY)
        assert code in {"", "appeal.open-already", "appeal.unknown", "appeal.answered"}
        every = one.appeals.all()
        assert [each.number for each in every] == list(range(1, len(every) + 1))
        waiting = [each.opened.key for each in every if each.answer is None]
        assert len(waiting) == len(set(waiting))
    facts = [fact for _, fact in one.ledger.read()]
    answered = [fact.number for fact in facts if isinstance(fact, AppealAnswered)]
    assert len(answered) == len(set(answered))
    for cut in range(len(facts) + 1):
        now = facts[cut - 1].at if cut else 0
        then, whole = appeals_of(facts[:cut]), appeals_of(facts)
        assert [each.number for each in then if each.open(now)] == [
            each.number for each in whole if each.open(now)
        ]


def test_groups_are_counted_with_their_intervals():
    one = project()
    for key, by in (("1", "Ann"), ("2", "Cid"), ("4", "Eve")):
        one.appeals.open([key], because="no", by=by, now=10 * DAY)
    one.appeals.answer(2, upheld=False, because="no", by="Bob", now=11 * DAY)
    one.appeals.answer(1, upheld=True, because="yes", by="Bob", now=30 * DAY)
    ids = DECISIONS.select(key_hash(["parcel_id"])).to_series()
    depots = grouping("depot", pl.Series("depot", ["A", "A", "B", "A"]), least_cases=1)
    mine = {line.value: line for line in one.appeals.by_group([depots], ids, now=40 * DAY)}
    a, b = mine["A"], mine["B"]
    assert (a.decided, a.appealed, a.open, a.overdue, a.late, a.answered) == (3, 3, 1, 1, 1, 2)
    assert (a.upheld.value, a.contested.value) == (0.5, 1.0)
    assert 0 < a.upheld.low < 0.5 < a.upheld.high < 1
    assert (b.decided, b.appealed, b.answered) == (1, 0, 0)
    assert np.isnan(b.upheld.value)
    assert (b.upheld.low, b.upheld.high) == (0, 1)
    earlier = one.appeals.by_group([depots], ids, now=12 * DAY)[0]
    assert (earlier.open, earlier.answered, earlier.overdue) == (2, 1, 0)
    gone = appeals_by_group(one.appeals.all(), depots, places=np.array([-1, -1, 3]), now=40 * DAY)
    assert sum(line.appealed for line in gone) == 1
    assert project().appeals.by_group([depots], ids, now=0)[0].appealed == 0


def test_an_appeal_again_about_a_case_is_one_contested_case():
    one = project()
    one.appeals.open(["1"], because="no", now=DAY)
    one.appeals.answer(1, upheld=False, because="no", by="Bob", now=2 * DAY)
    one.appeals.open(["1"], because="still no", now=3 * DAY)
    ids = DECISIONS.select(key_hash(["parcel_id"])).to_series()
    depots = grouping("depot", pl.Series("depot", ["A"] * 4), least_cases=1)
    line = one.appeals.by_group([depots], ids, now=4 * DAY)[0]
    assert (line.appealed, line.contested.value) == (2, 0.25)


def test_the_commands_say_what_waits_and_what_an_answer_changes():
    one = project()
    out = io.StringIO()
    console = Console(file=out, width=120, color_system=None)
    show_appeals(console, (), now=0)
    opened = one.appeals.open(["2"], because="[b]it was heavy", now=10 * DAY)
    show_opened(console, opened, to="the parcel desk")
    show_appeals(console, one.appeals.all(), now=40 * DAY)
    show_answered(console, opened)
    done = one.appeals.answer(
        1, upheld=True, because="yes", by="Bob", now=41 * DAY, action="express", label="late"
    )
    show_answered(console, done)
    show_appeals(console, one.appeals.all(), now=41 * DAY)
    depots = grouping("depot", pl.Series("depot", ["A"] * 4), least_cases=1)
    ids = DECISIONS.select(key_hash(["parcel_id"])).to_series()
    show_appeals_by_group(console, one.appeals.by_group([depots], ids, now=41 * DAY))
    text = " ".join(out.getvalue().split())
    for needed in (
        "0 appeals, 0 open, 0 overdue",
        "Appeal 1 about 2, decided pass, is open.",
        "by 1970-01-25T00:00:00Z: the parcel desk",
        "wholeroad answer 1 --upheld",
        "1 appeal, 1 open, 1 overdue",
        "overdue since 1970-01-25",
        "[b]it was heavy",
        "is upheld by Bob: yes",
        "Done instead of pass: express.",
        "stays as it was",
        "later than was promised",
        "upheld, express instead by Bob",
        "100.0% (20.7% to 100.0%); n = 1",
    ):
        assert needed in text
