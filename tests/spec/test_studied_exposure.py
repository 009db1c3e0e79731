"""Where a label asks for care and gives no number, what a study found of exposure is told, marked as derived."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, order, patient


def liver(bilirubin: float, albumin: float, ascites: str) -> dict[str, Any]:
    day = {"taken_on": "2026-11-20"}
    return patient(
        conditions=["cirrhosis"],
        bilirubin={"value": bilirubin, "unit": "umol/L", **day},
        albumin={"value": albumin, "unit": "g/L", **day},
        ascites=ascites,
    )


def derived(shown: dict[str, Any], drug: str, hazard: str) -> str:
    """What is said of a study, "" where nothing is."""
    found = [f for f in shown["findings"] if f["drugs"] == [drug] and f["hazard"] == hazard]
    return next((m for f in found for m in f["modifiers"] if "derived, no label" in m), "")


def test_every_row_is_about_a_drug_with_bands_of_its_own(engine: Engine) -> None:
    for drug, rows in engine.knowledge.organ_exposure.items():
        record = engine.index.drugs[drug].drug
        assert all(record.renal is not None if r.organ == "renal" else bool(record.hepatic) for r in rows), drug


def test_a_band_with_a_number_speaks_for_itself(engine: Engine) -> None:
    failing = patient(creatinine={"value": 250, "unit": "umol/L", "taken_on": "2026-11-20"})
    shown = ask(engine, order("pregabalin", 150, times_per_day=2), who=failing)
    assert derived(shown, "pregabalin", "renal-caution") == ""


def test_a_band_without_a_number_is_told_with_what_a_study_found(engine: Engine) -> None:
    told = 0
    for drug, rows in sorted(engine.knowledge.organ_exposure.items()):
        shown = ask(engine, order(drug.replace("-", " "), route=None), who=liver(40, 30, "mild"))
        said = derived(shown, drug, "hepatic-caution")
        if said:
            # Where the INR says nothing of the liver the class may be worse than the rest shows.
            worst = shown["organ_function"]["hepatic"]["child_pugh"]["worst_case"]
            bands = engine.index.drugs[drug].drug.hepatic
            band = bands.get(worst) or bands["B"]
            highest = max(r.auc_ratio for r in rows if r.child_pugh and r.child_pugh <= worst)
            assert (band.dose_factor, band.max_daily_dose, band.max_single_dose) == (None, None, None)
            assert highest >= 1.25
            assert f"{highest:.2g} times" in said
            told += 1
    assert told > 5


@pytest.mark.parametrize(
    ("bilirubin", "albumin", "ascites", "expected"), [(12, 42, "none", False), (40, 30, "mild", True)]
)
def test_only_this_class_and_milder_ones_count(
    engine: Engine, bilirubin: float, albumin: float, ascites: str, expected: bool
) -> None:
    shown = ask(engine, order("abiraterone", 1000), who=liver(bilirubin, albumin, ascites))
    text = derived(shown, "abiraterone", "hepatic-caution")
    assert ("4.9 times" in text) is expected or text == ""
