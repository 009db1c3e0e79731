"""How a dose is read: units in their dialects, strengths by volume, doses by size, and what is said twice."""

from dataclasses import replace
from typing import Any

import pytest

from medsafe.context.amounts import Part, read_dose, read_strengths, read_unit
from medsafe.identity.text import Strength
from medsafe.model.case import DrugRef, Order

MG = Part("mg")
SIZE = {"kg": 60.0, "m2": 1.7}


def order(dose: float, unit: str, strength: str = "", **more: Any) -> Order:
    return Order("regimen.0", DrugRef(name="alpha", strength=strength), dose, unit, **{"times_per_day": 2.0, **more})


@pytest.mark.parametrize("unit", ["mg", "MG", " mg ", "mg.", "mgs", "milligrams", "[mg]", "mg/dose"])
def test_a_unit_is_read_in_every_usual_spelling(unit: str) -> None:
    assert read_dose(order(30, unit), MG).daily == 60


@pytest.mark.parametrize(
    ("dose", "unit", "strength", "single"),
    [
        (5, "mL", "10 mg/5 mL", 10),
        (5, "mls", "10mg in 5ml", 10),
        (0.5, "cc", "20 mg/mL", 10),
        (5, "millilitres", "10 mg per 5 mL", 10),
        (0.01, "L", "10 mg/5 mL", 20),
        (2, "tablet(s)", "1,000 mg", 2000),
        (2, "each", ".5 mg", 1),
        (1, "syringe", "40 mg/0.4 mL", 40),
        (2, "sprays", "100 mcg/spray", 0.2),
        (20, "drops", "2.5 mg/drop", 50),
        (10, "mL", "1%", 100),
        (0.5, "mL", "1 in 1,000", 0.5),
    ],
)
def test_what_is_counted_is_read_through_its_strength(dose: float, unit: str, strength: str, single: float) -> None:
    assert read_dose(order(dose, unit, strength), MG).single == pytest.approx(single)


@pytest.mark.parametrize(
    ("unit", "strength"),
    [("drops", "100 mg/mL"), ("mL", "10 mg"), ("vial", "10 mg/mL"), ("tablets", "30 mg/500 mg"), ("mL", "")],
)
def test_what_the_strength_does_not_tell_is_no_dose(unit: str, strength: str) -> None:
    read = read_dose(order(20, unit, strength), MG)
    assert (read.single, read.daily, read.part) == (None, None, "drug.strength")


def test_a_strength_in_the_name_counts_by_its_volume() -> None:
    named = replace(MG, known=Strength(10, "mg", 5, "ml"))
    assert read_dose(order(5, "ml", times_per_day=6.0), named).daily == 60


def test_a_patch_worn_for_days_gives_its_amount_over_them() -> None:
    patch = order(1, "patch", "1 mg/72 h", times_per_day=None, interval_h=72.0)
    assert read_dose(patch, MG).daily == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("dose", "unit", "strength", "daily"),
    [
        (1.25, "mg/hr", "", 30),
        (30, "mg over 24 hours", "", 30),
        (30, "mg/d", "", 30),
        (2, "mL/h", "1 mg/mL", 48),
        (48, "mL/24h", "50 mg/50 mL", 48),
        (1, "mcg/kg/min", "", 86.4),
        (15, "mg/kg/day", "", 900),
    ],
)
def test_an_infusion_is_read_by_its_rate(dose: float, unit: str, strength: str, daily: float) -> None:
    read = read_dose(order(dose, unit, strength, times_per_day=None), replace(MG, size=SIZE))
    assert (read.daily, read.is_rate) == (pytest.approx(daily), True)


@pytest.mark.parametrize(("unit", "single"), [("mg/kg", 900), ("mg/m2", 25.5), ("mg/m²", 25.5), ("mg/m^2", 25.5)])
def test_a_dose_by_size_is_multiplied_by_the_patient_and_without_one_is_told(unit: str, single: float) -> None:
    assert read_dose(order(15, unit), replace(MG, size=SIZE)).single == pytest.approx(single)
    assert read_dose(order(15, unit), MG).problem.startswith(f"a dose in {unit} needs the patient's weight")


@pytest.mark.parametrize("unit", ["mg/week", "mg/furlong", "mg/kg/kg", "blob", "mg/0h"])
def test_a_unit_that_is_not_known_is_doubted(unit: str) -> None:
    assert read_dose(order(15, unit), replace(MG, size=SIZE)).code == "unit-suspect"


def test_frequency_said_twice_must_agree() -> None:
    assert read_dose(order(10, "mg", interval_h=12.0), MG).daily == 20
    assert read_dose(order(10, "mg", times_per_day=0.33, interval_h=72.0), MG).daily == pytest.approx(3.3)
    clash = read_dose(order(10, "mg", interval_h=4.0), MG)
    assert (clash.single, clash.daily, clash.part) == (10, None, "times_per_day")
    assert read_dose(order(10, "mg", interval_h=1.0, prn=True), MG).daily == 20


def test_more_amounts_than_ingredients_are_no_strength() -> None:
    assert read_dose(order(2, "tablets", "30 mg/500 mg/65 mg"), replace(MG, count=2)).problem
    assert read_dose(order(2, "tablets", "30 mg/500 mg"), replace(MG, position=1, count=2)).single == 1000


def test_units_and_strengths_are_taken_apart() -> None:
    assert read_unit("mg/24 hrs").hours == 24
    assert [str(s) for s in read_strengths("240 mg/5 mL + 10 mg/5 mL")] == ["240 mg/5 ml", "10 mg/5 ml"]


@pytest.mark.parametrize(
    ("unit", "route", "daily"), [("mg/h", "oral", None), ("mg/day", "oral", 10), ("mg/h", None, 240)]
)
def test_a_rate_an_hour_is_not_swallowed(unit: str, route: str | None, daily: float | None) -> None:
    read = read_dose(order(10, unit, route=route), MG)
    assert (read.daily, read.code) == (daily, "unit-suspect" if daily is None else "missing-data")
