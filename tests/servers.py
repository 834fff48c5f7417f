"""A real PostgreSQL for tests: in a folder of its own, on loopback, ended by its id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest

PASSWORD = "s3cr:t/@%ä"


def _program(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(found[-1]) if found else None)


class Server:
    """A server with one user, ``road``, and one database of that name."""

    def __init__(self) -> None:
        self._postgres, initdb = _program("postgres"), _program("initdb")
        if self._postgres is None or initdb is None:
            why = "there is no PostgreSQL; Debian has it as postgresql"
            pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
        self.folder = Path(tempfile.mkdtemp(prefix="wholeroad-postgresql-"))
        self._rights: dict[str, object] = {}
        if os.geteuid() == 0:  # it refuses to be run by the superuser
            user = next(each for each in pwd.getpwall() if each.pw_name in {"postgres", "nobody"})
            shutil.chown(self.folder, user.pw_uid, user.pw_gid)
            self._rights = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        made = [initdb, "-D", str(self.folder / "data"), "-U", "road", "-N", "-A", "scram-sha-256"]
        made += ["--pwfile", str(secret), "-E", "UTF8", "--locale", "C"]
        self._run(made)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def uri(self) -> str:
        return f"postgresql://road:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "logging_collector": "off",
        }
        command = [self._postgres, "-D", str(self.folder / "data")]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self._rights
        )
        log.close()
        for _ in range(200):
            try:
                self.run("select 1")
            except Exception:
                if self._process.poll() is not None:
                    raise
                subprocess.run(["sleep", "0.05"], check=True)
            else:
                return
        message = (self.folder / "log").read_text()
        raise TimeoutError(message)

    def crash(self) -> None:
        """End it at once, as when the machine stops; connections are cut."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)

    def remove(self) -> None:
        """End it, and leave nothing behind."""
        if self._process.poll() is None:
            self.crash()
        shutil.rmtree(self.folder)

    def run(self, *commands: str) -> list[tuple]:
        """Run commands; give the rows of the last one."""
        import adbc_driver_manager as manager
        import polars as pl
        from adbc_driver_postgresql import _driver_path

        rows: list[tuple] = []
        with (
            manager.AdbcDatabase(driver=_driver_path(), uri=self.uri) as database,
            manager.AdbcConnection(database) as connection,
        ):
            for command in commands:
                with manager.AdbcStatement(connection) as statement:
                    statement.set_sql_query(command)
                    if command.lstrip().startswith("select"):
                        rows = pl.DataFrame(statement.execute_query()[0]).rows()
                    else:
                        statement.execute_update()
        return rows

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, check=False, cwd=self.folder, **self._rights)
        assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="module")
def server():
    started = Server()
    yield started
    started.remove()
