"""The verdict in words: what was found, for somebody who is tired and has to decide."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wholeroad.core.instants import DAY, Instant, format_span
from wholeroad.interfaces.report.amounts import amount, between, count, day, days_between
from wholeroad.interfaces.report.evidence import (
    ASK_FOR_SHARE,
    ASSUMES,
    evidence_sentence,
    is_identified,
    kind_of_case,
)
from wholeroad.interfaces.report.names import called, kind_of
from wholeroad.interfaces.report.open_values import (
    Doubt,
    break_even_sentences,
    chance_sentence,
    closing_sentence,
    corners_sentence,
    doubt,
)
from wholeroad.road.watch.intervals import LEAST_BLOCKS
from wholeroad.road.watch.results import Comparison, PolicyMoney

if TYPE_CHECKING:
    from wholeroad.engine.comparing import Compared


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, and why.

    Attributes
    ----------
    policy
        The simplest policy over which no less simple one clearly made more.
    headline
        One sentence.
    reasons
        More sentences, in the order of their weight.
    asks
        What to ask the business, to be said before the reasons: at most two sentences; empty where decided.
    finer
        What may be read last, or not at all: dummies, luck, hindsight; empty where decided, since it is
        among the reasons then.
    undecided
        Whether the winner changes within the ranges of values that the brief gives.
    question
        To put to the business then, or where the money isn't identified; empty where no answer decides.
    """

    policy: str
    headline: str
    reasons: tuple[str, ...]
    asks: tuple[str, ...] = ()
    finer: tuple[str, ...] = ()
    undecided: bool = False
    question: str = ""

    def __str__(self) -> str:
        """Give the verdict as one paragraph."""
        return " ".join([self.headline, *self.asks, *self.reasons, *self.finer])


@dataclass(frozen=True, slots=True)
class Refusals:
    """Fits that could not be made, each counted once however many policies asked for it.

    Attributes
    ----------
    refused, asked
        Fits refused, and fits asked for.
    last_at, why
        The cut of the last refused fit, and the reason.
    """

    refused: int
    asked: int
    last_at: Instant
    why: str

    @property
    def all(self) -> bool:
        """Whether no fit could be made at all."""
        return self.refused == self.asked

    def __str__(self) -> str:
        """Say how many there were, and why."""
        last = f"; the last, of {day(self.last_at)}, because" if self.asked > 1 else " because"
        were = "was" if self.refused == 1 else "were"
        return f"{self.refused:,} of {count(self.asked, 'fit')} {were} refused{last} {self.why}."


def refusals(compared: Compared) -> Refusals | None:
    """Gather the refused fits of a comparison; None where every fit was made."""
    refused = {fact.asked_at: fact for facts in compared.refused.values() for fact in facts}
    if not refused:
        return None
    last = refused[max(refused)]
    return Refusals(
        len(refused), len(refused) + compared.fits["cut_at"].n_unique(), last.asked_at, last.happened
    )


def verdict(
    comparison: Comparison, *, depends_on_action: str = "no", refused: Refusals | None = None
) -> Verdict:
    """Say which policy to run and what speaks for it.

    From the simplest policy it climbs as long as a less simple one clearly made more (the interval
    of the paired difference lies above zero): from the status quo to always doing one thing, a
    model never refitted, few refits, many. Random dummies are never recommended.

    Parameters
    ----------
    comparison
        At least one policy.
    depends_on_action
        The brief's answer; unless ``no``, or estimated from randomised cases, the money is titled *not
        identified*, and decides nothing.
    refused
        Fits that could not be made; when none could, the verdict is that.
    """
    chosen = _simplest(comparison)
    identified = is_identified(comparison, depends_on_action)
    made = _made(chosen, comparison, settled=kind_of_case(comparison, depends_on_action))
    if not chosen.settled:
        return Verdict(chosen.policy, "No case of this span has an outcome yet: nothing can be compared.", ())
    if refused and refused.all:
        headline = f"No model could be fitted: {refused}"
        return Verdict(chosen.policy, headline, (_NO_MODEL, made))
    found = None if _too_short(comparison) else doubt(chosen, comparison)
    figures = _figures(chosen, comparison, made=made, refused=refused, identified=identified)
    headline = _headline(chosen, comparison, found)
    if identified and found is None:
        return Verdict(chosen.policy, headline, tuple(filter(None, figures)))
    asks = (
        closing_sentence(found),
        "" if identified else f"Nothing is decided by these figures: {ASK_FOR_SHARE}",
    )
    question = found.question if found else ""
    if not identified:
        question = ASK_FOR_SHARE
        headline = found.unidentified(depends_on_action) if found else f"{ASSUMES} If so: {headline}"
    finer = _finer(chosen, comparison)
    return Verdict(
        chosen.policy,
        headline,
        tuple(text for text in figures if text and text not in finer),
        asks=tuple(filter(None, asks)),
        finer=finer,
        undecided=found is not None,
        question=question,
    )


