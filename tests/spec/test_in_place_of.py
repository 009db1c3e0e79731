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
