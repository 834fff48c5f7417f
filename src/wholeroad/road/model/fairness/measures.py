"""The measures of decisions by group, all from one tally of the cases for each grouping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.ratios import Floats, Ratios, ratios, tally
from wholeroad.road.model.fairness.assessed import Assessed
from wholeroad.road.model.fairness.results import Unit

_KINDS: Final = np.arange(24)
"""A case is of one kind: whether its money is known, whether it has a probability, what came true
(unknown, no, yes), and whether it was selected."""
_SELECTED: Final = _KINDS % 2 == 1
_OUTCOME: Final = _KINDS // 2 % 3 - 1
_FORETOLD: Final = _KINDS // 6 % 2 == 1
_VALUED: Final = _KINDS // 12 == 1

_SETTLED: Final = _OUTCOME >= 0
_CAME_TRUE: Final = _OUTCOME == 1
_CAME_OTHERWISE: Final = _OUTCOME == 0
_EVERY: Final = np.ones(24, dtype=np.bool_)
_NONE: Final = ~_EVERY

Kinds = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Measure:
    """A mean over some of the cases.

    Attributes
    ----------
    over
        Shape (24,): the kinds of cases that it is a mean over.
    counts
        Shape (24,): which of these it counts; none where it sums a column.
    of
        The column that it sums; empty for a share.
    less
        Shape (24,): which of them take 1 away from the sum.
    """

    over: Kinds
    counts: Kinds = field(default_factory=lambda: _NONE)
    of: str = ""
    less: Kinds = field(default_factory=lambda: _NONE)
    unit: Unit = "share"

    @property
    def share(self) -> bool:
        """Whether it counts cases, and no more."""
        return not self.of

    def ratios(self, sums: Mapping[str, Floats]) -> Ratios:
        """Give the measure of each group from sums of shape (B, G, 24)."""
        counted = self.over & self.counts if self.share else self.over
        top = sums[self.of] @ counted.astype(np.float64)
        if self.less.any():
            top -= sums[""] @ (self.over & self.less).astype(np.float64)
        bottom = sums[""] @ self.over.astype(np.float64)
        return ratios(np.ascontiguousarray(top.T), np.ascontiguousarray(bottom.T), share=self.share)


MEASURES: Final[Mapping[str, Measure]] = MappingProxyType(
    {
        "selection_rate": Measure(_EVERY, _SELECTED),
        "base_rate": Measure(_SETTLED, _CAME_TRUE),
        "true_positive_rate": Measure(_CAME_TRUE, _SELECTED),
        "false_positive_rate": Measure(_CAME_OTHERWISE, _SELECTED),
        "true_negative_rate": Measure(_CAME_OTHERWISE, ~_SELECTED),
        "false_negative_rate": Measure(_CAME_TRUE, ~_SELECTED),
        "precision": Measure(_SETTLED & _SELECTED, _CAME_TRUE),
        "accuracy": Measure(_SETTLED, _CAME_TRUE == _SELECTED),
        "mean_prediction": Measure(_FORETOLD, of="probability"),
        "calibration_gap": Measure(_FORETOLD & _SETTLED, of="probability", less=_CAME_TRUE),
        "brier": Measure(_FORETOLD & _SETTLED, of="squared"),
        "money_per_case": Measure(_VALUED, of="money", unit="money"),
        "gain_per_case": Measure(_VALUED, of="gain", unit="money"),
        "regret_per_case": Measure(_VALUED, of="regret", unit="money"),
    }
)
"""By name, in the order in which they are shown, each in words in
:mod:`~wholeroad.road.model.fairness.definitions`. ``equalized_odds`` is no measure of one group: it
compares two."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One grouping, and each measure of its groups; those that no case tells are left out."""

    grouping: Grouping
    ratios: Mapping[str, Ratios]


def measured(
    assessed: Assessed, groups: Sequence[Grouping], *, blocks: NDArray[np.int64]
) -> tuple[Measured, ...]:
    """Measure decisions by each grouping.

    Parameters
    ----------
    blocks
        Shape (n,): the block of time of each case, as :func:`~wholeroad.road.model.rules.blocks_of` gives it.
    """
    kind = _kinds(assessed)
    columns = {
        "": None,
        "probability": assessed.probability,
        "square": assessed.probability * assessed.probability,
        "money": assessed.money,
        "status_quo": assessed.status_quo_money,
        "best": assessed.best_money,
    }
    found = []
    for grouping in groups:
        count = len(grouping.values)
        cells = grouping.codes * np.int32(_KINDS.size)
        cells += kind
        with np.errstate(invalid="ignore"):
            told = tally(cells, blocks, groups=count * _KINDS.size, columns=columns)
        sums = _sums({name: total.T.reshape(-1, count, _KINDS.size) for name, total in told.items()})
        made = {name: measure.ratios(sums) for name, measure in MEASURES.items()}
        found.append(Measured(grouping, {name: each for name, each in made.items() if each.cases.any()}))
    return tuple(found)


def _kinds(assessed: Assessed) -> NDArray[np.int8]:
    """Give the kind of each case, shape (n,)."""
    valued = np.isfinite(assessed.money)
    valued &= np.isfinite(assessed.status_quo_money)
    valued &= np.isfinite(assessed.best_money)
    kind = (assessed.positive + np.int8(1)) * np.int8(2)
    kind += assessed.selected
    kind += np.isfinite(assessed.probability) * np.int8(6)
    kind += valued * np.int8(12)
    return kind


def _sums(told: Mapping[str, Floats]) -> dict[str, Floats]:
    """Give what measures sum. Cases of which a column tells nothing have kinds of their own: 0 there."""
    count = told[""]
    foretold, square = (np.where(_FORETOLD, told[name], 0.0) for name in ("probability", "square"))
    money, status_quo, best = (np.where(_VALUED, told[name], 0.0) for name in ("money", "status_quo", "best"))
    return {
        "": count,
        "probability": foretold,
        "squared": square - (2 * foretold - count) * _CAME_TRUE,
        "money": money,
        "gain": money - status_quo,
        "regret": best - money,
    }
