"""Whether logged propensities can be the probabilities with which the actions were chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from wholeroad.road.data.findings import Finding
from wholeroad.road.data.incumbent import Logged

CLEARLY: Final = 5.0
"""Standard errors from 1."""
FAR: Final = 0.2
"""Distance from 1."""

_NORMAL: Final = 1.96


def question_propensities(logged: Logged | None, actions: Sequence[str]) -> Iterator[Finding]:
    """Ask whether weights of one over the propensity add up to the cases, for each action.

    Over cases in which chance had a part, the mean of ``[action taken] / propensity`` is 1 for an action
    that may be taken in each of them, and below 1 for one that may be taken in some of them only (Horvitz
    and Thompson 1952, JASA 47, section 2). With two actions chance has a part where both may be taken; with
    more a mean below 1 proves nothing, and only one above 1 is found.

    Parameters
    ----------
    logged
        What was done to each case; None where nothing says so.
    actions
        The names of the codes.
    """
    if logged is None or not logged.randomised.any():
        return
    drawn = logged.randomised
    action, propensity = logged.action[drawn], logged.propensity[drawn]
    found: list[tuple[float, str, float, float]] = []
    for code, name in enumerate(actions):
        taken = action == code
        weights = np.where(taken, 1 / propensity, 0.0)
        mean, error = float(weights.mean()), float(weights.std() / np.sqrt(weights.size))
        doubt = error
        if len(actions) == 2:
            # What the mean would vary by if the propensities were right.
            own = np.where(taken, propensity, 1 - propensity)
            doubt = max(error, float(np.sqrt((1 / own - 1).mean() / own.size)))
        elif mean < 1:
            continue
        off = abs(mean - 1)
        if off > FAR and off > CLEARLY * doubt:
            found.append((off, name, mean, error))
    if found:
        _, name, mean, error = max(found)
        low, high = max(0.0, mean - _NORMAL * error), mean + _NORMAL * error
        yield Finding(
            "check.propensity-implausible",
            "warning",
            "[incumbent] propensity",
            f"one over the propensity, summed over the cases with {name}, is {mean:.2f} times the "
            f"{action.size:,} cases that chance decided (95% interval {low:.2f} to {high:.2f}), not 1",
            "these aren't the probabilities with which the actions taken were chosen: every figure that is "
            "weighed by them is off by as much",
            "log the probability of the action that was taken, at the moment of choosing, for every case "
            "that chance decided, whatever was done to it",
        )
