"""What the check asks of ``[fairness]`` once data have landed."""

from __future__ import annotations

from collections.abc import Iterator

from wholeroad.road.brief.fairness import FairnessTable
from wholeroad.road.brief.remedies import to_be_written
from wholeroad.road.data.bias.groups import MISSING, OTHER, Grouping, group_texts, groups_of
from wholeroad.road.data.features.specs import Derived
from wholeroad.road.data.findings import Finding
from wholeroad.road.data.history import History


def question_groups(history: History) -> Iterator[Finding]:
    """Ask whether the groups of the brief can be compared, and whether its remedies name what is there."""
    table = history.brief.fairness
    if table is None or history.groups is None:
        return
    frame = history.groups.frame
    groups = groups_of(frame, table)
    for each in groups:
        yield from _comparable(each, table)
    seen = {name: set(group_texts(frame, table, name=name).unique()) for name in table.groups}
    yield from _unknown_values(table, seen)
    yield from _shown_to_models(history)
    for remedy in table.remedies:
        if not remedy.chosen_by.strip():
            yield Finding(
                "check.remedy-by-nobody",
                "note",
                "[[fairness.remedies]]",
                f"nobody is named who chose {remedy.kind} for {remedy.group}",
                "a remedy takes from some and gives to others: whoever asks later will ask who decided that",
                "say chosen_by, chosen_on and reason",
            )
        if to_be_written(remedy):
            yield Finding(
                "check.reason-to-be-written",
                "warning",
                "[[fairness.remedies]] reason",
                f"the reason of {remedy.kind} for {remedy.group} is still to be written",
                "a remedy without a reason can't be defended before those who ask for it",
                "write down why it was chosen",
            )


def _comparable(each: Grouping, table: FairnessTable) -> Iterator[Finding]:
    where = f"[fairness.groups] {each.name}"
    if len(each.values) < 2:
        yield Finding(
            "check.one-group",
            "warning",
            where,
            f"all cases belong to {each.values[0] if each.values else 'nothing'}",
            "there is nobody to compare them with",
            "look at the column or expression, or lower [fairness] least_cases",
        )
    elif OTHER in each.values and len(each.pooled) > len(each.values):
        cases = sum(each.pooled.values())
        yield Finding(
            "check.small-groups",
            "note",
            where,
            f"{len(each.pooled):,} values have fewer than {table.least_cases} cases, {cases:,} in all: they "
            f"are put together as {OTHER!r}",
            "what holds for them together may hold for none of them alone",
            "join them by what they have in common, with case when ... end in an expression",
        )


def _unknown_values(table: FairnessTable, seen: dict[str, set[str]]) -> Iterator[Finding]:
    named = [
        ("[[fairness.remedies]] values", one.group, value) for one in table.remedies for value in one.values
    ]
    for where, group, value in named:
        if value not in seen[group] and value != OTHER:
            yield Finding(
                "check.group-value",
                "warning",
                where,
                f"no case has {value!r} as its {group}",
                "the remedy does nothing for it",
                f"write one of {', '.join(sorted(seen[group])[:12])}",
            )
    for name, one in table.groups.items():
        stated = set(one.population)
        strange = sorted(seen[name] - stated - {MISSING})
        if stated and strange:
            yield Finding(
                "check.outside-population",
                "warning",
                f"[fairness.groups] {name}.population",
                f"cases have values that the population doesn't name: {', '.join(strange[:8])}",
                "shares of the cases and of the population then speak of different people",
                "name every value, or map them to the population's with an expression",
            )


def _shown_to_models(history: History) -> Iterator[Finding]:
    features = [one for one in history.bound.features if isinstance(one, Derived)]
    for group in history.bound.groups:
        if not isinstance(group, Derived):
            continue
        shown = [one.name for one in features if set(one.expression.columns) & set(group.expression.columns)]
        if shown:
            yield Finding(
                "check.group-is-feature",
                "note",
                f"[fairness.groups] {group.name}",
                f"models see it too, by {', '.join(shown)}",
                "decisions may hang on the group itself; leaving it out doesn't hide it where others tell it",
                f"wholeroad fairness flips --group {group.name} says what it changes",
            )
