"""Orders, statements, administrations and supplies of medicines → orders of a case.

One medicine met in several resources is one order. What was given or supplied counts as taken while it lasts; afterwards
as stopped so many days ago. A medicine that can't be named is a notice, never left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from medsafe.fhir.dosage import Dosage, combine, dosage_lines
from medsafe.fhir.routes import route_of_product
from medsafe.fhir.shape import (
    Coding,
    Json,
    any_of,
    codings,
    concept_text,
    concept_word,
    day,
    kind_of,
    local_id,
    mapping,
    name_of,
    number,
    objects,
    reference,
    words,
)
from medsafe.identity.names import SYSTEMS
from medsafe.model.case import DrugRef, Order
from medsafe.model.findings import Notice

REQUESTS = frozenset({"MedicationRequest", "MedicationOrder", "MedicationPrescription"})
STATEMENTS = frozenset({"MedicationStatement", "MedicationUsage"})
GIVEN = frozenset({"MedicationAdministration", "MedicationDispense"})
MEDICATION_TYPES = REQUESTS | STATEMENTS | GIVEN
# Where a resource says which order it belongs to.
BELONGS_TO = ("authorizingPrescription", "request", "prescription", "basedOn", "derivedFrom")
NEVER_TAKEN = frozenset({"draft", "entered-in-error", "cancelled", "not-taken", "not-done", "declined", "preparation"})
ENDED = frozenset({"stopped", "completed", "ended"})
NOT_ORDERED = frozenset({"proposal", "option"})
# A dose given yesterday may still be part of a running course; the chart says no more than that.
DAYS_A_DOSE_COUNTS = 1
CODE_PREFERENCE = ("rxnorm", "snomed", "atc", "ndc")
COUNTS = frozenset({0.5, 1.0, 1.5, 2.0, 3.0, 4.0})
_STRENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(?:mg|mcg|micrograms?|g)\b(?!\s*/)", re.IGNORECASE)
_NOT_COUNTED = re.compile(
    r"/|\bml\b|inject|syringe|vial|infusion|solution|suspension|syrup|patch|inhal|spray|cream|ointment|gel\b|drops?\b",
    re.IGNORECASE,
)
_RATE_IN_NAME = re.compile(r"(\d+(?:\.\d+)?)\s*(mg|mcg|micrograms?)\s*/\s*(?:hr|hour|h)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Medicine:
    """An order as read, with the resource it came from, before it gets its place in the case."""

    order: Order
    source: Json
    notices: tuple[Notice, ...] = ()

    @property
    def key(self) -> str:
        return name_of(self.source) if self.source.get("id") else ""

    @property
    def same_drug(self) -> tuple[str, ...]:
        drug = self.order.drug
        return (drug.system, drug.code) if drug.code else (drug.name.casefold(), *drug.components)

    @property
    def same_dose(self) -> tuple[Any, ...]:
        o = self.order
        return o.dose, o.unit, o.times_per_day, o.interval_h, o.route


@dataclass(frozen=True, slots=True)
class Shelf:
    """The Medication resources at hand, by id and by the URL of their entry."""

    found: Mapping[str, Json] = field(default_factory=dict)

    def get(self, resource: Json, target: str) -> Json | None:
        """The Medication that a resource refers to: contained in it, or delivered beside it."""
        if target.startswith("#"):
            inside = objects(resource.get("contained"))
            return next((c for c in inside if words(c.get("id")).lstrip("#") == target[1:]), None)
        return self.found.get(local_id(target))


def shelf_of(resources: Iterable[Json]) -> Shelf:
    """The Medication resources among others."""
    return Shelf({words(r.get("id")): r for r in resources if kind_of(r) == "Medication" and r.get("id")})


def _best_code(listed: list[Coding]) -> Coding | None:
    known = [(SYSTEMS.get(c.system.casefold().rstrip("/")), c) for c in listed if c.code]
    ranked = [c for wanted in CODE_PREFERENCE for system, c in known if system == wanted]
    return ranked[0] if ranked else None


def _drug_of_concept(concept: Any) -> DrugRef | None:
    listed = codings(concept)
    best = _best_code(listed)
    name = concept_text(concept)
    if best is not None:
        return DrugRef(best.display or name, best.system, best.code)
    return DrugRef(name) if name else None


def _drug_of_medication(medication: Json) -> DrugRef | None:
    found = _drug_of_concept(medication.get("code"))
    if found is not None:
        return found
    listed = [mapping(i) for i in objects(medication.get("ingredient"))]
    names = [
        concept_text(any_of(i, "itemCodeableConcept", "item")) or concept_text(mapping(i.get("item")).get("concept"))
        for i in listed
    ]
    parts = tuple(name for name in names if name)
    if not parts:
        return None
    return DrugRef(" / ".join(parts), components=parts if len(parts) > 1 else ())


def drug_of(resource: Json, shelf: Shelf) -> tuple[DrugRef | None, str]:
    """The drug that a resource names, and what is wrong when it names none that can be read."""
    medication = mapping(resource.get("medication"))
    concept = any_of(resource, "medicationCodeableConcept") or medication.get("concept")
    if concept is None and medication.keys() & {"coding", "text"}:
        concept = medication
    found = _drug_of_concept(concept) if concept is not None else None
    if found is not None:
        return found, ""
    holder = resource.get("medicationReference") or medication.get("reference")
    if holder is None:
        return None, "names no medicine"
    target = reference(holder) or reference(mapping(holder).get("reference"))
    at_hand = shelf.get(resource, target) if target else None
    found = _drug_of_medication(at_hand) if at_hand else None
    if found is not None:
        return found, ""
    shown = words(mapping(holder).get("display"))
    return (DrugRef(shown), "") if shown else (None, "refers to a medication that was not sent")


def is_blank(resource: Json) -> bool:
    """A draft in which no medicine has been chosen yet."""
    concept = resource.get("medicationCodeableConcept")
    chosen = bool(codings(concept)) or bool(concept_text(concept))
    return not chosen and not any_of(resource, "medicationReference", "medication")


def _patch_rate(drug: DrugRef, dosage: Dosage) -> Dosage:
    """A patch whose name states what it releases is a rate, whatever it is counted in."""
    match = _RATE_IN_NAME.search(drug.name)
    if match is None or dosage.unit != "patch" or not dosage.dose:
        return dosage
    unit = "mg/h" if match[2].casefold() == "mg" else "mcg/h"
    note = f"{dosage.dose:g} patch of {match[1]} {match[2]} per hour read as its rate"
    return replace(dosage, dose=dosage.dose * float(match[1]), unit=unit, notes=(*dosage.notes, note))


def _counted(drug: DrugRef, dosage: Dosage) -> Dosage:
    """A small number without a unit beside a product of one strength counts the product: nobody orders 1 mg of a 40 mg tablet."""
    strengths = _STRENGTH.findall(drug.name)
    if dosage.unit is not None or dosage.dose not in COUNTS or len(strengths) != 1 or _NOT_COUNTED.search(drug.name):
        return dosage
    if dosage.dose == float(strengths[0]):
        return dosage
    note = f"{dosage.dose:g} without a unit read as so many of the product"
    return replace(dosage, unit="tablet", notes=(*dosage.notes, note))


def _order(ref: str, drug: DrugRef, dosage: Dosage, started: date | None) -> Order:
    return Order(
        ref=ref,
        drug=drug,
        dose=dosage.dose,
        unit=dosage.unit,
        # A stated route that is not known must not be talked over by the product's usual one.
        route=dosage.route or (None if dosage.unknown_route else route_of_product(drug.name)),
        times_per_day=dosage.times_per_day,
        interval_h=dosage.interval_h,
        prn=dosage.prn,
        max_times_per_day=dosage.max_times_per_day,
        started_on=started,
        phase="single-dose" if dosage.once else "",
    )


def _started(resource: Json) -> date | None:
    """Since when a medicine has been taken, as far as is known: at the latest since its last order or supply."""
    period = mapping(any_of(resource, "effectivePeriod", "occurencePeriod"))
    return day(period.get("start")) or day(any_of(resource, "effectiveDateTime", "authoredOn", "whenHandedOver"))


def read_medicine(resource: Json, shelf: Shelf, ref: str = "") -> Medicine | Notice:
    """One medication resource as an order, or a notice that says why it can't be read."""
    name = name_of(resource)
    drug, wrong = drug_of(resource, shelf)
    if drug is None:
        return Notice(
            "unknown-drug",
            name,
            f"{name} {wrong}, so nothing about it was checked.",
            None,
            ("all checks of this drug",),
        )
    dosage = _counted(drug, _patch_rate(drug, combine(dosage_lines(resource))))
    shown = drug.shown
    doubts = [
        Notice(
            "missing-data", f"{name}.dosage", f"{shown}: {'; '.join(dosage.doubts)}.", None, ("max-dose", "organ-dose")
        )
    ]
    notes = [Notice("missing-data", f"{name}.dosage.read", f"{shown}: {'; '.join(dosage.notes)}.", limits=False)]
    notices = (doubts if dosage.doubts else []) + (notes if dosage.notes else [])
    return Medicine(_order(ref, drug, dosage, _started(resource)), resource, tuple(notices))


