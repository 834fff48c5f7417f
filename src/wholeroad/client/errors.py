"""Errors of the client: those that the service says, and those of the way to it."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from wholeroad.core.errors import TryLaterError, UserError

Told = TypeVar("Told")


class ServiceError(UserError):
    """The service refused a request; it says why.

    Attributes
    ----------
    status
        Of the answer: 4xx.
    request_id
        By which the service's log knows the request.
    faults
        Each of them, where there are several: ``code``, ``where``, ``happened``, ``expected``, ``fix``.
    """

    def __init__(
        self,
        code: str,
        headline: str,
        *,
        happened: str,
        expected: str,
        fix: str,
        status: int,
        request_id: str,
    ) -> None:
        super().__init__(code, headline, happened=happened, expected=expected, fix=fix)
        self.status = status
        self.request_id = request_id
        self.faults: tuple[dict[str, str], ...] = ()


class UnreachableError(TryLaterError):
    """No answer came, or none but "later", however often it was tried; what was sent may have been taken."""


class _Told(msgspec.Struct):
    code: str
    headline: str
    happened: str
    expected: str
    fix: str
    request_id: str = ""
    faults: list[dict[str, str]] = []


class _Refused(msgspec.Struct):
    error: _Told


def refusal(status: int, body: bytes, *, request_id: str) -> ServiceError:
    """Make the error of an answer that is no success, in whatever shape it came."""
    try:
        told = msgspec.json.decode(body, type=_Refused).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ServiceError(
            "client.answer",
            "The answer can't be understood",
            happened=f"the answer had the status {status} and began {body[:80]!r}",
            expected="an answer of wholeroad",
            fix="look whether the address is that of the service, and what stands between",
            status=status,
            request_id=request_id,
        )
    error = ServiceError(
        told.code,
        told.headline,
        happened=told.happened,
        expected=told.expected,
        fix=told.fix,
        status=status,
        request_id=told.request_id or request_id,
    )
    error.faults = tuple(told.faults)
    return error


def unreachable(address: str, tries: list[str]) -> UnreachableError:
    """Say that no answer came: ``client.unreachable``."""
    times = "once" if len(tries) == 1 else f"{len(tries)} times"
    return UnreachableError(
        "client.unreachable",
        "The service doesn't answer",
        happened=f"{address} was asked {times}; the last time: {tries[-1]}",
        expected="an answer",
        fix="look whether the service runs, then send the same again: what it took already is taken once",
    )


def bad_use(happened: str, *, expected: str, fix: str) -> UserError:
    """Say that the client was called with what it can't send: ``client.use``."""
    return UserError("client.use", "That can't be sent", happened=happened, expected=expected, fix=fix)


def understood(body: bytes, kind: type[Told], *, status: int, request_id: str) -> Told:
    """Read an answer as what it should be.

    Raises
    ------
    ServiceError
        ``client.answer``.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise refusal(status, body, request_id=request_id) from None
