"""A project's labels: suspected, looked at by people, agreed on, and corrected on the record."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from wholeroad.adapters.review_files import read_review, write_review
from wholeroad.core.errors import UserError
from wholeroad.core.ports import Progress
from wholeroad.engine.book import TABLE
from wholeroad.engine.rehearsal import Rehearsal, walk_through
from wholeroad.engine.reviewing import People, Reviews, foretold
from wholeroad.engine.variants import Difference, difference, policy_of, walk
from wholeroad.road.brief.digests import digests
from wholeroad.road.data.history import History
from wholeroad.road.review.corrections import corrected, relabelled
from wholeroad.road.review.estimates import Audit
from wholeroad.road.review.facts import VerdictsRead
from wholeroad.road.review.rules import standing
from wholeroad.road.review.sheets import Wanted
from wholeroad.road.review.work import Examined, examine
from wholeroad.yard import Yard, thrown_away


class Labels:
    """What can be asked of a project's labels, and done about them.

    Parameters
    ----------
    yard
        What the project lends.
    """

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._reviews = Reviews(yard.tables, yard.ledger)

    def suspects(self, progress: Progress | None = None) -> Examined:
        """Judge the labels by what models foretold of the cases before these were known.

        The policy of the brief is rehearsed: of each case the model speaks that was in charge when it was
        decided. None is changed or left out.

        Raises
        ------
        UserError
            ``review.no-classes``, ``review.nothing-to-judge``, ``rehearse.too-short``.
        """
        return self._examined(self._yard.store.history(), progress)

    def ask(self, path: Path, wanted: Wanted | None = None, *, progress: Progress | None = None) -> Examined:
        """Write a sheet for people to fill in, suspects and cases drawn by chance, and record its items.

        Raises
        ------
        UserError
            ``review.file-there``, ``review.unknown-feature``, and those of :meth:`suspects`.
        """
        if path.exists():
            write_review(path, pl.DataFrame())
        with self._yard.lock("a review"):
            examined = self.suspects(progress)
            policy = policy_of(examined.history).name
            now = self._yard.operation.now()
            sheet = self._reviews.ask(examined, wanted or Wanted(), policy=policy, now=now)
            write_review(path, sheet)
        return examined

    def read(self, path: Path, *, by: str = "") -> VerdictsRead:
        """Take the verdicts of a sheet that came back: from now on they stand over the outcome's rows.

        Raises
        ------
        UserError, FaultsError
            ``data.file-missing``, ``review.not-asked``; every bad row at once: then none is taken.
        """
        rows, classes = read_review(path), self._yard.brief.outcome.classes
        with self._yard.lock("reading verdicts"):
            return self._reviews.read(rows, classes=classes, now=self._yard.operation.now(), by=by)

    def people(self) -> People:
        """Say how people agree, and how each of them errs as far as that can be told."""
        return self._reviews.people(self._yard.brief.outcome.classes, seed=self._yard.brief.model.seed)

    def audits(self) -> list[Audit]:
        """Say of each sheet how many flags were confirmed, and how many errors were missed."""
        return self._reviews.audits()

    def worth(
        self, most: int, *, confirmed: float | None = None, progress: Progress | None = None
    ) -> Difference:
        """Rehearse with the labels of the first suspects corrected and without, judged by the corrected ones.

        Parameters
        ----------
        most
            How many suspects, the costliest first.
        confirmed
            The share that is assumed to be wrong of those that nobody has looked at, 0 to 1; without it they
            stay as they are.

        Raises
        ------
        UserError
            ``review.nothing-to-correct``, and those of :meth:`suspects`.
        """
        yard = self._yard
        base = yard.variant("labels as they are")
        examined = self._examined(_before_verdicts(yard), progress)
        verdicts = standing(self._reviews.log())
        labels = corrected(
            examined.frame(),
            most=most,
            verdicts=verdicts if verdicts.height else None,
            confirmed=confirmed,
            seed=yard.brief.model.seed,
        )
        if not labels.height:
            raise UserError(
                "review.nothing-to-correct",
                "No label would change",
                happened=f"nobody found one of the first {most:,} suspects wrong, and no share is assumed",
                expected="verdicts, or an assumed share",
                fix="write a sheet with wholeroad data labels, or name a share, as in --assume 0.5",
            )
        span = walk_through(base.history, from_at=None, to_at=None)
        policy = policy_of(base.history)
        right = yard.variant(
            "labels corrected", change=lambda history: relabelled(history, labels, at_once=True)
        )
        one, other = (
            walk(each, span, policy=policy, stores=thrown_away, progress=progress) for each in (right, base)
        )
        return difference(one, other, judge=right.history)

    def _examined(self, history: History, progress: Progress | None) -> Examined:
        tables, ledger = thrown_away()
        policy = policy_of(history)
        rehearsed = Rehearsal(
            history,
            self._yard.workshop(history),
            policy=policy,
            span=walk_through(history, from_at=None, to_at=None),
            tables=tables,
            ledger=ledger,
            progress=progress,
        )
        rehearsed.run("labels", digests(history.brief).brief)
        return examine(history, foretold(history, tables.read(TABLE)), money_of="any")


def _before_verdicts(yard: Yard) -> History:
    """Give the history in which nobody has looked at any label: which of them were suspected."""
    return yard.store.history(reviewed=False)
