"""What lands, and what follows from it: features, cases that wait, truths of cases that were decided."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.instants import Instant
from wholeroad.engine.service.messages import PutRows, RowAnswer
from wholeroad.engine.service.records import Aside, RowsIn
from wholeroad.road.brief.contract import Brief, SourceTable
from wholeroad.road.brief.feature_rules import OUTCOMES
from wholeroad.road.data.arriving import ArrivingRows, TakenRow, TakenRows
from wholeroad.road.data.casting import KINDS
from wholeroad.road.data.features.online import OnlineFeatures
from wholeroad.road.data.one_case.decided import Decided, DecidedCases
from wholeroad.road.data.one_case.due import AsksAt, Due, due_at
from wholeroad.road.data.one_case.joining import OutcomeRows, case_key, versions_of_case
from wholeroad.road.data.one_case.told import Said
from wholeroad.road.data.one_case.truth import Truths
from wholeroad.road.data.one_case.waiting import Waiting
from wholeroad.road.data.row_versions import Key, RowVersion


@dataclass(frozen=True, slots=True)
class Telling:
    """How outcome rows tell the truth of cases.

    Attributes
    ----------
    by
        The outcome's columns that hold the case's key.
    rows
        Which outcome rows name a case, where the case's key isn't theirs.
    said
        By the case's id: what people said of it, in order of time.
    """

    truths: Truths
    by: tuple[str, ...]
    rows: OutcomeRows | None
    said: Mapping[int, Sequence[Said]] = field(default_factory=dict)


class Landings:
    """Everything that rows of any source bring about, in memory.

    Parameters
    ----------
    arriving
        By source: its rows as they come.
    features
        Those that the model sees, and those that say groups, where there are any.
    decide_at
        The case's.
    waiting, cases
        Cases that aren't due yet, and those that were decided.
    telling
        None where no feature asks for outcomes.
    opened_at
        What was due before is history: nobody decides it.
    """

    def __init__(
        self,
        brief: Brief,
        *,
        arriving: Mapping[str, ArrivingRows],
        features: Sequence[OnlineFeatures],
        decide_at: AsksAt,
        cases: DecidedCases,
        telling: Telling | None,
        opened_at: Instant,
    ) -> None:
        self._brief = brief
        self._arriving = arriving
        self._features = features
        self._decide_at = decide_at
        self._telling = telling
        self._opened_at = opened_at
        self._case_source = brief.case.source
        self._outcome_source = brief.outcome.source
        self.cases = cases
        self.waiting: Waiting[Key] = Waiting()

    @property
    def schemas(self) -> dict[str, pl.Schema]:
        """By source: its own columns; a source without any row yet is not in it."""
        return {name: each.schema for name, each in self._arriving.items() if each.schema is not None}

    @property
    def sources(self) -> Mapping[str, SourceTable]:
        """The sources of the brief."""
        return self._brief.source

    @property
    def case_key(self) -> tuple[str, ...]:
        """The columns of the case's key."""
        return tuple(self._brief.source[self._case_source].key)

    def at(self, now: Instant) -> Landing:
        """Begin to land what came together."""
        return Landing(self, now)

    def take(
        self, source: str, rows: Sequence[Mapping[str, Any]], *, now: Instant, outcomes: bool = False
    ) -> TakenRows:
        """Land rows of a source at an instant, and let everything follow that follows from them."""
        if source not in self._arriving:
            raise _unknown_source(source, self._brief.source)
        arriving = self._arriving[source]
        if outcomes and source == self._case_source:
            rows = [
                row if (key := arriving.key_of(row)) is None else arriving.merged(row, key, now=now)
                for row in rows
            ]
        taken = arriving.take(rows, now=now)
        for row in taken.rows:
            if row.versions and row.key is not None and row.status != "already known":
                self._follow(source, row.key, row.versions)
        return taken

    def moved(self, stored: Mapping[str, pl.DataFrame]) -> None:
        """Keep rows that are in the tables now as narrow as the others there, by source."""
        for source, rows in stored.items():
            self._arriving[source].moved(rows)

    def row(self, key: Key) -> tuple[RowVersion, ...]:
        """Give the versions of a case's row."""
        return self._arriving[self._case_source].row(key)

    def same(self, row: Mapping[str, Any]) -> tuple[Key | None, bool]:
        """Give the key of a case that is sent, where it is known; and whether all of its row is equal."""
        arriving = self._arriving[self._case_source]
        key = arriving.key_of(row)
        if key is None or not arriving.row(key):
            return None, False
        return key, arriving.knows(row)

    def due(self, key: Key) -> tuple[Due, RowVersion] | None:
        """Give when a case is decided as things stand, and by which version of its row."""
        versions = self.row(key)
        found = due_at(versions, self._decide_at)
        return None if found is None else (found, versions[found.index])

    def known(self, row: Mapping[str, Any]) -> bool:
        """Tell whether an outcome row belongs to a case that is known."""
        by = self._brief.outcome.by or self.case_key
        key = case_key(row, by)
        return key is not None and (key in self.cases or bool(self.row(key)))

    def decided(self, key: Key, case: Decided) -> None:
        """Take note of a decision: its outcome may have come before it, and silence may mean something."""
        self.cases.add(key, case)
        if self._telling is not None:
            self._tell(key, case)

    def _follow(self, source: str, key: Key, versions: Sequence[RowVersion]) -> None:
        for features in self._features:
            features.put(source, key, versions=versions)
        if source == self._case_source and key not in self.cases:
            self._ask(key, versions)
        if source == self._outcome_source and self._telling is not None:
            self._tell_cases(versions)

    def _ask(self, key: Key, versions: Sequence[RowVersion]) -> None:
        found = due_at(versions, self._decide_at)
        if found is None or found.due_at < self._opened_at:
            self.waiting.drop(key)
        else:
            self.waiting.put(key, found.due_at)

    def _tell_cases(self, versions: Sequence[RowVersion]) -> None:
        telling = self._telling
        if telling is None:
            return
        if telling.rows is not None:
            for version in versions:
                telling.rows.add(version.values)
        for key in dict.fromkeys(case_key(version.values, telling.by) for version in versions):
            if key is not None and (case := self.cases.find(key)) is not None:
                self._tell(key, case)

    def _tell(self, key: Key, case: Decided) -> None:
        telling = self._telling
        if telling is None:
            return
        outcomes = self._arriving[self._outcome_source]
        keys = [key] if telling.rows is None else telling.rows.find(key)
        versions = versions_of_case((outcomes.row(each) for each in keys), key, by=telling.by)
        truths = telling.truths.of(case, versions, said=telling.said.get(case.id, ()))
        if truths:
            told = [truth.version for truth in truths]
            for features in self._features:
                features.put(OUTCOMES, key, versions=told)


