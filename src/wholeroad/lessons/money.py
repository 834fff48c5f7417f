"""Lessons on what an outcome is worth: values, yardsticks, capacity, quantities."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Lesson

LESSONS: Final = (
    Lesson(
        code="value-table",
        theme="money",
        title="The value table, and the probability from which acting pays",
        what="""A value table says what each action is worth under each outcome. The action with the most
        expected value is taken, so probabilities matter only where they lie near the break-even. With two
        actions and two outcomes the break-even is one number.""",
        formula="""act where p > p*, with p* = c / (c + g): c is lost by acting on a negative, g is won by
        acting on a positive""",
        number="""the probability from which acting pays by your table, and the share of cases that were
        acted on""",
        reading="""Compare the break-even with the share of positives. Far above it, few cases are worth
        acting on; far below it, nearly all are, and a model has little to add.""",
        here="By your table acting pays from a probability of {break_even} on.",
        shows=("break_even",),
        fooling="""Costs that nobody wrote down (the annoyed customer, the hour of staff) move the
        break-even more than any model does. A table in which one action always wins needs no model.""",
        doing="""Let the people who pay for mistakes say the four numbers; write a range where they don't
        know.""",
        command="wholeroad charter",
        nothing="When the decision stays the same over every value that anyone would defend.",
        source="Elkan 2001, The foundations of cost-sensitive learning, IJCAI",
        expert="""Bayes action under a cost matrix; the threshold depends on two differences of values
        alone, so rows may be shifted by any function of the outcome. Calibrated probabilities are needed
        near p*, not everywhere.""",
    ),
    Lesson(
        code="status-quo",
        theme="money",
        title="The status quo",
        what="""The status quo is what is done today, without a model. Every gain is the difference to it,
        on the same cases. It may be one action or a rule.""",
        formula="gain = money of the policy − money of the status quo, case by case",
        number="the money of the status quo, and the gain of the recommended policy over it",
        reading="A gain near zero says that a model, its upkeep and its risk buy nothing here.",
        here="Against what is done today the recommended policy gained {gain} ({gain.interval}).",
        shows=("status_quo_total", "gain", "gain_per_case"),
        fooling="""A status quo that is described more stupidly than it is makes every model look good.
        People often have a rule that nobody wrote down.""",
        doing="Ask the people who decide today how they do it, and write their rule as an expression.",
        command="status_quo = { expression = \"case when amount > 500 then 'call' else 'pass' end\" }",
        nothing="When nothing is done today; then the action that does nothing is the status quo.",
        source="Rules of Machine Learning (Google), rule 1; docs/reference/brief.md, [value]",
        expert="""The baseline policy of an off-policy comparison; paired by case, so the variance is that
        of the difference. Deterministic by construction here; its logged actions are not needed.""",
    ),
    Lesson(
        code="knowing-every-outcome",
        theme="money",
        title="Knowing every outcome beforehand",
        what="""This is the money of somebody who sees each outcome before deciding. No model can do it;
        it is the most that predicting could ever be worth. The distance to it mixes what nobody can know
        with what a better model could.""",
        formula="Σ over cases of max over actions of value(action, what came true)",
        number="the money of knowing every outcome, and how far the recommended policy stays behind it",
        reading="""If even this is less than your success criterion asks, no model can meet it. Otherwise
        don't read the distance as room for improvement: most of it is usually chance.""",
        here="""Knowing every outcome would have made {clairvoyant}; the recommended policy stayed {short}
        behind. Not all of that can be won.""",
        shows=("clairvoyant", "short"),
        fooling="As a target it never ends: money spent chasing it buys noise.",
        doing="Use it once, to see whether the problem is worth any model at all.",
        command="wholeroad check",
        nothing="When it is far above the criterion: then it says nothing more.",
        source="Howard 1966, Information value theory, IEEE Trans. Systems Science and Cybernetics 2(1)",
        expert="""Expected value of perfect information, ex post. An upper bound that no conditional
        distribution attains; the Bayes risk given the features is unknown.""",
    ),
    Lesson(
        code="value-ranges",
        theme="money",
        title="Values that are ranges",
        what="""Where a value is a range, decisions are made at its middle, and the money is counted again
        at every corner. Money is linear in each value, so the corners hold the extremes. If the gain
        changes its sign between them, the values decide and not the model.""",
        formula="gain(corner) = gain(middle) + Σ (cases in the cell) × (end of the range − its middle)",
        number="the lowest and the highest gain over the corners of your ranges",
        reading="""Both ends above zero: the advice holds whichever value is right. Zero between them:
        *undecided*, and the question goes to the business.""",
        here="Over your ranges the gain runs from {corner_low} to {corner_high}.",
        shows=("corner_low", "corner_high"),
        fooling="""The decisions stay those of the middle. With another value one would also decide
        otherwise, so the low corner is a little too dark.""",
        doing="Narrow the widest range that the result depends on; ask for that one number alone.",
        command="rebook = { late = [80, 160], on_time = -35 }",
        nothing="When the sign is the same at both ends.",
        source="""Saltelli et al. 2008, Global sensitivity analysis: the primer, chapter 1;
        docs/reference/brief.md""",
        expert="""One-at-a-time extremes are exact for totals since money is linear in each cell; policies
        are held fixed at the midpoint, so re-optimised corners would dominate these.""",
    ),
    Lesson(
        code="miss-ratio",
        theme="money",
        title="How many false alarms a miss is worth",
        what="""Where nobody can say money, one ratio is enough: a miss costs as much as r false alarms.
        It fixes the probability from which to act. Gains are then counted in false alarms saved.""",
        formula="p* = 1 / (1 + r); gain = r × (positives acted on) − (negatives acted on)",
        number="your ratio, the probability from which to act, and the ratio above which the policy gains",
        reading="""A policy gains where r is above (negatives acted on) / (positives acted on). If your
        range of ratios crosses that number, the answer is *undecided*.""",
        here="With your ratio one acts from a probability of {break_even} on.",
        shows=("ratio", "break_even", "ratio_break_even"),
        fooling="""People name round ratios. Ask in turns (would you accept 5 false alarms to avoid one
        miss? 20?) until they hesitate, and write the hesitation down as a range.""",
        doing="Write the range in which the business hesitates.",
        command='a_miss_costs = "2 to 10 false alarms"',
        nothing="When the whole range lies on one side of the break-even.",
        source="""Elkan 2001, The foundations of cost-sensitive learning, IJCAI; Vickers and
        Elkin 2006, Decision curve analysis, Medical Decision Making 26""",
        expert="""Net benefit up to scale: r is the odds (1 − p*) / p*. Reporting over a range of r is a
        decision curve; the crossing with treat-none is FP / TP at the chosen threshold.""",
        needs=("value-table",),
    ),
    Lesson(
        code="capacity",
        theme="money",
        title="Capacity: only so many cases can be acted on",
        what="""A capacity says how many cases may be acted on in each period. The cases of a period
        compete, so their values no longer add up one by one. What matters is who is at the top, not where
        a threshold lies.""",
        formula="per period: act on the k cases with the highest expected gain over leaving them alone",
        number="your capacity, and the gain over as many cases picked at random",
        reading="""Full periods say that the capacity binds and that one more place has a price: the
        expected gain of the first case left out. Periods with room say that the capacity costs nothing.""",
        shows=("capacity", "versus_chance", "by_chance"),
        fooling="""Ranking within a day needs the day's cases together; decided one by one, the early
        cases take the places. Values counted as if there were no limit promise money that can't be
        earned.""",
        doing="State it in the brief; rehearse one half and one double of it to see what a place is worth.",
        command='capacity = "50 per day"',
        nothing="When no period ever came near the limit.",
        source="""Dantzig 1957, Discrete-variable extremum problems, Operations Research 5; Fraud
        Detection Handbook, chapter 4 (card precision at k)""",
        expert="""Unit-weight knapsack per period: greedy by expected gain is optimal given calibrated
        probabilities. The shadow price is the k-th gain; cases across periods are not exchanged.""",
        needs=("value-table",),
    ),
    Lesson(
        code="ranking-by-gain",
        theme="money",
        title="Rank by expected gain, not by probability",
        what="""When places are few, each should go where it brings most. A likely case that is worth
        little can be a worse use of a place than an unlikely one that is worth much. Where every case is
        worth the same, the two orders are the same.""",
        formula="score = p × (gain if positive) − (1 − p) × (cost if negative), case by case",
        number="the gain over as many cases picked at random on the same days",
        reading="""The more the worth varies between cases, and the less it goes with the probability, the
        larger the difference. Without amounts in the brief only hits can be counted, and both orders
        agree.""",
        shows=("versus_chance", "by_chance", "gain"),
        fooling="""Ranking metrics (AUC, precision at k) score the wrong order as well as the right one:
        they don't see amounts.""",
        doing="Give the amount as an expression in the value table.",
        command='call = { fraud = "amount * 0.8", fine = -12 }',
        nothing="When all cases are worth the same: then the probability is the rank.",
        source="""Zadrozny and Elkan 2001, Learning and making decisions when costs and probabilities are
        both unknown, KDD; Bahnsen et al. 2015, Example-dependent cost-sensitive decision trees, Expert
        Systems with Applications 42""",
        expert="""Example-dependent costs; the regret of p-ranking is the covariance between amount and
        the rank displacement near the cut. Needs calibration across the amount: check segments.""",
        needs=("capacity",),
    ),
    Lesson(
        code="newsvendor",
        theme="money",
        title="How much to order: quantiles, not averages",
        what="""When the action is an amount, ordering the expected demand is wrong unless too much and
        too little cost the same. The best amount is a quantile of what may come. Which quantile follows
        from the two costs.""",
        formula="order q with P(demand ≤ q) = under / (under + over): costs of one too few and one too many",
        number="the quantile that your formula asks for, and the money against ordering the average",
        reading="""A margin of 3 against a waste of 1 asks for the 75% quantile: you should be left with
        stock three days in four. Being "wrong" often is then right.""",
        shows=("quantile", "gain", "gain_per_case"),
        fooling="""Sales are not demand: what sold out was wanted more often than it was sold, and models
        of sales learn to sell out again.""",
        doing="Write the money as a formula over action and outcome, with the amounts that can be ordered.",
        command='formula = "3 * least(action, outcome) - 1 * greatest(action - outcome, 0)"',
        nothing="When one unit too many costs as much as one too few and demand is symmetric.",
        source="""Arrow, Harris and Marschak 1951, Optimal inventory policy, Econometrica 19; Koenker and
        Bassett 1978, Regression quantiles, Econometrica 46; Ban and Rudin 2019, The big data newsvendor,
        Operations Research 67""",
        expert="""Maximise expected value over a grid of amounts under the predictive distribution given
        by calibrated conditional quantiles; for piecewise-linear values this is the critical fractile.
        Censored demand biases the quantiles down. The quantiles end at 2% and 98%: a fractile beyond asks
        for an amount that they can't tell, and the one at the end is taken.""",
        answers=("quantiles",),
    ),
    Lesson(
        code="check.capacity-first-come",
        theme="money",
        title="A capacity that goes to whoever comes first",
        what="""Only cases that are decided at the same instant can be ranked against each other. Where
        the cases of a period come due one after another, the first take the places. Better cases that
        come later find them gone.""",
        number="in how many periods cases come due one after another, and there are more than places",
        reading="The more cases per place, the more is lost; ranking then helps within an instant only.",
        fooling="""In a table of history all cases of the day are there at once, and ranking looks better
        than it is.""",
        doing="Decide all cases of a period at one instant, if the decision can wait for it.",
        command='decide_at = "batch_at"',
        nothing="When places are rarely short.",
        source="""Ferguson 1989, Who solved the secretary problem?, Statistical Science 4(3);
        docs/reference/brief.md""",
        expert="""An online selection problem treated greedily; a reserve price per place would be the
        remedy, and isn't built. The rehearsal pays the same price as the live run.""",
        needs=("capacity",),
    ),
    Lesson(
        code="amounts",
        theme="money",
        title="The amounts that may be chosen",
        what="""Where the action is an amount, the brief names the least, the most and the step. If the
        best amount is often the last one, something beyond it may be better and can't be chosen. If steps
        are too large, a better prediction changes nothing.""",
        number="for how many cases the amount at the end was best, or how many amounts were ever best",
        reading="""The money shown holds for these amounts. A status quo that lies beyond them is priced
        at the end, so the gain over it may be wrong.""",
        fooling="A narrow range makes every policy look alike.",
        doing="Widen the range or make the step smaller, as far as it can really be ordered.",
        command="quantity = { least = 0, most = 200, step = 5 }",
        nothing="When the range is what the supplier delivers.",
        source="""Arrow, Harris and Marschak 1951, Optimal inventory policy, Econometrica 19;
        docs/reference/brief.md""",
        expert="""Argmax over a discrete grid; a boundary solution signals truncation of the action set,
        few distinct argmaxes signal coarseness against the predictive spread.""",
        answers=("check.amounts-end", "check.amounts-coarse", "check.status-quo-at-end"),
        needs=("newsvendor",),
    ),
)
