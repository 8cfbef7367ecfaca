"""`propensity load`: fills a workspace's store from its files, and says what became of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from features.tables.reading import system_clock
from features.workspace import load_workspace
from serving.store import open_store
from serving.store.loading import Loaded, load_tables, required_store
from training.terminal import Steps, printed


def load_folder(folder: Path) -> str:
    """Load the files of a workspace into its store; what to tell."""
    workspace = load_workspace(folder)
    required_store(workspace)
    store = open_store(workspace)
    try:
        with Steps() as progress:
            loaded = load_tables(workspace, store, now=system_clock(), progress=progress)
    finally:
        store.close()
    return printed(*(line for table in loaded for line in _lines(table)))


def _lines(loaded: Loaded) -> Iterator[str]:
    parts = [f"{loaded.accepted:,} loaded"]
    if loaded.changed:
        parts.append(f"{loaded.changed:,} with attributes that changed")
    parts.append(f"{loaded.repeated:,} repeated")
    set_aside = sum(loaded.rejected.values())
    parts.append(f"{set_aside:,} set aside")
    if loaded.erased:
        parts.append(f"{loaded.erased:,} refused, since their leads were erased")
    yield f"{loaded.table}: {', '.join(parts)}"
    for reason, rows in loaded.rejected.items():
        yield f"  set aside in rejected/{loaded.table}.parquet: {rows:,} {reason}"
    if loaded.waiting:
        wait = "1 row in the store waits" if loaded.waiting == 1 else f"{loaded.waiting:,} rows in the store wait"
        yield f"  {wait} for a lead that is not known yet"
    for note in loaded.notes:
        yield f"  {note}"
