"""Reliability: what is said to happen in 20% of the cases should happen in 20% of them.

Evidence, not a verdict: money decides. But an action chosen by expected money is only as good as
the probabilities that it is chosen by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.brief.predictions import POINTS

SCHEMA: Final = {
    "class": pl.String,
    "bin": pl.Int64,
    "predicted": pl.Float64,
    "observed": pl.Float64,
    "cases": pl.Int64,
    "low": pl.Float64,
    "high": pl.Float64,
}


def calibration(
    probabilities: NDArray[np.float64],
    truth: Codes,
    *,
    classes: Sequence[str],
    positive: str | None = None,
    bins: int = 10,
    confidence: float = 0.95,
) -> pl.DataFrame:
    """Compare predicted probabilities with what happened, in bins of equally many cases.

    Parameters
    ----------
    probabilities
        Shape (n, classes), in [0, 1]; rows with NaN (no model) are left out.
    truth
        Shape (n,): class codes; negative ones (unknown, pending) are left out.
    classes
        Names, in the order of the codes.
    positive
        Look at this class only, as one does for two classes; None looks at each.
    bins
        At most so many; equal probabilities are never parted, so a constant makes one.
    confidence
        Of the interval of the observed share.

    Returns
    -------
    DataFrame
        ``class``, ``bin`` from 0, ``predicted`` (mean), ``observed`` (share), ``cases``, ``low``, ``high``
        (Wilson's interval, which takes the cases as independent: it is too narrow where they are not).

    Examples
    --------
    >>> p = np.array([[0.8, 0.2], [0.8, 0.2]])
    >>> table = calibration(p, np.array([0, 1], dtype=np.int8), classes=["yes", "no"], positive="yes")
    >>> table.select("class", "predicted", "observed", "cases").row(0)
    ('yes', 0.8, 0.5, 2)
    """
    usable = (truth >= 0) & np.isfinite(probabilities).all(axis=1)
    rows: list[dict[str, object]] = []
    for code, name in enumerate(classes):
        if positive is not None and name != positive:
            continue
        predicted = probabilities[usable, code]
        order = np.argsort(predicted, kind="stable")
        predicted, happened = predicted[order], truth[usable][order] == code
        for number, (start, stop) in enumerate(_equal_counts(predicted, bins)):
            cases, hits = stop - start, int(happened[start:stop].sum())
            low, high = wilson(hits, cases, confidence=confidence)
            # a mean of equal numbers is that number, not one bit beside it
            mean = float(np.clip(predicted[start:stop].mean(), predicted[start], predicted[stop - 1]))
            rows.append(
                {
                    "class": name,
                    "bin": number,
                    "predicted": mean,
                    "observed": hits / cases,
                    "cases": cases,
                    "low": low,
                    "high": high,
                }
            )
    return pl.DataFrame(rows, schema=SCHEMA)


def quantile_calibration(
    quantiles: NDArray[np.float64], outcome: NDArray[np.float64], *, confidence: float = 0.95
) -> pl.DataFrame:
    """Compare how often outcomes stayed at or below each predicted quantile with how often they should.

    Parameters
    ----------
    quantiles
        Shape (n, points); rows with NaN (no model) are left out.
    outcome
        Shape (n,): what came true. Of an outcome in few steps more than the promised share stays at or
        below a quantile, since the quantile is itself such a step.
    confidence
        Of Wilson's interval, as in :func:`calibration`.

    Returns
    -------
    DataFrame
        As that of :func:`calibration`, a row for each point: ``predicted`` is its probability.
    """
    usable = np.isfinite(quantiles).all(axis=1)
    quantiles, outcome = quantiles[usable], outcome[usable]
    rows: list[dict[str, object]] = []
    for number, point in enumerate(POINTS if len(outcome) else ()):
        hits = int((outcome <= quantiles[:, number]).sum())
        low, high = wilson(hits, len(outcome), confidence=confidence)
        rows.append(
            {
                "class": "at or below the quantile",
                "bin": number,
                "predicted": point,
                "observed": hits / len(outcome),
                "cases": len(outcome),
                "low": low,
                "high": high,
            }
        )
    return pl.DataFrame(rows, schema=SCHEMA)


def _equal_counts(ordered: NDArray[np.float64], bins: int) -> list[tuple[int, int]]:
    """Cut sorted numbers into about equal counts, never between equal numbers."""
    cuts = np.unique(np.linspace(0, len(ordered), bins + 1).round().astype(np.int64)[1:-1])
    ends = np.searchsorted(ordered, ordered[cuts[cuts > 0] - 1], side="right") if len(ordered) else cuts[:0]
    edges = np.unique(np.concatenate([[0], ends, [len(ordered)]]))
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def wilson(hits: int, cases: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Give Wilson's score interval of a share (Wilson 1927, JASA 22; Brown, Cai and DasGupta 2001).

    Examples
    --------
    >>> low, high = wilson(0, 10)
    >>> round(low, 3), round(high, 3)
    (0.0, 0.278)
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / cases
    scale = 1 + z * z / cases
    middle = (share + z * z / (2 * cases)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases))
    low = 0.0 if hits == 0 else middle - half
    return low, 1.0 if hits == cases else middle + half


def expected_calibration_error(table: pl.DataFrame) -> float:
    """Give the mean distance of predicted from observed over a calibration table, by cases.

    In [0, 1], 0 is best (Naeini, Cooper and Hauskrecht 2015, AAAI); noise
    alone keeps it above 0. NaN for an empty table.
    """
    cases = table["cases"].to_numpy().astype(np.float64)
    if not cases.sum():
        return math.nan
    distance = (table["predicted"] - table["observed"]).abs().to_numpy()
    return float((distance * cases).sum() / cases.sum())
