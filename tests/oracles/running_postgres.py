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


_KEEPER = """
"$1/initdb" -D "$2/data" -U tester -A trust -E UTF8 --locale=C -N >"$2/log" 2>&1 &&
"$1/pg_ctl" -D "$2/data" -l "$2/log" -w -o "$3" start >/dev/null 2>&1 && echo ready || cat "$2/log"
cat >/dev/null
"$1/pg_ctl" -D "$2/data" -m immediate -w stop >/dev/null 2>&1
rm -rf "$2"
"""
"""Waits for the end of its input, which comes however the test run ends, and leaves nothing behind."""


@contextmanager
def running_postgres() -> Iterator[str]:
    """The address of a fresh server's database `postgres`; stopped when the block ends, or the process is killed.

    initdb refuses root: it then runs as `postgres` or `nobody`, to whom the folder is given.
    """
    binaries = find_binaries()
    assert binaries is not None, "no PostgreSQL is installed"
    # Not in pytest's own folder: the path of a socket may have about a hundred characters, no more.
    folder = Path(tempfile.mkdtemp(prefix="propensity-pg-"))
    user = _unprivileged()
    told = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()} if user is not None else {}
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    with subprocess.Popen(
        ["/bin/sh", "-c", _KEEPER, "keeper", binaries, folder, _OPTIONS.format(folder=folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", start_new_session=True, **told,
    ) as keeper:  # fmt: skip
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        try:
            said = keeper.stdout.readline()
            assert said == "ready\n", said
            yield f"postgresql://tester@/postgres?host={folder}"
        finally:
            keeper.stdin.close()
            keeper.wait()


def _unprivileged() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {each.pw_name: each for each in pwd.getpwall()}
    return known["postgres"] if "postgres" in known else known["nobody"]
