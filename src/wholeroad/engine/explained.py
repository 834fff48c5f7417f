"""Why a case was decided as it was, and why a model is in charge: plain objects for whoever shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wholeroad.core.instants import Instant, Span
from wholeroad.road.model.counterfactuals import Counterfactuals
from wholeroad.road.model.results import ChoiceReport


@dataclass(frozen=True, slots=True)
class Change:
    """What a prediction would have been with one feature at its typical value.

    Attributes
    ----------
    feature
        Its name.
    value, typical
        The case's, and what was put in its place.
    probability
        Of the class asked about, with the typical value.
    difference
        The case's own probability less that: what this feature changed. The differences of several
        features don't add up.
    """

    feature: str
    value: Any
    typical: Any
    probability: float
    difference: float


@dataclass(frozen=True, slots=True)
class Contest:
    """What would have changed a decision, and how it can be contested.

    Attributes
    ----------
    otherwise
        The smallest changes under which another action would have been taken; None where no feature of the
        case decided it.
    decided_by
        Then, what did decide, in words; empty elsewhere.
    actions
        Names, in the order of the codes that ``otherwise`` speaks of.
    says
        What has to be known to read ``otherwise``.
    appeals_to
        Who answers an appeal; empty where the brief names nobody.
    answered_within
        How long an answer may take, in microseconds; None where the brief promises nothing.
    """

    otherwise: Counterfactuals | None = None
    decided_by: str = ""
    actions: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    appeals_to: str = ""
    answered_within: Span | None = None


@dataclass(frozen=True, slots=True)
class DecisionExplained:
    """Why one case was decided as it was.

    Attributes
    ----------
    key
        The case's columns that name it.
    decided_at, decided_by
        When, and who: a model, the status quo, a dummy, chance.
    model
        Digest of the model, None where none decided.
    probabilities
        By class; empty where no model was asked.
    expected
        Expected value of each action, in ``unit``; empty where no model was asked.
    action, status_quo
        What was done, and what would have been done without a model.
    features
        By name, as they were known when the case was decided.
    unit
        Of values and money.
    values
        The case's value of each action under each outcome.
    held_reason
        Why the model wasn't followed (late, random share, no place left), or None.
    outcome, money
        None until it is settled.
    plan
        The plan in force, in words.
    changes
        One feature at a time, the largest difference first; may be empty. See :func:`one_at_a_time`.
    asked
        The class whose probability ``changes`` speak of.
    lines
        Further sentences.
    contest
        What would have changed it and how to appeal; None where the brief has no ``[fairness]``.
    """

    key: Mapping[str, Any]
    decided_at: Instant
    decided_by: str
    model: str | None
    probabilities: Mapping[str, float]
    expected: Mapping[str, float]
    action: str
    features: Mapping[str, Any]
    status_quo: str
    unit: str
    values: Mapping[str, Mapping[str, float]]
    held_reason: str | None = None
    outcome: str | None = None
    money: float | None = None
    plan: str = ""
    changes: tuple[Change, ...] = ()
    asked: str = ""
    lines: tuple[str, ...] = ()
    contest: Contest | None = None


@dataclass(frozen=True, slots=True)
class ModelExplained:
    """Why a model is in charge.

    Attributes
    ----------
    model
        Its digest; None for the status quo.
    policy
        The refit policy, as written.
    asked_at, effective_from
        When its data were cut, and from when it decides.
    asked_because
        Why the fit was asked for.
    costs
        Of the fit, in ``unit``.
    choice
        How the champion was chosen; None for a fit whose report isn't kept.
    why
        The choice in one sentence, from the ledger.
    decided
        Cases that it has decided so far.
    next_due_at
        When the next fit is due; None when none is.
    lines
        Further sentences.
    """

    model: str | None
    policy: str
    asked_at: Instant
    effective_from: Instant
    unit: str
    why: str
    asked_because: str = ""
    costs: float = 0.0
    choice: ChoiceReport | None = None
    decided: int | None = None
    next_due_at: Instant | None = None
    lines: tuple[str, ...] = ()


def one_at_a_time(
    score: Callable[[Sequence[Mapping[str, Any]]], Sequence[float]],
    features: Mapping[str, Any],
    *,
    typical: Mapping[str, Any],
    least: float = 0.0,
) -> tuple[Change, ...]:
    """Tell what each feature changed: the prediction again, with one feature at its typical value.

    No Shapley value: features act together, so the differences don't add up to anything, and the
    changed case may be one that can't exist (Hooker, Mentch and Zhou 2021, *Unrestricted permutation forces
    extrapolation*, Statistics and Computing 31). One call scores all changed cases.

    Parameters
    ----------
    score
        Gives the probability of one class for each row of features.
    features
        Of the case.
    typical
        What to put in a feature's place: the median, or the most frequent value; features without
        one are left alone, and those that have it already too.
    least
        Differences of less than this are left out.

    Returns
    -------
    tuple of Change
        The largest difference first; equal ones by name.

    Examples
    --------
    >>> def score(rows):
    ...     return [row["a"] * 0.1 for row in rows]
    >>> one_at_a_time(score, {"a": 5, "b": 2}, typical={"a": 2, "b": 1})[0].difference
    0.3
    """
    changed = [name for name in features if name in typical and typical[name] != features[name]]
    rows = [{**features}, *({**features, name: typical[name]} for name in changed)]
    own, *others = score(rows)
    changes = [
        Change(name, features[name], typical[name], other, own - other)
        for name, other in zip(changed, others, strict=True)
        if abs(own - other) >= least
    ]
    return tuple(sorted(changes, key=lambda change: (-abs(change.difference), change.feature)))
