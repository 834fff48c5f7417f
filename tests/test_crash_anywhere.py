"""Crash anywhere: killed after any write and run again, a rehearsal comes to the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import worlds

CHILD = Path(__file__).with_name("crash_child.py")


def run(folder: Path, out: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(CHILD), str(folder), str(out)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a child for each write point, to kill it there")
def test_killed_after_any_write_it_goes_on_to_the_same_ledger(tmp_path):
    cases, outcomes = worlds.parcels(days=45, per_day=20)
    folder = worlds.write(tmp_path / "project", cases, worlds.corrected(outcomes))
    lines = run(folder, tmp_path)
    points = [line for line in lines if line.startswith("killed after ")]
    assert len(points) >= 25, lines
    for kind in ("tables", "ledger", "blobs", "file"):
        assert any(f" {kind}" in point for point in points), kind
    assert [line for line in lines if not line.startswith("killed after ")] == ["all the same"]
