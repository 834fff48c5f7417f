"""From a cron job: the page runs as it is printed, on a stepped clock, evening by evening."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import wholeroad
from wholeroad import project as composition
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.locks import held
from wholeroad.core.errors import FaultsError
from wholeroad.core.instants import to_instant
from wholeroad.interfaces.cli.app import main
from wholeroad.road.brief.work import read_brief

PAGE = (Path(__file__).parents[1] / "docs" / "how-to" / "from-a-cron-job.md").read_text("utf-8")
BRIEF = re.search(r"^<!-- write: brief.toml -->\n```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]
PRINTED = dict(re.findall(r"^<!-- prints: (.*?) -->\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
TYPED = re.findall(r"^wholeroad .*$", PAGE, re.MULTILINE)
CRONTAB = re.findall(r"^(\d+) (\d+) \* \* \*\s+cd /srv/parcels && (wholeroad .*)$", PAGE, re.MULTILINE)
AT_HAND = re.findall(r"^\| [^|]+ \| `((?:cast|sent_at|known).*?)`", PAGE, re.MULTILINE)

START = datetime(2024, 1, 1, tzinfo=UTC)
LIVE = datetime(2024, 3, 5, tzinfo=UTC)
EVENINGS, MISSED = 5, 2
ISO = "%Y-%m-%dT%H:%M:%SZ"
KNOWN = {"parcels": "booked_at", "deliveries": "reported_at", "scores": "scored_at"}


def written(instants: np.ndarray) -> pl.Series:
    return pl.Series(instants).dt.strftime(ISO)


def world(*, days: int = 75, per_day: int = 60) -> dict[str, pl.DataFrame]:
    """Make parcels of which the heavy ones from depot A are late, and a script that looks at the weight."""
    dice = np.random.default_rng(3)
    count = days * per_day
    minutes = np.sort(dice.integers(0, days * 1440, count))
    sent = np.datetime64(START.replace(tzinfo=None), "us") + minutes.astype("timedelta64[m]")
    weight = dice.gamma(2.0, 2.0, count).round(2)
    depot = dice.choice(["A", "B", "C"], count)
    delay = (6 * weight * (0.5 + (depot == "A")) * dice.lognormal(0, 0.4, count)).round(2)
    delivered = sent + (delay * 3600).astype("timedelta64[s]")
    booked = sent - dice.integers(14 * 60, 72 * 60, count).astype("timedelta64[m]")
    reported = delivered + dice.integers(0, 600, count).astype("timedelta64[m]")
    evening = sent.astype("datetime64[D]").astype("datetime64[us]") - np.timedelta64(4, "h")
    scored = evening + np.timedelta64(2, "m")
    risk = np.clip(weight / 12, 0.01, 0.99).round(3)
    parcel_id = np.arange(count)
    return {
        "parcels": pl.DataFrame(
            {
                "parcel_id": parcel_id,
                "sent_at": written(sent),
                "booked_at": written(booked),
                "weight_kg": weight,
                "depot": depot,
            }
        ),
        "deliveries": pl.DataFrame(
            {
                "parcel_id": parcel_id,
                "delivered_at": written(delivered),
                "reported_at": written(reported),
                "delay_h": delay,
            }
        ),
        "scores": pl.DataFrame(
            {
                "parcel_id": parcel_id,
                "scored_at": written(scored),
                "risk": risk,
                "done": np.where(risk > 0.45, "express", "post"),
            }
        ).filter(booked <= scored),
    }


WORLD = world()


def deliver(folder: Path, now: datetime, brief: str = BRIEF) -> Path:
    """Overwrite the dumps with what is known by now, and list tomorrow's parcels."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "brief.toml").write_text(brief, encoding="utf-8")
    for name, frame in WORLD.items():
        frame.filter(pl.col(KNOWN[name]) <= now.strftime(ISO)).write_csv(folder / f"{name}.csv")
    tomorrow = (now + timedelta(days=1)).strftime("%Y-%m-%d")
    parcels = pl.read_csv(folder / "parcels.csv")
    parcels.filter(pl.col("sent_at").str.starts_with(tomorrow)).write_csv(folder / "tomorrow.csv")
    return folder


