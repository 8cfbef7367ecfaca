"""A table as it was brought, in the database: CSV and Parquet files of whatever column sets as one relation."""

from __future__ import annotations

import difflib
import errno
import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path

from features.errors import DataError
from features.tables.cell_values import text
from features.tables.csv_records import Record, read_records
from features.tables.csv_shape import CsvShape, detect_shape
from features.tables.encodings import Encoding, detect_encoding, open_text, write_as_utf8
from features.tables.files import file_digests, find_files, is_parquet
from features.tables.sql_text import Column, Connection, literal, literals, name

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FILE, RECORD = "f", "r"
"""Columns of the relation beside the cells: the path that was read, and the number of the record in it, from 1."""


@dataclass(frozen=True)
class CsvFile:
    """One CSV file: where it lies, how it is written, and what of it can't be a row."""

    path: Path
    shape: CsvShape
    encoding: Encoding
    broken: tuple[Record, ...] = ()

    def records(self) -> Iterator[Record]:
        with open_text(self.path, self.encoding) as lines:
            yield from read_records(lines, self.shape)


@dataclass(frozen=True)
class RawTable:
    """Cells as they were brought. `relation` has the columns' `sql` names, `FILE` and `RECORD`.

    `told`: SQL of whether the row's recorded time was told; None where it was when the cell holds one.
    """

    table: str
    relation: str
    columns: Mapping[str, Column]
    files: tuple[Path, ...]
    digests: Mapping[str, str]
    csv_files: Mapping[str, CsvFile] = field(default_factory=dict)
    links: Mapping[str, Path] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    told: str | None = None

    def column(self, column: str) -> Column | None:
        return self.columns.get(column)


def bring_table(
    connection: Connection, *, folder: Path, table: str, told: str, required: Sequence[str], scratch: Path
) -> RawTable:
    """Make the relation of a table's files; Parquet is read in place, CSV is taken into the database.

    Raises
    ------
    DataError
        No file, one that can't be read, or a required column missing: names the columns found and the nearest.
    """
    parts: list[_Part] = []
    files = find_files(folder, table, told)
    links: dict[str, Path] = {}
    csv_files: dict[str, CsvFile] = {}
    for number, path in enumerate(files):
        source = _plain_path(path, scratch / f"{table}-{number}{path.suffix}")
        links[str(source)] = path
        try:
            if is_parquet(path):
                parts.append(_parquet(connection, source))
            else:
                part, csv_file = _csv(connection, path, source, f"raw_{table}_{number}", required, scratch)
                csv_files[str(source)] = csv_file
                parts.append(part)
        except OSError as error:
            if error.errno in _NO_ROOM:  # what is full is the folder that the cells are brought to
                raise
            raise DataError(
                f"{path} can't be read: {error.strerror}", expected="a readable file", where=table
            ) from None
    columns = _united(parts)
    _require(table, files, columns, required)
    connection.run(f"create view raw_{table} as {_union(parts, columns)}")
    notes = [
        f"{csv_file.path.name} was read as {csv_file.encoding.name}"
        + ("; some bytes are not of it" if csv_file.encoding.broken else "")
        for csv_file in csv_files.values()
        if csv_file.encoding.broken or csv_file.encoding.name != "utf-8"
    ]
    digests = file_digests(folder, files)
    return RawTable(table, f"raw_{table}", columns, files, digests, csv_files, links, tuple(notes))


@dataclass(frozen=True)
class _Part:
    """Files that are read as one: `source` is the SQL of a relation with columns c0, c1, ... and f, r."""

    paths: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    source: str = ""


def _plain_path(path: Path, link: Path) -> str:
    """A path that the database doesn't take for a pattern."""
    if not glob.has_magic(str(path)):
        return str(path)
    link.symlink_to(path)
    return str(link)


def _parquet(connection: Connection, path: str) -> _Part:
    try:
        described = connection.rows(f"describe select * from read_parquet([{literal(path)}], hive_partitioning=false)")
    except Exception as error:  # the database's errors are of no class that we may import here
        raise DataError(
            f"{Path(path).name} is no Parquet file that can be read ({type(error).__name__})",
            expected="a whole Parquet file",
            next_step="write the file anew",
        ) from None
    return _Part((path,), tuple((str(row[0]), str(row[1])) for row in described))


