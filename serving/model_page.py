"""What the model is worth, in words, tables and drawings: for the leaders of both teams."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from features.calendar_days import DAY
from features.history import History
from features.wording import Lang
from serving import locales
from serving.calibration_page import calibration_part
from serving.model_data import data_quality
from serving.model_drawings import gains_drawing, lift_drawing, reliability_drawing
from serving.model_segments import Segments
from serving.page_words import words
from serving.serving_model import ColdStart, ServingModel
from training.bootstrap import Estimate
from training.limits import limits
from training.segment_names import segment_name
from training.verdicts import verdicts

if TYPE_CHECKING:
    from training.registry import Registered

METRICS = (
    "roc_auc", "average_precision", "log_loss", "brier_skill", "calibration_slope", "ece", "lift_10", "precision_10",
)  # fmt: skip
_DIGITS = {"log_loss": 4, "ece": 4, "calibration_slope": 2, "lift_10": 2}


def model_page(
    model: ServingModel | ColdStart,
    history: History,
    segments: Segments | None,
    lang: Lang,
    *,
    versions: Sequence[Registered] | None,
    now: int,
) -> dict[str, Any]:
    """The content of the page.

    Parameters
    ----------
    segments : None without a model.
    versions : the newest first; None while the registry is away.
    """
    zone = history.schema.zone
    shared = {
        "versions": _versions(versions or (), zone, lang),
        "versions_nothing": words("model.versions.away" if versions is None else "model.versions.none", lang),
        "printed": words("model.printed", lang, time=locales.moment(now, zone, lang)),
    }
    if not isinstance(model, ServingModel) or segments is None:
        missing = [each.said(lang) for each in model.missing] if isinstance(model, ColdStart) else []
        return {"why_not": words("model.none", lang), "missing": missing, **shared}
    horizon = locales.length(model.horizon, lang)
    return {
        "why_not": "",
        "lead_in": words(
            "model.lead_in", lang, name=model.name, version=model.version, converted=model.converted, horizon=horizon
        ),
        "verdicts": verdicts(model.bundle.evaluation, model.bundle.scorer, model.converted_leads, lang),
        "figures": _figures(model, lang),
        "learned": _learned(model, zone, lang),
        "calibration": calibration_part(model, zone, lang),
        "split": words(f"model.learned.split.{'time' if _by_time(model) else 'other'}", lang),
        "drawings": [
            drawing(model.bundle.evaluation, lang) for drawing in (reliability_drawing, gains_drawing, lift_drawing)
        ],
        "compared": _compared(model, lang),
        "segments": _segments(segments, history, lang),
        "data": data_quality(model.bundle.manifest, history, now, lang),
        "limits": limits(lang, horizon=horizon, oldest=_oldest(model, lang)),
        **shared,
    }


def figure_text(estimate: Estimate, digits: int) -> str:
    """A figure with so many decimals; a dash where it has no value."""
    return "–" if estimate.point is None else f"{estimate.point:.{digits}f}".replace("-", "−")


def range_text(estimate: Estimate, digits: int, lang: Lang) -> str:
    """Its interval; "" where it has none."""
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = (f"{each:.{digits}f}".replace("-", "−") for each in (estimate.low, estimate.high))
    return words("model.range", lang, low=low, high=high)


def _by_time(model: ServingModel) -> bool:
    return bool(model.bundle.manifest["split"]["kind"] == "time")


def _figures(model: ServingModel, lang: Lang) -> list[dict[str, str]]:
    models = model.bundle.evaluation.models
    ours = next(iter(models.values())).metrics
    others = {
        name: figure_text(models[name].metrics["log_loss"], 3) if name in models else "–"
        for name in ("points", "base rate")
    }
    notes = {
        "auc": words("model.figure.auc_note", lang, range=range_text(ours["roc_auc"], 3, lang)),
        "log_loss": words("model.figure.log_loss_note", lang, points=others["points"], base=others["base rate"]),
        "slope": words("model.figure.slope_note", lang, range=range_text(ours["calibration_slope"], 2, lang)),
        "ece": words("model.figure.ece_note", lang, range=_share_range(ours["ece"], lang)),
    }
    ece = ours["ece"].point
    values = {
        "auc": figure_text(ours["roc_auc"], 3),
        "log_loss": figure_text(ours["log_loss"], 3),
        "slope": figure_text(ours["calibration_slope"], 2),
        "ece": "–" if ece is None else locales.percentage(ece, lang),
    }
    return [{"name": words(f"model.figure.{key}", lang), "value": values[key], "note": notes[key]} for key in notes]


def _share_range(estimate: Estimate, lang: Lang) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = (locales.percentage(each, lang) for each in (estimate.low, estimate.high))
    return words("model.range", lang, low=low, high=high)


def _learned(model: ServingModel, zone: str, lang: Lang) -> list[dict[str, str]]:
    about, evaluation, scorer = model.bundle.manifest, model.bundle.evaluation, model.bundle.scorer

    def day(instant: int) -> str:
        return locales.date(int(instant), zone, lang)

    told = {
        "outcome": words(
            "model.learned.outcome_is", lang, converted=model.converted, horizon=locales.length(model.horizon, lang)
        ),
        "moments": words(
            "model.learned.moments_are",
            lang,
            n=about["settled_moments"],
            **{"from": day(about["first_moment"]), "until": day(about["last_moment"])},
        ),
        "leads": words("model.learned.leads_are", lang, n=about["leads"], converted=about["converted_leads"]),
        "complete": locales.moment(int(about["data_end"]), zone, lang),
        "trained": locales.moment(int(about["trained_at"]), zone, lang),
        "features": words("model.learned.features_are", lang, n=len(scorer.definitions)),
        "tested": words(
            "model.learned.tested_are",
            lang,
            moments=evaluation.moments,
            leads=evaluation.leads,
            converted=evaluation.converted_leads,
            **{"from": day(about["split"]["first_test"]), "until": day(about["split"]["last_test"])},
        ),
    }
    if scorer.average is not None:
        told["average"] = words("model.learned.average_is", lang, share=locales.percentage(float(scorer.average), lang))
    order = ("outcome", "moments", "leads", "average", "tested", "features", "complete", "trained")
    return [{"name": words(f"model.learned.{key}", lang), "value": told[key]} for key in order if key in told]


def _compared(model: ServingModel, lang: Lang) -> dict[str, Any]:
    models = model.bundle.evaluation.models
    return {
        "heads": [words(f"model.name.{name}", lang) for name in models],
        "rows": [
            {
                "name": words(f"model.metric.{metric}", lang),
                "range": range_text(next(iter(models.values())).metrics[metric], _DIGITS.get(metric, 3), lang),
                "cells": [figure_text(figures.metrics[metric], _DIGITS.get(metric, 3)) for figures in models.values()],
            }
            for metric in METRICS
        ],
    }


def _segments(found: Segments, history: History, lang: Lang) -> dict[str, Any]:
    if not found.leads or found.first is None or found.last is None:
        return {"about": words("model.segments.nobody", lang), "rows": [], "summary": "", "nothing": ""}
    zone = history.schema.zone
    days = {"from": locales.date(found.first, zone, lang), "until": locales.date(found.last, zone, lang)}
    about = words(f"model.segments.{found.judged}", lang, n=found.leads, converted=found.converted, **days)
    rows = [
        {
            "name": segment_name(each.by, each.column, each.value, history.schema, lang),
            "leads": locales.number(each.leads, lang),
            "expected": locales.number(round(each.expected.point, 1), lang),
            "range": words("model.range", lang, low=int(each.expected.low), high=int(each.expected.high)),
            "converted": locales.number(each.converted, lang),
            "off": words("model.segments.off", lang) if each.off else "",
            "first": place > 0 and (each.by, each.column) != (found.rows[place - 1].by, found.rows[place - 1].column),
        }
        for place, each in enumerate(found.rows)
    ]
    off = [row for row in rows if row["off"]]
    summary = (
        words("model.segments.summary_off", lang, n=len(off), of=len(rows))
        if off
        else words("model.segments.summary_none", lang, n=len(rows))
    )
    return {
        "about": about,
        "summary": summary if rows else "",
        "rows": rows,
        "shown": [*rows[:1], *(row for row in off if row is not rows[0])],
        "every": words("model.segments.every", lang, n=len(rows)),
        "nothing": "" if rows else words("model.segments.none", lang),
    }


def _oldest(model: ServingModel, lang: Lang) -> str | None:
    age = model.oldest_age
    return None if age is None else locales.length(max(round(age / DAY), 1) * DAY, lang)


def _versions(versions: Sequence[Registered], zone: str, lang: Lang) -> list[dict[str, Any]]:
    return [
        {
            "number": each.number,
            "champion": each.champion,
            "trained": locales.moment(each.trained_at, zone, lang),
            "promoted": locales.moment(each.promoted_at, zone, lang)
            if each.promoted_at is not None
            else words("model.versions.unknown" if each.was_champion else "model.versions.never", lang),
            "auc": f"{each.metrics['roc_auc']:.3f}" if "roc_auc" in each.metrics else "–",
            "log_loss": f"{each.metrics['log_loss']:.4f}" if "log_loss" in each.metrics else "–",
            "what": _what(each, lang),
            "forced": _forced(each, lang),
        }
        for each in versions
    ]


def _forced(each: Registered, lang: Lang) -> str:
    """The reason for which it was promoted although gates refused it."""
    return words("model.versions.forced", lang, reason=str(json.loads(each.forced)["reason"])) if each.forced else ""


def _what(each: Registered, lang: Lang) -> str:
    key = "serves" if each.champion else "asks" if each.challenger else "before" if each.was_champion else ""
    return words(f"model.versions.{key}", lang) if key else ""
