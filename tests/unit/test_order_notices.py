"""What an order says that can't be so is told: components of another product, phases, long-acting forms as needed."""

from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.builders import answer, ask, order


def told(shown: dict[str, Any], field: str) -> list[str]:
    return [n["code"] for n in shown["notices"] if n["field"] == field]


def hazards(shown: dict[str, Any], hazard: str) -> list[str]:
    return [f["severity"] for f in shown["findings"] if f["hazard"] == hazard]


def test_components_that_are_not_those_of_the_name_are_told(engine: Engine) -> None:
    wrong = ask(engine, order("paracetamol", 2, "tablets", components=["codeine"], strength="30 mg"))
    right = ask(
        engine, order("co-codamol", 2, "tablets", components=["paracetamol", "codeine"], strength="500 mg/30 mg")
    )
    assert told(wrong, "regimen.0.drug") == ["ambiguous-drug"]
    assert told(right, "regimen.0.drug") == []


@pytest.mark.parametrize(("phase", "codes"), [("banana", ["missing-data"]), ("Ramp-up", []), ("steady", [])])
def test_a_phase_that_is_not_known_is_told(engine: Engine, phase: str, codes: list[str]) -> None:
    assert told(ask(engine, order("venetoclax", 20, phase=phase)), "regimen.0.phase") == codes


@pytest.mark.parametrize(
    "given",
    [
        order("fentanyl", 25, "mcg/h", route="transdermal", prn=True, max_times_per_day=4),
        order("morphine", 30, times_per_day=None, form="modified-release tablet", prn=True, max_times_per_day=4),
    ],
)
def test_a_long_acting_opioid_as_needed_is_an_error_of_frequency(engine: Engine, given: dict[str, Any]) -> None:
    assert hazards(ask(engine, given), "frequency-error") == ["high"]


def test_a_short_acting_opioid_as_needed_and_a_long_acting_one_by_the_clock_are_none(engine: Engine) -> None:
    regular = order("morphine", 30, times_per_day=2, form="modified-release tablet")
    rescue = order("morphine", 10, times_per_day=None, prn=True, max_times_per_day=6, form="oral solution")
    assert hazards(ask(engine, regular, rescue), "frequency-error") == []


@pytest.mark.parametrize("drug", ["Trulicity", "Ozempic", "tirzepatide"])
def test_a_weekly_injection_every_day_is_an_error_of_frequency(engine: Engine, drug: str) -> None:
    daily = ask(engine, order(drug, 1, route="subcutaneous", times_per_day=1))
    weekly = ask(engine, order(drug, 1, route="subcutaneous", interval_h=168))
    assert (hazards(daily, "frequency-error"), hazards(weekly, "frequency-error")) == (["critical"], [])


@pytest.mark.parametrize(
    ("name", "resolved"),
    [
        ("Zomorph 30mg capsules (Ethypharm UK Ltd)", True),
        ("Morphine sulfate 10mg/1ml solution for injection ampoules (Hameln Pharma Ltd)", True),
        ("Morphine (Codeine UK Ltd)", False),
        ("BUPRENORPHINE 10 MCG/HR TD PTWK", True),
        ("cheese", False),
    ],
)
def test_a_name_with_its_maker_is_read_and_one_with_another_drug_is_not(
    engine: Engine, name: str, resolved: bool
) -> None:
    assert (engine.names.resolve_name(name).status == "resolved") is resolved


@pytest.mark.parametrize(
    ("more", "field", "codes"),
    [
        ({"prn": True, "max_times_per_day": 6, "doses_last_24h": 7}, "doses_last_24h", ["value-implausible"]),
        ({"prn": True, "max_times_per_day": 6, "doses_last_24h": 6}, "doses_last_24h", []),
        ({"replaces": "regimen.0"}, "replaces", ["not-covered"]),
        ({"days_ago": 3}, "days_ago", ["not-covered"]),
        ({"started_on": "2026-11-27"}, "started_on", ["value-implausible"]),
        ({"started_on": "2026-11-26"}, "started_on", []),
        ({"started_on": "2026-11-20", "taken_for_days": 100}, "taken_for_days", ["value-implausible"]),
        ({"started_on": "2026-11-20", "taken_for_days": 7}, "taken_for_days", []),
    ],
)
def test_what_an_order_says_twice_or_in_the_wrong_place_is_told(
    engine: Engine, more: dict[str, Any], field: str, codes: list[str]
) -> None:
    shown = ask(engine, order("morphine", 10, **more), as_of="2026-11-26")
    assert told(shown, f"regimen.0.{field}") == codes


def test_a_start_without_the_date_of_the_check_is_told(engine: Engine) -> None:
    shown = answer({"regimen": [order("morphine", 10, started_on="2026-11-20")]}, engine)
    assert told(shown, "as_of") == ["missing-data"]


def test_a_search_hears_what_is_spelt_otherwise(engine: Engine) -> None:
    assert engine.names.search("morfin")[0].id == "morphine"
    assert engine.names.search("fenitoin")[0].id == "phenytoin"


@pytest.mark.parametrize(
    ("name", "strength"),
    [
        ("co-codamol", "30 mg/500 mg"),
        ("co-codamol", "500 mg/30 mg"),
        ("co-codamol 500/30", ""),
        ("paracetamol/codeine", "30 mg/500 mg"),
        ("paracetamol 500 mg / codeine 30 mg", ""),
        ("codeine/paracetamol 500 mg/30 mg", ""),
    ],
)
def test_a_combination_is_read_whichever_way_round_its_strengths_stand(
    engine: Engine, name: str, strength: str
) -> None:
    shown = ask(engine, order(name, 2, "tablets", times_per_day=4, strength=strength))
    assert shown["opioids"]["ome_mg_per_day"] == 24
