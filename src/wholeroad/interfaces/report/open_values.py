"""What the brief leaves open, in words: where the winner changes, and what to ask the business."""

from __future__ import annotations

import math
from dataclasses import dataclass

from wholeroad.interfaces.report.amounts import amount, between
from wholeroad.interfaces.report.names import called, kind_of
from wholeroad.road.watch.ranges import A_MISS
from wholeroad.road.watch.results import BreakEven, Comparison, OpenValue, PolicyMoney

_SHOWN = 3
"""At most so many values have their sentence."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two policies of which the open values decide.

    Attributes
    ----------
    judged, rival
        The one that is held against the other.
    question
        To put to the business; empty where no single value decides.
    condition
        Under which the judged one wins, as the end of a sentence; empty where no single value decides.
    """

    judged: PolicyMoney
    rival: PolicyMoney | None
    question: str
    condition: str

    @property
    def headline(self) -> str:
        """Say that nothing is decided, and on what it hangs."""
        hangs_on = (
            "what a miss costs" if A_MISS in self.question.lower() else "values that the brief leaves open"
        )
        return f"Undecided: whether {called(self.judged)} beats {self._rival} depends on {hangs_on}."

    def unidentified(self, depends_on_action: str) -> str:
        """Say it in one sentence where it isn't known either what acting changes."""
        wins = f"{called(self.judged)} beats {self._rival}"
        if depends_on_action == "yes":
            where = self.condition or "the open values of the brief favour it"
            return (
                "Undecided: acting changes what happens, and nobody has measured how; as if it didn't,"
                f" {wins} if {where}."
            )
        where = self.condition or "the values that the brief leaves open favour it"
        return f"Undecided: {wins} if {where} and acting doesn't change what happens; neither is known yet."

    @property
    def _rival(self) -> str:
        return "the status quo" if self.rival is None else called(self.rival)


def doubt(chosen: PolicyMoney, comparison: Comparison) -> Doubt | None:
    """Find out whether the winner changes within the ranges of values; None where it doesn't.

    It does when the recommended policy's gain over the status quo has both signs there, or when another
    policy clearly makes more than the recommended one somewhere in the ranges and not at their middle. A
    gain that is clear nowhere in them hangs on luck, not on values.
    """
    judged = ranged(chosen, comparison)
    corners = judged.gain_corners
    rival = next((one for one in comparison.policies if kind_of(one) == "status quo"), None)
    clear = judged is chosen or (rival is not None and rival.policy in judged.beats_somewhere)
    if clear and corners and corners[0] < 0 < corners[1]:
        return Doubt(judged, rival, *_asked(judged, rival, comparison))
    for other in comparison.policies:
        wins = chosen.policy in other.beats_somewhere and chosen.policy not in other.beats
        if wins and kind_of(other) not in ("random", "status quo"):
            return Doubt(other, chosen, *_asked(other, chosen, comparison))
    return None


def ranged(chosen: PolicyMoney, comparison: Comparison) -> PolicyMoney:
    """Give the policy whose gain the open values move: the chosen one, or what is held against it."""
    others = [one for one in comparison.policies if one.gain_corners and kind_of(one) != "random"]
    if chosen.gain_corners or not others:
        return chosen
    return max(others, key=lambda one: one.gain_corners[1] if one.gain_corners else 0.0)


def corners_sentence(chosen: PolicyMoney, comparison: Comparison) -> str:
    """Say over what the gain runs within the ranges of values."""
    judged = ranged(chosen, comparison)
    if judged.gain_corners is None:
        return ""
    low, high = (amount(corner) for corner in judged.gain_corners)
    of = "" if judged is chosen else f" of {called(judged)}"
    over = "the brief's ranges of values"
    if [one.name for one in comparison.open_values] == [A_MISS]:
        miss = comparison.open_values[0]
        over = f"the brief's range for a miss, {amount(miss.low)} to {amount(miss.high)} false alarms,"
    return f"Over {over} the gain{of} over the status quo runs from {low} to {high} {comparison.unit}."


