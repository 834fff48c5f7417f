"""Scoring: a model as a value, from features to calibrated probabilities, and as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import RoadError
from wholeroad.core.ids import digest
from wholeroad.core.ports import AnyLearner, Matrix, QuantileScorer, Scorer
from wholeroad.road.brief.predictions import POINTS
from wholeroad.road.model.actions import Rule
from wholeroad.road.model.calibration import Calibration
from wholeroad.road.model.effects import Effects, effects_of
from wholeroad.road.model.encoding import Encoder
from wholeroad.road.model.fairness.assessed import Terms
from wholeroad.road.model.fairness.thresholds import GroupThresholds
from wholeroad.road.model.quantiles import Recalibration

FORMAT: Final = 1
_MAGIC: Final = b"wholeroad model\n"


@dataclass(frozen=True)
class Model:
    """A fitted model: encoder, scorer and calibration.

    Attributes
    ----------
    encoder
        From feature columns to codes.
    learner
        Name of the learner that made the scorer and can read it back.
    scorer, calibration
        From codes to raw, and from raw to calibrated probabilities.
    classes, actions
        Names, in the order of their codes. Without classes, the model says the quantiles of a number.
    thresholds, terms
        Those of groups, where a remedy of the brief asked for them, and the actions that they speak of.
    effects
        What acting changes about the probabilities, which are then those of a case left alone; None
        where acting changes nothing, or where it isn't known what.
    """

    encoder: Encoder
    learner: str
    scorer: Scorer | QuantileScorer
    calibration: Calibration | Recalibration
    classes: tuple[str, ...]
    actions: tuple[str, ...]
    effects: Effects | None = None
    thresholds: GroupThresholds | None = None
    terms: Terms | None = None

    @property
    def rule(self) -> Rule:
        """What the model decides by, beside its prediction."""
        return Rule(self.effects, self.thresholds, self.terms)

    def probabilities(self, features: pl.DataFrame) -> NDArray[np.float64]:
        """Give the prediction, shape (n, K): probabilities of the classes, or quantiles of a number.

        Each row stands on its own: one row gives the same bits as many.
        """
        if not features.height:
            return np.empty((0, len(self.classes) or len(POINTS)), dtype=np.float64)
        return self.calibration.apply(self.raw(self.encoder.encode(features)))

    @cached_property
    def raw(self) -> Callable[[Matrix], NDArray[np.float64]]:
        """What the scorer says of encoded rows: the prediction before calibration."""
        return self.scorer.quantiles if isinstance(self.scorer, QuantileScorer) else self.scorer.probabilities

    def to_bytes(self) -> bytes:
        """Give the model as plain data: a line of JSON, then what the scorer writes.

        The same model gives the same bytes.
        """
        scorer = self.scorer.to_bytes()
        header = {
            "format": FORMAT,
            "learner": self.learner,
            "classes": self.classes,
            "actions": self.actions,
            "calibration": asdict(self.calibration),
            "encoder": self.encoder.to_data(),
            "scorer": digest(scorer),
            **({"effects": self.effects.to_data()} if self.effects else {}),
            **self._fair(),
        }
        text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return _MAGIC + text.encode() + b"\n" + scorer

    def _fair(self) -> dict[str, Any]:
        if self.thresholds is None or self.terms is None:
            return {}
        return {"thresholds": self.thresholds.to_data(), "terms": asdict(self.terms)}

    @classmethod
    def from_bytes(cls, data: bytes, learners: Mapping[str, AnyLearner]) -> Model:
        """Read what ``to_bytes`` wrote.

        Raises
        ------
        RoadError
            ``model.unreadable``: no model, a newer format, a damaged file, or a learner that is
            not among ``learners``.
        """
        header, scorer = _parsed(data)
        if header["learner"] not in learners:
            raise _UnreadableError(_NO_LEARNER.format(header["learner"]))
        calibration = header["calibration"]
        return cls(
            encoder=Encoder.from_data(header["encoder"]),
            learner=header["learner"],
            scorer=learners[header["learner"]].from_bytes(scorer),
            calibration=Recalibration(tuple(calibration["scores"]))
            if "scores" in calibration
            else Calibration(calibration["slope"], tuple(calibration["intercepts"])),
            classes=tuple(header["classes"]),
            actions=tuple(header["actions"]),
            effects=effects_of(header),
            **_fair_of(header),
        )

    @cached_property
    def digest(self) -> str:
        """Name the model by its content."""
        return digest(self.to_bytes())


def _fair_of(header: Mapping[str, Any]) -> dict[str, Any]:
    if "thresholds" not in header:
        return {}
    terms = header["terms"]
    return {
        "thresholds": GroupThresholds.from_data(header["thresholds"]),
        "terms": Terms(tuple(terms["selected"]), terms["positive"]),
    }


def _parsed(data: bytes) -> tuple[Mapping[str, Any], bytes]:
    """Part a model into its header and its scorer, both whole."""
    text, found, scorer = data.removeprefix(_MAGIC).partition(b"\n")
    if not data.startswith(_MAGIC) or not found:
        raise _UnreadableError(_NO_MODEL)
    try:
        header = cast("Mapping[str, Any]", json.loads(text))
    except ValueError:
        raise _UnreadableError(_NO_MODEL) from None
    if header.get("format") != FORMAT:
        raise _UnreadableError(_OTHER_FORMAT.format(header.get("format")))
    if header["scorer"] != digest(scorer):
        raise _UnreadableError(_DAMAGED)
    return header, scorer


_NO_MODEL: Final = "it doesn't begin as a model does"
_OTHER_FORMAT: Final = f"its format was {{}}; this version reads {FORMAT}"
_DAMAGED: Final = "its content was changed or cut short"
_NO_LEARNER: Final = "its learner {!r} isn't there"


class _UnreadableError(RoadError):
    def __init__(self, happened: str) -> None:
        super().__init__(
            "model.unreadable",
            "a model can't be read",
            happened=happened,
            expected="bytes that Model.to_bytes wrote, whole",
            fix="fit the model again; its cut is still there",
        )
