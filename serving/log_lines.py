"""What the service writes down about itself: one JSON object a line, never a body, an id, an address or a path."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

_LOGGER = logging.getLogger("propensity.serve")


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": os.getpid(),
            "what": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line, ensure_ascii=False)


def write_lines_to_stderr() -> None:
    """Make this process write its lines; called once, where a worker starts."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    _LOGGER.handlers = [handler]
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False


def note(what: str, /, *, warning: bool = False, **fields: Any) -> None:
    """Write one line. `fields` are counts, versions, durations and names of files of ours, not of people."""
    _LOGGER.log(logging.WARNING if warning else logging.INFO, what, extra={"fields": fields})


def note_fault(what: str, error: BaseException, /, **fields: Any) -> None:
    """Write down a fault of ours: its kind and the lines of code it came through, not its message, which may hold data."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    _LOGGER.error(what, extra={"fields": {"error": type(error).__name__, "through": places[-6:], **fields}})
