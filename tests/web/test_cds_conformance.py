"""Our answers against the rules of CDS Hooks 2.0; each test is named by the number of the rule in our checklist."""

from __future__ import annotations

import json
import re
import uuid
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
    cds_client,
    dosage,
    draft,
    everything,
    full_prefetch,
    not_checked,
    order,
    payload,
    post,
    view,
)

KETOROLAC = draft("ketorolac 10 mg tablet", "d1", dosage(10, "mg", 4))
WARFARIN = order("warfarin", "m1", dosage(5))
ANSWERED = [
    (payload("01"), SELECT),
    (payload("02"), SIGN),
    (payload("03"), SIGN),
    (payload("08"), SIGN),
    (payload("12"), SIGN),
    (call(KETOROLAC, prefetch=full_prefetch(WARFARIN)), SIGN),
    (view(full_prefetch(WARFARIN, order("ketorolac", "m2", dosage(10, "mg", 4)))), VIEW),
]


def alerting() -> Json:
    """A call that must give a card."""
    return call(KETOROLAC, prefetch=full_prefetch(WARFARIN))


every_answer = pytest.mark.parametrize(("body", "service"), ANSWERED)


def discovery() -> list[Json]:
    answer = cds_client().get("/cds-services")
    assert answer.status_code == 200
    found: list[Json] = answer.get_json()["services"]
    return found


def outcome(body: Any, service: str = SIGN, tail: str = "") -> tuple[int, str]:
    status, answer = post(body, service, tail)
    assert answer["resourceType"] == "OperationOutcome"
    return status, json.dumps(answer)


# A. JSON in general


@every_answer
def test_must_01_nothing_is_null_or_empty(body: Json, service: str) -> None:
    listed = cards(body, service)
    assert not [value for card in listed for value in everything(card) if value in (None, "", [], {})]


def test_must_01_discovery_holds_nothing_null_or_empty() -> None:
    assert not [value for service in discovery() for value in everything(service) if value in (None, "", [], {})]


def test_03_unknown_keys_anywhere_are_no_reason_to_refuse() -> None:
    odd = {"user": "x", "applyCql": True, "extension": {"org.example": {"a": [None]}}, "unheard": {"of": []}}
    body = {**alerting(), **odd}
    body["context"] |= odd
    assert cards(body) == cards(alerting())


# B. Discovery


def test_must_04_discovery_stands_at_cds_services() -> None:
    answer = cds_client().get("/cds-services")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert isinstance(answer.get_json()["services"], list)


def test_must_05_every_service_has_hook_description_and_id() -> None:
    for service in discovery():
        assert {"hook", "description", "id", "title", "usageRequirements", "prefetch"} <= service.keys()
        assert all(isinstance(template, str) for template in service["prefetch"].values())


def test_must_05_the_id_is_the_segment_of_the_url() -> None:
    for service in discovery():
        body = view(full_prefetch()) if service["hook"] == "patient-view" else call(KETOROLAC, hook=service["hook"])
        assert post(body, service["id"])[0] == 200


def test_06_the_versions_are_told_as_the_next_edition_wants_them() -> None:
    told = {service["hook"]: (service["version"], service["hookVersion"]) for service in discovery()}
    assert told == dict.fromkeys(("order-select", "order-sign", "patient-view"), ("2.0.1", "1.0"))


def test_03_extensions_of_discovery_name_the_options_that_calls_may_ask_for() -> None:
    named = {
        service["hook"]: service.get("extension", {}).get("pddi-configuration-items", []) for service in discovery()
    }
    codes = {hook: [item["code"] for item in listed] for hook, listed in named.items()}
    assert codes == {
        "order-select": ["cache-for-order-sign-filtering"],
        "order-sign": ["filter-out-repeated-alerts"],
        "patient-view": [],
    }


def test_07_ids_are_distinct() -> None:
    ids = [service["id"] for service in discovery()]
    assert len(ids) == len(set(ids)) == 3


# C. Request


