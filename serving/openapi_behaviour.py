"""The part of the OpenAPI document about what happens: leads, events, outcomes, erasure, objection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from serving.wire_behaviour import ErasedLead, Objected, SentEvents, SentLeads, SentOutcomes, Taken

MODELS: tuple[type[BaseModel], ...] = (SentLeads, SentEvents, SentOutcomes, Taken, ErasedLead, Objected)
_TAKES: dict[str, tuple[str, type[BaseModel]]] = {
    "leads": ("Take leads, new or changed", SentLeads),
    "events": ("Take events, each once, and score their leads anew", SentEvents),
    "outcomes": ("Take outcomes", SentOutcomes),
}


def behaviour_paths(
    reference: Callable[[type[BaseModel]], dict[str, str]],
    problems: Callable[..., dict[str, Any]],
    lead_id: dict[str, Any],
) -> dict[str, Any]:
    """Paths by address.

    Parameters
    ----------
    reference : gives the place of a model's schema in the document.
    problems : gives the replies of some statuses.
    lead_id : the parameter of an address.
    """

    def content(model: type[BaseModel], **more: Any) -> dict[str, Any]:
        return {"application/json": {"schema": reference(model), **more}}

    paths: dict[str, Any] = {}
    for name, (summary, sent) in _TAKES.items():
        example = (sent.model_config.get("json_schema_extra") or {})["examples"][0]  # type: ignore[index]
        paths[f"/{name}"] = {
            "post": {
                "operationId": f"add_{name}",
                "summary": summary,
                "requestBody": {"required": True, "content": content(sent, example=example)},
                "responses": {
                    "200": {"description": "What became of each row", "content": content(Taken)},
                    **problems(400, 401, 403, 409, 413, 415, 422),
                },
            }
        }
    paths["/leads/{id}/objection"] = {
        "post": {
            "operationId": "object_to_profiling",
            "summary": "Make no score of a lead from now on",
            "parameters": [lead_id],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object"}, "example": {}}},
            },
            "responses": {
                "200": {"description": "Kept", "content": content(Objected)},
                **problems(401, 403, 404, 415),
            },
        }
    }
    erasure = {
        "operationId": "erase_lead",
        "summary": "Erase all that is kept about a lead; only a keyed hash stays",
        "parameters": [lead_id],
        "responses": {
            "200": {"description": "Erased", "content": content(ErasedLead)},
            **problems(401, 403, 404),
        },
    }
    paths["/leads/{id}"] = {"delete": erasure}
    return paths
