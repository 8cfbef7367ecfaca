"""The figures of a pair of cutoffs as people read them: a row a figure, a value and its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from features.wording import Lang
from serving.locales import number, percentage
from serving.page_words import words
from training.bootstrap import Estimate
from training.outlook import Outlook

ROWS: tuple[str, ...] = (
    "sqls_a_week",
    "mqls_a_week",
    "precision_sql",
    "precision_mql",
    "precision_nurture",
    "caught_sql",
    "caught",
    "missed_a_week",
    "days_ahead_sql",
    "days_ahead",
)
"""Figures of an outlook, in the order in which they are shown."""
NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """A figure in words: the value, and its 95% interval ("" where there is none)."""

    value: str
    interval: str

    def to_json(self) -> dict[str, str]:
        return {"value": self.value, "interval": self.interval}

    def __str__(self) -> str:
        return f"{self.value} [{self.interval}]" if self.interval else self.value


def cells(outlook: Outlook, lang: Lang) -> dict[str, Cell]:
    """Every figure of an outlook, by its name."""
    return {name: _cell(getattr(outlook, name), _writer(name, lang)) for name in ROWS}


def pair_text(outlook: Outlook, lang: Lang, *, points: bool = False) -> str:
    """The cutoffs of an outlook: 7% / 32%, or as many points."""
    if points:
        return words("agreement.points", lang, mql=round(outlook.mql), sql=round(outlook.sql))
    return f"{cutoff_text(outlook.mql, lang)} / {cutoff_text(outlook.sql, lang)}"


def cutoff_text(cutoff: float, lang: Lang) -> str:
    """A cutoff as a percentage that loses none of its digits, unlike a rate.

    >>> cutoff_text(0.32, "en"), cutoff_text(0.125, "ja"), cutoff_text(0.0015, "en")
    ('32%', '12.5%', '0.15%')
    """
    return f"{number(100 * cutoff, lang)}%"


def count(value: float, lang: Lang) -> str:
    """A number of leads a week: one decimal below ten, where it matters."""
    return number(round(value, 1 if value < 9.95 else 0), lang)


def sentence(outlook: Outlook, lang: Lang) -> str:
    """The whole outlook in one sentence, read out by screen readers as the sliders move; "" without weekly figures."""
    sqls, mqls, rate, caught = (
        getattr(outlook, name).point for name in ("sqls_a_week", "mqls_a_week", "precision_sql", "caught")
    )
    if sqls is None or mqls is None or caught is None:
        return ""
    return words(
        "agreement.simulator.sentence" if rate is not None else "agreement.simulator.nobody",
        lang,
        sqls=count(sqls, lang),
        mqls=count(mqls, lang),
        rate="" if rate is None else percentage(rate, lang),
        caught=percentage(caught, lang),
    )


def table(columns: Mapping[str, tuple[Outlook | None, str]], lang: Lang) -> Iterator[dict[str, Any]]:
    """Rows of the table that puts outlooks side by side.

    Parameters
    ----------
    columns : name of a column to its outlook (None: not known) and what says so in the row of cutoffs.
    """
    written = {name: None if outlook is None else cells(outlook, lang) for name, (outlook, _) in columns.items()}
    for row in ROWS:
        yield {
            "key": row,
            "name": words(f"agreement.row.{row}", lang),
            "cells": {name: Cell(NOTHING, "") if each is None else each[row] for name, each in written.items()},
        }


def _writer(name: str, lang: Lang) -> Callable[[float], str]:
    if name.startswith(("precision", "caught")):
        return lambda value: percentage(value, lang)
    return lambda value: count(value, lang)


def _cell(estimate: Estimate | None, write: Callable[[float], str]) -> Cell:
    if estimate is None or estimate.point is None:
        return Cell(NOTHING, "")
    if estimate.low is None or estimate.high is None:
        return Cell(write(estimate.point), "")
    return Cell(write(estimate.point), f"{write(estimate.low)}–{write(estimate.high)}")
