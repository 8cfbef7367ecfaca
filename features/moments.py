"""Moments, ``(lead, as_of)``: the instants at which leads are scored, and the schedules that make them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import MomentOutsideHistory, Problem
from features.history import History

SECOND = 1_000_000


@dataclass(frozen=True, eq=False)
class Moments:
    """n moments; a lead may appear often, order is kept.

    Attributes
    ----------
    lead : int64[n], positions in ``history.lead_ids``.
    as_of : int64[n], UTC microseconds.
    """

    lead: NDArray[np.int64]
    as_of: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.lead.shape != self.as_of.shape or self.lead.ndim != 1:
            raise ValueError(
                f"lead and as_of must be two columns of one length, found {self.lead.shape}, {self.as_of.shape}"
            )
        if self.lead.dtype != np.int64 or self.as_of.dtype != np.int64:
            raise ValueError("lead and as_of must be int64")

    def __len__(self) -> int:
        return len(self.lead)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Moments:
        return Moments(self.lead[rows], self.as_of[rows])

    def check(self, history: History) -> None:
        """Raise `MomentOutsideHistory`, naming the first three, where a moment's lead is unknown or not created before it."""
        known = (self.lead >= 0) & (self.lead < len(history))
        late = known.copy()
        late[known] = history.created_at[self.lead[known]] < self.as_of[known]
        wrong = np.flatnonzero(~late)
        if len(wrong):
            raise MomentOutsideHistory(
                problems=[
                    Problem(
                        where=f"moment {row}",
                        found="its lead is unknown" if not known[row] else "its lead was not created yet",
                        expected="a lead of the leads table, created before as_of",
                        next_step="leave it out, or correct its lead_id or as_of",
                    )
                    for row in wrong[:3]
                ]
            )


@dataclass(frozen=True)
class Schedule:
    """When leads are looked at for training. Exactly one of `after_creation` and `every` is used.

    Attributes
    ----------
    after_creation : microseconds after creation, each > 0.
    every, until : microseconds; moments at ``created_at + k * every`` for k = 1, 2, ... strictly before `until`.
        `until` None means until the first outcome or the history's end.
    """

    after_creation: tuple[int, ...] = ()
    every: int | None = None
    until: int | None = None

    def __post_init__(self) -> None:
        if bool(self.after_creation) == (self.every is not None):
            raise ValueError("a schedule has either after_creation or every")
        if any(each <= 0 for each in (*self.after_creation, self.every or 1, self.until or 1)):
            raise ValueError("every offset of a schedule must be positive")

    @classmethod
    def silent(cls, horizon: int, *, has_events: bool) -> Schedule:
        """The schedule of a workspace that names none: from horizon/90 to twice the horizon after creation."""
        if not has_events:
            return cls(after_creation=(SECOND,))
        steps = (
            horizon // 90,
            horizon * 7 // 90,
            horizon // 3,
            horizon * 2 // 3,
            horizon,
            horizon * 3 // 2,
            horizon * 2,
        )
        return cls(after_creation=tuple(sorted({max(step, 1) for step in steps})))

    def moments(self, history: History) -> Moments:
        """All moments of the schedule that lie before the lead's first outcome and before ``history.data_end``.

        Sorted by ``(as_of, lead)``. Never at or before `created_at`, never at or after the first outcome.
        """
        created, last = history.created_at, np.minimum(history.outcomes.at, history.data_end)
        leads: list[NDArray[np.int64]] = []
        times: list[NDArray[np.int64]] = []
        if self.every is None:
            for offset in self.after_creation:
                leads.append(np.arange(len(history), dtype=np.int64))
                times.append(created + offset)
        else:
            limit = last if self.until is None else np.minimum(last, created + self.until)
            counts = np.maximum(-(-(limit - created) // self.every) - 1, 0)
            lead = np.repeat(np.arange(len(history), dtype=np.int64), counts)
            first = np.repeat(np.cumsum(counts) - counts, counts)
            leads.append(lead)
            times.append(created[lead] + (np.arange(len(lead), dtype=np.int64) - first + 1) * self.every)
        lead, as_of = np.concatenate(leads), np.concatenate(times)
        keep = as_of < last[lead]
        lead, as_of = lead[keep], as_of[keep]
        order = np.lexsort((lead, as_of))
        return Moments(lead[order], as_of[order])
