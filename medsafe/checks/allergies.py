"""Recorded allergies: the same drug, its class, and classes that truly cross-react; intolerance told from allergy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from medsafe.context.advice import advice_for
from medsafe.context.context import Context, Substance
from medsafe.model.findings import Finding, Notice, PathStep
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity
from medsafe.model.vocabulary import PARENTERAL_ROUTES
from medsafe.model.wording import Wording


def is_intolerance(substance: Substance, wording: Wording, tags: frozenset[str] = frozenset()) -> bool:
    """Whether the recorded reaction is a side effect rather than an allergy; in some classes itch is one too."""
    text = f"{substance.record.kind} {substance.record.reaction}".casefold()
    words = (*wording.intolerance, *(w for p in wording.pseudo_allergies if p.class_ in tags for w in p.words))
    return any(word in text for word in words) and not any(word in text for word in wording.severe_reactions)


def _same_drug(context: Context, medicine: Medicine, substance: Substance) -> Finding:
    mild = is_intolerance(substance, context.index.knowledge.wording, medicine.tags)
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
    related = "-related" if relation == "cross-reacts-with" else ""
    advice = advice_for(context, f"allergy{related}{'' if severity >= Severity.HIGH else '-doubtful'}")
    reaction = f" ({substance.record.reaction})" if substance.record.reaction else ""
    return Finding(
        kind="allergy",
        hazard="allergy",
        severity=severity,
        drugs=(medicine.id,),
        orders=(medicine.order,),
        summary=f"{medicine.drug.name}: {why}{reaction}"[:139],
        key=("allergy", medicine.id),
        consequence=advice.consequence,
        path=(PathStep(medicine.id, relation, substance.record.substance),),
        management=advice.management,
        sources=context.index.cite(advice.sources),
        rule=f"allergy:{medicine.id}",
        easiest_to_change=medicine.drug.name,
    )


def _of_class(context: Context, medicine: Medicine, substance: Substance) -> Iterator[Finding]:
    classes = context.index.knowledge.classes
    mild = is_intolerance(substance, context.index.knowledge.wording, medicine.tags)
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
        # A class that is itself on record counts for every member, whatever the class says of one member and another.
        if tag in substance.ids or (allergy and tag in recorded_tags):
            severity = Severity.LOW if mild else allergy.severity if allergy else Severity.HIGH
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
            if other in medicine.tags and not mild:
                yield _finding(context, medicine, substance, severity, text, "cross-reacts-with")


def _of_allergen(context: Context, medicine: Medicine, substance: Substance) -> Iterator[Finding]:
    """A medicine that contains, or by its record must not meet, what the patient is allergic to."""
    for key in sorted(substance.ids & context.index.knowledge.wording.allergens.keys()):
        allergen = context.index.knowledge.wording.allergens[key]
        asked = any(allergen.condition in criterion.condition for c in medicine.cautions for criterion in c.when)
        if (medicine.id in allergen.drugs and _by_vein(medicine)) or (allergen.condition and asked):
            why = f"{allergen.text.rstrip('.')}: allergy to {substance.record.substance} is recorded"
            severity = allergen.severity or Severity.MODERATE
            finding = _finding(context, medicine, substance, severity, why, "contains")
            yield replace(finding, sources=context.index.cite(allergen.sources, medicine.drug))


def _by_vein(medicine: Medicine) -> bool:
    """Excipients of injections matter by injection; a route that is not known is taken to be one."""
    return medicine.route is None or medicine.route in PARENTERAL_ROUTES


def _of_reaction(context: Context, medicine: Medicine, substance: Substance) -> Iterator[Finding]:
    """A reaction that the other members of the class are expected to bring about too."""
    text = substance.record.reaction.casefold()
    drugs = context.index.drugs
    for rule in context.index.knowledge.wording.class_reactions:
        caused = any(rule.class_ in drugs[i].tags for i in substance.ids if i in drugs)
        if caused and rule.class_ in medicine.tags and any(word in text for word in rule.words):
            finding = _finding(context, medicine, substance, rule.severity, rule.text, "same-class-as")
            yield replace(finding, sources=context.index.cite(rule.sources, medicine.drug))


def find(context: Context) -> Iterator[Finding | Notice]:
    """Every medicine against every recorded allergy; local routes count too."""
    for medicine in context.asked:
        for substance in context.substances:
            if medicine.id in substance.ids:
                yield _same_drug(context, medicine, substance)
            else:
                yield from _of_class(context, medicine, substance)
                yield from _of_reaction(context, medicine, substance)
                yield from _of_allergen(context, medicine, substance)
