"""Every band that a record states is what the service answers: just below, at and above its edge, in every modality and class.

The records are read here as plain TOML and the patients are built backwards from the published equations, so that neither the
reading of the data nor the estimates of the service are taken for granted.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from medsafe.context.engine import Engine
from medsafe.service import answer
from tests.builders import body, order, patient
from tests.conftest import ROOT

Record = dict[str, Any]
RECORDS: dict[str, Record] = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "formulary" / "drugs").glob("*.toml"))
}
SAID = {"avoid": "avoid", "reduce": "reduce the dose", "extend-interval": "lengthen the interval", "monitor": "monitor"}
LEAST = {"avoid": "high", "reduce": "moderate", "extend-interval": "moderate", "monitor": "low"}
SEVERITIES = ("none", "low", "moderate", "high", "critical")
JUST = 0.02
LIVERS: dict[str, dict[str, Any]] = {
    "A": {"bilirubin": 20, "albumin": 40, "inr": 1.2, "ascites": "none", "encephalopathy": "none"},  # 5 points
    "B": {"bilirubin": 40, "albumin": 30, "inr": 1.2, "ascites": "mild", "encephalopathy": "none"},  # 8 points
    "C": {"bilirubin": 80, "albumin": 25, "inr": 2.5, "ascites": "moderate", "encephalopathy": "grade 1"},  # 14 points
}


def with_clearance(ml_min: float) -> Record:
    """A man of 55 years and 75 kg whose Cockcroft-Gault clearance (BMJ 1976 constants in SI units) is this."""
    return patient(creatinine=_creatinine((140 - 55) * 75 * 1.23 / ml_min))


def with_egfr(ml_min_173m2: float) -> Record:
    """The same man with this CKD-EPI 2021 estimate: 142 x min(k, 1)^-0.302 x max(k, 1)^-1.2 x 0.9938^age, k = mg/dL / 0.9."""
    ratio = ml_min_173m2 / (142 * 0.9938**55)
    return patient(creatinine=_creatinine(88.4 * 0.9 * ratio ** (-1 / (1.2 if ratio < 1 else 0.302))))


def _creatinine(umol_l: float) -> Record:
    return {"value": umol_l, "unit": "umol/L", "taken_on": "2026-11-20"}


def with_liver(grade: str) -> Record:
    given = dict(LIVERS[grade])
    for name, unit in (("bilirubin", "umol/L"), ("albumin", "g/L")):
        given[name] = {"value": given[name], "unit": unit, "taken_on": "2026-11-20"}
    return patient(conditions=["cirrhosis"], **given)


def review(engine: Engine, drug: str, who: Record, **dose: Any) -> Record:
    """The whole answer to one regular order, without a dose unless one is named."""
    return answer(body(order(drug, route=_route(RECORDS[drug]), **{"times_per_day": None, **dose}), who=who), engine)


def said(shown: Record, drug: str, hazard: str) -> list[Record]:
    """What the service says of the dose for this organ."""
    return [f for f in shown["findings"] if f["hazard"] == hazard and _dosed(f, drug)]


def _dosed(finding: Record, drug: str) -> bool:
    return any(step["from"] == drug and step["relation"] == "dosed-by" for step in finding["path"])


def _route(record: Record) -> str:
    return "oral" if "oral" in record["systemic_routes"] else str(min(record["systemic_routes"]))


def _doses(record: Record) -> list[Record]:
    """Nothing, or where the bands differ by the daily dose, one dose of each kind."""
    scopes = [b.get("scope", {}) for b in record["renal"]["bands"]]
    edges = {s[key] for s in scopes for key in ("daily_dose_at_least", "daily_dose_below") if key in s}
    asked = {"unit": record["dose_unit"], "times_per_day": 1}
    return [{"dose": dose, **asked} for edge in sorted(edges) for dose in (edge / 2, edge)] or [{}]


def _speaks_of(band: Record, record: Record, dose: float | None = None) -> bool:
    scope = band.get("scope", {})
    amount = dose if dose is not None else 0.0
    if "forms" in scope or not scope.get("daily_dose_at_least", 0) <= amount < scope.get("daily_dose_below", math.inf):
        return False
    return "routes" not in scope or _route(record) in scope["routes"]


def band_at(record: Record, value: float, dose: float | None = None) -> Record | None:
    """The band as the record writes it; one for this route goes before one for any."""
    bands = [b for b in record["renal"]["bands"] if _speaks_of(b, record, dose)]
    fitting = [b for b in bands if b["from"] <= value < b.get("below", math.inf)]
    return max(fitting, key=lambda b: "routes" in b.get("scope", {}), default=None)


def wrong(found: list[Record], band: Record | None, where: str, dosed: bool = False) -> Iterator[str]:
    """How an answer differs from the band of the record; a dose that is given moves words and severity, not the action."""
    if band is None or band["action"] == "none":
        if found:
            yield f"{where}: nothing is written, {found[0]['summary']!r} is said"
        return
    if len(found) != 1:
        yield f"{where}: {band['action']} is written, {len(found)} findings"
        return
    finding = found[0]
    if band.get("advice") and band["advice"] not in finding["management"]:
        yield f"{where}: the advice of the record is not told"
    if dosed:
        if not finding["rule"].endswith(f":{band['action']}"):
            yield f"{where}: {band['action']} is written, {finding['rule']} is told"
        return
    leads = finding["rule"].startswith("organ:")
    lines = [finding["summary"], *([] if leads else finding["modifiers"])]
    if not any(f": {SAID[band['action']]} (" in line for line in lines):
        yield f"{where}: {band['action']} is written, {lines[0]!r} is said"
    least = SEVERITIES.index(band.get("severity", LEAST[band["action"]]))
    severity = SEVERITIES.index(finding["severity"])
    # A caution about the same organ that is more serious leads, and says what the band says beside it.
    if severity < least or (leads and severity > least):
        yield f"{where}: {band.get('severity')} {band['action']} is told as {finding['severity']}"


SYSTEMIC = {d: r for d, r in RECORDS.items() if r.get("systemic_routes")}
RENAL = sorted(d for d, r in SYSTEMIC.items() if r.get("renal", {}).get("bands"))
HEPATIC = sorted(d for d, r in SYSTEMIC.items() if r.get("hepatic"))


def _kidneys(engine: Engine, drug: str) -> Iterator[str]:
    record = RECORDS[drug]
    rule = record["renal"]
    who = with_egfr if rule.get("estimate") == "egfr" else with_clearance
    for edge in sorted({b["from"] for b in rule["bands"]} | {b.get("below", 0) for b in rule["bands"]}):
        for value in (edge - JUST, edge + JUST / 100, edge + JUST) if edge else (6.0,):
            for dose in _doses(record):
                found = said(review(engine, drug, who(value), **dose), drug, "renal-caution")
                band = band_at(record, value, dose.get("dose"))
                yield from wrong(found, band, f"{drug} {dose.get('dose', '')} at {value:g}", bool(dose))


def _dialysis(engine: Engine, drug: str) -> Iterator[str]:
    for modality, band in RECORDS[drug]["renal"].get("dialysis", {}).items():
        if _speaks_of(band, RECORDS[drug]):
            found = said(review(engine, drug, patient(dialysis=modality)), drug, "renal-caution")
            yield from wrong(found, band, f"{drug} under {modality}")


def _liver(engine: Engine, drug: str) -> Iterator[str]:
    """An INR under an anticoagulant says nothing of the liver: the class is then a range, and the worse one counts."""
    bands = RECORDS[drug]["hepatic"]
    for grade in "ABC":
        shown = review(engine, drug, with_liver(grade))
        judged = shown["organ_function"]["hepatic"]["child_pugh"]
        taken = judged["class"] or judged["worst_case"]
        assert taken == grade or "inr" in judged["missing"], (drug, grade, judged)
        stated = [bands[g] for g in "ABC"[: "ABC".index(taken) + 1] if g in bands]
        band = stated[-1] if stated and _speaks_of(stated[-1], RECORDS[drug]) else None
        yield from wrong(said(shown, drug, "hepatic-caution"), band, f"{drug} in Child-Pugh {grade}")


@pytest.mark.parametrize("part", range(8))
def test_at_the_edges_of_each_renal_band_the_answer_is_the_record(engine: Engine, part: int) -> None:
    assert [line for drug in RENAL[part::8] for line in _kidneys(engine, drug)] == []


def test_under_each_dialysis_that_a_record_states_the_answer_is_the_record(engine: Engine) -> None:
    assert [line for drug in RENAL for line in _dialysis(engine, drug)] == []


def test_in_each_child_pugh_class_the_answer_is_the_record_or_its_nearest_milder_class(engine: Engine) -> None:
    assert [line for drug in HEPATIC for line in _liver(engine, drug)] == []


def _limits() -> Iterator[tuple[str, float, float]]:
    """A drug, a clearance in a band that gives a largest daily dose, and that dose."""
    for drug in RENAL:
        rule = RECORDS[drug]["renal"]
        for band in rule["bands"] if rule.get("estimate") != "egfr" else ():
            if band.get("max_daily_dose") and not band.get("max_single_dose") and not band.get("min_interval_h"):
                value = (band["from"] + min(band.get("below", 120), 120)) / 2
                if band["action"] in ("reduce", "extend-interval", "monitor") and band_at(RECORDS[drug], value) == band:
                    yield drug, max(value, 6.0), band["max_daily_dose"]


def test_a_dose_at_the_limit_of_its_band_fits_and_one_above_it_is_told_as_serious(engine: Engine) -> None:
    faults = []
    for drug, value, limit in _limits():
        for dose, severities in ((limit, ("low",)), (limit * 1.01, ("high", "critical"))):
            asked = {"dose": dose, "unit": RECORDS[drug]["dose_unit"], "times_per_day": 1}
            found = said(review(engine, drug, with_clearance(value), **asked), drug, "renal-caution")
            if [f["severity"] for f in found] not in [[s] for s in severities]:
                faults.append(f"{drug} {dose:g} a day at {value:g}: {[(f['severity'], f['summary']) for f in found]}")
    assert faults == []
    assert len(list(_limits())) > 100


def test_the_table_is_read_from_enough_records_to_mean_something() -> None:
    assert len(RENAL) > 500
    assert len(HEPATIC) > 500
