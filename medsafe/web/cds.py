"""CDS Hooks: `GET /cds-services`, `POST /cds-services/<id>` and its feedback, as a real EHR speaks them.

What the prescriber does not see must not be read as "all clear": whatever was not sent, fetched or understood is a card.
Unknown keys and odd identifiers are never a reason to refuse; errors are OperationOutcomes without a patient's values.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date

from flask import Blueprint, Response, current_app, request
from prometheus_client import Counter
from werkzeug.exceptions import HTTPException

from medsafe.fhir.cards import Call, Desk, cards_of
from medsafe.fhir.gaps import data_gaps, notice_gaps, ordered
from medsafe.fhir.medications import MEDICATION_TYPES, is_blank
from medsafe.fhir.prefetch import ALLERGIES, CONDITIONS, MEDICINES, Prefetch, bundle_resources, read_prefetch
from medsafe.fhir.reading import Reading, is_drug_draft, read_resources
from medsafe.fhir.repeats import AlertMemory, ProcessMemory, note, repeated
from medsafe.fhir.server import access_of, complete, read_allowed
from medsafe.fhir.services import SERVICES, CdsService
from medsafe.fhir.shape import Json, concept_word, local_id, mapping, name_of, reference, words
from medsafe.model.findings import Notice, merge_notices
from medsafe.web.exchange import body, engine, judged, reply
from medsafe.web.memory import remember, shown_before, store
from medsafe.web.outcomes import outcome
from medsafe.web.problems import Problem

blueprint = Blueprint("cds", __name__)
# A prefetch holds a patient's whole medication list and years of results.
MAX_BODY_BYTES = 8 * 1024 * 1024
CARDS = Counter("medsafe_cds_cards_total", "Cards sent", ["service", "indicator"])
# The whole answer should come within half a second; what has not been fetched by then is told as not fetched.
FETCH_SECONDS = 0.35
# Where nothing is kept in a store, each worker remembers what it showed.
SHOWN: AlertMemory = ProcessMemory()


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """A call that can't be answered, with everything that is wrong: (where, what)."""

    def __init__(self, status: int, *wrong: tuple[str, str]) -> None:
        super().__init__(status)
        self.status, self.wrong = status, wrong


@blueprint.errorhandler(Refused)
def refused(error: Refused) -> Response:
    return outcome(error.status, error.wrong)


@blueprint.errorhandler(Problem)
def problem(error: Problem) -> Response:
    # A body that is no object is as malformed here as one that is no JSON.
    status = 400 if error.status == 422 else error.status
    return outcome(status, tuple((e["field"], e["message"]) for e in error.errors) or (("", error.detail),))


@blueprint.errorhandler(HTTPException)
def http(error: HTTPException) -> Response:
    return outcome(error.code or 500, (("", error.name),))


@blueprint.errorhandler(Exception)
def unexpected(error: Exception) -> Response:
    # The kind of error is logged, never its text: it may hold a patient's values.
    current_app.logger.error("unexpected error of kind %s in a CDS service", type(error).__name__)
    return outcome(500, ())


@blueprint.before_request
def allow_whole_charts() -> None:
    request.max_content_length = MAX_BODY_BYTES


@blueprint.get("/cds-services")
def discovery() -> Response:
    """The services offered."""
    return reply({"services": [service.shown() for service in SERVICES.values()]})


def known_service(service_id: str) -> CdsService:
    found = SERVICES.get(service_id)
    if found is None:
        raise Refused(404, ("", f"There is no such service; there are: {', '.join(SERVICES)}."))
    return found


def _wrong(service: CdsService, call: Json) -> Iterator[tuple[str, str]]:
    """Everything that makes a call unusable; whatever is merely odd passes."""
    hook, context = call.get("hook"), call.get("context")
    if not isinstance(hook, str) or not hook:
        yield "hook", "hook is required"
    elif hook != service.hook:
        yield "hook", f"this service answers the hook {service.hook}"
    if not isinstance(call.get("hookInstance"), str) or not call["hookInstance"]:
        yield "hookInstance", "hookInstance is required"
    if not isinstance(context, dict):
        yield "context", "context is required and must be an object"
    elif service.orders and not isinstance(context.get("draftOrders"), dict | list):
        yield "context.draftOrders", "draftOrders is required and must be a Bundle"


@blueprint.post("/cds-services/<service_id>")
def answer(service_id: str) -> Response:
    """The cards for one call."""
    service = known_service(service_id)
    call = body()
    wrong = tuple(_wrong(service, call))
    if wrong:
        raise Refused(400, *wrong)
    cards = order_cards(service, call) if service.orders else view_cards(service, call)
    for card in cards:
        CARDS.labels(service.id, card["indicator"]).inc()
    return reply({"cards": cards})


def _today() -> date:
    """The day of the check; a test may fix it."""
    fixed = current_app.config.get("MEDSAFE_TODAY")
    return fixed if isinstance(fixed, date) else date.today()


def _patient_id(call: Json) -> str:
    return local_id(words(mapping(call.get("context")).get("patientId")) or words(call.get("patient")))


def _is_selected(draft: Json, selections: frozenset[str]) -> bool:
    return not selections or local_id(words(draft.get("id"))) in selections


