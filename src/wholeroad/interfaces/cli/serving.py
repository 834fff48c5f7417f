"""``wholeroad up``: a project as a service, and what a newcomer needs next."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from wholeroad.core.errors import UserError, unusable

if TYPE_CHECKING:
    from socket import socket

    from rich.console import Console as Screen

    from wholeroad.core.instants import Instant
    from wholeroad.core.ports import Clock
    from wholeroad.interfaces.http.serving import Tls
    from wholeroad.interfaces.http.tokens import Tokens
    from wholeroad.project import Project
    from wholeroad.serving.service import Service

Folder = Annotated[Path, typer.Argument(help="The project's folder, with its brief.toml.", show_default=".")]


def up(
    folder: Folder = Path(),
    *,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 takes a free one.")] = 8000,
    tls: Annotated[
        tuple[Path, Path] | None, typer.Option(help="A certificate and its key, in PEM: serve by TLS.")
    ] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy before it does TLS.")
    ] = False,  # a flag
    at: Annotated[
        str | None, typer.Option(help="For trying it out: begin as if it were this instant (UTC).")
    ] = None,
    log: Annotated[Path | None, typer.Option(help="Write a line of JSON for each request here.")] = None,
) -> None:
    """Serve the project: rows and cases come in over HTTP, decisions go out, cycles run on the clock."""
    # Before it is first imported: Polars then gives freed memory back at once, and what was read at the start
    # isn't held as long as a service lives.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")
    from wholeroad.interfaces.http.exposure import refuse_exposed, refuse_useless
    from wholeroad.interfaces.http.serving import Tls
    from wholeroad.interfaces.http.tokens import Tokens
    from wholeroad.project import open_project

    # The thread that flushes asks for the interpreter after each call of SQLite: 5 ms each time is long.
    sys.setswitchinterval(0.0005)
    clock = _clock(at)
    project = open_project(folder, clock=clock)
    if at is not None:
        _refuse_past(project, clock.now())
    tokens = Tokens(project.folder.tokens, now=clock.now)
    made = any(token.revoked_at is None for token in tokens.list())
    refuse_exposed(host, tokens=made, tls=tls is not None, behind_proxy=behind_proxy)
    if tls is not None:
        refuse_useless(*tls)
    shown = None if tls is None else Tls(*tls)
    _Serving(project, tokens, host=host, tls=shown, behind_proxy=behind_proxy).run(port, log)


def _refuse_past(project: Project, now: Instant) -> None:
    """Refuse an instant before what the folder has: time would stand still until then, and no cycle come."""
    from wholeroad.core.instants import format_instant

    if project.folder.ledger.exists() and (newest_at := project.yard.operation.now()) > now + _MINUTE:
        raise UserError(
            "service.time-behind",
            "The service would begin before what its folder has",
            happened=f"--at was {format_instant(now)}, and there are rows or decisions of "
            f"{format_instant(newest_at)}",
            expected="an instant after them",
            fix="name a later one; or copy brief and data into a new folder, and begin there",
        )


_MINUTE: Final = 60_000_000


def _clock(at: str | None) -> Clock:
    from wholeroad.adapters.clocks import ShiftedClock, SystemClock
    from wholeroad.core.instants import parse_instant

    if at is None:
        return SystemClock()
    try:
        return ShiftedClock(parse_instant(at))
    except ValueError:
        raise UserError(
            "cli.date",
            "--at is no date",
            happened=f"was {at!r}",
            expected="a date or an instant; without an offset it is UTC",
            fix="write it as 2013-03-01 or 2013-03-01T06:00:00Z",
        ) from None


class _Serving:
    """One run of the service, from the lock on the folder to the last answer."""

    def __init__(
        self, project: Project, tokens: Tokens, *, host: str, tls: Tls | None, behind_proxy: bool
    ) -> None:
        self.project = project
        self.tokens = tokens
        self.host = host
        self.tls = tls
        self.behind_proxy = behind_proxy

    def run(self, port: int, log: Path | None) -> None:
        from wholeroad.adapters.locks import held
        from wholeroad.core.instants import format_instant
        from wholeroad.engine.timeless import refuse_timeless
        from wholeroad.interfaces.cli.watching import console
        from wholeroad.interfaces.http.serving import listen, run

        refuse_timeless(self.project.brief, "served")
        try:
            bound = listen(self.host, port)
        except OSError as error:
            raise _taken(self.host, port, str(error)) from None
        scheme = "https" if self.tls else "http"
        name = f"[{self.host}]" if ":" in self.host else self.host
        address = f"{scheme}://{name}:{bound.getsockname()[1]}"
        self.project.folder.prepare()
        since = format_instant(self.project.yard.clock.now())
        lock = held(self.project.folder.inner, purpose=f"the service at {address}", since=since)
        with bound, lock, _written(log) as write:
            run(self._serve(console(), address, bound, write))

    async def _serve(
        self, console: Screen, address: str, bound: socket, write: Callable[[bytes], None] | None
    ) -> None:
        from rich.console import Console

        from wholeroad.interfaces.cli.watching import tasks
        from wholeroad.interfaces.http.face import make_app
        from wholeroad.interfaces.http.guard import TokenGuard
        from wholeroad.interfaces.http.serving import serve, server
        from wholeroad.interfaces.http.settings import HttpSettings
        from wholeroad.interfaces.http.v2 import routes
        from wholeroad.serving.processes import ChildProcess
        from wholeroad.serving.service import Service

        service = Service(
            self.project,
            host=ChildProcess,
            tell=lambda text: Console(stderr=True).print(text, markup=False, soft_wrap=True),
        )
        with tasks() as progress:
            await service.start(progress=progress)
        settings = HttpSettings(log=write)
        app = make_app(service, settings=settings, guard=TokenGuard(self.tokens), routes=routes(service))
        greeted: list[asyncio.Future[None]] = []

        def greet() -> None:
            self._greet(console, address, service)

        made = server(
            app,
            settings,
            tls=self.tls,
            behind_proxy=self.behind_proxy,
            # In a thread: it reads a row to try, and answers don't wait for that.
            started=lambda: greeted.append(asyncio.get_running_loop().run_in_executor(None, greet)),
        )
        await serve(made, service.close, sockets=[bound])
        console.print("Stopped: everything that was acknowledged is on the disk.")

    def _greet(self, console: Screen, address: str, service: Service) -> None:
        """Say where it is, who may use it, and what to try first."""
        from wholeroad.interfaces.http.exposure import is_loopback
        from wholeroad.interfaces.http.schemas import example_row
        from wholeroad.serving.example import example_case
        from wholeroad.serving.told import clock_behind

        now = service.now()
        brief = service.brief
        case = example_case(self.project.yard, now)
        case = case or example_row(brief, brief.case.source, schemas=service.schemas)
        body = json.dumps({"case": case}, ensure_ascii=False)
        # Where others reach it there are tokens, and what is printed there is kept in logs.
        token = self.tokens.session() if is_loopback(self.host) else "<token>"
        insecure = " --insecure" if self.tls else ""
        console.print(f"Serving {service.brief.brief.name} at {address}", style="bold")
        console.print(f"{service.status().why[:1].upper()}{service.status().why[1:]}.", soft_wrap=True)
        if behind := clock_behind(self.project.yard.clock.now(), service.front.at):
            said = f"Mind that {behind.happened}. [{behind.code}]"
            console.print(said, style="yellow", markup=False, soft_wrap=True)
        of_run = f"Token of this run, an owner's: {token}\n" if is_loopback(self.host) else ""
        console.print(
            f"{of_run}For others: wholeroad token make --role sender --name <who>\nGet a first decision:\n",
            soft_wrap=True,
        )
        console.print(
            f"curl -s{insecure} {address}/v1/decisions -H 'Authorization: Bearer {token}' "
            f"-H 'Content-Type: application/json' -d '{body.replace(chr(39), _QUOTE)}'\n",
            soft_wrap=True,
            markup=False,
        )
        console.print(f"What else it answers: {address}/openapi.json. Stop it with Ctrl-C.", soft_wrap=True)


_QUOTE: Final = "'\\''"
"""A single quote within single quotes, as a shell reads it."""


@contextmanager
def _written(log: Path | None) -> Iterator[Callable[[bytes], None] | None]:
    """Give what takes the lines of the log; None where nobody asked for one."""
    if log is None:
        yield None
        return
    try:
        file = log.open("ab", buffering=0)
    except OSError as error:
        raise unusable(log, str(error.strerror)) from None

    def write(line: bytes) -> None:
        file.write(line.rstrip(b"\n") + b"\n")

    with file:
        yield write


def _taken(host: str, port: int, reason: str) -> UserError:
    return UserError(
        "service.address",
        "The address can't be listened on",
        happened=f"{host}, port {port}: {reason}",
        expected="a free port of this machine",
        fix="name another one with --port, or --port 0 for any",
    )
