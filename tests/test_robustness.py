"""What isn't as it should be on the disk or in a call: it is said with its mending, and nothing is lost."""

import gc
import os
import shutil
import sqlite3
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest

import wholeroad
import worlds
from wholeroad.adapters.blobs import FolderBlobs
from wholeroad.adapters.ledgers import SqliteLedger
from wholeroad.adapters.locks import held
from wholeroad.core.errors import UserError
from wholeroad.core.instants import parse_instant
from wholeroad.engine.facts import decode
from wholeroad.interfaces.cli import app

SMALL = worlds.parcels(days=40)
UNTIL = "2024-02-03"


def write(folder: Path, brief: str = worlds.BRIEF) -> Path:
    return worlds.write(folder, *SMALL, brief=brief)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "project")


@pytest.fixture
def rehearsed(project: Path) -> wholeroad.Rehearsed:
    return wholeroad.open(project).rehearse("never", to_at=UNTIL)


def again(project: Path) -> wholeroad.Rehearsed:
    return wholeroad.open(project).rehearse("never", to_at=UNTIL)


def command(capsys, *arguments: object) -> tuple[int, str, str]:
    """Run the command line in this process, up to its exit code."""
    with pytest.raises(SystemExit) as left:
        app.main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return int(left.value.code or 0), said.out, said.err


def refusal(call, code: str) -> str:
    with pytest.raises(UserError) as caught:
        call()
    assert caught.value.code == code
    assert caught.value.exit_code == 2
    return str(caught.value)


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


# The folder


def test_looking_writes_nothing(project, capsys):
    before = below(project)
    opened = wholeroad.open(project)
    assert list(opened.export()) == []
    assert opened.quarantine().is_empty()
    assert command(capsys, "charter", project)[0] == 0
    assert command(capsys, "export", project)[0] == 0
    assert below(project) == before


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="rights don't bind the superuser")
def test_a_folder_without_the_right_to_write(project, capsys):
    project.chmod(0o555)
    try:
        assert command(capsys, "charter", project)[0] == 0
        exit_code, _, error = command(capsys, "land", project)
    finally:
        project.chmod(0o755)
    assert (exit_code, "project.unusable" in error, str(project) in error) == (2, True, True)


def test_the_brief_may_be_named_itself(project, capsys):
    exit_code, out, _ = command(capsys, "charter", project / "brief.toml")
    assert (exit_code, bool(out)) == (0, True)
    exit_code, _, error = command(capsys, "charter", project / "parcels.parquet")
    assert (exit_code, "brief.absent" in error) == (2, True)


def test_a_brief_may_begin_with_a_byte_order_mark(project):
    brief = project / "brief.toml"
    plain = wholeroad.open(project).brief
    brief.write_bytes(b"\xef\xbb\xbf" + brief.read_bytes())
    assert wholeroad.open(project).brief == plain


@pytest.mark.parametrize("name", ["rehearsals", ".wholeroad"])
def test_a_file_where_a_folder_belongs(project, capsys, name):
    (project / name).write_text("a file")
    exit_code, _, error = command(capsys, "rehearse", project, "--policy", "status quo")
    assert (exit_code, "project.unusable" in error) == (2, True)
    assert str(project / name) in error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told(project, capsys):
    (project / ".wholeroad").mkdir()
    (project / ".wholeroad" / "lock.json").symlink_to("/dev/full")
    exit_code, _, error = command(capsys, "land", project)
    assert (exit_code, "No space left" in error) == (2, True)


def test_a_format_that_is_newer_is_refused_before_anything_is_written(project):
    (project / ".wholeroad").mkdir()
    (project / ".wholeroad" / "format").write_text("2\n")
    refusal(lambda: wholeroad.open(project), "project.format")


# The lock


def test_garbage_in_the_lock_names_the_file_and_deleting_it_mends(project):
    lock = project / ".wholeroad" / "lock.sqlite"
    lock.parent.mkdir()
    lock.write_bytes(b"garbage " * 1000)
    assert f"delete {lock}" in refusal(wholeroad.open(project).land, "project.lock-broken")
    lock.unlink()
    assert len(wholeroad.open(project).land()) == 2


def test_a_lock_that_is_a_folder_is_not_said_to_be_busy(tmp_path):
    (tmp_path / "lock.sqlite").mkdir()

    def take():
        with held(tmp_path, purpose="a test", since="now"):
            pass

    assert "lock.sqlite" in refusal(take, "project.unusable")


# The ledger


