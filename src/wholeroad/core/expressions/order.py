"""What may stand beside what: the parser forgives more than an expression should."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from wholeroad.core.expressions.allowed import NESTING_MOST
from wholeroad.core.expressions.faults import Faults
from wholeroad.core.expressions.token import Token

_FOLLOWS: Final = {"when": ("case", "then"), "then": ("when",), "else": ("then",), "end": ("then", "else")}
"""What the parts of a case come after."""
_AFTER_OPERAND: Final = frozenset(
    {")", ",", "*", "/", "%", "||", "=", "<>", "!=", "<", "<=", ">", ">=", "and", "or", "is"}
) | {"then", "else", "end", "+"}


@dataclass(slots=True)
class _State:
    faults: Faults
    opened: list[str] = field(default_factory=list)
    prefixes: int = 0


def check_order(tokens: list[Token], faults: Faults) -> None:
    """Find operands without an operator between them, holes, unclosed brackets, too deep a nesting."""
    state = _State(faults)
    before: Token | None = None
    for token in tokens:
        _check_pair(state, before, token)
        _check_nesting(state, token)
        if faults.found:
            return
        before = token
    if before is not None and not before.closes_operand:
        _fault(
            faults, before, f"nothing follows {before.text!r}", "write what it applies to, or leave it out"
        )
    elif state.opened:
        closing = ")" if state.opened[-1] == "(" else "end"
        _fault(faults, tokens[-1], f"{closing!r} is missing at the end", f"close it with {closing!r}")


def _fault(faults: Faults, token: Token, happened: str, fix: str) -> None:
    faults.add(
        "syntax",
        happened,
        expected="one complete SQL scalar expression",
        fix=fix,
        span=(token.start, token.end),
    )


def _check_pair(state: _State, before: Token | None, token: Token) -> None:
    closed = before is not None and before.closes_operand
    if before is not None and token.opens_operand:
        called = before.atom == "function" and token.text == "("
        if closed:
            _no_operator(state.faults, before, token)
        elif before.atom == "function" and not called:
            _fault(state.faults, token, "a function has no brackets", "write it as name(arguments)")
        return
    empty_call = token.text == ")" and before is not None and before.text == "(" and before.atom is None
    if token.atom is None and token.text in _AFTER_OPERAND and not closed and not empty_call:
        what = f"after {before.text!r}" if before is not None else "at the start"
        _fault(state.faults, token, f"{token.text!r} {what} lacks an operand", "write what it applies to")


def _no_operator(faults: Faults, before: Token, token: Token) -> None:
    faults.add(
        "alias",
        f"{faults.snippet((before.start, before.end))} is followed by "
        f"{faults.snippet((token.start, token.end))} without an operator, and names can't be given here",
        expected="an operator between two operands",
        fix="put the operator in, or leave one of them out",
        span=(before.start, token.end),
    )


def _check_nesting(state: _State, token: Token) -> None:
    word = token.text if token.atom is None else ""
    if word in ("(", "case"):
        state.opened.append(word)
    elif word == ")":
        if not state.opened or state.opened.pop() != "(":
            _fault(state.faults, token, "')' closes nothing", "leave it out, or open the bracket")
    elif word in _FOLLOWS:
        if not state.opened or state.opened[-1] not in _FOLLOWS[word]:
            _fault(
                state.faults, token, f"{word!r} is out of place", "write case when ... then ... else ... end"
            )
            return
        state.opened[-1] = word
        if word == "end":
            state.opened.pop()
    state.prefixes = state.prefixes + 1 if word in ("not", "-") else 0
    if len(state.opened) + state.prefixes > NESTING_MOST:
        state.faults.add(
            "too-deep",
            "brackets, cases and functions stand too deep in one another",
            expected=f"at most {NESTING_MOST} levels",
            fix="leave out needless brackets, or compute a part before landing, as a column of the source",
            span=(token.start, token.end),
        )
