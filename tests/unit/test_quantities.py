"""Promises of the units room: nothing is assumed, nothing is repaired, real illness is believed."""

import math

import pytest

from medsafe.model.quantities import ANALYTES, VITALS, normalise_unit, read_bare, read_quantity
from medsafe.model.vocabulary import FACTS

ONE_UNIT_ONLY = [a.id for a in ANALYTES.values() if not a.unitless]


# --- units -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("µmol/L", "umol/L"),  # micro sign
        ("μmol/L", "umol/L"),  # Greek mu
        ("umol/l", "umol/L"),
        ("UMOL/L", "umol/L"),
        ("mcmol/L", "umol/L"),
        ("micromol/litre", "umol/L"),
        ("µmol L⁻¹", "umol/L"),
        (" mmol / L ", "mmol/L"),
        ("mg/dl", "mg/dL"),
        ("mg%", "mg/dL"),
        ("mEq/L", "mEq/L"),
        ("meq/l", "mEq/L"),
        ("G/L", "10^9/L"),
        ("g/l", "g/L"),
        ("x10^9/L", "10^9/L"),
        ("×10⁹/L", "10^9/L"),
        ("10*9/L", "10^9/L"),
        ("10E9/L", "10^9/L"),
        ("10*3/uL", "10^9/L"),
        ("10^3/µL", "10^9/L"),
        ("K/uL", "10^9/L"),
        ("/nL", "10^9/L"),
        ("/mm3", "/uL"),
        ("/mm³", "/uL"),
        ("cells/mcL", "/uL"),
        ("IU/L", "U/L"),
        ("[IU]/L", "U/L"),
        ("m[IU]/L", "mU/L"),
        ("{INR}", "1"),
        ("1", "1"),
        ("%", "%"),
        ("ug/mL", "mg/L"),
        ("ng/mL", "ug/L"),
        ("mg/g{creat}", "mg/g"),
        ("micromoles/L", "umol/L"),
        ("umol per L", "umol/L"),
        ("mM", "mmol/L"),
        ("international units/L", "U/L"),
        ("Thousands/uL", "10^9/L"),
        ("per mm3", "/uL"),
    ],
)
def test_a_unit_is_known_in_every_usual_spelling(spelling: str, canonical: str) -> None:
    assert normalise_unit(spelling) == canonical


@pytest.mark.parametrize("text", ["", "  ", "furlong", "10^6/uL", "10*12/L", "mmHg", "umol", "/L"])
def test_a_unit_outside_the_table_is_not_known(text: str) -> None:
    assert normalise_unit(text) is None


def test_every_canonical_unit_is_a_spelling_of_itself_with_factor_one() -> None:
    for analyte in ANALYTES.values():
        assert analyte.factors[analyte.canonical_unit] == 1
        assert all(normalise_unit(unit) == unit for unit in analyte.factors), analyte.id


def test_the_suspicious_bounds_lie_within_the_plausible_ones() -> None:
    for analyte in ANALYTES.values():
        assert analyte.plausible[0] <= analyte.suspicious[0] < analyte.suspicious[1] <= analyte.plausible[1], analyte.id
        assert 0 < analyte.max_age_days_changing <= analyte.max_age_days, analyte.id
    for vital in VITALS.values():
        assert vital.plausible[0] <= vital.usual[0] < vital.usual[1] <= vital.plausible[1], vital.name


def test_the_facts_data_may_ask_about_are_those_the_table_gives() -> None:
    table = {analyte.fact for analyte in ANALYTES.values()} | set(VITALS)
    suffixes = ("_l", "_ms", "_kg", "_cm", "_bpm", "_mg_g", "_c", "_mmhg", "_percent", "inr")
    derived = {"ome_mg_per_day"}
    asked = {fact for fact in FACTS if fact.endswith(suffixes)} - derived
    assert asked <= table


def test_the_table_cannot_be_changed_from_outside() -> None:
    with pytest.raises(TypeError):
        ANALYTES["creatinine"].factors["mg/dL"] = 1.0  # type: ignore[index]


# --- conversion ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "canonical"),
    [
        ("creatinine", 1.0, "mg/dL", 88.4),
        ("bilirubin", 0.6, "mg/dL", 10.26),
        ("bilirubin", 3, "mg/dL", 51.3),  # the bound of Child-Pugh is not overshot by a rounding error
        ("albumin", 3.9, "g/dL", 39.0),
        ("albumin", 39, "G/L", 39.0),
        ("platelets", 180, "G/L", 180.0),
        ("platelets", 180, "10*3/uL", 180.0),
        ("platelets", 180000, "/mm3", 180.0),
        ("neutrophils", 1500, "/uL", 1.5),
        ("haemoglobin", 12, "g/dL", 120.0),
        ("haemoglobin", 7.5, "mmol/L", 120.855),
        ("sodium", 138, "mEq/L", 138.0),
        ("magnesium", 2.0, "mg/dL", 0.8228),
        ("magnesium", 1.6, "mEq/L", 0.8),
        ("calcium", 10, "mg/dL", 2.495),
        ("calcium", 4.8, "mEq/L", 2.4),
        ("glucose", 100, "mg/dL", 5.55),
        ("urea", 20, "mg/dL", 7.14),
        ("urine_acr", 30, "mg/mmol", 265.2),
        ("ast", 1.5, "µkat/L", 90.0),
        ("crp", 5, "mg/dL", 50.0),
        ("uric_acid", 6, "mg/dL", 356.88),
        ("digoxin_level", 1.2, "ng/mL", 1.2),
        ("phenytoin_level", 60, "umol/L", 15.138),
    ],
)
def test_a_value_is_converted_to_the_canonical_unit(analyte: str, value: float, unit: str, canonical: float) -> None:
    reading = read_quantity(analyte, value, unit)
    assert reading.value == canonical
    assert reading.doubt is None
    assert reading.candidates == ()


