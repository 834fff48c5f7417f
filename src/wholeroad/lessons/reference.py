"""``docs/reference/codes.md``, written from the lessons."""

from __future__ import annotations

from wholeroad.lessons.catalogue import entries, lesson_for, lessons
from wholeroad.lessons.lesson import THEMES

_HEAD = """\
# Codes and lessons

Every message, finding and verdict has a stable code. `wholeroad explain CODE` prints its lesson, in a
text for a first reading or, with `--expert`, in a short one; in a report the lesson stands beside the
figure and is filled with yours. This page is written from the lessons: `python tests/test_lessons.py`.
"""

_FINDINGS = """
## Findings of the check

| code | lesson |
|---|---|"""

_MESSAGES = """
## Messages

What a command may end with, and why a row may be set aside.

| code | what it means | what to do | lesson |
|---|---|---|---|"""


def codes_page() -> str:
    """Write the page: lessons by theme, findings, messages."""
    lines = [_HEAD]
    for theme, title in THEMES.items():
        lines += [f"## {title}", "", "| code | lesson | in a sentence |", "|---|---|---|"]
        lines += [
            _row(f"`{lesson.code}`", lesson.title, lesson.what.partition(". ")[0].rstrip(".") + ".")
            for lesson in lessons()
            if lesson.theme == theme
        ]
        lines.append("")
    answered = sorted(
        (code, lesson.code)
        for lesson in lessons()
        for code in (lesson.code, *lesson.answers)
        if code.startswith("check.")
    )
    lines.append(_FINDINGS.removeprefix("\n"))
    lines += [_row(f"`{code}`", f"`{lesson}`") for code, lesson in answered]
    lines.append(_MESSAGES)
    for entry in sorted(entries(), key=lambda entry: entry.code):
        lesson = lesson_for(entry.lesson)
        named = f"`{lesson.code}`" if lesson else ""
        lines.append(_row(f"`{entry.code}`", entry.means, entry.doing, named))
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