@pytest.mark.parametrize("missing", ["hook", "hookInstance", "context"])
def test_must_09_what_is_required_is_required(missing: str) -> None:
    body = {key: value for key, value in call(KETOROLAC).items() if key != missing}
    status, text = outcome(body)
    assert status == 400
    assert missing in text


def test_must_09_everything_wrong_is_told_at_once() -> None:
    _, text = outcome({})
    assert all(name in text for name in ("hook is required", "hookInstance", "context"))


def test_10_another_hook_is_refused() -> None:
    assert outcome(call(KETOROLAC, hook="order-select"), SIGN)[0] == 400


def test_10_an_instance_that_is_no_uuid_is_taken() -> None:
    assert cards({**alerting(), "hookInstance": "rec08-p02-5"})


def test_must_11_the_token_is_neither_answered_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    body = {**alerting(), "fhirAuthorization": {"access_token": "s3cr3t-token", "token_type": "Bearer"}}
    assert "s3cr3t-token" not in json.dumps(cards(body))
    assert "s3cr3t-token" not in caplog.text


# D. Prefetch


def test_must_13_templates_use_only_tokens_every_client_knows() -> None:
    for service in discovery():
        for template in service["prefetch"].values():
            assert set(re.findall(r"\{\{(.*?)\}\}", template)) == {"context.patientId"}
            assert not template.startswith(("/", "http"))


def test_15_templates_stay_in_the_portable_subset() -> None:
    plain = {"patient", "status", "clinical-status", "category", "_sort", "_count"}
    for service in discovery():
        for template in service["prefetch"].values():
            names = [part.split("=")[0] for part in template.partition("?")[2].split("&") if part]
            assert set(names) <= plain, template


def medication_states() -> dict[str, Json]:
    prefetch = full_prefetch()
    without = {k: v for k, v in prefetch.items() if k not in ("medications", "statements")}
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    return {
        "absent": without,
        "null": {**without, "medications": None},
        "failed": {**without, "medications": failed},
        "failed entry": {**without, "medications": bundle(failed)},
        "empty": prefetch,
    }


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("absent", "other medicines were not supplied"),
        ("null", "other medicines were asked for and the EHR sent no data"),
        ("failed", "other medicines could not be fetched"),
        ("failed entry", "other medicines could not be fetched"),
    ],
)
def test_16_a_medication_list_that_is_not_there_is_never_read_as_none(state: str, said: str) -> None:
    assert said in not_checked(call(KETOROLAC, prefetch=medication_states()[state]))


def test_16_an_empty_medication_list_is_an_answer() -> None:
    assert "other medicines" not in not_checked(call(KETOROLAC, prefetch=medication_states()["empty"]))


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("laboratory", "laboratory values"),
        ("allergies", "allergies"),
        ("conditions", "conditions"),
        ("patient", "age and sex"),
    ],
)
@pytest.mark.parametrize("value", ["absent", None, {"resourceType": "OperationOutcome"}])
def test_16_other_data_that_are_not_there_are_named(key: str, named: str, value: Any) -> None:
    prefetch = {k: v for k, v in full_prefetch().items() if k != key}
    prefetch |= {} if value == "absent" else {key: value}
    assert named in not_checked(call(KETOROLAC, prefetch=prefetch))


def test_16_an_empty_bundle_under_a_foreign_key_is_known_by_the_search_it_answers() -> None:
    link = [{"relation": "self", "url": "https://ehr.example.org/fhir/AllergyIntolerance?patient=p1"}]
    prefetch = {k: v for k, v in full_prefetch().items() if k != "allergies"}
    assert "allergies" not in not_checked(call(KETOROLAC, prefetch={**prefetch, "item9": bundle(link=link)}))


def test_17_a_warning_beside_results_is_no_failure() -> None:
    warning = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}
    prefetch = {**full_prefetch(), "medications": bundle(WARFARIN, warning)}
    assert "could not be fetched" not in not_checked(call(KETOROLAC, prefetch=prefetch))


@pytest.mark.parametrize(
    "more", [{"total": 3}, {"link": [{"relation": "next", "url": "https://ehr.example.org/?page=2"}]}]
)
def test_18_a_list_that_goes_on_is_told_to_be_partial(more: Json) -> None:
    prefetch = {**full_prefetch(), "medications": bundle(WARFARIN, **more)}
    assert "Partial list of other medicines" in not_checked(call(KETOROLAC, prefetch=prefetch))


