"""The commands about data: each is a thin face of ``Project.data`` or ``Project.labels``."""

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
Source = Annotated[str, typer.Argument(help="A source of the brief.")]


@data.command()
def profile(
    folder: Folder = Path(),
    page: Annotated[
        Path | None, typer.Option(help="Where to write the page; else profile.html in the folder.")
    ] = None,
) -> None:
    """Look at the data as a careful analyst of this brief would: what is wrong, ranked by consequence."""
    from wholeroad.interfaces.cli.profiling import show_profile
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.interfaces.report.writing import write_data_page
    from wholeroad.project import open_project

    project = open_project(folder)
    with tasks() as progress:
        project.land(progress)
        found = project.data.profile(progress)
        progress("writing the page", 0, 0)
        written = write_data_page(found, page or project.folder.root / "profile.html")
        progress("writing the page", 1, 1)
    show_profile(console(), found, page=written)


@data.command()
def contract(
    source: Source,
    folder: Folder = Path(),
    to: Annotated[
        Path | None, typer.Option(help="Write the brief's contract as a schema of pandera, in YAML.")
    ] = None,
) -> None:
    """Propose a contract for a source from what has landed; of one that is stated, say how it is kept."""
    from wholeroad.interfaces.cli.curating import show_contract, write_schema
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project

    project = open_project(folder)
    with tasks() as progress:
        project.land(progress)
    stated = project.brief.source[source].contract if source in project.brief.source else None
    if to is not None:
        project.data.broken(source)
        write_schema(console(), source, contract=stated, to=to)
    elif stated is not None and stated.column:
        broken = project.data.broken(source)
        show_contract(console(), source, broken=broken, quarantine=project.data.quarantine(source))
    else:
        typer.echo(project.data.contract(source).text, nl=False)


@data.command()
def mend(
    source: Source,
    folder: Folder = Path(),
    step: Annotated[
        list[str] | None,
        typer.Option(help="A step to try beside those of the brief, as it would stand there; several."),
    ] = None,
) -> None:
    """Show what a mend changes: rows, features, decisions, and money in a rehearsal with and without it."""
    from wholeroad.interfaces.cli.curating import show_mended
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project

    project = open_project(folder)
    with tasks() as progress:
        found = project.data.mend(source, step or (), progress=progress)
    show_mended(console(), found, unit=project.brief.unit, tried=bool(step))


@data.command()
def quarantine(
    source: Annotated[str | None, typer.Argument(help="A source of the brief; all unless said.")] = None,
    folder: Folder = Path(),
    to: Annotated[
        Path | None, typer.Option(help="A CSV to write the rows to; mended, data land takes it back.")
    ] = None,
) -> None:
    """List the rows that are set aside, by reason; or write them to a file, to be mended by hand."""
    from wholeroad.core.errors import UserError
    from wholeroad.interfaces.cli.curating import show_quarantine
    from wholeroad.interfaces.cli.watching import console
    from wholeroad.project import open_project

    project = open_project(folder)
    if to is None:
        show_quarantine(console(), project.data.quarantine(source))
        return
    if source is None:
        raise UserError(
            "data.quarantine-source",
            "Rows of which source?",
            happened="--to stood without a source, and each has columns of its own",
            expected="one source",
            fix="name it, as in wholeroad data quarantine orders --to mended.csv",
        )
    written = project.data.write_quarantine(source, to)
    typer.echo(
        f"Wrote {written}. Mend its rows, delete those that stay out, then: "
        f"wholeroad data land {source} {written}"
    )


@data.command()
def land(
    source: Source,
    file: Annotated[Path, typer.Argument(help="A file written as the source's is; mended rows as well.")],
    folder: Folder = Path(),
) -> None:
    """Land a file into a source, once; rows that come back mended leave the quarantine."""
    from wholeroad.interfaces.cli.show import show_landed
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project

    project = open_project(folder)
    with tasks() as progress:
        facts = project.data.land(source, file, progress=progress)
    show_landed(console(), facts, quarantine=project.data.quarantine(source))


@data.command()
def batches(
    source: Annotated[str | None, typer.Argument(help="A source of the brief; all unless said.")] = None,
    folder: Folder = Path(),
) -> None:
    """List what landed, batch by batch: what was read, what became of its rows, what was mended."""
    from wholeroad.interfaces.cli.curating import show_batches
    from wholeroad.interfaces.cli.watching import console
    from wholeroad.project import open_project

    show_batches(console(), open_project(folder).data.batches(source))


