"""What the service counts about itself, for Prometheus; over all workers, and without a lead's id in any label."""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_BUCKETS = (
    0.001,
    0.002,
    0.003,
    0.005,
    0.0075,
    0.01,
    0.02,
    0.03,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
)


class Metrics:
    """Own metrics instead of BentoML's, which label by the path as it was called: `/leads/{id}` holds a person's id."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "propensity_request_seconds",
            "Time from the first byte of a request to the last of its reply",
            ["route", "method", "status"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._scores = Counter(
            "propensity_scores",
            "Scores answered, by band and by what decided it",
            ["band", "decided_by"],
            registry=self._registry,
        )
        self._refused_leads = Counter(
            "propensity_batch_leads_refused",
            "Leads of batches that could not be scored",
            registry=self._registry,
        )
        self._model_version = Gauge(
            "propensity_model_version",
            "Version of the champion that serves, 0 while there is none",
            registry=self._registry,
            multiprocess_mode="mostrecent",
        )
        self._swaps = Counter(
            "propensity_model_swaps", "Champions that took over, the first included", registry=self._registry
        )
        self._tables_age = Gauge(
            "propensity_tables_age_seconds",
            "Time since the newest of the tables held was written",
            registry=self._registry,
            multiprocess_mode="mostrecent",
        )
        self._stale = Gauge(
            "propensity_stale",
            "1 where the newest state of a thing can't be had and an older one serves",
            ["what"],
            registry=self._registry,
            multiprocess_mode="max",
        )

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        self._requests.labels(route, method, str(status)).observe(seconds)

    def scores(self, decided: Iterable[tuple[str | None, str]]) -> None:
        for band, decided_by in decided:
            self._scores.labels(band or "none", decided_by).inc()

    def refused_leads(self, number: int) -> None:
        self._refused_leads.inc(number)

    def champion(self, version: str | None) -> None:
        self._model_version.set(int(version) if version is not None and version.isdigit() else 0)
        self._swaps.inc()

    def stale(self, what: str, is_stale: bool) -> None:
        self._stale.labels(what).set(1 if is_stale else 0)

    def page(self, *, tables_age: float | None, watched: bytes = b"") -> bytes:
        """The metrics of all workers in the text format of Prometheus, followed by those of the newest watch."""
        if tables_age is not None:
            self._tables_age.set(tables_age)
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry) + watched
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together) + watched
