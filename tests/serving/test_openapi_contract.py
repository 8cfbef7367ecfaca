"""Thousands of made-up requests, good and bad, against the running service: it keeps to what `/openapi.json` says."""

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
from schemathesis.checks import CHECKS

GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
CASES = {
    ("/score", "POST"): (900, 200),
    ("/score_batch", "POST"): (450, 100),
    ("/leads/{id}/score", "GET"): (150, 50),
    ("/leads/{id}", "GET"): (100, 0),
    ("/", "GET"): (100, 0),
    ("/livez", "GET"): (10, 0),
    ("/readyz", "GET"): (10, 0),
    ("/metrics", "GET"): (10, 0),
    ("/openapi.json", "GET"): (10, 0),
}
CHECKED = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)
REFUSED_TOO = CHECKS.get_by_names(["negative_data_rejection"])


def test_thousands_of_requests_are_answered_as_the_document_says(
    trained_once: Path, running: Callable[..., AbstractContextManager[Any]]
) -> None:
    statuses: Counter[int] = Counter()
    with running(trained_once) as service, requests.Session() as session:
        document = schemathesis.openapi.from_url(service.address + "/openapi.json")
        paths = {(path, method.upper()) for path in document for method in document[path]}
        assert paths == set(CASES), "every route is described, and tried"
        for (path, method), numbers in CASES.items():
            for mode, number in zip((GOOD, BAD), numbers, strict=True):
                if number:
                    strategy = document[path][method].as_strategy(generation_mode=mode)
                    _try(strategy, number, service.address, session, statuses, mode)
        assert service.ask("/livez")[0] == 200
    total = sum(statuses.values())
    print(dict(statuses))
    assert total >= 2000
    assert not any(status >= 500 for status in statuses)
    assert statuses[200] >= 0.3 * total, statuses


def _try(
    strategy: Any, number: int, address: str, session: requests.Session, statuses: Counter[int], mode: GenerationMode
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
        checks = [*CHECKED, *REFUSED_TOO] if mode is BAD else CHECKED
        case.validate_response(reply, checks=list(checks))

    ask()
