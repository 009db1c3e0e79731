"""Orders as EHRs send them (numbers of the conformance table), and what a prescriber is promised beyond its rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fixtures.cds.calls import (
    SELECT,
    SIGN,
    VIEW,
    Json,
    bundle,
    by_topic,
    call,
    cards,
    dosage,
    draft,
    full_prefetch,
    lab,
    not_checked,
    order,
    post,
    view,
)

KETOROLAC = draft("ketorolac 10 mg tablet", "d1", dosage(10, "mg", 4))
WARFARIN = order("warfarin", "m1", dosage(5))


def alerting() -> Json:
    """A call that must give a card."""
    return call(KETOROLAC, prefetch=full_prefetch(WARFARIN))


def outcome(body: Any, service: str = SIGN, tail: str = "") -> tuple[int, str]:
    status, answer = post(body, service, tail)
    assert answer["resourceType"] == "OperationOutcome"
    return status, json.dumps(answer)


# I. Orders


def test_signing_the_end_of_an_order_that_must_not_end_at_once_gives_a_card() -> None:
    """The draft is the order itself with a status that ends it; nothing else is being ordered."""
    baclofen = {**order("baclofen", "m1", dosage(10, "mg", 3)), "authoredOn": "2026-06-01"}
    body = call({**baclofen, "status": "stopped"}, prefetch=full_prefetch(baclofen))
    told = by_topic(cards(body), "withdrawal")
    assert told is not None
    assert "over 1 to 2 weeks" in told["detail"]


def test_signing_the_end_of_an_order_that_may_end_gives_none() -> None:
    paracetamol = order("paracetamol", "m1", dosage(1000, "mg", 3))
    body = call({**paracetamol, "status": "cancelled"}, prefetch=full_prefetch(paracetamol))
    assert [c for c in cards(body) if c["indicator"] != "info"] == []


def test_53_the_draft_orders_are_required() -> None:
    body = call(KETOROLAC)
    del body["context"]["draftOrders"]
    assert outcome(body)[0] == 400


def test_54_orders_that_are_no_medicines_give_no_card() -> None:
    others = [{"resourceType": kind, "id": kind} for kind in ("ServiceRequest", "NutritionOrder", "VisionPrescription")]
    assert post(call(*others)) == (200, {"cards": []})


def test_55_only_the_selected_draft_is_judged_with_the_others_as_context() -> None:
    other = draft("warfarin", "d2", dosage(5))
    body = call(KETOROLAC, other, hook="order-select", selections=["MedicationRequest/d2"])
    listed = cards(body, SELECT)
    assert by_topic(listed, "bleeding") is not None
    assert all("warfarin" in c["summary"].lower() for c in listed if c["indicator"] != "info")


def test_55_selecting_something_else_leaves_a_medicine_beside_it_alone() -> None:
    other = {"resourceType": "NutritionOrder", "id": "n1"}
    body = call(KETOROLAC, other, hook="order-select", selections=["NutritionOrder/n1"])
    assert post(body, SELECT) == (200, {"cards": []})


def test_55_details_that_are_still_to_come_are_no_gap_at_selection_but_are_at_signing() -> None:
    bare = draft("paracetamol", "d1")
    assert "of paracetamol" not in not_checked(call(bare, hook="order-select"), SELECT).split("\n")[0]
    assert "dose and route of paracetamol" in not_checked(call(bare))


def test_56_an_order_signed_again_is_not_its_own_duplicate() -> None:
    renewed = order("ketorolac 10 mg tablet", "d1", dosage(10, "mg", 4))
    assert by_topic(cards(call(KETOROLAC, prefetch=full_prefetch(renewed))), "duplicate-therapy") is None


def test_56_the_same_drug_and_dose_under_another_id_is_a_renewal() -> None:
    renewed = order("ketorolac 10 mg tablet", "m9", dosage(10, "mg", 4))
    assert by_topic(cards(call(KETOROLAC, prefetch=full_prefetch(renewed))), "duplicate-therapy") is None


def test_56_another_dose_under_another_id_is_a_duplicate() -> None:
    other = order("ketorolac 10 mg tablet", "m9", dosage(20, "mg", 4))
    assert "duplicate-therapy" in json.dumps(
        cards(call(KETOROLAC, prefetch=full_prefetch(other)))
    ) or "orders contain it" in json.dumps(cards(call(KETOROLAC, prefetch=full_prefetch(other))))


def test_57_ids_with_their_type_and_typographic_hyphens_are_read() -> None:
    body = call({**KETOROLAC, "id": "draft\u2011rx\u20111"}, prefetch=full_prefetch(WARFARIN))
    body["context"] |= {"patientId": "Patient/p1", "encounterId": "Encounter/e1"}
    card = by_topic(cards(body), "bleeding")
    assert card is not None
    assert "warfarin" in card["summary"].lower()


def test_57_a_reference_to_a_medication_that_was_not_sent_is_named() -> None:
    bare = {
        "resourceType": "MedicationRequest",
        "id": "d1",
        "status": "draft",
        "medicationReference": {"reference": "Medication/7"},
    }
    assert "MedicationRequest/d1 refers to a medication that was not sent" in not_checked(call(bare))


# What a prescriber is promised beyond the rules


def test_a_whole_chart_and_a_harmless_order_give_no_card() -> None:
    assert post(call(draft("paracetamol 500 mg tablet", "d1", dosage(500, "mg", 3)))) == (200, {"cards": []})


def test_a_drug_that_is_not_known_is_the_first_thing_named() -> None:
    first = not_checked(call(draft("Zanzibarol 5 mg tablet"))).split("\n")[0]
    assert first.startswith("Not checked: “Zanzibarol 5 mg tablet”")


def test_what_stands_anyway_is_told_only_when_critical() -> None:
    standing = full_prefetch(WARFARIN, order("ketorolac 10 mg tablet", "m2", dosage(10, "mg", 4)))
    listed = cards(call(draft("paracetamol", "d1", dosage(500, "mg", 2)), prefetch=standing))
    told = by_topic(listed, "bleeding")
    assert told is not None
    assert told["indicator"] == "warning"
    assert "suggestions" not in told


def test_a_hazard_that_the_order_is_part_of_is_louder_than_one_that_stands_anyway() -> None:
    told = by_topic(cards(alerting()), "bleeding")
    assert told is not None
    assert told["indicator"] == "critical"


def renewal(authored: str) -> Json:
    """An order long taken beside warfarin, signed again unchanged."""
    taken = order("verapamil 80 mg tablet", "m2", dosage(80, "mg", 3), authoredOn=authored)
    beside = order("digoxin", "m1", dosage(125, "mcg"), authoredOn=authored)
    return call(draft("verapamil 80 mg tablet", "d1", dosage(80, "mg", 3)), prefetch=full_prefetch(beside, taken))


def test_a_combination_long_taken_is_told_without_interrupting_when_renewed() -> None:
    listed = cards(renewal("2026-01-05"))
    assert {c["indicator"] for c in listed} == {"info"}
    assert "digoxin" in json.dumps(listed)


@pytest.mark.parametrize("authored", ["2026-11-22", "2026-11-10"])
def test_a_combination_of_less_than_two_weeks_still_interrupts(authored: str) -> None:
    assert "warning" in {c["indicator"] for c in cards(renewal(authored))}


def test_an_order_still_in_draft_elsewhere_is_not_taken() -> None:
    waiting = draft("warfarin", "m1", dosage(5))
    assert "warfarin" not in json.dumps(cards(call(KETOROLAC, prefetch=full_prefetch(waiting))))


def test_a_kidney_that_has_failed_since_interrupts_a_renewal_too() -> None:
    name = "hydrochlorothiazide 25 mg tablet"
    prefetch = full_prefetch(order(name, "m2", dosage(25), authoredOn="2020-01-05"))
    prefetch["laboratory"]["entry"][0]["resource"] = lab("2160-0", 3.5, "mg/dL")
    card = by_topic(cards(call(draft(name, "d1", dosage(25)), prefetch=prefetch)), "renal-caution")
    assert card is not None
    assert card["indicator"] == "warning"


def test_a_value_that_the_order_does_not_ask_for_is_no_gap_of_it() -> None:
    beside = order("digoxin", "m1", dosage(125, "mcg"))
    prefetch = full_prefetch(beside)
    prefetch["laboratory"]["entry"] = [
        e for e in prefetch["laboratory"]["entry"] if e["resource"]["code"]["coding"][0]["code"] != "2823-3"
    ]
    harmless = draft("paracetamol 500 mg tablet", "d1", dosage(500, "mg", 3))
    assert post(call(harmless, prefetch=prefetch)) == (200, {"cards": []})
    assert "potassium" in not_checked(call(draft("digoxin", "d1", dosage(125, "mcg")), prefetch=prefetch))


def test_at_most_four_cards_stand_for_findings_of_their_own() -> None:
    many = [
        order(name, f"m{i}", dosage(10))
        for i, name in enumerate(
            ("warfarin", "citalopram", "prednisolone", "furosemide", "ramipril", "lithium", "digoxin", "methotrexate")
        )
    ]
    listed = cards(call(KETOROLAC, prefetch=full_prefetch(*many)))
    own = [c for c in listed if c["source"]["topic"]["code"] not in ("not-checked", "more-findings")]
    assert len(own) == 4
    assert by_topic(listed, "more-findings") is not None


def test_a_subject_that_is_another_patient_is_told() -> None:
    strange = {**KETOROLAC, "subject": {"reference": "Patient/p2"}}
    assert "the order names another patient than the call" in not_checked(call(strange))


def test_opening_the_chart_tells_critical_hazards_of_what_is_taken() -> None:
    taken = full_prefetch(WARFARIN, order("ketorolac 10 mg tablet", "m2", dosage(10, "mg", 4)))
    assert by_topic(cards(view(taken), VIEW), "bleeding") is not None
    assert cards(view(full_prefetch()), VIEW) == []


def test_a_dose_raised_in_a_combination_long_taken_interrupts() -> None:
    body = renewal("2026-01-05")
    raised = draft("verapamil 120 mg tablet", "m2", dosage(120, "mg", 3))
    assert "warning" in {
        c["indicator"] for c in cards({**body, "context": {**body["context"], "draftOrders": bundle(raised)}})
    }
