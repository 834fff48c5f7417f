"""What can become true of reviews."""

from __future__ import annotations

from wholeroad.core.facts import Fact


class ReviewAsked(Fact, frozen=True, kw_only=True):
    """A review file was written.

    Attributes
    ----------
    review
        Its number, from 1.
    policy
        Whose decisions, probabilities and actions were looked at.
    cases
        That were judged: decided by a model, with a known outcome, not reviewed before.
    suspects
        That were found among them.
    shown, drawn
        Suspects in the file, and cases drawn from all the others by chance.
    digest
        Of the file's items.
    """

    review: int
    policy: str
    cases: int
    suspects: int
    shown: int
    drawn: int
    digest: str


class VerdictsRead(Fact, frozen=True, kw_only=True):
    """A review file came back: ``rows_in == count + repeated + empty``.

    Attributes
    ----------
    rows_in
        Rows of the file.
    count
        New verdicts, those that say *unsure* included.
    repeated
        Verdicts that were there already.
    empty
        Rows without a verdict.
    cases, people
        How many different ones the new verdicts are about and from.
    digest
        Of the new verdicts.
    """

    rows_in: int
    count: int
    repeated: int
    empty: int
    cases: int
    people: int
    digest: str
