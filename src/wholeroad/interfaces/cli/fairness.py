"""The commands about fairness: each is a thin face of ``Project.fairness``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

fairness = typer.Typer(
    name="fairness",
    help="Compare groups in the data and in decisions, try remedies, and price them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Folder = Annotated[Path, typer.Option("--project", help="The project's folder, with its brief.toml.")]
Policy = Annotated[
    str | None,
    typer.Option(
        help="Rehearse this policy for it; else the project's own decisions, or the brief's policy."
    ),
]
Group = Annotated[
    list[str] | None, typer.Option(help="A group of [fairness.groups]; several may be given, else all.")
]
Brought = Literal[
    "selection_rate", "true_positive_rate", "false_positive_rate", "equalized_odds", "gain_per_case"
]


@fairness.command("data")
def in_data(folder: Folder = Path()) -> None:
    """Ask how groups differ in the data: who is there, what came true, what is missing, late, never seen."""
    from wholeroad.interfaces.cli.fairness_answers import show_bias
    from wholeroad.interfaces.cli.fairness_judged import opened
    from wholeroad.interfaces.cli.watching import console, tasks

    project = opened(folder)
    with tasks() as progress:
        project.land(progress)
        found = project.fairness.data(progress)
    show_bias(console(), found.findings, not_asked=found.not_asked)


@fairness.command()
def plan(folder: Folder = Path(), policy: Policy = None) -> None:
    """Say what the differences likely come from, and what can be done about each at what cost."""
    from wholeroad.interfaces.cli.fairness_answers import show_plan
    from wholeroad.interfaces.cli.fairness_judged import opened
    from wholeroad.interfaces.cli.watching import console, tasks

    project = opened(folder)
    with tasks() as progress:
        project.land(progress)
        made = project.fairness.plan(policy=policy, progress=progress)
    show_plan(console(), made, unit=project.brief.unit)


@fairness.command()
def solution(folder: Folder = Path(), policy: Policy = None) -> None:
    """Assess decisions of models by group: selection, errors, calibration, money; and the brief's limits."""
    from wholeroad.interfaces.cli.fairness_answers import show_solution
    from wholeroad.interfaces.cli.fairness_judged import assumed, judged_of, opened
    from wholeroad.interfaces.cli.watching import console, tasks

    project = opened(folder)
    with tasks() as progress:
        project.land(progress)
        found = project.fairness.solution(policy, progress)
    show_solution(
        console(),
        found.fairness,
        conflicts=found.conflicts,
        unit=project.brief.unit,
        judged=judged_of(found),
        assumes=assumed(project.brief),
    )


@fairness.command()
def slices(folder: Folder = Path(), policy: Policy = None) -> None:
    """Search for the cases that lose most, described by a few conditions; half to search, half to judge."""
    from wholeroad.interfaces.cli.fairness_judged import assumed, opened
    from wholeroad.interfaces.cli.fairness_searches import show_slices
    from wholeroad.interfaces.cli.watching import console, tasks

    project = opened(folder)
    with tasks() as progress:
        project.land(progress)
        found = project.fairness.slices(policy=policy, progress=progress)
    show_slices(console(), found.slices, unit=project.brief.unit, assumes=assumed(project.brief))


@fairness.command()
def price(
    group: Group = None,
    equal: Annotated[Brought, typer.Option(help="What thresholds bring together.")] = "selection_rate",
    folder: Folder = Path(),
    policy: Policy = None,
) -> None:
    """Price thresholds of groups: money against the difference that is left, on later cases than learnt."""
    from wholeroad.interfaces.cli.fairness_judged import assumed, opened, prices_of
    from wholeroad.interfaces.cli.fairness_searches import show_price
    from wholeroad.interfaces.cli.watching import console, tasks

    project = opened(folder)
    with tasks() as progress:
        project.land(progress)
        curves, absent = prices_of(project.fairness, group, equal=equal, policy=policy, progress=progress)
    show_price(console(), curves, brief=project.brief, assumes=assumed(project.brief), absent=absent)


