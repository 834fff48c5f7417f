"""The slow part of the model stage: from a cut to a champion, or to a refusal that says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wholeroad.core.errors import UserError
from wholeroad.core.instants import Instant, Span, format_span
from wholeroad.core.ports import Learner, Progress
from wholeroad.road.model.choosing import Choice, Contender, blocks_of, choose
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.fitting import Candidate, Trial, refit, try_learner, try_status_quo
from wholeroad.road.model.results import STATUS_QUO, CandidateReport, ChoiceReport, SliceReport
from wholeroad.road.model.scoring import Model
from wholeroad.road.model.slices import LEAST_ROWS, Slices, slice_by_time

__all__ = ["STATUS_QUO", "Cut", "FitRefused", "Fitted", "Model", "fit"]


@dataclass(frozen=True)
class Fitted:
    """The outcome of a fit.

    Attributes
    ----------
    champion
        Name of the learner, or :data:`STATUS_QUO`.
    model
        Refitted on the whole cut; None when the status quo won: then no model is needed.
    report
        The numbers that the choice rests on.
    """

    champion: str
    model: Model | None
    report: ChoiceReport


@dataclass(frozen=True)
class FitRefused:
    """A fit that wasn't made, and why: no error, since time may mend it.

    Attributes
    ----------
    code
        ``model.too-few-outcomes``, ``model.too-short-history`` or ``model.no-values``.
    rows, outcomes
        Of the cut: cases, and cases by class.
    """

    code: str
    headline: str
    happened: str
    expected: str
    fix: str
    rows: int
    outcomes: dict[str, int]

    def error(self) -> UserError:
        """Give the refusal as an error, for a caller who can't go on without a fit."""
        return UserError(
            self.code, self.headline, happened=self.happened, expected=self.expected, fix=self.fix
        )


def fit(  # noqa: PLR0913 - a cut, the learners, and the five things the brief says about a fit
    cut: Cut,
    learners: Sequence[Learner],
    *,
    cut_at: Instant,
    matures: Span,
    least_outcomes: int,
    progress: Progress | None = None,
) -> Fitted | FitRefused:
    """Fit every candidate, choose by money, and refit the champion on the whole cut.

    Three slices in order of time (see ``slices.py``); each model is fitted on the first,
    stopped and calibrated on the second, and decides on the third, where its money is compared
    (see ``choosing.py``). The status quo is always a candidate.

    Parameters
    ----------
    cut
        Everything known and matured at ``cut_at``.
    learners
        The candidates, with distinct names.
    cut_at, matures
        Microseconds.
    least_outcomes
        Fewer known outcomes outside the most frequent class are refused.
    progress
        Told ``(stage, done, total)`` before each step and at the end.

    Returns
    -------
    Fitted or FitRefused
    """
    _distinct(learners)
    if refusal := _too_few(cut, least_outcomes):
        return refusal
    slices = slice_by_time(cut.decided_at, matures=matures)
    if slices.smallest < LEAST_ROWS:
        return _too_short(cut, slices, matures)
    trial = Trial.prepare(cut, slices)
    if len(trial.priced) < LEAST_ROWS:
        return _no_values(cut, trial)

    tell = progress or (lambda _stage, _done, _total: None)
    steps = len(learners) + 1
    candidates = {STATUS_QUO: try_status_quo(trial)}
    for done, learner in enumerate(learners):
        tell(f"fit {learner.name}", done, steps)
        candidates[learner.name] = try_learner(trial, learner)
    report, winner = _compare(trial, candidates, learners, cut_at=cut_at, matures=matures)
    model = None
    if report.champion != STATUS_QUO:
        tell(f"refit {report.champion}", steps - 1, steps)
        learner = next(learner for learner in learners if learner.name == report.champion)
        model = _refit(cut, learner, winner)
    tell("fit", steps, steps)
    return Fitted(report.champion, model, _with_features(report, model))


def _refit(cut: Cut, learner: Learner, winner: Candidate) -> Model:
    ...
