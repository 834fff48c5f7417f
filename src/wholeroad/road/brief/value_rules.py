"""Faults of ``[value]``: which form it has, what belongs to it, and what the outcome must say for it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator
from typing import Final

from wholeroad.core.errors import Fault
from wholeroad.road.brief.contract import OutcomeTable, ValueTable
from wholeroad.road.brief.quantity_rules import quantity_faults
from wholeroad.road.brief.settings import Worth
from wholeroad.road.brief.worth import amount_names, parse_capacity, parse_ratio

FORMS: Final = "[value.of], a_miss_costs, capacity, or formula with quantity"
_MANY: Final = 1 << 15


def actions_of(value: ValueTable) -> tuple[str, ...]:
    """Name the actions of a value table, whatever its form; nothing where it names none."""
    if value.of or value.quantity is None:
        return tuple(value.of) or value.actions
    amounts = value.quantity
    if not 0 <= (amounts.most - amounts.least) / amounts.step < _MANY:
        return ()
    return amount_names(amounts)


def value_faults(value: ValueTable, outcome: OutcomeTable | None) -> Iterator[Fault]:
    """Find what is wrong with a value table by itself and beside the outcome.

    Codes ``brief.value-form``, ``brief.missing``, ``brief.actions``, ``brief.one-action``, ``brief.ratio``,
    ``brief.capacity``, ``brief.unknown-action``, ``brief.unknown-class``, ``brief.value-missing``,
    ``brief.range``.
    """
    yield from _form_faults(value)
    yield from _action_faults(value)
    yield from _text_faults(value)
    yield from _capacity_faults(value)
    actions = actions_of(value)
    for kind, text in value.status_quo.items():
        if kind == "action" and actions and text not in actions:
            yield unknown("[value] status_quo", text, known=actions[:20], what="action")
    for action, row in value.of.items():
        yield from _row_faults(row, outcome, f"[value.of] {action}")
    if outcome is not None:
        yield from _outcome_faults(value, outcome)
    yield from quantity_faults(value, outcome)


def unknown(where: str, name: str, *, known: Collection[str], what: str) -> Fault:
    """Say that a name isn't one of those of the brief."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return Fault(
        f"brief.unknown-{what}",
        where,
        f"{name!r} is no {what} of this brief",
        f"one of {', '.join(known)}" if known else f"a {what}",
        f"did you mean {near[0]}?" if near else f"name a {what} that exists, or add it",
    )


def _form_faults(value: ValueTable) -> Iterator[Fault]:
    given = [name for name in ("of", "a_miss_costs", "formula") if getattr(value, name)]
    if len(given) > 1:
        yield Fault(
            "brief.value-form",
            "[value]",
            f"it had {' and '.join(given)}",
            f"one of {FORMS}",
            "keep the one that the business can answer for",
        )
    if not given and value.capacity is None and value.quantity is None:
        yield Fault(
            "brief.value-form",
            "[value] of",
            "nothing said what an action is worth",
            f"one of {FORMS}",
            "where nobody knows the money, write a_miss_costs = '5 false alarms', or capacity = '50 per day'",
        )
    if (value.formula is None) != (value.quantity is None):
        there, absent = ("formula", "quantity") if value.quantity is None else ("quantity", "formula")
        yield Fault(
            "brief.missing",
            f"[value] {absent}",
            f"it was missing, and {there} was there",
            "both: the money of an amount, and the amounts that may be chosen",
            "add it",
        )
    in_money = bool(value.of or value.formula)
    if in_money and not value.unit:
        yield Fault(
            "brief.missing",
            "[value] unit",
            "it was missing",
            "what the money is counted in, as in 'EUR'",
            "add it",
        )
    if given == ["a_miss_costs"] and value.unit:
        yield _stray_unit(value.unit, "false alarms")
    elif not given and value.capacity is not None and value.unit:
        yield _stray_unit(value.unit, "hits")


def _stray_unit(unit: str, counted: str) -> Fault:
    return Fault(
        "brief.value-form",
        "[value] unit",
        f"was {unit!r}, beside no money",
        f"no unit: this form counts {counted}",
        "leave it out, or write [value.of] in that unit",
    )


