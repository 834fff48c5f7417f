"""What the road asks of the outside: a clock, a ledger, tables, blobs, learners.

Each port has a real implementation on disk and one in memory (``adapters/``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant


class Clock(Protocol):
    """Tells the time, to the engine only."""

    def now(self) -> Instant:
        """Give the present instant."""


class Ledger(Protocol):
    """The append-only log of facts; state is its fold."""

    def append(self, facts: Sequence[Fact]) -> None:
        """Append all of the facts, durably, or none."""

    def read(self, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """Give ``(seq, fact)`` in order, from the first ``seq`` greater than ``after``; seq starts at 1."""


class Tables(Protocol):
    """Append-only columnar tables, each append exactly once."""

    def append(self, table: str, frame: pl.DataFrame, *, writer: str, version: int) -> bool:
        """Append a frame once.

        Parameters
        ----------
        table
            Its name, such as ``source_flights``; made by the first append.
        frame
            Rows; the schema must equal the table's.
        writer, version
            Identify the append: one with this writer and a version at or below the newest
            committed one is already there and is left out.

        Returns
        -------
        bool
            Whether rows were written.
        """

    def version(self, table: str, writer: str) -> int | None:
        """Give the newest committed version of a writer, or None."""

    def exists(self, table: str) -> bool:
        """Tell whether the table has been made."""

    def schema(self, table: str) -> pl.Schema:
        """Give the names and types of a table's columns."""

    def read(self, table: str, columns: Sequence[str] | None = None, *, skip: int = 0) -> pl.DataFrame:
        """Read a table, rows in the order of their appends, but for so many at its beginning."""


class Blobs(Protocol):
    """Bytes under a digest: models and cuts by content, results by the content of their inputs."""

    def get(self, kind: str, key: str) -> bytes | None:
        """Give the bytes, or None."""

    def put(self, kind: str, key: str, *, data: bytes) -> None:
        """Keep the bytes; whole or not at all. The same key twice is one blob."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Encoded features, what learners see.

    Attributes
    ----------
    values
        Shape (n, p), float64, Fortran order; NaN is null. A categorical column holds codes
        ``0 .. k-1``; code ``k`` of a column with ``k`` categories is "unseen".
    names
        p names.
    categories
        For each column the number of categories known to the encoder, 0 for a number.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    categories: tuple[int, ...]


Stop = tuple[Matrix, NDArray[np.int8]] | tuple[Matrix, NDArray[np.int8], NDArray[np.float64]]
"""A later slice to stop on: features, truth and, where rows weigh differently, the weight of each."""


class Scorer(Protocol):
    """A fitted model: pure arithmetic from features to probabilities."""

    def probabilities(self, matrix: Matrix) -> NDArray[np.float64]:
        """Give shape (n, classes); a row's result doesn't depend on the other rows, to the last bit."""

    def to_bytes(self) -> bytes:
        """Give the model as plain data (text, JSON, arrays); the same model gives the same bytes."""


class Learner(Protocol):
    """Makes scorers. Deterministic for the same data, settings and wheels, whatever the threads."""

    name: str
    complexity: int
    """Rank for the choice of the simplest: 0 is the status quo, 1 a constant, higher is more complex."""

    def fit(
        self,
        matrix: Matrix,
        truth: NDArray[np.int8],
        *,
        classes: int,
        stop: Stop | None = None,
        rounds: int | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> tuple[Scorer, int | None]:
        """Fit.

        Parameters
        ----------
        matrix, truth
            The training slice; truth holds class codes ``0 .. classes-1``, each may be missing.
        stop
            A later slice to stop on, for learners that work in rounds; by weights of its own, where it has
            some.
        rounds
            The number of rounds to use instead of stopping (the refit on everything matured).
        weights
            Shape (n,): how much each row counts, not negative, of mean 1; None counts all alike. Only their
            ratios matter, and a row that weighs 0 is as though it weren't there. A learner from outside may
            do without this argument: it is left out where nothing weighs differently, and elsewhere the
            learner is handed rows drawn by their weights.

        Returns
        -------
        scorer, rounds
            The rounds used, None for a learner without rounds.
        """

    def from_bytes(self, data: bytes) -> Scorer:
        """Read what ``to_bytes`` wrote."""


@runtime_checkable
class QuantileScorer(Protocol):
    """A fitted model of a number: pure arithmetic from features to its quantiles."""

    def quantiles(self, matrix: Matrix) -> NDArray[np.float64]:
        """Give shape (n, points), not falling along a row; see :meth:`Scorer.probabilities`."""

    def to_bytes(self) -> bytes:
        """Give the model as plain data; see :meth:`Scorer.to_bytes`."""


@runtime_checkable
class QuantileLearner(Protocol):
    """Makes scorers of quantiles, for outcomes that are numbers; promises what :class:`Learner` does."""

    name: str
    complexity: int

    def fit_quantiles(
        self,
        matrix: Matrix,
        outcome: NDArray[np.float64],
        *,
        points: Sequence[float],
        stop: tuple[Matrix, NDArray[np.float64]] | None = None,
        rounds: int | None = None,
    ) -> tuple[QuantileScorer, int | None]:
        """Fit.

        Parameters
        ----------
        matrix, outcome
            The training slice; the outcome is finite.
        points
            The probabilities of the quantiles, ascending, in (0, 1).
        stop, rounds
            See :meth:`Learner.fit`.
        """

    def from_bytes(self, data: bytes) -> QuantileScorer:
        """Read what ``to_bytes`` wrote."""


AnyLearner = Learner | QuantileLearner
"""A learner of classes, or of a number."""

Progress = Callable[[str, float, float], None]
"""Told ``(stage, done, total)``; called often, must be cheap."""

Settings = Mapping[str, str | int | float | bool]


class HotLog(Protocol):
    """What is acknowledged before it is in the tables: records, each durable when ``append`` returns."""

    def append(self, record: bytes) -> int:
        """Keep a record, flushed to the disk, and give its number; numbers go up by one."""

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Give ``(number, record)`` in order, from the first number greater than ``after``."""

    def prune(self, through: int) -> None:
        """Let go of the records up to a number: they are in the tables."""


class Scratch(Protocol):
    """A place beside memory for what can be made again; gone when the process ends."""

    def get(self, key: bytes) -> bytes | None:
        """Give the bytes, or None."""

    def put(self, key: bytes, data: bytes) -> None:
        """Keep the bytes, instead of those that were there."""

    def delete(self, key: bytes) -> None:
        """Let go of them."""


class ScratchFile(Protocol):
    """Bytes beside memory that can be made again, one after another; gone when nobody has it any more."""

    def append(self, data: bytes) -> int:
        """Keep the bytes after all others, and give where they begin."""

    def read(self, start: int, count: int) -> bytes:
        """Give so many bytes from there on; all of them were kept."""

    def soon(self, work: Callable[[], None]) -> None:
        """Do work that keeps bytes here, beside everything else and after what was asked before."""
