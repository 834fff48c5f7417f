"""From what has landed to a front that goes on: everything it keeps in memory, read in bulk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import polars as pl

from wholeroad.adapters.scratch import SqliteScratch, TemporaryScratchFile
from wholeroad.core.errors import RoadError
from wholeroad.core.instants import LAST, Instant
from wholeroad.engine.agenda import agenda
from wholeroad.engine.book import TABLE
from wholeroad.engine.fold import State, fold
from wholeroad.engine.live import in_force
from wholeroad.engine.reviewing import built_in
from wholeroad.engine.service.deciding import Deciding
from wholeroad.engine.service.decisions import Decisions
from wholeroad.engine.service.front import Front
from wholeroad.engine.service.groups import Standing
from wholeroad.engine.service.landing import Landings, Telling
from wholeroad.engine.service.refusing import refusals, refuse_unvalued
from wholeroad.engine.workshop import read_model
from wholeroad.road.brief.feature_rules import OUTCOMES
from wholeroad.road.brief.quantities import nearest_amounts
from wholeroad.road.brief.values import status_quo_actions
from wholeroad.road.data.arriving import ArrivingRows
from wholeroad.road.data.binding import bind_brief, used_columns
from wholeroad.road.data.cases import DECIDED, ID, Cases, decide_cases, key_hash
from wholeroad.road.data.features.online import OnlineFeatures
from wholeroad.road.data.features.specs import Derived, Feature
from wholeroad.road.data.one_case.decided import DecidedCases, kept_columns
from wholeroad.road.data.one_case.due import asks_at
from wholeroad.road.data.one_case.joining import OutcomeRows
from wholeroad.road.data.one_case.told import Said
from wholeroad.road.data.one_case.truth import Truths
from wholeroad.road.data.outcomes import outcome_versions, tell_outcomes
from wholeroad.road.data.recent import reach, recent_cases, recent_rows
from wholeroad.road.data.verdicts import CASE, VERDICT, VERDICTS, stand_over
from wholeroad.road.data.versioning import to_versions
from wholeroad.road.data.versions import KNOWN, Versions
from wholeroad.road.model.few_values import CaseValues
from wholeroad.road.model.places import Places
from wholeroad.road.model.scoring import Model
from wholeroad.road.release.few import Kernel
from wholeroad.serving.stored import NewRows, arriving_rows

if TYPE_CHECKING:
    from wholeroad.yard import Yard


_MINE: Final = "_mine"
"""Whether a case was decided here."""


def load_front(yard: Yard, new_rows: NewRows | None = None) -> Front:
    """Read what has landed and what was decided, and give the front that goes on from there.

    Parameters
    ----------
    new_rows
        Told of what was read.

    Raises
    ------
    FaultsError, UserError
        What binding the brief to what has landed raises.
    """
    return _Loader(yard, new_rows).front()


def load_early(yard: Yard, new_rows: NewRows | None = None) -> Callable[[], Front | None]:
    """Read what has landed before it is known whether more does.

    Returns
    -------
    Callable
        Gives the front if nothing has changed since; None where something has, or nothing was there.
    """

    def stand() -> int:
        return max((seq for seq, _ in yard.ledger.read()), default=0)

    front, stood = None, stand()
    if stood and fold(fact for _, fact in yard.ledger.read()).decided_until is not None:
        with suppress(RoadError):  # whoever loads in earnest says it
            front = load_front(yard, new_rows)
    return lambda: front if stand() == stood else None


class _Loader:
    def __init__(self, yard: Yard, new_rows: NewRows | None) -> None:
        self.yard = yard
        self.new_rows = new_rows
        self.brief = yard.brief
        self.beside = TemporaryScratchFile(yard.folder.hot.parent)
        self.schemas = {name: yard.store.schema(name) for name in self.brief.source}
        self.bound = bind_brief(self.brief, self.schemas)
        self.used = used_columns(self.brief, self.bound)
        self.case_schema = self.schemas[self.brief.case.source]
        self.key = tuple(self.brief.source[self.brief.case.source].key)
        self.by = tuple(self.brief.outcome.by or self.key)
        self.every = (*self.bound.features, *self.bound.groups)
        self.asked = {each.source for each in self.every if not isinstance(each, Derived)}
        verdicts = built_in(yard.tables).get(VERDICTS)
        self.verdicts = None if verdicts is None else verdicts.frame

    def front(self) -> Front:
        state = fold(fact for _, fact in self.yard.ledger.read())
        if state.opened_at is None or state.decided_until is None:
            message = "the road is opened before a front is loaded"
            raise ValueError(message)
        at = state.decided_until - 1
        online = [self._online(specs) for specs in (self.bound.features, self.bound.groups)]
        versions, arriving = self._rows(online, at=at)
        cases = decide_cases(versions[self.brief.case.source], self.bound.decide_at, until=LAST)
        sealed = self._sealed(state)
        cases = self._apart(cases, sealed)
        decided = _until(cases, at)  # also those of the history, whose outcomes tell something as well
        if OUTCOMES in self.asked:
            outcomes = self._outcomes(versions, decided, at=at)
            for each in online:
                each.load(outcomes, at=at)
            del outcomes
        telling = self._telling(versions)
        versions.clear()  # frames of everything: what follows needs room of its own
        landings = Landings(
            self.brief,
            arriving=arriving,
            features=online if self.bound.groups else online[:1],
            decide_at=asks_at(self.bound.decide_at, self.case_schema),
            cases=DecidedCases.from_frame(decided.frame, self._kept, key=self.key, beside=self.beside),
            telling=telling,
            opened_at=state.opened_at,
        )
        self._wait(landings, cases, from_at=state.opened_at, decided_until=state.decided_until)
        refuse_unvalued(landings, CaseValues(self.brief, self.bound, schema=self.case_schema))
        deciding = self._deciding(landings, online, places=self._places(state, sealed, cases=decided))
        plan = state.in_force(state.decided_until)
        if plan.model is not None:
            deciding.keep({plan.model: self._model(plan.model)}, in_charge=plan.model)
        self.beside.wait()
        types = {name: self.case_schema[name] for name in self.key}
        decisions = Decisions(self.brief, types, beside=self.beside)
        if sealed is not None:
            decisions.extend(sealed)
        return Front(
            self.brief,
            agenda=agenda(self.brief.cycle),
            landings=landings,
            deciding=deciding,
            decisions=decisions,
            standing=Standing(at, state.decided_until, plan, state.fits.pending),
        )

    @property
    def _kept(self) -> tuple[str, ...]:
        return kept_columns(self.bound, self.case_schema, key=self.key)

    def _apart(self, cases: Cases, sealed: pl.DataFrame | None) -> Cases:
        """Say of each case whether it is decided: a changed brief may have put it later, or earlier."""
        mine = pl.lit(value=False)
        if sealed is not None:
            ids = sealed.select(key_hash(sealed.columns[: len(self.key)])).to_series()
            mine = pl.col(ID).is_in(ids.implode())
        frame = cases.frame.with_columns(mine.alias(_MINE))
        return Cases(frame, cases.key, never=cases.never, source=cases.source)

    def _wait(self, landings: Landings, cases: Cases, *, from_at: Instant, decided_until: Instant) -> None:
        """Have the cases wait that nobody decided; one whose time would be over is decided now."""
        due = pl.col(DECIDED).to_physical()
        keys = [pl.col(name).to_physical() for name in self.key]
        waiting = cases.frame.filter((due >= from_at) & ~pl.col(_MINE))
        soonest = pl.max_horizontal(due, pl.lit(decided_until))
        for due_at, *key in waiting.select(soonest, *keys).iter_rows():
            landings.waiting.put(tuple(key), due_at)

    def _deciding(
        self, landings: Landings, online: Sequence[OnlineFeatures], *, places: Places | None
    ) -> Deciding:
        features, groups = online[0], online[1] if self.bound.groups else None
        kernel = Kernel(
            self.brief,
            self.bound,
            features=features.schema,
            policy=in_force(self.brief),
            case_schema=self.case_schema,
            groups=None if groups is None else groups.schema,
        )
        return Deciding(
            self.brief,
            landings=landings,
            features=features,
            groups=groups,
            kernel=kernel,
            places=places,
            read_model=self._model,
        )

    def _rows(
        self, online: Sequence[OnlineFeatures], *, at: Instant
    ) -> tuple[dict[str, Versions], dict[str, ArrivingRows]]:
        """Read one source after the other, and let go of what only features ask for."""
        versions, arriving = dict[str, Versions](), dict[str, ArrivingRows]()
        refuse = refusals(self.brief, self.bound, schemas=self.schemas, features=online)
        told = {self.brief.case.source, self.brief.outcome.source}
        for name in sorted(self.brief.source, key=told.__contains__):  # what stays in memory comes last
            self.beside.wait()  # what waits to go there is in memory meanwhile
            own, schema = self._own(name), self.schemas[name]
            arriving[name], stored = arriving_rows(
                self.yard,
                name,
                columns=own,
                schema=schema,
                refuse=refuse.get(name),
                beside=self.beside,
            )
            if self.new_rows is not None:
                self.new_rows.note(name, stored)
            found = self._versions(name, stored, at=at, whole=name in told)
            del stored
            if found is not None and name in self.asked:
                for each in online:
                    each.load(found, at=at)
            if found is not None and name in told:
                versions[name] = found
        return versions, {name: arriving[name] for name in self.brief.source}

    def _own(self, name: str) -> list[str]:
        columns = self.used[name]
        if name == self.brief.outcome.source == self.brief.case.source:
            columns = {*self.schemas[name]}  # an outcome that is sent alone is completed by its row
        key = self.brief.source[name].key
        return [column for column in self.schemas[name] if column in {*key, *columns}]

    def _versions(self, name: str, stored: pl.DataFrame, *, at: Instant, whole: bool) -> Versions | None:
        """Give the versions of a source's rows: all of them, or those that features can still see."""
        source = self.brief.source[name]
        if not whole:
            if name not in self.asked:
                return None
            back = reach(self.every, name)
            if back is not None and not source.static:
                stored = recent_rows(stored, source.key, since_at=at - back)
        return to_versions(stored, source, name=name)

    def _sealed(self, state: State) -> pl.DataFrame | None:
        if not state.spans or not self.yard.tables.exists(TABLE):
            return None
        return self.yard.tables.read(TABLE).filter(pl.col("span") <= state.spans)

    def _online(self, specs: Sequence[Feature]) -> OnlineFeatures:
        truth = pl.Float64() if self.brief.outcome.kind == "regression" else pl.String()
        return OnlineFeatures(
            specs,
            case_source=self.brief.case.source,
            case_key=self.key,
            schemas={**self.schemas, OUTCOMES: pl.Schema({**self.case_schema, "truth": truth})},
            scratch=SqliteScratch(),
        )

    def _outcomes(self, versions: Mapping[str, Versions], decided: Cases, *, at: Instant) -> Versions:
        brief, telling = self.brief, versions[self.brief.outcome.source]
        if (back := reach(self.every, OUTCOMES)) is not None:
            decided = recent_cases(
                decided, telling, outcome=brief.outcome, verdicts=self.verdicts, since_at=at - back
            )
        # What silence will mean is known ahead, as what is claimed for later is.
        told = tell_outcomes(decided, telling, truth=self.bound.truth, outcome=brief.outcome, until=LAST)
        if self.verdicts is not None and told.levels is None:
            told = stand_over(told, self.verdicts, cases=decided, classes=brief.outcome.classes)
        columns = {*self._kept}
        return outcome_versions(
            decided, told.timeline, classes=brief.outcome.classes, columns=columns, levels=told.levels
        )

    def _telling(self, versions: Mapping[str, Versions]) -> Telling | None:
        brief, bound = self.brief, self.bound
        if OUTCOMES not in self.asked:
            return None
        schema, source = self.schemas[brief.outcome.source], brief.source[brief.outcome.source]
        truths = Truths(
            bound.truth,
            brief.outcome,
            schema=schema,
            case_schema=self.case_schema,
            own=brief.outcome.source == brief.case.source,
        )
        rows = None
        if self.by != tuple(source.key):
            frame = versions[brief.outcome.source].frame
            rows = OutcomeRows.from_frame(frame, by=self.by, key=tuple(source.key), beside=self.beside)
        said: dict[int, list[Said]] = {}
        if self.verdicts is not None:
            frame = self.verdicts.with_columns(pl.col(KNOWN).to_physical()).sort(KNOWN)
            for case, known_at, verdict in frame.select(CASE, KNOWN, VERDICT).iter_rows():
                said.setdefault(case, []).append(Said(known_at, verdict))
        return Telling(truths, self.by, rows, said)

    def _places(self, state: State, sealed: pl.DataFrame | None, *, cases: Cases) -> Places | None:
        capacity = self.brief.worth.capacity
        if capacity is None:
            return None
        places = Places(capacity)
        if sealed is not None and sealed.height and state.decided_until is not None:
            self._note(places, sealed, cases, since_at=state.decided_until - capacity.every)
        return places

    def _note(self, places: Places, sealed: pl.DataFrame, cases: Cases, *, since_at: Instant) -> None:
        """Count what was decided of the period that isn't over."""
        names = list(sealed.columns[: len(self.key)])
        made = sealed.filter(pl.col("decided_at").to_physical() >= since_at)
        made = made.with_columns(key_hash(names).alias(ID))
        shown = made.select(ID, "action", *(["propensity"] if "propensity" in made.columns else []))
        frame = cases.frame.join(shown, on=ID, how="inner", maintain_order="left")
        codes = {name: code for code, name in enumerate(self.brief.actions)}
        action = frame["action"].cast(pl.String).replace_strict(codes, return_dtype=pl.Int16).to_numpy()
        propensity = frame["propensity"].to_numpy() if "propensity" in frame.columns else None
        asked = frame.drop("action")
        if self.bound.formula is None or self.bound.status_quo is None:
            status_quo = status_quo_actions(self.brief, self.bound.status_quo, cases=asked)
        else:
            status_quo = nearest_amounts(self.brief, self.bound.status_quo, cases=asked)
        places.note(
            frame[DECIDED].to_physical().to_numpy(),
            action=action,
            status_quo=status_quo,
            propensity=propensity,
        )

    def _model(self, name: str) -> Model:
        return read_model(name, self.yard.blobs, learners=self.yard.learners())


def _until(cases: Cases, at: Instant) -> Cases:
    """Give the cases that were decided by an instant, or were due before anybody decided here."""
    frame = cases.frame.filter((pl.col(DECIDED).to_physical() <= at) | pl.col(_MINE)).drop(_MINE)
    return Cases(frame, cases.key, never=cases.never, source=cases.source)
