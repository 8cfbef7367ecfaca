"""The pages that people read, rendered as the service renders them, over a workspace whose leads were swept."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import shutil
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import numpy as np
import pytest
import sqlalchemy as sa

from features.workspace import load_workspace
from oracles.asked_app import TOKEN, Asking, LetIn
from oracles.filled_queues import in_order
from serving.actor import Actor
from serving.lead_page import lead_page
from serving.office import Office
from serving.pages import Pages
from serving.people_record import people_record
from serving.query import lead_of
from serving.queue import OPEN_STATES
from serving.routes import routes
from serving.store.tables import feedback, standings

NASTY = '<script>alert("x")</script> & "quotes" \'too\''


@pytest.fixture(scope="module")
def office(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A service's office whose threads stand still: all was read and swept once."""
    folder = tmp_path_factory.mktemp("pages") / "b2b"
    shutil.copytree(trained.folder, folder)
    made = Office(load_workspace(folder), [], clock=lambda: time.time_ns() // 1000)
    made.champion.look()
    made.tables.look()
    for _ in range(2):  # what is due must have been seen twice
        made.sweep.look()
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser(office: Office) -> Asking:
    return Asking(LetIn(routes(lambda: office)))


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

    def leads(self) -> list[str]:
        return [unquote(each.split("?")[0].removeprefix("/leads/")) for each in self.links() if "/leads/" in each]


def to_call(office: Office, *, everyone: bool = False) -> list[str]:
    """Ids in the order to call, found in plain Python."""
    with office.store.reading() as c:
        rows = [dict(row) for row in c.execute(sa.select(standings)).mappings()]
    return [row["lead_id"] for row in in_order(rows) if everyone or (row["lane"] <= 2 and row["state"] in OPEN_STATES)]


def test_the_queue_holds_the_leads_in_the_order_to_call(browser: Asking, office: Office) -> None:
    expected = to_call(office)
    assert len(expected) > 10
    assert Page(browser.get("/").text).leads() == expected[:50]


def test_every_page_of_the_list_can_be_walked(browser: Asking, office: Office) -> None:
    found: list[str] = []
    address: str | None = "/?band=all&state=all"
    while address:
        page = Page(browser.get(address).text)
        found += page.leads()
        address = next((str(a["href"]) for tag, a in page.tags if tag == "a" and a.get("rel") == "next"), None)
    assert found == to_call(office, everyone=True)
    assert len(found) > 100


def test_the_export_holds_what_the_filters_show(browser: Asking, office: Office) -> None:
    page = Page(browser.get("/?band=SQL&stage=decision").text)
    (address,) = [each for each in page.links() if each.startswith("/queue.csv")]
    reply = browser.get(address)
    assert reply.headers["Content-Disposition"].startswith("attachment")
    lines = list(csv.reader(io.StringIO(reply.content.decode("utf-8-sig"))))
    assert [line[1] for line in lines[1:51]] == page.leads()
    assert len(lines) > 1


def test_a_search_finds_a_lead_by_its_name_and_keeps_what_was_typed(browser: Asking, office: Office) -> None:
    with office.store.reading() as c:
        title = c.execute(sa.select(standings.c.title).where(standings.c.lead_id == to_call(office)[0])).scalar_one()
    page = Page(browser.get(f"/?search={quote(title)}").text)
    assert to_call(office)[0] in page.leads()
    assert [a["value"] for tag, a in page.tags if tag == "input" and a.get("name") == "search"] == [title]


def test_a_lead_says_how_likely_why_and_what_was_agreed(browser: Asking, office: Office) -> None:
    lead_id = to_call(office)[0]
    score, _ = office.answers.of_tables(lead_id, None, "en")
    text = Page(browser.get(f"/leads/{lead_id}").text).text
    assert "likely to convert within 60 days" in text
    assert score.reasons is not None
    for reason in (*score.reasons.speak_for, *score.reasons.speak_against):
        assert reason.text in text
    assert score.band is not None
    assert score.band.value in text
    assert "version 1" in text


def test_every_lead_that_stands_in_the_queue_has_a_page_in_both_languages(browser: Asking, office: Office) -> None:
    for lead_id in to_call(office)[::7]:
        for lang in ("en", "ja"):
            assert browser.get(f"/leads/{quote(lead_id, safe='')}?lang={lang}").status_code == 200


@pytest.fixture
def some_lead(office: Office) -> Iterator[str]:
    """A lead of the queue; what a test says of it is taken back."""
    lead_id = to_call(office)[-1]
    with office.store.reading() as c:
        before = dict(c.execute(sa.select(standings).where(standings.c.lead_id == lead_id)).mappings().one())
    yield lead_id
    with office.store.writing() as c:
        c.execute(sa.delete(standings).where(standings.c.lead_id == lead_id))
        c.execute(standings.insert().values(before))


def say(browser: Asking, lead_id: str, part: str, **form: str) -> httpx.Response:
    return browser.post(f"/leads/{quote(lead_id, safe='')}/{part}?lang=en", {"csrf": TOKEN, **form})


def test_a_rejection_takes_a_lead_out_of_the_queue_and_says_so(browser: Asking, office: Office, some_lead: str) -> None:
    reply = say(browser, some_lead, "feedback", verdict="rejected", reason="too_early", note="next spring")
    assert reply.status_code == 303
    text = Page(browser.get(reply.headers["Location"]).text).text
    assert "Rejected" in text
    assert "too early" in text
    assert "next spring" in text
    assert some_lead not in to_call(office)
    assert some_lead in Page(browser.get(f"/?band=all&state=rejected&search={some_lead}").text).leads()


def test_a_fact_that_was_entered_stands_on_the_page(browser: Asking, office: Office, some_lead: str) -> None:
    reply = say(browser, some_lead, "facts", fact="budget", known="yes", note="10k a year")
    assert reply.status_code == 303
    assert "10k a year" in Page(browser.get(reply.headers["Location"]).text).text


@pytest.mark.parametrize(
    ("part", "form", "status"),
    [
        ("feedback", {"verdict": "accepted", "csrf": "forged"}, 403),
        ("feedback", {"verdict": "rejected"}, 422),
        ("feedback", {}, 422),
        ("facts", {"fact": "budget"}, 422),
        ("facts", {"fact": "nose", "known": "yes"}, 422),
    ],
)
def test_a_form_with_faults_is_answered_by_a_page_and_changes_nothing(
    browser: Asking, office: Office, some_lead: str, part: str, form: dict[str, str], status: int
) -> None:
    def said() -> int:
        with office.store.reading() as c:
            return int(c.execute(sa.select(sa.func.count()).select_from(feedback)).scalar_one())

    before = said()
    reply = say(browser, some_lead, part, **form)
    assert reply.status_code == status
    assert reply.headers["Content-Type"].startswith("text/html")
    assert said() == before


def test_what_a_rejection_lacks_is_said_in_words(browser: Asking, some_lead: str) -> None:
    lacking = say(browser, some_lead, "feedback", verdict="rejected")
    assert "needs a reason" in Page(lacking.text).text
    lacking = say(browser, some_lead, "feedback", verdict="rejected", reason="other")
    assert "needs a few words" in Page(lacking.text).text


def test_a_form_about_a_lead_that_there_is_not_is_refused(browser: Asking) -> None:
    assert say(browser, "none", "feedback", verdict="accepted").status_code == 404


def test_sales_sees_the_parts_that_are_open_to_sales(office: Office) -> None:
    for role, parts in (("sales", 1), ("lead", 5)):
        browser = Asking(LetIn(routes(lambda: office), Actor("mori", role)))  # type: ignore[arg-type]
        page = Page(browser.get("/").text)
        shown = {str(a["href"]).split("?")[0] for tag, a in page.tags if tag == "a"}
        assert len(shown & _PARTS) == parts
        current = [str(a["href"]) for tag, a in page.tags if tag == "a" and a.get("aria-current") == "page"]
        assert current == ["/?lang=en"]


_PARTS = {"/", "/agreement", "/model", "/review", "/profile"}


def test_the_page_speaks_the_language_that_is_asked_for(browser: Asking, office: Office) -> None:
    japanese = {"Accept-Language": "ja-JP,ja;q=0.9,en;q=0.5"}
    assert '<html lang="ja">' in browser.get("/", **japanese).text
    assert '<html lang="en">' in browser.get("/", **{"Accept-Language": "de, en;q=0.5, ja;q=0.4"}).text
    assert '<html lang="en">' in browser.get("/?lang=en", **japanese).text
    assert '<html lang="en">' in browser.get("/", **{"Accept-Language": "ja;q=nonsense"}).text
    text = Page(browser.get(f"/leads/{to_call(office)[0]}?lang=ja").text).text
    assert "成約" in text


def test_the_other_language_is_one_link_away(browser: Asking, office: Office) -> None:
    page = Page(browser.get(f"/leads/{to_call(office)[0]}?lang=en").text)
    (other,) = [str(attrs["href"]) for tag, attrs in page.tags if tag == "a" and attrs.get("hreflang")]
    assert '<html lang="ja">' in browser.get(other).text


@pytest.mark.parametrize("path", ["/", "/leads/{id}", "/leads/none", "/?after=zero"])
def test_a_page_runs_nothing_and_loads_nothing_from_elsewhere(browser: Asking, office: Office, path: str) -> None:
    reply = browser.get(path.replace("{id}", to_call(office)[0]))
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    page = Page(reply.text)
    assert not [tag for tag, _ in page.tags if tag in ("script", "style", "iframe", "img", "object")]
    assert not [attrs for _, attrs in page.tags if "style" in attrs or any(name.startswith("on") for name in attrs)]
    outside = [a for tag, a in page.tags if tag == "link" and not str(a["href"]).startswith("/static/")]
    assert not outside
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Referrer-Policy"] == "same-origin"


def test_the_styles_are_there_and_name_nothing_outside(browser: Asking) -> None:
    page = Page(browser.get("/").text)
    for href in [str(a["href"]) for tag, a in page.tags if tag == "link"]:
        reply = browser.get(href)
        assert reply.status_code == 200
        assert "immutable" in reply.headers["Cache-Control"]
    assert not re.search(r"@import|url\(|https?:", browser.get("/static/pages.css").text)


def test_every_field_of_a_form_has_a_label_and_every_form_a_token(browser: Asking, office: Office) -> None:
    for path in ("/", f"/leads/{to_call(office)[0]}"):
        html = browser.get(path).text
        page = Page(html)
        labelled = {a.get("for") for tag, a in page.tags if tag == "label"}
        for tag, attrs in page.tags:
            if tag in ("select", "textarea") or (tag == "input" and attrs.get("type") not in ("hidden", "radio")):
                assert attrs.get("id") in labelled, attrs
        posting = len(re.findall(r'<form[^>]*method="post"', html))
        assert html.count(f'name="csrf" value="{TOKEN}"') == posting


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/leads/none", 404),
        ("/?after=0", 422),
        ("/?band=gold", 422),
        ("/?state=gone", 422),
        ("/?lang=fr", 422),
        ("/leads/L-000001?as_of=x", 422),
        ("/queue.csv?band=gold", 422),
        ("/?search=a&search=b", 422),
    ],
)
def test_an_error_is_a_page_too(browser: Asking, path: str, status: int) -> None:
    reply = browser.get(path)
    assert reply.status_code == status
    assert reply.headers["Content-Type"].startswith("text/html")


