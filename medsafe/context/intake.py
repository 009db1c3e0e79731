"""From orders as written to medicines: names resolved, doses brought to one unit, what is unclear told.

Nothing is guessed: a name that is not known, a unit that can't be read, a frequency that is missing becomes a notice
that says which checks it blocks, and the rest of the case goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from medsafe.graph.index import Index
from medsafe.identity.names import NameIndex
from medsafe.identity.resolution import Resolution, reconcile
from medsafe.model.case import Case, DrugRef, Order
from medsafe.model.findings import Notice
from medsafe.model.medicine import Medicine
from medsafe.model.vocabulary import (
    COUNT_UNITS,
    FORM_WORDS,
    LOCAL_BY_DEFAULT,
    MASS_MG,
    OTHER_UNITS,
    ROUTE_FORMS,
    ROUTES,
)

STRENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(mg|mcg|micrograms?|µg|ug|g|units?|mmol|meq)\b", re.IGNORECASE)
PER = re.compile(
    r"(?:per|/)\s*(\d+(?:\.\d+)?)?\s*(ml|tablet|capsule|tab|cap|patch|dose|spray|actuation|h|hour)\b", re.IGNORECASE
)
RATE = re.compile(r"^\s*([a-zµμ]+)\s*(?:/|per)\s*(24\s*h|h|hr|hour|day|24\s*hours|min)\w*\s*$", re.IGNORECASE)
HOURS = {"h": 1.0, "hr": 1.0, "hour": 1.0, "24h": 24.0, "24hours": 24.0, "day": 24.0, "min": 1 / 60}


@dataclass(frozen=True, slots=True)
class Intake:
    """The medicines of a case, the ones stopped lately, and what could not be understood."""

    active: tuple[Medicine, ...]
    stopped: tuple[Medicine, ...]
    notices: tuple[Notice, ...]
    unresolved: tuple[str, ...]
    regimen: tuple[Medicine, ...] = ()


@lru_cache(maxsize=1024)
def read_forms(form: str, route: str | None) -> frozenset[str]:
    """The form words that an order's form and route speak of.

    >>> sorted(read_forms("MR tablets", "oral"))
    ['modified-release', 'tablet']
    """
    text = f" {form.casefold()} "
    found = {word for word, spellings in FORM_WORDS.items() if any(s in text for s in spellings)}
    if route in ROUTE_FORMS and not found:
        found.add(ROUTE_FORMS[route])
    return frozenset(found)


def same_unit(value: float, unit: str, wanted: str) -> float | None:
    """Bring a dose into the wanted unit, or None when the two don't measure the same thing.

    >>> same_unit(500, "mcg", "mg")
    0.5
    """
    unit, wanted = unit.strip().casefold(), wanted.strip().casefold()
    if unit in MASS_MG and wanted in MASS_MG:
        return value * MASS_MG[unit] / MASS_MG[wanted]
    if OTHER_UNITS.get(unit, unit) == OTHER_UNITS.get(wanted, wanted):
        return value
    return None


def per_day(order: Order) -> float | None:
    """How many doses a day an order allows at most, or None when it doesn't say."""
    if order.prn and order.max_times_per_day is not None:
        return order.max_times_per_day
    if order.times_per_day is not None:
        return order.times_per_day
    if order.interval_h:
        return 24.0 / order.interval_h
    return order.max_times_per_day


@dataclass(frozen=True, slots=True)
class _Dose:
    single: float | None = None
    daily: float | None = None
    is_rate: bool = False
    problem: str = ""
    code: str = "missing-data"
    part: str = "dose"


# In any unit of dose; the largest real ones are some ten million units a day.
IMPOSSIBLE_AMOUNT = 1e9


def _strengths(text: str) -> list[tuple[float, str]]:
    return [(float(number), unit) for number, unit in STRENGTH.findall(text)]


def _per_amount(text: str) -> tuple[float, str]:
    match = PER.search(text)
    return (float(match.group(1) or 1), match.group(2).casefold()) if match else (1.0, "")


def _counted_dose(order: Order, position: int, known: tuple[float, str] | None) -> tuple[float, str] | None:
    """Dose of one component of an order given as tablets, millilitres or sprays, through its strength."""
    assert order.dose is not None
    found = _strengths(order.drug.strength)
    strength = found[position] if position < len(found) else known
    if strength is None:
        return None
    amount, unit = _per_amount(order.drug.strength) if found else (1.0, "")
    share = order.dose / amount if unit == "ml" else order.dose
    return strength[0] * share, strength[1]


def _patch_dose(order: Order, wanted: str, known: tuple[float, str] | None) -> _Dose:
    """Dose of patches that are named by their rate: so many patches of so much an hour, worn day and night."""
    assert order.dose is not None
    if order.unit is None or order.unit.strip().casefold() not in COUNT_UNITS:
        wrong = f"a patch is ordered by its rate an hour, and {order.unit!r} is none"
        return _Dose(problem=wrong, code="unit-suspect", part="unit")
    found = _strengths(order.drug.strength)
    strength = found[0] if found else known
    rate = same_unit(strength[0], strength[1], wanted) if strength else None
    if rate is None:
        return _Dose(problem="the strength of one of the patches is not given", part="drug.strength")
    return _Dose(None, rate * order.dose * 24.0, True)


