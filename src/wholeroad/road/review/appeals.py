"""Appeals: decisions that somebody contests, and what people answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.estimates import Estimate
from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant, format_instant
from wholeroad.road.brief.policies import INCUMBENT
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.release.rules import MODEL, STATUS_QUO
from wholeroad.road.review.facts import AppealAnswered, Appealed
from wholeroad.road.review.intervals import share_of

NO_PEOPLE = frozenset({MODEL, STATUS_QUO, INCUMBENT, "wholeroad"})
"""Names of what decides without a person."""


@dataclass(frozen=True, slots=True)
class Appeal:
    """A decision that somebody contests.

    Attributes
    ----------
    opened
        The appeal itself.
    answer
        What a person answered; None while it is open.
    """

    opened: Appealed
    answer: AppealAnswered | None = None

    @property
    def number(self) -> int:
        """Its number, from 1."""
        return self.opened.number

    def open(self, now: Instant) -> bool:
        """Tell whether it waited for an answer at an instant."""
        return self.opened.at <= now and (self.answer is None or self.answer.at > now)

    def overdue(self, now: Instant) -> bool:
        """Tell whether an answer was promised by then and hasn't come."""
        return self.open(now) and self.opened.due_at is not None and self.opened.due_at < now

    @property
    def late(self) -> bool:
        """Whether the answer came later than was promised."""
        due_at = self.opened.due_at
        return self.answer is not None and due_at is not None and self.answer.at > due_at


def appeals_of(facts: Iterable[Fact]) -> tuple[Appeal, ...]:
    """Fold the facts of appeals, in order of their numbers."""
    found: dict[int, Appeal] = {}
    for fact in facts:
        if isinstance(fact, Appealed):
            found[fact.number] = Appeal(fact)
        elif isinstance(fact, AppealAnswered) and fact.number in found:
            found[fact.number] = replace(found[fact.number], answer=fact)
    return tuple(found[number] for number in sorted(found))


def opening(appeals: Sequence[Appeal], wanted: Appealed) -> Appealed | None:
    """Say what an appeal puts on the ledger: itself, or nothing where the same one is open already.

    Its number is that of the next appeal, whatever it was made with.

    Raises
    ------
    UserError
        ``appeal.no-reason``; ``appeal.open-already`` while another one about the case waits for an answer.
    """
    if not wanted.reason.strip():
        raise _no_reason("an appeal", 'say what is wrong with the decision: --because "..."')
    there = next((one for one in appeals if one.answer is None and one.opened.key == wanted.key), None)
    if there is None:
        number = 1 + max((one.number for one in appeals), default=0)
        return structs.replace(wanted, number=number)
    if (there.opened.reason, there.opened.by) == (wanted.reason, wanted.by):
        return None
    raise UserError(
        "appeal.open-already",
        "The decision is contested already",
        happened=f"appeal {there.number} of {format_instant(there.opened.at)} waits for an answer",
        expected="one appeal about a case at a time",
        fix="answer that one first; what is new may stand in the answer's reason, or in another appeal then",
    )


def answering(
    appeals: Sequence[Appeal], wanted: AppealAnswered, *, actions: Collection[str], classes: Collection[str]
) -> AppealAnswered | None:
    """Say what an answer puts on the ledger: itself, or nothing where the same one stands there already.

    Parameters
    ----------
    actions, classes
        Of the brief: what may have been done instead, and what the outcome may be in truth.

    Raises
    ------
    UserError
        ``appeal.unknown``, ``appeal.answered``, ``appeal.no-reason``, ``appeal.no-person``,
        ``appeal.action``, ``appeal.label``.
    """
    appeal = next((one for one in appeals if one.number == wanted.number), None)
    if appeal is None:
        raise _unknown(appeals, wanted.number)
    if appeal.answer is not None:
        if structs.replace(wanted, at=appeal.answer.at) == appeal.answer:
            return None
        raise UserError(
            "appeal.answered",
            "The appeal has its answer",
            happened=f"{appeal.answer.by} answered appeal {wanted.number} on "
            f"{format_instant(appeal.answer.at)}",
            expected="one answer; the record isn't rewritten",
            fix="open another appeal about the case, and answer that",
        )
    if not wanted.reason.strip():
        raise _no_reason("an answer", "say why, so that whoever appealed can follow it")
    _refuse_no_person(wanted, appeal.opened)
    if wanted.action and (not wanted.upheld or wanted.action not in actions):
        raise UserError(
            "appeal.action",
            "The answer can't have this action",
            happened=f"was {wanted.action!r}, {'upheld' if wanted.upheld else 'and the appeal was rejected'}",
            expected=f"of an appeal that is upheld, one of {', '.join(actions)}",
            fix="name what was done instead, as the brief calls it, or leave it out",
        )
    if wanted.label and wanted.label not in classes:
        raise UserError(
            "appeal.label",
            "The answer can't have this label",
            happened=f"was {wanted.label!r}",
            expected=f"one of {', '.join(classes) or 'the classes, and this outcome is a number'}",
            fix="write what came true as the brief does, or leave it out",
        )
    return wanted


