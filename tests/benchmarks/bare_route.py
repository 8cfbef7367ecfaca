"""The least that a service could do: a Starlette route that reads the body and returns prepared bytes."""

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PREPARED = Path(os.environ["BENCH_PREPARED_REPLY"]).read_bytes()


async def score(request: Request) -> Response:
    await request.body()
    return Response(PREPARED, media_type="application/json")


app = Starlette(routes=[Route("/score", score, methods=["POST"])])
