"""What the numbers of a report don't show."""

from __future__ import annotations

from wholeroad.core.instants import format_span
from wholeroad.interfaces.report.amounts import count, day, days_between
from wholeroad.road.brief.contract import Brief
from wholeroad.road.watch.results import Comparison


def limits(brief: Brief, comparison: Comparison) -> tuple[str, ...]:
    """Say what the numbers don't show, a sentence or two each."""
    return tuple(
        text
        for text in (
            _history(comparison),
            _intervals(comparison),
            _BEST_OF_SEVERAL,
            _identified(brief, comparison),
            _ADD_UP if brief.worth.capacity is None else _SHARED,
            _NOT_BOOKED if brief.worth.form in ("money", "formula") else _NO_MONEY,
            _without_money(comparison),
            _hindsight(brief),
            _YARDSTICK,
            _RUNS,
        )
        if text
    )


def _identified(brief: Brief, comparison: Comparison) -> str:
    if brief.outcome.depends_on_action == "no":
        return _IDENTIFIED
    return _ESTIMATED if comparison.randomised else _NOT_IDENTIFIED


def _history(comparison: Comparison) -> str:
    return (
        f"This is one stretch of history, from {days_between(comparison.from_at, comparison.to_at)}."
        " The intervals speak of other days like these, not of days unlike any seen."
    )


def _intervals(comparison: Comparison) -> str:
    return (
        f"Intervals resample blocks of {format_span(comparison.block)}, {comparison.resamples:,} times, the"
        " same days for every policy. They are conditional on the fitted models: another seed or another"
        " cut would have given somewhat different models."
    )


def _without_money(comparison: Comparison) -> str:
    one = comparison.policies[0]
    return (
        f"Of {count(comparison.cases, 'case')}, {one.pending:,} had no outcome by {day(comparison.known_at)}"
        f" and {one.unknown:,} had one that doesn't tell the truth. They carry no money for any policy; if"
        " they are unlike the others, the totals are off."
    )


def _hindsight(brief: Brief) -> str:
    static = [name for name, source in brief.source.items() if source.static]
    if not static:
        return ""
    return f"Sources without time ({', '.join(static)}) are used as they are now, which is hindsight."


_BEST_OF_SEVERAL = "Each interval stands alone. The best of several policies looks better than it is."
_IDENTIFIED = (
    "That other decisions would have met the same outcomes is taken from the brief; history can't show it."
)
_ESTIMATED = (
    "The money is estimated from cases in which chance chose the action, with the probabilities that were"
    " logged; if those are wrong, so is the money. What a policy does to the other cases, such as those that"
    " every plan left alone so far, isn't counted; it speaks of them as far as they are like these."
)
_NOT_IDENTIFIED = (
    "The money is not identified: acting may change what happens, or whether it is seen, and this counts each"
    " recorded outcome as if it didn't. A random share without action would tell."
)
_ADD_UP = (
    "Values add up over cases. What is shared, such as seats, hours or a budget, may run out before the"
    " sum is reached."
)
_SHARED = (
    "The capacity is shared, and cases take it as they come due: one that is acted on may take the place of a"
    " better one. What else is shared isn't counted."
)
_NO_MONEY = "This isn't money: misses, false alarms and hits are weighed as in the brief, whatever they cost."
_NOT_BOOKED = "Money is the value table times counts, not revenue that was booked."
_YARDSTICK = "Knowing every outcome beforehand is out of reach for anyone; it is a yardstick, not a goal."
_RUNS = (
    "The intervals of the calibration table take cases as independent; where they come in runs, they are"
    " too narrow."
)
