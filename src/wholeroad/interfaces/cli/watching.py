"""Progress bars that tell the truth: what is being done, how much of it, and how long it took."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from wholeroad.core.errors import UserError
from wholeroad.core.ports import Progress as Tell


class StoppedError(UserError):
    """Ctrl-C: no fault of anybody's."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__(
            "cli.stopped",
            "Stopped",
            happened="the command was interrupted",
            expected="nothing: what was done so far is kept",
            fix="give the same command again to go on from here",
        )


def console() -> Console:
    """Give the console of the results; wide enough for tables when it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


@contextmanager
def tasks() -> Iterator[Tell]:
    """Show a bar for each stage, on standard error, so that results can be piped."""
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=False,
    )
    known: dict[str, TaskID] = {}

    def tell(stage: str, done: float, total: float) -> None:
        if stage not in known:
            for task in known.values():
                if not bars.tasks[task].finished and bars.tasks[task].total == 1:
                    bars.update(task, completed=1)
            known[stage] = bars.add_task(stage, total=total)
        bars.update(known[stage], completed=done, total=total)

    with bars:
        try:
            yield tell
        except KeyboardInterrupt:
            raise StoppedError from None
        for task in known.values():
            bars.update(task, completed=bars.tasks[task].total)
