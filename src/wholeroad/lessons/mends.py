"""Mends: rows changed on the record before they land, and the way back from a decision to the raw row."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry, Lesson

LESSONS: Final = (
    Lesson(
        code="mend",
        theme="outcomes",
        title="A mend: rows changed on the record",
        what="""A mend is a list of steps that every row goes through before it lands: another unit, a text
        read as a date, a value that stands for nothing. The raw rows stay, each step is counted, and a row
        that a step refuses goes to the quarantine with its reason.""",
        number="how many rows each step changed, and how many it set aside",
        reading="""A step that changes no row is a leftover, and one that changes most of them is a
        guess about the whole column: look at examples before and after.""",
        fooling="""A fill makes a hole look like data: without its flag, nobody can tell any more. A drop
        that follows the outcome makes the past easier than the future will be.""",
        doing="Try the step on what has landed, look at rows, features and money, and then write it down.",
        command='steps = [{ nothing = "age", values = [-999] }]',
        nothing="""When the column is in no feature, or the model treats the odd value rightly by itself: a
        sentinel far outside is often a signal of its own.""",
        source="""docs/reference/brief.md; Breck et al. 2019, Data validation for machine learning, MLSys,
        section 3; Rubin 1976, Inference and missing data, Biometrika 63""",
        expert="""Row-wise pure functions at ingestion; deduplication is the one step that looks at
        other rows of a batch. Another mend is another reading: versions are derived again from raw rows at
        their first instants, so that no rehearsal mixes two.""",
        needs=("quarantine",),
    ),
    Lesson(
        code="lineage",
        theme="outcomes",
        title="Lineage: from a decision back to the raw row",
        what="""For one decision: the version of the case that was known then, the rows behind each feature,
        and every version of the outcome. For each of these rows: its batch, the row as it was read, what
        each step of the mend changed, and who asked for that.""",
        number="the rows behind one decision, with the raw row of each",
        reading="Start at the feature that surprises, and go down to its newest rows.",
        fooling="""The trace shows rows as the present mend makes them. A decision that was made under
        another mend was made from what that one made of the same raw rows.""",
        doing="Trace the decision that somebody complains about, before the model is blamed.",
        command="wholeroad explain decision",
        nothing="When the question is about many decisions at once: then look at segments.",
        source="""Buneman, Khanna and Tan 2001, Why and where: a characterization of data provenance, ICDT,
        sections 3 and 4; docs/reference/time.md""",
        expert="""Where-provenance by content: a version's hash is derived again from the batch's raw blobs.
        Window features give why-provenance, the set of contributing row versions.""",
        needs=("mend",),
    ),
)

ENTRIES: Final = (
    Entry(
        "brief.mend-name",
        "A mend makes a column with a name that is taken, or is ours.",
        "Choose another name.",
        "mend",
    ),
    Entry(
        "brief.mend-renamed",
        "A step names a column that an earlier step renamed.",
        "Write the new name, or change the order.",
        "mend",
    ),
    Entry(
        "brief.mend-step",
        "A step says what can't be meant.",
        "Correct the setting that the message names.",
        "mend",
    ),
    Entry(
        "mend.by-hand",
        "The brief is written in a way that a step can't be added to.",
        "Add the step by hand, as the message gives it.",
        "mend",
    ),
    Entry(
        "mend.column-type",
        "A step can't work on values of this type.",
        "Leave the step out, or mend the column where it comes from.",
        "mend",
    ),
    Entry(
        "mend.dropped",
        "A step of the mend sets such rows aside.",
        "Read the step's reason; change its condition where the row should stay.",
        "mend",
    ),
    Entry(
        "mend.duplicate",
        "Another row of the batch agrees in the columns that the mend names.",
        "Name more columns where the two are different things.",
        "mend",
    ),
    Entry(
        "mend.name-taken",
        "A step makes a column that is there already.",
        "Choose another name.",
        "mend",
    ),
    Entry(
        "mend.not-parsed",
        "A value isn't what the step reads.",
        "Correct the format, or say what such values mean in a step before.",
        "mend",
    ),
    Entry(
        "mend.not-split",
        "A text has more or fewer pieces than the step names columns.",
        "Correct what it is cut at, or mend such texts in a step before.",
        "mend",
    ),
    Entry(
        "mend.step",
        "The text is no step.",
        "Write one table, as in { nothing = 'age', values = [-999] }.",
        "mend",
    ),
    Entry(
        "mend.unknown-column",
        "A step names a column that the rows don't have.",
        "Correct the name, or the order of the steps.",
        "mend",
    ),
    Entry(
        "mend.value",
        "A value of the step is none of the column's kind.",
        "Write it as the column has it, or parse the column before.",
        "mend",
    ),
    Entry(
        "trace.key-length",
        "A row is named by its whole key.",
        "Give one value for each of its columns.",
        "key",
    ),
    Entry("trace.unknown-row", "No row of the source has this key.", "Write it as the source does.", "key"),
)
