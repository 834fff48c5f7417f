"""The documents say what is so: files printed as they are, links that lead somewhere, code that runs.

A fenced block after ``<!-- file: PATH -->`` is that file, to the byte; a Python block after
``<!-- run -->`` runs in an empty folder. ``python tests/test_documents.py`` prints the files anew.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SKIPPED = {".venv", ".git", "node_modules", ".pytest_cache", "site-packages", "rehearsals"}
DOCUMENTS = sorted(
    path.relative_to(ROOT) for path in ROOT.rglob("*.md") if not SKIPPED & set(path.relative_to(ROOT).parts)
)
BLOCK = re.compile(
    r"^<!-- (?P<mark>file: \S+|run) -->\n+```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")
BASES = (ROOT, ROOT / "src" / "wholeroad", ROOT / "src" / "wholeroad" / "road")
MUST_PRINT = {"docs/tutorial/flights.md": "examples/flights/brief.toml"}


def read(document: Path) -> str:
    return (ROOT / document).read_text("utf-8")


def printed(document: Path) -> Iterator[tuple[str, str]]:
    """Give each file that a document prints, and the printed text."""
    for block in BLOCK.finditer(read(document)):
        if block["mark"].startswith("file: "):
            yield block["mark"].removeprefix("file: "), block["text"]


def anchor(heading: str) -> str:
    """Give a heading's anchor as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(document: Path) -> set[str]:
    return {
        anchor(match[1]) for match in re.finditer(r"^#+ (.+)$", FENCED.sub("", read(document)), re.MULTILINE)
    }


def broken_links(document: Path) -> Iterator[str]:
    for target in LINK.findall(FENCED.sub("", read(document))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        found = ((ROOT / document).parent / path).resolve() if path else ROOT / document
        if not found.exists() or (fragment and fragment not in anchors(found.relative_to(ROOT))):
            yield target


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_printed_file_is_the_file(document):
    for path, text in printed(document):
        assert text.encode() == (ROOT / path).read_bytes(), (
            f"{document} prints an old {path}: python tests/test_documents.py"
        )


@pytest.mark.parametrize(("document", "path"), MUST_PRINT.items())
def test_the_documents_print_the_brief(document, path):
    assert path in dict(printed(Path(document)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document):
    assert list(broken_links(document)) == []


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "README.md", "docs/glossary.md"])
def test_paths_that_are_named_exist(document):
    missing = {
        path
        for path in PATH.findall(FENCED.sub("", read(Path(document))))
        if not any((base / path).exists() for base in BASES)
    }
    assert missing == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_runnable_blocks_run(document, tmp_path):
    for block in BLOCK.finditer(read(document)):
        if block["mark"] == "run":
            assert block["language"] == "python"
            subprocess.run([sys.executable, "-c", block["text"]], cwd=tmp_path, check=True, timeout=120)


def test_decisions_are_numbered_without_gaps():
    numbers = sorted(path.name[:4] for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == [f"{number:04}" for number in range(len(numbers))]


def print_anew() -> None:
    """Put the files as they are now into the documents."""

    def block(match: re.Match[str]) -> str:
        if match["mark"] == "run":
            return match[0]
        path = match["mark"].removeprefix("file: ")
        return f"<!-- {match['mark']} -->\n```{match['language']}\n{(ROOT / path).read_text('utf-8')}```"

    for document in DOCUMENTS:
        before = read(document)
        after = BLOCK.sub(block, before)
        if after != before:
            (ROOT / document).write_text(after, "utf-8", newline="\n")


if __name__ == "__main__":
    print_anew()
