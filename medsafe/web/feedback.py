"""`POST /cds-services/<id>/feedback`: what became of cards. The same sent again and cards we don't know are taken too."""

from __future__ import annotations

import re
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import orjson
from flask import Response
from prometheus_client import Counter

from medsafe.fhir.shape import Json, mapping, objects, words
from medsafe.store.records import CardFeedback
from medsafe.web import cds
from medsafe.web.cds import Refused, known_service
from medsafe.web.exchange import body, reply
from medsafe.web.memory import settings, store

# Its route stands beside those of the services, and its errors are told as theirs.
blueprint = cds.blueprint
FEEDBACK = Counter(
    "medsafe_cds_feedback_total", "Feedback on cards, each card and outcome once", ["service", "outcome"]
)
REMEMBERED = 10_000
MOST_COMMENT = 2000
OUTCOMES = ("accepted", "overridden")
# A reason is kept by its code, and only where the code can't be a number or a name of a patient.
REASON = re.compile(r"[a-z]+(-[a-z]+){0,9}")
OTHER_REASON = "other"
_TIMESTAMP = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$")


class Seen:
    """The feedback already counted, as far back as memory is kept: clients send the same again on every retry."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most, self._kept, self._lock = most, OrderedDict[bytes, None](), Lock()

    def is_new(self, key: bytes) -> bool:
        """Whether this was not seen before; it is from now on."""
        with self._lock:
            known = key in self._kept
            self._kept[key] = None
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return not known


SEEN = Seen()


def _wrong_feedback(items: Any) -> Iterator[tuple[str, str]]:
    """Everything that is wrong with a feedback body."""
    if not isinstance(items, list) or not items:
        yield "feedback", "feedback is required and must be an array"
        return
    for i, item in enumerate(items):
        if not isinstance(item, dict):
            yield f"feedback[{i}]", "must be an object"
            continue
        for name, what in _wrong_item(item):
            yield f"feedback[{i}].{name}", what


def _wrong_item(item: Json) -> Iterator[tuple[str, str]]:
    if not isinstance(item.get("card"), str) or not item["card"]:
        yield "card", "must be the uuid of a card"
    if item.get("outcome") not in OUTCOMES:
        yield "outcome", "must be accepted or overridden"
    stamp = item.get("outcomeTimestamp")
    if not isinstance(stamp, str) or not _TIMESTAMP.match(stamp) or _time(stamp) is None:
        yield "outcomeTimestamp", "must be a date and time with its offset, as in RFC 3339"
    taken = item.get("acceptedSuggestions")
    if item.get("outcome") == "accepted" and not any(isinstance(s.get("id"), str) for s in objects(taken)):
        yield "acceptedSuggestions", "must name at least one suggestion by id"
    if item.get("overrideReason") is not None and not isinstance(item["overrideReason"], dict):
        yield "overrideReason", "must be an object"


def _time(stamp: str) -> datetime | None:
    try:
        return datetime.fromisoformat(stamp.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _uuid(text: str) -> str:
    """The card's uuid; "" for anything else, which may hold what it likes."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


def _reason(item: Json) -> str | None:
    reason = mapping(mapping(item.get("overrideReason")).get("reason"))
    code = words(reason.get("code"))
    if not code:
        return None
    return code if len(code) <= 64 and REASON.fullmatch(code) else OTHER_REASON


def _comment(item: Json) -> str | None:
    """Free text may tell a patient's story: it is dropped, unless the operator has decided otherwise."""
    told = words(mapping(item.get("overrideReason")).get("userComment"))
    told = told.replace("\x00", "")
    return told[:MOST_COMMENT] if told and settings().keep_comments else None


def _record(service_id: str, item: Json, now: datetime) -> CardFeedback:
    taken = tuple(sorted(words(s.get("id")) for s in objects(item.get("acceptedSuggestions"))))
    return CardFeedback(
        card=_uuid(item["card"]),
        service=service_id,
        outcome=item["outcome"],
        suggestions=taken,
        reason=_reason(item),
        comment=_comment(item),
        outcome_at=_time(item["outcomeTimestamp"]) or now,
        received_at=now,
        given=item["card"],
    )


@blueprint.post("/cds-services/<service_id>/feedback")
def feedback(service_id: str) -> Response:
    """Keep and count what became of cards. Comments are not kept unless the operator has decided so, and never logged."""
    service = known_service(service_id)
    items = body().get("feedback")
    wrong = tuple(_wrong_feedback(items))
    if wrong:
        raise Refused(400, *wrong)
    told = [_record(service.id, item, datetime.now(UTC)) for item in objects(items)]
    for item in objects(items):
        if item["outcome"] == "accepted":
            cds.SHOWN.forget(item["card"])
    kept = store()
    if kept is not None and kept.keep(told):
        raise Refused(503, ("", "The feedback can't be kept now; please send it again later."))
    for record in told:
        if SEEN.is_new(orjson.dumps([service.id, record.given, record.outcome, record.suggestions])):
            FEEDBACK.labels(service.id, record.outcome).inc()
    return reply({})
