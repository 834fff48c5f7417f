"""From the brief's texts to expressions and features bound to the landed schemas; all faults at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

import polars as pl

from wholeroad.core.errors import Fault, FaultsError
from wholeroad.core.expressions import Expression, bind
from wholeroad.core.expressions.syntax import Call
from wholeroad.road.brief.contract import AGGREGATES, AS_KNOWN, Brief, FeatureTable
from wholeroad.road.brief.feature_rules import OUTCOMES
from wholeroad.road.brief.quantities import ACTION, OUTCOME
from wholeroad.road.data.casting import INSTANT, blame_text
from wholeroad.road.data.features.specs import Aggregate, Derived, Feature, Latest, Lookup, Window
from wholeroad.road.data.incumbent import Log
from wholeroad.road.data.versions import KNOWN

Expects = Literal["any", "number", "boolean", "text", "instant"]


AT_ONCE: Final = Expression("", (), INSTANT, pl.lit(0).cast(INSTANT))
"""When cases without time are decided: all of them at the epoch."""

WHEN_KNOWN: Final = Expression(AS_KNOWN, (), INSTANT, pl.col(KNOWN))
"""When a case is decided that is decided as soon as it is known."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The brief's expressions, bound.

    Attributes
    ----------
    decide_at, status_quo
        Over the case's row; ``status_quo`` is None where the brief names an action.
    truth
        Over the outcome's row, with the case's columns as ``case.<column>``.
    worth
        Over the case's row, by (action, outcome), where the value table has expressions.
    formula
        Over the case's row, ``action`` and ``outcome``, where money is a formula.
    features
        In the brief's order.
    incumbent
        The log of a running system.
    groups
        What says to which group a case belongs, but for intersections; no feature, and no model sees it.
    """

    decide_at: Expression
    truth: Expression
    status_quo: Expression | None
    worth: dict[tuple[str, str], Expression]
    features: tuple[Feature, ...]
    formula: Expression | None = None
    incumbent: Log | None = None
    groups: tuple[Feature, ...] = ()


def bind_brief(brief: Brief, schemas: Mapping[str, pl.Schema]) -> Bound:
    """Bind a brief to the schemas of its sources.

    Parameters
    ----------
    schemas
        By source: the columns as landed, without ours.

    Raises
    ------
    FaultsError
        Codes ``brief.unknown-column``, ``brief.key-type`` and those of the expressions.
    """
    return _Binder(brief, schemas).bind()


def used_columns(brief: Brief, bound: Bound) -> dict[str, set[str]]:
    """Name the columns of each source that the brief makes use of; the others needn't be read."""
    used: dict[str, set[str]] = {name: set(source.key) for name, source in brief.source.items()}
    case, outcome = used[brief.case.source], used[brief.outcome.source]
    case.update(bound.decide_at.columns, *(expression.columns for expression in bound.worth.values()))
    case.update(bound.status_quo.columns if bound.status_quo else ())
    case.update({*bound.formula.columns} - {ACTION, OUTCOME} if bound.formula else ())
    outcome.update(brief.outcome.by or brief.source[brief.case.source].key)
    for column in bound.truth.columns:
        if column.startswith("case."):
            case.add(column.removeprefix("case."))
        else:
            outcome.add(column)
    for feature in (*bound.features, *bound.groups):
        if isinstance(feature, Derived):
            case.update(feature.expression.columns)
            continue
        case.update(column for column, _ in feature.by)
        source = case if feature.source == OUTCOMES else used[feature.source]
        source.update(column for _, column in feature.by)
        if isinstance(feature, Window):
            source.update(*(part.columns for part in (feature.value, feature.where) if part))
        else:
            source.add(feature.column)
    if bound.incumbent is not None:
        used[bound.incumbent.source].update(brief.source[brief.case.source].key, bound.incumbent.columns)
    return used


