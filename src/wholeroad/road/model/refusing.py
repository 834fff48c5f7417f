"""Refusing: when a cut holds too little for an honest fit, and what is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wholeroad.core.errors import UserError
from wholeroad.core.instants import DAY, Span, format_span
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.fitting import Trial
from wholeroad.road.model.slices import LEAST_ROWS, Slices


@dataclass(frozen=True)
class FitRefused:
    """A fit that wasn't made, and why: no error, since time may mend it.

    Attributes
    ----------
    code
        ``model.too-few-outcomes``, ``model.too-short-history``, ``model.no-values``, or, where acting
        changes outcomes, ``model.too-few-left-alone``.
    rows, outcomes
        Of the cut: cases, and cases by class.
    """

    code: str
    headline: str
    happened: str
    expected: str
    fix: str
    rows: int
    outcomes: dict[str, int]

    def error(self) -> UserError:
        """Give the refusal as an error, for a caller who can't go on without a fit."""
        return UserError(
            self.code, self.headline, happened=self.happened, expected=self.expected, fix=self.fix
        )


def too_few_outcomes(cut: Cut, least_outcomes: int) -> FitRefused | None:
    """Refuse when the outcomes outside the most frequent class are too few to learn from."""
    outcomes = cut.outcomes()
    fewer = cut.rows - cut.most_frequent
    most = "most frequent class" if cut.levels is None else "most frequent number"
    if cut.rows and fewer >= least_outcomes:
        return None
    counts = ", ".join(f"{name} {count:,}" for name, count in outcomes.items()) or "numbers"
    return FitRefused(
        code="model.too-few-outcomes",
        headline="too few outcomes to fit a model",
        happened=(
            f"{cut.rows:,} matured outcomes were known ({counts}), {fewer:,} of them outside the {most}"
        ),
        expected=f"at least {least_outcomes:,} outside the {most} (least_outcomes in [model])",
        fix="start later ([policy.refit] first), land more history, or keep the status quo until then",
        rows=cut.rows,
        outcomes=outcomes,
    )


def too_short_history(cut: Cut, slices: Slices, *, matures: Span) -> FitRefused | None:
    """Refuse when a slice is left with too few rows after the embargo."""
    if slices.smallest >= LEAST_ROWS:
        return None
    counts = ", ".join(f"{name} {part.stop - part.start:,}" for name, part in slices.ranges())
    spanned = int(cut.decided_at[-1] - cut.decided_at[0]) / DAY
    return FitRefused(
        code="model.too-short-history",
        headline="too short a history to fit, stop and choose on separate slices of it",
        happened=(
            f"{cut.rows:,} matured cases over {spanned:.1f} days were cut into: {counts}; "
            f"{sum(slices.embargoed):,} were left out between slices, which lie {format_span(matures)} apart"
        ),
        expected=f"{LEAST_ROWS} or more in each slice, over well more than twice {format_span(matures)}",
        fix="start later ([policy.refit] first), or land more history; is [outcome] matures too careful?",
        rows=cut.rows,
        outcomes=cut.outcomes(),
    )


def too_few_left_alone(trial: Trial, least_outcomes: int) -> FitRefused | None:
    """Refuse when too few cases were left alone to learn what happens to them then."""
    cut = trial.cut
    acted = cut.acted
    if acted is None:
        return None
    alone = acted.untreated
    truth = cut.truth[alone]
    fewer = truth.size - (int(np.bincount(truth).max()) if truth.size else 0)
    learnt = min(int(alone[part].sum()) for part in (trial.slices.train, trial.slices.stop))
    if fewer >= least_outcomes and learnt >= LEAST_ROWS:
        return None
    named = 0 <= acted.no_action < len(cut.actions)
    known = int((acted.action >= 0).sum())
    what = f"{cut.actions[acted.no_action]} on {truth.size:,} of them" if named else "no action leaves alone"
    return FitRefused(
        code="model.too-few-left-alone",
        headline="too few cases were left alone to learn what happens then",
        happened=f"what was done is known of {cut.rows:,} matured cases for {known:,}: {what}, {fewer:,} of"
        " these outside the most frequent outcome",
        expected=f"at least {least_outcomes:,} outside it (least_outcomes in [model]), all over the history",
        fix="say in [incumbent] action what was done to each case, name the action that leaves alone in"
        " [policy] no_action, and leave a random share alone from now on",
        rows=cut.rows,
        outcomes=cut.outcomes(),
    )


def no_values(trial: Trial) -> FitRefused | None:
    """Refuse when money can't be compared on the choose slice."""
    choose = trial.slices.choose
    if len(trial.priced) >= LEAST_ROWS:
        return None
    return FitRefused(
        code="model.no-values",
        headline="too few cases with known values to choose a model by money",
        happened=f"{len(trial.priced):,} of {choose.stop - choose.start:,} newest cases have a known value",
        expected=f"at least {LEAST_ROWS} with a value for every action",
        fix="look at the expressions in [value]: a null in one of their columns makes the value unknown",
        rows=trial.cut.rows,
        outcomes=trial.cut.outcomes(),
    )