def _overwrite(path: Path) -> None:
    gc.collect()  # closes the connections of projects that nobody holds any more
    for beside in path.parent.glob(f"{path.name}-*"):
        beside.unlink()
    path.write_bytes(b"garbage " * 1000)


BROKEN = {
    "garbage": _overwrite,
    "an unknown fact": lambda path: _say(path, b'{"fact":"Surprise","at":1}'),
    "no fact": lambda path: _say(path, b"\xff\xfe"),
    "a text": lambda path: _say(path, b"{}", kind="text"),
}


def _say(path: Path, fact: bytes, kind: str = "blob") -> None:
    connection = sqlite3.connect(path)
    value = fact if kind == "blob" else fact.decode()
    connection.execute("create table other (seq integer primary key, fact)")
    connection.execute("insert into other select * from facts")
    connection.execute("drop table facts")
    connection.execute("alter table other rename to facts")
    connection.execute("insert into facts (fact) values (?)", (value,))
    connection.commit()
    connection.close()


@pytest.mark.parametrize("how", BROKEN)
def test_a_projects_broken_ledger_names_itself_and_can_be_done_without(project, how):
    wholeroad.open(project).land()
    before = wholeroad.open(project).versions("parcels").frame
    ledger = project / ".wholeroad" / "ledger.sqlite"
    BROKEN[how](ledger)
    said = refusal(wholeroad.open(project).land, "ledger.broken")
    assert str(ledger) in said
    assert "land again" in said
    for path in ledger.parent.glob("ledger.sqlite*"):
        path.unlink()
    landed = wholeroad.open(project).land()
    assert [fact.landed for fact in landed] == [0, 0]
    assert wholeroad.open(project).versions("parcels").frame.equals(before)


@pytest.mark.parametrize("how", BROKEN)
def test_a_rehearsals_broken_ledger_says_to_delete_the_folder_and_that_mends(project, rehearsed, how):
    folder = rehearsed.folder / "never"
    BROKEN[how](folder / ".wholeroad" / "ledger.sqlite")
    said = refusal(lambda: again(project), "ledger.broken")
    assert str(folder / ".wholeroad" / "ledger.sqlite") in said
    assert f"delete {folder}" in said
    shutil.rmtree(folder)
    assert again(project).policies.equals(rehearsed.policies)


def test_a_ledger_that_another_process_writes_to_is_tried_later(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", decode)
    ledger._connection.execute("pragma busy_timeout = 0")
    other = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(wholeroad.TryLaterError, match=r"ledger\.busy"):
        ledger.append([_opened()])
    other.execute("rollback")
    ledger.append([_opened()])
    assert [fact for _, fact in ledger.read()] == [_opened()]


def _opened():
    return decode(b'{"fact":"Opened","at":1,"manifest":"m"}')


# Tables and blobs of a rehearsal


@pytest.mark.parametrize("part", ["tables", "tables/decisions/_delta_log"])
def test_decisions_that_are_gone_name_the_folder_and_deleting_it_mends(project, rehearsed, part):
    folder = rehearsed.folder / "never"
    shutil.rmtree(folder / ".wholeroad" / part)
    for call in (lambda: again(project), lambda: rehearsed.decisions("never")):
        assert f"delete {folder}" in refusal(call, "rehearse.tables")
    shutil.rmtree(folder)
    assert again(project).policies.equals(rehearsed.policies)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "a flipped bit": _flip,
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"garbage"),
    "gone": Path.unlink,
}


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_blobs_are_made_again_to_the_same_bytes(project, rehearsed, how):
    blobs = project / ".wholeroad" / "blobs"
    before = {path: path.read_bytes() for path in blobs.rglob("*") if path.is_file()}
    assert {path.parent.name for path in before} == {"choices", "fits", "models", "scores"}
    for path in before:
        DAMAGES[how](path)
    assert again(project).policies.equals(rehearsed.policies)
    shutil.rmtree(rehearsed.folder)
    assert again(project).policies.equals(rehearsed.policies)
    assert {path: path.read_bytes() for path in blobs.rglob("*") if path.is_file()} == before


