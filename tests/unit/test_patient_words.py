"""How a patient is read: allergies in free text, sedation in people's words, genes, QT, children, denials."""

from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.context.genotypes import phenotype_of
from medsafe.model.case import CodedCondition
from tests.builders import ask, order


def patient(**more: Any) -> dict[str, Any]:
    return {"age_years": 60, "sex": "male", "weight_kg": 70, "allergies": [], "conditions": [], **more}


def hazards(shown: dict[str, Any], hazard: str) -> list[str]:
    return [f["severity"] for f in shown["findings"] if f["hazard"] == hazard]


def told(shown: dict[str, Any], field: str) -> list[str]:
    return [n["code"] for n in shown["notices"] if n["field"] == field]


@pytest.mark.parametrize(
    "substance",
    [
        "penicillin",
        "Penicillin allergy",
        "allergic to penicillin",
        "PCN",
        "penicillin - anaphylaxis",
        "penicillin (rash)",
        "latex, penicillin",
        "macrolides/penicillin",
    ],
)
def test_an_allergy_is_found_however_it_is_written(engine: Engine, substance: str) -> None:
    shown = ask(engine, order("amoxicillin", 500, times_per_day=3), who=patient(allergies=[substance]))
    assert hazards(shown, "allergy") == ["critical"]


def test_a_reaction_in_the_text_of_an_allergy_counts(engine: Engine) -> None:
    shown = ask(engine, order("codeine", 30, times_per_day=4), who=patient(allergies=["codeine (nausea)"]))
    assert hazards(shown, "allergy") == ["moderate"]


def test_what_is_left_of_an_allergy_is_told(engine: Engine) -> None:
    shown = ask(engine, order("amoxicillin", 500), who=patient(allergies=["penicillin, zzqx", "no penicillin allergy"]))
    assert hazards(shown, "allergy") == ["critical"]
    assert told(shown, "patient.allergies.0") == ["unknown-drug"]
    assert told(shown, "patient.allergies.1") == ["unknown-drug"]


def test_an_allergy_to_a_class_counts_for_all_its_members(engine: Engine) -> None:
    shown = ask(engine, order("lidocaine", 100, route="subcutaneous"), who=patient(allergies=["local anaesthetics"]))
    assert hazards(shown, "allergy") == ["high"]


@pytest.mark.parametrize("word", ["unrousable", "Coma", "difficult to rouse", "responds to pain"])
def test_deep_sedation_is_read_in_people_s_words(engine: Engine, word: str) -> None:
    shown = ask(engine, order("morphine", 30, times_per_day=6), who=patient(sedation=word))
    assert hazards(shown, "opioid-toxicity") == ["critical"]


def test_a_word_for_sedation_that_is_not_known_is_told(engine: Engine) -> None:
    shown = ask(engine, order("morphine", 30, times_per_day=6), who=patient(sedation="purple"))
    assert told(shown, "patient.sedation") == ["missing-data"]


def test_a_child_is_told_not_to_be_judged(engine: Engine) -> None:
    assert told(ask(engine, order("morphine", 5), who=patient(age_years=17.9)), "patient.age_years") == ["not-covered"]
    assert not told(ask(engine, order("morphine", 5), who=patient(age_years=18)), "patient.age_years")


def test_a_gene_that_nothing_asks_for_is_told(engine: Engine) -> None:
    given = {"ABCX": "poor", "HLA-B": "*57:01 positive", "CYP2D6": "poor-metabolizer"}
    shown = ask(engine, order("abacavir", 300, times_per_day=2), who=patient(genotypes=given))
    assert told(shown, "patient.genotypes.ABCX") == ["not-covered"]
    assert not told(shown, "patient.genotypes.HLA-B")
    assert not told(shown, "patient.genotypes.CYP2D6")
    assert hazards(shown, "pharmacogenomic") == ["critical"]


def test_qt_without_a_rate_is_told_and_a_qtc_that_contradicts_it_gives_way(engine: Engine) -> None:
    assert told(ask(engine, order("morphine", 5), who=patient(qt_ms=420)), "patient.heart_rate_bpm") == ["missing-data"]
    clash = ask(engine, order("morphine", 5), who=patient(qt_ms=420, heart_rate_bpm=90, qtc_ms=400))
    assert told(clash, "patient.qtc_ms") == ["value-implausible"]
    agree = ask(engine, order("morphine", 5), who=patient(qt_ms=420, heart_rate_bpm=90, qtc_ms=515))
    assert "value-implausible" not in told(agree, "patient.qtc_ms")


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("Parkinson's disease - no", False),
        ("Parkinson's disease: no", False),
        ("Parkinson's disease, no tremor", True),
        ({"system": "urn:oid:2.16.840.1.113883.6.90", "code": "G20"}, True),
        ({"system": "http://hl7.org/fhir/sid/icd-9-cm", "code": "G20"}, False),
    ],
)
def test_a_denied_condition_is_none_and_a_code_is_of_its_system(engine: Engine, condition: Any, found: bool) -> None:
    shown = ask(engine, order("metoclopramide", 10, times_per_day=3), who=patient(conditions=[condition]))
    assert bool({"drug-disease", "extrapyramidal"} & {f["hazard"] for f in shown["findings"]}) is found


def test_what_was_tried_before_and_is_not_known_is_told(engine: Engine) -> None:
    shown = ask(engine, order("morphine", 5), history=[{"drug": "zzqx", "outcome": "helped"}])
    assert told(shown, "history.0.drug") == ["unknown-drug"]