class Landing:
    """What lands at one instant.

    Parameters
    ----------
    landings
        What it changes.
    """

    def __init__(self, landings: Landings, now: Instant) -> None:
        self._landings = landings
        self.now = now
        self._taken: dict[str, list[TakenRows]] = defaultdict(list)
        self._sent: dict[str, list[Mapping[str, Any]]] = defaultdict(list)

    def put(self, command: PutRows) -> list[RowAnswer]:
        """Land the rows of a command; an error of the whole command leaves nothing behind."""
        taken = self._landings.take(command.source, command.rows, now=self.now, outcomes=command.outcomes)
        self._keep(command.source, taken, command.rows)
        if not command.outcomes:
            return [RowAnswer(row.status, row.code, row.reason) for row in taken.rows]
        return [
            RowAnswer(
                row.status,
                row.code,
                row.reason,
                None if row.key is None else "matched" if self._landings.known(sent) else "unknown",
            )
            for row, sent in zip(taken.rows, command.rows, strict=True)
        ]

    def cases(self, source: str, rows: Sequence[Mapping[str, Any]]) -> list[TakenRow]:
        """Land cases that nobody knew."""
        taken = self._landings.take(source, rows, now=self.now)
        self._keep(source, taken, rows)
        return taken.rows

    def rows(self) -> tuple[RowsIn, ...]:
        """Give what is to be written down; nothing where only what was known came."""
        made = (_written(source, some, sent=self._sent.get(source)) for source, some in self._taken.items())
        return tuple(rows for rows in made if rows is not None)

    def _keep(self, source: str, taken: TakenRows, sent: Sequence[Mapping[str, Any]]) -> None:
        """Note what was taken; where a mend or a contract stands before, also as it was sent."""
        self._taken[source].append(taken)
        table = self._landings.sources[source]
        if table.mend is not None or table.contract is not None:
            self._sent[source].extend(sent)


def _written(
    source: str, some: Sequence[TakenRows], *, sent: Sequence[Mapping[str, Any]] | None
) -> RowsIn | None:
    new, aside = list[TakenRow](), list[Aside]()
    count = repeated = 0
    for taken in some:
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
    schema = next((taken.schema for taken in some if taken.schema is not None), None)
    return RowsIn(
        source,
        [row.values for row in new],
        [row.happened_at for row in new],
        [row.claimed_at for row in new],
        [row.version for row in new],
        repeated=repeated,
        aside=tuple(aside),
        schema=None if schema is None else {name: _WORDS[dtype] for name, dtype in schema.items()},
        sent=None if sent is None else _as_sent(sent),
        mended=_summed(taken.mended for taken in some if taken.mended),
        broken=_summed(taken.broken for taken in some if taken.broken),
    )


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
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


def _unknown_source(source: str, sources: Iterable[str]) -> UserError:
    return UserError(
        "brief.unknown-source",
        "There is no such source",
        happened=f"was {source!r}",
        expected=f"one of {', '.join(sources)}",
        fix="name a source of the brief",
    )
