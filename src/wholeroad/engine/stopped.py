"""What an attempt at landing a batch has written before it was stopped."""

from __future__ import annotations

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.road.data.batches import SEQ, VERSION


class Stopped:
    """Rows of an attempt at a batch that was stopped; the next attempt makes them again, in the same places.

    Parameters
    ----------
    written
        Their numbers and hashes; None where there was no attempt.

    Examples
    --------
    >>> rows = pl.DataFrame({"_seq": [7, 8], "_version": [1, 2]})
    >>> Stopped(rows[:1]).without(rows, name="orders")["_seq"].to_list()
    [8]
    """

    def __init__(self, written: pl.DataFrame | None) -> None:
        self._left = None if written is None or not written.height else written

    def without(self, rows: pl.DataFrame, *, name: str) -> pl.DataFrame:
        """Give the rows that aren't written yet.

        Raises
        ------
        UserError
            ``data.landing-differs`` when others stand in their places.
        """
        if self._left is None or not rows.height:
            return rows
        there = rows.select(SEQ, VERSION).join(self._left, on=[SEQ, VERSION], how="semi")
        taken = rows.select(SEQ).join(self._left, on=SEQ, how="semi")
        if there.height != taken.height:
            raise _differs(name)
        self._left = self._left.join(there, on=SEQ, how="anti")
        fresh = rows.join(there, on=SEQ, how="anti", maintain_order="left")
        if not self._left.height:
            self._left = None
        return fresh

    def refuse_rest(self, name: str) -> None:
        """Refuse to end a batch of which more is written than it has.

        Raises
        ------
        UserError
            ``data.landing-differs``.
        """
        if self._left is not None:
            raise _differs(name)


def _differs(name: str) -> UserError:
    return UserError(
        "data.landing-differs",
        "Rows that land again differ from those that a stopped run wrote",
        happened=f"landing rows of {name} again was stopped, and they came out otherwise this time",
        expected="the same rows: what lands again is what landed, mended by the brief",
        fix=f"remove .wholeroad/tables/source_{name}_*: the table is made anew from what was kept",
    )
