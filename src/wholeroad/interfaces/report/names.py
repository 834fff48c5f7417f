"""What policies and figures are called in a report."""

from __future__ import annotations

from wholeroad.road.brief.policies import parse_policy
from wholeroad.road.watch.results import Comparison, PolicyMoney


def kind_of(policy: PolicyMoney) -> str:
    """Tell a policy's kind from its name: ``never``, ``every``, ``status quo``, ``random``, ``always``..."""
    try:
        return parse_policy(policy.policy).kind
    except ValueError:
        return "every" if policy.fits else "always"


def called(policy: PolicyMoney) -> str:
    """Name a policy inside a sentence."""
    match kind_of(policy):
        case "never":
            return "never refitting"
        case "every":
            return f"refitting {policy.policy}"
        case "status quo":
            return "the status quo"
        case "incumbent":
            return "the running system"
        case _:
            return f"“{policy.policy}”"


def heading(comparison: Comparison) -> str:
    """Name what is counted, over a column: money only where it is money."""
    return {"ratio": "Worth", "capacity": "Hits"}.get(comparison.form, "Money")
