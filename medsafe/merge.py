"""One finding per hazard: findings about the same hazard are merged, told apart as new or old, and tiered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from medsafe.context.context import Context
from medsafe.context.modifiers import summary_of
from medsafe.model.case import Order
from medsafe.model.findings import Finding, finding_order
from medsafe.model.statements import Severity

# Cautions of these kinds may rest on one and the same fact, once as a value and once as the condition read from it.
OF_THE_PATIENT = ("drug-lab", "drug-disease", "pharmacogenomic")
END_OF_LIFE = ("hours", "days", "weeks")


def _together(first: tuple[str, ...], others: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*first, *(item for other in others for item in other)]))


def _consequence(same: list[Finding]) -> str:
    """The harm, once where all say the same of their medicines, else each with its medicine's name."""
    told = {f.consequence: f for f in same}
    if len(told) < 2 or same[0].key[0] != "caution":
        return same[0].consequence
    return " ".join(f"{f.drugs[0].replace('-', ' ')}: {text}" for text, f in told.items() if text)


def _summary(same: list[Finding], drugs: tuple[str, ...]) -> str:
    """A summary that names every drug: a caution is told of them all, another names those that joined it.

    What is said of one medicine is never told of another that says something else.
    """
    lead = same[0]
    names = [drug.replace("-", " ") for drug in drugs]
    if lead.key[0] != "caution":
        joined = [name for name, drug in zip(names, drugs, strict=True) if drug not in lead.drugs]
        whole = f"{lead.summary.rstrip('.')}; adds up with {', '.join(joined)}"
        return whole if joined and len(whole) < 140 else lead.summary
    if len(drugs) < 2:
        return lead.summary
    told = summary_of("{drugs}: " + lead.consequence, names)
    if lead.consequence and len({f.consequence for f in same}) == 1 and len(told) < 140:
        return told
    because = lead.mechanism.rstrip(".").replace("Because of", "because of") or "in this patient"
    harm = "caution" if lead.hazard in OF_THE_PATIENT else lead.hazard.replace("-", " ")
    cause = because.removeprefix("because of ")
    # Constipation is not told of as constipation because of constipation.
    if harm.split()[0] == cause.split()[0]:
        return summary_of("{drugs}: " + f"can worsen {cause}", names)
    return summary_of("{drugs}: " + f"{harm} {because}", names)


def _lead_order(finding: Finding) -> tuple[object, ...]:
    scored = finding.rule.startswith(("effect:", "pathway:"))
    alone = len(finding.drugs) == 1
    return (-finding.severity, alone, scored, not finding.rule.startswith("organ:"), finding.rule, finding.drugs)


def _by_itself(finding: Finding) -> bool:
    """Whether a finding speaks seriously against its one medicine in this patient, whatever else is taken."""
    return finding.rule.startswith("caution:") and finding.severity >= Severity.HIGH


def combine(same: list[Finding]) -> Finding:
    """One finding from several about the same hazard: the most serious leads, a curated record before a score.

    What is said of several medicines leads before what is said of one; what to do with the dose for this organ before a
    caution that is no more serious.
    """
    ordered = sorted(same, key=_lead_order)
    lead, rest = ordered[0], ordered[1:]
    if not rest:
        return lead
    drugs = _together(lead.drugs, (f.drugs for f in rest))
    # What is said of one medicine alone keeps its words where several are told of together, or beside a dose for an organ.
    beside = len(lead.drugs) > 1 or lead.key[0] == "organ"
    own = [(f.summary,) for f in rest if f.rule.startswith(("caution:", "organ:"))] if beside else []
    return replace(
        lead,
        drugs=drugs,
        summary=_summary(ordered, drugs),
        consequence=_consequence(ordered),
        orders=tuple(sorted(_together(lead.orders, (f.orders for f in rest)))),
        path=tuple(dict.fromkeys([*lead.path, *(step for f in rest for step in f.path)])),
        magnitude=lead.magnitude or next((f.magnitude for f in rest if f.magnitude), None),
        management=_together(lead.management, (f.management for f in rest)),
        monitoring=_together(lead.monitoring, (f.monitoring for f in rest)),
        modifiers=_together(lead.modifiers, [*(f.modifiers for f in rest), *own]),
        sources=tuple(dict.fromkeys([*lead.sources, *(s for f in rest for s in f.sources)])),
        absorbs=lead.absorbs.union(*(f.absorbs for f in rest)),
        exceeds=any(f.exceeds for f in ordered),
        alone=frozenset(o for f in ordered if _by_itself(f) for o in f.orders),
        soften_at_end_of_life=all(f.soften_at_end_of_life for f in same),
        easiest_to_change=lead.easiest_to_change
        or next((f.easiest_to_change for f in rest if f.easiest_to_change), ""),
        evidence=lead.evidence or next((f.evidence for f in rest if f.evidence), ""),
    )


