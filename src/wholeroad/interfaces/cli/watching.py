"""What is being done, how much of it, and how long it took: on standard error, apart from results."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from wholeroad.core.errors import UserError
from wholeroad.core.ports import Progress as Tell

_NAME: Final = 34
"""Columns of a settled line's name."""

_LABEL: Final = 54
_BAR: Final = 20


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
def tasks(to: Console | None = None, *, quiet: bool = False) -> Iterator[Tell]:
    """Show what is being done.

    A stage that ends is printed as one line with the time spent in it; on a terminal those under
    way stand below with a bar each, and are wiped away when the block is left, for whatever reason.

    Parameters
    ----------
    to
        Standard error unless said; its ``get_time`` is the clock.
    quiet
        Show nothing.
    """
    told = Told(to or Console(stderr=True, highlight=False, quiet=quiet))
    try:
        with told:
            yield told
    except KeyboardInterrupt:
        raise StoppedError from None


@dataclass(slots=True)
class _Stage:
    """A kind of work: begun once or several times, under way in at most one place.

    ``seconds`` are those spent in it up to ``since``, the others' within it left out.
    """

    kind: str
    text: str = ""
    done: float = 0.0
    total: float = 0.0
    begun: int = 0
    seconds: float = 0.0
    since: float | None = None
    inner: dict[str, _Stage] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.kind[:-1]}{self.begun}" if self.kind.endswith(" #") else self.kind

    def spent(self, now: float) -> float:
        return self.seconds + (0.0 if self.since is None else now - self.since)

    def pause(self, now: float) -> None:
        self.seconds, self.since = self.spent(now), None


class Told:
    """Listens to a ``Progress``, and shows what it hears.

    A stage is written ``kind`` or ``kind: text``. It is under way from the first call to the one
    with ``done >= total > 0``. A kind told while another is under way belongs to it, may begin
    again and again, and is printed with it; meanwhile the other's time stands still. A kind
    that ends in `` #`` shows there how often it began. A total of 0 is an unknown one.
    """

    def __init__(self, to: Console) -> None:
        self._console = to
        self._open: list[_Stage] = []
        self._settled: set[str] = set()
        bars = to.is_terminal and not to.is_dumb_terminal
        self._live = (
            Live(
                console=to,
                get_renderable=self.bars,
                transient=True,
                refresh_per_second=8,
                redirect_stdout=False,
            )
            if bars
            else None
        )

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wipe away what is under way."""
        self._open.clear()
        if self._live:
            self._live.stop()

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Take in how far a stage is."""
        kind, _, text = stage.partition(": ")
        now = self._console.get_time()
        ends = done >= total > 0
        place = next((i for i, one in enumerate(self._open) if one.kind == kind), None)
        if place is None:
            known = self._open[-1].inner if self._open else {}
            if ends and (kind in known or kind in self._settled):
                return  # told again that it has ended
            current = known.setdefault(kind, _Stage(kind))
            current.begun += 1
            if self._open:
                self._open[-1].pause(now)
            self._open = [*self._open, current]
        else:
            for one in self._open[place + 1 :]:  # ended without saying so
                one.pause(now)
            self._open = self._open[: place + 1]
            current = self._open[place]
        current.text, current.done, current.total = text, done, total
        if current.since is None:
            current.since = now
        if ends:
            self._end(current, now)

    def bars(self) -> Table:
        """Give a line for each stage under way; only the innermost one's clock runs."""
        now = self._console.get_time()
        lines = Table.grid(padding=(0, 2, 0, 0))
        lines.add_column(no_wrap=True, overflow="ellipsis", min_width=_LABEL)
        for _ in range(3):
            lines.add_column(no_wrap=True, justify="right")
        for depth, one in enumerate(self._open):
            whole = one.total > 0
            label = "  " * depth + one.name + (f": {one.text}" if one.text else "")
            lines.add_row(
                Text(label),
                ProgressBar(one.total if whole else None, one.done, width=_BAR, animation_time=now),
                f"{one.done:,.0f} of {one.total:,.0f}" if whole else "",
                f"{one.spent(now):,.0f} s",
            )
        return lines

    def _end(self, current: _Stage, now: float) -> None:
        current.pause(now)
        self._open = self._open[:-1]
        if self._open:
            self._open[-1].since = now
            return
        self._settled.add(current.kind)
        self._settle(current, 0)

    def _settle(self, stage: _Stage, depth: int) -> None:
        name = "  " * depth + stage.name
        self._console.print(Text(f"{name:<{_NAME}} {_lasted(stage.seconds):>9}"), soft_wrap=True)
        for one in stage.inner.values():
            self._settle(one, depth + 1)


def _lasted(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{seconds:.1f} s"