def test_must_19_without_any_medication_list_the_chart_view_is_412() -> None:
    status, text = outcome(view({"patient": {"resourceType": "Patient", "id": "p1"}}), VIEW)
    assert status == 412
    assert "medication list" in text


def test_must_19_a_draft_alone_is_still_worth_an_answer() -> None:
    assert "laboratory values" in not_checked(call(KETOROLAC, prefetch={}))


@pytest.mark.parametrize(
    "prefetch",
    [
        {"medications": {"response": {"status": "200 OK"}, "resource": bundle(WARFARIN)}},
        bundle(WARFARIN),
        {"x": [WARFARIN]},
        {"x": bundle(bundle(WARFARIN))},
        {"x": WARFARIN},
    ],
)
def test_20_prefetch_in_the_dress_of_other_clients_is_read(prefetch: Json) -> None:
    card = by_topic(cards(call(KETOROLAC, prefetch=prefetch)), "bleeding")
    assert card is not None
    assert "warfarin" in card["summary"].lower()


def test_must_21_data_of_another_patient_are_not_used() -> None:
    stranger = {**WARFARIN, "subject": {"reference": "Patient/p2"}}
    body = call(KETOROLAC, prefetch={**full_prefetch(), "medications": bundle(stranger)})
    assert "warfarin" not in json.dumps(cards(body)).lower()
    assert "belongs to another patient" in not_checked(body)


# E. Response 200


@every_answer
def test_must_22_cards_is_always_there(body: Json, service: str) -> None:
    status, answer = post(body, service)
    assert status == 200
    assert isinstance(answer["cards"], list)


def test_must_22_nothing_to_say_is_an_empty_list() -> None:
    assert post(call(draft("x", resourceType="ServiceRequest"))) == (200, {"cards": []})


@every_answer
def test_must_23_summaries_are_under_140_characters(body: Json, service: str) -> None:
    assert all(0 < len(card["summary"]) < 140 for card in cards(body, service))


def test_must_23_a_long_name_is_shortened_between_words() -> None:
    name = "wonderfully " * 30 + "medicine"
    for card in cards(call(draft(name))):
        assert len(card["summary"]) < 140


@every_answer
def test_must_24_the_indicator_is_one_of_three(body: Json, service: str) -> None:
    assert {card["indicator"] for card in cards(body, service)} <= {"info", "warning", "critical"}


def test_must_24_cards_come_most_serious_first() -> None:
    rank = {"critical": 0, "warning": 1, "info": 2}
    for body, service in ANSWERED:
        ranks = [rank[card["indicator"]] for card in cards(body, service)]
        assert ranks == sorted(ranks)


@every_answer
def test_must_25_the_source_has_a_label(body: Json, service: str) -> None:
    for card in cards(body, service):
        assert card["source"]["label"]
        assert {"system", "code"} <= card["source"]["topic"].keys()


@every_answer
def test_26_every_card_has_its_own_uuid_and_keeps_it(body: Json, service: str) -> None:
    first, second = ([card["uuid"] for card in cards(body, service)] for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first)
    assert all(uuid.UUID(value) for value in first)


def test_26_another_call_gives_other_uuids() -> None:
    first, other = cards(alerting()), cards({**alerting(), "hookInstance": "another"})
    assert len(first) == len(other) > 0
    assert not {c["uuid"] for c in first} & {c["uuid"] for c in other}


def test_27_no_text_of_a_client_becomes_markup() -> None:
    nasty = "<img src=x onerror=alert(1)> [click](https://evil.example) **bold** `code` www.evil.example"
    prefetch = {
        **full_prefetch(order(nasty, "m1")),
        "allergies": bundle({"resourceType": "AllergyIntolerance", "code": {"text": nasty}}),
    }
    body = call(draft(f"ketorolac {nasty}"), prefetch=prefetch)
    text = " ".join(card["detail"] for card in cards(body))
    assert "img src" in text
    assert "<img" not in text
    assert "[click](" not in text
    assert "https://evil" not in text
    assert "www.evil" not in text
    assert "**bold**" not in text


