"""What can become true of reviews."""

from __future__ import annotations

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant


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


class Appealed(Fact, frozen=True, kw_only=True):
    """Somebody contested a decision; a person has to answer.

    Attributes
    ----------
    number
        Of the appeal, from 1.
    key
        The case's key, as a JSON list of texts, which outlives any hash.
    action, decided_at, decided_by, model
        The decision, as the table of decisions has it.
    reason
        What was said against it.
    by
        Who contests it; empty where nobody is named.
    due_at
        By when an answer was promised then; None where the brief promised nothing.
    """

    number: int
    key: str
    action: str
    decided_at: Instant
    decided_by: str
    reason: str
    model: str | None = None
    by: str = ""
    due_at: Instant | None = None


class AppealAnswered(Fact, frozen=True, kw_only=True):
    """A person answered an appeal. The decision on the record stays as it was.

    Attributes
    ----------
    number
        Of the appeal.
    upheld
        Whether the person who appealed was found to be right.
    reason, by
        Why, and who answered.
    action
        What was done instead, once upheld; empty where nothing else was.
    label
        What the outcome is in truth, where it was looked up; it is a verdict, too. Empty elsewhere.
    """

    number: int
    upheld: bool
    reason: str
    by: str
    action: str = ""
    label: str = ""
