"""What a choice among candidates says, as plain objects for ledgers, cards and tables."""

from __future__ import annotations

from dataclasses import dataclass

from wholeroad.core.instants import Instant, Span
from wholeroad.road.brief.quantities import Amounts
from wholeroad.road.model.fairness.results import Fairness

STATUS_QUO = "status quo"
"""The candidate that uses no model."""


@dataclass(frozen=True, slots=True)
class SliceReport:
    """One slice: its rows, the first and last ``decided_at``, and the rows embargoed after it."""

    name: str
    rows: int
    from_at: Instant
    to_at: Instant
    embargoed: int


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """One candidate on the choose slice.

    Attributes
    ----------
    name, complexity
        As the learner says; 0 is the status quo.
    money_per_case
        In the brief's unit, of the actions it would have taken, under the outcomes that came true.
    behind_best, standard_error
        Mean paired difference of the best candidate to this one, zero or more, and its blocked
        standard error.
    eligible
        Whether it is within one standard error of the best.
    actions
        Share of the cases by action.
    rounds
        Of a learner that works in rounds, chosen on the stop slice.
    slope, intercepts
        The calibration; None and empty for the status quo.
    amounts
        Where actions are amounts: their mean and quartiles, and ``actions`` is empty.
    pinball_raw, pinball, coverage
        Evidence of a model of a number: quantile loss before and after calibration, in the
        outcome's unit, and the share of outcomes between the quantiles of 10% and 90%.
    log_loss_raw, log_loss, auc
        Evidence, not the verdict: nats before and after calibration; the area under the ROC
        curve with two classes that both came true.
    """

    name: str
    complexity: int
    money_per_case: float
    behind_best: float
    standard_error: float
    eligible: bool
    actions: dict[str, float]
    rounds: int | None = None
    slope: float | None = None
    intercepts: tuple[float, ...] = ()
    log_loss_raw: float | None = None
    log_loss: float | None = None
    auc: float | None = None
    amounts: Amounts | None = None
    pinball_raw: float | None = None
    pinball: float | None = None
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class ChoiceReport:
    """How the champion was chosen, with every number that the choice rests on.

    Attributes
    ----------
    rows, outcomes
        Of the whole cut: cases, and cases by class (nothing where the outcome is a number).
    unpriced
        Cases of the choose slice left out since a value of what came true isn't known.
    blocks, block_kind
        How many blocks the standard errors rest on, and of what.
    best, champion
        The candidate with the most money, and the simplest within one standard error of it.
    why
        One sentence for a person.
    features, left_out
        Used by the refitted model, and pairs (name, reason); for the status quo, of the trial fits.
    fairness
        The champion's decisions on the choose slice, by group; None where the brief has neither limits nor
        remedies of fits.
    remedies
        What remedies of the brief did in this fit, in words.
    """

    cut_at: Instant
    matures: Span
    rows: int
    outcomes: dict[str, int]
    slices: tuple[SliceReport, ...]
    unpriced: int
    blocks: int
    block_kind: str
    candidates: tuple[CandidateReport, ...]
    best: str
    champion: str
    why: str
    features: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    fairness: Fairness | None = None
    remedies: tuple[str, ...] = ()

    @property
    def stopped(self) -> tuple[str, ...]:
        """The limits that keep the champion from being put in charge; the status quo needs no leave."""
        if self.fairness is None or self.champion == STATUS_QUO:
            return ()
        return tuple(limit.limit for limit in self.fairness.limits if limit.stops)

    def candidate(self, name: str) -> CandidateReport:
        """Give the report of one candidate."""
        return next(candidate for candidate in self.candidates if candidate.name == name)
