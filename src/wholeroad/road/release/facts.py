"""What can become true of releases."""

from __future__ import annotations

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant


class PromotionStopped(Fact, frozen=True, kw_only=True):
    """A fitted candidate isn't put in charge: it doesn't hold a limit of ``[fairness]``.

    Attributes
    ----------
    model
        Digest of the candidate.
    limits
        Those that stop it.
    in_charge
        Who goes on deciding.
    """

    model: str
    limits: tuple[str, ...]
    in_charge: str


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
