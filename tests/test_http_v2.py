"""Laws of the bare model over HTTP: the protocol's own clients get the model's bits, hostile bytes a 4xx."""

from __future__ import annotations

import functools
import json
import struct
from dataclasses import dataclass

import httpx
import numpy as np
import open_inference.openapi.types.inference_request as wire
import polars as pl
import pytest
import tritonclient.http as triton
from hypothesis import given, settings
from hypothesis import strategies as st
from open_inference.openapi.client import OpenInferenceClient
from open_inference.openapi.core.api_error import ApiError
from open_inference.openapi.errors.bad_request_error import BadRequestError
from open_inference.openapi.errors.service_unavailable_error import ServiceUnavailableError
from starlette.applications import Starlette
from tritonclient.utils import InferenceServerException

import worlds
from loopback import served
from test_model import each_model, make_cut
from wholeroad.adapters.learners.quantiles_linear import LinearQuantiles
from wholeroad.interfaces.http.face import make_app
from wholeroad.interfaces.http.guard import TokenGuard
from wholeroad.interfaces.http.settings import HttpSettings
from wholeroad.interfaces.http.tokens import Tokens
from wholeroad.interfaces.http.v2 import routes
from wholeroad.interfaces.http.v2_tensors import datatype_of
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.predictions import POINTS
from wholeroad.road.brief.work import read_brief
from wholeroad.road.model.encoding import fit_encoder
from wholeroad.road.model.quantiles import UNCHANGED
from wholeroad.road.model.scoring import Model

LENGTH = "Inference-Header-Content-Length"
ROWS = 40
MOST_ROWS = 200
laws = settings(max_examples=100, deadline=None)


@dataclass
class Holder:
    """Holds a model and a brief, as the service does."""

    brief: Brief
    model: Model | None
    schema: pl.Schema
    why: str = ""

    def champion(self):
        return None if self.model is None else (self.model.digest, self.model, self.schema)

    def not_ready(self):
        return self.why

    def now(self):
        return 0


CUT = make_cut(600, classes=2)
FEATURES = CUT.features


@functools.cache
def models():
    return {model.learner: model for model in each_model(CUT)}


def holder(learner="lightgbm", **changed):
    brief = read_brief(worlds.BRIEF)
    return Holder(**{"brief": brief, "model": models()[learner], "schema": FEATURES.schema} | changed)


@functools.cache
def quantiles_model():
    matrix = fit_encoder(FEATURES)
    scorer, _ = LinearQuantiles().fit_quantiles(
        matrix.encode(FEATURES), FEATURES["count"].to_numpy().astype(float), points=POINTS
    )
    return Model(matrix, "linear", scorer, UNCHANGED, (), ("ten", "twenty"))


@pytest.fixture(scope="module")
def address():
    with served(Starlette(routes=routes(holder(), most_rows=MOST_ROWS, most_bytes=200_000))) as found:
        yield found


@pytest.fixture(scope="module")
def http(address):
    with httpx.Client(base_url=address) as client:
        yield client


@pytest.fixture(scope="module")
def triton_client(address):
    client = triton.InferenceServerClient(address.removeprefix("http://"))
    yield client
    client.close()


@pytest.fixture(scope="module")
def standard_client(address):
    with httpx.Client() as client:
        yield OpenInferenceClient(base_url=address, httpx_client=client)


def triton_inputs(frame, *, binary=True, column=False):
    """Give features as Triton's client wants them: nulls as NaN in FP64, in texts as nothing."""
    found = []
    for series in frame.iter_columns():
        if series.dtype == pl.String:
            values = np.array([(text or "").encode() for text in series], dtype=np.object_)
        elif series.null_count():
            values = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
        else:
            values = series.to_numpy()
        values = values.reshape(-1, 1) if column else values
        kind = triton_kind(values)
        found.append(triton.InferInput(series.name, list(values.shape), kind))
        found[-1].set_data_from_numpy(values, binary_data=binary)
    return found


def triton_kind(values):
    return {"object": "BYTES", "bool": "BOOL", "float64": "FP64", "int64": "INT64"}[values.dtype.name]


