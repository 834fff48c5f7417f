"""``wholeroad start``: what was seen of a file, the questions, and what was guessed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.prompt import Prompt
from rich.text import Text

from wholeroad.core.errors import UserError
from wholeroad.road.brief.questions import Question
from wholeroad.road.data.interview import Interview
from wholeroad.road.data.profile_features import RIVAL
from wholeroad.starting import drafted_for, folder_for, interview_for, look, look_up, write

if TYPE_CHECKING:
    from rich.console import Console

    from wholeroad.road.data.drafting import Drafted


def begin(
    console: Console,
    path: str,
    *,
    into: Path | None,
    answers: Sequence[str],
    yes: bool,
    database: str | None = None,
) -> None:
    """Look at a file, ask, and write its brief.

    Parameters
    ----------
    answers
        Texts such as ``outcome: returned = yes``.
    yes
        Take every guess.

    Raises
    ------
    UserError
        ``cli.no-terminal``, ``cli.answer``, and those of :func:`wholeroad.start`.
    """
    folder = folder_for(path, into, database=database)
    given = dict(_parted(text) for text in answers)
    looked = look(path) if database is None else look_up(path, database, folder=folder)
    for line in looked.words:
        console.print(Text(line), soft_wrap=True)
    interview = interview_for(looked, given)
    if not yes and not sys.stdin.isatty() and any(name not in given for name in interview.names):
        raise UserError(
            "cli.no-terminal",
            "There is nobody to ask",
            happened="the command has questions, and its input is no terminal",
            expected="a terminal, an --answer to each question, or --yes",
            fix="add --yes: every guess is taken, and marked in the brief",
        )
    if not yes:
        _let_interrupts_through()
        console.print(Text("\nAn empty answer takes the guess; a guess that is taken is marked '# assumed'."))
    for number, name in enumerate(interview.names, start=1):
        if name in given:
            interview.answer(name, given[name])
        elif yes:
            interview.answer(name)
            console.print(_told(interview.question(name)), soft_wrap=True)
        else:
            console.print(Text(f"\n{number} of {len(interview.names)}. ", style="bold"), end="")
            _ask(console, interview, name)
    drafted = drafted_for(looked, interview, folder=folder)
    write(looked, interview, folder=folder)
    _sum_up(console, drafted, folder.brief, timed="decide_at" in interview.names)


def _let_interrupts_through() -> None:
    # The reader of files has a handler of its own, after which waiting for an answer would go on until Enter.
    if hasattr(signal, "siginterrupt"):
        signal.siginterrupt(signal.SIGINT, True)  # noqa: FBT003


def _ask(console: Console, interview: Interview, name: str) -> None:
    question = interview.question(name)
    console.print(Text(question.asks))
    if question.options:
        console.print(Text(f"   for example {'; '.join(question.options)}", style="dim"))
    reason = f"   guess: {question.guess} ({question.why})" if question.guess else f"   {question.why}"
    console.print(Text(reason, style="dim"))
    while True:
        text = Prompt.ask("  ", console=console, default=question.guess, show_default=bool(question.guess))
        try:
            interview.answer(name, "" if text == question.guess else text)
        except UserError as error:
            console.print(
                Text(f"   {error.headline}: {error.happened}; expected {error.expected}", style="red")
            )
        else:
            return


def _told(question: Question) -> Text:
    line = Text(f"  {question.name:<18}", style="bold")
    line.append(question.guess, style="not bold")
    return line.append(f"  # assumed: {question.why}", style="dim not bold")


def _sum_up(console: Console, drafted: Drafted, brief: Path, *, timed: bool) -> None:
    for leak in drafted.leaks:
        console.print(Text(f"Left out as a suspected leak: {leak.said}.", style="yellow"), soft_wrap=True)
    suspect = {leak.column for leak in drafted.leaks}
    others = [name for name, _ in drafted.left_out if name not in suspect]
    if others:
        console.print(
            Text(f"Left out too, with the reason in the brief: {', '.join(others)}."), soft_wrap=True
        )
    lines = [line for section in drafted.draft.sections for line in section.lines if line.said == RIVAL]
    if lines:
        names = ", ".join(line.name for line in lines)
        console.print(
            Text(
                f"Kept, though called like an outcome: {names}. Known only later? Take it out of [feature]."
            ),
            soft_wrap=True,
        )
    count = len(drafted.draft.assumptions)
    console.print(
        Text(f"\n{brief} is written; {count} of its settings are assumed.", style="bold"), soft_wrap=True
    )
    folder = brief.parent
    then = f", then wholeroad rehearse {folder}" if timed else ""
    console.print(Text(f"Next: wholeroad check {folder}{then}"), soft_wrap=True)


def _parted(text: str) -> tuple[str, str]:
    name, colon, answer = text.partition(":")
    if not colon or not answer.strip():
        raise UserError(
            "cli.answer",
            "An answer can't be read",
            happened=f"was {text!r}",
            expected="the question's name, a colon, the answer",
            fix="write it as --answer 'outcome: returned = yes'",
        )
    return name.strip(), answer.strip()
