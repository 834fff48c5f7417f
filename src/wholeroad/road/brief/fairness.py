"""The tables of ``[fairness]``: whose cases are compared, what must hold, and what is done about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, WithJsonSchema, model_validator

from wholeroad.road.brief.settings import Columns, Keys, LongSpan, SpanText, Table
from wholeroad.road.brief.sources import FeatureTable

GROUP_FORMS: Final = ("column", "expression", "lookup", "latest", "all_of")

Measure = Literal[
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "false_negative_rate",
    "precision",
    "equalized_odds",
    "calibration_gap",
    "money_per_case",
    "gain_per_case",
    "regret_per_case",
]
"""What a limit speaks of; ``equalized_odds`` is the larger one of the disparities of the true and the false
positive rate."""

Equal = Literal[
    "selection_rate", "true_positive_rate", "false_positive_rate", "equalized_odds", "gain_per_case"
]
"""What thresholds of a group's own can bring together."""

Kind = Literal["collect", "reweigh", "correct_labels", "thresholds", "abstain", "accept"]

NEEDS_OUTCOME: Final = frozenset(
    {
        "true_positive_rate",
        "false_positive_rate",
        "false_negative_rate",
        "precision",
        "equalized_odds",
        "calibration_gap",
    }
)
"""Measures that ask whether the positive class came true."""

Day = Annotated[date, WithJsonSchema({"type": "string", "format": "date"})]
"""A day: written in TOML without quotes, ``2026-11-21``, or as a text."""


class GroupTable(Table):
    """``[fairness.groups] NAME``: which group a case belongs to, as known when it is decided."""

    column: str | None = None
    expression: str | None = None
    """Over the case, as in a feature; ``case when ... end`` makes bands of a number."""
    lookup: str | None = None
    latest: str | None = None
    by: Keys | None = None
    max_age: SpanText | None = None
    all_of: tuple[str, ...] | None = None
    """The intersection of other groups, by their names."""
    population: dict[str, float] = Field(default_factory=dict)
    """Share of each value among those whom the decision is about, with data or without: they add up to 1."""
    population_from: str = ""
    """Where these shares were taken from, in words."""

    @property
    def form(self) -> str:
        """The form that is set: one of :data:`GROUP_FORMS`."""
        return next(form for form in GROUP_FORMS if getattr(self, form) is not None)

    @property
    def feature(self) -> FeatureTable:
        """The same as the table of a feature, of which it asks what features ask; not of ``all_of``."""
        names = ("column", "expression", "lookup", "latest", "by", "max_age")
        return FeatureTable(**{name: getattr(self, name) for name in names})

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = [form for form in GROUP_FORMS if getattr(self, form) is not None]
        if len(forms) != 1:
            given = ", ".join(forms) or "none"
            message = f"its forms were {given}; exactly one of {', '.join(GROUP_FORMS)}"
            raise ValueError(message)
        if forms == ["all_of"]:
            if self.by is not None or self.max_age is not None:
                message = "all_of stood beside by or max_age; all_of alone"
                raise ValueError(message)
            if len(self.all_of or ()) < 2:
                message = "all_of named fewer than two groups; two or more"
                raise ValueError(message)
            return self
        try:
            _ = self.feature
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        return self

    @model_validator(mode="after")
    def _whole_population(self) -> Self:
        shares = self.population.values()
        if shares and (min(shares) < 0 or abs(sum(shares) - 1) > 0.005):
            message = f"population added up to {sum(shares):g}; shares from 0 to 1 that add up to 1"
            raise ValueError(message)
        return self


