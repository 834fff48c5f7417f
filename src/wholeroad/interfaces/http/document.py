"""The OpenAPI document of a service, made from its brief: what it says is what the routes do."""

from __future__ import annotations

from typing import Any, Final

from wholeroad import __version__
from wholeroad.interfaces.http.document_answers import answer_schemas
from wholeroad.interfaces.http.document_model import TAG, model_paths
from wholeroad.interfaces.http.media import ARROW, NDJSON
from wholeroad.interfaces.http.port import Service
from wholeroad.interfaces.http.schemas import Schema, row_schema
from wholeroad.interfaces.http.settings import HttpSettings

_JSON: Final = "application/json"
_BEARER: Final[list[dict[str, list[str]]]] = [{"token": []}]
_REFUSALS: Final = {
    "400": "The body can't be read at all.",
    "401": "No token, or none that is in force.",
    "403": "The token's role may not do this.",
    "404": "There is no such thing.",
    "408": "The body came too slowly.",
    "409": "The case is known with other content; the first decision stands.",
    "413": "The body is too large, or has too many rows.",
    "415": "The body comes in a form that isn't read here.",
    "422": "The request can be read and isn't right.",
    "429": "Too much at once; Retry-After says when to come back.",
    "500": "A fault of the service.",
    "503": "Not now; Retry-After says when to come back.",
}
_SENDING: Final = ("400", "408", "413", "415", "422", "429", "500", "503")
_READING: Final = ("422", "429", "500", "503")
_GUARDED: Final = ("401", "403")


def document(service: Service, settings: HttpSettings, *, model: bool = False) -> dict[str, Any]:
    """Describe the service: OpenAPI 3.1.

    Parameters
    ----------
    model
        Whether the bare model is served, too, under ``/v2``.

    Returns
    -------
    dict
        The document; the same brief and the same columns give the same one.
    """
    brief = service.brief
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": brief.brief.name,
            "version": __version__,
            "summary": brief.brief.question,
            "description": _DESCRIPTION,
        },
        "tags": [TAG] if model else [],
        "paths": _paths(service, settings, model=model),
        "components": {
            "schemas": answer_schemas(brief, service.schemas)
            | {f"Row_{name}": row_schema(brief, name, schemas=service.schemas) for name in brief.source},
            "responses": {f"Error{status}": _refusal(status) for status in _REFUSALS},
            "parameters": {"RequestId": _REQUEST_ID},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


_DESCRIPTION: Final = (
    "Rows and cases come in, decisions go out. What was answered with success is on the disk. Instants are "
    "UTC. Every request may be sent again: rows, cases and outcomes carry their own ids. Unknown fields and "
    "parameters, names that come twice, NaN and Infinity are refused."
)
_REQUEST_ID: Final = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": "Comes back in the answer and stands in the log; any other is replaced by ours.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
}


def _paths(service: Service, settings: HttpSettings, *, model: bool) -> dict[str, Any]:
    brief = service.brief
    case, outcome = _row_of(brief.case.source), _row_of(brief.outcome.source)
    form = {"oneOf": [_asking("case", case), _asking("cases", _list(case, settings.cases))]}
    answer = {"oneOf": [_ref("Case"), _ref("Cases")]}
    paths: dict[str, Any] = {
        "/v1/decisions": {
            "post": {
                "operationId": "decide",
                "summary": brief.brief.decision or "Decide cases.",
                "requestBody": _body(form),
                "responses": {
                    "200": _told("Decision or decisions, each with its status.", answer),
                    "202": _told("Every case waits until it is due.", answer),
                    **_refused("409", *_SENDING, *_GUARDED),
                },
            }
        },
        "/v1/outcomes": {
            "post": _putting("put_outcomes", _OUTCOMES, _rows_body("outcomes", outcome, settings))
        },
    }
    # A path for each source, so that each has the columns of its own rows.
    for name in brief.source:
        body = _rows_body("rows", _row_of(name), settings)
        paths[f"/v1/rows/{name}"] = {"post": _putting(f"put_rows_{name}", f"Bring rows of {name}.", body)}
    paths |= _reading() | (model_paths() if model else {})
    for operations in paths.values():
        for operation in operations.values():
            operation.setdefault("security", _BEARER)
            operation["parameters"] = [_ID_GIVEN, *operation.get("parameters", ())]
    return paths


_ID_GIVEN: Final = {"$ref": "#/components/parameters/RequestId"}
_OUTCOMES: Final = "Say what became of cases: late, corrected, and of cases not yet known."


