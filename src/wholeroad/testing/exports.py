"""Made-up exports, as business programs write them: commas for points, days first, titles, totals, leaks.

Each world is a table with a truth that can be learnt in part; each writer spells a table as some
program would. The same rows and seed give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl
from numpy.random import default_rng  # noqa: TID251 - a world is drawn from a seed, not decided
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, EPOCH

_BEGIN: Final = (datetime(2023, 1, 2, tzinfo=UTC) - EPOCH).days * DAY
_MINUTE: Final = 60_000_000
_COUNTRIES: Final = ("Österreich", "España", "France", "Deutschland", "Türkei")
_CHANNELS: Final = ("web", "app", "phone")
_PLANS: Final = ("basic", "plus", "pro")


def orders(rows: int = 5_000, *, seed: int = 0, days: int = 360) -> pl.DataFrame:
    """Make orders, some of which are returned; whether they were is known about two weeks later.

    Returns
    -------
    polars.DataFrame
        ``order_id``, ``customer_id``, ``ordered_at``, ``country``, ``channel``, ``basket_value``, ``items``,
        ``discount_pct``, ``returned`` (``yes``, ``no``), ``return_known_at``; in order of time. An
        order whose fate is known only after the last day has neither of the last two.
    """
    chance = default_rng([seed, 1])
    at = _BEGIN + np.sort(chance.integers(0, days * DAY // _MINUTE, rows)) * _MINUTE
    customer = chance.integers(0, max(2, rows // 8), rows)
    habit = chance.normal(0.0, 0.9, rows)[customer]
    channel, country = chance.integers(0, 3, rows), chance.integers(0, len(_COUNTRIES), rows)
    items = chance.integers(1, 7, rows)
    value = np.round(np.exp(chance.normal(4.0, 0.8, rows)) * items, 2)
    discount = chance.choice([0.0, 5.0, 10.0, 22.5], rows)
    tendency = -4.0 + habit + 0.9 * (channel == 1) + 0.05 * discount + 0.35 * np.log(value / 50) + 0.2 * items
    returned = chance.random(rows) < 1 / (1 + np.exp(-tendency))
    known = at + (np.where(returned, 6, 14) * DAY + chance.exponential(3 * DAY, rows)).astype(np.int64)
    known -= known % _MINUTE
    there = known < _BEGIN + days * DAY
    return pl.DataFrame(
        {
            "order_id": 100_000 + np.arange(rows),
            "customer_id": [f"C{number:05}" for number in customer],
            "ordered_at": _instants(at),
            "country": pl.Series(_COUNTRIES).gather(country),
            "channel": pl.Series(_CHANNELS).gather(channel),
            "basket_value": value,
            "items": items,
            "discount_pct": discount,
            "returned": pl.Series(["no", "yes"]).gather(returned.astype(np.uint32)),
            "return_known_at": _instants(known),
        }
    ).with_columns(
        pl.when(pl.lit(pl.Series(there))).then(pl.col(name)) for name in ("returned", "return_known_at")
    )


def leaked(rows: int = 5_000, *, seed: int = 0) -> pl.DataFrame:
    """Make orders with a column that is written after the fact: what was refunded."""
    frame = orders(rows, seed=seed)
    share = default_rng([seed, 2]).choice([1.0, 1.0, 0.9], rows)
    refund = pl.col("basket_value") * pl.lit(pl.Series(share))
    return frame.with_columns(
        pl.when(pl.col("returned") == "yes").then(refund.round(2)).otherwise(0.0).alias("refund_amount")
    ).select(*frame.columns[:6], "refund_amount", *frame.columns[6:])


def snapshot(rows: int = 3_000, *, seed: int = 0) -> pl.DataFrame:
    """Make a customer table as it stands today: who churned, and not one instant."""
    chance = default_rng([seed, 3])
    months, plan = chance.integers(1, 72, rows), chance.integers(0, 3, rows)
    tickets = chance.poisson(1.2, rows)
    fee = np.round(9.9 + 10 * plan + chance.normal(0, 1.5, rows), 2)
    tendency = -1.0 - 0.04 * months + 0.5 * tickets - 0.4 * plan
    churned = chance.random(rows) < 1 / (1 + np.exp(-tendency))
    return pl.DataFrame(
        {
            "customer_no": [f"K-{number:06}" for number in range(rows)],
            "plan": pl.Series(_PLANS).gather(plan),
            "months_with_us": months,
            "tickets": tickets,
            "monthly_fee": fee,
            "churned": churned.astype(np.int64),
        }
    )


def rare(rows: int = 40_000, *, seed: int = 0, days: int = 360) -> pl.DataFrame:
    """Make card payments, 0.3 % of which are fraud; what isn't reported in 45 days won't be."""
    chance = default_rng([seed, 4])
    at = _BEGIN + np.sort(chance.integers(0, days * DAY // _MINUTE, rows)) * _MINUTE
    amount = np.round(np.exp(chance.normal(3.5, 1.1, rows)), 2)
    abroad, night = chance.random(rows) < 0.1, chance.random(rows) < 0.2
    tendency = -7.3 + 2.2 * abroad + 1.2 * night + 0.5 * np.log(amount / 30)
    fraud = chance.random(rows) < 1 / (1 + np.exp(-tendency))
    known = at + np.minimum(chance.exponential(9 * DAY, rows), 44 * DAY).astype(np.int64)
    known = np.where(fraud, known, at + 45 * DAY)
    known -= known % _MINUTE
    return pl.DataFrame(
        {
            "payment_id": [f"P{number:07}" for number in range(rows)],
            "paid_at": _instants(at),
            "amount": amount,
            "abroad": abroad,
            "at_night": night,
            "merchant": chance.integers(1, 60, rows),
            "fraud": fraud.astype(np.int64),
            "reported_at": _instants(known),
        }
    ).with_columns(
        pl.when(pl.lit(pl.Series(known < _BEGIN + days * DAY))).then(pl.col(name))
        for name in ("fraud", "reported_at")
    )


def plain(frame: pl.DataFrame) -> bytes:
    """Write a CSV as programs like it: commas, points, ISO 8601."""
    return frame.with_columns(_dated(frame, "%Y-%m-%dT%H:%M:%SZ")).write_csv().encode()


def european(frame: pl.DataFrame, *, encoding: str = "utf-8") -> bytes:
    """Write a CSV as a European spreadsheet would: ``;``, decimal commas, days first, 1.234,50."""
    numbers = [name for name, dtype in frame.schema.items() if dtype.is_float()]
    spelled = frame.with_columns(
        *_dated(frame, "%d/%m/%Y %H:%M"),
        *(
            pl.col(name).map_elements(_with_comma, return_dtype=pl.String, skip_nulls=True)
            for name in numbers
        ),
    )
    return spelled.write_csv(separator=";", line_terminator="\r\n").encode(encoding)


def titled(frame: pl.DataFrame, *, write: Callable[[pl.DataFrame], bytes] = plain) -> bytes:
    """Write a CSV as a report generator would: a title above the header, totals below the rows."""
    marks = "," * (frame.width - 1)
    total = f"Total{marks}\n{frame.height} rows{marks}\n"
    return (
        f"Sales report 2023{marks}\nprinted by the back office{marks}\n\n".encode()
        + write(frame)
        + total.encode()
    )


def _with_comma(number: float) -> str:
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


def _dated(frame: pl.DataFrame, written: str) -> list[pl.Expr]:
    return [
        pl.col(name).dt.strftime(written)
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Datetime)
    ]


def _instants(micros: NDArray[np.int64]) -> pl.Series:
    return pl.Series(micros).cast(pl.Datetime("us", "UTC"))
