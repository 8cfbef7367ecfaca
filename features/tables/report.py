"""What reading the tables brought to light: counts, reasons, and how columns were understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class OneTable:
    """Of one table.

    Attributes
    ----------
    files, digests : names, and SHA-256 by name.
    rows, accepted : all rows, and those that are used.
    rejected : rows set aside, by reason.
    times : time column to how many of its cells were read in which form.
    unreadable : column to cells that hold something which its kind can't be read from; they count as missing.
    notes : on encodings.
    """

    files: tuple[str, ...]
    digests: Mapping[str, str]
    rows: int
    accepted: int
    rejected: Mapping[str, int] = field(default_factory=dict)
    times: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableReport:
    """Of all tables of a workspace. Holds no cell of a lead but event types and outcomes.

    Attributes
    ----------
    tables : by name.
    zone : in which times without an offset were read.
    data_end, now : UTC microseconds. `data_end_given`: whether it was told or found.
    left_out : "table.column" to the reason why it is no feature.
    event_types : type to how many leads have it; filled where the schema was inferred.
    stages : type to stage, and `guessed_stages` those of them that come from the word list.
    unmapped_event_types : without a stage.
    outcomes : outcome to number of leads whose first one it is.
    later_outcomes : rows after a lead's first outcome.
    repeated_event_ids : rows that repeat an event_id of their lead and don't count.
    alike_events : rows that are alike another in everything that is read, and count (without event_id).
    objected : leads of the store that objected to profiling; they and their rows are in nothing of this.
    warnings : sentences.
    """

    tables: Mapping[str, OneTable]
    zone: str
    data_end: int
    now: int
    data_end_given: bool
    left_out: Mapping[str, str] = field(default_factory=dict)
    event_types: Mapping[str, int] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    guessed_stages: tuple[str, ...] = ()
    unmapped_event_types: tuple[str, ...] = ()
    outcomes: Mapping[str, int] = field(default_factory=dict)
    later_outcomes: int = 0
    repeated_event_ids: int = 0
    alike_events: int = 0
    objected: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of every file, by name."""
        return {name: sha for table in self.tables.values() for name, sha in table.digests.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)
