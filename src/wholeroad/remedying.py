"""Remedies against bias: tried on history with and without, and written into the brief once chosen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from wholeroad.adapters.folders import ProjectFolder, write_whole
from wholeroad.core.errors import UserError
from wholeroad.core.ports import Ledger, Progress, Tables
from wholeroad.engine.assessing import ModelDecisions, model_decisions
from wholeroad.engine.book import TABLE
from wholeroad.engine.fair import Tried, solve
from wholeroad.engine.rehearsal import Walk, walk_through
from wholeroad.engine.timeless import refuse_timeless
from wholeroad.engine.variants import (
    LUCKY,
    Variant,
    Walked,
    difference,
    luck_of_fits,
    policy_of,
    walk,
    with_chance_column,
)
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.fairness import NEEDS_OUTCOME, Equal, RemedyTable
from wholeroad.road.brief.policies import Policy
from wholeroad.road.brief.remedies import no_groups, to_be_written, with_remedy
from wholeroad.road.brief.work import make_brief, read_brief
from wholeroad.road.data.bias.groups import OTHER, Grouping, group_texts, named
from wholeroad.road.data.history import History
from wholeroad.yard import Yard, thrown_away

RECORDS: Final = ("collect", "correct_labels", "accept")
"""Remedies that are carried out by people: no rehearsal shows what they will bring."""


def attempt(
    yard: Yard,
    remedies: Sequence[RemedyTable] = (),
    *,
    luck: bool | None = None,
    progress: Progress | None = None,
) -> Tried:
    """Rehearse the brief's policy with remedies and without; the brief stays as it is.

    Parameters
    ----------
    remedies
        Beside those of the brief; without any, those of the brief are held against none.
    luck
        Whether columns of chance are rehearsed as well, whose luck of fits widens the interval; unless
        said, where a remedy changes what models learn.

    Raises
    ------
    UserError
        ``fairness.no-groups``, ``fairness.rehearsal``, ``fairness.nothing-to-try``,
        ``fairness.unknown-value``, ``rehearse.no-time``, and what a rehearsal raises.
    """
    if yard.folder.manifest.is_file():
        raise in_a_rehearsal(yard.folder)
    if yard.brief.fairness is None:
        raise no_groups()
    refuse_timeless(yard.brief, "tried")
    before, after = _before_and_after(yard.brief, remedies)
    base = yard.variant("without the remedy", brief=before)
    _named_values(base.history, remedies or _of(after))
    other = yard.variant("with the remedy", brief=after)
    span = walk_through(base.history, from_at=None, to_at=None)
    policy = policy_of(base.history)
    without, left = _walked(base, span, policy=policy, progress=progress)
    with_it, right = _walked(other, span, policy=policy, progress=progress)
    worth = difference(with_it, without, judge=base.history)
    learns = any(remedy.kind == "reweigh" for remedy in remedies or _of(after))
    # With limits, which fits are stopped hangs on chance, too.
    limited = bool(after.fairness and after.fairness.limits)
    lucky = learns or limited if luck is None else luck
    if lucky:
        worth = worth.widened(_luck(yard, base, without=without, span=span, progress=progress))
    tried = tuple(remedies) or _of(after)
    solved = [solve(each) if each else None for each in (right, left)]
    return Tried(tried, worth, with_it=solved[0], without=solved[1], luck=lucky)


def choose(yard: Yard, remedy: RemedyTable) -> Path:
    """Write a remedy into the brief, with who chose it and why; it is in force at the next fit.

    Raises
    ------
    UserError, FaultsError
        ``fairness.no-groups``, ``fairness.remedies-inline``, ``fairness.to-be-written``; what is wrong with
        the brief then.
    """
    if to_be_written(remedy):
        raise UserError(
            "fairness.to-be-written",
            "The reason is still to be written",
            happened=f"reason was {remedy.reason!r}",
            expected="why this was chosen, in the words of who chose it",
            fix='say it with --because "..."',
        )
    # A brief that is a link stays one; its bytes stay as they are but for what is added.
    path = yard.folder.brief
    text = with_remedy(path.read_bytes().decode(), remedy)
    read_brief(text.removeprefix("\ufeff"))
    write_whole(path.resolve(), text.encode())
    return path


def in_a_rehearsal(folder: ProjectFolder) -> UserError:
    """Say that a folder is that of a policy that was rehearsed: ``fairness.rehearsal``."""
    try:
        policy = str(json.loads(folder.manifest.read_text(encoding="utf-8"))["policy"])
    except (OSError, ValueError, KeyError, TypeError):
        policy = "every 30d"
    home = folder.root.parent.parent.parent
    return UserError(
        "fairness.rehearsal",
        "This is the folder of a rehearsal",
        happened=f"{folder.root} holds what the policy {policy!r} decided; the rows, the people and the "
        "appeals are the project's",
        expected="the project's folder",
        fix=f"wholeroad fairness solution --project {home} --policy '{policy}' decides the same again, and "
        "assesses it",
    )


def known_group(group: str, groups: Sequence[str]) -> None:
    """Refuse a group that the brief doesn't name: ``fairness.unknown-group``."""
    if group not in groups:
        raise UserError(
            "fairness.unknown-group",
            "There is no such group",
            happened=f"was {group!r}",
            expected=f"one of {', '.join(groups)}",
            fix="name a group of [fairness.groups]",
        )


