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
        """Give the measure of each group from the sums of each column by group, block and kind."""
        over = self.over.astype(np.float64)
        weight = self.over & (self.counts if self.share else _EVERY)
        top = sums[self.of] @ weight.astype(np.float64) - sums[""] @ (self.over & self.less).astype(
            np.float64
        )
        return ratios(top, sums[""] @ over, share=self.share)


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
    kind, columns = _kinds_and_columns(assessed)
    found = []
    for grouping in groups:
        count = len(grouping.values)
        cells = grouping.codes * np.int64(_KINDS.size) + kind
        sums = {
            name: np.moveaxis(total.reshape(count, _KINDS.size, -1), 1, 2)
            for name, total in tally(cells, blocks, groups=count * _KINDS.size, columns=columns).items()
        }
        made = {name: measure.ratios(sums) for name, measure in MEASURES.items()}
        told = {name: each for name, each in made.items() if each.cases.any()}
        found.append(Measured(grouping, told))
    return tuple(found)


def _kinds_and_columns(
    assessed: Assessed,
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64] | None]]:
    """Give the kind of each case and what is summed, made once for all groupings."""
    gain = assessed.money - assessed.status_quo_money
    regret = assessed.best_money - assessed.money
    foretold, valued = np.isfinite(assessed.probability), np.isfinite(gain + regret)
    kind = assessed.selected + np.int8(2) * (assessed.positive + np.int8(1))
    kind += np.int8(6) * foretold + np.int8(12) * valued
    probability = _filled(assessed.probability, foretold)
    surplus = probability - assessed.positive
    return kind.astype(np.int64), {
        "": None,
        "probability": probability,
        "squared": surplus * surplus,
        "money": _filled(assessed.money, valued),
        "gain": _filled(gain, valued),
        "regret": _filled(regret, valued),
    }


def _filled(column: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Put 0 where nothing is known; such cases are of a kind of their own, which nothing asks for."""
    return column if known.all() else np.where(known, column, 0.0)
