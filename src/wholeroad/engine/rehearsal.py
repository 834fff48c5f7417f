"""History replayed through the cycles under a policy, by the code that runs live."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.facts import Fact
from wholeroad.core.instants import DAY, Instant, format_instant
from wholeroad.core.ports import Ledger, Progress, Tables
from wholeroad.engine.agenda import Agenda, agenda
from wholeroad.engine.book import Book, joined
from wholeroad.engine.cycle import Desk, cycle
from wholeroad.engine.facts import Closed, Opened
from wholeroad.engine.fold import State, fold, step
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.facts import BriefRead
from wholeroad.road.brief.policies import Policy
from wholeroad.road.data.history import History
from wholeroad.road.release.rules import Plan
from wholeroad.road.release.work import Asked, Decided, decide_under
from wholeroad.road.watch.rules import settle

SEAL_CASES: Final = 1 << 17
SEAL_CYCLES: Final = 92
"""A span is sealed when the plan changes, and no later than after so many cases or cycles."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The cycles of a rehearsal: the first, and the instant before which cases are decided."""

    from_at: Instant
    to_at: Instant


def walk_through(history: History, *, from_at: Instant | None, to_at: Instant | None) -> Walk:
    """Fix the cycles of a rehearsal.

    The first is not before ``from_at``, and not before the brief's ``first`` has passed since the
    first case was decided; the last is the one whose span holds the last case, or ends by ``to_at``.

    Raises
    ------
    UserError
        ``rehearse.too-short`` when no cycle is left.
    """
    cycles = agenda(history.brief.cycle)
    decided_at = history.timeline.decided_at
    earliest = int(decided_at[0]) + history.brief.policy.refit.first
    start = cycles.first(earliest if from_at is None else max(earliest, from_at))
    end = cycles.first(int(decided_at[-1]) + 1)
    if to_at is not None:
        end = min(end, to_at)
    if start >= end:
        raise UserError(
            "rehearse.too-short",
            "There is no time left to rehearse",
            happened=f"the first fit would be at {format_instant(start)} and the last case is decided before "
            f"{format_instant(end)}",
            expected="some cases after the first fit",
            fix="shorten [policy.refit] first, move --from or --to, or land more history",
        )
    return Walk(start, end)


@dataclass(slots=True)
class Stretch:
    """What has been decided and not yet sealed, all under one plan."""

    at: Instant
    first: int
    plan: Plan
    facts: list[Fact] = field(default_factory=list)
    parts: list[Decided] = field(default_factory=list)
    cases: int = 0
    cycles: int = 0


