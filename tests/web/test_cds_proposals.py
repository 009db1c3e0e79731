"""What a prescriber can do about a card with one click, and what must never be offered."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from medsafe.fhir.timing import read_timing
from tests.fixtures.cds.calls import (
    SELECT,
    Json,
    bundle,
    by_topic,
    call,
    cards,
    dosage,
    draft,
    full_prefetch,
    lab,
    order,
)

WARFARIN = order("warfarin", "m1", dosage(5))
SUBJECT = {"subject": {"reference": "Patient/p1"}}
MODELS = {"MedicationRequest": MedicationRequest, "ServiceRequest": ServiceRequest}


def failing_kidneys(*medicines: Json) -> Json:
    """A whole chart with a creatinine clearance of about 25 mL/min."""
    prefetch = full_prefetch(*medicines)
    others = [e["resource"] for e in prefetch["laboratory"]["entry"]]
    kept = [o for o in others if o["code"]["coding"][0]["code"] != "2160-0"]
    return {**prefetch, "laboratory": bundle(*kept, lab("2160-0", 3.5, "mg/dL"))}


def suggestions(body: Json, **more: Any) -> list[Json]:
    return [s for card in cards(body, **more) for s in card.get("suggestions", [])]


def actions(body: Json, kind: str) -> list[Json]:
    return [a for s in suggestions(body) for a in s["actions"] if a["type"] == kind]


GABAPENTIN = draft(
    "gabapentin",
    "d1",
    dosage(600, "mg", 3, text="600 mg three times daily", patientInstruction="one each time"),
    **SUBJECT,
)
EXTENSIONS = {
    "meta": {"tag": [{"system": "urn:x", "code": "y"}]},
    "extension": [{"url": "https://ehr.example.org/x", "valueString": "kept"}],
    "note": [{"text": "kept too"}],
    "priority": "routine",
}


def test_must_32_a_dose_that_fits_the_kidneys_is_an_update_of_the_whole_draft() -> None:
    body = call({**GABAPENTIN, **EXTENSIONS}, prefetch=failing_kidneys())
    (update,) = actions(body, "update")
    resource = update["resource"]
    changed = {"dosageInstruction"}
    assert {k: v for k, v in resource.items() if k not in changed} == {
        k: v for k, v in {**GABAPENTIN, **EXTENSIONS}.items() if k not in changed
    }
    line = resource["dosageInstruction"][0]
    daily = line["timing"]["repeat"]["frequency"] * line["doseAndRate"][0]["doseQuantity"]["value"]
    assert 0 < daily <= 600
    assert line["route"] == GABAPENTIN["dosageInstruction"][0]["route"]


def test_words_that_repeat_the_old_dosage_do_not_survive_a_change() -> None:
    (update,) = actions(
        call(
            {**GABAPENTIN, "text": {"status": "generated", "div": "<div>600 mg x3</div>"}}, prefetch=failing_kidneys()
        ),
        "update",
    )
    assert "three times" not in json.dumps(update["resource"])
    assert "one each time" not in json.dumps(update["resource"])
    assert "div" not in json.dumps(update["resource"])


def test_the_change_is_the_recommended_suggestion_and_stands_first() -> None:
    (card,) = [c for c in cards(call(GABAPENTIN, prefetch=failing_kidneys())) if "suggestions" in c]
    assert [bool(s.get("isRecommended")) for s in card["suggestions"]] == [True, False]
    assert card["selectionBehavior"] == "at-most-one"


def test_the_changed_draft_signed_in_its_place_is_not_warned_about_again() -> None:
    (update,) = actions(call(GABAPENTIN, prefetch=failing_kidneys()), "update")
    again = cards(call(update["resource"], prefetch=failing_kidneys()))
    assert not [c["summary"] for c in again if c["indicator"] != "info"]


def test_a_draft_that_breaks_another_rule_at_any_dose_is_not_offered_at_a_lower_one() -> None:
    morphine = draft("morphine", "d1", dosage(30, "mg", 6), **SUBJECT)
    assert actions(call(morphine, prefetch=failing_kidneys()), "update") == []


@pytest.mark.parametrize(
    "lines",
    [
        [dosage(600, "mg", 1, sequence=1), dosage(900, "mg", 3, sequence=2)],
        [
            {
                **dosage(900, "mg", 3),
                "doseAndRate": [
                    {"doseRange": {"low": {"value": 600, "unit": "mg"}, "high": {"value": 900, "unit": "mg"}}}
                ],
            }
        ],
        [{"text": "900 mg three times a day"}],
    ],
)
def test_a_dosage_that_cannot_be_changed_safely_is_left_alone(lines: list[Json]) -> None:
    body = call(draft("gabapentin", "d1", *lines, **SUBJECT), prefetch=failing_kidneys())
    assert any(c["indicator"] != "info" for c in cards(body))
    assert actions(body, "update") == []
    assert actions(body, "delete")


def test_must_32_a_replacement_deletes_the_draft_and_creates_an_alternative_for_the_same_reason() -> None:
    naproxen = draft(
        "naproxen 500 mg tablet", "d1", dosage(500, "mg", 2), reasonCode=[{"text": "bone pain"}], **SUBJECT
    )
    replacing = [s for s in suggestions(call(naproxen, prefetch=full_prefetch(WARFARIN))) if len(s["actions"]) == 2]
    assert replacing
    for suggestion in replacing:
        delete, create = suggestion["actions"]
        assert (delete["type"], delete["resourceId"]) == ("delete", "MedicationRequest/d1")
        assert create["resource"]["reasonCode"] == [{"text": "bone pain"}]
        assert create["resource"]["medicationCodeableConcept"]["text"]
        assert create["resource"]["medicationCodeableConcept"]["coding"][0]["code"]


def test_an_alternative_signed_instead_gives_no_warning() -> None:
    naproxen = draft(
        "naproxen 500 mg tablet", "d1", dosage(500, "mg", 2), reasonCode=[{"text": "bone pain"}], **SUBJECT
    )
    for create in actions(call(naproxen, prefetch=full_prefetch(WARFARIN)), "create"):
        new = {**create["resource"], "id": "new"}
        assert not [c for c in cards(call(new, prefetch=full_prefetch(WARFARIN))) if c["indicator"] != "info"]


def test_an_opioid_is_never_offered_in_place_of_another_kind_of_medicine() -> None:
    naproxen = draft(
        "naproxen 500 mg tablet", "d1", dosage(500, "mg", 2), reasonCode=[{"text": "bone pain"}], **SUBJECT
    )
    offered = json.dumps(actions(call(naproxen, prefetch=full_prefetch(WARFARIN)), "create"))
    assert not [name for name in ("morphine", "oxycodone", "fentanyl", "methadone", "tramadol") if name in offered]


def test_missing_results_that_block_a_check_can_be_ordered() -> None:
    body = call(draft("digoxin", "d1", dosage(250, "mcg", 1)), prefetch=full_prefetch(labs=()), encounterId="e1")
    card = by_topic(cards(body), "not-checked")
    assert card is not None
    created = [a["resource"] for s in card["suggestions"] for a in s["actions"]]
    assert {"2160-0", "2823-3"} <= {r["code"]["coding"][0]["code"] for r in created}
    assert all(r["subject"] == {"reference": "Patient/p1"} for r in created)
    assert all(r["encounter"] == {"reference": "Encounter/e1"} for r in created)


@pytest.mark.parametrize("laboratory", ["absent", None, {"resourceType": "OperationOutcome"}])
def test_results_that_the_ehr_did_not_send_are_not_ordered_anew(laboratory: Any) -> None:
    prefetch = {k: v for k, v in full_prefetch().items() if k != "laboratory"}
    prefetch |= {} if laboratory == "absent" else {"laboratory": laboratory}
    assert actions(call(draft("digoxin", "d1", dosage(250, "mcg", 1)), prefetch=prefetch), "create") == []


def test_only_the_selected_draft_is_changed_or_removed() -> None:
    body = call(
        draft("ketorolac 10 mg tablet", "d1", dosage(10, "mg", 4)),
        draft("warfarin", "d2", dosage(5)),
        hook="order-select",
        selections=["MedicationRequest/d2"],
    )
    listed = suggestions(body, service=SELECT)
    targets = {a.get("resourceId") for s in listed for a in s["actions"] if a["type"] == "delete"}
    assert targets == {"MedicationRequest/d2"}


def test_what_does_not_interrupt_asks_for_no_click_and_no_reason() -> None:
    renewed = order("ketorolac 10 mg tablet", "d1", dosage(10, "mg", 4), authoredOn="2026-01-01")
    for card in cards(
        call(draft("paracetamol 500 mg tablet", "d9", dosage(500, "mg", 3)), prefetch=full_prefetch(renewed))
    ):
        assert card["indicator"] != "info" or "overrideReasons" not in card


OFFERING = [
    call(GABAPENTIN, prefetch=failing_kidneys()),
    call(
        draft("naproxen 500 mg tablet", "d1", dosage(500, "mg", 2), reasonCode=[{"text": "bone pain"}], **SUBJECT),
        prefetch=full_prefetch(WARFARIN),
    ),
    call(draft("digoxin", "d1", dosage(250, "mcg", 1)), prefetch=full_prefetch(labs=())),
    call(draft("ketorolac 10 mg tablet", "d1", dosage(10, "mg", 4)), prefetch=full_prefetch(WARFARIN)),
]


# The last offers to take the order away, and nothing in its place.
@pytest.mark.parametrize("body", OFFERING[:-1])
def test_must_02_every_resource_offered_is_valid_fhir(body: Json) -> None:
    offered = [a["resource"] for s in suggestions(body) for a in s["actions"] if "resource" in a]
    assert offered
    assert all(MODELS[r["resourceType"]].model_validate(r).get_resource_type() == r["resourceType"] for r in offered)


@pytest.mark.parametrize("body", OFFERING)
def test_every_suggestion_has_its_own_uuid_and_keeps_it(body: Json) -> None:
    first, second = ([s["uuid"] for s in suggestions(body)] for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first) > 0
    assert all(uuid.UUID(value) for value in first)


@pytest.mark.parametrize("body", OFFERING)
def test_at_most_one_suggestion_of_a_card_is_recommended(body: Json) -> None:
    for card in cards(body):
        assert sum(bool(s.get("isRecommended")) for s in card.get("suggestions", [])) <= 1


@pytest.mark.parametrize("repeat", [(1e308, 1), (1, 5e-324), (1441, 1)])
def test_an_impossible_frequency_is_not_known_and_costs_no_time(repeat: tuple[float, float]) -> None:
    frequency, period = repeat
    timing = {"repeat": {"frequency": frequency, "period": period, "periodUnit": "d"}}
    assert not read_timing(timing).known


def test_a_frequency_of_once_a_minute_is_read() -> None:
    assert read_timing({"repeat": {"frequency": 1440, "period": 1, "periodUnit": "d"}}).times_per_day == 1440


def test_an_impossible_number_of_tablets_is_answered_after_few_trials() -> None:
    wild = {**dosage(1, "mg", 4), "doseAndRate": [{"doseQuantity": {"value": 1e40, "code": "{pill}"}}]}
    new = draft("ketorolac 10 mg tablet", "d1", wild)
    assert by_topic(cards(call(new, prefetch=full_prefetch(WARFARIN))), "bleeding")
