"""What was left out of the request and could have counted for these medicines, told in one quiet notice.

Asking for each such thing by itself would bury what matters; saying nothing would let silence read as normal. A thing is
named only where the knowledge about a medicine of this regimen looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from medsafe.context.context import UNSTATED, Context, called, missing_notices
from medsafe.context.drift import could_drift, could_vary
from medsafe.model.criteria import NO, Truth, Verdict, judge_all
from medsafe.model.findings import Finding, Notice
from medsafe.model.medicine import Medicine
from medsafe.model.vocabulary import TUBE_ROUTES, shown_name
from medsafe.opioids.totals import is_agonist

FIELD = "patient"


def _notice(field: str, label: str, medicines: Iterable[Medicine]) -> Notice:
    orders = tuple(sorted({m.order for m in medicines}))
    return Notice(UNSTATED, field, label, None, (), limits=False, orders=orders)


def _dialysis(context: Context, taken: list[Medicine]) -> Iterator[Notice]:
    """Dialysis matters where kidney function is in the lowest band of a medicine, or is not known."""
    if context.case.patient.dialysis is not None or context.facts.values.get("dialysis") != "none":
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
    """Tobacco matters to what it makes the body clear faster, and where it adds to an effect."""
    smoking, tobacco = context.case.patient.smoking, context.index.drugs.get(context.policy.smoking_substance)
    unknown = smoking is None or (smoking.status == "stopped" and smoking.days_ago is None)
    if not unknown or tobacco is None:
        return
    label = "smoking" if smoking is None else "when smoking was stopped"
    speeds = {modulator.pathway for modulator in tobacco.drug.modulates}
    adds = {weight.effect for weight in tobacco.effects} if smoking is None else set()
    for medicine in taken:
        cleared = any(edge.pathway in speeds for edge in medicine.drug.substrate_of)
        if cleared or not adds.isdisjoint(medicine.weights):
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
                yield from missing_notices(
                    context, Verdict(Truth.UNKNOWN, frozenset({fact})), "pharmacogenomic", "", [medicine]
                )


def _symptoms(context: Context, taken: list[Medicine]) -> Iterator[Notice]:
    """Signs of too much opioid are symptoms."""
    opioids = [m for m in taken if m.drug.opioid is not None]
    if opioids and not context.facts.symptoms_stated:
        yield _notice("symptoms", "symptoms", opioids)


def _outlasts(context: Context, medicine: Medicine) -> bool:
    """Whether a record tells of something that still acts on this medicine after it was stopped."""
    return not context.index.outlasted.isdisjoint(medicine.tags)


def _stopped(context: Context, taken: list[Medicine]) -> Iterator[Notice]:
    if "recently_stopped" in context.case.unstated:
        for medicine in taken:
            if could_drift(context, medicine) or _outlasts(context, medicine):
                yield _notice("recently_stopped", "medicines stopped lately", [medicine])


# What of an order was left out and read in some way all the same, by its field: the words, and what rests on it.
READ_AS = {
    "days_ago": ("When {name} was stopped is not stated: it was taken as stopped today.", "time-course"),
    "prn": ("Whether {name} is given as needed is not stated: it was taken as regular.", "opioid-safety"),
}


def _read_as(context: Context) -> Iterator[Notice]:
    for medicine in (*context.active, *context.stopped):
        for part, (words, blocks) in READ_AS.items():
            field = f"{medicine.order}.{part}"
            if field in context.case.unstated:
                message = words.format(name=medicine.drug.name)
                yield Notice("missing-data", field, message, None, (blocks,), limits=False)


def _form_matters(context: Context, medicine: Medicine) -> bool:
    """Whether something holds for one form only of this medicine that could hold here; limits are asked by the doses."""
    if medicine.route in TUBE_ROUTES or any(
        r.forms and (not r.routes or medicine.takes_route(r.routes)) for r in medicine.drug.route_rules
    ):
        return True
    rule = medicine.drug.renal
    value = context.organ.renal(rule.estimate) if rule is not None else None
    bands = [b for b in (rule.bands if rule else ()) if b.action != "none" and (value is None or b.holds(value))]
    of_a_form = (c for c in medicine.cautions if c.scope.forms)
    cautions = [c for c in of_a_form if judge_all(c.when, context.facts) is not NO]
    scopes = [
        *(band.scope for band in bands),
        *(caution.scope for caution in cautions),
        *(effect.scope for effect in medicine.effects),
        *(modulator.scope for modulator in medicine.drug.modulates),
    ]
    return any(scope.forms and medicine.may_be_within(scope) for scope in scopes)


def _long_acting_may_meet(context: Context, medicine: Medicine) -> bool:
    """Whether a regular opioid may be a long-acting one, in the naive or beside another that is or may be."""
    opioid = medicine.drug.opioid
    if opioid is None or not opioid.long_acting_forms or medicine.prn:
        return False
    others = [m for m in context.active if m.id != medicine.id and m.systemic and not m.prn and m.drug.opioid]
    may = [
        m
        for m in others
        if m.drug.opioid and m.drug.opioid.long_acting_forms & (m.forms or m.drug.opioid.long_acting_forms)
    ]
    return bool(may) or context.opioids.naive is not False


def _forms(context: Context) -> Iterator[Notice]:
    """The form of an order matters where what is known of the medicine holds for one form only."""
    for medicine in context.active:
        matters = not medicine.forms and (_form_matters(context, medicine) or _long_acting_may_meet(context, medicine))
        if matters:
            yield _notice(f"{medicine.order}.form", f"the form of {called(context, medicine)}", [medicine])


def _places(context: Context) -> Iterator[Notice]:
    """A new order beside one of the same drug, or of another opioid, may be meant to take its place."""
    standing = [m for m in context.active if not m.new and m.systemic]
    for order in context.case.new_orders:
        mine = [m for m in context.active if m.order == order.ref and m.systemic] if order.replaces is None else []
        alike = [m for m in mine if any(m.id == o.id or (is_agonist(m) and is_agonist(o)) for o in standing)]
        if alike:
            label = f"whether {called(context, alike[0])} takes the place of another order"
            yield _notice(f"{order.ref}.replaces", label, alike)


def _lists(context: Context) -> Iterator[Notice]:
    """Lists that were left out altogether: absence of a list is not an empty list."""
    patient = context.case.patient
    for name, given, blocks in (
        ("allergies", patient.allergies, "allergy"),
        ("conditions", patient.conditions, "drug-disease"),
    ):
        if given is None and context.active:
            message = f"{name.capitalize()} were not stated, so none were checked; send [] if there are none."
            yield Notice("missing-data", f"patient.{name}", message, None, (blocks,), limits=False)


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
    yield from _read_as(context)
    yield from _forms(context)
    yield from _places(context)
    yield from _lists(context)
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
