"""Leaving anything out never makes an answer calmer without a word: each field of each generated patient is taken away in turn.

The fields are those of the request schema, so that a new one can't escape. What vanishes must be told by a notice that
names the field, or by what the answer says of how kidney function was judged.
"""

from __future__ import annotations

import random
import re
from copy import deepcopy
from typing import Any

import pytest
from marshmallow import Schema

from medsafe.context.engine import Engine
from medsafe.model.vocabulary import shown_name
from medsafe.request import (
    CaseSchema,
    GoalsSchema,
    HistorySchema,
    MeasurementSchema,
    OrderSchema,
    PatientSchema,
    SmokingSchema,
    SymptomSchema,
)
from medsafe.service import answer
from tests.spec.test_generated_patients import CONDITIONS
from tests.spec.test_properties import usual_route

SEVERITIES = ("low", "moderate", "high", "critical")
DAY = "2026-11-22"
# Left out, these can only make the answer louder or say the same in another measure.
NEVER_CALMER = {
    "goals.intent": "comfort softens interruption only",
    "goals.documented": "comfort softens interruption only where it is documented",
    "goals.priorities": "they rank options and judge nothing",
    "opioid_table": "another published table is another measure, and the answer names the one used",
}
# What a table must have: without it the request is refused.
PARTS = {
    "order": OrderSchema(),
    "symptom": SymptomSchema(),
    "history": HistorySchema(),
    "smoking": SmokingSchema(),
    "measurement": MeasurementSchema(),
}
# Two more of the kidneys' and the liver's, and levels and values that only some medicines ask for.
MORE_LABS: dict[str, tuple[tuple[float, ...], str]] = {
    "urea": ((5, 30), "mmol/L"),
    "phosphate": ((0.4, 1.1, 2.4), "mmol/L"),
    "urine_acr": ((10, 400), "mg/g"),
    "crp": ((5, 150), "mg/L"),
    "lactate": ((1, 6), "mmol/L"),
    "uric_acid": ((250, 700), "umol/L"),
    "ammonia": ((20, 120), "umol/L"),
    "tsh": ((0.05, 2, 15), "mU/L"),
    "digoxin_level": ((0.8, 2.6), "ug/L"),
    "lithium_level": ((0.6, 1.6), "mmol/L"),
    "phenytoin_level": ((12, 28), "mg/L"),
    "carbamazepine_level": ((8, 16), "mg/L"),
    "valproate_level": ((60, 140), "mg/L"),
}


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
        "bilirubin": lab(pick((9, 45, 80)), "umol/L", upper_limit=17),
        "albumin": lab(pick((22, 31, 42)), "g/L"),
        "inr": pick((1.0, 1.8, 4.6)),
        "ascites": pick(("none", "mild", "severe")),
        "encephalopathy": pick(("none", "grade 2")),
        "alt": lab(pick((25, 260)), "U/L", upper_limit=40),
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
        "allergies": [
            pick(
                (
                    {"substance": "penicillin", "reaction": "anaphylaxis"},
                    {"substance": "codeine"},
                    {"substance": "NKDA"},
                )
            )
        ],
        **{name: lab(pick(values), unit) for name, (values, unit) in MORE_LABS.items()},
        **pick(
            ({}, {"qt_ms": pick((380, 500)), "qtc_ms": None}, {"sex": "female", "age_years": 34, "pregnancy_weeks": 9})
        ),
    }


def when_given(chance: random.Random) -> dict[str, Any]:
    """How often, in each of the ways in which it can be said."""
    return chance.choice(
        (
            {"times_per_day": chance.choice((1, 3))},
            {"interval_h": chance.choice((4, 8, 24))},
            {"prn": True, "max_times_per_day": chance.choice((2, 6)), "doses_last_24h": 2},
            {"times_per_day": 1, "phase": "single-dose"},
        )
    )


