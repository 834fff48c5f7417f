"""Lessons on the troubles that are seen in values alone."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="duplicate-rows",
        theme="features",
        title="Rows that are there twice under another key",
        what="""Two rows say the same in every column but have different keys. A form was sent twice, an
        export was run twice, two systems gave the same thing a number of their own.""",
        formula="""by chance: pairs that agree in all columns but one × share of any two rows that agree
        in that one""",
        number="how many rows repeat an earlier one, and how many chance would make",
        reading="""Each copy counts once more in windows and in money, and makes the evidence look
        larger than it is. A copy whose twin is in another slice lets a model look up the answer.""",
        fooling="""Tables with few, coarse columns hold equal rows by right. The bar rises with them, so
        that real copies among them aren't found either.""",
        doing="Set the later ones aside; ask which system numbers them anew.",
        command='{ deduplicate = ["customer_id", "ordered_at", "amount"] }',
        nothing="When two things can be alike in all that is written down.",
        source="""Christen 2012, Data matching, chapter 1; the bar is a leave-one-column-out estimate of
        chance""",
        expert="""Conditional collision probability by leaving out each of the most selective columns in
        turn, the greatest taken, against a Poisson tail of 1e-4.""",
        answers=("quality.duplicate-rows",),
    ),
    Lesson(
        code="near-duplicates",
        theme="features",
        title="Rows that are nearly the same",
        what="""Two rows under different keys agree in nearly everything: a stamp is minutes later, an
        amount is rounded, a name is written another way. Somebody entered one thing twice.""",
        formula="weight of agreeing in a column: −log2(share of any two rows that agree in it)",
        number="""how many rows nearly repeat an earlier one, where they differ, and how many chance
        would make""",
        reading="As with copies: the thing counts twice, and neither row is known to be the right one.",
        fooling="""Twins, standing orders and repeated measurements look alike by right. Rows that
        differ in three small things at once are missed.""",
        doing="Look at the examples; set the later ones aside by the columns that agree exactly.",
        nothing="When each row is a measurement of its own.",
        source="Fellegi and Sunter 1969, A theory for record linkage, JASA 64, section 2",
        expert="""Blocking on pairs of the most selective columns; agreement after folding, or near (3
        %, rounding, 15 minutes, two letters); expected count by leave-one-column-out.""",
        answers=("quality.near-duplicates",),
        needs=("duplicate-rows",),
    ),
    Lesson(
        code="impossible-value",
        theme="features",
        title="Values that can't be",
        what="""A weight below zero, a share above one, an age of 200, a latitude of 120, a birthday in
        years to come. What the column's name promises, nearly all rows keep, and a few don't.""",
        number="how many rows lie outside of which range, and what they are",
        reading="""A sign that was flipped, a slip of the keys, two columns that changed places, a code.
        The cause decides the mend, so look at the examples first.""",
        fooling="""Refunds are negative by right, and growth may exceed one. Values that are wrong but
        possible are never found this way.""",
        doing="""Set the rows aside or empty the value; promise the range in the contract, so that it
        stays so.""",
        command="[source.parcels.contract.column] weight_kg = { range = [0, 1000] }",
        nothing="When the number means something else, as a refund does.",
        source="van der Loo and de Jonge 2018, Statistical data cleaning, chapter 6 (edit rules)",
        expert="""Name-driven ranges, in force only where at least four fifths of the values keep to
        them; negatives count where their size is that of the others and no category explains them.""",
        answers=("quality.impossible-value",),
    ),
    Lesson(
        code="unit-change",
        theme="features",
        title="A column that changes its unit",
        what="""For a span of time, or in one segment, the numbers are those of another unit: grams for
        kilograms, cents for euros, inches for centimetres, Fahrenheit for Celsius. Nothing is broken,
        and every sum is.""",
        formula="""score of a run = sum of log f(value / factor) − log factor − log f(value), f being
        the column's own""",
        number="the factor, from when to when, and the medians there and elsewhere",
        reading="""A model takes the larger unit for larger things. After the change everything that was
        learned before is off by the factor.""",
        fooling="""A price that really rose tenfold looks the same. A factor near one hides in the
        spread, and one that isn't on the list isn't tried.""",
        doing="Multiply back where the condition holds; ask who changed what on that day.",
        command="""{ unit = "weight", factor = 0.001, where = "sent_at >= cast('2024-03-01' as
        timestamp)" }""",
        nothing="When what is measured changed, and not how it is written.",
        source="Page 1954, Continuous inspection schemes, Biometrika 41 (the scan)",
        expert="""Maximum-subarray likelihood ratio over nine factors and the Fahrenheit line, both
        ways, clipped per row; kept where medians and shape agree after taking back, and the jump is at
        the run's ends.""",
        answers=("quality.unit-change",),
    ),
    Lesson(
        code="sentinel-number",
        theme="features",
        title="Numbers that stand for no number",
        what="""Where nothing is known somebody wrote -999, -1 or 99999. It comes back, it is exactly
        the same each time, and it lies off everything else in the column.""",
        number="the code, in how many rows it stands, and the range of the others",
        reading="Every mean, sum and deviation is moved by it, and a linear model most of all.",
        fooling="""A zero may be real, and so may 99. A code within the range of the others is found
        only if it sticks out.""",
        doing="Make it empty, so that it is missing and seen to be.",
        command='{ nothing = "height", values = [-999] }',
        nothing="When the number can really be measured.",
        source="Qahtan and others 2018, FAHES: a robust disguised missing values detector, KDD",
        expert="""Listed codes at least three times, outside of the central 99.6 % by the width of it,
        or, within, fifteen times as frequent as their neighbours.""",
        answers=("quality.sentinel-number",),
    ),
    Lesson(
        code="sentinel-date",
        theme="features",
        title="Dates that stand for no date",
        what="""1 January 1900 is where spreadsheets begin, 1 January 1970 where clocks do, 31 December
        9999 where dates end. They stand where no date was known. So does 1 January of any year where
        only the year was.""",
        number="which date, in how many rows",
        reading="Ages and spans that are counted from it are a century, or negative.",
        fooling="An open end that is written 9999-12-31 may be meant and understood.",
        doing="Make it empty; keep the year in a column of its own where it is all that is known.",
        command='{ nothing = "born_on", values = ["1900-01-01"] }',
        nothing="When an open end is meant and all that reads it knows that.",
        source="Qahtan and others 2018, FAHES: a robust disguised missing values detector, KDD",
        expert="""Listed days outside of the central 99 % by a quarter of its width; days of January
        against their neighbours and against other firsts of months, over three years or more.""",
        answers=("quality.sentinel-date",),
        needs=("sentinel-number",),
    ),
    Lesson(
        code="sentinel-text",
        theme="features",
        title="Texts that stand for no text",
        what="""N/A, null, none, unknown, a question mark, white space alone. Each became a category of
        its own, or keeps a column of numbers from being one.""",
        number="which texts, in how many rows",
        reading="""Several ways to say nothing split what is missing. As one, empty, it is counted and
        can be asked why.""",
        fooling="None may be an answer: no allergies is knowledge. NA is Namibia.",
        doing="Make them empty, all in one step.",
        command='{ nothing = "city", values = ["N/A", "unknown"] }',
        nothing="When the word is an answer of its own.",
        source="Pearson 2006, The problem of disguised missing data, SIGKDD Explorations 8(1)",
        expert="A closed list after trimming and case folding; frequent none among few levels is left.",
        answers=("quality.sentinel-text",),
        needs=("sentinel-number",),
    ),
    Lesson(
        code="constant-column",
        theme="features",
        title="A column that says the same everywhere",
        what="""All rows, or all but one in a hundred, have one value. A feed broke, a filter was left
        on, or nobody fills the field.""",
        number="the value, and how many rows differ",
        reading="It can't help a decision. If it once varied, what happened is worth knowing.",
        fooling="What you look for may be that rare one in a thousand.",
        doing="Leave it out of the features; ask since when.",
        nothing="When the few rows that differ are what you are looking for.",
        source="Kuhn and Johnson 2013, Applied predictive modeling, section 3.5 (near-zero variance)",
        expert="Share of the mode ≥ 99 %, or 99.65 % of a column with two values.",
        answers=("quality.constant-column",),
    ),
    Lesson(
        code="redundant-column",
        theme="features",
        title="Two columns that say one thing",
        what="""One column is a copy of another, a multiple of it, or its code. In nearly all rows they
        agree to the last digit; this is more than going together.""",
        formula="copy, line or one to one, in at least 85 % of the rows",
        number="how the two go together, and in how many rows they don't",
        reading="""Nothing is gained by both, explanations are split between them, and the rows where
        they disagree tell of an error.""",
        fooling="They may part later, when one of them is changed for a reason.",
        doing="Keep the one that is known earlier; look at the rows where they differ.",
        nothing="When one is the check of the other.",
        source="Theil 1950, A rank-invariant method of linear regression analysis (the line)",
        expert="""Median slopes between halves on a sample, refitted, exact up to the written decimals;
        levels by mutual modes.""",
        answers=("quality.redundant-column",),
    ),
    Lesson(
        code="spelling-variants",
        theme="features",
        title="One category in several spellings",
        what="""Wien, WIEN, wien with a blank behind it, and Wein. To a computer they are four places.
        Each has fewer rows, and joins find only one of them.""",
        number="which spellings stand for which, in how many rows",
        reading="Windows by that column are cut in pieces, and a model learns too little of each.",
        fooling="Austria and Australia are two. Codes may differ by one letter and mean something else.",
        doing="Map the rare ones to the frequent one; check each pair that is a typing mistake.",
        command='{ map = "city", values = { "WIEN" = "Wien" } }',
        nothing="When they are two things.",
        source="""Damerau 1964, A technique for computer detection and correction of spelling errors,
        CACM 7(3); fingerprint clustering as in OpenRefine""",
        expert="""Folded equality, else one edit beside a single more frequent level (two in long
        words), never where there are digits; frequency ratios rise with how sure the slip is.""",
        answers=("quality.spelling-variants",),
    ),
    Lesson(
        code="outliers",
        theme="features",
        title="Outliers that move money",
        what="""A few values are so far out that the column's own tail doesn't explain them, and they
        make up a share of its sum that you would notice.""",
        formula="""i × log(x(i) / x(i+1)), i counted from the greatest, against its mean further in:
        exponential""",
        number="from where on, how many rows, and their share of the sum",
        reading="""If they are slips, they rule the means and what a model learns. If they are real,
        money depends on them, and cutting them off cuts off the money.""",
        fooling="""Heavy tails make far values by right; that is why the tail is measured first. Two
        groups of very different size look like one with outliers.""",
        doing="Look at each; clip slips, or let the decision on large cases be a rule of its own.",
        command='{ clip = "amount", range = [0, 5000] }',
        nothing="When they are real.",
        source="""Hubert and Vandervieren 2008, An adjusted boxplot for skewed distributions, CSDA 52,
        section 3; Weissman 1978, JASA 73 (spacings)""",
        expert="""Rényi spacings of log order statistics with error spending over ranks, beyond the
        medcouple fence, twice as far as the next, 1 % of the absolute deviations.""",
        answers=("quality.outliers",),
    ),
    Lesson(
        code="mixed-types",
        theme="features",
        title="Numbers with texts among them",
        what="""Most of a column are numbers, and some rows say "12 kg", "3,5" or "see note". Then all
        of it is text, and each number a category.""",
        number="the share of numbers, and what the others are",
        reading="Nothing can be added up, and a model sees thousands of categories.",
        fooling="Codes of digits are texts by right: post codes, part numbers.",
        doing="Read the column as numbers, without its units; empty what is none.",
        command='{ parse = "weight", as = "number", strip = ["kg"] }',
        nothing="When the texts are names that happen to be digits.",
        source="Hellerstein 2008, Quantitative data cleaning for large databases, section 3",
        expert="""At least three quarters of the texts parse, and the rest are words, commas or numbers
        with few words.""",
        answers=("quality.mixed-types",),
    ),
    Lesson(
        code="clipped",
        theme="features",
        title="Values cut off at an end",
        what="""Many rows have exactly the greatest value, far more than those beside it. A sensor is at
        its end, a field takes no more, an export cut the top off.""",
        number="the bar, how many rows are at it, and how often values beside it come",
        reading="What lies beyond is lost. Sums and means are too small, and large cases look alike.",
        fooling="A capacity, a fare, a full hour end there by right.",
        doing="Get the uncut values; else flag the rows and treat the bar as at least.",
        nothing="When nothing can go beyond.",
        source="Tobin 1958, Estimation of relationships for limited dependent variables, Econometrica 26",
        expert="""Count at an extreme against the mean of its neighbours, Poisson tail 1e-4; 0, 1 and
        100 % excepted.""",
        answers=("quality.clipped",),
    ),
    Lesson(
        code="swapped-columns",
        theme="features",
        title="Two columns that changed places",
        what="""In some rows two columns hold each other's values: latitude and longitude, start and
        end, net and gross. Each value looks fine alone.""",
        number="which two, in how many rows, and how it shows",
        reading="Differences have the wrong sign there, and both features are wrong at once.",
        fooling="""A refund turns net and gross round by right. Columns that hold alike things can't be
        told.""",
        doing="Set these rows aside, or have them entered again.",
        command='{ drop = "gross < net", reason = "net and gross changed places" }',
        nothing="When the order may be the other way.",
        source="""Fan and Geerts 2012, Foundations of data quality management, chapter 2 (value
        modification)""",
        expert="""Rows whose two values lie within four robust deviations of the other column and not of
        their own; or a broken order whose differences mirror the others' (Kolmogorov and Smirnov).""",
        answers=("quality.swapped-columns",),
    ),
    Lesson(
        code="mojibake",
        theme="features",
        title="Letters read in a wrong encoding",
        what="""KÃ¶ln is Köln, written in UTF-8 and read as Latin-1. A � stands where a letter was lost
        for good.""",
        number="which texts, what they were, and in how many rows",
        reading="One place is two, and joins by name miss half of it.",
        fooling="""Texts in many languages hold rare signs by right; only what reads well the other way
        is named.""",
        doing="Read the file anew in its own encoding; where it is gone, map the texts.",
        command='csv = { encoding = "cp1252" }',
        nothing="Never, where the file is still there.",
        source="Speer 2019, ftfy (zenodo.2591652); Unicode Standard 15, section 3.9 (U+FFFD)",
        expert="A level is named if its Windows-1252 or Latin-1 bytes are valid UTF-8 and differ.",
        answers=("quality.mojibake",),
    ),
    Lesson(
        code="default-value",
        theme="features",
        title="What a form fills in when nobody does",
        what="""One value of a column that measures something is there far more often than those beside
        it: 50.0, or the first of a year. The form had it filled in, and nobody changed it.""",
        number="the value, in how many rows, and how often values like it come",
        reading="It looks like a measurement and is none: it says that nobody looked.",
        fooling="List prices, standard weights and legal limits come back by right; people round to tens.",
        doing="Make it empty where nobody looked, if another column tells; else empty them all.",
        command='{ nothing = "weight", values = [50.0] }',
        nothing="When many things really are exactly that.",
        source="Pearson 2006, The problem of disguised missing data, SIGKDD Explorations 8(1)",
        expert="""Count of one level against its neighbours and against levels that are as round,
        Poisson tail 1e-4, three times as many.""",
        answers=("quality.default-value",),
        needs=("sentinel-number",),
    ),
)
