"""Tensors of the Open Inference Protocol as features of a model, and the other way round.

A feature that isn't known is null, and tensors have no null of their own. So it is said like this: in a
tensor of floating-point numbers as NaN, in JSON as null, for texts in binary as an element of no bytes where
the parameter ``empty_is_null`` is true. Numbers and booleans of every kind may be sent as FP64, so that they
can be NaN. A tensor that isn't sent is null in every row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.interfaces.http.v2_wire import (
    UNREADABLE,
    InferenceRequest,
    InputTensor,
    RefusedError,
    flag,
    texts_of,
)
from wholeroad.road.brief.predictions import POINTS
from wholeroad.road.model.scoring import Model

_NUMBERS: Final = {
    "FP64": "<f8",
    "FP32": "<f4",
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
}
"""Types of tensors that hold numbers, as NumPy names them."""

_OF_TYPES: Final = {
    pl.Float32: "FP32",
    pl.Boolean: "BOOL",
    **{getattr(pl, f"Int{bits}"): f"INT{bits}" for bits in (8, 16, 32, 64)},
    **{getattr(pl, f"UInt{bits}"): f"UINT{bits}" for bits in (8, 16, 32, 64)},
}

_Number = int | float | None
_Flag = bool | int | float | None
_Text = str | None
_DECODERS: Final[Mapping[str, msgspec.json.Decoder[Any]]] = {
    "number": msgspec.json.Decoder(list[_Number | list[_Number]]),
    "BOOL": msgspec.json.Decoder(list[_Flag | list[_Flag]]),
    "BYTES": msgspec.json.Decoder(list[_Text | list[_Text]]),
}


def datatype_of(dtype: pl.DataType) -> str | None:
    """Name the tensor type of a feature; None for one that no model reads, such as a date.

    Examples
    --------
    >>> datatype_of(pl.Int16()), datatype_of(pl.String()), datatype_of(pl.Date())
    ('INT16', 'BYTES', None)
    """
    if dtype.base_type() in _OF_TYPES:
        return _OF_TYPES[dtype.base_type()]
    if dtype.is_numeric():
        return "FP64"
    return "BYTES" if any(dtype == text for text in (pl.String, pl.Categorical, pl.Enum)) else None


def inputs_of(schema: pl.Schema) -> list[dict[str, Any]]:
    """Describe the inputs: a tensor for each feature, with a row for each case."""
    named = ((name, datatype_of(dtype)) for name, dtype in schema.items())
    return [{"name": name, "datatype": datatype, "shape": [-1]} for name, datatype in named if datatype]


def output_of(model: Model) -> tuple[str, int, dict[str, str]]:
    """Give the name of a model's output, its columns, and what these are: JSON, as parameters hold texts."""
    if model.classes:
        return "probabilities", len(model.classes), {"classes": json.dumps(model.classes, ensure_ascii=False)}
    return "quantiles", len(POINTS), {"points": json.dumps(POINTS)}


def frame_of(
    request: InferenceRequest,
    binaries: Sequence[memoryview | None],
    *,
    schema: pl.Schema,
    most_rows: int,
) -> pl.DataFrame:
    """Read the features that tensors hold, shape (rows, features); those not sent are null.

    Raises
    ------
    RefusedError
        400: unknown or repeated features, types, shapes or values that don't fit; 413: too many rows.
    """
    known = {tensor["name"] for tensor in inputs_of(schema)}
    rows = _rows(request.inputs, known=known, most_rows=most_rows)
    found = {
        tensor.name: _series(
            tensor,
            binary,
            dtype=schema[tensor.name],
            empty_is_null=flag("empty_is_null", tensor.parameters, request.parameters),
        )
        for tensor, binary in zip(request.inputs, binaries, strict=True)
    }
    return pl.DataFrame(
        [
            found[name] if name in found else pl.Series(name, [None] * rows, dtype=dtype)
            for name, dtype in schema.items()
        ]
    )


def _rows(inputs: Sequence[InputTensor], *, known: set[str], most_rows: int) -> int:
    names = [tensor.name for tensor in inputs]
    if unknown := [name for name in names if name not in known]:
        raise RefusedError(
            400, f"unknown inputs: {_listed(unknown)}; the model's metadata lists {_listed(sorted(known))}"
        )
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise RefusedError(400, f"inputs came twice: {_listed(repeated)}")
    heights = set()
    for tensor in inputs:
        shape = tensor.shape
        if not (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)) or shape[0] < 0:
            raise RefusedError(
                400, f"input {tensor.name!r} had the shape {shape[:8]}; expected [rows] or [rows, 1]"
            )
        heights.add(shape[0])
    if not heights:
        raise RefusedError(400, "there was no input; expected a tensor for at least one feature")
    if len(heights) > 1:
        raise RefusedError(
            400,
            f"inputs had {_listed([str(each) for each in sorted(heights)])} rows; expected as many in each",
        )
    rows = heights.pop()
    if rows > most_rows:
        raise RefusedError(413, f"the tensors had {rows} rows; at most {most_rows} are taken at once")
    return rows


