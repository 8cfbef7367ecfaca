"""What people send from a page: the fields of a plain HTML form."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from serving.limits import read_body
from serving.problems import Fault, Refused

FORM = "application/x-www-form-urlencoded"
FORM_BYTES = 64 * 1024
MOST_FIELDS = 200


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, each once and in NUL-free text without blanks around it.

    Raises
    ------
    Refused
        415 where it is no form, 413 where it is too large, 422 where a field stands twice or is no UTF-8.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise Refused(415, [Fault("Content-Type", kind or "nothing", FORM)])
    body = await read_body(dict(request.scope["headers"]), request.receive, FORM_BYTES)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:  # UnicodeDecodeError is one too
        raise Refused(422, [Fault("body", "no fields of a form", "a form in UTF-8, as a browser sends it")]) from None
    fields = {name: value.replace("\x00", "").strip() for name, value in pairs}
    if len(fields) != len(pairs):
        raise Refused(422, [Fault("body", "a field that stands twice", "each once")])
    return fields
