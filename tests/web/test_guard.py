"""Who is let in, how often, and that nothing of a patient is written down at the door."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from medsafe import request as case_schema
from medsafe.settings import Settings
from medsafe.web.app import create_app
from medsafe.web.guard import OPEN, JsonLines, without_values
from medsafe.web.limits import CALLERS_REMEMBERED, RateLimit
from tests.serving import KEY, KEY_DIGEST, served, small_data

MARKER = "Zebedee-4711-marker"
ORIGIN = "https://ehr.example.org"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_data(tmp_path_factory.mktemp("guard") / "data")


def app_with(root: Path, **settings: Any) -> Flask:
    return create_app(root, Settings(root, **settings))


@pytest.fixture(scope="module")
def guarded(root: Path) -> FlaskClient:
    other = sha256(b"second").digest()
    return app_with(root, api_keys=(other, bytes.fromhex(KEY_DIGEST)), cors_origins=frozenset({ORIGIN})).test_client()


@pytest.fixture(scope="module")
def open_(root: Path) -> FlaskClient:
    return app_with(root).test_client()


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer  {KEY}"},
        {"X-API-Key": "second"},
    ],
)
def test_a_known_key_is_let_in(guarded: FlaskClient, headers: dict[str, str]) -> None:
    assert guarded.get("/v1/knowledge", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": KEY + "x"},
        {"X-API-Key": KEY_DIGEST},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": KEY},
        {"Authorization": "Bearer "},
    ],
)
def test_anything_else_is_a_problem_that_says_how(guarded: FlaskClient, headers: dict[str, str]) -> None:
    answer = guarded.get("/v1/knowledge", headers=headers)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert answer.get_json()["errors"][0]["code"] == "unauthenticated"


def test_every_endpoint_but_the_open_ones_asks_for_a_key(guarded: FlaskClient) -> None:
    for rule in guarded.application.url_map.iter_rules():
        if rule.endpoint in OPEN or rule.endpoint == "static":
            continue
        path = rule.rule.replace("<", "").replace(">", "")
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        assert guarded.open(path, method=method).status_code == 401, rule.rule


def test_a_path_that_is_not_there_asks_for_a_key_too(guarded: FlaskClient) -> None:
    assert guarded.get("/v1/nothing").status_code == 401


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/openapi.json", "/docs"])
def test_health_and_documents_need_no_key(guarded: FlaskClient, path: str) -> None:
    assert guarded.get(path).status_code == 200


def test_without_keys_everyone_on_this_machine_is_let_in(open_: FlaskClient) -> None:
    assert open_.get("/v1/knowledge").status_code == 200


def test_a_caller_over_the_limit_is_told_when_to_come_back(root: Path) -> None:
    client = app_with(root, rate_per_minute=3).test_client()
    codes = [client.get("/v1/knowledge").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    answer = client.get("/v1/knowledge")
    assert 1 <= int(answer.headers["Retry-After"]) <= 20
    assert answer.mimetype == "application/problem+json"
    assert client.get("/readyz").status_code == 200


def test_each_key_has_its_own_limit_and_failed_keys_share_that_of_their_address(root: Path) -> None:
    keys = (sha256(b"second").digest(), bytes.fromhex(KEY_DIGEST))
    client = app_with(root, api_keys=keys, rate_per_minute=2).test_client()
    ask = lambda key: client.get("/v1/knowledge", headers={"X-API-Key": key}).status_code  # noqa: E731
    assert [ask(KEY) for _ in range(3)] == [200, 200, 429]
    assert ask("second") == 200
    assert [ask(f"guess {n}") for n in range(3)] == [401, 401, 429]


def test_a_bucket_fills_again_with_time() -> None:
    limit = RateLimit(60)
    assert [limit.wait("a", 0.0) for _ in range(60)] == [0.0] * 60
    assert limit.wait("a", 0.0) == pytest.approx(1.0)
    assert limit.wait("a", 0.99) > 0
    assert limit.wait("a", 1.01) == 0.0


def test_no_more_callers_are_remembered_than_memory_allows() -> None:
    limit = RateLimit(60)
    for number in range(CALLERS_REMEMBERED + 50):
        limit.wait(str(number), 0.0)
    assert len(limit._callers) == CALLERS_REMEMBERED


def test_a_body_over_the_limit_is_refused(root: Path) -> None:
    client = app_with(root, max_body_bytes=2048).test_client()
    assert client.post("/v1/check", data=b"x" * 2049, content_type="application/json").status_code == 413


def test_a_request_id_of_the_caller_comes_back_when_it_is_one(open_: FlaskClient) -> None:
    given = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert open_.get("/livez", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given
    for odd in (MARKER, "1234567890", "a" * 33, ""):
        made = open_.get("/livez", headers={"X-Request-Id": odd}).headers["X-Request-Id"]
        assert made != odd
        assert len(made) == 32


def test_only_named_origins_may_call_from_a_browser(guarded: FlaskClient) -> None:
    preflight = guarded.options("/v1/check", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-API-Key" in preflight.headers["Access-Control-Allow-Headers"]
    other = guarded.options("/v1/check", headers={"Origin": "https://evil.example"})
    assert other.status_code == 401
    assert "Access-Control-Allow-Origin" not in other.headers


def test_a_refused_call_can_be_read_by_a_named_origin(guarded: FlaskClient) -> None:
    answer = guarded.get("/v1/knowledge", headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, ORIGIN)


class Lines(logging.Handler):
    """Keeps what the log would write."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> Iterator[Lines]:
    handler, logger = Lines(), logging.getLogger("medsafe")
    before = (logger.level, logger.propagate)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.level, logger.propagate = before
    logging.getLogger("medsafe").manager._clear_cache()  # type: ignore[attr-defined]


