"""Addresses of databases: read from the environment, shown without their password."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from wholeroad.core.errors import UserError

POSTGRESQL: Final = "postgresql"
SQLITE: Final = "sqlite"

_SCHEME: Final = re.compile(r"(postgresql|postgres|sqlite):(.*)", re.DOTALL)
_WAIT_S: Final = 30
"""For a server that doesn't answer at all; the address may say otherwise."""


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where a database is.

    Attributes
    ----------
    dialect
        ``postgresql`` or ``sqlite``.
    uri
        What the driver is given; holds the password.
    variable
        The environment variable that it came from.
    shown
        How messages name it, without user and password.
    secrets
        What messages must not hold.
    """

    dialect: str
    uri: str
    variable: str
    shown: str
    secrets: tuple[str, ...] = ()

    def masked(self, words: str) -> str:
        """Give somebody else's words on one line, without the password."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            words = words.replace(secret, "***")
        return " ".join(words.split())[:400]

    def unusable(self) -> UserError:
        """Say that the address can't be understood, and nothing of what is in it."""
        return UserError(
            "database.bad-address",
            f"The address in {self.variable} can't be used",
            happened="it was no address of a database that can be read",
            expected="postgresql://user:password@host:5432/name, sqlite:///folder/file.db or sqlite:file.db",
            fix=f"correct {self.variable}; in a password write @ as %40, : as %3A, / as %2F and % as %25",
        )


def address_of(variable: str, *, root: Path, where: str) -> Address:
    """Read an address from the environment.

    Parameters
    ----------
    variable
        The variable's name.
    root
        The project's folder: a relative SQLite file is found from there.
    where
        The source's table in the brief.

    Raises
    ------
    UserError
        ``database.no-address``, ``database.bad-address``, ``database.no-file``.
    """
    text = os.environ.get(variable, "").strip()
    if not text:
        was = "empty" if variable in os.environ else "not set"
        raise UserError(
            "database.no-address",
            f"{where}: there is no address of the database",
            happened=f"the environment variable {variable} was {was}",
            expected="an address, as in postgresql://user:password@host:5432/name or sqlite:file.db",
            fix=f"set {variable} where this command runs; in cron that is the job's own environment",
        )
    match = _SCHEME.fullmatch(text)
    if match is None:
        raise Address("", "", variable, "").unusable()
    if match.group(1) == SQLITE:
        return _sqlite(match.group(2), variable, root)
    return _postgresql(text, variable)


def _sqlite(rest: str, variable: str, root: Path) -> Address:
    rest = unquote(rest.partition("?")[0])
    if rest.startswith("///"):
        rest = "/" + rest.lstrip("/")
        if re.match(r"/[A-Za-z]:", rest):
            rest = rest[1:]
    path = root / rest
    if not path.is_file():
        raise UserError(
            "database.no-file",
            "There is no such SQLite file",
            happened=f"{path}, which {variable} names, {'is a folder' if path.is_dir() else 'was not there'}",
            expected="a file; sqlite:///folder/file.db is absolute, sqlite:file.db beside the brief",
            fix=f"correct {variable}",
        )
    uri = f"file:{quote(path.resolve().as_posix())}?mode=ro"
    return Address(SQLITE, uri, variable, f"{path.name} ({variable})")


def _postgresql(text: str, variable: str) -> Address:
    base, _, asked = text.partition("?")
    _, _, rest = base.partition("://")
    user, at, host = rest.rpartition("@")
    secrets = [user.partition(":")[2]] if at else []
    secrets += re.findall(r"(?:password|sslpassword)=([^&]*)", asked)
    every = {each for secret in secrets for each in (secret, unquote(secret)) if each}
    uri = (
        text
        if "connect_timeout" in asked
        else f"{base}?{asked}{'&' if asked else ''}connect_timeout={_WAIT_S}"
    )
    return Address(POSTGRESQL, uri, variable, f"{host or 'the local server'} ({variable})", tuple(every))
