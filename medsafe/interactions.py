"""What the graph says of a list of drugs, no patient given: severities for an ordinary adult at usual doses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from medsafe import render
from medsafe.checks import burdens, curated, duplicates, pathways
from medsafe.context.derive import derive
from medsafe.context.engine import Engine
from medsafe.merge import merge, tier
from medsafe.model.case import Case, DrugRef, Measurement, Order, PatientData
from medsafe.model.drugs import Drug
from medsafe.model.findings import Finding, Notice, finding_order, merge_notices
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Scope

GRAPH_CHECKS = (pathways.find, burdens.find, curated.find, duplicates.find)
NAME_CODES = ("unknown-drug", "ambiguous-drug", "not-covered")


def usual_route(drug: Drug) -> str | None:
    """By mouth where the drug is given so; else its first route on record."""
    if "oral" in drug.systemic_routes:
        return "oral"
    return min(drug.systemic_routes, default=min(drug.local_routes, default=None))


def ordinary_adult(policy: dict[str, Any]) -> PatientData:
    """The reference adult of the policy file, in whom nothing is missing."""
    labs = {name: Measurement(float(row["value"]), row["unit"]) for name, row in policy["labs"].items()}
    return PatientData(
        sex=policy["sex"],
        labs=labs,
        vitals=dict(policy["vitals"]),
        dialysis="none",
        ascites="none",
        encephalopathy="none",
        conditions=(),
        allergies=(),
    )


def _orders(names: Iterable[str], engine: Engine) -> tuple[Order, ...]:
    orders = []
    for position, name in enumerate(names):
        ref = (
            DrugRef(system="rxnorm", code=name.partition(":")[2]) if name.startswith("rxnorm:") else DrugRef(name=name)
        )
        found = engine.names.resolve_name(name) if not ref.code else engine.names.resolve_code("rxnorm", ref.code)
        ids = [c.drug_id for c in found.components if c.drug_id in engine.index.drugs]
        route = usual_route(engine.index.drugs[ids[0]].drug) if ids else None
        orders.append(Order(f"drugs.{position}", ref, route=route or "oral"))
    return tuple(orders)


def _has_dose(scope: Scope) -> bool:
    return scope.daily_dose_at_least is not None or scope.daily_dose_below is not None


def _depends_on_dose(medicine: Medicine, engine: Engine) -> bool:
    """Whether an effect, a pathway or a curated record says one thing of a low dose of it and another of a high one."""
    drug = medicine.drug
    effects = (e.scope for e in medicine.effects)
    pathways_of = (*(m.scope for m in drug.modulates), *(s.scope for s in drug.substrate_of))
    ends = (end for r in engine.knowledge.interactions.values() for end in r.needs)
    met = (
        end.scope for end in ends if not medicine.tags.isdisjoint(end.ids) and medicine.tags.isdisjoint(end.excluding)
    )
    return any(map(_has_dose, (*effects, *pathways_of, *met)))


def _taken_as_high(findings: Iterable[Finding], medicines: Iterable[Medicine], engine: Engine) -> Iterator[Notice]:
    """What an answer without doses rests on, said for the drugs of its findings in which the dose decides."""
    named = {drug for finding in findings for drug in finding.drugs}
    telling = {m.drug.name for m in medicines if m.id in named and _depends_on_dose(m, engine)}
    if telling:
        message = (
            f"No dose is given of {', '.join(sorted(telling))}: where the severity depends on the dose, a high one is"
            " assumed. POST /v1/check judges the dose that is taken."
        )
        yield Notice("missing-data", "drugs", message, None, ("interaction",))


def graph_findings(
    names: Iterable[str], engine: Engine
) -> tuple[tuple[Finding, ...], tuple[Notice, ...], tuple[str, ...]]:
    """Findings of the graph alone, notices about names, and the drugs that were recognised."""
    reference: Any = engine.knowledge.policy["ordinary_adult"]
    case = Case(patient=ordinary_adult(reference), regimen=_orders(names, engine))
    derived = derive(case, engine)
    found = [item for check in GRAPH_CHECKS for item in check(derived.context) if isinstance(item, Finding)]
    shown = [f for f in found if f.rule not in engine.policy.switched_off]
    findings = tuple(sorted((tier(derived.context, f) for f in merge(shown)), key=finding_order))
    taken_high = _taken_as_high(findings, derived.context.active, engine)
    notices = merge_notices((*(n for n in derived.notices if n.code in NAME_CODES), *taken_high))
    return findings, notices, tuple(dict.fromkeys(m.id for m in derived.context.active))


def interactions_of(names: Iterable[str], engine: Engine) -> dict[str, Any]:
    """The answer of `GET /v1/interactions`."""
    findings, notices, drugs = graph_findings(names, engine)
    k = engine.knowledge
    return {
        "drugs": list(drugs),
        "findings": [render.finding(f) for f in findings],
        "notices": [render.notice(n) for n in notices],
        "knowledge": {"version": k.version, "digest": k.digest},
        "disclaimer": render.NOT_VALIDATED,
    }
