"""Thirty kinds of planted trouble: how many are found and rightly named, and false alarms on clean worlds.

Worlds and troubles come from ``wholeroad.testing.troubles``, which was there before the profile. Each kind is
planted at three sizes, once for each seed, in the four businesses in turn. A trouble counts as found when one
is named with its kind, in its source, with one of its columns (kinds that concern whole rows: without). On
clean worlds everything that is named counts as a false alarm, of whatever kind.

Seeds 0 to 9 and four businesses are for tuning (``--tuning``). The table is made with seeds from 100 on, in
these and in a fifth business that nobody tuned on; half of the troubles that have a form (a word, a factor, a
code) take one there that the seeds for tuning don't know. Those of the fifth business are told apart as well.

Pointblank's and skrub's reports look at the same tables where they look for such a thing, in an environment
of theirs (``--peers PYTHON``; unless given, one is made and filled by pip). What counts as found is in
``troubles_peers.py``, and :data:`MEANT` says generously what each of their issues may stand for: "missing" is
taken for "missing since", a range that the first half of the rows didn't have for any number out of line.
Kinds that no issue of a report can stand for are not in its column. Keys and times are withheld from them.

Run ``python bench/troubles.py``; ``--write`` keeps the page ``bench/troubles.md``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wholeroad.road.data.quality.troubles import KINDS
from wholeroad.road.data.quality.work import examine
from wholeroad.testing.troubles import (
    HELD_OUT,
    NOT_TUNED_ON,
    SIZES,
    TEMPLATES,
    TUNING,
    World,
    clean_world,
    in_memory,
)
from wholeroad.testing.troubles_counting import (
    Alarms,
    Named,
    Trial,
    alarms,
    judged,
    planted_worlds,
    share_found,
)

HERE = Path(__file__).parent
PINNED = ("pointblank==1.1.1", "skrub==0.11.0", "polars==2.1.0", "pyarrow")
GOAL = {"large": 27, "middle": 20}
GOAL_ALARMS = 1.0

MEANT: dict[str, dict[str, tuple[str, ...]]] = {
    "skrub": {
        "constant": ("constant-column",),
        "association": ("redundant-column",),
        "outliers": ("outliers",),
        "missing": ("missing-since", "missing-tells-outcome"),
    },
    "pointblank": {
        "constant": ("constant-column",),
        "missing": ("missing-since", "missing-tells-outcome"),
        "null": ("missing-since", "missing-tells-outcome"),
        "drift": ("unit-change", "missing-since", "new-category", "outcome-rate-shift"),
        "range": ("impossible-value", "outliers", "unit-change", "sentinel-number", "sentinel-date"),
        "allowed": ("new-category", "spelling-variants", "sentinel-text", "mojibake"),
    },
}


def sought(peer: str) -> set[str]:
    """Give the kinds that a peer looks for."""
    return {f"quality.{kind}" for kinds in MEANT[peer].values() for kind in kinds}


def ours(world: World) -> list[Named]:
    """Profile a world that has landed."""
    brief, versions, history = in_memory(world)
    found = examine(history, brief, sources=versions)
    return [(trouble.code, trouble.source, trouble.columns) for trouble in found]


@dataclass
class Desk:
    """Tables laid out for the peers, and what they said."""

    folder: Path
    index: list[dict[str, Any]] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)

    def lay(self, world: World, source: str, *, name: str, peers: Sequence[str]) -> None:
        """Write a table without its key and its times."""
        withheld = [world.keys[source], *world.times.get(source, ())]
        world.frames[source].write_parquet(self.folder / name)
        self.index.append({"file": name, "drop": withheld, "peers": list(peers)})

    def ask(self, python: str) -> None:
        """Have the peers look at all of them."""
        (self.folder / "index.json").write_text(json.dumps(self.index), encoding="utf-8")
        subprocess.run([python, str(HERE / "troubles_peers.py"), str(self.folder)], check=True)
        self.said = json.loads((self.folder / "said.json").read_text("utf-8"))

    def named(self, peer: str, name: str, source: str) -> Iterator[Named]:
        """Give what a peer said of a table, as kinds that it may stand for."""
        for issue, columns in self.said[name].get(peer, []):
            for kind in MEANT[peer].get(issue, ()):
                yield f"quality.{kind}", source, tuple(columns)


def environment(folder: Path) -> str:
    """Make an environment with the peers, and give its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PINNED], check=True)
    return str(python)


