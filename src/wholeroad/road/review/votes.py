"""Who said what about which item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.view import Codes

MISSING = -1
"""Code of an item that somebody didn't judge."""


@dataclass(frozen=True, slots=True)
class Votes:
    """Verdicts of several people, as codes; one person may judge an item several times.

    Attributes
    ----------
    item, person, code
        Shape (v,): one entry for each verdict.
    items, people, classes
        Their numbers.
    """

    item: NDArray[np.int64]
    person: NDArray[np.int64]
    code: NDArray[np.int64]
    items: int
    people: int
    classes: int

    @classmethod
    def of_matrix(cls, matrix: Codes, classes: int) -> Votes:
        """Read shape (items, people) of codes, :data:`MISSING` where nobody judged.

        Examples
        --------
        >>> import numpy as np
        >>> Votes.of_matrix(np.array([[0, 1], [-1, 1]]), 2).item.tolist()
        [0, 0, 1]
        """
        item, person = np.nonzero(np.asarray(matrix) >= 0)
        code = np.asarray(matrix)[item, person].astype(np.int64)
        return cls(item, person, code, matrix.shape[0], matrix.shape[1], classes)

    @classmethod
    def of_frame(cls, frame: pl.DataFrame, classes: Sequence[str]) -> tuple[Votes, list[str], list[str]]:
        """Read ``item, by, verdict``; verdicts that are no class are left out.

        Returns
        -------
        votes, items, people
            And the names behind the places of items and people, in order of the alphabet.
        """
        told = frame.filter(pl.col("verdict").is_in(list(classes)))
        items, people = (sorted(told[name].unique()) for name in ("item", "by"))
        votes = cls(
            _codes(told["item"], items),
            _codes(told["by"], people),
            _codes(told["verdict"], list(classes)),
            len(items),
            len(people),
            len(classes),
        )
        return votes, items, people

    def matrix(self) -> NDArray[np.int64]:
        """Give shape (items, people); of several verdicts by one person the last stands."""
        matrix = np.full((self.items, self.people), MISSING, dtype=np.int64)
        matrix[self.item, self.person] = self.code
        return matrix

    def counts(self) -> NDArray[np.int64]:
        """Give shape (items, classes): how many verdicts there are for each class."""
        cells = self.item * self.classes + self.code
        return np.bincount(cells, minlength=self.items * self.classes).reshape(self.items, self.classes)


def _codes(column: pl.Series, names: list[str]) -> NDArray[np.int64]:
    places = {name: place for place, name in enumerate(names)}
    if not len(column):  # nothing to look up, and then Polars keeps the column's own type
        return np.zeros(0, dtype=np.int64)
    return column.replace_strict(places, return_dtype=pl.Int64).to_numpy()
