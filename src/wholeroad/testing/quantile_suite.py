"""What every learner of quantiles promises, as tests to inherit; see ``learner_suite.py``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.ports import Matrix, QuantileLearner, QuantileScorer
from wholeroad.testing.learner_suite import rows_of, sample

POINTS: Final = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)


def numbers(rows: int, *, seed: int = 0, shift: float = 0.0) -> tuple[Matrix, NDArray[np.float64]]:
    """Make a matrix with everything a learner meets, and a number that depends on it."""
    matrix, codes = sample(rows, 60, seed=seed)
    return matrix, codes.astype(np.float64) + shift


def _require(holds: object, law: str) -> None:
    if not holds:
        raise AssertionError(law)


class QuantileSuite(ABC):
    """The contract of :class:`wholeroad.core.ports.QuantileLearner`."""

    @abstractmethod
    def learner(self, *, threads: int) -> QuantileLearner:
        """Give the learner under test."""

    def fitted(
        self, *, rows: int = 600, threads: int = 1, shift: float = 0.0
    ) -> tuple[QuantileScorer, int | None, Matrix]:
        """Fit on two thirds of a sample, stopping on the rest."""
        matrix, outcome = numbers(rows, shift=shift)
        cut = rows * 2 // 3
        later = (rows_of(matrix, slice(cut, rows)), outcome[cut:])
        scorer, rounds = self.learner(threads=threads).fit_quantiles(
            rows_of(matrix, slice(cut)), outcome[:cut], points=POINTS, stop=later
        )
        return scorer, rounds, matrix

    def test_quantiles_are_finite_and_do_not_cross(self) -> None:
        """For numbers above zero, and for any."""
        for shift in (0.0, -30.0):
            scorer, _, matrix = self.fitted(shift=shift)
            _well_formed(scorer.quantiles(matrix), len(matrix.values))

    def test_about_the_promised_share_lies_below_a_quantile(self) -> None:
        """On the rows that were learnt from, on average over them."""
        matrix, outcome = numbers(900)
        scorer, _ = self.learner(threads=1).fit_quantiles(matrix, outcome, points=POINTS, rounds=30)
        found = scorer.quantiles(matrix)
        for column, point in enumerate(POINTS):
            below = float((outcome <= found[:, column] + 0.5).mean())
            _require(abs(below - point) < 0.12, "a quantile is one")

    def test_one_row_equals_bulk_to_the_last_bit(self) -> None:
        """A row's result doesn't depend on the other rows."""
        scorer, _, matrix = self.fitted()
        bulk = scorer.quantiles(matrix)
        for start, size in ((0, 1), (17, 1), (5, 3), (64, 129), (599, 1)):
            part = scorer.quantiles(rows_of(matrix, slice(start, start + size)))
            _require(np.array_equal(part, bulk[start : start + size]), "some rows equal all rows")

    def test_bytes_read_back_to_the_same_model(self) -> None:
        """The same bytes again, and the same quantiles to the last bit."""
        scorer, _, matrix = self.fitted()
        data = scorer.to_bytes()
        again = self.learner(threads=1).from_bytes(data)
        _require(again.to_bytes() == data, "what is read writes the same bytes")
        _require(np.array_equal(again.quantiles(matrix), scorer.quantiles(matrix)), "and says the same")

    def test_neither_time_nor_threads_change_a_byte(self) -> None:
        """The same data twice, and on another number of threads."""
        first, rounds, _ = self.fitted()
        for threads in (1, 2):
            scorer, again, _ = self.fitted(threads=threads)
            _require(scorer.to_bytes() == first.to_bytes(), "the same fit gives the same bytes")
            _require(again == rounds, "the same fit gives the same rounds")

    def test_few_rows_and_no_columns_do_not_break_a_fit(self) -> None:
        """Nor one number alone, constants, nulls or infinities."""
        matrix, outcome = numbers(40)
        bare = Matrix(np.empty((40, 0), order="F"), (), ())
        tellless = rows_of(matrix, slice(0, 40))
        tellless.values[:, :3] = np.array([1.0, np.nan, np.inf])
        tellless.values[:, 6] = np.where(np.arange(40) % 2, np.inf, -np.inf)
        for features in (matrix, bare, tellless):
            for rows in (1, 2, 3, 40):
                for learned in (outcome[:rows], np.full(rows, 7.0)):
                    scorer, _ = self.learner(threads=1).fit_quantiles(
                        rows_of(features, slice(rows)), learned, points=POINTS
                    )
                    _well_formed(scorer.quantiles(features), 40)

    def test_values_beyond_the_training_range_are_scored(self) -> None:
        """Unseen categories, nulls where none were, infinities and the largest numbers."""
        scorer, _, matrix = self.fitted()
        for value in (np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 0.0):
            strange = rows_of(matrix, slice(0, 50))
            strange.values[:, [0, 1, 2, 4, 5, 6]] = value
            _well_formed(scorer.quantiles(strange), 50)

    def test_rounds_that_were_used_give_the_same_model_again(self) -> None:
        """Stopping at round r is fitting r rounds."""
        matrix, outcome = numbers(600)
        scorer, rounds, _ = self.fitted()
        again, used = self.learner(threads=1).fit_quantiles(
            rows_of(matrix, slice(400)), outcome[:400], points=POINTS, rounds=rounds
        )
        _require(used == rounds, "the rounds asked for are the rounds used")
        _require(np.array_equal(again.quantiles(matrix), scorer.quantiles(matrix)), "r rounds are r rounds")

    def test_inputs_stay_as_they_were(self) -> None:
        """A fit and a score change nothing that they were handed."""
        matrix, outcome = numbers(200)
        before, told = matrix.values.copy(), outcome.copy()
        scorer, _ = self.learner(threads=1).fit_quantiles(matrix, outcome, points=POINTS, rounds=3)
        scorer.quantiles(matrix)
        _require(np.array_equal(matrix.values, before, equal_nan=True), "the matrix stays")
        _require(np.array_equal(outcome, told), "the outcome stays")


def _well_formed(quantiles: NDArray[np.float64], rows: int) -> None:
    _require(quantiles.shape == (rows, len(POINTS)), "one row each, one column per point")
    _require(quantiles.dtype == np.float64, "float64")
    _require(np.isfinite(quantiles).all(), "finite")
    _require((np.diff(quantiles, axis=1) >= 0).all(), "not falling along a row")
