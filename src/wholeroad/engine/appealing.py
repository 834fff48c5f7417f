"""Appeals on the ledger: opened about decisions that were made, answered by people."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any, Final

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.instants import Instant, to_instant
from wholeroad.core.ports import Ledger, Tables
from wholeroad.engine.reviewing import SAID, WRITER, said
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.content import logical_hash
from wholeroad.road.data.verdicts import VERDICT, ids_of, key_texts
from wholeroad.road.data.versions import KNOWN
from wholeroad.road.review.appeals import (
    Appeal,
    AppealsOfGroup,
    answering,
    appeals_by_group,
    appeals_of,
    opening,
)
from wholeroad.road.review.facts import AppealAnswered, Appealed, ReviewAsked, VerdictsRead
from wholeroad.road.review.rules import LOG

_NEAR: Final = 2_000


class Appeals:
    """The appeals of a project.

    Parameters
    ----------
    brief
        Says who answers and how soon.
    tables, ledger
        The project's.
    decisions
        Gives everything decided: its first columns are the case's key.
    """

    def __init__(
        self, brief: Brief, *, tables: Tables, ledger: Ledger, decisions: Callable[[], pl.DataFrame]
    ) -> None:
        self._brief = brief
        self._tables = tables
        self._ledger = ledger
        self._decisions = decisions

    def all(self) -> tuple[Appeal, ...]:
        """Give every appeal, in order of their numbers."""
        return appeals_of(fact for _, fact in self._ledger.read())

    def open(self, key: Sequence[str], *, because: str, by: str = "", now: Instant) -> Appeal:
        """Contest a decision; the same appeal again, while it waits for its answer, is the one that is there.

        Raises
        ------
        UserError
            ``explain.key-length``, ``appeal.no-decision``, ``appeal.no-reason``, ``appeal.open-already``;
            ``live.never-ran`` before anything was decided.
        """
        row = self._decision(key)
        appeals, at = self.all(), max(now, self._last_at())
        fairness = self._brief.fairness
        within = fairness.answered_within if fairness else None
        wanted = Appealed(
            at=at,
            number=0,
            key=key_text(key),
            action=row["action"],
            decided_at=to_instant(row["decided_at"]),
            decided_by=row["decided_by"],
            model=row["model"],
            reason=because,
            by=by,
            due_at=None if within is None else at + within,
        )
        fact = opening(appeals, wanted)
        if fact is None:
            return next(one for one in appeals if one.answer is None and one.opened.key == wanted.key)
        self._ledger.append([fact])
        return Appeal(fact)

    def answer(
        self,
        number: int,
        *,
        upheld: bool,
        because: str,
        by: str,
        now: Instant,
        action: str = "",
        label: str = "",
    ) -> Appeal:
        """Write down a person's answer; the same answer again changes nothing.

        The decision on the record stays. A label is a verdict on the case, like one from a review sheet: it
        stands over the outcome's rows from now on, and the next fit and the next settlement follow it.

        Raises
        ------
        UserError
            ``appeal.unknown``, ``appeal.answered``, ``appeal.no-reason``, ``appeal.no-person``,
            ``appeal.own-answer``, ``appeal.action``, ``appeal.label``.
        """
        appeals = self.all()
        wanted = AppealAnswered(
            at=max(now, self._last_at()),
            number=number,
            upheld=upheld,
            reason=because,
            by=by,
            action=action,
            label=label,
        )
        brief = self._brief
        fact = answering(appeals, wanted, actions=brief.actions, classes=brief.outcome.classes)
        mine = next(one for one in appeals if one.number == number)
        if fact is None:
            return mine
        verdict = [self._verdict(mine.opened, fact)] if fact.label else []
        self._ledger.append([*verdict, fact])
        return Appeal(mine.opened, fact)

    def by_group(
        self, groups: Sequence[Grouping], ids: pl.Series, *, now: Instant
    ) -> tuple[AppealsOfGroup, ...]:
        """Count the appeals by group.

        Parameters
        ----------
        groups
            Of the decided cases.
        ids
            Hashes of the same cases' keys, UInt64.
        """
        appeals = self.all()
        asked = ids_of(pl.Series("key", [one.opened.key for one in appeals], dtype=pl.String))
        places = pl.DataFrame({"id": ids}).with_row_index("place").unique("id", keep="first")
        found = pl.DataFrame({"id": asked}).join(places, on="id", how="left", maintain_order="left")
        positions = found["place"].cast(pl.Int64).fill_null(-1).to_numpy()
        return tuple(
            line for group in groups for line in appeals_by_group(appeals, group, places=positions, now=now)
        )

    def _decision(self, key: Sequence[str]) -> dict[str, Any]:
        columns = self._brief.source[self._brief.case.source].key
        if len(key) != len(columns):
            raise UserError(
                "explain.key-length",
                "A case is named by its whole key",
                happened=f"{len(key)} values were given",
                expected=f"{len(columns)}: {', '.join(columns)}",
                fix="give one value for each, in this order",
            )
        decisions = self._decisions()
        texts = [pl.col(name).cast(pl.String) for name in decisions.columns[: len(key)]]
        mine = decisions.filter(
            pl.all_horizontal(text == part for text, part in zip(texts, key, strict=True))
        )
        if mine.height:
            return mine.row(0, named=True)
        last = decisions.tail(_NEAR).select(pl.concat_str(texts, separator=" ")).to_series().to_list()
        near = difflib.get_close_matches(" ".join(key), last, n=3, cutoff=0)
        raise UserError(
            "appeal.no-decision",
            "No decision was made about this case",
            happened=f"the record has none about {' '.join(key)!r}",
            expected="a case that was decided here; what isn't decided can't be contested yet",
            fix=f"write the key as the table of decisions does: {'; '.join(near)}",
        )

    def _verdict(self, opened: Appealed, answer: AppealAnswered) -> VerdictsRead:
        """Put the label that was found into the table of verdicts, once, and give the fact to go with it."""
        item = f"appeal-{opened.number}"
        rows = pl.DataFrame(
            {
                "item": [item],
                "key": [opened.key],
                "by": [answer.by],
                VERDICT: [answer.label],
                "note": [answer.reason],
                KNOWN: pl.Series([answer.at], dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
            }
        ).cast(LOG)
        # A run that was cut short between table and ledger has left its row: the same answer adds no other.
        again = ["item", "key", "by", VERDICT, "note"]
        there = said(self._tables).join(rows, on=again, how="semi")
        if there.height:
            rows = there
        else:
            version = (self._tables.version(SAID, WRITER) or 0) + 1
            self._tables.append(SAID, rows, writer=WRITER, version=version)
        return VerdictsRead(
            at=answer.at,
            rows_in=1,
            count=1,
            repeated=0,
            empty=0,
            cases=1,
            people=1,
            digest=logical_hash(rows, without=()),
        )

    def _last_at(self) -> Instant:
        """Give the newest instant of an appeal or a review: it never goes back."""
        kinds = Appealed | AppealAnswered | ReviewAsked | VerdictsRead
        return max((fact.at for _, fact in self._ledger.read() if isinstance(fact, kinds)), default=0)


def key_text(key: Sequence[str]) -> str:
    """Write the key of a case as appeals and verdicts do."""
    frame = pl.DataFrame({f"{place}": [part] for place, part in enumerate(key)})
    text: str = key_texts(frame, frame.columns)[0]
    return text
