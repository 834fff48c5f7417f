"""What an expression may hold: functions, operators, types; and what is refused by name, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["integer", "float", "boolean", "text", "instant", "span", "null", "broken"]
"""What a value is. ``null`` is a bare null, of any kind; ``broken`` marks what already has a fault."""

Wanted = Literal["number", "boolean", "text", "instant", "span", "any"]
"""What a parameter takes; ``number`` is integer or float."""

NAMES: Final[dict[str, str]] = {
    "integer": "a number",
    "float": "a number",
    "number": "a number",
    "boolean": "a boolean",
    "text": "text",
    "instant": "an instant",
    "span": "a span",
    "null": "null",
}
"""Kinds as a person reads them."""

CHARACTERS_MOST: Final = 10_000
TOKENS_MOST: Final = 2_000
NESTING_MOST: Final = 20
DEPTH_MOST: Final = 80
"""Operations that build on each other, :data:`DEPTH_TWICE` for one that uses its input twice.

Polars walks an expression recursively: about twice as many overflow the stack of a thread with
512 KiB, and planning time grows with the square.
"""
DEPTH_TWICE: Final = 3
PATTERN_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a function.

    Attributes
    ----------
    takes
        What each parameter takes, in order.
    optional
        How many of the last may be left out.
    repeats
        Whether the last may be given again and again.
    """

    takes: tuple[Wanted, ...]
    optional: int = 0
    repeats: bool = False

    def accepts(self, count: int) -> bool:
        """Tell whether so many arguments fit."""
        return len(self.takes) - self.optional <= count and (self.repeats or count <= len(self.takes))

    def described(self, name: str) -> str:
        """Write the call, as in ``round(number[, number])``."""
        needed = len(self.takes) - self.optional
        words = [*self.takes[:needed], *(f"[{word}]" for word in self.takes[needed:])]
        return f"{name}({', '.join(words)}{', ...' if self.repeats else ''})"


PARTS: Final = ("minute", "hour", "weekday", "day", "day_of_year", "month", "year", "date")
"""Parts of the calendar: each as ``local_*`` in the source's time zone and as ``utc_*``."""

BETWEEN: Final[dict[str, str]] = {
    "seconds_between": "s",
    "minutes_between": "min",
    "hours_between": "h",
    "days_between": "d",
}
"""From the first instant to the second, in units of :data:`wholeroad.core.instants.UNITS`."""

FUNCTIONS: Final[dict[str, Signature]] = {
    "abs": Signature(("number",)),
    "ceil": Signature(("number",)),
    "coalesce": Signature(("any", "any"), optional=1, repeats=True),
    "concat": Signature(("text", "text"), optional=1, repeats=True),
    "exp": Signature(("number",)),
    "floor": Signature(("number",)),
    "greatest": Signature(("any", "any"), repeats=True),
    "least": Signature(("any", "any"), repeats=True),
    "length": Signature(("text",)),
    "ln": Signature(("number",)),
    "lower": Signature(("text",)),
    "nullif": Signature(("any", "any")),
    "power": Signature(("number", "number")),
    "replace": Signature(("text", "text", "text")),
    "round": Signature(("number", "number"), optional=1),
    "sqrt": Signature(("number",)),
    "starts_with": Signature(("text", "text")),
    "substring": Signature(("text", "number", "number"), optional=1),
    "trim": Signature(("text",)),
    "upper": Signature(("text",)),
    **{name: Signature(("instant", "instant")) for name in BETWEEN},
    **{f"{clock}_{part}": Signature(("instant",)) for clock in ("local", "utc") for part in PARTS},
}
CASTS: Final = frozenset({"cast", "try_cast"})
"""Written ``cast(x as type)``; both give null for what can't be read."""

TYPES: Final[dict[str, Kind]] = {
    "text": "text",
    "varchar": "text",
    "string": "text",
    "integer": "integer",
    "int": "integer",
    "bigint": "integer",
    "double": "float",
    "float": "float",
    "real": "float",
    "number": "float",
    "boolean": "boolean",
    "bool": "boolean",
    "timestamp": "instant",
    "instant": "instant",
    "date": "instant",
}
"""Types of ``cast``, and what they give; ``date`` also cuts the time of day off, in UTC."""

