"""Raised liver enzymes and severe anaemia speak for the medicines that cause them."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.service import answer


def findings(engine: Engine, drug: str, dose: float, **patient: Any) -> list[dict[str, Any]]:
    order = {"drug": drug, "dose": dose, "unit": "mg", "route": "oral", "times_per_day": 1}
    body = {"patient": {"age_years": 50, "conditions": [], "allergies": [], **patient}, "regimen": [order]}
    found: list[dict[str, Any]] = answer(body, engine)["findings"]
    return found


def value(number: float | None, unit: str) -> dict[str, Any] | None:
    return None if number is None else {"value": number, "unit": unit}


@pytest.mark.parametrize(("alt", "told"), [(199, False), (200, True), (201, True), (None, False)])
@pytest.mark.parametrize(
    ("drug", "dose"), [("paracetamol", 500), ("methotrexate", 10), ("atorvastatin", 20), ("pazopanib", 800)]
)
def test_an_alt_of_five_times_normal_speaks_against_what_injures_the_liver(
    engine: Engine, drug: str, dose: float, alt: float | None, told: bool
) -> None:
    found = findings(engine, drug, dose, alt=value(alt, "U/L"))
    assert any("liver injury" in f["consequence"].casefold() for f in found) is told


@pytest.mark.parametrize(("haemoglobin", "told"), [(79, True), (80, False), (81, False), (None, False)])
@pytest.mark.parametrize(("drug", "dose"), [("apixaban", 5), ("clopidogrel", 75)])
def test_severe_anaemia_asks_for_bleeding_before_the_next_dose(
    engine: Engine, drug: str, dose: float, haemoglobin: float | None, told: bool
) -> None:
    found = findings(engine, drug, dose, haemoglobin=value(haemoglobin, "g/L"))
    assert any("severe anaemia" in f["consequence"].casefold() for f in found) is told