class _Binder:
    def __init__(self, brief: Brief, schemas: Mapping[str, pl.Schema]) -> None:
        self.brief = brief
        case = schemas[brief.case.source]
        self.case = case
        self.zone = brief.source[brief.case.source].timezone
        self.numeric = brief.outcome.kind == "regression"
        truth = pl.Float64() if self.numeric else pl.String()
        self.schemas = {**schemas, OUTCOMES: pl.Schema({**case, "truth": truth})}
        self.words = (*brief.outcome.classes, *brief.actions)
        self.faults: list[Fault] = []

    def bind(self) -> Bound:
        brief = self.brief
        decide_at = self._decide_at()
        self.faults = blame_text(
            self.faults,
            brief.case.decide_at,
            frame=pl.DataFrame(schema=self.case),
            where=f"[source.{brief.case.source}]",
        )
        outcome_source = brief.source[brief.outcome.source]
        outcome = self.schemas[brief.outcome.source]
        key = brief.source[brief.case.source].key
        for case_column, column in zip(key, brief.outcome.by or key, strict=True):
            if self._has(column, outcome, "[outcome] by"):
                self._same_kind(case_column, column, source=brief.outcome.source, where="[outcome] by")
        truth = self._bind(
            brief.outcome.truth,
            {**outcome, **{f"case.{name}": kind for name, kind in self.case.items()}},
            where="[outcome] truth",
            expects="number" if self.numeric else "text",
            timezone=outcome_source.timezone or self.zone,
        )
        text = brief.value.status_quo.get("expression")
        wanted: Expects = "number" if self.numeric else "text"
        status_quo = self._case(text, "[value] status_quo", wanted) if text is not None else None
        worth = {
            (action, outcome_class): self._case(value, f"[value.of] {action}.{outcome_class}", "number")
            for action, row in brief.worth.of.items()
            for outcome_class, value in row.items()
            if isinstance(value, str)
        }
        formula = self._formula(brief.value.formula) if self.numeric and brief.value.formula else None
        features = [
            self._feature(name, feature, where=f"[feature] {name}") for name, feature in brief.feature.items()
        ]
        groups = self._groups()
        incumbent = self._incumbent()
        if self.faults or decide_at is None or truth is None:
            raise FaultsError("The brief doesn't fit the data", self.faults)
        return Bound(
            decide_at=decide_at,
            truth=truth,
            status_quo=status_quo,
            worth={pair: expression for pair, expression in worth.items() if expression is not None},
            features=tuple(feature for feature in features if feature is not None),
            formula=formula,
            incumbent=incumbent,
            groups=groups,
        )

    def _groups(self) -> tuple[Feature, ...]:
        tables = self.brief.fairness.groups if self.brief.fairness else {}
        found = [
            self._feature(name, table.feature, where=f"[fairness.groups] {name}")
            for name, table in tables.items()
            if table.all_of is None
        ]
        return tuple(each for each in found if each is not None)

    def _incumbent(self) -> Log | None:
        log = self.brief.incumbent
        if log is None:
            return None
        source = log.source or self.brief.case.source
        schema = self.schemas[source]
        for column in self.brief.source[self.brief.case.source].key:
            if self._has(column, schema, "[incumbent] source"):
                self._same_kind(column, column, source=source, where="[incumbent] source")

        def told(text: str | None, name: str, expects: Expects) -> Expression | None:
            if text is None:
                return None
            zone = self.brief.source[source].timezone or self.zone
            return self._bind(text, schema, where=f"[incumbent] {name}", expects=expects, timezone=zone)

        return Log(
            source=source,
            score=told(log.score, "score", "number"),
            action=told(log.action, "action", "number" if self.numeric else "text"),
            propensity=told(log.propensity, "propensity", "number"),
        )

    def _decide_at(self) -> Expression | None:
        if self.brief.timeless:
            return AT_ONCE
        if self.brief.case.decide_at == AS_KNOWN:
            return WHEN_KNOWN
        return self._case(self.brief.case.decide_at, "[case] decide_at", "instant")

    def _bind(
        self,
        text: str,
        schema: Mapping[str, pl.DataType],
        *,
        where: str,
        expects: Expects,
        timezone: str | None,
    ) -> Expression | None:
        try:
            return bind(text, schema, where=where, expects=expects, timezone=timezone, words=self.words)
        except FaultsError as error:
            self.faults += error.faults
            return None

    def _formula(self, text: str) -> Expression | None:
        schema = {**self.case, ACTION: pl.Float64(), OUTCOME: pl.Float64()}
        return self._bind(text, schema, where="[value] formula", expects="number", timezone=self.zone)

    def _case(self, text: str, where: str, expects: Expects) -> Expression | None:
        return self._bind(text, self.case, where=where, expects=expects, timezone=self.zone)

    def _has(self, column: str, schema: Mapping[str, pl.DataType], where: str) -> bool:
        if column in schema:
            return True
        near = difflib.get_close_matches(column, list(schema), n=1)
        self.faults.append(
            Fault(
                "brief.unknown-column",
                where,
                f"there is no column {column!r}",
                f"one of {', '.join(schema)}",
                f"did you mean {near[0]}?" if near else "name a column of the source",
            )
        )
        return False

    def _by(self, feature: FeatureTable, source: str, where: str) -> tuple[tuple[str, str], ...]:
        pairs = []
        for case_column, source_column in (feature.by or {}).items():
            known = self._has(case_column, self.case, f"{where}.by")
            if not (self._has(source_column, self.schemas[source], f"{where}.by") and known):
                continue
            self._same_kind(case_column, source_column, source=source, where=f"{where}.by")
            pairs.append((case_column, source_column))
        return tuple(pairs)

    def _same_kind(self, case_column: str, source_column: str, *, source: str, where: str) -> None:
        left, right = self.case[case_column], self.schemas[source][source_column]
        if _family(left) != _family(right):
            self.faults.append(
                Fault(
                    "brief.key-type",
                    where,
                    f"{case_column} is {left} in the case and {source_column} is {right} in {source}",
                    "the same kind of value on both sides",
                    "land one of them with the other's type",
                )
            )

    def _feature(self, name: str, feature: FeatureTable, *, where: str) -> Feature | None:
        form = feature.form
        if form in AGGREGATES:
            return self._window(name, feature, where)
        if form == "expression":
            expression = self._case(feature.expression or "", f"{where}.expression", "any")
            return Derived(name, expression) if expression else None
        if form == "column":
            column = feature.column or ""
            return (
                Derived(name, _column(column, self.case[column]))
                if self._has(column, self.case, where)
                else None
            )
        source, _, column = (feature.latest or feature.lookup or "").partition(".")
        if not self._has(column, self.schemas[source], where):
            return None
        by = self._by(feature, source, where)
        if form == "lookup":
            return Lookup(name, source, column, by)
        return Latest(name, source, column, by, feature.max_age)

    def _window(self, name: str, feature: FeatureTable, where: str) -> Feature | None:
        source = feature.of or ""
        schema = self.schemas[source]
        zone = self.brief.source[source].timezone if source != OUTCOMES else self.zone
        form = cast("Aggregate", feature.form)
        text: str = getattr(feature, form)
        value = condition = None
        if form in ("count", "since"):
            if text != "*":
                condition = self._bind(
                    text, schema, where=f"{where}.{form}", expects="boolean", timezone=zone
                )
        else:
            value = self._bind(text, schema, where=f"{where}.{form}", expects="any", timezone=zone)
            if value is not None and form != "distinct":
                self._number(value, f"{where}.{form}")
        if feature.where is not None:
            only = self._bind(feature.where, schema, where=f"{where}.where", expects="boolean", timezone=zone)
            condition = _both(condition, only)
        on = feature.on or ("known" if source == OUTCOMES else "happened")
        by = self._by(feature, source, where)
        return Window(name, source, form, value, condition, by, feature.over, on)

    def _number(self, value: Expression, where: str) -> None:
        if not (value.dtype.is_numeric() or value.dtype == pl.Boolean):
            self.faults.append(
                Fault(
                    "brief.value-type",
                    where,
                    f"was {value.dtype}",
                    "a number, or a condition (true counts as 1)",
                    "turn it into a number, as in hours_between(a, b)",
                )
            )


def _column(name: str, dtype: pl.DataType) -> Expression:
    return Expression(text=name, columns=(name,), dtype=dtype, polars=pl.col(name))


def _both(one: Expression | None, other: Expression | None) -> Expression | None:
    if one is None or other is None:
        return one or other
    return Expression(
        text=f"({one.text}) and ({other.text})",
        columns=tuple(sorted({*one.columns, *other.columns})),
        dtype=pl.Boolean(),
        polars=one.polars & other.polars,
        tree=Call("and", (one.tree, other.tree), (0, 0)) if one.tree and other.tree else None,
        timezone=one.timezone or other.timezone,
    )


def _family(dtype: pl.DataType) -> str:
    if dtype.is_integer():
        return "integer"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "text"
    return str(dtype.base_type())
