"""A project's fairness: bias in its data, in its decisions, and what can be done about both at what price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from wholeroad.core.errors import RoadError, UserError
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Progress
from wholeroad.engine.appealing import Appeals
from wholeroad.engine.assessing import ModelDecisions, fairness_table, model_decisions, without_limits
from wholeroad.engine.book import TABLE
from wholeroad.engine.fair import (
    BiasFound,
    Everything,
    Flipped,
    Searched,
    Solution,
    Tried,
    flip,
    labels_by_group,
    price,
    search,
    solve,
)
from wholeroad.engine.judged import judged_labels
from wholeroad.engine.rehearsal import Rehearsal, walk_through
from wholeroad.engine.reviewing import Reviews
from wholeroad.engine.timeless import refuse_timeless
from wholeroad.engine.variants import policy_of
from wholeroad.engine.workshop import Workshop
from wholeroad.remedying import attempt, choose, in_a_rehearsal, known_group, needs_positive, two_groups
from wholeroad.road.brief.digests import digests
from wholeroad.road.brief.fairness import Equal, RemedyTable
from wholeroad.road.brief.policies import parse_policies
from wholeroad.road.brief.remedies import no_groups
from wholeroad.road.data.bias.asking import ask_bias, not_asked
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.seen import seen_of
from wholeroad.road.data.history import History
from wholeroad.road.model.fairness.priced import PriceCurve
from wholeroad.road.review.appeals import Appeal, AppealsOfGroup
from wholeroad.road.review.noise_by_verdicts import noise_by_verdicts, prefer_verdicts
from wholeroad.road.watch.fairness.choices import Situation
from wholeroad.road.watch.fairness.planned import Plan
from wholeroad.road.watch.fairness.planning import plan_remedies
from wholeroad.telling import told_from_features
from wholeroad.yard import Yard, thrown_away

Answer = TypeVar("Answer")

_NOTHING_DECIDED: Final = ("fairness.no-decisions", "live.never-ran")


class Assessment:
    """What can be asked of a project's fairness, and done about it.

    Parameters
    ----------
    yard
        What the project lends.
    """

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._brief = yard.brief
        self._whole: History | None = None
        self._decided: dict[str | None, tuple[ModelDecisions, Workshop]] = {}
        self._told: tuple[GroupBias, ...] | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of the brief, by name; asked in vain without any, and in the folder of a rehearsal."""
        self._at_home()
        if self._brief.fairness is None:
            raise no_groups()
        return tuple(self._brief.fairness.groups)

    @property
    def has_groups(self) -> bool:
        """Whether the brief names groups."""
        return self._brief.fairness is not None

    @property
    def appeals_to(self) -> str:
        """Who answers appeals, as the brief says; empty where it doesn't."""
        return self._brief.fairness.appeals_to if self._brief.fairness else ""

    def now(self) -> Instant:
        """Give the present by the project's clock."""
        return self._yard.clock.now()

    def today(self) -> date:
        """Give the day by the project's clock, in UTC."""
        return datetime.fromtimestamp(self.now() / 1_000_000, tz=UTC).date()

    # Looking

    def data(self, progress: Progress | None = None) -> BiasFound:
        """Ask how groups differ before any model is fitted, in everything that has landed.

        Raises
        ------
        UserError
            ``fairness.no-groups``, ``data.not-landed``.
        """
        history = self._history(progress)
        seen = seen_of(history, now=history.until + 1)
        findings = (*ask_bias(seen), *self._tellable(history, progress))
        return BiasFound(findings, not_asked(seen), history.until)

    def solution(self, policy: str | None = None, progress: Progress | None = None) -> Solution:
        """Assess decisions of models by group: those of the project, or of a policy rehearsed for it.

        Parameters
        ----------
        policy
            Rehearse this one; without it the project's own decisions are assessed, and where no model has
            decided yet, the brief's policy is rehearsed.

        Raises
        ------
        UserError, FaultsError
            ``fairness.no-groups``, ``fairness.no-decisions``, ``rehearse.too-short``, ``brief.policy``.
        """
        return solve(self._decisions(policy, progress)[0])

    def price(
        self,
        group: str,
        equal: Equal = "selection_rate",
        *,
        policy: str | None = None,
        progress: Progress | None = None,
    ) -> PriceCurve:
        """Price a grid of tolerances: thresholds learnt on earlier decisions, judged on later ones.

        Raises
        ------
        UserError
            ``fairness.unknown-group``, ``fairness.needs-positive``, ``fairness.one-group``,
            ``fairness.too-few-decisions``, and those of :meth:`solution`.
        """
        known_group(group, self.groups)
        needs_positive(self._brief, equal)
        decisions, workshop = self._decisions(policy, progress)
        two_groups(decisions.groups, group, least_cases=decisions.table.least_cases)
        try:
            return price(decisions, group, equal=equal, workshop=workshop)
        except ValueError as error:
            raise UserError(
                "fairness.too-few-decisions",
                "There are too few decisions to price",
                happened=str(error),
                expected="settled decisions in both halves of the time that models have decided",
                fix="land more history, or rehearse from an earlier instant",
            ) from None

    def flips(self, group: str, *, policy: str | None = None, progress: Progress | None = None) -> Flipped:
        """Tell which decisions another value of a group would have changed, everything else as it was.

        Raises
        ------
        UserError
            ``fairness.unknown-group``, and those of :meth:`solution`.
        """
        known_group(group, self.groups)
        decisions, workshop = self._decisions(policy, progress)
        return flip(decisions, group, workshop=workshop)

    def slices(self, *, policy: str | None = None, progress: Progress | None = None) -> Searched:
        """Search decisions of models for the cases that lose most, half of them to search, half to judge.

        Raises
        ------
        UserError
            Those of :meth:`solution`.
        """
        return search(self._decisions(policy, progress)[0])

    def plan(
        self,
        *,
        prices: Sequence[PriceCurve] = (),
        policy: str | None = None,
        progress: Progress | None = None,
    ) -> Plan:
        """Put what differs between groups in order of likely causes, with what can be done about each.

        Parameters
        ----------
        prices
            Curves of :meth:`price`, for what thresholds cost.

        Raises
        ------
        UserError
            Those of :meth:`data`.
        """
        history = self._history(progress)
        seen = seen_of(history, now=history.until + 1)
        findings, unasked = [*ask_bias(seen)], [*not_asked(seen)]
        try:
            foretold = labels_by_group(self._decisions(policy, progress)[0])
        except RoadError as error:
            foretold = ()
            unasked.append(f"Labels by group: {error.headline}; {error.happened}.")
        reviews = Reviews(self._yard.tables, self._yard.ledger)
        judged = judged_labels(reviews, self._yard.facts, history=history, groups=seen.groups)
        found = noise_by_verdicts(judged, seen.groups) if judged else ()
        findings += prefer_verdicts(foretold, found)
        findings += self._tellable(history, progress)
        situation = Situation(
            seen=seen, prices=tuple(prices), unit=self._brief.unit, not_asked=tuple(unasked)
        )
        return plan_remedies(findings, situation)

    def everything(
        self,
        equal: Equal = "selection_rate",
        *,
        policy: str | None = None,
        progress: Progress | None = None,
    ) -> Everything:
        """Ask everything at once; what can't be asked is left out, with its reason.

        Raises
        ------
        UserError
            Those of :meth:`data`.
        """
        unasked: dict[str, str] = {}

        def asked(part: str, ask: Callable[[], Answer]) -> Answer | None:
            try:
                return ask()
            except RoadError as error:
                unasked[part] = f"{error.headline}: {error.happened}."
                return None

        data = self.data(progress)
        found = asked("solution", lambda: self.solution(policy, progress))
        prices: list[PriceCurve] = []
        flipped: list[Flipped] = []
        for name in self.groups if found else ():
            curve = asked("price", lambda: self.price(name, equal, policy=policy))  # noqa: B023
            prices += [curve] if curve else []
            flip = asked("flips", lambda: self.flips(name, policy=policy))  # noqa: B023
            flipped += [flip] if flip else []
        return Everything(
            data=data,
            plan=asked("plan", lambda: self.plan(prices=prices, policy=policy, progress=progress)),
            solution=found,
            prices=tuple(prices),
            flipped=tuple(flipped),
            searched=asked("slices", lambda: self.slices(policy=policy)),
            appeals=self.appeals.all(),
            unasked=unasked,
        )

    @property
    def appeals(self) -> Appeals:
        """Decisions that were contested, and how that was answered."""
        yard = self._yard
        return Appeals(
            self._brief, tables=yard.tables, ledger=yard.ledger, decisions=yard.operation.decisions
        )

    # Doing

    def attempt(
        self,
        remedies: Sequence[RemedyTable] = (),
        *,
        luck: bool | None = None,
        progress: Progress | None = None,
    ) -> Tried:
        """Rehearse remedies, with and without. See :func:`wholeroad.remedying.attempt`."""
        return attempt(self._yard, remedies, luck=luck, progress=progress)

    def choose(self, remedy: RemedyTable) -> Path:
        """Write a remedy into the brief. See :func:`wholeroad.remedying.choose`."""
        self._at_home()
        return choose(self._yard, remedy)

    def appeals_by_group(self) -> tuple[AppealsOfGroup, ...]:
        """Count the appeals by group, beside the decisions that nobody contested; none without a model's.

        Raises
        ------
        UserError
            ``fairness.no-groups``.
        """
        history = self._history(None)
        try:
            decisions = self._own(history)
        except RoadError as error:
            if error.code in _NOTHING_DECIDED:
                return ()
            raise
        ids = pl.Series(decisions.history.cases.ids[decisions.positions])
        return self.appeals.by_group(decisions.groups, ids, now=self.now())

    def contest(self, key: Sequence[str], *, because: str, by: str = "") -> Appeal:
        """Contest a decision; a person answers. See :meth:`~wholeroad.engine.appealing.Appeals.open`."""
        self._at_home()
        with self._yard.lock("an appeal"):
            return self.appeals.open(key, because=because, by=by, now=self.now())

    def answer(
        self,
        number: int,
        *,
        upheld: bool,
        because: str,
        by: str,
        action: str = "",
        label: str = "",
    ) -> Appeal:
        """Answer an appeal. See :meth:`~wholeroad.engine.appealing.Appeals.answer`."""
        self._at_home()
        with self._yard.lock("an answer to an appeal"):
            return self.appeals.answer(
                number, upheld=upheld, because=because, by=by, action=action, label=label, now=self.now()
            )

    def _history(self, progress: Progress | None) -> History:
        _ = self.groups
        if self._whole is None:
            self._whole = self._yard.store.history(progress)
        return self._whole

    def _at_home(self) -> None:
        if self._yard.folder.manifest.is_file():
            raise in_a_rehearsal(self._yard.folder)

    def _tellable(self, history: History, progress: Progress | None) -> tuple[GroupBias, ...]:
        if self._told is None:
            self._told = told_from_features(history, progress)
        return self._told

    def _decisions(self, policy: str | None, progress: Progress | None) -> tuple[ModelDecisions, Workshop]:
        """Find what models decided: the project's own, or those of a rehearsal that leaves no trace."""
        if policy not in self._decided:
            self._decided[policy] = self._decide(policy, progress)
        return self._decided[policy]

    def _own(self, history: History) -> ModelDecisions:
        own = self._yard.operation.decisions()
        return model_decisions(history, own, basis="the project's own decisions")

    def _decide(self, policy: str | None, progress: Progress | None) -> tuple[ModelDecisions, Workshop]:
        history = self._history(progress)
        fairness_table(history)
        refuse_timeless(self._brief, "rehearsed")
        # Whether its limits hold is what is asked: so none of them stops a fit here.
        free = replace(history, brief=without_limits(history.brief))
        workshop = self._yard.workshop(free)
        if policy is None:
            try:
                return self._own(history), workshop
            except RoadError as error:
                if error.code not in _NOTHING_DECIDED:
                    raise
        chosen = policy_of(history)
        if policy is not None:
            running = self._brief.incumbent is not None
            (chosen,) = parse_policies([policy], self._brief.actions, incumbent=running)
        tables, ledger = thrown_away()
        Rehearsal(
            free,
            workshop,
            policy=chosen,
            span=walk_through(history, from_at=None, to_at=None),
            tables=tables,
            ledger=ledger,
            progress=progress,
        ).run("fairness", digests(history.brief).brief)
        limits = ", as if no limit stopped a fit" if history.brief != free.brief else ""
        basis = f"the decisions of a rehearsal of {chosen.name}{limits}"
        return model_decisions(history, tables.read(TABLE), basis=basis), workshop
