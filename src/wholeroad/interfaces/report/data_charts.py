"""Charts of data: rows over time, and the outcome over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from wholeroad.interfaces.report.charts import COLOURS, DASHES, drawn_rows, to_svg
from wholeroad.road.data.quality.outcomes_rates import OutcomeRate
from wholeroad.road.data.quality.times_by_day import DayRows

_POINTS: Final = 200


def rates_chart(rates: Sequence[OutcomeRate]) -> str:
    """Draw the share of the class that is looked for by week, with its interval.

    Returns
    -------
    str
        An SVG element.
    """
    import altair as alt

    frame = pl.DataFrame(
        {
            "at": pl.Series([rate.at for rate in rates]).cast(pl.Datetime("us", "UTC")),
            "share": [rate.share for rate in rates],
            "low": [rate.low for rate in rates],
            "high": [rate.high for rate in rates],
        }
    )
    axis = alt.Axis(format="%b %Y", tickCount=8, grid=False, labelOverlap=True, labelFlush=False)
    base = alt.Chart(drawn_rows(frame)).encode(
        x=alt.X("at:T", title=None, scale=alt.Scale(type="utc"), axis=axis)
    )
    share = alt.Axis(format="%", tickCount=5)
    band = base.mark_area(opacity=0.22, color=COLOURS[0]).encode(
        y=alt.Y("low:Q", title=None, axis=share), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=2.2, color=COLOURS[0]).encode(y=alt.Y("share:Q", axis=share))
    return to_svg((band + line).properties(width=640, height=220), name="rates")


def arrivals_chart(days: Sequence[DayRows], *, name: str) -> str:
    """Draw a source's rows by day of happening and of becoming known.

    Parameters
    ----------
    days
        Every day in order; of many, neighbours are added up.
    name
        Distinguishes the chart from others on the page.
    """
    import altair as alt

    step = -(-len(days) // _POINTS)
    rows = []
    for start in range(0, len(days) - len(days) % step, step):
        some = days[start : start + step]
        rows += [
            {"at": some[0].at, "which": "happened", "rows": sum(each.happened for each in some) / step},
            {"at": some[0].at, "which": "known", "rows": sum(each.known for each in some) / step},
        ]
    frame = pl.DataFrame(rows).with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))
    order = ["happened", "known"]
    legend = alt.Legend(title=None, orient="bottom", symbolStrokeWidth=2.5, symbolSize=420)
    chart = (
        alt.Chart(drawn_rows(frame))
        .mark_line(strokeWidth=1.8)
        .encode(
            x=alt.X(
                "at:T",
                title=None,
                scale=alt.Scale(type="utc"),
                axis=alt.Axis(format="%b %Y", tickCount=4, grid=False, labelOverlap=True, labelFlush=False),
            ),
            y=alt.Y("rows:Q", title="rows a day", axis=alt.Axis(format=",.0f", tickCount=4)),
            color=alt.Color(
                "which:N", sort=order, scale=alt.Scale(domain=order, range=COLOURS[:2]), legend=legend
            ),
            strokeDash=alt.StrokeDash(
                "which:N",
                sort=order,
                scale=alt.Scale(domain=order, range=[list(each) for each in DASHES[:2]]),
                legend=legend,
            ),
        )
    )
    return to_svg(alt.LayerChart(layer=[chart]).properties(width=330, height=150), name=name)
