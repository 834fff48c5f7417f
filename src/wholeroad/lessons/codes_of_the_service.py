"""What the codes mean that a running service says: of its address, its fits, its processes and its load."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry, Lesson

LESSONS: Final = (
    Lesson(
        code="beside",
        theme="models",
        title="Fits beside the service: why a failed fit is no outage",
        what="""A cycle asks for a fit, and a process of its own makes it while decisions go on. It enters at
        the first cycle after it is done, never in the middle. One that breaks off, or that somebody stops, is
        a line on the ledger: the model that was in charge goes on deciding.""",
        number="the fits that broke off since the start, as /metrics counts them",
        reading="""Each one costs the money that a newer model would have made until the next fit, and no
        decision. Before the first model, the status quo decides meanwhile.""",
        fooling="""A fit that fails each time for the same reason, such as too little memory, looks like a
        service in good health: it answers, by a model that grows old.""",
        doing="""Read why it failed (GET /v1/ledger, FitRefused), mend the cause, and leave the rest to the
        next cycle. To stop one that takes too long, ask for it.""",
        command="curl -X POST http://127.0.0.1:8000/v1/fits/cancel -H 'Authorization: Bearer TOKEN'",
        nothing="When a single fit failed, and the next one came in.",
        source="docs/reference/service.md",
        expert="""The fit's cut is what was known at the cycle that asked, whenever it ends; the refusal is
        recorded with its cycle, so that a replay takes it from the record.""",
    ),
)
ENTRIES: Final = (
    Entry(
        "fit.cancelled",
        "Somebody stopped a fit that was being made.",
        "Nothing: the model in charge goes on, and a later cycle asks again as the policy says.",
        "beside",
    ),
    Entry(
        "fit.failed",
        "A fit that was being made beside the service gave no answer.",
        "Read what happened on the ledger or in what the service printed; memory is the first suspect.",
        "beside",
    ),
    Entry(
        "service.address",
        "The service can't listen there: the port is taken, or the address isn't this machine's.",
        "Name another port with --port; 0 takes a free one.",
        "files",
    ),
    Entry(
        "service.case-conflict",
        "A case was sent whose key is known, with another row than the first time.",
        "Send a correction to the rows of the case's source, or give another case another key.",
        "repeating",
    ),
    Entry(
        "service.certificate",
        "The service was to serve by TLS with a certificate and a key that don't fit, or can't be read.",
        "Give the certificate, in PEM, and then its key, without a password.",
        "files",
    ),
    Entry(
        "service.clock-behind",
        "The machine's clock stands before the last instant that the service has written down.",
        "Set the clock right. Until it is there again what comes in counts as of that instant, and nothing "
        "falls due; if the folder was made with --at, go on with --at.",
        "files",
    ),
    Entry(
        "service.full",
        "More requests wait to be written down than the service lets wait.",
        "Send the same again in a second, with more rows in each request and fewer requests.",
        "repeating",
    ),
    Entry(
        "service.log-differs",
        "A fault of ours: what the hot log has can't be what the tables lead to.",
        "Keep a copy of the folder and report it: nothing in it was changed, nothing acknowledged lost.",
        "files",
    ),
    Entry(
        "service.not-sealed",
        "A fault of ours: a cycle was to be run before the decisions before it were sealed.",
        "Keep a copy of the folder, start the service again, and report it with the ledger.",
        "files",
    ),
    Entry(
        "service.office-died",
        "The process beside the service, which runs cycles and makes fits, ended amid its work.",
        "Nothing at first: it is begun again by itself. If it happens again, look for a lack of memory.",
        "beside",
    ),
    Entry(
        "service.other-plan",
        "A fault of ours: a decision was made under another plan than the ledger has for its instant.",
        "Keep a copy of the folder, and report it with the ledger and the hot log.",
        "files",
    ),
    Entry(
        "service.time-behind",
        "With --at, the service was to begin at an instant before rows or decisions that its folder has.",
        "Name a later instant, or copy brief and data into a new folder and begin there.",
        "files",
    ),
)
