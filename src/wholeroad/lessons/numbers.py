"""Your numbers for the lessons, from the very objects that the reports show."""

from __future__ import annotations

import math
from collections.abc import Iterator

import polars as pl

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import DAY, format_span
from wholeroad.lessons.lesson import Number
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.policies import parse_policy
from wholeroad.road.data.findings import Finding
from wholeroad.road.model.results import ChoiceReport
from wholeroad.road.watch.reliability import expected_calibration_error
from wholeroad.road.watch.results import Comparison, PolicyMoney


def numbers_of_comparison(comparison: Comparison, *, policy: str) -> tuple[Number, ...]:
    """Give the numbers of a comparison, told of one policy.

    Parameters
    ----------
    comparison
        As the report shows it.
    policy
        The recommended one, or any other that was run; another name gives what is said of all alone.
    """
    chosen = next((one for one in comparison.policies if one.policy == policy), None)
    found = [*_overall(comparison)]
    if chosen is not None:
        found += _of_policy(chosen, comparison)
    return tuple(found)


def numbers_of_brief(brief: Brief) -> tuple[Number, ...]:
    """Give the numbers that follow from a brief alone: break-even, ratio, capacity, what is asked for."""
    found = []
    break_even = break_even_of(brief)
    if break_even is not None:
        said = "probability from which acting pays"
        found.append(Number("break_even", break_even, unit="share", said=said))
    worth = brief.worth
    if worth.ratio is not None:
        low, high = worth.ratio
        unit = "false alarms"
        found.append(Number("ratio", (low + high) / 2, unit=unit, said="what a miss costs, at the middle"))
    if worth.capacity is not None:
        every = format_span(worth.capacity.every)
        found.append(Number("capacity", worth.capacity.cases, unit=f"cases per {every}", said="places"))
    if brief.success is not None:
        gain = brief.success.gain_over_status_quo
        said = "gain asked for, per case"
        found.append(Number("required", gain.per_case, unit=brief.unit, said=said))
    return tuple(found)


def break_even_of(brief: Brief) -> float | None:
    """Give the probability of ``positive`` from which acting pays; None where it isn't one number.

    Two actions and two outcomes, all four values plain numbers or ranges (then their middles), and
    acting better under ``positive`` alone: ``p* = lost / (lost + won)`` (Elkan 2001).

    Examples
    --------
    A table that wins 120 on a positive and loses 35 on another gives 35 / 155, about 0.23.
    """
    worth, outcome = brief.worth, brief.outcome
    if len(worth.actions) != 2 or len(outcome.classes) != 2 or not worth.of:
        return None
    positive = outcome.positive or outcome.classes[0]
    other = next((name for name in outcome.classes if name != positive), positive)
    cells = {}
    for action in worth.actions:
        for name in (positive, other):
            value = worth.of[action].get(name)
            if value is None or isinstance(value, str):
                return None
            cells[action, name] = sum(value) / 2 if isinstance(value, list) else float(value)
    one, two = worth.actions
    won = cells[one, positive] - cells[two, positive]
    lost = cells[two, other] - cells[one, other]
    if won < 0 and lost < 0:
        won, lost = -won, -lost
    return lost / (lost + won) if won > 0 and lost > 0 else None


def numbers_of_finding(finding: Finding) -> tuple[str, ...]:
    """Give a finding's own sentence, with the numbers in it; the report shows the same."""
    return (f"{finding.where}: {finding.happened}",)


def numbers_of_choice(report: ChoiceReport, *, unit: str) -> tuple[Number, ...]:
    """Give the numbers that the choice of a champion rests on."""
    champion = report.candidate(report.champion)
    leads = champion.behind_best <= 0
    per_case = f"{unit} per case"
    found = [
        Number("rows", report.rows, unit="cases", said="matured cases of the cut"),
        Number(
            "embargoed",
            sum(part.embargoed for part in report.slices),
            unit="cases",
            said="left out between the slices",
        ),
        Number(
            "champion_money",
            champion.money_per_case,
            unit=per_case,
            said=f"{champion.name}{', the best candidate,' if leads else ''} on the choose slice",
        ),
    ]
    if not leads:
        behind = f"{champion.name} behind the best"
        found.append(Number("behind_best", champion.behind_best, unit=per_case, said=behind))
        found.append(
            Number(
                "standard_error",
                champion.standard_error,
                n=report.blocks,
                unit=per_case,
                said="standard error of that difference",
            )
        )
    if champion.slope is not None:
        said = "slope of the calibration; below 1 the raw model was too sure"
        found.append(Number("slope", champion.slope, said=said))
    return tuple(found)


