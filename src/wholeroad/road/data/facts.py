"""What can become true about data."""

from __future__ import annotations

from msgspec import UNSET, UnsetType, field

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
        Digest of the file and of the source's settings, those of its mend and contract left out; empty for
        a frame.
    ignored
        Columns left out: of a type that can't be kept, or not there at the first landing.
    reading
        Digest of how the source's rows are read, which names the table; empty in lines of old.
    dumped_at
        When the rows were taken from where they live, if that was known.
    anew
        The source's table was gone: what earlier lines say of it no longer stands. Such a line has no rows.
    batch
        Names the batch, under whatever mend it lands: digest of the source, of ``origin`` or else of the raw
        rows, and of its place among the batches. Empty in lines of old.
    read
        What was read, as people name it.
    basis
        Digest of how the rows are read without mend and contract; empty in lines of old. Batches of one basis
        can be landed again from their raw rows when the mend or the contract has changed.
    raw
        Where the raw rows are: an entry per part, see :class:`~wholeroad.engine.raw.RawRows`.
    whole
        Whether rows that it doesn't have are gone, where the source says so.
    mend
        Digest of the mend's steps; empty without one.
    mended
        Rows changed or set aside, by step of the mend.
    broken
        Rows, by clause of the contract that they broke.
    first_seq
        The number of its first new version. A version belongs to the first batch that ends beyond its
        number; the end is ``first_seq + landed + deleted``. 0 in lines of old.
    again
        It landed before, under another mend or contract or into a table that was lost; ``at`` is the instant
        of its first landing.
    hot_through
        Of rows that came to the service: it accounts for those of the hot log's records up to this number, as
        far as no batch before it does; ``at`` is the instant of the last of them. Unset for all other
        batches, and then not written.
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
    batch: str = ""
    read: str = ""
    basis: str = ""
    raw: tuple[str, ...] = ()
    whole: bool = True
    mend: str = ""
    mended: dict[str, int] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    first_seq: int = 0
    again: bool = False
    hot_through: int | UnsetType = UNSET


class SourceHeld(Fact, frozen=True, kw_only=True):
    """A batch was held back, all of it: it broke what the contract says must hold.

    Attributes
    ----------
    batch, origin, read, basis, reading, raw, whole, imported, dumped_at
        As in :class:`BatchLanded`.
    code
        ``contract.held``.
    happened
        A sentence for each broken clause that holds.
    rows_in
        Rows of the batch, those that could not be read included.
    clauses
        Rows, by broken clause that holds.
    """

    source: str
    batch: str
    code: str
    happened: str
    rows_in: int
    raw: tuple[str, ...]
    read: str = ""
    origin: str = ""
    reading: str = ""
    basis: str = ""
    imported: bool = False
    dumped_at: Instant | None = None
    whole: bool = True
    clauses: dict[str, int] = field(default_factory=dict)


class SourceReleased(Fact, frozen=True, kw_only=True):
    """A batch is no longer held, and later ones of its source need not wait.

    Attributes
    ----------
    how
        ``accepted``: it landed as it was; ``discarded``: it never lands; ``superseded``: a file of the same
        name came instead; ``changed``: the source is read another way now, and the batch was looked at anew.
    origin
        Of the batch.
    asked_by
        Who decided it, if somebody did.
    """

    source: str
    batch: str
    how: str
    origin: str = ""
    asked_by: str = ""


class RowsMended(Fact, frozen=True, kw_only=True):
    """Rows of the quarantine came back mended, and stand as versions now or were known already.

    Attributes
    ----------
    contents
        Their ``content`` in the quarantine.
    """

    source: str
    contents: tuple[int, ...]