def _absorb(findings: list[Finding]) -> list[Finding]:
    """A record that already tells what pathways or burdens found between the same drugs takes their path and number."""
    if not any(f.absorbs for f in findings):
        return findings
    kept = list(findings)
    for taker in sorted(findings, key=finding_order):
        if not taker.absorbs or taker not in kept:
            continue
        told = [
            f
            for f in kept
            if f is not taker
            and f.hazard in taker.absorbs
            and set(f.drugs) <= set(taker.drugs)
            and f.kind == "interaction"
        ]
        if told:
            whole = replace(taker, severity=max(taker.severity, *(f.severity for f in told)))
            whole = replace(
                whole,
                path=tuple(dict.fromkeys([*whole.path, *(s for f in told for s in f.path)])),
                magnitude=whole.magnitude or told[0].magnitude,
                sources=tuple(dict.fromkeys([*whole.sources, *(s for f in told for s in f.sources)])),
            )
            kept = [whole if f is taker else f for f in kept if f not in told]
    return kept


def _facts_of(context: Context, caution: Finding) -> frozenset[str]:
    """The facts a caution rests on, where a condition was read from a value: low sodium and hyponatraemia are one thing."""
    conditions = context.index.knowledge.conditions
    facts: set[str] = set()
    for trigger in caution.key[4:]:
        known = conditions.get(trigger)
        derived = {c.fact for c in known.derived_from if c.fact} if known else set()
        facts |= derived or {trigger}
    return frozenset(facts)


def _told_by_organ(context: Context, caution: Finding, organs: Mapping[tuple[str, ...], Finding]) -> Finding | None:
    """The dose finding of the same medicine that already tells what a caution says of the same organ."""
    triggers = frozenset(caution.key[4:])
    for hazard, conditions in context.policy.organ_conditions.items():
        same = caution.hazard == hazard or (caution.kind == "drug-disease" and triggers <= conditions)
        told = organs.get(("organ", hazard, caution.drugs[0]))
        if triggers and same and told is not None:
            return told
    return None


def _counted_facts(context: Context, burden: Finding) -> frozenset[str]:
    """The values of this patient that a burden counts among its circumstances."""
    modifiers = context.index.knowledge.effects[burden.key[1]].modifiers
    return frozenset(c.fact for m in modifiers if m.points > 0 for c in m.when if c.fact)


def _told_by_burden(context: Context, caution: Finding, burdens: Iterable[Finding]) -> Finding | None:
    """What several medicines do together on the hazard that a caution about a value tells of one of them."""
    facts = _facts_of(context, caution)
    for told in burdens:
        about = caution.hazard == told.hazard and caution.kind == "drug-lab"
        generic = caution.hazard in (told.hazard, caution.kind) and facts and facts <= _counted_facts(context, told)
        if set(caution.drugs) <= set(told.drugs) and (about or generic):
            return told
    return None


def _with_organ(finding: Finding, organs: Mapping[tuple[str, ...], Finding]) -> Finding:
    """A limit that holds for an organ joins what is said of the same medicine's dose for that organ."""
    told = (
        organs.get(("organ", finding.organ, finding.drugs[0])) if finding.organ and finding.key[0] == "dose" else None
    )
    return finding if told is None else replace(finding, key=told.key, kind=told.kind, hazard=told.hazard)


