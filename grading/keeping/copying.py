"""A gradebook of any database as one SQLite file, as it was at one moment."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, NullPool, create_engine, event, make_url, select

ROWS = 1_000  # that are in memory at once


def copy_database(url: str, path: Path) -> None:
    """Write all tables of a database to a new SQLite file. Others may write to it meanwhile: none of that is in it.

    Args:
        url: SQLAlchemy's.
        path: the file, which must not be there.
    """
    name = make_url(url).database
    if make_url(url).get_backend_name() == "sqlite" and name:
        with contextlib.closing(sqlite3.connect(name)) as ours, contextlib.closing(sqlite3.connect(path)) as copy:
            ours.backup(copy)
    else:
        _copy_tables(url, path)


def _copy_tables(url: str, path: Path) -> None:
    source, target = (create_engine(one, poolclass=NullPool) for one in (url, f"sqlite:///{path}"))
    with source.connect().execution_options(isolation_level="REPEATABLE READ") as ours, target.begin() as copy:
        tables = MetaData()
        event.listen(tables, "column_reflect", _as_any_database_has_it)
        tables.reflect(ours)
        tables.create_all(copy)
        for table in tables.sorted_tables:
            rows = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=ROWS)
            for some in ours.execute(rows).partitions():
                copy.execute(table.insert(), [dict(row._mapping) for row in some])


def _as_any_database_has_it(inspector: object, table: object, column: Any) -> None:
    """Types that SQLAlchemy translates, and no counters of that one server's."""
    column["type"] = column["type"].as_generic()
    column["default"] = None
