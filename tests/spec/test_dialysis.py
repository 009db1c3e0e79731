"""Dialysis: what the record states is said; what it is silent about is told, never filled in quietly."""

from __future__ import annotations

import pytest

from medsafe.checks.organ_doses import MODALITIES, band_for
from medsafe.context.engine import Engine
from medsafe.model.statements import Severity
from tests.builders import ask, found, order, patient
from tests.spec.test_organ_bands import ENGINE, RENAL, medicine


def _silent(modality: str) -> list[str]:
    drugs = (ENGINE.knowledge.drugs[drug_id] for drug_id in RENAL)
    return [d.id for d in drugs if d.renal and modality not in d.renal.dialysis and "oral" in d.systemic_routes]


@pytest.mark.parametrize("modality", sorted(MODALITIES))
def test_a_record_silent_about_the_modality_is_told_and_never_all_clear(engine: Engine, modality: str) -> None:
    for drug_id in _silent(modality)[::10]:
        shown = ask(engine, order(drug_id), who=patient(dialysis=modality))
        told = [n for n in shown["notices"] if n["code"] == "not-covered" and n["field"] == "patient.dialysis"]
        assert any(engine.knowledge.drugs[drug_id].name in n["message"] for n in told), drug_id
        assert not shown["complete"], drug_id
        assert shown["status"] != "all-clear", drug_id


def test_every_medicine_that_is_silent_is_named_in_the_notice(engine: Engine) -> None:
    two = _silent("crrt")[:2]
    shown = ask(engine, *(order(drug_id) for drug_id in two), who=patient(dialysis="crrt"))
    told = next(n["message"] for n in shown["notices"] if n["field"] == "patient.dialysis")
    assert all(engine.knowledge.drugs[drug_id].name in told for drug_id in two)


def test_the_lowest_band_under_continuous_replacement_warns_that_it_may_under_dose(engine: Engine) -> None:
    for drug_id in _silent("crrt")[::10]:
        band = band_for(medicine(engine.knowledge.drugs[drug_id], "oral"), 0.0)
        if band is None or band.action == "none":
            continue
        finding = found(ask(engine, order(drug_id, 1), who=patient(dialysis="crrt")), "renal-caution", drug_id)
        assert finding is not None, drug_id
        assert any("under-dose" in line for line in finding["management"]), drug_id
        assert Severity[finding["severity"].upper()] >= Severity.MODERATE, drug_id
        assert "keep it there" not in finding["summary"], drug_id


def test_a_stated_modality_brings_no_notice(engine: Engine) -> None:
    stated = next(d for d in RENAL if "crrt" in (ENGINE.knowledge.drugs[d].renal or pytest.fail("no rule")).dialysis)
    shown = ask(engine, order(stated), who=patient(dialysis="crrt"))
    assert not [n for n in shown["notices"] if n["field"] == "patient.dialysis"]


@pytest.mark.parametrize(
    ("drug_id", "dose", "word"),
    [
        ("captopril", 25, "after the session"),
        ("cefuroxime", 500, "additional dose"),
        ("fentanyl", 25, "does not remove"),
    ],
)
def test_what_dialysis_removes_and_when_to_give_it_is_told(
    engine: Engine, drug_id: str, dose: float, word: str
) -> None:
    by_skin = {"unit": "mcg/h", "route": "transdermal", "interval_h": 72} if drug_id == "fentanyl" else {}
    finding = found(
        ask(engine, order(drug_id, dose, **by_skin), who=patient(dialysis="haemodialysis")), "renal-caution", drug_id
    )
    assert finding is not None
    assert any(word in line for line in finding["management"])
