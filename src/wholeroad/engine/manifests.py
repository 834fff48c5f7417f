"""What the ledger says of a source's batches: which stand, which came before, which are held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import polars as pl
from msgspec import structs

from wholeroad.core.errors import UserError
from wholeroad.core.facts import Fact
from wholeroad.core.ids import digest
from wholeroad.core.instants import Instant, format_instant
from wholeroad.engine.facts import RunBegan
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.facts import BatchLanded, RowsMended, SourceHeld, SourceReleased
from wholeroad.road.data.presence import compares_newest

_UNREAD = frozenset({"read", "absent", "database"})
"""Settings that don't change what a row becomes."""


def reading_of(source: SourceTable) -> str:
    """Digest how a source's rows are read; sources that read alike share their tables."""
    return digest(source.reading(beside={*_UNREAD, *_unsaid(source)}))[:8]


def basis_of(source: SourceTable) -> str:
    """Digest how a source's rows are read without mend and contract: what their raw rows depend on."""
    return digest(source.reading(beside={*_UNREAD, "mend", "contract", *_unsaid(source)}))[:8]


def _unsaid(source: SourceTable) -> set[str]:
    return {"csv"} if source.csv is None else set()  # as before there was such a setting


def table_of(name: str, source: SourceTable) -> str:
    """Name the table of a source's versions.

    Rows that are read another way (another key, other times) are other versions, in a table of
    their own: a brief that mends its ``known_at`` must not see the rows that it mended.
    """
    return f"source_{name}_{reading_of(source)}"


def quarantine_of(name: str, source: SourceTable) -> str:
    """Name the table of the rows that were set aside under this reading of the source."""
    return f"quarantine_{name}_{reading_of(source)}"


class Line(NamedTuple):
    """A batch on the ledger: its name there, and what was said of it."""

    batch: str
    fact: BatchLanded


@dataclass(frozen=True, slots=True)
class Manifests:
    """The batches of a source, as far as they bear on its present reading.

    Attributes
    ----------
    standing
        Those that went into the table of the present reading, since that was made, in order.
    former
        Those of the reading before it on the same basis, or of the table that was lost: what the present
        table has to come to.
    """

    standing: tuple[Line, ...]
    former: tuple[Line, ...]

    @classmethod
    def of(cls, facts: Iterable[Fact], name: str, *, source: SourceTable) -> Manifests:
        """Take them from the ledger's facts."""
        reading, basis = reading_of(source), basis_of(source)
        lists: dict[str, list[Line]] = {}
        raw: dict[str, tuple[str, ...]] = {}
        for fact in facts:
            if not isinstance(fact, BatchLanded) or fact.source != name:
                continue
            if (fact.basis or fact.reading) != basis:
                continue
            lines = lists.pop(fact.reading, [])
            if fact.anew:
                lost = f"{fact.reading} lost"
                lists[lost] = max(lists.pop(lost, []), lines, key=len)
                lines = []
            else:
                line = Line(fact.batch or batch_id(fact, place=len(lines) + 1), fact)
                raw[line.batch] = fact.raw or raw.get(line.batch, ())
                lines.append(line)
            lists[fact.reading] = lines
        standing = lists.pop(reading, [])
        former = next(reversed(lists.values()), [])
        return cls(_with_raw(standing, raw), _that_come_back(_with_raw(former, raw)))

    def without_table(self) -> Manifests:
        """Give what they are when the table is gone: all that stood is to come again."""
        back = _that_come_back(self.standing)
        return replace(self, standing=(), former=max(back, self.former, key=len))

    @property
    def missing(self) -> Iterator[Line]:
        """Batches of before that the present table doesn't have, in order."""
        there = {line.batch for line in self.standing}
        return (line for line in self.former if line.batch not in there)

    @property
    def continues(self) -> bool:
        """Whether the present table has, or can have from raw rows, everything that the one before had."""
        return bool(self.former) and all(line.fact.raw for line in self.missing)

    @property
    def last_seq(self) -> int | None:
        """The number of the last version that the ledger knows of; None where lines of old don't say."""
        if not self.standing:
            return 0
        last = self.standing[-1].fact
        return last.first_seq + last.landed + last.deleted - 1 if last.first_seq else None

    def next_is(self, origin: str) -> Line | None:
        """Give the batch of before that what is read now repeats, if all before it stand already."""
        place = len(self.standing)
        if not origin or place >= len(self.former):
            return None
        before = [line.batch for line in self.former[:place]]
        same = before == [line.batch for line in self.standing]
        line = self.former[place]
        return line if same and line.fact.origin == origin else None


