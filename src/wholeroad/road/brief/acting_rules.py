"""Faults of a running system's log, and of the share that is left alone, told without data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wholeroad.core.errors import Fault
from wholeroad.road.brief.contract import IncumbentTable, OutcomeTable, PolicyTable
from wholeroad.road.brief.sources import SourceTable
from wholeroad.road.brief.value_rules import unknown


def incumbent_faults(
    incumbent: IncumbentTable,
    outcome: OutcomeTable | None,
    *,
    sources: Mapping[str, SourceTable],
    names: set[str],
) -> Iterator[Fault]:
    """Find what is wrong with ``[incumbent]``.

    Parameters
    ----------
    sources, names
        The sound sources, and the names of all.
    """
    name = incumbent.source
    if name is not None and name not in names:
        yield unknown("[incumbent] source", name, known=sorted(names), what="source")
    if name is not None and name in sources and sources[name].static:
        yield Fault(
            "brief.incumbent-static",
            "[incumbent] source",
            f"{name} is static",
            "a source with happened_at and known_at",
            "give the log its times, so that no fit sees a line before it was written",
        )
    if incumbent.score is None and incumbent.action is None:
        yield Fault(
            "brief.incumbent-empty",
            "[incumbent]",
            "it had neither score nor action",
            "what the running system said, or what it did",
            "add action = '...' or score = '...', expressions over the rows of its log",
        )
    if incumbent.propensity is not None and incumbent.action is None:
        yield Fault(
            "brief.incumbent-propensity",
            "[incumbent] propensity",
            "it stood without action",
            "the action that was chosen with this probability",
            "add action = '...'",
        )
    if incumbent.score is not None and outcome is not None and outcome.positive is None:
        yield Fault(
            "brief.incumbent-score",
            "[incumbent] score",
            "the brief names no positive class that a score could speak of",
            "a score is the probability of [outcome] positive",
            "name positive, or leave the score out and give the action",
        )


def no_action_faults(policy: PolicyTable, actions: tuple[str, ...] | None) -> Iterator[Fault]:
    """Find what is wrong with ``[policy] no_action``."""
    named = policy.no_action
    if named is not None and actions is not None and named.action not in actions:
        yield unknown("[policy] no_action", named.action, known=actions, what="action")
