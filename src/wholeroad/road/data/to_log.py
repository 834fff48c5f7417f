"""What to write down from tomorrow, because it can't be had later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wholeroad.road.brief.contract import Brief


@dataclass(frozen=True, slots=True)
class ToLog:
    """Something to write down from tomorrow, and what happens otherwise; both without a full stop."""

    what: str
    why: str


def what_to_log(brief: Brief) -> Iterator[ToLog]:
    """Say what to write down from tomorrow that can't be had later."""
    timeless = [name for name, source in brief.source.items() if not (source.known_at or source.static)]
    static = [
        name for name in dict.fromkeys((brief.case.source, brief.outcome.source)) if brief.source[name].static
    ]
    where = f" in {', '.join([*timeless, *static])}" if timeless or static else " in every table"
    yield ToLog(
        f"known_at beside happened_at{where}: when you learnt of it, not only when it was",
        "what was known when a case was decided can't be told afterwards, and nothing can be rehearsed",
    )
    yield ToLog(
        "corrections as rows of their own, with a known_at of their own; nothing is overwritten",
        "a table that is overwritten shows the past as it is known today, which is better than it was then",
    )
    yield ToLog(
        f"decided_at, and the action taken on each case: {' or '.join(_few(brief.actions))}",
        "nobody can tell what a model has to beat, nor which outcomes came after being acted on",
    )
    yield ToLog(
        "who decided: a person, a rule and its version, a model",
        "what was decided can't be explained, nor can those who decided be compared",
    )
    yield ToLog(
        "propensity: the probability of the action that was taken, where chance had a part in it",
        "what acting changes can't be told from whom it was done to"
        if brief.outcome.depends_on_action == "no"
        else "it stays unknown how much acting changes the outcome; a random share left alone tells it",
    )
    if brief.outcome.classes:
        yield ToLog(
            f"every outcome alike ({', '.join(brief.outcome.classes)}), and when it became known",
            "silence has to stand for the kind that isn't written down",
        )


def columns_to_log(brief: Brief) -> dict[str, tuple[str, ...]]:
    """Name the columns, by source, that cases and outcomes without time have to get from tomorrow."""
    case, outcome = brief.case.source, brief.outcome.source
    times = ("happened_at", "known_at")
    columns: dict[str, tuple[str, ...]] = {case: (*times, "decided_at", "action", "decided_by", "propensity")}
    if outcome != case:
        columns[outcome] = times
    else:
        columns[case] += ("outcome_known_at",)
    return columns


def _few(names: tuple[str, ...]) -> tuple[str, ...]:
    return names if len(names) <= 6 else (*names[:5], f"{len(names) - 5} others")
