"""The slow part of the model stage: from a cut to a champion, or to a refusal that says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wholeroad.core.instants import Instant, Span
from wholeroad.core.ports import AnyLearner, Progress
from wholeroad.road.model.comparing import compare
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.fitting import Trial, refit, try_learner, try_status_quo
from wholeroad.road.model.refusing import (
    FitRefused,
    no_values,
    too_few_left_alone,
    too_few_outcomes,
    too_short_history,
)
from wholeroad.road.model.remedies import assess_champion, carried_out
from wholeroad.road.model.results import STATUS_QUO, ChoiceReport
from wholeroad.road.model.scoring import Model
from wholeroad.road.model.slices import slice_by_time

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


def fit(
    cut: Cut,
    learners: Sequence[AnyLearner],
    *,
    cut_at: Instant,
    matures: Span,
    least_outcomes: int,
    progress: Progress | None = None,
) -> Fitted | FitRefused:
    """Fit every candidate, choose by money, and refit the champion on the whole cut.

    Three slices in order of time (``slices.py``): each model is fitted on the first, stopped
    and calibrated on the second, and decides on the third, where its money is compared
    (``rules.py``). The status quo is always a candidate.

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
        The refusal says what is needed; ``refusal.error()`` makes it a ``UserError``.
    """
    names = [STATUS_QUO, *(learner.name for learner in learners)]
    if len(set(names)) < len(names):
        message = f"learners need distinct names; these were {', '.join(names[1:])}"
        raise ValueError(message)
    if refusal := too_few_outcomes(cut, least_outcomes):
        return refusal
    slices = slice_by_time(cut.decided_at, matures=matures)
    if refusal := too_short_history(cut, slices, matures=matures):
        return refusal
    trial = Trial.prepare(cut, slices)
    if refusal := too_few_left_alone(trial, least_outcomes) or no_values(trial):
        return refusal

    steps = len(names)
    candidates = [try_status_quo(trial)]
    for done, learner in enumerate(learners):
        if progress:
            progress(f"fit {learner.name}", done, steps)
        candidates.append(try_learner(trial, learner))
    comparison = compare(trial, candidates)
    winner = candidates[names.index(comparison.champion)]
    model = None
    if winner.learner is not None:
        if progress:
            progress(f"refit {winner.name}", steps - 1, steps)
        model = refit(cut, winner)
    if progress:
        progress("fit", steps, steps)
    encoder = model.encoder if model else trial.encoder
    report = comparison.report(trial, encoder, cut_at=cut_at, matures=matures)
    report = replace(
        report,
        fairness=assess_champion(
            cut, trial.priced, actions=winner.actions, probabilities=winner.probabilities
        ),
        remedies=carried_out(cut, winner.thresholds) if winner.learner else (),
    )
    if trial.purposes.says:
        report = replace(report, why=f"{report.why} {trial.purposes.says}")
    return Fitted(comparison.champion, model, report)
