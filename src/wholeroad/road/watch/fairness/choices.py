"""What can be done about each cause of a bias, and what it costs as far as that is known."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from statistics import NormalDist
from typing import Final

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import DAY, LAST, Instant, format_instant
from wholeroad.road.brief.fairness import Equal, Kind
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.seen import Seen
from wholeroad.road.model.fairness.priced import PriceCurve
from wholeroad.road.watch.fairness.planned import Choice

NOT_PRICED: Final = "not priced yet: wholeroad fairness price"
NOT_KNOWN: Final = "not known"
FLAGS_FOR_ONE: Final = 2
"""Suspects that people look at for each wrong label that is found: audits confirmed from 15 to 88 %."""
DRAWN_FOR_ONE: Final = 1 / 3
"""Labels drawn by chance for each suspect, as a sheet has them unless said."""
MONTH_DAYS: Final = 365.25 / 12
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Situation:
    """What choices and their costs are worked out from; whatever isn't handed in isn't known.

    Attributes
    ----------
    seen
        What the findings were asked of.
    groups
        Of the same cases; those of ``seen`` unless given.
    prices
        Price curves of thresholds that were learnt and judged on later cases.
    gain_given_up
        By (grouping, value): the share of the gain that goes with leaving its cases to people.
    verdict_minutes, verdict_costs
        What one verdict on a label takes, and costs in ``unit``.
    unit
        The brief's unit of money.
    sure_within
        How far either way a group's figure may be unsure, as a share, before more cases are wanted.
    not_asked
        Questions that couldn't be asked, each with its reason.
    """

    seen: Seen | None = None
    groups: Sequence[Grouping] = ()
    prices: Sequence[PriceCurve] = ()
    gain_given_up: Mapping[tuple[str, str], Estimate] = field(default_factory=dict)
    verdict_minutes: float | None = None
    verdict_costs: float | None = None
    unit: str = ""
    sure_within: float = 0.02
    not_asked: Sequence[str] = ()

    @property
    def groupings(self) -> Sequence[Grouping]:
        """All groupings that are known."""
        return self.groups or (self.seen.groups if self.seen is not None else ())

    def counts(self, name: str) -> dict[str, int]:
        """Give the cases of each value of a grouping; empty where they aren't known."""
        for each in self.groupings:
            if each.name == name:
                return dict(zip(each.values, each.cases.tolist(), strict=True))
        return {}

    def a_day(self, name: str, value: str) -> float | None:
        """Give how many cases of a group come a day, on the average of all days so far."""
        cases = self.counts(name).get(value)
        if self.seen is None or self.seen.timeless or cases is None or not len(self.seen):
            return None
        days = max((self.seen.now - int(self.seen.decided_at[0])) / DAY, 1.0)
        return cases / days

    def when(self, name: str, value: str, *, cases: int) -> Instant | None:
        """Give when so many more cases of a group will have come at the present rate."""
        rate = self.a_day(name, value)
        if not rate or self.seen is None:
            return None
        at = self.seen.now + math.ceil(cases / rate * DAY)
        return at if at <= LAST else None


