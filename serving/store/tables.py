"""The tables of the store. Instants are UTC microseconds; JSON columns hold plain objects.

The first five are the workspace's tables as behaviour happens; `features.tables.store_tables` reads them too. All others
are about what the product said and what people did, and belong to workspaces of files as well.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

_Number = BigInteger().with_variant(Integer, "sqlite")
"""A row's own number; SQLite counts up by itself only in a column of this very type."""


def _number() -> Column[int]:
    return Column("number", _Number, primary_key=True, autoincrement=True)


leads = Table(
    "leads",
    metadata,
    Column("lead_id", String, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("attributes", JSON, nullable=False),  # by name: text, number, true or false; known at created_at
    Column("objected_at", BigInteger),  # objected to profiling: no score is made
)

attribute_changes = Table(
    "attribute_changes",
    metadata,
    _number(),
    Column("lead_id", String, nullable=False, index=True),
    Column("valid_from", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("attributes", JSON, nullable=False),
)

events = Table(
    "events",
    metadata,
    _number(),
    Column("event_id", String),  # null: no id was given; an id counts within its lead, sources number from 1
    Column("lead_id", String, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("event_type", String, nullable=False),
    Column("value", Float),
    Column("channel", String),
    Column("properties", JSON),
    UniqueConstraint("lead_id", "event_id", name="event_once"),
    Index("events_of_lead", "lead_id", "occurred_at"),
)

outcomes = Table(
    "outcomes",
    metadata,
    _number(),
    Column("lead_id", String, nullable=False, index=True),
    Column("occurred_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("outcome", String, nullable=False),
    Column("told", Boolean, nullable=False),  # whether recorded_at was told, or is only taken from occurred_at
    UniqueConstraint("lead_id", "occurred_at", "outcome", name="outcome_once"),
)

facts = Table(  # BANT: entered by people, never inferred; the newest of a fact counts
    "facts",
    metadata,
    _number(),
    Column("lead_id", String, nullable=False, index=True),
    Column("fact", String, nullable=False),  # budget, authority, need, timeline
    Column("known", Boolean, nullable=False),
    Column("note", Text),
    Column("recorded_at", BigInteger, nullable=False),
    Column("by", String, nullable=False),
)

scores = Table(  # how a score went: a row when the band changes, the score moves by a point, or a day has passed
    "scores",
    metadata,
    _number(),
    Column("lead_id", String, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("probability", Float),
    Column("score", Integer, nullable=False),
    Column("band", String),
    Column("decided_by", String, nullable=False),
    Column("model_version", String),
    Column("agreement_version", Integer),
    Index("scores_of_lead", "lead_id", "as_of"),
)

standings = Table(  # where every open lead stands: one row a lead, what the queue is read from
    "standings",
    metadata,
    Column("lead_id", String, primary_key=True),
    Column("as_of", BigInteger, nullable=False),
    Column("probability", Float),
    Column("similar_leads", Integer),  # what its interval is made of; null where there are too few
    Column("similar_converted", Integer),
    Column("score", Integer, nullable=False),
    Column("band", String),  # after hysteresis; null without a valid agreement or a champion
    Column("band_since", BigInteger),
    Column("decided_by", String, nullable=False),
    Column("rule", String),  # the trigger, exclusion or fast-lane event that decided
    Column("grade", String),  # A1 to C3
    Column("stage", String),
    Column("persona", String),
    Column("trend", Integer),  # change of `score` against a week before, null for leads younger than that
    Column("reason_feature", String),
    Column("reason_en", Text),
    Column("reason_ja", Text),
    Column("last_event_at", BigInteger),
    Column("last_event_type", String),
    Column("deadline", BigInteger),  # until when somebody answers; null where nothing waits
    Column("lane", Integer, nullable=False),  # 0 fast lane, 1 SQL, 2 MQL, 3 the others: the first part of the order
    Column("order_deadline", BigInteger, nullable=False),  # `deadline`, far away where null
    Column("order_score", Float, nullable=False),  # -probability; without a champion -points/100
    Column("title", String, nullable=False),  # name, else company, else id
    Column("company", String),
    Column("owner", String),
    Column("search", Text, nullable=False),  # id, title, company, owner in lower case
    Column("state", String, nullable=False),  # waiting, handed_over, accepted, rejected, held_back, too_old
    Column("active_again", Boolean, nullable=False),  # lost before, and acts again
    Column("model_version", String),
    Column("agreement_version", Integer),
    Column("kept_at", BigInteger),  # the moment and the score of the lead's newest row in `scores`
    Column("kept_score", Integer),
    Index("standings_in_order", "lane", "order_deadline", "order_score", "lead_id"),
    Index("standings_by_owner", "owner"),
    Index("standings_counted", "lane", "state"),
)

band_changes = Table(
    "band_changes",
    metadata,
    _number(),
    Column("lead_id", String, nullable=False, index=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("from_band", String),
    Column("to_band", String),
    Column("decided_by", String, nullable=False),
    Column("probability", Float),
    Column("model_version", String),
    Column("agreement_version", Integer),
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("handoff_id", String, primary_key=True),  # also the idempotency key and the webhook's id
    Column("lead_id", String, nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False, index=True),
    Column("as_of", BigInteger, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("rule", String),
    Column("probability", Float),
    Column("deadline", BigInteger),
    Column("held_back", Boolean, nullable=False),  # drawn to measure what hand-off itself brings: nothing is sent
    Column("active_again", Boolean, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("model_version", String),
    Column("agreement_version", Integer),
)

deliveries = Table(  # the outbox: one row a hand-off and channel
    "deliveries",
    metadata,
    _number(),
    Column("handoff_id", String, nullable=False, index=True),
    Column("channel", String, nullable=False),  # webhook, mail
    Column("state", String, nullable=False),  # pending, delivered, dead
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", BigInteger, nullable=False),
    Column("leased_until", BigInteger, nullable=False),
    Column("last_error", Text),  # kind of fault and status, no content
    Column("delivered_at", BigInteger),
    UniqueConstraint("handoff_id", "channel", name="delivery_once"),
    Index("deliveries_due", "state", "next_attempt_at"),
)

feedback = Table(
    "feedback",
    metadata,
    _number(),
    Column("lead_id", String, nullable=False, index=True),
    Column("handoff_id", String),
    Column("at", BigInteger, nullable=False, index=True),
    Column("by", String, nullable=False),
    Column("verdict", String, nullable=False),  # accepted, rejected, contacted, found (by sales, without us)
    Column("reason", String),  # of a rejection: one of `REJECTION_REASONS`
    Column("note", Text),
)

agreements = Table(  # every version that was saved on its page or seen in its file
    "agreements",
    metadata,
    _number(),
    Column("version", Integer, nullable=False),
    Column("saved_at", BigInteger, nullable=False),
    Column("author", String, nullable=False),
    Column("reason", Text),
    Column("content", JSON, nullable=False),
    Column("toml", Text, nullable=False),
    Column("sha256", String, nullable=False, unique=True),
    Column("expected", JSON),  # volumes a week that the backtest gives, and those of the version before
)

users = Table(
    "users",
    metadata,
    Column("name", String, primary_key=True),
    Column("role", String, nullable=False),  # sales, lead, admin
    Column("team", String),  # marketing or sales, of those who sign
    Column("password_hash", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("user", String, nullable=False),
    Column("csrf", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # written now and then, not with every request
    Column("ends_at", BigInteger, nullable=False),
)

login_failures = Table(
    "login_failures",
    metadata,
    _number(),
    Column("who", String, nullable=False, index=True),  # keyed hash of the name or the address
    Column("at", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    _number(),
    Column("at", BigInteger, nullable=False, index=True),
    Column("actor", String, nullable=False),
    Column("role", String, nullable=False),
    Column("action", String, nullable=False),  # sign, save_agreement, accept, reject, erase, object, login, ...
    Column("subject", String),  # keyed hash of a lead's id, or a version
    Column("detail", JSON),
)

tombstones = Table(  # leads that were erased and may not come back
    "tombstones",
    metadata,
    Column("lead_hash", String, primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
)

objections = Table(  # leads that object to profiling, known to us or not: no score is made
    "objections",
    metadata,
    Column("lead_hash", String, primary_key=True),
    Column("objected_at", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("until", BigInteger, nullable=False),
)

settings = Table(  # small things of the store itself: the key of its hashes
    "settings",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
)

OF_A_LEAD = (
    leads,
    attribute_changes,
    events,
    outcomes,
    facts,
    scores,
    standings,
    band_changes,
    handoffs,
    feedback,
)
"""Tables with a `lead_id`: what erasure empties of a lead, deliveries of its hand-offs aside."""

REJECTION_REASONS = (
    "no_budget",
    "no_need",
    "wrong_person",
    "not_reachable",
    "too_early",
    "competitor",
    "student",
    "other",
)
