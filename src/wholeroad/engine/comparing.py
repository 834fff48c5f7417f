"""From the runs of several policies to their comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, format_instant
from wholeroad.core.ports import Progress
from wholeroad.core.view import Codes
from wholeroad.engine.assessing import fairness_of_run
from wholeroad.engine.fold import State
from wholeroad.engine.rehearsal import Walk
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.policies import INCUMBENT, parse_policy
from wholeroad.road.data.history import History
from wholeroad.road.model.actions import Due, act
from wholeroad.road.model.capacity import Room
from wholeroad.road.model.card import card
from wholeroad.road.model.facts import FitRefused, ModelFitted
from wholeroad.road.model.fairness.abstaining import left_below
from wholeroad.road.model.fairness.record import fairness_section
from wholeroad.road.model.fairness.results import Fairness
from wholeroad.road.model.untreated import spoken_of
from wholeroad.road.release.randomising import left_alone
from wholeroad.road.watch.frames import money_over_time
from wholeroad.road.watch.off_policy import compare_acting, drawn_together, evidence_of, judged_on
from wholeroad.road.watch.ranges import value_ranges
from wholeroad.road.watch.reliability import calibration, quantile_calibration
from wholeroad.road.watch.results import Comparison
from wholeroad.road.watch.segments import Segments, segments_of
from wholeroad.road.watch.work import ModelValues, PolicyRun, Scored

CARDS: Final = "models"
"""Folder of a rehearsal's model cards."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one policy.

    Attributes
    ----------
    action
        Shape (n,): over the whole history, -1 where nothing was decided.
    fits
        The facts of its fits, in order.
    refused
        The facts of those that could not be made, in order.
    propensity
        Shape (n,), with which each action was chosen; None where the brief leaves nobody alone by chance.
    """

    policy: str
    action: Codes
    fits: tuple[ModelFitted, ...]
    state: State
    refused: tuple[FitRefused, ...] = ()
    propensity: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison with the frames behind it.

    Attributes
    ----------
    refused
        By policy, the fits that could not be made; only policies that asked for fits.
    segments
        By policy that uses models: where its gain comes from. None where money is estimated from
        randomised cases, which are too few to be parted.
    fairness
        By policy that uses models: how its models treated the groups of ``[fairness]``.
    """

    comparison: Comparison
    money_over_time: pl.DataFrame
    calibration: pl.DataFrame
    fits: pl.DataFrame
    refused: Mapping[str, tuple[FitRefused, ...]] = field(default_factory=dict)
    segments: Mapping[str, Segments] = field(default_factory=dict)
    fairness: Mapping[str, Fairness] = field(default_factory=dict)


def compare_runs(
    history: History,
    runs: list[Run],
    *,
    workshop: Workshop,
    span: Walk,
    progress: Progress | None = None,
) -> Compared:
    """Compare policies on the cases of a span, with outcomes as known at the end of the history."""
    decided_at = history.timeline.decided_at
    first, last = np.searchsorted(decided_at, [span.from_at, span.to_at], side="left").tolist()
    scored = _scored(history, span, first, last)
    policies = [_policy_run(history, run, first, last) for run in runs]
    brief = history.brief
    evidence = evidence_of(history, slice(first, last))
    models = _model_values(history, runs, workshop, first=first, last=last, progress=progress)
    if progress:
        progress("comparing: differences and intervals", 0, 0)
    comparison = compare_acting(
        policies,
        scored,
        evidence=evidence,
        models=models,
        unit=brief.unit,
        seed=brief.model.seed,
        success=brief.success.gain_over_status_quo if brief.success else None,
    )
    compared = Compared(
        comparison=comparison,
        money_over_time=money_over_time(*judged_on(policies, scored, evidence=evidence)),
        calibration=_calibration(history, runs, workshop, scored.truth, first),
        fits=_fits(runs),
        refused={run.policy: run.refused for run in runs if run.fits or run.refused},
        segments={} if evidence else _segments(history, policies, scored, first=first),
        fairness=_fairness(history, runs, workshop, first=first, last=last),
    )
    if progress:
        progress("comparing", 1, 1)
    return compared


