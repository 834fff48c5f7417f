"""History replayed through the cycles under a policy, by the code that runs live."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.facts import Fact
from wholeroad.core.instants import DAY, Instant, format_instant
from wholeroad.core.ports import Ledger, Progress, Tables
from wholeroad.core.view import Codes
from wholeroad.engine.agenda import agenda
from wholeroad.engine.facts import Closed, Opened
from wholeroad.engine.fold import State, fold
from wholeroad.engine.walking import Walker
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.facts import BriefRead
from wholeroad.road.brief.policies import Policy
from wholeroad.road.data.history import History
from wholeroad.road.watch.rules import settle


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
        self._policy = policy
        self._span = span
        self._ledger = ledger
        self._progress = progress
        self._walker = Walker(history, workshop, policy=policy, tables=tables, ledger=ledger, tell=self._tell)

    @property
    def action(self) -> Codes:
        """Shape (n,): the action decided for each case of the history, -1 for none."""
        return self._walker.action

    @property
    def propensity(self) -> NDArray[np.float64] | None:
        """Shape (n,), with which each action was chosen; None where nobody is left alone by chance."""
        return self._walker.book.propensity

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
        self._walker.restore(state)
        if state.closed:
            return state
        state = self._walker.walk(state, from_at=start, until_at=self._span.to_at)
        return self._close(state)

    def _tell(self, now: Instant) -> None:
        if self._progress:
            start, end = self._span.from_at, self._span.to_at
            self._progress(f"policy {self._policy.name}: days", (now - start) / DAY, (end - start) / DAY)

    def _close(self, state: State) -> State:
        """Settle what became known after the last cycle, and close."""
        last_cycle = self._walker.agenda.before(state.decided_until or self._span.from_at)
        # One microsecond on: an outcome that was known before its case was decided counts just after it.
        until = max(self._history.until + 1, last_cycle)
        view = self._history.as_of(until, since=last_cycle)
        desk = self._walker.desk
        settled = settle(view, desk.action, booked=desk.booked, values=desk.values)
        last: list[Fact] = [Closed(at=until)] if settled is None else [settled, Closed(at=until)]
        self._ledger.append(last)
        return fold(last, state)
