"""`POST /v1/opioids/convert`: its schema and its answer."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate

from medsafe import render
from medsafe.context.derive import derive
from medsafe.context.engine import Engine
from medsafe.decoder import Tolerant
from medsafe.model.case import Case
from medsafe.model.findings import Finding, Notice, merge_notices
from medsafe.opioids.conversion import Target, convert
from medsafe.request import Day, Drug, OrderSchema, PatientSchema, Route, as_case, text
from medsafe.review import run_checks
from medsafe.suggestions.opioid_steps import FRAIL, reduction_for
from medsafe.suggestions.options import Candidate, bands_of, fitted, generated
from medsafe.suggestions.suggest import as_medicine
from medsafe.web.problems import from_schema

REASONS = ("pain", "toxicity", "renal", "route", "other")


class TargetSchema(Tolerant):
    drug = Drug(required=True)
    route = Route(required=True)
    form = text()


class ConversionSchema(Tolerant):
    from_ = fields.List(
        fields.Nested(OrderSchema), data_key="from", required=True, validate=validate.Length(min=1, max=50)
    )
    to = fields.Nested(TargetSchema, required=True)
    table = text()
    patient = fields.Nested(PatientSchema, load_default=dict, allow_none=True)
    reason = fields.String(load_default="other", validate=validate.OneOf(REASONS, error="must be one of: {choices}"))
    as_of = Day(load_default=None, allow_none=True)


SCHEMA = ConversionSchema()


def _load(body: dict[str, Any]) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = SCHEMA.load(body)
        return loaded
    except ValidationError as error:
        raise from_schema(error) from None


def _empty(
    ome: float | None, lines: Any, findings: list[Finding], notices: list[Notice], engine: Engine
) -> dict[str, Any]:
    return {
        "ome_mg_per_day": ome,
        "lines": list(lines),
        "equianalgesic_daily_dose": None,
        "reduction_percent": None,
        "suggested_daily_dose": None,
        "orders": [],
        "working": [],
        "findings": [render.finding(f) for f in findings],
        "notices": [render.notice(n) for n in merge_notices(notices)],
        "sources": [],
        "knowledge": {"version": engine.knowledge.version, "digest": engine.knowledge.digest},
        "disclaimer": render.NOT_VALIDATED,
    }


def _share(engine: Engine) -> float:
    shares: Any = engine.policy.opioid["breakthrough_share"]
    return float(shares[0])


def conversion_answer(body: dict[str, Any], engine: Engine) -> dict[str, Any]:
    """Convert the opioids given into another, put the result through the checks, and show the working."""
    loaded = _load(body)
    case: Case = as_case(
        {
            "patient": loaded["patient"],
            "regimen": loaded["from_"],
            "opioid_table": loaded["table"],
            "as_of": loaded["as_of"],
        }
    )
    derived = derive(case, engine)
    context, notices = derived.context, list(derived.notices)
    totals = context.opioids
    ref = loaded["to"]["drug"]
    found = engine.names.resolve_code(ref.system, ref.code) if ref.code else engine.names.resolve_name(ref.name)
    ids = [c.drug_id for c in found.components if c.drug_id in engine.index.drugs]
    out = _empty(totals.ome_mg_per_day, totals.lines, [], notices, engine)
    if len(ids) != 1 or found.status != "resolved":
        return _refused(
            out,
            notices,
            Notice(
                "unknown-drug", "to.drug", f"“{ref.shown}” is not one opioid known here.", ref.shown, ("conversion",)
            ),
        )
    if totals.ome_mg_per_day is None or totals.unknown:
        message = "Not every opioid given could be turned into oral morphine, so nothing is converted: see the lines."
        return _refused(out, notices, Notice("missing-data", "from", message, None, ("conversion",)))
    return _converted(out, notices, context, derived, engine, loaded, engine.index.drugs[ids[0]].drug)


def _refused(out: dict[str, Any], notices: list[Notice], why: Notice) -> dict[str, Any]:
    out["notices"] = [render.notice(n) for n in merge_notices([*notices, why])]
    out["working"] = [why.message]
    return out


def _one_way_source(engine: Engine, context: Any) -> str:
    """A drug in the regimen whose table must not be used to convert away from it."""
    one_way = {
        r.opioid
        for r in engine.knowledge.conversion
        if r.direction == "from-morphine" and r.meaning == "morphine-to-drug-ratio"
    }
    return next((m.drug.name for m in context.active if m.id in one_way), "")


def _converted(
    out: dict[str, Any],
    notices: list[Notice],
    context: Any,
    derived: Any,
    engine: Engine,
    loaded: dict[str, Any],
    drug: Any,
) -> dict[str, Any]:
    away = _one_way_source(engine, context)
    if away:
        message = (
            f"Conversion away from {away} is refused: its table holds for one direction only and would overestimate. "
            "Ask a specialist; the daily total above is for weighing risk, not for dosing."
        )
        return _refused(out, notices, Notice("missing-data", "from", message, away, ("conversion",)))
    ome = context.opioids.ome_mg_per_day
    target = Target(drug, loaded["to"]["route"], loaded["to"]["form"] or _usual_form(drug, loaded["to"]["route"]))
    frail = bool(context.facts.conditions & FRAIL) or float(context.facts.values.get("age_years") or 0) >= 75
    reduction, why = reduction_for(context, loaded["reason"], frail)
    table = context.opioids.table
    if not any(
        r.table == table and r.opioid == drug.id and r.direction != "to-morphine" for r in engine.knowledge.conversion
    ):
        table = engine.policy.default_opioid_table
    result = convert(ome, target, engine.knowledge.conversion, table, reduction, why, _share(engine))
    if result.order is None:
        return _refused(out, notices, Notice("missing-data", "to", result.refused, None, ("conversion",)))
    option = generated(f"convert-{drug.id}", "rotate", f"Convert to {drug.name}", "", 0.0, ())
    candidate = Candidate(
        "conversion", option, drug, result.order, frozenset(o.ref for o in derived.context.case.regimen)
    )
    medicine = as_medicine(candidate, dict(result.order), derived, engine)
    working, order = list(result.working), dict(result.order)
    findings: list[Finding] = []
    if medicine is not None:
        if reduction < 0.5:
            order, fit = fitted(order, medicine, bands_of(context, medicine))
            working += fit
            medicine = as_medicine(candidate, order, derived, engine) or medicine
        found, more = run_checks(context.with_option(medicine, candidate.replaces))
        findings = [f for f in found if medicine.order in f.orders and f.hazard != "opioid-conversion-error"]
        notices += more
    mass = result.unit.replace("/day", "")
    suggested = order["dose"] if order["unit"] == "mcg/h" else order["dose"] * order.get("times_per_day", 1)
    orders = [order, *([result.breakthrough] if result.breakthrough else [])]
    out.update(
        equianalgesic_daily_dose={"value": round(result.equianalgesic or 0.0, 2), "unit": mass},
        reduction_percent=round(100 * result.reduction, 1),
        suggested_daily_dose={
            "value": round(suggested, 4),
            "unit": order["unit"] if order["unit"] == "mcg/h" else order["unit"].split("/")[0],
        },
        orders=orders,
        working=[line["working"] for line in context.opioids.lines] + working,
        findings=[render.finding(f) for f in findings],
        notices=[render.notice(n) for n in merge_notices(notices)],
        sources=[
            {
                "id": s,
                "title": engine.knowledge.sources[s].title if s in engine.knowledge.sources else s,
                "locator": "",
                "url": "",
                "status": "recalled",
            }
            for s in result.sources
        ],
        table=table,
        one_way=result.one_way,
    )
    return out


def _usual_form(drug: Any, route: str) -> str:
    found = [s.form for s in drug.strengths if s.route == route]
    return (
        found[0]
        if found
        else {"transdermal": "patch", "subcutaneous infusion": "infusion", "intravenous infusion": "infusion"}.get(
            route, ""
        )
    )


__all__ = ["conversion_answer"]
