"""The commands: each is a thin face of a :class:`wholeroad.Project`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from wholeroad.core.errors import EXIT_OURS, RoadError, UserError, unusable
from wholeroad.interfaces.cli.applying import apply
from wholeroad.interfaces.cli.data import data
from wholeroad.interfaces.cli.fairness import fairness
from wholeroad.interfaces.cli.keeping import backup, restore
from wholeroad.interfaces.cli.serving import up
from wholeroad.interfaces.cli.tokens import token

app = typer.Typer(
    name="wholeroad",
    help="From one brief down the whole road, rehearsed on history, in money.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)

app.add_typer(data)
app.add_typer(fairness)
app.add_typer(token)
app.command()(up)
app.command()(apply)
app.command()(backup)
app.command()(restore)

Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors, as cron likes it.")]
Where = Annotated[Path, typer.Option("--project", help="The project's folder, with its brief.toml.")]
Folder = Annotated[Path, typer.Argument(help="The project's folder, with its brief.toml.", show_default=".")]


@app.command()
def start(
    path: Annotated[
        str,
        typer.Argument(help="A CSV or Parquet file, a folder or pattern of dumps, or a query."),
    ],
    *,
    into: Annotated[
        Path | None, typer.Option(help="The project's folder; else one named after the file.")
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(help="An answer, as in 'outcome: returned = yes'; several may be given."),
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="The environment variable that holds a database's address.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take every guess, and ask nothing.")] = False,
) -> None:
    """Write a brief for a file: look at it, ask at most eight questions, mark what was guessed."""
    from wholeroad.interfaces.cli.starting import begin
    from wholeroad.interfaces.cli.watching import console

    begin(console(), path, into=into, answers=answer or (), yes=yes, database=database)


@app.command()
def check(folder: Folder = Path()) -> None:
    """Check the brief, and what the data say to it."""
    from wholeroad.interfaces.cli.planning import show_plan
    from wholeroad.interfaces.cli.show import show_assumptions, show_findings
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project

    project = open_project(folder)
    with tasks() as progress:
        plan = project.plan(progress)
        findings = [] if plan else project.check(progress)
    if plan:
        show_plan(console(), plan)
        return
    show_assumptions(console(), project.assumptions)
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
    from wholeroad.interfaces.cli.planning import show_cross_validated
    from wholeroad.interfaces.cli.show import show_rehearsed
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project

    project = open_project(folder)
    from_at, to_at = _instant(from_, "--from"), _instant(to, "--to")
    if project.brief.timeless:
        with tasks() as progress:
            found = project.cross_validate(progress)
        show_cross_validated(console(), found)
        return
    with tasks() as progress:
        rehearsed = project.rehearse(policy or (), from_at=from_at, to_at=to_at, name=name, progress=progress)
    show_rehearsed(console(), rehearsed)


app.command("backtest", help="Another name for rehearse.", hidden=True)(rehearse)


@app.command()
def cycle(folder: Folder = Path(), quiet: Quiet = False) -> None:  # noqa: FBT002 - a flag
    """Land what is new, run the cycles that are due, decide the cases that are; safe from cron."""
    from wholeroad.interfaces.cli.operation import show_answered
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project

    project = open_project(folder)
    with tasks(quiet=quiet) as progress:
        answered = project.cycle(progress)
    if not quiet:
        show_answered(console(), answered, brief=project.brief)


@app.command()
def decide(
    cases: Annotated[Path, typer.Argument(help="A file of cases, written as the case's source is.")],
    folder: Folder = Path(),
    out: Annotated[Path | None, typer.Option(help="Where to write the answers: .parquet or .csv.")] = None,
    quiet: Quiet = False,  # noqa: FBT002 - a flag
) -> None:
    """Land a file of cases, answer everything that is due, and say what becomes of these."""
    from wholeroad.interfaces.cli.operation import checked_out, show_answered, show_answers, write_answers
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project
    from wholeroad.road.data.facts import BatchLanded

    checked_out(out)
    project = open_project(folder)
    with tasks(quiet=quiet) as progress:
        found, answered = project.decide(cases, progress)
    if out is not None:
        write_answers(found, out)
    if not quiet:
        show_answered(console(), answered, brief=project.brief)
        landed = [
            fact.rows_in
            for fact in answered.facts
            if isinstance(fact, BatchLanded) and fact.source == project.brief.case.source
        ]
        show_answers(console(), found, rows=landed[-1] if landed else found.height, out=out)


@app.command()
def status(folder: Folder = Path()) -> None:
    """Tell what is in charge, since when, what is due, and what is late."""
    from wholeroad.adapters.folders import ProjectFolder
    from wholeroad.adapters.locks import holder
    from wholeroad.interfaces.cli.holding import clock_of
    from wholeroad.interfaces.cli.operation import show_standing
    from wholeroad.interfaces.cli.watching import console
    from wholeroad.project import open_project

    held_by = holder(ProjectFolder.at(folder).inner)
    project = open_project(folder, clock=clock_of(held_by))
    show_standing(console(), project.status(), brief=project.brief, held_by=held_by)


@app.command()
def explain(
    what: Annotated[
        str | None, typer.Argument(help="A code, decision, or model; without it, a list of all.")
    ] = None,
    names: Annotated[
        list[str] | None, typer.Argument(help="Of a decision: the case's key. Of a model: how it begins.")
    ] = None,
    project: Annotated[Path, typer.Option(help="The project's folder, for a decision or a model.")] = Path(),
    expert: Annotated[bool, typer.Option("--expert", help="The short text.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Answer why: what a code means, why a case was decided so, why a model is in charge."""
    from wholeroad.interfaces.cli.explaining import explain_code, list_codes, show_decision, show_model
    from wholeroad.interfaces.cli.watching import console
    from wholeroad.project import open_project

    match what:
        case None:
            shown = list_codes()
        case "decision":
            shown = show_decision(open_project(project).explain_decision(*(names or ())))
        case "model":
            shown = show_model(
                open_project(project).explain_model(names[0] if names else None), expert=expert
            )
        case _:
            shown = explain_code(" ".join([what, *(names or ())]), expert=expert)
    console().print(shown)


