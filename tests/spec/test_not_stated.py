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


MR_OXYCODONE = {"drug": "oxycodone", "dose": 20, "unit": "mg", "route": "oral", "times_per_day": 2}


@pytest.mark.parametrize(
    ("form", "regimen", "asked"),
    [
        (None, [{**MORPHINE, "form": "modified-release"}], True),
        ("modified-release tablet", [{**MORPHINE, "form": "modified-release"}], False),
        ("oral solution", [{**MORPHINE, "form": "modified-release"}], False),
        (None, [], True),
        ("oral solution", [], False),
    ],
)
def test_the_form_of_a_regular_opioid_is_asked_where_two_long_acting_ones_or_a_naive_patient_could_be(
    engine: Engine, form: str | None, regimen: list[dict[str, Any]], asked: bool
) -> None:
    order = {**MR_OXYCODONE, **({"form": form} if form else {})}
    assert ("the form of oxycodone" in quiet(notices(engine, {}, *regimen, new_orders=[order]))) is asked


def test_no_form_is_asked_of_a_medicine_whose_forms_are_all_judged_alike(engine: Engine) -> None:
    senna = {"drug": "senna", "dose": 15, "unit": "mg", "route": "oral", "times_per_day": 1}
    assert "the form of senna" not in quiet(notices(engine, {}, senna))


def test_two_orders_written_alike_are_told_apart_by_their_place(engine: Engine) -> None:
    order = {"drug": "posaconazole", "dose": 300, "unit": "mg", "route": "oral", "times_per_day": 1}
    assert "the form of posaconazole (regimen.1)" in quiet(notices(engine, {}, order, order))
    assert "(regimen" not in quiet(notices(engine, {}, order))


@pytest.mark.parametrize(("replaces", "asked"), [(None, True), ("regimen.0", False)])
def test_whether_a_second_opioid_takes_the_place_of_the_first_is_asked(
    engine: Engine, replaces: str | None, asked: bool
) -> None:
    order = {**MR_OXYCODONE, "form": "modified-release", **({"replaces": replaces} if replaces else {})}
    shown = answer({"as_of": DAY, "patient": {}, "regimen": [MORPHINE], "new_orders": [order]}, engine)
    assert ("whether oxycodone takes the place of another order" in quiet(shown["notices"])) is asked


def test_a_new_order_of_another_kind_is_not_asked_whether_it_takes_a_place(engine: Engine) -> None:
    senna = {"drug": "senna", "dose": 15, "unit": "mg", "route": "oral", "times_per_day": 1}
    shown = answer({"as_of": DAY, "patient": {}, "regimen": [MORPHINE], "new_orders": [senna]}, engine)
    assert "takes the place" not in quiet(shown["notices"])


@pytest.mark.parametrize(("said", "asked"), [({}, True), ({"phase": "steady"}, False), ({"taken_for_days": 40}, False)])
def test_what_goes_on_in_the_place_of_a_stopped_medicine_is_asked_whether_it_is_regular(
    engine: Engine, said: dict[str, Any], asked: bool
) -> None:
    taken = {"drug": "levetiracetam", "dose": 500, "unit": "mg", "route": "oral", "times_per_day": 2, **said}
    body = {
        "as_of": DAY,
        "patient": {},
        "regimen": [taken],
        "recently_stopped": [{"drug": "carbamazepine", "route": "oral", "days_ago": 1, "taken_for_days": 90}],
    }
    assert ("in the place of carbamazepine" in quiet(answer(body, engine)["notices"])) is asked


@pytest.mark.parametrize(
    ("renal", "found", "asked"),
    [
        ({}, False, True),
        ({"dialysis": "haemodialysis"}, True, False),
        ({"cystatin_c": lab(2.8, DAY, "mg/L")}, True, False),
        ({"cystatin_c": lab(0.9, DAY, "mg/L")}, False, False),
        ({"creatinine": lab(80)}, False, False),
    ],
)
def test_a_clouded_mind_on_an_opioid_is_never_silent_for_want_of_a_creatinine(
    engine: Engine, renal: dict[str, Any], found: bool, asked: bool
) -> None:
    patient = {"age_years": 70, "sex": "female", "weight_kg": 60, "height_cm": 165, "sedation": "drowsy", **renal}
    shown = answer({"as_of": DAY, "patient": patient, "regimen": [MORPHINE]}, engine)
    assert ("opioid:neurotoxicity-possible" in [f["rule"] for f in shown["findings"]]) is found
    told = [n for n in shown["notices"] if n["field"] == "patient.creatinine" and "opioid-safety" in n["blocks"]]
    assert bool(told) is asked


def test_smoking_is_asked_where_tobacco_adds_to_an_effect(engine: Engine) -> None:
    pill = {"drug": "ethinylestradiol", "dose": 0.03, "unit": "mg", "route": "oral", "times_per_day": 1}
    assert "smoking" in quiet(notices(engine, {}, pill))


@pytest.mark.parametrize(
    ("missing", "field"), [("ast", "patient.ast"), ("bilirubin", "patient.bilirubin"), (None, None)]
)
def test_the_value_that_is_missing_is_the_one_that_is_asked_for(
    engine: Engine, missing: str | None, field: str | None
) -> None:
    patient = {"bilirubin": lab(9), "ast": lab(30, DAY, "U/L")}
    patient = {key: value for key, value in patient.items() if key != missing}
    order = {"drug": "trabectedin", "dose": 1.2, "unit": "mg", "route": "intravenous", "phase": "single-dose"}
    about = [n["field"] for n in notices(engine, patient, order) if "hepatic-caution" in n["blocks"]]
    assert set(about) & {"patient.ast", "patient.bilirubin"} == ({field} if field else set())
