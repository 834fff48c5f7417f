"""What to do about data next: what columns, rows, fresher rows and cleaner labels are worth a month."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, Protocol

import numpy as np

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import DAY, format_span
from wholeroad.core.ports import AnyLearner, Progress
from wholeroad.engine.learning import cut_of
from wholeroad.engine.rehearsal import Walk
from wholeroad.engine.variants import (
    LUCKY,
    MONTH_DAYS,
    Difference,
    Stores,
    Variant,
    Walked,
    difference,
    luck_of_fits,
    policy_of,
    walk,
    with_chance_column,
    with_wrong_labels,
)
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.feature_rules import OUTCOMES
from wholeroad.road.data.history import History
from wholeroad.road.model.learning_curve import learning_curve
from wholeroad.road.model.power_law import Refused, forecast
from wholeroad.road.watch.intervals import Resampling, resample

Kind = Literal["column", "fresher", "labels", "rows"]

NOISE: Final = 0.05
"""Share of labels that is made wrong to see what a wrong label costs."""

_FEW_FITS: Final = 3
_TWICE: Final = 2.0
_SHOWN: Final = 60_000_000
"""Delays of less than a minute are no delays."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that could be done about data.

    Attributes
    ----------
    kind
        ``column``: having a group of features, measured by leaving it out. ``fresher``: its rows known
        as soon as they happen, the most that freshness could bring. ``labels``: as many labels right as
        were made wrong. ``rows``: twice the cases.
    what
        What would be done, in words.
    per_month
        Money a month with its interval; None where nothing can be said, and ``why`` says why.
    costs_per_month
        What the brief says that it costs; None where it doesn't.
    why
        How it was measured, or why it couldn't be.
    """

    kind: Kind
    name: str
    what: str
    per_month: Estimate | None
    why: str
    costs_per_month: float | None = None

    @property
    def verdict(self) -> str:
        """Say what follows, at the cost that the brief states, or at none."""
        if self.per_month is None:
            return "can't be told"
        if self.per_month.low == self.per_month.high == 0:
            return "changes no decision"
        cost = self.costs_per_month or 0.0
        if self.per_month.low > cost:
            return "keep it" if self.kind == "column" else "worth it"
        if self.per_month.high <= cost:
            return "you don't need this"
        return "can't be told from nothing" if cost == 0 else "can't be told from its cost"


@dataclass(frozen=True, slots=True)
class NextData:
    """The table, the greatest worth first.

    Attributes
    ----------
    policy
        That was rehearsed.
    gain
        Money a month that it makes over the status quo as the data are.
    perfect
        Money a month that knowing every outcome would add to what the policy makes: the upper bound of what
        can be added. What is had already, columns and right labels, may be worth more than that.
    looks
        The intervals hold for so many rows together; *rows* isn't among them, and its interval stands alone.
    luck
        Money a month, as a standard deviation: how far a column of chance moves what the policy makes. The
        intervals hold it.
    identified
        Whether outcomes don't hang on actions; else the money assumes that they don't.
    """

    unit: str
    policy: str
    span: Walk
    gain: Estimate
    perfect: float
    steps: tuple[Step, ...]
    looks: int
    confidence: float
    identified: bool
    luck: float = 0.0


class Make(Protocol):
    """Puts a variant together."""

    def __call__(
        self,
        name: str,
        *,
        brief: Brief | None = None,
        at_once: Collection[str] = (),
        change: Callable[[History], History] | None = None,
    ) -> Variant:
        """Make it.

        Parameters
        ----------
        brief
            Another than the project's.
        at_once
            Sources whose rows are known as they happen.
        change
            Of the history, once it is put together.
        """


def what_next(
    base: Variant,
    span: Walk,
    *,
    make: Make,
    stores: Stores,
    learners: Mapping[str, AnyLearner],
    features: Sequence[str] = (),
    progress: Progress | None = None,
) -> NextData:
    """Price what could be done about data, by rehearsals with it and without it.

    Parameters
    ----------
    base
        The data as they are.
    features
        Features that are to be looked at one by one, beside the sources as a whole.
    """
    history = base.history
    policy = policy_of(history)
    walked = walk(base, span, policy=policy, stores=stores, progress=progress)
    groups = dict(_groups(history.brief, features))
    fresher = [name for name in _sources_asked(history.brief) if history.delays.get(name, 0) >= _SHOWN]
    noised = history.told.levels is None
    looks = len(groups) + len(fresher) + noised

    def walked_with(variant: Variant) -> Walked:
        return walk(variant, span, policy=policy, stores=stores, progress=progress)

    luck = _luck(walked, make, walked_with) if looks and walked.learnt else 0.0

    def priced(with_it: Walked, without: Walked) -> Difference | str:
        if not (with_it.learnt or without.learnt):
            return _unlearnt(with_it, without)
        return difference(with_it, without, judge=history, looks=looks).widened(luck)

    steps = []
    for name, left_out in groups.items():
        other = walked_with(make(f"without {name}", brief=_without(history.brief, left_out)))
        steps.append(_column(history.brief, name, left_out, found=priced(walked, other)))
    for name in fresher:
        other = walked_with(make(f"{name} at once", at_once={name}))
        steps.append(_fresher(history, name, priced(other, walked)))
    if noised:
        other = walked_with(make("wrong labels", change=partial(with_wrong_labels, share=NOISE)))
        steps.append(_labels(priced(walked, other)))
    steps = [*_on_few_fits(steps, walked), _rows(history, learners, progress)]
    return _table(walked, policy.name, steps=steps, looks=looks, luck=luck)


def _table(walked: Walked, policy: str, *, steps: list[Step], looks: int, luck: float) -> NextData:
    brief = walked.variant.history.brief
    gain, perfect = _bounds(walked, walked.span)
    return NextData(
        unit=brief.unit,
        policy=policy,
        span=walked.span,
        gain=gain,
        perfect=perfect,
        steps=tuple(sorted(steps, key=_by_worth)),
        looks=looks,
        confidence=0.95,
        identified=brief.outcome.depends_on_action == "no",
        luck=luck,
    )


def _luck(walked: Walked, make: Make, walked_with: Callable[[Variant], Walked]) -> float:
    """Tell by how much columns of pure chance move the money a month."""
    moved = []
    for draw in range(LUCKY):
        change = partial(with_chance_column, draw=draw)
        other = walked_with(make(f"a column of chance, {draw + 1} of {LUCKY}", change=change))
        moved.append(difference(other, walked, judge=walked.variant.history))
    return luck_of_fits(moved)


def _on_few_fits(steps: list[Step], walked: Walked) -> list[Step]:
    """Say where few fits were made that their luck may not be in the intervals."""
    fits = sum(walked.span.from_at <= fit.asked_at < walked.span.to_at for fit in walked.fits)
    if not walked.learnt or fits >= _FEW_FITS:
        return steps
    count = "one fit" if fits == 1 else f"{fits} fits"
    said = f"it all rests on {count}, whose luck the interval may miss: rehearse a policy that refits"
    return [dataclasses.replace(step, why=f"{step.why}; {said}") for step in steps]


def _unlearnt(*both: Walked) -> str:
    """Say why no model was ever in charge."""
    refused = [fact for one in both for fact in one.refused]
    if refused:
        return f"no model was ever in charge, so no decision could hang on it: {refused[-1].happened}"
    return "no model was ever in charge, so no decision could hang on it: the status quo won every fit"


def _groups(brief: Brief, features: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name what can be left out: the features of each source beside the case's own, and single ones."""
    by_source: dict[str, list[str]] = {}
    for name in brief.feature:
        by_source.setdefault(_source_of(brief, name), []).append(name)
    for source, names in by_source.items():
        if source != brief.case.source and len(names) < len(brief.feature):
            yield source, tuple(names)
    for name in features:
        yield name, (name,)


