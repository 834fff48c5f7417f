"""Boosted trees by LightGBM, kept as its text without the parameter block."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners.frequencies import Seen, seen, smoothed
from wholeroad.adapters.learners.lightgbm_rows import FEW, RowByRow, row_by_row
from wholeroad.adapters.learners.weighted_rows import weighted
from wholeroad.core.ports import Matrix, Stop
from wholeroad.road.model.calibration import SMALLEST_PROBABILITY, log_loss, softmax

if TYPE_CHECKING:
    import lightgbm

MOST_ROUNDS: Final = 400
PATIENCE: Final = 30
"""Rounds without a better log loss on the stop slice before stopping."""
ROUNDS_WITHOUT_STOP: Final = 100
FEW_ROWS: Final = 2_000
"""Below this many rows a score uses one thread: waking others costs more than it saves."""
SETTINGS: Final[dict[str, Any]] = {
    "boosting": "gbdt",
    "learning_rate": 0.08,
    "num_leaves": 31,
    "min_data_in_leaf": 20,
    "max_bin": 255,
    "max_cat_threshold": 32,
    "cat_smooth": 10.0,
    "cat_l2": 10.0,
    # Nothing is sampled, so that no seed matters (bins are made from all rows, below).
    "bagging_freq": 0,
    "feature_fraction": 1.0,
    # Sums in an order that doesn't depend on the number of threads.
    "deterministic": True,
    "force_row_wise": True,
    # LightGBM's own metrics are summed thread by thread; stopping uses ours.
    "metric": "None",
    "verbosity": -1,
}

_Later = tuple[Matrix, NDArray[np.int64], NDArray[np.float64] | None]
"""A stop slice: features, codes of present classes, and weights where rows weigh differently."""


class TreesScorer:
    """Trees, or without any the frequencies of the classes.

    Parameters
    ----------
    text
        LightGBM's model text without its parameter block; empty when nothing could be split on.
    known
        The classes that the training rows showed.
    base
        Their frequencies, for use without trees.
    threads
        For scores of many rows; no result depends on it.
    """

    def __init__(self, text: str, known: Seen, *, base: tuple[float, ...], threads: int) -> None:
        self._text = text
        self._known = known
        self._base = base
        self._threads = threads
        self._trees = ReadTrees(text, threads) if text else None

    def probabilities(self, matrix: Matrix) -> NDArray[np.float64]:
        """Give shape (n, classes); trees are added in their order, row by row."""
        rows = len(matrix.values)
        if self._trees is None or not rows:
            return self._known.spread(np.tile(np.array(self._base), (rows, 1)))
        raw = self._trees.scores(matrix.values)
        if len(raw) == 1:
            both = np.zeros((2, rows))
            both[1] = raw[0]
            raw = both
        return self._known.spread(softmax(raw))

    def to_bytes(self) -> bytes:
        """Give a line of JSON, then LightGBM's text."""
        header = {
            "classes": self._known.classes,
            "present": self._known.present,
            "floor": self._known.floor,
            "base": self._base,
        }
        return json.dumps(header, separators=(",", ":")).encode() + b"\n" + self._text.encode()