def _policy_run(history: History, run: Run, first: int, last: int) -> PolicyRun:
    rows, brief = slice(first, last), history.brief
    paid = tuple((fitted.asked_at, fitted.costs) for fitted in run.fits)
    logged = None if history.logged is None else history.logged.take(rows)
    if run.policy == INCUMBENT:  # it did what is on record, by the very draw that is on record
        shared = None if logged is None or logged.by_score else logged.propensity
    else:
        shared = drawn_together(
            None if run.propensity is None else run.propensity[rows],
            logged,
            ids=history.cases.ids[rows],
            rule=left_alone(brief, parse_policy(run.policy)),
            seed=brief.model.seed,
        )
    return PolicyRun(run.policy, run.action[rows], paid, drawn_with=shared)


def _segments(
    history: History, policies: Sequence[PolicyRun], scored: Scored, *, first: int
) -> dict[str, Segments]:
    features = history.features.take(slice(first, first + scored.ids.size))
    fitted = [run for run in policies if run.fits]
    return segments_of(fitted, scored, features=features, seed=history.brief.model.seed)


def _fairness(
    history: History, runs: list[Run], workshop: Workshop, *, first: int, last: int
) -> dict[str, Fairness]:
    if history.brief.fairness is None:
        return {}
    found = {}
    for run in runs:
        stated = _in_charge(history, run, workshop, first, last) if run.fits else None
        if stated is not None:
            found[run.policy] = fairness_of_run(history, run.action, stated=stated, first=first)
    return {policy: each for policy, each in found.items() if each is not None}


def cards(runs: list[Run], workshop: Workshop, *, brief: Brief) -> Iterator[tuple[str, str]]:
    """Give the card of each distinct fit that was assessed: a file name, and Markdown."""
    for asked_at in sorted({fitted.asked_at for run in runs for fitted in run.fits}):
        kept = workshop.kept(asked_at)
        if kept.report is not None:
            model = workshop.model(kept.model) if kept.model else None
            about = brief.brief
            section = fairness_section(kept.report.fairness, brief=brief, stopped=kept.stopped)
            text = card(
                kept.report,
                model,
                name=about.name,
                question=about.question,
                unit=brief.unit,
                fairness=section,
            )
            yield f"{format_instant(asked_at)[:10]}-{kept.cut[:8]}.md", text


def _scored(history: History, span: Walk, first: int, last: int) -> Scored:
    brief = history.brief
    truth = history.as_of(max(history.until, span.to_at) + DAY).truth()[first:last]
    rows = slice(first, last)
    return Scored(
        decided_at=history.timeline.decided_at[rows],
        truth=truth,
        ids=history.cases.ids[rows],
        values=history.values.take(rows),
        actions=brief.actions,
        status_quo=history.status_quo[rows],
        from_at=span.from_at,
        to_at=span.to_at,
        known_at=history.until,
        ranges=value_ranges(brief),
        form=brief.worth.form,
        amounts=brief.worth.quantities,
        capacity=brief.worth.capacity,
    )


def _distinct(runs: list[Run]) -> dict[str, ModelFitted]:
    models: dict[str, ModelFitted] = {}
    for run in runs:
        for fitted in run.fits:
            if fitted.model is not None:
                earlier = models.get(fitted.model)
                if earlier is None or fitted.at < earlier.at:
                    models[fitted.model] = fitted
    return dict(sorted(models.items(), key=lambda item: (item[1].at, item[0])))