def json_inputs(frame):
    return [
        {"name": s.name, "shape": [len(s)], "datatype": datatype_of(s.dtype), "data": s.to_list()}
        for s in frame.iter_columns()
    ]


def binary_body(frame, *, parameters=None, **more):
    """Write a request with binary tensors by hand; give the body and its headers."""
    inputs, parts = [], []
    for series in frame.iter_columns():
        if series.dtype == pl.String:
            texts = [(text or "").encode() for text in series]
            parts.append(b"".join(struct.pack("<I", len(text)) + text for text in texts))
            kind = "BYTES"
        else:
            parts.append(series.cast(pl.Float64).fill_null(np.nan).to_numpy().astype("<f8").tobytes())
            kind = "FP64"
        size = {"binary_data_size": len(parts[-1])}
        inputs.append({"name": series.name, "shape": [len(series)], "datatype": kind, "parameters": size})
    text = json.dumps(
        {"inputs": inputs, "parameters": parameters or {"empty_is_null": True}, **more}
    ).encode()
    return b"".join([text, *parts]), {LENGTH: str(len(text))}


def bits(response):
    """Give the values of an answer's one output."""
    assert response.status_code == 200, response.text
    length = response.headers.get(LENGTH)
    answer = json.loads(response.content[: int(length)] if length else response.content)
    (output,) = answer["outputs"]
    values = output["data"] if length is None else np.frombuffer(response.content[int(length) :], "<f8")
    return np.array(values).reshape(output["shape"])


def refused(response, status, *words):
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    for word in words:
        assert word in response.json()["error"]


PATH = "/v2/models/small/infer"


# the judges


@pytest.mark.parametrize("learner", ["constant", "one_rule", "logistic", "lightgbm"])
@pytest.mark.parametrize("binary", [True, False])
def test_tritons_client_gets_the_models_bits(learner, binary):
    frame = FEATURES.drop("empty").head(ROWS).with_columns(pl.col("number").fill_null(0.5))
    model = models()[learner]
    expected = model.probabilities(frame.with_columns(empty=pl.lit(None, pl.Float64)))
    with served(Starlette(routes=routes(holder(learner)))) as address:
        client = triton.InferenceServerClient(address.removeprefix("http://"))
        said = {"empty_is_null": True}
        for column in (True, False):
            inputs = triton_inputs(frame, binary=binary, column=column)
            answer = client.infer("small", inputs, request_id="7", parameters=said)
            assert np.array_equal(answer.as_numpy("probabilities"), expected)
            assert answer.get_response()["id"] == "7"
        asked = [triton.InferRequestedOutput("probabilities", binary_data=binary)]
        answer = client.infer("small", inputs, model_version=model.digest, outputs=asked, parameters=said)
        assert np.array_equal(answer.as_numpy("probabilities"), expected)
        assert ("data" in answer.get_output("probabilities")) == (not binary)
        client.close()


def test_tritons_client_finds_the_server_and_its_model(triton_client):
    digest = models()["lightgbm"].digest
    assert triton_client.is_server_live()
    assert triton_client.is_server_ready()
    assert triton_client.is_model_ready("small")
    assert triton_client.is_model_ready("small", digest)
    assert not triton_client.is_model_ready("other")
    assert not triton_client.is_model_ready("small", "1")
    assert "binary_tensor_data" in triton_client.get_server_metadata()["extensions"]
    told = triton_client.get_model_metadata("small", digest)
    assert told == triton_client.get_model_metadata("small")
    assert told["versions"] == [digest]
    kinds = {each["name"]: each["datatype"] for each in told["inputs"]}
    expected = {"number": "FP64", "place": "BYTES", "flag": "BOOL", "count": "INT64"}
    assert kinds == {**expected, "constant": "FP64", "empty": "FP64"}
    (output,) = told["outputs"]
    assert (output["name"], output["shape"]) == ("probabilities", [-1, 2])
    assert json.loads(output["parameters"]["classes"]) == list(CUT.classes)
    assert json.loads(told["properties"]["unread"]) == ["constant", "empty"]


