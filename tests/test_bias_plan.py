"""The plan against bias: causes before symptoms, in any order of findings, with choices for a brief."""

import tomllib

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import DAY
from wholeroad.road.brief.fairness import RemedyTable
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.seen import NEVER, NONE, TOLD, Seen
from wholeroad.road.model.fairness.priced import PriceCurve, PricePoint
from wholeroad.road.watch.fairness.causes import ORDER, WORSE
from wholeroad.road.watch.fairness.choices import NOT_KNOWN, NOT_PRICED, Situation, remedy_toml
from wholeroad.road.watch.fairness.planning import plan_remedies

UNITS = {"delay": "days", "history": "days", "proxy": "AUC"}
RESTS = {"coverage": 0.3, "base_rate": 0.2, "delay": 4.0, "history": 60.0, "label_noise": 0.0, "proxy": 0.5}


def finding(cause, value="north", *, errors, error=0.02, rest=None, cases=600, about="", grouping="depot"):
    rest = RESTS.get(cause, 0.05) if rest is None else rest
    error = error * 20 if UNITS.get(cause) == "days" else error
    apart = errors * error
    return GroupBias(
        cause=cause,
        grouping=grouping,
        value=value,
        cases=cases,
        figure=Estimate(rest + apart, rest + apart - 1.9 * error, rest + apart + 1.9 * error),
        rest=Estimate(rest, rest, rest),
        difference=Estimate(apart, apart - 1.96 * error, apart + 1.96 * error),
        standard_error=error,
        unit=UNITS.get(cause, "share"),
        about=about or ("weight" if cause == "missingness" else ""),
        clear=abs(errors) > 2.6,
    )


