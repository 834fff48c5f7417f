"""How many of the planted troubles somebody finds and rightly names, and how many that aren't there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from wholeroad.road.data.quality.troubles import KINDS
from wholeroad.testing.troubles import SIZES, TEMPLATES, Planted, Size, World, clean_world, plant

Named = tuple[str, str, tuple[str, ...]]
"""What was found: the kind, the source, the columns."""

Look = Callable[[World], Sequence[Named]]
"""Looks at a world that it knows nothing about, and tells what it found."""

_Z: Final = 1.959964
"""The 97.5 % point of the normal law."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One trouble in one world.

    Attributes
    ----------
    found
        Whether it was found, in its place, under its name.
    instead
        The kinds that were named in its place where its own wasn't.
    """

    template: str
    seed: int
    planted: Planted
    found: bool
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alarms:
    """What was found in worlds in which nothing is wrong.

    Attributes
    ----------
    columns
        Of all the worlds together.
    kinds
        How often each kind was named.
    """

    worlds: int
    columns: int
    kinds: Counter[str]

    @property
    def per_20_columns(self) -> float:
        """False alarms for every twenty columns."""
        return 20 * self.kinds.total() / self.columns


def planted_worlds(
    seeds: Sequence[int],
    *,
    kinds: Sequence[str] = KINDS,
    sizes: Sequence[Size] = tuple(SIZES),
    templates: Sequence[str] = tuple(TEMPLATES),
    rows: int = 4000,
) -> Iterator[tuple[str, int, World, Planted]]:
    """Give each kind at each size for each seed, in turn in each business: template, seed, world, planted."""
    for kind in kinds:
        for size in sizes:
            for seed in seeds:
                template = templates[(seed + KINDS.index(kind)) % len(templates)]
                world = clean_world(template, seed=seed, rows=rows)
                yield template, seed, *plant(world, kind, size=size, seed=seed)


def judged(template: str, seed: int, *, planted: Planted, named: Sequence[Named]) -> Trial:
    """Hold what was named against what was planted."""
    if any(planted.is_named_by(code, source=source, columns=columns) for code, source, columns in named):
        return Trial(template, seed, planted, found=True)
    there = {planted.source, *planted.also}
    nearby = [
        code
        for code, source, columns in named
        if source in there and (not planted.columns or {*columns} & {*planted.columns})
    ]
    return Trial(template, seed, planted, found=False, instead=tuple(sorted({*nearby})))


def tried(
    look: Look, seeds: Sequence[int], *, kinds: Sequence[str] = KINDS, sizes: Sequence[Size] = tuple(SIZES)
) -> tuple[Trial, ...]:
    """Look at worlds with one trouble each."""
    return tuple(
        judged(template, seed, planted=planted, named=look(world))
        for template, seed, world, planted in planted_worlds(seeds, kinds=kinds, sizes=sizes)
    )


def alarms(
    look: Look, seeds: Sequence[int], *, templates: Sequence[str] = tuple(TEMPLATES), rows: int = 4000
) -> Alarms:
    """Look at clean worlds, each business once for each seed."""
    worlds = [clean_world(template, seed=seed, rows=rows) for template in templates for seed in seeds]
    kinds = Counter(code for world in worlds for code, _, _ in look(world))
    return Alarms(len(worlds), sum(world.columns for world in worlds), kinds)


def share_found(trials: Sequence[Trial]) -> tuple[float, float, float]:
    """Give the share of trials that found what was planted, and its 95 % interval (Wilson 1927).

    Examples
    --------
    >>> planted = Planted("quality.leak", "large", "cases", ("fee",), 9)
    >>> found = [Trial("loans", seed, planted, found=seed > 0) for seed in range(10)]
    >>> [round(each, 2) for each in share_found(found)]
    [0.9, 0.6, 0.98]
    """
    count = len(trials)
    share = sum(trial.found for trial in trials) / count
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z * sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2)) / (1 + _Z**2 / count)
    return share, middle - half, middle + half
