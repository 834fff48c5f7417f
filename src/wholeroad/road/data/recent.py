"""What features can still see at an instant: the rest of a long history needn't be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from wholeroad.core.instants import UNITS, Instant, Span
from wholeroad.road.brief.contract import OutcomeTable
from wholeroad.road.data.cases import DECIDED, ID, Cases
from wholeroad.road.data.content import row_hashes
from wholeroad.road.data.features.specs import Derived, Feature, Latest, Window
from wholeroad.road.data.verdicts import CASE
from wholeroad.road.data.versions import HAPPENED, KNOWN, Versions

_SPARE: Span = UNITS["s"]
"""Looked at as well, so that no end of an interval has to be thought of."""


def reach(features: Iterable[Feature], source: str) -> Span | None:
    """Give how far back features look into a source: 0 where none does, None where some look at all of it.

    Examples
    --------
    >>> latest = Latest("wind", "weather", "wind_speed", (), max_age=60_000_000)
    >>> reach([latest], "weather"), reach([latest], "board")
    (60000000, 0)
    """
    farthest = 0
    for feature in features:
        if isinstance(feature, Derived) or feature.source != source:
            continue
        if isinstance(feature, Window):
            span = feature.over
        elif isinstance(feature, Latest):
            span = feature.max_age
        else:
            span = None
        if span is None:
            return None
        farthest = max(farthest, span)
    return farthest


def recent_rows(stored: pl.DataFrame, key: Sequence[str], *, since_at: Instant) -> pl.DataFrame:
    """Give every version of the rows of which any happened, or became known, after an instant.

    Parameters
    ----------
    stored
        Of a source with time, as landed.
    key
        The source's.
    """
    after = _instant(since_at - _SPARE)
    recent = stored.select((pl.col(HAPPENED) > after) | (pl.col(KNOWN) > after)).to_series()
    if recent.all():
        return stored
    texts = len(key) == 1 and stored.schema[key[0]] == pl.String
    keys = stored[key[0]] if texts else pl.Series(row_hashes(stored.select(key)))
    return stored.filter(keys.is_in(keys.filter(recent).unique().implode()))


def recent_cases(
    cases: Cases,
    told: Versions,
    *,
    outcome: OutcomeTable,
    verdicts: pl.DataFrame | None,
    since_at: Instant,
) -> Cases:
    """Give the cases that were decided after an instant, or whose truth became known, or changed, since.

    Parameters
    ----------
    told
        Of the outcome's source.
    verdicts
        What people said, if anybody did.
    since_at
        Silence that means something from then on is looked at as well.
    """
    after, silent = _instant(since_at - _SPARE), outcome.never_after or 0
    names = [*(outcome.by or cases.key)]
    kinds = {name: told.frame.schema[name] for name in names}
    keys = cases.frame.select(
        pl.col(own).cast(kinds[name]).alias(name) for own, name in zip(cases.key, names, strict=True)
    )
    new = told.frame.lazy().filter(pl.col(KNOWN) > after).select(names)
    places = keys.lazy().with_row_index("_place").join(new, on=names, how="semi").select("_place").collect()
    wanted = cases.frame.select(pl.col(DECIDED) > _instant(since_at - silent - _SPARE)).to_series()
    wanted = wanted.scatter(places.to_series(), values=True)
    if verdicts is not None:
        said = verdicts.filter(pl.col(KNOWN) > after)[CASE].unique()
        wanted |= cases.frame[ID].is_in(said.implode())
    return Cases(cases.frame.filter(wanted), cases.key, never=cases.never, source=cases.source)


def _instant(at: Instant) -> pl.Expr:
    return pl.lit(at, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
