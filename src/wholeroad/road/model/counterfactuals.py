"""What would have changed a decision: the smallest plausible changes under which it turns out otherwise.

Wachter, Mittelstadt and Russell 2017, *Counterfactual explanations without opening the black box*, Harvard
Journal of Law and Technology 31, ask for the nearest such case, by distances in median absolute deviations.
One that can't be reached helps nobody, so values stay where earlier cases lie, and go only the way that the
brief allows (Ustun, Spangher and Liu 2019, *Actionable recourse in linear classification*, FAT*). Each one
that is given was decided again by the model and by the rule that decided the case.

It says what this model would have done. It promises nothing: a change of one feature moves others, and the
world isn't the model (Karimi, Schölkopf and Valera 2021, *Algorithmic recourse: from counterfactual
explanations to interventions*, FAccT).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.model.nearness import nearness
from wholeroad.road.model.plausible import Direction, Plausible, all_plausible

Decide = Callable[[pl.DataFrame], tuple[Codes, NDArray[np.float64]]]
"""From features to action codes, and to how much less the best wanted action would bring than the others."""

MOST: Final = 3
"""So many counterfactuals are given."""

PAIRED: Final = 12
"""Of the features that don't suffice alone, so many are tried in pairs: those that come nearest."""

_PER_PAIR: Final = 16
_STEPS: Final = 16
_PASSES: Final = 3