class Machine:
    """A folder, and a clock on which commands are typed in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def type(self, line: str, now: datetime) -> tuple[int, str, str]:
        """Give the exit code, and what was printed on both streams."""
        # Another real part, chosen where parts are chosen: commands can't name a clock, and Python can.
        composition.SystemClock = lambda: SteppedClock(to_instant(now))
        self._monkeypatch.chdir(self.folder)
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(line)[1:])
        out, error = self._capsys.readouterr()
        return int(ended.value.code or 0), out, error

    def evening(self, night: int, brief: str = BRIEF) -> list[tuple[int, str, str]]:
        """Run the crontab's lines at their times."""
        deliver(self.folder, LIVE + timedelta(days=night, hours=19, minutes=45), brief)
        return [
            self.type(line, LIVE + timedelta(days=night, hours=int(hour), minutes=int(minute)))
            for minute, hour, line in CRONTAB
        ]


@pytest.fixture
def machine(tmp_path, monkeypatch, capsys):
    ticking = composition.SystemClock
    yield Machine(deliver(tmp_path / "parcels", LIVE + timedelta(hours=12)), monkeypatch, capsys)
    composition.SystemClock = ticking


def shown(printed: str, out: str) -> bool:
    lines = [line.rstrip() for line in out.splitlines()]
    return all(line in lines for line in printed.splitlines())


def test_the_page_runs_as_it_is_printed(machine):
    noon = LIVE + timedelta(hours=12)
    typed = iter(TYPED)
    assert machine.type(next(typed), noon)[0] == 0
    rehearse = next(typed)
    code, out, _ = machine.type(rehearse, noon)
    assert code == 0
    assert shown(PRINTED[rehearse], out), out
    asked = {}
    for night in range(EVENINGS):
        if night == MISSED:
            continue
        for code, out, error in machine.evening(night):
            assert (code, out, error) == (0, "", "")
        answers = pl.read_parquet(machine.folder / "decisions.parquet")
        assert set(answers["status"]) == {"decided"}
        asked |= dict(zip(answers["parcel_id"], answers["action"], strict=True))
    now = LIVE + timedelta(days=EVENINGS - 1, hours=20, minutes=5)
    for line in typed:
        code, out, _ = machine.type(line, now)
        assert code == 0
        assert shown(PRINTED.get(line, ""), out), out
    decided = wholeroad.open(machine.folder, clock=SteppedClock(to_instant(now))).decisions()
    assert {*asked.items()} <= {*zip(decided["parcel_id"], decided["action"], strict=True)}
    assert decided.height > len(asked)  # the missed evening is answered too
    after = decided.filter(pl.col("decided_at") > LIVE + timedelta(hours=20))
    assert set(after["decided_at"].dt.strftime("%H:%M")) <= {"20:00", "19:50", "20:05"}


def test_every_block_that_the_page_prints_is_held_against_a_command():
    assert len(CRONTAB) == 2
    assert len(AT_HAND) == 5
    assert set(PRINTED) < set(TYPED)
    assert {line.split()[1] for line in TYPED} == {"check", "rehearse", "status", "explain", "replay"}


@pytest.mark.parametrize("decide_at", AT_HAND)
def test_each_instant_of_the_page_is_an_expression_before_the_parcel_leaves(tmp_path, decide_at):
    brief = BRIEF.replace('"cast(sent_at as date) - 4h"', f'"{decide_at}"')
    brief = brief.replace("planned     = true", 'planned = true\ntimezone = "Europe/Vienna"')
    assert decide_at in brief
    project = wholeroad.open(deliver(tmp_path, LIVE, brief), clock=SteppedClock(to_instant(LIVE)))
    project.land()
    decided = project.history().cases.frame.filter(~pl.col("_late")).select("parcel_id", "_decided_at")
    frame = decided.join(project.versions("parcels").frame, on="parcel_id")
    ahead = frame["sent_at"] - frame["_decided_at"]
    assert frame.height > 800
    assert ahead.min() >= timedelta(hours=2)
    if decide_at == "known":
        assert (frame["_decided_at"] == frame["booked_at"]).all()
        return
    evenings = {"cast(sent_at as date) - 4h": {20}, "sent_at - 2h": set(range(24))}
    assert set(frame["_decided_at"].dt.hour()) == evenings.get(decide_at, {20})
    if "weekday" in decide_at:
        assert set(frame["_decided_at"].dt.weekday()) == {7}


