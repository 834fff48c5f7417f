"""What acting changes: the outcome's probabilities under each action, learnt from randomised cases.

One model says what happens to a case that is left alone. What an action changes about that is a shift on
the scale of log odds, one for each third of the cases by risk, and the thirds are drawn together as far as
they differ no more than chance would make them. That is as much as a random share of some hundred cases can
carry: a model of its own for each action (Künzel and others 2019, PNAS 116, compare such learners) needs
as many cases of each as a model needs at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.brief.values import Values
from wholeroad.road.model.weighing import effective_size

LEAST_PER_ARM: Final = 30
"""An action that chance took less often has no effect estimated."""

PRIOR_VARIANCE: Final = 4.0
"""Of a shift, on the scale of log odds: beyond a factor of fifty in odds nothing is believed at once."""

SEGMENTS: Final = 3
LEAST_PER_SEGMENT: Final = 40
_STEPS: Final = 30


@dataclass(frozen=True, slots=True)
class Effect:
    """What one action does to the probabilities that a model states for a case left alone.

    Attributes
    ----------
    action
        Its code.
    edges
        Ascending: probabilities of ``axis`` between the segments.
    axis
        The class whose probability parts the cases into segments.
    factors
        Shape (segments, C): what each class's probability is multiplied by before they are made to
        add up to 1 again.
    cases
        Randomised cases of this action that it was learnt from.
    """

    action: int
    edges: tuple[float, ...]
    axis: int
    factors: tuple[tuple[float, ...], ...]
    cases: int

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the probabilities under the action, shape (n, C), each row on its own."""
        segment = np.searchsorted(np.array(self.edges), probabilities[:, self.axis], side="right")
        tilted = probabilities * np.array(self.factors)[segment]
        total = tilted[:, 0].copy()
        for column in range(1, tilted.shape[1]):
            total += tilted[:, column]
        return np.asarray(tilted / total[:, None])


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of a model's actions; an action without one leaves the outcome as the model states it."""

    each: tuple[Effect, ...]

    def to_data(self) -> list[list[Any]]:
        """Give the effects as plain data for JSON."""
        return [[one.action, one.edges, one.axis, one.factors, one.cases] for one in self.each]

    @classmethod
    def from_data(cls, data: Sequence[Sequence[Any]]) -> Effects:
        """Read what ``to_data`` wrote."""
        return cls(
            tuple(
                Effect(action, tuple(edges), axis, tuple(tuple(row) for row in factors), cases)
                for action, edges, axis, factors, cases in data
            )
        )


def expected_money(
    values: Values, prediction: NDArray[np.float64], *, effects: Effects | None
) -> NDArray[np.float64]:
    """Give the expected money of each action under the outcomes that it itself would meet, shape (n, A)."""
    money = values.expected(prediction)
    for effect in effects.each if effects else ():
        money[:, effect.action] = values.expected(effect.apply(prediction))[:, effect.action]
    return money


@dataclass(frozen=True)
class Shown:
    """Randomised cases with what a model that hasn't learnt from them states for them, shape (n, ...)."""

    probabilities: NDArray[np.float64]
    truth: Codes
    action: Codes
    propensity: NDArray[np.float64]

    def of(self, mine: NDArray[np.bool_]) -> Shown:
        """Give some of the cases."""
        return Shown(self.probabilities[mine], self.truth[mine], self.action[mine], self.propensity[mine])


def learn_effects(shown: Shown, *, no_action: int, actions: int, axis: int = 0) -> Effects | None:
    """Learn from randomised cases what each action changes.

    For each action the shifts are those that make the model's probabilities agree with what the
    randomised cases of this action showed, each weighing one over its propensity, by penalised maximum
    likelihood; leaving alone gets its own, so that an effect is a difference among randomised cases even
    where the model has learnt from cases that were left alone for reasons of their own. The thirds are drawn
    together by their variance between and within (DerSimonian and Laird 1986, *Meta-analysis in clinical
    trials*, Controlled Clinical Trials 7; the shrinkage is that of Efron and Morris 1973, JASA 68).

    Returns
    -------
    Effects or None
        None where leaving alone, or every other action, has fewer than :data:`LEAST_PER_ARM` cases.
    """
    counts = np.bincount(shown.action, minlength=actions)
    taken = [action for action in range(actions) if counts[action] >= LEAST_PER_ARM]
    if no_action not in taken or len(taken) < 2:
        return None
    edges: tuple[float, ...] = ()
    if min(int(counts[action]) for action in taken) >= SEGMENTS * LEAST_PER_SEGMENT:
        thirds = np.quantile(shown.probabilities[:, axis], np.arange(1, SEGMENTS) / SEGMENTS)
        edges = tuple(np.unique(thirds).tolist())
    segment = np.searchsorted(np.array(edges), shown.probabilities[:, axis], side="right")
    found = []
    for action in taken:
        parts = [shown.of((shown.action == action) & (segment == one)) for one in range(len(edges) + 1)]
        shifts = _drawn_together([_shift(part) for part in parts], to_zero=action == no_action)
        factors = np.exp(np.hstack([shifts, np.zeros((len(parts), 1))]))
        found.append(Effect(action, edges, axis, tuple(map(tuple, factors.tolist())), int(counts[action])))
    return Effects(tuple(found))


def _shift(part: Shown) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the shifts of log odds against the last class that fit these cases best, and their variances."""
    classes = part.probabilities.shape[1]
    if not len(part.truth):
        return np.zeros(classes - 1), np.full(classes - 1, PRIOR_VARIANCE)
    weights = 1 / part.propensity
    weights *= effective_size(weights) / weights.sum()
    seen = np.bincount(part.truth, weights=weights, minlength=classes).astype(np.float64)
    shift, pull = np.zeros(classes - 1), np.eye(classes - 1) / PRIOR_VARIANCE
    information = pull
    for _ in range(_STEPS):
        tilted = part.probabilities * np.exp(np.append(shift, 0.0))
        tilted = (tilted / tilted.sum(axis=1, keepdims=True))[:, :-1]
        weighted = tilted * weights[:, None]
        information = np.diag(weighted.sum(axis=0)) - tilted.T @ weighted + pull
        step = np.linalg.solve(information, seen[:-1] - weighted.sum(axis=0) - pull @ shift)
        shift = shift + np.clip(step, -2, 2)
        if float(np.abs(step).max()) < 1e-10:
            break
    return shift, np.diag(np.linalg.inv(information)).copy()


def _drawn_together(
    shifts: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], *, to_zero: bool
) -> NDArray[np.float64]:
    """Draw the shifts of segments to their mean, and a mean that should be none to nothing."""
    shift = np.array([one for one, _ in shifts])
    variance = np.array([one for _, one in shifts])
    weight = 1 / variance
    mean = (weight * shift).sum(axis=0) / weight.sum(axis=0)
    spread = (weight * (shift - mean) ** 2).sum(axis=0)
    scale = weight.sum(axis=0) - (weight**2).sum(axis=0) / weight.sum(axis=0)
    between = np.maximum(0.0, (spread - (len(shift) - 1)) / np.maximum(scale, 1e-12))
    if to_zero:
        noise = 1 / weight.sum(axis=0)
        mean = mean * np.maximum(0.0, mean**2 - noise) / np.maximum(mean**2, 1e-12)
    drawn: NDArray[np.float64] = (between * shift + variance * mean) / (between + variance)
    return drawn


def effects_of(data: Mapping[str, Any]) -> Effects | None:
    """Read the effects in a model's header, if it has any."""
    return Effects.from_data(data["effects"]) if data.get("effects") else None
