"""The back office: what the hot log has goes into the tables and onto the ledger, and cycles are run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import structs

from wholeroad.core.errors import RoadError
from wholeroad.core.facts import Fact, encode
from wholeroad.core.instants import Instant, format_instant
from wholeroad.core.ports import Blobs, HotLog, Ledger, Tables
from wholeroad.engine.agenda import agenda
from wholeroad.engine.book import TABLE, WRITER
from wholeroad.engine.cycle import Fits, at_once
from wholeroad.engine.facts import RunBegan, decode
from wholeroad.engine.fold import State, fold
from wholeroad.engine.live import Prepare, in_force, promised
from wholeroad.engine.recorded import FAILED
from wholeroad.engine.service.moving import decisions_frame, move_rows, sealed
from wholeroad.engine.service.records import CycleDone, DecidedCase, Record, read, write
from wholeroad.engine.walking import Walker
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.history import History
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.road.release.facts import PlanFixed

Numbered = tuple[int, Record]


@dataclass(frozen=True, slots=True)
class FitsMade:
    """Which fits are done: one that is still being made doesn't come in, and a cycle doesn't wait for it.

    Attributes
    ----------
    done
        Cuts of fits whose work is in the blobs.
    failed
        Code and sentence of those that gave no answer, by their cut.
    """

    done: frozenset[Instant] = frozenset()
    failed: Mapping[Instant, tuple[str, str]] = field(default_factory=dict)

    def follows(self, cycle_at: Instant) -> Instant:
        """Follow a plan from its cycle on, until the front says from when it really did."""
        return at_once(cycle_at)

    def fits(self, workshop: Fits) -> Fits:
        """Give what comes in."""
        return _Made(self, workshop)


@dataclass(frozen=True, slots=True)
class _Made:
    made: FitsMade
    workshop: Fits

    def collect(self, asked: FitAsked, now: Instant) -> ModelFitted | FitRefused | None:
        if asked.at in self.made.failed:
            code, happened = self.made.failed[asked.at]
            return FitRefused(at=now, asked_at=asked.at, code=code, happened=happened)
        return self.workshop.collect(asked, now) if asked.at in self.made.done else None


class Office:
    """Writes the tables and the ledger for the service; does each thing once, however often it is begun.

    Parameters
    ----------
    tables, ledger, blobs
        The project's.
    log
        The hot log, of which only records are read that are durable.
    prepare
        From an instant to what is known by then, and where fits on it are made.
    """

    def __init__(
        self, brief: Brief, *, tables: Tables, ledger: Ledger, blobs: Blobs, log: HotLog, prepare: Prepare
    ) -> None:
        self._brief = brief
        self._tables = tables
        self._ledger = ledger
        self._blobs = blobs
        self._log = log
        self._prepare = prepare

    def absorb(self, *, most_cycles: int | None = None) -> int:
        """Take in everything that the hot log has; cycles that were begun and not noted are run, in order.

        Parameters
        ----------
        most_cycles
            How many of these are run at most; the others, and what came after the first of those, are left
            to the service. None: all are run.

        Returns
        -------
        int
            As :meth:`seal` gives it.
        """
        records = self._records()
        if not records:
            return 0
        comes, ran = agenda(self._brief.cycle), 0
        while True:
            last_at = records[-1][1].at
            noted = {record.cycle.cycle_at for _, record in records if record.cycle is not None}
            cycle_at = comes.first(_from(self._state()))
            if cycle_at in noted:
                self.seal(min(comes.after(cycle_at), last_at + 1))
            elif cycle_at <= last_at:
                through = self.seal(cycle_at)
                if ran == most_cycles:
                    return through
                self._note(cycle_at, last_at + 1)
                ran += 1
                records = self._records()
            if _from(self._state()) > last_at:
                return records[-1][0]
            if cycle_at > last_at:
                self.seal(last_at + 1)

    def seal(self, until_at: Instant) -> int:
        """Move rows that landed by ``until_at``, and seal the decisions before it.

        What was promised by a run that was cut short is sealed first, up to the very instant that it
        promised: some of it may be in the tables.

        Returns
        -------
        int
            Records up to this number aren't needed any more.
        """
        records, state = self._records(), self._state()
        if (cut_short := promised(state)) is not None:
            self._seal(records, state, cut_short)
            state = self._state()
        if until_at > _from(state):
            self._ledger.append([RunBegan(at=until_at - 1, until_at=until_at)])
            self._seal(records, self._state(), until_at)
        ended_at = _from(self._state())
        return max((number for number, record in records if record.at < ended_at), default=0)

    def cycle(self, cycle_at: Instant, made: FitsMade) -> list[Fact]:
        """Run a cycle as of its instant, and give its facts; nothing is written.

        Decisions before it are sealed, and what landed by then is in the tables.
        """
        state = self._state()
        if state.decided_until != cycle_at:
            raise _not_sealed(state, cycle_at)
        _, walker = self._walker(state, cycle_at, made)
        return walker.cycle(state, cycle_at)[1]

    def fit(self, asked_at: Instant) -> None:
        """Make a fit on the cut of an instant; its work is kept in the blobs, where a cycle finds it."""
        state = self._state()
        history, workshop = self._prepare(max(asked_at, _from(state) - 1))
        walker = Walker(
            history, workshop, policy=in_force(self._brief), tables=self._tables, ledger=self._ledger
        )
        walker.restore(state)
        workshop.follow(walker.book.recorded)
        workshop.kept(asked_at)

    def _note(self, cycle_at: Instant, followed_at: Instant) -> None:
        """Run a cycle that nobody noted, and note it as followed from after everything that was decided."""
        facts = [
            structs.replace(fact, effective_from=followed_at) if isinstance(fact, PlanFixed) else fact
            for fact in self.cycle(cycle_at, FitsMade())
        ]
        done = CycleDone(cycle_at, [encode(fact) for fact in facts])
        self._log.append(write(Record(followed_at, cycle=done)))

    def _walker(self, state: State, now: Instant, made: FitsMade) -> tuple[History, Walker]:
        history, workshop = self._prepare(now)
        policy = in_force(self._brief)
        walker = Walker(
            history, workshop, policy=policy, tables=self._tables, ledger=self._ledger, recorded=made
        )
        walker.restore(state)
        workshop.follow(walker.book.recorded)
        return history, walker

    def _seal(self, records: Sequence[Numbered], state: State, until_at: Instant) -> None:
        from_at = _from(state)
        landed = move_rows(
            [each for each in records if each[1].at <= until_at],
            brief=self._brief,
            tables=self._tables,
            blobs=self._blobs,
            facts=self._facts(),
        )
        cycles = [record.cycle for _, record in records if record.cycle is not None]
        news = [decode(fact) for done in cycles if from_at <= done.cycle_at < until_at for fact in done.facts]
        after = fold(news, state)
        decided = sorted(
            (
                each
                for _, record in records
                for each in record.decided
                if from_at <= each.decided_at < until_at
            ),
            key=lambda each: (each.decided_at, each.id),
        )
        spans = list[Fact]()
        for span, (start_at, end_at) in enumerate(_stretches(after, from_at, until_at), state.spans + 1):
            some = [each for each in decided if start_at <= each.decided_at < end_at]
            plan = after.in_force(start_at)
            if wrong := [each for each in some if (each.decider, each.model) != (plan.decider, plan.model)]:
                raise _other_plan(wrong[0])
            if some or not self._tables.exists(TABLE):
                frame = decisions_frame(self._brief, some, span=span, tables=self._tables)
                self._tables.append(TABLE, frame, writer=WRITER, version=span)
            spans.append(sealed(self._brief, some, at=start_at, until_at=end_at, plan=plan))
        self._ledger.append([*landed, *news, *spans])

    def _records(self) -> list[Numbered]:
        return [(number, read(data)) for number, data in self._log.read()]

    def _facts(self) -> list[Fact]:
        return [fact for _, fact in self._ledger.read()]

    def _state(self) -> State:
        return fold(self._facts())


def _stretches(state: State, from_at: Instant, until_at: Instant) -> Iterator[tuple[Instant, Instant]]:
    """Cut a span where another plan comes into force."""
    while from_at < until_at:
        end_at = min(state.turns_at(from_at) or until_at, until_at)
        yield from_at, end_at
        from_at = end_at


def _from(state: State) -> Instant:
    """Give the instant before which everything is sealed."""
    if state.decided_until is not None:
        return state.decided_until
    if state.opened_at is None:
        message = "the road is opened before anything is sealed"
        raise ValueError(message)
    return state.opened_at


def _not_sealed(state: State, cycle_at: Instant) -> RoadError:
    until = "nothing" if state.decided_until is None else f"up to {format_instant(state.decided_until)}"
    return RoadError(
        "service.not-sealed",
        "a cycle was to be run before the decisions before it were sealed",
        happened=f"sealed was {until}",
        expected=f"everything before {format_instant(cycle_at)}",
        fix="report it, with the ledger",
    )


def _other_plan(decided: DecidedCase) -> RoadError:
    return RoadError(
        "service.other-plan",
        "a decision was made under another plan than the ledger has",
        happened=f"the case decided at {format_instant(decided.decided_at)} was decided by {decided.decider}",
        expected="the plan in force at that instant",
        fix="report it, with the ledger and the hot log",
    )


def failure(text: str) -> tuple[str, str]:
    """Say of a fit that its process ended without an answer."""
    return FAILED, text
