"""Requests and answers of the Open Inference Protocol, in JSON and with binary tensors behind it.

The binary extension puts tensors after the JSON part, in the order in which that names them; the header
:data:`LENGTH` says where it ends. Texts are each preceded by their length, four bytes, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

LENGTH: Final = "Inference-Header-Content-Length"
"""Header of a request or an answer with binary tensors: how many bytes of it are JSON."""


class RefusedError(Exception):
    """A request that can't be answered.

    Parameters
    ----------
    status
        Of HTTP.
    message
        What was wrong, what was expected; the protocol has one text for both.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class InputTensor(msgspec.Struct, forbid_unknown_fields=True):
    """A tensor as it came; ``binary`` is filled from behind the JSON part."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, msgspec.Raw] | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class RequestedOutput(msgspec.Struct, forbid_unknown_fields=True):
    """An output that is asked for."""

    name: str
    parameters: dict[str, msgspec.Raw] | None = None


class InferenceRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON part of a request."""

    inputs: list[InputTensor]
    id: str | None = None
    parameters: dict[str, msgspec.Raw] | None = None
    outputs: list[RequestedOutput] | None = None


class OutputTensor(msgspec.Struct, frozen=True):
    """A tensor of the answer: FP64, shape (rows, columns).

    Attributes
    ----------
    binary
        Whether it goes behind the JSON part.
    """

    name: str
    values: NDArray[np.float64]
    parameters: dict[str, str]
    binary: bool


_DECODER: Final = msgspec.json.Decoder(InferenceRequest)
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises of JSON that it can't read."""


def parse(body: bytes, length: str | None) -> tuple[InferenceRequest, list[memoryview | None]]:
    """Part a body into its JSON and the bytes of each input that is binary.

    Parameters
    ----------
    length
        The header :data:`LENGTH`; None without binary tensors.

    Raises
    ------
    RefusedError
        400: no JSON, unknown fields, or sizes that don't add up.
    """
    end = len(body)
    if length is not None:
        if not (length.isascii() and length.isdecimal() and len(length) < 16 and int(length) <= len(body)):
            raise RefusedError(
                400,
                f"{LENGTH} was {length[:40]!r}; expected how many of {len(body)} bytes are JSON",
            )
        end = int(length)
    try:
        request = _DECODER.decode(memoryview(body)[:end])
    except UNREADABLE as error:
        raise RefusedError(400, f"the request can't be read: {error}") from None
    return request, list(_binaries(request.inputs, memoryview(body)[end:]))


def _binaries(inputs: Sequence[InputTensor], rest: memoryview) -> Iterator[memoryview | None]:
    at = 0
    for tensor in inputs:
        size = _parameter(tensor.parameters, "binary_data_size", int)
        if "shared_memory_region" in (tensor.parameters or {}):
            raise RefusedError(400, f"input {tensor.name!r} lay in shared memory; send its data")
        if size is None:
            yield None
            continue
        if tensor.data is not msgspec.UNSET:
            raise RefusedError(400, f"input {tensor.name!r} had both data and binary_data_size; send one")
        if not 0 <= size <= len(rest) - at:
            raise RefusedError(
                400,
                f"input {tensor.name!r} says binary_data_size {size}; {len(rest) - at} bytes were left",
            )
        yield rest[at : at + size]
        at += size
    if at != len(rest):
        raise RefusedError(
            400,
            f"{len(rest) - at} bytes follow the JSON part that belong to no input; "
            f"each binary input says its binary_data_size, and the header {LENGTH} where JSON ends",
        )


def _parameter(parameters: dict[str, msgspec.Raw] | None, name: str, kind: type[int]) -> int | None:
    """Read one parameter; those that nobody here knows are left alone, as the protocol wants it."""
    if not parameters or name not in parameters:
        return None
    try:
        value = msgspec.json.decode(parameters[name], type=kind)
    except UNREADABLE:
        wanted = "true or false" if kind is bool else "a whole number"
        raise RefusedError(
            400, f"parameter {name!r} was {bytes(parameters[name])[:40]!r}, not {wanted}"
        ) from None
    return value


def flag(name: str, *levels: dict[str, msgspec.Raw] | None) -> bool:
    """Read a parameter that is true or false, the nearest level first; false where nobody says it."""
    for parameters in levels:
        said = _parameter(parameters, name, bool)
        if said is not None:
            return bool(said)
    return False


def texts_of(name: str, data: memoryview) -> list[bytes]:
    """Part the bytes of a BYTES tensor into its elements.

    Raises
    ------
    RefusedError
        400: a length that goes beyond the end.
    """
    found, at = [], 0
    while at < len(data):
        start = at + 4
        if start <= len(data):
            at = start + int(struct.unpack_from("<I", data, at)[0])
        if start > len(data) or at > len(data):
            raise RefusedError(
                400, f"input {name!r} ended within an element; each is its length in 4 bytes, then its bytes"
            )
        found.append(bytes(data[start:at]))
    return found


def wanted_outputs(request: InferenceRequest, offered: Sequence[str]) -> list[tuple[str, bool]]:
    """Give the names of the outputs to answer with, and whether each goes binary.

    Raises
    ------
    RefusedError
        400: an output that isn't there, is named twice, or is to be turned into a classification.
    """
    if not request.outputs:
        binary = flag("binary_data_output", request.parameters)
        return [(name, binary) for name in offered]
    found: dict[str, bool] = {}
    for output in request.outputs:
        if output.name not in offered:
            raise RefusedError(400, f"there is no output {output.name!r}; there is {', '.join(offered)}")
        if output.name in found:
            raise RefusedError(400, f"output {output.name!r} was asked for twice")
        if "classification" in (output.parameters or {}):
            raise RefusedError(400, "classification isn't offered; the output's parameters name the classes")
        binary = flag("binary_data", output.parameters)
        if "binary_data" not in (output.parameters or {}):
            binary = flag("binary_data_output", request.parameters)
        found[output.name] = binary
    return list(found.items())


def write(
    *, model: str, version: str, request_id: str | None, outputs: Sequence[OutputTensor]
) -> tuple[bytes, int | None]:
    """Write an answer; with binary tensors the length of its JSON part comes with it."""
    told: list[dict[str, Any]] = []
    binaries: list[bytes] = []
    for output in outputs:
        tensor: dict[str, Any] = {"name": output.name, "shape": output.values.shape, "datatype": "FP64"}
        if output.binary:
            binaries.append(output.values.astype("<f8", copy=False).tobytes())
            tensor["parameters"] = {**output.parameters, "binary_data_size": len(binaries[-1])}
        else:
            tensor["parameters"] = output.parameters
            tensor["data"] = output.values.ravel().tolist()
        told.append(tensor)
    answer: dict[str, Any] = {"model_name": model, "model_version": version, "outputs": told}
    if request_id is not None:
        answer["id"] = request_id
    text = msgspec.json.encode(answer)
    if not any(output.binary for output in outputs):
        return text, None
    return b"".join([text, *binaries]), len(text)
