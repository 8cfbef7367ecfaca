"""Trouble with the disk, whoever met it: Python, DuckDB and SQLite each say in their own way that nothing can be written."""

from __future__ import annotations

import errno
from pathlib import Path

_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
)  # EFBIG: a limit of the file system, or one set for the process
_SAID = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "Read-only file system",
    "database or disk is full",
    "disk I/O error",
    "attempt to write a readonly database",
)
"""As databases put it: their own classes are the same for all kinds of trouble, so that only the words tell."""


def disk_trouble(error: BaseException) -> str | None:
    """What the disk refused, in a few words; None where the error is about something else.

    Looks behind the error too: MLflow wraps what SQLAlchemy wraps what SQLite says. Of the text nothing else is passed
    on, since a database's error shows the values that were to be written.
    """
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        if isinstance(at, OSError) and at.errno in _ERRNOS:
            return f"{at.strerror}: {Path(str(at.filename)).name if at.filename else 'the workspace'}"
        for words in _SAID:
            if words in str(at):
                return words
        at = at.__cause__ or at.__context__
    return None
