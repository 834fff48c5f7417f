"""Lessons on data that aren't there yet, guesses, and the machinery around the data."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="enough-outcomes",
        theme="planning",
        title="How many outcomes are enough",
        what="""A small gain needs many cases to be told from luck. How many follows from the gain that
        you ask for and from how much money varies between cases. Half the gain needs four times the
        cases.""",
        formula="n = ((z_confidence + z_power) × s / gain)²",
        number="outcomes that are known, outcomes needed, and the date when they will be there",
        reading="""Too few outcomes don't forbid a rehearsal. They say that "no clear difference" is the
        likely result even if the gain is real.""",
        fooling="""The formula takes cases as independent. Cases that come in runs are worth fewer; take
        twice the number. It tells such a gain from nothing: for the lower bound to reach what you ask, the
        true gain has to lie above it.""",
        doing="Wait until the date, or ask for a larger gain.",
        command="wholeroad check",
        nothing="When the number is there twice over.",
        source="""Cohen 1988, Statistical power analysis for the behavioral sciences, chapter 2; Lachin
        1981, Controlled Clinical Trials 2""",
        expert="""Normal-theory one-sided sample size at 80% power, s from the per-case value spread of
        the best constant deviation; multiply by the design effect for clustering.""",
        answers=("check.too-few-outcomes", "check.fit-refused"),
        needs=("success-criterion",),
    ),
    Lesson(
        code="learning-curve",
        theme="planning",
        title="The learning curve: what would more data bring?",
        what="""The fit is made on growing parts of the data, and the gain is drawn over their size. Where
        the curve still rises, more data bring more. It is extended a little by a formula, with an
        interval, and not at all where its end is ill-behaved.""",
        formula="gain(n) ≈ a − b × n^(−c), extended to four times n at most",
        number="the gain at your size, and at twice and four times as much, with intervals",
        reading="Compare what is won by doubling the data with what collecting them costs.",
        here="At {rows} the gain is {gain_per_case} per case; with four times as many, {gain_at_four_times}.",
        shows=("rows", "gain_per_case", "gain_at_four_times"),
        fooling="""About one curve in seven is not well-behaved: it falls, jumps or bends the wrong way. A
        neat formula through a few noisy points promises too much.""",
        doing="Collect more where it rises; look for better features where it is flat.",
        command="wholeroad check",
        nothing="When the curve is flat: more of the same rows buy nothing.",
        source="""Viering and Loog 2023, The shape of learning curves: a review, IEEE TPAMI 45(6),
        sections 4 and 6; Yan, Mohr and Viering 2025, LCDB 1.1""",
        expert="""Inverse power law (pow3) on nested subsets that are thinned in time order, so that size
        isn't mixed with recency; interval by resampling cases and chains. Refused for ill-behaved tails
        and beyond four times n.""",
        answers=("check.learning-curve",),
        needs=("interval",),
    ),
    Lesson(
        code="collection-plan",
        theme="planning",
        title="The collection plan",
        what="""With no rows at all the brief already says which tables and columns are needed, and how
        many rows tell the gain from noise. At a stated rate that gives a date. All of it rests on
        assumptions, which stand beside it.""",
        formula="""date ≈ first logged day + cases needed / cases per day + the time that outcomes need to
        mature""",
        number="rows needed for each table, and the date when they will be there",
        reading="""If the date is too far away, the gain asked for is too small to be worth measuring, or
        the question too rare.""",
        here="{needed} outcomes are needed.",
        shows=("needed", "cases_per_day"),
        fooling="""Logging begins later than planned, and the first weeks are wrong. The times of knowing
        are what everybody forgets to log, and they can't be added later.""",
        doing="Begin logging now: what happened, when, when it was known, and what was done.",
        command="cases_per_day = 120",
        nothing="When the rows exist already: land them.",
        source="""Lachin 1981, Introduction to sample size determination and power analysis, Controlled
        Clinical Trials 2; docs/reference/brief.md, [collect]""",
        expert="Planning by power at an assumed spread and base rate; report the sensitivity to both.",
        needs=("enough-outcomes",),
    ),
    Lesson(
        code="assumption",
        theme="planning",
        title="Guesses that nobody has confirmed",
        what="""`wholeroad start` fills a brief in from the file and marks every guess with `# assumed`.
        Reports repeat the guesses until somebody confirms them. A wrong guess about times or about what
        counts as the truth changes everything after it.""",
        number="which settings are guessed, and why",
        reading="Confirm times and truth first, then values; the rest matters less.",
        fooling="A guess that nobody questions becomes a fact after the third report.",
        doing="Read the line, correct it if need be, and delete the words `# assumed`.",
        command='known_at = "landed" # assumed',
        nothing="When the line is as you would have written it: then only delete the mark.",
        source="Sculley et al. 2015, Hidden technical debt in machine learning systems, NeurIPS, section 3",
        expert="Undeclared defaults are configuration debt; provenance is kept per setting until reviewed.",
    ),
    Lesson(
        code="brief",
        theme="planning",
        title="The brief",
        what="""The brief is one file that says what is decided, what counts as the truth, what it is
        worth, and which data there are. It is checked as a whole, and all faults are told at once. The
        business can read it; the program runs it.""",
        number="each fault, with its place, what was expected, and how to mend it",
        reading="A fault in the brief costs a minute; the same mistake in a model costs a quarter.",
        fooling="A brief that is valid may still ask the wrong question.",
        doing="Mend all faults that are listed, then check again.",
        command="wholeroad check",
        nothing="When the check is quiet.",
        source="docs/reference/brief.md",
        expert="""A closed, typed schema: unknown keys are refused, cross-table references resolved before
        any data are read.""",
    ),
    Lesson(
        code="files",
        theme="planning",
        title="Files as they come",
        what="""Files are read as they say of themselves: Parquet has types, CSV is text. Text is turned
        into the types of the brief, and a row that can't be is set aside with its reason. Nothing is
        guessed while landing.""",
        number="the file, the place in it, and what stood there",
        reading="One broken row is set aside; a file that can't be read at all stops, and nothing is landed.",
        fooling="A file that a spreadsheet has opened and saved may have lost leading zeros and dates.",
        doing="Name the format in the brief, or export the table again as Parquet.",
        command='csv = { separator = ";", decimal = ",", dates = "%d/%m/%Y" }',
        nothing="When the counts of `wholeroad land` add up.",
        source="docs/reference/brief.md, [source]; RFC 4180",
        expert="Schema-on-read with per-row rejection; a landing is atomic per batch.",
        needs=("quarantine",),
    ),
    Lesson(
        code="storage",
        theme="planning",
        title="The folder, its ledger and its lock",
        what="""A project is one folder: the brief, your data, and what wholeroad keeps beside them. One
        command writes at a time, and what was acknowledged is on the disk. After a crash the same command
        goes on.""",
        number="the file or folder, and what the system said of it",
        reading="""Exit 75 means: nothing is wrong but the moment, try again. Exit 2: something of yours
        can be mended.""",
        fooling="Two copies of a folder that both go on are two histories.",
        doing="Wait for the other command, free space, or restore the folder from a backup.",
        command="wholeroad land",
        nothing="When the next run succeeds.",
        source="docs/reference/folder.md",
        expert="""Delta for tables, SQLite (synchronous = FULL) for facts; table first, ledger second; one
        writer lock.""",
    ),
    Lesson(
        code="rehearsal",
        theme="planning",
        title="A rehearsal and its name",
        what="""A rehearsal replays history through the cycles under several policies, by the code that
        runs live. Its folder is named after what went in, so the same command goes on where it stopped.
        Another brief, other data or another span are another rehearsal.""",
        number="the name, the span, and which policies were run",
        reading="It speaks of the policies that were run, on the span that was scored.",
        fooling="Choosing the span after seeing the result is choosing the result.",
        doing="Give the span and the policies on the command line, or in the brief.",
        command="wholeroad rehearse --policy never --from 2013-03-01",
        nothing="When the inputs are the same: the result will be too.",
        source="docs/reference/folder.md; ARCHITECTURE.md, The life of a rehearsal",
        expert="Deterministic replay keyed by (version, brief, cut, seed, span); resumable after any write.",
    ),
    Lesson(
        code="dumps",
        theme="planning",
        title="Dumps: the same table, exported again and again",
        what="""A dump shows a table as it was when it was taken. Each is compared with the one before:
        new rows and changed rows become versions, known from then on. So the past can be asked again,
        though the table itself forgets.""",
        number="the dumps, and when each was taken",
        reading="The times of knowing are only as fine as the dumps: a daily one knows days.",
        fooling="A dump that comes out of order would undo what later ones said.",
        doing="Put the date into each file's name, and land them in order.",
        command='read = "dumps/customers-*.csv"',
        nothing="When the table keeps its own times.",
        source="""docs/reference/time.md (row versions); Snodgrass 1999, Developing time-oriented database
        applications in SQL, chapter 10""",
        expert="""Snapshot differencing by key and content; transaction time is interval-censored by the
        dump period.""",
        needs=("key",),
    ),
    Lesson(
        code="database",
        theme="planning",
        title="Reading from a database",
        what="""A source may be a query. The address of the database, with its password, stands in an
        environment variable, never in the brief. A database that goes away midway is no fault of yours:
        what has landed stays, and the rest lands next time.""",
        number="what the database said, without the password",
        reading="""Exit 75 means: try again later. Exit 2 means that the address or the query has to be
        mended.""",
        fooling="A query over a table that is updated in place shows today, not what was known then.",
        doing="Set the variable where the command runs; cron has an environment of its own.",
        command='read = "SELECT * FROM orders"',
        nothing="When the next run succeeds.",
        source="docs/reference/brief.md, [source]; Apache Arrow, ADBC specification",
        expert="""Read-only ADBC, one SELECT, Arrow batches; no snapshot across sources unless the query
        gives it.""",
        needs=("files",),
    ),
    Lesson(
        code="live-run",
        theme="planning",
        title="Running live: the same cycle on the real clock",
        what="""Every run lands what is new, does the cycles that are due, and decides the cases that are.
        It is the code that rehearsals run, so a record of live decisions can be rehearsed and must come
        out the same. Runs may be late or repeated; nothing is decided twice.""",
        number="the last run, and what it decided",
        reading="If the replay differs, code, packages or files were changed since; the record stands.",
        fooling="A job that was silent for a week looks like a week without cases.",
        doing="Run it from cron, and look at the status.",
        command="wholeroad cycle",
        nothing="When the status says that nothing is late.",
        source="ARCHITECTURE.md, Promises; docs/reference/folder.md",
        expert="""One deterministic step function on recorded instants; idempotent by ledger position;
        parity is by bytes.""",
        needs=("storage",),
    ),
    Lesson(
        code="settings",
        theme="planning",
        title="Your own settings, apart from the project",
        what="""What is trusted and what may be imported stands in settings of your own, outside the
        project. A project from somebody else can't widen them. Without them nothing from outside is
        loaded.""",
        number="where the settings are, and what they say",
        reading="Add a type or a learner only if you know who wrote it.",
        fooling="An allow-list inside the thing that it allows protects nobody.",
        doing="Mend or write the file that the message names.",
        command="wholeroad explain learner",
        nothing="When you use only what ships.",
        source="docs/reference/brief.md, [model]",
        expert="""Capability configuration is held by the user, not the artefact; see the skops loader
        issue of MLflow, 2026.""",
    ),
)
