"""Promises of the workings: what is written down can be calculated again, and comes to what is written."""

from __future__ import annotations

import math
import re

import pytest

from medsafe.organ.body import (
    adjusted_weight_working,
    bmi_working,
    bsa_dubois_working,
    bsa_mosteller_working,
    ideal_weight_working,
)
from medsafe.organ.cardiac import qtc_fridericia_working
from medsafe.organ.hepatic import (
    albi_working,
    child_pugh,
    child_pugh_working,
    meld_3_0,
    meld_3_0_working,
    meld_na,
    meld_na_working,
    nci_odwg_working,
)
from medsafe.organ.renal import (
    aki_working,
    albuminuria_working,
    ckd_epi_2012_cystatin_c_working,
    ckd_epi_2021_creatinine,
    ckd_epi_2021_creatinine_cystatin_c,
    ckd_epi_2021_creatinine_cystatin_c_working,
    ckd_epi_2021_creatinine_working,
    cockcroft_gault_ml_min,
    cockcroft_gault_working,
    deindex_working,
    dosing_weight,
    kdigo_a_stage,
    kdigo_working,
)

BILIRUBIN, CREATININE = 17.1, 88.4  # umol/L in 1 mg/dL
SIGNS = {"×": "*", "−": "-", "^": "**", "²": "**2", "√": "sqrt", "∛": "cbrt"}


def calculated(working: str | None) -> tuple[float, float]:
    """What the written calculation comes to, and the figure that is written behind it."""
    assert working is not None
    left, _, right = working.rpartition(" (creatinine ")[0].rpartition(" = ") if "(cr" in working else parts(working)
    for sign, operator in SIGNS.items():
        left = left.replace(sign, operator)
    left = re.sub(r"(\d) ln ", r"\1 * ln ", left)
    left = re.sub(r"ln ([\d.]+)", r"log(\1)", left)
    names = {"sqrt": math.sqrt, "cbrt": lambda x: x ** (1 / 3), "log": math.log, "log10": math.log10}
    shown = re.match(r"[\d.−]+", right)
    assert shown is not None
    return eval(left, names), float(shown[0].replace("−", "-"))  # a calculation that stands in our own text


def parts(working: str) -> tuple[str, str, str]:
    left, sign, right = working.rpartition(" = ")
    return left.rpartition("; ")[2], sign, right


PEOPLE = [(age, cr, cys, sex) for age in (30, 67) for cr in (40, 70, 168) for cys in (0.6, 1.6) for sex in "mf"]
WORKINGS = [
    *(ckd_epi_2021_creatinine_working(age, cr, {"m": "male", "f": "female"}[s]) for age, cr, _, s in PEOPLE),
    *(ckd_epi_2012_cystatin_c_working(age, cys, {"m": "male", "f": "female"}[s]) for age, _, cys, s in PEOPLE),
    *(
        ckd_epi_2021_creatinine_cystatin_c_working(age, cr, cys, {"m": "male", "f": "female"}[s])
        for age, cr, cys, s in PEOPLE
    ),
    *(cockcroft_gault_working(age, 61.5, cr, {"m": "male", "f": "female"}[s]) for age, cr, _, s in PEOPLE),
    deindex_working(47.3, 2.21),
    bmi_working(93.5, 171),
    bsa_mosteller_working(93.5, 171),
    bsa_dubois_working(93.5, 171),
    ideal_weight_working(171, "female"),
    ideal_weight_working(171, "male"),
    adjusted_weight_working(120, 70.4),
    qtc_fridericia_working(380, 104),
    albi_working(48, 31),
    *(meld_na_working(b * BILIRUBIN, 1.9, 2 * CREATININE, na) for b in (2, 8) for na in (120, 131, 150)),
    *(
        meld_3_0_working(b * BILIRUBIN, 1.9, cr * CREATININE, na, alb, sex)
        for b in (2, 8)
        for cr in (1.5, 5)
        for na in (120, 131, 150)
        for alb in (12, 20, 28, 44)
        for sex in ("male", "female")
    ),
]


@pytest.mark.parametrize("working", WORKINGS)
def test_what_is_written_down_comes_to_what_is_written_behind_it(working: str | None) -> None:
    value, shown = calculated(working)
    assert working is not None
    whole = shown == int(shown) and "." not in working.rpartition(" = ")[2].split(" ")[0]
    assert value == pytest.approx(shown, abs=0.51 if whole else 0.06, rel=2e-3)


# --- each equation worked apart, from the equation as printed, to four digits and more ---------------------------------


