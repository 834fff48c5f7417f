"""Lessons and codes about asking a service: who may, and what is safe to ask twice."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry, Lesson

LESSONS: Final = (
    Lesson(
        code="token",
        theme="planning",
        title="A token: who may ask the service for what",
        what="""A token is a long random text that a program sends with each request. Its role says what it
        may: a sender brings rows, cases and outcomes, a reviewer reads, an owner does everything. Only its
        digest is kept, so that nobody who reads the project's folder can use it.""",
        number="the tokens in force, with their roles",
        reading="Each program has a token of its own, so that one can be revoked and the others go on.",
        fooling="""A token in a script, a log or a repository is everybody's; and over plain HTTP beyond this
        machine, so is every token that is sent.""",
        doing="Make one for each program, keep it with other secrets, and revoke what others have seen.",
        command="wholeroad token make --role sender --name shop",
        nothing="While the service listens on this machine alone, for its owner.",
        source="RFC 6750, sections 2.1 and 5",
        expert="""256 random bits, kept as a plain SHA-256: salt and stretching protect guessable secrets, and
        this is none. Compared in constant time; revocation is seen within a second.""",
    ),
    Lesson(
        code="repeating",
        theme="planning",
        title="Asking twice: why a lost answer costs nothing",
        what="""An answer can be lost after its request was carried out, and whoever asked can't tell. Rows
        are known by their key and content, cases by their key. So the same request may be sent again: what is
        there already lands once, and a case gets its first decision.""",
        number="how often a request was tried, and what went wrong each time",
        reading="An error after several tries says that the service is away; what was sent may be in it.",
        fooling="""A case that is sent again with other content is a conflict: only the same request is safe
        to repeat.""",
        doing="Send the same request again, or let wholeroad.Client do it.",
        nothing="When the client has tried again by itself and an answer came.",
        source="RFC 9110, section 9.2.2",
        expert="""At-least-once delivery onto idempotent keys is exactly-once in effect; back-off is
        exponential, with jitter from a hash of the request, so that clients don't come back together.""",
    ),
)
ENTRIES: Final = (
    Entry(
        "client.answer",
        "Something answered that isn't this service, or only in part.",
        "Look whether the address is right, and what stands between: a proxy, an older version.",
        "repeating",
    ),
    Entry(
        "client.unreachable",
        "The service gave no answer in all tries, or said each time that it has no time.",
        "Look whether it runs, then send the same again: what it took is taken once.",
        "repeating",
    ),
    Entry(
        "client.use",
        "The client was given what can't be sent: an address, a row or a value.",
        "Give rows as dictionaries of plain values, or as a Polars frame.",
        "repeating",
    ),
    Entry(
        "tokens.name",
        "A token was to have a name that can't be written down as one.",
        "Take up to 64 letters, digits, spaces and . _ @ -.",
        "token",
    ),
    Entry(
        "tokens.name-taken",
        "A token of this name is in force already.",
        "Choose another name, or revoke the former token.",
        "token",
    ),
    Entry(
        "tokens.role",
        "A token was to have a role that there isn't.",
        "Take sender, reviewer or owner.",
        "token",
    ),
    Entry(
        "tokens.unknown",
        "No token has this name or id.",
        "Look it up with wholeroad token list.",
        "token",
    ),
    Entry(
        "tokens.unreadable",
        "The file of tokens was changed by another hand, or by a newer version.",
        "Restore .wholeroad/tokens.json, or delete it and make the tokens again.",
        "token",
    ),
)
