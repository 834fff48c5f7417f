"""What clean worlds are drawn with: rhythms, delays, amounts, shares; and how a world is described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from numpy.random import Generator  # noqa: TID251 - a world is drawn from a seed, not decided
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Stamps = NDArray[np.datetime64]

START: Final = np.datetime64("2023-07-03T00:00:00", "us")
"""The first day of every world, a Monday."""
DAYS: Final = 300
END: Final = START + np.timedelta64(DAYS, "D")
"""What would become known from here on is in no world."""
CHRISTMAS: Final = (174, 175, 176, 182)
"""Days after :data:`START` on which a business is closed: 24 to 26 December, 1 January."""

CITIES: Final[Mapping[str, float]] = {
    "Wien": 20,
    "Graz": 9,
    "Linz": 8,
    "Sankt Pölten": 7,
    "München": 12,
    "Nürnberg": 8,
    "Zürich": 10,
    "Köln": 9,
    "Málaga": 4,
    "Besançon": 3,
    "Göteborg": 3,
    "Brno": 6,
    "Győr": 2,
    "Ålesund": 0.4,
}
NAMES: Final[Mapping[str, float]] = {
    "Jürgen Weiß": 9,
    "María Peña": 8,
    "Zoë Brandt": 7,
    "Anna Huber": 9,
    "Søren Lund": 6,
    "Petra Novak": 7,
    "François Petit": 5,
    "Karl Maier": 8,
    "Łukasz Nowak": 4,
    "Eva Groß": 6,
}

Nature = Literal["amount", "share", "date", "category", "name", "reference", "fixed", "measure", "code"]
"""What a column holds: a positive amount, a share (0 to 1), a date, one of a few words, a name of a place
or a person, a key of the static table, what a key fixes, a number that may be negative, a text of digits."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column that trouble can be planted in.

    Attributes
    ----------
    calculated
        Whether an expression of the brief calculates with it, so that its type can't change.
    """

    source: str
    column: str
    nature: Nature
    calculated: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """A business: its brief, and the rows of its sources.

    Attributes
    ----------
    brief
        TOML.
    frames
        By source; instants are ``Datetime("us", "UTC")``, sorted by when they happened.
    case, outcome, event, static
        Names of the four sources.
    keys
        The key column of each source.
    times
        Of each source with times: the columns with when a row happened and when it became known.
    reference
        The column of the case and the event source that holds the static source's key.
    places
        Columns that trouble can be planted in.
    pairs
        Two columns of one source that could be swapped by mistake, and be told apart.
    """

    template: str
    brief: str
    frames: Mapping[str, pl.DataFrame]
    case: str
    outcome: str
    event: str
    static: str
    keys: Mapping[str, str]
    times: Mapping[str, tuple[str, str]]
    reference: str
    hit: tuple[str, float]
    """A column of the outcome source; the class that is looked for came true where it is greater."""
    places: tuple[Place, ...]
    pairs: tuple[tuple[str, str, str], ...]

    def with_frame(self, source: str, frame: pl.DataFrame) -> World:
        """Give the world with other rows of one source."""
        return replace(self, frames={**self.frames, source: frame})

    def of(self, *natures: Nature) -> tuple[Place, ...]:
        """Give the places of some natures."""
        return tuple(place for place in self.places if place.nature in natures)

    @property
    def columns(self) -> int:
        """How many columns all sources have."""
        return sum(frame.width for frame in self.frames.values())


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a business is at work.

    Attributes
    ----------
    hour, spread_h
        The middle of its day, and the standard deviation around it, in hours; no spread is all day long.
    weekend
        Share of an ordinary day's rows on Saturdays and Sundays.
    growth
        By what share the volume grows from the first day to the last.
    season
        By what share it swings over a year.
    closed
        Days after the start on which nothing happens.
    """

    hour: float = 13.0
    spread_h: float = 4.0
    weekend: float = 0.4
    growth: float = 0.15
    season: float = 0.1
    closed: tuple[int, ...] = ()


def stamps(dice: Generator, rhythm: Rhythm, *, count: int) -> Stamps:
    """Draw sorted instants over the span, in whole seconds."""
    day = np.arange(DAYS)
    weight = np.where(day % 7 >= 5, rhythm.weekend, 1.0) * (1 + rhythm.growth * day / DAYS)
    weight = weight * (1 + rhythm.season * np.sin(2 * np.pi * day / 365))
    weight[list(rhythm.closed)] = 0.0
    days = dice.choice(day, count, p=weight / weight.sum())
    hours = dice.normal(rhythm.hour, rhythm.spread_h, count) if rhythm.spread_h else dice.random(count) * 24
    seconds = days * 86_400 + (hours % 24 * 3_600).astype(np.int64)
    return np.asarray(START + np.sort(seconds).astype("timedelta64[s]"))


