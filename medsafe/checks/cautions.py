"""Drugs against the patient: conditions, laboratory values, age, pregnancy, genotype, vital signs, goals of care."""

from __future__ import annotations

from collections.abc import Iterator

from medsafe.context.context import Context, missing_notices
from medsafe.model.criteria import NO, Criterion, Truth, judge_all
from medsafe.model.drugs import Caution
from medsafe.model.findings import Finding, Notice, PathStep
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity
from medsafe.model.vocabulary import shown_name, shown_unit

KINDS_SHOWN = {"drug-vital": "drug-lab"}


def _triggers(criteria: tuple[Criterion, ...], context: Context) -> tuple[str, ...]:
    """What in the patient the caution is about, in a fixed order."""
    found: set[str] = set()
    for criterion in criteria:
        found |= criterion.condition & context.facts.conditions
        if criterion.fact is not None:
            found.add(criterion.fact)
    return tuple(sorted(found))


def _reaches(medicine: Medicine, caution: Caution) -> bool:
    return medicine.systemic or (medicine.route is not None and medicine.route in caution.scope.routes)


def _shown(fact: str, context: Context) -> str:
    value = context.facts.values.get(fact)
    if value is None:
        condition = context.index.knowledge.conditions.get(fact)
        return condition.name if condition else fact
    amount = f"{value:g} {shown_unit(fact)}" if isinstance(value, float | int) else str(value)
    return f"{shown_name(fact)} {amount}".strip()


def _finding(context: Context, medicine: Medicine, caution: Caution) -> Finding:
    triggers = _triggers(caution.when, context)
    shown = ", ".join(_shown(trigger, context) for trigger in triggers)
    return Finding(
        kind=KINDS_SHOWN.get(caution.kind, caution.kind),
        hazard=caution.hazard,
        severity=caution.severity,
        drugs=(medicine.id,),
        orders=(medicine.order,),
        summary=_summary(medicine, caution, shown),
        key=("caution", caution.kind, caution.hazard, caution.severity.label, *triggers),
        consequence=caution.text,
        mechanism=f"Because of {shown}." if shown else "",
        path=tuple(PathStep(medicine.id, "caution-in", t) for t in triggers or ("patient",)),
        management=caution.management,
        monitoring=caution.monitoring,
        sources=context.index.cite(caution.sources, medicine.drug),
        rule=f"caution:{medicine.id}:{caution.hazard}",
        easiest_to_change=medicine.drug.name,
    )


def _summary(medicine: Medicine, caution: Caution, shown: str) -> str:
    text = f"{medicine.drug.name}: {caution.text}"
    return text if len(text) < 140 else f"{medicine.drug.name}: {caution.hazard.replace('-', ' ')} with {shown}"[:139]


def find(context: Context) -> Iterator[Finding | Notice]:
    """Every caution that holds, and a notice for each that can't be judged for want of a value."""
    for medicine in context.asked:
        for caution in medicine.cautions:
            verdict = judge_all(caution.when, context.facts)
            if verdict is NO or not medicine.within(caution.scope) or not _reaches(medicine, caution):
                continue
            if verdict.truth is Truth.YES:
                yield _finding(context, medicine, caution)
            else:
                why = f"a caution of {medicine.drug.name} could not be judged"
                quiet = caution.severity < Severity.MODERATE
                yield from missing_notices(context, verdict, caution.hazard, why, (medicine,), quiet)
