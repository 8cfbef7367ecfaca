"""Overwrites what SQLite's files still hold of deleted rows: in the log, and in the gaps of its pages."""

from __future__ import annotations

import json
import mmap
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from serving.store.opening import Store

ATTEMPTS = 20
_BUSY_MILLISECONDS = 500
"""How long one attempt holds up writers."""


def wipe(store: Store, texts: Sequence[str]) -> bool:
    """Rid the files of a SQLite store of texts that were deleted; False where readers left no time for it.

    `secure_delete` zeroes what is deleted, yet not the copies that a page keeps in its gaps when rows move to another
    one. They are rare: only where a text is still found is the whole file written anew, during which writers wait.

    A server's files are its own: PostgreSQL overwrites dead rows as its vacuum comes by.
    """
    if store.engine.dialect.name != "sqlite":
        return True
    path = Path(str(store.engine.url.database))
    with closing(sqlite3.connect(path, timeout=_BUSY_MILLISECONDS / 1000, isolation_level=None)) as c:
        c.execute("pragma secure_delete = ON").fetchall()
        for _ in range(ATTEMPTS):
            if _empty_log(c) and (not _hold(path, texts) or _write_anew(c)):
                return True
            time.sleep(0.1)
    return False


def _empty_log(c: sqlite3.Connection) -> bool:
    """Bring the log into the file and cut it off; not while somebody reads from it."""
    (busy, _, _) = c.execute("pragma wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _write_anew(c: sqlite3.Connection) -> bool:
    try:
        c.execute("vacuum")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
        return False
    return _empty_log(c)


def _hold(path: Path, texts: Sequence[str]) -> bool:
    """Whether the bytes of a text stand in the file, as they are or as JSON writes them."""
    written = {each.encode() for text in texts for each in (text, json.dumps(text)[1:-1])}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(each) >= 0 for each in written)