@pytest.mark.parametrize(
    ("age", "creatinine_mg_dl", "cystatin_mg_l", "sex", "expected"),
    [
        (70, 1.4, 1.6, "female", 39.5553),
        (45, 0.5, 0.6, "female", 128.8100),
        (45, 0.6, 0.6, "male", 131.7281),
        (60, 2.7, 2.0, "male", 28.7978),
        (60, 0.6, 2.0, "male", 55.4971),
    ],
)
def test_the_estimate_from_creatinine_and_cystatin_c_follows_the_printed_equation(
    age: float, creatinine_mg_dl: float, cystatin_mg_l: float, sex: str, expected: float
) -> None:
    value = ckd_epi_2021_creatinine_cystatin_c(age, creatinine_mg_dl * CREATININE, cystatin_mg_l, sex)
    assert value == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("age", "creatinine_mg_dl", "sex", "expected"),
    [
        (45, 0.5, "female", 117.7987),
        (70, 2.1, "female", 24.8801),
        (30, 0.6, "male", 133.1796),
        (80, 3.6, "male", 16.3582),
    ],
)
def test_the_estimate_from_creatinine_follows_the_printed_equation(
    age: float, creatinine_mg_dl: float, sex: str, expected: float
) -> None:
    assert ckd_epi_2021_creatinine(age, creatinine_mg_dl * CREATININE, sex) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("bilirubin", "inr", "creatinine", "sodium", "albumin", "sex", "expected"),
    [
        (3, 1.5, 2, 130, 25, "female", 28),  # 28.22
        (3, 1.5, 2, 125, 15, "male", 30),  # 30.26
        (8, 1.2, 3, 125, 15, "male", 33),  # 32.91
        (8, 1.2, 3, 131, 30, "male", 31),  # 31.22
        (2, 2.5, 1, 125, 15, "male", 29),  # 29.03
    ],
)
def test_meld_3_0_follows_the_printed_equation_where_sodium_and_albumin_are_low(
    bilirubin: float, inr: float, creatinine: float, sodium: float, albumin: float, sex: str, expected: int
) -> None:
    assert meld_3_0(bilirubin * BILIRUBIN, inr, creatinine * CREATININE, sodium, albumin, sex) == expected


def test_an_albumin_above_35_takes_nothing_off_meld_3_0() -> None:
    assert meld_3_0(2 * BILIRUBIN, 1.5, CREATININE, 137, 45, "male") == 13  # 12.85, as with 35


def test_a_clearance_near_nothing_is_not_rounded_up_to_something() -> None:
    assert cockcroft_gault_ml_min(70, 40, 4000, "female") == pytest.approx(0.728)


# --- the text of each working ------------------------------------------------------------------------------------------


def test_the_working_of_an_estimate_names_the_creatinine_in_both_units() -> None:
    assert ckd_epi_2021_creatinine_working(67, 168, "female") == (
        "142 × (1.900 / 0.7)^−1.200 × 0.9938^67 × 1.012 = 28.6 mL/min/1.73 m² (creatinine 168 umol/L = 1.900 mg/dL)"
    )
    assert ckd_epi_2021_creatinine_cystatin_c_working(45, 44.2, 0.6, "female") == (
        "135 × (0.500 / 0.7)^−0.219 × (0.6 / 0.8)^−0.323 × 0.9961^45 × 0.963 = 128.8 mL/min/1.73 m²"
        " (creatinine 44.2 umol/L = 0.500 mg/dL)"
    )


def test_the_working_of_a_mans_estimate_has_no_factor_for_women() -> None:
    assert ckd_epi_2021_creatinine_working(30, 53.04, "male") == (
        "142 × (0.600 / 0.9)^−0.302 × 0.9938^30 = 133.2 mL/min/1.73 m² (creatinine 53.04 umol/L = 0.600 mg/dL)"
    )
    assert (
        ckd_epi_2012_cystatin_c_working(50, 1.6, "male") == "133 × (1.6 / 0.8)^−1.328 × 0.996^50 = 43.4 mL/min/1.73 m²"
    )
    assert ckd_epi_2021_creatinine_cystatin_c_working(60, 88.4, 1.6, "male") == (
        "135 × (1.000 / 0.9)^−0.544 × (1.6 / 0.8)^−0.778 × 0.9961^60 = 58.8 mL/min/1.73 m²"
        " (creatinine 88.4 umol/L = 1.000 mg/dL)"
    )


def test_the_working_of_a_womans_cystatin_estimate_has_her_factor() -> None:
    assert (
        ckd_epi_2012_cystatin_c_working(67, 1.2, "female")
        == "133 × (1.2 / 0.8)^−1.328 × 0.996^67 × 0.932 = 55.3 mL/min/1.73 m²"
    )


def test_a_clearance_is_written_with_the_weight_to_one_place() -> None:
    assert cockcroft_gault_working(67, 48.26, 168, "male") == "(140 − 67) × 48.3 × 1.23 / 168 = 25.8 mL/min"


