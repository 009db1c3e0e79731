"""Doses and frequencies against limits, over the whole regimen: every order of a drug counts, as-needed ones included."""

from __future__ import annotations

from collections.abc import Iterator

from medsafe.context.advice import advice_for
from medsafe.context.context import UNSTATED, Context, called, missing_notices, orders_of
from medsafe.model.criteria import Truth, Verdict, judge_all
from medsafe.model.drugs import DoseLimit, DrugClass, LifetimeLimit
from medsafe.model.findings import Finding, Magnitude, Notice, PathStep
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity
from medsafe.model.vocabulary import INFUSION_ROUTES

TOLERANCE = 1.001


# Larger bodies are hardly met: where weight or height is missing, what exceeds this is too much for anyone.
LARGEST_BSA_M2 = 2.5


def _limit_value(context: Context, limit: DoseLimit) -> float | None:
    """The limit in this body; None when it goes by a weight that is not known."""
    if limit.per_m2:
        return limit.max * float(context.facts.values.get("bsa_m2", LARGEST_BSA_M2))
    if not limit.per_kg:
        return limit.max
    weight = context.facts.values.get("weight_kg")
    return limit.max * float(weight) if weight is not None else None


def _given_in_all(medicine: Medicine) -> float | None:
    """What was given since the medicine was begun, in the drug's unit; None where its duration is not told."""
    days = medicine.taken_for_days
    if days is None:
        return None
    if medicine.single_dose is not None and medicine.interval_h and medicine.interval_h > 24:
        return medicine.single_dose * (days * 24 // medicine.interval_h + 1)
    return medicine.daily_dose * days if medicine.daily_dose is not None else None


def _is_of_its_routes(limit: DoseLimit, medicine: Medicine) -> bool:
    """A limit that names no route is about what reaches the whole body, unless the drug is only ever given locally."""
    return bool(limit.scope.routes) or medicine.systemic or not medicine.drug.systemic_routes


def _applies(limit: DoseLimit, medicine: Medicine) -> bool:
    if not medicine.may_be_within(limit.scope) or not _is_of_its_routes(limit, medicine):
        return False
    # An infusion written as a dose a day is no single dose, unless the limit names that route.
    as_one_dose = limit.kind in ("single", "naive-single") and medicine.route in INFUSION_ROUTES
    if as_one_dose and medicine.route not in limit.scope.routes:
        return False
    return _is_for(limit, medicine)


def _is_for(limit: DoseLimit, medicine: Medicine) -> bool:
    """Whether an order is for what the limit is about; an order that does not say so may be."""
    words = {word.casefold() for word in limit.indications}
    return not words or not medicine.indication or medicine.indication.casefold() in words


def _severity(context: Context, limit: DoseLimit, ratio: float) -> Severity:
    """The limit's own severity, raised by the steps that the policy gives for the size of the excess."""
    steps = max((step for bound, step in context.policy.dose_excess if ratio >= bound), default=0)
    return limit.severity.step(steps) if steps else limit.severity


def _more_to_come(given: float, allowed: float, orders: list[Medicine]) -> bool:
    """Whether the known doses are all that is allowed and another order adds to them, however much that is."""
    return given >= allowed and any(m.daily_dose is None for m in orders)


def _excess(context: Context, limit: DoseLimit, orders: list[Medicine]) -> tuple[float, float] | None:
    """(what is given, what is allowed) when the limit is broken; in the drug's unit, hours or doses a day."""
    allowed = _limit_value(context, limit)
    if allowed is None:
        return None
    most = allowed * TOLERANCE
    if limit.kind in PER_DAY:
        given = sum(m.daily_dose for m in orders if m.daily_dose is not None)
        return (given, allowed) if given > most or _more_to_come(given, allowed, orders) else None
    if limit.kind == "cumulative":
        given = sum(total for m in orders if (total := _given_in_all(m)) is not None)
        return (given, allowed) if given > most else None
    if limit.kind in ("single", "naive-single"):
        given = max((m.single_dose for m in orders if m.single_dose is not None), default=0.0)
        return (given, allowed) if given > most else None
    if limit.kind == "interval":
        shortest = min((m.interval_h for m in orders if m.interval_h is not None and not m.prn), default=None)
        return (shortest, allowed) if shortest is not None and shortest * TOLERANCE < allowed else None
    often = max((m.times_per_day for m in orders if m.times_per_day is not None), default=0.0)
    return (often, allowed) if often > most else None


# Facts of an organ that a limit may hold for, with the hazard under which its dose is told.
ORGANS = {
    "crcl_ml_min": "renal-caution",
    "egfr_ml_min_173m2": "renal-caution",
    "dialysis": "renal-caution",
    "child_pugh": "hepatic-caution",
}
PER_DAY = ("daily", "naive-daily", "start-daily")
WORDS = {
    "and-more": "{given:g} {unit} a day, and an order whose dose is not known, exceed {allowed:g}",
    "daily": "{given:g} {unit} a day exceeds {allowed:g}",
    "naive-daily": "{given:g} {unit} a day is too much for an opioid-naive patient ({allowed:g})",
    "start-daily": "{given:g} {unit} a day is above the starting dose of {allowed:g}",
    "cumulative": "{given:g} {unit} in all exceeds the lifetime {allowed:g}",
    "single": "{given:g} {unit} in one dose exceeds {allowed:g}",
    "naive-single": "{given:g} {unit} in one dose is too much for an opioid-naive patient ({allowed:g})",
    "interval": "every {given:g} h is more often than every {allowed:g} h",
    "frequency": "{given:g} times a day is more than {allowed:g}",
}


# A limit in words, where a record has no advice of its own.
ALLOWED = {
    "daily": "{allowed:g} {unit} a day",
    "naive-daily": "{allowed:g} {unit} a day",
    "start-daily": "{allowed:g} {unit} a day to begin with",
    "cumulative": "{allowed:g} {unit} in all",
    "single": "{allowed:g} {unit} in one dose",
    "naive-single": "{allowed:g} {unit} in one dose",
    "interval": "every {allowed:g} h",
    "frequency": "{allowed:g} times a day",
}


def _finding(context: Context, limit: DoseLimit, orders: list[Medicine], given: float, allowed: float) -> Finding:
    medicine = orders[0]
    ratio = allowed / given if limit.kind == "interval" else given / allowed
    timing = limit.kind in ("interval", "frequency")
    naive = limit.kind.startswith("naive")
    kind = "opioid-safety" if naive else "frequency" if timing else "max-dose"
    hazard = "opioid-naive-start" if naive else "frequency-error" if timing else "max-dose-exceeded"
    words = WORDS["and-more" if limit.kind in PER_DAY and given <= allowed * TOLERANCE else limit.kind]
    text = words.format(given=given, allowed=round(allowed, 1), unit=medicine.drug.dose_unit)
    shown = ALLOWED[limit.kind].format(allowed=round(allowed, 1), unit=medicine.drug.dose_unit)
    advice = advice_for(context, "given-too-often" if timing else "dose-above-limit", allowed=shown)
    slip = advice_for(context, "slip-of-unit").management if ratio >= context.policy.slip_from_ratio else ()
    return Finding(
        kind=kind,
        hazard=hazard,
        severity=_severity(context, limit, ratio),
        drugs=(medicine.id,),
        orders=tuple(sorted(m.order for m in orders)),
        summary=f"{medicine.drug.name}: {text}"[:139],
        key=("dose", hazard, medicine.id),
        consequence=advice.consequence,
        mechanism="All orders of the ingredient were added up, as-needed ones at the most allowed.",
        path=(PathStep(medicine.id, "limited-by", f"{limit.kind} {allowed:g}"),),
        magnitude=Magnitude("dose-ratio", round(ratio, 2), "record"),
        management=(limit.advice,) if limit.advice else advice.management,
        sources=context.index.cite(limit.sources, medicine.drug),
        modifiers=slip,
        rule=f"limit:{medicine.id}:{limit.kind}",
        easiest_to_change=medicine.drug.name,
        exceeds=limit.kind != "cumulative",
        organ=next((ORGANS[c.fact] for c in limit.when if c.fact in ORGANS), ""),
    )


def _is_start(context: Context, orders: list[Medicine]) -> bool:
    """Whether the drug is only now begun: no standing order of it, and none that the new one replaces."""
    replacing = {order.ref for order in context.case.new_orders if order.replaces}
    return all(m.new and m.order not in replacing for m in orders)


def _asked(context: Context, limit: DoseLimit, orders: list[Medicine]) -> bool:
    if limit.kind == "start-daily":
        return _is_start(context, orders)
    return not limit.kind.startswith("naive") or context.opioids.naive is True


def _unjudged(context: Context, limit: DoseLimit, orders: list[Medicine], missing: Verdict) -> Iterator[Notice]:
    """A limit whose circumstances are unknown is told only where the dose would break it."""
    if _excess(context, limit, orders) is not None:
        yield from missing_notices(
            context, missing, "max-dose-exceeded", f"a dose limit of {orders[0].drug.name} could not be judged", orders
        )


def _left_open(limit: DoseLimit, medicine: Medicine) -> str:
    """What of an order would have to be known to say whether the limit is about it, "" where that is known."""
    if limit.indications and not medicine.indication:
        return "indication"
    return "form" if limit.scope.forms and not medicine.forms else ""


OPEN = {"indication": "what {name} is for", "form": "the form of {name}"}


def _unasked(context: Context, limit: DoseLimit, orders: list[Medicine]) -> Iterator[Notice]:
    """A limit of one use or one form is told where the dose would break it and an order does not say which it is."""
    holds = context.focus is None and judge_all(limit.when, context.facts).truth is not Truth.NO
    if holds and _excess(context, limit, orders) is not None:
        for medicine in orders:
            part = _left_open(limit, medicine)
            if part:
                label, field = OPEN[part].format(name=called(context, medicine)), f"{medicine.order}.{part}"
                yield Notice(UNSTATED, field, label, None, ("max-dose",), limits=False, orders=(medicine.order,))


def _unknown_amount(context: Context, limit: DoseLimit, orders: list[Medicine]) -> Iterator[Notice]:
    """What keeps a limit from being judged in full: the size of the body, or how long the drug was taken."""
    name, values = orders[0].drug.name, context.facts.values
    sizes = (("weight_kg", limit.per_kg or limit.per_m2), ("height_cm", limit.per_m2))
    for fact, asked in sizes:
        if asked and fact not in values:
            message = f"Without {fact.split('_')[0]} a dose limit of {name} was not checked in full."
            yield Notice("missing-data", f"patient.{fact}", message, None, ("max-dose",), orders=orders_of(orders))
    if limit.kind == "cumulative":
        for medicine in orders:
            if _given_in_all(medicine) is None:
                message = f"{name} has a lifetime limit; how long it was given is not said, so it was not added up."
                field = f"{medicine.order}.taken_for_days"
                yield Notice("missing-data", field, message, None, ("max-dose",), (), False)


def _judged(context: Context, limit: DoseLimit, orders: list[Medicine]) -> Iterator[Finding | Notice]:
    verdict = judge_all(limit.when, context.facts)
    if verdict.truth is Truth.UNKNOWN:
        yield from _unjudged(context, limit, orders, verdict)
    elif verdict.truth is Truth.YES:
        yield from _unknown_amount(context, limit, orders)
        broken = _excess(context, limit, orders)
        if broken is not None:
            yield _finding(context, limit, orders, *broken)


def _of_drug(context: Context, orders: list[Medicine]) -> Iterator[Finding | Notice]:
    for limit in orders[0].drug.dose_limits:
        concerned = [m for m in orders if _applies(limit, m)] if _asked(context, limit, orders) else []
        stated = [m for m in concerned if not _left_open(limit, m)]
        if stated:
            yield from _judged(context, limit, stated)
        if len(stated) < len(concerned):
            yield from _unasked(context, limit, concerned)


def _as_reference(limit: LifetimeLimit, medicine: Medicine) -> float | None:
    """What was given of a member in all, as the dose of the reference that harms as much."""
    given = _given_in_all(medicine)
    return None if given is None else given * limit.equivalents[medicine.id]


def _members(context: Context, limit: LifetimeLimit) -> list[Medicine]:
    taken = (*context.active, *context.stopped)
    return sorted((m for m in taken if m.systemic and m.id in limit.equivalents), key=lambda m: (m.id, m.order))


def _unknown_part(name: str, members: list[Medicine]) -> Iterator[Notice]:
    for medicine in members:
        if _given_in_all(medicine) is None:
            message = f"{medicine.drug.name} counts towards the lifetime limit of {name}; how much was given in all is not said."
            yield Notice("missing-data", f"{medicine.order}.taken_for_days", message, None, ("max-dose",), (), False)


def _lifetime_finding(
    context: Context, item: DrugClass, limit: LifetimeLimit, members: list[Medicine], given: float, allowed: float
) -> Finding:
    names = ", ".join(sorted({m.drug.name for m in members}))
    return Finding(
        kind="max-dose",
        hazard="max-dose-exceeded",
        severity=_severity(context, DoseLimit("cumulative", limit.max, severity=limit.severity), given / allowed),
        drugs=tuple(sorted({m.id for m in members})),
        orders=tuple(sorted({m.order for m in members})),
        summary=f"{names}: together {given:.0f} {limit.unit} of {limit.reference} in all exceeds the lifetime {allowed:.0f}"[
            :139
        ],
        key=("lifetime", item.id),
        consequence=limit.harm,
        mechanism=f"Doses of {item.name} were added up as the dose of {limit.reference} that harms as much.",
        path=tuple(PathStep(m.id, "counts-as", f"{limit.equivalents[m.id]:g} {limit.reference}") for m in members),
        magnitude=Magnitude("dose-ratio", round(given / allowed, 2), "record"),
        management=(limit.advice,),
        sources=context.index.cite(limit.sources),
        rule=f"limit:{item.id}:lifetime",
    )


def _of_class(context: Context, item: DrugClass, limit: LifetimeLimit) -> Iterator[Finding | Notice]:
    """A lifetime limit that several members share; one member alone is held against its own."""
    members = _members(context, limit)
    if len({m.id for m in members}) < 2 or not context.in_focus(*members):
        return
    yield from _unknown_part(item.name, members)
    given = sum(amount for m in members if (amount := _as_reference(limit, m)) is not None)
    size = float(context.facts.values.get("bsa_m2", LARGEST_BSA_M2)) if limit.per_m2 else 1.0
    if given > limit.max * size * TOLERANCE:
        yield _lifetime_finding(context, item, limit, members, given, limit.max * size)


def find(context: Context) -> Iterator[Finding | Notice]:
    """Every broken limit; of several broken limits of a kind the merge keeps the most serious."""
    for item in context.index.lifetimes:
        for limit in item.lifetime_limits:
            yield from _of_class(context, item, limit)
    groups: dict[str, list[Medicine]] = {}
    for medicine in context.active:
        groups.setdefault(medicine.id, []).append(medicine)
    for drug_id in sorted(groups):
        if context.in_focus(*groups[drug_id]):
            yield from _of_drug(context, groups[drug_id])