def test_each_request_leaves_one_line_with_closed_words_and_numbers(open_: FlaskClient, log: Lines) -> None:
    answer = open_.get("/v1/interactions?drugs=morphine")
    (line,) = [json.loads(text) for text in log.lines]
    assert line.keys() == {"time", "level", "event", "method", "endpoint", "status", "ms", "request_id"}
    assert (line["endpoint"], line["status"]) == ("checks.interactions", 200)
    assert line["request_id"] == answer.headers["X-Request-Id"]


def test_an_invented_method_is_not_written_down(open_: FlaskClient, log: Lines) -> None:
    open_.open("/v1/check", method=MARKER.upper())
    assert json.loads(log.lines[-1])["method"] == "OTHER"


def test_the_text_of_an_error_is_not_written_down() -> None:
    try:
        raise ValueError(MARKER)
    except ValueError:
        import sys

        record = logging.LogRecord("medsafe", logging.ERROR, "", 1, "failed", (), sys.exc_info())
    assert MARKER not in JsonLines().format(record)
    assert without_values(record)
    assert MARKER not in logging.Formatter().format(record)


def hostile_bodies() -> Iterator[Any]:
    """The marker in every field of the schema, one at a time and all at once, and in bodies that are none."""
    patient = case_schema.CASE_SCHEMA.fields["patient"].schema.fields
    order = case_schema.CASE_SCHEMA.fields["regimen"].inner.schema.fields  # type: ignore[attr-defined]
    whole = {"drug": "morphine", "dose": 5, "unit": "mg", "route": "oral", "times_per_day": 2}
    for name in patient:
        for value in (MARKER, {"value": MARKER, "unit": MARKER}, [MARKER], {MARKER: 1}):
            yield {"patient": {name: value}, "regimen": [whole]}
    for name in order:
        yield {"regimen": [{**whole, name: MARKER}], "new_orders": [{**whole, name: {"code": MARKER}}]}
    for name in case_schema.CASE_SCHEMA.fields:
        yield {name: MARKER}
        yield {name: [{"name": MARKER, "drug": MARKER}]}
    yield {"patient": dict.fromkeys(patient, MARKER), "regimen": [dict.fromkeys(order, MARKER)], MARKER: MARKER}
    yield MARKER
    yield [MARKER]
    yield f'{{"patient": "{MARKER}"'.encode()


PATHS = (
    "/v1/check",
    "/v1/organ-function",
    "/v1/opioids/convert",
    f"/v1/drugs?q={MARKER}",
    f"/v1/drugs/{MARKER}",
    f"/v1/interactions?drugs={MARKER}",
    f"/v1/graph?drugs={MARKER}",
    f"/{MARKER}",
)


def test_no_value_of_a_patient_reaches_the_log_of_the_application(open_: FlaskClient, log: Lines) -> None:
    for body in hostile_bodies():
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        for path in PATHS[:3]:
            assert open_.post(path, data=raw, content_type="application/json").status_code < 500
    for path in PATHS[3:]:
        open_.get(path, headers={"X-Request-Id": MARKER, "User-Agent": MARKER})
    assert len(log.lines) > 100
    assert MARKER.casefold() not in "\n".join(log.lines).casefold()


def test_no_value_of_a_patient_reaches_any_log_of_the_server(root: Path, tmp_path: Path) -> None:
    import socket

    with served(root, tmp_path, MEDSAFE_LOG_LEVEL="debug", MEDSAFE_RATE_PER_MINUTE="0") as server:
        for body in hostile_bodies():
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            assert server.ask("/v1/check", raw, X_Request_Id=MARKER)[0] < 500
        for path in PATHS[3:]:
            server.ask(path, method="GET")
        for line in (f"GET /{MARKER} nonsense", f"{MARKER} / HTTP/1.1", f"GET / HTTP/1.1\r\n{MARKER} : x: {MARKER}"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw_client:
                raw_client.sendall(f"{line}\r\n\r\n".encode())
                raw_client.recv(4096)
        metrics = server.ask("/metrics")[1].decode()
    log = server.log.read_text()
    assert '"endpoint":"checks.check"' in log
    assert MARKER.casefold() not in log.casefold()
    assert MARKER.casefold() not in metrics.casefold()


def test_a_server_that_others_can_reach_does_not_start_without_keys(root: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="MEDSAFE_API_KEYS"),
        served(root, tmp_path, MEDSAFE_API_KEYS="", MEDSAFE_BIND="0.0.0.0:18999"),
    ):
        pass


def test_findings_and_notices_are_counted_under_closed_words_only(open_: FlaskClient) -> None:
    order = {"drug": "morphine", "dose": 5, "unit": "mg", "route": "oral", "times_per_day": 6}
    open_.post("/v1/check", json={"regimen": [order, {"drug": MARKER}]})
    text = open_.get("/metrics").text
    assert 'medsafe_notices_total{code="unknown-drug"}' in text
    assert "medsafe_findings_total{" in text
    assert MARKER.casefold() not in text.casefold()
