"""The hot log: acknowledged is on the disk, numbers never come twice, and other processes may read."""

import subprocess
import sys
import threading
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import power_cuts
from wholeroad.adapters import hot_log
from wholeroad.adapters.hot_log import MemoryHotLog, SqliteHotLog
from wholeroad.adapters.scratch import MemoryScratch, SqliteScratch
from wholeroad.core.errors import TryLaterError, UserError

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.binary(max_size=9_000)),
        st.tuples(st.just("prune"), st.integers(0, 30)),
        st.tuples(st.just("open again"), st.none()),
        st.tuples(st.just("start after"), st.integers(0, 20)),
    ),
    max_size=30,
)


@given(STEPS)
@settings(deadline=None, max_examples=40)
def test_law_on_disk_as_in_memory_and_as_a_plain_list_says(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("hot") / "hot.sqlite"
    disk, memory = SqliteHotLog(path), MemoryHotLog()
    kept: dict[int, bytes] = {}
    last = 0
    for step, what in steps:
        if step == "append":
            last += 1
            kept[last] = what
            assert disk.append(what) == memory.append(what) == last
        elif step == "prune":
            disk.prune(what)
            memory.prune(what)
            kept = {number: record for number, record in kept.items() if number > what}
        elif step == "open again":
            disk.close()
            disk = SqliteHotLog(path)
        else:
            disk.start_after(what)
            memory.start_after(what)
            last = max(last, what)
        assert disk.last == memory.last == last
    for after in {0, last // 2, last}:
        expected = [(number, record) for number, record in kept.items() if number > after]
        assert list(disk.read(after)) == list(memory.read(after)) == expected
    disk.close()


@pytest.mark.skipif(sys.platform == "win32", reason="watches SQLite's files as they are on Unix")
@pytest.mark.parametrize("luck", [None, 1, 2, 3])
def test_law_what_was_acknowledged_is_there_after_a_power_cut_at_any_moment(tmp_path, luck):
    with power_cuts.watched() as disk:
        cuts = acknowledge_and_cut(disk, tmp_path, luck=luck)
    assert disk.flushes >= 60
    for acknowledged, folder in cuts:
        log = SqliteHotLog(folder / "hot.sqlite")
        left = dict(log.read())
        assert [number for number, record in acknowledged.items() if left.get(number) != record] == []
        log.close()


@pytest.mark.skipif(sys.platform == "win32", reason="watches SQLite's files as they are on Unix")
@pytest.mark.parametrize("less", ["normal", "off"])
def test_with_less_than_full_a_power_cut_takes_what_was_acknowledged(tmp_path, monkeypatch, less):
    if less == "off":
        monkeypatch.setattr(hot_log, "SYNCHRONOUS", "off")
    else:
        monkeypatch.setattr(hot_log, "SYNCHRONOUS", "normal")
    with power_cuts.watched() as disk:
        (*_, (acknowledged, folder)) = acknowledge_and_cut(disk, tmp_path, luck=None)
    log = SqliteHotLog(folder / "hot.sqlite")
    assert len(acknowledged) > len(list(log.read()))
    log.close()


def acknowledge_and_cut(disk, tmp_path, *, luck):
    """Append, with a pruning and SQLite's own moves from its log in between; cut the power now and then."""
    log = SqliteHotLog(tmp_path / "hot.sqlite")
    acknowledged, cuts = {}, []
    for number in range(60):
        record = bytes([number]) * (50 if number % 3 else 60_000)
        acknowledged[log.append(record)] = record
        if number == 30:
            log.prune(9)
            acknowledged = {each: record for each, record in acknowledged.items() if each > 9}
        if number % 7 == 3:
            cuts.append((dict(acknowledged), tmp_path / f"cut-{number}"))
            disk.left(cuts[-1][1], luck=luck)
    log.close()
    return cuts


READER = """
import sys
from pathlib import Path
from wholeroad.adapters.hot_log import SqliteHotLog
log, seen = SqliteHotLog(Path(sys.argv[1])), 0
while seen < 400:
    for number, record in log.read(seen):
        assert number == seen + 1 and int(record) == number, (number, seen)
        seen = number
print(seen)
"""


def test_another_process_reads_in_order_while_this_one_writes(tmp_path):
    path = tmp_path / "hot.sqlite"
    log = SqliteHotLog(path)
    reader = subprocess.Popen([sys.executable, "-c", READER, str(path)], stdout=subprocess.PIPE)
    for number in range(1, 401):
        log.append(str(number).encode())
    assert reader.communicate(timeout=60)[0].split() == [b"400"]
    log.close()


def test_a_reader_never_sees_what_is_not_committed_and_misses_nothing(tmp_path):
    log = SqliteHotLog(tmp_path / "hot.sqlite")
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.extend(log.append(b"x" * 5_000) for _ in range(60)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    while len(seen) < 180:
        seen += [number for number, _ in log.read(seen[-1] if seen else 0)]
        log.prune(len(seen) // 2)
    for thread in threads:
        thread.join()
    assert seen == sorted(numbers) == [*range(1, 181)]
    assert all(second - first == 1 for first, second in pairwise(seen))
    log.close()


def test_a_reading_that_is_under_way_goes_on_over_a_pruning(tmp_path):
    log = SqliteHotLog(tmp_path / "hot.sqlite")
    for number in range(1, 201):
        log.append(str(number).encode())
    reading = log.read()
    first = next(reading)
    log.prune(150)
    rest = [number for number, _ in reading]
    assert first == (1, b"1")
    assert rest[-50:] == [*range(151, 201)]
    log.close()


@pytest.mark.parametrize("where", [b"SQLite format", b"CREATE TABLE", b"acknowledged"], ids=str)
def test_a_damaged_file_is_named(tmp_path, where):
    path = tmp_path / "hot.sqlite"
    log = SqliteHotLog(path)
    for _ in range(4):
        log.append(b"acknowledged" * 400)
    log.close()
    path.write_bytes(path.read_bytes().replace(where, b"?" * len(where), 1))
    with pytest.raises(UserError, match=r"hot\.sqlite") as refused:
        list(SqliteHotLog(path).read())
    assert refused.value.code == "hotlog.broken"


def test_a_record_that_is_gone_is_missed(tmp_path):
    log = SqliteHotLog(tmp_path / "hot.sqlite")
    for _ in range(3):
        log.append(b"x")
    log._connection.execute("delete from records where number = 2")
    with pytest.raises(UserError, match="record 2 is missing"):
        list(log.read())
    log.close()


def test_a_second_writer_is_told_to_wait_and_the_first_goes_on(tmp_path):
    log, other = SqliteHotLog(tmp_path / "hot.sqlite"), SqliteHotLog(tmp_path / "hot.sqlite")
    other._connection.execute("pragma busy_timeout = 10")
    log._connection.execute("begin immediate")
    with pytest.raises(TryLaterError) as refused:
        other.append(b"x")
    assert refused.value.code == "hotlog.busy"
    log._connection.execute("rollback")
    assert [log.append(b"a"), other.append(b"b")] == [1, 2]
    log.close()
    other.close()


FULL = """
import resource, sys
from pathlib import Path
from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.core.errors import UserError
log = SqliteHotLog(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    while True:
        print(log.append(b"x" * 3_000), flush=True)
except UserError as error:
    assert error.code == "project.unusable", error
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_is_named_and_nothing_acknowledged_is_lost(tmp_path):
    path = tmp_path / "hot.sqlite"
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    acknowledged = [int(line) for line in done.stdout.split()]
    assert acknowledged
    log = SqliteHotLog(path)
    assert [number for number, _ in log.read()] == acknowledged
    assert log.append(b"y") == acknowledged[-1] + 1
    log.close()


# The scratch

PUTS = st.lists(
    st.tuples(st.sampled_from(["put", "delete"]), st.binary(max_size=3), st.binary(max_size=6_000)),
    max_size=40,
)


@given(PUTS)
@settings(deadline=None, max_examples=40)
def test_law_the_scratch_is_a_dictionary(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("scratch") / "scratch.sqlite"
    path.write_bytes(b"left by a process that was killed")
    scratches = [SqliteScratch(path), SqliteScratch(), MemoryScratch()]
    kept: dict[bytes, bytes] = {}
    for step, key, data in steps:
        if step == "put":
            kept[key] = data
        else:
            kept.pop(key, None)
        for scratch in scratches:
            scratch.put(key, data) if step == "put" else scratch.delete(key)
    for key in {b"?", *(key for _, key, _ in steps)}:
        assert all(scratch.get(key) == kept.get(key) for scratch in scratches)
    for scratch in scratches[:2]:
        scratch.close()
    assert not path.exists()


def test_the_scratch_leaves_memory(tmp_path):
    path = tmp_path / "scratch.sqlite"
    scratch = SqliteScratch(path)
    for number in range(2_000):
        scratch.put(number.to_bytes(2, "big"), bytes(10_000))
    assert path.stat().st_size > 10_000_000
    assert scratch.get((7).to_bytes(2, "big")) == bytes(10_000)
    scratch.close()
