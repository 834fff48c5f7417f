"""sqlglot's tokenizer with our keywords only, so that every other word stays a plain word."""

from __future__ import annotations

from functools import lru_cache

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


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    """Give the tokenizer; it is made once and keeps nothing between texts."""
    return ExpressionTokenizer()
