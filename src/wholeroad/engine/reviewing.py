"""Reviews of labels: what is asked of people, what they said, and what is believed since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Ledger, Tables
from wholeroad.core.view import Codes
from wholeroad.road.data.cases import key_hash
from wholeroad.road.data.content import logical_hash
from wholeroad.road.data.history import History
from wholeroad.road.data.verdicts import CASE, VERDICT, VERDICTS, verdict_versions
from wholeroad.road.data.versions import KNOWN, Versions
from wholeroad.road.review.agreement import Agreement, cohen_kappa, krippendorff_alpha
from wholeroad.road.review.consensus import Consensus, confusion_intervals, dawid_skene
from wholeroad.road.review.estimates import Audit, audit
from wholeroad.road.review.facts import ReviewAsked, VerdictsRead
from wholeroad.road.review.rules import LOG, contested, newest_of_each, standing
from wholeroad.road.review.sheets import ITEMS, Wanted, draw_items, read_sheet, sheet
from wholeroad.road.review.votes import Votes
from wholeroad.road.review.work import Examined, Foretold

SAID: Final = "verdicts"
ASKED: Final = "review_items"
WRITER: Final = "reviews"


def foretold(history: History, decisions: pl.DataFrame) -> Foretold:
    """Give what models in charge foretold of cases when these were decided.

    Parameters
    ----------
    decisions
        A table of decisions, of a policy that was rehearsed or of the project's own; by key, so that it may
        be of another history of the same cases.
    """
    classes = list(history.brief.prediction)
    ours = {"decided_at", "decided_by", "model", "action", "expected_value", "propensity", "span", *classes}
    keys = [f"case.{name}" if name in ours else name for name in history.cases.key]
    ids = decisions.select(key_hash(keys)).to_series().to_numpy()
    order = np.argsort(history.cases.ids)
    sorted_ids = history.cases.ids[order]
    places = np.minimum(np.searchsorted(sorted_ids, ids), max(sorted_ids.size - 1, 0))
    there = sorted_ids[places] == ids if sorted_ids.size else np.zeros(ids.size, dtype=bool)
    codes = {name: code for code, name in enumerate(history.brief.actions)}
    action: Codes = (
        decisions["action"]
        .cast(pl.String)
        .replace_strict(codes, default=-1, return_dtype=pl.Int16)
        .to_numpy()
    )
    there &= action >= 0
    probabilities = decisions.select(pl.col(classes).cast(pl.Float64).fill_null(float("nan"))).to_numpy()
    positions = order[places[there]]
    by_time = np.argsort(positions, kind="stable")
    return Foretold(positions[by_time], probabilities[there][by_time], action[there][by_time])


@dataclass(frozen=True, slots=True)
class People:
    """How people agree, and how each of them errs as far as that can be told.

    Attributes
    ----------
    names, classes
        In the order of the matrices.
    alpha
        Krippendorff's, of all together; None where nobody judged what somebody else did.
    pairs
        Cohen's kappa of each two who have items in common.
    consensus, low, high
        Dawid and Skene's, with the ends of the intervals of the confusion matrices; None without verdicts.
    contested
        Keys of cases on which people disagree evenly.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    alpha: Agreement | None
    pairs: dict[tuple[str, str], Agreement]
    consensus: Consensus | None
    low: np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None
    high: np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None
    contested: tuple[str, ...]


