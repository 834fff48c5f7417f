"""A rule of one feature as a value, and as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.model.scoring import Model

_MOST_NAMES: Final = 12
"""Categories that a sentence lists; more are counted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A question about one column, with two answers.

    Attributes
    ----------
    column
        Place of the column in the matrix.
    threshold, low, high
        The rule holds where the number is greater than ``threshold``; the ends are those of its 95 %
        interval. None for a category.
    codes
        The rule holds for these categories; empty for a number.
    unsure
        Categories that stood on the other side in more than a twentieth of the resamples.
    """

    column: int
    threshold: float | None = None
    low: float | None = None
    high: float | None = None
    codes: tuple[int, ...] = ()
    unsure: tuple[int, ...] = ()


@runtime_checkable
class RuleScorer(Protocol):
    """A scorer that can say what it does in one sentence."""

    @property
    def rule(self) -> Rule | None:
        """The rule; None where no feature tells anything."""

    @property
    def answers(self) -> NDArray[np.float64]:
        """Probabilities, shape (4, classes): where the rule doesn't hold, holds, is null, is new."""


def rule_in_words(model: Model) -> str | None:
    """Say a model of one rule in a sentence, with the calibrated probabilities; None for other models.

    Examples
    --------
    A card says "wind > 21.5 (95 % interval 19 to 24): late 34.0%, on_time 66.0%; otherwise ...".
    """
    if not isinstance(model.scorer, RuleScorer):
        return None
    otherwise, holds, null, _ = (
        _shares(model.classes, row) for row in model.calibration.apply(model.scorer.answers)
    )
    rule = model.scorer.rule
    if rule is None:
        return f"no feature tells more than chance would: {otherwise} for every case"
    column = model.encoder.columns[rule.column]
    known = column.categories
    if rule.threshold is None:
        said = f"{column.name} is {_listed([_name(known, code) for code in rule.codes])}"
        if rule.unsure:
            said += f" (unsure of {_listed([_name(known, code) for code in rule.unsure])})"
    elif column.kind == "boolean":
        said = f"{column.name} is true"
    else:
        said = f"{column.name} > {rule.threshold:g} (95 % interval {rule.low:g} to {rule.high:g})"
    return f"{said}: {holds}; otherwise: {otherwise}; where {column.name} isn't known: {null}"


def _shares(classes: Sequence[str], row: NDArray[np.float64]) -> str:
    return ", ".join(f"{name} {share:.1%}" for name, share in zip(classes, row, strict=True))


def _name(known: Sequence[str], code: int) -> str:
    return known[code] if code < len(known) else "any other"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" or {more} more" if more > 0 else "")
