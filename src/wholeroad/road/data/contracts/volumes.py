"""How many rows happened in each full hour or day, over the parts of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from wholeroad.core.instants import DAY, UNITS, Instant, format_instant
from wholeroad.road.brief.source_contract import VolumeTable
from wholeroad.road.data.contracts.uniqueness import Words

_PERIOD: Final = "period"
_OWNER: Final = "owner"
_SPANS: Final = {"hour": UNITS["h"], "day": DAY}
_EMPTY: Final = {_PERIOD: pl.Int64(), _OWNER: pl.UInt64()}


@dataclass(frozen=True, slots=True)
class OddPeriod:
    """A full hour or day with too few rows, or too many."""

    at: Instant
    rows: int
    said: str


class Volumes:
    """Counts rows by the hour or day (UTC) in which they happened.

    A row that comes twice counts once; the versions of one row in one hour or day are one row.

    Parameters
    ----------
    until
        An hour or a day that ends later isn't full; without it, only those at the ends aren't.
    """

    def __init__(self, volume: VolumeTable, *, until: Instant | None = None) -> None:
        self._volume = volume
        self._span = _SPANS[volume.per]
        self._until = until
        self._here: list[pl.DataFrame] = []
        self._standing = pl.DataFrame(schema=_EMPTY)

    def add(self, happened: pl.Series, owners: Words | None) -> None:
        """Count a part.

        Parameters
        ----------
        happened
            Shape (n,), instants; null counts nowhere.
        owners
            Shape (n,): words of the rows' keys; None where each row is one of its own.
        """
        if owners is None:
            counted = self._periods(happened).group_by(_PERIOD).len().rename({"len": _OWNER})
            self._here.append(counted.cast({_OWNER: pl.UInt64}))
            return
        periods = self._periods(happened, pl.Series(_OWNER, owners, dtype=pl.UInt64))
        self._here.append(periods.unique())

    def stand(self, happened: pl.Series, owners: Words) -> None:
        """Note what stands in the table already."""
        self._standing = self._periods(happened, pl.Series(_OWNER, owners, dtype=pl.UInt64)).unique()

    def odd(self, *, owned: bool) -> Iterator[OddPeriod]:
        """Give the full hours or days, between the batch's first and last row, that break the clause.

        Parameters
        ----------
        owned
            Whether the rows came with words of their keys.
        """
        here = pl.concat([pl.DataFrame(schema=_EMPTY), *self._here])
        if not here.height:
            return
        first, last = (int(getattr(here[_PERIOD], end)()) for end in ("min", "max"))
        if owned:
            whole = pl.concat([here, self._standing]).unique().group_by(_PERIOD).len()
        else:
            whole = here.group_by(_PERIOD).agg(pl.col(_OWNER).sum().alias("len"))
        begun, ends = (int(getattr(whole[_PERIOD], end)()) for end in ("min", "max"))
        if self._until is not None:
            ends = min(ends, self._until // self._span)
        full = pl.DataFrame({_PERIOD: pl.int_range(max(first, begun + 1), min(last + 1, ends), eager=True)})
        counted = full.join(whole, on=_PERIOD, how="left").with_columns(pl.col("len").fill_null(0))
        most = self._volume.most
        few = pl.col("len") < self._volume.least
        odd = counted.filter(few if most is None else few | (pl.col("len") > most))
        for period, rows in odd.sort(_PERIOD).iter_rows():
            at = period * self._span
            yield OddPeriod(at, rows, f"{rows:,} rows in the {self._volume.per} from {format_instant(at)}")

    def _periods(self, happened: pl.Series, *owners: pl.Series) -> pl.DataFrame:
        micros = happened.to_physical().cast(pl.Int64)
        return (
            pl.DataFrame([micros.alias(_PERIOD), *owners])
            .filter(pl.col(_PERIOD).is_not_null())
            .with_columns(pl.col(_PERIOD) // self._span)
        )
