"""Lessons on what was known when: maturing outcomes, windows, hindsight, histories without time."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="matures",
        theme="time",
        title="When outcomes are typical: matures, and the embargo",
        what="""Outcomes come late, and the quick ones are not like the slow ones: short flights land
        first. A case is trained on once it is so old that nearly all outcomes of its age are in. Between
        the slices of a fit the same span is left out, so that no slice knows what wasn't known.""",
        formula="trained on: decided_at + matures ≤ cut; embargo between slices = matures",
        number="after which span nine tenths of your outcomes are known, beside matures",
        reading="""Too short, and models learn the quick cases. Too long, and they learn from an old
        world. With refits more often than matures, a refit sees hardly anything new.""",
        shows=("rows", "embargoed"),
        fooling="""Everything looks better with a short span: the quick cases are often the easy ones, and
        the score is counted on them too.""",
        doing="Set it to the span after which nine tenths of the outcomes are in.",
        command='matures = "3d"',
        nothing="When outcomes come the same day and decisions are made daily.",
        source="""Grzenda, Gomes and Bifet 2020, Delayed labelling evaluation for data streams, Data
        Mining and Knowledge Discovery 34; embargo: López de Prado 2018, Advances in financial machine
        learning, section 7.4""",
        expert="""Verification latency that depends on the label biases an untruncated sample; maturity
        cuts it at a quantile. The embargo purges label overlap between train, stop and choose.""",
        answers=("embargo", "check.immature"),
    ),
    Lesson(
        code="check.matures-late",
        theme="time",
        title="Outcomes mature later than refits come",
        what="""A refit learns from matured cases only. When outcomes need longer to mature than the time
        between two refits, a new model sees almost what the last one saw. You pay for fits that learn
        nothing new.""",
        number="the maturing span beside the span between refits",
        reading="The fewer new outcomes a refit sees, the less it can be worth; its cost stays.",
        fooling="More frequent refits feel like fresher models; here they are the same model again.",
        doing="Refit at most once per maturing span, or find an earlier sign of the outcome.",
        command='when = "every 60d"',
        nothing="When fits cost nothing and nobody has to look at them.",
        source="""Chapelle 2014, Modeling delayed feedback in display advertising, KDD, section 1;
        docs/reference/brief.md, [policy.refit]""",
        expert="Label latency bounds the useful refit rate; a quick proxy outcome trades bias for latency.",
        needs=("matures",),
    ),
    Lesson(
        code="check.window-too-short",
        theme="time",
        title="A window shorter than the delay of its rows",
        what="""A window counts rows that happened in its span and are known. If half of the rows become
        known later than the window is long, it sees the quick rows only. The feature then measures speed
        of reporting, not what you meant.""",
        formula="seen share ≈ P(delay < age within the window)",
        number="the median delay of the rows beside the window's span",
        reading="A model can live with it as long as the delays never change; when a feed slows, it breaks.",
        fooling="""In a table without known_at the feature looks perfect, because history shows all rows
        at once.""",
        doing="Widen the window, or count by when rows became known.",
        command='late_24h = { mean = "truth = \'late\'", of = "outcomes", over = "24h", on = "known" }',
        nothing="When being reported quickly is what you want to count.",
        source="docs/reference/time.md (windows); Akidau et al. 2015, The dataflow model, VLDB 8, section 2",
        expert="""Right truncation by reporting delay: event-time windows are biased, processing-time ones
        are not.""",
        needs=("matures",),
    ),
    Lesson(
        code="hindsight",
        theme="time",
        title="Hindsight: tables without time",
        what="""A static source has no times, so the rehearsal shows it as it is today, also to cases of
        years ago. What was learnt in between leaks into the past. Seats of an aircraft type hardly
        change; a customer's status does.""",
        number="which features read a static source",
        reading="If a static feature matters much for the model, distrust the gain until it has times.",
        fooling="""A column that is filled in after the outcome (an account closed, a complaint field) is
        the worst kind, and looks like the best feature.""",
        doing="Give the source happened_at and known_at, or land dumps of it from now on.",
        command='known_at = "landed"',
        nothing="When the rows can't have changed.",
        source="Kaufman, Rosset and Perlich 2012, Leakage in data mining, ACM TKDD 6(4), section 3",
        expert="""Slowly changing dimension read at its current version: look-ahead bias, bounded by its
        rate of change.""",
        answers=("check.hindsight",),
        needs=("leak",),
    ),
    Lesson(
        code="without-time",
        theme="time",
        title="Data without time: value by cross-validation, and no rehearsal",
        what="""Without times nobody can tell what was known when a case was decided. Cases can still be
        parted at random, so that each is decided by a model that hasn't seen it. That prices a decision
        among cases like these, at best; it can't rehearse refits, delays or a changing world.""",
        formula="value = mean over cases of value(action by the model of the other folds, outcome)",
        number="the gain per case from cross-validation, with its interval",
        reading="""Read it as an upper guess. A leak in a column shows up here as an excellent result, and
        nothing warns of it.""",
        here="By cross-validation the gain was {gain_per_case} per case ({gain_per_case.interval}).",
        shows=("gain_per_case", "rows"),
        fooling="""Cases that belong together (one customer, one day) land in several folds and help each
        other. Intervals over folds are too narrow: folds share their training cases.""",
        doing="From tomorrow log three stamps: when it happened, when you knew, when you decided.",
        command='known_at = "landed"',
        nothing="When the decision is made once, on this list, and never again.",
        source="""Arlot and Celisse 2010, A survey of cross-validation procedures, Statistics Surveys 4,
        section 8; Bengio and Grandvalet 2004, No unbiased estimator of the variance of K-fold
        cross-validation, JMLR 5; Kapoor and Narayanan 2023, Leakage and the reproducibility crisis,
        Patterns 4(9)""",
        expert="""K-fold policy value under exchangeability: no covariate shift, no label latency, no
        point-in-time guarantee. Group structure and leakage are not excluded.""",
        answers=("cross-validation", "check.no-time"),
        needs=("interval", "leak"),
    ),
    Lesson(
        code="settled",
        theme="time",
        title="Settled, pending, unknown",
        what="""A decision is settled when its outcome is known: then its money is. Pending means no
        outcome row yet; unknown means a row that doesn't tell, such as a null. Only settled cases carry
        money, for every policy alike.""",
        formula="cases = settled + pending + unknown",
        number="how many cases are settled, pending and unknown",
        reading="""A few per cent pending at the end of a history are normal. Many unknown ones are a
        question about the data.""",
        here="Of {cases}, {settled} are settled, {pending} pending and {unknown} unknown.",
        shows=("cases", "settled", "pending", "unknown"),
        fooling="""If pending or unknown cases are unlike the others (the worst ones, often), all totals
        are off.""",
        doing="Say what a null means in truth; say what silence means in if_never.",
        command="""truth = "case when cancelled or coalesce(arr_delay, 999) > 30 then 'late' else
        'on_time' end"
        """,
        nothing="When they are few and come evenly.",
        source="""Little and Rubin 2019, Statistical analysis with missing data, section 1.3;
        docs/reference/time.md""",
        expert="""Complete-case analysis by outcome: unbiased only if missingness is independent of value
        given the action. Three-valued truth keeps null from becoming the else class.""",
        answers=("pending", "unknown"),
    ),
)
