"""What the name of a column says about its values: a quantity, a share, a place on the globe, an id."""

from __future__ import annotations

import re
from typing import Final

from wholeroad.road.data.profile import words_of

QUANTITIES: Final = frozenset(
    (
        "age",
        "amount",
        "area",
        "capacity",
        "cost",
        "count",
        "distance",
        "duration",
        "elapsed",
        "fare",
        "height",
        "hours",
        "income",
        "kg",
        "km",
        "length",
        "mass",
        "mileage",
        "miles",
        "minutes",
        "num",
        "number",
        "pieces",
        "population",
        "power",
        "pressure",
        "price",
        "pages",
        "qty",
        "quantity",
        "rent",
        "salary",
        "seats",
        "seconds",
        "size",
        "speed",
        "stock",
        "sum",
        "surface",
        "tax",
        "tons",
        "total",
        "turnover",
        "units",
        "visits",
        "volume",
        "wage",
        "weight",
        "width",
    )
)
"""Words of names whose values can't be less than zero; money may be, where it flows back."""

MONEY: Final = frozenset(
    (
        "amount",
        "cost",
        "fare",
        "price",
        "rent",
        "revenue",
        "sum",
        "tax",
        "total",
        "turnover",
        "value",
        "bonus",
        "chf",
        "discount",
        "eur",
        "fee",
        "gbp",
        "paid",
        "payment",
        "refund",
        "usd",
    )
)

_IDENTIFIERS: Final = frozenset(
    (
        "id",
        "key",
        "nr",
        "uuid",
        "guid",
        "ref",
        "reference",
        "code",
        "zip",
        "postcode",
        "phone",
        "account",
        "iban",
    )
)
_SIGNED: Final = frozenset(
    (
        "balance",
        "change",
        "delay",
        "delta",
        "diff",
        "difference",
        "drift",
        "error",
        "gain",
        "growth",
        "loss",
        "margin",
        "net",
        "offset",
        "profit",
        "residual",
        "return",
        "score",
        "shift",
        "celsius",
        "deg",
        "degree",
        "degrees",
        "dew",
        "dewpoint",
        "fahrenheit",
        "grad",
        "temp",
        "temperature",
        "temperatur",
        "trend",
        "z",
    )
)
_UNITS: Final = frozenset(
    (
        "kg",
        "g",
        "mg",
        "t",
        "lb",
        "lbs",
        "oz",
        "mm",
        "cm",
        "m",
        "km",
        "in",
        "inch",
        "inches",
        "ft",
        "mi",
        "s",
        "sec",
        "min",
        "h",
        "hr",
        "hrs",
        "hours",
        "minutes",
        "days",
        "eur",
        "usd",
        "gbp",
        "chf",
        "l",
        "ml",
        "kwh",
        "w",
        "kw",
        "c",
        "f",
    )
)

RANGES: Final[tuple[tuple[frozenset[str], float, float, str], ...]] = (
    (frozenset({"lat", "latitude"}), -90, 90, "a latitude lies between -90 and 90 degrees"),
    (
        frozenset({"lon", "lng", "long", "longitude"}),
        -180,
        180,
        "a longitude lies between -180 and 180 degrees",
    ),
    (frozenset({"age"}), 0, 120, "nobody is older than about 120 years"),
    (frozenset({"percent", "pct", "percentage", "humidity"}), 0, 100, "a percentage lies between 0 and 100"),
    (frozenset({"share", "probability", "prob", "fraction"}), 0, 1, "a share lies between 0 and 1"),
    (frozenset({"hour"}), 0, 24, "a day has 24 hours"),
    (frozenset({"month"}), 1, 12, "a year has 12 months"),
    (frozenset({"weekday", "dow"}), 0, 7, "a week has 7 days"),
    (frozenset({"ph"}), 0, 14, "pH lies between 0 and 14"),
)
"""Words, the least and the greatest value, and why; they hold only where nearly all values keep to them."""


def is_quantity(name: str) -> bool:
    """Tell whether a name says that values can't be negative.

    Examples
    --------
    >>> is_quantity("weight_kg"), is_quantity("delay_minutes"), is_quantity("x1")
    (True, False, False)
    """
    words = {*words_of(name)}
    return bool(words & (QUANTITIES | {"kg", "km", "cm", "mm"})) and not words & _SIGNED


def is_signed(name: str) -> bool:
    """Tell whether a name says that values may well be less than zero.

    Examples
    --------
    >>> is_signed("air_temperature"), is_signed("air_c"), is_signed("weight")
    (True, True, False)
    """
    words = words_of(name)
    return bool({*words} & _SIGNED) or (len(words) > 1 and words[-1] in {"c", "f"})


def is_money(name: str) -> bool:
    """Tell whether a name speaks of money, which also flows back."""
    return bool({*words_of(name)} & MONEY)


def is_identifier(name: str) -> bool:
    """Tell whether a name says that values only tell rows apart.

    Examples
    --------
    >>> is_identifier("customer_id"), is_identifier("idle_minutes"), is_identifier("ZipCode")
    (True, False, True)
    """
    words = words_of(name)
    return bool(words) and (words[-1] in _IDENTIFIERS or words[0] in {"id", "zip"} or words[-1] == "no")


def range_of(name: str) -> tuple[float, float, str] | None:
    """Give the range that a name promises, and why; None where it promises none.

    Examples
    --------
    >>> range_of("lat"), range_of("price")
    ((-90, 90, 'a latitude lies between -90 and 90 degrees'), None)
    """
    words = words_of(name)
    if {"log", "diff", "change", "delta"} & {*words}:
        return None
    for names, low, high, why in RANGES:
        if names & {*words[-2:]}:
            return low, high, why
    return None


def is_unit(word: str) -> bool:
    """Tell whether a word is a unit that a number may carry."""
    return word.lower().strip(" .") in _UNITS | {"€", "$", "£", "%", "°c", "°f", "pcs", "pc", "stk", "st"}


def paired(first: str, second: str) -> bool:
    """Tell whether two names belong together, the lesser first, as start and end.

    Examples
    --------
    >>> paired("start_at", "end_at"), paired("lat", "lon"), paired("price", "weight")
    (True, True, False)
    """
    one, other = words_of(first), words_of(second)
    return any(
        before in one and after in other and _rest(one, before) == _rest(other, after)
        for before, after in _PAIRS
    )


def _rest(words: tuple[str, ...], without: str) -> tuple[str, ...]:
    return tuple(word for word in words if word != without)


_PAIRS: Final = tuple(
    tuple(pair.split("/"))
    for pair in re.split(
        r"\s+",
        """start/end started/ended begin/end from/to min/max low/high lower/upper lat/lon lat/lng
        latitude/longitude first/last opened/closed open/close net/gross diastolic/systolic picked/dropped
        pickup/dropoff least/most sent/received ordered/shipped ordered/delivered shipped/delivered
        departure/arrival departed/arrived dep/arr check_in/check_out""",
    )
)
