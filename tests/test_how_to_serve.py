"""The instructions about the service, typed as they are written, beside servers that really run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pages import ROOT
from serving_pages import Reader, blocks_of, windows

HOW_TO = ROOT / "docs" / "how-to"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The project that the first page leaves behind, and what it printed otherwise."""
    folder = tmp_path_factory.mktemp("place") / "parcels"
    folder.mkdir()
    reader = Reader(folder)
    reader.follow(blocks_of(HOW_TO / "serve-a-project.md"))
    return reader


@windows
def test_a_project_is_served_as_the_page_says(served):
    assert served.faults == []


@windows
@pytest.mark.parametrize("page", ["back-up-and-restore", "change-a-brief-in-service"])
def test_the_other_pages_go_on_from_there(served, page, tmp_path):
    folder = shutil.copytree(served.folder, tmp_path / "parcels")
    reader = Reader(folder)
    reader.follow(blocks_of(HOW_TO / f"{page}.md"))
    assert reader.faults == []


def test_the_page_about_running_it_types_what_the_image_and_the_unit_say():
    page = (HOW_TO / "run-as-a-service.md").read_text("utf-8")
    image, unit = (
        Path(ROOT / name).read_text("utf-8") for name in ("Dockerfile", "deploy/wholeroad.service")
    )
    docker = [line for line in page.splitlines() if line.startswith("docker run")]
    assert len(docker) == 2
    assert all(f"#   {line}" in image for line in docker)
    typed = [" ".join(line.strip("# ").split()) for line in unit.splitlines() if line.startswith("#   ")]
    for begins in ("useradd", "chown", "sudo"):
        (line,) = (line for line in page.splitlines() if line.startswith(begins))
        assert any(each.startswith(line) for each in typed), line
    assert re.search(r"--uid (\d+)", image)[1] in page
