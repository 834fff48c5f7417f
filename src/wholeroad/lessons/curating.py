"""What the codes mean that the commands about data give."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry

ENTRIES: Final = (
    Entry(
        "data.no-contract",
        "The source states no contract, so nothing can be asked of its rows.",
        "Have one proposed with wholeroad data contract, and put what is true of it into the brief.",
        "contract",
    ),
    Entry(
        "data.no-mend",
        "The source states no mend, and no step was given to try.",
        "Give one with --step, as it would stand in the brief.",
        "mend",
    ),
    Entry(
        "data.unknown-feature",
        "A feature that was to be priced isn't in the brief.",
        "Name features of the brief.",
        "brief",
    ),
    Entry(
        "data.no-camera",
        "The source states no camera, so nothing can be worked out.",
        "Write sensor, lens and distance into the brief.",
        "camera-plan",
    ),
    Entry(
        "data.file-there",
        "Rows that were set aside aren't written over a file that is there: somebody may have mended it.",
        "Name another file, or delete the old one.",
        "quarantine",
    ),
    Entry(
        "data.quarantine-empty",
        "No row of the source is set aside, so there is nothing to write.",
        "Nothing needs to be done.",
        "quarantine",
    ),
    Entry(
        "data.quarantine-source",
        "Rows were to be written to a file, and it wasn't said of which source.",
        "Name the source: each has columns of its own.",
        "quarantine",
    ),
    Entry(
        "data.no-common-cases",
        "Two rehearsals, with a change of the data and without it, decided no case in common.",
        "Rehearse over more days, or change less: money is compared on the same cases alone.",
        "paired-difference",
    ),
    Entry(
        "review.nothing-to-correct",
        "No verdict says that a suspected label is wrong, and no share of wrong ones was assumed.",
        "Have a sheet filled in, or assume a share.",
        "label-verdict",
    ),
)
