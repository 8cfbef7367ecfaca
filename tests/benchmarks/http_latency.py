"""``POST /score`` of the real service, beside a bare Starlette route that returns the same bytes and beside MLflow's own server.

All on loopback, with two workers each, asked in turn by the same client in a process of its own. MLflow serves the
registered model, which is given the feature matrix: the features, the reasons and the band are not its work.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

from measuring import HERE, Line, in_own_process
from trained_world import PROPENSITY, environment, trained

WORKERS = 2
CONCURRENCIES = (1, 8)
MOST_SECONDS = 4.0
ROUNDS = 3
"""The sides are asked in turn, so often; each figure is the median of its rounds."""
MOST_REQUESTS = 20_000


def measure(*, quick: bool) -> list[Line]:
    folder, _ = trained(quick)
    with tempfile.TemporaryDirectory(prefix="propensity-bench-") as name:
        scratch = Path(name)
        made = in_own_process("http_latency", "make_bodies", folder=str(folder), scratch=name)
        store = f"sqlite:///{folder.resolve()}/.propensity/mlflow.db"
        ports = {side: free_port() for side in ("ours", "bare", "mlflow")}
        asked = {
            "ours": ("/score", scratch / "lead.json"),
            "bare": ("/score", scratch / "lead.json"),
            "mlflow": ("/invocations", scratch / "matrix.json"),
        }
        port = {side: ["--port", str(each)] for side, each in ports.items()}
        workers = ["--workers", str(WORKERS)]
        uvicorn = ["-m", "uvicorn", "bare_route:app", "--app-dir", str(HERE), "--log-level", "warning"]
        mlflow = ["-m", "mlflow", "models", "serve", "-m", f"models:/{made['model']}/{made['version']}"]
        with ExitStack() as servers:
            start = servers.enter_context
            start(running([*PROPENSITY, "serve", str(folder), *port["ours"]], ports["ours"], "/readyz", {}))
            prepared = scratch / "reply.json"
            prepared.write_bytes(one_reply(ports["ours"], (scratch / "lead.json").read_bytes()))
            further = {"BENCH_PREPARED_REPLY": str(prepared)}
            start(running([sys.executable, *uvicorn, *port["bare"], *workers], ports["bare"], "/score", further))
            served = [
                sys.executable,
                *mlflow,
                "--env-manager",
                "local",
                "--host",
                "127.0.0.1",
                *port["mlflow"],
                *workers,
            ]
            start(running(served, ports["mlflow"], "/ping", {"MLFLOW_TRACKING_URI": store}))
            rounds = [
                {side: [load(ports[side], *asked[side], each, quick) for each in CONCURRENCIES] for side in ports}
                for _ in range(1 if quick else ROUNDS)
            ]
        found = {
            side: [
                {
                    figure: median(each[side][i][figure] for each in rounds)
                    for figure in ("a_second", "p50", "p99", "requests")
                }
                for i in range(len(CONCURRENCIES))
            ]
            for side in ports
        }
    lines = []
    names = {"bare": "bare Starlette, same bytes", "mlflow": "mlflow models serve, features given"}
    for i, concurrency in enumerate(CONCURRENCIES):
        for peer, peer_name in names.items():
            ours, theirs = found["ours"][i], found[peer][i]
            counts = f"{ours['requests']:,.0f} / {theirs['requests']:,.0f} requests a round"
            note = f"{made['events']} events a lead; {WORKERS} workers each; {counts}"
            lines.append(
                Line(
                    what=f"POST /score, concurrency {concurrency}: requests a second",
                    unit="/s",
                    ours=ours["a_second"],
                    peer_name=peer_name,
                    peer=theirs["a_second"],
                    better="high",
                    note=note,
                )
            )
            lines += [
                Line(f"    {each}", "ms", ours=ours[each], peer_name=peer_name, peer=theirs[each])
                for each in ("p50", "p99")
            ]
    return lines


def make_bodies(folder: str, scratch: str) -> dict[str, Any]:
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    os.environ.update(environment())
    import numpy as np
    from trained_world import body_of, told_lead

    from features.compute import compute_features
    from features.moments import Moments
    from features.workspace import load_workspace
    from serving.desk import open_desk
    from serving.serving_model import ServingModel

    desk = open_desk(load_workspace(Path(folder)))
    assert isinstance(desk.model, ServingModel), "training left no champion"
    lead = told_lead(desk.history, desk.history.now)
    (Path(scratch) / "lead.json").write_bytes(body_of(lead))
    position = desk.history.positions(np.array([lead["lead_id"]], dtype=object))
    moment = Moments(position, np.array([desk.history.now]))
    values = compute_features(desk.history, moment, desk.model.bundle.scorer.definitions)
    # missing as 0: MLflow's JSON has no word for NaN
    (Path(scratch) / "matrix.json").write_text(json.dumps({"inputs": np.nan_to_num(values).tolist()}))
    return {"events": len(lead["events"]), "model": desk.model.name, "version": desk.model.version}


def load(port: int, path: str, body: Path, concurrency: int, quick: bool) -> dict[str, Any]:
    return in_own_process(
        "load_generator",
        "generate",
        port=port,
        path=path,
        body_file=str(body),
        concurrency=concurrency,
        most_requests=300 if quick else MOST_REQUESTS,
        most_seconds=MOST_SECONDS,
        warm=20 * concurrency,
    )


def one_reply(port: int, body: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/score", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"/score answered {answer.status}: {content[:1000]!r}")
    return content


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def running(command: Sequence[str], port: int, path: str, further: Mapping[str, str]) -> Iterator[None]:
    """A server in a process group of its own, from when it answers until the end of the block."""
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            command, env={**environment(), **further}, stdout=log, stderr=log, start_new_session=True
        )
        try:
            deadline = time.monotonic() + 120
            while not answers(port, path):
                if server.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(
                        f"{' '.join(command[1:6])} did not start: {log.read()[-2000:].decode(errors='replace')}"
                    )
                time.sleep(0.2)
            time.sleep(4.0)  # the other worker may still be starting
            yield
        finally:
            end(server)


def end(server: subprocess.Popen[bytes]) -> None:
    """The server and its workers, as Ctrl-C would; by force where that isn't enough."""
    with suppress(ProcessLookupError):  # it may have ended by itself
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status in (200, 405)
    except OSError:
        return False
    finally:
        connection.close()
