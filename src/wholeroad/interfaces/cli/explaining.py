"""What ``wholeroad explain`` prints: a code, a decision, a model."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from wholeroad.core.errors import UserError
from wholeroad.core.instants import format_instant, format_span
from wholeroad.interfaces.cli.contesting import show_contest
from wholeroad.interfaces.report.amounts import amount
from wholeroad.lessons import (
    THEMES,
    Filled,
    codes,
    entries,
    entry_for,
    fill,
    lesson_for,
    lessons,
    numbers_of_choice,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from wholeroad.engine.explained import DecisionExplained, ModelExplained
    from wholeroad.lessons import Number
    from wholeroad.road.model.results import CandidateReport, ChoiceReport

WIDTH: Final = 96
"""Columns that a lesson is set in: longer lines are hard to read."""
LABEL: Final = 20


def explain_code(code: str, *, expert: bool = False, numbers: Sequence[Number | str] = ()) -> RenderableType:
    """Explain a code: what it means, and the lesson behind it.

    Parameters
    ----------
    code
        Of a finding, a verdict, an error or a concept; a concept's name may be written with blanks.
    expert
        The short text for somebody who knows the field.
    numbers
        Yours, where there are any.

    Raises
    ------
    UserError
        ``explain.unknown-code``, with those that are near.
    """
    code = "-".join(code.strip().lower().split())
    lesson, entry = lesson_for(code), entry_for(code)
    if lesson is None:
        raise _unknown(code)
    parts: list[RenderableType] = []
    if entry is not None:
        parts += [_head(f"{entry.means}", code), _said("What to do", entry.doing), Text("")]
    parts.append(_lesson(fill(lesson, numbers), expert=expert, headed=code))
    if not expert and lesson.expert:
        parts.append(Text(f"\nShorter, for experts: wholeroad explain {code} --expert", style="dim"))
    return Group(*parts)


def list_codes() -> RenderableType:
    """List every lesson by theme, and the codes of errors by what they speak of."""
    parts: list[RenderableType] = [
        Text("What can be explained: wholeroad explain CODE, or decision, or model", style="bold")
    ]
    for theme, title in THEMES.items():
        shown = _columns()
        for lesson in lessons():
            if lesson.theme == theme:
                shown.add_row(Text(lesson.code), Text(lesson.title))
                also = [code for code in lesson.answers if "." in code]
                for code in also:
                    shown.add_row(Text(code), Text(f"see {lesson.code}", style="dim"))
        parts += [Text(""), Text(title, style="bold"), shown]
    shown = _columns()
    for entry in entries():
        shown.add_row(Text(entry.code), Text(entry.means))
    parts += [Text(""), Text("Messages, and reasons for setting rows aside", style="bold"), shown]
    return Group(*parts)


def show_decision(explained: DecisionExplained) -> RenderableType:
    """Show why one case was decided as it was."""
    unit = explained.unit
    parts: list[RenderableType] = [Text(_sentence(explained), style="bold")]
    if explained.held_reason:
        parts.append(Text(f"The model wasn't followed: {explained.held_reason}."))
    facts = [("decided by", explained.decided_by), ("model", explained.model or "none")]
    facts += [("plan", explained.plan)] if explained.plan else []
    facts.append(("without a model", explained.status_quo))
    facts.append(("outcome", explained.outcome or "not known yet"))
    if explained.money is not None:
        facts.append(("money", f"{amount(explained.money)} {unit}"))
    parts += [_pairs(facts), *(Text(line) for line in explained.lines)]
    if explained.values:
        parts += [Text(""), _why_action(explained)]
    if explained.features:
        parts += [Text(""), _features(explained)]
    if explained.changes:
        parts.append(
            Text(
                "One feature at a time, set to its typical value, the others as they were. The differences"
                " don't add up, and say nothing of causes: wholeroad explain one-feature-at-a-time",
                style="dim",
            )
        )
    if explained.contest is not None:
        parts += [Text(""), show_contest(explained, explained.contest)]
    return Group(*parts)


def show_model(explained: ModelExplained, *, expert: bool = False) -> RenderableType:
    """Show why a model is in charge, and on what the choice rests."""
    name = explained.choice.champion if explained.choice else (explained.model or "status quo")
    since = format_instant(explained.effective_from)
    parts: list[RenderableType] = [
        Text(f"In charge since {since}: {name}", style="bold"),
        Text(explained.why),
    ]
    facts = [
        ("policy", explained.policy),
        ("data up to", format_instant(explained.asked_at)),
        ("asked for because", explained.asked_because),
        ("cost of the fit", f"{amount(explained.costs)} {explained.unit}"),
        ("model", explained.model or "none: the status quo decides"),
        ("decided so far", "" if explained.decided is None else f"{explained.decided:,} cases"),
        ("next fit due", "" if explained.next_due_at is None else format_instant(explained.next_due_at)),
    ]
    parts += [_pairs(facts), *(Text(line) for line in explained.lines)]
    choice = explained.choice
    if choice is not None:
        parts += [Text(""), _candidates(choice, explained.unit), Text(_cut(choice))]
        filled = fill(_needed("one-standard-error"), numbers_of_choice(choice, unit=explained.unit))
        parts += [Text(""), _lesson(filled, expert=expert, headed="one-standard-error")]
    return Group(*parts)


def _unknown(code: str) -> UserError:
    known = codes()
    near = difflib.get_close_matches(code, known, n=3, cutoff=0.65)
    near += [one for one in known if one.rpartition(".")[2] == code and one not in near]
    return UserError(
        "explain.unknown-code",
        "Nothing is known under this code",
        happened=f"was {code!r}",
        expected="a code in square brackets of a message, a concept such as interval, decision, or model",
        fix=f"did you mean {' or '.join(near)}?" if near else "wholeroad explain lists all of them",
    )


def _needed(code: str) -> Any:  # noqa: ANN401 - a lesson that is known to be there
    return lesson_for(code)


def _lesson(filled: Filled, *, expert: bool, headed: str) -> RenderableType:
    lesson = filled.lesson
    parts: list[RenderableType] = [_head(lesson.title, "" if lesson.code == headed else lesson.code)]
    parts += [_said(label, text) for label, text in _texts(filled, expert=expert) if text]
    return Group(*parts)


def _texts(filled: Filled, *, expert: bool) -> Iterator[tuple[str, str]]:
    lesson = filled.lesson
    label = "Your numbers" if len(filled.numbers) > 1 else "Your number"
    numbers = "\n".join(filled.numbers)
    if expert:
        yield "", lesson.expert
        yield "Formula", lesson.formula
        yield label, numbers
        yield "Do", lesson.doing
        yield "As in", lesson.command
        yield "Source", lesson.source
        return
    yield "", lesson.what
    yield "Formula", lesson.formula
    yield label, numbers
    yield "How to read it", " ".join(filter(None, (filled.here, lesson.reading)))
    yield "How it can fool you", lesson.fooling
    yield "What to do", lesson.doing
    yield "As in", lesson.command
    yield "When to do nothing", lesson.nothing
    yield "Source", lesson.source


def _head(title: str, code: str) -> RenderableType:
    return Text.assemble((title, "bold"), (f"  [{code}]" if code else "", "dim"))


def _said(label: str, text: str) -> RenderableType:
    shown = Table.grid(padding=(0, 1, 0, 0))
    if label:
        shown.add_column(width=LABEL, no_wrap=True)
    shown.add_column(width=WIDTH - LABEL - 2 if label else WIDTH, overflow="fold")
    style = "green" if label == "As in" else ""
    shown.add_row(*([Text(label, style="cyan")] if label else []), Text(text, style=style))
    return shown


def _columns() -> Table:
    shown = Table.grid(padding=(0, 2, 0, 2))
    shown.add_column(no_wrap=True, width=32)
    shown.add_column(overflow="fold")
    return shown


def _pairs(facts: Sequence[tuple[str, str]]) -> Table:
    shown = Table.grid(padding=(0, 2, 0, 2))
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for label, text in facts:
        if text:
            shown.add_row(Text(label, style="cyan"), Text(text))
    return shown


def _table(title: str) -> Table:
    return Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)


def _sentence(explained: DecisionExplained) -> str:
    key = ", ".join(f"{name} {value}" for name, value in explained.key.items())
    text = f"{key}: {explained.action}, decided {format_instant(explained.decided_at)}"
    if explained.expected and not explained.held_reason:
        best = explained.expected.get(explained.action)
        others = [value for action, value in explained.expected.items() if action != explained.action]
        if best is not None and others and best >= max(others):
            more = amount(best - max(others))
            text += f", because it is expected to bring {more} {explained.unit} more than the next best"
    return text + "."


def _why_action(explained: DecisionExplained) -> Table:
    classes = list(next(iter(explained.values.values())))
    shown = _table(f"What each action is worth, in {explained.unit}, and what is expected of it")
    shown.add_column("action")
    for name in classes:
        probability = explained.probabilities.get(name)
        head = name if probability is None else f"{name}\n{probability:.1%}"
        shown.add_column(Text(head), justify="right")
    shown.add_column("expected", justify="right")
    for action, row in explained.values.items():
        expected = explained.expected.get(action)
        mark = "> " if action == explained.action else "  "
        cells = [mark + action, *(amount(row[name]) for name in classes)]
        cells.append("–" if expected is None else amount(expected))
        shown.add_row(*(Text(cell) for cell in cells), style="bold" if mark == "> " else "")
    return shown


def _features(explained: DecisionExplained) -> Table:
    changes = {change.feature: change for change in explained.changes}
    shown = _table("What was known when it was decided")
    for head in ("feature", "value"):
        shown.add_column(head, overflow="fold")
    if changes:
        shown.add_column("typical", overflow="fold")
        shown.add_column(Text(f"then {explained.asked}"), justify="right")
        shown.add_column("it changed", justify="right")
    order = [*changes, *(name for name in explained.features if name not in changes)]
    for name in order:
        cells = [name, _value(explained.features.get(name))]
        if changes:
            change = changes.get(name)
            cells += ["", "", ""] if change is None else _changed(change)
        shown.add_row(*(Text(cell) for cell in cells))
    return shown


def _changed(change: Any) -> list[str]:  # noqa: ANN401 - a Change of the engine, imported for types alone
    points = f"{100 * change.difference:+.1f} points"
    return [_value(change.typical), f"{change.probability:.1%}", points]


def _value(value: object) -> str:
    if value is None:
        return "nothing known"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _candidates(choice: ChoiceReport, unit: str) -> Table:
    shown = _table(f"Candidates on the newest slice, {unit} per case")
    for head in ("candidate", "money", "behind the best", "standard error", "within one", "actions"):
        shown.add_column(head, justify="left" if head in ("candidate", "actions") else "right")
    for one in choice.candidates:
        cells = _candidate(one, champion=choice.champion)
        shown.add_row(*(Text(cell) for cell in cells), style="bold" if one.name == choice.champion else "")
    return shown


def _candidate(one: CandidateReport, *, champion: str) -> tuple[str, ...]:
    return (
        ("> " if one.name == champion else "  ") + one.name,
        f"{one.money_per_case:,.4f}",
        f"{one.behind_best:,.4f}",
        f"{one.standard_error:,.4f}",
        "yes" if one.eligible else "no",
        ", ".join(f"{action} {share:.0%}" for action, share in _most(one.actions).items()),
    )


def _most(actions: Mapping[str, float], *, shown: int = 4) -> dict[str, float]:
    """Give the most frequent actions; an amount may be one of a hundred."""
    if len(actions) <= shown:
        return dict(actions)
    return dict(sorted(actions.items(), key=lambda item: -item[1])[:shown])


def _cut(choice: ChoiceReport) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in choice.outcomes.items())
    told = f"{choice.rows:,} cases older than {format_span(choice.matures)}"
    features = ", ".join(choice.features) or "none"
    left_out = "; ".join(f"{name} ({reason})" for name, reason in choice.left_out)
    text = f"Learnt from {told}{f' ({counts})' if counts else ''}. Features: {features}."
    return f"{text} Left out: {left_out}." if left_out else text
