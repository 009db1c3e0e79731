"""The same thing twice: one ingredient in several orders, or two members of a class that should not be combined."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from medsafe.context.advice import advice_for
from medsafe.context.context import Context
from medsafe.model.drugs import DrugClass
from medsafe.model.findings import Finding, Notice, PathStep
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity
from medsafe.opioids.totals import is_agonist


def _is_long_acting(medicine: Medicine) -> bool:
    opioid = medicine.drug.opioid
    return bool(opioid and (opioid.long_acting_forms & medicine.forms))


def _same_ingredient(context: Context) -> Iterator[Finding]:
    groups: dict[str, list[Medicine]] = {}
    for medicine in context.active:
        if medicine.systemic:
            groups.setdefault(medicine.id, []).append(medicine)
    for orders in groups.values():
        if len({m.order for m in orders}) > 1 and context.in_focus(*orders):
            severity = _repeat_severity(orders)
            if severity:
                yield _repeat(context, orders, severity)


def _repeat_severity(orders: list[Medicine]) -> Severity:
    """Regular with as-needed, or long- with short-acting, of one opioid is ordinary practice."""
    regular = [m for m in orders if not m.prn]
    if orders[0].drug.opioid is not None:
        long_acting = [m for m in regular if _is_long_acting(m)]
        return Severity.HIGH if len(long_acting) > 1 else Severity.NONE
    products = {m.product.casefold() for m in orders}
    if len(regular) < 2 and len(products) == 1:
        return Severity.NONE
    if len({m.route for m in regular}) > 1:
        return Severity.LOW
    return Severity.MODERATE


def _repeat(context: Context, orders: list[Medicine], severity: Severity) -> Finding:
    medicine = orders[0]
    advice = advice_for(context, "duplicate-ingredient")
    what = "two long-acting orders" if medicine.drug.opioid else f"{len(orders)} orders contain it"
    return Finding(
        kind="duplicate",
        hazard="duplicate-therapy",
        severity=severity,
        drugs=(medicine.id,),
        orders=tuple(sorted(m.order for m in orders)),
        summary=f"{medicine.drug.name}: {what} ({', '.join(sorted({m.product for m in orders}))})"[:139],
        key=("duplicate", medicine.id),
        consequence=advice.consequence,
        path=tuple(PathStep(m.order, "contains", medicine.id) for m in orders),
        management=advice.management,
        sources=context.index.cite(advice.sources),
        rule=f"duplicate:{medicine.id}",
        easiest_to_change=medicine.drug.name,
    )


def _two_long_acting_opioids(context: Context) -> Iterator[Finding]:
    long_acting = [m for m in context.active if m.systemic and not m.prn and _is_long_acting(m)]
    if len({m.id for m in long_acting}) > 1 and context.in_focus(*long_acting):
        names = sorted({m.drug.name for m in long_acting})
        advice = advice_for(context, "two-long-acting-opioids", drugs=" and ".join(names))
        yield Finding(
            kind="duplicate",
            hazard="duplicate-therapy",
            severity=Severity.HIGH,
            drugs=tuple(sorted({m.id for m in long_acting})),
            orders=tuple(sorted(m.order for m in long_acting)),
            summary=advice.summary[:139],
            key=("duplicate", "long-acting-opioids"),
            consequence=advice.consequence,
            path=tuple(PathStep(m.id, "is-a", "long-acting opioid") for m in long_acting),
            management=advice.management,
            sources=context.index.cite(advice.sources),
            rule="duplicate:long-acting-opioids",
        )


def _weak_beside_strong(context: Context) -> Iterator[Finding]:
    """A weak opioid by the clock beside a strong one: the record's own word for its strength decides."""
    regular = [m for m in context.active if is_agonist(m) and not m.prn and not m.single]
    strong = {m.order for m in regular if m.drug.opioid and m.drug.opioid.strong}
    weak = {m.order for m in regular if m.order not in strong}
    if not (strong and weak) or not context.in_focus(*regular):
        return
    names = [", ".join(sorted({m.drug.name for m in regular if m.order in group})) for group in (weak, strong)]
    advice = advice_for(context, "weak-with-strong-opioids", drugs=" with ".join(names))
    yield Finding(
        kind="duplicate",
        hazard="duplicate-therapy",
        severity=Severity.MODERATE,
        drugs=tuple(sorted({m.id for m in regular})),
        orders=tuple(sorted(strong | weak)),
        summary=advice.summary[:139],
        key=("duplicate", "weak-with-strong-opioids"),
        consequence=advice.consequence,
        path=tuple(PathStep(m.id, "is-a", f"{'strong' if m.order in strong else 'weak'} opioid") for m in regular),
        management=advice.management,
        sources=context.index.cite(advice.sources),
        rule="duplicate:weak-with-strong-opioids",
    )


def _class_duplicates(context: Context) -> Iterator[Finding]:
    present = [m for m in context.active if m.systemic]
    tags = context.facts.medicines if context.focus is None else context.focus.tags
    told: set[frozenset[str]] = set()
    order = context.index.duplicates
    for item in sorted((order[tag][1] for tag in tags & order.keys()), key=lambda item: order[item.id][0]):
        members = [m for m in present if item.id in m.tags and m.id not in item.duplicate_excluding]
        ids = frozenset(m.id for m in members)
        if len(ids) > 1 and not any(ids <= known for known in told) and context.in_focus(*members) and _apart(members):
            told.add(ids)
            yield _class_finding(context, item, members)


def _apart(members: list[Medicine]) -> bool:
    """At least two members come from different orders: one combination product is no duplicate of itself."""
    return any(a.order != b.order and a.id != b.id for a, b in combinations(members, 2))


def _class_finding(context: Context, item: DrugClass, members: list[Medicine]) -> Finding:
    assert item.duplicate_severity is not None
    names = sorted({m.drug.name for m in members})
    advice = advice_for(context, "duplicate-class")
    return Finding(
        kind="duplicate",
        hazard="duplicate-therapy",
        severity=item.duplicate_severity,
        drugs=tuple(sorted({m.id for m in members})),
        orders=tuple(sorted({m.order for m in members})),
        summary=f"{len(names)} {item.name} together: {', '.join(names)}"[:139],
        key=("duplicate-class", item.id),
        consequence=item.duplicate_text or advice.consequence,
        path=tuple(PathStep(m.id, "is-a", item.id) for m in members),
        management=advice.management,
        sources=context.index.cite(item.sources or advice.sources),
        rule=f"duplicate:{item.id}",
    )


def find(context: Context) -> Iterator[Finding | Notice]:
    """Duplicates of ingredient and of class."""
    yield from _same_ingredient(context)
    yield from _two_long_acting_opioids(context)
    yield from _weak_beside_strong(context)
    yield from _class_duplicates(context)
