"""RxNav asked over a real connection: a local server replays recorded answers, and is slow, failing, strict or garbled."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from medsafe.identity.names import CodeEntry, Component, NameEntry, NameIndex
from medsafe.terminology.rxnav import Remembered, RxNavClient, RxNavError, RxNavResolver, RxNavSettings, term_to_send
from tests.rxnav_replay import Server


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


@pytest.fixture
def settings(server: Server, tmp_path: Path) -> RxNavSettings:
    return RxNavSettings(server.url, tmp_path / "rxnav.sqlite", deadline_s=1.0, requests_per_s=1000, first_pause_s=0.3)


Make = Callable[..., RxNavClient]


@pytest.fixture
def make(settings: RxNavSettings) -> Iterator[Make]:
    """Makes clients with changed settings, and closes them."""
    made: list[RxNavClient] = []

    def one(**changes: Any) -> RxNavClient:
        made.append(RxNavClient(replace(settings, **changes)))
        return made[-1]

    yield one
    for client in made:
        client.close()


@pytest.fixture
def client(make: Make) -> RxNavClient:
    return make()


@pytest.fixture
def index() -> NameIndex:
    entries = [NameEntry("levorphanol", "levorphanol", "name"), NameEntry("simvastatin", "simvastatin", "name"),
               NameEntry("paracetamol", "paracetamol", "name")]  # fmt: skip
    return NameIndex(entries, {("rxnorm", "161"): CodeEntry((Component("paracetamol"),), "acetaminophen")})


# ---- what is asked and understood


def test_recorded_answers_are_understood(client: RxNavClient) -> None:
    assert client.find("levorphanol 2 mg tab") == ("6378",)
    assert [c.name for c in client.related("6378", ("SCD", "SBD"))] == [
        "Levorphanol 2 MG Oral Tablet", "Levorphanol 2 MG/ML Injectable Solution"]  # fmt: skip
    assert {c.tty for c in client.related("73032", ("SCD", "SBD"))} == {"SCD", "SBD"}
    assert len(client.related("480", ("SCD", "SBD"))) > 1
    assert client.related("56795", ("SCD", "SBD"))
    assert [(c.rxcui, c.score) for c in client.approximate("zocor")] == [("104490", 75.0), ("563653", 75.0)]


def test_not_found_is_an_answer(client: RxNavClient) -> None:
    assert client.find("nothing") == ()
    assert client.approximate("nothing") == ()
    assert client.ingredients("102") == ()


def test_retired_concepts_are_followed(client: RxNavClient) -> None:
    assert [c.name for c in client.ingredients("100")] == ["levorphanol"]
    assert [c.rxcui for c in client.ingredients("101")] == ["161", "999"]


def test_an_ndc_means_what_it_meant_on_its_day(client: RxNavClient) -> None:
    assert client.ndc("00143314501") == "1116191"
    assert client.ndc("00143314501", date(2015, 6, 1)) == "1116191"
    assert client.ndc("00143314501", date(2005, 1, 1)) is None
    with pytest.raises(RxNavError, match="not a code"):
        client.ndc("0143-3145; drop")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Simvastatin 10 MG at night", "simvastatin"),
        ("MS Contin 15mg", "ms contin"),
        ("morphine 12/03/1951 NHS 943 476 5919", "morphine nhs"),
        ("levorphanol b12x 2 mg", "levorphanol"),
        ("please give this to my neighbour in bed seven", ""),
        ("", ""),
    ],
)
def test_only_drug_terms_are_sent(text: str, sent: str) -> None:
    assert term_to_send(text) == sent


def test_a_sentence_is_not_asked_and_headers_say_nothing(server: Server, client: RxNavClient) -> None:
    assert client.find("Mrs Example of ward nine wants her usual tablets please") == ()
    assert server.seen == []
    client.find("levorphanol 2 mg")
    assert server.seen == ["/REST/rxcui.json?name=levorphanol&search=2"]


# ---- when RxNav fails


@pytest.mark.parametrize("mode", ["failing", "garbled", "odd", "strict"])
def test_a_failure_is_not_a_not_found(server: Server, client: RxNavClient, mode: str) -> None:
    server.mode = mode
    with pytest.raises(RxNavError):
        client.find("levorphanol")
    server.mode = "well"
    time.sleep(0.35)
    assert client.find("levorphanol") == ("6378",)


def test_no_call_outlasts_its_deadline(server: Server, make: Make) -> None:
    client = make(deadline_s=0.2)
    server.mode = "slow"
    started = time.monotonic()
    with pytest.raises(RxNavError, match=r"within|Timeout"):
        client.find("levorphanol")
    assert time.monotonic() - started < 0.8


def test_a_locked_cache_file_does_not_hold_the_caller(settings: RxNavSettings, make: Make) -> None:
    client = make(deadline_s=0.3)
    client.find("levorphanol")
    assert settings.cache_path is not None
    lock = sqlite3.connect(settings.cache_path, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    with pytest.raises(RxNavError):
        client.related("6378", ("IN",))
    assert time.monotonic() - started < 0.8
    lock.execute("ROLLBACK")
    lock.close()


def test_nobody_there(make: Make) -> None:
    with pytest.raises(RxNavError):
        make(base_url="http://127.0.0.1:9/REST").find("levorphanol")


@pytest.mark.parametrize("mode", ["failing", "garbled", "odd", "strict"])
def test_a_stale_answer_is_served_while_rxnav_fails(server: Server, mode: str, make: Make) -> None:
    short = {"keep": timedelta(seconds=1)}
    make(**short).find("levorphanol")
    time.sleep(1.1)
    server.mode = mode
    assert make(**short).find("levorphanol") == ("6378",)
    assert len(server.seen) == 2


def test_too_many_requests_are_answered_with_silence(server: Server, make: Make) -> None:
    client = make()
    client.find("levorphanol")
    server.mode = "strict"
    with pytest.raises(RxNavError):
        client.find("zocor")
    asked = len(server.seen)
    with pytest.raises(RxNavError, match="slow down"):
        client.find("nothing")
    assert len(server.seen) == asked
    fresh = make()
    fresh._quiet_until = time.monotonic() + 10
    assert fresh.find("levorphanol") == ("6378",), "what is on disk is served while we keep silent"
    server.mode = "well"
    time.sleep(0.35)
    assert client.find("nothing") == ()


def test_the_pause_grows_while_refused(server: Server, make: Make) -> None:
    client = make(first_pause_s=0.01, longest_pause_s=0.04)
    server.mode = "strict"
    for _ in range(4):
        with pytest.raises(RxNavError):
            client.find("zocor")
        time.sleep(0.05)
    assert client._pause_s == 0.04
    server.mode = "well"
    client.find("zocor")
    assert client._pause_s == 0.01


# ---- what is kept


def test_found_is_kept_on_disk_and_not_found_only_in_memory(server: Server, make: Make) -> None:
    first = make()
    for _ in range(3):
        assert first.find("levorphanol") == ("6378",)
        assert first.find("nothing") == ()
    assert len(server.seen) == 2
    second = make()
    second.find("levorphanol")
    second.find("nothing")
    assert len(server.seen) == 3


def test_a_cache_in_memory_needs_no_file(make: Make) -> None:
    client = make(cache_path=None)
    assert client.find("levorphanol") == ("6378",)


def test_the_pace_is_kept(server: Server, make: Make) -> None:
    client = make(requests_per_s=20)
    started = time.monotonic()
    for rxcui in ("1", "2", "100", "316672"):
        client.related(rxcui, ("IN",))
    assert time.monotonic() - started >= 0.14


def test_memory_is_bounded_and_forgets() -> None:
    memory: Remembered[int] = Remembered(2)
    for number in range(3):
        memory.put(number, number, 10)
    assert [memory.get(n) for n in range(3)] == [None, 1, 2]
    memory.put("soon", 1, 0.0)
    assert memory.get("soon") is None


# ---- in the background


def test_first_unknown_then_known(client: RxNavClient, index: NameIndex) -> None:
    resolver = RxNavResolver(client, index)
    assert resolver.request("Levorphanol 2 mg").status == "unknown"
    assert resolver.wait(3)
    known = resolver.request("levorphanol 4 mg tablets")
    assert (known.status, known.ids, known.kind) == ("resolved", {"levorphanol"}, "rxnav")


def test_request_never_waits(server: Server, client: RxNavClient, index: NameIndex) -> None:
    server.mode = "slow"
    resolver = RxNavResolver(client, index)
    started = time.monotonic()
    for number in range(50):
        resolver.request(f"drug{'abcdefghij'[number % 10]}{'klmno'[number % 5]}")
    resolver.request_code("rxnorm", "316672")
    assert time.monotonic() - started < 0.3


def test_codes_are_asked_too(client: RxNavClient, index: NameIndex) -> None:
    resolver = RxNavResolver(client, index)
    for code in ("316672", "101"):
        assert resolver.request_code("rxnorm", code).status == "unknown"
    resolver.request_code("ndc", "0143-3145-01")
    assert resolver.wait(3)
    assert resolver.request_code("http://www.nlm.nih.gov/research/umls/rxnorm", "316672").ids == {"simvastatin"}
    assert resolver.request_code("rxnorm", "101").ids == {"paracetamol", "obscure-drug"}
    assert resolver.request_code("ndc", "00143314501").ids == {"ephedrine"}
    assert resolver.request_code("atc", "N02AA01").status == "unknown"
    assert resolver.request_code("rxnorm", "x; y").status == "unknown"


def test_likeness_and_disagreement_stay_unknown(client: RxNavClient, index: NameIndex) -> None:
    resolver = RxNavResolver(client, index)
    for term in ("zocor", "twin"):
        resolver.request(term)
    assert resolver.wait(3)
    zocor = resolver.request("zocor")
    assert (zocor.status, [c.id for c in zocor.candidates]) == ("unknown", ["simvastatin"])
    assert resolver.request("twin").status == "unknown"


def test_a_failure_is_tried_again(server: Server, client: RxNavClient, index: NameIndex) -> None:
    server.mode = "failing"
    resolver = RxNavResolver(client, index, retry_s=0.1)
    resolver.request("levorphanol")
    assert resolver.wait(3)
    server.mode = "well"
    time.sleep(0.15)
    assert resolver.request("levorphanol").status == "unknown"
    assert resolver.wait(3)
    assert resolver.request("levorphanol").status == "resolved"


def test_what_is_no_drug_term_is_never_queued(server: Server, client: RxNavClient, index: NameIndex) -> None:
    resolver = RxNavResolver(client, index)
    assert resolver.request("12/03/1951").status == "unknown"
    assert resolver.wait(1)
    assert server.seen == []