def test_tritons_client_is_told_what_was_wrong(triton_client):
    with pytest.raises(InferenceServerException, match="no model 'other'") as found:
        triton_client.infer("other", triton_inputs(FEATURES.head(1)))
    assert found.value.status() == "404"
    with pytest.raises(InferenceServerException, match="came twice"):
        triton_client.infer("small", triton_inputs(FEATURES.head(1).select("count")) * 2)


def test_the_standard_client_gets_the_models_bits(standard_client):
    frame = FEATURES.head(ROWS).with_columns(pl.col("number").fill_null(0.5), pl.col("place").fill_null("p1"))
    expected = models()["lightgbm"].probabilities(frame)
    request = wire.InferenceRequest(id="a", inputs=json_inputs(frame.drop("empty")))
    for answer in (
        standard_client.model_infer("small", request=request),
        standard_client.model_version_infer("small", models()["lightgbm"].digest, request=request),
    ):
        (output,) = answer.outputs
        assert np.array_equal(np.array(output.data.__root__).reshape(output.shape), expected)
        assert (answer.id, answer.model_version) == ("a", models()["lightgbm"].digest)


def test_the_standard_client_finds_the_server_and_its_model(standard_client):
    digest = models()["lightgbm"].digest
    standard_client.check_server_liveness()
    standard_client.check_server_readiness()
    standard_client.check_model_readiness("small")
    standard_client.check_model_version_readiness("small", digest)
    assert standard_client.read_server_metadata().name == "wholeroad"
    told = standard_client.read_model_version_metadata("small", digest)
    assert told == standard_client.read_model_metadata("small")
    assert {each.name for each in told.inputs} == set(FEATURES.columns)
    request = wire.InferenceRequest(inputs=[one(name="nobody")])
    with pytest.raises(BadRequestError, match="unknown inputs: nobody"):
        standard_client.model_infer("small", request=request)
    with pytest.raises(ApiError, match="404"):
        standard_client.read_model_metadata("other")


def test_without_a_model_the_server_lives_and_is_not_ready():
    with served(Starlette(routes=routes(holder(model=None)))) as address, httpx.Client() as own:
        client = OpenInferenceClient(base_url=address, httpx_client=own)
        client.check_server_liveness()
        for check in (client.check_server_readiness, lambda: client.check_model_readiness("small")):
            with pytest.raises(ServiceUnavailableError, match="no model is in charge"):
                check()
        refused(own.post(f"{address}{PATH}", json={"inputs": []}), 404, "no model is in charge")
    with served(Starlette(routes=routes(holder(why="a cycle is late")))) as address:
        refused(httpx.get(f"{address}/v2/health/ready"), 503, "a cycle is late")


def test_quantiles_of_a_number_are_answered_with_their_points():
    model = quantiles_model()
    with served(Starlette(routes=routes(holder(model=model)))) as address, httpx.Client() as client:
        answer = client.post(f"{address}{PATH}", json={"inputs": json_inputs(FEATURES.head(ROWS))})
        assert np.array_equal(bits(answer), model.probabilities(FEATURES.head(ROWS)))
        (output,) = answer.json()["outputs"]
        assert output["name"] == "quantiles"
        assert json.loads(output["parameters"]["points"]) == list(POINTS)


# values and nulls


def rows_of_features():
    number = st.none() | st.floats(allow_nan=False, width=64)
    text = st.none() | st.sampled_from(["p0", "p1", "p2", "elsewhere", "Zürich \x00"])
    whole = st.none() | st.integers(-(2**63), 2**63 - 1)
    row = st.tuples(number, text, st.none() | st.booleans(), whole)
    return st.lists(row, min_size=1, max_size=8)


def frame_of_rows(rows):
    return pl.DataFrame(
        rows,
        schema={name: FEATURES.schema[name] for name in ("number", "place", "flag", "count")},
        orient="row",
    )


