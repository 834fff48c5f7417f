"""The sheet that people fill in: which cases, in what order, with what columns; and what comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import Fault, FaultsError, UserError
from wholeroad.core.ids import chance, digest
from wholeroad.core.instants import parse_instant
from wholeroad.road.data.verdicts import VERDICT
from wholeroad.road.review.rules import UNSURE
from wholeroad.road.review.suspects import Suspects, ranked
from wholeroad.road.review.work import Examined

Order = Literal["chance", "money"]

TO_FILL_IN: Final = (VERDICT, "by", "note")
FEATURES: Final = 6
"""Features that are shown unless others are asked for: those that tell most about the label."""

BINS: Final = 10

ITEMS: Final = pl.Schema(
    {
        "review": pl.Int64(),
        "item": pl.String(),
        "key": pl.String(),
        "kind": pl.String(),
        "given": pl.String(),
        "suggested": pl.String(),
        "chance": pl.Float64(),
        "money": pl.Float64(),
        "score": pl.Float64(),
        "decided_at": pl.Datetime("us", "UTC"),
    }
)
"""The record of a sheet's items; ``kind`` is ``suspect`` or ``drawn``, and isn't in the file."""

JUDGED: Final = pl.Schema(
    {
        "item": pl.String(),
        "key": pl.String(),
        "by": pl.String(),
        "verdict": pl.String(),
        "note": pl.String(),
        "judged_at": pl.Int64(),
    }
)
"""Verdicts as they come back; ``verdict`` is null for *unsure*, ``judged_at`` where nothing is claimed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sheet is to hold.

    Attributes
    ----------
    most
        Suspects at most, the first of the ranking.
    drawn_share
        Share of the rows that are drawn by chance from all other judged cases, 0 to less than 1; they look
        the same. Without them nobody can tell how many errors the flags miss.
    blind
        Whether the given label, the suggestion and the money are left out.
    order
        ``chance``: shuffled, by the hash of the case; ``money``: what costs most first.
    features
        To be shown; those that tell most unless said.
    """

    most: int = 100
    drawn_share: float = 0.25
    blind: bool = False
    order: Order = "chance"
    features: tuple[str, ...] = ()


def draw_items(examined: Examined, wanted: Wanted, *, review: int) -> pl.DataFrame:
    """Choose a sheet's items and put them in order: as :data:`ITEMS`, and ``position`` in the history.

    Parameters
    ----------
    review
        The sheet's number; another draws other cases.
    """
    brief = examined.history.brief
    suspects = examined.suspects.first(wanted.most)
    ids = examined.history.cases.ids[examined.positions]
    lots = chance(ids, seed=brief.model.seed, salt=f"review {review}")
    lots[suspects.positions] = np.inf
    share = wanted.drawn_share
    count = round((suspects.positions.size or wanted.most) * share / (1 - share))
    drawn = np.argsort(lots, kind="stable")[: min(count, ids.size - suspects.positions.size)]
    others = examined.probabilities[drawn]
    others[np.arange(drawn.size), examined.labels[drawn]] = -1.0
    controls = ranked(
        examined.probabilities,
        examined.labels,
        positions=drawn,
        suggested=others.argmax(axis=1).astype(np.int64),
        stakes=examined.stakes,
    )
    frame = pl.concat([_items(examined, suspects, "suspect"), _items(examined, controls, "drawn")])
    names = [f"r{review}-{digest(str(review), key)[:10]}" for key in frame["key"]]
    frame = frame.with_columns(
        pl.lit(review, dtype=pl.Int64).alias("review"), pl.Series("item", names, dtype=pl.String)
    )
    if wanted.order == "money":
        return frame.sort("score", "item", descending=[True, False])
    order = chance(frame["case"].to_numpy(), seed=brief.model.seed, salt=f"order of review {review}")
    return frame[np.argsort(order, kind="stable")]


def _items(examined: Examined, some: Suspects, kind: str) -> pl.DataFrame:
    return examined.frame(some).with_columns(
        pl.lit(kind).alias("kind"), pl.Series("position", examined.positions[some.positions])
    )


def sheet(examined: Examined, items: pl.DataFrame, *, wanted: Wanted) -> pl.DataFrame:
    """Write the items as people see them: the key, when decided, features as known then, and empty columns.

    Raises
    ------
    UserError
        ``review.unknown-feature``.
    """
    history, rows = examined.history, items["position"].to_numpy()
    names = wanted.features or telling_features(examined)
    if unknown := [name for name in names if name not in history.features.schema]:
        raise UserError(
            "review.unknown-feature",
            "A feature that is to be shown isn't there",
            happened=f"was {', '.join(unknown)}",
            expected=f"some of {', '.join(history.features.schema)}",
            fix="name features of the brief",
        )
    ours = {"item", "decided_at", "given", "suggested", "money", *TO_FILL_IN}
    shown = history.features.take(rows).select(
        pl.col(name).alias(f"feature.{name}" if name in ours | {*history.cases.key} else name)
        for name in names
    )
    keys = history.cases.frame[rows].select(
        pl.col(name).alias(f"case.{name}" if name in ours else name) for name in history.cases.key
    )
    told = [] if wanted.blind else [items.select("given", "suggested", pl.col("money").round(2))]
    empty = pl.DataFrame(
        {name: [""] * items.height for name in TO_FILL_IN}, schema=dict.fromkeys(TO_FILL_IN, pl.String)
    )
    parts = [items.select("item"), keys, items.select("decided_at"), shown, *told, empty]
    return pl.concat(parts, how="horizontal")


def telling_features(examined: Examined, most: int = FEATURES) -> tuple[str, ...]:
    """Name the features that tell most about the label, by Cramér's V squared over ten bins or values."""
    rows, labels = examined.positions, examined.labels
    step = max(1, rows.size // 20_000)
    frame = examined.history.features.take(rows[::step])
    told = {
        name: _association(frame[name], labels[::step], examined.probabilities.shape[1])
        for name in frame.columns
    }
    return tuple(sorted(told, key=lambda name: (-told[name], name))[:most])


def _association(column: pl.Series, labels: NDArray[np.signedinteger], classes: int) -> float:
    if column.dtype.is_numeric() or column.dtype.is_temporal():
        ranks = column.to_physical().rank("average").fill_null(0.0).to_numpy()
        bins = np.ceil(ranks / max(1.0, float(ranks.max(initial=1.0))) * BINS).astype(np.int64)
    else:
        bins = column.cast(pl.String).fill_null("").rank("dense").to_numpy().astype(np.int64)
    bins = np.minimum(bins, 50)
    table = (
        np.bincount(bins * classes + labels, minlength=51 * classes).reshape(51, classes).astype(np.float64)
    )
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / max(1.0, table.sum())
    parts = np.divide((table - expected) ** 2, expected, out=np.zeros_like(table), where=expected > 0)
    return float(parts.sum() / max(1.0, table.sum()))


def read_sheet(
    rows: pl.DataFrame, items: pl.DataFrame, *, classes: Sequence[str], by: str = ""
) -> tuple[pl.DataFrame, int]:
    """Read a sheet that came back; rows without a verdict are left out and counted.

    Parameters
    ----------
    rows
        Texts, as the file has them.
    items
        The record of all sheets, as :data:`ITEMS`.
    by
        Who judged where the column ``by`` is empty.

    Returns
    -------
    tuple[polars.DataFrame, int]
        As :data:`JUDGED`, and how many rows had no verdict.

    Raises
    ------
    UserError
        ``review.columns``.
    FaultsError
        Every row that can't be taken at once: ``review.unknown-item``, ``review.no-class``,
        ``review.nobody``, ``review.twice``, ``review.no-instant``.
    """
    if missing := [name for name in ("item", VERDICT) if name not in rows.columns]:
        raise UserError(
            "review.columns",
            "The review file lacks columns",
            happened=f"{', '.join(missing)} was missing; there were {', '.join(rows.columns)}",
            expected="the columns that were written: item, verdict, by, note",
            fix="put the header back; the other columns may be deleted",
        )
    reader = _Reader(dict(items.select("item", "key").iter_rows()), classes, by)
    judged = [
        one for place, row in enumerate(rows.iter_rows(named=True), 2) for one in reader.row(place, row)
    ]
    if reader.faults:
        raise FaultsError("The review file can't be read", reader.faults)
    return pl.DataFrame(judged, schema=JUDGED, orient="row"), reader.empty


Judgement = tuple[str, str, str, str | None, str, int | None]


class _Reader:
    """Reads row after row, and keeps what is wrong."""

    def __init__(self, keys: dict[str, str], classes: Sequence[str], by: str) -> None:
        self._keys = keys
        self._classes = classes
        self._by = by
        self._said: dict[tuple[str, str], str] = {}
        self.faults: list[Fault] = []
        self.empty = 0

    def row(self, line: int, row: dict[str, str | None]) -> Iterator[Judgement]:
        """Give the row's verdict, or note what is wrong with it."""
        cells = {name: (text or "").strip() for name, text in row.items()}
        item, said, by = cells["item"], cells[VERDICT], cells.get("by", "") or self._by
        if not said:
            self.empty += 1
            return
        before = len(self.faults)
        if item not in self._keys:
            self._fault(
                line, "review.unknown-item", f"item was {item!r}", "an item of a review of this project"
            )
        verdict = self._verdict(said)
        if verdict is None:
            known = f"one of {', '.join(self._classes)}, or {UNSURE}"
            self._fault(line, "review.no-class", f"verdict was {said!r}", known)
        if not by:
            self._fault(line, "review.nobody", "by was empty", "the name of whoever judged")
        if self._said.setdefault((item, by), said) != said:
            self._fault(
                line, "review.twice", f"{by} also said {self._said[item, by]!r} of {item}", "one verdict each"
            )
        judged_at = self._instant(line, cells.get("judged_at", ""))
        if len(self.faults) == before:
            yield (
                item,
                self._keys[item],
                by,
                None if verdict == UNSURE else verdict,
                cells.get("note", ""),
                judged_at,
            )

    def _verdict(self, said: str) -> str | None:
        if said in self._classes:
            return said
        known = [name for name in (*self._classes, UNSURE) if name.casefold() == said.casefold()]
        return known[0] if len(known) == 1 else None

    def _instant(self, line: int, text: str) -> int | None:
        if not text:
            return None
        try:
            return parse_instant(text)
        except ValueError as error:
            self._fault(line, "review.no-instant", str(error), "an instant in ISO 8601, or nothing")
            return None

    def _fault(self, line: int, code: str, happened: str, expected: str) -> None:
        fix = _FIXES[code]
        self.faults.append(Fault(code, f"row {line}", happened, expected, fix))


_FIXES: Final = {
    "review.unknown-item": "put the item back as it was written, or read the file into its own project",
    "review.no-class": "write the class, or unsure",
    "review.nobody": "fill in by, or name the person for all rows when reading",
    "review.twice": "keep one of the rows",
    "review.no-instant": "write it as 2024-03-01T12:00:00Z, or leave it empty",
}
