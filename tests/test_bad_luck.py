"""Bad luck while landing, with the real command in a process of its own: it is told, and nothing is lost."""

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import wholeroad
import worlds
from servers import Server, server  # noqa: F401 - a fixture
from wholeroad.engine.intake import table_of

SMALL = worlds.parcels(days=40)
FILE = 'read = "deliveries.parquet"'


def land(folder: Path, **options: object) -> tuple[int, str]:
    """Run ``wholeroad land``; give its exit code and what it said on the way out."""
    command = [sys.executable, "-m", "wholeroad", "land", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, **options)
    error = done.stderr.decode()
    assert "Traceback" not in error
    return done.returncode, error


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> dict[str, pl.DataFrame]:
    return versions(worlds.write(tmp_path_factory.mktemp("whole"), *SMALL), land_first=True)


def versions(folder: Path, *, land_first: bool = False) -> dict[str, pl.DataFrame]:
    project = wholeroad.open(folder)
    if land_first:
        project.land()
    return {name: project.versions(name).frame for name in ("parcels", "deliveries")}


def same(folder: Path, expected: dict[str, pl.DataFrame]) -> None:
    for name, frame in versions(folder).items():
        assert_frame_equal(frame, expected[name])


# A full disk


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.parametrize("limit", [0, 5_000, 33_000])
def test_a_disk_that_is_full_while_landing_is_named_and_nothing_is_lost(tmp_path, expected, limit):
    import resource

    folder = worlds.write(tmp_path, *SMALL)
    code, error = land(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert code == 2, error
    assert "project.unusable" in error
    assert str(folder) in error
    assert land(folder)[0] == 0
    same(folder, expected)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_disk_that_is_full_while_a_large_file_is_cut_is_named(tmp_path):
    import resource

    brief = worlds.BRIEF.replace("deliveries.parquet", "deliveries.csv")
    folder = worlds.write(tmp_path, *SMALL, brief=brief)
    text = SMALL[1].write_csv(None)
    lines = text.splitlines()
    filler = "\n".join([",".join(["x" * 9_000, *lines[1].split(",")[1:]])] * 4_000)
    (folder / "deliveries.csv").write_text(text + filler)
    limit = 1 << 20
    code, error = land(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert code == 2, error
    assert str(folder / ".wholeroad" / "arriving") in error
    (folder / "deliveries.csv").write_text(text)
    wholeroad.open(folder).land()
    assert versions(folder)["deliveries"].height == SMALL[1].height


@pytest.fixture
def cramped(tmp_path):
    """A file system of half a megabyte, of its own."""
    place = tmp_path / "cramped"
    place.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    if mount is None or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("may not mount a file system here")
    yield place
    gc.collect()  # lets go of the ledgers of projects that nobody holds any more
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("room", [0, 60, 100])
def test_a_file_system_without_room_is_named_and_nothing_is_lost(cramped, expected, room):
    folder = worlds.write(cramped / "project", *SMALL)
    free = shutil.disk_usage(cramped).free // 1024
    (cramped / "ballast").write_bytes(b"x" * 1024 * max(0, free - room))
    code, error = land(folder)
    assert code == 2, (code, error)
    assert "No space left" in error or "disk is full" in error or "disk I/O error" in error
    assert str(folder) in error
    (cramped / "ballast").unlink()
    wholeroad.open(folder).land()
    same(folder, expected)


# A folder that may not be written to


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="rights don't bind the superuser")
def test_a_folder_that_may_not_be_written_to_is_named(tmp_path, expected):
    folder = worlds.write(tmp_path / "project", *SMALL)
    folder.chmod(0o555)
    code, error = land(folder)
    folder.chmod(0o755)
    assert (code, "project.unusable" in error, str(folder) in error) == (2, True, True), error
    wholeroad.open(folder).land()
    same(folder, expected)


def test_a_file_system_that_is_read_only_is_named(cramped, expected):
    folder = worlds.write(cramped / "project", *SMALL)
    subprocess.run(["mount", "-o", "remount,ro", str(cramped)], check=True)
    code, error = land(folder)
    subprocess.run(["mount", "-o", "remount,rw", str(cramped)], check=True)
    assert (code, "project.unusable" in error, str(folder) in error) == (2, True, True), error
    wholeroad.open(folder).land()
    same(folder, expected)


# Files of another time, and broken ones


def test_a_brief_of_a_newer_version_is_refused_by_name(tmp_path):
    folder = worlds.write(tmp_path, *SMALL, brief=worlds.BRIEF.replace("format = 1", "format = 9"))
    code, error = land(folder)
    assert (code, "9" in error, "newer" in error) == (2, True, True), error
    assert not (folder / ".wholeroad").exists()


@pytest.mark.parametrize("left", [0, -8])
def test_a_parquet_that_was_cut_short_is_named_and_what_landed_before_stays(tmp_path, expected, left):
    folder = worlds.write(tmp_path, *SMALL)
    file = folder / "deliveries.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:left])
    code, error = land(folder)
    assert code == 2, error
    assert "deliveries.parquet" in error
    assert "data.file-" in error
    assert_frame_equal(wholeroad.open(folder).versions("parcels").frame, expected["parcels"])
    file.write_bytes(whole)
    wholeroad.open(folder).land()
    same(folder, expected)


# A database that goes away


def test_a_database_that_goes_away_midway_is_tried_later_and_nothing_is_lost(tmp_path, server: Server):  # noqa: F811
    server.run(
        "create table slow (yes boolean)",
        "insert into slow values (true)",
        "create table deliveries as select g::bigint as parcel_id, timestamptz '2024-01-05' as delivered_at,"
        " timestamptz '2024-01-06' as reported_at, 3.5::float8 as delay_h from generate_series(1, 200000) g",
    )
    query = (
        "SELECT * FROM deliveries WHERE parcel_id <> 150000"
        " OR CASE WHEN (SELECT yes FROM slow) THEN pg_sleep(60) IS NOT NULL ELSE true END"
    )
    brief = worlds.BRIEF.replace(FILE, f'read = """{query}"""\ndatabase = "SHOP_DATABASE"')
    folder = worlds.write(tmp_path, *SMALL, brief=brief)
    world = {**os.environ, "SHOP_DATABASE": server.uri}
    command = [sys.executable, "-m", "wholeroad", "land", str(folder)]
    with subprocess.Popen(command, env=world, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as landing:
        asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
        while not server.run(asleep)[0][0]:
            assert landing.poll() is None, landing.stderr.read()
        server.crash()
        _, error = landing.communicate(timeout=60)
    assert landing.returncode == 75, error.decode()
    assert b"database.away" in error
    assert wholeroad.open(folder).versions("parcels").frame.height == SMALL[0].height
    source = wholeroad.open(folder).brief.source["deliveries"]
    assert not (folder / ".wholeroad" / "tables" / table_of("deliveries", source)).exists()
    assert land(folder, env=world)[0] == 75
    server.start()
    server.run("update slow set yes = false")
    assert land(folder, env=world)[0] == 0
    assert wholeroad.open(folder).versions("deliveries").frame.height == 200_000


# A file larger than memory


GROWTH = """
import resource, sys
import wholeroad
from wholeroad.adapters import slicing
slicing.SLICE = 1 << 20
wholeroad.open(sys.argv[1]).land()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs the peak of a process")
def test_memory_grows_by_less_than_the_file(tmp_path):
    brief = worlds.BRIEF.replace("deliveries.parquet", "deliveries.csv")
    peaks, sizes = [], []
    for number, copies in enumerate((8, 64)):
        folder = worlds.write(tmp_path / str(number), *SMALL, brief=brief)
        cases = pl.concat([SMALL[1]] * copies).with_columns(
            parcel_id=pl.int_range(pl.len()), note=pl.lit("a text of some length, as people write them " * 4)
        )
        cases.write_csv(folder / "deliveries.csv")
        done = subprocess.run(
            [sys.executable, "-c", GROWTH, str(folder)], capture_output=True, check=True, text=True
        )
        peaks.append(int(done.stdout))
        sizes.append((folder / "deliveries.csv").stat().st_size)
    assert sizes[1] - sizes[0] > 10 << 20
    assert peaks[1] - peaks[0] < (sizes[1] - sizes[0]) / 2, (peaks, sizes)
