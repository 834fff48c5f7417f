"""The interview that makes a brief: what to ask about a table, what to guess, and what was answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from wholeroad.core.errors import FaultsError, UserError
from wholeroad.core.expressions import bind
from wholeroad.core.instants import format_span, parse_span
from wholeroad.road.brief.draft import column_in
from wholeroad.road.brief.questions import (
    NAMES,
    TIMELESS,
    Answer,
    Question,
    parse_pair,
    parse_worth,
    unfit,
)
from wholeroad.road.data.profile import Profile
from wholeroad.road.data.profile_outcome import FILLED, MOST_CLASSES, counted, hits, outcome_guesses
from wholeroad.road.data.profile_times import KnownGuess, decide_guess, known_guess

_SHOWN = 6


@dataclass(slots=True)
class Interview:
    """Asks, one question after the other: what is guessed depends on what was answered before.

    Parameters
    ----------
    seen
        The table.
    dumped
        Whether it comes as successive dumps, whose dates tell when a row was known.
    """

    seen: Profile
    dumped: bool = False
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What is asked, in order."""
        if self.seen.instants:
            return tuple(name for name in NAMES if not (self.dumped and name == "known_at"))
        return TIMELESS

    def question(self, name: str) -> Question:
        """Put a question; those before it must have been answered. An empty guess is none."""
        return _ASK[name](self)

    def answer(self, name: str, text: str = "") -> None:
        """Take an answer; an empty one takes the guess.

        Raises
        ------
        UserError
            ``start.answer`` where it doesn't fit; ``start.no-outcome``, ``start.no-key`` where nothing
            can be guessed.
        """
        if name not in NAMES:
            raise unfit(name, text, expected=f"one of the questions: {', '.join(NAMES)}")
        if not text.strip():
            question = self.question(name)
            if not question.guess:
                raise _no_guess(question)
            self.answers[name] = Answer(question.guess, question.why)
            return
        _TAKES[name](self, text.strip())
        self.answers[name] = Answer(text.strip())

    def said(self, name: str) -> Answer:
        """Give the answer to a question."""
        return self.answers[name]

    @property
    def outcome(self) -> tuple[str, str]:
        """The outcome's column, and the value to catch."""
        return split_outcome(self.answers["outcome"].text, self.seen)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row."""
        return split_columns(self.answers["key"].text, self.seen)

    @property
    def hit(self) -> pl.Series:
        """Where the outcome is the one to catch; null where it isn't known."""
        column, value = self.outcome
        return hits(self.seen.frame[column], value)

    @property
    def decide(self) -> str | None:
        """The column of the decision's instant, or the one that its expression reads; None without time."""
        answer = self.answers.get("decide_at")
        if answer is None:
            return None
        if answer.text in self.seen.columns:
            return answer.text
        bound = bind_instant(answer.text, self.seen)
        return next((name for name in bound if self.seen.columns[name].kind == "instant"), None)

    def known(self) -> KnownGuess | str:
        """When the outcome is known: what the table says, or an expression that was answered."""
        answer = self.answers["known_at"]
        column, _ = self.outcome
        guess = known_guess(self.seen, self.hit, outcome=column, decide=self.decide or "")
        if answer.why or answer.text == guess.column:
            return guess
        try:
            return KnownGuess(None, parse_span(answer.text), "")
        except ValueError:
            return column_in(answer.text) if answer.text in self.seen.columns else answer.text


def _no_guess(question: Question) -> UserError:
    if question.name == "key":
        return UserError(
            "start.no-key",
            "Nothing names a row",
            happened=question.why,
            expected="a number or a name for each case",
            fix="add a column that counts the rows, or name the columns, as in --answer 'key: shop, day'",
        )
    example = question.options[0] if question.options else "status = lost"
    return UserError(
        "start.no-outcome",
        "No column looks like an outcome",
        happened=question.why,
        expected="a column that says how each case turned out",
        fix=f"name it and the value to catch, as in --answer 'outcome: {example}'",
    )


