"""The face: check an expression's syntax, and bind it to a schema."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import polars as pl

from wholeroad.core.errors import Fault, FaultsError
from wholeroad.core.expressions.allowed import NAMES, Kind
from wholeroad.core.expressions.compile import Binding, build
from wholeroad.core.expressions.faults import Faults
from wholeroad.core.expressions.syntax import Atom, Call, Case, Node, parse
from wholeroad.core.expressions.terms import DTYPES, Term, as_kind, firm, is_fixed

Expects = Literal["any", "number", "boolean", "text", "instant"]

_KINDS: Final[dict[Expects, tuple[Kind, ...]]] = {
    "any": ("integer", "float", "boolean", "text", "instant", "span"),
    "number": ("integer", "float"),
    "boolean": ("boolean",),
    "text": ("text",),
    "instant": ("instant",),
}


@dataclass(frozen=True, slots=True)
class Expression:
    """An SQL scalar expression, bound to a schema and compiled.

    Attributes
    ----------
    text
        As the user wrote it.
    columns
        The columns it reads, sorted; ``case.x`` for those of the case.
    dtype
        What it gives: Int64, Float64 (never NaN or infinite), Boolean, String,
        ``Datetime("us", "UTC")`` or ``Duration("us")``.
    polars
        To be used over a frame that has these columns under these names, with the types it was
        bound to. One result per row, which doesn't depend on other rows.
    tree
        What was read of the text; None where the expression was put together of others.
    timezone
        That of ``local_*`` functions.
    """

    text: str
    columns: tuple[str, ...]
    dtype: pl.DataType
    polars: pl.Expr = field(compare=False, hash=False, repr=False)
    tree: Node | None = field(default=None, compare=False, hash=False, repr=False)
    timezone: str | None = field(default=None, compare=False, hash=False, repr=False)


def check_syntax(text: str, *, where: str) -> list[Fault]:
    """Find what can be told without a schema.

    Parameters
    ----------
    text
        Any text; no text makes this raise.
    where
        The place as the user knows it, as in ``[feature] hour``.

    Returns
    -------
    list of Fault
        All with codes ``expression.*``; empty when the text can be read.

    Examples
    --------
    >>> [fault.code for fault in check_syntax("now() - sched_dep", where="[case] decide_at")]
    ['expression.clock']
    """
    _, faults = parse(text, where=where)
    return faults


def text_results(text: str) -> set[str]:
    """Give the literal texts that an expression can have as its result; empty when it can't be read.

    Examples
    --------
    >>> sorted(text_results("case when x = 'a' then 'late' else coalesce(y, 'lost') end"))
    ['late', 'lost']
    """
    tree, _ = parse(text, where="")
    found: set[str] = set()
    waiting = [] if tree is None else [tree]
    while waiting:
        match waiting.pop():
            case Atom(kind="text", text=literal):
                found.add(literal)
            case Case(branches=branches, otherwise=otherwise):
                waiting += [value for _, value in branches]
                waiting += [] if otherwise is None else [otherwise]
            case Call(name="coalesce", arguments=arguments):
                waiting += arguments
    return found


def bind(
    text: str,
    schema: Mapping[str, pl.DataType],
    *,
    where: str,
    expects: Expects = "any",
    timezone: str | None = None,
    words: Collection[str] = (),
) -> Expression:
    """Bind an expression to a typed schema and compile it.

    Parameters
    ----------
    text
        The expression; ``docs/reference/expressions.md`` lists what it may hold.
    schema
        The columns that may be used, and their types.
    where
        The place as the user knows it, as in ``[feature] hour``.
    expects
        What it must give.
    timezone
        IANA name of the source's time zone, for ``local_*`` functions.
    words
        Outcome classes and actions: one that is used as a column gets a hint about quotes.

    Raises
    ------
    FaultsError
        With all faults, codes ``expression.*``.

    Examples
    --------
    >>> late = bind("delay > 30", {"delay": pl.Int64()}, where="an example", expects="boolean")
    >>> pl.DataFrame({"delay": [5, 45, None]}).select(late=late.polars)["late"].to_list()
    [False, True, None]
    """
    tree, found = parse(text, where=where)
    faults = Faults(text, where)
    faults.found += found
    if tree is None:
        raise FaultsError(_headline(where), found)
    binding = Binding(schema, timezone, words, faults)
    term: Term | None = None
    try:
        term = _expected(firm(build(tree, binding)), expects, faults)
    except RecursionError:
        faults.add(
            "too-deep",
            "the expression is nested too deep",
            expected="a flatter expression",
            fix="compute a part before landing, as a column of the source",
        )
    if term is None or faults.found:
        raise FaultsError(_headline(where), faults.found)
    dtype = DTYPES[term.kind]
    columns = tuple(sorted(binding.columns))
    expr = pl.repeat(term.expr, pl.len(), dtype=dtype) if is_fixed(term) else term.expr
    return Expression(text, columns, dtype, expr, tree, timezone)


def _headline(where: str) -> str:
    return f"the expression in {where} can't be used"


def _expected(term: Term, expects: Expects, faults: Faults) -> Term:
    kinds = _KINDS[expects]
    if term.kind == "broken" or term.kind in kinds:
        return term
    if term.kind == "null" and expects != "any":
        return as_kind(term, kinds[-1])
    wanted = "a value" if expects == "any" else NAMES[expects]
    fixes = {
        "number": "use cast(x as integer) for a boolean, hours_between(a, b) for instants",
        "boolean": "write a comparison, as in x > 30",
        "text": "use cast(x as text)",
        "instant": "give a column of instants, or one plus a span, as in sched_dep - 2h",
        "any": "say of which type it is, as in cast(null as integer)",
    }
    faults.add(
        "result-type",
        f"the result is {NAMES[term.kind]}",
        expected=wanted,
        fix=fixes[expects],
        span=term.span,
    )
    return term
