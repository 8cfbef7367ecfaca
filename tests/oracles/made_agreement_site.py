"""The agreement's page over a made model, a store and a folder with an agreement, without the rest of a service."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oracles.asked_app import TOKEN, Asking, LetIn
from oracles.made_backtests import made_backtest
from oracles.made_service import SCHEMA, made_leads, made_model
from serving.actor import SOMEONE, Actor
from serving.agreement_page import meaning_of
from serving.agreement_replacing import text_digest
from serving.agreement_routes import agreement_routes
from serving.champion import Snapshot
from serving.pages import Pages
from serving.problems import Refused
from serving.serving_model import ServingModel
from serving.signatures import AgreementState, load_agreement, signed_digest
from serving.store import Store
from serving.store.tables import standings
from training.cutoffs_table import Backtest

TOML = """# what we agreed in spring
version = 1

[cutoffs]
mql = 0.1   # more than enough
sql = 0.3

[fast_lane.call_booked]
respond_within = "4h"
counts_for = "14d"
"""
NOW = 1_790_000_000_000_000


@cache
def model_with(backtest: Backtest | None = None) -> ServingModel:
    """A really trained model whose backtest is a made one."""
    model = made_model(*made_leads(240))
    made = made_backtest(900, 400) if backtest is None else backtest
    return replace(model, bundle=replace(model.bundle, backtest=made))


class AgreementSite:
    """What the agreement's page needs of a service.

    Parameters
    ----------
    toml : of agreement.toml; None for a folder without one.
    """

    def __init__(
        self, folder: Path, store: Store, *, toml: str | None = TOML, model: ServingModel | None = None
    ) -> None:
        self.store = store
        self.now = NOW
        self.access = SimpleNamespace(closed=True)
        self.tables = SimpleNamespace(held=None)
        self.workspace = SimpleNamespace(name="b2b", folder=folder, converted="converted")
        self.model = model_with() if model is None else model
        if toml is not None:
            (folder / "agreement.toml").write_text(toml, encoding="utf-8")
        pages = Pages(lambda: self)  # type: ignore[arg-type, return-value]
        self.app = Starlette(
            routes=[*agreement_routes(pages), Route("/static/{name}", pages.static)],
            exception_handlers={Refused: _refused},
        )

    def clock(self) -> int:
        self.now += 1_000_000
        return self.now

    def snapshot(self) -> Snapshot:
        return Snapshot(model=self.model, schema=SCHEMA, agreement=AgreementState())

    @property
    def folder(self) -> Path:
        return self.workspace.folder

    @property
    def text(self) -> str:
        return (self.folder / "agreement.toml").read_text(encoding="utf-8")

    @property
    def meaning(self) -> Any:
        return meaning_of(self.snapshot(), self.workspace.converted)

    @property
    def sha256(self) -> str:
        agreement = load_agreement(self.folder)
        assert agreement is not None
        return signed_digest(agreement, **self.meaning)

    def asking(self, actor: Actor = SOMEONE) -> Asking:
        return Asking(LetIn(self.app, actor))

    def saved(self, asking: Asking, **fields: str) -> Any:
        """What the save form answers, sent as the page would send it."""
        form = {"csrf": TOKEN, "looked_at": text_digest(self.text), "reason": "because", **fields}
        return asking.post("/agreement/save?lang=en", form)

    def signed(self, asking: Asking, team: str, **fields: str) -> Any:
        form = {"csrf": TOKEN, "team": team, "sha256": self.sha256, "name": "Mei Tanaka", **fields}
        return asking.post("/agreement/sign?lang=en", form)


def add_standing(c: sa.Connection, lead_id: str, **told: Any) -> None:
    """A lead that stands somewhere; what is not told is what a quiet lead has."""
    row = {
        "lead_id": lead_id, "as_of": NOW, "score": 0, "decided_by": "model", "lane": 3, "order_deadline": 0,
        "order_score": 0.0, "title": lead_id, "search": lead_id, "state": "waiting", "active_again": False,
    }  # fmt: skip
    c.execute(standings.insert().values(**row | told))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return Response(error.body(), status_code=error.status, media_type="application/problem+json")
