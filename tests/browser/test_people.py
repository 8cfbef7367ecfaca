"""What people do, in a real browser: sales works its list, two teams move a cutoff, and all of it in Japanese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

PAGES = ("/", "/agreement", "/model", "/review?since=90d", "/profile")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
KANA_OR_KANJI = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def first_lead(page: Page) -> str:
    page.goto("/")
    address = page.locator(".queue a.who").first.get_attribute("href")
    assert address is not None
    return address


def test_sales_finds_the_top_lead_understands_why_and_rejects_it_with_a_reason(english: BrowserContext) -> None:
    page = english.new_page()
    page.goto("/")
    top = page.locator(".queue a.who").first
    name = top.inner_text()
    top.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator(".said").first).to_contain_text("likely to convert within 60 days")
    expect(page.get_by_role("heading", name="Why now")).to_be_visible()
    reason = page.locator(".reasons details").first
    reason.locator("summary").click()
    expect(reason.locator(".behind")).to_be_visible()
    page.locator(".next details summary").click()
    page.locator("#reason").select_option("no_budget")
    page.get_by_role("button", name=re.compile("^Reject", re.I)).click()
    expect(page.get_by_role("status")).to_be_visible()
    page.goto("/")
    expect(page.locator(".queue a.who", has_text=name)).to_have_count(0)
    page.goto("/review?since=7d")
    expect(page.locator("main")).to_contain_text(re.compile("no budget", re.I))


def test_a_leader_moves_a_cutoff_both_teams_sign_and_the_queue_changes(english: BrowserContext) -> None:
    page = english.new_page()
    page.goto("/")
    before = _tab_count(page, "SQL")
    page.goto("/agreement")
    today = page.locator("[data-cutoffs=proposed]").inner_text()
    page.get_by_label("SQL from").first.fill("12%")
    page.get_by_label("MQL from").first.fill("4%")
    page.locator("[data-pair] button").click()
    expect(page.locator("[data-cutoffs=proposed]")).not_to_have_text(today)
    page.locator("#reason").fill("Sales has room for more calls this quarter.")
    page.locator("form[action^='/agreement/save'] button").first.click()
    expect(page.get_by_role("status").first).to_be_visible()
    for team in ("marketing", "sales"):
        page.locator(f"#name-{team}").fill(f"Head of {team}")
        page.locator(f"form:has(#name-{team}) button").click()
        expect(page.get_by_text(f"Head of {team}").first).to_be_visible()
    page.wait_for_timeout(1500)
    for _ in range(40):
        page.goto("/")
        if _tab_count(page, "SQL") != before:
            break
        page.wait_for_timeout(500)
    assert _tab_count(page, "SQL") > before


def _tab_count(page: Page, name: str) -> int:
    tab = page.locator(".tabs a", has_text=re.compile(rf"^{name}\b")).first
    return int(tab.locator(".num").inner_text().replace(",", ""))


def test_the_simulator_follows_its_slider_without_a_reload(english: BrowserContext) -> None:
    page = english.new_page()
    page.goto("/agreement")
    said = page.locator("[data-sentence]")
    before = said.inner_text()
    slider = page.locator("#sql-slider")
    slider.focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    expect(said).not_to_have_text(before)


def test_japanese_throughout_by_the_browsers_preference(chromium: Browser, site: Any) -> None:
    context = chromium.new_context(base_url=site.address, locale="ja-JP")
    page = context.new_page()
    for path in (*PAGES, first_lead(page)):
        page.goto(path.replace("lang=en", "lang=ja"))
        assert page.locator("html").get_attribute("lang") == "ja"
        for heading in page.get_by_role("heading").all_inner_texts():
            assert KANA_OR_KANJI.search(heading), heading
        for button in page.get_by_role("button").all_inner_texts():
            assert KANA_OR_KANJI.search(button), button
    context.close()


@pytest.fixture(params=[("light", DESKTOP), ("dark", PHONE)], ids=["light desktop", "dark phone"])
def looking(request: pytest.FixtureRequest, chromium: Browser, site: Any) -> Iterator[Page]:
    """A page that notes whatever goes wrong in it or is asked for elsewhere."""
    scheme, size = request.param
    context = chromium.new_context(base_url=site.address, locale="en-GB", color_scheme=scheme, viewport=size)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(site.address) else None)
    yield page
    assert wrong == []
    context.close()


def test_each_page_is_accessible_fits_its_width_and_asks_nobody_else(looking: Page) -> None:
    for path in (*PAGES, first_lead(looking)):
        looking.goto(path)
        found = Axe().run(looking)
        serious = [each["id"] for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
        assert serious == [], f"{path}: {found.generate_report()}"
        assert looking.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path


def test_the_queue_is_worked_with_the_keyboard_alone(english: BrowserContext) -> None:
    page = english.new_page()
    page.goto("/")
    name = page.locator(".queue a.who").first.inner_text()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('who')"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_a_lead_that_objects_leaves_the_queue_and_is_scored_no_more(english: BrowserContext) -> None:
    page = english.new_page()
    address = first_lead(page)
    name = page.locator(".queue a.who").first.inner_text()
    page.goto(address)
    page.get_by_text("objects to being profiled").click()
    page.get_by_role("button", name="Stop scoring this lead").click()
    expect(page.locator("main")).to_contain_text("no score is made of this lead")
    expect(page.locator(".queue a.who", has_text=name)).to_have_count(0)
    assert page.goto(address).status == 403  # type: ignore[union-attr]
