"""The commands that keep a project safe: each is a thin face of :mod:`wholeroad.keeping`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--project", help="The project's folder, with its brief.toml.")]


def backup(
    to: Annotated[Path, typer.Argument(help="Where to: a folder that isn't there, or is empty.")],
    folder: Folder = Path(),
) -> None:
    """Copy the project, also while it runs: everything that was acknowledged by now."""
    from wholeroad.adapters.clocks import SystemClock
    from wholeroad.adapters.folders import ProjectFolder
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.keeping import back_up

    with tasks() as progress:
        made = back_up(ProjectFolder.at(folder), to, now=SystemClock().now(), progress=progress)
    hot = made.counts["hot records"]
    console().print(
        f"Wrote {to}: {len(made.files):,} files, {made.size / 1e6:,.1f} MB; {made.counts['facts']:,} facts, "
        f"{made.counts['decisions']:,} decisions, {hot:,} groups that aren't in the tables yet.\n"
        "Files that the sources were read from, and rehearsals, are not in it.\n"
        f"Verify it with: wholeroad restore {to} --check",
        soft_wrap=True,
    )


def restore(
    backup: Annotated[Path, typer.Argument(help="A folder that wholeroad backup wrote.")],
    folder: Annotated[
        Path | None, typer.Argument(help="Where the project goes: a folder that isn't there, or is empty.")
    ] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Only verify the backup.")] = False,
) -> None:
    """Make a project of a backup again; every file, fact and decision is verified."""
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.keeping import restore as make_again

    if check == (folder is not None):
        raise typer.BadParameter("name the project's folder, or say --check")
    with tasks() as progress:
        found = make_again(backup, folder, progress=progress)
    where = f"Restored to {folder}" if folder is not None else "The backup is sound"
    older = found.spans - found.judged
    console().print(
        f"{where}: {len(found.backup.files):,} files, {found.backup.counts['facts']:,} facts, "
        f"{found.backup.counts['decisions']:,} decisions in {found.spans:,} spans"
        + (f", of which {older:,} were decided under another brief or other versions" if older else "")
        + f", {found.hot:,} groups that aren't in the tables yet.",
        soft_wrap=True,
    )
