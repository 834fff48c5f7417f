"""Backup of a project that runs, restored elsewhere: what was acknowledged is there, and damage is named."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import typer
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

import backup_writer_child
import moves
import wholeroad
import worlds
from wholeroad import keeping
from wholeroad.adapters.backups import Backup, table_at
from wholeroad.adapters.blobs import MemoryBlobs
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.adapters.ledgers import SqliteLedger
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.core.errors import UserError
from wholeroad.core.facts import encode
from wholeroad.engine.facts import decode
from wholeroad.engine.fold import fold
from wholeroad.engine.manifests import quarantine_of, table_of
from wholeroad.engine.service.moving import move_rows
from wholeroad.engine.service.records import read
from wholeroad.interfaces.cli.keeping import backup, restore

WRITER = Path(__file__).with_name("backup_writer_child.py")


@pytest.fixture(scope="module")
def decided(tmp_path_factory) -> Path:
    """Give a project in operation: decisions, models, blobs."""
    folder = worlds.write(
        tmp_path_factory.mktemp("decided") / "project", *worlds.parcels(days=30, per_day=12)
    )
    for day in (10, 24, 27):
        wholeroad.open(folder, clock=SteppedClock(worlds.at(days=day))).cycle()
    return folder


@pytest.fixture(scope="module")
def kept(decided, tmp_path_factory) -> Path:
    to = tmp_path_factory.mktemp("kept") / "backup"
    keeping.back_up(ProjectFolder(decided), to, now=worlds.at(days=28))
    return to


def test_law_what_is_restored_is_what_was_backed_up_and_goes_on_alike(decided, kept, tmp_path):
    told = []
    found = keeping.restore(kept, tmp_path / "again", progress=lambda *said: told.append(said[0]))
    assert found.judged == found.spans > 0
    assert "checking decisions" in told
    one, other = (wholeroad.open(folder) for folder in (decided, tmp_path / "again"))
    assert list(one.export()) == list(other.export())
    assert_frame_equal(one.decisions(), other.decisions())
    for name in one.brief.source:
        assert_frame_equal(one.versions(name).frame, other.versions(name).frame)
    aside = tmp_path / "aside"
    shutil.copytree(decided, aside)
    for name in ("parcels.parquet", "deliveries.parquet"):
        shutil.copy(decided / name, tmp_path / "again" / name)
    went = [
        wholeroad.open(folder, clock=SteppedClock(worlds.at(days=29)))
        for folder in (aside, tmp_path / "again")
    ]
    for each in went:
        each.cycle()
    assert [*went[0].export()] == [*went[1].export()]
    assert_frame_equal(went[0].decisions(), went[1].decisions())


def test_law_one_byte_changed_anywhere_is_named(kept, tmp_path):
    copied = tmp_path / "backup"
    shutil.copytree(kept, copied)
    names = [*Backup.read(copied).files, "backup.json"]
    assert {"brief.toml", ".wholeroad/ledger.sqlite"} <= {*names}
    assert any("_delta_log" in name for name in names)
    for number, name in enumerate(names):
        path = copied / name
        data = path.read_bytes()
        place = (len(data) * (number % 7)) // 7
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << number % 8]) + data[place + 1 :])
        with pytest.raises(UserError) as refused:
            keeping.restore(copied, None)
        assert refused.value.code == "backup.damaged"
        assert name in refused.value.happened
        path.write_bytes(data)
    (copied / names[0]).unlink()
    with pytest.raises(UserError, match="is missing"):
        keeping.restore(copied, None)


def test_every_byte_of_the_manifest_counts(kept, tmp_path):
    said = (kept / "backup.json").read_bytes()
    for place in range(0, len(said), 97):
        for bit in (0, 1, 5):
            (tmp_path / "backup.json").write_bytes(
                said[:place] + bytes([said[place] ^ 1 << bit]) + said[place + 1 :]
            )
            with pytest.raises(UserError) as refused:
                Backup.read(tmp_path)
            assert refused.value.code == "backup.damaged"


def test_a_backup_that_was_verified_is_as_it_was(kept):
    before = {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()}
    keeping.restore(kept, None)
    assert before == {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()}


def test_decisions_that_are_not_those_that_were_sealed_are_named(kept, tmp_path):
    copied = tmp_path / "backup"
    shutil.copytree(kept, copied)
    said = Backup.read(copied)
    (part,) = [name for name in said.files if "/decisions/" in name and name.endswith(".parquet")][:1]
    rows = pl.read_parquet(copied / part)
    flipped = pl.col("action").replace({"express": "pass", "pass": "express"})
    rows.with_columns(flipped).write_parquet(copied / part)
    said.files[part] = keeping.digest_file(copied / part)
    said.write(copied)
    with pytest.raises(UserError, match="not those that were sealed"):
        keeping.restore(copied, None)


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
def test_a_manifest_cannot_name_a_place_outside(kept, tmp_path, name):
    copied = tmp_path / "backup"
    shutil.copytree(kept, copied)
    said = Backup.read(copied)
    said.files[name] = said.files["brief.toml"]
    said.write(copied)
    with pytest.raises(UserError) as refused:
        keeping.restore(copied, tmp_path / "again")
    assert refused.value.code == "backup.damaged"


def test_nothing_that_is_there_is_written_over(decided, kept, tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    for work in (
        lambda: keeping.restore(kept, tmp_path),
        lambda: keeping.back_up(ProjectFolder(decided), tmp_path, now=0),
    ):
        with pytest.raises(UserError) as refused:
            work()
        assert refused.value.code == "backup.not-empty"
    with pytest.raises(UserError) as refused:
        keeping.back_up(ProjectFolder(decided), decided / ".wholeroad" / "blobs" / "mine", now=0)
    assert refused.value.code == "project.unusable"
    with pytest.raises(UserError) as refused:
        keeping.restore(tmp_path, None)
    assert refused.value.code == "backup.absent"


def test_a_restoring_that_was_cut_short_is_begun_again(kept, tmp_path):
    (tmp_path / "again" / ".wholeroad.restoring" / "x").mkdir(parents=True)
    keeping.restore(kept, tmp_path / "again")
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == [".wholeroad", "brief.toml"]


def test_a_project_without_anything_but_a_brief_is_backed_up(tmp_path):
    folder = worlds.write(tmp_path / "project", *worlds.parcels(days=2))
    keeping.back_up(ProjectFolder(folder), tmp_path / "backup", now=1)
    found = keeping.restore(tmp_path / "backup", tmp_path / "again")
    assert (found.spans, found.hot) == (0, 0)
    assert (tmp_path / "again" / "brief.toml").read_text() == worlds.BRIEF


# While it runs


def test_law_whatever_moves_between_any_two_steps_of_a_backup_it_holds(tmp_path):
    steps = 0
    while True:
        root = tmp_path / f"project-{steps}"
        writer, seen = backup_writer_child.Writer(root), []
        for _ in range(4):
            writer.take_in()
        writer.move()
        for _ in range(2):
            writer.take_in()
        acknowledged = writer.acknowledged

        def meanwhile(*_, writer=writer, seen=seen, step=steps):
            seen.append(1)
            if len(seen) == step:
                for _ in range(2):
                    writer.take_in()
                    writer.move()

        keeping.back_up(ProjectFolder(root), root / "backup", now=1, progress=meanwhile)
        keeping.restore(root / "backup", root / "again")
        holds(root / "again", acknowledged)
        if steps == 0:
            last = len(seen)
        if steps == min(last, 8):
            break
        steps += 1
    assert steps == 8


@pytest.mark.parametrize("cut_after", [1, 2])
def test_a_move_that_was_cut_short_before_the_backup_is_made_good_after_the_restoring(tmp_path, cut_after):
    writer = backup_writer_child.Writer(tmp_path / "project")
    for _ in range(5):
        writer.take_in()
    some = [(number, read(data)) for number, data in writer.log.read()]
    left = cut_after

    class Cut(DeltaTables):
        def append(self, *args, **kwargs):
            nonlocal left
            if not left:
                raise InterruptedError
            left -= 1
            return super().append(*args, **kwargs)

    with pytest.raises(InterruptedError):
        move_rows(some, brief=moves.BRIEF, tables=Cut(writer.folder.tables), blobs=MemoryBlobs(), facts=[])
    keeping.back_up(writer.folder, tmp_path / "backup", now=1)
    found = keeping.restore(tmp_path / "backup", tmp_path / "again")
    assert found.hot == 5
    holds(tmp_path / "again", 5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writer is killed at the end, as Unix kills")
def test_law_while_a_writer_appends_and_moves_at_full_speed_everything_acknowledged_is_there(tmp_path):
    root = tmp_path / "project"
    with subprocess.Popen([sys.executable, str(WRITER), str(root)], stdout=subprocess.PIPE) as writer:
        try:
            for number in range(3):
                acknowledged = wait_for(writer, 25 * (number + 1))
                copied = tmp_path / f"backup-{number}"
                said = keeping.back_up(ProjectFolder(root), copied, now=number)
                found = keeping.restore(copied, tmp_path / f"again-{number}")
                assert found.hot == said.counts["hot records"]
                holds(tmp_path / f"again-{number}", acknowledged)
        finally:
            writer.kill()


def wait_for(writer, least: int) -> int:
    """Read how many records were acknowledged, until they are enough."""
    while True:
        line = writer.stdout.readline()
        assert line, "the writer ended"
        if int(line) >= least:
            return int(line)


def holds(root: Path, acknowledged: int) -> None:
    """Move what the restored hot log has; every row of what was acknowledged is there, and once."""
    folder = ProjectFolder(root)
    tables, log = DeltaTables(folder.tables), SqliteHotLog(folder.hot)
    ledger = SqliteLedger(folder.ledger, decode)
    some = [(number, read(data)) for number, data in log.read()]
    facts = [fact for _, fact in ledger.read()]
    fold(facts)
    last = max([number for number, _ in some] + [0])
    ledger.append(move_rows(some, brief=moves.BRIEF, tables=tables, blobs=MemoryBlobs(), facts=facts))
    facts = [fact for _, fact in ledger.read()]
    landed = moves.Landed()
    through = max([last] + [fact.hot_through for fact in facts])
    assert through >= acknowledged
    for number in range(through):
        landed.group(moves.endless(number))
    for name, source in moves.SOURCES.items():
        for of in (table_of, quarantine_of):
            if landed.tables.exists(of(name, source)):
                assert_frame_equal(tables.read(of(name, source)), landed.tables.read(of(name, source)))
        sums = [sum(fact.rows_in for fact in facts if fact.source == name)]
        assert sums == [sum(each[1].rows_in for each in landed.counts if each[0] == name)]
    assert log.append(b"next") > through
    assert all(encode(fact) for fact in facts)


def test_a_table_is_cut_before_what_the_ledger_does_not_know_of(tmp_path):
    tables = DeltaTables(tmp_path)
    for version in (3, 5, 9):
        tables.append("t", pl.DataFrame({"x": [version]}), writer="service", version=version)
        tables.append("t", pl.DataFrame({"x": [-version]}), writer="intake", version=version)
    assert [table_at(tmp_path / "t", {"service": number}) for number in (2, 3, 4, 5, 8, 9, 10)] == [
        -1, 1, 1, 3, 3, 5, 5,
    ]  # fmt: skip
    assert table_at(tmp_path / "t", {}) == 5
    assert table_at(tmp_path / "nothing", {}) == -1


def test_a_long_table_with_files_written_together_is_restored_as_it_was_then(tmp_path):
    root = tmp_path / "project"
    folder = ProjectFolder(worlds.write(root, *worlds.parcels(days=2)))
    tables = DeltaTables(folder.tables)
    for version in range(1, 131):
        tables.append("t", pl.DataFrame({"x": [version]}), writer="intake", version=version)
    keeping.back_up(folder, tmp_path / "backup", now=1)
    tables.append("t", pl.DataFrame({"x": [131]}), writer="intake", version=131)
    keeping.restore(tmp_path / "backup", tmp_path / "again")
    again = DeltaTables(ProjectFolder(tmp_path / "again").tables)
    assert again.read("t")["x"].to_list() == [*range(1, 131)]
    assert again.version("t", "intake") == 130


def test_the_commands_back_up_verify_and_restore(decided, tmp_path):
    app = typer.Typer()
    app.command()(backup)
    app.command()(restore)

    def said(*words):
        done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        return done.exit_code, " ".join(done.output.split())

    assert said("restore", tmp_path / "kept")[0] == 2
    code, text = said("backup", tmp_path / "kept", "--project", decided)
    assert (code, "verify" in text.lower()) == (0, True)
    assert said("restore", tmp_path / "kept", "--check")[1].count("The backup is sound") == 1
    assert said("restore", tmp_path / "kept", tmp_path / "again")[0] == 0
    assert list(wholeroad.open(decided).export()) == list(wholeroad.open(tmp_path / "again").export())


def test_tokens_are_in_it_and_locks_are_not(decided, tmp_path):
    folder = ProjectFolder(decided)
    tokens = folder.inner / "tokens.json"
    tokens.write_text(json.dumps({"a": 1}))
    try:
        said = keeping.back_up(folder, tmp_path / "backup", now=1)
    finally:
        tokens.unlink()
    assert ".wholeroad/tokens.json" in said.files
    assert not [name for name in said.files if "lock" in name or name.endswith(("-wal", "-shm"))]