def remedy_toml(kind: Kind, group: str, **settings: object) -> str:
    """Write the lines of a brief that put a remedy in force; what is empty or None is left out.

    Examples
    --------
    >>> print(remedy_toml("collect", "depot", values=("north",), cases=120))
    [[fairness.remedies]]
    kind = "collect"
    group = "depot"
    values = ["north"]
    cases = 120
    """
    lines = ["[[fairness.remedies]]", f"kind = {_toml(kind)}", f"group = {_toml(group)}"]
    lines += [f"{name} = {_toml(value)}" for name, value in settings.items() if value not in (None, "", ())]
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def choices_for(bias: GroupBias, *, left: float, situation: Situation, clear: bool) -> tuple[Choice, ...]:
    """Give what can be done about one cause; exactly one choice is to be tried first.

    Parameters
    ----------
    left
        What is left of the difference once earlier causes are accounted for.
    clear
        Whether the cause stands; else cases are asked for first where they would tell.
    """
    it = _About(bias, left, situation)
    makers = {
        "coverage": (it.collect_to_share, it.reweigh_to_population, it.accept)
        if left < 0
        else (it.reweigh_to_population, it.accept),
        "base_rate": (it.thresholds, it.reweigh_outcomes, it.abstain, it.collect_to_be_sure, it.accept),
        "missingness": (it.collect_values, it.abstain, it.accept),
        "label_noise": (it.correct_labels, it.abstain, it.accept),
        "delay": (it.wait, it.accept),
        "history": (it.collect_to_be_sure, it.accept),
        "unseen": (it.collect_outcomes, it.abstain, it.accept),
        "proxy": (it.accept, it.thresholds),
    }[bias.cause]
    made = [choice for choice in (make() for make in makers) if choice is not None]
    first = 0
    if not clear and bias.cause == "base_rate":
        first = next((at for at, choice in enumerate(made) if choice.kind == "collect"), 0)
    return tuple(replace(choice, first=at == first) for at, choice in enumerate(made))


