"""Results about fairness made by hand, with awkward content: figures that no other line of a page has."""

from __future__ import annotations

import math

from test_report import a_brief
from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import DAY, parse_instant
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.model.fairness.priced import Flip, PriceCurve, PricePoint
from wholeroad.road.model.fairness.results import Disparity, Fairness, GroupFigure, LimitHeld
from wholeroad.road.watch.fairness.planned import Choice, Plan, PlanLine
from wholeroad.road.watch.sliced import Slice, Slices

INF, NAN = math.inf, math.nan
AT = parse_instant("2013-03-02")
HOSTILE = "</style><script>alert(1)</script>"
LONG = "the depot at the far end of the valley, behind the second bridge, in the old brewery, gate 4"

FAIRNESS = {
    "groups": {
        "depot": {
            "column": "depot",
            "population": {"north": 0.5, "south": 0.3, "east": 0.15, "nowhere": 0.05},
            "population_from": "the census of 2011",
        },
        "band": {"expression": "case when weight > 3 then 'heavy' else 'light' end"},
        "both": {"all_of": ["depot", "band"]},
    },
    "selected": ["rebook"],
    "selected_is": "benefit",
    "limits": [
        {"group": "depot", "measure": "selection_rate", "difference_at_most": 0.05},
        {"group": "depot", "measure": "true_positive_rate", "ratio_at_least": 0.8},
        {"group": "band", "measure": "gain_per_case", "difference_at_most": 2.0},
    ],
    "remedies": [
        {
            "kind": "thresholds",
            "group": "depot",
            "equal": "selection_rate",
            "within": 0.05,
            "chosen_by": "works council & operations",
            "chosen_on": "2013-08-01",
            "reason": "passengers of the south waited longest",
            "look_again_on": "2014-02-01",
        },
        {"kind": "accept", "group": "band", "reason": "heavy parcels are late more often"},
    ],
    "changeable": {"weight": "down"},
    "appeals_to": "the ombudsman, ombudsman@example.org",
    "answered_within": "14d",
}


def brief(**changes):
    return a_brief(fairness=FAIRNESS | changes)


def plain_brief():
    return a_brief()


def estimate(value, half=0.021):
    return Estimate(value, value - half, value + half)


UNTOLD = Estimate(NAN, -INF, INF)


def figures_of(grouping, measure, values, *, unit="share", half=0.021, whole=0.25):
    """Give one figure a value; None stands for one with too few cases."""
    found = []
    for place, (value, figure) in enumerate(values.items()):
        few = figure is None
        found.append(
            GroupFigure(
                measure,
                grouping,
                value,
                12 if few else 1_000 + 7 * place,
                UNTOLD if few else estimate(figure, half),
                rest=UNTOLD if few else estimate(figure - whole, half),
                shrunk=NAN if few else figure + 0.25 * (whole - figure),
                enough=not few,
                unit=unit,
            )
        )
    return found


def fairness(*, values=None, limits=True):
    """An assessment by two groupings, with a value that is too small, one that is long and a hostile one."""
    values = values or {"north": 0.317, "south": 0.183, LONG: 0.262, HOSTILE: 0.241, "tiny": None}
    band = {"heavy": 0.412, "light": 0.188}
    figures, disparities = [], []
    for grouping, mine in (("depot", values), ("band", band)):
        told = {value: figure for value, figure in mine.items() if figure is not None}
        for measure, shift, unit, half in (
            ("selection_rate", 0.0, "share", 0.021),
            ("base_rate", -0.034, "share", 0.023),
            ("true_positive_rate", 0.311, "share", 0.062),
            ("false_positive_rate", -0.107, "share", 0.019),
            ("precision", 0.211, "share", 0.055),
            ("calibration_gap", -0.252, "share", 0.017),
            ("gain_per_case", 3.137, "money", 0.83),
        ):
            moved = {value: None if figure is None else figure + shift for value, figure in mine.items()}
            figures += figures_of(grouping, measure, moved, unit=unit, half=half, whole=0.25 + shift)
            high, low = max(told, key=told.get), min(told, key=told.get)
            apart = told[high] - told[low]
            enough = len(told) > 1
            disparities.append(
                Disparity(
                    measure,
                    grouping,
                    high,
                    low,
                    estimate(apart, 1.9 * half) if enough else None,
                    estimate((told[low] + shift) / (told[high] + shift), 0.11)
                    if enough and told[low] + shift > 0
                    else None,
                    len(told),
                    0.95,
                    unit=unit,
                )
            )
    everybody = tuple(
        GroupFigure(measure, "", "", 4_321, estimate(0.25 + shift, 0.011), unit=unit)
        for measure, shift, unit in (
            ("selection_rate", 0.0, "share"),
            ("base_rate", -0.034, "share"),
            ("true_positive_rate", 0.311, "share"),
            ("false_positive_rate", -0.107, "share"),
            ("precision", 0.211, "share"),
            ("calibration_gap", -0.252, "share"),
            ("gain_per_case", 3.137, "money"),
        )
    )
    held = (
        LimitHeld(
            "selection_rate by depot: difference <= 0.05",
            "depot",
            "selection_rate",
            "breached",
            stops=True,
            figure=Estimate(0.134, 0.0901, 0.178),
            bound=0.05,
            highest="north",
            lowest="south",
            says="the whole interval lies beyond 5 points",
        ),
        LimitHeld(
            "true_positive_rate by depot: ratio >= 0.8",
            "depot",
            "true_positive_rate",
            "open",
            stops=False,
            figure=Estimate(0.7866, 0.71, 0.86),
            bound=0.8,
        ),
        LimitHeld(
            "gain_per_case by band: difference <= 2",
            "band",
            "gain_per_case",
            "holds",
            stops=False,
            figure=Estimate(0.224, -1.35, 1.79),
            bound=2.0,
            highest="heavy",
            lowest="light",
        ),
    )
    return Fairness(
        cases=4_321,
        settled=4_007,
        everybody=everybody,
        figures=tuple(figures),
        disparities=tuple(disparities),
        limits=held if limits else (),
        blocks=93,
        pooled={"depot": {"west": 11, "<i>isle</i>": 4}},
    )


