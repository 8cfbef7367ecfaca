"""A simple client that keeps connections open and asks one thing again and again, for a count and a time at most.

In a process of its own, the same for all sides; it reads no more of HTTP than status and length, so that it costs little.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np


def generate(
    port: int,
    concurrency: int,
    most_requests: int,
    most_seconds: float,
    warm: int,
    path: str = "",
    body_file: str = "",
    gets: Sequence[str] = (),
    bodies_file: str = "",
) -> dict[str, Any]:
    """Ask on loopback: ``POST path`` with a body, or with each of some bodies in turn, or ``GET`` some paths in turn.

    Returns
    -------
    requests a second, 50th and 99th percentile in milliseconds, number of requests; any answer but 200 is an error.
    """
    requests = [f"GET {each} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode() for each in gets]
    if bodies_file:
        requests += [_post(port, path, each.encode()) for each in Path(bodies_file).read_text().splitlines()]
    elif body_file:
        requests.append(_post(port, path, Path(body_file).read_bytes()))
    return asyncio.run(_all(port, cycle(requests), concurrency, most_requests, most_seconds, warm))


def _post(port: int, path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _all(
    port: int, requests: Iterator[bytes], concurrency: int, most: int, seconds: float, warm: int
) -> dict[str, Any]:
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(concurrency)]
    left = [warm]
    await asyncio.gather(*(_ask(*each, requests, left, perf_counter() + seconds, []) for each in connections))
    taken: list[float] = []
    left, started = [most], perf_counter()
    await asyncio.gather(*(_ask(*each, requests, left, started + seconds, taken) for each in connections))
    passed = perf_counter() - started
    for _, writer in connections:
        writer.close()
    p50, p99 = np.quantile(taken, [0.5, 0.99]) * 1e3
    return {"a_second": len(taken) / passed, "p50": p50, "p99": p99, "requests": len(taken)}


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    requests: Iterator[bytes],
    left: list[int],
    until: float,
    taken: list[float],
) -> None:
    while left[0] > 0 and perf_counter() < until:
        left[0] -= 1
        started = perf_counter()
        writer.write(next(requests))
        acknowledge_at_once(writer)
        answer = await reader.readuntil(b"\r\n\r\n")
        lines = answer.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), None)
        if length is not None:
            content = await reader.readexactly(length)
        else:
            content = await _chunks(reader)
        if b" 200 " not in lines[0] + b" ":
            raise RuntimeError(f"{lines[0]!r}: {content[:500]!r}")
        taken.append(perf_counter() - started)


def acknowledge_at_once(writer: asyncio.StreamWriter) -> None:
    """Else a server that sends head and body apart without TCP_NODELAY, as uvicorn with several workers does, waits 40 ms
    for each delayed acknowledgement: that would flatter us. The option lasts for one exchange (Linux only)."""
    if hasattr(socket, "TCP_QUICKACK"):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    content = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        content += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
    return content
