"""All lessons and all codes, and the way from one to the other."""

from __future__ import annotations

from functools import cache
from typing import Final

from wholeroad.lessons import (
    acting,
    asking_the_service,
    codes_of_applying,
    codes_of_arriving_rows,
    codes_of_data,
    codes_of_expressions,
    codes_of_fairness,
    codes_of_keeping,
    codes_of_remedies,
    codes_of_the_brief,
    codes_of_the_folder,
    codes_of_the_intake,
    codes_of_the_service,
    contesting,
    contracts,
    curating,
    evidence,
    fairness_causes,
    fairness_measures,
    fairness_remedies,
    features,
    mends,
    models,
    money,
    origins,
    outcomes,
    planning,
    reviewing,
    sending_requests,
    timing,
    troubles_of_time,
    troubles_of_values,
    verdicts,
)
from wholeroad.lessons.lesson import Entry, Lesson

_LESSONS: Final = (
    *verdicts.LESSONS,
    *money.LESSONS,
    *evidence.LESSONS,
    *timing.LESSONS,
    *outcomes.LESSONS,
    *mends.LESSONS,
    *features.LESSONS,
    *acting.LESSONS,
    *models.LESSONS,
    *fairness_measures.LESSONS,
    *fairness_causes.LESSONS,
    *fairness_remedies.LESSONS,
    *planning.LESSONS,
    *origins.LESSONS,
    *contracts.LESSONS,
    *troubles_of_time.LESSONS,
    *troubles_of_values.LESSONS,
    *reviewing.LESSONS,
    *contesting.LESSONS,
    *sending_requests.LESSONS,
    *asking_the_service.LESSONS,
    *codes_of_the_service.LESSONS,
)
_ENTRIES: Final = (
    *codes_of_the_brief.ENTRIES,
    *codes_of_expressions.ENTRIES,
    *codes_of_fairness.ENTRIES,
    *codes_of_remedies.ENTRIES,
    *codes_of_applying.ENTRIES,
    *codes_of_arriving_rows.ENTRIES,
    *codes_of_data.ENTRIES,
    *codes_of_the_folder.ENTRIES,
    *codes_of_the_intake.ENTRIES,
    *mends.ENTRIES,
    *origins.ENTRIES,
    *contracts.ENTRIES,
    *reviewing.ENTRIES,
    *contesting.ENTRIES,
    *curating.ENTRIES,
    *codes_of_keeping.ENTRIES,
    *sending_requests.ENTRIES,
    *asking_the_service.ENTRIES,
    *codes_of_the_service.ENTRIES,
)


@cache
def _by_code() -> dict[str, Lesson]:
    answered = {code: lesson for lesson in _LESSONS for code in lesson.answers}
    return answered | {lesson.code: lesson for lesson in _LESSONS}


@cache
def _entry_by_code() -> dict[str, Entry]:
    return {entry.code: entry for entry in _ENTRIES}


def lessons() -> list[Lesson]:
    """Give every lesson, by theme and in reading order."""
    return list(_LESSONS)


def entries() -> list[Entry]:
    """Give what every code of an error or of a row set aside means."""
    return list(_ENTRIES)


def entry_for(code: str) -> Entry | None:
    """Give what a code of an error or of a row set aside means; None where it is none."""
    return _entry_by_code().get(code)


def lesson_for(code: str) -> Lesson | None:
    """Give the lesson for a code: of a concept, a verdict, a finding, or an error; None where there is none.

    Examples
    --------
    >>> lesson_for("check.immature").code, lesson_for("data.key-null").code
    ('matures', 'key')
    """
    lesson = _by_code().get(code)
    if lesson is None and (entry := entry_for(code)) is not None:
        return _by_code()[entry.lesson]
    return lesson


def codes() -> list[str]:
    """Give every code that has something to read, in order of the alphabet."""
    return sorted(_by_code().keys() | _entry_by_code().keys())
