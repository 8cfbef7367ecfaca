"""The addresses of the leaders' pages: what the model is worth, what came of the leads, what sales-ready leads are like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio.to_thread
import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from features.durations import EXPECTED, read_duration
from features.wording import Lang
from serving.known_facts import facts_of
from serving.leaders_tables import LeadersTables
from serving.model_page import model_page
from serving.model_segments import segments_of
from serving.pages import Pages
from serving.people_words import names
from serving.problems import Fault, Refused
from serving.profile import Ready, make_profile
from serving.profile_page import nothing_yet, profile_page
from serving.query import one_each
from serving.review_figures import Clock, Ends
from serving.review_page import NAMED, review_page
from serving.review_rows import ends_of_history, ends_of_store, read_review
from serving.serving_model import ServingModel
from serving.store.lead_rows import lead_rows

SINCE = "30d"


def leaders_routes(pages: Pages) -> list[Route]:
    """`/model`, `/review` and `/profile`; they may only be read."""
    leaders = _Leaders(pages)

    def page(make: Callable[[Request, Lang], Response]) -> Callable[[Request], Any]:
        async def handler(request: Request) -> Response:
            return await anyio.to_thread.run_sync(pages.answer, request, make)

        return handler

    return [
        Route("/model", page(leaders.model)),
        Route("/review", page(leaders.review)),
        Route("/profile", page(leaders.profile)),
    ]


class _Leaders:
    """Gathers what each page is made of; what stands on it is decided by the modules beside."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._tables = LeadersTables(pages.office)

    def profile(self, request: Request, lang: Lang) -> Response:
        one_each(request, ("lang",), strict=False)
        office = self._pages.office()
        history, snapshot = self._tables.current()
        model = snapshot.model
        if not isinstance(model, ServingModel):
            return self._pages.render("profile.html", request, lang, nothing_yet(lang))
        ready = Ready.by(model, snapshot.agreement)
        withheld = office.withheld
        with office.store.reading() as c:
            facts = facts_of(c, None, as_of=office.now())
        by = (model.served, ready, facts, withheld.known)
        found = self._tables.once(
            "profile", history, by, lambda: make_profile(history, model, ready, facts, withheld=withheld.holds)
        )
        return self._pages.render("profile.html", request, lang, profile_page(found, model, history.schema, lang))

    def review(self, request: Request, lang: Lang) -> Response:
        office = self._pages.office()
        since = one_each(request, ("since", "lang"), strict=False).get("since", SINCE)
        try:
            length = read_duration(since)
        except ValueError:
            raise Refused(422, [Fault("since", "no duration", EXPECTED)]) from None
        snapshot, now = office.snapshot(), office.now()
        model = snapshot.model
        history = None if office.workspace.store is not None else self._tables.current()[0]
        with office.store.reading() as c:
            if history is None:
                converted = model.converted if isinstance(model, ServingModel) else office.workspace.converted
                ends, moment = ends_of_store(c, converted=converted, now=now), now
            else:
                ends, moment = self._ends(history), history.now
            clock = Clock(length, moment, now)
            found = read_review(c, ends, clock, horizon=model.horizon, agreement=snapshot.agreement.valid)
            named = [*dict.fromkeys((*found.found.told, *found.found.missed))][:NAMED]
            titles = _titles(history, named) if history is not None else _stored_titles(c, named, office.workspace.page)
        content = review_page(
            found,
            lang,
            zone=snapshot.schema.zone,
            since=since,
            delay=ends.delay,
            title_of=lambda lead_id: titles.get(lead_id, lead_id),
        )
        return self._pages.render("review.html", request, lang, content)

    def model(self, request: Request, lang: Lang) -> Response:
        one_each(request, ("lang",), strict=False)
        office = self._pages.office()
        history, snapshot = self._tables.current()
        model = snapshot.model
        segments = (
            self._tables.once("segments", history, model.served, lambda: segments_of(history, model))
            if isinstance(model, ServingModel)
            else None
        )
        content = model_page(
            model,
            history,
            segments,
            lang,
            versions=office.champion.versions(),
            now=office.now(),
        )
        return self._pages.render("model.html", request, lang, content)

    def _ends(self, history: Any) -> Ends:
        return self._tables.once("ends", history, None, lambda: ends_of_history(history))


def _titles(history: Any, lead_ids: Sequence[str]) -> dict[str, str]:
    positions = history.positions(np.array(lead_ids, dtype=object))
    return {
        lead_id: names(history, int(position))[0]
        for lead_id, position in zip(lead_ids, positions, strict=True)
        if position >= 0
    }


def _stored_titles(c: Any, lead_ids: Sequence[str], page: Mapping[str, str]) -> dict[str, str]:
    """Names, else companies, of leads of the store."""
    columns = [page[what] for what in ("name", "company") if what in page]
    return {
        lead_id: next((str(row.attributes[name]) for name in columns if row.attributes.get(name)), lead_id)
        for lead_id, row in lead_rows(c, lead_ids).items()
    }
