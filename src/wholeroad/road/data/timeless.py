"""Cases without time: what can't be told of them, and what to write down so that it can be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.casting import INSTANT
from wholeroad.road.data.findings import Finding
from wholeroad.road.data.to_log import columns_to_log
from wholeroad.road.data.versions import (
    DELETED,
    FIRST_KNOWN,
    HAPPENED,
    KNOWN,
    ORDER,
    SUPERSEDED,
    Versions,
)


def stand_still(brief: Brief, sources: Mapping[str, Versions]) -> dict[str, Versions]:
    """Give cases and outcomes without time one instant, the epoch: all are decided at once, and told after.

    Sources of a brief with times are given back as they are.
    """
    result = dict(sources)
    if not brief.timeless:
        return result
    told = brief.outcome.source
    for name, microseconds in {told: 1, brief.case.source: 0}.items():
        versions = sources[name]
        at = pl.lit(microseconds).cast(INSTANT)
        frame = versions.frame.with_columns(
            at.alias(HAPPENED),
            at.alias(KNOWN),
            pl.int_range(pl.len(), dtype=pl.Int64).alias(ORDER),
            pl.lit(value=False).alias(DELETED),
            pl.lit(None, dtype=INSTANT).alias(SUPERSEDED),
            at.alias(FIRST_KNOWN),
        )
        result[name] = Versions(name, versions.key, frame)
    return result


def question_time(brief: Brief) -> Iterator[Finding]:
    """Say that cases without time can't be rehearsed, and which columns would change that."""
    if not brief.timeless:
        return
    columns = columns_to_log(brief)
    asked = "; ".join(f"in {source}: {', '.join(names)}" for source, names in columns.items())
    yield Finding(
        "check.no-time",
        "warning",
        "[case] source",
        f"{brief.case.source} is static: no row says when. This can't be rehearsed",
        "what was known when a case was decided can't be told, so a column may hold what came after the "
        "outcome, and nobody knows how long a model would have been of use; decisions are valued by "
        "cross-validation instead",
        f"log from tomorrow, {asked}; then give the sources happened_at and known_at, and the case decide_at",
    )
