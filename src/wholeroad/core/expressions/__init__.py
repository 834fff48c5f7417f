"""SQL scalar expressions over a row's columns: parsed, allowed by list, typed, compiled to Polars."""

from wholeroad.core.expressions.expression import Expression, bind, check_syntax, text_results
from wholeroad.core.expressions.single import RowFunction, for_one

__all__ = ["Expression", "RowFunction", "bind", "check_syntax", "for_one", "text_results"]
