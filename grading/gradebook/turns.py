"""One at a time, where several machines share a gradebook: PostgreSQL's advisory locks, which end with a connection.

A lock file is of one folder, and over a network not of all machines. SQLite needs none of this: it has one writer, and
its file belongs to a folder. See PostgreSQL's manual, "Explicit Locking", section "Advisory Locks".
"""

import contextlib
import hashlib
import socket
from collections.abc import Iterator

from sqlalchemy import Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from grading.problems import Busy

POSTGRESQL = "postgresql"
LONGEST_WAIT = "60s"  # for another writer, whose transaction takes milliseconds

WHO = text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted "
    "AND objsubid = 1 AND ((classid::bigint << 32) | objid::bigint) = :key"
)


class Turn:
    """The right to grade one assignment, until it is given back or this process or its machine ends.

    Args:
        url: of the gradebook. With SQLite, everybody has the right: there the lock of the folder does.
        assignment: which one. Others may be graded meanwhile.

    Raises Busy if another run has it.
    """

    def __init__(self, url: str, assignment: str):
        self._url, self._assignment = url, assignment
        self._connection: Connection | None = None
        self.hold()

    def hold(self) -> None:
        """Take it, or take it again if the server has been away. Raises Busy if another run has it now."""
        if not _has_turns(self._url) or self._is_held():
            return
        self.give_back()
        connection, key = _connection_of_its_own(self._url), {"key": _key("grade", self._assignment)}
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
            other = connection.scalar(WHO, key) or "one that has ended by now"
            connection.close()
            raise Busy(f"Another run is grading {self._assignment} in this gradebook: {other}. Wait for it, or end it.")
        self._connection = connection

    def give_back(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _is_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            return self._connection.scalar(text("SELECT true"))
        except DBAPIError:
            return False


def wait_to_write(connection: Connection) -> None:
    """Until this transaction ends, no other one of ours writes: none fails because two add the same student."""
    if connection.dialect.name == POSTGRESQL:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_WAIT}'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _key("write")})


@contextlib.contextmanager
def making(url: str) -> Iterator[None]:
    """Make tables or register an assignment while nobody else does, or writes: nbgrader takes many transactions."""
    if not _has_turns(url):
        yield
        return
    with _connection_of_its_own(url) as connection:
        connection.execute(text(f"SET lock_timeout = '{LONGEST_WAIT}'"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _key("write")})
        yield


def _has_turns(url: str) -> bool:
    return make_url(url).get_backend_name() == POSTGRESQL


def _connection_of_its_own(url: str) -> Connection:
    """One that is closed, and gives its locks back, rather than kept for others. It says whose it is."""
    connection = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect()
    name = f"reach-grade on {socket.gethostname()}"
    connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": name})
    return connection


def _key(*what: str) -> int:
    """A number of 64 bits, as PostgreSQL wants it. Its locks are those of one database."""
    return int.from_bytes(hashlib.sha256("\0".join(("reach", *what)).encode()).digest()[:8], signed=True)
