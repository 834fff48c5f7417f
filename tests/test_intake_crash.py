"""Killed after any write of the intake and run again: the same rows, nothing twice, also before a hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("intake_crash_child.py")


def run(folder, scenario):
    done = subprocess.run(
        [sys.executable, str(CHILD), str(folder), scenario], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a child for each write point, to kill it there")
@pytest.mark.parametrize("scenario", ["mended", "held"])
def test_killed_after_any_write_it_comes_to_the_same_rows(tmp_path, scenario):
    lines = run(tmp_path, scenario)
    points = [line for line in lines if line.startswith("killed after ")]
    assert len(points) >= 12, lines
    for kind in ("tables", "ledger", "blobs"):
        assert any(f" {kind}" in point for point in points), kind
    assert lines[-1] == "all the same"
