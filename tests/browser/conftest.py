"""A real Chromium before the real service over the b2b demo, whose leads have a past."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

SERVE = "import sys; from pathlib import Path; from serving.launch import serve; serve(Path(sys.argv[1]), port=0)"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LEADS = 1_500


@dataclass(frozen=True)
class Site:
    """Where the pages are, and the workspace behind them."""

    address: str
    folder: Path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Ended with its module: while it runs Playwright keeps an event loop, and other tests start their own."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium is installed: pages are not tried in a browser (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder, as `propensity demo --world b2b` leaves it. Not to be changed."""
    folder = tmp_path_factory.mktemp("browser") / "b2b"
    command = "import sys; from serving.cli import main; sys.argv[0] = 'propensity'; main()"
    arguments = ["demo", "--world", "b2b", "--folder", str(folder), "--size", str(LEADS), "--no-serve"]
    done = subprocess.run([sys.executable, "-c", command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@contextmanager
def _serving(folder: Path) -> Iterator[Site]:
    with (
        (folder / "serve.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-c", SERVE, str(folder)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PROPENSITY_API_KEYS": ""},
        ) as process,
    ):
        assert process.stdout is not None
        said = process.stdout.readline()
        assert "Serving on" in said, said + (folder / "serve.log").read_text()
        try:
            yield Site(said.split()[2], folder)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


@pytest.fixture(scope="module")
def site(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages over a copy of the demo that a module's tests may change."""
    folder = tmp_path_factory.mktemp("site") / "b2b"
    shutil.copytree(demo, folder)
    with _serving(folder) as running:
        yield running


@pytest.fixture
def english(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=site.address, locale="en-GB")
    yield context
    context.close()
