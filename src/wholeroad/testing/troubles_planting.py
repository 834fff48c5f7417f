"""The bed that trouble is planted in: which place, which rows, and what was done there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import numpy as np
import polars as pl
from numpy.random import Generator  # noqa: TID251 - what is planted is drawn from a seed

from wholeroad.testing.troubles_drawing import DAYS, START, Nature, Place, World

Size = Literal["large", "middle", "small"]
SIZES: Final[dict[Size, float]] = {"large": 0.10, "middle": 0.02, "small": 0.003}
"""The share of a source's rows that most kinds touch."""

HELD_OUT: Final = 100
"""The first seed that nobody looks at before the last count; from here on trouble takes other forms too."""
Chosen = TypeVar("Chosen")


@dataclass(frozen=True, slots=True)
class Planted:
    """What was planted, and where.

    Attributes
    ----------
    source
        Where it is.
    columns
        Naming any of them is naming it rightly; empty where it concerns whole rows.
    rows
        How many rows were changed, added or taken away.
    also
        Other sources in which it is seen as well: an outcome that is missing is missed by a case.
    """

    kind: str
    size: Size
    source: str
    columns: tuple[str, ...]
    rows: int
    also: tuple[str, ...] = ()

    def is_named_by(self, code: str, *, source: str, columns: tuple[str, ...]) -> bool:
        """Tell whether a trouble that was found says this one: its kind, its source, one of its columns."""
        if code != self.kind or source not in {self.source, *self.also}:
            return False
        return not self.columns or bool({*self.columns} & {*columns})


@dataclass(frozen=True, slots=True)
class Bed:
    """A world, a kind, a size, and dice to choose the place with; held out where nobody tunes."""

    world: World
    kind: str
    size: Size
    dice: Generator
    held_out: bool = False

    @property
    def share(self) -> float:
        """Share of rows to touch."""
        return SIZES[self.size]

    def one_of(self, choices: tuple[Chosen, ...]) -> Chosen:
        """Draw one of some things."""
        return choices[int(self.dice.integers(len(choices)))]

    def form(self, *known: Chosen, unseen: tuple[Chosen, ...]) -> Chosen:
        """Draw the form that the trouble takes; where nobody tunes, as often one that nobody has seen."""
        return self.one_of(unseen if self.held_out and self.dice.integers(2) else known)

    def place(self, *natures: Nature, timed: bool = False, where: Callable[[Place], bool] = bool) -> Place:
        """Draw a column of some natures, in a source with times if so wanted."""
        fitting = [
            place
            for place in self.world.of(*natures)
            if where(place) and (not timed or place.source in self.world.times)
        ]
        return self.one_of(tuple(fitting))

    def source(self, *names: Literal["case", "outcome", "event"]) -> str:
        """Draw a source by its part in the world."""
        name: str = getattr(self.world, self.one_of(names))
        return name

    def count(self, source: str, share: float | None = None) -> int:
        """Give how many rows a share of a source is, at least one."""
        return max(1, round((self.share if share is None else share) * self.world.frames[source].height))

    def some(self, source: str, *, where: pl.Expr | None = None, count: int | None = None) -> pl.Series:
        """Mark rows by chance, all versions of a key or none; fewer where too few meet the condition."""
        frame, key = self.world.frames[source], self.world.keys[source]
        fitting = frame if where is None else frame.filter(where)
        keys = fitting[key].unique(maintain_order=True)
        wanted = min(self.count(source) if count is None else count, len(keys))
        return frame[key].is_in(keys.gather(self.dice.permutation(len(keys))[:wanted]).implode())

    def run(self, source: str, *, share: float | None = None, last: bool = False) -> pl.Series:
        """Mark a run of rows in the order in which they happened: somewhere between, or the last ones."""
        frame = self.world.frames[source]
        happened = self.world.times[source][0]
        count = self.count(source, share)
        first = frame.height - count
        if not last:
            low = frame.height // 5
            first = int(self.dice.integers(low, max(low + 1, int(0.85 * frame.height) - count)))
        rank = frame[happened].rank("ordinal") - 1
        return (rank >= first) & (rank < first + count)

    def late(self, source: str, share: float) -> pl.Expr:
        """Mark the rows of the last share of the span."""
        since = START + np.timedelta64(int((1 - share) * DAYS), "D")
        return pl.col(self.world.times[source][0]) >= pl.lit(since).dt.replace_time_zone("UTC")

    def changed(
        self, place: Place, marked: pl.Series, *, value: pl.Expr | pl.Series
    ) -> tuple[World, Planted]:
        """Give the world in which some rows of a column hold something else."""
        return self.with_values(place.source, place.column, marked=marked, value=value)

    def with_values(
        self, source: str, column: str, *, marked: pl.Series, value: pl.Expr | pl.Series
    ) -> tuple[World, Planted]:
        """Give the world in which some rows of a column hold something else."""
        frame = self.world.frames[source]
        other = value if isinstance(value, pl.Expr) else pl.lit(value)
        kept = pl.col(column)
        frame = frame.with_columns(pl.when(pl.lit(marked)).then(other).otherwise(kept).alias(column))
        return self.world.with_frame(source, frame), self.told(source, int(marked.sum()), column)

    def told(self, source: str, rows: int, *columns: str, also: tuple[str, ...] = ()) -> Planted:
        """Say what was planted."""
        return Planted(self.kind, self.size, source, columns, rows, also)