def peers_tried(
    python: str, seeds: Sequence[int], *, templates: Sequence[str], folder: Path
) -> dict[str, list[Trial]]:
    """Have the peers look at each planted trouble that they look for."""
    desk, laid = Desk(folder), []
    for number, (template, seed, world, planted) in enumerate(planted_worlds(seeds, templates=templates)):
        peers = [peer for peer in MEANT if planted.kind in sought(peer)]
        if peers:
            name = f"planted_{number}.parquet"
            desk.lay(world, planted.source, name=name, peers=peers)
            laid.append((template, seed, planted, name, peers))
    desk.ask(python)
    tried: dict[str, list[Trial]] = {peer: [] for peer in MEANT}
    for template, seed, planted, name, peers in laid:
        for peer in peers:
            named = [*desk.named(peer, name, planted.source)]
            tried[peer].append(judged(template, seed, planted=planted, named=named))
    return tried


def peers_alarms(
    python: str, seeds: Sequence[int], *, templates: Sequence[str], folder: Path
) -> dict[str, Alarms]:
    """Have the peers look at clean worlds; an issue that may stand for several kinds counts once."""
    desk, columns, worlds = Desk(folder), 0, 0
    for template in templates:
        for seed in seeds:
            world, worlds = clean_world(template, seed=seed), worlds + 1
            columns += world.columns
            for source in world.frames:
                desk.lay(world, source, name=f"{template}_{seed}_{source}.parquet", peers=[*MEANT])
    desk.ask(python)
    return {
        peer: Alarms(
            worlds,
            columns,
            Counter(issue for said in desk.said.values() for issue, _ in said[peer] if issue in MEANT[peer]),
        )
        for peer in MEANT
    }


def shares(trials: Sequence[Trial], kind: str) -> str:
    """Give how many of how many were found, large, middle and small."""
    told: list[str] = []
    for size in SIZES:
        found = [trial.found for trial in trials if (trial.planted.kind, trial.planted.size) == (kind, size)]
        told.append(f"{sum(found)}/{len(found)}" if found else "–")
    return " | ".join(told)


def summed(trials: Sequence[Trial], size: str) -> dict[str, float]:
    """Give how many kinds are found on average, of those looked for, and how many mostly."""
    some = [trial for trial in trials if trial.planted.size == size]
    kinds = {trial.planted.kind for trial in some}
    share, low, high = share_found(some)
    mostly = sum(
        2 * sum(trial.found for trial in some if trial.planted.kind == kind)
        > sum(trial.planted.kind == kind for trial in some)
        for kind in kinds
    )
    scaled = {"mean": share, "low": low, "high": high}
    return {
        "of": len(kinds),
        "mostly": mostly,
        **{name: round(each * len(kinds), 1) for name, each in scaled.items()},
    }


