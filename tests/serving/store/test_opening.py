"""A store is opened, made and migrated; its file is its owner's alone, and what can't be opened is said."""

from __future__ import annotations

import gc
import stat
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from features.errors import DataError, UsageError
from oracles.filled_queues import made_standing
from serving.store import Store
from serving.store.migrating import migrate
from serving.store.opening import open_address
from serving.store.tables import metadata, settings, standings


def test_the_migrations_make_the_tables_that_the_code_knows(empty_address: str, tmp_path: Path) -> None:
    store = open_address(empty_address, tmp_path)
    with store.engine.connect() as c:
        assert compare_metadata(MigrationContext.configure(c), metadata) == []
    store.close()


def test_a_store_of_an_earlier_version_gets_what_it_lacks_and_keeps_what_it_holds(store: Store) -> None:
    row = made_standing(1, np.random.default_rng(0)) | {"similar_leads": None, "similar_converted": None}
    with store.writing() as c:
        for column in ("similar_leads", "similar_converted"):
            c.execute(sa.text(f"alter table standings drop column {column}"))
        c.execute(sa.text("update alembic_version set version_num = '0001'"))
        c.execute(standings.insert(), {name: each for name, each in row.items() if not name.startswith("similar")})
    migrate(store.engine)
    with store.reading() as c:
        assert compare_metadata(MigrationContext.configure(c), metadata) == []
        assert dict(c.execute(sa.select(standings)).mappings().one()).items() >= row.items()


def test_several_processes_that_open_a_new_store_at_once_share_one_key(empty_address: str, tmp_path: Path) -> None:
    with get_context("spawn").Pool(3) as processes:
        keys = processes.starmap(_key, [(empty_address, tmp_path)] * 3)
    assert len(set(keys)) == 1


def _key(address: str, folder: Path) -> bytes:
    store = open_address(address, folder)
    try:
        return store.key
    finally:
        store.close()


def test_the_file_of_a_store_is_its_owners_alone(tmp_path: Path) -> None:
    store = open_address("sqlite:///kept/store.db", tmp_path)
    with store.writing() as c:
        c.execute(settings.insert().values(name="a", value="b"))
    for path in (tmp_path / "kept").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    store.close()


def test_what_leaves_by_an_exception_leaves_no_trace(store: Store) -> None:
    def fail() -> None:
        with store.writing() as c:
            c.execute(settings.insert().values(name="a", value="b"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with store.reading() as c:
        assert c.execute(sa.select(settings.c.value).where(settings.c.name == "a")).scalar() is None


@pytest.mark.parametrize("address", ["", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "no address"])
def test_an_address_of_another_kind_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="postgresql://"):
        open_address(address, tmp_path)


def test_a_file_that_is_no_store_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"lead_id,created_at\n" * 200)
    with pytest.raises(DataError, match="the store can't be opened"):
        open_address("sqlite:///store.db", tmp_path)
    assert (tmp_path / "store.db").read_bytes().startswith(b"lead_id")


def test_a_store_of_a_later_version_is_left_alone(store: Store, store_address: str, tmp_path: Path) -> None:
    with store.engine.connect() as c:
        c.execute(sa.text("update alembic_version set version_num = '9999'"))
        c.commit()
    with pytest.raises(DataError, match="a later version"):
        open_address(store_address, tmp_path)
    gc.collect()  # a connection left open would warn here, and a warning is an error
