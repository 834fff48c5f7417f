"""What a changed brief does: to rows, cases, features, decisions, models and cycles, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from wholeroad.core.instants import format_span
from wholeroad.road.brief.charter import worth_text
from wholeroad.road.brief.contract import Brief, FeatureTable, SourceTable
from wholeroad.road.brief.digests import digests
from wholeroad.road.brief.fairness import GroupTable

About = Literal[
    "rows", "cases", "outcomes", "features", "groups", "decisions", "models", "fits", "cycles", "words"
]

_UNREAD: Final = frozenset({"read", "absent", "database"})
"""Settings of a source that don't change what a row becomes."""

Reading = Literal["as before", "from raw rows", "from its files"]


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a change does.

    Attributes
    ----------
    about
        To what.
    says
        One or two sentences.
    """

    about: About
    says: str


@dataclass(frozen=True, slots=True)
class Names:
    """Names that came, went, or mean something else."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed)

    def __str__(self) -> str:
        """Say them in a line."""
        said = (("new", self.added), ("gone", self.removed), ("other", self.changed))
        return "; ".join(f"{word}: {', '.join(names)}" for word, names in said if names)


def differing(
    old: dict[str, FeatureTable] | dict[str, GroupTable], new: dict[str, FeatureTable] | dict[str, GroupTable]
) -> Names:
    """Say which tables came, went or changed, by name."""
    return Names(
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        tuple(name for name in new if name in old and new[name] != old[name]),
    )


def read_again(old: SourceTable, new: SourceTable) -> Reading:
    """Say how the rows of a source come into the table of its new reading.

    Returns
    -------
    str
        ``as before``: it is the same table. ``from raw rows``: only its mend or its contract is another
        one, and everything that was kept as it came lands again. ``from its files``: its key, times or
        types are other ones; what came in another way than by a file doesn't come again.
    """
    if old.reading(beside=_UNREAD) == new.reading(beside=_UNREAD):
        return "as before"
    basis = {*_UNREAD, "mend", "contract"}
    return "from raw rows" if old.reading(beside=basis) == new.reading(beside=basis) else "from its files"


def effects(old: Brief, new: Brief) -> tuple[Effect, ...]:
    """Say what a change does, in the order in which it matters to whoever has to answer for it.

    Returns
    -------
    tuple of Effect
        Empty for equal briefs; one about ``words`` where nothing else differs.
    """
    was, now = digests(old), digests(new)
    if was.brief == now.brief:
        if old.canonical() == new.canonical():
            return ()
        return (Effect("words", "Only words for people change, and what is compared: no decision does."),)
    parts = (
        _decisions(old, new),
        _models(old, new, starts_over=was.learns != now.learns),
        _features(old, new),
        _cases(old, new),
        _outcomes(old, new),
        _rows(old, new),
        _groups(old, new),
        _fits(old, new),
        _cycles(old, new),
    )
    return tuple(effect for part in parts for effect in part)


def _decisions(old: Brief, new: Brief) -> Iterator[Effect]:
    if old.value != new.value:
        yield Effect(
            "decisions",
            "From the change on, cases are decided by the new values. What was decided stays decided, and "
            "money that was settled stays as it was booked.",
        )
    share, before = new.policy.no_action, old.policy.no_action
    if share != before:
        yield Effect(
            "decisions",
            "No case is left alone by chance any more."
            if share is None
            else f"From the change on, a random {share.share:.3g} of the cases gets {share.action!r}.",
        )
    if old.incumbent != new.incumbent:
        yield Effect(
            "decisions", "What the running system did is read another way, as the next fit will see."
        )


def _models(old: Brief, new: Brief, *, starts_over: bool) -> Iterator[Effect]:
    if not starts_over:
        chosen = " The next fit is chosen by the new values." if old.value != new.value else ""
        yield Effect("models", f"The model in charge stays: none of this is what models learn by.{chosen}")
        return
    refit = new.policy.refit
    yield Effect(
        "models",
        "Models would learn something else, so the plan starts over: the status quo "
        f"({_status_quo(new)}) decides from the change on, until a fit under the new brief passes.",
    )
    takes = f", and takes {format_span(refit.fit.takes)}" if refit.fit.takes else ""
    yield Effect(
        "fits",
        "A fit is asked for at the next cycle after the change, once there are "
        f"{format_span(refit.first)} of history{takes}. One that is being made now is dropped.",
    )


