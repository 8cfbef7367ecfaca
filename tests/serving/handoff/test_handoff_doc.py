"""docs/handoff.md as it stands: its tomls are read, its payload is one that is sent, its code verifies it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.calendar_days import HOUR
from features.workspace import load_workspace
from oracles.made_handoffs import AGREEMENT, NOW, SECRET, handed, http_receiver, made_score, webhook_to
from serving.delivery import MOST_ATTEMPTS, MOST_REFUSED, Deliverer
from serving.field_map import OURS, FieldMap
from serving.handoff_settings import HandoffSettings, load_handoff_settings
from serving.sending import Handoff
from serving.store.opening import open_address
from serving.store.tables import handoffs
from serving.webhook import webhook_body

TEXT = (Path(__file__).parents[3] / "docs" / "handoff.md").read_text(encoding="utf-8")
WORKSPACE = '[tables]\nleads = "l.csv"\noutcomes = "o.csv"\n[target]\nconverted = "won"\nhorizon = "30d"\n'


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.M | re.S)


def read(text: str, folder: Path) -> HandoffSettings:
    (folder / "propensity.toml").write_text(WORKSPACE)
    (folder / "handoff.toml").write_text(text, encoding="utf-8")
    secrets = {"PROPENSITY_WEBHOOK_SECRET": SECRET, "PROPENSITY_SMTP_PASSWORD": "x"}
    return load_handoff_settings(load_workspace(folder), secrets)


@pytest.fixture
def payload(tmp_path: Path) -> dict[str, Any]:
    """What is really kept of a hand-off."""
    store = open_address(f"sqlite:///{tmp_path / 'store.db'}", tmp_path)
    told = {"en": "booked a call", "ja": "電話面談を予約"}
    with store.writing() as c:
        assert handed(c, made_score(asked_at=NOW - HOUR), settings=webhook_to(1), because=told) is not None
        found: dict[str, Any] = c.execute(sa.select(handoffs.c.payload)).scalar_one()
    store.close()
    return found


def clock() -> int:
    return time.time_ns() // 1000


def shape(value: Any) -> Any:
    return {key: shape(each) for key, each in value.items()} if isinstance(value, dict) else None


def test_the_payload_is_one_that_is_sent(payload: dict[str, Any]) -> None:
    told = json.loads(blocks("json")[0])
    sent = json.loads(webhook_body(Handoff("ho_1", NOW, payload), FieldMap()))
    assert list(told) == list(sent)
    assert list(told["data"]) == list(payload)
    assert shape(told["data"]) == shape(payload)


def test_what_a_map_can_name_stands_in_the_payload_or_is_derived_from_it(payload: dict[str, Any]) -> None:
    def leaves(value: dict[str, Any], prefix: str = "") -> set[str]:
        return set().union(
            *(
                leaves(each, f"{prefix}{key}.") if isinstance(each, dict) else {prefix + key}
                for key, each in value.items()
            )
        )

    derived = {"percent", "grade", "reasons_text.en", "reasons_text.ja", "deadline_date"}
    assert set(OURS) == leaves(payload) | derived
    for name in derived:
        assert f"`{name}`" in TEXT


@pytest.mark.parametrize("number", range(len(blocks("toml"))))
def test_each_toml_is_read_and_gives_what_its_receiver_wants(
    number: int, tmp_path: Path, payload: dict[str, Any]
) -> None:
    settings = read(blocks("toml")[number], tmp_path)
    sent = settings.fields.put(payload)
    expected: list[Callable[[], bool]] = [
        lambda: sent == payload and settings.channels == ("webhook", "mail"),
        lambda: sent["Propensity_Probability__c"] == 31.2 and sent["Rating"] == "Hot" and "\n" in sent["Description"],
        lambda: sent["ActivityDate"] == "2027-01-15" and sent["WhoId"] == "L-1042" and sent["Priority"] == "High",
        lambda: list(sent) == ["properties"] and sent["properties"]["lifecyclestage"] == "salesqualifiedlead",
        lambda: sent["leadqualitycode"] == 1 and "ownerid@odata.bind" in sent and sent["subject"] == "Keiko Sato",
    ]
    assert len(expected) == len(blocks("toml"))
    assert expected[number]()


def test_the_worked_example_verifies_what_we_send_and_drops_repetitions(tmp_path: Path) -> None:
    example: dict[str, Any] = {}
    exec(blocks("python")[0], example)
    store = open_address(f"sqlite:///{tmp_path / 'store.db'}", tmp_path)
    with http_receiver() as received:
        settings = webhook_to(received.port)
        with store.writing() as c:
            handed(c, made_score(), settings=settings, now=clock())
        Deliverer(store, settings, clock).run_once()
    store.close()
    ((_, headers, body),) = received.requests
    seen: set[str] = set()
    status, data = example["received"](SECRET, headers, body, seen)
    assert (status, data["lead_id"]) == (204, "L-1042")
    assert example["received"](SECRET, headers, body, seen) == (204, None)
    assert example["received"](SECRET, headers, body + b" ", set()) == (401, None)


def test_the_numbers_it_tells_are_those_of_the_code() -> None:
    assert MOST_REFUSED == 4, "three more tries"
    assert MOST_ATTEMPTS == 19, "about three days"
    assert AGREEMENT.recycle_after is None, "30 days unless told"
