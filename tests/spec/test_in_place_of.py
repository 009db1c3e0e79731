"""What does not suit this patient is to be stopped, and does not bar what would take its place."""

from __future__ import annotations

from typing import Any

from medsafe.context.engine import Engine
from tests.builders import ask, order, patient

PROKINETIC = order("metoclopramide", 10, times_per_day=3, route="subcutaneous")


def vomiting(engine: Engine, *regimen: dict[str, Any], conditions: list[str]) -> dict[str, Any]:
    who = patient(conditions=conditions)
    return ask(engine, *regimen, who=who, symptoms=[{"name": "vomiting", "score": 7}])


def of(found: dict[str, Any], action: str, drug: str) -> list[dict[str, Any]]:
    return [s for s in found["suggestions"] if (s["action"], s["drug"]) == (action, drug)]


def test_an_option_barred_by_what_must_stop_is_offered_in_its_place(engine: Engine) -> None:
    found = vomiting(engine, PROKINETIC, conditions=["bowel obstruction"])
    assert found["suggestions"][0]["action"] == "stop"
    (offered,) = of(found, "start", "haloperidol")
    assert offered["in_place_of"] == ["regimen.0"]
    assert "in place of" in offered["label"]
    assert offered["reasons"][0] == "In place of metoclopramide: to be given only when that is not."


def test_an_option_that_fits_beside_it_takes_no_place(engine: Engine) -> None:
    found = vomiting(engine, PROKINETIC, conditions=["bowel obstruction"])
    (offered,) = of(found, "start", "dexamethasone")
    assert offered["in_place_of"] == []


def test_what_suits_the_patient_still_bars_its_rivals(engine: Engine) -> None:
    found = vomiting(engine, PROKINETIC, conditions=[])
    assert not of(found, "stop", "metoclopramide")
    assert not of(found, "start", "haloperidol")
    assert any(e["drug"] == "haloperidol" for e in found["excluded"])


def test_an_opioid_is_never_stopped_this_way(engine: Engine) -> None:
    asthma = patient(conditions=["severe asthma", "paralytic ileus"])
    found = ask(engine, order("morphine", 10, times_per_day=6), who=asthma, symptoms=[{"name": "pain", "score": 7}])
    assert not of(found, "stop", "morphine")


def test_a_new_order_that_does_not_suit_is_not_begun_and_bars_nothing_in_its_place(engine: Engine) -> None:
    shown = ask(
        engine,
        order("co-careldopa", 1, "tablet", times_per_day=4, strength="25 mg/100 mg per tablet"),
        new=[order("haloperidol", 1.5, route="subcutaneous", times_per_day=2)],
        who=patient(conditions=["Parkinson's disease"], age_years=79),
        symptoms=[{"name": "delirium", "score": 8}],
    )
    labels = [s["label"] for s in shown["suggestions"]]
    assert any(label.startswith("Do not begin haloperidol") for label in labels)
    quetiapine = next(s for s in shown["suggestions"] if s["drug"] == "quetiapine")
    assert quetiapine["in_place_of"] == ["new_orders.0"]


def test_an_opioid_that_is_only_now_ordered_is_not_raised(engine: Engine) -> None:
    patch = order("fentanyl", 25, "mcg/h", route="transdermal", form="patch", interval_h=72)
    taken = ask(engine, patch, symptoms=[{"name": "bone pain", "score": 7}])
    ordered = ask(engine, new=[patch], symptoms=[{"name": "bone pain", "score": 7}])
    assert "increase" in [s["action"] for s in taken["suggestions"] if s["drug"] == "fentanyl"]
    assert "increase" not in [s["action"] for s in ordered["suggestions"]]
    reasons = [
        r for e in ordered["excluded"] if (e["action"], e["drug"]) == ("increase", "fentanyl") for r in e["because"]
    ]
    assert "fentanyl is only now ordered: see what it does before it is raised." in reasons


def test_a_burden_speaks_of_the_medicines_that_are_there(engine: Engine) -> None:
    def advice(other: str) -> str:
        findings = ask(engine, order("sertraline", 100), order(other, 400), who=patient(age_years=80))["findings"]
        return " ".join(next(f for f in findings if f["rule"] == "effect:hyponatraemia")["management"])

    assert "Replace the thiazide" in advice("bendroflumethiazide")
    assert "thiazide" not in advice("carbamazepine")
    assert "Replace the antidepressant" in advice("carbamazepine")