def _selections(context: Json, drafts: list[Json]) -> frozenset[str]:
    """Ids of the selected drafts; none where no selection names a draft, so that all are judged."""
    given = context.get("selections")
    ids = {local_id(words(s)) for s in given if words(s)} if isinstance(given, list) else set()
    return frozenset(ids & {local_id(words(d.get("id"))) for d in drafts if d.get("id")})


# What a draft says of itself when it takes an order away.
GONE = ("cancelled", "entered-in-error", "stopped", "completed", "ended")


def _to_judge(drafts: list[Json], selections: frozenset[str], selecting: bool) -> list[Json]:
    """The drafts that order a medicine and are to be judged; an empty form is no order while it is being filled."""
    wanted = [d for d in drafts if is_drug_draft(d) and concept_word(d.get("status")) not in GONE]
    return [d for d in wanted if _is_selected(d, selections) and not (selecting and is_blank(d))]


def order_cards(service: CdsService, call: Json) -> list[Json]:
    """What the drafts create or worsen, critical hazards that stand, and what was not checked."""
    context = mapping(call["context"])
    drafts = bundle_resources(context.get("draftOrders"))
    selecting = service.hook == "order-select"
    selections = _selections(context, drafts) if selecting else frozenset()
    judged = _to_judge(drafts, selections, selecting)
    ends = [] if selecting else [d for d in drafts if is_drug_draft(d) and concept_word(d.get("status")) in GONE]
    if not judged and not ends:
        return []
    prefetch = _prefetch(call)
    reading = _read(prefetch, [d for d in drafts if not (selecting and is_blank(d))])
    refs = frozenset(ref for ref, draft in reading.drafts.items() if any(draft is d for d in judged)) | (
        frozenset() if selecting else reading.ending
    )
    if not refs and not judged:
        return []
    return _cards(service, call, prefetch, reading, refs, _strange_drafts(judged, _patient_id(call)))


def view_cards(service: CdsService, call: Json) -> list[Json]:
    """Critical hazards of what is taken now. Without a medication list nothing at all can be said."""
    prefetch = _prefetch(call)
    if not prefetch.known(MEDICINES) and not prefetch.of(*MEDICATION_TYPES):
        raise Refused(
            412, ("prefetch.medications", "The medication list was not supplied, so nothing could be checked.")
        )
    reading = _read(prefetch, [])
    if not reading.case.regimen and not reading.notices:
        return []
    return _cards(service, call, prefetch, reading, frozenset(), ())


def _prefetch(call: Json) -> Prefetch:
    """What was sent, completed from the EHR's own server where the operator allows that server and the call brings a token."""
    sent, patient_id = call.get("prefetch"), _patient_id(call)
    allowed = read_allowed(os.environ.get("MEDSAFE_FHIR_ALLOW", ""))
    access = access_of(call, patient_id, allowed, FETCH_SECONDS) if allowed else None
    # A bare bundle has no keys by which to tell what is missing.
    if access is not None and (sent is None or (isinstance(sent, dict) and "resourceType" not in sent)):
        sent = complete(mapping(sent), access)
    return read_prefetch(sent, patient_id)


def _strange_drafts(drafts: list[Json], patient_id: str) -> tuple[Notice, ...]:
    """A draft whose subject is someone else: checked all the same, and said."""
    about = [(d, local_id(reference(d.get("subject")) or reference(d.get("patient")))) for d in drafts]
    wrong = [name_of(d) for d, subject in about if subject and patient_id and subject != patient_id]
    if not wrong:
        return ()
    message = f"{', '.join(wrong)}: the order names another patient than the call; it was checked for the patient of the call."
    return (Notice("missing-data", "prefetch.draftOrders", message, None, ("all checks",)),)


def _read(prefetch: Prefetch, drafts: list[Json]) -> Reading:
    patients = prefetch.of("Patient")
    return read_resources(
        patients[0] if patients else None,
        prefetch.of(*MEDICATION_TYPES, "Medication"),
        drafts,
        prefetch.of("Observation"),
        prefetch.of("Condition") if prefetch.known(CONDITIONS) or prefetch.of("Condition") else None,
        prefetch.of("AllergyIntolerance") if prefetch.known(ALLERGIES) or prefetch.of("AllergyIntolerance") else None,
        _today(),
        prefetch.of("Procedure"),
    )


def _cards(
    service: CdsService,
    call: Json,
    prefetch: Prefetch,
    reading: Reading,
    refs: frozenset[str],
    more: tuple[Notice, ...],
) -> list[Json]:
    found = judged(reading.case)
    notices = merge_notices((*found.notices, *reading.notices, *prefetch.notices, *more))
    selecting = service.hook == "order-select"
    gaps = ordered((*data_gaps(prefetch), *notice_gaps(notices, reading.case, prefetch, selecting, refs)))
    encounter_id = local_id(words(mapping(call["context"]).get("encounterId")))
    named = Call(service.id, call["hookInstance"], _patient_id(call), encounter_id)
    now, alone = time.monotonic(), store() is None
    seen = shown_before(service, call, found, named)
    if alone and not selecting:
        seen = repeated(SHOWN, call, found.findings, now)
    desk = Desk(reading, found, engine(), named, refs, tuple(f for f in seen if refs & set(f.orders)))
    if alone and selecting:
        note(SHOWN, call, ((f, named.uuid(f.id)) for f in desk.own), now)
    cards = cards_of(desk, gaps)
    remember(service, call, cards, found, named)
    return cards