@every_answer
def test_must_25_addresses_of_the_source_are_absolute(body: Json, service: str) -> None:
    for card in cards(body, service):
        assert all(card["source"][key].startswith("https://") for key in ("url", "icon") if key in card["source"])


@every_answer
def test_must_28_suggestions_come_with_a_selection_behaviour(body: Json, service: str) -> None:
    for card in cards(body, service):
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        assert card.get("selectionBehavior", "any") in ("at-most-one", "any")


def suggestions() -> list[Json]:
    listed = cards(call(KETOROLAC, prefetch=full_prefetch(WARFARIN)))
    found = [s for card in listed for s in card.get("suggestions", [])]
    assert found
    return found


def test_must_29_every_suggestion_has_a_label_and_a_uuid() -> None:
    assert all(s["label"] and uuid.UUID(s["uuid"]) for s in suggestions())


def test_must_30_what_only_the_ballot_knows_is_not_sent() -> None:
    assert not any("actionSelectionBehavior" in s for s in suggestions())


def test_must_31_every_action_has_a_type_and_a_description() -> None:
    for action in (a for s in suggestions() for a in s["actions"]):
        assert action["type"] in ("create", "update", "delete")
        assert action["description"]


def test_must_32_a_removal_names_the_draft_and_carries_no_resource() -> None:
    for action in (a for s in suggestions() for a in s["actions"]):
        assert action["resourceId"] == "MedicationRequest/d1"
        assert "resource" not in action


def test_must_33_override_reasons_are_codings_with_their_words() -> None:
    listed = cards(call(KETOROLAC, prefetch=full_prefetch(WARFARIN)))
    reasons = [reason for card in listed for reason in card.get("overrideReasons", [])]
    assert reasons
    assert all(reason["system"] and reason["code"] and reason["display"] for reason in reasons)


def test_must_33_the_codes_of_reasons_are_stable() -> None:
    listed = cards(call(KETOROLAC, prefetch=full_prefetch(WARFARIN)))
    reasons = next(card["overrideReasons"] for card in listed if "overrideReasons" in card)
    assert {
        "benefit-outweighs-risk",
        "will-monitor",
        "tolerated-before",
        "comfort-goals",
        "not-applicable",
        "specialist-advice",
        "no-alternative",
        "dose-adjusted",
        "data-not-current",
    } == {reason["code"] for reason in reasons}


@every_answer
def test_must_34_links_are_absolute_and_none_opens_by_itself(body: Json, service: str) -> None:
    for link in (link for card in cards(body, service) for link in card.get("links", [])):
        assert link.keys() == {"label", "url", "type"}
        assert link["type"] == "absolute"
        assert link["label"]
        assert link["url"].startswith("https://")


def test_must_34_a_card_links_to_what_was_read_for_it() -> None:
    assert any(card.get("links") for card in cards(alerting()))


@every_answer
def test_35_no_system_actions_are_sent(body: Json, service: str) -> None:
    assert "systemActions" not in post(body, service)[1]


@every_answer
def test_must_36_every_coding_has_a_code_and_a_system(body: Json, service: str) -> None:
    listed = cards(body, service)
    codings = [card["source"]["topic"] for card in listed]
    codings += [reason for card in listed for reason in card.get("overrideReasons", [])]
    assert codings
    assert all(coding["code"] and coding["system"] for coding in codings)


def test_must_36_a_card_is_known_again_by_its_uuid_when_feedback_comes() -> None:
    card = cards(alerting())[0]
    said = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-23T12:40:31Z"}
    assert post({"feedback": [said]}, SIGN, "/feedback")[0] == 200
    assert cards(alerting())[0]["uuid"] == card["uuid"]


# F. Status codes and errors


def test_must_37_an_unknown_service_is_404() -> None:
    assert outcome(call(KETOROLAC), "medsafe-astrology")[0] == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"hook": NaN}'])
