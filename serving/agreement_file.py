"""The agreement's file: read to an Agreement, and its text written back."""

from __future__ import annotations

from pathlib import Path

from features.toml_reader import TomlReader
from serving.agreement import AGREEMENT_FILE, Agreement
from serving.agreement_text import agreement_of, read_agreement
from serving.agreement_writing import agreement_toml

__all__ = ["agreement_toml", "load_agreement", "read_agreement"]


def load_agreement(folder: Path) -> Agreement | None:
    """The agreement of a workspace, signed or not; None where the folder has none.

    Raises
    ------
    UsageError
        Every fault of the file at once, with its line and the nearest valid name.
    """
    if not (folder / AGREEMENT_FILE).exists():
        return None
    return agreement_of(TomlReader(folder / AGREEMENT_FILE))
