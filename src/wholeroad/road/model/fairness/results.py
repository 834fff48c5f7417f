"""What an assessment by group says, as plain objects for gates, cards, pages and commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from wholeroad.core.estimates import Estimate

Unit = Literal["share", "money"]


@dataclass(frozen=True, slots=True)
class GroupFigure:
    """One measure of one group.

    Attributes
    ----------
    measure, grouping, value
        What, and of whom; ``value`` is empty for everybody.
    cases
        That the measure rests on: for a true positive rate, those in which the positive class came true.
    figure
        With an interval of its own.
    rest
        The group's figure less that of everybody else, paired by day; its interval holds for all groups of
        the measure together. None for everybody.
    shrunk
        The figure drawn towards everybody's as far as chance alone would spread it.
    enough
        Whether there were cases enough; else the intervals are unbounded.
    unit
        ``share``, or ``money`` in the brief's unit per case.
    """

    measure: str
    grouping: str
    value: str
    cases: int
    figure: Estimate
    rest: Estimate | None = None
    shrunk: float = float("nan")
    enough: bool = True
    unit: Unit = "share"


@dataclass(frozen=True, slots=True)
class Disparity:
    """How far apart the groups of one grouping are in one measure.

    Attributes
    ----------
    highest, lowest
        The values with the most and the least, among those with cases enough.
    difference, ratio
        Highest less lowest, and lowest over highest; the intervals hold for the largest difference there is,
        whichever groups it lies between: the lower end with every pair judged together, the upper end for
        the pair that is farthest apart. None where fewer than two groups have cases enough; the ratio also
        where the highest isn't above 0, or, of amounts, the lowest.
    groups
        How many have cases enough.
    looks
        How many looks at growing data the intervals hold for together.
    """

    measure: str
    grouping: str
    highest: str
    lowest: str
    difference: Estimate | None
    ratio: Estimate | None
    groups: int
    confidence: float
    looks: int = 1
    unit: Unit = "share"


@dataclass(frozen=True, slots=True)
class LimitHeld:
    """How a limit stands.

    Attributes
    ----------
    limit
        Its name, as :attr:`~wholeroad.road.brief.fairness.LimitTable.name` gives it.
    standing
        ``holds`` when the whole interval does, ``breached`` when none of it does, else ``open``.
    stops
        Whether it stops a fit: a clear breach does, and where holding has to be shown, what is open too.
    figure
        Of the difference or ratio that the limit speaks of; None where there were too few cases.
    bound
        What the limit asks for.
    says
        The same in a sentence.
    """

    limit: str
    grouping: str
    measure: str
    standing: Literal["holds", "open", "breached"]
    stops: bool
    figure: Estimate | None
    bound: float
    highest: str = ""
    lowest: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True)
class Fairness:
    """An assessment of decisions by group.

    Attributes
    ----------
    cases, settled
        Decided, and with a known outcome.
    everybody
        The measures over all cases.
    figures, disparities, limits
        By grouping and measure, in the brief's order.
    confidence
        Of each interval.
    blocks, block_kind
        What the intervals rest on: so many days, or runs of consecutive cases.
    pooled
        By grouping, the values that were too small and were put together, with their cases.
    """

    cases: int
    settled: int
    everybody: tuple[GroupFigure, ...]
    figures: tuple[GroupFigure, ...]
    disparities: tuple[Disparity, ...]
    limits: tuple[LimitHeld, ...] = ()
    confidence: float = 0.95
    blocks: int = 0
    block_kind: str = "UTC days"
    pooled: dict[str, dict[str, int]] = field(default_factory=dict)