@dataclass(frozen=True, slots=True)
class _About:
    """Makes the choices about one finding."""

    bias: GroupBias
    left: float
    situation: Situation

    @property
    def who(self) -> str:
        return f"{self.bias.grouping} = {self.bias.value}"

    def toml(self, kind: Kind, **settings: object) -> str:
        values = () if kind in ("thresholds", "reweigh") else (self.bias.value,)
        return remedy_toml(kind, self.bias.grouping, values=values, **settings)

    def _collect(self, cases: int, says: str) -> Choice:
        by_at = self.situation.when(self.bias.grouping, self.bias.value, cases=cases)
        by = f" At the present rate they will be there on {_day(by_at)}." if by_at is not None else ""
        until = date.fromisoformat(_day(by_at)) if by_at is not None else None
        return Choice(
            "collect",
            says + by,
            self.toml("collect", cases=cases, until=until),
            costs_say=NOT_KNOWN,
            cases=cases,
            by_at=by_at,
        )

    def collect_to_share(self) -> Choice | None:
        """Collect as many as make the group's share that of the population."""
        stated, share = self.bias.rest.value, self.bias.figure.value
        total = sum(self.situation.counts(self.bias.grouping).values())
        total = total or (round(self.bias.cases / share) if share > 0 else 0)
        if not total or not 0 < stated < 1:
            return None
        cases = max(1, math.ceil((stated * total - self.bias.cases) / (1 - stated)))
        return self._collect(
            cases,
            f"Collect {cases:,} more cases of {self.who} alone: then it is {stated:.1%} of the cases, "
            f"as it is of "
            "the population.",
        )

    def collect_to_be_sure(self) -> Choice | None:
        """As many as make the group's figure as sure as wanted."""
        bias = self.bias
        half = (bias.difference.high - bias.difference.low) / 2
        if bias.unit == "days":
            wanted = max(abs(self.left) / 2, 1e-9)
            to = f"the difference is known to {wanted:.1f} days either way"
        else:
            wanted = min(self.situation.sure_within, max(abs(self.left) / 2, 1e-4))
            to = f"the difference is known to {100 * wanted:.1f} points either way"
        if not math.isfinite(half) or not bias.cases:
            return None
        cases = max(1, math.ceil(bias.cases * ((half / wanted) ** 2 - 1)))
        return self._collect(
            cases, f"Collect {cases:,} more cases of {self.who}: then {to}, if the group is what limits it."
        )

    def collect_values(self) -> Choice:
        """As many values as are missing beyond what is missing elsewhere."""
        cases = max(1, math.ceil(self.bias.cases * max(self.left, 0.0)))
        return Choice(
            "collect",
            f"Fill in {self.bias.about} at its source for {self.who}: {cases:,} of {self.bias.cases:,} "
            f"cases lack it "
            "beyond what is usual elsewhere. Do it from now on at least; past cases teach what was missing.",
            self.toml("collect", cases=cases),
            costs_say=NOT_KNOWN,
            cases=cases,
        )

    def collect_outcomes(self) -> Choice:
        """Outcomes of unseen cases, drawn by chance: as many as tell their rate."""
        hidden = max(1, math.ceil(self.bias.cases * self.bias.figure.value))
        wanted = math.ceil(0.25 * (_NORMAL.inv_cdf(0.975) / max(self.situation.sure_within, 1e-4)) ** 2)
        cases = min(hidden, wanted)
        return Choice(
            "collect",
            f"Find out {cases:,} of the {hidden:,} unseen outcomes of {self.who}, drawn by chance: "
            f"until then nobody "
            "knows whether they are like those that are seen.",
            self.toml("collect", cases=cases),
            costs_say=NOT_KNOWN,
            cases=cases,
        )

    def wait(self) -> Choice | None:
        """Wait longer for outcomes; nothing to wait for where the group's come sooner."""
        bias, seen = self.bias, self.situation.seen
        times = max(bias.figure.value / bias.rest.value, 1.0) if bias.rest.value > 0 else 1.0
        matures = seen.matures / DAY if seen is not None and seen.matures else bias.rest.value
        days = max(1, math.ceil(matures * times))
        if days <= matures:
            return None
        rate = self.situation.a_day(bias.grouping, bias.value)
        cases = max(1, math.ceil((days - matures) * rate)) if rate else 1
        reason = f"matures is raised to {days}d: the outcomes of {self.who} are then seen as the others' are"
        return Choice(
            "accept",
            f'Wait longer: [outcome] matures = "{days}d" gives {self.who} as much time, for its delay, as '
            f"the others have now. About {cases:,} of its newest cases then teach later, and all others wait "
            "as long.",
            f'# In [outcome]: matures = "{days}d"\n{self.toml("accept", reason=reason)}',
            costs_say="older data at each fit; rehearse it with both settings",
        )

    def correct_labels(self) -> Choice:
        """Have people look at suspects."""
        wrong = math.ceil(self.bias.cases * max(self.left, 0.0))
        suspects = max(1, FLAGS_FOR_ONE * wrong)
        verdicts = min(suspects + math.ceil(suspects * DRAWN_FOR_ONE), max(self.bias.cases, 1))
        minutes, costs = self.situation.verdict_minutes, self.situation.verdict_costs
        known = [f"about {verdicts * minutes / 60:,.0f} hours of people's time, once"] if minutes else []
        known += [f"about {verdicts * costs:,.0f} {self.situation.unit}, once"] if costs else []
        return Choice(
            "correct_labels",
            f"Have people look at about {verdicts:,} labels of {self.who}: {suspects:,} suspects for "
            f"about {wrong:,} "
            "wrong labels, if one suspect of two is wrong, and some drawn by chance. What they say "
            "stands over the "
            "rows: wholeroad data labels.",
            self.toml("correct_labels"),
            costs_say="; ".join(known) or NOT_KNOWN,
        )

    def reweigh_to_population(self) -> Choice | None:
        """Weights that make shares those of the population."""
        counts = self.situation.counts(self.bias.grouping)
        stated = next(
            (each.population for each in self.situation.groupings if each.name == self.bias.grouping), {}
        )
        total = sum(counts.get(value, 0) for value in stated)
        if not self.bias.cases:
            return None
        if total and all(counts.get(value) for value, share in stated.items() if share > 0):
            effective = 1 / sum(
                share**2 * total / counts[value] for value, share in stated.items() if share > 0
            )
        else:
            share, aim = self.bias.figure.value, self.bias.rest.value
            effective = 1 / (aim**2 / share + (1 - aim) ** 2 / (1 - share)) if 0 < share < 1 else 1.0
        wanted = f"{self.bias.grouping} weighs as it does in the population"
        return self._reweigh(effective, wanted, toward="population")

    def reweigh_outcomes(self) -> Choice | None:
        """Weights that make group and outcome independent in training."""
        share = self.bias.cases / max(
            sum(self.situation.counts(self.bias.grouping).values()), self.bias.cases, 1
        )
        rates = ((share, self.bias.figure.value), (1 - share, self.bias.rest.value))
        if not all(0 < rate < 1 for _, rate in rates):
            return None
        mean = sum(part * rate for part, rate in rates)
        square = sum(part * (mean**2 / rate + (1 - mean) ** 2 / (1 - rate)) for part, rate in rates)
        return self._reweigh(1 / square, "the outcome is as frequent in each group, as training sees it")

    def _reweigh(self, effective: float, aim: str, *, toward: str | None = None) -> Choice:
        return Choice(
            "reweigh",
            f"Reweigh cases before the fit, so that {aim}. They then tell as much as {effective:.0%} of "
            f"as many cases "
            "that weigh the same.",
            self.toml("reweigh", toward=toward),
            costs_say=f"{1 - effective:.0%} of what the cases tell; rehearse it to see the money",
            effective_share=effective,
        )

    def thresholds(self) -> Choice:
        """Thresholds of the group's own, with their price where it is known."""
        curve = next((each for each in self.situation.prices if each.grouping == self.bias.grouping), None)
        equal: Equal = curve.equal if curve else "true_positive_rate"
        make = partial(Choice, "thresholds")
        if curve is None or not curve.points:
            return make(
                f"Give each value of {self.bias.grouping} a threshold of its own, so that their "
                f"{_words(equal)}s meet.",
                self.toml("thresholds", equal=equal),
                costs_say=NOT_PRICED,
            )
        point = min(curve.points, key=lambda each: each.within)
        months = self._cases_a_month()
        price = point.price_per_case
        costs = months and Estimate(price.value * months, price.low * months, price.high * months)
        return make(
            f"Give each value of {self.bias.grouping} a threshold of its own: on {curve.cases:,} later "
            f"cases their "
            f"{_words(equal)}s were then {point.disparity.value:.3g} apart instead of "
            f"{curve.without.disparity.value:.3g}.",
            self.toml("thresholds", equal=equal, within=point.within or None),
            costs=costs or None,
            costs_say=f"{price.value:.3g} [{price.low:.3g}, {price.high:.3g}] {self.situation.unit} per case",
        )

    def _cases_a_month(self) -> float | None:
        values = self.situation.counts(self.bias.grouping)
        rates = [self.situation.a_day(self.bias.grouping, value) for value in values]
        return MONTH_DAYS * sum(rate or 0.0 for rate in rates) if rates else None

    def abstain(self) -> Choice:
        """People decide the group's cases."""
        rate = self.situation.a_day(self.bias.grouping, self.bias.value)
        many = f"about {rate * MONTH_DAYS:,.0f} cases a month" if rate else "its cases"
        given_up = self.situation.gain_given_up.get((self.bias.grouping, self.bias.value))
        costs = (
            f"{given_up.value:.0%} [{given_up.low:.0%}, {given_up.high:.0%}] of the gain"
            if given_up is not None
            else "not known: the gain that the model makes on these cases, and people's time"
        )
        return Choice(
            "abstain",
            f"Leave {self.who} to people: {many}, until what is wrong here is mended.",
            self.toml("abstain"),
            costs_say=costs,
        )

    def accept(self) -> Choice:
        """Leave it, with a reason in writing."""
        reason = f"TO BE WRITTEN: why this is accepted ({self.bias.cause.replace('_', ' ')} of {self.who})"
        return Choice(
            "accept",
            "Accept it, with a reason in writing and a day on which to look again.",
            self.toml("accept", reason=reason),
            costs_say="nothing now; the difference stays",
        )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _day(at: Instant) -> str:
    return format_instant(at)[:10]
