"""Where data come from: the camera that isn't bought yet, files of JSON objects, other people's loaders."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry, Lesson

LESSONS: Final = (
    Lesson(
        code="camera-plan",
        theme="planning",
        title="What a camera will see",
        what="""How much a picture can tell is settled by sensor, lens, distance, motion and light, before
        the first one is taken. The plan reckons it from the settings, and says what they rule out. No
        model brings back what no pixel holds.""",
        formula="""pixels per metre = pixels · focal length / (sensor width · distance); blur = speed ·
        exposure · pixels per metre; exposure = f-number² · 250 / (lux · ISO), for a grey thing""",
        number="what was reckoned, what is asked for, and what would have to change",
        reading="""Look at the far end for detail and at the near end for blur: the plan takes the worse one.
        A third more or less is a lot.""",
        fooling="""An ideal lens, a clean window and a still camera. Haze, compression, noise and a tilted
        view take a part of it away, so plan with a margin.""",
        doing="Change the distance, the lens or the light in the brief until nothing is ruled out.",
        command="distance_m = 8",
        nothing="When what is ruled out was never asked of the picture: then leave that setting away.",
        source="""IEC 62676-4:2025, levels of pixels per metre; Greenleaf 1950, Photographic Optics; ISO
        2720:1974, exposure; Johnson 1958, Analysis of image forming systems""",
        expert="""Pinhole geometry, thin-lens depth of field at a circle of two pixels, incident-light
        exposure (C = 250) scaled by reflectance; neither the lens's transfer function nor Bayer loss.""",
        answers=(
            "camera.level",
            "camera.smallest",
            "camera.blur",
            "camera.shutter",
            "camera.frame",
            "camera.light",
            "camera.focus",
            "camera.diffraction",
        ),
    ),
    Lesson(
        code="origin",
        theme="planning",
        title="Rows from other people's loaders",
        what="""A loader asks its origin for what is new since a cursor, such as the last change it saw. Here
        the cursor moves only after the rows have landed. Rows that come twice are known by their content, so
        a failure between the two repeats work and no row.""",
        number="how many rows came before it broke off, and whether it goes on from there",
        reading="""Rows that come again are counted as already there; that is right, and no duplicates.""",
        fooling="""A cursor over a stamp that is set before the row can be seen loses rows: late commits are
        behind it already. Ask with some overlap.""",
        doing="Give the loader a lag, and let the overlap be dropped on landing.",
        command='incremental("updated_at", lag=3600)',
        nothing="When the counts of a landing add up and the newest rows are there.",
        source="""docs/reference/folder.md; Kleppmann 2017, Designing Data-Intensive Applications, chapter
        11 (exactly-once by idempotence)""",
        expert="""At-least-once extraction with idempotent, content-addressed landing; the cursor is written
        after the commit, never before.""",
        needs=("files",),
    ),
)

ENTRIES: Final = (
    Entry(
        "data.line-no-object",
        "The line holds a list or a single value, and no JSON object.",
        "Write one object on each line.",
        "files",
    ),
    Entry(
        "data.line-not-json",
        "The line is no JSON; at the end of a file it may have been cut short.",
        "Correct the line, or wait until the file is whole: it then lands.",
        "files",
    ),
    Entry(
        "origin.broke-off",
        "A resource of dlt broke off while it was extracted.",
        "Give the same command again later: no row lands twice.",
        "origin",
    ),
    Entry(
        "origin.kind",
        "What should be landed is no resource of dlt, or a source of several.",
        "Name the one resource that the rows come from.",
        "origin",
    ),
    Entry(
        "origin.needs-dlt",
        "Landing from dlt needs dlt, which isn't installed.",
        "Install wholeroad with its origins.",
        "origin",
    ),
)
