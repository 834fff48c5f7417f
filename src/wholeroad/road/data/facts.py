"""What can become true about data."""

from __future__ import annotations

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant


class BatchLanded(Fact, frozen=True, kw_only=True):
    """A batch of rows was landed: ``rows_in == landed + repeated + quarantined``.

    Attributes
    ----------
    source
        The source's name in the brief.
    rows_in
        Rows of the batch, those that could not be read included.
    landed
        New versions.
    repeated
        Rows that were there already, as a version or in the quarantine.
    quarantined
        Rows newly set aside, each with a reason.
    deleted
        Versions that say "gone", for rows missing from a dump; they are in no other count.
    imported
        Whether the claimed ``known_at`` was taken at its word.
    origin
        Digest of the file and of the source's settings; empty for a frame.
    ignored
        Columns left out: of a type that can't be kept, or not there at the first landing.
    reading
        Digest of how the source's rows are read, which names the table; empty in lines of old.
    dumped_at
        When the rows were taken from where they live, if that was known.
    anew
        The source's table was gone: what earlier lines say of it no longer stands. Such a line has no rows.
    """

    source: str
    rows_in: int
    landed: int
    repeated: int
    quarantined: int
    deleted: int
    imported: bool
    origin: str = ""
    ignored: tuple[str, ...] = ()
    reading: str = ""
    dumped_at: Instant | None = None
    anew: bool = False
