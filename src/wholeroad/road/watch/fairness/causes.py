"""Causes and symptoms: each cause is tried on all findings that it would bring about.

A cause has a size, and from its size follows what else would differ. Labels of a group that are turned at a
rate ``q`` move its base rate from ``p`` to ``p * (1 - q) + (1 - p) * q``; a group that came late has fewer
cases, by as much; outcomes that are never seen can hide as much of a base rate as there are unseen; and
where one group is far from the rest, each of the others is a little off the rest, too, since the rest holds
that group. So the cause that accounts for most of what was found, given how many parameters it may turn,
goes first, what it accounts for is taken off the other findings, and the next one is looked for among what
is left.

Evidence is weighed by approximate Bayes factors (Wakefield 2009, *Bayes factors for genome-wide association
studies: comparison with P-values*, Genetic Epidemiology 33): a difference counts by its standard errors,
less for being smaller than differences of its kind that would matter. What stands is judged with every
question together (Holm 1979, *A simple sequentially rejective multiple test procedure*, Scandinavian
Journal of Statistics 6). The range of what unseen outcomes may hide is that of Manski (1989, *Anatomy of
the selection problem*, Journal of Human Resources 24).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.data.bias.found import Cause, GroupBias
from wholeroad.road.data.bias.groups import Grouping

ORDER: Final[tuple[Cause, ...]] = (
    "label_noise",
    "unseen",
    "delay",
    "history",
    "coverage",
    "missingness",
    "base_rate",
    "proxy",
)
"""From upstream to downstream; a proxy is no harm by itself, but lets other causes reach a group."""

WORSE: Final[dict[Cause, int]] = {
    "coverage": -1,
    "base_rate": 0,
    "missingness": 1,
    "label_noise": 1,
    "delay": 1,
    "history": -1,
    "unseen": 1,
    "proxy": 1,
}
"""In which direction a group is worse off; 0 where neither is."""

DOWNSTREAM: Final[dict[Cause, Cause]] = {"label_noise": "base_rate", "history": "coverage"}
"""What has a size that follows from that of a cause."""

MATTERS: Final = 0.1
"""A share that would matter, one standard deviation; of spans and of coverage it is
:data:`MATTERS_OF_REST`."""
MATTERS_OF_REST: Final = 0.3
MOST_SELECTIVE: Final = 3.0
"""By how much the odds of hidden outcomes are thought to differ from those of the seen ones at most."""
LIKELY: Final = 1.64
"""From so many standard errors on a finding is shown as doubtful: chance alone passes it once in ten."""
SEEN: Final = 1.96
_SHRUNK: Final = 1.5
"""A finding is accounted for when so much less of it is left, and no more than chance brings."""
ODDS_BETTER: Final = math.log(6.0)
"""How much rarer it is that one group is better off than all others than that it is worse off."""
ODDS_NOISE: Final = math.log(2.0)
"""How much rarer wrong labels are than base rates that truly differ."""
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Clue:
    """A finding as evidence.

    Attributes
    ----------
    bias
        As it was found.
    left
        Of its difference, what earlier causes don't account for.
    error
        The standard error that its interval implies on the side of none.
    """

    bias: GroupBias
    left: float
    error: float

    @property
    def score(self) -> float:
        """What is left, in standard errors, with its sign."""
        return self.left / self.error

    @property
    def of(self) -> tuple[Cause, str, str, str]:
        """What was asked."""
        return self.bias.cause, self.bias.grouping, self.bias.value, self.bias.about


@dataclass(frozen=True, slots=True)
class Named:
    """A cause that was named.

    Attributes
    ----------
    clue
        The finding, and what is left of it.
    errors
        Its evidence in standard errors, that of what follows from it included.
    odds
        Logarithm of the posterior odds against chance alone, up to a constant that all share.
    explains
        Findings that it would bring about, or could.
    surely
        Of each of these, whether its size follows from the cause's; else it only may.
    clear
        Whether it stands with all questions judged together.
    """

    clue: Clue
    errors: float
    odds: float
    explains: tuple[GroupBias, ...]
    surely: tuple[bool, ...]
    clear: bool = False


def clue_of(bias: GroupBias) -> Clue | None:
    """Give a finding as evidence; None where there is nothing to judge.

    Examples
    --------
    >>> from wholeroad.core.estimates import Estimate
    >>> some, none = Estimate(0.3, 0.2, 0.4), Estimate(0.1, 0.1, 0.1)
    >>> bias = GroupBias("unseen", "g", "a", 90, some, none, Estimate(0.2, 0.1, 0.3), 0.05, "share")
    >>> round(clue_of(bias).score, 2)
    3.92
    """
    value, error = bias.difference.value, bias.standard_error
    near = value - bias.difference.low if value > 0 else bias.difference.high - value
    if not bias.enough or not math.isfinite(value) or not 0 < error < math.inf or not math.isfinite(near):
        return None
    # The error of label noise is that of a test of none; that of its interval grows with the noise itself.
    return Clue(bias, value, error if bias.cause == "label_noise" else max(error, near / SEEN))


def asked(findings: Iterable[GroupBias]) -> tuple[list[Clue], int]:
    """Give the clues to look at and how many questions they answer.

    Of the two values of a group of two, which say the same, the one that is worse off is kept; where
    neither is, that with fewer cases.
    """
    kept: dict[tuple[Cause, str, str], list[Clue]] = {}
    for clue in filter(None, map(clue_of, findings)):
        cause, grouping, _, about = clue.of
        kept.setdefault((cause, grouping, about), []).append(clue)
    clues: list[Clue] = []
    questions = 0
    for (cause, *_), some in sorted(kept.items()):
        mirrored = len(some) == 2 and some[0].score * some[1].score < 0 and cause != "proxy"
        sizes = [abs(clue.left) for clue in some]
        mirrored = mirrored and math.isclose(sizes[0], sizes[1], rel_tol=1e-6, abs_tol=1e-12)
        questions += 1 if mirrored else len(some)
        clues += [min(some, key=_worse_off)] if mirrored else some
    return sorted(clues, key=lambda clue: (ORDER.index(clue.bias.cause), clue.of)), questions


def _worse_off(clue: Clue) -> tuple[bool, int, str]:
    worse = WORSE[clue.bias.cause]
    return worse != 0 and clue.left * worse < 0, clue.bias.cases, clue.bias.value


def name_causes(
    findings: Sequence[GroupBias],
    *,
    groups: Sequence[Grouping] = (),
    confidence: float = 0.95,
    matures_days: float | None = None,
) -> tuple[tuple[Named, ...], int]:
    """Name causes, the likeliest first, with what each accounts for; and say how many questions were asked.

    Parameters
    ----------
    groups
        Of the same cases, to tell which groups hold the same cases; without them only groups of one grouping
        are known to be apart.
    matures_days
        After which outcomes are taken as typical.
    """
    clues, questions = asked(findings)
    pool = Pool(tuple(findings), tuple(groups), matures_days)
    proxies = [_weigh(clue, (), pool) for clue in clues if clue.bias.cause == "proxy"]
    clues = [clue for clue in clues if clue.bias.cause != "proxy"]
    named: list[Named] = []
    while clues:
        weighed = sorted((_weigh(clue, clues, pool) for clue in clues), key=lambda each: -each.odds)
        if not any(abs(each.errors) >= LIKELY for each in weighed):
            named += weighed
            break
        best = next(each for each in weighed if abs(each.errors) >= LIKELY)
        best, clues = _account(best, [clue for clue in clues if clue is not best.clue], pool)
        named.append(best)
    named += sorted(proxies, key=lambda each: -each.odds)
    return _judged(named, questions, confidence), questions


def _judged(named: list[Named], questions: int, confidence: float) -> tuple[Named, ...]:
    order = sorted(range(len(named)), key=lambda at: -abs(named[at].errors))
    clear: set[int] = set()
    for standing, at in enumerate(order):
        level = (1 - confidence) / max(questions - standing, 1)
        if abs(named[at].errors) < _NORMAL.inv_cdf(1 - level / 2):
            break
        clear.add(at)
    return tuple(
        replace(each, clear=at in clear and (each.clue.bias.clear or any(one.clear for one in each.explains)))
        for at, each in enumerate(named)
    )


def _weigh(clue: Clue, clues: Sequence[Clue], pool: Pool) -> Named:
    """Try a cause on its own finding and on those whose size follows from it."""
    weight, sum_, lost = clue.error**-2, clue.left / clue.error**2, 0.0
    own = clue.score
    if abs(own) >= SEEN or (clue.bias.cause == "label_noise" and own >= LIKELY):
        downstream = DOWNSTREAM.get(clue.bias.cause)
        for other in (each for each in clues if each.bias.cause == downstream):
            share = pool.follows(clue.bias, other.bias)
            if share:
                weight += (share / other.error) ** 2
                sum_ += share * other.left / other.error**2
    errors = sum_ / math.sqrt(weight)
    if abs(errors) < abs(own):
        errors, weight = own, clue.error**-2
    spread = _matters(clue.bias) ** 2 * weight
    worse = WORSE[clue.bias.cause]
    lost += ODDS_BETTER if worse and errors * worse < 0 else 0.0
    lost += ODDS_NOISE if clue.bias.cause == "label_noise" else 0.0
    odds = errors * errors / 2 * spread / (1 + spread) - math.log1p(spread) / 2 - lost
    return Named(clue, errors, odds, (), ())


def _matters(bias: GroupBias) -> float:
    if bias.unit == "days" or bias.cause == "coverage":
        return MATTERS_OF_REST * max(abs(bias.rest.value), 1e-9)
    return MATTERS


def _account(best: Named, clues: list[Clue], pool: Pool) -> tuple[Named, list[Clue]]:
    """Take what a cause accounts for off the other findings."""
    explains: list[tuple[GroupBias, bool]] = []
    left: list[Clue] = []
    for clue in clues:
        share = pool.follows(best.clue.bias, clue.bias)
        low, high = pool.may_bring(best.clue.bias, clue.bias) if best.clue.score**2 >= SEEN**2 else (0.0, 0.0)
        moved = share * best.clue.left
        if share:
            error = math.hypot(clue.error, share * best.clue.error)
            error = clue.error if clue.bias.cause == best.clue.bias.cause else error
            now = replace(clue, left=clue.left - moved, error=error)
        else:
            now = replace(clue, left=clue.left - min(max(clue.left, low), high))
        shrunk = abs(now.score) < min(SEEN, abs(clue.score) / _SHRUNK)
        if abs(clue.score) >= LIKELY and shrunk:
            explains.append((clue.bias, bool(share)))
        else:
            left.append(now if abs(now.score) < abs(clue.score) else clue)
    told = tuple(bias for bias, _ in explains)
    return replace(best, explains=told, surely=tuple(sure for _, sure in explains)), left


@dataclass(frozen=True, slots=True)
class Pool:
    """Everything that was found, from which it follows what a cause would bring about."""

    findings: tuple[GroupBias, ...]
    groups: tuple[Grouping, ...] = ()
    matures_days: float | None = None
    tables: dict[tuple[str, str], NDArray[np.int64]] = field(default_factory=dict)

    def follows(self, cause: GroupBias, other: GroupBias) -> float:
        """Give by how much another finding differs for each unit that a cause does; 0 if nothing follows."""
        if cause.cause == other.cause:
            return self._echo(cause, other) if cause.about == other.about else 0.0
        within = self._within(cause, other)
        if not within:
            return 0.0
        if (cause.cause, other.cause) == ("label_noise", "base_rate"):
            return within * (1 - 2 * self._rest_of(other, cause))
        if (cause.cause, other.cause) == ("history", "coverage") and cause.rest.value > 0:
            return within * other.rest.value * (1 - other.rest.value) / cause.rest.value
        return 0.0

    def may_bring(self, cause: GroupBias, other: GroupBias) -> tuple[float, float]:
        """Give the range of a difference of base rates that a cause of another kind can bring about."""
        if other.cause != "base_rate" or (cause.grouping, cause.value) != (other.grouping, other.value):
            return 0.0, 0.0
        hidden, rate = self._hidden(cause), other.figure.value
        if not 0 < rate < 1:
            return 0.0, 0.0
        odds = rate / (1 - rate)
        least, most = (each / (1 + each) for each in (odds / MOST_SELECTIVE, odds * MOST_SELECTIVE))
        return hidden * (rate - most), hidden * (rate - least)

    def _hidden(self, cause: GroupBias) -> float:
        """Give the share of the group's outcomes that is hidden beyond that of the rest."""
        if cause.cause == "unseen":
            return max(0.0, cause.difference.value) / max(1 - cause.rest.value, 1e-9)
        if cause.cause == "coverage" and cause.rest.value > 0:
            return max(0.0, -cause.difference.value / cause.rest.value)
        if cause.cause == "delay" and self.matures_days and cause.difference.value > 0:
            means = cause.figure.value, cause.rest.value
            late = [math.exp(-self.matures_days / max(mean, 1e-9)) for mean in means]
            return max(0.0, (late[0] - late[1]) / max(1 - late[1], 1e-9))
        return 0.0

    def _echo(self, cause: GroupBias, other: GroupBias) -> float:
        """Give how far another group is from its own rest for each unit that one is apart."""
        if cause.cause == "proxy" or (cause.grouping, cause.value) == (other.grouping, other.value):
            return 0.0
        if cause.cause == "coverage":
            if cause.grouping == other.grouping:
                return -other.rest.value / max(1 - cause.rest.value, 1e-9)
            share = self._overlap(other, cause)
            return share if abs(share) > 0.02 else 0.0
        share = self._overlap(cause, other)
        return share if abs(share) > 0.02 or cause.grouping == other.grouping else 0.0

    def _within(self, cause: GroupBias, other: GroupBias) -> float:
        if (cause.grouping, cause.value) == (other.grouping, other.value):
            return 1.0
        return self._overlap(cause, other)

    def _overlap(self, one: GroupBias, other: GroupBias) -> float:
        """Give the share of ``one`` among the cases of ``other`` less that among all cases but these."""
        table = self._table(one.grouping, other.grouping)
        if table is not None:
            names = {each.name: each.values for each in self.groups}
            if one.value not in names[one.grouping] or other.value not in names[other.grouping]:
                return 0.0
            row = table[names[one.grouping].index(one.value)]
            at, all_ = names[other.grouping].index(other.value), table.sum(axis=0)
            theirs, others = all_[at], all_.sum() - all_[at]
            return float(row[at] / theirs - (row.sum() - row[at]) / others) if theirs and others else 0.0
        if one.grouping != other.grouping:
            return 0.0
        cases = {
            each.value: each.cases
            for each in self.findings
            if (each.cause, each.grouping, each.about) == (one.cause, one.grouping, one.about)
        }
        rest = sum(cases.values()) - cases.get(other.value, 0)
        return -cases.get(one.value, 0) / rest if rest > 0 else 0.0

    def _table(self, one: str, other: str) -> NDArray[np.int64] | None:
        """Count cases by two groupings at once; None where these weren't handed in."""
        if (one, other) not in self.tables:
            named = {each.name: each for each in self.groups}
            if one not in named or other not in named:
                return None
            first, second = named[one], named[other]
            cells = first.codes.astype(np.int64) * len(second.values) + second.codes
            counts = np.bincount(cells, minlength=len(first.values) * len(second.values))
            self.tables[one, other] = counts.reshape(len(first.values), len(second.values))
        return self.tables[one, other]

    def _rest_of(self, base_rate: GroupBias, cause: GroupBias) -> float:
        """Give the base rate of everybody but the group with the wrong labels."""
        for each in self.findings:
            if (each.cause, each.grouping, each.value) == ("base_rate", cause.grouping, cause.value):
                return each.rest.value
        return base_rate.rest.value
