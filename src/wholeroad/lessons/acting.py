"""Lessons on decisions that change what happens: random shares, propensities, running systems."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="depends-on-action",
        theme="acting",
        title="Does acting change the outcome?",
        what="""Re-seating a passenger doesn't move the aircraft. Calling a customer may keep him, and
        refusing a loan hides whether it would have been paid back. Where acting changes the truth, or
        whether it is seen, history can't say what the other action would have brought.""",
        number="your answer, and how many cases were left alone at random",
        reading="""`no`: money on history is money. `yes` or `unknown`: it is titled *not identified*:
        counted, not settled.""",
        fooling="""Answering `no` makes the report look better and the truth no better. The naive answer
        prefers those who would have stayed anyway.""",
        doing="Answer honestly, and leave a random share of cases alone from now on.",
        command='no_action = { action = "pass", share = 0.05 }',
        nothing="When what you do can't reach the outcome.",
        source="""Holland 1986, Statistics and causal inference, JASA 81, section 2; Lakkaraju et al.
        2017, The selective labels problem, KDD""",
        expert="""Consistency holds for the logged action only; the other potential outcome is missing by
        design. Selective labels are the special case where acting hides the label.""",
        answers=("check.depends-on-action", "check.acting-without-money", "model.too-few-left-alone"),
    ),
    Lesson(
        code="no-action-share",
        theme="acting",
        title="A random share without action",
        what="""A small share of cases, chosen by chance alone, is left without action and logged as such.
        Because chance chose them, they are like the others in everything, seen or unseen. Comparing the
        two groups gives the effect of acting.""",
        formula="effect = mean(value | acted on) − mean(value | left alone), both as chance assigned them",
        number="for how many cases chance chose, and the gain per case from them, with its interval",
        reading="""The share costs effect × share per case: the price of knowing. Compare it with what a
        wrong belief would cost for years.""",
        here="""Chance chose for {randomised}. From these the gain is {gain_per_case} per case; counted as
        if acting changed nothing it would be {naive_gain}.""",
        shows=("randomised", "gain_per_case", "naive_gain"),
        fooling="""A share that someone may overrule is no longer random. Leaving alone only those that
        don't matter measures those that don't matter.""",
        doing="Set the share; keep it while models change.",
        command='no_action = { action = "pass", share = 0.05 }',
        nothing="When acting can't change the outcome.",
        source="""Kohavi et al. 2009, Controlled experiments on the web, Data Mining and Knowledge
        Discovery 18, section 3; Bottou et al. 2013, Counterfactual reasoning and learning systems, JMLR
        14, section 4""",
        expert="""Randomised hold-out by hash of the case id; intention-to-treat by assignment. Power: the
        variance is dominated by the smaller arm, σ² / (n × share).""",
        answers=("check.no-randomised-share", "check.randomised-share", "check.share-without-need"),
        needs=("depends-on-action",),
    ),
    Lesson(
        code="propensity-weighting",
        theme="acting",
        title="Weighing by the probability of the action taken",
        what="""If chance had a known part in who was acted on, each case can speak for those like it that
        were treated otherwise. It is weighed by one over the probability of what was done to it. Cases
        to which something unlikely was done speak for many, and make the result jumpy.""",
        formula="""V(π) = 1/n × Σ m(π(case)) + [action = π(case)] × (value − m(action)) / propensity, with m
        the mean value after an action; effective n = (Σw)² / Σw²""",
        number="the weighted money with its interval, and the effective number of cases",
        reading="Read the effective number of cases first. 10,000 cases with an effective 80 are 80 cases.",
        here="Weighed, the cases tell as much as {effective_n} would.",
        shows=("effective_n", "randomised", "gain_per_case"),
        fooling="""A propensity that was estimated afterwards instead of logged brings the old bias back,
        with an interval that doesn't show it. Where the probability was zero, nothing helps.""",
        doing="Log the probability with which the action was chosen, at the moment of choosing.",
        command='propensity = "logged_propensity"',
        nothing="When actions were chosen by a fixed rule: then there is no overlap to weigh.",
        source="""Horvitz and Thompson 1952, A generalization of sampling without replacement, JASA 47;
        Bottou et al. 2013, JMLR 14, section 4; the mean of each action: Dudík, Langford and Li 2011,
        Doubly robust policy evaluation and learning, ICML; effective number: Kish 1965, Survey
        sampling""",
        expert="""Doubly robust with known propensities, the self-normalised mean of each action as the
        model of its money: right on average under overlap and correct propensities. No clipping. Where
        policy and log share a draw of chance, the weight is the ratio of both probabilities.""",
        needs=("no-action-share",),
        answers=("propensity", "check.propensity-implausible"),
    ),
    Lesson(
        code="incumbent",
        theme="acting",
        title="A running system, scored from its log",
        what="""A system that decides already has written down its scores or actions. They are priced like
        any policy, on the same cases, without loading the system. Its score can also be recalibrated and
        used as a candidate.""",
        formula="gain = money(candidate) − money(logged action), case by case",
        number="the money of the incumbent beside the recommended policy, paired",
        reading="Beat the incumbent, not the status quo, if the incumbent is what you would replace.",
        here="Against what is run today: {versus_incumbent}.",
        shows=("versus_incumbent", "gain"),
        fooling="""It chose the cases that were acted on, so where acting changes outcomes the log favours
        it. Cases that it never saw are in no comparison.""",
        doing="Name the log's columns in the brief.",
        command='score = "logged_score"',
        nothing="When nothing is running.",
        source="""Li et al. 2011, Unbiased offline evaluation of contextual-bandit-based news article
        recommendation algorithms, WSDM; docs/reference/brief.md, [incumbent]""",
        expert="""Logged-policy evaluation; identified without propensities only if outcomes don't depend
        on the action.""",
        answers=(
            "check.no-record-of-actions",
            "check.log-no-action",
            "check.log-silent",
            "check.log-score",
            "check.log-propensity",
        ),
        needs=("status-quo", "depends-on-action"),
    ),
    Lesson(
        code="policy-without-support",
        theme="acting",
        title="A policy that chance never tried",
        what="""A policy is estimated from cases in which chance took the action that the policy wants.
        Where chance took it hardly ever, or nearly the same came of it each time, there is no estimate.
        That is no weakness of the policy but a gap in the data.""",
        number="the policies that have no estimate",
        reading="It may be the best or the worst; these data can't say.",
        fooling="Filling the gap by a model of the outcome looks like an estimate and is a guess.",
        doing="Give each action a small share of chance, if each may be taken at all.",
        command='propensity = "logged_propensity"',
        nothing="When nobody means to follow that policy.",
        source="Horvitz and Thompson 1952, JASA 47; Bottou et al. 2013, JMLR 14, section 4",
        expert="Positivity violated: the estimand isn't identified; reported as unsupported, never imputed.",
        needs=("propensity-weighting",),
    ),
)
