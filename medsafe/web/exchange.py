"""Reading a request body and writing an answer: shared by all endpoints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from flask import Response, current_app, request

from medsafe.context.engine import Engine
from medsafe.model.case import Case
from medsafe.model.findings import Review, merge_notices
from medsafe.review import review
from medsafe.service import Service
from medsafe.terminology.elsewhere import Elsewhere
from medsafe.web.problems import Problem
from medsafe.web.rules import heard


def service() -> Service:
    """The service of this application."""
    found: Service = current_app.extensions["medsafe"]
    return found


def engine() -> Engine:
    """The engine in use; 503 while there is none."""
    found = service().engine
    if found is None:
        raise Problem(503, "The knowledge is not loaded: nothing can be checked.")
    return found


def judged(case: Case) -> Review:
    """The review of a case, with what RxNav has named by now where the operator lets it be asked."""
    current = engine()
    elsewhere: Elsewhere | None = current_app.extensions.get("medsafe-elsewhere")
    if elsewhere is None:
        return heard(review(case, current))
    named = elsewhere.name(case, current.names)
    found = heard(review(named.case, current))
    notices = merge_notices(named.told(found.notices))
    status = "incomplete" if found.status == "all-clear" and notices else found.status
    return replace(found, notices=notices, status=status, complete=found.complete and not notices)


def body() -> dict[str, Any]:
    """The JSON object of the request."""
    if request.mimetype not in ("application/json", "application/fhir+json"):
        raise Problem(
            415,
            "Send the body as application/json.",
            [{"field": "", "code": "unsupported-media-type", "message": "expected application/json"}],
        )
    raw = request.get_data(cache=False)
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(
            400,
            "The body is not valid JSON.",
            [{"field": "", "code": "malformed-json", "message": f"line {error.lineno}, column {error.colno}"}],
        ) from None
    if not isinstance(found, dict):
        raise Problem(
            422,
            "The body must be a JSON object.",
            [{"field": "", "code": "invalid-input", "message": "must be a JSON object"}],
        )
    return found


def reply(data: Any, status: int = 200) -> Response:
    """An answer as JSON; keys keep their order, so the same data gives the same bytes."""
    return Response(orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS), status, mimetype="application/json")
