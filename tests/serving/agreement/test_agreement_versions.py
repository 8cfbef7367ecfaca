"""Versions of the agreement: saved whole or not at all, noticed when edited by hand, signed as they were seen."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.errors import UsageError
from oracles.made_agreement_site import NOW, TOML
from serving.actor import Actor
from serving.agreement_changes import changed
from serving.agreement_file import load_agreement
from serving.agreement_replacing import ChangedMeanwhile, text_digest
from serving.agreement_versions import Version, notice_version, save_version, sign_version, versions, volumes_of
from serving.desk import Meaning
from serving.signatures import agreement_state, load_signatures, signed_digest
from serving.simulator import Simulator
from serving.store import Store
from serving.store.tables import audit
from training.outlook import Outlooks

MEANING = Meaning(horizon=90 * 86_400_000_000, converted="won", stages={"call_booked": "action"})
MORI = Actor("mori", "lead", "marketing")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "agreement.toml").write_text(TOML, encoding="utf-8")
    return folder


def text_of(folder: Path) -> str:
    return (folder / "agreement.toml").read_text(encoding="utf-8")


def save(store: Store, folder: Path, text: str, **told: Any) -> Version:
    known: dict[str, Any] = {
        "looked_at": text_digest(text_of(folder) if (folder / "agreement.toml").exists() else ""),
        "actor": MORI,
        "reason": "sales asked for fewer",
        "meaning": MEANING,
        "expect": lambda agreement: None,
        "now": NOW,
    }
    return save_version(store, folder, text=text, **known | told)


def sign(store: Store, folder: Path, team: str, **told: Any) -> None:
    agreement = load_agreement(folder)
    assert agreement is not None
    known: dict[str, Any] = {
        "sha256": signed_digest(agreement, **MEANING),
        "name": "Mei Tanaka",
        "actor": MORI,
        "meaning": MEANING,
        "expect": lambda agreement: None,
        "clock": lambda: NOW,
    }
    sign_version(store, folder, team=team, **known | told)


def kept(store: Store) -> list[Version]:
    with store.reading() as c:
        return versions(c)


def trail(store: Store) -> list[tuple[str, str, str | None]]:
    with store.reading() as c:
        rows = c.execute(sa.select(audit.c.actor, audit.c.action, audit.c.subject).order_by(audit.c.number))
        return [tuple(row) for row in rows]


def test_a_saved_version_has_author_and_reason_and_raises_the_number_while_comments_stay(
    store: Store, folder: Path
) -> None:
    version = save(store, folder, TOML.replace("sql = 0.3", "sql = 0.4"))
    assert (version.version, version.author, version.reason) == (2, "mori", "sales asked for fewer")
    assert text_of(folder) == TOML.replace("sql = 0.3", "sql = 0.4").replace("version = 1", "version = 2")
    newest, before = kept(store)
    assert newest == version
    assert before.by_hand, "what stood in the file before is kept too"
    assert changed(before.content, newest.content) == [("cutoffs.sql", "0.3", "0.4")]
    assert trail(store) == [("mori", "save_agreement", "agreement 2")]


def test_the_first_version_needs_no_file(store: Store, folder: Path) -> None:
    (folder / "agreement.toml").unlink()
    version = save(store, folder, "version = 1\n[cutoffs]\nmql = 0.1\nsql = 0.3\n")
    assert version.version == 1
    assert load_agreement(folder) is not None
    assert len(kept(store)) == 1


def test_a_number_that_was_signed_or_saved_is_never_used_again(store: Store, folder: Path) -> None:
    save(store, folder, TOML.replace("0.3", "0.4"))
    sign(store, folder, "sales")
    (folder / "agreement.toml").write_text(TOML, encoding="utf-8")  # somebody turns the file back
    assert save(store, folder, TOML.replace("0.3", "0.5")).version == 3


@pytest.mark.parametrize(
    ("text", "reason", "found"),
    [
        (TOML.replace("0.3", "30"), "why", "cutoffs.sql"),
        (TOML.replace("[cutoffs]", "[cutofs]"), "why", "cutofs"),
        ("mql = ", "why", "toml"),
        (TOML.replace("0.3", "0.4"), "  ", "no reason"),
        (TOML.replace("0.3", "0.4"), "x" * 2001, "2001 characters"),
        (TOML, "why", "same rules"),
        (TOML.replace("# more than enough", "# other words"), "why", "same rules"),
        (TOML.replace("version = 1", "version = 7"), "why", "same rules"),
    ],
)
def test_what_cannot_be_saved_leaves_everything_as_it_was(
    store: Store, folder: Path, text: str, reason: str, found: str
) -> None:
    with pytest.raises(UsageError, match=found):
        save(store, folder, text, reason=reason)
    assert text_of(folder) == TOML
    assert kept(store) == []
    assert trail(store) == []
    assert [path.name for path in folder.iterdir()] == ["agreement.toml"], "no draft stays behind"


def test_every_fault_of_a_text_comes_with_its_line(store: Store, folder: Path) -> None:
    with pytest.raises(UsageError) as raised:
        save(store, folder, TOML.replace("0.3", "30").replace("14d", "soon"))
    assert [problem.where for problem in raised.value.problems] == ["agreement.toml line 6", "agreement.toml line 10"]


def test_a_change_that_somebody_else_made_is_not_written_over(store: Store, folder: Path) -> None:
    looked_at = text_digest(text_of(folder))
    save(store, folder, TOML.replace("0.3", "0.4"))
    with pytest.raises(ChangedMeanwhile):
        save(store, folder, TOML.replace("0.3", "0.5"), looked_at=looked_at)
    assert len(kept(store)) == 2


def test_line_ends_of_a_form_are_no_change(folder: Path) -> None:
    assert text_digest(TOML) == text_digest(TOML.replace("\n", "\r\n").strip())
    assert text_digest(TOML) != text_digest(TOML.replace("0.3", "0.4"))


def test_a_file_with_faults_can_be_mended(store: Store, folder: Path) -> None:
    (folder / "agreement.toml").write_text("version = 4\n[cutoffs]\nmql = 9\n", encoding="utf-8")
    assert save(store, folder, TOML).version == 1
    assert load_agreement(folder) is not None


def test_a_disk_that_cannot_be_written_saves_neither_file_nor_row(store: Store, folder: Path) -> None:
    (folder / f".agreement.toml.{os.getpid()}").mkdir()  # where the draft would stand
    with pytest.raises(UsageError, match="cannot be written"):
        save(store, folder, TOML.replace("0.3", "0.4"))
    assert text_of(folder) == TOML
    assert kept(store) == []


def test_of_two_who_save_at_once_one_is_told_and_nothing_is_lost(store: Store, folder: Path) -> None:
    looked_at = text_digest(text_of(folder))
    outcomes: list[str] = []

    def saving(sql: str) -> None:
        try:
            outcomes.append(str(save(store, folder, TOML.replace("0.3", sql), looked_at=looked_at).version))
        except ChangedMeanwhile:
            outcomes.append("told")

    threads = [threading.Thread(target=saving, args=(f"0.{each}",)) for each in range(4, 9)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["2", "told", "told", "told", "told"]
    assert [each.version for each in kept(store)] == [2, 1]
    assert load_agreement(folder) is not None


def test_a_file_edited_by_hand_is_noticed_once(store: Store, folder: Path) -> None:
    for _ in range(2):
        notice_version(store, folder, meaning=MEANING, expect=lambda agreement: None, now=NOW)
    (folder / "agreement.toml").write_text(TOML.replace("# more", "# much more"), encoding="utf-8")
    notice_version(store, folder, meaning=MEANING, expect=lambda agreement: None, now=NOW + 1)
    (version,) = kept(store)
    assert version.by_hand
    assert version.saved_at == NOW
    assert version.toml == TOML


def test_both_teams_sign_what_they_saw(store: Store, folder: Path) -> None:
    sign(store, folder, "marketing")
    assert not agreement_state(folder, **MEANING).signed, "one signature has no effect"
    sign(store, folder, "sales", name=" Jonas Weber ", actor=Actor("weber", "lead", "sales"))
    assert agreement_state(folder, **MEANING).signed
    assert [each.name for each in load_signatures(folder)] == ["Mei Tanaka", "Jonas Weber"]
    assert trail(store) == [("mori", "sign", "agreement 1"), ("weber", "sign", "agreement 1")]
    assert [each.by_hand for each in kept(store)] == [True]


def test_an_agreement_that_changed_since_it_was_looked_at_is_not_signed(store: Store, folder: Path) -> None:
    agreement = load_agreement(folder)
    assert agreement is not None
    seen = signed_digest(agreement, **MEANING)
    (folder / "agreement.toml").write_text(TOML.replace("0.3", "0.2"), encoding="utf-8")
    with pytest.raises(ChangedMeanwhile):
        sign(store, folder, "sales", sha256=seen)
    (folder / "agreement.toml").unlink()
    with pytest.raises(ChangedMeanwhile):
        sign_version(
            store, folder, sha256=seen, team="sales", name="A", actor=MORI, meaning=MEANING,
            expect=lambda agreement: None, clock=lambda: NOW,
        )  # fmt: skip
    assert load_signatures(folder) == ()
    assert trail(store) == []


def test_saving_sets_the_signatures_aside(store: Store, folder: Path) -> None:
    for team in ("marketing", "sales"):
        sign(store, folder, team)
    save(store, folder, TOML.replace("0.3", "0.4"))
    assert not agreement_state(folder, **MEANING).signatures


def test_a_version_keeps_what_it_would_give_beside_the_version_before(store: Store, folder: Path) -> None:
    from oracles.made_backtests import made_backtest

    simulator = Simulator(Outlooks.of(made_backtest(), draws=20))
    expect = volumes_of(simulator, "3")
    save(store, folder, TOML.replace("0.3", "0.4"), expect=expect)
    newest, before = kept(store)
    assert newest.expected is not None
    assert before.expected is not None
    assert newest.expected["sqls_a_week"] == simulator.outlooks.outlook(0.1, 0.4).sqls_a_week.to_json()
    assert before.expected["before"] is None
    assert newest.expected["before"] == {key: value for key, value in before.expected.items() if key != "before"}
    assert newest.expected["model_version"] == "3"
    assert volumes_of(None, None)(load_agreement(folder)) is None  # type: ignore[arg-type]


def test_what_changed_is_named_by_key_in_nested_rules_and_lists() -> None:
    before = {
        "version": 1,
        "cutoffs": {"mql": 0.1, "sql": 0.3},
        "personas": [{"name": "it", "en": "IT"}],
        "facts": ["need"],
    }
    after = {
        "version": 2,
        "cutoffs": {"mql": 0.1, "sql": 0.4},
        "personas": [{"name": "it", "en": "Tech"}],
        "sla": {"sql": "4h"},
    }
    assert changed(before, after) == [
        ("cutoffs.sql", "0.3", "0.4"),
        ("personas.it.en", "IT", "Tech"),
        ("facts", '["need"]', None),
        ("sla.sql", None, "4h"),
    ]
    assert changed(before, before) == []
