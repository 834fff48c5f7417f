"""Columns that change their unit for a span of time or in a segment: times 2.54, 10, 1000, or Fahrenheit.

For each factor every row gets the logarithm of how much likelier its value is after the factor than without
it, under the column's own distribution; the run of rows with the greatest sum is where the unit changed, if
anywhere (the scan of Page 1954, Continuous inspection schemes, Biometrika 41). A run counts when its median
moved by just that factor against the rows before and behind it, and its values, taken back, spread as the
others do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_chance import alike, distance
from wholeroad.road.data.quality.values_columns import Floats, Mask, Numbers, spread_over
from wholeroad.road.data.quality.values_telling import Found, column, figure, literal, share_of, tell
from wholeroad.road.data.versions import HAPPENED, KNOWN

FACTORS: Final = (
    *((2.54, "inches as centimetres"), (10.0, "a digit more"), (25.4, "inches as millimetres")),
    *((100.0, "hundredths, such as cents"), (1000.0, "thousandths, such as grams")),
    *((0.45359237, "pounds as kilograms"), (1.609344, "miles as kilometres"), (3.28084, "metres as feet")),
    (60.0, "hours as minutes, or minutes as seconds"),
)
"""Factors that units differ by, and what they usually are; each is tried both ways."""

_SCORE: Final = 22.0
"""Natural logarithm of how much likelier the change has to be."""
_MOST: Final = 20_000
"""Rows that are scanned; of more, every so many."""
_CELLS: Final = 60
_EACH: Final = 4.0
"""No single row says more than this."""
_LEAST: Final = 8
_FAR: Final = math.log(9.0)
"""Segments differ by small factors of their own; only a change by a digit or more is told from that."""


@dataclass(frozen=True, slots=True)
class Change:
    """Values that were ``x`` elsewhere are ``x * factor + plus`` here."""

    factor: float
    plus: float
    said: str

    @property
    def mend(self) -> dict[str, float]:
        """The settings of the step that takes them back."""
        back = 1 / self.factor
        short = float(f"{back:.10g}")
        return {"factor": short} | ({"plus": float(f"{-self.plus * back:.10g}")} if self.plus else {})


CHANGES: Final = (
    *(Change(factor, 0.0, f"times {factor:.6g} ({said})") for factor, said in FACTORS),
    *(
        Change(1 / factor, 0.0, f"divided by {factor:.6g} ({said}, the other way)")
        for factor, said in FACTORS
    ),
    Change(1.8, 32.0, "times 1.8 plus 32 (Celsius as Fahrenheit)"),
    Change(1 / 1.8, -32 / 1.8, "less 32, divided by 1.8 (Fahrenheit as Celsius)"),
)


def find_unit_changes(seen: Seen) -> Iterator[Trouble]:
    """Find runs of time, then segments, in which a column's values are those of another unit."""
    orders = _orders(seen)
    for numbers in seen.looked.numbers.values():
        if not _measured(numbers):
            continue
        trouble = next((found for found in (_in_time(seen, numbers, at) for at in orders) if found), None)
        trouble = trouble or _in_segment(seen, numbers)
        if trouble:
            yield trouble


def _measured(numbers: Numbers) -> bool:
    levels, counts = numbers.sound
    return not numbers.identifies and levels.size >= 20 and int(counts.sum()) >= 100


def _orders(seen: Seen) -> list[tuple[str, str]]:
    """Give the times that rows are put in order by: column of the versions, and how the brief says it."""
    if not seen.timed:
        return []
    said = ((HAPPENED, seen.table.happened_at), (KNOWN, seen.table.known_at))
    return list({text: (name, text) for name, text in said if text and text != "landed"}.values())