class LightgbmTrees:
    """Gradient boosting with native categories and nulls (Ke et al. 2017, *LightGBM*, NeurIPS).

    Parameters
    ----------
    threads
        How many threads a fit may use; no result depends on it.
    seed
        Handed to LightGBM. Nothing is sampled, so it changes nothing; a test holds that.
    """

    name = "lightgbm"
    complexity = 4

    def __init__(self, *, threads: int, seed: int = 0) -> None:
        self._threads = threads
        self._seed = seed

    def fit(
        self,
        matrix: Matrix,
        truth: NDArray[np.int8],
        *,
        classes: int,
        stop: Stop | None = None,
        rounds: int | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> tuple[TreesScorer, int]:
        """Fit trees and stop on the later slice; see :class:`wholeroad.core.ports.Learner`."""
        matrix, truth, weights = weighted(matrix, truth, weights=weights)
        known = seen(truth, classes, weights=weights)
        codes = known.recode(truth)
        base = smoothed(codes.astype(np.int8), len(known.present), weights=weights)
        if len(known.present) < 2 or not matrix.values.shape[1] or rounds == 0:
            return TreesScorer("", known, base=base, threads=self._threads), 0
        later = _known_rows(stop, known)
        booster = self._train(matrix, codes, len(known.present), stop=later, rounds=rounds, weights=weights)
        used = booster.best_iteration or booster.current_iteration()
        return TreesScorer(trees_text(booster, used), known, base=base, threads=self._threads), used

    def from_bytes(self, data: bytes) -> TreesScorer:
        """Read what ``to_bytes`` wrote."""
        line, _, text = data.partition(b"\n")
        header = json.loads(line)
        known = Seen(header["classes"], tuple(header["present"]), header["floor"])
        return TreesScorer(text.decode(), known, base=tuple(header["base"]), threads=self._threads)

    def _train(
        self,
        matrix: Matrix,
        codes: NDArray[np.int64],
        classes: int,
        *,
        stop: _Later | None,
        rounds: int | None,
        weights: NDArray[np.float64] | None,
    ) -> lightgbm.Booster:
        import lightgbm

        parameters = {
            **SETTINGS,
            "objective": "binary" if classes == 2 else "multiclass",
            "num_class": 1 if classes == 2 else classes,
            "num_threads": self._threads,
            "seed": self._seed,
            "bin_construct_sample_cnt": max(len(codes), 1),
        }
        data = lightgbm.Dataset(
            matrix.values,
            codes,
            weight=weights,
            categorical_feature=[index for index, count in enumerate(matrix.categories) if count],
            params=parameters,
        )
        if rounds is not None or stop is None:
            return lightgbm.train(parameters, data, rounds or ROUNDS_WITHOUT_STOP)
        later, outcomes, weigh = stop
        return lightgbm.train(
            parameters,
            data,
            MOST_ROUNDS,
            valid_sets=[lightgbm.Dataset(later.values, outcomes, reference=data)],
            feval=lambda scores, _: ("log loss", _stop_loss(scores, outcomes, weigh), False),
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        )


def _known_rows(stop: Stop | None, known: Seen) -> _Later | None:
    """Keep the rows of the stop slice whose class the trees can predict, and that weigh something."""
    if stop is None:
        return None
    matrix, truth, weights = weighted(stop[0], stop[1], weights=stop[2]) if len(stop) == 3 else (*stop, None)
    codes = known.recode(truth)
    keep = codes >= 0
    if not keep.any():
        return None
    kept = Matrix(np.asfortranarray(matrix.values[keep]), matrix.names, matrix.categories)
    return kept, codes[keep], None if weights is None else weights[keep]


def _stop_loss(
    scores: NDArray[np.float64], outcomes: NDArray[np.int64], weights: NDArray[np.float64] | None
) -> float:
    """Give the log loss of LightGBM's probabilities: one number, or one per class, for each row."""
    both = np.column_stack([1.0 - scores, scores]) if scores.ndim == 1 else scores
    if weights is None:
        return log_loss(both, outcomes.astype(np.int8))
    chosen = np.maximum(both[np.arange(len(outcomes)), outcomes], SMALLEST_PROBABILITY)
    return float(-(weights * np.log(chosen)).sum() / weights.sum())


def trees_text(booster: lightgbm.Booster, rounds: int) -> str:
    """Write the trees without the parameter block, which holds threads and seeds."""
    text: str = booster.model_to_string(num_iteration=rounds)
    trees, found, _ = text.partition("\nparameters:")
    if not found:
        message = "LightGBM wrote a model without a parameter block"
        raise RuntimeError(message)
    return trees + "\n"


class ReadTrees:
    """Trees read from their text, to score rows with.

    Parameters
    ----------
    text
        As :func:`trees_text` wrote it.
    threads
        For scores of many rows; no result depends on it.
    """

    def __init__(self, text: str, threads: int) -> None:
        self._text = text
        self._threads = threads

    @cached_property
    def _booster(self) -> lightgbm.Booster:
        import lightgbm

        return lightgbm.Booster(model_str=self._text)

    @cached_property
    def _rows(self) -> RowByRow | None:
        return row_by_row(self._text)

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give raw scores, (k, n), of the k trees of a round, each added up over the rounds."""
        rows = len(values)
        if rows <= FEW:
            found = None if self._rows is None else self._rows.scores(values)
            if found is not None:
                return found
        threads = 1 if rows < FEW_ROWS else self._threads
        raw = np.asarray(self._booster.predict(values, raw_score=True, num_threads=threads))
        return raw[None, :] if raw.ndim == 1 else raw.T
