"""`POST /v1/opioids/convert`: its schema and its answer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError, fields, validate

from medsafe import render
from medsafe.checks.not_stated import told_together
from medsafe.context.context import Context, patient_field
from medsafe.context.derive import Derived, derive
from medsafe.context.engine import Engine
from medsafe.decoder import Tolerant
from medsafe.model.case import Case
from medsafe.model.drugs import Drug as DrugRecord
from medsafe.model.findings import Finding, Notice, merge_notices
from medsafe.model.statements import Citation, Severity
from medsafe.opioids.base import Base
from medsafe.opioids.conversion import Target, daily_of, published_into
from medsafe.request import MAY_BE_LEFT_OUT, Day, Drug, OrderSchema, PatientSchema, Route, as_case, text, unknown_keys
from medsafe.review import run_checks
from medsafe.suggestions.conversions import Plan, base_of, plan_conversion
from medsafe.suggestions.options import Candidate, bands_of, fitted, worked_out
from medsafe.suggestions.rescue import rescue_beside
from medsafe.suggestions.suggest import NEVER_OFFERED, as_medicine
from medsafe.web.problems import from_schema

# The plan itself answers for how the new opioid compares with the old one.
JUDGED_HERE = frozenset({"opioid:conversion-mismatch"})
ORDER_PATH = re.compile(r"^regimen\.(?=\d)")
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
        "base": None,
        "equianalgesic_daily_dose": None,
        "reduction_percent": None,
        "suggested_daily_dose": None,
        "orders": [],
        "working": [],
        "changeover": [],
        "warnings": [],
        "findings": [render.finding(f) for f in findings],
        "notices": [render.notice(n) for n in merge_notices(notices)],
        "sources": [],
        "disagreements": [],
        "knowledge": {"version": engine.knowledge.version, "digest": engine.knowledge.digest},
        "disclaimer": render.NOT_VALIDATED,
    }


def _by_its_own_paths(shown: Any) -> Any:
    """The same answer with each order called as the request calls it: what is converted stands under `from`."""
    if isinstance(shown, dict):
        return {key: _by_its_own_paths(value) for key, value in shown.items()}
    if isinstance(shown, list | tuple):
        return [_by_its_own_paths(value) for value in shown]
    return ORDER_PATH.sub("from.", shown) if isinstance(shown, str) else shown


def conversion_answer(body: dict[str, Any], engine: Engine) -> dict[str, Any]:
    """Convert the opioids given into another, put the result through the checks, and show the working."""
    answer = _answer(body, engine)
    return answer | {key: _by_its_own_paths(answer[key]) for key in ("lines", "findings", "notices")}


def _answer(body: dict[str, Any], engine: Engine) -> dict[str, Any]:
    loaded = _load(body)
    case: Case = as_case(
        {
            "patient": loaded["patient"],
            "regimen": loaded["from_"],
            "opioid_table": loaded["table"],
            "as_of": loaded["as_of"],
            **{name: [] for name in MAY_BE_LEFT_OUT},
        }
    )
    derived = derive(case, engine)
    context, notices = derived.context, [*derived.notices, *unknown_keys(body, SCHEMA)]
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
    return _converted(out, notices, context, derived, engine, loaded, engine.index.drugs[ids[0]].drug)


def _refused(out: dict[str, Any], notices: list[Notice], why: Notice) -> dict[str, Any]:
    out["notices"] = [render.notice(n) for n in merge_notices([*notices, why])]
    out["working"] = [why.message]
    return out


def _converted(
    out: dict[str, Any],
    notices: list[Notice],
    context: Context,
    derived: Derived,
    engine: Engine,
    loaded: dict[str, Any],
    drug: DrugRecord,
) -> dict[str, Any]:
    base = base_of(context, context.active, loaded["reason"])
    if base.refused:
        return _refused(out, notices, Notice("missing-data", "from", base.refused, None, ("conversion",)))
    target = Target(drug, loaded["to"]["route"], loaded["to"]["form"] or _usual_form(drug, loaded["to"]["route"]))
    notices += _uncounted(base)
    if not base.ome_mg_per_day:
        message = "No opioid is taken of which the daily amount is known, so there is nothing to convert."
        return _refused(out, notices, Notice("missing-data", "from", message, None, ("conversion",)))
    plan = plan_conversion(context, context.active, base, target, loaded["reason"], _avoided(derived))
    if plan.result.order is None:
        return _refused(out, notices, Notice("missing-data", "to", plan.refused, None, ("conversion",)))
    order, fit, findings, more = _screened(derived, engine, drug, plan, target)
    notices += [*more, *_ungated(plan, drug)]
    above = [f.summary for f in findings if f.hazard in NEVER_OFFERED]
    if above:
        message = f"{above[0]}. As much of it as would replace the opioids taken is never given: choose another opioid."
        return _refused(out, notices, Notice("missing-data", "to", message, None, ("conversion",)))
    planned = plan.result.order
    rescue, less = rescue_beside(derived, engine, planned, order, plan.result.breakthrough, drug, plan.rescue_follows)
    given = [{"drug": drug.id, **order}, *([{"drug": drug.id, **rescue}] if rescue else [])]
    return out | _shown(context, engine, plan, base, given, (*fit, *less), findings, notices, target)


def _uncounted(base: Base) -> list[Notice]:
    """As-needed orders that do not belong to what is converted, each with the reason."""
    return [
        Notice("missing-data", f"{order}.doses_last_24h", f"{why}.", None, ("conversion",))
        for order, why in base.left_out
    ]


def _avoided(derived: Derived) -> frozenset[str]:
    """Opioids that kidneys or liver speak against in earnest."""
    found, _ = run_checks(derived.context)
    organ = ("renal-caution", "hepatic-caution")
    return frozenset(d for f in found if f.hazard in organ and f.severity >= Severity.HIGH for d in f.drugs)


def _ungated(plan: Plan, drug: DrugRecord) -> list[Notice]:
    """What must be known before this opioid is begun and is not given."""
    return [
        Notice(
            "missing-lab",
            patient_field(fact),
            f"{drug.name} must not be begun before this is known: no {fact.split('_')[0]} was given.",
            None,
            ("conversion",),
        )
        for fact in plan.missing
    ]


def _screened(
    derived: Derived, engine: Engine, drug: DrugRecord, plan: Plan, target: Target
) -> tuple[dict[str, Any], tuple[str, ...], list[Finding], list[Notice]]:
    """The new order fitted to the organs once, and what the checks find about it."""
    context = derived.context
    order: dict[str, Any] = dict(plan.result.order or {})
    fit: tuple[str, ...] = ()
    option = worked_out(context, "convert", {"drug": drug.name}, f"convert-{drug.id}")
    replaces = frozenset(o.ref for o in context.case.regimen)
    candidate = Candidate("conversion", option, drug, order, replaces)
    medicine = as_medicine(candidate, order, derived, engine)
    if medicine is None:
        return order, fit, [], []
    # So large a reduction already answers for frail organs; a band then asks for nothing more.
    reduced = plan.result.reduction >= float(context.policy.opioid["changeover_reduced_from"])
    order, fit = fitted(order, medicine, bands_of(context, medicine))
    medicine = as_medicine(candidate, order, derived, engine) or medicine
    found, more = run_checks(context.with_option(medicine, replaces))
    mine = [f for f in found if medicine.order in f.orders and f.rule not in JUDGED_HERE]
    return order, fit, [_once(f, plan.result.reduction) if reduced else f for f in mine], list(more)


def _once(finding: Finding, reduction: float) -> Finding:
    """A band that asks for a reduced dose is met by the reduction already taken: told, not asked for again."""
    if not finding.dose_can_fit:
        return finding
    text = f"{reduction:.0%} has already been taken off: organ function is not counted a second time."
    return replace(finding, severity=min(finding.severity, Severity.MODERATE), modifiers=(*finding.modifiers, text))


def _shown(
    context: Context,
    engine: Engine,
    plan: Plan,
    base: Base,
    orders: list[dict[str, Any]],
    fit: tuple[str, ...],
    findings: list[Finding],
    notices: list[Notice],
    target: Target,
) -> dict[str, Any]:
    result = plan.result
    mass = result.unit.replace("/day", "")
    order = orders[0]
    suggested = daily_of(order)
    cited = engine.index.cite(Citation(*s.split("#", 1)) for s in (*result.sources, *plan.sources))
    return {
        "base": {"ome_mg_per_day": result.base, "counted": base.counted},
        "equianalgesic_daily_dose": {"value": round(result.equianalgesic or 0.0, 2), "unit": mass},
        "reduction_percent": round(100 * result.reduction, 1),
        "suggested_daily_dose": {
            "value": round(suggested, 4),
            "unit": order["unit"] if order["unit"] == "mcg/h" else order["unit"].split("/")[0],
        },
        "orders": orders,
        "working": [*plan.working, *result.working, *fit],
        "changeover": list(plan.changeover),
        "warnings": list(plan.warnings),
        "findings": [render.finding(f) for f in findings],
        "notices": [render.notice(n) for n in merge_notices(told_together(context, notices))],
        "sources": [render.source(s) for s in cited],
        "table": plan.table,
        "one_way": result.one_way,
        "disagreements": [
            *(dict(d) for d in context.opioids.disagreements),
            *(d.shown() for d in published_into(target, engine.knowledge.conversion, plan.table, result.base)),
        ],
    }


def _usual_form(drug: DrugRecord, route: str) -> str:
    found = [s.form for s in drug.strengths if s.route == route]
    return (
        found[0]
        if found
        else {"transdermal": "patch", "subcutaneous infusion": "infusion", "intravenous infusion": "infusion"}.get(
            route, ""
        )
    )


__all__ = ["conversion_answer"]
