"""What the money of a comparison rests on, in words: settled, estimated from randomised cases, or counted."""

from __future__ import annotations

from wholeroad.interfaces.report.amounts import amount, count
from wholeroad.interfaces.report.names import called
from wholeroad.road.watch.results import Comparison, PolicyMoney

ASSUMES = "Not identified: assumes that acting changes nothing."

ASK_FOR_SHARE = "may a random share of the cases be left alone from now on, to see what acting changes?"


def is_identified(comparison: Comparison, depends_on_action: str) -> bool:
    """Tell whether the money means what it says: acting changes nothing, or chance had a part in it."""
    return depends_on_action == "no" or comparison.randomised > 0


def kind_of_case(comparison: Comparison, depends_on_action: str) -> str:
    """Name the cases that the figures rest on: settled, randomised, or only counted."""
    if depends_on_action == "no":
        return "settled"
    return "randomised" if comparison.randomised else "counted"


def title(comparison: Comparison, depends_on_action: str) -> str:
    """Say over a table what its money rests on; empty where it is settled."""
    if depends_on_action == "no":
        return ""
    if comparison.randomised:
        return "Estimated from"
    return "Not identified: assumes that acting doesn't change outcomes."


def evidence_sentence(chosen: PolicyMoney, comparison: Comparison) -> str:
    """Say how much the randomised cases tell, and what would have been counted without them."""
    if not comparison.randomised:
        return ""
    text = (
        f"Acting may change what happens, so this is estimated from {count(comparison.randomised, 'case')}"
        f" (of {comparison.cases:,}) in which chance chose the action with a known probability"
    )
    if chosen.effective_cases is not None:
        text += (
            f"; of {called(chosen)} they tell as much as {count(round(chosen.effective_cases), 'case')} would"
        )
    tried = [one for one in comparison.policies if one.gain_per_case and one.naive_gain_per_case]
    judged = chosen if chosen in tried else max(tried, key=lambda one: one.total.value, default=None)
    if judged is not None and judged.gain_per_case and judged.naive_gain_per_case:
        text += (
            f". Counted as if acting changed nothing, {called(judged)} would gain"
            f" {amount(judged.naive_gain_per_case.value)} {comparison.unit} per case; the estimate is"
            f" {amount(judged.gain_per_case.value)}"
        )
    left_out = ", ".join(comparison.unsupported)
    return f"{text}." + (
        f" What {left_out} wants was done by chance too seldom, or too little came of it, for an estimate."
        if left_out
        else ""
    )
