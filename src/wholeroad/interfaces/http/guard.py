"""Who may ask for what: three roles, and the routes that each is let through to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Protocol

Role = Literal["sender", "reviewer", "owner"]
"""``sender`` brings rows, cases and outcomes; ``reviewer`` reads; ``owner`` does everything."""

Headers = Mapping[bytes, bytes]
"""Of a request, names in lower case."""

OPEN: Final = frozenset(
    {
        "GET /",
        "GET /health/live",
        "GET /health/ready",
        "GET /openapi.json",
        "GET /v2/health/live",
        "GET /v2/health/ready",
    }
)
"""Routes for which nobody has to say who they are; they tell nothing of any row."""

_MODEL: Final = "/v2"
_SENT: Final = frozenset({"POST /v1/rows/{source}", "POST /v1/decisions", "POST /v1/outcomes"})
_READ: Final = frozenset(
    {"GET /v1/decisions/{id}", "GET /v1/models", "GET /v1/ledger", "GET /v1/status", "GET /metrics"}
)
_ALLOWED: Final[dict[Role, frozenset[str]]] = {
    "sender": _SENT | {"GET /v1/decisions/{id}"},
    "reviewer": _READ,
}


class Guard(Protocol):
    """Tells who asks, and whether they may."""

    def role(self, headers: Headers) -> Role | None:
        """Give the role of whoever sent these headers; None for a stranger."""

    def allowed(self, role: Role, route: str) -> bool:
        """Tell whether a role may ask for a route, such as ``POST /v1/rows/{source}``."""


class Checker(Protocol):
    """Knows tokens."""

    def check(self, bearer: str) -> Role | None:
        """Give the role of a token; None for one that isn't known or was revoked."""


class TokenGuard:
    """Asks for a bearer token.

    Parameters
    ----------
    tokens
        Those that were made.

    Examples
    --------
    >>> class One:
    ...     def check(self, bearer: str) -> Role | None:
    ...         return "reviewer" if bearer == "abc" else None
    >>> guard = TokenGuard(One())
    >>> guard.role({b"authorization": b"Bearer abc"}), guard.role({b"authorization": b"Basic abc"})
    ('reviewer', None)
    """

    def __init__(self, tokens: Checker) -> None:
        self._tokens = tokens

    def role(self, headers: Headers) -> Role | None:
        """Give the role of the token in ``Authorization: Bearer``; None without one that is known."""
        scheme, _, bearer = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not bearer.isascii():
            return None
        return self._tokens.check(bearer.strip().decode("ascii"))

    def allowed(self, role: Role, route: str) -> bool:
        """Tell whether a role may ask for a route."""
        return may(role, route)


def may(role: Role, route: str) -> bool:
    """Tell whether a role may ask for a route.

    The bare model under ``/v2`` answers senders and owners; what it is, everybody with a token may read.

    Examples
    --------
    >>> (
    ...     may("sender", "POST /v1/decisions"),
    ...     may("sender", "GET /v1/ledger"),
    ...     may("reviewer", "GET /v1/ledger"),
    ... )
    (True, False, True)
    """
    if role == "owner" or route in _ALLOWED[role]:
        return True
    method, _, path = route.partition(" ")
    return path.startswith(_MODEL) and (method == "GET" or role == "sender")
