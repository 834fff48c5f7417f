"""Fitting: one candidate on the train slice, calibrated on the next, measured on the last."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.ports import AnyLearner, Learner, Matrix, QuantileLearner, QuantileScorer, Scorer, Stop
from wholeroad.core.view import Codes
from wholeroad.road.brief.predictions import POINTS
from wholeroad.road.model.actions import Due, Rule, act
from wholeroad.road.model.calibration import Calibration, fit_calibration, log_loss
from wholeroad.road.model.capacity import Room
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.effects import Effects, Shown, learn_effects
from wholeroad.road.model.encoding import Encoder, fit_encoder
from wholeroad.road.model.fairness.abstaining import left_below
from wholeroad.road.model.fairness.learning_thresholds import LearntThresholds
from wholeroad.road.model.purposes import Purposes, money_of, purposes_of
from wholeroad.road.model.quantiles import Recalibration, coverage, fit_recalibration, pinball_loss
from wholeroad.road.model.remedies import Stated, Weights, thresholds_of, weights_of
from wholeroad.road.model.results import STATUS_QUO
from wholeroad.road.model.rules import area_under_roc
from wholeroad.road.model.scoring import Model
from wholeroad.road.model.slices import Slices
from wholeroad.road.model.untreated import learning_rows


@dataclass(frozen=True)
class Trial:
    """The slices of a cut, encoded by a vocabulary that only the train slice has shaped.

    ``priced`` are the row numbers of the choose slice that money is compared on: their values are known
    under what came true. ``decided`` are those that are decided, and encoded in ``choose``: under a
    capacity the whole slice, since all of its cases compete for the places; ``counted`` tells which of them
    are priced.
    """

    cut: Cut
    slices: Slices
    encoder: Encoder
    train: Matrix
    stop: Matrix
    choose: Matrix
    priced: NDArray[np.int64]
    decided: NDArray[np.int64]
    counted: NDArray[np.bool_]
    purposes: Purposes

    @classmethod
    def prepare(cls, cut: Cut, slices: Slices) -> Trial:
        """Encode the three slices."""
        encoder = fit_encoder(cut.features_of(slices.train))
        purposes = purposes_of(cut, slices)
        rows = purposes.choose
        known = cut.values.take(rows).known(cut.truth[rows])
        newest = np.arange(slices.choose.start, slices.choose.stop)
        decided = rows[known] if cut.capacity is None else newest
        return cls(
            cut=cut,
            slices=slices,
            encoder=encoder,
            train=encoder.encode(cut.features_of(purposes.train)),
            stop=encoder.encode(cut.features_of(purposes.stop)),
            choose=encoder.encode(cut.features_of(decided)),
            priced=rows[known],
            decided=decided,
            counted=np.isin(decided, rows[known]),
            purposes=replace(purposes, choose=rows[known], spoken=purposes.spoken[known]),
        )


@dataclass(frozen=True)
class Candidate:
    """A candidate after its trial: what the refit keeps, and what it did on the choose slice.

    ``actions`` and ``money`` have shape (rows priced,). The status quo has no learner, and no evidence.
    """

    learner: AnyLearner | None
    name: str
    complexity: int
    actions: Codes
    money: NDArray[np.float64]
    rounds: int | None = None
    calibration: Calibration | Recalibration | None = None
    log_loss_raw: float | None = None
    log_loss: float | None = None
    auc: float | None = None
    pinball_raw: float | None = None
    pinball: float | None = None
    coverage: float | None = None
    effects: Effects | None = None
    thresholds: LearntThresholds | None = None
    probabilities: NDArray[np.float64] | None = None
    """Of the priced rows, where the brief compares groups."""


def try_status_quo(trial: Trial) -> Candidate:
    """Measure what is done without a model."""
    cut, rows = trial.cut, trial.priced
    return Candidate(
        learner=None,
        name=STATUS_QUO,
        complexity=0,
        actions=cut.status_quo[rows],
        money=money_of(cut, rows, actions=cut.status_quo[rows], estimated=trial.purposes.estimated),
    )


def try_learner(trial: Trial, learner: AnyLearner) -> Candidate:
    """Fit on train, stop and calibrate on the next slice, decide and earn on the last."""
    if isinstance(learner, QuantileLearner):
        return _try_quantiles(trial, learner)
    cut = trial.cut
    stop_truth = cut.truth[trial.purposes.stop]
    scorer, rounds = _fit_weighed(
        learner,
        trial.train,
        cut.truth[trial.purposes.train],
        classes=len(cut.classes),
        weights=weights_of(cut, trial.purposes.train, stop=trial.purposes.stop),
        stop=(trial.stop, stop_truth),
    )
    calibration = fit_calibration(scorer.probabilities(trial.stop), stop_truth)
    raw = scorer.probabilities(trial.choose)
    probabilities = calibration.apply(raw)
    before, effects = _effects(trial, scorer, calibration)
    first, thresholds = _thresholds(trial, scorer, calibration, before=before, effects=effects)
    terms = cut.groups.terms if cut.groups else None
    actions, money = _earned(trial, probabilities, Rule(before, first.thresholds if first else None, terms))
    stated = probabilities[trial.counted] if cut.groups else None
    spoken = np.flatnonzero(trial.counted)[trial.purposes.spoken]
    truth = cut.truth[trial.decided[spoken]]
    raw, probabilities = raw[spoken], probabilities[spoken]
    binary = len(cut.classes) == 2
    return Candidate(
        learner=learner,
        name=learner.name,
        complexity=learner.complexity,
        actions=actions,
        money=money,
        rounds=rounds,
        calibration=calibration,
        log_loss_raw=log_loss(raw, truth) if truth.size else None,
        log_loss=log_loss(probabilities, truth) if truth.size else None,
        auc=area_under_roc(probabilities[:, 0], truth == 0) if binary else None,
        effects=effects,
        thresholds=thresholds,
        probabilities=stated,
    )


def _fit_weighed(
    learner: Learner,
    matrix: Matrix,
    truth: Codes,
    *,
    classes: int,
    weights: Weights | None,
    stop: tuple[Matrix, Codes] | None = None,
    rounds: int | None = None,
) -> tuple[Scorer, int | None]:
    """Fit with weights where a remedy asks for them; a learner without them is asked as it always was."""
    if weights is None:
        return learner.fit(matrix, truth, classes=classes, stop=stop, rounds=rounds)
    weighed: Stop | None = stop
    if stop is not None and weights.stop is not None:
        weighed = (*stop, weights.stop)
    return learner.fit(matrix, truth, classes=classes, stop=weighed, rounds=rounds, weights=weights.learnt)


def _thresholds(
    trial: Trial,
    scorer: Scorer,
    calibration: Calibration,
    *,
    before: Effects | None,
    effects: Effects | None,
) -> tuple[LearntThresholds | None, LearntThresholds | None]:
    """Learn the groups' thresholds: from what came before the choose slice, for the trial; and from all."""
    cut = trial.cut
    if cut.groups is None or not cut.groups.table.of_kind("thresholds"):
        return None, None
    every = np.arange(cut.rows)
    stop = every[trial.purposes.stop]
    rows = np.concatenate([stop, trial.purposes.choose])
    stated = calibration.apply(scorer.probabilities(trial.encoder.encode(cut.features_of(rows))))
    return (
        thresholds_of(cut, Stated(stop, stated[: stop.size], before)),
        thresholds_of(cut, Stated(rows, stated, effects)),
    )