@laws
@given(rows=rows_of_features(), binary_out=st.booleans())
def test_law_whatever_the_features_json_and_binary_give_the_models_bits(http, rows, binary_out):
    frame = frame_of_rows(rows)
    expected = models()["lightgbm"].probabilities(frame)
    parameters = {"empty_is_null": True, "binary_data_output": binary_out}
    body, headers = binary_body(frame, parameters=parameters)
    assert np.array_equal(bits(http.post(PATH, content=body, headers=headers)), expected)
    finite = frame.with_columns(pl.when(pl.col("number").is_finite()).then("number"))
    sent = {"inputs": json_inputs(finite), "parameters": {"binary_data_output": binary_out}}
    assert np.array_equal(bits(http.post(PATH, json=sent)), expected)


def test_a_tensor_that_is_not_sent_is_null_in_every_row(http):
    frame = FEATURES.head(ROWS)
    expected = models()["lightgbm"].probabilities(frame.with_columns(pl.lit(None).alias("number")))
    assert np.array_equal(bits(http.post(PATH, json={"inputs": json_inputs(frame.drop("number"))})), expected)
    assert not np.array_equal(bits(http.post(PATH, json={"inputs": json_inputs(frame)})), expected)


def test_an_empty_text_is_a_text_unless_it_is_said_to_be_null():
    model = models()["logistic"]
    none, empty = (FEATURES.head(1).with_columns(place=pl.lit(text, pl.String)) for text in (None, ""))
    assert not np.array_equal(model.probabilities(none), model.probabilities(empty))
    with served(Starlette(routes=routes(holder("logistic")))) as address:
        for said, frame in ((True, none), (False, empty)):
            body, headers = binary_body(empty, parameters={"empty_is_null": said})
            answer = httpx.post(f"{address}{PATH}", content=body, headers=headers)
            assert np.array_equal(bits(answer), model.probabilities(frame))


def test_integers_keep_their_bits_and_narrow_floats_are_narrowed():
    schema = pl.Schema(
        {
            "number": pl.Float32(),
            "place": pl.Enum(["p1"]),
            "count": pl.UInt64(),
            "flag": pl.Boolean(),
            "day": pl.Date(),
        }
    )
    with served(Starlette(routes=routes(holder(schema=schema)))) as address, httpx.Client() as client:
        told = client.get(f"{address}/v2/models/small").json()["inputs"]
        assert [each["datatype"] for each in told] == ["FP32", "BYTES", "UINT64", "BOOL"]
        frame = pl.DataFrame({"number": [0.1, 1e300], "place": ["p1", "p1"], "count": [2**64 - 1, 3]})
        narrow = frame.with_columns(pl.col("number").cast(pl.Float32), pl.col("count").cast(pl.UInt64))
        sent = [
            dict(each, datatype=kind)
            for each, kind in zip(json_inputs(frame), ("FP64", "BYTES", "UINT64"), strict=True)
        ]
        expected = models()["lightgbm"].probabilities(narrow.with_columns(flag=pl.lit(None, pl.Boolean)))
        assert np.array_equal(bits(client.post(f"{address}{PATH}", json={"inputs": sent})), expected)


def test_many_rows_are_scored_as_few_are_and_too_many_are_refused(http):
    frame = FEATURES.head(MOST_ROWS)
    expected = models()["lightgbm"].probabilities(frame)
    assert np.array_equal(bits(http.post(PATH, json={"inputs": json_inputs(frame)})), expected)
    one_more = FEATURES.head(MOST_ROWS + 1)
    refused(http.post(PATH, json={"inputs": json_inputs(one_more)}), 413, "201 rows", "at most 200")
    assert bits(http.post(PATH, json={"inputs": json_inputs(FEATURES.head(0))})).shape == (0, 2)


# what is refused


def one(**changed):
    return {"name": "number", "shape": [2], "datatype": "FP64", "data": [1, 2]} | changed