def kidneys(**more: Any) -> dict[str, Any]:
    creatinine = {"value": more.pop("value", 500), "unit": "umol/L", "taken_on": "2026-11-20"}
    return patient(creatinine=creatinine, height_cm=170, **more)


@pytest.mark.parametrize(
    ("conditions", "more", "codes"),
    [
        (["on haemodialysis"], {}, ["missing-data"]),
        (["peritoneal dialysis"], {}, ["missing-data"]),
        (["end stage renal failure"], {}, ["missing-data"]),
        (["on haemodialysis"], {"dialysis": "none"}, ["value-implausible"]),
        (["end stage renal failure"], {"dialysis": "none"}, []),
        (["on haemodialysis"], {"dialysis": "haemodialysis"}, []),
    ],
)
def test_dialysis_on_the_problem_list_is_read_or_asked_after(
    engine: Engine, conditions: list[str], more: dict[str, Any], codes: list[str]
) -> None:
    shown = ask(engine, order("gabapentin", 300, times_per_day=3), who=kidneys(conditions=conditions, **more))
    assert told(shown, "patient.dialysis") == codes


def test_a_patient_on_haemodialysis_by_the_problem_list_is_dosed_so(engine: Engine) -> None:
    said = kidneys(value=200, conditions=["on haemodialysis"])
    stated = kidneys(value=200, conditions=[], dialysis="haemodialysis")
    gabapentin = order("gabapentin", 300, times_per_day=3)
    by_list, by_field = (hazards(ask(engine, gabapentin, who=who), "renal-caution") for who in (said, stated))
    assert by_list == by_field != []


@pytest.mark.parametrize(("value", "codes"), [(80, ["value-implausible"]), (500, [])])
def test_an_estimate_that_does_not_go_with_end_stage_disease_is_told(
    engine: Engine, value: float, codes: list[str]
) -> None:
    who = kidneys(value=value, conditions=["ESRD"], dialysis="none")
    assert told(ask(engine, order("gabapentin", 300), who=who), "patient.creatinine") == codes


def test_an_upper_limit_that_is_not_believed_is_told(engine: Engine) -> None:
    bilirubin = {"value": 10, "unit": "umol/L", "upper_limit": 1.2}
    shown = ask(engine, order("morphine", 5), who=patient(bilirubin=bilirubin))
    assert told(shown, "patient.bilirubin.upper_limit") == ["unit-suspect"]


@pytest.mark.parametrize(
    ("result", "phenotype"),
    [
        ("*1/*2A", "intermediate"),
        ("*1 / *2A (heterozygous)", "intermediate"),
        ("c.1905+1G>A heterozygous", "intermediate"),
        ("heterozygous carrier, c.1905+1G>A detected", "intermediate"),
        ("c.1905+1G>A homozygous", "poor"),
        ("*2A/*2A (homozygous)", "poor"),
        ("*2A", None),
        ("*1/*2A (homozygous)", None),
        ("c.1905+1G>A not detected", None),
        ("*1/*99", None),
    ],
)
def test_alleles_are_read_with_what_is_said_of_their_copies(engine: Engine, result: str, phenotype: str | None) -> None:
    assert phenotype_of("DPYD", result, engine.knowledge.wording) == phenotype


@pytest.mark.parametrize(
    ("text", "present"),
    [
        ("triple negative breast cancer", "breast-cancer"),
        ("HER2-negative metastatic breast cancer", "breast-cancer"),
        ("breast cancer", "breast-cancer"),
        ("breast cancer screening negative", ""),
        ("hepatitis B -ve", ""),
        ("hepatitis B +ve", "hepatitis-b"),
        ("hep B neg", ""),
        ("G6PD deficiency: normal", ""),
        ("negative for hepatitis B", ""),
        ("heart failure with normal ejection fraction", "heart-failure"),
        ("asthma ruled out", ""),
    ],
)
def test_a_negative_result_denies_only_what_goes_before_it(engine: Engine, text: str, present: str) -> None:
    found = engine.conditions.find(CodedCondition(text))
    assert present in found if present else not found


@pytest.mark.parametrize(
    "text", ["COPD, lives with wife", "AKI resolved, CKD 4", "family history of Parkinson's disease, COPD"]
)
def test_what_is_read_as_of_somebody_else_or_over_is_told(engine: Engine, text: str) -> None:
    shown = ask(engine, order("metoclopramide", 10), who=patient(conditions=[text]))
    (notice,) = (n for n in shown["notices"] if n["field"] == "patient.conditions.0")
    assert notice["code"] == "missing-data"


@pytest.mark.parametrize(
    ("who", "asked"),
    [
        ({"sex": "female", "age_years": 30}, False),
        ({"sex": "male", "age_years": 30}, True),
        ({"sex": "female", "age_years": 80}, True),
        ({"sex": None, "age_years": None}, False),
    ],
)
def test_a_pregnancy_that_sex_or_age_speak_against_counts_and_is_asked_about(
    engine: Engine, who: dict[str, Any], asked: bool
) -> None:
    shown = ask(
        engine, order("methotrexate", 10, times_per_day=None, interval_h=168), who=patient(pregnancy_weeks=12, **who)
    )
    assert any(f["hazard"] == "pregnancy" for f in shown["findings"])
    told = [n["code"] for n in shown["notices"] if n["field"] == "patient.pregnancy_weeks"]
    assert told == (["value-implausible"] if asked else [])
