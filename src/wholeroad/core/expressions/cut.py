"""The first cut of a text, by sqlglot's tokenizer; nothing of the text may be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wholeroad.core.expressions.allowed import TOKENS_MOST
from wholeroad.core.expressions.faults import Faults
from wholeroad.core.expressions.token import AtomKind, Token

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import TokenType


def cut(text: str, faults: Faults) -> list[Token]:
    """Let sqlglot cut the text; what lies between tokens must be white space."""
    from sqlglot.errors import SqlglotError
    from sqlglot.tokenizer_core import TokenType

    from wholeroad.core.expressions.tokenizer import tokenizer

    try:
        pieces = tokenizer().tokenize(text)
    except SqlglotError:
        faults.add(
            "syntax",
            "a quote is opened and not closed, or the text can't be read",
            expected="'text' in single quotes, \"columns\" in double quotes",
            fix="close the quote; a quote within a text is doubled, as in 'it''s'",
        )
        return []
    atoms: dict[TokenType, AtomKind] = {
        TokenType.STRING: "text",
        TokenType.IDENTIFIER: "quoted",
        TokenType.NUMBER: "number",
    }
    tokens: list[Token] = []
    end = -1
    for token in pieces:
        shown = text[token.start : token.end + 1]
        atom = atoms.get(token.token_type)
        plain = atom == "number" or atom is None or (shown[0] in "'\"" and shown[0] == shown[-1])
        if text[end + 1 : token.start].strip() or not plain:
            faults.add(
                "syntax",
                f"{text[end + 1 : token.end + 1].strip()!r} can't be read",
                expected="numbers, 'text', columns, operators and functions",
                fix="leave it out; text is written in single quotes, without a prefix",
                span=(end + 1, token.end),
            )
            return []
        tokens.append(Token(token.text if atom else shown, token.start, token.end, atom))
        end = token.end
    if text[end + 1 :].strip():
        faults.add(
            "syntax",
            f"{text[end + 1 :].strip()!r} can't be read",
            expected="numbers, 'text', columns, operators and functions",
            fix="leave it out",
            span=(end + 1, len(text) - 1),
        )
    if len(tokens) > TOKENS_MOST:
        faults.add(
            "too-long",
            f"the expression has {len(tokens):,} words and signs",
            expected=f"at most {TOKENS_MOST:,}",
            fix="compute it before landing, as a column of the source",
        )
    return tokens
