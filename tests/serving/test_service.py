"""The real service, two workers on BentoML's server, asked over HTTP as programs and people would."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.errors import UsageError
from features.moments import Moments
from features.tables import read_history
from features.workspace import load_workspace
from serving.launch import serve
from serving.permissions import ANY_METHOD, PERMISSIONS
from serving.scoring import score_leads
from serving.serving_model import ServingModel
from serving.signatures import agreement_state
from serving.wire import EXAMPLE_LEAD, FailedLead, ProblemBody, Score

Running = Callable[..., AbstractContextManager[Any]]
KEY = "a-key-of-20-letters."
LEAD = {**EXAMPLE_LEAD, "attributes": {"job_level": "director"}}


@pytest.fixture(scope="module")
def service(trained: Any, running_once: Running) -> Iterator[Any]:
    with running_once(trained.folder) as running:
        yield running


def problem(answer: tuple[int, Any, bytes]) -> tuple[int, set[str]]:
    """Status and fields of a problem body, which must be one."""
    status, headers, body = answer
    assert headers["Content-Type"] == "application/problem+json"
    told = ProblemBody.model_validate_json(body)
    assert told.status == status
    return status, {each.field for each in told.errors}


def test_a_lead_is_scored_as_the_contract_says(service: Any) -> None:
    score = Score.model_validate(service.json("/score", LEAD))
    assert score.lead_id == "L-1042"
    assert score.as_of == "2026-11-20T12:00:00Z"
    assert score.probability is not None
    assert score.score == round(100 * score.probability)
    assert score.model is not None
    assert score.model.version == "1"
    assert score.agreement is not None
    assert score.agreement.signed
    assert score.reasons is not None
    shown = sum(each.log_odds or 0.0 for each in (*score.reasons.for_, *score.reasons.against))
    assert score.reasons.base_log_odds is not None
    assert score.reasons.other_log_odds is not None
    assert score.reasons.raw_log_odds is not None
    assert abs(score.reasons.base_log_odds + score.reasons.other_log_odds + shown - score.reasons.raw_log_odds) < 1e-6


def test_the_language_is_the_leads_own_before_the_batchs(service: Any) -> None:
    leads = [{**LEAD, "lang": None}, {**LEAD, "lang": "en"}]
    first, second = service.json("/score_batch", {"leads": leads, "lang": "ja"})["scores"]
    texts = [each["text"] for each in first["reasons"]["for"]]
    assert any(not text.isascii() for text in texts)
    assert all(each["text"].isascii() for each in second["reasons"]["for"])


def test_a_batch_answers_in_order_with_what_failed_in_its_place(service: Any) -> None:
    leads = [
        {**LEAD, "lead_id": "b"},
        {**LEAD, "lead_id": "a", "created_at": "2027-01-01T00:00:00Z"},
        {"lead_id": 7},
        {**LEAD, "lead_id": "a"},
        {**LEAD, "lead_id": "b", "as_of": "2026-10-03T00:00:00Z"},
    ]
    scores = service.json("/score_batch", {"leads": leads})["scores"]
    assert [each["lead_id"] for each in scores] == ["b", "a", None, "a", "b"]
    assert [("error" in each) for each in scores] == [False, True, True, False, False]
    assert FailedLead.model_validate(scores[1]).error.errors[0].field == "created_at"
    assert scores[4]["as_of"] == "2026-10-03T00:00:00Z"
    alone = service.json("/score", leads[4])
    assert {**scores[4], "scored_at": ""} == {**alone, "scored_at": ""}, "in a batch as alone, bit for bit"


def test_an_empty_batch_is_answered(service: Any) -> None:
    assert service.json("/score_batch", {"leads": []}) == {"scores": []}


def test_unknown_names_are_ignored_and_listed(service: Any) -> None:
    event = {"event_type": "x", "occurred_at": "2026-11-01T00:00:00Z", "properties": {"colour": "red"}}
    told = service.json("/score", {**LEAD, "attributes": {"shoe_size": 42}, "events": [event]})
    assert any("shoe_size" in each for each in told["warnings"])
    assert any("colour" in each for each in told["warnings"])


def test_events_at_or_after_the_moment_are_not_seen(service: Any) -> None:
    event = {"event_type": "pricing_page_viewed", "occurred_at": LEAD["as_of"]}
    without = service.json("/score", {**LEAD, "events": []})
    assert service.json("/score", {**LEAD, "events": [event]})["probability"] == without["probability"]


def test_a_contact_request_takes_the_fast_lane(service: Any) -> None:
    event = {"event_type": "contact_sales", "occurred_at": "2026-11-20T11:00:00Z"}
    told = service.json("/score", {**LEAD, "events": [event]})
    assert (told["band"], told["decided_by"]) == ("SQL", "fast_lane")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, "body"),
        (b"not json", 400, "body"),
        (b'{"lead_id": "a", "lead_id": "b"}', 400, "lead_id"),
        (b'{"lead_id": "\\ud800", "created_at": "2026-01-01T00:00:00Z", "events": []}', 400, "lead_id"),
        (b'{"attributes": ' + b"[" * 100_000, 400, "attributes[0][0][0]"),
        (b'{"events": [{"value": NaN}]}', 422, "events[0].value"),
        (b'{"events": [{"value": 1e999}]}', 422, "events[0].value"),
        (b"[]", 422, "body"),
        (b" " * (1024 * 1024 + 1), 413, "body"),
        (json.dumps({**LEAD, "events": [{"event_type": "x", "occurred_at": "2026-01-01T00:00Z"}] * 10_001}).encode(),
         413, "events"),
        (json.dumps({**LEAD, "attributes": {"job_level": 7}}).encode(), 422, "attributes.job_level"),
        (json.dumps({**LEAD, "created_at": "yesterday, at noon"}).encode(), 422, "created_at"),
        (json.dumps({**LEAD, "colour": "red"}).encode(), 422, "colour"),
    ],
)  # fmt: skip
def test_a_bad_body_is_refused_by_name(service: Any, body: bytes, status: int, field: str) -> None:
    found, fields = problem(service.ask("/score", body))
    assert found == status
    assert field in fields


def test_a_huge_batch_is_refused(service: Any) -> None:
    assert problem(service.ask("/score_batch", json.dumps({"leads": [{}] * 1001}).encode())) == (413, {"leads"})


def test_ten_thousand_events_of_a_lead_are_scored(service: Any) -> None:
    events = [{"event_type": "a", "occurred_at": f"2026-10-{d % 28 + 1:02}T10:00Z"} for d in range(10_000)]
    assert service.json("/score", {**LEAD, "events": events})["probability"] is not None


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nothing", None, 404), ("/docs.json", None, 404), ("/score", "GET", 405), ("/score", "PUT", 405),
        ("/leads/", None, 404), ("/leads/none/score", None, 404), ("/leads/a/b/c", None, 404), ("/leads/%FF/score", None, 404),
        ("/static/../service.py", None, 404), ("/static/secret", None, 404), ("/leads/a%0Ab/score", None, 404),
    ],
)  # fmt: skip
def test_an_address_without_anything_is_a_problem(service: Any, path: str, method: str | None, status: int) -> None:
    assert problem(service.ask(path, method=method))[0] == status


@pytest.mark.parametrize(
    ("query", "field"),
    [("as_of=soon", "as_of"), ("lang=fr", "lang"), ("lang=en&lang=ja", "lang"), ("colour=red", "colour")],
)
def test_a_bad_query_is_refused_by_name(service: Any, query: str, field: str) -> None:
    assert problem(service.ask(f"/leads/L-000001/score?{query}")) == (422, {field})


def test_a_moment_before_the_lead_existed_is_refused(service: Any) -> None:
    assert problem(service.ask("/leads/L-000001/score?as_of=1970-01-01T00:00:00Z")) == (422, {"as_of"})


def test_the_same_moment_gets_the_same_bits_from_the_tables_as_in_batch(service: Any, trained: Any) -> None:
    workspace = load_workspace(trained.folder)
    model = ServingModel("b2b", "1", trained.bundle)
    history = read_history(workspace, schema=model.schema).history
    positions = history.open_leads(history.now)[:20]
    moments = Moments(positions, np.full(len(positions), history.now, dtype=np.int64))
    state = agreement_state(
        trained.folder, horizon=model.horizon, converted=model.converted, stages=model.schema.stages
    )
    for score in score_leads(model, state, history, moments, scored_at=0):
        told = service.json(f"/leads/{urllib.parse.quote(score.lead_id)}/score")
        assert {**told, "scored_at": ""} == {**json.loads(json.dumps(score.to_json())), "scored_at": ""}


def test_a_moment_may_be_asked_for_with_its_offset(service: Any) -> None:
    utc = service.json("/leads/L-000001/score?as_of=2025-12-01T00:00:00Z")
    for text in ("2025-12-01T09:00:00%2B09:00", "2025-12-01T09:00:00+09:00"):
        told = service.json(f"/leads/L-000001/score?as_of={text}")
        assert (told["as_of"], told["probability"]) == (utc["as_of"], utc["probability"])


NOT_DESCRIBED = {
    "/healthz", "/schema.json", "/static/{file}",  # BentoML's own, and what pages are made of
    "/leads/{id}/feedback", "/leads/{id}/facts", "/agreement/save", "/agreement/sign", "/agreement/simulate.json", "/logout",
}  # fmt: skip
"""Beside these it describes all: what our own pages send and ask is no door for programs."""


def test_the_one_document_describes_every_route(service: Any) -> None:
    document = service.json("/openapi.json")
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    posted = {("/score", "POST"), ("/score_batch", "POST")}
    served = {
        (path, "GET" if method == ANY_METHOD else method)
        for path, methods in PERMISSIONS.items()
        for method in methods
        if path not in NOT_DESCRIBED
    }
    assert described == served - {(path, "GET") for path, _ in posted} - {("/login", "POST")} | posted
    columns = document["components"]["schemas"]["Lead"]["properties"]["attributes"]["anyOf"][0]["properties"]
    assert columns["job_level"]["type"] == ["string", "boolean", "null"]


def test_probes_and_metrics_answer(service: Any) -> None:
    assert service.ask("/livez")[0] == 200
    assert service.ask("/readyz")[0] == 200
    service.json("/score", LEAD)
    _, _, page = service.ask("/metrics")
    for name in (b"propensity_request_seconds_bucket", b"propensity_scores_total", b"propensity_model_version 1.0"):
        assert name in page
    assert b"propensity_tables_age_seconds" in page
    assert b"L-1042" not in page
    assert b"L-000001" not in page


def test_a_web_page_elsewhere_does_not_get_through(service: Any) -> None:
    body = json.dumps(LEAD).encode()
    assert problem(service.ask("/score", body, {"Origin": "http://evil.example"}))[0] == 403
    assert problem(service.ask("/score", body, {"Host": "evil.example"}))[0] == 403
    assert problem(service.ask("/score", body, {"X-Forwarded-For": "1.2.3.4"}))[0] == 403
    assert problem(service.ask("/score", body, {"Content-Type": "text/plain"}))[0] == 415
    assert problem(service.ask("/leads/L-000001", headers={"Host": "evil.example"}))[0] == 403


def test_what_happens_is_told_to_a_store_and_refused_where_the_tables_are_files(service: Any) -> None:
    for name in ("leads", "events", "outcomes"):
        status, _, body = service.ask(f"/{name}", json.dumps({name: []}).encode())
        assert status == 409
        assert "propensity load" in json.loads(body)["errors"][0]["expected"]


CLIENT = """
import bentoml, json, sys
lead = json.loads(sys.argv[2])
with bentoml.SyncHTTPClient(sys.argv[1]) as client:
    print(json.dumps([client.score(lead), client.score_batch({"leads": [lead]})["scores"][0]]))
