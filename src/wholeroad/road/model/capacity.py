"""Capacity: at most so many cases of a period get another action than the status quo's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.brief.worth import Capacity
from wholeroad.road.model.deciding import decide


@dataclass(frozen=True, slots=True)
class Room:
    """What room a capacity has for some cases that are decided together.

    Attributes
    ----------
    capacity
        Of the brief.
    decided_at
        Shape (n,), int64 microseconds. Cases of one instant must be handed in together.
    used
        Shape (n,), int64: how much of the capacity of the case's period went to earlier decisions.
    """

    capacity: Capacity
    decided_at: NDArray[np.int64]
    used: NDArray[np.int64]

    @classmethod
    def empty(cls, capacity: Capacity | None, decided_at: NDArray[np.int64]) -> Room | None:
        """Give the room of cases before which nothing was decided; None where nothing runs out."""
        return None if capacity is None else cls(capacity, decided_at, np.zeros_like(decided_at))


def room_for(
    capacity: Capacity | None,
    *,
    cases: NDArray[np.int64],
    decided_at: NDArray[np.int64],
    action: Codes,
    status_quo: Codes,
    propensity: NDArray[np.float64] | None = None,
) -> Room | None:
    """Give the room that earlier decisions leave to some cases; None where nothing runs out.

    Parameters
    ----------
    cases
        Positions of the cases to decide, ascending.
    decided_at, action, status_quo
        Shape (N,), of the whole history in order of time; ``action`` is -1 where nothing is decided yet.
    propensity
        Shape (N,), where a random share is left alone: below 1 for a case that chance could take its
        action from, or did. Such a case keeps its place.
    """
    if capacity is None:
        return None
    at, every = decided_at[cases], capacity.every
    if not cases.size:
        return Room(capacity, at, np.zeros_like(at))
    period = at // every
    first, last = np.searchsorted(decided_at, [period[0] * every, (period[-1] + 1) * every]).tolist()
    rows = slice(first, last)
    spent = action[rows] != status_quo[rows]
    if propensity is not None:
        spent |= propensity[rows] < 1
    spent &= action[rows] >= 0
    spent_period = decided_at[rows][spent] // every
    used = np.searchsorted(spent_period, period, side="right") - np.searchsorted(spent_period, period)
    return Room(capacity, at, used.astype(np.int64))


def fitting_in(
    wanted: NDArray[np.bool_], gain: NDArray[np.float64], *, ids: NDArray[np.uint64], room: Room
) -> NDArray[np.bool_]:
    """Tell which of the cases that want another action than the status quo's there is room for.

    Cases come in order of time, those of one instant by their gain, equal gains by their id; each
    takes what is left of its period's capacity. Periods are counted from the epoch.

    Parameters
    ----------
    wanted, gain, ids
        Shape (n,): whether another action is wanted, the expected money that it brings over the status
        quo, and stable ids.

    Returns
    -------
    ndarray
        Shape (n,): true only where ``wanted``.
    """
    rows = np.flatnonzero(wanted)
    rows = rows[np.lexsort((ids[rows], -gain[rows], room.decided_at[rows]))]
    period = room.decided_at[rows] // room.capacity.every
    place = np.arange(rows.size) - np.searchsorted(period, period)
    fits = np.zeros(wanted.size, dtype=bool)
    fits[rows[place + room.used[rows] < room.capacity.cases]] = True
    return fits


def decide_within(
    expected: NDArray[np.float64],
    *,
    status_quo: Codes,
    held: NDArray[np.bool_],
    ids: NDArray[np.uint64],
    room: Room | None,
) -> tuple[Codes, NDArray[np.float64]]:
    """Choose for each case the action with the greatest expected money that there is room for.

    Parameters
    ----------
    expected, status_quo
        As for :func:`wholeroad.road.model.deciding.decide`.
    held
        Shape (n,): cases that are left to the status quo; they need no room.
    ids
        Shape (n,): stable ids, for ties.
    room
        None where nothing runs out.

    Returns
    -------
    actions, expected
        Shape (n,), as from ``decide``.

    Examples
    --------
    >>> expected = np.array([[5.0, 0.0], [9.0, 0.0], [-4.0, 0.0]])
    >>> at, ids = np.zeros(3, dtype=np.int64), np.arange(3, dtype=np.uint64)
    >>> room = Room.empty(Capacity(cases=1, every=86_400_000_000), at)
    >>> decide_within(expected, status_quo=np.ones(3, dtype=np.int8), held=at > 0, ids=ids, room=room)[0]
    array([1, 0, 1], dtype=int8)
    """
    action, best = decide(expected, status_quo=status_quo)
    if room is None and not held.any():
        return action, best
    action = np.where(held, status_quo, action)
    own = expected[np.arange(len(expected)), status_quo]
    best = np.where(held, own, best)
    if room is None:
        return action, best
    fits = fitting_in(action != status_quo, best - own, ids=ids, room=room)
    return np.where(fits, action, status_quo), np.where(fits, best, own)
