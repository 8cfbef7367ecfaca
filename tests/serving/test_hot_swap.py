"""Twenty promotions under load on the real service: no request is lost, and no reply mixes two models."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from features.workspace import load_workspace
from serving.wire import EXAMPLE_LEAD
from training.calibration import Calibrator
from training.registry import open_registry

SWAPS, CALLERS, SOON = 20, 8, 5.0
BODY = json.dumps({**EXAMPLE_LEAD, "attributes": {"job_level": "director"}})


def test_twenty_swaps_under_load_lose_no_request_and_mix_no_models(
    workspace_folder: Path,
    trained: Any,
    register_version: Callable[..., str],
    running: Callable[..., AbstractContextManager[Any]],
) -> None:
    calibrator = Calibrator("platt", low=2.0, high=2.0, shift=1.0)  # clearly other probabilities for the same log-odds
    shifted = dataclasses.replace(trained.bundle.scorer, calibrator=calibrator)
    other = register_version(workspace_folder, dataclasses.replace(trained.bundle, scorer=shifted), champion=False)
    workspace = load_workspace(workspace_folder)
    registry = open_registry(workspace)
    seen: Counter[tuple[str, float]] = Counter()
    failed: list[str] = []
    ended = threading.Event()
    with running(workspace_folder) as service:
        callers = [threading.Thread(target=_call, args=(service.address, ended, seen, failed)) for _ in range(CALLERS)]
        for each in callers:
            each.start()
        delays = []
        for swap in range(SWAPS):
            number = other if swap % 2 == 0 else "1"
            registry.set_champion(number)
            delays.append(_until_all_answer_with(service, number))
        ended.set()
        for each in callers:
            each.join()
    print(f"{sum(seen.values())} requests, swaps seen after {max(delays):.1f} s at most")
    assert failed == []
    assert sum(seen.values()) > 20 * SWAPS
    by_version = {version: {probability for found, probability in seen if found == version} for version in ("1", other)}
    assert len(seen) == 2, by_version
    assert by_version["1"] != by_version[other]
    assert max(delays) < SOON


def _call(address: str, ended: threading.Event, seen: Counter[tuple[str, float]], failed: list[str]) -> None:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    while not ended.is_set():
        try:
            connection.request("POST", "/score", BODY, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            body = reply.read()
        except OSError as error:
            failed.append(type(error).__name__)
            connection.close()
            continue
        if reply.status != 200:
            failed.append(f"{reply.status} {body[:200]!r}")
            continue
        told = json.loads(body)
        seen[told["model"]["version"], told["probability"]] += 1
    connection.close()


def _until_all_answer_with(service: Any, number: str) -> float:
    """Seconds until twelve fresh connections in a row, which both workers take, are answered by a version."""
    begun = time.monotonic()
    in_a_row = 0
    while in_a_row < 12:
        told = json.loads(service.ask("/score", BODY.encode())[2])
        in_a_row = in_a_row + 1 if told["model"]["version"] == number else 0
        assert time.monotonic() - begun < 3 * SOON, f"version {number} does not take over"
    return time.monotonic() - begun
