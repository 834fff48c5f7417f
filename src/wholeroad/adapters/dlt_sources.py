"""Rows from a resource of dlt (the extra ``origins``): extracted by dlt, landed by us, each exactly once.

No pipeline of dlt's is made: it has neither a destination nor a state of its own here, and sends nothing to
its makers. Its cursor (what a resource has been asked for so far) is kept in ``.wholeroad/cursors``, and
moves only after what it stands for has landed. Killed between the two, the same rows are extracted again,
and landing knows them: a version's identity is its content. So a cursor that is behind repeats work and no
row, where a destination that appends would have each row twice.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec
import polars as pl

from wholeroad.adapters.folders import ProjectFolder, write_whole
from wholeroad.adapters.reading import Landed, Reading, readings
from wholeroad.core.errors import TryLaterError, UserError
from wholeroad.road.brief.sources import SourceTable

if TYPE_CHECKING:
    from dlt.common.pipeline import TPipelineState
    from dlt.extract import DltResource
    from polars._typing import ArrowStreamExportable

_HERE: Final = "extracted"
_CURSORS: Final = "cursors"
_LINES: Final = 5_000
"""Rows that are written at once."""


class Extracted(NamedTuple):
    """What a resource gave.

    Attributes
    ----------
    path
        A file with all rows; None where there were none.
    rows
        How many.
    cursor
        dlt's state after these rows, as text; None where it must not move.
    error
        What broke the extraction off, if anything.
    """

    path: Path | None
    rows: int
    cursor: str | None
    error: Exception | None


def readings_of_resource(
    root: Path, name: str, *, source: SourceTable, resource: object, landed: Landed
) -> Iterator[Reading]:
    """Give what a resource of dlt has to say since it was last asked, as a batch to be landed.

    At most one. The resource is extracted whole into a file first, so that types are those of all rows, and
    memory holds a part at a time. An object within a row becomes columns with an underscore, a list its JSON
    text, as in a file of JSON objects. The cursor moves when the next reading is asked for, that is, when
    this one has landed; it is forgotten when nothing of the source is there any more.

    Where the extraction breaks off, nothing lands and the cursor stays. A resource whose rows come in the
    order of its one cursor (``incremental(..., row_order="asc")``) lands what came, and goes on from there
    next time.

    Parameters
    ----------
    root
        The project's folder.
    name, source
        The source's name and table; its ``read`` is of no account.
    resource
        A ``dlt`` resource, or a source of which one resource is selected.
    landed
        The intake. The batch is no dump of the whole table: take it with ``whole=False``.

    Raises
    ------
    UserError
        ``origin.needs-dlt``, ``origin.kind``.
    TryLaterError
        ``origin.broke-off``, after what could be landed has been taken.

    Examples
    --------
    >>> for reading in readings_of_resource(  # doctest: +SKIP
    ...     root, "tickets", source=table, resource=tickets(), landed=intake
    ... ):
    ...     arrival = Arrival(now, imported=False, origin=reading.origin, whole=False)
    ...     intake.take_parts("tickets", table, parts=reading.parts, arrival=arrival)
    """
    one = _one_resource(resource)
    inner = ProjectFolder(root).inner
    kept = inner / _CURSORS / f"{name}.json"
    before = _cursor(kept, one.name) if landed.origins(name, source) else None
    with _folder(inner / _HERE) as into:
        came = _extract(one, into, cursor=before)
        if came.path is not None and (came.error is None or came.cursor is not None):
            read = came.path.relative_to(root) if came.path.is_relative_to(root) else came.path
            as_file = source.model_copy(update={"read": read.as_posix(), "database": None})
            for reading in readings(root, name, source=as_file, landed=landed):
                yield replace(reading, shown=f"the dlt resource {one.name}")
                if came.cursor is not None:
                    text = json.dumps({"resource": one.name, "state": came.cursor}, sort_keys=True)
                    write_whole(kept, text.encode())
    if came.error is not None:
        raise _broke_off(one.name, came) from came.error


def _one_resource(resource: object) -> DltResource:
    try:
        # Before dlt reads its settings; without a pipeline it would send nothing anyway.
        os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
        from dlt.extract import DltResource, DltSource
    except ImportError as error:
        raise UserError(
            "origin.needs-dlt",
            "Landing from dlt needs dlt",
            happened="it isn't installed",
            expected="wholeroad with its origins",
            fix="pip install 'wholeroad[origins]'",
        ) from error
    if isinstance(resource, DltSource) and len(resource.selected_resources) == 1:
        (resource,) = resource.selected_resources.values()
    if isinstance(resource, DltResource):
        return resource
    named = ", ".join(resource.selected_resources) if isinstance(resource, DltSource) else ""
    raise UserError(
        "origin.kind",
        "What should be landed is no resource of dlt",
        happened=f"it was a source with the resources {named}"
        if named
        else f"it was {type(resource).__name__}",
        expected="a resource, or a source of which one resource is selected",
        fix="land source.resources['name']" if named else "call the function that @dlt.resource decorates",
    )


def _extract(resource: DltResource, into: Path, *, cursor: str | None) -> Extracted:
    """Write all rows down; dlt's state is ours, and is read off each time that it moved."""
    from dlt.common.configuration.container import Container
    from dlt.common.exceptions import DltException
    from dlt.common.json import json as dlt_json
    from dlt.common.pipeline import StateInjectableContext

    state: dict[str, Any] = {} if cursor is None else dlt_json.typed_loads(cursor)
    spool, error, reached, last = _Spool(into), None, cursor, object()
    try:
        with Container().injectable_context(StateInjectableContext(state=cast("TPipelineState", state))):
            items = iter(resource)
        for item in items:
            at = _reached(state)
            if at is not last:
                last, reached = at, dlt_json.typed_dumps(state)
            spool.add(item)
        reached = dlt_json.typed_dumps(state)
    except DltException as raised:  # it wraps whatever somebody's loader says when its origin fails
        error = raised
        if not _goes_on(resource, state):
            reached = None
    path = spool.close()
    return Extracted(path, spool.rows, reached if spool.rows else None, error)


