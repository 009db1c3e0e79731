"""From a case to its context: names resolved, facts read, organs judged, opioids added up, once for all checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from medsafe.context.context import Context, OpioidTotals, Substance, opioid_totals
from medsafe.context.engine import Engine
from medsafe.context.intake import Intake, Reader, read_case, size_of
from medsafe.context.organs import judge_organs
from medsafe.context.patient import read_patient
from medsafe.identity.text import normalise_name
from medsafe.model.case import AllergyRecord, Case, DrugRef, Order
from medsafe.model.criteria import Facts
from medsafe.model.findings import Notice
from medsafe.model.medicine import Medicine


@dataclass(frozen=True, slots=True)
class Derived:
    """The context of a case with what could not be understood."""

    context: Context
    intake: Intake
    tried: tuple[tuple[str, str, str], ...]
    notices: tuple[Notice, ...]


def _with_smoking(case: Case, engine: Engine, intake: Intake) -> Intake:
    """Tobacco counts as a substance that is taken, or that was stopped some days ago."""
    smoking = case.patient.smoking
    if (
        smoking is None
        or engine.policy.smoking_substance not in engine.index.drugs
        or smoking.status not in ("current", "stopped")
    ):
        return intake
    if smoking.status == "stopped" and smoking.days_ago is None:
        return intake
    order = Order(
        "patient.smoking", DrugRef(name=engine.policy.smoking_substance), route="inhaled", days_ago=smoking.days_ago
    )
    found = tuple(m for m in Reader(engine.index, engine.names, case.as_of).medicines(order))
    if smoking.status == "current":
        return replace(intake, active=(*intake.active, *found))
    return replace(intake, stopped=(*intake.stopped, *found))


def _table(case: Case, engine: Engine) -> tuple[str, list[Notice]]:
    wanted = case.opioid_table or engine.policy.default_opioid_table
    if any(row.table == wanted for row in engine.knowledge.conversion):
        return wanted, []
    known = sorted({row.table for row in engine.knowledge.conversion})
    message = f"There is no opioid table {wanted!r}; {engine.policy.default_opioid_table} was used. Known: {', '.join(known)}."
    return engine.policy.default_opioid_table, [Notice("missing-data", "opioid_table", message, wanted, ("opioids",))]


def _opioid_notices(totals: OpioidTotals) -> list[Notice]:
    return [
        Notice(
            "missing-data",
            f"{order}.dose",
            "The oral morphine equivalent of this opioid is not known and is not counted as zero.",
            None,
            ("opioids",),
        )
        for order in totals.unknown
    ]


def _substances(records: tuple[AllergyRecord, ...], engine: Engine) -> tuple[tuple[Substance, ...], list[Notice]]:
    found, notices = [], []
    for position, record in enumerate(records):
        resolution = engine.names.resolve_name(record.substance)
        ids = frozenset(c.drug_id for c in resolution.components) if resolution.status == "resolved" else frozenset()
        name = normalise_name(record.substance)
        for candidate in (name, name.removesuffix("s"), f"{name}s"):
            if candidate in engine.allergy_names:
                ids |= {engine.allergy_names[candidate]}
        if ids or name in engine.knowledge.wording.no_allergy:
            found += [Substance(record, ids)] if ids else []
        elif name in engine.allergens:
            found.append(Substance(record, frozenset({engine.allergens[name]})))
        else:
            message = f"The allergy to “{record.substance}” is not to a drug or class known here: no medicine was checked against it."
            notices.append(
                Notice("unknown-drug", f"patient.allergies.{position}", message, record.substance, ("allergy",))
            )
    return tuple(found), notices


def _tried(case: Case, engine: Engine) -> tuple[tuple[str, str, str], ...]:
    """(drug id, outcome, detail) of what was tried before and is known here."""
    found = []
    for item in case.history:
        resolution = (
            engine.names.resolve_code(item.drug.system, item.drug.code)
            if item.drug.code
            else engine.names.resolve_name(item.drug.name)
        )
        found += [
            (c.drug_id, item.outcome, item.detail) for c in resolution.components if resolution.status == "resolved"
        ]
    return tuple(found)


def _symptoms(case: Case, engine: Engine) -> dict[str, float | None]:
    """The symptoms that are there, with the highest score told; a score of 0 says that one is absent."""
    found: dict[str, float | None] = {}
    for report in case.symptoms:
        key = engine.symptom_id(report.name) or normalise_name(report.name).replace(" ", "-")
        found[key] = report.score if found.get(key) is None else max(found[key] or 0.0, report.score or 0.0)
    return {key: score for key, score in found.items() if score != 0.0}


def _shown_by(symptoms: Mapping[str, float | None], engine: Engine) -> frozenset[str]:
    """Conditions that a symptom is itself, whether or not they stand on the problem list."""
    known = engine.knowledge.symptoms
    present = [known[key] for key in symptoms if key in known]
    return frozenset(condition for symptom in present for condition in symptom.shows)


def _given_up(case: Case, intake: Intake) -> tuple[Medicine, ...]:
    """The medicines that new orders take the place of."""
    gone = {order.replaces for order in case.new_orders if order.replaces}
    return tuple(sorted((m for m in intake.regimen if m.order in gone), key=lambda m: (m.id, m.order)))


def derive(case: Case, engine: Engine) -> Derived:
    """Understand a case once."""
    patient = read_patient(case, engine.conditions, engine.knowledge.wording, engine.policy.patient)
    size = size_of(patient.values)
    intake = _with_smoking(case, engine, read_case(case, engine.index, engine.names, size))
    tags = frozenset().union(*(m.tags for m in intake.active if m.systemic))
    organ = judge_organs(patient, anticoagulated=bool(tags & engine.policy.inr_unreliable_with))
    table, table_notices = _table(case, engine)
    replaces = {order.ref: frozenset({order.replaces}) for order in case.new_orders if order.replaces}
    totals = opioid_totals(intake.active, intake.regimen, replaces, engine.knowledge.conversion, table)
    if totals.ome_mg_per_day is not None:
        patient.values["ome_mg_per_day"] = totals.ome_mg_per_day
    patient.values["opioid_naive"] = "yes" if totals.naive else "no"
    stated = "symptoms" not in case.unstated
    symptoms = _symptoms(case, engine)
    conditions = frozenset(patient.conditions) | _shown_by(symptoms, engine)
    facts = Facts(patient.values, conditions, tags, symptoms, patient.unseen, stated)
    substances, allergy_notices = _substances(case.patient.allergies or (), engine)
    context = Context(
        case,
        engine.index,
        engine.policy,
        intake.active,
        intake.stopped,
        facts,
        organ,
        totals,
        substances,
        replaced=_given_up(case, intake),
    )
    notices = (*intake.notices, *patient.notices, *table_notices, *_opioid_notices(totals), *allergy_notices)
    return Derived(context, intake, _tried(case, engine), notices)
