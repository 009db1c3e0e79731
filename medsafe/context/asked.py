"""Which orders ask for a value of the patient: so that a doubt about a value is told where it matters and not beside every order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from medsafe.context.context import Context, patient_field
from medsafe.model.criteria import Criterion
from medsafe.model.findings import Notice
from medsafe.model.medicine import Medicine

RENAL = frozenset({"patient.creatinine", "patient.previous_creatinine", "patient.cystatin_c", "patient.weight_kg"})
HEPATIC = frozenset({"patient.bilirubin", "patient.albumin", "patient.inr", "patient.ast", "patient.alt"})
ATTRIBUTED = frozenset({"stale-lab", "unit-suspect", "value-implausible"})


def _fields(criteria: Iterable[Criterion]) -> frozenset[str]:
    return frozenset(patient_field(c.fact) for c in criteria if c.fact is not None)


def _circumstances(context: Context, medicine: Medicine) -> Iterator[tuple[Criterion, ...]]:
    """Every circumstance under which the medicine's own record, its effects or its interactions speak."""
    knowledge = context.index.knowledge
    yield from (caution.when for caution in medicine.cautions)
    yield from (limit.when for limit in medicine.drug.dose_limits)
    for weight in medicine.effects:
        yield from (modifier.when for modifier in knowledge.effects[weight.effect].modifiers)
    tags = context.facts.medicines
    for tag in medicine.tags & context.index.by_tag.keys():
        for record in context.index.by_tag[tag]:
            if all(end.ids & tags for end in record.needs):
                yield record.when
                yield from (modifier.when for modifier in record.modifiers)


def fields_asked(context: Context, medicine: Medicine) -> frozenset[str]:
    """The fields of the patient that the checks of a medicine look at."""
    found = frozenset().union(*map(_fields, _circumstances(context, medicine)))
    found |= RENAL if medicine.drug.renal is not None and medicine.systemic else frozenset()
    return found | (HEPATIC if medicine.drug.hepatic and medicine.systemic else frozenset())


def attributed(context: Context, notices: Iterable[Notice]) -> Iterator[Notice]:
    """Doubts about a value with the orders that ask for it; a value that nobody asks for concerns none of them."""
    listed = tuple(notices)
    if not any(n.code in ATTRIBUTED and n.orders is None for n in listed):
        yield from listed
        return
    asked = [(m.order, fields_asked(context, m)) for m in context.active]
    for notice in listed:
        if notice.code in ATTRIBUTED and notice.orders is None and notice.field.startswith("patient."):
            orders = {order for order, fields in asked if notice.field in fields}
            yield replace(notice, orders=tuple(sorted(orders)))
        else:
            yield notice
