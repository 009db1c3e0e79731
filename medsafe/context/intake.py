"""From orders as written to medicines: names resolved, doses brought to one unit, what is unclear told.

Nothing is guessed: a name that is not known, a unit that can't be read, a frequency that is missing becomes a notice
that says which checks it blocks, and the rest of the case goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from medsafe.context.amounts import Part, most_often_h, read_dose, read_strengths
from medsafe.graph.index import Index
from medsafe.identity.names import NameIndex
from medsafe.identity.resolution import Component, Resolution, reconcile
from medsafe.model.case import Case, DrugRef, Order
from medsafe.model.criteria import FactValue
from medsafe.model.findings import Notice
from medsafe.model.medicine import Medicine
from medsafe.model.vocabulary import FORM_WORDS, LOCAL_BY_DEFAULT, ROUTE_FORMS, ROUTES

CURRENT = ("regimen.", "new_orders.")
PHASES = ("ramp-up", "steady", "single-dose")


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

    def __init__(
        self, index: Index, names: NameIndex, as_of: date | None, size: Mapping[str, float] | None = None
    ) -> None:
        self.index, self.names, self.as_of, self.size = index, names, as_of, size or {}
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
            pieces = [Component(c.drug_id) for part in parts if part for c in part.components]
            if all(parts):
                self._unlike(order, pieces, field)
            form = ""
        else:
            found = self.resolve(order.drug, field)
            if found is None:
                return
            pieces = list(found.components)
            form = f"{found.form or ''}"
            order, pieces = self._named_by_dose(order, pieces)
        order, pieces = self._in_strengths(order, pieces)
        route = self._route(order)
        self._phase(order)
        self._contradictions(order)
        for position, piece in enumerate(pieces):
            if piece.drug_id not in self.index.drugs:
                self._not_covered(piece.drug_id, order, field)
            else:
                part = Part("", position, len(pieces), piece.strength, size=self.size)
                yield self._medicine(order, piece.drug_id, part, route, form)

    def _in_strengths(self, order: Order, pieces: list[Component]) -> tuple[Order, list[Component]]:
        """A combination with a strength for each ingredient, whichever way round they stand."""
        said = read_strengths(order.drug.strength)
        if not 1 < len(said) == len(pieces):
            return order, pieces
        strengths = self.names.combinations.in_order_of([piece.drug_id for piece in pieces], said)
        known = [Component(p.drug_id, s) for p, s in zip(pieces, strengths, strict=True)]
        return replace(order, drug=replace(order.drug, strength="")), known

    def _named_by_dose(self, order: Order, pieces: list[Component]) -> tuple[Order, list[Component]]:
        """A combination that is ordered by the sum of its parts, or by one of them: one such product, if there is one."""
        open_strengths = len(pieces) > 1 and not all(piece.strength for piece in pieces)
        if not open_strengths or not order.drug.name or order.drug.strength or order.dose is None or not order.unit:
            return order, pieces
        found = self.names.resolve_name(f"{order.drug.name} {order.dose:g} {order.unit}")
        known = list(found.components)
        if not any(c.strength for c in known) or [c.drug_id for c in known] != [c.drug_id for c in pieces]:
            return order, pieces
        return replace(order, dose=1.0, unit="tablet"), known

    def _not_covered(self, drug_id: str, order: Order, field: str) -> None:
        message = (
            f"{drug_id.replace('-', ' ')} is recognised but there is no record of it yet: nothing about it was checked."
        )
        self.unresolved.append(drug_id)
        self.notices.append(Notice("not-covered", field, message, order.drug.shown, ("all checks of this drug",)))

    def _phase(self, order: Order) -> None:
        if order.phase.strip() and order.phase.strip().casefold() not in PHASES:
            message = f"The phase {order.phase!r} is not understood; expected one of {', '.join(PHASES)}."
            self.notices.append(Notice("missing-data", f"{order.ref}.phase", message, order.phase, ("time-course",)))

    def _tell(self, order: Order, key: str, code: str, message: str, blocks: tuple[str, ...]) -> None:
        value = getattr(order, key)
        shown = str(value) if isinstance(value, date) else value
        self.notices.append(Notice(code, f"{order.ref}.{key}", message, shown, blocks))

    def _contradictions(self, order: Order) -> None:
        """What an order says that can't hold together with its place or with the rest of it."""
        most, taken = order.max_times_per_day, order.doses_last_24h
        if order.prn and most is not None and taken is not None and taken > most:
            message = f"{taken:g} doses in the last 24 hours are more than the {most:g} allowed: check which is right."
            self._tell(order, "doses_last_24h", "value-implausible", message, ("opioids", "max-dose"))
        if order.replaces and not order.is_new:
            message = "Only a new order can take the place of another: this was ignored."
            self._tell(order, "replaces", "not-covered", message, ("duplicates",))
        if order.days_ago is not None and order.ref.startswith(CURRENT):
            message = (
                "An order of the regimen is taken now: when it was stopped was ignored. Send it under recently_stopped."
            )
            self._tell(order, "days_ago", "not-covered", message, ("time-course",))
        self._duration(order)

    def _duration(self, order: Order) -> None:
        """Since when it is taken: said once, and not after the day of the check."""
        since, blocks = _days(self.as_of, order.started_on), ("time-course", "opioid tolerance")
        if order.started_on is not None and self.as_of is None:
            message = "It carries a date but the date of this check is missing: how long it is taken was not judged."
            self.notices.append(Notice("missing-data", "as_of", message, None, blocks))
        elif since is not None and since < 0 and not order.is_new:
            message = (
                f"It began on {order.started_on}, after the date of this check ({self.as_of}): the date is doubtful."
            )
            self._tell(order, "started_on", "value-implausible", message, blocks)
        elif since is not None and order.taken_for_days is not None and abs(since - order.taken_for_days) > 1:
            message = f"{since:g} days since it began and {order.taken_for_days:g} days taken do not agree: the shorter was used."
            self._tell(order, "taken_for_days", "value-implausible", message, blocks)

    def _unlike(self, order: Order, pieces: list[Component], field: str) -> None:
        """Tell where the name of an order is known to be of other ingredients than the components listed for it."""
        if not order.drug.name and not order.drug.code:
            return
        said = self._said(order.drug)
        if said.status == "resolved" and said.ids != {piece.drug_id for piece in pieces}:
            message = (
                f"“{order.drug.shown}” is not made of the components listed, which were read: check which is meant."
            )
            self.notices.append(Notice("ambiguous-drug", field, message, order.drug.shown, ("identity",)))

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
        part: Part,
        route: str | None,
        form: str,
    ) -> Medicine:
        entry = self.index.drugs[drug_id]
        by_rate = any(s.route == route == "transdermal" and s.unit.endswith("/h") for s in entry.drug.strengths)
        stopped = None if order.ref.startswith(CURRENT) else order.days_ago
        dose = read_dose(order, replace(part, wanted=entry.drug.dose_unit, patch_rate=by_rate))
        if dose.problem and stopped is None:
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
        said = (order.taken_for_days, _days(self.as_of, order.started_on))
        taken = min((days for days in said if days is not None), default=None)
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
            most_often_h(order),
            order.times_per_day,
            order.prn,
            order.phase.strip().casefold() == "single-dose",
            order.is_new,
            order.indication,
            _days(self.as_of, order.started_on),
            stopped,
            taken,
            order.doses_last_24h,
            order.drug.shown,
            order.phase,
        )