def _action_faults(value: ValueTable) -> Iterator[Fault]:
    if value.of or value.formula:
        if value.actions:
            named = "[value.of]" if value.of else "quantity"
            yield Fault(
                "brief.actions",
                "[value] actions",
                f"they stood beside {named}, which names them",
                "one place that names the actions",
                "leave actions out",
            )
        if len(value.of) == 1:
            yield Fault(
                "brief.one-action",
                "[value.of]",
                "there was one action",
                "two or more: a decision needs a choice",
                "add what is done otherwise, such as pass",
            )
    elif value.a_miss_costs is not None or value.capacity is not None:
        if not value.actions:
            yield Fault(
                "brief.missing",
                "[value] actions",
                "they were missing",
                "two: the one that answers positive, then the other",
                "add them, as in actions = ['inspect', 'pass']",
            )
        elif len(value.actions) != 2 or len(set(value.actions)) != 2:
            yield Fault(
                "brief.actions",
                "[value] actions",
                f"they were {', '.join(value.actions)}",
                "two different ones: the one that answers positive, then the other",
                "name two; where there are more, say in [value.of] what each is worth",
            )


def _text_faults(value: ValueTable) -> Iterator[Fault]:
    for name, text, parse in (
        ("ratio", value.a_miss_costs, parse_ratio),
        ("capacity", value.capacity, parse_capacity),
    ):
        if text is not None and (message := _unreadable(parse, text)):
            setting = "a_miss_costs" if name == "ratio" else name
            fix = (
                "write it like that"
                if name == "capacity"
                else "write it like that; a range where nobody is sure"
            )
            yield Fault(f"brief.{name}", f"[value] {setting}", f"was {text!r}", message, fix)


def _unreadable(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return ""


def _capacity_faults(value: ValueTable) -> Iterator[Fault]:
    if value.capacity is None:
        return
    if value.formula:
        yield Fault(
            "brief.capacity",
            "[value] capacity",
            "it stood beside formula",
            "no capacity: where the action is an amount, every case gets one",
            "leave it out",
        )
        return
    quo = value.status_quo.get("action")
    if quo is None:
        yield Fault(
            "brief.capacity",
            "[value] status_quo",
            "was an expression, beside a capacity",
            "status_quo = { action = '...' }: what is done with the cases that there is no room for",
            "name that action",
        )
    elif not value.of and value.actions[1:2] and quo == value.actions[0]:
        yield Fault(
            "brief.capacity",
            "[value] status_quo",
            f"was {quo}, the action that the capacity limits",
            f"{value.actions[1]}: what is done with the cases that there is no room for",
            f"write status_quo = {{ action = '{value.actions[1]}' }}, or turn the actions round",
        )


def left_alone_faults(value: ValueTable, left_alone: str) -> Iterator[Fault]:
    """Find the fault of a random share that is left alone by another action than the capacity's others."""
    quo = value.status_quo.get("action")
    if value.capacity is not None and quo is not None and left_alone != quo:
        yield Fault(
            "brief.capacity",
            "[policy] no_action",
            f"its action was {left_alone}, and cases without a place in the capacity get {quo}",
            "one action for both: else who is left alone would take a place",
            f"write action = '{quo}'",
        )


def _row_faults(row: dict[str, Worth], outcome: OutcomeTable | None, where: str) -> Iterator[Fault]:
    classes = outcome.classes if outcome is not None else ()
    for name in row:
        if classes and name not in classes:
            yield unknown(where, name, known=classes, what="class")
    for name in classes:
        if name not in row:
            yield Fault(
                "brief.value-missing",
                where,
                f"the outcome {name} had no value",
                "a number, a range or an expression for every outcome",
                f"add {name} = 0 if it is worth nothing",
            )
    for name, worth in row.items():
        if isinstance(worth, list) and worth[0] > worth[1]:
            yield Fault(
                "brief.range",
                f"{where}.{name}",
                f"the range was {worth}",
                "the lower number first",
                f"write [{worth[1]}, {worth[0]}]",
            )


def _outcome_faults(value: ValueTable, outcome: OutcomeTable) -> Iterator[Fault]:
    ranked = outcome.kind == "ranking"
    if ranked:
        needs_positive = "kind = 'ranking'"
    elif value.of or value.formula or outcome.kind == "regression":
        needs_positive = ""
    else:
        needs_positive = "a_miss_costs" if value.a_miss_costs else "capacity" if value.capacity else ""
    if needs_positive and outcome.positive is None:
        yield Fault(
            "brief.missing",
            "[outcome] positive",
            f"it was missing, and {needs_positive} needs it",
            "the class that is looked for",
            f"add it, as in positive = '{outcome.classes[0]}'" if outcome.classes else "add it",
        )
    if ranked and value.capacity is None:
        yield Fault(
            "brief.missing",
            "[value] capacity",
            "it was missing, and kind = 'ranking' needs it",
            "how many of the first are acted on, as in '50 per day'",
            "add it; or write kind = 'binary' where every case may be acted on",
        )
