"""The same medicines, louder or quieter by dose and by what is measured in the patient."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, order, patient, severity

LOWERING = ("amlodipine", "furosemide", "verapamil", "hydrochlorothiazide", "metoprolol")


@pytest.mark.parametrize(
    ("partner", "mg", "expected"),
    [
        ("verapamil", 10, "moderate"),
        ("verapamil", 20, "high"),
        ("diltiazem", 10, "moderate"),
        ("diltiazem", 20, "high"),
        ("amiodarone", 40, "high"),
        ("fluconazole", 10, "high"),
        ("clarithromycin", 10, "critical"),
    ],
)
def test_simvastatin_is_judged_by_the_cap_of_its_label(engine: Engine, partner: str, mg: float, expected: str) -> None:
    shown = ask(engine, order("simvastatin", mg), order(partner, 200, times_per_day=1))
    assert severity(shown, "exposure-increase", "simvastatin", partner) == expected


def test_a_statin_without_a_dose_is_taken_to_be_above_the_cap(engine: Engine) -> None:
    shown = ask(engine, order("simvastatin"), order("verapamil", 80, times_per_day=3))
    assert severity(shown, "exposure-increase", "simvastatin", "verapamil") == "high"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "moderate"),
        ({"systolic_bp_mmhg": 100}, "moderate"),
        ({"systolic_bp_mmhg": 99}, "high"),
        ({"conditions": ["falls"]}, "high"),
        ({"conditions": ["syncope"]}, "high"),
        ({"systolic_bp_mmhg": None}, "moderate"),
    ],
)
def test_antihypertensives_together_call_for_a_change_only_with_a_sign_of_low_pressure(
    engine: Engine, changes: dict[str, Any], expected: str
) -> None:
    shown = ask(engine, *(order(drug, 25) for drug in LOWERING), who=patient(**changes))
    assert severity(shown, "hypotension", *LOWERING) == expected


@pytest.mark.parametrize(("qtc_ms", "severity_"), [(469, None), (470, "low"), (499, "low"), (500, "high")])
def test_one_medicine_of_middle_weight_is_told_where_the_qt_is_long_already(
    engine: Engine, qtc_ms: float, severity_: str | None
) -> None:
    shown = ask(engine, new=[order("levofloxacin", 500)], who=patient(qtc_ms=qtc_ms))
    told = [f["severity"] for f in shown["findings"] if f["hazard"] == "qt-prolongation"]
    assert told == ([severity_] if severity_ else [])


def test_a_qtc_that_is_missing_for_one_medicine_of_middle_weight_is_not_asked_after_by_itself(engine: Engine) -> None:
    shown = ask(engine, new=[order("levofloxacin", 500)], who=patient(qtc_ms=None))
    assert [n for n in shown["notices"] if n["field"] == "patient.qtc_ms"] == []
    assert any("QTc" in n["message"] for n in shown["notices"] if n["field"] == "patient")
