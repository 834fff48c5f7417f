"""Classifiers of scikit-learn, and whatever behaves as they do, as learners."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners.columns import Columns
from wholeroad.adapters.learners.frequencies import Seen, seen, smoothed
from wholeroad.adapters.learners.row_blocks import apart, score
from wholeroad.adapters.learners.skops_bytes import from_bytes, to_bytes
from wholeroad.adapters.learners.weighted_rows import drawn, weight_argument, weighted
from wholeroad.adapters.settings import Settings
from wholeroad.core.errors import RoadError, UserError
from wholeroad.core.ids import digest
from wholeroad.core.ports import Matrix, Stop

COMPLEXITY: Final = 5
"""Of a learner from outside, unless it says another: above every one that ships."""
SEED: Final = 0
"""Where an estimator would draw another seed each time."""
LARGEST: Final = 1e30
"""Greater numbers are held there: every float32 holds it, and its square."""
_SUM: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands around an estimator.

    Attributes
    ----------
    known
        The classes that the training rows showed.
    base
        Their frequencies, for use without an estimator.
    columns
        Those that had a value in the training rows; the estimator sees these alone.
    alone
        Whether rows are handed over one at a time.
    """

    known: Seen
    base: tuple[float, ...]
    columns: tuple[int, ...] = ()
    alone: bool = False


