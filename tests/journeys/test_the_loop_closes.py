"""One loop: files fill a store, events and outcomes come in over HTTP, scores and hand-offs go out, and a model learns anew."""

from __future__ import annotations

import json
import re
import sqlite3
import time
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from journeys.made_workspace import AGREEMENT, QUICK, made_tables, write
from journeys.running import propensity, started
from journeys.test_readme import free_port

STORE = QUICK.replace("[tables]\n", '[tables]\nstore = "sqlite:///.propensity/store.db"\n')


def test_what_happens_reaches_scores_queue_and_the_next_model(tmp_path: Path) -> None:
    company = write(tmp_path / "company", made_tables(), toml=STORE)
    assert "600" in propensity("load", company).out
    propensity("load", company)
    for name in ("leads", "events", "outcomes"):
        (company / f"{name}.csv").unlink()
    propensity("check", company)
    propensity("train", company)
    propensity("cutoffs", company)
    (company / "agreement.toml").write_text(AGREEMENT, encoding="utf-8")
    for team in ("marketing", "sales"):
        propensity("agree", company, "--team", team, "--by", "A. Person")
    outcomes = _told_over_http(company)
    propensity("profile", company)
    review = json.loads(propensity("review", company, "--json").out)
    assert review
    assert "N-1" in propensity("handoffs", company).out
    said = propensity("train", company).out
    assert "company version 2 is registered as challenger." in said
    assert propensity("audit", company).out.count("sign") >= 2
    assert _leads_with_outcome(company) == outcomes


def _told_over_http(company: Path) -> int:
    """Tell of a lead, its events and its end; how many outcomes the store then holds."""
    before, port = _leads_with_outcome(company), free_port()
    process = started("serve", company, "--port", port)
    try:
        address = f"http://127.0.0.1:{port}"
        assert process.stdout is not None
        while "Serving on" not in (line := process.stdout.readline()):
            assert line, "the service ended"
        now = datetime.now(UTC)
        lead = {"lead_id": "N-1", "created_at": (now - timedelta(days=2)).isoformat(), "attributes": {"source": "web"}}
        assert _post(address + "/leads", {"leads": [lead]})["accepted"] == 1
        first = _get(address + "/leads/N-1/score")
        called = {"lead_id": "N-1", "event_type": "call_booked", "occurred_at": now.isoformat(), "event_id": "e-1"}
        assert _post(address + "/events", {"events": [called, called]})["repeated"] == 1
        then = _get(address + "/leads/N-1/score")
        assert (then["band"], then["decided_by"]) == ("SQL", "fast_lane")
        assert then["probability"] != first["probability"]
        with urllib.request.urlopen(address + "/?lang=en", timeout=30) as page:
            assert "N-1" in page.read().decode()
        ends = {"lead_id": "N-1", "outcome": "converted", "occurred_at": datetime.now(UTC).isoformat()}
        assert _post(address + "/outcomes", {"outcomes": [ends]})["accepted"] == 1
        deadline = time.monotonic() + 20
        while re.search(r"/leads/N-1\?", urllib.request.urlopen(address + "/?lang=en", timeout=30).read().decode()):
            assert time.monotonic() < deadline, "who has ended stands in no queue"
            time.sleep(0.2)
    finally:
        process.terminate()
        process.communicate(timeout=30)
    return before + 1


def _leads_with_outcome(company: Path) -> int:
    with closing(sqlite3.connect(company / ".propensity" / "store.db")) as store:
        (count,) = store.execute("select count(distinct lead_id) from outcomes").fetchone()
    return int(count)


def _post(address: str, body: Any) -> Any:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.loads(reply.read())


def _get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=30) as reply:
        return json.loads(reply.read())
