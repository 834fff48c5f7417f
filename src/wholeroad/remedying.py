"""Remedies against bias: tried on history with and without, and written into the brief once chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from wholeroad.adapters.folders import write_whole
from wholeroad.core.errors import UserError
from wholeroad.core.ports import Ledger, Progress, Tables
from wholeroad.engine.assessing import ModelDecisions, model_decisions
from wholeroad.engine.book import TABLE
from wholeroad.engine.fair import Tried, solve
from wholeroad.engine.rehearsal import Walk, walk_through
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
from wholeroad.road.brief.fairness import RemedyTable
from wholeroad.road.brief.policies import Policy
from wholeroad.road.brief.remedies import no_groups, with_remedy
from wholeroad.road.brief.work import make_brief, read_brief
from wholeroad.yard import Yard, thrown_away


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
        ``fairness.no-groups``, ``fairness.nothing-to-try``, and what a rehearsal raises.
    """
    before, after = _before_and_after(yard.brief, remedies)
    base = yard.variant("without the remedy", brief=before)
    other = yard.variant("with the remedy", brief=after)
    span = walk_through(base.history, from_at=None, to_at=None)
    policy = policy_of(base.history)
    without, left = _walked(base, span, policy=policy, progress=progress)
    with_it, right = _walked(other, span, policy=policy, progress=progress)
    worth = difference(with_it, without, judge=base.history)
    learns = any(remedy.kind in ("reweigh", "correct_labels") for remedy in remedies or _of(after))
    lucky = learns if luck is None else luck
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
        ``fairness.no-groups``, ``fairness.remedies-inline``; what is wrong with the brief then.
    """
    path = yard.folder.brief
    text = with_remedy(path.read_text(encoding="utf-8"), remedy)
    read_brief(text)
    write_whole(path, text.encode())
    return path


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
