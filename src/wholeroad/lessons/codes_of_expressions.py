"""What the codes mean that speak of expressions."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry

ENTRIES: Final = (
    Entry(
        "expression.aggregate",
        "A sum or a count over many rows stands in an expression over one.",
        "Use a window feature.",
        "expression",
    ),
    Entry(
        "expression.alias",
        "Two parts follow each other without an operator, or as gives a name.",
        "Put the operator in; the brief's key is the name.",
        "expression",
    ),
    Entry(
        "expression.chance",
        "Chance was asked for, so the same row would give different results.",
        "Leave it out; random shares are set in the policy.",
        "expression",
    ),
    Entry(
        "expression.clock",
        "A clock was asked for, so the past couldn't be rehearsed.",
        "Use the row's own instants.",
        "expression",
    ),
    Entry(
        "expression.column-type",
        "A column is of a type that expressions don't read.",
        "Turn it into a number, text, boolean, instant or span before landing.",
        "expression",
    ),
    Entry(
        "expression.empty", "The expression is empty.", "Write one, or leave the setting out.", "expression"
    ),
    Entry(
        "expression.instant",
        "A text isn't an instant.",
        "Write it as timestamp '2013-03-01T06:00:00Z'.",
        "expression",
    ),
    Entry(
        "expression.no-timezone",
        "Local time was asked for, and the source has no time zone.",
        "Set timezone in the source's table.",
        "expression",
    ),
    Entry(
        "expression.not-allowed",
        "Something isn't part of these expressions.",
        "Use what the reference lists.",
        "expression",
    ),
    Entry("expression.number", "A number is too large.", "Write a smaller number, or a float.", "expression"),
    Entry(
        "expression.quotes",
        "Double quotes, which are for columns, stand around a text.",
        "Write the text in single quotes.",
        "expression",
    ),
    Entry(
        "expression.result-type",
        "The result isn't of the kind that is needed here.",
        "Use cast, or a comparison.",
        "expression",
    ),
    Entry("expression.span", "A span can't be read or is too long.", "Write it as 2h or 30d.", "expression"),
    Entry(
        "expression.subquery",
        "A query over other rows stands in an expression over one.",
        "Use lookup or latest in a feature.",
        "expression",
    ),
    Entry(
        "expression.syntax",
        "A part can't be read.",
        "Look at the characters that are named; close brackets and quotes.",
        "expression",
    ),
    Entry(
        "expression.too-deep",
        "The expression is nested too deep.",
        "Compute a part before landing.",
        "expression",
    ),
    Entry("expression.too-long", "The expression is too long.", "Compute it before landing.", "expression"),
    Entry(
        "expression.type-mismatch",
        "Two things that can't be compared or computed with each other stand together.",
        "Turn one of them into the other's type with cast.",
        "expression",
    ),
    Entry(
        "expression.unknown-column",
        "There is no such column.",
        "Correct the name; the message has the nearest one.",
        "expression",
    ),
    Entry(
        "expression.unknown-function",
        "There is no such function.",
        "Use one of the list, or compute it before landing.",
        "expression",
    ),
    Entry(
        "expression.unknown-timezone",
        "The time zone isn't known.",
        "Use a name such as Europe/Berlin.",
        "expression",
    ),
    Entry(
        "expression.unknown-type",
        "There is no such type for cast.",
        "Use one of the types that are listed.",
        "expression",
    ),
    Entry(
        "expression.window", "A window function looks at other rows.", "Use a window feature.", "expression"
    ),
    Entry(
        "expression.wrong-arguments",
        "A function was given too many or too few arguments.",
        "Give those that are listed.",
        "expression",
    ),
)
