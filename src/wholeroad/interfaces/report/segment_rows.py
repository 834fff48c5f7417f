"""Segments as rows of a table, with the sentence that keeps them from being over-read."""

from __future__ import annotations

import math
from itertools import groupby
from typing import Any, Final

from wholeroad.interfaces.report.amounts import amount, count
from wholeroad.road.watch.segments import TIME, Segment, Segments

_MARKS: Final = {"gains": "clearly gains", "loses": "clearly loses", "": ""}
_HEADS: Final = {TIME: "By time"}


def segment_rows(segments: Segments) -> dict[str, Any]:
    """Give what the template needs: a sentence, and the rows by what they are cut by."""
    widest = max((abs(segment.per_case.value) for segment in segments.segments), default=0.0)
    return {
        "policy": segments.policy,
        "sentence": _sentence(segments),
        "confidence": f"{segments.confidence:.0%}",
        "groups": [
            (_HEADS.get(by, f"By {by}"), [_row(one, widest) for one in members])
            for by, members in groupby(segments.segments, key=lambda one: one.by)
        ],
    }


def _row(segment: Segment, widest: float) -> dict[str, str]:
    known = math.isfinite(segment.per_case.low)
    low, high = amount(segment.per_case.low) if known else "", amount(segment.per_case.high) if known else ""
    share = abs(segment.per_case.value) / widest if widest else 0.0
    return {
        "name": segment.name,
        "cases": f"{segment.cases:,}",
        "gain": amount(segment.gain),
        "per_case": amount(segment.per_case.value),
        "range": f"{low} to {high}" if known else "no interval",
        "mark": _MARKS[segment.mark],
        "kind": segment.mark or "unmarked",
        "width": f"{100 * share:.0f}",
        "side": "loss" if segment.per_case.value < 0 else "gain",
    }


def _sentence(segments: Segments) -> str:
    loses = [f"{one.name} ({one.by})" for one in segments.segments if one.mark == "loses"]
    gains = [one for one in segments.segments if one.mark == "gains"]
    chance = segments.by_chance
    misses = "about one interval misses" if chance < 1.5 else f"about {chance:.0f} intervals miss"
    if chance < 0.5:
        misses = "an interval may miss"
    text = f"{count(len(segments.segments), 'segment')} were looked at, so {misses} by chance alone."
    if loses:
        text = f"The policy clearly loses in {', '.join(loses)}. {text}"
    elif gains:
        text = (
            f"It clearly gains in {len(gains)} of {len(segments.segments)}, and clearly loses in none. {text}"
        )
    else:
        text = f"No segment stands out. {text}"
    return text