class _Scale:
    """The values on the scale where a change is a shift: logarithms of what is positive, or as they are."""

    def __init__(self, numbers: Numbers, rows: NDArray[np.int64]) -> None:
        values = numbers.cleared[rows]
        positive = np.nansum(values > 0) >= 0.98 * np.isfinite(values).sum()
        self.log = bool(positive)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.values = np.where(values > 0, values, np.nan) if self.log else values
        present = self.values[np.isfinite(self.values)]
        self.low, self.high = np.quantile(self._on(present), [0.0, 1.0])

    def _on(self, values: Floats) -> Floats:
        return np.log(np.maximum(values, 1e-300)) if self.log else values

    def fit(self, sample: Floats) -> None:
        """Take a sample's distribution: a smoothed histogram."""
        width = max((self.high - self.low) / _CELLS, 1e-12)
        counts, _ = np.histogram(self._on(sample), bins=_CELLS, range=(self.low, self.high))
        smooth = np.convolve(counts, [0.25, 0.5, 0.25], mode="same") + 0.05
        ends = np.full(1, 0.02)
        self.width = width
        self.logs = np.log(np.concatenate([ends, smooth, ends]) / (counts.sum() * width))
        self.own = self.density(sample)

    def covers(self, at: Floats) -> Mask:
        """Tell which values lie within the distribution."""
        moved = self._on(at)
        return np.asarray((moved >= self.low - self.width) & (moved <= self.high + self.width))

    def density(self, at: Floats) -> Floats:
        """Give the logarithm of the density at some values, as they are."""
        moved = self._on(at)
        cells = np.clip(np.floor((moved - self.low) / self.width), -1, _CELLS).astype(np.int64)
        found = self.logs[cells + 1]
        return np.asarray(found - moved if self.log else found, dtype=np.float64)


def _gains(scale: _Scale, values: Floats, change: Change) -> Floats:
    """Give for each value how much likelier it is after a change, as a logarithm."""
    before = (values - change.plus) / change.factor
    gains = scale.density(before) - math.log(change.factor) - scale.own
    return np.where(scale.covers(before), np.clip(gains, -_EACH, _EACH), -_EACH)


def _piles(numbers: Numbers) -> Floats:
    """Give values that come back so often that they are a trouble of their own; in a run they say nothing."""
    levels, counts = numbers.sound
    often = (counts > 0.01 * counts.sum()) & (counts > 8 * np.median(counts))
    return np.asarray(levels[often])


def _best_run(gains: Floats) -> tuple[float, int, int]:
    """Give the greatest sum of a run, its first row and the one behind its last."""
    total = np.concatenate([[0.0], np.cumsum(gains)])
    least = np.minimum.accumulate(total)
    end = int((total - least).argmax())
    start = int(total[: end + 1].argmin())
    return float(total[end] - total[start]), start, end


def _in_time(seen: Seen, numbers: Numbers, order: tuple[str, str]) -> Trouble | None:
    at = seen.rows[order[0]].to_physical().to_numpy()
    rows = seen.in_order(order[0])
    rows = rows[np.isfinite(numbers.cleared[rows])]
    rows = rows[spread_over(rows.size, _MOST)]
    scale = _Scale(numbers, rows)
    rows = rows[np.isfinite(scale.values)]
    values = scale.values[np.isfinite(scale.values)]
    scale.fit(values)
    piled = np.isin(values, _piles(numbers))
    best: tuple[float, int, int, Change] | None = None
    for change in CHANGES:
        score, start, end = _best_run(np.where(piled, 0.0, _gains(scale, values, change)))
        if (
            score >= _SCORE
            and (best is None or score > best[0])
            and _holds(values, change, start=start, end=end)
        ):
            best = (score, start, end, change)
    if best is None:
        return None
    score, start, end, change = best
    first, last = int(at[rows[start]]), int(at[rows[end - 1]])
    mask = (at >= first) & (at <= last) & np.isfinite(numbers.cleared)
    bounds = []
    expression = order[1] if order[1].isidentifier() else f"({order[1]})"
    if start > 0:
        bounds.append(f"{expression} >= cast('{_iso(first)}' as timestamp)")
    if end < rows.size:
        bounds.append(f"{expression} <= cast('{_iso(last)}' as timestamp)")
    since = f"from {_iso(first)[:10]}" + (f" to {_iso(last)[:10]}" if end < rows.size else " on")
    return _told(seen, numbers, change, mask=mask, where=" and ".join(bounds), place=since, score=score)


def _holds(values: Floats, change: Change, *, start: int, end: int) -> bool:
    """Tell whether a run differs from its surroundings by just this change, and jumps at its ends."""
    inside, size = values[start:end], end - start
    if size < _LEAST or size > 0.6 * values.size:
        return False
    reach = max(size, 100)
    around = np.concatenate([values[max(0, start - reach) : start], values[end : end + reach]])
    if around.size < 2 * _LEAST:
        return False
    back = (inside - change.plus) / change.factor
    if not _just(back, around, change) or not alike(back, around, slack=0.06):
        return False
    near = max(_LEAST, min(size, 60))
    for edge, out in (
        (inside[:near], values[max(0, start - near) : start]),
        (inside[-near:], values[end : end + near]),
    ):
        if out.size < _LEAST:
            continue
        undone = (edge - change.plus) / change.factor
        if abs(_middle(undone, out)) > 0.5 * abs(_middle(edge, out)):
            return False
    return distance(inside, around) > 0.35


