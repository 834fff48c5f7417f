"""A running system, known by its log alone: what it did to each case, how sure it was, and by what chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.expressions import Expression
from wholeroad.core.instants import Instant
from wholeroad.core.view import Codes, code_type
from wholeroad.road.data.cases import Cases
from wholeroad.road.data.versions import DELETED, KNOWN, ORDER, Versions

SILENT: Final = -1
"""Action code of a case whose action isn't known."""


@dataclass(frozen=True, slots=True)
class Log:
    """``[incumbent]``, bound: expressions over the rows of ``source``; None where the brief has none."""

    source: str
    score: Expression | None
    action: Expression | None
    propensity: Expression | None

    @property
    def columns(self) -> set[str]:
        """The columns of the source that it reads, without the key."""
        return {name for each in (self.score, self.action, self.propensity) if each for name in each.columns}


@dataclass(frozen=True, slots=True)
class Entries:
    """Every version of every log row that belongs to a case, shape (m,), in the order of ``known_at``."""

    known_at: NDArray[np.int64]
    case: NDArray[np.int32]
    action: Codes
    score: NDArray[np.float64]
    propensity: NDArray[np.float64]

    @property
    def columns(self) -> tuple[NDArray[np.generic], ...]:
        """Its arrays, in the order of the fields."""
        return (self.known_at, self.case, self.action, self.score, self.propensity)

    def of(self, some: slice | NDArray[np.bool_]) -> Entries:
        """Give some of the entries."""
        return Entries(
            self.known_at[some], self.case[some], self.action[some], self.score[some], self.propensity[some]
        )


@dataclass(frozen=True)
class Logged:
    """What was done to each case, in the order of the cases; the newest version of the log counts.

    Attributes
    ----------
    action
        Shape (n,): codes, :data:`SILENT` where the log says nothing.
    score
        Shape (n,): its probability of the brief's ``positive``; NaN where there is none.
    propensity
        Shape (n,): the probability, in (0, 1], with which ``action`` was chosen; NaN where it isn't known.
    positive
        Code of the class that scores speak of.
    by_score
        The log has scores only: the action is the one of most expected money by the score.
    strange
        Log rows by a text that is no action, the most frequent first.
    outside
        Rows with a score outside 0..1, and rows with a propensity outside (0, 1]: taken as unknown.
    ours
        Shape (n,): the case was decided here; None where none was.
    """

    action: Codes
    score: NDArray[np.float64]
    propensity: NDArray[np.float64]
    positive: int = 0
    by_score: bool = False
    strange: Mapping[str, int] = field(default_factory=dict)
    outside: tuple[int, int] = (0, 0)
    entries: Entries | None = None
    ours: NDArray[np.bool_] | None = None

    @property
    def randomised(self) -> NDArray[np.bool_]:
        """Shape (n,): chance had a part in what was done, and the log says how much."""
        drawn: NDArray[np.bool_] = (self.action != SILENT) & (self.propensity > 0) & (self.propensity < 1)
        return drawn

    def probabilities(self, width: int) -> NDArray[np.float64]:
        """Give the scores as probabilities of two classes, shape (n, 2); NaN where there is none."""
        spoken = np.full((len(self.score), width), np.nan)
        if width == 2:
            spoken[:, self.positive] = self.score
            spoken[:, 1 - self.positive] = 1 - self.score
        return spoken

    def take(self, rows: slice | NDArray[np.int64]) -> Logged:
        """Give what was done to some of the cases."""
        some = (self.action[rows], self.score[rows], self.propensity[rows])
        ours = None if self.ours is None else self.ours[rows]
        return Logged(*some, positive=self.positive, by_score=self.by_score, ours=ours)

    def as_of(self, now: Instant) -> Logged:
        """Give what the log said at ``now``, for fits: a row that came later, or was corrected, is unseen."""
        entries = self.entries
        if entries is None:
            return self
        seen = slice(0, int(np.searchsorted(entries.known_at, now, side="right")))
        laid = _laid(entries.of(seen), count=len(self.action), positive=self.positive)
        return replace(laid, by_score=self.by_score)

    def overlaid(self, cases: NDArray[np.int64], action: Codes, *, propensity: NDArray[np.float64]) -> Logged:
        """Give the record with our own decisions on some cases, by position; known when they were made."""
        both = self.entries
        if both is not None:
            # Our own word stands for these cases, whatever a log says of them.
            early = np.full(cases.size, np.iinfo(np.int64).min)
            ours = Entries(early, cases.astype(np.int32), action, np.full(cases.size, np.nan), propensity)
            theirs = both.of(~np.isin(both.case, cases))
            both = Entries(*(np.concatenate(pair) for pair in zip(ours.columns, theirs.columns, strict=True)))
        laid = replace(
            self,
            action=self.action.copy(),
            score=self.score.copy(),
            propensity=self.propensity.copy(),
            entries=both,
            ours=np.isin(np.arange(self.action.size), cases),
        )
        laid.action[cases], laid.score[cases], laid.propensity[cases] = action, np.nan, propensity
        return laid


