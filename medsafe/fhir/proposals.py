"""What a prescriber may do about a card with one click: change, replace or remove the draft, or order a missing test.

A changed or replacing order has been through every check before it is offered. A draft is echoed as it came, unknown
fields included, but for what changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace

from medsafe.context.context import Context
from medsafe.context.derive import derive
from medsafe.context.engine import Engine
from medsafe.fhir.markdown import one_sentence
from medsafe.fhir.reading import Reading
from medsafe.fhir.shape import Json, concept_text, mapping, number, objects, words
from medsafe.model.case import Case, Order, SymptomReport
from medsafe.model.findings import Finding, Suggestion
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity
from medsafe.review import review, run_checks
from medsafe.suggestions.fitting import DOSE_KINDS, first_gentler

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
GIVING = frozenset({"start", "co-prescribe"})
MOST_REPLACEMENTS = 2
# Orders of a case, old and new, up to which changes and replacements are tried.
MOST_TRIED = 30


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing to do about a card: its name within the call, its label, its actions, and whether it is the best one."""

    name: str
    label: str
    actions: tuple[Json, ...]
    recommended: bool = False


def _target(draft: Json) -> str:
    """The draft as an action names it; "" for one without an id, which can't be named."""
    return f"{draft['resourceType']}/{draft['id']}" if isinstance(draft.get("id"), str) and draft["id"] else ""


def _deletion(order: Order, draft: Json) -> Json:
    return {
        "type": "delete",
        "description": one_sentence(f"Remove the order of {words(order.drug.shown)}"),
        "resourceId": _target(draft),
    }


def removal(order: Order, draft: Json) -> Proposal:
    """Take the draft away."""
    label = one_sentence(f"Remove this order: {words(order.drug.shown)}")
    return Proposal(f"remove:{_target(draft)}", label, (_deletion(order, draft),))


# Change


def _medicine(context: Context, order: Order) -> Medicine | None:
    found = [m for m in context.active if m.order == order.ref]
    return found[0] if len(found) == 1 else None


def _dose_holder(line: Json, dose: float | None) -> Json | None:
    """The quantity in which a line states its dose, when there is one and only one."""
    holders = [*objects(line.get("doseAndRate")), line]
    found = [h["doseQuantity"] for h in holders if isinstance(h.get("doseQuantity"), dict)]
    return found[0] if len(found) == 1 and dose is not None and number(found[0].get("value")) == dose else None


def _retimed(line: Json, times: float) -> bool:
    """Set the frequency where it is stated a day; False where it is stated otherwise."""
    timing = mapping(line.get("timing"))
    repeat = mapping(timing.get("repeat"))
    plain = number(repeat.get("period")) == 1 and repeat.get("periodUnit") in ("d", "day") and "frequency" in repeat
    if not plain or repeat.keys() & {"frequencyMax", "timeOfDay", "when", "dayOfWeek"}:
        return False
    repeat["frequency"] = int(times)
    timing.pop("code", None)
    return True


def _often(times: float) -> str:
    """Doses a day in words: "once a day"."""
    return f"{ {1.0: 'once', 2.0: 'twice'}.get(times, f'{times:g} times') } a day"


def _sig(order: Order) -> str:
    dose = f"{order.dose:g} {order.unit or ''}".strip()
    often = _often(order.times_per_day) if order.times_per_day else ""
    return ", ".join(filter(None, (dose, order.route or "", often, "as needed" if order.prn else "")))


def echoed(draft: Json, old: Order, new: Order) -> Json | None:
    """The draft with another dose or frequency; None where it states them in a shape that can't be changed safely.

    Words that repeat the old dosage are replaced, for they would contradict it.
    """
    changed = deepcopy(draft)
    lines = changed.get("dosageInstruction")
    if not isinstance(lines, list) or len(lines) != 1 or not isinstance(lines[0], dict):
        return None
    line = lines[0]
    if new.dose != old.dose:
        holder = _dose_holder(line, old.dose)
        if holder is None or new.dose is None:
            return None
        holder["value"] = int(new.dose) if new.dose.is_integer() else new.dose
    if new.times_per_day != old.times_per_day and not (new.times_per_day and _retimed(line, new.times_per_day)):
        return None
    if "text" in line:
        line["text"] = _sig(new)
    line.pop("patientInstruction", None)
    changed.pop("text", None)
    return changed


