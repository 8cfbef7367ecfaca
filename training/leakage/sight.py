"""What the guard may look at: the fitted moments with their labels, the tested ones without, and who had ended by then.

The test block keeps its secret: none of its labels is in here, and outcomes that came after it began are hidden, also
those of leads that are fitted too. A guard that saw them would choose columns by what is later measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.history import NEVER, History
from training.dataset import Rows, TrainingSet
from training.leakage.separation import Coded
from training.split import Split, choice_folds

MOST_MOMENTS, MOST_CONVERTED, MOST_TESTED = 6_000, 2_000, 3_000
"""Moments looked at: fitted ones, those of them that a conversion followed, tested ones. What leaks is not subtle."""
MOST_LEADS = 20_000
"""Leads whose rows are looked at."""


def sampled(train_set: TrainingSet, parts: Split) -> tuple[Rows, Rows]:
    """Fitted and tested moments to look at, ascending: conversions first, the others evenly spread over time."""
    label = train_set.label[parts.fit]
    converted = _spread(parts.fit[label == 1], MOST_CONVERTED)
    others = _spread(parts.fit[label == 0], MOST_MOMENTS - len(converted))
    return np.sort(np.concatenate([converted, others])), _spread(parts.test, MOST_TESTED)


def _spread(rows: Rows, most: int) -> Rows:
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


@dataclass(frozen=True, eq=False)
class Sight:
    """All that checks look at.

    Attributes
    ----------
    history : the tables; checks look only at rows of `leads`.
    fit : sampled fitted moments, with labels and features.
    tested : float64[m, d], features of sampled tested moments.
    folds : (learn, predict) pairs within `fit`: other leads, and where time allows earlier moments.
    leads : positions of the leads to look at, ascending: leads of fitted moments.
    ended_at : int64[len(leads)], their first outcome; `NEVER` where there is none, or none that may be seen.
    won : bool[len(leads)], whether that outcome is a conversion.
    in_time : whether the test block lies after the fitted moments.
    horizon : microseconds.
    """

    history: History
    fit: TrainingSet
    tested: NDArray[np.float64]
    folds: list[tuple[Rows, Rows]]
    leads: NDArray[np.int64]
    ended_at: NDArray[np.int64]
    won: NDArray[np.bool_]
    in_time: bool
    horizon: int

    @classmethod
    def of(
        cls, history: History, fit: TrainingSet, tested: NDArray[np.float64], leads: NDArray[np.int64], parts: Split
    ) -> Sight:
        """
        Parameters
        ----------
        fit, tested : of the rows that `sampled` drew.
        leads : positions of all leads of fitted moments.
        parts : its test begins where outcomes stop being visible, unless each lead stands on one side only.
        """
        leads = _spread(np.unique(leads), MOST_LEADS)
        ended_at = history.outcomes.at[leads].copy()
        if parts.kind == "time" and parts.test_begin is not None:
            ended_at[ended_at >= parts.test_begin] = NEVER
        return cls(
            history=history,
            fit=fit,
            tested=tested,
            folds=choice_folds(fit, np.arange(len(fit), dtype=np.int64)),
            leads=leads,
            ended_at=ended_at,
            won=history.outcomes.converted[leads] & (ended_at != NEVER),
            in_time=parts.kind != "lead",
            horizon=fit.horizon,
        )

    @cached_property
    def ended(self) -> NDArray[np.bool_]:
        ended: NDArray[np.bool_] = self.ended_at != NEVER
        return ended

    @cached_property
    def created_at(self) -> NDArray[np.int64]:
        return self.history.created_at[self.leads]

    @cached_property
    def coded(self) -> Coded:
        """Every feature of `fit` and `tested` put into bins."""
        return Coded.of(self.fit.values, self.tested, self.fit.definitions.categorical)

    @cached_property
    def strengths(self) -> NDArray[np.float64]:
        """float64[d]: how well each feature alone ranks moments that it was not learned on, as ROC-AUC; NaN unknown."""
        return self.coded.strengths(self.fit.label, self.folds)

    @cached_property
    def position(self) -> NDArray[np.int64]:
        """Place of each lead of the history in `leads`, -1 where it is none of them."""
        place = np.full(len(self.history), -1, dtype=np.int64)
        place[self.leads] = np.arange(len(self.leads))
        return place

    @cached_property
    def quarter(self) -> NDArray[np.int64]:
        """0 .. 3 for each of `leads`: which quarter of them, by creation, it came in."""
        order = np.argsort(self.created_at, kind="stable")
        quarter = np.empty(len(order), dtype=np.int64)
        quarter[order] = np.arange(len(order)) * 4 // max(len(order), 1)
        return quarter

    @cached_property
    def untimed_row(self) -> NDArray[np.int64]:
        """For each of `leads` its row of the leads table among ``history.attributes``, -1 where there is none.

        Nothing but the contract says that these cells were known at creation: an export of today looks the same.
        """
        rows, lead = self.rows_of(self.history.attributes.offsets)
        held = self.history.attributes
        plain = (held.valid_from[rows] == self.created_at[lead]) & (held.known_at[rows] == self.created_at[lead])
        rows, lead = rows[plain], lead[plain]
        found = np.full(len(self.leads), -1, dtype=np.int64)
        found[lead[::-1]] = rows[::-1]  # the first of a lead is written last: the leads table's row comes first
        return found

    def rows_of(self, offsets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of `leads` in a table of these offsets, and the place in `leads` of each."""
        counts = offsets[self.leads + 1] - offsets[self.leads]
        lead = np.repeat(np.arange(len(self.leads)), counts)
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        return offsets[self.leads][lead] + within, lead

    def attribute_cells(self, column: str) -> NDArray[np.float64]:
        """A column of ``history.attributes`` as numbers, code or value, NaN where a row says nothing."""
        schema, held = self.history.schema, self.history.attributes
        if schema.attributes[column] == "category":
            codes = held.codes[schema.attribute_categories.index(column)]
            return np.where(codes < 0, np.nan, codes.astype(np.float64))
        numbers: NDArray[np.float64] = held.numbers[schema.attribute_numbers.index(column)]
        return numbers

    def untimed_cells(self, column: str) -> NDArray[np.float64]:
        """What the leads table says of `leads` in an attribute; NaN where it says nothing."""
        told = self.attribute_cells(column)
        if not len(told):
            return np.full(len(self.leads), np.nan)
        return np.where(self.untimed_row < 0, np.nan, told[np.maximum(self.untimed_row, 0)])