def _model_values(
    history: History,
    runs: list[Run],
    workshop: Workshop,
    *,
    first: int,
    last: int,
    progress: Progress | None,
) -> ModelValues | None:
    models = _distinct(runs)
    if not models:
        return None
    actions = np.repeat(history.status_quo[None, first:last], len(models), axis=0)
    for row, (name, fitted) in enumerate(models.items()):
        if progress:
            progress("comparing: what each model would have made", row, len(models))
        start = max(first, int(np.searchsorted(history.timeline.decided_at, fitted.at, side="left")))
        if start < last:
            rows = slice(start, last)
            groups = history.groups_in_decisions(np.arange(start, last))
            due = Due(
                values=history.values.take(rows),
                status_quo=history.status_quo[rows],
                held=history.held[rows],
                ids=history.cases.ids[rows],
                room=Room.empty(history.brief.worth.capacity, history.timeline.decided_at[rows]),
                groups=groups,
                left_below=left_below(history.brief.fairness, groups),
            )
            scores = workshop.probabilities(name, start, last=last)
            chosen = act(scores, due, rule=workshop.model(name).rule)
            actions[row, start - first :] = chosen.action
    return ModelValues(
        effective_from=np.array([fitted.at for fitted in models.values()], dtype=np.int64),
        costs=np.array([fitted.costs for fitted in models.values()]),
        actions=actions,
    )


def _calibration(
    history: History, runs: list[Run], workshop: Workshop, truth: Codes, first: int
) -> pl.DataFrame:
    """Give the reliability of each policy's probabilities, as its models were in charge."""
    outcome, levels = history.brief.outcome, history.told.levels
    frames = []
    for run in runs:
        probabilities = _in_charge(history, run, workshop, first, first + truth.size)
        if probabilities is None:
            continue
        rows = slice(first, first + truth.size)
        asked = ~np.isnan(probabilities[:, 0]) & ~history.held[rows] & spoken_of(history, rows)
        if levels is None:
            frame = calibration(
                probabilities[asked], truth[asked], classes=outcome.classes, positive=outcome.positive
            )
        else:
            told = asked & (truth >= 0)
            frame = quantile_calibration(probabilities[told], levels[truth[told]])
        frames.append(frame.with_columns(pl.lit(run.policy).alias("policy")))
    return pl.concat(frames) if frames else pl.DataFrame()


def _in_charge(
    history: History, run: Run, workshop: Workshop, first: int, last: int
) -> NDArray[np.float64] | None:
    decided_at, width = history.timeline.decided_at, len(history.brief.prediction)
    if run.policy == INCUMBENT and history.logged is not None:
        return history.logged.take(slice(first, last)).probabilities(width)
    probabilities = np.full((last - first, width), np.nan)
    entries = [(fitted.at, fitted.model) for fitted in run.fits]
    any_model = False
    for position, (at, name) in enumerate(entries):
        until = entries[position + 1][0] if position + 1 < len(entries) else None
        start = max(first, int(np.searchsorted(decided_at, at, side="left")))
        stop = last if until is None else min(last, int(np.searchsorted(decided_at, until, side="left")))
        if name is not None and start < stop:
            probabilities[start - first : stop - first] = workshop.probabilities(name, start, last=stop)
            any_model = True
    return probabilities if any_model else None


def _fits(runs: list[Run]) -> pl.DataFrame:
    rows = [
        {
            "policy": run.policy,
            "cut_at": fitted.asked_at,
            "effective_from": fitted.at,
            "champion": fitted.champion,
            "rows": fitted.rows,
            "costs": fitted.costs,
            "model": fitted.model,
            "why": fitted.why,
        }
        for run in runs
        for fitted in run.fits
    ]
    schema: Mapping[str, pl.DataType] = {
        "policy": pl.String(),
        "cut_at": pl.Int64(),
        "effective_from": pl.Int64(),
        "champion": pl.String(),
        "rows": pl.Int64(),
        "costs": pl.Float64(),
        "model": pl.String(),
        "why": pl.String(),
    }
    stamp = pl.Datetime("us", "UTC")
    return pl.DataFrame(rows, schema=schema).with_columns(pl.col("cut_at", "effective_from").cast(stamp))
