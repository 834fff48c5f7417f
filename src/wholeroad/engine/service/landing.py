"""What lands, and what follows from it: features, cases that wait, truths of cases that were decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.instants import Instant
from wholeroad.engine.service.landed import rows_in
from wholeroad.engine.service.messages import PutRows, RowAnswer
from wholeroad.engine.service.records import RowsIn
from wholeroad.road.brief.contract import Brief, SourceTable
from wholeroad.road.brief.feature_rules import OUTCOMES
from wholeroad.road.data.arriving import ArrivingRows, NewRow, TakenRow, TakenRows
from wholeroad.road.data.features.online import OnlineFeatures
from wholeroad.road.data.one_case.decided import Decided, DecidedCases
from wholeroad.road.data.one_case.due import AsksAt, Due, due_at
from wholeroad.road.data.one_case.joining import OutcomeRows, case_key, versions_of_case
from wholeroad.road.data.one_case.told import Said
from wholeroad.road.data.one_case.truth import Truths
from wholeroad.road.data.one_case.waiting import Waiting
from wholeroad.road.data.row_versions import Key, Row, RowVersion


class Ready(NamedTuple):
    """A case that is decided now.

    Attributes
    ----------
    late
        Its row became known only after its ``decide_at``.
    row
        The columns of its source, as known now.
    new
        It landed just now, and nobody ever decided it.
    """

    key: Key
    late: bool
    row: Row
    new: bool = False


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
        self.case_source = brief.case.source
        self._outcome_source = brief.outcome.source
        self._own_outcomes = self.case_source == self._outcome_source
        self._case_features = [each for each in features if each.reads(self.case_source)]
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
        return tuple(self._brief.source[self.case_source].key)

    def new(self, rows: Sequence[Mapping[str, Any]], now: Instant) -> list[NewRow] | None:
        """Read cases that nobody knew and that nothing is wrong with; None where one of them is another."""
        arriving = self._arriving[self.case_source]
        found = list[NewRow]()
        for row in rows:
            new = arriving.new(row, now)
            if new is None:
                return None
            found.append(new)
        return found if len(found) == 1 or len({each.key for each in found}) == len(found) else None

    def keep(self, found: Sequence[NewRow], now: Instant) -> list[Ready]:
        """Land cases that :meth:`new` gave; gives those that are due at this very instant, and don't wait."""
        arriving = self._arriving[self.case_source]
        ready = list[Ready]()
        for row, versions in [(row, arriving.keep(row, now)) for row in found]:
            key = row.key
            for features in self._case_features:
                features.put(self.case_source, key, versions=versions)
            if key not in self.cases:
                due = self._asked(versions)
                if due is not None and due.due_at == now:
                    ready.append(Ready(key, due.late, versions[due.index].values, new=True))
                elif due is not None:
                    self.waiting.put(key, due.due_at)
            if self._own_outcomes:
                self._tell_cases(versions)
        return ready

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
        if outcomes and source == self.case_source:
            rows = [
                row if (key := arriving.key_of(row)) is None else arriving.merged(row, key, now=now)
                for row in rows
            ]
        taken = arriving.take(rows, now=now)
        for row in taken.rows:
            if row.versions and row.key is not None and row.status != "already known":
                self._follow(source, row.key, row.versions)
        return taken

    def again(self, rows: RowsIn, now: Instant) -> None:
        """Land rows that were written down before; what they came to is known, and isn't asked again."""
        arriving = self._arriving[rows.source]
        times = list(zip(rows.happened_at, rows.claimed_at, strict=True))
        for key, versions in arriving.again(rows.values, times, now=now):
            self._follow(rows.source, key, versions)
        arriving.set_aside_before(each.content for each in rows.aside)

    def moved(self, source: str, stored: pl.DataFrame) -> None:
        """Keep rows of a source that are in its table now as narrow as the others there."""
        self._arriving[source].moved(stored)

    def row(self, key: Key) -> tuple[RowVersion, ...]:
        """Give the versions of a case's row."""
        return self._arriving[self.case_source].row(key)

    def same(self, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Key | None, bool]]:
        """Give the keys of cases that are sent, where they are known; and whether each row is equal."""
        arriving = self._arriving[self.case_source]
        keys = [None if key is None or not arriving.row(key) else key for key in arriving.keys_of(rows)]
        known = iter(arriving.known([row for row, key in zip(rows, keys, strict=True) if key is not None]))
        return [(key, False if key is None else next(known)) for key in keys]

    def due(self, key: Key) -> tuple[Due, RowVersion] | None:
        """Give when a case is decided as things stand, and by which version of its row."""
        versions = self.row(key)
        found = due_at(versions, self._decide_at)
        return None if found is None else (found, versions[found.index])

    def ready(self, keys: Iterable[Key]) -> list[Ready]:
        """Give the cases among some that are decided, as things stand."""
        found = ((key, self.due(key)) for key in keys)
        return [Ready(key, due[0].late, due[1].values) for key, due in found if due is not None]

    def known(self, row: Mapping[str, Any]) -> bool:
        """Tell whether an outcome row belongs to a case that is known."""
        by = self._brief.outcome.by or self.case_key
        key = case_key(row, by)
        return key is not None and (key in self.cases or bool(self.row(key)))

    def decided(self, key: Key, case: Decided, *, new: bool = False) -> None:
        """Take note of a decision: its outcome may have come before it, and silence may mean something.

        Parameters
        ----------
        new
            Nobody ever decided it before.
        """
        if new:
            self.cases.add_new(key, case)
        else:
            self.cases.add(key, case)
        if self._telling is not None:
            self._tell(key, case)

    def _follow(self, source: str, key: Key, versions: Sequence[RowVersion]) -> None:
        for features in self._features:
            features.put(source, key, versions=versions)
        if source == self.case_source and key not in self.cases:
            self._ask(key, versions)
        if source == self._outcome_source and self._telling is not None:
            self._tell_cases(versions)

    def _ask(self, key: Key, versions: Sequence[RowVersion]) -> None:
        found = self._asked(versions)
        if found is None:
            self.waiting.drop(key)
        else:
            self.waiting.put(key, found.due_at)

    def _asked(self, versions: Sequence[RowVersion]) -> Due | None:
        """Give when a case is decided; None for one that never is, or was before the service opened."""
        found = due_at(versions, self._decide_at)
        return None if found is None or found.due_at < self._opened_at else found

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
        outcomes, said = self._arriving[self._outcome_source], telling.said.get(case.id, ())
        if telling.rows is None:
            rows = [outcomes.row(key)]
        else:
            rows = [outcomes.row(each) for each in telling.rows.find(key)]
        if not (said or any(rows) or telling.truths.silence_tells):
            return
        truths = telling.truths.of(case, versions_of_case(rows, key, by=telling.by), said=said)
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
        self._taken: dict[str, list[TakenRows | NewRow]] = defaultdict(list)
        self._sent: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._ready: list[Ready] = []

    def new_cases(self, source: str, rows: Sequence[Mapping[str, Any]]) -> list[Key] | None:
        """Land cases without more ado where nobody knew them and nothing is wrong with them; give their keys.

        Returns
        -------
        list or None
            None where one of them is another: then nothing has landed, and all of them have to be looked at.
        """
        found = self._landings.new(rows, self.now)
        if found is None:
            return None
        self._ready += self._landings.keep(found, self.now)
        self._taken[source] += found
        return [row.key for row in found]

    def ready(self) -> list[Ready]:
        """Take out the cases that came to be due with what landed, and don't wait."""
        ready, self._ready = self._ready, []
        return ready

    def put(self, command: PutRows) -> list[RowAnswer]:
        """Land the rows of a command; an error of the whole command leaves nothing behind."""
        if command.source == self._landings.case_source:
            self._let_wait()
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
        self._let_wait()
        taken = self._landings.take(source, rows, now=self.now)
        self._keep(source, taken, rows)
        return taken.rows

    def rows(self) -> tuple[RowsIn, ...]:
        """Give what is to be written down; nothing where only what was known came."""
        made = (rows_in(source, some, sent=self._sent.get(source)) for source, some in self._taken.items())
        return tuple(rows for rows in made if rows is not None)

    def _let_wait(self) -> None:
        """Let the cases that are ready wait like others: what lands next may change them, and their order."""
        for case in self.ready():
            self._landings.waiting.put(case.key, self.now)

    def _keep(self, source: str, taken: TakenRows, sent: Sequence[Mapping[str, Any]]) -> None:
        """Note what was taken; where a mend or a contract stands before, also as it was sent."""
        self._taken[source].append(taken)
        table = self._landings.sources[source]
        if table.mend is not None or table.contract is not None:
            self._sent[source].extend(sent)


def _unknown_source(source: str, sources: Iterable[str]) -> UserError:
    return UserError(
        "brief.unknown-source",
        "There is no such source",
        happened=f"was {source!r}",
        expected=f"one of {', '.join(sources)}",
        fix="name a source of the brief",
    )