def nothing_logged(count: int, kind: np.dtype[np.signedinteger]) -> Logged:
    """Give the record of so many cases about which nothing is known, with action codes of a type."""
    return Logged(np.full(count, SILENT, dtype=kind), np.full(count, np.nan), np.full(count, np.nan))


def read_log(
    cases: Cases,
    versions: Versions,
    *,
    log: Log,
    actions: tuple[str, ...],
    amounts: tuple[float, ...] = (),
    positive: int = 0,
) -> Logged:
    """Read a running system's log, joined to the cases by their key.

    Parameters
    ----------
    versions
        Of the log's source. Of several rows of one case the one that became known last speaks.
    actions
        Names, in the order of their codes; another text is unknown, and counted.
    amounts
        Behind the actions, where they are numbers: the nearest is taken.
    positive
        Code of the class that scores speak of.
    """
    rows = _joined(cases, versions, log)
    said = rows["action"]
    codes = _nearest(said, amounts) if amounts else _named(said, actions)
    strange = said.filter(pl.Series(codes == SILENT)).drop_nulls().cast(pl.String).value_counts(name="rows")
    score, strange_scores = _within(rows["score"], lowest=0.0)
    propensity, strange_propensities = _within(rows["propensity"], lowest=float(np.nextafter(0, 1)))
    gone = rows[DELETED].to_numpy()
    codes[gone], score[gone], propensity[gone] = SILENT, np.nan, np.nan
    entries = Entries(rows[KNOWN].to_physical().to_numpy(), rows["case"].to_numpy(), codes, score, propensity)
    laid = _laid(entries, count=cases.frame.height, positive=positive)
    return replace(
        laid,
        by_score=log.action is None,
        strange=dict(strange.sort("rows", said.name, descending=[True, False]).iter_rows()),
        outside=(strange_scores, strange_propensities),
        entries=entries,
    )


def _named(said: pl.Series, actions: tuple[str, ...]) -> Codes:
    known = {name: code for code, name in enumerate(actions)}
    codes = said.cast(pl.String).replace_strict(known, default=SILENT, return_dtype=pl.Int32)
    return codes.fill_null(SILENT).to_numpy().astype(code_type(len(actions)))


def _nearest(said: pl.Series, amounts: tuple[float, ...]) -> Codes:
    steps = np.array(amounts)
    wanted = said.cast(pl.Float64).fill_null(np.nan).to_numpy()
    codes = np.searchsorted((steps[1:] + steps[:-1]) / 2, wanted, side="left")
    return np.where(np.isnan(wanted), SILENT, codes).astype(code_type(len(amounts)))


def _laid(entries: Entries, *, count: int, positive: int) -> Logged:
    """Lay entries over each other in the order of time: the last of a case stands."""
    laid = nothing_logged(count, entries.action.dtype)
    laid.action[entries.case] = entries.action
    laid.score[entries.case] = entries.score
    laid.propensity[entries.case] = entries.propensity
    return replace(laid, positive=positive)


def _joined(cases: Cases, versions: Versions, log: Log) -> pl.DataFrame:
    told = {"action": log.action, "score": log.score, "propensity": log.propensity}
    keys = list(cases.key)
    # Named by place: a column of the key may be called action or score.
    joined = [f"_key_{place}" for place in range(len(keys))]
    kinds = {name: versions.frame.schema[key] for name, key in zip(joined, keys, strict=True)}
    found = cases.frame.lazy().select(
        *(pl.col(key).alias(name) for key, name in zip(keys, joined, strict=True)),
        pl.int_range(pl.len(), dtype=pl.Int32).alias("case"),
    )
    return (
        versions.frame.lazy()
        .select(
            *(pl.col(key).alias(name) for key, name in zip(keys, joined, strict=True)),
            *((pl.lit(None) if text is None else text.polars).alias(name) for name, text in told.items()),
            KNOWN,
            ORDER,
            DELETED,
        )
        .join(found.cast(kinds), on=joined, how="inner")  # type: ignore[arg-type]
        .sort(KNOWN, ORDER)
        .select("case", *told, KNOWN, DELETED)
        .collect()
    )


def _within(numbers: pl.Series, *, lowest: float) -> tuple[NDArray[np.float64], int]:
    """Give numbers from ``lowest`` to 1, NaN for others, and how many others there were."""
    found = numbers.cast(pl.Float64).fill_null(np.nan).to_numpy().copy()
    outside = ~np.isnan(found) & ~((found >= lowest) & (found <= 1))
    found[outside] = np.nan
    return found, int(outside.sum())
