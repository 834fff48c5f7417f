"""A lesson on what the service takes and refuses, and what its codes mean."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry, Lesson

LESSONS: Final = (
    Lesson(
        code="request",
        theme="outcomes",
        title="A request that the service refuses",
        what="""Over HTTP the service takes exactly what its document describes, and refuses the rest before
        anything of it lands. A refused request changes nothing; of a request that is taken, each row has an
        answer of its own. So what was answered with success is what was meant.""",
        number="the status and the code of the answer, and the id under which the log has it",
        reading="""400 and 415: the body can't be read. 422: it can, and isn't right. 413 and 429: too much.
        409: the case was sent before with other content. 401, 403: who asks. 503: later. 500: our fault.""",
        fooling="""A row set aside is no refused request: the answer is 200 and the row's own status says
        quarantined. Who looks at the status line alone loses rows without an error.""",
        doing="Look at the answer's code, and at the document of this very service: GET /openapi.json.",
        nothing="When the code is service.busy and your client tries again by itself.",
        source="RFC 9110 (HTTP semantics), RFC 8259 and RFC 7493 (JSON, and JSON that means one thing)",
        expert="""Typed decoding into closed structures; no NaN, no duplicate names, scalars only in rows,
        integers beyond 64 bits become doubles. Limits on bytes, rows, columns, time and concurrency.""",
        needs=("quarantine",),
    ),
)

ENTRIES: Final = (
    Entry(
        "request.malformed-json",
        "The body isn't JSON, or not one row on each line.",
        "Let a JSON library write the body; it writes null for NaN if it is told to.",
        "request",
    ),
    Entry(
        "request.not-utf8",
        "The body holds bytes that no UTF-8 text has.",
        "Encode the body as UTF-8.",
        "request",
    ),
    Entry(
        "request.malformed-arrow",
        "The body isn't an Arrow IPC stream.",
        "Write it with pyarrow.ipc.new_stream or polars.DataFrame.write_ipc_stream.",
        "request",
    ),
    Entry(
        "request.compressed-arrow",
        "The Arrow stream is compressed, which can hide more than fits into the memory.",
        "Write it without compression.",
        "request",
    ),
    Entry(
        "request.column-kind",
        "A column of the Arrow stream is of a kind that no source has, such as a list.",
        "Leave the column out, or write it as text.",
        "request",
    ),
    Entry(
        "request.duplicate-key",
        "One object has a name twice, and readers differ in which of the two they take.",
        "Send each name once.",
        "request",
    ),
    Entry(
        "request.unknown-field",
        "The body has a field that the service doesn't know.",
        "Correct its name, or leave it out.",
        "request",
    ),
    Entry(
        "request.wrong-type",
        "A value of the body isn't of the type that belongs there.",
        "Compare the body with the document of the service.",
        "request",
    ),
    Entry(
        "request.number-range",
        "A number is beyond what a double holds.",
        "Send null where a number isn't known.",
        "request",
    ),
    Entry(
        "request.nothing-sent",
        "The body holds no case and no row, or both one case and several.",
        "Send case, cases, rows or outcomes, and at least one of them.",
        "request",
    ),
    Entry(
        "request.parameter",
        "A parameter of the address isn't right.",
        "Correct the parameter, or leave it out.",
        "request",
    ),
    Entry(
        "request.media-type",
        "The body comes in a form that isn't read at this address.",
        "Set Content-Type: application/json, and don't compress the body.",
        "request",
    ),
    Entry(
        "request.too-large",
        "The body, or the text in its rows, is larger than one request may be.",
        "Send the rows in several requests.",
        "request",
    ),
    Entry(
        "request.too-many-rows",
        "One request has more rows or cases than it may.",
        "Send them in several requests.",
        "request",
    ),
    Entry(
        "request.too-many-columns",
        "A row has more columns than any source.",
        "Send the columns that the brief names.",
        "request",
    ),
    Entry(
        "request.too-slow",
        "The body wasn't there in time, and nothing of it was taken.",
        "Send smaller requests, and send this one again.",
        "repeating",
    ),
    Entry(
        "request.conflict",
        "The case was sent before with other content; its first decision stands.",
        "Read the first decision; send a correction as a row of the case's source.",
        "repeating",
    ),
    Entry(
        "request.unknown-decision",
        "No case has this decision id.",
        "Send the case again: one that is known gets its first answer.",
        "repeating",
    ),
    Entry(
        "request.unknown-path",
        "The address leads to nothing.",
        "Look it up under GET /.",
        "request",
    ),
    Entry(
        "request.method",
        "The address is asked for by another method.",
        "Take the method that the answer's Allow header names.",
        "request",
    ),
    Entry(
        "request.malformed-http",
        "What came is no HTTP request.",
        "Let an HTTP library send it, and mind http and https.",
        "request",
    ),
    Entry(
        "request.head-too-large",
        "The request line and headers are too large.",
        "Send fewer or shorter headers.",
        "request",
    ),
    Entry(
        "access.no-token",
        "The request doesn't say who sends it.",
        "Send the header Authorization: Bearer TOKEN.",
        "token",
    ),
    Entry(
        "access.unknown-token",
        "The token isn't one of this project, or was revoked.",
        "Have the owner make a new one.",
        "token",
    ),
    Entry(
        "access.role",
        "The role of the token may not do what was asked for.",
        "Take a token of the right role.",
        "token",
    ),
    Entry(
        "service.busy",
        "More is asked at once than the service answers at once.",
        "Wait as long as Retry-After says, then send the request again.",
        "repeating",
    ),
    Entry(
        "service.not-ready",
        "The service runs and can't decide yet.",
        "Ask GET /health/ready again; its answer says what is missing.",
        "repeating",
    ),
    Entry(
        "service.fault",
        "The program made a fault while it answered.",
        "Look the request's id up in the log, and report what stands there.",
        "request",
    ),
    Entry(
        "service.exposed",
        "The service was to listen where others reach it, without tokens or in plain text.",
        "Make a token and give a certificate, say --behind-proxy, or listen on 127.0.0.1.",
        "token",
    ),
)
