"""SQL scalar expressions over a row's columns: parsed, allowed by list, typed, compiled to Polars."""

from wholeroad.core.expressions.expression import Expression, bind, check_syntax, text_results

__all__ = ["Expression", "bind", "check_syntax", "text_results"]
