"""The tables, as the newest migration leaves them. A card's uuid comes from its call and its hazard, never from a patient."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()
# One row for each card sent: so that feedback, which names the uuid only, can be counted for its rule.
CARDS = Table(
    "cards",
    METADATA,
    Column("uuid", String(36), primary_key=True),
    Column("service", String(64), nullable=False),
    Column("rule", String(200), nullable=False),
    Column("hazard", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("indicator", String(16), nullable=False),
    Column("knowledge_version", String(64), nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Index("cards_issued_at", "issued_at"),
)
# One row for each outcome of a card; the same sent again only counts up `times`.
FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("card", String(36), nullable=False),
    Column("service", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("suggestions", Integer, nullable=False),
    Column("reason", String(64)),
    Column("comment", Text),
    Column("outcome_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("times", Integer, nullable=False),
    Index("feedback_card", "card"),
    Index("feedback_received_at", "received_at"),
)
# Alerts shown when an order was selected, so that the same need not be shown at signing; `key` is keyed and one-way.
ALERTS = Table(
    "alerts",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("card", String(36), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("alerts_card", "card"),
    Index("alerts_expires_at", "expires_at"),
)
# Tokens that were used once and must not be used again.
TOKENS = Table(
    "tokens",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("tokens_expires_at", "expires_at"),
)
# A row to write to when asked whether the store still takes what is written.
PULSE = Table(
    "pulse",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("beat_at", DateTime(timezone=True), nullable=False),
)
