"""Units that were mixed up, values that cannot be, results that are old, and scores with parts missing.

Each has the answer a careful pharmacist would give: what is doubtful is told and not used, nothing is converted in silence,
and what cannot be judged never reads as normal.
"""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, notices, order, patient, severity

GABAPENTIN = order("gabapentin", 600, times_per_day=3)
OXYCODONE = order("oxycodone", 10, times_per_day=2)
DULOXETINE = order("duloxetine", 60)


def renal(shown: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = shown["organ_function"]["renal"]
    return found


def child_pugh(shown: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = shown["organ_function"]["hepatic"]["child_pugh"]
    return found


def message(shown: dict[str, Any], code: str, field: str) -> str:
    return next(n["message"] for n in shown["notices"] if (n["code"], n["field"]) == (code, field))


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        pytest.param(1.1, None, id="no unit, looks like mg/dL"),
        pytest.param(88, None, id="no unit, looks like umol/L"),
        pytest.param(260, "", id="empty unit"),
        pytest.param(1.1, "umol/L", id="mg/dL labelled umol/L"),
        pytest.param(3.2, "umol/L", id="kidney failure in mg/dL labelled umol/L"),
        pytest.param(88, "mg/dL", id="umol/L labelled mg/dL"),
        pytest.param(420, "mg/dL", id="kidney failure in umol/L labelled mg/dL"),
        pytest.param(1.1, "g/L", id="a unit that creatinine never has"),
    ],
)
def test_a_creatinine_with_a_doubtful_unit_is_told_and_not_used(engine: Engine, value: float, unit: str | None) -> None:
    given = {"value": value} if unit is None else {"value": value, "unit": unit}
    shown = ask(engine, GABAPENTIN, who=patient(creatinine=given))
    assert ("unit-suspect", "patient.creatinine") in notices(shown)
    assert ("missing-lab", "patient.creatinine") in notices(shown)
    assert renal(shown)["crcl_ml_min"] is None
    assert renal(shown)["egfr_ml_min_173m2"] is None
    assert shown["status"] == "incomplete"


@pytest.mark.parametrize(
    ("value", "unit", "meant"), [(1.1, "umol/L", "mg/dL"), (88, "mg/dL", "umol/L")], ids=["mg/dL", "umol/L"]
)
def test_the_notice_names_the_unit_in_which_the_creatinine_would_make_sense(
    engine: Engine, value: float, unit: str, meant: str
) -> None:
    shown = ask(engine, GABAPENTIN, who=patient(creatinine={"value": value, "unit": unit}))
    assert meant in message(shown, "unit-suspect", "patient.creatinine")


@pytest.mark.parametrize("unit", ["mg/dL", "MG/DL", "mg/dl"])
def test_the_spelling_of_mg_per_dl_does_not_matter(engine: Engine, unit: str) -> None:
    shown = ask(engine, GABAPENTIN, who=patient(creatinine={"value": 1.1, "unit": unit}))
    assert renal(shown)["crcl_ml_min"] == pytest.approx(80.5, abs=0.5)


@pytest.mark.parametrize("unit", ["umol/L", "µmol/L", "μmol/L"])
def test_the_spelling_of_umol_per_l_does_not_matter(engine: Engine, unit: str) -> None:
    shown = ask(engine, GABAPENTIN, who=patient(creatinine={"value": 260, "unit": unit}))
    assert renal(shown)["crcl_ml_min"] == pytest.approx(30.1, abs=0.5)
    assert severity(shown, "renal-caution", "gabapentin") == "high"


@pytest.mark.parametrize("value", [0, -3, 40])
def test_a_creatinine_that_no_unit_explains_is_not_used(engine: Engine, value: float) -> None:
    unit = "mg/dL" if value <= 0 else "g/dL"
    shown = ask(engine, GABAPENTIN, who=patient(creatinine={"value": value, "unit": unit}))
    assert {code for code, field in notices(shown) if field == "patient.creatinine"} & {
        "value-implausible",
        "unit-suspect",
    }
    assert renal(shown)["crcl_ml_min"] is None


SICK_LIVER_US = {"bilirubin": {"value": 4.2, "unit": "mg/dL"}, "albumin": {"value": 2.4, "unit": "g/dL"}}
SICK_LIVER_SI = {"bilirubin": {"value": 72, "unit": "umol/L"}, "albumin": {"value": 24, "unit": "g/L"}}


