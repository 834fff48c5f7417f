"""Run the benches and write ``bench/RESULTS.md``.

Run ``python bench/results.py`` for all, or name some: ``python bench/results.py startup``; the others keep
the figures that they had. Every row tells what it was measured against in the same run; absolutes are
of one machine on one day, ratios travel.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KEPT = HERE / "results.json"


def run(name: str) -> dict[str, Any]:
    """Run one bench; its last line is JSON."""
    sys.stderr.write(f"== bench/{name}.py\n")
    command = [sys.executable, str(HERE / f"{name}.py")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {**found, "on": today, "load": round(busy, 1)}


def row(*cells: str, met: bool) -> str:
    """Write a row of the table."""
    return f"| {' | '.join(cells)} | {'met' if met else '**not met**'} |"


def features(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of the features bench."""
    median, goals = found["median_s"], found["goal"]
    asked = f"{found['cases']:,} cases, {found['windows']} windows, {found['latest']} latest"
    ours = f"features as known: {asked}, {found['threads']} threads: {median['wholeroad']:.2f} s"
    peers = {"duckdb_range": "RANGE windows over a union", "duckdb_asof": "as-of joins of sums"}
    for peer, ratio in found["ratio"].items():
        theirs = f"DuckDB, {peers[peer]}, equal results: {median[peer]:.2f} s"
        yield row(ours, theirs, f"{ratio:.1f}x as fast", f"≥ {goals[peer]:g}x", met=ratio >= goals[peer])