def _end(resource: Json) -> date | None:
    """The day a medicine was last taken or its supply ran out, where that is stated."""
    period = mapping(any_of(resource, "effectivePeriod", "occurencePeriod"))
    ended = day(period.get("end")) or day(resource.get("statusChanged")) or day(any_of(resource, "dateEnded"))
    if ended is not None:
        return ended
    if kind_of(resource) == "MedicationDispense":
        return _supply_end(resource)
    if kind_of(resource) == "MedicationAdministration":
        return day(any_of(resource, "effectiveDateTime", "effectiveTimeDateTime", "occurenceDateTime"))
    bounds = [
        mapping(mapping(mapping(line.get("timing")).get("repeat")).get("boundsPeriod"))
        for line in dosage_lines(resource)
    ]
    return max(filter(None, (day(b.get("end")) for b in bounds)), default=None)


def _supply_end(resource: Json) -> date | None:
    handed = day(any_of(resource, "whenHandedOver", "whenPrepared"))
    supply = number(mapping(resource.get("daysSupply")).get("value"))
    if handed is None or supply is None or not 0 < supply < 3660:
        return None
    return handed + timedelta(days=int(supply))


def days_since_end(resource: Json, as_of: date | None) -> float | None:
    """For how many days a medicine is no longer taken: None while it is, or as far as is known."""
    ended = _end(resource)
    kind, status = kind_of(resource), concept_word(resource.get("status"))
    if ended is None or as_of is None:
        return None
    days = float((as_of - ended).days)
    if kind == "MedicationAdministration":
        return days if status != "in-progress" and days > DAYS_A_DOSE_COUNTS else None
    if kind == "MedicationDispense":
        return days if days > 0 else None
    return max(days, 0.0) if status in ENDED else None