def seen(cases=1200, days=60):
    codes = (np.arange(cases) % 3 == 0).astype(np.int32)
    groups = (Grouping("depot", ("south", "north"), codes, {}, {"south": 0.5, "north": 0.5}),)
    at = np.arange(cases) * (days * DAY // cases)
    return Seen(
        decided_at=at,
        groups=groups,
        positive=np.zeros(cases, dtype=np.int8),
        outcome=np.where(np.arange(cases) % 2 == 0, TOLD, NONE).astype(np.int8),
        told_at=np.where(np.arange(cases) % 2 == 0, at + DAY, NEVER),
        features=pl.DataFrame({"x": np.zeros(cases)}),
        now=days * DAY,
        matures=4 * DAY,
    )


def said(plan):
    return [(line.cause, line.value, line.about) for line in (*plan.lines, *plan.doubtful)]


some_findings = st.lists(
    st.builds(
        finding,
        st.sampled_from(ORDER),
        st.sampled_from(["north", "south", "west"]),
        errors=st.floats(-8, 8).map(lambda each: round(each, 3)),
        error=st.sampled_from([0.005, 0.02, 0.06]),
        cases=st.integers(30, 5000),
    ),
    max_size=12,
    unique_by=lambda each: (each.cause, each.value),
)


@settings(deadline=None)
@given(some_findings, st.randoms(use_true_random=False))
def test_the_order_of_findings_plays_no_part(findings, dice):
    mixed = findings.copy()
    dice.shuffle(mixed)
    assert plan_remedies(mixed) == plan_remedies(findings)


@settings(deadline=None)
@given(some_findings)
def test_every_line_has_one_first_choice_and_every_choice_goes_into_a_brief(findings):
    plan = plan_remedies(findings, Situation(seen=seen()))
    for line in (*plan.lines, *plan.doubtful):
        assert [choice.first for choice in line.choices].count(True) == 1
        for choice in line.choices:
            table = tomllib.loads(choice.toml)["fairness"]["remedies"]
            assert [RemedyTable.model_validate(each).kind for each in table] == [choice.kind]
            assert choice.says
            assert choice.costs_say or choice.costs is not None


@settings(deadline=None)
@given(some_findings)
def test_nothing_is_a_cause_and_a_symptom_at_once_and_proxies_come_last(findings):
    plan = plan_remedies(findings)
    causes = said(plan)
    assert len(causes) == len(set(causes))
    for lines in (plan.lines, plan.doubtful):
        proxies = [line.cause == "proxy" for line in lines]
        assert proxies == sorted(proxies)


def test_a_plan_of_nothing_says_nothing():
    plan = plan_remedies([], Situation(not_asked=("Coverage: no population.",)))
    assert (plan.lines, plan.doubtful, plan.quiet) == ((), (), ())
    assert plan.not_asked == ("Coverage: no population.",)


@pytest.mark.parametrize("cause", ORDER)
def test_what_chance_explains_is_quiet(cause):
    plan = plan_remedies([finding(cause, errors=0.5)])
    assert not said(plan)
    assert len(plan.quiet) == 1


@pytest.mark.parametrize("cause", ORDER)
def test_a_large_difference_is_a_clear_line_with_its_own_numbers(cause):
    found = finding(cause, errors=8.0 * (WORSE[cause] or 1))
    plan = plan_remedies([found])
    assert said(plan) == [(cause, "north", found.about)]
    assert plan.lines
    assert "depot = north" in plan.lines[0].says
    assert "standard errors" in plan.lines[0].says


def test_a_single_finding_of_many_is_doubtful_that_alone_were_clear():
    others = [finding("missingness", errors=0.3, about=f"x{at}", grouping="g") for at in range(60)]
    one = finding("base_rate", errors=2.8)
    assert plan_remedies([one]).lines
    assert not plan_remedies([one, *others]).lines
    assert said(plan_remedies([one, *others])) == [("base_rate", "north", "")]


def test_wrong_labels_account_for_the_base_rate_that_follows_from_them():
    # Labels turned at 10 % move a base rate of 20 % by (1 - 2 * 0.2) * 10 points.
    noise = finding("label_noise", errors=3.5, error=0.1 / 3.5)
    follows = finding("base_rate", errors=6.0, error=0.01, rest=0.2)
    plan = plan_remedies([follows, noise])
    assert [line.cause for line in plan.lines] == ["label_noise"]
    assert "Base rate of depot = north" in plan.lines[0].explains[0]
    assert "+6.0 points" in plan.lines[0].explains[0]


def test_wrong_labels_account_for_no_base_rate_of_the_other_sign():
    noise = finding("label_noise", errors=3.5, error=0.1 / 3.5)
    other = finding("base_rate", errors=-6.0, error=0.01, rest=0.3)
    plan = plan_remedies([other, noise])
    assert {line.cause for line in plan.lines} == {"base_rate", "label_noise"}
    assert not any(line.explains for line in plan.lines)


def test_a_base_rate_too_far_off_for_the_noise_goes_on_as_a_cause():
    noise = finding("label_noise", errors=4.0, error=0.005)  # 2 % of labels: 1.2 points
    far = finding("base_rate", errors=12.0, error=0.02, rest=0.2)  # 24 points
    assert {line.cause for line in plan_remedies([noise, far]).lines} == {"base_rate", "label_noise"}


def test_unseen_outcomes_may_account_for_as_much_of_a_base_rate_as_they_hide():
    hidden = finding("unseen", errors=20.0, error=0.015)
    within = finding("base_rate", errors=-3.5, error=0.015, rest=0.3)
    beyond = finding("base_rate", errors=-14, error=0.015, rest=0.3)
    plan = plan_remedies([hidden, within])
    assert [line.cause for line in plan.lines] == ["unseen"]
    assert "may bring it about" in plan.lines[0].explains[0]
    assert [line.cause for line in plan_remedies([hidden, beyond]).lines] == ["unseen", "base_rate"]


def test_a_group_that_came_late_accounts_for_its_few_cases():
    # At a mean age of half the others', half the share: of 30 %, 0.15 / (0.15 + 0.7) = 17.6 %.
    late = finding("history", errors=-10.0, error=0.15, rest=60.0)
    few = finding("coverage", errors=-6, error=0.0175, rest=0.3)
    assert [line.cause for line in plan_remedies([few, late]).lines] == ["history"]


@pytest.mark.parametrize("apart", ["north", "south", "west"])
def test_the_group_that_is_apart_is_named_and_not_those_that_are_compared_with_it(apart):
    # It alone is 10 points off; each of the others is off its own rest by its share of that rest.
    findings = [
        finding("missingness", value, errors=6.0, error=0.1 / 6.0)
        if value == apart
        else finding("missingness", value, errors=-3.2, error=0.05 / 3.2)
        for value in ("north", "south", "west")
    ]
    plan = plan_remedies(findings)
    assert said(plan) == [("missingness", apart, "weight")]
    assert len(plan.lines[0].explains) == 2


def test_findings_that_weigh_the_same_have_an_order_of_their_own():
    findings = [finding("missingness", errors=5.0, grouping=name) for name in ("a", "b", "c", "d")]
    findings += [finding("missingness", value, errors=2.0, grouping="e") for value in ("x", "y", "z")]
    assert plan_remedies(findings) == plan_remedies(findings[::-1])


def test_of_two_groups_the_one_that_is_worse_off_is_named():
    for cause, worse in WORSE.items():
        if cause == "proxy":
            continue
        one = finding(cause, "north", errors=5.0, cases=400)
        other = finding(cause, "south", errors=-5.0, cases=800)
        named = said(plan_remedies([one, other]))
        assert [value for _, value, _ in named] == ["south" if worse < 0 else "north"]


def test_groups_of_another_grouping_that_hold_the_same_cases_are_symptoms():
    codes = np.array([0] * 300 + [1] * 300, dtype=np.int32)
    one, same = Grouping("depot", ("north", "south"), codes), Grouping("region", ("up", "down"), codes)
    findings = [
        finding("missingness", "north", errors=6.5),
        finding("missingness", "up", errors=6.0, grouping="region"),
    ]
    assert [line.grouping for line in plan_remedies(findings).lines] == ["depot", "region"]
    assert [line.grouping for line in plan_remedies(findings, Situation(groups=(one, same))).lines] == [
        "depot"
    ]


def test_collecting_brings_a_share_to_that_of_the_population():
    few = GroupBias(
        cause="coverage",
        grouping="depot",
        value="north",
        cases=400,
        figure=Estimate(1 / 3, 0.31, 0.36),
        rest=Estimate(0.5, 0.5, 0.5),
        difference=Estimate(1 / 3 - 0.5, 0.31 - 0.5, 0.36 - 0.5),
        standard_error=0.0136,
        unit="share",
        clear=True,
    )
    line = plan_remedies([few], Situation(seen=seen())).lines[0]
    collect = next(choice for choice in line.choices if choice.kind == "collect")
    assert collect.first
    assert (400 + collect.cases) / (1200 + collect.cases) == pytest.approx(0.5, abs=0.001)
    # 400 cases came in 60 days: as many again take another 60.
    assert collect.by_at == 120 * DAY
    weigh = next(choice for choice in line.choices if choice.kind == "reweigh")
    weights = np.repeat([0.5 / (2 / 3), 0.5 / (1 / 3)], [800, 400])
    assert weigh.effective_share == pytest.approx(weights.sum() ** 2 / (weights**2).sum() / 1200)


def test_thresholds_cost_what_the_price_curve_says_and_else_nobody_knows():
    found = finding("base_rate", errors=9.0)
    unknown = plan_remedies([found], Situation(seen=seen())).lines[0].choices[0]
    assert (unknown.kind, unknown.costs, unknown.costs_say) == ("thresholds", None, NOT_PRICED)
    zero = Estimate(0.0, 0.0, 0.0)
    point = PricePoint(0.02, Estimate(0.02, 0, 0.04), zero, Estimate(0.5, 0.25, 0.75), {})
    curve = PriceCurve("depot", "selection_rate", 0, 1, 2, 3, 100, point, (point,))
    priced = plan_remedies([found], Situation(seen=seen(), prices=(curve,))).lines[0].choices[0]
    # 20 cases a day, half a unit each.
    assert priced.costs.value == pytest.approx(20 * 365.25 / 12 * 0.5)
    assert tomllib.loads(priced.toml)["fairness"]["remedies"][0]["equal"] == "selection_rate"


def test_verdicts_cost_hours_where_these_are_known():
    noise = finding("label_noise", errors=5.0)
    assert plan_remedies([noise]).lines[0].choices[0].costs_say == NOT_KNOWN
    known = plan_remedies([noise], Situation(verdict_minutes=3.0, verdict_costs=2.0, unit="EUR"))
    assert "hours" in known.lines[0].choices[0].costs_say
    assert "EUR" in known.lines[0].choices[0].costs_say


@settings(deadline=None)
@given(st.text(max_size=12))
def test_any_name_of_a_group_survives_the_brief(name):
    lines = remedy_toml("collect", name or "x", values=(name,), cases=3)
    read = tomllib.loads(lines)["fairness"]["remedies"][0]
    assert read["values"] == [name]
    assert read["group"] == (name or "x")


def test_too_few_cases_are_named_and_asked_nothing():
    few = GroupBias(
        "unseen",
        "depot",
        "west",
        4,
        Estimate(0.5, -np.inf, np.inf),
        Estimate(0.1, -np.inf, np.inf),
        Estimate(0.4, -np.inf, np.inf),
        float("inf"),
        "share",
        enough=False,
    )
    plan = plan_remedies([few])
    assert not said(plan)
    assert "west: 4 cases are too few" in plan.not_asked[0]
