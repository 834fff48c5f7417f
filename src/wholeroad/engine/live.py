"""The operating policy on the real clock: what is due is answered by the cycle that is rehearsed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.facts import Fact, encode
from wholeroad.core.instants import Instant, format_instant
from wholeroad.core.ports import Ledger, Tables
from wholeroad.engine.agenda import agenda
from wholeroad.engine.book import TABLE
from wholeroad.engine.facts import Opened, RunBegan
from wholeroad.engine.fold import State, fold
from wholeroad.engine.walking import Walker
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.digests import Digests
from wholeroad.road.brief.facts import BriefRead
from wholeroad.road.brief.policies import Policy, parse_policy
from wholeroad.road.data.facts import BatchLanded, RowsMended, SourceHeld, SourceReleased
from wholeroad.road.data.history import History
from wholeroad.road.model.facts import ModelFitted
from wholeroad.road.review.facts import AppealAnswered, Appealed, ReviewAsked, VerdictsRead

Prepare = Callable[[Instant], tuple[History, Workshop]]
"""From an instant to what is known by then, and where fits on it are made."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What one run came to.

    Attributes
    ----------
    now
        Everything due at or before it is answered.
    history, walker
        What was known then, and the decisions so far.
    facts
        What became true in this run, in order.
    """

    now: Instant
    history: History
    walker: Walker
    facts: tuple[Fact, ...]
    state: State


@dataclass(frozen=True, slots=True)
class Replayed:
    """A ledger held against its own rehearsal.

    Attributes
    ----------
    facts, decisions
        How many were compared.
    difference
        The first line or decision that differs, in words; empty when all are equal to the byte.
    """

    facts: int
    decisions: int
    difference: str

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.difference


class Live:
    """The single writer of a project's decisions.

    Parameters
    ----------
    tables, ledger
        The project's.
    """

    def __init__(self, brief: Brief, *, tables: Tables, ledger: Ledger, prepare: Prepare) -> None:
        self._brief = brief
        self._tables = tables
        self._ledger = ledger
        self._prepare = prepare
        self._seen = max((seq for seq, _ in ledger.read()), default=0)

    def finish(self, digests: Digests) -> State:
        """Finish a run that was cut short, from what was known when it began; before anything new lands.

        Raises
        ------
        UserError
            ``live.brief-changed`` when the brief was changed in between.
        """
        state = self._state()
        until_at = promised(state)
        if until_at is None:
            return state
        if state.brief != digests.brief:
            raise _changed(until_at)
        history, walker = self._walker(state, until_at - 1)
        from_at = _opened_at(state) if state.decided_until is None else state.decided_until
        history.features.keep(walker.waiting(state, from_at), walker.position(until_at))
        return walker.walk(state, from_at=from_at, until_at=until_at)

    def answer(self, digests: Digests, now: Instant) -> Answered:
        """Run the cycles up to ``now``, and decide the cases that are due by then.

        What is to count has landed before. The first run opens the road at the newest cycle that
        isn't after ``now``; what was due before that is history.
        """
        # What the data or the brief make impossible is said before anything is opened or promised.
        history, walker = self._walker(self._state(), now)
        self._open(digests, now)
        state = self._state()
        from_at = _opened_at(state) if state.decided_until is None else state.decided_until
        first, last = walker.waiting(state, from_at), walker.position(now + 1)
        if from_at <= now and (walker.agenda.first(from_at) <= now or last > first):
            history.features.keep(first, last)
            self._ledger.append([RunBegan(at=now, until_at=now + 1)])
            walker.walk(self._state(), from_at=from_at, until_at=now + 1)
        facts = tuple(fact for _, fact in self._ledger.read(self._seen))
        return Answered(now, history, walker, facts, self._state())

    def take_up(self, digests: Digests, now: Instant) -> bool:
        """Let a changed brief come into force at ``now``; give False where nothing was ever opened."""
        if self._state().opened_at is None:
            return False
        self._open(digests, now)
        return True

    def _state(self) -> State:
        return fold(fact for _, fact in self._ledger.read())

    def _open(self, digests: Digests, now: Instant) -> None:
        state, facts = self._state(), list[Fact]()
        if state.opened_at is None:
            newest_at = agenda(self._brief.cycle).before(now + 1)
            facts.append(Opened(at=newest_at, manifest=digests.brief))
        if state.brief != digests.brief:
            name = self._brief.brief.name
            facts.append(BriefRead(at=now, name=name, digest=digests.brief, learns=digests.learns))
        if facts:
            self._ledger.append(facts)

    def _walker(self, state: State, now: Instant) -> tuple[History, Walker]:
        history, workshop = self._prepare(now)
        policy = in_force(self._brief)
        walker = Walker(history, workshop, policy=policy, tables=self._tables, ledger=self._ledger)
        walker.restore(state)
        workshop.follow(walker.book.recorded)  # what is decided here is done
        fits = (fact for _, fact in self._ledger.read() if isinstance(fact, ModelFitted))
        workshop.make_again(fact for fact in fits if fact.model == state.plan.model)
        return history, walker


def in_force(brief: Brief) -> Policy:
    """Give the policy that runs: the brief's own."""
    return parse_policy(brief.policy.refit.when)