def _effects(trial: Trial, scorer: Scorer, calibration: Calibration) -> tuple[Effects | None, Effects | None]:
    """Learn what acting changes: from what came before the choose slice, for the trial; and from all."""
    cut, rows = trial.cut, trial.purposes.shown
    if cut.acted is None or not rows.size:
        return None, None
    matrix = trial.encoder.encode(cut.features_of(rows))
    shown = Shown(
        probabilities=calibration.apply(scorer.probabilities(matrix)),
        truth=cut.truth[rows],
        action=cut.acted.action[rows],
        propensity=cut.acted.propensity[rows],
    )
    before = shown.of(rows < trial.slices.stop.stop)
    alone, actions = cut.acted.no_action, len(cut.actions)
    return (
        learn_effects(before, no_action=alone, actions=actions),
        learn_effects(shown, no_action=alone, actions=actions),
    )


def _try_quantiles(trial: Trial, learner: QuantileLearner) -> Candidate:
    numbers = trial.cut.numbers
    stop = numbers[trial.purposes.stop]
    scorer, rounds = learner.fit_quantiles(
        trial.train, numbers[trial.purposes.train], points=POINTS, stop=(trial.stop, stop)
    )
    calibration = fit_recalibration(scorer.quantiles(trial.stop), stop)
    raw = scorer.quantiles(trial.choose)
    quantiles = calibration.apply(raw)
    outcome = numbers[trial.priced]
    actions, money = _earned(trial, quantiles)
    raw, quantiles = raw[trial.counted], quantiles[trial.counted]
    return Candidate(
        learner=learner,
        name=learner.name,
        complexity=learner.complexity,
        actions=actions,
        money=money,
        rounds=rounds,
        calibration=calibration,
        pinball_raw=pinball_loss(raw, outcome),
        pinball=pinball_loss(quantiles, outcome),
        coverage=coverage(quantiles, outcome),
    )


