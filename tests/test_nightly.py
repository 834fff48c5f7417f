"""Nights of flights from cron, a process each, some killed: their record equals its rehearsal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(os.name != "posix", reason="processes are killed by SIGKILL")
def test_nights_that_are_killed_lose_nothing_and_decide_what_the_rehearsal_decides(tmp_path):
    data = tmp_path / "data"
    build = [sys.executable, str(ROOT / "examples" / "flights" / "build.py")]
    subprocess.run([*build, "--out", str(data), "--days", "90"], check=True, capture_output=True)
    nights = [sys.executable, str(ROOT / "bench" / "nightly.py"), "--data", str(data)]
    few = ["--share", "0.02", "--nights", "24", "--kill-every", "3"]
    done = subprocess.run([*nights, *few], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "equal to the byte" in done.stdout
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["equal"]
    assert told["killed"] >= 4
    assert told["fits"] >= 1
    assert told["decided"] > 200
