"""The commands about tokens; the service may run meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from wholeroad.interfaces.http.tokens import Tokens

token = typer.Typer(
    name="token",
    help="Say who may ask the service for what: make, list and revoke tokens, while it runs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Folder = Annotated[Path, typer.Option("--project", help="The project's folder, with its brief.toml.")]


@token.command()
def make(
    role: Annotated[str, typer.Option(help="sender (brings rows), reviewer (reads) or owner (everything).")],
    name: Annotated[str, typer.Option(help="Who will have it, as in shop.")],
    folder: Folder = Path(),
) -> None:
    """Make a token and print it, this once; its digest alone is kept."""
    from wholeroad.adapters.clocks import SystemClock

    text = _tokens(folder).make(name, role=role, now=SystemClock().now())
    typer.echo(f"The token of {name}, {role}. It is shown this once, and can't be had again:", err=True)
    typer.echo(text)
    typer.echo("Send it with each request: Authorization: Bearer TOKEN", err=True)


@token.command("list")
def list_(folder: Folder = Path()) -> None:
    """List the tokens: who has them, what for, since when; never what they are."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from wholeroad.core.instants import format_instant
    from wholeroad.interfaces.cli.watching import console

    found = _tokens(folder).list()
    if not found:
        typer.echo("There is no token yet. To make one: wholeroad token make --role sender --name shop")
        return
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    for column in ("name", "role", "id", "made", "revoked"):
        shown.add_column(column, overflow="fold")
    for one in found:
        revoked = "" if one.revoked_at is None else _second(format_instant(one.revoked_at))
        cells = (one.name, one.role, one.id, _second(format_instant(one.made_at)), revoked)
        shown.add_row(*map(Text, cells), style="dim" if revoked else "")
    console().print(shown)


@token.command()
def revoke(
    which: Annotated[str, typer.Argument(help="The token's name, or its id.")],
    folder: Folder = Path(),
) -> None:
    """Revoke a token; a service that runs refuses it from the next second on."""
    from wholeroad.adapters.clocks import SystemClock

    revoked = _tokens(folder).revoke(which, now=SystemClock().now())
    typer.echo(f"Revoked: {revoked.name}, {revoked.role}, id {revoked.id}.")


def _tokens(folder: Path) -> Tokens:
    from wholeroad.adapters.folders import ProjectFolder
    from wholeroad.interfaces.http.tokens import Tokens

    place = ProjectFolder.at(folder)
    place.read_brief()  # no folder becomes a project by mistake
    place.prepare()
    return Tokens(place.tokens)


def _second(instant: str) -> str:
    return instant[:19].replace("T", " ")