def copied(bed: Bed, source: str, *, rows: pl.DataFrame, later_s: pl.Series) -> World:
    """Give the world with copies of some rows under keys of their own, each some seconds later.

    Copies of cases get copies of the outcomes.
    """
    world = bed.world
    key = world.keys[source]
    fresh = new_keys(world.frames[source][key], rows.height)
    moved = rows.with_columns(_moved(world, source, later_s))
    whole = pl.concat([world.frames[source], moved.with_columns(fresh.alias(key))])
    world = world.with_frame(source, _sorted(world, source, whole))
    if source != world.case:
        return world
    paired = pl.DataFrame({key: rows[key], "_fresh": fresh, "_later": later_s})
    outcomes = world.frames[world.outcome].join(paired, on=key, how="inner", maintain_order="right")
    again = outcomes.with_columns(_moved(world, world.outcome, outcomes["_later"]))
    again = again.with_columns(pl.col("_fresh").alias(key)).drop("_fresh", "_later")
    whole = pl.concat([world.frames[world.outcome], again])
    return world.with_frame(world.outcome, _sorted(world, world.outcome, whole))


def _moved(world: World, source: str, later_s: pl.Series) -> list[pl.Expr]:
    return [pl.col(name) + pl.duration(seconds=pl.lit(later_s)) for name in world.times[source]]


def _sorted(world: World, source: str, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort(world.times[source][0], maintain_order=True)


def new_keys(keys: pl.Series, count: int) -> pl.Series:
    """Give keys that aren't there, written as the others are."""
    if keys.dtype.is_integer():
        first = int(keys.max()) + 1  # type: ignore[arg-type]
        return pl.Series(np.arange(first, first + count), dtype=keys.dtype)
    example = str(keys[0])
    prefix = re.match(r"\D*", example)[0]  # type: ignore[index]
    width = len(example) - len(prefix)
    return pl.Series([f"{prefix}{9 * 10 ** (width - 1) + number}" for number in range(count)])


def truths(world: World) -> pl.Series:
    """Tell of each row of the case source whether the class that is looked for came true; null if unknown."""
    key = world.keys[world.case]
    column, bar = world.hit
    told = world.frames[world.outcome].select(key, _hit=pl.col(column) > bar).unique(key, keep="last")
    return world.frames[world.case].select(key).join(told, on=key, how="left", maintain_order="left")["_hit"]


Planter = Callable[[Bed], tuple[World, Planted]]