"""


def test_bentomls_own_client_works(service: Any) -> None:
    # in a process of its own: BentoML's imports warn, and our tests take no warning
    command = [sys.executable, "-c", CLIENT, service.address, json.dumps(LEAD)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    alone, in_batch = (Score.model_validate(each) for each in json.loads(done.stdout))
    assert alone.probability == in_batch.probability == service.json("/score", LEAD)["probability"]


def test_the_log_holds_no_id_and_no_path(service: Any, trained: Any) -> None:
    service.ask("/leads/L-000001/score")
    log = (trained.folder / "serve.log").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert any(line["what"] == "champion serves" for line in lines)
    assert "L-0" not in log
    assert "L-1042" not in log


def test_with_keys_a_key_is_asked_for(workspace_folder: Path, running: Running) -> None:
    with running(workspace_folder, PROPENSITY_API_KEYS=f"{KEY},{KEY}2") as keyed:
        body = json.dumps(LEAD).encode()
        assert problem(keyed.ask("/score", body)) == (401, {"Authorization"})
        assert problem(keyed.ask("/")) == (401, {"Authorization"})
        assert keyed.ask("/score", body, {"Authorization": f"Bearer {KEY}2"})[0] == 200
        assert keyed.ask("/livez")[0] == 200
        assert keyed.ask("/metrics")[0] == 200
        document = keyed.ask("/openapi.json", headers={"Authorization": f"Bearer {KEY}"})[2]
        assert json.loads(document)["security"] == [{"key": []}]


def test_tables_that_change_are_served_without_a_restart(
    workspace_folder: Path, running: Running, eventually: Callable[..., float]
) -> None:
    import pandas as pd

    with running(workspace_folder) as service:
        before = service.json("/leads/L-000001/score")["probability"]
        path = workspace_folder / "leads.parquet"
        leads = pd.read_parquet(path)
        leads[leads["lead_id"] != "L-000002"].to_parquet(path)
        eventually(lambda: all(service.ask("/leads/L-000002/score")[0] == 404 for _ in range(8)), within=20)
        assert service.json("/leads/L-000001/score")["probability"] == before


def test_points_answer_until_there_is_a_champion(
    workspace_folder: Path,
    trained: Any,
    register_version: Callable[..., str],
    running: Running,
    eventually: Callable[..., float],
) -> None:
    shutil.rmtree(workspace_folder / ".propensity")
    (workspace_folder / "agreement.toml").unlink()
    with running(workspace_folder) as service:
        score = Score.model_validate(service.json("/score", LEAD))
        assert (score.probability, score.band, score.model) == (None, None, None)
        assert score.score > 0
        Score.model_validate(service.json("/leads/L-000001/score"))
        assert service.ask("/")[0] == 200
        assert service.ask("/leads/L-000001")[0] == 200
        register_version(workspace_folder, trained.bundle, champion=True)

        def all_by_model() -> bool:
            return all(service.json("/score", LEAD)["model"] is not None for _ in range(8))

        eventually(all_by_model, within=10)
        assert service.json("/leads/L-000001/score")["agreement"] is None


def test_a_port_that_is_taken_is_named(workspace_folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match=f"port {taken.getsockname()[1]}"):
            serve(workspace_folder, port=taken.getsockname()[1])


@pytest.mark.parametrize(("host", "said"), [("0.0.0.0", "no key is set"), ("nowhere.example", "an address in numbers")])
def test_it_does_not_start_where_it_must_not(workspace_folder: Path, host: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        serve(workspace_folder, host=host, port=0)
    assert said in str(caught.value)


def test_importing_the_service_reads_no_environment() -> None:
    code = "import serving.service"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
