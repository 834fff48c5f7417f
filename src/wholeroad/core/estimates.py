"""A figure with its interval: what is compared anywhere is compared with one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval, both in the same unit.

    An interval from ``-inf`` to ``inf`` says that nothing can be told.
    """

    value: float
    low: float
    high: float
