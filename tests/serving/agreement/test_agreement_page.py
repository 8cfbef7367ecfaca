"""The agreement's page as a browser gets it: both languages, without a script, saving and signing by its forms."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from features.wording import LANGS, Lang
from oracles.asked_app import TOKEN
from oracles.made_agreement_site import TOML, AgreementSite, add_standing, model_with
from serving.actor import Actor
from serving.page_words import words
from serving.signatures import agreement_state
from serving.store import Store
from serving.store.opening import open_address

LEADER = Actor("mori", "lead", "marketing")
NASTY = '<script>alert("x")</script> & "quotes"'


@pytest.fixture
def site(tmp_path: Path) -> AgreementSite:
    folder = tmp_path / "b2b"
    folder.mkdir()
    return AgreementSite(folder, open_address("sqlite:///store.db", tmp_path))


class Page(HTMLParser):
    """A page's tags and its text."""

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
        return re.sub(r"\s+", " ", " ".join(filter(None, self.words)))


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_says_what_is_agreed_what_it_gives_and_that_nobody_signed(site: AgreementSite, lang: Lang) -> None:
    reply = site.asking().get(f"/agreement?lang={lang}")
    page = Page(reply.text)
    assert reply.status_code == 200
    assert words("agreement.status.unsigned", lang, version=1) in page.text
    assert words("agreement.signatures.half", lang) in page.text
    for row in ("sqls_a_week", "precision_mql", "caught", "missed_a_week", "days_ahead_sql"):
        assert words(f"agreement.row.{row}", lang) in page.text
    for column in ("proposed", "today", "points"):
        assert words(f"agreement.compare.{column}", lang) in page.text
    assert words("agreement.suggestion.title", lang) in page.text
    assert words("agreement.history.by_hand", lang) in page.text, "the file was noticed when it was first seen"


@pytest.mark.parametrize("lang", LANGS)
def test_nothing_on_the_page_needs_more_than_the_policy_allows(site: AgreementSite, lang: Lang) -> None:
    reply = site.asking().get(f"/agreement?lang={lang}")
    policy = reply.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    for tag, attributes in Page(reply.text).tags:
        assert "style" not in attributes, tag
        assert not any(name.startswith("on") for name in attributes), tag
        if tag == "script":
            assert str(attributes["src"]).startswith("/static/agreement.js")
        for name in ("src", "href", "action"):
            assert str(attributes.get(name, "/")).startswith(("/", "#")), attributes
    for name in ("agreement.js", "agreement.css"):
        assert site.asking().get(f"/static/{name}").status_code == 200


def test_every_field_has_a_label_and_every_id_is_one(site: AgreementSite) -> None:
    tags = Page(site.asking().get("/agreement").text).tags
    ids = [str(attributes["id"]) for _, attributes in tags if attributes.get("id")]
    labelled = {attributes.get("for") for tag, attributes in tags if tag == "label"}
    assert len(ids) == len(set(ids))
    for tag, attributes in tags:
        if tag in ("input", "textarea") and attributes.get("type") != "hidden":
            assert attributes["id"] in labelled


def test_the_simulator_works_by_plain_links_without_a_script(site: AgreementSite) -> None:
    text = Page(site.asking().get("/agreement?mql=5%25&sql=25%25&lang=en").text).text
    assert "5% / 25%" in text
    assert "10% / 30%" in text, "today's agreement beside it"
    assert words("agreement.save.what", "en", mql="5%", sql="25%") in text
    by_capacity = Page(site.asking().get("/agreement?capacity=7&lang=en").text)
    told = json.loads(site.asking().get("/agreement/simulate.json?capacity=7&lang=en").text)
    assert told["sql_text"] in by_capacity.text
    assert float(told["cells"]["proposed"]["sqls_a_week"]["value"]) <= 7


@pytest.mark.parametrize("lang", LANGS)
def test_a_cutoff_that_is_none_is_named_beside_the_fields(site: AgreementSite, lang: Lang) -> None:
    reply = site.asking().get(f"/agreement?sql=lots&lang={lang}")
    assert reply.status_code == 200
    assert words("agreement.simulator.wrong_cutoff", lang, found="lots") in Page(reply.text).text
    told = site.asking().get(f"/agreement/simulate.json?sql=lots&lang={lang}")
    assert told.status_code == 422
    assert told.json() == {"problem": words("agreement.simulator.wrong_cutoff", lang, found="lots")}


