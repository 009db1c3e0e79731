"""A medicine stopped at once or cut sharply where that harms: found, weighed by how long it was taken, told with the way to stop."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, found, order, patient, severity

TOXIC = [{"name": "bone pain", "score": 2}, {"name": "myoclonus", "score": 5}]


def stopped(drug: str, dose: float = 10, days_ago: float = 1, **more: Any) -> list[dict[str, Any]]:
    return [{**order(drug, dose, **more), "days_ago": days_ago}]


def after(engine: Engine, gone: list[dict[str, Any]], *regimen: dict[str, Any], **more: Any) -> str:
    return severity(ask(engine, *regimen, recently_stopped=gone, **more), "withdrawal")


@pytest.mark.parametrize(
    ("drug", "dose", "days", "expected"),
    [
        ("prednisolone", 10, 20, "none"),
        ("prednisolone", 10, 21, "high"),
        ("prednisolone", 10, 22, "high"),
        ("prednisolone", 10, None, "moderate"),
        ("prednisolone", 41, 7, "none"),
        ("prednisolone", 41, 8, "moderate"),
        ("prednisolone", 40, 8, "none"),
        ("dexamethasone", 8, 10, "moderate"),
        ("dexamethasone", 8, 30, "high"),
        ("morphine", 30, 6, "none"),
        ("morphine", 30, 7, "high"),
        ("morphine", 30, None, "moderate"),
        ("diazepam", 5, 13, "none"),
        ("diazepam", 5, 14, "high"),
        ("baclofen", 10, 7, "high"),
        ("clonidine", 0.1, 7, "high"),
        ("bisoprolol", 5, 13, "none"),
        ("bisoprolol", 5, 14, "moderate"),
        ("paroxetine", 20, 27, "none"),
        ("paroxetine", 20, 28, "moderate"),
        ("venlafaxine", 75, 60, "moderate"),
        ("fluoxetine", 20, 60, "none"),
        ("pregabalin", 75, 7, "moderate"),
        ("levetiracetam", 500, 7, "moderate"),
        ("levodopa", 100, 30, "high"),
        ("paracetamol", 1000, 300, "none"),
    ],
)
def test_a_sudden_stop_is_weighed_by_how_long_it_was_taken(
    engine: Engine, drug: str, dose: float, days: float | None, expected: str
) -> None:
    taken = {} if days is None else {"taken_for_days": days}
    assert after(engine, stopped(drug, dose, **taken)) == expected


def test_a_duration_that_is_not_given_is_told(engine: Engine) -> None:
    finding = found(ask(engine, recently_stopped=stopped("diazepam")), "withdrawal", "diazepam")
    assert finding is not None
    assert any("How long it was taken is not given" in m for m in finding["modifiers"])


def test_days_since_the_stop_are_no_days_of_taking(engine: Engine) -> None:
    assert after(engine, stopped("morphine", days_ago=5, started_on="2026-11-14")) == "none"
    assert after(engine, stopped("morphine", days_ago=2, started_on="2026-11-14")) == "high"


@pytest.mark.parametrize(("days_ago", "expected"), [(3, "high"), (4, "none")])
def test_a_stop_is_told_only_while_harm_may_still_come(engine: Engine, days_ago: float, expected: str) -> None:
    assert after(engine, stopped("clonidine", 0.1, days_ago, taken_for_days=90)) == expected


def test_a_stop_tells_how_to_stop_and_its_sources(engine: Engine) -> None:
    shown = ask(engine, recently_stopped=stopped("baclofen", taken_for_days=90))
    finding = found(shown, "withdrawal", "baclofen")
    assert finding is not None
    assert "over 1 to 2 weeks" in finding["management"][0]
    assert any(s["status"] == "opened" for s in finding["sources"])


@pytest.mark.parametrize(
    ("gone", "next_one"),
    [
        ("morphine", "oxycodone"),
        ("prednisolone", "dexamethasone"),
        ("lorazepam", "diazepam"),
        ("sertraline", "venlafaxine"),
    ],
)
def test_another_of_the_same_kind_makes_it_a_change_and_no_stop(engine: Engine, gone: str, next_one: str) -> None:
    taken = stopped(gone, taken_for_days=90)
    assert after(engine, taken, order(next_one, 10)) == "none"
    assert after(engine, taken, order(next_one, 10, times_per_day=None, prn=True, max_times_per_day=2)) != "none"


def test_as_needed_doses_and_eye_drops_are_stopped_without_a_word(engine: Engine) -> None:
    assert after(engine, stopped("lorazepam", prn=True, max_times_per_day=3, taken_for_days=90)) == "none"
    drops = [{"drug": "dexamethasone", "route": "ophthalmic", "days_ago": 1, "taken_for_days": 90}]
    assert after(engine, drops) == "none"


@pytest.mark.parametrize(("mg", "expected"), [(50, "none"), (49, "high"), (100, "none"), (150, "none")])
def test_a_sharp_cut_is_more_than_half_the_daily_dose(engine: Engine, mg: float, expected: str) -> None:
    before = order("morphine", 100, form="modified-release tablet", taken_for_days=60)
    new = order("morphine", mg, form="modified-release tablet", replaces="regimen.0")
    finding = found(ask(engine, before, new=[new]), "withdrawal", "morphine")
    assert (finding["severity"] if finding else "none") == expected
    if finding:
        assert finding["new"] is True
        assert "new_orders.0" in finding["orders"]


def test_a_new_order_of_another_kind_in_its_place_is_a_stop(engine: Engine) -> None:
    before = order("diazepam", 5, times_per_day=2, taken_for_days=200)
    new = order("mirtazapine", 15, replaces="regimen.0")
    finding = found(ask(engine, before, new=[new]), "withdrawal", "diazepam")
    assert finding is not None
    assert finding["severity"] == "high"
    assert finding["new"] is True


def test_another_route_of_the_same_medicine_is_no_cut(engine: Engine) -> None:
    before = order("morphine", 60, times_per_day=2, form="modified-release tablet", taken_for_days=60)
    new = {**order("morphine", 40, "mg/24h", route="subcutaneous infusion"), "replaces": "regimen.0"}
    assert severity(ask(engine, before, new=[new]), "withdrawal") == "none"


@pytest.mark.parametrize(("rate", "expected"), [(7, "low"), (8, "high"), (14, "high")])
def test_an_opioid_held_for_slow_breathing_is_rightly_held(engine: Engine, rate: int, expected: str) -> None:
    assert after(engine, stopped("morphine", 30, taken_for_days=60), who=patient(respiratory_rate=rate)) == expected


def test_circumstances_raise_and_lower_it(engine: Engine) -> None:
    pregabalin, beta = stopped("pregabalin", 75, taken_for_days=60), stopped("bisoprolol", 5, taken_for_days=60)
    assert after(engine, pregabalin, who=patient(conditions=["epilepsy"])) == "high"
    assert after(engine, beta, who=patient(conditions=["ischaemic heart disease"])) == "high"
    assert after(engine, beta, goals={"prognosis": "days"}) == "low"


def test_an_option_that_lowers_an_opioid_tells_how(engine: Engine) -> None:
    morphine = order("morphine", 60, times_per_day=2, form="modified-release tablet", taken_for_days=60)
    shown = ask(engine, morphine, symptoms=TOXIC)
    lower = [s for s in shown["suggestions"] if s["action"] == "reduce" and s["drug"] == "morphine"]
    assert lower
    assert all("10 to 25% of the dose at a time" in s["titration"] for s in lower)


def test_an_option_that_stops_a_medicine_tells_how(engine: Engine) -> None:
    gabapentin = order("gabapentin", 300, times_per_day=3, taken_for_days=60)
    history = [{"drug": "gabapentin", "outcome": "no-effect"}]
    shown = ask(engine, gabapentin, history=history, symptoms=[{"name": "neuropathic pain", "score": 6}])
    stop = next(s for s in shown["suggestions"] if s["action"] == "stop" and s["drug"] == "gabapentin")
    assert "Reduce over a week at least." in stop["titration"]


def test_every_stop_rule_has_an_opened_source(engine: Engine) -> None:
    knowledge = engine.knowledge
    for rule in knowledge.stopping.values():
        assert any(knowledge.sources[c.source].status == "opened" for c in rule.guidance.sources), rule.id


@pytest.mark.parametrize("drug", ["clozapine", "olanzapine"])
def test_stopping_to_smoke_is_told_once(engine: Engine, drug: str) -> None:
    who = patient(smoking={"status": "stopped", "days_ago": 3})
    shown = ask(engine, order(drug, 10), who=who)
    told = [f for f in shown["findings"] if "moking" in f["summary"] or "tobacco" in f["drugs"]]
    assert [f["hazard"] for f in told] == ["exposure-increase"]


def test_stopping_to_smoke_is_told_where_the_record_has_no_words_of_its_own(engine: Engine) -> None:
    who = patient(smoking={"status": "stopped", "days_ago": 3})
    assert (
        severity(ask(engine, order("theophylline", 200, times_per_day=2), who=who), "time-course", "theophylline")
        != "none"
    )