def order_of(engine: Engine, chance: random.Random, drug_id: str) -> dict[str, Any]:
    """An order of which everything is said, in a dose that may be far too large."""
    drug = engine.index.drugs[drug_id].drug
    when = when_given(chance)
    taken = chance.choice(
        ({"taken_for_days": 3, "started_on": "2026-11-20"}, {"taken_for_days": 206, "started_on": "2026-05-01"})
    )
    purposes = sorted({word for limit in drug.dose_limits for word in limit.indications})
    return {
        "drug": drug.name,
        "dose": chance.choice((1, 20, 300)),
        "unit": drug.dose_unit,
        "route": usual_route(drug) or "oral",
        "form": chance.choice(("tablet", "modified-release tablet", "oral solution")),
        # A single dose was not taken for days.
        **({} if "phase" in when else taken),
        **when,
        **({"indication": chance.choice(purposes)} if purposes else {}),
    }


def drugs_drawn(engine: Engine, chance: random.Random) -> list[str]:
    """Drugs of which much can be said, one whose limit goes by what it is for, and some of all."""
    drugs = {key: entry.drug for key, entry in sorted(engine.index.drugs.items())}
    rich = [key for key, d in drugs.items() if len(d.cautions) + len(d.substrate_of) + len(d.modulates) > 6]
    by_purpose = [key for key, d in drugs.items() if any(limit.indications for limit in d.dose_limits)]
    return [*chance.sample(rich, 6), chance.choice(by_purpose), *chance.sample(sorted(drugs), 2)]


def some_case(engine: Engine, seed: int) -> dict[str, Any]:
    """A whole request: about a dozen medicines, three of them new, and three stopped lately."""
    chance = random.Random(seed)
    opioids = [
        {"drug": "morphine", "dose": 30, "unit": "mg", "route": "oral", "form": "modified-release", "times_per_day": 2},
        {"drug": "fentanyl", "dose": 50, "unit": "mcg/h", "route": "transdermal", "form": "patch", "interval_h": 72},
        {"drug": "tramadol", "dose": 100, "unit": "mg", "route": "oral", "times_per_day": 4},
    ]
    tablets = {"drug": "co-codamol", "components": ["codeine", "paracetamol"], "strength": "30 mg/500 mg per tablet"}
    fixed = {**tablets, "dose": 3, "unit": "tablets", "route": "oral", "times_per_day": 4}
    rotation = {"drug": "oxycodone", "dose": 60, "unit": "mg", "route": "oral", "form": "modified-release"}
    *first, one, other = (order_of(engine, chance, drug) for drug in drugs_drawn(engine, chance))
    lasting = (
        "fluoxetine",
        "phenelzine",
        "carbamazepine",
        "clarithromycin",
        "rifampicin",
        "amiodarone",
        "buprenorphine",
    )
    return {
        "as_of": "2026-11-23",
        # A stream of its own: what the data hold must not change which facts are stated.
        "patient": some_patient(random.Random(seed)),
        "goals": {
            "intent": "mixed",
            "documented": True,
            "prognosis": chance.choice(("days", "weeks", "months")),
            "priorities": ["alertness"],
        },
        "symptoms": [
            {"name": chance.choice(("drowsiness", "myoclonus", "hallucinations")), "score": 8},
            {"name": chance.choice(("neuropathic pain", "nausea", "delirium")), "score": 7},
        ],
        "regimen": [chance.choice(opioids), fixed, *first],
        "new_orders": [one, other, {**rotation, "times_per_day": 2, "replaces": "regimen.0"}],
        "recently_stopped": [
            {"drug": drug, "days_ago": chance.choice((1, 9)), "taken_for_days": 90}
            for drug in chance.sample(lasting, 3)
        ],
        "history": [{"drug": "gabapentin", "outcome": "not-tolerated", "detail": "sedation"}],
        "opioid_table": "cdc-2022",
    }


