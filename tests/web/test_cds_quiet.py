"""When a card may interrupt: what the order itself does, and what hurts soon; never what the prescriber decided long ago."""

from __future__ import annotations

import pytest

from tests.fixtures.cds.calls import (
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
    view,
)

METFORMIN = order("metformin 500 mg tablet", "m2", dosage(500, "mg", 2), authoredOn="2025-01-05")
THIAZIDE = "hydrochlorothiazide 25 mg tablet"
PARACETAMOL = draft("paracetamol 500 mg tablet", "d1", dosage(500, "mg", 3))


def with_creatinine(prefetch: Json, latest: float, earlier: float | None = None) -> Json:
    """A chart whose creatinine (mg/dL) is this, and was that four months before."""
    kept = [
        e["resource"] for e in prefetch["laboratory"]["entry"] if e["resource"]["code"]["coding"][0]["code"] != "2160-0"
    ]
    values = [lab("2160-0", latest, "mg/dL")]
    values += [lab("2160-0", earlier, "mg/dL", "2026-07-20")] if earlier is not None else []
    return {**prefetch, "laboratory": bundle(*kept, *values)}


def loudness(body: Json, topic: str, service: str | None = None) -> str:
    """The indicator of the card on this topic; "folded" where it has none of its own."""
    card = by_topic(cards(body, service) if service else cards(body), topic)
    return card["indicator"] if card else "folded"


def test_a_critical_dose_of_another_medicine_has_its_card_but_does_not_interrupt() -> None:
    prefetch = with_creatinine(full_prefetch(METFORMIN), 3.5)
    card = by_topic(cards(call(PARACETAMOL, prefetch=prefetch)), "renal-caution")
    assert card is not None
    assert (card["indicator"], "overrideReasons" in card) == ("info", False)
    assert "metformin" in card["summary"]


def test_the_same_interrupts_when_the_medicine_itself_is_ordered_and_when_the_chart_is_opened() -> None:
    prefetch = with_creatinine(full_prefetch(), 3.5)
    assert (
        loudness(call(draft("metformin 500 mg tablet", "d1", dosage(500, "mg", 2)), prefetch=prefetch), "renal-caution")
        == "critical"
    )
    taken = with_creatinine(full_prefetch(METFORMIN), 3.5)
    assert loudness(view(taken), "renal-caution", VIEW) == "critical"


def test_what_hurts_soon_interrupts_whatever_is_ordered() -> None:
    standing = full_prefetch(order("warfarin", "m1", dosage(5)), order("ketorolac 10 mg", "m2", dosage(10, "mg", 4)))
    assert loudness(call(PARACETAMOL, prefetch=standing), "bleeding") == "warning"


@pytest.mark.parametrize(
    ("earlier", "told"),
    [(None, "warning"), (2.5, "warning"), (2.9, "warning"), (2.95, "info"), (3.5, "info"), (4.5, "info")],
)
def test_kidneys_that_are_no_worse_do_not_interrupt_an_unchanged_renewal(earlier: float | None, told: str) -> None:
    taken = order(THIAZIDE, "m2", dosage(25), authoredOn="2025-01-05")
    prefetch = with_creatinine(full_prefetch(taken), 3.5, earlier)
    assert loudness(call(draft(THIAZIDE, "d1", dosage(25)), prefetch=prefetch), "renal-caution") == told


def test_a_changed_dose_interrupts_whatever_the_kidneys_did() -> None:
    taken = order(THIAZIDE, "m2", dosage(12.5), authoredOn="2025-01-05")
    prefetch = with_creatinine(full_prefetch(taken), 3.5, 3.5)
    assert loudness(call(draft(THIAZIDE, "m2", dosage(25)), prefetch=prefetch), "renal-caution") == "warning"


def test_a_course_of_chemotherapy_is_never_a_renewal_to_be_waved_through() -> None:
    name = "oxaliplatin 100 mg injection"
    taken = order(name, "m2", dosage(100, "mg", 1), authoredOn="2025-01-05")
    prefetch = with_creatinine(full_prefetch(taken), 3.5, 3.5)
    assert loudness(call(draft(name, "d1", dosage(100, "mg", 1)), prefetch=prefetch), "renal-caution") in (
        "warning",
        "critical",
    )


