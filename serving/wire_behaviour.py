"""What programs send as it happens: leads, events and outcomes, in batches; and what became of each row."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.wire import Cells, FaultBody, Number, Text, Time
from serving.wire_reading import read_as

MOST_ROWS = 1_000
ROWS_BYTES = 8 * 1024 * 1024

_STRICT = ConfigDict(extra="forbid", strict=False, allow_inf_nan=False, frozen=True)
_When = Annotated[Time, Field(strict=True)]


class SentLead(BaseModel):
    """A lead, new or with attributes that changed. What is sent again and differs counts from now on."""

    model_config = _STRICT

    lead_id: Text
    created_at: _When | None = Field(None, description="Missing: now.")
    attributes: Cells | None = Field(None, description="Absent or null says nothing: what was known stays.")


class SentEvent(BaseModel):
    """One behaviour. Late and out-of-order events are welcome; when we learned of it is set by us."""

    model_config = _STRICT

    lead_id: Text
    event_type: Text
    occurred_at: _When
    event_id: Text | None = Field(None, description="Sent again under the same id it is not counted twice.")
    value: Number | None = None
    channel: Text | None = None
    properties: Cells | None = None


class SentOutcome(BaseModel):
    """How a lead ended. The value that the workspace names as converted is one; any other is a loss."""

    model_config = _STRICT

    lead_id: Text
    outcome: Text
    occurred_at: _When


class SentLeads(BaseModel):
    model_config = ConfigDict(
        **_STRICT,
        json_schema_extra={
            "examples": [{"leads": [{"lead_id": "L-1042", "created_at": "2026-10-02T09:00:00Z", "attributes": {}}]}]
        },
    )
    leads: Annotated[list[SentLead], Field(max_length=MOST_ROWS)]


class SentEvents(BaseModel):
    model_config = ConfigDict(
        **_STRICT,
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {
                            "event_id": "e-7f3a",
                            "lead_id": "L-1042",
                            "event_type": "pricing_page_viewed",
                            "occurred_at": "2026-11-18T10:12:00Z",
                            "channel": "web",
                        }
                    ]
                }
            ]
        },
    )
    events: Annotated[list[SentEvent], Field(max_length=MOST_ROWS)]


class SentOutcomes(BaseModel):
    model_config = ConfigDict(
        **_STRICT,
        json_schema_extra={
            "examples": [
                {"outcomes": [{"lead_id": "L-1042", "outcome": "converted", "occurred_at": "2026-11-20T12:00:00Z"}]}
            ]
        },
    )
    outcomes: Annotated[list[SentOutcome], Field(max_length=MOST_ROWS)]


class RowResult(BaseModel):
    """What became of one row.

    `accepted`: kept. `changed`: attributes that differ count from now on. `repeated`: was here already. `refused`: has
    faults, which are named. `erased`: the lead was erased and does not come back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Literal["accepted", "changed", "repeated", "refused", "erased"]
    known_lead: bool | None = Field(None, description="false: an event that waits for its lead to be sent.")
    errors: list[FaultBody] | None = None


class Taken(BaseModel):
    """The rows in the order sent, and how many of each kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accepted: Annotated[int, Field(ge=0)]
    changed: Annotated[int, Field(ge=0)]
    repeated: Annotated[int, Field(ge=0)]
    refused: Annotated[int, Field(ge=0)]
    erased: Annotated[int, Field(ge=0)]
    results: list[RowResult]


class ErasedLead(BaseModel):
    """What was erased of a lead, and which tables of yours still name it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    erased: bool = Field(description="Whether we kept anything about it.")
    wiped: bool = Field(description="false: someone read the store for too long; ask once more.")
    yours: list[str] = Field(description="Files that you own and that the lead may still stand in.")


class Objected(BaseModel):
    """From now on no score is made of the lead."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    objected: Literal[True]


class _LeadRows(BaseModel):
    model_config = _STRICT
    leads: Annotated[list[Any], Field(max_length=MOST_ROWS)]


class _EventRows(BaseModel):
    model_config = _STRICT
    events: Annotated[list[Any], Field(max_length=MOST_ROWS)]


class _OutcomeRows(BaseModel):
    model_config = _STRICT
    outcomes: Annotated[list[Any], Field(max_length=MOST_ROWS)]


_ENVELOPES: dict[str, type[BaseModel]] = {"leads": _LeadRows, "events": _EventRows, "outcomes": _OutcomeRows}
"""A batch's rows are not looked at with it: one that fails is answered in its place, and the others are taken."""


def read_rows(value: Any, name: str) -> list[Any]:
    """The rows of `{"leads": [...]}` and its like, not looked at yet; `Refused` where the envelope has faults."""
    return list(getattr(read_as(_ENVELOPES[name], value), name))
