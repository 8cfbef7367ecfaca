"""The simulator's part of the agreement's page: what was asked, and what comes of it, drawn and side by side."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from features.wording import Lang
from serving.agreement import Agreement
from serving.agreement_chart import Chart
from serving.locales import number
from serving.page_words import words
from serving.simulated import NOTHING, cells, cutoff_text, pair_text, sentence, table
from serving.simulator import Simulator
from training.outlook import Outlook

ASKED = ("mql", "sql", "capacity")
"""What a request may ask for: two cutoffs, or how many SQLs a week sales can take."""
_LONGEST = 40


@dataclass(frozen=True)
class Proposal:
    """The pair of cutoffs that the page is about.

    Attributes
    ----------
    capacity : SQLs a week from which the pair was found, None where it was not.
    problem : in words, what could not be understood of the request; "" where all was. The pair then is another.
    """

    mql: float
    sql: float
    capacity: float | None = None
    problem: str = ""


def cutoff_of(text: str) -> float | None:
    """A cutoff as people write it: with a percent sign, or from 1 on, a percentage; else a probability.

    >>> cutoff_of("12%"), cutoff_of("0.12"), cutoff_of("１２．５％"), cutoff_of("12"), cutoff_of("100%"), cutoff_of("x")
    (0.12, 0.12, 0.125, 0.12, None, None)
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    value = _number(plain.removesuffix("%"))
    if value is None:
        return None
    probability = round(value / 100 if plain.endswith("%") or value >= 1 else value, 6)
    return probability if 0 < probability < 1 else None


def capacity_of(text: str) -> float | None:
    """A number of leads a week as people write it, above 0."""
    value = _number(unicodedata.normalize("NFKC", text).strip())
    return value if value is not None and 0 < value < 1e9 else None


def proposal_of(simulator: Simulator, asked: Mapping[str, str], today: Agreement | None, lang: Lang) -> Proposal | None:
    """The pair that a request asks for; silent, that of today's agreement, else the suggested one.

    None where nothing is asked and nothing can be suggested.
    """
    given = {name: asked[name] for name in ASKED if asked.get(name, "").strip()}
    silent = _silent(simulator, today)
    mql, sql = (None if name not in given else cutoff_of(given[name]) for name in ("mql", "sql"))
    for name, value in (("mql", mql), ("sql", sql)):
        if name in given and value is None:
            return _instead(silent, words("agreement.simulator.wrong_cutoff", lang, found=given[name][:_LONGEST]))
    if "capacity" in given:
        capacity = capacity_of(given["capacity"])
        if capacity is None:
            return _instead(
                silent, words("agreement.simulator.wrong_capacity", lang, found=given["capacity"][:_LONGEST])
            )
        pair = simulator.for_capacity(capacity, mql)
        if pair is None:
            no_weeks = simulator.outlooks.backtest.lead_weeks == 0
            why = "agreement.simulator.no_weeks" if no_weeks else "agreement.simulator.cannot_fit"
            return _instead(silent, words(why, lang))
        return Proposal(*pair, capacity=capacity)
    if mql is None and sql is None:
        return silent
    if mql is None or sql is None:
        known = mql if sql is None else sql
        assert known is not None
        other = silent or Proposal(known, known)
        mql, sql = (min(other.mql, known), known) if mql is None else (known, max(other.sql, known))
    if mql > sql:
        return _instead(silent, words("agreement.simulator.wrong_order", lang))
    return Proposal(mql, sql)


