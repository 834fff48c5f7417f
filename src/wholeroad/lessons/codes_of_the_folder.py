"""What the codes mean that speak of the folder, rehearsals and commands."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry

ENTRIES: Final = (
    Entry(
        "rehearse.no-time",
        "Without times nothing can be rehearsed.",
        "Give cases and outcomes their times; until then there is cross-validation.",
        "without-time",
    ),
    Entry(
        "cli.answer",
        "An answer on the command line can't be read.",
        "Write it as --answer 'outcome: returned = yes'.",
        "assumption",
    ),
    Entry(
        "cli.no-terminal",
        "The command has questions, and nobody is there to answer.",
        "Add --yes, or an --answer to each.",
        "assumption",
    ),
    Entry(
        "cli.out",
        "The file for the answers has an ending that isn't known, or its folder isn't there.",
        "Let it end in .parquet or .csv, and make its folder.",
        "files",
    ),
    Entry(
        "live.brief-changed",
        "The brief was changed while a run was cut short.",
        "Put the former brief back, run the cycle once, then change it.",
        "live-run",
    ),
    Entry("live.never-ran", "Nothing has been decided live yet.", "Run wholeroad cycle.", "live-run"),
    Entry(
        "live.other-actions",
        "Actions were taken that the brief doesn't name any more.",
        "Keep them in [value], with what they are worth.",
        "live-run",
    ),
    Entry(
        "live.other-columns",
        "A changed brief would give the table of decisions other columns.",
        "Put the key, the classes and [policy.no_action] back, or begin in a new folder.",
        "live-run",
    ),
    Entry(
        "live.replay-differs",
        "The record isn't what its rehearsal comes to.",
        "Find out which code, package or file was changed since.",
        "live-run",
    ),
    Entry(
        "live.several-briefs",
        "The brief was changed between runs, so they can't be replayed under one.",
        "Rehearse what each brief would have done.",
        "live-run",
    ),
    Entry(
        "settings.missing",
        "The file with your settings isn't there.",
        "Write it, or unset the variable that names it.",
        "settings",
    ),
    Entry(
        "settings.unreadable",
        "The file with your settings can't be read.",
        "Mend the line; texts stand in quotes.",
        "settings",
    ),
    Entry(
        "start.answer",
        "The answer doesn't fit the question.",
        "Answer again; an empty answer takes the guess.",
        "assumption",
    ),
    Entry(
        "start.brief-there",
        "There is a brief already, and what somebody wrote isn't overwritten.",
        "Name another folder, or delete the brief.",
        "brief",
    ),
    Entry(
        "start.no-key",
        "No column, and no two or three together, name a row.",
        "Add a column that counts the rows, or name the columns with --answer 'key: shop, day'.",
        "brief",
    ),
    Entry(
        "start.no-outcome",
        "No column looks like an outcome.",
        "Name it and the value to catch, as in --answer 'outcome: status = lost'.",
        "brief",
    ),
    Entry(
        "project.format",
        "The folder was written by a newer version.",
        "Install a newer wholeroad.",
        "storage",
    ),
    Entry(
        "project.locked",
        "Another command is writing to this project.",
        "Wait until it ends; nothing was changed.",
        "storage",
    ),
    Entry(
        "project.lock-broken",
        "The lock's file is damaged; there is nothing of yours in it.",
        "Delete it, and give the same command again.",
        "storage",
    ),
    Entry(
        "project.unusable",
        "The system refuses a file or a folder.",
        "Mend its rights, free space, and give the same command again.",
        "storage",
    ),
    Entry(
        "ledger.broken",
        "The ledger can't be read.",
        "Restore it from a backup, or follow the message.",
        "storage",
    ),
    Entry(
        "ledger.busy", "Another process is writing to the ledger.", "Try again when it has ended.", "storage"
    ),
    Entry("tables.bad-name", "A table's name has letters that a folder can't.", "Rename it.", "storage"),
    Entry(
        "tables.broken",
        "A table on disk is damaged.",
        "Restore the folder, or land the source again.",
        "storage",
    ),
    Entry(
        "tables.busy",
        "Other writers came first, several times.",
        "Try again when the other command has ended.",
        "storage",
    ),
    Entry(
        "tables.column-type",
        "A column is of a type that tables don't keep.",
        "Cast it before writing.",
        "storage",
    ),
    Entry("tables.missing", "A table isn't there yet.", "Run the command that fills it.", "storage"),
    Entry(
        "tables.schema-mismatch",
        "Rows don't fit the table's columns, which its first rows fixed.",
        "Cast them, or begin a new table.",
        "storage",
    ),
    Entry("blobs.bad-key", "A key for a stored file isn't one.", "Use a digest.", "stored-model"),
    Entry("rehearse.date", "A bound of the rehearsal is no date.", "Write it as 2013-03-01.", "rehearsal"),
    Entry(
        "rehearse.span",
        "The rehearsal would end before it begins.",
        "Exchange the bounds, or leave one out.",
        "rehearsal",
    ),
    Entry(
        "rehearse.name",
        "The rehearsal's name can't be a folder's.",
        "Use a letter, then letters, digits, - and _.",
        "rehearsal",
    ),
    Entry(
        "rehearse.name-taken",
        "A rehearsal of this name was begun with other inputs.",
        "Choose another name, or delete that folder.",
        "rehearsal",
    ),
    Entry(
        "rehearse.not-run",
        "This policy wasn't rehearsed.",
        "Name one that was, or rehearse it too.",
        "rehearsal",
    ),
    Entry(
        "rehearse.tables",
        "A rehearsal's decisions are gone or damaged.",
        "Delete its folder, and run it again.",
        "storage",
    ),
    Entry(
        "rehearse.too-short",
        "No case is left to decide after the first fit.",
        "Shorten first, move the bounds, or land more history.",
        "rehearsal",
    ),
    Entry("cli.date", "An option is no date.", "Write it as 2013-03-01.", "rehearsal"),
    Entry(
        "cli.stopped",
        "You stopped the command; what was done is kept.",
        "Give the same command again; it goes on.",
        "storage",
    ),
    Entry(
        "explain.key-length",
        "A case is named by more or fewer values than its key has.",
        "Give one value for each column of the key.",
        "key",
    ),
    Entry(
        "explain.no-fit",
        "No fit has given an answer yet, so there is none to explain.",
        "See wholeroad status for when the first is due.",
        "live-run",
    ),
    Entry(
        "explain.not-decided",
        "The case wasn't decided here.",
        "Run wholeroad cycle; what was due before the first run is history.",
        "live-run",
    ),
    Entry("explain.unknown-case", "No case has this key.", "Write it as the table of decisions does.", "key"),
    Entry(
        "explain.unknown-model",
        "No model has this name.",
        "Name one of those that are listed.",
        "stored-model",
    ),
    Entry(
        "explain.unknown-code",
        "Nothing is known under this code.",
        "Take one of those that are near, or list all with wholeroad explain.",
        "brief",
    ),
)
