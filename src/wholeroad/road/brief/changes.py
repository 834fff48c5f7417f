"""Two briefs held against each other: what differs, what that does, and what can't be."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wholeroad.core.errors import Fault
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.digests import digests
from wholeroad.road.brief.effects import Effect, Names, differing, effects

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that differs.

    Attributes
    ----------
    path
        Dotted, as TOML writes it: ``value.of.express.late``; ``fairness.limits[1].measure`` within a list.
    was, now
        As the brief's canonical form has them; None where the setting isn't there.
    """

    path: str
    was: Any
    now: Any

    @property
    def table(self) -> str:
        """The table of the brief that it belongs to: ``value``."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two briefs, and what that does.

    Attributes
    ----------
    settings
        In the order of the brief.
    features
        By name.
    effects
        In plain sentences.
    decides
        Whether a decision or its money may differ: otherwise nothing comes into force.
    starts_over
        Whether models would learn something else: those that are there don't fit then.
    """

    settings: tuple[Change, ...]
    features: Names
    effects: tuple[Effect, ...]
    decides: bool
    starts_over: bool

    @property
    def by_table(self) -> dict[str, list[Change]]:
        """The settings by the table of the brief that they belong to."""
        found: dict[str, list[Change]] = {}
        for change in self.settings:
            found.setdefault(change.table, []).append(change)
        return found


def changes(old: Brief, new: Brief) -> Changes:
    """Say what differs between the brief in force and another one, and what taking that up does.

    Comments and layout are no difference, nor is a setting that is written out as it is by default.

    Examples
    --------
    >>> from wholeroad.road.brief.changes import differences
    >>> was, now = {"cycle": {"every": "1d"}}, {"cycle": {"every": "6h", "at": "03:00"}}
    >>> [(each.path, each.was, each.now) for each in differences(was, now)]
    [('cycle.every', '1d', '6h'), ('cycle.at', None, '03:00')]
    """
    was, now = digests(old), digests(new)
    return Changes(
        settings=tuple(differences(old.canonical(), new.canonical())),
        features=differing(old.feature, new.feature),
        effects=effects(old, new),
        decides=was.brief != now.brief,
        starts_over=was.learns != now.learns and was.brief != now.brief,
    )


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Give the settings in which two tables differ, each with its dotted path."""
    yield from _between(old, new, "")


def refusals(old: Brief, new: Brief, *, taken: Collection[str]) -> list[Fault]:
    """Say what of a change can't be, since cases were decided under the brief in force.

    Parameters
    ----------
    taken
        The actions that were taken so far; without any, everything may change.

    Returns
    -------
    list of Fault
        Codes ``live.other-columns``, ``live.other-actions``.
    """
    if not taken:
        return []
    return [*_other_columns(old, new), *_other_actions(new, taken)]


def _other_columns(old: Brief, new: Brief) -> Iterator[Fault]:
    code = "live.other-columns"
    key, before = (list(brief.source[brief.case.source].key) for brief in (new, old))
    if key != before:
        yield Fault(
            code,
            f"[source.{new.case.source}] key",
            f"was {key}, and cases were decided by {before}",
            "the key that decisions have had since the first run",
            "put it back, or begin in a new folder",
        )
    if new.prediction != old.prediction:
        yield Fault(
            code,
            "[outcome]",
            f"a prediction would be {', '.join(new.prediction)}, and was {', '.join(old.prediction)}",
            "the kind and the classes that decisions have had since the first run, in their order",
            "put them back, or begin in a new folder",
        )
    if (new.policy.no_action is None) != (old.policy.no_action is None):
        word = "gone" if new.policy.no_action is None else "new"
        yield Fault(
            code,
            "[policy.no_action]",
            f"the table is {word}, and decisions with and without a propensity can't stand in one table",
            "cases that are left alone by chance from the first run on, or never",
            "put it back as it was, or begin in a new folder",
        )


def _other_actions(new: Brief, taken: Collection[str]) -> Iterator[Fault]:
    if gone := sorted({*taken} - {*new.actions}):
        yield Fault(
            "live.other-actions",
            "[value]",
            f"cases were decided {', '.join(map(repr, gone))}, and there is no such action any more",
            "every action that was ever taken: its money is settled by the brief",
            "keep it in [value], with what it is worth",
        )


def _between(old: object, new: object, path: str) -> Iterator[Change]:
    """Go down where both sides, or the only one, are tables; a list of tables is one by its places."""
    if old == new:
        return
    mine, theirs = _parts(new), _parts(old)
    if old in ({}, []) or old is None:
        theirs = None if mine is None else {}
    if new in ({}, []) or new is None:
        mine = None if theirs is None else {}
    if mine is None or theirs is None:
        yield Change(path, old, new)
        return
    alone = old is None or new is None
    for name in {**theirs, **mine}:
        was, now = theirs.get(name), mine.get(name)
        if alone and path and _says_nothing(was) and _says_nothing(now):
            continue
        yield from _between(was, now, path + name if name.startswith("[") or not path else f"{path}.{name}")


def _parts(value: object) -> dict[str, Any] | None:
    """Give the parts of a table, or of a list of tables; None where there is nothing to go down into."""
    if isinstance(value, Mapping) and value:
        return {_word(name): each for name, each in value.items()}
    if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        return {f"[{place}]": each for place, each in enumerate(value, 1)}
    return None


def _says_nothing(value: object) -> bool:
    """Tell whether a setting of a table that comes or goes is as it is without being written."""
    return value is None or value is False or value in ("", [], {})


def _word(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
