"""The comparison as a table for the terminal: 100 columns, readable without colour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from wholeroad.core.instants import format_span
from wholeroad.interfaces.report.amounts import Scale, amount, day, scale_of
from wholeroad.interfaces.report.words import verdict
from wholeroad.road.watch.results import Comparison, Estimate, PolicyMoney

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table


def report(comparison: Comparison, *, depends_on_action: str = "no") -> Group:
    """Give the verdict and the table, to be printed by a rich console."""
    from rich.console import Group
    from rich.text import Text

    said = verdict(comparison, depends_on_action=depends_on_action)
    return Group(
        Text(said.headline, style="bold"),
        Text(" ".join(said.reasons)),
        Text(""),
        table(comparison, depends_on_action=depends_on_action),
    )


def table(comparison: Comparison, *, depends_on_action: str = "no") -> Table:
    """Give the comparison as a table; the recommended policy is marked with ``>``.

    Parameters
    ----------
    comparison
        What to show.
    depends_on_action
        The brief's answer; unless ``no``, the title says *not identified*.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    scale = _scale(comparison)
    money = f"{scale.label}{comparison.unit}"
    shown = Table(
        title=Text(_title(comparison, depends_on_action)),
        caption=Text(_caption(comparison, money)),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        collapse_padding=True,
        show_edge=False,
    )
    shown.add_column("Policy", overflow="fold")
    for heading in ("Money", "vs status quo", "vs never"):
        shown.add_column(heading, justify="right", overflow="fold")
    shown.add_column("Regret\n(floor)", justify="right", overflow="fold")
    shown.add_column("Fits\n(cost)", justify="right", overflow="fold")
    shown.add_column("Actions", justify="right", overflow="fold")
    chosen = verdict(comparison).policy
    for policy in comparison.policies:
        mark = "> " if policy.policy == chosen else "  "
        cells = [Text(cell) for cell in (mark + policy.policy, *_cells(policy, scale))]
        shown.add_row(*cells, style="bold" if policy.policy == chosen else "")
    return shown


def _title(comparison: Comparison, depends_on_action: str) -> str:
    first = comparison.policies[0]
    span = f"decided from {day(comparison.from_at)} to {day(comparison.to_at)}"
    if depends_on_action == "no":
        return f"{first.settled:,} settled cases of {comparison.cases:,} {span}"
    return (
        f"Not identified: assumes that acting doesn't change outcomes."
        f" {first.settled:,} counted cases of {comparison.cases:,} {span}"
    )


def _caption(comparison: Comparison, money: str) -> str:
    hindsight = _scale(comparison).write(comparison.clairvoyant)
    return (
        f"In {money} after the cost of fits, with {comparison.confidence:.0%} intervals"
        f" (blocks of {format_span(comparison.block)}). Regret: against an oracle that pays for its fits;"
        f" floor: what equal models could show. Knowing every outcome: {hindsight}."
        " >: the simplest that can't be told from the best."
    )


def _cells(policy: PolicyMoney, scale: Scale) -> tuple[str, ...]:
    regret = "–" if policy.regret_oracle is None else scale.write(policy.regret_oracle)
    if policy.regret_floor is not None:
        regret += f"\n({scale.write(policy.regret_floor)})"
    fits = f"{policy.fits:,}\n({amount(policy.fit_costs)})" if policy.fits else "–"
    actions = "\n".join(f"{action} {share:.0%}" for action, share in policy.actions.items())
    return (
        _estimate(policy.total, scale),
        _estimate(policy.versus_status_quo, scale),
        _estimate(policy.versus_never, scale),
        regret,
        fits,
        actions,
    )


def _estimate(estimate: Estimate | None, scale: Scale) -> str:
    if estimate is None:
        return "–"
    if not math.isfinite(estimate.low):
        return f"{scale.write(estimate.value)}\nno interval"
    return f"{scale.write(estimate.value)}\n{scale.write(estimate.low)} to {scale.write(estimate.high)}"


def _scale(comparison: Comparison) -> Scale:
    totals = [policy.total for policy in comparison.policies]
    return scale_of(figure for total in totals for figure in (total.value, total.low, total.high))
