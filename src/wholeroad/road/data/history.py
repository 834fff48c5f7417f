"""A brief's whole history, ready to be walked through: cases, features as known, truth, values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import Instant, Span
from wholeroad.core.view import AsOf, Codes, Timeline
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.values import Values
from wholeroad.road.data.binding import Bound
from wholeroad.road.data.cases import Cases
from wholeroad.road.data.incumbent import Logged
from wholeroad.road.data.outcomes import Told
from wholeroad.road.data.rows import FeatureRows


@dataclass(frozen=True, slots=True)
class History:
    """Everything that a rehearsal walks through; positions are those of ``cases``.

    Attributes
    ----------
    cases, timeline, features, values, status_quo
        Of every case, in the order of ``decided_at``; features are as known at each decision.
    held
        Shape (n,): the case became known after its time to decide, and the brief leaves it alone.
    until
        The last instant at which something became known.
    delays
        By source: how much later than they happened half of its rows became known.
    told
        What the outcome rows told, for the check.
    groups
        The values of ``[fairness.groups]`` by case, as known at each decision; None without such a table.
    logged
        What a running system, or our own decisions, did to the cases; None without any record.
    """

    brief: Brief
    bound: Bound
    cases: Cases
    timeline: Timeline
    features: FeatureRows
    values: Values
    status_quo: Codes
    held: NDArray[np.bool_]
    until: Instant
    delays: dict[str, Span]
    told: Told
    logged: Logged | None = None
    groups: FeatureRows | None = None

    def groups_in_decisions(self, cases: NDArray[np.int64]) -> pl.DataFrame | None:
        """Give the groups of some cases; None where the brief names none.

        Also without any remedy in the brief: the thresholds of a model are part of it, and stay until
        another model comes.
        """
        return None if self.groups is None else self.groups.take(cases)

    def as_of(self, now: Instant, since: Instant | None = None) -> AsOf:
        """Give the reader that cannot see past ``now``."""
        return AsOf(self.timeline, now, since=since)
