"""A page of the documents, typed as it is written: its commands, its lines of the brief, what it prints.

A block of ``sh`` holds lines to type. A block of ``text`` after it shows what the last of them printed:
each line stands in the output, in this order, and ``...`` stands for lines that are left out. A block of
``toml`` after ``<!-- brief: add -->`` goes to the end of ``brief.toml``, and one after
``<!-- brief: change -->`` begins with a table's head: its settings take the place of those of the same name.
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import pytest

from wholeroad import project as composition
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.instants import Instant
from wholeroad.interfaces.cli.app import main

ROOT = Path(__file__).parents[1]
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(
    r"^(?:<!-- brief: (?P<mark>add|change) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SETTING = re.compile(r"^(?:# left out: )?(\w+)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    kind: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """Give the blocks of a page that are typed, printed or written into the brief."""
    found = BLOCK.finditer(page.read_text("utf-8"))
    blocks = [Block(one["mark"] or one["language"], one["text"]) for one in found]
    return [block for block in blocks if block.kind in ("sh", "text", "add", "change")]


class Typist:
    """Types the blocks of a page in a folder, at one instant."""

    def __init__(self, folder: Path, now: Instant) -> None:
        self.folder = folder
        self.out = ""
        self._now = now

    def follow(self, blocks: list[Block]) -> list[str]:
        """Type all blocks, and give what was printed otherwise than the page shows."""
        return [fault for block in blocks for fault in self._block(block)]

    def _block(self, block: Block) -> list[str]:
        if block.kind == "sh":
            for line in block.text.replace("\\\n", " ").splitlines():
                self.out = self._line(line)
            return []
        if block.kind == "text":
            return missing(block.text, self.out)
        brief = self.folder / "brief.toml"
        written = brief.read_text("utf-8")
        new = f"{written}\n{block.text}" if block.kind == "add" else changed(written, block.text)
        brief.write_text(new, encoding="utf-8", newline="\n")
        return []

    def _line(self, line: str) -> str:
        command, *words = shlex.split(line)
        if command == "cd":
            self.folder = (self.folder / words[0]).resolve()
            return ""
        if command == "cp":
            shutil.copy(self.folder / words[0], self.folder / words[1])
            return ""
        if command == "python":
            script = ROOT / words[0][words[0].index("examples/") :]
            ran = [sys.executable, str(script), *words[1:]]
            return subprocess.run(ran, cwd=self.folder, check=True, capture_output=True, text=True).stdout
        assert command == "wholeroad", line
        return self._command(words)

    def _command(self, words: list[str]) -> str:
        with pytest.MonkeyPatch.context() as patched:
            # Another real part, chosen where parts are chosen: commands can't name a clock, and Python can.
            patched.setattr(composition, "SystemClock", lambda: SteppedClock(self._now))
            patched.chdir(self.folder)
            out, error = io.StringIO(), io.StringIO()
            with redirect_stdout(out), redirect_stderr(error), pytest.raises(SystemExit) as ended:
                main(words)
        assert not ended.value.code, error.getvalue()
        return out.getvalue()


def missing(printed: str, out: str) -> list[str]:
    """Give the lines of a page that the output doesn't show there."""
    lines = [line.rstrip() for line in out.splitlines()]
    faults, place, near = [], 0, False
    for line in printed.splitlines():
        if line.strip() == "...":
            near = False
            continue
        after = lines[place : place + 1] if near else lines[place:]
        if line.rstrip() in after:
            place += after.index(line.rstrip()) + 1
            near = True
        else:
            faults.append(line)
    return faults


def anew(page: Path, typist: Typist) -> None:
    """Write a page anew: each line of text that isn't printed any more gives way to the likest one."""
    text = page.read_text("utf-8")
    for block in blocks_of(page):
        for line in typist.follow([block]):
            lines = [each.rstrip() for each in typist.out.splitlines()]
            if likest := get_close_matches(line, lines, n=1, cutoff=0.3):
                text = text.replace(f"\n{line}\n", f"\n{likest[0]}\n", 1)
    page.write_text(text, encoding="utf-8", newline="\n")


def changed(brief: str, wanted: str) -> str:
    """Put settings in the place of those of the same name, in the table that their first line names."""
    head, *settings = wanted.splitlines()
    before, found, rest = brief.partition(f"\n{head}")
    assert found, head
    table, gap, after = rest.partition("\n\n")
    for setting in settings:
        name = SETTING.match(setting)
        assert name, setting
        table, count = re.subn(rf"^{name[1]}\s*=.*$", lambda _, to=setting: to, table, flags=re.MULTILINE)
        assert count == 1, setting
    return before + found + table + gap + after
