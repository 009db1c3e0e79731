"""What a sudden stop or a sharp cut does: dependence, a gland that sleeps, an illness held down by the medicine.

A medicine of which another member of the same kind goes on is not stopped but changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from medsafe.context.context import UNSTATED, Context, orders_of
from medsafe.context.modifiers import apply_modifiers, modified, summary_of
from medsafe.model.findings import Finding, Notice, PathStep
from medsafe.model.knowledge import StoppingRule
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity


def _regular(medicine: Medicine) -> bool:
    return medicine.systemic and not medicine.prn and not medicine.single


def rules_for(context: Context, medicine: Medicine) -> list[StoppingRule]:
    """The rules about stopping this order."""
    return [
        r
        for r in context.index.knowledge.stopping.values()
        if not r.end.ids.isdisjoint(medicine.tags)
        and r.end.excluding.isdisjoint(medicine.tags)
        and medicine.within(r.end.scope)
    ]


def _days_taken(medicine: Medicine) -> float | None:
    """Days for which it was taken, without those since it was stopped where only its start was told."""
    days, started = medicine.taken_for_days, medicine.started_days_ago
    if days is not None and days == started:
        return max(days - (medicine.stopped_days_ago or 0.0), 0.0)
    return days


def _covers(context: Context, rule: StoppingRule, gone: Medicine) -> list[Medicine]:
    """Other regular medicines of the same kind that are taken."""
    kind = rule.end.ids | rule.covered_by
    return [m for m in context.active if not kind.isdisjoint(m.tags) and _regular(m) and m.id != gone.id]


def _unsure_cover(context: Context, gone: Medicine) -> Iterator[Notice]:
    """What goes on in the place of a stopped medicine does so only where it is more than a single dose."""
    phases = {o.ref: o.phase for o in (*context.case.regimen, *context.case.new_orders)}
    same = [m for m in context.active if m.id == gone.id and _regular(m)]
    covers = [m for rule in rules_for(context, gone) for m in (*same, *_covers(context, rule, gone))]
    if covers and all(not phases[m.order] and m.taken_for_days is None for m in covers):
        label = f"whether what goes on in the place of {gone.drug.name} is taken regularly (phase)"
        field = f"{covers[0].order}.phase"
        yield Notice(UNSTATED, field, label, None, ("time-course",), limits=False, orders=orders_of(covers))


def _left(context: Context, gone: Medicine) -> float | None:
    """The share of the daily dose that is left: 0 after a stop, None where it can't be told or the route is another."""
    now = [m for m in context.active if m.id == gone.id and _regular(m)]
    if not now:
        return 0.0
    beside = [m for m in now if not m.new] if gone.stopped_days_ago is None else []
    before = [m for m in (*context.replaced, *beside) if m.id == gone.id and _regular(m)] or [gone]
    doses, left = [m.daily_dose for m in before], [m.daily_dose for m in now]
    if any(m.route != gone.route for m in now) or None in (*doses, *left):
        return None
    total = sum(d or 0.0 for d in doses)
    return sum(d or 0.0 for d in left) / total if total > 0 else None


def _too_fast(context: Context, rule: StoppingRule, gone: Medicine) -> float | None:
    """The share that is left where that is too little, None where nothing was taken away too fast."""
    left = _left(context, gone)
    if left is None or _covers(context, rule, gone):
        return None
    cut = rule.sharp_cut if left > 0 else 0.0
    return left if cut is not None and 1.0 - left > cut else None


def _severity(context: Context, rule: StoppingRule, days: float | None) -> tuple[Severity, tuple[str, ...]]:
    applied = apply_modifiers(context, rule.modifiers)
    severity = modified(rule.severity, applied.holding)
    texts = tuple(m.text for m in applied.holding)
    if days is not None or rule.after_days == 0:
        return severity, texts
    text = f"How long it was taken is not given: harm is to be expected after {rule.after_days:g} days or more."
    return severity.step(-1), (*texts, text)


def _finding(context: Context, rule: StoppingRule, gone: Medicine, left: float) -> Finding:
    severity, modifiers = _severity(context, rule, _days_taken(gone))
    what = f"cut to {left:.0%} at once" if left else "stopped at once"
    replacing = [m.order for m in context.active if m.new and m.order in _takers(context, gone)]
    return Finding(
        kind="time-course",
        hazard="withdrawal",
        severity=severity,
        drugs=(gone.id,),
        orders=tuple(sorted({gone.order, *replacing})),
        summary=summary_of("{drugs}: " + f"{what}: {rule.guidance.summary}", [gone.drug.name]),
        key=("stop", gone.id),
        consequence=rule.guidance.consequence,
        mechanism=rule.guidance.mechanism,
        path=(PathStep(gone.id, "judged-by", rule.id),),
        management=rule.guidance.management,
        monitoring=rule.guidance.monitoring,
        modifiers=modifiers,
        sources=context.index.cite(rule.guidance.sources),
        rule=f"stop:{rule.id}",
        easiest_to_change=gone.drug.name,
    )


def _takers(context: Context, gone: Medicine) -> frozenset[str]:
    return frozenset(o.ref for o in context.case.new_orders if o.replaces == gone.order)


def find(context: Context) -> Iterator[Finding | Notice]:
    """Every medicine that was stopped or cut too fast; a hypothetical order stops nothing by itself."""
    if context.focus is not None:
        return
    for gone in (*context.stopped, *context.replaced):
        if not _regular(gone):
            continue
        if gone.stopped_days_ago is not None:
            yield from _unsure_cover(context, gone)
        found = [
            _finding(context, rule, gone, left)
            for rule in rules_for(context, gone)
            if (gone.stopped_days_ago or 0.0) <= rule.within_days
            and (_days_taken(gone) is None or (_days_taken(gone) or 0.0) >= rule.after_days)
            and (left := _too_fast(context, rule, gone)) is not None
        ]
        if found:
            yield max(found, key=lambda f: (f.severity, f.rule))
            if _days_taken(gone) is None:
                message = (
                    f"How long {gone.drug.name} was taken is not stated: what its stop does was judged a step milder."
                )
                yield Notice(
                    "missing-data", f"{gone.order}.taken_for_days", message, None, ("time-course",), limits=False
                )


def _rules_by_now(context: Context, medicine: Medicine) -> list[StoppingRule]:
    """The rules about stopping this order, unless it was taken too briefly for that to matter."""
    days = _days_taken(medicine)
    if not _regular(medicine):
        return []
    return [r for r in rules_for(context, medicine) if days is None or days >= r.after_days]


def how_to_stop(context: Context, medicine: Medicine) -> tuple[str, ...]:
    """How a medicine is stopped or lowered."""
    worst = max(_rules_by_now(context, medicine), key=lambda r: (r.severity, r.id), default=None)
    return worst.guidance.management if worst else ()


def never_at_once(context: Context, medicine: Medicine) -> bool:
    """Whether even what does not suit the patient is lowered step by step and not stopped."""
    return any(rule.never_at_once for rule in _rules_by_now(context, medicine))


def most_taken_off(context: Context, medicine: Medicine) -> float:
    """The share of the daily dose that may be taken off at once; 1 where no rule knows a cut too sharp."""
    return min((r.sharp_cut for r in _rules_by_now(context, medicine) if r.sharp_cut is not None), default=1.0)
