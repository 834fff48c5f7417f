"""Putting a history together: the slow part of the data stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.instants import Instant, Span, format_instant
from wholeroad.core.ports import Progress
from wholeroad.core.view import Codes
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.feature_rules import OUTCOMES
from wholeroad.road.brief.quantities import formula_values, nearest_amounts
from wholeroad.road.brief.values import Values, status_quo_actions, value_cases
from wholeroad.road.data.binding import Bound
from wholeroad.road.data.cases import DECIDED, ID, LATE, Cases, decide_cases
from wholeroad.road.data.features.bulk import compute
from wholeroad.road.data.features.specs import Derived, Feature, Lookup, Window
from wholeroad.road.data.history import History
from wholeroad.road.data.incumbent import Logged, read_log
from wholeroad.road.data.outcomes import Told, outcome_versions, tell_outcomes
from wholeroad.road.data.rows import FeatureRows
from wholeroad.road.data.verdicts import VERDICTS, stand_over
from wholeroad.road.data.versions import HAPPENED, KNOWN, Versions

MANY: Final = 1 << 21
"""With more cases than this, features are computed one group at a time: each takes its own memory."""


def assemble(
    brief: Brief,
    sources: Mapping[str, Versions],
    *,
    bound: Bound,
    threads: int = 1,
    progress: Progress | None = None,
    quarantine: pl.DataFrame | None = None,
    until: Instant | None = None,
) -> History:
    """Put a history together from the row versions of its sources.

    Parameters
    ----------
    sources
        By name, every source of the brief; the columns that the brief uses are enough. What people said of
        cases may come along as the built-in :data:`~wholeroad.road.data.verdicts.VERDICTS`.
    bound
        The brief, bound to the schemas of its sources.
    threads
        For the features; the result doesn't depend on it.
    quarantine
        The rows that were set aside, which may explain that there is nothing to decide.
    until
        The instant up to which cases are decided. Then there may be none, and no outcome yet, and
        features are computed for those cases only that are asked for. Without it, all of them are,
        up to the last instant at which something became known.

    Raises
    ------
    UserError
        Without ``until``: ``data.no-cases`` when nothing was ever to be decided, ``data.no-outcomes``
        when no truth was ever known. Those of the value table.
    """
    verdicts = sources.get(VERDICTS)
    sources = {name: versions for name, versions in sources.items() if name != VERDICTS}
    delays, end = _delays(sources), last_known(sources) if until is None else until
    cases, told = _decided(brief, sources, bound=bound, until=end)
    if verdicts is not None and told.levels is None:
        told = stand_over(told, verdicts.frame, cases=cases, classes=brief.outcome.classes)
        # Only now: a verdict of today doesn't make silence mean anything since the data ended.
        end = max(end, last_known({VERDICTS: verdicts})) if until is None else end
    if until is None:
        _refuse_empty(brief, sources[brief.case.source], cases, told, until=end, quarantine=quarantine)
    logged = _logged(brief, cases, sources, bound)
    # Sources that no feature asks are let go here, to spare their memory.
    sources = _asked_by_features(brief, sources, bound=bound, cases=cases, told=told)
    slim = cases.frame.select(*cases.key, DECIDED, LATE, ID)
    features = _features(
        cases, bound.features, sources=sources, source=brief.case.source, threads=threads, progress=progress
    )
    groups = None
    if bound.groups:
        groups = _features(
            cases, bound.groups, sources=sources, source=brief.case.source, threads=threads, progress=None
        )
    return History(
        brief=brief,
        bound=bound,
        cases=Cases(slim, cases.key, never=cases.never, source=cases.source),
        timeline=told.timeline,
        values=_values(brief, bound, cases, told),
        status_quo=_status_quo(brief, bound, cases),
        features=features.whole() if until is None else features,
        held=slim[LATE].to_numpy() & (brief.case.if_late == "status_quo"),
        until=end,
        delays=delays,
        told=told,
        logged=logged,
        groups=groups.whole() if groups is not None and until is None else groups,
    )


def _features(
    cases: Cases,
    features: Sequence[Feature],
    *,
    sources: Mapping[str, Versions],
    source: str,
    threads: int,
    progress: Progress | None,
) -> FeatureRows:
    def make(first: int, last: int) -> pl.DataFrame:
        return compute(
            features,
            cases.frame[first:last],
            sources=sources,
            case_source=source,
            case_key=cases.key,
            threads=threads if last - first <= MANY else 1,
            progress=progress,
        )

    return FeatureRows(cases.ids, make)


def _asked_by_features(
    brief: Brief, sources: Mapping[str, Versions], *, bound: Bound, cases: Cases, told: Told
) -> dict[str, Versions]:
    every = (*bound.features, *bound.groups)
    asked = {feature.source for feature in every if not isinstance(feature, Derived)}
    kept = {name: versions for name, versions in sources.items() if name in asked}
    if OUTCOMES in asked:
        used = {column for feature in every for column in _case_columns(feature)}
        kept[OUTCOMES] = outcome_versions(
            cases, told.timeline, classes=brief.outcome.classes, columns=used, levels=told.levels
        )
    return kept


def _logged(brief: Brief, cases: Cases, sources: Mapping[str, Versions], bound: Bound) -> Logged | None:
    if bound.incumbent is None:
        return None
    outcome = brief.outcome
    positive = outcome.classes.index(outcome.positive) if outcome.positive in outcome.classes else 0
    log = sources[bound.incumbent.source]
    amounts = brief.worth.quantities
    return read_log(
        cases, log, log=bound.incumbent, actions=brief.actions, amounts=amounts, positive=positive
    )


def _decided(
    brief: Brief, sources: Mapping[str, Versions], *, bound: Bound, until: Instant
) -> tuple[Cases, Told]:
    asking, telling = sources[brief.case.source], sources[brief.outcome.source]
    cases = decide_cases(asking, bound.decide_at, until=until)
    return cases, tell_outcomes(cases, telling, truth=bound.truth, outcome=brief.outcome, until=until)


def _values(brief: Brief, bound: Bound, cases: Cases, told: Told) -> Values:
    if bound.formula is None or told.levels is None:
        return value_cases(brief, bound.worth, cases=cases.frame)
    return formula_values(brief, bound.formula, cases=cases.frame, timeline=told.timeline, levels=told.levels)


def _status_quo(brief: Brief, bound: Bound, cases: Cases) -> Codes:
    if bound.formula is None or bound.status_quo is None:
        return status_quo_actions(brief, bound.status_quo, cases=cases.frame)
    return nearest_amounts(brief, bound.status_quo, cases=cases.frame)


def _refuse_empty(
    brief: Brief,
    asking: Versions,
    cases: Cases,
    told: Told,
    *,
    until: Instant,
    quarantine: pl.DataFrame | None,
) -> None:
    if not cases.frame.height:
        raise _no_cases(brief, asking, until=until, quarantine=quarantine)
    if not (told.timeline.truth_code >= 0).any():
        raise _no_outcomes(brief, told)


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
        wanted = f"the classes are {', '.join(outcome.classes)}" if outcome.classes else "a number was wanted"
        happened = (
            f"the truth of all {told.joined:,} outcome rows was unknown: [outcome] truth gave "
            f"{given or 'nulls only'}, and {wanted}"
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
