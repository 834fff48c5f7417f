"""What the codes mean that speak of the brief."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry

ENTRIES: Final = (
    Entry(
        "brief.absent",
        "There is no brief.toml in the folder that was named.",
        "Name the project's folder, or make a brief with wholeroad start.",
        "brief",
    ),
    Entry(
        "brief.actions",
        "Actions are named twice: in a list and by the value table.",
        "Leave actions out where the table names them.",
        "value-table",
    ),
    Entry(
        "brief.capacity",
        "The capacity doesn't fit the other values.",
        "Read what was expected; amounts have no capacity.",
        "capacity",
    ),
    Entry(
        "brief.classes",
        "The classes of the outcome don't fit its kind.",
        "Name each once, two for a binary outcome, none for a number.",
        "brief",
    ),
    Entry(
        "brief.dates",
        "How dates are written can't be used.",
        "Write it with a day, a month and a year, as in %d/%m/%Y.",
        "files",
    ),
    Entry("brief.encoding", "The brief isn't UTF-8 text.", "Save it as UTF-8.", "brief"),
    Entry(
        "brief.format", "The brief was written for a newer version.", "Install a newer wholeroad.", "brief"
    ),
    Entry(
        "brief.formula",
        "The formula leaves out the action or the outcome.",
        "Write both into it, as in price * least(action, outcome) - cost * action.",
        "newsvendor",
    ),
    Entry(
        "brief.if-never",
        "What silence means is no number, and the outcome is one.",
        "Write drop, or a number.",
        "check.silent-outcomes",
    ),
    Entry(
        "brief.incumbent-empty",
        "A running system is named without its score or its action.",
        "Give one of them.",
        "incumbent",
    ),
    Entry(
        "brief.incumbent-propensity",
        "A propensity stands without the action that it belongs to.",
        "Give the action too.",
        "propensity-weighting",
    ),
    Entry(
        "brief.incumbent-score",
        "A score is given, and no class is named that it speaks of.",
        "Name positive, or give the action.",
        "incumbent",
    ),
    Entry(
        "brief.incumbent-static",
        "The running system's log has no time.",
        "Give it happened_at and known_at.",
        "incumbent",
    ),
    Entry(
        "brief.key-length",
        "The columns that lead to the case are more or fewer than its key has.",
        "Name one for each of the key's columns, in their order.",
        "key",
    ),
    Entry(
        "brief.key-type",
        "The columns that join outcomes to cases are of different types.",
        "Read both with the same type.",
        "key",
    ),
    Entry("brief.latest-static", "Latest looks at a source without time.", "Use lookup.", "hindsight"),
    Entry(
        "brief.lookup-key",
        "A look-up doesn't use the whole key of its source.",
        "Name every column of the key.",
        "feature-forms",
    ),
    Entry(
        "brief.lookup-timed",
        "A look-up reads a source that has times.",
        "Use latest, which looks no further than the decision.",
        "hindsight",
    ),
    Entry(
        "brief.missing",
        "A setting or a table that is needed isn't there.",
        "Add it, as the message shows.",
        "brief",
    ),
    Entry(
        "brief.needs-time",
        "Something needs to know when, and the cases have no time.",
        "Use columns, expressions and look-ups, or give the cases times.",
        "without-time",
    ),
    Entry(
        "brief.never-after",
        "Silence means a class, and nobody says after which span.",
        "Write never_after.",
        "check.silent-outcomes",
    ),
    Entry(
        "brief.no-incumbent",
        "The policy speaks of a running system that the brief doesn't know.",
        "Say in [incumbent] where its log is.",
        "incumbent",
    ),
    Entry(
        "brief.one-action",
        "Only one action is named, so there is nothing to decide.",
        "Name another one; doing nothing is an action too.",
        "value-table",
    ),
    Entry(
        "brief.policy-later",
        "This kind of policy isn't built yet.",
        "Compare spans instead: never, every 30d, every 60d.",
        "rehearsal",
    ),
    Entry(
        "brief.policy",
        "A policy can't be read.",
        "Write never, every <span>, status quo, random <percent>% or always <action>.",
        "rehearsal",
    ),
    Entry(
        "brief.quantity",
        "The amounts leave no choice, or are too many.",
        "Change least, most or step.",
        "amounts",
    ),
    Entry(
        "brief.range",
        "A range has its ends the wrong way round.",
        "Write the lower end first.",
        "value-ranges",
    ),
    Entry(
        "brief.ratio",
        "What a miss costs can't be read.",
        "Write it as 5 false alarms, or 2 to 10 false alarms.",
        "miss-ratio",
    ),
    Entry("brief.reserved-name", "A name is taken by something built in.", "Choose another name.", "brief"),
    Entry(
        "brief.since-planned",
        "Since looks back, and was asked to look ahead.",
        "Use another form for what lies ahead.",
        "feature-forms",
    ),
    Entry(
        "brief.static-case",
        "The cases come from a source without time.",
        "Give the source its times; without them nothing can be rehearsed.",
        "without-time",
    ),
    Entry(
        "brief.static-outcome",
        "Nothing says when an outcome became known.",
        "Give the outcomes' source its times.",
        "without-time",
    ),
    Entry(
        "brief.static-window",
        "A window looks at a source without time.",
        "Use lookup, or give the source its times.",
        "hindsight",
    ),
    Entry(
        "brief.syntax",
        "The brief can't be read as TOML.",
        "Mend the line that is named; texts stand in quotes.",
        "brief",
    ),
    Entry(
        "brief.truth-class",
        "The truth can give a text that is no class.",
        "Correct the spelling, or add the class.",
        "check.truth-no-class",
    ),
    Entry(
        "brief.unknown-action",
        "An action is named that the value table doesn't have.",
        "Name one of the value table's actions.",
        "value-table",
    ),
    Entry(
        "brief.unknown-class",
        "A class is named that the outcome doesn't have.",
        "Name one of its classes, or add it.",
        "check.truth-no-class",
    ),
    Entry(
        "brief.unknown-column",
        "A column is named that the source doesn't have.",
        "Correct the name; the message lists the columns.",
        "brief",
    ),
    Entry(
        "brief.unknown-encoding",
        "There is no encoding of this name.",
        "Write utf-8, windows-1252 or another that is known.",
        "files",
    ),
    Entry(
        "brief.unknown-key",
        "A setting isn't known, so it would have been ignored.",
        "Correct the spelling, or leave it out.",
        "brief",
    ),
    Entry(
        "brief.unknown-source",
        "A source is named that the brief doesn't have.",
        "Correct the name, or add the source.",
        "brief",
    ),
    Entry(
        "brief.unknown-type",
        "A column is given a type that isn't known.",
        "Write text, integer, number, boolean or instant.",
        "files",
    ),
    Entry(
        "brief.value-form",
        "The values have a form that doesn't fit the kind of outcome.",
        "Give a formula and a quantity for a number, and a table for classes.",
        "value-table",
    ),
    Entry(
        "brief.value-missing",
        "An action has no value under some outcome.",
        "Give every pair its value; 0 is one.",
        "value-table",
    ),
    Entry(
        "brief.value-type",
        "A value is an expression that gives no number.",
        "Write an expression that gives a number.",
        "value-table",
    ),
    Entry("brief.value", "A setting has a value of the wrong kind.", "Write what was expected.", "brief"),
    Entry(
        "brief.window-not-planned",
        "A window looks ahead at rows that nobody knows beforehand.",
        "Look back, or say planned = true where it is so.",
        "feature-forms",
    ),
    Entry(
        "value.null",
        "An expression in the value table gives no number for some cases.",
        "Say what it is then, as in coalesce(price, 120).",
        "value-table",
    ),
    Entry(
        "value.status-quo",
        "The status quo names no action for some cases.",
        "Add an else, or coalesce(..., 'an action').",
        "status-quo",
    ),
)
