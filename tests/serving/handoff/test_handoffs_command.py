"""`propensity handoffs` as a person runs it: it lists, replays and drains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import UsageError
from features.workspace import load_workspace
from journeys.running import propensity
from oracles.made_handoffs import AGREEMENT, NOW, SECRET, handed, http_receiver, made_score, mail_settings, webhook_to
from serving.agreement_terms import HeldBack
from serving.delivery import Deliverer
from serving.handoff_settings import HandoffSettings
from serving.handoffs_page import drain_page, list_page, replay_page
from serving.sending import Attempt, Ending, Handoff
from serving.store import Store, open_store

TOML = '[tables]\nleads = "l.csv"\noutcomes = "o.csv"\n[target]\nconverted = "won"\nhorizon = "30d"\n'


class Never:
    def send(self, handoff: Handoff, *, now: int) -> Attempt:
        return Attempt(Ending.NEVER, "status 410")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "propensity.toml").write_text(TOML)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    opened = open_store(load_workspace(folder))
    yield opened
    opened.close()


def made(store: Store, lead_id: str, settings: HandoffSettings | None = None, held: bool = False) -> str:
    agreement = replace(AGREEMENT, held_back=HeldBack(0.999)) if held else AGREEMENT
    with store.writing() as c:
        done = handed(c, made_score(lead_id), settings=settings or webhook_to(1), agreement=agreement)
    assert done is not None
    return done.handoff_id


def test_hand_offs_are_listed_those_first_that_need_somebody_and_without_personal_data(
    folder: Path, store: Store
) -> None:
    assert list_page(folder).startswith("No hand-offs yet")
    dead = made(store, "L-1")
    Deliverer(store, HandoffSettings(), lambda: NOW, senders={"webhook": Never()}).run_once()
    both = made(store, "L-2", replace(webhook_to(1), mail=mail_settings(1)))
    held = made(store, "L-3", held=True)
    alone = made(store, "L-4", HandoffSettings())
    told = propensity("handoffs", folder, script=True).out
    lines = told.splitlines()
    assert lines[0] == "1 dead, 2 pending, 1 held back, 1 no channel"
    assert lines[2] == f"dead       {dead} webhook  lead L-1; by model; Jan 15, 2027, 08:00 UTC; 1 try; status 410"
    assert [line.split()[:3] for line in lines[3:5]] == [["pending", both, "webhook"], ["pending", both, "mail"]]
    assert lines[5].startswith(f"held back  {held} ")
    assert lines[6].startswith(f"no channel {alone} ")
    assert lines[-1] == f"Next: mend the receiver, then `propensity handoffs {folder} replay --dead`."
    assert "Sato" not in told
    assert "Northwind" not in told


def test_many_are_listed_in_part_and_all_when_asked(folder: Path, store: Store) -> None:
    for number in range(53):
        made(store, f"L-{number}")
    assert list_page(folder).splitlines()[-1] == "... and 3 more: --all shows them"
    assert len(list_page(folder, all_rows=True).splitlines()) == 2 + 53


def test_dead_letters_are_replayed_and_drained_to_a_receiver_that_works_again(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = made(store, "L-1")
    Deliverer(store, HandoffSettings(), lambda: NOW, senders={"webhook": Never()}).run_once()
    with pytest.raises(UsageError, match="no channel in handoff"):
        drain_page(folder)
    monkeypatch.setenv("PROPENSITY_WEBHOOK_SECRET", SECRET)
    with http_receiver() as received:
        (folder / "handoff.toml").write_text(f'[webhook]\nurl = "http://127.0.0.1:{received.port}/"\n')
        assert drain_page(folder).startswith("0 attempted, 1 delivery left.\n\ndead ")
        assert received.requests == []
        told = replay_page(folder, handoff_id=None, dead=True)
        assert told.startswith("1 delivery will be sent again, under the same id.")
        assert drain_page(folder) == "1 attempted, 0 deliveries left.\n"
        assert replay_page(folder, handoff_id=dead, dead=False).startswith("1 delivery will be sent again")
        drain_page(folder)
        assert received.ids == [dead, dead]
    assert replay_page(folder, handoff_id=None, dead=True) == "There are no dead letters.\n"


def test_what_waits_for_a_channel_that_is_gone_is_told(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(store, "L-1", HandoffSettings(mail=mail_settings(1)))
    (folder / "handoff.toml").write_text('[webhook]\nurl = "http://127.0.0.1:9/"\n')
    monkeypatch.setenv("PROPENSITY_WEBHOOK_SECRET", SECRET)
    assert drain_page(folder).endswith("1 delivery for a channel that handoff.toml no longer has.\n")


def test_what_makes_no_sense_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="no delivery of a hand-off with this id"):
        replay_page(folder, handoff_id="ho_x", dead=False)
    with pytest.raises(UsageError, match="neither an id nor --dead"):
        replay_page(folder, handoff_id=None, dead=False)
    with pytest.raises(UsageError, match="both an id and --dead"):
        replay_page(folder, handoff_id="ho_x", dead=True)
    assert "belong to replay" in propensity("handoffs", folder, "drain", "ho_x", code=2).err
