"""What one running service holds: the champion, the tables, the store, and the threads that keep them up."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Collection, Mapping, Sequence

from features.schema import Schema
from features.tables import read_history
from features.workspace import Workspace
from serving.access import Access
from serving.answers import Answers
from serving.champion import Champion, Snapshot, registry_for_long
from serving.cold_start import cold_start
from serving.delivery import Deliverer
from serving.handoff_settings import HandoffSettings
from serving.ingestion import Ingestion
from serving.known_facts import facts_of
from serving.lead_source import FileLeads, LeadSource, StoredLeads
from serving.live_tables import LiveTables, Tables, digest_of
from serving.log_lines import note
from serving.metrics import Metrics
from serving.restanding import Restanding
from serving.serving_model import ColdStart, ServingModel
from serving.store import open_store
from serving.sweep import Sweep, SweptLeads
from serving.watch_metrics import Watched
from serving.watching import Watching
from serving.withheld import Withheld
from training.points import PointsRules

CHAMPION_EVERY = 1.0
TABLES_EVERY = 2.0
ACCESS_EVERY = 1.0
SWEEP_EVERY = 1.0
WITHHELD_EVERY = 1.0


class Office:
    """Made by the service's constructor, one in each worker."""

    def __init__(
        self,
        workspace: Workspace,
        keys: Sequence[str],
        *,
        clock: Callable[[], int],
        proxy_secret: str = "",
        open_on_loopback: bool = True,
        handoff: HandoffSettings | None = None,
    ) -> None:
        self.workspace = workspace
        self.store = open_store(workspace)
        self.access = Access(
            self.store, keys, proxy_secret=proxy_secret, clock=clock, open_on_loopback=open_on_loopback
        )
        self.keyed = bool(keys)
        self.metrics = Metrics()
        self.watched = Watched(self.store)
        self.clock = clock
        self.version = importlib.metadata.version("propensity")
        workspace.state_folder.mkdir(exist_ok=True)
        self._told_schema = Schema(
            zone=workspace.zone,
            stages={name: each.stage for name, each in workspace.events.items() if each.stage is not None},
        )
        self.champion = Champion(
            folder=workspace.folder,
            state_folder=workspace.state_folder,
            registry=lambda: registry_for_long(workspace),
            converted=workspace.converted,
            cold_start=self._cold_start,
            metrics=self.metrics,
        )
        self.tables = LiveTables(workspace, self.snapshot, lambda stale: self.metrics.stale("tables", stale))
        self._cold: tuple[Tables, ColdStart] | None = None
        self.withheld = Withheld(self.store)
        self.leads: LeadSource = (
            FileLeads(self.tables, self.snapshot, self.store, self.withheld)
            if workspace.store is None
            else StoredLeads(self.store, workspace, self.snapshot, clock)
        )
        self.answers = Answers(
            snapshot=self.snapshot,
            leads=self.leads,
            facts=self._facts,
            withheld=self.withheld,
            metrics=self.metrics,
            clock=clock,
        )
        self.handoff = handoff or HandoffSettings()
        self.deliverer = Deliverer(self.store, self.handoff, clock)
        self.restanding = Restanding(workspace=workspace, snapshot=self.snapshot, settings=self.handoff, clock=self.now)
        self.ingestion = Ingestion(store=self.store, workspace=workspace, restanding=self.restanding, clock=clock)
        self.sweep = Sweep(
            store=self.store,
            source=self._swept_leads,
            settings=self.handoff,
            withheld=self.withheld,
            clock=clock,
            people_now=self.now,
        )
        self.score_body = self.answers.score_body
        self.score_batch_body = self.answers.score_batch_body
        self._watching = [
            Watching("the champion", self.champion.look, every=CHAMPION_EVERY),
            Watching("the tables", self.tables.look, every=TABLES_EVERY),
            Watching("where leads stand", self.sweep.look, every=SWEEP_EVERY),
            Watching("who objects", self.withheld.look, every=WITHHELD_EVERY),
            Watching("who may ask", self.access.look, every=ACCESS_EVERY),
            *self.deliverer.watching(),
        ]

    def snapshot(self) -> Snapshot:
        """What answers now."""
        return self.champion.snapshot

    def open(self) -> None:
        """Load and warm the champion, then keep all up in the background.

        A worker takes requests once this returns, so that nobody ever waits for compiled code or meets a service
        without its model. The tables, which may take a while, are read beside it.
        """
        self._watching[0].look_once()
        for each in self._watching:
            each.start()
        note("open", asks_who=self.access.closed)

    def close(self) -> None:
        """End the threads."""
        for each in self._watching:
            each.stop()
        self.store.close()
        note("closed")

    @property
    def ready(self) -> bool:
        """Whether the champion is warm and the tables were looked at."""
        return self.tables.looked

    def now(self) -> int:
        """The moment that people on the pages live in: the clock, but of tables that are told to end, their end.

        An example of last year is then read as it was on its last day, instead of with every deadline long past.
        """
        tables = self.tables.held
        if self.workspace.store is None and self.workspace.data_end is not None and tables is not None:
            return min(tables.history.now, self.clock())
        return self.clock()

    def _facts(self, lead_ids: Sequence[str], as_of: int) -> Mapping[str, Collection[str]]:
        with self.store.reading() as c:
            return facts_of(c, lead_ids, as_of=as_of)

    def _swept_leads(self) -> SweptLeads | None:
        """The leads to sweep: those of the tables held, or those of the store as it is when the sweep begins."""
        if self.workspace.store is not None:
            snapshot = self.snapshot()
            schema = snapshot.model.schema if isinstance(snapshot.model, ServingModel) else None
            rule_columns = snapshot.rule_columns
            return SweptLeads(
                lambda: read_history(self.workspace, schema=schema, set_aside=False, rule_columns=rule_columns).history,
                snapshot,
                "store",
            )
        tables = self.tables.held
        if tables is None:
            return None
        return SweptLeads(lambda: tables.history, tables.snapshot_for(self.snapshot()), digest_of(tables.state))

    def _cold_start(self) -> tuple[ColdStart, Schema]:
        """Points, while there is no champion; once the tables were read they say of event types, and what is missing."""
        tables = self.tables.held
        if tables is None:
            rules = PointsRules.of(self.workspace, self._told_schema)
            return ColdStart(rules=rules, horizon=self.workspace.horizon), self._told_schema
        if self._cold is None or self._cold[0] is not tables:
            self._cold = (tables, cold_start(self.workspace, tables.history))
        return self._cold[1], tables.history.schema