class ScikitScorer:
    """A fitted estimator, or without one the frequencies of the classes.

    Parameters
    ----------
    name
        Of its learner, for messages.
    written
        The estimator as skops bytes; empty without one.
    """

    def __init__(self, name: str, shape: Shape, *, estimator: Any, written: bytes) -> None:  # noqa: ANN401
        self._name = name
        self._shape = shape
        self._estimator = estimator
        self._written = written

    def probabilities(self, matrix: Matrix) -> NDArray[np.float64]:
        """Give shape (n, classes), each row on its own."""
        shape, rows = self._shape, len(matrix.values)
        if self._estimator is None or not rows:
            return shape.known.spread(np.tile(np.array(shape.base), (rows, 1)))
        with _calm(self._name, "scored", self._threads):
            given = score(self.predict, handed(matrix)[:, list(shape.columns)], alone=shape.alone)
        return shape.known.spread(given)

    @cached_property
    def _threads(self) -> Any:  # noqa: ANN401 - it carries no types
        """Hold on to the thread pools that are loaded: looking for them takes a millisecond."""
        from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

        return ThreadpoolController()

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Ask the estimator for probabilities, (n, p) to (n, present), and hold it to what those are."""
        raw = np.asarray(self._estimator.predict_proba(values), dtype=np.float64)
        if raw.shape != (len(values), len(self._shape.known.present)):
            raise _failed(self._name, "scored", f"predict_proba gave shape {raw.shape}")
        columns = [np.maximum(raw[:, index], 0.0) for index in range(raw.shape[1])]
        # Class by class: a sum over an axis may take another order for more rows.
        total = np.zeros(len(raw))
        for column in columns:
            total += column
        if not (raw.min() >= -_SUM and np.abs(total - 1.0).max() <= _SUM):
            raise _failed(self._name, "scored", "predict_proba gave numbers that are no probabilities")
        return np.column_stack([column / total for column in columns])

    def to_bytes(self) -> bytes:
        """Give a line of JSON, then what skops wrote."""
        known = self._shape.known
        header = {
            "classes": known.classes,
            "present": known.present,
            "floor": known.floor,
            "base": self._shape.base,
            "columns": self._shape.columns,
            "alone": self._shape.alone,
        }
        return json.dumps(header, separators=(",", ":")).encode() + b"\n" + self._written


class ScikitLearner:
    """A classifier with ``predict_proba``, alone or at the end of a pipeline.

    It sees what :func:`handed` gives, without names, of the columns that have a value; ``y`` is
    ``0 .. k-1`` over the classes that there are. It runs on one thread (``n_jobs`` is set to 1), and a
    ``random_state`` that is None becomes :data:`SEED`. It has no rounds and stops on nothing. Weights
    go to its ``sample_weight``, in a pipeline to that of the last step. An estimator without one is fitted
    on rows drawn by their weights, and what it splits off for itself may then hold a row that it has learnt
    from.

    Parameters
    ----------
    name
        As ``[model] candidates`` has it.
    estimator
        Not fitted; it is cloned for each fit.
    settings
        What the user trusts.
    """

    def __init__(self, name: str, estimator: Any, *, settings: Settings) -> None:  # noqa: ANN401 - of others
        self.name = name
        said = getattr(estimator, "complexity", None)
        self.complexity = said if isinstance(said, int) and said > 0 else COMPLEXITY
        self._estimator = estimator
        self._settings = settings

    @cached_property
    def identity(self) -> str:
        """Name the settings of the estimator and the versions that wrote them."""
        return digest(to_bytes(prepared(self._estimator)))

    @cached_property
    def _argument(self) -> str | None:
        return weight_argument(self._estimator)

    @property
    def resamples(self) -> bool:
        """Whether its estimator takes no weights, so that it is fitted on rows drawn by them."""
        return self._argument is None

    def kinds(self) -> set[type]:
        """Give the classes of the estimator and of what it is made of."""
        values = [self._estimator, *self._estimator.get_params(deep=True).values()]
        return {type(value) for value in values}

    def fit(
        self,
        matrix: Matrix,
        truth: NDArray[np.int8],
        *,
        classes: int,
        stop: Stop | None = None,
        rounds: int | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> tuple[ScikitScorer, None]:
        """Fit; see :class:`wholeroad.core.ports.Learner`.

        Raises
        ------
        UserError
            ``model.learner-failed``: the estimator refused the data; ``model.not-kept``;
            ``model.untrusted``: found here, so that nothing is kept that couldn't be loaded.
        """
        del stop, rounds
        argument = None if weights is None else self._argument
        if weights is not None and argument is None:
            matrix, truth = drawn(matrix, truth, weights=weights)
            weights = None
        matrix, truth, weights = weighted(matrix, truth, weights=weights)
        known = seen(truth, classes, weights=weights)
        codes = known.recode(truth)
        base = smoothed(codes.astype(np.int8), len(known.present), weights=weights)
        values = handed(matrix)
        columns = np.flatnonzero(~np.isnan(values).all(axis=0))
        if len(known.present) < 2 or not columns.size:
            return ScikitScorer(self.name, Shape(known, base), estimator=None, written=b""), None
        values = np.ascontiguousarray(values[:, columns])
        category = np.array(matrix.categories)[columns] > 0
        with _calm(self.name, "fitted"):
            weighing = {} if weights is None or argument is None else {argument: weights}
            estimator = prepared(self._estimator).fit(Columns(values, category), codes, **weighing)
        # A search also keeps how long it took, which is never the same.
        written = to_bytes(getattr(estimator, "best_estimator_", estimator))
        shape = Shape(known, base, tuple(columns.tolist()))
        # What will be read back is what is used from the start.
        whole = self._scorer(shape, written)
        with _calm(self.name, "scored"):
            alone = not apart(whole.predict, values)
        return whole if not alone else self._scorer(Shape(known, base, shape.columns, alone), written), None

    def from_bytes(self, data: bytes) -> ScikitScorer:
        """Read what ``to_bytes`` wrote.

        Raises
        ------
        UserError
            ``model.untrusted``, ``model.not-kept``.
        """
        line, _, written = data.partition(b"\n")
        header = json.loads(line)
        known = Seen(header["classes"], tuple(header["present"]), header["floor"])
        shape = Shape(known, tuple(header["base"]), tuple(header["columns"]), header["alone"])
        return self._scorer(shape, written)

    def _scorer(self, shape: Shape, written: bytes) -> ScikitScorer:
        estimator = None
        if written:
            settings = self._settings
            estimator = from_bytes(written, trusted=settings.trusted, settings=settings.path)
        return ScikitScorer(self.name, shape, estimator=estimator, written=written)


def handed(matrix: Matrix) -> NDArray[np.float64]:
    """Give what an estimator sees, (n, p): NaN for null, codes for categories.

    An infinity is null, as it is to the encoder, and numbers are held within ±:data:`LARGEST`.
    """
    values = np.where(np.isinf(matrix.values), np.nan, matrix.values)
    clipped: NDArray[np.float64] = np.clip(values, -LARGEST, LARGEST)
    return clipped


def prepared(estimator: Any) -> Any:  # noqa: ANN401 - of others
    """Clone an estimator, with a seed where it has none, and one thread."""
    from sklearn.base import clone

    fresh = clone(estimator)
    changed: dict[str, Any] = {}
    for name, value in fresh.get_params(deep=True).items():
        match name.rpartition("__")[2]:
            case "random_state" if value is None:
                changed[name] = SEED
            case "n_jobs":
                changed[name] = 1
            case _ if not hasattr(value, "get_params") and getattr(value, "random_state", 0) is None:
                value.random_state = SEED  # such as a splitter, copied by the clone
    return fresh.set_params(**changed)


@contextmanager
def _calm(name: str, doing: str, threads: Any = None) -> Iterator[None]:  # noqa: ANN401
    """Run code of others on one thread, without its warnings, and blame it for its errors."""
    from threadpoolctl import threadpool_limits

    one = threadpool_limits(limits=1) if threads is None else threads.limit(limits=1)
    with one, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except RoadError:
            raise
        except Exception as error:  # whatever code of others raises
            raise _failed(name, doing, f"{type(error).__name__}: {error}") from error


def _failed(name: str, doing: str, happened: str) -> UserError:
    return UserError(
        "model.learner-failed",
        f"The learner {name} failed while it {'was fitted' if doing == 'fitted' else doing}",
        happened=happened,
        expected="a classifier that takes NaN for null and codes for categories, and gives probabilities",
        fix="put what it needs before it, as an imputer; wholeroad.testing.learner_suite tests the rest",
    )
