"""Repeated alerts by the PDDI-CDS rule: left out at signing only where the EHR asks for it, and then said."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from medsafe.fhir.repeats import ProcessMemory
from medsafe.web import cds
from tests.fixtures.cds.calls import (
    SELECT,
    SIGN,
    Json,
    by_topic,
    call,
    cards,
    dosage,
    draft,
    full_prefetch,
    order,
    post,
)

NAPROXEN = draft("naproxen 500 mg tablet", "d1", dosage(500, "mg", 2))
CHART = full_prefetch(order("warfarin", "m1", dosage(5)))
REMEMBER, LEAVE_OUT = {"cache-for-order-sign-filtering": True}, {"filter-out-repeated-alerts": True}


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cds, "SHOWN", ProcessMemory())


def asking(hook: str, options: Json | None, name: str = "pddi-configuration-items", **context: Any) -> Json:
    body = call(NAPROXEN, hook=hook, prefetch=CHART, **{"encounterId": "e1", **context})
    return {**body, **({"extension": {name: options}} if options is not None else {})}


def select(options: Json | None = None, **more: Any) -> list[Json]:
    return cards(asking("order-select", REMEMBER if options is None else options, **more), SELECT)


def sign(options: Json | None = None, **more: Any) -> list[Json]:
    return cards(asking("order-sign", LEAVE_OUT if options is None else options, **more), SIGN)


def warned(listed: list[Json]) -> bool:
    return by_topic(listed, "bleeding") is not None


def test_61_what_was_shown_at_selection_is_not_repeated_at_signing_and_that_is_said() -> None:
    assert warned(select())
    listed = sign()
    told = by_topic(listed, "repeated-alerts")
    assert not warned(listed)
    assert told is not None
    assert told["indicator"] == "info"
    assert told["source"]["label"]
    assert "warfarin" in told["detail"]


def test_61_the_other_name_of_the_option_is_understood() -> None:
    select(name="configuration-items")
    assert not warned(sign(name="configuration-items"))


@pytest.mark.parametrize(
    ("first", "second"),
    [({}, LEAVE_OUT), (REMEMBER, {}), ({}, {}), ({"cache-for-order-sign-filtering": "yes"}, LEAVE_OUT)],
)
def test_61_unless_both_calls_ask_for_it_nothing_is_left_out(first: Json, second: Json) -> None:
    select(first)
    assert warned(sign(second))


@pytest.mark.parametrize("other", [{"userId": "Practitioner/2"}, {"encounterId": "e2"}, {"userId": ""}])
def test_61_another_clinician_or_encounter_is_told(other: Json) -> None:
    select()
    assert warned(sign(**other))


def test_61_selection_is_never_filtered() -> None:
    select()
    assert warned(select({**REMEMBER, **LEAVE_OUT}))


def test_61_after_a_suggestion_was_taken_the_alert_is_shown_again() -> None:
    card = by_topic(select(), "bleeding")
    assert card is not None
    item = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": str(uuid.uuid4())}]}
    assert post({"feedback": [{**item, "outcomeTimestamp": "2026-11-23T10:00:00Z"}]}, SELECT, "/feedback")[0] == 200
    assert warned(sign())


def test_61_what_is_contraindicated_is_repeated() -> None:
    ketorolac = draft("ketorolac 10 mg tablet", "d1", dosage(10, "mg", 4))
    for hook, service, options in (("order-select", SELECT, REMEMBER), ("order-sign", SIGN, LEAVE_OUT)):
        body = {**call(ketorolac, hook=hook, prefetch=CHART), "extension": {"pddi-configuration-items": options}}
        assert "critical" in {card["indicator"] for card in cards(body, service)}


def test_61_memory_ends_with_its_time_and_its_size() -> None:
    memory = ProcessMemory(most=2, seconds=10)
    for place, key in enumerate("abc"):
        memory.remember(key, f"card {key}", float(place))
    assert [memory.knows(key, 3) for key in "abc"] == [False, True, True]
    assert [memory.knows(key, 11.5) for key in "bc"] == [False, True]
