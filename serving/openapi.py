"""`/openapi.json`: the one document of all routes, made of the wire types and of what the champion learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from features.schema import Schema
from serving.incoming import property_kinds
from serving.openapi_behaviour import MODELS, behaviour_paths
from serving.wire import EXAMPLE_LEAD, Batch, Lead, ProblemBody, Score, ScoreBatch

_REF = "#/components/schemas/{model}"
_STATUS_WORDS = {
    400: "The body is not JSON: syntax, a key that stands twice, half a surrogate pair, too deep.",
    401: "No valid key.",
    403: "Not a program on this machine, and no keys are set.",
    404: "The tables hold no such lead.",
    409: "The tables are files, which others write; or what is asked no longer fits how things stand.",
    413: "Over 1 MiB or 10,000 events a lead, 32 MiB or 1,000 leads a batch.",
    415: "Not `application/json`.",
    422: "Fields of the wrong kind, bad times, unknown keys; each is named.",
    503: "The tables are still being read.",
}
EXAMPLE_SCORE: dict[str, Any] = {
    "lead_id": "L-1042", "as_of": "2026-11-20T12:00:00Z", "scored_at": "2026-11-20T12:00:01Z", "horizon": "90d",
    "probability": 0.310, "interval": {"low": 0.232, "high": 0.357}, "score": 31, "percentile": 0.97, "average": 0.06,
    "similar": {"converted": 58, "leads": 200},
    "band": "SQL", "decided_by": "model",
    "cutoffs": {"MQL": {"probability": 0.10, "log_odds": -2.20}, "SQL": {"probability": 0.30, "log_odds": -0.85}},
    "reasons": {
        "for": [
            {"feature": "pricing_page_viewed", "group": "engagement", "value": 3, "log_odds": 1.49, "score_points": 21.9,
             "text": "viewed the pricing page 3 times in the last 7 days", "similar": {"converted": 58, "leads": 200}},
            {"feature": "job_level", "group": "fit", "value": "director", "log_odds": 0.35, "score_points": 7.0,
             "text": "is a director", "similar": None},
        ],
        "against": [], "other_log_odds": 0.11, "base_log_odds": -2.75, "raw_log_odds": -0.80,
    },
    "fit": {"log_odds": 0.35, "grade": "B"}, "engagement": {"log_odds": 1.60, "grade": 1},
    "model": {"name": "b2b", "version": "3", "provisional": False, "calibration": 2}, "agreement": {"version": 1, "signed": True},
    "warnings": [],
}  # fmt: skip


def openapi_document(schema: Schema | None, *, keyed: bool, version: str) -> dict[str, Any]:
    """The document as plain JSON.

    Parameters
    ----------
    schema : of the champion: its attributes and further columns are listed with their types, since a value of another
        type is refused. None while there is no champion.
    keyed : whether a key must be sent.
    version : of this product.
    """
    models: tuple[type[BaseModel], ...] = (Lead, Batch, Score, ScoreBatch, ProblemBody, *MODELS)
    _, together = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    schemas = together["$defs"]
    if schema is not None:
        _tell_columns(schemas["Lead"]["properties"]["attributes"], schema.attributes)
        _tell_columns(schemas["Event"]["properties"]["properties"], property_kinds(schema))
    secured: list[dict[str, list[str]]] = [{"key": []}] if keyed else []
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Propensity",
            "version": version,
            "description": "How likely a lead is to convert within the agreed horizon, why, and what marketing and "
            "sales have agreed to do about it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/score": {"post": _post("score", "Score one lead", Lead, Score, EXAMPLE_LEAD, EXAMPLE_SCORE)},
            "/score_batch": {
                "post": _post(
                    "score_batch",
                    "Score up to 1,000 leads; one that fails is answered in its place",
                    Batch,
                    ScoreBatch,
                    {"leads": [EXAMPLE_LEAD], "lang": "en"},
                    {"scores": [EXAMPLE_SCORE]},
                )
            },
            "/leads/{id}/score": {"get": _lead_score()},
            "/": {"get": _page("queue", "Leads in the order to call", [*_PAGE_LANG, _SEARCH])},
            "/queue.csv": {"get": _page("queue_csv", "The same as a table", [*_PAGE_LANG, _SEARCH], kind="text/csv")},
            "/agreement": {"get": _page("agreement", "What both teams agreed, and a simulator", _PAGE_LANG)},
            "/model": {"get": _page("model", "What the champion learned, and whether it is true", _PAGE_LANG)},
            "/review": {"get": _page("review", "What became of what was handed over", _PAGE_LANG)},
            "/profile": {"get": _page("profile", "What sales-ready leads have in common", _PAGE_LANG)},
            "/login": {"get": _page("login", "Where people log in", _PAGE_LANG)},
            "/leads/{id}": {
                "get": _page("lead", "One lead: its score and why", [_LEAD_ID, _AS_OF, *_PAGE_LANG], missing=True)
            },
            "/livez": {"get": _plain("livez", "The process runs")},
            "/readyz": {"get": _plain("readyz", "The champion is warm and the tables were looked at")},
            "/metrics": {"get": _plain("metrics", "Metrics for Prometheus", guarded=True)},
            "/openapi.json": {"get": _self()},
        },
        "components": {
            "schemas": schemas,
            **({"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}} if keyed else {}),
        },
        "security": secured,
    }
    for path, operations in behaviour_paths(_reference, _problems, _LEAD_ID).items():
        document["paths"].setdefault(path, {}).update(operations)
    for open_path in ("/livez", "/readyz"):
        document["paths"][open_path]["get"]["security"] = []
    return document


def _tell_columns(place: dict[str, Any], kinds: Mapping[str, str]) -> None:
    """List the columns that the model learned; any other name stays allowed, and is ignored."""
    of_kind: dict[str, dict[str, Any]] = {
        "number": {"type": ["number", "null"], "minimum": -1.7e308, "maximum": 1.7e308},
        "category": {"type": ["string", "boolean", "null"], "maxLength": 4096},
        "date": {"type": ["string", "null"], "format": "date-time"},
    }
    table = next(each for each in place["anyOf"] if each.get("type") == "object")
    table["properties"] = {name: of_kind[kind] for name, kind in kinds.items()}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _problems(*statuses: int) -> dict[str, Any]:
    body = {"application/problem+json": {"schema": {"$ref": _REF.format(model="ProblemBody")}}}
    return {str(status): {"description": _STATUS_WORDS[status], "content": body} for status in statuses}


def _post(
    name: str, summary: str, asked: type[BaseModel], told: type[BaseModel], example: Any, answer: Any
) -> dict[str, Any]:
    def content(model: type[BaseModel], value: Any) -> dict[str, Any]:
        return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}, "example": value}}

    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": content(asked, example)},
        "responses": {
            "200": {"description": "Scored", "content": content(told, answer)},
            **_problems(400, 401, 403, 413, 415, 422),
        },
    }


_LEAD_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 256},
    "description": "As the leads table has it.",
}
_AS_OF = {
    "name": "as_of",
    "in": "query",
    "schema": {"type": "string", "format": "date-time", "minLength": 16, "maxLength": 40},
    "description": "The moment that is scored; missing: the newest one of the tables.",
}
_LANG = {"name": "lang", "in": "query", "schema": {"type": "string", "enum": ["en", "ja"]}}
_PAGE_LANG = [
    _LANG,
    {
        "name": "Accept-Language",
        "in": "header",
        "schema": {"type": "string", "pattern": "^[a-zA-Z*-]{1,20}$"},
    },
]
_SEARCH = {
    "name": "search",
    "in": "query",
    "schema": {"type": "string", "maxLength": 200},
    "description": "Part of a name, company, owner or id.",
}


def _lead_score() -> dict[str, Any]:
    answer = {"schema": {"$ref": _REF.format(model="Score")}, "example": EXAMPLE_SCORE}
    return {
        "operationId": "lead_score",
        "summary": "Score one lead of the workspace's tables",
        "parameters": [_LEAD_ID, _AS_OF, _LANG],
        "responses": {
            "200": {"description": "Scored", "content": {"application/json": answer}},
            **_problems(401, 403, 404, 422, 503),
        },
    }


def _page(
    name: str,
    summary: str,
    parameters: list[dict[str, Any]],
    *,
    missing: bool = False,
    kind: str = "text/html",
) -> dict[str, Any]:
    html = {"text/html": {"schema": {"type": "string"}}}
    shown = {"description": "For people", "content": {kind: {"schema": {"type": "string"}}}}
    refused = {str(status): {"description": _STATUS_WORDS[status], "content": html} for status in (422, 503)}
    # a page, or a problem body where it is refused before anybody knows that it is one
    either = {
        status: {**each, "content": {**html, **each["content"]}}
        for status, each in _problems(401, 403, *((404,) if missing else ())).items()
    }
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {"200": shown, **refused, **either},
    }


def _plain(name: str, summary: str, *, guarded: bool = False) -> dict[str, Any]:
    text = {"text/plain": {"schema": {"type": "string"}}}
    refusals = _problems(401, 403) if guarded else {}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": "Yes", "content": text}, **refusals},
    }


def _self() -> dict[str, Any]:
    return {
        "operationId": "openapi",
        "summary": "This document",
        "responses": {
            "200": {
                "description": "OpenAPI 3.1",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **_problems(401, 403),
        },
    }
