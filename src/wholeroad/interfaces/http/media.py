"""In which forms a body may come, and the few parameters that an address may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NoReturn
from urllib.parse import parse_qsl

from wholeroad.interfaces.http.refusals import RequestError

ARROW: Final = "application/vnd.apache.arrow.stream"
NDJSON: Final = "application/x-ndjson"
_UTF8: Final = ("", "utf-8", "utf8")
_SHOWN: Final = 80


def media_of(headers: Mapping[bytes, bytes]) -> str:
    """Give the form of a body: without parameters, but for a charset other than UTF-8, which no form has."""
    encoding = headers.get(b"content-encoding", b"").strip().lower()
    if encoding not in {b"", b"identity"}:
        return f"{encoding.decode('latin-1')} (Content-Encoding)"
    media, _, parameters = headers.get(b"content-type", b"").decode("latin-1").lower().partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in _UTF8:
            return f"{media.strip()}; charset={value.strip()}"
    return media.strip()


def refuse_media(media: str, known: Sequence[str]) -> None:
    """Let known forms through.

    Raises
    ------
    RequestError
        ``request.media-type``.
    """
    if media in known:
        return
    raise RequestError(
        "request.media-type",
        "The body comes in a form that isn't read here",
        status=415,
        happened=f"it came as {media[:_SHOWN]!r}" if media else "Content-Type was missing",
        expected=" or ".join(known) + ", in UTF-8 and not encoded any further",
        fix=f"send the header Content-Type: {known[0]}",
    )


def no_parameters() -> NoReturn:
    """Refuse what follows the ``?`` of an address: ``request.parameter``."""
    raise _parameter(happened="the address had parameters", expected="none")


def parameters(query: bytes, known: Sequence[str]) -> dict[str, str]:
    """Read the parameters of an address.

    Raises
    ------
    RequestError
        ``request.parameter`` for one that is unknown, comes twice, or can't be read.

    Examples
    --------
    >>> parameters(b"after=7", ("after", "most"))
    {'after': '7'}
    """
    expected = ", ".join(known) or "none"
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query), errors="strict"
        )
    except ValueError:
        raise _parameter(happened="what follows the ? was no list of parameters", expected=expected) from None
    read = dict(pairs)
    if unknown := [name for name in read if name not in known]:
        raise _parameter(happened=f"a parameter was {unknown[0][:_SHOWN]!r}", expected=expected)
    if len(read) < len(pairs):
        raise _parameter(happened="a parameter came twice", expected="each once")
    return read


def whole(text: str, name: str, *, least: int, most: int) -> int:
    """Read a whole number within bounds.

    Raises
    ------
    RequestError
        ``request.parameter``.
    """
    if text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    raise _parameter(
        happened=f"{name} was {text[:_SHOWN]!r}", expected=f"{name}: a whole number from {least} to {most}"
    )


def _parameter(*, happened: str, expected: str) -> RequestError:
    return RequestError(
        "request.parameter",
        "A parameter of the address isn't right",
        status=422,
        happened=happened,
        expected=expected,
        fix="correct the part of the address after the ?, or leave it out",
    )
