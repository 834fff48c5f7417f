"""How much people agree beyond chance, each coefficient with its raw agreement and an interval.

A coefficient compares the disagreement that was seen with that to be expected if people kept their habits
and chose at random: 1 is perfect, 0 is chance. Where nearly all items are of one class, chance agrees nearly
always, and a handful of disagreements makes the coefficient low although people agree on nearly all
items (Feinstein, Cicchetti 1990, *High agreement but low kappa*, J Clin Epidemiol 43). So look at both.

Intervals: items are resampled with replacement, and the middle 95% taken; the people stay who they are. With
few items resamples of a rare class vary too little: then the ends are at least those that Wilson's interval
of the raw agreement comes to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.model.resampling import times_drawn
from wholeroad.road.review.intervals import Bounded, between, share_of

Level = Literal["nominal", "ordinal", "interval"]
Floats = NDArray[np.float64]

RESAMPLES: Final = 1000

FEW: Final = 50
"""With fewer items resamples alone are no interval."""

_ALIKE: Final = 1e-9
_AT_ONCE: Final = 2_000_000
"""Draws that are held in memory."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A coefficient of agreement.

    Attributes
    ----------
    name
        ``cohen``, ``fleiss`` or ``krippendorff``.
    coefficient
        1 is perfect, 0 what chance would do, less is worse than chance; NaN where only one class ever came
        up, since chance would agree always. ``n`` is the number of items that two or more judged.
    raw
        The share of pairs of verdicts on one item that agree; its interval takes each item for one draw.
    chance
        The raw agreement to be expected by chance.
    """

    name: str
    coefficient: Bounded
    raw: Bounded
    chance: float


def cohen_kappa(
    one: Codes,
    two: Codes,
    *,
    classes: int,
    weights: Literal["linear", "quadratic"] | None = None,
    seed: int = 0,
) -> Agreement:
    """Give Cohen's kappa of two people (Cohen 1960, *A coefficient of agreement for nominal scales*).

    Parameters
    ----------
    one, two
        Shape (n,): codes; items that one of them didn't judge (-1) are left out.
    weights
        How grave a disagreement is, by the distance of the codes (Cohen 1968, *Weighted kappa*); without
        them all are alike.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.repeat([0, 0, 1, 1], [20, 5, 10, 15])
    >>> two = np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    >>> found = cohen_kappa(one, two, classes=2)
    >>> round(found.coefficient.value, 3), round(found.raw.value, 3)
    (0.4, 0.7)
    """
    both = (one >= 0) & (two >= 0)
    cells = one[both].astype(np.int64) * classes + two[both]
    units = (cells[:, None] == np.arange(classes * classes)).astype(np.float64)
    grave = _graveness(classes, weights)

    def disagreement(sums: Floats) -> tuple[Floats, Floats]:
        table = sums.reshape(-1, classes, classes)
        table = table / table.sum(axis=(1, 2), keepdims=True)
        chance = table.sum(axis=2)[:, :, None] * table.sum(axis=1)[:, None, :]
        return (table * grave).sum(axis=(1, 2)), (chance * grave).sum(axis=(1, 2))

    table = units.sum(axis=0).reshape(classes, classes)
    agreed = float(np.trace(table))
    margins = table.sum(axis=1) @ table.sum(axis=0) / max(1.0, table.sum()) ** 2
    return _agreement(
        "cohen", units, disagreement, raw=share_of(agreed, cells.size), chance=float(margins), seed=seed
    )


def fleiss_kappa(counts: NDArray[np.int64], *, seed: int = 0) -> Agreement:
    """Give Fleiss' kappa (1971, *Measuring nominal scale agreement among many raters*).

    Parameters
    ----------
    counts
        Shape (n, K): verdicts for each class; every item has as many, by whomever.

    Raises
    ------
    ValueError
        When items were judged by different numbers of people, or by one; Krippendorff's alpha takes these.
    """
    judged = np.unique(counts.sum(axis=1))
    if judged.size != 1 or judged[0] < 2:
        message = (
            f"Fleiss' kappa needs as many verdicts on every item, two at least; there were {judged.tolist()}"
        )
        raise ValueError(message)
    each = float(judged[0])
    agreed = (counts * (counts - 1)).sum(axis=1) / (each * (each - 1))
    units = np.column_stack([1 - agreed, counts / each])

    def disagreement(sums: Floats) -> tuple[Floats, Floats]:
        shares = sums[:, 1:] / sums[:, 1:].sum(axis=1, keepdims=True)
        return sums[:, 0] / sums[:, 1:].sum(axis=1), 1 - (shares**2).sum(axis=1)

    chance = float(((counts.sum(axis=0) / counts.sum()) ** 2).sum())
    raw = share_of(float(agreed.sum()), len(counts))
    return _agreement("fleiss", units, disagreement, raw=raw, chance=chance, seed=seed)


def krippendorff_alpha(
    matrix: Codes,
    *,
    classes: int,
    level: Level = "nominal",
    values: Sequence[float] | None = None,
    seed: int = 0,
) -> Agreement:
    """Give Krippendorff's alpha (2011, *Computing Krippendorff's alpha-reliability*).

    It takes any number of people, and items that some of them didn't judge.

    Parameters
    ----------
    matrix
        Shape (items, people): codes, -1 where nobody judged.
    level
        How grave a disagreement is: all alike, by the ranks between, or by the square of the difference.
    values
        Of ``interval``: the number behind each code; the codes themselves unless said.

    Examples
    --------
    >>> import numpy as np
    >>> one = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    >>> two = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    >>> round(krippendorff_alpha(np.array([one, two]).T, classes=2).coefficient.value, 3)
    0.095
    """
    counts = np.stack([(matrix == code).sum(axis=1) for code in range(classes)], axis=1).astype(np.float64)
    counts = counts[counts.sum(axis=1) >= 2]
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(classes)
    each = counts.sum(axis=1)
    units = (pairs / np.maximum(each - 1, 1)[:, None, None]).reshape(len(counts), classes * classes)
    numbers = np.arange(classes, dtype=np.float64) if values is None else np.asarray(values, dtype=np.float64)

    def disagreement(sums: Floats) -> tuple[Floats, Floats]:
        seen = sums.reshape(-1, classes, classes)
        margins = seen.sum(axis=2)
        grave = _distances(margins, level, numbers)
        total = margins.sum(axis=1)
        chance = margins[:, :, None] * margins[:, None, :]
        expected = (chance * grave).sum(axis=(1, 2)) / np.maximum(total - 1, 1)
        return (seen * grave).sum(axis=(1, 2)) / total, expected / total

    agreed = np.trace(units.reshape(-1, classes, classes), axis1=1, axis2=2)
    margins, total = counts.sum(axis=0), counts.sum()
    chance = float((margins * (margins - 1)).sum() / max(1.0, total * (total - 1)))
    raw = share_of(float(agreed.sum() / max(1.0, total) * len(counts)), len(counts))
    return _agreement("krippendorff", units, disagreement, raw=raw, chance=chance, seed=seed)


def _graveness(classes: int, weights: str | None) -> Floats:
    apart = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes))).astype(np.float64)
    if weights is None:
        return (apart > 0).astype(np.float64)
    return apart if weights == "linear" else apart**2


def _distances(margins: Floats, level: Level, numbers: Floats) -> Floats:
    """Give shape (r, K, K): squared distances of classes; of ranks they hang on how often each came."""
    if level == "interval":
        return np.square(np.subtract.outer(numbers, numbers))[None]
    if level == "nominal":
        return (1 - np.eye(numbers.size))[None]
    middle = np.cumsum(margins, axis=1) - margins / 2
    return np.square(middle[:, :, None] - middle[:, None, :])


def _agreement(
    name: str,
    units: Floats,
    disagreement: Callable[[Floats], tuple[Floats, Floats]],
    *,
    raw: Bounded,
    chance: float,
    seed: int,
) -> Agreement:
    """Compute the coefficient of all items, and of resampled ones.

    Where everybody agreed, so do all resamples: then the interval's lower end is what the lower end of the
    raw agreement would come to. With few items no end is nearer than that, if disagreements are all alike.
    """
    items = len(units)
    if not items:
        return Agreement(name, Bounded(np.nan, -np.inf, np.inf, 0), raw, np.nan)
    value = float(_coefficient(*disagreement(units.sum(axis=0)[None]))[0])
    figure = between(value, _coefficient(*disagreement(_resampled(units, seed))), n=items)
    by_raw = (
        1 - (1 - np.array([raw.low, raw.value, raw.high])) / (1 - chance)
        if chance < 1
        else np.full(3, np.nan)
    )
    if items < FEW and abs(by_raw[1] - value) < _ALIKE:
        figure = Bounded(value, max(-1.0, min(figure.low, by_raw[0])), max(figure.high, by_raw[2]), items)
    if value == 1.0:
        figure = Bounded(1.0, max(-1.0, 1 - (1 - raw.low) / (1 - chance)), 1.0, items)
    return Agreement(name, figure, raw, chance)


def _coefficient(seen: Floats, expected: Floats) -> Floats:
    told = expected > 0
    ratio: Floats = np.divide(seen, expected, out=np.full(seen.shape, np.nan), where=told)
    return 1 - ratio


def _resampled(units: Floats, seed: int) -> Floats:
    items, sums, at_once = len(units), [], max(1, _AT_ONCE // len(units))
    for first in range(0, RESAMPLES, at_once):
        resamples = min(at_once, RESAMPLES - first)
        times = times_drawn(items, resamples=resamples, seed=seed, salt=f"agreement {first}")
        sums.append(times @ units)
    return np.concatenate(sums)
