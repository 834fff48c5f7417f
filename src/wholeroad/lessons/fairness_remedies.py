"""Lessons on what is done about differences between groups, and what that costs."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="reweighing",
        theme="fairness",
        title="Reweighing cases before the fit",
        what="""Each case gets a weight, so that in the weighted data a group and what came true have nothing
        to do with each other. Rare combinations count more, frequent ones less. The model then learns less of
        the link between group and outcome.""",
        formula="weight = P(group) × P(outcome) / P(group and outcome)",
        number="how many equally weighted cases would tell as much, as a share of all",
        reading="""The effective share says what the weights cost: at 80%, the fit knows as much as four
        fifths of the cases would have told it.""",
        here="Here the weighted cases tell as much as {effective_share} of them would, unweighted.",
        shows=("effective_share",),
        fooling="""It takes differences out of what is learnt, also those that are real, so probabilities of
        both groups may come out wrong. And models with other features find the link again.""",
        doing="Try it on history, and look at calibration by group beside the difference that is left.",
        command="wholeroad fairness try",
        nothing="When thresholds for each group reach the same at a smaller price, which they often do.",
        source="""Kamiran and Calders 2012, Data preprocessing techniques for classification without
        discrimination, Knowledge and Information Systems 33, section 4.3""",
        expert="""Weights make group and label independent in the training measure; effective size is (Σw)² /
        Σw². Flexible learners undo part of it; calibration against the unweighted measure is lost unless
        restored.""",
        needs=("demographic-parity",),
    ),
    Lesson(
        code="group-thresholds",
        theme="fairness",
        title="A threshold for each group",
        what="""The model stays as it is, and each group gets a threshold of its own, learnt so that groups
        come together in one measure. It is the same for all members, so the same case always gets the same
        decision. Its price in money is known before anybody agrees to it.""",
        formula="select if expected money of selecting + offset(group) > expected money of not selecting",
        number="the offset of each group, and the difference that is left on later cases",
        reading="""An offset is the money that is given or asked for membership, per case. Look at the
        difference on later time: on the cases it was learnt from it is too good.""",
        fooling="""Deciding by group openly may be forbidden where the group is protected, even to its
        benefit: ask before. And it treats what shows, not what causes it.""",
        doing="Look at the price curve, choose a tolerance, and write who chose it and why.",
        command="wholeroad fairness price",
        nothing="When the data are wrong about a group: mend that first, or the threshold mends it badly.",
        source="""Hardt, Price, Srebro 2016, NeurIPS, section 4; Cruz and Hardt 2024, Unprocessing seven years
        of algorithmic fairness, ICLR; docs/decisions/README.md""",
        expert="""Post-processing by deterministic offsets in expected money, learnt on out-of-fit
        predictions. No randomised mixing of thresholds, so reachable rates are those of the empirical curves;
        ties go by fixed order.""",
        answers=("post-processing",),
        needs=("equalized-odds",),
    ),
    Lesson(
        code="price-of-fairness",
        theme="fairness",
        title="The price of fairness",
        what="""For each tolerance the thresholds are learnt on earlier cases, and money and difference are
        measured on later ones. The curve shows what each step nearer to equality costs. The price is the
        money without thresholds less the money with them, case by case.""",
        formula="price(tolerance) = gain without thresholds − gain with them, per case",
        number="what the tightest tolerance costs per case, with its interval",
        reading="""Go from the point without thresholds along the line. Where it is flat, equality is nearly
        free; where it bends down, each further step costs more.""",
        here="Here the tightest tolerance costs {price_tightest} per case ({price_tightest.interval}).",
        shows=("price_tightest", "left_tightest"),
        fooling="""The price is that of this model: a better one may have none. It is counted in the brief's
        money, in which harm to those affected has no place unless the value table gives it one.""",
        doing="Choose the tolerance with those who answer for it, and write it into the brief as a remedy.",
        command="wholeroad fairness price",
        nothing="When the differences are within the limits already.",
        source="""Corbett-Davies, Pierson, Feller, Goel, Huq 2017, Algorithmic decision making and the cost of
        fairness, KDD; Menon and Williamson 2018, The cost of fairness in binary classification, FAT*""",
        expert="""Out-of-time points with paired, block-clustered intervals; neighbouring points share cases,
        so the curve is smoother than its intervals. Choosing the best-looking point flatters it a little.""",
        answers=("tolerance",),
        needs=("group-thresholds", "paired-difference"),
    ),
)
