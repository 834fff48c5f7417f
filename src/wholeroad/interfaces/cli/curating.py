"""What the commands print about contracts, mends, the quarantine and batches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wholeroad.core.errors import unusable
from wholeroad.interfaces.report.amounts import amount, between, count

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from wholeroad.engine.mended import Mended
    from wholeroad.engine.variants import Difference
    from wholeroad.road.brief.source_contract import ContractTable

_SHOWN = 12


def show_contract(
    console: Console, source: str, *, broken: Mapping[str, int], quarantine: pl.DataFrame
) -> None:
    """Print how what landed keeps the contract that the brief states, and what it kept from landing."""
    rows = {clause: number for clause, number in broken.items() if number}
    if rows:
        console.print(Text(f"Landed rows of {source} that break its contract:", style="bold"))
    else:
        console.print(Text(f"Every landed row of {source} keeps its contract."))
    for clause, number in rows.items():
        _item(console, f"{clause}: {count(number, 'row')}")
    aside = int(quarantine["code"].str.starts_with("contract.").sum())
    if aside:
        console.print(
            Text(f"Set aside for breaking it: {count(aside, 'row')}; wholeroad data quarantine {source}")
        )


def write_schema(console: Console, source: str, *, contract: ContractTable | None, to: Path) -> None:
    """Write a contract as a schema of pandera, and say what such a schema has no word for."""
    from wholeroad.adapters.pandera_schemas import to_pandera

    if contract is None:
        return
    exported = to_pandera(contract, name=source)
    try:
        to.write_text(exported.text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise unusable(to, str(error)) from error
    console.print(Text(f"Wrote {to}."), soft_wrap=True)
    if exported.unsaid:
        console.print("A schema of pandera has no word for:")
        for each in exported.unsaid:
            _item(console, each)


def show_mended(console: Console, found: Mended, *, unit: str, tried: bool) -> None:
    """Print what a mend changes, from the rows to the money; and where it is only tried, how to keep it."""
    effect = found.effect
    console.print(Text(f"What the mend of {found.source} changes", style="bold"))
    _item(
        console,
        f"{effect.rows_changed:,} of {effect.rows_before:,} rows say something else; {effect.gone:,} gone, "
        f"{effect.come:,} new.",
    )
    for step, rows in effect.by_step.items():
        _item(console, f"step {step}: {count(rows, 'row')}")
    for code, rows in effect.set_aside.items():
        _item(console, f"set aside as {code}: {count(rows, 'row')}")
    for change in effect.columns[:_SHOWN]:
        first = change.examples[0] if change.examples else None
        shown = f", such as {_cell(first.before)} -> {_cell(first.after)}" if first else ""
        _item(console, f"column {change.column}: {count(change.rows, 'row')}{shown}")
    for feature in found.features[:_SHOWN]:
        _item(
            console,
            f"feature {feature.feature}: other in {feature.changed:,} of {feature.cases:,} cases"
            + (f"; {feature.nulls_gone:,} have a value now" if feature.nulls_gone else "")
            + (f"; {feature.nulls_come:,} have none any more" if feature.nulls_come else ""),
        )
    if not found.features:
        _item(console, "no feature of any case changes")
    if found.worth is None:
        console.print(Text(f"Not rehearsed: {found.why}", style="yellow"))
    else:
        console.print(Text(worth_in_words(found.worth, "the mend", unit=unit)))
    console.print("\nTo keep it, write this into brief.toml:" if tried else "\nAs the brief has it:")
    console.print(
        Text(found.steps.rstrip("\n"), style="cyan"), soft_wrap=True
    )  # to be copied: no line may be broken


def worth_in_words(worth: Difference, what: str, *, unit: str) -> str:
    """Say what a change of the data is worth, with its interval and what that rests on."""
    assumed = "" if worth.identified else "Not identified, since it assumes that acting changes no outcome: "
    value = worth.per_month.value
    size = f"{amount(abs(value))} {unit} a month {'more' if value > 0 else 'less'}" if value else "as much"
    said = (
        f"{assumed}rehearsed with {what} and without, on the same {count(worth.cases, 'case')}, of which "
        f"{worth.decided_otherwise:,} are decided otherwise: with it {size} is made "
        f"({between(worth.per_month, worth.confidence)})."
    )
    sure = "" if worth.clear else " That can't be told from nothing."
    apart = worth.only_with + worth.only_without
    left = f" {apart:,} cases are decided by one of the two alone, and in no figure." if apart else ""
    return f"{said[0].upper()}{said[1:]}{sure}{left} The interval is conditional on the fitted models."


def show_quarantine(console: Console, rows: pl.DataFrame) -> None:
    """Print the rows that are set aside, by source and reason, with the first of each."""
    import polars as pl

    if not rows.height:
        console.print("Nothing is set aside.")
        return
    kinds = rows.group_by("source", "code", maintain_order=True).agg(
        pl.len().alias("rows"), pl.col("reason").first(), pl.col("row_number").first(), pl.col("row").first()
    )
    for kind in kinds.sort("rows", descending=True).iter_rows(named=True):
        console.print(
            Text.assemble((f"{kind['source']}: {count(kind['rows'], 'row')}", "bold"), f"  [{kind['code']}]")
        )
        _item(console, f"such as row {kind['row_number']}: {kind['reason']}")
        raw = kind["row"] if len(kind["row"]) <= 300 else f"{kind['row'][:297]}..."
        console.print(Text(f"    {raw}"), soft_wrap=True)
    console.print(
        Text(
            "Mend them in the brief ([source.NAME.mend]), or by hand: "
            "wholeroad data quarantine NAME --to FILE"
        )
    )


def show_batches(console: Console, batches: pl.DataFrame) -> None:
    """Print the manifests, a line for each batch."""
    if not batches.height:
        console.print("Nothing has landed yet.")
        return
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    shown.add_column("landed at", no_wrap=True)
    for name in ("source", "read"):
        shown.add_column(name, overflow="fold")
    for name in ("rows", "landed", "repeated", "aside"):
        shown.add_column(name, justify="right")
    mended = any(batches["mended"])
    if mended:
        shown.add_column("mended", overflow="fold")
    for row in batches.iter_rows(named=True):
        again = ", again" if row["again"] else ""
        shown.add_row(
            f"{row['landed_at']:%Y-%m-%d %H:%M}",
            row["source"],
            Text((row["read"] or "rows handed over") + again),
            *(f"{row[name]:,}" for name in ("rows_in", "landed", "repeated", "quarantined")),
            *([Text(row["mended"])] if mended else []),
        )
    console.print(shown)


def _cell(value: Any) -> str:  # noqa: ANN401 - any value of a row
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)


def _item(console: Console, text: str) -> None:
    console.print(Padding(Text(f"• {text}"), (0, 0, 0, 2)))
