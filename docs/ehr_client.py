"""The smallest EHR: finds the services, sends an order with its chart, shows the cards, applies a suggestion, sends feedback.

    python docs/ehr_client.py http://127.0.0.1:8000 [API-KEY]

Standard library only. What an EHR does in earnest is written where this example takes a short cut.
"""

from __future__ import annotations

import json
import sys
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen

Json = dict[str, Any]
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"


class Service:
    """The address of medsafe, and what every call carries."""

    def __init__(self, base: str, key: str = "") -> None:
        self.base = base.rstrip("/")
        # With authentication by JWT, send a fresh token here instead: `Authorization: Bearer ...`, aud = the URL called.
        self.headers = {"Content-Type": "application/json", **({"X-API-Key": key} if key else {})}

    def ask(self, path: str, body: Json | None = None) -> Json:
        """GET, or POST with a body."""
        data = json.dumps(body).encode() if body is not None else None
        with urlopen(Request(self.base + path, data, self.headers), timeout=5) as answer:
            found: Json = json.load(answer)
            return found


def medicine(kind_id: str, status: str, name: str, mg: float, times: int) -> Json:
    """A MedicationRequest."""
    return {
        "resourceType": "MedicationRequest",
        "id": kind_id,
        "status": status,
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"text": name},
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}},
                "route": {"coding": [{"system": SNOMED, "code": "26643006", "display": "Oral"}]},
                "doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg"}}],
            }
        ],
    }


def result(code: str, value: float, unit: str) -> Json:
    """A laboratory result or vital sign of today."""
    return {
        "resourceType": "Observation",
        "id": f"o-{code}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": datetime.now(UTC).date().isoformat(),
        "valueQuantity": {"value": value, "unit": unit},
    }


def bundle(*resources: Json) -> Json:
    """What a search gave. An empty bundle says "looked, and found none"; a key left out says "not looked"."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in resources]}


# An EHR fills every template of the discovery answer: {{context.patientId}} replaced, the search run, the result put here.
CHART: dict[str, Json] = {
    "patient": {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1948-05-17"},
    "medications": bundle(medicine("m1", "active", "morphine", 10, 6)),
    "statements": bundle(),
    "stopped": bundle(),
    "administrations": bundle(),
    "dispenses": bundle(),
    "conditions": bundle(),
    "allergies": bundle(),
    "laboratory": bundle(result("2160-0", 2.6, "mg/dL"), result("1975-2", 0.6, "mg/dL")),
    "vitals": bundle(result("29463-7", 52, "kg")),
    "scores": bundle(),
    "procedures": bundle(),
}


def order_sign(draft: Json, templates: Json) -> Json:
    """The call an EHR makes when a prescriber signs."""
    return {
        "hook": "order-sign",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": bundle(draft)},
        "prefetch": {key: CHART[key] for key in templates if key in CHART},
    }


def show(cards: list[Json]) -> None:
    """Cards as a terminal shows them."""
    for card in cards:
        print(f"[{card['indicator']}] {card['summary']}")
        for suggestion in card.get("suggestions", []):
            print(f"    {'*' if suggestion.get('isRecommended') else '-'} {suggestion['label']}")


def applied(draft: Json, suggestion: Json) -> Json | None:
    """The draft after a suggestion: the updated or new resource, or None where it was removed."""
    offered = [a["resource"] for a in suggestion["actions"] if a["type"] in ("update", "create")]
    return offered[0] if offered else None if suggestion["actions"] else draft


def feedback(card: Json, suggestion: Json | None) -> Json:
    """What became of a card: a suggestion taken, or overridden for a reason from the card's own list."""
    item: Json = {"card": card["uuid"], "outcomeTimestamp": datetime.now(UTC).isoformat(timespec="seconds")}
    if suggestion is not None:
        return {**item, "outcome": "accepted", "acceptedSuggestions": [{"id": suggestion["uuid"]}]}
    reasons = card.get("overrideReasons", [])
    return {**item, "outcome": "overridden", **({"overrideReason": {"reason": reasons[0]}} if reasons else {})}


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    medsafe = Service(*sys.argv[1:3])
    service = next(s for s in medsafe.ask("/cds-services")["services"] if s["hook"] == "order-sign")
    path = f"/cds-services/{service['id']}"
    draft = medicine("d1", "draft", "gabapentin", 600, 3)
    print("Signing gabapentin 600 mg three times a day:")
    cards = medsafe.ask(path, order_sign(draft, service["prefetch"]))["cards"]
    show(cards)
    offered = [(c, s) for c in cards for s in c.get("suggestions", [])]
    card, suggestion = next(((c, s) for c, s in offered if s.get("isRecommended")), offered[0])
    medsafe.ask(f"{path}/feedback", {"feedback": [feedback(card, suggestion)]})
    changed = applied(draft, suggestion)
    if changed is not None:
        print("\nTaking the recommended suggestion and signing again:")
        show(medsafe.ask(path, order_sign(changed, service["prefetch"]))["cards"])


if __name__ == "__main__":
    main()