def _dose_of(
    order: Order, wanted: str, position: int, known: tuple[float, str] | None, patch_rate: bool = False
) -> _Dose:
    if order.dose is None:
        return _Dose(problem="the dose is missing")
    if not order.unit:
        return _Dose(problem="the dose has no unit", code="unit-suspect", part="unit")
    unit = order.unit.strip()
    rate = RATE.match(unit)
    if rate:
        mass = same_unit(order.dose, rate.group(1), wanted)
        hours = HOURS.get(rate.group(2).casefold().replace(" ", ""))
        if mass is not None and hours is not None:
            return _Dose(None, mass * 24.0 / hours, True)
    if patch_rate:
        return _patch_dose(order, wanted, known)
    amount: tuple[float, str] | None = (order.dose, unit)
    if unit.casefold() in COUNT_UNITS or (unit.casefold() == "ml" and wanted.casefold() != "ml"):
        amount = _counted_dose(order, position, known)
        if amount is None:
            return _Dose(problem=f"what one {unit} holds is not given", part="drug.strength")
    elif position > 0 and known is None:
        return _Dose(problem="the dose of this component is not given", part="drug.strength")
    elif position > 0 and known is not None:
        amount = known
    return _timed(order, same_unit(amount[0], amount[1], wanted), wanted) if amount else _Dose()


def _timed(order: Order, single: float | None, wanted: str) -> _Dose:
    if single is None:
        wrong = f"the unit {order.unit!r} can't be brought to {wanted}"
        return _Dose(problem=wrong, code="unit-suspect", part="unit")
    times = per_day(order)
    if times is None:
        return _Dose(single, None, problem="how often it is given is missing", part="times_per_day")
    return _Dose(single, single * times)


def _possible(dose: _Dose) -> _Dose:
    """The dose, unless it is beyond anything that could be given: then it is a slip that no rule can be asked about."""
    if max(dose.single or 0.0, dose.daily or 0.0) < IMPOSSIBLE_AMOUNT:
        return dose
    return _Dose(problem="no dose is so large", code="value-implausible")


def _systemic(index: Index, drug_id: str, route: str | None) -> bool:
    drug = index.drugs[drug_id].drug
    if route is None:
        return bool(drug.systemic_routes)
    if route in drug.local_routes:
        return False
    return route in drug.systemic_routes or route not in LOCAL_BY_DEFAULT


def _days(as_of: date | None, then: date | None) -> float | None:
    return float((as_of - then).days) if as_of is not None and then is not None else None


