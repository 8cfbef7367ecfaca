"""Rows that can't be used, set aside in ``rejected/TABLE.parquet`` with their reason and line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import DataError
from features.tables.cell_values import text
from features.tables.csv_records import Record
from features.tables.encodings import open_bytes
from features.tables.raw_tables import FILE, RECORD, CsvFile, RawTable
from features.tables.sql_text import Column, Connection, literal, name


def write_rejected(connection: Connection, raw: RawTable, folder: Path, scratch: Path, *, any_rows: bool) -> None:
    """Write the rows of ``checked_TABLE`` that have a reason, and the broken lines; or remove what an earlier run left.

    Columns: the cells as they were brought, as text; ``reason``, ``line`` (of the CSV file, or row of the Parquet file,
    from 1) and ``file``; for broken lines ``cells_beyond``, what stands behind the last column.

    Raises
    ------
    DataError
        The folder can't be written. A file is only ever replaced by a whole one.
    """
    target = folder / f"{raw.table}.parquet"
    temporary = folder / f".{raw.table}.{os.getpid()}.tmp"
    broken = [(source, record) for source, csv_file in raw.csv_files.items() for record in csv_file.broken]
    try:
        if not any_rows and not broken:
            target.unlink(missing_ok=True)
            return
        folder.mkdir(parents=True, exist_ok=True)
        temporary.touch()
    except OSError as error:
        raise _unwritable(folder, error.strerror or "") from None
    try:
        connection.run(
            f"copy ({_query(connection, raw, broken, scratch)}) to {literal(str(temporary))} (format parquet, compression zstd)"
        )
        os.replace(temporary, target)
    except OSError as error:
        raise _unwritable(folder, error.strerror or "") from None
    except Exception as error:
        if (
            type(error).__name__ == "IOException"
        ):  # the database's word for a full disk; its class is not ours to import
            raise _unwritable(folder, "the disk may be full") from None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(folder: Path, why: str) -> DataError:
    return DataError(
        f"rows had to be set aside, and {folder} can't be written: {why}",
        expected="a folder of the workspace that can be written",
        next_step="make room or give leave to write, or take the rows out of the tables",
    )


def _query(connection: Connection, raw: RawTable, broken: list[tuple[str, Record]], scratch: Path) -> str:
    sources = [
        row[0] for row in connection.rows(f"select distinct {FILE} from checked_{raw.table} where reason is not null")
    ]
    shifts, shown = scratch / f"{raw.table}-shifts.parquet", scratch / f"{raw.table}-files.parquet"
    steps = [
        (source, *step) for source in sources if source in raw.csv_files for step in _line_shifts(raw.csv_files[source])
    ]
    steps += [(source, 1, 0) for source in sources if source not in raw.csv_files]
    _write(shifts, {"f": pa.string(), "since": pa.int64(), "shift": pa.int64()}, steps)
    _write(shown, {"f": pa.string(), "file": pa.string()}, [(source, path.name) for source, path in raw.links.items()])
    used = {column.lower() for column in raw.columns}
    extra = {
        each: each + "_" * sum(each + "_" * n in used for n in range(3))
        for each in ("reason", "line", "file", "cells_beyond")
    }
    cells = ", ".join(f"{text(column)} as {name(column.name)}" for column in _distinct_names(raw))
    rows = (
        f"select {cells}, reason as {name(extra['reason'])}, {RECORD} + shift as {name(extra['line'])},"
        f" n.file as {name(extra['file'])} from (select * from checked_{raw.table} where reason is not null) c"
        f" asof join read_parquet({literal(str(shifts))}) s on s.f = c.{FILE} and c.{RECORD} >= s.since"
        f" join read_parquet({literal(str(shown))}) n on n.f = c.{FILE}"
    )
    if not broken:
        return rows
    return f"{rows} union all by name select * from read_parquet({literal(str(_broken_rows(raw, broken, extra, scratch)))})"


def _distinct_names(raw: RawTable) -> list[Column]:
    """Columns whose names differ by more than their case, which the database doesn't see."""
    seen: dict[str, Column] = {}
    for column in raw.columns.values():
        seen.setdefault(column.name.lower(), column)
    return list(seen.values())


def _broken_rows(raw: RawTable, broken: list[tuple[str, Record]], extra: dict[str, str], scratch: Path) -> Path:
    names = [column.name for column in _distinct_names(raw)]
    rows = []
    for source, record in broken:
        csv_file = raw.csv_files[source]
        cells: dict[str, str] = {}
        for header, cell in zip(csv_file.shape.header, record.cells, strict=False):
            cells.setdefault(header, cell)
        beyond = csv_file.shape.delimiter.join(record.cells[len(csv_file.shape.header) :]) or None
        rows.append((*(cells.get(each) for each in names), record.reason, record.line, csv_file.path.name, beyond))
    types = {each: pa.string() for each in names}
    types |= {
        extra["reason"]: pa.string(),
        extra["line"]: pa.int64(),
        extra["file"]: pa.string(),
        extra["cells_beyond"]: pa.string(),
    }
    path = scratch / f"{raw.table}-broken.parquet"
    _write(path, types, rows)
    return path


def _write(path: Path, types: dict[str, pa.DataType], rows: Sequence[tuple[object, ...]]) -> None:
    columns = [pa.array([row[i] for row in rows], type_) for i, type_ in enumerate(types.values())]
    pq.write_table(pa.Table.from_arrays(columns, names=list(types)), path)


def _line_shifts(csv_file: CsvFile) -> Iterator[tuple[int, int]]:
    """From which good record on, and by how much, the line of the file is ahead of the record's number.

    Records and lines drift apart where a cell holds line ends, where lines are empty, and where one is broken.
    """
    if not csv_file.broken and _even(csv_file):
        yield 1, 1 + csv_file.shape.skip
        return
    number, shift = 0, None
    for record in csv_file.records():
        if record.reason:
            continue
        number += 1
        if record.line - number != shift:
            shift = record.line - number
            yield number, shift


def _even(csv_file: CsvFile) -> bool:
    """Whether every line surely is a record: no quotes and no empty lines in the whole file, in plain UTF-8."""
    if csv_file.encoding.name not in ("utf-8", "utf-8-sig"):
        return False
    quote, last = csv_file.shape.quote.encode(), b""
    with open_bytes(csv_file.path) as file:
        while chunk := file.read(1 << 20):
            joined = last + chunk
            if quote in chunk or b"\n\n" in joined or b"\n\r" in joined or b"\r\r" in joined:
                return False
            last = chunk[-1:]
    return True
