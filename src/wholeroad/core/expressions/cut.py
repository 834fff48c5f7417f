"""The first cut of a text, by sqlglot's tokenizer; nothing of the text may be lost."""

from __future__ import annotations

from typing import Final

from wholeroad.core.expressions.allowed import TOKENS_MOST
from wholeroad.core.expressions.faults import Faults
from wholeroad.core.expressions.token import AtomKind, Token

_ATOMS: Final[dict[str, AtomKind]] = {"STRING": "text", "IDENTIFIER": "quoted", "NUMBER": "number"}


def cut(text: str, faults: Faults) -> list[Token]:
    """Let sqlglot cut the text; what lies between tokens must be white space."""
    from sqlglot.errors import SqlglotError

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
    tokens: list[Token] = []
    end = -1
    for piece in pieces:
        shown = text[piece.start : piece.end + 1]
        atom = _ATOMS.get(piece.token_type.name)
        quoted = atom in ("text", "quoted")
        if text[end + 1 : piece.start].strip() or (
            quoted and not (shown[0] in "'\"" and shown[0] == shown[-1])
        ):
            _unreadable(faults, end + 1, piece.end)
            return []
        tokens.append(Token(piece.text if atom else shown, piece.start, piece.end, atom))
        end = piece.end
    if text[end + 1 :].strip():
        _unreadable(faults, end + 1, len(text) - 1)
    if len(tokens) > TOKENS_MOST:
        faults.add(
            "too-long",
            f"the expression has {len(tokens):,} words and signs",
            expected=f"at most {TOKENS_MOST:,}",
            fix="compute it before landing, as a column of the source",
        )
    return tokens


def _unreadable(faults: Faults, first: int, last: int) -> None:
    faults.add(
        "syntax",
        f"{faults.snippet((first, last))!r} can't be read",
        expected="numbers, 'text', columns, operators and functions",
        fix="leave it out; text is written in single quotes, without a prefix",
        span=(first, last),
    )
