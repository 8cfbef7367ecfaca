"""A real PostgreSQL that the test run starts for itself, in a temporary folder, and stops at its end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OPTIONS = (
    "-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c synchronous_commit=off"
    " -c full_page_writes=off -c max_connections=60 -c shared_buffers=64MB -c max_wal_size=256MB"
)
"""No port: a socket in the folder. Nothing is kept beyond the run, so nothing needs to reach the disk."""


def find_binaries() -> Path | None:
    """Where initdb, pg_ctl and postgres lie: on PATH, else where Debian's and Homebrew's packages put them."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin"):
        places += sorted(Path("/").glob(pattern), reverse=True)
    return next((each for each in places if (each / "initdb").exists() and (each / "pg_ctl").exists()), None)


@contextmanager
def running_postgres() -> Iterator[str]:
    """The address of a fresh server's database `postgres`; stopped when the block ends.

    initdb refuses root: it then runs as `postgres` or `nobody`, to whom the folder is given.
    """
    binaries = find_binaries()
    assert binaries is not None, "no PostgreSQL is installed"
    # Not in pytest's own folder: the path of a socket may have about a hundred characters, no more.
    folder = Path(tempfile.mkdtemp(prefix="propensity-pg-"))
    user = _unprivileged()
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        _run(
            binaries / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", user=user
        )
        options = _OPTIONS.format(folder=folder)
        _run(binaries / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start", user=user)
        try:
            yield f"postgresql://tester@/postgres?host={folder}"
        finally:
            _run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop", user=user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {each.pw_name: each for each in pwd.getpwall()}
    return known["postgres"] if "postgres" in known else known["nobody"]


def _run(*command: object, user: pwd.struct_passwd | None) -> None:
    told = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()} if user is not None else {}
    with tempfile.TemporaryFile() as said:  # a pipe would stay open for as long as the server runs
        done = subprocess.run(
            [str(each) for each in command], stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", **told
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode(errors="replace")
