"""What ``wholeroad explain decision`` prints for whoever contests the decision."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from wholeroad.core.instants import format_span
from wholeroad.interfaces.report.amounts import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from wholeroad.engine.explained import Contest, DecisionExplained
    from wholeroad.road.model.counterfactuals import Counterfactual, Counterfactuals, FeatureChange


def show_contest(explained: DecisionExplained, contest: Contest) -> RenderableType:
    """Show what would have changed a decision, and how to appeal."""
    parts: list[RenderableType] = [Text("What would have changed it", style="bold")]
    if contest.otherwise is None:
        parts.append(_item(f"no feature of the case: it was decided by {contest.decided_by}"))
    else:
        parts += [_item(line) for line in _lines(contest, contest.otherwise, explained)]
    parts += [Text(line, style="dim") for line in contest.says]
    parts += [
        Text(""),
        Text("How to contest it", style="bold"),
        *(_item(line) for line in _ways(explained, contest)),
    ]
    return Group(*parts)


def _lines(contest: Contest, found: Counterfactuals, explained: DecisionExplained) -> Iterator[str]:
    for each in found.found:
        yield _changed(each, contest.actions)
    if not found.found:
        yield _nothing(found, explained)
    if found.left_out:
        reasons = dict.fromkeys(found.left_out.values())
        named = {why: [name for name, reason in found.left_out.items() if reason == why] for why in reasons}
        yield "not tried: " + "; ".join(f"{', '.join(names)} ({why})" for why, names in named.items())


def _changed(each: Counterfactual, actions: Sequence[str]) -> str:
    said = f"{_said(each.changes)}: then {actions[each.action]}"
    return said if each.near else f"{said}; no earlier case was like that"


def _nothing(found: Counterfactuals, explained: DecisionExplained) -> str:
    if not found.tried:
        return "nothing could be tried"
    said = f"nothing plausible of {', '.join(found.tried)}, alone or two together"
    if not found.nearest:
        return said
    lacks = f"{amount(found.short)} {explained.unit}".rstrip()
    return f"{said}; {_said(found.nearest)} comes nearest, and another action would still bring {lacks} less"


def _said(changes: Sequence[FeatureChange]) -> str:
    return " and ".join(f"{one.feature} {_value(one.to)} instead of {_value(one.value)}" for one in changes)


def _value(value: object) -> str:
    if value is None:
        return "nothing known"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _ways(explained: DecisionExplained, contest: Contest) -> Iterator[str]:
    key = " ".join(shlex.quote(str(part)) for part in explained.key.values())
    yield f'wholeroad appeal {key} --because "what is wrong with it"'
    within = "" if contest.answered_within is None else f" within {format_span(contest.answered_within)}"
    if contest.appeals_to:
        yield f"answered by a person{within}: {contest.appeals_to}"
    else:
        yield f"answered by a person{within}; the brief doesn't say by whom ([fairness] appeals_to)"


def _item(text: str) -> RenderableType:
    return Padding(Text(f"• {text}"), (0, 0, 0, 2))
