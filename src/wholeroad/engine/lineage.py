"""From a decision back to the rows as they were read, and who had them changed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant, to_instant
from wholeroad.core.ports import Blobs, Tables
from wholeroad.engine.explaining import case_place
from wholeroad.engine.manifests import quarantine_of, still_aside, table_of
from wholeroad.engine.traced import (
    AsideTraced,
    CaseTraced,
    FeatureTraced,
    RowTraced,
    SourceTraced,
    TruthTraced,
)
from wholeroad.engine.tracing_features import TIMES, columns_behind, form_of, rows_behind
from wholeroad.engine.tracing_rows import TracedSource
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.feature_rules import OUTCOMES
from wholeroad.road.data.batches import SYSTEM
from wholeroad.road.data.cases import Cases, decide_cases, key_hash
from wholeroad.road.data.features.specs import Derived, Feature, Window
from wholeroad.road.data.history import History
from wholeroad.road.data.outcomes import outcome_versions
from wholeroad.road.data.versioning import to_versions
from wholeroad.road.data.versions import KNOWN, ORDER

SOME: Final = 3
"""Rows of a window that are traced; the others are counted."""


def trace_row(
    name: str, key: Sequence[str], *, brief: Brief, tables: Tables, facts: Sequence[Fact], blobs: Blobs
) -> SourceTraced:
    """Trace one row of a source: every version, its batch, its raw row, what the mend did to it.

    Parameters
    ----------
    key
        One text for each column of the source's key.

    Raises
    ------
    UserError
        ``trace.key-length``, ``trace.unknown-row``.
    """
    source = brief.source[name]
    if len(key) != len(source.key):
        raise UserError(
            "trace.key-length",
            "A row is named by its whole key",
            happened=f"{len(key)} values were given",
            expected=f"{len(source.key)}: {', '.join(source.key)}",
            fix="give one value for each, in this order",
        )
    wanted = dict(zip(source.key, map(str, key), strict=True))
    traced = TracedSource(name, source, tables=tables, facts=facts, blobs=blobs)
    there = tables.exists(table_of(name, source))
    places = _of_key(traced, wanted) if there else []
    aside = quarantine_of(name, source)
    set_aside = _set_aside(tables.read(aside), wanted, facts) if tables.exists(aside) else ()
    if not places and not set_aside:
        raise _unknown_row(traced if there else None, name, wanted)
    versions = traced.traced(places) if places else ()
    shown = {column: versions[0].values[column] for column in source.key} if versions else wanted
    return SourceTraced(name, shown, versions, set_aside)


def trace_case(
    key: Sequence[str],
    *,
    history: History,
    tables: Tables,
    facts: Sequence[Fact],
    blobs: Blobs,
    decisions: pl.DataFrame | None = None,
    some: int = SOME,
) -> CaseTraced:
    """Trace one decision: what was known of the case, what each feature was made of, what came true.

    Rows are those of the sources as they are read now: where a mend was changed since the case was decided,
    its rows have been landed again from their raw rows, at the instants of their first landing.

    Parameters
    ----------
    key
        The case's, one text for each column.
    history
        Assembled from the same tables.
    facts
        The whole ledger.
    decisions
        Everything decided here, or None: a case of history can be traced too.
    some
        How many rows of each window are traced; all are counted.

    Raises
    ------
    UserError
        ``explain.key-length``, ``explain.unknown-case``.
    """
    decided = decisions if decisions is not None else history.cases.frame.select(history.cases.key)
    place = case_place(key, history, decisions=decided)
    tracing = _Tracing(history, place, tables=tables, facts=facts, blobs=blobs)
    values = (
        history.features.take(slice(place, place + 1)).row(0, named=True) if history.brief.feature else {}
    )
    features = [
        tracing.feature(feature, values[feature.name], some=some) for feature in history.bound.features
    ]
    return CaseTraced(
        key=tracing.key,
        decided_at=tracing.decided_at,
        decision=_decision(decisions, history, place),
        case=tracing.case,
        revisions=tracing.revisions,
        features=tuple(features),
        outcomes=tracing.outcomes(),
        truths=_truths(history, place),
        reviewed=bool((history.told.reviewed == place).any()),
    )


class _Tracing:
    """What the parts of one case's trace share."""

    def __init__(
        self, history: History, place: int, *, tables: Tables, facts: Sequence[Fact], blobs: Blobs
    ) -> None:
        self.key = history.cases.frame.select(history.cases.key).row(place, named=True)
        self.decided_at: Instant = int(history.timeline.decided_at[place])
        self._history = history
        self._brief = history.brief
        self._sources = {
            name: TracedSource(name, source, tables=tables, facts=facts, blobs=blobs)
            for name, source in history.brief.source.items()
        }
        self._texts = [str(part) for part in self.key.values()]
        source = self._sources[history.cases.source]
        rows = source.traced(_of_key(source, dict(zip(history.cases.key, self._texts, strict=True))))
        known = [row for row in rows if row.known_at is None or row.known_at <= self.decided_at]
        self.case = known[-1]
        self.revisions = tuple(row for row in rows if row not in known)

    def outcomes(self) -> tuple[RowTraced, ...]:
        """Give every version of the rows that told the case's outcome."""
        outcome = self._brief.outcome
        columns = outcome.by or self._history.cases.key
        wanted = dict(zip(columns, self._texts, strict=True))
        source = self._sources[outcome.source]
        return source.traced(_of_key(source, wanted))

    def feature(self, feature: Feature, value: Any, *, some: int) -> FeatureTraced:  # noqa: ANN401 - any type
        """Give the rows behind a feature: how many, and the newest of them traced."""
        form = form_of(feature)
        if isinstance(feature, Derived):
            return FeatureTraced(feature.name, value, form, None, 0, ())
        if feature.source == OUTCOMES and isinstance(feature, Window):
            return self._of_outcomes(feature, value, some=some)
        table, source = self._brief.source[feature.source], self._sources[feature.source]
        own = feature.source == self._history.cases.source
        rows = rows_behind(
            feature,
            source.narrow([*table.key, *columns_behind(feature), *TIMES]),
            key=table.key,
            case=self.case.values,
            decided_at=self.decided_at,
            own=self.key if own else None,
        )
        traced = source.traced(rows["place"].head(some).to_list()) if rows.height else ()
        return FeatureTraced(feature.name, value, form, feature.source, rows.height, traced)

    def _of_outcomes(self, feature: Window, value: Any, *, some: int) -> FeatureTraced:  # noqa: ANN401
        """Of the built-in source: the cases that counted, and the rows that told their outcomes by then."""
        history = self._history
        wanted_columns = {*columns_behind(feature)}
        versions = outcome_versions(
            self._decided(wanted_columns),
            history.timeline,
            classes=self._brief.outcome.classes,
            columns=wanted_columns,
            levels=history.told.levels,
        )
        rows = rows_behind(
            feature, versions.frame, key=versions.key, case=self.case.values, decided_at=self.decided_at
        )
        source = self._sources[self._brief.outcome.source]
        columns = self._brief.outcome.by or history.cases.key
        traced: list[RowTraced] = []
        for keys in rows.select(history.cases.key).head(some).iter_rows():
            wanted = dict(zip(columns, map(str, keys), strict=True))
            told = source.traced(_of_key(source, wanted))
            traced += [row for row in told if row.known_at is not None and row.known_at <= self.decided_at][
                -1:
            ]
        return FeatureTraced(feature.name, value, form_of(feature), OUTCOMES, rows.height, tuple(traced))

    def _decided(self, columns: set[str]) -> Cases:
        """Give all cases with some columns: a history lets go of those that only its features read."""
        history, name = self._history, self._history.cases.source
        source, table = self._sources[name], self._brief.source[name]
        wanted = {*columns, *history.bound.decide_at.columns, *table.key}
        own = [column for column in source.schema if column in wanted or column in SYSTEM]
        versions = to_versions(source.narrow(own).drop("place"), table, name=name)
        return decide_cases(versions, history.bound.decide_at, until=history.until)