def _earned(
    trial: Trial, prediction: NDArray[np.float64], rule: Rule | None = None
) -> tuple[Codes, NDArray[np.float64]]:
    """Decide cases by a prediction of each; give the actions of the priced ones and what they brought."""
    cut, rows = trial.cut, trial.decided
    groups = cut.groups.take(rows) if cut.groups else None
    due = Due(
        values=cut.values.take(rows),
        status_quo=cut.status_quo[rows],
        held=cut.held[rows],
        ids=rows.astype(np.uint64),  # in order of the ids, where they are of one instant
        room=Room.empty(cut.capacity, cut.decided_at[rows]),
        groups=groups.frame if groups else None,
        left_below=left_below(groups.table, groups.frame) if groups else None,
    )
    actions = act(prediction, due, rule=rule or Rule()).action[trial.counted]
    return actions, money_of(cut, trial.priced, actions=actions, estimated=trial.purposes.estimated)


def refit(cut: Cut, winner: Candidate) -> Model:
    """Fit the winner's learner on the whole cut, with the rounds and calibration of its trial."""
    if winner.learner is None or winner.calibration is None:
        message = f"{winner.name} is no model"
        raise ValueError(message)
    encoder = fit_encoder(cut.features)
    rows = learning_rows(cut.acted, slice(0, cut.rows))
    whole = cut.acted is None
    matrix = encoder.encode(cut.features if whole else cut.features_of(rows))
    scorer: Scorer | QuantileScorer
    if isinstance(winner.learner, QuantileLearner):
        numbers = cut.numbers[rows]
        scorer, _ = winner.learner.fit_quantiles(matrix, numbers, points=POINTS, rounds=winner.rounds)
    else:
        scorer, _ = _fit_weighed(
            winner.learner,
            matrix,
            cut.truth[rows],
            classes=len(cut.classes),
            weights=weights_of(cut, rows),
            rounds=winner.rounds,
        )
    return Model(
        encoder=encoder,
        learner=winner.name,
        scorer=scorer,
        calibration=winner.calibration,
        classes=cut.classes,
        actions=cut.actions,
        effects=winner.effects,
        thresholds=winner.thresholds.thresholds if winner.thresholds else None,
        terms=cut.groups.terms if cut.groups and winner.thresholds else None,
    )
