"""Rows from databases: PostgreSQL and SQLite, through the real drivers and a real server."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import wholeroad
import worlds
from servers import PASSWORD, Server, server  # noqa: F401 - a fixture
from wholeroad.adapters import databases
from wholeroad.adapters.addresses import address_of
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.queries import checked_query
from wholeroad.core.errors import TryLaterError, UserError

FILE = 'read = "deliveries.parquet"'
INSTANTS = 'types = { delivered_at = "instant", reported_at = "instant" }'
KEPT = "parcel_id, delivered_at, reported_at, delay_h, on_day, fine, note, ARRAY[1, 2] AS legs"
SMALL = worlds.parcels(days=3)


def asked(query: str, *more: str) -> str:
    """Give the brief with its deliveries out of a database."""
    lines = "\n".join([f"read = '''{query}'''", 'database = "SHOP_DATABASE"', *more])
    return worlds.BRIEF.replace(FILE, lines)


def fill(path: Path, outcomes: pl.DataFrame, *, table: str = "deliveries") -> None:
    rows = outcomes.with_columns(pl.col("delivered_at", "reported_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
    connection = sqlite3.connect(path)
    connection.execute(f"create table if not exists {table} ({', '.join(rows.columns)})")
    connection.executemany(f"insert into {table} values (?, ?, ?, ?)", rows.rows())
    connection.commit()
    connection.close()


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project whose deliveries are in SQLite, beside the brief."""
    brief = asked("SELECT * FROM deliveries", INSTANTS)
    folder = worlds.write(tmp_path / "project", *SMALL, brief=brief)
    fill(folder / "shop.db", SMALL[1])
    monkeypatch.setenv("SHOP_DATABASE", "sqlite:shop.db")
    return folder


def refusal(folder: Path, code: str, kind: type[UserError] = UserError) -> str:
    with pytest.raises(kind) as caught:
        wholeroad.open(folder).land()
    assert caught.value.code == code, str(caught.value)
    return str(caught.value)


# SQLite


def test_rows_of_a_query_are_those_of_a_file(shop, tmp_path):
    from_file = wholeroad.open(worlds.write(tmp_path / "file", *SMALL))
    from_file.land()
    from_query = wholeroad.open(shop)
    assert [fact.landed for fact in from_query.land()] == [72, 72]
    expected, found = (each.versions("deliveries").frame for each in (from_file, from_query))
    assert_frame_equal(found.sort("parcel_id"), expected.sort("parcel_id"), check_exact=True)


def test_a_query_whose_rows_are_the_same_lands_nothing_in_whatever_order(shop):
    wholeroad.open(shop).land()
    assert wholeroad.open(shop).land() == []
    brief = shop / "brief.toml"
    brief.write_text(brief.read_text().replace("FROM deliveries", "FROM deliveries ORDER BY delay_h"))
    (fact,) = wholeroad.open(shop).land()
    assert (fact.landed, fact.repeated) == (0, 72)


def test_new_rows_of_a_query_land(shop):
    wholeroad.open(shop).land()
    more = SMALL[1].head(5).with_columns(parcel_id=pl.col("parcel_id") + 10_000)
    fill(shop / "shop.db", more)
    (fact,) = wholeroad.open(shop).land()
    assert (fact.landed, fact.repeated) == (5, 72)


def test_a_table_without_a_stamp_becomes_versions_query_by_query(tmp_path, monkeypatch):
    state = 'key = "depot"\nhappened_at = "landed"\nknown_at = "landed"\n'
    query = 'read = "SELECT * FROM depots"\ndatabase = "SHOP_DATABASE"\n'
    brief = worlds.BRIEF.replace("[feature]", f"[source.depots]\n{query}{state}[feature]")
    folder = worlds.write(tmp_path, *SMALL, brief=brief)
    monkeypatch.setenv("SHOP_DATABASE", f"sqlite:///{quote(str(tmp_path / 'shop one.db'))}")
    clock = SteppedClock(worlds.at(days=10))
    for day, state in enumerate(["open", "shut", "shut", "open"], start=10):
        with sqlite3.connect(tmp_path / "shop one.db") as connection:
            connection.execute("create table if not exists depots (depot, state)")
            connection.execute("delete from depots")
            connection.execute("insert into depots values ('A', ?), ('B', 'open')", (state,))
        connection.close()
        clock.step_to(worlds.at(days=day))
        wholeroad.open(folder, clock=clock).land()
    frame = wholeroad.open(folder).versions("depots").frame
    assert frame.filter(depot="A")["state"].to_list() == ["open", "shut", "open"]
    assert frame.filter(depot="B").height == 1