def test_bilirubin_and_albumin_score_the_same_in_si_and_in_us_units(engine: Engine) -> None:
    rest = {"inr": 2.5, "ascites": "moderate", "encephalopathy": "none", "conditions": ["cirrhosis"]}
    shown = [ask(engine, DULOXETINE, OXYCODONE, who=patient(**labs, **rest)) for labs in (SICK_LIVER_US, SICK_LIVER_SI)]
    assert [(child_pugh(s)["class"], child_pugh(s)["score"]) for s in shown] == [("C", 13), ("C", 13)]
    found = [[(f["hazard"], f["severity"], f["drugs"]) for f in s["findings"]] for s in shown]
    assert found[0] == found[1]
    assert severity(shown[1], "hepatic-caution", "duloxetine") == "critical"
    assert not any(code == "unit-suspect" for code, _ in notices(shown[1]))


@pytest.mark.parametrize(
    "labs",
    [
        pytest.param({k: {**v, "unit": u} for (k, v), u in zip(SICK_LIVER_SI.items(), units, strict=True)}, id=name)
        for name, units in (("SI numbers with US units", ("mg/dL", "g/dL")), ("no units", (None, None)))
    ],
)
def test_liver_values_with_doubtful_units_leave_the_class_open_and_the_worse_one_doses(
    engine: Engine, labs: dict[str, Any]
) -> None:
    rest = {"inr": 2.5, "ascites": "moderate", "conditions": ["cirrhosis"]}
    shown = ask(engine, OXYCODONE, who=patient(**labs, **rest))
    assert {("unit-suspect", "patient.bilirubin"), ("unit-suspect", "patient.albumin")} <= notices(shown)
    assert child_pugh(shown)["class"] is None
    assert child_pugh(shown)["worst_case"] == "C"
    assert severity(shown, "hepatic-caution", "oxycodone") == "high"


def test_us_numbers_with_si_units_never_read_as_a_healthy_liver(engine: Engine) -> None:
    labs = {"bilirubin": {"value": 4.2, "unit": "umol/L"}, "albumin": {"value": 2.4, "unit": "g/L"}}
    shown = ask(engine, OXYCODONE, who=patient(**labs, inr=2.5, ascites="moderate", conditions=["cirrhosis"]))
    assert ("unit-suspect", "patient.albumin") in notices(shown)
    assert child_pugh(shown)["worst_case"] == "C"


@pytest.mark.parametrize(
    ("field", "value"),
    [("weight_kg", 640), ("weight_kg", -5), ("age_years", 250), ("age_years", -1), ("height_cm", 300)],
)
def test_an_impossible_body_is_told_and_not_used(engine: Engine, field: str, value: float) -> None:
    shown = ask(engine, GABAPENTIN, who=patient(**{field: value}))
    assert ("value-implausible", f"patient.{field}") in notices(shown)
    assert shown["status"] == "incomplete"
    if field != "height_cm":
        assert renal(shown)["crcl_ml_min"] is None


def test_a_height_in_metres_is_told_and_not_used(engine: Engine) -> None:
    assert ("unit-suspect", "patient.height_cm") in notices(ask(engine, GABAPENTIN, who=patient(height_cm=1.72)))


@pytest.mark.parametrize("weight", [0.5, 7.5])
def test_a_weight_that_no_adult_has_is_told_and_not_used(engine: Engine, weight: float) -> None:
    """178 cm and 7.5 kg: a slip of the decimal point, not a clearance of 10 mL/min."""
    shown = ask(engine, GABAPENTIN, who=patient(weight_kg=weight))
    assert ("value-implausible", "patient.weight_kg") in notices(shown)
    assert renal(shown)["crcl_ml_min"] is None


