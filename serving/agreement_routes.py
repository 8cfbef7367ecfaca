"""The routes of the agreement's page: to look, to try cutoffs, to save a version, to sign."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from features.errors import UserError
from features.wording import Lang
from serving.actor import require_role
from serving.agreement import Agreement
from serving.agreement_file import load_agreement
from serving.agreement_page import (
    Draft,
    agreement_page,
    as_it_stands,
    meaning_of,
    moves_part,
)
from serving.agreement_replacing import agreement_text
from serving.agreement_versions import notice_version, save_version, sign_version, volumes_of
from serving.agreement_writing import agreement_toml
from serving.band_moves import moves_under
from serving.champion import Snapshot
from serving.csrf import require_csrf
from serving.forms import read_form
from serving.pages import HEADERS, Pages, language
from serving.problems import Fault, Refused
from serving.query import language_of, one_each
from serving.serving_model import ServingModel
from serving.simulator import Simulator, Simulators
from serving.simulator_page import ASKED, cutoff_of, proposal_of, simulated_json

SCRIPT = "agreement.js"


def agreement_routes(pages: Pages) -> list[Route]:
    """`GET /agreement`, `GET /agreement/simulate.json`, `POST /agreement/save`, `POST /agreement/sign`."""
    desk = _Desk(pages)

    async def show(request: Request) -> Response:
        return await anyio.to_thread.run_sync(pages.answer, request, desk.show)

    async def simulate(request: Request) -> Response:
        return await anyio.to_thread.run_sync(desk.simulate, request)

    async def save(request: Request) -> Response:
        return await posted(request, desk.save)

    async def sign(request: Request) -> Response:
        return await posted(request, desk.sign)

    async def posted(request: Request, act: Any) -> Response:
        try:
            form: dict[str, str] | Refused = await read_form(request)
        except Refused as refused:
            form = refused
        return await anyio.to_thread.run_sync(pages.answer, request, lambda asked, lang: act(asked, lang, form))

    return [
        Route("/agreement", show),
        Route("/agreement/simulate.json", simulate),
        Route("/agreement/save", save, methods=["POST"]),
        Route("/agreement/sign", sign, methods=["POST"]),
    ]


class _Desk:
    """What the handlers share: the pages, and the simulator of the champion that serves."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._simulators = Simulators()

    def show(self, request: Request, lang: Lang) -> Response:
        require_role(request.scope, "lead")
        office = self._pages.office()
        folder, snapshot = office.workspace.folder, office.snapshot()
        with suppress(UserError):  # a file with faults is no version yet; the page names them
            notice_version(
                office.store,
                folder,
                meaning=meaning_of(snapshot, office.workspace.converted),
                expect=self._expect(snapshot),
                now=office.clock(),
            )
        return self._page(request, lang, None, 200)

    def simulate(self, request: Request) -> Response:
        """A pair in words and numbers, as the page would show it; 422 with the problem in words where it was not understood."""
        require_role(request.scope, "lead")
        asked = one_each(request, (*ASKED, "lang"), strict=True)
        lang = language_of(asked["lang"]) if "lang" in asked else language(request)
        office = self._pages.office()
        snapshot = office.snapshot()
        simulator = self._simulator(snapshot)
        today = self._today(snapshot)
        proposal = None if simulator is None else proposal_of(simulator, asked, today, lang)
        if simulator is None or proposal is None:
            raise Refused(503, [Fault("model", "none whose backtest could say", "a trained model")])
        if proposal.problem:
            return _json({"problem": proposal.problem}, 422)
        told = simulated_json(simulator, proposal, today, lang)
        with office.store.reading() as c:
            told["moves"] = moves_part(moves_under(c, proposal.mql, proposal.sql), lang)
        return _json(told)

    def save(self, request: Request, lang: Lang, form: dict[str, str] | Refused) -> Response:
        actor = require_role(request.scope, "lead")
        fields = _sent(form)
        require_csrf(request.scope, fields)
        office = self._pages.office()
        snapshot = office.snapshot()
        text, reason = fields.get("text"), fields.get("reason", "")
        try:
            save_version(
                office.store,
                office.workspace.folder,
                text=self._with_cutoffs(fields) if text is None else text,
                looked_at=fields.get("looked_at", ""),
                actor=actor,
                reason=reason,
                meaning=meaning_of(snapshot, office.workspace.converted),
                expect=self._expect(snapshot),
                now=office.clock(),
            )
        except UserError as error:
            return self._page(request, lang, Draft(error.problems, text=text, reason=reason), 422, fields)
        return _go("saved", lang)

    def sign(self, request: Request, lang: Lang, form: dict[str, str] | Refused) -> Response:
        actor = require_role(request.scope, "lead")
        fields = _sent(form)
        require_csrf(request.scope, fields)
        team = fields.get("team", "")
        if actor.team not in (None, team):
            raise Refused(403, [Fault("team", "another team", f"{actor.team}, for which you sign")])
        office = self._pages.office()
        snapshot = office.snapshot()
        # who logged in signs by that name; where nobody is asked who they are, they write it
        name = actor.name if actor.kind in ("person", "proxy") else fields.get("name", "")
        try:
            sign_version(
                office.store,
                office.workspace.folder,
                sha256=fields.get("sha256", ""),
                team=team,
                name=name,
                actor=actor,
                meaning=meaning_of(snapshot, office.workspace.converted),
                expect=self._expect(snapshot),
                clock=office.clock,
            )
        except UserError as error:
            return self._page(request, lang, Draft(error.problems, name=name, signing=True), 422)
        return _go("signed", lang)

    def _page(
        self,
        request: Request,
        lang: Lang,
        draft: Draft | None,
        status: int,
        sent: Mapping[str, str] | None = None,
    ) -> Response:
        office = self._pages.office()
        snapshot = office.snapshot()
        meaning = meaning_of(snapshot, office.workspace.converted)
        asked = one_each(request, (*ASKED, "lang", "done"), strict=False) if sent is None else sent
        content = agreement_page(
            office.store,
            as_it_stands(office.workspace.folder, meaning),
            snapshot,
            self._simulator(snapshot),
            history=None if office.tables.held is None else office.tables.held.history,
            meaning=meaning,
            actor=require_role(request.scope, "lead"),
            asked=asked,
            draft=draft,
            done=asked.get("done", "") if sent is None else "",
            now=office.clock(),
            lang=lang,
        )
        return self._pages.render("agreement.html", request, lang, content, status, script=SCRIPT)

    def _with_cutoffs(self, fields: Mapping[str, str]) -> str:
        """The file's text with two other cutoffs; a first file where there is none."""
        mql, sql = (cutoff_of(fields.get(name, "")) for name in ("mql", "sql"))
        if mql is None or sql is None or mql > sql:
            raise Refused(422, [Fault("mql, sql", "no pair of cutoffs", "probabilities with 0 < mql <= sql < 1")])
        folder = self._pages.office().workspace.folder
        text, held = agreement_text(folder), load_agreement(folder)
        if held is None:
            return f"version = 1\n\n[cutoffs]\nmql = {mql!r}\nsql = {sql!r}\n"
        return agreement_toml(replace(held, mql=mql, sql=sql), text)

    def _simulator(self, snapshot: Snapshot) -> Simulator | None:
        model = snapshot.model
        if not isinstance(model, ServingModel) or len(model.bundle.backtest) == 0:
            return None
        return self._simulators.of(model)

    def _expect(self, snapshot: Snapshot) -> Any:
        return volumes_of(self._simulator(snapshot), snapshot.version)

    def _today(self, snapshot: Snapshot) -> Agreement | None:
        office = self._pages.office()
        return as_it_stands(office.workspace.folder, meaning_of(snapshot, office.workspace.converted)).state.agreement


def _sent(form: dict[str, str] | Refused) -> dict[str, str]:
    if isinstance(form, Refused):
        raise form
    return form


def _go(done: str, lang: Lang) -> Response:
    # the fragment is named, since browsers would else keep that of the form
    address = f"/agreement?{urlencode({'done': done, 'lang': lang})}#main"
    return RedirectResponse(address, status_code=303, headers=HEADERS)


def _json(told: object, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    body = json.dumps(told, ensure_ascii=False, allow_nan=False)
    return Response(body, status_code=status, media_type="application/json", headers=headers)
