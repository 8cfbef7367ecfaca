"""What all tests share: how Hypothesis runs, no word to the outside, and stores on both databases."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from serving.store import Store

# No deadlines: these machines are shared, and a slow example is no wrong one. The same examples in every run of
# continuous integration, so that a red run can be made again.
settings.register_profile("propensity", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("propensity")

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("BENTOML_DO_NOT_TRACK", "true")


LONGEST_FIRST = ("journeys", "serving/test_", "browser", "mutations", "proof")
"""Tests that run whole commands and services: begun last they would leave one of two workers alone for minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        file = item.path.relative_to(Path(__file__).parent).as_posix()
        return next((rank for rank, part in enumerate(LONGEST_FIRST) if file.startswith(part)), len(LONGEST_FIRST))

    items.sort(key=place)


MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> MadeOnce:
    """Makes a folder that costs a training once for all tests and all their processes: look at it, and change a copy."""
    base = tmp_path_factory.getbasetemp()
    root = (base if worker_id == "master" else base.parent) / "made once"
    root.mkdir(exist_ok=True)

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder, made = root / name, root / f"{name} is made"
        with (root / f"{name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(folder, ignore_errors=True)
                fill(folder)
                made.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a real PostgreSQL, started by the first test that asks for it."""
    from oracles.running_postgres import find_binaries, running_postgres

    if find_binaries() is None:
        pytest.skip("no PostgreSQL is installed: what it does is not tested (Debian: apt-get install postgresql)")
    with running_postgres() as address:
        yield address


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> str:
    """Name of a PostgreSQL database with a store's tables: one that is made after it costs a fifth of migrating anew."""
    import psycopg

    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute("create database migrated")
    _migrated(_database(postgres_server, "migrated"), Path())
    return "migrated"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with a store's tables."""
    folder = tmp_path_factory.mktemp("migrated")
    _migrated("sqlite:///store.db", folder)
    return folder / "store.db"


def _migrated(address: str, folder: Path) -> None:
    """Make a store, without the key that whoever opens it first draws."""
    from serving.store.opening import open_address
    from serving.store.tables import settings as store_settings

    opened = open_address(address, folder)
    with opened.writing() as c:
        c.execute(store_settings.delete())
    opened.close()


def _database(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


@contextmanager
def _own_postgres(server: str, made_after: str) -> Iterator[str]:
    """Address of a new database, dropped when the block ends."""
    import psycopg

    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} template {made_after}")
        yield _database(server, name)
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database a test of the store runs on: once SQLite, once PostgreSQL."""
    return str(request.param)


@pytest.fixture
def empty_address(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database without any table, as `[tables] store` takes it: for what is tested of the migrations."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with _own_postgres(request.getfixturevalue("postgres_server"), "template1") as address:
            yield address


@pytest.fixture
def store_address(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a store of this test's own that holds nothing, as `[tables] store` takes it."""
    if database == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "store.db")
        yield f"sqlite:///{tmp_path / 'store.db'}"
    else:
        made_after = request.getfixturevalue("migrated_postgres")
        with _own_postgres(request.getfixturevalue("postgres_server"), made_after) as address:
            yield address


@pytest.fixture
def store(store_address: str, tmp_path: Path) -> Iterator[Store]:
    """An open, empty store, once on SQLite and once on PostgreSQL."""
    from serving.store.opening import open_address

    opened = open_address(store_address, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Store]:
    """An open, empty store on SQLite, for tests of what is no matter of the database."""
    from serving.store.opening import open_address

    shutil.copy(migrated_sqlite, tmp_path / "store.db")
    opened = open_address("sqlite:///store.db", tmp_path)
    yield opened
    opened.close()