# --- a missing or unknown unit ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [None, "", "   "])
def test_a_creatinine_without_a_unit_is_never_used(unit: str | None) -> None:
    reading = read_quantity("creatinine", 168, unit)
    assert reading.value is None
    assert reading.doubt == "unit-suspect"
    assert reading.candidates == ("umol/L",)
    assert "no unit" in reading.message
    assert "umol/L or mg/dL" in reading.message


@pytest.mark.parametrize("analyte", ONE_UNIT_ONLY)
def test_no_unit_is_assumed_even_where_there_is_only_one(analyte: str) -> None:
    reading = read_quantity(analyte, 2.0, None)
    assert (reading.value, reading.doubt) == (None, "unit-suspect")


@pytest.mark.parametrize("unit", [None, "", "1", "{INR}", "INR", "ratio"])
def test_an_inr_is_a_bare_number(unit: str | None) -> None:
    assert read_quantity("inr", 1.0, unit).value == 1.0


def test_a_prothrombin_percentage_is_not_an_inr() -> None:
    assert read_quantity("inr", 45, "%").doubt == "unit-suspect"


@pytest.mark.parametrize("unit", ["furlong", "g/L", "mmol/24h", "1"])
def test_a_unit_that_is_not_one_of_the_analyte_is_never_used(unit: str) -> None:
    reading = read_quantity("creatinine", 90, unit)
    assert (reading.value, reading.doubt) == (None, "unit-suspect")
    assert unit in reading.message


def test_a_cell_count_unit_does_not_pass_for_grams() -> None:
    assert read_quantity("albumin", 39, "10^9/L").doubt == "unit-suspect"


# --- unit traps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "candidate"),
    [
        ("creatinine", 1.1, "umol/L", "mg/dL"),
        ("creatinine", 12, "umol/L", "mg/dL"),
        ("creatinine", 90, "mg/dL", "umol/L"),
        ("bilirubin", 0.6, "umol/L", "mg/dL"),
        ("albumin", 3.9, "g/L", "g/dL"),
        ("albumin", 39, "g/dL", "g/L"),
        ("haemoglobin", 12, "g/L", "g/dL"),
        ("haemoglobin", 120, "g/dL", "g/L"),
        ("haemoglobin", 13, "mmol/L", "g/dL"),
        ("platelets", 180000, "10^9/L", "/uL"),
        ("platelets", 180, "/uL", "10^9/L"),
        ("neutrophils", 1500, "10^9/L", "/uL"),
        ("calcium", 2.4, "mg/dL", "mmol/L"),
        ("calcium", 9.6, "mmol/L", "mg/dL"),
        ("magnesium", 2.0, "mmol/L", "mg/dL"),
        ("phosphate", 3.5, "mmol/L", "mg/dL"),
        ("glucose", 100, "mmol/L", "mg/dL"),
        ("glucose", 5.5, "mg/dL", "mmol/L"),
        ("crp", 120, "mg/dL", "mg/L"),
        ("uric_acid", 6, "umol/L", "mg/dL"),
        ("phenytoin_level", 70, "mg/L", "umol/L"),
    ],
)
def test_a_value_that_another_unit_would_explain_is_doubted(
    analyte: str, value: float, unit: str, candidate: str
) -> None:
    reading = read_quantity(analyte, value, unit)
    assert (reading.value, reading.doubt) == (None, "unit-suspect")
    assert candidate in reading.candidates
    assert unit not in reading.candidates
    assert candidate in reading.message


