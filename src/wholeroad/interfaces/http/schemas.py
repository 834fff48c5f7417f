"""The rows of a brief's sources as JSON Schema, with examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from wholeroad.core.expressions.columns import columns_in
from wholeroad.road.brief.contract import AS_KNOWN, Brief
from wholeroad.road.data.asked_columns import asked_columns
from wholeroad.road.data.casting import KINDS

Schema = dict[str, Any]

_MOMENT: Final = "2026-01-31T12:00:00Z"
_DAY: Final = "2026-01-31"
_LANDED: Final = "landed"
_INT64: Final = {"minimum": -(2**63), "maximum": 2**63 - 1}
SCALAR: Final = ["string", "number", "boolean", "null"]


def row_schema(brief: Brief, source: str, *, schemas: Mapping[str, pl.Schema]) -> Schema:
    """Describe the rows of a source as they are sent.

    Columns of the key and of times are required and never null; others may be null or left out. A source that
    hasn't had a row yet takes the columns of its first ones, so further ones are allowed.

    Returns
    -------
    dict
        JSON Schema 2020-12.
    """
    table = brief.source[source]
    types = _types(brief, source, schemas)
    required = required_columns(brief, source)
    properties = {
        name: _column(dtype, required=name in required, of_key=name in table.key)
        for name, dtype in types.items()
    }
    for name in required:
        properties.setdefault(name, {"type": ["string", "number", "boolean"]})
    described: Schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name in required],
        "additionalProperties": False if source in schemas else {"type": SCALAR},
        "examples": [example_row(brief, source, schemas=schemas)],
    }
    return described


def required_columns(brief: Brief, source: str) -> set[str]:
    """Name the columns without which a row can't land: its key, and what tells its times."""
    table = brief.source[source]
    required = set(table.key)
    for text in () if table.static else (table.happened_at, table.known_at):
        if text and text != _LANDED:
            required |= columns_in(text, "instant").keys()
    if source == brief.case.source and brief.case.decide_at not in {"", AS_KNOWN}:
        required |= columns_in(brief.case.decide_at, "instant").keys()
    return required


def example_row(brief: Brief, source: str, *, schemas: Mapping[str, pl.Schema]) -> dict[str, Any]:
    """Make a row of a source that has a value of the right kind in each column."""
    return {name: _example(dtype) for name, dtype in _types(brief, source, schemas).items()}


def _types(brief: Brief, source: str, schemas: Mapping[str, pl.Schema]) -> dict[str, pl.DataType | None]:
    known = schemas.get(source)
    if known is not None:
        return dict(known)
    asked = asked_columns(brief, source)
    named = {column.name: KINDS.get(column.kind or "") for column in asked}
    return named | {name: KINDS.get(kind) for name, kind in brief.source[source].types.items()}


def _column(dtype: pl.DataType | None, *, required: bool, of_key: bool) -> Schema:
    described = value_schema(dtype)
    if not required and "type" in described:
        kinds = described["type"]
        described["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
        described["type"] = list(dict.fromkeys(described["type"]))
    if of_key:
        described["description"] = "Part of the key."
    return described


def value_schema(dtype: pl.DataType | None) -> Schema:  # noqa: PLR0911 (a return for each type)
    """Describe a value of a kept type; any plain one where the type isn't known."""
    match dtype:
        case pl.Int64():
            return {"type": "integer", "format": "int64", **_INT64}
        case pl.Float64():
            return {"type": "number", "format": "double"}
        case pl.Boolean():
            return {"type": "boolean"}
        case pl.String():
            return {"type": "string"}
        case pl.Datetime():
            return {"type": "string", "format": "date-time"}
        case pl.Date():
            return {"type": "string", "format": "date"}
    return {"type": ["string", "number", "boolean"]}


def _example(dtype: pl.DataType | None) -> object:
    match dtype:
        case pl.Int64():
            return 1
        case pl.Float64():
            return 1.5
        case pl.Boolean():
            return True
        case pl.Datetime():
            return _MOMENT
        case pl.Date():
            return _DAY
    return "a"