def findings():
    """Answers about the data: clear ones, quiet ones, and one from too few cases."""
    return (
        GroupBias(
            "coverage",
            "depot",
            "south",
            801,
            Estimate(0.187, 0.173, 0.202),
            Estimate(0.3, 0.3, 0.3),
            Estimate(-0.113, -0.127, -0.098),
            0.0074,
            "share",
            clear=True,
            does="Its probabilities are less sure than those of others.",
        ),
        GroupBias(
            "unseen",
            "depot",
            "south",
            801,
            Estimate(0.214, 0.187, 0.243),
            Estimate(0.071, 0.063, 0.08),
            Estimate(0.143, 0.114, 0.173),
            0.0151,
            "share",
            clear=True,
            does="Rates among known outcomes say little of it.",
        ),
        GroupBias(
            "missingness",
            "depot",
            HOSTILE,
            433,
            Estimate(0.044, 0.031, 0.061),
            Estimate(0.041, 0.033, 0.05),
            Estimate(0.003, -0.013, 0.019),
            0.0083,
            "share",
            about="wind_" + "speed_" * 12,
        ),
        GroupBias(
            "delay",
            "band",
            "heavy",
            1_204,
            estimate(6.83, 0.41),
            estimate(5.27, 0.22),
            estimate(1.56, 0.47),
            0.24,
            "days",
            clear=True,
            does="Its newest outcomes aren't known at a fit.",
        ),
        GroupBias(
            "proxy",
            "band",
            "heavy",
            1_204,
            estimate(0.871),
            estimate(0.5, 0),
            estimate(0.371),
            0.011,
            "AUC",
            clear=True,
        ),
        GroupBias("label_noise", "depot", "tiny", 12, UNTOLD, UNTOLD, UNTOLD, INF, "share", enough=False),
    )


def plan():
    """A plan with one clear cause, two choices, a doubtful line, and questions that weren't asked."""
    coverage, unseen, missing, *_ = findings()
    collect = Choice(
        "collect",
        "Collect 640 more cases of south.",
        '[[fairness.remedies]]\nkind = "collect"\ngroup = "depot"\nvalues = ["south"]\ncases = 640\n',
        Estimate(310.0, 280.0, 340.0),
        "of collecting, as the brief has it",
        cases=640,
        by_at=AT + 400 * DAY,
        first=True,
    )
    reweigh = Choice(
        "reweigh",
        "Reweigh cases before the fit.",
        '[[fairness.remedies]]\nkind = "reweigh"\ngroup = "depot"\n',
        None,
        "nothing was rehearsed",
        effective_share=0.773,
    )
    return Plan(
        lines=(
            PlanLine(
                "coverage",
                "depot",
                "south",
                coverage,
                (collect, reweigh),
                explains=("calibration of south, off by 3.9 points",),
                says="It lies furthest from none.",
            ),
            PlanLine("unseen", "depot", "south", unseen, ()),
        ),
        doubtful=(PlanLine("missingness", "depot", HOSTILE, missing, (), about=missing.about),),
        quiet=("history by band: 311 days or more of each value",),
        not_asked=("Label noise: no model was in charge before outcomes were known.",),
    )


def price():
    """A curve of five tolerances, of which the brief chose one; one interval has no bounds."""

    def point(within, left, gain, cost):
        return PricePoint(
            within,
            estimate(left, 0.024),
            estimate(gain, 0.41) if within != 0.1 else Estimate(gain, -INF, INF),
            estimate(cost, 0.13),
            {"north": 0.3 - left / 2, "south": 0.3 - left, "east": 0.26, LONG: 0.255, HOSTILE: 0.251},
        )

    return PriceCurve(
        "depot",
        "selection_rate",
        AT,
        AT + 100 * DAY,
        AT + 107 * DAY,
        AT + 180 * DAY,
        3_456,
        point(INF, 0.134, 3.38, 0.0),
        (
            point(0.1, 0.109, 3.33, 0.047),
            point(0.05, 0.061, 3.11, 0.27),
            point(0.02, 0.034, 2.77, 0.61),
            point(0.0, 0.013, 2.21, 1.17),
        ),
    )


def flips():
    return (
        Flip("depot", "depot", "north", "south", 1_371, Estimate(0.064, 0.051, 0.079), 0.007, 0.057, -0.0213),
        Flip("depot", "depot", "south", HOSTILE, 801, UNTOLD, 0.0, 0.0, NAN),
    )


def slices():
    return Slices(
        "regret: what the best action would have brought more",
        12_345,
        9,
        (
            Slice(
                ("depot = 'north'", "weight in [10, 25)"),
                217,
                estimate(9.41, 1.3),
                estimate(6.87, 1.4),
                0.183,
                0.00004,
                clear=True,
            ),
            Slice(
                (f"note = '{HOSTILE}'",),
                133,
                estimate(4.22, 1.9),
                estimate(1.51, 2.0),
                0.031,
                0.0712,
                clear=False,
            ),
        ),
        0.1,
        estimate(2.54, 0.31),
    )


def many(count=40):
    """Forty groups."""
    return {f"station {number:02d}": 0.15 + 0.0071 * ((7 * number) % count) for number in range(count)}
