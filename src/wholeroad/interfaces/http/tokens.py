"""Tokens: who may ask the service for what, made and revoked while it runs.

A token is ``wr_<id>_<secret>``. Its secret has 256 random bits, so that nobody can guess it, and a plain
SHA-256 of it is kept: salt and slow digests protect words that people choose, which lists of words find.
The file alone lets nobody in.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets  # noqa: TID251 - a token that a stable id gave away would be none
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, get_args

import msgspec

from wholeroad.adapters.flushing import flush_folders
from wholeroad.adapters.locks import held
from wholeroad.core.errors import UserError
from wholeroad.core.instants import UNITS, Instant, format_instant
from wholeroad.interfaces.http.guard import Role

ROLES: Final[tuple[Role, ...]] = get_args(Role)
FORMAT: Final = 1
"""Of the file; a newer one is refused."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")
_LONGEST: Final = 256
_NOBODY: Final = hashlib.sha256(b"").hexdigest()
"""What the secret of an unknown id is held against, so that it takes as long as that of a known one."""


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a token.

    Attributes
    ----------
    id
        12 hexadecimal digits, which the token begins with; no secret.
    name
        Who has it, in the owner's words; once among the tokens in force.
    role
        ``sender`` brings rows, cases and outcomes; ``reviewer`` reads; ``owner`` does everything.
    sha256
        Of the whole token, in hexadecimal digits.
    made_at, revoked_at
        When; ``revoked_at`` is None while it is in force.
    """

    id: str
    name: str
    role: Role
    made_at: Instant
    sha256: str
    revoked_at: Instant | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    tokens: list[Token]


class Tokens:
    """The tokens of a project.

    Parameters
    ----------
    path
        ``.wholeroad/tokens.json``; without it there is no token.
    now
        The project's clock. By it :meth:`check` looks once a second at most whether the file was changed;
        without it, when :meth:`reload` says so.

    Examples
    --------
    >>> import tempfile
    >>> tokens = Tokens(Path(tempfile.mkdtemp()) / "tokens.json")
    >>> secret = tokens.make("shop", role="sender", now=0)
    >>> tokens.check(secret), tokens.check(secret + "x")
    ('sender', None)
    >>> tokens.revoke("shop", now=1).revoked_at, tokens.check(secret)
    (1, None)
    """

    def __init__(self, path: Path, *, now: Callable[[], Instant] | None = None) -> None:
        self._path = path
        self._now = now
        self._looked_at: Instant | None = None
        self._seen: tuple[int, int, int] | None = None
        self._tokens: dict[str, Token] = {}
        self._session: Token | None = None
        self.fault = ""
        """Why the file can't be read at present; no token of it is taken until it can."""

    def make(self, name: str, *, role: str, now: Instant) -> str:
        """Make a token, durably; the text that is given back is kept nowhere.

        Raises
        ------
        UserError
            ``tokens.name``, ``tokens.name-taken``, ``tokens.role``, ``tokens.unreadable``.
        TryLaterError
            ``project.locked``: another command changes the tokens at this moment.
        """
        if not _NAME.fullmatch(name):
            raise _bad_name(name)
        asked = next((each for each in ROLES if each == role), None)
        if asked is None:
            raise _bad_role(role)
        with self._changing(now):
            found = _read(self._path)
            if any(token.name == name and token.revoked_at is None for token in found):
                raise _name_taken(name)
            taken = {token.id for token in found}
            identity = next(each for each in iter(lambda: secrets.token_hex(6), "") if each not in taken)
            text, token = _token(identity, name, role=asked, now=now)
            _write(self._path, [*found, token])
        self.reload()
        return text

    def revoke(self, which: str, *, now: Instant) -> Token:
        """Revoke a token by its id, or by its name; revoking it again changes nothing.

        Raises
        ------
        UserError
            ``tokens.unknown``, ``tokens.unreadable``.
        TryLaterError
            ``project.locked``: another command changes the tokens at this moment.
        """
        with self._changing(now):
            found = _read(self._path)
            named = [token for token in found if which in {token.id, token.name}]
            if not named:
                raise _unknown(which, found)
            # A name may have been used before; the token in force is meant.
            token = min(named, key=lambda each: (each.revoked_at is not None, -each.made_at))
            if token.revoked_at is None:
                revoked = msgspec.structs.replace(token, revoked_at=max(now, token.made_at))
                _write(self._path, [revoked if each is token else each for each in found])
                token = revoked
        self.reload()
        return token

    def list(self) -> list[Token]:
        """Give every token that was ever made, the oldest first.

        Raises
        ------
        UserError
            ``tokens.unreadable``.
        """
        return _read(self._path)

    def session(self) -> str:
        """Make an owner's token that ends with this process and is written nowhere; the former one ends."""
        made_at = 0 if self._now is None else self._now()
        text, self._session = _token("session", "this session", role="owner", now=made_at)
        return text

    def check(self, bearer: str) -> Role | None:
        """Give the role of a token; None for one that isn't known or was revoked.

        How long it takes tells nothing of the secret: digests are compared, each to its end, and an unknown
        id is compared like a known one.
        """
        self._look()
        bearer = bearer[:_LONGEST]
        parts = bearer.split("_", 2)
        known = None
        if len(parts) == 3:
            known = self._session if parts[1] == "session" else self._tokens.get(parts[1])
        kept = _NOBODY if known is None else known.sha256
        alike = hmac.compare_digest(_digest(bearer), kept)
        if known is None or not alike or known.revoked_at is not None:
            return None
        return known.role

    def reload(self) -> None:
        """Read the file again; one that can't be read lets nobody in, and :attr:`fault` says why."""
        seen = _stamp(self._path)
        try:
            self._tokens = {token.id: token for token in _read(self._path)}
            self.fault = ""
        except UserError as error:
            self._tokens = {}
            self.fault = str(error)
        self._seen = seen

    def _look(self) -> None:
        if self._looked_at is None:
            self._looked_at = 0 if self._now is None else self._now()
            self.reload()
        elif self._now is not None and self._now() - self._looked_at >= UNITS["s"]:
            self._looked_at = self._now()
            if _stamp(self._path) != self._seen:
                self.reload()

    def _changing(self, now: Instant) -> AbstractContextManager[None]:
        # The project's own lock is held by the service, which is to go on.
        folder = self._path.with_suffix(".lock")
        return held(folder, purpose="a command that changes the tokens", since=format_instant(now))


