"""What can become true of decisions and their money."""

from __future__ import annotations

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant


class SpanDecided(Fact, frozen=True, kw_only=True):
    """The cases of a span were decided and sealed in the table of decisions.

    Attributes
    ----------
    at, until_at
        Cases decided in ``[at, until_at)``.
    count
        Their number.
    digest
        Of the decisions: keys, probabilities, actions.
    """

    until_at: Instant
    decider: str
    model: str | None
    count: int
    digest: str


class Settled(Fact, frozen=True, kw_only=True):
    """Outcomes became known since the last cycle, and moved the value line.

    Attributes
    ----------
    settled
        Cases that have money now and had none before, less those that lost it.
    restated
        Cases whose money was changed by a corrected outcome.
    unknown
        Cases whose outcome came without telling the truth, less those mended.
    value
        Change of the settled money, in the brief's unit; fits' costs are not in it.
    """

    settled: int
    restated: int
    unknown: int
    value: float


class LimitsWatched(Fact, frozen=True, kw_only=True):
    """The limits of ``[fairness]`` were looked at on what models have decided.

    Attributes
    ----------
    model
        Digest of the model in charge.
    since_at
        Since when models have decided, one after another under one brief: what is looked at.
    look
        The number of the look since then, from 1; intervals hold for all of them together.
    cases, settled
        Decided since, and those of them with a typical outcome: older than the brief's ``matures``.
    standings
        By limit: ``holds``, ``open`` or ``breached``.
    says
        Of each limit that is breached, the figures in a sentence.
    """

    model: str
    since_at: Instant
    look: int
    cases: int
    settled: int
    standings: dict[str, str]
    says: dict[str, str]

    @property
    def breached(self) -> tuple[str, ...]:
        """The limits that are clearly breached."""
        return tuple(limit for limit, standing in self.standings.items() if standing == "breached")
