"""What an EHR sent beside its question, sorted by kind, with four states kept apart: absent, null, empty and failed.

"Not sent" and "could not be fetched" are never read as "none". Keys are ours where we asked for them; what comes under
any other key is known by its resource types, or by the search that an empty bundle says it answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from medsafe.fhir.medications import MEDICATION_TYPES
from medsafe.fhir.shape import (
    Json,
    concept_word,
    kind_of,
    local_id,
    mapping,
    name_of,
    number,
    objects,
    reference,
    words,
)
from medsafe.model.findings import Notice

PATIENT, MEDICINES, CONDITIONS, ALLERGIES = "patient", "medications", "conditions", "allergies"
LABORATORY, VITALS, SCORES, PROCEDURES = "laboratory", "vitals", "scores", "procedures"
# The keys of our own templates and what they are about.
KEYS = {
    "patient": PATIENT,
    "medications": MEDICINES,
    "statements": MEDICINES,
    "stopped": MEDICINES,
    "administrations": MEDICINES,
    "dispenses": MEDICINES,
    "conditions": CONDITIONS,
    "allergies": ALLERGIES,
    "laboratory": LABORATORY,
    "vitals": VITALS,
    "scores": SCORES,
    "procedures": PROCEDURES,
}
# Searches for the latest few: that there is more is what was asked for.
BOUNDED = frozenset({"stopped", "administrations", "dispenses", "laboratory", "vitals", "scores", "procedures"})
KINDS: Mapping[str, tuple[str, ...]] = {
    "Patient": (PATIENT,),
    **dict.fromkeys(sorted(MEDICATION_TYPES), (MEDICINES,)),
    "Condition": (CONDITIONS,),
    "AllergyIntolerance": (ALLERGIES,),
    "Observation": (LABORATORY, VITALS, SCORES),
    "Procedure": (PROCEDURES,),
}
MOST_RESOURCES = 20_000


class State(StrEnum):
    """What became of one thing that was asked for."""

    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"
    FOUND = "found"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """One value of the prefetch, read."""

    key: str
    state: State
    resources: tuple[Json, ...] = ()
    searched: str = ""
    missing: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        if self.key in KEYS:
            return (KEYS[self.key],)
        types = [kind_of(r) for r in self.resources] or [self.searched]
        return tuple(dict.fromkeys(kind for name in types for kind in KINDS.get(name, ())))


@dataclass(frozen=True, slots=True)
class Prefetch:
    """Everything sent, by resource type; the state of each kind; what was only sent in part."""

    resources: tuple[Json, ...] = ()
    states: Mapping[str, State] = field(default_factory=dict)
    partial: tuple[tuple[str, str], ...] = ()
    notices: tuple[Notice, ...] = ()

    def of(self, *types: str) -> list[Json]:
        return [r for r in self.resources if kind_of(r) in types]

    def state(self, kind: str) -> State:
        return self.states.get(kind, State.ABSENT)

    def known(self, kind: str) -> bool:
        """Whether the EHR looked and said what it found."""
        return self.state(kind) in (State.FOUND, State.EMPTY)


def _entries(bundle: Json) -> Iterator[Json]:
    """The resources of a bundle, those of bundles inside it included; a Medication also under the URL it is referred to by."""
    waiting = objects(bundle.get("entry"))[::-1]
    for _ in range(MOST_RESOURCES):
        if not waiting:
            return
        entry = waiting.pop()
        resource = mapping(entry.get("resource"))
        if kind_of(resource) == "Bundle":
            waiting += objects(resource.get("entry"))[::-1]
        elif resource:
            yield resource
            url = words(entry.get("fullUrl"))
            if kind_of(resource) == "Medication" and url and local_id(url) != words(resource.get("id")):
                yield {**resource, "id": local_id(url)}


def bundle_resources(value: Any) -> list[Json]:
    """The resources of a Bundle, a list, or a single resource."""
    if isinstance(value, list):
        return [r for item in objects(value) for r in bundle_resources(item)]
    found = mapping(value)
    if kind_of(found) == "Bundle" or (isinstance(found.get("entry"), list) and "resourceType" not in found):
        return list(_entries(found))
    return [found] if kind_of(found) else []


def _is_failure(resource: Json) -> bool:
    """An OperationOutcome that tells of an error; warnings beside results are no failure."""
    if kind_of(resource) != "OperationOutcome":
        return False
    grades = {concept_word(issue.get("severity")) for issue in objects(resource.get("issue"))}
    return not grades or bool(grades & {"error", "fatal", ""})


def _link(bundle: Json, relation: str) -> str:
    return next(
        (words(item.get("url")) for item in objects(bundle.get("link")) if item.get("relation") == relation), ""
    )


def _searched(bundle: Json) -> str:
    """The resource type that a bundle's own link says was searched."""
    return _link(bundle, "self").split("?")[0].rstrip("/").split("/")[-1]


