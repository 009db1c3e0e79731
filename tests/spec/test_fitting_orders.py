"""The dose that would fit: an order that can be given, has passed the checks, and is never invented."""

from __future__ import annotations

import random
from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, order, patient
from tests.spec.test_properties import random_orders

FAILING = patient(
    age_years=72, weight_kg=62, height_cm=170, creatinine={"value": 250, "unit": "umol/L", "taken_on": "2026-11-20"}
)


def offered(shown: dict[str, Any]) -> list[dict[str, Any] | None]:
    """What is offered for each finding of too large a dose."""
    return [f["fitting_order"] for f in shown["findings"] if "fitting_order" in f]


@pytest.mark.parametrize(
    ("given", "dose", "times"),
    [
        (order("gabapentin", 600, times_per_day=3), 200, 3),
        (order("enoxaparin", 60, times_per_day=2, route="subcutaneous"), 60, 1),
        (order("digoxin", 0.25), 0.125, 1),
        (order("tramadol", 100, times_per_day=4), 100, 2),
        (order("paracetamol", 1000, times_per_day=6), 1000, 4),
    ],
)
def test_what_fits_failing_kidneys_is_offered_as_an_order_of_real_strengths(
    engine: Engine, given: dict[str, Any], dose: float, times: float
) -> None:
    found = offered(ask(engine, given, who=FAILING))
    assert found
    for item in found:
        assert item is not None
        assert (item["order"]["dose"], item["order"]["times_per_day"]) == (dose, times)
        assert item["replaces"] == "regimen.0"


def test_a_weekly_medicine_ordered_daily_is_offered_weekly(engine: Engine) -> None:
    (item,) = offered(ask(engine, order("methotrexate", 2.5)))
    assert item is not None
    assert item["order"]["interval_h"] == 168
    assert item["daily_dose"] is None


def test_nothing_is_offered_where_the_order_has_no_unit(engine: Engine) -> None:
    given = {key: value for key, value in order("methotrexate", 2.5).items() if key != "unit"}
    found = offered(ask(engine, given))
    assert found
    assert found == [None] * len(found)


@pytest.mark.parametrize("often", [{"max_times_per_day": 1e308}, {"times_per_day": 1e5}])
def test_an_impossible_frequency_is_not_counted_down_from(engine: Engine, often: dict[str, float]) -> None:
    found = offered(ask(engine, order("gabapentin", 900, **{"times_per_day": 2, **often}), who=FAILING))
    assert found
    assert all(item["order"].get("times_per_day", 0) <= 48 for item in found if item)


def test_nothing_is_offered_of_what_must_be_avoided(engine: Engine) -> None:
    shown = ask(engine, order("duloxetine", 60, times_per_day=2), who=FAILING)
    assert any(f["severity"] in ("high", "critical") and "duloxetine" in f["drugs"] for f in shown["findings"])
    assert not [item for item in offered(shown) if item]


def test_nothing_is_offered_where_no_strength_is_known(engine: Engine) -> None:
    (item,) = offered(ask(engine, order("ondansetron", 32, route="intravenous")))
    assert item is None


def test_a_dose_that_fits_carries_no_offer(engine: Engine) -> None:
    assert offered(ask(engine, order("gabapentin", 200, times_per_day=3), who=FAILING)) == []


def test_what_is_two_orders_together_is_offered_for_neither(engine: Engine) -> None:
    found = offered(
        ask(engine, order("paracetamol", 1000, times_per_day=4), order("paracetamol", 500, times_per_day=4))
    )
    assert found
    assert not any(found)


@pytest.mark.parametrize("seed", range(40))
def test_an_offered_order_put_in_its_place_is_too_much_no_more_and_adds_nothing_serious(
    engine: Engine, seed: int
) -> None:
    chance = random.Random(seed)
    orders = random_orders(engine, chance, 6)
    for given in orders:
        (drug,) = engine.names.resolve_name(given["drug"]).ids
        limits = [limit.max for limit in engine.index.drugs[drug].drug.dose_limits if limit.kind == "daily"]
        given["dose"] = (max(limits, default=10) or 10) * chance.choice((0.5, 1, 3))
    before = ask(engine, *orders, who=FAILING)
    for item in filter(None, offered(before)):
        place = int(item["replaces"].split(".")[1])
        changed = [*orders]
        changed[place] = item["order"]
        after = ask(engine, *changed, who=FAILING)
        mine = [f for f in after["findings"] if item["replaces"] in f["orders"]]
        assert not any("fitting_order" in f for f in mine), item
        serious = {(f["hazard"], f["rule"]) for f in before["findings"] if f["severity"] in ("high", "critical")}
        assert all((f["hazard"], f["rule"]) in serious for f in mine if f["severity"] in ("high", "critical")), item
