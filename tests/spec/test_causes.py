"""What is taken may be the cause: it is named, lowered to what fits, or given another way, before anything is added."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, order, patient

Shown = dict[str, Any]
SLOW = order("morphine", 20, form="modified-release tablet", times_per_day=2, started_on="2026-10-01")


def of(shown: Shown, action: str, drug: str | None) -> list[dict[str, Any]]:
    return [s for s in shown["suggestions"] if (s["action"], s["drug"]) == (action, drug)]


@pytest.mark.parametrize(("daily", "lowered"), [(150, False), (200, True)])
def test_what_is_more_than_fits_and_can_cause_the_symptom_is_lowered_to_what_fits(
    engine: Engine, daily: float, lowered: bool
) -> None:
    failing = patient(age_years=71, weight_kg=58, creatinine={"value": 200, "unit": "umol/L"})
    taken = order("pregabalin", daily / 2, times_per_day=2, started_on="2026-06-01")
    shown = ask(engine, taken, who=failing, symptoms=[{"name": "drowsiness", "score": 5}])
    found = of(shown, "reduce", "pregabalin")
    assert bool(found) is lowered
    assert all(s["daily_dose"]["value"] <= 150 for s in found)


def test_the_medicines_of_which_a_symptom_may_be_the_sign_are_named(engine: Engine) -> None:
    taken = [order("oxybutynin", 5, times_per_day=3), order("amitriptyline", 25)]
    symptoms = [{"name": "delirium", "score": 6}]
    old = patient(age_years=81)
    named = [s["label"] for s in ask(engine, *taken, who=old, symptoms=symptoms)["suggestions"]]
    assert any("oxybutynin" in label and "amitriptyline" in label for label in named)
    plain = [s["label"] for s in ask(engine, order("paracetamol", 500), who=old, symptoms=symptoms)["suggestions"]]
    assert not any("paracetamol" in label for label in plain)


def test_in_the_last_days_nobody_is_asked_what_is_meant_to_sedate(engine: Engine) -> None:
    pump = [
        order("morphine", 30, "mg/24h", route="subcutaneous infusion", started_on="2026-10-01"),
        order("midazolam", 10, "mg/24h", route="subcutaneous infusion"),
    ]
    dying = patient(conditions=["last days of life"])
    shown = ask(engine, *pump, who=dying, symptoms=[{"name": "drowsiness", "score": 6}])
    assert not any("midazolam" in s["label"] for s in shown["suggestions"])


@pytest.mark.parametrize(("rescue", "offered"), [(False, True), (True, False)])
def test_a_regular_opioid_without_a_rescue_dose_is_offered_one(engine: Engine, rescue: bool, offered: bool) -> None:
    quick = order("morphine", 5, form="immediate-release", prn=True, max_times_per_day=6)
    shown = ask(engine, SLOW, *([quick] if rescue else []), symptoms=[{"name": "pain", "score": 5}])
    found = of(shown, "co-prescribe", "morphine")
    assert bool(found) is offered
    assert all(s["order"]["prn"] and 3 <= s["order"]["dose"] <= 7 for s in found)


def test_a_rescue_dose_that_must_not_be_given_is_none(engine: Engine) -> None:
    nasal = order("fentanyl", 100, "mcg", route="intranasal", form="nasal spray", prn=True, max_times_per_day=4)
    shown = ask(engine, SLOW, new=[nasal], symptoms=[{"name": "pain", "score": 5}])
    assert of(shown, "co-prescribe", "morphine")


def test_no_rescue_dose_is_worked_out_from_maintenance(engine: Engine) -> None:
    dependent = patient(conditions=["opioid use disorder"])
    methadone = order("methadone", 70, started_on="2025-01-01")
    shown = ask(engine, methadone, who=dependent, symptoms=[{"name": "pain", "score": 7}])
    assert not [
        s for s in shown["suggestions"] if s["action"] == "co-prescribe" and s["order"] and s["order"].get("prn")
    ]


@pytest.mark.parametrize(("dying", "patch"), [(False, True), (True, False)])
def test_in_the_last_days_no_patch_is_begun_and_the_same_opioid_changes_its_route(
    engine: Engine, dying: bool, patch: bool
) -> None:
    who = patient(conditions=["dysphagia", *(["last days of life"] if dying else [])])
    slow = {**SLOW, "dose": 60}
    shown = ask(engine, slow, who=who, symptoms=[{"name": "pain", "score": 5}])
    assert bool(of(shown, "rotate", "fentanyl")) is patch
    (kept, *_) = of(shown, "rotate", "morphine")
    assert kept["label"].startswith("Give morphine by another route")
    if dying:
        why = [e["because"] for e in shown["excluded"] if (e["action"], e["drug"]) == ("rotate", "fentanyl")]
        assert "patch" in why[0][0]


def test_a_patch_that_may_not_be_absorbed_changes_its_route_before_it_is_raised(engine: Engine) -> None:
    worn = order("fentanyl", 50, "mcg/h", route="transdermal", form="patch", interval_h=72, started_on="2026-10-01")
    ranks = {}
    for conditions in ([], ["cachexia"]):
        shown = ask(engine, worn, who=patient(conditions=conditions), symptoms=[{"name": "pain", "score": 7}])
        (raised,) = of(shown, "increase", "fentanyl")
        ranks[bool(conditions)] = raised["rank"]
        assert not any(s["order"]["route"] == "transdermal" for s in of(shown, "rotate", "fentanyl"))
    assert ranks[True] > ranks[False]


def test_what_takes_an_opioids_place_beside_the_same_sedative_is_offered_with_the_hazard_told(engine: Engine) -> None:
    taken = [
        order("oxycodone", 40, form="modified-release tablet", times_per_day=2, started_on="2026-08-01"),
        order("diazepam", 5, times_per_day=2, started_on="2026-01-01"),
    ]
    symptoms = [{"name": "pain", "score": 3}, {"name": "myoclonus", "score": 6}]
    shown = ask(engine, *taken, who=patient(), symptoms=symptoms)
    (offered, *_) = of(shown, "rotate", "fentanyl")
    assert "cns-respiratory-depression" in {c["hazard"] for c in offered["cautions"]}