def table(tried: dict[str, list[Trial]], cried: dict[str, Alarms]) -> Iterator[str]:
    """Write what was found, by kind and size, and the false alarms."""
    heads = [f"{who}, {size}" for who in tried for size in SIZES]
    yield f"| planted | {' | '.join(heads)} |"
    yield f"|---|{'---:|' * len(heads)}"
    for kind in KINDS:
        cells = " | ".join(shares(trials, kind) for trials in tried.values())
        yield f"| {kind.removeprefix('quality.')} | {cells} |"
    sums_of: list[str] = []
    for trials in tried.values():
        for size in SIZES:
            sums = summed(trials, size)
            sums_of.append(f"{sums['mean']} of {sums['of']} ({sums['low']} to {sums['high']})")
    yield f"| **kinds found, on average** | {' | '.join(sums_of)} |"
    apart: list[str] = []
    for trials in tried.values():
        fifth = [trial for trial in trials if trial.template in NOT_TUNED_ON]
        some = [[trial.found for trial in fifth if trial.planted.size == size] for size in SIZES]
        apart += [f"{sum(found)}/{len(found)}" if found else "–" for found in some]
    yield f"| of these, in the fifth business | {' | '.join(apart)} |"
    yield ""
    yield "False alarms on clean worlds:"
    yield ""
    for who, alarm in cried.items():
        often = ", ".join(
            f"{kind.removeprefix('quality.')} {count}" for kind, count in alarm.kinds.most_common()
        )
        yield (
            f"- {who}: {alarm.per_20_columns:.2f} per 20 columns ({alarm.kinds.total()} in {alarm.columns:,}"
            f" columns of {alarm.worlds} worlds{': ' if often else ''}{often})"
        )


def missed(trials: Sequence[Trial]) -> Iterator[str]:
    """Tell what was missed at large and middle, and what was named in its place."""
    for trial in trials:
        if not trial.found and trial.planted.size != "small":
            planted = trial.planted
            where = f"{trial.template} seed {trial.seed}: {planted.source} {', '.join(planted.columns)}"
            instead = f"; named instead: {', '.join(trial.instead)}" if trial.instead else ""
            yield f"{planted.kind} {planted.size} {where}, {planted.rows} rows{instead}"


def main() -> None:
    """Plant, look, count, print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--seeds", type=int, default=10, help="worlds for each kind and size")
    arguments.add_argument("--clean", type=int, default=10, help="clean worlds of each business")
    arguments.add_argument(
        "--tuning", action="store_true", help="with the seeds for tuning; tell what is missed"
    )
    arguments.add_argument("--kind", action="append", help="only this kind, such as leak; without peers")
    arguments.add_argument("--peers", default="", help="interpreter that has them; 'none' leaves them out")
    arguments.add_argument("--write", action="store_true", help="write bench/troubles.md")
    given = arguments.parse_args()
    first = TUNING[0] if given.tuning else HELD_OUT
    seeds, clean = range(first, first + given.seeds), range(first, first + given.clean)
    templates = [*TEMPLATES] if given.tuning else [*TEMPLATES, *NOT_TUNED_ON]
    kinds = [f"quality.{kind}" for kind in given.kind] if given.kind else KINDS
    tried = {
        "wholeroad": [
            judged(template, seed, planted=planted, named=ours(world))
            for template, seed, world, planted in planted_worlds(seeds, kinds=kinds, templates=templates)
        ]
    }
    cried = {"wholeroad": alarms(ours, clean, templates=templates)}
    if given.peers != "none" and not given.kind:
        with tempfile.TemporaryDirectory() as folder:
            python = given.peers or environment(Path(folder) / "peers")
            for name in ("planted", "clean"):
                (Path(folder) / name).mkdir()
            tried |= peers_tried(python, seeds, templates=templates, folder=Path(folder) / "planted")
            cried |= peers_alarms(python, clean, templates=templates, folder=Path(folder) / "clean")
    page = "\n".join(table(tried, cried))
    sys.stderr.write(f"{page}\n")
    if given.tuning:
        sys.stderr.write("\n".join(["", *missed(tried["wholeroad"]), ""]))
    if given.write:
        told = (__doc__ or "").partition("\n\nRun ``")[0].replace("``", "`").replace(":data:", "")
        (HERE / "troubles.md").write_text(f"# Planted troubles\n\n{told}\n\n{page}\n", encoding="utf-8")
    found = {
        "bench": "troubles",
        "seeds": [first, given.seeds, given.clean],
        "found": {who: {size: summed(trials, size) for size in SIZES} for who, trials in tried.items()},
        "alarms": {who: round(alarm.per_20_columns, 2) for who, alarm in cried.items()},
        "goal": GOAL,
        "goal_alarms": GOAL_ALARMS,
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