@fairness.command()
def flips(group: Group = None, folder: Folder = Path(), policy: Policy = None) -> None:
    """Tell which decisions another value of a group would have changed, everything else as it was."""
    from wholeroad.interfaces.cli.fairness_judged import opened, show_flipped
    from wholeroad.interfaces.cli.watching import console, tasks

    project = opened(folder)
    with tasks() as progress:
        project.land(progress)
        found = [
            project.fairness.flips(name, policy=policy, progress=progress)
            for name in group or project.fairness.groups
        ]
    show_flipped(console(), found)


@fairness.command("try")
def attempt(
    remedy: Annotated[
        list[str] | None,
        typer.Option(
            help="""A remedy as it would stand in the brief, as in '{ kind = "reweigh", group = "depot" }';
            several may be given, else those of the brief are held against none."""
        ),
    ] = None,
    *,
    luck: Annotated[
        bool | None,
        typer.Option(
            "--luck/--no-luck",
            help="Rehearse columns of chance as well, whose luck of fits widens the interval.",
            show_default="where models learn otherwise",
        ),
    ] = None,
    folder: Folder = Path(),
) -> None:
    """Rehearse remedies, with and without: what they change between groups, and in money."""
    from wholeroad.interfaces.cli.fairness_judged import opened, show_tried
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.road.brief.remedies import parse_remedy

    remedies = [parse_remedy(text) for text in remedy or ()]
    project = opened(folder)
    with tasks() as progress:
        project.land(progress)
        tried = project.fairness.attempt(remedies, luck=luck, progress=progress)
    show_tried(console(), tried, brief=project.brief)


@fairness.command()
def choose(
    remedy: Annotated[
        str, typer.Argument(help="""As in '{ kind = "accept", group = "depot", reason = "..." }'.""")
    ],
    *,
    by: Annotated[str, typer.Option(help="Who chose it.")],
    because: Annotated[str, typer.Option(help="Why, in words.")] = "",
    on: Annotated[str, typer.Option(help="When it was chosen, as 2026-11-21; else today.")] = "",
    look_again: Annotated[str, typer.Option(help="When to look at it again, as 2027-05-01.")] = "",
    folder: Folder = Path(),
) -> None:
    """Write a remedy into the brief, with who chose it and why; it is in force at the next fit."""
    from wholeroad.interfaces.cli.fairness_judged import chosen, opened, show_chosen
    from wholeroad.interfaces.cli.watching import console

    project = opened(folder)
    wanted = chosen(
        remedy, by=by, because=because, on=on, look_again=look_again, today=project.fairness.today()
    )
    show_chosen(console(), wanted, path=project.fairness.choose(wanted), unit=project.brief.unit)


@fairness.command()
def page(
    folder: Folder = Path(),
    policy: Policy = None,
    to: Annotated[
        Path | None, typer.Option(help="Where to write it; else fairness.html in the folder.")
    ] = None,
    equal: Annotated[
        Brought, typer.Option(help="What the priced thresholds bring together.")
    ] = "selection_rate",
) -> None:
    """Write everything on one page, to be read by those who answer for it: figures, limits, plan, prices."""
    from wholeroad.interfaces.cli.fairness_judged import opened, page_of, writable
    from wholeroad.interfaces.cli.watching import console, tasks
    from wholeroad.interfaces.report.fairness_page import PAGE
    from wholeroad.interfaces.report.writing import write_fairness_page

    project = opened(folder)
    path = to or project.folder.root / PAGE
    writable(path)
    with tasks() as progress:
        project.land(progress)
        made = project.fairness.everything(equal, policy=policy, progress=progress)
        progress("writing the page", 0, 0)
        written = write_fairness_page(page_of(project.brief, made), path)
        progress("writing the page", 1, 1)
    console().print(f"Wrote {written}")