@pytest.mark.parametrize(
    ("analyte", "value", "unit"),
    [
        ("creatinine", 1400, "umol/L"),
        ("creatinine", 15, "mg/dL"),
        ("creatinine", 18, "umol/L"),  # cachexia
        ("bilirubin", 12, "mg/dL"),
        ("bilirubin", 600, "umol/L"),
        ("bilirubin", 2, "umol/L"),
        ("albumin", 12, "g/L"),
        ("inr", 9.8, None),
        ("alt", 12000, "U/L"),
        ("platelets", 2, "10^9/L"),
        ("platelets", 2000, "/uL"),
        ("platelets", 1800, "10^9/L"),
        ("neutrophils", 0, "10^9/L"),
        ("neutrophils", 0.1, "10^9/L"),
        ("neutrophils", 100, "/uL"),
        ("haemoglobin", 3.5, "g/dL"),
        ("haemoglobin", 25, "g/L"),
        ("sodium", 103, "mmol/L"),
        ("sodium", 178, "mmol/L"),
        ("potassium", 8.5, "mmol/L"),
        ("potassium", 1.6, "mmol/L"),
        ("calcium", 4.5, "mmol/L"),
        ("calcium", 18, "mg/dL"),
        ("magnesium", 0.8, "mg/dL"),
        ("magnesium", 0.25, "mmol/L"),
        ("phosphate", 0.5, "mg/dL"),
        ("glucose", 60, "mmol/L"),
        ("glucose", 0.9, "mmol/L"),
        ("glucose", 25, "mg/dL"),
        ("urea", 60, "mmol/L"),
        ("crp", 480, "mg/L"),
        ("crp", 0, "mg/L"),
        ("lactate", 22, "mmol/L"),
        ("uric_acid", 0.3, "mg/dL"),
        ("urine_acr", 0, "mg/g"),
    ],
)
def test_a_value_met_in_real_illness_is_believed(analyte: str, value: float, unit: str | None) -> None:
    reading = read_quantity(analyte, value, unit)
    assert reading.doubt is None, reading.message
    assert reading.value is not None


@pytest.mark.parametrize(
    ("value", "doubt"),
    [(24.9, None), (17.1, None), (17.0, None), (16.9, "unit-suspect")],  # 16.96 mg/dL is 1500 umol/L
)
def test_a_low_creatinine_is_doubted_exactly_where_mg_dl_would_explain_it(value: float, doubt: str | None) -> None:
    assert read_quantity("creatinine", value, "umol/L").doubt == doubt


@pytest.mark.parametrize(
    ("value", "doubt"),
    [(12, None), (12.01, "value-implausible"), (1, None), (0.99, "value-implausible"), (45, "value-implausible")],
)
def test_a_potassium_is_believed_up_to_the_bounds_and_not_beyond(value: float, doubt: str | None) -> None:
    assert read_quantity("potassium", value, "mmol/L").doubt == doubt


@pytest.mark.parametrize("value", [-1, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("unit", ["umol/L", None])
def test_a_negative_or_unreal_number_is_implausible_whatever_its_unit(value: float, unit: str | None) -> None:
    assert read_quantity("creatinine", value, unit).doubt == "value-implausible"


def test_a_zero_creatinine_is_implausible() -> None:
    assert read_quantity("creatinine", 0, "umol/L").doubt == "value-implausible"


def test_a_doubt_always_comes_with_a_message_and_no_value() -> None:
    for analyte in ANALYTES.values():
        for value in (1e-6, 0.5, 1, 4, 12, 90, 1e3, 1e5, 1e9):
            for unit in (None, "?", *analyte.factors):
                reading = read_quantity(analyte.id, value, unit)
                assert (reading.value is None) == (reading.doubt is not None) == bool(reading.message)


def test_an_unknown_analyte_is_a_fault_of_the_caller() -> None:
    with pytest.raises(KeyError):
        read_quantity("phlogiston", 1, "g/L")


# --- bare numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age_years", 67),
        ("weight_kg", 0.3),
        ("weight_kg", 28),
        ("weight_kg", 400),
        ("height_cm", 162),
        ("qtc_ms", 610),
        ("heart_rate_bpm", 28),
        ("respiratory_rate", 4),
        ("temperature_c", 33.1),
        ("systolic_bp_mmhg", 62),
        ("spo2_percent", 71),
        ("pregnancy_weeks", 8),
    ],
)
def test_a_bare_number_within_reason_is_used(name: str, value: float) -> None:
    assert read_bare(name, value).value == value


@pytest.mark.parametrize("value", [640, 400.1, 0.29])
def test_an_impossible_weight_is_never_used(value: float) -> None:
    reading = read_bare("weight_kg", value)
    assert (reading.value, reading.doubt) == (None, "value-implausible")
    assert "0.3 to 400 kg" in reading.message


@pytest.mark.parametrize("name", sorted(VITALS))
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_zero_negative_and_unreal_bare_numbers_are_implausible(name: str, value: float) -> None:
    assert read_bare(name, value).doubt == "value-implausible"


@pytest.mark.parametrize(
    ("name", "value", "candidate"),
    [
        ("height_cm", 1.62, "m"),
        ("temperature_c", 98.6, "°F"),
        ("qtc_ms", 0.47, "s"),
        ("qt_ms", 0.4, "s"),
        ("spo2_percent", 0.94, "fraction"),
    ],
)
def test_a_bare_number_usual_in_another_unit_is_a_doubt_about_the_unit(name: str, value: float, candidate: str) -> None:
    reading = read_bare(name, value)
    assert (reading.value, reading.doubt, reading.candidates) == (None, "unit-suspect", (candidate,))


def test_a_bare_number_no_unit_would_explain_is_implausible() -> None:
    assert read_bare("height_cm", 16.2).doubt == "value-implausible"
    assert read_bare("qtc_ms", 47).doubt == "value-implausible"
    assert read_bare("age_years", 121).doubt == "value-implausible"
