"""The profile of a brief's data: every question asked of every source, ranked by consequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from wholeroad.core.instants import DAY
from wholeroad.core.ports import Progress
from wholeroad.road.data.history import History
from wholeroad.road.data.quality.seen import GRAVITY, Seen
from wholeroad.road.data.quality.troubles import Trouble

Question = Callable[[Seen], Iterator[Trouble]]
"""Looks at one source, and gives what troubles it found there."""

MONTH: float = 365.25 / 12 * DAY


def ask(
    seen: Mapping[str, Seen], questions: tuple[Question, ...], *, progress: Progress | None = None
) -> tuple[Trouble, ...]:
    """Ask all questions of all sources; the troubles with the gravest consequence come first.

    Ranked by what the brief does with the columns, then by the money of the cases that are touched, then by
    how sure it is.
    """
    found: list[Trouble] = []
    for position, (name, one) in enumerate(seen.items()):
        if progress:
            progress(f"profile: {name}", position, len(seen))
        for question in questions:
            found += question(one)
    if progress:
        progress("profile", 1, 1)
    priced = [replace(trouble, at_stake=at_stake(trouble, seen[trouble.source].history)) for trouble in found]
    return tuple(sorted(priced, key=_consequence))


def at_stake(trouble: Trouble, history: History | None) -> float | None:
    """Give the money a month that the decisions about the touched cases could win or lose, at most.

    That is the spread between the best and the worst action under the outcome that came true, on
    average over settled cases, times the touched cases of a month. None where cases can't be told.
    """
    if history is None or trouble.cases is None:
        return None
    truth = history.as_of(history.until + 1).truth()
    settled = np.flatnonzero(truth >= 0)
    months = (history.timeline.decided_at[-1] - history.timeline.decided_at[0]) / MONTH
    if not settled.size or months <= 0:
        return None
    some = settled[:: max(1, settled.size // 20_000)]
    values = history.values.take(some)
    spread = np.stack(
        [
            values.money(np.full(some.size, action), truth=truth[some])
            for action in range(len(history.brief.actions))
        ]
    )
    each = float(np.mean(spread.max(axis=0) - spread.min(axis=0)))
    return float(each * trouble.cases / months)


def _consequence(trouble: Trouble) -> tuple[int, float, float, str]:
    return (GRAVITY.index(trouble.touches), -(trouble.at_stake or 0.0), -trouble.strength, trouble.code)
