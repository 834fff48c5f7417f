"""Rows that read well and that no decision could be made with: they are set aside where they come in.

In bulk such a row is an error, and whoever called mends the row or the brief. A service has nobody to ask:
once the row was there, the case could not be decided, and no cycle could be run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.engine.service.landing import Landings
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.binding import Bound
from wholeroad.road.data.features.online import OnlineFeatures
from wholeroad.road.data.row_versions import Row
from wholeroad.road.model.few_values import CaseValues

Blame = tuple[str, str]
"""Code and reason."""

Refuse = Callable[[Row], Blame | None]


def refusals(
    brief: Brief, bound: Bound, *, schemas: Mapping[str, pl.Schema], features: Sequence[OnlineFeatures]
) -> dict[str, Refuse]:
    """Give, by source, what says why a row can't be taken; a source of which every row can is not in it.

    Parameters
    ----------
    features
        Those that the model sees, and those that say groups.
    """
    own = CaseValues(brief, bound, schema=schemas[brief.case.source]) if _varies(bound) else None
    found: dict[str, Refuse] = {}
    for source in brief.source:
        asked = [each for each in features if each.measures(source)]
        values = own if source == brief.case.source else None
        if asked or values is not None:
            found[source] = partial(_refused, source=source, features=asked, values=values)
    return found


def refuse_unvalued(landings: Landings, values: CaseValues) -> None:
    """Refuse to begin while a case waits that could not be decided once it is due: it came by a file.

    Raises
    ------
    UserError
        ``value.null``, ``value.status-quo``.
    """
    due = [landings.due(key) for key in landings.waiting]
    values.of([version.values for _, version in filter(None, due)])


def _varies(bound: Bound) -> bool:
    return bool(bound.worth) or bound.status_quo is not None


def _refused(
    row: Row, *, source: str, features: Sequence[OnlineFeatures], values: CaseValues | None
) -> Blame | None:
    for each in features:
        if (told := each.unfit(source, row)) is not None:
            return "features.overflow", f"{told}, which can't be summed or compared exactly"
    if values is None:
        return None
    try:
        values.of([row])
    except UserError as error:
        return error.code, error.happened
    return None
