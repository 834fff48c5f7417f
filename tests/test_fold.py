"""Fold: the state from a snapshot and the tail equals the state from the whole ledger."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholeroad.adapters.ledgers import MemoryLedger, SqliteLedger
from wholeroad.core.errors import UserError
from wholeroad.core.facts import encode, export
from wholeroad.engine.facts import Closed, Opened, RunBegan, decode
from wholeroad.engine.fold import State, fold, restore, snapshot
from wholeroad.road.brief.facts import BriefRead
from wholeroad.road.data.facts import BatchLanded
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.road.refit import FitLine
from wholeroad.road.release.facts import PlanFixed, PromotionStopped
from wholeroad.road.release.rules import Plan
from wholeroad.road.watch.facts import LimitsWatched, Settled, SpanDecided
from wholeroad.road.watch.rules import ValueLine

instants = st.integers(0, 2**53)
counts = st.integers(-(10**9), 10**9)
money = st.floats(-1e15, 1e15)
words = st.text(max_size=8)
maybe = st.none() | words


def _facts():
    return st.one_of(
        st.builds(Opened, at=instants, manifest=words),
        st.builds(BriefRead, at=instants, name=words, digest=words, learns=st.sampled_from(["", "a", "b"])),
        st.builds(RunBegan, at=instants, until_at=instants),
        st.builds(
            BatchLanded,
            at=instants,
            source=words,
            rows_in=counts,
            landed=counts,
            repeated=counts,
            quarantined=counts,
            deleted=counts,
            imported=st.booleans(),
        ),
        st.builds(FitAsked, at=instants, ready_at=instants, costs=money),
        st.builds(
            ModelFitted,
            at=instants,
            asked_at=instants,
            cut=words,
            rows=counts,
            champion=words,
            model=maybe,
            costs=money,
            why=words,
        ),
        st.builds(FitRefused, at=instants, asked_at=instants, code=words, happened=words),
        st.builds(
            PlanFixed,
            at=instants,
            decider=words | st.just("model"),
            model=maybe,
            effective_from=instants,
        ),
        st.builds(PromotionStopped, at=instants, model=words, limits=st.tuples(words), in_charge=words),
        st.builds(
            LimitsWatched,
            at=instants,
            model=words,
            since_at=instants,
            look=counts,
            cases=counts,
            settled=counts,
            standings=st.dictionaries(words, words, max_size=2),
            says=st.dictionaries(words, words, max_size=2),
        ),
        st.builds(
            SpanDecided,
            at=instants,
            until_at=instants,
            decider=words,
            model=maybe,
            count=counts,
            digest=words,
        ),
        st.builds(Settled, at=instants, settled=counts, restated=counts, unknown=counts, value=money),
        st.builds(Closed, at=instants),
    )


def written(ledger):
    return b"".join(export(fact for _, fact in ledger.read()))


ledgers = st.lists(_facts(), max_size=30)


@given(ledgers, st.data())
def test_a_snapshot_and_the_tail_equal_the_whole(facts, data):
    cut = data.draw(st.integers(0, len(facts)))
    resumed = fold(facts[cut:], restore(snapshot(fold(facts[:cut]))))
    assert snapshot(resumed) == snapshot(fold(facts))


@given(ledgers)
def test_a_snapshot_reads_back_to_the_same_state(facts):
    state = fold(facts)
    assert restore(snapshot(state)) == state


def test_a_state_holds_what_the_facts_said():
    asked = FitAsked(at=3, ready_at=4, costs=2.0)
    came = ModelFitted(
        at=5, asked_at=3, cut="c", rows=7, champion="logistic", model="m", costs=2.0, why="money"
    )
    state = fold(
        [
            Opened(at=3, manifest="m"),
            BriefRead(at=3, name="n", digest="b", learns="l"),
            RunBegan(at=6, until_at=7),
            PlanFixed(at=3, decider="status quo", model=None, effective_from=3),
            asked,
            SpanDecided(at=3, until_at=5, decider="status quo", model=None, count=11, digest="d"),
            came,
            PlanFixed(at=5, decider="model", model="m", effective_from=5),
            Settled(at=5, settled=4, restated=1, unknown=2, value=8.5),
            Settled(at=6, settled=3, restated=0, unknown=-1, value=-1.0),
            FitAsked(at=6, ready_at=9, costs=3.0),
            SpanDecided(at=5, until_at=7, decider="model", model="m", count=6, digest="e"),
        ]
    )
    assert state == State(
        plan=Plan("model", "m", 5),
        fits=FitLine(FitAsked(at=6, ready_at=9, costs=3.0), 6, 1, 2.0, answered=True),
        line=ValueLine(7, 1, 7.5),
        models_since=5,
        opened_at=3,
        brief="b",
        learns="l",
        promised_until=7,
        decided_until=7,
        decided=17,
        spans=2,
        settled_at=6,
        closed=False,
    )
    refused = fold([FitRefused(at=9, asked_at=6, code="x", happened="y"), Closed(at=9)], state)
    assert (refused.fits, refused.closed) == (FitLine(None, 6, 1, 2.0, answered=True), True)


def test_another_brief_keeps_the_model_only_if_models_learn_the_same_by_it():
    came = ModelFitted(at=5, asked_at=3, cut="c", rows=7, champion="l", model="m", costs=2.0, why="w")
    plan = PlanFixed(at=5, decider="model", model="m", effective_from=5)
    state = fold([BriefRead(at=3, name="n", digest="b", learns="l"), came, plan])
    worth_more = fold([BriefRead(at=9, name="n", digest="c", learns="l")], state)
    assert (worth_more.plan, worth_more.fits) == (state.plan, state.fits)
    other_features = fold([BriefRead(at=9, name="n", digest="d", learns="k")], state)
    assert other_features.plan == Plan()
    assert (other_features.fits.grid_at, other_features.fits.paid) == (None, 2.0)


@given(ledgers)
def test_facts_read_back_to_the_same_bytes(facts):
    for fact in facts:
        assert encode(decode(encode(fact))) == encode(fact)


@given(ledgers, st.integers(1, 5))
def test_the_ledger_on_disk_and_the_one_in_memory_export_the_same(tmp_path_factory, facts, step):
    disk = SqliteLedger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite", decode)
    memory = MemoryLedger(decode)
    for start in range(0, len(facts), step):
        disk.append(facts[start : start + step])
        memory.append(facts[start : start + step])
    assert written(disk) == written(memory)
    after = len(facts) // 2
    assert list(disk.read(after)) == list(memory.read(after))
    disk.close()


def test_facts_are_appended_together_or_not_at_all(tmp_path):
    path = tmp_path / "ledger.sqlite"
    ledger = SqliteLedger(path, decode)
    ledger.append([Opened(at=0, manifest="m")])
    full = sqlite3.connect(path)
    full.execute(
        "create trigger full before insert on facts when new.seq > 2 or (select count(*) from facts) > 1 "
        "begin select raise(abort, 'the disk is full'); end"
    )
    with pytest.raises(UserError, match="full"):
        ledger.append([Closed(at=1), Closed(at=2), Closed(at=3)])
    assert [fact.at for _, fact in ledger.read()] == [0]
    full.execute("drop trigger full")
    full.close()
    ledger.append([Closed(at=4)])
    assert [fact.at for _, fact in ledger.read()] == [0, 4]
    ledger.close()
