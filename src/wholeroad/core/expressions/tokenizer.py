"""sqlglot's tokenizer with our keywords only, so that every other word stays a plain word."""

from __future__ import annotations

from sqlglot.tokenizer_core import TokenType
from sqlglot.tokens import Tokenizer


class ExpressionTokenizer(Tokenizer):
    """Knows the signs of two characters; no statements, no comments, no templates."""

    KEYWORDS = {  # noqa: RUF012 (as sqlglot declares it)
        "<>": TokenType.NEQ,
        "!=": TokenType.NEQ,
        "<=": TokenType.LTE,
        ">=": TokenType.GTE,
        "||": TokenType.DPIPE,
    }
    COMMANDS = set()  # noqa: RUF012
    COMMENTS = []  # noqa: RUF012
    HINT_START = ""


def tokenizer() -> Tokenizer:
    """Make a tokenizer: it holds the text that it is at, so threads can't share one."""
    return ExpressionTokenizer()
