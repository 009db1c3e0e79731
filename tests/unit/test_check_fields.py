"""Promises of what a finding carries: the orders it is about, the way it came about, what harms, what to do, the source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from medsafe.context.engine import Engine, build_engine
from tests.builders import ask, found, order, patient

SLOW = "modified-release tablet"
PATCH = order("fentanyl", 25, "mcg/h", route="transdermal", form="patch", interval_h=48)
TWO_NSAIDS = (order("ibuprofen", 400, times_per_day=3), order("naproxen", 500, times_per_day=2))
PENICILLIN = patient(allergies=[{"substance": "penicillin", "reaction": "anaphylaxis"}])
KIDNEY = patient(creatinine={"value": 400, "unit": "umol/L", "taken_on": "2026-11-20"})

# Patient, regimen, hazard, and what the finding carries.
CARRIED: dict[str, tuple[dict[str, Any], tuple[dict[str, Any], ...], str, dict[str, Any]]] = {
    "a dose above its limit": (
        {},
        (order("paracetamol", 1000, times_per_day=4), order("paracetamol", 500, times_per_day=2)),
        "max-dose-exceeded",
        {
            "kind": "max-dose",
            "severity": "high",
            "drugs": ["paracetamol"],
            "orders": ["regimen.0", "regimen.1"],
            "summary": "paracetamol: 5000 mg a day exceeds 4000",
            "path": [{"from": "paracetamol", "relation": "limited-by", "to": "daily 4000"}],
            "magnitude": {"measure": "dose-ratio", "value": 1.25, "basis": "record", "class": ""},
            "easiest_to_change": "paracetamol",
            "rule": "limit:paracetamol:daily",
        },
    ),
    "an interval too short": (
        {},
        (PATCH,),
        "frequency-error",
        {
            "kind": "frequency",
            "severity": "moderate",
            "summary": "fentanyl: every 48 h is more often than every 72 h",
            "path": [{"from": "fentanyl", "relation": "limited-by", "to": "interval 72"}],
            "magnitude": {"measure": "dose-ratio", "value": 1.5, "basis": "record", "class": ""},
            "rule": "limit:fentanyl:interval",
        },
    ),
    "one ingredient twice": (
        {},
        (order("paracetamol", 500, times_per_day=2), order("paracetamol", 500, times_per_day=2)),
        "duplicate-therapy",
        {
            "kind": "duplicate",
            "severity": "moderate",
            "orders": ["regimen.0", "regimen.1"],
            "summary": "paracetamol: 2 orders contain it (paracetamol)",
            "path": [
                {"from": "regimen.0", "relation": "contains", "to": "paracetamol"},
                {"from": "regimen.1", "relation": "contains", "to": "paracetamol"},
            ],
            "easiest_to_change": "paracetamol",
            "rule": "duplicate:paracetamol",
        },
    ),
    "two of a class": (
        {},
        TWO_NSAIDS,
        "duplicate-therapy",
        {
            "kind": "duplicate",
            "severity": "high",
            "drugs": ["ibuprofen", "naproxen"],
            "orders": ["regimen.0", "regimen.1"],
            "summary": "2 non-steroidal anti-inflammatory drugs together: ibuprofen, naproxen",
            "path": [
                {"from": "ibuprofen", "relation": "is-a", "to": "nsaids"},
                {"from": "naproxen", "relation": "is-a", "to": "nsaids"},
            ],
            "rule": "duplicate:nsaids",
        },
    ),
    "a burden": (
        {},
        TWO_NSAIDS,
        "acute-kidney-injury",
        {
            "kind": "interaction",
            "orders": ["regimen.0", "regimen.1"],
            "summary": "Acute kidney injury: ibuprofen + naproxen",
            "path": [
                {"from": "ibuprofen", "relation": "contributes-to", "to": "acute-kidney-injury", "strength": "2"},
                {"from": "naproxen", "relation": "contributes-to", "to": "acute-kidney-injury", "strength": "2"},
            ],
            "magnitude": {
                "measure": "burden-score",
                "value": 4.0,
                "basis": "sum of weights and patient points",
                "class": "",
            },
            "easiest_to_change": "ibuprofen",
            "rule": "effect:acute-kidney-injury",
        },
    ),
    "an allergy": (
        PENICILLIN,
        (order("amoxicillin", 500, times_per_day=3),),
        "allergy",
        {
            "kind": "allergy",
            "severity": "critical",
            "orders": ["regimen.0"],
            "summary": "amoxicillin: same class (penicillins) as the recorded penicillin (anaphylaxis)",
            "path": [{"from": "amoxicillin", "relation": "same-class-as", "to": "penicillin"}],
            "easiest_to_change": "amoxicillin",
            "rule": "allergy:amoxicillin",
        },
    ),
    "a form crushed for a tube": (
        {},
        (order("morphine", 30, times_per_day=2, form=SLOW, route="nasogastric tube"),),
        "route-or-formulation",
        {
            "kind": "route-form",
            "severity": "critical",
            "orders": ["regimen.0"],
            "path": [{"from": "morphine", "relation": "given-by", "to": "nasogastric tube"}],
            "easiest_to_change": "morphine",
            "rule": "route:morphine",
        },
    ),
    "an omission": (
        {},
        (order("morphine", 30, times_per_day=2, form=SLOW),),
        "missing-co-prescription",
        {
            "kind": "omission",
            "severity": "moderate",
            "orders": ["regimen.0"],
            "summary": "Regular opioid without a laxative: morphine",
            "path": [
                {"from": "morphine", "relation": "lacks", "to": "laxatives or peripheral-opioid-antagonists"},
            ],
            "rule": "record:opioid-without-laxative",
        },
    ),
    "a high opioid dose": (
        {},
        (order("morphine", 30, times_per_day=2, form=SLOW),),
        "opioid-monitoring",
        {
            "kind": "opioid-safety",
            "severity": "low",
            "path": [{"from": "morphine", "relation": "judged-by", "to": "monitoring-prompt"}],
            "magnitude": {"measure": "ome-mg-per-day", "value": 60.0, "basis": "table", "class": ""},
            "modifiers": ["60 mg oral morphine equivalent a day, at or above 50."],
            "rule": "opioid:monitoring-prompt",
        },
    ),
    "two long-acting opioids": (
        {},
        (order("morphine", 30, times_per_day=2, form=SLOW), order("oxycodone", 20, times_per_day=2, form=SLOW)),
        "duplicate-therapy",
        {
            "kind": "duplicate",
            "severity": "high",
            "drugs": ["morphine", "oxycodone"],
            "orders": ["regimen.0", "regimen.1"],
            "summary": "Two long-acting opioids together: morphine and oxycodone",
            "path": [
                {"from": "morphine", "relation": "is-a", "to": "long-acting opioid"},
                {"from": "oxycodone", "relation": "is-a", "to": "long-acting opioid"},
            ],
            "rule": "duplicate:long-acting-opioids",
        },
    ),
    "a weak opioid beside a strong one": (
        {},
        (order("morphine", 30, times_per_day=2, form=SLOW), order("tramadol", 50, times_per_day=4)),
        "duplicate-therapy",
        {
            "kind": "duplicate",
            "severity": "moderate",
            "orders": ["regimen.0", "regimen.1"],
            "summary": "Weak opioid beside a strong one: tramadol with morphine",
            "path": [
                {"from": "morphine", "relation": "is-a", "to": "strong opioid"},
                {"from": "tramadol", "relation": "is-a", "to": "weak opioid"},
            ],
            "rule": "duplicate:weak-with-strong-opioids",
        },
    ),
    "what a study found in failing kidneys": (
        patient(age_years=80, creatinine={"value": 200, "unit": "umol/L", "taken_on": "2026-11-20"}),
        (order("apixaban", 5, times_per_day=2),),
        "renal-caution",
        {
            "kind": "organ-dose",
            "severity": "moderate",
            "magnitude": {"measure": "auc-ratio", "value": 1.77, "basis": "derived", "class": ""},
            "rule": "organ:apixaban:renal-caution:monitor",
        },
    ),
    "a dose for failing kidneys": (
        KIDNEY,
        (order("morphine", 30, times_per_day=2, form=SLOW),),
        "renal-caution",
        {"kind": "organ-dose", "orders": ["regimen.0"], "easiest_to_change": "morphine"},
    ),
}


@pytest.mark.parametrize("name", CARRIED)
def test_a_finding_names_its_orders_its_path_its_size_and_its_rule(engine: Engine, name: str) -> None:
    who, regimen, hazard, carried = CARRIED[name]
    finding = found(ask(engine, *regimen, who=who or patient()), hazard)
    assert finding is not None
    assert {key: finding.get(key) for key in carried} == carried


@pytest.mark.parametrize("name", CARRIED)
def test_every_finding_says_what_harms_what_to_do_and_by_which_source(engine: Engine, name: str) -> None:
    who, regimen, _, _ = CARRIED[name]
    shown = ask(engine, *regimen, who=who or patient())
    refs = {f"regimen.{number}" for number in range(len(regimen))}
    for finding in shown["findings"]:
        assert finding["consequence"], finding["summary"]
        assert finding["management"], finding["summary"]
        assert all(finding["management"]), finding["summary"]
        assert finding["sources"], finding["summary"]
        assert finding["path"], finding["summary"]
        assert set(finding["orders"]) <= refs
        assert finding["orders"]
        assert set(finding["drugs"]) <= {line["drug"] for line in regimen}
        assert len(finding["summary"]) < 140
        assert finding["rule"].partition(":")[2], finding["summary"]


def test_a_sudden_stop_is_a_matter_of_time_and_names_the_stopped_order(engine: Engine) -> None:
    stopped = order("prednisolone", 20, days_ago=2, taken_for_days=60)
    finding = found(ask(engine, recently_stopped=[stopped]), "withdrawal")
    assert finding is not None
    assert (finding["kind"], finding["orders"]) == ("time-course", ["recently_stopped.0"])
    assert finding["path"] == [{"from": "prednisolone", "relation": "judged-by", "to": "corticosteroids"}]


@pytest.mark.parametrize(("dose", "told"), [(100, False), (101, True)])
def test_a_single_injection_in_the_naive_is_held_to_its_own_limit(engine: Engine, dose: float, told: bool) -> None:
    given = order("fentanyl", dose, "mcg", route="subcutaneous", phase="single-dose")
    finding = found(ask(engine, new=[given]), "opioid-naive-start")
    paths = [step["to"] for step in finding["path"]] if finding else []
    assert ("naive-single 100" in paths) is told


def test_a_limit_by_weight_asks_for_the_weight(engine: Engine) -> None:
    unweighed = patient(weight_kg=None)
    shown = ask(engine, order("enoxaparin", 120, times_per_day=2, route="subcutaneous"), who=unweighed)
    assert any(n["field"] == "patient.weight_kg" and "max-dose" in n["blocks"] for n in shown["notices"])


def test_a_notice_says_which_rule_could_not_be_judged(engine: Engine) -> None:
    shown = ask(engine, order("enoxaparin", 40, route="subcutaneous"), who=patient(platelets=None))
    (message,) = [n["message"] for n in shown["notices"] if n["field"] == "patient.platelets"]
    assert "enoxaparin" in message
    assert "None" not in message


@pytest.mark.parametrize(("interval_h", "told"), [(23, True), (24, False), (36, False)])
def test_an_interval_as_long_as_the_band_asks_for_is_long_enough(engine: Engine, interval_h: float, told: bool) -> None:
    cirrhotic = patient(
        conditions=["cirrhosis"],
        bilirubin={"value": 60, "unit": "umol/L", "taken_on": "2026-11-20"},
        albumin={"value": 24, "unit": "g/L", "taken_on": "2026-11-20"},
        inr=2.5,
        ascites="severe",
    )
    given = {**order("abemaciclib", 100), "times_per_day": None, "interval_h": interval_h}
    finding = found(ask(engine, given, who=cirrhotic), "hepatic-caution")
    assert finding is not None
    assert any("is more often than every 24 h" in line for line in finding["modifiers"]) is told
    assert finding["severity"] == ("high" if told else "moderate")


@pytest.mark.parametrize(
    ("rate", "sedation", "rule"),
    [
        (14, "difficult to rouse", "opioid:respiratory-depression"),
        (7, "alert", "opioid:respiratory-depression"),
        (8, "alert", None),
        (9, "drowsy", "opioid:slow-and-drowsy"),
        (10, "drowsy", None),
    ],
)
def test_deep_sedation_alone_or_slow_breathing_alone_is_toxicity(
    engine: Engine, rate: float, sedation: str, rule: str | None
) -> None:
    taken = order("morphine", 30, times_per_day=2, form=SLOW)
    shown = ask(engine, taken, who=patient(respiratory_rate=rate, sedation=sedation))
    told = [
        f["rule"] for f in shown["findings"] if f["hazard"] == "opioid-toxicity" and f["rule"].startswith("opioid:")
    ]
    assert told == ([rule] if rule else [])


def test_a_new_inducer_is_said_to_build_up_over_days(engine: Engine) -> None:
    shown = ask(engine, order("apixaban", 5, times_per_day=2), new=[order("rifampicin", 600)])
    finding = found(shown, "exposure-decrease", "apixaban", "rifampicin")
    assert finding is not None
    assert any("Induction by rifampicin builds up over about" in line for line in finding["modifiers"])


def test_what_no_record_says_of_a_dialysis_blocks_the_dose_for_the_organ(engine: Engine) -> None:
    shown = ask(engine, order("flurazepam", 15), who=patient(dialysis="haemodialysis"))
    (notice,) = [n for n in shown["notices"] if n["field"] == "patient.dialysis"]
    assert (notice["code"], notice["blocks"]) == ("not-covered", ["organ-dose"])
    assert "flurazepam" in notice["message"]


@pytest.mark.parametrize(
    ("dose", "severity"), [(2.9, "low"), (3, None), (15, None), (15.1, "moderate"), (30, "moderate"), (30.1, "high")]
)
def test_a_rescue_dose_is_held_against_the_regular_daily_dose(
    engine: Engine, dose: float, severity: str | None
) -> None:
    background = order("morphine", 30, times_per_day=2, form=SLOW)
    rescue = order("morphine", dose, times_per_day=None, prn=True, max_times_per_day=6)
    shown = ask(engine, background, rescue)
    told = [f["severity"] for f in shown["findings"] if f["rule"].startswith("opioid:breakthrough-")]
    assert told == ([severity] if severity else [])


@pytest.mark.parametrize(("dose", "words"), [(250, "dose fits, keep it there"), (1500, "reduce the dose")])
def test_a_dose_that_fits_the_kidneys_is_told_to_stay(engine: Engine, dose: float, words: str) -> None:
    failing = patient(age_years=80, creatinine={"value": 200, "unit": "umol/L", "taken_on": "2026-11-20"})
    finding = found(ask(engine, order("levetiracetam", dose, times_per_day=2), who=failing), "renal-caution")
    assert finding is not None
    assert finding["summary"].startswith(f"levetiracetam: {words} (")


def test_a_stop_and_a_cut_are_told_apart(engine: Engine) -> None:
    stopped = found(
        ask(engine, recently_stopped=[order("prednisolone", 20, days_ago=2, taken_for_days=60)]), "withdrawal"
    )
    taken = order("gabapentin", 600, times_per_day=3, taken_for_days=90)
    less = order("gabapentin", 100, times_per_day=3, replaces="regimen.0")
    cut = found(ask(engine, taken, new=[less]), "withdrawal")
    assert stopped is not None
    assert "stopped at once" in stopped["summary"]
    assert cut is not None
    assert "cut to 17% at once" in cut["summary"]


def engine_with(engine: Engine, drug_id: str, **changes: Any) -> Engine:
    """The same knowledge but for one record."""
    drugs = dict(engine.knowledge.drugs)
    drugs[drug_id] = replace(drugs[drug_id], **changes)
    return build_engine(replace(engine.knowledge, drugs=drugs), engine.names)


@pytest.mark.parametrize(
    ("known", "organs", "blocks"),
    [
        ({}, "kidney, liver", ["hepatic-caution", "renal-caution"]),
        ({"renal": "not-applicable"}, "liver", ["hepatic-caution"]),
        ({"hepatic": "not-applicable"}, "kidney", ["renal-caution"]),
    ],
)
def test_a_record_that_says_nothing_of_kidneys_or_liver_is_told_and_never_passed_over(
    engine: Engine, known: dict[str, str], organs: str, blocks: list[str]
) -> None:
    bare = engine_with(engine, "gabapentin", renal=None, hepatic={}, coverage=known)
    shown = ask(bare, order("gabapentin", 300), who=patient(conditions=["cirrhosis"]))
    (gap,) = [n for n in shown["notices"] if n["code"] == "not-covered"]
    assert shown["complete"] is False
    assert (gap["field"], gap["value"], gap["blocks"]) == ("regimen.0.drug", "gabapentin", blocks)
    assert (
        gap["message"] == f"gabapentin: our record says nothing of doses in {organs} disease, so that was not checked."
    )


def test_a_record_that_says_nothing_of_the_liver_is_told_only_where_the_liver_is_in_doubt(engine: Engine) -> None:
    bare = engine_with(engine, "gabapentin", hepatic={}, coverage={})
    blocks = [block for n in ask(bare, order("gabapentin", 300))["notices"] for block in n["blocks"]]
    assert "hepatic-caution" not in blocks


def test_a_record_that_could_not_be_judged_is_named_with_its_medicines(engine: Engine) -> None:
    shown = ask(engine, order("ibuprofen", 400, times_per_day=3), who=patient(age_years=None))
    messages = [n["message"] for n in shown["notices"] if n["field"] == "patient.age_years"]
    assert any("without a gastroprotectant: ibuprofen” could not be judged" in text for text in messages)
    assert not any("{" in n["message"] for n in shown["notices"])
