"""The commands about data: each is a thin face of ``Project.data``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

data = typer.Typer(
    name="data",
    help="Look at the data of a project, mend them on the record, and see what they are worth.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Folder = Annotated[Path, typer.Option("--project", help="The project's folder, with its brief.toml.")]


@data.command("next")
def what_next(
    folder: Folder = Path(),
    feature: Annotated[
        list[str] | None,
        typer.Option(help="A feature to be priced by itself, beside its source; several may be named."),
    ] = None,
) -> None:
    """Rank what to do about data next, in money a month: columns, fresher rows, right labels, more cases."""
    from wholeroad.interfaces.cli.pricing import show_next
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project

    project = open_project(folder)
    with tasks() as progress:
        project.land(progress)
        found = project.data.next(feature or (), progress)
    show_next(console(), found)
