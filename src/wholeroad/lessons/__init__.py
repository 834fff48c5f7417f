"""The explanations: one record per concept, one sentence per code, filled with your own numbers.

``lesson_for(code)`` finds the lesson, ``fill(lesson, numbers)`` puts your numbers in. Numbers come from the
objects that reports show, by the functions whose names begin with ``numbers_of``.
"""

from wholeroad.lessons.catalogue import codes, entries, entry_for, lesson_for, lessons
from wholeroad.lessons.choosing import verdict_codes
from wholeroad.lessons.lesson import THEMES, Entry, Filled, Lesson, Number, fill
from wholeroad.lessons.numbers import (
    break_even_of,
    numbers_of_brief,
    numbers_of_calibration,
    numbers_of_choice,
    numbers_of_comparison,
    numbers_of_finding,
)

__all__ = [
    "THEMES",
    "Entry",
    "Filled",
    "Lesson",
    "Number",
    "break_even_of",
    "codes",
    "entries",
    "entry_for",
    "fill",
    "lesson_for",
    "lessons",
    "numbers_of_brief",
    "numbers_of_calibration",
    "numbers_of_choice",
    "numbers_of_comparison",
    "numbers_of_finding",
    "verdict_codes",
]
