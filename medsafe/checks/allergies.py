"""Recorded allergies: the same drug, its class, and classes that truly cross-react; intolerance told from allergy."""

from __future__ import annotations

from collections.abc import Iterator

from medsafe.context.context import Context, Substance
from medsafe.model.findings import Finding, Notice, PathStep
from medsafe.model.knowledge import Severity
from medsafe.model.medicine import Medicine

# Reactions that are side effects rather than allergy; words of the field.
INTOLERANCE = (
    "nausea",
    "vomit",
    "constipat",
    "diarrh",
    "drows",
    "sedat",
    "dizz",
    "headache",
    "stomach",
    "upset",
    "intoleran",
    "side effect",
    "confus",
    "sweat",
    "dry mouth",
    "dyspepsia",
    "itch after morphine",
    "insomnia",
)
SEVERE = (
    "anaphyl",
    "angioedema",
    "stevens",
    "toxic epidermal",
    "dress",
    "bronchosp",
    "collapse",
    "hypotens",
    "swelling",
    "airway",
)


def is_intolerance(substance: Substance) -> bool:
    """Whether the recorded reaction is a side effect rather than an allergy."""
    text = f"{substance.record.kind} {substance.record.reaction}".casefold()
    return any(word in text for word in INTOLERANCE) and not any(word in text for word in SEVERE)


def _same_drug(context: Context, medicine: Medicine, substance: Substance) -> Finding:
    mild = is_intolerance(substance)
    severity = Severity.MODERATE if mild else Severity.CRITICAL
    word = "intolerance" if mild else "allergy"
    return _finding(
        context,
        medicine,
        substance,
        severity,
        f"{word} to {substance.record.substance} is recorded",
        "recorded-" + word,
    )


def _finding(
    context: Context,
    medicine: Medicine,
    substance: Substance,
    severity: Severity,
    why: str,
    relation: str,
    sources: tuple[object, ...] = (),
) -> Finding:
    reaction = f" ({substance.record.reaction})" if substance.record.reaction else ""
    return Finding(
        kind="allergy",
        hazard="allergy",
        severity=severity,
        drugs=(medicine.id,),
        orders=(medicine.order,),
        summary=f"{medicine.drug.name}: {why}{reaction}"[:139],
        key=("allergy", medicine.id),
        consequence="The reaction may recur."
        if relation != "cross-reacts-with"
        else "A related allergic reaction is possible.",
        path=(PathStep(medicine.id, relation, substance.record.substance),),
        management=("Do not give unless the record is shown to be wrong.",)
        if severity >= Severity.HIGH
        else ("Ask what happened; give only if the benefit outweighs it, and watch the first dose.",),
        rule=f"allergy:{medicine.id}",
        easiest_to_change=medicine.drug.name,
    )


def _of_class(context: Context, medicine: Medicine, substance: Substance) -> Iterator[Finding]:
    classes = context.index.knowledge.classes
    recorded_tags = frozenset().union(
        *(
            context.index.drugs[i].tags
            if i in context.index.drugs
            else {i} | context.index.ancestors.get(i, frozenset())
            for i in substance.ids
        )
    )
    for tag in sorted(medicine.tags & classes.keys()):
        allergy = classes[tag].allergy
        if allergy is None:
            continue
        if tag in recorded_tags:
            severity = Severity.LOW if is_intolerance(substance) else allergy.severity
            yield _finding(
                context,
                medicine,
                substance,
                severity,
                f"same class ({classes[tag].name}) as the recorded {substance.record.substance}",
                "same-class-as",
            )
    for tag in sorted(recorded_tags & classes.keys()):
        allergy = classes[tag].allergy
        for other, severity, text in allergy.cross_reacts if allergy else ():
            if other in medicine.tags and not is_intolerance(substance):
                yield _finding(context, medicine, substance, severity, text, "cross-reacts-with")


def find(context: Context) -> Iterator[Finding | Notice]:
    """Every medicine against every recorded allergy; local routes count too."""
    for medicine in context.asked:
        for substance in context.substances:
            if medicine.id in substance.ids:
                yield _same_drug(context, medicine, substance)
            else:
                yield from _of_class(context, medicine, substance)
