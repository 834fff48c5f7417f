"""How often the positive class came true, by group."""

from __future__ import annotations

from functools import partial

from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.judging import judge
from wholeroad.road.data.bias.questions import Question, counted, draft_shares
from wholeroad.road.data.bias.seen import Seen
from wholeroad.road.data.bias.wording import base_rate_does


def ask_base_rates(seen: Seen, *, confidence: float = 0.95) -> tuple[GroupBias, ...]:
    """Compare the share of the positive class among matured cases whose outcome is known.

    Nothing is asked where the brief names no positive class.
    """
    matured = (seen.positive >= 0) & (seen.age >= seen.matures)
    if not seen.looked_for or not matured.any():
        return ()
    hit, blocks = matured & (seen.positive == 1), seen.blocks
    words = partial(base_rate_does, looked_for=seen.looked_for)
    drafts = [
        draft
        for each in seen.groups
        for draft in draft_shares(
            Question("base_rate", each, words, confidence=confidence, least_cases=seen.least_cases),
            hit,
            blocks=blocks,
            cases=counted(each, matured, blocks=blocks),
        )
    ]
    return judge(drafts, confidence=confidence)
