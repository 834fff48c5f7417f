"""Lessons on features: leaks, missing values, the empty and the constant."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="leak",
        theme="features",
        title="A leak: a column that knows the outcome",
        what="""A leak is a feature that contains the outcome or something that happens only because of
        it. A model that has it looks excellent and is worthless, because when you decide the column is
        empty or different. Leaks are the commonest reason for results that are too good.""",
        formula="suspicious: one column alone tells the outcome nearly always (AUC close to 1)",
        number="the column, and how well it alone tells the outcome",
        reading="""Ask of the best feature: who writes it, when, and would it be there at the moment of
        deciding?""",
        fooling="""A legitimate strong feature looks the same in the numbers. Only knowing when the column
        is filled tells them apart.""",
        doing="Leave the column out, or give its source the times at which it is known.",
        command='known_at = "closed_at"',
        nothing="When you have seen with your own eyes that the column is filled before the decision.",
        source="""Kaufman, Rosset and Perlich 2012, Leakage in data mining, ACM TKDD 6(4), section 3;
        Kapoor and Narayanan 2023, Leakage and the reproducibility crisis, Patterns 4(9)""",
        expert="""Target leakage through post-decision columns; a point-in-time join cures it only where
        known_at is true. Single-feature AUC and null pattern by class are the cheap detectors.""",
    ),
    Lesson(
        code="check.missingness-tells",
        theme="features",
        title="That a value is missing tells the outcome",
        what="""The outcome is much more or less frequent where this feature is null. Either the gap is a
        consequence of the outcome, which is a leak, or it was there before, and is information. In the
        second case a broken feed will look like the outcome.""",
        formula="|share of the class where null − where not| ≥ 10 points, and more than 5 standard errors",
        number="the share of the outcome where the feature is null and where it isn't",
        reading="""A note: it was missing as known at the decision, so it is no leak by itself. A warning:
        it comes from the row itself, and may have been filled in later.""",
        fooling='Filling the gap with an average hides it from you, not from the model ("−1" is a flag too).',
        doing="Find out when and why it is missing; leave it out unless that is known before deciding.",
        command="wholeroad check",
        nothing="When the gap is part of the business, such as no phone number given.",
        source="Kaufman, Rosset and Perlich 2012, section 3; Little and Rubin 2019, section 1.3",
        expert="""Informative missingness at decision time is legitimate signal with a fragile mechanism;
        monitor its rate.""",
        needs=("leak",),
    ),
    Lesson(
        code="check.feature-needs-future",
        theme="features",
        title="A feature that would need the future",
        what="""The feature is null for every case: nothing that it reads is known when cases are decided.
        In a notebook, where everything is known, it would have worked. Here the gap shows before anything
        is built.""",
        number="for how many cases it is null (all of them)",
        reading="It can't add anything. The model that had it in your notebook can't be built.",
        fooling="Moving decide_at later makes it appear, and may make the decision useless.",
        doing="Leave it out, or decide later if the decision still helps then.",
        command='decide_at = "sched_dep - 1h"',
        nothing="Never: an empty feature is a mistake somewhere.",
        source="docs/reference/time.md (visibility); Kaufman, Rosset and Perlich 2012, section 4",
        expert="No row version with known_at ≤ decided_at: the join is right and the feature is unavailable.",
        needs=("leak",),
    ),
    Lesson(
        code="check.feature-empty",
        theme="features",
        title="A feature that is always null",
        what="""The feature has no value for any case, although its source has no times to hide it.
        Usually a column name, a type or the key of a look-up doesn't match.""",
        number="for how many cases it is null (all of them)",
        reading="It can't tell cases apart.",
        fooling="A join that fails silently leaves exactly this behind.",
        doing="Compare the key columns of both sides, with their types.",
        command='seats = { lookup = "planes.seats", by = { tail = "tailnum" } }',
        nothing="Never.",
        source="docs/reference/brief.md, [feature]",
        expert="Empty join or all-null column; dropped from the design matrix.",
    ),
    Lesson(
        code="check.feature-constant",
        theme="features",
        title="A feature with one value",
        what="""It is the same for every case. It can't tell cases apart, and costs nothing but a line in
        the brief.""",
        number="its only value",
        reading="Harmless, unless it should vary: then its source is stuck.",
        fooling="A constant in this history may start to vary next year, unseen by any model.",
        doing="Leave it out, or find out why it never changes.",
        command="wholeroad check",
        nothing="When you know why.",
        source="docs/reference/brief.md, [feature]",
        expert="Zero variance in sample; a new level at scoring time is out of support.",
    ),
    Lesson(
        code="expression",
        theme="features",
        title="Expressions: SQL over one row, from a list",
        what="""Expressions compute something from one row, in a small part of SQL. What is not on the
        list is refused by name: no clock, no chance, no sub-query, no sum over rows. So an expression
        gives the same for the same row, today and in a rehearsal.""",
        number="the place in your text, character by character",
        reading="The message names the characters; what stands before them was understood.",
        fooling="""SQL's habits differ: a null condition is neither true nor false, and double quotes are
        for columns.""",
        doing="Look the form up, or compute the column before landing it.",
        command='decide_at = "sched_dep - 2h"',
        nothing="When the expression is read without a message.",
        source="docs/reference/expressions.md",
        expert="""Scalar, deterministic, total over typed columns; three-valued logic; compiled to Polars,
        never evaluated as SQL.""",
    ),
    Lesson(
        code="feature-forms",
        theme="features",
        title="The forms of a feature",
        what="""A feature is a function of the case and of rows that were known when it is decided. It has
        one form: a column, an expression, a look-up, the latest reading, or a window. Windows count, add
        up or average rows over a span.""",
        number="the feature, and the form that it has",
        reading="The same definition is computed in bulk for fits and one by one for decisions.",
        fooling="A window over your outcomes sees only outcomes that were known: young ones are not typical.",
        doing="Write exactly one form, with the settings that belong to it.",
        command='late_24h = { mean = "truth = \'late\'", of = "outcomes", by = "carrier", over = "24h" }',
        nothing="When the check is quiet.",
        source="docs/reference/brief.md, [feature]; docs/reference/time.md",
        expert="""Point-in-time aggregates under visibility ranges; exact integer accumulation, one float
        division.""",
        needs=("expression",),
    ),
    Lesson(
        code="one-feature-at-a-time",
        theme="features",
        title="What one feature changed: one at a time",
        what="""The probability is computed again with one feature set to its typical value, the others as
        they were. The difference says what this feature changed in this decision. The differences don't
        add up, because features work together.""",
        formula="Δ(feature) = p(case) − p(case with the feature's typical value)",
        number="each feature of the case, its typical value, and the difference it made",
        reading="Look for a feature that carries a decision alone, and ask whether it can be trusted.",
        fooling="""The changed case may be one that can't exist. Of two features that say the same, each
        seems to matter little. None of this says what *causes* the outcome.""",
        doing="Use it to find a wrong reading or a broken feed, not to give reasons to a customer.",
        command="wholeroad explain decision",
        nothing="When the action would be the same whatever the feature was.",
        source="""Friedman 2001, Greedy function approximation, Annals of Statistics 29, section 8.2, for
        one case; why such figures mislead: Hooker, Mentch and Zhou 2021, Unrestricted permutation forces
        extrapolation, Statistics and Computing 31""",
        expert="""Single-reference, leave-one-out ablation at the point; not a Shapley value: no
        efficiency, blind to interactions, and it extrapolates off the data's support.""",
    ),
)
