"""Leaving anything out never makes an answer calmer without a word: each field of each generated patient is taken away in turn.

The fields are those of the request schema, so that a new one can't escape. What vanishes must be told by a notice that
names the field, or by what the answer says of how kidney function was judged.
"""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.model.vocabulary import shown_name
from medsafe.request import CaseSchema, GoalsSchema, OrderSchema, PatientSchema
from medsafe.service import answer
from tests.spec.test_generated_patients import CONDITIONS, OTHERS
from tests.spec.test_properties import random_orders

SEVERITIES = ("low", "moderate", "high", "critical")
DAY = "2026-11-22"
# Left out, these can only make the answer louder or say the same in another measure.
NEVER_CALMER = {
    "goals.intent": "comfort softens interruption only",
    "goals.documented": "comfort softens interruption only where it is documented",
    "goals.priorities": "they rank options and judge nothing",
    "opioid_table": "another published table is another measure, and the answer names the one used",
}
# Of an order: a list that is gone altogether is another case, and these are the order itself.
THE_ORDER = ("drug",)


def lab(value: float, unit: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "unit": unit, "taken_on": DAY, **more}


def some_patient(chance: random.Random) -> dict[str, Any]:
    """A patient of whom everything is known, with much that is not normal."""
    dialysed = chance.random() < 0.2
    pick = chance.choice
    return {
        "age_years": pick((34, 58, 72, 83)),
        "sex": pick(("female", "male")),
        "weight_kg": pick((38, 55, 70, 95)),
        "height_cm": pick((152, 168, 181)),
        "dialysis": pick(("haemodialysis", "peritoneal")) if dialysed else "none",
        "creatinine": lab(pick((450, 620)) if dialysed else pick((60, 95, 160, 260)), "umol/L"),
        "previous_creatinine": {**lab(pick((55, 90, 120)), "umol/L"), "taken_on": "2026-11-20"},
        "cystatin_c": lab(pick((0.9, 1.6, 2.8)), "mg/L"),
        "bilirubin": lab(pick((9, 45, 80)), "umol/L"),
        "albumin": lab(pick((22, 31, 42)), "g/L"),
        "inr": pick((1.0, 1.8, 4.6)),
        "ascites": pick(("none", "mild", "severe")),
        "encephalopathy": pick(("none", "grade 2")),
        "alt": lab(pick((25, 260)), "U/L"),
        "ast": lab(pick((25, 180)), "U/L"),
        "alp": lab(pick((80, 400)), "U/L"),
        "potassium": lab(pick((2.8, 4.2, 5.9)), "mmol/L"),
        "sodium": lab(pick((121, 140)), "mmol/L"),
        "calcium": lab(pick((1.9, 2.3, 2.9)), "mmol/L"),
        "magnesium": lab(pick((0.5, 0.85)), "mmol/L"),
        "glucose": lab(pick((3.2, 6, 19)), "mmol/L"),
        "haemoglobin": lab(pick((66, 128)), "g/L"),
        "platelets": lab(pick((18, 45, 220)), "10^9/L"),
        "neutrophils": lab(pick((0.4, 4)), "10^9/L"),
        "qtc_ms": pick((430, 485, 530)),
        "heart_rate_bpm": pick((44, 78)),
        "systolic_bp_mmhg": pick((82, 124, 190)),
        "respiratory_rate": pick((7, 15)),
        "spo2_percent": pick((84, 96)),
        "sedation": pick(("alert", "drowsy", "difficult to rouse")),
        "temperature_c": pick((36.8, 39.4)),
        "smoking": pick(({"status": "current"}, {"status": "stopped", "days_ago": 3}, {"status": "never"})),
        "genotypes": {
            "CYP2D6": pick(("poor metaboliser", "ultrarapid metaboliser")),
            "CYP2C19": "poor metaboliser",
            "DPYD": pick(("poor metaboliser", "intermediate metaboliser")),
            "G6PD": "deficient",
        },
        "conditions": chance.sample(CONDITIONS, 3),
        "allergies": [pick(("penicillin", "codeine", "NKDA"))],
    }


def some_order(chance: random.Random) -> dict[str, Any]:
    drug, dose, unit, times = chance.choice(OTHERS)
    most = {"max_times_per_day": times + 2, "prn": True} if chance.random() < 0.2 else {"times_per_day": times}
    known = {"taken_for_days": chance.choice((3, 200)), "started_on": "2026-05-01"}
    return {"drug": drug, "dose": dose * chance.choice((1, 4)), "unit": unit, "route": "oral", **most, **known}