def _figures(
    chosen: PolicyMoney, comparison: Comparison, *, made: str, refused: Refusals | None, identified: bool
) -> tuple[str, ...]:
    """Give every sentence on the figures, some of them empty."""
    others = [_runner_up(chosen, comparison), _refitting(chosen, comparison)]
    if kind_of(chosen) == "every":
        others.reverse()  # of the recommended policy first
    return (
        made,
        evidence_sentence(chosen, comparison),
        chance_sentence(chosen, comparison),
        _some_refused(refused),
        *others,
        _dummies(comparison),
        _regret(chosen, comparison),
        _success(chosen, comparison, identified=identified),
        *break_even_sentences(chosen, comparison),
        corners_sentence(chosen, comparison),
    )


def _finer(chosen: PolicyMoney, comparison: Comparison) -> tuple[str, ...]:
    """Give the sentences that can wait where nothing is decided."""
    clear = chosen.versus_best is not None and chosen.versus_best.high < 0
    runner_up = "" if clear else _runner_up(chosen, comparison)
    dummies = "" if _a_dummy_leads(comparison) else _dummies(comparison)
    return tuple(filter(None, (runner_up, dummies, _regret(chosen, comparison))))


def best_of(comparison: Comparison) -> PolicyMoney:
    """Give the policy with the highest total."""
    return max(comparison.policies, key=lambda policy: policy.total.value)


def _simplest(comparison: Comparison) -> PolicyMoney:
    ladder = {"status quo": 0, "always": 1, "incumbent": 2, "never": 3, "every": 4}
    pool = [policy for policy in comparison.policies if kind_of(policy) in ladder]
    pool.sort(key=lambda policy: (ladder[kind_of(policy)], policy.fits, -policy.total.value))
    chosen = pool[0]
    for policy in pool[1:]:
        if chosen.policy in policy.beats:
            chosen = policy
    return chosen


def _too_short(comparison: Comparison) -> bool:
    return not math.isfinite(best_of(comparison).total.low)


