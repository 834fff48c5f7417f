"""The client's calls."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, overload
from urllib.parse import quote, urlsplit

import msgspec

from wholeroad.client.answers import CaseAnswer, LedgerLine, ModelLine, RowsAnswer, StatusAnswer
from wholeroad.client.bodies import ARROW, NDJSON, Row, encoded, of_cases, of_frame, of_rows
from wholeroad.client.errors import bad_use, refusal, understood, unreachable
from wholeroad.client.retrying import LATER, wait_s

if TYPE_CHECKING:
    import httpx
    import polars as pl

MOST_CASES: Final = 1_000
"""Of one request: cases are decided together, and a large group keeps others waiting."""

_PAGE: Final = 500
_HOME: Final = frozenset({"localhost", "127.0.0.1", "::1"})


Told = TypeVar("Told")


class Client:
    """A project in service, from Python.

    Whatever is sent may be sent again: rows are known by their key and content, cases by their key. So a
    request whose answer is lost, or that the service has no time for, is repeated by itself, and nothing
    lands or is decided twice. What the service refuses is raised and never repeated. Its connection is kept;
    threads may share it.

    Parameters
    ----------
    address
        As ``wholeroad up`` prints it: ``http://127.0.0.1:8000``.
    token
        As ``wholeroad token make`` printed it.
    timeout_s
        For each try: to connect, to send, to be answered.
    retries
        Tries after the first one.
    wait_s
        Before the second try; then twice as long each time, 30 s at most, spread so that many clients don't
        come back together; at least what the service asks for.

    Raises
    ------
    ServiceError
        By every call, when the service refuses: its code, what happened, what was expected, the fix, and
        ``request_id``; ``client.answer`` for an answer that isn't wholeroad's.
    UnreachableError
        ``client.unreachable``, by every call: no answer in all tries. Send the same again later.
    UserError
        ``client.use``: what can't be sent.

    Examples
    --------
    >>> client = Client("http://127.0.0.1:8000", "wr_...")
    >>> client.decide({"parcel_id": 7, "weight_kg": 2.5}).action  # doctest: +SKIP
    'express'
    >>> client.close()
    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        *,
        timeout_s: float = 10.0,
        retries: int = 5,
        wait_s: float = 0.1,
    ) -> None:
        import httpx

        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            happened = f"the address was {address[:80]!r}"
            raise bad_use(
                happened,
                expected="an address that begins with http:// or https://",
                fix="give the one that wholeroad up prints",
            )
        headers = {"User-Agent": "wholeroad"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._address = address.rstrip("/")
        self._retries = retries
        self._first_s = wait_s
        # Without TLS there is no certificate to check, and loading the system's is slow; a proxy of the
        # environment is for the way out, not for this machine.
        self._http = httpx.Client(
            verify=parts.scheme == "https",
            headers=headers,
            timeout=timeout_s,
            trust_env=parts.hostname not in _HOME,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        """Give the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def rows(self, source: str, rows: Iterable[Row] | pl.DataFrame) -> RowsAnswer:
        """Send rows of a source, in as many requests as it takes; each row is answered.

        Parameters
        ----------
        rows
            Dictionaries, or a Polars frame, which goes as Arrow and is several times faster.

        Examples
        --------
        >>> client.rows("parcels", [{"parcel_id": 7, "weight_kg": 2.5}]).counts  # doctest: +SKIP
        {'landed': 1}
        """
        return self._land(f"/v1/rows/{quote(source, safe='')}", rows, source=source)

    def outcomes(self, rows: Iterable[Row] | pl.DataFrame) -> RowsAnswer:
        """Send outcomes: late, corrected, or of cases that aren't known yet; each row is answered.

        Examples
        --------
        >>> client.outcomes([{"parcel_id": 7, "delay_h": 30}]).rows[0].case  # doctest: +SKIP
        'matched'
        """
        return self._land("/v1/outcomes", rows, source="outcomes")

    @overload
    def decide(self, cases: Mapping[str, Any], *, features: bool = False) -> CaseAnswer: ...
    @overload
    def decide(self, cases: Iterable[Row] | pl.DataFrame, *, features: bool = False) -> list[CaseAnswer]: ...
    def decide(
        self, cases: Row | Iterable[Row] | pl.DataFrame, *, features: bool = False
    ) -> CaseAnswer | list[CaseAnswer]:
        """Have a case decided, or several: what to do, what is expected of it, who says so.

        A case that was decided before gets that decision. One that isn't due yet is ``accepted``. A single
        one that can't be taken is raised (``request.conflict``: it is known with other content); among
        several, its own answer says so.

        Parameters
        ----------
        cases
            One case as a dictionary, or several: then a list comes back, in their order. Several of one call
            don't see each other.
        features
            Whether the answers tell what was known of the case.

        Examples
        --------
        >>> client.decide({"parcel_id": 7, "weight_kg": 2.5}).expected_value  # doctest: +SKIP
        3.2
        >>> [each.status for each in client.decide(cases)]  # doctest: +SKIP
        ['decided', 'accepted']
        """
        if isinstance(cases, Mapping):
            body = msgspec.json.encode({"case": msgspec.Raw(encoded(cases)), "features": features})
            return self._ask("POST", "/v1/decisions", CaseAnswer, body=body)
        found: list[CaseAnswer] = []
        for group in of_cases(_listed(cases), most=MOST_CASES):
            body = msgspec.json.encode({"cases": group, "features": features})
            found += self._ask("POST", "/v1/decisions", _Decisions, body=body).cases
        return found

    def decision(self, decision_id: str) -> CaseAnswer:
        """Give a decision, or what is known of a case that waits."""
        return self._ask("GET", f"/v1/decisions/{quote(decision_id, safe='')}", CaseAnswer)

    def models(self) -> list[ModelLine]:
        """Give the fits so far, the newest first."""
        return self._ask("GET", "/v1/models", _Models).models

    def status(self) -> StatusAnswer:
        """Say how the service stands."""
        return self._ask("GET", "/v1/status", StatusAnswer)

    def ledger(self, after: int = 0) -> Iterator[LedgerLine]:
        """Give the facts after a number, in order, up to the newest; they are fetched as they are read.

        Examples
        --------
        >>> [line.fact for line in client.ledger(after=120)]  # doctest: +SKIP
        """
        following: int | None = after
        while following is not None:
            page = self._ask("GET", f"/v1/ledger?after={following}&most={_PAGE}", _Ledger)
            yield from page.facts
            following = page.next

    def _land(self, path: str, rows: Iterable[Row] | pl.DataFrame, *, source: str) -> RowsAnswer:
        if _is_frame(rows):
            bodies, media = of_frame(rows), ARROW  # type: ignore[arg-type]
        else:
            bodies, media = of_rows(rows), NDJSON  # type: ignore[arg-type]
        answer: RowsAnswer | None = None
        for body in bodies:
            part = self._ask("POST", path, RowsAnswer, body=body, media=media)
            before = [] if answer is None else answer.rows
            before += part.rows
            answer = RowsAnswer(part.source, part.landed_at, before)
        if answer is None:
            happened = f"no row of {source} was sent"
            raise bad_use(happened, expected="at least one row", fix="send a row, or nothing")
        return answer

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[Told],
        *,
        body: bytes = b"",
        media: str = "application/json",
    ) -> Told:
        """Ask until there is an answer, and read it as what it should be."""
        import httpx

        tries: list[str] = []
        headers = {"Content-Type": media} if body else {}
        while True:
            asked = None
            try:
                answer = self._http.request(method, f"{self._address}{path}", content=body, headers=headers)
            except (httpx.TransportError, httpx.DecodingError) as error:
                tries.append(str(error) or type(error).__name__)
            else:
                if answer.status_code not in LATER:
                    return _read(answer, kind)
                asked = answer.headers.get("Retry-After")
                tries.append(f"its answer was {answer.status_code}")
            if len(tries) > self._retries:
                raise unreachable(self._address, tries)
            wait = wait_s(len(tries), first_s=self._first_s, asked=asked, about=body or path.encode())
            time.sleep(wait)  # noqa: TID251 - the client is a program of its own, not a part of the engine


class _Decisions(msgspec.Struct):
    cases: list[CaseAnswer]


class _Models(msgspec.Struct):
    models: list[ModelLine]


class _Ledger(msgspec.Struct):
    facts: list[LedgerLine]
    next: int | None = None


def _read(answer: httpx.Response, kind: type[Told]) -> Told:
    request_id = answer.headers.get("X-Request-Id", "")
    if not answer.is_success:
        raise refusal(answer.status_code, answer.content, request_id=request_id)
    return understood(answer.content, kind, status=answer.status_code, request_id=request_id)


def _is_frame(rows: object) -> bool:
    return hasattr(rows, "write_ipc_stream") and hasattr(rows, "iter_slices")


def _listed(cases: Any) -> list[Row]:  # noqa: ANN401 (rows, or a frame)
    return cases.to_dicts() if _is_frame(cases) else list(cases)