def _cursors(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        cursor
        for source in state.get("sources", {}).values()
        for resource in source.get("resources", {}).values()
        for cursor in resource.get("incremental", {}).values()
    ]


def _reached(state: dict[str, Any]) -> object:
    cursors = _cursors(state)
    return cursors[0].get("last_value") if len(cursors) == 1 else None


def _goes_on(resource: DltResource, state: dict[str, Any]) -> bool:
    """Tell whether what came before a failure is all that lies before the cursor."""
    sources = [*state.get("sources", {}).values()]
    resources = [each for source in sources for each in source.get("resources", {}).values()]
    plain = all(source.keys() <= {"resources"} for source in sources)
    plain &= all(each.keys() <= {"incremental"} for each in resources)
    cursor = getattr(resource.incremental, "_incremental", resource.incremental)
    ordered = getattr(cursor, "row_order", None) == "asc" and getattr(cursor, "range_start", None) == "closed"
    return plain and ordered and len(_cursors(state)) == 1


class _Spool:
    """Rows on their way into one file: of JSON objects, or a Parquet where they came as tables."""

    def __init__(self, into: Path) -> None:
        self.rows = 0
        self._into = into
        self._lines: list[object] = []
        self._tables: list[Path] = []
        self._objects = into / "rows.ndjson"
        self._encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)

    def add(self, item: object) -> None:
        if hasattr(item, "__arrow_c_stream__") or hasattr(item, "__arrow_c_array__"):
            frame = pl.DataFrame(cast("ArrowStreamExportable", item))
            self.rows += frame.height
            self._tables.append(self._into / f"table-{len(self._tables)}.parquet")
            frame.write_parquet(self._tables[-1], compression="lz4")
            return
        self.rows += 1
        self._lines.append(item if isinstance(item, dict) or hasattr(item, "model_dump") else {"value": item})
        if len(self._lines) >= _LINES:
            self._write()

    def close(self) -> Path | None:
        if not self.rows:
            return None
        if self._tables and not (self._lines or self._objects.exists()):
            whole = self._into / "rows.parquet"
            scans = [pl.scan_parquet(each, glob=False) for each in self._tables]
            pl.concat(scans, how="diagonal_relaxed").sink_parquet(whole)
            return whole
        for each in self._tables:
            self._lines += pl.read_parquet(each, glob=False).to_dicts()
            self._write()
        self._write()
        return self._objects

    def _write(self) -> None:
        with self._objects.open("ab") as file:
            file.write(self._encoder.encode_lines(self._lines))
        self._lines = []


def _plain(value: object) -> object:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _cursor(kept: Path, resource: str) -> str | None:
    """Read the cursor of a resource; None where there is none, or where it can't be read."""
    try:
        said = json.loads(kept.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return str(said["state"]) if said.get("resource") == resource else None


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _broke_off(resource: str, came: Extracted) -> TryLaterError:
    first = next((line for line in str(came.error).splitlines() if line.strip()), type(came.error).__name__)
    on = came.cursor is not None
    return TryLaterError(
        "origin.broke-off",
        f"The dlt resource {resource} broke off",
        happened=f"after {came.rows:,} rows: {first[:200]}",
        expected="all rows of the resource",
        fix="give the same command again; "
        + ("those rows have landed, and it goes on from there" if on else "nothing of it has landed"),
    )