def split_outcome(text: str, seen: Profile) -> tuple[str, str]:
    """Read ``column = value``, ``column is filled``, or a column alone, whose rarer or truer value is taken.

    Raises
    ------
    UserError
        ``start.answer``.
    """
    for name in sorted(seen.columns, key=len, reverse=True):
        rest = text.removeprefix(name).strip() if text.startswith(name) else None
        if rest == FILLED:
            return name, FILLED
        values = counted(seen.frame[name]) if rest == "" or (rest or "").startswith("=") else {}
        if rest == "" and (guess := [each for each in outcome_guesses(seen) if each.column == name]):
            return name, guess[0].value
        value = (rest or "").removeprefix("=").strip()
        fits = [each for each in values if each.strip() in {value, value.strip("'\"")}]
        if fits and len(values) > 1:
            return name, fits[0]
        if values and rest:
            raise unfit("outcome", text, expected=f"a value of {name} out of several: {_listed([*values])}")
    numbers = [each.name for each in seen.columns.values() if each.kind in {"integer", "number"}]
    if asked := [name for name in numbers if text.startswith(name)]:
        raise unfit(
            "outcome",
            text,
            expected=f"a column of a few values, and {max(asked, key=len)} is a number: add a column that"
            ' says yes or no, or write the brief by hand with kind = "regression"',
        )
    raise unfit(
        "outcome",
        text,
        expected=f"a column and a value, as in late = yes; columns are {_listed([*seen.columns])}",
    )


def split_columns(text: str, seen: Profile) -> tuple[str, ...]:
    """Read a column, or several with commas between them.

    Raises
    ------
    UserError
        ``start.answer``.
    """
    if text in seen.columns:
        return (text,)
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if unknown := [name for name in names if name not in seen.columns]:
        raise unfit(
            "key",
            text,
            expected=f"columns of the table, and {', '.join(unknown)} is none: {_listed([*seen.columns])}",
        )
    return names


def bind_instant(text: str, seen: Profile, *, name: str = "decide_at") -> tuple[str, ...]:
    """Check that an expression gives an instant; give the columns that it reads.

    Raises
    ------
    UserError
        ``start.answer``.
    """
    try:
        bound = bind(text, dict(seen.frame.schema), where="the answer", expects="instant", timezone="UTC")
    except FaultsError as error:
        fault = error.faults[0]
        raise unfit(name, text, expected=f"a column of instants or an expression: {fault.happened}") from None
    return bound.columns


def _ask_outcome(interview: Interview) -> Question:
    guesses = outcome_guesses(interview.seen)
    said = [f"{guess.column} {FILLED if guess.value == FILLED else f'= {guess.value}'}" for guess in guesses]
    asks = "Which column says how a case turned out, and which value is the one to catch?"
    if not guesses:
        return _no_outcome(interview.seen, asks)
    return Question("outcome", asks, said[0], guesses[0].why, tuple(said[1:_SHOWN]))


def _no_outcome(seen: Profile, asks: str) -> Question:
    few = [each.name for each in seen.columns.values() if 2 <= each.distinct <= MOST_CLASSES]
    if not few:
        return Question("outcome", asks, "", "no column has a few values only, such as yes and no")
    why = f"of the columns with a few values none is called like an outcome, or has two: {_listed(few)}"
    rarest = tuple(f"{name} = {[*counted(seen.frame[name])][-1]}" for name in few[:_SHOWN])
    return Question("outcome", asks, "", why, rarest)


def _ask_key(interview: Interview) -> Question:
    outcome = interview.outcome[0]
    keys = [key for key in interview.seen.keys if outcome not in key]
    asks = "What is decided about: which column names a case?"
    if not keys:
        why = "no column, and no two or three together, differ from row to row"
        return Question("key", asks, "", why)
    said = [", ".join(key) for key in keys]
    why = "no two rows have the same" if len(keys[0]) == 1 else "only together they differ from row to row"
    return Question(
        "key", "What is decided about: which column names a case?", said[0], why, tuple(said[1:_SHOWN])
    )


def _ask_decide(interview: Interview) -> Question:
    guess = decide_guess(interview.seen, interview.outcome[0])
    asks = "When must it be decided: a column, or an expression such as departs_at - 2h?"
    options = tuple(column.name for column in interview.seen.instants)
    if guess is None:
        first = options[0]
        return Question("decide_at", asks, first, "it is the first column of instants", options[1:_SHOWN])
    others = tuple(name for name in options if name != guess[0])
    return Question("decide_at", asks, guess[0], guess[1], others[:_SHOWN])


