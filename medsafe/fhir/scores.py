"""Observations → symptom scores, level of sedation and performance status, the latest of each.

Scores are known by code where a code is known, else by the name that the EHR gives them: the items of the Edmonton scale
(ESAS-r) have no codes that every EHR uses. Which score is how serious is no matter of this room.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from medsafe.fhir.observations import UNUSABLE, taken_on
from medsafe.fhir.shape import (
    Json,
    any_of,
    codings,
    concept_text,
    concept_word,
    mapping,
    name_of,
    number,
    objects,
    words,
)
from medsafe.model.case import CodedCondition, SymptomReport
from medsafe.model.findings import Notice

# (code, what is scored). Opened: LOINC 72514-3 and 38208-5 in published FHIR profiles of pain, 89247-1, 89262-0, 89243-0
# and 89245-5 in mCODE, SNOMED CT 1345050000 with its LOINC answers in a published profile of intensive care.
CODES = {
    "72514-3": "pain",
    "38208-5": "pain",
    "1345050000": "rass",
    "89247-1": "ecog",
    "89262-0": "ecog",
    "89243-0": "karnofsky",
    "89245-5": "karnofsky",
}
# Names of scales and of the items of ESAS-r, as they stand in front of or behind the word ESAS (recalled).
NAMES = (
    (re.compile(r"\brichmond agitation|\brass\b", re.IGNORECASE), "rass"),
    (re.compile(r"\bpasero\b|\bposs\b", re.IGNORECASE), "poss"),
    (re.compile(r"\becog\b", re.IGNORECASE), "ecog"),
    (re.compile(r"\bkarnofsky\b", re.IGNORECASE), "karnofsky"),
)
ESAS = re.compile(r"\besas\b|\besas-?r\b|edmonton symptom", re.IGNORECASE)
# "Other problem (for example constipation)" names no problem: only what was written instead of the example does.
EXAMPLE = re.compile(r"\b(?:e\.?g\b\.?|for example|such as)[^)]*", re.IGNORECASE)
# Behind the nine items of the form stand those that clinics add to it, or write where it asks for another problem.
ESAS_ITEMS = (
    (re.compile(r"drows", re.IGNORECASE), "drowsiness"),
    (re.compile(r"tired|fatigue", re.IGNORECASE), "fatigue"),
    (re.compile(r"nausea", re.IGNORECASE), "nausea"),
    (re.compile(r"appetite", re.IGNORECASE), "loss of appetite"),
    (re.compile(r"breath|dyspn", re.IGNORECASE), "breathlessness"),
    (re.compile(r"depress", re.IGNORECASE), "depression"),
    (re.compile(r"anxi", re.IGNORECASE), "anxiety"),
    (re.compile(r"constipation", re.IGNORECASE), "constipation"),
    (re.compile(r"vomit|emesis", re.IGNORECASE), "vomiting"),
    (re.compile(r"diarrh", re.IGNORECASE), "diarrhoea"),
    (re.compile(r"dry mouth|xerostomia", re.IGNORECASE), "dry mouth"),
    (re.compile(r"sore mouth|mouth pain|mucositis", re.IGNORECASE), "sore mouth"),
    (re.compile(r"\bsleep\b|insomnia", re.IGNORECASE), "insomnia"),
    (re.compile(r"\bitch|prurit", re.IGNORECASE), "pruritus"),
    (re.compile(r"\bcough", re.IGNORECASE), "cough"),
    (re.compile(r"hiccup|hiccough", re.IGNORECASE), "hiccups"),
    (re.compile(r"headache", re.IGNORECASE), "headache"),
    (re.compile(r"sweat", re.IGNORECASE), "sweating"),
    (re.compile(r"heartburn|dyspepsia|indigestion", re.IGNORECASE), "dyspepsia"),
    (re.compile(r"\boedema|\bedema|swelling", re.IGNORECASE), "oedema"),
    (re.compile(r"\bpain\b", re.IGNORECASE), "pain"),
)
# LOINC answers that stand for a number: pain 0 to 10, RASS +4 to -5.
ANSWERS = {
    **dict(zip(("LA6111-4", "LA6112-2", "LA6113-0", "LA6114-8", "LA6115-5"), range(5), strict=True)),
    **dict(
        zip(("LA10137-0", "LA10138-8", "LA10139-6", "LA10140-4", "LA10141-2", "LA13942-0"), range(5, 11), strict=True)
    ),
    **dict(zip(("LA17287-6", "LA33959-0", "LA33960-8", "LA16474-1", "LA33962-4"), range(4, -1, -1), strict=True)),
    **dict(zip(("LA33963-2", "LA33964-0", "LA33965-7", "LA33966-5", "LA33967-3"), range(-1, -6, -1), strict=True)),
}
RANGES = {"rass": (-5, 4), "poss": (1, 4), "ecog": (0, 4), "karnofsky": (0, 100)}
SYMPTOM_RANGE = (0, 10)
# From this score down (RASS) or up (POSS) the words of our vocabulary. POSS 3 drifts off while talking, 4 hardly answers.
RASS_WORDS = ((0, "alert"), (-2, "drowsy"), (-4, "difficult to rouse"), (-5, "unresponsive"))
POSS_WORDS = {1: "alert", 2: "drowsy", 3: "drowsy", 4: "unresponsive"}
# For how many days a score speaks of the present: the house's own choice.
PASSING_DAYS = {"rass": 2, "poss": 2, "ecog": 90, "karnofsky": 90}
SYMPTOM_DAYS = 7
_NUMBER = re.compile(r"[-+\u2212]?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Score:
    """One score as reported."""

    name: str
    value: float
    taken_on: date | None
    source: str


@dataclass(frozen=True, slots=True)
class Scores:
    """What the scores say of the present."""

    symptoms: tuple[SymptomReport, ...] = ()
    sedation: str | None = None
    performance: tuple[CodedCondition, ...] = ()
    notices: tuple[Notice, ...] = ()


def _named(part: Json, whole: Json) -> str:
    """What an observation or component scores; "" where it is none of ours."""
    code = part.get("code")
    by_code = next((CODES[c.code] for c in codings(code) if c.code in CODES), "")
    text = " ".join([concept_text(code), *(c.display for c in codings(code))])
    by_name = next((name for pattern, name in NAMES if pattern.search(text)), "")
    if by_code or by_name:
        return by_code or by_name
    edmonton = ESAS.search(f"{text} {concept_text(whole.get('code'))}")
    item = EXAMPLE.sub("", text)
    return next((name for pattern, name in ESAS_ITEMS if edmonton and pattern.search(item)), "")


def _number(part: Json) -> float | None:
    """The number a value states, as quantity, bare number, coded answer or the only number of a text."""
    stated = number(mapping(part.get("valueQuantity")).get("value"))
    bare = number(any_of(part, "valueInteger", "valueDecimal"))
    if stated is not None or bare is not None:
        return stated if stated is not None else bare
    answer = part.get("valueCodeableConcept")
    coded = next((ANSWERS[c.code] for c in codings(answer) if c.code in ANSWERS), None)
    if coded is not None:
        return float(coded)
    found = _NUMBER.findall(concept_text(answer) or words(part.get("valueString")))
    return float(found[0].replace("\u2212", "-")) if len(found) == 1 else None


def _refused(name: str, source: str, why: str) -> Notice:
    message = f"{source}: the {name} score {why}; it is not used."
    return Notice("value-implausible", f"{source}.{name}", message, None, (name,), limits=False)


def _read(observations: Iterable[Json]) -> Iterator[Score | Notice]:
    for whole in observations:
        if concept_word(whole.get("status")) in UNUSABLE:
            continue
        for part in (whole, *objects(whole.get("component"))):
            name = _named(part, whole)
            value = _number(part) if name else None
            low, high = RANGES.get(name, SYMPTOM_RANGE)
            if value is not None and low <= value <= high:
                yield Score(name, value, taken_on(whole), name_of(whole))
            elif value is not None:
                yield _refused(name, name_of(whole), f"is outside {low} to {high}")
            elif name and any(key.startswith("value") for key in part):
                yield _refused(name, name_of(whole), "has no number")


def _present(scores: list[Score], as_of: date | None) -> tuple[dict[str, float], list[Notice]]:
    """The latest of each that still speaks of the present; of several on one day the worst symptom."""
    found: dict[str, float] = {}
    notices = []
    for name in sorted({s.name for s in scores}):
        listed = [s for s in scores if s.name == name]
        last = max(s.taken_on or date.min for s in listed)
        days = (as_of - last).days if as_of and last != date.min else 0
        if days > PASSING_DAYS.get(name, SYMPTOM_DAYS):
            message = f"The {name} score is {days} days old; it says nothing of the present and was not used."
            notices.append(Notice("stale-lab", f"patient.{name}", message, str(last), (name,), limits=False))
            continue
        values = [s.value for s in listed if (s.taken_on or date.min) == last]
        found[name] = min(values) if name in ("rass", "karnofsky") else max(values)
    return found, notices


def _sedation(found: dict[str, float]) -> str | None:
    if "rass" in found:
        return next(word for bound, word in RASS_WORDS if found["rass"] >= bound)
    return POSS_WORDS.get(int(found["poss"])) if "poss" in found else None


def read_scores(observations: Iterable[Json], as_of: date | None) -> Scores:
    """The present scores among the observations."""
    read = list(_read(observations))
    found, old = _present([s for s in read if isinstance(s, Score)], as_of)
    refused = [n for n in read if isinstance(n, Notice)]
    symptoms = tuple(SymptomReport(name, value) for name, value in found.items() if name not in RANGES)
    status = {"ecog": "ECOG", "karnofsky": "Karnofsky"}
    steps = {"ecog": 1, "karnofsky": 10}
    performance = tuple(
        CodedCondition(f"{shown} {found[name] // steps[name] * steps[name]:g}")
        for name, shown in status.items()
        if name in found
    )
    return Scores(symptoms, _sedation(found), performance, (*refused, *old))