def after(dice: Generator, at: Stamps, *, median_h: float, sigma: float = 0.7) -> Stamps:
    """Give each instant a log-normal delay, which has a tail as real ones do."""
    hours = median_h * dice.lognormal(0.0, sigma, len(at))
    return np.asarray(at + (hours * 3_600).astype("timedelta64[s]"))


def pick(dice: Generator, shares: Mapping[str, float], *, count: int) -> NDArray[np.str_]:
    """Draw words; the shares are scaled to one."""
    weights = np.array(list(shares.values()), dtype=np.float64)
    return dice.choice(np.array(list(shares)), count, p=weights / weights.sum())


def amounts(dice: Generator, median: Floats | float, *, sigma: float, count: int, digits: int = 2) -> Floats:
    """Draw log-normal amounts, rounded."""
    return np.asarray(np.round(median * dice.lognormal(0.0, sigma, count), digits))


def dates(dice: Generator, count: int, *, first: str, last: str) -> Stamps:
    """Draw days, evenly."""
    low, high = np.datetime64(first, "D"), np.datetime64(last, "D")
    days = dice.integers(0, int((high - low).astype(int)), count)
    return np.asarray(low + days.astype("timedelta64[D]"))


def chosen(dice: Generator, keys: Integers, *, count: int) -> Integers:
    """Draw keys of the static table; a few come often (log-normal weights)."""
    weight = dice.lognormal(0.0, 0.8, len(keys))
    return np.asarray(dice.choice(keys, count, p=weight / weight.sum()))


def without(dice: Generator, values: NDArray[Any], *, share: Floats | float) -> pl.Series:
    """Leave out a share of the values, whatever they are."""
    series = pl.Series(values)
    return pl.select(pl.when(pl.lit(pl.Series(dice.random(len(values)) >= share))).then(series)).to_series()


def chance_of(logit: Floats) -> Floats:
    """Give the logistic function."""
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))


def frame_of(columns: Mapping[str, Any], times: Sequence[str]) -> pl.DataFrame:
    """Make the frame of a source: its instants in UTC."""
    frame = pl.DataFrame(dict(columns))
    stamped = [pl.col(name).cast(pl.Datetime("us")).dt.replace_time_zone("UTC") for name in times]
    return frame.with_columns(stamped)


def known_by_the_end(frame: pl.DataFrame, known: str) -> pl.DataFrame:
    """Leave out what would become known after the span: the last cases have no outcome yet."""
    return frame.filter(pl.col(known) <= pl.lit(END).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))


def age(at: Stamps) -> Floats:
    """Give the place in the span, 0 to 1."""
    return np.asarray((at - START) / np.timedelta64(DAYS, "D"))


def weekday(at: Stamps) -> Integers:
    """Give the day of the week; 0 is Monday."""
    return np.asarray(((at - START) // np.timedelta64(1, "D")).astype(np.int64) % 7)


def post_codes(dice: Generator, count: int) -> NDArray[np.str_]:
    """Draw codes of five digits, some with a zero first."""
    return np.array([f"{code:05d}" for code in dice.choice(np.arange(1_060, 99_000, 7), count)])


def corrected(dice: Generator, frame: pl.DataFrame, *, known: str, column: str) -> pl.DataFrame:
    """Add later versions of a few rows with one number a little different, as after weighing again."""
    some = pl.Series(dice.random(frame.height) < 0.02)
    again = frame.filter(some & frame[column].is_not_null())
    factor, hours = dice.normal(1.0, 0.03, again.height), dice.integers(24, 96, again.height)
    later = again.with_columns(
        (pl.col(column) * pl.Series(factor)).round(2),
        pl.col(known) + pl.duration(hours=pl.lit(pl.Series(hours))),
    )
    return known_by_the_end(pl.concat([frame, later]), known)


def places(
    natures: Mapping[str, Mapping[str, Nature]], *, calculated: Sequence[str] = ()
) -> tuple[Place, ...]:
    """List the columns that trouble can be planted in."""
    return tuple(
        Place(source, column, nature, calculated=column in calculated)
        for source, columns in natures.items()
        for column, nature in columns.items()
    )
