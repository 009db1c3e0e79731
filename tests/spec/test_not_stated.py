"""Each thing that was left out is named where it could have counted, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.service import answer

DAY = "2026-11-23"
MORPHINE = {
    "drug": "morphine",
    "dose": 30,
    "unit": "mg",
    "route": "oral",
    "form": "modified-release",
    "times_per_day": 2,
}
STATED: dict[str, Any] = {
    "age_years": 70,
    "sex": "male",
    "weight_kg": 60,
    "height_cm": 170,
    "dialysis": "none",
    "conditions": [],
    "allergies": [],
}


def lab(value: float, taken_on: str | None = DAY, unit: str = "umol/L") -> dict[str, Any]:
    return {"value": value, "unit": unit, "taken_on": taken_on}


def notices(engine: Engine, patient: dict[str, Any], *orders: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    case = {"as_of": DAY, "patient": {**STATED, **patient}, "regimen": list(orders), "recently_stopped": [], **more}
    return list(answer({"symptoms": [], "history": [], **case}, engine)["notices"])


def quiet(found: list[dict[str, Any]]) -> str:
    return "".join(n["message"] for n in found if n["field"] == "patient")


@pytest.mark.parametrize(
    ("dose", "indication", "asked"), [(20, "", True), (15, "", False), (20, "DVT treatment", False)]
)
def test_what_a_medicine_is_for_is_asked_where_a_limit_of_one_use_would_be_broken(
    engine: Engine, dose: float, indication: str, asked: bool
) -> None:
    order = {"drug": "rivaroxaban", "dose": dose, "unit": "mg", "route": "oral", "times_per_day": 1}
    found = notices(engine, {"creatinine": lab(160)}, {**order, "indication": indication})
    assert ("what rivaroxaban is for" in quiet(found)) is asked


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({"max_times_per_day": 4}, True),
        ({"doses_last_24h": 3}, True),
        ({"max_times_per_day": 4, "prn": True}, False),
        ({"max_times_per_day": 4, "prn": False}, False),
        ({"max_times_per_day": 4, "times_per_day": 4}, False),
        ({"interval_h": 6}, False),
    ],
)
def test_whether_an_order_is_as_needed_is_asked_where_it_reads_so(
    engine: Engine, said: dict[str, Any], asked: bool
) -> None:
    rescue = {"drug": "morphine", "dose": 10, "unit": "mg", "route": "oral", **said}
    fields = [n["field"] for n in notices(engine, {}, MORPHINE, rescue)]
    assert ("regimen.1.prn" in fields) is asked


@pytest.mark.parametrize(
    ("now", "earlier", "on", "asked"),
    [
        (180, 90, None, True),
        (90 + 26.5, 90, None, True),
        (90 + 26.4, 90, None, False),
        (180, 90, "2026-11-20", False),
        (90, 180, None, False),
    ],
)
def test_a_rise_of_creatinine_without_dates_is_told_where_it_could_be_acute(
    engine: Engine, now: float, earlier: float, on: str | None, asked: bool
) -> None:
    patient = {"creatinine": lab(now), "previous_creatinine": lab(earlier, on)}
    told = [n for n in notices(engine, patient, MORPHINE) if n["field"] == "patient.previous_creatinine"]
    assert bool(told) is asked


def test_creatinine_of_a_dialysed_patient_is_named_where_an_injury_would_count(engine: Engine) -> None:
    losartan = {"drug": "losartan", "dose": 50, "unit": "mg", "route": "oral", "times_per_day": 1}
    senna = {"drug": "senna", "dose": 15, "unit": "mg", "route": "oral", "times_per_day": 1}
    dialysed = {"dialysis": "haemodialysis", "potassium": lab(4.2, DAY, "mmol/L")}
    assert "creatinine" in quiet(notices(engine, dialysed, losartan))
    assert "creatinine" not in quiet(notices(engine, dialysed, senna))


@pytest.mark.parametrize(("creatinine", "score", "asked"), [(400, None, True), (400, 1, False), (70, None, False)])
def test_how_drowsy_is_asked_where_opioids_meet_failing_kidneys(
    engine: Engine, creatinine: float, score: float | None, asked: bool
) -> None:
    patient = {"creatinine": lab(creatinine), "sedation": "alert", "respiratory_rate": 14}
    found = notices(engine, patient, MORPHINE, symptoms=[{"name": "drowsiness", "score": score}])
    assert ("how drowsy" in quiet(found)) is asked


@pytest.mark.parametrize(("now", "found"), [(92, False), (180, True)])
def test_a_second_creatinine_that_did_not_rise_is_no_failing_kidney(engine: Engine, now: float, found: bool) -> None:
    patient = {**STATED, "creatinine": lab(now), "previous_creatinine": lab(90, "2026-11-20"), "sedation": "drowsy"}
    shown = answer({"as_of": DAY, "patient": patient, "regimen": [MORPHINE]}, engine)
    assert ("opioid:neurotoxicity-possible" in [f["rule"] for f in shown["findings"]]) is found
