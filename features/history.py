"""All that is recorded about leads, as sorted columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.schema import Schema

NEVER = np.iinfo(np.int64).max
"""The instant of something that has not happened."""


@dataclass(frozen=True, eq=False)
class Events:
    """Behaviours of all leads, sorted by lead and then in canonical order.

    The canonical order is ``(occurred_at, recorded_at, event_type, channel, value, further columns)``, missing
    before known, text by code point: where rows stood in a table never matters.

    Attributes
    ----------
    offsets : int64[n_leads + 1]; the events of lead i are ``offsets[i]:offsets[i + 1]``.
    occurred_at : int64[m], UTC microseconds.
    known_at : int64[m], the later of own and recorded time; a row is visible when ``known_at < as_of``.
    day : int32[m], calendar day of `occurred_at` in the schema's zone.
    codes : int32[K, m], one row a categorical column in the order of ``schema.event_code_columns``; -1 missing.
    vocabularies : for each row of `codes` the texts that the codes stand for, sorted by code point.
    numbers : float64[C, m], one row a numeric column in the order of ``schema.event_numbers``; NaN missing.
    """

    offsets: NDArray[np.int64]
    occurred_at: NDArray[np.int64]
    known_at: NDArray[np.int64]
    day: NDArray[np.int32]
    codes: NDArray[np.int32]
    vocabularies: tuple[tuple[str, ...], ...]
    numbers: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.occurred_at)


@dataclass(frozen=True, eq=False)
class Attributes:
    """What leads are, and how it changed: rows sorted by lead, then by time.

    The first row of a lead usually is its row of the leads table, valid from `created_at`. Of rows valid from one
    instant, the row of the leads table comes first, then by recorded time, then by content.

    Attributes
    ----------
    offsets : int64[n_leads + 1].
    valid_from, known_at : int64[r]; a row is visible when ``known_at < as_of``.
    codes : int32[K, r] in the order of ``schema.attribute_categories``; -1 = says nothing.
    vocabularies : texts of each row of `codes`, sorted.
    numbers : float64[C, r] in the order of ``schema.attribute_numbers``; NaN = says nothing.
    """

    offsets: NDArray[np.int64]
    valid_from: NDArray[np.int64]
    known_at: NDArray[np.int64]
    codes: NDArray[np.int32]
    vocabularies: tuple[tuple[str, ...], ...]
    numbers: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RuleAttributes:
    """What the columns say that rules of people look at: as texts, every value, whatever a model learned of them.

    Attributes
    ----------
    columns : their names, sorted.
    rows : `codes` has a row a column in that order, `vocabularies` every text that stands there; no numbers.
    """

    columns: tuple[str, ...]
    rows: Attributes


@dataclass(frozen=True, eq=False)
class Outcomes:
    """How and when leads ended: only a lead's first outcome counts; at one instant, converted wins.

    Attributes
    ----------
    at : int64[n_leads], instant of the first outcome; `NEVER` where there is none.
    known_at : int64[n_leads], when an outcome of the lead first was known; `NEVER` where there is none.
    converted : bool[n_leads], whether the first outcome is a conversion.
    delay : microseconds, the 99% quantile of (recorded - own time) over outcomes; 0 where no recorded time is kept.
    """

    at: NDArray[np.int64]
    known_at: NDArray[np.int64]
    converted: NDArray[np.bool_]
    delay: int = 0


@dataclass(frozen=True, eq=False)
class History:
    """Leads with their attributes, events and outcomes.

    Attributes
    ----------
    schema : what the columns mean.
    lead_ids : object[n] of str, sorted by code point.
    created_at : int64[n], UTC microseconds.
    data_end : until when the tables are complete; later rows are not in here.
    now : the moment at which open leads are scored.
    labels : columns shown to people and never features (``[page]``), each object[n] of str, "" missing.
    rule_attributes : columns that the agreement's rules look at; None where none were asked for.
    """

    schema: Schema
    lead_ids: NDArray[np.object_]
    created_at: NDArray[np.int64]
    events: Events
    attributes: Attributes
    outcomes: Outcomes
    data_end: int
    now: int
    labels: Mapping[str, NDArray[np.object_]]
    rule_attributes: RuleAttributes | None = None

    def __len__(self) -> int:
        return len(self.lead_ids)

    def positions(self, lead_ids: NDArray[np.object_]) -> NDArray[np.int64]:
        """Position of each id among `lead_ids`; -1 where the lead is unknown."""
        if len(self.lead_ids) == 0:
            return np.full(len(lead_ids), -1, dtype=np.int64)
        found = np.searchsorted(self.lead_ids, lead_ids)
        found = np.minimum(found, len(self.lead_ids) - 1)
        return np.where(self.lead_ids[found] == lead_ids, found, -1).astype(np.int64)

    def open_leads(self, at: int) -> NDArray[np.int64]:
        """Positions of leads that were created before `at` and of which no outcome was known then."""
        return np.flatnonzero((self.created_at < at) & (self.outcomes.known_at >= at))
