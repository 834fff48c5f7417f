"""What each kind of step does to the values of one column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from wholeroad.road.brief.mends import MendStep
from wholeroad.road.data.casting import cast, kept_type
from wholeroad.road.data.mending.filling import filled, filling
from wholeroad.road.data.mending.listing import mapped, mapped_type, without
from wholeroad.road.data.mending.parsing import as_text, parsed, target_of


def changed(column: pl.Series, step: MendStep, *, met: pl.Series | None) -> pl.Series:
    """Do a step to a column; a value that the step can't read becomes null.

    Parameters
    ----------
    column
        As it stood, of any type that can be kept.
    met
        Boolean, shape (n,): the rows that the step is for; None for all. The others keep their value, in the
        column's new type.

    Returns
    -------
    polars.Series
        Of the type that :func:`changed_type` tells, whatever the values.
    """
    given = column.dtype
    dtype = changed_type(step, given)
    kept = kept_type(given) or pl.String()
    plain = cast(column, kept)
    if step.form == "fill":
        new = filled(cast(column, _filled_from(step, given)), step, given=given)
    else:
        new = _DOES[step.form](plain, step)
    if met is None:
        return new
    if step.form == "parse":
        new, plain = as_text(new), as_text(plain)
    return new.zip_with(met, cast(plain, dtype)).alias(column.name)


def changed_type(step: MendStep, given: pl.DataType) -> pl.DataType:
    """Give the type that a step leaves a column in, which hangs on no value of it.

    A ``parse`` with ``where`` leaves texts, as other rows may be written another way; a last one without it
    gives the column its type.
    """
    kept = kept_type(given) or given
    match step.form:
        case "parse":
            return target_of(step) if step.where is None else pl.String()
        case "unit":
            return pl.Float64()
        case "clip":
            whole = all(isinstance(end, int) for end in step.range or ())
            return pl.Int64() if isinstance(kept, pl.Int64) and whole else pl.Float64()
        case "map":
            return mapped_type(step, kept)
        case "fill":
            found = filling(step, given)
            return kept if found is None else found.dtype
        case _:
            return kept


def _filled_from(step: MendStep, given: pl.DataType) -> pl.DataType:
    return changed_type(step, given) if isinstance(given, pl.Null) else kept_type(given) or given


def _in_unit(column: pl.Series, step: MendStep) -> pl.Series:
    factor = 1.0 if step.factor is None else step.factor
    values = cast(column, pl.Float64()) * factor + step.plus
    return cast(values, pl.Float64())  # beyond the largest number there is none


def _clipped(column: pl.Series, step: MendStep) -> pl.Series:
    low, high = step.range or (0, 0)
    return cast(column, changed_type(step, column.dtype)).clip(low, high)


_DOES: Final[dict[str, Callable[[pl.Series, MendStep], pl.Series]]] = {
    "parse": parsed,
    "unit": _in_unit,
    "clip": _clipped,
    "map": mapped,
    "nothing": without,
}