def needs_positive(brief: Brief, equal: Equal) -> None:
    """Refuse to bring together what asks for a positive class, without one: ``fairness.needs-positive``."""
    if equal in NEEDS_OUTCOME and brief.outcome.positive is None:
        raise UserError(
            "fairness.needs-positive",
            "There is no positive class",
            happened=f"{equal} asks whether the positive class came true, and [outcome] names none",
            expected="a measure that needs none, or [outcome] positive",
            fix="name positive, or take selection_rate or gain_per_case",
        )


def two_groups(groups: Sequence[Grouping], name: str, *, least_cases: int) -> None:
    """Refuse to bring together what is one group: ``fairness.one-group``."""
    mine = named(groups, name)
    present = [value for value, cases in zip(mine.values, mine.cases, strict=True) if cases]
    if len(present) < 2:
        raise UserError(
            "fairness.one-group",
            f"Nobody is there to compare by {name}",
            happened=f"all decisions of models are about {present[0] if present else 'nobody'!r}",
            expected=f"two values or more with {least_cases} decisions each",
            fix=f"look at [fairness.groups] {name}: bands of a number are a case when ... end; or lower "
            "least_cases",
        )


def _named_values(history: History, remedies: Sequence[RemedyTable]) -> None:
    table = history.brief.fairness
    if table is None or history.groups is None:
        raise no_groups()
    for remedy in remedies:
        seen = {*group_texts(history.groups.frame, table, name=remedy.group).unique(), OTHER}
        strange = sorted(set(remedy.values) - seen)
        if strange:
            raise UserError(
                "fairness.unknown-value",
                "A remedy names a value that no case has",
                happened=f"no case has {', '.join(map(repr, strange))} as its {remedy.group}",
                expected=f"values of {remedy.group}: {', '.join(sorted(seen - {OTHER})[:12])}",
                fix="name one of these, or leave values out to mean all",
            )


def _before_and_after(brief: Brief, remedies: Sequence[RemedyTable]) -> tuple[Brief, Brief]:
    table = brief.fairness
    if table is None:
        raise no_groups()
    stand = table.remedies
    if not remedies and not stand:
        raise UserError(
            "fairness.nothing-to-try",
            "There is no remedy to try",
            happened="the brief states none, and none was given",
            expected="a remedy",
            fix="""give one, as in --remedy '{ kind = "reweigh", group = "carrier" }'""",
        )
    if all(remedy.kind in RECORDS for remedy in remedies or stand):
        records = ", ".join(dict.fromkeys(remedy.kind for remedy in remedies or stand))
        raise UserError(
            "fairness.nothing-to-try",
            "There is nothing to rehearse",
            happened=f"{records} changes no decision on the history that is there",
            expected="reweigh, thresholds or abstain",
            fix="wholeroad fairness choose puts it on record; wholeroad labels says what labels are worth",
        )
    # One remedy of a kind: what is tried takes the place of what stands in the brief.
    kinds = {remedy.kind for remedy in remedies}
    after = (*(each for each in stand if each.kind not in kinds), *remedies) if remedies else stand
    before = stand if remedies else ()
    return with_remedies(brief, before), with_remedies(brief, after)


def _luck(yard: Yard, base: Variant, *, without: Walked, span: Walk, progress: Progress | None) -> float:
    """Rehearse columns of chance beside the data as they are."""
    found = []
    for draw in range(LUCKY):
        history = with_chance_column(base.history, draw=draw)
        lucky = replace(
            base,
            name=f"a column of chance {draw + 1}",
            history=history,
            workshop=yard.workshop(history),
        )
        other = walk(lucky, span, policy=policy_of(history), stores=thrown_away, progress=progress)
        found.append(difference(other, without, judge=base.history))
    return luck_of_fits(found)


def with_remedies(brief: Brief, remedies: Sequence[RemedyTable]) -> Brief:
    """Give a brief with other remedies.

    Raises
    ------
    FaultsError
        What is wrong between the remedies and the brief, as if they stood in its file.
    """
    raw = brief.canonical()
    raw["fairness"]["remedies"] = [
        remedy.model_dump(mode="json", exclude_defaults=True) for remedy in remedies
    ]
    return make_brief(raw)


def _of(brief: Brief) -> tuple[RemedyTable, ...]:
    return brief.fairness.remedies if brief.fairness else ()


def _walked(
    variant: Variant, span: Walk, *, policy: Policy, progress: Progress | None
) -> tuple[Walked, ModelDecisions | None]:
    """Rehearse a variant, and keep what its models decided; None where none was ever in charge."""
    kept: list[Tables] = []

    def stores() -> tuple[Tables, Ledger]:
        tables, ledger = thrown_away()
        kept.append(tables)
        return tables, ledger

    walked = walk(variant, span, policy=policy, stores=stores, progress=progress)
    decided: pl.DataFrame = kept[-1].read(TABLE)
    basis = f"a rehearsal of {policy.name} {variant.name}"
    if not decided["model"].is_not_null().any():
        return walked, None
    return walked, model_decisions(variant.history, decided, basis=basis)
