"""From tokens to a small tree of our own; every node of sqlglot's tree that isn't listed is refused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from wholeroad.core.errors import Fault
from wholeroad.core.expressions.allowed import CASTS, FUNCTIONS, TYPES
from wholeroad.core.expressions.faults import Faults, Span
from wholeroad.core.expressions.token import AtomKind, Token
from wholeroad.core.expressions.tokens import scan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot import exp
    from sqlglot.tokenizer_core import Token as SqlToken


@dataclass(frozen=True, slots=True)
class Atom:
    """A literal or a column."""

    kind: AtomKind
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments; ``name`` may be an operator: ``+``, ``not``, ``in`` ..."""

    name: str
    arguments: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Case:
    """``case [subject] when condition then value ... [else otherwise] end``."""

    subject: Node | None
    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None
    span: Span


Node = Atom | Call | Case

_BINARY: Final = {
    "Add": "+",
    "Sub": "-",
    "Mul": "*",
    "Div": "/",
    "Mod": "%",
    "DPipe": "||",
    "And": "and",
    "Or": "or",
    "EQ": "=",
    "NEQ": "<>",
    "LT": "<",
    "LTE": "<=",
    "GT": ">",
    "GTE": ">=",
    "Is": "is",
    "Like": "like",
}
_ARGUMENTS: Final = {
    **dict.fromkeys(_BINARY, frozenset({"this", "expression"})),
    "Div": frozenset({"this", "expression", "typed", "safe"}),
    "DPipe": frozenset({"this", "expression", "safe"}),
    "Like": frozenset({"this", "expression", "negate"}),
    "Is": frozenset({"this", "expression", "negate"}),
    **dict.fromkeys(("Paren", "Neg", "Not", "Column"), frozenset({"this"})),
    "Between": frozenset({"this", "low", "high"}),
    "In": frozenset({"this", "expressions"}),
    "Case": frozenset({"this", "ifs", "default"}),
    "If": frozenset({"this", "true"}),
    "Anonymous": frozenset({"this", "expressions"}),
    "Identifier": frozenset({"this", "quoted"}),
}
"""Nodes of sqlglot's tree that may occur, each with the arguments that may be set."""


class _RefusedError(Exception):
    """Something in the tree is not on the list; carries what and where."""

    def __init__(self, what: str, span: Span | None) -> None:
        super().__init__(what)
        self.span = span


def parse(text: str, *, where: str) -> tuple[Node | None, list[Fault]]:
    """Read an expression.

    Returns
    -------
    tree, faults
        The tree is None with any fault.
    """
    tokens, found = scan(text, where=where)
    if found:
        return None, found
    faults = Faults(text, where)
    from sqlglot.errors import SqlglotError

    try:
        node = _convert(_parsed(text, tokens))
    except (SqlglotError, _RefusedError, RecursionError) as error:
        span = error.span if isinstance(error, _RefusedError) else _error_span(error)
        faults.add(
            "too-deep" if isinstance(error, RecursionError) else "syntax",
            f"{faults.snippet(span or (0, len(text)))!r} can't be read as a part of an expression",
            expected="an SQL scalar expression, as docs/reference/expressions.md lists",
            fix="write it in smaller steps; check operators and brackets there",
            span=span,
        )
        return None, faults.found
    _check_calls(node, faults)
    return (None if faults.found else node), faults.found


def _error_span(error: Exception) -> Span | None:
    details: list[Mapping[str, Any]] = getattr(error, "errors", [])
    column = details[0].get("col") if details else None
    return (column - 1, column - 1) if isinstance(column, int) and column > 0 else None


def _parsed(text: str, tokens: list[Token]) -> exp.Expr:
    from sqlglot import exp, parser
    from sqlglot.errors import ErrorLevel

    parsed = parser.Parser(error_level=ErrorLevel.RAISE).parse_into(
        exp.Condition, [_sql_token(token) for token in tokens], text
    )
    if len(parsed) != 1 or parsed[0] is None:
        what = "not one expression"
        raise _RefusedError(what, None)
    return parsed[0]


@lru_cache(maxsize=1)
def _token_types() -> dict[str, Any]:
    from sqlglot.tokenizer_core import TokenType

    signs = {
        "(": "L_PAREN",
        ")": "R_PAREN",
        ",": "COMMA",
        "+": "PLUS",
        "-": "DASH",
        "*": "STAR",
        "/": "SLASH",
        "%": "MOD",
        "||": "DPIPE",
        "=": "EQ",
        "<>": "NEQ",
        "!=": "NEQ",
        "<": "LT",
        "<=": "LTE",
        ">": "GT",
        ">=": "GTE",
    }
    words = ("and", "or", "not", "is", "in", "between", "like", "case", "when", "then", "else", "end")
    return {sign: TokenType[name] for sign, name in signs.items()} | {
        word: TokenType[word.upper()] for word in words
    }


def _sql_token(token: Token) -> SqlToken:
    from sqlglot.tokenizer_core import Token as SqlToken
    from sqlglot.tokenizer_core import TokenType

    place = (1, token.start + 1, token.start, token.end)
    if token.atom is None:
        return SqlToken(_token_types()[token.text], token.text, *place)
    return SqlToken(TokenType.IDENTIFIER, f"{token.atom} {token.text}", *place)


