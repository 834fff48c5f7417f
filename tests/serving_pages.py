"""A page about the service, typed as it is written: a server that really runs, and requests that go there.

A block of ``sh`` holds lines to type: ``wholeroad up`` begins a server on a free port, other commands run
beside it, and ``curl`` is asked by httpx. ``TOKEN=...`` takes the token that was printed, or that a command
prints. A block of ``text`` or ``json`` shows what the last line printed, with ``...`` for what is left out;
instants, digests and fractions may be other ones. Before a block, ``<!-- until -->`` has its lines typed
again until they print what follows, ``<!-- stop -->`` presses Ctrl-C first, ``<!-- kill -->`` kills
the server.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from pages import ROOT, changed, missing

BLOCK = re.compile(
    r"^(?P<marks>(?:<!-- [^>]+ -->\n)*)```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
MARK = re.compile(r"<!-- (.+?) -->")
PAGE_ADDRESS = "http://127.0.0.1:8000"
PATIENCE_S = 300
MASKS = (
    (re.compile(r"http://127\.0\.0\.1:\d+"), "ADDRESS"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| UTC)?"), "INSTANT"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "DIGEST"),
    (re.compile(r"model [0-9a-f]{8}\b"), "model DIGEST"),
    (re.compile(r"-?\d+\.\d+(e-?\d+)?"), "NUMBER"),
    (re.compile(r"wr_[\w-]+(\.\.\.)?"), "TOKEN"),
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, with what stands before it."""

    marks: tuple[str, ...]
    language: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """Give the fenced blocks of a page."""
    found = BLOCK.finditer(page.read_text("utf-8"))
    return [Block(tuple(MARK.findall(one["marks"])), one["language"], one["text"]) for one in found]


def unlike(printed: str, out: str) -> list[str]:
    """Give the lines of a page that the output doesn't show; one that ends in ``...`` may go on otherwise."""
    there = masked(out)
    lines = []
    for line in masked(printed).splitlines():
        begins = line.removesuffix("...").rstrip()
        whole = (each for each in there.splitlines() if each.strip().startswith(begins.strip()))
        lines.append(next(whole, line) if line.endswith("...") and begins else line)
    return missing("\n".join(lines), there)


def masked(text: str) -> str:
    """Hide what is another one each time."""
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return text


class Server:
    """``wholeroad up`` in a process of its own."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self.printed = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wholeroad", *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env={**os.environ, "COLUMNS": "300"},
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        until_s = time.monotonic() + PATIENCE_S
        while "Stop it with" not in self.printed:
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < until_s, self.printed
            time.sleep(0.05)
        self.address = re.search(r"^Serving .* at (http://\S+)$", self.printed, re.MULTILINE)[1]
        self.token = re.search(r"wr_session_\S+", self.printed)[0]

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.printed += line

    def stop(self) -> int:
        """Press Ctrl-C, and wait for the end."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        self._ended()
        return code

    def kill(self) -> None:
        """End it as a power cut would, for this process."""
        self.process.kill()
        self.process.wait(60)
        self._ended()

    def _ended(self) -> None:
        self._reading.join()
        if self.process.stdout is not None:
            self.process.stdout.close()


