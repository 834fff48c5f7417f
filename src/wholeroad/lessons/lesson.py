"""What a lesson is, and how your own numbers come into it."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal

Theme = Literal[
    "verdicts",
    "money",
    "evidence",
    "time",
    "outcomes",
    "features",
    "acting",
    "models",
    "fairness",
    "planning",
]

THEMES: Final[dict[Theme, str]] = {
    "verdicts": "Verdicts of a report",
    "money": "What an outcome is worth",
    "evidence": "How sure a figure is",
    "time": "What was known when",
    "outcomes": "Outcomes and their truth",
    "features": "Features and leaks",
    "acting": "When acting changes the outcome",
    "models": "Fitting and choosing a model",
    "fairness": "Groups, and how decisions differ between them",
    "planning": "Data that aren't there yet",
}


@dataclass(frozen=True, slots=True)
class Number:
    """One of your numbers, as the report shows it.

    Attributes
    ----------
    name
        By which lessons ask for it: ``gain``.
    value, low, high
        The figure and the ends of its interval; the ends are None where there is none, and infinite where
        too few days made one impossible.
    n
        On how many cases (or rows, or fits) it rests.
    unit
        Of all three; ``share`` is written as a percentage.
    said
        What it is, in words: ``gain of every 30d over the status quo``.
    confidence
        Of the interval.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    unit: str = ""
    said: str = ""
    confidence: float = 0.95

    def __str__(self) -> str:
        """Write the figure with its unit.

        Examples
        --------
        >>> str(Number("gain", 1234.5, unit="EUR")), str(Number("share", 0.254, unit="share"))
        ('1,234 EUR', '25.4%')
        """
        return _united(self.value, self.unit)

    @property
    def interval(self) -> str:
        """The interval in words; empty where there is none."""
        if self.low is None or self.high is None:
            return ""
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            return "no interval: too few days"
        low = figure(100 * self.low) if self.unit == "share" else figure(self.low)
        return f"{self.confidence:.0%} interval {low} to {_united(self.high, self.unit)}"

    @property
    def line(self) -> str:
        """The number as one line: what it is, the figure, its interval, and on how much it rests."""
        behind = [self.interval, f"n = {self.n:,}" if self.n is not None else ""]
        small = "; ".join(filter(None, behind))
        return f"{self.said or self.name.replace('_', ' ')}: {self}" + (f" ({small})" if small else "")


def figure(value: float) -> str:
    """Write a figure as the reports do: whole from 100 on or when it is whole, else with two decimals.

    Examples
    --------
    >>> figure(1234567.8), figure(-3.456), figure(50.0)
    ('1,234,568', '-3.46', '50')
    """
    text = f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:,.2f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text


def _united(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value:.1%}"
    return f"{figure(value)} {unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Lesson:
    """One concept, explained so that somebody can act on it.

    Texts may be written over several lines; white space is joined.

    Attributes
    ----------
    code
        Stable: a concept (``interval``), a verdict (``verdict.refit-pays``), a finding (``check.one-class``).
    theme, title
        Where it is listed, and its name.
    what, formula
        Three sentences at most, and one formula (may be empty where there is none to write).
    number
        What number of yours would be shown, for when there is none.
    reading
        How to read it for the value table at hand.
    fooling, doing, command, nothing
        How it can fool you; what to do, with the exact command or setting; when to do nothing.
    source
        Paper and section, or the page of this project that says it exactly.
    expert
        The same for somebody who knows the field: one short paragraph.
    here
        The reading with your own numbers: a template over the names of numbers, as in
        ``{gain} ({gain.interval})``. Used when all of them are there.
    shows
        Names of the numbers that belong to the lesson.
    answers
        Further codes that it answers.
    needs
        Lessons to have read before.
    """

    code: str
    theme: Theme
    title: str
    what: str
    number: str
    reading: str
    fooling: str
    doing: str
    nothing: str
    source: str
    expert: str
    formula: str = ""
    command: str = ""
    here: str = ""
    shows: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Join white space."""
        for field in fields(self):
            text = getattr(self, field.name)
            if isinstance(text, str):
                object.__setattr__(self, field.name, " ".join(text.split()))

    @property
    def wanted(self) -> frozenset[str]:
        """Names of the numbers that ``here`` asks for."""
        named = (name for _, name, _, _ in string.Formatter().parse(self.here) if name)
        return frozenset(name.partition(".")[0] for name in named)


@dataclass(frozen=True, slots=True)
class Filled:
    """A lesson with your numbers in it.

    Attributes
    ----------
    lesson
        The record.
    numbers
        One line for each of your numbers; what would be shown, where there is none.
    yours
        Whether ``numbers`` are yours.
    here
        How to read them here; empty without numbers.
    """

    lesson: Lesson
    numbers: tuple[str, ...]
    yours: bool
    here: str


def fill(lesson: Lesson, numbers: Sequence[Number | str] = ()) -> Filled:
    """Put your numbers into a lesson.

    Parameters
    ----------
    lesson
        Any.
    numbers
        Of the object that the report shows, in any order; those that the lesson doesn't ask for, or
        that aren't finite, are left out. A text, such as a finding's own sentence, is taken as it is.

    Examples
    --------
    >>> from wholeroad.lessons import lesson_for
    >>> gain = Number("gain", 5.0, 2.0, 8.0, n=100, unit="EUR", said="gain of never")
    >>> fill(lesson_for("interval"), [gain]).numbers
    ('gain of never: 5 EUR (95% interval 2 to 8 EUR; n = 100)',)
    """
    named: dict[str, Number] = {}
    for number in numbers:
        if not isinstance(number, str) and math.isfinite(number.value):
            named.setdefault(number.name, number)
    lines = [number for number in numbers if isinstance(number, str)]
    lines += [named[name].line for name in lesson.shows if name in named]
    here = lesson.here.format_map(named) if lesson.here and lesson.wanted <= named.keys() else ""
    if not lines:
        return Filled(lesson, (f"Here would stand {lesson.number}.",), yours=False, here="")
    return Filled(lesson, tuple(lines), yours=True, here=here)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a code means that a command may end with, or that a row was set aside for.

    Attributes
    ----------
    code
        Dotted and stable.
    means, doing
        A sentence each.
    lesson
        Code of the concept behind it.
    """

    code: str
    means: str
    doing: str
    lesson: str
