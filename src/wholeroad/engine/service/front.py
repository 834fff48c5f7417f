"""The front: what lands and what is decided, one group after the other, all of it in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
from msgspec import structs

from wholeroad.core.errors import RoadError
from wholeroad.core.facts import encode
from wholeroad.core.instants import Instant, format_instant
from wholeroad.engine.agenda import Agenda
from wholeroad.engine.facts import decode
from wholeroad.engine.service.deciding import Deciding
from wholeroad.engine.service.decisions import Decisions
from wholeroad.engine.service.groups import CycleCame, Grouped, Standing, log_differs, models_named
from wholeroad.engine.service.landing import Landing, Landings, Ready
from wholeroad.engine.service.messages import (
    Answer,
    CaseAnswer,
    Command,
    Decide,
    DecisionsAnswer,
    PutRows,
    RowsAnswer,
)
from wholeroad.engine.service.records import CycleDone, DecidedCase, Record
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.row_versions import Key
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.road.model.scoring import Model
from wholeroad.road.release.facts import PlanFixed
from wholeroad.road.release.rules import MODEL


class Front:
    """Lands rows and decides cases in the order of time, as the cycle's walk does it in bulk.

    At one instant rows arrive first, then a cycle's plan comes into force, then cases are decided; those of
    one instant don't see each other.

    Parameters
    ----------
    landings
        What lands, and what follows from it.
    deciding
        From cases that are due to decisions.
    decisions
        Those that were made.
    standing
        Where the ledger stands.
    """

    def __init__(
        self,
        brief: Brief,
        *,
        agenda: Agenda,
        landings: Landings,
        deciding: Deciding,
        decisions: Decisions,
        standing: Standing,
    ) -> None:
        self.brief = brief
        self._agenda = agenda
        self._landings = landings
        self._deciding = deciding
        self._decisions = decisions
        self.at = standing.at
        self.plan = standing.plan
        self.pending_fit = standing.pending_fit
        self.next_cycle_at = agenda.first(standing.decided_until)

    # ---- what is seen of it -------------------------------------------------------------------------

    @property
    def schemas(self) -> Mapping[str, pl.Schema]:
        """By source: its own columns; a source without any row yet is not in it."""
        return self._landings.schemas

    @property
    def waiting_cases(self) -> int:
        """Cases that aren't due yet."""
        return len(self._landings.waiting)

    @property
    def keys_in_memory(self) -> int:
        """Keys whose features are in memory."""
        return self._deciding.features.keys_held

    @property
    def keys_spilled(self) -> int:
        """Keys whose features lie beside memory."""
        return self._deciding.features.keys_spilled

    def next_at(self) -> Instant:
        """Give the next instant at which something is to be done though nothing comes in."""
        due_at = self._landings.waiting.next_at()
        return self.next_cycle_at if due_at is None else min(due_at, self.next_cycle_at)

    @property
    def settled_at(self) -> Instant:
        """The instant up to which everything is done, and no cycle has come that nobody was told of."""
        return min(self.at, self.next_cycle_at - 1)

    def champion(self) -> tuple[str, Model, pl.Schema] | None:
        """Give the digest of the model in charge, the model, and the types of its features."""
        if self.plan.decider != MODEL or self.plan.model is None:
            return None
        return self.plan.model, self._deciding.model(self.plan.model), self._deciding.features.schema

    def why(self) -> str:
        """Say in a sentence who decides and why."""
        plan = self.plan
        if plan.decider == MODEL and plan.model is not None and plan.effective_from is not None:
            return f"model {plan.model[:8]} decides since {format_instant(plan.effective_from)}"
        if self.pending_fit is not None:
            ready = format_instant(self.pending_fit.ready_at)
            return f"{plan.decider} decides; a fit is asked for, and enters at a cycle from {ready}"
        return f"{plan.decider} decides until a fit passes"

    def find(self, decision_id: str) -> CaseAnswer | None:
        """Give a decision, or what is known of a case that waits."""
        try:
            number = int(decision_id, 16)
        except ValueError:
            return None
        if (made := self._decisions.find(number)) is not None:
            return made
        waiting = list(self._landings.waiting)
        ids = self._deciding.ids(waiting) if waiting else []
        return next(
            (self._undecided(key, one) for key, one in zip(waiting, ids, strict=True) if one == number), None
        )

    def moved(self, source: str, stored: pl.DataFrame) -> None:
        """Keep rows of a source that are in its table now as narrow as the others there."""
        self._landings.moved(source, stored)

    def read_model(self, name: str) -> Model:
        """Give a model by its digest, ready to decide."""
        return self._deciding.model(name)

    def cycles_begun(self, at: Instant) -> list[Instant]:
        """Give the cycles whose time has come by an instant, each once, in order."""
        begun = []
        while self.next_cycle_at <= at:
            begun.append(self.next_cycle_at)
            self.next_cycle_at = self._agenda.after(self.next_cycle_at)
        return begun

    # ---- one group ----------------------------------------------------------------------------------

    def step(self, commands: Sequence[Command], *, now: Instant, came: Sequence[CycleCame] = ()) -> Grouped:
        """Bring everything up to ``now``: what was due, what has come, and what is due with it.

        Parameters
        ----------
        commands
            In the order in which they are to land, all of them at ``now``.
        now
            Later than that of any group before.
        came
            What cycles came to; their plans are followed from ``now`` on.
        """
        decided: list[DecidedCase] = []
        landings = self._landings
        for due_at, keys in landings.waiting.pop_until(now, inclusive=False):
            decided += self._decide(landings.ready(keys), due_at)
        if len(came) > 1:
            message = "came: expected at most one cycle in a group"
            raise ValueError(message)
        done = [self._follow(each, now) for each in came]
        landing = landings.at(now)
        landed = [self._land(command, landing) for command in commands]
        shown = {
            key for each in landed if isinstance(each, _Asked) and each.features for key in each.keys if key
        }
        ready = landing.ready()
        for due_at, keys in landings.waiting.pop_until(now, inclusive=True):
            due = landings.ready(keys)
            if due_at == now:  # those that waited come first
                due, ready = due + ready, []
            decided += self._decide(due, due_at, shown=shown)
        decided += self._decide(ready, now, shown=shown)
        self._deciding.advance(now)
        self.at = now
        rows = landing.rows()
        record = None
        if rows or decided or done:
            record = Record(now, rows, tuple(decided), done[0] if done else None)
        fresh = {tuple(each.key): each for each in decided}
        answers = [self._told(each, fresh) if isinstance(each, _Asked) else each for each in landed]
        return Grouped(now, record, answers)

    def again(self, record: Record) -> None:
        """Bring everything up to a group that was written down before: what it came to isn't done anew.

        Parameters
        ----------
        record
            Later than what the ledger has; without the rows and decisions that it has already.

        Raises
        ------
        RoadError
            ``service.log-differs``.
        """
        now, landings = record.at, self._landings
        made = {tuple(each.key): each for each in record.decided}
        for due_at, keys in landings.waiting.pop_until(now, inclusive=False):
            self._decide_again(keys, due_at, made)
        if record.cycle is not None:
            facts = tuple(map(decode, record.cycle.facts))
            models = {name: self.read_model(name) for name in models_named(facts)}
            self._follow(CycleCame(record.cycle.cycle_at, facts, models), now)
        for rows in record.rows:
            landings.again(rows, now)
        for due_at, keys in landings.waiting.pop_until(now, inclusive=True):
            self._decide_again(keys, due_at, made)
        if made:
            raise log_differs(now, f"{len(made):,} cases were decided that aren't due")
        self._deciding.advance(now)
        self.at = now

    def _decide_again(self, keys: Sequence[Key], at: Instant, made: dict[Key, DecidedCase]) -> None:
        """Take out what was decided of some cases, and take note of it."""
        ready = self._landings.ready(keys)
        if missing := [case.key for case in ready if case.key not in made]:
            raise log_differs(at, f"{len(missing):,} cases were due and not decided, such as {missing[0]}")
        decided = [made.pop(case.key) for case in ready]
        if ready:
            self._deciding.again(ready, at, made=decided)
        for each in decided:
            self._decisions.add(each)

    def _decide(
        self, ready: Sequence[Ready], at: Instant, *, shown: Collection[Key] = ()
    ) -> list[DecidedCase]:
        made = self._deciding.decide(ready, at, plan=self.plan, shown=shown) if ready else []
        for each in made:
            self._decisions.add(each)
        return made

    def _follow(self, came: CycleCame, now: Instant) -> CycleDone:
        """Follow a cycle's plan from now on; what it says of the instant is made true."""
        self._deciding.let_go(now)
        facts = []
        for fact in came.facts:
            if isinstance(fact, PlanFixed):
                fact = structs.replace(fact, effective_from=now)  # noqa: PLW2901
                self.plan = self.plan.after(fact)
                self._deciding.keep(came.models, in_charge=self.plan.model)
            elif isinstance(fact, FitAsked):
                self.pending_fit = fact
            elif isinstance(fact, ModelFitted | FitRefused):
                self.pending_fit = None
            facts.append(encode(fact))
        return CycleDone(came.cycle_at, facts)

    # ---- commands -----------------------------------------------------------------------------------

    def _land(self, command: Command, landing: Landing) -> Answer | RoadError | _Asked:
        try:
            if isinstance(command, PutRows):
                return RowsAnswer(command.source, landing.now, landing.put(command))
            return self._ask(command, landing)
        except RoadError as error:
            return error

    def _ask(self, command: Decide, landing: Landing) -> _Asked:
        """Land the cases that nobody knows; one that is known is told again, or is a conflict."""
        keys = landing.new_cases(self.brief.case.source, command.cases)
        if keys is not None:
            return _Asked([*keys], command.features)
        asked = _Asked([None] * len(command.cases), command.features)
        fresh = list[int]()
        seen = set[Key]()
        for place, (key, equal) in enumerate(self._landings.same(command.cases)):
            if key is None:
                fresh.append(place)
            else:
                asked.keys[place] = key
                if not equal:
                    asked.refused[place] = _conflict()
        landed = landing.cases(self.brief.case.source, [command.cases[place] for place in fresh])
        for place, taken in zip(fresh, landed, strict=True):
            asked.keys[place] = taken.key
            if taken.key is None:
                asked.refused[place] = (taken.code or "", taken.reason or "")
            elif taken.key in seen and taken.status == "new version":
                asked.refused[place] = _conflict()
            else:
                seen.add(taken.key)
        return asked

    def _told(self, asked: _Asked, fresh: Mapping[Key, DecidedCase]) -> DecisionsAnswer:
        if not asked.refused and not asked.features and len(asked.keys) == 1:
            made = fresh.get(asked.keys[0] or ())
            if made is not None:
                return DecisionsAnswer([self._decisions.answer(made)])
        known = [key for key in asked.keys if key is not None and (key not in fresh or asked.refused)]
        ids = dict(zip(known, self._deciding.ids(known), strict=True)) if known else {}
        places = range(len(asked.keys))
        return DecisionsAnswer([self._told_of(place, asked, fresh, ids=ids) for place in places])

    def _told_of(
        self, place: int, asked: _Asked, fresh: Mapping[Key, DecidedCase], *, ids: Mapping[Key, int]
    ) -> CaseAnswer:
        key = asked.keys[place]
        if key is None:
            code, reason = asked.refused[place]
            return CaseAnswer("", {}, "quarantined", code=code, reason=reason)
        if place in asked.refused:
            code, reason = asked.refused[place]
            known = self._undecided(key, ids[key])
            return structs.replace(known, status="conflict", code=code, reason=reason)
        if (made := fresh.get(key)) is not None:
            features = self._deciding.shown(made.id) if asked.features else None
            return self._decisions.answer(made, features)
        found = self._decisions.find(ids[key])
        return self._undecided(key, ids[key]) if found is None else found

    def _undecided(self, key: Key, case_id: int) -> CaseAnswer:
        due_at = self._landings.waiting.due_at(key)
        return CaseAnswer(
            decision_id=f"{case_id:016x}",
            key=dict(zip(self._landings.case_key, key, strict=True)),
            status="history" if due_at is None else "accepted",
            due_at=due_at,
        )


@dataclass(slots=True)
class _Asked:
    """What became of the cases of a command, before those that are due are decided.

    Attributes
    ----------
    keys
        None where a row was set aside.
    refused
        By place: code and reason.
    """

    keys: list[Key | None]
    features: bool
    refused: dict[int, tuple[str, str]] = field(default_factory=dict)


def _conflict() -> tuple[str, str]:
    reason = (
        "a case with this key is known, and its row says something else: send a changed row to the rows of "
        "the case's source, or give another case another key"
    )
    return "service.case-conflict", reason
