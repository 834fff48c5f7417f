"""Lessons on outcomes and their truth: unjoined, unknown, silent, one-sided, set aside."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="check.outcomes-unjoined",
        theme="outcomes",
        title="No outcome belongs to a case",
        what="""Outcomes are joined to cases by the case's key. None of the outcome rows matched, so every
        truth would be silence. Where silence means a class, the money would be made up entirely.""",
        number="how many outcome rows there are, and how many joined",
        reading="With nothing joined, no figure of this project means anything yet.",
        fooling="""Keys that look alike may differ: 0042 and 42, text and number, blanks at the end, an
        order id beside a customer id.""",
        doing="Name the columns of the outcomes that hold the case's key, in its order.",
        command='by = "order_id"',
        nothing="Never.",
        source="docs/reference/brief.md, [outcome] by",
        expert="Empty equi-join; check key dtype, normalisation and composite order before anything else.",
        needs=("settled",),
    ),
    Lesson(
        code="check.truth-no-class",
        theme="outcomes",
        title="The truth gives a text that is no class",
        what="""The expression for the truth must give one of the brief's classes, or null. Another text
        is not taken for "everything else": the case is left out of fits and money.""",
        number="which texts came up, and in how many rows",
        reading="Rare texts are usually spelling; a frequent one is a state that the brief forgot.",
        fooling="""An else branch would swallow the new text silently. That is why a forgotten state is
        shown instead of guessed.""",
        doing="Correct classes or truth; let truth be null where a text says nothing yet.",
        command="truth = \"case status when 'won' then 'won' when 'lost' then 'lost' end\"",
        nothing="When it is a passing state of a row that is corrected later.",
        source="docs/decisions/0004-a-null-condition-is-unknown.md",
        expert="Out-of-vocabulary label: excluded and counted, never mapped to the complement.",
        needs=("settled",),
    ),
    Lesson(
        code="check.unknown-truth",
        theme="outcomes",
        title="Outcome rows that don't tell the truth",
        what="""Some outcome rows are there and yet don't say what happened: a column in the truth is
        null. SQL would send them to else. Here they are unknown: counted, shown, in no fit and in no
        money.""",
        number="how many outcome rows are null, out of how many that joined",
        reading="""Ask what a null means. In flight data the diverted flights had no delay: the worst
        outcomes were the null ones.""",
        fooling="Nulls are rarely like the rest. Leaving them out flatters or darkens every figure.",
        doing="Say what a null means in the truth; leave them out only if they come evenly.",
        command="truth = \"case when diverted or arr_delay > 30 then 'late' else 'on_time' end\"",
        nothing="When they are few and you know that they are like the others.",
        source="Little and Rubin 2019, Statistical analysis with missing data, section 1.3",
        expert="Missing-not-at-random labels; bound the bias by setting all of them to either class.",
        needs=("settled",),
    ),
    Lesson(
        code="check.one-class",
        theme="outcomes",
        title="Only one thing ever happens",
        what="""All outcomes are of one class. There is nothing to tell apart, so nothing to predict.
        Usually the other class was never delivered: only complaints are logged, say, or only sales.""",
        number="which class was seen, and in how many rows",
        reading="A decision can still have a value; it doesn't need a prediction.",
        fooling="Inventing the missing class from silence works only if silence really means it.",
        doing="Land the other outcomes; or say what silence means, and after which span.",
        command='if_never = "kept"',
        nothing="Never, if you want a model.",
        source="docs/reference/brief.md, [outcome] if_never",
        expert="""Positive-only labels; without a censoring rule no discrimination is estimable (Elkan and
        Noto 2008, KDD).""",
        needs=("settled",),
    ),
    Lesson(
        code="check.silent-class",
        theme="outcomes",
        title="Truths that are made of silence",
        what="""For some cases no outcome came, and the brief says what that means. These truths are as
        right as the delivery of outcomes is whole. A feed that broke looks exactly like good news.""",
        number="how many truths are silence, out of all known ones",
        reading="The larger the share, the more your money hangs on a feed that nobody may be watching.",
        fooling="A sudden improvement may be a broken feed.",
        doing="Land a few outcomes that are known for sure, of each class, and compare.",
        command='never_after = "30d"',
        nothing="When someone is paid to notice that the feed stopped.",
        source="""Elkan and Noto 2008, Learning classifiers from only positive and unlabeled data, KDD,
        section 2""",
        expert="Positive-unlabelled labels with an assumed labelling frequency of one after the horizon.",
        needs=("settled",),
    ),
    Lesson(
        code="check.silent-outcomes",
        theme="outcomes",
        title="Old cases without an outcome",
        what="""Some cases are older than the maturing span and still have no outcome. They are in no fit
        and in no money. If silence means something (no answer, no return), leaving them out is a bias.""",
        number="how many old cases have no outcome, and how many are pending in all",
        reading="One in a hundred is noise. One in five is a question that decides the result.",
        fooling="The cases that never answer are a kind of their own.",
        doing="Say what silence means, and after which span it counts.",
        command='if_never = "on_time"',
        nothing="When silence means nothing and comes evenly.",
        source="Chapelle 2014, Modeling delayed feedback in display advertising, KDD, section 2",
        expert="Right-censored labels beyond the maturity quantile; dropping them conditions on response.",
        needs=("settled", "matures"),
    ),
    Lesson(
        code="quarantine",
        theme="outcomes",
        title="Quarantine: rows set aside",
        what="""A row that can't be taken in is set aside with its reason; nothing is lost and nothing is
        guessed. Rows landed, repeated and set aside add up to the rows that came. Rows in the quarantine
        are in no feature and in no outcome.""",
        formula="rows in = landed + repeated + set aside",
        number="how many rows of which source were set aside, and why",
        reading="""Ask whether the rows set aside are of one kind. A whole day or one shop missing is
        worse than 1% at random.""",
        fooling="A small share overall can be all of one group.",
        doing="Mend them where they come from, and land them again.",
        command="wholeroad land",
        nothing="When they are totals, test rows, or truly broken.",
        source="Breck et al. 2019, Data validation for machine learning, MLSys, section 3; docs/glossary.md",
        expert="""Row-level rejection at the contract; selection on parseability. Compare rejected and
        kept keys by day.""",
        answers=("check.quarantine",),
    ),
    Lesson(
        code="key",
        theme="outcomes",
        title="The key, and row versions",
        what="""The key says which row is which. The same key again is a new version of the row: a
        correction, not another row. Old versions are kept, so that what was known on any day can be asked
        again.""",
        number="how many keys were null or repeated",
        reading="""Versions that should be rows make sums too small; rows that should be versions make
        them too large.""",
        fooling="A number in the file (a line number, an auto-increment) is unique and says nothing.",
        doing="Choose the columns by which the business would find the row.",
        command='key = ["origin", "observed_at"]',
        nothing="When each key comes once.",
        source="""docs/reference/time.md (row versions); Snodgrass 1999, Developing time-oriented database
        applications in SQL, chapter 10""",
        expert="""Bitemporal identity: (key, claimed known_at, content). Later known_at supersedes; equal
        stamps by seq.""",
    ),
    Lesson(
        code="check.outcome-negative",
        theme="outcomes",
        title="Outcomes below zero",
        what="""Some outcomes are negative, and the amounts that can be chosen aren't. Usually these are
        returns or corrections that were booked as sales. A model would learn a demand below nothing.""",
        number="how many outcomes are below zero, and the lowest",
        reading="A few large corrections move averages more than quantiles, and both wrongly.",
        fooling="Setting them to zero hides that the day they correct is wrong too.",
        doing="Correct the rows that they belong to, or make the truth null where a row is no outcome.",
        command='truth = "case when sold >= 0 then sold end"',
        nothing="When an outcome below zero is real, and the formula means it.",
        source="Breck et al. 2019, Data validation for machine learning, MLSys, section 3",
        expert="""Support mismatch between label and action space; reversals violate the
        one-outcome-per-case reading.""",
        needs=("settled",),
    ),
)