def _convert(node: Any) -> Node:  # noqa: ANN401 (sqlglot's nodes are told apart by name)
    """Convert a node; a chain such as ``a or b or c`` is walked along, not down."""
    chain: list[Any] = []
    while type(node).__name__ in _BINARY:
        _check_arguments(node)
        chain.append(node)
        node = node.this
    converted = _convert_one(node)
    for above in reversed(chain):
        right = _convert(above.expression)
        span = (converted.span[0], right.span[1])
        converted = Call(_BINARY[type(above).__name__], (converted, right), span)
        if above.args.get("negate"):
            converted = Call("not", (converted,), span)
    return converted


def _check_arguments(node: Any) -> None:  # noqa: ANN401
    name = type(node).__name__
    given = {key for key, value in node.args.items() if value not in (None, False, [])}
    if name not in _ARGUMENTS or given - _ARGUMENTS[name]:
        raise _RefusedError(name, _known_span(node))


def _known_span(node: Any) -> Span | None:  # noqa: ANN401
    places = [part.meta for part in node.walk() if "start" in part.meta]
    if not places:
        return None
    return min(place["start"] for place in places), max(place["end"] for place in places)


def _convert_one(node: Any) -> Node:  # noqa: ANN401, PLR0911 (a return for each form)
    _check_arguments(node)
    match type(node).__name__:
        case "Paren":
            return _convert(node.this)
        case "Column":
            return _atom(node.this)
        case "Neg":
            inner = _convert(node.this)
            return Call("negative", (inner,), inner.span)
        case "Not":
            inner = _convert(node.this)
            return Call("not", (inner,), inner.span)
        case "Between":
            parts = tuple(_convert(node.args[key]) for key in ("this", "low", "high"))
            return Call("between", parts, (parts[0].span[0], parts[-1].span[1]))
        case "In":
            parts = (_convert(node.this), *(_convert(each) for each in node.expressions))
            return Call("in", parts, (parts[0].span[0], parts[-1].span[1]))
        case "Case":
            return _case(node)
        case "Anonymous":
            name = _atom(node.this)
            parts = tuple(_convert(each) for each in node.expressions)
            return Call(name.text, parts, (name.span[0], parts[-1].span[1] if parts else name.span[1]))
        case other:
            raise _RefusedError(other, _known_span(node))


def _atom(node: Any) -> Atom:  # noqa: ANN401
    if type(node).__name__ != "Identifier":
        raise _RefusedError(type(node).__name__, None)
    _check_arguments(node)
    kind, _, text = node.name.partition(" ")
    return Atom(kind, text, (node.meta["start"], node.meta["end"]))


def _case(node: Any) -> Case:  # noqa: ANN401
    subject = _convert(node.this) if node.this else None
    branches = []
    for branch in node.args["ifs"]:
        _check_arguments(branch)
        branches.append((_convert(branch.this), _convert(branch.args["true"])))
    default = node.args.get("default")
    otherwise = _convert(default) if default is not None else None
    start = subject.span[0] if subject else branches[0][0].span[0]
    end = otherwise.span[1] if otherwise else branches[-1][1].span[1]
    return Case(subject, tuple(branches), otherwise, (start, end))


def children(node: Node) -> tuple[Node, ...]:
    """Give the nodes right below a node, in the order of the text."""
    match node:
        case Atom():
            return ()
        case Call():
            return node.arguments
        case Case():
            inner = [part for branch in node.branches for part in branch]
            ends = [part for part in (node.subject, node.otherwise) if part is not None]
            return (*inner, *ends)


def _check_calls(root: Node, faults: Faults) -> None:
    """Check the number of arguments, casts, and that types stand in casts only."""
    waiting = [root]
    while waiting:
        node = waiting.pop(0)
        waiting += children(node)
        if isinstance(node, Atom) and node.kind == "type":
            _wrong_cast(faults, node.span)
        elif isinstance(node, Call) and node.name in CASTS:
            waiting = (
                [part for part in waiting if part is not node.arguments[-1]] if node.arguments else waiting
            )
            if not _is_cast(node):
                _wrong_cast(faults, node.span)
        elif isinstance(node, Call) and node.name == "in" and len(node.arguments) == 1:
            faults.add(
                "wrong-arguments",
                "in has nothing in its brackets",
                expected="one or more literals, as in x in ('a', 'b')",
                fix="write the values, or false for none",
                span=node.span,
            )
        elif isinstance(node, Call) and node.name in FUNCTIONS:
            signature = FUNCTIONS[node.name]
            if not signature.accepts(len(node.arguments)):
                faults.add(
                    "wrong-arguments",
                    f"{node.name} was given {len(node.arguments)} argument(s)",
                    expected=signature.described(node.name),
                    fix="give the arguments listed",
                    span=node.span,
                )


def _is_cast(node: Call) -> bool:
    if len(node.arguments) != 2:
        return False
    value, kind = node.arguments
    inner = isinstance(value, Atom) and value.kind == "type"
    return not inner and isinstance(kind, Atom) and kind.kind == "type" and kind.text in TYPES


def _wrong_cast(faults: Faults, span: Span) -> None:
    faults.add(
        "wrong-arguments",
        "a cast needs a value and a type",
        expected=f"cast(value as type), type being one of {', '.join(TYPES)}",
        fix="write it as cast(x as integer)",
        span=span,
    )


AtomName = Literal["column", "quoted"]
COLUMNS: Final[tuple[AtomName, ...]] = ("column", "quoted")
"""Atoms that name a column."""
