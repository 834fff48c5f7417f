"""Faults of an outcome that is a number, and of a formula over an amount."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wholeroad.core.errors import Fault
from wholeroad.core.expressions.columns import columns_in
from wholeroad.road.brief.contract import OutcomeTable, QuantityTable, ValueTable

MOST_AMOUNTS: Final = 1_000
"""Every amount is reckoned for every case."""


def quantity_faults(value: ValueTable, outcome: OutcomeTable | None) -> Iterator[Fault]:
    """Find what is wrong with a formula and its quantity, and with the outcome that it stands on.

    Codes ``brief.formula``, ``brief.quantity``, ``brief.value-form``, ``brief.if-never``.
    """
    if value.quantity is not None:
        yield from _amount_faults(value.quantity)
    if value.formula is not None:
        yield from _formula_faults(value.formula)
    if outcome is None:
        return
    numeric = outcome.kind == "regression"
    if numeric and value.formula is None and value.quantity is None:
        yield Fault(
            "brief.value-form",
            "[value] formula",
            "it was missing, and kind = 'regression' needs it",
            "formula with quantity: the money of an amount, when the outcome is known",
            "write formula = '3 * least(action, outcome) - action', and quantity = { most = 200 }",
        )
    if not numeric and value.formula is not None:
        yield Fault(
            "brief.value-form",
            "[value] formula",
            f"it stood beside kind = {outcome.kind!r}",
            "kind = 'regression': in a formula the outcome is a number",
            "write kind = 'regression', or say in [value.of] what actions are worth",
        )
    if numeric and outcome.if_never != "drop" and _number(outcome.if_never) is None:
        yield Fault(
            "brief.if-never",
            "[outcome] if_never",
            f"was {outcome.if_never!r}",
            "drop, or the number that silence means",
            "write if_never = '0' where nothing heard is nothing sold",
        )


def _amount_faults(quantity: QuantityTable) -> Iterator[Fault]:
    steps = (quantity.most - quantity.least) / quantity.step
    if steps < 1:
        yield Fault(
            "brief.quantity",
            "[value] quantity",
            f"it went from {quantity.least:g} to {quantity.most:g} in steps of {quantity.step:g}",
            "two amounts or more: a decision needs a choice",
            "raise most, or make the step smaller",
        )
    elif steps + 1 > MOST_AMOUNTS + 1e-9:
        yield Fault(
            "brief.quantity",
            "[value] quantity",
            f"it had {steps + 1:,.0f} amounts",
            f"{MOST_AMOUNTS:,} at most: each of them is reckoned for every case",
            f"make the step larger, such as {(quantity.most - quantity.least) / 200:.2g}",
        )


def _formula_faults(formula: str) -> Iterator[Fault]:
    columns = columns_in(formula)
    # A formula that can't be read has its own fault.
    for name, what in (("action", "the amount that is chosen"), ("outcome", "the number that comes true")):
        if columns and name not in columns:
            yield Fault(
                "brief.formula",
                "[value] formula",
                f"{name} was not in it",
                f"an expression over the case, action and outcome; {name} is {what}",
                "write it as in price * least(action, outcome) - cost * action",
            )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
