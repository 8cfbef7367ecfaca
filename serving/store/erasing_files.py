"""Files that the product wrote into a workspace, without the rows that name a lead."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.errors import DataError
from features.tables.files import find_files
from features.workspace import Workspace

_LEFT_BEHIND = 3600
"""Seconds after which a temporary file is one that a killed run has left."""
_COLUMNS_OF_SCORES = frozenset(("lead_id", "as_of", "probability", "decided_by", "reasons"))
_NOT_CELLS = ("reason", "line", "file")

Mask = Callable[[pa.RecordBatch], pa.Array]


def erase_from_files(workspace: Workspace, lead_id: str, personal: Sequence[str]) -> tuple[str, ...]:
    """Rewrite ``rejected/`` and our score files; the names of those that held the lead.

    Parameters
    ----------
    personal : texts that only a row about this lead is expected to have.

    Raises
    ------
    DataError
        A file can't be rewritten. One is only ever replaced by a whole one.
    """
    try:
        _remove_left_behind(workspace)
        rejected = [
            path
            for path in sorted(workspace.rejected_folder.glob("*.parquet"))
            if _rewrite(path, lambda rows: _rejected_of(rows, lead_id, personal))
        ]
        scored = [
            path
            for path in sorted(workspace.folder.glob("*.parquet"))
            if _is_ours(path, workspace) and _rewrite(path, lambda rows: pc.equal(rows["lead_id"], lead_id))
        ]
    except OSError as error:
        raise DataError(
            f"a file can't be rewritten without the lead: {error.strerror or type(error).__name__}",
            expected="a workspace whose rejected/ and score files can be written",
            next_step="give leave to write or make room, and erase the lead once more",
        ) from None
    return tuple(str(path.relative_to(workspace.folder)) for path in (*rejected, *scored))


def files_of_others(workspace: Workspace) -> tuple[str, ...]:
    """Files of the tables, which their owner alone may change."""
    found: list[str] = []
    for table, told in workspace.tables.items():
        try:
            files = find_files(workspace.folder, table, told)
        except DataError:
            continue  # there is none, so none names the lead
        found += [
            str(each.relative_to(workspace.folder)) if each.is_relative_to(workspace.folder) else str(each)
            for each in files
        ]
    return tuple(found)


def _is_ours(path: Path, workspace: Workspace) -> bool:
    """Whether a file is one of scores that we wrote, under whatever name and in whatever version."""
    if path.name in files_of_others(workspace):
        return False
    try:
        return _COLUMNS_OF_SCORES.issubset(pq.read_schema(path).names)
    except pa.ArrowInvalid:
        return False  # of ours only whole files ever get a name


def _rewrite(path: Path, names_lead: Mask) -> bool:
    """Write the file without the rows that name the lead, where it has any; without a row left it goes."""
    with pq.ParquetFile(path) as file:
        hits = sum(pc.sum(names_lead(rows)).as_py() or 0 for rows in file.iter_batches())
        if not hits:
            return False
        if hits == file.metadata.num_rows:
            path.unlink()
            return True
        draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with pq.ParquetWriter(draft, file.schema_arrow, compression="zstd") as writer:
                for rows in file.iter_batches():
                    writer.write_batch(rows.filter(pc.invert(names_lead(rows))))
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    return True


def _rejected_of(rows: pa.RecordBatch, lead_id: str, personal: Sequence[str]) -> pa.Array:
    """Rows with the id or a personal text in a cell, as the whole of it or as a word of it.

    An id of digits only counts in its own column, and in a broken line, whose cells may be shifted: as a number it could
    stand anywhere.
    """
    names = rows.schema.names
    cells = [each for each in names if pa.types.is_string(rows.schema.field(each).type) and each not in _NOT_CELLS]
    words = _words([*personal] if lead_id.isdigit() else [lead_id, *personal])
    masks = [pc.match_substring_regex(rows[each], words) for each in cells] if words else []
    if "lead_id" in cells:
        masks.append(pc.equal(pc.utf8_trim_whitespace(rows["lead_id"]), lead_id))
    if "reason" in names:
        broken = pc.starts_with(rows["reason"], "broken line")
        masks += [pc.and_(broken, pc.match_substring_regex(rows[each], _words([lead_id]))) for each in cells]
    return reduce(pc.or_, [pc.fill_null(each, False) for each in masks], pa.array([False] * rows.num_rows))


def _words(texts: Sequence[str]) -> str:
    """A pattern that finds any of the texts between other characters than letters and digits; nothing for none."""
    any_of = "|".join(re.escape(each) for each in texts)
    return rf"(?:^|[^\pL\pN])(?:{any_of})(?:$|[^\pL\pN])" if any_of else ""


def _remove_left_behind(workspace: Workspace) -> None:
    """Remove what killed runs have left half-written; it may name anybody."""
    scratch = workspace.state_folder / "scratch"
    for path in (*workspace.rejected_folder.glob(".*.tmp"), *workspace.folder.glob(".*.parquet.*")):
        if _untouched(path):
            path.unlink(missing_ok=True)
    for folder in scratch.glob("reading-*"):
        if all(_untouched(each) for each in (folder, *folder.rglob("*"))):
            shutil.rmtree(folder, ignore_errors=True)


def _untouched(path: Path) -> bool:
    try:
        return time.time() - path.stat(follow_symlinks=False).st_mtime > _LEFT_BEHIND
    except FileNotFoundError:
        return True
