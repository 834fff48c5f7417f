"""The commands: each is a thin face of a :class:`wholeroad.Project`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from wholeroad.core.errors import EXIT_OURS, RoadError, UserError, unusable

app = typer.Typer(
    name="wholeroad",
    help="From one brief down the whole road, rehearsed on history, in money.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)

Folder = Annotated[Path, typer.Argument(help="The project's folder, with its brief.toml.", show_default=".")]


@app.command()
def check(folder: Folder = Path()) -> None:
    """Check the brief, and what the data say to it."""
    from wholeroad.interfaces.cli.show import show_findings
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project

    project = open_project(folder)
    with tasks() as progress:
        findings = project.check(progress)
    show_findings(console(), findings)


@app.command()
def land(folder: Folder = Path()) -> None:
    """Land the sources' files as row versions; what is there already isn't landed again."""
    from wholeroad.interfaces.cli.show import show_landed
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project

    project = open_project(folder)
    with tasks() as progress:
        facts = project.land(progress)
    show_landed(console(), facts, quarantine=project.quarantine())


@app.command()
def rehearse(
    folder: Folder = Path(),
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="never, 'every 30d', 'status quo', 'random 10%', 'always <action>'; several may be named."
        ),
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", help="First fit not before this date (UTC).")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Decide cases before this date (UTC).")] = None,
    name: Annotated[
        str | None, typer.Option(help="Folder under rehearsals/; else made from the inputs.")
    ] = None,
) -> None:
    """Replay history through the cycles under several policies, and compare them in money.

    Stopped with Ctrl-C it leaves a usable folder; the same command goes on from there.
    """
    from wholeroad.interfaces.cli.show import show_rehearsed
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project

    project = open_project(folder)
    from_at, to_at = _instant(from_, "--from"), _instant(to, "--to")
    with tasks() as progress:
        rehearsed = project.rehearse(policy or (), from_at=from_at, to_at=to_at, name=name, progress=progress)
    show_rehearsed(console(), rehearsed)


app.command("backtest", help="Another name for rehearse.", hidden=True)(rehearse)


@app.command()
def export(
    folder: Folder = Path(),
) -> None:
    """Print the ledger's canonical export, a line of JSON for each fact; also of a rehearsal's folder."""
    from wholeroad.project import open_project

    for line in open_project(folder).export():
        sys.stdout.write(line.decode())


@app.command()
def charter(folder: Folder = Path()) -> None:
    """Print the charter: one page for the business, in Markdown."""
    from wholeroad.project import open_project
    from wholeroad.road.brief.charter import charter as write

    typer.echo(write(open_project(folder).brief))


@app.command()
def schema() -> None:
    """Print the brief's JSON Schema, for editors."""
    import json

    from wholeroad.road.brief.contract import Brief

    typer.echo(json.dumps(Brief.model_json_schema(), indent=2))


@app.command()
def version() -> None:
    """Print the version."""
    from wholeroad import __version__

    typer.echo(__version__)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors that a user can mend are printed without a traceback."""
    try:
        app(arguments)
    except RoadError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        refused = unusable(error.filename2 or error.filename, error.strerror or str(error))
        sys.stderr.write(f"{refused}\n")
        sys.exit(refused.exit_code)
    except Exception:  # noqa: BLE001 - the last resort: say whose fault it is, then show it
        import traceback

        sys.stderr.write("This is a fault of ours, not of yours; please report it with the lines below.\n")
        traceback.print_exc()
        sys.exit(EXIT_OURS)


def _instant(text: str | None, option: str) -> int | None:
    from wholeroad.core.instants import parse_instant

    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError:
        raise UserError(
            "cli.date",
            f"{option} is no date",
            happened=f"was {text!r}",
            expected="a date or an instant; without an offset it is UTC",
            fix="write it as 2013-03-01 or 2013-03-01T06:00:00Z",
        ) from None