def _source_of(brief: Brief, name: str) -> str:
    feature = brief.feature[name]
    source = feature.of or (feature.latest or feature.lookup or "").partition(".")[0]
    return source or brief.case.source


def _sources_asked(brief: Brief) -> list[str]:
    """Name the sources whose delay can matter to a decision or to a fit."""
    asked = {_source_of(brief, name) for name in brief.feature}
    if OUTCOMES in asked:
        asked.add(brief.outcome.source)
    timed = [name for name, source in brief.source.items() if not source.static and name in asked]
    return [name for name in timed if name != brief.case.source or brief.case.source == brief.outcome.source]


def _without(brief: Brief, left_out: Sequence[str]) -> Brief:
    kept = {name: feature for name, feature in brief.feature.items() if name not in left_out}
    return brief.model_copy(update={"feature": kept})


def _column(brief: Brief, name: str, left_out: tuple[str, ...], *, found: Difference | str) -> Step:
    source = brief.source.get(name)
    count = f"{len(left_out)} features" if len(left_out) > 1 else left_out[0]
    return Step(
        "column",
        name,
        f"have {name}" if count == name else f"have {name} ({count})",
        *_told(
            found,
            lambda one: (
                f"rehearsed with it and without: {one.decided_otherwise:,} of {one.cases:,} decisions differ"
            ),
        ),
        costs_per_month=None if source is None else source.costs_per_month,
    )


