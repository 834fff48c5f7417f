"""The paths of the bare model in the OpenAPI document: the Open Inference Protocol, as it is served here."""

from __future__ import annotations

from typing import Any, Final

_JSON: Final = "application/json"
_BYTES: Final = "application/octet-stream"
_PROTOCOL: Final = "https://github.com/kserve/open-inference-protocol"
_TAG: Final = "bare model"

TAG: Final = {
    "name": _TAG,
    "description": "The model in charge by the Open Inference Protocol, version 2: no decision is taken.",
    "externalDocs": {"description": "The protocol", "url": _PROTOCOL},
}

_TEXT: Final = {"type": "string"}
_ANY: Final = {"type": "object"}
_REFUSED: Final = {
    "description": "Refused, in the protocol's own shape.",
    "content": {
        _JSON: {
            "schema": {
                "type": "object",
                "properties": {"error": _TEXT},
                "required": ["error"],
                "additionalProperties": False,
            }
        }
    },
}
_READING: Final = ("401", "403", "404", "422", "429", "500", "503")
_SENDING: Final = ("400", "408", "413", "415", *_READING)
_TENSOR: Final = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "datatype": _TEXT,
        "parameters": _ANY,
        "data": {"type": "array"},
    },
    "required": ["name", "shape", "datatype"],
}
_ASKED: Final = {
    "type": "object",
    "properties": {
        "id": _TEXT,
        "parameters": _ANY,
        "inputs": {"type": "array", "items": _TENSOR, "minItems": 1},
        "outputs": {"type": "array", "items": _ANY},
    },
    "required": ["inputs"],
}


def model_paths() -> dict[str, Any]:
    """Describe the paths under ``/v2``, apart from whose token is asked for.

    Returns
    -------
    dict
        By path: its operations. Their ``operationId`` s begin with ``model_``.
    """
    paths: dict[str, Any] = {
        "/v2": _get("model_server", "Who serves."),
        "/v2/health/live": _get("model_live", "Whether the process answers.", opened=True),
        "/v2/health/ready": _get("model_is_ready", "Whether a model is in charge.", opened=True),
    }
    for number, path in enumerate(("/v2/models/{name}", "/v2/models/{name}/versions/{version}")):
        end = "_of_version" if number else ""
        given = [_in_path("name", "The brief's.")]
        given += [_in_path("version", "The digest of the model in charge.")] if number else []
        paths[path] = _get(f"model_metadata{end}", "Its inputs and outputs.", given)
        paths[f"{path}/ready"] = _get(f"model_ready{end}", "Whether it is there.", given)
        paths[f"{path}/infer"] = {"post": _infer(f"model_infer{end}", given)}
    return paths


def _in_path(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1},
    }


def _get(
    name: str, summary: str, given: list[dict[str, Any]] | None = None, *, opened: bool = False
) -> dict[str, Any]:
    told = {"description": "It.", "content": {_JSON: {"schema": _ANY}}}
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "tags": [_TAG],
        "responses": {"200": told, **dict.fromkeys(_READING, _REFUSED)},
    }
    if given:
        operation["parameters"] = given
    if opened:
        operation["security"] = []
    return {"get": operation}


def _infer(name: str, given: list[dict[str, Any]]) -> dict[str, Any]:
    # With binary tensors the body is JSON and then their bytes; Inference-Header-Content-Length parts them.
    length = {
        "name": "Inference-Header-Content-Length",
        "in": "header",
        "required": False,
        "description": "Bytes of JSON before the bytes of binary tensors.",
        "schema": {"type": "integer", "minimum": 0},
    }
    told = {
        "description": "Probabilities by class, or quantiles.",
        "content": {_JSON: {"schema": _ANY}, _BYTES: {"schema": _TEXT}},
    }
    body = {"required": True, "content": {_JSON: {"schema": _ASKED}, _BYTES: {"schema": _TEXT}}}
    return {
        "operationId": name,
        "summary": "Score features, and decide nothing.",
        "tags": [_TAG],
        "parameters": [*given, length],
        "requestBody": body,
        "responses": {"200": told, **dict.fromkeys(sorted(_SENDING), _REFUSED)},
    }
