"""The files of a table: what a path or glob stands for, and their digests."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Sequence
from pathlib import Path

from features.errors import DataError

PARQUET_ENDINGS = (".parquet", ".pq", ".parq")


def find_files(folder: Path, table: str, told: str) -> tuple[Path, ...]:
    """Files of a path or glob, sorted by name; a folder stands for the files in it.

    Raises
    ------
    DataError
        Nothing is there; names what similar files the folder holds.
    """
    path = folder / told
    if path.is_file():
        return (path,)
    pattern = path / "*" if path.is_dir() else path
    found = sorted(Path(each) for each in glob.glob(str(pattern), recursive=True))
    files = tuple(each for each in found if each.is_file() and not each.name.startswith((".", "_")))
    if files:
        return files
    if not glob.has_magic(told):
        near = sorted(each.name for each in path.parent.glob("*") if each.is_file()) if path.parent.is_dir() else []
        shown = f"there are {', '.join(near[:8])}" if near else "the folder is empty or missing"
    else:
        shown = "no file matches"
    raise DataError(
        f'{table} = "{told}": {shown}',
        expected=f"a CSV or Parquet file, or a pattern that finds some, from {folder}",
        next_step=f"correct {table} under [tables] in propensity.toml, or bring the file",
        where="propensity.toml",
    )


def is_parquet(path: Path) -> bool:
    """By content: exports are often named otherwise."""
    if path.suffix.lower() in PARQUET_ENDINGS:
        return True
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def file_digests(folder: Path, files: Sequence[Path]) -> dict[str, str]:
    """SHA-256 of the content of each file, by its path within the folder, or its name where it lies elsewhere."""
    return {str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name: digest(path) for path in files}


def digest(path: Path) -> str:
    """SHA-256 of the content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
