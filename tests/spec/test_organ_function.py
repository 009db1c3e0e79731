"""`POST /v1/organ-function`: every estimate, with its working, null where an input is missing."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient


def ask(client: FlaskClient, **patient: Any) -> Any:
    answer = client.post("/v1/organ-function", json={"as_of": "2026-11-23", "patient": patient})
    assert answer.status_code == 200
    return answer.get_json()


def test_every_estimate_of_a_whole_patient_is_given_with_its_working(client: FlaskClient) -> None:
    shown = ask(
        client,
        age_years=67,
        sex="female",
        weight_kg=48,
        height_cm=162,
        creatinine={"value": 168, "unit": "umol/L"},
        cystatin_c={"value": 2.0, "unit": "mg/L"},
        bilirubin={"value": 60, "unit": "umol/L"},
        albumin={"value": 27, "unit": "g/L"},
        inr=1.8,
        ascites="moderate",
        encephalopathy="none",
        sodium={"value": 132, "unit": "mmol/L"},
        qt_ms=400,
        heart_rate_bpm=80,
        ast={"value": 90, "unit": "U/L"},
        conditions=["cirrhosis"],
        urine_acr={"value": 50, "unit": "mg/g"},
    )
    assert shown["renal"]["crcl_ml_min"] is not None
    assert shown["renal"]["kdigo"] == "G4"
    assert shown["renal"]["albuminuria"] == "A2"
    assert all(shown["renal"]["egfr"].values())
    assert shown["hepatic"]["child_pugh"] == {
        "class": "C",
        "score": 12,
        "missing": [],
        "best_case": "C",
        "worst_case": "C",
    }
    assert shown["hepatic"]["meld_3_0"] > 20
    assert shown["cardiac"]["qtc_ms"] > 400
    assert "140" in shown["renal"]["working"]["crcl_ml_min"]


def test_an_estimate_without_its_input_is_null_and_told(client: FlaskClient) -> None:
    shown = ask(client, age_years=67, sex="female")
    assert shown["renal"]["crcl_ml_min"] is None
    assert shown["renal"]["egfr_ml_min_173m2"] is None
    assert shown["hepatic"]["meld_na"] is None
    assert ("missing-lab", "patient.creatinine") in {(n["code"], n["field"]) for n in shown["notices"]}


def test_a_rising_creatinine_is_a_caveat(client: FlaskClient) -> None:
    shown = ask(
        client,
        age_years=67,
        sex="female",
        weight_kg=48,
        creatinine={"value": 168, "unit": "umol/L", "taken_on": "2026-11-20"},
        previous_creatinine={"value": 90, "unit": "umol/L", "taken_on": "2026-10-24"},
    )
    assert any("rising" in caveat for caveat in shown["renal"]["caveats"])


def test_creatinine_and_cystatin_that_disagree_give_the_lower(client: FlaskClient) -> None:
    shown = ask(
        client,
        age_years=67,
        sex="female",
        weight_kg=48,
        creatinine={"value": 60, "unit": "umol/L"},
        cystatin_c={"value": 2.4, "unit": "mg/L"},
    )
    assert shown["renal"]["egfr_ml_min_173m2"] == shown["renal"]["egfr"]["ckd_epi_2012_cystatin_c"]
    assert any("disagree" in caveat for caveat in shown["renal"]["caveats"])


def test_a_child_is_given_no_adult_estimate(client: FlaskClient) -> None:
    shown = ask(client, age_years=9, sex="female", weight_kg=28, creatinine={"value": 45, "unit": "umol/L"})
    assert shown["renal"]["crcl_ml_min"] is None


def test_the_estimates_stand_where_a_review_has_them_too(client: FlaskClient) -> None:
    patient = {"age_years": 67, "sex": "female", "weight_kg": 48, "creatinine": {"value": 168, "unit": "umol/L"}}
    shown = ask(client, **patient)
    reviewed = client.post("/v1/check", json={"as_of": "2026-11-23", "patient": patient}).get_json()
    assert shown["organ_function"] == {part: shown[part] for part in ("body", "renal", "hepatic", "cardiac")}
    assert shown["organ_function"]["renal"] == reviewed["organ_function"]["renal"]
