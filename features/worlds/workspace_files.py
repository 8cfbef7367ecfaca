"""An example workspace on disk: written file by file, recognised later by a mark, never over a person's own files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import UsageError

Progress = Callable[[str], None]

TOML = "propensity.toml"
_MARK_KEY = b"propensity_example"
# Part of the mark: raise it when a world's rows or toml change, so that older copies are made anew.
_EDITION = 1


@dataclass(frozen=True)
class Mark:
    """What makes two copies of an example the same: world, number of leads, seed.

    It stands in the first line of the toml, where it survives a person's edits below it, and in the metadata of
    every Parquet file, so that a making that was interrupted halfway is seen for what it is.
    """

    world: str
    size: int | None
    seed: int

    @property
    def text(self) -> str:
        size = "all" if self.size is None else str(self.size)
        return f"world = {self.world}, leads = {size}, seed = {self.seed}, edition = {_EDITION}"

    @property
    def toml_line(self) -> str:
        return f"{_TOML_LINE_STARTS}{self.text}"


_TOML_LINE_STARTS = "# Example workspace of Propensity: "


@dataclass(frozen=True)
class ExampleFiles:
    """An example workspace before it is written: the text of its toml, and its tables by path inside the folder."""

    toml: str
    tables: Mapping[str, pa.Table]


def table_of(frame: pd.DataFrame) -> pa.Table:
    """The frame as it is written: times in microseconds, no index."""
    return pa.table({name: _column(frame[name]) for name in frame.columns})


def _column(values: pd.Series) -> pa.Array:
    # Not pa.Table.from_pandas: it reads zoned times through an accessor that pandas has deprecated.
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return pa.array(values.dt.tz_convert(None).to_numpy("datetime64[us]"), pa.timestamp("us", tz="UTC"))
    if values.dtype.kind == "M":
        return pa.array(values.to_numpy("datetime64[us]"), pa.timestamp("us"))
    return pa.array(values, from_pandas=True)


def already_made(folder: Path, names: tuple[str, ...], mark: Mark) -> bool:
    """Whether the folder holds the toml and every table of `names`, all with this mark."""
    return _mark_of_toml(folder / TOML) == mark.text and all(
        _mark_of_table(folder / name) == mark.text for name in names
    )


def refuse_others_files(folder: Path, names: tuple[str, ...]) -> None:
    """Raise `UsageError` when a file that would be replaced was not made by us: it may be a person's only copy."""
    if folder.exists() and not folder.is_dir():
        found = [folder.name]
    else:
        found = [TOML] if (folder / TOML).exists() and _mark_of_toml(folder / TOML) is None else []
        found += [name for name in names if (folder / name).exists() and _mark_of_table(folder / name) is None]
    if found:
        raise UsageError(
            f"{folder} holds {', '.join(found)}, which no example made",
            expected="a folder that is new, empty, or holds an older example",
            next_step="name another folder for the example",
        )


def write_files(folder: Path, files: ExampleFiles, mark: Mark) -> None:
    """Write the tables, then the toml: each to a temporary name first, so that no file is ever seen half-written."""
    for name, table in files.tables.items():
        with _replacing(folder / name) as temporary:
            marked = table.replace_schema_metadata({_MARK_KEY: mark.text.encode()})
            pq.write_table(marked, temporary, compression="zstd")
    with _replacing(folder / TOML) as temporary:
        temporary.write_text(f"{mark.toml_line}\n{files.toml}", encoding="utf-8", newline="\n")


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, which takes its place when the block ends well and is removed when it doesn't."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _mark_of_toml(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8") as lines:
            first = lines.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return None
    return first.removeprefix(_TOML_LINE_STARTS) if first.startswith(_TOML_LINE_STARTS) else None


def _mark_of_table(path: Path) -> str | None:
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return None
    mark = metadata.get(_MARK_KEY)
    return mark.decode() if mark is not None else None