def test_what_a_table_holds_never_becomes_markup(office: Office) -> None:
    score, found = office.answers.of_tables(to_call(office)[0], None, "en")
    history = found.history
    labels = {name: np.array([NASTY] * len(history), dtype=object) for name in ("name", "company", "owner")}
    vocabularies = (
        tuple(f"{each}{NASTY}" for each in history.events.vocabularies[0]),
        *history.events.vocabularies[1:],
    )
    nasty = dataclasses.replace(
        history, labels=labels, events=dataclasses.replace(history.events, vocabularies=vocabularies)
    )
    score = dataclasses.replace(score, lead_id=NASTY, warnings=(NASTY,))
    with office.store.reading() as c:
        record = people_record(c, NASTY)
    content = lead_page(
        score,
        dataclasses.replace(found, history=nasty),
        record,
        lang="en",
        now=office.clock(),
        link="https://crm.example/{lead_id}",
        live=True,
    )
    request: Any = type(
        "Asked",
        (),
        {"query_params": {}, "method": "GET", "scope": {}, "url": type("Address", (), {"path": "/leads/" + NASTY})},
    )()
    html = bytes(Pages(lambda: office).render("lead.html", request, "en", {**content, "done": ""}).body).decode()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    links = [each for each in Page(html).links() if each.startswith("https:")]
    assert links == [
        "https://crm.example/%3Cscript%3Ealert%28%22x%22%29%3C%2Fscript%3E%20%26%20%22quotes%22%20%27too%27"
    ]


def test_a_link_that_is_no_web_address_is_left_out(office: Office) -> None:
    score, found = office.answers.of_tables(to_call(office)[0], None, "en")
    with office.store.reading() as c:
        record = people_record(c, found.lead_id)
    for template in ("javascript:alert({lead_id})", "data:text/html,{lead_id}", "crm/{lead_id}", None):
        content = lead_page(score, found, record, lang="en", now=office.clock(), link=template, live=False)
        assert content["link"] == ""


def test_an_id_may_hold_whatever_an_address_can_carry() -> None:
    assert lead_of(b"/leads/a%2Fb%3Fc%20d") == ("a/b?c d", "")
    assert lead_of(b"/leads/%E5%B1%B1/score") == ("山", "score")
    assert lead_of(b"/leads/score/score?x=1") == ("score", "score")


def test_pages_are_in_the_package() -> None:
    templates = Path(routes.__code__.co_filename).parent / "templates"
    assert {"layout.html", "lead.html", "problem.html", "queue.html"} <= {
        each.name for each in templates.glob("*.html")
    }