def promised(state: State) -> Instant | None:
    """Give the end of a run that was cut short; None when there is none."""
    until_at = state.promised_until
    return until_at if until_at is not None and until_at > (state.decided_until or 0) else None


def replay(
    facts: Sequence[Fact],
    decisions: pl.DataFrame,
    *,
    walker: Walker,
    tables: Tables,
    ledger: Ledger,
) -> Replayed:
    """Walk the recorded runs again, and hold what comes of it against the record, byte by byte.

    Parameters
    ----------
    facts, decisions
        Of the record.
    walker
        On the history as known at the record's end, with nothing decided yet.
    tables, ledger
        The walker's, empty.

    Raises
    ------
    UserError
        ``live.never-ran``; ``live.several-briefs``, since decisions under a former brief can't be
        walked with this one.
    """
    state = fold(facts)
    if state.decided_until is None or state.opened_at is None:
        raise never_ran()
    if sum(isinstance(fact, BriefRead) for fact in facts) > 1:
        raise _several_briefs()
    again = State(opened_at=state.opened_at)
    for fact in facts:
        if isinstance(fact, RunBegan):  # of one that was cut short, what it came to
            until_at = min(fact.until_at, state.decided_until)
            again = walker.walk(again, from_at=state.opened_at, until_at=until_at)
    was, now = (
        [encode(fact) for fact in each if not isinstance(fact, _ABOUT_RUNS)]
        for each in (facts, _facts(ledger))
    )
    difference = next(
        (
            f"line {line}: was {one.decode()}, is {two.decode()}"
            for line, (one, two) in enumerate(zip(was, now, strict=False), 1)
            if one != two
        ),
        "" if len(was) == len(now) else f"there were {len(was)} lines, and there are {len(now)}",
    )
    made = tables.read(TABLE) if tables.exists(TABLE) else decisions.clear()
    if not difference and not made.equals(decisions):
        difference = "the decisions differ"
    return Replayed(len(was), decisions.height, difference)


_ABOUT_RUNS = (
    Opened,
    RunBegan,
    BriefRead,
    BatchLanded,
    SourceHeld,
    SourceReleased,
    RowsMended,
    ReviewAsked,
    VerdictsRead,
    Appealed,
    AppealAnswered,
)
"""Facts about deliveries and commands, which a rehearsal has none of."""


def _facts(ledger: Ledger) -> list[Fact]:
    return [fact for _, fact in ledger.read()]


def _opened_at(state: State) -> Instant:
    if state.opened_at is None:
        raise never_ran()
    return state.opened_at


def _changed(until_at: Instant) -> UserError:
    return UserError(
        "live.brief-changed",
        "The brief was changed while a run was cut short",
        happened=f"the run up to {format_instant(until_at - 1)} began under another brief and did not end",
        expected="the brief that it began with, to finish what was promised",
        fix="put the former brief back, run wholeroad cycle once, then change it",
    )


def never_ran() -> UserError:
    """Say that there are no live decisions yet: ``live.never-ran``."""
    return UserError(
        "live.never-ran",
        "Nothing has been decided live yet",
        happened="the project's ledger has no run of wholeroad cycle or wholeroad decide",
        expected="decisions of its own",
        fix="run wholeroad cycle",
    )


def _several_briefs() -> UserError:
    return UserError(
        "live.several-briefs",
        "The ledger can't be replayed under one brief",
        happened="the brief was changed between its runs",
        expected="runs of one brief",
        fix="compare what each brief would have done: wholeroad rehearse",
    )
