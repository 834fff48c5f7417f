"""What a mend changes: rows, features, decisions and money, with it and without it."""

from __future__ import annotations

from dataclasses import dataclass

from wholeroad.core.errors import RoadError
from wholeroad.core.ports import Progress
from wholeroad.engine.rehearsal import Walk, walk_through
from wholeroad.engine.storehouse import Storehouse
from wholeroad.engine.variants import Difference, Stores, Variant, difference, policy_of, walk
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.mending.effects import MendEffect, mend_effect
from wholeroad.road.data.mending.feature_effects import FeatureChange, feature_changes
from wholeroad.road.data.quality.seen import Seen


@dataclass(frozen=True, slots=True)
class Mended:
    """What a mend changes.

    Attributes
    ----------
    source
        That it mends.
    steps
        The mend as it would stand in the brief.
    effect
        On the source's rows.
    features
        The features of the cases that both have, the most changed first; those that are the same left out.
    worth
        Money with the mend less money without, judged by what is true with it; None where it can't be
        rehearsed, and ``why`` says why.
    """

    source: str
    steps: str
    effect: MendEffect
    features: tuple[FeatureChange, ...]
    worth: Difference | None
    why: str = ""


def rows_changed(
    name: str,
    stores: tuple[Storehouse, Storehouse],
    *,
    brief: Brief,
    by_step: dict[str, int],
) -> MendEffect:
    """Compare the newest rows of a source without its mend and with it."""
    table = brief.source[name]
    before, after = (
        Seen(brief, name, table, store.versions(name)).rows if store.rows(name) else None for store in stores
    )
    empty = (after if after is not None else before).clear()  # type: ignore[union-attr]
    own = [column for column in empty.columns if not column.startswith("_")]
    aside = stores[1].quarantine()
    return mend_effect(
        empty if before is None else before.drop("_happened_at", "_known_at", strict=False),
        (empty if after is None else after).select(own),
        key=list(table.key),
        by_step=by_step,
        set_aside=aside.filter(aside["source"] == name),
    )


def worth_of_mend(
    without: Variant, with_it: Variant, *, stores: Stores, progress: Progress | None = None
) -> tuple[tuple[FeatureChange, ...], Difference | None, str]:
    """Compare features, then rehearse the brief's policy with the mend and without it."""
    changed = tuple(change for change in feature_changes(without.history, with_it.history) if change.changed)
    try:
        span = _common(
            walk_through(without.history, from_at=None, to_at=None),
            walk_through(with_it.history, from_at=None, to_at=None),
        )
        policy = policy_of(with_it.history)
        one, other = (
            walk(each, span, policy=policy, stores=stores, progress=progress) for each in (with_it, without)
        )
        return changed, difference(one, other, judge=with_it.history), ""
    except RoadError as error:
        return changed, None, str(error)


def _common(one: Walk, other: Walk) -> Walk:
    return Walk(max(one.from_at, other.from_at), min(one.to_at, other.to_at))