@app.command()
def appeal(
    key: Annotated[
        list[str] | None, typer.Argument(help="The case's key, a value for each column; none lists appeals.")
    ] = None,
    *,
    because: Annotated[str, typer.Option(help="Why the decision is contested.")] = "",
    by: Annotated[str, typer.Option(help="Who contests it.")] = "",
    folder: Where = Path(),
) -> None:
    """Contest a decision: a person answers, and the decision on the record stays as it was."""
    from wholeroad.interfaces.cli.appealing import show_appeals, show_appeals_by_group, show_opened
    from wholeroad.interfaces.cli.watching import console
    from wholeroad.project import open_project

    assessment = open_project(folder).fairness
    if key:
        show_opened(console(), assessment.contest(key, because=because, by=by), to=assessment.appeals_to)
    else:
        every = assessment.appeals.all()
        show_appeals(console(), every, now=assessment.now())
        if every and assessment.has_groups:
            show_appeals_by_group(console(), assessment.appeals_by_group())


@app.command()
def answer(
    number: Annotated[int, typer.Argument(help="The number of the appeal.")],
    *,
    upheld: Annotated[bool, typer.Option("--upheld/--rejected", help="Whether the appeal is right.")],
    because: Annotated[str, typer.Option(help="Why, in words.")],
    by: Annotated[str, typer.Option(help="Who answers: a person.")],
    action: Annotated[str, typer.Option(help="What is done instead.")] = "",
    label: Annotated[str, typer.Option(help="The outcome, where the recorded one is wrong.")] = "",
    folder: Where = Path(),
) -> None:
    """Answer an appeal, on the record: beside the decision, which stays as it was."""
    from wholeroad.interfaces.cli.appealing import show_answered
    from wholeroad.interfaces.cli.watching import console
    from wholeroad.project import open_project

    said = open_project(folder).fairness.answer(
        number, upheld=upheld, because=because, by=by, action=action, label=label
    )
    show_answered(console(), said)


@app.command()
def replay(folder: Folder = Path()) -> None:
    """Rehearse the project's own ledger, and hold it against what was decided, byte by byte."""
    from wholeroad.interfaces.cli.operation import show_replayed
    from wholeroad.interfaces.cli.watching import console
    from wholeroad.project import open_project

    show_replayed(console(), open_project(folder).replay())


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
