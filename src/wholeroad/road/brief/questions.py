"""The questions that make a brief: at most eight, each with a guess and what it was guessed from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from wholeroad.core.errors import UserError
from wholeroad.road.brief.worth import parse_ratio

NAMES: Final = (
    "outcome",
    "key",
    "decide_at",
    "known_at",
    "actions",
    "worth",
    "status_quo",
    "depends_on_action",
)
"""What is asked, in order; the names under which answers are given."""

TIMELESS: Final = ("outcome", "key", "actions", "worth", "status_quo", "depends_on_action")
"""What is asked of a table without any time."""

_AMOUNT: Final = r"([+-]?\d+(?:{}\d+)?)\s*([^\W\d][^\d,;/]*|[€$£¥])?"
_MONEY: Final = tuple(
    re.compile(rf"{_AMOUNT.format(point)}\s*[{between}]\s*{_AMOUNT.format(point)}")
    for point, between in ((r"\.", ",;/"), ("[.,]", ";/"))
)
"""Two amounts; with decimal commas only where no comma stands between them."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question to whoever knows the business.

    Attributes
    ----------
    name
        One of :data:`NAMES`.
    asks
        In plain words.
    guess
        What is taken unless another answer is given.
    why
        What the guess was guessed from.
    options
        Other answers that would fit, some of them.
    """

    name: str
    asks: str
    guess: str
    why: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered; ``why`` is empty where a person said it, and otherwise what the guess is from."""

    text: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Money:
    """What acting is worth: on one that is to be caught, and on a false alarm."""

    caught: float
    false_alarm: float
    unit: str


def parse_worth(text: str) -> Money | str:
    """Read what a caught one and a false alarm are worth.

    Returns
    -------
    Money or str
        Money, from ``120, -35 EUR``; or a ratio, as ``5 false alarms``, as the brief writes it.

    Raises
    ------
    UserError
        ``start.answer``.

    Examples
    --------
    >>> parse_worth("120, -35 EUR")
    Money(caught=120.0, false_alarm=-35.0, unit='EUR')
    """
    for money in filter(None, (pattern.fullmatch(text.strip()) for pattern in _MONEY)):
        caught, alarm = (float(money.group(place).replace(",", ".")) for place in (1, 3))
        units = {unit.strip() for unit in money.group(2, 4) if unit}
        if alarm > 0 or len(units) > 1:
            wanted = "one unit" if len(units) > 1 else "what a false alarm costs as a loss"
            raise unfit("worth", text, expected=f"{wanted}, as in 120, -35 EUR")
        return Money(caught, alarm, units.pop() if units else "money")
    ratio = " ".join(text.split())
    ratio = ratio if "false alarm" in ratio else f"{ratio} false alarms"
    try:
        parse_ratio(ratio)
    except ValueError:
        raise unfit(
            "worth", text, expected="120, -35 EUR (acting on one to catch, and in vain), or 5 false alarms"
        ) from None
    return ratio


def parse_pair(text: str, name: str) -> tuple[str, str]:
    """Read two names with a comma between them.

    Raises
    ------
    UserError
        ``start.answer``.
    """
    parts = [part.strip() for part in text.split(",")]
    if (
        len(parts) != 2
        or not all(re.fullmatch(r"[A-Za-z]\w*", part) for part in parts)
        or parts[0] == parts[1]
    ):
        raise unfit(name, text, expected="two different words with a comma between them, as in call, leave")
    return parts[0], parts[1]


def unfit(name: str, text: str, *, expected: str) -> UserError:
    """Say that an answer doesn't fit its question."""
    return UserError(
        "start.answer",
        f"The answer to {name} doesn't fit",
        happened=f"was {text!r}",
        expected=expected,
        fix=f"answer {name} again; an empty answer takes the guess",
    )
