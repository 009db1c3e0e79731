"""What is kept of cards, feedback and alerts, and how it is written; every statement works on SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from medsafe.store.tables import ALERTS, CARDS, FEEDBACK, PULSE, TOKENS

# Well below the number of parameters that either database takes in one statement.
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """A card as it was sent; `rule` names the record or mechanism behind it."""

    uuid: str
    service: str
    rule: str
    hazard: str
    severity: str
    indicator: str
    knowledge_version: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class CardFeedback:
    """What became of a card. `card` is "" where the client sent something that is no uuid; `suggestions` are the ids taken."""

    card: str
    service: str
    outcome: str
    suggestions: tuple[str, ...]
    reason: str | None
    comment: str | None
    outcome_at: datetime
    received_at: datetime
    given: str = ""

    def digest(self, secret: bytes) -> str:
        """The same for the same outcome sent again. Keyed, because a client's own text is part of it."""
        return keyed(secret, "feedback", self.service, self.given or self.card, self.outcome, *sorted(self.suggestions))


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert that one clinician saw for one patient, as a key that tells neither; forgotten at `expires_at`."""

    key: str
    card: str
    expires_at: datetime


def keyed(secret: bytes, *parts: str) -> str:
    """A one-way name for some words, which can't be guessed back without the secret of this installation.

    >>> keyed(b"k", "a", "bc") == keyed(b"k", "ab", "c")
    False
    """
    text = b"".join(len(raw := part.encode("utf-8", "surrogatepass")).to_bytes(4, "big") + raw for part in parts)
    return hmac.new(secret, text, hashlib.sha256).hexdigest()


def _insert(connection: Connection, table: Table) -> Any:
    """The dialect's own insert, which knows what to do with a row that is there already."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def _parts(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[i : i + MOST_AT_ONCE] for i in range(0, len(rows), MOST_AT_ONCE))


def write_cards(connection: Connection, cards: Sequence[IssuedCard]) -> None:
    """Keep cards; the same call sent again gives the same uuids and is kept once."""
    for part in _parts(cards):
        connection.execute(_insert(connection, CARDS).on_conflict_do_nothing(), [asdict(card) for card in part])


def write_feedback(connection: Connection, items: Iterable[CardFeedback], secret: bytes) -> None:
    """Keep feedback; what is sent again counts up, and may bring the reason that was missing."""
    for item in items:
        row = {name: value for name, value in asdict(item).items() if name != "given"}
        row |= {"digest": item.digest(secret), "suggestions": len(item.suggestions), "times": 1}
        insert = _insert(connection, FEEDBACK).values(row)
        again = {
            "times": FEEDBACK.c.times + 1,
            "reason": func.coalesce(FEEDBACK.c.reason, insert.excluded.reason),
            "comment": func.coalesce(FEEDBACK.c.comment, insert.excluded.comment),
        }
        connection.execute(insert.on_conflict_do_update(index_elements=["digest"], set_=again))
        if item.outcome == "accepted":
            # Advice that was taken may have changed the order: the alert is shown again at signing.
            connection.execute(delete(ALERTS).where(ALERTS.c.card == item.card))


def write_alerts(connection: Connection, alerts: Iterable[ShownAlert]) -> None:
    """Keep alerts; one shown again is remembered from the later time."""
    for alert in alerts:
        insert = _insert(connection, ALERTS).values(asdict(alert))
        later = {"expires_at": insert.excluded.expires_at, "card": insert.excluded.card}
        connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_=later))


def read_alerts(connection: Connection, keys: Iterable[str], now: datetime) -> frozenset[str]:
    """Those of the keys that are remembered."""
    wanted = select(ALERTS.c.key).where(ALERTS.c.key.in_(list(keys)), ALERTS.c.expires_at > now)
    return frozenset(connection.execute(wanted).scalars())


def take_token(connection: Connection, key: str, expires_at: datetime) -> bool:
    """Whether the token was not used before; it is from now on. The database decides between two who ask at once."""
    insert = _insert(connection, TOKENS).values(key=key, expires_at=expires_at).on_conflict_do_nothing()
    return connection.execute(insert.returning(TOKENS.c.key)).first() is not None


def beat(connection: Connection, now: datetime) -> None:
    """Write something, to know whether writing works."""
    connection.execute(update(PULSE).values(beat_at=now))


def forget_expired(connection: Connection, now: datetime) -> None:
    """Forget alerts and tokens whose time is over."""
    for table in (ALERTS, TOKENS):
        connection.execute(delete(table).where(table.c.expires_at < now))


def prune(connection: Connection, now: datetime, days: int) -> tuple[int, int]:
    """Delete what is older than `days`: (cards, feedback) deleted."""
    before = now - timedelta(days=days)
    cards = connection.execute(delete(CARDS).where(CARDS.c.issued_at < before)).rowcount
    feedback = connection.execute(delete(FEEDBACK).where(FEEDBACK.c.received_at < before)).rowcount
    return cards, feedback


def utc(stamp: datetime) -> datetime:
    """A stored time: SQLite gives it back without its zone."""
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)