def is_taken(resource: Json) -> bool:
    """Whether a resource speaks of a medicine that was or is meant to be taken."""
    if concept_word(resource.get("status")) in NEVER_TAKEN or resource.get("doNotPerform") is True:
        return False
    if (
        resource.get("wasNotTaken") is True
        or concept_word(resource.get("taken")) == "n"
        or resource.get("notGiven") is True
    ):
        return False
    return concept_word(resource.get("intent")) not in NOT_ORDERED


def ended_without_date(resource: Json) -> bool:
    """An order that ended, nobody says when."""
    kind = kind_of(resource)
    return kind in REQUESTS | STATEMENTS and concept_word(resource.get("status")) in ENDED and _end(resource) is None


def belongs_to(resource: Json) -> set[str]:
    """Ids of the orders that a resource carries out or was derived from."""
    targets = [reference(item) for name in BELONGS_TO for item in objects(resource.get(name))]
    return {local_id(target) for target in targets if target}


def _covers(other: Medicine, medicine: Medicine) -> bool:
    """Whether `other` is the same medicine, met in another resource."""
    source, kind = medicine.source, kind_of(medicine.source)
    if medicine.key and medicine.key == other.key:
        return True
    if words(other.source.get("id")) in belongs_to(source):
        return True
    if medicine.same_drug != other.same_drug:
        return False
    elsewhere = kind in STATEMENTS and kind != kind_of(other.source)
    return kind in GIVEN or (elsewhere and (medicine.order.dose is None or medicine.same_dose == other.same_dose))


def _precedence(resource: Json) -> int:
    kind = kind_of(resource)
    return 0 if kind in REQUESTS else 1 if kind in STATEMENTS else 2


@dataclass(frozen=True, slots=True)
class MedicineList:
    """What a patient takes, what was stopped, and what could not be read."""

    taken: tuple[Medicine, ...]
    stopped: tuple[Medicine, ...]
    notices: tuple[Notice, ...]


def _stopped(resource: Json, medicine: Medicine, days: float) -> Medicine:
    return replace(medicine, order=replace(medicine.order, days_ago=days), source=resource, notices=())


def read_list(resources: Iterable[Json], shelf: Shelf, as_of: date | None) -> MedicineList:
    """Every medication resource of a patient, each medicine once."""
    taken: list[Medicine] = []
    stopped: list[Medicine] = []
    notices: list[Notice] = []
    undated = 0
    for resource in sorted(resources, key=_precedence):
        if not is_taken(resource):
            continue
        if ended_without_date(resource):
            undated += 1
            continue
        read = read_medicine(resource, shelf)
        if isinstance(read, Notice):
            notices.append(read)
            continue
        days = days_since_end(resource, as_of)
        if days is not None:
            stopped.append(_stopped(resource, read, days))
        elif not any(_covers(other, read) for other in taken):
            taken.append(read)
    if undated:
        notices.append(_undated(undated))
    now = {m.same_drug for m in taken}
    return MedicineList(tuple(taken), _latest(m for m in stopped if m.same_drug not in now), tuple(notices))


def _latest(stopped: Iterable[Medicine]) -> tuple[Medicine, ...]:
    """The last end of each medicine stopped."""
    kept: dict[tuple[str, ...], Medicine] = {}
    for medicine in sorted(stopped, key=lambda m: m.order.days_ago or 0.0):
        kept.setdefault(medicine.same_drug, medicine)
    return tuple(kept.values())


def _undated(count: int) -> Notice:
    message = f"{count} ended order{'s' if count > 1 else ''} without a day of ending: what may still act of them was not checked."
    return Notice("missing-data", "recently_stopped", message, count, ("time-course",), limits=False)