Candidate = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """Another value of one feature.

    Attributes
    ----------
    feature, value, to
        Its name, the case's value, and the one in its place.
    spreads
        How far that is, in the feature's median absolute deviation among earlier cases; 1 for a category.
    """

    feature: str
    value: Any
    to: Any
    spreads: float


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A change under which the case would have been decided otherwise, everything else as it was.

    Attributes
    ----------
    changes
        One feature, or two of which neither suffices alone.
    action
        Code of the action that would have been taken.
    spreads
        The sum of those of the changes.
    near
        Whether the changed case lies as near to earlier ones as these lie to each other.
    """

    changes: tuple[FeatureChange, ...]
    action: int
    spreads: float
    near: bool = True


@dataclass(frozen=True, slots=True)
class Counterfactuals:
    """What would have changed a decision.

    Attributes
    ----------
    found
        The fewest changes first, those near to earlier cases before others, then the smallest.
    tried
        Features that were changed.
    left_out
        Features that weren't, each with the reason.
    nearest, short
        Where nothing was found: the changes that came nearest, and how much less money than the action
        taken the other one would still be expected to bring.
    before
        Earlier cases that say what is plausible.
    promised
        Whether the brief names what those affected can change.
    says
        Further sentences.
    """

    found: tuple[Counterfactual, ...] = ()
    tried: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    nearest: tuple[FeatureChange, ...] = ()
    short: float = math.nan
    before: int = 0
    promised: bool = False
    says: tuple[str, ...] = ()


def counterfactuals(
    case: pl.DataFrame,
    before: pl.DataFrame,
    *,
    tried: Mapping[str, Direction],
    decide: Decide,
    wanted: Collection[int],
    most: int = MOST,
) -> Counterfactuals:
    """Find the smallest changes of a case under which another action would have been taken.

    First one feature at a time, then pairs of features neither of which suffices alone. Values lie between
    the 1st and the 99th percentile of earlier cases, or are categories that were seen; they are rounded, away
    from the case's own, as far as that hardly makes the change greater.

    Parameters
    ----------
    case
        One row: its features as known when it was decided.
    before
        Features of cases that were decided before it, as known then.
    tried
        Features that may change, and in which direction.
    decide
        Decides changed cases again, many at once; each row on its own.
    wanted
        Codes of the actions that count as decided otherwise.

    Returns
    -------
    Counterfactuals
        Without any where the case as it is comes out as ``wanted`` already: then it is decided by another
        rule than the one that is handed in.

    Examples
    --------
    >>> case, before = pl.DataFrame({"weight": [9.0]}), pl.DataFrame({"weight": range(1, 101)})
    >>> def decide(rows):
    ...     return (rows["weight"].to_numpy() > 40).astype(np.int8), 40 - rows["weight"].to_numpy()
    >>> found = counterfactuals(
    ...     case, before.cast(pl.Float64), tried={"weight": "any"}, decide=decide, wanted=[1]
    ... )
    >>> found.found[0].changes[0].to
    42.0
    """
    there, reasons = all_plausible(case, before, tried=tried)
    search = _Search(case, there, decide, wanted)
    asked = Counterfactuals(tried=tuple(there), left_out=reasons, before=before.height)
    if search.judge([{}])[0]:
        return asked
    singles = search.singles()
    chosen = [search.rounded(each) for each in singles]
    if len(chosen) < most:
        chosen += [search.rounded(each) for each in search.pairs({name for each in singles for name in each})]
    chosen = list(search.minimal(chosen))
    if not chosen:
        nearest, short = search.nearest()
        return replace(asked, nearest=nearest, short=short)
    near = nearness(case, before, changed=search.rows(chosen), spreads=_spreads(there))
    actions, _ = decide(search.rows(chosen))
    found = []
    for candidate, action, close in zip(chosen, actions.tolist(), near.tolist(), strict=True):
        changes = search.changes(candidate)
        found.append(Counterfactual(changes, int(action), sum(one.spreads for one in changes), near=close))
    found.sort(key=lambda one: (len(one.changes), not one.near, one.spreads, one.changes[0].feature))
    return replace(asked, found=tuple(found[:most]))


def _spreads(there: Mapping[str, Plausible]) -> dict[str, float]:
    return {name: one.spread for name, one in there.items() if one.is_number}


class _Search:
    """Changes of one case, judged in batches; it remembers which came nearest."""

    def __init__(
        self, case: pl.DataFrame, there: Mapping[str, Plausible], decide: Decide, wanted: Collection[int]
    ) -> None:
        self._case = case
        self._there = there
        self._decide = decide
        self._wanted = np.array(sorted(wanted))
        self._short: dict[str, float] = {}
        self._nearest: tuple[float, Candidate] = (math.inf, {})

    def rows(self, candidates: Sequence[Candidate]) -> pl.DataFrame:
        """Give the case as often as there are candidates, each changed."""
        many = self._case[np.zeros(len(candidates), dtype=np.int64)]
        changed = dict.fromkeys(name for each in candidates for name in each)
        own = {name: self._case[name][0] for name in changed}
        return many.with_columns(
            self._there[name].series([each.get(name, own[name]) for each in candidates]) for name in changed
        )

    def judge(self, candidates: Sequence[Candidate]) -> NDArray[np.bool_]:
        """Tell which candidates are decided otherwise."""
        if not candidates:
            return np.empty(0, dtype=bool)
        actions, short = self._decide(self.rows(candidates))
        otherwise: NDArray[np.bool_] = np.isin(actions, self._wanted)
        for candidate, money in zip(candidates, short.tolist(), strict=True):
            for name in candidate if len(candidate) == 1 else ():
                self._short[name] = min(money, self._short.get(name, math.inf))
            if candidate and money < self._nearest[0]:
                self._nearest = (money, candidate)
        return otherwise

    def changes(self, candidate: Candidate) -> tuple[FeatureChange, ...]:
        """Give a candidate as changes, the larger first."""
        found = [
            FeatureChange(name, self._case[name][0], value, self._there[name].distance(value))
            for name, value in candidate.items()
        ]
        return tuple(sorted(found, key=lambda one: (-one.spreads, one.feature)))

    def nearest(self) -> tuple[tuple[FeatureChange, ...], float]:
        """Give the changes that came nearest to another decision, and what they lacked; none if none help."""
        short, candidate = self._nearest
        as_it_is = float(self._decide(self._case)[1][0])
        return (self.changes(candidate), short) if candidate and short < as_it_is else ((), math.nan)

    def distance(self, candidate: Candidate) -> float:
        """Give the sum of the distances of its changes."""
        return sum(self._there[name].distance(value) for name, value in candidate.items())

    def singles(self) -> list[Candidate]:
        """Give the nearest value of each feature that suffices alone."""
        asked = [{name: value} for name, one in self._there.items() for value in one.grid]
        best = self._best(asked, self.judge(asked))
        return [self._shrunk(candidate) for candidate in best.values()]

    def pairs(self, sufficing: Collection[str]) -> list[Candidate]:
        """Give pairs of values that suffice together, of features that don't alone; the nearest few."""
        names = sorted(
            (name for name in self._there if name not in sufficing),
            key=lambda name: (self._short.get(name, math.inf), name),
        )[:PAIRED]
        coarse = {name: _some(self._there[name].grid) for name in names}
        asked = [
            {one: first, other: second}
            for one, other in combinations(names, 2)
            for first, second in product(coarse[one], coarse[other])
        ]
        best = sorted(self._best(asked, self.judge(asked)).values(), key=self.distance)
        return [self._shrunk(candidate) for candidate in best[: 2 * MOST]]

    def rounded(self, candidate: Candidate) -> Candidate:
        """Give the coarsest round numbers under which the case is still decided otherwise."""
        for name in candidate:
            asked = [{**candidate, name: value} for value in self._there[name].readable(candidate[name])]
            places = np.flatnonzero(self.judge(asked))
            candidate = asked[places[0]] if places.size else candidate
        return candidate

    def minimal(self, candidates: Sequence[Candidate]) -> Iterator[Candidate]:
        """Give the candidates; of a pair in which one feature suffices after all, that one alone."""
        parts = [{name: value} for each in candidates for name, value in each.items()]
        alone = [part for part, suffices in zip(parts, self.judge(parts), strict=True) if suffices]
        sufficing = {name for part in alone for name in part}
        given: set[str] = set()
        for candidate in [*alone, *(each for each in candidates if not sufficing & each.keys())]:
            if not (len(candidate) == 1 and given & candidate.keys()):
                given |= candidate.keys() if len(candidate) == 1 else set()
                yield candidate

    def _best(
        self, asked: Sequence[Candidate], otherwise: NDArray[np.bool_]
    ) -> dict[tuple[str, ...], Candidate]:
        """Give, by features, the nearest of the candidates that are decided otherwise."""
        best: dict[tuple[str, ...], Candidate] = {}
        for place in np.flatnonzero(otherwise).tolist():
            names = tuple(asked[place])
            if names not in best or self.distance(asked[place]) < self.distance(best[names]):
                best[names] = asked[place]
        return best

    def _shrunk(self, candidate: Candidate) -> Candidate:
        """Take each number as near to the case's own as still suffices, the others as they are."""
        for name in candidate:
            own = self._there[name]
            near = own.own
            for _ in range(_PASSES):
                values = own.between(near, candidate[name], steps=_STEPS)
                otherwise = self.judge([{**candidate, name: value} for value in values])
                if not otherwise.any():
                    near = values[-1] if values else near
                    continue
                first = int(np.flatnonzero(otherwise)[0])
                near = values[first - 1] if first else near
                candidate = {**candidate, name: values[first]}
        return candidate


def _some(grid: Sequence[Any]) -> list[Any]:
    """Give a few values of a grid, its ends among them."""
    places = np.unique(np.linspace(0, len(grid) - 1, _PER_PAIR).astype(np.int64))
    return [grid[place] for place in places.tolist()]
