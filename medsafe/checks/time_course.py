"""What a stopped inducer or inhibitor means for the days ahead: exposure drifts back while nothing is being changed."""

from __future__ import annotations

from collections.abc import Iterator

from medsafe.context.advice import advice_for
from medsafe.context.context import Context
from medsafe.context.drift import full_ratio, severity_of_drift
from medsafe.model.criteria import Truth, judge_all
from medsafe.model.drugs import Modulator, Substrate
from medsafe.model.findings import Finding, Magnitude, Notice, PathStep
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity

# The fact that a record asks for where it has its own words about stopping to smoke.
SMOKING_STOPPED = "smoking_stopped_days_ago"


def _finding(
    context: Context,
    victim: Medicine,
    gone: Medicine,
    edge: Substrate,
    modulator: Modulator,
    ratio: float,
    severity: Severity,
) -> Finding:
    pathway = context.index.knowledge.pathways[edge.pathway]
    direction = "rise" if ratio > 1 else "fall"
    role = "inducer" if modulator.induces else "inhibitor"
    offset = f" over about {modulator.offset_days:g} days" if modulator.offset_days else ""
    advice = advice_for(context, f"exposure-will-{direction}", drug=victim.drug.name, role=role, over=offset)
    return Finding(
        kind="time-course",
        hazard="time-course",
        severity=severity,
        drugs=(victim.id, gone.id),
        orders=tuple(sorted({victim.order, gone.order})),
        key=("time", victim.id, gone.id),
        summary=f"{gone.drug.name} was stopped: {victim.drug.name} exposure will {direction} about {max(ratio, 1 / ratio):.1f}-fold"[
            :139
        ],
        consequence=advice.consequence,
        mechanism=f"{gone.drug.name} is a {modulator.strength} {role} of {pathway.name}; it was stopped {gone.stopped_days_ago:g} days ago.",
        path=(
            PathStep(
                gone.id, "induced" if modulator.induces else "inhibited", pathway.name, strength=modulator.strength
            ),
            PathStep(victim.id, "substrate-of", pathway.name),
        ),
        magnitude=Magnitude("auc-ratio", round(ratio, 2), "predicted"),
        management=advice.management,
        monitoring=tuple(m.what for m in victim.drug.monitoring[:2]),
        modifiers=(f"The change is complete{offset} after stopping.",) if offset else (),
        sources=(*context.index.cite(edge.sources, victim.drug), *context.index.cite(modulator.sources, gone.drug)),
        rule=f"time:{victim.id}:{gone.id}",
    )


def _pairs(context: Context, victim: Medicine, gone: Medicine) -> Iterator[Finding]:
    for edge in victim.drug.substrate_of:
        if edge.activation or context.index.knowledge.pathways[edge.pathway].kind == "absorption":
            continue
        for modulator in gone.drug.modulates:
            if modulator.pathway != edge.pathway or not gone.within(modulator.scope):
                continue
            days = gone.stopped_days_ago or 0.0
            if days > context.policy.watched_for_offsets * (modulator.offset_days or 0.0):
                continue
            ratio = 1.0 / full_ratio(edge, modulator, victim.parenteral)
            severity = severity_of_drift(context, victim, ratio, edge, modulator)
            if severity:
                yield _finding(context, victim, gone, edge, modulator, ratio, severity)


def _told_by_the_record(context: Context, victim: Medicine, gone: Medicine) -> bool:
    """Whether a caution of the medicine itself already tells what stopping this substance does, with its own figures."""
    if gone.id != context.policy.smoking_substance:
        return False
    asked = (c for c in victim.cautions if any(rule.fact == SMOKING_STOPPED for rule in c.when))
    return any(judge_all(c.when, context.facts).truth is Truth.YES for c in asked)


def find(context: Context) -> Iterator[Finding | Notice]:
    """Every medicine that was taken alongside a perpetrator now stopped."""
    for victim in context.asked:
        if victim.systemic and not victim.new:
            for gone in context.stopped:
                if gone.id != victim.id and not _told_by_the_record(context, victim, gone):
                    yield from _pairs(context, victim, gone)
