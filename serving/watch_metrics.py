"""The newest watch as gauges on `/metrics`: kept in the store, so that all workers of all hosts say the same.

A watch takes seconds to minutes and runs by cron; a scrape reads one row. When it last ran is a gauge too: alert on its age.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from serving.store import Store
from serving.store.tables import settings
from serving.watch_figures import Code, Watch

WATCHED = "watched"
READ_EVERY = 5.0
"""Seconds that a reading of the store's row is good for."""


def keep_watch(c: sa.Connection, watch: Watch, *, at: int) -> None:
    """Keep what `/metrics` says of a watch in place of the one before.

    Parameters
    ----------
    at : when it ran, by the real clock (UTC microseconds).
    """
    c.execute(sa.delete(settings).where(settings.c.name == WATCHED))
    c.execute(settings.insert().values(name=WATCHED, value=json.dumps(_kept(watch, at))))


def _kept(watch: Watch, at: int) -> dict[str, Any]:
    """Counts and distances by band, table and kind of check: no lead, and no more labels than these.

    A band's figures are those of the cutoffs; what was served in it, with the rules, stands in `propensity review`.
    """
    bands = [each for each in watch.came_true.groups if each.by in ("all", "band")]
    codes = [each.code for each in watch.alarms]
    evidence = watch.evidence
    return {
        "at": at / 1e6,
        "alarms": {code: codes.count(code) for code in get_args(Code)},
        "leads": {each.value or "all": each.leads for each in bands},
        "expected": {each.value or "all": each.expected.point for each in bands},
        "converted": {each.value or "all": each.converted for each in bands},
        "roc_auc": watch.came_true.ranking.point,
        "settled_converted_leads": watch.came_true.converted_leads,
        "learned_converted_leads": watch.learned_converted,
        "score_distance": None if watch.inflow.score is None else watch.inflow.score.distance,
        "inputs_drifted": sum(each.drifted for each in watch.inflow.inputs) if watch.inflow.known else None,
        "newest_row": {each.name: each.newest / 1e6 for each in watch.sources if each.kind == "table"},
        "new_event_types": len(watch.new_types),
        "new_event_type_share": sum(each.share for each in watch.new_types),
        "open_leads": evidence.open_leads,
        "open_leads_without_events": evidence.without_events,
        "sales_ready_leads": evidence.sales_ready,
        "too_little_evidence_leads": evidence.too_little,
        "rejected": {each.kind: each.rejected / max(each.accepted + each.rejected, 1) for each in watch.answers},
    }


_GAUGES: Mapping[str, tuple[str, str]] = {
    "at": ("run_timestamp_seconds", "When `propensity watch` last ran, seconds since 1970"),
    "alarms": ("alarms", "Alarms of the newest watch"),
    "leads": ("settled_leads", "Leads whose horizon ended since the training"),
    "expected": ("expected_conversions", "Conversions of these that were expected"),
    "converted": ("conversions", "Conversions of these"),
    "roc_auc": ("roc_auc", "ROC-AUC on what settled since the training"),
    "settled_converted_leads": ("settled_converted_leads", "Converted leads that settled since the training"),
    "learned_converted_leads": ("learned_converted_leads", "Converted leads that the model learned from"),
    "score_distance": ("score_distance", "Jensen-Shannon distance of the scores from those of the training, 0 to 1"),
    "inputs_drifted": ("inputs_drifted", "Inputs that are spread otherwise than in the training"),
    "newest_row": ("newest_row_timestamp_seconds", "The newest row of a table, seconds since 1970"),
    "new_event_types": ("new_event_types", "Event types that the model has never met"),
    "new_event_type_share": ("new_event_type_ratio", "Part of the new events that is of these types"),
    "open_leads": ("open_leads", "Open leads"),
    "open_leads_without_events": ("open_leads_without_events", "Open leads without any visible event"),
    "sales_ready_leads": ("sales_ready_leads", "Open leads that the model takes for sales-ready"),
    "too_little_evidence_leads": ("too_little_evidence_leads", "Of these, lowered for too little evidence"),
    "rejected": ("rejected_ratio", "Part of sales' answers of the last 90 days that are rejections"),
}
_LABELS = {
    "alarms": "check",
    "leads": "band",
    "expected": "band",
    "converted": "band",
    "newest_row": "table",
    "rejected": "kind",
}


class Watched:
    """What the store says of the newest watch, as lines for Prometheus; read again every few seconds at most."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read_at = float("-inf")
        self._lines = b""

    def lines(self) -> bytes:
        """Empty before the first watch."""
        if time.monotonic() - self._read_at >= READ_EVERY:
            with self._store.reading() as c:
                found = c.execute(sa.select(settings.c.value).where(settings.c.name == WATCHED)).scalar()
            self._lines = b"" if found is None else _lines(json.loads(found))
            self._read_at = time.monotonic()
        return self._lines


def _lines(kept: Mapping[str, Any]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Kept(kept))
    return generate_latest(registry)


class _Kept(Collector):
    def __init__(self, kept: Mapping[str, Any]) -> None:
        self._kept = kept

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for key, (name, words) in _GAUGES.items():
            value = self._kept.get(key)
            if value is None:
                continue
            label = _LABELS.get(key)
            gauge = GaugeMetricFamily(f"propensity_watch_{name}", words, labels=[label] if label else [])
            for of, each in (value if label else {"": value}).items():
                gauge.add_metric([of] if label else [], float(each))
            yield gauge
