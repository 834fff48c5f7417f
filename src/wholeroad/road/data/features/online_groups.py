"""Which online features share rows: those of the same source, key and dating, like ranges in bulk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import polars as pl

from wholeroad.core.expressions import Expression
from wholeroad.core.instants import Instant, Span
from wholeroad.road.data.features.activity import FOREVER
from wholeroad.road.data.features.intervals import Dating, Entry
from wholeroad.road.data.features.keyed_rows import KeyedRows, Shape
from wholeroad.road.data.features.measures import Measures
from wholeroad.road.data.features.online_keys import Keys
from wholeroad.road.data.features.running import Dates, Distinct, Ordered, Running, Tally, Total
from wholeroad.road.data.features.specs import Feature, Latest, On, Window
from wholeroad.road.data.features.windows import HOUR
from wholeroad.road.data.row_versions import Key

NEWEST: Final = 8
"""Of how many rows of a key are kept, where the newest alone is asked for, however old."""

Read = Callable[[KeyedRows, Instant, Entry | None], Any]

_READS: Final[Mapping[str, tuple[str, Callable[[Any, Entry | None], Any]]]] = {
    "count": ("tally", Tally.read),
    "sum": ("total", Total.sum),
    "mean": ("total", Total.mean),
    "std": ("total", Total.deviation),
    "min": ("ordered", Ordered.least),
    "max": ("ordered", Ordered.greatest),
    "distinct": ("distinct", Distinct.read),
}


@dataclass(slots=True)
class Group:
    """Features over the same source, key and dating, and the rows that they are read from.

    Attributes
    ----------
    number
        Its place among the groups.
    where, only
        The condition that rows must meet to be kept at all, and its slot; None: all are.
    reads
        Places among the features, and how each is read from the rows of a key.
    nothing
        The same places, and what each is without any row.
    keyed
        The rows in memory, by key.
    spilled
        How many keys are elsewhere.
    loads
        How often its source was loaded.
    """

    number: int
    source: str
    keys: Keys
    dating: Dating
    where: Expression | None
    only: int | None
    shape: Shape
    reads: tuple[tuple[int, Read], ...]
    nothing: tuple[tuple[int, Any], ...]
    keyed: dict[Key, KeyedRows] = field(default_factory=dict)
    spilled: int = 0
    loads: int = 0


def nothing_of(feature: Feature) -> Any:  # noqa: ANN401 - a value of the feature's type
    """Give what a feature is over no rows."""
    if not isinstance(feature, Window):
        return None
    if feature.aggregate == "sum":
        return 0.0 if feature.value is not None and feature.value.dtype.is_float() else 0
    return 0 if feature.aggregate in ("count", "distinct") else None


def group_features(
    features: Sequence[Feature],
    *,
    case_source: str,
    schemas: Mapping[str, pl.Schema],
    measures: Mapping[str, Measures],
    bounded: bool,
) -> list[Group]:
    """Put the windows and latest together that share their rows.

    Parameters
    ----------
    measures
        By source; those that the features ask for are added.
    bounded
        Whether rows that were let go can be asked for anew.

    Raises
    ------
    UserError
        ``features.key-types``.
    """
    together: dict[tuple[Any, ...], list[tuple[int, Latest | Window]]] = {}
    for place, feature in enumerate(features):
        if isinstance(feature, Latest | Window) and feature.source in measures:
            together.setdefault(_shared(feature), []).append((place, feature))
    groups = []
    for number, members in enumerate(together.values()):
        _, first = members[0]
        source, by = first.source, first.by
        keys = Keys(by, schemas[case_source], rows=schemas[source], source=source)
        maker = _Maker(first, measures[source], own=source == case_source, bounded=bounded)
        groups.append(maker.group(number, members, keys))
    return groups


def _shared(feature: Latest | Window) -> tuple[Any, ...]:
    """Features that only ask for the newest rows keep them apart from those of windows, by condition."""
    forever: tuple[Expression | None] | None
    if isinstance(feature, Latest):
        forever = None if feature.max_age is not None else (None,)
        return (feature.source, feature.by, "happened", 0, forever)
    ahead = (feature.over or 0) if feature.on == "planned" else 0
    forever = None if feature.over is not None else (feature.where,)
    return (feature.source, feature.by, feature.on, ahead, forever)


def _reach(feature: Latest | Window) -> Span:
    """Give how long after its base a version is of use; *latest* includes the end."""
    if isinstance(feature, Window):
        return FOREVER if feature.over is None else feature.over
    return FOREVER if feature.max_age is None else feature.max_age + 1


class _Maker:
    """Makes one group: what is kept up over each span, and how each feature is read from it."""

    def __init__(self, first: Latest | Window, measures: Measures, *, own: bool, bounded: bool) -> None:
        self._measures = measures
        self._first = first
        self._forever = _reach(first) == FOREVER
        self._bounded = bounded
        on: On = "happened" if isinstance(first, Latest) else first.on
        self._dating = Dating(on, _reach(first) if on == "planned" else 0, own)
        self._spans: list[Span] = []
        self._kept_up: list[dict[tuple[str, int], Callable[[], Running]]] = []

    def group(self, number: int, members: Sequence[tuple[int, Latest | Window]], keys: Keys) -> Group:
        first = self._first
        where = first.where if self._forever and isinstance(first, Window) else None
        only = None if where is None else self._measures.slot(first)
        deviations = {
            self._measures.slot(feature)
            for _, feature in members
            if isinstance(feature, Window) and feature.aggregate == "std"
        }
        planned = [(place, self._read(feature, deviations)) for place, feature in members]
        shape = Shape(
            spans=tuple(
                (span, tuple(makes.values())) for span, makes in zip(self._spans, self._kept_up, strict=True)
            ),
            longest=max(_reach(feature) for _, feature in members),
            newest=NEWEST if self._forever and self._bounded else None,
        )
        nothing = tuple((place, nothing_of(feature)) for place, feature in members)
        return Group(
            number=number,
            source=first.source,
            keys=keys,
            dating=self._dating,
            where=where,
            only=only,
            shape=shape,
            reads=tuple(planned),
            nothing=nothing,
        )

    def _read(self, feature: Latest | Window, deviations: set[int]) -> Read:
        slot, reach = self._measures.slot(feature), _reach(feature)
        if isinstance(feature, Latest):
            return partial(_latest, slot, reach)
        if self._forever:
            return _hours_since_newest
        subject = "" if feature.value is None else f"{feature.source}.{feature.value.text}"
        if feature.aggregate == "since":
            make: Callable[[], Running] = partial(Dates, slot, subject=subject)
            last = _kept_up(*self._keep_up(reach, "dates", slot, make=make), read=Ordered.greatest)
            return partial(_hours_since_last, last)
        kind, read = _READS[feature.aggregate]
        if kind == "total":
            real = feature.value is not None and feature.value.dtype.is_float()
            make = partial(Total, slot, real=real, subject=subject, squared=slot in deviations)
        elif kind == "ordered":
            make = partial(Ordered, slot, subject=subject)
        else:
            make = partial(Tally if kind == "tally" else Distinct, slot)
        return _kept_up(*self._keep_up(reach, kind, slot, make=make), read=read)

    def _keep_up(
        self, span: Span, kind: str, slot: int, *, make: Callable[[], Running]
    ) -> tuple[int, int, Span]:
        """Give the place of the span, that of what is kept up within it, and the span."""
        if span not in self._spans:
            self._spans.append(span)
            self._kept_up.append({})
        number = self._spans.index(span)
        made = self._kept_up[number]
        made.setdefault((kind, slot), make)
        return number, list(made).index((kind, slot)), span


def _latest(slot: int, reach: Span, rows: KeyedRows, now: Instant, own: Entry | None) -> Any:  # noqa: ANN401
    entries = rows.entries
    if not entries:
        return None
    last = entries[-1]
    if last is own:
        if len(entries) < 2:
            return None
        last = entries[-2]
    return last.added[slot] if last.base_at + reach > now else None


def _hours_since_newest(rows: KeyedRows, now: Instant, own: Entry | None) -> float | None:
    entries = rows.entries
    if entries and entries[-1] is own:
        return (now - entries[-2].base_at) / HOUR if len(entries) > 1 else None
    return (now - entries[-1].base_at) / HOUR if entries else None


def _kept_up(number: int, place: int, span: Span, *, read: Callable[[Any, Entry | None], Any]) -> Read:
    def kept_up(rows: KeyedRows, now: Instant, own: Entry | None) -> Any:  # noqa: ANN401
        if own is not None and own.base_at + span <= now:
            own = None
        return read(rows.running[number][place], own)

    return kept_up


def _hours_since_last(read: Read, rows: KeyedRows, now: Instant, own: Entry | None) -> float | None:
    last = read(rows, now, own)
    return None if last is None else (now - last) / HOUR
