"""From the patient as given to facts; what is missing, doubtful or old is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from medsafe.context.conditions import ConditionIndex, read_conditions
from medsafe.context.context import PatientPolicy
from medsafe.context.genotypes import read_genotypes
from medsafe.identity.text import normalise_name
from medsafe.model.case import Case, Measurement, PatientData
from medsafe.model.criteria import FactValue
from medsafe.model.findings import Notice
from medsafe.model.quantities import ADULT_BMI, ADULT_WEIGHT_FROM_KG, ANALYTES, read_bare, read_quantity
from medsafe.model.wording import Wording
from medsafe.organ import body, cardiac, renal


@dataclass
class PatientReading:
    """What is known of a patient, being put together."""

    policy: PatientPolicy
    values: dict[str, FactValue] = field(default_factory=dict)
    conditions: frozenset[str] = frozenset()
    notices: list[Notice] = field(default_factory=list)
    uppers: dict[str, float] = field(default_factory=dict)
    previous_creatinine_umol_l: float | None = None
    days_between_creatinines: float | None = None
    qtc_given: bool = False
    used: list[tuple[str, Measurement]] = field(default_factory=list)
    unseen: dict[str, frozenset[str]] = field(default_factory=dict)

    def number(self, name: str) -> float | None:
        value = self.values.get(name)
        return value if isinstance(value, float | int) else None

    def word(self, name: str) -> str | None:
        value = self.values.get(name)
        return value if isinstance(value, str) else None


def _vitals(reading: PatientReading, patient: PatientData) -> None:
    for name, value in sorted(patient.vitals.items()):
        read = read_bare(name, value)
        if read.value is None:
            code = read.doubt or "value-implausible"
            reading.notices.append(Notice(code, f"patient.{name}", read.message, value, ("all checks that use it",)))
        else:
            reading.values[name] = read.value


def _adult_body(reading: PatientReading) -> None:
    """A weight that no adult has, or that does not go with the height, is a slip of the decimal point: not used."""
    weight, height = reading.number("weight_kg"), reading.number("height_cm")
    if weight is None or not renal.is_adult(reading.number("age_years")):
        return
    index = body.bmi(weight, height)
    if weight < ADULT_WEIGHT_FROM_KG or (index is not None and not ADULT_BMI[0] <= index <= ADULT_BMI[1]):
        with_height = f" with a height of {height:g} cm" if height is not None else ""
        message = (
            f"weight {weight:g} kg{with_height} is not possible in an adult; it is not used. Check both and send again."
        )
        blocks = ("all checks that use it",)
        reading.notices.append(Notice("value-implausible", "patient.weight_kg", message, weight, blocks))
        del reading.values["weight_kg"]


def _child(reading: PatientReading) -> None:
    age = reading.number("age_years")
    if age is None or renal.is_adult(age):
        return
    message = (
        f"The patient is {age:g} years old, and doses, limits and estimates here are those of adults: for a child no dose "
        "was judged as such and no organ function estimated. Ask a paediatric pharmacist."
    )
    reading.notices.append(Notice("not-covered", "patient.age_years", message, age, ("doses", "organ function")))


def _labs(reading: PatientReading, patient: PatientData) -> None:
    for name, lab in sorted(patient.labs.items()):
        analyte_id = "creatinine" if name == "previous_creatinine" else name
        read = read_quantity(analyte_id, lab.value, lab.unit)
        if read.value is None:
            code = read.doubt or "unit-suspect"
            reading.notices.append(
                Notice(code, f"patient.{name}", read.message, lab.value, ("all checks that use it",))
            )
            continue
        if name == "previous_creatinine":
            reading.previous_creatinine_umol_l = read.value
            current = patient.labs.get("creatinine")
            reading.days_between_creatinines = _days_between(lab, current)
            continue
        reading.values[ANALYTES[analyte_id].fact] = read.value
        reading.used.append((name, lab))
        if lab.upper_limit is not None:
            upper = read_quantity(analyte_id, lab.upper_limit, lab.unit)
            if upper.value is not None:
                reading.uppers[name] = upper.value
            else:
                message = f"Its upper limit was not used, the usual one was. {upper.message}"
                code, field_ = upper.doubt or "value-implausible", f"patient.{name}.upper_limit"
                reading.notices.append(Notice(code, field_, message, lab.upper_limit, ("hepatic",)))


def _days_between(earlier: Measurement, later: Measurement | None) -> float | None:
    if later is None or earlier.taken_on is None or later.taken_on is None:
        return None
    return float((later.taken_on - earlier.taken_on).days)


def _trend(reading: PatientReading) -> None:
    """Where creatinine is going, and whether two values show acute kidney injury."""
    earlier, later = reading.previous_creatinine_umol_l, reading.number("creatinine_umol_l")
    trend = renal.creatinine_trend(earlier, later)
    if trend is not None:
        reading.values["creatinine_trend"] = trend.direction
    stage = renal.kdigo_aki_stage(earlier, later, reading.days_between_creatinines)
    if stage is not None:
        reading.values["aki"] = "none" if stage == 0 else f"stage {stage}"
    if stage:
        reading.conditions |= {"acute-kidney-injury"}
    if reading.days_between_creatinines is None and renal.kdigo_aki_stage(earlier, later, 0):
        message = (
            "When creatinine and the one before were taken is not stated: whether the rise is acute was not judged."
        )
        blocks = ("acute kidney injury",)
        reading.notices.append(Notice("missing-data", "patient.previous_creatinine", message, None, blocks, (), False))


def _age_limit(reading: PatientReading, name: str) -> tuple[int, str]:
    """How old a result of this analyte may be in this patient, in days, and why so."""
    analyte = ANALYTES[name]
    if reading.conditions & reading.policy.changing or reading.values.get("creatinine_trend") in ("rising", "falling"):
        return analyte.max_age_days_changing, "while function is changing"
    if reading.conditions & reading.policy.advanced:
        return min(analyte.max_age_days, reading.policy.advanced_max_age_days), "in advanced illness"
    return analyte.max_age_days, "in a stable patient"


def _ages(reading: PatientReading, as_of: date | None) -> None:
    """Tell every result that is too old, dated in the future, or of unknown age; it is used all the same."""
    undated = [name for name, lab in reading.used if lab.taken_on is None and not ANALYTES[name].unitless]
    for name, lab in reading.used:
        if lab.taken_on is not None:
            _stale(reading, name, lab.taken_on, as_of)
    if undated and as_of is not None:
        message = f"No date was given for {', '.join(undated)}: taken to be recent."
        reading.notices.append(
            Notice("missing-data", "patient.taken_on", message, None, ("age of results",), (), False)
        )


def _stale(reading: PatientReading, name: str, taken_on: date, as_of: date | None) -> None:
    field_ = f"patient.{name}"
    if as_of is None:
        message = "The values carry dates but the date of this check is missing: their age was not judged."
        reading.notices.append(Notice("missing-data", "as_of", message, None, (name,)))
        return
    age, (limit, why) = (as_of - taken_on).days, _age_limit(reading, name)
    if age < 0:
        message = f"{name} is dated {taken_on}, after the date of this check ({as_of}): the date is doubtful."
        reading.notices.append(Notice("stale-lab", field_, message, str(taken_on), (name,)))
    elif age > limit:
        message = f"{name} is {age} days old (limit {limit} {why}); it was used, but may no longer be true: ask for a new one."
        reading.notices.append(Notice("stale-lab", field_, message, str(taken_on), (name,)))


def _sedation(reading: PatientReading, said: str | None, wording: Wording) -> str | None:
    """The level that a word for drowsiness stands for; another word is told, and nothing is taken from it."""
    level = wording.sedation.get(normalise_name(said)) if said else None
    if said and said.strip() and level is None:
        levels = ", ".join(dict.fromkeys(wording.sedation.values()))
        message = f"The sedation “{said}” is not understood, so it was not used. Expected one of: {levels}."
        blocks = ("opioid toxicity",)
        reading.notices.append(Notice("missing-data", "patient.sedation", message, said, blocks))
    return level


def _words(reading: PatientReading, case: Case, wording: Wording) -> None:
    patient, goals = case.patient, case.goals
    words = {
        "sex": patient.sex,
        "dialysis": patient.dialysis,
        "ascites": patient.ascites,
        "encephalopathy": patient.encephalopathy,
        "sedation": _sedation(reading, patient.sedation, wording),
        "intent": goals.intent,
        "prognosis": goals.prognosis,
    }
    reading.values.update({name: word for name, word in words.items() if word is not None})
    if patient.smoking is not None:
        reading.values["smoking"] = patient.smoking.status
        if patient.smoking.days_ago is not None:
            reading.values["smoking_stopped_days_ago"] = patient.smoking.days_ago


def _corrected_qt(reading: PatientReading) -> None:
    """QTc as given or by Fridericia; a given one that is clearly shorter than QT and heart rate make it gives way to them."""
    qt, given = reading.number("qt_ms"), reading.number("qtc_ms")
    qtc = cardiac.qtc_fridericia_ms(qt, reading.number("heart_rate_bpm"))
    reading.qtc_given = given is not None
    blocks = ("qt-prolongation",)
    if qt is not None and qtc is None and given is None:
        message = "A QT interval was given without the heart rate: it can't be corrected and was not used."
        reading.notices.append(Notice("missing-data", "patient.heart_rate_bpm", message, None, blocks))
    elif qtc is not None and given is not None and given < qtc - reading.policy.qtc_agrees_ms:
        message = (
            f"QTc {given:g} ms was given, but QT and heart rate make it {qtc:.0f} ms (Fridericia): the longer was used."
        )
        reading.notices.append(Notice("value-implausible", "patient.qtc_ms", message, given, blocks))
        reading.qtc_given = False
    if qtc is not None and not reading.qtc_given:
        reading.values["qtc_ms"] = qtc


def _derived(reading: PatientReading) -> None:
    n = reading.number
    values = reading.values
    index = body.bmi(n("weight_kg"), n("height_cm"))
    if index is not None:
        values["bmi"] = index
    surface = body.bsa_m2_mosteller(n("weight_kg"), n("height_cm"))
    if surface is not None:
        values["bsa_m2"] = surface
    _corrected_qt(reading)
    calcium, albumin = n("calcium_mmol_l"), n("albumin_g_l")
    if calcium is not None and albumin is not None and albumin < reading.policy.full_albumin_g_l:
        values["calcium_mmol_l"] = round(calcium + 0.02 * (reading.policy.full_albumin_g_l - albumin), 3)
    if reading.values.get("prognosis") in ("hours", "days"):
        reading.conditions |= {"last-days-of-life"}
    _pregnancy(reading)


def _dialysis(reading: PatientReading) -> None:
    """The modality, where the problem list alone names it; where the list and the field disagree, or neither tells, a notice."""
    stated, policy = reading.word("dialysis"), reading.policy
    shown = sorted({word for key, word in policy.dialysis_shown.items() if key in reading.conditions})
    blocks, tell = ("organ-dose", "renal"), reading.notices.append
    if stated is None and len(shown) == 1:
        reading.values["dialysis"] = shown[0]
        message = f"Dialysis was not stated and was read from the problem list: {shown[0]}."
        tell(Notice("missing-data", "patient.dialysis", message, None, blocks, (), False))
    elif stated is None and reading.conditions & policy.renal_suspects:
        message = "End-stage kidney disease is on the problem list and dialysis is not stated: doses on dialysis were not judged."
        tell(Notice("missing-data", "patient.dialysis", message, None, blocks))
    elif stated == "none" and shown:
        message = f"Dialysis is stated as none, but the problem list says {' and '.join(shown)}: which is right?"
        tell(Notice("value-implausible", "patient.dialysis", message, stated, blocks))
        del reading.values["dialysis"]


def _pregnancy(reading: PatientReading) -> None:
    """A pregnancy that is stated counts, and is asked about where sex or age speak against it."""
    weeks = reading.number("pregnancy_weeks")
    if weeks is None:
        return
    reading.conditions |= {"pregnancy"}
    if not _may_bear_children(reading):
        message = "A pregnancy was stated that sex or age speak against: it was counted; which is right?"
        reading.notices.append(Notice("value-implausible", "patient.pregnancy_weeks", message, weeks, ("pregnancy",)))


def _may_bear_children(reading: PatientReading) -> bool:
    age_years, (first, last) = reading.number("age_years"), reading.policy.childbearing_years
    return reading.word("sex") != "male" and (age_years is None or first <= age_years <= last)


def _unseen(reading: PatientReading) -> dict[str, frozenset[str]]:
    """Conditions that are read from a word or from two values, and that the missing one hides."""
    found: dict[str, frozenset[str]] = {}
    if "prognosis" not in reading.values and "last-days-of-life" not in reading.conditions:
        found["last-days-of-life"] = frozenset({"prognosis"})
    if _may_bear_children(reading):
        found["pregnancy"] = frozenset({"pregnancy_weeks"})
    if reading.number("creatinine_umol_l") is None:
        found["acute-kidney-injury"] = frozenset({"creatinine_umol_l"})
    return found


def read_patient(case: Case, conditions: ConditionIndex, wording: Wording, policy: PatientPolicy) -> PatientReading:
    """Read everything said about the patient."""
    reading = PatientReading(policy)
    reading.conditions, notices = read_conditions(case.patient.conditions or (), conditions, case.as_of)
    reading.notices += notices
    _words(reading, case, wording)
    reading.notices += read_genotypes(case.patient.genotypes, wording, reading.values)
    _vitals(reading, case.patient)
    _adult_body(reading)
    _child(reading)
    _labs(reading, case.patient)
    _trend(reading)
    _derived(reading)
    shown, hidden = conditions.derive(reading.values)
    reading.conditions |= shown
    hidden |= _unseen(reading)
    reading.unseen = {key: facts for key, facts in hidden.items() if key not in reading.conditions}
    _dialysis(reading)
    _ages(reading, case.as_of)
    return reading
