"""The comparison as a table for the terminal: 100 columns, readable without colour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import format_span
from wholeroad.interfaces.report.amounts import Scale, amount, days_between, scale_of
from wholeroad.interfaces.report.done import done_title, what_was_done
from wholeroad.interfaces.report.evidence import kind_of_case, title
from wholeroad.interfaces.report.names import heading
from wholeroad.interfaces.report.words import Refusals, verdict
from wholeroad.road.watch.results import Comparison, PolicyMoney

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table


WIDTH: Final = 100
"""Columns that the tables fit into."""


def report(
    comparison: Comparison, *, depends_on_action: str = "no", refused: Refusals | None = None
) -> Group:
    """Give the verdict and the tables, to be printed by a rich console."""
    from rich.console import Group
    from rich.text import Text

    said = verdict(comparison, depends_on_action=depends_on_action, refused=refused)
    parts: list[RenderableType] = [
        Text(said.headline, style="bold"),
        *([Text(" ".join(said.asks)), Text("")] if said.asks else []),
        Text(" ".join(said.reasons)),
        Text(""),
        table(comparison, depends_on_action=depends_on_action),
    ]
    actions = None if _room_for_actions(comparison) else action_table(comparison)
    if actions is not None:
        parts += [Text(""), actions]
    if said.finer:
        parts += [Text(""), Text(f"The finer points: {' '.join(said.finer)}")]
    return Group(*parts)


def table(comparison: Comparison, *, depends_on_action: str = "no") -> Table:
    """Give the comparison as a table; the recommended policy is marked with ``>``.

    Parameters
    ----------
    comparison
        What to show.
    depends_on_action
        The brief's answer; unless ``no``, the title says what the money rests on.
    """
    from rich.text import Text

    together = _room_for_actions(comparison)
    shown = _table(comparison, together=together)
    shown.title = Text(_title(comparison, depends_on_action))
    return shown


def _table(comparison: Comparison, *, together: bool) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    scale = _scale(comparison)
    money = f"{scale.label}{comparison.unit}"
    shown = Table(
        caption=Text(_caption(comparison, money)),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        collapse_padding=True,
        show_edge=False,
    )
    shown.add_column("Policy", overflow="fold")
    for name in (heading(comparison), "vs status quo", "vs never", "Regret\n(floor)"):
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("Fits\n(cost)", justify="right", overflow="fold")
    if together:
        shown.add_column("Actions", justify="right", no_wrap=True)
    chosen = verdict(comparison).policy
    for policy in comparison.policies:
        cells = _cells(policy, scale, comparison)
        if together:
            cells += ("\n".join(f"{action} {share}" for action, share in what_was_done(policy).items()),)
        _add(shown, policy, cells, chosen=chosen)
    return shown


def action_table(comparison: Comparison) -> Table | None:
    """Give the shares of cases by action; None where there is no room for all of them."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    actions = list(what_was_done(comparison.policies[0]))
    names = max(len(policy.policy) for policy in comparison.policies) + 2
    if names + sum(max(len(action), 4) + 2 for action in actions) > WIDTH:
        return None
    shown = Table(
        title=done_title(comparison),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        collapse_padding=True,
        show_edge=False,
    )
    shown.add_column("Policy", no_wrap=True)
    for action in actions:
        shown.add_column(Text(action), justify="right", no_wrap=True)
    chosen = verdict(comparison).policy
    for policy in comparison.policies:
        _add(shown, policy, tuple(what_was_done(policy).values()), chosen=chosen)
    return shown


def _room_for_actions(comparison: Comparison) -> bool:
    """Tell whether the actions fit beside the money without breaking any cell."""
    from rich.console import Console

    if len(what_was_done(comparison.policies[0])) > 2:
        return False
    anywhere = Console(width=10 * WIDTH)
    whole = _table(comparison, together=True)
    whole.caption = None
    return anywhere.measure(whole).maximum <= WIDTH


def _add(shown: Table, policy: PolicyMoney, cells: tuple[str, ...], *, chosen: str) -> None:
    from rich.text import Text

    mark, style = ("> ", "bold") if policy.policy == chosen else ("  ", "")
    shown.add_row(*(Text(cell) for cell in (mark + policy.policy, *cells)), style=style)


def _title(comparison: Comparison, depends_on_action: str) -> str:
    first = comparison.policies[0]
    span = f"decided from {days_between(comparison.from_at, comparison.to_at)}"
    kind, rests = kind_of_case(comparison, depends_on_action), title(comparison, depends_on_action)
    return f"{rests} {first.settled:,} {kind} cases of {comparison.cases:,} {span}".lstrip()


def _caption(comparison: Comparison, money: str) -> str:
    hindsight = _scale(comparison).write(comparison.clairvoyant)
    regret = (
        " Regret: against an oracle that pays for its fits; floor: what equal models could show. Knowing"
        f" every outcome: {hindsight}."
    )
    return (
        f"In {money} after the cost of fits, with {comparison.confidence:.0%} intervals"
        f" (blocks of {format_span(comparison.block)})."
        f"{regret if math.isfinite(comparison.clairvoyant) else ''}"
        " >: the simplest over which nothing less simple clearly made more."
    )


def _cells(policy: PolicyMoney, scale: Scale, comparison: Comparison) -> tuple[str, ...]:
    regret = "–" if policy.regret_oracle is None else scale.write(policy.regret_oracle)
    if policy.regret_floor is not None:
        regret += f"\n({scale.write(policy.regret_floor)})"
    unit = f" {comparison.unit}" if comparison.form in ("money", "formula") else ""
    fits = f"{policy.fits:,}\n({amount(policy.fit_costs)}{unit})" if policy.fits else "–"
    return (
        _estimate(policy.total, scale),
        _estimate(policy.versus_status_quo, scale),
        _estimate(policy.versus_never, scale),
        regret,
        fits,
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