class Rehearsal:
    """One policy on one history.

    Parameters
    ----------
    history, workshop
        Shared by the policies that are compared.
    policy, span, seed
        What is rehearsed.
    tables, ledger
        Of the rehearsal's own folder; what they hold already is taken up where it ends.
    """

    def __init__(
        self,
        history: History,
        workshop: Workshop,
        *,
        policy: Policy,
        span: Walk,
        tables: Tables,
        ledger: Ledger,
        progress: Progress | None = None,
    ) -> None:
        self._history = history
        self._workshop = workshop
        self._policy = policy
        self._span = span
        self._ledger = ledger
        self._progress = progress
        self._agenda: Agenda = agenda(history.brief.cycle)
        self._book = Book(history, tables)
        self._desk = Desk(
            policy=policy,
            fit=history.brief.policy.refit.fit,
            fits=workshop,
            values=history.values,
            action=self._book.action,
            booked=self._book.booked,
        )

    @property
    def action(self) -> NDArray[np.int8]:
        """Shape (n,): the action decided for each case of the history, -1 for none."""
        return self._book.action

    def run(self, manifest: str, brief_digest: str) -> State:
        """Run to the end, from where the ledger stands.

        Parameters
        ----------
        manifest, brief_digest
            For the ledger's first two facts.

        Returns
        -------
        State
            The fold of the whole ledger.
        """
        self._tell(self._span.from_at)
        state = self._run(manifest, brief_digest)
        self._tell(self._span.to_at)
        return state

    def _run(self, manifest: str, brief_digest: str) -> State:
        facts = [fact for _, fact in self._ledger.read()]
        state = fold(facts)
        start = self._span.from_at
        if not facts:
            name = self._history.brief.brief.name
            opening = [
                Opened(at=start, manifest=manifest),
                BriefRead(at=start, name=name, digest=brief_digest),
            ]
            self._ledger.append(opening)
            state = fold(opening)
        now = state.decided_until or start
        until = self._history.until + 1
        seen_at = until if state.closed else self._agenda.before(now)
        self._book.restore(state, first=self._position(start), seen_at=seen_at)
        if state.closed:
            return state
        state = self._walk(state, now)
        return self._close(state)

    def _walk(self, state: State, now: Instant) -> State:
        stretch = Stretch(now, self._position(now), state.plan)
        while now < self._span.to_at:
            view = self._history.as_of(now, since=self._agenda.before(now))
            after, facts = cycle(state, view, desk=self._desk)
            if stretch.cycles and (after.plan != stretch.plan or self._full(stretch)):
                state = self._seal(state, stretch, now)
                stretch = Stretch(now, self._position(now), after.plan)
            for fact in facts:
                state = step(state, fact)
            stretch.plan = state.plan
            stretch.facts += facts
            following = min(self._agenda.after(now), self._span.to_at)
            self._decide(stretch, following)
            now = following
            if now < self._span.to_at:  # the end is told when the last span is sealed
                self._tell(now)
        return self._seal(state, stretch, now) if stretch.cycles else state

    def _tell(self, now: Instant) -> None:
        if self._progress:
            start, end = self._span.from_at, self._span.to_at
            self._progress(f"policy {self._policy.name}: days", (now - start) / DAY, (end - start) / DAY)

    def _decide(self, stretch: Stretch, until_at: Instant) -> None:
        history = self._history
        first = stretch.first + stretch.cases
        last = self._position(until_at)
        rows = slice(first, last)
        asked = Asked(
            ids=history.cases.ids[rows],
            values=history.values.take(rows),
            status_quo=history.status_quo[rows],
            held=history.held[rows],
        )
        decided = decide_under(
            stretch.plan,
            asked,
            actions=history.brief.actions,
            width=len(history.brief.outcome.classes),
            seed=history.brief.model.seed,
            score=lambda model: self._workshop.probabilities(model, first, last=last),
        )
        self._book.write(first, decided)
        stretch.parts.append(decided)
        stretch.cases += last - first
        stretch.cycles += 1

    def _seal(self, state: State, stretch: Stretch, until_at: Instant) -> State:
        decided = joined(stretch.parts, len(self._history.brief.outcome.classes))
        sealed = self._book.seal(
            stretch.plan,
            decided,
            first=stretch.first,
            span=state.spans + 1,
            at=stretch.at,
            until_at=until_at,
        )
        self._ledger.append([*stretch.facts, sealed])
        return step(state, sealed)

    def _close(self, state: State) -> State:
        """Settle what became known after the last cycle, and close."""
        last_cycle = self._agenda.before(state.decided_until or self._span.from_at)
        # One microsecond on: an outcome that was known before its case was decided counts just after it.
        until = max(self._history.until + 1, last_cycle)
        view = self._history.as_of(until, since=last_cycle)
        settled = settle(view, self._desk.action, booked=self._desk.booked, values=self._desk.values)
        last: list[Fact] = [Closed(at=until)] if settled is None else [settled, Closed(at=until)]
        self._ledger.append(last)
        return fold(last, state)

    def _full(self, stretch: Stretch) -> bool:
        return stretch.cases >= SEAL_CASES or stretch.cycles >= SEAL_CYCLES

    def _position(self, at: Instant) -> int:
        return int(np.searchsorted(self._history.timeline.decided_at, at, side="left"))
