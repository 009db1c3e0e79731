"""Suggestions for thousands of generated patients: each suggested dose is put back as a real order, and must bring no surprise.

Every patient is answered; the doses suggested to every second one are ordered and the whole case is answered again. That is
what a run of the tests can afford in about a minute of one core.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.service import answer
from tests.builders import patient

PATIENTS = 3000
ORDERED_EVERY = 2
SERIOUS = ("high", "critical")
GIVES = ("start", "increase", "rotate", "co-prescribe", "switch-route")
# Missing companions and burdens of little benefit are told beside an option; they never stand against it.
BESIDE = ("omission", "deprescribing")
TOXIC_SIGNS = ("myoclonus", "hallucinations", "hyperalgesia", "allodynia")
CONTROLLED_BELOW = 4
SLOW_BREATHING_BELOW = 8

# drug, route, form, unit, doses to draw from, times a day (or hours between doses as a negative number)
BACKGROUND: list[tuple[str, str, str, str, tuple[float, ...], float]] = [
    ("morphine", "oral", "modified-release tablet", "mg", (10, 15, 30, 60, 100, 200), 2),
    ("morphine", "oral", "immediate-release", "mg", (2.5, 5, 10, 20), 6),
    ("morphine", "subcutaneous infusion", "", "mg/24h", (10, 20, 60, 120), 0),
    ("oxycodone", "oral", "modified-release tablet", "mg", (5, 10, 20, 40, 80), 2),
    ("oxycodone", "subcutaneous infusion", "", "mg/24h", (10, 30, 60), 0),
    ("hydromorphone", "oral", "modified-release", "mg", (2, 4, 8, 16), 2),
    ("fentanyl", "transdermal", "patch", "mcg/h", (12, 25, 50, 100), -72),
    ("buprenorphine", "transdermal", "patch", "mcg/h", (5, 10, 20), -168),
    ("methadone", "oral", "tablet", "mg", (5, 10, 20), 3),
    ("tramadol", "oral", "immediate-release", "mg", (50, 100), 4),
    ("codeine", "oral", "tablet", "mg", (30, 60), 4),
    ("tapentadol", "oral", "modified-release tablet", "mg", (50, 100, 200), 2),
    ("alfentanil", "subcutaneous infusion", "", "mg/24h", (1, 2, 4), 0),
]
RESCUE: list[tuple[str, float]] = [("morphine", 5), ("morphine", 10), ("oxycodone", 5), ("hydromorphone", 1)]
OTHERS: list[tuple[str, float, str, float]] = [
    ("paracetamol", 1000, "mg", 3),
    ("ibuprofen", 400, "mg", 3),
    ("dexamethasone", 4, "mg", 1),
    ("senna", 15, "mg", 1),
    ("omeprazole", 20, "mg", 1),
    ("gabapentin", 300, "mg", 3),
    ("pregabalin", 75, "mg", 2),
    ("amitriptyline", 25, "mg", 1),
    ("duloxetine", 30, "mg", 1),
    ("sertraline", 50, "mg", 1),
    ("citalopram", 20, "mg", 1),
    ("mirtazapine", 15, "mg", 1),
    ("phenelzine", 15, "mg", 3),
    ("lorazepam", 0.5, "mg", 2),
    ("diazepam", 5, "mg", 2),
    ("zopiclone", 3.75, "mg", 1),
    ("haloperidol", 1, "mg", 2),
    ("olanzapine", 5, "mg", 1),
    ("levomepromazine", 6.25, "mg", 1),
    ("metoclopramide", 10, "mg", 3),
    ("ondansetron", 8, "mg", 2),
    ("cyclizine", 50, "mg", 3),
    ("clarithromycin", 500, "mg", 2),
    ("fluconazole", 200, "mg", 1),
    ("voriconazole", 200, "mg", 2),
    ("rifampicin", 600, "mg", 1),
    ("carbamazepine", 200, "mg", 2),
    ("phenytoin", 300, "mg", 1),
    ("levetiracetam", 500, "mg", 2),
    ("valproate", 300, "mg", 2),
    ("warfarin", 3, "mg", 1),
    ("apixaban", 5, "mg", 2),
    ("aspirin", 75, "mg", 1),
    ("ramipril", 5, "mg", 1),
    ("spironolactone", 25, "mg", 1),
    ("furosemide", 40, "mg", 1),
    ("bisoprolol", 2.5, "mg", 1),
    ("amiodarone", 200, "mg", 1),
    ("digoxin", 0.125, "mg", 1),
    ("metformin", 500, "mg", 2),
    ("prednisolone", 10, "mg", 1),
    ("enzalutamide", 160, "mg", 1),
    ("osimertinib", 80, "mg", 1),
    ("capecitabine", 1000, "mg", 2),
    ("baclofen", 5, "mg", 3),
    ("oxybutynin", 2.5, "mg", 2),
    ("rasagiline", 1, "mg", 1),
    ("lithium", 400, "mg", 1),
]
CONDITIONS = (
    "metastatic cancer",
    "bone metastases",
    "brain metastases",
    "liver metastases",
    "cachexia",
    "frailty",
    "falls",
    "dementia",
    "delirium",
    "Parkinson's disease",
    "epilepsy",
    "COPD",
    "sleep apnoea",
    "respiratory failure",
    "heart failure",
    "ischaemic heart disease",
    "long QT syndrome",
    "peptic ulcer",
    "bowel obstruction",
    "complete bowel obstruction",
    "dysphagia",
    "urinary retention",
    "angle-closure glaucoma",
    "cirrhosis",
    "type 2 diabetes",
    "deep vein thrombosis",
    "myasthenia gravis",
    "spinal cord compression",
    "neutropenia",
)
PAINS = ("pain", "neuropathic pain", "bone pain", "visceral pain", "mixed pain", "incident pain")
OTHER_SYMPTOMS = (
    "nausea",
    "constipation",
    "breathlessness",
    "delirium",
    "agitation",
    "anxiety",
    "insomnia",
    "fatigue",
    "depression",
    "cough",
    "hiccups",
    "respiratory secretions",
    "bowel obstruction",
    "muscle spasm",
    "pruritus",
    "anorexia",
    "drowsiness",
    "myoclonus",
    "hallucinations",
)


def _background(chance: random.Random) -> dict[str, Any]:
    drug, route, form, unit, doses, times = chance.choice(BACKGROUND)
    order: dict[str, Any] = {"drug": drug, "route": route, "dose": chance.choice(doses), "unit": unit}
    if form:
        order["form"] = form
    if times > 0:
        order["times_per_day"] = times
    elif times < 0:
        order["interval_h"] = -times
    return order | {"started_on": "2026-09-01"}


def _regimen(chance: random.Random) -> list[dict[str, Any]]:
    orders = [_background(chance)] if chance.random() < 0.75 else []
    if orders and chance.random() < 0.6:
        drug, dose = chance.choice(RESCUE)
        taken = chance.choice([0, 1, 3, 5])
        rescue = {"drug": drug, "dose": dose, "unit": "mg", "route": "oral", "form": "immediate-release", "prn": True}
        orders.append(rescue | {"max_times_per_day": 6, "doses_last_24h": taken})
    for drug, dose, unit, times in chance.sample(OTHERS, chance.randint(0, 6)):
        orders.append({"drug": drug, "dose": dose, "unit": unit, "route": "oral", "times_per_day": times})
    return orders


def _patient(chance: random.Random) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "age_years": chance.choice([28, 45, 60, 70, 79, 88]),
        "sex": chance.choice(["male", "female"]),
        "weight_kg": chance.choice([38, 48, 60, 75, 110]),
        "creatinine": {"value": chance.choice([50, 80, 80, 120, 180, 260, 420]), "unit": "umol/L"},
        "qtc_ms": chance.choice([None, 410, 440, 465, 490, 520]),
        "conditions": chance.sample(CONDITIONS, chance.randint(0, 4)),
        "potassium": {"value": chance.choice([2.8, 3.4, 4.2, 5.7]), "unit": "mmol/L"},
        "sodium": {"value": chance.choice([122, 131, 139]), "unit": "mmol/L"},
        "platelets": {"value": chance.choice([15, 45, 90, 250]), "unit": "10^9/L"},
        "respiratory_rate": chance.choice([6, 9, 12, 14, 16, 20]),
        "sedation": chance.choice(["alert", "alert", "alert", "drowsy", "difficult to rouse"]),
    }
    if chance.random() < 0.12:
        changes["dialysis"] = chance.choice(["haemodialysis", "peritoneal", "crrt"])
    if chance.random() < 0.15:
        changes |= {
            "conditions": [*changes["conditions"], "cirrhosis"],
            "bilirubin": {"value": chance.choice([20, 45, 90]), "unit": "umol/L"},
            "albumin": {"value": chance.choice([24, 30, 38]), "unit": "g/L"},
            "inr": chance.choice([1.1, 1.9, 2.6]),
            "ascites": chance.choice(["none", "mild", "moderate"]),
            "encephalopathy": chance.choice(["none", "grade 1", "grade 3"]),
        }
    if chance.random() < 0.1:
        del changes["creatinine"]
        changes["creatinine"] = None
    if chance.random() < 0.1:
        changes["genotypes"] = {chance.choice(["CYP2D6", "CYP2C19"]): chance.choice(["poor", "ultrarapid"])}
    return patient(**changes)


def case(seed: int) -> dict[str, Any]:
    """One patient, the same for the same seed."""
    chance = random.Random(f"generated patient {seed}")
    symptoms = [{"name": chance.choice(PAINS), "score": chance.randint(0, 10)}]
    symptoms += [
        {"name": n, "score": chance.randint(1, 9)} for n in chance.sample(OTHER_SYMPTOMS, chance.randint(0, 2))
    ]
    body: dict[str, Any] = {
        "as_of": "2026-11-23",
        "patient": _patient(chance),
        "regimen": _regimen(chance),
        "symptoms": symptoms,
    }
    if chance.random() < 0.5:
        prognosis = chance.choice(["hours", "days", "weeks", "months", "years"])
        body["goals"] = {"intent": "comfort", "documented": True, "prognosis": prognosis}
    return body


def _is_opioid(engine: Engine, name: str) -> bool:
    entry = engine.index.drugs.get(name)
    return bool(entry and entry.drug.opioid)


def as_ordered(body: dict[str, Any], item: dict[str, Any], engine: Engine) -> dict[str, Any]:
    """The same patient with the suggestion written as an order, in place of what it replaces."""
    regimen: list[dict[str, Any]] = body["regimen"]
    new = {"drug": item["drug"], **item["order"]}
    if item["action"] in ("increase", "reduce", "rotate", "switch-route"):
        rotates = item["action"] == "rotate"
        old = [
            i
            for i, o in enumerate(regimen)
            if not o.get("prn") and (_is_opioid(engine, o["drug"]) if rotates else o["drug"] == item["drug"])
        ]
        if old:
            new["replaces"] = f"regimen.{old[0]}"
    regimen = [o for i, o in enumerate(regimen) if f"regimen.{i}" not in item["in_place_of"]]
    # Without symptoms nothing is suggested again; signs of toxicity are kept because checks read them.
    signs = [s for s in body["symptoms"] if s["name"] in TOXIC_SIGNS]
    return {**body, "regimen": regimen, "new_orders": [new], "symptoms": signs}


@dataclass
class Run:
    """What was seen in all patients: what went wrong, by promise, and how many suggestions of each kind were ordered."""

    surprises: list[str]
    excesses: list[str]
    wrong_escalations: list[str]
    ordered: Counter[str]


def run(engine: Engine, count: int, every: int) -> Run:
    """Answer the first `count` patients, and order what is suggested to every so-manieth of them."""
    done = Run([], [], [], Counter())
    sedatives = {key for key, e in engine.index.drugs.items() if e.drug.opioid or "gabapentinoids" in e.tags}
    for seed in range(count):
        body = case(seed)
        before = answer(body, engine)
        done.wrong_escalations += wrong_escalations(seed, body, before, sedatives)
        for item in before["suggestions"] if seed % every == 0 else ():
            if item["order"] is not None:
                after = answer(as_ordered(body, item, engine), engine)
                done.surprises += surprises(seed, before, item, after)
                done.excesses += excesses(seed, item, after)
                done.ordered[item["action"]] += 1
    return done


@pytest.fixture(scope="module")
def generated(engine: Engine) -> Run:
    return run(engine, PATIENTS, ORDERED_EVERY)


def _shown(seed: int, item: dict[str, Any], text: str) -> str:
    order = item["order"] or {}
    dose = f"{order.get('dose')} {order.get('unit')} {order.get('route')}"
    return f"patient {seed}, {item['for']}: {item['action']} {item['drug']} {dose}: {text}"


def surprises(seed: int, before: dict[str, Any], item: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Serious findings that a suggestion brings and its cautions do not tell."""
    stood = {(f["hazard"], d) for f in before["findings"] if f["severity"] in SERIOUS for d in f["drugs"]}
    told = {c["hazard"] for c in item["cautions"]}
    for finding in after["findings"]:
        if finding["severity"] not in SERIOUS or finding["kind"] in BESIDE:
            continue
        if item["action"] == "rotate" and "rescue dose" in finding["summary"]:
            continue  # the rescue doses are replaced with it
        takes_part = "new_orders.0" in finding["orders"] or item["drug"] in finding["drugs"]
        known = (finding["hazard"], item["drug"]) in stood or finding["hazard"] in told
        if takes_part and not known:
            yield _shown(seed, item, f"{finding['hazard']} {finding['severity']} {finding['summary']}")


