from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest

from serving.access import Access
from serving.door import Door
from serving.limits import Disconnected, read_body, require_json
from serving.metrics import Metrics
from serving.permissions import route_of
from serving.problems import Refused
from serving.strict_json import parse_json

KEY = "a-key-of-20-letters."


class Desk:
    """Answers with what it was sent, or fails as it is told to."""

    def __init__(self, *keys: str) -> None:
        self.access = Access.by_keys(keys)
        self.metrics = Metrics()

    def score_body(self, body: bytes) -> bytes:
        if body == b'"break"':
            raise RuntimeError("secret of a lead")
        return json.dumps({"told": parse_json(body)}).encode()

    def score_batch_body(self, body: bytes) -> bytes:
        return b"{}"


def ask(
    desk: Desk, path: str, *parts: bytes, method: str = "POST", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """What comes back through the door; behind it everything answers 204."""
    sent = {"host": "localhost", "content-type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http",
        "path": path,
        "method": method,
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }
    messages: list[MutableMapping[str, Any]] = []
    body: Iterator[bytes] = iter(parts)
    left = len(parts)

    async def receive() -> MutableMapping[str, Any]:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": next(body, b""), "more_body": left > 0}

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    asyncio.run(Door(behind, desk=lambda: desk)(scope, receive, send))
    start = messages[0]
    return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, messages[1]["body"]


def test_a_score_is_answered_at_the_door() -> None:
    status, headers, body = ask(Desk(), "/score", b'{"a"', b": 1}")
    assert (status, json.loads(body)) == (200, {"told": {"a": 1}})
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"


def test_everything_else_is_answered_behind() -> None:
    assert ask(Desk(), "/livez", method="GET")[0] == 204
    assert ask(Desk(), "/score", method="GET")[0] == 204


def test_a_refusal_is_a_problem_body_that_names_the_field() -> None:
    status, headers, body = ask(Desk(), "/score", b'{"a": 1, "a": 2}')
    assert (status, headers["content-type"]) == (400, "application/problem+json")
    assert json.loads(body)["errors"] == [
        {"field": "a", "found": "a key that stands twice", "expected": "each key once"}
    ]


def test_without_its_key_nothing_is_read() -> None:
    assert ask(Desk(KEY), "/score", b"{}")[0] == 401
    assert ask(Desk(KEY), "/score", b"{}", authorization=f"Bearer {KEY}")[0] == 200


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 3 * 1024 * 1024])
def test_a_body_over_the_limit_is_refused_whether_its_length_is_told_or_not(size: int) -> None:
    status, headers, _ = ask(Desk(), "/score", b" " * size, content_length=str(size))
    assert (status, headers["connection"]) == (413, "close")
    assert ask(Desk(), "/score", b" " * (size // 2), b" " * (size - size // 2))[0] == 413
    assert ask(Desk(), "/score_batch", b" " * size)[0] == 200


def test_a_fault_of_ours_says_nothing_of_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    status, _, body = ask(Desk(), "/score", b'"break"')
    assert status == 500
    assert b"secret" not in body
    assert "secret" not in caplog.text


def test_requests_are_counted_by_route_and_never_by_path() -> None:
    desk = Desk()
    ask(desk, "/leads/L-1042/score", method="GET")
    ask(desk, "/L-1042", method="PROPFIND")
    page = desk.metrics.page(tables_age=None).decode()
    assert "L-1042" not in page
    assert 'method="GET",route="/leads/{id}/score",status="204"' in page
    assert 'method="other",route="other"' in page


@pytest.mark.parametrize(
    ("path", "route"),
    [("/", "/"), ("/leads/a", "/leads/{id}"), ("/leads/a/score", "/leads/{id}/score"), ("/x", "other")],
)
def test_a_path_belongs_to_a_route(path: str, route: str) -> None:
    assert route_of(path) == route


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
def test_json_is_taken(kind: str) -> None:
    require_json({b"content-type": kind.encode()})


@pytest.mark.parametrize(
    "kind",
    [
        "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp",
        "application/json; charset=utf-16", "application/vnd.bentoml+pickle", "application/xml",
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused(kind: str) -> None:
    with pytest.raises(Refused) as caught:
        require_json({b"content-type": kind.encode()})
    assert (caught.value.status, caught.value.faults[0].field) == (415, "Content-Type")


def test_a_compressed_body_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        require_json({b"content-type": b"application/json", b"content-encoding": b"gzip"})
    assert caught.value.status == 415


def test_a_caller_who_went_away_is_not_answered() -> None:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(Disconnected):
        asyncio.run(read_body({}, receive, 10))
