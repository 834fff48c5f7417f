"""The charter: the brief on one page, in the words of the business."""

from __future__ import annotations

from dataclasses import dataclass

from wholeroad.core.instants import DAY, UNITS, Span, format_span
from wholeroad.road.brief.contract import AS_KNOWN, Brief, Worth


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
        What the value table counts in.
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
        ("What is decided about", f"each row of {brief.case.source}, {_when(brief)}"),
        ("Outcome", _outcome(brief)),
        ("Actions", _actions(brief)),
        ("Status quo", _status_quo(brief)),
        ("Money of an amount", brief.value.formula or ""),
        ("How a miss compares with a false alarm", ratio_sentence(brief)),
        ("Capacity", capacity_sentence(brief)),
        ("Success", success_sentence(brief)),
    ]
    return Charter(
        name=about.name,
        items=tuple((label, text) for label, text in items if text),
        unit="false alarms" if brief.worth.form == "ratio" else brief.unit,
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


def ratio_sentence(brief: Brief) -> str:
    """Say what a miss costs; empty unless the brief says it as a ratio."""
    if brief.worth.ratio is None:
        return ""
    low, high = brief.worth.ratio
    if low == high:
        return f"a miss costs as much as {count_text(low, 'false alarm')}"
    middle = count_text((low + high) / 2, "false alarm")
    return f"a miss costs as much as {low:g} to {high:g} false alarms; decisions are made at {middle}"


def capacity_sentence(brief: Brief) -> str:
    """Say how many cases may be acted on; empty where the brief sets no capacity."""
    capacity = brief.worth.capacity
    if capacity is None:
        return ""
    cases = f"{capacity.cases:,} case{'s' if capacity.cases > 1 else ''}"
    return (
        f"at most {cases} {period_text(capacity.every)} may get another action than"
        f" {brief.value.status_quo['action']}"
    )


def period_text(every: Span) -> str:
    """Write the period of a capacity.

    Examples
    --------
    >>> period_text(86_400_000_000), period_text(12 * 3_600_000_000)
    ('per day', 'per 12h')
    """
    named = {UNITS["h"]: "hour", DAY: "day", 7 * DAY: "week"}
    return f"per {named.get(every) or format_span(every)}"


def count_text(number: float, word: str) -> str:
    """Write a number of things, which may be no whole one.

    Examples
    --------
    >>> count_text(1, "false alarm"), count_text(2.5, "false alarm")
    ('1 false alarm', '2.5 false alarms')
    """
    return f"{number:g} {word}{'' if number == 1 else 's'}"


def assumptions(brief: Brief) -> tuple[str, ...]:
    """Say what the brief takes for granted, one sentence each."""
    return tuple(
        sentence
        for sentence in (
            _DEPENDS[brief.outcome.depends_on_action],
            _adds_up(brief),
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
    if page.value:
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
    known = f"{' or '.join(outcome.classes) or f'a number ({outcome.truth})'}, from {outcome.source}"
    return f"{known}; looked for: {outcome.positive}" if outcome.positive else known


def _status_quo(brief: Brief) -> str:
    ((kind, text),) = brief.value.status_quo.items()
    if kind == "expression" and brief.worth.form == "formula":
        return f"the amount nearest to {text}"
    return f"always {text}" if kind == "action" else f"the action given by {text}"


def _actions(brief: Brief) -> str:
    """Name the actions; of many amounts only the ends."""
    if brief.worth.form != "formula":
        return ", ".join(brief.actions)
    return f"an amount from {brief.actions[0]} to {brief.actions[-1]}, {len(brief.actions):,} to choose from"


def _adds_up(brief: Brief) -> str:
    if brief.worth.capacity is None:
        return "The values of cases add up; nothing that is shared, such as seats or staff, runs out."
    return (
        "The capacity is shared: cases take it in the order in which they come due, those of one instant by"
        " what acting on them is expected to bring. Apart from it the values of cases add up."
    )


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
    counted = {"ratio": "false alarms", "capacity": "hits"}.get(brief.worth.form, brief.unit)
    money = f"{worth_text(fit.costs)} {counted}"
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


def _when(brief: Brief) -> str:
    text = brief.case.decide_at
    return "as soon as it is known" if text == AS_KNOWN else f"at {text}" if text else "all at once"
