"""What the codes mean that speak of a changed brief on its way into a running service."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry

ENTRIES: Final = (
    Entry(
        "apply.unconfirmed",
        "A changed brief is confirmed by a person, and there was nobody to ask.",
        "Read what it does, then add --yes.",
        "live-run",
    ),
    Entry(
        "apply.rows-left-behind",
        "A source would be read another way, and rows that came over HTTP can't be read again.",
        "Put its key, times and types back, or declare another source.",
        "live-run",
    ),
)
