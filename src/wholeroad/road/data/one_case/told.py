"""What was told of one case, in order of time, and what people said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from wholeroad.core.instants import Instant
from wholeroad.core.view import PENDING, UNKNOWN

Value = float | str | None
"""Of a truth: a number, a text, a null."""

_LAST: Final = (1 << 63) - 1


class Told(NamedTuple):
    """What was told of a case, or its silence, or what people said.

    Attributes
    ----------
    known_at, claimed_at, order
        The timeline's order: when it counts from, never before the decision; when its row became known; that
        row's order.
    code, value
        The class's code and text, or 0 and a number; ``UNKNOWN`` or ``PENDING`` and None.
    silent
        Nothing was told: silence is taken for ``if_never``.
    """

    known_at: Instant
    claimed_at: Instant
    order: int
    code: int
    value: Value
    silent: bool = False


class Said(NamedTuple):
    """What people said of a case: a class, None to take back what was said before."""

    known_at: Instant
    verdict: str | None


def stand_over(
    told: Sequence[Told], said: Sequence[Said], *, decided_at: Instant, classes: Mapping[Value, int]
) -> list[Told]:
    """Let verdicts stand over what was told, as :func:`~wholeroad.road.data.verdicts.stand_over` does.

    Parameters
    ----------
    told
        In order of time.
    said
        In order of time.
    classes
        Their codes.

    Examples
    --------
    >>> rows = [Told(8, 8, 1, 0, "late"), Told(20, 20, 2, 0, "late")]
    >>> found = stand_over(rows, [Said(9, "on_time"), Said(30, None)], decided_at=5, classes={"on_time": 1})
    >>> [(each.known_at, each.value) for each in found]
    [(8, 'late'), (9, 'on_time'), (30, 'late')]
    """
    # At one instant, verdicts come after rows.
    verdicts = [Told(max(each.known_at, decided_at + 1), _LAST, 0, 0, each.verdict) for each in said]
    every = [(each, False) for each in told] + [(each, True) for each in verdicts]
    every.sort(key=lambda pair: pair[0][:3])
    kept = list[Told]()
    row, stands = Told(0, 0, 0, PENDING, None), False
    for each, is_verdict in every:
        if not is_verdict:
            row = each
            if not stands:
                kept.append(each)
            continue
        stands = each.value is not None
        code = classes.get(each.value, UNKNOWN) if stands else row.code
        value = each.value if stands and code != UNKNOWN else None if stands else row.value
        kept.append(each._replace(code=code, value=value, silent=row.silent and not stands))
    return kept
