"""One finding for each hazard, whichever records tell it."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.service import answer

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
