"""``POST /v1/decisions``: the hot path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from wholeroad.engine.service.messages import Answer, CaseAnswer, Decide, DecisionsAnswer
from wholeroad.interfaces.http import answers, json_rows
from wholeroad.interfaces.http.exchange import JSON, Exchange, Load
from wholeroad.interfaces.http.media import media_of, no_parameters, refuse_media
from wholeroad.interfaces.http.port import Service
from wholeroad.interfaces.http.refusals import RequestError
from wholeroad.interfaces.http.settings import HttpSettings

PATH: Final = "/v1/decisions"
DECIDE: Final = f"POST {PATH}"

_MEDIA: Final = ("application/json",)
_NONE: Final[dict[str, Any]] = {}


class Deciding:
    """Answers cases.

    Parameters
    ----------
    service
        Decides.
    settings
        Limits.
    load
        What there is to do at this moment, shared with the other routes.
    """

    def __init__(self, service: Service, settings: HttpSettings, *, load: Load) -> None:
        self._service = service
        self._settings = settings
        self._load = load
        self._schema: pl.Schema | None = None
        self._words: Any = _NONE

    async def answer(self, exchange: Exchange) -> None:
        """Answer a request for decisions.

        Raises
        ------
        UserError
            Codes ``request.*``, and what the service refuses.
        """
        headers = exchange.headers
        if not is_plain(headers):
            refuse_media(media_of(headers), _MEDIA)
        if exchange.scope["query_string"]:
            no_parameters()
        command, single = self.read(await exchange.body(self._settings, self._load))
        answer = await self._service.submit(command)
        await exchange.answer(*self.told(answer, single=single, features=command.features))

    def read(self, body: bytes) -> tuple[Decide, bool]:
        """Read a body: what is asked of the service, and whether it is a single case.

        Raises
        ------
        RequestError
            Codes ``request.*``.
        """
        cases, single, features = json_rows.decisions(body, self._settings)
        return Decide(cases, features), single

    def told(self, answer: Answer, *, single: bool, features: bool) -> tuple[int, bytes]:
        """Give the status and the body of what the service answered.

        Raises
        ------
        RequestError
            ``request.conflict``, or what set a single case aside.
        """
        if not isinstance(answer, DecisionsAnswer):
            raise TypeError(type(answer).__name__)
        keys = self._key_words()
        seen = self._feature_words() if features else _NONE
        if not single:
            waits = all(each.status == "accepted" for each in answer.cases)
            return 202 if waits else 200, answers.case_lines(answer, keys=keys, features=seen)
        (case,) = answer.cases
        if case.status in {"conflict", "quarantined"}:
            raise refused(case)
        status = 202 if case.status == "accepted" else 200
        return status, answers.encode(answers.case_line(case, keys=keys, features=seen))

    def _key_words(self) -> Any:  # noqa: ANN401 (a private mapping of the answers)
        schema = self._service.schemas.get(self._service.brief.case.source)
        if schema is not self._schema:
            key = self._service.brief.source[self._service.brief.case.source].key
            self._words = answers.wording(
                {name: schema[name] for name in key if name in schema} if schema else None
            )
            self._schema = schema
        return self._words

    def _feature_words(self) -> Any:  # noqa: ANN401
        champion = self._service.champion()
        return answers.wording(champion[2]) if champion else _NONE


def is_plain(headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether a body comes as JSON and nothing else has to be looked at."""
    return headers.get(b"content-type") == JSON and b"content-encoding" not in headers


def refused(case: CaseAnswer) -> RequestError:
    """Say why a single case wasn't taken: ``request.conflict``, or what set it aside."""
    if case.status == "conflict":
        return RequestError(
            "request.conflict",
            "The case is known with other content",
            status=409,
            happened=case.reason or "a case of this key was sent before, and not with these values",
            expected="the same case again, or a new key",
            fix=f"read the first: GET /v1/decisions/{case.decision_id}; a correction is a row of its source",
        )
    return RequestError(
        case.code or "request.wrong-type",
        "The case was set aside",
        status=422,
        happened=case.reason or "the row could not land",
        expected="a row as GET /openapi.json describes it",
        fix="mend the row, and send it again",
    )