@data.command()
def release(
    source: Source,
    folder: Folder = Path(),
    discard: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--discard", help="Never land the batch; otherwise it lands as it is.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who decided it; it is written down.")] = "",
) -> None:
    """End the hold of a source whose batch broke its contract: accept the batch as it is, or discard it."""
    from wholeroad.interfaces.cli.show import show_landed
    from wholeroad.interfaces.cli.watching import console
    from wholeroad.project import open_project
    from wholeroad.road.data.facts import BatchLanded

    project = open_project(folder)
    fact = project.data.release(source, "discarded" if discard else "accepted", asked_by=by)
    if isinstance(fact, BatchLanded):
        show_landed(console(), [fact], quarantine=project.data.quarantine(source))
    else:
        typer.echo(f"The batch of {source} is discarded: it never lands, and later ones no longer wait.")


@data.command()
def trace(
    key: Annotated[list[str], typer.Argument(help="The case's key; with --source, that of a row.")],
    folder: Folder = Path(),
    source: Annotated[str | None, typer.Option(help="Trace a row of this source instead of a case.")] = None,
) -> None:
    """Trace a case back to its raw rows: what each feature was made of, what was mended, who asked for it."""
    from wholeroad.interfaces.cli.tracing import show_case, show_row
    from wholeroad.interfaces.cli.watching import console
    from wholeroad.project import open_project

    found = open_project(folder).data
    if source is None:
        show_case(console(), found.trace(*key))
    else:
        show_row(console(), found.trace_row(source, *key))


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


@data.command()
def labels(
    folder: Folder = Path(),
    to: Annotated[
        Path | None, typer.Option(help="Write a sheet for people to fill in: a CSV of suspects and others.")
    ] = None,
    most: Annotated[int, typer.Option(help="Suspects on the sheet.", min=1)] = 100,
    blind: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--blind", help="Leave the label, the suggestion and the money off the sheet.")
    ] = False,
) -> None:
    """Find labels that are probably wrong, ranked by the money that a mistake costs, and ask people."""
    from wholeroad.interfaces.cli.labelling import show_suspects
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project
    from wholeroad.road.review.sheets import Wanted

    project = open_project(folder)
    with tasks() as progress:
        project.land(progress)
        if to is None:
            found = project.labels.suspects(progress)
        else:
            found = project.labels.ask(to, Wanted(most=most, blind=blind), progress=progress)
    show_suspects(console(), found, unit=project.brief.unit, sheet=to)


@data.command()
def verdicts(
    file: Annotated[Path, typer.Argument(help="A sheet that came back, with verdicts in it.")],
    folder: Folder = Path(),
    by: Annotated[str, typer.Option(help="Who judged, where the sheet doesn't say.")] = "",
) -> None:
    """Take people's verdicts on labels; say how many flags were right, and how people agree."""
    from wholeroad.interfaces.cli.labelling import show_audits, show_read
    from wholeroad.interfaces.cli.watching import console
    from wholeroad.project import open_project

    project = open_project(folder)
    show_read(console(), project.labels.read(file, by=by))
    show_audits(console(), project.labels.audits(), people=project.labels.people(), unit=project.brief.unit)


@data.command()
def correct(
    folder: Folder = Path(),
    most: Annotated[int, typer.Option(help="How many suspects, the costliest first.", min=1)] = 100,
    assume: Annotated[
        float | None,
        typer.Option(help="The share of suspects without a verdict that is taken for wrong.", min=0, max=1),
    ] = None,
) -> None:
    """Rehearse with the labels of the first suspects corrected and without: what correcting them is worth."""
    from wholeroad.interfaces.cli.labelling import show_corrected
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.project import open_project

    project = open_project(folder)
    with tasks() as progress:
        project.land(progress)
        found = project.labels.worth(most, confirmed=assume, progress=progress)
    show_corrected(console(), found, most=most, assumed=assume, unit=project.brief.unit)


@data.command()
def camera(source: Source, folder: Folder = Path()) -> None:
    """Say what a planned camera would give, pixels, blur, light and storage, and what it rules out."""
    from wholeroad.interfaces.cli.planning_cameras import show_camera
    from wholeroad.interfaces.cli.watching import console
    from wholeroad.project import open_project

    project = open_project(folder)
    show_camera(console(), project.data.camera(source), camera=project.brief.source[source].camera)
