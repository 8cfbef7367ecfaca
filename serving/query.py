"""What an address asks for: the lead in its path, the moment and the language in its query."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from features.wording import LANGS, Lang
from serving.incoming import TIME, instant
from serving.problems import Fault, Refused, kind_of

_OFFSET_AFTER_SPACE = re.compile(r" (?=[0-9]{2}:?[0-9]{2}$)")


PARTS_OF_A_LEAD = ("score", "feedback", "facts", "objection")
"""What stands below `/leads/{id}`."""


def lead_of(raw_path: bytes) -> tuple[str, str]:
    """The lead's id in `/leads/{id}` or `/leads/{id}/score` and its like, and the part below it, "" for the lead itself.

    Read from the path as it was sent: an id may hold a slash of its own, as %2F.

    >>> lead_of(b"/leads/a%2Fscore"), lead_of(b"/leads/%E5%B1%B1/score")
    (('a/score', ''), ('山', 'score'))
    """
    parts = raw_path.partition(b"?")[0].split(b"/")[2:]
    try:
        names = [unquote_to_bytes(part).decode() for part in parts]
    except UnicodeDecodeError:
        raise Refused(404, [Fault("id", "bytes that are no UTF-8", "a lead_id of the leads table")]) from None
    if len(names) == 2 and names[1] in PARTS_OF_A_LEAD and names[0]:
        return names[0], names[1]
    if len(names) == 1 and names[0]:
        return names[0], ""
    raise Refused(404, [Fault("path", "an address without anything", "/leads/{id} or /leads/{id}/score")])


def one_each(request: Request, known: tuple[str, ...], *, strict: bool) -> dict[str, str]:
    """Query parameters, each at most once; unknown ones are refused where programs ask, and left to people's browsers."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            if strict:
                raise Refused(
                    422,
                    [Fault(name or "query", "a parameter that is not known", "one of " + ", ".join(known))],
                )
            continue
        if name in found:
            raise Refused(422, [Fault(name, "a parameter that stands twice", "each once")])
        found[name] = value
    return found


def moment_of(text: str | None, zone: str) -> int | None:
    """The moment that a query asks for. A plus sign, which a query turns into a space, is put back."""
    if text is None:
        return None
    found = instant(_OFFSET_AFTER_SPACE.sub("+", text), zone)
    if found is None:
        raise Refused(422, [Fault("as_of", kind_of(text), TIME)])
    return found


def language_of(text: str | None) -> Lang:
    """The language that a query asks for, English where it doesn't say."""
    for known in LANGS:
        if text == known:
            return known
    if text is not None:
        raise Refused(422, [Fault("lang", kind_of(text), "en or ja")])
    return "en"
