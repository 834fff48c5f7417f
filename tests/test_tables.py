"""Tables and blobs, on disk and in memory."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from wholeroad.adapters import tables_delta
from wholeroad.adapters.blobs import FolderBlobs, LayeredBlobs, MemoryBlobs
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.adapters.tables_layered import LayeredTables
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.errors import RoadError, UserError
from wholeroad.testing.tables_suite import TablesSuite


class TestMemoryTables(TablesSuite):
    def make(self, folder):
        del folder
        return MemoryTables()


class TestLayeredTables(TablesSuite):
    def make(self, folder):
        del folder
        return LayeredTables(MemoryTables())

    def test_what_is_below_is_seen_and_never_written_to(self):
        below = MemoryTables()
        below.append("rows", pl.DataFrame({"n": [1]}), writer="w", version=4)
        tables = LayeredTables(below)
        assert tables.read("rows")["n"].to_list() == [1]
        assert not tables.append("rows", pl.DataFrame({"n": [2]}), writer="w", version=4)
        assert tables.append("rows", pl.DataFrame({"n": [2]}), writer="w", version=5)
        assert tables.append("rows", pl.DataFrame({"n": [3]}), writer="other", version=1)
        assert tables.append("more", pl.DataFrame({"n": [9]}), writer="w", version=1)
        assert tables.read("rows")["n"].to_list() == [1, 2, 3]
        assert (tables.version("rows", "w"), tables.version("rows", "other")) == (5, 1)
        assert below.read("rows")["n"].to_list() == [1]
        assert below.version("rows", "w") == 4
        assert not below.exists("more")


class TestDeltaTables(TablesSuite):
    def make(self, folder):
        return DeltaTables(folder)

    def reopen(self, tables, folder):
        del tables
        return DeltaTables(folder)

    def test_the_order_holds_over_a_checkpoint(self, tmp_path):
        tables = DeltaTables(tmp_path)
        for version in range(110):
            tables.append("rows", pl.DataFrame({"n": [version, -version]}), writer="w", version=version)
        assert list((tmp_path / "rows" / "_delta_log").glob("*checkpoint*"))
        wanted = [n for version in range(110) for n in (version, -version)]
        assert DeltaTables(tmp_path).read("rows")["n"].to_list() == wanted
        assert DeltaTables(tmp_path).version("rows", "w") == 109

    def test_files_that_no_version_needs_any_more_are_deleted_when_they_are_old(self, tmp_path, monkeypatch):
        """Written together again and again, a table would take many times its size on the disk."""
        tables, other = DeltaTables(tmp_path), DeltaTables(tmp_path)
        folder = tmp_path / "rows"

        def append(versions):
            for version in versions:
                tables.append("rows", pl.DataFrame({"n": [version]}), writer="w", version=version)
            assert other.read("rows")["n"].to_list() == [*range(versions[-1] + 1)]

        append(range(64))
        written = sorted(folder.glob("*.parquet"))
        append(range(64, 130))
        assert {*written} < {*folder.glob("*.parquet")}  # somebody may be reading them
        unfinished = folder / "part-0.parquet"  # of a process that was killed
        unfinished.write_bytes(b"half a file")
        append(range(130, 200))
        assert unfinished.exists()  # it may be being written
        monkeypatch.setattr(tables_delta, "_KEPT_H", 0)
        append(range(200, 300))
        assert not unfinished.exists()
        assert not {*written} & {*folder.glob("*.parquet")}
        assert len([*folder.glob("*.parquet")]) < 100
        assert DeltaTables(tmp_path).read("rows")["n"].to_list() == [*range(300)]

    def test_the_order_holds_after_others_have_compacted_the_table(self, tmp_path):
        from deltalake import DeltaTable

        tables = DeltaTables(tmp_path)
        for version in range(12):
            tables.append(
                "rows", pl.DataFrame({"n": [version], "m": [-version]}), writer="w", version=version
            )
        DeltaTable(tmp_path / "rows").optimize.z_order(["m"])
        assert tables.read("rows")["n"].to_list() == list(range(12))
        tables.append("rows", pl.DataFrame({"n": [12], "m": [0]}), writer="w", version=12)
        assert DeltaTables(tmp_path).read("rows")["n"].to_list() == list(range(13))

    def test_two_writers_with_one_name_write_once(self, tmp_path):
        one, two = DeltaTables(tmp_path), DeltaTables(tmp_path)
        frame = pl.DataFrame({"n": [1]})
        for version in range(5):
            with ThreadPoolExecutor(2) as pool:
                wrote = list(
                    pool.map(
                        lambda store, v=version: store.append("rows", frame, writer="w", version=v),
                        (one, two),
                    )
                )
            assert sorted(wrote) == [False, True]
        assert DeltaTables(tmp_path).read("rows").height == 5

    def test_another_writer_in_between_loses_nothing(self, tmp_path):
        one, two = DeltaTables(tmp_path), DeltaTables(tmp_path)
        frame = pl.DataFrame({"n": [1]})
        one.append("rows", frame, writer="a", version=0)
        two.append("rows", frame, writer="b", version=0)
        one.append("rows", frame, writer="a", version=1)
        assert two.read("rows").height == 3
        assert (two.version("rows", "a"), one.version("rows", "b")) == (1, 0)

    @pytest.mark.parametrize("damage", ["log", "file", "gone"])
    def test_a_broken_table_is_a_clear_error(self, tmp_path, damage):
        tables = DeltaTables(tmp_path)
        tables.append("rows", pl.DataFrame({"n": list(range(1000))}), writer="w", version=0)
        (file,) = (tmp_path / "rows").glob("*.parquet")
        if damage == "log":
            (tmp_path / "rows" / "_delta_log" / f"{0:020}.json").write_text("rubbish")
        elif damage == "file":
            file.write_bytes(file.read_bytes()[:100])
        else:
            file.unlink()
        with pytest.raises(UserError, match=r"tables\.broken") as caught:
            DeltaTables(tmp_path).read("rows")
        assert "rows" in str(caught.value)

    def test_an_append_that_was_cut_short_leaves_nothing(self, tmp_path):
        tables = DeltaTables(tmp_path)
        (tmp_path / "rows" / "_delta_log").mkdir(parents=True)
        (tmp_path / "rows" / "part-0.parquet").write_bytes(b"half a file")
        assert not tables.exists("rows")
        tables.append("rows", pl.DataFrame({"n": [1]}), writer="w", version=0)
        assert_frame_equal(DeltaTables(tmp_path).read("rows"), pl.DataFrame({"n": [1]}))

    def test_pyarrow_is_not_needed(self, tmp_path):
        script = f"""
