"""What several tables of the brief share: spans, columns, keys, worth; and the base of every table."""

from __future__ import annotations

from typing import Annotated, Final

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
)

from wholeroad.core.instants import format_span, parse_span

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
