"""Lessons on the troubles that are seen in times, keys and outcomes."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="time-gap",
        theme="time",
        title="Days or hours without rows",
        what="""A source has a rhythm: so many rows on a Monday at nine, so many on a Sunday. A gap is a
        stretch without a row in which the rhythm lets many be expected. Of outcomes it is a run of days
        whose cases have none.""",
        formula="a gap: rows expected between two rows > ln(n / 0.005) × how much days vary",
        number="from when to when nothing came, and how many rows were to be expected",
        reading="""Windows that reach into the gap count too little, and a model takes the silence for an
        answer. Cases of these days are in no fit.""",
        fooling="""A feed that breaks at night in a quiet season leaves a gap that nobody would expect
        rows in, and it isn't found. Christmas and New Year's Day are taken as closed.""",
        doing="Ask whoever delivers it for the rows of these days, and land them.",
        nothing="When nothing happened then: a holiday, a strike, a site that was closed.",
        source="""Brown and others 2002, The time-rescaling theorem and its application to neural spike
        train data analysis, Neural Computation 14""",
        expert="""Inter-event mass under a weekday × hour intensity with a local level is unit
        exponential; Bonferroni over gaps, scaled by a robust dispersion of daily counts.""",
        answers=("quality.time-gap",),
    ),
    Lesson(
        code="backfill",
        theme="time",
        title="Backfills: many rows known at one instant",
        what="""Rows that happened over days or months became known at one instant, in one lump. Before
        that instant nothing was known of them. Counted by when they happened, the past looks richer than
        it was.""",
        number="how many rows became known at which instant, and over how many days they had happened",
        reading="""If the instant is when your table was loaded, the true instants are lost, and the
        rehearsal is too hard on the features. If they did come so late, it is right.""",
        fooling="""An export that was made once has one instant for everything. A nightly load has one for
        each day and is no backfill.""",
        doing="Name in known_at what says when each row was known, or allow a delay after it happened.",
        command='known_at = "happened_at + 1d"',
        nothing="When the rows really came in one lump: what is known as of each day is right then.",
        source="""Snodgrass 1999, Developing time-oriented database applications in SQL, chapter 10;
        Akidau and others 2015, The dataflow model, VLDB 8, section 2""",
        expert="""Groups of equal transaction time whose valid-time spread and size exceed those of the
        usual loads several times.""",
        answers=("quality.backfill",),
    ),
    Lesson(
        code="late-arrivals",
        theme="time",
        title="Rows that become known late",
        what="""A row becomes known some time after it happened. Either this delay grew in a run of days,
        or a part of the rows comes far later than the others. A decision sees only what is known by then.""",
        formula="late: the logarithm of the delay beyond the upper quartile by 2.2 quartile distances",
        number="the median delay then and otherwise, or how many rows come how much later",
        reading="""Compare the delay with your windows and with matures. Shorter than both, it hardly
        matters; longer, features go stale and fits lack the slow outcomes.""",
        fooling="""The newest rows look quick, because the slow ones among them haven't come. Delays with
        a long tail always have some that are very late.""",
        doing="Count windows by when rows became known and widen them; raise matures for late outcomes.",
        command='late_7d = { mean = "truth = \'late\'", of = "outcomes", over = "7d", on = "known" }',
        nothing="When nobody decides within the delay.",
        source="""Tukey 1977, Exploratory data analysis, section 2D (fences); Akidau and others 2015, The
        dataflow model, VLDB 8, section 2""",
        expert="""Scan of the share beyond the median and the upper decile over all runs of days; the tail
        by outer fences of log delays within each class, as delays may depend on the label.""",
        answers=("quality.late-arrivals",),
        needs=("matures",),
    ),
    Lesson(
        code="clock-shift",
        theme="time",
        title="A clock that was some hours off",
        what="""In a run of days all instants lie the same whole hours off: a time zone was forgotten, or
        a server moved. The day's profile is that of other days, rotated. What lies too early claims to be
        known before it was.""",
        number="from when to when, by how many hours, and how that was seen",
        reading="""Hours of the day, ages and short windows are wrong in this run. If known_at is too
        early, decisions have seen the future.""",
        fooling="""People who begin to work at other hours look the same. So does summer time, when
        instants were written in local time without an offset.""",
        doing="Correct the instants where they come from, or say their offset, and land them again.",
        command='[source.x.csv] dates = "%d/%m/%Y %H:%M %z"',
        nothing="When the hours of work really changed.",
        source="""Kulldorff 1997, A spatial scan statistic, Communications in Statistics 26, section 2
        (the scan; the rotated profile is ours); docs/reference/time.md""",
        expert="""Log-likelihood gain of each rotation of the hour-of-day profile, added up over days;
        best run by maximal partial sum. Delays shifted by whole hours in all quantiles count too.""",
        answers=("quality.clock-shift",),
    ),
    Lesson(
        code="missing-since",
        theme="time",
        title="A column that is empty since a day",
        what="""The share of rows without a value steps up or down on a day, and perhaps back later.
        Somebody changed a form, an export or a field's name. It isn't the world that changed.""",
        number="the share without a value in the run and otherwise",
        reading="""A model that was fitted before knows how to read the value, not its absence; one fitted
        on both learns the date.""",
        fooling="""A column that is filled in late is always empty in the newest rows. That is no step,
        but the delay of the column.""",
        doing="Ask what changed on that day; mend it there, or fill the gap and flag it.",
        command='steps = [{ fill = "weight", with = 0, flag = "weight_missing" }]',
        nothing="When the column was introduced or given up on purpose, and no feature counts on it.",
        source="""Kulldorff 1997, A spatial scan statistic, Communications in Statistics 26; Breck and
        others 2019, Data validation for machine learning, MLSys, section 3""",
        expert="""Temporal binomial scan with quasi-likelihood dispersion from weekly blocks, Bonferroni
        over runs and columns, with a floor on the difference and on the odds.""",
        answers=("quality.missing-since",),
    ),
    Lesson(
        code="new-category",
        theme="features",
        title="A category that comes or goes",
        what="""A word is in a column only from a day on, or only up to a day, and with weight. There is
        something new in the world, or an old thing has a new name. The data can't tell which.""",
        formula="chance that m days all lie in a part f of the rows: f to the power of m",
        number="the word, since when or until when, and its share of the rows of that time",
        reading="""A model knows nothing of a word that it has never seen, until the next fit. A rule that
        names words leaves it out.""",
        fooling="""Two words of which one goes on the day the other comes are nearly always one thing.
        Rare words come and go by chance.""",
        doing="Ask what it means; map it onto the old word where it says the same.",
        command='steps = [{ map = "channel", values = { kiosk = "shop" } }]',
        nothing="When it is really new: a product, a site, a channel. The next fit learns it.",
        source="""Barton and David 1959, Combinatorial extreme value distributions, Mathematika 6 (the
        greatest gap); Breck and others 2019, Data validation for machine learning, MLSys, section 3""",
        expert="""Support test under exchangeable days, not rows, Bonferroni over all levels; at least one
        row in a hundred of the time in which it is there.""",
        answers=("quality.new-category",),
    ),
    Lesson(
        code="volume-jump",
        theme="time",
        title="Days with twice or half the rows",
        what="""In a run of days far more or far fewer rows come than in the weeks beside it. A part may
        be delivered twice under other keys, or left out. Weekdays and slow growth are allowed for.""",
        number="rows a day in the run and beside it",
        reading="""Whatever counts or adds up rows jumps with it. If the share of outcomes stayed the same
        while the count doubled, rows were probably copied.""",
        fooling="""A campaign, a season and a new site look the same. A slow doubling over months is
        growth and isn't shown.""",
        doing="Set aside rows that agree in all but their key, or land what is missing.",
        command='steps = [{ deduplicate = ["customer_id", "picked_at", "volume_l"] }]',
        nothing="When there was really more or less.",
        source="Kulldorff 1997, A spatial scan statistic, Communications in Statistics 26, section 2",
        expert="""Poisson likelihood ratio of each run against the four weeks on either side, with weekday
        rates, divided by a robust dispersion; ratios below 1.55 are left alone.""",
        answers=("quality.volume-jump",),
        needs=("time-gap",),
    ),
    Lesson(
        code="key-changed-meaning",
        theme="outcomes",
        title="A key that means something else",
        what="""A key was given out again: its row comes back days later with most columns changed. Or the
        names of things were moved: what never changes for the others (a home, a model) changes for many
        at one instant.""",
        number="how many keys came back, or how many things changed at which instant",
        reading="""A row under an old key counts as its correction, so the old row vanishes from then on.
        A window by a name that was moved mixes two things.""",
        fooling="""If an attribute was renamed for everybody on that day, nothing was given out again.
        People do move house, but not a hundred of them in one night.""",
        doing="Ask for a key that is never given out again; until then add the date to the key.",
        command='key = ["pickup_id", "picked_at"]',
        nothing="When a row may be written anew under its key, and only its newest state counts.",
        source="""Fan and others 2008, Conditional functional dependencies for capturing data
        inconsistencies, ACM Transactions on Database Systems 33; docs/reference/time.md (row versions)""",
        expert="""Versions of one key with another valid time and most attributes changed; and attributes
        that are functionally dependent on an entity except for single flips that share one instant.""",
        answers=("quality.key-changed-meaning",),
        needs=("key",),
    ),
    Lesson(
        code="orphans",
        theme="outcomes",
        title="Rows that refer to nothing",
        what="""A row names a case or a thing that isn't there: an outcome without its case, a customer
        that the table of customers doesn't have. The join finds nothing and says nothing.""",
        number="how many rows refer to nothing, and how many different names they give",
        reading="""An outcome that finds no case is a case that seems to have none. A lookup that finds
        nothing is a feature that is empty.""",
        fooling="""Keys that look alike may differ: 0042 and 42, blanks at the end, capitals. Then nothing
        is missing but a spelling.""",
        doing="Land the rows that are missing, or mend the spelling of the key.",
        command='[source.x.contract.column] customer_id = { references = "customers.customer_id" }',
        nothing="When the other table was cut to what is needed and these rows lie outside.",
        source="""Codd 1970, A relational model of data for large shared data banks, Communications of the
        ACM 13, section 1.3""",
        expert="Anti-join along the foreign keys that lookups and the outcome imply; nulls are no orphans.",
        answers=("quality.orphans",),
        needs=("key",),
    ),
    Lesson(
        code="tells-too-well",
        theme="features",
        title="A column that tells the outcome too well",
        what="""One column, as known when cases were decided, tells the outcome by itself. It may be
        written after the outcome, with known_at claiming otherwise. Then a model is brilliant in
        rehearsal and blind when it is live.""",
        formula="AUC: the chance that a hit has the greater value; 0.5 is none, 1 is perfect",
        number="the AUC of the column, and that of the next best",
        reading="""Near one, it is hardly ever honest. Far ahead of all other columns, ask who writes it,
        and when.""",
        fooling="""An honest column can be this good: then a rule by it alone may be all that is needed. A
        leak in a few rows only is too weak to be seen.""",
        doing="Find out when it is written; take it out, or give it a source whose known_at says when.",
        command='[source.x] known_at = "written_at"',
        nothing="When it is really known before the decision.",
        source="""Kaufman, Rosset, Perlich and Stitelman 2012, Leakage in data mining, ACM Transactions on
        Knowledge Discovery from Data 6, section 4""",
        expert="""Univariate AUC on rows as of the decision, out of time for categories; flagged at 0.95,
        or at 0.78 with a lead of 0.1 over the best other column.""",
        answers=("quality.leak",),
    ),
    Lesson(
        code="missing-tells",
        theme="features",
        title="Having no value goes with the outcome",
        what="""Where a column is empty, the outcome is another than where it is filled. Either the gap is
        made by how the case turned out, and is a leak; or the cases without a value are of a kind of
        their own.""",
        number="the share of hits where it is empty and where it is filled",
        reading="""If it is filled in after the outcome, live rows will be empty where history is filled.
        If not, leaving empty rows out is a bias, and a flag is a feature.""",
        fooling="""A gap in time and a rate that moved in time go together without meaning anything; so
        the difference is taken within parts of time.""",
        doing="Find out when it is filled in. Keep a flag if before the decision, leave it out if after.",
        command='steps = [{ fill = "income", with = 0, flag = "income_missing" }]',
        nothing="When the reason for the gap is known before the decision: the gap is information.",
        source="""Cochran 1954, Some methods for strengthening the common chi-squared tests, Biometrics
        10; Little and Rubin 2019, Statistical analysis with missing data, section 1.3""",
        expert="""Cochran-Mantel-Haenszel over tenths of the cases in order of time, Bonferroni over
        columns; at least six points and an odds ratio of 1.6.""",
        answers=("quality.missing-tells-outcome",),
        needs=("tells-too-well",),
    ),
    Lesson(
        code="known-too-late",
        theme="time",
        title="Known too late for the decision",
        what="""A column is empty in the row that was known when a case was decided, and filled in a later
        version. An export of today shows the value in every row. No decision ever saw it.""",
        number="for how many cases it was empty at the decision, and how long after it the value came",
        reading="""Features here are as known, so they are right: the column is just emptier than it
        looks. Anything fitted on the newest state isn't.""",
        fooling="""In an export with one row per case nothing can be seen of it, for the later value
        stands there from the beginning.""",
        doing="Decide later, or leave the column out; keep the gap only if it is meant.",
        command='decide_at = "opened_at + 1d"',
        nothing="When the few cases that lack it don't matter.",
        source="""Snodgrass 1999, Developing time-oriented database applications in SQL, chapter 10;
        docs/reference/time.md (visibility)""",
        expert="Nulls of the version as of decided_at against the newest one, case by case.",
        answers=("quality.known-too-late",),
        needs=("tells-too-well",),
    ),
    Lesson(
        code="rate-shift",
        theme="outcomes",
        title="The outcome's rate moved on a day",
        what="""From a day on the class that is looked for comes true more often, or less. The world
        changed, or the truth is recorded in another way. Young cases are left out, since they lack the
        slow outcomes.""",
        formula="the largest of all standardised differences before and after a day",
        number="the share before and since, and on how many cases",
        reading="""If the world changed, a refit follows it. If the recording did, a model learns the
        recording, and the money is counted wrongly on one side.""",
        fooling="""A rate that drifts slowly also has a best day to be cut at. A change of the mix of
        cases moves the rate though nothing else did.""",
        doing="Find out what changed; if the recording did, let truth say the same before and after.",
        command='window = "180d"',
        nothing="When the world changed: refits are made for that.",
        source="""Hinkley 1970, Inference about the change-point in a sequence of random variables,
        Biometrika 57; James, James and Siegmund 1987, Tests for a change-point, Biometrika 74""",
        expert="""Likelihood-ratio scan for one step in a share, weekly quasi-likelihood dispersion, tail
        by James, James and Siegmund; matured cases only.""",
        answers=("quality.outcome-rate-shift",),
        needs=("matures",),
    ),
    Lesson(
        code="segment-without-outcomes",
        theme="outcomes",
        title="A segment of which no outcome is told",
        what="""Of a category of cases outcomes are hardly ever told, or it is always the same one, while
        elsewhere they vary. Perhaps nobody records them there. A model learns that nothing ever happens
        there.""",
        number="the share of its cases with an outcome, and that of the others",
        reading="""Its cases are decided like all others, but their money is in no report. Where silence
        means a class, the whole segment looks like that class.""",
        fooling="A small segment can be of one class by chance; the bar rises with the number of segments.",
        doing="Land its outcomes; until then let the status quo decide for it, or leave it out of the cases.",
        command='steps = [{ drop = "site = \'annex\'", reason = "no outcomes" }]',
        nothing="When it is decided elsewhere, or can't turn out otherwise.",
        source="""Hoeffding 1963, Probability inequalities for sums of bounded random variables, Journal
        of the American Statistical Association 58, theorem 1""",
        expert="""Chernoff bound with relative entropy for the share of labelled cases, and for pure
        segments, by category, Bonferroni over all; label availability that isn't at random.""",
        answers=("quality.segment-without-outcomes",),
        needs=("settled",),
    ),
)
