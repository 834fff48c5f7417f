"""The tables of the brief about data: sources and features."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from wholeroad.road.brief.cameras import CameraTable
from wholeroad.road.brief.mends import MendTable
from wholeroad.road.brief.settings import Columns, Keys, LongSpan, SpanText, Table
from wholeroad.road.brief.source_contract import ContractTable


class CsvTable(Table):
    """``[source.NAME] csv``: how a file of texts was written, where it isn't plain."""

    separator: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    """What stands between groups of three digits."""
    encoding: str = "utf-8"
    header_line: int = Field(default=1, ge=1)
    """The line that names the columns; what stands above it is left out."""
    footer_lines: int = Field(default=0, ge=0)
    """Lines at the end that are no rows, such as totals."""
    dates: str | None = None
    """How dates are written, as in ``%d/%m/%Y``; a time of day may follow."""
    nulls: tuple[str, ...] = ()
    """Texts that stand for nothing, beside the empty one."""


class SourceTable(Table):
    """``[source.NAME]``: a table of rows that arrive."""

    read: str
    """A file, a folder or a pattern of dumps, a query of ``database``, or ``none``."""
    key: Columns
    happened_at: str | None = None
    """An expression over the row, or ``landed``."""
    known_at: str | None = None
    """An expression over the row, or ``landed``."""
    database: str | None = Field(default=None, pattern=r"^[A-Z_][A-Z0-9_]*$")
    """The environment variable that holds the database's address; ``read`` is then a query."""
    csv: CsvTable | None = None
    planned: bool = False
    static: bool = False
    absent: Literal["kept", "deleted"] = "kept"
    timezone: str | None = None
    types: dict[str, str] = Field(default_factory=dict)
    """Types of CSV columns: text, integer, number, boolean, instant."""
    contract: ContractTable | None = None
    mend: MendTable | None = None
    camera: CameraTable | None = None
    costs_per_month: float | None = Field(default=None, ge=0)
    """What having the source costs, in the unit of value."""

    def reading(self, *, beside: Collection[str] = ()) -> str:
        """Give what decides which rows land and as what, as a text; sources that read alike give the same.

        Parameters
        ----------
        beside
            Settings that don't matter to the asker.
        """
        words = {"contract", "mend", "camera", "costs_per_month", *beside}
        text = self.model_dump_json(exclude=words)
        if self.contract is not None and "contract" not in beside:
            text += self.contract.reading
        if self.mend is not None and "mend" not in beside:
            text += self.mend.reading
        return text

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
    on: Literal["happened", "known", "planned"] | None = None
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