def said_of(appeals: Sequence[Appeal], key: str) -> tuple[str, ...]:
    """Say in sentences what appeals about a case came to.

    Parameters
    ----------
    key
        As :func:`~wholeroad.road.data.verdicts.key_texts` writes it.
    """
    said = []
    for one in appeals:
        if one.opened.key == key:
            answer = one.answer
            text = f"Contested on {format_instant(one.opened.at)} (appeal {one.number}): {one.opened.reason}"
            if answer is None:
                text += "; nobody has answered yet"
            else:
                text += f"; {'upheld' if answer.upheld else 'rejected'} by {answer.by}: {answer.reason}"
                text += f"; done instead: {answer.action}" if answer.action else ""
            said.append(text)
    return tuple(said)


@dataclass(frozen=True, slots=True)
class AppealsOfGroup:
    """What became of the appeals of one group.

    Attributes
    ----------
    decided
        Cases of the group that were decided.
    appealed
        Appeals about them.
    contested
        Appealed cases, as a share of those decided.
    open, overdue, late
        Waiting for an answer; of these, longer than was promised; and answered later than was promised.
    upheld
        Share of the answered appeals; whoever didn't appeal isn't in it.
    answered
        Their number.
    """

    grouping: str
    value: str
    decided: int
    appealed: int
    contested: Estimate
    open: int
    overdue: int
    late: int
    answered: int
    upheld: Estimate


def appeals_by_group(
    appeals: Sequence[Appeal], grouping: Grouping, *, places: NDArray[np.int64], now: Instant
) -> tuple[AppealsOfGroup, ...]:
    """Count the appeals by group, as they stood at an instant.

    Intervals are Wilson's. Who appeals isn't drawn by chance: upheld shares compare those who did.

    Parameters
    ----------
    grouping
        Of all decided cases.
    places
        Shape (appeals,): the position of each appeal's case there, negative for one that isn't there.

    Returns
    -------
    tuple of AppealsOfGroup
        In the grouping's order, groups without appeals included.
    """
    there = [(one, place) for one, place in zip(appeals, places.tolist(), strict=True) if place >= 0]
    known = [(one, place) for one, place in there if one.opened.at <= now]
    found = []
    for code, (value, decided) in enumerate(zip(grouping.values, grouping.cases.tolist(), strict=True)):
        mine = [(one, place) for one, place in known if grouping.codes[place] == code]
        answered = [one for one, _ in mine if not one.open(now)]
        upheld = sum(one.answer is not None and one.answer.upheld for one in answered)
        found.append(
            AppealsOfGroup(
                grouping=grouping.name,
                value=value,
                decided=decided,
                appealed=len(mine),
                contested=_share(len({place for _, place in mine}), decided),
                open=len(mine) - len(answered),
                overdue=sum(one.overdue(now) for one, _ in mine),
                late=sum(one.late for one in answered),
                answered=len(answered),
                upheld=_share(upheld, len(answered)),
            )
        )
    return tuple(found)


def _refuse_no_person(answer: AppealAnswered, appealed: Appealed) -> None:
    name = answer.by.strip().casefold()
    machines = NO_PEOPLE | {appealed.decided_by.casefold(), (appealed.model or "").casefold(), ""}
    if name in machines:
        raise UserError(
            "appeal.no-person",
            "A person has to answer an appeal",
            happened=f"by was {answer.by!r}",
            expected="the name of a person; what decided the case can't judge its own decision",
            fix="name who looked at the case: --by NAME",
        )
    if name == appealed.by.strip().casefold():
        raise UserError(
            "appeal.own-answer",
            "Nobody answers their own appeal",
            happened=f"{answer.by} opened appeal {answer.number}",
            expected="an answer of somebody else",
            fix="let another person look at the case",
        )


def _unknown(appeals: Sequence[Appeal], number: int) -> UserError:
    waiting = [f"{one.number}" for one in appeals if one.answer is None]
    return UserError(
        "appeal.unknown",
        "There is no such appeal",
        happened=f"was {number}; there are {len(appeals)}",
        expected=f"the number of one that waits: {', '.join(waiting) or 'none does'}",
        fix="see them all with wholeroad appeal",
    )


def _no_reason(what: str, fix: str) -> UserError:
    return UserError(
        "appeal.no-reason",
        "A reason is missing",
        happened=f"{what} came without one",
        expected="why, in words",
        fix=fix,
    )


def _share(hits: int, n: int) -> Estimate:
    found = share_of(hits, n)
    return Estimate(found.value, found.low, found.high)
