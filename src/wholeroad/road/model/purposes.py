"""Which rows of a cut serve which purpose, where acting changes what happens and where it doesn't."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.effects import LEAST_PER_ARM
from wholeroad.road.model.slices import Slices
from wholeroad.road.model.untreated import LEAST_RANDOMISED, learning_rows
from wholeroad.road.model.weighing import doubly_robust

Rows = slice | NDArray[np.int64]


@dataclass(frozen=True)
class Purposes:
    """The rows of each purpose.

    Attributes
    ----------
    train, stop
        What is learnt, stopped and calibrated on. Where acting changes outcomes these are cases that were
        left alone, as often as they weigh.
    choose
        What money is compared on: randomised cases where there are enough of them.
    spoken
        Shape of ``choose``: what came true there is what the model speaks of.
    shown
        Randomised cases that the trial's model doesn't learn from, to learn from them what acting changes:
        those after its train slice, since only from then on there are cases of every action, and cases of
        one action from other times than those of another would show the times. Of all times where that
        would leave too few.
    estimated
        Whether money is estimated from randomised cases.
    says
        What the money rests on, in a sentence; empty where acting changes nothing.
    """

    train: Rows
    stop: Rows
    choose: NDArray[np.int64]
    spoken: NDArray[np.bool_]
    shown: NDArray[np.int64]
    estimated: bool = False
    says: str = ""


def purposes_of(cut: Cut, slices: Slices) -> Purposes:
    """Part the rows of a cut by purpose.

    Money of actions is compared on the newest slice. Where acting changes outcomes, what another action
    would have brought is estimated from that slice's randomised cases; with fewer than
    :data:`~wholeroad.road.model.untreated.LEAST_RANDOMISED` of them it is counted on cases left alone,
    as if acting changed nothing, and said so.
    """
    newest = np.arange(slices.choose.start, slices.choose.stop)
    acted = cut.acted
    if acted is None:
        nobody = np.empty(0, dtype=np.int64)
        return Purposes(slices.train, slices.stop, newest, np.ones(newest.size, dtype=bool), nobody)
    drawn, alone = acted.randomised, acted.untreated
    chosen = newest[drawn[newest]]
    estimated = chosen.size >= LEAST_RANDOMISED
    if not estimated:
        chosen = newest[alone[newest]]
    shown = _shown(drawn, alone, acted.action, slices)
    return Purposes(
        train=learning_rows(acted, slices.train),
        stop=learning_rows(acted, slices.stop),
        choose=chosen,
        spoken=alone[chosen],
        shown=np.flatnonzero(shown),
        estimated=estimated,
        says=_says(chosen.size, estimated=estimated, recorded=acted.recorded),
    )


def _shown(
    drawn: NDArray[np.bool_], alone: NDArray[np.bool_], action: Codes, slices: Slices
) -> NDArray[np.bool_]:
    late = drawn & (np.arange(drawn.size) >= slices.train.stop)
    kinds = int(action.max(initial=0)) + 1
    ever = np.bincount(action[drawn], minlength=kinds)
    then = np.bincount(action[: slices.stop.stop][late[: slices.stop.stop]], minlength=kinds)
    enough = bool((then[ever >= LEAST_PER_ARM] >= LEAST_PER_ARM).all())
    shown: NDArray[np.bool_] = late if enough else drawn & (late | ~alone)
    return shown


def money_of(cut: Cut, rows: NDArray[np.int64], *, actions: Codes, estimated: bool) -> NDArray[np.float64]:
    """Give what actions brought to some cases, or what they are estimated to have brought, shape (n,)."""
    values, truth = cut.values.take(rows), cut.truth[rows]
    if cut.acted is None or not estimated:
        return values.money(actions, truth=truth)
    taken = cut.acted.action[rows]
    return doubly_robust(
        values.money(taken, truth=truth), actions, taken=taken, propensity=cut.acted.propensity[rows]
    )


def _says(cases: int, *, estimated: bool, recorded: bool) -> str:
    if estimated:
        return f"The money is estimated from {cases:,} randomised cases."
    record = "" if recorded else " No record says what was done, so history is taken for the status quo's."
    return f"Not identified: this assumes that acting changes no outcome.{record}"
