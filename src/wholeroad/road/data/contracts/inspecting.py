"""A contract asked of a batch, a part at a time, in one pass over each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.road.brief.source_contract import Broken, ContractTable
from wholeroad.road.data.casting import cast, was_lost
from wholeroad.road.data.contracts.clauses import Clause, compile_clauses
from wholeroad.road.data.contracts.fitting import TYPES, implied_type, refuse_unfit
from wholeroad.road.data.contracts.inspected import BrokenClause, Inspected
from wholeroad.road.data.contracts.uniqueness import (
    CountedValues,
    SeenValues,
    words_of_rows,
    words_of_values,
)
from wholeroad.road.data.contracts.volumes import Volumes
from wholeroad.road.data.quarantine import Verdict
from wholeroad.road.data.versions import HAPPENED

__all__ = ["BrokenClause", "Inspected", "Inspector", "references_of", "standing_columns"]

_NOTHING: Final[Mapping[str, pl.Series]] = MappingProxyType({})
_SAID: Final = 3
"""Odd hours or days that are named."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a batch while it is asked: as it came, in the types asked for, and which rows count."""

    frame: pl.DataFrame
    asked: pl.DataFrame
    verdict: Verdict
    before: pl.Series


class Inspector:
    """Asks the clauses of one contract of the parts of one batch.

    Every clause that single rows can break is counted by one ``select`` over the part; only for those that
    some row broke the rows are looked for and blamed.

    Parameters
    ----------
    contract
        The source's; its words (unit, owner, purpose) are asked of nobody.
    source
        The source's name.
    key
        Its key: rows that share it are versions of one row. Empty: each row is one of its own.
    references
        By ``source.column``: the values that are there. What isn't given isn't asked, and is told so.
    standing
        What stands in the table before the batch: the key, the columns that are promised to be unique and,
        for the volume, ``_happened_at``. None: nothing.
    until
        No hour or day that ends later is full.
    blaming
        Whether rows are blamed; otherwise they are only counted.

    Examples
    --------
    >>> import polars as pl
    >>> contract = ContractTable.model_validate({"column": {"km": {"range": [0, 6000]}}})
    >>> verdict = Verdict(3)
    >>> inspector = Inspector(contract, source="flights")
    >>> inspector.inspect(pl.DataFrame({"km": [5, -4, None]}), verdict, happened=None)
    >>> verdict.reasons.to_list(), inspector.result().broken
    ([None, 'km was -4, not between 0 and 6000', None], {'km range': 1})
    """

    def __init__(
        self,
        contract: ContractTable,
        *,
        source: str,
        key: tuple[str, ...] = (),
        references: Mapping[str, pl.Series] = _NOTHING,
        standing: pl.DataFrame | None = None,
        until: Instant | None = None,
        blaming: bool = True,
    ) -> None:
        self._contract = contract
        self._source = source
        self._key = key
        self._references = references
        self._blaming = blaming
        self._clauses: tuple[Clause, ...] | None = None
        self._fitted: dict[str, pl.DataType | None] = {}
        self._rows = 0
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._nulls: Counter[str] = Counter()
        # A key of one column is unique by what a key is: rows that share it are one row.
        unique = [name for name, column in contract.column.items() if column.unique and key != (name,)]
        self._counted_only = {name: CountedValues() for name in unique if not (blaming or key)}
        self._unique = {name: SeenValues() for name in unique if name not in self._counted_only}
        self._volumes = None if contract.volume is None else Volumes(contract.volume, until=until)
        if standing is not None:
            self._stand(standing)

    def fit(self, schema: Mapping[str, pl.DataType]) -> None:
        """Compile the contract for columns of these kept types; done by the first part if not before.

        Raises
        ------
        FaultsError
            ``contract.column-missing``, ``contract.wrong-kind``.
        """
        refuse_unfit(self._contract, schema, source=self._source)
        self._clauses = compile_clauses(self._contract, schema, references=self._typed_references(schema))
        self._fitted = {name: schema.get(name) for name in self._contract.column}

    def inspect(self, frame: pl.DataFrame, verdict: Verdict, *, happened: pl.Series | None) -> None:
        """Ask all clauses of a part.

        Parameters
        ----------
        frame
            In kept types; other columns than the contract's may be there.
        verdict
            On the rows of ``frame``: those that something is wrong with already are asked nothing. Rows that
            break a clause which sets aside are blamed.
        happened
            Shape (n,), instants; None where the rows have none.

        Raises
        ------
        FaultsError
            See :meth:`fit`.
        """
        frame = self._filled(frame)
        whole_schema = frame.schema
        schema = {name: whole_schema.get(name) for name in self._contract.column}
        if self._clauses is None or schema != self._fitted:
            self.fit(whole_schema)
        before = verdict.fine()
        asked, lost = self._judged(frame)
        whole = bool(before.all())
        self._rows += frame.height if whole else int(before.sum())
        nulls = self._count_nulls(frame if whole else frame.filter(before))
        counts = self._counted(asked if whole else asked.filter(before)) | nulls
        part = _Part(frame, asked, verdict, before)
        masks = self._masks(part, counts)
        self._quote(part, masks)
        for clause in self._clauses or ():
            self._counts[clause.said] += counts.get(clause.said, 0)
            if clause.said in masks:
                self._blame(clause, masks[clause.said], part)
            elif clause.name == "type" and clause.column in lost:
                self._break(clause, lost[clause.column], part)
            elif clause.name == "unique" and clause.column in self._unique:
                self._break(clause, self._repeated(clause.column, part), part)
            elif clause.name == "unique" and clause.column in self._counted_only:
                values = asked[clause.column] if whole else asked[clause.column].filter(before)
                self._counted_only[clause.column].add(words_of_values(values.drop_nulls()))
        if self._volumes is not None and happened is not None:
            fine = verdict.fine()
            owners = words_of_rows(frame.select(self._key).filter(fine)) if self._key else None
            self._volumes.add(happened.filter(fine), owners)

    def result(self) -> Inspected:
        """Say what the batch broke, when all of its parts are in."""
        found: dict[Broken, list[BrokenClause]] = {"quarantine": [], "hold": [], "warn": []}
        for name, values in self._counted_only.items():
            self._counts[f"{name} unique"] = values.repeated()
            self._first[f"{name} unique"] = f"values of {name} came again"
        counts = dict(self._counts)
        for clause in self._clauses or ():
            if rows := self._counts[clause.said]:
                broken = BrokenClause(clause.said, rows, self._rows, self._first[clause.said])
                found[clause.does].append(broken)
        for does, clause_name, of_batch in self._of_the_batch():
            counts[clause_name] = 0 if of_batch is None else of_batch.rows
            if of_batch is not None:
                found["hold" if does == "hold" else "warn"].append(of_batch)
        return Inspected(
            self._rows,
            counts,
            holds=tuple(found["hold"]),
            warned=tuple(found["warn"]),
            aside=tuple(found["quarantine"]),
            unasked=tuple(self._unasked()),
        )

    def _filled(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Give columns without any value, which are kept as text, the type that the contract asks for."""
        schema = frame.schema
        empty = [
            pl.lit(None, dtype=kind).alias(name)
            for name, column in self._contract.column.items()
            if (kind := implied_type(column)) is not None
            and schema.get(name) == pl.String
            and frame[name].null_count() == frame.height
        ]
        return frame.with_columns(empty) if empty else frame

    def _count_nulls(self, frame: pl.DataFrame) -> dict[str, int]:
        """Count empty values, as they came: one that was lost on its way to another type isn't empty."""
        found = {}
        for name, column in self._contract.column.items():
            if column.null_share is None or not (nulls := frame[name].null_count()):
                continue
            self._nulls[name] += nulls
            if column.null_share == 0:
                found[f"{name} null"] = nulls
        return found

    def _counted(self, asked: pl.DataFrame) -> dict[str, int]:
        """Count the rows that break each clause, in one pass."""
        clauses = [each for each in self._clauses or () if each.bad is not None and each.name != "null"]
        if not clauses:
            return {}
        told = asked.select(clause.count.alias(clause.said) for clause in clauses)
        return {name: count for name, count in told.row(0, named=True).items() if count}

    def _masks(self, part: _Part, counts: Mapping[str, int]) -> dict[str, pl.Series]:
        """Find the rows that break a clause, where they are to be blamed or one of them is to be quoted."""
        wanted = [
            clause
            for clause in self._clauses or ()
            if clause.said in counts and (self._blames(clause) or clause.said not in self._first)
        ]
        found: dict[str, pl.Series] = {}
        for frame, raw in ((part.frame, True), (part.asked, False)):
            these = {
                clause.said: clause.bad.fill_null(value=False).alias(clause.said)
                for clause in wanted
                if clause.bad is not None and clause.raw == raw
            }
            if these:
                found |= frame.select(these.values()).to_dict()
        return {said: bad & part.before for said, bad in found.items()}

    def _blames(self, clause: Clause) -> bool:
        return self._blaming and clause.does == "quarantine"

    def _break(self, clause: Clause, bad: pl.Series, part: _Part) -> None:
        """Count rows that break a clause, and see to them."""
        bad = bad & part.before
        if rows := int(bad.sum()):
            self._counts[clause.said] += rows
            self._quote(part, {clause.said: bad})
            self._blame(clause, bad, part)

    def _quote(self, part: _Part, masks: Mapping[str, pl.Series]) -> None:
        """Keep what is said of the first row that breaks each clause; of all clauses at once."""
        for frame, raw in ((part.frame, True), (part.asked, False)):
            new = [
                clause
                for clause in self._clauses or ()
                if clause.said in masks and clause.said not in self._first and clause.raw == raw
            ]
            if new:
                places = [int(masks[clause.said].arg_max() or 0) for clause in new]
                rows = frame.select(list(dict.fromkeys(clause.column for clause in new)))[places]
                told = rows.with_columns(clause.reason.alias(clause.said) for clause in new)
                for place, clause in enumerate(new):
                    self._first[clause.said] = str(told[clause.said][place])

    def _blame(self, clause: Clause, bad: pl.Series, part: _Part) -> None:
        """Blame the rows that break a clause, if it sets aside."""
        if self._blames(clause):
            frame = part.frame if clause.raw else part.asked
            part.verdict.blame(bad, clause.code, reason=clause.reason, frame=frame)

    def _judged(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
        """Give the part with columns in the types that the contract says, and where a value was lost."""
        lost: dict[str, pl.Series] = {}
        typed = []
        for name, column in self._contract.column.items():
            before = frame[name]
            if column.type is not None and before.dtype != TYPES[column.type]:
                after = cast(before, TYPES[column.type])
                typed.append(after)
                lost[name] = was_lost(before, after)
        return (frame.with_columns(typed) if typed else frame), lost

    def _repeated(self, column: str, part: _Part) -> pl.Series:
        """Tell which rows have a value that another row has; a row that is set aside takes no value."""
        fine = part.verdict.fine()
        names = list(dict.fromkeys([column, *self._key]))
        some, places = part.asked.select(names), None
        if some[column].null_count() or not fine.all():
            places = (some[column].is_not_null() & fine).arg_true()
            some = some[places]
        owners = words_of_rows(some.select(self._key)) if self._key else None
        again = self._unique[column].repeated(words_of_values(some[column]), owners)
        if places is None:
            return pl.Series(again)
        spread = np.zeros(part.asked.height, dtype=np.bool_)
        spread[places.to_numpy()] = again
        return pl.Series(spread)

    def _stand(self, standing: pl.DataFrame) -> None:
        owners = words_of_rows(standing.select(self._key))
        for name, seen in self._unique.items():
            there = standing[name].is_not_null()
            seen.repeated(words_of_values(standing[name].filter(there)), owners[there.to_numpy()])
        if self._volumes is not None and HAPPENED in standing.columns:
            self._volumes.stand(standing[HAPPENED], owners)

    def _typed_references(self, schema: Mapping[str, pl.DataType]) -> dict[str, pl.Series]:
        """Give for each column the values that it may have, in its own type."""
        typed: dict[str, pl.Series] = {}
        for name, column in self._contract.column.items():
            if column.references is not None and column.references in self._references:
                wanted = schema[name] if column.type is None else TYPES[column.type]
                typed[name] = cast(self._references[column.references], wanted)
        return typed

    def _of_the_batch(self) -> Iterator[tuple[Broken, str, BrokenClause | None]]:
        for name, column in self._contract.column.items():
            if column.null_share:
                rows, clause = self._nulls[name], f"{name} null_share"
                share = rows / self._rows if self._rows else 0.0
                said = (
                    f"{name} was empty in {rows:,} of {self._rows:,} rows, {share:.2%}; "
                    f"the contract allows {column.null_share:.2%}"
                )
                over = share > column.null_share
                yield (
                    self._contract.does(name),
                    clause,
                    BrokenClause(clause, rows, self._rows, said) if over else None,
                )
        if self._volumes is not None:
            odd = list(self._volumes.odd(owned=bool(self._key)))
            named = "; ".join(each.said for each in odd[:_SAID])
            more = f"; and {len(odd) - _SAID} more" if len(odd) > _SAID else ""
            broken = BrokenClause("volume", len(odd), self._rows, named + more) if odd else None
            yield self._contract.if_broken, "volume", broken

    def _unasked(self) -> Iterator[str]:
        for name, column in self._contract.column.items():
            if column.references is not None and column.references not in self._references:
                yield f"{name} references: no rows of {column.references} have landed"


def references_of(contract: ContractTable) -> tuple[str, ...]:
    """Name what a contract refers to, each as ``source.column``."""
    named = (column.references for column in contract.column.values())
    return tuple(dict.fromkeys(each for each in named if each is not None))


def standing_columns(contract: ContractTable) -> tuple[str, ...] | None:
    """Name the columns of the standing table that a contract has to see beside the key; None: no need."""
    unique = [name for name, column in contract.column.items() if column.unique]
    if contract.volume is not None:
        unique.append(HAPPENED)
    return tuple(unique) or None
