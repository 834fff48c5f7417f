# ruff: noqa: S101 - a suite of tests asserts; it is shipped for plug-ins
"""What every store of tables must do: subclass :class:`TablesSuite` and give ``make``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from wholeroad.core.errors import RoadError
from wholeroad.core.ports import Tables

_INSTANT = pl.Datetime("us", "UTC")
_AT = datetime(2013, 1, 1, 5, 0, 0, 123456, tzinfo=UTC)


class TablesSuite(ABC):
    """Tests of the port ``Tables``; pytest collects them from a subclass named ``Test...``."""

    @abstractmethod
    def make(self, folder: Path) -> Tables:
        """Make an empty store; ``folder`` is fresh, its name has a space and a letter beyond ASCII."""

    def reopen(self, tables: Tables, folder: Path) -> Tables:
        """Open the same store again, as another process would; a store without a disk gives itself."""
        del folder
        return tables

    def _store(self, tmp_path: Path) -> tuple[Tables, Path]:
        folder = tmp_path / "a störe #1"
        folder.mkdir()
        return self.make(folder), folder

    def test_rows_come_back_in_the_order_of_their_appends(self, tmp_path: Path) -> None:
        """Over many appends, some of them empty, and after opening again."""
        tables, folder = self._store(tmp_path)
        parts = [
            pl.DataFrame({"n": list(range(k * 10, k * 10 + k % 4))}, schema={"n": pl.Int64})
            for k in range(70)
        ]
        for version, part in enumerate(parts):
            assert tables.append("rows", part, writer="w", version=version)
            if version % 20 == 0:
                tables.read("rows")
        for store in (tables, self.reopen(tables, folder)):
            assert_frame_equal(store.read("rows"), pl.concat(parts))
            for skip in (1, 2, 3, 6, 7, 50, 95, 96, 97, 103, 104, 105, 999):
                assert_frame_equal(store.read("rows", ["n"], skip=skip), pl.concat(parts)[skip:])

    def test_an_append_is_there_once(self, tmp_path: Path) -> None:
        """A version at or below the newest of its writer is left out; writers don't mind each other."""
        tables, folder = self._store(tmp_path)
        frame = pl.DataFrame({"n": [1]})
        assert tables.version("rows", "w") is None
        assert tables.append("rows", frame, writer="w", version=3)
        assert not tables.append("rows", frame, writer="w", version=3)
        assert not tables.append("rows", frame, writer="w", version=2)
        assert tables.append("rows", frame, writer="other", version=1)
        again = self.reopen(tables, folder)
        assert not again.append("rows", frame, writer="w", version=3)
        assert again.append("rows", frame, writer="w", version=4)
        assert (again.version("rows", "w"), again.version("rows", "other")) == (4, 1)
        assert tables.read("rows").height == 3

    def test_types_come_back(self, tmp_path: Path) -> None:
        """Instants stay microseconds in UTC, nulls stay null, NaN stays NaN; names may have spaces."""
        tables, folder = self._store(tmp_path)
        frame = pl.DataFrame(
            {
                "at": pl.Series([_AT, None], dtype=_INSTANT),
                "a b/c": ["x", None],
                "größe": [1.5, float("nan")],
                "flag": [True, None],
                "small": pl.Series([1, None], dtype=pl.Int8),
                "day": pl.Series([_AT.date(), None], dtype=pl.Date),
                "naive": pl.Series([_AT.replace(tzinfo=None), None], dtype=pl.Datetime("us")),
                "data": [b"\xff\x00", None],
            }
        )
        tables.append("types", frame, writer="w", version=0)
        again = self.reopen(tables, folder)
        assert_frame_equal(again.read("types"), frame)
        assert again.schema("types") == frame.schema
        assert_frame_equal(again.read("types", ["größe", "at"]), frame.select("größe", "at"))

    def test_enums_become_text_and_unsigned_integers_wider(self, tmp_path: Path) -> None:
        """What no table holds is cast to what holds every value."""
        tables, _ = self._store(tmp_path)
        frame = pl.DataFrame(
            {
                "enum": pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
                "category": pl.Series(["a", "b"], dtype=pl.Categorical),
                "byte": pl.Series([0, 255], dtype=pl.UInt8),
                "local": pl.Series([_AT, _AT], dtype=_INSTANT).dt.convert_time_zone("America/New_York"),
            }
        )
        tables.append("types", frame, writer="w", version=0)
        tables.append("types", frame, writer="w", version=1)
        read = tables.read("types")
        assert read.dtypes == [pl.String, pl.String, pl.Int16, _INSTANT]
        assert read["byte"].to_list() == [0, 255] * 2
        assert read["local"].to_list() == [_AT] * 4

    def test_an_empty_frame_makes_the_table(self, tmp_path: Path) -> None:
        """Its schema is the table's from then on."""
        tables, folder = self._store(tmp_path)
        frame = pl.DataFrame(schema={"n": pl.Int64, "at": _INSTANT})
        assert not tables.exists("empty")
        assert tables.append("empty", frame, writer="w", version=0)
        again = self.reopen(tables, folder)
        assert again.exists("empty")
        assert_frame_equal(again.read("empty"), frame)
        assert_frame_equal(again.read("empty", ["at"]), frame.select("at"))
        assert again.version("empty", "w") == 0

    def test_a_column_of_nulls_takes_the_tables_type(self, tmp_path: Path) -> None:
        """As a table's first column it has no type, and is refused."""
        tables, _ = self._store(tmp_path)
        nulls = pl.DataFrame({"n": [None]})
        assert _code(lambda: tables.append("nulls", nulls, writer="w", version=0)) == "tables.column-type"
        tables.append("nulls", pl.DataFrame({"n": [1]}), writer="w", version=0)
        tables.append("nulls", nulls, writer="w", version=1)
        assert tables.read("nulls")["n"].to_list() == [1, None]

    def test_rows_that_do_not_fit_are_refused(self, tmp_path: Path) -> None:
        """Another type, one column more, one less; nothing is written then. The order doesn't matter."""
        tables, _ = self._store(tmp_path)
        frame = pl.DataFrame({"a": [1], "b": ["x"]})
        tables.append("rows", frame, writer="w", version=0)
        for other in (
            frame.cast({"a": pl.Float64}),
            frame.with_columns(c=1),
            frame.drop("b"),
            frame.with_columns(_position=1),
        ):
            assert (
                _code(lambda other=other: tables.append("rows", other, writer="w", version=1))
                == "tables.schema-mismatch"
            )
        assert tables.version("rows", "w") == 0
        assert tables.append("rows", frame.select("b", "a"), writer="w", version=1)
        assert_frame_equal(tables.read("rows"), pl.concat([frame, frame]))

    def test_what_is_not_there_is_said(self, tmp_path: Path) -> None:
        """A table, a column, or a name that no folder should have."""
        tables, _ = self._store(tmp_path)
        assert not tables.exists("none")
        assert _code(lambda: tables.read("none")) == "tables.missing"
        assert _code(lambda: tables.schema("none")) == "tables.missing"
        for name in ("", "../up", "a b", "x" * 200):
            frame = pl.DataFrame({"n": [1]})
            assert (
                _code(lambda name=name, frame=frame: tables.append(name, frame, writer="w", version=0))
                == "tables.bad-name"
            )
        tables.append("rows", pl.DataFrame({"n": [1]}), writer="w", version=0)
        assert _code(lambda: tables.read("rows", ["m"])) == "tables.schema-mismatch"


def _code(call: object) -> str:
    if not callable(call):
        raise TypeError
    try:
        call()
    except RoadError as error:
        return error.code
    return "nothing was raised"