@pytest.mark.parametrize(
    ("tensors", "word"),
    [
        ([], "no input"),
        ([one(name="nobody")], "unknown inputs: nobody"),
        ([one(), one()], "came twice: number"),
        ([one(shape=[3])], "shape [3]"),
        ([one(shape=[2, 2])], "[rows, 1]"),
        ([one(shape=[])], "[rows]"),
        ([one(shape=[-2])], "[-2]"),
        ([one(shape=[2.5])], "can't be read"),
        ([one(data=[[1, 2]])], "shape"),
        ([one(data=[1, [2]])], "shape"),
        ([one(data=[[[1]], [[2]]])], "data:"),
        ([one(data=["1", "2"])], "data:"),
        ([one(data=[True, False])], "data:"),
        ([one(data=[10**400, 1])], "beyond FP64"),
        ([one(data=None)], "data:"),
        ([one(data="12")], "data:"),
        ([{"name": "number", "shape": [1], "datatype": "FP64"}], "neither data nor"),
        ([one(datatype="FP16")], "expected FP64"),
        ([one(datatype="BYTES", data=["1", "2"])], "expected FP64"),
        ([one(datatype="INT8", data=[1, 128])], "no INT8"),
        ([one(datatype="UINT8", data=[1, -1])], "no UINT8"),
        ([one(datatype="INT64", data=[1, 1.5])], "no INT64"),
        ([one(name="count", data=[1, 1.5])], "no fractions"),
        ([one(name="flag", datatype="BOOL", data=[1, 2])], "no BOOL"),
        ([one(name="flag", data=[0.5, 1])], "boolean"),
        ([one(name="place", data=[1, 2])], "expected BYTES"),
        ([one(name="place", datatype="BYTES")], "data:"),
        ([one(), one(name="count", shape=[1], datatype="INT64", data=[1])], "1, 2 rows"),
        ([one(colour="red")], "colour"),
        ([one(parameters={"shared_memory_region": "a"})], "shared memory"),
        ([one(parameters={"binary_data_size": 16})], "send one"),
        ([one(parameters={"binary_data_size": "many"})], "a whole number"),
        ([one(parameters={"empty_is_null": 3}, name="place", datatype="BYTES")], "true or false"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(http, tensors, word):
    refused(http.post(PATH, json={"inputs": tensors}), 400, word)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"outputs": [{"name": "label"}]}, "no output 'label'"),
        ({"outputs": [{"name": "probabilities"}] * 2}, "twice"),
        ({"outputs": [{"name": "probabilities", "parameters": {"classification": 1}}]}, "classification"),
        ({"outputs": [{"name": "probabilities", "parameters": {"binary_data": "yes"}}]}, "true or false"),
        ({"id": 7}, "id"),
        ({"ouputs": []}, "ouputs"),
    ],
)
def test_requests_that_do_not_fit_are_refused(http, more, word):
    refused(http.post(PATH, json={"inputs": json_inputs(FEATURES.head(1)), **more}), 400, word)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"inputs":' + b"[" * 50_000,
        b'{"inputs": [{"name": NaN}]}',
        b'{"inputs": [{"name": "number", "shape": [1], "datatype": "FP64", "data": [NaN]}]}',
        b'{"inputs": [{"name": "number", "shape": [1], "datatype": "FP64", "data": [1'
        + b"0" * 5_000
        + b"]}]}",
        b'{"inputs": [{"name": "place", "shape": [1], "datatype": "BYTES", "data": ["\xff"]}]}',
    ],
)
def test_what_is_no_json_is_refused(http, body):
    refused(http.post(PATH, content=body), 400)


def test_unknown_models_and_versions_are_refused(http):
    for path in ("/v2/models/other", "/v2/models/small/versions/1", "/v2/models/other/ready"):
        refused(http.get(path), 404)
    refused(http.post("/v2/models/small/versions/1/infer", json={"inputs": [one()]}), 404, "isn't in charge")
    assert http.get("/v2").json() == http.get("/v2/").json()


