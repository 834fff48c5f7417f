"""A trouble of the data: what was found, where, why it matters here, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

OF_VALUES: Final = (
    "quality.duplicate-rows",
    "quality.near-duplicates",
    "quality.impossible-value",
    "quality.unit-change",
    "quality.sentinel-number",
    "quality.sentinel-date",
    "quality.sentinel-text",
    "quality.constant-column",
    "quality.redundant-column",
    "quality.spelling-variants",
    "quality.outliers",
    "quality.mixed-types",
    "quality.clipped",
    "quality.swapped-columns",
    "quality.mojibake",
    "quality.default-value",
)
"""Found by looking at values alone."""

OF_TIME: Final = (
    "quality.time-gap",
    "quality.backfill",
    "quality.late-arrivals",
    "quality.key-changed-meaning",
    "quality.missing-tells-outcome",
    "quality.missing-since",
    "quality.known-too-late",
    "quality.outcome-rate-shift",
    "quality.segment-without-outcomes",
    "quality.leak",
    "quality.new-category",
    "quality.volume-jump",
    "quality.clock-shift",
    "quality.orphans",
)
"""Found by looking at when rows happened and became known, at keys, and at outcomes."""

KINDS: Final = (*OF_VALUES, *OF_TIME)

Touches = Literal["truth", "case", "value", "time", "key", "feature", "nothing"]
"""What of the brief reads the column, the gravest first; ``nothing`` when the brief doesn't use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that was found in one source.

    Attributes
    ----------
    code
        One of :data:`KINDS`.
    columns
        The columns it is in; empty where it concerns whole rows.
    what
        A sentence with the figures.
    why
        Why it matters for this brief: what reads the column, and what would go wrong.
    where
        A condition over the source's columns that finds the rows (an expression as the brief takes
        them), or words where no expression can.
    rows, of
        How many rows are touched, of how many that were looked at.
    examples
        Up to five rows, as plain values by column.
    mend
        A step as it would stand in ``[source.NAME.mend] steps``, or the change of the brief; empty where
        nothing can be done here.
    leave
        When it is right as it is.
    touches
        The gravest use of the columns by the brief.
    strength
        How sure it is: 1 is barely above the bar that was set, larger is surer. Ranks within one kind of use.
    cases
        Cases of the brief that it touches, where they can be told; None otherwise.
    """

    code: str
    source: str
    columns: tuple[str, ...] = ()
    what: str
    why: str
    where: str
    rows: int
    of: int
    examples: tuple[dict[str, Any], ...] = ()
    mend: str = ""
    leave: str
    touches: Touches = "nothing"
    strength: float = 1.0
    cases: int | None = None
    at_stake: float | None = None
    """Money a month that decisions about the touched cases could win or lose, at most; set by the ranking."""

    @property
    def share(self) -> float:
        """Share of the rows that were looked at, 0 to 1."""
        return self.rows / self.of if self.of else 0.0