import sys
sys.modules["pyarrow"] = None
import polars as pl
from pathlib import Path
from wholeroad.adapters.tables_delta import DeltaTables
tables = DeltaTables(Path({str(tmp_path)!r}))
tables.append("rows", pl.DataFrame({{"n": [1], "s": ["x"]}}), writer="w", version=0)
assert tables.read("rows").rows() == [(1, "x")]
"""
        subprocess.run([sys.executable, "-c", script], check=True)


@pytest.fixture(params=["folder", "memory"])
def blobs(request, tmp_path):
    return FolderBlobs(tmp_path / "blöbs 1") if request.param == "folder" else MemoryBlobs()


def test_a_blob_comes_back_and_the_same_key_is_one_blob(blobs):
    assert blobs.get("model", "ab12") is None
    blobs.put("model", "ab12", data=b"one")
    blobs.put("model", "ab12", data=b"two")
    blobs.put("cut", "ab12", data=b"")
    assert blobs.get("model", "ab12") == b"one"
    assert blobs.get("cut", "ab12") == b""


@pytest.mark.parametrize("key", ["", "../x", "AB", "a/b", "a.b", "g"])
def test_a_blobs_key_is_a_safe_name(blobs, key):
    with pytest.raises(RoadError, match=r"blobs\.bad-key"):
        blobs.put("model", key, data=b"")
    with pytest.raises(RoadError, match=r"blobs\.bad-key"):
        blobs.get("../model", "ab")


def test_a_blob_that_was_cut_short_is_not_there(tmp_path):
    blobs = FolderBlobs(tmp_path)
    blobs.put("model", "aa", data=b"x")
    (tmp_path / "model" / ".put-abc").write_bytes(b"half")
    assert blobs.get("model", "bb") is None
    blobs.put("model", "bb", data=b"whole")
    assert sorted(each.name for each in (tmp_path / "model").iterdir()) == [".put-abc", "aa", "bb"]


SMALL_DISK = """
import resource, sys
from pathlib import Path
from wholeroad.adapters.blobs import FolderBlobs
from wholeroad.adapters.folders import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for write in (
    lambda: FolderBlobs(Path(sys.argv[1]) / "blobs").put("model", "aa", data=b"x" * 3000),
    lambda: write_whole(Path(sys.argv[1]) / "manifest.json", b"x" * 3000),
):
    try:
        write()
    except OSError:
        continue
    sys.exit("it was written")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")
def test_what_cannot_be_written_whole_is_not_there_and_what_was_there_stays(tmp_path):
    (tmp_path / "manifest.json").write_bytes(b"as it was")
    subprocess.run([sys.executable, "-c", SMALL_DISK, str(tmp_path)], check=True)
    assert FolderBlobs(tmp_path / "blobs").get("model", "aa") is None
    assert (tmp_path / "manifest.json").read_bytes() == b"as it was"


def test_many_small_appends_are_written_together_and_no_row_changes_its_place(tmp_path):
    tables = DeltaTables(tmp_path)
    for number in range(150):
        frame = pl.DataFrame({"number": [2 * number, 2 * number + 1]})
        assert tables.append("nightly", frame, writer="engine", version=number + 1)
    again = DeltaTables(tmp_path)
    assert again.read("nightly")["number"].to_list() == list(range(300))
    assert again.version("nightly", "engine") == 150
    assert not again.append("nightly", frame, writer="engine", version=150)
    assert len(again._needed("nightly").file_uris()) < 100


def test_layered_blobs_are_seen_and_never_written_below():
    below = MemoryBlobs()
    below.put("raw", "aa", data=b"one")
    blobs = LayeredBlobs(below)
    blobs.put("raw", "bb", data=b"two")
    assert (blobs.get("raw", "aa"), blobs.get("raw", "bb"), blobs.get("raw", "cc")) == (b"one", b"two", None)
    assert below.get("raw", "bb") is None
