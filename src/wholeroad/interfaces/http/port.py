"""What the pages and routes of the service ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.engine.service.messages import (
    Answer,
    CaseAnswer,
    Command,
    Measured,
    ModelLine,
    StatusAnswer,
)
from wholeroad.road.brief.contract import Brief
from wholeroad.road.model.scoring import Model


class Service(Protocol):
    """A project in service; made by ``wholeroad.serving``.

    Attributes
    ----------
    brief
        In force.
    schemas
        By source: its own columns with their types; a source without any row yet is not in it.
    """

    @property
    def brief(self) -> Brief:
        """See above."""

    @property
    def schemas(self) -> Mapping[str, pl.Schema]:
        """See above."""

    def now(self) -> Instant:
        """Give the present by the project's clock."""

    async def submit(self, command: Command) -> Answer:
        """Hand a command in, and wait until what it comes to is durable.

        Raises
        ------
        UserError
            ``brief.unknown-source`` and what landing raises of the whole command; nothing of it landed.
        TryLaterError
            ``service.draining``, ``service.full``.
        """

    def ask(self, command: Command, done: Callable[[Answer | Exception], None]) -> None:
        """Hand a command in; ``done`` is told what it comes to, once that is durable, or what went wrong.

        It is called once, by the event loop, after this has returned. All that became durable together is
        told in one pass of the loop.

        Raises
        ------
        TryLaterError
            As :meth:`submit`; then ``done`` isn't called.
        """

    async def decision(self, decision_id: str) -> CaseAnswer | None:
        """Give a decision, or what is known of a case that waits; None for an unknown one."""

    async def models(self) -> list[ModelLine]:
        """Give the fits so far, the newest first."""

    async def ledger(self, after: int, most: int) -> list[tuple[int, bytes]]:
        """Give facts of the ledger in their canonical encoding, with their numbers."""

    def status(self) -> StatusAnswer:
        """Say how the service stands."""

    def measured(self) -> Measured:
        """Give the counters."""

    def not_ready(self) -> str:
        """Say why no case can be decided now; empty when all is well."""

    def champion(self) -> tuple[str, Model, pl.Schema] | None:
        """Give the digest of the model in charge, the model, and the types of its features."""

    async def cancel_fit(self) -> bool:
        """Stop the fit that is being made; its end is a fact at the next cycle."""
