"""A trained workspace, made once a test run, and the real service over it in processes of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from features.workspace import load_workspace
from features.worlds import make_world
from serving.agreement import AGREEMENT_FILE
from serving.agreement_file import load_agreement
from serving.signatures import TEAMS, sign
from training.bundle import Bundle, load_bundle, save_bundle
from training.registry import open_registry
from training.retrain import retrain

AGREEMENT = """
version = 1
[cutoffs]
mql = 0.10
sql = 0.30
[evidence]
events = 3
[fast_lane.contact_sales]
respond_within = "4h"
counts_for = "14d"
"""
MadeOnce = Callable[[str, Callable[[Path], object]], Path]
SERVE = "import sys; from pathlib import Path; from serving.launch import serve; serve(Path(sys.argv[1]), port=0)"


@dataclass(frozen=True)
class Service:
    """A running service. `ask` gives status, headers and body, whatever the status."""

    address: str
    process: subprocess.Popen[str]

    def ask(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, method: str | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        kind = {} if body is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(
            self.address + path, data=body, headers={**kind, **(headers or {})}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers, refused.read()

    def json(self, path: str, body: Any = None) -> Any:
        status, _, answer = self.ask(path, None if body is None else json.dumps(body).encode())
        assert status == 200, answer
        return json.loads(answer)


@contextmanager
def _running(folder: Path, **environment: str) -> Iterator[Service]:
    """`propensity serve` on a free port, until the block ends; it must end cleanly by Ctrl-C."""
    with (
        (folder / "serve.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-c", SERVE, str(folder)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PROPENSITY_API_KEYS": "", **environment},
        ) as process,
    ):
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            assert "Serving on" in said, said + Path(log.name).read_text()
            yield Service(said.split()[2], process)
        finally:
            process.send_signal(signal.SIGINT)
            ended = process.wait(timeout=30)
    assert ended == 0, Path(log.name).read_text()


@pytest.fixture(scope="session")
def running_once() -> Callable[..., AbstractContextManager[Service]]:
    return _running


@pytest.fixture
def running() -> Callable[..., AbstractContextManager[Service]]:
    return _running


@dataclass(frozen=True, eq=False)
class Trained:
    """A workspace with a champion, version 1, and its bundle to make others of."""

    folder: Path
    bundle: Bundle


@pytest.fixture(scope="session")
def register_version() -> Callable[..., str]:
    return register


@pytest.fixture
def sign_both() -> Callable[[Path], None]:
    return sign_for_both


@pytest.fixture(scope="session")
def trained(made_once: MadeOnce, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A small b2b world with a champion and an agreement that both teams signed. Not to be changed."""
    folder = tmp_path_factory.mktemp("served") / "b2b"
    shutil.copytree(made_once("b2b", _train), folder)
    return Trained(folder, load_bundle(folder / ".propensity" / "bundles" / digest_of(folder)))


def _train(folder: Path) -> None:
    make_world("b2b", folder, size=1500)
    register(folder, retrain(load_workspace(folder)).bundle, champion=True)
    (folder / AGREEMENT_FILE).write_text(AGREEMENT, encoding="utf-8")
    sign_for_both(folder)


def register(folder: Path, bundle: Bundle, *, champion: bool) -> str:
    """Register a bundle as the next version of a workspace's model; its number."""
    workspace = load_workspace(folder)
    registry = open_registry(workspace)
    with tempfile.TemporaryDirectory() as temporary:
        save_bundle(bundle, Path(temporary) / "bundle")
        version = registry.register(Path(temporary) / "bundle", params={}, metrics={})
    if champion:
        registry.set_champion(version.number)
    registry.fetch(version)
    return version.number


def digest_of(folder: Path) -> str:
    workspace = load_workspace(folder)
    champion = open_registry(workspace).champion()
    assert champion is not None
    return champion.digest


def sign_for_both(folder: Path) -> None:
    """Both teams sign the agreement as it stands."""
    workspace, agreement = load_workspace(folder), load_agreement(folder)
    assert agreement is not None
    schema = load_bundle(folder / ".propensity" / "bundles" / digest_of(folder)).scorer.definitions.schema
    for team in TEAMS:
        sign(
            folder, agreement, team=team, name="A. Person", horizon=workspace.horizon, converted=workspace.converted,
            stages=schema.stages, clock=lambda: datetime.now(UTC),
        )  # fmt: skip


@pytest.fixture
def workspace_folder(trained: Trained, tmp_path: Path) -> Path:
    """A workspace of its own for each test: tables and champion copied."""
    folder = tmp_path / "b2b"
    shutil.copytree(trained.folder, folder)
    return folder


@pytest.fixture(scope="session")
def stored(made_once: MadeOnce) -> Path:
    """The trained workspace with its tables in the store. Not to be changed."""
    from serving.load_run import load_folder

    def load(folder: Path) -> None:
        shutil.copytree(made_once("b2b", _train), folder)
        toml = folder / "propensity.toml"
        store = 'store = "sqlite:///.propensity/store.db"'
        toml.write_text(toml.read_text(encoding="utf-8").replace("[tables]", f"[tables]\n{store}"), encoding="utf-8")
        load_folder(folder)

    return made_once("b2b in a store", load)


@pytest.fixture
def store_folder(stored: Path, tmp_path: Path) -> Path:
    """A workspace of its own for each test, whose tables are the store."""
    folder = tmp_path / "b2b"
    shutil.copytree(stored, folder)
    return folder


@pytest.fixture
def eventually() -> Callable[..., float]:
    return _eventually


def _eventually(holds: Callable[[], bool], *, within: float) -> float:
    """Seconds until something holds; fails if it doesn't within the time."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < within, f"not within {within} seconds"
        time.sleep(0.05)
    return time.monotonic() - begun
