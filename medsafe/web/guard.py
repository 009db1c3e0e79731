"""The door: API keys, rate limits, CORS, request ids, and one access-log line per request without a patient's value."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import re
import sys
import time
from typing import Any
from uuid import uuid4

import orjson
from flask import Flask, Response, g, request

from medsafe.settings import Settings
from medsafe.store.store import Store
from medsafe.web.limits import Limits, SharedMemory
from medsafe.web.outcomes import is_cds, outcome
from medsafe.web.problems import Problem
from medsafe.web.tokens import TokenError, Tokens

ACCESS = logging.getLogger("medsafe.access")
# What answers without a key: it holds no patient's value and no more of the knowledge than its version.
OPEN = frozenset({"health.livez", "health.readyz", "health.metrics", "docs.document", "docs.page", "cds.discovery"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# A caller's request id is kept only in this form: free text could carry a patient's number into the log.
REQUEST_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
CORS_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-API-Key, X-Request-Id",
    "Access-Control-Expose-Headers": "X-Request-Id, Retry-After",
    "Access-Control-Max-Age": "600",
}


def given_key() -> str:
    """The key that came with the request, from either header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key", "")


def known_key(key: str, digests: tuple[bytes, ...]) -> bytes | None:
    """The digest of a key that is allowed. Every digest is compared, so time tells nothing of which one was near."""
    digest, found = hashlib.sha256(key.encode()).digest(), None
    for allowed in digests:
        if hmac.compare_digest(digest, allowed):
            found = allowed
    return found if key else None


def _refusal(status: int, detail: str, code: str, **headers: str) -> Response:
    problem = Problem(status, detail, [{"field": "", "code": code, "message": detail}])
    answer = outcome(status, (("", detail),)) if is_cds(request.path) else problem.response()
    answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return answer


def _unauthenticated(detail: str = "") -> Response:
    detail = detail or "Send an API key: `Authorization: Bearer KEY` or `X-API-Key: KEY`."
    return _refusal(401, detail, "unauthenticated", WWW_Authenticate='Bearer realm="medsafe"')


def _token_refused(error: TokenError) -> Response:
    return _unauthenticated(
        f"The token is refused ({error}). Send `Authorization: Bearer JWT`, a new one for each call."
    )


def _too_many(seconds: float) -> Response:
    whole = str(max(1, math.ceil(seconds)))
    return _refusal(429, f"Too many requests; try again in {whole} s.", "rate-limited", Retry_After=whole)


def _request_id() -> str:
    given = request.headers.get("X-Request-Id", "")
    return given.lower() if REQUEST_ID.fullmatch(given) else uuid4().hex


def log_line(status: int) -> dict[str, Any]:
    """What is logged of a request: closed words and numbers; never its path, query, headers or body."""
    started = g.get("guard_started", time.perf_counter())
    return {
        "event": "request",
        "method": request.method if request.method in METHODS else "OTHER",
        "endpoint": request.endpoint or "unknown",
        "status": status,
        "ms": round((time.perf_counter() - started) * 1000, 2),
        "request_id": g.get("request_id", ""),
    }


class Guard:
    """What is asked of every request before it is answered."""

    def __init__(self, settings: Settings, tokens: Tokens | None = None, shared: SharedMemory | None = None) -> None:
        self.settings, self.tokens = settings, tokens
        self.limits = Limits(settings.rate_per_minute, shared)

    def before(self) -> Response | None:
        """None lets the request through."""
        g.guard_started, g.request_id, g.authenticated = time.perf_counter(), _request_id(), False
        if self._origin() and request.method == "OPTIONS":
            return Response(status=204)
        return None if self._is_open() else self._judge()

    def _is_open(self) -> bool:
        """What needs no key. Where clients have tokens, they show one for the list of the CDS services too."""
        return request.endpoint in OPEN and not (self.tokens and is_cds(request.path))

    def _judge(self) -> Response | None:
        given = given_key()
        if self.tokens and (is_cds(request.path) or given.count(".") == 2):
            return self._judge_token(self.tokens, given)
        key = known_key(given, self.settings.api_keys) if self.settings.api_keys else None
        g.authenticated = key is not None
        # Failed keys are counted by address, so that guessing is slowed too.
        seconds = self.limits.wait(key.hex() if key else request.remote_addr or "")
        if seconds:
            return _too_many(seconds)
        return _unauthenticated() if self.settings.asks_who and key is None else None

    def _judge_token(self, tokens: Tokens, given: str) -> Response | None:
        """A token is used up only by a request that is within its caller's limit."""
        address = self.settings.public_url + request.path
        try:
            bearer = tokens.judge(given, address, "cds" if is_cds(request.path) else "v1")
        except TokenError as error:
            seconds = self.limits.wait(request.remote_addr or "")
            return _too_many(seconds) if seconds else _token_refused(error)
        if seconds := self.limits.wait(bearer.client.iss):
            return _too_many(seconds)
        try:
            tokens.use(bearer)
        except TokenError as error:
            return _token_refused(error)
        return None

    def _origin(self) -> str:
        origin = request.headers.get("Origin", "")
        return origin if origin.lower() in self.settings.cors_origins else ""

    def after(self, response: Response) -> Response:
        """Headers of the answer, and its line in the log."""
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if self.settings.cors_origins:
            response.vary.add("Origin")
        if origin := self._origin():
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers.update(CORS_HEADERS)
        if ACCESS.isEnabledFor(logging.INFO):
            ACCESS.info("request", extra={"medsafe": log_line(response.status_code)})
        return response


def _tokens(settings: Settings, shared: SharedMemory | None, store: Store | None) -> Tokens | None:
    """Who judges tokens; used ones are noted in Redis, else in the store."""
    if not settings.jwt_clients:
        return None
    return Tokens(settings.jwt_clients, settings.jwt_max_seconds, shared or store)


def register(app: Flask, settings: Settings, store: Store | None = None) -> None:
    """Stand at the door of the application; registered first, so that nothing is answered before it."""
    shared = SharedMemory(settings.redis_url) if settings.redis_url else None
    app.extensions["medsafe.shared"] = shared
    guard = Guard(settings, _tokens(settings, shared, store), shared)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.before_request(guard.before)
    app.after_request(guard.after)


class JsonLines(logging.Formatter):
    """One JSON object a line; of an exception only its kind, for its text may hold what a user sent."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
        }
        extra = getattr(record, "medsafe", None)
        line |= extra if isinstance(extra, dict) else {"event": record.getMessage()}
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return orjson.dumps(line, default=str).decode()


def start_logging(level: str) -> None:
    """Send the log of the service to standard output; called by the process that serves, never by a library user."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("medsafe")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(level.upper())


def without_values(record: logging.LogRecord) -> bool:
    """For the server's own log, where a path, a request it could not parse or the text of an error may hold a value.

    Below `info` it writes the path of every request, so nothing of that level passes.
    """
    if record.levelno < logging.INFO:
        return False
    if record.exc_info and record.exc_info[0]:
        kind = record.exc_info[0].__name__
        record.msg, record.args, record.exc_info, record.exc_text = (
            f"error of kind {kind} (text withheld)",
            (),
            None,
            None,
        )
    elif str(record.msg).startswith("Invalid request"):
        record.msg, record.args = "a request could not be parsed (text withheld)", ()
    return True
