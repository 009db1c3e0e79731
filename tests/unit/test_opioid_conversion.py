"""Promises of opioid arithmetic, on tables made for the test: strengths, bands, units, rescue doses and refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from medsafe.model.drugs import DoseLimit, Drug, OpioidFacts, Record, Strength
from medsafe.model.knowledge import ConversionRow
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Scope
from medsafe.opioids.base import conversion_base, leaving, one_way
from medsafe.opioids.conversion import (
    Habits,
    Target,
    breakthrough_of,
    convert,
    daily_of,
    made_of,
    next_up,
    patch_interval_h,
    published_into,
    round_down,
    row_from_morphine,
    strengths_of,
    times_per_day_for,
)
from medsafe.opioids.totals import disagreements, in_row_unit, lines_of, lowest_total, row_for, total

TABLETS = Strength("oral", "tablet", (5, 10, 30), "mg")
SLOW = Strength("oral", "modified-release tablet", (10, 30, 60), "mg")
PATCHES = Strength("transdermal", "patch", (12, 25, 50, 75, 100), "mcg/h")
AMPOULES = Strength("subcutaneous", "solution for injection", (10, 30), "mg")
HABITS = Habits(1 / 6, 6, 8.0)
FULL = OpioidFacts(
    "full", long_acting_forms=frozenset({"modified-release", "patch"}), tolerant_only_routes=frozenset({"buccal"})
)
ALPHA = Drug(
    "alpha",
    "Alpha",
    Record(date(2026, 1, 1), date(2028, 1, 1)),
    opioid=FULL,
    strengths=(TABLETS, SLOW, AMPOULES),
    half_life_h=3,
)
BETA = replace(ALPHA, id="beta", name="Beta", strengths=(PATCHES,), dose_unit="mcg", half_life_h=None)
GAMMA = replace(ALPHA, id="gamma", name="Gamma", strengths=(), half_life_h=8)
HOLD = replace(ALPHA, id="hold", name="Hold", opioid=OpioidFacts("antagonist"))


def row(
    opioid: str, factor: float, direction: str = "both", meaning: str = "oral-morphine-per-unit", **more: Any
) -> ConversionRow:
    given: dict[str, Any] = {"table": "t", "route": "oral", "unit": "mg/day", "source": "s", "note": ""}
    given |= {"band_from": None, "band_below": None, **more}
    return ConversionRow(opioid=opioid, direction=direction, meaning=meaning, factor=factor, **given)


def medicine(drug: Drug, daily: float | None, ref: str = "a", route: str | None = "oral", **more: Any) -> Medicine:
    return Medicine(ref, drug, frozenset(), (), (), route, frozenset(), True, daily_dose=daily, **more)


ROWS = (
    row("alpha", 2),
    row("alpha", 4, route="subcutaneous"),
    row("alpha", 1.5, "to-morphine", table="low"),
    row("beta", 2.4, "to-morphine", route="transdermal", unit="mcg/h"),
    row("beta", 25, "from-morphine", "dose-in-band", route="transdermal", unit="mcg/h", band_from=60, band_below=135),
    row("beta", 50, "from-morphine", "dose-in-band", route="transdermal", unit="mcg/h", band_from=135),
    row("gamma", 4, "to-morphine"),
    row("gamma", 10, "from-morphine", "morphine-to-drug-ratio", band_from=0, band_below=200, note="one way"),
)
ORAL, SLOWLY = Target(ALPHA, "oral", ""), Target(ALPHA, "oral", "modified-release tablet")
PATCH, RATIO = Target(BETA, "transdermal", "patch"), Target(GAMMA, "oral", "")


# --- strengths ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "dose"),
    [(37, 30), (30, 30), (29.99, 30), (29.9, 20), (61, 60), (5, 5), (4.9, 2.5), (2.5, 2.5), (2.4, 0), (100, 90)],
)
def test_a_dose_is_rounded_down_to_what_two_tablets_make(value: float, dose: float) -> None:
    """37 is not 30 and 5, which are too far apart; above two tablets, whole ones of the largest; half of the smallest."""
    assert round_down(value, TABLETS) == dose


@pytest.mark.parametrize(("value", "dose"), [(9.9, 0), (10, 10), (75, 70), (89, 60), (100, 90), (185, 180), (300, 300)])
def test_a_modified_release_dose_is_made_of_up_to_three_whole_tablets_and_never_halved(
    value: float, dose: float
) -> None:
    assert round_down(value, SLOW) == dose


@pytest.mark.parametrize(("value", "dose"), [(11.9, 0), (12, 12), (49.9, 25), (49.96, 50), (130, 100)])
def test_a_patch_is_the_strongest_single_one_not_above_the_dose(value: float, dose: float) -> None:
    assert round_down(value, PATCHES) == dose


@pytest.mark.parametrize(
    ("value", "dose"),
    [(45.7, 45), (20, 20), (19.7, 19.5), (5, 5), (4.97, 4.9), (1, 1), (0.97, 0.95), (0.01, 0.01), (2, 2)],
)
def test_without_strengths_on_record_a_dose_is_rounded_down_by_its_size(value: float, dose: float) -> None:
    assert round_down(value, None) == pytest.approx(dose)
    assert round_down(value, Strength("oral", "", (), "mg")) == pytest.approx(dose)


def test_units_far_apart_are_not_put_together() -> None:
    assert made_of(36, TABLETS) == (5, 10, 15, 20, 30, 40, 60)
    assert 25 not in made_of(25, Strength("oral", "tablet", (5, 20.1), "mg"))
    assert 25 in made_of(25, Strength("oral", "tablet", (5, 20), "mg"))
    assert 90 in made_of(80, Strength("oral", "modified-release", (10, 80), "mg"))
    assert 90.1 not in made_of(80, Strength("oral", "modified-release", (10, 80.1), "mg"))


@pytest.mark.parametrize(
    ("current", "strengths", "more"),
    [
        (25, PATCHES, 50),
        (24, PATCHES, 25),
        (100, PATCHES, None),
        (10, TABLETS, 15),
        (14.3, TABLETS, 20),  # 15 is not a twentieth more
        (60, TABLETS, None),
        (10, None, None),
        (10, Strength("oral", "tablet", (), "mg"), None),
    ],
)
def test_the_next_dose_up_is_a_whole_product_and_more_than_a_twentieth_above(
    current: float, strengths: Strength | None, more: float | None
) -> None:
    assert next_up(current, strengths) == more


def test_short_acting_forms_of_a_route_count_together_and_slow_ones_apart() -> None:
    drug = replace(ALPHA, strengths=(TABLETS, Strength("oral", "capsule", (20, 5), "mg"), SLOW, AMPOULES))
    assert strengths_of(Target(drug, "oral", "")) == Strength("oral", "tablet/capsule", (5, 10, 20, 30), "mg")
    assert strengths_of(Target(drug, "oral", "capsule")) == Strength("oral", "capsule", (5, 20), "mg")
    assert strengths_of(Target(drug, "oral", "lozenge")) == Strength("oral", "tablet/capsule", (5, 10, 20, 30), "mg")
    assert strengths_of(Target(drug, "oral", "modified-release tablet")) == SLOW
    assert strengths_of(Target(drug, "subcutaneous infusion", "")) == replace(AMPOULES, route="subcutaneous infusion")
    assert strengths_of(Target(drug, "rectal", "")) is None
    assert strengths_of(PATCH) == PATCHES
    assert strengths_of(Target(BETA, "transdermal", "")) == PATCHES
    assert strengths_of(Target(replace(ALPHA, strengths=(TABLETS,)), "oral", "modified-release")) == TABLETS


def test_strengths_in_different_units_are_not_put_together() -> None:
    drops = Strength("oral", "drops", (50,), "mcg")
    assert strengths_of(Target(replace(ALPHA, strengths=(TABLETS, drops)), "oral", "")) == TABLETS


def test_how_long_a_patch_is_worn_goes_by_its_limit_and_its_strength() -> None:
    weak = DoseLimit("interval", 168, scope=Scope(forms=frozenset({"patch"}), daily_dose_below=840))
    strong = DoseLimit("interval", 96, scope=Scope(forms=frozenset({"patch"})))
    other = (DoseLimit("daily", 900, scope=Scope(forms=frozenset({"patch"}))), DoseLimit("interval", 800))
    drug = replace(BETA, dose_limits=(weak, strong, *other))
    assert [patch_interval_h(drug, v) for v in (34, 35, 36)] == [168, 96, 96]
    assert patch_interval_h(replace(drug, dose_unit="mg"), 35) == 168
    assert patch_interval_h(BETA, 25) == 72
    assert (
        patch_interval_h(
            replace(
                drug,
                dose_unit="unit",
                dose_limits=(replace(weak, scope=replace(weak.scope, daily_dose_below=0.8)), strong),
            ),
            33,
        )
        == 168
    )


# --- orders ------------------------------------------------------------------------------------------------------------


def test_a_regular_and_a_rescue_dose_come_as_whole_orders() -> None:
    plan = convert(120, SLOWLY, ROWS, "t", 0.25, "careful", HABITS)
    assert plan.order == {
        "dose": 20.0,
        "unit": "mg",
        "route": "oral",
        "form": "modified-release tablet",
        "times_per_day": 2.0,
    }
    assert plan.breakthrough == {
        "drug": "alpha",
        "dose": 5.0,
        "unit": "mg",
        "route": "oral",
        "form": "immediate-release",
        "prn": True,
        "max_times_per_day": 6,
    }
    assert (plan.equianalgesic, plan.unit, plan.reduction, plan.suggested) == (60, "mg/day", 0.25, 40)
    assert (plan.refused, plan.one_way, plan.sources, plan.base) == ("", False, ("s",), 120)
    assert plan.working == (
        "120 mg oral morphine a day / 2 = 60 mg/day (t)",
        "less 25% (careful) = 45 mg/day",
        "rounded down to real strengths: 20 mg 2 times a day",
    )


def test_without_a_reduction_the_working_says_why() -> None:
    plan = convert(120, SLOWLY, ROWS, "t", 0.0, "same opioid", HABITS, rescue=False)
    assert plan.working[1] == "no reduction: same opioid"
    assert (plan.suggested, plan.breakthrough) == (60, None)


def test_an_infusion_is_ordered_for_the_whole_day_with_rescue_doses_under_the_skin() -> None:
    plan = convert(240, Target(ALPHA, "subcutaneous infusion", ""), ROWS, "t", 0.0, "x", HABITS)
    assert plan.order == {"dose": 60.0, "unit": "mg/24h", "route": "subcutaneous infusion"}
    assert plan.suggested == 60
    assert plan.breakthrough is not None
    assert (plan.breakthrough["route"], plan.breakthrough["form"], plan.breakthrough["dose"]) == (
        "subcutaneous",
        "solution for injection",
        10,
    )
    assert plan.working[-1] == "rounded down to real strengths: 60 mg/24h"


def test_a_patch_comes_by_its_band_without_a_further_reduction_or_rescue_dose() -> None:
    plan = convert(60, PATCH, ROWS, "t", 0.5, "toxicity", HABITS)
    assert plan.order == {"dose": 25.0, "unit": "mcg/h", "route": "transdermal", "form": "patch", "interval_h": 72.0}
    assert (plan.reduction, plan.one_way, plan.breakthrough, plan.suggested) == (0.0, True, None, 25)
    assert plan.working[:2] == (
        "60 mg oral morphine a day lies in the band from 60 below 135: 25 mcg/h (t)",
        "no reduction: the one-way table already holds one",
    )
    assert "from 135 upwards: 50 mcg/h" in convert(135, PATCH, ROWS, "t", 0.5, "x", HABITS).working[0]


def test_patches_without_strengths_on_record_are_the_usual_ones() -> None:
    bare = Target(replace(BETA, strengths=()), "transdermal", "patch")
    for value, dose in ((12, 12), (25, 25), (50, 50), (75, 75), (100, 100), (130, 100)):
        rows = (row("beta", value, "from-morphine", "dose-in-band", route="transdermal", unit="mcg/h", band_from=0),)
        assert (convert(60, bare, rows, "t", 0, "", HABITS).order or {})["dose"] == dose


def test_a_dose_in_micrograms_is_given_in_the_unit_of_the_tablets_and_the_reverse() -> None:
    rows = (row("alpha", 0.002, unit="mcg/day"),)
    plan = convert(120, Target(ALPHA, "oral", ""), rows, "t", 0.0, "x", HABITS)  # 60,000 micrograms a day
    assert plan.order == {"dose": 10.0, "unit": "mg", "route": "oral", "form": "", "times_per_day": 6.0}
    assert (plan.breakthrough or {})["dose"] == 10
    plain = convert(120, Target(GAMMA, "oral", ""), (row("gamma", 0.1, unit="mcg/day"),), "t", 0.0, "x", HABITS)
    assert (plain.order or {})["unit"] == "mcg"
    odd = replace(ALPHA, strengths=(Strength("oral", "tablet", (100, 300), "unit"),))
    assert (convert(2400, Target(odd, "oral", ""), (row("alpha", 1),), "t", 0.0, "x", HABITS).order or {})[
        "unit"
    ] == "mg"


def test_what_is_less_than_the_smallest_strength_is_refused_with_the_amount() -> None:
    plan = convert(10, SLOWLY, ROWS, "t", 0.0, "x", HABITS)
    assert (plan.order, plan.suggested) == (None, None)
    assert plan.refused == "5 mg/day of Alpha is less than the smallest strength on record makes"
    tiny = (row("beta", 5, "from-morphine", "dose-in-band", route="transdermal", unit="mcg/h", band_from=0),)
    assert convert(10, PATCH, tiny, "t", 0.0, "x", HABITS).order is None


def test_the_dose_to_begin_with_is_held_by_the_most_and_by_the_lower_of_two_one_way_tables() -> None:
    held = convert(120, SLOWLY, ROWS, "t", 0.0, "x", HABITS, most_per_day=40)
    assert held.suggested == 40
    assert "never more than 40 mg/day to begin with" in held.working
    assert convert(120, SLOWLY, ROWS, "t", 0.0, "x", HABITS, most_per_day=60).working[2].startswith("rounded")
    other = row("gamma", 7.5, "from-morphine", "dose-in-band", table="u", band_from=0, band_below=200)
    lower = convert(150, RATIO, (*ROWS, other), "t", 0.0, "x", HABITS)
    assert "u gives 7.5 mg/day: the lower is taken" in lower.working
    assert convert(70, RATIO, (*ROWS, other), "t", 0.0, "x", HABITS).working[2].startswith("rounded")  # 7 is lower
    elsewhere = replace(other, unit="mcg/day")
    assert len(convert(150, RATIO, (*ROWS, elsewhere), "t", 0.0, "x", HABITS).working) == 3
    both = replace(other, direction="both")
    assert len(convert(150, RATIO, (*ROWS, both), "t", 0.0, "x", HABITS).working) == 3


def test_a_one_way_ratio_is_reduced_all_the_same() -> None:
    plan = convert(160, RATIO, ROWS, "t", 0.25, "careful", HABITS)
    assert (plan.reduction, plan.one_way) == (0.25, True)
    assert plan.working[1] == "less 25% (careful) = 12 mg/day"


def test_a_conversion_that_no_table_gives_is_refused_with_the_reason() -> None:
    assert convert(50, PATCH, ROWS, "t", 0, "", HABITS).refused == (
        "50 mg oral morphine a day lies outside the bands on record for Beta by the transdermal route"
    )
    assert convert(200, RATIO, ROWS, "t", 0, "", HABITS).refused.endswith("for Gamma by the oral route: one way")
    assert convert(60, ORAL, ROWS, "low", 0, "", HABITS).refused == (
        "the factor for Alpha by the oral route holds in one direction only: it adds up what is taken "
        "and gives no dose to begin with"
    )
    assert convert(60, Target(ALPHA, "rectal", ""), ROWS, "t", 0, "", HABITS).refused == (
        "table t has no factor for Alpha by the rectal route: ask a specialist"
    )
    assert convert(60, ORAL, ROWS, "nobody", 0, "", HABITS).refused.startswith("table nobody has no factor")


@pytest.mark.parametrize(("ome", "factor"), [(59.9, None), (60, 25), (134.9, 25), (135, 50), (9999, 50)])
def test_a_band_begins_at_its_lower_bound_and_ends_below_its_upper_one(ome: float, factor: float | None) -> None:
    found = row_from_morphine(ROWS, "t", PATCH, ome)
    assert (found.factor if found else None) == factor


def test_a_table_made_for_beginning_goes_before_a_factor_for_both_ways() -> None:
    rows = (row("gamma", 4), row("gamma", 10, "from-morphine", "morphine-to-drug-ratio"), row("gamma", 5))
    found = row_from_morphine(rows, "t", RATIO, 60)
    assert found is not None
    assert found.factor == 10


def test_a_tube_is_fed_by_the_oral_factor_and_an_unknown_route_by_none() -> None:
    assert row_from_morphine(ROWS, "t", Target(ALPHA, "nasogastric tube", ""), 60) == ROWS[0]
    assert row_for(ROWS, "t", "alpha", "nasogastric tube", 10) == ROWS[0]
    assert row_for(ROWS, "t", "alpha", None, 10) is None


@pytest.mark.parametrize(
    ("target", "half_life", "times"),
    [(SLOWLY, 3, 2), (ORAL, 3, 6), (ORAL, 7.9, 6), (ORAL, 8, 4), (ORAL, 8.1, 4), (ORAL, None, 6), (PATCH, None, 2)],
)
def test_short_acting_opioids_are_given_six_times_a_day_or_four_from_a_long_half_life(
    target: Target, half_life: float | None, times: float
) -> None:
    assert times_per_day_for(replace(target, drug=replace(target.drug, half_life_h=half_life)), HABITS) == times


def test_no_rescue_dose_is_made_of_slow_forms_or_patches_or_crumbs() -> None:
    assert breakthrough_of(PATCH, 60, "mg", HABITS) is None
    assert breakthrough_of(Target(replace(ALPHA, strengths=(SLOW,)), "oral", ""), 60, "mg", HABITS) is None
    assert breakthrough_of(ORAL, 14, "mg", HABITS) is None
    assert breakthrough_of(RATIO, 60, "mg", HABITS) is None
    assert (breakthrough_of(ORAL, 60_000, "mcg", HABITS) or {})["dose"] == 10


@pytest.mark.parametrize(
    ("order", "daily"),
    [
        ({"dose": 25, "unit": "mcg/h", "times_per_day": 3}, 25),
        ({"dose": 60, "unit": "mg/24h", "times_per_day": 3}, 60),
        ({"dose": 10, "unit": "mg", "times_per_day": 6}, 60),
        ({"dose": 10, "unit": "mg"}, 10),
    ],
)
def test_the_day_of_an_order_is_its_dose_times_its_times_and_a_rate_is_a_day(
    order: dict[str, Any], daily: float
) -> None:
    assert daily_of(order) == daily


def test_what_tables_give_is_listed_side_by_side_where_they_differ() -> None:
    (item,) = published_into(ORAL, ROWS, "t", 60)
    assert item.shown() == {
        "drug": "alpha",
        "route": "oral",
        "unit": "mg/day to begin from",
        "used": 30,
        "published": [
            {"factor": 30, "table": "t", "source": "s"},
            {"factor": 40, "table": "low", "source": "s"},
        ],
    }
    assert published_into(ORAL, ROWS[:1], "t", 60) == ()
    assert published_into(ORAL, ROWS, "nobody", 60)[0].used is None
    assert published_into(RATIO, (*ROWS, row("gamma", 3, "to-morphine", table="u")), "t", 60) == ()


# --- adding up ---------------------------------------------------------------------------------------------------------


def test_a_line_shows_its_arithmetic() -> None:
    (line,) = lines_of([medicine(ALPHA, 20, single_dose=10)], ROWS, "t")
    assert line.working == "Alpha: 20 mg a day = 20 mg x 2 = 40.0 mg oral morphine a day"
    assert line.shown() == {
        "order": "a",
        "drug": "alpha",
        "ome_mg_per_day": 40,
        "ome_mg_per_dose": 20,
        "working": line.working,
    }
    assert (line.as_needed, line.new, line.use_known) == (False, False, True)


def test_a_line_of_unknown_amount_or_factor_is_unknown_and_says_which() -> None:
    lines = lines_of(
        [medicine(ALPHA, None, prn=True, new=True), medicine(ALPHA, 5, "b", "rectal", prn=True)], ROWS, "t"
    )
    assert [line.working for line in lines] == [
        "Alpha: how much is taken in a day is not known: unknown, not zero",
        "Alpha rectal: table t has no factor: unknown, not zero",
    ]
    assert [(x.order, x.drug, x.ome_mg_per_day, x.as_needed, x.new, x.use_known) for x in lines] == [
        ("a", "alpha", None, True, True, False),
        ("b", "alpha", None, True, False, False),
    ]
    assert lines_of([medicine(ALPHA, 5, "b", None)], ROWS, "t")[0].working.startswith("Alpha unknown route: table t")


def test_as_needed_doses_count_as_taken_and_else_as_the_most_allowed() -> None:
    taken = medicine(ALPHA, 60, prn=True, single_dose=10, doses_last_24h=3)
    (line,) = lines_of([taken], ROWS, "t")
    assert line.ome_mg_per_day == 60
    assert line.working.startswith("Alpha: 10 mg x 3 doses taken in the last 24 h = 30 mg x 2 ")
    (line,) = lines_of([replace(taken, doses_last_24h=None)], ROWS, "t")
    assert line.working.startswith("Alpha: 60 mg a day (the most allowed as needed) = 60 mg x 2 ")
    assert lines_of([replace(taken, prn=False)], ROWS, "t")[0].ome_mg_per_day == 120


def test_a_banded_factor_goes_by_the_whole_day_in_milligrams() -> None:
    rows = (row("beta", 4, unit="mg/day", band_below=20), row("beta", 8, unit="mg/day", band_from=20))
    lines = lines_of([medicine(BETA, 12_000), medicine(BETA, 8_000, "b")], rows, "t")
    assert [line.ome_mg_per_day for line in lines] == [96, 64]
    assert "x 8 (the factor for 20 mg of it in the whole day) = 96.0" in lines[0].working
    assert lines_of([medicine(BETA, 19_999)], rows, "t")[0].ome_mg_per_day == pytest.approx(79.996)


def test_antagonists_and_local_forms_add_nothing() -> None:
    local = Medicine("c", ALPHA, frozenset(), (), (), "oral", frozenset(), False, daily_dose=10)
    assert lines_of([medicine(HOLD, 10), local, medicine(replace(ALPHA, opioid=None), 10)], ROWS, "t") == ()


@pytest.mark.parametrize(
    ("daily", "unit", "row_unit", "amount"),
    [
        (1200, "mcg", "mcg/h", 50),
        (5, "g", "mg/day", 5000),
        (5, "mg", "mcg/day", 5000),
        (5, "tablet", "mg/day", None),
        (5, "mg", "drop/day", None),
    ],
)
def test_a_daily_dose_is_put_into_the_unit_of_its_row(
    daily: float, unit: str, row_unit: str, amount: float | None
) -> None:
    assert in_row_unit(daily, unit, row_unit) == (None if amount is None else pytest.approx(amount))


def test_the_total_is_of_what_is_known_and_unknown_where_nothing_is() -> None:
    known, unknown = medicine(ALPHA, 10), medicine(ALPHA, None, "b")
    assert total(lines_of([known, unknown], ROWS, "t")) == 20
    assert total(lines_of([unknown], ROWS, "t")) is None
    assert total(()) == 0


def test_the_lowest_total_takes_the_lowest_value_of_each_opioid() -> None:
    gamma = medicine(GAMMA, 10, "b")
    assert lowest_total([medicine(ALPHA, 10), gamma], ROWS) == 15 + 40
    assert lowest_total([], ROWS) == 0
    assert lowest_total([medicine(ALPHA, 10), medicine(HOLD, 1, "b")], ROWS) is None


def test_published_factors_of_what_is_taken_are_listed_where_they_differ() -> None:
    orders = [medicine(ALPHA, 10), medicine(ALPHA, 5, "b"), medicine(GAMMA, 5, "c"), medicine(HOLD, 5, "d")]
    (item,) = disagreements(orders, ROWS, "t")
    assert (item.drug, item.route, item.unit, item.used) == ("alpha", "oral", "mg/day", 2)
    assert item.values == ((1.5, "low", "s"), (2, "t", "s"))
    assert disagreements(orders, ROWS, "nobody")[0].used is None


def test_published_factors_are_those_of_the_band_of_the_whole_day() -> None:
    rows = (row("alpha", 4, band_below=20), row("alpha", 8, band_from=20), row("alpha", 5, table="u"))
    (item,) = disagreements([medicine(ALPHA, 12), medicine(ALPHA, 8, "b")], rows, "t")
    assert (item.used, item.values) == (8, ((5, "u", "s"), (8, "t", "s")))


# --- what is converted -------------------------------------------------------------------------------------------------


def test_a_ratio_made_for_one_direction_is_so_for_every_route_and_a_band_for_its_own() -> None:
    assert one_way(ROWS, "gamma", "subcutaneous")
    assert one_way(ROWS, "beta", "transdermal")
    assert not one_way(ROWS, "beta", "subcutaneous")
    assert not one_way(ROWS, "alpha", "oral")


def test_a_one_way_opioid_is_left_by_its_own_row_only() -> None:
    away = row("beta", 2, "away", route="transdermal", unit="mcg/h", source="leave")
    rows = (*ROWS, away)
    assert [r.opioid for r in leaving(rows) if r.direction in ("to-morphine", "both")] == [
        "alpha",
        "alpha",
        "alpha",
        "beta",
    ]
    patch = medicine(BETA, 1200, route="transdermal")
    base = conversion_base([patch], rows, ("t",), True, 1.0)
    assert (base.ome_mg_per_day, base.counted, base.sources, base.lowest) == (100, "regular doses", ("leave",), 100)
    assert base.working == (
        "counted, regular: Beta: 1200 mcg a day = 50 mcg/h x 2 = 100.0 mg oral morphine a day (a factor for leaving it;"
        " the table by which it is begun holds in one direction only)",
        "to convert: 100 mg oral morphine a day (regular doses)",
    )
    refused = conversion_base([patch], ROWS, ("t",), True, 1.0)
    assert refused.ome_mg_per_day == 0
    assert refused.refused == (
        "Conversion away from Beta is refused: its table holds for one direction only and would overestimate; the daily"
        " total is for weighing risk, not for dosing. Next step: ask a palliative or pain specialist, who titrates the new"
        " opioid under watch; go on with this one until then."
    )


def test_an_opioid_of_unknown_amount_stops_the_conversion() -> None:
    rescue = medicine(ALPHA, 60, "b", prn=True, single_dose=10)
    base = conversion_base([medicine(ALPHA, None), rescue], ROWS, ("t",), True, 1.0)
    assert (
        base.refused
        == "Not every opioid given could be turned into oral morphine, so nothing is converted: see the lines."
    )
    assert [order for order, _ in base.left_out] == ["b"]


def test_rescue_doses_are_counted_left_out_or_held_and_each_is_told() -> None:
    regular = medicine(ALPHA, 30)
    taken = medicine(ALPHA, 60, "b", prn=True, single_dose=10, doses_last_24h=2)
    base = conversion_base([regular, taken, medicine(HOLD, 5, "z")], ROWS, ("t",), True, 1.0)
    assert (base.ome_mg_per_day, base.counted, base.left_out) == (100, "regular doses and as-needed doses taken", ())
    assert [text.split(":")[0] for text in base.working] == [
        "counted, regular",
        "counted, as needed, taken in the last 24 h",
        "to convert",
    ]
    held = conversion_base([regular, replace(taken, doses_last_24h=4)], ROWS, ("t",), True, 0.5)
    assert held.ome_mg_per_day == 90
    assert held.working[2] == (
        "as-needed doses of 80 mg exceed the regular 60 mg: no more than that much is added at once"
    )
    assert conversion_base([regular, replace(taken, doses_last_24h=3)], ROWS, ("t",), True, 1.0).ome_mg_per_day == 120
    toxic = conversion_base([regular, taken], ROWS, ("t",), False, 1.0)
    assert (toxic.ome_mg_per_day, toxic.counted) == (60, "regular doses")
    assert toxic.left_out == (
        ("b", "Alpha as needed is not counted: signs of toxicity: what was taken on top is not carried over"),
    )
    assert toxic.left_out[0][1] in toxic.working
    unknown = conversion_base([regular, replace(taken, doses_last_24h=None)], ROWS, ("t",), True, 1.0)
    assert unknown.left_out[0][1].endswith("how often it was taken is not given, and the most allowed would overdose")
    rapid = conversion_base([regular, replace(taken, route="buccal")], ROWS, ("t",), True, 1.0)
    assert "titrated on its own, for attacks of pain, and says little of the regular need" in rapid.left_out[0][1]


def test_as_needed_doses_alone_are_converted_even_in_toxicity() -> None:
    taken = medicine(ALPHA, 60, prn=True, single_dose=10, doses_last_24h=2)
    base = conversion_base([taken], ROWS, ("t",), False, 1.0)
    assert (base.ome_mg_per_day, base.counted) == (40, "as-needed doses taken")
    assert conversion_base([], ROWS, ("t",), True, 1.0).counted == ""


def test_of_two_tables_the_lower_is_converted_and_one_that_is_silent_does_not_count() -> None:
    assert conversion_base([medicine(ALPHA, 20)], ROWS, ("t", "low"), True, 1.0).ome_mg_per_day == 30
    assert conversion_base([medicine(ALPHA, 20)], ROWS, ("nobody", "t"), True, 1.0).ome_mg_per_day == 40
