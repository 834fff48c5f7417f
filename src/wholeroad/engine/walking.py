"""Walking through the cycles: what is due at each, the cases between them, and the spans that seal both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Ledger, Tables
from wholeroad.core.view import Codes
from wholeroad.engine.agenda import Agenda, agenda
from wholeroad.engine.book import Book, joined
from wholeroad.engine.cycle import Desk, at_once, cycle
from wholeroad.engine.fold import State, step
from wholeroad.engine.limits import LimitWatch
from wholeroad.engine.recorded import Told
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.policies import Policy
from wholeroad.road.data.history import History
from wholeroad.road.model.capacity import room_for
from wholeroad.road.model.fairness.abstaining import left_below
from wholeroad.road.release.randomising import left_alone
from wholeroad.road.release.rules import Plan
from wholeroad.road.release.work import Asked, Decided, decide_under

SEAL_CASES: Final = 1 << 17
SEAL_CYCLES: Final = 92
"""A span is sealed when the plan changes, and no later than after so many cases or cycles."""


@dataclass(slots=True)
class Stretch:
    """What has been decided and not yet sealed, all under one plan."""

    at: Instant
    first: int
    """Position of the first case that may not be decided yet."""
    plan: Plan
    facts: list[Fact] = field(default_factory=list)
    parts: list[Decided] = field(default_factory=list)
    cases: list[NDArray[np.int64]] = field(default_factory=list)
    cycles: int = 0


class Walker:
    """One policy on one history, from wherever its ledger stands.

    Parameters
    ----------
    history, workshop
        May be shared by several walkers.
    tables, ledger
        Where decisions and facts go: a span's decisions first, then its facts, all or none.
    tell
        Told how far it is.
    recorded
        When fits came in and plans were followed, where that is told and not found.
    """

    def __init__(
        self,
        history: History,
        workshop: Workshop,
        *,
        policy: Policy,
        tables: Tables,
        ledger: Ledger,
        tell: Callable[[Instant], None] | None = None,
        recorded: Told | None = None,
    ) -> None:
        self._history = history
        self._workshop = workshop
        self._ledger = ledger
        self._tell = tell
        self.agenda: Agenda = agenda(history.brief.cycle)
        self.book = Book(history, tables)
        self.desk = Desk(
            policy=policy,
            refit=history.brief.policy.refit,
            fits=workshop if recorded is None else recorded.fits(workshop),
            values=history.values,
            action=self.book.action,
            booked=self.book.booked,
            limits=LimitWatch(history, self.book.action, scores=workshop),
            follows=at_once if recorded is None else recorded.follows,
        )
        self._seen_at: Instant | None = None

    def restore(self, state: State) -> None:
        """Take up what was decided and settled before."""
        # The last settlement, not the last cycle: nothing changed since, and cycles may have been others.
        self._seen_at = state.settled_at
        self.book.restore(state, seen_at=state.settled_at or 0)

    def walk(self, state: State, *, from_at: Instant, until_at: Instant) -> State:
        """Run the cycles before ``until_at``, and decide the cases due before it.

        Parameters
        ----------
        from_at
            Where the walk begins, unless something is sealed already.
        until_at
            The end; what is there at this instant itself is left to the next walk.
        """
        now = from_at if state.decided_until is None else state.decided_until
        stretch = Stretch(now, self.waiting(state, now), state.in_force(now))
        if stretch.first < self.position(now):
            self._seen_at = None  # of these cases, all that is known is news
        while now < until_at:
            after, facts = state, list[Fact]()
            if self.agenda.first(now) == now:
                after, facts = self.cycle(state, now)
                self._seen_at = now if stretch.first >= self.position(now) else None
            plan = after.in_force(now)
            if stretch.cycles and (plan != stretch.plan or _full(stretch)):
                state = self._seal(state, stretch, now)
                stretch = Stretch(now, self.position(now), plan)
            for fact in facts:
                state = step(state, fact)
            stretch.plan = plan
            stretch.facts += facts
            turns_at = state.turns_at(now)
            now = self._decide(stretch, min(self.agenda.first(now + 1), until_at, turns_at or until_at))
            if self._tell and now < until_at:  # the end is told when the last span is sealed
                self._tell(now)
        return self._seal(state, stretch, now) if stretch.cycles else state

    def cycle(self, state: State, now: Instant) -> tuple[State, list[Fact]]:
        """Run the cycle of one instant, before the decisions of that instant; nothing is written."""
        return cycle(state, self._history.as_of(now, since=self._seen_at), desk=self.desk)

    def position(self, at: Instant) -> int:
        """Give the position of the first case that is not decided before ``at``."""
        return int(np.searchsorted(self._history.timeline.decided_at, at, side="left"))

    def waiting(self, state: State, at: Instant) -> int:
        """Give the position of the first case since the road was opened that nobody decided.

        Before ``at`` there is one only where a changed brief has put it earlier: nobody is forgotten.
        """
        last = self.position(at)
        first = last if state.opened_at is None else min(self.position(state.opened_at), last)
        left = np.flatnonzero(self.book.action[first:last] < 0)
        return first + int(left[0]) if left.size else last

    @property
    def action(self) -> Codes:
        """Shape (n,): the action decided for each case of the history, -1 for none."""
        return self.book.action

    def _decide(self, stretch: Stretch, until_at: Instant) -> Instant:
        history = self._history
        first, last = stretch.first, self.position(until_at)
        # A case is decided once, also where a changed brief has put it later.
        cases = first + np.flatnonzero(self.book.action[first:last] < 0)
        groups = history.groups_in_decisions(cases)
        asked = Asked(
            ids=history.cases.ids[cases],
            values=history.values.take(cases),
            status_quo=history.status_quo[cases],
            held=history.held[cases],
            logged=None if history.logged is None else history.logged.take(cases),
            room=room_for(
                history.brief.worth.capacity,
                cases=cases,
                decided_at=history.timeline.decided_at,
                action=self.book.action,
                status_quo=history.status_quo,
                propensity=self.book.propensity,
            ),
            left_alone=left_alone(history.brief, self.desk.policy),
            groups=groups,
            left_below=left_below(history.brief.fairness, groups),
        )
        decided = decide_under(
            stretch.plan,
            asked,
            actions=history.brief.actions,
            width=len(history.brief.prediction),
            seed=history.brief.model.seed,
            score=lambda model: self._workshop.probabilities(model, first, last=last)[cases - first],
            rule=lambda model: self._workshop.model(model).rule,
        )
        self.book.write(cases, decided)
        stretch.parts.append(decided)
        stretch.cases.append(cases)
        stretch.first = last
        stretch.cycles += 1
        return until_at

    def _seal(self, state: State, stretch: Stretch, until_at: Instant) -> State:
        decided = joined(stretch.parts, len(self._history.brief.prediction))
        sealed = self.book.seal(
            stretch.plan,
            decided,
            cases=np.concatenate(stretch.cases),
            span=state.spans + 1,
            at=stretch.at,
            until_at=until_at,
        )
        self._ledger.append([*stretch.facts, sealed])
        return step(state, sealed)


def _full(stretch: Stretch) -> bool:
    return sum(each.size for each in stretch.cases) >= SEAL_CASES or stretch.cycles >= SEAL_CYCLES
