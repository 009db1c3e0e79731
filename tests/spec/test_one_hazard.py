"""One finding for each hazard, whichever records tell it."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.service import answer
from tests.builders import ask, order, patient

CIRRHOSIS: dict[str, Any] = {
    "age_years": 60,
    "sex": "male",
    "weight_kg": 70,
    "creatinine": {"value": 80, "unit": "umol/L"},
    "bilirubin": {"value": 62, "unit": "umol/L"},
    "albumin": {"value": 26, "unit": "g/L"},
    "inr": 1.9,
    "ascites": "moderate",
    "encephalopathy": "none",
    "allergies": [],
}


def findings(engine: Engine, drug: str, dose: float, **patient: Any) -> list[dict[str, Any]]:
    order = {"drug": drug, "dose": dose, "unit": "mg", "route": "oral", "times_per_day": 1}
    found: list[dict[str, Any]] = answer({"patient": patient, "regimen": [order]}, engine)["findings"]
    return [f for f in found if drug in f["drugs"]]


def test_a_diseased_liver_is_told_once_for_a_medicine(engine: Engine) -> None:
    found = findings(engine, "simvastatin", 20, **CIRRHOSIS, conditions=["cirrhosis"])
    of_the_liver = [f for f in found if f["hazard"] == "hepatic-caution" or "liver" in f["summary"]]
    assert len(of_the_liver) == 1
    assert of_the_liver[0]["severity"] == "critical"


def test_what_the_joined_records_advise_is_kept(engine: Engine) -> None:
    (told,) = [
        f
        for f in findings(engine, "naproxen", 500, **CIRRHOSIS, conditions=["cirrhosis"])
        if f["hazard"] == "hepatic-caution"
    ]
    assert any("hepatic failure" in line for line in told["management"])
    assert any("cirrhosis or ascites" in line for line in told["management"])


@pytest.mark.parametrize(("sodium", "told"), [(131, 0), (130, 0), (129, 1), (None, 0)])
def test_a_low_sodium_is_told_once_as_value_and_condition(engine: Engine, sodium: float | None, told: int) -> None:
    lab = {"sodium": {"value": sodium, "unit": "mmol/L"}} if sodium else {}
    found = findings(engine, "sertraline", 50, age_years=50, conditions=[], allergies=[], **lab)
    assert len([f for f in found if f["kind"] in ("drug-lab", "drug-disease") and "odium" in str(f)]) == told


def test_two_organs_are_two_hazards(engine: Engine) -> None:
    patient = {**CIRRHOSIS, "creatinine": {"value": 300, "unit": "umol/L"}}
    hazards = [f["hazard"] for f in findings(engine, "naproxen", 500, **patient, conditions=["cirrhosis"])]
    assert hazards.count("hepatic-caution") == 1
    assert hazards.count("renal-caution") == 1


def test_a_doubt_about_the_kidney_is_not_told_of_the_liver(engine: Engine) -> None:
    thin = {**CIRRHOSIS, "weight_kg": 38, "age_years": 85, "creatinine": {"value": 40, "unit": "umol/L"}}
    told = [f for f in findings(engine, "naproxen", 500, **thin, conditions=[]) if f["hazard"] == "hepatic-caution"]
    assert told
    assert not any("muscle" in text for f in told for text in f["modifiers"])


def test_a_low_potassium_joins_what_the_medicines_do_together_on_the_qt_interval(engine: Engine) -> None:
    low = patient(qtc_ms=490, potassium={"value": 3.1, "unit": "mmol/L", "taken_on": "2026-11-20"})
    regimen = (order("haloperidol", 3), order("ondansetron", 8, times_per_day=2), order("osimertinib", 80))
    (finding,) = [f for f in ask(engine, *regimen, who=low)["findings"] if f["hazard"] == "qt-prolongation"]
    assert finding["kind"] == "interaction"
    assert set(finding["drugs"]) == {"haloperidol", "ondansetron", "osimertinib"}
    assert all(name in finding["summary"] for name in finding["drugs"])
    assert any("ncorrected hypokalaemia" in line for line in finding["modifiers"])


def test_a_low_potassium_alone_stays_a_finding_about_the_value(engine: Engine) -> None:
    low = patient(potassium={"value": 3.1, "unit": "mmol/L", "taken_on": "2026-11-20"})
    (finding,) = [f for f in ask(engine, order("haloperidol", 3), who=low)["findings"] if f["kind"] == "drug-lab"]
    assert finding["drugs"] == ["haloperidol"]


def test_a_medicine_that_adds_to_a_recorded_pair_is_named_in_its_summary(engine: Engine) -> None:
    regimen = (order("apixaban", 5, times_per_day=2), order("aspirin", 75), order("ibrutinib", 420))
    (finding,) = [f for f in ask(engine, *regimen)["findings"] if f["hazard"] == "bleeding"]
    assert finding["summary"].endswith("adds up with aspirin")
    assert len(finding["summary"]) < 140


@pytest.mark.parametrize(("potassium", "severity"), [(4.9, "high"), (5.6, "critical")])
def test_a_high_potassium_is_told_with_all_that_raise_it(engine: Engine, potassium: float, severity: str) -> None:
    who = patient(age_years=70, potassium={"value": potassium, "unit": "mmol/L", "taken_on": "2026-11-20"})
    regimen = (order("spironolactone", 100), order("ramipril", 10), order("trimethoprim", 200, times_per_day=2))
    found = [f for f in ask(engine, *regimen, who=who)["findings"] if f["kind"] in ("interaction", "drug-lab")]
    (told,) = [f for f in found if "otassium" in str(f["management"])]
    assert (told["hazard"], set(told["drugs"])) == ("hyperkalaemia", {"spironolactone", "ramipril", "trimethoprim"})
    assert told["severity"] == severity


def test_a_deficiency_is_told_once_as_genotype_and_condition(engine: Engine) -> None:
    who = patient(genotypes={"G6PD": "deficient"})
    (told,) = ask(engine, order("rasburicase", 10, route="intravenous"), who=who)["findings"]
    assert (told["kind"], told["severity"]) == ("pharmacogenomic", "critical")


def test_what_is_said_of_one_medicine_is_not_told_of_another(engine: Engine) -> None:
    goals = {"intent": "comfort", "documented": True, "prognosis": "days"}
    found = ask(engine, order("apixaban", 2.5, times_per_day=2), order("atorvastatin", 40), goals=goals)["findings"]
    (told,) = [f for f in found if f["kind"] == "deprescribing" and "atorvastatin" in f["drugs"]]
    assert "anticoagulation" not in told["summary"]
    assert all(name in told["summary"] for name in told["drugs"])


def test_what_to_do_with_the_dose_leads_before_a_caution_about_the_same_liver_that_is_no_more_serious(
    engine: Engine,
) -> None:
    liver = {"conditions": ["cirrhosis"], "ascites": "moderate", "encephalopathy": "grade 2", "inr": 2.5}
    bilirubin = {"value": 80, "unit": "umol/L", "taken_on": "2026-11-20"}
    shown = ask(engine, order("abemaciclib", times_per_day=None), who=patient(bilirubin=bilirubin, **liver))
    told = [f for f in shown["findings"] if f["hazard"] == "hepatic-caution"]
    assert [f["summary"] for f in told] == ["abemaciclib: lengthen the interval (Child-Pugh C)"]
    assert any("Liver injury" in line for line in told[0]["modifiers"])
