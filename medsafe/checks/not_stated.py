"""What was left out of the request and could have counted for these medicines, told in one quiet notice.

Asking for each such thing by itself would bury what matters; saying nothing would let silence read as normal. A thing is
named only where the knowledge about a medicine of this regimen looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from medsafe.context.context import UNSTATED, Context, missing_notices
from medsafe.context.drift import could_drift, could_vary
from medsafe.model.criteria import Truth, Verdict
from medsafe.model.findings import Finding, Notice
from medsafe.model.knowledge import Severity
from medsafe.model.medicine import Medicine
from medsafe.model.vocabulary import shown_name

FIELD = "patient"


def _notice(field: str, label: str, medicines: Iterable[Medicine]) -> Notice:
    orders = tuple(sorted({m.order for m in medicines}))
    return Notice(UNSTATED, field, label, None, (), limits=False, orders=orders)


def _dialysis(context: Context, taken: list[Medicine]) -> Iterator[Notice]:
    """Dialysis matters where kidney function is in the lowest band of a medicine, or is not known."""
    if context.case.patient.dialysis is not None:
        return
    for medicine in taken:
        rule = medicine.drug.renal
        if rule is None or not (rule.dialysis or any(band.action != "none" for band in rule.bands)):
            continue
        clearance = context.organ.renal(rule.estimate)
        lowest = min((b.below for b in rule.bands if b.below is not None), default=None)
        if clearance is None or lowest is None or clearance < lowest:
            yield _notice("patient.dialysis", "dialysis (taken as none)", [medicine])


def _smoking(context: Context, taken: list[Medicine]) -> Iterator[Notice]:
    """Tobacco matters to what it makes the body clear faster."""
    smoking, tobacco = context.case.patient.smoking, context.index.drugs.get(context.policy.smoking_substance)
    unknown = smoking is None or (smoking.status == "stopped" and smoking.days_ago is None)
    if not unknown or tobacco is None:
        return
    label = "smoking" if smoking is None else "when smoking was stopped"
    speeds = {modulator.pathway for modulator in tobacco.drug.modulates}
    for medicine in taken:
        if any(edge.pathway in speeds for edge in medicine.drug.substrate_of):
            yield _notice("patient.smoking", label, [medicine])


def _genotypes(context: Context, taken: list[Medicine]) -> Iterator[Notice]:
    """A genotype matters where some type of it would change an exposure or an activation, or where others change it already."""
    acting = {m.pathway for medicine in (*context.active, *context.stopped) for m in medicine.drug.modulates}
    for medicine in taken:
        acted_on = any(edge.pathway in acting for edge in medicine.drug.substrate_of)
        for edge in medicine.drug.substrate_of:
            pathway = context.index.knowledge.pathways[edge.pathway]
            fact = f"genotype.{pathway.gene.lower()}"
            if not pathway.gene or fact in context.facts.values:
                continue
            if acted_on or could_vary(context, medicine, edge, pathway):
                yield from missing_notices(Verdict(Truth.UNKNOWN, frozenset({fact})), "pharmacogenomic", "", [medicine])


def _symptoms(context: Context, taken: list[Medicine]) -> Iterator[Notice]:
    """Signs of too much opioid are symptoms."""
    opioids = [m for m in taken if m.drug.opioid is not None]
    if opioids and not context.facts.symptoms_stated:
        yield _notice("symptoms", "symptoms", opioids)


def _outlasts(context: Context, medicine: Medicine) -> bool:
    """Whether a record tells of something that still acts on this medicine after it was stopped."""
    records = (r for tag in medicine.tags & context.index.by_tag.keys() for r in context.index.by_tag[tag])
    return any(r.washout_days is not None and r.severity >= Severity.MODERATE and len(r.needs) > 1 for r in records)


def _stopped(context: Context, taken: list[Medicine]) -> Iterator[Notice]:
    if "recently_stopped" in context.case.unstated:
        for medicine in taken:
            if could_drift(context, medicine) or _outlasts(context, medicine):
                yield _notice("recently_stopped", "medicines stopped lately", [medicine])


def _undated(context: Context) -> Iterator[Notice]:
    for medicine in context.stopped:
        field = f"{medicine.order}.days_ago"
        if field in context.case.unstated:
            message = f"When {medicine.drug.name} was stopped is not stated: it was taken as stopped today."
            yield Notice("missing-data", field, message, None, ("time-course",), limits=False)


def _as_needed(context: Context) -> Iterator[Notice]:
    for medicine in context.active:
        field = f"{medicine.order}.prn"
        if field in context.case.unstated:
            message = f"Whether {medicine.drug.name} is given as needed is not stated: it was taken as regular."
            yield Notice("missing-data", field, message, None, ("opioid-safety",), limits=False)


def _tried(context: Context) -> Iterator[Notice]:
    if "history" in context.case.unstated and context.case.symptoms:
        yield _notice("history", "what was tried before", ())


def find(context: Context) -> Iterator[Finding | Notice]:
    """Parts of the request that were left out and that checks of these medicines look at, besides single values."""
    if context.focus is not None:
        return
    taken = [m for m in context.active if m.systemic and m.order != "patient.smoking"]
    yield from _dialysis(context, taken)
    yield from _smoking(context, taken)
    yield from _genotypes(context, taken)
    yield from _symptoms(context, taken)
    yield from _stopped(context, taken)
    yield from _undated(context)
    yield from _as_needed(context)
    yield from _tried(context)


def _really_missing(context: Context, notice: Notice) -> Iterator[Notice]:
    """A clearance that a check lacks although there is a creatinine lacks what else goes into it."""
    if (
        notice.field != "patient.creatinine"
        or "creatinine_umol_l" not in context.facts.values
        or notice.value is not None
    ):
        yield notice
        return
    for field in context.organ.missing_for_renal:
        label = shown_name(field.split(".", 1)[-1])
        yield replace(notice, code="missing-data", field=field, message=notice.message.replace("creatinine", label, 1))


def told_together(context: Context, notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """The notices, with all that was not stated in one; what has a notice of its own is not named again."""
    every = [n for notice in notices for n in _really_missing(context, notice)]
    kept = [n for n in every if n.code != UNSTATED]
    alone = {n.field for n in kept}
    apart = [n for n in every if n.code == UNSTATED and n.field not in alone]
    if apart:
        names = ", ".join(sorted({n.message for n in apart}, key=str.casefold))
        orders = tuple(sorted({order for n in apart for order in n.orders or ()}))
        blocks = tuple(sorted({block for n in apart for block in n.blocks}))
        message = f"Not stated, so what rests on it was not looked at: {names}."
        kept.append(Notice("missing-data", FIELD, message, None, blocks, limits=False, orders=orders))
    return tuple(kept)