def _series(
    tensor: InputTensor, binary: memoryview | None, *, dtype: pl.DataType, empty_is_null: bool
) -> pl.Series:
    own = datatype_of(dtype)
    if (tensor.datatype == "BYTES") != (own == "BYTES") or (
        tensor.datatype not in _NUMBERS and tensor.datatype not in {own, "BYTES"}
    ):
        also = "" if own in {"BYTES", "FP64"} else " or, with NaN for null, FP64"
        raise RefusedError(
            400, f"input {tensor.name!r} had the datatype {tensor.datatype[:20]!r}; expected {own}{also}"
        )
    if own == "BYTES":
        texts = _texts(tensor, binary)
        if empty_is_null:
            texts = [text or None for text in texts]
        return pl.Series(tensor.name, texts, dtype=pl.String)
    values = _binary_numbers(tensor, binary) if binary is not None else _json_numbers(tensor)
    _check_kind(tensor, values, dtype=dtype)
    if dtype == pl.Float32:
        with np.errstate(over="ignore"):
            values = values.astype(np.float32).astype(np.float64)
    # The encoder reads every number and boolean as Float64, and NaN as null.
    return pl.Series(tensor.name, values, dtype=pl.Float64)


def _binary_numbers(tensor: InputTensor, binary: memoryview) -> NDArray[np.float64]:
    kind = np.dtype("u1" if tensor.datatype == "BOOL" else _NUMBERS[tensor.datatype])
    if len(binary) != tensor.shape[0] * kind.itemsize:
        raise RefusedError(
            400,
            f"input {tensor.name!r} had {len(binary)} bytes; {tensor.shape[0]} of {tensor.datatype} "
            f"are {tensor.shape[0] * kind.itemsize}",
        )
    return np.frombuffer(binary, dtype=kind).astype(np.float64)


def _json_numbers(tensor: InputTensor) -> NDArray[np.float64]:
    found = _elements(tensor, "BOOL" if tensor.datatype == "BOOL" else "number")
    low, high = _range(tensor.datatype)
    for value in found:
        if value is not None and not (low <= value <= high and (high == np.inf or value == int(value))):
            raise RefusedError(
                400,
                f"input {tensor.name!r} held {value!r:.40}, which is no {tensor.datatype}",
            )
    try:
        values = np.array([np.nan if value is None else value for value in found], dtype=np.float64)
    except OverflowError:
        raise RefusedError(400, f"input {tensor.name!r} held a number beyond FP64") from None
    if tensor.datatype == "FP32":
        with np.errstate(over="ignore"):
            values = values.astype(np.float32).astype(np.float64)
    return values


def _range(datatype: str) -> tuple[float, float]:
    if datatype == "BOOL":
        return 0, 1
    if datatype.startswith("FP"):
        return -np.inf, np.inf
    info = np.iinfo(_NUMBERS[datatype])
    return int(info.min), int(info.max)


def _check_kind(tensor: InputTensor, values: NDArray[np.float64], *, dtype: pl.DataType) -> None:
    """Refuse fractions where the feature is a whole number, and more than 0 and 1 where it is a boolean."""
    known = values[~np.isnan(values)]
    if dtype == pl.Boolean:
        if not np.isin(known, (0.0, 1.0)).all():
            raise RefusedError(400, f"input {tensor.name!r} is a boolean; expected 0, 1 or, for null, NaN")
    elif dtype.is_integer() and not (known == np.trunc(known)).all():
        raise RefusedError(400, f"input {tensor.name!r} is a whole number; expected no fractions")


def _texts(tensor: InputTensor, binary: memoryview | None) -> list[str | None]:
    if binary is None:
        found: list[str | None] = _elements(tensor, "BYTES")
        return found
    texts = texts_of(tensor.name, binary)
    if len(texts) != tensor.shape[0]:
        raise RefusedError(
            400, f"input {tensor.name!r} had {len(texts)} elements; its shape says {tensor.shape[0]}"
        )
    try:
        return [text.decode() for text in texts]
    except UnicodeDecodeError as error:
        raise RefusedError(400, f"input {tensor.name!r} isn't UTF-8: {error.reason}") from None


def _elements(tensor: InputTensor, kind: str) -> list[Any]:
    """Read the JSON data of a tensor, flat or with a list for each row."""
    if tensor.data is msgspec.UNSET:
        raise RefusedError(400, f"input {tensor.name!r} had neither data nor binary_data_size")
    try:
        found = _DECODERS[kind].decode(tensor.data)
    except UNREADABLE as error:
        raise RefusedError(400, f"input {tensor.name!r}, data: {error}") from None
    if found and all(isinstance(row, list) and len(row) == 1 for row in found):
        found = [row[0] for row in found]
    if any(isinstance(row, list) for row in found) or len(found) != tensor.shape[0]:
        raise RefusedError(
            400,
            f"the data of input {tensor.name!r} aren't of the shape {tensor.shape}: {len(found)}",
        )
    return list(found)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:60] for name in names[:12])
    return shown if len(names) <= 12 else f"{shown} and {len(names) - 12} more"