class Reader:
    """Reads the orders of one case; collects notices on the way."""

    def __init__(self, index: Index, names: NameIndex, as_of: date | None) -> None:
        self.index, self.names, self.as_of = index, names, as_of
        self.notices: list[Notice] = []
        self.unresolved: list[str] = []

    def resolve(self, ref: DrugRef, field: str) -> Resolution | None:
        """Resolve a drug reference, or tell that it can't be and what it might be."""
        found = self._said(ref)
        if found.status == "resolved" and found.components:
            for doubt in found.doubts:
                self.notices.append(
                    Notice("ambiguous-drug", field, f"“{ref.shown}”: {doubt}.", ref.shown, ("identity",))
                )
            return found
        self._unknown(ref, field, found)
        return None

    def _said(self, ref: DrugRef) -> Resolution:
        """What code and name say together: where they name different drugs neither is believed."""
        if not ref.code:
            return self.names.resolve_name(ref.name)
        by_code = self.names.resolve_code(ref.system, ref.code)
        return reconcile(by_code, self.names.resolve_name(ref.name)) if ref.name else by_code

    def _unknown(self, ref: DrugRef, field: str, found: Resolution) -> None:
        self.unresolved.append(ref.shown)
        ambiguous = found.status == "ambiguous"
        candidates = tuple({"id": c.id, "name": c.name, "score": round(c.score, 1)} for c in found.candidates)
        listed = ", ".join(str(c["name"]) for c in candidates)
        hint = f" It may mean: {listed}." if listed else ""
        what = "has more than one reading" if ambiguous else "is not known"
        message = f"“{ref.shown}” {what}, so nothing about it was checked.{hint} Give the full generic name or a code."
        code = "ambiguous-drug" if ambiguous else "unknown-drug"
        self.notices.append(Notice(code, field, message, ref.shown, ("all checks of this drug",), candidates))

    def medicines(self, order: Order) -> Iterator[Medicine]:
        """The medicines that one order contains."""
        field = f"{order.ref}.drug"
        if order.drug.components:
            parts = [
                self.resolve(DrugRef(name=name), f"{order.ref}.components.{i}")
                for i, name in enumerate(order.drug.components)
            ]
            pieces: list[tuple[str, tuple[float, str] | None]] = [
                (c.drug_id, None) for part in parts if part for c in part.components
            ]
            form = ""
        else:
            found = self.resolve(order.drug, field)
            if found is None:
                return
            pieces = [
                (c.drug_id, (c.strength.value, c.strength.unit) if c.strength else None) for c in found.components
            ]
            form = f"{found.form or ''}"
            order, pieces = self._named_by_dose(order, pieces)
        route = self._route(order)
        for position, (drug_id, strength) in enumerate(pieces):
            if drug_id not in self.index.drugs:
                self._not_covered(drug_id, order, field)
            else:
                yield self._medicine(order, drug_id, position, strength, route, form)

    def _named_by_dose(
        self, order: Order, pieces: list[tuple[str, tuple[float, str] | None]]
    ) -> tuple[Order, list[tuple[str, tuple[float, str] | None]]]:
        """A combination that is ordered by the sum of its parts, or by one of them: one such product, if there is one."""
        open_strengths = len(pieces) > 1 and not all(strength for _, strength in pieces)
        if not open_strengths or not order.drug.name or order.drug.strength or order.dose is None or not order.unit:
            return order, pieces
        found = self.names.resolve_name(f"{order.drug.name} {order.dose:g} {order.unit}")
        known = [(c.drug_id, (c.strength.value, c.strength.unit) if c.strength else None) for c in found.components]
        if not any(strength for _, strength in known) or [i for i, _ in known] != [i for i, _ in pieces]:
            return order, pieces
        return replace(order, dose=1.0, unit="tablet"), known

    def _not_covered(self, drug_id: str, order: Order, field: str) -> None:
        message = (
            f"{drug_id.replace('-', ' ')} is recognised but there is no record of it yet: nothing about it was checked."
        )
        self.unresolved.append(drug_id)
        self.notices.append(Notice("not-covered", field, message, order.drug.shown, ("all checks of this drug",)))

    def _route(self, order: Order) -> str | None:
        if order.route is None:
            message = "The route is missing: route-dependent checks take the cautious reading."
            self.notices.append(
                Notice("missing-data", f"{order.ref}.route", message, None, ("route-form", "organ-dose"))
            )
            return None
        if order.route not in ROUTES:
            message = f"The route {order.route!r} is not known; expected one of {', '.join(sorted(ROUTES))}."
            self.notices.append(Notice("missing-data", f"{order.ref}.route", message, order.route, ("route-form",)))
            return None
        return order.route

    def _medicine(
        self,
        order: Order,
        drug_id: str,
        position: int,
        strength: tuple[float, str] | None,
        route: str | None,
        form: str,
    ) -> Medicine:
        entry = self.index.drugs[drug_id]
        by_rate = any(s.route == route == "transdermal" and s.unit.endswith("/h") for s in entry.drug.strengths)
        dose = _possible(_dose_of(order, entry.drug.dose_unit, position, strength, by_rate))
        if dose.problem and order.days_ago is None:
            message = f"{entry.drug.name}: {dose.problem}, so its dose was not checked."
            self.notices.append(
                Notice(
                    dose.code,
                    f"{order.ref}.{dose.part}",
                    message,
                    order.unit if dose.part == "unit" else None,
                    ("max-dose", "organ-dose"),
                )
            )
        interval = order.interval_h or (24.0 / order.times_per_day if order.times_per_day else None)
        taken = order.taken_for_days if order.taken_for_days is not None else _days(self.as_of, order.started_on)
        return Medicine(
            order.ref,
            entry.drug,
            entry.tags,
            entry.effects,
            entry.cautions,
            route,
            read_forms(f"{order.form} {form}", route),
            _systemic(self.index, drug_id, route),
            dose.single,
            dose.daily,
            dose.is_rate,
            interval,
            order.times_per_day,
            order.prn,
            order.phase == "single-dose",
            order.is_new,
            order.indication,
            _days(self.as_of, order.started_on),
            order.days_ago,
            taken,
            order.doses_last_24h,
            order.drug.shown,
        )


def _replaced(new_orders: Iterable[Order]) -> frozenset[str]:
    """Orders of the regimen that a new order takes the place of."""
    return frozenset(order.replaces for order in new_orders if order.replaces)


def _by_name(medicine: Medicine) -> tuple[str, str]:
    return medicine.id, medicine.order


def read_case(case: Case, index: Index, names: NameIndex) -> Intake:
    """Read every order of a case; `regimen` is what was taken before the new orders."""
    reader = Reader(index, names, case.as_of)
    regimen = [m for order in case.regimen for m in reader.medicines(order)]
    new = [m for order in case.new_orders for m in reader.medicines(order)]
    stopped = [m for order in case.recently_stopped for m in reader.medicines(order)]
    replaced = _replaced(case.new_orders)
    active = [m for m in (*regimen, *new) if m.order not in replaced]
    ordered = tuple(sorted(active, key=_by_name)), tuple(sorted(stopped, key=_by_name))
    return Intake(*ordered, tuple(reader.notices), tuple(reader.unresolved), tuple(regimen))
