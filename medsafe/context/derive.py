"""From a case to its context: names resolved, facts read, organs judged, opioids added up, once for all checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from medsafe.context.allergens import read_allergies
from medsafe.context.context import Context, OpioidTotals, opioid_totals
from medsafe.context.engine import Engine
from medsafe.context.genotypes import unused_genotypes
from medsafe.context.intake import Intake, Reader, read_case, size_of
from medsafe.context.organs import judge_organs
from medsafe.context.patient import read_patient
from medsafe.identity.text import normalise_name
from medsafe.model.case import Case, DrugRef, Order
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


def _tried(case: Case, reader: Reader) -> tuple[tuple[str, str, str], ...]:
    """(drug id, outcome, detail) of what was tried before and is known here; what is not is told by the reader."""
    resolved = [(item, reader.resolve(item.drug, f"history.{i}.drug")) for i, item in enumerate(case.history)]
    return tuple(
        (component.drug_id, item.outcome, item.detail)
        for item, found in resolved
        for component in (found.components if found else ())
    )


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
    substances, allergy_notices = read_allergies(case.patient.allergies or (), engine)
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
    earlier = Reader(engine.index, engine.names, case.as_of)
    tried = _tried(case, earlier)
    unused = unused_genotypes(case.patient.genotypes, patient.values, engine.genotypes)
    told = (*intake.notices, *earlier.notices, *patient.notices, *unused)
    notices = (*told, *table_notices, *_opioid_notices(totals), *allergy_notices)
    return Derived(context, intake, tried, notices)