def _of_key(source: TracedSource, wanted: Mapping[str, str]) -> list[int]:
    """Give the places of the versions whose columns say this, in the order in which they became known."""
    same = [pl.col(name).cast(pl.String) == text for name, text in wanted.items()]
    narrow = source.narrow([*wanted, KNOWN, ORDER])
    return narrow.filter(pl.all_horizontal(same)).sort(KNOWN, ORDER)["place"].to_list()


def _decision(decisions: pl.DataFrame | None, history: History, place: int) -> Mapping[str, Any] | None:
    if decisions is None:
        return None
    names = decisions.columns[: len(history.cases.key)]
    made = decisions.filter(key_hash([*names]) == history.cases.ids[place])
    return made.row(0, named=True) if made.height else None


def _truths(history: History, place: int) -> tuple[TruthTraced, ...]:
    timeline, levels = history.told.timeline, history.told.levels
    mine = np.flatnonzero(timeline.truth_case == place)
    names = history.brief.outcome.classes

    def said(code: int) -> str | None:
        if code < 0:
            return None
        return names[code] if levels is None else f"{levels[code]:g}"

    return tuple(
        TruthTraced(int(timeline.truth_known_at[n]), said(int(timeline.truth_code[n]))) for n in mine
    )


def _set_aside(
    quarantine: pl.DataFrame, wanted: Mapping[str, str], facts: Sequence[Fact]
) -> tuple[AsideTraced, ...]:
    """Find the rows that were set aside and have this key, as they were read."""
    same = [pl.col("row").str.json_path_match(f"$[{_quoted(name)}]") == text for name, text in wanted.items()]
    rows = still_aside(quarantine, facts).filter(pl.all_horizontal(same)).sort("landed_at", "row_number")
    return tuple(
        AsideTraced(
            row["code"], row["reason"], row["row"], row["row_number"], landed_at=to_instant(row["landed_at"])
        )
        for row in rows.iter_rows(named=True)
    )


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _unknown_row(source: TracedSource | None, name: str, wanted: Mapping[str, str]) -> UserError:
    said = " ".join(wanted.values())
    near: list[str] = []
    if source is not None:
        keys = source.narrow([*wanted]).select(
            pl.concat_str(pl.col([*wanted]).cast(pl.String), separator=" ")
        )
        near = difflib.get_close_matches(said, keys.to_series().tail(2_000).drop_nulls().to_list(), cutoff=0)
    return UserError(
        "trace.unknown-row",
        "No row has this key",
        happened=f"was {said!r}, in {name}",
        expected="the key of a row that has landed, or was set aside",
        fix=f"write it as the source does: {'; '.join(near)}" if near else "land rows first",
    )
