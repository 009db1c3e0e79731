"""Reading a request body and writing an answer: shared by all endpoints."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
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
from medsafe.web.outcomes import is_cds
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


class _Repeating(dict[str, Any]):
    """An object in which a key stood more than once."""

    twice: tuple[str, ...] = ()


def _paths(value: Any) -> Iterator[str]:
    """Paths of the repeated keys; without recursion, as a body may be nested deeper than the stack."""
    left = [(value, "")]
    while left:
        item, path = left.pop()
        if isinstance(item, _Repeating):
            yield from (f"{path}{key}" for key in item.twice)
        inner = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
        left += [(each, f"{path}{key}.") for key, each in inner if isinstance(each, dict | list)]


def repeated_keys(raw: bytes) -> Iterator[str]:
    """Paths of the keys that stand twice in one object of a valid body: a parser keeps the last and drops the other.

    >>> list(repeated_keys(b'{"a": [{"b": 1, "b": 2}]}'))
    ['a.0.b']
    """
    found = False

    def noticed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        found, counted, repeating = True, Counter(key for key, _ in pairs), _Repeating(plain)
        repeating.twice = tuple(key for key, count in counted.items() if count > 1)
        return repeating

    try:
        parsed = json.loads(raw, object_pairs_hook=noticed)
    except (ValueError, RecursionError):
        # Deeper, or with longer numbers, than this parser takes: the schema refuses those.
        return
    if found:
        yield from sorted(_paths(parsed))


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
    if twice := () if is_cds(request.path) else tuple(repeated_keys(raw)):
        raise Problem(
            400,
            "A key stands twice in one object: only one of the two would be read.",
            [{"field": path, "code": "malformed-json", "message": "stands twice in one object"} for path in twice],
        )
    return found


def reply(data: Any, status: int = 200) -> Response:
    """An answer as JSON; keys keep their order, so the same data gives the same bytes."""
    return Response(orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS), status, mimetype="application/json")
