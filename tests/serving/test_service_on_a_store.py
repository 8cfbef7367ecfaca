"""The real service over a store: what happens is told, scored at once, listed, handed over, erased."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serving.wire import Score
from serving.wire_behaviour import Objected, Taken

Running = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def service(stored: Path, running_once: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One for all tests here: each tells of leads of its own."""
    folder = tmp_path_factory.mktemp("store") / "b2b"
    shutil.copytree(stored, folder)
    with running_once(folder) as running:
        yield running


def ago(**how: float) -> str:
    return (datetime.now(UTC) - timedelta(**how)).isoformat()


def test_an_event_is_in_the_next_score_whichever_worker_answers(service: Any) -> None:
    lead = {"lead_id": "new/1", "created_at": ago(days=3), "attributes": {"job_level": "director"}}
    assert Taken.model_validate(service.json("/leads", {"leads": [lead]})).accepted == 1
    last = Score.model_validate(service.json("/leads/new%2F1/score")).probability
    assert last is not None
    for number in range(8):
        event = {
            "lead_id": "new/1", "event_type": "pricing_page_viewed", "occurred_at": ago(minutes=50 - number),
            "event_id": f"e-{number}",
        }  # fmt: skip
        assert Taken.model_validate(service.json("/events", {"events": [event, event]})).repeated == 1
        score = Score.model_validate(service.json("/leads/new%2F1/score"))
        assert score.probability is not None
        assert score.probability != last
        last = score.probability


def test_a_request_to_be_called_heads_the_queue_at_once(service: Any) -> None:
    service.json("/leads", {"leads": [{"lead_id": "called-1", "attributes": {"contact_name": "Ada Byron"}}]})
    event = {"lead_id": "called-1", "event_type": "contact_sales", "occurred_at": ago(seconds=5)}
    service.json("/events", {"events": [event]})
    status, _, page = service.ask("/?band=all")
    assert status == 200
    listed = re.findall(rb'<a class="who" href="[^"]*">([^<]*)</a>', page)
    assert listed[0] == b"Ada Byron"
    assert len(listed) > 1


def test_who_objects_and_who_is_erased(service: Any, eventually: Any) -> None:
    service.json("/leads", {"leads": [{"lead_id": "new-1"}, {"lead_id": "new-2"}]})
    Objected.model_validate(service.json("/leads/new-1/objection", {}))
    eventually(lambda: all(service.ask("/leads/new-1/score")[0] == 403 for _ in range(4)), within=5)
    status, _, body = service.ask("/leads/new-2", method="DELETE")
    assert status == 200
    assert json.loads(body)["erased"] is True
    eventually(lambda: all(service.ask("/leads/new-2/score")[0] == 404 for _ in range(4)), within=5)
    again = Taken.model_validate(service.json("/leads", {"leads": [{"lead_id": "new-2"}]}))
    assert again.erased == 1
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # as a page elsewhere could send it
    assert service.ask("/leads/L-000001/objection", b"csrf=guessed", form)[0] == 403
    assert service.ask("/leads/L-000001/score")[0] == 200
