"""What this machine has to give: the one place that decides how many threads there are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


def calm_openmp() -> None:
    """Let OpenMP's threads sleep while they wait, instead of spinning; before they are first loaded.

    On two busy cores spinning threads made one fit take thirty times as long.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def available_threads() -> int:
    """Count the CPUs that are really ours: affinity and container quota, or ``WHOLEROAD_THREADS``.

    More threads than CPUs make OpenMP spin, which can slow a fit fifty-fold.
    """
    asked = os.environ.get("WHOLEROAD_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    ours = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        if quota != "max":
            ours = min(ours, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return ours
