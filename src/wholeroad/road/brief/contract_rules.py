"""Faults of ``[source.NAME.contract]`` that are told without data: by itself, and beside the other tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from wholeroad.core.errors import Fault
from wholeroad.core.instants import Span, format_span, parse_instant
from wholeroad.road.brief.contract import CaseTable, FeatureTable, OutcomeTable
from wholeroad.road.brief.source_contract import ColumnContract, ContractTable
from wholeroad.road.brief.sources import SourceTable
from wholeroad.road.brief.value_rules import unknown

_NUMBERS: Final = ("integer", "number")
_TIMES: Final = ("date", "instant")
_KINDS: Final = ("text", "integer", "number", "boolean", "date", "instant")
_READ_AS: Final = {
    *((kind, kind) for kind in _KINDS),
    *(("text", kind) for kind in _KINDS),
    ("number", "integer"),
    ("integer", "number"),
    ("instant", "date"),
}
"""What a column may be read as, and what single rows of it may then be asked to be."""


class Tables(Protocol):
    """What contracts are read beside: the tables of the brief that are sound on their own."""

    sources: dict[str, SourceTable]
    source_names: set[str]
    features: dict[str, FeatureTable]
    case: CaseTable | None
    outcome: OutcomeTable | None


def contract_faults(parts: Tables) -> Iterator[Fault]:
    """Find what is wrong with the contracts of all sources.

    Codes ``brief.contract-range``, ``brief.contract-allowed``, ``brief.contract-type``,
    ``brief.contract-null-share``, ``brief.contract-reference``, ``brief.contract-volume``,
    ``brief.contract-times``, ``brief.contract-retention``, ``brief.unknown-source``.
    """
    for name, source in parts.sources.items():
        if source.contract is None:
            continue
        where = f"[source.{name}.contract]"
        yield from _volume_faults(source.contract, source, where)
        for column_name, column in source.contract.column.items():
            place = f"[source.{name}.contract.column] {column_name}"
            yield from _column_faults(column, column_name, source=source, where=place)
            yield from _reference_faults(column, (name, column_name), parts=parts, where=place)
        yield from _retention_faults(name, source.contract.retention, parts)


def _column_faults(column: ColumnContract, name: str, *, source: SourceTable, where: str) -> Iterator[Fault]:
    declared = source.types.get(name)
    if column.type is not None and declared is not None and (declared, column.type) not in _READ_AS:
        yield Fault(
            "brief.contract-type",
            f"{where}.type",
            f"was {column.type}, and types reads the column as {declared}",
            "a type that values read so can have",
            "let both say the same; types decides how a file is read",
        )
    kind = column.type or declared
    if column.range is not None:
        yield from _range_faults(column, kind, where)
    if column.allowed:
        yield from _allowed_faults(column, kind, where)
    if column.null_share and name in source.key:
        yield Fault(
            "brief.contract-null-share",
            f"{where}.null_share",
            f"was {column.null_share:g}, and {name} is part of the key",
            "0, or nothing: a row without its key is always set aside",
            "leave null_share out",
        )


def _range_faults(column: ColumnContract, kind: str | None, where: str) -> Iterator[Fault]:
    texts = column.range is not None and isinstance(column.range[0], str)
    wanted = _TIMES if texts else _NUMBERS
    if kind is not None and kind not in wanted:
        of = "dates in quotes" if texts else "numbers"
        yield Fault(
            "brief.contract-range",
            f"{where}.range",
            f"it was of {of}, and the column is {kind}",
            "a range of what the column holds: numbers, or dates as ISO 8601 texts",
            "use allowed for texts and for true or false",
        )
    strange = [end for end in column.range or () if isinstance(end, str) and not _is_instant(end)]
    if strange:
        yield Fault(
            "brief.contract-range",
            f"{where}.range",
            f"{strange[0]!r} is no date",
            "dates or date-times of ISO 8601, as in 2013-03-01",
            "write ['2013-01-01', '2013-12-31']",
        )


def _allowed_faults(column: ColumnContract, kind: str | None, where: str) -> Iterator[Fault]:
    strange = [each for each in column.allowed if kind is not None and not _is_of(each, kind)]
    kinds = {_kind_of(each) for each in column.allowed}
    if strange or len(kinds) > 1:
        happened = (
            f"{strange[0]!r} was in it, and the column is {kind}"
            if strange
            else f"it held {' and '.join(sorted(kinds))}"
        )
        yield Fault(
            "brief.contract-allowed",
            f"{where}.allowed",
            happened,
            "values of one kind, that of the column",
            "write texts in quotes, and numbers without",
        )
        return
    if column.range is not None and not isinstance(column.range[0], str):
        low, high = float(column.range[0]), float(column.range[1])
        beyond = [each for each in column.allowed if not isinstance(each, str) and not low <= each <= high]
        if beyond:
            yield Fault(
                "brief.contract-allowed",
                f"{where}.allowed",
                f"{beyond[0]!r} is allowed and lies outside of the range",
                "one of the two, or both that agree",
                "leave range out: allowed says more",
            )


def _reference_faults(
    column: ColumnContract, own: tuple[str, str], *, parts: Tables, where: str
) -> Iterator[Fault]:
    if column.references is None:
        return
    place = f"{where}.references"
    source, dot, target = column.references.partition(".")
    if not (dot and source and target):
        yield Fault(
            "brief.contract-reference",
            place,
            f"was {column.references!r}",
            "source.column",
            "name the source and its column",
        )
        return
    if source not in parts.source_names:
        yield unknown(place, source, known=sorted(parts.source_names), what="source")
    if source not in parts.sources:
        return
    if (source, target) == own:
        yield Fault(
            "brief.contract-reference",
            place,
            "the column refers to itself",
            "a column of another source, or another column",
            "leave references out",
        )
    there = parts.sources[source]
    contract = there.contract.column.get(target) if there.contract is not None else None
    kind = there.types.get(target) or (contract.type if contract is not None else None)
    if kind is not None and column.type is not None and kind != column.type:
        yield Fault(
            "brief.contract-reference",
            place,
            f"{column.references} is {kind}, and this column is {column.type}",
            "two columns of one type",
            "let both contracts say the same type",
        )


def _volume_faults(contract: ContractTable, source: SourceTable, where: str) -> Iterator[Fault]:
    volume = contract.volume
    if volume is not None and volume.most is not None and volume.least > volume.most:
        yield Fault(
            "brief.contract-volume",
            f"{where} volume",
            f"at least {volume.least} and at most {volume.most} were asked for",
            "least no greater than most",
            "change one of them",
        )
    for setting in ("volume", "freshness"):
        if source.static and getattr(contract, setting) is not None:
            yield Fault(
                "brief.contract-times",
                f"{where} {setting}",
                "the source is static: its rows have no time",
                "a source with times",
                "leave it out, or give the source happened_at and known_at",
            )


def _retention_faults(name: str, retention: Span | None, parts: Tables) -> Iterator[Fault]:
    """Say where rows would have to be gone before they are needed."""
    if retention is None:
        return
    needed: list[tuple[Span, str]] = []
    outcome = parts.outcome
    if outcome is not None and name in (outcome.source, parts.case.source if parts.case else ""):
        needed.append((outcome.matures, "[outcome] matures"))
    needed += [
        (feature.over, f"[feature] {feature_name}.over")
        for feature_name, feature in parts.features.items()
        if feature.of == name and feature.over is not None
    ]
    for span, setting in needed:
        if span > retention:
            yield Fault(
                "brief.contract-retention",
                f"[source.{name}.contract] retention",
                f"was {format_span(retention)}, and {setting} asks for rows of {format_span(span)} ago",
                f"no less than {format_span(span)}",
                f"shorten {setting}, or have a longer retention granted",
            )


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "numbers" if isinstance(value, int | float) else "texts"


def _is_of(value: object, kind: str) -> bool:
    match kind:
        case "integer":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "text":
            return isinstance(value, str)
        case _:
            return isinstance(value, str) and _is_instant(value)


def _is_instant(text: str) -> bool:
    try:
        parse_instant(text)
    except ValueError:
        return False
    return True
