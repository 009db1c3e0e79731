"""Symptom scores, sedation and performance status as EHRs write them down."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.fhir.reading import read_resources
from medsafe.fhir.scores import CODES, ESAS_ITEMS, read_scores
from medsafe.model.case import CodedCondition, SymptomReport
from tests.fixtures.cds.calls import Json, bundle, by_topic, call, cards, dosage, draft, full_prefetch, order

TODAY = date(2026, 11, 23)
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"


def scored(code: str = "", text: str = "", day: str | None = "2026-11-22", **value: Any) -> Json:
    coding = [{"system": SNOMED if "-" not in code else LOINC, "code": code}] if code else []
    found: Json = {"resourceType": "Observation", "id": f"s-{code}{text}"[:40], "status": "final"}
    found |= {"code": {"coding": coding, "text": text}, **value}
    return {**found, "effectiveDateTime": day} if day else found


def amount(value: float, unit: str = "{score}") -> Json:
    return {"valueQuantity": {"value": value, "unit": unit}}


def symptoms(*observations: Json) -> dict[str, float | None]:
    return {s.name: s.score for s in read_scores(observations, TODAY).symptoms}


@pytest.mark.parametrize(
    "value",
    [
        amount(7),
        amount(7, "Level"),
        {"valueInteger": 7},
        {"valueDecimal": 7.0},
        {"valueString": "7"},
        {"valueString": "7 of ten"},
        {"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA10139-6", "display": "7"}]}},
        {"valueCodeableConcept": {"text": "7"}},
    ],
)
def test_a_pain_score_is_read_in_every_shape(value: Json) -> None:
    assert symptoms(scored("72514-3", "Pain severity", **value)) == {"pain": 7}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ESAS pain", "pain"),
        ("ESAS-r: Tiredness (now)", "fatigue"),
        ("ESAS-r Drowsiness", "drowsiness"),
        ("Nausea - Edmonton Symptom Assessment System", "nausea"),
        ("ESAS lack of appetite", "loss of appetite"),
        ("ESAS shortness of breath", "breathlessness"),
        ("ESAS depression", "depression"),
        ("ESAS anxiety", "anxiety"),
        ("ESAS constipation", "constipation"),
        ("ESAS diarrhea", "diarrhoea"),
        ("ESAS-r other problem: vomiting", "vomiting"),
        ("ESAS dry mouth", "dry mouth"),
        ("ESAS sore mouth", "sore mouth"),
        ("ESAS-FS sleep", "insomnia"),
        ("ESAS itching", "pruritus"),
        ("ESAS cough", "cough"),
        ("ESAS hiccups", "hiccups"),
        ("ESAS headache", "headache"),
        ("ESAS-r Other problem (for example constipation): sweats", "sweating"),
        ("ESAS heartburn", "dyspepsia"),
        ("ESAS leg swelling", "oedema"),
    ],
)
def test_an_item_of_the_edmonton_scale_is_known_by_its_name(text: str, name: str) -> None:
    assert symptoms(scored(text=text, **amount(5))) == {name: 5}


@pytest.mark.parametrize(
    "text", ["Other problem (for example constipation)", "Other problem e.g. constipation", "Other"]
)
def test_the_example_on_the_form_is_no_symptom(text: str) -> None:
    assert symptoms(scored(text=f"ESAS-r {text}", **amount(5))) == {}


def test_every_item_that_is_read_is_a_symptom_with_options(engine: Engine) -> None:
    assert [name for _, name in ESAS_ITEMS if not engine.symptom_id(name)] == []


def test_items_of_the_edmonton_scale_are_read_as_components() -> None:
    items = [
        {"code": {"text": "Drowsiness"}, "valueInteger": 6},
        {"code": {"text": "Wellbeing"}, "valueInteger": 3},
        {"code": {"text": "Nausea"}, "valueInteger": 0},
    ]
    assert symptoms(scored(text="ESAS-r", component=items)) == {"drowsiness": 6, "nausea": 0}


def test_a_word_of_another_scale_is_no_item() -> None:
    assert symptoms(scored(text="PHQ-9 depression score", **amount(9))) == {}


@pytest.mark.parametrize(("value", "used"), [(-1, False), (0, True), (10, True), (11, False), (70, False)])
def test_a_score_outside_its_scale_is_told_and_not_used(value: float, used: bool) -> None:
    found = read_scores([scored("72514-3", **amount(value))], TODAY)
    assert bool(found.symptoms) == used
    assert bool(found.notices) != used


def test_a_score_without_a_number_is_told() -> None:
    (notice,) = read_scores([scored("72514-3", valueString="a lot")], TODAY).notices
    assert "has no number" in notice.message


def test_a_range_in_words_is_no_number() -> None:
    assert symptoms(scored("72514-3", valueString="4-6")) == {}


@pytest.mark.parametrize(("day", "used"), [("2026-11-16", True), ("2026-11-15", False), (None, True)])
def test_an_old_score_says_nothing_of_today(day: str | None, used: bool) -> None:
    found = read_scores([scored("72514-3", day=day, **amount(7))], TODAY)
    assert bool(found.symptoms) == used
    assert bool(found.notices) != used


def test_the_latest_day_counts_and_on_it_the_worst() -> None:
    listed = [
        scored("72514-3", day="2026-11-21", **amount(9)),
        scored("72514-3", day="2026-11-22", **amount(3)),
        scored("38208-5", day="2026-11-22", **amount(5)),
    ]
    assert read_scores(listed, TODAY).symptoms == (SymptomReport("pain", 5),)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (4, "alert"),
        (0, "alert"),
        (-1, "drowsy"),
        (-2, "drowsy"),
        (-3, "difficult to rouse"),
        (-4, "difficult to rouse"),
        (-5, "unresponsive"),
    ],
)
def test_the_richmond_scale_tells_sedation(value: float, word: str) -> None:
    assert read_scores([scored("1345050000", **amount(value))], TODAY).sedation == word


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("LA17287-6", "alert"),
        ("LA33962-4", "alert"),
        ("LA33963-2", "drowsy"),
        ("LA33965-7", "difficult to rouse"),
        ("LA33967-3", "unresponsive"),
    ],
)
def test_the_richmond_scale_is_read_from_its_coded_answers(answer: str, word: str) -> None:
    coded = {"valueCodeableConcept": {"coding": [{"system": LOINC, "code": answer}]}}
    assert read_scores([scored(text="RASS", **coded)], TODAY).sedation == word


@pytest.mark.parametrize(("value", "word"), [(1, "alert"), (2, "drowsy"), (3, "drowsy"), (4, "unresponsive")])
def test_the_pasero_scale_tells_sedation(value: float, word: str) -> None:
    found = read_scores([scored(text="Pasero Opioid-induced Sedation Scale (POSS)", **amount(value))], TODAY)
    assert found.sedation == word


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [("89247-1", 3, "ECOG 3"), ("89243-0", 40, "Karnofsky 40"), ("89243-0", 45, "Karnofsky 40")],
)
def test_performance_status_is_read(code: str, value: float, shown: str) -> None:
    assert read_scores([scored(code, **amount(value))], TODAY).performance == (CodedCondition(shown),)


def test_performance_status_does_not_make_an_unknown_problem_list_known() -> None:
    observed = [scored("89247-1", **amount(4))]
    assert read_resources(None, [], [], observed, None, None, TODAY).case.patient.conditions is None
    assert read_resources(None, [], [], observed, [], None, TODAY).case.patient.conditions == (
        CodedCondition("ECOG 4"),
    )


@pytest.mark.parametrize("text", ["ECOG 0", "ECOG 2", "ECOG 4", "Karnofsky 10", "Karnofsky 100"])
def test_every_performance_status_is_a_condition_that_is_known(text: str) -> None:
    from medsafe.context.conditions import build_condition_index
    from medsafe.library.load import load_knowledge
    from tests.conftest import ROOT

    knowledge = load_knowledge(ROOT)
    found = build_condition_index(knowledge.conditions, knowledge.wording.negation).find(CodedCondition(text))
    assert ("frailty" in found) == (text in ("ECOG 4", "Karnofsky 10"))
    assert found


def test_every_loinc_code_of_a_score_has_its_check_digit() -> None:
    from tests.unit.test_fhir_reading import check_digit

    codes = [code for code in CODES if "-" in code]
    assert [c for c in codes if check_digit(c.split("-")[0]) != int(c.split("-")[1])] == []


def test_a_deeply_sedated_patient_on_an_opioid_is_told_at_order_entry() -> None:
    prefetch = full_prefetch(order("morphine", "m1", dosage(10, "mg", 6), authoredOn="2026-11-01"))
    deep = {**prefetch, "scores": bundle(scored("1345050000", day="2026-11-23", **amount(-4)))}
    signed = draft("morphine", "d1", dosage(15, "mg", 6))
    assert by_topic(cards(call(signed, prefetch=prefetch)), "opioid-toxicity") is None
    card = by_topic(cards(call(signed, prefetch=deep)), "opioid-toxicity")
    assert card is not None
    assert card["indicator"] in ("warning", "critical")
