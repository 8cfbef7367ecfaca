"""One state of the store, read as columns. The only module that knows by which driver."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import pyarrow as pa
from adbc_driver_manager import Error

from features.errors import DataError

_SQLITE = "sqlite:///"
_BUSY_SECONDS = 30
_A_BATCH = 50_000
_TYPES = {"text": pa.string(), "number": pa.float64(), "integer": pa.int64()}


class Snapshot(Protocol):
    """The store as it was when the first table was read, whatever is written meanwhile."""

    def batches(self, columns: Mapping[str, str], source: str) -> pa.RecordBatchReader:
        """Rows as they come.

        Parameters
        ----------
        columns : SQL to whether it is "text", "number" or "integer"; a cell may be NULL.
        source : what follows the word ``from``.
        """


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
            with closing(_open_sqlite(path)) as connection:
                yield _Sqlite(connection)
        else:
            import adbc_driver_postgresql.dbapi  # brings pandas: most workspaces have no PostgreSQL, and shall not wait for it

            with ExitStack() as opened:
                connection = opened.enter_context(adbc_driver_postgresql.dbapi.connect(_plain(address)))
                with connection.cursor() as cursor:
                    cursor.execute("set transaction isolation level repeatable read, read only")
                yield _Postgresql(connection, opened)
    except (Error, sqlite3.Error) as error:
        # The driver's own words may hold the address, and the address a password.
        raise DataError(
            f"the store can't be read ({type(error).__name__})",
            expected="a store that holds leads, events and outcomes",
            next_step="look at [tables] store in propensity.toml; `propensity load FOLDER` makes and fills a store",
            where="the store",
        ) from None


class _Sqlite:
    """Through Python's own library, as all else that opens the file.

    Not through ADBC, whose driver brings a second copy of SQLite: of two copies in one process neither sees the other's
    locks, and closing a file gives up those of both. The one would take the journal away that the other is writing.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def batches(self, columns: Mapping[str, str], source: str) -> pa.RecordBatchReader:
        types = [_TYPES[kind] for kind in columns.values()]
        schema = pa.schema([pa.field(f"column{i}", type_) for i, type_ in enumerate(types)])
        cursor = self._connection.execute(f"select {', '.join(columns)} from {source}")

        def rows() -> Iterator[pa.RecordBatch]:
            while found := cursor.fetchmany(_A_BATCH):
                cells = zip(*found, strict=True)
                yield pa.record_batch([pa.array(each, type_) for each, type_ in zip(cells, types, strict=True)], schema)

        return pa.RecordBatchReader.from_batches(schema, rows())


class _Postgresql:
    """Through ADBC, which hands over columns as the server copies them out."""

    def __init__(self, connection: Any, opened: ExitStack) -> None:
        self._connection = connection
        self._opened = opened

    def batches(self, columns: Mapping[str, str], source: str) -> pa.RecordBatchReader:
        cells = ", ".join(f"{sql} as column{i}" for i, sql in enumerate(columns))
        cursor = self._opened.enter_context(self._connection.cursor())
        cursor.execute(f"select {cells} from {source}")
        return cursor.fetch_record_batch()


def _open_sqlite(path: Path) -> sqlite3.Connection:
    """In a transaction: what it reads first fixes the state that it sees. A file that isn't there is not made."""
    # The database asks for batches from threads of its own, one after the other.
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("begin")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _plain(address: str) -> str:
    """As the driver knows it: without the name of another driver."""
    scheme, rest = address.split("://", 1)
    return f"{scheme.split('+')[0]}://{rest}"
