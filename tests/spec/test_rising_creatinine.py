"""While creatinine rises every estimate overstates the function: doses are judged at the next stricter band."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, found, order, patient, severity


def _kidneys(previous: float | None, current: float, **more: Any) -> dict[str, Any]:
    earlier = {"value": previous, "unit": "umol/L", "taken_on": "2026-11-21"} if previous else None
    now = {"value": current, "unit": "umol/L", "taken_on": "2026-11-23"}
    return patient(previous_creatinine=earlier, creatinine=now, **more)


def _gabapentin(engine: Engine, who: dict[str, Any]) -> dict[str, Any] | None:
    return found(ask(engine, order("gabapentin", 600, times_per_day=3), who=who), "renal-caution", "gabapentin")


@pytest.mark.parametrize(
    ("previous", "current", "judged_lower"),
    [(90, 116, False), (90, 116.5, True), (90, 140, True), (116.5, 116.5, False), (None, 116.5, False)],
)
def test_from_a_rise_of_26_5_the_next_stricter_band_counts(
    engine: Engine, previous: float | None, current: float, judged_lower: bool
) -> None:
    finding = _gabapentin(engine, _kidneys(previous, current))
    assert (finding is not None and "creatinine rising" in finding["summary"]) is judged_lower


def test_a_falling_creatinine_changes_no_band_and_says_that_the_estimate_may_be_low(engine: Engine) -> None:
    falling, steady = _gabapentin(engine, _kidneys(240, 130)), _gabapentin(engine, _kidneys(None, 130))
    assert falling is not None
    assert steady is not None
    assert falling["summary"] == steady["summary"]
    assert any("understates" in text for text in falling["modifiers"])


def test_a_stage_1_rise_alone_never_interrupts(engine: Engine) -> None:
    finding = _gabapentin(engine, _kidneys(90, 117))
    assert finding is not None
    assert finding["severity"] in ("low", "moderate")


def test_a_stage_3_rise_is_judged_as_hardly_any_clearance(engine: Engine) -> None:
    shown = ask(engine, order("metformin", 1000, times_per_day=2), who=_kidneys(75, 240))
    steady = ask(engine, order("metformin", 1000, times_per_day=2), who=_kidneys(None, 240))
    finding = found(shown, "renal-caution", "metformin")
    assert finding is not None
    assert "creatinine rising" in _gabapentin(engine, _kidneys(75, 240))["summary"]  # type: ignore[index]
    assert severity(steady, "renal-caution", "metformin") != "none"


def test_a_rise_never_makes_any_dose_more_permissive(engine: Engine) -> None:
    rank = ["none", "low", "moderate", "high", "critical"]
    renal = sorted(d.id for d in engine.knowledge.drugs.values() if d.renal and "oral" in d.systemic_routes)
    for drug_id in renal[::8]:
        for current in (120, 160, 300):
            steady = severity(ask(engine, order(drug_id, 1), who=_kidneys(None, current)), "renal-caution", drug_id)
            rising = severity(ask(engine, order(drug_id, 1), who=_kidneys(80, current)), "renal-caution", drug_id)
            assert rank.index(rising) >= rank.index(steady), (drug_id, current)