@pytest.mark.parametrize(
    ("egfr", "expected"),
    [
        (104, "104.0 mL/min/1.73 m², from 90: G1"),
        (90, "90.0 mL/min/1.73 m², from 90: G1"),
        (89.9, "89.9 mL/min/1.73 m², from 60 to below 90: G2"),
        (60, "60.0 mL/min/1.73 m², from 60 to below 90: G2"),
        (45, "45.0 mL/min/1.73 m², from 45 to below 60: G3a"),
        (44.9, "44.9 mL/min/1.73 m², from 30 to below 45: G3b"),
        (15, "15.0 mL/min/1.73 m², from 15 to below 30: G4"),
        (14.9, "14.9 mL/min/1.73 m², from 0 to below 15: G5"),
        (None, None),
    ],
)
def test_a_category_of_gfr_is_shown_with_its_bounds(egfr: float | None, expected: str | None) -> None:
    assert kdigo_working(egfr) == expected


@pytest.mark.parametrize(
    ("acr", "expected"),
    [
        (29.9, "29.9 mg/g, below 30: A1"),
        (30, "30 mg/g, from 30 to 300: A2"),
        (301, "301 mg/g, above 300: A3"),
        (0, "0 mg/g, below 30: A1"),
        (None, None),
    ],
)
def test_a_category_of_albuminuria_is_shown_with_its_bounds(acr: float | None, expected: str | None) -> None:
    assert albuminuria_working(acr) == expected


@pytest.mark.parametrize("acr", [math.inf, math.nan])
def test_an_endless_albuminuria_has_no_category(acr: float) -> None:
    assert kdigo_a_stage(acr) is None


@pytest.mark.parametrize(
    ("previous", "current", "days", "expected"),
    [
        (80, 180, 5, "180 / 80 = 2.25 times within 5 days, rise 100 umol/L: stage 2"),
        (80, 106.5, 2, "106.5 / 80 = 1.33 times within 2 days, rise 26.5 umol/L: stage 1"),
        (80, 82, 1, "82 / 80 = 1.02 times within 1 days, rise 2 umol/L: no acute kidney injury"),
        (80, 240, 7, "240 / 80 = 3.00 times within 7 days, rise 160 umol/L: stage 3"),
        (80, 180, 8, None),
        (None, 180, 5, None),
        (80, None, 5, None),
    ],
)
def test_an_acute_kidney_injury_is_shown_with_ratio_days_and_rise(
    previous: float | None, current: float | None, days: float, expected: str | None
) -> None:
    assert aki_working(previous, current, days) == expected


def test_sizes_are_written_as_they_are_worked_by_hand() -> None:
    assert deindex_working(30, 1.46) == "30.0 × 1.46 / 1.73 = 25.3 mL/min"
    assert bmi_working(48, 162) == "48 / (162 / 100)² = 18.3 kg/m²"
    assert bsa_mosteller_working(80, 180) == "√(80 × 180 / 3600) = 2.00 m²"
    assert bsa_dubois_working(90, 185) == "0.007184 × 90^0.425 × 185^0.725 = 2.14 m²"
    assert adjusted_weight_working(120, 70) == "70.0 + 0.4 × (120 − 70.0) = 90.0 kg"
    assert qtc_fridericia_working(400, 80) == "400 / ∛(60 / 80) = 440 ms"


@pytest.mark.parametrize(
    ("weight", "height", "sex", "kg", "why"),
    [
        (48, 162, "female", 48, "89 % of the ideal 54.2 kg, not above 120 %"),
        (140, 177.8, "male", 99.8, "192 % of the ideal 73.0 kg, above 120 %: actual weight would overstate clearance"),
        (
            60,
            None,
            "male",
            60,
            "height is missing, so ideal weight is unknown; clearance is overstated if the patient is obese",
        ),
        (
            60,
            152.4,
            None,
            60,
            "sex is missing, so ideal weight is unknown; clearance is overstated if the patient is obese",
        ),
        (45, 150, "female", 45, "ideal weight is not defined below 152.4 cm"),
        (67.49, 150, "female", 67.49, "ideal weight is not defined below 152.4 cm"),
        (67.5, 150, "female", 67.5, "ideal weight is not defined below 152.4 cm; obese, so clearance is overstated"),
    ],
)
def test_the_weight_to_dose_by_comes_with_its_reason(
    weight: float, height: float | None, sex: str | None, kg: float, why: str
) -> None:
    chosen = dosing_weight(weight, height, sex)
    assert chosen is not None
    assert chosen.weight_kg == pytest.approx(kg)
    assert chosen.why == why


# --- the liver ---------------------------------------------------------------------------------------------------------


