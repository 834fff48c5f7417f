"""Whose outcomes are never seen, by group."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.horizons import horizon_of
from wholeroad.road.data.bias.judging import Draft, judge
from wholeroad.road.data.bias.questions import Flags, Question, counted, draft_shares
from wholeroad.road.data.bias.seen import NULL, SILENCE, Seen
from wholeroad.road.data.bias.wording import ByAction, Missed, unseen_does


def ask_unseen(seen: Seen, *, confidence: float = 0.95) -> tuple[GroupBias, ...]:
    """Compare the share of cases, old enough for it, whose outcome was never seen.

    There was no row of an outcome, or one that doesn't tell the truth. Where it is known what was done to the
    cases, the answer says of which actions outcomes are seen: labels that exist only under some actions are
    selected by whoever decided (Lakkaraju, Kleinberg, Leskovec, Ludwig, Mullainathan 2017, *The selective
    labels problem*, KDD). Nothing is asked where silence is taken for an outcome.
    """
    horizon = horizon_of(seen)
    old = seen.age >= horizon
    if not old.any() or (seen.outcome == SILENCE).any():
        return ()
    missed, blocks = old & ~seen.known, seen.blocks
    drafts: list[Draft] = []
    for each in seen.groups:
        told = dict(zip(each.values, _missed(seen, each, old, missed), strict=True))
        words = partial(unseen_does, missed=told, horizon=horizon)
        question = Question("unseen", each, words, confidence=confidence, least_cases=seen.least_cases)
        drafts += draft_shares(question, missed, blocks=blocks, cases=counted(each, old, blocks=blocks))
    return judge(drafts, confidence=confidence)


def _missed(seen: Seen, grouping: Grouping, old: Flags, missed: Flags) -> Iterator[Missed]:
    """Tell for each group what is missing, and under which actions."""
    null = missed & (seen.outcome == NULL)
    for code in range(len(grouping.values)):
        mine = grouping.codes == code
        yield Missed(
            rowless=int((mine & missed & ~null).sum()),
            untold=int((mine & null).sum()),
            by_action=tuple(_by_action(seen, mine & old, ~mine & old)),
        )


def _by_action(seen: Seen, mine: Flags, others: Flags) -> Iterator[ByAction]:
    """Tell for each action how often it was taken and how often the outcome is seen after it."""
    if seen.action is None:
        return
    for code, name in enumerate(seen.actions):
        taken = seen.action == code
        cases = int((mine & taken).sum())
        if cases:
            yield ByAction(
                action=name,
                cases=cases,
                seen=float(np.mean(seen.known[mine & taken])),
                taken=cases / max(int((mine & (seen.action >= 0)).sum()), 1),
                taken_of_others=int((others & taken).sum())
                / max(int((others & (seen.action >= 0)).sum()), 1),
            )
