"""What the feedback says: every outcome with the rule behind its card, and the rules that are overridden most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, distinct, func, select

from medsafe.store.records import utc
from medsafe.store.tables import CARDS, FEEDBACK

FIELDS = (
    "received_at",
    "outcome_at",
    "service",
    "rule",
    "hazard",
    "severity",
    "indicator",
    "knowledge_version",
    "outcome",
    "reason",
    "suggestions_taken",
    "times_sent",
    "comment",
    "card",
)
UNKNOWN_RULE = "unknown-card"


def _export_query(since: datetime | None) -> Any:
    found = (
        select(
            FEEDBACK.c.received_at,
            FEEDBACK.c.outcome_at,
            FEEDBACK.c.service,
            func.coalesce(CARDS.c.rule, UNKNOWN_RULE).label("rule"),
            CARDS.c.hazard,
            CARDS.c.severity,
            CARDS.c.indicator,
            CARDS.c.knowledge_version,
            FEEDBACK.c.outcome,
            FEEDBACK.c.reason,
            FEEDBACK.c.suggestions.label("suggestions_taken"),
            FEEDBACK.c.times.label("times_sent"),
            FEEDBACK.c.comment,
            FEEDBACK.c.card,
        )
        .select_from(FEEDBACK.outerjoin(CARDS, CARDS.c.uuid == FEEDBACK.c.card))
        .order_by(FEEDBACK.c.received_at, FEEDBACK.c.digest)
    )
    return found if since is None else found.where(FEEDBACK.c.received_at >= since)


def export(connection: Connection, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """Every outcome since a time, oldest first, with what is known of its card."""
    rows = connection.execute(_export_query(since).execution_options(yield_per=1000))
    for row in rows:
        found: dict[str, Any] = dict(zip(FIELDS, row, strict=True))
        yield {**found, **{name: utc(found[name]).isoformat() for name in ("received_at", "outcome_at")}}


@dataclass(frozen=True, slots=True)
class RuleReport:
    """One rule under one version of the knowledge. A card counts as accepted when any of its suggestions was taken."""

    rule: str
    hazard: str
    severity: str
    knowledge_version: str
    cards: int
    accepted: int
    overridden: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def override_rate(self) -> float | None:
        """Overridden out of those with an outcome; None without any."""
        told = self.accepted + self.overridden
        return self.overridden / told if told else None


def _cards_by_rule(connection: Connection, since: datetime | None) -> dict[tuple[str, str], tuple[int, str, str]]:
    counted = select(
        CARDS.c.rule,
        CARDS.c.knowledge_version,
        func.count(),
        func.max(CARDS.c.hazard),
        func.max(CARDS.c.severity),
    ).group_by(CARDS.c.rule, CARDS.c.knowledge_version)
    counted = counted if since is None else counted.where(CARDS.c.issued_at >= since)
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in connection.execute(counted)}


def _outcomes(connection: Connection, since: datetime | None) -> dict[tuple[str, str], dict[str, int]]:
    """(rule, version) → cards by outcome. A card both overridden and accepted is accepted: the advice was taken in the end."""
    each = (
        select(
            FEEDBACK.c.digest.label("digest"),
            func.coalesce(CARDS.c.rule, UNKNOWN_RULE).label("rule"),
            func.coalesce(CARDS.c.knowledge_version, "").label("version"),
            # What can't be told apart by its uuid counts by itself.
            case((FEEDBACK.c.card == "", FEEDBACK.c.digest), else_=FEEDBACK.c.card).label("card"),
            FEEDBACK.c.outcome.label("outcome"),
        )
        .select_from(FEEDBACK.outerjoin(CARDS, CARDS.c.uuid == FEEDBACK.c.card))
        .where(*([] if since is None else [FEEDBACK.c.received_at >= since]))
        .subquery()
    )
    by_card = (
        select(each.c.rule, each.c.version, each.c.card, func.min(each.c.outcome).label("outcome"))
        .group_by(each.c.rule, each.c.version, each.c.card)
        .subquery()
    )
    counted = select(by_card.c.rule, by_card.c.version, by_card.c.outcome, func.count()).group_by(
        by_card.c.rule, by_card.c.version, by_card.c.outcome
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for rule, version, outcome, count in connection.execute(counted):
        found.setdefault((rule, version), {})[outcome] = count
    return found


def _reasons(connection: Connection, since: datetime | None) -> dict[tuple[str, str], list[tuple[str, int]]]:
    """(rule, version) → reasons for overriding, the commonest first."""
    counted = (
        select(
            func.coalesce(CARDS.c.rule, UNKNOWN_RULE),
            func.coalesce(CARDS.c.knowledge_version, ""),
            func.coalesce(FEEDBACK.c.reason, "none-given"),
            func.count(distinct(FEEDBACK.c.digest)),
        )
        .select_from(FEEDBACK.outerjoin(CARDS, CARDS.c.uuid == FEEDBACK.c.card))
        .where(and_(FEEDBACK.c.outcome == "overridden", *([] if since is None else [FEEDBACK.c.received_at >= since])))
        .group_by(CARDS.c.rule, CARDS.c.knowledge_version, FEEDBACK.c.reason)
    )
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for rule, version, reason, count in connection.execute(counted):
        found.setdefault((rule, version), []).append((reason, count))
    return {key: sorted(listed, key=lambda r: (-r[1], r[0])) for key, listed in found.items()}


def report(connection: Connection, since: datetime | None = None) -> list[RuleReport]:
    """Every rule that gave a card or had feedback, the most often overridden first."""
    cards = _cards_by_rule(connection, since)
    outcomes, reasons = _outcomes(connection, since), _reasons(connection, since)
    found = []
    for rule, version in sorted({*cards, *outcomes}):
        count, hazard, severity = cards.get((rule, version), (0, "", ""))
        told = outcomes.get((rule, version), {})
        accepted, overridden = told.get("accepted", 0), told.get("overridden", 0)
        why = tuple(reasons.get((rule, version), ()))
        found.append(RuleReport(rule, hazard, severity, version, count, accepted, overridden, why))
    return sorted(found, key=lambda r: (-r.overridden, -(r.override_rate or 0), r.rule, r.knowledge_version))
