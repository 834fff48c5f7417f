"""Fitting: one candidate on the train slice, calibrated on the next, measured on the last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.ports import Learner, Matrix
from wholeroad.road.model.calibration import Calibration, fit_calibration, log_loss
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.deciding import decide
from wholeroad.road.model.encoding import Encoder, fit_encoder
from wholeroad.road.model.results import STATUS_QUO
from wholeroad.road.model.rules import area_under_roc
from wholeroad.road.model.scoring import Model
from wholeroad.road.model.slices import Slices


@dataclass(frozen=True)
class Trial:
    """The slices of a cut, encoded by a vocabulary that only the train slice has shaped.

    ``priced`` are the row numbers of the choose slice whose values are known under what came true.
    """

    cut: Cut
    slices: Slices
    encoder: Encoder
    train: Matrix
    stop: Matrix
    choose: Matrix
    priced: NDArray[np.int64]

    @classmethod
    def prepare(cls, cut: Cut, slices: Slices) -> Trial:
        """Encode the three slices."""
        encoder = fit_encoder(cut.features_of(slices.train))
        rows = np.arange(slices.choose.start, slices.choose.stop)
        known = cut.values.take(rows).known(cut.truth[rows])
        return cls(
            cut=cut,
            slices=slices,
            encoder=encoder,
            train=encoder.encode(cut.features_of(slices.train)),
            stop=encoder.encode(cut.features_of(slices.stop)),
            choose=encoder.encode(cut.features_of(slices.choose).filter(pl.Series(known))),
            priced=rows[known],
        )


@dataclass(frozen=True)
class Candidate:
    """A candidate after its trial: what the refit keeps, and what it did on the choose slice.

    ``actions`` and ``money`` have shape (rows priced,). The status quo has no learner, and no evidence.
    """

    learner: Learner | None
    name: str
    complexity: int
    actions: NDArray[np.int8]
    money: NDArray[np.float64]
    rounds: int | None = None
    calibration: Calibration | None = None
    log_loss_raw: float | None = None
    log_loss: float | None = None
    auc: float | None = None


def try_status_quo(trial: Trial) -> Candidate:
    """Measure what is done without a model."""
    cut, rows = trial.cut, trial.priced
    return Candidate(
        learner=None,
        name=STATUS_QUO,
        complexity=0,
        actions=cut.status_quo[rows],
        money=cut.values.take(rows).money(cut.status_quo[rows], truth=cut.truth[rows]),
    )


def try_learner(trial: Trial, learner: Learner) -> Candidate:
    """Fit on train, stop and calibrate on the next slice, decide and earn on the last."""
    cut, rows = trial.cut, trial.priced
    stop_truth = cut.truth[trial.slices.stop]
    scorer, rounds = learner.fit(
        trial.train,
        cut.truth[trial.slices.train],
        classes=len(cut.classes),
        stop=(trial.stop, stop_truth),
    )
    calibration = fit_calibration(scorer.probabilities(trial.stop), stop_truth)
    raw = scorer.probabilities(trial.choose)
    probabilities = calibration.apply(raw)
    truth = cut.truth[rows]
    values = cut.values.take(rows)
    actions, _ = decide(values.expected(probabilities), status_quo=cut.status_quo[rows])
    actions = np.where(cut.held[rows], cut.status_quo[rows], actions)
    binary = len(cut.classes) == 2
    return Candidate(
        learner=learner,
        name=learner.name,
        complexity=learner.complexity,
        actions=actions,
        money=values.money(actions, truth=truth),
        rounds=rounds,
        calibration=calibration,
        log_loss_raw=log_loss(raw, truth),
        log_loss=log_loss(probabilities, truth),
        auc=area_under_roc(probabilities[:, 0], truth == 0) if binary else None,
    )


def refit(cut: Cut, winner: Candidate) -> Model:
    """Fit the winner's learner on the whole cut, with the rounds and calibration of its trial."""
    if winner.learner is None or winner.calibration is None:
        message = f"{winner.name} is no model"
        raise ValueError(message)
    encoder = fit_encoder(cut.features)
    scorer, _ = winner.learner.fit(
        encoder.encode(cut.features), cut.truth, classes=len(cut.classes), rounds=winner.rounds
    )
    return Model(
        encoder=encoder,
        learner=winner.name,
        scorer=scorer,
        calibration=winner.calibration,
        classes=cut.classes,
        actions=cut.actions,
    )
