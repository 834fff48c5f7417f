"""Killed at any instant, a service has everything that it acknowledged, once, and goes on."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service_driver import Forked, Killing, Real, children, token_of
from service_load import begin

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks, and looks into /proc")

KILLS = 200
WORLDS = 2


def killed(folder: Path, *, seed: int, kills: int) -> Killing:
    """Kill a service of a world of its own so many times; the office is a thread of it."""
    begin(folder, seed=seed)
    killing = Killing(folder, token_of(folder), seed=seed)
    with killing.of(Forked(folder, folder / "phases", beside="thread")) as server:
        killing.kill(server, kills)
        killing.finish(server)
    return killing


def test_killed_at_random_instants_everything_acknowledged_is_there_once(tmp_path):
    with ThreadPoolExecutor(WORLDS) as pool:
        begun = [
            pool.submit(killed, tmp_path / f"world-{seed}", seed=seed, kills=KILLS // WORLDS)
            for seed in range(WORLDS)
        ]
        done = [each.result() for each in begun]
    hit = sum((each.hit for each in done), start=Counter[str]())
    sys.stdout.write(f"hit: {dict(hit)}\nheld against each other: {[each.counts for each in done]}\n")
    assert sum(each.kills for each in done) >= KILLS
    for phase in ("flush", "cycle", "fit", "tables", "starting", "starting, open"):
        assert hit[phase], f"no kill hit {phase}: {hit}"
    assert all(each.counts["fits"] for each in done)


def test_the_command_itself_and_its_processes_are_killed_and_go_on(tmp_path):
    folder = begin(tmp_path / "world", seed=7)
    killing = Killing(folder, token_of(folder), seed=7)
    with killing.of(Real(folder)) as server:
        for _ in range(5):
            killing.kill(server, 1)
            assert gone(folder), "a process beside the service outlives it"
        killing.finish(server)
    assert gone(folder)


def test_a_process_beside_the_service_that_is_killed_is_begun_again(tmp_path):
    folder = begin(tmp_path / "world", seed=8)
    killing = Killing(folder, token_of(folder), seed=8)
    with killing.of(Forked(folder, folder / "phases", beside="process")) as server:
        server.start()
        killing.address.put(server.port())
        for _ in range(3):
            while not (found := children(folder)):
                time.sleep(0.01)
            os.kill(found[0], signal.SIGKILL)
            time.sleep(0.3)
        killing.close(server)
    assert killing.counts["fits"]
    assert gone(folder)


def gone(folder: Path) -> bool:
    """Tell whether the processes of a service that has ended end too."""
    until_s = time.monotonic() + 60
    while found := children(folder):
        if time.monotonic() > until_s:
            return False
        time.sleep(0.02)
    return not found