def closing_sentence(found: Doubt | None) -> str:
    """Say what to ask before deciding."""
    if found is None:
        return ""
    if not found.question:
        return "Undecided: ask the business to narrow the ranges before deciding."
    return f"Before deciding, ask the business: {found.question}"


def break_even_sentences(chosen: PolicyMoney, comparison: Comparison) -> tuple[str, ...]:
    """Say for each open value from where on the policy beats the status quo."""
    judged = chosen
    if not any(chosen.break_evens):
        others = [one for one in comparison.policies if any(one.break_evens) and kind_of(one) != "random"]
        judged = max(others, key=lambda one: one.total.value, default=chosen)
    name = called(judged)
    return tuple(
        f"With the actions taken, {name} {_from_where_on(found, value, comparison)}."
        for value, found in zip(comparison.open_values, judged.break_evens, strict=False)
        if found is not None
    )[:_SHOWN]


def chance_sentence(chosen: PolicyMoney, comparison: Comparison) -> str:
    """Say what as many cases picked at random would have given, under a capacity."""
    judged = chosen
    if kind_of(chosen) == "status quo":
        models = [one for one in comparison.policies if kind_of(one) in ("never", "every")]
        judged = max(models, key=lambda one: one.total.value, default=chosen)
    chance, more = judged.by_chance, judged.versus_chance
    if chance is None or more is None or kind_of(judged) == "status quo":
        return ""
    interval = between(more, comparison.confidence)
    if comparison.form == "capacity":
        return (
            f"{_capital(called(judged))} had {amount(chance + more.value)} hits where chance would give"
            f" {amount(chance)}: as many cases picked at random on the same days; the difference is"
            f" {amount(more.value)} ({interval})."
        )
    return (
        f"As many cases picked at random on the same days would have made {amount(chance)} {comparison.unit}"
        f" before fits: {amount(abs(more.value))} {comparison.unit}"
        f" {'less' if more.value >= 0 else 'more'} than {called(judged)} ({interval})."
    )


def _from_where_on(found: BreakEven, value: OpenValue, comparison: Comparison) -> str:
    at, side = found.value.value, "above" if found.above else "below"
    if value.name != A_MISS:
        interval = between(found.value, comparison.confidence)
        return (
            f"beats the status quo where {value.name} is {side} {amount(at)} {comparison.unit} ({interval})"
        )
    interval = f"{comparison.confidence:.0%} interval {_ratio(found.value.low)} to {_ratio(found.value.high)}"
    if not math.isfinite(found.value.low):
        interval = "no interval"
    if at <= 0:
        always = "whatever a miss costs" if found.above else "at no cost of a miss"
        return f"beats the status quo {always} (the turning point's {interval})"
    span = f"{value.middle:g}" if value.low == value.high else f"{value.low:g} to {value.high:g}"
    return (
        f"beats the status quo {side} {_ratio(at)} ({interval}): a miss against a false alarm, and the brief"
        f" says {span} : 1"
    )


def _ratio(value: float) -> str:
    return f"{max(0.0, value):,.1f} : 1"


def _asked(judged: PolicyMoney, rival: PolicyMoney | None, comparison: Comparison) -> tuple[str, str]:
    """Ask for the value that decides by itself, and say where the judged policy wins.

    Of several such values it is the one that moves the most money.
    """
    deciding = []
    for place, value in enumerate(comparison.open_values):
        if rival is None or not (judged.open_counts and rival.open_counts):
            continue
        more = judged.open_counts[place] - rival.open_counts[place]
        turn = value.middle - (judged.total.value - rival.total.value) / more if more else math.inf
        if value.low <= turn <= value.high:
            deciding.append((abs(more) * (value.high - value.low), value.name, turn, more > 0))
    if not deciding:
        return "", ""
    _, name, turn, above = max(deciding)
    at = f"{turn:,.1f} false alarms" if name == A_MISS else f"{amount(turn)} {comparison.unit}"
    return f"Is {name} worth more than {at}?", f"{name} is worth {'more' if above else 'less'} than {at}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
