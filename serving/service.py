"""The BentoML service: which part answers what, and nothing else."""

from __future__ import annotations

import os
import time
from typing import Any, cast

import bentoml

from features.workspace import load_workspace
from serving.door import Door
from serving.handoff_settings import load_handoff_settings
from serving.keys import KEYS_VARIABLE, PROXY_VARIABLE, read_keys, read_proxy_secret
from serving.launch import HOST_VARIABLE, WORKSPACE_VARIABLE
from serving.log_lines import write_lines_to_stderr
from serving.office import Office
from serving.own_machine import is_loopback
from serving.routes import routes
from serving.wire import Batch, Envelope, Lead, Score, ScoreBatch


@bentoml.service(
    name="propensity",
    workers=2,
    threads=2,
    traffic={"timeout": 120},
    # Both would write down and label by the path as it was called, which holds a lead's id: we count and write our own.
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
)
class Propensity:
    """How likely a lead is to convert within the agreed horizon, why, and what marketing and sales agreed to do."""

    def __init__(self) -> None:
        write_lines_to_stderr()
        workspace = load_workspace(os.environ[WORKSPACE_VARIABLE])
        self.office = Office(
            workspace,
            read_keys(os.environ.get(KEYS_VARIABLE, "")),
            clock=lambda: time.time_ns() // 1000,
            proxy_secret=read_proxy_secret(os.environ.get(PROXY_VARIABLE, "")),
            open_on_loopback=is_loopback(os.environ.get(HOST_VARIABLE, "127.0.0.1")),
            handoff=load_handoff_settings(workspace, os.environ),
        )
        self.office.open()

    @bentoml.api(route="/score")  # type: ignore[untyped-decorator]
    def score(self, lead: Lead, /) -> Score:
        """Score one lead."""
        return Score.model_validate(self.office.answers.score(lead))

    @bentoml.api(route="/score_batch")  # type: ignore[untyped-decorator]
    def score_batch(self, batch: Batch, /) -> ScoreBatch:
        """Score up to 1,000 leads; one that fails is answered in its place."""
        envelope = Envelope(leads=list(batch.leads), as_of=batch.as_of, lang=batch.lang)
        return ScoreBatch.model_validate(self.office.answers.score_batch(envelope))

    def __is_ready__(self) -> bool:
        return self.office.ready

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        self.office.close()


def _office() -> Any:
    return bentoml.get_current_service().office


cast(Any, Propensity).add_asgi_middleware(Door, desk=_office)
cast(Any, Propensity).mount_asgi_app(routes(_office), path="/")
