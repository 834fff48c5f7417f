"""Charts of fairness: a dot with its interval for each group, and money against the difference that is left.

What matters is told by shape, not by colour: filled or hollow, circle, square or diamond. A print in grey
says the same. Every chart's figures stand in a table behind it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from wholeroad.interfaces.report.charts import COLOURS, drawable, drawn_rows, to_svg
from wholeroad.road.model.fairness.priced import PriceCurve, PricePoint

MOST_ROWS: Final = 24
"""Of more groups, those at the two ends are drawn; the table holds all."""

INK: Final = "#010203"  # becomes the page's own colour: charts.to_svg
_PAPER: Final = "#010204"  # becomes the page's ground, which the renderer does not know
_ROW: Final = 24
_WIDTH: Final = 290
_LABEL: Final = 160
_LETTERS: Final = 20
_SHAPES: Final = {"circle": "one tolerance", "square": "no thresholds", "diamond": "chosen"}


@dataclass(frozen=True, slots=True)
class Dot:
    """A row of a chart.

    Attributes
    ----------
    label
        The group.
    value, low, high
        Drawn where they are finite.
    clear
        Whether it clearly differs from what the broken line stands for: then the dot is filled.
    enough
        Whether there were cases enough; else the row says so, and has no dot.
    """

    label: str
    value: float
    low: float
    high: float
    clear: bool = False
    enough: bool = True

    @property
    def drawn(self) -> bool:
        """Whether there is a dot to draw."""
        return self.enough and math.isfinite(self.value)


def ends_of(dots: Sequence[Dot]) -> list[Dot]:
    """Give the dots to draw, the highest first: of too many those at both ends, and of the rest none.

    Dots that can't be drawn come last, and are the first to be left out.
    """
    drawn = sorted((dot for dot in dots if dot.drawn), key=lambda dot: (-dot.value, dot.label))
    bare = [dot for dot in dots if not dot.drawn]
    if len(drawn) > MOST_ROWS:
        return drawn[: MOST_ROWS // 2] + drawn[-(MOST_ROWS // 2) :]
    return drawn + bare[: MOST_ROWS - len(drawn)]


def short_labels(names: Sequence[str]) -> dict[str, str]:
    """Shorten names so that they fit beside a chart, each to a label of its own.

    Examples
    --------
    >>> long = "a depot with a very long name"
    >>> list(short_labels(["north", f"{long}, 1", f"{long}, 2"]).values())
    ['north', 'a depot with a very…', 'a depot with a v… (2)']
    """
    found: dict[str, str] = {}
    for name in names:
        plain, number = drawable(name), 1
        label = _cut(plain, _LETTERS)
        while label in found.values():
            number += 1
            label = f"{_cut(plain, _LETTERS - 3)} ({number})"
        found[name] = label
    return found


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def dots_chart(
    dots: Sequence[Dot], *, reference: float | None, percent: bool, name: str, title: str = ""
) -> str:
    """Draw a dot with its interval for each group, and a broken line to compare them with.

    Parameters
    ----------
    dots
        In the order of the rows, at least one; their labels are unique.
    reference
        Where the broken line stands: everybody's figure, or no difference; None for no line.
    percent
        Whether figures are shares.
    name
        Distinguishes the chart from others on the page.
    title
        Under the axis: what is drawn, and its unit.

    Returns
    -------
    str
        An SVG element.
    """
    import altair as alt

    low, high = _domain(dots, reference)
    labels = [drawable(dot.label) for dot in dots]
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    axis = alt.Axis(
        format=_format(low, high, percent=percent), tickCount=5, labelOverlap=True, labelSeparation=8
    )
    rows = alt.Y(
        "label:N",
        sort=labels,
        title=None,
        scale=alt.Scale(domain=labels),
        axis=alt.Axis(
            labelLimit=_LABEL,
            grid=True,
            gridDash=[1, 3],
            domain=False,
            ticks=False,
            labelPadding=6,
            minExtent=_LABEL - 10,
            maxExtent=_LABEL - 10,
        ),
    )
    x = alt.X("value:Q", title=drawable(title) or None, scale=scale, axis=axis)
    frame = pl.DataFrame([_row(dot, low=low, high=high) for dot in dots], schema=_SCHEMA)
    base = alt.Chart(drawn_rows(frame)).encode(y=rows)
    layers = _marks(base, x, scale=scale)
    if reference is not None and math.isfinite(reference):
        line = alt.Chart(drawn_rows(pl.DataFrame({"value": [reference]})))
        rule = line.mark_rule(color=INK, strokeDash=[5, 4], strokeWidth=1.3, opacity=0.75)
        layers.insert(0, rule.encode(x=x))
    chart = alt.LayerChart(layer=layers).properties(width=_WIDTH, height=_ROW * max(1, len(dots)))
    return to_svg(chart, name=name).replace(_PAPER, "var(--paper, #fff)")


def _marks(base: Any, x: Any, *, scale: Any) -> list[Any]:  # noqa: ANN401 - parts of a chart, imported where used
    """Give intervals, filled and hollow dots, and the words of rows without a dot."""
    import altair as alt

    spans = base.transform_filter("datum.drawn && isValid(datum.low)").mark_rule(
        strokeWidth=1.9, color=COLOURS[0]
    )
    layers = [spans.encode(x=alt.X("low:Q", scale=scale), x2="high:Q")]
    for filled in (True, False):
        dotted = base.transform_filter(f"datum.drawn && {'' if filled else '!'}datum.clear")
        dot = dotted.mark_point(
            filled=True,
            size=62,
            opacity=1,
            color=COLOURS[0] if filled else _PAPER,
            stroke=COLOURS[0],
            strokeWidth=1.7,
        )
        layers.append(dot.encode(x=x))
    few = base.transform_filter("!datum.drawn").mark_text(
        align="left", fontSize=11, color=INK, fontStyle="italic"
    )
    layers.append(few.encode(x=alt.X("value:Q", scale=scale), text=alt.value("too few cases")))
    return layers


def price_chart(curve: PriceCurve, *, chosen: PricePoint | None, percent: bool, unit: str, name: str) -> str:
    """Draw the gain per case over the difference that is left, both with their intervals.

    Points are numbered as the table numbers them. A square has no thresholds; a diamond was chosen.

    Parameters
    ----------
    chosen
        One of the curve's points, or None.
    percent
        Whether the difference is one of shares.
    unit
        Of the money.

    Returns
    -------
    str
        An SVG element; empty where no point has figures.
    """
    import altair as alt

    rows = _priced(curve, chosen)
    if not rows:
        return ""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    (least, most), (low, high) = _bounds(frame, "left"), _bounds(frame, "gain")
    across = alt.Scale(domain=[min(0.0, least), most], nice=False)
    up = alt.Scale(domain=[low, high], nice=False, zero=False)
    unit = drawable(unit)
    said = "" if percent else f", {unit} per case"
    x = alt.X(
        "left:Q",
        title=f"difference left on later cases{said}",
        scale=across,
        axis=alt.Axis(format=_format(min(0.0, least), most, percent=percent), tickCount=6, labelOverlap=True),
    )
    y = alt.Y(
        "gain:Q",
        title=f"gain over the status quo, {unit} per case",
        scale=up,
        axis=alt.Axis(format=_format(low, high, percent=False), tickCount=5),
    )
    base = alt.Chart(drawn_rows(frame))
    rules = base.mark_rule(strokeWidth=1.3, opacity=0.5, color=COLOURS[0])
    way = base.mark_line(strokeWidth=1.6, color=INK, opacity=0.55, strokeDash=[2, 2]).encode(
        x=x, y=y, order="order:Q"
    )
    shape = _shapes(frame["shape"].to_list())
    points = base.mark_point(filled=True, opacity=1, color=COLOURS[0]).encode(
        x=x, y=y, shape=shape, size=alt.condition("datum.shape == 'circle'", alt.value(60), alt.value(150))
    )
    numbers = base.mark_text(dx=9, dy=-10, fontSize=12, fontWeight=600, color=INK, align="left").encode(
        x=x, y=y, text="number:N"
    )
    layers: list[Any] = [
        way,
        rules.transform_filter("isValid(datum.left_low)").encode(
            x=alt.X("left_low:Q", scale=across), x2="left_high:Q", y=y
        ),
        rules.transform_filter("isValid(datum.gain_low)").encode(
            x=x, y=alt.Y("gain_low:Q", scale=up), y2="gain_high:Q"
        ),
        points,
        numbers,
    ]
    return to_svg(alt.LayerChart(layer=layers).properties(width=520, height=290), name=name)


def _shapes(used: Sequence[str]) -> Any:  # noqa: ANN401 - as above
    """Give the shapes that are used, with their legend."""
    import altair as alt

    present = [shape for shape in _SHAPES if shape in used]
    legend = alt.Legend(
        title=None,
        orient="bottom",
        columnPadding=18,
        symbolSize=90,
        symbolStrokeColor=COLOURS[0],
        symbolFillColor=COLOURS[0],
        labelExpr="{" + ", ".join(f"'{key}': '{_SHAPES[key]}'" for key in present) + "}[datum.label]",
    )
    return alt.Shape("shape:N", sort=present, scale=alt.Scale(domain=present, range=present), legend=legend)


_SCHEMA: Final = {
    "label": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "clear": pl.Boolean,
    "drawn": pl.Boolean,
}


def _row(dot: Dot, *, low: float, high: float) -> dict[str, Any]:
    bounded = dot.drawn and math.isfinite(dot.low) and math.isfinite(dot.high)
    return {
        "label": drawable(dot.label),
        "value": dot.value if dot.drawn else low + 0.02 * (high - low),
        "low": dot.low if bounded else None,
        "high": dot.high if bounded else None,
        "clear": dot.clear,
        "drawn": dot.drawn,
    }


def _domain(dots: Sequence[Dot], reference: float | None) -> tuple[float, float]:
    drawn = [each for dot in dots if dot.drawn for each in (dot.value, dot.low, dot.high)]
    return _padded([each for each in (*drawn, reference) if each is not None and math.isfinite(each)])


def _padded(figures: Sequence[float]) -> tuple[float, float]:
    if not figures:
        return 0.0, 1.0
    low, high = min(figures), max(figures)
    room = 0.06 * (high - low) or max(0.01, 0.1 * abs(high))
    return low - room, high + room


def _bounds(frame: pl.DataFrame, column: str) -> tuple[float, float]:
    columns = (column, f"{column}_low", f"{column}_high")
    figures = [each for name in columns for each in frame[name].to_list() if each is not None]
    return _padded([each for each in figures if math.isfinite(each)])


def _priced(curve: PriceCurve, chosen: PricePoint | None) -> list[dict[str, Any]]:
    rows = []
    for order, point in enumerate((curve.without, *curve.points)):
        left, gain = point.disparity, point.gain_per_case
        if not (math.isfinite(left.value) and math.isfinite(gain.value)):
            continue
        shape = "square" if point is curve.without else "diamond" if point is chosen else "circle"
        rows.append(
            {"order": order, "number": str(order) if order else "", "shape": shape}
            | _bounded("left", left.value, (left.low, left.high))
            | _bounded("gain", gain.value, (gain.low, gain.high))
        )
    return rows


def _bounded(name: str, value: float, ends: tuple[float, float]) -> dict[str, float | None]:
    known = all(math.isfinite(end) for end in ends)
    low, high = ends if known else (None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _format(low: float, high: float, *, percent: bool) -> str:
    width = (high - low) * (100 if percent else 1)
    digits = 0 if width >= 4 else 1 if width >= 0.4 else 2
    return f",.{digits}{'%' if percent else 'f'}"
