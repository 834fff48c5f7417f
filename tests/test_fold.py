"""Fold: the state from a snapshot and the tail equals the state from the whole ledger."""

from hypothesis import given
from hypothesis import strategies as st

from wholeroad.adapters.ledgers import MemoryLedger, SqliteLedger
from wholeroad.core.facts import encode, export
from wholeroad.engine.facts import Closed, Opened, decode
from wholeroad.engine.fold import fold, restore, snapshot
from wholeroad.road.brief.facts import BriefRead
from wholeroad.road.data.facts import BatchLanded
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.road.release.facts import PlanFixed
from wholeroad.road.watch.facts import Settled, SpanDecided

instants = st.integers(0, 2**53)
counts = st.integers(-(10**9), 10**9)
money = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=8)
maybe = st.none() | words


def _facts():
    return st.one_of(
        st.builds(Opened, at=instants, manifest=words),
        st.builds(BriefRead, at=instants, name=words, digest=words),
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
        st.builds(PlanFixed, at=instants, decider=words, model=maybe, effective_from=instants),
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
