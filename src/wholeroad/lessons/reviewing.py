"""Lessons on labels that may be wrong and on people who look at them, and what their codes mean."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry, Lesson

LESSONS: Final = (
    Lesson(
        code="suspect-label",
        theme="outcomes",
        title="A label that is probably wrong",
        what="""A label is suspected when the model that was in charge was confidently of another opinion,
        before the label was known. Confidently means: as sure as it is on average of cases with that other
        label. A suspect is a question to a person, never a correction.""",
        formula="expected loss = p(other class) × |money(action, given) − money(action, other)|",
        number="how many labels are suspected, of how many judged, and the money that hangs on them",
        reading="""The list begins with the mistakes that would cost most. How many of them are real nobody
        knows before people have looked: in public audits it was from 15% to 88%.""",
        fooling="""Where outcomes are a matter of luck, bad luck looks like a wrong label: with none wrong,
        unlikely outcomes are suspected all the same, and the estimated share of wrong labels is too high.
        A model that is wrong about a group suspects that group's right labels.""",
        doing="""Let somebody who can find out judge the first of the list and the cases drawn by chance
        beside them; read the verdicts back.""",
        command="wholeroad data labels",
        nothing="When nobody can find out the truth any more, or the money behind the list is small.",
        source="""Northcutt, Jiang, Chuang 2021, Confident learning, JAIR 70; Northcutt and others 2021,
        Pervasive label errors in test sets, NeurIPS; docs/decisions/0019-verdicts-stand-over-rows.md""",
        expert="""Confident joint on out-of-time scores, calibrated to label counts; pruned by noise rate
        (default), by class, or both. Assumes class-conditional noise and labels that features nearly
        determine: aleatoric uncertainty inflates the off-diagonal. Noise rates carry a block bootstrap
        interval, which says nothing of model bias.""",
        needs=("settled",),
    ),
    Lesson(
        code="label-verdict",
        theme="outcomes",
        title="What people said of a label",
        what="""A verdict is a version of the truth: it counts from when it was read, and nothing before it
        changes. It stands over the outcome's rows, also over later ones, until another verdict comes. Of
        several people the majority is believed; on a tie the rows speak.""",
        number="how many verdicts were read, and how many of the suspects they confirmed",
        reading="""Two shares matter. Among the suspects: how good the list is. Among the cases drawn by
        chance: how many errors it misses; over all cases that is usually the larger number.""",
        fooling="""Who sees the given label agrees with it more often, and who knows that a row is suspected
        disagrees more often. Write the file blind when the answer matters. People who all use the same
        wrong record agree and are wrong.""",
        doing="Judge blind, by two or three people where it is hard, and read the file back.",
        command="wholeroad data labels",
        nothing="When the drawn cases show that hardly any label is wrong.",
        source="docs/decisions/0019-verdicts-stand-over-rows.md",
        expert="""Precision by Wilson's interval among shown suspects, prevalence in a simple random sample of
        the rest; their sum estimates all label errors, conditional on verdicts being right. Verdicts are
        known from max(claimed, read).""",
        needs=("suspect-label",),
    ),
    Lesson(
        code="agreement",
        theme="evidence",
        title="How far people agree beyond chance",
        what="""Two people who say yes to nearly everything agree nearly always, by habit alone. Kappa and
        alpha take off the agreement that habits would bring: 1 is perfect, 0 is what chance would do.
        Alpha takes any number of people, and items that some of them didn't judge.""",
        formula="coefficient = 1 − disagreement seen / disagreement expected by chance",
        number="the raw agreement and the coefficient, with intervals and the number of items",
        reading="""Read both. Raw agreement says how often you would hear the same from another person; the
        coefficient says how much of it is more than habit.""",
        fooling="""Where nearly all items are of one class, chance agrees nearly always: people can agree on
        85% of the items and have a kappa of 0.32, or on 85% and have 0.70. No bar such as 0.8 fits every
        base rate.""",
        doing="""Let people discuss the items on which they differed, and write down the rule; then judge new
        items.""",
        nothing="When one person judges alone: then there is nothing to compare, and no figure.",
        source="""Cohen 1960, Educ Psychol Meas 20; Krippendorff 2011, Computing Krippendorff's
        alpha-reliability; Feinstein and Cicchetti 1990, J Clin Epidemiol 43""",
        expert="""Cohen (weights optional), Fleiss, Krippendorff (nominal, ordinal, interval; missing values).
        Intervals: bootstrap of items, raters fixed; with perfect agreement the lower end comes from
        Wilson's. Undefined where one category alone occurs.""",
        needs=("interval",),
    ),
    Lesson(
        code="consensus",
        theme="evidence",
        title="Several opinions on one item",
        what="""A majority counts everybody alike. The method of Dawid and Skene weighs people by how often
        each errs, which it learns from the items that they have in common. It gives a probability for each
        item, and a table of errors for each person.""",
        formula="p(class | verdicts) ∝ p(class) × product over people of p(verdict | class)",
        number="the table of errors of each person, with intervals, and how many items they share",
        reading="""A person who confuses two classes can still help to tell a third apart. Somebody with a
        wide interval has judged too little to be called good or bad.""",
        fooling="""People who copy each other, or all err on the same hard items, look like experts. With two
        people nobody can tell which of them erred: below ten items shared with two others nothing is
        said.""",
        doing="Give some items to at least three people; discuss cases on which the tables hang.",
        nothing="When everybody agrees, or one person judges alone.",
        source="Dawid and Skene 1979, Applied Statistics 28, 1, sections 2 and 3",
        expert="""EM from vote shares in log space, light symmetric smoothing, optional one-coin variant;
        intervals from resampled items with warm starts, widened to Wilson's. Conditional independence is
        assumed; identification needs three views.""",
        needs=("agreement",),
    ),
)

ENTRIES: Final = (
    Entry(
        "review.no-classes",
        "Labels are reviewed for outcomes of classes, not of numbers.",
        "Look at the outliers of the profile instead.",
        "suspect-label",
    ),
    Entry(
        "review.nothing-to-judge",
        "No case was decided by a model before its outcome was known.",
        "Rehearse a policy that learns, and review what it decided.",
        "suspect-label",
    ),
    Entry(
        "review.unknown-feature",
        "A feature that was to be shown isn't in the brief.",
        "Name features of the brief.",
        "brief",
    ),
    Entry(
        "review.not-asked",
        "Verdicts came without a review that asked for them.",
        "Write a review file first, and fill in that.",
        "label-verdict",
    ),
    Entry(
        "review.file-there",
        "A review file isn't written over one that is there.",
        "Name another file, or delete the old one.",
        "label-verdict",
    ),
    Entry(
        "review.columns",
        "The file that came back lacks the column of items or of verdicts.",
        "Put the header back as it was written.",
        "label-verdict",
    ),
    Entry(
        "review.unknown-item",
        "A row names an item that was never asked about here.",
        "Put the item back as it was written, or read the file into its own project.",
        "label-verdict",
    ),
    Entry(
        "review.no-class",
        "A verdict is none of the classes.",
        "Write one of them, or unsure.",
        "label-verdict",
    ),
    Entry(
        "review.nobody",
        "A verdict doesn't say whose it is.",
        "Fill in by, or name the person for all rows.",
        "agreement",
    ),
    Entry(
        "review.twice",
        "One person said two things about one item in the same file.",
        "Keep one of the rows.",
        "label-verdict",
    ),
    Entry(
        "review.no-instant",
        "The instant at which somebody judged can't be read.",
        "Write it as 2024-03-01T12:00:00Z, or leave it empty.",
        "label-verdict",
    ),
)
