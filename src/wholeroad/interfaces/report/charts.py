"""Charts as SVG that stands inside a page: no script, no font from elsewhere, light and dark.

Text, axes and grid are drawn in the page's own colour (``currentColor``). Lines differ in colour and
in dashes, so that a print in black and white can be read; the colours are Okabe and Ito's, which
people with colour blindness can tell apart, a little dimmed so that they stand on white and on black.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import polars as pl

if TYPE_CHECKING:
    import altair as alt

COLOURS: Final = ("#0f7fc4", "#d9660a", "#0b9a70", "#c0609a", "#b58900", "#4f8fd0", "#8a6d4b", "#7a7f87")
DASHES: Final = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3), (4, 4), (12, 4), (1, 3), (6, 2, 1, 2))
_INK: Final = "#010203"  # stands for currentColor, which the renderer does not know
_POINTS: Final = 180
_SANS: Final = "system-ui, sans-serif"


_NOT_DRAWN: Final = "[^\t\n\r\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""What no SVG may hold."""


def money_chart(frame: pl.DataFrame, *, unit: str, baseline: str = "status quo", narrow: bool = False) -> str:
    """Draw the running gain of each policy over the baseline, in the order in which they end.

    Parameters
    ----------
    frame
        ``policy, at, value, cumulative`` as :func:`wholeroad.road.watch.frames.money_over_time` gives.
    unit
        Of the money.
    baseline
        Becomes the line at zero; without it the running money itself is drawn.
    narrow
        For a telephone: as wide as high, the legend below.

    Returns
    -------
    str
        An SVG element.
    """
    import altair as alt

    gains, found = _gains(frame, baseline)
    names = (
        gains.group_by("policy").agg(pl.col("gain").last()).sort("gain", "policy", descending=[True, False])
    )
    order = names["policy"].to_list()
    first = list(dict.fromkeys(frame["policy"].to_list()))
    place = {name: i for i, name in enumerate(name for name in first if name in order)}
    colours = [COLOURS[place[name] % len(COLOURS)] for name in order]
    dashes = [list(DASHES[place[name] % len(DASHES)]) for name in order]
    legend = alt.Legend(
        title=None,
        symbolStrokeWidth=2.5,
        symbolSize=420,
        labelLimit=150,
        rowPadding=5,
        orient="bottom" if narrow else "right",
        columns=2 if narrow else 1,
    )
    title = f"{'Gain over the ' + baseline if found else 'Money'} so far, {unit}"
    stamps = "%b %Y" if gains["at"].n_unique() > 60 else "%d %b %Y"
    digits = ",.0f" if float(gains.select(pl.col("gain").abs().max()).item() or 0) >= 10 else ",.2f"
    axis = alt.Axis(
        format=stamps, tickCount=3 if narrow else 6, grid=False, labelOverlap=True, labelSeparation=14
    )
    base = alt.Chart(drawn_rows(gains)).encode(
        x=alt.X("at:T", title=None, scale=alt.Scale(type="utc"), axis=axis),
        y=alt.Y("gain:Q", title=None, axis=alt.Axis(format=digits, tickCount=6)),
    )
    lines = base.mark_line(strokeWidth=2.2, interpolate="linear").encode(
        color=alt.Color("policy:N", sort=order, scale=alt.Scale(domain=order, range=colours), legend=legend),
        strokeDash=alt.StrokeDash(
            "policy:N", sort=order, scale=alt.Scale(domain=order, range=dashes), legend=legend
        ),
    )
    zero = (
        alt.Chart(drawn_rows(pl.DataFrame({"gain": [0.0]})))
        .mark_rule(color=_INK, opacity=0.6)
        .encode(y="gain:Q")
    )
    width, name = (280, "money-narrow") if narrow else (600, "money")
    return to_svg((zero + lines).properties(width=width, height=270, title=title), name=name)


