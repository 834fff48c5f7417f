"""What can become true of the brief."""

from __future__ import annotations

from wholeroad.core.facts import Fact


class BriefRead(Fact, frozen=True, kw_only=True):
    """A brief came into force.

    Attributes
    ----------
    digest
        Of its canonical form: comments and layout don't change it.
    learns
        Of the part that models learn by: case, outcome, sources, features.
    """

    name: str
    digest: str
    learns: str = ""
