"""Starts the service on BentoML's server and stays until Ctrl-C; what can be found wrong is said before anything starts."""

from __future__ import annotations

import http.client
import ipaddress
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import serving
from features.errors import UsageError
from features.workspace import Workspace, load_workspace
from serving.access import require_access_off_loopback
from serving.handoff_settings import load_handoff_settings
from serving.handoffs_page import channel_words
from serving.keys import KEYS_VARIABLE, PROXY_VARIABLE, read_keys, read_proxy_secret
from serving.people import has_users
from serving.store import open_store

WORKSPACE_VARIABLE = "PROPENSITY_WORKSPACE"
HOST_VARIABLE = "PROPENSITY_HOST"


def serve(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 3000,
    ready: Callable[[str, bool], None] | None = None,
) -> None:
    """Serve a workspace until the process is told to end (Ctrl-C, SIGTERM).

    Parameters
    ----------
    host : an address of this machine, or localhost.
    port : 0 takes a free one.
    ready : called once, from another thread, with the service's address and whether it asks who one is, when it answers;
        without it the address is printed.

    Raises
    ------
    UsageError
        A fault in propensity.toml, handoff.toml or the keys, an address that isn't this machine's, a port that is taken,
        or an address that others reach without being asked who they are.
    """
    workspace = load_workspace(folder)
    keys = read_keys(os.environ.get(KEYS_VARIABLE, ""))
    address = _address(host)
    secret = read_proxy_secret(os.environ.get(PROXY_VARIABLE, ""))
    users = _has_users(workspace)
    require_access_off_loopback(address, keys, proxy_secret=secret, users=users)
    asks = bool(keys or secret or users)
    handoff = channel_words(load_handoff_settings(workspace, os.environ))
    port = _free_port(address, port)
    home = workspace.state_folder / "serve" / str(port)
    _prepare(workspace, home, address)
    from serving.service import Propensity  # BentoML reads its environment when it is imported

    # Workers start here: in a folder of a user, a `serving` of theirs would come first.
    service: Any = Propensity
    service.working_dir = str(Path(serving.__file__).resolve().parent.parent)
    shown = f"http://{'localhost' if host == 'localhost' else _in_url(address)}:{port}"
    ended = threading.Event()
    tell = ready or partial(_print_address, handoff)
    threading.Thread(
        target=_tell_when_ready, args=(address, port, ended, lambda: tell(shown, asks)), daemon=True
    ).start()
    try:
        service.serve_http(host=address, port=port)
    finally:
        ended.set()
        shutil.rmtree(home, ignore_errors=True)


def _has_users(workspace: Workspace) -> bool:
    store = open_store(workspace)
    try:
        with store.reading() as c:
            return has_users(c)
    finally:
        store.close()


def _print_address(handoff: Sequence[str], address: str, asks: bool) -> None:
    who = "asks for a key or a login" if asks else "open to everyone on this machine: no keys or users are set"
    print(f"Serving on {address} ({who}). Ctrl-C ends it.", *handoff, sep="\n", flush=True)


def _prepare(workspace: Workspace, home: Path, address: str) -> None:
    """Set what the workers read. BentoML keeps its counters in `home`, one a service: it empties the folder at start."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    os.environ.update(
        {
            WORKSPACE_VARIABLE: str(workspace.folder),
            HOST_VARIABLE: address,
            "BENTOML_HOME": str(home),
            "BENTOML_DO_NOT_TRACK": "True",
            "BENTOML_QUIET": "True",
        }
    )


def _address(host: str) -> str:
    """The numeric address that BentoML's server wants."""
    bare = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise UsageError(
            f"--host {host}", expected="an address in numbers, such as 127.0.0.1 or 0.0.0.0, or localhost"
        ) from None


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _free_port(address: str, port: int) -> int:
    """The port if nobody listens there; a free one for 0."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OverflowError:
            raise UsageError(f"--port {port}", expected="a number from 0 to 65535") from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UsageError(
                f"port {port} of {address} can't be used: {reason}",
                expected="a port that nobody listens on",
                next_step="end what runs there, or give another one with --port",
            ) from None
        found: int = trial.getsockname()[1]
        return found


def _tell_when_ready(address: str, port: int, ended: threading.Event, tell: Callable[[], None]) -> None:
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    while not ended.is_set():
        connection = http.client.HTTPConnection(reached, port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                tell()
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.2)
