"""What the codes mean that speak of the hot log, of moving it into the tables, and of backups."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry

ENTRIES: Final = (
    Entry(
        "hotlog.broken",
        "The log of what the service acknowledged, and had not moved to the tables yet, is damaged.",
        "Restore the project from a backup.",
        "files",
    ),
    Entry(
        "hotlog.busy",
        "Another process is writing to the hot log.",
        "Try again when it has ended.",
        "files",
    ),
    Entry(
        "service.unknown-source",
        "The hot log has rows of a source that the brief doesn't name any more.",
        "Put the former brief back, start the service once, then change it.",
        "files",
    ),
    Entry(
        "service.no-schema",
        "The hot log has rows of a source without a table, and doesn't say their types.",
        "Report it, with the hot log.",
        "files",
    ),
    Entry(
        "backup.absent",
        "The folder holds no backup, or one that was cut short.",
        "Name a folder that wholeroad backup wrote to its end.",
        "files",
    ),
    Entry(
        "backup.damaged",
        "Files of a backup are missing, or aren't what was written; or they don't fit together.",
        "Take another copy of the backup, or an older one.",
        "files",
    ),
    Entry(
        "backup.not-empty",
        "There is something where the backup, or the project, should go.",
        "Name a folder that is empty or isn't there.",
        "files",
    ),
    Entry(
        "backup.uncopied",
        "A file of the project was gone or couldn't be read while it was copied.",
        "Try again, into another folder.",
        "files",
    ),
)