def _csv(
    connection: Connection, path: Path, source: str, table: str, required: Sequence[str], scratch: Path
) -> tuple[_Part, CsvFile]:
    encoding = detect_encoding(path)
    with open_text(path, encoding) as lines:
        shape = detect_shape("".join(islice(lines, 300)), required)
    csv_file = CsvFile(path, shape, encoding)
    if not any(shape.header):
        raise DataError(f"{path.name} is empty", expected=f"a header with {', '.join(required)}")
    readable = source
    if path.suffix.lower() == ".gz" or encoding.broken or encoding.name not in ("utf-8", "utf-8-sig"):
        readable = str(scratch / f"{table}.csv")
        write_as_utf8(path, encoding, Path(readable))
    columns = tuple((each, "VARCHAR") for each in shape.header)
    try:
        _stage(connection, readable, shape, table)
    except Exception:
        # Strict reading failed, in whichever of the database's ways: the records are sorted out one by one. What was no
        # fault of a record (a full disk, say) fails again below, and is not caught there.
        readable = str(scratch / f"{table}-mended.csv")
        broken = _mend(csv_file, Path(readable))
        csv_file = CsvFile(path, shape, encoding, broken)
        _stage(connection, readable, CsvShape(",", '"', 0, shape.header), table)
    cells = ", ".join(f"c{i}" for i in range(len(columns)))
    part = _Part(
        (source,), columns, f"(select {cells}, {literal(source)} as {FILE}, rowid + 1 as {RECORD} from {table})"
    )
    return part, csv_file


def _stage(connection: Connection, path: str, shape: CsvShape, table: str) -> None:
    """Take the cells in as text, in the order of the file: the row's number then tells its line."""
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(shape.header)))
    connection.run("set preserve_insertion_order = true")
    connection.run(f"drop table if exists {table}")
    connection.run(
        f"create table {table} as select * from read_csv([{literal(path)}], auto_detect=false, header=true,"
        f" skip={shape.skip}, delim={literal(shape.delimiter)}, quote={literal(shape.quote)}, escape={literal(shape.quote)},"
        f" strict_mode=true, null_padding=false, columns={{{columns}}})"
    )
    connection.run("set preserve_insertion_order = false")


def _mend(csv_file: CsvFile, target: Path) -> tuple[Record, ...]:
    """Write the good records as a plain CSV file; the others are returned."""
    import csv

    broken: list[Record] = []
    with target.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(csv_file.shape.header)
        for record in csv_file.records():
            if record.reason:
                broken.append(record)
            else:
                writer.writerow(record.cells)
    return tuple(broken)


def _united(parts: Sequence[_Part]) -> dict[str, Column]:
    """All columns by name, in the order of their first appearance; a type that differs between files becomes text."""
    types: dict[str, str] = {}
    for part in parts:
        seen = set()
        for column, type_ in part.columns:
            if (
                column.strip() and column.strip() not in seen
            ):  # a second column of one name can't be told from the first
                seen.add(column.strip())
                same = types.setdefault(column.strip(), type_) == type_
                types[column.strip()] = type_ if same else "VARCHAR"
    return {column: Column(column, f"c{i}", type_) for i, (column, type_) in enumerate(types.items())}


def _union(parts: Sequence[_Part], columns: Mapping[str, Column]) -> str:
    """Parquet files of the same columns are read together, so that a thousand of them are no thousand queries."""
    selects = []
    for (own, source), group in groupby(parts, key=lambda part: (part.columns, part.source)):
        position: dict[str, int] = {}
        for i, (column, _) in enumerate(own):
            position.setdefault(column.strip(), i)
        cells = []
        for column in columns.values():
            if column.name not in position:
                cells.append(f"null::{column.type} as {column.sql}")
                continue
            i = position[column.name]
            mine = Column(column.name, f"t.c{i}", own[i][1])
            cells.append(f"{mine.sql if mine.type == column.type else text(mine)} as {column.sql}")
        if source:
            selects.append(f"select {', '.join(cells)}, {FILE}, {RECORD} from {source} t")
        else:
            paths = literals(path for part in group for path in part.paths)
            aliases = ", ".join(name(f"c{i}") for i in range(len(own)))
            selects.append(
                f"select {', '.join(cells)}, filename as {FILE}, file_row_number + 1 as {RECORD}"
                f" from read_parquet([{paths}], hive_partitioning=false) as t({aliases})"
            )
    return " union all ".join(selects)


def _require(table: str, files: Sequence[Path], columns: Mapping[str, Column], required: Sequence[str]) -> None:
    missing = [each for each in required if each not in columns]
    if not missing:
        return
    near = {each: difflib.get_close_matches(each, columns, n=1, cutoff=0.5) for each in missing}
    hints = [f'rename "{found[0]}" to "{each}"' for each, found in near.items() if found]
    shown = ", ".join(list(columns)[:40]) + (", ..." if len(columns) > 40 else "")
    raise DataError(
        f"the {table} table has no column {' and no column '.join(missing)}; its columns are {shown}",
        expected=f"the columns {', '.join(required)}",
        next_step="; ".join(hints) or f"add {' and '.join(missing)}",
        where=files[0].name if len(files) == 1 else f"{table} ({len(files)} files)",
    )