def _headline(chosen: PolicyMoney, comparison: Comparison, found: Doubt | None) -> str:
    if _too_short(comparison):
        days = -(-(comparison.to_at - comparison.from_at) // DAY)
        return (
            f"Too little history to tell: an interval needs {LEAST_BLOCKS} blocks of"
            f" {format_span(comparison.block)}; this is {count(days, 'day')}."
        )
    if found is not None:
        return found.headline
    best = best_of(comparison)
    if chosen.versus_best is not None and chosen.versus_best.high < 0:
        return f"No skill was shown: the dummy {called(best)} made more than anything else."
    more = chosen.versus_chance
    if kind_of(chosen) in ("never", "every") and more is not None and not more.low > 0:
        return "No skill was shown: as many cases picked at random on the same days may do as well."
    gain = chosen.versus_never
    if kind_of(chosen) == "every" and gain is not None and not gain.low > 0:
        return f"Refit {chosen.policy}: it clearly made more than the status quo, and fitting once did not."
    refitted = any(kind_of(policy) == "every" for policy in comparison.policies)
    clearly = "" if best is chosen else "clearly "
    return {
        "status quo": f"Keep the status quo: nothing that was tried {clearly}made more.",
        "incumbent": f"Keep the running system: nothing that was tried {clearly}made more.",
        "always": f"You don't need a model: nothing that was tried {clearly}made more than {called(chosen)}.",
        "never": f"You don't need refitting: nothing that was tried {clearly}made more than fitting once."
        if refitted
        else "Use the model: it beats the status quo.",
        "every": f"Refit {chosen.policy}: it pays for its fits.",
    }[kind_of(chosen)]


def _made(chosen: PolicyMoney, comparison: Comparison, *, settled: str) -> str:
    unit, name = comparison.unit, called(chosen)
    span = f"decided from {days_between(comparison.from_at, comparison.to_at)}"
    text = (
        f"{name[0].upper()}{name[1:]} made {amount(chosen.total.value)} {unit}"
        f" on {count(chosen.settled, settled + ' case')} {span}"
    )
    if chosen.fits:
        cost = f"{amount(chosen.fit_costs)} {unit} for " if chosen.fit_costs else ""
        text += f", after {cost}{count(chosen.fits, 'fit')}"
    gain = chosen.versus_status_quo
    if gain is None:
        return text + "."
    more = _more(gain.value, unit)
    return f"{text}: {more} than the status quo ({between(gain, comparison.confidence)})."


def _more(value: float, unit: str) -> str:
    return f"{amount(abs(value))} {unit} {'more' if value >= 0 else 'less'}"


def _runner_up(chosen: PolicyMoney, comparison: Comparison) -> str:
    best = best_of(comparison)
    behind = chosen.versus_best
    if behind is None or (kind_of(chosen) == "never" and kind_of(best) == "every"):
        return ""  # the sentence on refitting says it
    if behind.high < 0:
        return f"{_capital(called(best))} made {_more(-behind.value, comparison.unit)}."
    if _too_short(comparison):
        return ""
    return (
        f"{_capital(called(best))} made most, {_more(-behind.value, comparison.unit)}, which may be luck"
        f" ({comparison.confidence:.0%} interval {amount(-behind.high)} to {amount(-behind.low)})."
    )


def _some_refused(refused: Refusals | None) -> str:
    if refused is None:
        return ""
    return f"{refused} Until a fit succeeds, cases are decided as before."


def _refitting(chosen: PolicyMoney, comparison: Comparison) -> str:
    """Say whether refitting pays: of the recommended policy if it refits, else of the best that does."""
    refits = [policy for policy in comparison.policies if kind_of(policy) == "every"]
    best = max(refits, key=lambda policy: policy.total.value, default=None)
    if best is None or best.versus_never is None:
        return ""
    clear = [policy for policy in refits if policy.versus_never and policy.versus_never.low > 0]
    judged = chosen if chosen in refits and chosen.versus_never is not None else best
    if judged is best and clear:
        judged = max(clear, key=lambda policy: policy.total.value)
    gain, unit = judged.versus_never or best.versus_never, comparison.unit
    found = f"{called(judged)} made {_more(gain.value, unit)} than never refitting"
    interval = between(gain, comparison.confidence)
    if judged is not best and not gain.low > 0 and best.versus_never.low > 0:
        more = f"{called(best)} made {_more(best.versus_never.value, unit)}"
        return (
            f"{_capital(found)} ({interval}); {more} ({between(best.versus_never, comparison.confidence)})."
        )
    if gain.low > 0:
        flattered = "; as the best of several it is flattered a little" if len(refits) > 1 else ""
        return f"Refitting pays: {found}, its fits paid ({interval}{flattered})."
    if gain.high < 0:
        return f"Refitting loses money: even {found} ({interval})."
    if not math.isfinite(gain.low):
        return f"Whether refitting pays can't be told: {found} ({interval})."
    no_gain = f"at best, {found} ({interval}), which may be nothing"
    if gain.low == gain.high == 0:
        no_gain = f"{called(judged)} made as much as never refitting"
    return f"Refitting is not shown to pay: {no_gain}."


def _best_of(comparison: Comparison, *kinds: str) -> PolicyMoney | None:
    pool = [policy for policy in comparison.policies if kind_of(policy) in kinds]
    return max(pool, key=lambda policy: policy.total.value, default=None)


def _a_dummy_leads(comparison: Comparison) -> bool:
    dummy, model = _best_of(comparison, "random", "always"), _best_of(comparison, "never", "every")
    return dummy is not None and model is not None and dummy.total.value >= model.total.value


def _dummies(comparison: Comparison) -> str:
    dummy = _best_of(comparison, "random", "always")
    if dummy is None or _best_of(comparison, "never", "every") is None:
        return ""
    made = f"made {amount(dummy.total.value)} {comparison.unit}"
    if _a_dummy_leads(comparison):
        return f"No model made more than a dummy: {called(dummy)} {made}."
    return f"The best dummy, {called(dummy)}, {made}."


def _regret(chosen: PolicyMoney, comparison: Comparison) -> str:
    regret, floor = chosen.regret_oracle, chosen.regret_floor
    if regret is None or floor is None:
        return ""
    unit = comparison.unit
    if regret <= 0:
        return "The best schedule in hindsight, scored on cases that it wasn't chosen on, made no more."
    if regret <= floor:
        return (
            f"Refitting at the best moments in hindsight would have made {_more(regret, unit)};"
            f" there is no sign of a better schedule, since models of equal worth could show up to"
            f" {amount(floor)} by luck alone. That floor decides, not the regret's interval: the moments were"
            " picked after the fact."
        )
    return (
        f"Refitting at the best moments in hindsight would have made {_more(regret, unit)}, above"
        f" the {amount(floor)} that models of equal worth could show by luck alone: a better schedule may"
        " exist."
    )


def _success(chosen: PolicyMoney, comparison: Comparison, *, identified: bool) -> str:
    policy = chosen
    if policy.success is None:
        tried = [one for one in comparison.policies if one.success is not None and kind_of(one) != "random"]
        if not tried:
            return ""
        policy = max(tried, key=lambda one: (one.success is not None and one.success.met, one.total.value))
    success, gain = policy.success, policy.gain_per_case
    if success is None or gain is None:
        return ""
    asked = f"{amount(success.required)} {comparison.unit} more per case than the status quo"
    bound = (
        f"with {success.confidence:.0%} confidence it is at least {amount(success.lower_bound)}"
        if math.isfinite(success.lower_bound)
        else "too few days to say with what confidence"
    )
    met = "is met" if success.met else "is not met"
    if not identified:
        met = "can't be decided without a random share of cases left alone"
    who = "" if policy is chosen else f" by {called(policy)}"
    where = ", at the middle of the ranges" if policy.gain_corners else ""
    return f"The brief's criterion, {asked}, {met}{who}: it was {amount(gain.value)}, and {bound}{where}."


_NO_MODEL = (
    "Policies that ask for models decided as the status quo does; nothing here says what a model is worth."
)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
