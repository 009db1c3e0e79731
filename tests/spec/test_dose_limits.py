"""Dose limits by body surface, by weight, over a lifetime: below, at, above, and with the size of the body missing."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, found, notices, order, patient, severity

# 178 cm and 75 kg: 1.926 m² by Mosteller.
BSA = (178 * 75 / 3600) ** 0.5


def cycle(drug: str, dose: float, **more: Any) -> dict[str, Any]:
    return order(drug, dose, route="intravenous infusion", interval_h=504, **more)


@pytest.mark.parametrize(("per_m2", "expected"), [(75, "none"), (82, "none"), (83, "high")])
def test_a_dose_by_surface_is_held_against_this_body(engine: Engine, per_m2: float, expected: str) -> None:
    shown = ask(engine, cycle("doxorubicin", round(per_m2 * BSA, 1)))
    assert severity(shown, "max-dose-exceeded", "doxorubicin") == expected


def test_three_times_the_most_is_critical(engine: Engine) -> None:
    shown = ask(engine, cycle("doxorubicin", 250 * BSA))
    assert severity(shown, "max-dose-exceeded", "doxorubicin") == "critical"


def test_without_a_height_a_dose_by_surface_is_told_and_a_gross_excess_still_found(engine: Engine) -> None:
    usual, gross = (ask(engine, cycle("doxorubicin", dose), who=patient(height_cm=None)) for dose in (140, 900))
    assert ("missing-data", "patient.height_cm") in notices(usual)
    assert severity(usual, "max-dose-exceeded", "doxorubicin") == "none"
    assert severity(gross, "max-dose-exceeded", "doxorubicin") == "critical"


@pytest.mark.parametrize(
    ("days", "expected"),
    [(84, "none"), (105, "high"), (200, "high")],  # 5 doses 405 mg/m² · 6 doses 486 mg/m²
)
def test_courses_add_up_to_the_lifetime_limit(engine: Engine, days: float, expected: str) -> None:
    shown = ask(engine, cycle("doxorubicin", 81 * BSA, taken_for_days=days))
    assert severity(shown, "max-dose-exceeded", "doxorubicin") == expected


def test_a_lifetime_limit_that_cannot_be_added_up_is_told(engine: Engine) -> None:
    shown = ask(engine, cycle("doxorubicin", 60 * BSA))
    assert ("missing-data", "regimen.0.taken_for_days") in notices(shown)


@pytest.mark.parametrize(("each", "expected"), [(2150, "none"), (3000, "high")])
def test_a_daily_dose_by_surface_counts_every_dose(engine: Engine, each: float, expected: str) -> None:
    shown = ask(engine, order("capecitabine", each, times_per_day=2))
    assert severity(shown, "max-dose-exceeded", "capecitabine") == expected


@pytest.mark.parametrize(("dose", "expected"), [(2, "none"), (4, "high"), (20, "critical")])
def test_vincristine_is_capped_at_2_mg(engine: Engine, dose: float, expected: str) -> None:
    shown = ask(engine, order("vincristine", dose, route="intravenous", interval_h=168))
    assert severity(shown, "max-dose-exceeded", "vincristine") == expected


@pytest.mark.parametrize("route", ["intrathecal", "epidural"])
def test_vincristine_into_the_spine_is_critical(engine: Engine, route: str) -> None:
    shown = ask(engine, order("vincristine", 2, route=route, interval_h=168))
    assert severity(shown, "route-or-formulation", "vincristine") == "critical"


@pytest.mark.parametrize(("weight", "expected"), [(49, "high"), (75, "none"), (None, "none")])
def test_a_limit_by_weight_needs_the_weight(engine: Engine, weight: float | None, expected: str) -> None:
    shown = ask(engine, order("paracetamol", 1000, times_per_day=4), who=patient(weight_kg=weight))
    assert severity(shown, "max-dose-exceeded", "paracetamol") == expected
    if weight is None:
        assert ("missing-data", "patient.weight_kg") in notices(shown)


def test_an_ingredient_is_summed_over_products_and_as_needed_doses(engine: Engine) -> None:
    combination = order(
        "co-codamol",
        2,
        "tablets",
        times_per_day=4,
        components=["codeine", "paracetamol"],
        strength="30 mg/500 mg per tablet",
    )
    rescue = order("paracetamol", 1000, prn=True, max_times_per_day=4, times_per_day=None)
    finding = found(ask(engine, combination, rescue), "max-dose-exceeded", "paracetamol")
    assert finding is not None
    assert len(finding["orders"]) == 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (order("methotrexate", 10), "critical"),
        (order("methotrexate", 10, interval_h=168), "none"),
        (order("fentanyl", 25, "mcg/h", route="transdermal", form="patch", interval_h=24), "high"),
        (order("fentanyl", 25, "mcg/h", route="transdermal", form="patch", interval_h=72), "none"),
        (order("morphine", 30, form="modified-release tablet", times_per_day=4), "high"),
        (order("morphine", 30, form="modified-release tablet", times_per_day=2), "none"),
    ],
)
def test_what_is_given_too_often_is_found(engine: Engine, given: dict[str, Any], expected: str) -> None:
    assert severity(ask(engine, given), "frequency-error", given["drug"]) == expected


@pytest.mark.parametrize(("drug", "slip"), [("digoxin", 250), ("levothyroxine", 100), ("alfentanil", 100)])
def test_milligrams_for_micrograms_is_critical(engine: Engine, drug: str, slip: float) -> None:
    route = "subcutaneous infusion" if drug == "alfentanil" else "oral"
    shown = ask(engine, order(drug, slip, "mg" if drug != "alfentanil" else "mg/h", route=route))
    assert {f["severity"] for f in shown["findings"] if drug in f["drugs"]} >= {"critical"}


def _anthracyclines(engine: Engine, epirubicin_days: float, **more: Any) -> dict[str, Any]:
    """Five courses of doxorubicin (250 mg/m²), then epirubicin at 80 mg/m² as doxorubicin a course, every three weeks."""
    first = cycle("doxorubicin", 50 * BSA, taken_for_days=100)
    return ask(engine, first, cycle("epirubicin", 100 * BSA, taken_for_days=epirubicin_days), **more)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(21, "none"), (42, "high")],  # 250 + 2 × 80 = 410 · 250 + 3 × 80 = 490 mg/m² as doxorubicin
)
def test_anthracyclines_add_up_to_one_lifetime_limit(engine: Engine, days: float, expected: str) -> None:
    assert severity(_anthracyclines(engine, days), "max-dose-exceeded", "doxorubicin", "epirubicin") == expected


def test_an_earlier_anthracycline_that_was_stopped_counts_as_well(engine: Engine) -> None:
    stopped = cycle("doxorubicin", 50 * BSA, taken_for_days=100, days_ago=900)
    shown = ask(engine, cycle("epirubicin", 100 * BSA, taken_for_days=42), recently_stopped=[stopped])
    assert severity(shown, "max-dose-exceeded", "doxorubicin", "epirubicin") == "high"


def test_an_earlier_anthracycline_of_unknown_amount_is_told(engine: Engine) -> None:
    stopped = cycle("doxorubicin", 50 * BSA, days_ago=900)
    shown = ask(engine, cycle("epirubicin", 100 * BSA, taken_for_days=42), recently_stopped=[stopped])
    assert ("missing-data", "recently_stopped.0.taken_for_days") in notices(shown)


def _given_both_ways(engine: Engine) -> list[tuple[str, str, str, str]]:
    """(drug, unit, local route, systemic route) of drugs with a daily limit that names no route."""
    return [
        (d.id, d.dose_unit, min(d.local_routes), min(d.systemic_routes))
        for d in engine.knowledge.drugs.values()
        if d.local_routes
        and d.systemic_routes
        and any(x.kind == "daily" and not (x.scope.routes or x.per_kg or x.when) for x in d.dose_limits)
        and not any(x.scope.routes & d.local_routes for x in d.dose_limits)
    ]


def test_a_limit_without_a_route_is_about_the_whole_body(engine: Engine) -> None:
    concerned = _given_both_ways(engine)
    assert concerned
    for drug, unit, local, systemic in concerned:
        on_the_spot = ask(engine, order(drug, 999999, unit=unit, route=local))
        swallowed = ask(engine, order(drug, 999999, unit=unit, route=systemic))
        assert severity(on_the_spot, "max-dose-exceeded", drug) == "none", (drug, local)
        assert severity(swallowed, "max-dose-exceeded", drug) != "none", (drug, systemic)


@pytest.mark.parametrize(("known", "expected"), [(950, "none"), (1000, "high")])
def test_more_of_an_unknown_dose_on_top_of_all_that_is_allowed_is_too_much(
    engine: Engine, known: float, expected: str
) -> None:
    shown = ask(engine, order("paracetamol", known, times_per_day=4), order("Lemsip"))
    assert severity(shown, "max-dose-exceeded", "paracetamol") == expected


def test_an_unknown_dose_given_locally_adds_nothing_to_the_daily_dose(engine: Engine) -> None:
    shown = ask(engine, order("diclofenac", 75, times_per_day=2), order("diclofenac", route="topical"))
    assert severity(shown, "max-dose-exceeded", "diclofenac") == "none"