def _told(found: Difference | str, why: Callable[[Difference], str]) -> tuple[Estimate | None, str]:
    return (None, found) if isinstance(found, str) else (found.per_month, why(found))


def _fresher(history: History, name: str, found: Difference | str) -> Step:
    delay = format_span(_rounded(history.delays[name]))
    return Step(
        "fresher",
        name,
        f"know {name} at once",
        *_told(
            found,
            lambda _: (
                f"half of its rows come later than {delay}; rehearsed as if each were known when it "
                "happened: nothing can be fresher"
            ),
        ),
    )


def _rounded(span: int) -> int:
    for unit in (DAY, 3_600_000_000, 60_000_000):
        if span >= unit:
            return round(span / unit) * unit
    return span


def _labels(found: Difference | str) -> Step:
    return Step(
        "labels",
        "labels",
        f"set {NOISE:.0%} of the labels right, if so many are wrong",
        *_told(
            found,
            lambda _: (
                f"rehearsed with {NOISE:.0%} of the labels made wrong by chance, whatever their class, for "
                "fits to learn from: what they cost is about what mending as many would bring, if so many "
                "are wrong (Cook and Stefanski 1994, by extrapolation the other way)"
            ),
        ),
    )


def _rows(history: History, learners: Mapping[str, AnyLearner], progress: Progress | None) -> Step:
    brief = history.brief
    view = history.as_of(history.until + 1)
    rows = view.matured(brief.outcome.matures)
    what = f"have twice the cases ({2 * rows.size:,})"
    success = brief.success
    curve = learning_curve(
        cut_of(history, rows),
        list(learners.values()),
        ids=history.cases.ids[rows],
        matures=brief.outcome.matures,
        required=success.gain_over_status_quo.per_case if success else 0.0,
        seed=brief.model.seed,
        progress=progress,
    )
    found = forecast(curve.points) if curve.points else None
    if curve.points is None or found is None or isinstance(found, Refused):
        happened = found.happened if isinstance(found, Refused) else curve.happened
        return Step("rows", "rows", what, None, f"the learning curve can't be extrapolated: {happened}")
    here, there = float(curve.points.rows[-1]), _TWICE * float(curve.points.rows[-1])
    more = found.likes.at(there) - found.likes.at(here)
    low, high = np.quantile(more, [0.025, 0.975])
    middle = float(found.law.at(there)[0] - found.law.at(here)[0])
    decided_at = history.timeline.decided_at
    a_month = decided_at.size / max(1.0, (int(decided_at[-1]) - int(decided_at[0])) / DAY) * MONTH_DAYS
    return Step(
        "rows",
        "rows",
        what,
        Estimate(middle * a_month, float(low) * a_month, float(high) * a_month),
        f"read off the learning curve of {curve.learner}, from {curve.points.rows[0]:,} to "
        f"{curve.points.rows[-1]:,} cases; its interval is of this row alone",
    )


def _bounds(walked: Walked, span: Walk) -> tuple[Estimate, float]:
    """Give what the policy makes over the status quo a month, and what knowing every outcome would add."""
    history = walked.variant.history
    truth = history.as_of(history.until + 1).truth()
    rows = np.flatnonzero((walked.action >= 0) & (truth >= 0))
    rows = rows[history.values.take(rows).known(truth[rows])]
    values = history.values.take(rows)
    made = values.money(walked.action[rows], truth=truth[rows])
    gain = made - values.money(history.status_quo[rows], truth=truth[rows])
    days = max(1, -(-(span.to_at - span.from_at) // DAY))
    day = np.clip((history.timeline.decided_at[rows] - span.from_at) // DAY, 0, days - 1)
    daily = np.bincount(day, weights=gain, minlength=days).astype(np.float64)
    total = resample(days, Resampling(), seed=history.brief.model.seed).total(daily, less=walked.costs)
    months = (span.to_at - span.from_at) / DAY / MONTH_DAYS
    perfect = float((values.best(truth[rows]) - made).sum()) + walked.costs
    return Estimate(*(each / months for each in (total.value, total.low, total.high))), perfect / months


def _by_worth(step: Step) -> tuple[bool, float]:
    worth = -np.inf if step.per_month is None else step.per_month.value - (step.costs_per_month or 0.0)
    return (step.per_month is None, -float(worth))
