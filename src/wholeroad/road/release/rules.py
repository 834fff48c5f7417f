"""The plan: what is fixed between cycles."""

from __future__ import annotations

import msgspec

from wholeroad.core.instants import Instant
from wholeroad.road.brief.policies import Policy
from wholeroad.road.model.facts import ModelFitted
from wholeroad.road.release.facts import PlanFixed, PromotionStopped

STATUS_QUO = "status quo"
MODEL = "model"


class Plan(msgspec.Struct, frozen=True):
    """Who decides, from when.

    Attributes
    ----------
    decider
        ``status quo``, ``model``, ``random 10%`` or ``always <action>``.
    model
        Digest of the model in charge.
    """

    decider: str = STATUS_QUO
    model: str | None = None
    effective_from: Instant | None = None

    def after(self, fact: PlanFixed) -> Plan:
        """Give the plan after it was fixed anew."""
        return Plan(fact.decider, fact.model, fact.effective_from)


def first_plan(plan: Plan, policy: Policy, *, now: Instant, effective_from: Instant) -> PlanFixed | None:
    """Fix the first plan: the policy's dummy, or the status quo until a model comes."""
    if plan.effective_from is not None:
        return None
    decider = STATUS_QUO if policy.uses_models else policy.name
    return PlanFixed(at=now, decider=decider, model=None, effective_from=effective_from)


def advance(
    plan: Plan, fitted: ModelFitted, *, now: Instant, effective_from: Instant
) -> PlanFixed | PromotionStopped | None:
    """Put a fitted candidate in charge: ``gate = "replace"`` asks nothing more than the limits.

    A fit that found no model worth using puts the status quo back in charge. A candidate that a limit of
    ``[fairness]`` stops isn't put in charge: the plan stays as it is.
    """
    if fitted.model is not None and fitted.stopped:
        return PromotionStopped(
            at=now, model=fitted.model, limits=fitted.stopped, in_charge=plan.model or plan.decider
        )
    decider = STATUS_QUO if fitted.model is None else MODEL
    if (plan.decider, plan.model) == (decider, fitted.model):
        return None
    return PlanFixed(at=now, decider=decider, model=fitted.model, effective_from=effective_from)
