"""Measure what each dependency weighs when installed, alone and with what it brings.

Run ``python bench/sizes.py``; the figures stand beside the pins in ``pyproject.toml``.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

MEBIBYTE = 1024 * 1024


def canonical(name: str) -> str:
    """Give a distribution's name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(owner: Distribution, extra: str = "") -> dict[str, str]:
    """Give what a distribution asks for on this platform, by name, with the extras it asks for."""
    wanted: dict[str, str] = {}
    for text in owner.requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            wanted[canonical(requirement.name)] = ",".join(requirement.extras)
    return wanted


def weight(part: Distribution) -> int:
    """Sum the bytes of the files that a distribution put down, without compiled caches."""
    paths = [Path(str(part.locate_file(file))) for file in part.files or []]
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())


def closure(name: str) -> set[str]:
    """Give a distribution and everything that it brings."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        try:
            part = distribution(at)
        except PackageNotFoundError:
            continue
        seen.add(at)
        waiting += requirements(part)
    return seen


def table(direct: list[str]) -> list[tuple[str, str, float, float]]:
    """Give (name, version, MiB with what only it needs, MiB with all that it brings)."""
    rows = []
    for name in direct:
        others = {part for other in direct if other != name for part in closure(other)}
        only = (closure(name) - others) | {name}
        version = distribution(name).version
        rows.append((name, version, mebibytes(only), mebibytes(closure(name))))
    return sorted(rows, key=lambda row: -row[2])


def mebibytes(names: set[str]) -> float:
    """Sum the weights of several distributions."""
    return sum(weight(distribution(name)) for name in names) / MEBIBYTE


def main() -> None:
    """Print one table for the package and one for each extra."""
    own = requirements(distribution("wholeroad"))
    for extra in ("", "demo", "bench", "dev"):
        asked = requirements(distribution("wholeroad"), extra) if extra else own
        direct = [name for name in asked if closure(name) and (name in own) == (not extra)]
        print(f"\n{extra or 'wholeroad itself'}: MiB with what only it needs, with all that it brings")
        for name, version, only, whole in table([name for name in direct if name != "wholeroad"]):
            print(f"  {name:<20} {version:<14} {only:8.1f} {whole:8.1f}")
    names = {part for name in own for part in closure(name)}
    print(
        f"\n{len(names)} packages, {mebibytes(names):.0f} MiB in all, "
        f"Python {sys.version.split()[0]} on {sys.platform}"
    )


if __name__ == "__main__":
    main()