def size_of(facts: Mapping[str, FactValue]) -> Mapping[str, float]:
    """What a dose by weight (kg) or by surface (m²) is multiplied by, where the patient's is known."""
    known = {unit: facts.get(name) for unit, name in (("kg", "weight_kg"), ("m2", "bsa_m2"))}
    return {unit: float(value) for unit, value in known.items() if isinstance(value, int | float)}


def _replaced(new_orders: Iterable[Order]) -> frozenset[str]:
    """Orders of the regimen that a new order takes the place of."""
    return frozenset(order.replaces for order in new_orders if order.replaces)


def _by_name(medicine: Medicine) -> tuple[str, str]:
    return medicine.id, medicine.order


def read_case(case: Case, index: Index, names: NameIndex, size: Mapping[str, float]) -> Intake:
    """Read every order of a case; `regimen` is what was taken before the new orders."""
    reader = Reader(index, names, case.as_of, size)
    regimen = [m for order in case.regimen for m in reader.medicines(order)]
    new = [m for order in case.new_orders for m in reader.medicines(order)]
    stopped = [m for order in case.recently_stopped for m in reader.medicines(order)]
    replaced = _replaced(case.new_orders)
    active = [m for m in (*regimen, *new) if m.order not in replaced]
    ordered = tuple(sorted(active, key=_by_name)), tuple(sorted(stopped, key=_by_name))
    return Intake(*ordered, tuple(reader.notices), tuple(reader.unresolved), tuple(regimen))