def calibration_chart(frame: pl.DataFrame, *, name: str = "calibration") -> str:
    """Draw observed shares over predicted probabilities, with their intervals and the diagonal.

    Parameters
    ----------
    frame
        As :func:`wholeroad.road.watch.reliability.calibration` gives, of one policy.
    name
        Distinguishes the chart from others on the page.
    """
    import altair as alt

    classes = list(dict.fromkeys(frame["class"].to_list()))
    several = len(classes) > 1
    top = max(0.05, min(1.0, 1.08 * float(frame.select(pl.max_horizontal("predicted", "high").max()).item())))
    share = alt.Axis(format="%", tickCount=5)
    scale = alt.Scale(domain=[0, top], nice=False)
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(classes))]
    # Colour and shape ask for the same legend, so that it is drawn once.
    legend = alt.Legend(title=None, symbolSize=70) if several else None
    colour = alt.Color("class:N", sort=classes, scale=alt.Scale(domain=classes, range=colours), legend=legend)
    shape = alt.Shape("class:N", sort=classes, scale=alt.Scale(domain=classes), legend=legend)
    points = alt.Chart(drawn_rows(frame)).encode(
        x=alt.X("predicted:Q", title="predicted, % of cases", scale=scale, axis=share), color=colour
    )
    ends = alt.Chart(drawn_rows(pl.DataFrame({"predicted": [0.0, top], "observed": [0.0, top]})))
    diagonal = ends.mark_line(color=_INK, opacity=0.5, strokeDash=[4, 3], strokeWidth=1.2)
    dots = points.mark_point(filled=True, size=55, opacity=1)
    observed = alt.Y("observed:Q", title="came true, % of cases", scale=scale, axis=share)
    chart = (
        diagonal.encode(x="predicted:Q", y="observed:Q")
        + points.mark_rule(strokeWidth=1.6).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
        + dots.encode(y=observed, **({"shape": shape} if several else {}))
    )
    return to_svg(chart.properties(width=300, height=270), name=name)


def _gains(frame: pl.DataFrame, baseline: str) -> tuple[pl.DataFrame, bool]:
    """Give ``policy, at, gain`` with few enough points to draw, and whether the baseline was found."""
    against = frame.filter(pl.col("policy") == baseline).select("at", base="cumulative")
    found = against.height > 0
    if found:
        frame = frame.filter(pl.col("policy") != baseline).join(against, on="at", how="left")
        gain = pl.col("cumulative") - pl.col("base").fill_null(0.0)
    else:
        gain = pl.col("cumulative")
    step = max(1, -(-frame["at"].n_unique() // _POINTS))
    place = pl.int_range(pl.len()).over("policy")
    last = pl.len().over("policy") - 1
    thin = frame.sort("at", maintain_order=True).filter((place % step == 0) | (place == last))
    return thin.select("policy", "at", gain=gain.round(2)), found


def drawable(text: str) -> str:
    r"""Put a sign in the place of what no SVG may hold: on a control character the renderer ends the process.

    Examples
    --------
    >>> drawable("north\x00 east")
    'north� east'
    """
    return re.sub(_NOT_DRAWN, "\N{REPLACEMENT CHARACTER}", text)


def drawn_rows(frame: pl.DataFrame) -> alt.InlineData:
    """Give rows as a chart takes them."""
    import altair as alt

    stamps = [name for name, kind in frame.schema.items() if kind.is_temporal()]
    plain = frame.with_columns(pl.col(stamps).dt.strftime("%Y-%m-%dT%H:%M:%SZ") if stamps else [])
    plain = plain.with_columns(pl.col(pl.String).str.replace_all(_NOT_DRAWN, "\N{REPLACEMENT CHARACTER}"))
    return alt.InlineData(values=plain.to_dicts())


def to_svg(chart: alt.LayerChart, *, name: str) -> str:
    """Draw a chart as an SVG element that stands inside a page; ``name`` tells it from others there."""
    import vl_convert

    quiet: dict[str, Any] = {
        "background": "transparent",
        "font": _SANS,
        "view": {"stroke": None},
        "axis": {
            "labelColor": _INK,
            "titleColor": _INK,
            "domainColor": _INK,
            "tickColor": _INK,
            "gridColor": _INK,
            "gridOpacity": 0.14,
            "domainOpacity": 0.5,
            "tickOpacity": 0.5,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 12,
        },
        # over the plot, where no width of another font can push it into the labels
        "title": {"color": _INK, "fontSize": 12, "fontWeight": "normal", "anchor": "start", "offset": 10},
        "legend": {"labelColor": _INK, "labelFontSize": 12, "orient": "right", "offset": 12},
    }
    spec = chart.configure(**quiet).to_dict()
    drawn: str = vl_convert.vegalite_to_svg(spec)
    return _at_home(drawn, name)


def _at_home(svg: str, name: str) -> str:
    """Fit the SVG into a page: the page's colour and width, ids of its own, hidden from screen readers.

    The page says the chart in words and gives its figures in a table.
    """
    svg = svg.replace(_INK, "currentColor").replace("rgb(1, 2, 3)", "currentColor")
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'\s(?:role|aria-[a-z]+)="[^"]*"', "", svg)
    head, rest = svg.split(">", 1)
    head = re.sub(r'\s(?:width|height|class|xmlns:xlink)="[^"]*"', "", head)
    return f'{head} width="100%" class="chart chart-{name}" aria-hidden="true" focusable="false">{rest}'
