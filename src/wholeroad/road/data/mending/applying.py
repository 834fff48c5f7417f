"""Applying the steps of a mend to the rows of a batch; every row comes out again, mended or blamed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from wholeroad.core.expressions import Expression
from wholeroad.road.brief.mends import MendTable
from wholeroad.road.data.casting import cast, kept_type, was_lost
from wholeroad.road.data.mending.differing import differing
from wholeroad.road.data.mending.filling import is_empty
from wholeroad.road.data.mending.parsing import wanted
from wholeroad.road.data.mending.planning import Planned, plan
from wholeroad.road.data.mending.repeats import Repeats
from wholeroad.road.data.mending.values import changed
from wholeroad.road.data.quarantine import Verdict


@dataclass(frozen=True, slots=True)
class Mended:
    """Rows after a mend.

    Attributes
    ----------
    frame
        The same rows in the same order; those that are blamed as well.
    verdict
        Which rows are to be set aside: ``mend.dropped``, ``mend.duplicate``, ``mend.not-parsed``,
        ``mend.not-split``.
    counts
        Rows that a step really changed or set aside, by step ("unit height": 214). Rows that an earlier
        step set aside don't count.
    """

    frame: pl.DataFrame
    verdict: Verdict
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Touched:
    """What one step did to some rows.

    Attributes
    ----------
    label
        The step in a few words.
    before, after
        The columns that it names or makes, all rows.
    changed
        Boolean, shape (n,).
    """

    label: str
    before: pl.DataFrame
    after: pl.DataFrame
    changed: pl.Series


class Mender:
    """Mends the rows of one batch, a part at a time.

    What becomes of a row depends on the row alone, but for ``deduplicate``, which looks at the rows of the
    batch that came before. So a batch in parts comes to the same as the whole.

    Parameters
    ----------
    table
        The steps.
    where
        How messages name them, as in ``[source.flights.mend]``.
    timezone
        Of the source, for calendar functions in conditions.

    Examples
    --------
    >>> table = MendTable.model_validate({"steps": [{"unit": "cm", "factor": 2.54, "where": "cm < 100"}]})
    >>> mended = Mender(table, where="[source.people.mend]").mend(pl.DataFrame({"cm": [70, 180]}))
    >>> mended.frame["cm"].to_list(), dict(mended.counts)
    ([177.8, 180.0], {'unit cm': 1})
    """

    def __init__(self, table: MendTable, *, where: str, timezone: str | None = None) -> None:
        self._table = table
        self._where = where
        self._timezone = timezone
        self._repeats = [Repeats() for _ in table.steps]
        self._rows = 0
        self._planned: tuple[pl.Schema, tuple[Planned, ...]] | None = None

    def mend(self, frame: pl.DataFrame, *, numbers: pl.Series | None = None) -> Mended:
        """Mend the next part of the batch.

        Parameters
        ----------
        frame
            Rows as read.
        numbers
            Shape (n,): the rows' places in the batch, by which a duplicate names the row it repeats;
            counted from 1 through the parts unless given.

        Raises
        ------
        FaultsError
            All faults of the steps at once, see :func:`~wholeroad.road.data.mending.planning.plan`.
        """
        after, verdict, touched = self._through(frame, numbers)
        return Mended(after, verdict, {each.label: int(each.changed.sum()) for each in touched})

    def follow(self, frame: pl.DataFrame, *, numbers: pl.Series | None = None) -> list[Touched]:
        """Mend the next part of the batch, and tell step by step what was done to its rows."""
        return self._through(frame, numbers)[2]

    def _through(
        self, frame: pl.DataFrame, numbers: pl.Series | None
    ) -> tuple[pl.DataFrame, Verdict, list[Touched]]:
        planned = self._fitted(frame.schema)
        if numbers is None:
            first = self._rows + 1
            numbers = pl.int_range(first, first + frame.height, dtype=pl.Int64, eager=True)
        self._rows += frame.height
        verdict, touched = Verdict(frame.height), []
        for each, repeats in zip(planned, self._repeats, strict=True):
            fine = verdict.fine()
            after = _done(each, frame, verdict=verdict, repeats=(repeats, numbers))
            asked = each.condition.columns if each.step.form == "drop" and each.condition else each.columns
            names = [*asked, *(name for name in after.columns if name not in frame.columns)]
            before, now = _some(frame, names), _some(after, names)
            aside = ~verdict.fine()
            told = fine & (differing(before, now) | aside if names else aside)
            touched.append(Touched(each.label, before, now, told))
            frame = after
        return frame, verdict, touched

    def _fitted(self, schema: pl.Schema) -> tuple[Planned, ...]:
        if self._planned is None or self._planned[0] != schema:
            steps = plan(self._table, schema, where=self._where, timezone=self._timezone)
            self._planned = schema, steps
        return self._planned[1]


def _done(
    planned: Planned, frame: pl.DataFrame, *, verdict: Verdict, repeats: tuple[Repeats, pl.Series]
) -> pl.DataFrame:
    step = planned.step
    match step.form:
        case "rename":
            return frame.rename({str(step.rename): str(step.to)})
        case "drop":
            met = _met(planned.condition, frame)
            verdict.blame(met, "mend.dropped", reason=pl.lit(step.reason), frame=frame)
            return frame
        case "deduplicate":
            _blame_repeats(planned, frame, verdict=verdict, repeats=repeats)
            return frame
        case "split":
            return _split(planned, frame, verdict)
        case _:
            return _changed(planned, frame, verdict)


def _met(condition: Expression | None, frame: pl.DataFrame) -> pl.Series:
    if condition is None:
        return pl.Series([True]).new_from_index(0, frame.height)
    return frame.select(condition.polars.fill_null(value=False).alias("met")).to_series()


def _changed(planned: Planned, frame: pl.DataFrame, verdict: Verdict) -> pl.DataFrame:
    step, (name,) = planned.step, planned.columns
    column = frame[name]
    met = None if planned.condition is None else _met(planned.condition, frame)
    new = changed(column, step, met=met)
    after = frame.with_columns(new.alias(name))
    if step.form != "nothing":
        expected = wanted(step) if step.form == "parse" else "a number"
        was = pl.col(name).cast(pl.String, strict=False)
        reason = pl.format(f"{_brace(name)} was '{{}}', not {_brace(expected)}", was)
        verdict.blame(was_lost(column, new), "mend.not-parsed", reason=reason, frame=frame)
    if step.flag is not None:
        empty = is_empty(column) if met is None else is_empty(column) & met
        after = after.with_columns(empty.alias(step.flag))
    return after


def _split(planned: Planned, frame: pl.DataFrame, verdict: Verdict) -> pl.DataFrame:
    step, (name,) = planned.step, planned.columns
    texts = cast(frame[name], pl.String())
    mark, into = step.at or "", step.into
    pieces = texts.str.split(mark)
    count = pieces.list.len()
    fits = count == len(into)
    there = pl.when(pl.lit(fits))
    made = pl.DataFrame([pieces.alias("pieces")]).select(
        there.then(pl.col("pieces").list.get(place, null_on_oob=True).replace("", None)).alias(piece)
        for place, piece in enumerate(into)
    )
    reason = pl.format(
        f"{_brace(name)} was '{{}}': {{}} pieces, not {len(into)}", pl.lit(texts), pl.lit(count)
    )
    verdict.blame(~fits, "mend.not-split", reason=reason, frame=frame)
    return frame.with_columns(made.get_columns())


def _blame_repeats(
    planned: Planned, frame: pl.DataFrame, *, verdict: Verdict, repeats: tuple[Repeats, pl.Series]
) -> None:
    seen, numbers = repeats
    rows = pl.DataFrame([_kept(frame[name]) for name in planned.columns])
    original = seen.of(rows, counting=verdict.fine(), numbers=numbers)
    said = _brace(", ".join(planned.columns))
    reason = pl.format(f"it had the same {said} as row {{}} of the batch", pl.lit(original))
    verdict.blame(original.is_not_null(), "mend.duplicate", reason=reason, frame=frame)


def _kept(column: pl.Series) -> pl.Series:
    return cast(column, kept_type(column.dtype) or pl.String())


def _some(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    return frame.select([name for name in dict.fromkeys(names) if name in frame.columns])


def _brace(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
