"""Where acting changes what happens: what history can say about it, and what a random share would."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Final

import numpy as np

from wholeroad.core.instants import DAY, LAST, format_instant
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.values import TableValues
from wholeroad.road.data.findings import Finding
from wholeroad.road.data.history import History
from wholeroad.road.data.incumbent import SILENT
from wholeroad.road.data.propensities import question_propensities
from wholeroad.road.data.sizing import POWER

SHARE: Final = 0.05
"""The share that is proposed where the brief leaves nobody alone."""

EFFECT: Final = 0.05
"""The change of a share that is to be seen, where the value table doesn't say from which on acting pays."""

_CONFIDENCE: Final = 0.95


def no_action_code(brief: Brief) -> int | None:
    """Give the code of the action that leaves alone: the brief's word, else a status quo of one action."""
    named = brief.policy.no_action
    text = named.action if named is not None else brief.value.status_quo.get("action")
    return brief.actions.index(text) if text in brief.actions else None


def question_acting(history: History) -> Iterator[Finding]:
    """Ask what history can say about acting, and whether chance is to have a part in it.

    A missing random share is a warning, no fault: fits can be made and cases decided without it, and
    someone who begins can't have had one. What can't be done without it is to say what deciding is worth, and
    the reports say so.
    """
    yield from _log(history)
    yield from question_propensities(history.logged, history.brief.actions)
    outcome, drawn = history.brief.outcome, history.brief.policy.no_action
    if outcome.depends_on_action == "no":
        if drawn is not None:
            yield Finding(
                "check.share-without-need",
                "warning",
                "[policy] no_action",
                f"{drawn.share:.0%} of the cases are left alone, and depends_on_action is 'no'",
                "where acting changes no outcome, there is nothing that they could tell",
                "leave it out, or answer depends_on_action with 'yes' or 'unknown'",
            )
        return
    yield Finding(
        "check.depends-on-action",
        "warning",
        "[outcome] depends_on_action",
        f"was {outcome.depends_on_action!r}: acting may change the truth, or whether it is seen",
        "history shows what happened under the actions taken then: money that is counted on it as if acting"
        " changed nothing is not identified, and decides nothing",
        "say in [value.of] what an action is worth under the outcome that comes true after it, and in"
        " [incumbent] what was done to each case",
    )
    if history.brief.worth.form in ("ratio", "capacity"):
        yield Finding(
            "check.acting-without-money",
            "warning",
            "[value]",
            f"actions are worth what a {history.brief.worth.form} says of right and wrong predictions",
            "that counts who was rightly picked, not whom acting helps: those needn't be the riskiest",
            "say in [value.of] what each outcome is worth after each action",
        )
    yield from _unrecorded(history)
    yield from _share(history)


def _unrecorded(history: History) -> Iterator[Finding]:
    brief = history.brief
    if history.logged is not None and not history.logged.by_score:
        return
    alone = no_action_code(brief)
    everywhere = alone is not None and bool((history.status_quo == alone).all())
    yield Finding(
        "check.no-record-of-actions",
        "note" if everywhere else "warning",
        "[incumbent] action",
        "nothing says what was done to the cases so far",
        f"fits take history for the status quo's, so that every case counts as {brief.actions[alone or 0]}"
        if everywhere
        else "fits learn from cases that the status quo leaves alone, as if it had always been in force",
        "name the column that says it, as in action = 'done'; if somebody did act, it matters",
    )


def _share(history: History) -> Iterator[Finding]:
    brief, logged = history.brief, history.logged
    drawn = int(logged.randomised.sum()) if logged is not None else 0
    named = brief.policy.no_action
    share = named.share if named is not None else SHARE
    effect, action = _worth_seeing(history)
    needed = cases_to_learn(effect, base=_base(history), share=share)
    telling = (
        f"to tell a change of {100 * effect:.1f} points{f', from which on {action} pays,' if action else ''} "
        f"from none takes about {needed:,} cases that would be acted on, {share:.0%} of them left alone "
        f"({_CONFIDENCE:.0%} confidence, power {POWER:.0%})"
    )
    if when := when_there(history, needed):
        telling += f"; were all cases such, they'd be there about {when}"
    if named is None and not drawn:
        alone = no_action_code(brief)
        name = brief.actions[alone] if alone is not None else brief.actions[0]
        yield Finding(
            "check.no-randomised-share",
            "warning",
            "[policy] no_action",
            "chance had a known part in no action so far, and leaves nobody alone from now on",
            f"without it nobody will ever know what acting changes; {telling}",
            f'write no_action = {{ action = "{name}", share = {SHARE:g} }} under [policy]; where chance did '
            "choose, name its probability in [incumbent] propensity",
        )
        return
    yield Finding(
        "check.randomised-share",
        "note",
        "[policy] no_action" if named is not None else "[incumbent] propensity",
        f"chance had a known part in {drawn:,} of {len(history.timeline.decided_at):,} cases so far"
        + ("" if named is None else f"; from now on {named.share:.0%} are left alone"),
        f"policies are compared on these; {telling}",
        "keep the share as long as anything is decided by it",
    )


