"""From a call back to something to wait for."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable

from wholeroad.engine.service.messages import Answer

Done = Callable[[Answer | Exception], None]
"""Told what a command comes to."""


def settle(future: Future[Answer], answer: Answer | Exception) -> None:
    """Give a future its answer or its error, unless nobody waits for it any more."""
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