def numbers_of_calibration(frame: pl.DataFrame, *, policy: str) -> tuple[Number, ...]:
    """Give the calibration error of one policy's probabilities; nothing where it had no model."""
    if frame.is_empty():
        return ()
    mine = frame.filter(pl.col("policy") == policy)
    if mine.is_empty():
        return ()
    error, cases = expected_calibration_error(mine), int(mine["cases"].sum() / mine["class"].n_unique())
    said = f"predicted against observed, {policy}"
    return (Number("calibration_error", 100 * error, n=cases, unit="percentage points", said=said),)


def _estimated(name: str, estimate: Estimate, like: Number) -> Number:
    return Number(
        name,
        estimate.value,
        estimate.low,
        estimate.high,
        n=like.n,
        unit=like.unit,
        said=like.said,
        confidence=like.confidence,
    )


def _overall(comparison: Comparison) -> Iterator[Number]:
    first, unit = comparison.policies[0], comparison.unit
    days = -(-(comparison.to_at - comparison.from_at) // DAY)
    yield Number("cases", comparison.cases, unit="cases", said="decided in the span")
    for name in ("settled", "pending", "unknown"):
        yield Number(name, getattr(first, name), unit="cases", said=name)
    yield Number("days", days, unit="days", said="scored")
    yield Number("block_days", comparison.block // DAY, unit="days", said="length of a block")
    yield Number("clairvoyant", comparison.clairvoyant, unit=unit, said="knowing every outcome beforehand")
    for policy in comparison.policies:
        if kind_of(policy) == "status quo":
            yield _money("status_quo_total", policy.total, comparison, said="the status quo")
    dummies = [policy for policy in comparison.policies if kind_of(policy) in ("random", "always")]
    if dummies:
        best = max(dummies, key=lambda policy: policy.total.value)
        yield _money("dummy", best.total, comparison, said=f"the best dummy, “{best.policy}”")
    gains = [policy for policy in comparison.policies if policy.versus_status_quo is not None]
    if gains:
        best = max(gains, key=lambda policy: policy.total.value)
        said = f"best gain over the status quo, {best.policy}"
        yield _money("best_gain", best.versus_status_quo, comparison, said=said)


def _randomised(chosen: PolicyMoney, comparison: Comparison) -> Iterator[Number]:
    """Give what the cases tell for which chance chose the action."""
    if comparison.randomised:
        said = "chance chose the action"
        yield Number("randomised", comparison.randomised, unit="cases", said=said)
    if chosen.effective_cases is not None:
        said = f"as much as they tell about {chosen.policy}"
        yield Number("effective_n", chosen.effective_cases, unit="cases", said=said)
    if chosen.naive_gain_per_case is not None:
        said = "gain per case if acting changed nothing"
        yield _money("naive_gain", chosen.naive_gain_per_case, comparison, said=said)


def _of_policy(chosen: PolicyMoney, comparison: Comparison) -> Iterator[Number]:
    unit, name = comparison.unit, chosen.policy
    yield _money("total", chosen.total, comparison, said=f"money of {name}")
    if chosen.versus_status_quo is not None:
        said = f"gain of {name} over the status quo"
        yield _money("gain", chosen.versus_status_quo, comparison, said=said)
        if math.isfinite(chosen.versus_status_quo.low):
            yield Number("gain_low", chosen.versus_status_quo.low, unit=unit, said="its low end")
    if chosen.gain_per_case is not None:
        said = f"gain of {name} per case"
        yield _money("gain_per_case", chosen.gain_per_case, comparison, said=said)
    if chosen.versus_never is not None:
        yield _money("versus_never", chosen.versus_never, comparison, said=f"{name} against never refitting")
    yield from _refitting(chosen, comparison)
    if chosen.versus_best is not None:
        best = max(comparison.policies, key=lambda policy: policy.total.value)
        said = f"{name} against the highest total, {best.policy}"
        yield _money("versus_best", chosen.versus_best, comparison, said=said)
        yield Number("behind_best", -chosen.versus_best.value, unit=unit, said=f"{best.policy} made more by")
    if chosen.regret_oracle is not None and chosen.regret_floor is not None:
        yield Number("regret", chosen.regret_oracle, unit=unit, said=f"regret of {name}")
        yield Number("floor", chosen.regret_floor, unit=unit, said="its floor")
    yield Number("short", chosen.regret_clairvoyant, unit=unit, said=f"{name} short of knowing every outcome")
    if chosen.gain_corners is not None:
        low, high = chosen.gain_corners
        yield Number("corner_low", low, unit=unit, said="lowest gain over the ranges")
        yield Number("corner_high", high, unit=unit, said="highest gain over the ranges")
    yield from _open_values(chosen, comparison)
    yield from _randomised(chosen, comparison)
    for other in comparison.policies:
        if kind_of(other) == "incumbent" and other is not chosen:
            more = chosen.total.value - other.total.value
            yield Number("versus_incumbent", more, unit=unit, said=f"{name} against the running system")
    if chosen.success is not None:
        yield Number("required", chosen.success.required, unit=unit, said="gain asked for, per case")
        if math.isfinite(chosen.success.lower_bound):
            bound = chosen.success.lower_bound
            said = f"lower bound at {chosen.success.confidence:.0%}, per case"
            yield Number("lower_bound", bound, n=chosen.settled, unit=unit, said=said)


def _open_values(chosen: PolicyMoney, comparison: Comparison) -> Iterator[Number]:
    """Give from where on the policy gains, and what chance would have made under a capacity."""
    found = next((one for one in chosen.break_evens if one is not None), None)
    if found is not None:
        unit = "false alarms" if comparison.form == "ratio" else comparison.unit
        side = "above" if found.above else "below"
        said = f"{chosen.policy} beats the status quo where {found.name} is {side}"
        at = found.value
        yield Number("ratio_break_even", at.value, at.low, at.high, unit=unit, said=said)
    if chosen.by_chance is not None:
        said = "as many cases picked at random"
        yield Number("by_chance", chosen.by_chance, unit=comparison.unit, said=said)
    if chosen.versus_chance is not None:
        said = f"{chosen.policy} against as many picked at random"
        yield _money("versus_chance", chosen.versus_chance, comparison, said=said)


def _refitting(chosen: PolicyMoney, comparison: Comparison) -> Iterator[Number]:
    """Give what refitting brings: of the policy itself if it refits, else of the best that does."""
    refits = [policy for policy in comparison.policies if kind_of(policy) == "every" and policy.versus_never]
    judged = chosen if chosen in refits else max(refits, key=lambda one: one.total.value, default=None)
    if judged is None or judged.versus_never is None:
        return
    said = f"{judged.policy} against never refitting"
    yield _money("refit_gain", judged.versus_never, comparison, said=said)
    yield Number("fits", judged.fits, said=f"fits of {judged.policy}")
    yield Number("fit_costs", judged.fit_costs, unit=comparison.unit, said="cost of its fits")


def _money(name: str, estimate: Estimate | None, comparison: Comparison, *, said: str) -> Number:
    first = comparison.policies[0]
    like = Number(
        name, 0.0, n=first.settled, unit=comparison.unit, said=said, confidence=comparison.confidence
    )
    return like if estimate is None else _estimated(name, estimate, like)


def kind_of(policy: PolicyMoney) -> str:
    """Tell a policy's kind from its name: ``never``, ``every``, ``status quo``, ``random``, ``always``."""
    try:
        return parse_policy(policy.policy).kind
    except ValueError:
        return "every" if policy.fits else "always"