def _middle(one: Floats, other: Floats) -> float:
    """Give how far apart two medians are, as logarithms where they can be."""
    first, second = float(np.median(one)), float(np.median(other))
    if first > 0 and second > 0:
        return math.log(first / second)
    return (first - second) / max(abs(first), abs(second), 1e-12)


def _just(back: Floats, around: Floats, change: Change) -> bool:
    """Tell whether the values, taken back, have the others' median, as closely as their number tells."""
    if (around > 0).all() and (back > 0).all() and not change.plus:
        back, around, shift = np.log(back), np.log(around), abs(math.log(change.factor))
    else:
        shift = abs(float(np.median(back * (change.factor - 1) + change.plus)))
    spread = float(np.subtract(*np.quantile(around, [0.75, 0.25]))) / 1.35
    error = 1.25 * spread * math.sqrt(1 / back.size + 1 / around.size)
    return abs(float(np.median(back) - np.median(around))) <= 3 * error + 0.06 * shift


def _in_segment(seen: Seen, numbers: Numbers) -> Trouble | None:
    """Find a level of a category whose values are the others' times a factor, where those hardly differ."""
    rows = spread_over(seen.rows.height, 2 * _MOST)
    scale = _Scale(numbers, rows)
    if not scale.log:
        return None
    logs = np.log(scale.values)
    for name, (every, levels) in seen.looked.segments.items():
        codes = every[rows]
        medians = np.array([_median(logs[codes == place]) for place in range(len(levels))])
        if len(levels) < 3 or not np.isfinite(medians).all():
            continue
        middle = float(np.median(medians))
        far = int(np.abs(medians - middle).argmax())
        rest = np.delete(medians, far)
        shift = medians[far] - float(np.median(rest))
        inside, others = logs[codes == far], logs[(codes >= 0) & (codes != far)]
        inside, others = inside[np.isfinite(inside)], others[np.isfinite(others)]
        if (
            inside.size < 30
            or inside.size > 0.5 * others.size
            or abs(shift) < 8 * max(np.ptp(rest) / 2, 0.02)
        ):
            continue
        for change in CHANGES:
            exact = math.log(change.factor)
            if (
                change.plus
                or abs(exact) < _FAR
                or abs(shift - exact) > 0.08
                or not alike(inside - exact, others, slack=0.03)
            ):
                continue
            if not _just(np.exp(inside - exact), np.exp(others), change):
                continue
            where = f"{column(name)} = {literal(levels[far])}"
            place = f"where {name} is {levels[far]}"
            score = float(inside.size) / 10
            return _told(seen, numbers, change, mask=every == far, where=where, place=place, score=score)
    return None


def _median(values: Floats) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size >= 20 else math.nan


def _told(
    seen: Seen, numbers: Numbers, change: Change, *, mask: Mask, where: str, place: str, score: float
) -> Trouble:
    count = int(mask.sum())
    inside = float(np.nanmedian(numbers.cleared[mask]))
    outside = float(np.nanmedian(numbers.cleared[~mask]))
    mend: dict[str, Any] = {"unit": numbers.name, **change.mend}
    return tell(
        seen,
        Found(
            code="quality.unit-change",
            columns=(numbers.name,),
            what=f"{numbers.name} is the usual {change.said} {place}: the median is {figure(inside)} "
            f"in {count} rows ({share_of(count, mask.size)}), elsewhere {figure(outside)}",
            risk="numbers of two units are taken for one, and the rows with the larger one rule every sum",
            where=where,
            mask=mask,
            mend=mend | ({"where": where} if where else {}),
            leave="when what is measured changed, and not how it is written",
            strength=score / _SCORE,
        ),
    )


def _iso(at: int) -> str:
    text = str(np.datetime64(at, "us"))
    return f"{text[:19]}Z" if at % 1_000_000 == 0 else f"{text}Z"