def test_a_child_pugh_is_shown_part_by_part_and_with_what_is_missing() -> None:
    assert child_pugh_working(child_pugh(60, 30, 1.8, "mild", "none")) == (
        "bilirubin 3 + albumin 2 + inr 2 + ascites 2 + encephalopathy 1 = 10, class C"
    )
    assert child_pugh_working(child_pugh(10, 40, None, "none", None)) == (
        "bilirubin 1 + albumin 1 + ascites 1 = 3 without inr, encephalopathy: class A to B"
    )
    assert child_pugh_working(child_pugh(None, None, None, None, None)) == (
        "nothing known = 0 without bilirubin, albumin, inr, ascites, encephalopathy: class A to C"
    )


@pytest.mark.parametrize(
    ("given", "best", "worst"),
    [
        ((60, 30, None, "none", "none"), "B", "C"),  # 7 points known: 8 to 10
        ((40, 30, None, "none", "none"), "B", "B"),  # 6 known: 7 to 9
        ((40, 40, None, "none", "none"), "A", "B"),  # 5 known: 6 to 8
        ((60, 20, None, None, "none"), "B", "C"),  # 7 known: 9 to 13
    ],
)
def test_a_missing_part_of_child_pugh_counts_one_to_three_points(
    given: tuple[float, float, None, str | None, str], best: str, worst: str
) -> None:
    result = child_pugh(*given)
    assert (result.best_case, result.worst_case) == (best, worst)


def test_dialysis_counts_in_every_meld_and_in_its_working() -> None:
    assert meld_na(50, 1.5, 90, 130, dialysis=True) == meld_na(50, 1.5, 4 * CREATININE, 130)
    assert meld_na(50, 1.5, 90, 130, dialysis=True) != meld_na(50, 1.5, 90, 130)
    assert meld_na_working(50, 1.5, 90, 130, True) == meld_na_working(50, 1.5, 4 * CREATININE, 130)
    on_dialysis = meld_3_0_working(50, 1.5, 90, 130, 30, "male", True)
    assert on_dialysis == meld_3_0_working(50, 1.5, 3 * CREATININE, 130, 30, "male")
    assert on_dialysis is not None
    assert "11.14 ln 3 " in on_dialysis


def test_the_working_of_meld_na_shows_sodium_within_its_bounds() -> None:
    low, high = (meld_na_working(4.2 * BILIRUBIN, 1.2, 1.9 * CREATININE, sodium) for sodium in (118, 145))
    assert low == "MELD 20; 20 + 1.32 × (137 − 125) − 0.033 × 20 × (137 − 125) = 28"
    assert high == "MELD 20; 20 + 1.32 × (137 − 137) − 0.033 × 20 × (137 − 137) = 20"


def test_the_working_of_meld_na_leaves_sodium_out_up_to_eleven_and_adds_it_from_twelve() -> None:
    eleven = meld_na_working(BILIRUBIN, math.exp(4.57 / 11.2), CREATININE, 125)
    assert eleven == "MELD 11, not above 11, so sodium is not added = 11"
    twelve = meld_na_working(BILIRUBIN, math.exp(5.57 / 11.2), CREATININE, 125)
    assert twelve == "MELD 12; 12 + 1.32 × (137 − 125) − 0.033 × 12 × (137 − 125) = 23"


def test_the_working_of_meld_3_0_is_shown_whole() -> None:
    assert meld_3_0_working(2 * BILIRUBIN, 1.5, 1.5 * CREATININE, 131, 28, "male") == (
        "4.56 ln 2 + 0.82 × 6 − 0.24 × 6 × ln 2 + 9.09 ln 1.5 + 11.14 ln 1.5 + 1.85 × 0.7 − 1.83 × 0.7 × ln 1.5 + 6 = 22"
    )


def test_an_albi_score_is_shown_with_its_sign_and_grade() -> None:
    assert albi_working(10, 40) == "0.66 × log10(10) − 0.085 × 40 = −2.74, grade 1"


@pytest.mark.parametrize(
    ("bilirubin", "ast", "ast_upper", "expected"),
    [
        (40, None, None, "bilirubin 40 / 21 = 1.90 × upper limit: moderate"),
        (40, 80, None, "bilirubin 40 / 21 = 1.90 × upper limit: moderate"),
        (40, None, 40, "bilirubin 40 / 21 = 1.90 × upper limit: moderate"),
        (12, 95, 40, "bilirubin 12 / 21 = 0.57 × upper limit, AST 95 / 40: mild"),
    ],
)
def test_an_nci_class_is_shown_with_ast_only_where_both_figures_are_known(
    bilirubin: float, ast: float | None, ast_upper: float | None, expected: str
) -> None:
    assert nci_odwg_working(bilirubin, 21, ast, ast_upper) == expected