@dataclass
class Reader:
    """Somebody who follows a page in a folder, line by line."""

    folder: Path
    out: str = ""
    server: Server | None = None
    faults: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    status: int = 0

    def follow(self, blocks: list[Block]) -> None:
        """Follow a page from its first block to its last, and end what was begun."""
        try:
            for place, block in enumerate(blocks):
                following = blocks[place + 1] if place + 1 < len(blocks) else None
                self._block(block, following)
        finally:
            if self.server is not None and self.server.process.poll() is None:
                self.server.kill()

    def _block(self, block: Block, following: Block | None) -> None:
        if "skip" in block.marks:
            return
        if "stop" in block.marks:
            assert self.server is not None
            assert self.server.stop() == 0, self.server.printed
            self.out = self.server.printed
        if "kill" in block.marks:
            assert self.server is not None
            self.server.kill()
        if block.language == "sh":
            self._lines(block, following)
        elif block.language in ("text", "json"):
            self.faults += unlike(block.text, self.out)
        elif block.language == "python" and "beside" in block.marks:
            self._python(block.text)
        elif block.language == "toml":
            self._brief(block)

    def _lines(self, block: Block, following: Block | None) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while True:
            for line in block.text.replace("\\\n", " ").splitlines():
                self._line(line.partition("  # ")[0].strip())
            if "until" not in block.marks or following is None:
                return
            if not unlike(following.text, self.out):
                return
            assert time.monotonic() < until_s, self.out
            time.sleep(0.5)

    def _brief(self, block: Block) -> None:
        brief = self.folder / "brief.toml"
        if "brief: change" in block.marks:
            brief.write_text(changed(brief.read_text("utf-8"), block.text), "utf-8", newline="\n")
        if any(mark.startswith("write: ") for mark in block.marks):
            brief.write_text(block.text, "utf-8", newline="\n")

    def _python(self, text: str) -> None:
        assert self.server is not None
        code = text.replace(PAGE_ADDRESS, self.server.address)
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, **self.variables},
        )
        assert done.returncode == 0, done.stderr
        self.out = done.stdout

    def _line(self, line: str) -> None:
        if not line:
            return
        if assigned := re.fullmatch(r"(?:export )?(\w+)=(.*)", line):
            self._assign(*assigned.groups())
            return
        line = re.sub(r"\$(\w+)", lambda found: self.variables.get(found[1], found[0]), line)
        command, _, pipe = line.partition(" | ")
        name, *words = shlex.split(command)
        typed = {"cd": self._cd, "cp": self._cp, "mkdir": self._mkdir, "python": self._script}
        if name == "curl":
            self._curl(words, pretty=pipe == "python -m json.tool")
        elif name == "wholeroad":
            self._wholeroad(words)
        else:
            typed[name](words)

    def _assign(self, name: str, value: str) -> None:
        if inner := re.fullmatch(r"\$\(wholeroad (.*)\)", value):
            self._wholeroad(shlex.split(inner[1]), alone=True)
            self.variables[name] = self.out.strip()
        else:
            assert self.server is not None
            assert value.startswith("wr_session_")
            self.variables[name] = self.server.token

    def _cd(self, words: list[str]) -> None:
        self.folder = (self.folder / words[0]).resolve()

    def _mkdir(self, words: list[str]) -> None:
        (self.folder / words[0]).mkdir()

    def _cp(self, words: list[str]) -> None:
        shutil.copy(self._place(words[0]), self._place(words[1]))

    def _place(self, word: str) -> Path:
        return ROOT / word if word.startswith("examples/") else self.folder / word

    def _script(self, words: list[str]) -> None:
        ran = [sys.executable, str(ROOT / words[0]), *words[1:]]
        self.out = subprocess.run(ran, cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def _wholeroad(self, words: list[str], *, alone: bool = False) -> None:
        if words[0] == "up":
            self.server = Server([*words, "--port", "0"], self.folder)
            self.out = self.server.printed
            return
        done = subprocess.run(
            [sys.executable, "-m", "wholeroad", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=PATIENCE_S,
            env={**os.environ, "COLUMNS": "120"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.out = done.stdout if alone else done.stdout + done.stderr

    def _curl(self, words: list[str], *, pretty: bool) -> None:
        assert self.server is not None
        headers, body, method, address = {}, None, None, ""
        rest = iter(words)
        for word in rest:
            if word == "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            elif word in ("-d", "--data-binary"):
                body = next(rest)
                if body.startswith("@"):
                    body = (self.folder / body[1:]).read_text("utf-8")
            elif word == "-X":
                method = next(rest)
            elif word not in ("-s", "-i"):
                address = word
        method = method or ("GET" if body is None else "POST")
        address = address.replace(PAGE_ADDRESS, self.server.address)
        answer = httpx.request(method, address, headers=headers, content=body, timeout=60)
        self.status = answer.status_code
        self.out = answer.text
        if pretty:
            self.out = json.dumps(answer.json(), indent=4, ensure_ascii=False) + "\n"


windows = pytest.mark.skipif(sys.platform == "win32", reason="ends the server by a signal")