def _row_of(source: str) -> Schema:
    return _ref(f"Row_{source}")


def _putting(name: str, summary: str, body: dict[str, Any]) -> dict[str, Any]:
    told = _told("What became of each row.", _ref("Rows"))
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": body,
        "responses": {"200": told, **_refused(*_SENDING, *_GUARDED)},
    }


def _reading() -> dict[str, Any]:
    guarded = (*_READING, *_GUARDED)
    return {
        "/v1/decisions/{id}": {
            "get": _get(
                "decision", "What was decided about a case.", _told("It.", _ref("Case")), "404", *guarded
            )
            | {"parameters": [_PATH_ID]}
        },
        "/v1/models": {
            "get": _get("models", "The fits so far.", _told("The newest first.", _ref("Models")), *guarded)
        },
        "/v1/ledger": {
            "get": _get("ledger", "What became true, in order.", _FACTS, *guarded) | {"parameters": _PAGING}
        },
        "/v1/status": {
            "get": _get("status", "How the service stands.", _told("It.", _ref("Status")), *guarded)
        },
        "/v1/fits/cancel": {
            "post": _get(
                "cancel_fit",
                "Stop the fit that is being made.",
                _told("Whether there was one.", _ref("Cancelled")),
                *("408", "413"),
                *guarded,
            )
        },
        "/health/live": {
            "get": _open("live", "Whether the process answers.", _told("It does.", _ref("Live")))
        },
        "/health/ready": {
            "get": _open("ready", "Whether cases can be decided.", _told("They can.", _ref("Ready")))
        },
        "/metrics": {
            "get": _get("metrics", "Counters, for Prometheus.", _TEXT, *guarded),
        },
        "/openapi.json": {
            "get": _open("openapi", "This document.", _told("OpenAPI 3.1.", {"type": "object"}))
        },
        "/": {"get": _open("front", "The routes by name.", _told("They.", _ref("Front")))},
    }


_PATH_ID: Final = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "As it was answered: 16 hexadecimal digits.",
    "schema": {"type": "string", "minLength": 1},
}
_PAGING: Final = [
    {
        "name": "after",
        "in": "query",
        "description": "The number of the last fact that is known; 0 for none.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1, "default": 0},
    },
    {
        "name": "most",
        "in": "query",
        "description": "Facts at a time.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    },
]
_FACTS: Final = {
    "description": "Facts in order; as NDJSON where Accept asks for it, with the next page in Link.",
    "content": {
        _JSON: {"schema": {"$ref": "#/components/schemas/Facts"}},
        NDJSON: {"schema": {"type": "string"}},
    },
}
_TEXT: Final = {
    "description": "Text format 0.0.4.",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _told(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {_JSON: {"schema": schema}}}


def _refusal(status: str) -> dict[str, Any]:
    told = _told(_REFUSALS[status], _ref("Error"))
    if status in {"429", "503"}:
        told["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return told


def _refused(*statuses: str) -> dict[str, Any]:
    return {status: {"$ref": f"#/components/responses/Error{status}"} for status in sorted(statuses)}


def _get(name: str, summary: str, told: dict[str, Any], *statuses: str) -> dict[str, Any]:
    return {"operationId": name, "summary": summary, "responses": {"200": told, **_refused(*statuses)}}


def _open(name: str, summary: str, told: dict[str, Any]) -> dict[str, Any]:
    return _get(name, summary, told, *_READING) | {"security": []}


def _list(row: Schema, most: int) -> Schema:
    return {"type": "array", "items": row, "minItems": 1, "maxItems": most}


def _asking(field: str, schema: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {field: schema, "features": {"type": "boolean", "default": False}},
        "required": [field],
        "additionalProperties": False,
    }


def _body(schema: Schema) -> dict[str, Any]:
    return {"required": True, "content": {_JSON: {"schema": schema}}}


def _rows_body(field: str, row: Schema, settings: HttpSettings) -> dict[str, Any]:
    whole = {
        "type": "object",
        "properties": {field: _list(row, settings.rows)},
        "required": [field],
        "additionalProperties": False,
    }
    body = _body(whole)
    body["description"] = (
        f"At most {settings.rows:,} rows and {settings.body_bytes:,} bytes. As {NDJSON} a row stands on each "
        f"line; as {ARROW} the stream's columns are those of the rows, uncompressed."
    )
    body["content"] |= {
        NDJSON: {"schema": {"type": "string"}},
        ARROW: {"schema": {"type": "string", "contentMediaType": ARROW}},
    }
    return body
