"""Flips: the same decisions with another value of a group put in place, everything else as it was.

A flip says what the model makes of the column itself. It says nothing of what else would be different about
somebody of another group: whatever the group brings about in the world stays as it was (Kusner, Loftus,
Russell and Silva 2017, *Counterfactual fairness*, NeurIPS), and of many groups nobody can say what "all else
equal" means (Kohler-Hausmann 2019, *Eddie Murphy and the dangers of counterfactual causal thinking about
detecting racial discrimination*, Northwestern University Law Review 113).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.ids import chance
from wholeroad.road.data.bias.groups import MISSING, OTHER, Grouping
from wholeroad.road.data.bias.ratios import ratios, tally
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.data.features.specs import Feature, Window
from wholeroad.road.model.fairness.feeding import Columns, fed, key_columns, own_columns
from wholeroad.road.model.fairness.priced import Flip

MOST_VALUES: Final = 5
"""Only the commonest values are put in each other's place."""

MOST_CASES: Final = 50_000

Decide = Callable[[pl.DataFrame], tuple[NDArray[np.bool_], NDArray[np.float64]]]
"""From features to whether each case would be selected, and its probability of the positive class."""


def flips(
    features: pl.DataFrame,
    feature: str,
    *,
    grouping: Grouping,
    decide: Decide,
    decided_at: NDArray[np.int64],
    ids: NDArray[np.uint64],
    confidence: float = 0.95,
) -> tuple[Flip, ...]:
    """Put each of a group's commonest values in the place of each other, and decide again.

    A value is put in place by the number or text that the feature most typically has among the cases of that
    value: the value itself, where the feature is the group's own column.

    Parameters
    ----------
    features
        Of all cases, shape (n, p), in order of time.
    feature
        The one that shows the group; see :func:`~wholeroad.road.model.fairness.feeding.fed`.
    grouping, decided_at, ids
        Of the same cases, shape (n,). Beyond :data:`MOST_CASES` a sample by the hash of ``ids`` is taken.

    Returns
    -------
    tuple of Flip
        Empty without the feature, and where fewer than two values have cases. Intervals rest on whole days.
    """
    if feature not in features.columns:
        return ()
    rows = sampled(ids)
    features, groups = features[rows], grouping.take(rows)
    blocks, _ = blocks_of(decided_at[rows])
    typical = _typical(features[feature], groups)
    if len(typical) < 2:
        return ()
    selected, probability = decide(features)
    found = []
    for value, put in typical.items():
        column = pl.Series(feature, [put] * features.height, dtype=features[feature].dtype)
        then, chances = decide(features.with_columns(column))
        more, less = then & ~selected, selected & ~then
        moved = np.nan_to_num(chances - probability)
        one = np.ones(features.height)
        columns = {"more": more, "less": less, "moved": moved, "cases": one}
        sums = tally(groups.codes, blocks, groups=len(groups.values), columns=columns)
        for other in typical:
            if other != value:
                place = groups.values.index(other)
                mine = {name: each[place : place + 1] for name, each in sums.items()}
                found.append(_flip((grouping.name, feature, other, value), mine, confidence))
    return tuple(sorted(found, key=lambda one: -one.otherwise.value))


def sampled(ids: NDArray[np.uint64], *, most: int = MOST_CASES) -> NDArray[np.int64]:
    """Give the positions of all cases, or of as many as are looked at, drawn by the hash of their ids."""
    if ids.size <= most:
        return np.arange(ids.size)
    drawn = chance(ids, seed=0, salt="flips")
    return np.sort(np.argsort(drawn, kind="stable")[:most])


def flippable(group: Feature | None, features: Sequence[Feature], *, seen: Sequence[str]) -> tuple[str, ...]:
    """Name the features of a model that a flip of a group would move.

    Parameters
    ----------
    group
        As bound; None for an intersection, whose parts are flipped one by one.
    seen
        Features that the model makes use of.
    """
    return tuple(name for name in (fed(group, features) if group is not None else ()) if name in seen)


def what_flips_say(
    group: Feature | None, features: Sequence[Feature], *, seen: Sequence[str], cases: int
) -> tuple[str, ...]:
    """Say what the flips of a group can't tell, and why there are none."""
    if group is None:
        return ("The group is an intersection: its parts are flipped one by one.",)
    return tuple(_notes(group, features, seen=seen, cases=cases))


def _notes(group: Feature, features: Sequence[Feature], *, seen: Sequence[str], cases: int) -> Iterator[str]:
    if flippable(group, features, seen=seen):
        yield (
            f"Another value of {group.name} was put in place with everything else as it was. Where the group "
            "brings about something else that the model sees, as upbringing does, that was left as it is: "
            "a flip can show that the column itself decides, and can't show that the decisions are fair."
        )
        if cases > MOST_CASES:
            yield f"On {MOST_CASES:,} of {cases:,} cases, drawn by the hash of their keys."
    else:
        yield (
            f"The model doesn't see {group.name}, so another value in its place changes nothing. Features "
            "that tell the group may still decide: see the proxies in wholeroad fairness data."
        )
    mine = own_columns(group)
    still = [one.name for one in features if one.name in seen and _through_rows(one) & mine]
    if still:
        yield f"{', '.join(still)}: computed from other rows by way of {group.name}, and left as it was."


def _through_rows(feature: Feature) -> Columns:
    """Give the columns by which a feature finds, counts or adds up other rows."""
    added = own_columns(feature) if isinstance(feature, Window) else frozenset[tuple[str, str]]()
    return added | key_columns(feature)


def _typical(column: pl.Series, groups: Grouping) -> dict[str, Any]:
    """Give for the commonest values of a group what the feature typically is among their cases."""
    found: dict[str, Any] = {}
    for value in groups.values:
        if value in {OTHER, MISSING}:
            continue
        there = column.filter(pl.Series(groups.members(value))).drop_nulls()
        if there.len():
            middle = there.len() // 2
            found[value] = there.sort()[middle] if there.dtype.is_numeric() else there.mode().sort()[0]
        if len(found) == MOST_VALUES:
            break
    return found


def _flip(names: tuple[str, str, str, str], sums: dict[str, NDArray[np.float64]], confidence: float) -> Flip:
    grouping, feature, from_value, to_value = names
    otherwise = ratios(sums["more"] + sums["less"], sums["cases"], share=True).everybody(confidence)
    count = float(sums["cases"].sum())
    share = {name: float(sums[name].sum()) / count if count else float("nan") for name in sums}
    return Flip(
        grouping=grouping,
        feature=feature,
        from_value=from_value,
        to_value=to_value,
        cases=int(count),
        otherwise=otherwise,
        more=share["more"],
        less=share["less"],
        probability=share["moved"],
    )
