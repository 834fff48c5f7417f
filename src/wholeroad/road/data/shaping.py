"""The columns of a batch: which ones land, and in which types."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.batches import Batch
from wholeroad.road.data.casting import INSTANT, cast, kept_type, kinds, noun, was_lost
from wholeroad.road.data.presence import Stored
from wholeroad.road.data.quarantine import Verdict


@dataclass(frozen=True, slots=True)
class Shaped:
    """A batch in kept types.

    Attributes
    ----------
    frame
        The columns that land, all rows; a value that could not be cast is null.
    verdict
        What is wrong with a row so far.
    ignored
        Columns left out.
    """

    frame: pl.DataFrame
    verdict: Verdict
    ignored: tuple[str, ...]


def shape(
    batch: Batch,
    source: SourceTable,
    *,
    name: str,
    stored: Stored | None,
    verdict: Verdict | None = None,
) -> Shaped:
    """Choose the columns, cast them, and blame the rows that lose a value or have no key.

    Parameters
    ----------
    verdict
        What is wrong with some rows already; it grows. None: nothing.

    Raises
    ------
    UserError
        ``data.column-missing``, ``data.reserved-column``, ``data.column-type``, ``brief.unknown-type``.
    """
    frame = batch.frame
    targets = _targets(frame, source, name, stored)
    verdict = Verdict(frame.height) if verdict is None else verdict
    columns = []
    for column_name, target in targets.items():
        before = frame[column_name]
        after = cast(before, target)
        columns.append(after)
        if after.null_count() > before.null_count():
            was = pl.col(column_name).cast(pl.String, strict=False)
            reason = pl.format(f"{_brace(column_name)} was '{{}}', not {noun(target)}", was)
            verdict.blame(was_lost(before, after), "data.not-castable", reason=reason, frame=frame)
    shaped = pl.DataFrame(columns)
    for key in source.key:
        reason = pl.lit(f"{key} was empty, and it is part of the key")
        verdict.blame(shaped[key].is_null(), "data.key-null", reason=reason, frame=shaped)
    return Shaped(shaped, verdict, tuple(column for column in frame.columns if column not in targets))


def _targets(
    frame: pl.DataFrame, source: SourceTable, name: str, stored: Stored | None
) -> dict[str, pl.DataType]:
    where = f"[source.{name}]"
    reserved = [column for column in frame.columns if column.startswith("_")]
    if reserved:
        raise UserError(
            "data.reserved-column",
            f"{where}: a column name is reserved",
            happened=f"the rows had {_listed(reserved)}",
            expected="names that don't start with an underscore; those are ours",
            fix="rename the column before landing",
        )
    declared = kinds(source.types, where)
    if stored is not None:
        _refuse_shrunk(frame, list(stored.columns), name)
        return stored.columns
    _refuse_missing(frame, [*source.key, *declared], where)
    targets = {column: kept_type(dtype) for column, dtype in frame.schema.items()}
    # Without a value, as in a file of a header only, a column is what the source takes it for.
    times = (source.happened_at, source.known_at)
    targets |= {
        column: INSTANT for column in times if column and isinstance(frame.schema.get(column), pl.Null)
    }
    targets |= {column: kind for column, kind in declared.items() if targets[column] is not None}
    for key in source.key:
        if targets[key] is None:
            raise UserError(
                "data.column-type",
                f"{where}: the key can't be kept",
                happened=f"{key} held {frame.schema[key]}",
                expected="text, numbers, true or false, dates or instants",
                fix="write the key as text",
            )
    return {column: target for column, target in targets.items() if target is not None}


def _refuse_missing(frame: pl.DataFrame, expected: list[str], where: str) -> None:
    missing = [column for column in dict.fromkeys(expected) if column not in frame.columns]
    if missing:
        raise _column_missing(
            where,
            missing,
            happened=f"the rows had no {_listed(missing)}; they had {_listed(frame.columns)}",
            fix="correct the names in the brief, or add the columns",
        )


def _refuse_shrunk(frame: pl.DataFrame, columns: list[str], name: str) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if not missing:
        return
    new = [column for column in frame.columns if column not in columns]
    became = []
    for column in missing:
        near = difflib.get_close_matches(column, new, n=1) or (new if len(new) == len(missing) == 1 else [])
        became += [f"did {column} become {near[0]}? " if near else ""]
    it = "a column" if len(missing) == 1 else "columns"
    where = f"[source.{name}]"
    raise _column_missing(
        where,
        missing,
        happened=f"{name} has had {it} {_listed(missing)} since its first landing; these rows have none",
        fix=f"{''.join(became)}deliver the columns of the first landing, empty where there is nothing to say",
    )


def _column_missing(where: str, missing: list[str], *, happened: str, fix: str) -> UserError:
    return UserError(
        "data.column-missing",
        f"{where}: {'a column is' if len(missing) == 1 else 'columns are'} missing",
        happened=happened,
        expected=_listed(missing),
        fix=fix,
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:12])
    return shown if len(names) <= 12 else f"{shown} and {len(names) - 12} more"


def _brace(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