def test_a_column_whose_type_shows_late_is_read_again(shop, monkeypatch):
    with sqlite3.connect(shop / "shop.db") as connection:
        connection.execute("update deliveries set delay_h = round(delay_h) where rowid < 60")
    connection.close()
    monkeypatch.setattr(databases, "_SAMPLE", 10)
    wholeroad.open(shop).land()
    assert wholeroad.open(shop).versions("deliveries").frame.schema["delay_h"] == pl.Float64


def test_a_database_is_not_written_to(shop):
    with pytest.raises(UserError, match=r"database\.not-a-query"):
        _land_with(shop, "DELETE FROM deliveries")
    before = (shop / "shop.db").read_bytes()
    wholeroad.open(shop)
    assert (shop / "shop.db").read_bytes() == before


def _land_with(folder: Path, query: str) -> None:
    (folder / "brief.toml").write_text(asked(query, INSTANTS))
    wholeroad.open(folder).land()


def test_a_wrong_query_is_told_in_the_databases_own_words(shop):
    (shop / "brief.toml").write_text(asked("SELECT nope FROM deliveries"))
    assert "no such column: nope" in refusal(shop, "database.query")


def test_a_locked_database_is_tried_later(shop):
    other = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('begin exclusive'); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", other, str(shop / "shop.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        refusal(shop, "database.away", TryLaterError)
        holder.stdin.close()
    assert len(wholeroad.open(shop).land()) == 1


# The address


def test_no_address_is_said_with_the_variables_name(shop, monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE", " ")
    assert "SHOP_DATABASE was empty" in refusal(shop, "database.no-address")
    monkeypatch.delenv("SHOP_DATABASE")
    assert "SHOP_DATABASE was not set" in refusal(shop, "database.no-address")


@pytest.mark.parametrize(
    "address", ["mysql://u:hush@h/d", "shop.db", "postgresql://u:hush@h:port/d", "postgresql://u:hu%zzsh@h/d"]
)
def test_an_address_that_is_none_is_refused_and_not_repeated(shop, monkeypatch, address):
    monkeypatch.setenv("SHOP_DATABASE", address)
    said = refusal(shop, "database.bad-address")
    assert "hu" not in said.replace("expected: ", "")[: said.index("expected")]


def test_a_file_that_is_not_there_is_named_and_not_made(shop, monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE", "sqlite:other.db")
    assert str(shop / "other.db") in refusal(shop, "database.no-file")
    assert not (shop / "other.db").exists()


@pytest.mark.parametrize(
    ("written", "secrets"),
    [
        ("postgresql://me:p%40ss@h/d", ["p%40ss", "p@ss"]),
        ("postgres://me:pa:ss@h/d?x=1", ["pa:ss"]),
        ("postgresql://me:pa/ss@word@h/d", ["pa/ss@word"]),
        ("postgresql://h/d?password=p%40ss&x=1", ["p%40ss", "p@ss"]),
    ],
)
def test_a_password_is_masked_however_it_is_written(monkeypatch, tmp_path, written, secrets):
    monkeypatch.setenv("SHOP_DATABASE", written)
    address = address_of("SHOP_DATABASE", root=tmp_path, where="[source.x]")
    for secret in secrets:
        assert secret not in address.masked(f"could not log in as me with {secret} at {written}")
        assert secret not in address.shown
        assert secret not in repr(address)


def test_a_driver_that_is_not_installed_is_told_how(shop, monkeypatch):
    monkeypatch.setitem(sys.modules, "adbc_driver_manager", None)
    assert "pip install 'wholeroad[databases]'" in refusal(shop, "database.driver-missing")


def test_no_pyarrow_is_needed(shop):
    code = (
        "import sys, wholeroad; wholeroad.open(sys.argv[1]).land();"
        "sys.exit(bool({'pyarrow', 'pandas'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(shop)], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


# What may be asked


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "select a from t -- the end",
        "WITH x AS (SELECT 1 AS a) SELECT a FROM x;",
        "SELECT a FROM t UNION ALL SELECT b FROM u",
        "SELECT ';' AS mark, \"delete\" FROM updates",
        "SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b DESC",
    ],
)
def test_a_query_that_reads_is_one(query):
    assert checked_query(query, dialect="postgresql", where="x") == query.rstrip(";") + "\n"


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "-- nothing",
        "DELETE FROM t",
        "INSERT INTO t VALUES (1)",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE t",
        "SELECT * INTO other FROM t",
        "SELECT * FROM t FOR UPDATE",
        "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
        "COPY t TO '/tmp/x'",
        "ATTACH 'x.db' AS x",
        "PRAGMA user_version = 3",
        "EXPLAIN SELECT 1",
        "SET ROLE other",
        "VACUUM",
        "CREATE TABLE x AS SELECT 1",
        "SELEC 1",
        "SELECT FROM WHERE (",
    ],
)
def test_anything_else_is_no_query(query, dialect):
    with pytest.raises(UserError, match=r"database\.not-a-query"):
        checked_query(query, dialect=dialect, where="x")