def test_an_instant_without_a_run_is_answered_too_late(machine):
    """With one run an evening, most of what is due two hours before it leaves has left by then."""
    brief = BRIEF.replace('"cast(sent_at as date) - 4h"', '"sent_at - 2h"')
    for night in range(2):
        machine.evening(night, brief)
    run_at = LIVE + timedelta(days=1, hours=20, minutes=5)
    project = wholeroad.open(machine.folder, clock=SteppedClock(to_instant(run_at)))
    answered = project.decisions().filter(pl.col("decided_at") > run_at - timedelta(days=1))
    sent = project.versions("parcels").frame.select("parcel_id", "sent_at").unique("parcel_id")
    left = answered.join(sent, on="parcel_id").filter(pl.col("sent_at") < run_at)
    assert left.height > answered.height / 2


def test_rows_count_from_when_they_landed_but_for_the_first_landing_of_a_source(machine):
    machine.evening(0)
    machine.evening(1)
    project = wholeroad.open(machine.folder)
    known = project.versions("parcels").frame.filter(pl.col("_known_at") > LIVE)
    late = timedelta(days=1, hours=19, minutes=50)
    assert set(known["_known_at"]) >= {LIVE + late}
    assert known.filter(pl.col("booked_at") < LIVE).filter(pl.col("_known_at") > LIVE + late).is_empty()
    early = project.versions("parcels").frame.filter(pl.col("_known_at") < LIVE)
    assert (early["_known_at"] == early["booked_at"]).all()


def test_exit_codes_are_those_of_the_page(machine):
    asked = dict(re.findall(r"^\| (\d+) \| (\w+)", PAGE, re.MULTILINE))
    assert set(asked) == {"0", "2", "3", "75"}
    now = LIVE + timedelta(hours=19, minutes=50)
    with held(machine.folder / ".wholeroad", purpose="a test", since="now"):
        code, out, error = machine.type(CRONTAB[0][2], now)
    assert (code, out) == (75, "")
    assert "project.locked" in error
    assert machine.type(CRONTAB[0][2], now)[0] == 0
    assert machine.type(CRONTAB[0][2].removesuffix(" --quiet"), now)[1].startswith("Nothing was due.")
    (machine.folder / "deliveries.csv").unlink()
    code, out, error = machine.type(CRONTAB[0][2], now + timedelta(days=1))
    assert (code, out) == (2, "")
    assert "deliveries.csv" in error


KILLED = """
import os, signal, sys
import wholeroad
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.ledgers import SqliteLedger

append = SqliteLedger.append
def watched(ledger, facts):
    append(ledger, facts)
    if any(type(fact).__name__ == "RunBegan" for fact in facts):
        os.kill(os.getpid(), signal.SIGKILL)
SqliteLedger.append = watched
wholeroad.open(".", clock=SteppedClock(int(sys.argv[1]))).cycle()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
def test_a_run_that_was_killed_is_finished_by_the_next_one(machine):
    machine.evening(0)
    killed_at = LIVE + timedelta(days=1, hours=20, minutes=1)
    deliver(machine.folder, killed_at)
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(to_instant(killed_at))], cwd=machine.folder, check=False
    )
    assert ended.returncode < 0
    assert "cut short" in machine.type("wholeroad status", killed_at)[1]
    machine.evening(2)
    now = LIVE + timedelta(days=2, hours=20, minutes=5)
    assert machine.type("wholeroad replay", now)[1].startswith("Equal to the byte")
    decided = wholeroad.open(machine.folder).decisions()
    assert decided["parcel_id"].is_unique().all()
    assert "cut short" not in machine.type("wholeroad status", now)[1]


def test_the_brief_of_the_page_is_sound():
    assert read_brief(BRIEF).incumbent is not None
    with pytest.raises(FaultsError):
        read_brief(BRIEF.replace('source = "scores"', 'source = "nowhere"'))
