"""The document and the service agree: whatever is sent by the document is answered by the document.

``SERVICE`` makes the service that stands behind the face.
"""

from __future__ import annotations

import json

import httpx
import jsonschema
import polars as pl
import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from by_the_document import hold
from http_desk import CASE, LATER, Desk, served
from wholeroad.interfaces.http.document import document
from wholeroad.interfaces.http.settings import HttpSettings
from wholeroad.road.brief.work import read_brief
from worlds import BRIEF

SERVICE = Desk
EXAMPLES = 12
"""Of each operation and way of making them."""

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
DESCRIBED = document(SERVICE(), HttpSettings())
SCHEMA = schemathesis.openapi.from_dict(DESCRIBED)
OPERATIONS = [operation.ok() for operation in SCHEMA.get_all_operations()]


@pytest.fixture(scope="module")
def address():
    with served(SERVICE()) as ((host, port), _):
        yield f"http://{host}:{port}"


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_what_is_sent_by_the_document_is_answered_by_the_document(operation, mode, address):
    # A row whose values don't fit is set aside, and that is a success with a word about the row: so what
    # contradicts the document isn't always refused; what is refused is held in test_http_hostile.py.
    checks = [*CHECKS, positive_data_acceptance] if mode is GenerationMode.POSITIVE else CHECKS
    hold(operation, mode, address=address, checks=checks, examples=EXAMPLES)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_other_methods_are_refused_with_those_that_are_offered(operation, address):
    offered = {name.upper() for name in DESCRIBED["paths"][operation.path] if name in {"get", "post"}}
    path = operation.path.replace("{id}", "0" * 16)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - offered:
        response = httpx.request(method, address + path)
        assert response.status_code == 405
        assert offered <= {word.strip() for word in response.headers["Allow"].split(",")}
        jsonschema.validate(response.json(), in_full("Error"))


def in_full(name):
    return {"$ref": f"#/components/schemas/{name}", "components": DESCRIBED["components"]}


def test_the_document_is_openapi():
    SCHEMA.validate()
    assert DESCRIBED["openapi"].startswith("3.1")
    assert json.loads(json.dumps(DESCRIBED)) == DESCRIBED
    names = [operation["operationId"] for path in DESCRIBED["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_every_reference_of_the_document_leads_somewhere():
    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in references(DESCRIBED):
        node = DESCRIBED
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_examples_are_what_they_are_examples_of():
    for name in ("parcels", "deliveries"):
        schema = DESCRIBED["components"]["schemas"][f"Row_{name}"]
        for example in schema["examples"]:
            jsonschema.validate(example, schema)
    schema = DESCRIBED["components"]["schemas"]["Row_parcels"]
    for case in (CASE, LATER):
        jsonschema.validate(case, schema)
    assert schema["required"] == ["parcel_id", "sent_at", "booked_at"]


def test_a_source_without_rows_is_described_by_what_the_brief_asks_of_it():
    described = document(Desk(schemas={}), HttpSettings())["components"]["schemas"]
    row = described["Row_parcels"]
    assert {"parcel_id", "sent_at", "booked_at", "weight_kg", "depot"} == set(row["properties"])
    assert row["properties"]["sent_at"]["format"] == "date-time"
    assert row["additionalProperties"] is not False
    jsonschema.validate(CASE | {"more": 1}, row)


@given(
    st.dictionaries(
        st.sampled_from(["depot", "weight_kg", "more", "flag", "on"]),
        st.sampled_from(
            [pl.String(), pl.Int64(), pl.Float64(), pl.Boolean(), pl.Date(), pl.Datetime("us", "UTC")]
        ),
    )
)
@settings(max_examples=50, deadline=None)
def test_law_whatever_the_columns_the_document_is_valid_and_its_examples_fit(columns):
    moment = pl.Datetime("us", "UTC")
    schema = pl.Schema({"parcel_id": pl.Int64(), "sent_at": moment, "booked_at": moment, **columns})
    described = document(Desk(schemas={"parcels": schema}), HttpSettings())
    row = described["components"]["schemas"]["Row_parcels"]
    jsonschema.Draft202012Validator.check_schema(row)
    jsonschema.validate(row["examples"][0], row)
    assert row["required"] == ["parcel_id", "sent_at", "booked_at"]
    for name in columns:
        jsonschema.validate(row["examples"][0] | {name: None}, row)
    assert set(described["paths"]) >= {"/v1/rows/parcels", "/v1/rows/deliveries", "/v1/decisions"}


def test_the_document_names_the_actions_and_classes_of_the_brief():
    case = DESCRIBED["components"]["schemas"]["Case"]["properties"]
    brief = read_brief(BRIEF)
    assert tuple(case["action"]["enum"]) == brief.actions
    assert tuple(case["probabilities"]["properties"]) == brief.outcome.classes
