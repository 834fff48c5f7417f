"""Lessons on contracts of sources, and what their codes mean."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry, Lesson

LESSONS: Final = (
    Lesson(
        code="contract",
        theme="outcomes",
        title="The contract of a source",
        what="""A contract says what the rows of a source are promised to be, column by column, and who
        answers for them. Every batch is held against it before anything lands: rows that break a clause
        are set aside, or the batch is held back, or the break is only counted, as the contract says. A
        promise that nobody made is a guess, and is marked so.""",
        number="how many rows broke which clause, of how many",
        reading="""Few rows broke a clause: they are faulty, and belong into the quarantine. Most rows
        did: the contract is wrong, or the source has changed its meaning, and then a person has to
        look.""",
        fooling="""A range that was read off a sample is broken by the next sample, so a tight one trains
        people to look away. A wide one that catches a wrong sign and a wrong unit is worth more.""",
        doing="""Mend the rows, set them aside, or correct the contract; let a clause hold where a wrong
        batch costs more than a late one.""",
        command="wholeroad data contract NAME",
        nothing="When the clause only warns and the rows are right: then correct the clause later.",
        source="""docs/reference/brief.md, the contract of a source; Schelter and others 2018, Automating
        large-scale data quality verification, VLDB 11(12)""",
        expert="""Row clauses are counted in one select per part and located only where broken; uniqueness
        runs over the parts and what stands in the table; batch clauses (null_share, volume) hold or warn.
        Another contract is another reading of the source.""",
        answers=("check.contract-broken",),
        needs=("quarantine",),
    ),
    Lesson(
        code="check.contract-stale",
        theme="time",
        title="A source that brought nothing new for too long",
        what="""At some cycles of this history the newest row of a source was older than its contract
        allows. What was decided then saw an older world, and nothing failed: features were simply
        computed from what was there.""",
        formula="cycle − newest known_at ≤ cycle > freshness",
        number="at how many cycles the newest row was too old, of how many",
        reading="""One stretch is an outage. Many short ones mean that the source is slower than somebody
        thinks: then the freshness is wrong, or the decision relies on what it can't have.""",
        fooling="""A source that lands every hour can repeat old rows: it looks alive and is stale.
        Freshness is measured by the newest row that became known, not by the last landing.""",
        doing="""Ask who answers for the source; give features of it a max_age, so that old values become
        null.""",
        command='freshness = "6h"',
        nothing="When the stretch was a known outage and money in it is looked at by itself.",
        source="docs/reference/time.md (visibility)",
        expert="""max over the grid of cycle − max known_at ≤ cycle, against the bound; equality is fresh.
        Imported history takes claimed known_at at its word.""",
        needs=("contract",),
    ),
    Lesson(
        code="check.contract-purpose",
        theme="outcomes",
        title="Personal data without a purpose",
        what="""The contract says that rows of the source are about persons, and doesn't say what they may
        be used for, on what ground, or how long they may be kept. In Europe that has to be settled before
        they are used: personal data are collected for a stated purpose and kept no longer than it
        needs.""",
        number="which settings of the contract are unsaid",
        reading="""Pseudonymous data are personal data: a customer number leads back to a person. Special
        ones (health, religion, union membership and others) need a ground of article 9 besides.""",
        fooling="""A guessed class goes by names and looks of values; a column of free text may hold
        anything.""",
        doing="Ask whoever is responsible for data protection, and write the answers into the contract.",
        command='lawful_basis = "legitimate interests"',
        nothing='When the guess is wrong: write personal = "none".',
        source="Regulation (EU) 2016/679 (GDPR), article 5 (1) b and e, article 6 (1), article 9",
        expert="""The contract records class, purpose, lawful basis and retention beside the clauses that
        gate landing; it doesn't enforce retention by itself.""",
        needs=("contract",),
    ),
)

ENTRIES: Final = (
    Entry(
        "contract.type",
        "A value isn't of the type that the contract promises.",
        "Mend the row, or correct type in the contract.",
        "contract",
    ),
    Entry(
        "contract.null",
        "A value is empty where the contract promises one.",
        "Mend the row, or allow a null_share.",
        "contract",
    ),
    Entry(
        "contract.range",
        "A value lies outside of the contract's range.",
        "Look at its sign and its unit, then mend the row or correct the range.",
        "contract",
    ),
    Entry(
        "contract.allowed",
        "A value is none of those that the contract allows.",
        "Map its spelling, or allow the value.",
        "contract",
    ),
    Entry(
        "contract.unique",
        "Another row with another key has the same value.",
        "Find out which of the two is right; the one that came first stands.",
        "contract",
    ),
    Entry(
        "contract.references",
        "A value isn't where the contract says that it is.",
        "Land the other source first, or mend the value, and land the row again.",
        "contract",
    ),
    Entry(
        "contract.column-missing",
        "The contract names a column that the rows don't have.",
        "Correct the name, or take it out of the contract.",
        "contract",
    ),
    Entry(
        "contract.wrong-kind",
        "A clause asks something of a column that its type can't answer.",
        "Say types under the source, or correct the clause.",
        "contract",
    ),
    Entry(
        "contract.needs-pandera",
        "Schemas of pandera need pandera.",
        "Install wholeroad with its contracts.",
        "contract",
    ),
    Entry(
        "contract.no-schema",
        "What was given is no schema of pandera for Polars.",
        "Give a DataFrameSchema of pandera.polars.",
        "contract",
    ),
    Entry(
        "brief.contract-type",
        "The contract and types say two things of one column.",
        "Let both say the same.",
        "contract",
    ),
    Entry(
        "brief.contract-range",
        "A range isn't of what the column holds.",
        "Write numbers, or dates in quotes; texts have no range.",
        "contract",
    ),
    Entry(
        "brief.contract-allowed",
        "What is allowed isn't of what the column holds, or lies outside of its range.",
        "Write texts in quotes and numbers without; leave range out.",
        "contract",
    ),
    Entry(
        "brief.contract-null-share",
        "A part of the key may be empty by its contract.",
        "Leave null_share out: a row without its key is always set aside.",
        "key",
    ),
    Entry(
        "brief.contract-reference",
        "A reference names no column of another source.",
        "Write source.column, of the same type.",
        "contract",
    ),
    Entry(
        "brief.contract-volume",
        "The volume's least is above its most.",
        "Change one of them.",
        "contract",
    ),
    Entry(
        "brief.contract-times",
        "A static source is promised a freshness or a volume.",
        "Leave it out, or give the source its times.",
        "hindsight",
    ),
    Entry(
        "brief.contract-retention",
        "Rows would have to be gone before they are needed.",
        "Shorten what needs them, or have a longer retention granted.",
        "contract",
    ),
)
