"""Some 1,500 made-up requests, good and bad, against the running service: it keeps to what `/openapi.json` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
CASES = {
    ("/score", "POST"): (450, 120),
    ("/score_batch", "POST"): (100, 40),
    ("/leads/{id}/score", "GET"): (100, 100),
    ("/leads/{id}", "GET"): (60, 0),
    ("/leads", "POST"): (60, 40),
    ("/events", "POST"): (60, 40),
    ("/outcomes", "POST"): (60, 40),
    ("/leads/{id}/objection", "POST"): (20, 0),
    ("/leads/{id}", "DELETE"): (10, 0),
    ("/", "GET"): (60, 0),
    ("/queue.csv", "GET"): (20, 0),
    ("/agreement", "GET"): (10, 0),
    ("/model", "GET"): (10, 0),
    ("/review", "GET"): (10, 0),
    ("/profile", "GET"): (10, 0),
    ("/login", "GET"): (10, 0),
    ("/livez", "GET"): (1, 0),
    ("/readyz", "GET"): (1, 0),
    ("/metrics", "GET"): (1, 0),
    ("/openapi.json", "GET"): (1, 0),
}
"""How many requests a route gets that keep to the document, and how many that don't."""
BATCHES = ("/score_batch", "/leads", "/events", "/outcomes")
OF_A_LEAD = 100
"""More of those that keep to it for a lead that the tables hold."""
CHECKED = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_requests_of_all_kinds_are_answered_as_the_document_says(
    store_folder: Path, running: Callable[..., AbstractContextManager[Any]]
) -> None:
    statuses: Counter[int] = Counter()
    with running(store_folder) as service, requests.Session() as session:
        document = schemathesis.openapi.from_url(service.address + "/openapi.json")
        paths = {(path, method.upper()) for path in document for method in document[path]}
        assert paths == set(CASES), "every route is described, and tried"
        for (path, method), numbers in CASES.items():
            for mode, number in zip((GOOD, BAD), numbers, strict=True):
                if number:
                    strategy = document[path][method].as_strategy(generation_mode=mode)
                    _try(strategy, number, service.address, session, statuses, rejected=_rejected(path, mode))
        for path in ("/leads/{id}/score", "/leads/{id}"):
            strategy = document[path]["GET"].as_strategy(path_parameters={"id": "L-000001"})
            _try(strategy, OF_A_LEAD, service.address, session, statuses, rejected=False)
        assert service.ask("/livez")[0] == 200
    total = sum(statuses.values())
    print(dict(statuses))
    assert total >= 1400
    assert not any(status >= 500 for status in statuses)
    assert statuses[200] >= 0.3 * total, statuses


def _rejected(path: str, mode: GenerationMode) -> bool:
    """Whether every request must be refused: a batch answers a row with faults in its place, and all others."""
    return mode is BAD and path not in BATCHES


def _try(
    strategy: Any, number: int, address: str, session: requests.Session, statuses: Counter[int], *, rejected: bool
) -> None:
    @settings(
        max_examples=number,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def ask(case: Any) -> None:
        reply = case.call(base_url=address, session=session)
        statuses[reply.status_code] += 1
        case.validate_response(reply, checks=CHECKED)
        assert not rejected or 400 <= reply.status_code < 500, f"taken as good: {reply.status_code}"

    ask()