def test_the_face_lets_in_whom_it_knows_and_answers_for_what_is_not_there(tmp_path):
    tokens = Tokens(tmp_path / "tokens.json")
    reader, sender = (tokens.make(role, role=role, now=0) for role in ("reviewer", "sender"))
    service = holder()
    app = make_app(service, settings=HttpSettings(), guard=TokenGuard(tokens), routes=routes(service))
    with served(app) as address, httpx.Client(base_url=address) as client:
        refused(client.post(PATH, json={}), 401, "token")
        client.headers["Authorization"] = f"Bearer {reader}"
        assert client.get("/v2/models/small").json()["versions"] == [service.model.digest]
        refused(client.post(PATH, json={}), 403, "reviewer")
        client.headers["Authorization"] = f"Bearer {sender}"
        answer = client.post(PATH, json={"inputs": json_inputs(FEATURES.head(1))})
        assert np.array_equal(bits(answer), service.model.probabilities(FEATURES.head(1)))
        refused(client.post(PATH, content=b"{"), 400)
        refused(client.get("/v2/models/small/config"), 404)
        answer = client.get(PATH)
        refused(answer, 405)
        assert answer.headers["Allow"] == "POST"


def test_a_body_that_is_too_long_or_packed_is_refused(http):
    refused(http.post(PATH, content=b" " * 200_001), 413, "200,000 bytes")
    refused(http.post(PATH, content=(b" " * 1000 for _ in range(300))), 413)
    refused(http.post(PATH, content=b"x", headers={"Content-Encoding": "gzip"}), 415, "gzip")


def test_parameters_that_nobody_here_knows_are_left_alone(http):
    parameters = {"priority": 3, "content_type": "np", "deep": {"er": [1]}}
    inputs = [dict(each, parameters=parameters) for each in json_inputs(FEATURES.head(1))]
    bits(http.post(PATH, json={"inputs": inputs, "parameters": parameters, "id": None, "outputs": []}))


# hostile bytes


BODY, HEADERS = binary_body(FEATURES.head(3).drop("constant", "empty"))


@laws
@given(cut=st.integers(0, len(BODY) - 1))
def test_law_a_body_that_is_cut_short_is_refused(http, cut):
    refused(http.post(PATH, content=BODY[:cut], headers=HEADERS), 400)


@laws
@given(more=st.binary(min_size=1, max_size=20))
def test_law_bytes_that_belong_to_no_tensor_are_refused(http, more):
    refused(http.post(PATH, content=BODY + more, headers=HEADERS), 400, "belong to no input")


@laws
@given(
    body=st.lists(st.tuples(st.integers(0, len(BODY) - 1), st.integers(0, 255)), max_size=6),
    length=st.sampled_from([HEADERS[LENGTH], "0", "-1", "1e3", "", "٣", "9" * 30, str(len(BODY)), "12"]),
    more=st.binary(max_size=9),
)
def test_law_changed_bytes_give_an_answer_or_a_4xx_never_a_5xx(http, body, length, more):
    changed = bytearray(BODY)
    for place, value in body:
        changed[place] = value
    headers = {LENGTH: length.encode()} if length else {}
    answer = http.post(PATH, content=bytes(changed) + more, headers=headers)
    if answer.status_code != 200:
        refused(answer, 400)
    elif not more:
        assert bits(answer).shape == (3, 2)


@laws
@given(texts=st.lists(st.binary(max_size=6), max_size=4), claimed=st.integers(0, 2**32 - 1))
def test_law_texts_come_with_true_lengths_or_are_refused(http, texts, claimed):
    data = b"".join(struct.pack("<I", len(text)) + text for text in texts) + struct.pack("<I", claimed)
    tensor = one(
        name="place", shape=[len(texts) + 1], datatype="BYTES", parameters={"binary_data_size": len(data)}
    )
    del tensor["data"]
    text = json.dumps({"inputs": [tensor]}).encode()
    answer = http.post(PATH, content=text + data, headers={LENGTH: str(len(text))})
    if claimed == 0 and all(_is_text(each) for each in texts):
        assert bits(answer).shape == (len(texts) + 1, 2)
    else:
        refused(answer, 400, "place")


def _is_text(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@laws
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["inputs", "name", "shape", "datatype", "data", "outputs", "parameters", "id"]
                ),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_law_any_json_is_answered_or_refused(http, thing):
    answer = http.post(PATH, json=thing)
    if answer.status_code != 200:
        refused(answer, 400)