def test_must_37_what_is_no_json_object_is_400(body: bytes) -> None:
    assert outcome(body)[0] == 400


def test_must_37_another_media_type_is_415() -> None:
    answer = cds_client().post(f"/cds-services/{SIGN}", data="x", content_type="text/plain")
    assert (answer.status_code, answer.get_json()["resourceType"]) == (415, "OperationOutcome")


def test_must_37_a_body_without_end_is_413() -> None:
    assert outcome(b'{"hook": "' + b"x" * 9_000_000 + b'"}')[0] == 413


def test_must_37_a_chart_of_three_megabytes_is_read() -> None:
    assert post({**call(KETOROLAC), "extension": {"org.example.note": "x" * 3_000_000}})[0] == 200


def test_38_an_error_holds_no_value_of_the_patient() -> None:
    body = {**call(draft("Zanzibarol for Mrs Shaw")), "hook": "order-select"}
    _, text = outcome(body, SIGN)
    assert "Zanzibarol" not in text
    assert "Shaw" not in text
    assert "p1" not in text


@every_answer
def test_52_nothing_is_kept_by_the_way(body: Json, service: str) -> None:
    answer = cds_client().post(f"/cds-services/{service}", json=body)
    assert answer.headers["Cache-Control"] == "no-store"


def test_52_a_card_says_which_day_its_facts_are_of() -> None:
    card = by_topic(cards(call(KETOROLAC, prefetch=full_prefetch(WARFARIN))), "bleeding")
    assert card is not None
    assert "creatinine 0.9 mg/dL (2026-11-20)" in card["detail"]
    assert "Checked on 2026-11-23" in card["detail"]
    assert "not clinically validated" in card["detail"]


# G. Feedback

ITEM = {
    "card": "b9881db2-a4a6-4c0d-952e-a42fcee4bc16",
    "outcome": "overridden",
    "outcomeTimestamp": "2026-11-23T12:40:31.207Z",
}


def count(result: str) -> float:
    from prometheus_client import REGISTRY

    labels = {"service": SIGN, "outcome": result}
    return REGISTRY.get_sample_value("medsafe_cds_feedback_total", labels) or 0.0


def test_40_an_array_may_mix_cards() -> None:
    other = {**ITEM, "card": "x2", "outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}]}
    assert post({"feedback": [ITEM, other]}, SIGN, "/feedback") == (200, {})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"feedback": []},
        {"feedback": "x"},
        {"feedback": ["x"]},
        {"feedback": [{}]},
        {"feedback": [{**ITEM, "outcome": "ignored"}]},
        {"feedback": [{**ITEM, "card": None}]},
        {"feedback": [{**ITEM, "outcomeTimestamp": "yesterday"}]},
        {"feedback": [{**ITEM, "outcome": "accepted"}]},
        {"feedback": [{**ITEM, "overrideReason": "because"}]},
    ],
)
def test_must_41_malformed_feedback_is_400(body: Json) -> None:
    assert outcome(body, SIGN, "/feedback")[0] == 400


def test_must_41_a_reason_may_come_without_its_words_or_only_as_a_comment() -> None:
    reasons: list[Json] = [{"reason": {"code": "x", "system": "y"}}, {"userComment": "she knows best"}]
    for reason in reasons:
        assert post({"feedback": [{**ITEM, "overrideReason": reason}]}, SIGN, "/feedback")[0] == 200


def test_42_the_same_feedback_twice_is_taken_and_counted_once() -> None:
    body = {"feedback": [{**ITEM, "card": str(uuid.uuid4())}] * 2}
    before = count("overridden")
    assert [post(body, SIGN, "/feedback")[0] for _ in range(2)] == [200, 200]
    assert count("overridden") == before + 1


def test_42_a_comment_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    post({"feedback": [{**ITEM, "overrideReason": {"userComment": "Mrs Shaw cried"}}]}, SIGN, "/feedback")
    assert "Shaw" not in caplog.text


def test_42_feedback_on_an_unknown_service_is_404() -> None:
    assert outcome({"feedback": [ITEM]}, "medsafe-astrology", "/feedback")[0] == 404
