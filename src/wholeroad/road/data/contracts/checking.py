"""A contract asked of frames that belong to no project, a part at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.road.brief.source_contract import ContractTable
from wholeroad.road.data.casting import cast, kept_type, was_lost
from wholeroad.road.data.contracts.inspecting import Inspected, Inspector
from wholeroad.road.data.quarantine import Verdict


def check_frames(
    contract: ContractTable,
    parts: Iterable[pl.DataFrame],
    *,
    source: str = "rows",
    key: tuple[str, ...] = (),
    happened_at: str | None = None,
    references: Mapping[str, pl.Series] | None = None,
) -> Inspected:
    """Ask a contract of rows, a part at a time; nothing lands, and only the part at hand is held.

    Parameters
    ----------
    parts
        Frames with the same columns, in any types that can be kept.
    source
        How messages name them.
    key
        Columns that name a row; without them each row is one of its own.
    happened_at
        A column of instants, for the volume.
    references
        By ``source.column``: the values that are there.

    Returns
    -------
    Inspected
        Rows per clause. Every broken clause is counted, whatever the contract has done with it.

    Raises
    ------
    FaultsError
        ``contract.column-missing``, ``contract.wrong-kind``.
    UserError
        ``data.column-type``: a column of the contract can't be kept.

    Examples
    --------
    >>> import polars as pl
    >>> contract = ContractTable.model_validate({"column": {"id": {"unique": True, "null_share": 0}}})
    >>> check_frames(contract, [pl.DataFrame({"id": [1, 2]}), pl.DataFrame({"id": [2, None]})]).broken
    {'id null': 1, 'id unique': 1}
    """
    inspector = Inspector(contract, source=source, key=key, references=references or {}, blaming=False)
    wanted = dict.fromkeys([*contract.column, *key, *([happened_at] if happened_at else [])])
    for part in parts:
        frame, verdict = _kept(part.select(name for name in wanted if name in part.columns), source)
        inspector.inspect(frame, verdict, happened=frame[happened_at] if happened_at else None)
    return inspector.result()


def _kept(part: pl.DataFrame, source: str) -> tuple[pl.DataFrame, Verdict]:
    """Give a part in kept types, and the rows that lose a value on the way."""
    verdict = Verdict(part.height)
    floats = [name for name, dtype in part.schema.items() if dtype == pl.Float64]
    # A sum is finite only where all that was added is.
    finite = part.select(pl.col(floats).sum().is_finite()).row(0, named=True) if floats else {}
    changed = []
    for column in part.iter_columns():
        target = kept_type(column.dtype)
        if target is None:
            raise UserError(
                "data.column-type",
                f"A column of {source} can't be kept",
                happened=f"{column.name} held {column.dtype}",
                expected="text, numbers, true or false, dates or instants",
                fix="write it as text, or take it out of the contract",
            )
        if column.dtype == target and finite.get(column.name, True):
            continue
        after = cast(column, target)
        changed.append(after)
        if after.null_count() > column.null_count():
            reason = pl.lit(f"{column.name} could not be kept")
            verdict.blame(was_lost(column, after), "data.not-castable", reason=reason, frame=part)
    return (part.with_columns(changed) if changed else part), verdict
