"""The parts that answers about fairness are printed from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console


def plain(text: str) -> str:
    r"""Put a text on one line: line breaks and control characters within names take no effect.

    Examples
    --------
    >>> plain("the depot\nof the north")
    'the depot of the north'
    """
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def headed(console: Console, verdict: str) -> None:
    """Print the verdict."""
    console.print(Text(plain(verdict), style="bold"))


def item(console: Console, text: str) -> None:
    """Print one of several sentences."""
    console.print(Padding(Text(f"• {plain(text)}"), (0, 0, 0, 2)))


def said(console: Console, text: str, *, indent: int = 2) -> None:
    """Print a sentence, indented."""
    console.print(Padding(Text(plain(text)), (0, 0, 0, indent)))


def following(console: Console, what: str, *, command: str) -> None:
    """Print what to do next, with the command, which isn't broken."""
    console.print(Text(f"{what}: {command}"), soft_wrap=True)


def a_table(texts: Sequence[str], *figures: str) -> Table:
    """Give a table with columns of texts, which may be folded, then columns of figures."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1))
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in figures:
        table.add_column(name, justify="right", overflow="fold")
    return table


def cells(*texts: str) -> list[Text]:
    """Give texts as cells in which no bracket takes effect."""
    return [Text("\n".join(plain(line) for line in text.split("\n"))) for text in texts]


def below(figure: str) -> str:
    """Put the interval of a figure on a line of its own."""
    return figure.replace(" (", "\n(", 1)


def cut(text: str, letters: int = 24) -> str:
    """Shorten a name for a column."""
    text = plain(text)
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
