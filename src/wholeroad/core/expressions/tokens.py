"""From text to tokens: spans, literals and names are told apart before anything is parsed.

sqlglot cuts the text; what it cut is then checked against what an expression may hold, and
every literal and every name becomes one quoted identifier that says what it is
(``"column origin"``, ``"span 7200000000"``). The parser after this sees operators,
brackets and such atoms only, so it has no chance to read ``sched_dep - 2h`` as an alias,
a name as a statement, or two texts side by side as one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from wholeroad.core.errors import Fault
from wholeroad.core.expressions.allowed import (
    CASTS,
    CHARACTERS_MOST,
    FUNCTIONS,
    OTHER_NAMES,
    REFUSED_CALLS,
    REFUSED_WORDS,
    TYPES,
    Refusal,
)
from wholeroad.core.expressions.cut import cut
from wholeroad.core.expressions.faults import Faults, closest
from wholeroad.core.expressions.order import check_order
from wholeroad.core.expressions.token import KEYWORDS, AtomKind, Token
from wholeroad.core.instants import UNITS, parse_instant, parse_span

_SYMBOLS: Final = frozenset({"(", ")", ",", "+", "-", "*", "/", "%", "||"}) | {
    *("=", "<>", "!=", "<", "<=", ">", ">=")
}
_WORD: Final = re.compile(r"[^\W\d]\w*")
_NUMBER: Final = re.compile(r"\d+\.?\d*(?:[eE][+-]?\d+)?")
_CONSTANTS: Final = ("true", "false", "null")
_INSTANT_WORDS: Final = ("timestamp", "timestamptz", "date")
_SPAN_WORDS: Final = {
    "microsecond": "us",
    "millisecond": "ms",
    "second": "s",
    "sec": "s",
    "minute": "min",
    "hour": "h",
    "day": "d",
    "week": "w",
}
_FORBIDDEN: Final = {
    ";": "a second statement",
    "[": "a bracket",
    "]": "a bracket",
    "{": "a brace",
    "}": "a brace",
    "?": "a parameter",
    "@": "a parameter",
    ":": "a colon",
    "!": "an exclamation mark",
    "`": "a backtick",
    "->": "a lambda",
    "--": "a comment",
    "/*": "a comment",
    "==": "a doubled equals sign",
    "**": "a doubled star",
    ".": "a dot",
    "#": "a comment",
}
_FIXES: Final = {
    ";": "give one expression",
    "--": "write comments in the brief, after #",
    "/*": "write comments in the brief, after #",
    "#": "write comments outside the expression",
    "!": "write not",
    "`": "write a column in double quotes",
    ":": "write cast(x as type) for ::",
    "==": "write one =",
    "**": "write power(x, y)",
    ".": "only case. may stand before a column, as in case.origin",
}


@dataclass(slots=True)
class _Scanner:
    raw: list[Token]
    faults: Faults
    tokens: list[Token] = field(default_factory=list)
    open_calls: list[str] = field(default_factory=list)
    at: int = 0

    def ahead(self, steps: int = 1) -> Token | None:
        return self.raw[self.at + steps] if self.at + steps < len(self.raw) else None

    def keep(self, text: str, upto: Token, atom: AtomKind | None = None) -> None:
        self.tokens.append(Token(text, self.raw[self.at].start, upto.end, atom))

    def refuse(self, refusal: Refusal, token: Token) -> None:
        self.faults.add(
            refusal.code,
            f"{token.text} is {refusal.what}",
            expected=refusal.expected,
            fix=refusal.fix,
            span=(token.start, token.end),
        )


def scan(text: str, *, where: str) -> tuple[list[Token], list[Fault]]:
    """Cut a text into tokens.

    Returns
    -------
    tokens, faults
        With any fault the tokens are of no use.
    """
    faults = Faults(text, where)
    if len(text) > CHARACTERS_MOST:
        faults.add(
            "too-long",
            f"the expression has {len(text):,} characters",
            expected=f"at most {CHARACTERS_MOST:,}",
            fix="compute it before landing, as a column of the source",
        )
        return [], faults.found
    raw = cut(text, faults)
    if not raw and not faults.found:
        faults.add(
            "empty",
            "the expression is empty",
            expected="an expression",
            fix="write one, or leave the setting out",
        )
    if faults.found:
        return [], faults.found
    scanner = _Scanner(raw, faults)
    while scanner.at < len(raw):
        scanner.at += _step(scanner, raw[scanner.at])
    if not faults.found:
        check_order(scanner.tokens, faults)
    return scanner.tokens, faults.found


def _step(scanner: _Scanner, token: Token) -> int:  # noqa: PLR0911 (a return for each form)
    """Handle what starts here; give the number of raw tokens it took."""
    if token.atom == "number":
        return _number(scanner, token)
    if token.atom is not None:
        scanner.keep(token.text, token, token.atom)
        return 1
    if _WORD.fullmatch(token.text):
        return _word(scanner, token)
    after = scanner.ahead()
    joined = token.text + after.text if after and after.start == token.end + 1 else ""
    if token.text == "." and after and after.atom == "number" and after.text.isdigit():
        return _number(scanner, Token(f"0.{after.text}", token.start, after.end, "number"), taken=2)
    if joined in _FORBIDDEN:
        _forbidden(scanner, Token(joined, token.start, token.start + 1))
        return 2
    if token.text not in _SYMBOLS:
        _forbidden(scanner, token)
        return 1
    if token.text == "(":
        before = scanner.tokens[-1] if scanner.tokens else None
        scanner.open_calls.append(before.text if before and before.atom == "function" else "")
    elif token.text == ")" and scanner.open_calls:
        scanner.open_calls.pop()
    scanner.keep(token.text, token)
    return 1


def _forbidden(scanner: _Scanner, token: Token) -> None:
    what = _FORBIDDEN.get(token.text, "a sign that has no meaning here")
    scanner.faults.add(
        "not-allowed",
        f"{token.text!r} is {what}",
        expected="what docs/reference/expressions.md lists",
        fix=_FIXES.get(token.text, "leave it out"),
        span=(token.start, token.end),
    )


def _number(scanner: _Scanner, token: Token, taken: int = 1) -> int:
    unit = scanner.ahead(taken)
    if not _NUMBER.fullmatch(token.text):
        _unreadable_number(scanner, token)
        return taken
    if unit is None or unit.atom is not None or not _WORD.fullmatch(unit.text):
        scanner.keep(token.text, Token("", 0, token.end), "number")
        return taken
    if unit.text.lower() in KEYWORDS | {"as"} and unit.start > token.end + 1:
        scanner.keep(token.text, Token("", 0, token.end), "number")
        return taken
    _span(scanner, token.text, unit.text, unit)
    return taken + 1


def _unreadable_number(scanner: _Scanner, token: Token) -> None:
    scanner.faults.add(
        "syntax",
        f"{token.text!r} is no number",
        expected="a number such as 30, 2.5 or 1e6",
        fix="write the digits out",
        span=(token.start, token.end),
    )


def _span(scanner: _Scanner, number: str, unit: str, last: Token) -> None:
    try:
        micros = parse_span(f"{number.removesuffix('.')}{unit}")
    except ValueError:
        scanner.faults.add(
            "span",
            f"{number} {unit} is no span, and names can't be given here",
            expected=f"an operator after the number, or a unit: {', '.join(UNITS)}",
            fix="write a span as 2h or 30d, or put the operator in",
            span=(scanner.raw[scanner.at].start, last.end),
        )
        micros = 0
    if micros >= 2**63:
        scanner.faults.add(
            "span",
            f"{number} {unit} is longer than 292,000 years",
            expected="a shorter span",
            fix="write a shorter span",
            span=(scanner.raw[scanner.at].start, last.end),
        )
    scanner.keep(str(micros), last, "span")


def _word(scanner: _Scanner, token: Token) -> int:  # noqa: PLR0911 (a return for each form)
    word = token.text.lower()
    after = scanner.ahead()
    if word == "case" and after and after.text == ".":
        return _namespaced(scanner, token)
    if word in KEYWORDS:
        scanner.keep(word, token)
        return 1
    if word in _CONSTANTS:
        scanner.keep(word, token, "constant")
        return 1
    if word == "as":
        return _as(scanner, token)
    if after and after.atom == "text" and word in _INSTANT_WORDS:
        return _instant(scanner, after)
    if after and after.atom in ("text", "number") and word == "interval":
        return _interval(scanner, after)
    if after and after.text == "(" and after.atom is None:
        _called(scanner, token)
        return 1
    if word in REFUSED_WORDS:
        scanner.refuse(REFUSED_WORDS[word], token)
        return 1
    scanner.keep(token.text, token, "column")
    return 1


def _namespaced(scanner: _Scanner, token: Token) -> int:
    name = scanner.ahead(2)
    if name is None or not (name.atom == "quoted" or (name.atom is None and _WORD.fullmatch(name.text))):
        scanner.faults.add(
            "syntax",
            "case. has no column after it",
            expected="the name of a column of the case, as in case.origin",
            fix="write the column's name after the dot",
            span=(token.start, token.end + 1),
        )
        return 2
    scanner.keep(f"case.{name.text}", name, "column")
    return 3


def _called(scanner: _Scanner, token: Token) -> None:
    name = token.text.lower()
    if name in REFUSED_CALLS:
        scanner.refuse(REFUSED_CALLS[name], token)
    elif name in REFUSED_WORDS:
        scanner.refuse(REFUSED_WORDS[name], token)
    elif name not in FUNCTIONS and name not in CASTS:
        meant = OTHER_NAMES.get(name) or closest(name, [*FUNCTIONS, *CASTS])
        scanner.faults.add(
            "unknown-function",
            f"there is no function {token.text}",
            expected="one of the functions in docs/reference/expressions.md",
            fix=f"did you mean {meant}?" if meant else "leave it out, or compute it before landing",
            span=(token.start, token.end),
        )
    scanner.keep(name, token, "function")


def _instant(scanner: _Scanner, literal: Token) -> int:
    try:
        at = parse_instant(literal.text)
    except (ValueError, OverflowError):
        scanner.faults.add(
            "instant",
            f"{literal.text!r} is no instant",
            expected="an ISO date or date-time, UTC unless it says otherwise",
            fix="write it as timestamp '2013-03-01' or timestamp '2013-03-01T06:00:00Z'",
            span=(literal.start, literal.end),
        )
        at = 0
    scanner.keep(str(at), literal, "instant")
    return 2


def _interval(scanner: _Scanner, amount: Token) -> int:
    """Read ``interval '2 hours'``, ``interval '2' hour`` and ``interval 2 hour``."""
    number, unit, last, taken = amount.text.strip(), "", amount, 2
    after = scanner.ahead(2)
    if amount.atom == "text" and (match := re.fullmatch(r"([\d.]+)\s*([A-Za-z]+)", number)):
        number, unit = match.groups()
    elif after and after.atom is None and _WORD.fullmatch(after.text):
        unit, last, taken = after.text, after, 3
    word = unit.lower().removesuffix("s") if len(unit) > 2 else unit
    _span(scanner, number, _SPAN_WORDS.get(word, unit), last)
    return taken


def _as(scanner: _Scanner, token: Token) -> int:
    kind, closing = scanner.ahead(1), scanner.ahead(2)
    if not scanner.open_calls or scanner.open_calls[-1] not in CASTS:
        scanner.faults.add(
            "alias",
            "as gives a name, and an expression has none",
            expected="an expression alone",
            fix="leave out as and what follows it; the brief's key is the name",
            span=(token.start, token.end),
        )
        return 1 if kind is None else 2
    if kind and kind.text.lower() in TYPES and kind.atom is None and closing and closing.text == ")":
        scanner.keep(",", token)
        scanner.tokens.append(Token(kind.text.lower(), kind.start, kind.end, "type"))
        return 2
    shown = kind.text if kind else "nothing"
    known = shown.lower() in TYPES
    meant = closest(shown, TYPES)
    other = f"did you mean {meant}?" if meant else "use one of these types"
    scanner.faults.add(
        "unknown-type",
        f"cast can't give {shown}{' with what follows it' if known else ''}",
        expected=f"one of {', '.join(TYPES)}, without a length",
        fix=f"write {shown} alone, and close the bracket" if known else other,
        span=((kind or token).start, (kind or token).end),
    )
    return 2 if kind and kind.text != ")" else 1
