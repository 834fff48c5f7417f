"""Lessons on fits: why one is refused, what a gain out of reach means, what a model rests on."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="refused-fit",
        theme="models",
        title="A fit that was refused",
        what="""A fit is refused when there is too little to learn from, to stop on, or to choose by.
        Until one succeeds, cases are decided as before. A model fitted on almost nothing would be worse
        than none, and would look like one.""",
        formula="rarer outcomes known ≥ least_outcomes; each of three slices ≥ 20 rows after the embargo",
        number="how many matured outcomes there were, by class, and what is asked",
        reading="What counts is the rarer class: 10,000 rows with 12 failures are 12 examples.",
        shows=("refused", "rows"),
        fooling="""Lowering the limit makes the message go away, and the fit no better. The first
        rehearsed months then rest on luck.""",
        doing="Start later, or land more history.",
        command='first = "90d"',
        nothing="When outcomes are on their way: it will be asked for again at the next refit.",
        source="""Riley et al. 2020, Calculating the sample size required for developing a clinical
        prediction model, BMJ 368; docs/reference/brief.md, [model] least_outcomes""",
        expert="""Events-per-variable is a crude guard; the binding need is a temporal holdout with enough
        minority events to price a difference. Refusal is a fact on the ledger, not an error.""",
        answers=(
            "model.too-few-outcomes",
            "model.too-short-history",
            "model.no-values",
            "model.too-few-cases",
        ),
        needs=("matures",),
    ),
    Lesson(
        code="slices",
        theme="models",
        title="Three slices in order of time",
        what="""A fit's data are cut in order of time: train (70%), stop and calibrate (15%), choose
        (15%). None serves two purposes, and a span is left out between them. At the end the chosen model
        is fitted again on everything.""",
        number="the rows of each slice, and how many the embargo left out",
        reading="The choose slice is the newest: the money there is the best guess of what comes next.",
        here="{rows} matured cases were cut; {embargoed} were left out between slices.",
        shows=("rows", "embargoed"),
        fooling="""Choosing on the slice on which one stopped flatters the complex model. The refitted
        model itself was never measured; its trial was.""",
        doing="Read the card of the fit.",
        command="wholeroad explain model",
        nothing="When all slices hold many days.",
        source="""Cawley and Talbot 2010, On over-fitting in model selection, JMLR 11, section 5; Hastie,
        Tibshirani and Friedman, section 7.2""",
        expert="""Temporal train/stop/choose with purging; refit keeps rounds and calibration. No nested
        resampling.""",
        needs=("matures",),
    ),
    Lesson(
        code="check.one-action-wins",
        theme="models",
        title="One action always wins: no model is needed",
        what="""By the value table one action is worth at least as much as every other whatever happens.
        Then no prediction can change what is best. Either the answer is that simple, or a cost is
        missing.""",
        formula="value(a, outcome) ≥ value(b, outcome) for every outcome and every other action b",
        number="the action that wins, by your table",
        reading="Do that action always; it needs no data.",
        fooling="Acting rarely costs nothing: staff, patience, trust, and the next case that isn't served.",
        doing="Look for the cost that the table leaves out, above all of acting for nothing.",
        command="rebook = { late = 120, on_time = -35 }",
        nothing="When nobody can name a cost: then do it always, and stop here.",
        source="Elkan 2001, The foundations of cost-sensitive learning, IJCAI (reasonableness)",
        expert="""A dominated row: the cost matrix fails the reasonableness condition, the optimal policy
        is constant.""",
        answers=("check.one-amount-wins",),
        needs=("value-table",),
    ),
    Lesson(
        code="check.gain-out-of-reach",
        theme="models",
        title="The gain asked for is out of reach",
        what="""Even somebody who knew every outcome beforehand wouldn't gain what the criterion asks. So
        no model can. The criterion or the value table is wrong, or the problem is too small.""",
        formula="mean over cases of max over actions (value − value of the status quo) < gain asked",
        number="what knowing every outcome would bring per case, beside what is asked",
        reading="Real models win a part of that bound, often well under half.",
        fooling="A bound that is only just above the criterion is out of reach in practice too.",
        doing="Lower the criterion, or look at the value table with those who pay.",
        command="gain_over_status_quo = { per_case = 1.0 }",
        nothing="Never: this project can't succeed as it stands.",
        source="Howard 1966, Information value theory, IEEE Trans. Systems Science and Cybernetics 2(1)",
        expert="The expected value of perfect information is below the required effect.",
        needs=("knowing-every-outcome", "success-criterion"),
    ),
    Lesson(
        code="learner",
        theme="models",
        title="A learner of your own",
        what="""A learner makes a model from a table of features and outcomes. Any that keeps the promises
        may be used: it gives the same model for the same data, keeps plain data and no code, and gives
        probabilities that add up to one. A suite of tests checks that.""",
        number="the learner's name, and which promise it broke",
        reading="""A learner that breaks a promise can't be rehearsed: the same run would give other
        decisions.""",
        fooling="""Unseeded chance inside a library makes results that can't be repeated, and seem better
        by luck.""",
        doing="Name it in the brief's candidates, after it passed the suite.",
        command='candidates = ["constant", "logistic", "my_learner"]',
        nothing="When the learners that ship are good enough: they usually are.",
        source="""Grinsztajn, Oyallon and Varoquaux 2022, Why do tree-based models still outperform deep
        learning on tabular data?, NeurIPS; docs/reference/brief.md, [model]""",
        expert="""A deterministic fit(cut, seed) → plain data port with a contract suite; no pickles are
        ever loaded.""",
    ),
    Lesson(
        code="stored-model",
        theme="models",
        title="Stored models are plain data",
        what="""A model is kept as text and numbers, under a digest of its content. No code is ever loaded
        from a model file. A file that is missing or changed is refused, not guessed at.""",
        number="the model's digest, and where its file should be",
        reading="Decisions that were made stand in the ledger; only new ones need the file.",
        fooling="A model file copied from elsewhere fits other features, in another order.",
        doing="Restore the file from a backup, or fit again.",
        command="wholeroad rehearse",
        nothing="When the model is no longer in charge.",
        source="docs/reference/folder.md",
        expert="""Content-addressed artefacts; a digest mismatch is corruption. No deserialisation of code
        objects.""",
    ),
)
