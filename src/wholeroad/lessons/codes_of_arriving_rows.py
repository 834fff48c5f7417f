"""What the codes mean that speak of rows which are sent to the service, and not read from files."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry

ENTRIES: Final = (
    Entry(
        "data.part-of-mended",
        "A part of a row was sent, and its source has a mend: the rest can't be taken from what is known.",
        "Send the whole row, as its source would; the mend is made when it lands.",
        "mend",
    ),
    Entry(
        "data.unknown-field",
        "A row that was sent has a field that is no column of its source; none of the rows beside it landed.",
        "Correct the field's name, or leave the field out.",
        "request",
    ),
    Entry(
        "service.batch-refused",
        "Rows that were sent broke what the contract says must hold, and none of them landed.",
        "Correct the rows and send them again, or change the clause in the brief.",
        "contract",
    ),
)
