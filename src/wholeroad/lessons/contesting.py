"""Lessons on contesting a decision, on flips, and what the codes of appeals mean."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry, Lesson

LESSONS: Final = (
    Lesson(
        code="counterfactual",
        theme="fairness",
        title="What would have changed a decision",
        what="""The smallest changes of a case under which the same model, by the same rule, would have
        decided otherwise. Only features that may change are changed, only the way they may, and only to
        values that earlier cases had. Each one that is shown was decided again.""",
        formula="smallest sum of |new − own| / median absolute deviation, over one feature or two",
        number="the changes that would have led to another action",
        reading="""It says on what the decision hung. A change that is small beside the feature's spread
        means a close call. None at all means that the case is far from any other decision.""",
        fooling="""It looks like advice and is none: the model may be wrong about the world, a change of one
        feature moves others, and the next model may decide otherwise. People who only move the number, and
        not what it stands for, are decided otherwise and fare no better.""",
        doing="""Name in the brief what those affected can change, and in which direction: changeable = {
        income = "up" }. Tell people what the decision hung on, and how to appeal.""",
        command="wholeroad explain decision KEY",
        nothing="When the status quo, chance, a capacity or a person decided: then no feature did.",
        source="""Wachter, Mittelstadt, Russell 2017, Harvard Journal of Law and Technology 31; Karimi,
        Schölkopf, Valera 2021, FAccT""",
        expert="""Grid over the observed 1-99% range per feature, refined, then pairs of insufficient
        features, scored in batches; MAD-weighted L1, sparsity first, nearness to data second (Gower to the
        nearest observed case). Features derived from a changed case column are recomputed; values, status
        quo and group thresholds too. No causal model: an intervention may come out otherwise.""",
    ),
    Lesson(
        code="flip",
        theme="fairness",
        title="Another group, all else equal",
        what="""Other values of a group are put in place, one after the other, and the model decides again.
        The share of decisions that change says how much the column itself decides. It needs a model that
        sees the column.""",
        formula="share = decisions that another value changes / cases with this value",
        number="the share of decisions that another value of the group would change",
        reading="""A share near zero says that the column hardly matters by itself. A large one says that
        like cases are decided differently because of it.""",
        fooling="""Everything else stays as it was, and in the world it wouldn't: what the group brings
        about, and what stands for it, is untouched. A model that doesn't see the group at all has no flips
        and may still treat groups very differently.""",
        doing="Read it beside the rates by group and the proxies; it can accuse, and it can't acquit.",
        command="wholeroad fairness flips",
        nothing="When the group isn't something that could be otherwise with all else equal.",
        source="""Kusner, Loftus, Russell, Silva 2017, Counterfactual fairness, NeurIPS; Kohler-Hausmann
        2019, Northwestern University Law Review 113""",
        expert="""Ceteris paribus, not counterfactual fairness: descendants of the group are held fixed.
        Commonest values only; day-clustered intervals; thresholds of groups stay those of the case.""",
        needs=("counterfactual",),
    ),
    Lesson(
        code="appeal",
        theme="fairness",
        title="Contesting a decision",
        what="""Whoever is affected may say that a decision is wrong, and a person answers. Appeal and
        answer are lines of the record; the decision itself is never rewritten. An answer may name what was
        done instead, and what came true, which is then a verdict.""",
        number="""how many decisions were contested, how many of the answered appeals were upheld, how many
        wait""",
        reading="""Upheld appeals are errors that people found. Compare the shares by group, with their
        intervals, and look at those that wait longer than was promised.""",
        fooling="""Who appeals isn't drawn by chance: those who know how to complain do. A group without
        appeals may be a group that was never told that it could.""",
        doing="""Say in the brief who answers and how soon (appeals_to, answered_within), and tell those
        affected. Write no more about a person into a reason than is needed: the record stays.""",
        command="wholeroad appeal KEY --because REASON",
        nothing="When nobody is affected, as where parcels are sorted.",
        source="""General Data Protection Regulation, article 22 (3); docs/decisions/0019-verdicts-stand-
        over-rows.md""",
        expert="""Facts Appealed and AppealAnswered; one open appeal per case, answers by a person other
        than the one who appealed, no rewriting. Wilson intervals by group; selection into appealing is
        unmodelled.""",
        needs=("counterfactual",),
    ),
)

ENTRIES: Final = (
    Entry(
        "appeal.no-decision",
        "Only a decision on the record can be contested.",
        "Give the case's key as the table of decisions has it; what isn't decided yet, decide first.",
        "appeal",
    ),
    Entry(
        "appeal.no-reason",
        "An appeal and its answer both need a reason in words.",
        "Say why.",
        "appeal",
    ),
    Entry(
        "appeal.open-already",
        "An appeal about the case waits for its answer.",
        "Answer that one first.",
        "appeal",
    ),
    Entry(
        "appeal.unknown",
        "No appeal has this number.",
        "List them, and name one that waits.",
        "appeal",
    ),
    Entry(
        "appeal.answered",
        "An appeal has one answer, and it has been given.",
        "Open another appeal about the case.",
        "appeal",
    ),
    Entry(
        "appeal.no-person",
        "An appeal is answered by a person, who is named.",
        "Name who looked at the case.",
        "appeal",
    ),
    Entry(
        "appeal.own-answer",
        "Nobody answers their own appeal.",
        "Let somebody else look at the case.",
        "appeal",
    ),
    Entry(
        "appeal.action",
        "Only an appeal that was upheld names what was done instead, by an action of the brief.",
        "Name one of the actions, or none.",
        "appeal",
    ),
    Entry(
        "appeal.label",
        "What came true is one of the outcome's classes.",
        "Name one of them, or none.",
        "appeal",
    ),
)
