"""The dose that would fit: for an order that is more than these organs or the record's limits allow, the most that passes.

What is offered is an order that can be given: doses that products make, whole times a day or usual intervals. It has been
through every check in the place of the order it would replace; where nothing fits, nothing is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from medsafe.checks import doses, organ_doses
from medsafe.context.context import Context
from medsafe.context.engine import Engine
from medsafe.context.intake import Reader, size_of
from medsafe.model.case import Order
from medsafe.model.drugs import Drug, Strength
from medsafe.model.findings import Finding, Notice
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity
from medsafe.model.vocabulary import MASS_MG
from medsafe.opioids.conversion import Target, made_of, strengths_of
from medsafe.suggestions.options import bands_of
from medsafe.suggestions.orders import ORDER_KEYS, daily_shown

RunChecks = Callable[[Context], tuple[tuple[Finding, ...], tuple[Notice, ...]]]
Accepts = Callable[[Order, tuple[Finding, ...]], bool]
DOSE_KINDS = frozenset({"organ-dose", "max-dose", "frequency", "opioid-safety", "age"})
# Orders of which something is counted: less of it is fewer of them.
COUNTED = frozenset({"tablet", "capsule", "patch", "puff", "spray", "suppository"})
# Usual intervals, in hours, of what is given once a day or less often.
INTERVALS_H = (24.0, 48.0, 72.0, 168.0)
# Below this share of the ordered amount a day another medicine is the answer, not a crumb of this one.
LEAST_SHARE = 0.1
MOST_COUNTED = 10
# Nobody gives a medicine oftener than every half hour; an order that says so is a slip, and is not counted down from.
MOST_TIMES = 48
MOST_TRIALS = 40


@dataclass(frozen=True, slots=True)
class FittingOrder:
    """An order that may stand in the place of one that is too much.

    `replaces` is the order it would replace; `order` and `daily_dose` as in a suggestion; `cautions` are what the checks
    still say of it.
    """

    replaces: str
    order: dict[str, Any]
    daily_dose: dict[str, Any] | None
    cautions: tuple[str, ...]


def _strengths(order: Order, drug: Drug, engine: Engine) -> Strength | None:
    """The strengths of the record, or else those on the market, in the unit of the order."""
    found = strengths_of(Target(drug, order.route or "", order.form))
    if found is None:
        sold = replace(drug, strengths=engine.product_strengths.get(drug.id, ()))
        found = strengths_of(Target(sold, order.route or "", order.form))
    if found is None or found.unit == order.unit:
        return found
    if found.unit not in MASS_MG or order.unit not in MASS_MG:
        return None
    scale = MASS_MG[found.unit] / MASS_MG[order.unit]
    return replace(found, values=tuple(round(v * scale, 6) for v in found.values), unit=order.unit)


def _lower_doses(order: Order, medicine: Medicine, engine: Engine) -> list[float]:
    """Single doses below the ordered one that products make, the highest first."""
    assert order.dose is not None
    if order.unit in COUNTED:
        most = int(order.dose)
        return [float(n) for n in range(most, max(0, most - MOST_COUNTED), -1) if n < order.dose]
    strengths = _strengths(order, medicine.drug, engine)
    if strengths is None:
        return []
    made = {float(v) for v in strengths.values}
    if strengths.form != "patch":
        made |= {dose for v in strengths.values for dose in made_of(float(v) * 2, strengths)}
    return sorted((dose for dose in made if dose < order.dose), reverse=True)


def _asks_for_interval(context: Context, medicine: Medicine) -> bool:
    """Whether an organ or a limit of this medicine asks for more than a day between doses."""
    bands = bands_of(context, medicine)
    limits = (limit.max for limit in medicine.drug.dose_limits if limit.kind == "interval")
    return any((b.min_interval_h or 0) > 24 for b in bands) or any(hours > 24 for hours in limits)


def _rarer(order: Order, by_days: bool) -> Iterator[Order]:
    """The same dose as often as it was ordered, and less often; more than a day apart only where that is asked for."""
    yield order
    for key in ("times_per_day", "max_times_per_day"):
        times = getattr(order, key)
        if times and times > 1:
            below = int(times) - (1 if float(times).is_integer() else 0)
            yield from (_retimed(order, key, float(n)) for n in range(min(below, MOST_TIMES), 0, -1))
    often = order.times_per_day or (24.0 / order.interval_h if order.interval_h else None)
    if often and not order.prn:
        longer = (h for h in INTERVALS_H if h > 24.0 / often + 0.01 and (by_days or h <= 24.0))
        yield from (replace(order, times_per_day=None, interval_h=h) for h in longer if h > 24.0 or order.interval_h)


def _retimed(order: Order, key: str, times: float) -> Order:
    if key == "times_per_day":
        return replace(order, times_per_day=times)
    return replace(order, max_times_per_day=times)


def per_day(order: Order) -> float:
    """How much an order asks for in a day, in its own unit; of a patch its rate."""
    if order.unit == "mcg/h":
        return order.dose or 0.0
    often = order.times_per_day or order.max_times_per_day or (24.0 / order.interval_h if order.interval_h else 1.0)
    return (order.dose or 0.0) * often


def gentler(order: Order, medicine: Medicine, context: Context, engine: Engine) -> list[Order]:
    """Orders of less, nearest to what was ordered first: as often with a lower dose before less often."""
    patch = "patch" in medicine.forms
    if order.dose is None or not order.unit or (medicine.is_rate and not patch):
        return []
    by_days = _asks_for_interval(context, medicine)
    rarer = list(_rarer(order, by_days))
    found = [replace(r, dose=d) for d in (order.dose, *_lower_doses(order, medicine, engine)) for r in rarer]
    ordered = per_day(order)
    less = [o for o in found if LEAST_SHARE * ordered <= per_day(o) < ordered * 0.999]
    if patch:
        # A patch gives its rate however often it is changed: changed less often it is less of a patch, not of a dose.
        less += [r for r in rarer if r is not order]
    return sorted(less, key=lambda o: (-round(per_day(o), 6), _timing(o) != _timing(order), -(o.dose or 0.0)))


def _timing(order: Order) -> tuple[float | None, ...]:
    return (order.times_per_day, order.max_times_per_day, order.interval_h)


def _as_medicine(order: Order, like: Medicine, context: Context, engine: Engine) -> Medicine | None:
    reader = Reader(engine.index, engine.names, context.case.as_of, size_of(context.facts.values))
    found = list(reader.medicines(order))
    return replace(found[0], new=like.new) if len(found) == 1 and found[0].id == like.id else None


def _too_much(findings: Iterable[object], ref: str) -> bool:
    """Whether something said of the dose of this order stands against it."""
    mine = (f for f in findings if isinstance(f, Finding) and ref in f.orders)
    return any(f.exceeds or (f.kind in DOSE_KINDS and f.severity >= Severity.HIGH) for f in mine)


def _serious(findings: Iterable[Finding]) -> dict[tuple[str, ...], Severity]:
    return {f.key: f.severity for f in findings if f.severity >= Severity.HIGH}


def first_gentler(
    order: Order, medicine: Medicine, context: Context, engine: Engine, run_checks: RunChecks, accepts: Accepts
) -> tuple[Order, Medicine, tuple[Finding, ...]] | None:
    """The most of an order that is accepted, read as a medicine, with what the checks say of it.

    Parameters
    ----------
    order, medicine: what was ordered, and how it was read. accepts: whether an order may be offered, with what was found.
    """
    for trial in gentler(order, medicine, context, engine)[:MOST_TRIALS]:
        option = _as_medicine(trial, medicine, context, engine)
        if option is None:
            continue
        tried = context.with_option(option, frozenset({order.ref}))
        # Most trials end at the doses themselves, which cost a fraction of all the checks.
        if _too_much((*doses.find(tried), *organ_doses.find(tried)), order.ref):
            continue
        found = tuple(f for f in run_checks(tried)[0] if order.ref in f.orders)
        if not _too_much(found, order.ref) and accepts(trial, found):
            return trial, option, found
    return None


def _fitting(
    order: Order, medicine: Medicine, context: Context, engine: Engine, base: tuple[Finding, ...], run_checks: RunChecks
) -> FittingOrder | None:
    before = _serious(f for f in base if order.ref in f.orders)

    def adds_nothing(_: Order, found: tuple[Finding, ...]) -> bool:
        return all(severity <= before.get(key, Severity.NONE) for key, severity in _serious(found).items())

    fits = first_gentler(order, medicine, context, engine, run_checks, adds_nothing)
    if fits is None:
        return None
    trial, option, found = fits
    shown: dict[str, Any] = {"drug": option.id} | {key: v for key in ORDER_KEYS if (v := getattr(trial, key))}
    told = tuple(f.summary for f in found if f.severity >= Severity.MODERATE)
    return FittingOrder(order.ref, shown, daily_shown(option, shown), told)


def fitting_orders(
    context: Context, engine: Engine, findings: tuple[Finding, ...], run_checks: RunChecks
) -> dict[str, FittingOrder]:
    """For each order that is too much: the most of it that would pass, where there is any.

    Parameters
    ----------
    context: the case with all its orders. findings: what the checks found in it. run_checks: all the checks.

    Returns
    -------
    Fitting orders by the order they would replace.
    """
    orders = {o.ref: o for o in (*context.case.regimen, *context.case.new_orders)}
    refs = sorted({ref for f in findings if f.exceeds and len(f.orders) == 1 for ref in f.orders if ref in orders})
    found: dict[str, FittingOrder] = {}
    for ref in refs:
        mine = [m for m in context.active if m.order == ref]
        if len(mine) == 1:
            fitting = _fitting(orders[ref], mine[0], context, engine, findings, run_checks)
            if fitting is not None:
                found[ref] = fitting
    return found
