"""The charter: the brief on one page, in the words of the business."""

from __future__ import annotations

from dataclasses import dataclass

from wholeroad.core.instants import format_span
from wholeroad.road.brief.contract import Brief, Worth


@dataclass(frozen=True, slots=True)
class Charter:
    """The parts of the charter, as plain text; whoever prints them escapes them.

    Attributes
    ----------
    name
        Of the brief.
    items
        ``(label, text)`` in reading order.
    unit
        Of the value table.
    outcomes
        Column heads of the value table.
    value
        ``(action, one text for each outcome)``.
    assumptions
        What the brief takes for granted, one sentence each.
    """

    name: str
    items: tuple[tuple[str, str], ...]
    unit: str
    outcomes: tuple[str, ...]
    value: tuple[tuple[str, tuple[str, ...]], ...]
    assumptions: tuple[str, ...]


def parts(brief: Brief) -> Charter:
    """Take the charter's parts from a brief."""
    about, outcome = brief.brief, brief.outcome
    items = [
        ("Question", about.question),
        ("Decision", about.decision),
        ("Decided by", about.decided_by),
        ("Who is affected", about.affects),
        ("What is decided about", f"each row of {brief.case.source}, at {brief.case.decide_at}"),
        ("Outcome", _outcome(brief)),
        ("Actions", ", ".join(brief.actions)),
        ("Status quo", _status_quo(brief)),
        ("Success", success_sentence(brief)),
    ]
    return Charter(
        name=about.name,
        items=tuple((label, text) for label, text in items if text),
        unit=brief.unit,
        outcomes=outcome.classes,
        value=tuple(
            (action, tuple(worth_text(row[name]) if name in row else "" for name in outcome.classes))
            for action, row in brief.worth.of.items()
        ),
        assumptions=assumptions(brief),
    )


def worth_text(worth: Worth) -> str:
    """Write one value of the table.

    Examples
    --------
    >>> worth_text(-1250), worth_text([80, 160]), worth_text("price * 0.1")
    ('-1,250', '80 to 160', 'price * 0.1')
    """
    if isinstance(worth, str):
        return worth
    if isinstance(worth, list):
        return f"{worth[0]:,.10g} to {worth[1]:,.10g}"
    return f"{worth:,.10g}"


def success_sentence(brief: Brief) -> str:
    """Say what would be a success."""
    if brief.success is None:
        return "not stated: say in [success] what gain would be worth having"
    gain = brief.success.gain_over_status_quo
    return (
        f"at least {worth_text(gain.per_case)} {brief.unit} more per case than the status quo, "
        f"with {gain.confidence:.0%} confidence"
    )


def assumptions(brief: Brief) -> tuple[str, ...]:
    """Say what the brief takes for granted, one sentence each."""
    return tuple(
        sentence
        for sentence in (
            _DEPENDS[brief.outcome.depends_on_action],
            "The values of cases add up; nothing that is shared, such as seats or staff, runs out.",
            _late(brief),
            _never(brief),
            _matures(brief),
            _ranges(brief),
            _fits(brief),
            _static(brief),
        )
        if sentence
    )


def charter(brief: Brief) -> str:
    """Write the charter as one page of Markdown.

    Text from the brief is shown as it is: neither Markdown nor HTML in it takes effect.
    """
    page = parts(brief)
    lines = [f"# {_plain(page.name)}", ""]
    lines += [f"- **{label}:** {_plain(text)}" for label, text in page.items]
    lines += ["", f"## What an outcome is worth, in {_plain(page.unit)} per case", ""]
    lines += [_row("action", page.outcomes), "|---" + "|---:" * len(page.outcomes) + "|"]
    lines += [_row(action, row) for action, row in page.value]
    lines += ["", "## Taken for granted", ""]
    lines += [f"- {_plain(sentence)}" for sentence in page.assumptions]
    return "\n".join(lines) + "\n"


_DEPENDS = {
    "no": "What we do does not change what happens, nor whether we learn of it.",
    "yes": "What we do changes what happens, or whether we learn of it: money counted on history is not"
    " identified, because it takes the outcomes of other actions for those of ours.",
    "unknown": "Nobody knows whether what we do changes what happens, or whether we learn of it: money"
    " counted on history assumes that it does not.",
}


def _outcome(brief: Brief) -> str:
    outcome = brief.outcome
    known = f"{' or '.join(outcome.classes)}, from {outcome.source}"
    return f"{known}; looked for: {outcome.positive}" if outcome.positive else known


def _status_quo(brief: Brief) -> str:
    ((kind, text),) = brief.value.status_quo.items()
    return f"always {text}" if kind == "action" else f"the action given by {text}"


def _late(brief: Brief) -> str:
    if brief.case.if_late == "decide":
        return "A case that becomes known after its time is decided all the same."
    return "A case that becomes known after its time is left to the status quo."


def _never(brief: Brief) -> str:
    outcome = brief.outcome
    if outcome.if_never == "drop":
        return "A case whose outcome never comes counts for nothing."
    after = f" for {format_span(outcome.never_after)}" if outcome.never_after is not None else ""
    return f"A case without an outcome{after} counts as {outcome.if_never}."


def _matures(brief: Brief) -> str:
    age = format_span(brief.outcome.matures)
    return f"An outcome is typical once its case is {age} old; younger cases are not trained on."


def _ranges(brief: Brief) -> str:
    if any(isinstance(worth, list) for row in brief.worth.of.values() for worth in row.values()):
        return "Where a value is a range, decisions are made at its middle and the corners are reported."
    return ""


def _fits(brief: Brief) -> str:
    fit = brief.policy.refit.fit
    money = f"{worth_text(fit.costs)} {brief.unit}"
    return f"A fit takes {format_span(fit.takes)} and costs {money}."


def _static(brief: Brief) -> str:
    static = [name for name, source in brief.source.items() if source.static]
    if not static:
        return ""
    return (
        f"Sources without time ({', '.join(static)}) are used as they are today,"
        " which may be more than was known then."
    )


_MARKS = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": " ", "\r": " "}
    | {mark: f"\\{mark}" for mark in "\\`*_[]|#"}
)


def _plain(text: str) -> str:
    return text.translate(_MARKS)


def _row(head: str, cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_plain(cell) for cell in (head, *cells)) + " |"
