"""A drug that the tables do not know, asked of RxNav by the running service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from medsafe.settings import read_settings
from medsafe.web.app import create_app
from tests.rxnav_replay import Server

BODY = {
    "patient": {"allergies": [], "conditions": []},
    "regimen": [{"drug": "simvador", "dose": 40, "unit": "mg", "route": "oral", "times_per_day": 1}],
    "new_orders": [{"drug": "clarithromycin", "dose": 500, "unit": "mg", "route": "oral", "times_per_day": 2}],
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


@pytest.fixture(scope="module")
def asking(server: Server) -> FlaskClient:
    return create_app(settings=replace(read_settings({}), rxnav_url=server.url)).test_client()


def check(client: FlaskClient, body: dict[str, Any] = BODY) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/v1/check", json=body).get_json()
    return answer


def notice(answer: dict[str, Any], field: str) -> dict[str, Any]:
    return next(n for n in answer["notices"] if n["field"] == field)


def named(client: FlaskClient, body: dict[str, Any] = BODY) -> dict[str, Any]:
    """The answer once RxNav has said what it knows, within five seconds."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        answer = check(client, body)
        if any(n["code"] == "resolved-elsewhere" for n in answer["notices"]):
            return answer
        time.sleep(0.05)
    raise AssertionError("RxNav's answer never came")


def test_the_first_answer_says_unknown_and_a_later_one_checks_what_rxnav_named(asking: FlaskClient) -> None:
    first = check(asking)
    told = notice(first, "regimen.0.drug")
    assert told["code"] == "unknown-drug"
    assert "RxNav is being asked" in told["message"]
    later = named(asking)
    assert any({"simvastatin", "clarithromycin"} <= set(f["drugs"]) for f in later["findings"])
    assert "simvastatin" in notice(later, "regimen.0.drug")["message"]


def test_what_rxnav_named_is_told_but_what_nobody_knows_stays_unknown(asking: FlaskClient) -> None:
    named(asking)
    strange = {**BODY, "regimen": [*BODY["regimen"], {"drug": "nothing", "dose": 1, "unit": "mg"}]}
    answer = check(asking, strange)
    assert notice(answer, "regimen.0.drug")["code"] == "resolved-elsewhere"
    assert notice(answer, "regimen.1.drug")["code"] == "unknown-drug"
    assert answer["complete"] is False


def test_only_the_drug_term_leaves_the_process(asking: FlaskClient, server: Server) -> None:
    named(asking, {**BODY, "patient": {"age_years": 67, "weight_kg": 48}})
    assert server.seen
    assert all("simvador" in path or "nothing" in path or "/rxcui/316672/" in path for path in server.seen)


def test_without_the_setting_nothing_is_asked(client: FlaskClient, server: Server) -> None:
    # A name of its own: what other tests asked may still be on its way.
    body = {
        **BODY,
        "regimen": [{"drug": "levorphantine", "dose": 1, "unit": "mg", "route": "oral", "times_per_day": 1}],
    }
    told = notice(check(client, body), "regimen.0.drug")
    assert told["code"] == "unknown-drug"
    assert "RxNav" not in told["message"]
    assert not any("levorphantine" in path for path in server.seen)
