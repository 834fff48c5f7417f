"""Lessons on definitions of fairness: what each asks to be equal, and which can't be equal together."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="demographic-parity",
        theme="fairness",
        title="Demographic parity: the same share selected of every group",
        what="""Demographic parity asks that the same share of every group be selected, whatever comes true
        afterwards. It needs no outcomes, so it can be looked at on the day of the decision. It says nothing
        of whether the right ones were selected.""",
        formula="P(selected | group a) = P(selected | group b)",
        number="how far apart the groups are in the share selected, with its interval",
        reading="""Ask first whether selection is a benefit or a burden to those affected. Where what is
        looked for is more frequent in one group, equal shares mean that somebody pays: either those selected
        without need, or those passed over.""",
        here="""Here the shares selected lie {selection_apart} apart ({selection_apart.interval}). Hold that
        beside how far apart it comes true, and beside the money.""",
        shows=("selection_apart",),
        fooling="""Equal shares can be had by selecting the wrong ones of one group. And recorded base rates
        may themselves come of past decisions, so that a difference which they "explain" is no innocent
        one.""",
        doing="Look at the share selected beside the true positive rate before setting a limit on either.",
        command="wholeroad fairness solution",
        nothing="When nobody is better or worse off for being selected.",
        source="""Calders, Kamiran, Pechenizkiy 2009, Building classifiers with independency constraints, ICDM
        workshops; Barocas, Hardt, Narayanan, Fairness and machine learning, chapter 3 (independence)""",
        expert="""Independence of decision and group. Intervals: block-clustered, simultaneous over all pairs,
        so the maximum is honest. With unequal base rates it is incompatible with separation and, in general,
        with sufficiency. The four-fifths rule is its ratio form.""",
        answers=("selection-rate", "four-fifths-rule"),
    ),
    Lesson(
        code="equalized-odds",
        theme="fairness",
        title="Equal opportunity and equalized odds",
        what="""Equal opportunity asks that of those in which it came true, the same share of every group was
        selected. Equalized odds asks the same of those in which it didn't come true as well. Both compare
        like with like, as far as outcomes are known.""",
        formula="P(selected | came true, a) = P(selected | came true, b); and the same for didn't come true",
        number="how far apart the true and the false positive rates of the groups are, with intervals",
        reading="""A lower true positive rate means that a group's members who needed it were passed over more
        often. A higher false positive rate means that they were troubled without need more often.""",
        here="Here the true positive rates lie {opportunity_apart} apart ({opportunity_apart.interval}).",
        shows=("opportunity_apart", "false_alarms_apart"),
        fooling="""Only cases whose outcome is known count. Where outcomes are seen for those selected alone,
        or are labelled with an eye on the group, equal rates hide unequal treatment.""",
        doing="""Check first whether all groups' outcomes are seen and told alike; then set a limit on the
        rate whose error weighs more on people.""",
        command="wholeroad fairness data",
        nothing="When the outcome is itself somebody's opinion of the group: then it can't be a yardstick.",
        source="""Hardt, Price, Srebro 2016, Equality of opportunity in supervised learning, NeurIPS, sections
        2 and 4""",
        expert="""Separation. Group ROC curves bound what thresholds can reach: with deterministic thresholds
        only points of the empirical curves themselves, so exact equality may be out of reach where Hardt et
        al. would randomise.""",
        answers=("equal-opportunity", "true-positive-rate", "false-positive-rate"),
        needs=("demographic-parity",),
    ),
    Lesson(
        code="calibration-within-groups",
        theme="fairness",
        title="Calibration within groups",
        what="""A model is calibrated within groups when 20% means 20% for each of them. Then one probability
        calls for one decision, whoever it is about. A model can be right on the whole and wrong about every
        group, one up and one down.""",
        formula="mean probability in the group − share in which it came true in the group = 0",
        number="what was foretold for each group less what came true, with intervals",
        reading="""Above none, the group is foretold too much, and is selected more often than its cases are
        worth. That costs money and is mended without taking from anybody.""",
        here="Here the gaps of the groups lie {calibration_apart} apart ({calibration_apart.interval}).",
        shows=("calibration_apart",),
        fooling="""A group can be right on average and wrong at both ends. And probabilities that are right
        still select groups at different rates, where base rates differ.""",
        doing="""Give the model a feature on which the groups differ, collect more cases of the group, or
        reweigh; look again on later time.""",
        command="wholeroad fairness plan",
        nothing="When the gap is too small to move a decision: see the gain by group.",
        source="""Pleiss, Raghavan, Wu, Kleinberg, Weinberger 2017, On fairness and calibration, NeurIPS;
        Hébert-Johnson, Kim, Reingold, Rothblum 2018, Multicalibration, ICML""",
        expert="""Calibration in the large by group (mean predicted less observed). Sufficiency asks more:
        calibration at every score. Selection on the score makes the gap among those selected differ from the
        one shown.""",
        needs=("calibration",),
    ),
    Lesson(
        code="predictive-parity",
        theme="fairness",
        title="Predictive parity: being selected means the same in every group",
        what="""Predictive parity asks that of those selected, it comes true for the same share of every
        group. It is the view of whoever acts on a selection. Where it fails, the same flag is worth less in
        one group than in another.""",
        formula="P(came true | selected, a) = P(came true | selected, b)",
        number="how far apart the groups are in the share of those selected in which it came true",
        reading="""A group with less of it is selected on weaker grounds. Look whether a threshold or the
        probabilities are to blame: the calibration within groups tells.""",
        here="Here the precision of the groups lies {precision_apart} apart ({precision_apart.interval}).",
        shows=("precision_apart",),
        fooling="""Groups with equal thresholds and right probabilities can differ in it, since those above
        the threshold may lie higher in one group than in the other (infra-marginality).""",
        doing="Read it beside calibration within groups and the money by group, never alone.",
        command="wholeroad fairness solution",
        nothing="When it differs and calibration doesn't: then thresholds are the same, and crowds aren't.",
        source="""Chouldechova 2017, Fair prediction with disparate impact, Big Data 5(2), section 2; Simoiu,
        Corbett-Davies, Goel 2017, The problem of infra-marginality, Annals of Applied Statistics 11""",
        expert="""Equality of positive predictive values at the operating point. The outcome test behind it is
        confounded by infra-marginality; threshold tests model the risk distributions instead.""",
        answers=("precision-by-group",),
        needs=("calibration-within-groups",),
    ),
    Lesson(
        code="fairness-conflicts",
        theme="fairness",
        title="Definitions that can't hold together",
        what="""Where it comes true more often in one group, no decision that is less than perfect can have
        equal error rates and mean the same in both groups. Equal shares selected conflict with both. One has
        to choose, and choosing is no matter of statistics.""",
        formula="FPR = p / (1 − p) × (1 − PPV) / PPV × TPR, with p the group's base rate",
        number="how far apart the groups' base rates are, with the interval",
        reading="""Take the one whose failing does the worst to those affected, write down why, and set a
        limit on it. Show the others all the same.""",
        here="Here the base rates lie {base_rate_apart} apart ({base_rate_apart.interval}).",
        shows=("base_rate_apart",),
        fooling="""That not all can hold is no excuse for none. And a base rate may differ because of how
        outcomes were recorded: then mend the record, and the conflict shrinks.""",
        doing="Choose one measure with those affected, and write it into the brief as a limit.",
        command="[[fairness.limits]] measure = ...",
        nothing="When the base rates hardly differ: then the definitions nearly agree.",
        source="""Chouldechova 2017, Big Data 5(2), section 2.1; Kleinberg, Mullainathan, Raghavan 2017,
        Inherent trade-offs in the fair determination of risk scores, ITCS""",
        expert="""For unequal base rates and imperfect prediction, PPV parity and equal FPR and FNR exclude
        each other (Chouldechova); calibration and balance for both classes do (Kleinberg et al.). Approximate
        versions degrade continuously.""",
        needs=("equalized-odds", "predictive-parity"),
    ),
    Lesson(
        code="fairness-limit",
        theme="fairness",
        title="A limit between groups, and who has to prove what",
        what="""A limit says how far apart groups may be in one measure. It holds when the whole interval
        does, and is breached when none of it does; between the two it can't be told yet. The brief says
        whether a fit is stopped by a clear breach alone, or by anything that isn't clearly right.""",
        formula="breached: lower end > limit; holds: upper end ≤ limit",
        number="how each limit stands, with the interval and the two groups that it lies between",
        reading="""A limit that can't be told yet is no success: it asks for more cases, or for more tolerance
        from those who set it. With the burden of proof on holding, small groups keep models out.""",
        fooling="""The more groups are compared, the further apart the two at the ends lie by chance. The
        interval allows for that; a glance at the dots doesn't.""",
        doing="Set one that somebody can defend, and say by whom it was chosen.",
        command="[[fairness.limits]] difference_at_most = 0.05",
        nothing="When no group has cases enough, and no model is in charge anyway.",
        source="""Equal Employment Opportunity Commission 1978, Uniform guidelines, 29 CFR 1607.4 D (four
        fifths); Howard, Ramdas, McAuliffe, Sekhon 2021, Annals of Statistics 49 (looks repeated over
        time)""",
        expert="""Simultaneous intervals over all pairs of groups; at the k-th look after release the level is
        alpha / (k (k + 1)), which sums to alpha. Gates compare interval ends with the bound, so power falls
        with the number of groups.""",
        answers=("burden-of-proof",),
        needs=("interval",),
    ),
)
