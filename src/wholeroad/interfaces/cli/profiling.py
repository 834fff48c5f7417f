"""What the commands print about a profile: the troubles, the gravest consequence first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from wholeroad.interfaces.report.amounts import amount
from wholeroad.interfaces.report.data_page import TOUCHES, headline, not_looked_at, title_of

if TYPE_CHECKING:
    from rich.console import Console

    from wholeroad.engine.profiling import Profiled
    from wholeroad.road.data.quality.troubles import Trouble


def show_profile(console: Console, found: Profiled, *, page: Path) -> None:
    """Print what was found, what it was weighed by, and where the page lies."""
    console.print(Text(f"{headline(found)}.", style="bold"))
    for source in found.sources:
        drawn = f", a sample of {source.share:.1%} of the keys" if source.share < 1 else ""
        _line(console, f"{source.name}: {source.rows:,} rows, {len(source.columns)} columns{drawn}")
    if found.without_history:
        console.print(Text(f"Nothing is weighed in money: {found.without_history}", style="yellow"))
    for number, one in enumerate(found.troubles, 1):
        _show(console, number, one, found.brief.unit)
    console.print()
    for sentence in not_looked_at(found):
        _line(console, sentence)
    console.print(Text(f"\nThe page: {page}"), soft_wrap=True)


def _show(console: Console, number: int, one: Trouble, unit: str) -> None:
    place = f"{one.source}.{', '.join(one.columns)}" if one.columns else one.source
    stake = f"; at most {amount(one.at_stake)} {unit} a month are decided on it" if one.at_stake else ""
    console.print()
    console.print(
        Text.assemble((f"{number}. {title_of(one.code)}: ", "bold"), (place, "bold cyan"), f"  [{one.code}]")
    )
    _line(console, one.what)
    _line(console, f"why it matters here: {one.why} ({TOUCHES[one.touches]}{stake})")
    _line(console, f"where: {one.where} ({one.rows:,} of {one.of:,} rows)")
    if one.mend.startswith("{"):
        console.print(Text(f"  mend: {one.mend}"), soft_wrap=True)  # to be copied: no line may be broken
    elif one.mend:
        _line(console, f"mend: {one.mend}")
    _line(console, f"leave it: {one.leave}")


def _line(console: Console, text: str) -> None:
    console.print(Padding(Text(text), (0, 0, 0, 2)))