@pytest.mark.parametrize(
    ("taken_on", "conditions", "stale"),
    [
        ("2026-11-20", [], False),
        ("2026-08-26", [], False),
        ("2026-08-22", [], True),
        ("2026-04-27", [], True),
        ("2026-10-25", ["metastatic cancer"], False),
        ("2026-10-20", ["metastatic cancer"], True),
        ("2026-04-27", ["metastatic cancer"], True),
    ],
)
def test_an_old_creatinine_is_used_but_told_and_sooner_where_function_changes(
    engine: Engine, taken_on: str, conditions: list[str], stale: bool
) -> None:
    given = {"value": 260, "unit": "umol/L", "taken_on": taken_on}
    shown = ask(engine, GABAPENTIN, who=patient(creatinine=given, conditions=conditions))
    assert (("stale-lab", "patient.creatinine") in notices(shown)) is stale
    assert shown["complete"] is not stale
    # An old bad value is a warning still; dropping it would be calmer than the patient deserves.
    assert severity(shown, "renal-caution", "gabapentin") == "high"


def test_an_old_normal_creatinine_is_never_an_all_clear(engine: Engine) -> None:
    given = {"value": 70, "unit": "umol/L", "taken_on": "2026-04-27"}
    shown = ask(engine, order("gabapentin", 300, times_per_day=2), who=patient(creatinine=given))
    assert shown["status"] == "incomplete"


def test_a_result_from_the_future_is_told(engine: Engine) -> None:
    given = {"value": 80, "unit": "umol/L", "taken_on": "2027-01-01"}
    assert ("stale-lab", "patient.creatinine") in notices(ask(engine, GABAPENTIN, who=patient(creatinine=given)))


def test_an_old_potassium_is_told_to_those_who_need_it(engine: Engine) -> None:
    given = {"value": 4.2, "unit": "mmol/L", "taken_on": "2026-07-01"}
    shown = ask(engine, order("spironolactone", 25), order("ramipril", 5), who=patient(potassium=given))
    assert ("stale-lab", "patient.potassium") in notices(shown)


CIRRHOSIS = {
    "conditions": ["cirrhosis"],
    "bilirubin": {"value": 40, "unit": "umol/L"},
    "albumin": {"value": 30, "unit": "g/L"},
    "inr": 1.5,
    "ascites": "none",
    "encephalopathy": "none",
}


def test_cirrhosis_with_every_part_has_one_class(engine: Engine) -> None:
    shown = ask(engine, OXYCODONE, who=patient(**CIRRHOSIS))
    assert (child_pugh(shown)["class"], child_pugh(shown)["score"], child_pugh(shown)["missing"]) == ("B", 7, [])


@pytest.mark.parametrize(
    ("missing", "worst"),
    [
        (("ascites",), "B"),
        (("ascites", "encephalopathy"), "C"),
        (("inr",), "B"),
        (("bilirubin", "albumin"), "B"),
        (("bilirubin", "albumin", "inr"), "C"),
        (("bilirubin", "albumin", "inr", "ascites", "encephalopathy"), "C"),
    ],
    ids=" ".join,
)
def test_cirrhosis_with_parts_missing_is_dosed_by_the_worst_it_could_be(
    engine: Engine, missing: tuple[str, ...], worst: str
) -> None:
    who = patient(**{**CIRRHOSIS, **dict.fromkeys(missing)})
    shown = ask(engine, OXYCODONE, who=who)
    assert child_pugh(shown)["class"] is None
    assert set(child_pugh(shown)["missing"]) == set(missing)
    assert child_pugh(shown)["worst_case"] == worst
    assert {field for _, field in notices(shown)} >= {f"patient.{name}" for name in missing}
    assert severity(shown, "hepatic-caution", "oxycodone") in ("moderate", "high")
    assert shown["complete"] is False


@pytest.mark.parametrize("dose", [1e9, 1e40, 1e308])
def test_a_dose_that_nobody_could_give_is_told_and_not_used(engine: Engine, dose: float) -> None:
    found = ask(engine, order("oxycodone", dose, times_per_day=2), symptoms=[{"name": "pain", "score": 3}])
    assert [n["field"] for n in found["notices"] if n["code"] == "value-implausible"] == ["regimen.0.dose"]
    assert found["status"] != "all-clear"


def test_a_slip_of_ten_is_still_a_dose_to_be_judged(engine: Engine) -> None:
    found = ask(engine, order("oxycodone", 1000, times_per_day=2))
    assert not [n for n in found["notices"] if n["code"] == "value-implausible"]
    assert any(f["severity"] == "critical" for f in found["findings"])
