"""The brief as objects: one model for each table of ``brief.toml``.

The models hold what can be told without data. Faults between tables are found in
``rules.py``, faults against the landed data in ``rules.py`` of the data stage.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    model_validator,
)

from wholeroad.core.instants import format_span, parse_span

FORMAT: Final = 1
"""The newest brief format that this version reads."""

NAME: Final = r"^[A-Za-z][A-Za-z0-9_-]*$"
WORD: Final = r"^[A-Za-z][A-Za-z0-9_]*$"


LONGEST: Final = 1000 * 366 * 86_400_000_000
"""A thousand years: spans beyond it would leave the calendar."""


def _span(value: object) -> int:
    if not isinstance(value, str):
        message = "this is no text; a span in quotes, such as '30d' or '2h'"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors
    span = parse_span(value)
    if span > LONGEST:
        message = "the span leaves the calendar; a span of at most a thousand years"
        raise ValueError(message)
    return span


def _above_nothing(span: int) -> int:
    if span <= 0:
        message = "the span is empty; a span longer than nothing"
        raise ValueError(message)
    return span


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _keyed(value: object) -> object:
    if isinstance(value, str):
        return {value: value}
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return {name: name for name in value}
    return value


SpanText = Annotated[
    int,
    BeforeValidator(_span),
    PlainSerializer(format_span, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["30d", "2h"]}),
]
"""A span: written ``30d``, held as microseconds."""

LongSpan = Annotated[SpanText, AfterValidator(_above_nothing)]
"""A span longer than nothing."""

Columns = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One column name or several."""

