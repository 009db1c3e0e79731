"""Reading from the EHR's FHIR server, over real HTTP: one that answers, pages, fails, dawdles, redirects or lies."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from medsafe.fhir import server
from medsafe.fhir.server import Origin, access_of, origin_of, read_allowed
from medsafe.fhir.services import PREFETCH
from tests.fixtures.cds.calls import (
    Json,
    bundle,
    by_topic,
    call,
    cards,
    dosage,
    draft,
    full_prefetch,
    not_checked,
    order,
)

KETOROLAC = draft("ketorolac 10 mg tablet", "d1", dosage(10, "mg", 4))
WARFARIN = order("warfarin", "m1", dosage(5))
TOKEN = "s3cr3t-token"


class Ehr(ThreadingHTTPServer):
    """A FHIR server whose manners a test chooses."""

    daemon_threads = True
    mood = "good"
    asked: list[tuple[str, str]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/fhir"


class Answer(BaseHTTPRequestHandler):
    server: Ehr
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization", "")))
        getattr(self, self.server.mood)()

    def send(self, body: Any, status: int = 200, **headers: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content_Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def found(self) -> Json:
        if "/Patient/" in self.path:
            patient: Json = full_prefetch()["patient"]
            return patient
        return bundle(WARFARIN) if "MedicationRequest?patient=p1&status=active" in self.path else bundle()

    def good(self) -> None:
        self.send(self.found())

    def paged(self) -> None:
        if "page=2" in self.path:
            return self.send(bundle(WARFARIN))
        if "status=active" in self.path:
            return self.send(
                {
                    **bundle(order("paracetamol", "m0")),
                    "link": [{"relation": "next", "url": f"{self.server.url}?page=2"}],
                }
            )
        return self.good()

    def elsewhere(self) -> None:
        link = [{"relation": "next", "url": "http://localhost:1/fhir?page=2"}]
        self.send({**bundle(WARFARIN), "link": link} if "MedicationRequest" in self.path else self.found())

    def failing(self) -> None:
        self.send({"resourceType": "OperationOutcome", "issue": []}, 500)

    def redirecting(self) -> None:
        self.send({}, 302, Location=f"{self.server.url}/stolen")

    def slow(self) -> None:
        time.sleep(2)
        self.good()

    def dripping(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        for _ in range(40):
            self.wfile.write(b" ")
            time.sleep(0.05)

    def lying(self) -> None:
        self.close_connection = True
        self.send(self.found(), Content_Length="999999")

    def huge(self) -> None:
        self.send({"resourceType": "Bundle", "x": "x" * 5_000_000})

    def babbling(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def ehr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ehr]:
    found = Ehr(("127.0.0.1", 0), Answer)
    found.asked = []
    monkeypatch.setattr(found, "handle_error", lambda *_: None)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    monkeypatch.setenv("MEDSAFE_FHIR_ALLOW", f"https://ehr.example.org, {found.url}")
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time enough for a busy machine, where a test is about what is fetched and not about how long it may take."""
    monkeypatch.setattr("medsafe.web.cds.FETCH_SECONDS", 5.0)


def authorised(ehr: Ehr, prefetch: Json | None = None, **grant: Any) -> Json:
    token = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, **grant}
    return {**call(KETOROLAC, prefetch=prefetch or {}), "fhirServer": ehr.url, "fhirAuthorization": token}


def bleeding(body: Json) -> bool:
    return by_topic(cards(body), "bleeding") is not None


@pytest.mark.usefixtures("unhurried")
def test_what_was_not_sent_is_fetched_with_the_token(ehr: Ehr) -> None:
    body = authorised(ehr)
    assert bleeding(body)
    assert not_checked(body).count("were not supplied") == 0
    assert {token for _, token in ehr.asked} == {f"Bearer {TOKEN}"}


def test_no_thread_outlives_the_deadline_by_much(ehr: Ehr) -> None:
    ehr.mood = "dripping"
    before = {thread for thread in threading.enumerate() if "ThreadPool" in thread.name}
    cards(authorised(ehr))
    time.sleep(0.3)
    assert not [t for t in threading.enumerate() if "ThreadPool" in t.name and t not in before]


def test_only_what_was_not_sent_is_fetched(ehr: Ehr) -> None:
    cards(authorised(ehr, full_prefetch(WARFARIN)))
    assert ehr.asked == []


def test_what_the_ehr_failed_to_fetch_is_not_asked_for_again(ehr: Ehr) -> None:
    cards(authorised(ehr, {**full_prefetch(), "allergies": {"resourceType": "OperationOutcome"}}))
    assert ehr.asked == []


@pytest.mark.usefixtures("unhurried")
def test_pages_are_followed_on_the_same_origin(ehr: Ehr) -> None:
    ehr.mood = "paged"
    body = authorised(ehr)
    assert bleeding(body)
    assert "Partial list" not in not_checked(body)


@pytest.mark.usefixtures("unhurried")
def test_a_list_sent_in_part_is_completed(ehr: Ehr) -> None:
    ehr.mood = "paged"
    link = [{"relation": "next", "url": f"{ehr.url}?page=2"}]
    assert bleeding(authorised(ehr, {**full_prefetch(), "medications": bundle(order("paracetamol", "m0"), link=link)}))


def test_a_page_on_another_origin_is_not_followed_and_the_list_told_as_not_fetched(ehr: Ehr) -> None:
    ehr.mood = "elsewhere"
    assert "other medicines could not be fetched" in not_checked(authorised(ehr))


