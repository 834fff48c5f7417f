"""What every learner promises, as tests to inherit.

Make a class in a test file, and give it the learner::

    class TestMine(LearnerSuite):
        def learner(self, *, threads: int) -> Learner:
            return Mine(threads=threads)
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.ids import chance
from wholeroad.core.ports import Learner, Matrix, Scorer

CATEGORIES: Final = 7
_EXACT: Final = 1e-12


def sample(rows: int, classes: int, *, seed: int = 0) -> tuple[Matrix, NDArray[np.int8]]:
    """Make a matrix with everything a learner meets, and a truth that depends on it.

    Columns: two numbers (one with nulls), a flag, a category (with nulls and "unseen"), a column
    that is all null, a constant, and a number whose size differs by 200 orders of magnitude.
    """

    def draw(salt: str) -> NDArray[np.float64]:
        return chance(np.arange(rows, dtype=np.uint64), seed=seed, salt=salt)

    number, sparse, flag = draw("number") * 4 - 2, draw("sparse"), (draw("flag") < 0.3).astype(float)
    category = np.floor(draw("category") * (CATEGORIES + 1))
    signal = number + flag + 0.5 * (category == 2) + 2 * draw("noise")
    truth = np.clip((signal + 1.5) / 4.5 * classes, 0, classes - 1).astype(np.int8)
    sparse[draw("null") < 0.2] = np.nan
    category[draw("no category") < 0.1] = np.nan
    wild = number * 10.0 ** np.where(draw("wild") < 0.01, 200, 0)
    columns = [number, sparse, flag, category, np.full(rows, np.nan), np.ones(rows), wild]
    return (
        Matrix(
            values=np.asfortranarray(np.column_stack(columns)),
            names=("number", "sparse", "flag", "category", "null", "constant", "wild"),
            categories=(0, 0, 0, CATEGORIES, 0, 0, 0),
        ),
        truth,
    )


def rows_of(matrix: Matrix, rows: slice | NDArray[np.int64]) -> Matrix:
    """Give some rows of a matrix."""
    return Matrix(np.asfortranarray(matrix.values[rows]), matrix.names, matrix.categories)


def whole_weights(truth: NDArray[np.int8]) -> NDArray[np.float64]:
    """Give weights 0, 1 and 2 of mean 1 that make class 0 rarer: each second row of it goes to another."""
    weights = np.ones(len(truth))
    fewer, more = np.flatnonzero(truth == 0)[::2], np.flatnonzero(truth != 0)
    moved = min(fewer.size, more.size)
    weights[fewer[:moved]] = 0.0
    weights[more[:moved]] = 2.0
    return weights


def _require(holds: object, law: str) -> None:
    if not holds:
        raise AssertionError(law)


class LearnerSuite(ABC):
    """The contract of :class:`wholeroad.core.ports.Learner`."""

    repeated_within: float = 0.5
    """How far whole weights may lead away from repeated rows, as a share of how far these lead from none.

    Of the mean probability of a class. 0 where both are the same fit; above it for learners that also count
    rows, as the fewest of a leaf, that place thresholds without weights, or that draw.
    """

    @abstractmethod
    def learner(self, *, threads: int) -> Learner:
        """Give the learner under test."""

    def takes_weights(self) -> bool:
        """Tell whether ``fit`` takes weights; a learner without is handed rows drawn by them instead."""
        return "weights" in inspect.signature(self.learner(threads=1).fit).parameters

    def fitted(
        self, *, rows: int = 600, classes: int = 2, threads: int = 1
    ) -> tuple[Scorer, int | None, Matrix]:
        """Fit on two thirds of a sample, stopping on the rest."""
        matrix, truth = sample(rows, classes)
        cut = rows * 2 // 3
        scorer, rounds = self.learner(threads=threads).fit(
            rows_of(matrix, slice(cut)),
            truth[:cut],
            classes=classes,
            stop=(rows_of(matrix, slice(cut, rows)), truth[cut:]),
        )
        return scorer, rounds, matrix

    def test_probabilities_are_positive_and_sum_to_one(self) -> None:
        """For two and for more classes."""
        for classes in (2, 3, 4):
            scorer, _, matrix = self.fitted(classes=classes)
            _well_formed(scorer.probabilities(matrix), len(matrix.values), classes)

    def test_one_row_equals_bulk_to_the_last_bit(self) -> None:
        """A row's result doesn't depend on the other rows."""
        for classes in (2, 3):
            scorer, _, matrix = self.fitted(classes=classes)
            bulk = scorer.probabilities(matrix)
            for start, size in ((0, 1), (1, 1), (17, 1), (5, 3), (64, 129), (599, 1)):
                part = scorer.probabilities(rows_of(matrix, slice(start, start + size)))
                _require(np.array_equal(part, bulk[start : start + size]), "some rows equal all rows")

    def test_any_memory_order_gives_the_same_bits(self) -> None:
        """Rows or columns first: the same numbers."""
        scorer, _, matrix = self.fitted()
        other = Matrix(np.ascontiguousarray(matrix.values), matrix.names, matrix.categories)
        _require(
            np.array_equal(scorer.probabilities(matrix), scorer.probabilities(other)), "order is no matter"
        )

    def test_bytes_read_back_to_the_same_model(self) -> None:
        """The same bytes again, and the same probabilities to the last bit."""
        for classes in (2, 3):
            scorer, _, matrix = self.fitted(classes=classes)
            data = scorer.to_bytes()
            again = self.learner(threads=1).from_bytes(data)
            _require(again.to_bytes() == data, "what is read writes the same bytes")
            _require(
                np.array_equal(again.probabilities(matrix), scorer.probabilities(matrix)),
                "what is read scores the same bits",
            )

    def test_neither_time_nor_threads_change_a_byte(self) -> None:
        """The same data twice, and on another number of threads."""
        first, rounds, _ = self.fitted()
        matrix, _ = sample(3000, 2, seed=1)
        for threads in (1, 2):
            scorer, again, _ = self.fitted(threads=threads)
            _require(scorer.to_bytes() == first.to_bytes(), "the same fit gives the same bytes")
            _require(again == rounds, "the same fit gives the same rounds")
            _require(
                np.array_equal(scorer.probabilities(matrix), first.probabilities(matrix)),
                "threads don't change a score",
            )

    def test_names_of_columns_do_not_matter(self) -> None:
        """Not to a byte, whatever characters they hold."""
        matrix, truth = sample(300, 2)
        odd = Matrix(matrix.values, ('{"a": [1]}', "b c", "", "ü", "e,f", "g:h", "i\n"), matrix.categories)
        scorers = [self.learner(threads=1).fit(one, truth, classes=2, rounds=5)[0] for one in (matrix, odd)]
        _require(scorers[0].to_bytes() == scorers[1].to_bytes(), "names are for people")

    def test_missing_classes_are_possible_not_impossible(self) -> None:
        """Any class may be missing from train, from stop, or all but one."""
        matrix, truth = sample(400, 3)
        for missing in range(3):
            learned = np.where(truth == missing, (missing + 1) % 3, truth).astype(np.int8)
            for stop in (truth, np.full_like(truth, missing), learned):
                scorer, _ = self.learner(threads=1).fit(matrix, learned, classes=3, stop=(matrix, stop))
                probabilities = scorer.probabilities(matrix)
                _well_formed(probabilities, 400, 3)
                _require(probabilities[:, missing].max() < 0.05, "a class never seen is unlikely")
            scorer, _ = self.learner(threads=1).fit(matrix, np.full_like(truth, missing), classes=3)
            probabilities = scorer.probabilities(matrix)
            _well_formed(probabilities, 400, 3)
            _require(probabilities[:, missing].min() > 0.9, "the only class seen is likely")

    def test_few_rows_and_no_columns_do_not_break_a_fit(self) -> None:
        """Nor constants, nulls alone, or infinities."""
        matrix, truth = sample(40, 2)
        bare = Matrix(np.empty((40, 0), order="F"), (), ())
        tellless = rows_of(matrix, slice(0, 40))
        tellless.values[:, :3] = np.array([1.0, np.nan, np.inf])
        tellless.values[:, 3] = CATEGORIES
        tellless.values[:, 6] = np.where(np.arange(40) % 2, np.inf, -np.inf)
        for features in (matrix, bare, tellless):
            for rows in (2, 3, 40):
                scorer, _ = self.learner(threads=1).fit(
                    rows_of(features, slice(rows)), truth[:rows], classes=2
                )
                _well_formed(scorer.probabilities(features), 40, 2)

    def test_values_beyond_the_training_range_are_scored(self) -> None:
        """Unseen categories, nulls where none were, infinities and the largest numbers."""
        scorer, _, matrix = self.fitted()
        for value in (np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 0.0):
            strange = rows_of(matrix, slice(0, 50))
            strange.values[:, [0, 1, 2, 4, 5, 6]] = value
            strange.values[:, 3] = np.nan if np.isnan(value) else CATEGORIES
            _well_formed(scorer.probabilities(strange), 50, 2)

    def test_rounds_that_were_used_give_the_same_model_again(self) -> None:
        """Stopping at round r is fitting r rounds."""
        matrix, truth = sample(600, 2)
        scorer, rounds, _ = self.fitted()
        again, used = self.learner(threads=1).fit(
            rows_of(matrix, slice(400)), truth[:400], classes=2, rounds=rounds
        )
        _require(used == rounds, "the rounds asked for are the rounds used")
        _require(
            np.array_equal(again.probabilities(matrix), scorer.probabilities(matrix)),
            "r rounds are r rounds",
        )

    def test_weights_that_are_all_the_same_are_no_weights(self) -> None:
        """To the last byte, on the training rows as on the stop slice."""
        if not self.takes_weights():
            return
        for classes in (2, 3):
            plain, rounds, matrix = self.fitted(classes=classes)
            _, truth = sample(600, classes)
            for weight in (1.0, 0.1):
                scorer, used = self.learner(threads=1).fit(
                    rows_of(matrix, slice(400)),
                    truth[:400],
                    classes=classes,
                    stop=(rows_of(matrix, slice(400, 600)), truth[400:], np.full(200, weight)),
                    weights=np.full(400, weight),
                )
                _require(scorer.to_bytes() == plain.to_bytes(), "equal weights are none")
                _require(used == rounds, "equal weights stop as none do")

    def test_whole_weights_are_repeated_rows(self) -> None:
        """A row of weight 2 counts as two, one of weight 0 as none; see :attr:`repeated_within`."""
        if not self.takes_weights():
            return
        for classes in (2, 3):
            matrix, truth = sample(1200, classes)
            weights = whole_weights(truth)
            again = np.repeat(np.arange(1200), weights.astype(np.int64))
            learner = self.learner(threads=1)
            plain, _ = learner.fit(matrix, truth, classes=classes, rounds=20)
            weighed, _ = learner.fit(matrix, truth, classes=classes, rounds=20, weights=weights)
            repeated, _ = learner.fit(rows_of(matrix, again), truth[again], classes=classes, rounds=20)
            here, there, without = (
                scorer.probabilities(matrix).mean(axis=0) for scorer in (weighed, repeated, plain)
            )
            away, moved = np.abs(here - there).max(), np.abs(there - without).max()
            _require(away <= self.repeated_within * moved + _EXACT, "whole weights are repetitions")

    def test_only_the_ratios_of_weights_matter_and_a_weighted_fit_is_the_same_again(self) -> None:
        """Four times the weights, another number of threads: the same bytes."""
        if not self.takes_weights():
            return
        matrix, truth = sample(600, 2)
        weights = 0.25 + chance(np.arange(600, dtype=np.uint64), seed=0, salt="weights")
        later = rows_of(matrix, slice(400, 600))
        models = set()
        for scale, threads in ((1.0, 1), (4.0, 1), (1.0, 2)):
            scorer, rounds = self.learner(threads=threads).fit(
                rows_of(matrix, slice(400)),
                truth[:400],
                classes=2,
                stop=(later, truth[400:], scale * weights[400:]),
                weights=scale * weights[:400],
            )
            _well_formed(scorer.probabilities(matrix), 600, 2)
            models.add((scorer.to_bytes(), rounds))
        _require(len(models) == 1, "the same ratios give the same model")

    def test_inputs_stay_as_they_were(self) -> None:
        """A fit and a score change nothing that they were handed."""
        matrix, truth = sample(200, 2)
        before, outcomes = matrix.values.copy(), truth.copy()
        scorer, _ = self.learner(threads=1).fit(matrix, truth, classes=2, rounds=3)
        scorer.probabilities(matrix)
        _require(np.array_equal(matrix.values, before, equal_nan=True), "the matrix stays")
        _require(np.array_equal(truth, outcomes), "the truth stays")


def _well_formed(probabilities: NDArray[np.float64], rows: int, classes: int) -> None:
    _require(probabilities.shape == (rows, classes), "one row each, one column per class")
    _require(probabilities.dtype == np.float64, "float64")
    _require(np.isfinite(probabilities).all(), "finite")
    _require((probabilities >= 0).all(), "not below zero")
    _require(np.abs(probabilities.sum(axis=1) - 1).max() < _EXACT, "summing to one")