def problem(text: str, since: str | None) -> Json:
    found: Json = {"resourceType": "Condition", "id": "c1", "code": {"text": text}}
    found |= {"clinicalStatus": {"coding": [{"code": "active"}]}}
    return {**found, "onsetDateTime": since} if since else found


def in_heart_failure(since: str | None) -> Json:
    taken = order("naproxen 250 mg tablet", "m2", dosage(250, "mg", 2), authoredOn="2025-01-05")
    prefetch = {**full_prefetch(taken), "conditions": bundle(problem("heart failure", since))}
    return call(draft("naproxen 250 mg tablet", "d1", dosage(250, "mg", 2)), prefetch=prefetch)


@pytest.mark.parametrize(
    ("since", "loud"), [("2024-01-01", False), ("2026-11-09", False), ("2026-11-10", True), (None, True)]
)
def test_a_disease_interrupts_a_renewal_only_while_it_is_new_or_of_unknown_age(since: str | None, loud: bool) -> None:
    listed = cards(in_heart_failure(since))
    assert any(c["indicator"] != "info" for c in listed) == loud
    assert "heart failure" in str(listed).casefold()


def bleeding_since(since: str | None) -> Json:
    prefetch = {**full_prefetch(), "conditions": bundle(problem("Bleeding from anus", since))}
    return call(draft("warfarin 5 mg tablet", "d1", dosage(5)), prefetch=prefetch)


@pytest.mark.parametrize("since", ["2026-08-25", "2026-11-20", None])
def test_bleeding_of_the_last_90_days_or_of_unknown_age_stops_an_anticoagulant(since: str | None) -> None:
    assert loudness(bleeding_since(since), "bleeding") == "critical"


@pytest.mark.parametrize("since", ["2026-08-24", "1988-04-07"])
def test_an_old_entry_of_bleeding_is_asked_about_instead(since: str) -> None:
    assert loudness(bleeding_since(since), "bleeding") != "critical"
    assert f"“Bleeding from anus” stands on the problem list since {since}" in not_checked(bleeding_since(since))


@pytest.mark.parametrize(("mg", "told"), [(10, "info"), (20, "warning"), (None, "warning")])
def test_simvastatin_interrupts_only_above_the_cap_of_its_label(mg: float | None, told: str) -> None:
    beside = full_prefetch(order("verapamil 80 mg tablet", "m1", dosage(80, "mg", 3)))
    lines = [dosage(mg)] if mg is not None else []
    assert loudness(call(draft("simvastatin", "d1", *lines), prefetch=beside), "exposure-increase") == told


def test_what_is_missing_of_one_order_is_told_together() -> None:
    bare = {**draft("morphine", "d1"), "dosageInstruction": []}
    first = not_checked(call(bare)).split("\n")[0]
    assert "dose and route of morphine" in first


def test_an_old_result_that_was_used_is_told_as_old_and_not_as_not_checked() -> None:
    prefetch = full_prefetch()
    aged = [
        lab("2160-0", 0.9, "mg/dL", "2025-01-02")
        if e["resource"]["code"]["coding"][0]["code"] == "2160-0"
        else e["resource"]
        for e in prefetch["laboratory"]["entry"]
    ]
    signed = draft("metformin 500 mg tablet", "d1", dosage(500, "mg", 2))
    first = not_checked(call(signed, prefetch={**prefetch, "laboratory": bundle(*aged)})).split("\n")[0]
    assert first == "Checked with old results: creatinine"


def test_the_card_of_what_is_folded_says_the_gravest_in_its_own_words() -> None:
    warned = full_prefetch(order("warfarin", "m1", dosage(5)), order("sertraline", "m3", dosage(50)))
    listed = cards(call(draft("naproxen 500 mg tablet", "d1", dosage(500, "mg", 2)), prefetch=warned))
    folded = by_topic(listed, "more-findings")
    assert folded is not None
    assert "priority:" not in folded["summary"]
    assert len(folded["summary"]) < 140
