"""What was done: shares of the cases by action, or the amounts that were chosen."""

from __future__ import annotations

from wholeroad.road.watch.results import Comparison, PolicyMoney


def what_was_done(policy: PolicyMoney, *, digits: int = 0) -> dict[str, str]:
    """Give the cells that tell what a policy did, by their headings: a share, or figures of amounts.

    Parameters
    ----------
    digits
        Of a share, in percent.
    """
    spread = policy.amounts
    if spread is None:
        return {action: f"{share:.{digits}%}" for action, share in policy.actions.items()}
    return {
        "mean": f"{spread.mean:,.4g}",
        "25%": f"{spread.lower_quartile:,.10g}",
        "median": f"{spread.median:,.10g}",
        "75%": f"{spread.upper_quartile:,.10g}",
    }


def done_title(comparison: Comparison) -> str:
    """Say what these cells are."""
    if comparison.policies[0].amounts is None:
        return "Share of cases by action"
    return "Amounts: mean, quartiles"
