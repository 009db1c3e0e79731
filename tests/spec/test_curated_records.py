"""Curated records: a more specific one speaks only for the medicines it is about; scopes of dose, route and regularity."""

from __future__ import annotations

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, order, patient, severity

SEDATION = "cns-respiratory-depression"
MORPHINE = order("morphine", 20, times_per_day=4)


def as_needed_lorazepam(dose: float = 0.5, **more: object) -> dict[str, object]:
    return order("lorazepam", dose, times_per_day=None, route="sublingual", prn=True, max_times_per_day=4, **more)


def test_low_dose_lorazepam_as_needed_with_an_opioid_does_not_interrupt(engine: Engine) -> None:
    assert severity(ask(engine, MORPHINE, new=[as_needed_lorazepam()]), SEDATION, "morphine", "lorazepam") == "moderate"


def test_lorazepam_as_needed_is_told_in_full_when_the_lung_is_ill(engine: Engine) -> None:
    shown = ask(engine, MORPHINE, new=[as_needed_lorazepam()], who=patient(conditions=["copd"]))
    assert severity(shown, SEDATION, "morphine", "lorazepam") == "high"


@pytest.mark.parametrize(("dose", "told"), [(1.0, "moderate"), (1.1, "high")])
def test_lorazepam_as_needed_counts_as_low_up_to_four_milligrams_a_day(engine: Engine, dose: float, told: str) -> None:
    shown = ask(engine, MORPHINE, new=[as_needed_lorazepam(dose)])
    assert severity(shown, SEDATION, "morphine", "lorazepam") == told


def test_a_specific_record_does_not_hide_another_medicine_of_the_general_one(engine: Engine) -> None:
    shown = ask(engine, MORPHINE, as_needed_lorazepam(), new=[order("diazepam", 5, times_per_day=3)])
    assert severity(shown, SEDATION, "morphine", "diazepam") == "high"


def test_regular_lorazepam_with_an_opioid_interrupts(engine: Engine) -> None:
    shown = ask(engine, MORPHINE, new=[order("lorazepam", 1, times_per_day=2)])
    assert severity(shown, SEDATION, "morphine", "lorazepam") == "high"


def test_naloxone_kept_for_emergencies_is_told_softly_but_a_dose_given_is_not(engine: Engine) -> None:
    kept = order("naloxone", 0.4, times_per_day=None, route="intramuscular", prn=True)
    given = order("naloxone", 0.4, times_per_day=None, route="intravenous", prn=False)
    assert severity(ask(engine, MORPHINE, new=[kept]), "precipitated-withdrawal", "naloxone") == "low"
    assert severity(ask(engine, MORPHINE, new=[given]), "precipitated-withdrawal", "naloxone") == "moderate"


@pytest.mark.parametrize(("dose", "told"), [(15, "low"), (20, "high")])
def test_low_dose_prednisolone_does_not_forbid_a_live_vaccine(engine: Engine, dose: float, told: str) -> None:
    shown = ask(engine, order("prednisolone", dose), new=[{"drug": "MMR vaccine"}])
    assert severity(shown, "infection", "prednisolone", "mmr-vaccine") == told


def test_depot_naltrexone_blocks_opioids_for_a_month_tablets_for_a_week(engine: Engine) -> None:
    depot = order("naltrexone", 380, route="intramuscular", interval_h=672, days_ago=10, taken_for_days=200)
    tablets = order("naltrexone", 50, days_ago=10, taken_for_days=200)
    new = [order("morphine", 10, times_per_day=4)]
    blocked = ask(engine, new=new, recently_stopped=[depot])
    assert severity(blocked, "precipitated-withdrawal", "naltrexone", "morphine") == "critical"
    assert severity(ask(engine, new=new, recently_stopped=[tablets]), "precipitated-withdrawal", "naltrexone") == "none"


def test_an_ulcer_burden_carries_the_public_code_bleeding_beside_haemorrhage(engine: Engine) -> None:
    shown = ask(engine, order("dexamethasone", 8), new=[order("diclofenac", 50, times_per_day=3)])
    assert severity(shown, "bleeding", "dexamethasone", "diclofenac") == "moderate"


def test_a_cream_is_not_measured_against_the_limit_of_tablets(engine: Engine) -> None:
    cream = order("hydrocortisone", 1, "g", 2, route="topical", form="cream")
    assert severity(ask(engine, new=[cream]), "max-dose-exceeded", "hydrocortisone") == "none"
    assert severity(ask(engine, new=[order("hydrocortisone", 500)]), "max-dose-exceeded", "hydrocortisone") != "none"


def test_losing_a_perpetrator_that_the_label_names_is_watched(engine: Engine) -> None:
    who = patient(smoking={"status": "stopped", "days_ago": 4})
    assert severity(ask(engine, order("erlotinib", 150), who=who), "time-course", "erlotinib") == "moderate"


@pytest.mark.parametrize(("name", "told"), [("phenytoin", "high"), ("fosphenytoin", "none"), ("Cerebyx", "none")])
def test_a_rule_of_route_spares_the_prodrug_made_for_that_route(engine: Engine, name: str, told: str) -> None:
    shown = ask(engine, new=[order(name, 300, route="intramuscular")])
    assert severity(shown, "route-or-formulation", "phenytoin") == told
