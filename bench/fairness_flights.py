"""How decisions about the flights treat carriers, airports and lengths of route, on the whole year.

Types the commands of ``docs/tutorial/flights-fairness.md`` in a folder of its own, asks Python for the rest,
and keeps what was printed: the chapter's figures are held against ``bench/fairness_flights.json`` by a test.
Long outputs are kept in part. The first command that looks at decisions rehearses the policy, which is most
of its time; fits are kept between commands.

Run ``python bench/fairness_flights.py`` (about 20 minutes on two CPUs); the last line is JSON.
``--folder`` keeps the project there, so that another run takes up its fits.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
from reweighing import by_origin  # type: ignore[import-not-found]

import wholeroad
from wholeroad.adapters.made_with import made_with
from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import format_instant
from wholeroad.engine.fair import BiasFound, Solution
from wholeroad.project import Project
from wholeroad.road.brief.remedies import parse_remedy
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.model.fairness.record import figure_in_words, range_in_words
from wholeroad.road.model.fairness.results import Fairness, GroupFigure

ROOT: Final = Path(__file__).resolve().parents[1]
FLIGHTS: Final = ROOT / "examples" / "flights"
KEPT: Final = ROOT / "bench" / "fairness_flights.json"
MOST_LINES: Final = 70
"""Of an output; the beginning is kept."""

THRESHOLDS: Final = '{ kind = "thresholds", group = "route", equal = "selection_rate", within = 0.05 }'
LIMIT: Final = """
[[fairness.limits]]
group = "route"
measure = "selection_rate"
ratio_at_least = 0.8
"""
REMEDY: Final = """
[[fairness.remedies]]
kind = "thresholds"
group = "route"
equal = "selection_rate"
within = 0.05
"""
REHEARSE: Final = 'wholeroad rehearse --policy "status quo" --policy "every 30d"'
TRY: Final = f"wholeroad fairness try --remedy '{THRESHOLDS}'"
ACCEPTED: Final = '{ kind = "accept", group = "route" }'
REASON: Final = "Short flights are late more often, and only who is late is helped."
CHOOSE: Final = f"""wholeroad fairness choose '{ACCEPTED}' --by "the operations desk" --because "{REASON}" \
--on 2014-01-06 --look-again 2014-07-01"""
ASKED: Final = (
    "wholeroad check",
    "wholeroad fairness data",
    "wholeroad fairness solution",
    "wholeroad fairness plan",
    "wholeroad fairness flips --group carrier",
    "wholeroad fairness flips --group origin",
    "wholeroad fairness flips --group route",
    "wholeroad fairness slices",
    "wholeroad fairness price --group route",
    "wholeroad fairness price --group origin --equal true_positive_rate",
    "wholeroad fairness price --group carrier --equal true_positive_rate",
    TRY,
    """wholeroad fairness try --remedy '{ kind = "reweigh", group = "route" }'""",
    """wholeroad fairness try --remedy '{ kind = "reweigh", group = "origin" }'""",
    "wholeroad fairness page",
    REHEARSE,
)
TABLES: Final = {
    "route": (
        "base_rate",
        "selection_rate",
        "true_positive_rate",
        "false_positive_rate",
        "precision",
        "gain_per_case",
    ),
    "carrier": ("base_rate", "selection_rate", "true_positive_rate", "gain_per_case"),
}
TABLES["origin"] = TABLES["route"]
CARRIERS: Final = {
    "9E": "Endeavor",
    "AA": "American",
    "AS": "Alaska",
    "B6": "JetBlue",
    "DL": "Delta",
    "EV": "ExpressJet",
    "F9": "Frontier",
    "FL": "AirTran",
    "MQ": "Envoy",
    "UA": "United",
    "US": "US Airways",
    "VX": "Virgin America",
    "WN": "Southwest",
    "YV": "Mesa",
}


def typed(command: str, folder: Path) -> tuple[str, float]:
    """Type a command in a folder; give what it printed, and its seconds."""
    words = [sys.executable, "-m", *shlex.split(command)]
    sys.stderr.write(f"== {command}\n")
    began = time.perf_counter()
    done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, text=True, check=True, encoding="utf-8")
    return done.stdout, time.perf_counter() - began


def shortened(command: str, printed: str) -> list[str]:
    """Keep the beginning of an output, and of a plan the heads of its lines and what the page shows of it."""
    lines = [line.rstrip() for line in printed.splitlines()]
    if command.endswith("fairness plan"):
        return list(chosen_of_the_plan(lines))
    return lines[:MOST_LINES]


def chosen_of_the_plan(lines: Sequence[str]) -> Iterator[str]:
    """Give the plan's first line whole, and those that its reader has to judge; of others the head."""
    whole, first = True, True
    for line in lines:
        number, dot, head = line.partition(". ")
        if dot and number.isdigit():
            shown = (
                "What came true: carrier = EV",
                "Wrong labels",
                "Who can be told from the features: route",
            )
            whole = first or head.startswith(shown)
            first = False
            yield line
        elif not line.startswith(" ") and line:
            whole = True
            yield line
        elif whole:
            yield line


