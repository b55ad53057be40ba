"""A PostgreSQL server of the tests' own, Debian's, in a folder that goes with it.

Where it is missing, such a test is skipped with a notice; with REACH_CI=1 it fails.
"""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

DEBIANS = Path("/usr/lib/postgresql")  # not on the path there, and in a folder for each version
QUICK = ["-c", "fsync=off", "-c", "listen_addresses=", "-c", "max_connections=40", "-c", "log_min_messages=error"]


@pytest.fixture(scope="session")
def postgresql() -> Iterator["Server"]:
    """The one server of these tests."""
    programs = _programs()
    if programs is None:
        missing = "no PostgreSQL server: `make system-tools`, or your system's package `postgresql`"
        if os.environ.get("REACH_CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a short name: a socket's path has at most 107 characters
    server = Server(programs, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """It listens on a socket in its folder, so that no port can be taken. It refuses root, so root lends it a user."""

    def __init__(self, programs: Path, folder: Path):
        self._programs, self._folder = programs, folder
        self._user = _user_without_rights()
        self._databases = itertools.count(1)
        self._process: subprocess.Popen | None = None
        if self._user:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        made = self._run("initdb", "--no-sync", "--auth=trust", "--username=teacher", "--encoding=UTF8", self._data)
        assert made.returncode == 0, made.stderr

    def start(self) -> None:
        """Return once it answers."""
        command = [self._programs / "postgres", "-D", self._data, "-k", self._folder, *QUICK]
        self._process = subprocess.Popen(command, **self._as_user(), stderr=subprocess.DEVNULL)
        while self._run("pg_isready", "-h", self._folder, "-q").returncode:
            assert self._process.poll() is None, "the server did not start"

    def stop(self) -> None:
        """At once: clients are cut off, and what they have not committed is gone."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        self._process = None

    def database(self) -> str:
        """SQLAlchemy's URL of a new and empty database, with a password in it that must be shown nowhere."""
        name = f"school_{next(self._databases)}"
        self.sql(f"CREATE DATABASE {name}", "postgres")
        return f"postgresql+psycopg://teacher:s3cret@/{name}?host={self._folder}"

    def sql(self, statement: str, database: str) -> str:
        done = self._run("psql", "-h", self._folder, "-U", "teacher", "-d", database, "-At", "-c", statement)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *words: object) -> subprocess.CompletedProcess:
        command = [self._programs / program, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, **self._as_user())

    def _as_user(self) -> dict:
        user = self._user
        return {"cwd": self._folder} | ({"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {})


def _programs() -> Path | None:
    """The folder with `initdb` and the others: that of the newest version, or the one on the path."""
    versions = sorted(DEBIANS.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = [str(path) for path in versions[-1:]] or list(filter(None, [shutil.which("initdb")]))
    return Path(found[0]).resolve().parent if found else None


def _user_without_rights() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None