def some_case(engine: Engine, seed: int) -> dict[str, Any]:
    """A whole request: twelve medicines, two of them new, half of them any of the formulary, and two stopped lately."""
    chance = random.Random(seed)
    opioids = [
        {"drug": "morphine", "dose": 30, "unit": "mg", "route": "oral", "form": "modified-release", "times_per_day": 2},
        {"drug": "fentanyl", "dose": 50, "unit": "mcg/h", "route": "transdermal", "form": "patch", "interval_h": 72},
        {"drug": "tramadol", "dose": 100, "unit": "mg", "route": "oral", "times_per_day": 4},
    ]
    stopped = [
        {"drug": drug, "days_ago": 4, "taken_for_days": 90}
        for drug in chance.sample(("fluoxetine", "phenelzine", "carbamazepine", "clarithromycin", "rifampicin"), 2)
    ]
    return {
        "as_of": "2026-11-23",
        "patient": some_patient(chance),
        "goals": {"intent": "mixed", "prognosis": chance.choice(("days", "weeks", "months"))},
        "symptoms": [{"name": chance.choice(("drowsiness", "myoclonus", "hallucinations")), "score": 8}],
        "regimen": [chance.choice(opioids), *(some_order(chance) for _ in range(4)), *random_orders(engine, chance, 5)],
        "new_orders": [some_order(chance), some_order(chance)],
        "recently_stopped": stopped,
        "history": [],
    }


def paths_of(case: dict[str, Any]) -> list[tuple[str | int, ...]]:
    """Every field of the schema that this case states."""
    found: list[tuple[str | int, ...]] = [(name,) for name in CaseSchema().fields if case.get(name)]
    found = [path for path in found if path[0] not in ("patient", "regimen", "new_orders")]
    found += [("patient", name) for name in PatientSchema().fields if name in case["patient"]]
    found += [("patient", "genotypes", name) for name in case["patient"]["genotypes"]]
    found += [("goals", name) for name in GoalsSchema().fields if name in case["goals"]]
    for part in ("regimen", "new_orders", "recently_stopped"):
        for place, given in enumerate(case[part]):
            found += [(part, place, name) for name in OrderSchema().fields if name in given and name not in THE_ORDER]
    return found


def without(case: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    left: Any = deepcopy(case)
    place = left
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return dict(left)


def standing(finding: dict[str, Any], shown: dict[str, Any]) -> bool:
    """Whether a finding is still told, no less severe, of the same medicines and perhaps more."""
    return any(
        (other["hazard"] == finding["hazard"] or other["rule"] == finding["rule"])
        and set(finding["drugs"]) <= set(other["drugs"])
        and SEVERITIES.index(other["severity"]) >= SEVERITIES.index(finding["severity"])
        for other in shown["findings"]
    )


# How the notice calls what the request calls otherwise.
WORDS: dict[str | int, set[str]] = {
    "recently_stopped": {"medicines stopped lately"},
    "history": {"what was tried before"},
    "genotypes": {"genotype"},
    "previous_creatinine": {"previous creatinine"},
    "cystatin_c": {"cystatin C"},
}


def told(path: tuple[str | int, ...], shown: dict[str, Any], full: dict[str, Any]) -> bool:
    """Whether the answer says that this was left out, and did not say so before."""
    news = [n for n in shown["notices"] if n not in full["notices"]]
    # An order is told of by its own fields: its dose can't be counted without its unit or how often it is given.
    of_order = path[0] in ("regimen", "new_orders", "recently_stopped") and len(path) > 1
    field = ".".join(map(str, path[:2] if of_order else path))
    words = {"prognosis"} if path == ("goals",) else WORDS.get(path[-1], {shown_name(str(path[-1])), str(path[-1])})
    quiet = [n["message"] for n in news if n["field"] == "patient"]
    judged = shown["organ_function"]
    caveats = [str(c) for part in ("renal", "hepatic") for c in judged[part]["caveats"]]
    return any(n["field"].startswith(field) for n in news) or any(
        word in text for text in (*quiet, *caveats) for word in words
    )


@pytest.mark.parametrize("seed", range(24))
def test_leaving_a_field_out_never_makes_the_answer_calmer_without_a_word(engine: Engine, seed: int) -> None:
    case = some_case(engine, seed)
    full = answer(case, engine)
    silent = []
    for path in paths_of(case):
        if ".".join(map(str, path)) in NEVER_CALMER:
            continue
        shown = answer(without(case, path), engine)
        gone = [f for f in full["findings"] if not standing(f, shown)]
        if gone and not told(path, shown, full):
            silent += [(path, f["severity"], f["hazard"], f["drugs"], f["rule"]) for f in gone]
    assert silent == []


def test_what_cannot_matter_is_not_asked_for(engine: Engine) -> None:
    senna = {"drug": "senna", "dose": 15, "unit": "mg", "route": "oral", "times_per_day": 1}
    shown = answer({"as_of": DAY, "patient": {}, "regimen": [senna]}, engine)
    quiet = [n["message"] for n in shown["notices"] if n["field"] == "patient"]
    assert not any(word in message for message in quiet for word in ("smoking", "genotype", "stopped", "respiratory"))