def _with_raw(lines: list[Line], raw: dict[str, tuple[str, ...]]) -> tuple[Line, ...]:
    """Give a batch's raw rows whichever of its landings kept them."""
    return tuple(
        line if line.fact.raw else Line(line.batch, structs.replace(line.fact, raw=raw[line.batch]))
        for line in lines
    )


def _that_come_back(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Leave out batches that were neither read from anywhere nor kept."""
    return tuple(line for line in lines if line.fact.raw or line.fact.origin)


def batch_id(fact: BatchLanded | SourceHeld, *, place: int) -> str:
    """Name a batch: by what was read, or else by its raw rows, and by its place among the batches."""
    parts = [fact.origin] if fact.origin else fact.raw
    return digest("batch", fact.source, str(place), *parts)


def is_first(facts: Iterable[Fact], name: str, *, source: SourceTable, manifests: Manifests) -> bool:
    """Tell whether no run has begun since rows first landed for a source, as it is read now.

    What lands again from raw rows has its history already: it goes on as the reading before it.
    """
    reading, basis, goes_on = reading_of(source), basis_of(source), manifests.continues
    landed = began = False
    for fact in facts:
        if isinstance(fact, RunBegan):
            began |= landed
        elif isinstance(fact, BatchLanded) and fact.source == name:
            if goes_on and (fact.basis or fact.reading) == basis:
                landed = True
            elif fact.reading == reading:
                landed, began = not fact.anew, began and not fact.anew
    return not began


def held(facts: Iterable[Fact], name: str) -> SourceHeld | None:
    """Give the batch of a source that is held back, if one is."""
    found = None
    for fact in facts:
        if isinstance(fact, SourceHeld) and fact.source == name:
            found = fact
        elif isinstance(fact, SourceReleased) and fact.source == name:
            found = None
    return found


def waits_for(found: SourceHeld) -> UserError:
    """Say that a batch can't land while an earlier one of its source is held back."""
    return UserError(
        "data.source-held",
        f"[source.{found.source}]: a batch is held back, and others wait for it",
        happened=f"{found.read or 'a batch'} of {format_instant(found.at)}: {found.happened}",
        expected="a decision about it first",
        fix=f"wholeroad data release {found.source} lands it as it is, with --discard it never does; "
        "or mend what it was read from",
    )


def discarded(facts: Iterable[Fact], name: str) -> frozenset[str]:
    """Give the origins of batches that somebody decided never to land."""
    released = (fact for fact in facts if isinstance(fact, SourceReleased) and fact.source == name)
    return frozenset(fact.origin for fact in released if fact.how == "discarded" and fact.origin)


def mended_rows(facts: Iterable[Fact]) -> dict[str, frozenset[int]]:
    """Give, by source, the ``content`` of rows of the quarantine that came back mended."""
    found: dict[str, set[int]] = {}
    for fact in facts:
        if isinstance(fact, RowsMended):
            found.setdefault(fact.source, set()).update(fact.contents)
    return {name: frozenset(contents) for name, contents in found.items()}


def still_aside(quarantine: pl.DataFrame, facts: Iterable[Fact]) -> pl.DataFrame:
    """Leave out of a quarantine the rows that came back mended.

    Parameters
    ----------
    quarantine
        Columns of :data:`~wholeroad.road.data.batches.QUARANTINE`.
    facts
        The ledger's.
    """
    for name, contents in mended_rows(facts).items():
        back = pl.Series(sorted(contents), dtype=pl.Int64).implode()
        quarantine = quarantine.filter(~((pl.col("source") == name) & pl.col("content").is_in(back)))
    return quarantine


def refuse_disorder(
    batches: list[BatchLanded], source: SourceTable, *, name: str, dumped_at: Instant
) -> None:
    """Refuse a dump older than one that has landed, where a dump is compared with the one before.

    Parameters
    ----------
    batches
        Those that stand.

    Raises
    ------
    UserError
        ``data.dump-out-of-order``.
    """
    if not compares_newest(source) and source.absent == "kept":
        return
    last = max((fact.dumped_at for fact in batches if fact.dumped_at is not None), default=None)
    if last is None or dumped_at > last or (dumped_at == last and source.absent == "kept"):
        return
    raise UserError(
        "data.dump-out-of-order",
        f"[source.{name}]: a dump came too late",
        happened=f"it was taken at {format_instant(dumped_at)}, and one of {format_instant(last)} has landed",
        expected="dumps in the order in which they were taken: each is compared with the one before",
        fix=f"take it away; or delete .wholeroad/tables/{table_of(name, source)}, and all dumps land anew",
    )
