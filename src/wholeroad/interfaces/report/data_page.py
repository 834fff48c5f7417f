"""The profile of a project's data as one HTML page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from markupsafe import Markup

from wholeroad import __version__
from wholeroad.core.instants import format_instant
from wholeroad.engine.profiling import Profiled
from wholeroad.interfaces.report.amounts import amount, count, day
from wholeroad.interfaces.report.data_charts import arrivals_chart, rates_chart
from wholeroad.interfaces.report.teaching import Teaching
from wholeroad.interfaces.report.templating import environment
from wholeroad.lessons import entry_for, lesson_for, numbers_of_brief
from wholeroad.road.data.quality.money import FeatureMoney
from wholeroad.road.data.quality.summaries import ColumnSummary, SourceSummary
from wholeroad.road.data.quality.troubles import KINDS, Touches, Trouble

TOUCHES: Final[dict[Touches, str]] = {
    "truth": "tells the truth",
    "case": "says when a case is decided",
    "value": "makes up the value",
    "time": "says when rows happened or were known",
    "key": "names the row",
    "feature": "feeds a feature",
    "nothing": "not used by the brief",
}
_SEGMENTS: Final = 60


def render_data(profiled: Profiled) -> str:
    """Write the page; the same profile gives the same page.

    Returns
    -------
    str
        HTML; to be written as UTF-8.
    """
    return environment().get_template("data.html.j2").render(data_context(profiled))


def data_context(profiled: Profiled) -> dict[str, Any]:
    """Give what the template fills in."""
    brief = profiled.brief
    teaching = Teaching(numbers_of_brief(brief))
    return {
        "name": brief.brief.name,
        "version": __version__,
        "unit": brief.unit,
        "looked_for": profiled.looked_for,
        "identified": brief.outcome.depends_on_action == "no",
        "headline": headline(profiled),
        "short": list(in_short(profiled)),
        "tiles": list(_tiles(profiled)),
        "without_history": profiled.without_history,
        "troubles": [_trouble(one, brief.unit, teaching) for one in profiled.troubles],
        "rates": _rates(profiled),
        "segments": [
            {
                "column": one.column,
                "value": one.value,
                "share": f"{one.share:.1%}",
                "range": f"{one.low:.1%} to {one.high:.1%}",
                "n": f"{one.n:,}",
                "cases": f"{one.cases:,}",
            }
            for one in profiled.segments[:_SEGMENTS]
        ],
        "features": [_feature(one) for one in profiled.features],
        "arrivals": list(_arrivals(profiled)),
        "sources": [_source(one, profiled.troubles) for one in profiled.sources],
        "limits": list(not_looked_at(profiled)),
    }


def headline(profiled: Profiled) -> str:
    """Say the profile in a line."""
    used = [one for one in profiled.troubles if one.touches != "nothing"]
    columns = count(sum(len(source.columns) for source in profiled.sources), "column")
    if not profiled.sources:
        return "Nothing has landed yet, so nothing could be looked at"
    if not profiled.troubles:
        return f"Nothing was found in {columns}"
    rest = len(profiled.troubles) - len(used)
    if not used:
        return f"Nothing was found in what the brief reads; {count(rest, 'trouble')} in other columns"
    unused = f", and {rest} in columns that it doesn't use" if rest else ""
    return f"{count(len(used), 'trouble')} in what the brief reads{unused}"


def in_short(profiled: Profiled) -> Iterator[str]:
    """Say the gravest, one sentence each."""
    for one in [one for one in profiled.troubles if one.touches != "nothing"][:3]:
        yield f"{one.source}: {one.what}"
    looked = ", ".join(
        f"{source.name} ({count(source.rows, 'row')}{', a sample' if source.share < 1 else ''})"
        for source in profiled.sources
    )
    if looked:
        yield f"Looked at: {looked}."


def title_of(code: str) -> str:
    """Name a trouble as its lesson does."""
    lesson, entry = lesson_for(code), entry_for(code)
    if lesson is not None:
        return lesson.title
    return entry.means.partition(".")[0] if entry is not None else code


def _tiles(profiled: Profiled) -> Iterator[tuple[str, str, str]]:
    yield "Sources", f"{len(profiled.sources)}", count(sum(s.rows for s in profiled.sources), "row")
    columns = [column for source in profiled.sources for column in source.columns]
    used = sum(column.touches != "nothing" for column in columns)
    yield "Columns", f"{len(columns)}", f"{used} of them read by the brief"
    empty = sum(column.nulls for column in columns)
    cells = sum(source.rows * len(source.columns) for source in profiled.sources)
    yield "Empty", f"{empty / cells if cells else 0:.1%}", "of all values"
    n = sum(rate.n for rate in profiled.rates)
    if n:
        share = sum(rate.share * rate.n for rate in profiled.rates) / n
        yield f"Outcome: {profiled.looked_for}", f"{share:.1%}", f"of {n:,} settled cases"


def _trouble(one: Trouble, unit: str, teaching: Teaching) -> dict[str, Any]:
    columns = list(dict.fromkeys(name for row in one.examples for name in row))
    lesson = lesson_for(one.code)
    stake = f"at most {amount(one.at_stake)} {unit} a month are decided on it" if one.at_stake else ""
    return {
        "title": title_of(one.code),
        "place": f"{one.source}.{', '.join(one.columns)}" if one.columns else one.source,
        "touches": TOUCHES[one.touches],
        "unused": one.touches == "nothing",
        "rows": f"{one.rows:,} of {one.of:,} rows ({one.share:.2%})",
        "at_stake": stake,
        "code": one.code,
        "what": one.what,
        "why": one.why,
        "where": one.where,
        "mend": one.mend,
        "step": one.mend.startswith("{"),
        "source": one.source,
        "leave": one.leave,
        "columns": columns,
        "examples": [[_cell(row.get(name)) for name in columns] for row in one.examples],
        "lessons": teaching.beside(one.code),
        "told": f"lesson-{lesson.code.replace('.', '-')}" if lesson is not None else "",
    }


def _cell(value: object) -> str:
    if value is None:
        return "–"
    text = f"{value:,.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _rates(profiled: Profiled) -> dict[str, str] | None:
    if len(profiled.rates) < 2:
        return None
    first, last, of = profiled.rates[0], profiled.rates[-1], profiled.looked_for
    return {
        "svg": _drawn(rates_chart(profiled.rates)),
        "label": f"Share of {of} by week: {first.share:.1%} at first, {last.share:.1%} at last.",
        "caption": f"Share of {of} among the settled cases of each week, with its 95% interval; that is as "
        "wide as the days vary, which is more than single cases would.",
    }


def _feature(one: FeatureMoney) -> dict[str, Any]:
    return {
        "name": one.name,
        "gain": amount(one.gain),
        "range": f"{amount(one.low)} to {amount(one.high)}" if math.isfinite(one.low) else "too few days",
        "clear": one.low > 0,
        "rule": one.rule or "no rule of one threshold beats the status quo",
        "none": not one.rule,
        "bins": [
            {
                "label": each.label,
                "cases": f"{each.cases:,}",
                "share": f"{each.share_hit:.1%}",
                "best": each.best,
                "gain": amount(each.gain),
                "range": f"{amount(each.low)} to {amount(each.high)}" if math.isfinite(each.low) else "",
            }
            for each in one.bins
        ],
    }


def _arrivals(profiled: Profiled) -> Iterator[dict[str, str]]:
    for place, (name, one) in enumerate(profiled.arrivals.items()):
        if len(one.days) < 2:
            continue
        there = [each.at for each in one.days if each.happened]
        half = sorted(each.delays_h[1] for each in one.weeks)
        delay = f"; in the middle week half of them were known {_later(half[len(half) // 2])}" if half else ""
        said = f"{name}: rows happened from {day(there[0])} to {day(there[-1])}{delay}."
        yield {"svg": _drawn(arrivals_chart(one.days, name=f"arrivals{place}")), "caption": said}


def _drawn(svg: str) -> Markup:
    """Mark our own drawing, whose texts the renderer has escaped, as no text."""
    return Markup(svg)  # noqa: S704 - see above


def _later(hours: float) -> str:
    """Say how much later than it happened something became known, or how much before."""
    size = abs(hours)
    if size < 1 / 60:
        return "at once"
    unit, length = ("day", 24.0) if size >= 48 else ("hour", 1.0) if size > 0.95 else ("minute", 1 / 60)
    much = f"{size / length:,.3g}"
    return f"{much} {unit}{'' if much == '1' else 's'} {'later' if hours > 0 else 'before'}"


def _source(one: SourceSummary, troubles: tuple[Trouble, ...]) -> dict[str, Any]:
    span = ""
    if one.from_at is not None and one.to_at is not None:
        span = f", from {format_instant(one.from_at)[:10]} to {format_instant(one.to_at)[:10]}"
    drawn = f"; a sample of {one.share:.1%} of the keys, drawn by their hash" if one.share < 1 else ""
    versions = f" in {one.versions:,} versions" if one.versions != one.rows else ""
    return {
        "name": one.name,
        "said": f"{count(one.rows, 'row')}{versions}{span}{drawn}.",
        "gaps": any(column.nulls and any(share > 0 for share in column.missing) for column in one.columns),
        "columns": [
            _column(column, one, numbers=list(_numbers(troubles, one.name, column.name)))
            for column in one.columns
        ],
    }


def _numbers(troubles: tuple[Trouble, ...], source: str, column: str) -> Iterator[int]:
    for number, one in enumerate(troubles, 1):
        if one.source == source and column in one.columns:
            yield number


def _column(one: ColumnSummary, source: SourceSummary, *, numbers: list[int]) -> dict[str, Any]:
    most = max((each.rows for each in one.bins), default=0)
    ordered = bool(one.least) and not one.bins[0].label if one.bins else False
    heights = [10 * each.rows / most if most else 0.0 for each in one.bins]
    single = one.distinct > 1 and one.distinct == source.rows - one.nulls
    words = (
        "each occurs once"
        if single
        else ", ".join(f"{each.label} {each.rows / max(1, source.rows):.0%}" for each in one.bins[:4])
    )
    gaps = [(place, round(max(1.5, 10 * share), 2)) for place, share in enumerate(one.missing) if share > 0]
    return {
        "name": one.name,
        "kind": one.kind,
        "touches": "" if one.touches == "nothing" else one.touches,
        "nulls": f"{one.nulls / max(1, source.rows):.1%}" if one.nulls else "–",
        "distinct": f"{one.distinct:,}",
        "least": one.least,
        "middle": one.middle,
        "greatest": one.greatest,
        "bars": [(place + 0.07, round(10 - high, 2), round(high, 2)) for place, high in enumerate(heights)]
        if ordered
        else [],
        "titles": [f"{each.rows:,}" for each in one.bins],
        "bars_label": f"Distribution of {one.name}, from {one.least} to {one.greatest}",
        "frequent": words,
        "parts": len(one.missing),
        "gaps": gaps if one.nulls else [],
        "gaps_label": f"Empty values of {one.name} over time",
        "troubles": numbers,
    }


def not_looked_at(profiled: Profiled) -> Iterator[str]:
    """Say what the page can't tell."""
    yield (
        f"{len(KINDS)} kinds of trouble were looked for, in each column by itself or in pairs; what is wrong "
        "in a way of its own isn't found. Rows that are plausible and false look like rows that are true."
    )
    for source in profiled.sources:
        if source.share < 1:
            yield (
                f"Of {source.name} {source.share:.1%} of the keys were looked at: what touches few rows may "
                "be among the others."
            )
    if profiled.without_history:
        yield "Nothing was weighed in money, since cases and outcomes couldn't be put together."
    else:
        yield (
            "Money at stake is the most that decisions about the touched cases could win or lose, not what "
            "the trouble costs: wholeroad data mend rehearses with a mend and without it."
        )
    if profiled.brief.outcome.depends_on_action != "no":
        yield "Acting may change outcomes: money by feature shows what goes together, not what acting does."
