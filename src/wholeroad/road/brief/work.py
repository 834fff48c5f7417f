"""From the text of ``brief.toml`` to a :class:`Brief`, or every fault at once."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wholeroad.core.errors import Fault, FaultsError
from wholeroad.road.brief.contract import FORMAT, Brief, FeatureTable, SourceTable, Table
from wholeroad.road.brief.rules import Parts, reference_faults

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
    parts = Parts()
    for part, value in _split(raw):
        model = _model_of(part)
        if model is None:
            continue
        table = _validate(model, value, part, faults)
        parts.put(part, table)
    faults += _outer_faults(raw)
    faults += reference_faults(parts)
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
        faults += [_fault(detail, part, model) for detail in details]
        unknown = {detail["loc"] for detail in details if detail["type"] == "extra_forbidden"}
        if isinstance(value, Mapping) and len(unknown) == len(details):
            # Only surplus keys: what is left can still be checked against the other tables.
            known = {key: entry for key, entry in value.items() if (key,) not in unknown}
            try:
                return model.model_validate(known)
            except ValidationError:
                return None
        return None


def _outer_faults(raw: Mapping[str, Any]) -> list[Fault]:
    known = Brief.model_fields
    faults = [
        _missing(name, f"format = {FORMAT}" if name == "format" else f"a table [{name}]")
        for name, field in known.items()
        if field.is_required() and name not in raw
    ]
    faults += [_unknown(name, name, list(known)) for name in raw if name not in known]
    faults += [
        _wrong(name, f"was {_shown(raw[name])}", "a table")
        for name in known
        if name != "format" and name in raw and not isinstance(raw[name], Mapping)
    ]
    if "source" in raw and raw["source"] == {}:
        faults.append(_missing("source", "at least one [source.NAME]"))
    if "format" in raw and not (isinstance(raw["format"], int) and raw["format"] >= 1):
        faults.append(_wrong("format", f"was {raw['format']!r}", f"format = {FORMAT}"))
    return faults


def _fault(detail: ErrorDetails, part: tuple[str, ...], model: type[BaseModel]) -> Fault:
    location = tuple(str(step) for step in detail["loc"])
    where = _where(part, location)
    if detail["type"] == "extra_forbidden":
        return _unknown(where, location[-1], list(model.model_fields))
    if detail["type"] == "missing":
        return _missing(where, f"a value for {location[-1]}")
    message = detail["msg"].removeprefix("Value error, ")
    return _wrong(where, f"was {_shown(detail['input'])}", message)


def _where(part: tuple[str, ...], location: tuple[str, ...]) -> str:
    table = f"[{part[0]}]" if len(part) == 1 else f"[{part[0]}.{part[1]}]"
    steps = [step for step in location if not step.startswith(("function-", "constrained-", "literal["))]
    return f"{table} {'.'.join(steps)}".strip()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown(where: str, name: str, known: list[str]) -> Fault:
    near = difflib.get_close_matches(name, known, n=1)
    fix = f"did you mean {near[0]}?" if near else "leave it out, or look the key up in the reference"
    return Fault(
        "brief.unknown-key", where, f"{name} is no known key", f"one of {', '.join(sorted(known))}", fix
    )


def _missing(where: str, what: str) -> Fault:
    return Fault("brief.missing", where, "it was missing", what, "add it")


def _wrong(where: str, happened: str, expected: str) -> Fault:
    return Fault("brief.value", where, happened, expected, "change it to what was expected")
