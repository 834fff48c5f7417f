"""What the commands print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from wholeroad.interfaces.report.terminal import report
from wholeroad.interfaces.report.writing import write_page

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from wholeroad.engine.rehearsed import Rehearsed
    from wholeroad.road.data.facts import BatchLanded
    from wholeroad.road.data.rules import Finding

_STYLES = {"fault": "bold red", "warning": "yellow", "note": "cyan"}


def show_landed(console: Console, facts: Sequence[BatchLanded], *, quarantine: pl.DataFrame) -> None:
    """Print what landing came to, and why rows were set aside."""
    if not facts:
        console.print("Nothing new: every file has landed already.")
    else:
        table = Table("source", "rows in", "landed", "repeated", "set aside", "gone", title="Landed")
        for fact in facts:
            counts = (fact.rows_in, fact.landed, fact.repeated, fact.quarantined, fact.deleted)
            table.add_row(fact.source, *(f"{count:,}" for count in counts))
        console.print(table)
    if quarantine.height:
        console.print(f"{quarantine.height:,} rows are in the quarantine; the first of each kind:")
        kinds = quarantine.unique(["source", "code"], keep="first", maintain_order=True)
        for row in kinds.iter_rows(named=True):
            where = f"{row['source']}, row {row['row_number']}"
            console.print(Text(f"  {where}: {row['reason']}  [{row['code']}]"))


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print what the check found, the gravest first."""
    if not findings:
        console.print("The check found nothing to mend.")
        return
    for finding in findings:
        console.print(
            Text.assemble(
                (f"{finding.level}: ", _STYLES[finding.level]),
                (finding.where, "bold"),
                f"  [{finding.code}]\n  {finding.happened}\n  why it matters: {finding.why_it_matters}\n"
                f"  fix: {finding.fix}",
            )
        )
    levels = Counter(str(finding.level) for finding in findings)
    told = [f"{levels[level]} {level}{'s' * (levels[level] != 1)}" for level in _STYLES]
    console.print(", ".join(told))


def show_rehearsed(console: Console, rehearsed: Rehearsed) -> None:
    """Print the verdict and the table, write the page, and say where things lie."""
    page = write_page(rehearsed)
    console.print(report(rehearsed.comparison, depends_on_action=rehearsed.brief.outcome.depends_on_action))
    console.print(Text(f"The page:   {page}"))
    console.print(Text(f"The folder: {rehearsed.folder}"))
