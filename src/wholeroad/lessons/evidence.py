"""Lessons on how sure a figure is: intervals, paired differences, regret, several at once."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="interval",
        theme="evidence",
        title="The interval, by a block bootstrap over days",
        what="""The interval says how far the money would move over other days like these. It is made by
        drawing blocks of days from your own history, with replacement, thousands of times. Blocks keep
        runs of good and bad days together; single days or cases would make the interval too narrow.""",
        formula="""total* = Σ money(day) over the drawn days; interval = middle 95% of total*, widened by
        t(blocks − 1) / z / √(1 − block / days)""",
        number="the gain over the status quo with its interval, and how many days and blocks it rests on",
        reading="""Look at which side of zero it lies on, and at its low end beside the cost of running
        the policy. An interval that holds zero is no proof that there is no gain.""",
        here="""For the recommended policy the low end of the gain is {gain_low}: reckon with that, not
        with {gain}.""",
        shows=("gain", "gain_low", "total", "days", "block_days"),
        fooling="""It knows other days, not other years: a change that never happened in your history is
        not in it. It also takes the fitted models as given; another seed would have given somewhat other
        models.""",
        doing="Land more history, or rehearse another stretch, before believing a narrow miss.",
        command="wholeroad rehearse --from 2013-06-01",
        nothing="When both ends lead to the same decision.",
        source="""Künsch 1989, Annals of Statistics 17, section 2; Politis and Romano 1992, A circular
        block-resampling procedure; Student's correction: Abramowitz and Stegun 26.7.5""",
        expert="""Circular block bootstrap on daily sums, percentile interval about the observed figure,
        inflated for the deficit 1 − b/n and by t/z with blocks − 1 degrees of freedom. Conditional on
        models and history; dependence beyond a block is not covered.""",
        answers=("block-bootstrap",),
    ),
    Lesson(
        code="paired-difference",
        theme="evidence",
        title="Paired differences",
        what="""Two policies are compared on the same cases and the same drawn days. What is common to
        both, a stormy week or a strong season, cancels. So the difference is known much better than
        either total.""",
        formula="Var(A − B) = Var A + Var B − 2 Cov(A, B)",
        number="the difference between the recommended policy and the next, with its interval",
        reading="""Read the interval of the difference. Two totals whose intervals overlap may still
        differ clearly.""",
        here="The recommended policy differs from the best total by {versus_best} ({versus_best.interval}).",
        shows=("versus_best", "versus_never", "gain"),
        fooling="""Comparing overlapping intervals of totals by eye hides real differences. Comparing
        totals from different cases invents them.""",
        doing="Look at the column against the status quo or against never refitting, not at the totals.",
        command='wholeroad rehearse --policy never --policy "every 30d"',
        nothing="When the difference is too small to pay for the change, whatever its interval.",
        source="""Diebold and Mariano 1995, Comparing predictive accuracy, J. Business and Economic
        Statistics 13(3), section 1; common random numbers: Law, Simulation modeling and analysis, chapter
        11""",
        expert="""The bootstrap weights are shared across policies, so the interval is of the loss
        differential, in the manner of Diebold and Mariano, with blocks in place of a long-run variance.""",
        needs=("interval",),
    ),
    Lesson(
        code="best-of-several",
        theme="evidence",
        title="The best of several looks better than it is",
        what="""Whatever came out on top of several did so partly by luck. The luck doesn't come back. The
        more were tried, and the closer they are, the more the winner is flattered.""",
        formula="E[max of k noisy figures] ≥ max of their true values",
        number="the best total, and how far the recommended policy stays behind it",
        reading="""A best policy whose lead over a simpler one holds zero is no reason to prefer it: the
        simpler one is recommended, and running it costs less.""",
        here="The highest total lies {behind_best} above the recommended policy's; that lead may be luck.",
        shows=("behind_best", "versus_best"),
        fooling="Trying twenty schedules and reporting one interval hides nineteen tries.",
        doing="Decide beforehand on a few policies that differ in kind; judge the winner on later data.",
        command='wholeroad rehearse --policy never --policy "every 30d" --policy "every 90d"',
        nothing="When the winner is far ahead of all others, its interval with it.",
        source="Smith and Winkler 2006, The optimizer's curse, Management Science 52(3), section 2",
        expert="""Selection bias of the maximum; the intervals are marginal, not simultaneous. The ladder
        from simple to costly with a one-sided requirement limits, and doesn't remove, the optimism.""",
        answers=("verdict.best-by-luck",),
        needs=("paired-difference",),
    ),
    Lesson(
        code="regret",
        theme="evidence",
        title="Regret, and its floor",
        what="""Regret is the money short of refitting at the best moments, found in hindsight, fits paid.
        The moments are picked on one half of the cases and counted on the other, both ways, so that luck
        isn't counted as skill. The floor is the regret that would show up if all models were equally
        good.""",
        formula="regret = money(best path through the fitted models) − money(policy)",
        number="the regret of the recommended policy, beside its floor",
        reading="""Above the floor: a better schedule may exist. Below it: stop tuning the schedule, even
        if the interval of the regret lies above zero, because the moments were picked after the fact.""",
        here="The regret is {regret}; models of equal worth could show {floor}.",
        shows=("regret", "floor"),
        fooling="""Nobody could have picked those moments at the time. A small regret doesn't say that the
        models are good, only that no other schedule of the same models would have been better.""",
        doing="Above the floor, rehearse a few more spans between refits.",
        command='wholeroad rehearse --policy "every 14d" --policy "every 30d" --policy "every 60d"',
        nothing="When it is below its floor.",
        source="""Mahadevan and Mathioudakis, Cost-effective retraining of machine learning models, arXiv
        2310.04216 (the retrospective optimum); docs/decisions/0006-the-oracle-moves-forward.md""",
        expert="""Dynamic programming over forward-only paths, cross-fitted on hash halves; the floor is
        the 95th percentile under exchangeable models from block-resampled differences. Can be negative.""",
        needs=("interval",),
        answers=("regret-floor",),
    ),
    Lesson(
        code="calibration",
        theme="evidence",
        title="Calibration: can the probabilities be believed?",
        what="""Of the cases that were given 20%, 20% should turn out so. Actions are chosen by expected
        money, and that is only as good as the probabilities near the break-even. A model may rank well
        and still state wrong probabilities.""",
        formula="calibration error = Σ over bins (share of cases) × |predicted − came true|",
        number="by how many percentage points predicted and observed differ, on average",
        reading="""Look at the bins next to the probability from which acting pays. An error far away from
        it costs nothing.""",
        here="""Predicted and observed shares differ by {calibration_error} on average over
        {calibration_error.n:,} cases.""",
        shows=("calibration_error", "break_even", "slope"),
        fooling="""Perfect calibration is worth nothing by itself: saying the base rate for every case is
        perfectly calibrated. Intervals of the bins take cases as independent and are too narrow in runs.""",
        doing="If the bins near the break-even are off, land newer outcomes, or refit more often.",
        command="wholeroad explain matures",
        nothing="When the broken line runs through the bars near the break-even.",
        source="""Niculescu-Mizil and Caruana 2005, Predicting good probabilities with supervised
        learning, ICML, section 4; Guo et al. 2017, On calibration of modern neural networks, ICML,
        section 2; intervals: Wilson 1927, JASA 22""",
        expert="""Equal-mass bins, ECE with Wilson intervals; the models are post-calibrated by
        temperature and intercepts on a slice of their own. Drift in the base rate shows as a shift of the
        whole curve.""",
        needs=("value-table",),
        answers=("reliability",),
    ),
    Lesson(
        code="one-standard-error",
        theme="evidence",
        title="The simplest within one standard error",
        what="""Candidates are compared in money on the newest slice of the data. The champion is the
        simplest one that isn't more than one standard error behind the best. The standard error is of the
        paired difference and counts whole days, not cases.""",
        formula="""champion = simplest with (best − mine) ≤ s.e., s.e. = standard deviation of the blocks'
        difference / √blocks""",
        number="how far the champion is behind the best candidate, and the standard error of that",
        reading="""A complex model that leads by less than the noise will often not lead next month, and
        costs more to keep. The status quo is a candidate too.""",
        here="""The champion made {champion_money}, {behind_best} less than the best; one standard error
        is {standard_error}.""",
        shows=("champion_money", "behind_best", "standard_error", "rows"),
        fooling="""With few days the standard error is large, and nearly everything is "within one": then
        the rule chooses the status quo, which is a statement about data, not about models.""",
        doing="Read the model card of the fit; land more history if the choice hangs on a few days.",
        command="wholeroad explain model",
        nothing="When the champion is also the best.",
        source="""Breiman, Friedman, Olshen and Stone 1984, Classification and regression trees, section
        3.4.3; Hastie, Tibshirani and Friedman, The elements of statistical learning, section 7.10""",
        expert="""The 1-SE rule on a temporal holdout, paired and blocked by UTC day; ties go to lower
        complexity. Mildly conservative by design; no correction for the number of candidates.""",
        needs=("paired-difference",),
        answers=("champion",),
    ),
    Lesson(
        code="segments",
        theme="evidence",
        title="Segments, and looking at many at once",
        what="""The gain is counted again within months or quarters and within the values of a few
        columns. Each segment rests on fewer cases, so its interval is wider. With many intervals at once,
        some miss by chance alone.""",
        formula="""at 95% each, about m / 20 of m intervals miss; all m hold together at a level of 1 − 5%
        / m each""",
        number="the gain per case of each segment, and how many segments were looked at",
        reading="""Trust a mark in the table: it holds even with all segments judged together. An unmarked
        segment that looks bad is a question, not a finding.""",
        here="""{segments} segments were looked at: about {missing_by_chance} of their intervals miss by
        chance alone.""",
        shows=("segments", "missing_by_chance", "worst_segment"),
        fooling="""Whoever looks at enough segments finds one that loses. A reason can be told for any of
        them afterwards.""",
        doing="Write a suspicion down now and look at it on the next history; don't cut out a segment today.",
        command="wholeroad rehearse --from 2014-01-01",
        nothing="When no segment is marked.",
        source="""Wang et al. 2007, Reporting of subgroup analyses in clinical trials, NEJM 357; Dunn
        1961, Multiple comparisons among means, JASA 56""",
        expert="""Marginal block-bootstrap intervals; marks use Bonferroni over all segments of the
        policy. Columns come in the order of the brief, they aren't searched; costs of fits are not shared
        out.""",
        needs=("interval",),
    ),
    Lesson(
        code="success-criterion",
        theme="evidence",
        title="Was it a success? A lower bound, not the average",
        what="""The brief asks for a gain per case, with a confidence. It is met when the lower bound of
        the gain reaches what was asked. An average above the criterion isn't enough: it may be luck.""",
        formula="met if lower bound at the confidence (one-sided) ≥ gain asked",
        number="the gain per case, its lower bound, and what was asked",
        reading="""Met: with your confidence the gain is at least that, on days like these. Not met may
        mean too little gain or too few days; the gain and the bound together tell which.""",
        here="""Asked were {required} per case; the gain was {gain_per_case}, its lower bound is
        {lower_bound}.""",
        shows=("required", "gain_per_case", "lower_bound"),
        fooling="A criterion that is set after the result is met by every result.",
        doing="Agree on it before the first rehearsal, with the people who pay.",
        command="gain_over_status_quo = { per_case = 3.0, confidence = 0.95 }",
        nothing="When the bound is far from the criterion on either side.",
        source="""Bland and Altman 1994, One and two sided tests of significance, BMJ 309;
        docs/reference/brief.md, [success]""",
        expert="""One-sided percentile bound of the ratio of daily sums, widened as the intervals are: a
        superiority test with margin at level 1 − confidence.""",
        needs=("interval", "status-quo"),
        answers=("verdict.criterion-met", "verdict.criterion-not-met"),
    ),
    Lesson(
        code="dummies",
        theme="evidence",
        title="Dummies: policies that know nothing",
        what="""Always acting, never acting, and acting at random on a share of the cases need no data.
        They show what a value table gives away for nothing. A model that doesn't beat them has learnt
        nothing that pays.""",
        formula="money(random at rate r) = r × money(always act) + (1 − r) × money(never act), on average",
        number="the money of the best dummy beside that of the best model",
        reading="""The best dummy is the real zero of your scale. If "always act" wins, the value table
        says that acting pays for everyone.""",
        here="The best dummy made {dummy}.",
        shows=("dummy", "total"),
        fooling="""A good score on an easy problem: when most cases are alike, a constant answer scores
        well too.""",
        doing="Keep them in every rehearsal.",
        command='wholeroad rehearse --policy "always rebook" --policy "random 10%" --policy never',
        nothing="When the models are far above them.",
        source="""Rules of Machine Learning (Google), rule 1; Ferrari Dacrema, Cremonesi and Jannach 2019,
        Are we really making much progress?, RecSys, section 3""",
        expert="""Uninformed policies bound what the cost matrix and the base rate give; the random arm at
        the model's own action rate isolates ranking skill from the rate of acting.""",
        needs=("value-table",),
    ),
)