def rehearsal(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of the rehearsal bench."""
    whole = statistics.median(found["whole_s"])
    parts = statistics.median(part["fits"] + part["scores"] for part in found["alone_s"])
    ours = f"rehearsal of a year of flights, daily cycles, {found['policies']} policies: {whole:.1f} s"
    theirs = f"its {found['distinct_fits']} distinct fits and bulk scores alone: {parts:.1f} s"
    ratio, goal = found["ratio"], found["goal"]
    yield row(ours, theirs, f"{ratio:.2f}x", f"≤ {goal:g}x", met=ratio <= goal)


def startup(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of the start-up bench."""
    median = found["median_s"]
    bare = f"a bare interpreter: {median['bare interpreter']:.3f} s; polars: {median['import polars']:.3f} s"
    for name, goal in found["goal_s"].items():
        yield row(f"`{name}`", bare, f"{median[name]:.3f} s", f"≤ {goal:g} s", met=median[name] <= goal)


def memory(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of the memory bench."""
    goal = found["goal_gib"]
    for stage, peak in found["peak_gib"].items():
        what = f"{stage} {found['cases']:,} cases of the support desk: {found['seconds'][stage]:.0f} s"
        yield row(what, "–", f"{peak:.2f} GiB at most", f"≤ {goal:g} GiB", met=peak <= goal)


def afternoon(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of the first afternoon."""
    ours = f"from a CSV of {found['rows']:,} rows to a rehearsal and its page: {found['whole_s']:.1f} s"
    work = found["fits_s"] + found["scores_s"]
    theirs = f"its {found['distinct_fits']} fits and bulk scores alone: {work:.1f} s"
    share, goal, beside = found["share"], found["goal"], found["whole_s"] - work
    yield row(ours, theirs, f"{beside:.1f} s, {share:.0%}, are ours", f"≤ {goal:.0%}", met=share <= goal)


def landing(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of the landing bench."""
    first, again = found["seconds"].values()
    what = f"landing a CSV of {found['size_gb']:.2f} GB, {found['rows']:,} rows: {first:.0f} s"
    what += f", again {again:.0f} s"
    peak, goal = found["peak_gib"], found["goal_gib"]
    yield row(what, "–", f"{peak:.2f} GiB at most", f"≤ {goal:g} GiB", met=peak <= goal)


def nightly(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of the nights."""
    ours = f"{found['nights']} nights of flights, a process each, {found['killed']} killed"
    theirs = f"the rehearsal of its ledger: {found['facts']:,} facts, {found['decided']:,} decisions"
    equal = found["equal"]
    yield row(ours, theirs, "equal to the byte" if equal else "different", "equal", met=equal)


def newsvendor(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of the orders."""
    short, interval = found["expected"]["short_percent"], found["expected"]["interval_percent"]
    ours = f"{found['cases']:,} orders, money expected of them: {found['expected']['ours']:,} EUR"
    theirs = f"of orders that know the true demand: {found['expected']['optimum']:,} EUR"
    said = f"{short:.2f} % short ({interval[0]:.2f} to {interval[1]:.2f})"
    yield row(ours, theirs, said, "≤ 1 %", met=interval[1] <= 1)


def ranking(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of ranking under a capacity."""
    low, high = found["interval"]
    ours = f"the best {found['per_day']} of {found['claims_per_day']:,} a day by money instead of probability"
    ours += f", {found['days']} days"
    theirs = f"closed form: {found['closed_form_per_day']:,.0f} EUR a day more"
    said = f"{found['gain_per_day']:,.0f} EUR a day more ({low:,.0f} to {high:,.0f})"
    yield row(ours, theirs, said, "inside", met=found["inside"])


def contracts(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of the contracts bench."""
    asked = f"{found['clauses']} clauses of {found['rows']:,} rows x {found['columns']} columns"
    for what, (seconds, theirs_s) in found["seconds"].items():
        ours = f"a contract of {asked}, {what}, {found['threads']} threads: {seconds:.1f} s"
        theirs = f"Pointblank 1.1.1, the same {found['failed']:,} failures: {theirs_s:.1f} s"
        ratio, goal = found["ratio"][what], found["goal"]
        yield row(ours, theirs, f"{ratio:.1f}x as fast", f"≥ {goal:g}x", met=ratio >= goal)
    peak, most = found["peak_gib"], found["goal_gib"]
    theirs, measured = f"Pointblank: {peak['pointblank']:.2f} GiB", f"{peak['wholeroad']:.2f} GiB at most"
    yield row(
        "memory of that, from the file", theirs, measured, f"≤ {most:g} GiB", met=peak["wholeroad"] <= most
    )


def troubles(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of the planted troubles."""
    for size, goal in found["goal"].items():
        sums = found["found"]["wholeroad"][size]
        what = f"planted troubles, {size}: found and rightly named, {found['seeds'][1]} worlds per kind"
        others = (
            f"{who} {one[size]['mean']:g} of the {one[size]['of']} it looks for"
            for who, one in found["found"].items()
            if who != "wholeroad"
        )
        said = f"{sums['mean']:g} of {sums['of']} ({sums['low']:g} to {sums['high']:g})"
        yield row(what, ", ".join(others) or "–", said, f"≥ {goal}", met=sums["mean"] >= goal)
    rates, most = found["alarms"], found["goal_alarms"]
    theirs = ", ".join(f"{who} {rate:g}" for who, rate in rates.items() if who != "wholeroad")
    what, said = "false alarms on clean worlds, per 20 columns", f"{rates['wholeroad']:g}"
    yield row(what, theirs or "–", said, f"≤ {most:g}", met=rates["wholeroad"] <= most)


def labels(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of the planted label noise."""
    what = f"{found['settings']} settings of planted label noise, precision = recall at the true count"
    ours, worst = found["ours_at_count"], found["worst_difference"]
    theirs = f"cleanlab 2.9.0 on the same probabilities: {found['cleanlab_at_count']:.2f}"
    theirs += f"; by chance {found['chance_at_count']:.2f}"
    yield row(what, theirs, f"{ours:.2f}, at worst {worst:+.2f}", "≥ cleanlab's − 0.01", met=worst >= -0.01)


def data_value(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of the worth of columns."""
    worlds = found["worlds"]
    what = f"the worth of a useful and of a useless column, {worlds} worlds of {found['cases']:,} cases"
    useful, useless = found["useful_told"], found["useless_told_useful"]
    theirs = (
        f"closed form: {found['closed_form_a_month']:,.0f} EUR a month, inside {found['closed_form_inside']}"
    )
    said = f"useful told {useful}, useless told useful {useless}"
    met = useful >= 0.95 * worlds and useless <= 0.05 * worlds
    yield row(what, theirs, said, "≥ 95 %, ≤ 5 %", met=met)


def profile_memory(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of the memory of a profile."""
    goal = found["goal_gib"]
    for stage, peak in found["peak_gib"].items():
        doing = "landing with a contract" if stage == "land" else "profiling"
        what = f"{doing} {found['rows']:,} rows x {found['columns']} columns: {found['seconds'][stage]:.0f} s"
        yield row(what, "–", f"{peak:.2f} GiB at most", f"≤ {goal:g} GiB", met=peak <= goal)


def fairness_speed(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of the assessment's speed."""
    one, goal = found["groupings"]["one of 20"], found["goal"]
    ours = f"{found['cases']:,} decisions by 20 groups, all measures with intervals: {one['whole_s']:.2f} s"
    theirs = f"one pass over the same columns: {one['pass_s']:.4f} s"
    yield row(ours, theirs, f"{one['ratio']:.1f}x", f"≤ {goal:g}x", met=one["ratio"] <= goal)


def fairness_coverage(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of the intervals of decisions."""
    low, high = found["goal"]
    ours = f"95 % intervals of measures by group, {found['cells']} cells of {found['replays']:,} replays"
    said = f"{found['least']:.1f} to {found['most']:.1f} %, {len(found['outside'])} outside"
    yield row(ours, "the truth in closed form", said, f"{low:g} to {high:g} %", met=not found["outside"])


def bias_coverage(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of the intervals in the data."""
    worlds = {name: each for name, each in found.items() if isinstance(each, dict) and "covered" in each}
    for cause in next(iter(worlds.values()))["covered"]:
        sides = ("figure", "difference")
        cells = [100 * each["covered"][cause][side] for each in worlds.values() for side in sides]
        outside = sum(not 93 <= cell <= 97 for cell in cells)
        ours = f"95 % intervals of {cause.replace('_', ' ')} by group, {len(cells)} cells"
        said = f"{min(cells):.1f} to {max(cells):.1f} %, {outside} outside"
        yield row(ours, "the truth, integrated", said, "93 to 97 %", met=not outside)
    clean = [100 * share for each in worlds.values() for share in each["clean"].values()]
    said = f"{min(clean):.1f} to {max(clean):.1f} % of worlds, by cause"
    yield row("nothing differs, and something is called clear", "–", said, "≤ 5 %", met=max(clean) <= 5)


def bias_causes(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of the plan's causes."""
    parts = zip(("2 to 3", "3 to 5", "more than 5"), found["by_size"], strict=True)
    sizes = ", ".join(f"{100 * share:.0f} % at {size}" for size, share in parts if share is not None)
    ours = (
        f"the plan names the true cause first, {found['worlds']} worlds of effects beyond 2 standard errors"
    )
    yield row(ours, sizes, f"{100 * found['named_first']:.1f} %", "≥ 90 %", met=found["named_first"] >= 0.9)
    ours = f"a clear line where nothing differs, {found['nulls']} worlds"
    false = found["false_lines"]
    yield row(ours, "–", f"{100 * false:.1f} %", "≤ 5 %", met=false <= 0.05)


def fairness_holds(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of thresholds on later time."""
    for world, lines in found["worlds"].items():
        shares = [line["admits"] for line in lines]
        ours = f"thresholds hold on later time within their interval, {world}, {found['replays']} replays"
        said = f"{100 * min(shares):.1f} to {100 * max(shares):.1f} %"
        met, goal = min(shares) >= found["goal"], f"≥ {100 * found['goal']:g} %"
        yield row(ours, "the stated tolerance", said, goal, met=met)


def fairness_price(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of the price beside Fairlearn's."""
    for measure, one in found["points"].items():
        ours = f"money at the same difference of {measure.replace('_', ' ')}, {found['seeds']} seeds"
        said = (
            f"more {one['more']}, equal {one['equal']}, less {one['less']}; not reached {one['not_reached']}"
        )
        theirs = "Fairlearn 0.15 ThresholdOptimizer, which draws lots"
        yield row(ours, theirs, said, "never less", met=not one["less"] and not one["not_reached"])


def reweighing(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of reweighing."""
    one = found["generated"][0]
    sides = [one[name]["disparity"] for name in ("without", "with")]
    before, after = (side["mean"] for side in sides)
    ours = f"reweighing: disparity {before:.3f} without, {after:.3f} with, {one['replays']} replays"
    theirs = "closed form: {:.3f}, {:.3f}".format(*(side["closed_form"] for side in sides))
    off = max(abs(side["mean"] - side["closed_form"]) for side in sides)
    yield row(ours, theirs, f"off by {off:.4f} at most", "≤ 0.005", met=off <= 0.005)


def slices(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of planted slices."""
    for name, one in found["planted"].items():
        yield row(f"planted slice, {name}", "–", f"{one['found']} of {one['worlds']} found", "–", met=True)
    for kind, one in found["clean"].items():
        false, high = one["with_a_false_one"], 100 * one["interval"][1]
        ours = f"a slice that stands where there is none, losses of kind {kind}, {one['worlds']} worlds"
        said = f"{false} ({high:.1f} % at most)"
        yield row(ours, "–", said, f"≤ {100 * found['rate']:g} %", met=false <= found["rate"] * one["worlds"])


def service_crash(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of the killed service."""
    hit = found["hit"]
    ours = f"a service under load, killed {found['kills']:,} times at random instants"
    ours += f", {hit.get('cycle', 0):,} amid a cycle and {hit.get('fit', 0):,} amid a fit"
    ours += "".join(f"; {kills:,} with the office in a {beside}" for beside, kills in found["office"].items())
    theirs = f"{found['requests']:,} acknowledged requests, and the rehearsal of its ledger"
    said = f"{found['rows']:,} rows and {found['decisions']:,} answers there once, equal to the byte"
    yield row(ours, theirs, said, "nothing lost, nothing twice", met=not found["left_running"])


def service_parity(found: dict[str, Any]) -> Iterator[str]:
    """Give the row of the year over HTTP."""
    ours = (
        f"{found['days']} days of flights over HTTP on a stepped clock: {found['rows_sent']:,} rows, late, "
        f"early, corrected, repeated, several at once; {found['decisions']:,} decisions, {found['fits']} fits"
    )
    said = "equal to the byte" if found["equal"] else f"not equal: {found['difference']}"
    yield row(ours, "the rehearsal of its ledger", said, "equal to the byte", met=found["equal"])


def serving(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of decisions and of rows over HTTP."""
    median, goal = found["median"], found["goal"]
    peers = {"mlflow": "MLflow, tensor of the encoded row", "starlette": "bare Starlette, the encoded row"}
    here = median["wholeroad"]["32"]
    ours = (
        f"a decision over HTTP, 32 connections, {found['features']} features as known, {found['trees']} "
        f"trees, on the disk: {here['per_s']:,.0f}/s, p50 {here['p50_ms']:.1f}, p99 {here['p99_ms']:.1f} ms"
    )
    for peer, name in peers.items():
        there, ratio = median[peer]["32"], found["ratio_at_32"][peer]
        theirs = f"{name}, nothing kept: {there['per_s']:,.0f}/s, p50 {there['p50_ms']:.1f}, "
        theirs += f"p99 {there['p99_ms']:.1f} ms"
        yield row(ours, theirs, f"{ratio:.2f}x", f"≥ {goal[peer]:g}x", met=ratio >= goal[peer])
    one, most = median["wholeroad"]["1"], goal["beside_a_flush_ms"]
    ours = f"the same, one connection: p50 {one['p50_ms']:.2f}, p99 {one['p99_ms']:.2f} ms"
    theirs = f"one flush of the disk: {found['flush_ms']['fsync']:.2f} ms"
    beside = found["beside_a_flush_ms"]
    yield row(ours, theirs, f"{beside:.2f} ms beside it", f"≤ {most:g} ms", met=beside <= most)
    errors = found["errors"]
    yield row("errors of all that", "–", f"{errors}", "0", met=not errors)
    for form, rows in found["rows"].items():
        said = f"{rows['rows_per_s']:,}/s, {rows['cpu_us_per_row']:.0f} µs of CPU a row"
        yield row(f"rows in batches of 1,000, {form}", "–", said, "–", met=True)


def service_ready(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of a start with a year of flights."""
    goal = found["goal"]
    ours = f"ready with a year of flights; after a kill in {found['after_kill_s']:.1f} s"
    ready = found["ready_s"]
    theirs = f"{found['ready_cpu_s']:.1f} s of CPU"
    yield row(ours, theirs, f"{ready:.1f} s", f"≤ {goal['ready_s']:g} s", met=ready <= goal["ready_s"])
    most = max(found[name] for name in ("resident_mb", "after_decisions_mb", "after_kill_mb"))
    ours = (
        f"resident: {found['resident_mb']:.0f} MB when ready, {found['after_decisions_mb']:.0f} MB after "
        f"{found['decisions']:,} decisions, {found['after_kill_mb']:.0f} MB after a kill"
    )
    yield row(ours, "–", f"{most:.0f} MB", f"≤ {goal['mb']} MB", met=most <= goal["mb"])


def service_soak(found: dict[str, Any]) -> Iterator[str]:
    """Give the rows of the soak."""
    lines, goal = found["minutes"], found["goal"]
    ours = f"{len(lines)} minutes at {found['per_s']:,}/s of {found['highest_per_s']:,}/s: resident memory"
    theirs = f"hot log {found['hot_log_mb']:.0f} MB at most"
    most = found["resident_mb"]
    yield row(ours, theirs, f"{most:.0f} MB at most", f"≤ {goal['mb']} MB", met=most <= goal["mb"])
    first, last = (statistics.median(each["p99_ms"] for each in some) for some in (lines[:3], lines[-3:]))
    ours = f"the same: p99 in the last three minutes, {found['errors']} errors"
    met = last <= 1.5 * first and not found["errors"]
    yield row(ours, f"in the first three: {first:.1f} ms", f"{last:.1f} ms", "≤ 1.5x, no error", met=met)
    ours, behind = f"the same: {found['cycles']:.0f} cycles, one every {found['cycle']}", found["behind_s"]
    yield row(ours, "–", f"{behind:.0f} s behind at most", "≤ 60 s", met=behind <= 60)


ROWS = {
    "features": features,
    "rehearsal": rehearsal,
    "startup": startup,
    "memory": memory,
    "afternoon": afternoon,
    "landing": landing,
    "contracts": contracts,
    "nightly": nightly,
    "newsvendor": newsvendor,
    "ranking": ranking,
    "troubles": troubles,
    "labels": labels,
    "data_value": data_value,
    "profile_memory": profile_memory,
    "fairness_speed": fairness_speed,
    "fairness_coverage": fairness_coverage,
    "bias_coverage": bias_coverage,
    "bias_causes": bias_causes,
    "fairness_holds": fairness_holds,
    "fairness_price": fairness_price,
    "reweighing": reweighing,
    "slices": slices,
    "service_crash": service_crash,
    "service_parity": service_parity,
    "serving": serving,
    "service_ready": service_ready,
    "service_soak": service_soak,
}

PAGE = """\
# What was measured

Written by `make bench`, each row by the script of its name, with what it is held against in the same run.
Medians. The machine is shared and noisy: trust the ratios, not the seconds.

| what | against | measured | goal | |
|---|---|---|---|---|
{rows}

Measured: {when}; {machine}. How each is measured stands at the top of its script; about the features, see
[features.md](features.md).
"""


def page(results: dict[str, dict[str, Any]]) -> str:
    """Write the page."""
    there = [name for name in ROWS if name in results]
    machine = f"{os.cpu_count()} CPUs, {platform.system()} {platform.machine()}"
    return PAGE.format(
        rows="\n".join(line for name in there for line in ROWS[name](results[name])),
        when=", ".join(f"{name} {results[name]['on']} (load {results[name]['load']})" for name in there),
        machine=f"{machine}, Python {platform.python_version()}",
    )


def main() -> None:
    """Measure what is asked for, keep the rest, write the page."""
    wanted = sys.argv[1:] or list(ROWS)
    results: dict[str, dict[str, Any]] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for name in wanted:
        results[name] = run(name)
        KEPT.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
        (HERE / "RESULTS.md").write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
