"""What can become true of models."""

from __future__ import annotations

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant


class FitAsked(Fact, frozen=True, kw_only=True):
    """A fit was asked for, on what was known at ``at``.

    Attributes
    ----------
    ready_at
        The model can enter at the first cycle from here on.
    costs
        In the brief's unit; paid when the fit gives a model.
    """

    ready_at: Instant
    costs: float


class ModelFitted(Fact, frozen=True, kw_only=True):
    """A fit came in and was assessed.

    Attributes
    ----------
    asked_at
        The instant of its cut.
    cut
        Digest of the logical rows that it learnt from.
    rows
        Their number.
    champion
        The chosen candidate; ``status quo`` means that no model was worth using.
    model
        Digest of the model file, None for the status quo.
    why
        The choice in one sentence.
    stopped
        The limits of ``[fairness]`` that keep the model from being put in charge.
    """

    asked_at: Instant
    cut: str
    rows: int
    champion: str
    model: str | None
    costs: float
    why: str
    stopped: tuple[str, ...] = ()


class FitRefused(Fact, frozen=True, kw_only=True):
    """A fit could not be made, for a reason in the data."""

    asked_at: Instant
    code: str
    happened: str