# PostgreSQL


@pytest.fixture
def farm(server: Server, tmp_path, monkeypatch):  # noqa: F811
    """A project whose deliveries are in PostgreSQL."""
    server.run(
        "drop table if exists deliveries",
        "create table deliveries (parcel_id bigint, delivered_at timestamptz, reported_at timestamp,"
        " delay_h numeric(8, 2), on_day date, fine boolean, took interval, note text)",
        "insert into deliveries select g, timestamptz '2024-01-01 12:00+02' + g * interval '1 h',"
        " timestamp '2024-01-02' + g * interval '1 h', g / 4.0, date '2024-01-01' + g, g % 2 = 0,"
        " interval '1 h', case when g > 1 then 'é' || g end from generate_series(1, 50) g",
    )
    monkeypatch.setenv("SHOP_DATABASE", server.uri)
    return worlds.write(tmp_path, *SMALL, brief=asked(f"SELECT {KEPT} FROM deliveries -- all\n;"))


def test_types_of_postgresql_are_kept(farm):
    facts = wholeroad.open(farm).land()
    assert (facts[1].landed, facts[1].ignored) == (50, ("legs",))
    frame = wholeroad.open(farm).versions("deliveries").frame.sort("parcel_id")
    assert [str(frame.schema[name]) for name in ("parcel_id", "delay_h", "on_day", "fine", "note")] == [
        "Int64",
        "Float64",
        "Date",
        "Boolean",
        "String",
    ]
    first = frame.row(0, named=True)
    assert first["delivered_at"].isoformat() == "2024-01-01T11:00:00+00:00"
    assert first["reported_at"].isoformat() == "2024-01-02T01:00:00+00:00"
    assert frame["delay_h"].to_list()[:3] == [0.25, 0.5, 0.75]
    assert frame["note"].to_list()[:2] == [None, "é2"]
    assert wholeroad.open(farm).land() == []


def test_an_interval_is_refused_with_the_way_out(farm):
    (farm / "brief.toml").write_text(asked("SELECT * FROM deliveries"))
    assert "extract(epoch from took) AS took_s" in refusal(farm, "database.interval")


def test_nothing_is_written_to_the_server(farm, server):  # noqa: F811
    server.run("drop sequence if exists numbers", "create sequence numbers")
    (farm / "brief.toml").write_text(asked("SELECT nextval('numbers') AS parcel_id"))
    assert "read-only transaction" in refusal(farm, "database.query")


def test_postgresql_tells_what_is_wrong_with_a_query(farm):
    (farm / "brief.toml").write_text(asked("SELECT nope FROM deliveries"))
    assert 'column "nope" does not exist' in refusal(farm, "database.query")
    (farm / "brief.toml").write_text(asked("SELECT 1 / (parcel_id - 40) AS x FROM deliveries"))
    assert "division by zero" in refusal(farm, "database.query")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("road:", "someone:", "password authentication failed"),
        ("/postgres", "/elsewhere", 'database "elsewhere" does not exist'),
        (quote(PASSWORD, safe=""), "guess", "password authentication failed"),
    ],
)
def test_a_server_that_refuses_is_quoted_without_the_password(farm, monkeypatch, old, new, words):
    address = os.environ["SHOP_DATABASE"].replace(old, new)
    monkeypatch.setenv("SHOP_DATABASE", address)
    said = refusal(farm, "database.refused")
    assert words in said
    for secret in (PASSWORD, quote(PASSWORD, safe=""), "guess"):
        assert secret not in said


def test_a_server_that_is_not_there_is_tried_later(farm, monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE", "postgresql://road:hush@127.0.0.1:1/postgres")
    said = refusal(farm, "database.away", TryLaterError)
    assert "Connection refused" in said
    assert "hush" not in said


def test_a_connection_that_is_cut_midway_is_tried_later(farm):
    query = (
        "SELECT g AS parcel_id, CASE WHEN g = 90000 THEN pg_terminate_backend(pg_backend_pid()) END AS x"
        " FROM generate_series(1, 100000) g"
    )
    (farm / "brief.toml").write_text(asked(query))
    refusal(farm, "database.away", TryLaterError)
    assert not (farm / ".wholeroad" / "arriving").exists()


def test_the_password_is_nowhere_in_the_folder(farm):
    wholeroad.open(farm).land()
    secrets = [PASSWORD.encode(), quote(PASSWORD, safe="").encode()]
    for path in (farm / ".wholeroad").rglob("*"):
        assert not path.is_file() or not any(secret in path.read_bytes() for secret in secrets), path
