"""Twice-run: another process, wall time, hash seed, folder, time zone and thread count; the same ledger."""

import os
import subprocess
import sys
from pathlib import Path

import worlds

RUN = """
import sys
import wholeroad
rehearsed = wholeroad.open(sys.argv[1]).rehearse(["status quo", "never", "every 10d", "random 10%"])
for policy in rehearsed.policies["policy"]:
    sys.stdout.buffer.write(b"".join(rehearsed.export(policy)))
    sys.stdout.buffer.write(rehearsed.decisions(policy).write_csv().encode())
sys.stdout.buffer.write(rehearsed.policies.write_csv().encode())
"""


def run(folder: Path, **environment: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(folder)],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_the_same_rehearsal_in_two_processes_gives_the_same_bytes(tmp_path):
    cases, outcomes = worlds.parcels(per_day=40)
    brief = worlds.BRIEF.replace('["constant", "logistic"]', '["constant", "logistic", "lightgbm"]')
    one = run(
        worlds.write(tmp_path / "one", cases, outcomes, brief=brief),
        PYTHONHASHSEED="1",
        TZ="UTC",
        WHOLEROAD_THREADS="1",
        POLARS_MAX_THREADS="1",
    )
    shuffled = (
        cases.sample(fraction=1.0, shuffle=True, seed=5),
        outcomes.sample(fraction=1.0, shuffle=True, seed=6),
    )
    two = run(
        worlds.write(tmp_path / "else where" / "two", *shuffled, brief=brief),
        PYTHONHASHSEED="2",
        TZ="Asia/Kathmandu",
        WHOLEROAD_THREADS="2",
        POLARS_MAX_THREADS="2",
        OMP_NUM_THREADS="2",
    )
    assert b"lightgbm" in one
    assert one == two


def test_a_second_run_in_the_same_folder_changes_nothing(tmp_path):
    folder = worlds.write(tmp_path, *worlds.parcels())
    assert run(folder) == run(folder)
