"""Segments of cases of which no outcome is told, or always the same one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from wholeroad.road.data.history import History
from wholeroad.road.data.quality.outcomes_told import CameTrue, Flags, came_true
from wholeroad.road.data.quality.seen import CASE, Seen
from wholeroad.road.data.quality.times_runs import FAMILY
from wholeroad.road.data.quality.times_telling import tell_of_time
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found, column, literal

_LEVELS: Final = 60
_LEAST: Final = 10
_HALF: Final = 0.5
_HARDLY: Final = 0.1
"""Where silence is an outcome, seldom told is seldom that; only hardly ever is odd."""
_SPANS: Final = 20
"""Parts of time with equally many cases, within which a segment is compared with the others."""
_SHARE: Final = 0.5
"""A segment that holds more of the cases than this is no segment."""
_USUAL: Final = 0.9
"""Share of outcomes that is told after as long as outcomes usually take."""


def find_segments_without_outcomes(seen: Seen) -> Iterator[Trouble]:
    """Find categories of the case whose outcomes are hardly ever told, or all one, while of others they vary.

    The chance that so few of a segment's outcomes came, if they came as often as elsewhere, is bounded by
    Chernoff's bound with the relative entropy (Hoeffding 1963, Probability inequalities for sums of bounded
    random variables, theorem 1); the bar is Bonferroni's over all segments. Elsewhere means cases of the
    same time, weighted like the segment's own (direct standardisation: Fleiss, Levin and Paik 2003,
    Statistical methods for rates and proportions, chapter 19), so that what was discontinued or is new isn't
    compared with other times; cases younger than nearly all outcomes take are left out.
    """
    if seen.history is None or seen.name != seen.brief.case.source or seen.decided is None:
        return
    came, frame = came_true(seen.history), seen.decided
    place = frame[CASE].to_numpy()
    turned = pl.DataFrame(
        {
            "mature": _old_enough(seen.history, came)[place],
            "told": came.told[place],
            "known": came.known[place],
            "hit": came.hit[place],
            "decided": came.decided_at[place],
        }
    )
    words = {
        name: seen.looked.texts[name].levels
        for name in seen.looked.texts
        if not seen.looked.texts[name].identifies
        and seen.touches(name) != "truth"
        and 2 <= len(seen.looked.texts[name].levels) <= _LEVELS
    }
    words |= dict.fromkeys(seen.looked.booleans, ("true", "false"))
    bar = math.log(max(1, sum(map(len, words.values()))) * 3) - math.log(FAMILY)
    hardly = _HARDLY if seen.brief.outcome.if_never != "drop" else _HALF
    for name in words:
        for word, mine, others in _beside(turned, frame[name].cast(pl.String)):
            said = _said(mine, others, name=came.name, bars=(bar, hardly))
            if said is not None:
                yield _told(seen, name, word, said, cases=int((frame[name].cast(pl.String) == word).sum()))


@dataclass(frozen=True, slots=True)
class _Turned:
    """How some cases turned out: all that are old enough, those told of, those known, those that hit."""

    cases: float
    told: float
    known: float
    hits: float


def _old_enough(history: History, came: CameTrue) -> Flags:
    """Mark the cases that are mature, and older than nearly all outcomes took to become known."""
    timeline = history.timeline
    if history.brief.timeless:
        return came.mature
    spoken = (timeline.truth_code >= 0) & ~history.told.silent
    delay = timeline.truth_known_at[spoken] - timeline.decided_at[timeline.truth_case[spoken]]
    usual = int(np.quantile(delay, _USUAL)) if delay.size else 0
    return np.asarray(came.mature & (came.decided_at + usual <= history.until))


def _beside(turned: pl.DataFrame, words: pl.Series) -> Iterator[tuple[str, _Turned, _Turned]]:
    """Give each segment's cases, and those of others as if they had come at the same times."""
    some = turned.with_columns(words.alias("word")).filter("mature")
    if not some.height:
        return
    span = (pl.col("decided").rank("min") - 1) * _SPANS // pl.len()
    cells = some.group_by("word", span.alias("span")).agg(pl.len(), pl.col("told", "known", "hit").sum())
    codes = cells["word"].drop_nulls().unique().sort()
    of_span = cells["span"].cast(pl.Int64).to_numpy()
    figures = cells.select("len", "told", "known", "hit").to_numpy().astype(np.float64)
    whole = np.zeros((_SPANS, 4))
    np.add.at(whole, of_span, figures)
    for word in codes:
        own = np.zeros((_SPANS, 4))
        here = (cells["word"] == word).fill_null(value=False).to_numpy()
        own[of_span[here]] = figures[here]
        rest = whole - own
        rates = rest[:, [1, 3]] / np.maximum(rest[:, [0, 2]], 1e-9)
        covered = rest[:, [0, 2]] > 0
        weights = own[:, [0, 2]] * covered
        told, hit = (weights * rates).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-9)
        cases, _, known, _ = rest.sum(axis=0)
        yield word, _Turned(*own.sum(axis=0)), _Turned(cases, told * cases, known, hit * known)


def _said(
    mine: _Turned, others: _Turned, *, name: str, bars: tuple[float, float]
) -> tuple[str, float] | None:
    """Say what is odd about a segment's outcomes, and how sure that is; None where nothing is."""
    bar, hardly = bars
    if mine.cases < _LEAST or mine.cases > _SHARE * (mine.cases + others.cases) or not others.cases:
        return None
    told, elsewhere = mine.told / mine.cases, others.told / others.cases
    surety = mine.cases * _entropy(told, elsewhere) / bar
    if told <= hardly * elsewhere and surety >= 1:
        return (
            f"an outcome was told for {told:.1%} of {mine.cases:,.0f} cases, elsewhere {elsewhere:.1%}",
            surety,
        )
    if mine.known < _LEAST or not others.known:
        return None
    rate, usual = mine.hits / mine.known, others.hits / others.known
    surety = mine.known * _entropy(rate, usual) / bar
    if rate in {0.0, 1.0} and 0 < usual < 1 and surety >= 1:
        always = "always" if rate == 1.0 else "never"
        return f"its outcome is {always} {name} ({mine.known:,.0f} cases), elsewhere in {usual:.1%}", surety
    return None


def _entropy(share: float, usual: float) -> float:
    usual = min(max(usual, 1e-6), 1 - 1e-6)
    parts = ((share, usual), (1 - share, 1 - usual))
    return sum(each * math.log(each / other) for each, other in parts if each > 0)


def _told(seen: Seen, name: str, level: str, said: tuple[str, float], *, cases: int) -> Trouble:
    text, surety = said
    boolean = name in seen.looked.booleans
    where = f"{column(name)} = {level if boolean else literal(level)}"
    mask = (seen.rows[name].cast(pl.String) == level).fill_null(value=False).to_numpy()
    return tell_of_time(
        seen,
        Found(
            code="quality.segment-without-outcomes",
            columns=(name,),
            what=f"where {name} is {level!r}, {text}",
            risk="a model learns nothing of it, or learns that nothing ever happens there, and decides on "
            "it all the same; its money is in no report",
            where=where,
            mask=mask,
            mend="land its outcomes; until then let the status quo decide for it, or leave it out of the "
            "cases: "
            f'{{ drop = "{where.replace(chr(34), chr(39))}", reason = "no outcomes" }}',
            leave="when it is decided elsewhere, or really can't turn out otherwise: then it needs no "
            "decision",
            strength=surety,
        ),
        cases=cases,
    )
