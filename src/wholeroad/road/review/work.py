"""Judging the labels of decided cases: the slow part of a review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.view import Codes
from wholeroad.road.data.history import History
from wholeroad.road.data.verdicts import CASE, key_texts
from wholeroad.road.review.suspects import Noise, Prune, Suspects, estimate_noise, find_suspects


@dataclass(frozen=True, slots=True)
class Foretold:
    """What was foretold of cases by the model in charge when they were decided.

    Attributes
    ----------
    positions
        Shape (n,): of the cases, in the history.
    probabilities
        Shape (n, K); NaN where no model was in charge.
    action
        Shape (n,): the codes of the actions that were taken.
    """

    positions: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    action: Codes


@dataclass(frozen=True)
class Examined:
    """Labels that were judged, and those among them that are suspected.

    Attributes
    ----------
    positions
        Shape (n,): of the judged cases, in the history.
    labels, probabilities, stakes
        Shape (n,), (n, K), (n, K) or (n, K, A): what was told of them, what was foretold, and what actions
        make under each class.
    suspects
        Its positions are places in these.
    left_out
        By reason, how many decided cases were not judged.
    silent
        Judged cases whose label is silence, taken for a class.
    """

    history: History
    positions: NDArray[np.int64]
    labels: Codes
    probabilities: NDArray[np.float64]
    stakes: NDArray[np.float64]
    suspects: Suspects
    noise: Noise
    left_out: Mapping[str, int]
    silent: int

    @property
    def expected(self) -> float:
        """The money that is at stake in all suspects together, if the model is right about each."""
        return float(self.suspects.score.sum())

    def frame(self, suspects: Suspects | None = None) -> pl.DataFrame:
        """Give suspects as rows: ``case, key, decided_at, given, suggested, chance, money, score``, in order.

        Parameters
        ----------
        suspects
            Others than those that were found.
        """
        some = self.suspects if suspects is None else suspects
        rows, cases = self.positions[some.positions], self.history.cases
        names = pl.Series(list(self.history.brief.outcome.classes), dtype=pl.String)
        return pl.DataFrame(
            {
                CASE: cases.ids[rows],
                "key": key_texts(cases.frame[rows], cases.key),
                "decided_at": pl.Series(cases.decided_at[rows]).cast(pl.Datetime("us", "UTC")),
                "given": names.gather(pl.Series(some.given.astype(np.uint32))),
                "suggested": names.gather(pl.Series(some.suggested.astype(np.uint32))),
                "chance": some.chance,
                "money": some.money,
                "score": some.score,
            }
        )


def examine(
    history: History,
    foretold: Foretold,
    *,
    prune: Prune = "noise-rate",
    money_of: Literal["taken", "any"] = "taken",
) -> Examined:
    """Judge the labels of decided cases by what was foretold of them before they were known.

    Cases without a model in charge, without a known outcome, and with a verdict of people are left out.

    Parameters
    ----------
    prune
        See :func:`~wholeroad.road.review.suspects.find_suspects`.
    money_of
        What a mistake costs: under the action that was ``taken``, what was booked wrongly, nothing where this
        action makes the same whatever happens; or under ``any``, the one for which it matters most.

    Raises
    ------
    UserError
        ``review.no-classes`` for an outcome that is a number; ``review.nothing-to-judge``.
    """
    if history.told.levels is not None:
        raise _no_classes()
    truth = history.as_of(history.until + 1).truth()
    rows = foretold.positions
    by_people = np.isin(rows, history.told.reviewed)
    foreseen = np.isfinite(foretold.probabilities).all(axis=1)
    known = truth[rows] >= 0
    kept = foreseen & known & ~by_people
    left_out = {
        "no model was in charge": int((~foreseen).sum()),
        "no outcome is known": int((foreseen & ~known).sum()),
        "people have looked at them": int((foreseen & known & by_people).sum()),
    }
    if not kept.any():
        raise _nothing_to_judge(rows.size, left_out)
    rows, labels = rows[kept], truth[rows[kept]]
    probabilities, action = foretold.probabilities[kept], foretold.action[kept]
    if money_of == "taken":
        stakes = _stakes(history, rows, action)
    else:
        every = range(len(history.brief.actions))
        stakes = np.stack([_stakes(history, rows, np.full_like(action, one)) for one in every], axis=2)
    decided_at = history.timeline.decided_at[rows]
    return Examined(
        history=history,
        positions=rows,
        labels=labels,
        probabilities=probabilities,
        stakes=stakes,
        suspects=find_suspects(probabilities, labels, stakes=stakes, prune=prune),
        noise=estimate_noise(probabilities, labels, decided_at=decided_at, seed=history.brief.model.seed),
        left_out={reason: count for reason, count in left_out.items() if count},
        silent=int(np.isin(rows, _by_silence(history)).sum()),
    )


def _stakes(history: History, rows: NDArray[np.int64], action: Codes) -> NDArray[np.float64]:
    values, kind = history.values.take(rows), history.timeline.truth_code.dtype
    codes = range(len(history.brief.outcome.classes))
    return np.column_stack(
        [values.money(action, truth=np.full(rows.size, code, dtype=kind)) for code in codes]
    )


def _by_silence(history: History) -> NDArray[np.int64]:
    """Give the cases whose truth is silence, in the end."""
    silent = np.zeros(history.timeline.decided_at.size, dtype=bool)
    # Assignment in order: of several versions of one case the last stands.
    silent[history.timeline.truth_case] = history.told.silent
    return np.flatnonzero(silent)


def _no_classes() -> UserError:
    return UserError(
        "review.no-classes",
        "The labels of numbers can't be reviewed",
        happened='[outcome] kind was "regression"',
        expected="an outcome of classes: two people who measured differently don't contradict each other",
        fix="look at the outliers in wholeroad data profile",
    )


def _nothing_to_judge(cases: int, left_out: Mapping[str, int]) -> UserError:
    why = "; ".join(f"{count:,}: {reason}" for reason, count in left_out.items() if count)
    return UserError(
        "review.nothing-to-judge",
        "There is no label to judge",
        happened=f"of {cases:,} decided cases none is left ({why})" if cases else "no case was decided",
        expected="cases that a model decided before their outcome was known",
        fix="rehearse a policy that refits, such as never or every 30d, and review what it decided",
    )
