"""What all tests share: how Hypothesis runs, no word to the outside, and stores on both databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a real PostgreSQL, started by the first test that asks for it."""
    from oracles.running_postgres import find_binaries, running_postgres

    if find_binaries() is None:
        pytest.skip("no PostgreSQL is installed: what it does is not tested (Debian: apt-get install postgresql)")
    with running_postgres() as address:
        yield address


@pytest.fixture
def postgres_address(postgres_server: str) -> Iterator[str]:
    """Address of an empty PostgreSQL database of this test's own."""
    import psycopg

    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f"create database {name}")
        yield postgres_server.replace("/postgres?", f"/{name}?")
        server.execute(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database, as `[tables] store` takes it: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return str(request.getfixturevalue("postgres_address"))


@pytest.fixture
def store(store_address: str, tmp_path: Path) -> Iterator[Store]:
    """An open, empty store, once on SQLite and once on PostgreSQL."""
    from serving.store.opening import open_address

    opened = open_address(store_address, tmp_path)
    yield opened
    opened.close()
