"""Who decided what stays written down, without a lead's data."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from oracles.made_site import PASSWORD, Site, log_in
from serving.actor import Actor
from serving.audit import audit_line, record, trail
from serving.cli import commands
from serving.people import who_has_password
from serving.store import Store, open_store

MORI = Actor("mori", "sales", "sales")


def test_a_decision_stays_with_its_transaction_or_goes_with_it(store: Store) -> None:
    with store.writing() as c:
        record(c, store, actor=MORI, action="reject", subject_lead="L-1042", detail={"reason": "no_need"}, now=5)
    with suppress(RuntimeError), store.writing() as c:
        record(c, store, actor=MORI, action="accept", subject_lead="L-1042", now=6)
        raise RuntimeError
    with store.reading() as c:
        rows = trail(c, store)
    assert [(row.at, row.actor, row.role, row.action, row.detail) for row in rows] == [
        (5, "mori", "sales", "reject", {"reason": "no_need"})
    ]


def test_a_lead_is_only_a_keyed_hash_by_which_it_is_found(store: Store) -> None:
    with store.writing() as c:
        for lead in ("L-1", "L-2", "L-1"):
            record(c, store, actor=MORI, action="accept", subject_lead=lead, now=1)
    with store.reading() as c:
        rows = trail(c, store, lead="L-1")
        assert "L-1" not in "".join(audit_line(row) for row in trail(c, store))
    assert len(rows) == 2
    assert {row.subject for row in rows} == {store.hash_of("L-1")}


def test_the_newest_come_last(store: Store) -> None:
    with store.writing() as c:
        for now in range(5):
            record(c, store, actor=MORI, action="accept", subject="7", now=now)
    with store.reading() as c:
        assert [row.at for row in trail(c, store, last=3)] == [2, 3, 4]


def test_logins_and_failures_are_written_down_and_what_was_typed_is_not(store: Store) -> None:
    site = Site(store)
    site.add("mori")
    log_in(site.asking(), "mori", "wrong password")
    log_in(site.asking(), PASSWORD, "typed in the wrong field")
    browser = site.logged_in("mori")
    browser.post("/logout", {"csrf": browser.get("/").json()["csrf"]})
    with store.reading() as c:
        rows = trail(c, store)
    assert [(row.action, row.actor, row.subject) for row in rows] == [
        ("login_failed", "not logged in", "mori"),
        ("login_failed", "not logged in", None),
        ("login", "mori", None),
        ("logout", "mori", None),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "propensity.toml").write_text(TOML, encoding="utf-8")
    return tmp_path


TOML = """
[workspace]
name = "shop"
timezone = "Asia/Tokyo"
[target]
converted = "bought"
horizon = "90d"
[tables]
leads = "leads.csv"
events = "events.csv"
outcomes = "outcomes.csv"
"""


def run(*arguments: str, typed: str = "") -> tuple[str, BaseException | None]:
    done = CliRunner().invoke(commands, list(arguments), input=typed)
    return done.output, done.exception


def test_people_are_added_listed_changed_and_removed_by_command(folder: Path) -> None:
    said, _ = run(
        "user", "add", str(folder), "Mori", "--role", "lead", "--team", "sales", "--password-stdin", typed=PASSWORD
    )
    assert said.startswith("mori may log in as lead, team sales\nFrom now on")
    said, _ = run("user", "add", str(folder), "sato", "--role", "admin", "--password-stdin", typed=f"{PASSWORD}\n")
    assert said == "sato may log in as admin\n"
    assert run("user", "list", str(folder))[0] == "mori\tlead\tsales\nsato\tadmin\n"
    run("user", "password", str(folder), "MORI", "--password-stdin", typed="another horse battery")
    store = open_store_of(folder)
    assert who_has_password(store, "mori", PASSWORD) is None
    assert who_has_password(store, "mori", "another horse battery") is not None
    store.close()
    assert run("user", "remove", str(folder), "mori")[0] == "mori can't log in any more\n"
    assert "open to everyone" in run("user", "remove", str(folder), "sato")[0]
    lines = run("audit", str(folder))[0].splitlines()
    assert [line.split("\t")[3] for line in lines] == [
        "add_user", "add_user", "change_password", "remove_user", "remove_user"
    ]  # fmt: skip
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\t.+ \(command line\)\tadmin\tadd_user\tmori\t\{.*\}", lines[0]
    )
    assert json.loads(lines[0].split("\t")[5]) == {"role": "lead", "team": "sales"}
    assert run("audit", str(folder), "--lead", "L-1")[0] == ""


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("mori", "too short", "too easy to guess"), ("mori", "a" * 40, "too easy to guess"),
        ("mori", "my name is mori", "too easy to guess"), ("mo/ri", PASSWORD, "can't be a user's name"),
        (" ", PASSWORD, "can't be a user's name"), ("taken", PASSWORD, "there is a user taken already"),
    ],
)  # fmt: skip
def test_a_user_that_cant_be_is_refused_by_name_and_never_by_password(
    folder: Path, name: str, password: str, said: str
) -> None:
    run("user", "add", str(folder), "taken", "--role", "sales", "--password-stdin", typed=PASSWORD)
    _, error = run("user", "add", str(folder), name, "--role", "sales", "--password-stdin", typed=password)
    assert said in str(error)
    assert password not in str(error)


def test_who_isnt_there_can_be_neither_removed_nor_changed(folder: Path) -> None:
    assert "there is no user mori" in str(run("user", "remove", str(folder), "mori")[1])
    assert "there is no user mori" in str(
        run("user", "password", str(folder), "mori", "--password-stdin", typed=PASSWORD)[1]
    )
    assert "no terminal" in str(run("user", "password", str(folder), "mori")[1])


def open_store_of(folder: Path) -> Store:
    from features.workspace import load_workspace

    return open_store(load_workspace(folder))