def parts_of(case: dict[str, Any]) -> list[tuple[tuple[str | int, ...], dict[str, Any], Schema]]:
    """Every table within this case: where it stands, and its schema."""
    patient = case["patient"]
    found: list[tuple[tuple[str | int, ...], dict[str, Any], Schema]] = [
        ((), case, CaseSchema()),
        (("patient",), patient, PatientSchema()),
        (("goals",), case["goals"], GoalsSchema()),
        (("patient", "smoking"), patient["smoking"], PARTS["smoking"]),
    ]
    found += [
        (("patient", k), v, PARTS["measurement"]) for k, v in patient.items() if isinstance(v, dict) and "value" in v
    ]
    for part in ("regimen", "new_orders", "recently_stopped"):
        found += [((part, i), order, PARTS["order"]) for i, order in enumerate(case[part])]
    found += [(("symptoms", i), each, PARTS["symptom"]) for i, each in enumerate(case["symptoms"])]
    found += [(("history", i), each, PARTS["history"]) for i, each in enumerate(case["history"])]
    return found


def paths_of(case: dict[str, Any]) -> list[tuple[str | int, ...]]:
    """Every field of the schema that this case states and that may be left out; of the orders not the whole lists."""
    found: list[tuple[str | int, ...]] = []
    for place, table, schema in parts_of(case):
        stated = (name for name, field in schema.fields.items() if table.get(name) and not field.required)
        found += [(*place, name) for name in stated]
    found += [("patient", "genotypes", name) for name in case["patient"]["genotypes"]]
    found += [("patient", "allergies", 0, "reaction")] if "reaction" in case["patient"]["allergies"][0] else []
    return [path for path in found if path not in (("patient",), ("regimen",), ("new_orders",))]


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


# How the answer calls what the request calls otherwise.
WORDS: dict[str, tuple[str, ...]] = {
    "goals": ("prognosis",),
    "recently_stopped": ("medicines stopped lately",),
    "history": ("what was tried before",),
    "genotypes": ("genotype",),
    "previous_creatinine": ("previous creatinine",),
    "cystatin_c": ("cystatin C",),
    "indication": ("what .* is for",),
    "form": ("the form of",),
    "phase": (r"\(phase\)",),
    "replaces": ("takes the place of another order",),
    "score": ("how drowsy",),
    "days_ago": ("when smoking was stopped",),
    # Without it a QT cannot be corrected.
    "heart_rate_bpm": ("heart rate", "QTc"),
}
# A value that stands for another has the other's notice.
FIELDS = {"patient.qt_ms": "patient.qtc_ms"}


def named(shown: dict[str, Any]) -> set[str]:
    """What the answer says was not stated: in the quiet notice, and beside the estimates of kidney and liver."""
    found = {str(c) for part in ("renal", "hepatic") for c in shown["organ_function"][part]["caveats"]}
    for notice in shown["notices"]:
        if notice["field"] == "patient":
            found |= set(notice["message"].split(": ", 1)[1].rstrip(".").split(", "))
    return found


def told(path: tuple[str | int, ...], shown: dict[str, Any], full: dict[str, Any]) -> bool:
    """Whether the answer says that this was left out, and did not say so before."""
    news = [n["field"] for n in shown["notices"] if n not in full["notices"]]
    # A part is told of by its own fields: a dose can't be counted without its unit or how often it is given.
    whole = path[:2] if path[0] in ("patient", "regimen", "new_orders", "recently_stopped") else path
    field = ".".join(map(str, whole))
    field = FIELDS.get(field, field)
    if any(f == field or f.startswith(f"{field}.") for f in news):
        return True
    if path[-1] == "taken_on" and "patient.taken_on" in news:
        return True
    last = str(path[-1])
    words = WORDS.get(last, (shown_name(last), last))
    return any(re.search(word, name) for word in words for name in named(shown) - named(full))


CASES = 8


def test_the_cases_state_every_field_of_the_schema(engine: Engine) -> None:
    left_out: dict[str, set[str]] = {}
    asked: dict[str, set[str]] = {}
    for seed in range(CASES):
        for _, table, schema in parts_of(some_case(engine, seed)):
            name = type(schema).__name__
            left_out.setdefault(name, set()).update(key for key, value in table.items() if value)
            asked[name] = set(schema.fields)
    assert {name: fields - left_out[name] for name, fields in asked.items() if fields - left_out[name]} == {}


@pytest.mark.parametrize("seed", range(CASES))
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