Keys = Annotated[
    dict[str, str],
    BeforeValidator(_keyed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]
"""The case's column to the source's column; a plain name stands for both."""

Range = Annotated[list[StrictInt | StrictFloat], Field(min_length=2, max_length=2)]
Worth = StrictInt | StrictFloat | Range | StrictStr
"""A number, a range ``[low, high]``, or an expression over the case."""


class Table(BaseModel):
    """Base of the brief's tables: frozen, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class About(Table):
    """``[brief]``: what the business asks, in words."""

    name: str = Field(pattern=NAME)
    question: str
    decision: str = ""
    decided_by: str = ""
    affects: str = ""


class CaseTable(Table):
    """``[case]``: what is decided about, and when."""

    source: str
    decide_at: str
    """An expression over the case that gives an instant."""
    if_late: Literal["decide", "status_quo"] = "decide"


class OutcomeTable(Table):
    """``[outcome]``: the truth, where it comes from and when it is typical."""

    kind: Literal["binary", "multiclass"]
    classes: tuple[str, ...] = Field(min_length=2)
    positive: str | None = None
    source: str
    by: Columns | None = None
    """Columns of the outcome's source that hold the case's key, in the key's order."""
    truth: str
    matures: SpanText
    if_never: str = "drop"
    never_after: SpanText | None = None
    depends_on_action: Literal["no", "yes", "unknown"]


class ValueTable(Table):
    """``[value]``: the money of an (action, outcome) pair."""

    unit: str = Field(min_length=1)
    status_quo: dict[Literal["action", "expression"], str] = Field(min_length=1, max_length=1)
    of: dict[str, dict[str, Worth]] = Field(min_length=1)


class Gain(Table):
    """``gain_over_status_quo``: what would be a success."""

    per_case: float
    confidence: float = Field(default=0.95, gt=0.5, lt=1)


class SuccessTable(Table):
    """``[success]``."""

    gain_over_status_quo: Gain


class SourceTable(Table):
    """``[source.NAME]``: a table of rows that arrive."""

    read: str
    key: Columns
    happened_at: str | None = None
    known_at: str | None = None
    """An expression over the row, or ``landed``."""
    planned: bool = False
    static: bool = False
    absent: Literal["kept", "deleted"] = "kept"
    timezone: str | None = None
    types: dict[str, str] = Field(default_factory=dict)
    """Types of CSV columns: text, integer, number, boolean, instant."""

    @model_validator(mode="after")
    def _timed(self) -> Self:
        if self.static and (self.happened_at or self.known_at):
            message = "static stood beside happened_at or known_at; static = true without times, or times"
            raise ValueError(message)
        if not self.static and self.read != "none" and not (self.happened_at and self.known_at):
            message = "it had no times; happened_at and known_at (which may be 'landed'), or static = true"
            raise ValueError(message)
        return self


AGGREGATES: Final = ("count", "sum", "mean", "min", "max", "std", "distinct", "since")
FORMS: Final = ("column", "expression", "lookup", "latest", *AGGREGATES)


class FeatureTable(Table):
    """``feature.NAME``: exactly one of the forms, with the settings that belong to it."""

    column: str | None = None
    expression: str | None = None
    lookup: str | None = None
    """``source.column`` of a static source."""
    latest: str | None = None
    """``source.column``."""
    count: str | None = None
    """``*``, or a condition that the counted rows meet."""
    sum: str | None = None
    mean: str | None = None
    min: str | None = None
    max: str | None = None
    std: str | None = None
    distinct: str | None = None
    since: str | None = None
    """``*``, or a condition that the row meets."""
    of: str | None = None
    by: Keys | None = None
    over: LongSpan | None = None
    on: Literal["happened", "known"] | None = None
    where: str | None = None
    max_age: SpanText | None = None

    @property
    def form(self) -> str:
        """The form that is set: one of :data:`FORMS`."""
        return next(form for form in FORMS if getattr(self, form) is not None)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = [form for form in FORMS if getattr(self, form) is not None]
        if len(forms) != 1:
            given_forms = ", ".join(forms) or "none"
            message = f"its forms were {given_forms}; exactly one of {', '.join(FORMS)}"
            raise ValueError(message)
        form = forms[0]
        needed, allowed = _SETTINGS.get(form, _SETTINGS["window"])
        given = {name for name in _ALL_SETTINGS if getattr(self, name) is not None}
        if missing := sorted(needed - given):
            message = f"{form} stood without {', '.join(missing)}; {form} with {', '.join(sorted(needed))}"
            raise ValueError(message)
        if surplus := sorted(given - needed - allowed):
            takes = ", ".join(sorted(needed | allowed)) or "nothing"
            message = f"{form} stood beside {', '.join(surplus)}; {form} with {takes} beside it"
            raise ValueError(message)
        return self


_ALL_SETTINGS: Final = ("of", "by", "over", "on", "where", "max_age")
_SETTINGS: Final[dict[str, tuple[set[str], set[str]]]] = {
    "column": (set(), set()),
    "expression": (set(), set()),
    "lookup": ({"by"}, set()),
    "latest": ({"by"}, {"max_age"}),
    "since": ({"of"}, {"by", "over", "on", "where"}),
    "window": ({"of", "over"}, {"by", "on", "where"}),
}


class CycleTable(Table):
    """``[cycle]``: the recurring instant at which the plan may change."""

    every: LongSpan = 86_400_000_000
    at: str | None = Field(default=None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    """Time of day in UTC, for cycles of whole days."""


class FitTable(Table):
    """``fit``: virtual time and money of one fit."""

    takes: SpanText = 0
    costs: float = Field(default=0.0, ge=0)


class RefitTable(Table):
    """``[policy.refit]``."""

    first: SpanText
    when: str = "never"
    """``never`` or ``every <span>``."""
    gate: Literal["replace"] = "replace"
    fit: FitTable = FitTable()
    window: Literal["all"] | LongSpan = "all"


class PolicyTable(Table):
    """``[policy]``: the rules by which cycles change the plan."""

    refit: RefitTable


class ModelTable(Table):
    """``[model]``: candidates and the seed; may be left out."""

    candidates: tuple[Literal["constant", "logistic", "lightgbm"], ...] = (
        "constant",
        "logistic",
        "lightgbm",
    )
    seed: int = 0
    least_outcomes: int = Field(default=50, ge=2)
    """A fit is refused with fewer known outcomes outside the most frequent class."""


class RehearseTable(Table):
    """``[rehearse]``: what ``wholeroad rehearse`` compares when no ``--policy`` is given."""

    policies: tuple[str, ...] = ()


class Brief(Table):
    """The contract of the problem; see ``docs/reference/brief.md``."""

    format: int
    brief: About
    case: CaseTable
    outcome: OutcomeTable
    value: ValueTable
    success: SuccessTable | None = None
    source: dict[str, SourceTable] = Field(min_length=1)
    feature: dict[str, FeatureTable] = Field(default_factory=dict)
    cycle: CycleTable = CycleTable()
    policy: PolicyTable
    model: ModelTable = ModelTable()
    rehearse: RehearseTable = RehearseTable()

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions, in the order of the value table."""
        return tuple(self.value.of)

    def canonical(self) -> dict[str, Any]:
        """Give the brief as plain data; equal briefs give equal data."""
        return self.model_dump(mode="json", exclude_none=True)
