"""The brief as objects: one model for each table of ``brief.toml``.

The models hold what can be told without data. Faults between tables are found in
``rules.py``, faults against the landed data in ``rules.py`` of the data stage.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final, Literal

from pydantic import Field

from wholeroad.road.brief.fairness import FairnessTable
from wholeroad.road.brief.predictions import prediction_columns
from wholeroad.road.brief.settings import Columns, LongSpan, SpanText, Table, Worth
from wholeroad.road.brief.sources import AGGREGATES, FORMS, CsvTable, FeatureTable, SourceTable
from wholeroad.road.brief.worth import QuantityTable, ValueTable, WorthTable, worth_table

__all__ = [
    "AGGREGATES",
    "AS_KNOWN",
    "FORMAT",
    "FORMS",
    "NAME",
    "WORD",
    "About",
    "Brief",
    "CaseTable",
    "CollectTable",
    "Columns",
    "CsvTable",
    "CycleTable",
    "FairnessTable",
    "FeatureTable",
    "FitTable",
    "Gain",
    "IncumbentTable",
    "LongSpan",
    "ModelTable",
    "NoActionTable",
    "OutcomeTable",
    "PolicyTable",
    "QuantityTable",
    "RefitTable",
    "RehearseTable",
    "SourceTable",
    "SpanText",
    "SuccessTable",
    "Table",
    "ValueTable",
    "Worth",
]

FORMAT: Final = 1
"""The newest brief format that this version reads."""

NAME: Final = r"^[A-Za-z][A-Za-z0-9_-]*$"
WORD: Final = r"^[A-Za-z][A-Za-z0-9_]*$"


AS_KNOWN: Final = "known"
"""The ``decide_at`` of a case that is decided as soon as it is known."""

CANDIDATES: Final = ("constant", "one_rule", "logistic", "lightgbm")
"""The learners that ship, tried unless ``[model] candidates`` says otherwise."""

QUANTILE_CANDIDATES: Final = ("constant", "linear", "lightgbm")
"""Those of an outcome that is a number."""


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
    decide_at: str = ""
    """An expression over the case that gives an instant, or ``known``; only a case without time has none."""
    if_late: Literal["decide", "status_quo"] = "decide"


class OutcomeTable(Table):
    """``[outcome]``: the truth, where it comes from and when it is typical."""

    kind: Literal["binary", "multiclass", "ranking", "regression"]
    classes: tuple[str, ...] = ()
    """Of every kind but regression, whose outcome is a number."""
    positive: str | None = None
    source: str
    by: Columns | None = None
    """Columns of the outcome's source that hold the case's key, in the key's order."""
    truth: str
    matures: SpanText
    if_never: str = "drop"
    never_after: SpanText | None = None
    depends_on_action: Literal["no", "yes", "unknown"]


class Gain(Table):
    """``gain_over_status_quo``: what would be a success."""

    per_case: float
    confidence: float = Field(default=0.95, gt=0.5, lt=1)


class SuccessTable(Table):
    """``[success]``."""

    gain_over_status_quo: Gain


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


class NoActionTable(Table):
    """``[policy] no_action``: a random share of cases that is left alone, to learn what acting changes."""

    action: str
    """What leaving alone is called among the actions."""
    share: float = Field(gt=0, lt=1)


class PolicyTable(Table):
    """``[policy]``: the rules by which cycles change the plan."""

    refit: RefitTable
    no_action: NoActionTable | None = None


class IncumbentTable(Table):
    """``[incumbent]``: a running system, known by its log; expressions over the log's rows."""

    source: str | None = None
    """Where the log is, joined by the case's key; the case's own source unless said."""
    score: str | None = None
    """Its probability of ``positive``."""
    action: str | None = None
    """The action that it took."""
    propensity: str | None = None
    """The probability with which it chose that action, where chance had a part in it."""


class CollectTable(Table):
    """``[collect]``: what is expected of data that isn't there yet."""

    cases_per_day: float = Field(gt=0)
    positive_share: float | None = Field(default=None, gt=0, lt=1)


class ModelTable(Table):
    """``[model]``: candidates and the seed; may be left out."""

    candidates: tuple[str, ...] | None = None
    """Learners by name; every one that ships for the kind of outcome unless said."""
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
    incumbent: IncumbentTable | None = None
    collect: CollectTable | None = None
    fairness: FairnessTable | None = None

    @cached_property
    def worth(self) -> WorthTable:
        """What actions are worth under outcomes, whatever the form in which the brief says it."""
        return worth_table(self.value, classes=self.outcome.classes, positive=self.outcome.positive)

    @property
    def candidates(self) -> tuple[str, ...]:
        """The learners that a fit tries."""
        if self.model.candidates is not None:
            return self.model.candidates
        return QUANTILE_CANDIDATES if self.outcome.kind == "regression" else CANDIDATES

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions, in the order of their codes."""
        return self.worth.actions

    @property
    def timeless(self) -> bool:
        """Whether the cases have no time: then nothing can be rehearsed, and fits are cross-validated."""
        return self.source[self.case.source].static

    @property
    def unit(self) -> str:
        """What values are counted in."""
        return self.worth.unit

    @property
    def prediction(self) -> tuple[str, ...]:
        """What the columns of a prediction are called: ``p_<class>``, or quantiles of a number."""
        return prediction_columns(self.outcome.kind, self.outcome.classes)

    def canonical(self) -> dict[str, Any]:
        """Give the brief as plain data; equal briefs give equal data."""
        return self.model_dump(mode="json", exclude_none=True)
