"""Organ function of one patient: every estimate, which of them doses, and why it may be wrong here.

Every figure comes from `medsafe.organ`; this module chooses the inputs, names the caveats and keeps the gaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from medsafe.context.context import OrganState, PatientPolicy
from medsafe.context.patient import PatientReading
from medsafe.model.findings import Notice
from medsafe.organ import body, cardiac, hepatic, renal


def _missing_for_renal(reading: PatientReading) -> tuple[str, ...]:
    needed = {
        "patient.creatinine": "creatinine_umol_l",
        "patient.age_years": "age_years",
        "patient.sex": "sex",
        "patient.weight_kg": "weight_kg",
    }
    return tuple(field_ for field_, fact in needed.items() if fact not in reading.values)


@dataclass(frozen=True, slots=True)
class RenalState:
    crcl_ml_min: float | None
    egfr_ml_min_173m2: float | None
    shown: dict[str, Any]
    caveats: tuple[str, ...]
    urgent: tuple[str, ...]


def _trend_caveats(reading: PatientReading) -> list[str]:
    trend = renal.creatinine_trend(reading.previous_creatinine_umol_l, reading.number("creatinine_umol_l"))
    found = []
    if trend is not None and trend.direction != "stable":
        verb = "overstates" if trend.direction == "rising" else "understates"
        found.append(
            f"Creatinine is {trend.direction} ({trend.ratio:.1f} times the earlier value): the estimate {verb} the present function."
        )
    stage = reading.word("aki")
    if stage not in (None, "none"):
        found.append(f"Acute kidney injury, KDIGO {stage}: no estimate holds while creatinine moves.")
    elif "acute-kidney-injury" in reading.conditions:
        found.append("Acute kidney injury: no estimate holds while creatinine moves.")
    return found


def _urgent_caveats(reading: PatientReading) -> list[str]:
    """Why the estimate may be wrong here, as it must stand beside every dose."""
    found, bmi = _trend_caveats(reading), reading.number("bmi")
    if reading.conditions & reading.policy.low_muscle or (bmi is not None and bmi < reading.policy.extreme_bmi[0]):
        found.append(
            "Low muscle mass: creatinine is low for the function, so the true function is probably worse; cystatin C would help."
        )
    if reading.word("dialysis") not in (None, "none"):
        found.append("On dialysis: creatinine-based estimates do not hold; doses go by the modality.")
    return found


def _body_caveats(reading: PatientReading, weight: renal.DosingWeight | None) -> list[str]:
    found, bmi = [], reading.number("bmi")
    if weight is not None and (weight.which != "actual" or "unknown" in weight.why or "not defined" in weight.why):
        found.append(f"Weight used: {weight.which} ({weight.why}).")
    if bmi is not None and bmi >= reading.policy.extreme_bmi[1]:
        found.append(
            "Extreme weight: clearance differs widely by the weight put in, see crcl_by_weight; eGFR is to be de-indexed."
        )
    if "amputation" in reading.conditions:
        found.append(
            "Amputation: weight, height and body surface no longer describe the body the equations were made for."
        )
    if reading.conditions & reading.policy.swollen:
        found.append(
            "Oedema or ascites: the weight is partly water and creatinine is diluted, so function is overstated."
        )
    if "pregnancy" in reading.conditions:
        found.append("Pregnancy: the estimates do not hold.")
    age = reading.number("age_years")
    if age is not None and not renal.is_adult(age):
        found.append("A child: the equations of adults do not hold and nothing was estimated.")
    return found


def _second_look(reading: PatientReading) -> list[str]:
    """What one creatinine alone does not show; said with every estimate that rests on it."""
    if reading.number("creatinine_umol_l") is None:
        return []
    trend = reading.previous_creatinine_umol_l is None
    found = ["No previous creatinine: whether it is rising or falling is not known."] if trend else []
    if reading.number("cystatin_c_mg_l") is None:
        found.append("No cystatin C: whether muscle mass misleads creatinine was not looked at.")
    return found


def _cystatin_caveats(reading: PatientReading) -> list[str]:
    if reading.number("cystatin_c_mg_l") is None:
        return []
    return ["Cystatin C is raised by corticosteroids, inflammation and thyroid disease, whatever the kidneys do."]


@dataclass(frozen=True, slots=True)
class _Gfr:
    """The estimates of GFR, mL/min/1.73 m², the one taken, and how."""

    creatinine: float | None
    cystatin_c: float | None
    combined: float | None
    best: float | None
    method: str
    disagreement: str = ""


def _gfr(reading: PatientReading) -> _Gfr:
    """All three estimates; where creatinine and cystatin C disagree the lower is taken."""
    n, sex = reading.number, reading.word("sex")
    age, creatinine, cystatin = n("age_years"), n("creatinine_umol_l"), n("cystatin_c_mg_l")
    one = renal.ckd_epi_2021_creatinine(age, creatinine, sex)
    two = renal.ckd_epi_2012_cystatin_c(age, cystatin, sex)
    both = renal.ckd_epi_2021_creatinine_cystatin_c(age, creatinine, cystatin, sex)
    if one is not None and two is not None and min(one, two) < reading.policy.cystatin_c_agrees * max(one, two):
        text = (
            f"Creatinine ({one:.0f}) and cystatin C ({two:.0f} mL/min/1.73 m²) disagree: the lower is taken for dosing."
        )
        lower = "CKD-EPI 2021 creatinine" if one < two else "CKD-EPI 2012 cystatin C"
        return _Gfr(one, two, both, min(one, two), f"{lower}, the lower of two that disagree", text)
    if both is not None:
        return _Gfr(one, two, both, both, "CKD-EPI 2021 creatinine and cystatin C")
    if one is not None:
        return _Gfr(one, two, both, one, "CKD-EPI 2021 creatinine")
    return _Gfr(one, two, both, two, "CKD-EPI 2012 cystatin C" if two is not None else "")


def _method(weight: renal.DosingWeight | None, crcl: float | None, gfr: _Gfr) -> str:
    by_gfr = f"eGFR by {gfr.method}" if gfr.method else ""
    if weight is not None and crcl is not None:
        held = ", held down to the eGFR" if gfr.disagreement and crcl == gfr.best else ""
        by_crcl = f"Cockcroft-Gault with {weight.which} weight for doses unless a record names eGFR{held}"
        return f"{by_crcl}; {by_gfr}" if by_gfr else by_crcl
    return f"{by_gfr}; Cockcroft-Gault could not be worked out" if by_gfr else "not estimated"


def judge_renal(reading: PatientReading) -> RenalState:
    """Every renal estimate, which one doses, and why it may be wrong."""
    n, sex = reading.number, reading.word("sex")
    age, creatinine = n("age_years"), n("creatinine_umol_l")
    weight = renal.dosing_weight(n("weight_kg"), n("height_cm"), sex)
    crcl = renal.cockcroft_gault_ml_min(age, weight.weight_kg, creatinine, sex) if weight else None
    gfr = _gfr(reading)
    if gfr.disagreement and crcl is not None and gfr.best is not None:
        crcl = min(crcl, gfr.best)
    urgent = [*_urgent_caveats(reading), *([gfr.disagreement] if gfr.disagreement else [])]
    caveats = [*_body_caveats(reading, weight), *_cystatin_caveats(reading)]
    bsa = body.bsa_m2_mosteller(n("weight_kg"), n("height_cm"))
    shown = {
        "crcl_ml_min": _round(crcl),
        "crcl_by_weight": _by_weight(reading, age, creatinine, sex),
        "egfr_ml_min_173m2": _round(gfr.best),
        "egfr": {
            "ckd_epi_2021_creatinine": _round(gfr.creatinine),
            "ckd_epi_2012_cystatin_c": _round(gfr.cystatin_c),
            "ckd_epi_2021_creatinine_cystatin_c": _round(gfr.combined),
        },
        "egfr_deindexed_ml_min": _round(renal.deindex_egfr_ml_min(gfr.best, bsa)),
        "kdigo": renal.kdigo_g_stage(gfr.best),
        "albuminuria": renal.kdigo_a_stage(n("urine_acr_mg_g")),
        "aki": reading.word("aki"),
        "method": _method(weight, crcl, gfr),
        "caveats": [*urgent, *caveats, *_second_look(reading)],
        "working": _renal_working(reading, weight, gfr, bsa),
    }
    return RenalState(crcl, gfr.best, shown, tuple(caveats), tuple(urgent))


def _renal_working(
    reading: PatientReading, weight: renal.DosingWeight | None, gfr: _Gfr, bsa_m2: float | None
) -> dict[str, str | None]:
    n, sex = reading.number, reading.word("sex")
    age, creatinine, cystatin = n("age_years"), n("creatinine_umol_l"), n("cystatin_c_mg_l")
    combined = renal.ckd_epi_2021_creatinine_cystatin_c_working(age, creatinine, cystatin, sex)
    earlier, days = reading.previous_creatinine_umol_l, reading.days_between_creatinines
    return {
        "crcl_ml_min": renal.cockcroft_gault_working(age, weight.weight_kg if weight else None, creatinine, sex),
        "ckd_epi_2021_creatinine": renal.ckd_epi_2021_creatinine_working(age, creatinine, sex),
        "ckd_epi_2012_cystatin_c": renal.ckd_epi_2012_cystatin_c_working(age, cystatin, sex),
        "ckd_epi_2021_creatinine_cystatin_c": combined,
        "egfr_deindexed_ml_min": renal.deindex_working(gfr.best, bsa_m2),
        "kdigo": renal.kdigo_working(gfr.best),
        "albuminuria": renal.albuminuria_working(n("urine_acr_mg_g")),
        "aki": renal.aki_working(earlier, creatinine, days),
    }


def _by_weight(
    reading: PatientReading, age: float | None, creatinine: float | None, sex: str | None
) -> dict[str, float | None]:
    actual, height = reading.number("weight_kg"), reading.number("height_cm")
    ideal = body.ideal_weight_kg(height, sex)
    adjusted = body.adjusted_weight_kg(actual, ideal)
    weights = {"actual": actual, "ideal": ideal, "adjusted": adjusted}
    return {
        name: _round(renal.cockcroft_gault_ml_min(age, weight, creatinine, sex)) for name, weight in weights.items()
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


@dataclass(frozen=True, slots=True)
class HepaticState:
    worst: str | None
    best: str | None
    suspected: bool
    missing: tuple[str, ...]
    shown: dict[str, Any]


def _liver_labs_abnormal(
    policy: PatientPolicy, bilirubin_umol_l: float | None, albumin_g_l: float | None, inr: float | None
) -> bool:
    """Whether the values suggest liver disease that nobody named."""
    alone, together = policy.liver_ill_from, policy.liver_ill_with
    if bilirubin_umol_l is not None and bilirubin_umol_l >= alone["bilirubin_umol_l"]:
        return True
    if inr is not None and inr >= alone["inr"]:
        return True
    low = albumin_g_l is not None and albumin_g_l < together["albumin_g_l"]
    return low and bilirubin_umol_l is not None and bilirubin_umol_l > together["bilirubin_umol_l"]


def judge_hepatic(reading: PatientReading, anticoagulated: bool) -> HepaticState:
    """Hepatic estimates. Child-Pugh doses only where liver disease is known or the labs suggest it.

    With normal bilirubin, albumin and INR and no liver disease named, unstated ascites and encephalopathy are not asked
    for; with anything abnormal they are, and the worse class is used meanwhile.
    """
    n, word = reading.number, reading.word
    bilirubin, albumin = n("bilirubin_umol_l"), n("albumin_g_l")
    named_liver = bool(reading.conditions & reading.policy.liver_disease)
    # Under an anticoagulant the INR says nothing of the liver: unknown where the liver is ill, else counted as normal.
    inr = n("inr") if not anticoagulated or n("inr") is None else None if named_liver else 1.0
    ascites = word("ascites") or ("moderate" if "ascites" in reading.conditions else None)
    encephalopathy = word("encephalopathy") or ("grade 2" if "hepatic-encephalopathy" in reading.conditions else None)
    score = hepatic.child_pugh(bilirubin, albumin, inr, ascites, encephalopathy)
    named = named_liver or ascites not in (None, "none") or encephalopathy not in (None, "none")
    abnormal = _liver_labs_abnormal(reading.policy, bilirubin, albumin, inr)
    suspected = named or abnormal or bool(reading.conditions & reading.policy.liver_suspects)
    labs_missing = tuple(
        f"patient.{name}"
        for name, value in (("bilirubin", bilirubin), ("albumin", albumin), ("inr", inr))
        if value is None
    )
    words_missing = tuple(
        f"patient.{name}" for name, value in (("ascites", ascites), ("encephalopathy", encephalopathy)) if value is None
    )
    missing = (*labs_missing, *words_missing) if suspected else labs_missing
    doses = suspected and (named or abnormal)
    worst, best = (score.worst_case, score.best_case) if doses else (None, None)
    if doses and not labs_missing and not named:
        worst = hepatic.child_pugh(bilirubin, albumin, inr, ascites or "none", encephalopathy or "none").grade or worst
        best = worst
    if worst is not None:
        reading.values["child_pugh"] = worst
    elif not suspected and not labs_missing:
        reading.values["child_pugh"] = "none"
    upper = reading.uppers.get("bilirubin", reading.policy.bilirubin_upper_umol_l)
    odwg = hepatic.nci_odwg(bilirubin, upper, n("ast_u_l"), reading.uppers.get("ast", reading.policy.ast_upper_u_l))
    if odwg:
        reading.values["nci_odwg"] = odwg
    dialysis = word("dialysis") not in (None, "none")
    creatinine = n("creatinine_umol_l")
    albi = hepatic.albi(bilirubin, albumin)
    caveats = _hepatic_caveats(reading, score, suspected, anticoagulated)
    sodium, sex, measured_inr = n("sodium_mmol_l"), word("sex"), None if anticoagulated else n("inr")
    ast, ast_upper = n("ast_u_l"), reading.uppers.get("ast", reading.policy.ast_upper_u_l)
    shown = {
        "child_pugh": {
            "class": score.grade,
            "score": score.score,
            "missing": list(score.missing),
            "best_case": score.best_case,
            "worst_case": score.worst_case,
        },
        "meld_3_0": hepatic.meld_3_0(bilirubin, measured_inr, creatinine, sodium, albumin, sex, dialysis),
        "meld_na": hepatic.meld_na(bilirubin, measured_inr, creatinine, sodium, dialysis),
        "albi": {"score": round(albi.score, 2), "grade": albi.grade} if albi else None,
        "nci_odwg": odwg,
        "caveats": caveats,
        "working": {
            "child_pugh": hepatic.child_pugh_working(score),
            "meld_3_0": hepatic.meld_3_0_working(bilirubin, measured_inr, creatinine, sodium, albumin, sex, dialysis),
            "meld_na": hepatic.meld_na_working(bilirubin, measured_inr, creatinine, sodium, dialysis),
            "albi": hepatic.albi_working(bilirubin, albumin),
            "nci_odwg": hepatic.nci_odwg_working(bilirubin, upper, ast, ast_upper),
        },
    }
    return HepaticState(worst, best, suspected, missing, shown)


def _hepatic_caveats(
    reading: PatientReading, score: hepatic.ChildPugh, suspected: bool, anticoagulated: bool
) -> list[str]:
    caveats = []
    if anticoagulated:
        caveats.append(
            "On an anticoagulant: the INR says nothing of the liver; MELD is not given, and Child-Pugh counts it as unknown "
            "where liver disease is named, else as normal."
        )
    if score.missing:
        caveats.append(
            f"Child-Pugh lacks {', '.join(score.missing)}: between {score.best_case} and {score.worst_case}."
        )
    if not suspected:
        caveats.append(
            "No liver disease is named and the labs given do not suggest it; Child-Pugh is only meant for chronic liver disease."
        )
    if "bilirubin" not in reading.uppers and "bilirubin_umol_l" in reading.values:
        caveats.append(
            f"NCI class uses upper limits of bilirubin {reading.policy.bilirubin_upper_umol_l:g} umol/L and AST {reading.policy.ast_upper_u_l:g} U/L where none was given."
        )
    if "liver-metastases" in reading.conditions:
        caveats.append(
            "Liver metastases: Child-Pugh was not made for them; clinical judgement and NCI class count as much."
        )
    return caveats


def _told_against_the_list(reading: PatientReading, kidneys: RenalState) -> None:
    """Where end-stage disease is on record and the estimate is far better, one of the two is wrong: nobody can tell which."""
    known = [v for v in (kidneys.crcl_ml_min, kidneys.egfr_ml_min_173m2) if v is not None]
    on_dialysis = reading.word("dialysis") not in (None, "none")
    if on_dialysis or not known or not reading.conditions & reading.policy.renal_suspects:
        return
    if max(known) >= reading.policy.renal_suspects_below:
        message = (
            f"Kidney function is estimated at {max(known):.0f} mL/min, but end-stage kidney disease is on the problem list: "
            "doses were judged by the estimate. Check both."
        )
        notice = Notice("value-implausible", "patient.creatinine", message, round(max(known)), ("organ-dose", "renal"))
        reading.notices.append(notice)


def judge_organs(reading: PatientReading, anticoagulated: bool = False) -> OrganState:
    """Renal, hepatic, body and cardiac estimates together."""
    n, sex = reading.number, reading.word("sex")
    kidneys = judge_renal(reading)
    liver = judge_hepatic(reading, anticoagulated)
    ideal = body.ideal_weight_kg(n("height_cm"), sex)
    for name, value in (("crcl_ml_min", kidneys.crcl_ml_min), ("egfr_ml_min_173m2", kidneys.egfr_ml_min_173m2)):
        if value is not None:
            reading.values[name] = value
    if kidneys.shown["kdigo"]:
        reading.values["kdigo"] = kidneys.shown["kdigo"]
    _told_against_the_list(reading, kidneys)
    if "dialysis" not in reading.values and not reading.conditions & reading.policy.renal_suspects:
        reading.values["dialysis"] = "none"
    shown = {
        "body": {
            "bmi": _round(n("bmi")),
            "bsa_m2_mosteller": _two(body.bsa_m2_mosteller(n("weight_kg"), n("height_cm"))),
            "bsa_m2_dubois": _two(body.bsa_m2_dubois(n("weight_kg"), n("height_cm"))),
            "ideal_weight_kg": _round(ideal),
            "adjusted_weight_kg": _round(body.adjusted_weight_kg(n("weight_kg"), ideal)),
            "working": {
                "bmi": body.bmi_working(n("weight_kg"), n("height_cm")),
                "bsa_m2_mosteller": body.bsa_mosteller_working(n("weight_kg"), n("height_cm")),
                "bsa_m2_dubois": body.bsa_dubois_working(n("weight_kg"), n("height_cm")),
                "ideal_weight_kg": body.ideal_weight_working(n("height_cm"), sex),
                "adjusted_weight_kg": body.adjusted_weight_working(n("weight_kg"), ideal),
            },
        },
        "renal": kidneys.shown,
        "hepatic": liver.shown,
        "cardiac": _cardiac(reading),
    }
    return OrganState(
        shown,
        kidneys.crcl_ml_min,
        kidneys.egfr_ml_min_173m2,
        _missing_for_renal(reading),
        liver.worst,
        liver.best,
        liver.suspected,
        liver.missing,
        "cholestasis" in reading.conditions,
        kidneys.urgent,
    )


def _cardiac(reading: PatientReading) -> dict[str, Any]:
    n = reading.number
    corrected = n("qt_ms") is not None and n("heart_rate_bpm") is not None and not reading.qtc_given
    method = "Fridericia from QT and heart rate" if corrected else "as given" if n("qtc_ms") is not None else None
    working = cardiac.qtc_fridericia_working(n("qt_ms"), n("heart_rate_bpm")) if corrected else None
    return {"qtc_ms": _round(n("qtc_ms")), "method": method, "working": {"qtc_ms": working}}


def _two(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