def excesses(seed: int, item: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Suggested doses above a limit of the drug, or above what fits this kidney or liver."""
    if item["action"] not in GIVES:
        return
    for finding in after["findings"]:
        if "new_orders.0" not in finding["orders"] or item["drug"] not in finding["drugs"]:
            continue
        if finding["hazard"] == "max-dose-exceeded":
            yield _shown(seed, item, f"max-dose-exceeded {finding['severity']} {finding['summary']}")
        above = [m for m in finding["modifiers"] if "is above" in m or "is more often than" in m]
        if finding["kind"] == "organ-dose" and above:
            yield _shown(seed, item, f"{finding['hazard']} {finding['severity']} {above[0]}")


def wrong_escalations(seed: int, body: dict[str, Any], before: dict[str, Any], sedatives: set[str]) -> Iterator[str]:
    """An opioid or a sedative raised in slow breathing, deep sedation or neurotoxicity; anything in controlled pain."""
    scores = {s["name"]: s["score"] for s in body["symptoms"]}
    signs = sorted(set(scores) & set(TOXIC_SIGNS))
    toxic = [f for f in before["findings"] if f["hazard"] in ("opioid-toxicity", "opioid-neurotoxicity")]
    for item in before["suggestions"]:
        if item["action"] != "increase":
            continue
        if item["for"] in scores and scores[item["for"]] < CONTROLLED_BELOW:
            yield _shown(seed, item, f"score {scores[item['for']]}")
        if item["drug"] not in sedatives:
            continue
        if body["patient"]["respiratory_rate"] < SLOW_BREATHING_BELOW or toxic:
            yield _shown(
                seed, item, f"respiratory rate {body['patient']['respiratory_rate']}, {len(toxic)} toxic signs"
            )
        if body["patient"]["sedation"] != "alert":
            yield _shown(seed, item, body["patient"]["sedation"])
        if signs:
            yield _shown(seed, item, f"signs: {', '.join(signs)}")


def test_nothing_suggested_brings_a_serious_finding_that_its_cautions_do_not_tell(generated: Run) -> None:
    assert generated.surprises == []


def test_no_suggested_dose_is_above_a_limit_for_this_kidney_and_liver(generated: Run) -> None:
    assert generated.excesses == []


def test_neither_opioid_nor_sedative_is_raised_in_slow_breathing_or_neurotoxicity_nor_anything_in_controlled_pain(
    generated: Run,
) -> None:
    assert generated.wrong_escalations == []


def test_the_generated_patients_are_many_kinds_of_patient(generated: Run) -> None:
    """The properties above are not true for want of suggestions."""
    for action, least in (("start", 3000), ("increase", 50), ("rotate", 100), ("reduce", 50)):
        assert generated.ordered[action] >= least, (action, generated.ordered)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_generated_patient_is_the_same_for_the_same_seed(seed: int) -> None:
    assert case(seed) == case(seed)
