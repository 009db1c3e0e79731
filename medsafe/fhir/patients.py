"""Patient, Condition, AllergyIntolerance and Procedure → what the case says of the patient."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from medsafe.fhir.shape import (
    Json,
    any_of,
    codings,
    concept_text,
    concept_word,
    day,
    mapping,
    name_of,
    objects,
    texts,
    words,
)
from medsafe.model.case import AllergyRecord, CodedCondition, Smoking
from medsafe.model.findings import Notice

PRESENT = frozenset({"", "active", "recurrence", "relapse", "unknown"})
NOT_TRUE = frozenset({"refuted", "entered-in-error"})
# "No known allergy", and the same of drugs, food and the environment.
NO_KNOWN_ALLERGY = frozenset({"716186003", "409137002", "429625007", "428607008"})
_NO_KNOWN = re.compile(r"^\s*(?:no known|nkda?\b|nil known|none known)", re.IGNORECASE)
_ALLERGY_WORDS = re.compile(
    r"^(?:allergy|hypersensitivity|intolerance|allergic reaction|adverse reaction) (?:to|caused by) |"
    r"\s+(?:allergy|intolerance|hypersensitivity)(?:\s*\((?:finding|disorder)\))?$|\s*\((?:substance|finding|disorder)\)$",
    re.IGNORECASE,
)
DIALYSIS_CODES = {
    "265764009": "haemodialysis",
    "302497006": "haemodialysis",
    "108241001": "haemodialysis",
    "71192002": "peritoneal",
}
DIALYSIS_WORDS = (
    (re.compile(r"peritoneal dialysis", re.IGNORECASE), "peritoneal"),
    (re.compile(r"h(?:a)?emo(?:dia)?filtration|\bcrrt\b|\bcvvh|continuous renal replacement", re.IGNORECASE), "crrt"),
    (re.compile(r"dialysis", re.IGNORECASE), "haemodialysis"),
)
DEPENDENT_ON_DIALYSIS = frozenset({"105502003", "Z99.2"})
_DEPENDENT = re.compile(
    r"dependen\w+ on (?:renal |kidney |h(?:a)?emo|peritoneal )?\s*dialysis|on (?:maintenance |chronic )?h(?:a)?emodialysis",
    re.IGNORECASE,
)
SMOKING_STATUS = "72166-2"
SMOKING_CODES = {
    "449868002": "current",
    "428041000124106": "current",
    "428061000124105": "current",
    "428071000124103": "current",
    "77176002": "current",
    "8517006": "stopped",
    "266919005": "never",
}
NOT_DIALYSIS = re.compile(r"education|fistula|catheter|access|planning|assessment|discuss", re.IGNORECASE)
NOT_DONE = frozenset({"not-done", "entered-in-error", "stopped", "aborted", "suspended"})
# The window in which order-entry systems look back; an older procedure is history.
RECENT_DAYS = 100


def age_years(born: date, as_of: date) -> float:
    """Completed years; under two, the fraction of a year.

    >>> age_years(date(1950, 2, 3), date(2026, 2, 2)), age_years(date(1950, 2, 3), date(2026, 2, 3))
    (75.0, 76.0)
    """
    years = as_of.year - born.year - ((as_of.month, as_of.day) < (born.month, born.day))
    return float(years) if years >= 2 else round((as_of - born).days / 365.25, 3)


def read_age(patient: Json, as_of: date | None) -> tuple[float | None, list[Notice]]:
    """Age on the day of the check."""
    born = day(patient.get("birthDate"))
    if born is None:
        wrong = "can't be read" if patient.get("birthDate") else "is missing"
        message = f"{name_of(patient)}: the date of birth {wrong}, so nothing that depends on age was checked."
        return None, [Notice("missing-data", "patient.age_years", message, None, ("age",))]
    if as_of is None or born > as_of:
        message = f"{name_of(patient)}: the date of birth lies after the day of this check; age is not used."
        return None, [Notice("value-implausible", "patient.age_years", message, None, ("age",))]
    if len(words(patient["birthDate"]).split("T")[0]) < 10:
        message = f"{name_of(patient)}: the date of birth is not given to the day; age is read from its earliest day."
        return age_years(born, as_of), [Notice("missing-data", "patient.birthDate", message, None, (), limits=False)]
    return age_years(born, as_of), []


def read_sex(patient: Json) -> tuple[str | None, list[Notice]]:
    """Sex as the estimates of organ function know it."""
    sex = concept_word(patient.get("gender"))
    if sex in ("male", "female"):
        return sex, []
    message = f"{name_of(patient)}: the sex is not given as male or female, so kidney function can't be estimated."
    return None, [Notice("missing-data", "patient.sex", message, None, ("renal-caution", "organ-dose"))]


def read_conditions(resources: Iterable[Json]) -> tuple[tuple[CodedCondition, ...], list[Notice]]:
    """The problems that are there now; what is resolved or refuted is left out."""
    found: list[CodedCondition] = []
    notices: list[Notice] = []
    for condition in resources:
        if concept_word(condition.get("clinicalStatus")) not in PRESENT:
            continue
        if concept_word(condition.get("verificationStatus")) in NOT_TRUE or condition.get("abatementDateTime"):
            continue
        if any(c.code in SMOKING_CODES for c in codings(condition.get("code"))):
            continue  # read as the smoking status
        read = _condition(condition)
        if read is None:
            message = f"{name_of(condition)} names no condition, so no medicine was checked against it."
            notices.append(Notice("unknown-condition", name_of(condition), message, None, ("drug-disease",)))
        elif read not in found:
            found.append(read)
    return tuple(found), notices


def _condition(condition: Json) -> CodedCondition | None:
    listed = codings(condition.get("code"))
    # ICD before SNOMED: an ICD code is also understood by its parents.
    for wanted in ("icd", "snomed"):
        for coding in listed:
            if wanted in coding.system.casefold() and coding.code:
                text = concept_text(condition.get("code")) or coding.display
                return CodedCondition(text, coding.system.casefold(), coding.code, _since(condition))
    text = concept_text(condition.get("code"))
    return CodedCondition(text, since=_since(condition)) if text else None


def _since(condition: Json) -> date | None:
    """The latest day on which the entry says the condition was there."""
    dated = ("recordedDate", "assertedDate", "dateRecorded", "onsetDateTime")
    onset = mapping(condition.get("onsetPeriod"))
    days = [day(value) for value in (*(condition.get(key) for key in dated), onset.get("start"), onset.get("end"))]
    return max((found for found in days if found is not None), default=None)


def read_allergies(resources: Iterable[Json]) -> tuple[tuple[AllergyRecord, ...], list[Notice]]:
    """Recorded allergies and intolerances; "no known allergies" is an empty list."""
    found: list[AllergyRecord] = []
    notices: list[Notice] = []
    for allergy in resources:
        status = concept_word(allergy.get("clinicalStatus")) or concept_word(allergy.get("status"))
        if status in ("inactive", "resolved", "refuted", "entered-in-error"):
            continue
        if concept_word(allergy.get("verificationStatus")) in NOT_TRUE or _none_known(allergy):
            continue
        substances = list(texts(_substances(allergy)))
        found += [AllergyRecord(s, _reaction(allergy), _kind(allergy)) for s in substances]
        if not substances:
            message = f"{name_of(allergy)} names no substance, so no medicine was checked against it."
            notices.append(Notice("unknown-drug", name_of(allergy), message, None, ("allergy",)))
    return tuple(found), notices


def _none_known(allergy: Json) -> bool:
    code = any_of(allergy, "code", "substance")
    return any(c.code in NO_KNOWN_ALLERGY for c in codings(code)) or bool(_NO_KNOWN.match(concept_text(code)))


def _substances(allergy: Json) -> list[str]:
    stated = concept_text(any_of(allergy, "code", "substance"))
    of_reactions = [concept_text(r.get("substance")) for r in objects(allergy.get("reaction"))]
    return [_ALLERGY_WORDS.sub("", text).strip() for text in ([stated] if stated else of_reactions)]


def _reaction(allergy: Json) -> str:
    said = []
    for reaction in objects(allergy.get("reaction")):
        for shown in objects(reaction.get("manifestation")):
            said.append(concept_text(shown) or concept_text(shown.get("concept")))
        said.append(words(reaction.get("description")))
    return ", ".join(texts(said))


def _kind(allergy: Json) -> str:
    """Type and categories in one text: "allergy", "intolerance medication", "allergy food"."""
    categories = allergy.get("category")
    listed = [words(c) for c in categories] if isinstance(categories, list) else [words(categories)]
    return " ".join(texts([concept_word(allergy.get("type")), *listed]))


def _done_on(procedure: Json) -> date | None:
    period = mapping(any_of(procedure, "performedPeriod", "occurrencePeriod"))
    return (
        day(any_of(procedure, "performedDateTime", "occurrenceDateTime"))
        or day(period.get("end"))
        or day(period.get("start"))
    )


def _modality(procedure: Json) -> str | None:
    code = procedure.get("code")
    text = concept_text(code)
    if NOT_DIALYSIS.search(text):
        return None
    by_words = next((kind for pattern, kind in DIALYSIS_WORDS if pattern.search(text)), None)
    return by_words or next((DIALYSIS_CODES[c.code] for c in codings(code) if c.code in DIALYSIS_CODES), None)


def dialysis_of_conditions(resources: Iterable[Json]) -> tuple[str | None, list[Notice]]:
    """Dependence on dialysis as a present problem; one that names no modality is read as haemodialysis, and that is said."""
    for condition in resources:
        text, listed = concept_text(condition.get("code")), codings(condition.get("code"))
        present = concept_word(condition.get("clinicalStatus")) in PRESENT and not condition.get("abatementDateTime")
        true = concept_word(condition.get("verificationStatus")) not in NOT_TRUE
        depends = _DEPENDENT.search(text) or any(c.code in DEPENDENT_ON_DIALYSIS for c in listed)
        if present and true and depends:
            kind = next((k for pattern, k in DIALYSIS_WORDS if pattern.search(text)), "haemodialysis")
            message = f"{name_of(condition)}: dependence on dialysis, read as {kind}."
            return kind, [Notice("missing-data", "patient.dialysis", message, None, (), limits=False)]
    return None, []


def read_smoking(observations: Iterable[Json], conditions: Iterable[Json]) -> Smoking | None:
    """Smoking status: the latest that was observed, else a present problem that states it."""
    seen = [o for o in observations if any(c.code == SMOKING_STATUS for c in codings(o.get("code")))]
    usable = [o for o in seen if concept_word(o.get("status")) not in ("entered-in-error", "cancelled", "registered")]
    dated = sorted(usable, key=lambda o: (day(o.get("effectiveDateTime")) or date.min, name_of(o)), reverse=True)
    problems = [c for c in conditions if concept_word(c.get("clinicalStatus")) in PRESENT]
    stated = [*(o.get("valueCodeableConcept") for o in dated), *(c.get("code") for c in problems)]
    known = (SMOKING_CODES[c.code] for concept in stated for c in codings(concept) if c.code in SMOKING_CODES)
    found = next(known, None)
    return Smoking(found) if found else None


def read_dialysis(resources: Iterable[Json], as_of: date | None) -> tuple[str | None, list[Notice]]:
    """The modality of the latest dialysis; one long past is told and not taken for the present."""
    done = [(p, _modality(p), _done_on(p)) for p in resources if concept_word(p.get("status")) not in NOT_DONE]
    known = sorted(((on or date.min, kind, p) for p, kind, on in done if kind), key=lambda item: (item[0], item[1]))
    if not known:
        return None, []
    on, kind, procedure = known[-1]
    running = concept_word(procedure.get("status")) == "in-progress"
    if not running and as_of is not None and (as_of - on).days > RECENT_DAYS:
        message = f"{name_of(procedure)}: dialysis {'on ' + str(on) if on != date.min else 'without a date'}; not taken for the present."
        return None, [Notice("missing-data", "patient.dialysis", message, None, ("renal-caution", "organ-dose"))]
    message = f"{name_of(procedure)}: read as {kind}{' on ' + str(on) if on != date.min else ''}."
    return kind, [Notice("missing-data", "patient.dialysis", message, None, (), limits=False)]