def begun(folder: Path, *extra: str) -> Path:
    """Write a project of the flights with groups."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [(FLIGHTS / name).read_text("utf-8") for name in ("brief.toml", "fairness.toml")]
    (folder / "brief.toml").write_text("".join([*parts, *extra]), encoding="utf-8")
    if not (folder / "data").exists():
        build = [sys.executable, str(FLIGHTS / "build.py"), "--out", str(folder / "data")]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    return folder


def cell(one: GroupFigure) -> str:
    """Write a figure with its interval."""
    if not one.enough:
        return "too few"
    money = "EUR" if one.unit == "money" else ""
    figure = figure_in_words(one.figure.value, one.unit, money=money)
    return f"{figure} ({range_in_words(one.figure, one.unit, money=money)})"


def rows(fairness: Fairness, grouping: str, *, note: str = "") -> list[str]:
    """Write the rows of a table, the group with most cases first."""
    found = {(one.value, one.measure): one for one in fairness.figures if one.grouping == grouping}
    values = list(dict.fromkeys(value for value, _ in found))
    values.sort(key=lambda value: -found[value, "selection_rate"].cases)
    written = []
    for value in values:
        name = f"{value}, {CARRIERS[value]}" if value in CARRIERS else value
        cells = [cell(found[value, measure]) for measure in TABLES[grouping]]
        written.append(f"| {name}{note} | {found[value, 'selection_rate'].cases:,} | {' | '.join(cells)} |")
    return written


def apart(fairness: Fairness) -> dict[str, str]:
    """Write every disparity."""
    written = {}
    for one in fairness.disparities:
        if one.difference is not None:
            words = [
                figure_in_words(one.difference.value, one.unit, money="EUR", apart=True),
                range_in_words(one.difference, one.unit, money="EUR", apart=True),
            ]
            ratio = one.ratio or Estimate(float("nan"), float("nan"), float("nan"))
            said = f"ratio {ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
            written[f"{one.measure} by {one.grouping}"] = (
                f"{words[0]} ({words[1]}), {one.highest} to {one.lowest}, {said}"
            )
    return written


def in_the_data(found: BiasFound) -> dict[str, str]:
    """Write what differs in the data as the page tells it."""
    asked = Counter(one.cause for one in found.findings)
    clear = Counter(one.cause for one in found.findings if one.clear)
    written: dict[str, str] = {cause: f"{clear[cause]} clear of {asked[cause]}" for cause in asked}
    for one in found.findings:
        if one.cause == "delay" and one.grouping == "route":
            hours = [f"{24 * each.value:.1f} hours" for each in (one.figure, one.rest)]
            written[f"delay, {one.value}"] = f"{hours[0]}, others {hours[1]}, {one.in_errors:.0f} errors"
        if one.cause == "history" and (one.grouping == "origin" or one.value == "VX"):
            days = [f"{each.value:.0f} days" for each in (one.figure, one.rest)]
            written[f"history, {one.value}"] = f"{days[0]}, others {days[1]}, {one.in_errors:.0f} errors"
        if one.cause == "missingness" and one.about == "delay_carrier_2h" and one.clear:
            written[f"missing {one.about}, {one.value}"] = said_of(one)
        if one.cause == "missingness" and one.about == "late_origin_2h" and one.grouping == "origin":
            written[f"missing {one.about}, {one.value}"] = said_of(one)
        if one.cause == "base_rate":
            written[f"base rate, {one.value}"] = said_of(one)
    missing = [one for one in found.findings if one.cause == "missingness" and one.clear]
    small = sum(abs(one.difference.value) < 0.01 for one in missing)
    written["missingness clear and below 1 point"] = f"{small} of {len(missing)}"
    return written


def said_of(one: GroupBias) -> str:
    """Write a finding about shares."""
    shares = [figure_in_words(each.value, "share") for each in (one.figure, one.rest)]
    difference = figure_in_words(one.difference.value, "share", apart=True)
    between = range_in_words(one.difference, "share", apart=True)
    return f"{shares[0]} beside {shares[1]}, {difference} ({between}) of {one.cases:,}"


def conflicts_of(found: Solution) -> list[str]:
    """Write which definitions can't hold together."""
    return [clash.says for clash in found.conflicts]


def limited(project: Project) -> dict[str, Any]:
    """Tell which fits limits stopped, and what was made, of a rehearsal that is there already."""
    made = project.rehearse(["status quo", "every 30d"])
    facts = [json.loads(line) for line in made.export("every 30d")]
    fits = [fact for fact in facts if fact["fact"] == "ModelFitted"]
    stopped = [day_of(fact["at"]) for fact in fits if fact["stopped"]]
    money = dict(zip(made.policies["policy"], made.policies["total"], strict=True))
    return {
        "stopped": f"{len(stopped)} of {len(fits)}",
        "on": stopped,
        "total": f"{money['every 30d']:,.0f} EUR",
        "breached": watched(facts),
        "cards": [
            line.partition("ratio between ")[2].rstrip(" |.")
            for card in sorted((made.folder / "models").glob("*.md"))
            for line in card.read_text("utf-8").splitlines()
            if "breached, stops the model" in line
        ],
        "least probability re-seated": least_probability(project, made.decisions("every 30d")),
    }


