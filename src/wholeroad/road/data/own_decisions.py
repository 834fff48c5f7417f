"""Our own decisions as a record of what was done, where acting changes what happens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.data.history import History
from wholeroad.road.data.incumbent import Logged


def with_own_decisions(
    history: History, *, ids: NDArray[np.uint64], action: Codes, propensity: NDArray[np.float64]
) -> History:
    """Give a history that knows what we did to cases, whatever another log says of them.

    Of other cases the log speaks; without one they are taken for the status quo's. Where acting changes
    no outcome nothing is to be known, and the history is given back as it is.

    Parameters
    ----------
    ids, action, propensity
        Shape (m,): stable hashes of the cases' keys, action codes, and the probability with which each
        action was chosen, NaN where chance had no part in it.
    """
    if history.brief.outcome.depends_on_action == "no" or not ids.size:
        return history
    order = np.argsort(history.cases.ids)
    known = history.cases.ids[order]
    places = np.minimum(np.searchsorted(known, ids), known.size - 1)
    there = known[places] == ids
    logged = history.logged
    if logged is None:
        unknown = np.full(known.size, np.nan)
        logged = Logged(history.status_quo.copy(), unknown, unknown.copy())
    ours = logged.overlaid(order[places[there]], action[there], propensity=propensity[there])
    return replace(history, logged=ours)