def simulator_part(simulator: Simulator, proposal: Proposal, today: Agreement | None, lang: Lang) -> dict[str, Any]:
    """What the template shows of the simulator."""
    backtest = simulator.outlooks.backtest
    columns = compared(simulator, proposal, today)
    chart = _chart(simulator, today)
    capacity = proposal.capacity if proposal.capacity is not None or today is None else today.sqls_a_week
    suggestion = simulator.suggestion(capacity)
    counts = {"moments": len(backtest), "leads": int(backtest.lead.max(initial=-1)) + 1}
    suggested = None
    if suggestion is not None:
        pair = {"mql": f"{suggestion.mql:g}", "sql": f"{suggestion.sql:g}", "lang": lang}
        suggested = {
            "pair": words(
                "agreement.suggestion.pair",
                lang,
                mql=cutoff_text(suggestion.mql, lang),
                sql=cutoff_text(suggestion.sql, lang),
            ),
            "why": suggestion.said(lang),
            "href": f"/agreement?{urlencode(pair)}#simulator",
            "shown": (suggestion.mql, suggestion.sql) == (proposal.mql, proposal.sql),
        }
    return {
        **_pair_words(proposal, lang),
        "problem": proposal.problem,
        "aside": words("agreement.simulator.aside", lang, weeks=round(backtest.weeks, 1), **counts)
        if backtest.weeks
        else words("agreement.simulator.aside_at_once", lang, **counts),
        "sentence": sentence(_known(columns["proposed"][0]), lang),
        "chart": None
        if chart is None
        else chart.drawn(proposal.mql, proposal.sql, None if today is None else (today.mql, today.sql), lang),
        "columns": [{"name": name, "text": words(f"agreement.compare.{name}", lang)} for name in columns],
        "cutoffs": cutoffs_text(columns, lang),
        "rows": list(table(columns, lang)),
        "old_bundle": backtest.points is None or backtest.lead_time is None,
        "suggestion": suggested,
    }


def simulated_json(simulator: Simulator, proposal: Proposal, today: Agreement | None, lang: Lang) -> dict[str, Any]:
    """What the page's script fills in as the cutoffs move: the same words that the template would show."""
    columns = compared(simulator, proposal, None)
    chart = _chart(simulator, today)
    return {
        **_pair_words(proposal, lang),
        "sentence": sentence(_known(columns["proposed"][0]), lang),
        "cells": {
            name: {row: each.to_json() for row, each in cells(outlook, lang).items()}
            for name, (outlook, _) in columns.items()
            if outlook is not None
        },
        "cutoffs": cutoffs_text(columns, lang),
        "marks": None if chart is None else chart.marks(proposal.mql, proposal.sql, lang),
    }


def _chart(simulator: Simulator, today: Agreement | None) -> Chart | None:
    """Its scale does not hang on the pair that is asked for: the script moves lines over one drawing."""
    return Chart.of(simulator.outlooks, *(() if today is None else (today.mql, today.sql)))


Compared = dict[str, tuple[Outlook | None, str]]


def compared(simulator: Simulator, proposal: Proposal, today: Agreement | None) -> Compared:
    """Outlooks by column: proposed, today's where there is an agreement, and points."""
    outlooks = simulator.outlooks
    found: Compared = {"proposed": (outlooks.outlook(proposal.mql, proposal.sql), "")}
    if today is not None:
        found["today"] = (outlooks.outlook(today.mql, today.sql), "")
    found["points"] = (outlooks.by_points(proposal.mql, proposal.sql), "points")
    return found


def cutoffs_text(compared: Compared, lang: Lang) -> dict[str, str]:
    return {
        name: NOTHING if outlook is None else pair_text(outlook, lang, points=kind == "points")
        for name, (outlook, kind) in compared.items()
    }


def _pair_words(proposal: Proposal, lang: Lang) -> dict[str, Any]:
    mql, sql = cutoff_text(proposal.mql, lang), cutoff_text(proposal.sql, lang)
    return {
        "mql": proposal.mql,
        "sql": proposal.sql,
        "mql_text": mql,
        "sql_text": sql,
        "capacity": "" if proposal.capacity is None else number(proposal.capacity, lang),
        "save": words("agreement.save.what", lang, mql=mql, sql=sql),
    }


def _silent(simulator: Simulator, today: Agreement | None) -> Proposal | None:
    if today is not None:
        return Proposal(today.mql, today.sql)
    suggested = simulator.suggestion()
    return None if suggested is None else Proposal(suggested.mql, suggested.sql)


def _instead(silent: Proposal | None, problem: str) -> Proposal:
    pair = silent or Proposal(0.5, 0.5)
    return Proposal(pair.mql, pair.sql, problem=problem)


def _known(outlook: Outlook | None) -> Outlook:
    assert outlook is not None
    return outlook


def _number(plain: str) -> float | None:
    if len(plain) > _LONGEST:
        return None
    try:
        value = float(plain.replace(",", "").strip())
    except ValueError:
        return None
    return value if math.isfinite(value) else None
