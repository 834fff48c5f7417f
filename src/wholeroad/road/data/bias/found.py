"""What a question about bias in the data found, as plain objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wholeroad.core.estimates import Estimate

Cause = Literal["coverage", "base_rate", "missingness", "label_noise", "delay", "history", "unseen", "proxy"]
"""What can differ between groups before any model is fitted.

- ``coverage``: the group's share of the cases against its share of the population.
- ``base_rate``: how often the positive class came true.
- ``missingness``: how often a feature is null.
- ``label_noise``: how often the label is wrong.
- ``delay``: how long outcomes take to become known.
- ``history``: for how long there have been cases of the group.
- ``unseen``: the share of cases whose outcome is never seen.
- ``proxy``: how well the group can be told from the features.
"""


@dataclass(frozen=True, slots=True)
class GroupBias:
    """One answer about one group.

    Attributes
    ----------
    cause
        What was asked.
    grouping, value
        The group.
    about
        The feature, for ``missingness``; empty elsewhere.
    cases
        What the group's figure rests on.
    figure, rest
        The group's, and that of everybody else together (of ``coverage``: the share of the population; of
        ``proxy``: chance alone, 0.5), each with its interval, in ``unit``.
    difference
        ``figure`` less ``rest``, with an interval of its own: both share days.
    standard_error
        Of the difference; infinite where it can't be told.
    unit
        ``share``, ``days`` or ``AUC``.
    enough
        Whether there were cases enough to say anything; else the interval is unbounded.
    clear
        Whether the difference stays clear of none with every answer of its cause judged together.
    does
        What it may do to decisions, in a sentence.
    """

    cause: Cause
    grouping: str
    value: str
    cases: int
    figure: Estimate
    rest: Estimate
    difference: Estimate
    standard_error: float
    unit: str
    about: str = ""
    enough: bool = True
    clear: bool = False
    does: str = ""

    @property
    def in_errors(self) -> float:
        """The difference in units of its standard error, without its sign; 0 where it can't be told."""
        if not 0 < self.standard_error < float("inf"):
            return 0.0
        return abs(self.difference.value) / self.standard_error