def change(finding: Finding, order: Order, draft: Json, reading: Reading, engine: Engine) -> Proposal | None:
    """The most of the same drug that passes the checks without interrupting, as an update of the whole draft."""
    if finding.kind not in DOSE_KINDS or order.dose is None:
        return None
    context = derive(reading.case, engine).context
    medicine = _medicine(context, order)
    if medicine is None or medicine.is_rate:
        return None

    def quiet_and_writable(gentler: Order, found: tuple[Finding, ...]) -> bool:
        return all(f.severity < Severity.HIGH for f in found) and echoed(draft, order, gentler) is not None

    fits = first_gentler(order, medicine, context, engine, run_checks, quiet_and_writable)
    resource = echoed(draft, order, fits[0]) if fits else None
    if fits is None or resource is None:
        return None
    label = one_sentence(f"Change to {_sig(fits[0])}: {medicine.drug.name}")
    action = {"type": "update", "description": label, "resource": resource}
    return Proposal(f"change:{_target(draft)}", label, (action,), recommended=True)


# Replace


def _reason(draft: Json) -> list[str]:
    """What the draft says it is for."""
    stated = [*objects(draft.get("reasonCode")), *(mapping(r.get("concept")) for r in objects(draft.get("reason")))]
    displays = [words(r.get("display")) for r in objects(draft.get("reasonReference"))]
    return [text for text in (*map(concept_text, stated), *displays) if text]


def _roots(symptom: str, engine: Engine) -> set[str]:
    known = engine.knowledge.symptoms
    parents = [p for p in known[symptom].parents if p in known]
    return set().union(*(_roots(p, engine) for p in parents)) if parents else {symptom}


def symptom_of(draft: Json, drugs: frozenset[str], engine: Engine) -> tuple[str, bool]:
    """The symptom that an order is for, and whether it was stated; else the one that all uses of the drug share."""
    stated = next((found for found in map(engine.symptom_id, _reason(draft)) if found), None)
    if stated:
        return stated, True
    uses = [key for key, s in engine.knowledge.symptoms.items() for o in s.options if o.drug in drugs]
    roots = set().union(*(_roots(key, engine) for key in uses)) if uses else set()
    return (roots.pop(), False) if len(roots) == 1 else ("", False)


def _steps_up(option: Suggestion, tags: frozenset[str], engine: Engine) -> bool:
    """Whether an alternative is of a class that the policy gives in place of its own kind only."""
    classes = engine.policy.only_for_own_kind & engine.index.drugs[option.drug or ""].tags
    return bool(classes) and not classes & tags


def _alternatives(order: Order, symptom: str, case: Case, engine: Engine) -> list[Suggestion]:
    """Options for the symptom that pass the checks in this patient without the draft."""
    others = tuple(o for o in case.new_orders if o.ref != order.ref)
    name = engine.knowledge.symptoms[symptom].name
    # A draft in place of an older order is removed together with it: it is the same medicine.
    regimen = tuple(o for o in case.regimen if o.ref != order.replaces)
    without = replace(case, new_orders=others, regimen=regimen, symptoms=(SymptomReport(name),))
    found = review(without, engine).suggestions
    return [
        s
        for s in found
        if s.action in GIVING
        and s.drug
        and s.order
        and not s.in_place_of
        and all(c.severity < Severity.HIGH for c in s.cautions)
    ]


def _dosage(order: Json) -> Json:
    """An order of ours as a FHIR dosage."""
    hours = order.get("interval_h")
    times = order.get("times_per_day") or order.get("max_times_per_day")
    repeat: Json = {"frequency": 1, "period": hours, "periodUnit": "h"} if hours else {}
    if times and not hours:
        whole = float(times).is_integer()
        repeat = {"frequency": int(times) if whole else 1, "period": 1 if whole else round(24 / times, 2)}
        repeat["periodUnit"] = "d" if whole else "h"
    dose = f"{order['dose']:g} {order['unit']}"
    often = f"every {hours:g} h" if hours else _often(float(times)) if times else ""
    often = f"up to {often}" if often and order.get("prn") else often
    line: Json = {"text": ", ".join(filter(None, (dose, order.get("form", ""), order.get("route", ""), often)))}
    line |= {"timing": {"repeat": repeat}} if repeat else {}
    line |= {"asNeededBoolean": True} if order.get("prn") else {}
    line |= {"route": {"text": order["route"]}} if order.get("route") else {}
    return {**line, "doseAndRate": [{"doseQuantity": {"value": order["dose"], "unit": order["unit"]}}]}


