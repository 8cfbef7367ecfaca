"""The pages of sales: the queue, its export, one lead, and the forms on it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, urlencode

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from features.wording import Lang
from serving.actor import require_role
from serving.csrf import require_csrf
from serving.feedback import give_feedback, record_fact
from serving.forms import read_form
from serving.lead_page import lead_page
from serving.lead_people import DONE
from serving.page_words import words
from serving.pages import HEADERS, Pages
from serving.people_record import people_record
from serving.problems import Fault, Refused
from serving.query import moment_of, one_each
from serving.queue import FIELDS, Place, Wanted, every_row, read_part
from serving.queue_counts import Counts, KeptCounts
from serving.queue_export import export
from serving.queue_page import Reader, queue_page
from serving.store import Store

AT_ONCE = 2
"""Pages that a worker makes at the same time: more of them share one interpreter, and all come later."""


def sales_routes(sales: SalesPages) -> list[Route]:
    """`/` and `/queue.csv`; what lies below `/leads/` is told apart in `serving.routes`, since ids may hold slashes."""
    return [Route("/", sales.queue), Route("/queue.csv", sales.export)]


class SalesPages:
    """Handlers of the queue and of one lead."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._turns = anyio.CapacityLimiter(AT_ONCE)
        self._making = threading.Lock()
        self._counts: tuple[Store, KeptCounts] | None = None

    async def queue(self, request: Request) -> Response:
        return await self._in_turn(request, self._queue)

    async def export(self, request: Request) -> Response:
        return await self._in_turn(request, self._export)

    async def lead(self, request: Request, lead_id: str) -> Response:
        """`GET /leads/{id}`."""
        page = functools.partial(self._lead, lead_id=lead_id)
        return await self._in_turn(request, page)

    async def post(self, request: Request, lead_id: str, part: str) -> Response:
        """`POST /leads/{id}/feedback` and `/leads/{id}/facts`, both back to the lead's page."""

        async def form() -> Mapping[str, str] | Refused:
            try:
                return await read_form(request)
            except Refused as refused:
                return refused

        given = await form()

        def done(asked: Request, lang: Lang) -> Response:
            if isinstance(given, Refused):
                raise given
            require_csrf(asked.scope, given)
            return (self._feedback if part == "feedback" else self._facts)(asked, lang, lead_id, given)

        return await self._in_turn(request, done)

    async def _in_turn(self, request: Request, page: Callable[[Request, Lang], Response]) -> Response:
        return await anyio.to_thread.run_sync(self._pages.answer, request, page, limiter=self._turns)

    def _queue(self, request: Request, lang: Lang) -> Response:
        asked = one_each(request, (*FIELDS, "after", "before", "lang", "done"), strict=False)
        office, wanted = self._pages.office(), self._wanted(asked)
        after, before = (Place.read(asked[name]) if name in asked else None for name in ("after", "before"))
        with office.store.reading() as c:
            part = read_part(c, wanted, after=after, before=before)
        if not part.rows and (after or before):  # the queue has become shorter meanwhile
            with office.store.reading() as c:
                part = read_part(c, wanted)
        notices = [each.said(lang) for each in (*office.snapshot().notices, *office.tables.notices)]
        if asked.get("done") == "objection":
            notices.insert(0, words("queue.objected", lang))
        if office.snapshot().agreement.valid is None:
            notices.append(words("queue.no_agreement", lang))
        content = queue_page(
            part, wanted, self._current_counts(), self._reader(lang), notices=tuple(dict.fromkeys(notices))
        )
        return self._pages.render("queue.html", request, lang, content)

    def _export(self, request: Request, lang: Lang) -> Response:
        wanted = self._wanted(one_each(request, (*FIELDS, "lang"), strict=False))
        store, zone = self._pages.office().store, self._reader(lang).zone

        def lines() -> Iterator[bytes]:
            with store.reading() as c:  # one state of the queue from the first line to the last
                yield from export(every_row(c, wanted), zone=zone, lang=lang)

        headers = {**HEADERS, "Content-Disposition": 'attachment; filename="queue.csv"', "Content-Language": lang}
        return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)

    def _lead(self, request: Request, lang: Lang, *, lead_id: str) -> Response:
        office = self._pages.office()
        asked = one_each(request, ("as_of", "lang", "done"), strict=False)
        as_of = moment_of(asked.get("as_of"), office.snapshot().schema.zone)
        score, found = office.answers.of_tables(lead_id, as_of, lang)
        with office.store.reading() as c:
            record = people_record(c, lead_id)
        content = lead_page(
            score,
            found,
            record,
            lang=lang,
            now=office.now(),
            link=office.workspace.page.get("link"),
            live=office.workspace.store is not None,
        )
        done = asked.get("done", "")
        content["done"] = words(f"lead.done.{done}", lang) if done in DONE else ""
        return self._pages.render("lead.html", request, lang, content)

    def _feedback(self, request: Request, lang: Lang, lead_id: str, form: Mapping[str, str]) -> Response:
        office = self._pages.office()
        actor, verdict = require_role(request.scope, "sales"), form.get("verdict", "")
        office.leads.find(lead_id)
        with office.store.writing() as c:
            give_feedback(
                c,
                office.store,
                lead_id=lead_id,
                actor=actor,
                verdict=verdict,
                reason=form.get("reason", ""),
                note=form.get("note", ""),
                now=office.now(),
            )
        return _back(lead_id, lang, verdict)

    def _facts(self, request: Request, lang: Lang, lead_id: str, form: Mapping[str, str]) -> Response:
        office = self._pages.office()
        actor = require_role(request.scope, "sales")
        if form.get("known") not in ("yes", "no"):
            raise Refused(422, [Fault("known", "something else", "yes or no")])
        found = office.leads.find(lead_id)
        with office.store.writing() as c:
            record_fact(
                c,
                office.store,
                lead_id=lead_id,
                actor=actor,
                fact=form.get("fact", ""),
                known=form["known"] == "yes",
                note=form.get("note", ""),
                now=office.now(),
            )
            office.restanding.restand_found(c, found)  # a fact may be what was missing for SQL
        return _back(lead_id, lang, "fact")

    def _wanted(self, asked: Mapping[str, str]) -> Wanted:
        """What is asked for; while nobody is in a band, all leads rather than an empty list."""
        agreed = self._pages.office().snapshot().agreement.valid is not None
        return Wanted.of_query(asked, band="call" if agreed else "all")

    def _reader(self, lang: Lang) -> Reader:
        office = self._pages.office()
        now = office.now()
        live = office.workspace.store is not None
        return Reader(lang=lang, schema=office.snapshot().schema, now=now, acts_until=now if live else None)

    def _current_counts(self) -> Counts:
        store = self._pages.office().store
        with self._making:
            if self._counts is None or self._counts[0] is not store:
                self._counts = (store, KeptCounts(store))
        return self._counts[1].current()


def _back(lead_id: str, lang: Lang, done: str) -> Response:
    """To the lead's page, which says what was done; asked for anew, so that a reload sends no form twice."""
    address = f"/leads/{quote(lead_id, safe='')}?{urlencode({'lang': lang, 'done': done})}"
    return RedirectResponse(address, status_code=303, headers=dict(HEADERS))
