"""Kidney function: creatinine clearance, estimated GFR, KDIGO categories, acute kidney injury, the trend of creatinine.

Creatinine clearance (`crcl_ml_min`) and estimated GFR (`egfr_ml_min_173m2`) are different things and are kept apart
by name. Every estimate is for adults (18 years and over) in a steady state: for a child, or when an input is missing,
it is None, never a guess. Pregnancy, dialysis, cachexia and changing function are caveats the caller adds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from medsafe.organ.body import DEVINE_LOWEST_HEIGHT_CM, adjusted_weight_kg, bmi, ideal_weight_kg, is_known

ADULT_FROM_YEARS = 18
UMOL_L_PER_MG_DL = 88.4
# The original constant is mL/min per mg/dL: (140 − age) × weight / (72 × creatinine), × 0.85 for women. In umol/L that
# is 1.228 and 1.044; 1.23 and 1.04 are what British references print, so the working can be checked by hand.
_COCKCROFT_GAULT = {"male": 1.23, "female": 1.04}
OVERWEIGHT_FROM_RATIO = 1.2
_KAPPA_MG_DL = {"male": 0.9, "female": 0.7}
_ALPHA_CREATININE = {"male": -0.302, "female": -0.241}
_ALPHA_COMBINED = {"male": -0.144, "female": -0.219}
_G_STAGES = ((90, "G1"), (60, "G2"), (45, "G3a"), (30, "G3b"), (15, "G4"))
AKI_RISE_UMOL_L = 26.5
AKI_STAGE_3_UMOL_L = 353.6
TREND_RATIO = 1.2


@dataclass(frozen=True, slots=True)
class DosingWeight:
    """The weight to put into Cockcroft-Gault: `which` is "actual" or "adjusted", `why` says the reason."""

    weight_kg: float
    which: str
    why: str


@dataclass(frozen=True, slots=True)
class CreatinineTrend:
    """Where creatinine is going: "rising", "falling" or "stable", and current over previous."""

    direction: str
    ratio: float


def is_adult(age_years: float | None) -> TypeGuard[float]:
    """The equations of this room hold from 18 years on.

    >>> is_adult(18), is_adult(17.9), is_adult(None)
    (True, False, False)
    """
    return is_known(age_years) and age_years >= ADULT_FROM_YEARS


def cockcroft_gault_ml_min(
    age_years: float | None, weight_kg: float | None, creatinine_umol_l: float | None, sex: str | None
) -> float | None:
    """Creatinine clearance by Cockcroft and Gault, the estimate most dose recommendations were written for.

    Parameters
    ----------
    age_years: age, years; adults only.
    weight_kg: weight to dose by, kg (see `dosing_weight`).
    creatinine_umol_l: serum creatinine, umol/L, in a steady state.
    sex: "male" or "female".

    Returns
    -------
    mL/min, not indexed to body surface; None for a child or when an input is missing.

    Reference
    ---------
    Cockcroft DW, Gault MH. Prediction of creatinine clearance from serum creatinine. Nephron 1976;16:31-41.
    Constants for umol/L as printed in the British National Formulary: 1.23 (men), 1.04 (women).

    >>> round(cockcroft_gault_ml_min(67, 48, 168, "female"), 1)
    21.7
    """
    constant = _COCKCROFT_GAULT.get(sex or "")
    if not (is_adult(age_years) and is_known(weight_kg) and is_known(creatinine_umol_l)) or constant is None:
        return None
    # Beyond 140 years the formula turns negative; such an age is refused long before it comes here.
    return max(0.0, (140 - age_years) * weight_kg * constant / creatinine_umol_l)


def dosing_weight(weight_kg: float | None, height_cm: float | None, sex: str | None) -> DosingWeight | None:
    """Choose the weight to put into Cockcroft-Gault.

    Actual weight up to 120 % of the ideal, adjusted weight (factor 0.4) above. Without height or sex, or below
    152.4 cm where no ideal weight is defined, the actual weight is used and the reason says so.

    Parameters
    ----------
    weight_kg: actual body weight, kg.
    height_cm: height, cm.
    sex: "male" or "female".

    Returns
    -------
    The weight, which one it is, and why; None when the actual weight is missing.

    Reference
    ---------
    Actual weight: Cockcroft DW, Gault MH. Nephron 1976;16:31-41 (the equation was derived with it).
    Adjusted weight in overweight and obesity: Winter MA, Guhr KN, Berg GM. Pharmacotherapy 2012;32:604-612.

    >>> dosing_weight(48, 162, "female").which, dosing_weight(95, 162, "female").which
    ('actual', 'adjusted')
    """
    if not is_known(weight_kg):
        return None
    ideal_kg = ideal_weight_kg(height_cm, sex)
    if ideal_kg is None:
        return DosingWeight(weight_kg, "actual", _why_no_ideal_weight(weight_kg, height_cm, sex))
    percent = 100 * weight_kg / ideal_kg
    adjusted_kg = adjusted_weight_kg(weight_kg, ideal_kg)
    if adjusted_kg is not None and round(weight_kg / ideal_kg, 6) > OVERWEIGHT_FROM_RATIO:
        why = f"{percent:.0f} % of the ideal {ideal_kg:.1f} kg, above 120 %: actual weight would overstate clearance"
        return DosingWeight(adjusted_kg, "adjusted", why)
    return DosingWeight(weight_kg, "actual", f"{percent:.0f} % of the ideal {ideal_kg:.1f} kg, not above 120 %")


def _why_no_ideal_weight(weight_kg: float, height_cm: float | None, sex: str | None) -> str:
    if not is_known(height_cm):
        return "height is missing, so ideal weight is unknown; clearance is overstated if the patient is obese"
    if height_cm >= DEVINE_LOWEST_HEIGHT_CM:
        return "sex is missing, so ideal weight is unknown; clearance is overstated if the patient is obese"
    obese = (bmi(weight_kg, height_cm) or 0) >= 30
    return "ideal weight is not defined below 152.4 cm" + ("; obese, so clearance is overstated" if obese else "")


def ckd_epi_2021_creatinine(age_years: float | None, creatinine_umol_l: float | None, sex: str | None) -> float | None:
    """Estimated GFR from creatinine, CKD-EPI 2021 (without race).

    Parameters
    ----------
    age_years: age, years; adults only.
    creatinine_umol_l: standardised serum creatinine, umol/L.
    sex: "male" or "female".

    Returns
    -------
    mL/min/1.73 m²; None for a child or when an input is missing.

    Reference
    ---------
    Inker LA, Eneanya ND, Coresh J, et al. New creatinine- and cystatin C-based equations to estimate GFR without race.
    N Engl J Med 2021;385:1737-1749.

    >>> round(ckd_epi_2021_creatinine(60, 1.4 * 88.4, "male"), 2)
    57.54
    """
    kappa = _KAPPA_MG_DL.get(sex or "")
    if not (is_adult(age_years) and is_known(creatinine_umol_l)) or kappa is None or sex is None:
        return None
    ratio = creatinine_umol_l / UMOL_L_PER_MG_DL / kappa
    egfr = 142 * min(ratio, 1) ** _ALPHA_CREATININE[sex] * max(ratio, 1) ** -1.200 * 0.9938**age_years
    return float(egfr * (1.012 if sex == "female" else 1))


def ckd_epi_2012_cystatin_c(age_years: float | None, cystatin_c_mg_l: float | None, sex: str | None) -> float | None:
    """Estimated GFR from cystatin C, CKD-EPI 2012: independent of muscle, so of worth in cachexia.

    Cystatin C itself is raised by corticosteroids, inflammation and thyroid disease; the caller says so.

    Parameters
    ----------
    age_years: age, years; adults only.
    cystatin_c_mg_l: standardised serum cystatin C, mg/L.
    sex: "male" or "female".

    Returns
    -------
    mL/min/1.73 m²; None for a child or when an input is missing.

    Reference
    ---------
    Inker LA, Schmid CH, Tighiouart H, et al. Estimating glomerular filtration rate from serum creatinine and
    cystatin C. N Engl J Med 2012;367:20-29.

    >>> round(ckd_epi_2012_cystatin_c(60, 0.8, "male"), 1)
    104.6
    """
    if not (is_adult(age_years) and is_known(cystatin_c_mg_l)) or sex not in _KAPPA_MG_DL:
        return None
    ratio = cystatin_c_mg_l / 0.8
    egfr = 133 * min(ratio, 1) ** -0.499 * max(ratio, 1) ** -1.328 * 0.996**age_years
    return float(egfr * (0.932 if sex == "female" else 1))


def ckd_epi_2021_creatinine_cystatin_c(
    age_years: float | None, creatinine_umol_l: float | None, cystatin_c_mg_l: float | None, sex: str | None
) -> float | None:
    """Estimated GFR from creatinine and cystatin C together, CKD-EPI 2021: the most accurate of the three.

    Parameters
    ----------
    age_years: age, years; adults only.
    creatinine_umol_l: standardised serum creatinine, umol/L.
    cystatin_c_mg_l: standardised serum cystatin C, mg/L.
    sex: "male" or "female".

    Returns
    -------
    mL/min/1.73 m²; None for a child or when an input is missing.

    Reference
    ---------
    Inker LA, Eneanya ND, Coresh J, et al. New creatinine- and cystatin C-based equations to estimate GFR without race.
    N Engl J Med 2021;385:1737-1749.

    >>> round(ckd_epi_2021_creatinine_cystatin_c(60, 1.4 * 88.4, 0.8, "male"), 2)
    83.97
    """
    kappa = _KAPPA_MG_DL.get(sex or "")
    if not (is_adult(age_years) and is_known(creatinine_umol_l) and is_known(cystatin_c_mg_l)):
        return None
    if kappa is None or sex is None:
        return None
    creatinine, cystatin = creatinine_umol_l / UMOL_L_PER_MG_DL / kappa, cystatin_c_mg_l / 0.8
    egfr = 135 * min(creatinine, 1) ** _ALPHA_COMBINED[sex] * max(creatinine, 1) ** -0.544
    egfr *= min(cystatin, 1) ** -0.323 * max(cystatin, 1) ** -0.778 * 0.9961**age_years
    return float(egfr * (0.963 if sex == "female" else 1))


def deindex_egfr_ml_min(egfr_ml_min_173m2: float | None, bsa_m2: float | None) -> float | None:
    """Estimated GFR of this body rather than of one of 1.73 m²: the figure to dose by in the very small or large.

    Parameters
    ----------
    egfr_ml_min_173m2: indexed estimate, mL/min/1.73 m².
    bsa_m2: body surface area, m².

    Returns
    -------
    mL/min; None when an input is missing.

    Reference
    ---------
    KDIGO 2024 Clinical Practice Guideline for the Evaluation and Management of CKD. Kidney Int 2024;105(4S):S117-S314,
    chapter 4 (medication management).

    >>> round(deindex_egfr_ml_min(30, 1.46), 1)
    25.3
    """
    if not (is_known(egfr_ml_min_173m2) and is_known(bsa_m2)):
        return None
    return egfr_ml_min_173m2 * bsa_m2 / 1.73


def kdigo_g_stage(egfr_ml_min_173m2: float | None) -> str | None:
    """KDIGO category of GFR, "G1" to "G5", taken on the unrounded estimate: 59.7 is G3a.

    Parameters
    ----------
    egfr_ml_min_173m2: estimated GFR, mL/min/1.73 m².

    Returns
    -------
    G1, G2, G3a, G3b, G4 or G5; None when the estimate is missing. It is a category, not a diagnosis of CKD.

    Reference
    ---------
    KDIGO 2024 Clinical Practice Guideline for the Evaluation and Management of CKD. Kidney Int 2024;105(4S):S117-S314.

    >>> kdigo_g_stage(27.4)
    'G4'
    """
    if not is_known(egfr_ml_min_173m2):
        return None
    return next((stage for lowest, stage in _G_STAGES if egfr_ml_min_173m2 >= lowest), "G5")


def kdigo_a_stage(urine_acr_mg_g: float | None) -> str | None:
    """KDIGO category of albuminuria, "A1" to "A3".

    Parameters
    ----------
    urine_acr_mg_g: urine albumin to creatinine ratio, mg/g; zero (below detection) is A1.

    Returns
    -------
    A1 below 30, A2 from 30 to 300, A3 above 300; None when missing.

    Reference
    ---------
    KDIGO 2024 Clinical Practice Guideline for the Evaluation and Management of CKD. Kidney Int 2024;105(4S):S117-S314.

    >>> kdigo_a_stage(300)
    'A2'
    """
    if urine_acr_mg_g is None or not 0 <= urine_acr_mg_g < float("inf"):
        return None
    if urine_acr_mg_g < 30:
        return "A1"
    return "A2" if urine_acr_mg_g <= 300 else "A3"


def kdigo_aki_stage(
    previous_umol_l: float | None, current_umol_l: float | None, days_between: float | None
) -> int | None:
    """Stage of acute kidney injury by creatinine, 0 (none) to 3.

    Two values more than seven days apart cannot show or rule out acute injury: None, see `creatinine_trend`.
    Urine output and the start of dialysis are not judged here.

    Parameters
    ----------
    previous_umol_l: earlier serum creatinine, umol/L.
    current_umol_l: later serum creatinine, umol/L.
    days_between: days from the earlier to the later one; two days count as within 48 hours.

    Returns
    -------
    0, 1, 2 or 3; None when an input is missing or the values are more than seven days apart.

    Reference
    ---------
    KDIGO Clinical Practice Guideline for Acute Kidney Injury. Kidney Int Suppl 2012;2:1-138 (definition 2.1.1,
    staging 2.1.2): a rise of 26.5 umol/L within 48 h or to 1.5 times within 7 days; stage 2 from 2.0 times, stage 3
    from 3.0 times or at 353.6 umol/L.

    >>> kdigo_aki_stage(80, 106.5, 2), kdigo_aki_stage(90, 168, 27) is None
    (1, True)
    """
    if not (is_known(previous_umol_l) and is_known(current_umol_l)) or days_between is None:
        return None
    if not 0 <= days_between <= 7:
        return None
    ratio = round(current_umol_l / previous_umol_l, 6)
    rise_umol_l = round(current_umol_l - previous_umol_l, 6)
    if ratio < 1.5 and not (rise_umol_l >= AKI_RISE_UMOL_L and days_between <= 2):
        return 0
    if ratio >= 3 or current_umol_l >= AKI_STAGE_3_UMOL_L:
        return 3
    return 2 if ratio >= 2 else 1


def creatinine_trend(previous_umol_l: float | None, current_umol_l: float | None) -> CreatinineTrend | None:
    """Whether creatinine is rising, falling or stable, whatever the time between.

    A fifth more, or a fifth less the other way, is beyond what the assay and the day bring about. A rising creatinine
    means that every estimate above overstates the present function.

    Parameters
    ----------
    previous_umol_l: earlier serum creatinine, umol/L.
    current_umol_l: later serum creatinine, umol/L.

    Returns
    -------
    Direction and ratio (current over previous); None when a value is missing.

    Reference
    ---------
    KDIGO 2024 CKD guideline, practice point 2.1.3 (a change of eGFR above 20 % exceeds expected variability), taken
    over to creatinine. Kidney Int 2024;105(4S):S117-S314.

    >>> creatinine_trend(90, 168).direction, round(creatinine_trend(90, 168).ratio, 2)
    ('rising', 1.87)
    """
    if not (is_known(previous_umol_l) and is_known(current_umol_l)):
        return None
    ratio = current_umol_l / previous_umol_l
    if round(ratio, 6) >= TREND_RATIO:
        return CreatinineTrend("rising", ratio)
    return CreatinineTrend("falling" if round(1 / ratio, 6) >= TREND_RATIO else "stable", ratio)


def cockcroft_gault_working(
    age_years: float | None, weight_kg: float | None, creatinine_umol_l: float | None, sex: str | None
) -> str | None:
    """The clearance as one would write it down.

    >>> cockcroft_gault_working(67, 48, 168, "female")
    '(140 − 67) × 48 × 1.04 / 168 = 21.7 mL/min'
    """
    value = cockcroft_gault_ml_min(age_years, weight_kg, creatinine_umol_l, sex)
    if value is None or weight_kg is None or creatinine_umol_l is None:
        return None
    constant = _COCKCROFT_GAULT[sex or ""]
    weight = f"{round(weight_kg, 1):g}"
    return f"(140 − {age_years:g}) × {weight} × {constant} / {_plain(creatinine_umol_l)} = {value:.1f} mL/min"


def ckd_epi_2021_creatinine_working(
    age_years: float | None, creatinine_umol_l: float | None, sex: str | None
) -> str | None:
    """The estimate as one would write it down.

    >>> ckd_epi_2021_creatinine_working(67, 168, "female")
    '142 × (1.900 / 0.7)^−1.200 × 0.9938^67 × 1.012 = 28.6 mL/min/1.73 m² (creatinine 168 umol/L = 1.900 mg/dL)'
    """
    value = ckd_epi_2021_creatinine(age_years, creatinine_umol_l, sex)
    if value is None or creatinine_umol_l is None or sex is None:
        return None
    power = _creatinine_term(creatinine_umol_l, sex, _ALPHA_CREATININE[sex], -1.200)
    woman = " × 1.012" if sex == "female" else ""
    return f"142 × {power} × 0.9938^{age_years:g}{woman} = {_egfr(value)} {_in_mg_dl(creatinine_umol_l)}"


def ckd_epi_2012_cystatin_c_working(
    age_years: float | None, cystatin_c_mg_l: float | None, sex: str | None
) -> str | None:
    """The estimate as one would write it down.

    >>> ckd_epi_2012_cystatin_c_working(67, 1.6, "female")
    '133 × (1.6 / 0.8)^−1.328 × 0.996^67 × 0.932 = 37.7 mL/min/1.73 m²'
    """
    value = ckd_epi_2012_cystatin_c(age_years, cystatin_c_mg_l, sex)
    if value is None or cystatin_c_mg_l is None:
        return None
    woman = " × 0.932" if sex == "female" else ""
    return f"133 × {_cystatin_term(cystatin_c_mg_l, -0.499, -1.328)} × 0.996^{age_years:g}{woman} = {_egfr(value)}"


def ckd_epi_2021_creatinine_cystatin_c_working(
    age_years: float | None, creatinine_umol_l: float | None, cystatin_c_mg_l: float | None, sex: str | None
) -> str | None:
    """The estimate as one would write it down.

    >>> ckd_epi_2021_creatinine_cystatin_c_working(60, 88.4, 1.6, "male").split(" (creatinine ")[0]
    '135 × (1.000 / 0.9)^−0.544 × (1.6 / 0.8)^−0.778 × 0.9961^60 = 58.8 mL/min/1.73 m²'
    """
    value = ckd_epi_2021_creatinine_cystatin_c(age_years, creatinine_umol_l, cystatin_c_mg_l, sex)
    if value is None or creatinine_umol_l is None or cystatin_c_mg_l is None or sex is None:
        return None
    terms = _creatinine_term(creatinine_umol_l, sex, _ALPHA_COMBINED[sex], -0.544)
    terms += f" × {_cystatin_term(cystatin_c_mg_l, -0.323, -0.778)} × 0.9961^{age_years:g}"
    woman = " × 0.963" if sex == "female" else ""
    return f"135 × {terms}{woman} = {_egfr(value)} {_in_mg_dl(creatinine_umol_l)}"


def deindex_working(egfr_ml_min_173m2: float | None, bsa_m2: float | None) -> str | None:
    """The de-indexed estimate as one would write it down.

    >>> deindex_working(30, 1.46)
    '30.0 × 1.46 / 1.73 = 25.3 mL/min'
    """
    value = deindex_egfr_ml_min(egfr_ml_min_173m2, bsa_m2)
    return None if value is None else f"{egfr_ml_min_173m2:.1f} × {bsa_m2:.2f} / 1.73 = {value:.1f} mL/min"


def kdigo_working(egfr_ml_min_173m2: float | None) -> str | None:
    """The category of GFR as one would reason it.

    >>> kdigo_working(27.4)
    '27.4 mL/min/1.73 m², from 15 to below 30: G4'
    """
    stage = kdigo_g_stage(egfr_ml_min_173m2)
    if stage is None or egfr_ml_min_173m2 is None:
        return None
    upper = next((edge for edge, _ in reversed(_G_STAGES) if edge > egfr_ml_min_173m2), None)
    lower = next((edge for edge, _ in _G_STAGES if edge <= egfr_ml_min_173m2), 0)
    span = f"from {lower} to below {upper}" if upper is not None else f"from {lower}"
    return f"{_egfr(egfr_ml_min_173m2)}, {span}: {stage}"


def albuminuria_working(urine_acr_mg_g: float | None) -> str | None:
    """The category of albuminuria as one would reason it.

    >>> albuminuria_working(50)
    '50 mg/g, from 30 to 300: A2'
    """
    stage = kdigo_a_stage(urine_acr_mg_g)
    if stage is None or urine_acr_mg_g is None:
        return None
    span = {"A1": "below 30", "A2": "from 30 to 300", "A3": "above 300"}
    return f"{_plain(urine_acr_mg_g)} mg/g, {span[stage]}: {stage}"


def aki_working(previous_umol_l: float | None, current_umol_l: float | None, days_between: float | None) -> str | None:
    """The stage of acute kidney injury as one would reason it.

    >>> aki_working(80, 180, 5)
    '180 / 80 = 2.25 times within 5 days, rise 100 umol/L: stage 2'
    """
    stage = kdigo_aki_stage(previous_umol_l, current_umol_l, days_between)
    if stage is None or previous_umol_l is None or current_umol_l is None:
        return None
    ratio, rise = current_umol_l / previous_umol_l, current_umol_l - previous_umol_l
    result = f"stage {stage}" if stage else "no acute kidney injury"
    return (
        f"{_plain(current_umol_l)} / {_plain(previous_umol_l)} = {ratio:.2f} times within {days_between:g} days, "
        f"rise {_plain(rise)} umol/L: {result}"
    )


def _plain(number: float) -> str:
    return f"{number:.6g}"


def _power(ratio: str, exponent: float) -> str:
    return f"({ratio})^{exponent:.3f}".replace("-", "−")


def _creatinine_term(creatinine_umol_l: float, sex: str, below: float, above: float) -> str:
    """Of the two powers of the equation one is always one to the power of something: only the other is shown."""
    kappa, creatinine_mg_dl = _KAPPA_MG_DL[sex], creatinine_umol_l / UMOL_L_PER_MG_DL
    return _power(f"{creatinine_mg_dl:.3f} / {kappa}", below if creatinine_mg_dl < kappa else above)


def _cystatin_term(cystatin_c_mg_l: float, below: float, above: float) -> str:
    return _power(f"{_plain(cystatin_c_mg_l)} / 0.8", below if cystatin_c_mg_l < 0.8 else above)


def _egfr(value: float) -> str:
    return f"{value:.1f} mL/min/1.73 m²"


def _in_mg_dl(creatinine_umol_l: float) -> str:
    return f"(creatinine {_plain(creatinine_umol_l)} umol/L = {creatinine_umol_l / UMOL_L_PER_MG_DL:.3f} mg/dL)"
