"""What is taken is titrated, held, lowered or left before anything is added; children and fever have limits of their own."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.fhir.proposals import symptom_of
from tests.builders import ask, found, order, patient

Shown = dict[str, Any]
NORMAL = {"value": 75, "unit": "umol/L", "taken_on": "2026-11-20"}


def of(shown: Shown, action: str, drug: str) -> list[Shown]:
    return [s for s in shown["suggestions"] if (s["action"], s["drug"]) == (action, drug)]


def nerve_pain(engine: Engine, *regimen: Shown, score: float | None = 7, **who: Any) -> Shown:
    symptom = {"name": "neuropathic pain"} | ({"score": score} if score is not None else {})
    return ask(engine, *regimen, who=patient(**{"creatinine": NORMAL, **who}), symptoms=[symptom])


def test_an_adjuvant_with_room_left_is_raised_by_one_starting_dose_a_day(engine: Engine) -> None:
    (raised,) = of(nerve_pain(engine, order("gabapentin", 300, times_per_day=3)), "increase", "gabapentin")
    assert raised["daily_dose"]["value"] == 1200
    assert raised["order"]["times_per_day"] == 3


@pytest.mark.parametrize(("score", "raised"), [(3, 0), (4, 1), (5, 1), (None, 0)])
def test_nothing_is_raised_for_a_symptom_below_4_or_without_a_score(
    engine: Engine, score: float | None, raised: int
) -> None:
    shown = nerve_pain(engine, order("gabapentin", 300, times_per_day=3), score=score)
    assert len(of(shown, "increase", "gabapentin")) == raised


def test_nothing_is_raised_beyond_what_the_kidneys_allow(engine: Engine) -> None:
    failing = {"value": 320, "unit": "umol/L", "taken_on": "2026-11-20"}
    shown = nerve_pain(engine, order("gabapentin", 300, times_per_day=3), creatinine=failing)
    assert not of(shown, "increase", "gabapentin")


def test_a_sedating_adjuvant_is_not_raised_in_the_drowsy(engine: Engine) -> None:
    shown = nerve_pain(engine, order("gabapentin", 300, times_per_day=3), sedation="drowsy")
    assert not of(shown, "increase", "gabapentin")


def test_a_depot_given_every_four_weeks_is_not_titrated_by_the_day(engine: Engine) -> None:
    depot = order("octreotide", 10, route="intramuscular", interval_h=672)
    shown = ask(engine, depot, symptoms=[{"name": "bowel obstruction", "score": 6}])
    assert not of(shown, "increase", "octreotide")


def test_an_infusion_is_raised_by_a_share_and_not_rounded_to_ampoules(engine: Engine) -> None:
    pump = order("morphine", 60, unit="mg/24h", route="subcutaneous infusion", started_on="2026-11-01")
    shown = ask(engine, pump, who=patient(creatinine=NORMAL), symptoms=[{"name": "pain", "score": 8}])
    (raised,) = of(shown, "increase", "morphine")
    assert raised["order"] == {"dose": 90.0, "unit": "mg/24h", "route": "subcutaneous infusion"}


@pytest.mark.parametrize(("score", "offered"), [(3, False), (4, True)])
def test_nothing_is_added_to_an_opioid_that_controls_the_pain(engine: Engine, score: float, offered: bool) -> None:
    slow = order("morphine", 30, form="modified-release tablet", times_per_day=2, started_on="2026-10-01")
    shown = ask(engine, slow, symptoms=[{"name": "pain", "score": score}])
    assert bool(of(shown, "start", "paracetamol")) is offered
    assert offered or any(e["drug"] == "paracetamol" and "controlled" in e["because"][0] for e in shown["excluded"])


@pytest.mark.parametrize(("celsius", "raised"), [(38.4, True), (38.5, False), (38.6, False)])
def test_no_patch_is_raised_from_a_fever_of_38_5(engine: Engine, celsius: float, raised: bool) -> None:
    patch = order(
        "fentanyl", 50, unit="mcg/h", route="transdermal", form="patch", interval_h=72, started_on="2026-10-01"
    )
    shown = ask(engine, patch, who=patient(temperature_c=celsius), symptoms=[{"name": "pain", "score": 6}])
    assert bool(of(shown, "increase", "fentanyl")) is raised


@pytest.mark.parametrize(("age", "offered"), [(8, False), (17.9, False), (18, True), (40, True)])
def test_no_adult_dose_is_offered_below_18_and_it_is_said(engine: Engine, age: float, offered: bool) -> None:
    shown = ask(engine, who=patient(age_years=age), symptoms=[{"name": "pain", "score": 7}])
    assert any(s["order"] for s in shown["suggestions"]) is offered
    told = [n for n in shown["notices"] if n["code"] == "not-covered" and n["field"] == "patient.age_years"]
    assert bool(told) is not offered


def test_a_steroid_that_harms_is_weighed_again_and_never_stopped_at_once(engine: Engine) -> None:
    steroid = order("dexamethasone", 16, times_per_day=1, started_on="2026-11-01")
    who = patient(conditions=["brain metastases", "delirium"])
    shown = ask(engine, steroid, who=who, symptoms=[{"name": "seizures", "score": 6}])
    assert not of(shown, "stop", "dexamethasone")
    (weighed,) = of(shown, "review", "dexamethasone")
    assert "step by step" in weighed["label"]


@pytest.mark.parametrize(("score", "told"), [(0, False), (1, True), (8, True)])
def test_a_symptom_that_is_a_condition_counts_as_one(engine: Engine, score: float, told: bool) -> None:
    shown = ask(
        engine,
        order("metoclopramide", 10, times_per_day=3),
        who=patient(conditions=[]),
        symptoms=[{"name": "bowel obstruction", "score": score}],
    )
    finding = found(shown, "bowel-obstruction", "metoclopramide")
    assert (finding is not None) is told


def test_no_route_is_changed_where_no_analgesic_is_taken_by_mouth(engine: Engine) -> None:
    pump = order("morphine", 30, unit="mg/24h", route="subcutaneous infusion", started_on="2026-11-01")
    who = patient(conditions=["dysphagia"])
    shown = ask(
        engine, pump, order("atorvastatin", 20, times_per_day=1), who=who, symptoms=[{"name": "pain", "score": 6}]
    )
    assert not [s for s in shown["suggestions"] if s["action"] == "switch-route"]


def test_an_antiemetic_at_hand_is_told_once_with_the_first_strong_opioid_and_never_loudly(engine: Engine) -> None:
    naive = ask(engine, symptoms=[{"name": "pain", "score": 7}])
    told = [s for s in naive["suggestions"] if "antiemetic at hand" in s["label"]]
    assert len(told) == 1
    assert told[0]["rank"] > 2
    known = ask(engine, order("ondansetron", 4, times_per_day=2), symptoms=[{"name": "pain", "score": 7}])
    assert not [s for s in known["suggestions"] if "antiemetic at hand" in s["label"]]


@pytest.mark.parametrize(
    ("stated", "symptom"), [("nausea", "nausea"), ("delirium", "delirium"), ("hiccups", "hiccups"), (None, "")]
)
def test_what_may_replace_haloperidol_follows_what_it_is_for_and_is_not_guessed(
    engine: Engine, stated: str | None, symptom: str
) -> None:
    draft = {"reasonCode": [{"text": stated}]} if stated else {}
    assert symptom_of(draft, frozenset({"haloperidol"}), engine) == (symptom, bool(stated))


@pytest.mark.parametrize("kidneys", [{"creatinine": NORMAL}, {"creatinine": {**NORMAL, "value": 400}}])
def test_what_stays_in_the_gut_is_not_given_less_often_for_the_kidneys(engine: Engine, kidneys: Shown) -> None:
    who = patient(conditions=["Clostridioides difficile colitis"], **kidneys)
    shown = ask(engine, who=who, symptoms=[{"name": "diarrhoea", "score": 6}])
    (offered,) = of(shown, "start", "vancomycin")
    assert offered["order"] == {"dose": 125, "unit": "mg", "route": "oral", "times_per_day": 4}


@pytest.mark.parametrize("name", ["nausea", "constipation", "delirium", "headache", "pain"])
def test_a_symptom_that_is_absent_is_offered_nothing_to_begin(engine: Engine, name: str) -> None:
    absent = ask(engine, order("oxycodone", 5, times_per_day=4), symptoms=[{"name": name, "score": 0}])
    assert [s for s in absent["suggestions"] if s["action"] in ("start", "co-prescribe")] == []
    assert name == "pain" or absent["suggestions"] == []
    assert [
        s["action"]
        for s in ask(engine, order("paracetamol", 500), symptoms=[{"name": name, "score": 7}])["suggestions"]
    ]


@pytest.mark.parametrize(("score", "found"), [(0, False), (1, True), (None, True)])
def test_a_sign_of_toxicity_that_is_absent_is_none(engine: Engine, score: float | None, found: bool) -> None:
    taken = order("morphine", 30, times_per_day=2, form="modified-release")
    shown = ask(engine, taken, symptoms=[{"name": "hallucinations", "score": score}])
    assert ("opioid:neurotoxicity" in [f["rule"] for f in shown["findings"]]) is found


def test_a_raise_says_the_step_that_it_makes_and_not_the_one_that_was_meant(engine: Engine) -> None:
    taken = order("morphine", 30, times_per_day=2, form="modified-release tablet")
    shown = ask(engine, taken, symptoms=[{"name": "pain", "score": 6}])
    (raised,) = [s for s in shown["suggestions"] if s["action"] == "increase"]
    assert raised["order"]["dose"] == 35
    assert raised["label"] == "Raise morphine to 35 mg (17% step)"
    assert raised["titration"].startswith("By 25% at most every")


def test_no_rescue_dose_is_added_of_an_opioid_that_these_kidneys_forbid(engine: Engine) -> None:
    taken = order("morphine", 30, times_per_day=2, form="modified-release tablet")
    shown = ask(engine, taken, who=patient(dialysis="haemodialysis"), symptoms=[{"name": "pain", "score": 6}])
    added = [s["drug"] for s in shown["suggestions"] if s["action"] == "co-prescribe"]
    assert "morphine" not in added
    assert any(x["drug"] == "morphine" and x["action"] == "co-prescribe" for x in shown["excluded"])
