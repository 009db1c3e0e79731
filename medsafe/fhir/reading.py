"""Resources in, one Case out, with a notice for everything that could not be read. No rule of medicine here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from medsafe.fhir.medications import (
    ENDED,
    MEDICATION_TYPES,
    REQUESTS,
    Medicine,
    MedicineList,
    belongs_to,
    is_blank,
    read_list,
    read_medicine,
    shelf_of,
)
from medsafe.fhir.observations import read_values
from medsafe.fhir.patients import (
    dialysis_of_conditions,
    read_age,
    read_allergies,
    read_conditions,
    read_dialysis,
    read_sex,
    read_smoking,
)
from medsafe.fhir.scores import Scores, read_scores
from medsafe.fhir.shape import Json, concept_word, kind_of, local_id, name_of, objects, reference, words
from medsafe.model.case import Case, Order, PatientData
from medsafe.model.findings import Notice


@dataclass(frozen=True, slots=True)
class Reading:
    """A case with the drafts its new orders came from and the days its vital signs were taken.

    `ending` are the refs of the medicines whose order is being stopped just now.
    """

    case: Case
    notices: tuple[Notice, ...]
    drafts: Mapping[str, Json]
    vital_dates: Mapping[str, date]
    ending: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Drafts:
    medicines: tuple[Medicine, ...]
    withdrawn: frozenset[str]
    notices: tuple[Notice, ...]


def is_drug_draft(resource: Json) -> bool:
    """Whether a draft orders a medicine: other orders, and those that call for none, are not ours to judge."""
    return kind_of(resource) in REQUESTS and resource.get("doNotPerform") is not True


def _is_withdrawn(draft: Json) -> bool:
    return concept_word(draft.get("status")) in ENDED | {"cancelled", "entered-in-error"}


def _read_drafts(drafts: Iterable[Json], beside: Iterable[Json]) -> _Drafts:
    listed = list(drafts)
    shelf = shelf_of((*listed, *beside))
    read: list[Medicine] = []
    notices: list[Notice] = []
    for draft in listed:
        if not is_drug_draft(draft) or _is_withdrawn(draft):
            continue
        found = read_medicine(draft, shelf, f"new_orders.{len(read)}")
        if isinstance(found, Notice):
            notices.append(replace(found, field=f"new_orders.{found.field}"))
        else:
            read.append(found)
    withdrawn = frozenset(name_of(d) for d in listed if is_drug_draft(d) and _is_withdrawn(d) and d.get("id"))
    return _Drafts(tuple(read), withdrawn, tuple(notices))


def same_order(draft: Medicine, medicine: Medicine) -> bool:
    """Whether a draft is an order that is already there: signed again, changed, renewed, or the same drug at the same dose."""
    source = medicine.source
    if draft.key and draft.key == medicine.key:
        return True
    prior = {local_id(reference(p)) for p in objects(draft.source.get("priorPrescription"))}
    known = words(source.get("id"))
    if known and (known in prior or words(draft.source.get("id")) in belongs_to(source)):
        return True
    return draft.same_drug == medicine.same_drug and draft.same_dose == medicine.same_dose


def _new_order(draft: Medicine, taken: tuple[Medicine, ...]) -> Order:
    """A draft; where it is an order that is already there it takes its place instead of standing beside it.

    The day a draft was written is not a day it was taken: only an unchanged renewal goes on from when its order began.
    """
    place = next((i for i, medicine in enumerate(taken) if same_order(draft, medicine)), None)
    if place is None:
        return replace(draft.order, started_on=None)
    unchanged = draft.same_drug == taken[place].same_drug and draft.same_dose == taken[place].same_dose
    started = taken[place].order.started_on if unchanged else None
    return replace(draft.order, replaces=f"regimen.{place}", started_on=started)


def _withdraw(listed: MedicineList, withdrawn: frozenset[str]) -> MedicineList:
    """A medicine whose order is being stopped just now counts as stopped today."""
    gone = tuple(replace(m, order=replace(m.order, days_ago=0.0)) for m in listed.taken if m.key in withdrawn)
    return replace(
        listed, taken=tuple(m for m in listed.taken if m.key not in withdrawn), stopped=(*listed.stopped, *gone)
    )


def _numbered(part: str, medicines: Iterable[Medicine]) -> tuple[Order, ...]:
    return tuple(replace(m.order, ref=f"{part}.{i}") for i, m in enumerate(medicines))


def _placed(part: str, medicines: Iterable[Medicine]) -> list[Notice]:
    """The notices of each medicine, with the place of its order in the case."""
    return [replace(n, field=f"{part}.{i}.{n.field}") for i, m in enumerate(medicines) for n in m.notices]


def read_resources(
    patient: Json | None,
    medications: Iterable[Json],
    drafts: Iterable[Json],
    observations: Iterable[Json],
    conditions: Iterable[Json] | None,
    allergies: Iterable[Json] | None,
    as_of: date | None,
    procedures: Iterable[Json] = (),
) -> Reading:
    """A Case from resources.

    Parameters
    ----------
    medications: every medication resource of the patient, and the Medications they refer to.
    drafts: what is being ordered, the Medications they refer to among them.
    conditions, allergies: None when they were not supplied, which is not the same as none.
    """
    at_hand = list(medications)
    ordered = _read_drafts(drafts, at_hand)
    medicines = [r for r in at_hand if kind_of(r) in MEDICATION_TYPES]
    listed = _withdraw(read_list(medicines, shelf_of(at_hand), as_of), ordered.withdrawn)
    observed = list(observations)
    scores = read_scores(observed, as_of)
    data, dates, about = _patient(patient, observed, scores, conditions, allergies, procedures, as_of)
    case = Case(
        as_of=as_of,
        patient=data,
        symptoms=scores.symptoms,
        regimen=_numbered("regimen", listed.taken),
        new_orders=tuple(_new_order(m, listed.taken) for m in ordered.medicines),
        recently_stopped=_numbered("recently_stopped", listed.stopped),
    )
    notices = (
        *ordered.notices,
        *_placed("new_orders", ordered.medicines),
        *listed.notices,
        *_placed("regimen", listed.taken),
        *about,
    )
    ended = frozenset(
        o.ref for o, m in zip(case.recently_stopped, listed.stopped, strict=True) if m.key in ordered.withdrawn
    )
    return Reading(case, notices, {m.order.ref: m.source for m in ordered.medicines}, dates, ended)


def _patient(
    patient: Json | None,
    observed: list[Json],
    scores: Scores,
    conditions: Iterable[Json] | None,
    allergies: Iterable[Json] | None,
    procedures: Iterable[Json],
    as_of: date | None,
) -> tuple[PatientData, Mapping[str, date], tuple[Notice, ...]]:
    listed = list(conditions or ())
    values = read_values(observed, as_of)
    age, age_notices = read_age(patient, as_of) if patient else (None, [])
    sex, sex_notices = read_sex(patient) if patient else (None, [])
    problems, problem_notices = read_conditions(listed)
    substances, allergy_notices = read_allergies(allergies or ())
    dialysis, dialysis_notices = read_dialysis(procedures, as_of)
    if dialysis is None:
        dialysis, more = dialysis_of_conditions(listed)
        dialysis_notices = more or dialysis_notices
    data = PatientData(
        sex=sex,
        labs=values.labs,
        vitals={**values.vitals, **({"age_years": age} if age is not None else {})},
        dialysis=dialysis,
        smoking=read_smoking(observed, listed),
        sedation=scores.sedation,
        conditions=None if conditions is None else (*problems, *scores.performance),
        allergies=None if allergies is None else substances,
    )
    told = (
        *age_notices,
        *sex_notices,
        *values.notices,
        *scores.notices,
        *problem_notices,
        *allergy_notices,
        *dialysis_notices,
    )
    return data, values.dates, told


def read_case(
    patient: Json | None,
    medications: Iterable[Json],
    drafts: Iterable[Json],
    observations: Iterable[Json],
    conditions: Iterable[Json] | None,
    allergies: Iterable[Json] | None,
    as_of: date | None,
    procedures: Iterable[Json] = (),
) -> tuple[Case, tuple[Notice, ...]]:
    """As `read_resources`, for callers that need the case and its notices only."""
    found = read_resources(patient, medications, drafts, observations, conditions, allergies, as_of, procedures)
    return found.case, found.notices


__all__ = ["Reading", "is_blank", "is_drug_draft", "read_case", "read_resources", "same_order"]
