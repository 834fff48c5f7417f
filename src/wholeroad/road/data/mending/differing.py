"""Where rows differ before and after a mend."""

from __future__ import annotations

import polars as pl

from wholeroad.road.data.casting import cast, kept_type


def differing(before: pl.DataFrame, after: pl.DataFrame) -> pl.Series:
    """Tell which rows say something else than they did, in any column.

    What counts is what would land: a text that landing reads as the same number is no other value. No column
    is the same as an empty one, and a Boolean column that is new and says no is the same as none.

    Parameters
    ----------
    before, after
        The same rows in the same order.

    Returns
    -------
    polars.Series
        Boolean, shape (n,).

    Examples
    --------
    >>> differing(pl.DataFrame({"a": ["1", "2"]}), pl.DataFrame({"a": [1, 3]})).to_list()
    [False, True]
    """
    other = pl.Series([False]).new_from_index(0, after.height)
    for name in dict.fromkeys([*before.columns, *after.columns]):
        if name not in after.columns:
            other |= before[name].is_not_null()
        elif name in before.columns:
            other |= column_differs(before[name], after[name])
        elif after.schema[name] == pl.Boolean:
            other |= after[name].fill_null(value=False)
        else:
            other |= after[name].is_not_null()
    return other


def column_differs(before: pl.Series, after: pl.Series) -> pl.Series:
    """Tell where a column says something else than it did, as it would land."""
    if kept_type(before.dtype) is None or kept_type(after.dtype) is None:
        if before.dtype == after.dtype:
            return before.ne_missing(after)
        return before.is_not_null() | after.is_not_null()
    target = kept_type(after.dtype) or pl.String()
    return cast(before, target).ne_missing(cast(after, target))
