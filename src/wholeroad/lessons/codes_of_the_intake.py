"""What the codes mean that speak of batches: held back, released, landed again from raw rows."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry

ENTRIES: Final = (
    Entry(
        "contract.held",
        "A batch broke what its contract says must hold, and none of it landed.",
        "Mend what it was read from, add a mend, or release it with wholeroad data release.",
        "contract",
    ),
    Entry(
        "data.not-held",
        "No batch of the source waits to be released.",
        "Nothing; wholeroad status names the sources that are held.",
        "contract",
    ),
    Entry(
        "data.landing-differs",
        "Rows that land again differ from those that a stopped run wrote.",
        "Remove the source's table in .wholeroad/tables; it is made anew from what was kept.",
        "storage",
    ),
    Entry(
        "data.raw-missing",
        "Raw rows that were kept are gone or damaged.",
        "Restore .wholeroad/blobs from a copy, or deliver the rows again.",
        "storage",
    ),
    Entry(
        "data.source-held",
        "An earlier batch of the source is held back, and later ones wait for it.",
        "Accept or discard it with wholeroad data release, or deliver it mended under its name.",
        "contract",
    ),
)