def watched(facts: list[dict[str, Any]]) -> str:
    """Write how many looks after a release found a limit clearly breached, and the first of them."""
    looks = [fact for fact in facts if fact["fact"] == "LimitsWatched"]
    breached = [fact for fact in looks if "breached" in fact["standings"].values()]
    first = f", first on {day_of(breached[0]['at'])}: {breached[0]['says']}" if breached else ""
    return f"{len(breached)} of {len(looks)} looks{first}"


def least_probability(project: Project, decisions: pl.DataFrame) -> dict[str, str]:
    """Write from which probability on flights are re-seated by length: each model's least, their median."""
    miles = pl.col("distance")
    route = pl.when(miles < 500).then(pl.lit("under 500 miles")).when(miles < 1500)
    named = route.then(pl.lit("500 to 1,499 miles")).otherwise(pl.lit("1,500 miles and more"))
    flights = project.versions("flights", ["distance"]).frame.select("flight_id", route=named)
    least = (
        decisions.filter(pl.col("action") == "rebook", pl.col("model").is_not_null())
        .join(flights, on="flight_id")
        .group_by("route", "model")
        .agg(pl.col("p_late").min())
        .group_by("route")
        .agg(pl.col("p_late").median())
        .sort("route")
    )
    return {name: f"{100 * chance:.1f}%" for name, chance in least.iter_rows()}


def day_of(at: int) -> str:
    """Write the day of an instant."""
    return format_instant(at)[:10]


def by_the_timetable() -> str:
    """Write what reweighing by airport does to LightGBM on one cut, with what the timetable says alone."""
    found = by_origin("lightgbm")
    before, after = (100 * found[name]["disparity"][0] for name in ("without", "with"))
    change, low, high = (100 * each for each in found["change"]["disparity"])
    return f"{before:.1f} points without, {after:.1f} with: {change:.1f} more ({low:.1f} to {high:.1f})"


def measured(folder: Path) -> dict[str, Any]:
    """Ask everything."""
    place = begun(folder / "flights")
    printed: dict[str, list[str]] = {}
    seconds: dict[str, float] = {}
    for command in ASKED:
        out, taken = typed(command, place)
        printed[command], seconds[command] = shortened(command, out), round(taken, 1)
    project = wholeroad.open(place)
    project.land()
    solution = project.fairness.solution()
    found = solution.fairness
    result: dict[str, Any] = {
        "bench": "fairness_flights",
        "on": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "cpus": os.cpu_count(),
        "made_with": made_with(),
        "flights": f"{project.versions('flights', []).frame.height:,}",
        "printed": printed,
        "seconds": seconds,
        "tables": {name: rows(found, name) for name in TABLES},
        "apart": apart(found),
        "everybody": {one.measure: cell(one) for one in found.everybody},
        "pooled": {
            name: ", ".join(f"{value} ({n})" for value, n in each.items())
            for name, each in found.pooled.items()
        },
        "data": in_the_data(project.fairness.data()),
        "conflicts": conflicts_of(solution),
        "reweighing by the timetable": by_the_timetable(),
        "added": {"limit": LIMIT, "remedy": REMEDY},
        "limits": {},
    }
    tried = project.fairness.attempt([parse_remedy(THRESHOLDS)]).with_it
    if tried is not None:
        result["tables"]["route with thresholds"] = rows(tried.fairness, "route", note=", thresholds")
    for name, extra in {"alone": (LIMIT,), "with thresholds": (LIMIT, REMEDY)}.items():
        begun(place, *extra)
        for command in (REHEARSE, TRY)[: 2 if name == "alone" else 1]:
            out, taken = typed(command, place)
            printed[f"limit {name}: {command}"] = shortened(command, out)
            seconds[f"limit {name}: {command}"] = round(taken, 1)
        result["limits"][name] = limited(wholeroad.open(place))
    begun(place)
    out, _ = typed(CHOOSE, place)
    printed[CHOOSE] = shortened(CHOOSE, out)
    brief = (place / "brief.toml").read_text("utf-8")
    result["chosen"] = brief[brief.index("[[fairness.remedies]]") :].splitlines()
    return result


def main() -> None:
    """Measure, keep and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--folder", type=Path, help="keep the project here")
    given = arguments.parse_args()
    if given.folder:
        result = measured(given.folder.resolve())
    else:
        with tempfile.TemporaryDirectory() as folder:
            result = measured(Path(folder))
    KEPT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps({"bench": "fairness_flights", "seconds": result["seconds"]}) + "\n")


if __name__ == "__main__":
    main()