COMPARISONS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
OPERATORS: Final = (
    *("+", "-", "*", "/", "%", "||"),
    *("=", "<>", "!=", "<", "<=", ">", ">="),
    *("and", "or", "not"),
    *("is null", "is true", "is false", "in", "between", "like", "case"),
)
"""Operators and forms; ``is``, ``in``, ``between`` and ``like`` also with ``not``."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is refused: the last part of the fault's code, what it is, and the way out."""

    code: str
    what: str
    expected: str
    fix: str


_ONE_ROW: Final = "an expression over the columns of one row"
_AGGREGATE: Final = Refusal(
    "aggregate",
    "an aggregate over many rows",
    _ONE_ROW,
    'use a window feature, as in { mean = "delay", of = "arrivals", by = "carrier", over = "6h" }; '
    "between columns of one row there are least() and greatest()",
)
_WINDOW: Final = Refusal(
    "window",
    "a window function, which looks at other rows",
    _ONE_ROW,
    "use a window feature (count, sum, mean, min, max, ...) or { latest = ... } in the brief",
)
_SUBQUERY: Final = Refusal(
    "subquery",
    "part of a query",
    _ONE_ROW,
    "join other tables with { lookup = ... } or { latest = ... } in the brief; "
    "a column of this name is written in double quotes",
)
_CLOCK: Final = Refusal(
    "clock",
    "a clock",
    "columns of the row only, so that a rehearsal of the past gives what was decided then",
    "use the row's own instants, as in hours_between(booked_at, sched_dep)",
)
_CHANCE: Final = Refusal(
    "chance",
    "a source of chance",
    "columns of the row only, so that the same row always gives the same result",
    "leave it out; random shares are set in the brief's policy",
)
_OTHER: Final = Refusal(
    "not-allowed",
    "not part of these expressions",
    "what docs/reference/expressions.md lists",
    "leave it out; a column of this name is written in double quotes",
)
_LIKE: Final = Refusal(
    "not-allowed",
    "not part of these expressions",
    "like, with % for any characters and _ for one",
    "write lower(x) like 'abc%' to match upper and lower case",
)


def _by_name(names: str, refusal: Refusal) -> dict[str, Refusal]:
    return dict.fromkeys(names.split(), refusal)


REFUSED_CALLS: Final[dict[str, Refusal]] = {
    **_by_name(
        "count sum avg mean min max median mode stddev stddev_pop stddev_samp std variance var_pop "
        "var_samp corr covar_pop covar_samp quantile percentile percentile_cont percentile_disc any_value "
        "arg_max arg_min max_by min_by array_agg list_agg listagg string_agg group_concat bool_and bool_or "
        "every approx_count_distinct approx_distinct count_if countif sum_if product first last",
        _AGGREGATE,
    ),
    **_by_name(
        "row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value",
        _WINDOW,
    ),
    **_by_name("exists any all some", _SUBQUERY),
    **_by_name(
        "now today current_timestamp current_date current_time localtime localtimestamp getdate "
        "getutcdate sysdate systimestamp clock_timestamp statement_timestamp transaction_timestamp "
        "utc_timestamp utc_time curdate curtime unix_timestamp",
        _CLOCK,
    ),
    **_by_name("random rand uuid gen_random_uuid newid random_uuid generate_uuid setseed", _CHANCE),
}
REFUSED_WORDS: Final[dict[str, Refusal]] = {
    **_by_name("over partition qualify", _WINDOW),
    **_by_name("select from where join union intersect except with having limit exists", _SUBQUERY),
    **_by_name("current_timestamp current_date current_time localtime localtimestamp sysdate", _CLOCK),
    **_by_name("ilike rlike regexp similar glob escape", _LIKE),
    **_by_name("distinct collate div xor isnull notnull", _OTHER),
}
"""Words that are refused where a column could stand; in double quotes they are columns."""

OTHER_NAMES: Final[dict[str, str]] = {
    "ceiling": "ceil",
    "char_length": "length",
    "datediff": "days_between",
    "date_diff": "days_between",
    "extract": "local_hour",
    "hour": "local_hour",
    "minute": "local_minute",
    "weekday": "local_weekday",
    "dayofweek": "local_weekday",
    "dayofyear": "local_day_of_year",
    "month": "local_month",
    "year": "local_year",
    "day": "local_day",
    "date": "local_date",
    "if": "case",
    "iff": "case",
    "ifnull": "coalesce",
    "nvl": "coalesce",
    "isnull": "coalesce",
    "len": "length",
    "log": "ln",
    "pow": "power",
    "mod": "%",
    "startswith": "starts_with",
    "substr": "substring",
    "to_char": "cast",
}
"""Names of other dialects, and what to write here."""
