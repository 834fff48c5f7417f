"""Where things stand in the text of a TOML file, so that one may be added and the rest stays as it is."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Place:
    """A header or a key of a file that TOML can read.

    Attributes
    ----------
    kind
        A header of a table, of an entry of an array of tables, or a key.
    path
        All keys that lead there, those of the table included.
    start, end
        In the text: from its first sign to behind its last, comments left out.
    value
        Where the value of a key begins; that of a header is its end.
    """

    kind: Literal["table", "entry", "key"]
    path: tuple[str, ...]
    start: int
    end: int
    value: int


def places(text: str) -> Iterator[Place]:
    """Give the headers and keys of a text that TOML can read, in order; those within values are left out."""
    at = 0
    table: tuple[str, ...] = ()
    while at < len(text):
        sign = text[at]
        if sign.isspace():
            at += 1
        elif sign == "#":
            at = _line_end(text, at)
        elif sign == "[":
            end = _value_end(text, at)
            kind: Literal["table", "entry"] = "entry" if text.startswith("[[", at) else "table"
            table = _keys(tomllib.loads(text[at:end]))
            yield Place(kind, table, at, end, end)
            at = end
        else:
            equals = _equals(text, at)
            end = _value_end(text, equals + 1)
            value = equals + 1 + len(text[equals + 1 : end]) - len(text[equals + 1 : end].lstrip())
            yield Place("key", (*table, *_keys(tomllib.loads(f"{text[at:equals]} = 0"))), at, end, value)
            at = end


def last_sign(text: str, *, start: int, end: int) -> int:
    """Give the place of the last sign in a part of the text that is neither white space nor in a comment."""
    at, found = start, start
    while at < end:
        if text[at] == "#":
            at = _line_end(text, at)
        elif text[at] in "\"'":
            at = _string_end(text, at)
            found = at - 1
        else:
            found = found if text[at].isspace() else at
            at += 1
    return found


def line_end(text: str, at: int) -> int:
    """Give the place behind the line that something ends in, its comment and its break included."""
    return min(_line_end(text, at) + 1, len(text))


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _equals(text: str, at: int) -> int:
    while text[at] != "=":
        at = _string_end(text, at) if text[at] in "\"'" else at + 1
    return at


def _value_end(text: str, at: int) -> int:
    """Give the end of a value: of its line, or of the bracket that it opens."""
    depth, end = 0, at
    while at < len(text):
        sign = text[at]
        if sign in "\"'":
            at = end = _string_end(text, at)
            continue
        if sign == "#":
            if not depth:
                break
            at = _line_end(text, at)
            continue
        if sign == "\n" and not depth:
            break
        depth += (sign in "[{") - (sign in "]}")
        at += 1
        end = end if sign.isspace() else at
    return end


def _string_end(text: str, at: int) -> int:
    quote = text[at]
    mark = quote * 3 if text.startswith(quote * 3, at) else quote
    at += len(mark)
    while not text.startswith(mark, at):
        at += 2 if quote == '"' and text[at] == "\\" else 1
    at += len(mark)
    # A text in three quotes may end with one or two of its own.
    while len(mark) > 1 and text.startswith(quote, at):
        at += 1
    return at


def _keys(nested: Any) -> tuple[str, ...]:  # noqa: ANN401 - whatever TOML holds
    if isinstance(nested, list):
        nested = nested[0]
    if not isinstance(nested, dict) or not nested:
        return ()
    ((name, inner),) = nested.items()
    return (name, *_keys(inner))
