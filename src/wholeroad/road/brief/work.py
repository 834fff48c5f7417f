"""From the text of ``brief.toml`` to a :class:`Brief`, or every fault at once."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from wholeroad.core.errors import Fault, FaultsError
from wholeroad.road.brief.contract import FORMAT, Brief, FeatureTable, SourceTable, Table
from wholeroad.road.brief.parts import Parts
from wholeroad.road.brief.rules import expression_faults, reference_faults
from wholeroad.road.brief.wording import WORTH_DEPTH, faults_in, keys_of, missing, shown, unknown, wrong

_STAND_INS: Final[dict[tuple[str, ...], Any]] = {
    ("case", "decide_at"): "at",
    ("outcome", "kind"): "multiclass",
    ("outcome", "truth"): "truth",
    ("outcome", "matures"): "1d",
    ("outcome", "never_after"): "1d",
    ("outcome", "depends_on_action"): "unknown",
    ("value", "unit"): "unit",
    ("value", "a_miss_costs"): "1 false alarms",
    ("value", "capacity"): "1 per day",
    ("policy", "refit", "first"): "1d",
}
"""Harmless values for required settings, so that a fault in one doesn't hide those elsewhere."""

_MANY: Final[dict[str, type[Table]]] = {"source": SourceTable, "feature": FeatureTable}


def read_brief(text: str, *, name: str = "brief.toml") -> Brief:
    """Read a brief.

    Parameters
    ----------
    text
        TOML.
    name
        What to call the file in messages.

    Raises
    ------
    FaultsError
        Codes ``brief.syntax``, ``brief.format``, ``brief.missing``, ``brief.unknown-key``,
        ``brief.value``, those of ``rules.py`` and of the expressions; all at once.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fault = Fault(
            "brief.syntax",
            name,
            f"the file is no valid TOML: {error}",
            "a TOML file (https://toml.io)",
            "mend that line; a frequent cause is a text without quotes",
        )
        headline = "The brief can't be read"
        raise FaultsError(headline, [fault]) from None
    return make_brief(raw, name=name)


def make_brief(raw: Mapping[str, Any], *, name: str = "brief.toml") -> Brief:
    """Make a brief from plain data, as :func:`read_brief` does from text."""
    written = raw.get("format")
    if isinstance(written, int) and written > FORMAT:
        fault = Fault(
            "brief.format",
            "format",
            f"the brief was written in format {written}",
            f"format {FORMAT}, the newest that this version reads",
            "install a newer wholeroad",
        )
        headline = "The brief is newer than this version"
        raise FaultsError(headline, [fault])
    faults: list[Fault] = []
    mistyped: set[str] = set()
    parts = Parts()
    for part, value in _split(raw):
        model = _model_of(part)
        if model is None:
            continue
        found: list[Fault] = []
        parts.put(part, _validate(model, value, part, found))
        mistyped |= {fault.where for fault in found}
        faults += [*found, *expression_faults(part, value)]
    faults += _outer_faults(raw)
    # What was of the wrong type was left out for the rest to be checked, and isn't missing too.
    faults += [fault for fault in reference_faults(parts) if fault.where not in mistyped]
    if faults:
        count = f"{len(faults)} faults" if len(faults) > 1 else "one fault"
        headline = f"{name} has {count}"
        raise FaultsError(headline, faults)
    return Brief.model_validate(dict(raw))


def _split(raw: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for table, value in raw.items():
        if table in _MANY and isinstance(value, Mapping):
            for name, entry in value.items():
                yield (table, name), entry
        else:
            yield (table,), value


def _model_of(part: tuple[str, ...]) -> type[BaseModel] | None:
    if part[0] in _MANY:
        return _MANY[part[0]] if len(part) > 1 else None
    field = Brief.model_fields.get(part[0])
    annotation = field.annotation if field else None
    candidates = (annotation, *get_args(annotation))
    return next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, Table)), None)


def _validate(
    model: type[BaseModel], value: object, part: tuple[str, ...], faults: list[Fault]
) -> BaseModel | None:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
    faults += faults_in(details, part, model=model)
    if not isinstance(value, Mapping):
        return None
    mended = copy.deepcopy(dict(value))
    for keys in {keys_of(detail) for detail in details}:
        _mend(mended, part, keys)
    try:
        return model.model_validate(mended)
    except ValidationError:
        return None


def _mend(table: dict[str, Any], part: tuple[str, ...], keys: tuple[str, ...]) -> None:
    """Leave a faulty setting out, or put a stand-in there, so that the rest can be checked."""
    *path, last = keys or ("",)
    inner: Any = table
    for key in path:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        return
    stand_in = _STAND_INS.get((*part, *keys))
    if stand_in is not None:
        inner[last] = stand_in
    elif part == ("value",) and len(keys) == WORTH_DEPTH:
        inner[last] = 0
    else:
        inner.pop(last, None)


def _outer_faults(raw: Mapping[str, Any]) -> list[Fault]:
    known = Brief.model_fields
    faults = [
        missing(name, f"format = {FORMAT}" if name == "format" else f"a table [{name}]")
        for name, field in known.items()
        if field.is_required() and name not in raw
    ]
    faults += [unknown(name, name, known=list(known)) for name in raw if name not in known]
    faults += [
        wrong(name, f"was {shown(raw[name])}", expected="a table")
        for name in known
        if name != "format" and name in raw and not isinstance(raw[name], Mapping)
    ]
    if "source" in raw and raw["source"] == {}:
        faults.append(missing("source", "at least one [source.NAME]"))
    if "format" in raw and not (isinstance(raw["format"], int) and raw["format"] >= 1):
        faults.append(wrong("format", f"was {raw['format']!r}", expected=f"format = {FORMAT}"))
    return faults