def _ask_known(interview: Interview) -> Question:
    column, _ = interview.outcome
    guess = known_guess(interview.seen, interview.hit, outcome=column, decide=interview.decide or "")
    asks = f"When is {column} known: a column, or a span after the decision such as 30d?"
    text = guess.column or format_span(guess.span or 0)
    others = tuple(
        each.name for each in interview.seen.instants if each.name not in {guess.column, interview.decide}
    )
    return Question("known_at", asks, text, guess.why, others[:_SHOWN])


def _ask_actions(_: Interview) -> Question:
    asks = "What can be done: one word for acting on a case, and one for leaving it alone?"
    return Question("actions", asks, "act, leave", "a file can't say what is done", ("call, leave",))


def _ask_worth(_: Interview) -> Question:
    asks = (
        "What is it worth to act on one to catch, and what does a false alarm cost: money, as in "
        "120, -35 EUR; or how many false alarms a miss costs?"
    )
    why = "nobody has said what a miss costs; the report shows where the winner changes"
    return Question("worth", asks, "2 to 10 false alarms", why, ("5 false alarms", "120, -35 EUR"))


def _ask_today(interview: Interview) -> Question:
    act, leave = parse_pair(interview.said("actions").text, "actions")
    asks = "What is done today, without a model?"
    return Question("status_quo", asks, leave, "most cases are left alone where there is no model", (act,))


def _ask_acting(_: Interview) -> Question:
    asks = "Does acting change the outcome itself, as a call that keeps a customer does?"
    return Question("depends_on_action", asks, "unknown", "a file can't say", ("no", "yes"))


def _take_outcome(interview: Interview, text: str) -> None:
    split_outcome(text, interview.seen)


def _take_key(interview: Interview, text: str) -> None:
    columns = split_columns(text, interview.seen)
    rows = interview.seen.rows
    named = interview.seen.frame.select(pl.struct(columns).n_unique()).item() if rows else 0
    if named * 2 < rows:
        raise unfit(
            "key", text, expected=f"what differs from row to row; in {rows:,} rows it has {named:,} values"
        )


def _take_instant(interview: Interview, text: str, *, name: str = "decide_at") -> None:
    if text in interview.seen.columns and interview.seen.columns[text].kind != "instant":
        kind = interview.seen.columns[text].kind
        raise unfit(name, text, expected=f"a column of instants, and {text} is of kind {kind}")
    if text not in interview.seen.columns:
        bind_instant(text, interview.seen, name=name)


def _take_known(interview: Interview, text: str) -> None:
    try:
        parse_span(text)
    except ValueError:
        _take_instant(interview, text, name="known_at")


def _take_actions(_: Interview, text: str) -> None:
    parse_pair(text, "actions")


def _take_worth(_: Interview, text: str) -> None:
    parse_worth(text)


def _take_today(interview: Interview, text: str) -> None:
    actions = parse_pair(interview.said("actions").text, "actions")
    if text not in actions:
        raise unfit("status_quo", text, expected=f"one of the actions: {', '.join(actions)}")


def _take_acting(_: Interview, text: str) -> None:
    if text not in {"no", "yes", "unknown"}:
        raise unfit("depends_on_action", text, expected="no, yes or unknown")


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:12])
    return shown if len(names) <= 12 else f"{shown} and {len(names) - 12} more"


_ASK: dict[str, Callable[[Interview], Question]] = {
    "outcome": _ask_outcome,
    "key": _ask_key,
    "decide_at": _ask_decide,
    "known_at": _ask_known,
    "actions": _ask_actions,
    "worth": _ask_worth,
    "status_quo": _ask_today,
    "depends_on_action": _ask_acting,
}
_TAKES: dict[str, Callable[[Interview, str], None]] = {
    "outcome": _take_outcome,
    "key": _take_key,
    "decide_at": _take_instant,
    "known_at": _take_known,
    "actions": _take_actions,
    "worth": _take_worth,
    "status_quo": _take_today,
    "depends_on_action": _take_acting,
}
