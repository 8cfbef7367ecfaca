"""The database that tables are read with: nothing is loaded from outside, and what memory can't hold goes to a folder
that goes away with it. The only module that knows which database it is."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from features.errors import DataError
from features.tables.sql_text import Connection
from features.workspace import Workspace

_LEAST_MEMORY = 1 << 30
_MEMORY_A_ROW = 40
_A_BATCH = 122_880


@contextmanager
def scratch_folder(workspace: Workspace) -> Iterator[Path]:
    """A folder for what does not fit in memory; in the workspace, or where that can't be written in the system's."""
    parent: Path | None = workspace.state_folder / "scratch"
    assert parent is not None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for left in parent.glob("reading-*"):  # of a run that was killed
            if time.time() - left.stat().st_mtime > 86_400:
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix="reading-", dir=parent))
    except OSError:
        folder, parent = Path(tempfile.mkdtemp(prefix="propensity-reading-")), None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if parent is not None:
            with suppress(OSError):
                parent.rmdir()


@dataclass(frozen=True)
class _Database:
    """The connection as the companions know it."""

    connection: duckdb.DuckDBPyConnection

    def run(self, query: str) -> None:
        self.connection.execute(query).fetchall()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def one(self, query: str) -> tuple[Any, ...]:
        (row,) = self.rows(query)
        return row

    def bring(self, name: str, table: pa.Table | pa.RecordBatchReader) -> None:
        self.connection.register(f"{name}_brought", table)
        self.run(f"create table {name} as select * from {name}_brought")
        self.connection.unregister(f"{name}_brought")

    def arrow(self, query: str) -> pa.Table:
        return self.connection.sql(query).to_arrow_table()

    def batches(self, query: str) -> pa.RecordBatchReader:
        return self.connection.sql(query).to_arrow_reader(_A_BATCH)


@contextmanager
def open_database(scratch: Path) -> Iterator[Connection]:
    """An empty database in this folder; a full disk or memory becomes a `DataError`."""
    connection = duckdb.connect(
        str(scratch / "tables.duckdb"),  # on disk, where it stands compressed
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "temp_directory": str(scratch / "spill"),
            "preserve_insertion_order": "false",
        },
    )
    try:
        database = _Database(connection)
        database.run("set TimeZone = 'UTC'")
        # in Jupyter it is off, and without ipywidgets even turning it off is refused
        if database.one("select current_setting('enable_progress_bar')") == (True,):
            database.run("set enable_progress_bar = false")
        allow_memory(database, 0)
        yield database
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise DataError(
            f"the tables could not be read: {str(error).splitlines()[0]}",
            expected="whole files, and room on the disk for sorting them",
            next_step=f"make room in {scratch.parent}, or write the files anew",
        ) from None
    finally:
        connection.close()


def allow_memory(connection: Connection, rows: int) -> None:
    """Sorting takes about what the sorted columns will; more is spilled to disk."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    allowed = min(max(_LEAST_MEMORY, _MEMORY_A_ROW * rows), physical * 6 // 10)
    connection.run(f"set memory_limit = '{allowed // (1 << 20)}MiB'")
