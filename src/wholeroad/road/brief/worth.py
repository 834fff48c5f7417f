"""What actions are worth under outcomes, in the form in which the business can say it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from wholeroad.core.instants import DAY, UNITS, Span, parse_span
from wholeroad.road.brief.settings import LONGEST, Table, Worth

FALSE_ALARMS: Final = "false alarms' worth"
"""Unit of a ratio: what so many false alarms cost. Saving a miss isn't raising an alarm, hence the worth."""
HITS: Final = "hits"

_RATIO: Final = re.compile(r"(\d+(?:\.\d+)?)(?:\s+to\s+(\d+(?:\.\d+)?))?\s+false alarms?")
_CAPACITY: Final = re.compile(r"(\d+)\s+per\s+(.+)")
_PERIODS: Final = {"hour": UNITS["h"], "day": DAY, "week": 7 * DAY}


class QuantityTable(Table):
    """``[value] quantity``: the amounts that may be chosen, where the action is a number."""

    least: float = 0.0
    most: float
    step: float = Field(default=1.0, gt=0)


class ValueTable(Table):
    """``[value]``: what an (action, outcome) pair is worth, in one of four forms.

    Money (``of``; ``formula`` with ``quantity`` for a number), one ratio (``actions`` with
    ``a_miss_costs``), or only a ``capacity`` (with ``actions``), which may also stand beside money.
    """

    unit: str = ""
    status_quo: dict[Literal["action", "expression"], str] = Field(min_length=1, max_length=1)
    of: dict[str, dict[str, Worth]] = Field(default_factory=dict)
    actions: tuple[str, ...] = ()
    """Two, where ``of`` doesn't name them: the first answers ``positive``."""
    a_miss_costs: str | None = None
    """``5 false alarms``, or ``2 to 10 false alarms``."""
    capacity: str | None = None
    """``50 per day``: how many cases may be acted on."""
    formula: str | None = None
    """Money as an expression over the case, ``action`` and ``outcome``, for regression."""
    quantity: QuantityTable | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """So many cases may be given another action than the status quo's, in each period.

    Attributes
    ----------
    cases
        One or more.
    every
        Length of a period, microseconds; periods are anchored at the epoch.
    """

    cases: int
    every: Span


@dataclass(frozen=True, slots=True)
class WorthTable:
    """The brief's values, whatever the form in which they were said.

    Attributes
    ----------
    form
        ``money``, ``ratio``, ``capacity`` or ``formula``.
    unit
        Of money, or :data:`FALSE_ALARMS`, or :data:`HITS`.
    actions
        Names, in the order of their codes.
    of
        By action and outcome; empty for a formula. A ratio counts in false alarms saved against doing
        nothing: acting on a positive saves the miss, acting on another one costs one.
    ratio
        Lowest and highest cost of a miss, in false alarms.
    quantities
        For a formula: the amount behind each action.
    """

    form: Literal["money", "ratio", "capacity", "formula"]
    unit: str
    actions: tuple[str, ...]
    of: Mapping[str, Mapping[str, Worth]]
    ratio: tuple[float, float] | None = None
    capacity: Capacity | None = None
    quantities: tuple[float, ...] = ()


def worth_table(value: ValueTable, *, classes: tuple[str, ...], positive: str | None) -> WorthTable:
    """Take the worth of actions from a sound ``[value]``, whatever its form."""
    capacity = None if value.capacity is None else parse_capacity(value.capacity)
    if value.of:
        return WorthTable("money", value.unit, tuple(value.of), value.of, capacity=capacity)
    if value.formula is not None and value.quantity is not None:
        amounts = quantities(value.quantity)
        return WorthTable("formula", value.unit, amount_names(value.quantity), {}, quantities=amounts)
    act, leave = value.actions
    nothing: dict[str, Worth] = dict.fromkeys(classes, 0)
    if value.a_miss_costs is None:
        hits = {name: int(name == positive) for name in classes}
        return WorthTable("capacity", HITS, (act, leave), {act: hits, leave: nothing}, capacity=capacity)
    low, high = ratio = parse_ratio(value.a_miss_costs)
    saved: Worth = low if low == high else [low, high]
    row = {name: saved if name == positive else -1 for name in classes}
    of = {act: row, leave: nothing}
    return WorthTable("ratio", FALSE_ALARMS, (act, leave), of, ratio=ratio, capacity=capacity)


def quantities(table: QuantityTable) -> tuple[float, ...]:
    """Give the amounts of a quantity, from the least to the most."""
    steps = int((table.most - table.least) / table.step + 1e-9)
    return tuple(table.least + step * table.step for step in range(steps + 1))


def amount_names(table: QuantityTable) -> tuple[str, ...]:
    """Name the amounts of a quantity, as actions are named.

    Examples
    --------
    >>> amount_names(QuantityTable(least=0, most=1, step=0.25))
    ('0', '0.25', '0.5', '0.75', '1')
    """
    return tuple(f"{amount:.10g}" for amount in quantities(table))


def parse_ratio(text: str) -> tuple[float, float]:
    """Read what a miss costs, in false alarms.

    Raises
    ------
    ValueError
        When it is no such text.

    Examples
    --------
    >>> parse_ratio("5 false alarms"), parse_ratio("2 to 10 false alarms")
    ((5.0, 5.0), (2.0, 10.0))
    """
    match = _RATIO.fullmatch(" ".join(text.split()))
    if match is None:
        message = "what a miss costs is written '5 false alarms', or '2 to 10 false alarms'"
        raise ValueError(message)
    low = float(match.group(1))
    high = float(match.group(2) or low)
    if not 0 < low <= high < math.inf:
        message = "a miss costs more than nothing, and the lower number comes first"
        raise ValueError(message)
    return low, high


def parse_capacity(text: str) -> Capacity:
    """Read a capacity.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> parse_capacity("50 per day").cases, parse_capacity("3 per 12h").every // 3_600_000_000
    (50, 12)
    """
    match = _CAPACITY.fullmatch(" ".join(text.split()))
    cases = 0 if match is None else _count(match.group(1))
    if match is None or not cases:
        message = "a capacity is written '50 per day': one or more per hour, day, week or a span such as 12h"
        raise ValueError(message)
    period = match.group(2)
    every = _PERIODS.get(period) or parse_span(period)
    if not 0 < every <= LONGEST:
        message = "the period of a capacity is longer than nothing, and at most a thousand years"
        raise ValueError(message)
    return Capacity(cases, every)


def _count(digits: str) -> int:
    return int(digits) if len(digits) < 10 else 0