def test_a_parameter_that_is_not_known_is_refused_to_programs(site: AgreementSite) -> None:
    assert site.asking().get("/agreement/simulate.json?sqls=0.3").status_code == 422


def test_leads_that_would_change_their_band_are_counted(site: AgreementSite) -> None:
    with site.store.writing() as c:
        add_standing(c, "A", band="SQL", probability=0.35)
        add_standing(c, "B", band="nurture", probability=0.02)
    text = Page(site.asking().get("/agreement?mql=5%25&sql=50%25&lang=en").text).text
    assert "1 of 2 open leads would change its band." in text
    told = site.asking().get("/agreement/simulate.json?mql=0.05&sql=0.5&lang=ja").json()
    assert told["moves"]["sentence"] == words("agreement.moves.moving.one", "ja", leads=2)


def test_a_leader_saves_a_pair_and_both_teams_sign_it(site: AgreementSite) -> None:
    marketing, sales = site.asking(LEADER), site.asking(Actor("weber", "lead", "sales"))
    reply = site.saved(marketing, mql="0.05", sql="0.25", reason="Sales has two new people")
    assert (reply.status_code, reply.headers["Location"]) == (303, "/agreement?done=saved&lang=en#main")
    assert "sql = 0.25" in site.text
    assert "# what we agreed in spring" in site.text
    assert "version = 2" in site.text
    text = Page(marketing.get("/agreement?done=saved&lang=en").text).text
    assert words("agreement.done.saved", "en") in text
    assert "Sales has two new people" in text
    assert "cutoffs.sql" in text
    assert "SQLs a week" in text

    assert site.signed(marketing, "marketing").status_code == 303
    state = agreement_state(site.folder, **site.meaning)
    assert not state.signed
    text = Page(sales.get("/agreement?lang=en").text).text
    assert words("agreement.status.waiting_for", "en", version=2, team="Sales") in text
    assert site.signed(sales, "sales", name="somebody else").status_code == 303
    state = agreement_state(site.folder, **site.meaning)
    assert state.signed
    assert [state.signatures[team].name for team in ("marketing", "sales")] == ["mori", "weber"], "as they logged in"
    assert words("agreement.status.in_effect", "en", version=2) in Page(sales.get("/agreement?lang=en").text).text


def test_where_nobody_logs_in_the_name_is_asked_for(site: AgreementSite) -> None:
    assert site.signed(site.asking(), "sales", name="Jonas Weber").status_code == 303
    assert agreement_state(site.folder, **site.meaning).signatures["sales"].name == "Jonas Weber"
    refused = site.signed(site.asking(), "marketing", name=" ")
    assert refused.status_code == 422
    assert "Nothing was signed." in Page(refused.text).text


def test_a_team_signs_only_for_itself(site: AgreementSite) -> None:
    assert site.signed(site.asking(LEADER), "sales").status_code == 403
    page = Page(site.asking(LEADER).get("/agreement?lang=en").text)
    assert "Sales signs this." in page.text
    teams = [
        attributes["value"] for tag, attributes in page.tags if tag == "input" and attributes.get("name") == "team"
    ]
    assert teams == ["marketing"]


def test_sales_people_neither_see_nor_sign_it(site: AgreementSite) -> None:
    person = site.asking(Actor("kim", "sales", "sales"))
    assert person.get("/agreement").status_code == 403
    assert person.get("/agreement/simulate.json").status_code == 403
    assert site.signed(person, "sales").status_code == 403
    assert site.saved(person, mql="0.05", sql="0.25").status_code == 403
    assert site.text == TOML


def test_a_form_from_elsewhere_changes_nothing(site: AgreementSite) -> None:
    for form in ({"csrf": "guessed"}, {"csrf": ""}):
        assert site.saved(site.asking(), mql="0.05", sql="0.25", **form).status_code == 403
        assert site.signed(site.asking(), "sales", **form).status_code == 403
    assert site.text == TOML
    assert site.asking().ask("POST", "/agreement/save", body=b"{}").status_code in (415, 422)


def test_faults_of_an_edited_text_stand_at_their_lines_and_the_text_is_not_lost(site: AgreementSite) -> None:
    wrong = TOML.replace("0.3", "30").replace("14d", "soon")
    reply = site.saved(site.asking(), text=wrong, reason="try")
    page = Page(reply.text)
    assert reply.status_code == 422
    assert "Nothing was saved: there are 2 faults." in page.text
    assert "line 6" in page.text
    assert "sql = 30" in page.text
    assert "line 10" in page.text
    assert site.text == TOML
    (area,) = [attributes for tag, attributes in page.tags if tag == "textarea" and attributes.get("name") == "text"]
    assert area["aria-invalid"] == "true"
    assert 'counts_for = "soon"' in page.text
    assert ("details", {"class": "more", "open": None}) in page.tags


