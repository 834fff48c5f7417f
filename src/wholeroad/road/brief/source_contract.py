"""``[source.NAME.contract]``: what the rows of a source are promised to be, and who answers for them."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from wholeroad.road.brief.settings import LongSpan, Range, Table

Broken = Literal["quarantine", "hold", "warn"]
"""What a broken clause does: rows are set aside, the batch is held back, or it is only counted."""

Personal = Literal["none", "pseudonymous", "personal", "special"]
"""Class of personal data; ``special`` is that of GDPR, article 9."""

LawfulBasis = Literal[
    "consent", "contract", "legal obligation", "vital interests", "public task", "legitimate interests"
]
"""GDPR, article 6 (1), a to f."""

_WORDS: Final = {"unit", "personal"}
"""Settings of a column that no row can break."""

ROW_CLAUSES: Final = ("type", "range", "allowed", "unique", "references")
"""Clauses that single rows break; ``null_share`` is one of them where it is 0."""


class ColumnContract(Table):
    """``[source.NAME.contract.column] COLUMN``: what its values are promised to be."""

    type: Literal["text", "integer", "number", "boolean", "date", "instant"] | None = None
    unit: str | None = None
    """What a number counts, as in ``cm``; said, shown and exported: no row can break it."""
    range: Range | tuple[StrictStr, StrictStr] | None = None
    """The least and the greatest value; both are in it. Of instants and dates, as ISO 8601 texts."""
    allowed: tuple[StrictStr | StrictInt | StrictFloat | StrictBool, ...] = ()
    null_share: float | None = Field(default=None, ge=0, le=1)
    """The greatest share of rows without a value, of a batch; 0 sets single rows aside."""
    unique: bool = False
    """No two rows of the table with different keys share a value."""
    references: str | None = None
    """``source.column``: the value is there too."""
    personal: Personal | None = None
    if_broken: Broken | None = None
    """That of the contract unless said."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.range is not None and self.range[0] > self.range[1]:  # type: ignore[operator]
            message = f"the range ran from {self.range[0]} to {self.range[1]}; the least value first"
            raise ValueError(message)
        return self


class VolumeTable(Table):
    """``volume``: how many rows happen in each full hour or day (UTC)."""

    per: Literal["hour", "day"] = "day"
    least: int = Field(default=0, ge=0)
    most: int | None = Field(default=None, ge=1)


class ContractTable(Table):
    """``[source.NAME.contract]``."""

    owner: str = ""
    """Who answers for the source."""
    purpose: str = ""
    """What its rows may be used for."""
    personal: Personal | None = None
    lawful_basis: LawfulBasis | None = None
    retention: LongSpan | None = None
    """How long a row may be kept."""
    freshness: LongSpan | None = None
    """The newest row is never older than this at a cycle."""
    volume: VolumeTable | None = None
    if_broken: Broken = "quarantine"
    """What a broken clause does unless its column says otherwise; of a whole batch it only holds or warns."""
    column: dict[str, ColumnContract] = Field(default_factory=dict)

    def does(self, column: str | None = None) -> Broken:
        """Give what a broken clause does, of a column or of the whole batch."""
        said = None if column is None else self.column[column].if_broken
        return said or self.if_broken

    @property
    def may_hold(self) -> bool:
        """Whether any clause can hold a batch back."""
        return self.if_broken == "hold" or any(each.if_broken == "hold" for each in self.column.values())

    @property
    def reading(self) -> str:
        """What the contract lets land, as a text: its clauses without the words about them; empty without."""
        columns = {
            name: column.model_dump_json(exclude=_WORDS, exclude_defaults=True)
            for name, column in self.column.items()
        }
        said = [f"{name} {text}" for name, text in sorted(columns.items()) if text != "{}"]
        volume = "" if self.volume is None else self.volume.model_dump_json()
        return f"{self.if_broken} {volume} {said}" if said or volume else ""