@pytest.mark.usefixtures("unhurried")
def test_must_12_within_scope_only_what_the_templates_name_is_read(ehr: Ehr) -> None:
    cards(authorised(ehr))
    asked = {path.removeprefix("/fhir/") for path, _ in ehr.asked}
    assert asked == {template.replace("{{context.patientId}}", "p1") for template in PREFETCH.values()}


def test_39_reading_slowly_does_not_hold_up_what_was_sent(ehr: Ehr) -> None:
    ehr.mood = "slow"
    sent = {key: value for key, value in full_prefetch(WARFARIN).items() if key != "allergies"}
    start = time.monotonic()
    body = authorised(ehr, sent)
    assert bleeding(body)
    assert time.monotonic() - start < 1.0
    assert "allergies could not be fetched" in not_checked(body)


def test_a_name_is_looked_up_once_so_that_a_second_answer_changes_nothing(
    ehr: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: the name server gives the judged address first and another ever after."""
    names: list[str] = []
    really = socket.getaddrinfo

    def look_up(host: str, port: int, *more: Any, **named: Any) -> Any:
        if host != "localhost":
            return really(host, port, *more, **named)
        names.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(names) == 1 else "10.0.0.7", port))]

    monkeypatch.setattr(server.socket, "getaddrinfo", look_up)
    url = ehr.url.replace("127.0.0.1", "localhost")
    access = access_of({**authorised(ehr), "fhirServer": url}, "p1", read_allowed(url), 2)
    assert access is not None
    assert server.get(access, f"{url}/Patient/p1")["id"] == "p1"
    assert (names, len(ehr.asked)) == (["localhost"], 1)


def test_a_public_name_that_leads_to_this_machine_is_never_connected_to(
    ehr: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", ehr.server_port))])
    monkeypatch.setenv("MEDSAFE_FHIR_ALLOW", f"https://ehr.example.org:{ehr.server_port}")
    connected: list[Any] = []
    monkeypatch.setattr(ehr, "verify_request", lambda *peer: connected.append(peer) or True)
    body = {**authorised(ehr), "fhirServer": f"https://ehr.example.org:{ehr.server_port}/fhir"}
    assert "other medicines could not be fetched" in not_checked(body)
    assert (connected, ehr.asked) == ([], [])


@pytest.mark.parametrize("mood", ["failing", "redirecting", "slow", "dripping", "lying", "huge", "babbling"])
def test_a_server_that_misbehaves_costs_a_card_and_no_more_than_the_deadline(ehr: Ehr, mood: str) -> None:
    ehr.mood = mood
    start = time.monotonic()
    told = not_checked(authorised(ehr))
    assert time.monotonic() - start < 1.0
    assert "other medicines could not be fetched" in told
    assert not any("stolen" in path for path, _ in ehr.asked)


@pytest.mark.parametrize(
    "change",
    [
        {"fhirAuthorization": None},
        {"fhirAuthorization": {"access_token": "bad\ntoken"}},
        {"fhirAuthorization": {"access_token": TOKEN, "token_type": "mac"}},
        {"fhirServer": "http://127.0.0.1:1/fhir"},
        {"fhirServer": "https://evil.example.org/fhir"},
        {"fhirServer": 7},
    ],
)
def test_must_12_without_leave_nothing_is_asked(ehr: Ehr, change: Json) -> None:
    assert "other medicines were not supplied" in not_checked({**authorised(ehr), **change})
    assert ehr.asked == []


def test_without_an_allow_list_nothing_is_asked(ehr: Ehr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDSAFE_FHIR_ALLOW")
    cards(authorised(ehr))
    assert ehr.asked == []


def test_an_odd_patient_id_is_never_put_into_an_address(ehr: Ehr) -> None:
    body = authorised(ehr)
    body["context"]["patientId"] = "p1&_include=*"
    cards(body)
    assert ehr.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example.org/fhir",
        "https://user@ehr.example.org/",
        "https://ehr.example.org:99999/",
        "ftp://ehr.example.org",
        "//ehr",
        "",
        "https://",
    ],
)
def test_what_is_no_safe_origin_is_none(url: str) -> None:
    assert origin_of(url) is None


def test_an_origin_is_compared_whole() -> None:
    allowed = read_allowed("https://ehr.example.org https://other.example.org:8443")
    assert allowed == {Origin("https", "ehr.example.org", 443), Origin("https", "other.example.org", 8443)}
    call_ = {"fhirAuthorization": {"access_token": TOKEN}}
    for url in (
        "https://ehr.example.org.evil.example",
        "https://ehr.example.org:444/fhir",
        "https://ehr.example.org@evil.example/",
    ):
        assert access_of({**call_, "fhirServer": url}, "p1", allowed, 1) is None


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.7",
        "172.16.0.1",
        "192.168.1.1",
        "127.0.0.2",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fe80::1%eth0",
        "fd00::7",
        "::ffff:10.0.0.7",
        "224.0.0.1",
    ],
)
def test_a_public_name_that_leads_into_a_private_network_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (address, 443))])
    with pytest.raises(server.Unfetched):
        server._address(Origin("https", "ehr.example.org", 443))


def test_the_token_is_not_shown_in_any_representation(ehr: Ehr, caplog: pytest.LogCaptureFixture) -> None:
    access = access_of(authorised(ehr), "p1", read_allowed(ehr.url), 1)
    assert TOKEN not in repr(access)
    ehr.mood = "failing"
    cards(authorised(ehr))
    assert TOKEN not in caplog.text
