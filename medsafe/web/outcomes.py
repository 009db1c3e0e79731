"""Errors of the CDS services as FHIR OperationOutcomes, for the logs of an EHR team; never a value of the patient."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

ISSUE_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    412: "incomplete",
    413: "too-long",
    415: "structure",
    429: "throttled",
    503: "transient",
}
UNANSWERED = "The request could not be answered; nothing was checked."


def outcome(status: int, wrong: tuple[tuple[str, str], ...]) -> Response:
    """One issue for everything that is wrong: (where, what)."""
    code = ISSUE_CODES.get(status, "exception")
    issues: list[dict[str, Any]] = []
    for where, what in wrong or (("", UNANSWERED),):
        issue: dict[str, Any] = {"severity": "error", "code": code, "details": {"text": what}, "diagnostics": what}
        issues.append({**issue, "expression": [where]} if where else issue)
    raw = orjson.dumps({"resourceType": "OperationOutcome", "issue": issues})
    answer = Response(raw, status, mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def is_cds(path: str) -> bool:
    """Whether a path belongs to the CDS services, whose clients expect an OperationOutcome."""
    return path == "/cds-services" or path.startswith("/cds-services/")
