"""Domain words with safe defaults, to write cases in tests."""

from __future__ import annotations

from typing import Any

from medsafe.context.engine import Engine
from medsafe.service import answer

# An adult in whom nothing is missing and everything is normal.
NORMAL: dict[str, Any] = {
    "age_years": 55,
    "sex": "male",
    "weight_kg": 75,
    "height_cm": 178,
    "dialysis": "none",
    "ascites": "none",
    "encephalopathy": "none",
    "creatinine": {"value": 80, "unit": "umol/L", "taken_on": "2026-11-20"},
    "bilirubin": {"value": 10, "unit": "umol/L", "taken_on": "2026-11-20"},
    "albumin": {"value": 42, "unit": "g/L", "taken_on": "2026-11-20"},
    "inr": 1.0,
    "platelets": {"value": 250, "unit": "10^9/L", "taken_on": "2026-11-20"},
    "neutrophils": {"value": 4, "unit": "10^9/L", "taken_on": "2026-11-20"},
    "haemoglobin": {"value": 140, "unit": "g/L", "taken_on": "2026-11-20"},
    "sodium": {"value": 140, "unit": "mmol/L", "taken_on": "2026-11-20"},
    "potassium": {"value": 4.2, "unit": "mmol/L", "taken_on": "2026-11-20"},
    "magnesium": {"value": 0.85, "unit": "mmol/L", "taken_on": "2026-11-20"},
    "calcium": {"value": 2.35, "unit": "mmol/L", "taken_on": "2026-11-20"},
    "glucose": {"value": 5.5, "unit": "mmol/L", "taken_on": "2026-11-20"},
    "qtc_ms": 420,
    "heart_rate_bpm": 72,
    "respiratory_rate": 14,
    "sedation": "alert",
    "temperature_c": 36.8,
    "systolic_bp_mmhg": 125,
    "conditions": [],
    "allergies": [],
}


def patient(**changes: Any) -> dict[str, Any]:
    """The normal adult with changes; None leaves a value out."""
    merged = {**NORMAL, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def order(
    drug: str,
    dose: float | None = None,
    unit: str = "mg",
    times_per_day: float | None = 1,
    route: str = "oral",
    **more: Any,
) -> dict[str, Any]:
    """One order."""
    found: dict[str, Any] = {"drug": drug, "route": route, **more}
    if dose is not None:
        found |= {"dose": dose, "unit": unit}
    if times_per_day is not None and "interval_h" not in more and "/h" not in unit:
        found["times_per_day"] = times_per_day
    return found


def body(
    *regimen: dict[str, Any], new: list[dict[str, Any]] | None = None, who: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A request body."""
    return {
        "as_of": "2026-11-23",
        "patient": who if who is not None else patient(),
        "regimen": list(regimen),
        "new_orders": new or [],
        **more,
    }


def ask(engine: Engine, *regimen: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The answer to a case."""
    return answer(body(*regimen, **more), engine)


def found(shown: dict[str, Any], hazard: str, *drugs: str) -> dict[str, Any] | None:
    """The finding with this hazard that names all these drugs."""
    return next((f for f in shown["findings"] if f["hazard"] == hazard and set(drugs) <= set(f["drugs"])), None)


def severity(shown: dict[str, Any], hazard: str, *drugs: str) -> str:
    """Its severity; "none" where there is no such finding."""
    finding = found(shown, hazard, *drugs)
    return finding["severity"] if finding else "none"


def notices(shown: dict[str, Any]) -> set[tuple[str, str]]:
    """(code, field) of every notice."""
    return {(n["code"], n["field"]) for n in shown["notices"]}
