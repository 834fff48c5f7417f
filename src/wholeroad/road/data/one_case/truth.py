"""The truth of one case: every version of it, as the built-in source ``outcomes`` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from wholeroad.core.expressions import Expression
from wholeroad.core.expressions.single import for_one
from wholeroad.core.instants import LAST, Instant
from wholeroad.core.view import PENDING, UNKNOWN
from wholeroad.road.brief.contract import OutcomeTable
from wholeroad.road.data.cases import DECIDED, ID, Cases
from wholeroad.road.data.casting import INSTANT
from wholeroad.road.data.few_rows import frame_of
from wholeroad.road.data.one_case.decided import Decided
from wholeroad.road.data.one_case.told import Said, Told, Value, stand_over
from wholeroad.road.data.outcomes import tell_outcomes
from wholeroad.road.data.row_versions import RowVersion
from wholeroad.road.data.versions import DELETED, KNOWN, ORDER, SUPERSEDED, Versions

TRUTH: Final = "truth"
_HALF: Final = 1 << 63
_LAST: Final = _HALF - 1
"""The order of silence: after what is taken back at that very instant."""
_CASE: Final = "_case_key"


@dataclass(frozen=True, slots=True)
class Truth:
    """One version of a case's truth.

    Attributes
    ----------
    version
        As a row of ``outcomes``: the kept columns of the case and ``truth``, a class or a number, None when
        it is unknown or pending. Pending versions are ``deleted``. Its ``order`` is the case's id, moved to
        where 64 bits with a sign can hold it: of cases whose truths became known at one instant, the greater
        is newer. Versions of one case have the same, and come in order.
    code
        The class's code; of an outcome that is a number, 0 where it was told. ``UNKNOWN``, ``PENDING``.
    silent
        Nothing was told: silence is taken for ``if_never``.
    """

    version: RowVersion
    code: int
    silent: bool


class Truths:
    """Gives the versions of the truth of one case at a time.

    Parameters
    ----------
    truth
        As the brief's binding gives it.
    outcome
        The brief's table.
    schema
        Of the outcome's source, as landed.
    case_schema
        Of the case's columns that ``truth`` asks for as ``case.<column>``, or more.
    own
        Whether the outcome's source is the case's own.
    """

    def __init__(
        self,
        truth: Expression,
        outcome: OutcomeTable,
        *,
        schema: Mapping[str, pl.DataType],
        case_schema: Mapping[str, pl.DataType],
        own: bool,
    ) -> None:
        columns = {**schema, **{f"case.{name}": dtype for name, dtype in case_schema.items()}}
        self._read = for_one(truth, columns).call
        self._asked = [name for name in truth.columns if name.startswith("case.")]
        self._classes: dict[Value, int] = {name: code for code, name in enumerate(outcome.classes)}
        self._number = outcome.kind == "regression"
        self._own = own
        self._never_after = outcome.never_after if outcome.if_never != "drop" else None
        self._silence = self._coded(outcome.if_never) if self._never_after is not None else (PENDING, None)
        self._bulk = _InBulk(truth, outcome, schema=schema, case_schema=case_schema, own=own)

    @property
    def silence_tells(self) -> bool:
        """Whether a case of which nothing is told has a truth all the same, in time."""
        return self._never_after is not None

    def of(self, case: Decided, versions: Sequence[RowVersion], *, said: Sequence[Said] = ()) -> list[Truth]:
        """Tell the truth of a case as :func:`~wholeroad.road.data.outcomes.tell_outcomes` does.

        Silence is foretold: unless something stands at ``decided_at + never_after``, a version begins there,
        and lies ahead until then. Whoever asks again after another row came gets what stands by then.

        Parameters
        ----------
        versions
            Of all outcome rows that belong to the case, those that lie ahead too; of each row in order.
        said
            Verdicts of people on the case, in order.

        Returns
        -------
        list of Truth
            In order of time; empty where nothing was told and silence means nothing.
        """
        if any(version.deleted for version in versions):
            told = self._bulk.told(case, versions)
        else:
            told = self._told(case, versions)
        if said and not self._number:
            told = stand_over(told, said, decided_at=case.decided_at, classes=self._classes)
        return self._versions(case, told)

    def _told(self, case: Decided, versions: Sequence[RowVersion]) -> list[Told]:
        first_at = case.decided_at + 1
        asked = {name: case.row[name.removeprefix("case.")] for name in self._asked}
        told = []
        for version in versions:
            known_at = max(version.known_at, first_at)
            code, value = self._coded(self._read({**version.values, **asked} if asked else version.values))
            if code == UNKNOWN and (self._own or known_at > version.known_at):
                # There before the decision, or the case's own, and tells no truth: no outcome yet.
                code = PENDING
            told.append(Told(known_at, version.known_at, version.order, code, value))
        if len(told) > 1:
            told.sort(key=_timeline)
        return told if self._never_after is None else self._with_silence(told, case.decided_at)

    def _coded(self, value: Value) -> tuple[int, Value]:
        if self._number:
            # Adding nothing makes the negative zero a zero.
            return (UNKNOWN, None) if value is None else (0, float(value) + 0.0)
        code = self._classes.get(value, UNKNOWN)
        return code, None if code == UNKNOWN else value

    def _with_silence(self, told: list[Told], decided_at: Instant) -> list[Told]:
        at = decided_at + (self._never_after or 0)
        code, value = self._silence
        standing = PENDING
        for place, each in enumerate(told):
            if each.known_at <= at:
                standing = each.code
            elif each.code == PENDING:
                told[place] = each._replace(code=code, value=value, silent=True)
        if standing == PENDING and at <= LAST:
            told.append(Told(at, at, _LAST, code, value, silent=True))
            told.sort(key=_timeline)
        return told

    def _versions(self, case: Decided, told: list[Told]) -> list[Truth]:
        return [
            Truth(
                RowVersion(
                    happened_at=case.decided_at,
                    known_at=each.known_at,
                    order=case.id - _HALF,
                    deleted=each.code == PENDING,
                    values={**case.row, TRUTH: each.value},
                    superseded_at=told[place + 1].known_at if place + 1 < len(told) else None,
                    first_known_at=told[0].known_at,
                ),
                each.code,
                each.silent,
            )
            for place, each in enumerate(told)
        ]


def _timeline(told: Told) -> tuple[Instant, Instant, int]:
    return told[:3]


class _InBulk:
    """The truth of one case by the code for all of them, on a frame with its few rows."""

    def __init__(
        self,
        truth: Expression,
        outcome: OutcomeTable,
        *,
        schema: Mapping[str, pl.DataType],
        case_schema: Mapping[str, pl.DataType],
        own: bool,
    ) -> None:
        asked = [name.removeprefix("case.") for name in truth.columns if name.startswith("case.")]
        self._truth = truth
        self._schema = {name: schema[name] for name in truth.columns if not name.startswith("case.")}
        self._case_schema = {name: case_schema[name] for name in asked}
        self._outcome = outcome.model_copy(update={"by": (_CASE,)})
        self._source = outcome.source
        self._case_source = outcome.source if own else f"not {outcome.source}"

    def told(self, case: Decided, versions: Sequence[RowVersion]) -> list[Told]:
        decided_at = case.decided_at
        outcomes = tell_outcomes(
            Cases(self._case_frame(case), (_CASE,), never=0, source=self._case_source),
            Versions(self._source, (), self._frame(versions)),
            truth=self._truth,
            outcome=self._outcome,
            until=LAST,
        )
        timeline = outcomes.timeline
        places = [(max(each.known_at, decided_at + 1), each.known_at, each.order) for each in versions]
        if timeline.truth_case.size > len(places):
            silent_at = decided_at + (self._outcome.never_after or 0)
            places.append((silent_at, silent_at, _LAST))
        names = self._outcome.classes if outcomes.levels is None else outcomes.levels.tolist()
        return [
            Told(
                *place,
                code=min(code, 0) if outcomes.levels is not None else code,
                value=names[code] if code >= 0 else None,
                silent=silent,
            )
            for place, code, silent in zip(
                sorted(places), timeline.truth_code.tolist(), outcomes.silent.tolist(), strict=True
            )
        ]

    def _case_frame(self, case: Decided) -> pl.DataFrame:
        ours = {_CASE: pl.Int8(), DECIDED: INSTANT, ID: pl.UInt64()}
        row = {**case.row, _CASE: 0, DECIDED: case.decided_at, ID: case.id}
        return frame_of([row], {**self._case_schema, **ours})

    def _frame(self, versions: Sequence[RowVersion]) -> pl.DataFrame:
        ours = {
            _CASE: pl.Int8(),
            KNOWN: INSTANT,
            ORDER: pl.Int64(),
            DELETED: pl.Boolean(),
            SUPERSEDED: INSTANT,
        }
        rows = [
            {
                **each.values,
                _CASE: 0,
                KNOWN: each.known_at,
                ORDER: each.order,
                DELETED: each.deleted,
                SUPERSEDED: each.superseded_at,
            }
            for each in versions
        ]
        return frame_of(rows, {**self._schema, **ours})
