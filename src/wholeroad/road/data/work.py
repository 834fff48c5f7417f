"""Putting a history together: the slow part of the data stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.instants import Instant, Span, format_instant
from wholeroad.core.ports import Progress
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.rules import OUTCOMES
from wholeroad.road.brief.values import status_quo_actions, value_cases
from wholeroad.road.data.binding import Bound
from wholeroad.road.data.cases import DECIDED, ID, LATE, Cases, decide_cases
from wholeroad.road.data.features.bulk import compute
from wholeroad.road.data.features.specs import Derived, Feature, Lookup, Window
from wholeroad.road.data.history import History
from wholeroad.road.data.outcomes import Told, outcome_versions, tell_outcomes
from wholeroad.road.data.versions import HAPPENED, KNOWN, Versions

MANY: Final = 1 << 21
"""With more cases than this, features are computed one group at a time: each takes its own memory."""

_HASHED: Final = 1 << 18
"""Rows that are hashed at a time, since a struct of all columns is a copy of them."""


def assemble(
    brief: Brief,
    sources: Mapping[str, Versions],
    *,
    bound: Bound,
    threads: int = 1,
    progress: Progress | None = None,
    quarantine: pl.DataFrame | None = None,
) -> History:
    """Put a history together from the row versions of its sources.

    Parameters
    ----------
    sources
        By name, every source of the brief; the columns that the brief uses are enough.
    bound
        The brief, bound to the schemas of its sources.
    threads
        For the features; the result doesn't depend on it.
    quarantine
        The rows that were set aside, which may explain that there is nothing to decide.

    Raises
    ------
    UserError
        ``data.no-cases`` when nothing was ever to be decided, ``data.no-outcomes`` when no truth
        was ever known; those of the value table.
    """
    until, delays = last_known(sources), _delays(sources)
    cases, told = _decided(brief, sources, bound=bound, until=until, quarantine=quarantine)
    # Sources that no feature asks are let go here, to spare their memory.
    asked = {feature.source for feature in bound.features if not isinstance(feature, Derived)}
    sources = {name: versions for name, versions in sources.items() if name in asked}
    if OUTCOMES in asked:
        used = {column for feature in bound.features for column in _case_columns(feature)}
        sources[OUTCOMES] = outcome_versions(
            cases, told.timeline, classes=brief.outcome.classes, columns=used
        )
    features = compute(
        bound.features,
        cases.frame,
        sources=sources,
        case_source=brief.case.source,
        case_key=cases.key,
        threads=threads if cases.frame.height <= MANY else 1,
        progress=progress,
    )
    del sources
    slim = cases.frame.select(*cases.key, DECIDED, LATE, ID)
    return History(
        brief=brief,
        bound=bound,
        cases=Cases(slim, cases.key, never=cases.never, source=cases.source),
        timeline=told.timeline,
        features=features,
        values=value_cases(brief, bound.worth, cases=cases.frame),
        status_quo=status_quo_actions(brief, bound.status_quo, cases=cases.frame),
        held=slim[LATE].to_numpy() & (brief.case.if_late == "status_quo"),
        row_hash=hash_rows(features.with_columns(cases.frame[ID])),
        until=until,
        delays=delays,
        told=told,
    )


def _decided(
    brief: Brief,
    sources: Mapping[str, Versions],
    *,
    bound: Bound,
    until: Instant,
    quarantine: pl.DataFrame | None,
) -> tuple[Cases, Told]:
    asking, telling = sources[brief.case.source], sources[brief.outcome.source]
    cases = decide_cases(asking, bound.decide_at, until=until)
    if not cases.frame.height:
        raise _no_cases(brief, asking, until=until, quarantine=quarantine)
    told = tell_outcomes(cases, telling, truth=bound.truth, outcome=brief.outcome, until=until)
    if not (told.timeline.truth_code >= 0).any():
        raise _no_outcomes(brief, told)
    return cases, told


def _delays(sources: Mapping[str, Versions]) -> dict[str, Span]:
    """Give the median of how much later than they happen rows become known, by source with times."""
    late = (pl.col(KNOWN) - pl.col(HAPPENED)).dt.total_microseconds().median()
    return {
        name: int(versions.frame.select(late).item() or 0)
        for name, versions in sources.items()
        if not versions.static
    }


def _no_cases(
    brief: Brief, versions: Versions, *, until: Instant, quarantine: pl.DataFrame | None
) -> UserError:
    name = brief.case.source
    aside = quarantine.filter(pl.col("source") == name) if quarantine is not None else pl.DataFrame()
    set_aside = f"; {aside.height:,} more were set aside: {aside['reason'][0]}" if aside.height else ""
    return UserError(
        "data.no-cases",
        "There is nothing to decide about",
        happened=f"none of the {versions.frame.height:,} rows of {name} came to its "
        f"decide_at ({brief.case.decide_at}) by {format_instant(until)}, the end of the data{set_aside}",
        expected="rows whose decide_at lies in the history",
        fix="mend the rows that were set aside, as wholeroad land lists them"
        if set_aside
        else "look at decide_at and at the source's times",
    )


def _no_outcomes(brief: Brief, told: Told) -> UserError:
    outcome = brief.outcome
    if not told.rows:
        happened = f"{outcome.source} has no rows"
    elif not told.joined:
        happened = f"none of the {told.rows:,} rows of {outcome.source} has the key of a case"
    else:
        given = ", ".join(repr(text) for text in [*told.no_class][:4])
        happened = (
            f"the truth of all {told.joined:,} outcome rows was unknown: [outcome] truth gave "
            f"{given or 'nulls only'}, and the classes are {', '.join(outcome.classes)}"
        )
    return UserError(
        "data.no-outcomes",
        "No outcome ever arrived",
        happened=happened,
        expected="outcomes of some cases, to learn from and to count money by",
        fix="look at [outcome] source, by and truth; if silence means something, use if_never",
    )


def _case_columns(feature: Feature) -> list[str]:
    if isinstance(feature, Derived):
        return []
    columns = [case_column for case_column, _ in feature.by]
    if not isinstance(feature, Lookup) and feature.source == OUTCOMES:
        columns += [source_column for _, source_column in feature.by]
        if isinstance(feature, Window):
            for expression in (feature.value, feature.where):
                columns += expression.columns if expression else ()
        else:
            columns.append(feature.column)
    return columns


def last_known(sources: Mapping[str, Versions]) -> Instant:
    """Give the last instant at which something became known.

    Planned rows may be known long before they happen, so this is where the data end.
    """
    ends = [
        int(versions.frame[KNOWN].to_physical().max())  # type: ignore[arg-type]
        for versions in sources.values()
        if not versions.static and versions.frame.height
    ]
    if not ends:
        raise UserError(
            "data.empty",
            "No source has any row",
            happened="every source was empty",
            expected="rows to learn from",
            fix="look into the quarantine: wholeroad land tells why rows were set aside",
        )
    return max(ends)


def hash_rows(frame: pl.DataFrame) -> NDArray[np.uint64]:
    """Hash each row to 64 bits, by content alone."""
    hashes = np.empty(frame.height, dtype=np.uint64)
    for rows in range(0, frame.height, _HASHED):
        part = frame[rows : rows + _HASHED]
        hashes[rows : rows + _HASHED] = part.select(pl.struct(pl.all()).hash(seed=0x57484F4C)).to_series()
    return hashes
