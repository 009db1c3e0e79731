"""Errors as RFC 9457 problem details: all of them at once, never a stack trace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from flask import Flask, Response, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from medsafe.library.problems import flatten
from medsafe.web.outcomes import is_cds, outcome

TITLES = {
    400: "The body is not valid JSON",
    401: "Not authenticated",
    403: "Not allowed",
    404: "There is nothing here",
    405: "This method is not allowed here",
    413: "The body is too large",
    415: "The body must be application/json",
    422: "The body breaks the schema",
    429: "Too many requests",
    500: "Something failed here",
    503: "The knowledge is not loaded",
}


class Problem(Exception):  # noqa: N818 - the RFC calls it a problem
    """An answer that says what is wrong with the request."""

    def __init__(self, status: int, detail: str = "", errors: Iterable[dict[str, Any]] = (), **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.more = status, detail, list(errors), more

    def response(self) -> Response:
        body = {
            "type": "about:blank",
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
            "errors": self.errors,
            **self.more,
        }
        return Response(orjson.dumps(body), self.status, mimetype="application/problem+json")


def from_schema(error: ValidationError) -> Problem:
    """Every message of a schema with its path."""
    errors = []
    for path, message in flatten(error.messages):
        field = path.replace("[", ".").replace("]", "").lstrip(".").removesuffix("._schema")
        errors.append({"field": field, "code": "invalid-input", "message": message})
    return Problem(
        422,
        f"{len(errors)} thing{'s are' if len(errors) != 1 else ' is'} wrong with the body.",
        sorted(errors, key=lambda e: (e["field"], e["message"])),
    )


def register(app: Flask) -> None:
    """One handler for everything that can go wrong."""

    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return outcome(error.status, (("", error.detail),)) if is_cds(request.path) else error.response()

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        if is_cds(request.path):
            return outcome(status, (("", TITLES.get(status, error.name)),))
        detail = "" if status >= 500 else str(error.description or "")
        return Problem(
            status,
            detail,
            [
                {
                    "field": "",
                    "code": (error.name or "error").lower().replace(" ", "-"),
                    "message": TITLES.get(status, error.name),
                }
            ],
        ).response()

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        # The kind of error is logged, never its text: it may hold a patient's values.
        app.logger.error("unexpected error of kind %s", type(error).__name__)
        if is_cds(request.path):
            return outcome(500, ())
        return Problem(500, "The request could not be answered; nothing was checked.").response()