class LimitTable(Table):
    """``[[fairness.limits]]``: how far apart groups may be; a fit beyond it isn't put in charge."""

    group: str
    measure: Measure
    difference_at_most: float | None = Field(default=None, ge=0)
    """Between the group with the most and that with the least; in money for measures in money."""
    ratio_at_least: float | None = Field(default=None, gt=0, le=1)
    """Of the least to the most; the four-fifths rule asks for 0.8."""
    burden_of_proof: Literal["breach", "holding"] = "breach"
    """What stops a fit: a breach that is clear, or holding that isn't."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)

    @property
    def name(self) -> str:
        """The limit in words, the same for equal limits."""
        said = (
            f"difference <= {self.difference_at_most:g}"
            if self.difference_at_most is not None
            else f"ratio >= {self.ratio_at_least:g}"
        )
        return f"{self.measure} by {self.group}: {said}"

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.difference_at_most is None) == (self.ratio_at_least is None):
            message = "it had none or both of difference_at_most and ratio_at_least; exactly one of them"
            raise ValueError(message)
        if self.measure == "calibration_gap" and self.ratio_at_least is not None:
            message = "calibration_gap stood with ratio_at_least; difference_at_most, since gaps lie around 0"
            raise ValueError(message)
        return self


class RemedyTable(Table):
    """``[[fairness.remedies]]``: what was chosen against a bias, by whom, why; in force at the next fit."""

    kind: Kind
    group: str
    values: Columns = ()
    """The values of the group that it is about; all of them unless said."""
    equal: Equal | None = None
    """Of ``thresholds``: what is brought together."""
    within: float = Field(default=0.0, ge=0)
    """Of ``thresholds``: the difference that is left between the groups; in money for ``gain_per_case``."""
    toward: Literal["unrelated", "population"] | None = None
    """Of ``reweigh``: whether group and outcome become ``unrelated`` in what is learnt from, as they do
    unless said, or groups weigh as they do in the stated ``population``."""
    below: float | None = None
    """Of ``abstain``: only cases in which acting is expected to bring less than this more or less than the
    status quo are left to people; all of them unless said."""
    cases: int | None = Field(default=None, ge=1)
    """Of ``collect``: how many more are wanted."""
    until: Day | None = None
    """Of ``collect``: by when."""
    chosen_by: str = ""
    chosen_on: Day | None = None
    reason: str = ""
    """Why; ``accept`` stands for nothing without it."""
    look_again_on: Day | None = None

    @model_validator(mode="after")
    def _settings_of_its_kind(self) -> Self:
        own: Mapping[str, tuple[str, ...]] = {
            "reweigh": ("toward",),
            "thresholds": ("equal", "within"),
            "abstain": ("below",),
            "collect": ("cases", "until"),
        }
        given: dict[str, Any] = {
            "toward": self.toward,
            "equal": self.equal,
            "within": self.within or None,
            "below": self.below,
            "cases": self.cases,
            "until": self.until,
        }
        surplus = [
            name for name, value in given.items() if value is not None and name not in own.get(self.kind, ())
        ]
        if surplus:
            message = f"{self.kind} stood beside {', '.join(surplus)}; these belong to other kinds"
            raise ValueError(message)
        if self.kind == "thresholds" and self.equal is None:
            message = "thresholds stood without equal; what they shall bring together"
            raise ValueError(message)
        if self.kind == "accept" and not self.reason.strip():
            message = "accept stood without reason; why the difference is accepted, in words"
            raise ValueError(message)
        return self


class FairnessTable(Table):
    """``[fairness]``: whose cases are compared, and what must hold between them."""

    groups: dict[str, GroupTable] = Field(min_length=1)
    selected: Columns = ()
    """The actions that count as being selected; every one but the status quo's unless said."""
    selected_is: Literal["benefit", "burden", "unsaid"] = "unsaid"
    """What being selected is for those affected."""
    least_cases: int = Field(default=30, ge=2)
    """Values of a group with fewer cases are put together."""
    limits: tuple[LimitTable, ...] = ()
    watch_every: LongSpan = 7 * 86_400_000_000
    """How often the limits are looked at after a release; each look makes the next one a little blunter."""
    remedies: tuple[RemedyTable, ...] = ()
    changeable: dict[str, Literal["any", "up", "down"]] = Field(default_factory=dict)
    """Features that a person affected can change, and in which direction."""
    appeals_to: str = ""
    """Who answers when a decision is contested, and how they are reached."""
    answered_within: SpanText | None = None
    """How long an answer to an appeal may take."""

    @property
    def bears_on_fits(self) -> bool:
        """Whether a fit has to know the groups: for remedies, or for the limits that it is held to."""
        return bool(self.learnt or self.of_kind("abstain") or self.limits)

    def acting(self) -> dict[str, Any]:
        """Give what changes a fit or a decision as plain data; words for people are left out."""
        words = {"chosen_by", "chosen_on", "reason", "look_again_on", "cases", "until"}
        return {
            "groups": {
                name: group.model_dump(mode="json", exclude_defaults=True, exclude={"population_from"})
                for name, group in self.groups.items()
            },
            "selected": self.selected,
            "least_cases": self.least_cases,
            "limits": [limit.model_dump(mode="json", exclude_defaults=True) for limit in self.limits],
            "watch_every": self.watch_every if self.limits else 0,
            "remedies": [
                remedy.model_dump(mode="json", exclude_defaults=True, exclude=words)
                for remedy in self.remedies
                if remedy.kind in ("reweigh", "thresholds", "abstain")
            ],
        }

    def of_kind(self, kind: Kind) -> tuple[RemedyTable, ...]:
        """Give the remedies of one kind, in their order."""
        return tuple(remedy for remedy in self.remedies if remedy.kind == kind)

    @property
    def learnt(self) -> tuple[RemedyTable, ...]:
        """The remedies that a fit carries out."""
        return tuple(remedy for remedy in self.remedies if remedy.kind in ("reweigh", "thresholds"))