def _features(old: Brief, new: Brief) -> Iterator[Effect]:
    names = differing(old.feature, new.feature)
    if names.any:
        yield Effect(
            "features",
            f"{_capital(str(names))}. They are computed over everything that is kept, as if they had always "
            "been there; what is in memory is built anew.",
        )


def _cases(old: Brief, new: Brief) -> Iterator[Effect]:
    if old.case.source != new.case.source:
        yield Effect("cases", f"What is decided about are rows of {new.case.source} now.")
    if (old.case.source, old.case.decide_at) != (new.case.source, new.case.decide_at):
        yield Effect(
            "cases",
            "Cases that wait get their instants anew; one whose time would have passed is decided at the "
            "change. What was decided stays decided.",
        )
    if old.case.if_late != new.case.if_late:
        late = "decided" if new.case.if_late == "decide" else "left to the status quo"
        yield Effect("cases", f"A case that becomes known after its time is {late} from the change on.")


def _outcomes(old: Brief, new: Brief) -> Iterator[Effect]:
    told = {"matures", "depends_on_action"}
    if old.outcome.model_dump(exclude=told) != new.outcome.model_dump(exclude=told):
        yield Effect(
            "outcomes",
            "Outcomes are told anew for all cases, also for those that were decided. Money that was booked "
            "stays until an outcome is corrected.",
        )
    if old.outcome.matures != new.outcome.matures:
        yield Effect(
            "fits", f"Fits learn from cases that are at least {format_span(new.outcome.matures)} old."
        )


def _rows(old: Brief, new: Brief) -> Iterator[Effect]:
    for name, source in new.source.items():
        if name not in old.source:
            came = "as they are sent" if source.read == "none" else f"from {source.read}, as history"
            yield Effect("rows", f"{name} is new: its rows land {came}.")
            continue
        before = old.source[name]
        match read_again(before, source):
            case "from raw rows":
                yield Effect(
                    "rows",
                    f"{name} has another mend or contract: its rows land again as they came, each at the "
                    "instant of its first landing.",
                )
            case "from its files":
                yield Effect(
                    "rows",
                    f"{name} is read another way (key, times, types): it lands again from {source.read}, as "
                    "history.",
                )
            case "as before" if (before.read, before.database) != (source.read, source.database):
                yield Effect("rows", f"{name} is read from {source.read} from the change on.")
            case "as before":
                pass
    if gone := [name for name in old.source if name not in new.source]:
        yield Effect("rows", f"{', '.join(gone)}: read no more. Rows that are there stay, unused.")


def _groups(old: Brief, new: Brief) -> Iterator[Effect]:
    mine, theirs = new.fairness, old.fairness
    names = differing(theirs.groups if theirs else {}, mine.groups if mine else {})
    if names.any:
        yield Effect("groups", f"{_capital(str(names))}. Computed over everything that is kept.")
    if (theirs.limits if theirs else ()) != (mine.limits if mine else ()):
        yield Effect("groups", "The new limits hold for the next fit, and from the next cycle on.")
    acting = [(each.acting()["remedies"] if each else []) for each in (theirs, mine)]
    if acting[0] != acting[1]:
        yield Effect("groups", "Other remedies are carried out by the next fit.")


def _fits(old: Brief, new: Brief) -> Iterator[Effect]:
    refit, before = new.policy.refit, old.policy.refit
    if refit.when != before.when:
        yield Effect("fits", f"Fits are asked for {refit.when!r} instead of {before.when!r}.")
    if refit.model_dump(exclude={"when"}) != before.model_dump(exclude={"when"}):
        yield Effect("fits", "The next fit follows the new [policy.refit].")


def _cycles(old: Brief, new: Brief) -> Iterator[Effect]:
    if old.cycle != new.cycle:
        yield Effect("cycles", f"Cycles are {_rhythm(new)} instead of {_rhythm(old)}.")


def _rhythm(brief: Brief) -> str:
    return f"every {format_span(brief.cycle.every)}" + (f" at {brief.cycle.at} UTC" if brief.cycle.at else "")


def _status_quo(brief: Brief) -> str:
    ((kind, text),) = brief.value.status_quo.items()
    return f"always {text}" if kind == "action" else worth_text(text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
