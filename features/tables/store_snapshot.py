"""One state of the store, read as columns. The only module that knows by which driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pyarrow as pa
from adbc_driver_manager import Error

from features.errors import DataError
from features.tables.sql_text import Connection

_SQLITE = "sqlite:///"
_BUSY_SECONDS = 30


@dataclass(frozen=True)
class Snapshot:
    """The store as it was when the first table was read, whatever is written meanwhile.

    Attributes
    ----------
    no_number : SQL of a number that stands where none is known. SQLite's driver takes a column's type from the first
        thousand rows, and takes all of them NULL for whole numbers: so none of its cells may be NULL.
    """

    no_number: str
    _connection: Any

    def bring(self, database: Connection, name: str, query: str) -> None:
        """Make a table of the rows of a query, batch by batch."""
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            database.bring(name, cursor.fetch_record_batch())

    def one(self, query: str) -> Any:
        """The only cell of a query."""
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            table: pa.Table = cursor.fetch_arrow_table()
        return table.column(0)[0].as_py()


@contextmanager
def open_snapshot(address: str, folder: Path) -> Iterator[Snapshot]:
    """Begin to read a store.

    Parameters
    ----------
    address : as ``Workspace.store`` has it.
    folder : where a relative path starts.

    Raises
    ------
    DataError
        It can't be reached, or holds no such tables.
    """
    try:
        if address.startswith(_SQLITE):
            path = (folder / address.removeprefix(_SQLITE)).absolute()
            with adbc_driver_sqlite.dbapi.connect(f"file:{quote(str(path))}?mode=rw") as connection:
                _run(connection, f"pragma busy_timeout = {_BUSY_SECONDS * 1000}")
                yield Snapshot("9e999", connection)
        else:
            with adbc_driver_postgresql.dbapi.connect(_plain(address)) as connection:
                _run(connection, "set transaction isolation level repeatable read, read only")
                yield Snapshot("'Infinity'::float8", connection)
    except Error as error:
        # The driver's own words may hold the address, and the address a password.
        raise DataError(
            f"the store can't be read ({type(error).__name__})",
            expected="a store that holds leads, events and outcomes",
            next_step="look at [tables] store in propensity.toml; `propensity load FOLDER` makes and fills a store",
            where="the store",
        ) from None


def _plain(address: str) -> str:
    """As the driver knows it: without the name of another driver."""
    scheme, rest = address.split("://", 1)
    return f"{scheme.split('+')[0]}://{rest}"


def _run(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.fetchall() if cursor.description else None
