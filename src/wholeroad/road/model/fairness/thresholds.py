"""Thresholds of groups: how much more or less the selected actions have to bring, the same every time.

Decisions of most money under a constraint on rates by group are thresholds on expected gain: the
constraint's multiplier is added as it is for selection, times the probability for the true positive rate,
times its complement for the false positive rate (Corbett-Davies, Pierson, Feller, Goel, Huq 2017,
*Algorithmic decision making and the cost of fairness*, KDD, section 3; Hardt, Price, Srebro 2016, *Equality
of opportunity in supervised learning*, NeurIPS, section 4). That holds when values differ from case to case,
too. Nothing is drawn by chance: where a rate can't be met exactly, it is missed by a little, and the same
case always gets the same decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.road.data.bias.groups import BETWEEN, MISSING, OTHER

Offset = tuple[float, float, float]
"""``flat``, ``on_positive``, ``on_negative``, in money."""

NO_OFFSET: Offset = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class GroupThresholds:
    """Offsets on the expected money of the selected actions, by value of a group.

    Attributes
    ----------
    grouping
        Its name.
    parts
        The group columns that make it: several of an intersection.
    offsets
        By value; values without one take that of :data:`~wholeroad.road.data.bias.groups.OTHER`, or none.
    """

    grouping: str
    parts: tuple[str, ...]
    offsets: Mapping[str, Offset]

    def texts(self, groups: pl.DataFrame | None) -> pl.Series:
        """Give each case's value as a text, from the group columns.

        Raises
        ------
        UserError
            ``fairness.group-gone``.
        """
        if groups is None or not set(self.parts) <= set(groups.columns):
            raise UserError(
                "fairness.group-gone",
                "The model in charge decides by a group that the brief doesn't name any more",
                happened=f"it has thresholds of {self.grouping}, and [fairness.groups] has no "
                f"{', '.join(part for part in self.parts if groups is None or part not in groups.columns)}",
                expected="every group that a model in charge has thresholds of",
                fix="put the group back until a fit without these thresholds is in charge",
            )
        texts = [groups[part].cast(pl.String).fill_null(MISSING) for part in self.parts]
        if len(texts) == 1:
            return texts[0]
        return groups.select(pl.concat_str(texts, separator=BETWEEN)).to_series()

    def adjust(
        self,
        expected: NDArray[np.float64],
        probabilities: NDArray[np.float64],
        *,
        texts: pl.Series,
        selected: tuple[int, ...],
        positive: int | None,
    ) -> NDArray[np.float64]:
        """Add each case's offset to the expected money of the selected actions, shape (n, A).

        A row depends on itself alone: one case gives the same bits as many.

        Parameters
        ----------
        expected
            Shape (n, A), money.
        probabilities
            Shape (n, K), of which column ``positive`` is asked.
        texts
            Shape (n,): the value of the group.
        selected
            Codes of the actions that count as being selected.
        positive
            Code of the positive class; None where there is none: then only ``flat`` counts.

        Examples
        --------
        >>> more = GroupThresholds("depot", ("depot",), {"north": (2.0, 10.0, 0.0)})
        >>> expected, p = np.array([[-3.0, 0.0], [-3.0, 0.0]]), np.array([[0.25, 0.75], [0.25, 0.75]])
        >>> more.adjust(expected, p, texts=pl.Series(["north", "south"]), selected=(0,), positive=0)
        array([[ 1.5,  0. ],
               [-3. ,  0. ]])
        """
        values = list(self.offsets)
        table = np.array([*self.offsets.values(), self.offsets.get(OTHER, NO_OFFSET)])
        codes = texts.replace_strict(
            {value: place for place, value in enumerate(values)}, default=len(values), return_dtype=pl.Int32
        ).to_numpy()
        flat, on_positive, on_negative = table[codes].T
        offset = flat.copy()
        if positive is not None:
            p = probabilities[:, positive]
            offset += on_positive * p + on_negative * (1 - p)
        adjusted = expected.copy()
        for action in selected:
            adjusted[:, action] += offset
        return adjusted

    def to_data(self) -> dict[str, Any]:
        """Give the thresholds as plain data for JSON."""
        return {"grouping": self.grouping, "parts": self.parts, "offsets": dict(self.offsets)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> GroupThresholds:
        """Read what ``to_data`` wrote."""
        offsets = {value: (flat, pos, neg) for value, (flat, pos, neg) in data["offsets"].items()}
        return cls(data["grouping"], tuple(data["parts"]), offsets)
