"""The one shape of errors, and the status that each comes with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from wholeroad.core.errors import FaultsError, RoadError, TryLaterError, UserError

RETRY_AFTER_S: Final = b"1"
Header = tuple[bytes, bytes]
CLOSE: Final[Header] = (b"connection", b"close")

_STATUS: Final = {"brief.unknown-source": 404}
"""Of errors that the service raises; every other is 422 if the sender can mend it."""


class RequestError(UserError):
    """A request that is refused before the service sees it.

    Parameters
    ----------
    status
        Of the answer, 400 to 503.
    headers
        That the answer has besides.
    """

    def __init__(
        self,
        code: str,
        headline: str,
        *,
        status: int,
        happened: str,
        expected: str,
        fix: str,
        headers: Sequence[Header] = (),
    ) -> None:
        super().__init__(code, headline, happened=happened, expected=expected, fix=fix)
        self.status = status
        self.headers = headers


class FaultLine(msgspec.Struct, frozen=True):
    """One of several faults; see :class:`wholeroad.core.errors.Fault`."""

    code: str
    where: str
    happened: str
    expected: str
    fix: str


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a refused request is told.

    Attributes
    ----------
    code
        Stable and dotted; ``wholeroad explain CODE`` says more.
    faults
        Each of them, where there are several.
    """

    code: str
    headline: str
    happened: str
    expected: str
    fix: str
    request_id: str
    faults: list[FaultLine] = []


class Refused(msgspec.Struct, frozen=True):
    """The body of every answer that is no success."""

    error: ErrorBody


class RefusedModel(msgspec.Struct, frozen=True):
    """The same under ``/v2``, whose protocol wants a text."""

    error: str


def status_of(error: RoadError) -> int:
    """Give the status of an answer: 4xx what the sender can mend, 503 what passes, 500 a fault of ours."""
    match error:
        case RequestError():
            return error.status
        case TryLaterError():
            return 503
        case UserError():
            return _STATUS.get(error.code, 422)
    return 500


def headers_of(error: RoadError) -> Sequence[Header]:
    """Give the headers that an answer has besides the usual ones."""
    match error:
        case RequestError():
            return error.headers
        case TryLaterError():
            return ((b"retry-after", RETRY_AFTER_S),)
    return ()


def encode(error: RoadError, request_id: str) -> bytes:
    """Write an error in the one shape."""
    faults = [
        FaultLine(each.code, each.where, each.happened, each.expected, each.fix)
        for each in (error.faults if isinstance(error, FaultsError) else ())
    ]
    body = ErrorBody(
        error.code, error.headline, error.happened, error.expected, error.fix, request_id, faults
    )
    return msgspec.json.encode(Refused(body))


def encode_for_model(error: RoadError) -> bytes:
    """Write an error as the Open Inference Protocol wants it: a text."""
    return msgspec.json.encode(
        RefusedModel(f"{error.headline}: {error.happened}. {error.fix} [{error.code}]")
    )


def unknown_path() -> RequestError:
    """Say that there is nothing: ``request.unknown-path``."""
    return RequestError(
        "request.unknown-path",
        "There is nothing at this address",
        status=404,
        happened="the path named no route of the service",
        expected="one of the paths that GET / names",
        fix="look the path up in GET /openapi.json",
    )


def wrong_method(method: str, allowed: Sequence[str]) -> RequestError:
    """Say that a route is asked for in another way: ``request.method``."""
    shown = ", ".join(sorted(allowed))
    return RequestError(
        "request.method",
        "The method doesn't belong to this address",
        status=405,
        happened=f"the method was {method}" if method.isalpha() else "the method was none that is known",
        expected=shown,
        fix=f"send {shown}",
        headers=((b"allow", shown.encode()),),
    )


def busy(*, happened: str) -> RequestError:
    """Say that it is too much at once: ``service.busy``."""
    return RequestError(
        "service.busy",
        "The service has too much to do at once",
        status=429,
        happened=happened,
        expected="fewer requests at the same time, or smaller ones",
        fix="wait as long as Retry-After says, then send it again; what carries ids may be sent twice",
        headers=((b"retry-after", RETRY_AFTER_S),),
    )


def our_fault() -> RoadError:
    """Say that the fault is ours, without saying what is inside: ``service.fault``."""
    return RoadError(
        "service.fault",
        "The service made a fault",
        happened="a fault of the program itself, which its log has under this request's id",
        expected="an answer",
        fix="send it again once; if it happens again, report it with the request's id",
    )


def no_token(*, sent: bool) -> RequestError:
    """Say that nobody knows who asks: ``access.no-token``, ``access.unknown-token``."""
    challenge = ((b"www-authenticate", b'Bearer realm="wholeroad"'),)
    if sent:
        return RequestError(
            "access.unknown-token",
            "The token isn't known",
            status=401,
            happened="the Authorization header held no token that is in force",
            expected="Authorization: Bearer TOKEN, with a token of this project that wasn't revoked",
            fix="have the owner make a token, and send it whole",
            headers=challenge,
        )
    return RequestError(
        "access.no-token",
        "A token is missing",
        status=401,
        happened="the request had no Authorization header",
        expected="Authorization: Bearer TOKEN",
        fix="send the token that the owner made for you",
        headers=challenge,
    )


def not_allowed(role: str, route: str) -> RequestError:
    """Say that the role isn't let through: ``access.role``."""
    return RequestError(
        "access.role",
        "The token's role may not do this",
        status=403,
        happened=f"the token's role was {role}",
        expected=f"a role that may {route}",
        fix="use a token of the right role, or have the owner make one",
    )


def too_slow(seconds: float) -> RequestError:
    """Say that a body takes too long: ``request.too-slow``."""
    return RequestError(
        "request.too-slow",
        "The body came too slowly",
        status=408,
        happened=f"the body wasn't whole after {seconds:g} seconds; nothing of it was taken",
        expected=f"a whole body within {seconds:g} seconds",
        fix="send smaller requests, or send from a faster line; what carries ids may be sent again",
        headers=(CLOSE,),
    )
