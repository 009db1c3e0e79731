"""What is remembered of an answer to a CDS call: which rule stands behind each card, and which alerts were shown.

Nothing of it waits for the store, but the question which alerts were shown before; that is asked only on a request's own
wish, and answered "none" where the store can't say in time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import current_app

from medsafe.fhir.cards import Call
from medsafe.fhir.repeats import asked_for, whose
from medsafe.fhir.services import CdsService
from medsafe.fhir.shape import Json, mapping, words
from medsafe.model.findings import Finding, Review
from medsafe.model.statements import Severity
from medsafe.settings import Settings
from medsafe.store.records import IssuedCard, ShownAlert, keyed
from medsafe.store.store import Store


def store() -> Store | None:
    """The store of this application; none where the operator keeps nothing."""
    found: Store | None = current_app.extensions.get("medsafe.store")
    return found


def settings() -> Settings:
    found: Settings = current_app.extensions["medsafe.settings"]
    return found


def shown_before(service: CdsService, call: Json, review: Review, name: Call) -> tuple[Finding, ...]:
    """The findings that this clinician was told of when the order was selected, where the call asks not to repeat them."""
    kept = store()
    if kept is None or service.hook != "order-sign":
        return ()
    findings = {name.uuid(finding.id): finding for finding in review.findings}
    keys = _alert_keys(service, call, findings, kept.secret)
    seen = kept.seen_alerts(keys.values()) if keys else frozenset()
    return tuple(finding for card, finding in findings.items() if keys.get(card) in seen)


def remember(service: CdsService, call: Json, cards: list[Json], review: Review, name: Call) -> None:
    """Note which rule each card came from, and at selection which alerts were shown, where the call asks for that."""
    kept = store()
    if kept is None:
        return
    findings = {name.uuid(finding.id): finding for finding in review.findings}
    kept.keep(
        [_issued(card, findings.get(card.get("uuid", "")), service, review) for card in cards if card.get("uuid")]
    )
    if service.hook == "order-select":
        keys = _alert_keys(service, call, findings, kept.secret)
        forget = datetime.now(UTC) + timedelta(minutes=settings().repeat_minutes)
        kept.keep([ShownAlert(keys[card["uuid"]], card["uuid"], forget) for card in cards if card.get("uuid") in keys])


def _issued(card: Json, finding: Finding | None, service: CdsService, review: Review) -> IssuedCard:
    """A card that stands for no single finding goes by its topic."""
    topic = words(mapping(mapping(card.get("source")).get("topic")).get("code"))
    rule, hazard, severity = (
        (finding.rule or finding.kind, finding.hazard, finding.severity.label) if finding else (topic, topic, "none")
    )
    version = str(review.knowledge.get("version", ""))
    when = datetime.now(UTC)
    return IssuedCard(
        card["uuid"], service.id, rule[:200], hazard[:64], severity, card["indicator"], version[:64], when
    )


def _alert_keys(service: CdsService, call: Json, findings: dict[str, Finding], secret: bytes) -> dict[str, str]:
    """Card → key of its alert: clinician, patient, encounter, rule and what is shown, so that a change is shown again.

    Empty where the call does not ask for it, or does not say in its context who asks about whom. What is contraindicated
    is never left out.
    """
    asked, who = asked_for(call), whose(call)
    wanted = {"order-select": asked.remember, "order-sign": asked.leave_out}.get(service.hook, False)
    if not wanted or who is None or not settings().repeat_minutes:
        return {}
    return {
        uuid: keyed(secret, "alert", *who, f.rule, f.hazard, f.severity.label, f.summary, *sorted(f.drugs))
        for uuid, f in findings.items()
        if f.severity < Severity.CRITICAL
    }