class Reviews:
    """The reviews of a project: the single writer of their two tables.

    Parameters
    ----------
    tables, ledger
        The project's.
    """

    def __init__(self, tables: Tables, ledger: Ledger) -> None:
        self._tables = tables
        self._ledger = ledger

    def ask(self, examined: Examined, wanted: Wanted, *, policy: str, now: Instant) -> pl.DataFrame:
        """Draw a sheet, record its items, and give the sheet as people see it.

        Raises
        ------
        UserError
            ``review.unknown-feature``.
        """
        review = 1 + int(self.items()["review"].max() or 0)  # type: ignore[arg-type]
        items = draw_items(examined, wanted, review=review)
        shown = sheet(examined, items, wanted=wanted)
        record = items.select(list(ITEMS)).cast(ITEMS)
        self._append(ASKED, record)
        kinds = record["kind"]
        fact = ReviewAsked(
            at=max(now, self._last_at()),
            review=review,
            policy=policy,
            cases=examined.positions.size,
            suspects=examined.suspects.positions.size,
            shown=int((kinds == "suspect").sum()),
            drawn=int((kinds == "drawn").sum()),
            digest=logical_hash(record, without=()),
        )
        self._ledger.append([fact])
        return shown

    def read(
        self, rows: pl.DataFrame, *, classes: tuple[str, ...], now: Instant, by: str = ""
    ) -> VerdictsRead:
        """Take the verdicts of a sheet that came back; those that are there already are counted.

        A verdict is known from when it was read, or from when it claims to have been given if that is later.
        Another verdict of the same person on the same case takes the place of the former from then on.

        Raises
        ------
        UserError, FaultsError
            ``review.not-asked``; what :func:`~wholeroad.road.review.sheets.read_sheet` raises, every row at
            once: then none is taken.
        """
        items = self.items()
        if not items.height:
            raise not_asked()
        judged, empty = read_sheet(rows, items, classes=classes, by=by)
        at = max(now, self._last_at())
        known = pl.max_horizontal(pl.col("judged_at").fill_null(at), pl.lit(at, dtype=pl.Int64))
        given = judged.with_columns(known.cast(pl.Datetime("us", "UTC")).alias(KNOWN)).select(list(LOG))
        before = newest_of_each(self.log()).select("key", "by", "item", VERDICT, "note")
        new = given.join(before, on=before.columns, how="anti", nulls_equal=True, maintain_order="left")
        if new.height:
            self._append(SAID, new.cast(LOG))
        fact = VerdictsRead(
            at=at,
            rows_in=rows.height,
            count=new.height,
            repeated=given.height - new.height,
            empty=empty,
            cases=new["key"].n_unique(),
            people=new["by"].n_unique(),
            digest=logical_hash(new, without=()),
        )
        self._ledger.append([fact])
        return fact

    def items(self) -> pl.DataFrame:
        """Give the items of all sheets."""
        return self._tables.read(ASKED) if self._tables.exists(ASKED) else pl.DataFrame(schema=ITEMS)

    def log(self) -> pl.DataFrame:
        """Give every verdict, in order of arrival."""
        return said(self._tables)

    def audits(self) -> list[Audit]:
        """Say of each sheet how many flags were confirmed, and how many errors were missed."""
        items, log = self.items(), self.log()
        asked = [fact for _, fact in self._ledger.read() if isinstance(fact, ReviewAsked)]
        return [audit(items.filter(pl.col("review") == fact.review), log, cases=fact.cases) for fact in asked]

    def people(self, classes: tuple[str, ...], *, seed: int) -> People:
        """Say how people agree, and how each of them errs, by the newest verdict of each on each case."""
        log = self.log()
        newest = newest_of_each(log).with_columns(pl.col("key").alias("item"))
        votes, _, names = Votes.of_frame(newest, classes)
        matrix = votes.matrix()
        alpha = krippendorff_alpha(matrix, classes=len(classes), seed=seed) if votes.items else None
        pairs = {}
        for one in range(votes.people):
            for two in range(one + 1, votes.people):
                found = cohen_kappa(matrix[:, one], matrix[:, two], classes=len(classes), seed=seed)
                if found.coefficient.n:
                    pairs[names[one], names[two]] = found
        consensus = dawid_skene(votes) if votes.items else None
        low, high = (None, None) if consensus is None else confusion_intervals(votes, consensus, seed=seed)
        told = alpha if alpha is not None and alpha.coefficient.n else None
        return People(tuple(names), classes, told, pairs, consensus, low, high, tuple(contested(log)))

    def _append(self, table: str, frame: pl.DataFrame) -> None:
        version = (self._tables.version(table, WRITER) or 0) + 1
        self._tables.append(table, frame, writer=WRITER, version=version)

    def _last_at(self) -> Instant:
        """Give the newest instant of a review: what is known from then on never goes back."""
        ours: list[Fact] = [
            fact for _, fact in self._ledger.read() if isinstance(fact, ReviewAsked | VerdictsRead)
        ]
        return max((fact.at for fact in ours), default=0)


def said(tables: Tables) -> pl.DataFrame:
    """Give every verdict in a project's tables, in order of arrival; none before there are any."""
    return tables.read(SAID) if tables.exists(SAID) else pl.DataFrame(schema=LOG)


def built_in(tables: Tables) -> dict[str, Versions]:
    """Give what is believed of cases, as the built-in source of a history; nothing without verdicts."""
    log = said(tables)
    return {VERDICTS: verdict_versions(standing(log))} if log.height else {}


def verdicts_digest(tables: Tables) -> dict[str, str]:
    """Digest what is believed of cases, for the manifest of a rehearsal; nothing without verdicts."""
    found = built_in(tables)
    if not found:
        return {}
    believed = found[VERDICTS].frame.with_columns(pl.col(CASE).reinterpret(signed=True))
    return {"verdicts": logical_hash(believed, without=())}


def not_asked() -> UserError:
    """Say that there is no review whose verdicts could be read: ``review.not-asked``."""
    return UserError(
        "review.not-asked",
        "Nothing was asked yet",
        happened="the project has no review, and verdicts are read by the items of one",
        expected="a file that was written by wholeroad data labels",
        fix="run wholeroad data labels, fill in its file, and read that",
    )