def _missing(bundle: Json, got: int) -> str:
    """What a bundle itself says is not in it."""
    matches = [e for e in objects(bundle.get("entry")) if mapping(e.get("search")).get("mode") in (None, "match")]
    total = number(bundle.get("total"))
    if total is not None and total > len(matches):
        return f"{len(matches)} of {total:g}"
    return f"the first {got}" if _link(bundle, "next") else ""


def _unwrapped(value: Any) -> tuple[Any, bool]:
    """Old clients wrap a value with the HTTP answer it came in: the value, and whether that answer was an error."""
    found = mapping(value)
    if "resourceType" in found or not found.keys() & {"response", "resource"}:
        return value, False
    status = words(str(mapping(found.get("response")).get("status") or "200"))
    return found.get("resource"), not status.startswith("2")


def read_answer(key: str, value: Any) -> Answer:
    """One value of the prefetch."""
    value, failed = _unwrapped(value)
    if failed:
        return Answer(key, State.FAILED)
    if value is None:
        return Answer(key, State.NULL)
    resources = bundle_resources(value)
    bundle = mapping(value) if kind_of(mapping(value)) == "Bundle" else {}
    searched = _searched(bundle)
    useful = tuple(r for r in resources if kind_of(r) != "OperationOutcome")
    if any(map(_is_failure, resources)):
        return Answer(key, State.FAILED, useful, searched)
    if not useful and not bundle and not isinstance(value, list):
        return Answer(key, State.FAILED)
    missing = _missing(bundle, len(useful)) if bundle and key not in BOUNDED else ""
    return Answer(key, State.FOUND if useful else State.EMPTY, useful, searched, missing)


def _worst(states: Iterable[State]) -> State:
    """The state of a kind that came in several values: a failure shows, else whatever was found."""
    order = (State.FAILED, State.FOUND, State.EMPTY, State.NULL)
    given = set(states)
    return next((state for state in order if state in given), State.ABSENT)


def _is_of(resource: Json, patient_id: str) -> bool:
    """Whether a resource is about this patient, as far as it says."""
    if kind_of(resource) == "Patient":
        return not resource.get("id") or words(resource["id"]) == patient_id
    about = reference(resource.get("subject")) or reference(resource.get("patient"))
    if not about or about.startswith("#") or "Group/" in about:
        return True
    return local_id(about) == patient_id


def _of_patient(resources: Iterable[Json], patient_id: str) -> tuple[list[Json], list[Notice]]:
    """The resources of this patient, each once; what belongs to another is not used, and said."""
    kept: dict[str, Json] = {}
    strangers = 0
    for position, resource in enumerate(resources):
        if patient_id and not _is_of(resource, patient_id):
            strangers += 1
            continue
        name = name_of(resource) if resource.get("id") else f"{name_of(resource)}#{position}"
        kept.setdefault(name, resource)
    if not strangers:
        return list(kept.values()), []
    many = "s belong" if strangers > 1 else " belongs"
    message = (
        f"{strangers} of the resources sent{many} to another patient and {'were' if strangers > 1 else 'was'} not used."
    )
    return list(kept.values()), [
        Notice("missing-data", "prefetch.patient", message, None, ("all checks that use them",))
    ]


def _values(prefetch: Any) -> Mapping[str, Any]:
    """The prefetch by key; some clients send one bare Bundle in its place."""
    found = mapping(prefetch)
    return {"": found} if kind_of(found) == "Bundle" else found


def read_prefetch(prefetch: Any, patient_id: str = "") -> Prefetch:
    """Everything that was sent, in the order of the keys."""
    answers = [read_answer(words(key), value) for key, value in _values(prefetch).items()]
    states: dict[str, list[State]] = {}
    for answer in answers:
        for kind in answer.kinds:
            states.setdefault(kind, []).append(answer.state)
    resources, notices = _of_patient((r for a in answers for r in a.resources), local_id(patient_id))
    lost = [a.key for a in answers if a.state is State.FAILED and not a.kinds]
    notices += [_lost(key) for key in lost]
    partial = tuple((kind, a.missing) for a in answers if a.missing for kind in a.kinds)
    return Prefetch(tuple(resources), {kind: _worst(found) for kind, found in states.items()}, partial, tuple(notices))


def _lost(key: str) -> Notice:
    message = f"The data sent as “{key}” could not be fetched or read."
    return Notice("missing-data", f"prefetch.{key}", message, None, ("all checks that use it",))
