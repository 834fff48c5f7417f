"""The chapter about a dirty export and the instructions beside it, typed as they are written.

``python tests/test_tutorial_data.py`` writes the outputs on the pages anew.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pages import FENCED, ROOT, Typist, anew, blocks_of
from wholeroad.core.instants import to_instant

CHAPTER = ROOT / "docs" / "tutorial" / "dirty-export.md"
EXAMPLE = ROOT / "examples" / "dirty-export"
HOW_TOS = [
    ROOT / "docs" / "how-to" / f"{name}.md"
    for name in ("mend-a-source", "a-contract", "review-labels", "which-data-next")
]
NOW = to_instant(datetime(2025, 2, 3, 9, tzinfo=UTC))
SAID = {"180", "2024", "2023", "2025", "999", "120", "L02477"}  # by the story, and by no output
NUMBER = re.compile(r"(?<![\w.,-])\d[\d,.]*\d(?![\w-])")


class Chapter:
    """The chapter, typed once: what it printed otherwise, all its outputs, and the folder as it was left."""

    def __init__(self, folder: Path) -> None:
        self.typist = Typist(folder, NOW)
        self.faults: list[str] = []
        self.outputs = ""
        for block in blocks_of(CHAPTER):
            self.faults += self.typist.follow([block])
            self.outputs += self.typist.out + block.text if block.kind == "sh" else ""


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    return Chapter(tmp_path_factory.mktemp("chapter"))


def test_the_chapter_prints_what_it_shows(chapter):
    assert chapter.faults == [], "python tests/test_tutorial_data.py writes the outputs anew"


def test_every_figure_in_the_prose_was_printed_by_a_command(chapter):
    prose = FENCED.sub("", CHAPTER.read_text("utf-8"))
    figures = {found for found in NUMBER.findall(prose) if len(found) > 2} - SAID
    printed = set(re.findall(r"\d[\d,.]*\d", chapter.outputs))
    assert figures - printed == set()


@pytest.mark.parametrize("page", HOW_TOS, ids=lambda page: page.stem)
def test_the_instructions_print_what_they_show(chapter, page, tmp_path):
    folder = shutil.copytree(chapter.typist.folder.parent, tmp_path / "gate") / "castings"
    assert Typist(folder, NOW).follow(blocks_of(page)) == []


def test_the_export_is_the_same_when_built_twice_and_as_dirty_as_the_readme_says(tmp_path):
    runs = [
        subprocess.run(
            [sys.executable, str(EXAMPLE / "build.py"), "--out", name],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
            encoding="utf-8",
        ).stdout
        for name in ("one", "two")
    ]
    assert f"```text\n{Path(runs[0]).as_posix()}```".replace("one/", "") in (EXAMPLE / "README.md").read_text(
        "utf-8"
    )
    for path in (tmp_path / "one").rglob("*.csv"):
        twin = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == twin.read_bytes()
    dirty, slips = (pl.read_csv(tmp_path / "one" / name) for name in ("castings.csv", "slips.csv"))
    told = dirty.join(slips, on="lot_id", suffix="_true").drop_nulls("result")
    assert 50 < told.filter(pl.col("result") != pl.col("result_true")).height < 90


def print_anew() -> None:
    """Put the outputs as they are now into the pages."""
    with tempfile.TemporaryDirectory() as folder:
        typist = Typist(Path(folder), NOW)
        anew(CHAPTER, typist)
        for page in HOW_TOS:
            copy = shutil.copytree(typist.folder.parent, Path(folder) / page.stem) / "castings"
            anew(page, Typist(copy, NOW))


if __name__ == "__main__":
    print_anew()
