"""Values that come back too often: at the end of a column (clipped), or within it (filled in by default)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from wholeroad.core.instants import DAY
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_chance import too_many
from wholeroad.road.data.quality.values_columns import Counts, Floats, Instants, Mask, Numbers
from wholeroad.road.data.quality.values_telling import Found, column, figure, one_of, plain, share_of, tell

_BESIDE: Final = 12
"""So many distinct values on each side are what a spike is compared with."""
_OFTENER: Final = 3.0
_LEAST: Final = 8
_LEVELS: Final = 20


def find_clipped(seen: Seen) -> Iterator[Trouble]:
    """Find columns whose values pile up at the greatest or the least."""
    for numbers in seen.looked.numbers.values():
        if numbers.identifies or numbers.sound[0].size < _LEVELS or numbers.present < 100:
            continue
        for top in (True, False):
            found = _pile(numbers, top=top)
            if found is None:
                continue
            bar, count, usual = found
            mask = numbers.cleared == bar
            end = "greatest" if top else "least"
            yield tell(
                seen,
                Found(
                    code="quality.clipped",
                    columns=(numbers.name,),
                    what=f"{numbers.name} is exactly {figure(bar)}, its {end} value, in {count} rows "
                    f"({share_of(count, numbers.present)}); values beside it come {figure(usual)} times",
                    risk=f"what was {'more' if top else 'less'} looks the same, and means of it are wrong",
                    where=f"{column(numbers.name)} {'>=' if top else '<='} {plain(bar)}",
                    mask=mask,
                    leave="when nothing can go beyond, as a capacity or an insured sum",
                    strength=count / max(1.0, _OFTENER * usual + 3),
                ),
            )


def _pile(numbers: Numbers, *, top: bool) -> tuple[float, int, float] | None:
    levels, counts = numbers.sound
    if not top:
        levels, counts = -levels[::-1], counts[::-1]
    bar, count = float(levels[-1] if top else -levels[-1]), int(counts[-1])
    reach = max(5, min(2 * _BESIDE, levels.size // 5))
    beside = counts[-1 - reach : -1]
    natural = bar in {0.0, 1.0} or (bar == 100 and levels.size and abs(levels[0]) <= 100)
    if natural or count < _LEAST:
        return None
    usual = float(max(beside.mean(), np.sort(beside)[-2] / 1.5))
    return (bar, count, usual) if count >= _OFTENER * usual and too_many(count, 2 * usual) else None


def find_default_values(seen: Seen) -> Iterator[Trouble]:
    """Find one value of a continuous column that is there far more often than those beside it."""
    for numbers in seen.looked.numbers.values():
        if not numbers.continuous:
            continue
        levels, counts = numbers.sound
        place = _spike(levels, counts)
        if place is None:
            continue
        value, count = plain(levels[place]), int(counts[place])
        usual = _usual(levels, counts, place)
        yield _told(
            seen,
            numbers.name,
            shown=figure(value),
            mask=numbers.cleared == levels[place],
            where=one_of(numbers.name, [value]),
            mend={"nothing": numbers.name, "values": [value]},
            usual_and_strength=(usual, count / max(1.0, _OFTENER * usual)),
        )
    for instants in seen.looked.instants.values():
        if instants.name not in seen.times:
            yield from _default_dates(seen, instants)


def _spike(levels: Floats, counts: Counts) -> int | None:
    """Give the place of the value that sticks out most, where it does."""
    inner = counts.copy()
    inner[[0, -1]] = 0
    if (levels == 0).any():
        inner[levels == 0] = 0
    place = int(inner.argmax())
    count = int(counts[place])
    usual = _usual(levels, counts, place)
    others = np.delete(inner, place)
    second = float(np.partition(others, -2)[-2]) if others.size > 2 else 0.0
    if count < _LEAST or not too_many(count, 2 * usual + 2):
        return None
    stands_out = count >= max(_OFTENER * usual, 1.6 * second)
    return place if stands_out and count >= 0.002 * counts.sum() else None


def _usual(levels: Floats, counts: Counts, place: int) -> float:
    """Give how often a value like it comes: that of its neighbours, or of values that are as round."""
    near = np.concatenate([counts[max(0, place - _BESIDE) : place], counts[place + 1 : place + 1 + _BESIDE]])
    usual = float(np.mean(near)) if near.size else 0.0
    roundness = _digits(levels[place])
    window = slice(max(0, place - 400), place + 400)
    alike = np.array([_digits(level) <= roundness for level in levels[window]])
    alike[place - (window.start or 0)] = False
    apart = np.abs(np.arange(alike.size) - (place - (window.start or 0)))
    round_ones = counts[window][alike & (apart > 0)]
    if round_ones.size >= 3:
        usual = max(usual, float(np.sort(round_ones)[-3:].mean()))
    return usual


def _digits(value: float) -> int:
    """Count the digits that are written, zeros at the end left out."""
    return len(f"{abs(value):.10g}".replace(".", "").strip("0"))


def _default_dates(seen: Seen, instants: Instants) -> Iterator[Trouble]:
    days, counts = np.unique(instants.values[instants.present] // DAY, return_counts=True)
    if days.size < 60 or counts.sum() < 100:
        return
    place = int(counts.argmax())
    count = int(counts[place])
    near = np.abs(days - days[place]) <= 400
    usual = float((counts[near].sum() - count) / 800)
    second = float(np.sort(counts)[-2])
    day = np.datetime64(int(days[place]), "D")
    if str(day) in {"1900-01-01", "1970-01-01"} or count < 6:
        return
    if not too_many(count, 2 * usual + 1) or count < 2 * second:
        return
    mask = instants.present & (instants.values // DAY == days[place])
    name = column(instants.name)
    start = f"cast('{day}' as timestamp)"
    yield _told(
        seen,
        instants.name,
        shown=str(day),
        mask=mask,
        where=f"{name} >= {start} and {name} < {start} + 1d",
        mend={"nothing": instants.name, "values": [str(day)]},
        usual_and_strength=(usual, count / max(1.0, 2 * second)),
    )


def _told(
    seen: Seen,
    name: str,
    *,
    shown: str,
    mask: Mask,
    where: str,
    mend: dict[str, object],
    usual_and_strength: tuple[float, float] = (0.0, 1.0),
) -> Trouble:
    usual, strength = usual_and_strength
    count = int(mask.sum())
    return tell(
        seen,
        Found(
            code="quality.default-value",
            columns=(name,),
            what=f"{name} is {shown} in {count} rows ({share_of(count, mask.size)}); "
            f"values like it come {figure(round(usual, 2))} times",
            risk="what a form fills in when nobody does is taken for a measurement",
            where=where,
            mask=mask,
            mend=mend,
            leave="when many things really are exactly that, as a list price",
            strength=strength,
        ),
    )
