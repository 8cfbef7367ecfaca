"""What the two teams could agree on: any pair of cutoffs, a capacity, and a pair that we suggest, with why."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

from features.wording import Lang
from serving.locales import number, percentage
from serving.page_words import words
from serving.serving_model import ServingModel
from training.cutoff_counts import CONVERTED_LEADS, LEADS
from training.outlook import ROUND, Outlook, Outlooks

TIMES_THE_AVERAGE = 3.0
"""So many times as likely to convert as the average lead is one that stands right at a suggested cutoff for SQL."""
CAUGHT = (0.8, 0.9, 0.95)
"""The share of all conversions that a suggested pair catches: the first of these that leaves room for MQLs below SQL."""
LEADS_TO_JUDGE = 30
"""A cutoff that fewer tested leads reach is not suggested: what it would give is hardly known."""

WhySql = Literal["likely", "highest", "capacity"]
WhyMql = Literal["caught", "same"]


@dataclass(frozen=True)
class Suggestion:
    """A pair of cutoffs, and what speaks for it.

    Attributes
    ----------
    why_sql : "likely", the lowest at which a lead is likely enough; "highest", none is and this is the highest that
        enough tested leads reach; "capacity", the lowest that sales can take.
    why_mql : "caught", the highest that catches enough; "same", SQL alone catches nearly all, so that no band lies below.
    outlook : of the pair.
    average : conversion rate of all tested moments.
    capacity : SQLs a week that sales can take; None where nobody said.
    """

    mql: float
    sql: float
    why_sql: WhySql
    why_mql: WhyMql
    outlook: Outlook
    average: float
    capacity: float | None = None

    def said(self, lang: Lang) -> list[str]:
        """Why this pair, one sentence a cutoff."""
        found = self.outlook
        precise, caught, volume = found.precision_sql.point, found.caught.point, found.sqls_a_week.point
        values = {
            "sql": percentage(self.sql, lang),
            "mql": percentage(self.mql, lang),
            "rate": "–" if precise is None else percentage(precise, lang),
            "average": percentage(self.average, lang),
            "caught": "–" if caught is None else percentage(caught, lang),
            "capacity": "–" if self.capacity is None else number(self.capacity, lang),
            "volume": "–" if volume is None else number(round(volume, 1 if volume < 10 else 0), lang),
        }
        said = [words(f"agreement.why.sql.{self.why_sql}", lang, **values)]
        if self.capacity is not None and volume is not None and self.why_sql != "capacity":
            said.append(words("agreement.why.room", lang, **values))
        return [*said, words(f"agreement.why.mql.{self.why_mql}", lang, **values)]


@dataclass(frozen=True, eq=False)
class Simulator:
    """Answers from one champion's backtest."""

    outlooks: Outlooks

    @classmethod
    def of(cls, model: ServingModel) -> Simulator:
        return cls(Outlooks.of(model.bundle.backtest))

    def suggestion(self, capacity: float | None = None) -> Suggestion | None:
        """The pair that we would start from; None where the backtest holds no conversion.

        SQL: the lowest cutoff with two digits at which a lead, by its calibrated probability, is `TIMES_THE_AVERAGE` as
        likely to convert as the average, or halfway from the average to certainty where that is less. Of the cutoffs
        that `LEADS_TO_JUDGE` tested leads reach it is at most the highest. Judged by the cutoff itself rather than by
        all leads above it: a few hot leads would else carry many lukewarm ones into SQL. Where sales can't take as many,
        the lowest cutoff that they can. MQL: the highest cutoff below SQL that catches 80% of all conversions (or 90%, or 95%,
        where SQL alone catches that many); where there is none, MQL starts with SQL.
        """
        outlooks = self.outlooks
        average = outlooks.average
        if not average:
            return None
        rows = outlooks.grid_rows(ROUND)
        inside = outlooks.counts.counts[0, rows]
        judged = ROUND[inside[:, LEADS] >= LEADS_TO_JUDGE]
        if len(judged) == 0:
            return None
        likely = judged[judged >= min(TIMES_THE_AVERAGE * average, (1 + average) / 2)]
        why_sql: WhySql = "likely" if len(likely) else "highest"
        sql = float(likely[0] if len(likely) else judged[-1])
        fits = None if capacity is None else outlooks.cutoff_for(capacity, ROUND.tolist())
        if fits is not None and fits > sql:
            sql, why_sql = fits, "capacity"
        caught = inside[:, CONVERTED_LEADS] / outlooks.counts.whole[0, CONVERTED_LEADS]
        for share in CAUGHT:
            mqls = [cutoff for cutoff, found in zip(ROUND.tolist(), caught, strict=True) if found >= share]
            if mqls and mqls[-1] < sql:
                return self._suggested(mqls[-1], sql, why_sql, "caught", average, capacity)
        return self._suggested(sql, sql, why_sql, "same", average, capacity)

    def for_capacity(self, capacity: float, mql: float | None = None) -> tuple[float, float] | None:
        """The pair by which sales gets no more than so many SQLs a week, and as many as then may be.

        MQL is the one given where it is not above, else the suggested one. None where the tested moments span no time.
        """
        sql = self.outlooks.cutoff_for(capacity)
        if sql is None:
            return None
        if mql is None:
            suggested = self.suggestion(capacity)
            mql = sql if suggested is None else suggested.mql
        return min(mql, sql), sql

    def _suggested(
        self, mql: float, sql: float, why_sql: WhySql, why_mql: WhyMql, average: float, capacity: float | None
    ) -> Suggestion:
        return Suggestion(mql, sql, why_sql, why_mql, self.outlooks.outlook(mql, sql), average, capacity)


class Simulators:
    """Keeps the simulator of the champion that serves: counting its backtest takes a second where that is large."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: tuple[ServingModel, Simulator] | None = None

    def of(self, model: ServingModel) -> Simulator:
        with self._lock:
            if self._held is None or self._held[0] is not model:
                self._held = (model, Simulator.of(model))
            return self._held[1]
