"""``wholeroad apply``: a changed brief shown, confirmed, and handed to whoever serves the project."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from wholeroad.core.errors import UserError
from wholeroad.interfaces.cli.holding import address_of, ahead_of

if TYPE_CHECKING:
    from rich.console import Console

    from wholeroad.adapters.folders import ProjectFolder
    from wholeroad.adapters.locks import Holder
    from wholeroad.road.brief.changes import Change
    from wholeroad.serving.proposing import Proposal

Folder = Annotated[Path, typer.Argument(help="The project's folder, with its brief.toml.", show_default=".")]

_LONGEST: Final = 60
"""Characters of a value that are shown."""


def apply(
    folder: Folder = Path(),
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask; for scripts.")] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take back what was asked for and isn't done yet.")
    ] = False,
) -> None:
    """Show what a changed brief changes and does, and let a running service take it up at its next cycle."""
    from wholeroad.adapters.folders import ProjectFolder
    from wholeroad.adapters.locks import holder
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.serving.applying import asked
    from wholeroad.serving.proposing import propose

    place = ProjectFolder.at(folder)
    to = console()
    if withdraw:
        _withdraw(to, place)
        return
    with tasks() as progress:
        proposal = propose(folder, progress=progress)
    if not proposal.in_force:
        to.print("No brief is in force yet: the first wholeroad up or wholeroad cycle begins with this one.")
        return
    show_proposal(to, proposal)
    waiting = asked(place)
    if proposal.equal:
        if waiting is not None:
            to.print(
                "Another brief is asked for, and would be taken up: wholeroad apply --withdraw ends that."
            )
        return
    if waiting is not None and waiting.brief == proposal.text:
        to.print("It is asked for already.")
        return
    _confirm(to, yes=yes)
    _hand_over(to, place, proposal, served_by=holder(place.inner))


def show_proposal(to: Console, proposal: Proposal) -> None:
    """Print what differs, and what that does."""
    from rich.table import Table
    from rich.text import Text

    if proposal.changes is None:
        to.print(
            "This brief is the one in force."
            if proposal.equal
            else "Another brief is in force. Its text was not kept, so what differs can't be shown: models "
            "are made anew unless cases, outcome, sources, features and [model] are as they were.",
            soft_wrap=True,
        )
        return
    if not proposal.changes.settings:
        to.print("Nothing changes: this brief is the one in force.")
        return
    settings = Table("setting", "was", "becomes", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, some in enumerate(proposal.changes.by_table.values()):
        if number:
            settings.add_row()
        for change in some:
            settings.add_row(*_row(change))
    does = Table("what it does", "", box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for effect in proposal.changes.effects:
        does.add_row(Text(effect.about, style="bold"), Text(effect.says))
    for held in proposal.held:
        does.add_row(
            Text("held", style="bold yellow"),
            Text(f"{held.source}: a batch would be held back by its contract: {held.happened}."),
        )
    to.print(settings)
    to.print(Text("\nWhat it does", style="bold"))
    to.print(does)


def _row(change: Change) -> tuple[str, ...]:
    from rich.markup import escape

    return tuple(escape(text) for text in (change.path, _shown(change.was), _shown(change.now)))


def _shown(value: object) -> str:
    """Write a value in a cell; a setting that isn't there as a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _confirm(to: Console, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError(
            "apply.unconfirmed",
            "There is nobody to confirm it",
            happened="the command asks before anything is changed, and its input is no terminal",
            expected="a terminal, or --yes",
            fix="read what it does, then give the same command with --yes; nothing was asked for",
        )
    if not typer.confirm("\nApply it?"):
        to.print("Nothing was asked for. brief.toml still says it: a start of the service would take it up.")
        raise typer.Exit(1)


def _hand_over(to: Console, place: ProjectFolder, proposal: Proposal, *, served_by: Holder | None) -> None:
    """Ask whoever serves the project; where nobody does, say from when on it is in force."""
    from wholeroad.adapters.clocks import SystemClock
    from wholeroad.serving.applying import ask

    if served_by is None or address_of(served_by) is None:
        busy = f" Now {served_by} holds the project." if served_by is not None else ""
        to.print(
            "\nNobody serves the project: the brief is in force from the next wholeroad up or wholeroad "
            f"cycle.{busy}",
            soft_wrap=True,
        )
        return
    ask(place, proposal.text, now=SystemClock().now())
    to.print(
        f"\nAsked for, of {served_by.purpose}: it is in force from its next cycle on"
        f"{_when(proposal, served_by)}. What comes in while it changes waits for a moment, and is "
        "answered under the new brief.\n"
        "wholeroad apply --withdraw takes it back until then.",
        soft_wrap=True,
    )


def _when(proposal: Proposal, served_by: Holder) -> str:
    """Say the instant of the next cycle, unless the service lives by another clock than this machine's."""
    from wholeroad.core.instants import format_instant

    return f", due at {format_instant(proposal.next_cycle_at)}" if ahead_of(served_by) == 0 else ""


def _withdraw(to: Console, place: ProjectFolder) -> None:
    from wholeroad.serving.applying import answered, asked

    if asked(place) is None:
        to.print("Nothing is asked for.")
        return
    answered(place)
    to.print(
        "Taken back: the brief in force stays. brief.toml still says the other one, and a start of the "
        "service would take it up: put it back too.",
        soft_wrap=True,
    )
