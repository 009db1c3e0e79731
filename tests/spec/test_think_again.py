"""When to think again: inertia, over-treatment, what to watch and when, crisis plans, and words by what care aims at."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, order

Shown = dict[str, Any]
GIVEN = ("start", "increase", "rotate", "reduce")


def on_morphine(engine: Engine, pain: float, rescues: float, drowsiness: float = 0, **goals: Any) -> Shown:
    slow = order("morphine", 30, form="modified-release tablet", times_per_day=2, started_on="2026-10-01")
    quick = order("morphine", 10, form="immediate-release", prn=True, max_times_per_day=6, doses_last_24h=rescues)
    symptoms = [{"name": "pain", "score": pain}, {"name": "drowsiness", "score": drowsiness}]
    return ask(engine, slow, quick, symptoms=symptoms, goals={"documented": True, **goals})


@pytest.mark.parametrize(
    ("pain", "rescues", "told"), [(3, 3, False), (4, 2, False), (4, 3, True), (5, 3, True), (4, 4, True), (4, 0, False)]
)
def test_pain_of_4_with_three_rescue_doses_a_day_asks_for_the_whole_plan(
    engine: Engine, pain: float, rescues: float, told: bool
) -> None:
    shown = on_morphine(engine, pain, rescues)
    assert any(s["label"].startswith("Review the plan") for s in shown["suggestions"]) is told


@pytest.mark.parametrize(
    ("pain", "drowsiness", "reduced"), [(3, 3, False), (3, 4, True), (3, 5, True), (4, 4, False), (0, 4, True)]
)
def test_controlled_pain_with_drowsiness_of_4_asks_for_less(
    engine: Engine, pain: float, drowsiness: float, reduced: bool
) -> None:
    shown = on_morphine(engine, pain, 0, drowsiness)
    assert any((s["action"], s["drug"]) == ("reduce", "morphine") for s in shown["suggestions"]) is reduced


def test_controlled_pain_without_drowsiness_is_left_alone_with_the_thresholds_for_changing_course(
    engine: Engine,
) -> None:
    (go_on,) = [s for s in on_morphine(engine, 2, 0)["suggestions"] if s["action"] == "monitor"]
    for threshold in ("pain of 4", "three or more rescue doses", "drowsiness", "kidney"):
        assert threshold in go_on["rationale"]
    assert go_on["review_after"]


@pytest.mark.parametrize("symptom", ["pain", "nausea", "breathlessness", "delirium", "seizures", "constipation"])
def test_every_medicine_offered_says_when_to_look_again(engine: Engine, symptom: str) -> None:
    shown = ask(engine, symptoms=[{"name": symptom, "score": 7}])
    offered = [s for s in shown["suggestions"] if s["action"] in GIVEN and s["order"]]
    assert offered
    assert [s["label"] for s in offered if not s["review_after"]] == []


@pytest.mark.parametrize("symptom", ["catastrophic bleeding", "choking", "last days symptoms"])
def test_a_crisis_has_a_written_plan_with_a_dose_at_the_bedside(engine: Engine, symptom: str) -> None:
    goals = {"intent": "comfort", "documented": True, "prognosis": "days"}
    shown = ask(engine, symptoms=[{"name": symptom, "score": 7}], goals=goals)
    assert any("plan" in s["label"].casefold() for s in shown["suggestions"])
    assert any(s["drug"] == "midazolam" and s["order"]["prn"] for s in shown["suggestions"] if s["order"])


@pytest.mark.parametrize(
    ("intent", "said", "unsaid"),
    [
        ("comfort", "comfort as the patient judges it", "oncology team"),
        ("disease-directed", "oncology team", "comfort as the patient judges it"),
        ("mixed", "oncology team", "comfort as the patient judges it"),
    ],
)
def test_words_follow_what_care_aims_at(engine: Engine, intent: str, said: str, unsaid: str) -> None:
    shown = on_morphine(engine, 6, 0, intent=intent)
    raised = next(s for s in shown["suggestions"] if (s["action"], s["drug"]) == ("increase", "morphine"))
    words = " ".join(raised["reasons"])
    assert said in words
    assert unsaid not in words


def test_nothing_of_intent_is_said_where_it_was_not_stated(engine: Engine) -> None:
    shown = on_morphine(engine, 6, 0)
    words = " ".join(r for s in shown["suggestions"] for r in s["reasons"])
    assert "oncology team" not in words
    assert "comfort as the patient" not in words
