"""Opens the store behind an address: SQLite in the workspace unless told, PostgreSQL by one address."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from features.errors import DataError, UsageError
from features.workspace import Workspace
from serving.store.migrating import migrate
from serving.store.tables import settings

BUSY_SECONDS = 30
"""How long a writer waits for another: transactions are short, so that a longer wait is a fault."""


@dataclass(frozen=True, eq=False)
class Store:
    """An open store. Use `reading()` and `writing()`; both give a connection within one transaction.

    Attributes
    ----------
    engine : shared by all threads of a process; connections are pooled.
    key : of the hashes that stand for erased leads and in the audit; drawn once for a store.
    """

    engine: sa.Engine
    key: bytes

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the store throughout and waits for no writer."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            else:
                connection.exec_driver_sql("BEGIN")
            yield connection
            connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that is committed at its end, or leaves no trace where an exception leaves it.

        On SQLite writers queue up from the start of the transaction: a reader that wants to write later could fail.
        """
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()

    def hash_of(self, text: str) -> str:
        """The keyed hash (HMAC-SHA-256, hex) that stands for an id where the id itself must not stay."""
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()

    def close(self) -> None:
        self.engine.dispose()


def store_address(workspace: Workspace) -> str:
    """Where a workspace's store lies: as the toml says, else SQLite in its state folder."""
    return workspace.store or f"sqlite:///{workspace.state_folder / 'store.db'}"


def open_store(workspace: Workspace) -> Store:
    """Open the store of a workspace, made and migrated where it has to be.

    Raises
    ------
    UsageError
        An address of another kind.
    DataError
        It can't be reached, or is of a later version of this product.
    """
    return open_address(store_address(workspace), workspace.folder)


def open_address(address: str, folder: Path) -> Store:
    """Open a store by its address; a relative SQLite path starts at `folder`."""
    url = _url(address, folder)
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    try:
        migrate(engine)
        return Store(engine, _key(engine))
    except SQLAlchemyError as error:
        engine.dispose()
        kind = type(getattr(error, "orig", None) or error).__name__
        raise DataError(
            f"the store can't be opened ({kind})",
            expected=f"a {url.get_backend_name()} database that can be reached and written",
            next_step="look at [tables] store in propensity.toml, the server, and its rights",
            where="the store",
        ) from None
    except BaseException:
        engine.dispose()
        raise


def _url(address: str, folder: Path) -> sa.URL:
    try:
        url = sa.make_url(address)
    except SQLAlchemyError:
        raise _no_address() from None
    if url.get_backend_name() == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise _no_address()
        assert url.database is not None
        return sa.URL.create("sqlite", database=str(folder / url.database))
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise _no_address()


def _no_address() -> UsageError:
    return UsageError(
        "the store's address is of no known kind",
        expected='"sqlite:///FILE" or "postgresql://USER@HOST/DATABASE"',
        next_step="password and the like: by PGPASSWORD or a .pgpass file",
        where="[tables] store",
    )


def _sqlite(url: sa.URL) -> sa.Engine:
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # it holds what people are called, and SQLite gives its other files the same rights
    engine = sa.create_engine(
        url,
        poolclass=QueuePool,
        pool_size=8,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY"):
            connection.execute(f"pragma {pragma}").fetchall()

    return engine


def _postgresql(url: sa.URL) -> sa.Engine:
    return sa.create_engine(url, pool_size=8, pool_pre_ping=True)


def _key(engine: sa.Engine) -> bytes:
    """The store's key, drawn by whoever opens it first; of two at once one wins and both read it."""
    find = sa.select(settings.c.value).where(settings.c.name == "hash_key")
    with engine.connect() as connection:
        found = connection.execute(find).scalar()
        if found is None:
            try:
                connection.execute(settings.insert().values(name="hash_key", value=secrets.token_hex(32)))
                connection.commit()
            except (IntegrityError, OperationalError):
                connection.rollback()
            found = connection.execute(find).scalar_one()
        return bytes.fromhex(str(found))
