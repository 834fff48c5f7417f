"""What can become true of releases."""

from __future__ import annotations

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant


class PlanFixed(Fact, frozen=True, kw_only=True):
    """From this cycle on, cases are decided so.

    Attributes
    ----------
    decider
        ``status quo``, ``model``, ``random 10%`` or ``always <action>``.
    model
        Digest of the model in charge, for ``model``.
    effective_from
        The first decision under the plan is not before.
    """

    decider: str
    model: str | None
    effective_from: Instant
