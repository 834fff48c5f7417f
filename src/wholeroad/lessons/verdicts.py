"""Lessons on the verdicts of a report: what each means, and what it doesn't."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="verdict.status-quo",
        theme="verdicts",
        title="Keep the status quo",
        what="""Nothing that was tried clearly made more than what is done today. That is a result: a
        project was saved before it was built. It speaks of these data and these models, not of all there
        could be.""",
        number="the gain of the best policy over the status quo, with its interval",
        reading="""If the interval of the best gain is wide, history is too short to tell. If it is narrow
        and near zero, there is little to be won by predicting with these data.""",
        here="The best that was tried gained {best_gain} ({best_gain.interval}).",
        shows=("best_gain", "clairvoyant"),
        fooling="""A missing feature, outcomes joined to the wrong cases or a decision that comes too
        early look exactly the same.""",
        doing="""First check the data; then ask what people see, when they decide well, that the data
        don't hold.""",
        command="wholeroad check",
        nothing="When knowing every outcome would not be worth the trouble either.",
        source="""Rules of Machine Learning (Google), rule 1: don't be afraid to launch without machine
        learning""",
        expert="""No policy's paired lower bound against the baseline exceeds zero. Absence of evidence:
        compare the interval's width with the required gain before calling it evidence of absence.""",
        needs=("status-quo", "interval"),
    ),
    Lesson(
        code="verdict.no-model-needed",
        theme="verdicts",
        title="You don't need a model",
        what="""Always doing the same thing made as much as any model did. No case is worth treating
        differently, by this value table and these data. A rule is cheaper than a model, and never drifts.""",
        number="the gain of always doing that action, and the lead of the best model over it",
        reading="The lead of the best model over the constant action holds zero or less.",
        here="Always doing the same gained {gain} ({gain.interval}) over the status quo.",
        shows=("gain", "behind_best"),
        fooling="""A cost that is missing in the table, such as the work of acting, makes always acting
        look free.""",
        doing="Look for the cost that was left out; ask who would object if everybody were treated so.",
        command="wholeroad charter",
        nothing="When nobody finds a missing cost: do the one thing, and stop here.",
        source="Elkan 2001, IJCAI; Rules of Machine Learning (Google), rule 1",
        expert="The Bayes action is constant over the support, up to what the interval can tell.",
        needs=("value-table", "dummies"),
    ),
    Lesson(
        code="verdict.never-refit",
        theme="verdicts",
        title="You don't need refitting",
        what="""One fit, kept, made as much as refitting did. The world hardly moved in this history, or
        moved where the decision doesn't notice. Each refit is a cost and a chance to break something.""",
        number="what the best refitting policy made more than never refitting, with its interval",
        reading="""An interval that holds zero says: not shown to pay. It doesn't say that a model may be
        left alone for ever.""",
        here="Refitting at best made {refit_gain} ({refit_gain.interval}) more than never.",
        shows=("refit_gain", "fits", "fit_costs"),
        fooling="History without a change can't show what refitting is good for.",
        doing="Fit once; rehearse again when a year of new data is in.",
        command="wholeroad rehearse",
        nothing="Until the value line turns down.",
        source="""Žliobaitė, Budka and Stahl 2015, Towards cost-sensitive adaptation, Neurocomputing 150,
        section 3""",
        expert="""An update is an investment; its estimated return, net of cost, is not clearly above zero
        at any rehearsed frequency. Conditional on the absence of shifts in the sample.""",
        needs=("paired-difference",),
        answers=("verdict.refit-unclear",),
    ),
    Lesson(
        code="verdict.use-model",
        theme="verdicts",
        title="Use the model",
        what="""A model that is fitted once beats the status quo, and no refitting was tried. The gain is
        counted on cases that the model hadn't seen, decided with what was known then.""",
        number="the gain over the status quo, with its interval",
        reading="Reckon with the low end of the gain. Compare it with what running the model costs.",
        here="Reckon with at least {gain_low}.",
        shows=("gain", "gain_low"),
        fooling="The rehearsed year was not chosen for being like the next one.",
        doing="Rehearse refitting too, before deciding how to run it.",
        command='wholeroad rehearse --policy never --policy "every 30d"',
        nothing="When the low end would not pay for a person's hour a week.",
        source="docs/reference/time.md; Žliobaitė, Budka and Stahl 2015, Neurocomputing 150",
        expert="""The lower bound of the paired gain against the baseline is above zero, out of sample in
        time.""",
        needs=("interval", "status-quo"),
    ),
    Lesson(
        code="verdict.refit-pays",
        theme="verdicts",
        title="Refitting pays",
        what="""Refitting at this rhythm clearly made more than keeping the first model, its fits paid.
        The world moves, or the first model had seen too little. Both look the same at first; the second
        stops by itself.""",
        formula="pays if money(refit) − money(never) − cost of fits has an interval above zero",
        number="what refitting made more than never refitting, with its interval, and what its fits cost",
        reading="""Divide the gain by the number of fits: so much may one more fit, with its checks and
        its risk, cost you.""",
        here="Refitting made {refit_gain} ({refit_gain.interval}) more, after {fit_costs} for its fits.",
        shows=("refit_gain", "fits", "fit_costs"),
        fooling="""The best of several rhythms is flattered a little. The first model learnt from the
        least data: part of the gain may be growth, not drift.""",
        doing="Take the slowest rhythm that still clearly pays; put it into the brief.",
        command='when = "every 60d"',
        nothing="When the gain wouldn't pay for watching the refits.",
        source="""Žliobaitė, Budka and Stahl 2015, Neurocomputing 150, section 3; Regol et al. 2025, When
        to retrain a machine learning model, ICML""",
        expert="""Paired lower bound of (refit − never) net of costs above zero. Learning-curve growth and
        drift are confounded with an expanding window; a sliding window separates them.""",
        needs=("paired-difference",),
    ),
    Lesson(
        code="verdict.refit-loses",
        theme="verdicts",
        title="Refitting loses money",
        what="""Even the best of the refitting policies made clearly less than one fit. Newer data made
        the models worse, or the fits cost more than they bring.""",
        number="what refitting made less than never refitting, with its interval",
        reading="If the loss is about the cost of the fits, the models are equal and only the bill differs.",
        here="Refitting made {refit_gain} ({refit_gain.interval}).",
        shows=("refit_gain", "fits", "fit_costs"),
        fooling="""Outcomes that aren't typical yet, a feed that broke, or a season that the new model
        overrates do this too, and can be mended.""",
        doing="Look at whether outcomes mature too early in the brief, then at the cards of the later fits.",
        command="wholeroad explain matures",
        nothing="When the loss is the cost of fits alone: then simply don't refit.",
        source="Žliobaitė, Budka and Stahl 2015, Neurocomputing 150, section 3",
        expert="""Upper bound of the paired difference below zero: label immaturity, recency overfitting
        or a contaminated window are the usual causes, before variance.""",
        needs=("paired-difference", "matures"),
    ),
    Lesson(
        code="verdict.undecided",
        theme="verdicts",
        title="Undecided: the values decide, and nobody has said them",
        what="""Over the range of values that the brief leaves open, the gain changes its sign. No more
        data and no better model will settle that. It is one question to the business.""",
        number="the lowest and highest gain over the range, and where it changes its sign",
        reading="""Ask on which side of the turning point the true value lies. That is easier to answer
        than what the value is.""",
        here="The gain runs from {corner_low} to {corner_high}, depending on values alone.",
        shows=("corner_low", "corner_high", "ratio_break_even"),
        fooling="Taking the middle of the range because it is there is a decision too, made by nobody.",
        doing="Put the question to whoever pays for misses and false alarms, and narrow the range.",
        command="wholeroad charter",
        nothing="When acting on the cheaper mistake is easy to undo: try it, and learn the value.",
        source="""Howard 1966, Information value theory; Saltelli et al. 2008, Global sensitivity
        analysis, chapter 1""",
        expert="""The sign of the objective is not invariant over the admissible cost set; only value
        elicitation reduces it. The turning point is FP / TP for a ratio, linear in each cell for money.""",
        needs=("value-ranges",),
    ),
    Lesson(
        code="verdict.not-identified",
        theme="verdicts",
        title="Not identified: acting may change what happens",
        what="""History shows what happened under the actions that were taken. Where acting changes the
        outcome, or whether it is seen, nobody knows what would have happened otherwise. The money shown
        assumes that it makes no difference, so it is counted, not settled.""",
        formula="wanted: E[value | do(act)]; seen: E[value | acted], and the two differ",
        number="how many cases were left alone at random; with none, the money stays an assumption",
        reading="""Take the figures as an upper story about ranking, not as money that you will earn. A
        gate that asks for evidence won't open on them.""",
        shows=("randomised",),
        fooling="""The better the old policy chose, the worse this gets: customers who were called and
        stayed look as if they had never been at risk.""",
        doing="Leave a small random share of cases alone from now on, and log it.",
        command='no_action = { action = "pass", share = 0.05 }',
        nothing="""When what is done about a case really can't move its outcome; then say so:
        depends_on_action = "no".""",
        source="""Holland 1986, Statistics and causal inference, JASA 81; Lakkaraju et al. 2017, The
        selective labels problem, KDD, section 2; Perdomo et al. 2020, Performative prediction, ICML""",
        expert="""Off-policy value without overlap or known propensities. Untreated-only fits estimate the
        untreated risk, not the effect; only the randomised share identifies the gain.""",
        needs=("status-quo",),
    ),
    Lesson(
        code="verdict.dummies-win",
        theme="verdicts",
        title="A dummy made more than every model",
        what="""A policy that knows nothing made more than anything that learnt. Either there is nothing
        to learn in these features, or the models act on probabilities that are wrong. It can also be
        luck.""",
        number="the money of the best dummy and of the best model",
        reading="Look at the calibration first: models that rank well but overstate lose to dummies.",
        here="The best dummy made {dummy}.",
        shows=("dummy", "calibration_error"),
        fooling="A random dummy that wins once wins by luck; run it with other shares.",
        doing="Check for leaks and late outcomes, then compare calibration with the break-even.",
        command="wholeroad check",
        nothing="Never: this needs an explanation before anything is released.",
        source="Ferrari Dacrema, Cremonesi and Jannach 2019, RecSys, section 3",
        expert="""Dominated by an uninformed policy: miscalibration near the threshold, immature labels or
        train-serve skew are likelier than absence of signal when AUC is well above 0.5.""",
        needs=("dummies", "calibration"),
    ),
    Lesson(
        code="verdict.no-model-made",
        theme="verdicts",
        title="No model could be fitted",
        what="""Every fit that was asked for was refused, each with its reason. Policies that ask for
        models decided as the status quo does. Nothing here says what a model would be worth.""",
        number="how many fits were asked for and refused, and why the last one was",
        reading="The figures compare the status quo with itself, and with dummies.",
        shows=("refused",),
        fooling='Equal totals look like "no gain". They are no evidence at all.',
        doing="Mend what the last refusal names: usually more history, or a later first fit.",
        command="wholeroad explain refused-fit",
        nothing="When outcomes are on their way: wait for the date that the check gives.",
        source="docs/reference/brief.md, [model] least_outcomes",
        expert="""All candidate fits failed their preconditions; no inference about predictability is
        possible.""",
        needs=("refused-fit",),
    ),
    Lesson(
        code="verdict.too-short",
        theme="verdicts",
        title="Too little history to tell",
        what="""An interval needs at least four blocks of days after the first fit. There are fewer, so
        nothing can be said about luck. The totals are shown, and mean little.""",
        number="the days that were scored, and the length of a block",
        reading="Don't rank policies by these totals.",
        here="{days} were scored, in blocks of {block_days}.",
        shows=("days", "block_days"),
        fooling="A large difference over two weeks is two weeks' weather.",
        doing="Begin scoring earlier, or land more history.",
        command='first = "30d"',
        nothing="When new days come by themselves: wait.",
        source="Lahiri 2003, Resampling methods for dependent data, chapter 7 (block length)",
        expert="""Fewer than four blocks leave under three degrees of freedom; a percentile interval would
        be fiction.""",
        needs=("interval",),
    ),
    Lesson(
        code="verdict.no-outcomes",
        theme="verdicts",
        title="No case of this span has an outcome yet",
        what="""Money is known when the outcome is. Of the cases that were scored none has one, so nothing
        can be compared.""",
        number="how many cases are pending and how many have an outcome that doesn't tell",
        reading="Pending cases wait; unknown ones won't tell. Only the first kind gets better with time.",
        here="{pending} are pending, {unknown} don't tell.",
        shows=("pending", "unknown"),
        fooling="An outcome table that joins to no case looks the same as one that is late.",
        doing="Check that outcomes join; then rehearse an earlier span.",
        command="wholeroad check",
        nothing="When the span is younger than the outcomes take.",
        source="docs/reference/time.md",
        expert="""Zero labelled units in the evaluation window: verify the join before assuming
        verification latency.""",
        needs=("settled",),
    ),
)