def test_a_damaged_model_is_made_again_when_a_rehearsal_is_taken_up(tmp_path):
    # Cycles so short that spans are sealed while one model is in charge.
    project = write(tmp_path / "often", worlds.BRIEF.replace('every = "1d"', 'every = "2h"'))
    rehearsed = again(project)
    connection = sqlite3.connect(rehearsed.folder / "never" / ".wholeroad" / "ledger.sqlite")
    spans = "select seq from facts where cast(fact as text) like '%SpanDecided%' order by seq"
    assert len(connection.execute(spans).fetchall()) == 3
    connection.execute(f"delete from facts where seq > ({spans} limit 1 offset 1)")
    connection.commit()
    connection.close()
    blobs = project / ".wholeroad" / "blobs"
    shutil.rmtree(blobs / "scores")
    for path in (blobs / "models").iterdir():
        _flip(path)
    assert again(project).policies.equals(rehearsed.policies)


def test_a_blob_put_over_a_damaged_one_is_there(tmp_path):
    blobs = FolderBlobs(tmp_path)
    blobs.put("fits", "aa", data=b"whole")
    _flip(tmp_path / "fits" / "aa")
    assert blobs.get("fits", "aa") is None
    blobs.put("fits", "aa", data=b"whole")
    assert blobs.get("fits", "aa") == b"whole"


# Calls from Python


def test_one_policy_may_be_a_text(project, rehearsed):
    assert rehearsed.policies.equals(wholeroad.open(project).rehearse(["never"], to_at=UNTIL).policies)


@pytest.mark.parametrize(
    "to_at",
    [
        parse_instant(UNTIL),
        date(2024, 2, 3),
        datetime(2024, 2, 3),  # noqa: DTZ001 - without an offset it is UTC
        datetime(2024, 2, 3, tzinfo=UTC),
        datetime(2024, 2, 3, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        "2024-02-03T01:00:00+01:00",
    ],
)
def test_a_bound_may_be_any_kind_of_date(project, rehearsed, to_at):
    other = wholeroad.open(project).rehearse("never", to_at=to_at)
    assert other.folder == rehearsed.folder


@pytest.mark.parametrize(
    ("bounds", "code"),
    [
        ({"from_at": "2024-02-02", "to_at": "2024-02-01"}, "rehearse.span"),
        ({"from_at": "2024-02-02", "to_at": date(2024, 2, 2)}, "rehearse.span"),
        ({"from_at": "yesterday"}, "rehearse.date"),
        ({"to_at": 3.5}, "rehearse.date"),
        ({"to_at": True}, "rehearse.date"),
        ({"name": ""}, "rehearse.name"),
    ],
)
def test_what_can_be_refused_at_once_is_refused_before_anything_is_written(project, bounds, code):
    refusal(lambda: wholeroad.open(project).rehearse("never", **bounds), code)
    assert not (project / ".wholeroad").exists()


def test_an_empty_name_is_refused_by_the_command_line_too(project, capsys):
    exit_code, _, error = command(capsys, "rehearse", project, "--name", "")
    assert (exit_code, "rehearse.name" in error) == (2, True)


def test_a_bad_date_is_said_once(project, capsys):
    exit_code, _, error = command(capsys, "rehearse", project, "--to", "tomorrow")
    assert (exit_code, error.count("tomorrow"), error.count("2013-03-01T")) == (2, 1, 1)


class Arrow:
    """A table that speaks Arrow and is no Polars frame."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("given", [lambda f: f, pl.DataFrame.lazy, Arrow], ids=["frame", "lazy", "Arrow"])
def test_rows_may_come_as_any_frame(project, given):
    opened = wholeroad.open(project)
    assert opened.land_rows("parcels", given(SMALL[0])).landed == SMALL[0].height


@pytest.mark.parametrize("rows", [[1, 2], None, "parcels.parquet", {"parcel_id": [1]}, pl.Series([1])])
def test_rows_that_are_no_table_are_refused(project, rows):
    refusal(lambda: wholeroad.open(project).land_rows("parcels", rows), "data.no-frame")
    assert not (project / ".wholeroad").exists()


@pytest.mark.parametrize("policy", ["every 3d", "nonsense", "status quo", "../never"])
def test_what_was_not_rehearsed_is_said_and_no_folder_is_made(rehearsed, policy):
    before = below(rehearsed.folder)
    for call in (rehearsed.decisions, rehearsed.export):
        assert "one of never" in refusal(lambda call=call: call(policy), "rehearse.not-run")
    assert below(rehearsed.folder) == before


def test_what_is_shown_of_objects_is_short(project, rehearsed):
    assert repr(wholeroad.open(project)) == f"<Project 'small' in {project}>"
    assert repr(rehearsed).startswith("<Rehearsed 'small' in ")
    assert "never" in repr(rehearsed)
    assert len(repr(rehearsed)) < 300