def one_hazard(context: Context, findings: Iterable[Finding]) -> list[Finding]:
    """The findings, where cautions that tell the same hazard of the same medicine have the same key.

    A caution about an organ and a limit for an organ join the dose finding of that organ; a caution about a laboratory value or vital sign joins
    what the medicines do together on the same hazard; a caution in a condition that was read from a value joins the
    caution about that value.
    """
    found = list(findings)
    organs = {f.key: f for f in found if f.key[0] == "organ"}
    burdens = sorted((f for f in found if f.key[0] == "burden"), key=lambda f: f.key)
    by_fact: dict[tuple[str, frozenset[str]], Finding] = {}
    by_hazard: dict[tuple[str, str], Finding] = {}
    joined = [_with_organ(f, organs) for f in found if f.key[0] != "caution"]
    cautions = [f for f in found if f.key[0] == "caution"]
    for caution in sorted(cautions, key=lambda f: (f.kind == "drug-disease", f.kind != "drug-lab", f.key)):
        told = _told_by_organ(context, caution, organs)
        if told is None and caution.kind in OF_THE_PATIENT:
            told = _told_by_burden(context, caution, burdens)
        if told is None and caution.kind in OF_THE_PATIENT:
            told = by_fact.setdefault((caution.drugs[0], _facts_of(context, caution)), caution)
            if told is caution and caution.hazard not in OF_THE_PATIENT:
                told = by_hazard.setdefault((caution.drugs[0], caution.hazard), caution)
        if told is None or told.key == caution.key:
            joined.append(caution)
        else:
            joined.append(replace(caution, key=told.key, kind=told.kind, hazard=told.hazard))
    return joined


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """One finding per hazard."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.key, []).append(finding)
    return _absorb([combine(groups[key]) for key in sorted(groups)])


def _threshold(context: Context, finding: Finding) -> tuple[Severity, str]:
    goals, policy = context.case.goals, context.policy
    dying = goals.prognosis in ("hours", "days") or "last-days-of-life" in context.facts.conditions
    acute = finding.hazard in policy.acute_hazards
    if not acute and (dying or (goals.intent == "comfort" and goals.documented)):
        return (
            policy.interrupt_at_comfort_from,
            "Care is for comfort and this harm is not of the next hours: told without interrupting.",
        )
    if finding.soften_at_end_of_life and goals.prognosis in END_OF_LIFE:
        return policy.interrupt_at_comfort_from, "A long-term harm at this prognosis: told without interrupting."
    return policy.interrupt_from, ""


def _tolerated_days(context: Context, finding: Finding) -> float | None:
    """For how many days all the medicines of a finding have been taken together, where known."""
    taken = [m.started_days_ago for m in context.active if m.order in finding.orders]
    known = [days for days in taken if days is not None]
    return min(known) if known and len(known) == len(taken) else None


def _same_dose(first: Order, other: Order) -> bool:
    """Whether two orders ask for the same amount as often by the same route."""
    parts = ((o.dose, o.unit, o.times_per_day, o.interval_h, o.route, o.prn) for o in (first, other))
    return len(set(parts)) == 1


def _unchanged(context: Context, tolerable: bool) -> frozenset[str]:
    """New orders that only go on with what has long been taken: of what time shows to be tolerated, they create nothing."""
    if not tolerable or not context.case.new_orders:
        return frozenset()
    enough = context.policy.tolerated_days
    before = {o.ref: o for o in context.case.regimen}
    continued = {
        o.ref
        for o in context.case.new_orders
        if o.replaces in before and o.started_on is not None and _same_dose(o, before[o.replaces])
    }
    known = {m.order for m in context.active if (m.started_days_ago or 0.0) >= enough}
    return frozenset(continued & known)


def _tolerable(context: Context, finding: Finding) -> bool:
    """Whether time taken can speak for this finding: of a kidney only where an earlier value shows it was so then, of
    a disease only where none is new. Of a medicine whose every course is decided anew it never does.
    """
    policy = context.policy
    if finding.kind in policy.tolerated_kinds:
        return True
    if any(policy.not_tolerated & m.tags for m in context.active if m.order in finding.orders):
        return False
    if finding.kind in policy.tolerated_diseases:
        return _no_new_condition(context)
    no_worse = context.facts.values.get("creatinine_trend") in ("stable", "falling")
    return no_worse and finding.hazard in policy.tolerated_when_stable


def _no_new_condition(context: Context) -> bool:
    """Whether every entry of the problem list has a date, and stood there as long as makes a medicine tolerated."""
    today, days = context.case.as_of, context.policy.tolerated_days
    since = [condition.since for condition in context.case.patient.conditions or ()]
    return today is not None and all(day is not None and (today - day).days >= days for day in since)


def tier(context: Context, finding: Finding) -> Finding:
    """Say whether a finding is new and whether it interrupts; comfort goals soften interruption, never the finding.

    Time taken together speaks for a combination; it says nothing of a kidney, a laboratory value or a disease.
    """
    tolerable = _tolerable(context, finding)
    unchanged = _unchanged(context, tolerable)
    new = any(order.startswith("new_orders.") and order not in unchanged for order in finding.orders)
    threshold, why = _threshold(context, finding)
    wants = finding.severity >= context.policy.interrupt_from
    interrupts = finding.severity >= threshold
    modifiers = list(finding.modifiers)
    if wants and not interrupts:
        modifiers.append(why)
    standing = bool(context.case.new_orders) and not new
    if interrupts and finding.severity < Severity.CRITICAL:
        days = _tolerated_days(context, finding) if tolerable else None
        tolerated = days is not None and days >= context.policy.tolerated_days
        if standing or tolerated:
            interrupts = False
            modifiers.append(
                f"Taken together unchanged for {days:g} days: told without interrupting."
                if tolerated
                else "Not caused by the new order: told without interrupting."
            )
    if new == finding.new and interrupts == finding.interruptive and len(modifiers) == len(finding.modifiers):
        return finding
    return replace(finding, new=new, interruptive=interrupts, modifiers=tuple(modifiers))
