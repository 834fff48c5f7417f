"""Every question about bias in the data, asked of what was seen; and those that can't be asked."""

from __future__ import annotations

from wholeroad.road.data.bias.base_rates import ask_base_rates
from wholeroad.road.data.bias.coverage import ask_coverage, outside_population
from wholeroad.road.data.bias.delays import ask_delays
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.histories import ask_histories
from wholeroad.road.data.bias.horizons import horizon_of
from wholeroad.road.data.bias.missingness import ask_missingness, of_the_group_itself
from wholeroad.road.data.bias.seen import SILENCE, TOLD, Seen
from wholeroad.road.data.bias.unseen import ask_unseen


def ask_bias(seen: Seen, *, confidence: float = 0.95) -> tuple[GroupBias, ...]:
    """Ask how groups differ before any model is fitted, as known at ``seen.now``.

    Coverage, base rate, missingness, delay, history and what is never seen, in this order; label noise and
    proxies are asked elsewhere. The answers of each are judged together. What couldn't be asked is left out:
    :func:`not_asked` names it.

    Parameters
    ----------
    confidence
        Of each interval, and of all that is called clear within one cause.
    """
    if not len(seen):
        return ()
    return (
        *ask_coverage(seen, confidence=confidence),
        *ask_base_rates(seen, confidence=confidence),
        *ask_missingness(seen, confidence=confidence),
        *ask_delays(seen, confidence=confidence),
        *ask_histories(seen, confidence=confidence),
        *ask_unseen(seen, confidence=confidence),
    )


def not_asked(seen: Seen) -> tuple[str, ...]:
    """Say which questions couldn't be asked, each with its reason."""
    if not len(seen):
        return ("Nothing was asked: no case has been decided yet.",)
    said = []
    for each in seen.groups:
        if len(each.values) < 2:
            said.append(f"{each.name}: all cases have one value, so there is nobody to compare them with.")
        if not each.population:
            said.append(
                f"Coverage by {each.name}: no population is stated, so nobody can say who is missing; "
                f"add population to [fairness.groups] {each.name}."
            )
        else:
            said.extend(
                f"Coverage by {each.name}: {value} isn't in the stated population."
                for value in outside_population(each)
            )
        said.extend(
            f"Missingness of {name} by {each.name}: its nulls are the group itself."
            for name in of_the_group_itself(seen, each)
        )
    if not seen.looked_for:
        said.append("Base rate: the brief names no positive class.")
    if seen.timeless:
        said.append("Delay and history: the cases have no time.")
    elif not (seen.outcome == TOLD).any():
        said.append("Delay: no row has told an outcome so far.")
    if (seen.outcome == SILENCE).any():
        said.append(
            "Whose outcomes are seen: silence is taken for an outcome, so that what wasn't recorded looks "
            "like what didn't happen; nothing in the data can tell the two apart."
        )
    elif not (seen.age >= horizon_of(seen)).any():
        said.append("Whose outcomes are seen: no case is old enough to have been given up.")
    return tuple(said)
