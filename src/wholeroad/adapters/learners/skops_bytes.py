"""Fitted estimators of others as plain bytes, by skops: no pickle, and nothing loaded that isn't trusted."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from wholeroad.core.errors import RoadError, UserError

SCHEMA: Final = "schema.json"
_OURS: Final = frozenset(f"wholeroad.adapters.learners.columns.{name}" for name in ("numbers", "categories"))
"""Functions of ours that pipelines keep."""

_DAMAGED: Final = (ValueError, TypeError, KeyError, OSError, AttributeError, ImportError)


def to_bytes(estimator: object) -> bytes:
    """Write an estimator as skops does, with its names and stamps made the same each time.

    skops names parts by their address in memory and stamps them with the time; here they are
    numbered in the order in which they come, sets are put in order, and there is no time.

    Raises
    ------
    UserError
        ``model.needs-skops``; ``model.not-kept``: it holds something that skops can't write.
    """
    skops_io = _skops()
    try:
        written = skops_io.dumps(estimator)
        schema, files = _numbered(written)
    except Exception as error:  # whatever an object of others says when it is asked for its state
        raise _not_kept(error) from error
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", compression=ZIP_STORED) as archive:
        for name, content in [*files.items(), (SCHEMA, schema)]:
            entry = ZipInfo(name)
            entry.create_system = 3  # the same on every system
            archive.writestr(entry, content)
    return buffer.getvalue()


def from_bytes(data: bytes, *, trusted: Collection[str], settings: Path) -> Any:  # noqa: ANN401 - of others
    """Read an estimator, if it holds trusted types only.

    Parameters
    ----------
    trusted
        Types that the user trusts, beside those that skops does.
    settings
        Where the user says so; for the message.

    Raises
    ------
    UserError
        ``model.needs-skops``; ``model.untrusted``: it names other types, and nothing was loaded;
        ``model.not-kept``.
    RoadError
        ``model.unreadable``: no such bytes.
    """
    skops_io = _skops()
    allowed = _OURS | set(trusted)
    try:
        found = set(skops_io.get_untrusted_types(data=data))
    except Exception as error:  # damaged bytes fail in many ways
        raise _unreadable(error) from error
    if strange := sorted(found - allowed):
        raise _untrusted(strange, sorted({*trusted, *strange}), settings)
    try:
        return skops_io.loads(data, trusted=sorted(found))
    except _DAMAGED as error:
        raise _not_kept(error) from error


def _skops() -> Any:  # noqa: ANN401 - it carries no types
    try:
        import skops.io
    except ImportError:
        raise UserError(
            "model.needs-skops",
            "A learner from outside needs skops",
            happened="skops isn't installed",
            expected="skops, which keeps estimators of scikit-learn as plain data",
            fix="pip install 'wholeroad[learners]'",
        ) from None
    return skops.io


def _numbered(written: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Give the schema and the files with parts numbered in the order in which the schema names them."""
    with ZipFile(io.BytesIO(written)) as archive:
        schema = json.loads(archive.read(SCHEMA))
        _sort_sets(schema, archive)
        numbers: dict[int, int] = {}
        names: dict[str, str] = {}
        for count, node in enumerate(_nodes(schema), start=1):
            if "__id__" in node:
                # Texts and numbers may be one object or several equal ones, as chance has it.
                alone = node.get("__loader__") == "JsonNode"
                node["__id__"] = count if alone else numbers.setdefault(node["__id__"], count)
            if isinstance(node.get("file"), str):
                old = node["file"]
                node["file"] = names.setdefault(old, f"{len(names)}{Path(old).suffix}")
        files = {new: archive.read(old) for old, new in names.items()}
    return json.dumps(schema, separators=(",", ":")).encode(), files


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    """Give the nodes of a schema, in its order; content of the estimator's own is among them."""
    if isinstance(value, dict):
        if "__loader__" in value:
            yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def _sort_sets(schema: object, archive: ZipFile) -> None:
    """Put the members of sets into the order of what they say; their own depends on the process."""
    for node in _nodes(schema):
        if node.get("__loader__") == "SetNode":
            node["content"].sort(key=lambda member: json.dumps(_told(member, archive)))


def _told(value: object, archive: ZipFile) -> object:
    if isinstance(value, dict):
        told = {key: _told(inner, archive) for key, inner in value.items() if key not in ("__id__", "file")}
        if isinstance(value.get("file"), str):
            told["file"] = archive.read(value["file"]).hex()
        return told
    return [_told(inner, archive) for inner in value] if isinstance(value, list) else value


def _untrusted(strange: list[str], all_of_them: list[str], settings: Path) -> UserError:
    listed = ", ".join(f'"{name}"' for name in all_of_them)
    return UserError(
        "model.untrusted",
        "A model holds types that nobody has said to trust",
        happened=f"it names {', '.join(strange)}; nothing of it was loaded",
        expected="types that skops trusts, or that your own settings name",
        fix=f"if you trust them, write under [skops] in {settings}: trusted = [{listed}]",
    )


def _not_kept(error: Exception) -> UserError:
    return UserError(
        "model.not-kept",
        "A model from outside can't be kept as plain data",
        happened=f"skops said {type(error).__name__}: {error}",
        expected="an estimator of importable classes and named functions, that skops can write and read",
        fix="replace lambdas and local classes by named ones in a module; or write a Learner of your own",
    )


def _unreadable(error: Exception) -> RoadError:
    return RoadError(
        "model.unreadable",
        "a model can't be read",
        happened=f"skops said {type(error).__name__}: {error}",
        expected="bytes that were written for a learner from outside, whole",
        fix="fit the model again; its cut is still there",
    )
