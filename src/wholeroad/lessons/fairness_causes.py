"""Lessons on bias in data: who is there, whose outcomes are seen, and what gives a group away."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="coverage-of-groups",
        theme="fairness",
        title="Coverage: who is in the data, and who isn't",
        what="""A group is covered when its share of the cases is about its share of those whom decisions are
        about. A group that is rarely there is foretold by what others did. One that is missing altogether
        can't be seen in the data at all: only a stated population shows it.""",
        formula="coverage = share of the cases − share of the population",
        number="the group's share of the cases beside its share of the population, with the interval",
        reading="""Too few cases make the group's probabilities less sure and its intervals wide. Whether they
        are also wrong shows in its calibration, not in its share.""",
        here="Here the clearest one differs by {coverage_gap} from its population ({coverage_gap.interval}).",
        shows=("coverage_gap",),
        fooling="""The stated population may itself be wrong, or be another one: of inhabitants, where the
        decision is about applicants. Then a difference is a finding about the statement.""",
        doing="""State the population and its source in the brief, and see how many cases to collect of whom,
        and by when they would be there.""",
        command="wholeroad fairness plan",
        nothing="When the group is small in the world too, and its calibration is right.",
        source="""Suresh and Guttag 2021, A framework for understanding sources of harm throughout the machine
        learning life cycle, EAAMO, section 3 (representation bias)""",
        expert="""Wilson's interval on the effective number of cases against a fixed stated share. Weighting
        to the population lowers the effective size by 1 + CV² of the weights; it can't make up for features
        that mean something else in the group.""",
        answers=("representation-bias",),
    ),
    Lesson(
        code="selective-labels",
        theme="fairness",
        title="Selective labels: whose outcome is ever seen",
        what="""Often an outcome is seen only where somebody acted: who has no loan never fails to repay. If
        that happens more in one group, its known cases are others than its cases. No rate among known
        outcomes tells of the rest.""",
        number="the share of cases whose outcome is never seen, by group, with intervals",
        reading="""Rates that ask what came true hold for cases with a known outcome. Where a group's are seen
        less, read its true positive rate, its precision and its money with that in mind.""",
        here="Here the clearest group differs by {unseen_gap} from everybody else ({unseen_gap.interval}).",
        shows=("unseen_gap",),
        fooling="""A model learnt from seen outcomes looks right on seen outcomes, for every group. Reweighing
        doesn't help where nothing of a kind was ever seen.""",
        doing="""Leave a random share of cases to the other action, so that outcomes are seen on both sides;
        or find the outcomes in another source.""",
        command="wholeroad explain no-action-share",
        nothing="When outcomes are seen whatever is decided.",
        source="""Lakkaraju, Kleinberg, Leskovec, Ludwig, Mullainathan 2017, The selective labels problem,
        KDD; Kleinberg and others 2018, Human decisions and machine predictions, QJE 133""",
        expert="""Missing not at random through past decisions. Point identification needs randomisation or an
        exclusion restriction; bounds by group come from the share unseen. Propensity weights work where
        chance had a part.""",
        needs=("propensity-weighting",),
    ),
    Lesson(
        code="proxy-features",
        theme="fairness",
        title="Proxies: telling a group without its name",
        what="""Leaving a group's column out doesn't keep a model from knowing the group, when other features
        tell it. How well they do is measured by foretelling the group from the features. An AUC of 0.5 is
        chance, 1 is certainty.""",
        formula="AUC = P(score of a member > score of somebody else)",
        number="how well each group can be told from the features (AUC), with the interval, on later cases",
        reading="""A high AUC says that blindness protects nobody here, and that a model can treat the group
        apart. It doesn't say that it does: the figures by group say that.""",
        here="Here the group that shows most lies {proxy_gap} above chance ({proxy_gap.interval}).",
        shows=("proxy_gap",),
        fooling="""Dropping every feature that tells the group may take out what the decision rests on for
        good reasons, and leave the difference where it was. And a low AUC of the features one by one says
        little of all of them together.""",
        doing="""Look at figures by group, and keep the column for comparing; drop a feature only after
        pricing it.""",
        command="wholeroad data next",
        nothing="When groups differ in no measure that anybody cares for.",
        source="""Dwork, Hardt, Pitassi, Reingold, Zemel 2012, Fairness through awareness, ITCS, section 4;
        Barocas and Selbst 2016, Big data's disparate impact, California Law Review 104""",
        expert="""Group membership regressed on the encoded features, judged on later time. High AUC means
        fairness through unawareness is void; it is a property of the features, not of the decisions.""",
        answers=("fairness-through-unawareness",),
    ),
    Lesson(
        code="worst-slices",
        theme="fairness",
        title="The worst slices, found on one half and measured on the other",
        what="""A slice is what a few conditions describe: heavy parcels from the north. The search looks at
        very many on one half of the cases and takes the worst. Their loss is then measured on the other half,
        which had no part in the search.""",
        formula="excess = loss per case in the slice − loss per case elsewhere, on the honest half",
        number="how many slices were looked at, how many were tested, and how many stand",
        reading="""A slice that stands loses more than the rest, with all that were tested judged together.
        Its conditions say where to look, not why.""",
        here="Here {slices_searched} slices were looked at, {slices_tested} tested; {slices_clear} stand.",
        shows=("slices_searched", "slices_tested", "slices_clear"),
        fooling="""Of those that stand a stated share is there by chance. Slices overlap: ten may tell one
        story. And loss is high where outcomes are hard to foretell for anybody.""",
        doing="Look at cases of the worst slice; give the model a feature that tells them apart.",
        command="wholeroad fairness slices",
        nothing="When none stands, or the slice's share of the whole loss is small.",
        source="""Sagadeeva and Boehm 2021, SliceLine, SIGMOD; Benjamini and Yekutieli 2001,
        Annals of Statistics 29 (false discovery rate)""",
        expert="""Lattice of up to three predicates with bounds on size and loss; sample splitting makes the
        estimate free of selection; Benjamini and Yekutieli over one-sided p-values on the honest half.""",
        needs=("segments",),
    ),
)
