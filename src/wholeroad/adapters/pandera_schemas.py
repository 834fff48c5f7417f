"""Contracts as schemas of pandera, and back; what one can say and the other can't is listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.instants import parse_instant, to_datetime
from wholeroad.road.brief.source_contract import ColumnContract, ContractTable
from wholeroad.road.data.casting import kept_type
from wholeroad.road.data.contracts.fitting import TYPES, last_instant

if TYPE_CHECKING:
    from pandera.api.checks import Check
    from pandera.polars import Column, DataFrameSchema

_WORDS: Final = ("unit", "personal", "references")
"""Settings of a column that pandera carries along without asking anything of a row."""

_OWN: Final = ("owner", "purpose", "personal", "lawful_basis", "retention", "freshness", "volume")
_METADATA: Final = "wholeroad"
_OF_DTYPE: Final = {dtype: word for word, dtype in TYPES.items()}


@dataclass(frozen=True, slots=True)
class Exported:
    """A contract as a schema of pandera.

    Attributes
    ----------
    schema
        For ``pandera.polars``.
    unsaid
        What the schema doesn't ask of rows though the contract does, a sentence each.
    """

    schema: DataFrameSchema
    unsaid: tuple[str, ...]

    @property
    def text(self) -> str:
        """The schema as pandera writes it in JSON, without its metadata; instants as texts of ISO 8601."""
        return str(self.schema.to_json(default=lambda moment: moment.isoformat()))


@dataclass(frozen=True, slots=True)
class Imported:
    """A schema of pandera as a contract.

    Attributes
    ----------
    unsaid
        What the contract can't say though the schema does, a sentence each.
    """

    contract: ContractTable
    unsaid: tuple[str, ...]


def to_pandera(contract: ContractTable, *, name: str | None = None) -> Exported:
    """Write a contract as a schema of pandera for Polars.

    Types, ranges, allowed values, uniqueness and "never empty" become checks. Units, classes of personal data
    and references travel in the metadata of columns, what the contract says of the whole source in that of
    the schema; no row is asked about them there.

    Parameters
    ----------
    name
        What the schema is called.

    Raises
    ------
    UserError
        ``contract.needs-pandera``.
    """
    pandera = _pandera()
    unsaid: list[str] = []
    columns = {}
    for column_name, column in contract.column.items():
        unsaid += _unsaid_of_column(column_name, column)
        words = {word: said for word in _WORDS if (said := getattr(column, word)) is not None}
        if column.if_broken is not None:
            words["if_broken"] = column.if_broken
        if column.null_share:
            words["null_share"] = column.null_share
        columns[column_name] = pandera.Column(
            None if column.type is None else TYPES[column.type],
            list(_checks(pandera, column)),
            nullable=column.null_share != 0,
            unique=column.unique,
            metadata={_METADATA: words} if words else None,
        )
    plain = contract.model_dump(mode="json", include={*_OWN, "if_broken"}, exclude_defaults=True)
    unsaid += [f"{setting}: pandera asks nothing of it" for setting in _OWN if setting in plain]
    schema = pandera.DataFrameSchema(columns, name=name, metadata={_METADATA: plain} if plain else None)
    return Exported(schema, tuple(unsaid))


def from_pandera(schema: DataFrameSchema) -> Imported:
    """Read a schema of pandera for Polars as a contract.

    Raises
    ------
    UserError
        ``contract.needs-pandera``; ``contract.no-schema``: it is something else.
    """
    pandera = _pandera()
    if not isinstance(schema, pandera.DataFrameSchema):
        raise UserError(
            "contract.no-schema",
            "This is no schema of pandera for Polars",
            happened=f"was {type(schema).__module__}.{type(schema).__qualname__}",
            expected="a pandera.polars.DataFrameSchema",
            fix="of a model take its to_schema(); make one for pandas anew with pandera.polars",
        )
    unsaid: list[str] = [
        f"{said} of the schema" for setting, said in _WHOLE.items() if getattr(schema, setting, None)
    ]
    unsaid += [f"a check of whole frames, {check.name}" for check in schema.checks]
    columns = {}
    for name, column in schema.columns.items():
        said: dict[str, Any] = {}
        unsaid += _of_column(name, column, said)
        columns[name] = said
    own = dict(_ours(schema.metadata))
    if isinstance(own.get("volume"), Mapping):
        own["volume"] = dict(own["volume"])
    return Imported(ContractTable.model_validate({**own, "column": columns}), tuple(unsaid))


_WHOLE: Final = {
    "unique": "uniqueness over several columns",
    "ordered": "the order of the columns",
    "strict": "that there are no other columns",
    "parsers": "parsers",
    "coerce": "casting to the types",
}


def _checks(pandera: Any, column: ColumnContract) -> Iterator[Check]:  # noqa: ANN401 - a module
    if column.range is not None:
        low, high = column.range
        if isinstance(low, str) or isinstance(high, str):
            ends: tuple[Any, Any] = (
                to_datetime(parse_instant(str(low))),
                to_datetime(last_instant(str(high))),
            )
            if column.type == "date":
                ends = (ends[0].date(), ends[1].date())
            yield pandera.Check.in_range(*ends)
        else:
            yield pandera.Check.in_range(low, high)
    if column.allowed:
        yield pandera.Check.isin(list(column.allowed))


def _unsaid_of_column(name: str, column: ColumnContract) -> Iterator[str]:
    if column.null_share:
        yield f"{name} null_share {column.null_share:g}: pandera lets any share be empty, or none"
    if column.references is not None:
        yield f"{name} references {column.references}: pandera looks at one frame only"
    if column.unique:
        yield f"{name} unique: pandera counts two versions of one key as two rows"


def _of_column(name: str, column: Column, said: dict[str, Any]) -> Iterator[str]:
    """Read a column into the words of a contract; give what there are no words for."""
    if column.dtype is not None:
        dtype = kept_type(_instance(column.dtype.type))
        if dtype in _OF_DTYPE:
            said["type"] = _OF_DTYPE[dtype]
        else:
            yield f"{name}: the type {column.dtype}, which can't be kept"
    if not column.nullable:
        said["null_share"] = 0
    if column.unique:
        said["unique"] = True
    yield from (f"{name}: {what}" for what in _of_checks(column.checks, said))
    for setting, what in (("regex", "a name that stands for several columns"), ("coerce", "casting")):
        if getattr(column, setting):
            yield f"{name}: {what}"
    if not column.required:
        yield f"{name}: that the column may be missing"
    said |= _ours(column.metadata)


def _of_checks(checks: Iterable[Check], said: dict[str, Any]) -> Iterator[str]:
    ends: dict[str, Any] = {}
    for check in checks:
        match check.name, check.statistics or {}:
            case "in_range", {"min_value": low, "max_value": high, "include_min": True, "include_max": True}:
                ends |= {"least": low, "most": high}
            case "greater_than_or_equal_to", {"min_value": low}:
                ends["least"] = low
            case "less_than_or_equal_to", {"max_value": high}:
                ends["most"] = high
            case "isin", {"allowed_values": values}:
                said["allowed"] = list(values)
            case _:
                yield f"the check {check.name}"
    if len(ends) == 2:
        said["range"] = [_plain(ends["least"]), _plain(ends["most"])]
    elif ends:
        yield f"a range with one end, {next(iter(ends.values()))}"


def _instance(dtype: Any) -> pl.DataType:  # noqa: ANN401 - a type of Polars, or its class
    made: pl.DataType = dtype() if isinstance(dtype, type) else dtype
    return made


def _plain(end: Any) -> Any:  # noqa: ANN401 - a number, or a date
    return end if isinstance(end, int | float | str) else end.isoformat().replace("+00:00", "Z")


def _ours(metadata: object) -> Mapping[str, Any]:
    found = metadata.get(_METADATA) if isinstance(metadata, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _pandera() -> Any:  # noqa: ANN401 - a module
    try:
        import pandera.polars as pandera
    except ImportError:
        raise UserError(
            "contract.needs-pandera",
            "pandera isn't installed",
            happened="pandera could not be imported",
            expected="the extra contracts",
            fix="pip install 'wholeroad[contracts]'",
        ) from None
    return pandera
