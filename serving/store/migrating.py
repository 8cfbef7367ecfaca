"""Brings a store to the newest form of its tables, by Alembic; several processes may start at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from features.errors import DataError

_LOCK = 0x70726F70
"""Of PostgreSQL's advisory locks."""


def migrate(engine: sa.Engine) -> None:
    """Make or change the tables where the store is older than this product.

    Raises
    ------
    DataError
        The store was written by a later version of the product.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return
    with engine.connect() as connection, _alone(connection):
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise DataError(
                "the store was written by a later version",
                expected=f"a store up to its version {newest}",
                next_step="install the newer version again",
                where="the store",
            ) from None


@contextmanager
def _alone(connection: sa.Connection) -> Iterator[None]:
    """One process changes the tables, the others wait for it."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    yield
    connection.commit()