def _token(identity: str, name: str, *, role: Role, now: Instant) -> tuple[str, Token]:
    text = f"wr_{identity}_{secrets.token_urlsafe(32)}"
    return text, Token(identity, name, role, now, _digest(text))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> list[Token]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    try:
        found = msgspec.json.decode(data, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(path, f"it can't be read: {error}") from None
    if found.format > FORMAT:
        raise _unreadable(path, f"its format was {found.format}; this version reads {FORMAT}")
    return found.tokens


def _write(path: Path, tokens: list[Token]) -> None:
    """Write the file whole or not at all, for its owner's eyes alone from the first byte."""
    data = msgspec.json.format(msgspec.json.encode(_File(FORMAT, tokens)), indent=1)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)  # what a killed command left; the lock is ours
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    flush_folders(path.parent)


def _bad_name(name: str) -> UserError:
    return UserError(
        "tokens.name",
        "A token can't have this name",
        happened=f"the name was {name[:80]!r}",
        expected="1 to 64 letters, digits, spaces and . _ @ -, a letter or a digit first",
        fix="name it after the program or person that will have it, as in --name shop",
    )


def _bad_role(role: str) -> UserError:
    return UserError(
        "tokens.role",
        "There is no such role",
        happened=f"the role was {role[:80]!r}",
        expected=", ".join(ROLES),
        fix="sender brings rows, cases and outcomes; reviewer reads; owner does everything",
    )


def _name_taken(name: str) -> UserError:
    return UserError(
        "tokens.name-taken",
        "A token of this name is in force",
        happened=f"{name!r} was made before, and wasn't revoked",
        expected="a name for each token, so that one can be revoked without the others",
        fix=f"choose another name, or revoke the former one: wholeroad token revoke {json.dumps(name)}",
    )


def _unknown(which: str, tokens: list[Token]) -> UserError:
    there = ", ".join(token.name for token in tokens if token.revoked_at is None) or "none"
    return UserError(
        "tokens.unknown",
        "There is no such token",
        happened=f"no token has the name or id {which[:80]!r}",
        expected=f"one of those in force: {there}",
        fix="wholeroad token list shows them",
    )


def _unreadable(path: Path, happened: str) -> UserError:
    return UserError(
        "tokens.unreadable",
        "The file of tokens can't be read",
        happened=f"{path}: {happened}",
        expected="the file as wholeroad token wrote it; until then no token of it is taken",
        fix="restore it from a copy, or delete it and make the tokens again",
    )
