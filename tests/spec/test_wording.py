"""Phenotypes, allergies and conditions as people write them: understood, or told; never read as normal."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.model.case import CodedCondition
from tests.builders import ask, found, notices, order, patient, severity


@pytest.mark.parametrize(
    "said", ["poor", "PM", "Poor Metabolizer", "poor metaboliser", "*4/*4", "*4/*5", "CYP2D6 *3/*4", "activity score 0"]
)
def test_every_spelling_of_a_poor_metaboliser_is_understood(engine: Engine, said: str) -> None:
    shown = ask(engine, order("codeine", 30, times_per_day=4), who=patient(genotypes={"CYP2D6": said}))
    assert severity(shown, "pharmacogenomic", "codeine") == "high"


@pytest.mark.parametrize("said", ["ultrarapid", "UM", "ultra-rapid metabolizer", "*1/*2xN"])
def test_every_spelling_of_an_ultrarapid_metaboliser_is_understood(engine: Engine, said: str) -> None:
    shown = ask(engine, order("codeine", 30, times_per_day=4), who=patient(genotypes={"cyp2d6": said}))
    assert severity(shown, "pharmacogenomic", "codeine") == "critical"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("*2A/*2A", "critical"),
        ("complete deficiency", "critical"),
        ("activity score: 0.5", "critical"),
        ("*1/*2A", "high"),
        ("*1/HapB3", "high"),
        ("1", "high"),
        ("*1/*1", "none"),
        ("normal", "none"),
    ],
)
def test_a_dpyd_result_is_read_as_a_laboratory_writes_it(engine: Engine, said: str, expected: str) -> None:
    shown = ask(engine, order("capecitabine", 1500, times_per_day=2), who=patient(genotypes={"DPYD": said}))
    assert severity(shown, "pharmacogenomic", "capecitabine") == expected
    assert not any(field.startswith("patient.genotypes") for _, field in notices(shown))


@pytest.mark.parametrize("said", ["*2A/*99", "c.557A>G", "see report", "abnormal", "", "12"])
def test_a_genotype_that_is_not_understood_is_told_and_never_all_clear(engine: Engine, said: str) -> None:
    shown = ask(engine, order("capecitabine", 1500, times_per_day=2), who=patient(genotypes={"DPYD": said}))
    assert ("missing-data", "patient.genotypes.DPYD") in notices(shown)
    assert shown["complete"] is False


@pytest.mark.parametrize(
    ("gene", "said", "expected"),
    [
        ("HLA-B", "*15:02", "critical"),
        ("HLA-B", "15:02 positive", "critical"),
        ("HLA-B*15:02", "positive", "critical"),
        ("HLA-B*15:02", "carrier", "critical"),
        ("HLA-B*15:02", "negative", "none"),
        ("HLA-B*15:02", "not detected", "none"),
        ("HLA-B*15:02", "absent", "none"),
        ("hla-b-1502", "positive", "critical"),
    ],
)
def test_an_hla_allele_is_read_from_the_gene_or_the_result(engine: Engine, gene: str, said: str, expected: str) -> None:
    shown = ask(engine, order("carbamazepine", 200, times_per_day=2), who=patient(genotypes={gene: said}))
    assert severity(shown, "pharmacogenomic", "carbamazepine") == expected


def test_a_deficient_g6pd_result_counts_as_the_condition(engine: Engine) -> None:
    by_gene = ask(engine, order("dapsone", 100), who=patient(genotypes={"G6PD": "deficient"}))
    by_name = ask(engine, order("dapsone", 100), who=patient(conditions=["G6PD deficiency"]))
    key = [(f["hazard"], f["severity"]) for f in by_name["findings"]]
    assert key
    assert [(f["hazard"], f["severity"]) for f in by_gene["findings"]] == key


def allergic(substance: str, reaction: str = "anaphylaxis") -> dict[str, Any]:
    return patient(allergies=[{"substance": substance, "reaction": reaction}])


@pytest.mark.parametrize("said", ["NKDA", "no known drug allergies", "None known", "nil known"])
def test_no_known_allergy_is_no_unknown_allergy(engine: Engine, said: str) -> None:
    assert ask(engine, order("senna", 15), who=patient(allergies=[said]))["status"] == "all-clear"


@pytest.mark.parametrize("said", ["shellfish", "latex", "house dust mite", "iodinated contrast"])
def test_an_allergy_that_bears_on_no_medicine_does_not_limit_the_answer(engine: Engine, said: str) -> None:
    assert ask(engine, order("senna", 15), who=allergic(said))["complete"] is True


def test_an_excipient_counts_in_the_injection_that_contains_it(engine: Engine) -> None:
    who = allergic("Cremophor EL")
    by_vein = ask(engine, order("paclitaxel", 300, route="intravenous infusion", interval_h=504), who=who)
    by_mouth = ask(engine, order("ciclosporin", 100, times_per_day=2), who=who)
    assert severity(by_vein, "allergy", "paclitaxel") == "critical"
    assert severity(by_mouth, "allergy", "ciclosporin") == "none"


@pytest.mark.parametrize(("drug", "expected"), [("haloperidol", "moderate"), ("ondansetron", "none")])
def test_a_dystonia_warns_of_what_blocks_dopamine_too(engine: Engine, drug: str, expected: str) -> None:
    shown = ask(engine, order(drug, 1, times_per_day=2), who=allergic("metoclopramide", "acute dystonia"))
    assert severity(shown, "allergy", drug) == expected


def test_itch_after_an_opioid_is_told_from_anaphylaxis(engine: Engine) -> None:
    itch, shock = (
        severity(
            ask(engine, order("oxycodone", 5, times_per_day=4), who=allergic("morphine", r)), "allergy", "oxycodone"
        )
        for r in ("itching", "anaphylaxis")
    )
    assert (itch, shock) == ("low", "moderate")


@pytest.mark.parametrize(
    ("substance", "reaction", "drug", "expected"),
    [
        ("penicillin", "anaphylaxis", "cefalexin", "high"),  # a shared side chain
        ("penicillin", "anaphylaxis", "ceftriaxone", "moderate"),  # none shared
        ("penicillin", "anaphylaxis", "meropenem", "low"),
        ("sulfamethoxazole", "rash", "furosemide", "none"),  # no antibacterial: no cross-reaction
        ("sulfa", "rash", "celecoxib", "high"),  # contraindicated by its labels, though a true cross-reaction is rare
        ("aspirin", "bronchospasm", "ibuprofen", "high"),
        ("cisplatin", "anaphylaxis", "carboplatin", "critical"),
        ("paclitaxel", "anaphylaxis", "docetaxel", "high"),
        ("carbamazepine", "DRESS", "phenytoin", "high"),
        ("ACE inhibitors", "cough", "lisinopril", "low"),
        ("lisinopril", "angioedema", "losartan", "moderate"),
    ],
)
def test_cross_reactions_are_those_that_are_real(
    engine: Engine, substance: str, reaction: str, drug: str, expected: str
) -> None:
    route = "intravenous" if drug in ("ceftriaxone", "meropenem", "carboplatin", "docetaxel") else "oral"
    shown = ask(engine, order(drug, 10, route=route), who=allergic(substance, reaction))
    assert severity(shown, "allergy", drug) == expected


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        ("COPD", "copd"),
        ("COAD", "copd"),
        ("ESRD", "end-stage-renal-disease"),
        ("T2DM", "type-2-diabetes"),
        ("NIDDM", "type-2-diabetes"),
        ("afib", "atrial-fibrillation"),
        ("paroxysmal AF", "atrial-fibrillation"),
        ("CKD stage 4", "chronic-kidney-disease"),
        ("Stage 3b CKD", "chronic-kidney-disease"),
        ("Hx of PUD", "peptic-ulcer"),
        ("previous MI", "ischaemic-heart-disease"),
        ("h/o seizures", "epilepsy"),
        ("?delirium", "delirium"),
        ("NSCLC with brain mets", "brain-metastases"),
        ("CCF", "heart-failure"),
        ("HFrEF", "reduced-ejection-fraction"),
        ("metastatic breast cancer", "breast-cancer"),
        ("metastatic breast cancer", "metastatic-cancer"),
        ("diabetes mellitus without complication", "diabetes"),
        ("not for resuscitation, COPD", "copd"),
        ("Non-small cell lung cancer", "lung-cancer"),
        ("COPD, no asthma", "copd"),
        ("Major depression disorder (disorder)", "depression"),
    ],
)
def test_a_condition_is_known_as_people_write_it(engine: Engine, said: str, condition: str) -> None:
    assert condition in engine.conditions.find(CodedCondition(said))


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        ("no history of seizures", "epilepsy"),
        ("seizures - none", "epilepsy"),
        ("epilepsy ruled out", "epilepsy"),
        ("denies COPD", "copd"),
        ("family history of glaucoma", "glaucoma-angle-closure"),
        ("mother had epilepsy", "epilepsy"),
        ("COPD, no asthma", "asthma"),
        ("resolved delirium", "delirium"),
        ("open-angle glaucoma", "glaucoma-angle-closure"),
        ("as", "ischaemic-heart-disease"),
    ],
)
def test_a_condition_that_is_denied_or_somebody_elses_is_not_present(engine: Engine, said: str, condition: str) -> None:
    assert condition not in engine.conditions.find(CodedCondition(said))


@pytest.mark.parametrize("said", ["no history of seizures", "family history of epilepsy", "denies COPD"])
def test_what_is_denied_clearly_needs_no_notice(engine: Engine, said: str) -> None:
    assert ask(engine, order("senna", 15), who=patient(conditions=[said]))["status"] == "all-clear"


@pytest.mark.parametrize(
    ("system", "code", "condition"),
    [
        ("http://hl7.org/fhir/sid/icd-10", "G20", "parkinsons-disease"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "K56.69", "bowel-obstruction"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "E11.9", "type-2-diabetes"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "H40.11", "glaucoma-open-angle"),
        ("http://snomed.info/sct", "230690007", "stroke"),
        ("http://snomed.info/sct", "363406005", "colorectal-cancer"),
    ],
)
def test_a_condition_is_known_by_its_code(engine: Engine, system: str, code: str, condition: str) -> None:
    assert condition in engine.conditions.find(CodedCondition("", system, code))


def test_a_condition_with_no_rule_is_told(engine: Engine) -> None:
    shown = ask(engine, order("senna", 15), who=patient(conditions=["sickle cell disease"]))
    assert ("unknown-condition", "patient.conditions.0") in notices(shown)


def test_a_rate_in_milligrams_for_micrograms_is_found_in_a_standing_order_too(engine: Engine) -> None:
    patch = order("fentanyl", 50, "mg/h", route="transdermal", form="patch", interval_h=72)
    finding = found(ask(engine, patch), "opioid-conversion-error", "fentanyl")
    assert finding is not None
    assert finding["severity"] == "critical"
