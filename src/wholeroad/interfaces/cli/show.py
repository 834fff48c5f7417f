"""What the commands print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wholeroad.engine.comparing import CARDS
from wholeroad.interfaces.cli.operation import show_held
from wholeroad.interfaces.cli.watching import tasks
from wholeroad.interfaces.report.amounts import count
from wholeroad.interfaces.report.terminal import report
from wholeroad.interfaces.report.words import refusals
from wholeroad.interfaces.report.writing import write_page
from wholeroad.road.data.facts import BatchLanded, SourceHeld

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from wholeroad.engine.rehearsed import Rehearsed
    from wholeroad.road.brief.assumptions import Assumption
    from wholeroad.road.data.rules import Finding

_STYLES = {"fault": "bold red", "warning": "yellow", "note": "cyan"}


def show_landed(
    console: Console, delivered: Sequence[BatchLanded | SourceHeld], *, quarantine: pl.DataFrame
) -> None:
    """Print what landing came to, what was held back, and why rows were set aside."""
    facts = [fact for fact in delivered if isinstance(fact, BatchLanded)]
    show_held(console, [fact for fact in delivered if isinstance(fact, SourceHeld)])
    if not delivered:
        console.print("Nothing new: every file has landed already.")
    elif facts:
        table = Table("source", "rows in", "landed", "repeated", "set aside", "gone", title="Landed")
        for fact in facts:
            counts = (fact.rows_in, fact.landed, fact.repeated, fact.quarantined, fact.deleted)
            table.add_row(fact.source, *(f"{number:,}" for number in counts))
        console.print(table)
    for fact in facts:
        if fact.mended:
            steps = ", ".join(f"{step} ({count(rows, 'row')})" for step, rows in fact.mended.items())
            _hanging(console, f"{fact.source}: mended: {steps}.")
        if fact.broken:
            clauses = ", ".join(f"{clause} ({count(rows, 'row')})" for clause, rows in fact.broken.items())
            _hanging(console, f"{fact.source}: broken clauses of its contract: {clauses}.")
        if fact.ignored:
            were = "column was" if len(fact.ignored) == 1 else "columns were"
            columns = ", ".join(fact.ignored)
            _hanging(console, f"{fact.source}: {len(fact.ignored)} {were} ignored: {columns}.")
    if quarantine.height:
        kinds = quarantine.unique(["source", "code"], keep="first", maintain_order=True)
        are = "is" if quarantine.height == 1 else "are"
        first = "" if quarantine.height == 1 else "; the first of each kind"
        console.print(f"{count(quarantine.height, 'row')} {are} in the quarantine{first}:")
        for row in kinds.iter_rows(named=True):
            where = f"{row['source']}, row {row['row_number']}"
            _hanging(console, f"{where}: {row['reason']}  [{row['code']}]")


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print what the check found, the gravest first."""
    if not findings:
        console.print("The check found nothing to mend.")
        return
    for finding in findings:
        console.print(
            Text.assemble(
                (f"{finding.level}: ", _STYLES[finding.level]), (finding.where, "bold"), f"  [{finding.code}]"
            )
        )
        _hanging(console, finding.happened)
        _hanging(console, f"why it matters: {finding.why_it_matters}")
        _hanging(console, f"fix: {finding.fix}")
    levels = Counter(str(finding.level) for finding in findings)
    console.print(", ".join(count(levels[level], level) for level in _STYLES if levels[level]))


def show_rehearsed(console: Console, rehearsed: Rehearsed) -> None:
    """Print the verdict, the table and what the check found; write the page, and say where things lie."""
    with tasks() as progress:
        progress("writing the page", 0, 0)
        page = write_page(rehearsed)
        progress("writing the page", 1, 1)
    depends = rehearsed.brief.outcome.depends_on_action
    refused = refusals(rehearsed.compared)
    console.print(report(rehearsed.comparison, depends_on_action=depends, refused=refused))
    console.print()
    if rehearsed.assumptions:
        console.print(
            f"The brief assumes {count(len(rehearsed.assumptions), 'thing')} that nobody has confirmed;"
            " wholeroad check lists them.\n"
        )
    show_doubts(console, rehearsed.findings)
    lying = {"The page": page, "The model cards": rehearsed.folder / CARDS, "The folder": rehearsed.folder}
    for name, place in lying.items():
        if place.exists():
            console.print(Text(f"{name + ':':<17}{place}"), soft_wrap=True)


def show_assumptions(console: Console, assumptions: Sequence[Assumption]) -> None:
    """Print what nobody has confirmed of the brief."""
    if not assumptions:
        return
    console.print(f"The brief assumes {count(len(assumptions), 'thing')} that nobody has confirmed:")
    for one in assumptions:
        _hanging(console, str(one))
    console.print("Delete the mark # assumed behind a line to confirm it.\n")


def show_doubts(console: Console, findings: Sequence[Finding]) -> None:
    """Print faults and warnings, a line each; notes are left to ``check``."""
    grave = [finding for finding in findings if finding.level != "note"]
    if not grave:
        return
    lines = Table.grid(padding=(0, 1, 0, 0))
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    for finding in grave:
        lines.add_row(
            Text(f"{finding.level}:", style=_STYLES[finding.level]),
            Text(f"{finding.where}: {finding.happened}  [{finding.code}]"),
        )
    console.print(lines)
    console.print("What that means, and how to mend it: wholeroad check\n")


def _hanging(console: Console, text: str) -> None:
    """Print a text two columns in, continued lines too."""
    console.print(Padding(Text(text), (0, 0, 0, 2)))