def when_there(history: History, cases: int) -> str:
    """Give the day on which so many more cases will have come, and at how many a day.

    Empty where cases have no time, or hardly any come.
    """
    decided_at = history.timeline.decided_at
    days = (int(decided_at[-1]) - int(decided_at[0])) / DAY if decided_at.size else 0.0
    if history.brief.timeless or days < 1 or decided_at.size < days:
        return ""
    per_day = decided_at.size / days
    there = history.until + int(cases / per_day * DAY)
    return f"{format_instant(there)[:10]}, at {per_day:,.0f} cases a day" if there < LAST else ""


def cases_to_learn(effect: float, *, base: float, share: float) -> int:
    """Count the cases from which a change of a share can be told from none.

    ``(z_confidence + z_power) ** 2 * p * (1 - p) * (1 / s + 1 / (1 - s)) / effect ** 2``, the two-sided
    test of two shares (Fleiss 1981, *Statistical methods for rates and proportions*, chapter 3).

    Parameters
    ----------
    effect
        The change, in (0, 1).
    base
        The share without acting, ``p``.
    share
        Of the cases that are left alone, ``s``.

    Examples
    --------
    >>> cases_to_learn(0.05, base=0.2, share=0.05), cases_to_learn(0.05, base=0.2, share=0.5)
    (10576, 2010)
    """
    normal = NormalDist()
    quantiles = normal.inv_cdf((1 + _CONFIDENCE) / 2) + normal.inv_cdf(POWER)
    return math.ceil(quantiles**2 * base * (1 - base) * (1 / share + 1 / (1 - share)) / effect**2)


def _base(history: History) -> float:
    """Give the share of the positive class, or of the first, among known outcomes."""
    truth = history.as_of(history.until + 1).truth()
    outcome = history.brief.outcome
    code = outcome.classes.index(outcome.positive) if outcome.positive in outcome.classes else 0
    known = truth[truth >= 0]
    if not outcome.classes or not known.size:
        return 0.5
    return float(np.clip((known == code).mean(), 0.01, 0.99))


def _worth_seeing(history: History) -> tuple[float, str]:
    """Give the smallest change of the share from which on some action pays, and the action's name."""
    brief, values, alone = history.brief, history.values, no_action_code(history.brief)
    if (
        not isinstance(values, TableValues)
        or values.varying
        or alone is None
        or values.constant.shape[1] != 2
    ):
        return EFFECT, ""
    outcome = brief.outcome
    code = outcome.classes.index(outcome.positive) if outcome.positive in outcome.classes else 0
    p, table = _base(history), values.constant
    found = []
    for action, name in enumerate(brief.actions):
        happened, other = table[action, code], table[action, 1 - code]
        costs = p * (table[alone, code] - happened) + (1 - p) * (table[alone, 1 - code] - other)
        if action != alone and abs(other - happened) > 0 and 0 < abs(costs / (other - happened)) < 1:
            found.append((abs(float(costs / (other - happened))), name))
    return min(found, default=(EFFECT, ""))


def _log(history: History) -> Iterator[Finding]:
    logged, cases = history.logged, len(history.timeline.decided_at)
    if logged is None:
        return
    if logged.strange:
        texts = ", ".join(f"{text!r} in {rows:,}" for text, rows in [*logged.strange.items()][:5])
        yield Finding(
            "check.log-no-action",
            "warning",
            "[incumbent] action",
            f"it was {texts} rows of the log; the actions are {', '.join(history.brief.actions)}",
            "what was done to these cases counts as unknown",
            "correct the spelling, as in case when called then 'call' else 'pass' end",
        )
    for rows, name, bounds in zip(
        logged.outside, ("score", "propensity"), ("0 to 1", "above 0 to 1"), strict=True
    ):
        if rows:
            yield Finding(
                f"check.log-{name}",
                "fault" if name == "score" else "warning",
                f"[incumbent] {name}",
                f"it lay outside {bounds} in {rows:,} rows of the log",
                f"a {name} is a probability; these count as unknown",
                "turn it into one, as in score / 100",
            )
    silent = (
        int((logged.action == SILENT).sum()) if not logged.by_score else int(np.isnan(logged.score).sum())
    )
    if silent:
        yield Finding(
            "check.log-silent",
            "warning" if silent > 0.01 * cases else "note",
            "[incumbent]",
            f"the log says nothing about {silent:,} of {cases:,} cases",
            "there the running system is taken to have done what the status quo does",
            "look at the key that joins the log, and at when it began",
        )
