"""Boosted trees for quantiles by LightGBM: one booster for each knot, kept as plain text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners.lightgbm_trees import SETTINGS, ReadTrees, trees_text
from wholeroad.adapters.learners.quantiles import Ladder, empirical
from wholeroad.core.ports import Matrix

if TYPE_CHECKING:
    import lightgbm

MOST_ROUNDS: Final = 300
PATIENCE: Final = 15
"""Rounds without a better quantile loss on the stop slice, over all knots, before stopping."""
ROUNDS_WITHOUT_STOP: Final = 80


class TreeQuantilesScorer:
    """Trees for each knot, or without any the quantiles of all outcomes.

    Parameters
    ----------
    texts
        LightGBM's model text for each knot, without its parameter block; empty when nothing could be
        split on.
    base
        The quantiles of the knots on the learnt scale, for use without trees.
    threads
        For scores of many rows; no result depends on it.
    """

    def __init__(
        self, ladder: Ladder, texts: tuple[str, ...], *, base: tuple[float, ...], threads: int
    ) -> None:
        self._ladder = ladder
        self._texts = texts
        self._base = base
        self._trees = [ReadTrees(text, threads) for text in texts]

    def quantiles(self, matrix: Matrix) -> NDArray[np.float64]:
        """Give shape (n, points); trees are added in their order, row by row."""
        rows = len(matrix.values)
        if not self._trees or not rows:
            return self._ladder.climb([np.full(rows, quantile) for quantile in self._base])
        return self._ladder.climb([trees.scores(matrix.values)[0] for trees in self._trees])

    def to_bytes(self) -> bytes:
        """Give a line of JSON, then LightGBM's texts one after the other."""
        texts = [text.encode() for text in self._texts]
        header = {"ladder": asdict(self._ladder), "base": self._base, "sizes": [len(text) for text in texts]}
        return json.dumps(header, separators=(",", ":")).encode() + b"\n" + b"".join(texts)


class LightgbmQuantiles:
    """Gradient boosting on the quantile loss, stopped where the knots together are best.

    Parameters
    ----------
    threads
        How many threads a fit may use; no result depends on it.
    """

    name = "lightgbm"
    complexity = 3

    def __init__(self, *, threads: int) -> None:
        self._threads = threads

    def fit_quantiles(
        self,
        matrix: Matrix,
        outcome: NDArray[np.float64],
        *,
        points: Sequence[float],
        stop: tuple[Matrix, NDArray[np.float64]] | None = None,
        rounds: int | None = None,
    ) -> tuple[TreeQuantilesScorer, int]:
        """Fit trees and stop on the later slice; see :class:`wholeroad.core.ports.QuantileLearner`."""
        ladder = Ladder.of(points, outcome)
        numbers = ladder.learnt(outcome)
        base = empirical(numbers, ladder.knots)
        if rounds == 0 or not matrix.values.shape[1] or not len(numbers) or numbers.min() == numbers.max():
            return TreeQuantilesScorer(ladder, (), base=base, threads=self._threads), 0
        boosters = self._boosters(matrix, numbers, ladder.knots)
        if rounds is not None or stop is None or not len(stop[1]):
            used = rounds or ROUNDS_WITHOUT_STOP
            for booster in boosters:
                for _ in range(used):
                    booster.update()
        else:
            later, outcomes = stop
            used = self._stopped(boosters, ladder.knots, (later, ladder.learnt(outcomes)))
        texts = tuple(trees_text(booster, used) for booster in boosters)
        return TreeQuantilesScorer(ladder, texts, base=base, threads=self._threads), used

    def from_bytes(self, data: bytes) -> TreeQuantilesScorer:
        """Read what ``to_bytes`` wrote."""
        line, _, rest = data.partition(b"\n")
        header = json.loads(line)
        ladder, texts, start = header["ladder"], [], 0
        for size in header["sizes"]:
            texts.append(rest[start : start + size].decode())
            start += size
        return TreeQuantilesScorer(
            Ladder(tuple(ladder["points"]), tuple(ladder["knots"]), ladder["scale"]),
            tuple(texts),
            base=tuple(header["base"]),
            threads=self._threads,
        )

    def _boosters(
        self, matrix: Matrix, numbers: NDArray[np.float64], knots: tuple[float, ...]
    ) -> list[lightgbm.Booster]:
        """Make a booster without trees for each knot; all of them share the bins."""
        import lightgbm

        settings = {**SETTINGS, "num_threads": self._threads, "seed": 0}
        settings["bin_construct_sample_cnt"] = max(len(numbers), 1)
        categories = [index for index, count in enumerate(matrix.categories) if count]
        data = lightgbm.Dataset(matrix.values, numbers, categorical_feature=categories, params=settings)
        return [
            lightgbm.Booster({**settings, "objective": "quantile", "alpha": knot}, data) for knot in knots
        ]

    def _stopped(
        self,
        boosters: Sequence[lightgbm.Booster],
        knots: tuple[float, ...],
        stop: tuple[Matrix, NDArray[np.float64]],
    ) -> int:
        """Grow all boosters round by round, and give the round with the least loss on the later slice."""
        import lightgbm

        later, numbers = stop
        data = boosters[0].train_set
        valid = lightgbm.Dataset(later.values, numbers, reference=data, params=data.get_params())
        for booster in boosters:
            booster.add_valid(valid, "stop")
        best, least = 0, np.inf
        for number in range(1, MOST_ROUNDS + 1):
            loss = 0.0
            for booster, knot in zip(boosters, knots, strict=True):
                booster.update()
                loss += _stop_loss(booster, numbers, knot)
            if loss < least:
                best, least = number, loss
            elif number - best >= PATIENCE:
                break
        return best


def _stop_loss(booster: lightgbm.Booster, numbers: NDArray[np.float64], knot: float) -> float:
    """Give the quantile loss, summed by NumPy: LightGBM's own is summed thread by thread."""

    def loss(scores: NDArray[np.float64], _: object) -> tuple[str, float, bool]:
        miss = numbers - scores
        return "quantile loss", float(np.mean(np.maximum(knot * miss, (knot - 1) * miss))), False

    (found,) = booster.eval_valid(loss)
    return float(found[2])
