"""Sweeps: hourly, and at once when champion, agreement or files change; one worker of several; nobody who must not be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from features.calendar_days import HOUR
from features.history import History
from oracles.made_service import AGREED, NOW, SCHEMA, made_history, made_leads, made_model, signed
from serving.champion import Snapshot
from serving.handoff_settings import HandoffSettings, WebhookSettings
from serving.signatures import AgreementState
from serving.store import Store
from serving.store.erasure import erase_lead
from serving.store.leases import Lease
from serving.store.tables import deliveries, handoffs, standings
from serving.sweep import Sweep, SweptLeads
from serving.withheld import Withheld, object_to

LEADS, CONVERTED = made_leads(200)
MODEL = made_model(LEADS, CONVERTED)
SENDING = HandoffSettings(webhook=WebhookSettings("https://crm.example/hook", ("whsec_c2VjcmV0",)))


class Worker:
    """A worker's sweep over leads and an agreement that may change, by a clock that is put forward by hand."""

    def __init__(self, store: Store) -> None:
        self.now = NOW
        self.history = made_history(LEADS)
        self.agreement: AgreementState = signed()
        self.read = 0
        self.sweep = Sweep(
            store=store, source=self._source, settings=SENDING, withheld=Withheld(store),
            clock=lambda: self.now, people_now=lambda: self.now,
        )  # fmt: skip

    def _source(self) -> SweptLeads:
        return SweptLeads(self._read, Snapshot(MODEL, SCHEMA, self.agreement, ()), "files")

    def _read(self) -> History:
        self.read += 1
        return replace(self.history, now=self.now)

    def look(self, times: int = 2) -> int:
        """Look some times; how often leads were read for it."""
        before = self.read
        for _ in range(times):
            self.sweep.look()
        return self.read - before


@pytest.fixture
def worker(store: Store) -> Worker:
    return Worker(store)


def rows(store: Store, table: sa.Table) -> list[Any]:
    with store.reading() as c:
        return list(c.execute(sa.select(table)))


def test_leads_are_swept_once_and_again_after_an_hour(worker: Worker, store: Store) -> None:
    assert worker.look(1) == 0, "what is wanted must have been seen twice"
    assert worker.look(3) == 1
    assert len(rows(store, standings)) == len(LEADS)
    worker.now += HOUR - 1
    assert worker.look() == 0
    worker.now += 1
    assert worker.look() == 1
    assert {row.as_of for row in rows(store, standings)} == {worker.now}


def test_a_changed_agreement_is_swept_at_once(worker: Worker, store: Store) -> None:
    worker.look()
    worker.agreement = signed(replace(AGREED, version=2, mql=0.2))
    assert worker.look() == 1
    assert {row.agreement_version for row in rows(store, standings)} == {2}


def test_another_worker_finds_nothing_to_do(worker: Worker, store: Store) -> None:
    other = Worker(store)
    worker.look()
    assert other.look() == 0


def test_while_another_holds_the_lease_nobody_sweeps_until_it_ends(worker: Worker, store: Store) -> None:
    assert Lease(store, "sweep", holder="a worker that died").take(now=NOW, seconds=120)
    assert worker.look() == 0
    worker.now += 121 * 1_000_000
    assert worker.look(1) == 1


def test_the_backlog_of_a_first_agreement_is_listed_and_sent_nowhere(worker: Worker, store: Store) -> None:
    worker.look()
    backlog = len(rows(store, handoffs))
    assert backlog > 0
    assert rows(store, deliveries) == []
    worker.agreement = signed(replace(AGREED, version=2, mql=0.1, sql=0.2, evidence=None))
    worker.now += 1
    worker.look()
    news = len(rows(store, handoffs)) - backlog
    assert len(rows(store, deliveries)) == news > 0


@pytest.mark.parametrize("gone", ["objects", "is erased"])
def test_who_objects_or_was_erased_stands_nowhere_though_files_hold_it(worker: Worker, store: Store, gone: str) -> None:
    worker.look()
    leaves: dict[str, Callable[[], Any]] = {
        "objects": lambda: _object(store, "L-0003"),
        "is erased": lambda: erase_lead(store, "L-0003", now=NOW),
    }
    leaves[gone]()
    worker.now += HOUR
    worker.look()
    assert "L-0003" not in {row.lead_id for row in rows(store, standings)}
    assert len(rows(store, standings)) == len(LEADS) - 1


def _object(store: Store, lead_id: str) -> None:
    with store.writing() as c:
        object_to(c, store, lead_id, now=NOW)


def test_a_lead_that_the_tables_do_not_hold_any_more_leaves(worker: Worker, store: Store) -> None:
    worker.look()
    worker.history = made_history(LEADS[1:])
    worker.now += HOUR
    worker.look()
    assert len(rows(store, standings)) == len(LEADS) - 1