def test_all_rules_can_be_edited_as_text(site: AgreementSite) -> None:
    edited = TOML.replace("sql = 0.3", "sql = 0.3\n\n[capacity]\nsqls_a_week = 12") + "\n[recycle]\nafter = '30d'\n"
    assert site.saved(site.asking(LEADER), text=edited.replace("\n", "\r\n"), reason="room").status_code == 303
    assert "\r" not in site.text
    assert "sqls_a_week = 12" in site.text
    text = Page(site.asking().get("/agreement?lang=en").text).text
    assert "12 SQLs a week." in text
    assert "sales can take 12" in text, "the suggestion keeps to it"


def test_a_page_that_is_out_of_date_saves_nothing(site: AgreementSite) -> None:
    site.saved(site.asking(), mql="0.05", sql="0.25")
    text = site.text
    reply = site.saved(site.asking(), mql="0.05", sql="0.4", looked_at="of before")
    assert reply.status_code == 422
    assert "changed by somebody else" in Page(reply.text).text
    assert site.text == text


def test_what_people_write_is_shown_as_text(site: AgreementSite) -> None:
    site.saved(site.asking(), mql="0.05", sql="0.25", reason=NASTY)
    site.signed(site.asking(), "sales", name=NASTY)
    page = site.asking().get("/agreement?lang=en")
    assert NASTY in Page(page.text).text
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("lang", LANGS)
def test_without_an_agreement_the_page_starts_from_a_suggestion(tmp_path: Path, lang: Lang) -> None:
    site = AgreementSite(tmp_path, open_address("sqlite:///store.db", tmp_path), toml=None)
    text = Page(site.asking().get(f"/agreement?lang={lang}").text).text
    assert words("agreement.status.none", lang) in text
    form = {"csrf": TOKEN, "looked_at": "", "reason": "a start", "mql": "0.05", "sql": "0.25"}
    page = Page(site.asking().get(f"/agreement?lang={lang}").text)
    form["looked_at"] = next(
        str(attributes["value"]) for _, attributes in page.tags if attributes.get("name") == "looked_at"
    )
    assert site.asking().post(f"/agreement/save?lang={lang}", form).status_code == 303
    assert "version = 1" in site.text
    assert words("agreement.history.first", lang) in Page(site.asking().get(f"/agreement?lang={lang}").text).text


def test_a_file_with_faults_is_shown_with_them_and_can_be_mended(site: AgreementSite) -> None:
    (site.folder / "agreement.toml").write_text(TOML.replace("0.3", "30"), encoding="utf-8")
    page = Page(site.asking().get("/agreement?lang=en").text)
    assert words("agreement.status.faulty", "en") in page.text
    assert "line 6" in page.text
    assert site.saved(site.asking(), text=TOML, reason="mended").status_code == 303
    assert Page(site.asking().get("/agreement?lang=en").text).text.count("line 6") == 0


def test_a_model_of_before_lead_times_makes_a_page(tmp_path: Path, store: Store) -> None:
    model = model_with()
    old = replace(model.bundle.backtest, lead_time=None, points=None)
    site = AgreementSite(tmp_path, store, model=replace(model, bundle=replace(model.bundle, backtest=old)))
    text = Page(site.asking().get("/agreement?lang=en").text).text
    assert words("agreement.simulator.old_bundle", "en") in text


def test_while_there_is_no_model_the_rules_can_be_agreed_all_the_same(tmp_path: Path) -> None:
    from serving.serving_model import ColdStart
    from training.points import PointsRules

    site = AgreementSite(tmp_path, open_address("sqlite:///store.db", tmp_path))
    site.model = ColdStart(rules=PointsRules(), horizon=90 * 86_400_000_000)  # type: ignore[assignment]
    page = Page(site.asking().get("/agreement?lang=en").text)
    assert words("agreement.simulator.none", "en") in page.text
    assert site.asking().get("/agreement/simulate.json").status_code == 503
    assert site.saved(site.asking(), text=TOML.replace("0.3", "0.4"), reason="early").status_code == 303
    assert site.signed(site.asking(), "sales").status_code == 303
