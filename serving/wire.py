"""The types that requests and replies are made of. What stands here is also what `/openapi.json` says."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

MOST_EVENTS = 10_000
MOST_LEADS = 1_000
MOST_COLUMNS = 1_000
LEAD_BYTES = 1024 * 1024
BATCH_BYTES = 32 * 1024 * 1024

Language = Literal["en", "ja"]
Name = Annotated[str, Field(min_length=1, max_length=256)]
Time = Annotated[
    str,
    Field(
        min_length=16,
        max_length=40,
        json_schema_extra={"format": "date-time"},
        description="ISO 8601 with Z or an offset. Without one it is read in the workspace's time zone.",
    ),
]


def _cell(value: Any) -> Any:
    """A cell of a table: a finite number, text, true, false or null."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if len(value) > 4096:
            raise PydanticCustomError("cell", "a number, true, false, null or text of at most 4096 characters")
        return value
    if isinstance(value, (int, float)) and abs(value) <= 1.7e308:
        return value
    raise PydanticCustomError("cell", "a finite number, text, true, false or null")


Cell = Annotated[
    float | str | bool | None,
    PlainValidator(_cell),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": -1.7e308, "maximum": 1.7e308},
                {"type": "string", "maxLength": 4096},
                {"type": "boolean"},
                {"type": "null"},
            ]
        }
    ),
]
Cells = Annotated[dict[Name, Cell], Field(max_length=MOST_COLUMNS)]

_STRICT = ConfigDict(extra="forbid", strict=False, allow_inf_nan=False, frozen=True)
"""Strictness sits on the fields: a strict model would refuse the plain objects that JSON is read into."""

Text = Annotated[Name, Field(strict=True)]
Number = Annotated[float, Field(strict=True, ge=-1.7e308, le=1.7e308)]

EXAMPLE_LEAD: dict[str, Any] = {
    "lead_id": "L-1042",
    "created_at": "2026-10-02T09:00:00Z",
    "as_of": "2026-11-20T12:00:00Z",
    "lang": "en",
    "attributes": {"company_size": "201-1000", "job_level": "director"},
    "events": [
        {
            "event_type": "pricing_page_viewed",
            "occurred_at": "2026-11-18T10:12:00Z",
            "channel": "web",
            "value": 1,
            "properties": {"plan": "team"},
        }
    ],
}


class Event(BaseModel):
    """One behaviour of a lead: a page seen, a mail opened, a call booked."""

    model_config = _STRICT

    event_type: Text
    occurred_at: Annotated[Time, Field(strict=True)]
    recorded_at: Annotated[Time, Field(strict=True)] | None = Field(
        None,
        description="When your systems learned of it; missing: at once. Seen only where it lies before `as_of`.",
    )
    event_id: Text | None = Field(None, description="Of events with one id the first recorded counts.")
    value: Number | None = None
    channel: Text | None = None
    properties: Cells | None = Field(
        None, description="Further columns of the events table. Unknown names are ignored."
    )


class Lead(BaseModel):
    """One lead and all that is known of it. Events at or after `as_of` are accepted and not seen."""

    model_config = ConfigDict(**_STRICT, json_schema_extra={"examples": [EXAMPLE_LEAD]})

    lead_id: Text
    created_at: Annotated[Time, Field(strict=True)]
    as_of: Annotated[Time, Field(strict=True)] | None = Field(
        None, description="The moment that is scored, after `created_at`; missing: now."
    )
    lang: Language | None = Field(None, description="Of the sentences; missing: en.")
    attributes: Cells | None = Field(
        None, description="Absent or null is unknown. Unknown names are ignored and listed in `warnings`."
    )
    events: Annotated[list[Event], Field(max_length=MOST_EVENTS)]


class Batch(BaseModel):
    """Up to 1,000 leads. A lead's own `as_of` and `lang` win over the batch's."""

    model_config = ConfigDict(**_STRICT, json_schema_extra={"examples": [{"leads": [EXAMPLE_LEAD], "lang": "en"}]})

    leads: Annotated[list[Lead], Field(max_length=MOST_LEADS)]
    as_of: Annotated[Time, Field(strict=True)] | None = None
    lang: Language | None = None


class Envelope(BaseModel):
    """A batch whose leads are not looked at yet: a lead that fails is answered in its place, not instead of all."""

    model_config = _STRICT

    leads: Annotated[list[Any], Field(max_length=MOST_LEADS)]
    as_of: Annotated[Time, Field(strict=True)] | None = None
    lang: Language | None = None


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Probability = Annotated[float, Field(ge=0, le=1)]


class Similar(_Reply):
    """Of so many leads like this one, so many converted."""

    converted: Annotated[int, Field(ge=0)]
    leads: Annotated[int, Field(ge=1)]


class Interval(_Reply):
    """Where the true rate of leads like this one lies, judged by how the similar ones ended (Wilson, 95%)."""

    low: Probability
    high: Probability


class Reason(_Reply):
    """One topic's share of the score. `score_points` do not add up; `log_odds` do."""

    feature: str
    group: Literal["fit", "engagement"]
    text: str
    value: float | str | None
    log_odds: float | None
    score_points: float
    similar: Similar | None


class Reasons(_Reply):
    """`base_log_odds` + `other_log_odds` + the log-odds of all reasons shown = `raw_log_odds`."""

    for_: list[Reason] = Field(alias="for")
    against: list[Reason]
    other_log_odds: float | None
    base_log_odds: float | None
    raw_log_odds: float | None


class Cutoff(_Reply):
    probability: Probability
    log_odds: float | None = Field(description="null where no score of the model can reach it.")


class Cutoffs(_Reply):
    MQL: Cutoff
    SQL: Cutoff


class Fit(_Reply):
    log_odds: float | None
    grade: Literal["A", "B", "C"] | None


class Engagement(_Reply):
    log_odds: float | None
    grade: Literal[1, 2, 3] | None


class Model(_Reply):
    name: str
    version: str
    provisional: bool = Field(description="Learned from fewer than 120 converted leads.")
    calibration: Annotated[int, Field(ge=1)] | None = Field(
        description="Which living calibration its probabilities follow; null as it left training."
    )


class AgreementName(_Reply):
    version: int
    signed: bool


class Score(_Reply):
    """How likely the lead is to convert within `horizon` of `as_of`, why, and what the agreement says of it."""

    lead_id: str
    as_of: str
    scored_at: str
    horizon: str
    probability: Probability | None = Field(description="Calibrated; null while there is no champion.")
    interval: Interval | None = Field(description="Of the `similar` leads; null where these are.")
    score: Annotated[int, Field(ge=0, le=100)]
    percentile: Probability | None
    average: Probability | None
    similar: Similar | None
    band: Literal["nurture", "MQL", "SQL"] | None
    decided_by: Literal["model", "fast_lane", "too_little_evidence", "no_agreement", "points", "trigger", "excluded"]
    cutoffs: Cutoffs | None
    reasons: Reasons | None
    fit: Fit
    engagement: Engagement
    model: Model | None
    agreement: AgreementName | None
    warnings: list[str]


class FaultBody(_Reply):
    field: str
    found: str
    expected: str


class ProblemBody(_Reply):
    """RFC 9457. `found` says what kind of thing stood in a field, not its content."""

    type: Literal["about:blank"]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    errors: Annotated[list[FaultBody], Field(min_length=1)]
    more_errors: Annotated[int, Field(ge=1)] | None = None


class FailedLead(_Reply):
    """Stands in the place of a lead of a batch that could not be scored."""

    lead_id: str | None
    error: ProblemBody


class ScoreBatch(_Reply):
    scores: list[Score | FailedLead]
