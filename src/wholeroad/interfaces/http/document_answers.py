"""The answers of the service as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

import polars as pl

from wholeroad.engine.service.messages import CaseStatus, RowStatus
from wholeroad.interfaces.http.schemas import Schema, value_schema
from wholeroad.road.brief.contract import Brief

_TEXT: Final = {"type": "string"}
_MAY_TEXT: Final = {"type": ["string", "null"]}
_NUMBER: Final = {"type": ["number", "null"]}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_MAY_INSTANT: Final = {"type": ["string", "null"], "format": "date-time"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_PLAIN: Final = {"type": ["string", "number", "boolean", "null"]}
_ID: Final = {"type": "string", "pattern": "^[0-9a-f]{16}$"}


def answer_schemas(brief: Brief, schemas: Mapping[str, pl.Schema]) -> dict[str, Schema]:
    """Describe each answer, with the actions, classes and sources of the brief."""
    return {
        "Case": _case(brief, schemas),
        "Cases": _closed({"cases": _each({"$ref": "#/components/schemas/Case"})}),
        "Row": _closed(
            {
                "status": {"type": "string", "enum": list(get_args(RowStatus))},
                "code": _TEXT,
                "reason": _TEXT,
                "case": {"type": "string", "enum": ["matched", "unknown"]},
            },
            optional=("code", "reason", "case"),
        ),
        "Rows": _closed(
            {
                "source": {"type": "string", "enum": list(brief.source)},
                "landed_at": _INSTANT,
                "rows": _each({"$ref": "#/components/schemas/Row"}),
            }
        ),
        "Models": _closed({"models": _each(_MODEL)}),
        "Facts": _closed(
            {
                "facts": _each(_closed({"seq": _COUNT, "fact": {"type": "object"}})),
                "next": {
                    "type": ["integer", "null"],
                    "description": "The next `after`; null after the last fact.",
                },
            }
        ),
        "Status": _STATUS,
        "Cancelled": _closed({"cancelled": {"type": "boolean"}}),
        "Live": _closed({"live": {"const": True}}),
        "Ready": _closed({"ready": {"const": True}}),
        "Front": _closed(
            {"project": _TEXT, "question": _TEXT, "routes": {"type": "object", "additionalProperties": _TEXT}}
        ),
        "Error": _closed({"error": _ERROR}),
    }


def _closed(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _each(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _case(brief: Brief, schemas: Mapping[str, pl.Schema]) -> Schema:
    actions = list(brief.actions)
    types: Mapping[str, pl.DataType] = schemas.get(brief.case.source) or {}
    classes = brief.outcome.classes
    required = ("status",)
    properties: dict[str, Any] = {
        "decision_id": {**_ID, "description": "Left out, with the key, where a case was set aside."},
        "key": _closed({name: value_schema(types.get(name)) for name in brief.source[brief.case.source].key}),
        "status": {
            "type": "string",
            "enum": list(get_args(CaseStatus)),
            "description": "accepted: decided when due; history: it was due before the service opened.",
        },
        "due_at": _INSTANT,
        "decided_at": _INSTANT,
        "action": {"type": "string", "enum": actions},
        "decided_by": _TEXT,
        "model": _TEXT,
        "probabilities": {
            "type": "object",
            "description": "By class." if classes else "By quantile.",
            "properties": dict.fromkeys(classes, _NUMBER),
            "additionalProperties": False if classes else _NUMBER,
        },
        "expected_value": {**_NUMBER, "description": f"Of the action, in {brief.unit or 'no unit'}."},
        "expected_values": {
            "type": "object",
            "properties": dict.fromkeys(actions, _NUMBER),
            "additionalProperties": False,
        },
        "propensity": _NUMBER,
        "features": {
            "type": "object",
            "properties": dict.fromkeys(brief.feature, _PLAIN),
            "additionalProperties": False,
        },
        "first": {"type": "boolean", "description": "Whether this request decided it."},
        "code": _TEXT,
        "reason": _TEXT,
    }
    return _closed(properties, optional=tuple(name for name in properties if name not in required))


_MODEL: Final = _closed(
    {
        "model": _MAY_TEXT,
        "champion": _TEXT,
        "fitted_at": _INSTANT,
        "rows": _COUNT,
        "why": _TEXT,
        "in_charge": {"type": "boolean"},
        "in_charge_from": _MAY_INSTANT,
    }
)
_STATUS: Final = _closed(
    {
        "brief": _TEXT,
        "now": _INSTANT,
        "decided_by": _TEXT,
        "model": _MAY_TEXT,
        "effective_from": _MAY_INSTANT,
        "why": _TEXT,
        "rows": _COUNT,
        "decisions": _COUNT,
        "waiting": _COUNT,
        "next_cycle_at": _INSTANT,
        "cycles_behind": _COUNT,
        "fit": _TEXT,
        "trouble": {
            "description": "What goes wrong beside the answers; null while all is well.",
            "oneOf": [_closed({"code": _TEXT, "happened": _TEXT, "since_at": _INSTANT}), {"type": "null"}],
        },
    }
)
_FAULT: Final = dict.fromkeys(("code", "where", "happened", "expected", "fix"), _TEXT)
_ERROR: Final = _closed(
    dict.fromkeys(("code", "headline", "happened", "expected", "fix", "request_id"), _TEXT)
    | {"faults": _each(_closed(_FAULT))},
    optional=("faults",),
)