def _created(option: Suggestion, draft: Json, engine: Engine) -> Json:
    """An alternative as a draft of its own, for the same patient, encounter and reason."""
    drug = engine.index.drugs[option.drug or ""].drug
    concept: Json = {"text": drug.name}
    codes = drug.codes.get("rxnorm", ())
    concept = {"coding": [{"system": RXNORM, "code": codes[0], "display": drug.name}], **concept} if codes else concept
    kept: Json = {k: draft[k] for k in ("subject", "encounter", "requester", "reasonCode", "category") if k in draft}
    head = {"resourceType": "MedicationRequest", "status": "draft", "intent": "order"}
    return {
        **head,
        **deepcopy(kept),
        "medicationCodeableConcept": concept,
        "dosageInstruction": [_dosage(dict(option.order or {}))],
    }


def replacements(order: Order, draft: Json, reading: Reading, engine: Engine, patient_id: str) -> Iterator[Proposal]:
    """Alternatives that passed the checks, each as a new order in place of the draft."""
    ordered = [m for m in derive(reading.case, engine).context.active if m.order == order.ref]
    drugs, tags = frozenset(m.id for m in ordered), frozenset().union(*(m.tags for m in ordered))
    symptom, stated = symptom_of(draft, drugs, engine)
    if not symptom or draft.get("resourceType") != "MedicationRequest" or "medication" in draft:
        return
    draft = {"subject": {"reference": f"Patient/{patient_id}"}, **draft}
    options = [
        o
        for o in _alternatives(order, symptom, reading.case, engine)
        if o.drug not in drugs and not _steps_up(o, tags, engine)
    ]
    for place, option in enumerate(options[:MOST_REPLACEMENTS]):
        resource = _created(option, draft, engine)
        shown = resource["dosageInstruction"][0]["text"]
        name = resource["medicationCodeableConcept"]["text"]
        label = one_sentence(f"Replace by {name} {shown} ({engine.knowledge.symptoms[symptom].name})")
        creation = {"type": "create", "description": one_sentence(f"Order {name} {shown}"), "resource": resource}
        actions = (_deletion(order, draft), creation)
        yield Proposal(f"replace:{_target(draft)}:{option.drug}", label, actions, recommended=stated and place == 0)


# Together


def proposals(
    finding: Finding, reading: Reading, engine: Engine, selected: frozenset[str], patient_id: str
) -> list[Proposal]:
    """What may be done about one finding, the best first; for findings that interrupt only."""
    found: list[Proposal] = []
    few = len(reading.case.regimen) + len(reading.case.new_orders) <= MOST_TRIED
    for order in reading.case.new_orders:
        draft = reading.drafts.get(order.ref, {})
        if order.ref not in finding.orders or order.ref not in selected or not _target(draft):
            continue
        # Every change and replacement is tried in the whole case; in a very long one only taking away is offered.
        changed = change(finding, order, draft, reading, engine) if few else None
        # Where less of the same is enough, nothing else is offered in its place.
        if changed:
            found.append(changed)
        elif few:
            found += replacements(order, draft, reading, engine, patient_id)
        found.append(removal(order, draft))
    best = next((p for p in found if p.recommended), None)
    return [replace(p, recommended=p is best) for p in sorted(found, key=lambda p: p is not best)]


def test_orders(fields: list[str], engine: Engine, patient_id: str, encounter_id: str) -> Proposal | None:
    """The tests whose results are missing, as draft requests."""
    tests = list(
        {engine.policy.tests[f].loinc: engine.policy.tests[f] for f in fields if f in engine.policy.tests}.values()
    )
    if not tests or not patient_id:
        return None
    actions = []
    for test in tests:
        code = {
            "coding": [{"system": "http://loinc.org", "code": test.loinc, "display": test.display}],
            "text": test.name,
        }
        resource: Json = {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", "code": code}
        resource["subject"] = {"reference": f"Patient/{patient_id}"}
        resource |= {"encounter": {"reference": f"Encounter/{encounter_id}"}} if encounter_id else {}
        actions.append({"type": "create", "description": f"Order {test.name}", "resource": resource})
    named = ", ".join(test.name for test in tests)
    return Proposal("tests:" + ",".join(t.loinc for t in tests), one_sentence(f"Order {named}"), tuple(actions))
