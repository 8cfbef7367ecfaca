"""Leads as a service knows them, and a model really trained on them: a few hundred, in a second or two."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from features.calendar_days import DAY, HOUR
from features.catalogue import build_catalogue
from features.history import History
from features.moments import Moments
from features.one_lead import RawEvent, RawLead, history_of_leads
from features.schema import Schema, Words
from oracles.made_scorers import CURVED, made_reference, made_scorer
from serving.agreement import Agreement, Evidence, FastLane
from serving.serving_model import ServingModel
from serving.signatures import TEAMS, AgreementState, Signature
from training.bundle import Bundle
from training.cutoffs_table import Backtest
from training.dataset import TrainingSet
from training.evaluation import evaluate

NOW = 20_000 * DAY
HORIZON = 90 * DAY
SCHEMA = Schema(
    event_types=("call_booked", "mail_opened", "pricing_page_viewed"),
    stages={"mail_opened": "awareness", "pricing_page_viewed": "decision", "call_booked": "action"},
    event_categories={"channel": ("mail", "web")},
    attributes={"company_size": "number", "job_level": "category"},
    categories={"job_level": ("director", "staff", "student")},
    zone="Asia/Tokyo",
    event_words={"pricing_page_viewed": Words("viewed the pricing page", "価格ページを閲覧")},
    attribute_words={"job_level": Words("job level", "役職")},
)
AGREED = Agreement(
    version=1,
    mql=0.3,
    sql=0.5,
    evidence=Evidence(events=3, days=2, stage="decision"),
    fast_lane={"call_booked": FastLane("call_booked", respond_within=4 * HOUR, counts_for=2 * DAY)},
)


def made_leads(count: int, seed: int = 0) -> tuple[list[RawLead], list[bool]]:
    """Leads whose events and attributes tell of a hidden bent, and whether each converted."""
    draw = np.random.default_rng(seed)
    leads, converted = [], []
    for i in range(count):
        bent = draw.normal()
        created = NOW - int(draw.integers(2, 80)) * DAY
        events = [
            RawEvent(
                event_type=str(draw.choice((*SCHEMA.event_types, "webinar_joined"), p=_chances(bent))),
                occurred_at=(at := created + int(draw.integers(0, NOW + DAY - created))),
                recorded_at=at + int(draw.integers(0, 2)) * 6 * HOUR,
                value=float(draw.integers(1, 9)) if draw.random() < 0.5 else None,
                channel=str(draw.choice(["mail", "web"])) if draw.random() < 0.8 else None,
            )
            for _ in range(draw.poisson(np.exp(1.0 + 0.5 * bent)))
        ]
        level = draw.choice(["director", "staff", "student"]) if draw.random() < 0.9 else None
        attributes: dict[str, Any] = {"company_size": float(draw.integers(1, 500)), "job_level": level and str(level)}
        leads.append(RawLead(f"L-{i:04d}", created, attributes, events))
        tilt = {"director": 0.7, "student": -1.0}.get(str(level), 0.0)
        converted.append(bool(draw.random() < 1 / (1 + np.exp(0.5 - 1.8 * bent - tilt))))
    return leads, converted


def _chances(bent: float) -> list[float]:
    keen = 1 / (1 + np.exp(-bent))
    weights = np.array([0.1 * keen, 1.2 - keen, keen, 0.1])
    return list(weights / weights.sum())


def made_history(leads: list[RawLead]) -> History:
    return history_of_leads(SCHEMA, leads, as_of=NOW, named_types=("call_booked",))


def moments_now(history: History) -> Moments:
    """One moment a lead: now."""
    return Moments(np.arange(len(history), dtype=np.int64), np.full(len(history), NOW, dtype=np.int64))


def made_model(
    leads: list[RawLead], converted: list[bool], *, provisional: bool = False, **manifest: Any
) -> ServingModel:
    """A model fitted to these leads as they are now, through the real catalogue, ranker and reference."""
    history = made_history(leads)
    moments, labels = moments_now(history), np.array(converted, dtype=np.int8)
    definitions = build_catalogue(history, moments, HORIZON)
    train_set = TrainingSet.build(history, moments, labels, definitions, HORIZON)
    scorer = replace(made_scorer(train_set, calibrator=CURVED, min_data_in_leaf=20), provisional=provisional)
    probability = scorer.score(train_set.values)[1]
    evaluation = evaluate(
        train_set.label,
        train_set.lead_hash,
        {"model": probability, "base rate": np.full(len(labels), labels.mean())},
        base_rate=float(labels.mean()),
        draws=10,
    )
    known = {"converted": "converted", "oldest_age": 80 * DAY, "converted_leads": int(labels.sum())}
    bundle = Bundle(
        scorer=scorer,
        evaluated_scorer=scorer,
        reference=made_reference(scorer, train_set),
        backtest=Backtest.of(probability, train_set.label, train_set.lead_hash, train_set.as_of),
        evaluation=evaluation,
        manifest=known | manifest,
    )
    return ServingModel(name="b2b", version="3", bundle=bundle)


def signed(agreement: Agreement = AGREED) -> AgreementState:
    """An agreement that both teams signed."""
    return AgreementState(agreement, {team: Signature(team, "A", "", agreement.version, "") for team in TEAMS})
