"""What landed of one source in one group, as it is written down."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from wholeroad.engine.service.records import Aside, RowsIn
from wholeroad.road.data.arriving import NewRow, TakenRow, TakenRows
from wholeroad.road.data.casting import KINDS


def rows_in(
    source: str, some: Sequence[TakenRows | NewRow], *, sent: Sequence[Mapping[str, Any]] | None
) -> RowsIn | None:
    """Give what is to be written down of a source's rows in a group, in the order in which they landed.

    Parameters
    ----------
    sent
        All of them as they were sent, where that is kept.

    Returns
    -------
    RowsIn or None
        None where only what was known came.
    """
    new, aside = list[TakenRow | NewRow](), list[Aside]()
    count = repeated = 0
    for taken in some:
        if isinstance(taken, NewRow):
            new.append(taken)
            count += 1
            continue
        fresh = taken.new
        new += fresh
        repeated += len(taken.rows) - len(fresh) - len(taken.aside)
        if taken.aside:
            places = (place for place, row in enumerate(taken.rows, 1) if row.code is not None)
            aside += [
                Aside(each.code, each.reason, each.row, each.content, count + place)
                for place, each in zip(places, taken.aside, strict=False)
            ]
        count += len(taken.rows)
    if not new and not aside:
        return None
    batches = [taken for taken in some if isinstance(taken, TakenRows)]
    schema = next((taken.schema for taken in batches if taken.schema is not None), None)
    return RowsIn(
        source,
        [row.values for row in new],
        [row.happened_at for row in new],
        [row.claimed_at for row in new],
        [row.version if isinstance(row, TakenRow) else 0 for row in new],
        repeated=repeated,
        aside=tuple(aside),
        schema=None if schema is None else {name: _WORDS[dtype] for name, dtype in schema.items()},
        sent=None if sent is None else _as_sent(sent),
        mended=_summed([taken.mended for taken in batches if taken.mended]),
        broken=_summed([taken.broken for taken in batches if taken.broken]),
    )


def _summed(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    if not counts:
        return {}
    total = Counter[str]()
    for each in counts:
        total.update(each)
    return dict(total)


_WORDS: Final = {dtype: word for word, dtype in KINDS.items()} | {pl.Date(): "date"}


def _as_sent(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Write rows down as they were sent."""
    data = io.BytesIO()
    pl.DataFrame(list(rows), infer_schema_length=None, strict=False).write_ipc(data)
    return data.getvalue()
