"""The pages that people read, rendered as the service renders them."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from features.workspace import load_workspace
from serving.lead_page import lead_page
from serving.office import Office
from serving.pages import Pages
from serving.query import lead_of
from serving.routes import routes

NASTY = '<script>alert("x")</script> & "quotes" \'too\''


@pytest.fixture(scope="module")
def office(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(load_workspace(trained.folder), [], clock=lambda: time.time_ns() // 1000)
    made.champion.look()
    made.tables.look()
    made.call_list.look()
    yield made
    made.close()


class Browser:
    """Asks the application behind the door, as Starlette's own test client would without its warnings."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture(scope="module")
def browser(office: Office) -> Browser:
    return Browser(routes(lambda: office))


class Page(HTMLParser):
    """What a page holds: its tags with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(filter(None, self.words))

    def links(self) -> list[str]:
        return [str(attrs["href"]) for tag, attrs in self.tags if tag == "a"]


def first_lead(office: Office) -> str:
    listed = office.call_list.current()
    return str(listed.tables.history.lead_ids[listed.positions[0]])


def test_the_queue_holds_the_open_leads_in_the_order_to_call(browser: Browser, office: Office) -> None:
    page = Page(browser.get("/").text)
    leads = [each for each in page.links() if each.startswith("/leads/")]
    listed = office.call_list.current()
    ids = [str(listed.tables.history.lead_ids[each]) for each in listed.positions[: len(leads)]]
    assert [each.split("?")[0] for each in leads] == [f"/leads/{each}" for each in ids]
    assert len(leads) == min(50, len(listed))


def test_the_list_falls_in_probability(office: Office) -> None:
    listed = office.call_list.current()
    scores = listed.scores(0, len(listed), lang="en", scored_at=0)
    likely = [score.probability or 0.0 for score in scores if score.decided_by.value != "fast_lane"]
    assert likely == sorted(likely, reverse=True)


def test_every_page_of_the_list_can_be_walked(browser: Browser, office: Office) -> None:
    found: list[str] = []
    address: str | None = "/"
    while address:
        page = Page(browser.get(address).text)
        found += [each for each in page.links() if each.startswith("/leads/")]
        address = next((str(a["href"]) for tag, a in page.tags if tag == "a" and a.get("rel") == "next"), None)
    assert len(found) == len(set(found)) == len(office.call_list.current())
    assert Page(browser.get("/?page=999999").text).links(), "a page after the last is the last"


def test_a_lead_says_how_likely_why_and_what_was_agreed(browser: Browser, office: Office) -> None:
    lead_id = first_lead(office)
    score, _, _ = office.answers.of_tables(lead_id, None, "en")
    text = Page(browser.get(f"/leads/{lead_id}").text).text
    assert "likely to convert within 60 days" in text
    assert score.reasons is not None
    for reason in (*score.reasons.speak_for, *score.reasons.speak_against):
        assert reason.text in text
    assert score.band is not None
    assert score.band.value in text
    assert "version 1" in text


def test_the_page_speaks_the_language_that_is_asked_for(browser: Browser, office: Office) -> None:
    japanese = {"Accept-Language": "ja-JP,ja;q=0.9,en;q=0.5"}
    assert '<html lang="ja">' in browser.get("/", headers=japanese).text
    assert '<html lang="en">' in browser.get("/", headers={"Accept-Language": "de, en;q=0.5, ja;q=0.4"}).text
    assert '<html lang="en">' in browser.get("/?lang=en", headers=japanese).text
    assert '<html lang="en">' in browser.get("/", headers={"Accept-Language": "ja;q=nonsense"}).text
    text = Page(browser.get(f"/leads/{first_lead(office)}?lang=ja").text).text
    assert "成約" in text


def test_the_other_language_is_one_link_away(browser: Browser, office: Office) -> None:
    page = Page(browser.get(f"/leads/{first_lead(office)}?lang=en").text)
    (other,) = [str(attrs["href"]) for tag, attrs in page.tags if tag == "a" and attrs.get("hreflang")]
    assert '<html lang="ja">' in browser.get(other).text


@pytest.mark.parametrize("path", ["/", "/leads/{id}", "/leads/none", "/?page=zero"])
def test_a_page_runs_nothing_and_loads_nothing_from_elsewhere(browser: Browser, office: Office, path: str) -> None:
    reply = browser.get(path.replace("{id}", first_lead(office)))
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = Page(reply.text)
    assert not [tag for tag, _ in page.tags if tag in ("script", "style", "iframe", "img", "object")]
    assert not [attrs for _, attrs in page.tags if "style" in attrs or any(name.startswith("on") for name in attrs)]
    outside = [a for tag, a in page.tags if tag == "link" and not str(a["href"]).startswith("/static/")]
    assert not outside
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Referrer-Policy"] == "same-origin"


def test_the_styles_are_there_and_name_nothing_outside(browser: Browser) -> None:
    page = Page(browser.get("/").text)
    for href in [str(a["href"]) for tag, a in page.tags if tag == "link"]:
        reply = browser.get(href)
        assert reply.status_code == 200
        assert "immutable" in reply.headers["Cache-Control"]
    assert not re.search(r"@import|url\(|https?:", browser.get("/static/pages.css").text)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/leads/none", 404), ("/?page=0", 422), ("/?page=²", 422), ("/?lang=fr", 422), ("/leads/L-000001?as_of=x", 422)],
)
def test_an_error_is_a_page_too(browser: Browser, path: str, status: int) -> None:
    reply = browser.get(path)
    assert reply.status_code == status
    assert reply.headers["Content-Type"].startswith("text/html")


def test_what_a_table_holds_never_becomes_markup(office: Office, browser: Browser) -> None:
    listed = office.call_list.current()
    history = listed.tables.history
    position = int(listed.positions[0])
    ids = history.lead_ids.copy()
    ids[position] = NASTY
    labels = {name: np.array([NASTY] * len(ids), dtype=object) for name in ("name", "company", "owner")}
    order = np.array([0], dtype=np.int64)
    score, _, snapshot = office.answers.of_tables(first_lead(office), None, "en")
    score = dataclasses.replace(score, lead_id=NASTY, warnings=(NASTY,))
    alone = dataclasses.replace(
        history, lead_ids=np.array([NASTY], dtype=object), labels={k: v[order] for k, v in labels.items()}
    )
    content = lead_page(score, alone, snapshot, "en", link="https://crm.example/{lead_id}")
    pages = Pages(lambda: office)
    request: Any = type("Asked", (), {"query_params": {}, "url": type("Address", (), {"path": "/leads/" + NASTY})})()
    html = bytes(pages.render("lead.html", request, "en", content).body).decode()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    links = [each for each in Page(html).links() if each.startswith("https:")]
    assert links == [
        "https://crm.example/%3Cscript%3Ealert%28%22x%22%29%3C%2Fscript%3E%20%26%20%22quotes%22%20%27too%27"
    ]


def test_a_link_that_is_no_web_address_is_left_out(office: Office) -> None:
    score, tables, snapshot = office.answers.of_tables(first_lead(office), None, "en")
    for template in ("javascript:alert({lead_id})", "data:text/html,{lead_id}", "crm/{lead_id}", None):
        assert lead_page(score, tables.history, snapshot, "en", link=template)["link"] == ""


def test_an_id_may_hold_whatever_an_address_can_carry() -> None:
    assert lead_of(b"/leads/a%2Fb%3Fc%20d") == ("a/b?c d", "")
    assert lead_of(b"/leads/%E5%B1%B1/score") == ("山", "score")
    assert lead_of(b"/leads/score/score?x=1") == ("score", "score")


def test_the_reasons_fill_their_bars_and_add_up(office: Office) -> None:
    score, tables, snapshot = office.answers.of_tables(first_lead(office), None, "en")
    content = lead_page(score, tables.history, snapshot, "en", link=None)
    widths = [each["width"] for each in (*content["speak_for"], *content["speak_against"])]
    assert max(widths) == 100.0
    assert min(widths) >= 0.0
    amounts = [float(each["amount"].replace("−", "-")) for each in content["sums"]]
    assert abs(sum(amounts[:-1]) - amounts[-1]) < 0.01 * len(amounts)


def test_a_large_list_is_paged_without_being_scored_again(office: Office) -> None:
    listed = office.call_list.current()
    begun = time.perf_counter()
    for _ in range(3):
        listed.scores(0, 50, lang="en", scored_at=0)
    assert (time.perf_counter() - begun) / 3 < 1.0


def test_pages_are_in_the_package(trained: Any) -> None:
    templates = Path(routes.__code__.co_filename).parent / "templates"
    assert {each.name for each in templates.glob("*.html")} == {
        "layout.html",
        "lead.html",
        "problem.html",
        "queue.html",
    }
