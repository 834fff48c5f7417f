"""Successive dumps of one table: files in a folder, and when each was taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from wholeroad.adapters.ndjson_files import ENDINGS
from wholeroad.core.errors import UserError
from wholeroad.core.instants import EPOCH, Instant
from wholeroad.road.brief.sources import SourceTable

_DATE: Final = re.compile(
    r"(?<!\d)(\d{4})(-?)(\d\d)\2(\d\d)(?:T(\d\d)[-:.]?(\d\d)(?:[-:.]?(\d\d))?(Z)?)?(?!\d)", re.ASCII
)
_YEARS: Final = range(1970, 2200)
_KINDS: Final = frozenset({".csv", ".parquet", *ENDINGS})
_UNFINISHED: Final = frozenset({".tmp", ".part", ".partial", ".filepart", ".crdownload", ".inprogress"})
"""Endings of files that somebody is still writing: they are left alone until they have another name."""


@dataclass(frozen=True, slots=True)
class Dump:
    """A file of a folder of dumps.

    Attributes
    ----------
    path
        Where it is.
    shown
        How messages name it.
    at
        When it was taken, as its name tells; None if it doesn't.
    """

    path: Path
    shown: str
    at: Instant | None


def dumps_of(root: Path, name: str, *, source: SourceTable) -> list[Dump] | None:
    """List the dumps of a source, the oldest first; files of one date, or of none, by their names.

    A file that is still being written is left alone: one whose name begins with a point, or ends as
    unfinished ones do, such as ``.tmp`` or ``.part``.

    Parameters
    ----------
    root
        The project's folder.
    name, source
        The source's name and table; ``read`` is a folder, or a pattern such as ``dumps/*.csv``.

    Returns
    -------
    list[Dump] | None
        None when ``read`` is neither: it then is one file.

    Raises
    ------
    UserError
        ``data.dumps-missing``; ``data.dump-undated`` where the source needs to know when a dump was taken.
    """
    path = root / source.read
    if path.is_dir():
        files = [each for each in path.iterdir() if each.suffix.lower() in _KINDS]
    elif not path.is_file() and re.search(r"[*?\[]", source.read):
        files = list(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    else:
        return None
    files = [each for each in files if each.is_file() and _finished(each)]
    if not files:
        raise UserError(
            "data.dumps-missing",
            f"[source.{name}]: there are no dumps",
            happened=f"nothing was found at {source.read}",
            expected="one file or more, .csv, .parquet, .ndjson or .jsonl",
            fix='put a dump there, or correct read; for a source that does not exist yet write read = "none"',
        )
    dumps = [Dump(each, _shown(each, root), dumped_at(each.name, source.timezone)) for each in files]
    undated = sorted(dump.shown for dump in dumps if dump.at is None)
    if undated and _needs_dates(source):
        raise _undated(name, undated)
    return sorted(dumps, key=lambda dump: (dump.at is None, dump.at or 0, dump.shown))


def dumped_at(name: str, timezone: str | None = None) -> Instant | None:
    """Read from a file's name when it was taken.

    The last date counts. One without a time of day is the end of that day, since nobody says when on that day
    the dump was taken, and what it holds must not be known too early.

    Parameters
    ----------
    name
        Such as ``customers-2024-01-31.csv``, ``20240131.parquet``, ``2024-01-31T06-00.csv``.
    timezone
        Where the date is meant; UTC unless said, or if the time ends in ``Z``.

    Examples
    --------
    >>> dumped_at("customers-1970-01-01T06-00.csv") == 6 * 3_600_000_000
    True
    >>> dumped_at("19700101.csv") == 86_400_000_000, dumped_at("customers-7.csv")
    (True, None)
    """
    found = None
    for match in _DATE.finditer(name):
        year, _, month, day, hour, minute, second, utc = match.groups()
        zone = UTC if timezone is None or utc else ZoneInfo(timezone)
        try:
            moment = datetime(int(year), int(month), int(day), tzinfo=zone)
            if hour is None:
                moment += timedelta(days=1)
            else:
                moment = moment.replace(hour=int(hour), minute=int(minute), second=int(second or 0))
        except ValueError:
            continue
        if int(year) in _YEARS:
            found = (moment - EPOCH) // timedelta(microseconds=1)
    return found


def _finished(path: Path) -> bool:
    return not path.name.startswith(".") and path.suffix.lower() not in _UNFINISHED


def _needs_dates(source: SourceTable) -> bool:
    return "landed" in (source.known_at, source.happened_at) or (
        source.absent == "deleted" and not source.static
    )


def _undated(name: str, undated: list[str]) -> UserError:
    some = ", ".join(undated[:4]) + (f" and {len(undated) - 4} more" if len(undated) > 4 else "")
    return UserError(
        "data.dump-undated",
        f"[source.{name}]: nothing says when a dump was taken",
        happened=f"there was no date in the name of {some}",
        expected="a date in the name of each dump, since its rows were known from then on",
        fix="rename them, as in customers-2024-01-31.csv or customers-2024-01-31T06-00.csv",
    )


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
